//! What may change places and what may not, by what is left to look at.

use std::collections::BTreeSet;

use super::Symmetry;
use crate::explore::semantics::transition::Time;
use crate::explore::state_space::StateSpace;
use crate::explore::strategy::bfs::{Limits, Reductions, Search};
use crate::explore::tests::plan;

const SYMMETRY: Reductions = Reductions { symmetry: true, ..Reductions::NONE };

/// How many states there are, and how many of them stand for all: counted among all of them, and met by the search that
/// looks at no other.
fn counted(text: &str) -> (usize, usize) {
    let plan = plan(text);
    let mut space = StateSpace::new(&plan, Time::Virtual, vec![false; plan.steps.len()], false);
    let mut symmetry = Symmetry::new(&space);
    let mut states = |reductions: Reductions| {
        let mut search = Search::new(&mut space, reductions);
        search.run(Limits::default(), &mut |_| true).expect("it ends");
        let mut state = vec![0; search.space.width()];
        let mut settled = BTreeSet::new();
        for number in 0..search.store.len() as u32 {
            search.store.get(number, &mut state);
            symmetry.settle(search.space, &mut state);
            settled.insert(state.clone());
        }
        (search.store.len(), settled)
    };
    let (all, standing) = states(Reductions::NONE);
    let (met, reduced) = states(SYMMETRY);
    assert_eq!(standing, reduced, "{text}");
    assert_eq!(met, reduced.len(), "{text}");
    (all, met)
}

/// How many groups of strands there are, by how many processes and objects a strand has.
fn groups(text: &str) -> Vec<usize> {
    let plan = plan(text);
    let space = StateSpace::new(&plan, Time::Virtual, vec![false; plan.steps.len()], false);
    Symmetry::new(&space).groups.iter().map(|group| group.columns.len()).collect()
}

/// Workers with a lock and a cell each, and permits for two of them.
fn workers(count: u32) -> String {
    format!(
        r#"
[objects]
permits = {{ kind = "semaphore", value = 2 }}
lock = {{ kind = "mutex", count = {count} }}
cell = {{ kind = "value", count = {count} }}
[processes.w]
count = {count}
steps = [
  {{ lock = "lock[index]" }}, {{ load = "cell[index]", into = "x" }}, {{ acquire = "permits" }},
  {{ store = "cell[index]", value = "{{x + 1}}" }}, {{ release = "permits" }}, {{ unlock = "lock[index]" }},
]
"#
    )
}

/// Producers and consumers, each two with a pipe between them.
fn pairs(count: u32) -> String {
    format!(
        r#"
[objects]
link = {{ kind = "pipe", count = {count}, capacity = 1 }}
total = {{ kind = "value", value = 0 }}
[processes.producer]
count = {count}
steps = [{{ send = "link[index].w", value = 1 }}, {{ send = "link[index].w", value = 2 }}]
[processes.consumer]
count = {count}
steps = [{{ forever = [{{ recv = "link[index].r", into = "x", on = {{ closed = ["break"] }} }}, {{ add = "total", value = "{{x}}" }}] }}]
"#
    )
}

/// Strands have as many states as there are ways to have that many of what one of them can be, where nothing else is
/// between them: of 10, as here, 55 of two and 715 of four.
#[test]
fn strands_stand_for_their_exchanges() {
    assert_eq!([2, 3, 4].map(|count| counted(&workers(count))), [(49, 28), (335, 80), (2225, 185)]);
    assert_eq!([2, 3, 4].map(|count| counted(&pairs(count))), [(100, 55), (1000, 220), (10_000, 715)]);
    assert_eq!((groups(&workers(3)), groups(&pairs(3))), (vec![3], vec![3]));
}

