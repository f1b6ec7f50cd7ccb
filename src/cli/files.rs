//! Files that take output. A file is written beside the one that it replaces, without a name where the file system can do
//! that, and renamed once it is whole, so that what was there before stays until then, whatever ends ipcrun. What is no
//! regular file (a device, a fifo, a descriptor as `/dev/stdout`) is written as it is.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::statvfs::fstatvfs;
use nix::unistd::linkat;

use crate::diagnostic::{Code, Diagnostic};
use crate::os::fault;
use crate::os::limits::Limit;
use crate::os::signals::Held;

/// How many links a path may lead through, as in the kernel.
const LINKS: usize = 40;

/// Tells apart the files that this process writes.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A file that is being written. It takes its place by [`Replacing::keep`]; dropped before that, it leaves nothing.
#[derive(Debug)]
pub(crate) struct Replacing {
    file: File,
    /// Where it goes; none where it is written in place.
    places: Option<Places>,
}

/// Where a file is written until it is whole, and the file that it then replaces.
#[derive(Debug)]
struct Places {
    beside: PathBuf,
    target: PathBuf,
    /// There once it stands beside: until it is whole it has no name where the file system can do that. A signal that asks to
    /// end waits until the file is removed or in its place.
    named: Option<Held>,
}

/// Where a path leads.
enum Target {
    /// A regular file, or none yet.
    File(PathBuf),
    /// What is written as it is.
    Opened(File),
}

impl Replacing {
    /// Begins a file that will replace the one of that path.
    ///
    /// # Errors
    /// Where no file can be written there, or the one that is there may not be written.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let target = match target(path)? {
            Target::Opened(file) => return Ok(Self { file, places: None }),
            Target::File(target) => target,
        };
        let before = match OpenOptions::new().write(true).open(&target) {
            Ok(file) => Some(file.metadata()?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let beside = beside(&target);
        let open_named = || OpenOptions::new().write(true).create_new(true).open(&beside);
        let unnamed = unnamed(&target);
        let named = unnamed.is_none().then(Held::new);
        let create = || unnamed.map_or_else(open_named, Ok);
        let file = fault::call("open", &[Errno::EMFILE, Errno::ENOSPC, Errno::EROFS], create)?;
        let replacing = Self { file, places: Some(Places { beside, target, named }) };
        if let Some(before) = before {
            // An owner can only be given by a process that is allowed to: the file is the user's own then.
            let _ = fchown(&replacing.file, Some(before.uid()), Some(before.gid()));
            replacing.file.set_permissions(Permissions::from_mode(before.mode() & 0o777))?;
        }
        Ok(replacing)
    }

    /// Whether it is written beside the file that it replaces.
    pub(crate) fn is_beside(&self) -> bool {
        self.places.is_some()
    }

    /// How many bytes are free where it is written, if the host says so.
    pub(crate) fn free(&self) -> Option<u64> {
        let found = fstatvfs(&self.file).ok()?;
        Some(found.blocks_available().saturating_mul(found.fragment_size()))
    }

    /// Gives the file its name beside its place, before it is whole: an ipcrun that is killed leaves it there.
    ///
    /// # Errors
    /// Where it cannot have it.
    pub(crate) fn appear(&mut self) -> io::Result<()> {
        if let Some(places) = self.places.as_mut().filter(|places| places.named.is_none()) {
            let held = Held::new();
            let link = || name(&self.file, &places.beside);
            fault::call("linkat", &[Errno::ENOSPC, Errno::EIO], link)?;
            places.named = Some(held);
        }
        Ok(())
    }

    /// Writes the whole of the file and puts it in its place.
    ///
    /// # Errors
    /// Where it cannot be written: what was there before is still there.
    pub(crate) fn fill(mut self, content: &[u8]) -> io::Result<()> {
        self.write_all(content)?;
        self.keep()
    }

    /// Puts the file, which is whole now, in its place.
    ///
    /// # Errors
    /// Where it cannot take that place: what is there stays.
    pub(crate) fn keep(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.appear()?;
        let Some(places) = &self.places else { return Ok(()) };
        fault::call("rename", &[Errno::ENOSPC, Errno::EIO], || fs::rename(&places.beside, &places.target))?;
        self.places = None;
        Ok(())
    }
}

impl Write for Replacing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fault::call("write", &[Errno::ENOSPC, Errno::EFBIG, Errno::EINTR], || self.file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Replacing {
    fn drop(&mut self) {
        if let Some(places) = self.places.as_ref().filter(|places| places.named.is_some()) {
            // There is nothing more to be done about one that cannot be removed.
            let _ = fs::remove_file(&places.beside);
        }
    }
}

/// That output did not come where it was to go.
pub(crate) fn unwritable(what: &str, path: &Path, error: &io::Error) -> Box<Diagnostic> {
    let message = format!("{what} cannot be written to `{}`: {error}", path.display());
    let mut diagnostic = Diagnostic::error(Code::HOST_LIMIT, message);
    diagnostic.help.extend(Limit::help_for(error));
    Box::new(diagnostic)
}

/// Replaces a file by that content.
///
/// # Errors
/// Where it cannot be written: what was there before is still there.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    Replacing::create(path)?.fill(content)
}

