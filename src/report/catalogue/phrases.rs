//! Describes the values that a key takes.

use std::fmt::Write;

use crate::objects::{Argument, Element, Form, Kind, Verb};
use crate::outcome::Outcome;
use crate::scenario::expectation::Shape;
use crate::value::Types;

/// `a`, `b` or `c`.
fn any_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// What may stand at an attribute or an argument.
pub(super) fn form(form: Form) -> String {
    match form {
        Form::Boolean => "`true` or `false`".to_owned(),
        Form::Integer(low, high) => integer(low, high),
        Form::Place(_) => "an integer, at least 0".to_owned(),
        Form::Size => "a size: an integer or `\"64KiB\"`".to_owned(),
        Form::Choice(words) => any_of(words),
        Form::Value(types) => types.to_string(),
        Form::Object(kind) => format!("the name of a {kind}"),
        Form::Update => "a value, or an expression over `it`".to_owned(),
        Form::Into | Form::Second | Form::Variable => "a variable".to_owned(),
        Form::Duration => "a duration: `\"200ms\"`".to_owned(),
        Form::Condition => "a condition".to_owned(),
        Form::Steps => "a list of steps".to_owned(),
        Form::Process => "a process".to_owned(),
        Form::Signal => "a signal: `\"TERM\"`".to_owned(),
        Form::Signals => "a list of signals: `[\"USR1\"]`".to_owned(),
        Form::Variables => "a table".to_owned(),
        Form::Nothing => "`true`".to_owned(),
    }
}

fn integer(low: i64, high: i64) -> String {
    match (low, high) {
        (i64::MIN, i64::MAX) => "an integer".to_owned(),
        (low, i64::MAX) => format!("an integer, at least {low}"),
        (i64::MIN, high) => format!("an integer, at most {high}"),
        _ => format!("an integer from {low} to {high}"),
    }
}

/// What may stand at a key of an expectation.
pub(super) fn shape(shape: Shape) -> String {
    match shape {
        Shape::Pattern => "a pattern".to_owned(),
        Shape::Patterns(0 | 1) => "a list of patterns".to_owned(),
        Shape::Patterns(least) => format!("a list of patterns, at least {least}"),
        Shape::Condition => "a state expression".to_owned(),
        Shape::Count => "an integer, at least 0".to_owned(),
        Shape::Integer => "an integer".to_owned(),
        Shape::Duration => "a duration: `\"200ms\"`".to_owned(),
        Shape::Boolean => "`true` or `false`".to_owned(),
        Shape::Text => "text".to_owned(),
        Shape::Section => "a section's label".to_owned(),
        Shape::Choice(words) => any_of(words),
        Shape::Signal => "a signal: `\"TERM\"`".to_owned(),
        Shape::Value => "any value".to_owned(),
        Shape::Values => "a list of values".to_owned(),
        Shape::Lists => "a list of lists of values".to_owned(),
        Shape::Object(_) => "an object".to_owned(),
        Shape::Objects => "a list of objects".to_owned(),
        Shape::Processes => "a process".to_owned(),
        Shape::ProcessesOrRun => "a process, or `\"*\"` for the whole run".to_owned(),
        Shape::Blocked => "a list of `\"p\"`, `\"q at m\"`".to_owned(),
        Shape::BlockedLists => "a list of such lists".to_owned(),
    }
}

/// The verb as a step, with the keys that it cannot do without: `{ put = "QUEUE", value = VALUE }`.
pub(super) fn step(kind: Option<&Kind>, verb: &'static Verb) -> String {
    let own = verb.arguments.first().filter(|_| kind.is_none());
    let own = match (kind, own) {
        (None, Some(Argument { form: Form::Nothing, .. })) => return format!("\"{}\"", verb.name),
        (None, own) => own.map_or("..", |argument| sample(argument.form)).to_owned(),
        (Some(kind), _) => {
            let element = match verb.element {
                Element::Never => "",
                Element::Optional => "[i]?",
                Element::Required => "[i]",
            };
            let end = verb.ends.first().map(|end| format!(".{end}")).unwrap_or_default();
            format!("\"{}{element}{end}\"", kind.name.to_uppercase())
        }
    };
    let mut text = format!("{{ {} = {own}", verb.name);
    for argument in further(kind, verb).iter().filter(|argument| argument.required) {
        let _ = write!(text, ", {} = {}", argument.name, sample(argument.form));
    }
    text + " }"
}

fn sample(form: Form) -> &'static str {
    match form {
        Form::Boolean | Form::Nothing => "true",
        Form::Integer(..) | Form::Place(_) => "N",
        Form::Size => "\"64KiB\"",
        Form::Duration => "\"200ms\"",
        Form::Condition => "\"CONDITION\"",
        Form::Steps => "[ .. ]",
        Form::Process => "\"PROCESS\"",
        Form::Signal => "\"TERM\"",
        Form::Signals => "[\"USR1\"]",
        Form::Variables => "{ x = VALUE }",
        Form::Variable | Form::Into | Form::Second => "\"x\"",
        Form::Object(_) => "\"OBJECT\"",
        Form::Choice(_) => "\"WORD\"",
        Form::Value(types) if types == Types::STRING => "\"TEXT\"",
        Form::Value(types) if types == Types::LIST => "[ .. ]",
        Form::Value(_) | Form::Update => "VALUE",
    }
}

/// The arguments beside the verb's own key.
fn further(kind: Option<&Kind>, verb: &'static Verb) -> &'static [Argument] {
    if kind.is_some() { verb.arguments } else { verb.arguments.get(1..).unwrap_or(&[]) }
}

/// The arguments to describe: all, but for an own key that says nothing beyond the verb.
pub(super) fn described(kind: Option<&Kind>, verb: &'static Verb) -> &'static [Argument] {
    let own = verb.arguments.first().is_some_and(|own| kind.is_none() && !own.summary.is_empty());
    if own { verb.arguments } else { further(kind, verb) }
}

/// The outcomes of a verb besides `ok`.
pub(super) fn outcomes(verb: &Verb) -> Vec<String> {
    let waits: &[Outcome] = if verb.blocks { &[Outcome::TIMEOUT, Outcome::WOULD_BLOCK] } else { &[] };
    waits.iter().chain(verb.outcomes).map(ToString::to_string).collect()
}
