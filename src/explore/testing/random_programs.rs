//! Random small programs, by which the reductions are compared with the search that leaves nothing out.

use std::collections::{BTreeSet, HashMap};

use crate::event::ObjectId;
use crate::explore::base::injected_bugs::{MUTANT, Mutant};
use crate::explore::reduction::symmetry::Symmetry;
use crate::explore::semantics::transition::{Nondeterminism, Time};
use crate::explore::state_space::StateSpace;
use crate::explore::strategy::bfs::{Limits, Reductions, Search};
use crate::explore::tests::plan;
use crate::generate::{EVERYTHING, LIVES, STOPS, Scenario, Taste, scenario};
use crate::interpreter::Random;
use crate::objects::Effect;
use crate::objects::contract::operation::Access;

/// What a search finds: its ends, each as the state that stands for it where processes that are alike change places; and
/// the places of two programs at which a race was seen: both are about to touch a cell, one of them to write it.
#[derive(Debug, Default, Eq, PartialEq)]
struct Found {
    ends: BTreeSet<Vec<u32>>,
    races: BTreeSet<[(usize, usize); 2]>,
}

/// What a search finds, and all states that it met, each as the one that stands for it; none where there is too much or a
/// process computes without end.
fn found(space: &mut StateSpace<'_>, reductions: Reductions, most: usize) -> Option<(Found, BTreeSet<Vec<u32>>)> {
    let mut symmetry = Symmetry::new(space);
    let mut search = Search::new(space, reductions);
    search.run(Limits { states: most, ..Limits::default() }, &mut |_| true).ok()?;
    if search.cut.is_some() {
        return None;
    }
    let mut found = Found::default();
    let mut races = Races::default();
    let mut state = vec![0; search.space.width()];
    let mut states = BTreeSet::new();
    for number in 0..search.store.len() as u32 {
        search.store.get(number, &mut state);
        races.look(search.space, &state, &mut found.races);
        symmetry.settle(search.space, &mut state);
        states.insert(state.clone());
    }
    if reductions.symmetry {
        assert_eq!(states.len(), search.store.len(), "two states that were met are the same but for an exchange");
    }
    for end in search.ends {
        search.store.get(end, &mut state);
        symmetry.settle(search.space, &mut state);
        found.ends.insert(state.clone());
    }
    Some((found, states))
}

/// What a process is about to do to a cell: its program and place there, the cell and how it is used.
#[derive(Clone, Copy)]
struct Cell {
    place: (usize, usize),
    object: ObjectId,
    access: Access,
}

/// Looks for races, state by state.
#[derive(Default)]
struct Races {
    /// By where a process stands: what it is about to do to a cell, where it was met there.
    known: HashMap<u32, Option<Cell>>,
    standing: Vec<Cell>,
}

impl Races {
    fn look(&mut self, space: &StateSpace<'_>, state: &[u32], races: &mut BTreeSet<[(usize, usize); 2]>) {
        let plan = space.plan;
        self.standing.clear();
        for (process, number) in state[..plan.processes.len()].iter().enumerate() {
            let cell = self.known.entry(*number).or_insert_with(|| Self::cell(space, process, *number));
            self.standing.extend(*cell);
        }
        for (at, one) in self.standing.iter().enumerate() {
            for two in &self.standing[at + 1..] {
                let own = &plan.objects[one.object as usize].object;
                if one.object == two.object && !own.commute(one.access, two.access) {
                    races.insert([one.place.min(two.place), one.place.max(two.place)]);
                }
            }
        }
    }

    fn cell(space: &StateSpace<'_>, process: usize, number: u32) -> Option<Cell> {
        let (object, access) = space.info(number).next.object()?;
        let effect = space.plan.kind(object).verbs[access.verb as usize].effect;
        let program = space.plan.processes[process].program;
        let place = (program, space.segment_of(number).machine.place_in_program());
        matches!(effect, Effect::Reads | Effect::Writes).then_some(Cell { place, object, access })
    }
}

