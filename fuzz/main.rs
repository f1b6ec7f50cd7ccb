//! Fuzzing of what ipcrun reads: `fuzz TARGET SEEDS [--inputs N] [--seconds S] [--seed K] [--found DIRECTORY]`.
//!
//! Inputs are mutations of the seeds, and of those inputs that came to something that none before came to. A worker
//! process runs them and keeps the one at hand in shared memory, so that an abort, an exhausted stack or an input that
//! does not end loses no more than that worker. Each fault's input is written to `--found`; the exit status is 1 then.

mod mutation;
mod targets;

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ipcrun::os::arena::{Arena, Shared};
use ipcrun::os::process::{Fork, await_end, exit_now, fork, kill};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use mutation::{LONGEST, Random, mutate};
use targets::{Features, Target};

/// The processor time after which an input hangs, in clock ticks of 10 ms.
const HANGS: u64 = 1000;
/// The address space of a worker.
const MEMORY: u64 = 3 << 30;
/// The most inputs that are kept to be changed further.
const KEPT: usize = 20_000;
/// The most faults of a run, each with its input.
const FAULTS: u64 = 50;

/// What the worker and its parent share.
struct Board {
    /// Inputs, faults, the length of the input at hand.
    numbers: Shared<[AtomicU64]>,
    input: Shared<[AtomicU8]>,
}

const INPUTS: usize = 0;
const FOUND: usize = 1;
const LENGTH: usize = 2;
const CORPUS: usize = 3;

impl Board {
    fn new() -> std::io::Result<Self> {
        let arena = Arena::new();
        Ok(Self { numbers: arena.slice(8)?, input: arena.slice(LONGEST)? })
    }

    fn number(&self, which: usize) -> u64 {
        self.numbers[which].load(Ordering::Relaxed)
    }

    fn show(&self, input: &[u8]) {
        for (place, byte) in self.input.iter().zip(input) {
            place.store(*byte, Ordering::Relaxed);
        }
        self.numbers[LENGTH].store(input.len() as u64, Ordering::Relaxed);
        self.numbers[INPUTS].fetch_add(1, Ordering::Relaxed);
    }

    fn shown(&self) -> Vec<u8> {
        let length = self.number(LENGTH) as usize;
        self.input[..length].iter().map(|byte| byte.load(Ordering::Relaxed)).collect()
    }
}

struct Arguments {
    target: String,
    seeds: PathBuf,
    inputs: u64,
    seconds: u64,
    seed: u64,
    found: PathBuf,
}

const USAGE: &str = "usage: fuzz TARGET SEEDS [--inputs N] [--seconds S] [--seed K] [--found DIRECTORY]";

fn arguments() -> Option<Arguments> {
    let mut words = std::env::args().skip(1);
    let (target, seeds) = (words.next()?, PathBuf::from(words.next()?));
    let mut arguments =
        Arguments { target, seeds, inputs: u64::MAX, seconds: u64::MAX, seed: 1, found: PathBuf::from("fuzz-found") };
    while let (Some(option), Some(value)) = (words.next(), words.next()) {
        match option.as_str() {
            "--inputs" => arguments.inputs = value.parse().ok()?,
            "--seconds" => arguments.seconds = value.parse().ok()?,
            "--seed" => arguments.seed = value.parse().ok()?,
            "--found" => arguments.found = PathBuf::from(value),
            _ => return None,
        }
    }
    Target::NAMES.contains(&arguments.target.as_str()).then_some(arguments)
}

/// The files below a directory, in their order.
fn files(directory: &Path) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let named = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.iter().map(|path| Ok((named(path), fs::read(path)?))).collect()
}

/// The strings of a scenario: most are expressions, the rest shows what is none.
fn strings(text: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    text.split(|byte| *byte == b'"').skip(1).step_by(2).map(<[u8]>::to_vec)
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("{USAGE}\ntargets: {}", Target::NAMES.join(", "));
        return ExitCode::from(2);
    };
    match campaign(&arguments) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("fuzz: {error}");
            ExitCode::from(3)
        }
    }
}

