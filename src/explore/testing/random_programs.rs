//! Random small programs, by which the reductions are compared with the search that leaves nothing out.

use std::collections::{BTreeSet, HashMap};

use crate::event::ObjectId;
use crate::explore::base::injected_bugs::{MUTANT, Mutant};
use crate::explore::reduction::symmetry::Symmetry;
use crate::explore::run::{Options, explore};
use crate::explore::semantics::transition::{Nondeterminism, Time};
use crate::explore::state_space::StateSpace;
use crate::explore::strategy::bfs::{Limits, Reductions, Search};
use crate::explore::tests::plan;
use crate::generate;
use crate::interpreter::Random;
use crate::objects::contract::operation::Access;

/// What random programs are made of.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a taste of its own")]
pub(crate) struct Taste {
    /// Whether there are loops without end.
    pub(crate) loops: bool,
    /// Whether steps may give up.
    pub(crate) timeouts: bool,
    /// Whether random numbers are drawn.
    pub(crate) random: bool,
    /// Whether processes have objects of their own, by their index.
    pub(crate) own: bool,
}

/// A random scenario.
pub(crate) fn scenario(seed: u64, taste: Taste) -> String {
    let mut draw = Draw(Random::new(seed, "fuzz", 0));
    let mut text = String::from("[objects]\n");
    text.push_str("v0 = { kind = \"value\", value = 0 }\nv1 = { kind = \"value\", value = 0 }\n");
    text.push_str("a = { kind = \"array\", value = [0, 0] }\n");
    let permits = draw.of(3);
    text.push_str(&format!("s = {{ kind = \"semaphore\", value = {permits} }}\n"));
    text.push_str("b = { kind = \"semaphore\", value = 1, bound = true }\n");
    text.push_str("m0 = { kind = \"mutex\" }\nm1 = { kind = \"mutex\", type = \"errorcheck\" }\n");
    text.push_str("c = { kind = \"condition\", mutex = \"m0\" }\ne = { kind = \"event\" }\n");
    text.push_str("r = { kind = \"mutex\", robust = true }\nt = { kind = \"barrier\", parties = 2 }\n");
    text.push_str("q = { kind = \"queue\", capacity = 1, via = \"memory\" }\nl = { kind = \"pipe\" }\n");
    let copies = if taste.own { 2 + draw.of(2) } else { 1 };
    for (name, declared) in OWN.iter().filter(|_| taste.own) {
        text.push_str(&format!("{name} = {{ count = {copies}, {declared} }}\n"));
    }
    if taste.own {
        text.push_str(&format!("oe = {{ kind = \"array\", len = {copies} }}\n"));
    }
    let mut several: Vec<i64> = Vec::new();
    for program in 0..2 + draw.of(2) {
        let count = if taste.own { [copies, copies, copies, 1] } else { [1, 1, 2, 2] }[draw.of(4) as usize];
        if count == copies {
            several.push(program);
        }
        let mut steps = String::new();
        let length = 1 + draw.of(if count > 1 { 3 } else { 4 });
        for _ in 0..length {
            let own = taste.own && count == copies && draw.of(3) > 0;
            steps.push_str(&if own { draw.own(copies, &several) } else { draw.step(taste, 0) });
        }
        if taste.loops && draw.of(3) == 0 {
            steps = format!("{{ forever = [{steps}] }}, ");
        }
        text.push_str(&format!("[processes.p{program}]\n"));
        if count > 1 {
            text.push_str(&format!("count = {count}\n"));
        }
        text.push_str(&format!("vars = {{ x = 0 }}\nsteps = [{steps}]\n"));
    }
    text
}

struct Draw(Random);

impl Draw {
    fn of(&mut self, count: i64) -> i64 {
        self.0.between(0, count - 1)
    }

