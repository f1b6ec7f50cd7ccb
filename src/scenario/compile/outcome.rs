//! The keys of every step: `timeout`, `on`, `outcome` and `expect`, and the handlers behind it.

use super::Compiler;
use crate::diagnostic::{Code, Diagnostic};
use crate::event::StepId;
use crate::objects::Verb;
use crate::objects::contract::operation::VerbId;
use crate::outcome::{Outcome, Outcomes};
use crate::scenario::document::{Fields, Item};
use crate::scenario::expectation::{Argument as ExpectArgument, Expectation, Holds};
use crate::scenario::plan::{Failure, Instruction, OperationPlan};
use crate::scenario::steps;
use crate::value::Types;
use std::ops::Range;

/// What a step can only end in: it is an error unless the step takes that outcome.
pub(super) struct Foreseen {
    pub(super) outcome: Outcome,
    pub(super) diagnostic: Diagnostic,
}

impl Compiler<'_> {
    /// What a step can only end in, for that reason.
    pub(super) fn foreseen(&self, outcome: Outcome, reason: &str, span: Range<usize>) -> Foreseen {
        let diagnostic = Diagnostic::error(Code::CAN_ONLY_FAIL, format!("this can only end `{outcome}`: {reason}"));
        Foreseen { outcome, diagnostic: diagnostic.at(&self.checker.source, span, format!("always `{outcome}`")) }
    }

    /// Reads `timeout`, `on`, `outcome` and `expect`, emits the operation and compiles its handlers.
    pub(super) fn operate(
        &mut self,
        fields: &Fields<'_>,
        mut operation: OperationPlan,
        verb: &Verb,
        foreseen: Vec<Foreseen>,
    ) {
        if verb.blocks {
            operation.timeout = fields.take("timeout").and_then(|item| self.delay(item));
        }
        operation.blocks = verb.blocks;
        operation.restarts = self.restarts(&operation, verb);
        let (failure, handlers) = self.failure(fields, operation.step);
        for Foreseen { outcome, diagnostic } in foreseen.into_iter().filter(|one| !failure.taken.contains(one.outcome))
        {
            // A value that is meant otherwise is no purpose.
            let diagnostic = if diagnostic.suggestion.is_some() {
                diagnostic
            } else {
                diagnostic.help(format!("if that is the purpose of the scenario, handle it: `expect = \"{outcome}\"`, `outcome = \"r\"` or `on = {{ {outcome} = [..] }}`"))
            };
            self.checker.report(diagnostic);
        }
        let at = self.code.len();
        operation.failure = failure;
        self.code.push(Instruction::Operate(Box::new(operation)));
        let places = self.handlers(handlers);
        if let Instruction::Operate(operation) = &mut self.code[at] {
            operation.failure.handlers = places;
        }
    }

    /// Whether a wait of the step continues behind a signal's handler that asks for it.
    fn restarts(&self, operation: &OperationPlan, verb: &Verb) -> Option<bool> {
        let timed = operation.timeout.is_some();
        match operation.verb {
            VerbId::Object => {
                let object = operation.on_objects().next()?.objects().start;
                self.declared.objects[object as usize].object.restarts(verb, timed)
            }
            VerbId::Process(_) => Some(true),
            VerbId::Own(_) | VerbId::Timer(_) | VerbId::Signal(_) => Some(false),
        }
    }

    /// What a step takes besides `ok`, and the steps of its handlers.
    pub(super) fn failure<'a>(&mut self, fields: &Fields<'a>, step: StepId) -> (Failure, Vec<(Outcomes, Item<'a>)>) {
        let mut failure = Failure::default();
        let mut handlers = Vec::new();
        if let Some(item) = fields.take("outcome") {
            failure.outcome = self.variable_item(item, Types::STRING);
            failure.taken = Outcomes::ALL;
        }
        if let Some(table) =
            fields.take("on").and_then(|item| self.checker.table(item, "a table of outcomes and their steps"))
        {
            let mut rest = Vec::new();
            for (key, span, item) in table.entries() {
                let outcome = if key == "any" { Some(Outcome::FAILED) } else { Outcome::parse(key) };
                match outcome {
                    Some(Outcome::FAILED) => rest.push((Outcomes::of(Outcome::FAILED), item)),
                    Some(outcome) => handlers.push((Outcomes::of(outcome), item)),
                    None => {
                        let names = Outcome::NAMED.iter().map(|(_, name, _)| *name).chain(["any"]);
                        let diagnostic = Diagnostic::error(Code::UNKNOWN_NAME, format!("no outcome is called `{key}`"))
                            .at(&self.checker.source, span.clone(), "unknown outcome")
                            .suggest_nearest(span, key, names);
                        self.checker.report(diagnostic);
                    }
                }
            }
            handlers.extend(rest);
        }
        for (outcomes, _) in &handlers {
            failure.taken = failure.taken.with(*outcomes);
        }
        if let Some(item) = fields.take("expect") {
            failure.taken = failure.taken.with(self.expected(fields, item, step));
        }
        (failure, handlers)
    }

    /// The `expect` beside a step: an expectation of its own, and an outcome that is taken as well.
    pub(super) fn expected(&mut self, fields: &Fields<'_>, item: Item<'_>, step: StepId) -> Outcomes {
        let Some(value) = self.checker.known(item) else { return Outcomes::NONE };
        let outcome = value.as_str().and_then(Outcome::parse);
        let (argument, shown) = match outcome {
            Some(outcome) => (("outcome", ExpectArgument::Text(outcome.name()), item.span()), outcome.name()),
            None => (("value", ExpectArgument::Value(value.clone()), item.span()), value.to_string()),
        };
        if let Some(form) = self.step_form {
            let at = &self.output.steps[step as usize];
            let label = format!("{} {} = {shown}", at.verb, at.object).replace("  ", " ");
            let line = self.checker.source.line_number(fields.span.start);
            self.output.expectations.push(Expectation {
                form,
                arguments: vec![argument],
                label,
                holds: Holds::Always,
                span: item.span(),
                line,
                step: Some(step),
            });
        }
        outcome.map_or(Outcomes::NONE, Outcomes::of)
    }

    /// Compiles handlers behind the step that they belong to, jumped over where none is needed.
    pub(super) fn handlers(&mut self, handlers: Vec<(Outcomes, Item<'_>)>) -> Vec<(Outcomes, usize)> {
        if handlers.is_empty() {
            return Vec::new();
        }
        let mut jumps = vec![self.jump()];
        let mut places = Vec::new();
        for (outcomes, item) in handlers {
            places.push((outcomes, self.code.len()));
            self.step_list(Some(item));
            jumps.push(self.jump());
        }
        self.land(&jumps);
        places
    }

    pub(super) fn jump(&mut self) -> usize {
        self.code.push(Instruction::Jump(0));
        self.code.len() - 1
    }

    /// Lets jumps and exits lead here.
    pub(super) fn land(&mut self, jumps: &[usize]) {
        let here = self.code.len();
        for jump in jumps {
            match &mut self.code[*jump] {
                Instruction::Jump(to)
                | Instruction::Unless { to, .. }
                | Instruction::Next { exit: to, .. }
                | Instruction::NextItem { exit: to, .. } => *to = here,
                other => unreachable!("only jumps are patched, not {other:?}"),
            }
        }
    }

    pub(super) fn finish(&mut self, fields: &Fields<'_>, verb: &Verb, what: &str) {
        let mut known = vec![verb.name];
        known.extend(verb.arguments.iter().map(|argument| argument.name));
        known.extend(
            steps::COMMON.iter().map(|argument| argument.name).filter(|name| verb.blocks || *name != "timeout"),
        );
        known.dedup();
        fields.finish(self.checker, what, &known);
    }
}
