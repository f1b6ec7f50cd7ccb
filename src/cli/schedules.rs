//! Schedules on the command line: from a file, from words, from a seed, to turns that processes can be held to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::inputs;
use crate::diagnostic::{Code, Diagnostic, Source};
use crate::explore::execution::concretise::{Told, tell};
use crate::explore::execution::guided;
use crate::explore::execution::guided::Refused;
use crate::explore::run;
use crate::explore::semantics::transition::{Nondeterminism, Time};
use crate::scenario::plan::Plan;
use crate::schedule::{self, Schedule};

/// A schedule as it was named.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Chosen {
    /// A file of `explore --save`.
    File(PathBuf),
    /// The turns themselves: `A3 B1 A2`.
    Words(String),
    /// A random one, the same for the same number.
    Seed(u64),
}

impl Chosen {
    /// How it was named.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::File(path) => path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            Self::Words(words) => format!("`{}`", words.trim()),
            Self::Seed(seed) => format!("seed:{seed}"),
        }
    }
}

impl Chosen {
    /// The argument that names it.
    pub(crate) fn argument(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Words(words) => words.clone(),
            Self::Seed(seed) => format!("seed:{seed}"),
        }
    }
}

/// Reads an argument. What is neither a seed nor looks like a file is the turns themselves.
pub(crate) fn argument(text: &str) -> Result<Chosen, String> {
    if let Some(seed) = text.strip_prefix("seed:") {
        let seed = seed.parse().map_err(|_| "a random schedule is `seed:` and a number, as seed:7".to_owned())?;
        return Ok(Chosen::Seed(seed));
    }
    let is_file = Path::new(text).extension().is_some_and(|ending| ending == "toml") || Path::new(text).is_file();
    if is_file { Ok(Chosen::File(PathBuf::from(text))) } else { Ok(Chosen::Words(text.to_owned())) }
}

/// What a plan does under a schedule: what the model says, with the turns for the kernel.
///
/// # Errors
/// A schedule that cannot be read, or not be followed where it says so.
pub(crate) fn follow(plan: &Plan, chosen: &Chosen, leeway: Nondeterminism) -> Result<Told, Vec<Diagnostic>> {
    let schedule = match chosen {
        Chosen::Seed(seed) => {
            let mut space = run::scheduled(plan, leeway, &[]);
            let path = guided::walk(&mut space, *seed).map_err(|endless| vec![endless.diagnostic(plan)])?;
            return told(plan, &space, &path);
        }
        Chosen::Words(words) => {
            let source = Arc::new(Source::new("the schedule", words.as_str()));
            let mut wrong = Vec::new();
            let orders = schedule::parse(plan, &source, 0..words.len(), &mut wrong);
            if !wrong.is_empty() {
                return Err(wrong);
            }
            Schedule { source, any_time: leeway.time == Time::Any, any_random: leeway.random, orders }
        }
        Chosen::File(path) => {
            let source = inputs::open(path).source.map_err(|diagnostic| vec![*diagnostic])?;
            let mut schedule = schedule::read(plan, &run::told_apart(plan), &source)?;
            schedule.any_time |= leeway.time == Time::Any;
            schedule.any_random |= leeway.random;
            schedule
        }
    };
    let time = if schedule.any_time { Time::Any } else { Time::Virtual };
    let leeway = Nondeterminism { time, random: schedule.any_random, ..Nondeterminism::default() };
    let mut space = run::scheduled(plan, leeway, &schedule.orders);
    let path = guided::follow(&mut space, &schedule.orders).map_err(|found| vec![refused(plan, &schedule, &found)])?;
    let (path, round) = guided::complete(&mut space, &path).map_err(|endless| vec![endless.diagnostic(plan)])?;
    let mut told = told(plan, &space, &path)?;
    if round {
        told.round();
    }
    Ok(told)
}

fn told(
    plan: &Plan,
    space: &crate::explore::state_space::StateSpace<'_>,
    path: &[crate::explore::semantics::transition::Step],
) -> Result<Told, Vec<Diagnostic>> {
    tell(space, path).map_err(|lost| {
        let message = format!("the schedule cannot be followed: {}", guided::lost(plan, &lost));
        vec![Diagnostic::error(Code::BAD_SCHEDULE, message).within(&plan.source)]
    })
}

/// A turn that cannot be taken, at its place in the schedule.
fn refused(plan: &Plan, schedule: &Schedule, found: &Refused) -> Diagnostic {
    let Some(order) = schedule.orders.get(found.entry) else {
        return Diagnostic::error(Code::BAD_SCHEDULE, "the schedule cannot be followed").within(&schedule.source);
    };
    let name = &plan.processes[order.process as usize].name;
    let message = format!("{name} {}", guided::because(plan, &found.why));
    let label = if order.turns > 1 { format!("turn {} of these", found.turn + 1) } else { String::new() };
    let diagnostic = Diagnostic::error(Code::BAD_SCHEDULE, message).at(&schedule.source, order.span.clone(), label);
    match &found.why {
        guided::Why::Waits(waiting) => match waiting.step {
            Some(step) => diagnostic.note(format!("its step is at {}", plan.place(step))),
            None => diagnostic,
        },
        _ => diagnostic,
    }
}
