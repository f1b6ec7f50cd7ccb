//! From the turns of a schedule to a path of the model: whose turn it is and what is chosen is given, all else (when
//! time passes, which step gives up) follows. Also random paths, and the completion of short ones.

use std::collections::HashSet;

use super::concretise::{Lost, tell};
use crate::event::ProcessId;
use crate::explore::semantics::transition::{Kind, ModelError, Standing, Step};
use crate::explore::state_space::{StateSpace, Transition, is_over};
use crate::scenario::plan::Plan;
use crate::schedule::Order;
use crate::trace::Waiting;

/// The most steps of a path that was not given: a scenario that never ends is cut there.
const MOST: usize = 100_000;
/// The most steps by which a path is completed.
const REST: usize = 10_000;

/// Why a turn cannot be taken.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// The process has ended.
    Ended,
    /// The process has not begun.
    NotBegun,
    /// The process is stopped by a signal.
    Stopped,
    /// It waits: for which object and which processes.
    Waits(Waiting),
    /// It waits for its time, which passes only when nothing else can move.
    Sleeps { others: Vec<ProcessId> },
    /// No signal that would end it was sent to it.
    NoSignal,
    /// No signal whose handler could run was sent to it.
    NoHandler,
    /// It is in no wait that can end although nothing ends it.
    NoWait,
    /// It has a step before its end.
    NoEnd,
    /// There is no such choice: how many possibilities there are.
    NoChoice(usize),
    /// It loops without an observable step.
    ModelError(ProcessId),
}

/// A turn that cannot be taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The place of the entry in the schedule.
    pub entry: usize,
    /// Which of its turns it is, from 0.
    pub turn: u32,
    pub why: Why,
}

/// The path that a schedule describes.
///
/// # Errors
/// The first turn that cannot be taken.
pub fn follow(space: &mut StateSpace<'_>, orders: &[Order]) -> Result<Vec<Step>, Refused> {
    let endless = |endless: ModelError| Refused { entry: 0, turn: 0, why: Why::ModelError(endless.process) };
    let mut walker = Walker::new(space).map_err(endless)?;
    for (entry, order) in orders.iter().enumerate() {
        for turn in 0..order.turns {
            if let Err(why) = walker.turn(order) {
                let why = match why {
                    Why::Waits(_) => waits(walker.space, &walker.path, order.process).unwrap_or(why),
                    other => other,
                };
                return Err(Refused { entry, turn, why });
            }
        }
    }
    Ok(walker.path)
}

/// Goes on from where a path ends, until nothing can move any more: the processes take turns in their order. A scenario
/// that never ends is cut where a state returns, which is then said, or after some thousand steps.
///
/// # Errors
/// A process that the model cannot execute: `ModelError`.
pub fn complete(space: &mut StateSpace<'_>, path: &[Step]) -> Result<(Vec<Step>, bool), ModelError> {
    let mut walker = Walker::new(space)?;
    for step in path {
        walker.again(step)?;
    }
    let processes = walker.space.plan.processes.len() as ProcessId;
    let mut next = 0;
    let mut seen = HashSet::new();
    while walker.path.len() < path.len() + REST {
        walker.look()?;
        if is_over(&walker.moves) {
            break;
        }
        let ahead = |step: &Transition| (step.process.wrapping_add(processes - next)) % processes.max(1);
        let going = walker.moves.iter().filter(|step| !matches!(step.kind, Kind::Kill | Kind::Wake));
        let Some(step) = going.min_by_key(|step| ahead(step)).copied() else { break };
        // What happens next follows from the state and from whose turn it is.
        if !seen.insert((walker.state.clone(), next)) {
            return Ok((walker.path, true));
        }
        if step.kind != Kind::Tick {
            next = (step.process + 1) % processes;
        }
        walker.take(step)?;
    }
    Ok((walker.path, false))
}

/// A random path to an end: of all that can happen next, each is equally likely. The same seed gives the same path. A
/// scenario that never ends is cut after a hundred thousand steps.
///
/// # Errors
/// A process that the model cannot execute: `ModelError`.
pub fn walk(space: &mut StateSpace<'_>, seed: u64) -> Result<Vec<Step>, ModelError> {
    let mut walker = Walker::new(space)?;
    let mut random = seed;
    while walker.path.len() < MOST {
        walker.look()?;
        if is_over(&walker.moves) {
            break;
        }
        walker.moves.retain(|step| !matches!(step.kind, Kind::Kill | Kind::Wake));
        let at = below(&mut random, walker.moves.len() as u64) as usize;
        walker.take(walker.moves[at])?;
    }
    Ok(walker.path)
}

/// SplitMix64, whose sequence is part of what `seed:N` means.
pub(crate) fn below(state: &mut u64, count: u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    ((u128::from(z) * u128::from(count)) >> 64) as u64
}

