//! A trace has a limit, and a run that reaches it says so.

use crate::support::{Done, Test};

const DENSE: &str = "[processes.p]\nsteps = [{ forever = [{ store = \"v\", value = 1 }] }]\n\
                     [objects]\nv = { kind = \"value\", value = 0 }\n";

#[test]
fn a_run_that_records_too_much_is_cut_off_and_unknown() {
    let done =
        Test::scenario(DENSE).args(["--max-events", "1000", "--trace", "t.jsonl"]).run().status(5).nothing_left();
    done.stdout_contains("trace limit reached after ").stdout_contains("1000 events").stdout_contains("--max-events");
    let json = Test::scenario(DENSE).args(["--max-events", "1000", "--json"]).run().status(5);
    json.stdout_contains("\"end\":\"limit\"").stdout_contains("\"exit\":5").stdout_contains("trace limit reached");
    let junit = Test::scenario(DENSE).args(["--max-events", "1000", "--junit", "-"]).run().status(5);
    junit.stdout_contains("the trace was full");
    let done = Test::scenario(DENSE).args(["--max-trace", "1MiB"]).run().status(5).nothing_left();
    done.stdout_contains("1 MiB of memory").stdout_contains("--max-trace");
}

#[test]
fn a_trace_that_was_cut_off_says_so_when_it_is_read_again() {
    let test = Test::scenario(DENSE).args(["--max-events", "500", "--trace", "t.jsonl"]).run().status(5);
    let text = test.read("t.jsonl");
    let last = text.lines().last().expect("a last line");
    assert!(last.contains("\"end\":\"limit\",\"max_events\":500,"), "{last}");
    let again = Test::new().file("t.jsonl", &text).args(["trace", "t.jsonl", "--to", "verdict"]).run().status(5);
    again.stdout_contains("trace limit reached after ");
}

#[test]
fn a_run_of_a_schedule_ends_at_the_limit_between_two_turns() {
    let text = "[objects]\nv = { kind = \"value\", value = 0 }\n[processes.p]\ncount = 2\n\
                steps = [{ repeat = 500, do = [{ store = \"v\", value = 1 }] }]\n";
    let done = Test::scenario(text).args(["--schedule", "seed:1", "--max-events", "100"]).run().status(5);
    done.stdout_contains("trace limit reached after ");
}

#[test]
fn what_cannot_change_is_decided_all_the_same() {
    let text = format!("{DENSE}[[expect]]\nnever = \"p store v\"\n");
    Test::scenario(&text).args(["--max-events", "1000"]).run().status(1);
    let text = format!("{DENSE}[[expect]]\nalways = \"v <= 1\"\n");
    Test::scenario(&text).args(["--max-events", "1000"]).run().status(5);
}

/// A run of `stores` stores, with expectations that can and that cannot be judged without its events.
fn long(stores: u32) -> String {
    format!(
        "[objects]\nv = {{ kind = \"value\", value = 0 }}\n[processes.p]\n\
         steps = [{{ repeat = {stores}, do = [{{ add = \"v\", value = 1 }}] }}]\n\
         [[expect]]\ncount = \"p add v\"\nequals = {stores}\n\
         [[expect]]\nnever = {{ process = \"p\", verb = \"add\", outcome = \"failed\" }}\n\
         [[expect]]\nfinal = \"v == {stores}\"\n\
         [[expect]]\nalways = \"v <= {stores}\"\n"
    )
}

#[test]
fn a_run_whose_events_a_file_takes_needs_no_memory_for_them() {
    let test = Test::scenario(&long(200_000)).args(["--max-trace", "256KiB", "--trace", "t.jsonl"]).run().status(5);
    let test = test.stdout_contains("do not fit in 256 KiB of memory").stdout_contains("1 unknown").nothing_left();
    assert_eq!(names(&test), ["a.toml", "t.jsonl"]);
    let text = test.read("t.jsonl");
    assert!(text.starts_with("{\"type\":\"trace\"") && text.contains("\"order\":\"recorded\""));
    let read = |arguments: &[&str]| {
        Test::new().file("t.jsonl", &text).args(["trace", "t.jsonl"]).args(arguments.iter().copied()).run()
    };
    let again = read(&["--to", "verdict", "--max-trace", "256KiB"]).status(5);
    again.stdout_contains("do not fit in 256 KiB of memory").stdout_contains("1 unknown");
    read(&["--to", "verdict"]).status(0);
    read(&["--to", "text", "--max-trace", "256KiB"]).status(3).stderr_contains("--max-trace");
    // With its events in memory the trace is put in order.
    assert!(!read(&["--to", "jsonl"]).status(0).out.contains("recorded"));

    // What matches and must not is known as well.
    let wrong = long(200_000).replace("outcome = \"failed\" }", "object = \"v\" }");
    let done = Test::scenario(&wrong).args(["--max-trace", "256KiB", "--trace", "t.jsonl"]).run().status(1);
    done.stdout_contains("200000 events");
    // Where something else wants the events, the limit ends the run.
    let done = Test::scenario(&long(2_000_000)).args(["--max-trace", "256KiB", "--trace", "t.jsonl", "--json"]).run();
    done.status(5).stdout_contains("trace limit reached");
}

#[test]
fn what_a_killed_ipcrun_leaves_is_read_up_to_there() {
    let forever = "[objects]\nv = { kind = \"value\", value = 0 }\n[processes.p]\ncount = 2\n\
                   steps = [{ forever = [{ add = \"v\", value = 1 }] }]\n[processes.q]\nsteps = []\n\
                   [[expect]]\nfinal = \"v == 7\"\n[[expect]]\nexits = \"q\"\ncode = 0\n";
    let kill = "echo before > t.jsonl; ipcrun -q a.toml --trace t.jsonl & p=$!; \
                until [ $(cat t.jsonl.*.partial 2>/dev/null | wc -l) -gt 5000 ]; do sleep 0.01; done; \
                kill -9 $p; wait $p; mv t.jsonl.$p.partial left.jsonl";
    let killed = Test::new().file("a.toml", forever).shell(kill).run().nothing_left();
    assert_eq!(killed.read("t.jsonl"), "before\n");
    let text = killed.read("left.jsonl");
    for cut in [text.len(), text.len() - 1, text.len() - 20, text.len() / 2] {
        let left = Test::new().file("left.jsonl", &text[..cut]);
        let done = left.args(["trace", "left.jsonl", "--to", "verdict"]).run().status(5);
        done.stdout_contains("interrupted")
            .stdout_contains("ipcrun was killed")
            .stdout_contains("may have been within a");
    }
    let done = Test::new().file("left.jsonl", &text).args(["trace", "left.jsonl", "--to", "text"]).run().status(0);
    done.stdout_contains("add v");
}

#[test]
fn a_trace_file_that_cannot_grow_ends_the_run() {
    let done = Test::scenario(DENSE).behind("ulimit -f 64").args(["--trace", "t.jsonl"]).run().status(3);
    let done = done.stderr_contains("the trace cannot be written to `t.jsonl`").nothing_left();
    assert_eq!(names(&done), ["a.toml"]);
}

/// What is in the directory of a test.
fn names(done: &Done) -> Vec<String> {
    let entries = std::fs::read_dir(done.directory()).expect("a directory");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
