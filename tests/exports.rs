//! The forms in which a run is written for other programs, each read back and held to that form's rules.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::support::Test;

/// Scenarios with messages, hand-overs, wakes, a fan-out, parts of steps, a kill, text that means something to each form.
const EVERYTHING: &str = r#"
name = "all; of # <it> & %%{more} \"x\" ✓"
[objects]
q = { kind = "queue" }
b = { kind = "barrier", parties = 3 }
e = { kind = "event" }
p = { kind = "pipe", framing = "bytes" }
v = { kind = "value", type = "i32", value = 0 }
s = { kind = "semaphore", value = 1 }
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
letter = { kind = "value", type = "char", value = "a" }
sent = { kind = "event" }
[processes.w]
count = 3
steps = [
  { print = "a; b # c <b>x</b> & %%{{init: x}}%% $$x$$ end `code` \\ \u0007 \u202e 执行" },
  { mark = "end ; loop\nalt" , value = "\"q\"\t" },
  { wait = "b" },
  { section = "s#1", do = [{ acquire = "s" }, { busy = "100us" }, { release = "s" }] },
  { update = "v", value = "{it + 1}" },
  { put = "q", value = "{name}" },
  { lock = "m" }, { wait = "c", timeout = "{20 + index * 20}ms", on = { timeout = [] } }, { unlock = "m" },
  { wait = "e" },
]
[processes.z]
steps = [
  { repeat = 3, do = [{ get = "q", into = "x" }] },
  { start = "late" },
  { sleep = "3ms" }, { lock = "m" }, { notify = "c" }, { unlock = "m" }, { set = "e" },
  { store = "letter", value = "b" }, { kill = "k" },
  { send = "p.w", value = "hello" }, { send = "p.w", value = "world" }, { set = "sent" }, { join = "late" },
]
[processes.k]
steps = [{ sleep = "1h" }]
[processes.r]
steps = [{ wait = "sent" }, { recv = "p.r", max = 100, into = "x" }]
[processes.late]
start = "manual"
steps = [{ load = "letter", into = "l" }]
[[expect]]
label = "a <label> with ; and # and \"quotes\" \u0001"
count = "w put q"
equals = 4
[[expect]]
count = "w put q"
equals = 3
"#;

/// Two processes that wait for each other, and for nothing before that.
const DEADLOCK: &str = r#"
[objects]
a = { kind = "mutex" }
b = { kind = "mutex" }
locked = { kind = "value", type = "i32", value = 0 }
[processes.p]
steps = [
  { lock = "a" }, { add = "locked", value = 1 },
  { while = "seen != 2", do = [{ sleep = "1ms" }, { load = "locked", into = "seen" }] },
  { lock = "b" },
]
[processes.q]
steps = [
  { lock = "b" }, { add = "locked", value = 1 },
  { while = "seen != 2", do = [{ sleep = "1ms" }, { load = "locked", into = "seen" }] },
  { lock = "a" },
]
"#;

/// The run of a scenario in the form of that ending.
fn written(scenario: &str, ending: &str) -> String {
    let file = format!("run.{ending}");
    let done = Test::scenario(scenario).args(["--trace", &file]).run();
    assert!(done.status <= 1, "{} {}", done.out, done.err);
    done.read(&file)
}

/// A time of Chrome's format in ns. It has exactly three decimals, which a float would not keep.
fn ns(event: &str, key: &str) -> Option<u64> {
    let text = event.split(&format!("\"{key}\":")).nth(1)?;
    let (whole, rest) = text.split_once('.')?;
    let decimals: String = rest.chars().take_while(char::is_ascii_digit).collect();
    assert_eq!(decimals.len(), 3, "{event}");
    Some(whole.parse::<u64>().ok()? * 1_000 + decimals.parse::<u64>().ok()?)
}

