//! `printed`.

use std::fmt::Write;

use super::{AT_LEAST, AT_MOST, EQUALS, Form, optional, required};
use crate::judge::bounds::Bounds;
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::history::{Events, Memory};
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::{Plan, Step};

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "printed",
        summary: "the number of output lines that contain the text is within the bounds; at least one without a bound",
        arguments: &[
            required("printed", Shape::Text, "the text"),
            optional("by", Shape::Processes, "the processes; all by default"),
            EQUALS,
            AT_LEAST,
            AT_MOST,
        ],
        one_of: &[],
        example: r#"[[expect]]
printed = "登陆成功"
by = "app1""#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    let text = expectation.text("printed").unwrap_or_default();
    let of = Events::Printed(text, expectation.processes("by"));
    vec![Memory::Count { of, most: Bounds::of(expectation).decisive() }]
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let bounds = Bounds::of(expectation);
    let text = expectation.text("printed").unwrap_or_default();
    let by = expectation.processes("by");
    let of = |process| by.is_none_or(|by| by.contains(&process));
    let counted = |step: &Step| {
        let program = &context.plan.programs[step.program];
        step.verb == "print" && (program.first..program.first + program.count.unwrap_or(1)).any(of)
    };
    if let Some(reason) = context.gap_of(counted) {
        return Finding::unknown(bounds.text(), "not all of the lines", reason);
    }
    let lines: Vec<usize> = (context.trace.events.iter().enumerate())
        .filter(|(_, event)| event.verb == "print" && event.step.is_some() && of(event.id.process()))
        .map(|(place, _)| place)
        .collect();
    let contains = |place: &usize| context.event(*place).value.to_text().contains(text);
    let places: Vec<usize> = lines.iter().copied().filter(contains).collect();
    let number = places.len() as i64;
    let mut measured = describe::counted(number, "line");
    match places.first() {
        Some(first) => drop(write!(measured, ", first {}", describe::number(*first))),
        None => drop(write!(measured, " of {}", lines.len())),
    }
    bounds.judge(number, bounds.text(), measured).witnesses(places.into_iter().take(4))
}
