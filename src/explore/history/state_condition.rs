//! Evaluates state expressions in a state of the search, as the judge does along a trace.

use super::History;
use super::update::{Moment, StateView};
use crate::event::ObjectId;
use crate::expression::{Builtin, Environment, Error, Expression};
use crate::judge::history::size;
use crate::outcome::Outcome;
use crate::scenario::plan::Fact;
use crate::value::Value;

impl History<'_> {
    /// The value of a condition; none where it has none or is neither true nor false.
    pub(super) fn evaluate(&self, condition: &Expression, sight: &dyn StateView, moment: Moment<'_>) -> Option<bool> {
        match condition.evaluate(&mut View { memories: self, sight, moment }) {
            Ok(Value::Bool(holds)) => Some(holds),
            _ => None,
        }
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
        Ok(self.memories.fact(number, self.sight, self.moment))
    }

    fn random(&mut self, low: i64, _high: i64) -> i64 {
        low
    }
}
