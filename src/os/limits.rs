//! The host's limits: what they are now, and how they are raised, in words.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;

use super::fault;

/// A limit of the host that a scenario can meet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// Messages in a POSIX queue.
    MqueueMessages,
    /// Bytes in a message of a POSIX queue.
    MqueueMessageSize,
    /// POSIX queues at once.
    MqueueQueues,
    /// Bytes in all POSIX queues of a user.
    MqueueBytes,
    /// Bytes in a System V message.
    MessageSize,
    /// Bytes in a System V queue.
    QueueBytes,
    /// System V queues at once.
    Queues,
    /// Sets of System V semaphores at once.
    SemaphoreSets,
    /// System V semaphores at once.
    Semaphores,
    /// Bytes in a pipe.
    PipeSize,
    /// Pages in all pipes of a user.
    PipePages,
    /// Bytes in a socket's send buffer.
    SocketBuffer,
    /// Descriptors open at once in a process.
    OpenFiles,
    /// Descriptors open at once in the system.
    SystemFiles,
    /// Processes of a user at once.
    Processes,
    /// The highest process number.
    ProcessNumbers,
    /// Processes in the control group at once.
    GroupProcesses,
}

impl Limit {
    /// Its name: a sysctl's, a resource limit's, a control group's file.
    pub fn name(self) -> &'static str {
        match self {
            Self::MqueueMessages => "fs.mqueue.msg_max",
            Self::MqueueMessageSize => "fs.mqueue.msgsize_max",
            Self::MqueueQueues => "fs.mqueue.queues_max",
            Self::MqueueBytes => "RLIMIT_MSGQUEUE",
            Self::MessageSize => "kernel.msgmax",
            Self::QueueBytes => "kernel.msgmnb",
            Self::Queues => "kernel.msgmni",
            Self::SemaphoreSets | Self::Semaphores => "kernel.sem",
            Self::PipeSize => "fs.pipe-max-size",
            Self::PipePages => "fs.pipe-user-pages-soft",
            Self::SocketBuffer => "net.core.wmem_max",
            Self::OpenFiles => "RLIMIT_NOFILE",
            Self::SystemFiles => "fs.file-max",
            Self::Processes => "RLIMIT_NPROC",
            Self::ProcessNumbers => "kernel.pid_max",
            Self::GroupProcesses => "pids.max",
        }
    }

    /// What it is now; none where there is no limit, or the host does not say.
    pub fn value(self) -> Option<u64> {
        match self {
            Self::MqueueBytes => resource(libc::RLIMIT_MSGQUEUE),
            Self::OpenFiles => resource(libc::RLIMIT_NOFILE),
            Self::Processes => resource(libc::RLIMIT_NPROC),
            Self::GroupProcesses => group_processes(),
            Self::SemaphoreSets => sysctl(self.name(), 3),
            Self::Semaphores => sysctl(self.name(), 1),
            _ => sysctl(self.name(), 0),
        }
    }

    /// The command that raises it to at least `wanted`.
    pub fn raise(self, wanted: u64) -> String {
        match self {
            Self::MqueueBytes => "`ulimit -q unlimited` as root, or `msgqueue` in limits.conf(5)".to_owned(),
            Self::OpenFiles => format!("`ulimit -n {wanted}`, or `nofile` in limits.conf(5)"),
            Self::Processes => format!("`ulimit -u {wanted}`, or `nproc` in limits.conf(5)"),
            Self::GroupProcesses => "the container's or service's task limit (`--pids-limit`, `TasksMax`)".to_owned(),
            Self::SemaphoreSets | Self::Semaphores => {
                let path = "/proc/sys/kernel/sem";
                let fields: Vec<u64> = std::fs::read_to_string(path)
                    .map(|text| text.split_whitespace().filter_map(|field| field.parse().ok()).collect())
                    .unwrap_or_default();
                let place = if self == Self::SemaphoreSets { 3 } else { 1 };
                let fields: Vec<String> = (0..4)
                    .map(|at| {
                        let now = fields.get(at).copied().unwrap_or(32_000);
                        if at == place { now.max(wanted) } else { now }.to_string()
                    })
                    .collect();
                format!("`sysctl -w kernel.sem=\"{}\"` as root", fields.join(" "))
            }
            _ => format!("`sysctl -w {}={wanted}` as root", self.name()),
        }
    }

    /// What to tell the user: the limit's name and value, and how to raise it to at least `wanted`.
    pub fn help(self, wanted: u64) -> String {
        format!("{self}; raise it with {}", self.raise(wanted))
    }

    /// What to tell the user of an error that says by itself which limit is reached.
    pub fn help_for(error: &io::Error) -> Option<String> {
        let limit = match error.raw_os_error()? {
            libc::EMFILE => Self::OpenFiles,
            libc::ENFILE => Self::SystemFiles,
            _ => return None,
        };
        Some(limit.help(limit.value().unwrap_or(1024) * 2))
    }

    /// Whether `wanted` is over it.
    pub fn is_below(self, wanted: u64) -> bool {
        self.value().is_some_and(|value| value < wanted)
    }
}

