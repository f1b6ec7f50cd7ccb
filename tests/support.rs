//! Runs the real `ipcrun` in a directory of its own and says what it did.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// After this long a run hangs, whatever it does: it is killed with all its processes and the test fails.
const WATCHDOG: Duration = Duration::from_secs(60);
/// Marks every process of a test, by its environment.
const MARK: &str = "IPCRUN_TEST";

/// One run of `ipcrun`, to be described and then made.
pub(crate) struct Test {
    directory: PathBuf,
    mark: String,
    /// Run by a shell that finds `ipcrun`, in place of `ipcrun` with the arguments.
    shell: Option<String>,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    input: Vec<u8>,
    before: Option<Names>,
    watchdog: Duration,
}

/// A run that continues. Whatever is left of it is killed when this is dropped.
pub(crate) struct Running {
    child: Option<Child>,
    readers: Vec<thread::JoinHandle<Vec<u8>>>,
    test: Test,
}

/// What a run did.
pub(crate) struct Done {
    /// The exit status; 128 and the signal's number where a signal ended it.
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    /// How long it took.
    pub(crate) took: Duration,
    test: Test,
}

/// Names of kernel objects that outlive processes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Names(Vec<String>);

impl Test {
    /// A run in a new, empty directory.
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let mark = format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(format!("ipcrun-test-{mark}"));
        fs::create_dir_all(&directory).expect("a directory for the test");
        Self {
            directory,
            mark,
            shell: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            input: Vec::new(),
            before: None,
            watchdog: WATCHDOG,
        }
    }

    /// A run of one scenario, `a.toml`.
    pub(crate) fn scenario(text: &str) -> Self {
        Self::new().file("a.toml", text).args(["a.toml"])
    }

    /// Writes a file into the directory, making the folders in its path.
    pub(crate) fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.directory.join(path);
        fs::create_dir_all(path.parent().expect("a file is in a directory")).expect("the folders of a file");
        fs::write(path, text).expect("a file of the test");
        self
    }

    /// Makes an empty folder in the directory.
    pub(crate) fn folder(self, path: &str) -> Self {
        fs::create_dir_all(self.directory.join(path)).expect("a folder of the test");
        self
    }

    pub(crate) fn args<T: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Runs a line of shell commands, as one that ipcrun has printed.
    pub(crate) fn shell(mut self, line: &str) -> Self {
        self.shell = Some(line.to_owned());
        self
    }

    /// Lets a shell do something before it becomes the run: set a limit, choose where output goes.
    pub(crate) fn behind(self, line: &str) -> Self {
        self.shell(&format!("{line}\nexec ipcrun \"$0\" \"$@\""))
    }

    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What standard input holds; it is empty otherwise.
    pub(crate) fn input(mut self, text: impl AsRef<[u8]>) -> Self {
        self.input = text.as_ref().to_vec();
        self
    }

    /// Lets the run take longer than others before it counts as hanging.
    pub(crate) fn patient(mut self, watchdog: Duration) -> Self {
        self.watchdog = watchdog;
        self
    }

    /// The directory of the run.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Starts the run and returns at once.
    pub(crate) fn start(mut self) -> Running {
        self.before = Some(Names::now());
        let program = Path::new(env!("CARGO_BIN_EXE_ipcrun"));
        let mut command = Command::new(if self.shell.is_some() { Path::new("sh") } else { program });
        if let Some(line) = &self.shell {
            let folders = std::env::var("PATH").unwrap_or_default();
            let folder = program.parent().unwrap_or(program).display();
            command.args(["-c", line]).env("PATH", format!("{folder}:{folders}"));
        }
        command.args(&self.arguments).current_dir(&self.directory);
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "IPCRUN_LOG", "CI", "COLUMNS", "LC_ALL", "LC_CTYPE", "LANG"] {
            command.env_remove(name);
        }
        command.env(MARK, &self.mark).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: what a terminal would do with Ctrl-C can be done to it.
        command.process_group(0);
        let mut child = command.spawn().expect("ipcrun starts");
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        let input = std::mem::take(&mut self.input);
        thread::spawn(move || {
            // A run that reads nothing closes it early.
            let _ = stdin.write_all(&input);
        });
        let out = reader(child.stdout.take().expect("standard output is a pipe"));
        let err = reader(child.stderr.take().expect("standard error is a pipe"));
        Running { child: Some(child), readers: vec![out, err], test: self }
    }

    /// Makes the run and waits for its end.
    pub(crate) fn run(self) -> Done {
        self.start().wait()
    }

    /// The processes of this run that exist, zombies left out.
    pub(crate) fn processes(&self) -> Vec<u32> {
        marked(&self.mark)
    }
}

