//! A scenario as a CI server sees it: a suite with a case for each expectation, and one for the run itself.
//!
//! `junit` and `tap` write suites. A suite is plain data, so that it can travel from the process that ran a scenario to
//! the one that writes the report. A file that is wrong and a scenario that the host refused are suites as well: no
//! report leaves anything out.

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Format, Severity, render};
use crate::judge::{Finding, Frequency, Judged, Overall, Rule, Status, Subject, Summary, Verdict};
use crate::report::terminal::event_list::event_words;
use crate::report::terminal::run_summary::label;
use crate::report::terminal::style::{plural, visible};
use crate::scenario::plan::Plan;
use crate::text::line;
use crate::trace::Trace;

/// The name of the case that stands for what every run must do: end, and end well, with a whole trace.
const RUN: &str = "run";

/// A scenario with everything that was judged of it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Suite {
    /// The scenario's name; its path where it could not be read.
    pub name: String,
    pub path: String,
    /// When it began, in UTC: `2026-01-31T12:00:00.123456Z`. Empty where it never did.
    pub started: String,
    /// How long its runs took, in ns.
    pub duration: u64,
    /// What the run depended on: the seed and the params.
    pub properties: Vec<(String, String)>,
    /// The run, then every expectation in the order of the file.
    pub cases: Vec<Case>,
    /// What is shown of it on a terminal, without colours.
    pub output: String,
}

/// One thing that was judged.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Case {
    /// The expectation's label, or `run`; unique in its suite.
    pub name: String,
    /// Its line in the file, where it has one.
    pub line: Option<usize>,
    /// How long it took, in ns: 0 for expectations, which are judged after the run.
    pub duration: u64,
    /// What became of it.
    pub result: Ending,
}

/// What became of a case.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Ending {
    /// It holds; what was measured.
    Passed(String),
    /// It does not hold.
    Failed(Fault),
    /// It could not be tried: the file is wrong, or the host refused.
    Error(Fault),
    /// It could not be decided, and why.
    Skipped(String),
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fault {
    /// Which kind of fault it is: the expectation's form, the rule, the diagnostic's code.
    pub kind: String,
    /// It in one line.
    pub message: String,
    /// `file:line` of what was asked.
    pub place: String,
    /// What was expected; empty where that makes no sense.
    pub expected: String,
    /// What was seen; the same.
    pub seen: String,
    /// Why that decides, and more facts.
    pub notes: Vec<String>,
    /// The events that decide it, a line each.
    pub witnesses: Vec<String>,
}

impl Suite {
    /// Of one run. `started` is the moment in UTC, `output` the summary as a terminal shows it.
    pub fn run(plan: &Plan, trace: &Trace, verdict: &Verdict, started: &str, output: String) -> Self {
        let rules: Vec<&Judged> =
            verdict.findings.iter().filter(|judged| matches!(judged.subject, Subject::Rule(_))).collect();
        let run = of_run(
            rules.iter().map(|judged| {
                let fault = fault(plan, judged.subject, &judged.label, &judged.finding, judged.reason.as_deref());
                (judged.status, judged.reason.clone(), fault.witnesses(plan, Some(trace), &judged.finding))
            }),
            trace.duration,
        );
        let expectations = verdict.findings.iter().filter_map(|judged| {
            let line = expectation_line(plan, judged.subject)?;
            let result = match judged.status {
                Status::Pass => Ending::Passed(judged.finding.measured.clone()),
                Status::Unknown => Ending::Skipped(unknown(judged.reason.as_deref())),
                Status::Fail => {
                    let fault = fault(plan, judged.subject, &judged.label, &judged.finding, judged.reason.as_deref());
                    Ending::Failed(fault.witnesses(plan, Some(trace), &judged.finding))
                }
            };
            Some(Case { name: label(&judged.label, judged.holds), line, duration: 0, result })
        });
        let cases = std::iter::once(run).chain(expectations).collect();
        Self { duration: trace.duration, ..Self::of(plan, started, cases, output) }
    }

