//! `[matrix]`: a scenario for each combination of values.

use crate::support::Test;

const SEMAPHORES: &str = r#"
[matrix]
workers = [1, 3]
via = ["posix", "sysv"]
exclude = [{ workers = 1, via = "sysv" }]
include = [{ workers = 2, via = "posix" }]

[objects]
s = { kind = "semaphore", value = 1, via = "{via}" }

[processes.w]
count = "{workers}"
steps = [{ acquire = "s" }, { release = "s" }]

[[expect]]
count = "w acquire s"
equals = "{workers}"
"#;

const ALL: [&str; 4] = ["workers=1, via=posix", "workers=3, via=posix", "workers=3, via=sysv", "workers=2, via=posix"];

fn headings(out: &str) -> Vec<String> {
    out.lines().filter_map(|line| Some(line.strip_prefix("✓ a [")?.split(']').next()?.to_owned())).collect()
}

#[test]
fn each_combination_is_a_scenario_of_its_own() {
    for command in ["run", "explore"] {
        let done = Test::new().file("a.toml", SEMAPHORES).args([command, "a.toml", "-j", "1"]).run().status(0);
        assert_eq!(headings(&done.out), ALL, "{command}");
        assert!(done.out.contains("4 scenarios: 4 passed"), "{}", done.out);
    }
    let done = Test::new().file("a.toml", SEMAPHORES).args(["-j", "3", "a.toml"]).run().status(0);
    assert_eq!(headings(&done.out), ALL, "in the order of the file");
}

#[test]
fn some_of_them_can_be_chosen() {
    let chosen = |arguments: &[&str]| {
        let test = Test::new().file("a.toml", SEMAPHORES).args(["a.toml"]).args(arguments.iter().copied());
        headings(&test.run().status(0).out)
    };
    assert_eq!(chosen(&["--matrix", "workers=3"]), ALL[1..3]);
    assert_eq!(chosen(&["--matrix", "workers=3", "--matrix", "via=sysv"]), ALL[2..3]);
    assert_eq!(chosen(&["--set", "workers=7"]), ["workers=7, via=posix", "workers=7, via=sysv"]);
    assert_eq!(chosen(&["--set", "workers=3", "--set", "via=sysv"]), ALL[2..3]);
    Test::new()
        .file("a.toml", SEMAPHORES)
        .args(["a.toml", "--matrix", "workers=9"])
        .run()
        .status(2)
        .stderr_contains("no scenario has that combination");
}

#[test]
fn every_report_names_the_combination() {
    let failing = SEMAPHORES.replace("equals = \"{workers}\"", "equals = 3");
    let done = Test::new().file("a.toml", &failing).args(["a.toml", "--junit", "j.xml", "-q"]).run().status(1);
    let junit = done.read("j.xml");
    for combination in ALL {
        assert!(junit.contains(&format!("a [{combination}]")), "{junit}");
    }
    assert!(done.out.contains("failed       a.toml [workers=1, via=posix]"), "{}", done.out);
    assert!(done.out.contains("again: ipcrun run a.toml --seed 0 --set workers=1 --set via=posix"), "{}", done.out);
    let done = Test::new().file("a.toml", SEMAPHORES).args(["a.toml", "--json", "-j", "1"]).run().status(0);
    assert!(done.out.contains(r#""matrix":{"workers":2,"via":"posix"}"#), "{}", done.out);
}

#[test]
fn each_combination_has_a_golden_trace_of_its_own() {
    let bless = ["a.toml", "--schedule", "seed:1", "--golden=kept", "--bless", "-j", "1"];
    let test = Test::new().file("a.toml", SEMAPHORES).args(bless);
    let done = test.run().status(0);
    assert!(done.out.contains("created kept/a.workers=3.via=sysv.golden"), "{}", done.out);
}

#[test]
fn what_is_wrong_is_said_at_its_place_and_once() {
    for (from, to, says) in [
        ("via = [\"posix\", \"sysv\"]", "via = \"posix\"", "`via` takes a list of values in `[matrix]`"),
        ("exclude = [{ workers", "exclude = [{ worker", "`[matrix]` has no param `worker`"),
        ("include = [{ workers = 2, ", "include = [{ ", "`include` says nothing of `workers`"),
        ("workers = [1, 3]", "workers = []", "a param of the matrix needs a value"),
        ("workers = [1, 3]", "pid = [1, 3]", "`pid` has a meaning of its own"),
        ("workers = [1, 3]", "workers = \"{range(2000)}\"", "`[matrix]` has more than 1000 combinations"),
        ("kind = \"semaphore\"", "kind = \"semafore\"", "no kind of object is called `semafore`"),
    ] {
        let wrong = SEMAPHORES.replace(from, to);
        let done = Test::new().file("a.toml", &wrong).args(["check", "a.toml"]).run().status(2).stderr_contains(says);
        assert_eq!(done.err.matches(says).count(), 1, "{}", done.err);
    }
    let none = SEMAPHORES
        .replace("exclude = [{ workers = 1, via = \"sysv\" }]", "exclude = [{ workers = 1 }, { workers = 3 }]");
    let none = none.replace("include = [{ workers = 2, via = \"posix\" }]\n", "");
    Test::new().file("a.toml", &none).args(["check", "a.toml"]).run().status(2).stderr_contains("no combination");
    Test::new()
        .file("a.toml", SEMAPHORES)
        .args(["explore", "a.toml", "--shard", "1/2", "--part", "p"])
        .run()
        .status(2)
        .stderr_contains("a part explores one combination");
}
