//! Schedules: saved, read, typed, random, followed on the kernel, and traces that are kept.

use crate::support::Test;

const ABBA: &str = "\
[objects]
left = { kind = \"mutex\" }
right = { kind = \"mutex\" }
[processes.A]
steps = [{ lock = \"left\" }, { lock = \"right\" }, { unlock = \"right\" }, { unlock = \"left\" }]
[processes.B]
steps = [{ lock = \"right\" }, { lock = \"left\" }, { unlock = \"left\" }, { unlock = \"right\" }]
";
const WORKERS: &str = "\
[params]
rounds = 2
[objects]
permits = { kind = \"semaphore\", value = 1 }
money = { kind = \"value\", value = 0 }
[processes.worker]
count = 3
steps = [{ repeat = \"{rounds}\", do = [
  { acquire = \"permits\" },
  { sleep = \"{random(1, 9)}ms\" },
  { add = \"money\", value = \"{index}\" },
  { release = \"permits\" },
] }]
";

fn abba() -> Test {
    Test::new().file("a.toml", ABBA)
}

#[test]
fn a_schedule_can_be_typed_and_the_kernel_follows_it() {
    let done = abba().args(["replay", "a.toml", "A B"]).run().status(1);
    done.stdout_contains("A waits to lock right")
        .stdout_contains("= the kernel matched the model in 4 events")
        .nothing_left();
    // The rest goes as it likes.
    let done = abba().args(["replay", "a.toml", "A2"]).run().status(0).stderr("");
    done.stdout_contains("= the kernel matched the model in 12 events").nothing_left();
}

#[test]
fn a_saved_schedule_is_readable_and_is_read_again() {
    let saved = abba().args(["explore", "a.toml", "--save", "s.toml"]).run().status(1).read("s.toml");
    let lines: Vec<&str> = saved.lines().collect();
    assert!(lines[0].starts_with("# no unexpected deadlock: blocked for ever: A"), "{saved}");
    assert_eq!(lines[1], "# ipcrun replay a.toml s.toml");
    assert_eq!(lines[2..4], ["version = 1", "scenario = \"a.toml\""]);
    assert!(lines[4].starts_with("hash = \""), "{saved}");
    assert_eq!(
        lines[5..],
        ["time = \"ideal\"", "turns = [", "  \"A\", # lock left (line 5)", "  \"B\", # lock right (line 7)", "]",]
    );
    let replay = |scenario: &str| {
        Test::new().file("a.toml", scenario).file("s.toml", &saved).args(["replay", "a.toml", "s.toml"])
    };
    replay(ABBA).run().status(1).stdout_contains("= the kernel matched the model");
    // Comments, layout and expectations are no part of what a schedule depends on.
    let same = format!("# A comment.\n{}\n[[expect]]\ndeadlock = true\n", ABBA.replace("[{", "[\n  {"));
    replay(&same).run().status(0);
    let changed = ABBA.replace("[objects]", "[objects]\nthird = { kind = \"mutex\" }");
    replay(&changed)
        .run()
        .status(2)
        .stderr_contains("error[E0402]: `a.toml` is not the scenario of this schedule any more")
        .stderr_contains("s.toml:5:8")
        .stderr_contains("ipcrun explore a.toml");
    // Without its hash it is taken as it is.
    let bare: String = saved.lines().filter(|line| !line.starts_with("hash")).map(|line| format!("{line}\n")).collect();
    Test::new().file("a.toml", changed).file("s.toml", bare).args(["replay", "a.toml", "s.toml"]).run().status(1);
}

#[test]
fn what_cannot_be_followed_is_refused_at_its_place() {
    let refused = |schedule: &str, words: &str| {
        abba().args(["replay", "a.toml", schedule]).run().status(2).stdout("").stderr_contains(words);
    };
    refused("A B A", "A cannot continue here: it waits in lock right, held by B");
    refused("A5", "A has ended");
    refused("A dies", "A cannot die here");
    refused("A chooses 1", "A has no such choice here: there is only 0");
    refused("A C", "there is no process `C`");
    refused("A 0", "a process takes 1 to");
    refused("A chooses", "the places of what is chosen are missing");
    let test = Test::new().file("a.toml", WORKERS).args(["replay", "a.toml", "worker2"]).run().status(2);
    test.stderr_contains("there are 3 of them: `worker[0]` to `worker[2]`");
    let test = Test::new().file("a.toml", WORKERS).args(["replay", "a.toml", "workr[1]"]).run().status(2);
    test.stderr_contains("worker[1]");
}

#[test]
fn a_wrong_file_is_told_with_its_places() {
    let read = |text: &str, words: &str| {
        let done = abba().file("s.toml", text).args(["run", "a.toml", "--schedule", "s.toml"]).run().status(2);
        done.stdout("").stderr_contains(words);
    };
    read("version = 2\nturns = []\n", "this version of ipcrun reads schedules of version 1");
    read("turns = []\n", "the schedule has no `version`");
    read("version = 1\n", "the schedule has no `turns`");
    read("version = 1\nturn = []\nturns = []\n", "did you mean `turns`?");
    read("version = 1\nturns = [\"A\", \"D 3\"]\n", "s.toml:2:16");
    read("version = 1\nturns = [3]\n", "a turn is text");
    read("version = 1\ntime = \"real\"\nturns = []\n", "`time` is");
    read("version = \n", "the schedule is not TOML");
    abba().args(["run", "a.toml", "--schedule", "none.toml"]).run().status(2).stderr_contains("no such file");
}

#[test]
fn a_random_schedule_gives_the_same_trace_byte_for_byte() {
    let trace = |seed: &str| {
        let test = Test::new().file("a.toml", WORKERS);
        let done = test.args(["run", "a.toml", "--schedule", seed, "--trace", "t.jsonl"]).run().status(0);
        done.read("t.jsonl")
    };
    let first = trace("seed:1");
    assert_eq!(first, trace("seed:1"));
    assert!((2..9).any(|seed| trace(&format!("seed:{seed}")) != first), "every seed gives the same trace");
    let test = Test::new().file("a.toml", WORKERS).args(["replay", "a.toml", "seed:5"]).run().status(0);
    test.stdout_contains("= the kernel matched the model").nothing_left();
}

#[test]
fn json_says_whether_the_kernel_agrees() {
    let done = abba().args(["replay", "a.toml", "A2", "--json"]).run().status(0);
    let document: serde_json::Value = serde_json::from_str(&done.out).expect("one document");
    assert_eq!((&document["agrees"], &document["schedule"]), (&true.into(), &"A2".into()));
    assert!(document["difference"].is_null());
}

#[test]
fn a_kept_trace_shows_what_has_changed() {
    let run = |test: Test, more: &[&str]| test.args(["run", "a.toml"]).args(more.iter().copied()).run();
    let test = || Test::new().file("a.toml", WORKERS);
    run(test(), &["--golden"]).status(1).stdout_contains("a.golden does not exist; run with `--bless` to create it");
    let kept = run(test(), &["--bless"]).status(0).stdout_contains("= created a.golden").read("a.golden");
    assert!(kept.contains("acquire permits"), "{kept}");
    run(test().file("a.golden", &kept), &["--golden"]).status(0).stdout_contains("= matches a.golden");
    let other = WORKERS.replace("value = 0", "value = 100");
    let done = run(Test::new().file("a.toml", other).file("a.golden", &kept), &["--golden"]).status(1);
    done.stdout_contains("≠ differs from a.golden").stdout_contains("- money = 6").stdout_contains("+ money = 106");
    let done = run(test(), &["--bless", "--golden=kept", "--schedule", "seed:3"]).status(0);
    assert!(done.read("kept/a.golden").contains("under the schedule seed:3"));
}

#[test]
fn a_schedule_is_one_scenarios_and_records_everything() {
    let two = || Test::new().file("a.toml", ABBA).file("b.toml", ABBA).args(["run", "a.toml", "b.toml"]);
    two().args(["--schedule", "A B"]).run().status(2).stderr_contains("a schedule belongs to one scenario");
    two().args(["--schedule", "seed:1", "--record", "blocking"]).run().status(2).stderr_contains("recorded in full");
    abba().args(["run", "a.toml", "--schedule", "seed:x"]).run().status(2).stderr_contains("seed:7");
}
