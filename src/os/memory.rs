//! How much memory this process has, and how much there is.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use nix::errno::Errno;

use super::{fault, limits};

/// The memory of this process, to be read repeatedly. After a fork the child opens its own.
#[derive(Debug)]
pub struct Own {
    file: Option<File>,
    page: usize,
}

impl Own {
    /// That of the calling process.
    pub fn open() -> Self {
        // SAFETY: the call only reads a constant of the system.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        Self {
            file: fault::call("open", &[Errno::EMFILE], || File::open("/proc/self/statm")).ok(),
            page: usize::try_from(page).unwrap_or(4096),
        }
    }

    /// The bytes that it has in memory now; 0 where /proc does not say.
    pub fn resident(&self) -> usize {
        self.field(1)
    }

    /// The bytes of addresses that it uses; 0 where /proc does not say.
    fn addresses(&self) -> usize {
        self.field(0)
    }

    fn field(&self, at: usize) -> usize {
        let mut text = [0; 128];
        let Some(length) = self.file.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()) else { return 0 };
        let text = std::str::from_utf8(&text[..length]).unwrap_or("");
        let pages = text.split_whitespace().nth(at).and_then(|field| field.parse::<usize>().ok());
        pages.unwrap_or(0).saturating_mul(self.page)
    }
}

/// Gives freed memory back to the system, so that it no longer counts as this process's.
pub fn release() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call frees only what nothing points to.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// The bytes that this process could still take: what the host has to give, its control groups and its own limits
/// considered. None where nothing says so.
pub fn free() -> Option<usize> {
    let limits = [host(), groups(), addresses()];
    limits.into_iter().flatten().min()
}

/// The bytes of addresses that this process may still use; none where there is no limit.
pub fn addresses() -> Option<usize> {
    let limit = limits::resource(libc::RLIMIT_AS)? as usize;
    Some(limit.saturating_sub(Own::open().addresses()))
}

/// What the host can give without swapping.
fn host() -> Option<usize> {
    let text = fault::call("open", &[Errno::EMFILE], || fs::read_to_string("/proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<usize>().ok().map(|kib| kib.saturating_mul(1024))
}

/// What this process's control group and those above it leave.
fn groups() -> Option<usize> {
    let number = |file: &Path| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let left = limits::in_groups("memory", |group| {
        // The names of the second version of control groups, then those of the first.
        [("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")]
            .iter()
            .find_map(|(most, used)| Some(number(&group.join(most))?.saturating_sub(number(&group.join(used))?)))
    });
    left.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_seen_and_what_is_given_back_too() {
        const SIZE: usize = 64 << 20;
        let own = Own::open();
        let before = own.resident();
        assert!(before > 0);
        let taken = vec![1_u8; SIZE];
        assert!(own.resident() > before + SIZE / 2);
        drop(taken);
        release();
        assert!(own.resident() < before + SIZE / 2);
        assert!(free().is_some_and(|free| free > 0));
    }
}
