//! `all_before`.

use super::{BY, Form, required};
use std::collections::HashSet;

use crate::judge::context::Context;
use crate::judge::history::Memory;
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::Plan;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "all_before",
        summary: "every match of the first pattern comes before every match of the second and is a cause of it; true if one pattern has no match",
        arguments: &[required("all_before", Shape::Patterns(2), "the two patterns"), BY],
        one_of: &[],
        example: r#"[[expect]]
all_before = ["worker put q", "main mark done"]"#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    let patterns = expectation.patterns("all_before");
    vec![if expectation.text("by") == Some("time") { Memory::Late(patterns) } else { Memory::Before(patterns) }]
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let patterns = expectation.patterns("all_before");
    let by_time = expectation.text("by") == Some("time");
    let expected = if by_time { "all before" } else { "all before, each a cause" };
    if let Some(reason) = context.gap(patterns) {
        return Finding::unknown(expected, "not all of the events", reason);
    }
    let matches: Vec<Vec<usize>> = patterns.iter().map(|pattern| context.matches(pattern)).collect();
    for pair in matches.windows(2) {
        let Some((first, second)) = offence(context, &pair[0], &pair[1], by_time) else { continue };
        let (first_text, second_text) = (context.describe(first), context.describe(second));
        let measured = if first < second {
            format!("{first_text} came before {second_text}, but was not a cause of it")
        } else {
            format!("{second_text} came before {first_text}")
        };
        return Finding::fail(expected, measured).witnesses([first, second]).firm(true);
    }
    let sides: Vec<String> = matches.iter().map(|places| places.len().to_string()).collect();
    let finding = Finding::pass(expected, format!("{} events", sides.join(" before ")));
    if matches.iter().any(Vec::is_empty) { finding.because("vacuous: no event matches") } else { finding }
}

/// One of the first side and one of the second that are not as they should be.
fn offence(context: &Context<'_>, first: &[usize], second: &[usize], by_time: bool) -> Option<(usize, usize)> {
    if by_time {
        let (last, earliest) = (*first.last()?, *second.first()?);
        return (last >= earliest).then_some((last, earliest));
    }
    // Within a process the last of the first side and the first of the second side stand for all of them.
    let lasts = one_per_process(context, first.iter().rev());
    for effect in one_per_process(context, second.iter()) {
        let past = context.trace.causality.past(effect);
        if let Some(cause) = lasts.iter().find(|cause| !past.contains(**cause)) {
            return Some((*cause, effect));
        }
    }
    None
}

fn one_per_process<'p>(context: &Context<'_>, places: impl Iterator<Item = &'p usize>) -> Vec<usize> {
    let mut seen = HashSet::new();
    places.copied().filter(|place| seen.insert(context.event(*place).id.process())).collect()
}
