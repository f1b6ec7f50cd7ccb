//! The JSON schema of scenarios, for editors, generated from the catalogue.
//!
//! Steps, objects and expectations are distinguished by `if` and `then` on the key that names them. A choice of many
//! (`oneOf`) would turn every mistyped key into "not valid under any of the schemas"; this way an editor names the key.
//! The dialect is draft 7, which every editor knows.

use serde_json::{Map, Value, json};

use super::Catalogue;
use crate::objects::{Argument, Attribute, Form, Kind, Verb};
use crate::scenario::expectation::{FormDescription, Shape};
use crate::scenario::keys::{EXPECTATION_KEYS, FILE_KEYS, Key, OBJECT_KEYS, PATTERN_KEYS, PROCESS_KEYS, Takes};
use crate::value::Types;

/// Text that is computed, or the beginning of one.
const COMPUTED: &str = "\\{";

pub fn schema(catalogue: &Catalogue) -> Value {
    let mut definitions = Map::new();
    definitions.insert("step".to_owned(), step(catalogue));
    definitions.insert("steps".to_owned(), json!({ "type": "array", "items": { "$ref": "#/definitions/step" } }));
    definitions.insert("object".to_owned(), object(catalogue));
    definitions.insert("process".to_owned(), table(PROCESS_KEYS, &["steps"]));
    definitions.insert("pattern".to_owned(), pattern());
    definitions.insert("expectation".to_owned(), expectation(catalogue));
    for kind in catalogue.kinds {
        definitions.insert(format!("kind-{}", kind.name), kind_table(kind));
    }
    for name in verb_names(catalogue) {
        definitions.insert(format!("verb-{name}"), verb_table(catalogue, name));
    }
    for form in &catalogue.forms {
        definitions.insert(format!("expect-{}", form.name), form_table(form));
    }
    let mut root = table(FILE_KEYS, &["processes"]);
    let properties = &mut root["properties"];
    set(properties, "objects", json!({ "type": "object", "additionalProperties": reference("object") }));
    set(
        properties,
        "processes",
        json!({ "type": "object", "minProperties": 1, "additionalProperties": reference("process") }),
    );
    set(properties, "expect", json!({ "type": "array", "items": reference("expectation") }));
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "An ipcrun scenario",
        "x-tombi-toml-version": "v1.1.0",
    });
    if let (Some(schema), Value::Object(root)) = (schema.as_object_mut(), root) {
        schema.extend(root);
        schema.insert("definitions".to_owned(), Value::Object(definitions));
    }
    schema
}

