//! The reports for CI servers: `JUnit` XML, the Test Anything Protocol, CTRF, SARIF, annotations.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use serde_json::Value as Json;

use crate::support::Test;

const GOOD: &str = "[params]\nworkers = 2\n[processes.p]\ncount = \"{workers}\"\nsteps = [{ print = \"here\" }]\n[[expect]]\n\
                    count = \"p print\"\nequals = 2\n[[expect]]\ncount = \"p print\"\nequals = 2\n";
const WRONG: &str = "[processes.p]\nsteps = [{ prnt = \"x\" }]\n";
const FAILS: &str = "[processes.p]\nsteps = [\n  { print = \"one\" },\n  { exit = 3 },\n]\n[[expect]]\nlabel = \
                     \"never <\\\"&'> \\u0000\\u001b[31m\\uFFFF 执行\"\nnever = \"p print\"\n";
const OPEN: &str = "[processes.p]\nsteps = [{ print = \"x\" }]\n[[expect]]\nlabel = \"several\"\nreaches = \"count('p print') == 2\"\nholds = \
                    \"sometimes\"\n";

fn folder() -> Test {
    Test::new()
        .file("all/a.toml", GOOD)
        .file("all/b.toml", WRONG)
        .file("all/c.toml", FAILS)
        .file("all/d.toml", OPEN)
        .args(["all"])
}

fn attributes(element: &BytesStart<'_>) -> Vec<(String, String)> {
    element
        .attributes()
        .map(|attribute| {
            let attribute = attribute.expect("an attribute");
            let name = attribute.key.as_ref().to_owned();
            (name, quick_xml::escape::unescape(&attribute.value).expect("known entities").into_owned())
        })
        .collect()
}

/// What Jenkins's schema (junit-10.xsd) lets stand in an element: its children and its attributes, the required ones
/// with a `!`.
fn rules(element: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match element {
        "testsuites" => (&["testsuite"], &["name", "time", "tests", "failures", "errors"]),
        "testsuite" => (
            &["testsuite", "properties", "testcase", "system-out", "system-err"],
            &[
                "name!",
                "tests!",
                "failures!",
                "errors!",
                "group",
                "time",
                "skipped",
                "timestamp",
                "hostname",
                "id",
                "package",
                "file",
                "log",
                "url",
            ],
        ),
        "properties" => (&["property"], &[]),
        "property" => (&[], &["name!", "value!"]),
        "testcase" => {
            (&["skipped", "error", "failure", "system-out", "system-err"], &["name!", "time", "classname", "group"])
        }
        "failure" | "error" | "skipped" => (&[], &["type", "message"]),
        "system-out" | "system-err" => (&[], &[]),
        other => panic!("no element of the schema: {other}"),
    }
}

/// A case: its suite, its name, and what stands in it with its message.
type Case = (String, String, String, String);