    /// Of several runs. `kept` holds the traces of some of them, by their numbers from 1; `duration` is that of all
    /// runs together.
    pub fn runs(
        plan: &Plan,
        summary: &Summary,
        kept: &[(u64, Trace)],
        duration: u64,
        started: &str,
        output: String,
    ) -> Self {
        let told = |overall: &Overall| {
            let Some((run, finding)) = &overall.example else { return Fault::default() };
            let trace = kept.iter().find(|(number, _)| number == run).map(|(_, trace)| trace);
            let mut fault = fault(plan, overall.subject, &overall.label, finding, overall.reason.as_deref())
                .witnesses(plan, trace, finding);
            let held = match overall.frequency {
                Frequency::NotAlways => "it does not hold in every execution".to_owned(),
                _ => format!("it held in {} of {}", overall.held, plural(summary.runs, "run")),
            };
            fault.message = format!("{} ({held})", fault.message);
            fault.notes.insert(0, format!("{held}; this is run {run}"));
            fault
        };
        let rules = summary.overall.iter().filter(|overall| matches!(overall.subject, Subject::Rule(_)));
        let run = of_run(rules.map(|overall| (overall.status, why(overall), told(overall))), duration);
        let expectations = summary.overall.iter().filter_map(|overall| {
            let line = expectation_line(plan, overall.subject)?;
            let result = match overall.status {
                Status::Pass => Ending::Passed(format!("held in {} of {}", overall.held, plural(summary.runs, "run"))),
                Status::Unknown => Ending::Skipped(unknown(why(overall).as_deref())),
                Status::Fail => Ending::Failed(told(overall)),
            };
            Some(Case { name: label(&overall.label, overall.holds), line, duration: 0, result })
        });
        let cases = std::iter::once(run).chain(expectations).collect();
        let mut suite = Self { duration, ..Self::of(plan, started, cases, output) };
        suite.properties.push(("runs".to_owned(), summary.runs.to_string()));
        suite
    }

    /// Of a file that is wrong, or of a scenario that the host refused, which the diagnostics report.
    pub fn refused(path: &str, diagnostics: &[Diagnostic]) -> Self {
        let first = diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error);
        let first = first.or(diagnostics.first());
        let text = render(diagnostics, Format::Full, false);
        let place = first.and_then(|diagnostic| {
            let line = diagnostic.source.as_ref()?.place(diagnostic.primary.as_ref()?.span.start).line;
            Some((line, format!("{path}:{line}")))
        });
        let fault = Fault {
            kind: first.map_or_else(String::new, |diagnostic| diagnostic.code.to_string()),
            message: first.map_or_else(|| "it did not run".to_owned(), |diagnostic| diagnostic.message.clone()),
            place: place.as_ref().map_or_else(|| path.to_owned(), |(_, place)| place.clone()),
            notes: text.lines().map(str::to_owned).collect(),
            ..Fault::default()
        };
        let line = place.map(|(line, _)| line);
        Self::bare(path, Case { name: RUN.to_owned(), line, duration: 0, result: Ending::Error(fault) })
    }

    /// Of a scenario that was never begun, and why.
    pub fn skipped(path: &str, reason: &str) -> Self {
        let result = Ending::Skipped(reason.to_owned());
        Self::bare(path, Case { name: RUN.to_owned(), line: None, duration: 0, result })
    }

    fn bare(path: &str, case: Case) -> Self {
        Self { name: path.to_owned(), path: path.to_owned(), cases: vec![case], ..Self::default() }
    }

    fn of(plan: &Plan, started: &str, mut cases: Vec<Case>, output: String) -> Self {
        // Servers tell cases apart by their names alone.
        for at in 1..cases.len() {
            let (before, rest) = cases.split_at_mut(at);
            let Some(case) = rest.first_mut() else { break };
            if before.iter().any(|other| other.name == case.name) {
                let line = case.line.map_or_else(String::new, |line| format!("line {line}, "));
                case.name = format!("{} ({line}case {at})", case.name);
            }
        }
        let mut properties = vec![("seed".to_owned(), plan.seed.to_string())];
        properties.extend(plan.params.iter().map(|(name, value)| (format!("param.{name}"), value.to_string())));
        Self {
            name: plan.name.raw().to_owned(),
            path: plan.source.path.raw().to_owned(),
            started: started.to_owned(),
            duration: 0,
            properties,
            cases,
            output,
        }
    }

    /// How many of its cases there are that the test holds for.
    pub(crate) fn count(&self, test: impl Fn(&Ending) -> bool) -> usize {
        self.cases.iter().filter(|case| test(&case.result)).count()
    }
}

