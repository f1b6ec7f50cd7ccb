//! The static answers of each kind (`commute`, `enablers`, `touches`, `reach`), checked in every state of small random
//! scenarios of three processes, drawn for each kind of the catalogue.
//!
//! Steps that are declared independent are executed in both orders. A step may change only what its kind declares. A
//! step may enable a blocked process only if the kind declares it as an enabler.

use std::collections::BTreeSet;

use crate::event::{ObjectId, ProcessId};
use crate::explore::reduction::ample_set::uses;
use crate::explore::reduction::independence::{Footprints, Use, conflict, enables};
use crate::explore::semantics::next_operation::Next;
use crate::explore::semantics::transition::{Kind, Nondeterminism, Time};
use crate::explore::state_space::{StateSpace, Transition};
use crate::explore::strategy::bfs::{Limits, Reductions, Search};
use crate::explore::tests::plan;
use crate::generate::{self, Taste};
use crate::objects::CATALOGUE;
use crate::objects::contract::model::{Access, ShareAccess, Willing};

/// The most states of a scenario that is checked.
const MOST: usize = 400;

/// Three processes over objects of one kind, and those that it needs.
fn text(kind: &'static str, seed: u64) -> String {
    let taste = Taste {
        name: "one kind",
        kind: Some(kind),
        times: seed % 2 == 1,
        lives: false,
        steps: 3,
        ..generate::EVERYTHING
    };
    generate::scenario(seed, taste).text()
}

/// The steps of a process that a state allows.
fn own(space: &mut StateSpace<'_>, state: &[u32], process: ProcessId) -> Vec<Transition> {
    let mut moves = Vec::new();
    space.moves(state, &mut moves).expect("no program computes without end");
    moves.retain(|step| step.process == process && matches!(step.kind, Kind::Go | Kind::GiveUp));
    moves
}

fn after(space: &mut StateSpace<'_>, state: &[u32], step: Transition) -> Vec<u32> {
    let mut after = state.to_vec();
    space.take(&mut after, step).expect("no program computes without end");
    after
}

/// What a step uses, its process's end included where that comes with it.
fn used(space: &StateSpace<'_>, futures: &Footprints, process: ProcessId, before: &[u32], after: &[u32]) -> Vec<Use> {
    let mut all = uses(space, before[process as usize]);
    if !space.info(after[process as usize]).running {
        all.extend(futures.last(process).iter().map(|number| futures.uses[*number as usize]));
    }
    all
}

/// The access that a blocked process will make once it is enabled.
fn awaited(space: &StateSpace<'_>, state: &[u32], process: ProcessId) -> Option<(ObjectId, Access, bool)> {
    let number = state[process as usize];
    let Next::Object(own, access, willing) = &space.info(number).next else { return None };
    let segment = space.segment_of(number);
    let model = space.object_of(*own, state[space.plan.processes.len() + *own as usize]);
    let elsewhere = if segment.parked { model.waits_for(access.verb, segment.share(*own)) } else { None };
    let (object, access) = elsewhere.map_or((*own, *access), |(object, verb)| (object, Access::by_another(verb)));
    Some((object, access, *willing != Willing::Forever))
}

/// What is wrong with what is said of the steps of a scenario; none where nothing is, or where there is too much.
fn fault(text: &str) -> Option<String> {
    let plan = plan(text);
    let leeway = Nondeterminism { time: Time::Any, ..Nondeterminism::default() };
    let mut space = StateSpace::new(&plan, leeway, vec![false; plan.steps.len()], false);
    let mut states = Vec::new();
    {
        let mut search = Search::new(&mut space, Reductions::NONE);
        let limits = Limits { states: MOST, ..Limits::default() };
        search.run(limits, &mut |_| true).expect("no program computes without end");
        let mut state = vec![0; search.space.width()];
        for number in 0..search.store.len() as u32 {
            search.store.get(number, &mut state);
            states.push(state.clone());
        }
    }
    let futures = Footprints::new(&plan, false);
    let count = plan.processes.len() as ProcessId;
    for state in &states {
        for one in 0..count {
            if !matches!(space.info(state[one as usize]).next, Next::Object(..)) {
                continue;
            }
            for step in own(&mut space, state, one) {
                let there = after(&mut space, state, step);
                let ours = used(&space, &futures, one, state, &there);
                if let Some(problem) = changed(&space, state, &there, one, &ours) {
                    return Some(problem);
                }
                for other in (0..count).filter(|other| *other != one) {
                    if let Some(problem) = pair(&mut space, &futures, state, (one, step, &ours), (other, &there)) {
                        return Some(problem);
                    }
                }
            }
        }
    }
    None
}

