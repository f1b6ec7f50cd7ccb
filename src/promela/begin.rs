//! Where a process stands when it has begun: what it does before its first step that others notice depends on nothing
//! but itself, so it is carried out here, and the text begins behind it.

use crate::event::{ProcessId, StepId};
use crate::explore::semantics::next_operation::is_visible;
use crate::interpreter::{Clock, Left, Machine, Place, Request, Timeout, World};
use crate::objects::Completion;
use crate::outcome::Outcome;
use crate::scenario::plan::Plan;
use crate::schedule::pid;
use crate::value::Value;

/// How many steps are followed.
const MOST: usize = 1 << 20;

/// Where a process stands when it has begun.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Beginning {
    /// Its place in the program.
    pub(super) place: usize,
    /// What its variables hold.
    pub(super) slots: Vec<Value>,
    /// Whether it has said that it is ready.
    pub(super) ready: bool,
    /// The exit status, a signal's number negative, where it has ended already.
    pub(super) ended: Option<i64>,
}

/// The program counter of a process after its begin; none if it never reaches a step that others can observe.
pub(super) fn beginning(plan: &Plan, process: ProcessId) -> Option<Beginning> {
    let Ok(mut machine) = Machine::new(plan, process, pid(process)) else {
        return Some(Beginning { place: 0, slots: Vec::new(), ready: false, ended: Some(1) });
    };
    let mut alone = Alone { ready: false };
    for _ in 0..MOST {
        let visible = is_visible(machine.instruction(), &[]);
        if visible {
            let mut asked = Asked(false);
            machine.clone().advance(&mut asked);
            if asked.0 {
                let place = machine.place_in_program();
                return Some(Beginning { place, slots: machine.slots().to_vec(), ready: alone.ready, ended: None });
            }
        }
        if let Some(left) = machine.advance(&mut alone) {
            let code = match left {
                Left::Exit(code) => i64::from(code),
                Left::Abort => -i64::from(libc::SIGABRT),
            };
            let place = machine.place_in_program();
            return Some(Beginning { place, slots: Vec::new(), ready: alone.ready, ended: Some(code) });
        }
    }
    None
}

/// A world without others.
struct Alone {
    ready: bool,
}

impl World for Alone {
    fn operate(
        &mut self,
        _step: StepId,
        _place: Place,
        _arguments: &[Value],
        _compute: &mut dyn FnMut(Value) -> Result<Value, Outcome>,
        _timeout: Timeout,
    ) -> Completion {
        Completion::of(Outcome::INVALID)
    }

    fn perform(&mut self, _step: StepId, request: Request, _timeout: Timeout) -> Completion {
        match request {
            Request::Ready => self.ready = true,
            Request::Assert(false) => return Completion::of(Outcome::FAILED),
            _ => {}
        }
        Completion::of(Outcome::OK)
    }

    fn refuse(&mut self, _step: StepId, _outcome: Outcome, _message: &str) {}

    fn clock(&self) -> Clock {
        Clock::At(0)
    }
}

/// A world that only listens whether something is asked of it.
struct Asked(bool);

impl World for Asked {
    fn operate(
        &mut self,
        _step: StepId,
        _place: Place,
        _arguments: &[Value],
        _compute: &mut dyn FnMut(Value) -> Result<Value, Outcome>,
        _timeout: Timeout,
    ) -> Completion {
        self.0 = true;
        Completion::of(Outcome::OK)
    }

    fn perform(&mut self, _step: StepId, _request: Request, _timeout: Timeout) -> Completion {
        self.0 = true;
        Completion::of(Outcome::OK)
    }

    fn refuse(&mut self, _step: StepId, _outcome: Outcome, _message: &str) {}

    fn clock(&self) -> Clock {
        Clock::At(0)
    }
}
