//! `ipcrun mutate FILE..`: which changes of a scenario its expectations do not notice.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use crate::cli::batch;
use crate::cli::explore_args::memory_limit;
use crate::cli::inputs::{self, Input};
use crate::cli::options::{self, Common, Scenario};
use crate::cli::output::{self, Output};
use crate::cli::run_scenario;
use crate::cli::status::Status;
use crate::diagnostic::{Code, Diagnostic, Source};
use crate::explore::budget::Budget;
use crate::explore::looks;
use crate::explore::run::{self, Explored};
use crate::explore::semantics::transition::Time;
use crate::explore::strategy::bfs::{Cut, Limits, Reductions};
use crate::explore::strategy::fallback::{FallbackOptions, Strategy};
use crate::judge;
use crate::os::signals::Blocked;
use crate::scenario::mutation::{self, Mutation};
use crate::scenario::plan::Plan;
use crate::text;

/// How long a change is explored at most, in ns, unless `--max-time` says otherwise.
const LONGEST: u64 = 2_000_000_000;

/// The arguments of `mutate`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Scenarios of which every expectation holds; directories are searched for *.toml; `-` is standard input
    #[arg(value_name = "FILE", required = true, value_hint = clap::ValueHint::AnyPath, help_heading = "Arguments")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) scenario: Scenario,
    /// Print every change, with what noticed it
    #[arg(long, help_heading = "Reports")]
    all: bool,
    /// Print the results as JSON, one object on a line for each scenario
    #[arg(long, help_heading = "Reports")]
    json: bool,
    /// Time limit for each change, such as 500ms or 10s (default: 2s)
    #[arg(long, value_name = "DURATION", value_parser = options::duration, help_heading = "Searching")]
    max_time: Option<u64>,
    /// Number of threads; 0 is all CPUs
    #[arg(short, long, value_name = "N", default_value = "0", help_heading = "Searching")]
    jobs: u32,
}

/// What becomes of a change.
enum Fate {
    /// What notices it.
    Noticed(String),
    /// Everything holds as before.
    Unnoticed,
    /// It could not be explored within its limits, or at all.
    Undecided(&'static str),
}

impl Fate {
    fn name(&self) -> &'static str {
        match self {
            Self::Noticed(_) => "noticed",
            Self::Unnoticed => "unnoticed",
            Self::Undecided(_) => "undecided",
        }
    }
}

pub(crate) fn main(arguments: &Arguments, common: &Common, output: Output) -> Status {
    let inputs = match inputs::given(&arguments.files, &arguments.scenario, common, output) {
        Ok(inputs) => inputs,
        Err(status) => return status,
    };
    let signals = Blocked::new(false).ok();
    let mut status = Status::Passed;
    for input in &inputs {
        let mutating = Mutating { arguments, input, signals: signals.as_ref() };
        let (of_input, text) = mutating.one().unwrap_or_else(|(status, diagnostics)| {
            output.report(&diagnostics);
            (status, String::new())
        });
        if !common.quiet || of_input != Status::Passed || arguments.json {
            output::print(&text);
        }
        status = status.max(of_input);
        if status == Status::Interrupted {
            break;
        }
    }
    status
}

struct Mutating<'a> {
    arguments: &'a Arguments,
    input: &'a Input,
    signals: Option<&'a Blocked>,
}

