//! What each kind says of its steps (`commute`, `enablers`, `has_owner`, `touches`, `reach`, `waits_for`, `turns`, `part`), checked in
//! every state of small random scenarios of three processes, drawn for each kind of the catalogue.
//!
//! Steps that are declared independent are executed in both orders. A step may change only what its kind declares. A
//! step may enable a blocked process only if the kind declares it as an enabler. A process that has ended holds nothing.

use std::sync::Arc;

use std::collections::BTreeSet;

use crate::event::{ObjectId, ProcessId, Target};
use crate::explore::reduction::ample_set::uses;
use crate::explore::reduction::independence::{Footprints, Use, conflict, enables};
use crate::explore::semantics::transition::{Kind, Nondeterminism, Time};
use crate::explore::state_space::{StateSpace, Transition};
use crate::explore::strategy::bfs::{Limits, Reductions, Search};
use crate::explore::tests::plan;
use crate::generate::{self, Taste};
use crate::objects::contract::model::{Model, ModelCall, ShareAccess, Willing};
use crate::objects::contract::operation::Access;
use crate::objects::testing::one_model::NoStage;
use crate::objects::{CATALOGUE, Effect};
use crate::value::Value;

/// The most states of a scenario that is checked.
const MOST: usize = 400;

/// Three processes over objects of one kind, and those that it needs.
pub(super) fn text(kind: &'static str, seed: u64) -> String {
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

/// Scenarios of a kind that are too seldom drawn: a message of two packets where there is room for one, a pipe whose room changes
/// around what is in it, one whose writers end by SIGPIPE, a value that is a futex.
const RARE: &[(&str, &str)] = &[
    (
        "pipe",
        r#"
[objects]
p = { kind = "pipe", capacity = 1 }
[processes.a]
steps = [{ send = "p.w", value = { bytes = "x", repeat = 5000 } }]
[processes.b]
steps = [{ recv = "p.r" }]
[processes.c]
steps = [{ recv = "p.r", timeout = "0s", outcome = "o" }]
"#,
    ),
    (
        "pipe",
        r#"
[objects]
p = { kind = "pipe", framing = "bytes", capacity = 8192 }
[processes.a]
steps = [{ send = "p.w", value = { bytes = "x", repeat = 9000 } }, { resize = "p.w", value = 100, outcome = "o" }]
[processes.b]
steps = [{ resize = "p.r", value = 16384 }, { recv = "p.r", max = 100 }, { size = "p.r" }]
[processes.c]
steps = [{ resize = "p.w", value = 4096, outcome = "o" }, { send = "p.w", value = "y", timeout = "0s", outcome = "o" }]
"#,
    ),
    (
        "pipe",
        r#"
[objects]
p = { kind = "pipe", capacity = 1, count = 2 }
[processes.a]
signals = { PIPE = "default" }
steps = [{ send = "p[0].w", value = 1, outcome = "o" }, { send = "p[0].w", value = 2, outcome = "o" }]
[processes.b]
signals = { PIPE = "default" }
uses = ["p[1].w"]
steps = [{ recv = "p[0].r" }, { close = "p[0].r" }, { send = "p[0].w", value = 3, outcome = "o" }]
[processes.c]
steps = [{ recv = "p[1].r", outcome = "o" }]
"#,
    ),
    (
        "value",
        r#"
[objects]
word = { kind = "value", type = "u32" }
[processes.sleeper]
count = 2
steps = [{ futex_wait = "word", value = 0, outcome = "o" }, { add = "word", value = 1 }]
[processes.waker]
steps = [
  { futex_wake = "word", n = 2 },
  { futex_wait = "word", value = 1, timeout = "1ms", outcome = "o" },
  { futex_wake = "word" },
]
"#,
    ),
];

/// Those of a kind.
pub(super) fn rare(kind: &'static str) -> impl Iterator<Item = &'static str> {
    RARE.iter().filter(move |(of, _)| *of == kind).map(|(_, text)| *text)
}

/// The steps of a process that a state allows.
fn own(space: &mut StateSpace<'_>, state: &[u32], process: ProcessId) -> Vec<Transition> {
    let mut moves = Vec::new();
    space.moves(state, &mut moves).expect("no program computes without end");
    moves.retain(|step| step.process == process && matches!(step.kind, Kind::Go | Kind::GiveUp));
    moves
}

pub(super) fn after(space: &mut StateSpace<'_>, state: &[u32], step: Transition) -> Vec<u32> {
    let mut after = state.to_vec();
    space.take(&mut after, step).expect("no program computes without end");
    after
}

/// What a step uses, its process's end included where that comes with it.
pub(super) fn used(
    space: &StateSpace<'_>,
    futures: &Footprints,
    process: ProcessId,
    before: &[u32],
    after: &[u32],
) -> Vec<Use> {
    let mut all = uses(space, before[process as usize]);
    if !space.info(after[process as usize]).running {
        all.extend(futures.last(process).iter().map(|number| futures.uses[*number as usize]));
    }
    all
}

/// The access that a blocked process will make once it is enabled.
fn awaited(space: &StateSpace<'_>, state: &[u32], process: ProcessId) -> Option<(ObjectId, Access, bool)> {
    let number = state[process as usize];
    let next = space.info(number).next.operation()?;
    let (own, access) = next.object()?;
    let segment = space.segment_of(number);
    let model = space.object_of(own, state[space.plan.processes.len() + own as usize]);
    let elsewhere = if segment.parked { model.waits_for(access.verb, segment.share(own)) } else { None };
    let (object, access) = elsewhere.map_or((own, access), |(object, verb)| (object, Access::by_another(verb)));
    Some((object, access, next.gives_up()))
}

/// What is wrong with what is said of the steps of a scenario; none where nothing is, or where there is too much.
pub(super) fn fault(text: &str, kill: bool) -> Option<String> {
    let plan = plan(text);
    let leeway = Nondeterminism { time: Time::Any, kill, ..Nondeterminism::default() };
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
    let futures = Footprints::new(&plan, false, &Arc::default()).expect("nothing limits it");
    let count = plan.processes.len() as ProcessId;
    for state in &states {
        if let Some(problem) = held(&space, state) {
            return Some(problem);
        }
        for one in 0..count {
            if space.info(state[one as usize]).next.object().is_none() {
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
        let said = |uses: &Use| uses.target == Target::Object(object);
        if before[at] != after[at] && !ours.iter().any(said) {
            return Some(format!("{ours:?} changes {}", plan.objects[object as usize].name));
        }
    }
    let reaches = ours.iter().any(|uses| {
        uses.as_object().is_some_and(|object| {
            let model = space.object_of(object, before[processes + object as usize]);
            model.reach(uses.access.verb) == ShareAccess::All
        })
    });
    let others = (0..processes).filter(|other| *other != process as usize);
    let ended = !space.info(after[process as usize]).running;
    if let Some(dead) = others.clone().find(|other| space.info(before[*other]).ended && before[*other] != after[*other])
    {
        return Some(format!("{ours:?} changes what process {dead} left, which has ended"));
    }
    let reached = others.clone().any(|other| before[other] != after[other]);
    (reached && !reaches && !ended).then(|| format!("{ours:?} reaches the share of another process"))
}

pub(super) fn key(model: &dyn Model) -> Vec<u8> {
    let mut key = Vec::new();
    model.key(&mut key);
    key
}

/// Whether one of those names stands in the value.
fn is_named(value: &Value, names: &[String]) -> bool {
    match value {
        Value::String(text) => names.iter().any(|name| **name == **text),
        Value::List(list) => list.iter().any(|value| is_named(value, names)),
        Value::Map(map) => map.values().any(|value| is_named(value, names)),
        _ => false,
    }
}

/// Whether an object names a process, or is still held by one that has ended, although that is not said of it.
fn held(space: &StateSpace<'_>, state: &[u32]) -> Option<String> {
    let plan = space.plan;
    let names: Vec<String> = plan.processes.iter().map(|process| process.name.clone()).collect();
    let count = plan.processes.len();
    for (object, planned) in (0..).zip(&plan.objects) {
        let model = space.object_of(object, state[count + object as usize]);
        for number in &state[..count] {
            if let Some((own, access)) = space.info(*number).next.object()
                && own == object
                && space.segment_of(*number).parked
                && model.turns(access.verb) == Some(1)
            {
                return Some(format!("{access:?} parks, although it takes one turn"));
            }
        }
        for (process, number) in (0..).zip(&state[..count]) {
            let segment = space.segment_of(*number);
            if segment.parked && space.info(*number).next.object().is_some_and(|(own, _)| own == object) {
                let (mut share, mut left) = (segment.share(object), model.copy());
                left.part(&mut share, &plan.held(process, object), true);
                if share == segment.share(object) && key(model) == key(&*left) {
                    return Some(format!("the end of process {process} does not end its wait for {}", planned.name));
                }
            }
        }
        let to = |object: ObjectId| object + plan.objects.len() as ObjectId;
        let (exchanged, verbs) = (model.exchanged(&to), plan.kind(object).verbs.len() as u8);
        let mut shares: Vec<u32> =
            state[..count].iter().map(|number| space.segment_of(*number).share(object)).collect();
        if is_named(&model.value(&shares, &names), &names) && !planned.object.has_owner() {
            return Some(format!("{} is the name of a process", planned.name));
        }
        let waits = |model: &dyn Model, to: &dyn Fn(ObjectId) -> ObjectId| -> Vec<_> {
            let all = shares.iter().flat_map(|share| (0..verbs).map(move |verb| (verb, *share)));
            all.map(|(verb, share)| model.waits_for(verb, share).map(|(object, verb)| (to(object), verb))).collect()
        };
        if waits(&*exchanged, &|object| object) != waits(model, &to) {
            return Some(format!("{} names the same objects when it is another's state", planned.name));
        }
        let ended = (0..count as ProcessId).filter(|process| space.info(state[*process as usize]).ended);
        for process in ended {
            if planned.object.notices_ends() && model.owner(&shares) == Some(process) {
                return Some(format!("process {process} has ended and owns {}", planned.name));
            }
            let closes = plan.kind(object).verb_that(Effect::Closes);
            let ends = (0..).zip(plan.held(process, object)).filter(|(_, held)| *held);
            for ((end, _), verb) in ends.zip(closes) {
                let mut again = model.copy();
                let arguments = vec![Value::Null; plan.kind(object).verbs[verb as usize].arguments.len()];
                again.step(&mut ModelCall {
                    verb,
                    end,
                    element: None,
                    arguments: &arguments,
                    willing: Willing::Never,
                    process,
                    shares: &mut shares,
                    event: 0,
                    stage: &mut NoStage,
                });
                if key(model) != key(&*again) {
                    return Some(format!("process {process} has ended and holds an end of {}", planned.name));
                }
            }
        }
    }
    None
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
        let waiting = Use::object(object, access, fails);
        let said = if plan.objects[object as usize].object.has_owner() {
            space.segment_of(state[one as usize]).share(object) != 0
        } else {
            ours.iter().any(|able| enables(plan, *able, waiting))
        };
        if !said {
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

#[test]
fn what_each_kind_says_of_its_steps_is_so() {
    let mut problems = Vec::new();
    for kind in CATALOGUE {
        problems.extend(rare(kind.name).filter_map(|text| fault(text, false)));
        for seed in super::first()..super::first() + super::count(12) {
            let text = text(kind.name, seed);
            if let Some(problem) = fault(&text, seed % 3 == 2) {
                println!("## {} seed {seed}: {problem}\n{text}", kind.name);
                problems.push(format!("{} {seed}: {problem}", kind.name));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
