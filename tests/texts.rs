//! Text of scenarios, traces, schedules, file names and arguments, in every output: no terminal, CI server or parser obeys
//! any of it.

use std::fs;

use crate::support::Test;

/// What is obeyed: control characters of both sets, bidirectional marks, line ends before workflow commands and before
/// lines of reports, markup. As a TOML string and as text.
const EVIL: &str = "\\u001b[31mE\\u001b]0;t\\u0007\\u009b31m\\u202er\\u2066\\u2028</script><script>alert(1)</script>\\n::set-output \
                    name=x::y\\nok 99 - fake\\r\\n::error::boom\\u200f\\u007f";
const RAW: &str = "\u{1b}[31mE\u{1b}]0;t\u{7}\u{9b}31m\u{202e}r\u{2066}\u{2028}</script><script>alert(1)</script>\n::set-output \
                   name=x::y\nok 99 - fake\r\n::error::boom\u{200f}\u{7f}";

fn scenario() -> String {
    format!(
        "name = \"{EVIL}\"\nabout = \"{EVIL} \\\" onmouseover=\\\"alert(1)\"\ntimeout = \"2s\"\n[params]\np = \"{EVIL}\"\n\
         [objects]\nm = {{ kind = \"mutex\" }}\nn = {{ kind = \"mutex\" }}\n[processes.w]\nsteps = [\n{{ print = \"{EVIL}\" }}, {{ \
         mark = \"{EVIL}\", value = \"{EVIL}\" }}, {{ enter = \"{EVIL}\" }}, {{ leave = \"{EVIL}\" }}, {{ lock = \"m\" }}, {{ lock = \
         \"n\" }}, {{ exit = 3 }} ]\n[processes.v]\nsteps = [{{ lock = \"n\" }}, {{ sleep = \"10ms\" }}, {{ lock = \"m\" }}]\n\
         [[expect]]\nlabel = \"{EVIL}\"\nprinted = \"x{EVIL}]]>\"\n[[expect]]\nprinted = \"y{EVIL}]]>\"\n"
    )
}

/// What of an output would be obeyed.
fn obeyed(output: &str) -> Vec<String> {
    let bad = |c: char| {
        c.is_control() && !"\n\t".contains(c)
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut found: Vec<String> = output.chars().filter(|c| bad(*c)).map(|c| format!("{c:?}")).collect();
    found.sort();
    found.dedup();
    for line in output.lines() {
        let ours = ["::error file=", "::warning file=", "::error title=", "::notice file="]
            .iter()
            .any(|own| line.starts_with(own));
        if (line.starts_with("::") && !ours) || line.starts_with("##[") || line.starts_with("ok 99 - fake") {
            found.push(line.chars().take(60).collect());
        }
    }
    if output.starts_with("<!") && (output.contains("<script>alert") || output.contains("onmouseover=\"alert")) {
        found.push("markup".to_owned());
    }
    found
}

/// Runs a command and looks at all that it prints and writes.
fn look(test: Test, arguments: &[&str]) -> Vec<String> {
    let done = test.args(arguments).run();
    assert!([0, 1, 2, 3, 4, 5].contains(&done.status), "{arguments:?}: {}", done.err);
    let mut found = Vec::new();
    for (name, text) in [("standard output", &done.out), ("standard error", &done.err)] {
        for what in obeyed(text) {
            found.push(format!("{arguments:?}: {name}: {what}"));
        }
    }
    for entry in fs::read_dir(done.directory()).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("out.") || name.ends_with(".golden") || name.ends_with(".schedule.toml") {
            for what in obeyed(&fs::read_to_string(&path).expect("text")) {
                found.push(format!("{arguments:?}: {name}: {what}"));
            }
        }
    }
    found
}

