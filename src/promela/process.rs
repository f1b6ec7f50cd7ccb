//! A process in Promela: one `atomic` for each step that others notice, with what the process does behind it by itself.
//!
//! Between two such sequences the process stands at a label, and only there SPIN keeps a state. Within one, everything
//! is a choice without alternatives but for the guards it begins with, and nothing blocks. Variables that are not read
//! any more are 0 wherever a state is kept, and those that hold null are `NIL`.

mod local;

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;

use super::expression::{Scope, Variable};
use super::statement::{Statement, write};
use super::types::Typing;
use super::world::{World, unique};
use crate::event::ProcessId;
use crate::explore::semantics::program_analysis::{Knowledge, noticed_ends};
use crate::objects::contract::promela::{Check, Given, Refusal, Term, Then, Way};
use crate::outcome::Outcome;
use crate::scenario::plan::{Failure, Instruction, OperationPlan, Program};
use crate::value::{Types, Value};

/// A place where a process stands between two turns: a step, and whether it waits inside.
pub(super) type Location = (usize, bool);

/// The text of a process, or of several that do the same.
pub(super) struct Body<'w, 'p> {
    pub(super) world: &'w World<'p>,
    pub(super) process: ProcessId,
    /// Which process it is, as an expression.
    pub(super) me: String,
    pub(super) program: &'p Program,
    pub(super) variables: Vec<Variable>,
    pub(super) types: Vec<Vec<Types>>,
    knowledge: Knowledge,
    queue: VecDeque<Location>,
    known: BTreeSet<Location>,
    /// What belongs to the sequence that is being written.
    now: Sequence,
    /// Whether a variable is needed that holds a value for a moment.
    pub(super) temporary: bool,
    /// Whether the end of the process is a step of its own.
    ends: bool,
    leaving: bool,
}

#[derive(Default)]
struct Sequence {
    number: usize,
    /// The places that were written in it.
    places: BTreeSet<usize>,
    /// The slots that may be other than 0.
    touched: BTreeSet<u32>,
    /// How many jumps there were since the last statement.
    jumps: usize,
    /// How many steps of one's own are being written, one behind the other.
    depth: usize,
}

/// What follows a step.
enum After {
    At(usize),
    Leave(i64),
}

impl<'w, 'p> Body<'w, 'p> {
    pub(super) fn new(world: &'w World<'p>, process: ProcessId, me: String) -> Self {
        let program = world.plan.program(process);
        let knowledge = Knowledge::new(program, &[]);
        let noticed = noticed_ends(world.plan);
        let mut body = Self {
            world,
            process,
            me,
            program,
            variables: Vec::new(),
            types: Vec::new(),
            knowledge,
            queue: VecDeque::new(),
            known: BTreeSet::new(),
            now: Sequence::default(),
            temporary: false,
            // The processes of a program have one text.
            ends: world.plan.program(process).range().any(|one| noticed[one as usize]),
            leaving: false,
        };
        body.name_variables();
        let mut first = vec![Types::NULL; program.slots.len()];
        for (slot, value) in &program.vars {
            let scope = body.scope(&[], None);
            first[*slot as usize] = scope.compute(value.node()).map_or(value.types(), |computed| computed.term.types);
        }
        let typing = Typing { plan: world.plan, process, texts: &world.texts, variables: &body.variables };
        let types = typing.infer(first);
        body.types = types;
        body
    }

