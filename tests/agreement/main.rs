//! Model and kernel agree, in both directions: what the model finds can be driven on the kernel, event for event, and
//! what the kernel does when nobody drives it is something that the model finds. A program without threads of its own,
//! since it forks.
//!
//! The scenarios are those of `scenarios/` and random ones over every kind of object. As it stands the test does a small
//! part, the same each time. `IPCRUN_AGREEMENT=N` does N times as much, and `IPCRUN_AGREEMENT_SEED=N` begins with another
//! random scenario:
//!
//! ```text
//! IPCRUN_AGREEMENT=100 cargo test --profile fast --test agreement
//! ```
//!
//! A word behind `--` runs the tests whose names contain it.

mod free;
#[path = "../generate.rs"]
mod generate;
mod lanes;
mod replays;
mod waits;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use generate::Taste;
use ipcrun::diagnostic::{Diagnostic, Source};
use ipcrun::judge::FORMS;
use ipcrun::kernel::{self, Limits, Notice, Options, Recording};
use ipcrun::scenario;
use ipcrun::scenario::plan::Plan;
use ipcrun::schedule::Turns;
use ipcrun::trace::Trace;

const TESTS: &[(&str, fn())] = &[
    ("what_the_model_finds_can_be_driven_on_the_kernel", replays::of_random_scenarios),
    ("what_the_model_finds_in_shipped_scenarios_can_be_driven_on_the_kernel", replays::of_shipped_scenarios),
    ("what_the_kernel_does_is_something_that_the_model_finds", free::of_random_scenarios),
    ("what_the_kernel_does_in_shipped_scenarios_is_something_that_the_model_finds", free::of_shipped_scenarios),
    ("what_runs_say_of_waits_is_something_that_the_model_says", waits::of_random_scenarios),
    ("a_schedule_gives_the_same_trace_each_time", replays::each_time_the_same),
];

fn main() -> ExitCode {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let mut failed = 0;
    for (name, test) in TESTS.iter().filter(|(name, _)| name.contains(&filter)) {
        let begin = Instant::now();
        let passed = catch_unwind(AssertUnwindSafe(test)).is_ok();
        failed += u32::from(!passed);
        println!("test {name} ... {} ({} ms)", if passed { "ok" } else { "FAILED" }, begin.elapsed().as_millis());
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How many times as much to do as usual.
fn budget() -> u64 {
    number("IPCRUN_AGREEMENT").unwrap_or(1).max(1)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// The seeds of random scenarios, of which so many are usual.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let first = number("IPCRUN_AGREEMENT_SEED").unwrap_or(0);
    first..first + number("IPCRUN_AGREEMENT_COUNT").unwrap_or(usual * budget())
}

/// What random scenarios are made of: something else for each seed.
fn taste(seed: u64) -> Taste {
    Taste {
        times: !seed.is_multiple_of(3),
        families: seed.is_multiple_of(2),
        stops: seed.is_multiple_of(4),
        processes: 2 + seed % 3,
        steps: 2 + seed % 4,
    }
}

/// A plan; none where the scenario is refused.
fn load(name: &str, text: String) -> Result<Plan, Vec<Diagnostic>> {
    let source = Arc::new(Source::new(name.to_owned(), text));
    let forms: Vec<_> = FORMS.iter().map(|form| &form.description).collect();
    scenario::load(&source, &scenario::Options::default(), &forms).map(|loaded| loaded.plan)
}

/// The scenarios that stand in `scenarios/`, by their names.
fn shipped() -> Vec<(String, Plan)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("scenarios are there") {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                let text = std::fs::read_to_string(&path).expect("a scenario can be read");
                let name = path.display().to_string();
                let plan = load(&name, text).unwrap_or_else(|diagnostics| panic!("{name}: {diagnostics:?}"));
                found.push((name, plan));
            }
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

/// A run on the kernel, held to turns or free.
fn run(plan: &Plan, turns: Option<&Turns>) -> Result<Trace, Vec<Diagnostic>> {
    let mut notice = |_: Notice<'_>| {};
    kernel::run(
        plan,
        &mut Options {
            recording: Recording::Full,
            limits: Limits::default(),
            schedule: turns,
            notice: &mut notice,
            spool: None,
        },
    )
}

/// What was found, and how fast.
#[derive(Default)]
struct Found {
    scenarios: u64,
    refused: u64,
    too_large: u64,
    runs: u64,
    undecided: u64,
    running: Duration,
    problems: Vec<String>,
}

impl Found {
    /// Prints what was done, and fails where anything was found.
    fn tell(&self) {
        let rate = self.runs as f64 / self.running.as_secs_f64().max(1e-9);
        println!(
            "  {} scenarios, {} refused, {} too large, {} runs, {} undecided; {rate:.0} runs/s of the kernel",
            self.scenarios, self.refused, self.too_large, self.runs, self.undecided
        );
        assert!(self.scenarios > self.refused, "not one scenario could be tried");
        assert!(self.problems.is_empty(), "{} differ:\n{}", self.problems.len(), self.problems.join("\n"));
    }

    fn run(&mut self, plan: &Plan, turns: Option<&Turns>) -> Result<Trace, Vec<Diagnostic>> {
        let begin = Instant::now();
        let trace = run(plan, turns);
        self.running += begin.elapsed();
        self.runs += 1;
        trace
    }
}