#[test]
fn a_condition_or_a_barrier_goes_with_its_mutex_and_its_processes() {
    let text = r#"
[objects]
m = { kind = "mutex", count = 3 }
c = { kind = "condition", mutex = "m", count = 3 }
b = { kind = "barrier", parties = 2, count = 3 }
ready = { kind = "value", value = false, count = 3, type = "bool" }
[processes.waiter]
count = 3
steps = [{ lock = "m[index]" }, { wait = "c[index]" }, { unlock = "m[index]" }, { wait = "b[index]" }]
[processes.waker]
count = 3
steps = [{ notify = "c[index]" }, { wait = "b[index]" }, { store = "ready[index]", value = true }]
"#;
    assert_eq!(groups(text), [6]);
    let strand = text.replace("count = 3", "count = 1");
    let (all, met) = counted(text);
    let (one, _) = counted(&strand);
    assert_eq!((all, met), (one.pow(3), one * (one + 1) * (one + 2) / 6));
}

#[test]
fn processes_go_with_those_that_they_name_by_their_index() {
    let text = r#"
[objects]
x = { kind = "value", value = 0 }
[processes.child]
count = 3
start = "manual"
steps = [{ add = "x", value = 1 }]
[processes.parent]
count = 3
steps = [{ start = "child[index]" }, { join = "child[index]" }]
"#;
    assert_eq!(groups(text), [2]);
    assert_eq!(counted(text), (4 * 4 * 4, 4 * 5 * 6 / 6));
}

#[test]
fn elements_of_one_array_go_with_their_processes() {
    let text = r#"
[objects]
cells = { kind = "array", len = 3 }
lock = { kind = "mutex", count = 3 }
[processes.p]
count = 3
steps = [{ lock = "lock[index]" }, { load = "cells[index]", into = "x" }, { store = "cells[index]", value = "{x + 1}" }]
"#;
    assert_eq!(groups(text), [3]);
    assert_eq!(counted(text), (4 * 4 * 4, 4 * 5 * 6 / 6));
    let none: [usize; 0] = [];
    let instead = |what: &str, by: &str| groups(&text.replace(what, by));
    assert_eq!(instead("len = 3", "len = 4"), none);
    assert_eq!(instead("len = 3", "value = [0, 1, 0]"), none);
    assert_eq!(instead("len = 3", "value = [1, 1, 1]"), [3]);
    assert_eq!(instead("load = \"cells[index]\"", "load = \"cells\""), none);
    assert_eq!(instead("load = \"cells[index]\"", "load = \"cells[2 - index]\""), none);
    let with = |what: &str| groups(&format!("{text}{what}"));
    assert_eq!(with("[processes.q]\nsteps = [{ load = \"cells[0]\" }]\n"), none);
    assert_eq!(with("[processes.q]\nsteps = [{ load = \"cells\" }]\n"), none);
    for line in [
        "final = \"cells[0] == 1\"",
        "final_values = [\"cells\"]\nin = [[[1, 1, 1]]]",
        "count = \"p store cells[1]\"",
        "race_free = \"cells[1]\"",
    ] {
        assert_eq!(with(&format!("[[expect]]\n{line}\n")), none, "{line}");
    }
    for line in ["count = \"p store cells\"", "race_free = \"cells\""] {
        assert_eq!(with(&format!("[[expect]]\n{line}\n")), [3], "{line}");
    }
}

