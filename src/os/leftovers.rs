//! What runs have left that died with everything that would have cleaned up, and how a later start removes it.
//!
//! A System V object belongs to no process. So a run lists the keys of those that it makes in a [`Register`], each before
//! its object exists: a file of this user, held locked as long as any process of the run lives. A start that can lock such
//! a file knows that all of them are gone; it removes what the file lists and then the file. A key counts only where the
//! kernel has not been started again since, in the same IPC namespace, and where the object is as the run made it: of this
//! user, readable by this user alone, and no younger than the list.

use std::ffi::{CStr, CString, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::errno::Errno;

use super::sysv::{self, Made};
use super::{clock, fault, fifo, mqueue, process, segment};

/// What the name of a register begins with.
const PREFIX: &str = "ipcrun-";
/// What its name ends with.
const SUFFIX: &str = ".ids";
/// Where the ids begin in it: the line before is padded to this.
const HEAD: usize = 256;
/// The longest register that is read: as many ids as a keeper makes.
const LONGEST: u64 = HEAD as u64 + 8 * (1 << 16);
/// How long after the last id was listed its object may still have been changed, in seconds.
const SETTLED: i64 = 60;

/// The list of the keys of a run's System V objects, in a file.
#[derive(Debug)]
pub struct Register {
    file: File,
    path: PathBuf,
    name: CString,
}

impl Register {
    /// A register that lists nothing and has no name yet. None where the host has no place for it; then what a run leaves
    /// that is killed with its keeper stays.
    pub fn new() -> Option<Self> {
        let head = head()?;
        places().into_iter().find_map(|place| match Self::within(&place, &head) {
            Ok(register) => Some(register),
            Err(error) => {
                tracing::debug!(%error, place = %place.display(), "no list of System V ids can be kept there");
                None
            }
        })
    }

    fn within(place: &Path, head: &str) -> io::Result<Self> {
        let path = place.join(format!("{PREFIX}{}-{:x}{SUFFIX}", std::process::id(), clock::now()));
        let name = CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)?;
        // Locked before it has a name, so that no sweep can find it free; and named by the keeper, which removes it.
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(libc::O_TMPFILE | libc::O_CLOEXEC).mode(0o600);
        let mut file = fault::call("open", &[Errno::EMFILE, Errno::ENOSPC, Errno::EOPNOTSUPP], || options.open(place))?;
        if !lock(&file) {
            return Err(io::Error::last_os_error());
        }
        let head = format!("{head} {}", seconds(SystemTime::now()));
        let head = format!("{head:<width$}\n", width = HEAD - 1);
        fault::call("write", &[Errno::ENOSPC], || file.write_all(head.as_bytes()))?;
        Ok(Self { file, path, name })
    }

    /// The descriptor, for [`list`].
    pub fn raw(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// The path that it is to have, for [`name`] and [`remove`].
    pub fn path(&self) -> &CStr {
        &self.name
    }

    /// Removes the file.
    pub fn remove(&self) {
        if let Err(error) = fault::call("unlink", &[Errno::EIO], || fs::remove_file(&self.path))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %self.path.display(), "a list of System V ids stays");
        }
    }
}

/// Gives the register of that descriptor its path. It only makes system calls and allocates nothing.
pub fn name(register: RawFd, path: &CStr) {
    const ITSELF: &[u8] = b"/proc/self/fd/";
    let (mut text, mut digits) = ([0u8; 32], [0u8; 12]);
    text[..ITSELF.len()].copy_from_slice(ITSELF);
    let (mut rest, mut length) = (register.unsigned_abs(), 0);
    while rest > 0 || length == 0 {
        digits[length] = b'0' + (rest % 10) as u8;
        (rest, length) = (rest / 10, length + 1);
    }
    for (place, digit) in text[ITSELF.len()..].iter_mut().zip(digits[..length].iter().rev()) {
        *place = *digit;
    }
    let (from, follow) = (text.as_ptr().cast(), libc::AT_SYMLINK_FOLLOW);
    fault::call("linkat", &[Errno::ENOSPC, Errno::ENOENT], || {
        // SAFETY: both paths are C strings: behind the digits `text` is zeroes. Without a name nothing is swept.
        unsafe { libc::linkat(libc::AT_FDCWD, from, libc::AT_FDCWD, path.as_ptr(), follow) }
    });
}

