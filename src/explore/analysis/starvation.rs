//! Starvation: whether a process may never take its next step although the scheduler is fair.
//!
//! Under weak fairness a process that can take a step in every state from some state on eventually takes one; under
//! strong fairness a process does that can take a step in infinitely
//! many. An execution that goes round for ever stays in a strongly connected part of the graph in the end. So a process
//! can be starved where there is a part in which it never moves and that such a scheduler allows: it cannot always move
//! there itself (or never can), and every other process that would have to move does. The other processes continue
//! meanwhile, which tells it from a deadlock; from a livelock, that it is one process, and that others may unblock it.
//!
//! What is left out of a search could be such a part, so this is a search of its own that leaves nothing out.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::ProcessId;
use crate::explore::budget::{Budget, Pace};
use crate::explore::semantics::transition::{Kind, ModelError, Nondeterminism};
use crate::explore::state_space::{StateSpace, Transition, is_over};
use crate::explore::strategy::bfs::{Limits, Reductions, Search};
use crate::scenario::plan::Plan;

/// The most states of a graph in which it is looked for.
pub const MOST_STATES: usize = 200_000;

const UNSEEN: u32 = u32::MAX;

/// Whether processes can be starved.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Liveness {
    /// Nothing goes round for ever.
    #[default]
    Ends,
    /// It was not looked for: the graph has more states than [`MOST_STATES`], or the search was cut.
    Unknown,
    /// The processes that can starve, in order.
    Known(Vec<Starved>),
}

impl Liveness {
    /// The same in words; none where nothing goes round for ever.
    pub fn words(&self, plan: &Plan) -> Option<String> {
        let name = |one: &Starved| plan.processes[one.process as usize].name.as_str();
        let names = |strongly: bool| {
            let Self::Known(list) = self else { return String::new() };
            let names: Vec<&str> = list.iter().filter(|one| one.strongly == strongly).map(name).collect();
            names.join(", ")
        };
        match self {
            Self::Ends => None,
            Self::Unknown => Some(format!(
                "starvation was not checked: there are more than {MOST_STATES} states, or a limit was reached"
            )),
            Self::Known(list) if list.is_empty() => Some("no process can starve".to_owned()),
            Self::Known(_) => {
                let (strongly, weakly) = (names(true), names(false));
                let mut parts = Vec::new();
                if !strongly.is_empty() {
                    parts.push(format!("even under strong fairness: {strongly}"));
                }
                if !weakly.is_empty() {
                    parts.push(format!("under weak fairness: {weakly}"));
                }
                Some(format!("can starve, {}", parts.join("; ")))
            }
        }
    }
}

/// A process that can be starved.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Starved {
    pub process: ProcessId,
    /// Whether it can starve even under strong fairness; else only under weak fairness.
    pub strongly: bool,
}

/// Finds the processes that can starve, within the budget.
///
/// # Errors
/// A process that the model cannot execute: `ModelError`.
pub(crate) fn find(plan: &Plan, leeway: Nondeterminism, budget: &Arc<Budget>) -> Result<Liveness, ModelError> {
    let leeway = Nondeterminism { kill: false, spurious: 0, ..leeway };
    let mut space = StateSpace::new(plan, leeway, vec![false; plan.steps.len()], false).within(budget);
    let mut search = Search::new(&mut space, Reductions::NONE);
    let limits = Limits { states: MOST_STATES, ..Limits::default() };
    search.run(limits, &mut |_| true)?;
    if search.cut.is_some() {
        return Ok(Liveness::Unknown);
    }
    let Some(graph) = Graph::new(&mut search)? else { return Ok(Liveness::Unknown) };
    let mut starved = Vec::new();
    for process in 0..plan.processes.len() as ProcessId {
        if budget.spent().is_some() {
            return Ok(Liveness::Unknown);
        }
        if graph.starves(process, true) {
            starved.push(Starved { process, strongly: true });
        } else if graph.starves(process, false) {
            starved.push(Starved { process, strongly: false });
        }
    }
    Ok(Liveness::Known(starved))
}

/// All states and the steps between them.
struct Graph {
    processes: usize,
    /// By state: where its steps begin in `steps`; one more at the end.
    first: Vec<usize>,
    /// Where a step leads, and whose it is.
    steps: Vec<(u32, ProcessId)>,
    /// By state and process: whether it has begun and not ended.
    alive: Vec<bool>,
}

impl Graph {
    /// None where the budget is spent.
    fn new(search: &mut Search<'_, '_>) -> Result<Option<Self>, ModelError> {
        let processes = search.space.plan.processes.len();
        let count = search.store.len();
        let mut graph = Self {
            processes,
            first: Vec::with_capacity(count + 1),
            steps: Vec::new(),
            alive: Vec::with_capacity(count * processes),
        };
        let mut state = vec![0; search.space.width()];
        let mut after = state.clone();
        let mut moves: Vec<Transition> = Vec::new();
        let mut pace = Pace::new(&search.space.budget);
        for number in 0..count as u32 {
            if pace.spent().is_some() {
                return Ok(None);
            }
            graph.first.push(graph.steps.len());
            search.store.get(number, &mut state);
            graph.alive.extend(state[..processes].iter().map(|segment| search.space.info(*segment).running));
            search.space.moves(&state, &mut moves)?;
            if is_over(&moves) {
                continue;
            }
            for step in &moves {
                after.copy_from_slice(&state);
                search.space.take(&mut after, *step)?;
                let process = if step.kind == Kind::Tick { ProcessId::MAX } else { step.process };
                graph.steps.extend(search.store.find(&after).map(|to| (to, process)));
            }
        }
        graph.first.push(graph.steps.len());
        Ok(Some(graph))
    }