/// `fs.mqueue.msg_max is 10`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value() {
            Some(value) => write!(f, "{} is {value}", self.name()),
            None => write!(f, "{} is the limit", self.name()),
        }
    }
}

/// A field of a file of /proc/sys.
fn sysctl(name: &str, field: usize) -> Option<u64> {
    let path = format!("/proc/sys/{}", name.replace('.', "/"));
    let text = fault::call("open", &[Errno::EMFILE, Errno::EACCES], || std::fs::read_to_string(path)).ok()?;
    text.split_whitespace().nth(field)?.parse().ok()
}

/// The soft value of a resource limit.
pub(super) fn resource(which: libc::__rlimit_resource_t) -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call fills the struct.
    let known = unsafe { libc::getrlimit(which, &raw mut limit) } == 0;
    (known && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

/// The least pids.max of this process's control group and those above it.
fn group_processes() -> Option<u64> {
    in_groups("pids", |group| std::fs::read_to_string(group.join("pids.max")).ok()?.trim().parse().ok())
}

/// The least that is said of this process's control groups of that controller and those above them.
pub(super) fn in_groups(controller: &str, said: impl Fn(&std::path::Path) -> Option<u64>) -> Option<u64> {
    let read = || std::fs::read_to_string("/proc/self/cgroup");
    let groups = fault::call("open", &[Errno::EMFILE, Errno::EACCES], read).ok()?;
    groups
        .lines()
        .filter_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            let root = std::path::Path::new("/sys/fs/cgroup");
            let root = match controllers {
                "" => root.to_owned(),
                _ if controllers.split(',').any(|one| one == controller) => root.join(controller),
                _ => return None,
            };
            // Inside a container the path can be that of the host, which is not to be seen; its root is then
            // the container's own group.
            let mut path = std::path::Path::new(path.trim_start_matches('/'));
            let mut least = None;
            loop {
                least = least.into_iter().chain(said(&root.join(path))).min();
                match path.parent() {
                    Some(parent) => path = parent,
                    None => return least,
                }
            }
        })
        .min()
}

/// The most address space of a process that is confined, and the most memory of its own that all processes which it forks
/// for a run have together.
const CONFINED: u64 = 2 << 30;
/// The least memory of its own that one of them has.
const LEAST: u64 = 32 << 20;

/// Whether this process is confined: it raises no limit then.
static IS_CONFINED: AtomicBool = AtomicBool::new(false);

/// Bounds the memory of this process and of those that it forks, and has it raise no limit from now on.
///
/// # Errors
/// None that the kernel documents for a limit that is lowered.
pub fn confine() -> io::Result<()> {
    IS_CONFINED.store(true, Ordering::Relaxed);
    lower(libc::RLIMIT_AS, CONFINED)
}