/// The first of these programs of which a reduced search finds other ends than the full one, and how many were compared.
fn difference(
    seeds: std::ops::Range<u64>,
    taste: Taste,
    leeway: impl Into<Nondeterminism>,
    most: usize,
) -> (u64, Option<String>) {
    let leeway = leeway.into();
    let mut compared = 0;
    for seed in seeds {
        let drawn = scenario(seed, taste);
        let mut text = drawn.text();
        // One of its processes, or none, is killed by another.
        let processes = drawn.processes();
        if let Some(victim) = processes.get(seed as usize % (processes.len() + 1)).filter(|_| taste.lives) {
            text += &Scenario::killer(victim);
        }
        match left_out(&text, leeway, most) {
            Ok(looked) => compared += u64::from(looked),
            Err(problem) => return (compared, Some(format!("{problem}, seed {seed}\n{text}"))),
        }
    }
    (compared, None)
}

/// Compares the reduced searches of a program with the full one; false where there is too much to look at.
///
/// # Errors
/// What a reduced search does not find.
fn left_out(text: &str, leeway: Nondeterminism, most: usize) -> Result<bool, String> {
    let plan = plan(text);
    let mut space = StateSpace::new(&plan, leeway, vec![false; plan.steps.len()], false);
    let Some((full, states)) = found(&mut space, Reductions::NONE, most) else { return Ok(false) };
    for (partial_order, symmetry) in [(true, false), (false, true), (true, true)] {
        let reductions = Reductions { partial_order, symmetry };
        let reduced = found(&mut space, reductions, most);
        // Where nothing is left out but what is the same, every state is met or one that stands for it.
        let all = |met: &BTreeSet<Vec<u32>>| if partial_order { met.is_subset(&states) } else { *met == states };
        if reduced.as_ref().is_none_or(|(found, met)| *found != full || !all(met)) {
            let sizes = |found: &Found| (found.ends.len(), found.races.len());
            let (found, full) = (reduced.as_ref().map(|(found, _)| sizes(found)), sizes(&full));
            return Err(format!("{reductions:?} with {leeway:?}: {found:?}, not {full:?} ends and races"));
        }
    }
    Ok(true)
}

/// What a reduced search does not find in a scenario drawn from the catalogue, in which processes have objects of one kind of
/// their own.
pub(super) fn fault(kind: &'static str, seed: u64) -> Option<String> {
    let taste = Taste { kind: Some(kind), times: seed % 2 == 1, ..OWNING };
    let time = if seed % 4 > 1 { Time::Any } else { Time::Virtual };
    left_out(&scenario(seed, taste).text(), time.into(), 400).err()
}

fn compare(seeds: std::ops::Range<u64>, taste: Taste, leeway: impl Into<Nondeterminism>) {
    let (compared, difference) = difference(seeds, taste, leeway, 20_000);
    assert_eq!(difference, None);
    assert!(compared > 0, "not one program was small enough");
}

/// Programs whose steps end in one way, that give up, that go round for ever, that draw random numbers, that have objects
/// of their own.
pub(crate) const PLAIN: Taste = Taste { name: "plain", times: false, lives: false, ..EVERYTHING };
const TIMEOUTS: Taste = Taste { name: "timeouts", times: true, ..PLAIN };
const LOOPS: Taste = Taste { name: "loops", loops: true, ..PLAIN };
const RANDOM: Taste = Taste { name: "random", random: true, ..PLAIN };
const OWNING: Taste = Taste { name: "own", own: true, ..PLAIN };

/// Every random number is drawn; one process is killed from outside.
const DRAWN: Nondeterminism = Nondeterminism { time: Time::Virtual, random: true, kill: false, spurious: 0 };
const KILLED: Nondeterminism = Nondeterminism { time: Time::Virtual, random: false, kill: true, spurious: 0 };

#[test]
fn reductions_keep_every_end_of_programs_that_end() {
    compare(0..super::count(90), PLAIN, Time::Virtual);
    compare(0..super::count(40), LIVES, Time::Virtual);
}

#[test]
fn reductions_keep_every_end_of_programs_that_send_signals() {
    compare(0..super::count(60), STOPS, Time::Virtual);
    compare(5_000_000..5_000_000 + super::count(40), Taste { times: true, loops: true, ..LIVES }, Time::Any);
    compare(6_000_000..6_000_000 + super::count(20), Taste { own: true, ..LIVES }, KILLED);
}

#[test]
fn reductions_keep_every_end_of_programs_that_give_up() {
    compare(10_000_000..10_000_000 + super::count(45), TIMEOUTS, Time::Virtual);
    compare(20_000_000..20_000_000 + super::count(45), TIMEOUTS, Time::Any);
}

