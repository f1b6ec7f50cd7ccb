//! Model and kernel agree, in both directions: what the model finds can be driven on the kernel, event for event, and
//! what the kernel does when nobody drives it is something that the model finds. A program without threads of its own,
//! since it forks.
//!
//! The scenarios are those of `scenarios/` and `tests/corpus`, and ones drawn from the catalogue. As it stands each test looks at a few of
//! each taste, the same each time. `IPCRUN_DRAWN=N` looks at N of each, `IPCRUN_DRAWN_SEED=N` begins with another,
//! `IPCRUN_DRAWN_TASTE=NAME` takes one taste alone,
//! `IPCRUN_DRAWN_WORD=wait_any` those scenarios alone in which that stands:
//!
//! ```text
//! IPCRUN_DRAWN=1000 cargo test --profile fast --test agreement
//! ```
//!
//! A word behind `--` runs the tests whose names contain it.

#[path = "../corpus.rs"]
mod corpus;
mod free;
mod lanes;
mod replays;
mod waits;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipcrun::diagnostic::{Code, Diagnostic, Source};
use ipcrun::generate::{Scenario, TASTES, scenario};
use ipcrun::judge::FORMS;
use ipcrun::kernel::{self, Limits, Notice, Options, Recording};
use ipcrun::scenario::plan::Plan;
use ipcrun::schedule::Turns;
use ipcrun::trace::Trace;

const TESTS: &[(&str, fn())] = &[
    ("what_the_model_finds_can_be_driven_on_the_kernel", replays::of_drawn_scenarios),
    ("a_schedule_that_is_printed_can_be_driven_on_the_kernel", replays::of_printed_schedules),
    (
        "a_schedule_of_processes_that_end_with_what_they_have_can_be_driven_on_the_kernel",
        replays::of_processes_that_end_with_what_they_have,
    ),
    ("what_the_model_finds_in_shipped_scenarios_can_be_driven_on_the_kernel", replays::of_shipped_scenarios),
    ("what_the_kernel_does_is_something_that_the_model_finds", free::of_drawn_scenarios),
    ("what_the_kernel_does_in_shipped_scenarios_is_something_that_the_model_finds", free::of_shipped_scenarios),
    ("what_runs_say_of_waits_is_something_that_the_model_says", waits::of_drawn_scenarios),
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

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Looks at drawn scenarios, so many of each taste as a rule, in which every process ends or waits in the end. `look` says
/// what is wrong.
fn over(usual: u64, look: impl Fn(&mut Found, &Scenario) -> Option<String>) {
    let mut found = Found::default();
    let first = number("IPCRUN_DRAWN_SEED").unwrap_or(0);
    let only = std::env::var("IPCRUN_DRAWN_TASTE").ok();
    let word = std::env::var("IPCRUN_DRAWN_WORD").unwrap_or_default();
    for taste in TASTES.iter().filter(|taste| !taste.loops && only.as_ref().is_none_or(|only| only == taste.name)) {
        for seed in first..first + number("IPCRUN_DRAWN").unwrap_or(usual) {
            let drawn = scenario(seed, *taste);
            if !drawn.text().contains(&word) {
                continue;
            }
            found.scenarios += 1;
            if let Some(problem) = look(&mut found, &drawn) {
                println!("## {} seed {seed}: {problem}", taste.name);
                let first = problem.lines().next().unwrap_or_default();
                found.problems.push(format!("{} {seed}: {first}", taste.name));
            }
        }
    }
    found.tell();
}

fn load(name: &str, text: impl Into<String>) -> Plan {
    let text = text.into();
    loaded(name, text.clone()).unwrap_or_else(|diagnostics| panic!("{name}: {diagnostics:?}\n{text}"))
}

/// A scenario; or what is wrong with it.
fn loaded(name: &str, text: String) -> Result<Plan, Vec<Diagnostic>> {
    let source = Arc::new(Source::new(name.to_owned(), text));
    let forms: Vec<_> = FORMS.iter().map(|form| &form.description).collect();
    ipcrun::scenario::load(&source, &ipcrun::scenario::Options::default(), &forms).map(|loaded| loaded.plan)
}

/// The scenarios that stand in files, by their names.
fn shipped() -> impl Iterator<Item = (String, Plan)> {
    let all = ["scenarios", "tests/corpus"].into_iter().flat_map(corpus::scenarios);
    all.map(|(name, text)| (name.clone(), load(&name, text)))
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
    too_large: u64,
    refused: u64,
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
            "  {} scenarios, {} too large, {} runs, {} refused, {} undecided; {rate:.0} runs/s of the kernel",
            self.scenarios, self.too_large, self.runs, self.refused, self.undecided
        );
        assert!(self.runs > self.refused, "not one scenario could be tried");
        assert!(self.problems.is_empty(), "{} differ:\n{}", self.problems.len(), self.problems.join("\n"));
    }

    /// A run, held to turns or free; none where the host cannot give what the scenario asks for.
    ///
    /// # Errors
    /// What went wrong, in words.
    fn run(&mut self, plan: &Plan, turns: Option<&Turns>) -> Result<Option<Trace>, String> {
        let begin = Instant::now();
        let trace = run(plan, turns);
        self.running += begin.elapsed();
        self.runs += 1;
        match trace {
            Ok(trace) => Ok(Some(trace)),
            Err(refused) if refused.iter().all(|one| one.code == Code::HOST_LIMIT) => {
                self.refused += 1;
                Ok(None)
            }
            Err(wrong) => Err(format!("{} {:?}", wrong[0].message, wrong[0].notes)),
        }
    }
}