    fn step(&mut self, taste: Taste, depth: u32) -> String {
        let many = if depth < 1 { 24 } else { 21 };
        let v = self.of(2);
        if taste.random && self.of(4) == 0 {
            return match self.of(4) {
                0 => "{ let = { x = \"{random(0, 1)}\" } }, ".to_owned(),
                1 => format!("{{ store = \"v{v}\", value = \"{{random(0, 2)}}\" }}, "),
                2 => format!("{{ add = \"v{v}\", value = \"{{random(0, 1)}}\" }}, "),
                _ => format!("{{ store = \"a[{v}]\", value = \"{{x + random(0, 1)}}\" }}, "),
            };
        }
        let never = if taste.timeouts && self.of(3) == 0 { ", timeout = \"0s\", outcome = \"o\"" } else { "" };
        let later = if taste.timeouts && self.of(6) == 0 { ", timeout = \"1s\", outcome = \"o\"" } else { never };
        match self.of(many) {
            0 | 1 => format!("{{ load = \"v{v}\", into = \"x\" }}, "),
            2 => format!("{{ store = \"v{v}\", value = \"{{x + 1}}\" }}, "),
            3 => format!("{{ store = \"v{v}\", value = {} }}, ", self.of(2)),
            4 => format!("{{ add = \"v{v}\", value = 1 }}, "),
            5 => format!("{{ load = \"a[{v}]\", into = \"x\" }}, "),
            6 => format!("{{ store = \"a[{v}]\", value = \"{{x}}\" }}, "),
            7 => format!("{{ acquire = \"s\"{later} }}, "),
            8 => "{ release = \"s\" }, ".to_owned(),
            9 => format!("{{ acquire = \"b\"{later} }}, {{ release = \"b\", outcome = \"o\" }}, "),
            10 => format!(
                "{{ lock = \"m0\", outcome = \"o\"{} }}, {{ unlock = \"m0\", outcome = \"o\" }}, ",
                without(later)
            ),
            11 => "{ lock = \"m1\", outcome = \"o\" }, { unlock = \"m1\", outcome = \"o\" }, ".to_owned(),
            12 => format!("{{ lock = \"m0\" }}, {{ wait = \"c\"{later} }}, {{ unlock = \"m0\" }}, "),
            13 => ["{ notify = \"c\" }, ", "{ notify_all = \"c\" }, "][v as usize].to_owned(),
            14 => ["{ set = \"e\" }, ", "{ clear = \"e\" }, "][v as usize].to_owned(),
            15 => format!("{{ wait = \"e\"{later} }}, "),
            16 => format!("{{ wait = \"t\"{later} }}, "),
            17 => format!("{{ put = \"q\", value = \"{{x}}\"{later} }}, "),
            18 => format!("{{ get = \"q\", into = \"x\"{later} }}, "),
            19 => {
                ["{ lock = \"r\", outcome = \"o\" }, ", "{ unlock = \"r\", outcome = \"o\" }, "][v as usize].to_owned()
            }
            20 => match self.of(4) {
                0 => "{ send = \"l.w\", value = \"{x}\", outcome = \"o\" }, ".to_owned(),
                1 => format!("{{ recv = \"l.r\", into = \"x\", outcome = \"o\"{} }}, ", without(later)),
                2 => "{ close = \"l.w\", outcome = \"o\" }, ".to_owned(),
                _ => "{ sleep = \"1s\" }, ".to_owned(),
            },
            21 => {
                let (then, otherwise) = (self.step(taste, 1), self.step(taste, 1));
                format!("{{ if = \"x == 0\", then = [{then}], else = [{otherwise}] }}, ")
            }
            22 => {
                let body = self.step(taste, 1);
                format!("{{ repeat = 2, do = [{body}] }}, ")
            }
            _ => "{ exit = 3 }, ".to_owned(),
        }
    }
}

/// Arrays of objects, of which each process may have its own.
const OWN: &[(&str, &str)] = &[
    ("ov", "kind = \"value\", value = 0"),
    ("om", "kind = \"mutex\""),
    ("oc", "kind = \"condition\", mutex = \"om\""),
    ("or", "kind = \"mutex\", robust = true"),
    ("os", "kind = \"semaphore\", value = 1"),
    ("oq", "kind = \"queue\", capacity = 1, via = \"memory\""),
    ("ol", "kind = \"pipe\""),
    ("ob", "kind = \"barrier\", parties = 2"),
];

