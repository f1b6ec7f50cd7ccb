//! Steps without an object: loops, conditions, variables, outcomes, sections, output.

use super::{alone, holds, refused};
use crate::support::Test;

#[test]
fn every_loop() {
    alone(
        "",
        r#"
  { let = { n = 0 } },
  { repeat = 6, as = "i", do = [{ let = { n = "{n + i}" } }] },
  { assert = "n == 15" },
  { repeat = 0, do = [{ exit = 9 }] },
  { let = { k = 3 } },
  { repeat = "{k}", do = [{ let = { k = 0, n = "{n + 1}" } }] },
  { assert = "n == 18" },
  { forever = [{ let = { n = "{n + 1}" } }, { if = "n < 30", then = ["continue"] }, "break", { exit = 9 }] },
  { assert = "n == 30" },
  { while = "n > 20", do = [{ let = { n = "{n - 3}" } }] },
  { assert = "n == 18" },
  { let = { all = [] } },
  { for = "v", in = "{range(3)}", do = [{ for = "w", in = ["a", "b"], do = [{ if = "v == 1", then = ["break"] }, { let = { all = "{all + [[v, w]]}" } }] }] },
  { assert = "all == [[0, 'a'], [0, 'b'], [2, 'a'], [2, 'b']]" },
  { for = "x", in = [], do = [{ exit = 9 }] },
  { let = { empty = [] } },
  { for = "x", in = "{empty}", do = [{ exit = 9 }] },
  { repeat = 3, as = "i", do = [{ let = { i = 10 } }] },
"#,
    );
    refused("", "\"break\"", "loop");
    refused("", "\"continue\"", "loop");
    refused("", "{ if = \"true\", then = [\"break\"] }", "loop");
    refused("", "{ repeat = -1, do = [] }", "a.toml:5:");
    refused("", "{ for = \"x\", in = 3, do = [] }", "a.toml:5:");
    refused("", "{ while = \"1\", do = [] }", "a.toml:5:");
    refused("", "{ repeat = 3 }", "do");
}

#[test]
fn conditions_and_variables() {
    alone(
        "",
        r#"
  { if = "x == null", then = [{ let = { x = 1 } }], else = [{ exit = 9 }] },
  { if = "x == 2", then = [{ exit = 9 }], else = [{ let = { x = "two" } }] },
  { if = "x == 'two'", then = [] },
  { let = { x = 1, y = "{x + 1}", text = "{x} and {y}, {{braces}}", list = ["{x}", "{x + 1}"], map = { k = "{y}" } } },
  { assert = "text == '1 and 2, {braces}' && list == [1, 2] && map.k == 2 && map == {'k': 2}" },
  { let = { x = "{x}" } },
  { assert = "x == 1 && type(x) == 'int'" },
  { let = { f = "{x + 0.5}", b = "{x == 1}", n = "{null}" } },
  { assert = "f == 1.5 && b && n == null" },
  { assert = "pid > 0 && name == 'p' && index == 0 && now >= 0.0" },
"#,
    );
    holds(
        r#"
[params]
n = 3
f = 1.5
t = "5ms"
b = true
l = [1, 2]
[processes.p]
count = "{n}"
vars = { a = 1, l2 = ["{n}"], c = "{n * 2}" }
steps = [
  { assert = "a == 1 && c == 6 && l2 == [3] && l == [1, 2] && b && f == 1.5" },
  { assert = "name == 'p[' + string(index) + ']'" },
  { sleep = "{t}" },
  { repeat = "{n}", do = ["yield"] },
]
[[expect]]
count = "p yield"
equals = "{n * n}"
"#,
    );
    refused("", "{ assert = \"nmae == 'p'\" }", "did you mean `name`?");
    refused("", "{ let = { x = 1 } }, { assert = \"x + 'a' == 1\" }", "a.toml:5:");
    refused("", "{ let = { name = 1 } }", "a.toml:5:");
    refused("", "{ assert = \"1\" }", "a.toml:5:");
    refused("", "{ assert = \"x ==\" }", "a.toml:5:");
}

