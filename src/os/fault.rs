//! A switch that makes a call of this room fail, for tests: the n-th of a run, counted over all of its processes. Or it
//! sends a signal to the process that is about to make the call.
//!
//! Only builds with debug assertions have it; in others [`call`] is the call alone. The variable [`VARIABLE`] names a file
//! of [`WORDS`] 64-bit words, which the run and all processes that it forks share:
//!
//! | word | who writes it | what it says |
//! | --- | --- | --- |
//! | 0 | the test | the number of the call that fails, from 1; 0 where none does |
//! | 1 | the test | which of the errno that the call names; they repeat |
//! | 2 | the run | how many calls there were so far |
//! | 3 | the run | the process in which the call failed; 0 where none has |
//! | 4 | the run | its errno |
//! | 5 | the run | how many errno the call names |
//! | 6 to 9 | the run | the call's name |
//! | 10 | the test | the signal that the process gets there, in place of the failure; 0 for none |
//! | 11 to 14 | the test | the name of the calls that count; zeroes for all |
//!
//! The switch touches only this memory: it may be used after a fork by what may do nothing but system calls.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use nix::errno::Errno;

/// The variable of the environment that names the file.
const VARIABLE: &str = "IPCRUN_FAULTS";
/// How many words the file has.
const WORDS: usize = 16;
/// Where the names begin: of the call that failed, of those that count. How many words each has.
const FAILED: usize = 6;
const COUNTED: usize = 11;
const NAME_WORDS: usize = 4;

static SWITCH: AtomicPtr<[AtomicU64; WORDS]> = AtomicPtr::new(std::ptr::null_mut());

/// What a call returns, made to say that it has failed.
pub trait Fails {
    /// The result of a call that failed.
    fn failed(errno: Errno) -> Self;
}

macro_rules! minus_one {
    ($($number:ty)*) => { $(impl Fails for $number {
        fn failed(errno: Errno) -> Self {
            errno.set();
            -1
        }
    })* };
}

minus_one!(i32 i64 isize);

impl Fails for *mut libc::c_void {
    fn failed(errno: Errno) -> Self {
        errno.set();
        libc::MAP_FAILED
    }
}

impl<T> Fails for io::Result<T> {
    fn failed(errno: Errno) -> Self {
        Err(errno.into())
    }
}

impl<T> Fails for nix::Result<T> {
    fn failed(errno: Errno) -> Self {
        Err(errno)
    }
}

/// Makes a call, or has it fail with one of these errno.
#[inline(always)]
#[allow(clippy::inline_always, reason = "without debug assertions nothing of it may be left")]
pub fn call<T: Fails>(name: &'static str, errno: &'static [Errno], call: impl FnOnce() -> T) -> T {
    if cfg!(debug_assertions)
        && let Some(errno) = strike(name, errno)
    {
        return T::failed(errno);
    }
    call()
}

/// As [`call`], for functions that give an errno as their result.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
pub(super) fn code(name: &'static str, errno: &'static [Errno], call: impl FnOnce() -> i32) -> i32 {
    if cfg!(debug_assertions)
        && let Some(errno) = strike(name, errno)
    {
        return errno as i32;
    }
    call()
}

/// Counts the call; its errno where it is the one to fail.
fn strike(name: &str, errno: &[Errno]) -> Option<Errno> {
    let switch = SWITCH.load(Ordering::Relaxed);
    if switch.is_null() {
        return None;
    }
    // SAFETY: `arm` has stored a pointer to a mapping of that size, which is never unmapped, and it is aligned as a page.
    let words = unsafe { &*switch };
    let name = packed(name);
    let counted: [u64; NAME_WORDS] = std::array::from_fn(|place| words[COUNTED + place].load(Ordering::Relaxed));
    if counted[0] != 0 && counted != name {
        return None;
    }
    let number = words[2].fetch_add(1, Ordering::Relaxed) + 1;
    if number != words[0].load(Ordering::Relaxed) {
        return None;
    }
    let count = errno.len() as u64;
    let errno = *errno.get(words[1].load(Ordering::Relaxed) as usize % errno.len().max(1))?;
    words[4].store(errno as u64, Ordering::Relaxed);
    words[5].store(count, Ordering::Relaxed);
    for (place, part) in name.iter().enumerate() {
        words[FAILED + place].store(*part, Ordering::Relaxed);
    }
    words[3].store(u64::from(std::process::id()), Ordering::Release);
    let signal = words[10].load(Ordering::Relaxed) as i32;
    if signal == 0 {
        return Some(errno);
    }
    // SAFETY: takes numbers only.
    unsafe { libc::kill(libc::getpid(), signal) };
    None
}

/// A name as it stands in the file.
fn packed(name: &str) -> [u64; NAME_WORDS] {
    let mut words = [0; NAME_WORDS];
    for (word, part) in words.iter_mut().zip(name.as_bytes().chunks(8)) {
        let mut bytes = [0; 8];
        bytes[..part.len()].copy_from_slice(part);
        *word = u64::from_ne_bytes(bytes);
    }
    words
}

/// Turns the switch on where the environment asks for it.
///
/// # Errors
/// Those of opening and mapping its file.
pub fn arm() -> io::Result<()> {
    if !cfg!(debug_assertions) {
        return Ok(());
    }
    let Some(path) = std::env::var_os(VARIABLE) else { return Ok(()) };
    let file = std::fs::OpenOptions::new().read(true).write(true).open(path)?;
    let length = WORDS * size_of::<u64>();
    if file.metadata()?.len() < length as u64 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours; the file is as long as it.
    let start = unsafe {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        libc::mmap(std::ptr::null_mut(), length, access, libc::MAP_SHARED, file.as_raw_fd(), 0)
    };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    SWITCH.store(start.cast(), Ordering::Relaxed);
    Ok(())
}
