//! The page as a whole: what it must never contain, what it must always have.

use super::*;
use crate::event::Target;
use crate::judge::{FinalState, Frequency, Overall, Status, Subject};
use crate::report::testing::verdicts::verdict;
use crate::scenario::expectation::Holds;
use crate::trace::file::fixture;
use crate::trace::{RunEnd, Waiting};
use crate::value::Value;

const EVIL: &str = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\u{202e}\u{0}]]>";

fn simple() -> String {
    let mut plan = fixture::workers();
    let trace = fixture::work(&plan);
    let found = [("never more than 1", Status::Fail), ("some", Status::Unknown), ("b", Status::Pass)];
    let mut verdict = verdict(&mut plan, &trace, &found);
    verdict.findings[0].finding.witnesses = vec![6, 4, 1_000];
    page(&plan, &trace, &verdict, &Options { command: "ipcrun run scenarios/test.toml --seed 7", ..Options::default() })
}

/// The tags that are open at the end, and those that were closed without being open.
fn unbalanced(page: &str) -> Vec<String> {
    const VOID: [&str; 5] = ["meta", "link", "input", "br", "!DOCTYPE"];
    let mut open: Vec<String> = Vec::new();
    let mut wrong = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().expect("a name").to_owned();
        if tag.starts_with('/') {
            if open.pop().as_ref() != Some(&name) {
                wrong.push(tag.to_owned());
            }
        } else if !tag.ends_with('/') && !VOID.contains(&name.as_str()) {
            if matches!(name.as_str(), "script" | "style") {
                let close = format!("</{name}>");
                rest = &rest[rest.find(&close).expect("it ends") + close.len()..];
            } else {
                open.push(name);
            }
        }
    }
    wrong.extend(open);
    wrong
}

/// The JSON of the page.
fn data_of(page: &str) -> serde_json::Value {
    let start = page.find("id=\"data\">").expect("the data") + "id=\"data\">".len();
    let end = start + page[start..].find("</script>").expect("its end");
    serde_json::from_str(&page[start..end]).expect("JSON")
}

#[test]
fn the_page_is_whole_small_and_needs_nothing_else() {
    let page = simple();
    assert_eq!(unbalanced(&page), Vec::<String>::new());
    assert!(page.len() < 150_000, "{}", page.len());
    for outside in ["http://", "https://", "src=\"", "@import", "url(\"", "//cdn", "fetch(", "XMLHttpRequest"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains(">FAIL</span>") && page.contains("ipcrun run scenarios/test.toml --seed 7"));
    // What failed is open, what holds is not.
    assert_eq!(page.matches("<details open>").count(), 2);
    assert!(page.contains("href=\"#e7\"") && !page.contains("href=\"#e1001\""));
}

#[test]
fn the_data_leads_back_to_the_run() {
    let data = data_of(&simple());
    assert_eq!(data["count"], 9);
    assert_eq!(data["processes"], serde_json::json!(["worker[0]", "worker[1]", "worker[2]"]));
    assert_eq!(data["events"]["process"], serde_json::json!([0, 0, 1, 1, 0, 1, 2, 2, 2]));
    assert_eq!(data["events"]["outcome"], 0);
    assert_eq!(data["events"]["cause"][6], 5);
    assert_eq!(data["edges"], serde_json::json!({ "count": 1, "to": 6, "back": 2 }));
    assert_eq!(data["witnesses"], serde_json::json!([4, 6, 1_000]));
    let values = data["values"].as_array().expect("a table");
    assert_eq!(values[data["events"]["value"][1].as_u64().expect("a place") as usize], "\"at work\"");
}

