//! Semaphores, mutexes, conditions, barriers and events.

use super::{alone, holds, refused};

#[test]
fn every_outcome_of_a_semaphore() {
    for via in ["posix", "sysv"] {
        alone(
            &format!("s = {{ kind = \"semaphore\", value = 2, via = \"{via}\" }}"),
            r#"
  { size = "s", into = "n", expect = 2 },
  { acquire = "s" },
  { acquire = "s", timeout = "0s" },
  { acquire = "s", timeout = "0s", expect = "would_block" },
  { acquire = "s", timeout = "5ms", expect = "timeout" },
  { release = "s", n = 5 },
  { size = "s", into = "n", expect = 5 },
  { acquire = "s", timeout = "1s" },
  { size = "s", into = "n", expect = 4 },
"#,
        );
        alone(
            &format!("s = {{ kind = \"semaphore\", value = 3, via = \"{via}\", bound = true }}"),
            r#"
  { release = "s", expect = "overflow" },
  { acquire = "s" },
  { release = "s", n = 2, expect = "overflow" },
  { size = "s", into = "n", expect = 2 },
  { release = "s" },
  { size = "s", into = "n", expect = 3 },
"#,
        );
    }
    alone(
        "s = { kind = \"semaphore\", value = 5, via = \"sysv\" }",
        r#"
  { acquire = "s", n = 3 },
  { acquire = "s", n = 3, timeout = "0s", expect = "would_block" },
  { size = "s", into = "n", expect = 2 },
  { acquire = "s", n = 2 },
  { acquire = "s", n = 2, timeout = "5ms", expect = "timeout" },
  { let = { many = 40000 } },
  { release = "s", n = 32000 },
  { release = "s", n = "{many}", outcome = "r" },
  { assert = "r == 'overflow' || r == 'out_of_range'" },
  { size = "s", into = "n", expect = 32000 },
"#,
    );
    alone("s = { kind = \"semaphore\" }", r#"{ size = "s", into = "n", expect = 1 }"#);
    alone(
        "s = { kind = \"semaphore\", value = 0 }",
        r#"{ let = { none = 0 } }, { release = "s", n = "{none}", outcome = "r" }, { assert = "r == 'ok'" }"#,
    );
    refused("s = { kind = \"semaphore\" }", "{ acquire = \"s\", n = 2 }", "sysv");
    refused("s = { kind = \"semaphore\" }", "{ release = \"s\", n = -1 }", "a.toml:5:");
    refused("s = { kind = \"semaphore\", value = -1 }", "{ release = \"s\" }", "a.toml:2:");
    refused("s = { kind = \"semaphore\", value = 99999, via = \"sysv\" }", "{ release = \"s\" }", "32767");
    refused("s = { kind = \"semaphore\", via = \"futex\" }", "{ release = \"s\" }", "sysv");
}

#[test]
fn permits_are_never_more_than_there_are() {
    for via in ["posix", "sysv"] {
        holds(&format!(
            r#"
[objects]
s = {{ kind = "semaphore", value = 2, via = "{via}", bound = true }}
inside = {{ kind = "value", type = "i32" }}
[processes.p]
count = 6
steps = [{{ repeat = 20, do = [
  {{ acquire = "s" }},
  {{ add = "inside", value = 1, into = "before" }},
  {{ assert = "before < 2" }},
  "yield",
  {{ add = "inside", value = -1 }},
  {{ release = "s" }},
] }}]
[[expect]]
holding = "s"
at_most = 2
[[expect]]
always = "inside <= 2 && s >= 0 && s <= 2"
[[expect]]
final = "s == 2 && inside == 0"
"#
        ));
    }
}

#[test]
fn every_type_of_mutex() {
    alone(
        "m = { kind = \"mutex\" }",
        r#"
  { lock = "m" },
  { lock = "m", timeout = "0s", expect = "would_block" },
  { lock = "m", timeout = "5ms", expect = "timeout" },
  { unlock = "m" },
  { unlock = "m", expect = "not_owner" },
  { lock = "m", timeout = "0s" },
  { unlock = "m" },
  { lock = "m", timeout = "1s" },
"#,
    );
    alone(
        "m = { kind = \"mutex\", type = \"recursive\" }",
        r#"
  { lock = "m" },
  { lock = "m" },
  { lock = "m", timeout = "0s" },
  { repeat = 3, do = [{ unlock = "m" }] },
  { unlock = "m", expect = "not_owner" },
"#,
    );
    alone(
        "m = { kind = \"mutex\", type = \"errorcheck\" }",
        r#"
  { lock = "m" },
  { lock = "m", expect = "would_deadlock" },
  { unlock = "m" },
  { unlock = "m", expect = "not_owner" },
"#,
    );
    for kind in ["normal", "recursive", "errorcheck"] {
        for more in ["", ", robust = true", ", protocol = \"inherit\"", ", robust = true, protocol = \"inherit\""] {
            holds(&format!(
                r#"
[objects]
m = {{ kind = "mutex", type = "{kind}"{more} }}
n = {{ kind = "value", type = "i32" }}
held = {{ kind = "event" }}
[processes.p]
count = 3
steps = [
  {{ repeat = 20, do = [
    {{ lock = "m" }}, {{ load = "n", into = "x" }}, "yield", {{ store = "n", value = "{{x + 1}}" }}, {{ unlock = "m" }},
  ] }},
]
[processes.thief]
depends_on = {{ holder = "ready" }}
steps = [{{ unlock = "m", outcome = "r" }}, {{ assert = "r == 'not_owner'" }}, {{ set = "held" }}]
[processes.holder]
steps = [{{ lock = "m" }}, {{ ready = true }}, {{ wait = "held" }}, {{ unlock = "m" }}]
[[expect]]
final = "n == 60"
[[expect]]
race_free = "n"
[[expect]]
holding = "m"
at_most = 1
"#
            ));
        }
    }
    refused("m = { kind = \"mutex\" }", "{ repair = \"m\" }", "a.toml:5:");
    refused("m = { kind = \"mutex\", type = \"fair\" }", "{ lock = \"m\" }", "errorcheck");
}

#[test]
fn a_robust_mutex_outlives_its_owner() {
    for kind in ["normal", "recursive", "errorcheck"] {
        for protocol in ["none", "inherit"] {
            holds(&format!(
                r#"
[objects]
m = {{ kind = "mutex", type = "{kind}", robust = true, protocol = "{protocol}" }}
[processes.owner]
steps = [{{ lock = "m" }}, {{ exit = 0 }}]
[processes.heir]
steps = [
  {{ join = "owner" }},
  {{ lock = "m", outcome = "r" }},
  {{ assert = "r == 'owner_died'" }},
  {{ repair = "m" }},
  {{ unlock = "m" }},
  {{ lock = "m" }},
  {{ unlock = "m" }},
]
"#
            ));
        }
    }
    // Given up without a repair, it is of no use to anybody any more.
    holds(
        r#"
[objects]
m = { kind = "mutex", robust = true }
held = { kind = "event" }
[processes.owner]
steps = [{ lock = "m" }, { set = "held" }, { sleep = "1h" }]
[processes.waiter]
steps = [{ wait = "held" }, { lock = "m", expect = "owner_died" }, { unlock = "m" }, { lock = "m", expect = "unrecoverable" }]
[processes.killer]
steps = [{ wait = "held" }, { sleep = "10ms" }, { kill = "owner" }, { join = "waiter" }, { lock = "m", timeout = "1s", expect = "unrecoverable" }]
"#,
    );
}

#[test]
fn a_condition_gives_the_mutex_back_and_takes_it_again() {
    holds(
        r#"
[objects]
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
ready = { kind = "value", type = "bool" }
[processes.waiter]
count = 3
steps = [
  { lock = "m" },
  { forever = [{ load = "ready", into = "r" }, { if = "r", then = ["break"] }, { wait = "c" }] },
  { unlock = "m" },
]
[processes.setter]
steps = [
  { sleep = "10ms" },
  { lock = "m" }, { store = "ready", value = true }, { notify_all = "c", into = "woken" }, { unlock = "m" },
  { mark = "woken", value = "{woken}" },
]
[[expect]]
race_free = "ready"
[[expect]]
holding = "m"
at_most = 1
[[expect]]
values = "setter mark woken"
in = [[0], [1], [2], [3]]
"#,
    );
    alone(
        "m = { kind = \"mutex\" }\nc = { kind = \"condition\", mutex = \"m\" }",
        r#"
  { wait = "c", timeout = "1s", expect = "not_owner" },
  { notify = "c", into = "n", expect = 0 },
  { notify_all = "c", into = "n", expect = 0 },
  { lock = "m" },
  { wait = "c", timeout = "0s", expect = "would_block" },
  { wait = "c", timeout = "5ms", expect = "timeout" },
  { unlock = "m" },
  { unlock = "m", expect = "not_owner" },
"#,
    );
    refused("c = { kind = \"condition\" }", "{ notify = \"c\" }", "mutex");
    refused("c = { kind = \"condition\", mutex = \"m\" }", "{ notify = \"c\" }", "a.toml:2:");
    refused("m = { kind = \"event\" }\nc = { kind = \"condition\", mutex = \"m\" }", "{ notify = \"c\" }", "a.toml:3:");
}

#[test]
fn notify_wakes_as_many_as_it_says() {
    holds(
        r#"
[objects]
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
waiting = { kind = "value", type = "i32" }
woken = { kind = "value", type = "i32" }
[processes.waiter]
count = 5
steps = [
  { lock = "m" },
  { add = "waiting", value = 1 },
  { wait = "c" },
  { add = "woken", value = 1 },
  { unlock = "m" },
]
[processes.notifier]
vars = { n = 0 }
steps = [
  { while = "n < 5", do = [{ lock = "m" }, { load = "waiting", into = "n" }, { unlock = "m" }] },
  { notify = "c", into = "k", expect = 1 },
  { notify = "c", n = 3, into = "k", expect = 3 },
  { notify = "c", n = 3, into = "k", expect = 1 },
  { notify = "c", into = "k", expect = 0 },
]
[[expect]]
final = "woken == 5"
"#,
    );
}

#[test]
fn a_barrier_lets_all_go_at_once_and_numbers_them() {
    for via in ["memory", "posix"] {
        holds(&format!(
            r#"
[objects]
b = {{ kind = "barrier", parties = 3, via = "{via}" }}
before = {{ kind = "value", type = "i32" }}
sum = {{ kind = "value", type = "i32" }}
[processes.p]
count = 3
steps = [
  {{ repeat = 10, as = "round", do = [
    {{ add = "before", value = 1 }},
    {{ wait = "b", into = "order" }},
    {{ load = "before", into = "n" }},
    {{ assert = "n >= 3 * (round + 1) && order >= 0 && order < 3" }},
    {{ add = "sum", value = "{{order}}" }},
    {{ wait = "b" }},
  ] }},
]
[[expect]]
final = "before == 30 && sum == 30"
[[expect]]
values = "p wait b"
unordered = true
equals = [{numbers}]
"#,
            numbers = "0, 1, 2, ".repeat(20),
        ));
    }
}

#[test]
fn a_barrier_breaks() {
    alone(
        "b = { kind = \"barrier\", parties = 2 }",
        r#"
  { size = "b", into = "n", expect = 0 },
  { wait = "b", timeout = "0s", expect = "would_block" },
  { size = "b", into = "n", expect = 0 },
  { wait = "b", timeout = "5ms", outcome = "r" },
  { assert = "r == 'timeout' || r == 'broken'" },
  { wait = "b", expect = "broken" },
  { reset = "b" },
  { abort = "b" },
  { wait = "b", expect = "broken" },
  { reset = "b" },
  { wait = "b", timeout = "0s", expect = "would_block" },
"#,
    );
    for breaks in ["{ abort = \"b\" }", "{ reset = \"b\" }"] {
        holds(&format!(
            r#"
[objects]
b = {{ kind = "barrier", parties = 3 }}
[processes.p]
count = 2
steps = [{{ wait = "b", expect = "broken" }}]
[processes.q]
vars = {{ n = 0 }}
steps = [{{ while = "n < 2", do = [{{ size = "b", into = "n" }}] }}, {breaks}]
"#
        ));
    }
    // One gives up: the others end broken.
    holds(
        r#"
[objects]
b = { kind = "barrier", parties = 3 }
[processes.p]
steps = [{ wait = "b", expect = "broken" }]
[processes.q]
steps = [{ wait = "b", timeout = "10ms", expect = "timeout" }]
"#,
    );
    let posix = "b = { kind = \"barrier\", parties = 2, via = \"posix\" }";
    for step in ["{ abort = \"b\" }", "{ reset = \"b\" }", "{ size = \"b\" }", "{ wait = \"b\", timeout = \"1s\" }"] {
        refused(posix, step, "a.toml:5:");
    }
    alone(posix, r#"{ abort = "b", expect = "invalid" }, { wait = "b", timeout = "1s", expect = "invalid" }"#);
    refused("b = { kind = \"barrier\", parties = 0 }", "{ wait = \"b\" }", "a.toml:2:");
    refused("b = { kind = \"barrier\" }", "{ wait = \"b\" }", "parties");
}

#[test]
fn an_event_stays_set() {
    alone(
        "e = { kind = \"event\" }\nf = { kind = \"event\", set = true }",
        r#"
  { wait = "e", timeout = "0s", expect = "would_block" },
  { wait = "e", timeout = "5ms", expect = "timeout" },
  { set = "e" },
  { wait = "e" },
  { wait = "e", timeout = "0s" },
  { clear = "e" },
  { wait = "e", timeout = "0s", expect = "would_block" },
  { wait = "f" },
  { clear = "f" },
  { wait = "f", timeout = "0s", expect = "would_block" },
"#,
    );
    holds(
        r#"
[objects]
go = { kind = "event" }
[processes.p]
count = 5
steps = [{ wait = "go" }, { mark = "gone" }]
[processes.q]
steps = [{ sleep = "5ms" }, { set = "go" }]
[[expect]]
all_before = ["q set go", "p mark gone"]
[[expect]]
final = "go"
"#,
    );
}

#[test]
fn arrays_of_locks() {
    holds(
        r#"
[objects]
forks = { kind = "mutex", count = 5 }
turn = { kind = "semaphore", count = 3, value = [1, 0, 0] }
doors = { kind = "event", count = 2, set = [true, false] }
gates = { kind = "barrier", count = 2, parties = [1, 3] }
[processes.philosopher]
count = 5
steps = [
  { let = { a = "{min(index, (index + 1) % 5)}", b = "{max(index, (index + 1) % 5)}" } },
  { repeat = 5, do = [
    { lock = "forks[a]" }, { lock = "forks[b]" }, "yield", { unlock = "forks[b]" }, { unlock = "forks[a]" },
  ] },
]
[processes.ring]
count = 3
steps = [
  { acquire = "turn[index]" },
  { mark = "{name}", value = "{index}" },
  { release = "turn[(index + 1) % 3]" },
  { wait = "doors[0]" },
  { wait = "doors[1]", timeout = "0s", expect = "would_block" },
  { wait = "gates[0]" },
  { wait = "gates[1]" },
]
[[expect]]
holding = "forks"
at_most = 5
[[expect]]
order = ["ring[0] acquire turn[0]", "ring[1] acquire turn[1]", "ring[2] acquire turn[2]"]
[[expect]]
final = "turn == [1, 0, 0] && turn[0] == 1 && forks[3] == null"
"#,
    );
}

#[test]
fn timeouts_go_by_the_monotonic_clock() {
    for (objects, step) in [
        ("s = { kind = \"semaphore\", value = 0 }", "acquire = \"s\""),
        ("s = { kind = \"semaphore\", value = 0, via = \"sysv\" }", "acquire = \"s\""),
        ("q = { kind = \"queue\", capacity = 1 }", "get = \"q\""),
        ("q = { kind = \"queue\", capacity = 1, via = \"sysv\" }", "get = \"q\""),
        ("q = { kind = \"queue\" }", "get = \"q\""),
        ("e = { kind = \"event\" }", "wait = \"e\""),
        ("b = { kind = \"barrier\", parties = 2 }", "wait = \"b\""),
        ("l = { kind = \"pipe\" }", "recv = \"l.r\""),
        ("l = { kind = \"pipe\", duplex = true }", "recv = \"l.a\""),
    ] {
        // What is named is held: the end stays open.
        let hold = if objects.starts_with("l = ") && !objects.contains("duplex") {
            "{ if = \"false\", then = [{ send = \"l.w\", value = 1 }] },"
        } else if objects.contains("duplex") {
            "{ if = \"false\", then = [{ send = \"l.b\", value = 1 }] },"
        } else {
            ""
        };
        alone(
            objects,
            &format!(
                "{hold} {{ let = {{ begin = \"{{now}}\" }} }}, {{ {step}, timeout = \"30ms\", expect = \"timeout\" }}, \
                 {{ assert = \"now - begin >= 0.03\" }}, {{ let = {{ t = \"10ms\" }} }}, \
                 {{ {step}, timeout = \"{{t}}\", outcome = \"r\" }}, {{ assert = \"r == 'timeout' || r == 'broken'\" }}"
            ),
        );
    }
}
