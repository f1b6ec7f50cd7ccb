//! What is known of causes along random executions, compared with what the judge says of each.

use crate::explore::execution::concretise::tell;
use crate::explore::history::{History, HistoryOptions};
use crate::explore::semantics::transition::{Step, Time};
use crate::explore::state_space::{StateSpace, Transition, is_over};
use crate::explore::tests::plan;
use crate::generate::{TASTES, scenario};
use crate::interpreter::Random;
use crate::judge::{self, Status};

/// The forms that ask for causes.
pub(super) const CAUSES: &[&str] = &["order", "all_before", "each", "race_free"];

/// Goes a random way through the program and compares. By expectation: whether something was not as it should be; none
/// where an object could not say what it handed over.
fn walk(text: &str, random: &mut Random) -> Option<Vec<bool>> {
    let plan = plan(text);
    let memories = History::new(&plan, judge::memories(&plan), Time::Virtual, HistoryOptions::default());
    let mut space = StateSpace::remembering(&plan, Time::Virtual, memories);
    let mut state = space.initial().expect("no process computes without end");
    let (mut path, mut moves): (Vec<Step>, Vec<Transition>) = (Vec::new(), Vec::new());
    loop {
        space.moves(&state, &mut moves).expect("no process computes without end");
        if is_over(&moves) {
            break;
        }
        let step = moves[random.between(0, moves.len() as i64 - 1) as usize];
        path.push(space.step(step));
        space.take(&mut state, step).expect("no process computes without end");
    }
    let kept = space.kept().start;
    let known = space.memories.as_ref()?.known(&plan, &|place| state[kept + place])?;
    let told = tell(&space, &path).expect("it can be followed");
    assert_eq!(told.trace.causality.problems(), [] as [&str; 0], "{text}");
    let verdict = judge::judge(&plan, &told.trace);
    let failed = |place: usize| {
        let one = &verdict.findings[place];
        one.is_firm() && one.finding.status == Status::Fail
    };
    let judged: Vec<_> = known.iter().map(|(place, _)| (*place, failed(*place))).collect();
    let events = told.trace.events.iter().map(|event| (event.id.process, event.verb, event.target, event.outcome));
    assert_eq!(known, judged, "{:#?}\n{text}", events.collect::<Vec<_>>());
    Some(judged.into_iter().map(|(_, failed)| failed).collect())
}

#[test]
fn what_is_known_is_what_the_judge_finds() {
    let (mut failed, mut passed) = (0, 0);
    for taste in TASTES.iter().filter(|taste| !taste.loops) {
        for seed in 0..SEEDS {
            let drawn = scenario(seed, *taste);
            let text = drawn.text() + &drawn.expectations_of(8, CAUSES).concat();
            let mut random = Random::new(seed, "walks", 0);
            for _ in 0..WALKS {
                for fails in walk(&text, &mut random).into_iter().flatten() {
                    *(if fails { &mut failed } else { &mut passed }) += 1;
                }
            }
        }
    }
    assert!(failed > 100 && passed > 100, "{failed} {passed}");
}

/// How many programs of each taste are tried, and how many ways through each.
const SEEDS: u64 = 12;
const WALKS: usize = 8;