fn without(timeout: &str) -> String {
    timeout.replace(", outcome = \"o\"", "")
}

impl Draw {
    /// A step on an object of the process's own; seldom on another's, or one by which processes can be told apart.
    fn own(&mut self, copies: i64, others: &[i64]) -> String {
        // A process of another program, or of its own, of which there are as many.
        let other = format!("p{}", others[self.of(others.len() as i64) as usize]);
        let at = match self.of(24) {
            0 => "0".to_owned(),
            1 => format!("(index + 1) % {copies}"),
            _ => "index".to_owned(),
        };
        match self.of(19) {
            16 => format!("{{ load = \"oe[{at}]\", into = \"x\" }}, "),
            17 => format!("{{ store = \"oe[{at}]\", value = \"{{x + 1}}\" }}, "),
            18 => format!("{{ add = \"oe[{at}]\", value = 1, into = \"x\" }}, "),
            0 | 1 => format!("{{ load = \"ov[{at}]\", into = \"x\" }}, "),
            2 | 3 => format!("{{ store = \"ov[{at}]\", value = \"{{x + 1}}\" }}, "),
            4 => format!("{{ lock = \"om[{at}]\" }}, {{ add = \"v0\", value = 1, into = \"x\" }}, "),
            5 => format!("{{ lock = \"om[{at}]\" }}, {{ wait = \"oc[{at}]\" }}, {{ unlock = \"om[{at}]\" }}, "),
            6 => format!("{{ notify = \"oc[{at}]\" }}, "),
            7 => format!("{{ lock = \"or[{at}]\", outcome = \"o\" }}, "),
            8 => format!("{{ acquire = \"os[{at}]\" }}, "),
            9 => format!("{{ release = \"os[{at}]\" }}, "),
            10 => format!("{{ put = \"oq[{at}]\", value = \"{{x}}\" }}, "),
            11 => format!("{{ get = \"oq[{at}]\", into = \"x\" }}, "),
            12 => format!("{{ send = \"ol[{at}].w\", value = \"{{x}}\", outcome = \"o\" }}, "),
            13 => format!("{{ recv = \"ol[{at}].r\", into = \"x\", outcome = \"o\" }}, "),
            14 => format!("{{ wait = \"ob[{at}]\" }}, "),
            _ => match self.of(8) {
                0 => "{ store = \"v1\", value = \"{index}\" }, ".to_owned(),
                1 => format!("{{ join = \"{other}[0]\", outcome = \"o\" }}, "),
                2 | 3 => format!("{{ join = \"{other}[index]\", outcome = \"o\" }}, "),
                4 => "{ let = { x = \"{index}\" } }, { store = \"v1\", value = \"{x}\" }, ".to_owned(),
                5 => "{ print = \"{index}\" }, \"yield\", ".to_owned(),
                6 => format!("{{ join = \"{other}\", into = \"x\", outcome = \"o\" }}, "),
                _ => format!("{{ join = \"{other}\", outcome = \"o\" }}, "),
            },
        }
    }
}

/// What a search finds: its ends, each as the state that stands for it where processes that are alike change places; and
/// the places of two programs at which a race was seen: both are about to touch a cell, one of them to write it.
#[derive(Debug, Default, Eq, PartialEq)]
struct Found {
    ends: BTreeSet<Vec<u32>>,
    races: BTreeSet<[(usize, usize); 2]>,
}

/// What a search finds, and all states that it met, each as the one that stands for it.
fn found(space: &mut StateSpace<'_>, reductions: Reductions, most: usize) -> Option<(Found, BTreeSet<Vec<u32>>)> {
    let mut symmetry = Symmetry::new(space);
    let mut search = Search::new(space, reductions);
    search.run(Limits { states: most, ..Limits::default() }, &mut |_| true).expect("no program computes without end");
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
        let verb = space.plan.kind(object).verbs[access.verb as usize].name;
        let program = space.plan.processes[process].program;
        let place = (program, space.segment_of(number).machine.place_in_program());
        matches!(verb, "load" | "store").then_some(Cell { place, object, access })
    }
}