/// Holds a report to the schema and to XML, checks its counts, and gives its cases.
fn is_junit(text: &str) -> Vec<Case> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | ' '..='\u{7e}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(allowed), "{text}");
    let mut reader = Reader::from_str(text);
    let mut open: Vec<String> = Vec::new();
    let mut cases: Vec<Case> = Vec::new();
    let (mut suite, mut promised, mut total) = (String::new(), [0; 4], [0; 4]);
    let mut counted = [0; 4];
    loop {
        let (element, empty) = match reader.read_event().expect("well-formed XML") {
            Event::Eof => break,
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(element) => {
                let name = open.pop().expect("an open element");
                assert_eq!(name, element.name().as_ref());
                if name == "testsuite" {
                    assert_eq!(promised, counted, "{suite}");
                    total.iter_mut().zip(counted).for_each(|(sum, more)| *sum += more);
                }
                continue;
            }
            Event::Text(text) => {
                let text = text.to_string();
                let mixed = ["failure", "error", "skipped", "system-out", "system-err"];
                let here = open.last().map(String::as_str);
                assert!(text.trim().is_empty() || here.is_some_and(|here| mixed.contains(&here)), "{text}");
                continue;
            }
            _ => continue,
        };
        let name = element.name().as_ref().to_owned();
        match open.last() {
            Some(parent) => assert!(rules(parent).0.contains(&name.as_str()), "{name} in {parent}"),
            None => assert_eq!(name, "testsuites"),
        }
        let attributes = attributes(&element);
        let (_, known) = rules(&name);
        for (key, value) in &attributes {
            assert!(known.iter().any(|known| known.trim_end_matches('!') == key), "{key} of {name}");
            if key == "time" {
                let digits = value.split_once('.').expect("seconds");
                assert!([digits.0, digits.1].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit())), "{value}");
            }
        }
        let value = |key: &str| attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        for required in known.iter().filter_map(|known| known.strip_suffix('!')) {
            assert!(value(required).is_some(), "{required} of {name}");
        }
        let number = |key: &str| value(key).map_or(0, |text| text.parse().expect("a number"));
        match name.as_str() {
            "testsuites" => {
                let rest = total.iter().sum::<usize>();
                assert_eq!(rest, 0);
                promised = [number("tests"), number("failures"), number("errors"), 0];
                total = [0; 4];
                // Compared at the end, with what the suites promise.
                cases.push(("all".to_owned(), format!("{promised:?}"), String::new(), String::new()));
            }
            "testsuite" => {
                suite = value("name").expect("a name");
                promised = [number("tests"), number("failures"), number("errors"), number("skipped")];
                counted = [0; 4];
            }
            "testcase" => {
                counted[0] += 1;
                let named = value("name").expect("a name");
                assert!(!cases.iter().any(|case| case.0 == suite && case.1 == named), "twice: {named}");
                cases.push((suite.clone(), named, "passed".to_owned(), String::new()));
            }
            "failure" | "error" | "skipped" => {
                counted[["failure", "error", "skipped"].iter().position(|kind| *kind == name).expect("known") + 1] += 1;
                let case = cases.last_mut().expect("a case");
                assert_eq!(case.2, "passed", "one fault a case, which all readers take");
                (case.2, case.3) = (name.clone(), value("message").expect("a message"));
            }
            _ => {}
        }
        if !empty {
            open.push(name);
        }
    }
    assert!(open.is_empty());
    let all = cases.remove(0);
    assert_eq!(all.1, format!("{:?}", [total[0], total[1], total[2], 0]), "the sum of the suites");
    cases
}

fn told(cases: &[Case]) -> Vec<(&str, &str, &str)> {
    cases.iter().map(|(suite, name, result, _)| (suite.as_str(), name.as_str(), result.as_str())).collect()
}

