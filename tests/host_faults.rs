//! Every fallible call of `os` fails once, or its process is killed or stopped there: no panic, no hang, nothing left, the
//! right status. The switch in `os::fault` does it, in builds with debug assertions. A sample of the calls is taken; with
//! `IPCRUN_EVERY_FAULT=1` all of them, each with every errno that it names, which takes hours.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Done, Running, Test, wait_until};

/// How many runs a sample has: of calls that fail, of processes that are killed, of processes that are stopped.
const SAMPLES: [usize; 3] = [360, 100, 60];
/// Runs at once.
const THREADS: usize = 2;
/// After this long a run hangs.
const WATCHDOG: Duration = Duration::from_secs(40);
/// At most this many runs without a fault are made, to see whether one comes to a status by itself.
const AGAIN: usize = 200;

/// Which call it is, and what happens there.
#[derive(Clone, Copy, Debug, Default)]
struct Point {
    /// The number of the call, from 1; 0 for none.
    number: u64,
    /// Which of its errno.
    choice: u64,
    /// A signal in place of an errno.
    signal: i32,
    /// The only calls that count; all where it is empty.
    only: &'static str,
}

/// What the switch says of a run.
#[derive(Debug, Default)]
struct Switch {
    calls: u64,
    /// The process in which it happened; 0 where it has not.
    process: u64,
    errno: i32,
    /// How many errno the call names.
    choices: u64,
    call: String,
}

impl Switch {
    fn read(directory: &Path) -> Self {
        let bytes = fs::read(directory.join("switch")).expect("the switch");
        let word = |at: usize| u64::from_ne_bytes(bytes[8 * at..8 * at + 8].try_into().expect("a word"));
        let call = String::from_utf8_lossy(&bytes[48..80]).trim_end_matches('\0').to_owned();
        Self { calls: word(2), process: word(3), errno: word(4) as i32, choices: word(5), call }
    }
}

/// A directory with the switch at that point, for a run that may take long.
fn switched(point: Point) -> Test {
    let mut words = [0_u64; 16];
    (words[0], words[1], words[10]) = (point.number, point.choice, point.signal as u64);
    let mut bytes: Vec<u8> = words.into_iter().flat_map(u64::to_ne_bytes).collect();
    bytes[88..88 + point.only.len()].copy_from_slice(point.only.as_bytes());
    Test::new().file("switch", bytes).env("IPCRUN_FAULTS", "switch").patient(WATCHDOG)
}

fn start(scenario: &Path, point: Point, arguments: &[&str]) -> Running {
    let name = scenario.file_name().expect("a file has a name").to_string_lossy().into_owned();
    let text = fs::read(scenario).expect("a scenario");
    let test = switched(point).file(&name, text);
    let outputs = ["--trace", "t.jsonl", "--junit", "j.xml", &name];
    test.args(arguments.iter().copied().chain(outputs)).start()
}

fn run(scenario: &Path, point: Point) -> (u32, Done, Switch) {
    let running = start(scenario, point, &["--timeout", "5s"]);
    let supervisor = running.id();
    let done = running.wait().nothing_left();
    let switch = Switch::read(done.directory());
    (supervisor, done, switch)
}

/// Whether a file is left that was not written to its end. A trace that grows is left where ipcrun itself was killed.
fn has_half_a_file(done: &Done) -> bool {
    if done.status == 128 + nix::libc::SIGKILL {
        return false;
    }
    let mut entries = fs::read_dir(done.directory()).expect("its directory").flatten();
    entries.any(|entry| entry.file_name().to_string_lossy().ends_with(".partial"))
}

