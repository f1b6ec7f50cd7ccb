//! The forms of `[[expect]]`, one a file: what each takes, and what it means over one run.
//!
//! A form joins by its file and one line of [`FORMS`]; `check`, the reference and the judge find it there.

mod all_before;
mod always;
mod between;
mod blocks;
mod count;
mod deadlock;
mod each;
mod ends;
mod exits;
mod expect;
mod fifo;
mod final_condition;
mod final_values;
mod holding;
mod inside;
mod lost_updates;
mod never;
mod order;
mod printed;
mod race_free;
mod reaches;
mod takes;
mod values;

pub(crate) use exits::fits;

use super::context::Context;
use super::history::Memory;
use super::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormArgument, FormDescription, Shape};
use crate::scenario::plan::Plan;

/// A form of `[[expect]]`.
pub struct Form {
    /// What `check` and the reference need to know of it.
    pub description: FormDescription,
    /// Whether the expectation holds in this run.
    pub(crate) judge: fn(&Expectation, &Context<'_>) -> Finding,
    /// What its verdict depends on besides the state in which a run ends.
    pub(crate) memory: for<'p> fn(&'p Expectation, &'p Plan) -> Vec<Memory<'p>>,
}

/// Every form, in the order of the reference. The last, `expect`, stands beside a step and not in `[[expect]]`.
pub static FORMS: &[Form] = &[
    final_condition::FORM,
    always::FORM,
    reaches::FORM,
    count::FORM,
    never::FORM,
    order::FORM,
    all_before::FORM,
    each::FORM,
    values::FORM,
    final_values::FORM,
    holding::FORM,
    inside::FORM,
    between::FORM,
    fifo::FORM,
    printed::FORM,
    exits::FORM,
    takes::FORM,
    blocks::FORM,
    deadlock::FORM,
    ends::FORM,
    race_free::FORM,
    lost_updates::FORM,
    expect::FORM,
];

/// The form of that name.
pub fn form(name: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.description.name == name)
}

/// For forms that look at nothing but the state in which a run ends.
fn nothing<'p>(_expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    Vec::new()
}

/// A key that must be given.
const fn required(name: &'static str, shape: Shape, summary: &'static str) -> FormArgument {
    FormArgument { name, shape, required: true, summary }
}

/// A key that may be left out.
const fn optional(name: &'static str, shape: Shape, summary: &'static str) -> FormArgument {
    FormArgument { name, shape, required: false, summary }
}

const EQUALS: FormArgument = optional("equals", Shape::Count, "the exact number");
const AT_LEAST: FormArgument = optional("at_least", Shape::Count, "the smallest number; 1 without a bound");
const AT_MOST: FormArgument = optional("at_most", Shape::Count, "the largest number");
const LONGEST: FormArgument = optional("at_most", Shape::Duration, "the longest duration");
const SHORTEST: FormArgument = optional("at_least", Shape::Duration, "the shortest duration");
const EACH_SEEN: FormArgument =
    optional("each_seen", Shape::Boolean, "every entry of `in` also has to be seen in some execution");
const ALLOW_EMPTY: FormArgument =
    optional("allow_empty", Shape::Boolean, "the expectation also holds if a pattern matches nothing");
const BY: FormArgument = optional(
    "by",
    Shape::Choice(&["cause", "time"]),
    "`cause` (the default): what the first did can have reached the second; `time`: the first stands before the second, \
     under `explore` in every interleaving",
);