/// Tries whether a file could be replaced, without touching it. What is written in place is open then: a fifo can be
/// opened only once.
///
/// # Errors
/// Why not.
pub(crate) fn probe(path: &Path) -> io::Result<Option<Replacing>> {
    Replacing::create(path).map(|opened| Some(opened).filter(|opened| opened.places.is_none()))
}

/// Where a path leads, through all links: they stay, and what they lead to is replaced.
fn target(path: &Path) -> io::Result<Target> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let parent = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        let parent = parent.canonicalize()?;
        let whole = parent.join(name);
        if parent.starts_with("/proc") {
            return descriptor(&whole).map(Target::Opened);
        }
        match fs::symlink_metadata(&whole) {
            Ok(found) if found.is_symlink() => path = parent.join(fs::read_link(&whole)?),
            Ok(found) if found.is_file() => return Ok(Target::File(whole)),
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(_) => return OpenOptions::new().write(true).open(&whole).map(Target::Opened),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Target::File(whole)),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from_raw_os_error(libc::ELOOP))
}

/// An open descriptor of this process that a path below `/proc` names. Output is appended at its offset.
fn descriptor(path: &Path) -> io::Result<File> {
    let own = format!("/proc/{}/fd/", process::id());
    let number = path.to_str().and_then(|path| path.strip_prefix(&own));
    let shared = match number {
        Some("1") => io::stdout().as_fd().try_clone_to_owned()?,
        Some("2") => io::stderr().as_fd().try_clone_to_owned()?,
        _ => return OpenOptions::new().append(true).open(path),
    };
    Ok(shared.into())
}

/// A file without a name in the directory of that one: whatever ends ipcrun before it is whole, nothing is left of it. None
/// where the file system has no such files, or no /proc is there by which it could be named.
fn unnamed(target: &Path) -> Option<File> {
    let directory = target.parent()?;
    let mut options = OpenOptions::new();
    let file = options.write(true).custom_flags(libc::O_TMPFILE).mode(0o666).open(directory).ok()?;
    link(&file).exists().then_some(file)
}

/// The path below /proc that stands for an open file.
fn link(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// Gives an unnamed file its name.
fn name(file: &File, path: &Path) -> io::Result<()> {
    let flags = AtFlags::AT_SYMLINK_FOLLOW;
    linkat(AT_FDCWD, &link(file), AT_FDCWD, path, flags).map_err(io::Error::from)
}

/// A path that is free, in the same directory as that one: only there a file can be renamed without being copied. It says
/// what it belongs to, and is no name that a directory of scenarios is searched for.
fn beside(target: &Path) -> PathBuf {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let ending = match number {
        0 => format!(".{}.partial", process::id()),
        number => format!(".{}-{number}.partial", process::id()),
    };
    let mut name = target.file_name().unwrap_or_default().to_os_string();
    if name.len() + ending.len() > libc::FILENAME_MAX.min(255) as usize {
        name = "ipcrun".into();
    }
    name.push(ending);
    target.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A directory of its own, removed at the end.
    struct Directory(PathBuf);

    impl Directory {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!(
                "ipcrun-files-{}-{}",
                process::id(),
                NUMBER.fetch_add(1, Ordering::Relaxed)
            ));
            fs::create_dir(&path).expect("a directory");
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).expect("a directory");
            let mut names: Vec<String> =
                entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_was_there_stays_until_the_new_is_whole() {
        let directory = Directory::new();
        let path = directory.0.join("a.txt");
        fs::write(&path, "before").expect("a file");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("its mode");
        let mut file = Replacing::create(&path).expect("a file");
        file.write_all(b"after").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("text"), "before");
        drop(file);
        assert_eq!((fs::read_to_string(&path).expect("text"), directory.names().len()), ("before".to_owned(), 1));
        replace(&path, b"after").expect("replaced");
        assert_eq!((fs::read_to_string(&path).expect("text"), directory.names().len()), ("after".to_owned(), 1));
        assert_eq!(fs::metadata(&path).expect("a file").mode() & 0o777, 0o640);
    }

    #[test]
    fn probing_leaves_nothing() {
        let directory = Directory::new();
        assert!(probe(&directory.0.join("new")).expect("it could be written").is_none());
        assert!(probe(Path::new("/dev/null")).expect("it could be written").is_some());
        assert_eq!(directory.names(), Vec::<String>::new());
        let error = probe(&directory.0.join("none/new")).expect_err("there is no such directory");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let error = probe(&directory.0).expect_err("it is a directory");
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn links_stay_and_long_names_fit() {
        let directory = Directory::new();
        let (link, file) = (directory.0.join("link"), directory.0.join("x".repeat(255)));
        symlink(&file, &link).expect("a link");
        replace(&link, b"one").expect("replaced");
        replace(&link, b"two").expect("replaced");
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("text"), "two");
        let round = directory.0.join("round");
        symlink(&round, &round).expect("a link");
        assert!(probe(&round).is_err());
    }

    #[test]
    fn devices_are_written_as_they_are() {
        replace(Path::new("/dev/null"), b"gone").expect("written");
        let error = replace(Path::new("/dev/full"), b"gone").expect_err("it is full");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(!fs::symlink_metadata("/dev/full").expect("a device").is_file());
    }
}