/// What is wrong with how a run ended in which a call failed.
fn wrong(scenario: &Path, usual: i32, supervisor: u32, done: &Done, switch: &Switch) -> Option<String> {
    if has_half_a_file(done) {
        return Some("half a file is left".to_owned());
    }
    if done.err.contains("panicked") || done.out.contains("panicked") {
        return Some("a panic".to_owned());
    }
    if done.status == usual {
        let there = |name: &str| fs::metadata(done.directory().join(name)).is_ok_and(|file| file.len() > 0);
        return (!there("t.jsonl") || !there("j.xml")).then(|| "an output is missing".to_owned());
    }
    let interrupted = switch.errno == nix::libc::EINTR;
    if done.status == 3 && !interrupted {
        let errno = nix::errno::Errno::from_raw(switch.errno);
        let said = done.err.to_lowercase();
        let error = std::io::Error::from_raw_os_error(switch.errno);
        let named = [error.to_string().to_lowercase(), format!("{errno:?}").to_lowercase(), switch.call.to_lowercase()];
        let limit = ["rlimit_", "fs.", "kernel.", "net.", "pids.max"];
        let words = named.iter().any(|name| said.contains(name)) || limit.iter().any(|name| said.contains(name));
        return (!words).then(|| "status 3 names neither the call nor a limit".to_owned());
    }
    // In a process of the scenario it is the outcome of a step, which the scenario need not have expected; of /proc the
    // supervisor reads what it finds deadlocks by.
    let outcome = u64::from(supervisor) != switch.process || matches!(switch.call.as_str(), "open" | "readlink");
    if !interrupted && outcome && matches!(done.status, 1 | 5) {
        return None;
    }
    // A run in which `sometimes` is not seen is undecided, and the next may see it.
    let sometimes = fs::read_to_string(scenario).is_ok_and(|text| text.contains("\"sometimes\""));
    if sometimes && [usual, done.status].iter().all(|status| matches!(status, 0 | 5)) {
        return None;
    }
    // The result of a scenario can differ from run to run.
    let by_itself = (0..AGAIN).any(|_| run(scenario, Point::default()).1.status == done.status);
    (!by_itself).then(|| format!("status {} in place of {usual}", done.status))
}

/// Does pieces of work, some at once.
fn in_threads(total: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    if place >= total {
                        return;
                    }
                    work(place);
                }
            });
        }
    });
}

/// The shipped scenarios, each with its usual status and the number of its calls.
fn shipped() -> Vec<(PathBuf, i32, u64)> {
    let mut all = Vec::new();
    for directory in ["scenarios", "scenarios/classics"] {
        let entries = fs::read_dir(directory).expect("the shipped scenarios").flatten();
        all.extend(entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "toml")));
    }
    all.sort();
    let found = Mutex::new(Vec::new());
    in_threads(all.len(), |place| {
        let (_, done, switch) = run(&all[place], Point::default());
        assert!(switch.calls > 0, "this build has no switch: {}", done.both());
        found.lock().expect("the list").push((all[place].clone(), done.status, switch.calls));
    });
    let mut found = found.into_inner().expect("the list");
    found.sort();
    found
}

/// The calls at which something happens: the place of the scenario, the number of the call.
fn points(scenarios: &[(PathBuf, i32, u64)], sample: usize) -> Vec<(usize, u64)> {
    if std::env::var_os("IPCRUN_EVERY_FAULT").is_some() {
        let each = scenarios.iter().enumerate();
        return each.flat_map(|(place, (.., calls))| (1..=*calls).map(move |number| (place, number))).collect();
    }
    // Multiples of the golden ratio spread evenly over the calls. The first calls of a run prepare it, each once; the most
    // of the others are waits.
    let share = |at: usize| (at as f64 * 0.618_033_988_749_895).fract();
    let number = |at: usize, calls: u64| {
        1 + (share(at) * if at.is_multiple_of(3) { calls } else { calls.min(120) } as f64) as u64
    };
    (0..sample)
        .map(|at| (at % scenarios.len(), at))
        .map(|(place, at)| (place, number(at, scenarios[place].2)))
        .collect()
}