    fn steps(&self, state: u32) -> &[(u32, ProcessId)] {
        &self.steps[self.first[state as usize]..self.first[state as usize + 1]]
    }

    fn can_move(&self, state: u32, process: ProcessId) -> bool {
        self.steps(state).iter().any(|(_, mover)| *mover == process)
    }

    /// Whether there is a part in which the process never moves and that a scheduler allows which is fair, strongly or
    /// not.
    fn starves(&self, process: ProcessId, strongly: bool) -> bool {
        let count = self.first.len() as u32 - 1;
        let lives = |state: &u32| self.alive[*state as usize * self.processes + process as usize];
        let states: Vec<u32> =
            (0..count).filter(lives).filter(|state| !strongly || !self.can_move(*state, process)).collect();
        let mut parts = vec![states];
        let mut part_of = vec![UNSEEN; count as usize];
        while let Some(states) = parts.pop() {
            for component in self.components(&states, process, &mut part_of) {
                match self.judge(&component, process, strongly, &mut part_of) {
                    Verdict::Fair => return true,
                    Verdict::Unfair => {}
                    Verdict::Less(states) => parts.push(states),
                }
            }
        }
        false
    }

    /// Whether a scheduler can stay in a part for ever.
    fn judge(&self, part: &[u32], process: ProcessId, strongly: bool, part_of: &mut [u32]) -> Verdict {
        for state in part {
            part_of[*state as usize] = 0;
        }
        let mut moves = vec![false; self.processes];
        let mut able = vec![0usize; self.processes];
        let mut goes_round = false;
        for state in part {
            let mut here: Vec<ProcessId> = Vec::new();
            for (to, mover) in self.steps(*state) {
                if *mover != ProcessId::MAX && !here.contains(mover) {
                    here.push(*mover);
                    able[*mover as usize] += 1;
                }
                if part_of[*to as usize] == 0 && *mover != process {
                    goes_round = true;
                    if *mover != ProcessId::MAX {
                        moves[*mover as usize] = true;
                    }
                }
            }
        }
        for state in part {
            part_of[*state as usize] = UNSEEN;
        }
        // Where only time passes, no process is kept from anything.
        if !goes_round || !moves.contains(&true) || able[process as usize] == part.len() {
            return Verdict::Unfair;
        }
        let least = if strongly { 1 } else { part.len() };
        let wronged: Vec<ProcessId> = (0..self.processes as ProcessId)
            .filter(|other| *other != process && !moves[*other as usize] && able[*other as usize] >= least)
            .collect();
        if wronged.is_empty() {
            return Verdict::Fair;
        }
        if !strongly {
            return Verdict::Unfair;
        }
        // Where none of those can move that never do, it may be fair.
        let rest = part.iter().copied();
        let rest: Vec<u32> = rest.filter(|state| !wronged.iter().any(|other| self.can_move(*state, *other))).collect();
        Verdict::Less(rest)
    }

    /// The strongly connected components of some states, without the steps of one process: Tarjan's algorithm.
    fn components(&self, states: &[u32], process: ProcessId, low: &mut [u32]) -> Vec<Vec<u32>> {
        const OUTSIDE: u32 = UNSEEN;
        const DONE: u32 = UNSEEN - 1;
        const INSIDE: u32 = UNSEEN - 2;
        for state in states {
            low[*state as usize] = INSIDE;
        }
        let mut found = Vec::new();
        let mut open: Vec<u32> = Vec::new();
        let mut seen = 0;
        // The states that the walk is in: which step is next, and the number at which each was met.
        let mut walk: Vec<(u32, usize, u32)> = Vec::new();
        for root in states {
            if low[*root as usize] != INSIDE {
                continue;
            }
            low[*root as usize] = seen;
            walk.push((*root, 0, seen));
            open.push(*root);
            seen += 1;
            while let Some((state, next, index)) = walk.last_mut() {
                let (state, index) = (*state, *index);
                if let Some((to, mover)) = self.steps(state).get(*next).copied() {
                    *next += 1;
                    match low[to as usize] {
                        _ if mover == process => {}
                        OUTSIDE | DONE => {}
                        INSIDE => {
                            low[to as usize] = seen;
                            walk.push((to, 0, seen));
                            open.push(to);
                            seen += 1;
                        }
                        other => low[state as usize] = low[state as usize].min(other),
                    }
                    continue;
                }
                walk.pop();
                if let Some((before, _, _)) = walk.last() {
                    low[*before as usize] = low[*before as usize].min(low[state as usize]);
                }
                if low[state as usize] == index {
                    let from = open.iter().rposition(|member| *member == state).unwrap_or(0);
                    let component = open.split_off(from);
                    for member in &component {
                        low[*member as usize] = DONE;
                    }
                    found.push(component);
                }
            }
        }
        for state in states {
            low[*state as usize] = UNSEEN;
        }
        found
    }
}

enum Verdict {
    Fair,
    /// It cannot, and in no smaller one.
    Unfair,
    /// Only among these states, if anywhere.
    Less(Vec<u32>),
}
