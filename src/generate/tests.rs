use std::collections::BTreeSet;

use toml::{Table, Value};

use super::{EVERYTHING, Scenario, TASTES, Taste, is_accepted, scenario};
use crate::judge::FORMS;
use crate::objects::{Argument, CATALOGUE, Element, Form, Verb};
use crate::outcome::Outcome;
use crate::scenario::expect::CALLS;
use crate::scenario::expectation::{BOUNDS, FormArgument, Shape};
use crate::scenario::keys::{EXPECTATION_KEYS, OBJECT_KEYS, PATTERN_KEYS, PROCESS_KEYS, Takes};
use crate::scenario::steps::{COMMON, STEPS};

#[test]
fn the_same_seed_gives_the_same_text_and_check_takes_it() {
    for taste in TASTES {
        for seed in 0..3 {
            let one = scenario(seed, *taste);
            assert_eq!(one.text(), scenario(seed, *taste).text());
            assert!(is_accepted(&one.text()), "{}", one.text());
            assert!(is_accepted(&one.delayed(seed + 1)), "{}", one.delayed(seed + 1));
            let asked = one.expectations(4);
            assert_eq!(asked, scenario(seed, *taste).expectations(4));
            let all = one.text() + &asked.concat();
            assert!(is_accepted(&all), "{all}");
            for process in one.processes() {
                let killed = one.text() + &Scenario::killer(&process);
                assert!(is_accepted(&killed), "{killed}");
            }
        }
    }
}

/// Where a process is scheduled: an explored scenario that has one of these is undecided about time.
const PLACEMENT: [&str; 4] = ["cpus", "nice", "policy", "priority"];

/// What the format has words for and scenarios are made of, each as a path of words.
#[derive(Default)]
struct Words(BTreeSet<String>);

impl Words {
    fn add(&mut self, words: &[&str]) {
        self.0.insert(words.join(" "));
    }

    /// A key with each of the words that may stand there.
    fn form(&mut self, of: &[&str], name: &str, form: Form) {
        self.add(&[of, &[name]].concat());
        match form {
            Form::Choice(words) => words.iter().for_each(|word| self.add(&[of, &[name, word]].concat())),
            Form::Boolean => ["true", "false"].iter().for_each(|word| self.add(&[of, &[name, word]].concat())),
            _ => {}
        }
    }

    fn verb(&mut self, of: &str, verb: &Verb, arguments: &[Argument]) {
        self.add(&[of, verb.name]);
        for argument in arguments {
            self.form(&[of, verb.name], argument.name, argument.form);
        }
        for end in verb.ends {
            self.add(&[of, verb.name, &format!(".{end}")]);
        }
        if verb.element != Element::Never {
            self.add(&[of, verb.name, "[]"]);
        }
        if verb.blocks {
            self.add(&[of, verb.name, "timeout"]);
        }
        let waits: &[Outcome] = if verb.blocks { &[Outcome::TIMEOUT, Outcome::WOULD_BLOCK] } else { &[] };
        for outcome in verb.outcomes.iter().chain(waits) {
            self.add(&[of, verb.name, "on", &outcome.name()]);
        }
    }

    /// What there is.
    fn all() -> Self {
        let mut all = Self::default();
        for key in OBJECT_KEYS {
            all.add(&["object", key.name]);
        }
        for kind in CATALOGUE {
            for one in kind.attributes {
                all.form(&[kind.name], one.name, one.form);
            }
            for verb in kind.verbs {
                all.verb(kind.name, verb, verb.arguments);
            }
        }
        for verb in STEPS {
            let at = usize::from(verb.arguments.first().is_some_and(|first| first.name == verb.name));
            all.verb("step", verb, &verb.arguments[at..]);
        }
        for key in COMMON {
            all.add(&["any step", key.name]);
        }
        for key in PROCESS_KEYS.iter().filter(|key| !PLACEMENT.contains(&key.name)) {
            all.takes("process", key.name, key.takes);
        }
        for key in EXPECTATION_KEYS {
            all.takes("expect", key.name, key.takes);
        }
        for key in PATTERN_KEYS {
            all.add(&["pattern", key.name]);
        }
        for verb in BOUNDS {
            all.add(&["pattern of", verb]);
        }
        for call in CALLS {
            all.add(&["state", call]);
        }
        // The last stands beside a step.
        for form in FORMS.iter().filter(|form| form.description.arguments[0].required) {
            for one in form.description.arguments {
                all.argument(form.description.name, one);
            }
        }
        all
    }

    fn takes(&mut self, of: &str, name: &str, takes: Takes) {
        self.add(&[of, name]);
        if let Takes::Choice(words) | Takes::Words(words) = takes {
            for word in words {
                self.add(&[of, name, word]);
            }
        }
    }

    fn argument(&mut self, form: &str, argument: &FormArgument) {
        self.add(&[form, argument.name]);
        if let Shape::Choice(words) = argument.shape {
            for word in words {
                self.add(&[form, argument.name, word]);
            }
        }
    }