/// One scenario, and what tells its processes or objects apart where it is there too.
#[test]
fn what_is_told_apart_does_not_change_places() {
    let base = r#"
[objects]
link = { kind = "pipe", count = 3 }
cell = { kind = "value", count = 3, value = [0, 0, 0] }
other = { kind = "value", count = 4 }
x = { kind = "value", value = 0 }
[processes.p]
count = 3
steps = [{ send = "link[index].w", value = 1, outcome = "o" }, { store = "cell[index]", value = 1 }]
[processes.q]
count = 3
steps = [{ recv = "link[index].r", into = "v", outcome = "o" }, { print = "{index}" }]
"#;
    assert_eq!(groups(base), [4]);
    let with = |what: &str| groups(&format!("{base}{what}"));
    let instead = |what: &str, by: &str| {
        assert!(base.contains(what), "{what}");
        groups(&base.replace(what, by))
    };
    let none: [usize; 0] = [];
    // Others name one of them, or may.
    let third = |step: &str| with(&format!("[processes.r]\nsteps = [{step}]\n"));
    for step in [
        "{ load = \"cell[0]\" }",
        "{ repeat = 3, as = \"i\", do = [{ load = \"cell[i]\" }] }",
        "{ join = \"p[1]\" }",
        "{ join = \"p\", into = \"code\" }",
        "{ join = \"p\", timeout = \"0s\", outcome = \"o\" }",
        "{ status = \"q[2]\", into = \"s\" }",
        "{ kill = \"q[2]\", signal = \"TERM\" }",
    ] {
        assert_eq!(third(step), none, "{step}");
    }
    for step in ["{ join = \"p\" }", "{ kill = \"q\", signal = \"TERM\" }", "{ load = \"other[0]\" }"] {
        assert_eq!(third(step), [4], "{step}");
    }
    assert_eq!(with("[processes.r]\nsteps = []\nuses = [\"link[0].w\"]\n"), none);
    assert_eq!(with("[processes.r]\nsteps = []\ndepends_on = { \"p[0]\" = \"exited\" }\n"), none);
    assert_eq!(with("[processes.r]\nsteps = []\ndepends_on = { p = \"exited\" }\n"), [4]);
    // They name another's, or use their index otherwise.
    let store = "{ store = \"cell[index]\", value = 1 }";
    for step in [
        "{ store = \"cell[index]\", value = \"{index}\" }",
        "{ store = \"cell[index + 0]\", value = 1 }",
        "{ store = \"cell[(index + 1) % 3]\", value = 1 }",
        "{ store = \"other[index]\", value = 1 }",
        "{ store = \"x\", value = \"{pid}\" }",
        "{ mark = \"{name}\" }",
        "{ if = \"index == 0\", then = [{ store = \"x\", value = 1 }] }",
        "{ sleep = \"{random(1, 2)}ms\" }",
    ] {
        assert_eq!(instead(store, step), none, "{step}");
    }
    assert_eq!(instead(store, "{ add = \"x\", value = 1 }"), [3]);
    // They are not declared alike.
    assert_eq!(instead("value = [0, 0, 0]", "value = [0, 0, 1]"), none);
    // Expectations ask for one of them.
    for line in [
        "final = \"cell[0] == 1\"",
        "final = \"size(link[0]) == 0\"",
        "final = \"exit('p[0]') == 0\"",
        "final_values = [\"cell[0]\", \"cell[1]\", \"cell[2]\"]\nin = [[1, 1, 1]]",
        "count = \"p send link[0]\"",
        "count = \"p[0] send link\"",
        "fifo = \"link[1]\"",
        "exits = \"q[0]\"",
        "deadlock = true\nblocked = [\"q at link[0]\"]",
    ] {
        assert_eq!(with(&format!("[[expect]]\n{line}\n")), none, "{line}");
    }
    for line in [
        "count = \"p send link\"",
        "fifo = \"link\"",
        "exits = \"q\"",
        "deadlock = true\nblocked = [\"q at link\"]",
        "final = \"count('p store cell') == 3\"",
    ] {
        assert_eq!(with(&format!("[[expect]]\n{line}\n")), [4], "{line}");
    }
}

/// Clients that put their own index into a queue and are answered by it: the states of the clients in any order, with the
/// indices in the queue and in the server's variable.
#[test]
fn indices_that_a_server_answers_change_places_with_their_clients() {
    let server = |count: u32, reply: &str| {
        format!(
            r#"
[objects]
requests = {{ kind = "queue", capacity = {count} }}
reply = {{ kind = "queue", count = {count}, capacity = 1 }}
[processes.client]
count = {count}
steps = [{{ put = "requests", value = "{{index}}" }}, {{ get = "reply[index]" }}]
[processes.server]
daemon = true
steps = [{{ forever = [{{ get = "requests", into = "who" }}, {{ put = "reply[{reply}]", value = "done" }}] }}]
"#
        )
    };
    assert_eq!(groups(&server(3, "who")), [2]);
    assert_eq!([2, 3, 4].map(|count| counted(&server(count, "who"))), [(25, 14), (129, 30), (705, 55)]);
    // What is computed from an index is no index.
    let none: [usize; 0] = [];
    assert_eq!(groups(&server(3, "(who + 1) % 3")), none);
}
