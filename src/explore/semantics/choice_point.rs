//! What is left open besides the order of steps: how time passes, which random numbers are drawn, whether a process is
//! killed from outside.
//!
//! Where every number can be drawn, a process draws from the choices of its turn. So a draw has to lie within a turn:
//! what others must know before the turn (an index, a timeout) cannot be drawn in the step itself, and a process that
//! draws as it begins, before its first step that others can notice, draws in a turn of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::next_operation::is_visible;
use super::program_analysis::all_draws;
use super::transition::{ModelError, ModelErrorKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::event::StepId;
use crate::expression::Expression;
use crate::interpreter::Draw;
use crate::objects::contract::operation::VerbId;
use crate::scenario::plan::{Instruction, Plan};

/// The most numbers of a range of which each is tried.
pub const MOST_VALUES: u64 = 256;
/// The most possibilities of one turn.
const MOST_WAYS: u64 = 65_536;

impl ModelError {
    /// What is to be said of it.
    pub fn diagnostic(&self, plan: &Plan) -> Diagnostic {
        let name = &plan.processes[self.process as usize].name;
        let at = |step: StepId, message: String, label: &str| {
            let diagnostic = Diagnostic::error(Code::BAD_SCHEDULE, message);
            match plan.steps.get(step as usize) {
                Some(step) => diagnostic.at(&plan.source, step.span.clone(), label),
                None => diagnostic.within(&plan.source),
            }
        };
        let seed = "`--random seed` draws from each process's own stream instead, which the seed decides";
        let before = "draw it in a `let` before the step";
        match self.trouble {
            ModelErrorKind::ModelError => {
                let message = format!("`{name}` loops without a step that other processes can observe");
                Diagnostic::error(Code::BAD_SCHEDULE, message)
                    .within(&plan.source)
                    .help("a loop needs a step on an object, a `sleep` or a `yield`")
            }
            ModelErrorKind::Range(step, count) => {
                let numbers = if count == 0 { "2^64".to_owned() } else { count.to_string() };
                let message =
                    format!("`{name}` draws one of {numbers} numbers, and at most {MOST_VALUES} can each be tried");
                at(step, message, "drawn here").help("give `random` a smaller range").help(seed)
            }
            ModelErrorKind::Ways(step) => {
                let message = format!(
                    "`{name}` draws so often between two steps that others can notice that there are more than \
                     {MOST_WAYS} possibilities"
                );
                at(step, message, "drawn here").help(seed)
            }
            ModelErrorKind::Early(step) => {
                let message = "a random number in an index, a timeout or a duration cannot be tried value by value: \
                               others must know it before the step";
                at(step, message.to_owned(), "drawn here").help(before).help(seed)
            }
            ModelErrorKind::Waits(step) => {
                let message = "whether this step waits depends on a random number that is drawn in it";
                at(step, message.to_owned(), "drawn here").help(before).help(seed)
            }
            ModelErrorKind::Spent(_) => {
                Diagnostic::error(Code::BAD_SCHEDULE, "the limit of time or memory was reached before the first step")
                    .within(&plan.source)
            }
            ModelErrorKind::First => {
                let message =
                    format!("`{name}` draws the first value of a variable, which is not tried value by value");
                Diagnostic::error(Code::BAD_SCHEDULE, message)
                    .at(&plan.source, plan.program(self.process).span.clone(), "the process")
                    .help("draw it in a `let` among its steps")
                    .help(seed)
            }
        }
    }
}

/// The first draw of a plan that cannot be tried value by value, whatever is drawn. `visible` is by step.
pub(crate) fn refused(plan: &Plan, visible: &[bool]) -> Option<ModelError> {
    plan.programs.iter().find_map(|program| {
        let trouble = if program.vars.iter().any(|(_, value)| value.draws()) {
            Some(ModelErrorKind::First)
        } else {
            program.code.iter().filter(|instruction| is_visible(instruction, visible)).find_map(early)
        };
        trouble.map(|trouble| ModelError { process: program.first, trouble })
    })
}

/// Whether a step draws what others must know before it.
fn early(instruction: &Instruction) -> Option<ModelErrorKind> {
    let Instruction::Operate(operation) = instruction else { return None };
    let draws = |expression: &Expression| expression.draws();
    let named = operation.operands.iter().flat_map(|operand| operand.index.iter().chain(&operand.element));
    let times = operation.arguments.iter().filter(|_| matches!(operation.verb, VerbId::Timer(_)));
    let drawn = named.chain(&operation.timeout).chain(times).any(draws);
    drawn.then_some(ModelErrorKind::Early(operation.step))
}

/// Whether a process that begins draws in what it carries out next: then that is a turn of its own.
pub(crate) fn begins_turn(instruction: &Instruction) -> bool {
    all_draws(instruction)
}

/// The step that an instruction belongs to.
pub(crate) fn step_of(instruction: &Instruction) -> StepId {
    match instruction {
        Instruction::Operate(operation) => operation.step,
        Instruction::Set { step, .. }
        | Instruction::Unless { step, .. }
        | Instruction::Repeat { step, .. }
        | Instruction::Each { step, .. } => *step,
        _ => StepId::MAX,
    }
}

/// Which of several possibilities are taken in a turn.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChoiceScript(Arc<Made>);

#[derive(Debug, Default)]
struct Made {
    script: Vec<u32>,
    taken: Mutex<Taken>,
}

/// What was chosen in a turn.
#[derive(Debug, Default)]
struct Taken {
    /// Each choice that was made, and out of how many.
    choices: Vec<(u32, u32)>,
    /// How many possibilities the draws have.
    ways: u64,
    /// How many numbers a range has that is too large.
    large: Option<u64>,
}

impl ChoiceScript {
    pub(crate) fn new(script: Vec<u32>) -> Self {
        Self(Arc::new(Made { script, ..Made::default() }))
    }

    pub(crate) fn choose(&self, count: u32) -> u32 {
        self.0.taken().choose(&self.0.script, count)
    }

    /// The choices that were made.
    pub(crate) fn script(&self) -> Vec<u32> {
        self.0.taken().choices.iter().map(|(choice, _)| *choice).collect()
    }

    /// The next possibility behind the one that was taken; none where it was the last.
    pub(crate) fn next(&self) -> Option<Self> {
        let made = &self.0.taken().choices;
        let last = made.iter().rposition(|(choice, count)| choice + 1 < *count)?;
        let mut script: Vec<u32> = made[..=last].iter().map(|(choice, _)| *choice).collect();
        script[last] += 1;
        Some(Self::new(script))
    }

    /// The same choices, for a process to draw from.
    pub(crate) fn draws(&self) -> Arc<dyn Draw> {
        Arc::clone(&self.0) as Arc<dyn Draw>
    }

    /// Whether anything was drawn.
    pub(crate) fn has_drawn(&self) -> bool {
        self.0.taken().ways > 0
    }

    /// What is wrong with what was drawn by then, in that step.
    pub(crate) fn trouble(&self, step: StepId) -> Option<ModelErrorKind> {
        let taken = self.0.taken();
        match taken.large {
            Some(count) => Some(ModelErrorKind::Range(step, count)),
            None => (taken.ways > MOST_WAYS).then_some(ModelErrorKind::Ways(step)),
        }
    }
}

impl Made {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Its holder cannot panic between two changes that belong together.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn choose(&mut self, script: &[u32], count: u32) -> u32 {
        let choice = script.get(self.choices.len()).copied().unwrap_or(0).min(count.saturating_sub(1));
        self.choices.push((choice, count));
        choice
    }
}

impl Draw for Made {
    fn draw(&self, count: u64) -> Option<u32> {
        let mut taken = self.taken();
        // 0 stands for 2^64.
        if !(1..=MOST_VALUES).contains(&count) {
            taken.large = taken.large.or(Some(count));
            return None;
        }
        taken.ways = taken.ways.max(1).saturating_mul(count);
        Some(taken.choose(&self.script, count as u32))
    }
}
