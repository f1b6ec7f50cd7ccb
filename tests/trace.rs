//! Saved traces: read back, converted, judged again, and refused where they are not whole. And `--json`.

use serde_json::Value;

use crate::support::{Done, Test};

/// A scenario that touches much, and of which one expectation fails.
const TEXT: &str = r#"about = "Much of everything."
seed = 5
[params]
n = 3
[objects]
q = { kind = "queue", capacity = 2 }
l = { kind = "pipe" }
v = { kind = "value", type = "i32" }
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
b = { kind = "barrier", parties = 2 }
[processes.maker]
steps = [
  { repeat = "{n}", as = "i", do = [{ put = "q", value = { bytes = [1, 255] } }] },
  { send = "l.w", value = ["text", 1.5, { k = [] }] },
  { wait = "b" },
  { lock = "m" }, { notify = "c" }, { unlock = "m" },
  { print = "random {random(1, 1000)}" },
]
[processes.taker]
steps = [
  { repeat = "{n}", do = [{ get = "q" }] },
  { recv = "l.r", into = "x" },
  { update = "v", value = "{it + 1}" },
  { wait = "b" },
  { lock = "m" }, { wait = "c", timeout = "20ms", on = { any = [] } }, { unlock = "m" },
  { get = "q", timeout = "1ms", on = { timeout = [] } },
]
[processes.quitter]
start = "manual"
steps = []
[[expect]]
fifo = "q"
[[expect]]
final = "v == 1"
[[expect]]
values = "taker recv l"
equals = [["text", 1.5, { k = [] }]]
"#;
const FAILS: &str = "[[expect]]\nfinal = \"v == 2\"\n";

/// Runs a scenario and saves its trace; gives the file's text.
fn saved(text: &str, status: i32) -> (Done, String) {
    let done = Test::scenario(text).args(["--trace", "x.jsonl"]).run().status(status).nothing_left();
    let trace = done.read("x.jsonl");
    (done, trace)
}

/// `ipcrun trace` on such a file.
fn read(trace: &str, arguments: &[&str]) -> Done {
    Test::new().file("x.jsonl", trace).args(["trace", "x.jsonl"]).args(arguments.iter().copied()).run()
}

/// What a verdict says, without how the run was to be made again.
fn verdict(out: &str) -> Vec<String> {
    let lines = out.lines().filter(|line| !line.contains('│') || line.contains(" | "));
    let lines = lines
        .filter(|line| !line.trim_start().starts_with("again:") && !line.starts_with("✓ ") && !line.starts_with("✗ "));
    lines.map(str::to_owned).collect()
}

#[test]
fn a_saved_trace_is_judged_again_and_the_same() {
    for (text, status) in [(TEXT.to_owned(), 0), (format!("{TEXT}{FAILS}"), 1)] {
        let (done, trace) = saved(&text, status);
        let again = read(&trace, &["--to", "verdict"]).status(status);
        assert_eq!(verdict(&again.out), verdict(&done.out));
    }
}

#[test]
fn deadlocks_and_timeouts_are_judged_again_too() {
    let stuck = "[objects]\nm = { kind = \"mutex\" }\n[processes.p]\nsteps = [{ lock = \"m\" }, { lock = \"m\" }]\n";
    let (_, trace) = saved(stuck, 1);
    read(&trace, &["--to", "verdict"]).status(1).stdout_contains("p waits to lock m").stdout_contains("a.toml:4");
    let slow = "timeout = \"50ms\"\n[processes.p]\nsteps = [{ sleep = \"1h\" }]\n";
    let (_, trace) = saved(slow, 1);
    read(&trace, &["--to", "verdict"]).status(1).stdout_contains("cut off");
}

#[test]
fn text_has_a_line_for_each_event() {
    let (_, trace) = saved(TEXT, 0);
    let done = read(&trace, &["--to", "text"]).status(0);
    for part in ["maker  put q", "taker  get q", "taker  recv l", "timeout", "random"] {
        assert!(done.out.contains(part), "{part}\n{}", done.out);
    }
    let events = trace.lines().filter(|line| line.contains("\"type\":\"event\"")).count();
    assert!(done.out.lines().count() >= events, "{events}\n{}", done.out);
}

#[test]
fn jsonl_is_the_file_itself() {
    let (_, trace) = saved(TEXT, 0);
    let done = read(&trace, &["--to", "jsonl"]).status(0);
    let lines =
        |text: &str| text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).collect::<Vec<_>>();
    assert_eq!(lines(&done.out), lines(&trace));
}

