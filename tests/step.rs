//! `step`: one execution, its order chosen by hand.

use serde_json::Value;

use crate::support::{Done, Test};

const ABBA: &str = r#"
[objects]
a = { kind = "mutex" }
b = { kind = "mutex" }
[processes.there]
steps = [{ lock = "a" }, { lock = "b" }, { unlock = "b" }, { unlock = "a" }]
[processes.back]
steps = [{ lock = "b" }, { lock = "a" }, { unlock = "a" }, { unlock = "b" }]
"#;

fn step(text: &str, options: &[&str], input: &str) -> Done {
    let test = Test::new().file("s.toml", text).input(input).args(["step"]).args(options.iter().copied());
    test.args(["s.toml"]).run()
}

/// The places that it prints as JSON.
fn places(done: &Done) -> Vec<Value> {
    done.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn each_step_says_what_it_leads_to_and_can_be_taken_back() {
    let done = step(ABBA, &["--json"], "1\n2\nundo\n1\nundo\nundo\n2\n1\n");
    let places = places(&done);
    let leads = |place: &Value| {
        let choices = place["choices"].as_array().expect("the choices").iter();
        choices
            .map(|choice| {
                format!("{} {}", choice["process"].as_str().unwrap_or(""), choice["leads_to"].as_str().unwrap_or(""))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(leads(&places[0]), ["there mixed", "back mixed"]);
    assert_eq!(leads(&places[1]), ["there good", "back bad"]);
    assert!(leads(&places[2]).is_empty() && places[2]["over"] == true, "a deadlock");
    assert_eq!(places[2]["waiting"][0]["why"], "waits in lock b, held by back");
    assert_eq!(places[2]["objects"]["a"], "there");
    assert_eq!(places[3], places[1], "taken back");
    assert_eq!(leads(&places[4]), ["there good"]);
    assert_eq!(places[6], places[0]);
    assert_eq!(leads(&places[7]), ["there bad", "back good"]);
    assert_eq!(places[8]["schedule"], "back there");
    assert_eq!(done.status, 1, "the last place is a deadlock that nothing expects");
}

#[test]
fn what_was_chosen_can_be_replayed() {
    let counter = r#"
[objects]
v = { kind = "value", value = 0 }
q = { kind = "queue", capacity = 1 }
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
[processes.p]
count = 2
steps = [{ load = "v", into = "x" }, { sleep = "1ms" }, { store = "v", value = "{x + 1}" }, { put = "q", value = "{index}" }]
[processes.w]
count = 2
steps = [{ lock = "m" }, { wait = "c", timeout = "1s", on = { timeout = [] } }, { unlock = "m" }]
[processes.r]
steps = [{ repeat = 2, do = [{ get = "q", into = "y" }] }, { mark = "got", value = "{y}" }, { notify = "c" }]
[[expect]]
final = "v == 2"
holds = "sometimes"
[[expect]]
reaches = "blocked('r')"
holds = "sometimes"
"#;
    for seed in ["1", "2", "3", "4", "5"] {
        let done = step(counter, &["--json", "--seed", seed], &format!("{}end\n", "random\n".repeat(12)));
        let last = places(&done).pop().expect("a last place");
        assert_eq!(last["over"], true);
        let words = last["schedule"].as_str().expect("a schedule").to_owned();
        let replayed = Test::new().file("s.toml", counter).args(["replay", "--json", "s.toml", &words]).run();
        assert!([0, 5].contains(&replayed.status), "{words}: {}", replayed.both());
        let said: Value = serde_json::from_str(&replayed.out).expect("JSON");
        let of = |all: &Value| {
            let all = all.as_array().expect("the expectations").iter();
            all.map(|one| one["status"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(of(&said["expectations"]), of(&last["expectations"]), "{words}");
    }
}

#[test]
fn the_terminal_shows_who_can_move_and_the_report_at_the_end() {
    let done = step(ABBA, &[], "1\nsw\nend\n").status(0);
    assert!(done.out.starts_with("   1 ~ there  lock a (line 6)\n   2 ~ back   lock b (line 8)\n"), "{}", done.out);
    assert!(done.out.contains("step 4: there unlock a (line 6)   a there → free\n"), "{}", done.out);
    assert!(done.out.contains("       there  has ended\n"), "{}", done.out);
    assert!(done.out.contains("replay: ipcrun replay s.toml 'there4 back4'\n"), "{}", done.out);
}

#[test]
fn what_is_not_understood_changes_nothing() {
    let done = step(ABBA, &[], "0\n3\nundoo\nre\n\nx y\nhelp\nquit\n1\n").status(0);
    for said in
        ["there is no step 0: there are 1 to 2", "there is no step 3", "did you mean `undo`?", "`x y` is neither"]
    {
        assert!(done.out.contains(said), "{said}: {}", done.out);
    }
    assert!(done.out.contains("takes back the last step") && !done.out.contains("step 1:"), "{}", done.out);
    let several = "[matrix]\nn = [1, 2]\n[processes.p]\nsteps = []\n";
    let done = step(several, &[], "").status(2);
    assert!(done.err.contains("there are 2 scenarios"), "{}", done.both());
    step(several, &["--matrix", "n=2"], "").status(0);
    step("[processes.p]\nsteps = [{ lok = 1 }]\n", &[], "").status(2);
}

#[test]
fn kills_and_numbers_can_be_chosen() {
    let text = r#"
[processes.p]
steps = [{ let = { x = "{random(1, 3)}" } }, { mark = "drawn", value = "{x}" }]
"#;
    let drawn = places(&step(text, &["--json", "--random", "all"], "2\nend\n"));
    assert_eq!(drawn[0]["choices"].as_array().map(Vec::len), Some(3), "{}", drawn[0]);
    let killed = places(&step(text, &["--json", "--kill", "any"], ""));
    let kill = killed[0]["choices"].as_array().expect("choices").iter().find(|choice| choice["outside"] == true);
    assert_eq!(kill.expect("it can be killed")["does"], "is killed");
}

/// What is found out ahead, and of the choices, is bounded in memory and time.
#[test]
fn many_processes_and_objects_are_no_trouble() {
    let text = r#"
[objects]
v = { kind = "value", count = 2000 }
[processes.p]
count = 1000
steps = [{ add = "v[index]", value = 1 }, { add = "v[0]", value = 1 }]
"#;
    let done = Test::new().file("s.toml", text).input("1000\n").behind("ulimit -v 2000000");
    let done = done.args(["step", "--json", "s.toml"]).run().status(0);
    let places = places(&done);
    assert_eq!(places[0]["choices"].as_array().map(Vec::len), Some(1000));
    assert_eq!(places[1]["last"]["process"], "p[999]");
    assert_eq!(places[1]["objects"]["v[999]"], "1");
}