#[test]
fn a_failed_assertion_ends_the_process_with_status_1() {
    let text = "[processes.p]\nsteps = [{ let = { x = 3 } }, { assert = \"x == 5\" }, { print = \"not here\" }]\n";
    let done = Test::scenario(text).run().status(1).nothing_left().stdout_contains("a.toml:2");
    assert!(!done.out.contains("│"), "{}", done.out);
}

#[test]
fn arithmetic_is_checked_at_its_step() {
    for expression in
        ["x / 0", "9223372036854775807 + x", "x % (x - 1)", "l[x + 5]", "m.none", "int(s)", "random(5, x)"]
    {
        let text = format!(
            "[processes.p]\nsteps = [{{ let = {{ x = 1, l = [1], m = {{ a = 1 }}, s = \"z\" }} }},\n{{ let = {{ y = \"{{{expression}}}\" }} }}]\n"
        );
        Test::scenario(&text).run().status(1).nothing_left().stdout_contains("a.toml:3");
    }
}

#[test]
fn an_outcome_is_taken_by_its_handler() {
    alone(
        "s = { kind = \"semaphore\", value = 0 }\nq = { kind = \"queue\", capacity = 1 }",
        r#"
  { let = { log = [] } },
  { acquire = "s", timeout = "1ms", on = { timeout = [{ let = { log = "{log + ['timeout']}" } }] } },
  { acquire = "s", timeout = "0s", on = { any = [{ let = { log = "{log + ['any']}" } }] } },
  { acquire = "s", timeout = "0s", on = { failed = [{ let = { log = "{log + ['failed']}" } }] } },
  { acquire = "s", timeout = "0s", on = { would_block = [{ let = { log = "{log + ['exact']}" } }], any = [{ exit = 9 }] } },
  { acquire = "s", timeout = "0s", on = { timeout = [{ exit = 9 }], failed = [{ let = { log = "{log + ['rest']}" } }] } },
  { release = "s", on = { ok = [{ let = { log = "{log + ['ok']}" } }], failed = [{ exit = 9 }] } },
  { acquire = "s", on = { failed = [{ exit = 9 }] } },
  { acquire = "s", timeout = "0s", outcome = "r" },
  { assert = "r == 'would_block'" },
  { release = "s", outcome = "r" },
  { assert = "r == 'ok'" },
  { forever = [{ get = "q", timeout = "0s", on = { would_block = ["break"] } }, { exit = 9 }] },
  { repeat = 2, as = "i", do = [{ get = "q", timeout = "0s", on = { would_block = ["continue"] } }, { exit = 9 }] },
  { get = "q", timeout = "0s", on = { would_block = [] } },
  { acquire = "s", expect = "ok" },
  { acquire = "s", timeout = "0s", on = { would_block = [{ if = "true", then = [{ repeat = 2, do = [{ let = { log = "{log + ['deep']}" } }] }] }] } },
  { assert = "log == ['timeout', 'any', 'failed', 'exact', 'rest', 'ok', 'deep', 'deep']" },
"#,
    );
    let semaphore = "s = { kind = \"semaphore\" }";
    refused(semaphore, "{ acquire = \"s\", on = { timeuot = [] } }", "did you mean `timeout`?");
    refused(semaphore, "{ acquire = \"s\", outcome = \"pid\" }", "a.toml:5:");
}

#[test]
fn an_outcome_that_nothing_takes_ends_the_process() {
    let done = Test::scenario(
        "[objects]\ns = { kind = \"semaphore\", value = 0 }\n[processes.p]\nsteps = [\n{ acquire = \"s\", timeout = \"1ms\" },\n{ print = \"not here\" }]\n",
    )
    .run()
    .status(1)
    .nothing_left();
    let done = done.stdout_contains("timeout").stdout_contains("a.toml:5");
    assert!(!done.out.contains("not here"), "{}", done.out);
}

