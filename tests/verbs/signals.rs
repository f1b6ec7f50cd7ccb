//! Signals: handlers, masks, waits for a signal, and which waits a handler ends.

use crate::support::Test;

/// Runs a scenario in which everything holds, and explores it, under ideal time.
#[track_caller]
fn holds(text: &str) {
    let text = format!("time = \"ideal\"\n{text}");
    Test::scenario(&text).run().status(0).nothing_left();
    Test::new().file("a.toml", &text).args(["explore", "a.toml"]).run().status(0);
}

/// What ends a wait, by the object and the step that waits, what lets it go on, and whether it restarts: signal(7).
const WAITS: [(&str, &str, &str, bool); 16] = [
    ("o = { kind = \"semaphore\", value = 0 }", "acquire = \"o\"", "release = \"o\"", true),
    ("o = { kind = \"semaphore\", value = 0, via = \"sysv\" }", "acquire = \"o\"", "release = \"o\"", false),
    ("o = { kind = \"queue\" }", "get = \"o\"", "put = \"o\", value = 1", true),
    ("o = { kind = \"queue\", capacity = 1, via = \"posix\" }", "get = \"o\"", "put = \"o\", value = 1", true),
    ("o = { kind = \"queue\", capacity = 1, via = \"sysv\" }", "get = \"o\"", "put = \"o\", value = 1", false),
    ("o = { kind = \"pipe\" }", "recv = \"o.r\"", "send = \"o.w\", value = 1", true),
    ("o = { kind = \"pipe\" }", "recv = \"o.r\", timeout = \"1h\"", "send = \"o.w\", value = 1", false),
    (
        "o = { kind = \"pipe\", framing = \"bytes\" }",
        "recv = \"o.r\"",
        "send = \"o.w\", value = { bytes = \"x\" }",
        true,
    ),
    ("o = { kind = \"pipe\" }", "poll = \"o.r\"", "send = \"o.w\", value = 1", false),
    ("o = { kind = \"event\" }", "wait = \"o\"", "set = \"o\"", true),
    ("o = { kind = \"eventfd\", value = 0 }", "take = \"o\"", "add = \"o\", value = 1", true),
    ("o = { kind = \"eventfd\", value = 0 }", "poll = \"o\"", "add = \"o\", value = 1", false),
    ("", "join = \"late\"", "start = \"late\"", true),
    ("", "sleep = \"1h\"", "yield = true", false),
    ("", "pause = true", "yield = true", false),
    ("", "sigwait = [\"USR2\"]", "kill = \"p\", signal = \"USR2\"", false),
];

/// A wait that a handler comes into: with `restart` or without.
fn waiting(object: &str, step: &str, lets: &str, restart: bool, outcome: &str) -> String {
    format!(
        r#"
[objects]
{object}
[processes.late]
start = "manual"
steps = []
[processes.p]
steps = [
  {{ on_signal = "USR1", do = [ {{ mark = "handled" }} ], restart = {restart} }},
  {{ mask = ["USR2"] }},
  {{ ready = true }},
  {{ {step}, expect = "{outcome}" }},
  {{ mark = "over" }},
]
[processes.q]
depends_on = {{ p = "ready" }}
steps = [
  {{ sleep = "30ms" }},
  {{ kill = "p", signal = "USR1" }},
  {{ sleep = "30ms" }},
  {{ {lets}, outcome = "o" }},
]
[[expect]]
order = ["q kill p", "p handle *", "p mark handled", "p mark over"]
[[expect]]
count = "p handle *"
equals = 1
"#
    )
}

#[test]
fn a_handler_ends_a_wait_as_the_manual_says() {
    for (object, step, lets, restarts) in WAITS {
        // A timeout that a handler would let continue is refused.
        let plain = waiting(object, step, lets, false, "interrupted");
        holds(&plain);
        holds(&waiting(object, step, lets, true, if restarts { "ok" } else { "interrupted" }));
    }
}