    /// What stands in a scenario.
    fn read(&mut self, text: &str) {
        let file: Table = text.parse().expect("it is TOML");
        let named = |key: &str| file.get(key).and_then(Value::as_table).cloned().unwrap_or_default();
        for object in named("objects").values().filter_map(Value::as_table) {
            let kind = object["kind"].as_str().expect("a name").to_owned();
            for (key, value) in object {
                self.add(&["object", key]);
                self.keyed(&[&kind], key, value);
            }
        }
        for process in named("processes").values().filter_map(Value::as_table) {
            for (key, value) in process {
                self.keyed(&["process"], key, value);
            }
            self.steps(&process["steps"]);
        }
        for expected in file.get("expect").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table) {
            let form = FORMS.iter().find(|form| expected.contains_key(form.description.name));
            let form = form.expect("it has a form").description.name;
            for (key, value) in expected {
                self.keyed(&["expect"], key, value);
                self.keyed(&[form], key, value);
                self.pattern(value);
            }
        }
    }

    /// A key, and what stands there where that is a word or a list or table of words.
    fn keyed(&mut self, of: &[&str], key: &str, value: &Value) {
        self.add(&[of, &[key]].concat());
        match value {
            Value::String(word) => self.add(&[of, &[key, word]].concat()),
            Value::Boolean(truth) => self.add(&[of, &[key, &truth.to_string()]].concat()),
            Value::Array(list) => list.iter().for_each(|one| self.keyed(of, key, one)),
            Value::Table(table) => table.values().for_each(|one| self.keyed(of, key, one)),
            _ => {}
        }
    }

    fn pattern(&mut self, value: &Value) {
        match value {
            Value::Table(table) => table.iter().for_each(|(key, value)| {
                self.add(&["pattern", key]);
                self.pattern(value);
            }),
            Value::Array(list) => list.iter().for_each(|one| self.pattern(one)),
            Value::String(text) => {
                BOUNDS.iter().filter(|verb| text.contains(*verb)).for_each(|verb| self.add(&["pattern of", verb]));
                let calls = CALLS.iter().filter(|call| text.contains(&format!("{call}(")));
                calls.for_each(|call| self.add(&["state", call]));
            }
            _ => {}
        }
    }

    fn steps(&mut self, steps: &Value) {
        for step in steps.as_array().into_iter().flatten() {
            match step {
                Value::String(verb) => self.add(&["step", verb]),
                Value::Table(step) => self.step(step),
                _ => {}
            }
        }
    }

    fn step(&mut self, step: &Table) {
        let mut verbs = CATALOGUE.iter().flat_map(|kind| kind.verbs.iter().map(move |verb| (kind.name, verb.name)));
        // An object is called by its kind and a number.
        let of_object = verbs.find(|(kind, verb)| {
            let target = step.get(*verb).and_then(Value::as_str);
            let rest = target.and_then(|target| target.strip_prefix(kind));
            rest.is_some_and(|rest| rest.starts_with(char::is_numeric))
        });
        let own = || STEPS.iter().find(|verb| step.contains_key(verb.name)).map(|verb| ("step", verb.name));
        // A table in a list of values is no step.
        let Some((of, verb)) = of_object.or_else(own) else { return };
        self.add(&[of, verb]);
        if let Some(target) = step[verb].as_str().filter(|_| of_object.is_some()) {
            if let Some((_, end)) = target.split_once('.') {
                self.add(&[of, verb, &format!(".{end}")]);
            }
            if target.ends_with(']') {
                self.add(&[of, verb, "[]"]);
            }
        }
        for (key, value) in step {
            if COMMON.iter().any(|common| common.name == key) {
                self.add(&["any step", key]);
            }
            if key == verb {
                continue;
            }
            self.keyed(&[of, verb], key, value);
            match value {
                Value::Table(handlers) if key == "on" => handlers.iter().for_each(|(outcome, steps)| {
                    self.add(&[of, verb, "on", outcome]);
                    self.steps(steps);
                }),
                _ => self.steps(value),
            }
        }
        self.steps(&step[verb]);
    }
}

#[test]
fn every_word_of_the_catalogue_is_drawn() {
    let rare = Taste { stops: true, loops: true, random: true, ..EVERYTHING };
    let mut drawn = Words::default();
    let all = Words::all();
    // More of a kind that has more words.
    let of = |kind: &str| all.0.iter().filter(|word| word.split(' ').next() == Some(kind)).count() as u64;
    let kinds =
        CATALOGUE.iter().map(|kind| (Taste { kind: Some(kind.name), ..EVERYTHING }, DRAWN.max(2 * of(kind.name))));
    for (taste, count) in kinds.chain([(rare, DRAWN)]) {
        for seed in 0..count {
            let one = scenario(seed, taste);
            let asked = if seed % 4 == 0 { one.expectations(10).concat() } else { String::new() };
            drawn.read(&(one.text() + &asked));
        }
    }
    let missing: Vec<_> = all.0.difference(&drawn.0).collect();
    assert!(missing.is_empty(), "{} of {} words are never drawn: {missing:#?}", missing.len(), all.0.len());
}

/// How many scenarios of each kind of object are drawn, within which each word comes.
const DRAWN: u64 = 80;
