use std::fmt::Write as _;

use super::*;
use crate::report::terminal::style::width;
use crate::report::testing::trace_dsl::sketch;
use crate::trace::ProcessEnd;

const PLAIN: Options<'_> = Options { color: false, ascii: false, columns: 64, rows: 40, axis: Axis::Auto, marks: &[] };

const SEMAPHORE: &str = r#"
name = "pool"
[objects]
permits = { kind = "semaphore", value = 1 }
[processes.worker]
count = 3
steps = [ { acquire = "permits" }, { busy = "9ms" }, { release = "permits" } ]
"#;

const WORK: &str = "
worker[0] 10 11 acquire permits ticket=1
worker[0] 11 9000 busy
worker[0] 9000 9002 release permits ticket=2
worker[1] 2000 9001 acquire permits ticket=3 blocked
worker[1] 9001 15000 busy
worker[1] 15000 15001 release permits ticket=4
worker[2] 3000 15001 acquire permits ticket=5 blocked
worker[2] 15001 20000 busy
worker[2] 20000 20001 release permits ticket=6
";

const DIALOGUE: &str = r#"
[objects]
link = { kind = "pipe", duplex = true }
[processes.client]
steps = [ { send = "link.a", value = "x" }, { recv = "link.a", into = "x" } ]
[processes.server]
steps = [ { recv = "link.b", into = "x" }, { print = "x" }, { send = "link.b", value = "x" } ]
"#;

const TALK: &str = "
server 328 681 recv link ticket=1 cause=client:1 value=请求登陆 blocked
client 330 664 send link ticket=1 value=请求登陆
server 690 700 print value=serving
server 1060 1068 send link ticket=1 value=yes
client 670 1075 recv link ticket=1 cause=server:3 value=yes blocked
";

const MUTEXES: &str = r#"
name = "crossed"
[objects]
a = { kind = "mutex" }
b = { kind = "mutex" }
[processes.p]
steps = [ { lock = "a" }, { lock = "b" } ]
[processes.q]
steps = [ { lock = "b" }, { lock = "a" } ]
"#;

const CROSSED: &str = "
p 10 20 lock a ticket=1
q 12 24 lock b ticket=1
p waits 30 lock b
q waits 32 lock a
";

#[test]
fn lanes_tell_blocked_from_holding_on_one_axis_with_the_permits() {
    let (plan, trace) = sketch(SEMAPHORE, WORK);
    assert_eq!(
        draw(&plan, &trace, None, &PLAIN),
        "\
\x20pool  20.0 ms  ─ computing  █ holding  ░ blocked
 worker[0] │██████████████████                     │ ok
 worker[1] │────░░░░░░░░░░░░░░████████████         │ ok
 worker[2] │──────░░░░░░░░░░░░░░░░░░░░░░░██████████│ ok
 permits   │▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█│ 1→0→1
            0                  ╵10.0 ms     20.0 ms
"
    );
}

#[test]
fn ascii_says_the_same() {
    let (plan, trace) = sketch(SEMAPHORE, WORK);
    assert_eq!(
        draw(&plan, &trace, None, &Options { ascii: true, ..PLAIN }),
        "\
\x20pool  20.0 ms  - computing  # holding  . blocked
 worker[0] |##################                     | ok
 worker[1] |----..............############         | ok
 worker[2] |------.......................##########| ok
 permits   |000000000000000000000000000000000000001| 1->0->1
            0                  '10.0 ms     20.0 ms
"
    );
}

#[test]
fn a_dialogue_is_told_line_by_line() {
    let (plan, trace) = sketch(DIALOGUE, TALK);
    assert_eq!(
        draw(&plan, &trace, None, &Options { columns: 80, ..PLAIN }),
        "\
\x20        t        Δ   client                       server
   0.664 ms           ├─ send link \"请求登陆\" ────▶│
   0.681 ms +17.0 µs  │                            ├─ recv link, blocked 353 µ…
   0.700 ms +19.0 µs  │                            ├─ print serving
   1.068 ms  +368 µs  │◀───────── send link \"yes\" ─┤
   1.075 ms +7.00 µs  ├─ recv link, blocked 405 µ…
"
    );
}

