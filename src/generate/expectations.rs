//! Random expectations of every form, with patterns that can match anything a scenario does.

use super::draw::Draw;
use super::objects::Drawn;
use super::{Scenario, is_accepted, texts};
use crate::judge::Form;
use crate::scenario::expect::CALLS;
use crate::scenario::expectation::{BOUNDS, FormArgument, Shape};
use crate::scenario::keys::{EXPECTATION_KEYS, Takes};
use crate::scenario::steps::verb_names;
use crate::value::Types;

/// How often an expectation of one form is drawn again that `check` refuses.
const TRIES: usize = 20;

/// Expectations of these forms.
pub(super) fn draw(scenario: &Scenario, count: usize, forms: &[&Form]) -> Vec<String> {
    let text = scenario.text();
    let verbs: Vec<&str> = verb_names()
        .filter(|verb| text.contains(&format!("{{ {verb} = ")) || text.contains(&format!("[\"{verb}\"")))
        .chain(BOUNDS)
        .collect();
    let processes = scenario.processes();
    let names = scenario.programs.iter().map(|program| program.name.clone());
    let processes: Vec<String> = names.chain(processes).collect();
    let mut drawing = Asking {
        draw: Draw::new(scenario.seed, "expectations"),
        verbs,
        processes,
        labels: texts::LABELS.iter().filter(|label| text.contains(&format!("\"{label}\""))).copied().collect(),
        objects: scenario.objects.iter().collect(),
    };
    let mut all = Vec::new();
    for _ in 0..count {
        let form = drawing.draw.of(forms);
        for _ in 0..TRIES {
            let one = drawing.one(form);
            if is_accepted(&format!("{text}{one}")) {
                all.push(one);
                break;
            }
        }
    }
    all
}

/// Draws expectations of a scenario.
struct Asking<'s> {
    draw: Draw,
    /// The verbs that it has.
    verbs: Vec<&'s str>,
    /// The names of programs and of processes.
    processes: Vec<String>,
    /// The labels of its marks and sections.
    labels: Vec<&'static str>,
    objects: Vec<&'s Drawn>,
}

