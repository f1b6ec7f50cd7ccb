//! Random small scenarios for tests, drawn from the catalogue: the same text for the same seed.
//!
//! Nothing here names a kind. Which objects there are, what can be done with them and what may stand where comes from
//! [`CATALOGUE`](crate::objects::CATALOGUE), [`STEPS`](crate::scenario::steps::STEPS) and
//! [`FORMS`](crate::judge::FORMS), so that a kind, a step or a form is drawn from the day on which it joins. What
//! `check` refuses is drawn again: no rule of the format stands here a second time.
//!
//! Only what a plan can hold is drawn, not what makes sense: most steps take whatever outcome they have, some end their
//! process with it.

mod draw;
mod expectations;
mod idioms;
mod objects;
mod steps;
mod taste;
mod texts;

use std::sync::Arc;

use crate::diagnostic::Source;
use crate::judge::FORMS;
use crate::objects::{Form, Verb};
use crate::scenario::{self, steps as table};

use draw::Draw;
pub use taste::{CELLS, EVERYTHING, Family, LIVES, LOCKS, LOOPS, MESSAGES, OWN, RANDOM, STOPS, TASTES, TIMES, Taste};

/// A step as text, with the steps inside it.
#[derive(Clone, Debug)]
struct Step(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Steps(Vec<Step>),
}

/// A program: all of its text but the steps, and these.
#[derive(Clone, Debug)]
struct Program {
    name: String,
    count: u32,
    head: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub struct Scenario {
    seed: u64,
    objects: Vec<objects::Drawn>,
    programs: Vec<Program>,
}

/// A random scenario of that taste.
pub fn scenario(seed: u64, taste: Taste) -> Scenario {
    let mut draw = Draw::new(seed, "scenario");
    let objects = objects::draw(&mut draw, taste);
    let programs = steps::draw(&mut draw, taste, &objects);
    Scenario { seed, objects, programs }
}

/// Whether `check` takes a text.
pub fn is_accepted(text: &str) -> bool {
    let source = Arc::new(Source::new("p.toml".to_owned(), text.to_owned()));
    let forms: Vec<_> = FORMS.iter().map(|form| &form.description).collect();
    scenario::load(&source, &scenario::Options::default(), &forms).is_ok()
}

impl Scenario {
    /// The scenario without expectations.
    pub fn text(&self) -> String {
        self.delayed(0)
    }

    /// The same with short delays before some of its steps: others for each number, none for 0.
    pub fn delayed(&self, delays: u64) -> String {
        let mut draw = (delays > 0).then(|| Draw::new(self.seed ^ delays << 32, "delays"));
        let mut text = String::from("timeout = \"5s\"\n");
        text.push_str(&objects::text(&self.objects));
        for program in &self.programs {
            text.push_str(&program.head);
            text.push_str("steps = [");
            write(&program.steps, &mut draw, &mut text);
            text.push_str("]\n");
        }
        text
    }

    /// The names of all its processes.
    pub fn processes(&self) -> Vec<String> {
        let names = |program: &Program| match program.count {
            1 => vec![program.name.clone()],
            count => (0..count).map(|index| format!("{}[{index}]", program.name)).collect(),
        };
        self.programs.iter().flat_map(names).collect()
    }

    /// The text of another process, the last, which kills this one at some time.
    pub fn killer(process: &str) -> String {
        let takes =
            |verb: &&Verb, wanted: fn(&Form) -> bool| verb.arguments.iter().any(|argument| wanted(&argument.form));
        let kill = table::STEPS.iter().find(|verb| takes(verb, |form| matches!(form, Form::Signal)));
        let kill = kill.expect("a step sends signals").name;
        format!("[processes.killer]\nsteps = [{{ {kill} = \"{process}\", outcome = \"o\" }}]\n")
    }

    /// So many random expectations of any form, each as a text that stands behind the scenario's own.
    pub fn expectations(&self, count: usize) -> Vec<String> {
        expectations::draw(self, count, &FORMS.iter().collect::<Vec<_>>())
    }

    /// The same of these forms alone.
    pub fn expectations_of(&self, count: usize, forms: &[&str]) -> Vec<String> {
        let forms: Vec<_> = FORMS.iter().filter(|form| forms.contains(&form.description.name)).collect();
        expectations::draw(self, count, &forms)
    }
}

/// The text of steps; with `delays`, some of them stand behind a step that takes a moment.
fn write(steps: &[Step], delays: &mut Option<Draw>, text: &mut String) {
    for step in steps {
        if let Some(draw) = delays {
            text.push_str(&texts::delay(draw));
        }
        for part in &step.0 {
            match part {
                Part::Text(own) => text.push_str(own),
                Part::Steps(inner) => write(inner, delays, text),
            }
        }
        text.push_str(", ");
    }
}

#[cfg(test)]
mod tests;
