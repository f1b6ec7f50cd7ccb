//! The schema for editors: what is right is right by it, and each fault is told once, at its place.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::Test;

/// A fault: where it is, and which rule it breaks.
type Fault = (String, String);

/// What of a schema is used, in the words of draft 7.
struct Schema {
    root: Value,
}

impl Schema {
    fn of_this_version() -> Self {
        let done = Test::new().args(["schema"]).run().status(0);
        Self { root: serde_json::from_str(&done.out).expect("JSON") }
    }

    fn faults(&self, text: &str) -> Vec<Fault> {
        let table: toml::Value = toml::from_str(text).expect("TOML");
        let mut faults = Vec::new();
        self.check(&self.root, &serde_json::to_value(table).expect("JSON"), "", &mut faults);
        faults
    }

    fn holds(&self, schema: &Value, value: &Value) -> bool {
        let mut faults = Vec::new();
        self.check(schema, value, "", &mut faults);
        faults.is_empty()
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<Fault>) {
        let Some(rules) = schema.as_object() else {
            assert!(schema.is_boolean(), "{schema}");
            if schema == false {
                faults.push((at.to_owned(), "false".to_owned()));
            }
            return;
        };
        let list = |rule: &Value| rule.as_array().cloned().unwrap_or_default();
        for (name, rule) in rules {
            let right = match name.as_str() {
                "type" => {
                    let types = if rule.is_array() { list(rule) } else { vec![rule.clone()] };
                    types.iter().any(|one| is_type(one.as_str().unwrap_or(""), value))
                }
                "enum" => list(rule).contains(value),
                "const" => rule == value,
                "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap_or(f64::MIN)),
                "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap_or(f64::MAX)),
                "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap_or(0)),
                "minProperties" => value.as_object().is_none_or(|map| map.len() as u64 >= rule.as_u64().unwrap_or(0)),
                "required" => value
                    .as_object()
                    .is_none_or(|map| list(rule).iter().all(|key| map.contains_key(key.as_str().unwrap_or("")))),
                "anyOf" => list(rule).iter().any(|one| self.holds(one, value)),
                "not" => !self.holds(rule, value),
                "allOf" => {
                    for one in list(rule) {
                        self.check(&one, value, at, faults);
                    }
                    true
                }
                "$ref" => {
                    let pointer = rule.as_str().and_then(|path| path.strip_prefix('#')).expect("a local reference");
                    let target = self.root.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
                    self.check(target, value, at, faults);
                    true
                }
                "items" => {
                    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(rule, item, &format!("{at}[{number}]"), faults);
                    }
                    true
                }
                "properties" => {
                    for (key, rule) in rule.as_object().into_iter().flatten() {
                        if let Some(inner) = value.get(key) {
                            self.check(rule, inner, &format!("{at}.{key}"), faults);
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    let known = rules.get("properties").and_then(Value::as_object);
                    for (key, inner) in value.as_object().into_iter().flatten() {
                        if known.is_none_or(|known| !known.contains_key(key)) {
                            self.check(rule, inner, &format!("{at}.{key}"), faults);
                        }
                    }
                    true
                }
                "if" => {
                    let branch = if self.holds(rule, value) { "then" } else { "else" };
                    if let Some(branch) = rules.get(branch) {
                        self.check(branch, value, at, faults);
                    }
                    true
                }
                // Texts that are computed, durations and names: what is right there, `check` says.
                "pattern" | "then" | "else" | "description" | "definitions" | "title" | "$schema" => true,
                other if other.starts_with("x-") => true,
                other => panic!("`{other}` is not looked at here"),
            };
            if !right {
                faults.push((at.to_owned(), name.clone()));
            }
        }
    }
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type {other}"),
    }
}

fn scenarios(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(root).expect("a folder").flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect()
}

#[test]
fn every_scenario_is_right_by_it() {
    let schema = Schema::of_this_version();
    for folder in ["scenarios", "tests/deadlocks", "tests/near-misses", "benches/scenarios"] {
        let files = scenarios(folder);
        assert!(!files.is_empty());
        for path in files {
            let text = fs::read_to_string(&path).expect("a scenario");
            assert_eq!(schema.faults(&text), [], "{}", path.display());
        }
    }
}

#[test]
fn the_shipped_scenarios_name_it() {
    for path in scenarios("scenarios") {
        let text = fs::read_to_string(&path).expect("a scenario");
        let named = text.lines().next().and_then(|line| line.strip_prefix("#:schema ")).expect("a schema");
        assert!(path.parent().expect("a folder").join(named).exists(), "{}", path.display());
    }
}

#[test]
fn each_fault_is_told_once_and_by_its_own_name() {
    let schema = Schema::of_this_version();
    let head = "[objects]\ns = { kind = \"semaphore\", value = 1 }\n[processes.p]\n";
    let faults =
        |text: &str| schema.faults(text).into_iter().map(|(at, rule)| format!("{at} {rule}")).collect::<Vec<_>>();
    let step = |step: &str| faults(&format!("{head}steps = [{step}]\n"));
    let expect = |text: &str| faults(&format!("{head}steps = [\"yield\"]\n[[expect]]\n{text}\n"));
    assert_eq!(step("{ acquire = \"s\", timeout = \"3s\" }"), [""; 0]);
    assert_eq!(step("{ aquire = \"s\" }"), [".processes.p.steps[0].aquire false"]);
    assert_eq!(step("{ acquire = \"s\", timout = \"3s\" }"), [".processes.p.steps[0].timout false"]);
    assert_eq!(step("\"brake\""), [".processes.p.steps[0] enum"]);
    assert_eq!(step("{ sleep = 3 }"), [".processes.p.steps[0].sleep type"]);
    assert_eq!(step("{}"), [".processes.p.steps[0] minProperties"]);
    assert_eq!(step("{ repeat = 2, do = [{ slep = \"1s\" }] }"), [".processes.p.steps[0].do[0].slep false"]);
    assert_eq!(expect("at_mots = 3\nholding = \"s\""), [".expect[0].at_mots false"]);
    assert_eq!(expect("cuont = \"p acquire s\""), [".expect[0].cuont false"]);
    assert_eq!(
        faults("[objects]\nq = { kind = \"queue\", capcity = 3 }\n[processes.p]\nsteps = []\n"),
        [".objects.q.capcity false"]
    );
    assert_eq!(faults("[objects]\nq = { kind = \"qeue\" }\n[processes.p]\nsteps = []\n"), [".objects.q.kind enum"]);
    assert_eq!(faults("tiemout = \"3s\"\n[processes.p]\nsteps = []\n"), [".tiemout false"]);
}