#[test]
fn standard_signals_merge_and_real_time_signals_queue() {
    holds(
        r#"
[processes.p]
steps = [
  { on_signal = "USR1", do = [ { mark = "{signal}", value = "{sender}" } ] },
  { on_signal = "RTMIN+1", do = [ { mark = "{signal}", value = "{value}" } ] },
  { on_signal = "RTMIN+2", do = [ { mark = "{signal}", value = "{value}" } ] },
  { mask = ["USR1", "RTMIN+1", "RTMIN+2", "KILL", "STOP"] },
  { pending = "USR1", into = "x", expect = false },
  { kill = "p", signal = "RTMIN+2", value = 5 },
  { kill = "p", signal = "RTMIN+1", value = 7 },
  { kill = "p", signal = "RTMIN+1", value = -3 },
  { kill = "p", signal = "USR1" },
  { kill = "p", signal = "USR1" },
  { pending = "USR1", into = "x", expect = true },
  { sigwait = ["RTMIN+1"], into = "s", value_into = "v" },
  { assert = "s == 'RTMIN+1' && v == 7" },
  { unmask = ["USR1", "RTMIN+1", "RTMIN+2"] },
  { mark = "over" },
]
[[expect]]
values = "p mark RTMIN+1"
equals = [-3]
[[expect]]
values = "p mark USR1"
equals = ["p"]
[[expect]]
order = ["p mark RTMIN+2", "p mark RTMIN+1", "p mark USR1", "p mark over"]
"#,
    );
}

#[test]
fn what_is_ignored_masked_or_deadly() {
    holds(
        r#"
[processes.p]
steps = [
  { on_signal = "TERM", action = "ignore" },
  { kill = "p", signal = "TERM" },
  { mask = ["TERM", "USR1"] },
  { kill = "p", signal = "TERM" },
  { pending = "TERM", into = "x", expect = true },
  { on_signal = "TERM", action = "ignore" },
  { pending = "TERM", into = "x", expect = false },
  { on_signal = "TERM", action = "default" },
  { sigwait = ["HUP"], expect = "invalid" },
  { sigwait = ["USR1"], timeout = "0s", expect = "would_block" },
  { sigwait = ["USR1"], timeout = "2ms", expect = "timeout" },
  { pause = true, timeout = "2ms", expect = "timeout" },
  { on_signal = "KILL", action = "ignore", expect = "invalid" },
  { kill = "p", signal = "USR1" },
  { mark = "alive" },
  { unmask = ["USR1"] },
  { mark = "dead" },
]
[[expect]]
exits = "p"
signal = "USR1"
[[expect]]
count = "p mark alive"
equals = 1
[[expect]]
never = "p mark dead"
"#,
    );
}

/// A handler's own signal is masked while it runs, what it masks is undone, and other signals come within it.
#[test]
fn handlers_nest() {
    holds(
        r#"
[processes.p]
vars = { value = "mine", n = 0 }
steps = [
  { on_signal = "USR1", do = [
    { mark = "first", value = "{value}" },
    { if = "value == 1", then = [ { kill = "p", signal = "USR1", value = 2 }, { kill = "p", signal = "RTMIN+1", value = 9 } ] },
    { mask = ["HUP"] },
    { mark = "behind", value = "{value}" },
  ] },
  { on_signal = "RTMIN+1", do = [ { mark = "second", value = "{value}" } ] },
  { on_signal = "HUP", do = [ { mark = "third" } ] },
  { kill = "p", signal = "USR1", value = 1 },
  { kill = "p", signal = "HUP" },
  { mark = "over", value = "{value}" },
]
[[expect]]
values = "p mark first"
equals = [1, 2]
[[expect]]
values = "p mark behind"
equals = [1, 2]
[[expect]]
values = "p mark second"
equals = [9]
[[expect]]
values = "p mark over"
equals = ["mine"]
[[expect]]
order = ["p mark first", "p mark second", "p mark behind", "p mark third", "p mark over"]
"#,
    );
}

