//! `takes`.

use super::{Form, LONGEST, SHORTEST, required};
use crate::event::ProcessId;
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::durations::Durations;
use crate::judge::history::Memory;
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::Plan;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "takes",
        summary: r#"the duration of each process, from begin to end, is within the bounds; `"*"` is the whole run"#,
        arguments: &[required("takes", Shape::ProcessesOrRun, "the processes"), LONGEST, SHORTEST],
        one_of: &["at_most", "at_least"],
        example: r#"[[expect]]
takes = "*"
at_most = "2s""#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    vec![Memory::Spans(expectation.processes("takes").unwrap_or_default())]
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let bounds = Durations::of(expectation);
    if !context.ended_by_itself() {
        return Finding::skipped(bounds.text(), describe::run_end(&context.trace.end));
    }
    let Some(processes) = expectation.processes("takes") else {
        let took = context.trace.duration;
        return bounds.judge(took, took, format!("the run took {}", describe::duration(took)));
    };
    let mut spans: Vec<(u64, ProcessId)> = processes.iter().filter_map(|process| span(context, *process)).collect();
    spans.sort_unstable();
    let (Some(shortest), Some(longest)) = (spans.first(), spans.last()) else {
        return Finding::unknown(bounds.text(), "nothing", "none of them was started");
    };
    let took = |span: &(u64, ProcessId)| format!("{} took {}", context.name(span.1), describe::duration(span.0));
    let measured = if spans.len() == 1 { took(longest) } else { format!("{}, {}", took(shortest), took(longest)) };
    bounds.judge(shortest.0, longest.0, measured)
}

/// From the process's begin to its end; to the end of the run where it has none, as a daemon.
fn span(context: &Context<'_>, process: ProcessId) -> Option<(u64, ProcessId)> {
    let mut events = context.trace.of(process).map(|(_, event)| event);
    let first = events.next()?;
    let last = events.last().unwrap_or(first);
    let end = if last.verb == "end" && last.step.is_none() { last.end } else { context.trace.duration };
    Some((end.saturating_sub(first.begin), process))
}
