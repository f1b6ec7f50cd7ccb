//! A run as one JSON document, for `--json`. `docs/json.md` describes each field.
//!
//! Values, events and processes that wait are written as in a trace file, so that a program that reads one can read the
//! other.

use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Severity};
use crate::event::Target;
use crate::explore::analysis::interleavings::Number;
use crate::explore::analysis::starvation::Liveness;
use crate::judge::{Frequency, Judged, Overall, Status, Subject, Summary, Verdict};
use crate::report::terminal::exploration_summary::{Exploration, Killed, cut_words, word};
use crate::report::terminal::repeat_summary::frequency;
use crate::report::terminal::trace_diff::Difference;
use crate::report::view::statistics::{Usage, groups, objects, unfinished};
use crate::scenario::expectation::Holds;
use crate::scenario::plan::Plan;
use crate::trace::file::{end_word, event_json, exit_json, value_json, waiting_json};
use crate::trace::{RunEnd, Trace, wait_for};

/// The document of one run.
pub fn run(plan: &Plan, trace: &Trace, verdict: &Verdict) -> Json {
    let mut document = scenario(plan, verdict.status, exit_status(verdict.status, trace));
    let waiting: Vec<Json> = unfinished(trace).iter().filter_map(|one| waiting_json(plan, one)).collect();
    let (expectations, broken): (Vec<&Judged>, Vec<&Judged>) =
        verdict.findings.iter().partition(|judged| matches!(judged.subject, Subject::Expectation(_)));
    let all = |list: &[&Judged]| list.iter().map(|judged| finding(plan, trace, judged)).collect::<Vec<_>>();
    add(
        &mut document,
        json!({
            "engine": trace.engine,
            "end": end_word(&trace.end),
            "duration": trace.duration,
            "expectations": all(&expectations),
            "broken": all(&broken),
            "processes": (0..trace.ends.len() as u32).filter_map(|id| exit_json(plan, trace, id)).collect::<Vec<_>>(),
            "objects": object_list(plan, trace),
            "deadlock": if trace.stuck.is_empty() { Json::Null } else {
                let daemons = trace.daemons.iter().filter_map(|one| waiting_json(plan, one));
                let cycle = wait_for::cycle(&trace.stuck, &trace.daemons).map(|ring| {
                    ring.iter().map(|one| plan.target_name(Target::Process(one.process))).collect::<Vec<_>>()
                });
                json!({ "waiting": waiting, "daemons": daemons.collect::<Vec<_>>(), "cycle": cycle })
            },
            "printed": printed(plan, trace),
            "trace": {
                "events": trace.length(),
                "whole": trace.whole,
                "counted": trace.counted.iter().map(|(_, count)| count).sum::<u64>(),
                "stalled": trace.stalled,
                "lost": trace.lost,
            },
        }),
    );
    if let Some(doing) = trace.end.doing() {
        let doing: Vec<Json> = doing.iter().filter_map(|one| waiting_json(plan, one)).collect();
        add(&mut document, json!({ "doing": doing }));
    }
    document
}

/// The document of several runs. `kept` holds the traces of some of them, by their numbers from 1.
pub fn runs(plan: &Plan, summary: &Summary, kept: &[(u64, Trace)]) -> Json {
    let mut document = scenario(plan, summary.status, exit_of(summary.status));
    let (expectations, broken): (Vec<&Overall>, Vec<&Overall>) =
        summary.overall.iter().partition(|overall| matches!(overall.subject, Subject::Expectation(_)));
    let all = |list: &[&Overall]| {
        list.iter().map(|overall| over_runs(plan, overall, frequency(overall.frequency), kept)).collect::<Vec<_>>()
    };
    let states = summary.states.iter();
    add(
        &mut document,
        json!({
            "runs": summary.runs,
            "expectations": all(&expectations),
            "broken": all(&broken),
            "histogram": states
                .map(|state| json!({ "state": state.state, "runs": state.runs, "first": state.first }))
                .collect::<Vec<_>>(),
        }),
    );
    document
}

