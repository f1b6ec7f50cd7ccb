//! The changes of a scenario that its expectations ought to notice, one at a time: what mutation testing calls mutants.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{document, steps};
use crate::diagnostic::{Diagnostic, Source};

/// A scenario that differs from the file in one place.
#[derive(Debug)]
pub struct Mutation {
    /// The place of what was changed.
    pub span: Range<usize>,
    pub change: Change,
    /// The text of the whole scenario with the change.
    pub text: String,
}

/// What was changed, with the texts of the file that it is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// A step is left out.
    Without(String),
    /// Two steps that belong together are left out: what takes an object, and what gives it back.
    WithoutPair(String, String),
    /// Two steps change places.
    Swapped(String, String),
    /// A condition always holds.
    Always(String),
    /// An attribute of an object, with its value before and after.
    Attribute(String, String, String),
}

impl Change {
    /// The name of this kind of change.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Without(_) => "leave out",
            Self::WithoutPair(..) => "leave out both",
            Self::Swapped(..) => "swap",
            Self::Always(_) => "always",
            Self::Attribute(..) => "set",
        }
    }

    /// What it changes, in words and texts of the file.
    pub fn words(&self) -> String {
        match self {
            Self::Without(step) => step.clone(),
            Self::WithoutPair(one, other) | Self::Swapped(one, other) => format!("{one} and {other}"),
            Self::Always(condition) => condition.clone(),
            Self::Attribute(name, before, after) => format!("{name} = {after} (was {before})"),
        }
    }
}

/// Steps of which the absence is no fault: they say or check something, or take time. A `sleep` is one unless time is ideal, where it is
/// an order.
const QUIET: &[&str] = &["print", "mark", "assert", "yield", "busy", "sleep"];

/// Verbs that take, and those that give back what was taken.
const PAIRS: &[(&str, &str)] = &[("lock", "unlock"), ("acquire", "release"), ("enter", "leave")];

/// Verbs among which the order says nothing: what computes for its process alone, and what gives back.
const UNORDERED: &[&[&str]] = &[&["let"], &["unlock", "release", "leave"]];

/// Keys under which steps stand.
const BLOCKS: &[&str] = &["do", "then", "else", "forever"];

/// The attributes of objects that are changed: a number by one up and down, a truth to its contrary.
const ATTRIBUTES: &[(&str, &str)] = &[("semaphore", "value"), ("barrier", "parties"), ("mutex", "robust")];

/// Every change of a scenario, in the order of the file.
///
/// # Errors
/// What is wrong with a text that is no TOML.
pub fn mutations(source: &Arc<Source>) -> Result<Vec<Mutation>, Vec<Diagnostic>> {
    let document = document::parse(source)?;
    let sleeps = document.get_ref().get("time").is_none_or(|time| time.get_ref().as_str() != Some("ideal"));
    let quiet = &QUIET[..QUIET.len() - usize::from(!sleeps)];
    let mut writer = Writer { source, quiet, found: Vec::new() };
    let table = |key: &str| document.get_ref().get(key).and_then(|item| item.get_ref().as_table());
    for (name, object) in table("objects").into_iter().flat_map(DeTable::iter) {
        if let Some(object) = object.get_ref().as_table() {
            writer.attributes(name.get_ref(), object);
        }
    }
    for (_, process) in table("processes").into_iter().flat_map(DeTable::iter) {
        if let Some(list) = process.get_ref().as_table().and_then(|process| process.get("steps")) {
            writer.list(list);
        }
    }
    writer.found.sort_by_key(|mutation| mutation.span.start);
    Ok(writer.found)
}

struct Writer<'s> {
    source: &'s Source,
    /// The verbs that are left alone.
    quiet: &'static [&'static str],
    found: Vec<Mutation>,
}

/// A step of a list.
struct Step<'s> {
    text: &'s str,
    span: Range<usize>,
    /// Its verb, and the text of what it is about.
    verb: &'s str,
    about: &'s str,
    /// Whether it holds other steps.
    block: bool,
    /// Whether it says itself what is expected of it.
    judged: bool,
}

