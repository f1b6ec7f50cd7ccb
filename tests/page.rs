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
