//! Counterexamples: the shortest execution that fails in the same way, and its point of no return.

pub mod shortest;

use super::counterexample::shortest::{Shortest, States, critical, shortest};
use super::execution::concretise::{Stood, Told, tell};
use super::execution::guided;
use super::execution::verdicts::{Fault, Story};
use super::run::bare;
use super::semantics::choice_point::{begins_turn, step_of};
use super::semantics::next_operation::is_visible;
use super::semantics::transition::{Kind, Nondeterminism, Step};
use super::state_space::StateSpace;
use crate::judge::{self, Status, Subject, Verdict};
use crate::scenario::plan::Plan;
use crate::schedule::Order;

/// How many states and last movers are searched for the shortest counterexample, and how many states for the critical
/// step.
const MOST: usize = 300_000;
/// How many ends are concretised and judged for the shortest counterexample, and for the critical step.
const ENDS: usize = 2_000;
/// A counterexample to print.
#[derive(Debug)]
pub struct Best {
    pub path: Vec<Step>,
    /// The same as a schedule, as it is read without what this exploration alone takes for steps of their own.
    pub orders: Vec<Order>,
    pub told: Told,
    /// What was found in it.
    pub verdict: Verdict,
    /// How often another process than before takes a step.
    pub switches: u32,
    /// Whether it is proven that no execution that fails alike has fewer switches, or as many and fewer steps.
    pub fewest: bool,
    /// The turn after which no end is left that is good in this respect.
    pub critical: Option<usize>,
    /// The turn from which on it goes round for ever, where it does.
    pub round: Option<usize>,
    /// The number of the story that it is the best of: [`Story::run`].
    pub run: u64,
}

/// The best story of what was found: the shortest that could be found, never a longer one. `status` is what each run
/// says that shows it, and `space` is a new one of the same plan.
///
/// # Errors
/// A process that the model cannot execute (`ModelError`), or a path that cannot be followed.
pub fn best(
    plan: &Plan,
    space: &mut StateSpace<'_>,
    story: &Story,
    (subject, label): (Subject, &str),
    status: Status,
) -> Result<Best, Fault> {
    let mut states = States::new(space);
    let mut judged = 0;
    let mut found = None;
    // A way round for ever has no end to look for.
    let cut = story.stem.is_some();
    let shortest = if cut {
        None
    } else {
        let looked = shortest(&mut states, MOST, &mut |states: &mut States<'_, '_>, way: &Shortest| {
            judged += 1;
            if judged > ENDS {
                return Ok(true);
            }
            let path = states.path(way)?;
            let told = tell(states.space(), &path).map_err(Fault::Lost)?;
            let says = judge::says(plan, &told.trace, (subject, label), status);
            if says {
                let verdict = judge::judge(plan, &told.trace);
                found = Some((path, told, verdict));
            }
            Ok(says)
        });
        unless_spent(looked)?.flatten()
    };
    let fewest = found.is_some();
    let (path, told, verdict) = match found.filter(|_| shortest.is_some()) {
        Some(found) => found,
        None => {
            let told = tell(states.space(), &story.path).map_err(Fault::Lost);
            match unless_spent(told)? {
                Some(mut told) => {
                    if cut {
                        told.round();
                    }
                    let verdict = judge::judge(plan, &told.trace);
                    (story.path.clone(), told, verdict)
                }
                None => (story.path.clone(), story.told.clone(), story.verdict.clone()),
            }
        }
    };
    let bad = status == Status::Fail;
    let critical =
        if cut || !bad { None } else { unless_spent(last_good(plan, &mut states, &path, (subject, label)))?.flatten() };
    let critical = critical.map(|place| turn(&path, place));
    let orders = orders(states.space(), &path, &told);
    let round = story.stem.map(|stem| turn(&path, stem));
    Ok(Best { run: story.run, switches: switches(&path), fewest, critical, round, path, told, verdict, orders })
}

/// What was found, or nothing where the budget was spent before.
fn unless_spent<T>(found: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match found {
        Err(fault) if fault.spent().is_some() => Ok(None),
        found => found.map(Some),
    }
}

/// The transitions of a path as a schedule. Those that are no turns where a schedule is followed are left out: a search
/// that can kill has more of them. An end that is none there is named, unless each stands behind the last step of its
/// process, where it comes by itself.
pub(super) fn orders(space: &StateSpace<'_>, path: &[Step], told: &Told) -> Vec<Order> {
    let plan = space.plan;
    let mut stood = told.stood.iter();
    let stood = path.iter().map(|step| if step.kind == Kind::Tick { None } else { stood.next().copied() });
    let turns: Vec<(&Step, Option<Stood>)> = path.iter().zip(stood).collect();
    let kill = path.iter().any(|step| step.kind == Kind::Kill);
    let replays = bare(plan, Nondeterminism { kill, ..space.leeway }, false);
    let is_end = |(step, stood): &(&Step, Option<Stood>)| {
        *stood == Some(Stood::End) && matches!(step.kind, Kind::Go) && !replays.ends[step.process as usize]
    };
    let apart = turns.iter().enumerate().any(|(at, turn)| {
        is_end(turn) && at.checked_sub(1).is_none_or(|before| turns[before].0.process != turn.0.process)
    });
    let is_turn = |(step, stood): &(&Step, Option<Stood>)| match stood {
        _ if !matches!(step.kind, Kind::Go | Kind::GiveUp | Kind::Arrive) => true,
        Some(Stood::Begin) => replays.begins[step.process as usize],
        Some(Stood::End) => apart || replays.ends[step.process as usize],
        Some(Stood::Instruction(place) | Stood::Mute(place)) => {
            plan.program(step.process).code.get(*place).is_none_or(|instruction| {
                let noticed = match (stood, step_of(instruction)) {
                    (Some(Stood::Mute(_)), number) => replays.visible.get(number as usize) == Some(&true),
                    _ => is_visible(instruction, &replays.visible),
                };
                noticed || space.leeway.random && (begins_turn(instruction) || !step.choices.is_empty())
            })
        }
        Some(Stood::Turn) | None => true,
    };
    guided::orders(turns.iter().filter(|turn| is_turn(turn)).map(|turn| (turn.0, is_end(turn))))
}

/// The step that leads away from the last state with a good end, by its place.
fn last_good(
    plan: &Plan,
    states: &mut States<'_, '_>,
    path: &[Step],
    named: (Subject, &str),
) -> Result<Option<usize>, Fault> {
    let nodes = states.along(path)?;
    let mut judged = 0;
    let place = critical(states, &nodes, MOST, &mut |states: &mut States<'_, '_>, node| {
        judged += 1;
        if judged > ENDS {
            return Ok(false);
        }
        let path = states.path_to(node)?;
        let told = tell(states.space(), &path).map_err(Fault::Lost)?;
        Ok(!judge::says(plan, &told.trace, named, Status::Fail))
    })?;
    // Where not every end was judged, one of them could be good.
    Ok(place.filter(|_| judged <= ENDS))
}

/// The turn that a step of a path is: where time passes, the next one.
fn turn(path: &[Step], place: usize) -> usize {
    path.iter().take(place).filter(|step| step.kind != Kind::Tick).count()
}

/// How often another process than before takes a step.
fn switches(path: &[Step]) -> u32 {
    let steps: Vec<&Step> = path.iter().filter(|step| step.kind != Kind::Tick).collect();
    steps.windows(2).filter(|pair| pair[0].process != pair[1].process).count() as u32
}
