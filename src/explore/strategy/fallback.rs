//! The fallback when there are too many states: each strategy reports what it has explored and what that guarantees.
//! First all executions with few preemptions, then many single ones: random, and by priorities.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bfs::{Cut, Limits, Reached};
use super::preemption_bounded::Bounded;
use super::random_walk::LONGEST;
use crate::explore::base::distinct_count::Sketch;
use crate::explore::budget::Budget;
use crate::explore::execution::verdicts::{Fault, Found, VerdictCollector, case, sign};
use crate::explore::state_space::StateSpace;

/// How far an exploration has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub reached: Reached,
    /// Ends that were judged.
    pub judged: usize,
    /// How long it has taken.
    pub elapsed: Duration,
    /// What `reached` counts: `state explored`, `execution`.
    pub unit: &'static str,
}

/// How an exploration goes about it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Strategy {
    /// Every state; where that is cut by a limit, down the ladder.
    #[default]
    Full,
    /// Single executions, in which each process that can go is equally likely.
    Random,
    /// Single executions by priorities.
    Pct,
    /// Every execution with few preemptions.
    Bounded,
}

/// What is explored if not every state is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FallbackOptions {
    /// How many single executions.
    pub runs: u64,
    /// Up to what depth those by priorities guarantee something.
    pub depth: u32,
    /// How many preemptions at most.
    pub preemptions: u32,
    /// Of the single executions those whose number leaves `.0` when it is divided by `.1`.
    pub shard: (u64, u64),
    /// Whether the ladder is gone down where a limit cuts the search of every state.
    pub descend: bool,
    /// Whether one execution of each kind is kept.
    pub keep: bool,
}

impl Default for FallbackOptions {
    fn default() -> Self {
        Self { runs: 10_000, depth: 3, preemptions: 2, shard: (0, 1), descend: true, keep: false }
    }
}

/// What was explored if not every state was.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Coverage {
    /// Executions with few preemptions.
    Preemptions {
        /// The bound with which everything was explored; none if the search was cut before.
        completed: Option<u32>,
        /// States, each as often as there are processes that moved last in it.
        states: usize,
        edges: u64,
        /// States in which the run is over.
        ends: usize,
        /// Whether more preemptions lead nowhere else.
        whole: bool,
        /// Why it was not continued with.
        cut: Option<Cut>,
    },
    Walks(Walks),
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Walks {
    /// How many were random.
    pub random: u64,
    /// How many went by priorities.
    pub pct: u64,
    /// Steps of all of them.
    pub steps: u64,
    /// How many were cut since they had not ended.
    pub unended: u64,
    /// The depth of those by priorities.
    pub depth: u32,
    /// How many processes there are.
    pub processes: u32,
    /// The steps within which those by priorities change priorities: what they guarantee is of what shows within that
    /// many.
    pub length: u32,
    /// Whether no execution has more of them.
    #[serde(default)]
    pub bounded: bool,
    /// Whether something besides the order of steps was chosen: which waiter is woken, which number is drawn.
    #[serde(default)]
    pub chosen: bool,
    /// Why there are no more of them.
    pub cut: Option<Cut>,
    /// The states that were met.
    pub states: Sketch,
}

impl Walks {
    /// Adds those of another part.
    pub fn join(&mut self, other: &Self) {
        self.random = self.random.saturating_add(other.random);
        self.pct = self.pct.saturating_add(other.pct);
        self.steps = self.steps.saturating_add(other.steps);
        self.unended = self.unended.saturating_add(other.unended);
        self.cut = self.cut.or(other.cut);
        (self.depth, self.processes, self.length) = (other.depth, other.processes, other.length);
        (self.bounded, self.chosen) = (other.bounded, self.chosen | other.chosen);
        self.states.join(&other.states);
    }

    /// With what probability at most all executions by priorities miss what goes wrong where `depth` steps come in a
    /// certain order.
    pub fn missed(&self, depth: u32) -> f64 {
        let (n, k) = (f64::from(self.processes.max(1)), f64::from(self.length.max(1)));
        let found = 1.0 / (n * k.powi(depth as i32 - 1));
        (self.pct as f64 * (-found.min(1.0)).ln_1p()).exp()
    }
}

