//! The limits of `ipcrun explore` hold whatever it does, and it does with the threads that the host gives.

use std::process::{Command, Output};

use crate::support::Test;

/// Runs `ipcrun explore` with so many KiB of addresses; whoever takes a minute has no limit that holds.
fn explore(kib: u64, text: &str, arguments: &[&str]) -> Output {
    let test = Test::new().file("a.toml", text);
    let limited = format!("ulimit -v {kib}; exec timeout -s KILL 60 \"$0\" explore a.toml \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &limited, env!("CARGO_BIN_EXE_ipcrun")]).args(arguments).current_dir(test.directory());
    command.output().expect("a shell")
}

/// That one second and 256 MiB are enough for it to say that it is not done.
fn is_cut(kib: u64, text: &str, arguments: &[&str]) -> String {
    let limits = ["-j", "1", "--max-time", "1s", "--max-memory", "256MiB"];
    let done = explore(kib, text, &[&limits, arguments].concat());
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(5), "{text}\n{out}\n{err}");
    assert!(out.contains("incomplete: "), "{out}");
    out.into_owned()
}

/// Programs with far more states than can be looked at in a second.
const QUEUE: &str = r#"
[objects]
q = { kind = "queue", capacity = 64 }
v = { kind = "value", value = 0 }
[processes.put]
count = 4
steps = [{ repeat = 5000, do = [{ put = "q", value = 1 }, { store = "v", value = 1 }] }]
[processes.get]
count = 4
steps = [{ repeat = 5000, do = [{ get = "q" }, { load = "v" }] }]
"#;

#[test]
fn time_and_memory_hold_whatever_is_asked() {
    is_cut(700_000, QUEUE, &["--kill", "any"]);
    for expect in [
        "always = \"!blocked('get[0]') || v < 2\"",
        "order = [\"put[0] put q\", \"get[0] get q\"]\nholds = \"sometimes\"",
        "printed = \"x\"\nat_least = 0",
    ] {
        is_cut(700_000, &format!("{QUEUE}[[expect]]\n{expect}\n"), &[]);
    }
    // What can be decided before is decided.
    for expect in ["race_free = \"v\"\nholds = \"sometimes\"", "lost_updates = \"v\"\nat_least = 0"] {
        let done = explore(700_000, &format!("{QUEUE}[[expect]]\n{expect}\n"), &["-j", "1", "--max-time", "1s"]);
        assert!(matches!(done.status.code(), Some(1 | 5)), "{done:?}");
    }
}

#[test]
fn time_holds_where_single_transitions_take_long() {
    let text = "[objects]\nv = { kind = \"value\", value = 0 }\n[processes.p]\ncount = 3\nvars = { n = 0 }\n\
                steps = [{ repeat = 50, do = [{ add = \"v\", value = 1 },\n\
                { repeat = 100000, do = [{ let = { n = \"{n + 1}\" } }] }] }]\n";
    is_cut(700_000, text, &[]);
    is_cut(700_000, "[processes.p]\nsteps = [{ repeat = 1000000, do = [\"yield\"] }]\n", &[]);
}

/// What is done before the first state is there, or behind a single state, takes long where there are many processes.
#[test]
fn limits_hold_with_very_many_processes() {
    let process =
        |declared: &str| format!("[objects]\nv = {{ kind = \"value\", count = 20000 }}\n[processes.p]\n{declared}\n");
    let tables: String = (0..20_000).map(|number| format!("[processes.p{number}]\nsteps = []\n")).collect();
    for text in [
        process("count = 100000\nsteps = []"),
        tables,
        process("count = 20000\nsteps = [{ add = \"v[index]\", value = 1 }]"),
        process(
            "count = 30000\nstart = \"manual\"\nsteps = []\n[processes.q]\nsteps = [{ start = \"p\" }, { join = \"p\" }]",
        ),
        format!(
            "{}[[expect]]\nalways = \"!blocked('p[0]')\"\n",
            process("count = 5000\nsteps = [{ join = \"q\" }]\n[processes.q]\nsteps = []")
        ),
    ] {
        let limits = ["-j", "1", "--max-time", "1s", "--max-memory", "512MiB"];
        let done = explore(3_000_000, &text, &limits);
        let err = String::from_utf8_lossy(&done.stderr);
        assert!(matches!(done.status.code(), Some(0 | 5)), "{:?} {err}\n{}", done.status, &text[..200]);
    }
}

