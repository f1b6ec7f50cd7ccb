use std::collections::BTreeMap;
use std::time::SystemTime;

use super::*;
use crate::diagnostic::Diagnostic;
use crate::event::{EventId, Target};
use crate::outcome::Outcome;
use crate::scenario::plan::Plan;
use crate::trace::{ProcessEnd, RunEnd, Trace, Waiting};
use crate::value::Value;

fn text(plan: &Plan, trace: &Trace) -> String {
    let mut out = Vec::new();
    let set = vec![("workers".to_owned(), "3".to_owned())];
    write(&mut out, plan, trace, &Meta::gather(set, SystemTime::UNIX_EPOCH)).expect("a vector takes it all");
    String::from_utf8(out).expect("JSON is UTF-8")
}

fn load(text: &[u8]) -> Result<Saved, Vec<Diagnostic>> {
    open("run.jsonl", text, &fixture::known)?.read(None, &mut |_| {})
}

fn message(text: &str) -> String {
    let diagnostic = load(text.as_bytes()).expect_err("it is refused").remove(0);
    let place = match (&diagnostic.source, &diagnostic.primary) {
        (Some(source), Some(label)) => source.line_of(label.span.start),
        _ => String::new(),
    };
    format!("{place} {}", diagnostic.message)
}

/// A trace with something in every field.
fn full(plan: &Plan) -> Trace {
    let mut trace = fixture::work(plan);
    let at = trace.events.len() - 1;
    let map = BTreeMap::from([("$k".to_owned(), Value::Float(0.1)), ("名".to_owned(), Value::from(vec![0u8, 255]))]);
    trace.events[at].value = Value::from(vec![Value::Null, Value::Map(map.into()), Value::Int(i64::MIN)]);
    trace.events[at].second = Value::Float(f64::NAN);
    trace.events[at].outcome = Outcome::from_code(64 + 41);
    trace.events[at].element = Some(3).into();
    trace.events[0].target = Target::Process(1);
    trace.events[0].step = None;
    trace.events[0].implicit = true;
    trace.events[1].outcome = Outcome::TIMEOUT;
    trace.events[2].outcome = Outcome::from_errno(libc::ENOSPC);
    trace.ends = vec![ProcessEnd::Exited(3), ProcessEnd::Killed(9), ProcessEnd::Crashed(11)];
    let waiting = Waiting {
        process: 2,
        step: Some(0),
        verb: "acquire".to_owned(),
        target: Target::Object(0),
        since: 2_000,
        on: vec![0, 1],
        holder: Some(1),
    };
    let other = Waiting { step: None, target: Target::Process(0), holder: None, on: Vec::new(), ..waiting.clone() };
    trace.stuck = vec![waiting.clone(), other.clone()];
    trace.daemons = vec![waiting.clone()];
    trace.end = RunEnd::Timeout(vec![other, waiting]);
    trace.finals = vec![Some(Value::Null)];
    trace.counted = vec![(1, 1_000_000)];
    trace.whole = false;
    trace.lost = vec!["two events of worker[0]".to_owned()];
    trace.stalled = 17;
    trace
}

#[test]
fn the_hash_is_fnv_1a() {
    assert_eq!(hash(""), "fnv1a64:cbf29ce484222325");
    assert_eq!(hash("foobar"), "fnv1a64:85944171f73967e8");
}

#[test]
fn a_trace_comes_back_as_it_went() {
    let plan = fixture::workers();
    for trace in [fixture::work(&plan), full(&plan)] {
        let written = text(&plan, &trace);
        let saved = load(written.as_bytes()).expect("it is read");
        assert_eq!((saved.text.as_str(), saved.path.as_str()), (plan.source.text.as_str(), "scenarios/test.toml"));
        assert_eq!((saved.seed, saved.timeout), (7, 60_000_000_000));
        assert_eq!(saved.params, plan.params);
        assert_eq!(saved.meta.set, [("workers".to_owned(), "3".to_owned())]);
        assert_eq!(saved.meta.started, "1970-01-01T00:00:00.000000Z");
        let again = saved.into_trace(&plan).expect("it is the plan's");
        assert_eq!(text(&plan, &again), written);
        assert_eq!(format!("{:?}", again.events), format!("{:?}", trace.events));
        assert_eq!(
            (again.end, again.stuck, again.daemons, again.ends),
            (trace.end, trace.stuck, trace.daemons, trace.ends)
        );
        assert_eq!((again.finals, again.counted, again.whole), (trace.finals, trace.counted, trace.whole));
        assert_eq!((again.lost, again.stalled, again.duration), (trace.lost, trace.stalled, trace.duration));
    }
}

#[test]
fn an_event_is_a_line() {
    let plan = fixture::workers();
    let mut trace = fixture::work(&plan);
    let at = trace.events.iter().position(|event| event.blocked).expect("one waits");
    trace.events[at].value = Value::Int(5);
    let written = text(&plan, &trace);
    assert_eq!(
        written.lines().nth(at + 1),
        Some(
            format!(
                r#"{{"type":"event","n":{},"process":"worker[2]","seq":0,"begin":2000,"end":502000,"step":0,"line":7,"verb":"acquire","object":"permits","outcome":"ok","value":5,"cause":{{"process":"worker[0]","seq":2}},"blocked":true}}"#,
                at + 1
            )
            .as_str()
        )
    );
}

#[test]
fn unknown_fields_are_skipped() {
    let plan = fixture::workers();
    let written = text(&plan, &fixture::work(&plan)).replace("{\"type\"", "{\"later\":[1,{}],\"type\"");
    assert!(load(written.as_bytes()).is_ok());
}