#[test]
fn nothing_that_a_scenario_says_is_obeyed() {
    let mut found = Vec::new();
    let set = format!("p={RAW}");
    let commands: Vec<Vec<&str>> = "--color never a.toml|--color never --error-format github a.toml|--timeline \
                                    a.toml|--timeline=gantt a.toml|--timeline=sequence a.toml|--timeline=log a.toml|--json \
                                    a.toml|--junit - a.toml|--tap - a.toml|--ctrf - a.toml|--sarif - a.toml|mutate --all a.toml|mutate --json a.toml|--repeat 3 a.toml|explore a.toml|explore --json \
                                    a.toml|explore --junit - a.toml|explore a.toml --save .|explore a.toml --timeline|explore \
                                    a.toml --emit promela|explore a.toml --trace out.jsonl --html out.html|--golden --bless \
                                    a.toml|-vvv a.toml|-q --trace out.jsonl --trace out.json --trace out.mmd --trace out.shiviz \
                                    --trace out.txt --html out.html --junit out.xml --tap out.tap a.toml|replay a.toml \
                                    seed:1|--schedule seed:2 --trace out.jsonl a.toml|check a.toml|explore a.toml --strategy \
                                    random --runs 5 --shard 1/1 --part out.part"
        .split('|')
        .map(|line| line.split_whitespace().collect())
        .collect();
    for command in &commands {
        found.extend(look(Test::new().file("a.toml", scenario()), command));
    }
    found.extend(look(Test::new().file("a.toml", scenario()), &["--set", &set, "a.toml"]));
    found.extend(look(Test::new().file("a.toml", scenario()), &["explore", "--set", &set, "a.toml"]));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn nothing_that_a_name_or_an_argument_says_is_obeyed() {
    let mut found = Vec::new();
    let name = format!("{}.toml", RAW.replace('/', ""));
    let named = format!("d/{name}");
    let test = |text: &str| Test::new().file(&named, text);
    let fails = "[processes.p]\nsteps = [{ exit = 1 }]\n";
    for command in ["d", "--junit - d", "--tap - d", "--json d", "explore d", "--error-format github d", "--timeline d"]
    {
        let words: Vec<&str> = command.split_whitespace().collect();
        found.extend(look(test(fails), &words));
        found.extend(look(test("x = "), &words));
    }
    for command in
        [&["--error-format", "concise", "check", "d"][..], &["--error-format", "json", "check", "d"], &["check", "d"]]
    {
        found.extend(look(test("x = "), command));
    }
    let set = format!("{RAW}=1");
    let option = format!("--{}", RAW.replace('=', ""));
    let several: [&[&str]; 12] = [
        &[&name],
        &["check", &name],
        &["--set", &set, "a.toml"],
        &[&option, "a.toml"],
        &["replay", "a.toml", RAW],
        &["explain", RAW],
        &["list", RAW],
        &["man", RAW],
        &["--trace", RAW, "a.toml"],
        &["--seed", RAW, "a.toml"],
        &["explore", "a.toml", "--max-time", RAW],
        &["trace", RAW],
    ];
    for command in several {
        found.extend(look(Test::new().file("a.toml", fails), command));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Names of processes, objects, params and variables stand in all reports too.
#[test]
fn nothing_that_a_declared_name_says_is_obeyed() {
    let mut found = Vec::new();
    let process = format!("[processes.\"{EVIL}\"]\nsteps = [{{ print = \"x\" }}, {{ exit = 2 }}]\n");
    let object =
        format!("[objects]\n\"{EVIL}\" = {{ kind = \"mutex\" }}\n[processes.p]\nsteps = [{{ lock = \"{EVIL}\" }}]\n");
    let param =
        format!("[params]\n\"{EVIL}\" = 1\n[processes.p]\nvars = {{ \"{EVIL}\" = 1 }}\nsteps = [{{ exit = 2 }}]\n");
    for text in [process, object, param] {
        for command in [
            "a.toml",
            "--junit - a.toml",
            "--json a.toml",
            "--timeline a.toml",
            "--timeline=log a.toml",
            "explore a.toml",
        ] {
            let words: Vec<&str> = command.split_whitespace().collect();
            found.extend(look(Test::new().file("a.toml", &text), &words));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn nothing_that_a_saved_trace_says_is_obeyed() {
    let made = Test::new().file("a.toml", scenario()).args(["-q", "--trace", "t.jsonl", "a.toml"]).run();
    let text = made.read("t.jsonl");
    let mut lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line of a trace")).collect();
    lines[0]["scenario"]["path"] = RAW.into();
    lines[0]["ipcrun"] = RAW.into();
    lines[0]["started"] = RAW.into();
    let last = lines.len() - 1;
    lines[last]["lost"] = serde_json::json!([RAW]);
    lines[last]["whole"] = false.into();
    let mut worse = lines.clone();
    worse[last]["doing"] = serde_json::json!([{ "process": "w", "verb": RAW, "since": 5 }]);
    let joined = |lines: &[serde_json::Value]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let mut found = Vec::new();
    for trace in [joined(&lines), joined(&worse)] {
        for form in
            ["text", "chrome", "mermaid", "shiviz", "verdict", "junit", "tap", "ctrf", "sarif", "json", "html", "jsonl"]
        {
            found.extend(look(Test::new().file("t.jsonl", &trace), &["trace", "t.jsonl", "--to", form]));
        }
        for view in ["gantt", "sequence", "log"] {
            found.extend(look(Test::new().file("t.jsonl", &trace), &["trace", "t.jsonl", "--view", view]));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_schedule_is_saved_within_its_directory() {
    let locks = "[objects]\na = { kind = \"mutex\" }\nb = { kind = \"mutex\" }\n[processes.A]\nsteps = [{ lock = \"a\" }, { lock = \"b\" \
                 }]\n[processes.B]\nsteps = [{ lock = \"b\" }, { lock = \"a\" }]\n";
    for (name, file) in [
        ("../../escaped", "..-..-escaped.schedule.toml"),
        ("/tmp/x", "-tmp-x.schedule.toml"),
        ("..", "...schedule.toml"),
        ("a\\u0000\\nb", "a--b.schedule.toml"),
    ] {
        let test = Test::new().file("a.toml", format!("name = \"{name}\"\n{locks}")).folder("out/deep");
        let done = test.args(["explore", "a.toml", "--save", "out/deep"]).run().status(1);
        assert!(done.directory().join("out/deep").join(file).is_file(), "{name}: {}", done.both());
        assert_eq!(fs::read_dir(done.directory()).expect("a directory").count(), 2, "{name}");
    }
    let long = format!("name = \"{}\"\n{locks}", "é".repeat(300));
    Test::new().file("a.toml", long).args(["explore", "a.toml", "--save", "."]).run().status(1);
}
