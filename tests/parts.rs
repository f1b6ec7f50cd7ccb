//! `ipcrun explore` where not every execution is looked at, and in parts: `--strategy`, `--shard`, `--merge`.

use crate::support::Test;

const LOST: &str = r#"
[objects]
money = { kind = "value", value = 0 }
[processes.p]
count = 2
steps = [{ repeat = 3, do = [{ load = "money", into = "m" }, { store = "money", value = "{m + 1}" }] }]
[[expect]]
final = "money <= 6"
"#;

const ABBA: &str = r#"
[objects]
left = { kind = "mutex" }
right = { kind = "mutex" }
[processes.A]
steps = [{ lock = "left" }, { lock = "right" }, { unlock = "right" }, { unlock = "left" }]
[processes.B]
steps = [{ lock = "right" }, { lock = "left" }, { unlock = "left" }, { unlock = "right" }]
"#;

/// A line without what it says of how long it took.
fn untimed(text: &str) -> String {
    let lines = text.lines().map(|line| match (line.contains("explored"), line.rsplit_once(", in ")) {
        (true, Some((before, _))) => before.to_owned(),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn single_executions_prove_nothing_and_say_what_they_guarantee() {
    let run = |strategy: &str, text: &str| {
        Test::new().file("a.toml", text).args(["explore", "a.toml", "--strategy", strategy, "--runs", "2000"]).run()
    };
    run("random", LOST)
        .status(5)
        .stdout_contains("2,000 random executions: 24,000 steps through 195 states")
        .stdout_contains("incomplete: only some executions were requested");
    run("pct", LOST).status(5).stdout_contains("probability that the random priorities missed a bug: at most 1e-");
    run("bounded", LOST).status(5).stdout_contains("explored every execution with at most 2 preemptions");
    run("random", ABBA).status(1).stdout_contains("wait-for cycle");
    run("bounded", ABBA).status(1).stdout_contains("wait-for cycle");
}

#[test]
fn where_a_limit_is_reached_the_ladder_is_gone_down() {
    let test = Test::new().file("a.toml", LOST).args(["explore", "a.toml", "--max-states", "20", "--runs", "100"]);
    test.run()
        .status(5)
        .stdout_contains("incomplete: the state limit was reached")
        .stdout_contains("50 random executions and 50 executions with random priorities");
}

#[test]
fn parts_of_single_executions_say_together_what_one_exploration_says() {
    for text in [LOST, ABBA] {
        let one = ["explore", "a.toml", "--strategy", "pct", "--runs", "400"];
        let whole = Test::new().file("a.toml", text).args(one).run();
        let mut together = Test::new().file("a.toml", text).args(["explore", "--merge"]);
        for part in 1..=4 {
            let done = Test::new().file("a.toml", text).args(one).args(["--shard", &format!("{part}/4")]).run();
            let name = format!("part-{part}-of-4.json");
            together = together.file(&name, done.read(&name)).args([name.as_str()]);
        }
        let merged = together.run();
        assert_eq!(merged.out, whole.out);
        assert_eq!(merged.status, whole.status);
    }
}

#[test]
fn who_can_be_starved_is_said_by_the_parts_too() {
    let round = "[objects]\ns = { kind = \"semaphore\", value = 1 }\n[processes.p]\ncount = 2\ndaemon = true\n\
                 steps = [{ forever = [{ acquire = \"s\" }, { release = \"s\" }] }]\n[processes.main]\nsteps = [\"yield\"]\n";
    let files = || Test::new().file("all/round.toml", round).file("all/abba.toml", ABBA);
    let whole = files().args(["explore", "all"]).run();
    assert!(whole.out.contains("can starve"), "{}", whole.out);
    let mut together = files().args(["explore", "--merge"]);
    for part in ["1/2", "2/2"] {
        let name = format!("{}.json", &part[..1]);
        let done = files().args(["explore", "all", "--shard", part, "--part", &name]).run();
        together = together.file(&name, done.read(&name)).args([name.as_str()]);
    }
    assert_eq!(untimed(&together.run().out), untimed(&whole.out));
}

#[test]
fn scenarios_are_divided_whole() {
    let files = || {
        let mut test = Test::new().file("all/abba.toml", ABBA);
        for rounds in 1..=4 {
            let text = LOST.replace("repeat = 3", &format!("repeat = {rounds}"));
            test = test.file(&format!("all/lost-{rounds}.toml"), text);
        }
        test
    };
    let whole = files().args(["explore", "all"]).run();
    let mut together = files().args(["explore", "--merge"]);
    for part in ["1/2", "2/2"] {
        let name = format!("{}.json", &part[..1]);
        let done = files().args(["explore", "all", "--shard", part, "--part", &name]).run();
        together = together.file(&name, done.read(&name)).args([name.as_str()]);
    }
    let merged = together.run();
    assert_eq!(untimed(&merged.out), untimed(&whole.out));
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let done = Test::new().file("a.toml", LOST).args(["explore", "a.toml", "--shard", "1/2"]).run();
    done.status(2).stderr_contains("only random executions of one scenario can be divided");
    let one = ["explore", "a.toml", "--strategy", "random", "--runs", "10", "--shard", "1/2"];
    let done = Test::new().file("a.toml", LOST).args(one).run();
    let part = done.read("part-1-of-2.json");
    let merge = |text: &str| {
        Test::new().file("a.toml", text).file("1.json", &part).args(["explore", "--merge", "1.json"]).run()
    };
    merge(LOST).status(2).stderr_contains("part 2 of 2 is missing");
    let done = Test::new().file("x.json", "{}").args(["explore", "--merge", "x.json"]).run();
    done.status(2).stderr_contains("is not a part of an exploration");
}