impl<'s> Writer<'s> {
    fn slice(&self, span: &Range<usize>) -> &'s str {
        self.source.text.get(span.clone()).unwrap_or_default()
    }

    /// Takes in the file with another text in that place.
    fn push(&mut self, span: Range<usize>, change: Change, place: &Range<usize>, text: &str) {
        let (Some(before), Some(after)) = (self.source.text.get(..place.start), self.source.text.get(place.end..))
        else {
            return;
        };
        self.found.push(Mutation { span, change, text: format!("{before}{text}{after}") });
    }

    fn attributes(&mut self, name: &str, object: &DeTable<'_>) {
        let kind = object.get("kind").and_then(|kind| kind.get_ref().as_str());
        for (_, attribute) in ATTRIBUTES.iter().filter(|(of, _)| kind == Some(of)) {
            let Some(item) = object.get(*attribute) else { continue };
            let before = self.slice(&item.span());
            let after: Vec<String> = match item.get_ref() {
                DeValue::Integer(_) => {
                    let number: Option<i64> = before.replace('_', "").parse().ok();
                    let near = number.into_iter().flat_map(|number| [number.checked_sub(1), number.checked_add(1)]);
                    near.flatten().filter(|number| *number >= 0).map(|number| number.to_string()).collect()
                }
                DeValue::Boolean(value) => vec![(!value).to_string()],
                _ => Vec::new(),
            };
            for after in after {
                let change = Change::Attribute(format!("{name}.{attribute}"), before.to_owned(), after.clone());
                self.push(item.span(), change, &item.span(), &after);
            }
        }
    }

    /// The changes of a list of steps, and of the lists within it.
    fn list(&mut self, list: &Spanned<DeValue<'_>>) {
        let DeValue::Array(items) = list.get_ref() else { return };
        let steps: Vec<Step<'s>> = items.iter().map(|item| self.step(item)).collect();
        // Steps that stand in a table of their own, `[[processes.p.steps]]`, have no list that could be written anew.
        if self.slice(&list.span()).starts_with('[') && !self.slice(&list.span()).starts_with("[[") {
            self.changes(&list.span(), &steps);
        }
        for item in items {
            let Some(step) = item.get_ref().as_table() else { continue };
            if let Some(condition) = step.get("if").filter(|condition| condition.get_ref().as_str().is_some()) {
                let change = Change::Always(format!("if = {}", self.slice(&condition.span())));
                self.push(condition.span(), change, &condition.span(), "\"true\"");
            }
            for (key, value) in step {
                match value.get_ref() {
                    DeValue::Array(_) if BLOCKS.contains(&key.get_ref().as_ref()) => self.list(value),
                    DeValue::Table(outcomes) if key.get_ref() == "on" => {
                        outcomes.iter().for_each(|(_, list)| self.list(list));
                    }
                    _ => {}
                }
            }
        }
    }

    fn changes(&mut self, place: &Range<usize>, steps: &[Step<'s>]) {
        let written = |kept: &mut dyn Iterator<Item = usize>| {
            format!("[{}]", kept.map(|at| steps[at].text).collect::<Vec<_>>().join(", "))
        };
        for (at, step) in steps.iter().enumerate() {
            if step.block || self.quiet.contains(&step.verb) {
                continue;
            }
            // Without a step that is judged, an expectation is missing too.
            if !step.judged {
                let without = written(&mut (0..steps.len()).filter(|other| *other != at));
                self.push(step.span.clone(), Change::Without(one_line(step.text)), place, &without);
            }
            let gives = PAIRS.iter().find(|(takes, _)| *takes == step.verb).map(|(_, gives)| *gives);
            let back = (at + 1..steps.len())
                .find(|other| gives == Some(steps[*other].verb) && steps[*other].about == step.about);
            if let Some(back) = back {
                let without = written(&mut (0..steps.len()).filter(|other| ![at, back].contains(other)));
                let change = Change::WithoutPair(one_line(step.text), one_line(steps[back].text));
                self.push(step.span.clone(), change, place, &without);
            }
            if let Some(next) = steps.get(at + 1)
                && !next.block
                && !self.quiet.contains(&next.verb)
                && next.text != step.text
                && !UNORDERED.iter().any(|verbs| [step, next].iter().all(|step| verbs.contains(&step.verb)))
            {
                let order = (0..steps.len()).map(|place| match place {
                    _ if place == at => at + 1,
                    _ if place == at + 1 => at,
                    _ => place,
                });
                let swapped = written(&mut order.collect::<Vec<_>>().into_iter());
                let change = Change::Swapped(one_line(step.text), one_line(next.text));
                self.push(step.span.clone(), change, place, &swapped);
            }
        }
    }

    fn step(&self, item: &Spanned<DeValue<'_>>) -> Step<'s> {
        let (text, span) = (self.slice(&item.span()), item.span());
        let DeValue::Table(table) = item.get_ref() else {
            return Step { text, span, verb: text.trim_matches(['"', '\'']), about: "", block: false, judged: false };
        };
        let is_verb = |key: &str| steps::verb_names().any(|verb| verb == key);
        let verb = table.iter().find(|(key, _)| is_verb(key.get_ref()));
        let block =
            table.iter().any(|(key, value)| BLOCKS.contains(&key.get_ref().as_ref()) && value.get_ref().is_array());
        let (verb, about) = verb.map_or(("", ""), |(key, value)| (self.slice(&key.span()), self.slice(&value.span())));
        Step { text, span, verb, about, block, judged: table.contains_key("expect") }
    }
}

/// A text of the file on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
