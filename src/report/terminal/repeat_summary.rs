//! The summary of the runs of `--repeat`: in which states they ended and how often, and in how many of them each
//! expectation held.

use std::fmt::Write as _;

use super::run_summary::{LINES, Options, Page, headline, label, mark};
use super::style::{FAINT, STRONG, ascii, placed, plural, shorten, visible, width};
use crate::judge::{Frequency, Overall, Status, Summary};
use crate::scenario::expectation::Holds;
use crate::scenario::plan::Plan;
use crate::trace::Trace;

/// The columns of the word that says how often something holds.
pub(crate) const WORD: usize = 9;
/// The columns of the longest bar.
const BAR: u64 = 20;

/// The summary of several runs. `kept` holds the traces of some of them, by their numbers from 1: the events that
/// decide an expectation are drawn where the run that decides it is among them.
pub fn runs(plan: &Plan, summary: &Summary, kept: &[(u64, Trace)], options: &Options<'_>) -> String {
    let page = Page { plan, pen: options.pen(), columns: options.width() };
    let statuses: Vec<Status> = summary.overall.iter().map(|overall| overall.status).collect();
    let mut out = headline(plan, &statuses, summary.status, page.pen, page.columns);
    expectations(&page, summary, kept, &mut out);
    histogram(&page, summary, &mut out);
    if options.ascii {
        out = ascii(&out);
    }
    if summary.status == Status::Fail {
        page.again(&mut out, options.arguments);
    }
    out
}

/// `Always`, `Sometimes`, `Never`.
pub(crate) fn frequency(frequency: Frequency) -> &'static str {
    match frequency {
        Frequency::Always => "Always",
        Frequency::Sometimes => "Sometimes",
        Frequency::Never => "Never",
        Frequency::NotAlways => "Not always",
        Frequency::Undecided => "Undecided",
    }
}

fn expectations(page: &Page<'_>, summary: &Summary, kept: &[(u64, Trace)], out: &mut String) {
    let labels = summary.overall.iter().map(|overall| width(&label(&overall.label, overall.holds)));
    let counts = summary.overall.iter().map(|overall| width(&held(overall, summary.runs))).max().unwrap_or(0);
    let columns = page.labels(labels, 17 + counts);
    for overall in &summary.overall {
        line(page, overall, (frequency(overall.frequency), WORD), &held(overall, summary.runs), columns, out);
        match overall.status {
            Status::Pass if overall.holds != Holds::Always => {}
            Status::Pass | Status::Unknown => {
                if let Some(reason) = &overall.reason {
                    page.wrapped(out, "    ", reason);
                }
            }
            Status::Fail => failed(page, overall, kept, out),
        }
    }
}

/// The line of an expectation over several executions; `word` says how often it holds, in that many columns, and `held` in
/// how many.
pub(crate) fn line(
    page: &Page<'_>,
    overall: &Overall,
    (word, beside): (&str, usize),
    held: &str,
    columns: usize,
    out: &mut String,
) {
    let text = shorten(&label(&overall.label, overall.holds), columns).into_owned();
    let word = format!("{word:<beside$}");
    let fails = overall.status == Status::Fail;
    let style = if fails { STRONG } else { anstyle::Style::new() };
    let place = if fails { page.place(overall.subject) } else { String::new() };
    let _ = write!(
        out,
        "  {} {}  {}  {}{}",
        mark(overall.status, page.pen),
        page.pen.paint(FAINT, word),
        page.pen.pad(style, &text, columns),
        page.pen.paint(FAINT, held),
        placed(&place, 8 + beside + columns + width(held), page.columns, page.pen),
    );
}

/// `12 of 20 runs`, and how many could not be judged.
fn held(overall: &Overall, runs: u64) -> String {
    let mut text = format!("{} of {}", overall.held, plural(runs, "run"));
    if overall.unknown > 0 {
        let _ = write!(text, ", {} unknown", overall.unknown);
    }
    text
}

fn failed(page: &Page<'_>, overall: &Overall, kept: &[(u64, Trace)], out: &mut String) {
    let Some((run, finding)) = &overall.example else { return };
    page.wrapped(out, "    ", &format!("in run {run}"));
    let trace = kept.iter().find(|(number, _)| number == run).map(|(_, trace)| trace);
    page.found(out, finding, overall.reason.as_deref(), trace);
    page.notes(out, &finding.notes);
}