#[test]
fn the_end_of_a_process_is_a_signal_to_its_starter() {
    holds(
        r#"
[processes.p]
steps = [
  { on_signal = "CHLD", do = [ { mark = "{sender}", value = "{value}" } ] },
  { start = "child" },
  { pause = true, expect = "interrupted" },
  { join = "child", into = "code", expect = 3 },
  { mask = ["CHLD"] },
  { start = "other" },
  { sigwait = ["CHLD"], into = "s" },
  { kill = "other", signal = "KILL" },
]
[processes.child]
start = "manual"
steps = [ { sleep = "20ms" }, { exit = 3 } ]
[processes.other]
start = "manual"
steps = []
[[expect]]
values = "p mark child"
equals = [3]
[[expect]]
order = ["child end *", "p handle *", "p mark child"]
[[expect]]
order = ["other end *", "p sigwait *"]
[[expect]]
exits = "child"
code = 3
"#,
    );
}

/// A step that continues behind a handler has the values that it began with.
#[test]
fn a_step_within_which_a_handler_ran_keeps_its_values() {
    holds(
        r#"
[objects]
q = { kind = "queue", count = 2 }
[processes.p]
vars = { i = 0 }
steps = [
  { on_signal = "USR1", do = [ { let = { i = 1 } } ], restart = true },
  { ready = true },
  { get = "q[i]", into = "x", expect = "from the first" },
]
[processes.q1]
depends_on = { p = "ready" }
steps = [
  { sleep = "30ms" },
  { kill = "p", signal = "USR1" },
  { sleep = "30ms" },
  { put = "q[0]", value = "from the first" },
]
"#,
    );
}

/// What SIGPIPE does to a process that writes where no process reads.
const BROKEN: [(&str, &str); 8] = [
    (
        "The default action ends the writer behind its step, even where that takes the outcome.",
        r#"
[objects]
link = { kind = "pipe" }
[processes.w]
signals = { PIPE = "default" }
steps = [{ join = "r" }, { send = "link.w", value = 1, on = { broken = [] } }, { mark = "after" }]
[processes.r]
uses = ["link.r"]
steps = []
[[expect]]
exits = "w"
signal = "PIPE"
[[expect]]
never = "w mark after"
[[expect]]
count = { process = "w", verb = "send", object = "link", outcome = "broken" }
equals = 1
"#,
    ),
    (
        "As without the key.",
        r#"
[objects]
link = { kind = "pipe" }
[processes.w]
signals = { PIPE = "ignore" }
steps = [{ join = "r" }, { send = "link.w", value = 1, on = { broken = [] } }, { mark = "after" }]
[processes.r]
uses = ["link.r"]
steps = []
[[expect]]
exits = "w"
code = 0
"#,
    ),
    (
        "A handler runs behind the step.",
        r#"
[objects]
link = { kind = "pipe", framing = "bytes" }
[processes.w]
steps = [{ on_signal = "PIPE", do = [{ mark = "handled", value = "{sender}" }] }, { join = "r" }, { send = "link.w", value = "x", on = { broken = [] } }, { mark = "after" }]
[processes.r]
uses = ["link.r"]
steps = []
[[expect]]
order = ["w mark handled", "w mark after"]
[[expect]]
count = "w handle *"
equals = 1
[[expect]]
values = "w mark handled"
equals = ["w"]
"#,
    ),
    (
        "It is pending once, however many steps find no reader.",
        r#"
[objects]
link = { kind = "pipe" }
[processes.w]
signals = { PIPE = "default" }
steps = [{ mask = ["PIPE"] }, { join = "r" }, { send = "link.w", value = 1, on = { broken = [] } }, { send = "link.w", value = 1, on = { broken = [] } }, { pending = "PIPE", into = "p" }, { mark = "after", value = "{p}" }, { unmask = ["PIPE"] }, { mark = "never" }]
[processes.r]
uses = ["link.r"]
steps = []
[[expect]]
exits = "w"
signal = "PIPE"
[[expect]]
values = "w mark after"
equals = [true]
[[expect]]
never = "w mark never"
"#,
    ),
    (
        "A socket of bytes does the same.",
        r#"
[objects]
link = { kind = "pipe", duplex = true, framing = "bytes" }
[processes.w]
steps = [{ on_signal = "PIPE", action = "default" }, { join = "r" }, { send = "link.a", value = "x", on = { broken = [] } }, { mark = "never" }]
[processes.r]
uses = ["link.b"]
steps = []
[[expect]]
exits = "w"
signal = "PIPE"
[[expect]]
never = "w mark never"
"#,
    ),
    (
        "unix(7): only a stream socket sends it.",
        r#"
[objects]
link = { kind = "pipe", duplex = true }
[processes.w]
signals = { PIPE = "default" }
steps = [{ join = "r" }, { send = "link.a", value = "x", on = { broken = [] } }, { mark = "after" }]
[processes.r]
uses = ["link.b"]
steps = []
[[expect]]
exits = "w"
code = 0
"#,
    ),
    (
        "A write that has put in a part.",
        r#"
[objects]
link = { kind = "pipe", framing = "bytes", capacity = 4096 }
[processes.w]
signals = { PIPE = "default" }
steps = [{ send = "link.w", value = { bytes = "x", repeat = 9000 }, into = "n", outcome = "o" }, { mark = "never" }]
[processes.r]
steps = [{ poll = "link.r" }, { close = "link.r" }]
[[expect]]
exits = "w"
signal = "PIPE"
[[expect]]
never = "w mark never"
"#,
    ),
    (
        "One that another sends ends a writer that waits.",
        r#"
[objects]
link = { kind = "pipe", capacity = 1 }
[processes.w]
signals = { PIPE = "default" }
steps = [{ send = "link.w", value = 1 }, { send = "link.w", value = 2 }, { mark = "never" }]
[processes.r]
steps = [{ poll = "link.r" }, { kill = "w", signal = "PIPE" }, { join = "w" }]
[[expect]]
exits = "w"
signal = "PIPE"
[[expect]]
never = "w mark never"
"#,
    ),
];