/// Holds a trace to what Perfetto's importer asks of it: slices of a thread nest, an arrow begins on a slice that lies
/// before the slice where it ends, every process has a name.
fn is_chrome(text: &str) -> Vec<Value> {
    // Readers do not decode `\u0041`; what was escaped within a value has one more backslash.
    assert!(!text.replace("\\\\", "").contains("\\u"), "text is written as it is");
    let document: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(document["displayTimeUnit"], "ns");
    let events = document["traceEvents"].as_array().expect("a list").clone();
    let lines: Vec<&str> = text.lines().skip(1).take(events.len()).collect();
    let (mut open, mut out, mut latest): (HashMap<u64, Vec<u64>>, HashSet<String>, u64) = Default::default();
    let (mut named, mut held) = (HashSet::new(), HashMap::new());
    for (event, line) in events.iter().zip(lines) {
        let pid = event["pid"].as_u64().expect("a process");
        if event["ph"] == "M" {
            named.insert((pid, event["name"].as_str().unwrap_or("").to_owned()));
            continue;
        }
        assert!(named.contains(&(pid, "process_name".to_owned())), "{line}");
        let at = ns(line, "ts").expect("a time");
        assert!(at >= latest, "in the order of time: {line}");
        latest = at;
        match event["ph"].as_str() {
            Some("X") => {
                let end = at + ns(line, "dur").expect("a duration");
                let stack = open.entry(event["tid"].as_u64().expect("a thread")).or_default();
                while stack.last().is_some_and(|last| *last <= at) {
                    stack.pop();
                }
                assert!(stack.last().is_none_or(|last| *last >= end), "does not nest: {line}");
                stack.push(end);
                if let Some(id) = event["bind_id"].as_str() {
                    assert!(id.starts_with("0x"), "{line}");
                    if event["flow_out"] == true {
                        assert!(out.insert(id.to_owned()), "one slice for each id: {line}");
                    } else {
                        assert!(event["flow_in"] == true && out.contains(id), "an arrow from later on: {line}");
                        assert_ne!(event["cat"], "blocked");
                    }
                }
            }
            Some("C") => assert!(event["args"].as_object().is_some_and(|args| args.values().all(Value::is_number))),
            Some("b") => assert!(held.insert(event["id"].to_string(), at).is_none(), "{line}"),
            Some("e") => assert!(held.remove(&event["id"].to_string()).is_some(), "{line}"),
            Some("i") => assert!(event["s"].is_string()),
            other => panic!("{other:?}: {line}"),
        }
    }
    assert!(held.is_empty(), "{held:?}");
    events
}

fn count(events: &[Value], test: impl Fn(&Value) -> bool) -> usize {
    events.iter().filter(|event| test(event)).count()
}

#[test]
fn perfetto_gets_slices_arrows_counters_and_failures() {
    let events = is_chrome(&written(EVERYTHING, "json"));
    let arrows = |name: &str| {
        count(&events, |event| {
            event["flow_in"] == true && event["name"].as_str().is_some_and(|text| text.contains(name))
        })
    };
    assert_eq!((arrows("got \"w["), arrows("started by z"), arrows("killed by z")), (3, 1, 1));
    assert_eq!(arrows("got b\"helloworld\""), 2);
    assert!(count(&events, |event| event["name"] == "blocked") > 3);
    assert!(count(&events, |event| event["ph"] == "C" && event["name"] == "q") > 5);
    assert!(count(&events, |event| event["name"] == "holds section s#1") == 6, "a begin and an end each");
    let owners = |event: &Value| event["cat"] == "mutex" && event["name"] == "z";
    assert!(count(&events, owners) == 1, "who owns the lock");
    assert_eq!(count(&events, |event| event["ph"] == "i" && event["s"] == "g"), 1);
}

#[test]
fn what_never_ends_is_drawn_to_the_end() {
    let text = written(DEADLOCK, "json");
    let events = is_chrome(&text);
    assert_eq!(count(&events, |event| event["cat"] == "unfinished"), 2, "{text}");
    assert_eq!(count(&events, |event| event["name"] == "blocked"), 2, "{text}");
    assert!(written(DEADLOCK, "mmd").contains("lock b: it never ended, after "));
}

/// Holds a log to `ShiViz`'s rules: its expression reads it, a process counts its own events from 1 without a gap, and
/// no clock knows of what is not there.
fn is_shiviz(text: &str) -> usize {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(r"(?<host>\S*) (?<clock>\{.*\})\n(?<event>.*)"));
    assert_eq!(lines.next(), Some(""));
    let mut clocks: HashMap<String, HashMap<String, u64>> = HashMap::new();
    let mut crossing = 0;
    while let Some(line) = lines.next() {
        let (host, clock) = line.split_once(' ').expect("a process and its clock");
        assert!(lines.next().is_some_and(|event| event.starts_with('#')), "{line}");
        let clock: HashMap<String, u64> = serde_json::from_str(clock).expect("a clock");
        let before = clocks.get(host).cloned().unwrap_or_default();
        assert_eq!(clock[host], before.get(host).unwrap_or(&0) + 1, "{line}");
        for (other, time) in clock.iter().filter(|(other, _)| *other != host) {
            let known = clocks.get(other).and_then(|clock| clock.get(other)).copied().unwrap_or(0);
            assert!(*time <= known, "knows of what comes later: {line}");
            assert!(before.get(other).is_none_or(|before| before <= time), "forgets: {line}");
            crossing += usize::from(before.get(other) != Some(time));
        }
        clocks.insert(host.to_owned(), clock);
    }
    crossing
}

#[test]
fn shiviz_gets_clocks_that_agree() {
    let text = written(EVERYTHING, "shiviz");
    assert!(is_shiviz(&text) > 10, "{text}");
    is_shiviz(&written(DEADLOCK, "log"));
}