impl Coverage {
    /// What was explored and what that guarantees, one sentence each.
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::Preemptions { completed, states, .. } => vec![match completed {
                Some(0) => {
                    format!("explored every execution without preemptions: {}", many(*states as u64, "state"))
                }
                Some(bound) => format!(
                    "explored every execution with at most {}: {}",
                    many(u64::from(*bound), "preemption"),
                    many(*states as u64, "state")
                ),
                None => "some executions without preemptions were not explored".to_owned(),
            }],
            Self::Walks(walks) => walks.words(),
        }
    }
}

impl Walks {
    fn words(&self) -> Vec<String> {
        let mut kinds = Vec::new();
        if self.random > 0 || self.pct == 0 {
            kinds.push(many(self.random, "random execution"));
        }
        if self.pct > 0 {
            kinds.push(format!("{} with random priorities", many(self.pct, "execution")));
        }
        let (states, exact) = self.states.number();
        let about = if exact { "" } else { "about " };
        let mut words = vec![format!(
            "{}: {} through {about}{}",
            kinds.join(" and "),
            many(self.steps, "step"),
            many(states, "state")
        )];
        if self.unended > 0 {
            let limit = many(u64::from(LONGEST), "step");
            words.push(format!("{} stopped unfinished after {limit}", many(self.unended, "execution")));
        }
        if self.pct > 0 {
            let list: Vec<String> = (1..=self.depth)
                .map(|depth| format!("at most {} at depth {depth}", probability(self.missed(depth))))
                .collect();
            let processes = many(self.processes.into(), "process").replace("processs", "processes");
            let steps = many(self.length.into(), "step");
            words.push(format!(
                "probability that the random priorities missed a bug: {}, for {processes}{}",
                list.join(", "),
                if self.bounded {
                    format!(" and at most {steps}")
                } else {
                    format!("; the bug has to show within {steps}")
                },
            ));
            if self.chosen {
                let besides = "which waiter is woken, which number is drawn";
                words.push(format!("a bug that also needs a certain choice ({besides}) is missed more often"));
            }
        }
        words
    }
}

/// A bound on a probability; never rounded to 0.
fn probability(p: f64) -> String {
    if p >= 0.001 { format!("{p:.3}") } else { format!("{:.0e}", p.max(1e-300)) }
}

