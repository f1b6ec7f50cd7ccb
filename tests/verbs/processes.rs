//! Processes: how they start, end, wait for one another, and where they run.

use super::{alone, holds, refused};
use crate::support::Test;

#[test]
fn start_and_join() {
    holds(
        r#"
[processes.main]
steps = [
  { start = "child" },
  { start = "child", expect = "in_use" },
  { join = "child", into = "code" },
  { assert = "code == 3" },
  { join = "child", into = "code", expect = 3 },
  { start = "many" },
  { join = "many", into = "code" },
  { assert = "code == 7" },
  { start = "slow" },
  { join = "slow", timeout = "0s", expect = "would_block" },
  { join = "slow", timeout = "5ms", expect = "timeout" },
  { status = "slow", into = "s" },
  { assert = "s.alive && s.code == null" },
  { kill = "slow", signal = "TERM" },
  { join = "slow", into = "code" },
  { assert = "code == -15" },
  { status = "slow", into = "s" },
  { assert = "!s.alive && s.code == -15" },
  { join = "main", timeout = "1s", expect = "would_deadlock" },
]
[processes.child]
start = "manual"
steps = [{ exit = 3 }]
[processes.many]
start = "manual"
count = 3
steps = [{ if = "index == 1", then = [{ exit = 7 }] }]
[processes.slow]
start = "manual"
steps = [{ sleep = "1h" }]
[[expect]]
exits = "child"
code = 3
[[expect]]
exits = "slow"
signal = "TERM"
[[expect]]
exits = "many[1]"
code = 7
"#,
    );
    refused("", "{ join = \"p\" }", "a.toml:5:");
    refused("", "{ start = \"q\" }", "a.toml:5:");
    refused("", "{ start = \"p\" }", "a.toml:5:");
    refused("", "{ join = \"p[1]\" }", "a.toml:5:");
}

#[test]
fn one_of_many_by_index() {
    holds(
        r#"
[processes.main]
steps = [
  { repeat = 3, as = "i", do = [{ start = "w[i]" }] },
  { repeat = 3, as = "i", do = [{ join = "w[2 - i]", into = "code" }, { assert = "code == 2 - i" }] },
]
[processes.w]
count = 3
start = "manual"
steps = [{ exit = "{index}" }]
[[expect]]
exits = "w[1]"
code = 1
[[expect]]
exits = "w[2]"
code = 2
[[expect]]
final = "exit('w[2]') == 2 && ended('w[0]')"
"#,
    );
}

#[test]
fn what_was_never_started_and_who_waits_for_it() {
    holds(
        r#"
[processes.p]
steps = [{ status = "q", into = "s" }, { assert = "!s.alive" }, { join = "q", timeout = "5ms", expect = "timeout" }]
[processes.q]
start = "manual"
steps = [{ exit = 9 }]
"#,
    );
}

#[test]
fn kill_reaches_until_somebody_has_joined() {
    holds(
        r#"
[processes.p]
steps = [
  { kill = "a", signal = 0 },
  { kill = "a" },
  { forever = [{ status = "a", into = "s" }, { if = "!s.alive", then = ["break"] }] },
  { kill = "a" },
  { kill = "a", signal = 0 },
  { join = "a", into = "code", expect = -9 },
  { kill = "a", expect = "no_process" },
  { kill = "a", signal = 0, expect = "no_process" },
  { kill = "b", signal = "INT" },
  { join = "b", into = "code", expect = -2 },
]
[processes.a]
steps = [{ sleep = "1h" }]
[processes.b]
count = 2
steps = [{ sleep = "1h" }]
[[expect]]
exits = "a"
signal = "KILL"
[[expect]]
exits = "b"
signal = "INT"
"#,
    );
    refused("", "{ kill = \"p\", signal = \"TREM\" }", "TERM");
    // It may end itself.
    holds(
        "[processes.p]\nsteps = [{ kill = \"p\", signal = \"TERM\" }, { print = \"not here\" }]\n[[expect]]\nexits = \"p\"\nsignal = \"TERM\"\n[[expect]]\nnever = \"p print\"\n",
    );
}

