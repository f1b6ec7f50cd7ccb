//! Small scenarios over everything that has a translation to Promela.

use ipcrun::explore::semantics::transition::Time;

/// How many are put together by chance.
const BY_CHANCE: u64 = 14;

pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) time: Time,
}

pub(super) fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    let mut add = |time: Time, name: &str, text: String| {
        all.push(Scenario { name: name.to_owned(), text, time });
    };
    for (name, text) in families() {
        add(Time::Virtual, &name, text);
    }
    for (name, text) in SINGLE {
        add(Time::Virtual, name, (*text).to_owned());
    }
    for (name, text) in TIMED {
        add(Time::Any, name, (*text).to_owned());
    }
    for number in 0..BY_CHANCE {
        add(Time::Any, &format!("by chance {number}"), super::random::scenario(number));
    }
    all
}

/// Scenarios with numbers to choose.
fn families() -> Vec<(String, String)> {
    let mut families = Vec::new();
    for (processes, rounds) in [(2, 1), (2, 3), (3, 2), (3, 3)] {
        let text = format!(
            r#"
[objects]
money = {{ kind = "value", value = 0 }}
[processes.p]
count = {processes}
steps = [{{ repeat = {rounds}, do = [{{ load = "money", into = "m" }}, {{ store = "money", value = "{{m + 1}}" }}] }}]
"#
        );
        families.push((format!("lost update {processes} x {rounds}"), text));
    }
    for (workers, permits) in [(3, 3), (5, 3), (8, 3), (4, 1)] {
        let text = format!(
            r#"
[objects]
s = {{ kind = "semaphore", value = {permits} }}
[processes.w]
count = {workers}
steps = [{{ acquire = "s" }}, "yield", {{ release = "s" }}]
"#
        );
        families.push((format!("workers {workers} at {permits}"), text));
    }
    for (count, ordered, forever, kind) in [
        (3, true, false, "semaphore"),
        (4, true, false, "mutex"),
        (5, true, false, "semaphore"),
        (3, false, false, "mutex"),
        (4, false, false, "semaphore"),
        (5, false, false, "mutex"),
        (3, true, true, "mutex"),
        (4, false, true, "semaphore"),
    ] {
        let (take, give) = if kind == "mutex" { ("lock", "unlock") } else { ("acquire", "release") };
        let (low, high) = if ordered {
            let next = format!("(index + 1) % {count}");
            (format!("math.least(index, {next})"), format!("math.greatest(index, {next})"))
        } else {
            ("index".to_owned(), format!("(index + 1) % {count}"))
        };
        let meal = [(take, &low), (take, &high), (give, &high), (give, &low)]
            .map(|(verb, fork)| format!("{{ {verb} = \"forks[{fork}]\" }}"))
            .join(", ");
        let steps = if forever { format!("{{ forever = [{meal}] }}") } else { meal };
        let text = format!(
            r#"
[objects]
forks = {{ kind = "{kind}", count = {count} }}
[processes.phil]
count = {count}
steps = [{steps}]
"#
        );
        families.push((format!("philosophers {count} ordered {ordered} forever {forever} {kind}"), text));
    }
    for (producers, items, consumers, capacity) in [(1, 3, 1, 1), (2, 3, 2, 2), (2, 2, 1, 4), (3, 2, 2, 1)] {
        let each = producers * items / consumers;
        let text = format!(
            r#"
[objects]
q = {{ kind = "queue", capacity = {capacity}, via = "memory" }}
[processes.producer]
count = {producers}
steps = [{{ repeat = {items}, as = "i", do = [{{ put = "q", value = "{{index * {items} + i + 1}}" }}] }}]
[processes.consumer]
count = {consumers}
vars = {{ mine = 0 }}
steps = [{{ repeat = {each}, do = [{{ get = "q", into = "v" }}, {{ let = {{ mine = "{{mine + v}}" }} }}] }}, {{ print = "{{mine}}" }}]
"#
        );
        families.push((format!("buffer {producers} x {items} to {consumers} through {capacity}"), text));
    }
    for (notify, producers) in [("notify", 2), ("notify_all", 2), ("notify", 1)] {
        let text = format!(
            r#"
[objects]
m = {{ kind = "mutex" }}
c = {{ kind = "condition", mutex = "m" }}
count = {{ kind = "value", value = 0 }}
[processes.producer]
count = {producers}
steps = [{{ repeat = 2, do = [
  {{ lock = "m" }},
  {{ load = "count", into = "n" }},
  {{ while = "n == 1", do = [{{ wait = "c" }}, {{ load = "count", into = "n" }}] }},
  {{ store = "count", value = "{{n + 1}}" }}, {{ {notify} = "c" }}, {{ unlock = "m" }}] }}]
[processes.consumer]
count = {producers}
steps = [{{ repeat = 2, do = [
  {{ lock = "m" }},
  {{ load = "count", into = "n" }},
  {{ while = "n == 0", do = [{{ wait = "c" }}, {{ load = "count", into = "n" }}] }},
  {{ store = "count", value = "{{n - 1}}" }}, {{ {notify} = "c" }}, {{ unlock = "m" }}] }}]
"#
        );
        families.push((format!("condition buffer {notify} {producers}"), text));
    }
    for (parties, rounds, via, into) in
        [(3, 2, "memory", false), (3, 2, "memory", true), (2, 3, "posix", true), (4, 1, "posix", false)]
    {
        let into = if into { ", into = \"n\" }, { print = \"{n}\"" } else { "" };
        let text = format!(
            r#"
[objects]
b = {{ kind = "barrier", parties = {parties}, via = "{via}" }}
[processes.p]
count = {parties}
steps = [{{ repeat = {rounds}, do = [{{ wait = "b"{into} }}] }}]
"#
        );
        families.push((format!("barrier {parties} x {rounds} {via} {into}"), text));
    }
    families
}