/// The document of an exploration, which calls for that exit status.
pub fn explored(plan: &Plan, exploration: &Exploration<'_>, exit: u8) -> Json {
    let summary = exploration.summary;
    let status = if exit == 5 { Status::Unknown } else { summary.status };
    let mut document = scenario(plan, status, exit);
    let (expectations, broken): (Vec<&Overall>, Vec<&Overall>) =
        summary.overall.iter().partition(|overall| matches!(overall.subject, Subject::Expectation(_)));
    let whole = exploration.cut.is_none();
    let all = |list: &[&Overall]| {
        list.iter().map(|one| over_runs(plan, one, word(one, whole), exploration.kept)).collect::<Vec<_>>()
    };
    let size = exploration.size;
    let story = exploration.story.as_ref().map(|(story, place)| {
        let failed = summary.overall.get(*place);
        let steps: Vec<Json> = (story.turns.turns.iter().zip(story.words(plan)))
            .map(|(turn, words)| {
                let process = plan.processes.get(turn.process as usize).map(|process| process.name.as_str());
                json!({ "process": process, "time": turn.at, "does": words })
            })
            .collect();
        let waiting: Vec<Json> = unfinished(story.trace).iter().filter_map(|one| waiting_json(plan, one)).collect();
        json!({
            "label": failed.map(|overall| overall.label.as_str()),
            "end": end_word(&story.trace.end),
            "steps": steps,
            "switches": story.switches,
            "fewest": story.fewest,
            "critical": story.critical,
            "round": story.round,
            "waiting": waiting,
            "killed": exploration.killed.as_ref().map(|killed| self::killed(plan, killed)),
            "replay": exploration.replay,
        })
    });
    add(
        &mut document,
        json!({
            "engine": "model",
            "complete": exploration.cut.is_none(),
            "cut": exploration.cut.map(cut_words),
            "assumes": exploration.assumptions.json(),
            "unreached": exploration.unreached,
            "how": exploration.how,
            "explored": {
                "states": size.states,
                "steps": size.edges,
                "ends": size.ends,
                "depth": size.depth,
                "bytes": size.bytes,
                "elapsed": size.elapsed.as_nanos() as u64,
                "circles": exploration.circles.left,
                "livelocks": exploration.circles.livelocks,
                "starved": match &exploration.liveness {
                    Liveness::Known(list) => Some(list.iter().map(|one| json!({
                        "process": plan.processes.get(one.process as usize).map(|process| process.name.as_str()),
                        "strongly": one.strongly,
                    })).collect::<Vec<_>>()),
                    Liveness::Ends | Liveness::Unknown => None,
                },
                "unreduced": exploration.counts.map(|counts| counts.states),
                // As text: they are larger than what other programs read as a number.
                "interleavings": exploration.counts.and_then(|counts| counts.traces).and_then(exact),
                "schedules": exploration.counts.and_then(|counts| exact(counts.schedules)),
            },
            "judged": summary.runs,
            "expectations": all(&expectations),
            "broken": all(&broken),
            "histogram": summary
                .states
                .iter()
                .map(|state| json!({ "state": state.state, "ends": state.runs }))
                .collect::<Vec<_>>(),
            "story": story,
        }),
    );
    document
}

/// The process that is killed from outside, and in which step.
fn killed(plan: &Plan, killed: &Killed) -> Json {
    let step = killed.step.as_ref().filter(|one| one.step.is_some()).and_then(|one| waiting_json(plan, one));
    let step = step.unwrap_or(Json::Null);
    json!({
        "process": plan.target_name(Target::Process(killed.process)),
        "step": step["step"],
        "line": step["line"],
        "verb": step["verb"],
        "object": step["object"],
        "peer": step["peer"],
        "only": killed.only,
    })
}

fn exact(number: Number) -> Option<String> {
    match number {
        Number::Exact(number) => Some(number.to_string()),
        Number::Over => None,
    }
}

