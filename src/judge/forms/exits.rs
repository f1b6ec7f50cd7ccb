//! `exits`.

use super::{Form, optional, required};
use crate::event::ProcessId;
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::trace::ProcessEnd;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "exits",
        summary: "the processes ended with this exit status or signal; without `code` and `signal`, they ended",
        arguments: &[
            required("exits", Shape::Processes, "the processes, all of which have to match"),
            optional("code", Shape::Integer, "the exit status; negative for a signal"),
            optional("signal", Shape::Signal, "the signal"),
        ],
        one_of: &[],
        example: r#"[[expect]]
exits = "worker"
code = 3"#,
    },
    judge,
    memory: super::nothing,
};

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let processes = expectation.processes("exits").unwrap_or_default();
    let expected = match (expectation.integer("code"), expectation.integer("signal")) {
        (None, None) => "ended".to_owned(),
        (Some(code), None) => format!("exit status {code}"),
        (None, Some(number)) => describe::signal(number as i32),
        (Some(code), Some(number)) => format!("exit status {code} or {}", describe::signal(number as i32)),
    };
    let end = |process: ProcessId| context.trace.ends.get(process as usize).copied().unwrap_or(ProcessEnd::NotStarted);
    let wrong: Vec<ProcessId> = processes.iter().copied().filter(|process| !fits(expectation, end(*process))).collect();
    let shown = if wrong.is_empty() { processes } else { &wrong };
    let texts =
        shown.iter().map(|process| format!("{} {}", context.name(*process), describe::process_end(end(*process))));
    let measured = if wrong.is_empty() && processes.len() > 3 {
        format!("all {} of them", processes.len())
    } else {
        describe::listed(texts, shown.len())
    };
    let last = |process: &ProcessId| context.trace.events.iter().rposition(|event| event.id.process() == *process);
    Finding::decide(wrong.is_empty(), expected, if measured.is_empty() { "no process".to_owned() } else { measured })
        .witnesses(wrong.iter().take(4).filter_map(last))
}

/// Whether a process that ended so is as the expectation says.
pub(crate) fn fits(expectation: &Expectation, end: ProcessEnd) -> bool {
    let code = expectation.integer("code");
    let signal = expectation.integer("signal");
    match end.code() {
        None => false,
        Some(_) if code.is_none() && signal.is_none() => true,
        Some(ended) => code == Some(ended) || signal.is_some_and(|signal| ended == -signal),
    }
}