/// Scenarios in which no time passes.
const SINGLE: &[(&str, &str)] = &[
    (
        "one step",
        r#"
[processes.p]
steps = ["yield"]
"#,
    ),
    (
        "nothing at all",
        r#"
[processes.p]
steps = [{ print = "hello" }]
[processes.q]
steps = ["yield", { mark = "x", value = 3 }]
"#,
    ),
    (
        "atomic steps on a value",
        r#"
[objects]
x = { kind = "value", value = 5 }
[processes.p]
count = 2
steps = [
  { add = "x", value = 2, into = "a" },
  { swap = "x", value = "{a}", into = "a" },
  { compare_swap = "x", old = 5, value = 9, into = "b" },
  { update = "x", value = "{it * 2 - a}", into = "c" },
  { store = "x", value = "{c + b}" },
]
"#,
    ),
    (
        "a small integer overflows",
        r#"
[objects]
x = { kind = "value", type = "u8", value = 250 }
[processes.p]
count = 2
steps = [
  { repeat = 3, do = [{ add = "x", value = 3, on = { overflow = [{ store = "x", value = 0 }] } }] },
  { update = "x", value = "{it - 5}", outcome = "r" },
  { store = "x", value = 256, on = { out_of_range = [] } },
  { if = "r == 'ok'", then = [{ exit = 3 }] },
]
"#,
    ),
    (
        "a failure ends the process",
        r#"
[objects]
x = { kind = "value", type = "i8", value = 126 }
[processes.p]
count = 3
steps = [{ add = "x", value = 1 }]
"#,
    ),
    (
        "truth values",
        r#"
[objects]
flag = { kind = "value", value = false }
turn = { kind = "value", value = 0 }
[processes.p]
count = 2
steps = [
  { swap = "flag", value = true, into = "was" },
  { if = "!was", then = [{ store = "turn", value = "{index}" }, { store = "flag", value = false }] },
  { load = "flag", into = "f" },
  { if = "f || was", then = [{ add = "turn", value = 1 }] },
]
"#,
    ),
    (
        "an array and its elements",
        r#"
[objects]
a = { kind = "array", value = [3, 1, 2] }
[processes.p]
count = 2
steps = [
  { repeat = 2, as = "i", do = [
    { load = "a[i]", into = "x" }, { load = "a[i + 1]", into = "y" },
    { if = "x > y", then = [{ store = "a[i]", value = "{y}" }, { store = "a[i + 1]", value = "{x}" }] },
  ] },
]
"#,
    ),
    (
        "an array as a whole",
        r#"
[objects]
a = { kind = "array", len = 2 }
[processes.p]
steps = [{ store = "a", value = [1, -2] }, { load = "a" }]
[processes.q]
steps = [{ add = "a[0]", value = 1 }, { load = "a[1]", into = "n" }, { add = "a[0]", value = "{n}" }]
"#,
    ),
    (
        "an index that is out of range",
        r#"
[objects]
a = { kind = "array", value = [1, 4, 0] }
[processes.p]
vars = { i = 0 }
steps = [{ repeat = 3, do = [{ load = "a[i]", into = "i", outcome = "r" }] }, { if = "r == 'out_of_range'", then = [{ exit = 7 }] }]
[processes.q]
steps = [{ store = "a[1]", value = 2 }]
"#,
    ),
    (
        "truth values in an array",
        r#"
[objects]
want = { kind = "array", value = [false, false] }
turn = { kind = "value", value = 0 }
inside = { kind = "value", value = 0 }
[processes.p]
count = 2
steps = [
  { store = "want[index]", value = true },
  { store = "turn", value = "{1 - index}" },
  { let = { w = true, t = -1 } },
  { while = "w && t != index", do = [{ load = "want[1 - index]", into = "w" }, { if = "w", then = [{ load = "turn", into = "t" }] }] },
  { add = "inside", value = 1, into = "n" },
  { assert = "n == 0" },
  { add = "inside", value = -1 },
  { store = "want[index]", value = false },
]
"#,
    ),
    (
        "an assertion that fails",
        r#"
[objects]
inside = { kind = "value", value = 0 }
[processes.p]
count = 2
steps = [
  { add = "inside", value = 1, into = "n" },
  { assert = "n == 0" },
  { add = "inside", value = -1 },
]
"#,
    ),
    (
        "permits in numbers",
        r#"
[objects]
s = { kind = "semaphore", value = 2, via = "sysv" }
[processes.p]
count = 3
steps = [{ acquire = "s", n = 2 }, { release = "s" }, { acquire = "s" }, { release = "s", n = 2 }]
"#,
    ),
    (
        "a bound semaphore",
        r#"
[objects]
s = { kind = "semaphore", value = 1, bound = true }
[processes.p]
count = 2
steps = [{ release = "s", on = { overflow = [{ acquire = "s" }] } }, { size = "s", into = "n" }, { if = "n > 0", then = ["yield"] }]
"#,
    ),
    (
        "permits that are computed",
        r#"
[objects]
s = { kind = "semaphore", value = 1, via = "sysv" }
[processes.p]
count = 2
steps = [
  { size = "s", into = "n" },
  { acquire = "s", n = "{n}", timeout = "0s", outcome = "r" },
  { if = "r == 'ok'", then = [{ release = "s", n = "{n + 1}" }] },
]
"#,
    ),
    (
        "tries that do not wait",
        r#"
[objects]
s = { kind = "semaphore", value = 1 }
[processes.p]
count = 3
steps = [
  { acquire = "s", timeout = "0s", outcome = "r" },
  { if = "r == 'would_block'", then = ["yield"], else = [{ release = "s" }] },
]
"#,
    ),
    (
        "locks in both orders",
        r#"
[objects]
a = { kind = "mutex" }
b = { kind = "mutex" }
[processes.p]
steps = [{ lock = "a" }, { lock = "b" }, { unlock = "b" }, { unlock = "a" }]
[processes.q]
steps = [{ lock = "b" }, { lock = "a" }, { unlock = "a" }, { unlock = "b" }]
"#,
    ),
    (
        "a lock that checks",
        r#"
[objects]
m = { kind = "mutex", type = "errorcheck" }
[processes.p]
count = 3
steps = [
  { unlock = "m", on = { not_owner = [] } },
  { lock = "m" },
  { lock = "m", on = { would_deadlock = ["yield"] } },
  { unlock = "m" },
]
"#,
    ),
    (
        "a lock taken again and again",
        r#"
[objects]
m = { kind = "mutex", type = "recursive" }
[processes.p]
count = 2
steps = [{ repeat = 2, do = [{ lock = "m" }, { lock = "m" }, { unlock = "m" }, { unlock = "m" }] }]
[processes.q]
steps = [{ lock = "m", timeout = "0s", on = { would_block = [{ exit = 2 }] } }, { unlock = "m" }]
"#,
    ),
    (
        "a lock that its owner takes along",
        r#"
[objects]
m = { kind = "mutex" }
[processes.p]
count = 2
steps = [{ lock = "m" }, { if = "index == 1", then = [{ exit = 4 }] }, { unlock = "m" }]
"#,
    ),
    (
        "a lock taken twice",
        r#"
[objects]
m = { kind = "mutex" }
[processes.p]
steps = [{ lock = "m" }, { lock = "m" }]
[processes.q]
steps = ["yield", "yield"]
"#,
    ),
    (
        "a wait on a recursive lock",
        r#"
[objects]
m = { kind = "mutex", type = "recursive" }
c = { kind = "condition", mutex = "m" }
[processes.w]
count = 2
steps = [{ lock = "m" }, { lock = "m" }, { wait = "c" }, { unlock = "m" }, { unlock = "m" }]
[processes.n]
steps = [{ repeat = 2, do = [{ lock = "m" }, { notify = "c", into = "n" }, { unlock = "m" }, { if = "n == 0", then = [{ exit = 1 }] }] }]
"#,
    ),
    (
        "several are notified",
        r#"
[objects]
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
[processes.w]
count = 3
steps = [{ lock = "m" }, { wait = "c" }, { unlock = "m" }]
[processes.n]
steps = [{ notify = "c", n = 2, into = "n" }, { notify_all = "c", into = "k" }, { exit = 0 }]
"#,
    ),
    (
        "a wait without the lock",
        r#"
[objects]
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
[processes.w]
steps = [{ wait = "c", on = { not_owner = [{ lock = "m" }] } }, { wait = "c", timeout = "0s", outcome = "r" }, { unlock = "m" }]
[processes.n]
steps = [{ lock = "m" }, { unlock = "m" }]
"#,
    ),
    (
        "a barrier that is broken",
        r#"
[objects]
b = { kind = "barrier", parties = 3 }
[processes.p]
count = 2
steps = [{ wait = "b", on = { broken = ["yield"] } }]
[processes.q]
steps = [{ size = "b", into = "n" }, { if = "n > 0", then = [{ abort = "b" }], else = [{ reset = "b" }] }, { wait = "b", timeout = "0s", outcome = "r" }]
"#,
    ),
    (
        "a barrier with too many",
        r#"
[objects]
b = { kind = "barrier", parties = 2 }
[processes.p]
count = 3
steps = [{ wait = "b", into = "n" }, { if = "n == 0", then = ["yield"] }]
"#,
    ),
    (
        "an event",
        r#"
[objects]
e = { kind = "event" }
[processes.w]
count = 2
steps = [{ wait = "e" }, { wait = "e", timeout = "0s", on = { would_block = [{ exit = 9 }] } }]
[processes.s]
steps = [{ set = "e" }, { clear = "e" }, { set = "e" }]
"#,
    ),
    (
        "a queue that is asked",
        r#"
[objects]
q = { kind = "queue", capacity = 2 }
[processes.p]
count = 2
steps = [
  { put = "q", value = "{index}", timeout = "0s", outcome = "r" },
  { put = "q", value = -1, on = { any = [] }, priority = 0 },
  { size = "q", into = "n" },
  { if = "n > 1", then = [{ get = "q" }] },
]
[processes.g]
steps = [{ get = "q", into = "a", timeout = "0s", on = { would_block = [{ let = { a = 5 } }] } }, { if = "a < 0", then = ["yield"] }]
"#,
    ),
    (
        "work that is done",
        r#"
[objects]
q = { kind = "queue", capacity = 2 }
[processes.boss]
steps = [{ put = "q", value = 1 }, { put = "q", value = 2 }, { wait = "q" }, { exit = 5 }]
[processes.worker]
count = 2
steps = [{ get = "q", into = "n" }, { done = "q" }, { done = "q", on = { invalid = [] } }]
"#,
    ),
    (
        "a queue that runs full",
        r#"
[objects]
q = { kind = "queue", capacity = 1 }
[processes.p]
count = 2
steps = [{ forever = [{ put = "q", value = "{index}" }, { put = "q", value = 7 }] }]
[processes.c]
steps = [{ repeat = 3, do = [{ get = "q", into = "x" }, { if = "x == 7", then = ["break"] }] }]
"#,
    ),
    (
        "a server that stays",
        r#"
[objects]
q = { kind = "queue", capacity = 1 }
s = { kind = "semaphore", value = 0 }
[processes.server]
daemon = true
steps = [{ forever = [{ get = "q", into = "x" }, { if = "x > 0", then = [{ release = "s" }] }] }]
[processes.client]
count = 2
steps = [{ put = "q", value = "{index}" }, { acquire = "s", timeout = "0s", outcome = "r" }, { if = "r == 'ok'", then = [{ exit = 2 }] }]
"#,
    ),
    (
        "processes that are started",
        r#"
[objects]
x = { kind = "value", value = 0 }
[processes.main]
steps = [
  { start = "w" }, { start = "w", on = { in_use = [] } },
  { start = "quick" },
  { join = "w", into = "code" }, { join = "quick", into = "q" },
  { exit = "{3}" },
]
[processes.w]
count = 2
start = "manual"
vars = { n = 4 }
steps = [{ add = "x", value = "{n}" }, { if = "index == 1", then = [{ exit = 6 }] }]
[processes.quick]
start = "manual"
steps = [{ print = "x" }, { exit = 2 }]
"#,
    ),
    (
        "exit statuses that decide",
        r#"
[objects]
x = { kind = "value", value = 0 }
[processes.main]
steps = [
  { join = "w", into = "code" },
  { if = "code == 7", then = ["yield", { exit = 1 }] },
  { join = "w[0]", timeout = "0s", into = "code" },
  { if = "code < 0", then = ["yield", "yield"] },
]
[processes.w]
count = 2
steps = [{ add = "x", value = 1, into = "n" }, { if = "n == 1", then = ["abort"], else = [{ exit = 7 }] }]
"#,
    ),
    (
        "a join that does not wait",
        r#"
[processes.main]
steps = [{ repeat = 2, do = [{ join = "w", timeout = "0s", outcome = "r" }] }, { join = "main", on = { would_deadlock = [{ exit = 3 }] } }]
[processes.w]
count = 2
steps = ["yield"]
"#,
    ),
    (
        "two who wait for each other",
        r#"
[processes.a]
steps = ["yield", { join = "b" }]
[processes.b]
steps = ["yield", { join = "a" }]
"#,
    ),
    (
        "processes that depend on others",
        r#"
[objects]
x = { kind = "value", value = 0 }
[processes.first]
steps = [{ add = "x", value = 1 }, { ready = true }, { add = "x", value = 1, into = "n" }, { if = "n > 1", then = [{ exit = 1 }] }]
[processes.second]
depends_on = { first = "ready" }
steps = [{ add = "x", value = 1 }]
[processes.third]
depends_on = { second = "exited", first = "exited" }
steps = [{ load = "x", into = "n" }, { if = "n == 3", then = ["yield"] }]
[processes.fourth]
depends_on = { third = "succeeded" }
steps = [{ print = "end" }]
[processes.fifth]
depends_on = { fourth = "exited", third = "started" }
steps = ["yield"]
"#,
    ),
    (
        "loops in loops",
        r#"
[objects]
x = { kind = "value", value = 0 }
[processes.p]
count = 2
steps = [
  { for = "v", in = [1, 3, 2], do = [
    { if = "v == 3", then = ["continue"] },
    { repeat = "{v}", as = "i", do = [{ add = "x", value = "{v + i}", into = "n" }, { if = "n > 3", then = ["break"] }] },
  ] },
]
"#,
    ),
    (
        "work of one's own",
        r#"
[objects]
x = { kind = "value", value = 1 }
[processes.p]
count = 2
vars = { a = 0, sum = 0 }
steps = [
  { load = "x", into = "n" },
  { while = "a < n + index", do = [{ let = { a = "{a + 1}", sum = "{sum + a * 2}" } }, { if = "sum % 3 == 0", then = ["continue"] }] },
  { store = "x", value = "{sum}" },
  { repeat = 3, as = "i", do = [{ let = { sum = "{sum - i}" } }] },
  { if = "sum in [0, 2, 4] && a != 0", then = [{ add = "x", value = 10 }], else = [{ add = "x", value = "{sum > 5 ? 1 : -1}" }] },
]
"#,
    ),
    (
        "what cannot be computed",
        r#"
[objects]
x = { kind = "value", value = 0 }
[processes.p]
count = 2
steps = [
  { add = "x", value = 1, into = "n" },
  { let = { y = "{6 / n}" }, on = { any = [{ let = { y = -1 } }] } },
  { if = "n > 0 && 4 / n == 4", then = ["yield"] },
  { update = "x", value = "{10 % (it - 1)}", outcome = "r" },
  { store = "x", value = "{[5, 6][y - 6]}", on = { any = [{ exit = 8 }] } },
]
"#,
    ),
    (
        "variables without a value",
        r#"
[objects]
x = { kind = "value", value = 0 }
[processes.p]
count = 2
steps = [
  { load = "x", into = "n" },
  { if = "n == 1", then = [{ let = { y = 0 } }] },
  { add = "x", value = 1 },
  { if = "y == null", then = ["yield"], else = [{ store = "x", value = "{y}" }] },
  { let = { z = "{y + 1}" }, on = { invalid = [{ exit = 2 }] } },
]
"#,
    ),
    (
        "objects that are chosen",
        r#"
[objects]
s = { kind = "semaphore", count = 3, value = [1, 0, 2] }
x = { kind = "value", value = 0 }
[processes.p]
count = 2
steps = [
  { add = "x", value = 1, into = "n" },
  { acquire = "s[n]", timeout = "0s", outcome = "r" },
  { release = "s[(n + 1) % 3]" },
  { if = "r == 'ok'", then = [{ release = "s[n + 2]", on = { out_of_range = ["yield"] } }] },
]
"#,
    ),
    (
        "names and numbers of processes",
        r#"
[objects]
x = { kind = "value", value = 0 }
[processes.p]
count = 3
steps = [
  { if = "name == 'p[1]'", then = [{ store = "x", value = "{pid - 1000}" }], else = [{ add = "x", value = "{index}" }] },
  { let = { who = "{index == 2 ? 'last' : name}" } },
  { load = "x", into = "n" },
  { if = "who == 'last'", then = [{ exit = "{n - n + 4}", on = { any = [] } }] },
]
"#,
    ),
    (
        "a pipe",
        r#"
[objects]
link = { kind = "pipe" }
[processes.w]
count = 2
steps = [{ repeat = 2, as = "i", do = [{ send = "link.w", value = "{index * 2 + i}" }] }, { if = "index == 0", then = [{ exit = 3 }] }]
[processes.r]
vars = { sum = 0 }
steps = [{ forever = [{ recv = "link.r", into = "m", on = { closed = ["break"] } }, { let = { sum = "{sum + m}" } }] }, { exit = "{sum}" }]
"#,
    ),
    (
        "a pipe that is closed",
        r#"
[objects]
link = { kind = "pipe", capacity = 1 }
[processes.w]
steps = [
  { send = "link.w", value = 1 }, { send = "link.w", value = 2, timeout = "0s", on = { would_block = ["yield"], broken = [{ exit = 1 }] } },
  { close = "link.w" }, { send = "link.w", value = 3, on = { invalid = [] } }, "yield",
]
[processes.r]
count = 2
steps = [{ poll = "link.r" }, { recv = "link.r", into = "m", on = { closed = [{ exit = 4 }] } }, { close = "link.r" }, { close = "link.r", on = { invalid = [] } }]
"#,
    ),
    (
        "a pipe that somebody forgot",
        r#"
[objects]
link = { kind = "pipe" }
[processes.w]
steps = [{ send = "link.w", value = 1 }]
[processes.r]
uses = ["link.w"]
steps = [{ recv = "link.r" }, { recv = "link.r", expect = "closed" }]
[processes.quiet]
uses = ["link.w", "link.r"]
steps = [{ print = "I do nothing" }, "yield"]
"#,
    ),
    (
        "a pipe nobody reads",
        r#"
[objects]
link = { kind = "pipe", capacity = 2 }
[processes.w]
count = 2
steps = [{ repeat = 3, do = [{ send = "link.w", value = 5, on = { broken = [{ exit = 9 }] } }] }]
[processes.r]
steps = [{ recv = "link.r" }]
"#,
    ),
    (
        "sections and marks",
        r#"
[objects]
m = { kind = "mutex" }
[processes.p]
count = 2
steps = [{ section = "bath", do = [{ lock = "m" }, { mark = "in", value = "{index}" }, { unlock = "m" }] }, { print = "{name} is out" }]
"#,
    ),
];