#[test]
fn any_call_of_the_host_may_fail() {
    let every = std::env::var_os("IPCRUN_EVERY_FAULT").is_some();
    let scenarios = shipped();
    let points = points(&scenarios, SAMPLES[0]);
    let (faults, counts) = (Mutex::new(Vec::new()), Mutex::new(BTreeMap::new()));
    in_threads(points.len(), |at| {
        let (place, number) = points[at];
        let (scenario, usual, _) = &scenarios[place];
        let mut choice = if every { 0 } else { at as u64 };
        loop {
            let (supervisor, done, switch) = run(scenario, Point { number, choice, ..Point::default() });
            if switch.process != 0 {
                *counts.lock().expect("the counts").entry((switch.call.clone(), switch.errno)).or_insert(0) += 1;
                if let Some(why) = wrong(scenario, *usual, supervisor, &done, &switch) {
                    let point = format!("{} {number}.{choice}: {switch:?}", scenario.display());
                    eprintln!("{why}: {point}");
                    faults.lock().expect("the faults").push(format!("{why}: {point}\n{}", done.both()));
                }
            }
            choice += 1;
            if !every || choice >= switch.choices {
                return;
            }
        }
    });
    let counts = counts.into_inner().expect("the counts");
    let failed: usize = counts.values().sum();
    println!("{failed} calls failed: {counts:?}");
    assert!(failed > points.len() / 2, "most numbers are those of a call: {failed} of {}", points.len());
    let faults = faults.into_inner().expect("the faults");
    assert!(faults.is_empty(), "{} of {failed} ended badly:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn nothing_is_left_whichever_process_is_killed_at_any_call() {
    let scenarios = shipped();
    let points = points(&scenarios, SAMPLES[1]);
    in_threads(points.len(), |at| {
        let (place, number) = points[at];
        let point = Point { number, signal: nix::libc::SIGKILL, ..Point::default() };
        let done = start(&scenarios[place].0, point, &["--timeout", "5s"]).wait();
        let switch = Switch::read(done.directory());
        assert!(!has_half_a_file(&done) || switch.call == "rename", "{number} {switch:?}: half a file is left");
        let allowed = [0, 1, 3, 5, 137, scenarios[place].1];
        assert!(allowed.contains(&done.status), "{number} {switch:?}: {}", done.both());
        assert!(!done.err.contains("panicked"), "{number} {switch:?}: {}", done.both());
        // What ipcrun itself could not remove, its next start does.
        Test::scenario("[processes.p]\nsteps = []\n").run().status(0);
        done.nothing_left();
    });
}

/// An ask to end while a process is stopped.
const ASKS: [&str; 4] = ["TERM", "INT", "HUP", "the timeout"];

/// Waits until a process has stopped at its call, then asks the run to end.
fn stopped(scenario: &Path, point: Point, ask: &str) -> Option<(u32, Done, Switch)> {
    let timeout = if ask == "the timeout" { "500ms" } else { "1m" };
    let mut running = start(scenario, point, &["--timeout", timeout]);
    let end = Instant::now() + WATCHDOG;
    let switch = loop {
        let switch = Switch::read(running.directory());
        if switch.process != 0 || running.has_ended() {
            break switch;
        }
        assert!(Instant::now() < end, "it neither comes to the call nor ends: {point:?}");
        thread::sleep(Duration::from_millis(2));
    };
    if ask != "the timeout" {
        running.signal(ask);
    }
    let supervisor = running.id();
    if switch.process == u64::from(supervisor) {
        running.signal("CONT");
    }
    (switch.process != 0).then(|| (supervisor, running.wait().nothing_left(), switch))
}

#[test]
fn a_run_can_be_ended_while_any_process_is_stopped_at_any_call() {
    let scenarios = shipped();
    let points = points(&scenarios, SAMPLES[2]);
    in_threads(points.len(), |at| {
        let ((place, number), ask) = (points[at], ASKS[at % ASKS.len()]);
        let (scenario, usual, _) = &scenarios[place];
        let point = Point { number, signal: nix::libc::SIGSTOP, ..Point::default() };
        let Some((supervisor, done, switch)) = stopped(scenario, point, ask) else { return };
        // It may have come to its end before it was asked, or without the process that stopped.
        let allowed = [0, 1, 5, 130, *usual];
        // Before it has made anything, and once all is removed, a signal ends ipcrun as it ends any program.
        let by_signal = switch.process == u64::from(supervisor) && done.status > 128;
        assert!(by_signal || allowed.contains(&done.status), "{ask}, {number} {switch:?}: {}", done.both());
        assert!(!has_half_a_file(&done), "{ask}, {number} {switch:?}: half a file is left");
        assert!(!done.err.contains("panicked"), "{ask}, {number} {switch:?}: {}", done.both());
    });
}

/// A scenario with objects that outlive their processes unless they are removed.
fn keeping(test: &Test) -> PathBuf {
    let path = test.directory().join("keeping.toml");
    let text = "[objects]\nq = { kind = \"queue\", via = \"sysv\", capacity = 2 }\ns = { kind = \"semaphore\", via = \"sysv\", value = 0 }\n\
                [processes.p]\ncount = 3\nsteps = [{ release = \"s\" }, { sleep = \"1h\" }]\n";
    fs::write(&path, text).expect("a scenario");
    path
}

#[test]
fn a_run_can_be_ended_while_a_process_is_stopped_before_it_has_begun() {
    let test = Test::new();
    let scenario = keeping(&test);
    for ask in ASKS {
        // Each process of the scenario leaves ipcrun's group before its gate, and nothing else does.
        let point = Point { number: 2, signal: nix::libc::SIGSTOP, only: "setpgid", ..Point::default() };
        let (_, done, _) = stopped(&scenario, point, ask).expect("each prepares itself");
        let expected = if ask == "the timeout" { 1 } else { 130 };
        assert_eq!(done.status, expected, "{ask}: {}", done.both());
        assert!(done.took < Duration::from_secs(20), "{ask}: {:?}", done.took);
    }
}

#[test]
fn no_half_a_file_is_left_where_a_signal_ends_ipcrun_while_it_writes() {
    let test = Test::new();
    let scenario = test.directory().join("short.toml");
    fs::write(&scenario, "[processes.p]\nsteps = []\n").expect("a scenario");
    // The trace begins to grow before the first object exists, and takes its place once the run has ended.
    for (call, expected) in [("linkat", 130), ("write", 130), ("signalfd", 130), ("rename", 143)] {
        let point = Point { number: 1, signal: nix::libc::SIGSTOP, only: call, ..Point::default() };
        let (_, done, _) = stopped(&scenario, point, "TERM").expect("ipcrun makes this call");
        assert_eq!(done.status, expected, "{call}: {}", done.both());
        assert!(!has_half_a_file(&done), "{call}: half a file is left");
        assert!(done.directory().join("t.jsonl").exists(), "{call}: the trace is not there");
    }
}

#[test]
fn a_run_can_be_ended_while_its_keeper_is_stopped() {
    let test = Test::new();
    let scenario = keeping(&test);
    for call in ["semget", "msgget", "keeper recv", "keeper send", "pwrite"] {
        for ask in ASKS {
            let point = Point { number: 1, signal: nix::libc::SIGSTOP, only: call, ..Point::default() };
            let (_, done, _) = stopped(&scenario, point, ask).expect("the keeper makes this call");
            // The keeper is continued, so that the run continues to its end.
            let expected = if ask == "the timeout" { 1 } else { 130 };
            assert_eq!(done.status, expected, "{call}, {ask}: {}", done.both());
        }
    }
}

#[test]
fn what_a_run_and_its_keeper_leave_that_are_killed_together_the_next_run_removes() {
    let test = Test::new();
    let scenario = keeping(&test);
    for call in ["semget", "keeper recv", "pwrite", "linkat"] {
        let point = Point { number: 1, signal: nix::libc::SIGSTOP, only: call, ..Point::default() };
        let running = start(&scenario, point, &[]);
        wait_until(|| Switch::read(running.directory()).process != 0);
        let keeper = Switch::read(running.directory()).process as i32;
        // Stopped it removes nothing, and dies of the second signal.
        running.signal("KILL");
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(keeper), nix::sys::signal::Signal::SIGKILL);
        let done = running.wait().status(137);
        Test::scenario("[processes.p]\nsteps = []\n").run().status(0);
        done.nothing_left();
    }
}

#[test]
fn a_worker_that_is_asked_to_end_before_it_has_begun_ends() {
    // It has not given the signals their default actions yet when one of them comes.
    let point = Point { number: 1, signal: nix::libc::SIGSTOP, only: "sigaction", ..Point::default() };
    let long = "[processes.p]\nsteps = [{ sleep = \"1h\" }]\n";
    let running =
        switched(point).file("a.toml", long).file("b.toml", long).args(["-j", "2", "a.toml", "b.toml"]).start();
    wait_until(|| Switch::read(running.directory()).process != 0);
    let worker = Switch::read(running.directory()).process;
    running.signal("TERM");
    // Both workers have the signal once the other one has ended by it.
    thread::sleep(Duration::from_millis(500));
    let resumed = nix::sys::signal::kill(nix::unistd::Pid::from_raw(worker as i32), nix::sys::signal::Signal::SIGCONT);
    resumed.expect("the worker is stopped");
    running.wait().status(130).nothing_left();
}