#[test]
fn a_dialogue_in_ascii() {
    let (plan, trace) = sketch(DIALOGUE, TALK);
    assert_eq!(
        draw(&plan, &trace, None, &Options { columns: 80, ascii: true, ..PLAIN }),
        "\
\x20        t        +   client                       server
   0.664 ms           +- send link \"????????\" ---->|
   0.681 ms +17.0 us  |                            +- recv link, blocked 353 u~
   0.700 ms +19.0 us  |                            +- print serving
   1.068 ms  +368 us  |<--------- send link \"yes\" -+
   1.075 ms +7.00 us  +- recv link, blocked 405 u~
"
    );
}

#[test]
fn who_is_stuck_holds_and_waits_to_the_end() {
    let (plan, trace) = sketch(MUTEXES, CROSSED);
    assert_eq!(
        draw(&plan, &trace, None, &PLAIN),
        "\
\x20crossed  20.0 ms
  ─ computing  ▬ in a step  █ holding  ▒ holding and blocked
  ⋯ folded
 p │──────────▬▬▬▬▬▬▬▬▬▬▬██████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒│ at b
 q │────────────▬▬▬▬▬▬▬▬▬▬▬▬▬█████████▒▒▒▒▒▒▒▒▒▒▒▒▒│ at a
 a │                     ├p────────────────────────│ p
 b │                         ├q────────────────────│ q
    0         ╵10.5 µs   ╵21.0 µs     ⋯⋯⋯⋯⋯ 20.0 ms
"
    );
}

#[test]
fn events_that_decide_are_pointed_at() {
    let (plan, trace) = sketch(SEMAPHORE, WORK);
    let acquires: Vec<usize> = (0..trace.events.len()).filter(|at| trace.events[*at].verb == "acquire").collect();
    assert_eq!(
        around(&plan, &trace, &Options { marks: &acquires[..2], ..PLAIN }),
        "\
\x20               #4                     #7
 worker[0] │────◆██████████████████████▬           │ ok
 worker[1] │────────────────░░░░░░░░░░░◆███████████│ ok
 permits   │█████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁│ 1→0→1
            0   ╵11.0 µs⋯⋯⋯╵2.00 ms⋯⋯⋯  ⋯⋯⋯ 10.1 ms
"
    );
    assert_eq!(around(&plan, &trace, &Options { marks: &acquires[..1], ..PLAIN }), "");
}

/// Many workers, of which the last fails.
fn crowd(count: u64) -> (Plan, Trace) {
    let scenario = SEMAPHORE.replace("count = 3", &format!("count = {count}"));
    let mut lines = String::new();
    for n in 0..count {
        let (begin, end, ticket) = (n * 100 + 2, n * 100 + 100, n * 2 + 1);
        let _ = writeln!(lines, "worker[{n}] 1 {begin} acquire permits ticket={ticket} blocked");
        let _ = writeln!(lines, "worker[{n}] {begin} {end} busy");
        let _ = writeln!(lines, "worker[{n}] {end} {} release permits ticket={}", end + 1, ticket + 1);
    }
    sketch(&scenario, &format!("{lines}worker[{}] ends exited 3\n", count - 1))
}

#[test]
fn a_crowd_is_folded_and_who_failed_is_shown() {
    let (plan, trace) = crowd(300);
    let text = draw(&plan, &trace, None, &Options { columns: 100, ..PLAIN });
    assert!(text.lines().count() <= 24, "{text}");
    let failed = text.lines().find(|line| line.contains("worker[299]")).expect("the one that failed");
    assert!(failed.ends_with("│ exit 3"), "{text}");
    assert!(text.contains(" more "), "{text}");
}