    /// Names the variables that are read; those that have one value alone need no variable.
    fn name_variables(&mut self) {
        let program = self.program;
        let mut taken = BTreeSet::from(["v_t".to_owned()]);
        for (slot, name) in program.slots.iter().enumerate() {
            let read = (0..=program.code.len()).any(|place| self.knowledge.is_live(place, slot as u32));
            let name = name.strip_prefix('$').unwrap_or(name);
            self.variables.push(if read {
                Variable::Named(unique(&format!("v_{name}"), &mut taken))
            } else {
                Variable::Unread
            });
        }
        let mut single: Vec<Option<Option<Value>>> = vec![None; program.slots.len()];
        for instruction in &program.code {
            let (slot, value) = match instruction {
                Instruction::Repeat { times, limit, .. } => (*limit, times),
                Instruction::Each { list, items, .. } => (*items, list),
                _ => continue,
            };
            let value = self.scope(&[], None).compute(value.node()).ok().filter(|value| value.checks.is_empty());
            let value = value.and_then(|value| value.term.constant);
            let known = &mut single[slot as usize];
            *known = match known.take() {
                None => Some(value),
                Some(before) if before == value => Some(before),
                Some(_) => Some(None),
            };
        }
        for (slot, value) in single.into_iter().enumerate() {
            if let (Some(Some(value)), Variable::Named(_)) = (value, &self.variables[slot]) {
                self.variables[slot] = Variable::Constant(value);
            }
        }
    }