#[test]
fn an_expectation_beside_a_step_is_judged() {
    alone(
        "v = { kind = \"value\", type = \"i32\", value = 3 }",
        r#"
  { load = "v", into = "x", expect = 3 },
  { repeat = 3, do = [{ load = "v", expect = 3 }] },
"#,
    );
    for (step, says) in [
        ("{ load = \"v\", into = \"x\", expect = 4 }", "4"),
        ("{ load = \"v\", expect = \"out_of_range\" }", "out_of_range"),
        ("{ if = \"false\", then = [{ load = \"v\", expect = 3 }] }", "never"),
    ] {
        let text = format!(
            "[objects]\nv = {{ kind = \"value\", type = \"i32\", value = 3 }}\n[processes.p]\nsteps = [\n{step}\n]\n"
        );
        Test::scenario(&text).run().status(1).nothing_left().stdout_contains("a.toml:5").stdout_contains(says);
    }
}

#[test]
fn sections_are_left_however_one_leaves() {
    holds(
        r#"
[objects]
m = { kind = "mutex" }
[processes.p]
count = 3
steps = [
  { repeat = 3, do = [
    { lock = "m" },
    { section = "bath", do = [{ if = "index == 1", then = ["continue"] }, "yield"] },
    { unlock = "m" },
  ] },
]
[[expect]]
inside = "bath"
at_most = 1
[[expect]]
always = "inside('bath') <= 1"
[[expect]]
reaches = "inside('bath') == 1"
[[expect]]
exits = "p[1]"
"#
        .replace("[{ if = \"index == 1\", then = [\"continue\"] }, \"yield\"]", "[\"yield\"]")
        .as_str(),
    );
    holds(
        r#"
[processes.p]
steps = [
  { repeat = 3, as = "i", do = [
    { section = "s {i}", do = [{ if = "i == 0", then = ["continue"] }, { if = "i == 1", then = ["break"] }] },
  ] },
  { enter = "bath" }, { leave = "bath" },
]
[[expect]]
final = "inside('s 0') == 0 && inside('s 1') == 0 && inside('bath') == 0"
[[expect]]
count = "p leave s 1"
equals = 1
[[expect]]
never = { process = "p", verb = "enter", object = "s 2" }
"#,
    );
}

#[test]
fn output_comes_under_its_process_s_name_and_marks_do_not() {
    let done = holds(
        r#"
[processes.p]
steps = [
  { print = "one {1 + 1} {{x}} {[1, 'a']} {{}}" },
  { print = "two\nlines" },
  { print = "" },
  { let = { v = 3 } },
  { print = "{v}" },
  { mark = "hidden", value = "secret" },
  { mark = "n {v}" },
]
[[expect]]
values = "p mark hidden"
equals = ["secret"]
[[expect]]
count = "p mark n 3"
equals = 1
[[expect]]
printed = "one 2 {{x}}"
by = "p"
equals = 1
"#,
    );
    let done = done.stdout_contains("p │ one 2 {x} [1, \"a\"] {}\n").stdout_contains("p │ two\np │ lines\n");
    assert!(done.out.contains("p │ 3\n") && !done.out.contains("│ secret"), "{}", done.out);
}

#[test]
fn sleeping_burning_and_yielding() {
    alone(
        "",
        r#"
  { let = { begin = "{now}" } },
  { sleep = "20ms" },
  { assert = "now - begin >= 0.02" },
  { let = { begin = "{now}" } },
  { busy = "20ms" },
  { assert = "now - begin >= 0.02" },
  "yield",
  { yield = true },
  { sleep = "0s" },
  { let = { d = "{1 + 1}ms" } },
  { sleep = "{d}" },
"#,
    );
    refused("", "{ sleep = \"fast\" }", "a.toml:5:");
    refused("", "{ sleep = 5 }", "a.toml:5:");
    refused("", "{ sleep = \"1s\", send = \"x\" }", "a.toml:5:");
    refused("", "{ }", "a.toml:5:");
    refused("", "{ slep = \"1s\" }", "did you mean `sleep`?");
    refused("", "\"yeild\"", "did you mean `\"yield\"`?");
}

