//! Random programs.

use super::draw::Draw;
use super::objects::{self, Drawn};
use super::taste::Taste;
use super::{Part, Program, Step, idioms, is_accepted, texts, write};
use crate::objects::{Argument, Effect, Element, Form, Verb};
use crate::outcome::Outcome;
use crate::scenario::keys::{PROCESS_KEYS, Takes};
use crate::scenario::steps::{Hint, STEPS};
use crate::value::Types;

/// How often a step is drawn again that `check` refuses.
const TRIES: usize = 12;

/// How deep steps stand in steps.
const DEEPEST: u32 = 2;

/// The programs of a scenario.
pub(super) fn draw(draw: &mut Draw, taste: Taste, objects: &[Drawn]) -> Vec<Program> {
    let mut programs = heads(draw, taste, objects);
    let awaited: Vec<(&str, String)> = programs.iter().flat_map(waits).collect();
    for at in 0..programs.len() {
        let others = text(objects, &programs[..at], Some(&programs[at + 1..]));
        let mut wanted = Vec::new();
        for (word, name) in &awaited {
            let verb = STEPS.iter().find(|verb| Hint::of(verb.name).awaited == *word);
            let own = *name == programs[at].name;
            // What another process does for it stands in the first; what it does itself, in its own.
            let Some(verb) = verb.filter(|verb| if about(verb) { at == 0 && !own } else { own }) else { continue };
            // A process that another waits for must take the step for which it waits.
            if !about(verb) || !draw.one_in(4) {
                wanted.push(if about(verb) {
                    format!("{{ {} = \"{name}\", outcome = \"o\" }}", verb.name)
                } else {
                    format!("\"{}\"", verb.name)
                });
            }
        }
        let most = if programs[at].count > 1 { taste.steps.min(3) } else { taste.steps };
        let names = programs.iter().map(|program| (program.name.clone(), program.count)).collect();
        let mut drawing = Drawing {
            draw,
            taste,
            objects,
            programs: names,
            before: format!("{others}{}steps = [", programs[at].head),
            after: String::new(),
            depth: 0,
            left: 0,
        };
        drawing.left = 1 + drawing.draw.below(most);
        let mut steps = Vec::new();
        while drawing.left > 0 {
            let now = !wanted.is_empty() && drawing.draw.one_in(2);
            let first = now.then(|| Step(vec![Part::Text(wanted.remove(0))]));
            drawing.after = format!("{}]\n", wanted.join(", "));
            if let Some(first) = first {
                drawing.accept(vec![first], &mut steps);
            }
            drawing.some(&mut steps);
        }
        "]\n".clone_into(&mut drawing.after);
        for step in wanted {
            drawing.accept(vec![Step(vec![Part::Text(step)])], &mut steps);
        }
        programs[at].steps = steps;
    }
    programs
}

/// Whether a verb is about another process.
fn about(verb: &Verb) -> bool {
    verb.arguments.first().is_some_and(|argument| matches!(argument.form, Form::Process))
}

/// For what a program's key waits: the word there, and the process that must take the step.
fn waits(program: &Program) -> Vec<(&'static str, String)> {
    let words = STEPS.iter().map(|verb| Hint::of(verb.name).awaited).filter(|word| !word.is_empty());
    let mut all = Vec::new();
    for word in words {
        for line in program.head.lines().filter(|line| line.contains(&format!("\"{word}\""))) {
            // Of a process that another must take a step for, or of another that it waits for itself.
            let named = line.split_once("{ ").and_then(|(_, rest)| rest.split_whitespace().next());
            all.push((word, named.unwrap_or(&program.name).to_owned()));
        }
    }
    all
}

/// The text of a scenario of these programs without their steps, but for those for which another process may wait.
fn text(objects: &[Drawn], before: &[Program], after: Option<&[Program]>) -> String {
    let mut text = objects::text(objects);
    let own = STEPS.iter().filter(|verb| !Hint::of(verb.name).awaited.is_empty() && !about(verb));
    let steps: Vec<String> = own.map(|verb| format!("\"{}\"", verb.name)).collect();
    for program in before.iter().chain(after.unwrap_or_default()) {
        text.push_str(&format!("{}steps = [{}]\n", program.head, steps.join(", ")));
    }
    text
}