#[test]
fn it_can_be_judged_by_another_scenario() {
    let (_, trace) = saved(TEXT, 0);
    let test = Test::new().file("x.jsonl", &trace).file("b.toml", format!("{TEXT}{FAILS}"));
    test.args(["trace", "x.jsonl", "--to", "verdict", "--scenario", "b.toml"])
        .run()
        .status(1)
        .stdout_contains("v == 2");
    let test = Test::new().file("x.jsonl", &trace).file("b.toml", "[processes.other]\nsteps = []\n");
    test.args(["trace", "x.jsonl", "--to", "verdict", "--scenario", "b.toml"]).run().status(2);
}

#[test]
fn a_cut_or_edited_trace_is_refused_with_its_line() {
    let (_, trace) = saved(TEXT, 0);
    let lines: Vec<&str> = trace.lines().collect();
    let refuse = |text: &str, line: Option<usize>| {
        let done = read(text, &["--to", "verdict"]);
        assert_eq!(done.status, 2, "{}\n{}", done.out, done.err);
        if let Some(line) = line {
            assert!(done.err.contains(&format!("x.jsonl:{line}")), "line {line}\n{}", done.err);
        }
    };
    // Cut after a line, in the middle of one, and at the very begin.
    // Without its last line alone, all events are there, and it is judged as what it is.
    let done = read(&lines[..lines.len() - 1].join("\n"), &["--to", "verdict"]).status(1);
    done.stdout_contains("a whole trace").stdout_contains("ends before its last line");
    for length in [lines.len() / 2, 3, 1] {
        refuse(&lines[..length].join("\n"), Some(length));
    }
    refuse(&trace[..trace.len() / 2], None);
    refuse("", None);
    refuse(&lines[1..].join("\n"), None);
    // A line too few in the middle.
    let mut fewer = lines.clone();
    fewer.remove(lines.len() / 2);
    refuse(&fewer.join("\n"), None);
    // No JSON, or other JSON.
    for wrong in ["{", "not JSON", "[]", "{\"type\":\"event\"}", "{\"type\":\"strange\"}"] {
        let mut edited = lines.clone();
        edited[7] = wrong;
        refuse(&edited.join("\n"), Some(8));
    }
    for (from, to) in [
        ("\"process\":\"maker\"", "\"process\":\"nobody\""),
        ("\"object\":\"q\"", "\"object\":\"none\""),
        ("\"verb\":\"put\"", "\"verb\":\"putt\""),
        ("\"outcome\":\"ok\"", "\"outcome\":\"okay\""),
    ] {
        let at =
            lines.iter().position(|line| line.contains("\"type\":\"event\"") && line.contains(from)).expect("an event");
        let edited = lines[at].replace(from, to);
        let mut all = lines.clone();
        all[at] = &edited;
        refuse(&all.join("\n"), Some(at + 1));
    }
    // Of another version.
    refuse(&trace.replacen("\"version\":1", "\"version\":999", 1), Some(1));
    read("\u{1}\u{2}", &[]).status(2);
    Test::new().args(["trace", "none.jsonl"]).run().status(2).stderr_contains("none.jsonl");
}