/// Lists a key in the register of that descriptor, at its place. It only makes a system call.
pub fn list(register: RawFd, place: usize, word: u64) {
    let (bytes, at) = (word.to_ne_bytes(), HEAD + 8 * place);
    fault::call("pwrite", &[Errno::ENOSPC, Errno::EINTR], || {
        // SAFETY: the pointer and the length are those of an array. What cannot be written is not listed.
        unsafe { libc::pwrite(register, bytes.as_ptr().cast(), bytes.len(), at as libc::off_t) }
    });
}

/// Removes a register of that path. It only makes a system call.
pub fn remove(register: &CStr) {
    // SAFETY: the path is a C string.
    unsafe { libc::unlink(register.as_ptr()) };
}

/// Removes what dead runs of this user have left. The first call of a process does.
pub fn sweep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        mqueue::sweep();
        segment::sweep();
        let head = head();
        for place in places() {
            fifo::sweep(&place);
            if let Some(head) = &head {
                sweep_place(&place, head);
            }
        }
    });
}

/// Unlinks this user's names in a directory whose makers died before they could: what has one needs it for some
/// microseconds only, and its maker does not need it. Should it live after all, in another PID namespace, it loses nothing.
/// Behind `prefix` a name has the number of its maker and a hyphen.
pub(super) fn sweep_names(directory: &Path, prefix: &str, unlink: impl Fn(&CStr) -> io::Result<()>) {
    // Where the names are not listed, none can be found.
    let Ok(entries) = fault::call("open", &[Errno::EMFILE], || fs::read_dir(directory)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(maker) = name.to_str().and_then(|name| maker(prefix, name)) else { continue };
        let own = entry.metadata().is_ok_and(|file| file.uid() == nix::unistd::geteuid().as_raw());
        if own
            && process::kill(maker, 0) == Err(libc::ESRCH)
            && let Some(name) = name.to_str().and_then(|name| CString::new(format!("/{name}")).ok())
            && let Err(error) = unlink(&name)
        {
            tracing::warn!(%error, directory = %directory.display(), "a name that a dead run has left stays");
        }
    }
}

/// The number of the process that gave the name, if ipcrun did.
fn maker(prefix: &str, name: &str) -> Option<i32> {
    let (process, _) = name.strip_prefix(prefix)?.split_once('-')?;
    process.parse().ok().filter(|process| *process > 0)
}

/// What the first line of a register says that is made now: which start of the kernel, which IPC namespace.
fn head() -> Option<String> {
    let read = || fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let boot = fault::call("open", &[Errno::EMFILE, Errno::ENOENT], read).ok()?;
    let namespace = fault::call("readlink", &[Errno::EACCES], || fs::read_link("/proc/self/ns/ipc")).ok()?;
    Some(format!("ipcrun keys 1 {} {}", boot.trim(), namespace.display()))
}

/// Where registers lie, and the names of FIFOs: the first that can be written takes a new one.
pub(super) fn places() -> Vec<PathBuf> {
    let own = std::env::var_os("XDG_RUNTIME_DIR").filter(|place| !place.is_empty()).map(PathBuf::from);
    let mut places: Vec<PathBuf> = own.into_iter().filter(|place| place.is_absolute()).collect();
    places.extend(["/dev/shm", "/tmp"].map(PathBuf::from));
    places.retain(|place| place.is_dir());
    places
}

/// Locks a file as long as any process holds the descriptor opened here. False where another has locked it.
fn lock(file: &File) -> bool {
    fault::call("flock", &[Errno::ENOLCK, Errno::EINTR], || {
        // SAFETY: takes numbers only.
        unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) }
    }) == 0
}