/// The turns of a path, as a schedule writes them, each with whether it is an end that has to be named: turns of one
/// process that choose nothing stand together.
pub fn orders<'s>(turns: impl Iterator<Item = (&'s Step, bool)>) -> Vec<Order> {
    let mut orders: Vec<Order> = Vec::new();
    for (step, ends) in turns.filter(|(step, _)| step.kind != Kind::Tick) {
        let killed = step.kind == Kind::Kill;
        let dies = step.kind == Kind::Die || killed;
        let chosen = step.choices.iter().any(|choice| *choice != 0);
        let choices = if chosen { step.choices.clone() } else { Vec::new() };
        let (wakes, arrives) = (step.kind == Kind::Wake, step.kind == Kind::Arrive);
        let handles = step.kind == Kind::Handle;
        let plain = !dies && !chosen && !handles && !wakes && !ends && !arrives;
        match orders.last_mut() {
            Some(last) if plain && last.process == step.process && last.is_plain() => {
                last.turns += 1;
            }
            _ => {
                let process = step.process;
                let named = Order { choices, dies, killed, handles, wakes, ends, arrives, ..Order::of(process, 0..0) };
                orders.push(named);
            }
        }
    }
    orders
}

/// The process that is killed from outside on a path, and in which step.
pub fn struck(space: &StateSpace<'_>, path: &[Step]) -> Option<(ProcessId, Option<Waiting>)> {
    let place = path.iter().position(|step| step.kind == Kind::Kill)?;
    let process = path[place].process;
    let told = tell(space, &path[..place]).ok()?;
    let waiting = told.trace.end.doing().unwrap_or(&told.trace.stuck);
    Some((process, waiting.iter().find(|one| one.process == process).cloned()))
}

/// The waits at the end of a path.
fn waits(space: &StateSpace<'_>, path: &[Step], process: ProcessId) -> Option<Why> {
    let told = tell(space, path).ok()?;
    find(told.trace.end.doing().unwrap_or(&told.trace.stuck), process)
}

pub(in crate::explore) fn find(waiting: &[Waiting], process: ProcessId) -> Option<Why> {
    waiting.iter().find(|one| one.process == process).cloned().map(Why::Waits)
}

/// Follows a path through the numbered states.
struct Walker<'s, 'p> {
    space: &'s mut StateSpace<'p>,
    state: Vec<u32>,
    moves: Vec<Transition>,
    path: Vec<Step>,
}

impl<'s, 'p> Walker<'s, 'p> {
    fn new(space: &'s mut StateSpace<'p>) -> Result<Self, ModelError> {
        let state = space.initial()?;
        Ok(Self { space, state, moves: Vec::new(), path: Vec::new() })
    }

    fn look(&mut self) -> Result<(), ModelError> {
        let mut moves = std::mem::take(&mut self.moves);
        let looked = self.space.moves(&self.state, &mut moves);
        self.moves = moves;
        looked
    }

    fn take(&mut self, step: Transition) -> Result<(), ModelError> {
        self.path.push(Step { process: step.process, kind: step.kind, choices: self.space.script(step) });
        self.space.take(&mut self.state, step)
    }

    /// Takes a step of a path that is known to be one.
    fn again(&mut self, step: &Step) -> Result<(), ModelError> {
        self.look()?;
        let is = |way: &&Transition, kind: Kind| {
            way.process == step.process && way.kind == kind && self.space.script(**way) == step.choices
        };
        // A state that does not remember waits has the one step for both.
        let kind = if step.kind == Kind::Arrive { Kind::Go } else { step.kind };
        match self.moves.iter().find(|way| is(way, kind)).copied() {
            Some(way) => self.take(Transition { kind: step.kind, ..way }),
            None => Ok(()),
        }
    }

    /// Takes a turn of a schedule. Where it cannot, for what the process waits is found out afterwards.
    fn turn(&mut self, order: &Order) -> Result<(), Why> {
        let process = order.process;
        let endless = |endless: ModelError| Why::ModelError(endless.process);
        if order.ends && self.space.segment_of(self.state[process as usize]).leaving.is_none() {
            return Err(self.why(order));
        }
        loop {
            self.look().map_err(endless)?;
            let own: Vec<Transition> = self.moves.iter().copied().filter(|step| step.process == process).collect();
            let wanted = |step: &Transition| match step.kind {
                Kind::Die => order.dies && !order.killed,
                Kind::Kill => order.killed,
                Kind::Wake => order.wakes,
                Kind::Handle => order.handles,
                Kind::GiveUp => !order.dies && !order.handles && !order.wakes && !order.arrives,
                Kind::Go | Kind::Tick => !order.dies && !order.handles && !order.wakes,
                // Only a state that remembers waits has these, and no schedule is followed there.
                Kind::Arrive => false,
            };
            let ways: Vec<Transition> = own.into_iter().filter(wanted).collect();
            if !ways.is_empty() {
                // What is left out is the first possibility.
                let said = |at: usize| order.choices.get(at).copied().unwrap_or(0);
                let wanted = |step: &&Transition| {
                    let script = self.space.script(**step);
                    let most = script.len().max(order.choices.len());
                    (0..most).all(|at| said(at) == script.get(at).copied().unwrap_or(0))
                };
                let Some(step) = ways.iter().find(wanted).copied() else { return Err(Why::NoChoice(ways.len())) };
                let kind = if order.arrives { Kind::Arrive } else { step.kind };
                return self.take(Transition { kind, ..step }).map_err(endless);
            }
            // Time passes by itself where it is all that can happen, if that is what the process waits for.
            let tick = self.moves.first().copied().filter(|step| step.kind == Kind::Tick && !order.killed);
            match tick {
                Some(tick) if self.space.has_deadline(&self.state, process) => self.take(tick).map_err(endless)?,
                _ => return Err(self.why(order)),
            }
        }
    }

