//! Evaluates state expressions in a state of the search, as the judge does along a trace.

use std::collections::HashMap;

use super::History;
use super::update::{Moment, StateView};
use super::waits::{FALSE, TRUE};
use crate::event::ObjectId;
use crate::expression::{Builtin, Environment, Error, Expression};
use crate::judge::history::size;
use crate::outcome::Outcome;
use crate::scenario::plan::Fact;
use crate::value::Value;

impl History<'_> {
    /// The value of a condition where these waits are known, none where it has none or is neither true nor false; or a
    /// fact about a wait that it depends on and that is not among them.
    fn evaluate(
        &self,
        condition: &Expression,
        sight: &dyn StateView,
        moment: Moment<'_>,
        waits: &HashMap<u32, bool>,
    ) -> Result<Option<bool>, u32> {
        let mut view = View { memories: self, sight, moment, waits, open: None };
        let value = condition.evaluate(&mut view);
        match (view.open, value) {
            (Some(open), _) => Err(open),
            (None, Ok(Value::Bool(holds))) => Ok(Some(holds)),
            (None, _) => Ok(None),
        }
    }

    /// Whether the condition is as looked for, as a diagram over the waits that it depends on.
    pub(super) fn diagram(
        &mut self,
        condition: &Expression,
        holds: bool,
        sight: &dyn StateView,
        moment: Moment<'_>,
        waits: &mut HashMap<u32, bool>,
    ) -> u32 {
        let open = match self.evaluate(condition, sight, moment, waits) {
            Ok(value) => return if (value == Some(true)) == holds { TRUE } else { FALSE },
            Err(open) => open,
        };
        let [no, yes] = [false, true].map(|is| {
            waits.insert(open, is);
            self.diagram(condition, holds, sight, moment, waits)
        });
        waits.remove(&open);
        let has_ended = |process| moment.acting != Some(process) && sight.end(process).is_some();
        let fact = self.waits.fact(open, &has_ended);
        self.waits.choose(fact, yes, no)
    }

    fn fact(&self, number: u32, sight: &dyn StateView, moment: Moment<'_>) -> Value {
        let plan = self.plan;
        let value = |object: ObjectId| {
            let (model, shares) = sight.object(object);
            model.value(&shares, &self.names)
        };
        let end = |process: u32| if moment.acting == Some(process) { None } else { sight.end(process) };
        let code = |process: u32| end(process).and_then(crate::trace::ProcessEnd::code);
        match plan.facts.get(number as usize) {
            Some(Fact::Value(group)) => {
                let group = &plan.groups[*group];
                match group.count {
                    None => value(group.first),
                    Some(count) => (group.first..group.first + count).map(value).collect::<Vec<_>>().into(),
                }
            }
            Some(Fact::Size(object)) => {
                let (model, shares) = sight.object(*object);
                model.size(&shares).map_or_else(|| size(&value(*object)), Value::Int)
            }
            Some(Fact::Count(_)) => self
                .facts
                .get(&number)
                .map_or(Value::Null, |at| Value::Int(self.list[*at].shared.things[sight.shared(*at) as usize][0])),
            Some(Fact::Inside(_)) => {
                let Some(at) = self.facts.get(&number) else { return Value::Null };
                let processes = 0..plan.processes.len() as u32;
                Value::Int(
                    processes.filter(|process| sight.note(*process, super::update::slot(*at, 0)) > 0).count() as i64
                )
            }
            Some(Fact::Ended(processes)) => Value::Bool(processes.iter().all(|process| code(*process).is_some())),
            Some(Fact::Exit(process)) => code(*process).map_or(Value::Null, Value::Int),
            Some(Fact::Blocked(..)) | None => Value::Null,
        }
    }
}

/// A state as an expression sees it.
struct View<'v, 'p> {
    memories: &'v History<'p>,
    sight: &'v dyn StateView,
    moment: Moment<'v>,
    /// By fact, the waits that are known.
    waits: &'v HashMap<u32, bool>,
    /// The first that was asked for and is not.
    open: Option<u32>,
}

impl Environment for View<'_, '_> {
    fn slot(&self, _slot: u32) -> &Value {
        &Value::Null
    }

    fn builtin(&self, builtin: Builtin) -> Value {
        match builtin {
            Builtin::Now => Value::Float(self.moment.now as f64 / 1e9),
            _ => Value::Null,
        }
    }

    fn state(&mut self, number: u32) -> Result<Value, Error> {
        if number as usize >= self.memories.plan.facts.len() {
            return Err(Error::new(Outcome::INVALID, "there is no such state"));
        }
        if let Some(Fact::Blocked(..)) = self.memories.plan.facts.get(number as usize) {
            let known = self.waits.get(&number).copied();
            if known.is_none() {
                self.open.get_or_insert(number);
            }
            return Ok(Value::Bool(known.unwrap_or(false)));
        }
        Ok(self.memories.fact(number, self.sight, self.moment))
    }

    fn random(&mut self, low: i64, _high: i64) -> i64 {
        low
    }
}