/// A table without further constraints: other keys are no error here. That is what a schema means that does not say
/// so, but tombi warns of each key then.
fn open(mut schema: Value) -> Value {
    schema["additionalProperties"] = true.into();
    schema
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

/// Replaces the schema of a property and keeps its description.
fn set(properties: &mut Value, name: &str, mut schema: Value) {
    schema["description"] = properties[name]["description"].clone();
    properties[name] = schema;
}

/// A table of fixed keys.
fn table(keys: &[Key], required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        keys.iter().map(|key| (key.name.to_owned(), described(takes(key.takes), key.summary, key.default))).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn described(mut schema: Value, summary: &str, default: &str) -> Value {
    let default = if default.is_empty() { String::new() } else { format!(" (default: {default})") };
    if !summary.is_empty() && schema.get("$ref").is_none() {
        schema["description"] = format!("{summary}{default}").into();
    }
    schema
}

fn takes(takes: Takes) -> Value {
    match takes {
        Takes::Text | Takes::Signal | Takes::Group => json!({ "type": "string" }),
        Takes::Duration => duration(),
        Takes::Integer(least) => integer(least, i64::MAX),
        Takes::Integers => json!({ "type": "array", "items": { "type": "integer" } }),
        Takes::Boolean => json!({ "type": "boolean" }),
        Takes::Choice(words) => json!({ "enum": words }),
        Takes::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Takes::Values | Takes::Own(_) => json!({ "type": "object", "additionalProperties": true }),
        Takes::Words(words) => json!({ "type": "object", "additionalProperties": { "enum": words } }),
        Takes::Pipe(words) => {
            json!({ "type": "object", "properties": { "PIPE": { "enum": words } }, "additionalProperties": false })
        }
        Takes::Steps => reference("steps"),
        Takes::Any => json!({}),
    }
}

/// A number, or text with a param or an expression in braces.
fn integer(low: i64, high: i64) -> Value {
    let mut schema = json!({ "type": ["integer", "string"], "pattern": COMPUTED });
    if low != i64::MIN {
        schema["minimum"] = low.into();
    }
    if high != i64::MAX {
        schema["maximum"] = high.into();
    }
    schema
}

fn duration() -> Value {
    json!({ "type": "string", "pattern": format!("^([0-9.]+ *(ns|us|µs|ms|s|m|min|h) *)+$|{COMPUTED}") })
}

fn form(form: Form) -> Value {
    match form {
        Form::Boolean => json!({ "type": "boolean" }),
        Form::Integer(low, high) => integer(low, high),
        Form::Place(most) => integer(0, most.into()),
        Form::Size => json!({ "type": ["integer", "string"], "minimum": 0 }),
        Form::Choice(words) => json!({ "enum": words }),
        Form::Value(types) => value(types),
        Form::Object(_) | Form::Process => json!({ "type": "string" }),
        Form::Update => json!({}),
        Form::Into | Form::Second | Form::Variable => {
            json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })
        }
        Form::Duration => duration(),
        Form::Condition => json!({ "type": ["string", "boolean"] }),
        Form::Steps => reference("steps"),
        Form::Signal => json!({ "type": ["string", "integer"] }),
        Form::Signals => json!({ "type": "array", "items": { "type": "string" } }),
        Form::Variables => json!({ "type": "object", "additionalProperties": true }),
        Form::Nothing => json!({ "const": true }),
    }
}

/// A value of these types, or text that computes one.
fn value(types: Types) -> Value {
    if types == Types::ANY {
        return json!({});
    }
    let names = [
        (Types::BOOL, "boolean"),
        (Types::INT, "integer"),
        (Types::FLOAT, "number"),
        (Types::LIST, "array"),
        (Types::BYTES | Types::MAP, "object"),
    ];
    let mut allowed = vec!["string"];
    allowed.extend(names.iter().filter(|(some, _)| types.meets(*some)).map(|(_, name)| *name));
    json!({ "type": allowed })
}

fn object(catalogue: &Catalogue) -> Value {
    let kinds: Vec<&str> = catalogue.kinds.iter().map(|kind| kind.name).collect();
    let rules: Vec<Value> = kinds
        .iter()
        .map(|kind| {
            let is = open(json!({ "properties": { "kind": { "const": kind } }, "required": ["kind"] }));
            json!({ "if": is, "then": reference(&format!("kind-{kind}")) })
        })
        .collect();
    let properties = json!({ "kind": { "enum": kinds } });
    open(json!({ "type": "object", "properties": properties, "required": ["kind"], "allOf": rules }))
}

fn kind_table(kind: &Kind) -> Value {
    let mut schema = table(OBJECT_KEYS, &["kind"]);
    schema["description"] = kind.summary.into();
    for Attribute { name, form: takes, default, required, summary } in kind.attributes {
        let one = form(*takes);
        // With `count`, a list has an entry for each object.
        let is_list = matches!(takes, Form::Value(types) if types.meets(Types::LIST));
        let attribute = if is_list {
            json!({})
        } else {
            json!({ "if": { "type": "array" }, "then": { "items": one }, "else": one })
        };
        schema["properties"][*name] = described(attribute, summary, default);
        if *required && let Some(list) = schema["required"].as_array_mut() {
            list.push((*name).into());
        }
    }
    schema
}