impl Asking<'_> {
    fn one(&mut self, form: &Form) -> String {
        let mut text = String::from("\n[[expect]]\n");
        let one_of = form.description.one_of;
        let chosen = if one_of.is_empty() { "" } else { self.draw.of(one_of) };
        for argument in form.description.arguments {
            if argument.required || argument.name == chosen || self.draw.one_in(4) {
                let value = self.argument(argument);
                text.push_str(&format!("{} = {value}\n", argument.name));
            }
        }
        for key in EXPECTATION_KEYS {
            match key.takes {
                Takes::Choice(words) if self.draw.one_in(2) => {
                    text.push_str(&format!("{} = \"{}\"\n", key.name, self.draw.of(words)));
                }
                // A name of its own: what is found is compared by name.
                Takes::Text if self.draw.one_in(8) => {
                    text.push_str(&format!("{} = \"drawn {}\"\n", key.name, self.draw.below(1 << 20)));
                }
                _ => {}
            }
        }
        text
    }

    fn argument(&mut self, argument: &FormArgument) -> String {
        match argument.shape {
            Shape::Pattern => self.pattern(),
            Shape::Patterns(least) => {
                let more = usize::from(self.draw.one_in(5));
                self.list(least + more, Self::pattern)
            }
            Shape::Condition => {
                let condition = self.condition();
                format!("\"{condition}\"")
            }
            Shape::Count => self.draw.below(4).to_string(),
            Shape::Integer => self.draw.of(&["0", "0", "1", "2", "-9"]).to_owned(),
            Shape::Duration => format!("\"{}\"", texts::duration(&mut self.draw)),
            Shape::Boolean => self.draw.of(&["true", "false"]).to_owned(),
            Shape::Text => self.draw.of(&["\"0\"", "\"1\"", "\"ok\""]).to_owned(),
            Shape::Section => format!("\"{}\"", self.label()),
            Shape::Signal => self.draw.of(&["\"KILL\"", "\"TERM\"", "\"ABRT\""]).to_owned(),
            Shape::Choice(words) => format!("\"{}\"", self.draw.of(words)),
            Shape::Value => texts::constant(&mut self.draw, Types::ANY),
            Shape::Values => self.values(),
            Shape::Lists => {
                let count = 1 + self.draw.below(3);
                self.list(count, Self::values)
            }
            Shape::Object(_) => {
                let object = self.object();
                format!("\"{object}\"")
            }
            Shape::Objects => {
                let count = 1 + self.draw.below(2);
                self.list(count, |one| format!("\"{}\"", one.object()))
            }
            Shape::ProcessesOrRun if self.draw.one_in(2) => "\"*\"".to_owned(),
            Shape::Processes | Shape::ProcessesOrRun => format!("\"{}\"", self.process()),
            Shape::Blocked => self.blocked(),
            Shape::BlockedLists => {
                let count = 1 + self.draw.below(2);
                self.list(count, Self::blocked)
            }
        }
    }

    fn list(&mut self, count: usize, mut one: impl FnMut(&mut Self) -> String) -> String {
        let all: Vec<String> = (0..count).map(|_| one(self)).collect();
        format!("[{}]", all.join(", "))
    }

    fn values(&mut self) -> String {
        let count = self.draw.below(4);
        self.list(count, |one| texts::constant(&mut one.draw, Types::ANY))
    }

    fn label(&mut self) -> String {
        if self.labels.is_empty() { String::new() } else { self.draw.of(&self.labels).to_owned() }
    }

    fn process(&mut self) -> String {
        self.processes[self.draw.below(self.processes.len())].clone()
    }

    /// An object, or one of an array, or an element.
    fn object(&mut self) -> String {
        if self.objects.is_empty() {
            return String::new();
        }
        let object = self.objects[self.draw.below(self.objects.len())];
        let index = if self.draw.one_in(3) { format!("[{}]", self.draw.below(2)) } else { String::new() };
        format!("{}{index}", object.name)
    }

    /// The text of a pattern's three words.
    fn words(&mut self) -> [String; 3] {
        let process = if self.draw.one_in(3) { "*".to_owned() } else { self.process() };
        let verb = if self.draw.one_in(4) { "*" } else { self.draw.of(&self.verbs) };
        let target = match self.draw.below(8) {
            0 => self.label(),
            1 => self.process(),
            2 | 3 => self.object(),
            _ => "*".to_owned(),
        };
        [process, verb.to_owned(), target]
    }

    fn pattern(&mut self) -> String {
        let [process, verb, target] = self.words();
        if self.draw.one_in(4) {
            let outcome = self.draw.of(&["*", "failed", "timeout", "would_block", "ok", "closed", "broken"]);
            let value = if self.draw.one_in(3) {
                format!(", value = {}", texts::constant(&mut self.draw, Types::ANY))
            } else {
                String::new()
            };
            return format!(
                "{{ process = \"{process}\", verb = \"{verb}\", object = \"{target}\", outcome = \"{outcome}\"{value} }}"
            );
        }
        format!("\"{process} {verb} {target}\"")
    }

    fn blocked(&mut self) -> String {
        let count = 1 + self.draw.below(2);
        self.list(count, |one| format!("\"{}\"", one.blocked_at()))
    }

    fn blocked_at(&mut self) -> String {
        let process = self.process();
        if self.draw.one_in(2) { process } else { format!("{process} at {}", self.object()) }
    }

    fn condition(&mut self) -> String {
        let one = self.comparison();
        match self.draw.below(5) {
            0 => format!("{one} && {}", self.comparison()),
            1 => format!("{one} || {}", self.comparison()),
            2 => format!("!({one})"),
            _ => one,
        }
    }

    fn comparison(&mut self) -> String {
        let sign = self.draw.of(&["==", "<=", ">=", "!="]);
        let number = self.draw.below(3);
        if self.draw.one_in(3) {
            let object = self.object();
            return match self.draw.below(5) {
                0 => format!("{object} == null"),
                1 => format!("{object} == '{}'", self.process()),
                2 => format!("!{object}"),
                _ => format!("{object} {sign} {number}"),
            };
        }
        // What a call takes is one of these, and what it gives a number or a truth value; `check` says which.
        let call = self.draw.of(&CALLS);
        let argument = match self.draw.below(6) {
            0 => format!("'{}'", self.words().join(" ")),
            1 => self.object(),
            2 | 4 => format!("'{}'", self.label()),
            3 => format!("'{}'", self.blocked_at()),
            _ => format!("'{}'", self.process()),
        };
        if self.draw.one_in(2) { format!("{call}({argument})") } else { format!("{call}({argument}) {sign} {number}") }
    }
}