/// That SIGTERM ends it which comes after that many seconds.
fn is_interrupted(text: &str, seconds: u32, arguments: &str) {
    let test = Test::new().file("a.toml", text);
    let asked =
        format!("timeout -s TERM -k 20 {seconds} \"$0\" explore a.toml -j 1 --max-memory 4GiB {arguments}; echo $?");
    let mut command = Command::new("sh");
    command.args(["-c", &asked, env!("CARGO_BIN_EXE_ipcrun")]).current_dir(test.directory());
    let done = command.output().expect("a shell");
    let out = String::from_utf8_lossy(&done.stdout);
    // As `timeout` says that it had to end it, and not that it had to kill it.
    assert_eq!(out.lines().last(), Some("124"), "{out}\n{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn a_signal_ends_it_before_the_first_state_is_there() {
    let text = "[objects]\nq = { kind = \"queue\" }\n[processes.p]\ncount = 100000\nsteps = [{ put = \"q\", value = 1 }, { get = \"q\" }]\n";
    is_interrupted(text, 2, "");
}

/// A state of thousands of processes and objects has thousands of transitions, each of which any other could hinder.
#[test]
fn limits_hold_within_a_single_state() {
    let crowd = |count: u32| {
        format!(
            "[objects]\nm = {{ kind = \"mutex\", count = {count} }}\n[processes.p]\ncount = {count}\n\
             steps = [{{ lock = \"m[index]\" }}, {{ unlock = \"m[index]\" }}]\n"
        )
    };
    for arguments in ["", "--preemptions 2", "--play p.html"] {
        is_interrupted(&crowd(2000), 5, arguments);
    }
    // The executions that lead to what was found are bounded too.
    let done = explore(3_000_000, &crowd(300), &["-j", "1", "--max-time", "8s"]);
    assert!(matches!(done.status.code(), Some(0 | 5)), "{done:?}");
}

#[test]
fn memory_holds_where_much_is_kept_of_the_past() {
    let text = "[objects]\nv = { kind = \"value\", value = 0 }\n[processes.A]\n\
                steps = [{ store = \"v\", value = 1 }, { join = \"C\" }]\n[processes.B]\nsteps = [{ forever = [\n\
                { kill = \"C\", signal = 0, outcome = \"r\" }, { if = \"r == 'no_process'\", then = [\"break\"] }\n\
                ] }, { load = \"v\" }]\n[processes.C]\nsteps = []\n[[expect]]\nall_before = [\"A store v\", \"B load v\"]\n";
    let done = explore(700_000, text, &["-j", "1", "--max-time", "1s", "--max-memory", "64MiB"]);
    assert!(matches!(done.status.code(), Some(1 | 5)), "{done:?}");
    let lost = include_str!("../scenarios/value-lost-update.toml");
    let limits = ["-j", "1", "--max-memory", "64MiB", "--max-time", "20s", "--set", "rounds=30"];
    let done = explore(500_000, lost, &limits);
    assert_eq!(done.status.code(), Some(5), "{done:?}");
}

#[test]
fn more_processes_than_there_is_memory_for_are_not_explored() {
    let done = explore(2_000_000, "[processes.p]\ncount = 100000\nsteps = []\n", &["-j", "1", "--max-memory", "32MiB"]);
    assert_eq!(done.status.code(), Some(5), "{done:?}");
    let out = String::from_utf8_lossy(&done.stdout);
    assert!(out.contains("incomplete: the memory limit was reached"), "{out}");
}

#[test]
fn threads_that_cannot_be_started_are_missed_by_nobody() {
    // No host has so much room for a stack.
    const NO_ROOM: &str = "1125899906842624";
    let text = "[objects]\nv = { kind = \"value\", value = 0 }\n[processes.p]\ncount = 3\n\
                steps = [{ repeat = 4, do = [{ load = \"v\", into = \"x\" }, { store = \"v\", value = \"{x + 1}\" }] }]\n\
                [[expect]]\nfinal = \"v >= 2\"\n";
    let run = |strategy: &str, stack: &str| {
        let test = Test::new().file("a.toml", text).file("b.toml", text).env("RUST_MIN_STACK", stack);
        let options = ["explore", "-j", "4", "--reduce", "none", "--strategy", strategy, "--json"];
        let done = test.args(options).args(["a.toml", "b.toml"]).run();
        let values = done.out.lines().map(|line| {
            let mut value: serde_json::Value = serde_json::from_str(line).expect("a line for each scenario");
            value["explored"] = serde_json::Value::Null;
            value
        });
        (done.status, values.collect::<Vec<_>>())
    };
    for strategy in ["full", "random"] {
        let (status, said) = run(strategy, NO_ROOM);
        assert_eq!((status, &said), (run(strategy, "2097152").0, &run(strategy, "2097152").1));
        assert_eq!(said.len(), 2);
    }
}

#[test]
fn a_damaged_part_is_named() {
    let text = "[objects]\nv = { kind = \"value\", value = 0 }\n[processes.p]\ncount = 2\n\
                steps = [{ load = \"v\", into = \"x\" }, { store = \"v\", value = \"{x + 1}\" }]\n";
    let part = ["explore", "a.toml", "--strategy", "random", "--runs", "50", "--shard", "1/1", "--part", "p.json"];
    let whole = Test::new().file("a.toml", text).args(part).run().read("p.json");
    let merge = |part: &str| {
        let test = Test::new().file("a.toml", text).file("damaged.json", part);
        test.args(["explore", "--merge", "damaged.json"]).run()
    };
    merge(&whole).status(5).stdout_contains("50 random executions");
    let mut document: serde_json::Value = serde_json::from_str(&whole).expect("a part");
    let path = document["scenarios"][0]["found"][0]["path"].as_str().expect("a path").to_owned();
    let words: Vec<&str> = path.split(' ').collect();
    let mut damaged = vec![format!("{path} 0"), format!("1addt {path}"), "t ".repeat(5) + &path, String::new()];
    damaged.extend((0..words.len()).map(|at| [&words[..at], &words[at + 1..]].concat().join(" ")));
    for path in damaged {
        document["scenarios"][0]["found"][0]["path"] = path.clone().into();
        let done = merge(&document.to_string()).status(2);
        assert!(done.err.contains("damaged.json") && !done.err.contains("fault of ipcrun"), "{path}: {}", done.err);
    }
}
