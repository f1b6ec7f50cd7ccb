//! Which types the variables of a program can have at each of its places.

use super::expression::{Scope, Variable};
use crate::event::ProcessId;
use crate::expression::Expression;
use crate::objects::contract::operation::VerbId;
use crate::objects::kinds::process::ProcessVerb;
use crate::outcome::{Outcome, Outcomes};
use crate::scenario::plan::{Failure, Instruction, OperationPlan, Plan};
use crate::value::{Types, Value};

pub(super) struct Typing<'a, 'p> {
    pub(super) plan: &'p Plan,
    pub(super) process: ProcessId,
    pub(super) texts: &'a super::expression::Texts,
    pub(super) variables: &'a [Variable],
}

impl Typing<'_, '_> {
    /// By place, by slot: the types that it can have where a process comes there. `first` are those at the beginning.
    pub(super) fn infer(&self, first: Vec<Types>) -> Vec<Vec<Types>> {
        let code = &self.plan.program(self.process).code;
        let slots = first.len();
        let mut known = vec![vec![Types::NONE; slots]; code.len() + 1];
        let mut seen = vec![false; code.len() + 1];
        let mut open = vec![0];
        known[0] = first;
        while let Some(place) = open.pop() {
            let Some(instruction) = code.get(place) else { continue };
            let here = known[place].clone();
            for (next, changed) in self.behind(instruction, place, &here) {
                let Some(there) = known.get_mut(next) else { continue };
                let mut new = !std::mem::replace(&mut seen[next], true);
                for slot in 0..slots {
                    let types = changed.iter().rev().find(|(written, _)| *written as usize == slot);
                    let types = types.map_or(here[slot], |(_, types)| *types);
                    new |= !there[slot].contains(types);
                    there[slot] = there[slot] | types;
                }
                if new {
                    open.push(next);
                }
            }
        }
        known
    }

    /// The types of an expression where the variables have these.
    fn of(&self, expression: &Expression, here: &[Types]) -> Types {
        let scope = Scope {
            plan: self.plan,
            process: self.process,
            texts: self.texts,
            variables: self.variables,
            types: here,
            it: None,
        };
        match scope.compute(expression.node()) {
            Ok(computed) => computed.term.types,
            Err(_) => expression.types(),
        }
    }

    /// Where a process can continue, and which variables have other types there.
    fn behind(&self, instruction: &Instruction, place: usize, here: &[Types]) -> Vec<(usize, Vec<(u32, Types)>)> {
        match instruction {
            Instruction::Operate(operation) => self.operation(operation, place),
            Instruction::Set { slot, value, failure, .. } => failing(failure, place, &[(*slot, self.of(value, here))]),
            Instruction::Jump(to) => vec![(*to, Vec::new())],
            Instruction::Unless { to, .. } => vec![(place + 1, Vec::new()), (*to, Vec::new())],
            Instruction::Repeat { counter, limit, .. } => {
                vec![(place + 1, vec![(*counter, Types::INT), (*limit, Types::INT)])]
            }
            Instruction::Next { variable, exit, .. } => {
                let counted = variable.iter().map(|variable| (*variable, Types::INT)).collect();
                vec![(place + 1, counted), (*exit, Vec::new())]
            }
            Instruction::Each { counter, items, .. } => {
                vec![(place + 1, vec![(*counter, Types::INT), (*items, Types::LIST)])]
            }
            Instruction::NextItem { items, variable, exit, .. } => {
                let types = match self.variables.get(*items as usize) {
                    Some(Variable::Constant(Value::List(items))) => {
                        items.iter().fold(Types::NONE, |types, item| types | item.types())
                    }
                    _ => Types::ANY,
                };
                vec![(place + 1, vec![(*variable, types)]), (*exit, Vec::new())]
            }
            Instruction::Return | Instruction::End => Vec::new(),
        }
    }

    fn operation(&self, operation: &OperationPlan, place: usize) -> Vec<(usize, Vec<(u32, Types)>)> {
        if matches!(operation.verb, VerbId::Own(verb) if verb.ends()) {
            return failing(&operation.failure, place, &[]);
        }
        let of_object = operation.accessed().next().and_then(|(object, verb)| {
            let object = self.plan.objects[object as usize].object.promela();
            object.map(|object| object.gives(verb))
        });
        let joins = operation.verb == VerbId::Process(ProcessVerb::Join);
        let given = of_object.unwrap_or(if joins { Types::INT } else { Types::ANY });
        let mut written = Vec::new();
        written.extend(operation.into.map(|slot| (slot, given)));
        written.extend(operation.second.map(|slot| (slot, Types::ANY)));
        failing(&operation.failure, place, &written)
    }
}

/// Behind a step that may fail: what it writes is written where it ends `ok`.
fn failing(failure: &Failure, place: usize, written: &[(u32, Types)]) -> Vec<(usize, Vec<(u32, Types)>)> {
    let outcome = failure.outcome.map(|slot| (slot, Types::STRING));
    let good = |extra: &[(u32, Types)]| extra.iter().copied().chain(outcome).collect::<Vec<_>>();
    let mut behind = Vec::new();
    match failure.handler(Outcome::OK) {
        Some(handler) => behind.push((handler, good(written))),
        None => behind.push((place + 1, good(written))),
    }
    // A failed process ends, unless the outcome is handled.
    if failure.taken != Outcomes::NONE {
        behind.push((place + 1, good(&[])));
    }
    behind.extend(failure.handlers.iter().map(|(_, handler)| (*handler, good(&[]))));
    behind
}
