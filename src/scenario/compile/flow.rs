//! The order of steps: loops, choices, sections and variables become jumps and slots.

use super::{Compiler, Loop, PossibleTarget};
use crate::diagnostic::{Code, Diagnostic};
use crate::event::StepId;
use crate::expression::Expression;
use crate::objects::Form;
use crate::objects::contract::operation::VerbId;
use crate::objects::kinds::own::OwnVerb;
use crate::scenario::document::{Fields, Item};
use crate::scenario::plan::{Failure, Instruction, OperationPlan};
use crate::scenario::steps;
use crate::value::{Types, Value};
use std::ops::Range;

impl Compiler<'_> {
    pub(super) fn leave_loop(&mut self, ends: bool, span: Range<usize>) {
        let Some(innermost) = self.loops.last() else {
            let word = if ends { "break" } else { "continue" };
            self.checker.error(Code::BAD_LOOP, span, format!("`{word}` is outside a loop"), "no loop around it");
            return;
        };
        let next = innermost.next;
        for at in (innermost.sections..self.sections.len()).rev() {
            let (label, step) = self.sections[at].clone();
            self.leave(label, step);
        }
        let jump = self.jump();
        if ends {
            if let Some(innermost) = self.loops.last_mut() {
                innermost.breaks.push(jump);
            }
        } else {
            self.code[jump] = Instruction::Jump(next);
        }
    }

    pub(super) fn leave(&mut self, label: Expression, step: StepId) {
        self.border(OwnVerb::Leave, label, step);
    }

    /// Enters a section, or leaves it.
    fn border(&mut self, verb: OwnVerb, label: Expression, step: StepId) {
        let operation = OperationPlan::new(step, VerbId::Own(verb)).with(verb.described(), vec![label]);
        self.code.push(Instruction::Operate(Box::new(operation)));
    }

    pub(super) fn set(&mut self, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let Some(table) = self.checker.table(item, "a table of variables, as { x = 1 }") else { return };
        let mut places = Vec::new();
        for (name, span, item) in table.entries() {
            let value = self.value(item);
            if let Some(meant) = self.braceless(item) {
                let diagnostic = Diagnostic::warning(Code::TYPE_ERROR, "this is text: an expression stands in braces")
                    .at(&self.checker.source, item.span(), "taken as it stands")
                    .suggest(item.span(), meant);
                self.checker.report(diagnostic);
            }
            let slot = self.variable(name, span, value.as_ref().map_or(Types::ANY, Expression::types));
            if let (Some(slot), Some(value)) = (slot, value) {
                places.push(self.code.len());
                self.code.push(Instruction::Set { slot, value, step, failure: Failure::default() });
            }
        }
        let (failure, handlers) = self.failure(fields, step);
        let handlers = self.handlers(handlers);
        for place in places {
            if let Instruction::Set { failure: empty, .. } = &mut self.code[place] {
                *empty = Failure { outcome: failure.outcome, handlers: handlers.clone(), taken: failure.taken };
            }
        }
    }

    pub(super) fn in_loop(&mut self, next: usize, exits: &[usize], body: impl FnOnce(&mut Self)) {
        self.loops.push(Loop { next, breaks: Vec::new(), sections: self.sections.len() });
        body(self);
        self.code.push(Instruction::Jump(next));
        let breaks = self.loops.pop().map(|innermost| innermost.breaks).unwrap_or_default();
        self.land(&breaks);
        self.land(exits);
    }

    pub(super) fn repeat(&mut self, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let times =
            self.argument(item, Form::Integer(0, i64::MAX)).unwrap_or_else(|| Expression::constant(Value::Int(0)));
        let variable = fields.take("as").and_then(|item| self.variable_item(item, Types::INT));
        let (counter, limit) = (self.hidden("counter"), self.hidden("limit"));
        self.code.push(Instruction::Repeat { times, counter, limit, step });
        let next = self.code.len();
        self.code.push(Instruction::Next { counter, limit, variable, exit: 0 });
        let body = self.body_of(fields, "do");
        self.in_loop(next, &[next], |compiler| compiler.step_list(body));
    }

    pub(super) fn body_of<'a>(&mut self, fields: &Fields<'a>, key: &str) -> Option<Item<'a>> {
        let body = fields.take(key);
        if body.is_none() && !fields.has_instead(key) {
            self.checker.error(
                Code::MISSING_KEY,
                fields.span.clone(),
                format!("`{key}` is missing: the steps"),
                format!("`{key} = [..]` is missing"),
            );
        }
        body
    }

    pub(super) fn forever(&mut self, item: Item<'_>) {
        let next = self.code.len();
        self.in_loop(next, &[], |compiler| compiler.step_list(Some(item)));
    }

    pub(super) fn during(&mut self, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let condition = self.condition(item).unwrap_or_else(|| Expression::constant(Value::Bool(false)));
        let next = self.code.len();
        self.code.push(Instruction::Unless { condition, to: 0, step });
        let body = self.body_of(fields, "do");
        self.in_loop(next, &[next], |compiler| compiler.step_list(body));
    }

    pub(super) fn each(&mut self, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let list = match fields.take("in") {
            Some(item) => self.typed(item, Types::LIST),
            None => {
                self.checker.error(
                    Code::MISSING_KEY,
                    fields.span.clone(),
                    "`in` is missing: the list",
                    "`in = ..` is missing",
                );
                None
            }
        };
        let items_types = match list.as_ref().and_then(Expression::as_constant) {
            Some(Value::List(items)) => items.iter().fold(Types::NONE, |types, item| types | item.types()),
            _ => Types::ANY,
        };
        let variable = self.variable_item(item, items_types).unwrap_or_else(|| self.hidden("item"));
        let list = list.unwrap_or_else(|| Expression::list(Vec::new()));
        let (counter, items) = (self.hidden("counter"), self.hidden("items"));
        self.code.push(Instruction::Each { list, counter, items, step });
        let next = self.code.len();
        self.code.push(Instruction::NextItem { counter, items, variable, exit: 0 });
        let body = self.body_of(fields, "do");
        self.in_loop(next, &[next], |compiler| compiler.step_list(body));
    }

    pub(super) fn choose(&mut self, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let condition = self.condition(item).unwrap_or_else(|| Expression::constant(Value::Bool(true)));
        if fields.peek("then").is_none() && fields.peek("else").is_none() {
            self.checker.error(Code::MISSING_KEY, fields.span.clone(), "`if` needs `then` or `else`", "no steps here");
        }
        let unless = self.code.len();
        self.code.push(Instruction::Unless { condition, to: 0, step });
        self.step_list(fields.take("then"));
        match fields.take("else") {
            None => self.land(&[unless]),
            Some(otherwise) => {
                let over = self.jump();
                self.land(&[unless]);
                self.step_list(Some(otherwise));
                self.land(&[over]);
            }
        }
    }

    pub(super) fn section(&mut self, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let label = self.typed(item, Types::STRING).unwrap_or_else(|| Expression::constant(Value::from("")));
        let known = label.as_constant().and_then(Value::as_str).map(str::to_owned);
        for verb in ["enter", "leave"] {
            if let Some(verb) = steps::step(verb) {
                self.possible(verb.name, PossibleTarget::Label(known.clone()));
            }
        }
        // A computed label is kept, so that the section that is left is the one that was entered.
        let label = if label.as_constant().is_some() {
            label
        } else {
            let slot = self.hidden("section");
            self.code.push(Instruction::Set { slot, value: label, step, failure: Failure::default() });
            Expression::variable(slot, Types::STRING)
        };
        self.border(OwnVerb::Enter, label.clone(), step);
        self.sections.push((label.clone(), step));
        let body = self.body_of(fields, "do");
        self.step_list(body);
        self.sections.pop();
        self.leave(label, step);
    }
}
