//! Programs, each with expectations of it, on which verdicts are compared.

/// Programs and expectations that try each form.
pub(crate) const CORPUS: &[(&str, &str)] = &[
    (
        r#"
[objects]
t = { kind = "barrier", parties = 3 }
[processes.p]
steps = [{ wait = "t" }, { mark = "past" }]
[processes.q]
steps = [{ wait = "t" }, { mark = "past" }]
[processes.r]
steps = [{ wait = "t" }]
"#,
        r#"
order = ["p wait t", "q wait t"]
order = ["p wait t", "q wait t"]; by = "time"
order = ["p mark past", "q wait t"]; by = "time"
order = ["q mark past", "p mark past"]; by = "time"
order = ["* wait t", "q mark past"]
all_before = ["p wait t", "q wait t"]; by = "time"
each = "p wait t"; followed_by = "q wait t"
between = ["p wait t", "q wait t"]; at_most = 0
always = "count('p wait t') >= count('q wait t')"
"#,
    ),
    (
        r#"
[objects]
x = { kind = "value", value = 0 }
y = { kind = "value", value = 0 }
[processes.p]
steps = [{ load = "x", into = "m" }, { store = "x", value = "{m + 1}" }, { print = "done {m}" }]
[processes.q]
steps = [{ load = "x", into = "m" }, { store = "x", value = "{m + 1}" }, { mark = "late", value = "{m}" }, { store = "y", value = 1 }]
"#,
        r#"
final = "x == 2 && count('* load x') == 2"
always = "x <= y || count('q mark late') == 0"
always = "x != 1 || y == 0"
reaches = "x == 1 && y == 1"
reaches = "ended('p') && y == 0"
always = "!ended('p') || x > 0"
reaches = "exit('q') == 0 && x == 1 && !ended('p')"
reaches = "blocked('p')"
count = "* store"; at_least = 3
count = { verb = "load", value = 1 }; equals = 1
never = { process = "q", verb = "load", value = 0 }
order = ["p store x", "q load x"]
order = ["p store x", "q load x"]; by = "time"
order = ["* store x", "* load x", "* store x"]; by = "time"
all_before = ["p * x", "q * x"]
all_before = ["p * x", "q * x"]; by = "time"
each = "* load x"; followed_by = "* store x"
each = "* store x"; preceded_by = "p load x"
each = "* load x"; followed_by = "* store x"; same = "process"
values = "* load x"; equals = [0, 1]
values = "* load x"; in = [[0, 1], [0, 0]]
values = "* load x"; in = [[1, 0], [0, 0]]; unordered = true
values = "* store"; equals = [1, 2, 1]
final_values = ["x", "y"]; in = [[1, 1], [2, 1]]
printed = "done 1"
printed = "done"; by = "p"
exits = "p"
ends = true
deadlock = false
race_free = "x"
race_free = "y"
lost_updates = "x"; at_least = 1
lost_updates = "x"; equals = 0
between = ["* load x", "* store x"]; at_most = 1
takes = "*"; at_most = "0s"
takes = "q"; at_least = "1ms"
blocks = "q store"; at_least = "1ms"
"#,
    ),
    (
        r#"
[objects]
s = { kind = "semaphore", value = 1 }
x = { kind = "value", value = 0 }
[processes.w]
count = 2
steps = [{ acquire = "s" }, { enter = "room" }, { add = "x", value = 1, into = "n" }, { leave = "room" }, { release = "s" }]
[processes.z]
steps = [{ enter = "room" }, { load = "x", into = "n", expect = 1 }]
"#,
        r#"
holding = "s"; at_most = 1
inside = "room"; at_most = 1
inside = "room"; equals = 3
always = "inside('room') <= 1"
final = "inside('room') == 0"
between = ["w acquire s", "w release s"]; at_most = 1
race_free = "x"
order = ["w release s", "w acquire s"]
each = "w acquire s"; followed_by = "w release s"; within = "1ms"
reaches = "blocked('w') "
reaches = "s == 0 && inside('room') == 2"
values = "* add"; equals = [0, 1]
blocks = "w acquire"; at_most = "1ms"
"#,
    ),
    (
        r#"
[objects]
s = { kind = "semaphore", value = 2, via = "sysv" }
[processes.a]
steps = [{ acquire = "s", n = 2 }, { sleep = "2ms" }, { release = "s", n = 1 }]
[processes.b]
steps = [{ acquire = "s" }, { sleep = "1ms" }, { mark = "m" }, { release = "s", n = 2 }]
[processes.c]
steps = [{ sleep = "1ms" }, { acquire = "s", timeout = "2ms", outcome = "o" }, { print = "{o}" }]
"#,
        r#"
holding = "s"; at_most = 1
holding = "s"; equals = 2
takes = "*"; at_most = "3ms"
takes = "a"; at_least = "3ms"
takes = "b"; at_most = "1ms"
blocks = "c acquire"; at_least = "1ms"
blocks = { process = "c", verb = "acquire", outcome = "timeout" }; at_least = "2ms"
each = "b acquire"; followed_by = "b mark m"; within = "1ms"
each = "a acquire"; preceded_by = "b acquire"; within = "1ms"
each = "a acquire"; followed_by = "c acquire"; allow_empty = true; within = "2ms"
between = ["* acquire s", "b mark m"]; at_most = 1
between = ["b mark m", "* acquire s"]; at_most = 1
deadlock = true
ends = true
exits = "c"; code = 0
printed = "timeout"
"#,
    ),
    (
        r#"
[objects]
q = { kind = "queue", capacity = 1, via = "memory" }
l = { kind = "pipe" }
[processes.p]
steps = [{ put = "q", value = 1 }, { put = "q", value = 2 }, { close = "l.r" }]
[processes.r]
steps = [{ put = "q", value = 3 }, { send = "l.w", value = 7, outcome = "o" }, { close = "l.w" }]
[processes.c]
steps = [{ get = "q", into = "a" }, { get = "q", into = "b" }, { recv = "l.r", into = "z", outcome = "o" }]
"#,
        r#"
fifo = "q"
fifo = "l"
values = "c get q"; in = [[1, 2], [1, 3], [3, 1]]; each_seen = true
values = "c get q"; equals = [2, 1]; unordered = true
always = "size(q) <= 1"
reaches = "size(q) == 1 && size(l) == 1"
order = ["p put q", "c get q", "p put q"]
order = ["r put q", "c recv l"]
all_before = ["r put q", "p put q"]
reaches = "blocked('p') && blocked('r')"
deadlock = true; blocked = ["p at q"]
deadlock = true; in = [["p at q"], ["r at q"]]
deadlock = false
count = "* put q"; equals = 3
"#,
    ),
    (
        r#"
[objects]
m = { kind = "mutex" }
n = { kind = "mutex" }
[processes.p]
steps = [{ lock = "m" }, { lock = "n" }, { unlock = "n" }, { unlock = "m" }]
[processes.r]
steps = [{ lock = "n" }, { lock = "m" }, { unlock = "m" }, { unlock = "n" }]
[processes.d]
daemon = true
steps = [{ lock = "m" }, { mark = "d" }, { unlock = "m" }]
"#,
        r#"
deadlock = true; blocked = ["p at n", "r at m"]
deadlock = false
ends = true
always = "m != 'p' || n != 'r'"
holding = "m"; at_most = 1
holding = "n"; at_least = 1
final = "m == null"
reaches = "blocked('d')"
count = "d mark d"
exits = "p"
"#,
    ),
    (
        r#"
[objects]
x = { kind = "value", value = 0 }
m = { kind = "mutex", robust = true }
[processes.k]
steps = [{ kill = "v", outcome = "o" }, { lock = "m", outcome = "o" }, { store = "x", value = 5 }]
[processes.v]
steps = [{ lock = "m", outcome = "o" }, { enter = "room" }, { add = "x", value = 1, into = "n" }, { unlock = "m" }, { exit = 3 }]
[processes.u]
start = "manual"
steps = [{ load = "x", into = "n" }]
[processes.j]
steps = [{ join = "v", into = "n" }, { start = "u" }]
"#,
        r#"
exits = "v"; signal = "KILL"
exits = "v"; code = 3
inside = "room"; at_most = 0
always = "!ended('v') || x <= 1"
reaches = "exit('v') == 3"
race_free = "x"
order = ["v add x", "u load x"]
lost_updates = "x"; at_least = 1
always = "m != 'k' || ended('v')"
holding = "m"; at_most = 1
values = "u load"; in = [[0], [1], [5]]; each_seen = true
"#,
    ),
];

