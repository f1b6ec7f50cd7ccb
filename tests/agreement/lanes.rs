//! Whether what each process did in a run is a path of the model: every step possible where it was taken, with the same
//! outcome, the same value and the same cause.

use std::collections::HashSet;

use ipcrun::event::Event;
use ipcrun::explore::execution::concretise::{Told, tell};
use ipcrun::explore::semantics::transition::{Step, Time};
use ipcrun::explore::state_space::{StateSpace, Transition};
use ipcrun::scenario::plan::Plan;
use ipcrun::trace::{ProcessEnd, RunEnd, Trace};

/// The most states that are looked at for one run.
const MOST: usize = 3_000;

/// What came of the question.
pub(super) enum Answer {
    /// There is such a path.
    Path,
    /// There is none. How far the farthest came, and what stood next there.
    None(String),
    /// It was not found out.
    Undecided,
}

/// Where a search stands: the state, how many events there were of each process, what was chosen.
type Stand = (Vec<u32>, Vec<usize>, Vec<(u32, u32)>);

struct Search<'s, 'p, 't> {
    plan: &'p Plan,
    space: &'s mut StateSpace<'p>,
    trace: &'t Trace,
    /// The events of each process, but for its end.
    lanes: Vec<Vec<&'t Event>>,
    /// Where the search was: the state, how many events there were, and what was chosen on the way, since who was woken by
    /// whom is no part of the state.
    seen: HashSet<Stand>,
    path: Vec<Step>,
    /// Whether the scenario speaks of process ids.
    ids: bool,
    /// The farthest: how many events, and what stood next.
    farthest: (usize, String),
}

/// Looks for a path of the model in which each process does what it did in the trace.
pub(super) fn is_path(plan: &Plan, trace: &Trace) -> Answer {
    let mut space = StateSpace::new(plan, Time::Any, vec![false; plan.steps.len()], false);
    let Ok(initial) = space.initial() else { return Answer::None("a process computes without end".to_owned()) };
    let lanes = lanes(plan, trace);
    let mut search = Search {
        plan,
        space: &mut space,
        trace,
        lanes,
        seen: HashSet::new(),
        path: Vec::new(),
        ids: plan.source.text.contains("pid"),
        farthest: (0, "nothing fits".to_owned()),
    };
    match search.from(&initial) {
        Some(true) => Answer::Path,
        Some(false) => Answer::None(search.farthest.1),
        None => Answer::Undecided,
    }
}

/// The events of each process, but for its end.
fn lanes<'t>(plan: &Plan, trace: &'t Trace) -> Vec<Vec<&'t Event>> {
    let mut lanes = vec![Vec::new(); plan.processes.len()];
    for event in &trace.events {
        if event.verb != "end" || event.step.is_some() {
            lanes[event.id.process() as usize].push(event);
        }
    }
    lanes
}

/// Whether two events are the same. A process's id is another in each run: with `ids`, what is printed may hold one.
fn same(one: &Event, other: &Event, ids: bool) -> bool {
    (one.step, one.verb, one.target, one.element, one.implicit)
        == (other.step, other.verb, other.target, other.element, other.implicit)
        && (ids && one.verb == "print" || one.value == other.value)
        && (one.outcome, &one.second, one.cause) == (other.outcome, &other.second, other.cause)
}

impl Search<'_, '_, '_> {
    /// Whether a path leads on from here to the end of the trace; none where it was too much to look at.
    fn from(&mut self, state: &[u32]) -> Option<bool> {
        let Ok(told) = tell(self.space, &self.path) else { return Some(false) };
        let model = lanes(self.plan, &told.trace);
        let done: Vec<usize> = model.iter().map(Vec::len).collect();
        for (process, (ours, theirs)) in model.iter().zip(&self.lanes).enumerate() {
            // What a process had done when it was killed is there but for its last step, which it had no time to record.
            let killed = matches!(self.trace.ends[process], ProcessEnd::Killed(_) | ProcessEnd::Stopped);
            let fits = ours.iter().zip(theirs).all(|(one, other)| same(one, other, self.ids));
            if !fits || ours.len() > theirs.len() && !killed {
                return Some(false);
            }
        }
        let chosen = self.path.iter().flat_map(|step| step.choices.iter().map(|choice| (step.process, *choice)));
        if !self.seen.insert((state.to_vec(), done.clone(), chosen.collect())) {
            return Some(false);
        }
        if self.seen.len() > MOST {
            return None;
        }
        let total: usize = done.iter().sum();
        if total >= self.farthest.0 {
            self.farthest = (total, self.next(&done, &told));
        }
        if self.is_end(&done, &told) {
            return Some(true);
        }
        let mut moves: Vec<Transition> = Vec::new();
        if self.space.moves(state, &mut moves).is_err() {
            return Some(false);
        }
        // Whose event comes next in the trace goes first.
        let place = |process: u32| {
            let next = self.lanes.get(process as usize).and_then(|lane| lane.get(done[process as usize]));
            next.and_then(|next| self.trace.events.iter().position(|event| event.id == next.id)).unwrap_or(usize::MAX)
        };
        let mut moves: Vec<(usize, Transition)> = moves
            .into_iter()
            .map(|step| (if (step.process as usize) < done.len() { place(step.process) } else { 0 }, step))
            .collect();
        moves.sort_by_key(|(place, _)| *place);
        for (_, step) in moves {
            let mut after = state.to_vec();
            let way = self.space.step(step);
            if self.space.take(&mut after, step).is_err() {
                continue;
            }
            self.path.push(way);
            let found = self.from(&after);
            self.path.pop();
            if found != Some(false) {
                return found;
            }
        }
        Some(false)
    }

    fn is_end(&self, done: &[usize], told: &Told) -> bool {
        let (ours, theirs) = (&told.trace, self.trace);
        let end = match (&ours.end, &theirs.end) {
            (RunEnd::Completed, RunEnd::Completed) => true,
            (RunEnd::Deadlock, RunEnd::Deadlock) => {
                let who = |trace: &Trace| -> Vec<_> {
                    trace.stuck.iter().map(|waiting| (waiting.process, waiting.verb.clone(), waiting.target)).collect()
                };
                who(ours) == who(theirs)
            }
            _ => false,
        };
        end && ours.ends == theirs.ends
            && ours.finals == theirs.finals
            && done.iter().zip(&self.lanes).all(|(done, lane)| *done >= lane.len())
    }

    /// Where a path stands, and what would have to come.
    fn next(&self, done: &[usize], told: &Told) -> String {
        let mut text = String::new();
        for (process, lane) in self.lanes.iter().enumerate() {
            let next = lane.get(done[process]).map_or_else(|| "nothing".to_owned(), |event| format!("{event:?}"));
            text.push_str(&format!("\n  {} next {next}", self.plan.processes[process].name));
        }
        let (ours, theirs) = (&told.trace, self.trace);
        text.push_str(&format!("\n  model  {:?} {:?} {:?} {:?}", ours.end, ours.ends, ours.finals, ours.stuck));
        text.push_str(&format!("\n  kernel {:?} {:?} {:?} {:?}", theirs.end, theirs.ends, theirs.finals, theirs.stuck));
        for step in &self.path {
            text.push_str(&format!("\n  {step:?}"));
        }
        text
    }
}