/// Scenarios whose sleeps and timeouts may be over at any time.
const TIMED: &[(&str, &str)] = &[
    (
        "a sleep",
        r#"
[objects]
x = { kind = "value", value = 0 }
[processes.p]
count = 2
steps = [{ sleep = "1s" }, { load = "x", into = "n" }, { busy = "5ms" }, { store = "x", value = "{n + 1}" }]
"#,
    ),
    (
        "an acquire that gives up",
        r#"
[objects]
s = { kind = "semaphore", value = 1 }
[processes.p]
count = 3
steps = [{ acquire = "s", timeout = "1s", outcome = "r" }, "yield", { if = "r == 'ok'", then = [{ release = "s" }] }]
"#,
    ),
    (
        "a lock that gives up",
        r#"
[objects]
a = { kind = "mutex" }
b = { kind = "mutex", type = "recursive" }
[processes.p]
steps = [{ lock = "a" }, { lock = "b", timeout = "1s", on = { timeout = [{ unlock = "a" }, { exit = 1 }] } }, { unlock = "b" }, { unlock = "a" }]
[processes.q]
steps = [{ lock = "b" }, { lock = "b" }, { lock = "a", timeout = "2s", on = { timeout = [{ exit = 1 }] } }, { unlock = "a" }]
"#,
    ),
    (
        "a wait that gives up",
        r#"
[objects]
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
[processes.w]
count = 2
steps = [{ lock = "m" }, { wait = "c", timeout = "1s", on = { timeout = ["yield"] } }, { unlock = "m" }]
[processes.n]
steps = [{ lock = "m" }, { notify = "c", into = "n" }, { unlock = "m" }, { exit = 0 }]
"#,
    ),
    (
        "a barrier that is not waited for",
        r#"
[objects]
b = { kind = "barrier", parties = 3 }
[processes.p]
count = 3
steps = [{ wait = "b", timeout = "1s", into = "n", on = { timeout = [{ reset = "b" }], broken = [{ exit = 3 }] } }, { if = "n == 2", then = ["yield"] }]
"#,
    ),
    (
        "a pipe that is not waited for",
        r#"
[objects]
link = { kind = "pipe", capacity = 1 }
[processes.w]
count = 2
steps = [{ send = "link.w", value = 1, timeout = "1s", on = { timeout = [], broken = [{ exit = 2 }] } }]
[processes.r]
steps = [{ poll = "link.r", timeout = "1s", outcome = "r" }, { if = "r == 'ok'", then = [{ recv = "link.r", timeout = "1s", on = { timeout = [] } }] }]
"#,
    ),
    (
        "messages that do not come",
        r#"
[objects]
q = { kind = "queue", capacity = 1 }
e = { kind = "event" }
[processes.p]
count = 2
steps = [{ put = "q", value = "{index}", timeout = "1s", on = { timeout = [{ set = "e" }] } }]
[processes.c]
steps = [{ get = "q", into = "n", timeout = "1s", outcome = "r" }, { if = "r == 'ok'", then = [{ wait = "e", timeout = "1s", on = { timeout = [] } }] }]
"#,
    ),
    (
        "a join that gives up",
        r#"
[processes.main]
steps = [{ join = "w", timeout = "1s", on = { timeout = [{ exit = 4 }] } }]
[processes.w]
count = 2
steps = [{ sleep = "1s" }]
"#,
    ),
];

