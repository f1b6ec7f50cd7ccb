//! `[objects]`: each declaration read by its kind's description, arrays expanded.

use std::ops::Range;

use toml::de::DeValue;

use super::document::{Checker, Fields, Item, list};
use super::keys;
use super::names::{Declared, with_article};
use super::plan::{Group, ObjectPlan};
use crate::diagnostic::{Code, Diagnostic};
use crate::event::ObjectId;
use crate::objects::{self, Attribute, CATALOGUE, Declaration, Form, Kind};
use crate::value::{Types, Value};

/// The most objects one array may have.
const MOST: i64 = 100_000;

/// Reads every object. Those that others name as an attribute come first.
pub(super) fn read(checker: &mut Checker, table: &Fields<'_>, declared: &mut Declared) {
    let mut waiting = Vec::new();
    for (name, span, item) in table.entries() {
        let word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if !word {
            let message = format!("`{name}` cannot be an object's name: letters, digits, `_` and `-`, no digit first");
            checker.error(Code::BAD_VALUE, span, message, "");
            declared.broken.push(name.to_owned());
            continue;
        }
        if !matches!(item.get_ref(), DeValue::Table(_)) && keys::FILE_KEYS.iter().any(|key| key.name == name) {
            let message = format!("`{name}` is a key of the file, not an object");
            let diagnostic = Diagnostic::error(Code::UNKNOWN_KEY, message)
                .at(&checker.source, span, "in `[objects]`")
                .help("the keys of the file stand above its first `[table]`");
            checker.report(diagnostic);
            continue;
        }
        let Some(fields) = checker.table(item, "an object, as { kind = \"queue\" }") else {
            declared.broken.push(name.to_owned());
            continue;
        };
        match kind_of(checker, &fields) {
            Some(kind) => waiting.push((name, span, fields, kind)),
            None => declared.broken.push(name.to_owned()),
        }
    }
    let (first, second): (Vec<_>, Vec<_>) = waiting
        .into_iter()
        .partition(|(.., kind)| !kind.attributes.iter().any(|attribute| matches!(attribute.form, Form::Object(_))));
    for (name, span, fields, kind) in first.into_iter().chain(second) {
        if one(checker, declared, name, span.clone(), &fields, kind).is_none() {
            declared.broken.push(name.to_owned());
            declared.kinds.push((name.to_owned(), kind, span));
        }
    }
}

/// What the kinds of other libraries are here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("lock", "mutex"),
    ("rlock", "mutex"),
    ("spinlock", "mutex"),
    ("sem", "semaphore"),
    ("permits", "semaphore"),
    ("shm", "value"),
    ("shared_memory", "value"),
    ("counter", "value"),
    ("atomic", "value"),
    ("variable", "value"),
    ("int", "value"),
    ("bool", "value"),
    ("channel", "queue"),
    ("mailbox", "queue"),
    ("mqueue", "queue"),
    ("message_queue", "queue"),
    ("condvar", "condition"),
    ("cond", "condition"),
    ("monitor", "condition"),
    ("flag", "event"),
    ("latch", "barrier"),
    ("rendezvous", "barrier"),
    ("shared_mutex", "rwlock"),
    ("list", "array"),
];

