use super::*;
use crate::judge::judge;
use crate::report::testing::trace_dsl::sketch;

const PIPE: &str = "[objects]\nlink = { kind = \"pipe\" }\n[processes.a]\nsteps = [{ send = \"link.w\", value = 1 }]\n\
                    [processes.b]\nsteps = [{ recv = \"link.r\", into = \"x\" }]\n";

/// The lines of the steps and their parts: `name ts dur`, with `->` and `<-` for arrows.
fn slices(scenario: &str, lines: &str) -> Vec<String> {
    let (plan, mut trace) = sketch(scenario, lines);
    // What is done as part of a step belongs to that step.
    let wait = trace.events.iter().find(|event| event.verb == "wait").and_then(|event| event.step);
    trace.events.iter_mut().filter(|event| event.implicit).for_each(|event| event.step = wait);
    let mut out = Vec::new();
    write(&mut out, &plan, &trace, &judge(&plan, &trace)).expect("a vector takes it all");
    let text = String::from_utf8(out).expect("text");
    let document: Json = serde_json::from_str(&text).expect("JSON");
    let events = document["traceEvents"].as_array().expect("a list");
    let steps = events.iter().filter(|event| {
        event["ph"] == "X" && event["cat"] != "process" && event["pid"].as_u64() <= Some(plan.processes.len() as u64)
    });
    steps
        .map(|event| {
            let arrow = |key: &str, sign: &str| {
                if event[key] == true { format!(" {sign}{}", event["bind_id"]) } else { String::new() }
            };
            let (leaves, arrives) = (arrow("flow_out", "->"), arrow("flow_in", "<-"));
            format!("{} {} {}{leaves}{arrives}", event["name"].as_str().unwrap_or(""), event["ts"], event["dur"])
        })
        .collect()
}

#[test]
fn an_arrow_ends_on_a_sliver_behind_the_wait() {
    assert_eq!(
        slices(PIPE, "a 10 20 send link ticket=1 value=1\nb 5 40 recv link ticket=1 cause=a:1 value=1 blocked"),
        ["recv link 5.0 35.0", "blocked 5.0 34.0", "send link 10.0 10.0 ->\"0x3\"", "got 1 from a 39.0 1.0 <-\"0x3\"",]
    );
}

#[test]
fn an_arrow_leaves_before_it_arrives_where_the_sender_returns_last() {
    assert_eq!(
        slices(PIPE, "a 10 90 send link ticket=1 value=1\nb 5 40 recv link ticket=1 cause=a:1 value=1 blocked"),
        [
            "recv link 5.0 35.0",
            "blocked 5.0 34.0",
            "send link 10.0 80.0",
            "sent 38.0 1.0 ->\"0x3\"",
            "got 1 from a 39.0 1.0 <-\"0x3\"",
        ]
    );
}

#[test]
fn a_wait_lies_between_the_parts_of_its_step() {
    let scenario = "[objects]\nm = { kind = \"mutex\" }\nc = { kind = \"condition\", mutex = \"m\" }\n[processes.a]\nsteps = \
                    [{ lock = \"m\" }, { wait = \"c\" }, { unlock = \"m\" }]\n[processes.b]\nsteps = [{ notify = \"c\" }]\n";
    let lines = "a 1 2 lock m ticket=1\na 2 3 wait c ticket=1 outcome=would_block implicit\n\
                 a 3 4 unlock m ticket=2 implicit\nb 20 30 notify c ticket=2 value=1\n\
                 a 4 33 lock m ticket=3 implicit\na 33 34 wait c ticket=3 cause=b:1 blocked\na 34 35 unlock m ticket=4";
    let slices = slices(scenario, lines);
    let expected = [
        "lock m 1.0 1.0",
        "wait c 2.0 32.0",
        "wait c 2.0 1.0",
        "unlock m 3.0 1.0",
        "blocked 4.0 28.0",
        "notify c 20.0 10.0 ->\"0x6\"",
        "lock m 32.0 1.0",
        "woken by b 33.5 0.5 <-\"0x6\"",
        "unlock m 34.0 1.0",
    ];
    assert_eq!(slices, expected);
}