    fn why(&self, order: &Order) -> Why {
        let process = order.process;
        if order.dies && !order.killed {
            return Why::NoSignal;
        }
        if order.handles {
            return Why::NoHandler;
        }
        if order.wakes {
            return Why::NoWait;
        }
        match self.space.standing(&self.state, process) {
            Standing::Ended => Why::Ended,
            Standing::Stopped => Why::Stopped,
            _ if order.ends => Why::NoEnd,
            Standing::NotBegun => Why::NotBegun,
            Standing::Timed => {
                let mut others: Vec<ProcessId> = self.moves.iter().map(|step| step.process).collect();
                others.dedup();
                Why::Sleeps { others }
            }
            Standing::Waits => Why::Waits(Waiting {
                process,
                step: None,
                verb: String::new(),
                target: crate::event::Target::None,
                since: 0,
                on: Vec::new(),
                holder: None,
            }),
        }
    }
}

/// Says why a turn cannot be taken, as half a sentence behind the process's name.
pub fn because(plan: &Plan, why: &Why) -> String {
    match why {
        Why::Sleeps { .. } => format!("cannot continue here: {}", obstacle(plan, why)),
        Why::Waits(_) => format!("cannot continue here: it {}", obstacle(plan, why)),
        other => obstacle(plan, other),
    }
}

/// What keeps a process from going on, as half a sentence.
pub fn obstacle(plan: &Plan, why: &Why) -> String {
    match why {
        Why::Ended => "has ended".to_owned(),
        Why::NotBegun => "has not begun".to_owned(),
        Why::Stopped => "is stopped by a signal".to_owned(),
        Why::NoSignal => "cannot die here: no signal that ends it was sent to it".to_owned(),
        Why::NoHandler => "cannot handle a signal here: none whose handler can run was sent to it".to_owned(),
        Why::NoWait => "cannot wake here: it is in no wait that can end without a notification".to_owned(),
        Why::NoEnd => "cannot end here: it has a step before its end".to_owned(),
        Why::NoChoice(count) => {
            format!(
                "has no such choice here: there {}",
                match count {
                    1 => "is only 0".to_owned(),
                    count => format!("are {count} possibilities"),
                }
            )
        }
        Why::ModelError(_) => "loops without an observable step".to_owned(),
        Why::Sleeps { others } => {
            let first = others.first().and_then(|other| plan.processes.get(*other as usize));
            let who = first.map_or(String::new(), |other| format!(", and {} can", other.name));
            format!("time passes only when nothing else can move{who}")
        }
        Why::Waits(waiting) => {
            let target = plan.target_name(waiting.target);
            let mut text = format!("waits in {} {target}", waiting.verb).trim_end().to_owned();
            let names = |all: &[ProcessId]| {
                let names: Vec<&str> =
                    all.iter().take(3).map(|other| plan.processes[*other as usize].name.as_str()).collect();
                names.join(", ")
            };
            if let Some(holder) = waiting.holder {
                text.push_str(&format!(", held by {}", names(&[holder])));
            } else if !waiting.on.is_empty() && waiting.on.len() <= 3 {
                text.push_str(&format!("; only {} can unblock it", names(&waiting.on)));
            }
            text
        }
    }
}

/// The first obstacle on a path, as half a sentence.
pub fn lost(plan: &Plan, lost: &Lost) -> String {
    match lost {
        Lost::Blocked { place } => format!("the process of step {} cannot continue there", place + 1),
        Lost::Waited { place } => {
            format!("the process of step {} cannot arrive there: it has waited in its step", place + 1)
        }
        Lost::Gone { place } => format!("step {} names a process that does not exist", place + 1),
        Lost::Spent(_) => "the time or memory limit was reached first".to_owned(),
        Lost::ModelError(process) => {
            format!("{} loops without an observable step", plan.processes[*process as usize].name)
        }
    }
}