impl Mutating<'_> {
    /// Changes one scenario in every way. The status, and the report.
    fn one(&self) -> Result<(Status, String), (Status, Vec<Diagnostic>)> {
        let begin = Instant::now();
        let changes = self.input.changes(&self.arguments.scenario);
        let source = match &self.input.source {
            Ok(source) => source,
            Err(diagnostic) => return Err((Status::Invalid, vec![(**diagnostic).clone()])),
        };
        let refused = |errors: Vec<Diagnostic>| (Status::refused(&errors), errors);
        let plan = run_scenario::load(source, &changes).map_err(refused)?.plan;
        let whole = self.explore(&plan);
        if is_stopped(&whole) {
            return Ok((Status::Interrupted, String::new()));
        }
        if let Some(why) = why_not(&plan, &whole) {
            let status = match &whole {
                Err(()) => Status::Invalid,
                Ok(explored) if explored.cut.is_some() => Status::Unknown,
                Ok(explored) => explored.summary.status.into(),
            };
            return Err((status, vec![why]));
        }
        let mut fates: Vec<(Mutation, Fate)> = Vec::new();
        let mut invalid = 0;
        for mutation in mutation::mutations(source).map_err(refused)? {
            let changed = Arc::new(Source::new(source.path.raw(), mutation.text.clone()));
            // What is no scenario any more tests nothing.
            let Ok(loaded) = run_scenario::load(&changed, &changes) else {
                invalid += 1;
                continue;
            };
            let explored = self.explore(&loaded.plan);
            if is_stopped(&explored) {
                return Ok((Status::Interrupted, String::new()));
            }
            fates.push((mutation, fate(explored)));
        }
        let status = match () {
            () if fates.iter().any(|(_, fate)| matches!(fate, Fate::Unnoticed)) => Status::Failed,
            () if fates.iter().any(|(_, fate)| matches!(fate, Fate::Undecided(_))) => Status::Unknown,
            () => Status::Passed,
        };
        let text = if self.arguments.json {
            self.json(source, &fates, invalid, begin.elapsed())
        } else {
            self.report(source, &fates, begin.elapsed())
        };
        Ok((status, text))
    }

    fn explore(&self, plan: &Plan) -> Result<Explored, ()> {
        let longest = self.arguments.max_time.unwrap_or(LONGEST);
        let bytes = memory_limit(None, 1);
        let asked = self.signals.map(Blocked::asked);
        let budget = Budget::until(Instant::now(), Some(Duration::from_nanos(longest)), bytes, asked);
        let options = run::Options {
            time: Time::default(),
            random: false,
            kill: false,
            spurious: 0,
            reductions: Reductions::default(),
            limits: Limits { bytes, ..Limits::default() },
            longest: None,
            strategy: Strategy::Full,
            beyond: FallbackOptions { descend: false, ..FallbackOptions::default() },
            jobs: batch::jobs(self.arguments.jobs),
            eager: false,
        };
        let budget = Arc::new(budget);
        let looks = looks::look(plan, &options, &looks::times(plan, None), &budget, &mut |_| !budget.is_stopped());
        looks.map(|looks| looks::together(plan, looks, None)).map_err(drop)
    }

    fn report(&self, source: &Source, fates: &[(Mutation, Fate)], elapsed: Duration) -> String {
        let count = |name: &str| fates.iter().filter(|(_, fate)| fate.name() == name).count();
        let (noticed, unnoticed, undecided) = (count("noticed"), count("unnoticed"), count("undecided"));
        let mut text = format!(
            "{}: changes noticed: {noticed} of {}, unnoticed: {unnoticed}, undecided: {undecided}; {:.2} s\n",
            text::line(&self.input.label()),
            fates.len(),
            elapsed.as_secs_f64()
        );
        let shown = fates.iter().filter(|(_, fate)| self.arguments.all || !matches!(fate, Fate::Noticed(_)));
        for (mutation, fate) in shown {
            let line = source.line_number(mutation.span.start);
            let change = format!("{}: {}", mutation.change.name(), mutation.change.words());
            let by = match fate {
                Fate::Noticed(by) => format!("  (by {})", text::line(by)),
                Fate::Undecided(why) => format!("  ({why})"),
                Fate::Unnoticed => String::new(),
            };
            let path = text::line(&self.input.path);
            let _ = writeln!(text, "  {:<9}  {path}:{line}  {}{by}", fate.name(), text::line(&change));
        }
        text
    }

    fn json(&self, source: &Source, fates: &[(Mutation, Fate)], invalid: usize, elapsed: Duration) -> String {
        let changes: Vec<_> = fates
            .iter()
            .map(|(mutation, fate)| {
                let place = source.place(mutation.span.start);
                let why = match fate {
                    Fate::Noticed(by) => Some(by.as_str()),
                    Fate::Undecided(why) => Some(*why),
                    Fate::Unnoticed => None,
                };
                json!({
                    "line": place.line,
                    "column": place.column,
                    "change": mutation.change.name(),
                    "text": mutation.change.words(),
                    "result": fate.name(),
                    "reason": why,
                })
            })
            .collect();
        let scenario = json!({
            "file": self.input.label(),
            "changes": changes,
            "invalid": invalid,
            "seconds": elapsed.as_secs_f64(),
        });
        run_scenario::line(&scenario)
    }
}

/// Whether a signal has asked to end.
fn is_stopped(explored: &Result<Explored, ()>) -> bool {
    explored.as_ref().is_ok_and(|explored| explored.cut == Some(Cut::Stopped))
}

/// Why a scenario cannot be changed to see what its expectations notice: they have to hold first.
fn why_not(plan: &Plan, explored: &Result<Explored, ()>) -> Option<Diagnostic> {
    let name = plan.name.shown();
    let message = match explored {
        Err(()) => format!("`{name}` cannot be explored: `ipcrun explore` says why"),
        Ok(explored) if explored.cut.is_some() => {
            format!("`{name}` was not explored completely: `--max-time` gives more time")
        }
        Ok(explored) if explored.summary.status != judge::Status::Pass => {
            format!("not every expectation of `{name}` holds: `ipcrun explore` shows which")
        }
        Ok(_) => return None,
    };
    Some(
        Diagnostic::error(Code::USAGE, message)
            .help("what a change breaks is seen only where everything holds without it"),
    )
}

fn fate(explored: Result<Explored, ()>) -> Fate {
    let Ok(explored) = explored else { return Fate::Undecided("the model cannot execute it") };
    let failing = |status: judge::Status| explored.summary.overall.iter().find(|one| one.status == status);
    match (failing(judge::Status::Fail), explored.cut) {
        (Some(one), _) => Fate::Noticed(one.label.clone()),
        (None, Some(_)) => Fate::Undecided("a limit was reached"),
        (None, None) => match failing(judge::Status::Unknown) {
            Some(one) => Fate::Noticed(one.label.clone()),
            None => Fate::Unnoticed,
        },
    }
}