/// What the kernel did otherwise than the model; null where it did the same.
pub fn difference(difference: Option<&Difference>) -> Json {
    difference.map_or(
        Json::Null,
        |found| json!({ "at": found.what, "model": found.model, "kernel": found.kernel, "place": found.place }),
    )
}

/// The document of a file that did not run: it is wrong, or the host could not give what it asks.
pub fn refused(path: &str, exit: u8, diagnostics: &[Diagnostic]) -> Json {
    json!({
        "path": path,
        "status": match exit {
            1 => "failed",
            3 => "host",
            _ => "invalid",
        },
        "exit": exit,
        "diagnostics": diagnostics.iter().map(diagnostic).collect::<Vec<_>>(),
    })
}

/// What the documents of one run and of several have in common.
fn scenario(plan: &Plan, status: Status, exit: u8) -> Json {
    let matrix = plan.combination.iter().map(|(name, value)| (name.clone(), value_json(value)));
    let matrix = matrix.collect::<serde_json::Map<_, _>>();
    let params = plan.params.iter().map(|(name, value)| (name.clone(), value_json(value)));
    json!({
        "scenario": plan.name.raw(),
        "about": plan.about,
        "path": plan.source.path.raw(),
        "seed": plan.seed,
        "params": params.collect::<serde_json::Map<_, _>>(),
        "matrix": if matrix.is_empty() { Json::Null } else { matrix.into() },
        "status": status_word(status),
        "exit": exit,
    })
}

/// Adds the fields of one object to another.
fn add(document: &mut Json, more: Json) {
    if let (Json::Object(fields), Json::Object(more)) = (document, more) {
        fields.extend(more);
    }
}

/// The exit status that the run calls for.
fn exit_status(status: Status, trace: &Trace) -> u8 {
    if trace.end == RunEnd::Interrupted { 130 } else { exit_of(status) }
}

/// The exit status that a status calls for.
fn exit_of(status: Status) -> u8 {
    match status {
        Status::Pass => 0,
        Status::Fail => 1,
        Status::Unknown => 5,
    }
}

pub(crate) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Pass => "passed",
        Status::Fail => "failed",
        Status::Unknown => "unknown",
    }
}

fn holds_word(holds: Holds) -> &'static str {
    match holds {
        Holds::Always => "always",
        Holds::Sometimes => "sometimes",
        Holds::Never => "never",
    }
}

/// Which expectation it is, or which rule: the fields that name it.
fn subject(plan: &Plan, subject: Subject, label: &str, holds: Holds) -> Json {
    match subject {
        Subject::Expectation(at) => {
            let expectation = plan.expectations.get(at);
            json!({
                "label": label,
                "form": expectation.map(|expectation| expectation.form.name),
                "line": expectation.map(|expectation| expectation.line),
                "holds": holds_word(holds),
            })
        }
        Subject::Rule(rule) => json!({ "rule": rule.name(), "label": label }),
    }
}

fn finding(plan: &Plan, trace: &Trace, judged: &Judged) -> Json {
    let found = &judged.finding;
    let mut document = subject(plan, judged.subject, &judged.label, judged.holds);
    let witnesses: Vec<Json> = found.witnesses.iter().filter_map(|at| event_json(plan, trace, *at)).collect();
    add(
        &mut document,
        json!({
            "status": status_word(judged.status),
            "expected": found.expected,
            "measured": found.measured,
            "reason": judged.reason,
            "notes": found.notes,
            "witnesses": witnesses,
        }),
    );
    document
}

fn over_runs(plan: &Plan, overall: &Overall, word: &str, kept: &[(u64, Trace)]) -> Json {
    let mut document = subject(plan, overall.subject, &overall.label, overall.holds);
    let counted = overall.frequency != Frequency::NotAlways;
    let example = overall.example.as_ref().map(|(run, found)| {
        let trace = kept.iter().find(|(number, _)| number == run).map(|(_, trace)| trace);
        let witnesses: Option<Vec<Json>> =
            trace.map(|trace| found.witnesses.iter().filter_map(|at| event_json(plan, trace, *at)).collect());
        json!({
            "run": run,
            "expected": found.expected,
            "measured": found.measured,
            "notes": found.notes,
            "witnesses": witnesses,
        })
    });
    add(
        &mut document,
        json!({
            "status": if overall.timing { "timing-dependent" } else { status_word(overall.status) },
            "frequency": word.to_lowercase(),
            "held": counted.then_some(overall.held),
            "failed": counted.then_some(overall.failed),
            "unknown": overall.unknown,
            "unseen": overall.unseen,
            "reason": overall.reason,
            "example": example,
        }),
    );
    document
}

