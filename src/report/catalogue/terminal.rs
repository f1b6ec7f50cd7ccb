//! The reference for a terminal: all names in a screenful or two, one entry at length.

use std::fmt::Write;

use super::{Catalogue, phrases};
use crate::objects::{Argument, Attribute, Kind, Verb};
use crate::scenario::expectation::FormDescription;

/// The width of the column of names.
const COLUMN: usize = 14;
/// The width that lines are filled to.
const WIDTH: usize = 96;

/// Every name with a line on what it is.
pub fn overview(catalogue: &Catalogue) -> String {
    let mut out = String::from("Objects, with their verbs:\n");
    for kind in catalogue.kinds {
        line(&mut out, kind.name, kind.summary);
        let verbs: Vec<&str> = kind.verbs.iter().map(|verb| verb.name).collect();
        line(&mut out, "", &verbs.join(" "));
    }
    out.push_str("\nSteps without an object:\n");
    for verb in catalogue.steps {
        line(&mut out, verb.name, verb.summary);
    }
    out.push_str("\nExpectations, which hold when:\n");
    for form in &catalogue.forms {
        line(&mut out, form.name, form.summary);
    }
    out.push_str("\nFunctions of expressions:\n");
    for function in &catalogue.functions {
        line(&mut out, function.name, function.summary);
    }
    out.push_str("\nState expressions, of `final`, `always` and `reaches`:\n");
    for term in catalogue.state_terms() {
        line(&mut out, term.name, &format!("{}: {}", term.written, term.summary));
    }
    out.push_str("\nOutcomes of steps:\n");
    for (_, name, meaning) in Catalogue::outcomes() {
        line(&mut out, name, meaning);
    }
    if !catalogue.later.is_empty() {
        out.push_str("\nNot supported yet:\n");
        fill(&mut out, &catalogue.later.join(" "), 2, 2);
    }
    out.push_str("\n`ipcrun list NAME` shows one of them at length.\n");
    out
}

/// What there is of that name, at length; empty where there is nothing.
pub fn entry(catalogue: &Catalogue, name: &str) -> String {
    let mut parts = Vec::new();
    parts.extend(catalogue.kinds.iter().filter(|kind| kind.name == name).map(|kind| object(kind)));
    for (kind, verb) in catalogue.verbs(name) {
        let mut out = format!("{name}: a verb of {}\n", kind.name);
        step(&mut out, Some(kind), verb);
        parts.push(out);
    }
    for verb in catalogue.steps.iter().filter(|verb| verb.name == name) {
        let mut out = format!("{name}: a step\n");
        step(&mut out, None, verb);
        parts.push(out);
    }
    parts.extend(catalogue.forms.iter().filter(|form| form.name == name).map(|form| expectation(form)));
    for function in catalogue.functions.iter().filter(|function| function.name == name) {
        parts.push(format!(
            "{name}: a function of expressions\n\n  {}\n      {}\n",
            function.signature, function.summary
        ));
    }
    for term in catalogue.state_terms().filter(|term| term.name == name) {
        let mut out = format!("{name}: in a state expression\n\n  {}\n", term.written);
        fill(&mut out, term.summary, 6, 6);
        parts.push(out);
    }
    for (_, name, meaning) in Catalogue::outcomes().iter().filter(|(_, outcome, _)| *outcome == name) {
        let mut out = format!("{name}: an outcome of steps\n\n  {meaning}\n");
        let has = |verb: &&Verb| phrases::outcomes(verb).iter().any(|outcome| outcome == name);
        let of_kinds = catalogue
            .kinds
            .iter()
            .flat_map(|kind| kind.verbs.iter().filter(has).map(|verb| format!("{} ({})", verb.name, kind.name)));
        let verbs: Vec<String> =
            catalogue.steps.iter().filter(has).map(|verb| verb.name.to_owned()).chain(of_kinds).collect();
        if !verbs.is_empty() {
            out.push('\n');
            fill(&mut out, &format!("of {}", verbs.join(", ")), 2, 2);
        }
        parts.push(out);
    }
    parts.join("\n")
}

fn object(kind: &'static Kind) -> String {
    let mut out = format!("{}: a kind of object\n\n", kind.name);
    fill(&mut out, kind.summary, 2, 2);
    fill(&mut out, &format!("Kernel primitive: {}", kind.primitive), 2, 2);
    if !kind.attributes.is_empty() {
        out.push_str("\nAttributes:\n");
    }
    for Attribute { name, form, default, required, summary } in kind.attributes {
        let default = match (required, *default) {
            (true, _) => "; required".to_owned(),
            (false, "") => String::new(),
            (false, default) => format!("; {default} where none is given"),
        };
        line(&mut out, name, &format!("{summary} ({}{default})", phrases::form(*form)));
    }
    out.push_str("\nVerbs:\n");
    for verb in kind.verbs {
        step(&mut out, Some(kind), verb);
    }
    example(&mut out, kind.example);
    out
}

fn step(out: &mut String, kind: Option<&'static Kind>, verb: &'static Verb) {
    let _ = write!(out, "\n  {}\n", phrases::step(kind, verb));
    fill(out, verb.summary, 6, 6);
    if verb.ends.len() > 1 {
        fill(out, &format!("on the ends .{}", verb.ends.join(", .")), 6, 6);
    }
    for Argument { name, form, required, summary } in phrases::described(kind, verb) {
        let needed = if *required && *name != verb.name { ", required" } else { "" };
        let takes = phrases::form(*form);
        let text = if summary.is_empty() { format!("{takes}{needed}") } else { format!("{summary} ({takes}{needed})") };
        fill(out, &format!("{name:<12}  {text}"), 6, 20);
    }
    let outcomes = phrases::outcomes(verb);
    if !outcomes.is_empty() {
        fill(out, &format!("outcomes      ok, {}", outcomes.join(", ")), 6, 20);
    }
}

fn expectation(form: &'static FormDescription) -> String {
    let mut out = format!("{}: an expectation\n\n", form.name);
    fill(&mut out, &format!("holds when: {}", form.summary), 2, 2);
    out.push_str("\nKeys:\n");
    for argument in form.arguments {
        let needed = if argument.required && argument.name != form.name { ", required" } else { "" };
        let takes = phrases::shape(argument.shape);
        line(&mut out, argument.name, &format!("{} ({takes}{needed})", argument.summary));
    }
    example(&mut out, form.example);
    out
}

fn example(out: &mut String, text: &str) {
    if !text.is_empty() {
        out.push_str("\nExample:\n\n");
        for line in text.trim().lines() {
            let _ = writeln!(out, "{}", format!("  {line}").trim_end());
        }
    }
}

/// A name and what it is, filled beside it.
fn line(out: &mut String, name: &str, text: &str) {
    let column = if name.is_empty() { String::new() } else { name.to_owned() };
    fill(out, &format!("{column:<COLUMN$}{}{text}", if column.len() >= COLUMN { " " } else { "" }), 2, COLUMN + 2);
}

/// Text broken at spaces, the first line indented by `first` and the others by `rest`. Backquotes are for Markdown.
fn fill(out: &mut String, text: &str, first: usize, rest: usize) {
    let text = text.replace('`', "");
    let (mut width, mut words) = (first, 0);
    out.push_str(&" ".repeat(first));
    // The name's own column is kept as it is.
    for word in text.split(' ') {
        let length = word.chars().count();
        if words > 0 && width + 1 + length > WIDTH && !word.is_empty() {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.push_str(&" ".repeat(rest));
            width = rest;
        } else if words > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += length;
        words += 1;
    }
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}