/// What is refused: the text of the place and of the reason.
pub(super) fn refused() -> Vec<(&'static str, String, &'static str, &'static str)> {
    let steps = |objects: &str, steps: &str| format!("[objects]\n{objects}\n[processes.p]\nsteps = [{steps}]\n");
    let x = "x = { kind = \"value\", value = 0 }";
    vec![
        ("random", steps(x, "{ store = \"x\", value = \"{random(1, 2)}\" }"), "store", "random"),
        ("a float", steps("x = { kind = \"value\", value = 0.5 }", "{ load = \"x\" }"), "x", "ints"),
        ("sleep", steps(x, "\"yield\", { sleep = \"1s\" }"), "sleep", "time"),
        (
            "a timeout",
            steps("s = { kind = \"semaphore\" }", "{ acquire = \"s\", timeout = \"1s\" }"),
            "acquire",
            "time",
        ),
        (
            "a message that is text",
            steps("q = { kind = \"queue\", capacity = 1 }", "{ put = \"q\", value = \"a\" }"),
            "put",
            "int",
        ),
        ("an unbounded queue", steps("q = { kind = \"queue\" }", "{ put = \"q\", value = 1 }"), "q", "capacity"),
        ("a robust mutex", steps("m = { kind = \"mutex\", robust = true }", "{ lock = \"m\" }"), "m", "robust"),
        ("a large number", steps(x, "{ store = \"x\", value = 5000000000 }"), "store", "32 bits"),
        (
            "a pipe of bytes",
            steps("link = { kind = \"pipe\", framing = \"bytes\" }", "{ send = \"link.w\", value = \"a\" }"),
            "link",
            "bytes",
        ),
        ("a signal", steps(x, "\"yield\", { kill = \"p\", signal = \"TERM\" }"), "kill", "signals"),
        (
            "a list",
            steps(x, "{ load = \"x\", into = \"n\" }, { let = { l = \"{[n, n]}\" } }, { print = \"{l}\" }"),
            "let",
            "list",
        ),
    ]
}
