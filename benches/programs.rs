//! The programs of both sides: builds those in C, finds Python, and runs any of them once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

/// One side of a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    /// ipcrun with every step recorded.
    Full,
    /// ipcrun with only what waited or failed recorded, the rest counted.
    Blocking,
    /// The program in C.
    C,
    /// The program in Python.
    Python,
}

impl Side {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Blocking => "blocking",
            Self::C => "C",
            Self::Python => "Python",
        }
    }
}

/// What one run took, in ns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ran {
    /// Per round, as the program itself says, where it does.
    pub(crate) round: Option<f64>,
    /// From before its start to its end.
    pub(crate) whole: f64,
}

/// Everything that is needed to run a side.
#[derive(Debug)]
pub(crate) struct Kit {
    /// The CPU of the processes.
    pub(crate) cpu: usize,
    realtime: bool,
    folder: PathBuf,
    ipcrun: PathBuf,
    c: Result<PathBuf, String>,
    python: Result<PathBuf, String>,
    versions: String,
}

/// The scenarios say this where processes are to run on the one CPU.
const PLACE: &str = "cpus = [0]";
const PRIORITY: usize = 20;

impl Kit {
    /// Builds what has to be built.
    pub(crate) fn prepare(realtime: bool, ipcrun: Option<PathBuf>) -> Result<Self, String> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
        let cpu = last_cpu();
        let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
        let scenarios = here.join("scenarios");
        for entry in fs::read_dir(&scenarios).map_err(|error| failed(&scenarios, error))?.flatten() {
            let text = fs::read_to_string(entry.path()).map_err(|error| failed(&entry.path(), error))?;
            let mut place = format!("cpus = [{cpu}]");
            if realtime {
                place += &format!("\npolicy = \"fifo\"\npriority = {PRIORITY}");
            }
            let copy = folder.join(entry.file_name());
            fs::write(&copy, text.replace(PLACE, &place)).map_err(|error| failed(&copy, error))?;
        }
        let (c, compiler) = compile(&here.join("c"), &folder.join("against"));
        let (python, interpreter) = find_python();
        let ipcrun = ipcrun.unwrap_or_else(|| env!("CARGO_BIN_EXE_ipcrun").into());
        Ok(Self { cpu, realtime, folder, ipcrun, c, python, versions: format!("{compiler}; {interpreter}") })
    }

    /// The compiler and the interpreter.
    pub(crate) fn versions(&self) -> &str {
        &self.versions
    }

    /// The ipcrun that is measured.
    pub(crate) fn ipcrun(&self) -> &Path {
        &self.ipcrun
    }

    /// How the processes are scheduled, where that is not as usual.
    pub(crate) fn policy(&self) -> &'static str {
        if self.realtime { ", as SCHED_FIFO (not those of Python)" } else { "" }
    }

    /// Why that side cannot run here, where it cannot.
    pub(crate) fn missing(&self, side: Side) -> Option<String> {
        match side {
            Side::C => self.c.as_ref().err().cloned(),
            Side::Python => self.python.as_ref().err().cloned(),
            Side::Full | Side::Blocking => None,
        }
    }

    /// ipcrun on a scenario of this folder.
    pub(crate) fn scenario(&self, name: &str, rounds: Option<u64>, side: Side) -> Command {
        let mut command = Command::new(&self.ipcrun);
        command.args(["run", "--progress", "none", "--timeout", "5m"]);
        if side == Side::Blocking {
            command.args(["--trace", "blocking"]);
        }
        if let Some(rounds) = rounds {
            command.arg("--set").arg(format!("n={rounds}"));
        }
        command.arg(self.folder.join(format!("{name}.toml")));
        command
    }

    fn command(&self, name: &str, rounds: Option<u64>, side: Side) -> Result<Command, String> {
        let rounds_text = rounds.unwrap_or(1).to_string();
        Ok(match side {
            Side::Full | Side::Blocking => self.scenario(name, rounds, side),
            Side::C => {
                let mut command = Command::new(self.c.as_ref().map_err(Clone::clone)?);
                command.arg(name).arg(rounds_text).arg(self.cpu.to_string());
                if self.realtime {
                    command.arg(PRIORITY.to_string());
                }
                command
            }
            Side::Python => {
                let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/python/tutorial.py");
                let mut command = Command::new(self.python.as_ref().map_err(Clone::clone)?);
                command.arg(script).arg(name).arg(rounds_text).arg(self.cpu.to_string());
                command
            }
        })
    }

    /// Runs a side once.
    pub(crate) fn run(&self, name: &str, rounds: Option<u64>, side: Side) -> Result<Ran, String> {
        let mut command = self.command(name, rounds, side)?;
        let began = Instant::now();
        let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
        let whole = began.elapsed().as_nanos() as f64;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let more = String::from_utf8_lossy(&output.stdout);
            let end = more.lines().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
            return Err(format!("{command:?} ended with {}\n{said}{end}", output.status));
        }
        Ok(Ran { round: took(&String::from_utf8_lossy(&output.stdout)), whole })
    }
}

/// The number behind the word `took`, wherever it stands.
fn took(output: &str) -> Option<f64> {
    output.split_once("took ")?.1.split_whitespace().next()?.parse().ok()
}

/// The last CPU that this process may use: the first ones serve most interrupts.
fn last_cpu() -> usize {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap_or_else(|_| CpuSet::new());
    (0..CpuSet::count()).rev().find(|cpu| allowed.is_set(*cpu).unwrap_or(false)).unwrap_or(0)
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

/// Compiles the programs in C; says with what.
fn compile(sources: &Path, program: &Path) -> (Result<PathBuf, String>, String) {
    let Some(version) = first_line(Command::new("cc").arg("--version")) else {
        return (Err("there is no C compiler `cc` here".to_owned()), "no C compiler".to_owned());
    };
    let files = ["main.c", "round_trips.c", "operations.c", "processes.c"].map(|file| sources.join(file));
    let mut command = Command::new("cc");
    command.args(["-O2", "-o"]).arg(program).args(files).args(["-pthread", "-lrt"]);
    let built = match command.output() {
        Ok(output) if output.status.success() => Ok(program.to_owned()),
        Ok(output) => Err(format!("cc failed: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("cc: {error}")),
    };
    (built, format!("{version} -O2"))
}

/// The interpreter itself, which may stand behind a script of that name.
fn find_python() -> (Result<PathBuf, String>, String) {
    let ask = "import sys, multiprocessing; print(sys.executable)";
    match first_line(Command::new("python3").args(["-c", ask])) {
        Some(path) => {
            let version = first_line(Command::new(&path).arg("--version")).unwrap_or_default();
            (Ok(PathBuf::from(path)), version)
        }
        None => (Err("there is no `python3` here".to_owned()), "no Python".to_owned()),
    }
}