/// How many programs to try: more by the environment.
fn budget(usual: u64) -> u64 {
    std::env::var("IPCRUN_FUZZ").ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
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
        let text = scenario(seed, taste);
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
    let taste = generate::Taste {
        name: "own",
        kind: Some(kind),
        own: true,
        times: seed % 2 == 1,
        lives: false,
        ..generate::EVERYTHING
    };
    let time = if seed % 4 > 1 { Time::Any } else { Time::Virtual };
    left_out(&generate::scenario(seed, taste).text(), time.into(), 400).err()
}

fn compare(seeds: std::ops::Range<u64>, taste: Taste, leeway: impl Into<Nondeterminism>) {
    let (compared, difference) = difference(seeds, taste, leeway, 20_000);
    assert_eq!(difference, None);
    assert!(compared > 0, "not one program was small enough");
}

/// Programs whose steps end in one way, that give up, that go round for ever, that draw random numbers, that have objects
/// of their own.
const PLAIN: Taste = Taste { loops: false, timeouts: false, random: false, own: false };
const TIMEOUTS: Taste = Taste { timeouts: true, ..PLAIN };
const LOOPS: Taste = Taste { loops: true, ..PLAIN };
const RANDOM: Taste = Taste { random: true, ..PLAIN };
const OWNING: Taste = Taste { own: true, ..PLAIN };

/// Every random number is drawn; somebody is killed from outside.
const DRAWN: Nondeterminism = Nondeterminism { time: Time::Virtual, random: true, kill: false, spurious: 0 };
const KILLED: Nondeterminism = Nondeterminism { time: Time::Virtual, random: false, kill: true, spurious: 0 };

#[test]
fn reductions_keep_every_end_of_programs_that_end() {
    compare(0..budget(130), PLAIN, Time::Virtual);
}

#[test]
fn reductions_keep_every_end_of_programs_that_give_up() {
    compare(10_000_000..10_000_000 + budget(45), TIMEOUTS, Time::Virtual);
    compare(20_000_000..20_000_000 + budget(45), TIMEOUTS, Time::Any);
}

#[test]
fn reductions_keep_every_end_of_programs_that_go_round_for_ever() {
    compare(30_000_000..30_000_000 + budget(45), LOOPS, Time::Virtual);
    compare(40_000_000..40_000_000 + budget(45), Taste { timeouts: true, ..LOOPS }, Time::Any);
}

#[test]
fn reductions_keep_every_end_of_programs_that_draw_every_number() {
    compare(50_000_000..50_000_000 + budget(25), RANDOM, DRAWN);
    compare(
        60_000_000..60_000_000 + budget(15),
        Taste { timeouts: true, ..RANDOM },
        Nondeterminism { time: Time::Any, ..DRAWN },
    );
}

#[test]
fn reductions_keep_every_end_of_programs_of_which_one_process_is_killed() {
    compare(70_000_000..70_000_000 + budget(15), PLAIN, KILLED);
    compare(
        80_000_000..80_000_000 + budget(15),
        Taste { timeouts: true, ..RANDOM },
        Nondeterminism { time: Time::Any, random: true, kill: true, spurious: 0 },
    );
}

/// What is expected of a random program.
const EXPECTATIONS: &str = r#"
[[expect]]
final = "v0 <= 1"
[[expect]]
final = "v0 == 2"
holds = "sometimes"
[[expect]]
always = "v0 <= v1 + 1"
[[expect]]
race_free = "v1"
[[expect]]
deadlock = false
[[expect]]
ends = true
"#;

/// The same of one that stores.
const STORED: &str = "[[expect]]\ncount = \"* store v0\"\nat_most = 1\n";

/// What is said of each expectation and of each rule that is broken, and in what the executions can end; none where there
/// are too many.
fn verdicts(text: &str, leeway: Nondeterminism, reductions: Reductions) -> Option<BTreeSet<String>> {
    let plan = plan(text);
    let limits = Limits { states: 500, ..Limits::default() };
    let Nondeterminism { time, random, kill, .. } = leeway;
    let mut options = Options { time, random, kill, reductions, limits, ..Options::default() };
    options.beyond.descend = false;
    let explored = explore(&plan, &options, &mut |_| true).expect("no program computes without end");
    let said = explored.summary.overall.iter();
    explored.cut.is_none().then(|| said.map(|one| format!("{:?} {:?}", one.subject, one.status)).collect())
}

