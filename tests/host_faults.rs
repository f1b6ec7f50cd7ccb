//! Every fallible call of `os` fails once: no panic, no hang, nothing left, the right status. The switch in `os::fault` does
//! it, in builds with debug assertions. A sample of the calls is taken; with `IPCRUN_EVERY_FAULT=1` all of them, each with
//! every errno that it names, which takes an hour.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::{Done, Test};

/// How many runs the sample has.
const SAMPLE: usize = 500;
/// Runs at once.
const THREADS: usize = 2;
/// After this long a run hangs.
const WATCHDOG: Duration = Duration::from_secs(40);
/// How often a run without a fault is made, to see whether it comes to a status by itself.
const AGAIN: usize = 12;

/// What the switch says of a run.
#[derive(Debug, Default)]
struct Switch {
    calls: u64,
    /// The process in which a call failed.
    process: u64,
    errno: i32,
    /// How many errno the call names.
    choices: u64,
    call: String,
}

/// A run in which that call fails.
fn run(scenario: &Path, number: u64, choice: u64) -> (u32, Done, Switch) {
    let words: Vec<u8> = [number, choice].into_iter().chain([0; 14]).flat_map(u64::to_ne_bytes).collect();
    let name = scenario.file_name().expect("a file has a name").to_string_lossy().into_owned();
    let text = fs::read(scenario).expect("a shipped scenario");
    let test = Test::new().file(&name, text).file("switch", words).env("IPCRUN_FAULTS", "switch").patient(WATCHDOG);
    let arguments = ["--timeout", "5s", "--trace", "t.jsonl", "--junit", "j.xml", &name];
    let running = test.args(arguments).start();
    let supervisor = running.id();
    let done = running.wait().nothing_left();
    let bytes = fs::read(done.directory().join("switch")).expect("the switch");
    let word = |at: usize| u64::from_ne_bytes(bytes[8 * at..8 * at + 8].try_into().expect("a word"));
    let call = String::from_utf8_lossy(&bytes[48..80]).trim_end_matches('\0').to_owned();
    let switch = Switch { calls: word(2), process: word(3), errno: word(4) as i32, choices: word(5), call };
    (supervisor, done, switch)
}

/// What is wrong with how a run ended in which a call failed.
fn wrong(scenario: &Path, usual: i32, supervisor: u32, done: &Done, switch: &Switch) -> Option<String> {
    let partial = fs::read_dir(done.directory()).expect("its directory").flatten();
    if partial.into_iter().any(|entry| entry.file_name().to_string_lossy().ends_with(".partial")) {
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
        let named = [errno.desc().to_lowercase(), format!("{errno:?}").to_lowercase(), switch.call.to_lowercase()];
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
    // What a scenario comes to can differ from run to run.
    let by_itself = (0..AGAIN).any(|_| run(scenario, 0, 0).1.status == done.status);
    (!by_itself).then(|| format!("status {} in place of {usual}", done.status))
}

fn shipped() -> Vec<PathBuf> {
    let mut all = Vec::new();
    for directory in ["scenarios", "scenarios/classics"] {
        let entries = fs::read_dir(directory).expect("the shipped scenarios").flatten();
        all.extend(entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "toml")));
    }
    all.sort();
    all
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

#[test]
fn any_call_of_the_host_may_fail() {
    let every = std::env::var_os("IPCRUN_EVERY_FAULT").is_some();
    let scenarios = shipped();
    let usual = Mutex::new(vec![(0, 0); scenarios.len()]);
    in_threads(scenarios.len(), |place| {
        let (_, done, switch) = run(&scenarios[place], 0, 0);
        assert!(switch.calls > 0, "this build has no switch: {}", done.both());
        usual.lock().expect("the list")[place] = (done.status, switch.calls);
    });
    let usual = usual.into_inner().expect("the list");
    // Of a call that fails with several errno each is a point of its own; how many there are only a run shows.
    let points: Vec<(usize, u64)> = if every {
        (0..scenarios.len()).flat_map(|place| (1..=usual[place].1).map(move |number| (place, number))).collect()
    } else {
        // A multiple of the golden ratio spreads the numbers evenly over all calls of all scenarios.
        let share = |at: usize| (at as f64 * 0.618_033_988_749_895).fract();
        (0..SAMPLE)
            .map(|at| (at % scenarios.len(), at))
            .map(|(place, at)| (place, 1 + (share(at) * usual[place].1 as f64) as u64))
            .collect()
    };
    let (faults, counts) = (Mutex::new(Vec::new()), Mutex::new(BTreeMap::new()));
    in_threads(points.len(), |at| {
        let (place, number) = points[at];
        let mut choice = if every { 0 } else { at as u64 };
        loop {
            let (supervisor, done, switch) = run(&scenarios[place], number, choice);
            if switch.process != 0 {
                *counts.lock().expect("the counts").entry((switch.call.clone(), switch.errno)).or_insert(0) += 1;
                if let Some(why) = wrong(&scenarios[place], usual[place].0, supervisor, &done, &switch) {
                    let point = format!("{} {number}.{choice}: {switch:?}", scenarios[place].display());
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
    assert!(failed > points.len() / 2, "most numbers are those of a call");
    let faults = faults.into_inner().expect("the faults");
    assert!(faults.is_empty(), "{} of {failed} ended badly:\n{}", faults.len(), faults.join("\n"));
}