fn sweep_place(place: &Path, head: &str) {
    let Ok(entries) = fault::call("open", &[Errno::EMFILE], || fs::read_dir(place)) else { return };
    let is_register = |name: &OsString| name.to_str().is_some_and(|n| n.starts_with(PREFIX) && n.ends_with(SUFFIX));
    for path in entries.flatten().filter(|entry| is_register(&entry.file_name())).map(|entry| entry.path()) {
        if let Err(error) = sweep_file(&path, head) {
            tracing::debug!(%error, path = %path.display(), "a list of System V ids is left as it is");
        }
    }
}

/// Removes what a register lists, and the register, where it is this user's and no process of its run lives.
fn sweep_file(path: &Path, head: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK);
    let file = fault::call("open", &[Errno::EMFILE], || options.open(path))?;
    let about = file.metadata()?;
    let user = nix::unistd::geteuid().as_raw();
    let own = about.is_file() && about.uid() == user && about.permissions().mode() & 0o777 == 0o600;
    if !own || about.nlink() != 1 || about.len() > LONGEST || !lock(&file) {
        return Ok(());
    }
    let mut bytes = Vec::new();
    fault::call("read", &[Errno::EIO], || (&file).take(LONGEST).read_to_end(&mut bytes))?;
    let (first, words) = bytes.split_at_checked(HEAD).unwrap_or((&bytes, &[]));
    let said = String::from_utf8_lossy(first);
    // One that is of another start of the kernel lists ids that are gone; one of another namespace may not be judged here.
    let same = |at: usize| said.split_whitespace().nth(at) == head.split_whitespace().nth(at);
    let (boot, namespace) = (same(3), same(4));
    if boot && !namespace {
        return Ok(());
    }
    if boot {
        let begun = said.split_whitespace().nth(5).and_then(|begun| begun.parse::<i64>().ok()).unwrap_or(i64::MAX);
        // The kernel stamps its objects by a clock that is a few ms behind.
        let made = Made { user, from: begun.saturating_sub(1), until: about.mtime() + SETTLED };
        for word in words.as_chunks::<8>().0 {
            sysv::remove_left(u64::from_ne_bytes(*word), made);
        }
    }
    fs::remove_file(path)
}

fn seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::sysv::Keeper;

    #[test]
    fn a_name_says_its_maker() {
        let maker = |name| maker("ipcrun-", name);
        assert_eq!(maker("ipcrun-77-1f-0"), Some(77));
        assert_eq!([maker("ipcrun-x-1"), maker("other-77-1"), maker("ipcrun-0-1"), maker("ipcrun-77")], [None; 4]);
    }

    #[test]
    fn a_register_is_swept_only_once_its_run_is_gone() {
        let place = std::env::temp_dir().join(format!("leftovers-{}", std::process::id()));
        fs::create_dir_all(&place).expect("a directory");
        let head = head().expect("the kernel says what it is");
        let mut keeper = Keeper::new();
        let (semaphore, kept) = (keeper.semaphore(1).expect("a semaphore"), keeper.semaphore(1).expect("another"));
        let register = Register::within(&place, &head).expect("a locked file");
        name(register.raw(), register.path());
        list(register.raw(), 0, semaphore.word());
        sweep_place(&place, &head);
        assert_eq!(semaphore.value(), Ok(1), "its run lives");
        let path = register.path.clone();
        drop(register);
        sweep_place(&place, "ipcrun keys 1 other-boot ipc:[0]");
        assert!(!path.exists() && semaphore.value() == Ok(1), "its ids are of another start of the kernel");
        let register = Register::within(&place, &head).expect("a locked file");
        name(register.raw(), register.path());
        list(register.raw(), 0, semaphore.word());
        let path = register.path.clone();
        drop(register);
        sweep_place(&place, &head);
        assert!(!path.exists() && semaphore.value().is_err() && kept.value() == Ok(1));
        fs::remove_dir(&place).expect("it is empty");
    }
}