/// Programs whose processes have objects of their own, or that tell some of their processes from others.
pub(crate) const ALIKE: &[(&str, &str)] = &[
    (
        r#"
[objects]
s = { kind = "semaphore", value = 1 }
[processes.p]
count = 2
steps = [{ acquire = "s", timeout = "0s", on = { would_block = [{ exit = 0 }] } }, { print = "I am {index}" }]
"#,
        r#"
printed = "I am 0"
printed = "I am 1"; by = "p"
printed = "I am"; equals = 2
values = "p print"; in = [["I am 0"], ["I am 1"]]
values = "p print"; equals = ["I am 1"]
count = { process = "p", verb = "print", value = "I am 1" }; equals = 1
never = { process = "p", value = "I am 0" }
reaches = "count('p print') == 1 && ended('p')"
"#,
    ),
    (
        r#"
[objects]
s = { kind = "semaphore", value = 1 }
x = { kind = "value", value = 0 }
[processes.p]
count = 2
steps = [{ acquire = "s" }]
[processes.j]
steps = [{ join = "p", timeout = "0s", outcome = "o" }]
[processes.d]
depends_on = { "p[0]" = "exited" }
steps = [{ load = "x" }]
"#,
        r#"
count = { process = "j", verb = "join", outcome = "ok" }; equals = 1
count = { process = "j", verb = "join", outcome = "would_block" }; equals = 1
count = "d load x"; equals = 0
exits = "d"
"#,
    ),
    (
        r#"
[objects]
cell = { kind = "value", count = 2 }
s = { kind = "semaphore", value = 1 }
total = { kind = "value", value = 0 }
[processes.w]
count = 2
steps = [{ acquire = "s" }, { store = "cell[index]", value = 1 }]
[processes.z]
count = 2
steps = [{ load = "cell[index]", into = "x" }, { add = "total", value = "{x}" }]
"#,
        r#"
final = "total == 1"
final = "cell == [1, 0]"
final_values = ["cell[0]", "cell[1]"]; in = [[1, 0], [0, 1]]
always = "total <= 1"
always = "cell[0] >= cell[1]"
reaches = "total == 1 && count('w store cell') == 1"
reaches = "ended('z') && count('w store cell[1]') == 0"
count = "w store cell"; equals = 1
count = { verb = "load", value = 1 }; equals = 1
never = { process = "z[1]", verb = "load", value = 1 }
order = ["w store cell", "z load cell"]
order = ["w store cell", "z load cell"]; by = "time"
all_before = ["w store cell", "z load cell"]
each = "z load cell"; followed_by = "z add total"; same = "process"
values = "z load cell"; in = [[0, 0], [1, 0], [0, 1]]
values = "z load cell[0]"; equals = [1]
holding = "s"; at_most = 1
between = ["z load cell", "z add total"]; at_most = 1
race_free = "cell"
race_free = "cell[1]"
race_free = "total"
lost_updates = "cell"; at_least = 1
deadlock = true; blocked = ["w at s"]
deadlock = true; blocked = ["w[0] at s"]
exits = "w"
ends = true
takes = "z"; at_most = "0s"
"#,
    ),
    (
        r#"
[objects]
lock = { kind = "mutex", count = 2 }
cell = { kind = "value", count = 2 }
[processes.w]
count = 2
steps = [{ lock = "lock[index]" }, { load = "cell[index]", into = "x" }, { store = "cell[index]", value = "{x + 1}" }, { unlock = "lock[index]" }]
"#,
        r#"
reaches = "lock[0] == 'w[0]' && lock[1] == 'w[1]'"
final = "cell == [1, 1]"
holding = "lock"; at_most = 1
holding = "lock[0]"; at_least = 1
each = "w lock lock"; followed_by = "w unlock lock"; same = "process"
between = ["w load cell", "w store cell"]; at_most = 1
all_before = ["w[0] lock lock", "w[1] lock lock"]
race_free = "cell"
lost_updates = "cell"; at_least = 1
"#,
    ),
    (
        r#"
[objects]
link = { kind = "pipe", count = 2 }
c = { kind = "value", value = 0 }
[processes.a]
count = 2
steps = [{ send = "link[index].w", value = 7, outcome = "o" }]
[processes.b]
count = 2
steps = [{ add = "c", value = 1, into = "n" }, { if = "n == 0", then = [{ recv = "link[index].r", into = "x", outcome = "o" }] }]
"#,
        r#"
fifo = "link"
values = "b recv link"; equals = [7]
count = { process = "a", verb = "send", outcome = "broken" }; equals = 1
count = { process = "a[0]", verb = "send", outcome = "broken" }; equals = 1
reaches = "size(link[0]) == 1 && ended('a')"
always = "count('b recv link') <= 1"
order = ["a send link", "b recv link"]
blocks = "a send link"; at_most = "0s"
ends = true
"#,
    ),
];