    pub(super) fn scope<'s>(&'s self, types: &'s [Types], it: Option<&'s Term>) -> Scope<'s> {
        Scope {
            plan: self.world.plan,
            process: self.process,
            texts: &self.world.texts,
            variables: &self.variables,
            types,
            it,
        }
    }

    /// The scope at a place.
    pub(super) fn at(&self, place: usize) -> Scope<'_> {
        self.scope(&self.types[place], None)
    }

    /// Writes the whole process behind its head.
    pub(super) fn write(mut self, text: &mut String) {
        let begin = &self.world.begins[self.process as usize];
        if let (None, place) = (begin.ended, begin.place) {
            self.go((place, false));
        }
        let mut sequences = String::new();
        while let Some(location) = self.queue.pop_front() {
            self.sequence(location, &mut sequences);
        }
        for (slot, variable) in self.variables.iter().enumerate() {
            if let Variable::Named(name) = variable {
                match self.first_value(slot as u32) {
                    Ok(value) => drop(writeln!(text, "    int {name} = {value};")),
                    Err(why) => self.world.refuse_at(self.program.span.clone(), &why),
                }
            }
        }
        if self.temporary {
            text.push_str("    int v_t = 0;\n");
        }
        if self.ends && begin.ended.is_some() {
            let why = "a process that ends as it begins has no translation if others can observe its end";
            self.world.refuse_at(self.program.span.clone(), why);
        }
        if self.leaving {
            text.push_str("    int v_left = 0;\n");
        }
        text.push_str(&sequences);
        if self.leaving {
            let kept = Statement::Line(format!("p_exit[{}] = v_left", self.me));
            let mut statements = vec![kept, Statement::Line("v_left = 0".to_owned())];
            statements.extend(self.lets_go());
            text.push_str("leave: /* the end of the process */\n    atomic {\n");
            write(&statements, 8, &|_| Vec::new(), text);
            text.push_str("    }\n");
        }
        text.push_str("end: false\n}\n");
    }

    fn first_value(&self, slot: u32) -> Result<String, Refusal> {
        let begin = &self.world.begins[self.process as usize];
        if begin.ended.is_some() || !self.knowledge.is_live(begin.place, slot) {
            return Ok("0".to_owned());
        }
        let term = self.at(begin.place).literal(&begin.slots[slot as usize])?;
        if term.text.is_empty() {
            return Err(format!("the variable `{}` begins as {}", self.program.slots[slot as usize], term.types));
        }
        Ok(term.text)
    }

    /// Goes to a location: its label.
    pub(super) fn go(&mut self, location: Location) -> String {
        if self.known.insert(location) {
            self.queue.push_back(location);
        }
        let (place, inside) = location;
        // Where a process may stand for ever without that being a deadlock, SPIN wants a label that begins so.
        let daemon = if self.program.daemon { "end_" } else { "" };
        format!("{daemon}S{place}{}", if inside { "w" } else { "" })
    }

    /// Writes the sequence that begins at a location.
    fn sequence(&mut self, location: Location, text: &mut String) {
        let (place, inside) = location;
        let Instruction::Operate(operation) = &self.program.code[place] else { return };
        self.now = Sequence { number: self.now.number + 1, ..Sequence::default() };
        let live = (0..self.variables.len() as u32).filter(|slot| self.knowledge.is_live(place, *slot));
        self.now.touched = live.collect();
        let label = self.go(location);
        let ways = match self.ways(operation, place, inside) {
            Ok(ways) => ways,
            Err(why) => return self.world.refuse(operation.step, &why),
        };
        let mut options = Vec::new();
        for way in ways {
            match self.way(operation, place, way) {
                Ok(option) => options.push(option),
                Err(why) => return self.world.refuse(operation.step, &why),
            }
        }
        let statements = match <[_; 1]>::try_from(options) {
            Ok([(guard, mut behind)]) => {
                if guard != "true" || !matches!(behind.first(), Some(Statement::Line(_))) {
                    behind.insert(0, Statement::Line(guard));
                }
                behind
            }
            Err(options) => vec![Statement::Choice(options)],
        };
        let step = &self.world.plan.steps[operation.step as usize];
        let what = format!("{} {}", step.verb, step.object);
        let waits = if inside { ", waiting" } else { "" };
        let what = what.trim().replace("*/", "* /");
        let _ = writeln!(text, "{label}: /* {}: {what}{waits} */", self.world.plan.place(operation.step));
        text.push_str("    atomic {\n");
        let forget = |place: Option<usize>| {
            let dead = |slot: &&u32| place.is_none_or(|place| !self.knowledge.is_live(place, **slot));
            let named = |slot: &u32| match &self.variables[*slot as usize] {
                Variable::Named(name) => Some(format!("{name} = 0")),
                _ => None,
            };
            self.now.touched.iter().filter(dead).filter_map(named).collect()
        };
        write(&statements, 8, &forget, text);
        text.push_str("    }\n");
    }

    /// One way of a step: its guard and what follows.
    fn way(
        &mut self,
        operation: &'p OperationPlan,
        place: usize,
        way: Way,
    ) -> Result<(String, Vec<Statement>), Refusal> {
        let line = Statement::Line;
        let mut statements: Vec<Statement> = Vec::new();
        let effects = way.effects.into_iter().map(line);
        let Then::Done { outcome, value } = way.then else {
            statements.extend(effects);
            let label = self.go((place, true));
            statements.push(Statement::Goto(label));
            return Ok((way.guard, statements));
        };
        let into = operation.into.filter(|_| outcome.is_ok());
        match (into.map(|slot| (slot, self.variables[slot as usize].clone())), value) {
            (Some((_, Variable::Named(_) | Variable::Constant(_))), Given::Nothing) => {
                return Err("what the step gives has no translation".to_owned());
            }
            (Some((slot, Variable::Named(name))), given) => {
                self.now.touched.insert(slot);
                let uses = |effect: &Statement| matches!(effect, Statement::Line(line) if line.contains(&name));
                let effects: Vec<Statement> = effects.collect();
                match given {
                    Given::Before(term) if effects.iter().any(uses) => {
                        self.temporary = true;
                        statements.push(line(format!("v_t = {}", term.text)));
                        statements.extend(effects);
                        statements.push(line(format!("{name} = v_t")));
                        statements.push(line("v_t = 0".to_owned()));
                    }
                    Given::Before(term) => {
                        statements.push(line(format!("{name} = {}", term.text)));
                        statements.extend(effects);
                    }
                    Given::After(term) => {
                        statements.extend(effects);
                        statements.push(line(format!("{name} = {}", term.text)));
                    }
                    Given::Received(channel) => {
                        statements.push(line(format!("{channel} ? {name}")));
                        statements.extend(effects);
                    }
                    Given::Nothing => statements.extend(effects),
                }
            }
            (_, Given::Received(channel)) => {
                statements.push(line(format!("{channel} ? _")));
                statements.extend(effects);
            }
            _ => statements.extend(effects),
        }
        if outcome.is_ok()
            && operation.second.is_some_and(|slot| !matches!(self.variables[slot as usize], Variable::Unread))
        {
            return Err("the second thing that the step gives has no translation".to_owned());
        }
        statements.extend(self.after(outcome, &operation.failure, place));
        Ok((way.guard, statements))
    }

    /// What follows a step that ended so.
    pub(super) fn after(&mut self, outcome: Outcome, failure: &Failure, place: usize) -> Vec<Statement> {
        let mut statements = Vec::new();
        if let Some(slot) = failure.outcome
            && let Variable::Named(name) = &self.variables[slot as usize]
        {
            let number = self.world.texts.number(&outcome.name());
            statements.push(Statement::Line(format!("{name} = {number} /* {outcome} */")));
            self.now.touched.insert(slot);
        }
        let then = match failure.handler(outcome) {
            Some(handler) => After::At(handler),
            None if outcome.is_ok() || failure.taken.contains(outcome) => After::At(place + 1),
            None => After::Leave(1),
        };
        statements.extend(match then {
            After::At(place) => self.local(place),
            After::Leave(code) => self.leave(code),
        });
        statements
    }

    /// The end of the process with that status, a signal's number negative.
    fn leave(&mut self, code: i64) -> Vec<Statement> {
        self.leaves(&(if code < 0 { code } else { code + 1 }).to_string())
    }

    /// The end of the process, of which this is kept; or what stands before its end, where that is a step of its own.
    fn leaves(&mut self, kept: &str) -> Vec<Statement> {
        if self.ends {
            self.leaving = true;
            return vec![
                Statement::Line(format!("v_left = {kept}")),
                Statement::Forget(None),
                Statement::Goto("leave".to_owned()),
            ];
        }
        let mut statements = vec![Statement::Line(format!("p_exit[{}] = {kept}", self.me)), Statement::Forget(None)];
        statements.extend(self.lets_go());
        statements
    }

    /// What becomes of the objects as the process ends.
    fn lets_go(&mut self) -> Vec<Statement> {
        let mut statements = Vec::new();
        let plan = self.world.plan;
        for id in 0..plan.objects.len() as u32 {
            if let Ok(translated) = self.world.object(id) {
                let held = plan.held(self.process, id);
                let effects = translated.leave(self.world.around(id), &self.me, &held);
                statements.extend(effects.into_iter().map(Statement::Line));
            }
        }
        statements.push(Statement::Goto("end".to_owned()));
        statements
    }

    /// Looks for what may go wrong, in order, before in progress.
    pub(super) fn checked(
        &mut self,
        checks: Vec<Check>,
        failure: &Failure,
        place: usize,
        good: impl FnOnce(&mut Self) -> Vec<Statement>,
    ) -> Vec<Statement> {
        let certain = checks.iter().position(|check| check.when == "true");
        let kept = certain.map_or(checks.len(), |at| at + 1);
        let mut statements = if certain.is_some() { Vec::new() } else { good(self) };
        for check in checks.into_iter().take(kept).rev() {
            match check.outcome {
                Some(outcome) if check.when == "true" => statements = self.after(outcome, failure, place),
                Some(outcome) => {
                    let bad = self.after(outcome, failure, place);
                    statements = vec![Statement::Choice(vec![(check.when, bad), ("else".to_owned(), statements)])];
                }
                None => statements.insert(0, Statement::Line(format!("assert(!({}))", check.when))),
            }
        }
        statements
    }

    /// Comes to a step that others notice: it stands there, unless it has no value for what it would ask.
    fn arrive(&mut self, place: usize) -> Vec<Statement> {
        let Instruction::Operate(operation) = &self.program.code[place] else { return Vec::new() };
        match self.asks(operation, place) {
            Ok(checks) => self.checked(checks, &operation.failure, place, |body| {
                let label = body.go((place, false));
                vec![Statement::Forget(Some(place)), Statement::Goto(label)]
            }),
            Err(why) => {
                self.world.refuse(operation.step, &why);
                Vec::new()
            }
        }
    }
}
