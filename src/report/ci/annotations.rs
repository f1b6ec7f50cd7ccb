//! What does not hold as diagnostics, each at the step of the last event that decides it: for CI servers that show them
//! beside the lines of the file.

use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic};
use crate::judge::{Finding, Frequency, Rule, Status, Subject, Summary, Verdict};
use crate::report::terminal::event_list::event_words;
use crate::report::view::statistics::unfinished;
use crate::scenario::plan::Plan;
use crate::trace::Trace;

/// How many deciding events an annotation names.
const EVENTS: usize = 6;

pub fn run(plan: &Plan, trace: &Trace, verdict: &Verdict) -> Vec<Diagnostic> {
    let failed = verdict.findings.iter().filter(|judged| judged.status == Status::Fail);
    failed
        .map(|judged| {
            let notes = judged.reason.iter().cloned().collect();
            annotation(plan, Some(trace), judged.subject, &judged.label, &judged.finding, notes)
        })
        .collect()
}

/// Of several runs. `kept` holds the traces of some of them, by their numbers from 1.
pub fn runs(plan: &Plan, summary: &Summary, kept: &[(u64, Trace)]) -> Vec<Diagnostic> {
    let failed = summary.overall.iter().filter(|overall| overall.status == Status::Fail);
    failed
        .filter_map(|overall| {
            let (run, finding) = overall.example.as_ref()?;
            let trace = kept.iter().find(|(number, _)| number == run).map(|(_, trace)| trace);
            let mut notes = match overall.frequency {
                Frequency::NotAlways => Vec::new(),
                _ => vec![format!("it held in {} of {} runs; this is run {run}", overall.held, summary.runs)],
            };
            notes.extend(overall.reason.clone());
            Some(annotation(plan, trace, overall.subject, &overall.label, finding, notes))
        })
        .collect()
}

fn annotation(
    plan: &Plan,
    trace: Option<&Trace>,
    subject: Subject,
    label: &str,
    finding: &Finding,
    notes: Vec<String>,
) -> Diagnostic {
    let code = match subject {
        Subject::Expectation(_) | Subject::Rule(Rule::Interrupt | Rule::Limit) => Code::FAILED,
        Subject::Rule(Rule::Deadlock) => Code::DEADLOCK,
        Subject::Rule(Rule::Exit) => Code::BAD_END,
        Subject::Rule(Rule::Timeout | Rule::Livelock) => Code::TIMEOUT,
        Subject::Rule(Rule::Trace) => Code::INCOMPLETE,
    };
    let message = match subject {
        Subject::Expectation(_) => format!("`{label}` does not hold"),
        Subject::Rule(_) => finding.measured.clone(),
    };
    let mut diagnostic = Diagnostic::error(code, message).within(&plan.source);
    let last = trace.and_then(|trace| {
        let mut events = finding.witnesses.iter().rev().filter_map(|place| trace.events.get(*place));
        events.find_map(|event| event.step).or_else(|| {
            // A deadlocked run has no last event, but a waiting process.
            let waits = matches!(subject, Subject::Rule(Rule::Deadlock | Rule::Timeout | Rule::Livelock));
            unfinished(trace).iter().filter(|_| waits).find_map(|waiting| waiting.step)
        })
    });
    let expectation = match subject {
        Subject::Expectation(at) => plan.expectations.get(at),
        Subject::Rule(_) => None,
    };
    let step = last.and_then(|step| plan.steps.get(step as usize));
    if let Some(span) = step.map(|step| &step.span).or(expectation.map(|expectation| &expectation.span)) {
        diagnostic = diagnostic.at(&Arc::clone(&plan.source), span.clone(), "");
    }
    if let Subject::Expectation(_) = subject {
        for (word, text) in [("expected", &finding.expected), ("seen", &finding.measured)] {
            if !text.is_empty() {
                diagnostic = diagnostic.help(format!("{word} {text}"));
            }
        }
    }
    if let Some(trace) = trace {
        let places = finding.witnesses.iter().take(EVENTS);
        for words in places.filter_map(|place| event_words(plan, trace, *place)) {
            diagnostic = diagnostic.help(words);
        }
    }
    for note in notes.into_iter().chain(finding.notes.iter().cloned()) {
        diagnostic = diagnostic.help(note);
    }
    if let Some(expectation) = expectation {
        diagnostic = diagnostic.help(format!("expected at {}:{}", plan.source.path, expectation.line));
    }
    diagnostic
}