/// Whether a step changes more than it is said to use.
fn changed(space: &StateSpace<'_>, before: &[u32], after: &[u32], process: ProcessId, ours: &[Use]) -> Option<String> {
    let plan = space.plan;
    let processes = plan.processes.len();
    for object in 0..plan.objects.len() as ObjectId {
        let at = processes + object as usize;
        let said = |uses: &Use| matches!(uses, Use::Object(id, ..) | Use::Leave(id) if *id == object);
        if before[at] != after[at] && !ours.iter().any(said) {
            return Some(format!("{ours:?} changes {}", plan.objects[object as usize].name));
        }
    }
    let reaches = ours.iter().any(|uses| match uses {
        Use::Object(object, access, _) => {
            space.object_of(*object, before[processes + *object as usize]).reach(access.verb) == ShareAccess::All
        }
        _ => false,
    });
    let others = (0..processes).filter(|other| *other != process as usize);
    let ended = !space.info(after[process as usize]).running;
    let reached = others.into_iter().any(|other| before[other] != after[other]);
    (reached && !reaches && !ended).then(|| format!("{ours:?} reaches the share of another process"))
}

/// A process that the step enables although the step is not among its enablers, or is declared independent of it.
fn pair(
    space: &mut StateSpace<'_>,
    futures: &Footprints,
    state: &[u32],
    (one, step, ours): (ProcessId, Transition, &[Use]),
    (other, there): (ProcessId, &[u32]),
) -> Option<String> {
    let plan = space.plan;
    let (object, access, fails) = awaited(space, state, other)?;
    let theirs = own(space, state, other);
    let goes = |moves: &[Transition]| moves.iter().any(|step| step.kind == Kind::Go);
    let then = own(space, there, other);
    if !goes(&theirs) && goes(&then) {
        let owner = plan.objects[object as usize].object.has_owner()
            && space.segment_of(state[one as usize]).share(object) != 0;
        let waiting = Use::Object(object, access, fails);
        if !owner && !ours.iter().any(|able| enables(plan, *able, waiting)) {
            return Some(format!("{ours:?} enables {waiting:?}"));
        }
    }
    for kind in [Kind::Go, Kind::GiveUp] {
        let before: Vec<Transition> = theirs.iter().copied().filter(|step| step.kind == kind).collect();
        let Some(first) = before.first() else { continue };
        let behind = after(space, state, *first);
        let uses = used(space, futures, other, state, &behind);
        if ours.iter().any(|one| uses.iter().any(|two| conflict(plan, *one, *two))) {
            continue;
        }
        // All ways of the two steps, in both orders.
        let mut there_and_back = BTreeSet::new();
        let mut back_and_there = BTreeSet::new();
        for mine in own(space, state, one).into_iter().filter(|mine| mine.kind == step.kind) {
            let there = after(space, state, mine);
            for next in own(space, &there, other).into_iter().filter(|next| next.kind == kind) {
                there_and_back.insert(after(space, &there, next));
            }
        }
        for their in before {
            let there = after(space, state, their);
            for next in own(space, &there, one).into_iter().filter(|next| next.kind == step.kind) {
                back_and_there.insert(after(space, &there, next));
            }
        }
        if there_and_back != back_and_there {
            return Some(format!("{ours:?} does not change places with {uses:?}"));
        }
    }
    None
}

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}

#[test]
fn what_each_kind_says_of_its_steps_is_so() {
    let first = number("IPCRUN_DRAWN_SEED", 0);
    let mut problems = Vec::new();
    for kind in CATALOGUE {
        for seed in first..first + number("IPCRUN_DRAWN", 12) {
            let text = text(kind.name, seed);
            if let Some(problem) = fault(&text) {
                println!("## {} seed {seed}: {problem}\n{text}", kind.name);
                problems.push(format!("{} {seed}: {problem}", kind.name));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
