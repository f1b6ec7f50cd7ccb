//! That several threads find what one finds: every state with its number and the one before it, every end, every word.

use super::random_programs::PLAIN;
use crate::explore::run::{Explored, Options, explore};
use crate::explore::semantics::transition::{Nondeterminism, Time};
use crate::explore::state_space::StateSpace;
use crate::explore::strategy::bfs::{Limits, Reductions, Search, Threads};
use crate::explore::strategy::fallback::Coverage;
use crate::explore::tests::{lost_update, philosophers, plan, semaphore};
use crate::generate::{Taste, scenario};
use crate::scenario::plan::Plan;

/// Everything that a search has found.
#[derive(Debug, PartialEq)]
struct Found {
    states: Vec<(Vec<u32>, u32)>,
    ends: Vec<u32>,
    edges: u64,
    cut: Option<crate::explore::strategy::bfs::Cut>,
    cyclic: bool,
    bytes: usize,
}

fn found(plan: &Plan, leeway: Nondeterminism, reductions: Reductions, limits: Limits, threads: Threads) -> Found {
    let mut space = crate::explore::run::space(plan, leeway, false);
    searched(&mut space, reductions, limits, threads)
}

fn searched(space: &mut StateSpace<'_>, reductions: Reductions, limits: Limits, threads: Threads) -> Found {
    let mut search = Search::new(space, reductions).by(threads);
    let run = search.run(limits, &mut |_| true);
    run.expect("no process computes without end");
    let mut row = vec![0; search.space.width()];
    assert!(threads.count == 1 || !search.hands.is_empty() || search.cut.is_some(), "one thread has done it all");
    let states = (0..search.store.len() as u32).map(|number| {
        search.store.get(number, &mut row);
        (row.clone(), search.store.parent(number))
    });
    let states = states.collect();
    let (bytes, cut, cyclic, edges) = (search.store.bytes(), search.cut, search.cyclic, search.edges);
    Found { states, ends: search.ends, edges, cut, cyclic, bytes }
}

/// However few states there are, several threads look at them.
fn threads(count: usize) -> Threads {
    Threads { count, least: 1, alone: 0 }
}

const ALL: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];

fn compare(text: &str, leeway: Nondeterminism, states: usize) {
    let plan = plan(text);
    let limits = Limits { states, ..Limits::default() };
    for (partial_order, symmetry) in ALL {
        let reductions = Reductions { partial_order, symmetry };
        let one = found(&plan, leeway, reductions, limits, Threads::ONE);
        for count in [2, 3, 8] {
            let several = found(&plan, leeway, reductions, limits, threads(count));
            // A long list of states says less than what it is about.
            assert!(
                several == one,
                "{count} threads find {} states, {} ends, {} steps, {:?} {} {}, one finds {}, {}, {}, {:?} {} {}: {reductions:?}\n{text}",
                several.states.len(),
                several.ends.len(),
                several.edges,
                several.cut,
                several.cyclic,
                several.bytes,
                one.states.len(),
                one.ends.len(),
                one.edges,
                one.cut,
                one.cyclic,
                one.bytes,
            );
        }
    }
}

const ANY: Nondeterminism = Nondeterminism { time: Time::Any, random: false, kill: false, spurious: 0 };
const VIRTUAL: Nondeterminism = Nondeterminism { time: Time::Virtual, random: false, kill: false, spurious: 0 };

/// What makes a search keep something of the past.
const EXPECT: &str =
    "[[expect]]\nalways = \"money >= 0\"\n[[expect]]\nalways = \"count('p store money') < 6\"\nholds = \"sometimes\"\n";

#[test]
fn several_threads_find_the_same_in_the_usual_problems() {
    for text in [lost_update(3, 2), semaphore(5, 3), philosophers(5, true, false), philosophers(5, false, false)] {
        compare(&text, VIRTUAL, usize::MAX);
    }
    // Cycles are expanded again.
    compare(&philosophers(4, true, true), VIRTUAL, usize::MAX);
    compare(&philosophers(5, false, true), VIRTUAL, usize::MAX);
    compare(&lost_update(3, 2), Nondeterminism { kill: true, ..VIRTUAL }, usize::MAX);
}