#[test]
fn who_waits_only_for_the_start_of_another_has_begun_with_it() {
    let text = "[processes.a]\nsteps = [{ kill = \"b\", signal = \"TERM\" }, { status = \"b\" }]\n[processes.b]\n\
                depends_on = { a = \"started\" }\nsteps = [{ sleep = \"1h\" }]\n[[expect]]\nexits = \"b\"\nsignal = \"TERM\"\n";
    Test::scenario(text).args(["--repeat", "300"]).run().status(0).nothing_left();
}

#[test]
fn stopped_and_continued() {
    holds(
        r#"
[objects]
link = { kind = "pipe" }
[processes.p]
steps = [{ forever = [{ send = "link.w", value = 1 }] }]
[processes.q]
vars = { r = "ok" }
steps = [
  { recv = "link.r" },
  { kill = "p", signal = "STOP" },
  # What is in the pipe still comes, then nothing.
  { while = "r == 'ok'", do = [{ recv = "link.r", timeout = "50ms", outcome = "r" }] },
  { assert = "r == 'timeout'" },
  { kill = "p", signal = "CONT" },
  { recv = "link.r", timeout = "20s" },
  { kill = "p" },
]
[[expect]]
exits = "p"
signal = "KILL"
"#,
    );
}

#[test]
fn exit_and_abort() {
    holds("[processes.p]\nsteps = [{ exit = 255 }]\n[[expect]]\nexits = \"p\"\ncode = 255\n");
    holds(
        "[processes.p]\nsteps = [{ let = { n = 2 } }, { exit = \"{n + 1}\" }]\n[[expect]]\nexits = \"p\"\ncode = 3\n",
    );
    holds("[processes.p]\nsteps = [\"abort\"]\n[[expect]]\nexits = \"p\"\nsignal = \"ABRT\"\n");
    alone("", "{ exit = 0 }, { exit = 9 }");
    Test::scenario("[processes.p]\nsteps = [{ exit = 3 }]\n").run().status(1).stdout_contains("exited with status 3");
    Test::scenario("[processes.p]\nsteps = [\"abort\"]\n").run().status(1).stdout_contains("SIGABRT");
    refused("", "{ exit = 256 }", "a.toml:5:");
    refused("", "{ exit = -1 }", "a.toml:5:");
}

#[test]
fn a_daemon_ends_when_all_others_have_and_it_cannot_move() {
    holds(
        r#"
[objects]
q = { kind = "queue" }
n = { kind = "value", type = "i32" }
[processes.server]
daemon = true
count = 2
steps = [{ forever = [{ get = "q", into = "x" }, { sleep = "1ms" }, { add = "n", value = 1 }] }]
[processes.client]
count = 3
steps = [{ repeat = 5, do = [{ put = "q", value = 1 }] }]
[[expect]]
final = "n == 15"
[[expect]]
deadlock = false
[[expect]]
ends = true
"#,
    );
}

#[test]
fn every_condition_of_depends_on() {
    holds(
        r#"
[objects]
go = { kind = "event" }
[processes.a]
steps = [{ mark = "a1" }, { sleep = "5ms" }, { ready = true }, { wait = "go" }, { mark = "a2" }, { exit = 2 }]
[processes.b]
depends_on = { a = "started" }
steps = [{ mark = "b" }]
[processes.c]
depends_on = { a = "ready" }
steps = [{ mark = "c" }, { set = "go" }]
[processes.d]
depends_on = { a = "exited", c = "succeeded" }
steps = [{ mark = "d" }]
[processes.e]
count = 2
depends_on = { d = "succeeded", b = "exited" }
steps = [{ mark = "e" }]
[[expect]]
order = ["a ready", "c mark c", "c set go", "a mark a2", "d mark d", "e mark e"]
[[expect]]
exits = "a"
code = 2
[[expect]]
count = "e mark e"
equals = 2
"#,
    );
    // What can never come true is a deadlock that names itself.
    let done = Test::scenario(
        "[processes.a]\nsteps = [{ exit = 1 }]\n[processes.b]\ndepends_on = { a = \"succeeded\" }\nsteps = []\n",
    )
    .run()
    .nothing_left()
    .status(1);
    assert!(done.out.contains('b'), "{}", done.out);
}

