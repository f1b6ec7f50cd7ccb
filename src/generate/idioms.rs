//! Steps that belong together, as the kinds' own examples show them.

use toml::{Table, Value};

use super::draw::Draw;
use super::objects::Drawn;
use super::taste::Taste;

/// One to three steps in a row of the example of the object's kind, on this object and those that it names.
pub(super) fn draw(draw: &mut Draw, taste: Taste, object: &Drawn, index: &str) -> Option<Vec<String>> {
    let example: Table = toml::from_str(object.kind.example).ok()?;
    let names: Vec<(String, String)> = example
        .get("objects")?
        .as_table()?
        .iter()
        .filter_map(|(name, declared)| {
            let kind = declared.get("kind")?.as_str()?;
            let other = object.named.iter().find(|(of, _)| *of == kind).map(|(_, name)| name);
            let ours = if kind == object.kind.name { Some(&object.name) } else { other };
            Some((name.clone(), format!("{}{index}", ours?)))
        })
        .collect();
    let lanes: Vec<&Vec<Value>> =
        example.get("processes")?.as_table()?.values().filter_map(|one| one.get("steps")?.as_array()).collect();
    let lane = *lanes.get(draw.below(lanes.len()))?;
    let first = draw.below(lane.len());
    let length = if draw.one_in(2) { 3 } else { 1 + draw.below(3) };
    let chosen = lane.iter().skip(first).take(length);
    Some(chosen.map(|step| adapted(step.clone(), &names, taste).to_string()).collect())
}

/// A step of an example as one of a scenario: about its objects, taking what comes.
fn adapted(value: Value, names: &[(String, String)], taste: Taste) -> Value {
    match value {
        Value::String(text) => Value::String(renamed(&text, names).unwrap_or(text)),
        Value::Array(list) => Value::Array(list.into_iter().map(|one| adapted(one, names, taste)).collect()),
        Value::Table(table) => {
            let mut new = Table::new();
            for (key, value) in table {
                match key.as_str() {
                    "timeout" if !taste.times => {}
                    // A long wait is one like a short one.
                    "timeout" => drop(new.insert(key, Value::String("2ms".to_owned()))),
                    "expect" => drop(new.insert("outcome".to_owned(), Value::String("o".to_owned()))),
                    // Variables are those that every scenario has.
                    "into" => drop(new.insert(key, Value::String("y".to_owned()))),
                    _ => drop(new.insert(key, adapted(value, names, taste))),
                }
            }
            Value::Table(new)
        }
        other => other,
    }
}

/// The object of that name, or what belongs to it, under its new name.
fn renamed(text: &str, names: &[(String, String)]) -> Option<String> {
    names.iter().find_map(|(from, to)| {
        let rest = text.strip_prefix(from.as_str())?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then(|| format!("{to}{rest}"))
    })
}
