//! The scope of names in a process: params, its variables, and the names every process has.

use std::ops::Range;
use std::rc::Rc;

use super::document::param;
use crate::expression::{Builtin, Fault, Name, Scope, StateArgument};
use crate::value::{Types, Value};

/// Whether the name has a meaning of its own, so that no param can have it.
pub(super) fn is_reserved(name: &str) -> bool {
    BUILTINS.iter().any(|(builtin, ..)| *builtin == name) || matches!(name, "it" | "true" | "false" | "null" | "in")
}

/// The names every process has, with their types.
pub(super) const BUILTINS: [(&str, Builtin, Types); 4] = [
    ("pid", Builtin::Pid, Types::INT),
    ("name", Builtin::Name, Types::STRING),
    ("index", Builtin::Index, Types::INT),
    ("now", Builtin::Now, Types::FLOAT),
];

/// The names that a signal's handler has besides, with their types. Their slots are called so behind a `$`.
pub(super) const HANDLER: [(&str, Types); 3] =
    [("signal", Types::STRING), ("value", Types::INT), ("sender", Types::STRING)];

/// The variables of one process: a slot each.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    /// Whether the steps are those of a signal's handler.
    pub(super) in_handler: bool,
    pub(super) names: Vec<String>,
    /// The types that each can have where it is read.
    pub(super) types: Vec<Types>,
    /// The types that were seen assigned in this pass.
    pub(super) assigned: Vec<Types>,
}

impl Variables {
    /// The slot of a variable, made where it is new.
    pub(super) fn slot(&mut self, name: &str) -> u32 {
        if let Some(slot) = self.names.iter().position(|other| other == name) {
            return slot as u32;
        }
        self.names.push(name.to_owned());
        self.types.push(Types::ANY);
        self.assigned.push(Types::NONE);
        self.names.len() as u32 - 1
    }

    /// Notes that a variable can have these types.
    pub(super) fn assign(&mut self, name: &str, types: Types) -> u32 {
        let slot = self.slot(name);
        let assigned = &mut self.assigned[slot as usize];
        *assigned = *assigned | types;
        slot
    }

    /// Ends a pass: what was assigned is what can be read, besides the null before the first value.
    pub(super) fn settle(&mut self) {
        for (types, assigned) in self.types.iter_mut().zip(&mut self.assigned) {
            *types = *assigned | Types::NULL;
            *assigned = Types::NONE;
        }
    }
}

/// The scope of a process's expressions.
pub(super) struct ProcessScope<'a> {
    pub(super) params: Rc<[(String, Value)]>,
    pub(super) variables: &'a Variables,
    /// The types of `it`, in an `update`.
    pub(super) it: Option<Types>,
}

impl Scope for ProcessScope<'_> {
    fn name(&mut self, name: &str) -> Result<(Name, Types), Vec<String>> {
        if let (Some(types), "it") = (self.it, name) {
            return Ok((Name::Builtin(Builtin::It), types));
        }
        let in_handler = self.variables.in_handler && HANDLER.iter().any(|(other, _)| *other == name);
        let hidden = format!("${name}");
        let name = if in_handler { hidden.as_str() } else { name };
        if let Some(slot) = self.variables.names.iter().position(|other| other == name) {
            return Ok((Name::Slot(slot as u32), self.variables.types[slot]));
        }
        if let Some((_, builtin, types)) = BUILTINS.iter().find(|(other, ..)| *other == name) {
            return Ok((Name::Builtin(*builtin), *types));
        }
        param(&self.params, name).ok_or_else(|| {
            let variables = self.variables.names.iter().filter(|name| !name.starts_with('$')).cloned();
            let params = self.params.iter().map(|(name, _)| name.clone());
            let builtins = BUILTINS.iter().map(|(name, ..)| (*name).to_owned());
            variables.chain(params).chain(builtins).collect()
        })
    }

    fn call(
        &mut self,
        _name: &str,
        _arguments: &[(StateArgument, Range<usize>)],
    ) -> Option<Result<(u32, Types), Fault>> {
        None
    }
}