#[test]
fn a_write_without_a_reader_is_a_signal_to_the_writer() {
    for (_, text) in BROKEN {
        holds(text);
    }
}

/// Each execution that the model finds is what the kernel does under its schedule.
#[test]
fn what_a_broken_pipe_does_is_replayed() {
    for (name, text) in BROKEN {
        let turned = text.replacen("[[expect]]", "[[expect]]\nholds = \"never\"", 1);
        let done = Test::new().file("a.toml", &turned).args(["explore", "a.toml", "--time", "ideal"]).run().status(1);
        let schedule = done.out.split("ipcrun replay a.toml '").nth(1).and_then(|rest| rest.split('\'').next());
        let schedule = schedule.unwrap_or_else(|| panic!("{name} has a counterexample: {}", done.out));
        Test::new().file("a.toml", text).args(["replay", "a.toml", schedule]).run().status(0).nothing_left();
    }
}

#[test]
fn an_alarm_ends_a_wait_is_replaced_and_cancelled() {
    holds(
        r#"
[objects]
e = { kind = "event" }
[processes.p]
steps = [
  { on_signal = "ALRM", do = [{ mark = "rang", value = "{sender}" }] },
  { alarm = "1h" },
  { alarm = "20ms" },
  { wait = "e", expect = "interrupted" },
  { alarm = "10ms" },
  { alarm = "0s" },
  { sleep = "20ms" },
  { mask = ["ALRM"] },
  { alarm = "10ms" },
  { pending = "ALRM", into = "b", expect = false },
  { sigwait = ["ALRM"], into = "s", expect = "ALRM" },
  { alarm = "5ms" },
  { sleep = "20ms" },
  { pending = "ALRM", into = "b", expect = true },
  { on_signal = "ALRM", action = "ignore" },
  { unmask = ["ALRM"] },
  { on_signal = "ALRM", action = "default" },
  { alarm = "5ms" },
  { wait = "e" },
]
[[expect]]
exits = "p"
signal = "ALRM"
[[expect]]
count = "p mark rang"
equals = 1
"#,
    );
}