#[test]
fn junit_has_a_case_for_everything_that_was_judged_and_for_what_did_not_run() {
    for jobs in ["1", "3"] {
        let done = folder().args(["-j", jobs, "--junit", "r.xml"]).run().status(2);
        let cases = is_junit(&done.read("r.xml"));
        assert_eq!(
            told(&cases),
            [
                ("a", "run", "passed"),
                ("a", "count = \"p print\", equals = 2", "passed"),
                ("a", "count = \"p print\", equals = 2 (line 10, case 2)", "passed"),
                ("all/b.toml", "run", "error"),
                ("c", "run", "failure"),
                ("c", "never <\"&'> ␀␛[31m\u{fffd} 执行", "failure"),
                ("d", "run", "passed"),
                ("d", "several (sometimes)", "skipped"),
            ]
        );
        assert!(cases[3].3.contains("`prnt`"), "{}", cases[3].3);
        assert!(cases[4].3.starts_with("p exited with status 3"), "{}", cases[4].3);
        assert_eq!(cases[7].3, "this run did not satisfy it, and one run cannot refute it");
        let text = done.read("r.xml");
        for part in ["<property name=\"seed\" value=\"0\"/>", "<property name=\"param.workers\" value=\"2\"/>"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(text.contains("type=\"E0103\"") && text.contains("type=\"exit\"") && text.contains("type=\"never\""));
    }
}

#[test]
fn junit_sums_up_repeated_runs() {
    let done = Test::scenario(FAILS).args(["--repeat", "3", "--junit", "r.xml"]).run().status(1);
    let text = done.read("r.xml");
    let cases = is_junit(&text);
    assert_eq!(cases.len(), 2);
    assert!(cases[1].3.ends_with("(it held in 0 of 3 runs)"), "{}", cases[1].3);
    assert!(text.contains("<property name=\"runs\" value=\"3\"/>"), "{text}");
}

#[test]
fn junit_tells_deadlocks_timeouts_and_refusals() {
    let run = |text: &str, status: i32| {
        let done = Test::scenario(text).args(["--junit", "r.xml"]).run().status(status);
        let text = done.read("r.xml");
        (is_junit(&text)[0].clone(), text)
    };
    let waits = "[objects]\ns = { kind = \"semaphore\", value = 0 }\n[processes.p]\nsteps = [{ acquire = \"s\" }]\n";
    let (case, text) = run(waits, 1);
    assert_eq!((case.2.as_str(), case.3.as_str()), ("failure", "deadlock: blocked for ever: p at acquire s"));
    assert!(text.contains("type=\"deadlock\""), "{text}");
    let (case, text) = run("timeout = \"50ms\"\n[processes.p]\nsteps = [{ sleep = \"1h\" }]\n", 1);
    assert_eq!(case.2, "failure");
    assert!(text.contains("type=\"timeout\""), "{text}");
    let (case, text) = run("[processes.p]\ncpus = [1023]\nsteps = [{ print = \"x\" }]\n", 3);
    assert_eq!(case.2, "error", "{text}");
    assert!(text.contains("type=\"E0201\""), "{text}");
}

#[test]
fn scenarios_that_never_began_are_skipped() {
    let forever = "[processes.p]\nsteps = [{ print = \"begins\" }, { sleep = \"1h\" }]\n";
    let test = Test::new().file("a.toml", forever).file("b.toml", forever);
    let running = test.args(["--junit", "r.xml", "--tap", "r.tap", "a.toml", "b.toml"]).start();
    running.until_processes(2);
    std::thread::sleep(std::time::Duration::from_millis(50));
    running.signal("INT");
    let done = running.wait().status(130);
    let cases = is_junit(&done.read("r.xml"));
    assert_eq!(told(&cases), [("a", "run", "skipped"), ("b.toml", "run", "skipped")]);
    assert!(done.read("r.tap").contains("ok 2 - b.toml: run # SKIP it was interrupted before it began\n"));
}

/// Holds a report to TAP: the plan, the numbers, directives, YAML blocks that end.
fn is_tap(text: &str) -> (usize, usize, usize) {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("TAP version 13"));
    let plan = lines.next().and_then(|plan| plan.strip_prefix("1..")).expect("a plan");
    let plan: usize = plan.split(' ').next().expect("a number").parse().expect("a number");
    let (mut points, mut failed, mut skipped, mut block) = (0, 0, 0, false);
    for line in lines {
        if let Some(yaml) = line.strip_prefix("  ") {
            assert_eq!(yaml == "---", !block && yaml == "---", "{line}");
            assert!(block || yaml == "---", "{line}");
            block = yaml != "...";
            continue;
        }
        assert!(!block, "{line}");
        points += 1;
        let (ok, rest) = match line.strip_prefix("not ") {
            Some(rest) => (false, rest),
            None => (true, line),
        };
        assert!(rest.starts_with(&format!("ok {points} - ")), "{line}");
        let directive = rest.replace("\\#", "");
        let directive = directive.split_once('#').map(|(_, directive)| directive.trim().to_owned());
        assert!(directive.as_ref().is_none_or(|word| word.starts_with("SKIP ")), "{line}");
        failed += usize::from(!ok);
        skipped += usize::from(directive.is_some());
    }
    assert!(!block);
    assert_eq!(points, plan);
    (points, failed, skipped)
}

