//! Runs drawn in text, as a terminal shows them.

use crate::support::Test;

const POOL: &str = r#"
name = "pool"
[objects]
permits = { kind = "semaphore", value = 1 }
[processes.worker]
count = 2
steps = [ { acquire = "permits" }, { sleep = "20ms" }, { release = "permits" } ]
[[expect]]
holding = "permits"
at_most = 1
"#;

const DIALOGUE: &str = r#"
[objects]
link = { kind = "pipe", duplex = true }
[processes.client]
steps = [ { send = "link.a", value = "你好" }, { recv = "link.a", into = "x" } ]
[processes.server]
steps = [ { recv = "link.b", into = "x" }, { send = "link.b", value = "{x}!" } ]
"#;

#[test]
fn a_run_is_drawn_after_its_summary() {
    let done = Test::scenario(POOL).args(["--timeline"]).run().status(0);
    let picture = done.out.split_once("\n\n").expect("an empty line before the picture").1;
    assert!(picture.starts_with(" pool  ") && picture.contains("█ holding"), "{picture}");
    assert!(picture.contains(" worker[1] │") && picture.contains("│ 1→0→1\n"), "{picture}");
    assert!(!picture.contains('\u{1b}'), "{picture}");
}

#[test]
fn a_dialogue_is_drawn_as_one() {
    let done = Test::scenario(DIALOGUE).args(["--timeline"]).run().status(0);
    let done = done.stdout_contains("├─ send link \"你好\" ─").stdout_contains("◀─");
    done.stdout_contains("send link \"你好!\" ─┤");
    let done = Test::scenario(DIALOGUE).args(["--timeline=gantt"]).run().status(0);
    done.stdout_contains(" client │").stdout_contains("│ 0→");
}

#[test]
fn a_saved_trace_is_drawn_in_every_view() {
    let saved = Test::scenario(POOL).args(["--trace", "x.jsonl"]).run().status(0);
    let lines = saved.read("x.jsonl");
    let show = |arguments: &[&str]| {
        Test::new().file("x.jsonl", &lines).args(["trace", "x.jsonl"]).args(arguments.to_vec()).run().status(0).out
    };
    let auto = show(&[]);
    assert!(auto.contains(" worker[0] │"), "{auto}");
    assert_eq!(show(&["--view", "gantt"]), auto);
    assert!(show(&["--view", "sequence"]).contains("├─ acquire permits"));
    assert_eq!(show(&["--view", "log"]), show(&["--to", "text"]));
    assert!(show(&["--axis", "step"]).contains(" worker[0] │"));
    let narrow = Test::new().file("x.jsonl", &lines).args(["trace", "x.jsonl", "--ascii"]).env("COLUMNS", "60").run();
    assert!(narrow.out.is_ascii() && narrow.out.lines().all(|line| line.len() <= 60), "{}", narrow.out);
    let plain = Test::new().file("x.jsonl", &lines).args(["trace", "x.jsonl"]).env("LC_ALL", "C").run();
    assert!(plain.out.is_ascii(), "{}", plain.out);
}

#[test]
fn without_unicode_a_summary_is_ascii_too() {
    let text = POOL.replace("{ sleep", "{ print = \"here\" }, { sleep").replace("at_most = 1", "at_most = 0");
    for (name, value) in [("LC_ALL", "C"), ("COLUMNS", "60")] {
        let done = Test::scenario(&text).args(["--ascii"]).env(name, value).run().status(1);
        assert!(done.out.is_ascii(), "{}", done.out);
        done.stdout_contains("x pool: 1 failed").stdout_contains("worker[0] | here");
    }
}

#[test]
fn no_line_is_longer_than_the_terminal_is_wide() {
    let ring = include_str!("deadlocks/philosophers.toml");
    let long = "[[expect]]\nlabel = \"a label of so many words that it takes more than a line of any narrow terminal, and then some\"\n\
                never = \"philosopher lock *\"\n";
    for arguments in [&["--timeline=log"][..], &["--repeat", "2"], &[]] {
        let done = Test::scenario(&format!("{ring}\n{long}"));
        let done = done.args(arguments.iter().copied()).env("COLUMNS", "60").run().status(1);
        // The command that repeats the run is there to be copied.
        for line in done.out.lines().filter(|line| !line.contains("again:")) {
            assert!(line.chars().count() <= 60, "{line}\n{}", done.out);
        }
    }
}

#[test]
fn a_failure_is_shown_on_the_lanes_of_those_who_decide_it() {
    // Long enough that both are at it on any machine.
    let text = POOL.replace("value = 1", "value = 2").replace("20ms", "400ms");
    let done = Test::scenario(&text).run().status(1);
    let done = done.stdout_contains("    worker[0] │").stdout_contains("◆");
    // Where the whole run is drawn, it is pointed at there.
    assert_eq!(done.out.matches(" worker[1] │").count(), 1, "{}", done.out);
    let done = Test::scenario(&text).args(["--timeline"]).run().status(1);
    assert_eq!(done.out.matches(" worker[1] │").count(), 1, "{}", done.out);
}

#[test]
fn events_are_logged_where_they_are_asked_for() {
    let done = Test::scenario(POOL).env("IPCRUN_LOG", "ipcrun::event=trace").run().status(0);
    let lines: Vec<&str> = done.err.lines().filter(|line| line.contains("verb=\"acquire\"")).collect();
    assert_eq!(lines.len(), 2, "{}", done.err);
    assert!(lines[0].contains("process=\"worker[") && lines[0].contains("step=\"a.toml:7\""), "{}", done.err);
    let quiet = Test::scenario(POOL).args(["-vv"]).run().status(0);
    assert!(!quiet.err.contains("ipcrun::event"), "{}", quiet.err);
}