#[test]
fn no_verdict_changes_by_what_is_left_out() {
    let any = Nondeterminism { time: Time::Any, ..Nondeterminism::default() };
    let kinds = [
        (PLAIN, Nondeterminism::default()),
        (TIMEOUTS, any),
        (LOOPS, any),
        (RANDOM, DRAWN),
        (PLAIN, KILLED),
        (OWNING, Nondeterminism::default()),
        (OWNING, KILLED),
    ];
    for ((taste, leeway), kind) in kinds.into_iter().zip(0..) {
        let first = 100_000_000 + kind * 10_000_000;
        let mut compared = 0;
        for seed in first..first + budget(10) {
            let program = scenario(seed, taste);
            let stored = if program.contains("store = \"v0\"") { STORED } else { "" };
            let text = program + EXPECTATIONS + stored;
            let Some(full) = verdicts(&text, leeway, Reductions::NONE) else { continue };
            compared += 1;
            for (partial_order, symmetry) in [(true, false), (false, true), (true, true)] {
                let reduced = verdicts(&text, leeway, Reductions { partial_order, symmetry });
                assert_eq!(reduced.as_ref(), Some(&full), "{leeway:?} {partial_order} {symmetry}, seed {seed}\n{text}");
            }
        }
        assert!(compared > 0, "not one program was small enough");
    }
}

#[test]
fn reductions_keep_every_end_of_programs_with_objects_of_their_own() {
    compare(90_000_000..90_000_000 + budget(60), OWNING, Time::Virtual);
    compare(95_000_000..95_000_000 + budget(30), Taste { loops: true, timeouts: true, ..OWNING }, Time::Any);
    compare(
        97_000_000..97_000_000 + budget(15),
        Taste { random: true, ..OWNING },
        Nondeterminism { kill: true, ..DRAWN },
    );
}

/// Two who are alike race, and then meet twice: what is kept of the race is not the same where they change places.
#[test]
fn who_meets_behind_a_race_ends_whatever_is_left_out() {
    let text = r#"
[objects]
v1 = { kind = "value", value = 0 }
m1 = { kind = "mutex", type = "errorcheck" }
t = { kind = "barrier", parties = 2 }
[processes.p0]
steps = [{ lock = "m1" }, { unlock = "m1" }]
[processes.p1]
count = 2
steps = [{ store = "v1", value = 1 }, { repeat = 2, do = [{ wait = "t" }] }]
[[expect]]
race_free = "v1"
[[expect]]
ends = true
"#;
    let full = verdicts(text, Nondeterminism::default(), Reductions::NONE);
    assert_eq!(full, Some(BTreeSet::from(["Expectation(0) Fail", "Expectation(1) Pass"].map(str::to_owned))));
    for (partial_order, symmetry) in [(true, false), (false, true), (true, true)] {
        assert_eq!(verdicts(text, Nondeterminism::default(), Reductions { partial_order, symmetry }), full);
    }
}

/// A check that could not fail would be none: each fault that is built in is found.
#[test]
fn faults_in_the_reductions_are_found() {
    for (mutant, taste, time) in [
        (Mutant::NoComponents, LOOPS, Time::Virtual),
        (Mutant::GivingUpCommutes, TIMEOUTS, Time::Any),
        (Mutant::NoEnablers, PLAIN, Time::Virtual),
        (Mutant::IndexIsNoValue, OWNING, Time::Virtual),
        (Mutant::OthersNameNothing, OWNING, Time::Virtual),
    ] {
        MUTANT.set(mutant);
        let (compared, found) = difference(20_000_000..20_005_000, taste, time, 1_000);
        MUTANT.set(Mutant::None);
        assert!(found.is_some(), "{mutant:?} was not found in {compared} programs");
    }
}