const WAIT: &str = "[objects]\nm = { kind = \"mutex\" }\nc = { kind = \"condition\", mutex = \"m\" }\n[processes.a]\nsteps = \
                    [{ lock = \"m\" }, { wait = \"c\" }, { unlock = \"m\" }]\n[processes.b]\nsteps = [{ lock = \"m\" }, \
                    { notify = \"c\" }, { unlock = \"m\" }]\n";

#[test]
fn a_part_that_was_held_up_after_its_effect_has_its_arrow_leave_before() {
    // `a` gives the lock away within its `wait`, and comes to record that long after `b` has it.
    let lines = "a 1 2 lock m ticket=1\na 2 3 wait c ticket=1 outcome=would_block implicit\n\
                 b 1 6 lock m ticket=3 blocked\na 3 20 unlock m ticket=2 implicit\n\
                 b 25 30 notify c ticket=2 value=1\nb 30 31 unlock m ticket=4\n\
                 a 20 33 lock m ticket=5 implicit\na 33 34 wait c ticket=3 cause=b:2 blocked\na 34 35 unlock m ticket=6";
    let expected = [
        "lock m 1.0 1.0",
        "lock m 1.0 5.0",
        "blocked 1.0 4.0",
        "wait c 2.0 32.0",
        "wait c 2.0 1.0",
        "unlock m 4.0 16.0",
        "gave 4.0 1.0 ->\"0x5\"",
        "from a 5.0 1.0 <-\"0x5\"",
        "blocked 20.0 12.0",
        "notify c 25.0 5.0 ->\"0x7\"",
        "unlock m 30.0 1.0",
        "lock m 32.0 1.0",
        "woken by b 33.5 0.5 <-\"0x7\"",
        "unlock m 34.0 1.0",
    ];
    assert_eq!(slices(WAIT, lines), expected);
}

#[test]
fn what_was_done_in_a_step_that_a_signal_ended_is_drawn() {
    let lines = "a 1 2 lock m ticket=1\na 2 3 wait c ticket=1 outcome=would_block implicit\n\
                 b 1 6 lock m ticket=3 blocked\na 3 5 unlock m ticket=2 implicit\na ends killed 9\n\
                 b 6 7 notify c ticket=2\nb 7 8 unlock m ticket=4";
    let expected = [
        "lock m 1.0 1.0",
        "lock m 1.0 5.0",
        "blocked 1.0 4.0",
        "wait c 2.0 1.0",
        "unlock m 3.0 2.0 ->\"0x5\"",
        "from a 5.0 1.0 <-\"0x5\"",
        "notify c 6.0 1.0",
        "unlock m 7.0 1.0",
    ];
    assert_eq!(slices(WAIT, lines), expected);
}

#[test]
fn an_arrow_from_within_a_step_that_never_ended_leaves_before_it_arrives() {
    // `a` has given the lock away within its `wait`, which it was in when the run was cut off.
    let lines = "a 1 2 lock m ticket=1\na 2 3 wait c ticket=1 outcome=would_block implicit\n\
                 b 1 6 lock m ticket=3 blocked\na 3 20 unlock m ticket=2 implicit\na waits 20 wait c\n\
                 b 6 7 unlock m ticket=4";
    let slices = slices(WAIT, lines);
    let place = |sign: &str| slices.iter().position(|slice| slice.contains(sign));
    assert!(place("->").is_some() && place("->") < place("<-"), "{slices:?}");
}

#[test]
fn every_nanosecond_is_kept() {
    assert_eq!(microseconds(1_234_567_890_123_456_789), "1234567890123456.789");
    assert_eq!(microseconds(7), "0.007");
}
