//! What a process would ask of the world next, without asking it: whether it stands at a step that is one of the world's.

use super::{Clock, Machine, Random, Timeout, World};
use crate::event::StepId;
use crate::objects::Completion;
use crate::objects::contract::operation::Operation;
use crate::outcome::Outcome;
use crate::scenario::plan::Instruction;
use crate::value::Value;

impl Machine<'_> {
    /// The step that it would ask the world for now; none where it computes, or has no value for what it would ask.
    pub fn asks(&self, clock: Clock) -> Option<StepId> {
        if !matches!(self.instruction(), Instruction::Operate(_)) {
            return None;
        }
        let mut listener = Listener { clock, heard: None };
        // Numbers that were chosen are for the step itself.
        let mut machine = Self { random: Random::lowest(), ..self.clone() };
        machine.advance(&mut listener);
        listener.heard
    }

    /// Whether its random numbers were chosen beforehand.
    pub fn is_chosen(&self) -> bool {
        self.random.is_chosen()
    }

    /// Takes random numbers from elsewhere from now on.
    pub fn draw_from(&mut self, random: Random) {
        self.random = random;
    }
}

/// A world that only listens.
struct Listener {
    clock: Clock,
    heard: Option<StepId>,
}

impl World for Listener {
    fn operate(
        &mut self,
        step: StepId,
        _operation: &Operation<'_>,
        _compute: &mut dyn FnMut(Value) -> Result<Value, Outcome>,
        _timeout: Timeout,
    ) -> Completion {
        self.heard = Some(step);
        Completion::of(Outcome::OK)
    }

    fn refuse(&mut self, _step: StepId, _outcome: Outcome, _message: &str) {}

    fn clock(&self) -> Clock {
        self.clock
    }
}