#[test]
fn uses_holds_an_end_without_naming_it_in_a_step() {
    let text = |uses: &str| {
        format!(
            r#"
[objects]
link = {{ kind = "pipe" }}
[processes.writer]
steps = [{{ send = "link.w", value = 1 }}]
[processes.reader]
steps = [{{ recv = "link.r" }}, {{ recv = "link.r", expect = "closed" }}]
[processes.bystander]
{uses}
steps = [{{ sleep = "20ms" }}]
[[expect]]
order = [{{ process = "*", verb = "{first}" }}, {{ process = "reader", verb = "recv", outcome = "closed" }}]
by = "time"
"#,
            first = if uses.is_empty() { "send" } else { "sleep" }
        )
    };
    holds(&text("uses = [\"link.w\"]"));
    holds(&text(""));
    Test::scenario("[objects]\nlink = { kind = \"pipe\" }\n[processes.p]\nuses = [\"link.x\"]\nsteps = []\n")
        .run()
        .status(2);
    Test::scenario("[processes.p]\nuses = [\"link.w\"]\nsteps = []\n").run().status(2).stderr_contains("link");
}

#[test]
fn where_and_how_it_is_scheduled() {
    holds("[processes.p]\ncpus = [0]\nnice = 5\nsteps = [{ busy = \"5ms\" }]\n");
    holds(
        "[processes.p]\npolicy = \"batch\"\nsteps = [\"yield\"]\n[processes.q]\npolicy = \"idle\"\nsteps = [\"yield\"]\n",
    );
    let done = Test::scenario("[processes.p]\ncpus = [4095]\nsteps = []\n").run().nothing_left();
    assert!(done.status == 3 || done.status == 2, "{}\n{}", done.out, done.err);
    Test::scenario("[processes.p]\nnice = 20\nsteps = []\n").run().status(2).stderr_contains("a.toml:2:");
    Test::scenario("[processes.p]\ncpus = []\nsteps = []\n").run().status(2).stderr_contains("a.toml:2:");
}

#[test]
fn the_affinity_and_the_nice_value_are_real() {
    let running =
        Test::scenario("[processes.p]\ncpus = [0]\nnice = 7\nsteps = [{ print = \"{pid}\" }, { sleep = \"1h\" }]\n")
            .start();
    let own = running.id();
    let child = running.until_processes(2).into_iter().find(|process| *process != own).expect("a process");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let status = std::fs::read_to_string(format!("/proc/{child}/status")).expect("it lives");
        let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).expect("it lives");
        let nice = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(16).map(str::to_owned));
        if status.contains("Cpus_allowed_list:\t0\n") && nice.as_deref() == Some("7") {
            break;
        }
        assert!(std::time::Instant::now() < end, "{status}\n{stat}");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    running.signal("INT");
    running.wait().status(130).nothing_left();
}

#[test]
fn hundreds_of_processes() {
    holds(
        r#"
[objects]
n = { kind = "value", type = "i32" }
b = { kind = "barrier", parties = 300 }
[processes.p]
count = 300
steps = [{ wait = "b" }, { add = "n", value = 1 }]
[[expect]]
final = "n == 300"
"#,
    );
}

#[test]
fn an_empty_process_ends_well() {
    holds("[processes.p]\nsteps = []\n");
    holds("[processes.p]\ncount = 20\nsteps = []\n");
}

#[test]
fn any_of_those_that_were_started_is_waited_for() {
    let text = r#"
time = "ideal"
[processes.main]
steps = [
  { wait_any = true, expect = "no_process" },
  { start = "w" },
  { start = "slow" },
  { repeat = 2, do = [{ wait_any = true, into = "who", code_into = "code" }, { mark = "{who}", value = "{code}" }] },
  { wait_any = true, timeout = "0s", expect = "would_block" },
  { wait_any = true, timeout = "5ms", expect = "timeout" },
  { kill = "w[0]", signal = 0, expect = "no_process" },
  { kill = "slow", signal = "TERM" },
  { wait_any = true, into = "who", code_into = "code", expect = "slow" },
  { assert = "code == -15" },
  { wait_any = true, expect = "no_process" },
  { join = "w[1]", expect = 1 },
]
[processes.w]
start = "manual"
count = 2
steps = [{ exit = "{index}" }]
[processes.slow]
start = "manual"
steps = [{ sleep = "1h" }]
[processes.by_itself]
steps = []
[[expect]]
order = ["w[1] end *", { process = "main", verb = "wait_any", object = "w[1]" }]
[[expect]]
values = { process = "main", verb = "mark" }
in = [[0, 1], [1, 0]]
[[expect]]
exits = "w[1]"
code = 1
[[expect]]
exits = "slow"
signal = "TERM"
"#;
    holds(text);
    Test::new().file("a.toml", text).args(["explore", "a.toml"]).run().status(0);
    refused("", "{ wait_any = true }", "no process has `start = \"manual\"`");
}

