//! Scenarios in which everything happens that a schedule has a word for.

/// Each with its name. A text of `"6000x"` stands for so many characters.
pub(crate) const SCENARIOS: &[(&str, &str)] = &[
    (
        "update",
        r#"
[objects]
money = { kind = "value", value = 0 }
[processes.p]
count = 2
steps = [{ print = "hello" }, { repeat = 2, do = [{ load = "money", into = "m" }, { store = "money", value = "{m + 1}" }, { print = "{m}" }] }]
"#,
    ),
    (
        "abba",
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
        "condition",
        r#"
[objects]
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
x = { kind = "value", value = 0 }
[processes.w]
count = 3
steps = [{ lock = "m" }, { wait = "c" }, { update = "x", value = "{it * 3 + index}" }, { unlock = "m" }]
[processes.n]
steps = [{ sleep = "1s" }, { lock = "m" }, { notify = "c", n = 2 }, { unlock = "m" }, { notify_all = "c" }]
"#,
    ),
    (
        "impatient",
        r#"
[objects]
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
[processes.w]
count = 2
steps = [{ lock = "m" }, { wait = "c", timeout = "1s", on = { timeout = [{ print = "late at {now}" }] } }, { unlock = "m" }]
[processes.n]
steps = [{ sleep = "1s" }, { lock = "m" }, { sleep = "1s" }, { unlock = "m" }, { notify = "c", into = "n" }, { print = "{n}" }]
"#,
    ),
    (
        "barrier",
        r#"
[objects]
b = { kind = "barrier", parties = 3 }
[processes.p]
count = 3
steps = [{ repeat = 2, do = [{ wait = "b", into = "k" }, { print = "{k}" }] }]
"#,
    ),
    (
        "posix",
        r#"
[objects]
b = { kind = "barrier", parties = 2, via = "posix" }
[processes.p]
count = 2
steps = [{ repeat = 2, do = [{ wait = "b", into = "k" }, { print = "{k}" }] }]
"#,
    ),
    (
        "broken",
        r#"
[objects]
b = { kind = "barrier", parties = 3 }
[processes.p]
count = 2
steps = [{ wait = "b", timeout = "1s", on = { timeout = [{ print = "first" }], broken = [{ print = "second" }] } }]
"#,
    ),
    (
        "permits",
        r#"
[objects]
s = { kind = "semaphore", value = 1 }
[processes.p]
count = 2
steps = [{ acquire = "s", timeout = "1s", on = { timeout = [{ exit = 7 }] } }, { sleep = "2s" }, { release = "s" }]
"#,
    ),
    (
        "family",
        r#"
[objects]
s = { kind = "semaphore", value = 0 }
m = { kind = "mutex", robust = true }
[processes.main]
steps = [{ start = "child" }, { acquire = "s" }, { kill = "child[1]", signal = "TERM" }, { join = "child", into = "code" }, { print = "{code} {pid}" }, { status = "child[0]", into = "how" }]
[processes.child]
count = 2
start = "manual"
steps = [{ print = "born" }, { lock = "m", on = { owner_died = [{ repair = "m" }] } }, { release = "s" }, { sleep = "1s" }, { unlock = "m" }]
[processes.late]
depends_on = { child = "exited" }
steps = [{ print = "late" }, { mark = "done" }]
"#,
    ),
    (
        "event",
        r#"
[objects]
e = { kind = "event" }
[processes.w]
count = 2
steps = [{ wait = "e", timeout = "1s", on = { timeout = [] } }, { clear = "e" }]
[processes.s]
steps = [{ sleep = "1s" }, { set = "e" }, { exit = 3 }]
"#,
    ),
    (
        "queues",
        r#"
[objects]
q = { kind = "queue", capacity = 1 }
x = { kind = "queue", capacity = 1, via = "posix" }
y = { kind = "queue", via = "sysv", capacity = 4 }
[processes.p]
count = 2
steps = [{ put = "q", value = "{index}" }, { get = "x", into = "a", timeout = "1s", on = { timeout = [] } }, { put = "y", value = "text {index}" }]
[processes.g]
steps = [{ repeat = 2, do = [{ get = "q", into = "v" }, { put = "x", value = "{v}" }, { get = "y", into = "t" }, { print = "{v} {t}" }] }]
"#,
    ),
    (
        "pipes",
        r#"
[objects]
r = { kind = "pipe" }
d = { kind = "pipe", duplex = true }
[processes.p]
steps = [{ send = "r.w", value = "a" }, { send = "d.a", value = [1, 2] }, { close = "r.w" }, { recv = "d.a", into = "v" }, { print = "{v}" }]
[processes.g]
count = 2
steps = [{ recv = "r.r", into = "v", on = { closed = [{ print = "end" }] } }]
[processes.h]
steps = [{ recv = "d.b", into = "v" }, { send = "d.b", value = "{v}" }]
"#,
    ),
    (
        "bytes",
        r#"
[objects]
b = { kind = "pipe", framing = "bytes", capacity = 4096 }
[processes.p]
steps = [{ send = "b.w", value = "10000x" }, { print = "sent" }, { close = "b.w" }]
[processes.g]
steps = [{ repeat = 3, do = [{ recv = "b.r", into = "v", max = 4096 }, { print = "{size(v)}" }] }]
"#,
    ),
    (
        "messages",
        r#"
[objects]
b = { kind = "pipe", capacity = 1 }
[processes.p]
count = 2
steps = [{ send = "b.w", value = "6000x" }, { print = "sent" }]
[processes.g]
steps = [{ repeat = 2, do = [{ recv = "b.r", into = "v" }, { print = "{size(v)}" }] }]
"#,
    ),
    (
        "victims",
        r#"
[objects]
m = { kind = "mutex", robust = true, type = "recursive" }
c = { kind = "condition", mutex = "m" }
b = { kind = "barrier", parties = 2 }
[processes.w]
count = 2
steps = [{ lock = "m", on = { owner_died = [{ repair = "m" }] } }, { lock = "m" }, { wait = "c", on = { owner_died = [{ repair = "m" }] } }, { unlock = "m" }, { wait = "b" }]
[processes.k]
steps = [{ kill = "w[0]" }, { notify = "c" }, { kill = "w[1]", signal = "STOP" }, { kill = "w[1]", signal = "CONT" }, { join = "w[0]", into = "code" }, { status = "w[0]", into = "s" }]
"#,
    ),
    (
        "clock",
        r#"
[objects]
x = { kind = "value", type = "f64", value = 0.0 }
a = { kind = "array", len = 2 }
s = { kind = "semaphore", value = 0, via = "sysv" }
[processes.p]
vars = { n = 0 }
steps = [{ sleep = "{5 - n}ms" }, { store = "x", value = "{now}" }, { let = { n = "{random(1, 3)}" } }, { acquire = "s", n = 2, timeout = "{n}ms", on = { timeout = [{ store = "a[0]", value = "{random(1, 100)}" }] } }, { update = "x", value = "{it + now}" }]
[processes.q]
steps = [{ busy = "3ms" }, { release = "s" }, { busy = "2ms" }, { release = "s" }, { store = "a[1]", value = "{int(now * 1000.0)}" }]
"#,
    ),
    (
        "patience",
        r#"
[objects]
r = { kind = "pipe", capacity = 1 }
d = { kind = "pipe", duplex = true, framing = "bytes" }
q = { kind = "queue", capacity = 2 }
[processes.p]
steps = [{ send = "r.w", value = "a" }, { send = "r.w", value = "b", timeout = "1s", on = { timeout = [] } }, { put = "q", value = 1 }, { put = "q", value = 2 }, { send = "d.a", value = "xyz" }]
[processes.g]
steps = [{ poll = "r.r", timeout = "0s", on = { would_block = [] } }, { recv = "r.r", into = "v", timeout = "2s", on = { timeout = [] } }, { get = "q", into = "v", timeout = "0s", on = { would_block = [] } }, { recv = "d.b", into = "v", timeout = "1s", on = { timeout = [] } }]
"#,
    ),
    (
        "crossed",
        r#"
[objects]
s = { kind = "semaphore", value = 1, count = 2 }
b = { kind = "barrier", parties = 3 }
q = { kind = "queue", capacity = 1 }
[processes.p]
count = 2
steps = [{ acquire = "s[index]" }, { acquire = "s[1 - index]" }, { release = "s[0]" }, { release = "s[1]" }, { wait = "b" }]
[processes.d]
daemon = true
steps = [{ forever = [{ get = "q", into = "v" }] }]
[processes.z]
depends_on = { p = "started" }
steps = [{ put = "q", value = 1 }, "ready", { join = "p" }]
[processes.y]
depends_on = { z = "ready" }
steps = ["abort"]
"#,
    ),
    (
        "stops",
        r#"
[objects]
s = { kind = "semaphore", value = 0 }
x = { kind = "value", type = "i32", value = 0 }
[processes.p]
steps = [{ store = "x", value = 1 }, { kill = "p", signal = "STOP" }, { let = { n = 2 } }, { print = "{n}" }, { acquire = "s" }]
[processes.q]
steps = [{ kill = "p", signal = "CONT" }, { sleep = "1ms" }, { kill = "p", signal = "CONT" }, { release = "s" }]
"#,
    ),
    (
        "stops last",
        r#"
[processes.p]
steps = [{ kill = "p", signal = "STOP" }]
[processes.q]
steps = ["yield", { kill = "p", signal = "CONT" }, { join = "p", timeout = "1ms", on = { timeout = [] } }]
"#,
    ),
    (
        "stopped for ever",
        r#"
[objects]
s = { kind = "semaphore", value = 0 }
[processes.p]
steps = [{ sleep = "10ms" }, { release = "s" }]
[processes.q]
steps = [{ kill = "p", signal = "STOP" }, { acquire = "s" }]
[processes.r]
steps = [{ acquire = "s", timeout = "20ms", on = { timeout = [] } }]
"#,
    ),
    (
        "stopped while it waits",
        r#"
[objects]
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
[processes.p]
steps = [{ lock = "m" }, { wait = "c" }, { unlock = "m" }]
[processes.q]
steps = [{ kill = "p", signal = "STOP" }, { lock = "m" }, { notify = "c" }, { unlock = "m" }, { join = "p" }]
"#,
    ),
    (
        "stopped and killed",
        r#"
[objects]
s = { kind = "semaphore", value = 0 }
[processes.p]
steps = [{ acquire = "s" }]
[processes.q]
steps = [{ kill = "p", signal = "STOP" }, { kill = "p", signal = "TERM" }, { release = "s" }, { join = "p" }]
"#,
    ),
    (
        "counted",
        r#"
[objects]
b = { kind = "pipe", framing = "bytes", capacity = 4096 }
d = { kind = "pipe", framing = "bytes", duplex = true }
[processes.p]
steps = [
  { send = "b.w", value = { bytes = "x", repeat = 9000 }, into = "n" }, { print = "{n}" },
  { send = "b.w", value = { bytes = "y", repeat = 6000 }, into = "n", timeout = "2ms", outcome = "o" }, { print = "{o} {n}" },
  { send = "d.a", value = { bytes = "z", repeat = 9 }, into = "n", timeout = "0s" }, { print = "{n}" },
]
[processes.g]
steps = [
  { repeat = 3, do = [{ recv = "b.r", max = 3000, into = "v" }] }, { sleep = "1ms" },
  { recv = "b.r", max = 3000, into = "v", timeout = "5ms", on = { timeout = [] } },
]
"#,
    ),
    (
        "counted and left",
        r#"
[objects]
b = { kind = "pipe", framing = "bytes", capacity = 4096 }
[processes.p]
steps = [{ send = "b.w", value = { bytes = "x", repeat = 9000 }, into = "n", outcome = "o" }, { print = "{o} {n}" }]
[processes.g]
steps = [{ recv = "b.r", max = 3000, into = "v" }, { close = "b.r" }]
"#,
    ),
    (
        "half sent",
        r#"
[objects]
b = { kind = "pipe", capacity = 2 }
[processes.p]
steps = [
  { send = "b.w", value = { bytes = "x", repeat = 20000 }, timeout = "2ms", outcome = "o" }, { print = "{o}" },
  { send = "b.w", value = "small", timeout = "3ms", outcome = "o" }, { print = "{o}" },
]
[processes.g]
steps = [
  { sleep = "1ms" }, { recv = "b.r", into = "v", timeout = "2ms", outcome = "o" }, { print = "{o}" },
  { recv = "b.r", into = "v", timeout = "4ms", outcome = "o" }, { print = "{o}" },
]
"#,
    ),
    (
        "half sent by one of two",
        r#"
[objects]
b = { kind = "pipe", capacity = 2 }
[processes.p]
count = 2
steps = [{ send = "b.w", value = { bytes = "x", repeat = 9000 }, timeout = "{2 + index}ms", into = "n", outcome = "o" }, { print = "{o}" }]
[processes.g]
steps = [{ sleep = "2ms" }, { repeat = 2, do = [{ recv = "b.r", into = "v", timeout = "2ms", outcome = "o" }, { print = "{o}" }] }]
"#,
    ),
    (
        "half sent by one who dies",
        r#"
[objects]
b = { kind = "pipe", capacity = 2 }
[processes.p]
steps = [{ send = "b.w", value = { bytes = "x", repeat = 20000 } }]
[processes.k]
steps = [{ kill = "p" }, { send = "b.w", value = "k", timeout = "2ms", on = { timeout = [] } }]
[processes.g]
steps = [{ repeat = 2, do = [{ recv = "b.r", into = "v", timeout = "1ms", outcome = "o" }, { print = "{o}" }] }]
"#,
    ),
    (
        "half sent both ways",
        r#"
[objects]
d = { kind = "pipe", duplex = true }
[processes.p]
steps = [{ send = "d.a", value = { bytes = "x", repeat = 400000 }, timeout = "2ms", outcome = "o" }, { print = "{o}" }, { recv = "d.a", into = "v", timeout = "3ms", outcome = "o" }, { print = "{o}" }]
[processes.g]
steps = [{ send = "d.b", value = 1 }, { recv = "d.b", into = "v", timeout = "1ms", outcome = "o" }, { print = "{o}" }]
"#,
    ),
];