#[test]
fn tap_has_a_point_for_everything() {
    let done = folder().args(["--tap", "r.tap"]).run().status(2);
    let text = done.read("r.tap");
    assert_eq!(is_tap(&text), (8, 3, 1));
    assert!(text.contains("not ok 4 - all/b.toml: run\n  ---\n  message: \"no verb is called `prnt`\"\n"), "{text}");
    assert!(text.contains("  actual: \"1 event"), "{text}");
    assert!(text.contains("\n  events: |\n    #2  "), "{text}");
}

#[test]
fn a_report_on_standard_output_takes_the_place_of_the_summaries() {
    let done = folder().args(["--tap", "-", "--timeline"]).run().status(2);
    is_tap(&done.out);
    let done = folder().args(["--junit", "-", "-j", "4"]).run().status(2);
    is_junit(&done.out);
    folder()
        .args(["--junit", "-", "--tap", "-"])
        .run()
        .status(2)
        .stdout("")
        .stderr_contains("standard output takes one");
    folder().args(["--junit", "none/r.xml"]).run().status(3).stdout("").stderr_contains("cannot be written");
}

#[test]
fn a_file_of_this_folder_is_named_as_the_repository_does() {
    for path in [".", "./b.toml"] {
        let done = Test::new().file("b.toml", WRONG).args([path, "--error-format", "github"]).run().status(2);
        done.stderr_contains("file=b.toml,");
    }
}

#[test]
fn github_gets_annotations_at_the_steps_that_decide() {
    let done = folder().args(["--error-format", "github"]).run().status(2);
    let lines: Vec<&str> = done.err.lines().collect();
    assert!(lines.iter().all(|line| line.starts_with("::error file=all/")), "{}", done.err);
    assert!(lines[0].starts_with("::error file=all/b.toml,line=2,col=12,"), "{}", lines[0]);
    // What fails stands at the step that shows it, and names the line that asks for it.
    assert!(lines[1].starts_with("::error file=all/c.toml,line=3,col=3,"), "{}", lines[1]);
    assert!(lines[1].contains("title=E0301::`never ") && lines[1].contains("expected at all/c.toml:8"), "{}", lines[1]);
    assert!(lines[2].starts_with("::error file=all/c.toml,line=4,col=3,"), "{}", lines[2]);
    assert_eq!(lines.len(), 3);
    let waits =
        "[objects]\ns = { kind = \"semaphore\", value = 0 }\n[processes.p]\nsteps = [\n  { acquire = \"s\" },\n]\n";
    let done = Test::scenario(waits).args(["--error-format", "github", "--repeat", "2"]).run().status(1);
    assert!(done.err.starts_with("::error file=a.toml,line=5,col=3,"), "{}", done.err);
    assert!(done.err.contains("title=E0302::blocked for ever: p at acquire s"), "{}", done.err);
}

