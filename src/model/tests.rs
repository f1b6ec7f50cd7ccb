//! The full search, by the numbers of states that other tools find.

use std::sync::Arc;

use super::full;
use super::space::{Space, Time};
use crate::diagnostic::Source;
use crate::judge::FORMS;
use crate::scenario;
use crate::scenario::plan::Plan;

pub(super) fn plan(text: &str) -> Plan {
    let source = Arc::new(Source::new("p.toml".to_owned(), text.to_owned()));
    let forms: Vec<_> = FORMS.iter().map(|form| &form.description).collect();
    match scenario::load(&source, &scenario::Options::default(), &forms) {
        Ok(loaded) => loaded.plan,
        Err(diagnostics) => panic!("{diagnostics:?}"),
    }
}

pub(super) fn lost_update(processes: u32, rounds: u32) -> String {
    format!(
        r#"
[objects]
money = {{ kind = "value", value = 0 }}
[processes.p]
count = {processes}
steps = [{{ repeat = {rounds}, do = [{{ load = "money", into = "m" }}, {{ store = "money", value = "{{m + 1}}" }}] }}]
"#
    )
}

pub(super) fn semaphore(workers: u32, permits: u32) -> String {
    format!(
        r#"
[objects]
s = {{ kind = "semaphore", value = {permits} }}
[processes.w]
count = {workers}
steps = [{{ acquire = "s" }}, "yield", {{ release = "s" }}]
"#
    )
}

fn states(text: &str) -> (usize, usize, u64) {
    let plan = plan(text);
    let mut space = Space::new(&plan, Time::Virtual, vec![false; plan.steps.len()], false);
    let full = full::search(&mut space, usize::MAX).expect("it ends");
    (full.store.len(), full.ends.len(), full.edges)
}

#[test]
fn a_lost_update_has_as_many_states_as_elsewhere() {
    assert_eq!(states(&lost_update(2, 3)).0, 195);
    assert_eq!(states(&lost_update(3, 2)).0, 904);
    assert_eq!(states(&lost_update(3, 3)).0, 7646);
}

#[test]
fn workers_have_as_many_states_as_elsewhere() {
    assert_eq!(states(&semaphore(3, 3)).0, 64);
    assert_eq!(states(&semaphore(4, 3)).0, 240);
    assert_eq!(states(&semaphore(5, 3)).0, 832);
}

/// Follows the path to each end, and says what the money is there.
#[test]
fn a_path_is_told_as_a_trace() {
    let plan = plan(&lost_update(2, 2));
    let mut space = Space::new(&plan, Time::Virtual, vec![false; plan.steps.len()], false);
    let full = full::search(&mut space, usize::MAX).expect("it ends");
    let mut finals: Vec<String> = Vec::new();
    for end in &full.ends {
        let path = full.path(&mut space, *end).expect("it is a path");
        let told = super::tell::tell(&space, &path).expect("it can be followed");
        assert_eq!(told.trace.end, crate::trace::RunEnd::Completed);
        assert!(told.trace.causality.problems().is_empty());
        finals.push(crate::judge::final_state(&plan, &told.trace));
        assert_eq!(told.turns.turns.len(), 8);
    }
    finals.sort();
    finals.dedup();
    assert_eq!(finals, ["money=2", "money=3", "money=4"]);
}