#[test]
fn reductions_keep_every_end_of_programs_that_go_round_for_ever() {
    compare(30_000_000..30_000_000 + super::count(45), LOOPS, Time::Virtual);
    compare(40_000_000..40_000_000 + super::count(45), Taste { times: true, ..LOOPS }, Time::Any);
}

#[test]
fn reductions_keep_every_end_of_programs_that_draw_every_number() {
    compare(50_000_000..50_000_000 + super::count(25), RANDOM, DRAWN);
    compare(
        60_000_000..60_000_000 + super::count(15),
        Taste { times: true, ..RANDOM },
        Nondeterminism { time: Time::Any, ..DRAWN },
    );
}

#[test]
fn reductions_keep_every_end_of_programs_of_which_one_process_is_killed() {
    compare(70_000_000..70_000_000 + super::count(15), PLAIN, KILLED);
    compare(
        80_000_000..80_000_000 + super::count(15),
        Taste { times: true, ..RANDOM },
        Nondeterminism { time: Time::Any, random: true, kill: true, spurious: 0 },
    );
}

#[test]
fn reductions_keep_every_end_of_programs_of_which_waits_end_for_nothing() {
    let conditions = Taste { kind: Some("condition"), cells: true, ..PLAIN };
    compare(85_000_000..85_000_000 + super::count(20), conditions, Nondeterminism { spurious: 1, ..DRAWN });
}

#[test]
fn reductions_keep_every_end_of_programs_with_objects_of_their_own() {
    compare(90_000_000..90_000_000 + super::count(60), OWNING, Time::Virtual);
    compare(95_000_000..95_000_000 + super::count(30), Taste { loops: true, times: true, ..OWNING }, Time::Any);
    compare(
        97_000_000..97_000_000 + super::count(15),
        Taste { random: true, ..OWNING },
        Nondeterminism { kill: true, ..DRAWN },
    );
}

/// Clients that hand their index to servers, which answer the object of that index, or do something else with it.
fn served(seed: u64) -> String {
    let mut random = Random::new(seed, "served", 0);
    let mut one_of = |some: &[&str]| some[random.between(0, some.len() as i64 - 1) as usize].to_owned();
    let clients = one_of(&["2", "3"]);
    let mut client = vec![one_of(&[
        "{ acquire = 'tokens' }",
        "{ add = 'seen', value = 1 }",
        "{ put = 'requests', value = '{index}' }",
    ])];
    client.push(one_of(&["{ put = 'requests', value = '{index}' }", "{ put = 'others', value = '{index}' }"]));
    client.push(one_of(&["{ get = 'reply[index]' }", "{ get = 'reply[index]', timeout = '1ms', outcome = 'o' }"]));
    client.push(one_of(&[
        "{ release = 'tokens' }",
        "{ load = 'seen', into = 'x' }",
        "{ put = 'others', value = '{index}' }",
    ]));
    let gets = ["{ get = 'requests', into = 'who' }", "{ get = 'others', into = 'who' }"];
    let mut server = vec![one_of(&gets)];
    server.push(one_of(&[
        "{ let = { before = '{who}' } }",
        "{ get = 'requests', into = 'before', timeout = '0s', outcome = 'o' }",
        "{ put = 'others', value = '{who}' }",
        "{ acquire = 'tokens' }",
    ]));
    server.push(one_of(&[
        "{ if = 'who == before', then = [{ add = 'seen', value = 1 }] }",
        "{ if = 'who == 0', then = [{ add = 'seen', value = 1 }] }",
        "{ put = 'reply[who]', value = 'first' }",
        "{ put = 'reply[who]', value = '{who}' }",
        "{ cancel = 1 }",
    ]));
    server.push(one_of(&["{ put = 'reply[who]', value = 'done' }", "{ put = 'reply[before]', value = 'done' }"]));
    server.push(one_of(&["{ release = 'tokens' }", "{ add = 'seen', value = 1 }"]));
    // An index that is null for certain is an error.
    if !server[1].contains("before") {
        server[3] = server[3].replace("before", "who");
    }
    let servers = one_of(&["1", "1", "2"]);
    let rounds = one_of(&["2", "3"]);
    let [client, server] = [client, server].map(|mut steps| {
        steps.retain(|step| !step.contains("cancel"));
        steps.join(", ")
    });
    let capacity = one_of(&["1", "2"]);
    format!(
        r#"
[objects]
tokens = {{ kind = "semaphore", value = 1 }}
seen = {{ kind = "value" }}
requests = {{ kind = "queue", capacity = {clients}, via = "memory" }}
others = {{ kind = "queue", capacity = {capacity}, via = "memory" }}
reply = {{ kind = "queue", count = {clients}, capacity = 1 }}
[processes.client]
count = {clients}
vars = {{ o = "", x = 0 }}
steps = [{client}]
[processes.server]
count = {servers}
vars = {{ who = "{{null}}", before = "{{null}}", o = "" }}
steps = [{{ repeat = {rounds}, do = [{server}] }}]
"#
    )
    .replace('\'', "\"")
}