/// The programs without steps.
fn heads(draw: &mut Draw, taste: Taste, objects: &[Drawn]) -> Vec<Program> {
    let mut left = 2 + draw.below(taste.processes.max(2) - 1);
    let mut programs: Vec<Program> = Vec::new();
    while left > 0 {
        let several = if taste.own { taste.processes.max(2) } else { 2 };
        let count = if draw.one_in(if taste.own { 2 } else { 4 }) { several as u32 } else { 1 };
        left = left.saturating_sub(count as usize);
        let name = format!("p{}", programs.len());
        let mut plain = format!("[processes.{name}]\n");
        if count > 1 {
            plain.push_str(&format!("count = {count}\n"));
        }
        plain.push_str(texts::VARS);
        let mut program = Program { name, count, head: plain.clone(), steps: Vec::new() };
        if taste.lives {
            let keys = keys(draw, &programs, objects);
            program.head.push_str(&keys);
        }
        programs.push(program);
        if !is_accepted(&text(objects, &programs, None)) {
            programs.last_mut().expect("it was added").head = plain;
        }
    }
    programs
}

/// Some of the keys by which a process begins and ends otherwise than usual.
fn keys(draw: &mut Draw, earlier: &[Program], objects: &[Drawn]) -> String {
    let mut text = String::new();
    for key in PROCESS_KEYS {
        if !draw.one_in(6) {
            continue;
        }
        let value = match key.takes {
            Takes::Choice(words) if words.contains(&"manual") && !earlier.is_empty() => {
                format!("\"{}\"", draw.of(words))
            }
            Takes::Words(words) if !earlier.is_empty() => {
                let on = &earlier[draw.below(earlier.len())].name;
                format!("{{ {on} = \"{}\" }}", draw.of(words))
            }
            Takes::Pipe(words) => format!("{{ PIPE = \"{}\" }}", draw.of(words)),
            Takes::Boolean => "true".to_owned(),
            Takes::Group => "\"g\"".to_owned(),
            Takes::Signal => format!("\"{}\"", texts::caught(draw)),
            Takes::Texts if !objects.is_empty() => {
                let object = &objects[draw.below(objects.len())];
                let ends: Vec<_> = object.kind.verbs.iter().flat_map(|verb| verb.ends).collect();
                if ends.is_empty() {
                    continue;
                }
                format!("[\"{}.{}\"]", object.name, draw.of(&ends))
            }
            _ => continue,
        };
        text.push_str(&format!("{} = {value}\n", key.name));
    }
    text
}

/// How a step with that verb can end besides `ok`.
fn outcomes(verb: &Verb) -> Vec<Outcome> {
    let waits: &[Outcome] = if verb.blocks { &[Outcome::TIMEOUT, Outcome::WOULD_BLOCK] } else { &[] };
    [verb.outcomes, waits].concat()
}

struct Drawing<'d> {
    draw: &'d mut Draw,
    taste: Taste,
    objects: &'d [Drawn],
    /// The names of the programs, and how many processes each has.
    programs: Vec<(String, u32)>,
    /// The text up to where the next step will stand, and from there on.
    before: String,
    after: String,
    depth: u32,
    /// How many steps the program may still have.
    left: usize,
}