#[test]
fn a_step_that_a_kill_may_have_cut_is_named() {
    let killed = "[objects]\nv = { kind = \"value\" }\n[processes.p]\nsteps = [{ forever = [{ add = \"v\", value = 1 }] }]\n\
                  [processes.killer]\nsteps = [{ sleep = \"20ms\" }, { kill = \"p\" }]\n";
    let (done, trace) = saved(killed, 0);
    done.stdout_contains("0 lost").stdout_contains("p may have been within a step as it ended");
    let line = |of: &str| trace.lines().find(|line| line.contains(of)).unwrap_or_else(|| panic!("no {of}")).to_owned();
    assert!(line(r#""type":"exit","process":"p""#).contains(r#""cut":true"#));
    assert!(!line(r#""type":"exit","process":"killer""#).contains("cut"));
    assert!(line(r#""type":"end""#).contains(r#""lost":["p may have been within a step"#));
    assert_eq!(read(&trace, &["--to", "jsonl"]).status(0).out, trace);
    read(&trace, &["--to", "verdict"]).status(0).stdout_contains("p may have been within a step");

    // One that is stopped at the run's end may have been within a step too, but not where it slept.
    let late = killed.replace("{ kill = \"p\" }", "{ sleep = \"1h\" }");
    let done = Test::scenario(&late).args(["--timeout", "50ms"]).run().status(1);
    done.stdout_contains("p may have been within a step");
    // Under a schedule no process is ended within a step.
    let done = Test::scenario(killed).args(["--schedule", "seed:1", "--timeout", "30ms"]).run();
    assert!(!done.out.contains("may have been within"), "{}", done.out);
}

#[test]
fn no_edit_of_a_trace_panics() {
    let (_, trace) = saved(TEXT, 0);
    let bytes = trace.as_bytes();
    let mut state = 3u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % below
    };
    for _ in 0..60 {
        let mut edited = bytes.to_vec();
        for _ in 0..=draw(3) {
            let at = draw(edited.len());
            match draw(3) {
                0 => edited[at] = b"0123456789{}[]\",:ax-"[draw(20)],
                1 => {
                    edited.remove(at);
                }
                _ => edited.insert(at, b"0123456789{}[]\",:ax-"[draw(20)]),
            }
        }
        let done = Test::new().file("x.jsonl", edited).args(["trace", "x.jsonl", "--to", "verdict"]).run();
        assert!(matches!(done.status, 0..=5) && !done.err.contains("panicked"), "{}\n{}", done.status, done.err);
    }
}

#[test]
fn json_says_what_it_should() {
    let done = Test::scenario(&format!("{TEXT}{FAILS}")).args(["--json"]).run().status(1).nothing_left();
    let json: Value = serde_json::from_str(&done.out).expect("one JSON document");
    assert_eq!(json["scenario"], "a");
    assert_eq!(json["about"], "Much of everything.");
    assert_eq!(json["path"], "a.toml");
    assert_eq!(json["seed"], 5);
    assert_eq!(json["params"]["n"], 3);
    assert_eq!(json["status"], "failed");
    assert_eq!(json["exit"], 1);
    assert_eq!(json["engine"], "kernel");
    assert_eq!(json["end"], "completed");
    assert!(json["duration"].as_u64().is_some_and(|ns| ns > 0));
    assert!(json["deadlock"].is_null());
    let expectations = json["expectations"].as_array().expect("a list");
    assert_eq!(expectations.len(), 4);
    assert_eq!(expectations[0]["form"], "fifo");
    assert_eq!(expectations[0]["status"], "passed");
    assert_eq!(expectations[0]["holds"], "always");
    assert_eq!(expectations[3]["status"], "failed");
    assert_eq!(expectations[3]["line"], TEXT.lines().count() + 2);
    assert!(expectations[3]["witnesses"].as_array().is_some_and(|events| !events.is_empty()));
    assert!(expectations[3]["measured"].as_str().is_some_and(|text| text.contains("v = 1")));
    let processes = json["processes"].as_array().expect("a list");
    assert_eq!(processes.len(), 3);
    assert!(processes.iter().any(|process| process["process"] == "maker" && process["code"] == 0));
    let objects = json["objects"].as_array().expect("a list");
    assert!(objects.iter().any(|object| object["name"] == "v" && object["last"] == 1 && object["operations"] == 1));
    assert!(objects.iter().any(|object| object["name"] == "q" && object["failed"] == 1));
    assert!(json["printed"][0]["text"].as_str().is_some_and(|text| text.starts_with("random ")));
    assert_eq!(json["trace"]["whole"], true);
    assert_eq!(json["trace"]["lost"], serde_json::json!([]));
}

#[test]
fn json_of_other_ends() {
    let json = |text: &str, arguments: &[&str], status: i32| -> Value {
        let done =
            Test::scenario(text).args(["--json"]).args(arguments.iter().copied()).run().status(status).nothing_left();
        serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {}", done.out))
    };
    let stuck = "[objects]\nm = { kind = \"mutex\" }\n[processes.p]\nsteps = [{ lock = \"m\" }, { lock = \"m\" }]\n";
    let run = json(stuck, &[], 1);
    assert_eq!(run["end"], "deadlock");
    assert_eq!(run["broken"][0]["rule"], "deadlock");
    assert_eq!(run["deadlock"]["waiting"].as_array().map(Vec::len), Some(1));
    let run = json("[processes.p]\nsteps = [{ sleep = \"1h\" }]\n", &["--timeout", "50ms"], 1);
    assert_eq!(run["end"], "timeout");
    assert_eq!(run["doing"].as_array().map(Vec::len), Some(1));
    let run = json("[processes.p]\nsteps = [{ exit = 3 }]\n", &[], 1);
    assert_eq!((&run["broken"][0]["rule"], &run["processes"][0]["code"]), (&Value::from("exit"), &Value::from(3)));
    let run = json(
        "[processes.p]\nsteps = [\"yield\"]\n[[expect]]\ncount = \"p yield\"\nequals = 1\n",
        &["--repeat", "10"],
        0,
    );
    assert_eq!(run["runs"], 10);
    assert_eq!(run["expectations"][0]["frequency"], "always");
    assert_eq!(run["expectations"][0]["held"], 10);
    assert!(run["histogram"].as_array().is_some_and(|states| !states.is_empty()));
    let run = json("[processes.p]\nsteps = [{ prnt = 1 }]\n", &[], 2);
    assert_eq!((&run["status"], &run["exit"]), (&Value::from("invalid"), &Value::from(2)));
    assert_eq!((&run["diagnostics"][0]["line"], &run["diagnostics"][0]["column"]), (&Value::from(2), &Value::from(12)));
}