/// Runs inputs until there were enough of them. The number of faults.
fn campaign(arguments: &Arguments) -> std::io::Result<u64> {
    let scenarios = files(&arguments.seeds.join("scenario"))?;
    let mut corpus: Vec<Vec<u8>> = match arguments.target.as_str() {
        "scenario" => scenarios.iter().map(|(_, text)| text.clone()).collect(),
        "expression" => scenarios.iter().flat_map(|(_, text)| strings(text)).collect(),
        target => files(&arguments.seeds.join(target))?.into_iter().map(|(_, text)| text).collect(),
    };
    for input in &mut corpus {
        input.truncate(LONGEST);
    }
    corpus.sort();
    corpus.dedup();
    if corpus.is_empty() {
        return Err(std::io::Error::other(format!("no seeds for {}", arguments.target)));
    }
    let scenarios: Vec<(String, String)> =
        scenarios.into_iter().map(|(path, text)| (path, String::from_utf8_lossy(&text).into_owned())).collect();
    fs::create_dir_all(&arguments.found)?;
    let (board, begin) = (Board::new()?, Instant::now());
    let end = begin.checked_add(Duration::from_secs(arguments.seconds));
    let over = || {
        end.is_some_and(|end| Instant::now() >= end)
            || board.number(INPUTS) >= arguments.inputs
            || board.number(FOUND) >= FAULTS
    };
    let mut workers = 0;
    while !over() {
        match fork()? {
            Fork::Child => {
                let target = Target::new(&arguments.target, &scenarios).expect("the name was looked at");
                work(arguments, target, corpus, &board, arguments.seed.wrapping_add(workers), &over);
                exit_now(0);
            }
            Fork::Parent(pid) => {
                if let Some(why) = supervise(pid, &board) {
                    keep(arguments, &board, &board.shown(), &why);
                }
            }
        }
        workers += 1;
    }
    let seconds = begin.elapsed().as_secs();
    let [inputs, found, kept] = [INPUTS, FOUND, CORPUS].map(|which| board.number(which));
    println!("{}: {inputs} inputs in {seconds} s, {found} faults, {kept} inputs kept", arguments.target);
    Ok(found)
}

/// Waits for the end of a worker. Why it ended, where that was not by itself.
fn supervise(pid: i32, board: &Board) -> Option<String> {
    const NAP: Duration = Duration::from_millis(100);
    let (mut input, mut since) = (0, 0);
    loop {
        match waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, 0)) => return None,
            Ok(WaitStatus::StillAlive) => {}
            ended => return Some(format!("the worker ended: {ended:?}")),
        }
        let (now, used) = (board.number(INPUTS), processor_time(pid));
        if now != input {
            (input, since) = (now, used);
        } else if used > since + HANGS {
            let _ = kill(pid, nix::libc::SIGKILL);
            await_end(pid, u64::MAX);
            return Some("it does not end".to_owned());
        }
        std::thread::sleep(NAP);
    }
}

/// The processor time that a process has used, in clock ticks.
fn processor_time(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// Writes the input of a fault.
fn keep(arguments: &Arguments, board: &Board, input: &[u8], why: &str) {
    let number = board.numbers[FOUND].fetch_add(1, Ordering::Relaxed);
    let path = arguments.found.join(format!("{}-{}-{number}", arguments.target, std::process::id()));
    eprintln!("{}: {why}\n  its input is {}", arguments.target, path.display());
    if let Err(error) = fs::write(&path, input) {
        eprintln!("  which cannot be written: {error}");
    }
}

/// Runs inputs in this process.
fn work(
    arguments: &Arguments,
    mut target: Target,
    mut corpus: Vec<Vec<u8>>,
    board: &Board,
    seed: u64,
    over: &dyn Fn() -> bool,
) {
    static SAID: Mutex<String> = Mutex::new(String::new());
    setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY).expect("the limit can be lowered");
    std::panic::set_hook(Box::new(|panic| {
        if let Ok(mut said) = SAID.lock() {
            *said = panic.to_string();
        }
    }));
    let (mut random, mut input, mut features) = (Random::new(seed), Vec::new(), Features::default());
    let (mut seen, mut places, mut left) = (HashSet::new(), HashSet::new(), 0..corpus.len());
    while !over() {
        // The seeds themselves come first.
        match left.next() {
            Some(place) => input.clone_from(&corpus[place]),
            None => mutate(&corpus, &mut random, &mut input),
        }
        board.show(&input);
        let done = catch_unwind(AssertUnwindSafe(|| target.run(&input, &mut features)));
        if done.is_err() {
            let said = SAID.lock().map(|said| said.clone()).unwrap_or_default();
            // A second panic of the same place is the same fault.
            let place = said.split(':').take(2).collect::<String>();
            if places.insert(place) {
                keep(arguments, board, &input, &said);
            }
        }
        let mut is_new = false;
        for feature in features.take() {
            is_new |= seen.insert(feature);
        }
        if is_new && corpus.len() < KEPT {
            corpus.push(input.clone());
            board.numbers[CORPUS].fetch_add(1, Ordering::Relaxed);
        }
    }
}
