//! The page of a run: where it is written, and that a saved trace gives the same one. What it does in a browser is
//! tested by `tests/page/run`.

use crate::support::Test;

const DIALOGUE: &str = "[objects]\nlink = { kind = \"pipe\" }\n\
    [processes.a]\nsteps = [{ send = \"link.w\", value = \"</script> 执行任务\" }]\n\
    [processes.b]\nsteps = [{ recv = \"link.r\", into = \"x\" }]\n\
    [[expect]]\nfifo = \"link\"\n";

/// What `trace` makes of a saved trace.
fn again(trace: &str, arguments: &[&str]) -> crate::support::Done {
    Test::new().file("t.jsonl", trace).args(["trace", "t.jsonl"]).args(arguments.iter().copied()).run().status(0)
}

#[test]
fn a_saved_trace_gives_the_same_page() {
    let run = ["--html", "p.html", "--trace", "t.jsonl"];
    let done = Test::scenario(DIALOGUE).args(run).run().status(0).nothing_left();
    let (page, trace) = (done.read("p.html"), done.read("t.jsonl"));
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(page.contains("again:") && page.contains("执行任务"));
    assert_eq!(page.matches("</script>").count(), 3);
    assert_eq!(again(&trace, &["--html", "q.html"]).stdout("").read("q.html"), page);
    assert_eq!(again(&trace, &["--to", "html"]).out, page);
}

#[test]
fn the_ending_of_a_trace_can_ask_for_a_page() {
    let done = Test::scenario(DIALOGUE).args(["--trace", "t.html"]).run().status(0);
    assert!(done.read("t.html").starts_with("<!DOCTYPE html>"));
}

#[test]
fn the_page_of_several_runs_says_how_they_ended() {
    let done = Test::scenario(DIALOGUE).args(["--repeat", "3", "--html", "p.html"]).run().status(0);
    let page = done.read("p.html");
    assert!(page.contains("3 runs ended in 1 state") && page.contains("run 1 of 3"));
}

#[test]
fn a_page_shows_one_scenario() {
    let test = Test::scenario(DIALOGUE).file("other.toml", DIALOGUE).args(["other.toml", "--html", "p.html"]);
    test.run().status(2).stderr_contains("`--html p.html` takes one scenario, and these are 2");
}

#[test]
fn a_page_that_cannot_be_written_is_told() {
    let done = Test::scenario(DIALOGUE).args(["--html", "none/p.html"]).run().status(3);
    done.stderr_contains("the page cannot be written to `none/p.html`");
}

/// What the levels of a page to play have in them: numbers of strings, of states and steps are tested in a browser.
fn levels(page: &str) -> serde_json::Value {
    let (_, data) = page.split_once("id=\"levels\">").expect("the levels");
    serde_json::from_str(data.split_once("</script>").expect("their end").0).expect("JSON")
}

#[test]
fn scenarios_are_played_on_one_page() {
    let failing = DIALOGUE.to_owned() + "[[expect]]\nnever = \"b recv link\"\n";
    let test = Test::new().file("one.toml", DIALOGUE).file("two.toml", &failing);
    let done = test.args(["explore", "one.toml", "two.toml", "--play", "p.html"]).run().status(1);
    let page = done.read("p.html");
    let levels = levels(&page);
    assert_eq!([0, 1].map(|level| levels[level]["name"].clone()), ["one", "two"]);
    assert_eq!([0, 1].map(|level| levels[level]["goal"].clone()), ["", "fail"]);
    for level in [0, 1] {
        let level = &levels[level];
        assert_eq!(level["whole"], true);
        let states = level["states"].as_array().expect("states");
        // Every step leads to a state of the page, and every state without a step is an end.
        for state in states {
            let steps = state["s"].as_array().expect("steps");
            assert!(steps.iter().all(|step| (step[5].as_i64().unwrap_or(-1) as usize) < states.len()));
            assert_eq!(steps.is_empty(), state["e"].as_i64().unwrap_or(-1) >= 0);
        }
        // The text of a program is that of the file, the place of a step its table.
        let program = &level["programs"][1];
        let place = program["steps"]["1"].as_array().expect("a place");
        let text: Vec<u16> = program["text"].as_str().expect("text").encode_utf16().collect();
        let [from, to] = [0, 1].map(|at| place[at].as_u64().unwrap_or_default() as usize);
        assert_eq!(String::from_utf16_lossy(&text[from..to]), "{ recv = \"link.r\", into = \"x\" }");
    }
}

#[test]
fn a_page_to_play_keeps_what_fits() {
    let worker = "[objects]\nv = { kind = \"value\", value = 0 }\n[processes.p]\ncount = 5\n\
        steps = [{ repeat = 6, do = [{ add = \"v\", value = \"{index + 1}\" }, { load = \"v\", into = \"x\" }] }]\n";
    let arguments = ["explore", "a.toml", "--play", "p.html", "--max-states", "10"];
    let done = Test::new().file("a.toml", worker).args(arguments).run().status(5);
    let done = done.stderr_contains("nearest to the first");
    let page = done.read("p.html");
    assert!(page.len() < 1_500_000, "{}", page.len());
    assert_eq!(levels(&page)[0]["whole"], false);
}

#[test]
fn a_page_to_play_ends_within_the_time_that_was_given() {
    let crowd = "[objects]\nm = { kind = \"mutex\", count = 400 }\n[processes.p]\ncount = 400\n\
        steps = [{ lock = \"m[index]\" }, { unlock = \"m[index]\" }]\n";
    let arguments = ["explore", "a.toml", "--play", "p.html", "--max-time", "100ms"];
    let done = Test::new().file("a.toml", crowd).args(arguments).run().status(3);
    let done =
        done.stdout_contains("the time limit was reached").stderr_contains("`a` is too large to be played on a page");
    assert!(!done.directory().join("p.html").exists());
}