/// Where a step may take any time the alarm can ring before it as well as in it, and after it.
#[test]
fn an_alarm_can_ring_at_any_moment_where_time_is_any() {
    let text = r#"
time = "any"
[processes.p]
steps = [
  { alarm = "10ms" },
  { mark = "one" },
  { mark = "two" },
  { alarm = "0s" },
  { mark = "three" },
]
[[expect]]
exits = "p"
signal = "ALRM"
holds = "sometimes"
[[expect]]
exits = "p"
code = 0
holds = "sometimes"
[[expect]]
count = "p mark one"
equals = 0
holds = "sometimes"
[[expect]]
count = "p mark *"
equals = 2
holds = "sometimes"
[[expect]]
reaches = "count('p mark three') == 1 && exit('p') == -14"
holds = "never"
"#;
    Test::new().file("a.toml", text).args(["explore", "a.toml"]).run().status(0);
    let masked = r#"
time = "any"
[processes.p]
steps = [
  { mask = ["ALRM"] },
  { alarm = "10ms" },
  { kill = "p", signal = "ALRM" },
  { sigwait = ["ALRM"] },
  { sigwait = ["ALRM"], outcome = "o" },
  { mark = "both" },
]
[[expect]]
count = "p mark both"
equals = 1
holds = "sometimes"
[[expect]]
deadlock = true
holds = "sometimes"
"#;
    // An alarm that rings while ALRM is pending is merged with it.
    Test::new().file("a.toml", masked).args(["explore", "a.toml"]).run().status(0);
}

/// The signal that the end of a process sends is there before another process can see that end.
#[test]
fn the_end_of_a_process_is_seen_with_its_signal() {
    holds(
        r#"
[processes.p]
steps = [
  { mask = ["CHLD"] },
  { on_signal = "CHLD", do = [] },
  { for = "i", in = "{range(200)}", do = [
    { start = "q[i]" },
    { join = "q[i]" },
    { sigwait = ["CHLD"], timeout = "0s" },
  ] },
]
[processes.q]
count = 200
start = "manual"
steps = []
"#,
    );
}

/// A handler that runs at the end of a process finds it ended.
#[test]
fn the_handler_of_an_end_finds_the_process_ended() {
    holds(
        r#"
[processes.p]
vars = { at = 0 }
steps = [
  { mask = ["CHLD"] },
  { on_signal = "CHLD", do = [ { status = "q[at]", into = "s" }, { assert = "s.code == 0" } ] },
  { for = "i", in = "{range(100)}", do = [
    { let = { at = "{i}" } },
    { start = "q[i]" },
    { pause = true, mask = [], on = { interrupted = [] } },
  ] },
]
[processes.q]
count = 100
start = "manual"
steps = []
"#,
    );
}

/// The end of a process is the cause of the handler that runs at it, also where it was killed within a step.
#[test]
fn the_end_of_a_killed_process_is_the_cause_of_its_signal() {
    holds(
        r#"
[objects]
never = { kind = "event" }
s = { kind = "semaphore", value = 0 }
[processes.p]
steps = [
  { on_signal = "CHLD", do = [ { mark = "child" } ], restart = true },
  { start = "q" },
  { acquire = "s" },
  { sleep = "20ms" },
  { kill = "q" },
  { join = "q" },
]
[processes.q]
start = "manual"
steps = [ { release = "s" }, { wait = "never" } ]
[[expect]]
order = ["p kill q", "q end *", "p handle *", "p mark child"]
[[expect]]
exits = "q"
signal = "KILL"
"#,
    );
}

/// A process that is killed has died at some time since its last event: what that ends in others comes after it.
#[test]
fn the_end_of_a_killed_process_comes_before_what_it_closes() {
    let text = r#"
[objects]
log = { kind = "pipe" }
never = { kind = "event" }
[processes.boss]
steps = [ { recv = "log.r" }, { kill = "helper", signal = "TERM" }, { recv = "log.r", on = { closed = [] } } ]
[processes.helper]
steps = [ { send = "log.w", value = "here" }, { wait = "never" } ]
[[expect]]
exits = "helper"
signal = "TERM"
[[expect]]
order = ["boss kill helper", "helper end *", { process = "boss", verb = "recv", outcome = "closed" }]
"#;
    Test::new().file("a.toml", text).args(["explore", "a.toml"]).run().status(0);
    Test::scenario(text).args(["--repeat", "30"]).run().status(0);
}