impl Fault {
    /// The fault as lines of text.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (word, text) in [("expected", &self.expected), ("seen", &self.seen)] {
            if !text.is_empty() {
                lines.push(format!("{word:<8}  {text}"));
            }
        }
        lines.extend(self.witnesses.iter().cloned());
        lines.extend(self.notes.iter().cloned());
        if !self.place.is_empty() {
            lines.push(format!("at {}", self.place));
        }
        lines.iter().map(|text| line(text).into_owned()).collect()
    }

    fn witnesses(mut self, plan: &Plan, trace: Option<&Trace>, finding: &Finding) -> Self {
        let Some(trace) = trace else { return self };
        self.witnesses = finding
            .witnesses
            .iter()
            .filter_map(|place| {
                let step = trace.events.get(*place)?.step;
                let at = step.map_or_else(String::new, |step| format!("  {}", plan.place(step)));
                Some(format!("{}{at}", event_words(plan, trace, *place)?))
            })
            .collect();
        self
    }

    /// Takes in a further fault of the same case.
    fn join(&mut self, other: Self) {
        self.message = format!("{}; {}", self.message, other.message);
        self.notes.push(other.message);
        self.notes.extend(other.notes);
        self.witnesses.extend(other.witnesses);
    }
}

/// The line of an expectation, if that is what was judged.
#[expect(clippy::option_option, reason = "an expectation may be one whose line is not known")]
fn expectation_line(plan: &Plan, subject: Subject) -> Option<Option<usize>> {
    match subject {
        Subject::Expectation(place) => Some(plan.expectations.get(place).map(|expectation| expectation.line)),
        Subject::Rule(_) => None,
    }
}

/// The case of the run, from the rules that were broken.
fn of_run(broken: impl Iterator<Item = (Status, Option<String>, Fault)>, duration: u64) -> Case {
    let (mut failed, mut skipped) = (None::<Fault>, None);
    for (status, reason, fault) in broken {
        match (status, &mut failed) {
            (Status::Pass, _) => {}
            (Status::Unknown, _) => skipped = skipped.or(Some(unknown(reason.as_deref()))),
            (Status::Fail, None) => failed = Some(fault),
            (Status::Fail, Some(before)) => before.join(fault),
        }
    }
    let result = match (failed, skipped) {
        (Some(fault), _) => Ending::Failed(fault),
        (None, Some(reason)) => Ending::Skipped(reason),
        (None, None) => Ending::Passed("it ended by itself, every process well".to_owned()),
    };
    Case { name: RUN.to_owned(), line: None, duration, result }
}

/// Why it has that status, as a report says it that has no word for what depends on timing.
fn why(overall: &Overall) -> Option<String> {
    let reason = overall.reason.clone();
    if overall.timing { Some(format!("timing-dependent: {}", reason.unwrap_or_default())) } else { reason }
}

fn unknown(reason: Option<&str>) -> String {
    reason.unwrap_or("it could not be decided").to_owned()
}

fn fault(plan: &Plan, subject: Subject, label: &str, finding: &Finding, reason: Option<&str>) -> Fault {
    let (kind, place) = match subject {
        Subject::Expectation(at) => match plan.expectations.get(at) {
            Some(expectation) => {
                (expectation.form.name.to_owned(), format!("{}:{}", plan.source.path, expectation.line))
            }
            None => (String::new(), String::new()),
        },
        Subject::Rule(rule) => (rule.name().to_owned(), String::new()),
    };
    let said = [("expected", &finding.expected), ("seen", &finding.measured)];
    let said: Vec<String> = said.iter().filter(|(_, text)| !text.is_empty()).map(|(w, t)| format!("{w} {t}")).collect();
    let message = match subject {
        // Of a rule, what was seen says it all.
        Subject::Rule(Rule::Deadlock) => format!("deadlock: {}", finding.measured),
        Subject::Rule(_) => finding.measured.clone(),
        Subject::Expectation(_) if said.is_empty() => label.to_owned(),
        Subject::Expectation(_) => said.join(", "),
    };
    Fault {
        kind,
        message: visible(&message).into_owned(),
        place,
        expected: finding.expected.clone(),
        seen: finding.measured.clone(),
        notes: reason.map(str::to_owned).into_iter().chain(finding.notes.iter().cloned()).collect(),
        witnesses: Vec::new(),
    }
}

/// Text on one line that commands nothing.
pub(crate) fn one_line(text: &str) -> String {
    line(text).into_owned()
}
