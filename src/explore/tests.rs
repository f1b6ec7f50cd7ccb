//! The search, by the numbers of states that other tools find.

use std::sync::Arc;

use super::semantics::transition::Time;
use super::state_space::StateSpace;
use super::strategy::bfs::{Limits, Reductions, Search};
use crate::diagnostic::Source;
use crate::judge::FORMS;
use crate::scenario;
use crate::scenario::plan::Plan;

pub(super) fn plan(text: &str) -> Plan {
    let source = Arc::new(Source::new("p.toml".to_owned(), text.to_owned()));
    let forms: Vec<_> = FORMS.iter().map(|form| &form.description).collect();
    match scenario::load(&source, &scenario::Options::default(), &forms) {
        Ok(mut loaded) => {
            super::testing::weakened::weaken(&mut loaded.plan);
            loaded.plan
        }
        Err(diagnostics) => {
            let messages: Vec<_> = diagnostics.iter().map(|diagnostic| &diagnostic.message).collect();
            panic!("{messages:?}\n{text}")
        }
    }
}

#[path = "../../tests/problems.rs"]
mod problems;

pub(crate) use problems::{lost_update, philosophers, semaphore};

fn searched(text: &str, reductions: Reductions) -> (usize, usize) {
    let plan = plan(text);
    let mut space = StateSpace::new(&plan, Time::Virtual, vec![false; plan.steps.len()], false);
    let mut search = Search::new(&mut space, reductions);
    search.run(Limits::default(), &mut |_| true).expect("it ends");
    (search.store.len(), search.ends.len())
}

fn states(text: &str) -> usize {
    searched(text, Reductions::NONE).0
}

fn reduced(text: &str) -> usize {
    searched(text, Reductions::ALL).0
}

#[test]
fn a_lost_update_has_as_many_states_as_elsewhere() {
    assert_eq!(states(&lost_update(2, 3)), 195);
    assert_eq!(states(&lost_update(3, 2)), 904);
    assert_eq!(states(&lost_update(3, 3)), 7646);
    let symmetry = Reductions { symmetry: true, ..Reductions::NONE };
    assert_eq!(searched(&lost_update(2, 3), symmetry).0, 106);
    assert_eq!(searched(&lost_update(3, 3), symmetry).0, 1529);
}

#[test]
fn workers_have_as_many_states_as_elsewhere() {
    assert_eq!(states(&semaphore(3, 3)), 64);
    assert_eq!(states(&semaphore(4, 3)), 240);
    assert_eq!(states(&semaphore(5, 3)), 832);
    let symmetry = Reductions { symmetry: true, ..Reductions::NONE };
    assert_eq!(searched(&semaphore(10, 3), symmetry).0, 90);
    assert_eq!(reduced(&semaphore(10, 3)), 31);
    assert_eq!(reduced(&semaphore(20, 3)), 61);
}

#[test]
fn philosophers_have_as_many_states_as_elsewhere() {
    assert_eq!([3, 4, 5].map(|count| states(&philosophers(count, true, false))), [72, 320, 1424]);
    assert_eq!([3, 4, 5].map(|count| reduced(&philosophers(count, true, false))), [52, 131, 276]);
    assert_eq!(reduced(&philosophers(10, true, true)), 247);
}

/// Follows the path to each end, and says what the money is there.
#[test]
fn a_path_is_told_as_a_trace() {
    let plan = plan(&lost_update(2, 2));
    let mut space = StateSpace::new(&plan, Time::Virtual, vec![false; plan.steps.len()], false);
    let mut search = Search::new(&mut space, Reductions::ALL);
    search.run(Limits::default(), &mut |_| true).expect("it ends");
    let mut finals: Vec<String> = Vec::new();
    for end in search.ends.clone() {
        let line = search.line(end);
        let path = search.path(&line).expect("it is a path");
        let told = super::execution::concretise::tell(search.space, &path).expect("it can be followed");
        assert_eq!(told.trace.end, crate::trace::RunEnd::Completed);
        assert!(told.trace.causality.problems().is_empty());
        finals.push(crate::judge::final_state(&plan, &told.trace));
        assert_eq!(told.turns.turns.len(), 8);
    }
    finals.sort();
    finals.dedup();
    assert_eq!(finals, ["money=2", "money=3", "money=4"]);
}

