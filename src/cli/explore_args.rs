//! How an exploration searches: its arguments, and what each of them means.

use clap::{Args, ValueEnum};

use super::options;
use crate::explore::semantics::transition::{Nondeterminism, Time};
use crate::explore::strategy::bfs::Reductions;
use crate::os::memory;
use crate::scenario::units::parse_size;

/// How many bytes may be used where the host does not say how many are free.
const UNKNOWN: usize = 1 << 30;

/// How it is searched.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Searching")]
#[group(skip)]
pub(crate) struct Searching {
    /// How time passes: `ideal`, only when nothing else can move; `any`, a sleep or a timeout may end at any moment
    /// (default: `time` of the file, else both)
    #[arg(long, value_name = "HOW", hide_possible_values = true)]
    pub(crate) time: Option<TimeChoice>,
    /// Which random numbers are drawn: `seed`, those of each process's own stream; `all`, every number of the range
    #[arg(long, value_name = "HOW", default_value = "seed", hide_possible_values = true)]
    pub(crate) random: RandomChoice,
    /// Which processes are killed from outside: `none`, or `any`, one process in each execution, at any of its steps
    #[arg(long, value_name = "PROCESSES", default_value = "none", hide_possible_values = true)]
    pub(crate) kill: KillChoice,
    /// Let up to N waits for a condition return without a notification, in every way
    #[arg(long, value_name = "N", default_value = "0", value_parser = clap::value_parser!(u32).range(0..=63))]
    pub(crate) spurious: u32,
    /// Maximum number of states
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) max_states: Option<usize>,
    /// Memory limit for each scenario, for the whole exploration, such as 512MiB or 4GiB (default: half of the free memory)
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) max_memory: Option<usize>,
    /// Time limit for each scenario, for the whole exploration, such as 30s or 5m
    #[arg(long, value_name = "DURATION", value_parser = options::duration)]
    pub(crate) max_time: Option<u64>,
    /// Which reductions are used: `order` (partial order), `symmetry` (of processes), `all` or `none`; no reduction changes
    /// a verdict
    #[arg(long, value_name = "WHAT", default_value = "all", hide_possible_values = true)]
    pub(crate) reduce: ReduceChoice,
    /// Print the scenario in the language of another tool: promela, for SPIN
    #[arg(long, value_name = "LANGUAGE", hide_possible_values = true, help_heading = "Other tools")]
    pub(crate) emit: Option<Language>,
    /// Number of threads, shared between scenarios; 0 is all CPUs. It does not change the result, unless a memory or time
    /// limit ends the search
    #[arg(short, long, value_name = "N", default_value = "0")]
    pub(crate) jobs: u32,
}

/// How time passes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum TimeChoice {
    /// Time passes only when nothing else can move
    #[default]
    #[value(name = "ideal", alias = "virtual")]
    Virtual,
    /// A sleep or a timeout may end at any moment
    Any,
}

impl From<TimeChoice> for Time {
    fn from(choice: TimeChoice) -> Self {
        match choice {
            TimeChoice::Virtual => Self::Virtual,
            TimeChoice::Any => Self::Any,
        }
    }
}

/// Which random numbers are drawn.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum RandomChoice {
    /// Numbers of each process's own stream
    #[default]
    Seed,
    /// Every number of the range
    All,
}

/// What one execution in the model leaves open besides the order of steps.
#[derive(Args, Clone, Copy, Debug)]
#[group(skip)]
pub(crate) struct Openness {
    /// How time passes: `ideal`, only when nothing else can move; `any`, a sleep or a timeout may end at any moment
    #[arg(long, value_name = "HOW", default_value = "ideal", hide_possible_values = true, help_heading = "Running")]
    pub(crate) time: TimeChoice,
    /// Source of random numbers: `seed`, each process's own stream; `all`, one choice for each number
    #[arg(long, value_name = "HOW", default_value = "seed", hide_possible_values = true, help_heading = "Running")]
    pub(crate) random: RandomChoice,
}

/// Which processes are killed from outside.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum KillChoice {
    /// No process
    #[default]
    None,
    /// One process in each execution, at any of its steps
    Any,
}

/// A language that a scenario can be translated to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Language {
    /// The language of SPIN
    Promela,
}

/// Which reductions are used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ReduceChoice {
    /// Every reduction
    All,
    /// Partial order reduction
    Order,
    /// Symmetry reduction
    Symmetry,
    /// No reduction
    None,
}

impl From<ReduceChoice> for Reductions {
    fn from(choice: ReduceChoice) -> Self {
        let (order, symmetry) = (ReduceChoice::Order, ReduceChoice::Symmetry);
        Self {
            partial_order: [ReduceChoice::All, order].contains(&choice),
            symmetry: [ReduceChoice::All, symmetry].contains(&choice),
        }
    }
}

impl Searching {
    /// What is left open besides the order of steps, where time passes so.
    pub(crate) fn leeway(&self, time: Time) -> Nondeterminism {
        Nondeterminism {
            time,
            random: self.random == RandomChoice::All,
            kill: self.kill == KillChoice::Any,
            spurious: self.spurious,
        }
    }

    /// The memory limit in bytes of one scenario where `at_once` are explored in parallel. It never exceeds what the host
    /// can give.
    pub(crate) fn memory(&self, at_once: usize) -> usize {
        memory_limit(self.max_memory, at_once)
    }
}

/// The memory limit in bytes of one exploration where `at_once` take place in parallel: what was `asked` for, else half of
/// the free memory, and never more than the host can give.
pub(crate) fn memory_limit(asked: Option<usize>, at_once: usize) -> usize {
    let most = memory::addresses().unwrap_or(usize::MAX) / at_once.max(1) / 4 * 3;
    asked.unwrap_or_else(|| memory::free().map_or(UNKNOWN, |free| free / 2 / at_once.max(1))).min(most)
}

fn count(text: &str) -> Result<usize, String> {
    let plain = text.replace(['_', ','], "");
    plain.parse().ok().filter(|count| *count > 0).ok_or("a number from 1".to_owned())
}

pub(crate) fn size(text: &str) -> Result<usize, String> {
    parse_size(text).map(|size| size.max(1) as usize).map_err(str::to_owned)
}

/// The arguments that say what an execution may do besides what the scenario says, for a command that follows it.
pub(crate) fn allowing(time: Time, random: RandomChoice) -> Vec<String> {
    let time = (time == Time::Any).then_some(["--time", "any"]);
    let random = (random == RandomChoice::All).then_some(["--random", "all"]);
    time.into_iter().chain(random).flatten().map(str::to_owned).collect()
}