/// Bounds the private memory of a process of a run of `processes`, where the parent is confined.
///
/// # Errors
/// As for [`confine`].
pub fn confine_one_of(processes: usize) -> io::Result<()> {
    if !IS_CONFINED.load(Ordering::Relaxed) {
        return Ok(());
    }
    lower(libc::RLIMIT_DATA, (CONFINED / processes.max(1) as u64).max(LEAST))
}

/// Lowers a resource limit of this process, for good.
fn lower(which: libc::__rlimit_resource_t, to: u64) -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call fills the struct.
    if unsafe { libc::getrlimit(which, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    limit = libc::rlimit { rlim_cur: limit.rlim_cur.min(to), rlim_max: limit.rlim_max.min(to) };
    // SAFETY: the struct is a valid limit.
    let set = fault::call("setrlimit", &[Errno::EPERM], || unsafe { libc::setrlimit(which, &raw const limit) });
    if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Raises `RLIMIT_NOFILE` of this process to its hard value. Gives the value it then has.
pub fn raise_open_files() -> Option<u64> {
    raise(libc::RLIMIT_NOFILE);
    resource(libc::RLIMIT_NOFILE)
}

/// Raises `RLIMIT_MSGQUEUE` of this process as far as it may: away altogether with `CAP_SYS_RESOURCE`, else to its hard
/// value. Whether it is higher then.
pub fn raise_queue_bytes() -> bool {
    if IS_CONFINED.load(Ordering::Relaxed) {
        return false;
    }
    let free = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    let before = resource(libc::RLIMIT_MSGQUEUE);
    let set = fault::call("setrlimit", &[Errno::EPERM], || {
        // SAFETY: the struct is a valid limit.
        unsafe { libc::setrlimit(libc::RLIMIT_MSGQUEUE, &raw const free) }
    });
    if set != 0 {
        raise(libc::RLIMIT_MSGQUEUE);
    }
    before != resource(libc::RLIMIT_MSGQUEUE)
}

/// Raises a resource limit of this process to its hard value.
fn raise(which: libc::__rlimit_resource_t) {
    if IS_CONFINED.load(Ordering::Relaxed) {
        return;
    }
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call fills the struct.
    if unsafe { libc::getrlimit(which, &raw mut limit) } == 0 && limit.rlim_cur < limit.rlim_max {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: the struct is a valid limit.
        fault::call("setrlimit", &[Errno::EPERM], || unsafe { libc::setrlimit(which, &raw const limit) });
    }
}

/// Whether this process has no room for further descriptors, as far as /proc says.
pub fn descriptors_are_out() -> bool {
    let open = fault::call("open", &[Errno::EMFILE, Errno::EACCES], || std::fs::read_dir("/proc/self/fd"));
    let open = open.map(Iterator::count);
    match (open, resource(libc::RLIMIT_NOFILE)) {
        (Ok(open), Some(limit)) => open as u64 >= limit,
        // Not even the directory could be opened.
        (Err(error), _) => error.raw_os_error() == Some(libc::EMFILE),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_says_its_name_its_value_and_the_way_up() {
        let help = Limit::QueueBytes.help(1 << 20);
        assert!(help.starts_with("kernel.msgmnb is "), "{help}");
        assert!(help.contains("sysctl -w kernel.msgmnb=1048576"), "{help}");
        assert!(Limit::OpenFiles.help(4096).contains("ulimit -n 4096"));
        assert!(Limit::SemaphoreSets.raise(999_999).contains("999999\""));
    }

    #[test]
    fn every_sysctl_of_this_kernel_can_be_read() {
        for limit in [Limit::QueueBytes, Limit::SemaphoreSets, Limit::PipeSize, Limit::ProcessNumbers, Limit::OpenFiles]
        {
            assert!(limit.value().is_some(), "{}", limit.name());
        }
        assert!(Limit::QueueBytes.is_below(u64::MAX));
    }
}