#[test]
fn several_threads_find_the_same_where_something_is_kept_of_the_past() {
    compare(&(lost_update(3, 2) + EXPECT), VIRTUAL, usize::MAX);
    let most = "[[expect]]\norder = [\"p[0] store money\", \"p[1] store money\"]\nholds = \"sometimes\"\n";
    compare(&(lost_update(2, 3) + most), VIRTUAL, usize::MAX);
    let waits = include_str!("../../../tests/verdicts/blocked-rounds.toml");
    compare(waits, VIRTUAL, usize::MAX);
    compare(waits, Nondeterminism { kill: true, ..VIRTUAL }, usize::MAX);
}

#[test]
fn several_threads_find_the_same_where_waits_end_by_themselves() {
    let text = include_str!("../../../tests/verdicts/spurious-while.toml");
    compare(text, Nondeterminism { spurious: 3, ..VIRTUAL }, usize::MAX);
}

#[test]
fn several_threads_stop_where_one_does() {
    for states in [1, 2, 17, 100, 101, 102, 903, 904, 905] {
        compare(&lost_update(3, 2), VIRTUAL, states);
        compare(&(lost_update(2, 2) + EXPECT), VIRTUAL, states);
    }
}

#[test]
fn several_threads_find_the_same_in_random_programs() {
    for seed in 0..30 {
        let loops = Taste { loops: seed % 3 == 0, times: seed % 2 == 0, own: seed % 5 < 2, ..PLAIN };
        compare(&scenario(50_000_000 + seed, loops).text(), if seed % 4 == 0 { ANY } else { VIRTUAL }, 3_000);
    }
}

fn told(explored: &Explored) -> String {
    let words: Vec<String> = explored.rungs.iter().flat_map(Coverage::words).collect();
    let stories: Vec<_> = explored.stories.iter().map(|story| (story.run, &story.path, story.stem)).collect();
    format!(
        "{:?} {:?} {words:?} {stories:?} {:?} {:?} {:?} {}",
        explored.summary,
        explored.cut,
        explored.circles,
        explored.found,
        crate::explore::run::Size { elapsed: std::time::Duration::ZERO, ..explored.size },
        explored.ends
    )
}

#[test]
fn several_threads_say_the_same() {
    for text in [
        lost_update(3, 2) + "[[expect]]\nfinal = \"money == 6\"\n" + EXPECT,
        philosophers(4, false, false),
        philosophers(3, true, true),
    ] {
        let plan = plan(&text);
        let explored = |jobs: usize| {
            let options = Options { jobs, eager: true, ..Options::default() };
            told(&explore(&plan, &options, &mut |_| true).expect("it can be told"))
        };
        let one = explored(1);
        for jobs in [2, 3, 8] {
            assert_eq!(explored(jobs), one);
        }
    }
}

#[test]
fn a_process_that_computes_without_end_is_found_by_any_number_of_threads() {
    let text = "[objects]\nv = { kind = \"value\", value = 0 }\n[processes.p]\ncount = 2\nvars = { x = 0 }\n\
                steps = [{ add = \"v\", value = 1 }, { forever = [{ let = { x = \"{x + 1}\" } }] }]\n";
    let plan = plan(text);
    for (partial_order, symmetry) in ALL {
        for count in [1, 2, 8] {
            let mut space = crate::explore::run::space(&plan, VIRTUAL, false);
            let mut search = Search::new(&mut space, Reductions { partial_order, symmetry }).by(threads(count));
            let found = search.run(Limits::default(), &mut |_| true).map_err(|error| error.process);
            assert!(matches!(found, Err(0 | 1)), "{count} {partial_order} {symmetry}: {found:?}");
        }
    }
}
