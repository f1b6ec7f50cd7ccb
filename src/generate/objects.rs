//! Random declarations of objects.

use super::draw::Draw;
use super::taste::Taste;
use super::{is_accepted, texts};
use crate::objects::{Attribute, CATALOGUE, Form, Kind, kind};

/// An object, or an array of them, that a scenario has.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    pub(super) name: String,
    pub(super) kind: &'static Kind,
    /// The right side of its declaration.
    declared: String,
    /// How many of them, where it is an array of objects.
    pub(super) count: Option<usize>,
    /// The objects that attributes of it name, with their kinds.
    pub(super) named: Vec<(&'static str, String)>,
}

/// The objects of a scenario.
pub(super) fn draw(draw: &mut Draw, taste: Taste) -> Vec<Drawn> {
    let kinds: Vec<_> = CATALOGUE.iter().map(|kind| (*kind, taste.weight(kind))).collect();
    let mut objects = Vec::new();
    for _ in 0..=draw.below(3) {
        let Some(kind) = draw.weighted(&kinds) else { break };
        // Each process may have its own; mostly there is one for all.
        let several = if taste.own { !draw.one_in(3) } else { draw.one_in(8) };
        let count = several.then_some(if taste.own { taste.processes } else { 2 });
        one(draw, kind, count, &mut objects);
    }
    objects
}

/// The text of their declarations.
pub(super) fn text(objects: &[Drawn]) -> String {
    let mut text = String::from("[objects]\n");
    for Drawn { name, declared, .. } in objects {
        text.push_str(&format!("{name} = {{ {declared} }}\n"));
    }
    text
}

/// How often a declaration is drawn again that `check` refuses.
const TRIES: usize = 30;

/// Draws an object of that kind, and before it those that it names. Its name.
fn one(draw: &mut Draw, kind: &'static Kind, count: Option<usize>, objects: &mut Vec<Drawn>) -> Option<String> {
    for round in 0..TRIES {
        let before = objects.len();
        let mut declared = format!("kind = \"{}\"", kind.name);
        if let Some(count) = count {
            declared.push_str(&format!(", count = {count}"));
        }
        let mut named = Vec::new();
        for attribute in kind.attributes {
            // After many refusals only required attributes are drawn: an optional one can be the cause.
            if (attribute.required || round < TRIES / 2 && draw.one_in(2))
                && let Some(value) = values(draw, attribute, count, objects, &mut named)
            {
                declared.push_str(&format!(", {} = {value}", attribute.name));
            }
        }
        let name = format!("{}{}", kind.name, objects.len());
        objects.push(Drawn { name: name.clone(), kind, declared, count, named });
        if is_accepted(&format!("{}[processes.p]\nsteps = []\n", text(objects))) {
            return Some(name);
        }
        objects.truncate(before);
    }
    None
}

/// A value for all objects of a declaration, or one for each.
fn values(
    draw: &mut Draw,
    attribute: &Attribute,
    count: Option<usize>,
    objects: &mut Vec<Drawn>,
    named: &mut Vec<(&'static str, String)>,
) -> Option<String> {
    let count_of_values = match count {
        Some(count) if !matches!(attribute.form, Form::Object(_)) && draw.one_in(3) => count,
        _ => return value(draw, attribute, count, objects, named),
    };
    let each = (0..count_of_values).map(|_| value(draw, attribute, count, objects, named));
    Some(format!("[{}]", each.collect::<Option<Vec<_>>>()?.join(", ")))
}

fn value(
    draw: &mut Draw,
    attribute: &Attribute,
    count: Option<usize>,
    objects: &mut Vec<Drawn>,
    named: &mut Vec<(&'static str, String)>,
) -> Option<String> {
    Some(match attribute.form {
        Form::Integer(low, high) => (low + draw.below(3) as i64).min(high).to_string(),
        Form::Size => draw.of(&["1", "2", "24", "4096"]).to_owned(),
        Form::Choice(words) => format!("\"{}\"", draw.of(words)),
        Form::Value(types) => texts::constant(draw, types),
        Form::Object(other) => {
            let there = objects.iter().rev().find(|object| object.kind.name == other && object.count == count);
            let there = there.filter(|_| draw.one_in(2)).map(|object| object.name.clone());
            let name = match there {
                Some(name) => name,
                None => one(draw, kind(other)?, count, objects)?,
            };
            named.push((other, name.clone()));
            format!("\"{name}\"")
        }
        Form::Duration => format!("\"{}\"", texts::duration(draw)),
        _ => draw.of(&["true", "false"]).to_owned(),
    })
}
