//! Descriptions of verbs without an object, as constants.

use crate::objects::{Argument, Effect, Element, Form, Verb};
use crate::value::Types;

pub(crate) const fn required(name: &'static str, form: Form, summary: &'static str) -> Argument {
    Argument { name, form, required: true, summary }
}

pub(crate) const fn optional(name: &'static str, form: Form, summary: &'static str) -> Argument {
    Argument { name, form, required: false, summary }
}

/// A verb without an object, that cannot wait and gives nothing.
pub(crate) const fn verb(name: &'static str, summary: &'static str, arguments: &'static [Argument]) -> Verb {
    Verb {
        name,
        effect: Effect::None,
        summary,
        arguments,
        ends: &[],
        element: Element::Never,
        blocks: false,
        result: Types::NONE,
        outcomes: &[],
    }
}