/// How often the runs ended in each state, the most frequent first.
fn histogram(page: &Page<'_>, summary: &Summary, out: &mut String) {
    let states = &summary.states;
    let _ = writeln!(out, "  {} ended in {}", plural(summary.runs, "run"), plural(states.len() as u64, "state"));
    let most = states.iter().map(|state| state.runs).max().unwrap_or(0).max(1);
    let digits = summary.runs.to_string().len();
    for state in states.iter().take(LINES) {
        // What was seen at all has at least a little bar.
        let bar = "█".repeat((state.runs * BAR).div_ceil(most) as usize);
        let lead = format!("    {:>digits$}  {bar:<1$}  ", state.runs, BAR as usize);
        let first = format!("  from run {}", state.first);
        let room = page.columns.saturating_sub(width(&lead) + width(&first));
        let text = visible(&state.state);
        let _ = writeln!(out, "{lead}{}{}", shorten(&text, room), page.pen.paint(FAINT, first));
    }
    if states.len() > LINES {
        let rest: u64 = states[LINES..].iter().map(|state| state.runs).sum();
        let more = format!("    {rest:>digits$}  in {}", plural((states.len() - LINES) as u64, "more state"));
        let _ = writeln!(out, "{}", page.pen.paint(FAINT, more));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{FinalState, Subject};
    use crate::report::testing::verdicts::verdict;
    use crate::scenario::expectation::Holds;
    use crate::trace::file::fixture;

    fn summary(plan: &mut Plan, trace: &Trace) -> Summary {
        let found = [("final = \"money == 5000\"", Status::Fail), ("reaches", Status::Pass)];
        let verdict = verdict(plan, trace, &found);
        let mut finding = verdict.findings[0].finding.clone();
        finding.expected = "money == 5000".to_owned();
        finding.measured = "money = 4730".to_owned();
        finding.witnesses = vec![4];
        let overall = |place: usize, status, frequency, held, example| Overall {
            subject: Subject::Expectation(place),
            label: found[place].0.to_owned(),
            holds: if place == 0 { Holds::Always } else { Holds::Sometimes },
            status,
            reason: None,
            frequency,
            held,
            failed: 20 - held,
            unknown: 0,
            example,
            unseen: Vec::new(),
            timing: false,
        };
        let state = |state: &str, runs, first| FinalState { state: state.to_owned(), runs, first };
        Summary {
            runs: 20,
            status: Status::Fail,
            overall: vec![
                overall(0, Status::Fail, Frequency::Sometimes, 8, Some((2, finding))),
                overall(1, Status::Pass, Frequency::Always, 20, None),
            ],
            states: vec![state("money=4730", 12, 2), state("money=5000", 7, 1), state("money=5200", 1, 9)],
        }
    }

    #[test]
    fn runs_are_counted_by_how_they_ended() {
        let mut plan = fixture::workers();
        let trace = fixture::work(&plan);
        let summary = summary(&mut plan, &trace);
        let options = Options {
            color: false,
            picture: true,
            ascii: false,
            columns: 80,
            arguments: &["--repeat".to_owned(), "20".to_owned()],
        };
        assert_eq!(
            runs(&plan, &summary, &[(2, trace)], &options),
            "\
✗ test: 1 failed  scenarios/test.toml
  ✗ Sometimes  final = \"money == 5000\"  8 of 20 runs  scenarios/test.toml:20
    in run 2
    expected  money == 5000
    seen      money = 4730
     --> scenarios/test.toml:9
      |
    9 |   { release = \"permits\" },
      |   ^^^^^^^^^^^^^^^^^^^^^^^
      |   #5  0.451 ms  worker[0] release permits
  ✓ Always     reaches (sometimes)      20 of 20 runs
  20 runs ended in 3 states
    12  ████████████████████  money=4730  from run 2
     7  ████████████          money=5000  from run 1
     1  ██                    money=5200  from run 9
  again: ipcrun run scenarios/test.toml --seed 7 --repeat 20
"
        );
    }

    #[test]
    fn many_states_are_folded() {
        let mut plan = fixture::workers();
        let trace = fixture::work(&plan);
        let mut summary = summary(&mut plan, &trace);
        summary.overall.clear();
        summary.status = Status::Pass;
        summary.states = (1..=40)
            .map(|first| FinalState { state: format!("{first} {}", "x".repeat(200)), runs: 1, first })
            .collect();
        let text = runs(
            &plan,
            &summary,
            &[],
            &Options { color: false, picture: true, ascii: false, columns: 80, arguments: &[] },
        );
        assert!(text.ends_with("    28  in 28 more states\n"), "{text}");
        assert!(text.lines().all(|line| width(line) <= 80), "{text}");
    }
}
