//! `order`.

use super::{ALLOW_EMPTY, BY, Form, required};
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::history::Memory;
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::Plan;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "order",
        summary: "the first matches of the patterns happen in this order, each a cause of the next; a repeated pattern means its next match",
        arguments: &[required("order", Shape::Patterns(2), "the patterns, the first to happen first"), BY, ALLOW_EMPTY],
        one_of: &[],
        example: r#"[[expect]]
order = ["app1 send link", "app2 recv link", "app2 send link", "app1 recv link"]"#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    let patterns = expectation.patterns("order");
    if expectation.text("by") == Some("time") {
        return vec![Memory::Firsts { patterns, which: false }];
    }
    vec![Memory::Causes(patterns)]
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let patterns = expectation.patterns("order");
    let by_time = expectation.text("by") == Some("time");
    let expected = if by_time { "in this order" } else { "in this order, each a cause of the next" };
    if let Some(reason) = context.gap(patterns) {
        return Finding::unknown(expected, "not all of the events", reason);
    }
    let mut places: Vec<Option<usize>> = Vec::with_capacity(patterns.len());
    for (at, pattern) in patterns.iter().enumerate() {
        let again = patterns[..at].iter().filter(|other| other.text == pattern.text).count();
        let mut matches = context.trace.events.iter().enumerate().filter(|(_, event)| pattern.matches(event));
        places.push(matches.nth(again).map(|(place, _)| place));
    }
    if let Some(at) = places.iter().position(Option::is_none) {
        let measured = format!("nothing matches `{}`", patterns[at].text);
        return if expectation.boolean("allow_empty") {
            Finding::pass(expected, measured).because("vacuous: no event matches")
        } else {
            Finding::vacuous(expected, measured, "a pattern")
        };
    }
    let places: Vec<usize> = places.into_iter().flatten().collect();
    for pair in places.windows(2) {
        let (first, second) = (pair[0], pair[1]);
        if if by_time { first < second } else { context.trace.happens_before(first, second) } {
            continue;
        }
        let (first_text, second_text) = (context.describe(first), context.describe(second));
        let measured = if first < second {
            format!("{first_text} came before {second_text}, but was not a cause of it")
        } else if context.trace.happens_before(second, first) {
            format!("{second_text} came before {first_text}, and was a cause of it")
        } else {
            format!("{second_text} came before {first_text}")
        };
        return Finding::fail(expected, measured).witnesses([first, second]).firm(true);
    }
    Finding::pass(expected, describe::numbers(&places)).witnesses(places).firm(true)
}