/// Which of several that have ended is joined first is left open, and a schedule says which.
#[test]
fn a_schedule_says_which_of_several_is_waited_for() {
    let text = r#"
[processes.main]
steps = [
  { start = "w" },
  { join = "marker" },
  { wait_any = true, into = "first" },
  { mark = "{first}" },
]
[processes.w]
start = "manual"
count = 3
steps = []
[processes.marker]
steps = [{ join = "w[0]" }, { join = "w[1]" }, { join = "w[2]" }]
[[expect]]
never = "main mark *"
"#;
    // Another has joined all of them: none is left.
    Test::new().file("a.toml", text).args(["explore", "a.toml"]).run().status(1).stdout_contains("no_process");
    let text = r#"
[processes.main]
steps = [
  { start = "w" },
  { forever = [
    { status = "w[0]", into = "a" },
    { status = "w[1]", into = "b" },
    { if = "a.code != null && b.code != null", then = ["break"] },
    "yield",
  ] },
  { wait_any = true, into = "first" },
  { mark = "first", value = "{first}" },
]
[processes.w]
start = "manual"
count = 2
steps = []
[[expect]]
values = "main mark first"
in = [["w[0]"], ["w[1]"]]
each_seen = true
"#;
    Test::new().file("a.toml", text).args(["explore", "a.toml"]).run().status(0);
    let first = text.replace("in = [[\"w[0]\"], [\"w[1]\"]]\neach_seen = true", "equals = [\"w[0]\"]");
    let done = Test::new().file("a.toml", first).args(["explore", "--save", "found", "a.toml"]).run().status(1);
    let schedule = done.read("found");
    let replayed = Test::new().file("a.toml", text).file("found", schedule).args(["replay", "a.toml", "found"]).run();
    assert!(replayed.out.contains("[\"w[1]\"]"), "{}", replayed.out);
}

/// A handler that comes into the wait ends it, unless it restarts; one that reaps all is not outrun by merged signals.
#[test]
fn a_handler_reaps_all_that_have_ended() {
    let text = r#"
time = "ideal"
[processes.parent]
vars = { reaped = 0 }
steps = [
  { on_signal = "CHLD", do = [
    { forever = [
      { wait_any = true, timeout = "0s", on = { would_block = ["break"], no_process = ["break"] } },
      { let = { reaped = "{reaped + 1}" } },
    ] },
  ] },
  { mask = ["CHLD"] },
  { start = "child" },
  { while = "reaped < 3", do = [{ pause = true, mask = [], on = { interrupted = [] } }] },
  { mark = "all" },
]
[processes.child]
count = 3
start = "manual"
steps = []
[[expect]]
count = "parent mark all"
equals = 1
"#;
    holds(text);
    Test::new().file("a.toml", text).args(["explore", "a.toml"]).run().status(0);
    for (restart, expected) in [(true, "slow"), (false, "interrupted")] {
        let text = format!(
            r#"
time = "ideal"
[processes.p]
steps = [
  {{ on_signal = "USR1", do = [], restart = {restart} }},
  {{ start = "slow" }},
  {{ ready = true }},
  {{ wait_any = true, expect = "{expected}" }},
]
[processes.slow]
start = "manual"
steps = [{{ sleep = "100ms" }}]
[processes.q]
depends_on = {{ p = "ready" }}
steps = [{{ sleep = "20ms" }}, {{ kill = "p", signal = "USR1" }}]
"#
        );
        holds(&text);
        Test::new().file("a.toml", &text).args(["explore", "a.toml"]).run().status(0);
    }
}