#[test]
fn a_file_without_its_last_line_is_read_as_incomplete() {
    let plan = fixture::workers();
    let written = text(&plan, &fixture::work(&plan));
    let end = written.trim_end().rfind('\n').expect("several lines") + 1;
    for cut in [end, end + 1, end + 20, written.len() - 2] {
        let saved = load(&written.as_bytes()[..cut]).expect("it is read");
        assert_eq!((saved.end, saved.lost.len(), saved.duration), (RunEnd::Interrupted, 1, 952_090));
    }
    // Only the line's end is missing: all that it says is there.
    assert!(load(written.trim_end().as_bytes()).is_ok_and(|saved| saved.lost.is_empty()));
    assert!(
        message(written[..end - 1].rsplit_once('\n').expect("several lines").0)
            .contains("cut off here: how `worker[2]` ended is missing")
    );
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let plan = fixture::workers();
    let written = text(&plan, &fixture::work(&plan));
    let lines: Vec<&str> = written.lines().collect();
    let with = |at: usize, from: &str, to: &str| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        assert!(lines[at].contains(from), "{} in {}", from, lines[at]);
        lines[at] = lines[at].replacen(from, to, 1);
        message(&(lines.join("\n") + "\n"))
    };
    assert_eq!(message(""), " the file is empty: a trace has at least its first line");
    assert_eq!(
        message("a = 1\n"),
        "run.jsonl:1 the file is not a trace: the first line is not the first line of a trace"
    );
    assert_eq!(
        with(0, "\"version\":1", "\"version\":2"),
        "run.jsonl:1 the trace has version 2; this ipcrun reads version 1"
    );
    assert_eq!(with(0, "at work", "at play"), "run.jsonl:1 the scenario's text does not match its hash");
    assert_eq!(with(0, "\"kernel\"", "\"dream\""), "run.jsonl:1 there is no engine `dream`");
    assert_eq!(with(2, "\"n\":2", "\"n\":3"), "run.jsonl:3 expected event 2, found event 3");
    assert_eq!(with(2, "\"seq\":", "\"sec\":"), "run.jsonl:3 missing field `seq`");
    let large = with(2, "\"seq\":", "\"seq\":92233720368547758");
    assert!(large.starts_with("run.jsonl:3 no process has an event 92233720368547758"), "{large}");
    assert_eq!(with(1, "acquire", "aquire"), "run.jsonl:2 there is no verb `aquire`");
    assert_eq!(with(1, "permits", "permit"), "run.jsonl:2 the trace has no object `permit`");
    assert_eq!(with(1, "\"step\":0", "\"step\":9"), "run.jsonl:2 the trace has no step 9");
    assert_eq!(with(1, "\"ok\"", "\"failed\""), "run.jsonl:2 there is no outcome `failed`");
    assert_eq!(with(1, "\"begin\":1", "\"begin\":9999999"), "run.jsonl:2 the event ends before it begins");
    assert_eq!(with(13, "\"events\":9", "\"events\":8"), "run.jsonl:14 the trace had 8 events, 9 are here");
    assert_eq!(with(10, "exited", "left"), "run.jsonl:11 no process ends `left` with this code and signal");
    assert_eq!(
        message(&format!("{written}{}\n", lines[1])),
        "run.jsonl:15 the trace has ended; no line may follow its last line"
    );
}

#[test]
fn a_trace_of_another_scenario_is_refused() {
    let plan = fixture::workers();
    let written = text(&plan, &fixture::work(&plan));
    let other = fixture::plan(&plan.source.text, &[("permits", &fixture::MUTEX)], &[("worker", Some(3), 3)]);
    let saved = load(written.as_bytes()).expect("it is read");
    let diagnostics = saved.into_trace(&other).expect_err("a mutex is no semaphore");
    assert_eq!(diagnostics[0].message, "the trace and its scenario have different objects");
}

/// A small generator of numbers, so that the mutations are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

#[test]
fn no_input_makes_it_panic() {
    let plan = fixture::workers();
    let written = text(&plan, &full(&plan)).into_bytes();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let pieces: [&[u8]; 8] =
        [b"\"", b"{", b"]", b"99999999999999999999", b"-1", b"null", b"\n", b"\"$nested\":\"[[[[\""];
    for _ in 0..2_000 {
        let mut bytes = written.clone();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(bytes.len());
            match numbers.below(4) {
                0 => bytes.truncate(at),
                1 => bytes[at] = numbers.below(256) as u8,
                2 => {
                    let end = (at + numbers.below(40)).min(bytes.len());
                    bytes.drain(at..end);
                }
                _ => {
                    let piece = pieces[numbers.below(pieces.len())];
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
            if bytes.is_empty() {
                bytes.push(b'{');
            }
        }
        match load(&bytes) {
            Ok(saved) => drop(saved.into_trace(&plan)),
            Err(diagnostics) => assert_eq!(diagnostics.len(), 1),
        }
    }
    let deep = format!("{}\n{}\n", String::from_utf8_lossy(&written).lines().next().unwrap_or(""), "[".repeat(200_000));
    assert!(load(deep.as_bytes()).is_err());
}

#[test]
fn an_event_can_name_a_cause_that_was_never_recorded() {
    let plan = fixture::workers();
    let mut trace = fixture::work(&plan);
    trace.events[3].cause = Some(EventId::new(1, 77));
    let written = text(&plan, &trace);
    assert!(load(written.as_bytes()).is_ok_and(|saved| saved.into_trace(&plan).is_ok()));
}