/// Holds a diagram to Mermaid's grammar, in the part of it that is used.
fn is_mermaid(text: &str) {
    assert!(text.encode_utf16().count() <= 50_000);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("sequenceDiagram"));
    let mut names = HashSet::new();
    for line in lines {
        let line = line.strip_prefix("    ").expect("indented");
        let entities = line.split('#').skip(1).all(|rest| {
            let digits = rest.split(';').next().unwrap_or("");
            rest.contains(';') && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
        });
        assert!(entities, "{line}");
        let entity_ends = line.matches('#').count();
        assert_eq!(line.matches(';').count(), entity_ends, "{line}");
        assert!(!line.contains(['%', '{', '}', '$']) && !line.replace("<br/>", "").contains('<'), "{line}");
        if let Some(rest) = line.strip_prefix("participant ") {
            assert!(names.insert(rest.split(' ').next().expect("a name").to_owned()), "{line}");
        } else if let Some(rest) = line.strip_prefix("Note over ") {
            let over = rest.split(':').next().expect("whom");
            assert!(over.split(',').all(|name| names.contains(name)), "{line}");
        } else if !line.starts_with("title ") {
            let (ends, _) = line.split_once(": ").expect("an arrow with its text");
            let arrow = ["-->>", "->>", "-x"].into_iter().find(|arrow| ends.contains(arrow)).expect("an arrow");
            let (from, to) = ends.split_once(arrow).expect("an arrow");
            assert!(names.contains(from) && names.contains(to), "{line}");
        }
    }
}

#[test]
fn mermaid_gets_a_diagram_whatever_the_text_is() {
    let text = written(EVERYTHING, "mmd");
    is_mermaid(&text);
    assert_eq!(text.matches("->>p3: q: \"w[").count(), 3, "{text}");
    assert!(text.contains("p3-xp4: kill"), "{text}");
    is_mermaid(&written(DEADLOCK, "mmd"));
}

#[test]
fn a_diagram_that_mermaid_would_refuse_is_cut() {
    let scenario = "[objects]\nq = { kind = \"queue\" }\n[processes.a]\nsteps = [{ repeat = 3000, do = [{ put = \"q\", \
                    value = \"message\" }] }]\n[processes.b]\nsteps = [{ repeat = 3000, do = [{ get = \"q\" }] }]\n";
    let text = written(scenario, "mmd");
    is_mermaid(&text);
    assert!(text.contains(" more events: a diagram holds no more"), "{}", &text[text.len() - 500..]);
    assert!(text.len() > 40_000);
    let crowd = "[processes.a]\ncount = 1500\nsteps = [{ print = \"x\" }]\n";
    is_mermaid(&written(crowd, "mmd"));
}

#[test]
fn the_shipped_scenarios_and_the_deadlocks_can_be_written_in_every_form() {
    for folder in ["scenarios", "tests/deadlocks"] {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut files: Vec<_> =
            std::fs::read_dir(root).expect("a folder").flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
        files.sort();
        for path in files {
            let text = std::fs::read_to_string(&path).expect("a scenario");
            let done = Test::scenario(&text)
                .args(["--trace", "x.json", "--trace", "x.mmd", "--trace", "x.log", "--timeout", "3s"])
                .run();
            assert!(done.status <= 1, "{path:?} {} {}", done.out, done.err);
            is_chrome(&done.read("x.json"));
            is_mermaid(&done.read("x.mmd"));
            is_shiviz(&done.read("x.log"));
        }
    }
}

#[test]
fn a_saved_trace_becomes_every_form() {
    let saved = Test::scenario(EVERYTHING).args(["--trace", "x.jsonl", "--trace", "x.json"]).run();
    let (lines, chrome) = (saved.read("x.jsonl"), saved.read("x.json"));
    let to = |form: &str| Test::new().file("x.jsonl", &lines).args(["trace", "x.jsonl", "--to", form]).run();
    to("text").status(0).stdout_contains("acquire s");
    to("jsonl").status(0).stdout(&lines);
    to("chrome").status(0).stdout(&chrome);
    is_mermaid(&to("mermaid").status(0).out);
    is_shiviz(&to("shiviz").status(0).out);
    // These judge again, and end as the run did.
    to("verdict").status(1).stdout_contains("1 failed");
    to("json").status(1).stdout_contains("\"status\":\"failed\"");
    to("junit").status(1).stdout_contains("<testsuites name=\"ipcrun\" tests=\"3\" failures=\"1\"");
    to("tap").status(1).stdout_contains("\n1..3\n");
    to("svg").status(2).stderr_contains(
        "[possible values: text, jsonl, chrome, mermaid, shiviz, html, verdict, json, junit, tap, ctrf, sarif]",
    );
}

#[test]
fn an_ending_that_says_no_form_is_refused_before_anything_runs() {
    for file in ["x.trace", "x", "json", ".json", "x.svg"] {
        let done = Test::scenario("[processes.p]\nsteps = [{ print = \"ran\" }]\n").args(["--trace", file]).run();
        let done = done.status(2).stdout("").stderr_contains("is not a trace format");
        done.stderr_contains(".jsonl (the trace file, for `ipcrun trace`), .json (for ui.perfetto.dev), .mmd");
    }
}
