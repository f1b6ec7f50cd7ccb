//! Memory that every process of a run shares: mapped before the first fork, inherited by each.
//!
//! An [`Arena`] hands out zeroed pieces, each on cache lines of its own, cut from chunks of a mebibyte; a large piece
//! gets a mapping of its own where none was reserved for it. What lies in it can only be changed through atomics (or
//! behind a wrapper of this room), since a [`Shared`] gives nothing but shared references. Pages that are never touched
//! cost nothing.

use std::cell::RefCell;
use std::io;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

use nix::errno::Errno;
use zerocopy::FromZeros;

use super::fault;

/// A chunk that small pieces are cut from.
const CHUNK: usize = 1 << 20;
/// Where each piece begins: on a cache line.
const LINE: usize = 64;
/// Mappings begin on a page, so no piece can ask for more.
const PAGE: usize = 4096;

/// Shared memory in the making. All of it is asked for before the first fork.
#[derive(Debug, Default)]
pub struct Arena {
    open: RefCell<Option<Open>>,
}

/// The chunk that the next small piece is cut from.
#[derive(Debug)]
struct Open {
    mapping: Arc<Mapping>,
    used: usize,
}

/// Pages of anonymous shared memory, given back when the last piece in them goes.
#[derive(Debug)]
struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the pages stay where they are until the mapping is dropped, and nothing of it changes before.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(length: usize) -> io::Result<Self> {
        let length = length.next_multiple_of(PAGE);
        let (access, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
        let start = fault::call("mmap", &[Errno::ENOMEM], || {
            // SAFETY: a new anonymous mapping at an address of the kernel's choice touches no memory of ours.
            unsafe { libc::mmap(std::ptr::null_mut(), length, access, flags, -1, 0) }
        });
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        Ok(Self { start, length })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is the whole mapping, and every reference into it borrows a `Shared` that held this.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

impl Arena {
    /// An arena that has mapped nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A zeroed `T` in shared memory.
    ///
    /// # Errors
    /// What mmap(2) ends with: `ENOMEM` where the host has no address space or mappings left.
    pub fn alloc<T: FromZeros + Sync>(&self) -> io::Result<Shared<T>> {
        let (start, mapping) = self.piece(size_of::<T>(), align_of::<T>())?;
        Ok(Shared { pointer: start.cast(), mapping })
    }

    /// So many zeroed `T` side by side in shared memory.
    ///
    /// # Errors
    /// As for [`Arena::alloc`].
    pub fn slice<T: FromZeros + Sync>(&self, length: usize) -> io::Result<Shared<[T]>> {
        let size = size_of::<T>().checked_mul(length).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))?;
        let (start, mapping) = self.piece(size, align_of::<T>())?;
        Ok(Shared { pointer: NonNull::slice_from_raw_parts(start.cast(), length), mapping })
    }

    /// Maps that number of bytes at once, for the pieces that are asked for next. A fork copies every mapping, that many
    /// large pieces had better not have one each.
    ///
    /// # Errors
    /// As for [`Arena::alloc`].
    pub fn reserve(&self, bytes: usize) -> io::Result<()> {
        *self.open.borrow_mut() = Some(Open { mapping: Arc::new(Mapping::new(bytes.max(CHUNK))?), used: 0 });
        Ok(())
    }

    /// Cuts off an unused piece, at the alignment asked for or more.
    fn piece(&self, size: usize, align: usize) -> io::Result<(NonNull<u8>, Arc<Mapping>)> {
        let align = align.max(LINE);
        if size > isize::MAX as usize / 2 || align > PAGE {
            return Err(io::Error::from_raw_os_error(libc::ENOMEM));
        }
        let mut open = self.open.borrow_mut();
        let fits = open.as_ref().is_some_and(|open| open.used.next_multiple_of(align) + size <= open.mapping.length);
        if !fits && size > CHUNK / 4 {
            let mapping = Arc::new(Mapping::new(size)?);
            return Ok((mapping.start, mapping));
        }
        if !fits {
            *open = None;
        }
        let chunk = match &mut *open {
            Some(chunk) => chunk,
            None => open.insert(Open { mapping: Arc::new(Mapping::new(CHUNK)?), used: 0 }),
        };
        let offset = chunk.used.next_multiple_of(align);
        chunk.used = offset + size.max(1).next_multiple_of(LINE);
        // SAFETY: `offset + size` is within the mapping.
        Ok((unsafe { chunk.mapping.start.add(offset) }, Arc::clone(&chunk.mapping)))
    }
}