#[test]
fn processes_that_look_alike_share_a_row() {
    let lines: Vec<String> = (0..40).map(|n| format!("worker[{n}] 10 9000 busy")).collect();
    let scenario = SEMAPHORE.replace("count = 3", "count = 40");
    let (plan, mut trace) = sketch(&scenario, &lines.join("\n"));
    trace.ends[7] = ProcessEnd::Killed(9);
    let text = draw(&plan, &trace, None, &PLAIN);
    assert!(text.contains(" worker[0] .. ×39 ") && text.contains(" worker[7] "), "{text}");
    assert_eq!(text.lines().count(), 4, "{text}");
}

#[test]
fn a_long_dialogue_is_cut_in_its_middle() {
    let mut lines = String::new();
    for n in 0..500 {
        let (at, number) = (n * 10 + 1, n + 1);
        let _ = writeln!(lines, "client {at} {} send link ticket={n} value={n}", at + 2);
        let _ = writeln!(lines, "server {at} {} recv link ticket={n} cause=client:{number} value={n}", at + 3);
    }
    let (plan, trace) = sketch(DIALOGUE, &lines);
    let text = draw(&plan, &trace, None, &Options { columns: 80, ..PLAIN });
    assert!(text.lines().count() <= 40, "{text}");
    assert!(text.contains("⋯ 967 steps"), "{text}");
    assert!(text.contains("send link 0 ─") && text.contains("recv link 499\n"), "{text}");
}

#[test]
fn more_speakers_than_fit_have_their_words_at_the_right() {
    let (plan, trace) = crowd(30);
    for columns in [60, 100] {
        let text = draw(&plan, &trace, Some(View::Sequence), &Options { columns, ..PLAIN });
        assert!(text.contains("more processes, which do not fit"), "{text}");
        assert!(text.lines().all(|line| width(line) <= columns), "{text}");
    }
}

#[test]
fn no_line_is_wider_than_it_may_be() {
    let long = SEMAPHORE.replace("pool", &"很".repeat(60)).replace("permits", "a_very_long_name_of_an_object_indeed");
    let work = WORK.replace("permits", "a_very_long_name_of_an_object_indeed");
    let scenes = [
        sketch(SEMAPHORE, WORK),
        sketch(&long, &work),
        sketch(DIALOGUE, TALK),
        sketch(MUTEXES, CROSSED),
        crowd(100),
        sketch(SEMAPHORE, ""),
    ];
    for (plan, trace) in &scenes {
        let marks: Vec<usize> = (0..trace.events.len()).step_by(3).collect();
        for columns in [60, 61, 73, 80, 100, 140] {
            for (ascii, view) in
                [(false, View::Gantt), (true, View::Gantt), (false, View::Sequence), (true, View::Sequence)]
            {
                for axis in [Axis::Auto, Axis::Time, Axis::Folded, Axis::Step] {
                    let options = Options { ascii, columns, axis, marks: &marks, ..PLAIN };
                    let text = draw(plan, trace, Some(view), &options);
                    assert!(text.lines().all(|line| width(line) <= columns), "{columns}\n{text}");
                    assert!(text.lines().count() <= 40, "{text}");
                    assert!(!ascii || text.is_ascii(), "{text}");
                    let colored = draw(plan, trace, Some(view), &Options { color: true, ..options });
                    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), text);
                }
            }
        }
    }
}

#[test]
fn a_run_without_events_is_drawn() {
    let (plan, mut trace) = sketch(SEMAPHORE, "");
    trace.events.clear();
    trace.ends.fill(ProcessEnd::NotStarted);
    let text = draw(&plan, &trace, None, &PLAIN);
    assert!(text.contains("worker[2] │") && text.contains("not started"), "{text}");
    assert_eq!(draw(&plan, &trace, Some(View::Sequence), &PLAIN).lines().last(), Some("  nothing happened"));
}