/// The names of all verbs, each once.
fn verb_names(catalogue: &Catalogue) -> Vec<&'static str> {
    let mut names: Vec<&str> = catalogue.steps.iter().map(|verb| verb.name).collect();
    for verb in catalogue.kinds.iter().flat_map(|kind| kind.verbs) {
        if !names.contains(&verb.name) {
            names.push(verb.name);
        }
    }
    names
}

/// Every meaning of a verb: of the kinds that have it and as a step of its own.
fn meanings(catalogue: &Catalogue, name: &str) -> Vec<(Option<&'static Kind>, &'static Verb)> {
    let kinds = catalogue.kinds.iter().filter_map(|kind| kind.verb(name).map(|(_, verb)| (Some(*kind), verb)));
    catalogue.steps.iter().filter(|verb| verb.name == name).map(|verb| (None, verb)).chain(kinds).collect()
}

fn step(catalogue: &Catalogue) -> Value {
    let names = verb_names(catalogue);
    let bare: Vec<&str> = catalogue
        .steps
        .iter()
        .filter(|verb| verb.arguments.first().is_none_or(|argument| matches!(argument.form, Form::Nothing)))
        .map(|verb| verb.name)
        .collect();
    let mut known = Map::new();
    for name in &names {
        known.insert((*name).to_owned(), json!({}));
        for argument in meanings(catalogue, name).iter().flat_map(|(_, verb)| verb.arguments) {
            known.insert(argument.name.to_owned(), json!({}));
        }
    }
    known.extend(catalogue.common.iter().map(|argument| (argument.name.to_owned(), json!({}))));
    let rules = names.iter().map(|name| {
        // A verb may be called as another's argument is.
        let others: Vec<&str> = names
            .iter()
            .copied()
            .filter(|other| {
                let has = |verb: &Verb| verb.arguments.iter().any(|argument| argument.name == *name);
                other != name && meanings(catalogue, other).iter().any(|(_, verb)| has(verb))
            })
            .collect();
        rule(name, &others, &format!("verb-{name}"))
    });
    let rules: Vec<Value> = rules.collect();
    let table = told_apart(&names, &known, &rules);
    open(json!({ "if": { "type": "string" }, "then": { "enum": bare }, "else": table }))
}

/// A table that one of its keys names. Where none of them stands, the key that is wrong is the one that is not known:
/// only then are all keys asked, so that each fault is reported once.
fn told_apart(names: &[&str], known: &Map<String, Value>, rules: &[Value]) -> Value {
    let any: Vec<Value> = names.iter().map(|name| open(json!({ "required": [name] }))).collect();
    open(json!({
        "type": "object",
        "if": open(json!({ "anyOf": any })),
        "then": open(json!({ "allOf": rules })),
        "else": { "properties": known, "additionalProperties": false, "minProperties": 1 },
    }))
}

/// Where the key stands, and none of the others, the definition holds.
fn rule(key: &str, others: &[&str], definition: &str) -> Value {
    let mut condition = open(json!({ "required": [key] }));
    if !others.is_empty() {
        let others: Vec<Value> = others.iter().map(|other| open(json!({ "required": [other] }))).collect();
        condition["not"] = json!({ "anyOf": others });
    }
    open(json!({ "if": condition, "then": reference(definition) }))
}