/// Every object with how it was used. What was only counted is known by the entry of `[objects]` alone, and stands at
/// objects that are no array.
fn object_list(plan: &Plan, trace: &Trace) -> Vec<Json> {
    let by_group = groups(plan, trace);
    let each = (0..).zip(&plan.objects).zip(objects(plan, trace));
    each.map(|((id, object), usage)| {
        let usage = if plan.groups[object.group].count.is_none() { by_group[object.group] } else { usage };
        let Usage { operations, failed, waited, longest, forever } = usage;
        json!({
            "name": object.name,
            "kind": plan.kind(id).name,
            "operations": operations,
            "failed": failed,
            "waited": waited,
            "longest": longest,
            "unfinished": forever,
            "last": trace.finals.get(id as usize).and_then(Option::as_ref).map(value_json),
        })
    })
    .collect()
}

/// Every line that a process printed.
fn printed(plan: &Plan, trace: &Trace) -> Vec<Json> {
    let prints = trace.events.iter().filter(|event| event.verb == "print");
    prints
        .map(|event| {
            json!({
                "process": plan.target_name(Target::Process(event.id.process())),
                "time": event.end,
                "text": event.value.to_text(),
            })
        })
        .collect()
}

fn diagnostic(diagnostic: &Diagnostic) -> Json {
    let place = diagnostic.source.as_ref().map(|source| {
        let start = diagnostic.primary.as_ref().map(|label| source.place(label.span.start));
        (source.path.raw(), start)
    });
    let start = place.and_then(|(_, start)| start);
    json!({
        "code": diagnostic.code.to_string(),
        "severity": if diagnostic.severity == Severity::Error { "error" } else { "warning" },
        "message": diagnostic.message,
        "path": place.map(|(path, _)| path),
        "line": start.map(|start| start.line),
        "column": start.map(|start| start.column),
        "help": diagnostic.help,
        "notes": diagnostic.notes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;
    use crate::judge::FinalState;
    use crate::report::testing::verdicts::verdict;
    use crate::trace::Waiting;
    use crate::trace::file::fixture;
    use crate::value::Value;

    #[test]
    fn a_run_is_one_document() {
        let mut plan = fixture::workers();
        let mut trace = fixture::work(&plan);
        trace.finals = vec![Some(Value::from(vec![104u8]))];
        let mut verdict = verdict(&mut plan, &trace, &[("never more than 1", Status::Fail), ("b", Status::Pass)]);
        verdict.findings[0].finding.expected = "at most 1".to_owned();
        verdict.findings[0].finding.witnesses = vec![6, 1_000];
        let document = run(&plan, &trace, &verdict);
        assert_eq!(document["path"], "scenarios/test.toml");
        assert_eq!(document["seed"], 7);
        assert_eq!(document["params"], json!({ "workers": 3 }));
        assert_eq!((&document["status"], &document["exit"]), (&json!("failed"), &json!(1)));
        assert_eq!(
            document["expectations"][0],
            json!({
                "label": "never more than 1", "form": "test", "line": 20, "holds": "always", "status": "failed",
                "expected": "at most 1", "measured": "3", "reason": null, "notes": [],
                "witnesses": [{
                    "n": 7, "process": "worker[2]", "seq": 0, "begin": 2000, "end": 502_000, "step": 0, "line": 7,
                    "verb": "acquire", "object": "permits", "outcome": "ok",
                    "cause": { "process": "worker[0]", "seq": 2 }, "blocked": true,
                }],
            })
        );
        assert_eq!(document["processes"][2], json!({ "process": "worker[2]", "how": "exited", "code": 0 }));
        assert_eq!(
            document["objects"],
            json!([{
                "name": "permits", "kind": "semaphore", "operations": 6, "failed": 0, "waited": 1,
                "longest": 500_000, "unfinished": 0, "last": { "$bytes": "68" },
            }])
        );
        assert_eq!(document["printed"][0], json!({ "process": "worker[0]", "time": 1_110, "text": "at work" }));
        assert_eq!(document["deadlock"], Json::Null);
        assert_eq!(document["trace"], json!({ "events": 9, "whole": true, "counted": 0, "stalled": 0, "lost": [] }));
    }

    #[test]
    fn a_deadlock_has_its_ring() {
        let mut plan = fixture::workers();
        let mut trace = fixture::work(&plan);
        let waiting = |process, holder| Waiting {
            process,
            step: Some(0),
            verb: "acquire".to_owned(),
            target: Target::Object(0),
            since: 9,
            on: vec![holder],
            holder: Some(holder),
        };
        trace.stuck = vec![waiting(0, 1), waiting(1, 0)];
        trace.end = RunEnd::Interrupted;
        let verdict = verdict(&mut plan, &trace, &[]);
        let document = run(&plan, &trace, &verdict);
        assert_eq!(document["deadlock"]["cycle"], json!(["worker[0]", "worker[1]"]));
        assert_eq!(
            document["deadlock"]["waiting"][0],
            json!({
                "process": "worker[0]", "step": 0, "line": 7, "verb": "acquire", "object": "permits", "since": 9,
                "on": ["worker[1]"], "holder": "worker[1]",
            })
        );
        assert_eq!(document["exit"], 130);
    }

    #[test]
    fn several_runs_are_one_document() {
        let mut plan = fixture::workers();
        let trace = fixture::work(&plan);
        let verdict = verdict(&mut plan, &trace, &[("a", Status::Fail)]);
        let mut finding = verdict.findings[0].finding.clone();
        finding.witnesses = vec![0];
        let summary = Summary {
            runs: 2,
            status: Status::Fail,
            overall: vec![Overall {
                subject: Subject::Expectation(0),
                label: "a".to_owned(),
                holds: Holds::Always,
                status: Status::Fail,
                reason: None,
                frequency: Frequency::Sometimes,
                held: 1,
                failed: 1,
                unknown: 0,
                example: Some((2, finding)),
                unseen: Vec::new(),
                timing: false,
            }],
            states: vec![FinalState { state: "ended".to_owned(), runs: 2, first: 1 }],
        };
        let document = runs(&plan, &summary, &[(2, trace)]);
        assert_eq!((&document["runs"], &document["exit"]), (&json!(2), &json!(1)));
        assert_eq!(document["histogram"], json!([{ "state": "ended", "runs": 2, "first": 1 }]));
        let first = &document["expectations"][0];
        assert_eq!((&first["frequency"], &first["held"], &first["line"]), (&json!("sometimes"), &json!(1), &json!(20)));
        assert_eq!((&first["example"]["run"], &first["example"]["witnesses"][0]["n"]), (&json!(2), &json!(1)));
        assert_eq!(runs(&plan, &summary, &[])["expectations"][0]["example"]["witnesses"], Json::Null);
    }

    #[test]
    fn a_file_that_does_not_run_has_its_diagnostics() {
        let plan = fixture::workers();
        let diagnostic = Diagnostic::error(Code::UNKNOWN_VERB, "unknown verb `aquire`").at(&plan.source, 95..98, "");
        let document = refused("a.toml", 2, &[diagnostic]);
        assert_eq!((&document["status"], &document["exit"]), (&json!("invalid"), &json!(2)));
        let first = &document["diagnostics"][0];
        assert_eq!(
            (&first["code"], &first["path"], &first["line"]),
            (&json!("E0103"), &json!("scenarios/test.toml"), &json!(7))
        );
        assert_eq!(refused("a.toml", 3, &[])["status"], "host");
    }
}