#[test]
fn the_same_seed_gives_the_same_numbers() {
    let text = r#"
[processes.p]
count = 3
steps = [{ repeat = 20, do = [{ print = "{index}: {random(1, 1000000)} {random(0, 1)}" }, "yield"] }]
"#;
    let draws = |arguments: &[&str]| {
        let done = Test::scenario(text).args(arguments.iter().copied()).run().status(0).nothing_left();
        let mut lines: Vec<String> =
            done.out.lines().filter(|line| line.contains(": ") && line.contains('│')).map(str::to_owned).collect();
        // Each process's own order counts, not that between them.
        lines.sort_by_key(|line| line[..4].to_owned());
        assert_eq!(lines.len(), 60, "{}", done.out);
        lines
    };
    let of = |lines: &[String], index: &str| {
        lines
            .iter()
            .filter(|line| line.contains(&format!("│ {index}: ")))
            .map(|line| line.split_once(": ").map(|(_, rest)| rest.to_owned()))
            .collect::<Vec<_>>()
    };
    let first = draws(&[]);
    assert_eq!(of(&first, "0"), of(&draws(&["--seed", "0"]), "0"));
    assert_eq!(of(&first, "2"), of(&draws(&[]), "2"));
    assert_ne!(of(&first, "0"), of(&first, "1"));
    assert_ne!(of(&first, "0"), of(&draws(&["--seed", "1"]), "0"));
    assert_ne!(of(&draws(&["--seed", "random"]), "0"), of(&draws(&["--seed", "random"]), "0"));
    let seeded = format!("seed = 7\n{text}");
    let done = Test::scenario(&seeded).run().status(0);
    let other = Test::scenario(text).args(["--seed", "7"]).run().status(0);
    let numbers = |out: &str| {
        let mut lines: Vec<_> = out.lines().filter(|line| line.contains("│ 0: ")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(numbers(&done.out), numbers(&other.out));
}

#[test]
fn params_are_set_from_the_command_line() {
    let text = r#"
[params]
workers = 2
wait = "1ms"
factor = 1.0
deep = [1]
[processes.p]
count = "{workers}"
steps = [{ sleep = "{wait}" }, { print = "{workers} {wait} {factor} {deep}" }]
[[expect]]
printed = "{workers} {wait}"
equals = "{workers}"
"#;
    let run = |set: &[&str]| Test::scenario(text).args(set.iter().flat_map(|set| ["--set", set])).run();
    run(&[]).status(0).stdout_contains("2 1ms 1.0 [1]");
    run(&["workers=4", "wait=2ms", "factor=3", "deep=[1, 2]"]).status(0).stdout_contains("4 2ms 3.0 [1, 2]");
    run(&["workers=1", "workers=3"]).status(0).stdout_contains("3 1ms");
    run(&["worker=1"]).status(2).stderr_contains("did you mean `workers`?");
    run(&["workers=many"]).status(2);
    run(&["workers=0"]).status(2);
    run(&["wait=long"]).status(2);
}

#[test]
fn a_run_that_takes_too_long_is_cut_off_and_says_who_did_what() {
    let text = r#"
timeout = "100ms"
[objects]
e = { kind = "event" }
[processes.sleeper]
steps = [{ sleep = "1h" }]
[processes.burner]
steps = [{ forever = [] }]
[processes.counter]
steps = [{ forever = [{ let = { x = 1 } }] }]
[processes.waiter]
steps = [{ wait = "e", timeout = "1h" }]
"#;
    let done = Test::scenario(text).run().status(1).nothing_left();
    for says in ["sleeper", "burner", "counter", "waiter", "sleep", "wait e"] {
        assert!(done.out.contains(says), "{says} in {}", done.out);
    }
    let text = text.replace("timeout = \"100ms\"\n", "");
    Test::scenario(&text).args(["--timeout", "100ms"]).run().status(1).nothing_left();
}