fn explored(text: &str) -> super::run::Explored {
    super::run::explore(&plan(text), &super::run::Options::default(), &mut |_| true).expect("it ends")
}

#[test]
fn a_deadlock_that_is_possible_is_found_by_its_shortest_way() {
    let found = explored(&philosophers(3, false, false));
    let (story, place, _) = found.counterexample().expect("it can end in a deadlock");
    assert_eq!(found.summary.overall[place].subject, crate::judge::Subject::Rule(crate::judge::Rule::Deadlock));
    assert_eq!(story.path.len(), 3);
    let found = explored(&philosophers(3, true, true));
    assert_eq!((found.size.ends, found.circles.livelocks), (0, 1));
    let text = semaphore(3, 2) + "[[expect]]\nfinal = \"s == 2\"\n[[expect]]\nends = false\nholds = \"sometimes\"\n";
    let found = explored(&text);
    let statuses: Vec<_> = found.summary.overall.iter().map(|one| one.status).collect();
    assert_eq!(statuses, [crate::judge::Status::Pass, crate::judge::Status::Fail]);
}

#[test]
fn what_goes_through_a_queue_or_a_pipe_has_few_orders() {
    assert_eq!(reduced(&problems::queue(6)), 2 * 6 + 1);
    let pipe = r#"
[objects]
l = { kind = "pipe" }
[processes.writer]
steps = [{ repeat = 3, do = [{ send = "l.w", value = 1 }] }]
[processes.reader]
steps = [{ forever = [{ recv = "l.r", on = { closed = ["break"] } }] }]
"#;
    assert!(reduced(pipe) <= 10, "{}", reduced(pipe));
}

/// What ends a process there and what does not is the same as on the kernel, where processes do without SIGPIPE.
#[test]
fn a_signal_that_ends_nobody_ends_nobody() {
    let kill = |signal: &str| {
        let text = format!(
            "[objects]\ns = {{ kind = \"semaphore\", value = 0 }}\n[processes.p]\nsteps = [{{ acquire = \"s\" }}]\n\
             [processes.k]\nsteps = [{{ kill = \"p\", signal = \"{signal}\" }}, {{ release = \"s\" }}]\n"
        );
        let plan = plan(&text);
        let mut space = StateSpace::new(&plan, Time::Virtual, vec![false; plan.steps.len()], false);
        let mut search = Search::new(&mut space, Reductions::ALL);
        search.run(Limits::default(), &mut |_| true).expect("it ends");
        let mut ends = Vec::new();
        for end in search.ends.clone() {
            let line = search.line(end);
            let path = search.path(&line).expect("it is a path");
            ends.push(
                super::execution::concretise::tell(search.space, &path).expect("it can be followed").trace.ends[0],
            );
        }
        ends
    };
    let is_killed = |end: &crate::trace::ProcessEnd| matches!(end, crate::trace::ProcessEnd::Killed(_));
    for signal in ["PIPE", "CHLD"] {
        assert!(!kill(signal).iter().any(is_killed), "{signal}");
    }
    assert!(kill("TERM").iter().any(is_killed));
}

#[test]
fn processes_that_have_ended_with_one_status_stand_in_one_place() {
    let text = r#"
        [objects]
        v = { kind = "value", value = 0 }
        [processes.p]
        steps = [{ load = "v", into = "x" }, { if = "x == 0", then = [{ exit = 0 }] }]
        [processes.q]
        steps = [{ store = "v", value = 1 }]
    "#;
    assert_eq!(searched(text, Reductions::NONE), (4, 1));
}

/// Two ends: one in which the parent has seen both children, and one in which their signals were merged.
#[test]
fn the_end_of_a_process_without_objects_is_a_signal_to_its_starter() {
    let text = include_str!("../../scenarios/classics/sigchld-broken.toml");
    assert_eq!(searched(text, Reductions::NONE).1, 2);
}
