//! A trace has a limit, and a run that reaches it says so.

use crate::support::Test;

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
