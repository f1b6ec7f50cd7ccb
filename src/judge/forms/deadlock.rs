//! `deadlock`.

use super::{EACH_SEEN, Form, optional, required};
use crate::judge::context::Context;
use crate::judge::deadlocks;
use crate::judge::describe;
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{BlockedAt, Expectation, FormDescription, Shape};
use crate::trace::RunEnd;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "deadlock",
        summary: "the run ends with exactly these processes blocked for ever; without a list, with any",
        arguments: &[
            required("deadlock", Shape::Boolean, "`false`: the run does not end in a deadlock"),
            optional("blocked", Shape::Blocked, "the blocked processes, and where"),
            optional("in", Shape::BlockedLists, "lists of blocked processes, one of which matches"),
            EACH_SEEN,
        ],
        one_of: &[],
        example: r#"[[expect]]
deadlock = true
blocked = ["reader at link"]"#,
    },
    judge,
    memory: super::nothing,
};

/// Why it is not known whether processes were blocked for ever.
const UNWATCHED: &str = "deadlocks were not looked for: there is no /proc that shows the processes of this run";

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let wanted = expectation.boolean("deadlock");
    let lists: Vec<&[BlockedAt]> =
        ["blocked", "in"].iter().filter_map(|key| expectation.blocked(key)).flatten().map(Vec::as_slice).collect();
    let texts = describe::listed(lists.iter().map(|list| deadlocks::list(list)), lists.len());
    let expected = match (wanted, lists.is_empty()) {
        (true, true) => "a deadlock".to_owned(),
        (false, true) => "no deadlock".to_owned(),
        (true, false) => format!("blocked for ever: {texts}"),
        (false, false) => format!("not blocked for ever: {texts}"),
    };
    if context.trace.end != RunEnd::Deadlock {
        let measured = format!("no deadlock: {}", describe::run_end(&context.trace.end));
        if context.trace.unwatched && context.trace.end != RunEnd::Completed {
            return Finding::unknown(expected, measured, UNWATCHED);
        }
        return Finding::decide(!wanted, expected, measured);
    }
    let stuck = &context.trace.stuck;
    let seen = lists.iter().position(|list| deadlocks::matches(stuck, list));
    let holds = (lists.is_empty() || seen.is_some()) == wanted;
    let finding = Finding::decide(holds, expected, format!("blocked for ever: {}", deadlocks::who(context)));
    let finding = finding.seen(expectation.argument("in").and(seen)).firm(true);
    if holds { finding } else { finding.notes(deadlocks::explain(context, stuck)) }
}