impl Drawing<'_> {
    /// Adds these steps where `check` takes them. Whether it did.
    fn accept(&mut self, new: Vec<Step>, steps: &mut Vec<Step>) -> bool {
        let mark = self.before.len();
        write(&new, &mut None, &mut self.before);
        let accepted = is_accepted(&format!("{}{}", self.before, self.after));
        if accepted {
            steps.extend(new);
        } else {
            self.before.truncate(mark);
        }
        accepted
    }

    /// Draws a step, or a few that belong together.
    fn some(&mut self, steps: &mut Vec<Step>) {
        self.left = self.left.saturating_sub(1);
        for _ in 0..TRIES {
            let (before, after, left, depth) = (self.before.len(), self.after.clone(), self.left, self.depth);
            let new = self.candidate();
            // Includes what was added by the nested steps.
            self.before.truncate(before);
            (self.after, self.depth) = (after, depth);
            if new.is_some_and(|new| !new.is_empty() && self.accept(new, steps)) {
                return;
            }
            self.left = left;
        }
    }

    fn candidate(&mut self) -> Option<Vec<Step>> {
        let alone = if self.taste.lives { 5 } else { 3 };
        if self.objects.is_empty() || self.draw.below(10) < alone {
            let verbs: Vec<_> = STEPS.iter().map(|verb| (verb, self.weight(verb))).collect();
            let verb = self.draw.weighted(&verbs)?;
            return Some(vec![self.step(verb, None, "")]);
        }
        let object = &self.objects[self.draw.below(self.objects.len())];
        let index = object.count.map_or_else(String::new, |count| self.index(count));
        if self.draw.one_in(4) {
            let idiom = idioms::draw(self.draw, self.taste, object, &index)?;
            return Some(idiom.into_iter().map(|step| Step(vec![Part::Text(step)])).collect());
        }
        let verbs = object.kind.verbs;
        let verb = &verbs[self.draw.below(verbs.len())];
        let first = self.step(verb, Some(object), &index);
        if let Some(opens) = object.kind.verb_that(Effect::Opens).filter(|_| verb.effect != Effect::Opens) {
            let open = self.opened(verbs[opens as usize].name, &first);
            return Some(open.into_iter().chain([first]).collect());
        }
        let gives = object.kind.verb_that(Effect::Gives).filter(|_| verb.effect == Effect::Takes);
        if let Some(gives) = gives.filter(|_| !self.draw.one_in(3)) {
            let mut between = vec![first];
            let mark = self.before.len();
            write(&between, &mut None, &mut self.before);
            if self.left > 0 && self.depth < DEEPEST && self.draw.one_in(2) {
                self.depth += 1;
                self.some(&mut between);
                self.depth -= 1;
            }
            self.before.truncate(mark);
            let text = format!("{{ {} = \"{}{index}\", outcome = \"o\" }}", verbs[gives as usize].name, object.name);
            between.push(Step(vec![Part::Text(text)]));
            return Some(between);
        }
        Some(vec![first])
    }

    /// What opens the end that a step names, where the process has not opened it so far.
    fn opened(&mut self, open: &str, step: &Step) -> Option<Step> {
        let Some(Part::Text(text)) = step.0.first() else { return None };
        let text = format!("{{ {open} = \"{}\"", text.split('"').nth(1)?);
        let known = self.before.contains(&text);
        (!known && !self.draw.one_in(6)).then(|| {
            let timeout = if self.taste.times && self.draw.one_in(3) { ", timeout = \"0s\"" } else { "" };
            Step(vec![Part::Text(format!("{text}{timeout}, outcome = \"o\" }}"))])
        })
    }

    /// How often a verb without an object is drawn.
    fn weight(&self, verb: &Verb) -> u32 {
        let hint = Hint::of(verb.name);
        let takes = |wanted: fn(&Form) -> bool| verb.arguments.iter().any(|argument| wanted(&argument.form));
        let life = takes(|form| matches!(form, Form::Process | Form::Signal | Form::Signals))
            || hint.lives
            || !hint.awaited.is_empty();
        let left_out = hint.endless && !self.taste.loops
            || !self.taste.times && takes(|form| matches!(form, Form::Duration))
            || life && !self.taste.lives
            || self.depth >= DEEPEST && takes(|form| matches!(form, Form::Steps));
        if left_out {
            return 0;
        }
        // What is only rarely more than a line of its own.
        if life || takes(|form| matches!(form, Form::Steps | Form::Variables | Form::Duration)) {
            hint.weight * 3
        } else {
            hint.weight
        }
    }

    /// An index below `count`.
    fn index(&mut self, count: usize) -> String {
        match self.draw.below(if self.taste.own { 24 } else { 6 }) {
            0 => format!("[{}]", self.draw.below(count)),
            1 => format!("[(index + 1) % {count}]"),
            2 => "[x]".to_owned(),
            _ => "[index]".to_owned(),
        }
    }

    /// A step with that verb.
    fn step(&mut self, verb: &'static Verb, object: Option<&Drawn>, index: &str) -> Step {
        let mut arguments = verb.arguments.iter();
        let mut text = String::from("{ ");
        if let Some(object) = object {
            let end = if verb.ends.is_empty() { String::new() } else { format!(".{}", self.draw.of(verb.ends)) };
            let element = match verb.element {
                Element::Required => true,
                Element::Optional => self.draw.one_in(2),
                Element::Never => false,
            };
            let element = if element { self.index(2) } else { String::new() };
            text.push_str(&format!("{} = \"{}{index}{end}{element}\"", verb.name, object.name));
        } else if let Some(first) = arguments.next() {
            if matches!(first.form, Form::Nothing) && (!verb.blocks || self.draw.one_in(2)) {
                return Step(vec![Part::Text(format!("\"{}\"", verb.name))]);
            }
            if !matches!(first.form, Form::Steps) {
                let value = self.argument(first, verb);
                text.push_str(&format!("{} = {value}", first.name));
            }
        }
        let mut inside: Vec<&str> = Vec::new();
        if object.is_none() {
            inside.extend(verb.arguments.first().filter(|one| matches!(one.form, Form::Steps)).map(|one| one.name));
        }
        for argument in arguments {
            let given = argument.required || !self.draw.one_in(3);
            match argument.form {
                Form::Steps if given => inside.push(argument.name),
                Form::Into | Form::Second if given => {
                    text.push_str(&format!(", {} = \"{}\"", argument.name, self.into(verb)));
                }
                // There are many words, of which each is drawn seldom.
                form if argument.required || given && (matches!(form, Form::Choice(_)) || self.draw.one_in(2)) => {
                    let value = self.argument(argument, verb);
                    text.push_str(&format!(", {} = {value}", argument.name));
                }
                _ => {}
            }
        }
        if verb.blocks && self.taste.times {
            text.push_str(match self.draw.below(6) {
                0 | 1 => ", timeout = \"0s\"",
                2 => ", timeout = \"1ms\"",
                3 => ", timeout = \"2ms\"",
                _ => "",
            });
        }
        let mut parts = vec![Part::Text(text.clone())];
        self.before.push_str(&text);
        let mut separator = if text.ends_with("{ ") { "" } else { ", " };
        // What a step computes can have no value, whatever the verb.
        let computes = text.contains("\"{");
        let takes = verb.blocks || !verb.outcomes.is_empty() || computes && self.draw.one_in(4);
        match self.draw.below(if takes { 12 } else { 40 }) {
            0 => {}
            1 => {
                let expected = self.expected(verb);
                self.push(&format!("{separator}expect = {expected}"), &mut parts);
            }
            2..=4 if takes && self.depth < DEEPEST => {
                let mut taken: Vec<String> = outcomes(verb).iter().map(|outcome| outcome.name()).collect();
                taken.retain(|_| !self.draw.one_in(4));
                if taken.is_empty() || !self.draw.one_in(4) {
                    taken.push("any".to_owned());
                }
                // One of them takes steps.
                let first = taken.remove(self.draw.below(taken.len()));
                let others: String = taken.iter().map(|outcome| format!(", {outcome} = []")).collect();
                self.inner(&format!("{separator}on = {{ {first} = ["), &format!("]{others} }}"), " }", &mut parts);
            }
            _ if takes => self.push(&format!("{separator}outcome = \"o\""), &mut parts),
            _ => {}
        }
        for key in &inside {
            if parts.len() > 1 {
                separator = ", ";
            }
            // A round of a loop without end has a step that others can see.
            let first = if Hint::of(verb.name).endless { "\"yield\", " } else { "" };
            self.inner(&format!("{separator}{key} = [{first}"), "]", " }", &mut parts);
        }
        parts.push(Part::Text(" }".to_owned()));
        Step(parts)
    }

    fn push(&mut self, text: &str, parts: &mut Vec<Part>) {
        self.before.push_str(text);
        parts.push(Part::Text(text.to_owned()));
    }

    /// Steps inside of a step, between these texts; `end` ends the step.
    fn inner(&mut self, open: &str, close: &str, end: &str, parts: &mut Vec<Part>) {
        self.push(open, parts);
        let outer = self.after.clone();
        self.after = format!("{close}{end}{outer}");
        self.depth += 1;
        let mut steps = Vec::new();
        for _ in 0..=usize::from(self.draw.one_in(4)) {
            if !self.draw.one_in(8) {
                self.some(&mut steps);
            }
        }
        self.depth -= 1;
        self.after = outer;
        parts.push(Part::Steps(steps));
        self.push(close, parts);
    }

    /// The outcome or value that a step is expected to have.
    fn expected(&mut self, verb: &Verb) -> String {
        let outcomes = outcomes(verb);
        if !verb.result.is_empty() && (outcomes.is_empty() || self.draw.one_in(2)) {
            return texts::constant(self.draw, verb.result);
        }
        let outcome = if outcomes.is_empty() || self.draw.one_in(3) { Outcome::OK } else { self.draw.of(&outcomes) };
        format!("\"{}\"", outcome.name())
    }

    /// The variable that takes what a verb gives.
    fn into(&mut self, verb: &Verb) -> &'static str {
        if verb.result.is_empty() || !verb.result.meets(Types::INT) || self.draw.one_in(3) { "y" } else { "x" }
    }

    fn argument(&mut self, argument: &Argument, verb: &Verb) -> String {
        let draw = &mut *self.draw;
        match argument.form {
            Form::Boolean | Form::Nothing => draw.of(&["true", "false"]).to_owned(),
            Form::Integer(..) if draw.one_in(5) => draw.of(&["\"{x}\"", "\"{index}\""]).to_owned(),
            // What is counted in bytes is by the page, too.
            Form::Integer(_, high) if high > 1 << 20 && draw.one_in(2) => draw.of(&["100", "5000", "9000"]).to_owned(),
            Form::Integer(low, high) => (low + draw.below(3) as i64).min(high).to_string(),
            Form::Place(_) => draw.of(&["0", "0", "1", "4", "8", "4096", "\"{x}\"", "\"{index}\""]).to_owned(),
            Form::Size => draw.of(&["1", "2", "24", "4096"]).to_owned(),
            Form::Choice(words) => format!("\"{}\"", draw.of(words)),
            Form::Value(Types::STRING) => format!("\"{}\"", draw.of(texts::LABELS)),
            // What has a value of its own in a step needs none that is computed; a text may be anything.
            Form::Value(types) if types.contains(Types::MAP) && verb.effect == Effect::None && draw.one_in(2) => {
                draw.of(&["\"{x} {o}\"", "\"{y}\"", "\"{x}\""]).to_owned()
            }
            Form::Value(types) => texts::value(draw, types, self.taste),
            Form::Object(kind) => {
                let of: Vec<_> = self.objects.iter().filter(|object| object.kind.name == kind).collect();
                if of.is_empty() { "\"\"".to_owned() } else { format!("\"{}\"", draw.of(&of).name) }
            }
            Form::Update => texts::update(draw),
            Form::Into | Form::Second => "\"y\"".to_owned(),
            Form::Duration => format!("\"{}\"", texts::duration(draw)),
            Form::Condition => format!("\"{}\"", texts::condition(draw)),
            // What has no members is refused.
            Form::Process if verb.arguments.iter().any(|one| matches!(one.form, Form::Signal)) && draw.one_in(3) => {
                "\"group:g\"".to_owned()
            }
            Form::Process => {
                let (name, count) = &self.programs[draw.below(self.programs.len())];
                match count {
                    1 => format!("\"{name}\""),
                    count => match draw.below(3) {
                        0 => format!("\"{name}\""),
                        1 => format!("\"{name}[index]\""),
                        _ => format!("\"{name}[{}]\"", draw.below(*count as usize)),
                    },
                }
            }
            Form::Signals => texts::signals(draw).to_owned(),
            Form::Signal if !about(verb) => format!("\"{}\"", texts::caught(draw)),
            Form::Signal => format!("\"{}\"", texts::signal(draw, self.taste)),
            Form::Variables => {
                let random = if self.taste.random { "\"{random(0, 2)}\"" } else { "\"{x + 1}\"" };
                let value = draw.of(&["0", "\"{x + 1}\"", random, "\"{index}\"", "\"{2 / x}\""]);
                // A variable that has no value at first.
                format!("{{ {} = {value} }}", if draw.one_in(4) { "z" } else { "x" })
            }
            Form::Variable => "\"x\"".to_owned(),
            Form::Steps => "[]".to_owned(),
        }
    }
}