fn kind_of(checker: &mut Checker, fields: &Fields<'_>) -> Option<&'static Kind> {
    let Some(item) = fields.take("kind") else {
        let kinds = list(CATALOGUE.iter().map(|kind| kind.name));
        let diagnostic = Diagnostic::error(Code::MISSING_KEY, "an object needs its `kind`")
            .at(&checker.source, fields.span.clone(), "`kind` is missing")
            .help(format!("the kinds are {kinds}"));
        checker.report(diagnostic);
        return None;
    };
    let text = checker.text(item, "a kind of object")?;
    if let Some(kind) = objects::kind(text.value) {
        return Some(kind);
    }
    if objects::LATER.contains(&text.value) {
        let message = format!("`{}` is not supported yet", text.value);
        checker.error(Code::LATER, text.span, message, "not supported yet");
        return None;
    }
    let names = CATALOGUE.iter().map(|kind| kind.name);
    let mut diagnostic = Diagnostic::error(Code::UNKNOWN_KIND, format!("no kind of object is called `{}`", text.value))
        .at(&checker.source, text.span.clone(), "unknown kind");
    let elsewhere = ELSEWHERE.iter().find(|(name, _)| text.value.eq_ignore_ascii_case(name)).map(|(_, kind)| *kind);
    diagnostic = match elsewhere.or_else(|| crate::diagnostic::nearest(text.value, names.clone())) {
        Some(near) => diagnostic.suggest(text.span, format!("\"{near}\"")),
        None => diagnostic.help(format!("the kinds are {}", list(names))),
    };
    checker.report(diagnostic);
    None
}

fn one(
    checker: &mut Checker,
    declared: &mut Declared,
    name: &str,
    span: Range<usize>,
    fields: &Fields<'_>,
    kind: &'static Kind,
) -> Option<()> {
    let errors = checker.diagnostics.len();
    let counted = fields.peek("count").map_or_else(|| span.clone(), toml::Spanned::span);
    let count = fields.take("count").map(|item| checker.integer(item, 1, MOST));
    let number = match count {
        Some(count) => count? as u32,
        None => 1,
    };
    if let Some(item) = fields.take("create")
        && checker.boolean(item) == Some(false)
    {
        checker.error(Code::LATER, item.span(), "opening by name from steps is not supported yet", "");
    }
    let first = declared.objects.len() as ObjectId;
    if let Some(bounds) = checker.bounds
        && (u64::from(first)..u64::from(first) + u64::from(number)).contains(&bounds.objects)
    {
        let most = format!("has at most {} of them", bounds.objects);
        checker.refuse(counted, &format!("{} objects so far", u64::from(first) + u64::from(number)), &most);
        return None;
    }
    let mut declarations: Vec<_> = (0..number)
        .map(|index| Declaration {
            name: if count.is_some() { format!("{name}[{index}]") } else { name.to_owned() },
            id: first + index,
            attributes: Vec::new(),
            objects: Vec::new(),
        })
        .collect();
    for attribute in kind.attributes {
        match fields.take(attribute.name) {
            None if attribute.required => {
                let message = format!("{} needs `{}`: {}", with_article(kind.name), attribute.name, attribute.summary);
                checker.error(
                    Code::MISSING_KEY,
                    fields.span.clone(),
                    message,
                    format!("`{}` is missing", attribute.name),
                );
            }
            None => {}
            Some(item) => each(checker, declared, attribute, item, count.is_some(), &mut declarations),
        }
    }
    for (_, key) in objects::LATER_ATTRIBUTES.iter().filter(|(of, _)| *of == kind.name) {
        let Some(item) = fields.take(key) else { continue };
        if checker.boolean(item) == Some(true) {
            let message = format!("`{key} = true` of {} is not supported yet", with_article(kind.name));
            checker.error(Code::LATER, item.span(), message, "not supported yet");
        }
    }
    let mut known: Vec<_> = keys::names(keys::OBJECT_KEYS);
    known.extend(kind.attributes.iter().map(|attribute| attribute.name));
    fields.finish(checker, &with_article(kind.name), &known);
    if checker.diagnostics.len() > errors {
        return None;
    }
    let alike = declarations.windows(2).all(|pair| pair[0].attributes == pair[1].attributes);
    let mut objects = Vec::new();
    for declaration in declarations {
        match (kind.declare)(&declaration) {
            Ok(object) => objects.push(ObjectPlan { name: declaration.name, group: declared.groups.len(), object }),
            Err(problems) => {
                for problem in problems {
                    let span = problem
                        .attribute
                        .and_then(|attribute| fields.peek(attribute))
                        .map_or(fields.span.clone(), toml::Spanned::span);
                    let mut diagnostic = Diagnostic::error(problem.code, problem.message).at(&checker.source, span, "");
                    diagnostic.help.extend(problem.help);
                    checker.report(diagnostic);
                }
                // The others of an array would say the same again.
                return None;
            }
        }
    }
    declared.objects.extend(objects);
    let count = count.is_some().then_some(number);
    declared.groups.push(Group { name: name.to_owned(), kind, first, count, alike, span });
    Some(())
}

/// Reads an attribute: one for all objects of an array, or a list with one entry for each.
fn each(
    checker: &mut Checker,
    declared: &Declared,
    attribute: &'static Attribute,
    item: Item<'_>,
    array: bool,
    declarations: &mut [Declaration],
) {
    if let (true, DeValue::Array(items)) = (array, item.get_ref()) {
        let takes_list = matches!(attribute.form, Form::Value(types) if types.meets(Types::LIST));
        let one_each = !takes_list
            || (!items.is_empty()
                && items.iter().all(|item| matches!(item.get_ref(), DeValue::Array(_) | DeValue::Table(_))));
        if one_each {
            if items.len() != declarations.len() {
                let message = format!(
                    "a list has one entry for each of the {} objects, this one has {}",
                    declarations.len(),
                    items.len()
                );
                checker.error(Code::BAD_VALUE, item.span(), message, "");
                return;
            }
            for (declaration, item) in declarations.iter_mut().zip(items.iter()) {
                single(checker, declared, attribute, item, declaration, 0);
            }
            return;
        }
    }
    for (index, declaration) in declarations.iter_mut().enumerate() {
        if !single(checker, declared, attribute, item, declaration, index as u32) {
            return;
        }
    }
}

/// Reads an attribute of one object; says whether it was right.
fn single(
    checker: &mut Checker,
    declared: &Declared,
    attribute: &'static Attribute,
    item: Item<'_>,
    declaration: &mut Declaration,
    index: u32,
) -> bool {
    let value = match attribute.form {
        Form::Boolean => checker.boolean(item).map(Value::Bool),
        Form::Integer(low, high) => checker.integer(item, low, high).map(Value::Int),
        Form::Size => checker.size(item).map(Value::Int),
        Form::Duration => checker.duration(item).map(|ns| Value::Int(ns as i64)),
        Form::Choice(words) => checker.word(item, words).map(Value::from),
        Form::Object(kind) => {
            let Some(object) = named(checker, declared, item, kind, index) else { return false };
            declaration.objects.push((attribute.name, object));
            return true;
        }
        Form::Value(types) => checker.known(item).and_then(|value| {
            if types.meets(value.types()) {
                return Some(value);
            }
            let found = value.types();
            checker.error(
                Code::WRONG_TYPE,
                item.span(),
                format!("expected {types}, found {found}"),
                format!("expected {types}"),
            );
            None
        }),
        _ => checker.known(item),
    };
    match value {
        Some(value) => {
            declaration.attributes.push((attribute.name, value));
            true
        }
        None => false,
    }
}

/// An object that an attribute names: `m`, `m[2]`, or `m` of as many for the object of the same index.
fn named(checker: &mut Checker, declared: &Declared, item: Item<'_>, kind: &str, index: u32) -> Option<ObjectId> {
    let text = checker.text(item, &format!("the name of {}", with_article(kind)))?;
    let params = checker.params.clone();
    let found = declared.object(checker, &text, &mut super::document::Params(&params))?;
    let group = &declared.groups[found.group];
    if group.kind.name != kind {
        let message = format!("`{}` is {}, not {}", group.name, with_article(group.kind.name), with_article(kind));
        checker.error(Code::WRONG_TYPE, text.span, message, format!("expected {}", with_article(kind)));
        return None;
    }
    match group.count {
        Some(count) if found.all && index < count => Some(found.first + index),
        Some(_) if found.all => {
            checker.error(Code::OUT_OF_RANGE, text.span, format!("`{}` has no entry {index}", group.name), "");
            None
        }
        _ => Some(found.first),
    }
}