fn many(number: u64, noun: &str) -> String {
    let digits = crate::explore::analysis::interleavings::Number::Exact(number.into());
    format!("{digits} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Looks at every execution with few preemptions, within the budget of the space, and judges what it finds within that
/// of `judging`. `fresh`: only verdicts and ends that have not been met are gathered.
pub(crate) fn preemptions(
    space: &mut StateSpace<'_>,
    (beyond, limits): (&FallbackOptions, Limits),
    fresh: bool,
    judging: &Arc<Budget>,
    gathering: &mut VerdictCollector<'_, '_>,
    progress: &mut dyn FnMut(&Progress) -> bool,
) -> Result<Coverage, Fault> {
    let mut search = Bounded::new(space);
    search.run(beyond.preemptions, limits, &mut |reached| {
        progress(&Progress { reached: *reached, judged: 0, elapsed: judging.elapsed(), unit: "state explored" })
    })?;
    let mut cut = search.cut;
    search.within(judging);
    let ends = std::mem::take(&mut search.ends);
    for end in &ends {
        let path = search.path(*end).map_err(Fault::from);
        let case = match path.and_then(|path| case(search.space(), path, true)) {
            Ok(case) => case,
            Err(fault) => {
                cut = Some(fault.spent().ok_or(fault)?);
                search.whole = false;
                break;
            }
        };
        if !fresh || !gathering.knows(&case.kind) {
            gathering.add(case, gathering.next(), 1, None, true);
        }
    }
    let (states, edges) = (search.states(), search.edges);
    Ok(Coverage::Preemptions { completed: search.completed, states, edges, ends: ends.len(), whole: search.whole, cut })
}

/// Gathers what was found before, where it still is what it was then.
pub(crate) fn again(
    space: &StateSpace<'_>,
    found: Found,
    gathering: &mut VerdictCollector<'_, '_>,
) -> Result<(), Fault> {
    let Found { number, times, kind, path, stem, ended, .. } = found;
    if stem.is_some_and(|stem| stem > path.len()) {
        return Err(Fault::Unlike);
    }
    let case = case(space, path, ended)?;
    if sign(&case.kind) != kind {
        return Err(Fault::Unlike);
    }
    gathering.add(case, number, times, stem, ended);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::run::{Explored, Options, explore};
    use crate::explore::strategy::bfs::Limits;
    use crate::explore::tests::{lost_update, philosophers, plan};
    use crate::judge::{Rule, Status, Subject};

    fn explored(text: &str, options: &Options) -> Explored {
        explore(&plan(text), options, &mut |_| true).expect("it ends")
    }

    fn words(explored: &Explored) -> Vec<String> {
        explored.rungs.iter().flat_map(Coverage::words).collect()
    }

    #[test]
    fn where_a_limit_cuts_the_search_the_ladder_is_gone_down() {
        let limits = Limits { states: 20, ..Limits::default() };
        let beyond = FallbackOptions { runs: 1000, ..FallbackOptions::default() };
        let found = explored(&philosophers(5, false, false), &Options { limits, beyond, ..Options::default() });
        assert_eq!(found.cut, Some(Cut::States));
        let [Coverage::Preemptions { completed: None, .. }, Coverage::Walks(walks)] = found.rungs.as_slice() else {
            panic!("{:?}", found.rungs)
        };
        assert_eq!((walks.random, walks.pct), (500, 500));
        let (_, place, _) = found.counterexample().expect("a deadlock is met");
        assert_eq!(found.summary.overall[place].subject, Subject::Rule(Rule::Deadlock));
        let text = lost_update(2, 3) + "[[expect]]\nfinal = \"money <= 6\"\n";
        let found = explored(&text, &Options { limits, beyond, ..Options::default() });
        assert_eq!(found.summary.status, Status::Unknown);
    }

    #[test]
    fn nothing_is_proven_by_single_executions() {
        let text = lost_update(2, 3) + "[[expect]]\nfinal = \"money <= 6\"\n";
        let beyond = FallbackOptions { runs: 2000, ..FallbackOptions::default() };
        for strategy in [Strategy::Random, Strategy::Pct] {
            let found = explored(&text, &Options { strategy, beyond, ..Options::default() });
            assert_eq!((found.summary.status, found.cut), (Status::Unknown, Some(Cut::Chosen)));
            assert_eq!(found.summary.runs, 2000);
        }
        let found = explored(&text, &Options { strategy: Strategy::Random, beyond, ..Options::default() });
        assert_eq!(words(&found), ["2,000 random executions: 24,000 steps through 195 states"]);
        // All of them with as many preemptions as there can be.
        let beyond = FallbackOptions { preemptions: 12, ..beyond };
        let found = explored(&text, &Options { strategy: Strategy::Bounded, beyond, ..Options::default() });
        assert_eq!((found.summary.status, found.cut), (Status::Pass, None));
        let beyond = FallbackOptions { preemptions: 1, ..beyond };
        let found = explored(&text, &Options { strategy: Strategy::Bounded, beyond, ..Options::default() });
        assert_eq!((found.summary.status, found.cut), (Status::Unknown, Some(Cut::Chosen)));
        assert!(words(&found)[0].starts_with("explored every execution with at most 1 preemption"));
    }

    #[test]
    fn what_executions_by_priorities_guarantee_is_told() {
        let walks = Walks { pct: 1000, depth: 2, processes: 2, length: 10, bounded: true, ..Walks::default() };
        assert!((walks.missed(1) - 0.5_f64.powi(1000)).abs() < 1e-12);
        assert!((walks.missed(2) - 0.95_f64.powi(1000)).abs() < 1e-12);
        assert_eq!(probability(walks.missed(1)), "1e-300");
        let walks = Walks { pct: 10, ..walks };
        let words = walks.words();
        assert_eq!(
            words[1],
            "probability that the random priorities missed a bug: at most 1e-3 at depth 1, at most 0.599 at depth 2, \
             for 2 processes and at most 10 steps"
        );
        let words = Walks { bounded: false, chosen: true, ..walks }.words();
        assert!(words[1].ends_with(", for 2 processes; the bug has to show within 10 steps"), "{words:?}");
        assert!(words[2].starts_with("a bug that also needs a certain choice"), "{words:?}");
    }

    #[test]
    fn what_breaks_in_an_execution_that_never_ends_is_found() {
        let text = philosophers(3, true, true) + "[[expect]]\nnever = \"phil[1] acquire\"\n";
        let beyond = FallbackOptions { runs: 4, ..FallbackOptions::default() };
        let found = explored(&text, &Options { strategy: Strategy::Random, beyond, ..Options::default() });
        assert!(found.counterexample().is_some(), "{:?}", found.summary);
        assert!(words(&found)[1].starts_with("4 executions stopped unfinished after 10,000 steps"));
    }
}