#[test]
fn the_end_of_a_parent_is_a_signal_to_those_that_it_started() {
    let text = r#"
time = "ideal"
[objects]
never = { kind = "event" }
ready = { kind = "semaphore", value = 0, via = "sysv" }
[processes.main]
steps = [
  { start = "server" },
  { acquire = "ready", n = 3 },
  { kill = "server" },
  { join = "child" },
  { join = "other", into = "code", expect = 3 },
  { status = "third", into = "s" },
  { assert = "s.alive" },
  { kill = "third" },
]
[processes.server]
start = "manual"
steps = [{ start = "child" }, { start = "other" }, { start = "third" }, { wait = "never" }]
[processes.child]
start = "manual"
parent_death = "TERM"
steps = [{ release = "ready" }, { wait = "never" }]
[processes.other]
start = "manual"
parent_death = "USR1"
steps = [
  { on_signal = "USR1", do = [{ mark = "{sender}" }, { exit = 3 }] },
  { release = "ready" },
  { wait = "never" },
]
[processes.third]
start = "manual"
steps = [{ release = "ready" }, { wait = "never" }]
[[expect]]
exits = "child"
signal = "TERM"
[[expect]]
exits = "server"
signal = "KILL"
[[expect]]
exits = "third"
signal = "KILL"
[[expect]]
exits = "other"
code = 3
[[expect]]
order = ["main kill server", "server end *", "child end *", "main join child"]
[[expect]]
order = ["server end *", "other handle *", "other mark server"]
"#;
    holds(text);
    Test::new().file("a.toml", text).args(["explore", "a.toml"]).run().status(0);
    let auto = "[processes.p]\nparent_death = \"TERM\"\nsteps = []\n";
    Test::new().file("a.toml", auto).args(["check", "a.toml"]).run().status(2).stderr_contains("start = \"manual\"");
}

#[test]
fn a_signal_to_a_group_reaches_its_members_that_are_there() {
    let text = r#"
time = "ideal"
[objects]
never = { kind = "event" }
there = { kind = "semaphore", value = 0, via = "sysv" }
[processes.boss]
group = "jobs"
steps = [
  { on_signal = "USR1", do = [{ mark = "boss" }] },
  { acquire = "there", n = 3 },
  { kill = "group:jobs", signal = "USR1" },
  { kill = "group:idle", signal = 0, expect = "no_process" },
  { join = "worker" },
  { kill = "group:others", expect = "no_process" },
  { kill = "apart" },
]
[processes.worker]
count = 2
group = "jobs"
steps = [{ release = "there" }, { wait = "never" }]
[processes.late]
start = "manual"
group = "jobs"
steps = []
[processes.idle]
start = "manual"
group = "idle"
steps = []
[processes.done]
group = "others"
steps = []
[processes.apart]
depends_on = { done = "exited" }
steps = [{ join = "done" }, { release = "there" }, { wait = "never" }]
[[expect]]
exits = "worker"
signal = "USR1"
[[expect]]
exits = "apart"
signal = "KILL"
[[expect]]
count = "boss mark boss"
equals = 1
[[expect]]
count = "boss kill worker"
equals = 2
[[expect]]
count = "boss kill late"
equals = 0
"#;
    holds(text);
    Test::new().file("a.toml", text).args(["explore", "a.toml"]).run().status(0);
    refused("", "{ kill = \"group:none\" }", "no process is in a group `none`");
    refused("", "{ join = \"group:none\" }", "a.toml:5:");
}

/// What a process closes or releases at its end is seen by others only together with that end.
#[test]
fn a_process_has_ended_where_what_it_closed_is_seen() {
    holds(
        r#"
[objects]
log = { kind = "pipe", count = 100 }
[processes.q]
count = 100
start = "manual"
steps = [ { send = "log[index].w", value = 1 } ]
[processes.p]
steps = [
  { for = "i", in = "{range(100)}", do = [
    { start = "q[i]" },
    { recv = "log[i].r" },
    { recv = "log[i].r", expect = "closed" },
    { if = "i % 3 == 0", then = [
      { status = "q[i]", into = "s" },
      { assert = "s.code == 0" },
    ], else = [ { if = "i % 3 == 1", then = [
      { join = "q[i]", timeout = "0s" },
    ], else = [
      { wait_any = true, timeout = "0s", into = "ended" },
    ] } ] },
  ] },
]
"#,
    );
}
