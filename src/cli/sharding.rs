//! Strategies for too many states, and explorations in parts: `--strategy`, `--shard`, `--merge`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{files, inputs};
use crate::diagnostic::{Code, Diagnostic};
use crate::explore::distributed;
use crate::explore::distributed::{FORMAT, Part, Scenario};
use crate::explore::strategy::fallback::{FallbackOptions, Strategy};

/// Which executions are explored.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Searching")]
#[group(skip)]
pub(crate) struct Choosing {
    /// Which executions are explored: `full`, all of them, and past a limit those with few preemptions, then random
    /// ones; `bounded`, all with few preemptions; `random`, random walks; `pct`, random priorities
    #[arg(long, value_name = "HOW", default_value = "full", hide_possible_values = true)]
    strategy: StrategyChoice,
    /// Number of random executions
    #[arg(long, value_name = "N", default_value = "10000", value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// PCT depth: number of ordered steps that a bug may need; the report states the probability of missing one
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=i64::from(distributed::DEEPEST)))]
    depth: u32,
    /// Maximum number of preemptions in an execution
    #[arg(long, value_name = "N", default_value = "2")]
    preemptions: u32,
    /// Explore part I of K and write its results for --merge: some of the scenarios, or some random executions of one
    #[arg(long, value_name = "I/K", value_parser = part, conflicts_with = "merge")]
    shard: Option<(u64, u64)>,
    /// The file for the results of the part
    #[arg(long, value_name = "FILE", requires = "shard", value_hint = clap::ValueHint::FilePath)]
    part: Option<PathBuf>,
    /// Merge the results of all parts; the files are those that `--shard` has written
    #[arg(long)]
    pub(crate) merge: bool,
}

/// Which executions are explored.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum StrategyChoice {
    /// All executions
    Full,
    /// Random walks
    Random,
    /// Random priorities
    Pct,
    /// All executions with few preemptions
    Bounded,
}

/// `I/K`: from 1 on the command line, from 0 inside.
fn part(text: &str) -> Result<(u64, u64), String> {
    let parsed = text.split_once('/').and_then(|(part, parts)| Some((part.parse().ok()?, parts.parse().ok()?)));
    match parsed {
        Some((part, parts)) if (1..=parts).contains(&part) && parts <= 1 << 16 => Ok((part - 1, parts)),
        _ => Err("a part I/K, from 1/K to K/K".to_owned()),
    }
}

impl Choosing {
    /// How an exploration goes about it.
    pub(crate) fn strategy(&self) -> Strategy {
        match self.strategy {
            StrategyChoice::Full => Strategy::Full,
            StrategyChoice::Random => Strategy::Random,
            StrategyChoice::Pct => Strategy::Pct,
            StrategyChoice::Bounded => Strategy::Bounded,
        }
    }

    /// The executions that are explored if not every state is. `alone`: there is no other scenario.
    pub(crate) fn beyond(&self, alone: bool) -> FallbackOptions {
        let shard = self.shard.filter(|_| alone).unwrap_or((0, 1));
        let (runs, depth, preemptions) = (self.runs, self.depth, self.preemptions);
        FallbackOptions { runs, depth, preemptions, shard, keep: self.shard.is_some(), ..FallbackOptions::default() }
    }

    /// Whether this is a part of an exploration.
    pub(crate) fn is_part(&self) -> bool {
        self.shard.is_some()
    }

    /// Whether a scenario belongs to this part.
    pub(crate) fn takes(&self, fingerprint: &str, alone: bool) -> bool {
        alone || self.shard.is_none_or(|(part, parts)| distributed::owner(fingerprint, parts) == part)
    }

    /// Refuses what cannot be divided.
    pub(crate) fn check(&self, scenarios: usize) -> Result<(), Box<Diagnostic>> {
        let divided = matches!(self.strategy, StrategyChoice::Random | StrategyChoice::Pct);
        if self.shard.is_some() && scenarios == 1 && !divided {
            let message = "only random executions of one scenario can be divided";
            let help = "add `--strategy random` or `--strategy pct`, or pass all scenarios at once";
            return Err(Box::new(Diagnostic::error(Code::USAGE, message).help(help)));
        }
        Ok(())
    }

    /// Writes what this part has found. The name of its file.
    pub(crate) fn write(&self, scenarios: Vec<Scenario>) -> Result<(), Box<Diagnostic>> {
        let Some((shard, shards)) = self.shard else { return Ok(()) };
        let path = self.part.clone().unwrap_or_else(|| format!("part-{}-of-{shards}.json", shard + 1).into());
        let part = Part { format: FORMAT, shard, shards, scenarios };
        let text = serde_json::to_vec(&part).map_err(std::io::Error::other);
        let written = text.and_then(|text| files::replace(&path, &text));
        written.map_err(|error| files::unwritable("the part", &path, &error))
    }
}

/// Reads parts and puts them together.
pub(crate) fn merge(files: &[PathBuf]) -> Result<Vec<Scenario>, Box<Diagnostic>> {
    let mut parts = Vec::with_capacity(files.len());
    for (place, file) in files.iter().enumerate() {
        let mut part = read(file)?;
        part.place(place).map_err(|why| Box::new(damaged(file).note(why)))?;
        parts.push(part);
    }
    distributed::merge(parts)
        .map_err(|why| Box::new(Diagnostic::error(Code::USAGE, format!("these parts do not fit together: {why}"))))
}

fn read(file: &Path) -> Result<Part, Box<Diagnostic>> {
    let path = file.display().to_string();
    let text = inputs::whole(file).map_err(|error| inputs::cannot_read(&path, &error))?;
    serde_json::from_slice(&text).map_err(|why| {
        let message = format!("`{path}` is not a part of an exploration: {why}");
        Box::new(Diagnostic::error(Code::USAGE, message).help("parts are written by `ipcrun explore --shard I/K`"))
    })
}

/// That a part says what is not so.
pub(crate) fn damaged(file: &Path) -> Diagnostic {
    let message = format!("the part `{}` is damaged, or another version of ipcrun has written it", file.display());
    Diagnostic::error(Code::BAD_SCHEDULE, message).help("explore that part again")
}