impl Drop for Test {
    fn drop(&mut self) {
        for process in self.processes() {
            signal(process as i32, "KILL");
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Running {
    /// The process id of ipcrun itself.
    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().expect("a run has not been waited for").id()
    }

    /// The directory of the run.
    pub(crate) fn directory(&self) -> &Path {
        self.test.directory()
    }

    /// Whether ipcrun has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        let child = self.child.as_mut().expect("a run has not been waited for");
        child.try_wait().expect("ipcrun can be waited for").is_some()
    }

    /// Sends ipcrun a signal, by its name.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.id() as i32, name);
    }

    /// Sends the whole group a signal, as a terminal does with Ctrl-C.
    pub(crate) fn signal_group(&self, name: &str) {
        signal(-(self.id() as i32), name);
    }

    /// Waits until that many processes of the run exist, ipcrun among them.
    pub(crate) fn until_processes(&self, least: usize) -> Vec<u32> {
        let end = Instant::now() + self.test.watchdog;
        loop {
            let processes = self.test.processes();
            if processes.len() >= least {
                return processes;
            }
            assert!(Instant::now() < end, "{} processes exist, not {least}", processes.len());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until that many processes of the scenario exist, and gives them: not ipcrun, nor what keeps its System V
    /// objects.
    pub(crate) fn until_children(&self, least: usize) -> Vec<u32> {
        let children = || {
            let mut children = self.test.processes();
            children.retain(|process| *process != self.id() && !is_keeper(*process));
            children
        };
        wait_until(|| children().len() >= least);
        children()
    }

    /// Waits for the end of ipcrun.
    pub(crate) fn wait(mut self) -> Done {
        let start = Instant::now();
        let mut child = self.child.take().expect("a run is waited for once");
        let status = loop {
            if let Some(status) = child.try_wait().expect("ipcrun can be waited for") {
                break status;
            }
            if start.elapsed() > self.test.watchdog {
                for process in self.test.processes() {
                    signal(process as i32, "KILL");
                }
                let _ = child.kill();
                let _ = child.wait();
                let [out, err] = self.output();
                panic!("hangs: {:?}\n--- stdout\n{out}\n--- stderr\n{err}", self.test.arguments);
            }
            thread::sleep(Duration::from_millis(1));
        };
        let took = start.elapsed();
        let [out, err] = self.output();
        let status = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1);
        // The test is dropped with what it did, not with this.
        let test = std::mem::replace(&mut self.test, Test::new());
        Done { status, out, err, took, test }
    }

    fn output(&mut self) -> [String; 2] {
        let mut texts = self.readers.drain(..).map(|reader| {
            let bytes = reader.join().expect("a reader ends");
            String::from_utf8_lossy(&bytes).into_owned()
        });
        [texts.next().unwrap_or_default(), texts.next().unwrap_or_default()]
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Done {
    /// The directory of the run.
    pub(crate) fn directory(&self) -> &Path {
        self.test.directory()
    }

    /// Asserts the exit status.
    #[track_caller]
    pub(crate) fn status(self, expected: i32) -> Self {
        assert_eq!(self.status, expected, "{}", self.both());
        self
    }

    /// Asserts standard output, as a whole.
    #[track_caller]
    pub(crate) fn stdout(self, expected: &str) -> Self {
        assert_eq!(self.out, expected, "{}", self.both());
        self
    }

    /// Asserts standard error, as a whole.
    #[track_caller]
    pub(crate) fn stderr(self, expected: &str) -> Self {
        assert_eq!(self.err, expected, "{}", self.both());
        self
    }

    /// Asserts that standard output contains that text.
    #[track_caller]
    pub(crate) fn stdout_contains(self, expected: &str) -> Self {
        assert!(self.out.contains(expected), "`{expected}` is not in\n{}", self.both());
        self
    }

    /// Asserts that standard error contains that text.
    #[track_caller]
    pub(crate) fn stderr_contains(self, expected: &str) -> Self {
        assert!(self.err.contains(expected), "`{expected}` is not in\n{}", self.both());
        self
    }

    /// Asserts that no process of the run exists any more, and no kernel object that was not there before.
    #[track_caller]
    pub(crate) fn nothing_left(self) -> Self {
        let before = self.test.before.clone().unwrap_or_default();
        let end = Instant::now() + Duration::from_secs(20);
        // Other runs make and remove theirs meanwhile: only what was there when this one had ended can be its own.
        let mut names = Names::now().without(&before);
        loop {
            // What a signal has killed takes a moment to be gone.
            let processes = self.test.processes();
            if processes.is_empty() && names.0.is_empty() {
                return self;
            }
            assert!(Instant::now() < end, "left behind: processes {processes:?}, {names:?}\n{}", self.both());
            thread::sleep(Duration::from_millis(5));
            names = names.still(&Names::now());
        }
    }

    /// The text of a file in the directory of the run.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.test.directory().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Both outputs, for messages.
    pub(crate) fn both(&self) -> String {
        let Self { status, out, err, .. } = self;
        format!("{:?}: exit status {status}\n--- stdout\n{out}\n--- stderr\n{err}", self.test.arguments)
    }
}

impl Names {
    /// What there is now: shared memory and POSIX queues and semaphores of ipcrun by name, System V objects by id.
    pub(crate) fn now() -> Self {
        let mut names = Vec::new();
        for directory in ["/dev/shm", "/dev/mqueue"] {
            let entries = fs::read_dir(directory).into_iter().flatten().flatten();
            names
                .extend(entries.map(|entry| entry.path().display().to_string()).filter(|path| path.contains("ipcrun")));
        }
        for kind in ["msg", "sem", "shm"] {
            let table = fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default();
            let ids = table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned));
            names.extend(ids.map(|id| format!("{kind} {id}")));
        }
        names.sort();
        Self(names)
    }

    /// Those that `other` has not.
    fn without(self, other: &Self) -> Self {
        Self(self.0.into_iter().filter(|name| !other.0.contains(name)).collect())
    }

    /// Those that are in `now` too.
    fn still(self, now: &Self) -> Self {
        Self(self.0.into_iter().filter(|name| now.0.contains(name)).collect())
    }
}

fn reader(mut from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}

/// The processes whose environment has the mark, zombies left out: they have no environment.
fn marked(mark: &str) -> Vec<u32> {
    let wanted = format!("{MARK}={mark}").into_bytes();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|process: &u32| {
            let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == wanted)
        })
        .collect()
}

/// Whether a process is the one that makes and removes System V objects.
fn is_keeper(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| name == "ipcrun-keeper\n")
}

/// Sends a signal by kill(1), which takes groups as negative numbers.
fn signal(process: i32, name: &str) {
    let _ = Command::new("kill").args(["-s", name, "--", &process.to_string()]).stderr(Stdio::null()).status();
}

/// Waits, but not for ever, until something is so.
#[track_caller]
pub(crate) fn wait_until(is_so: impl Fn() -> bool) {
    let end = Instant::now() + WATCHDOG;
    while !is_so() {
        assert!(Instant::now() < end, "it never came");
        thread::sleep(Duration::from_millis(2));
    }
}