/// Holds a report to the schema of CTRF, checks its counts, and gives its tests: suite, name, status.
fn is_ctrf(text: &str) -> Vec<(String, String, String)> {
    let document: Json = serde_json::from_str(text).expect("JSON");
    let keys = |value: &Json, required: &[&str], optional: &[&str]| {
        let object = value.as_object().expect("an object");
        assert!(required.iter().all(|key| object.contains_key(*key)), "{value}");
        assert!(
            object.keys().all(|key| required.contains(&key.as_str()) || optional.contains(&key.as_str())),
            "{value}"
        );
    };
    keys(&document, &["reportFormat", "specVersion", "results"], &[]);
    assert_eq!((&document["reportFormat"], &document["specVersion"]), (&Json::from("CTRF"), &Json::from("0.0.0")));
    let results = &document["results"];
    keys(results, &["tool", "summary", "tests"], &[]);
    keys(&results["tool"], &["name", "version"], &[]);
    let summary = &results["summary"];
    let counts = ["tests", "passed", "failed", "skipped", "pending", "other", "suites", "start", "stop"];
    keys(summary, &counts, &[]);
    assert!(counts.iter().all(|count| summary[*count].is_u64()), "{summary}");
    assert!(summary["start"].as_u64() <= summary["stop"].as_u64(), "{summary}");
    let tests = results["tests"].as_array().expect("the tests");
    for status in ["passed", "failed", "skipped"] {
        let count = tests.iter().filter(|test| test["status"] == status).count();
        assert_eq!(summary[status], count, "{summary}");
    }
    assert_eq!(summary["tests"], tests.len());
    let text = |value: &Json| value.as_str().expect("a text").to_owned();
    tests
        .iter()
        .map(|test| {
            let optional = ["filePath", "line", "parameters", "message", "trace", "labels", "rawStatus"];
            keys(test, &["name", "status", "duration", "suite"], &optional);
            assert!(
                test["duration"].is_u64() && test["suite"].as_array().is_some_and(|suite| suite.len() == 1),
                "{test}"
            );
            (text(&test["suite"][0]), text(&test["name"]), text(&test["status"]))
        })
        .collect()
}

#[test]
fn ctrf_has_a_test_for_everything() {
    let done = folder().args(["--ctrf", "r.json"]).run().status(2);
    let text = done.read("r.json");
    let tests = is_ctrf(&text);
    let statuses: Vec<&str> = tests.iter().map(|(_, _, status)| status.as_str()).collect();
    assert_eq!(statuses, ["passed", "passed", "passed", "failed", "failed", "failed", "passed", "skipped"]);
    assert_eq!((tests[1].0.as_str(), tests[1].1.as_str()), ("a", "count = \"p print\", equals = 2"));
    for part in ["\"rawStatus\":\"error\"", "\"line\":10", "\"filePath\":\"all/b.toml\"", "\"param.workers\":\"2\""] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let done = Test::new().file("a.toml", FAILS).args(["explore", "a.toml", "--ctrf", "-"]).run().status(1);
    assert_eq!(is_ctrf(&done.out).len(), 2);
}

#[test]
fn sarif_has_a_result_for_everything_that_fails() {
    let done = folder().args(["--sarif", "r.sarif", "--ctrf", "-"]).run().status(2);
    is_ctrf(&done.out);
    let document: Json = serde_json::from_str(&done.read("r.sarif")).expect("JSON");
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("the rules");
    let results = run["results"].as_array().expect("the results");
    let of = |result: &Json| {
        let place = &result["locations"][0]["physicalLocation"];
        assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]), "{result}");
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()), "{result}");
        let text = |value: &Json| value.as_str().expect("a text").to_owned();
        (text(&result["ruleId"]), text(&place["artifactLocation"]["uri"]), place["region"]["startLine"].as_u64())
    };
    let results: Vec<_> = results.iter().map(of).collect();
    let results: Vec<_> = results.iter().map(|(rule, uri, line)| (rule.as_str(), uri.as_str(), *line)).collect();
    let expected =
        [("E0103", "all/b.toml", Some(2)), ("exit", "all/c.toml", Some(1)), ("never", "all/c.toml", Some(8))];
    assert_eq!(results, expected);
    let passes = Test::scenario("[processes.p]\nsteps = []\n").args(["--sarif", "-"]).run().status(0);
    assert!(passes.out.contains("\"results\":[]"), "{}", passes.out);
    let odd = Test::new().file("ä b.toml", FAILS).args(["ä b.toml", "--sarif", "-"]).run().status(1);
    assert!(odd.out.contains("\"uri\":\"%C3%A4%20b.toml\""), "{}", odd.out);
}