/// The first of these programs that is wrong, and how many were compared and have clients that change places with their
/// indices.
fn wrongly_served(seeds: std::ops::Range<u64>) -> (u64, Option<String>) {
    let mut compared = 0;
    for seed in seeds {
        let text = served(seed);
        let plan = plan(&text);
        let space = StateSpace::new(&plan, Time::Virtual, vec![false; plan.steps.len()], false);
        let carries = Symmetry::new(&space).carries_indices();
        match left_out(&text, Time::Virtual.into(), 6_000) {
            Ok(looked) => compared += u64::from(looked && carries),
            Err(problem) => return (compared, Some(format!("{problem}, seed {seed}\n{text}"))),
        }
    }
    (compared, None)
}

#[test]
fn reductions_keep_every_end_of_servers_that_answer_an_index() {
    let (compared, wrong) = wrongly_served(0..super::count(60));
    assert_eq!(wrong, None);
    assert!(compared > 5, "{compared}");
}

/// A check that could not fail would be none: each fault that is built in is found.
#[test]
fn faults_in_the_reductions_are_found() {
    // With the first program that is drawn: not far from where the fault was found last.
    for (mutant, taste, time, first) in [
        (Mutant::GivingUpCommutes, TIMEOUTS, Time::Any, 0),
        (Mutant::NoEnablers, PLAIN, Time::Virtual, 3_960),
        (Mutant::KillersStayOut, LIVES, Time::Virtual, 0),
        (Mutant::DeathsTouchNothing, LIVES, Time::Virtual, 960),
        (Mutant::IndexIsNoValue, OWNING, Time::Virtual, 0),
        (Mutant::OthersNameNothing, OWNING, Time::Virtual, 0),
    ] {
        MUTANT.set(mutant);
        let (compared, found) = difference(20_000_000 + first..20_005_000 + first, taste, time, 1_000);
        MUTANT.set(Mutant::None);
        let found = found.unwrap_or_else(|| panic!("{mutant:?} was not found in {compared} programs"));
        println!("{mutant:?}: {}, {compared} compared", found.lines().next().unwrap_or_default());
    }
    for mutant in [Mutant::HeldIndicesStay, Mutant::ComparedIndicesAreFree] {
        MUTANT.set(mutant);
        let found = wrongly_served(0..500).1;
        MUTANT.set(Mutant::None);
        assert!(found.is_some(), "{mutant:?} was not found");
    }
    let mut texts: Vec<&str> = SPINNING.to_vec();
    texts.retain(|text| left_out(text, Time::Virtual.into(), 1_000) == Ok(true));
    MUTANT.set(Mutant::NoComponents);
    let missed = texts.iter().all(|text| left_out(text, Time::Virtual.into(), 1_000).is_ok());
    MUTANT.set(Mutant::None);
    assert!(!missed, "what is left out in a circle is not missed in {} programs", texts.len());
}

/// Processes that go round for ever, independently of two others.
const SPINNING: &[&str] = &[
    r#"
[objects]
own = { kind = "semaphore", value = 1 }
cell = { kind = "value", type = "i32" }
[processes.spins]
steps = [{ forever = [{ acquire = "own" }, { release = "own" }] }]
[processes.one]
steps = [{ store = "cell", value = 1 }]
[processes.other]
steps = [{ store = "cell", value = 2 }, { load = "cell" }]
"#,
    r#"
[objects]
ball = { kind = "semaphore", count = 2, value = [1, 0] }
cell = { kind = "value", type = "i32" }
locks = { kind = "mutex", count = 2 }
[processes.plays]
count = 2
steps = [{ forever = [{ acquire = "ball[index]" }, { release = "ball[1 - index]" }] }]
[processes.races]
count = 2
steps = [{ lock = "locks[index]" }, { store = "cell", value = "{index}" }, { lock = "locks[1 - index]" }]
"#,
];