fn verb_table(catalogue: &Catalogue, name: &'static str) -> Value {
    let meanings = meanings(catalogue, name);
    let mut arguments: Vec<(&str, Vec<&Argument>)> = Vec::new();
    for argument in meanings.iter().flat_map(|(_, verb)| verb.arguments) {
        match arguments.iter_mut().find(|(name, _)| *name == argument.name) {
            Some((_, all)) => all.push(argument),
            None => arguments.push((argument.name, vec![argument])),
        }
    }
    let summary: Vec<String> = meanings
        .iter()
        .map(|(kind, verb)| kind.map_or(verb.summary.to_owned(), |kind| format!("{}: {}", kind.name, verb.summary)))
        .collect();
    let summary = summary.join("; ");
    let mut properties = Map::new();
    // Of an object's verb the key names the object, and is none of the arguments.
    properties.insert(name.to_owned(), described(json!({ "type": "string" }), &summary, ""));
    let mut required = vec![name];
    for (key, all) in &arguments {
        let mut forms: Vec<Value> = Vec::new();
        for argument in all {
            let form = form(argument.form);
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        let schema = if forms.len() == 1 { forms.swap_remove(0) } else { json!({ "anyOf": forms }) };
        let text = if *key == name { &summary } else { all[0].summary };
        properties.insert((*key).to_owned(), described(schema, text, ""));
        if *key != name && all.len() == meanings.len() && all.iter().all(|argument| argument.required) {
            required.push(key);
        }
    }
    let blocks = meanings.iter().any(|(_, verb)| verb.blocks);
    for argument in catalogue.common.iter().filter(|argument| argument.name != "timeout" || blocks) {
        let schema = match argument.name {
            "on" => json!({ "type": "object", "additionalProperties": reference("steps") }),
            _ => form(argument.form),
        };
        properties.insert(argument.name.to_owned(), described(schema, argument.summary, ""));
    }
    json!({ "properties": properties, "required": required, "additionalProperties": false })
}

fn pattern() -> Value {
    json!({ "if": { "type": "string" }, "then": {}, "else": table(PATTERN_KEYS, &[]) })
}

fn expectation(catalogue: &Catalogue) -> Value {
    let mut known: Map<String, Value> = EXPECTATION_KEYS.iter().map(|key| (key.name.to_owned(), json!({}))).collect();
    for argument in catalogue.forms.iter().flat_map(|form| form.arguments) {
        known.insert(argument.name.to_owned(), json!({}));
    }
    let rules = catalogue.forms.iter().map(|form| {
        let others: Vec<&str> = catalogue
            .forms
            .iter()
            .filter(|other| {
                other.name != form.name && other.arguments.iter().any(|argument| argument.name == form.name)
            })
            .map(|other| other.name)
            .collect();
        rule(form.name, &others, &format!("expect-{}", form.name))
    });
    let (rules, names): (Vec<Value>, Vec<&str>) =
        (rules.collect(), catalogue.forms.iter().map(|form| form.name).collect());
    told_apart(&names, &known, &rules)
}

fn form_table(description: &FormDescription) -> Value {
    let mut schema = table(EXPECTATION_KEYS, &[description.name]);
    schema["description"] = format!("holds when: {}", description.summary).into();
    for argument in description.arguments {
        schema["properties"][argument.name] = described(shape(argument.shape), argument.summary, "");
        if argument.required
            && argument.name != description.name
            && let Some(list) = schema["required"].as_array_mut()
        {
            list.push(argument.name.into());
        }
    }
    schema
}

fn shape(shape: Shape) -> Value {
    match shape {
        Shape::Pattern => reference("pattern"),
        Shape::Patterns(least) => json!({ "type": "array", "minItems": least, "items": reference("pattern") }),
        Shape::Condition => json!({ "type": ["string", "boolean"] }),
        Shape::Count => integer(0, i64::MAX),
        Shape::Integer => integer(i64::MIN, i64::MAX),
        Shape::Duration => duration(),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Text | Shape::Section | Shape::Object(_) | Shape::Processes | Shape::ProcessesOrRun => {
            json!({ "type": "string" })
        }
        Shape::Choice(words) => json!({ "enum": words }),
        Shape::Signal => json!({ "type": ["string", "integer"] }),
        Shape::Value => json!({}),
        Shape::Values => json!({ "type": ["array", "string"] }),
        Shape::Lists => json!({ "type": "array", "items": { "type": ["array", "string"] } }),
        Shape::Objects | Shape::Blocked => json!({ "type": "array", "items": { "type": "string" } }),
        Shape::BlockedLists => {
            json!({ "type": "array", "items": { "type": "array", "items": { "type": "string" } } })
        }
    }
}