#[test]
fn what_a_scenario_says_never_becomes_markup() {
    let text = format!("# {EVIL}\nsteps = [ {{ mark = \"x\" }} ]");
    let mut plan = fixture::plan(&text, &[(EVIL, &fixture::MUTEX)], &[(EVIL, Some(2), 1)]);
    (plan.name, plan.about) = (crate::text::Untrusted::new(EVIL), Some(EVIL.to_owned()));
    let mut mark = fixture::event(&plan, (0, 0), Some(0), (0, 5), Target::Object(0));
    (mark.value, mark.second) = (Value::from(EVIL), Value::from(EVIL));
    let mut trace = fixture::trace(&plan, vec![mark]);
    trace.end = RunEnd::Deadlock;
    trace.stuck = vec![Waiting {
        process: 1,
        step: Some(0),
        verb: EVIL.to_owned(),
        target: Target::Object(0),
        since: 3,
        on: vec![0],
        holder: Some(0),
    }];
    let mut verdict = verdict(&mut plan, &trace, &[(EVIL, Status::Fail)]);
    let finding = &mut verdict.findings[0].finding;
    (finding.measured, finding.expected, finding.notes) = (EVIL.to_owned(), EVIL.to_owned(), vec![EVIL.to_owned()]);
    finding.witnesses = vec![0];
    let summary = Summary {
        runs: 3,
        status: Status::Fail,
        overall: vec![Overall {
            subject: Subject::Expectation(0),
            label: EVIL.to_owned(),
            holds: Holds::Sometimes,
            status: Status::Fail,
            reason: Some(EVIL.to_owned()),
            frequency: Frequency::Sometimes,
            held: 1,
            failed: 2,
            unknown: 0,
            example: None,
            unseen: Vec::new(),
            timing: false,
        }],
        states: vec![FinalState { state: EVIL.to_owned(), runs: 3, first: 1 }],
    };
    for summary in [None, Some(&summary)] {
        let page = page(&plan, &trace, &verdict, &Options { command: EVIL, summary, run: 1 });
        assert_eq!(unbalanced(&page), Vec::<String>::new());
        assert_eq!(page.matches("<script").count(), 3, "the class, the data, the script");
        assert!(!page.contains("<img") && !page.contains('\u{202e}') && !page.contains('\u{0}'));
        assert!(data_of(&page)["values"].as_array().is_some_and(|values| values.iter().any(|value| {
            serde_json::from_str::<String>(value.as_str().unwrap_or("")).is_ok_and(|text| text == EVIL)
        })));
    }
}

#[test]
fn who_waits_for_whom_is_drawn() {
    let mut plan = fixture::workers();
    let mut trace = fixture::work(&plan);
    let waiting = |process, on: u32| Waiting {
        process,
        step: Some(0),
        verb: "acquire".to_owned(),
        target: Target::Object(0),
        since: 9,
        on: vec![on],
        holder: Some(on),
    };
    trace.stuck = vec![waiting(0, 1), waiting(1, 0), waiting(2, 0)];
    trace.end = RunEnd::Deadlock;
    let verdict = verdict(&mut plan, &trace, &[]);
    let page = page(&plan, &trace, &verdict, &Options::default());
    assert_eq!(page.matches("class=\"node\"").count(), 3);
    assert_eq!(page.matches("class=\"edge\"").count(), 3);
    assert_eq!(page.matches("class=\"held\"").count(), 3);
    assert!(page.contains("Deadlock: 3 processes wait for ever"));
    assert_eq!(unbalanced(&page), Vec::<String>::new());
}

#[test]
fn a_long_run_stays_within_the_limits_of_the_picture() {
    let mut plan = fixture::plan("steps = [ { print = \"x\" } ]", &[], &[("worker", Some(100), 1)]);
    let events = (0..100u32)
        .flat_map(|process| (0..200u64).map(move |number| (process, number, number * 1_000 + u64::from(process))));
    let events: Vec<_> = events
        .map(|(process, number, begin)| {
            let mut event = fixture::event(&plan, (process, number), Some(0), (begin, begin + 400), Target::None);
            event.value = Value::Int(number as i64);
            event
        })
        .collect();
    let trace = fixture::trace(&plan, events);
    let verdict = verdict(&mut plan, &trace, &[]);
    let page = page(&plan, &trace, &verdict, &Options::default());
    let picture = &page[page.find("class=\"still\"").expect("the picture")..];
    let picture = &picture[..picture.find("</svg>").expect("its end")];
    assert!(picture.matches("<rect").count() + picture.matches("<path").count() < 2_000);
    assert!(page.contains("70 more processes are not drawn."));
    // 20,000 events: what each of them takes.
    assert!(page.len() < 150_000 + 20_000 * 60, "{}", page.len());
}

#[test]
fn a_run_of_nothing_has_a_page() {
    let mut plan = fixture::plan("", &[], &[]);
    let trace = fixture::trace(&plan, Vec::new());
    let verdict = verdict(&mut plan, &trace, &[]);
    let page = page(&plan, &trace, &verdict, &Options::default());
    assert_eq!(unbalanced(&page), Vec::<String>::new());
    assert_eq!(data_of(&page)["count"], 0);
}