/// A piece of shared memory: the same bytes in every process that inherited it.
pub struct Shared<T: ?Sized> {
    pointer: NonNull<T>,
    mapping: Arc<Mapping>,
}

// SAFETY: a piece gives nothing but shared references to a `Sync` type, which several threads may use at once.
unsafe impl<T: ?Sized + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for Shared<T> {}

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self { pointer: self.pointer, mapping: Arc::clone(&self.mapping) }
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the piece lies in the mapping that `self` keeps, is aligned, began as zeroes, which `FromZeros`
        // says is a `T`, and is changed only through shared references to a `Sync` type, in every process.
        unsafe { self.pointer.as_ref() }
    }
}

impl<T> Shared<[T]> {
    /// Prepares the pages of the first `n` items for writing, in this process. Where the kernel cannot do so at
    /// once (before Linux 5.14), each page comes when it is first written.
    pub fn populate(&self, items: usize) {
        let length = items.min(self.len()).saturating_mul(size_of::<T>());
        let start = self.pointer.cast::<u8>().as_ptr();
        let before = start.addr() % PAGE;
        if length == 0 {
            return;
        }
        fault::call("madvise", &[Errno::EINVAL, Errno::ENOMEM], || {
            // SAFETY: the range lies in pages of the mapping that `self` keeps, since a mapping begins and ends on a
            // page. Populating changes none of its bytes.
            unsafe { libc::madvise(start.sub(before).cast(), length + before, libc::MADV_POPULATE_WRITE) }
        });
    }

    /// Asks the processor for the cache line of an item that will be written soon, so that the write does not wait
    /// until another processor, which has read it, gives it up. Nothing happens where the index is past the end.
    #[inline]
    pub fn expect_write(&self, index: usize) {
        #[cfg(target_arch = "x86_64")]
        if let Some(item) = self.get(index) {
            // SAFETY: PREFETCHW changes no value, no register and no flag, and never faults.
            unsafe {
                std::arch::asm!("prefetchw [{}]", in(reg) item, options(nostack, preserves_flags));
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = index;
    }
}

impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        T::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

    use super::*;
    use crate::os::testing::Child;

    #[test]
    fn a_child_and_its_parent_see_the_same_bytes() {
        let arena = Arena::new();
        let word = arena.alloc::<AtomicU64>().unwrap();
        let child = {
            let word = word.clone();
            Child::fork(move || word.store(7, Ordering::Relaxed))
        };
        assert_eq!(child.join(), Some(0));
        assert_eq!(word.load(Ordering::Relaxed), 7);
    }

    #[test]
    fn pieces_lie_apart_on_lines_of_their_own_and_outlive_the_arena() {
        let arena = Arena::new();
        let small: Vec<_> = (0..40_000).map(|_| arena.alloc::<AtomicU8>().unwrap()).collect();
        let large = arena.slice::<AtomicU64>(1 << 20).unwrap();
        drop(arena);
        for piece in &small {
            assert_eq!(piece.fetch_add(1, Ordering::Relaxed), 0);
            assert_eq!(std::ptr::from_ref::<AtomicU8>(piece).addr() % LINE, 0);
        }
        assert_eq!(large.len(), 1 << 20);
        assert!(large.iter().step_by(4096).all(|word| word.load(Ordering::Relaxed) == 0));
    }
}
