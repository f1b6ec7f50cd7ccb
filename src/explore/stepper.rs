//! One execution of the model, step by step, each chosen from those that can be taken, with a way back.

use super::analysis::prospects::{Bounds, Prospect, Prospects};
use super::counterexample::orders;
use super::execution::concretise::{Lost, Told, tell};
use super::execution::guided::{Why, find};
use super::semantics::choice_point::step_of;
use super::semantics::process_state::Stage;
use super::semantics::transition::{Kind, ModelError, Standing, Step};
use super::state_space::{StateSpace, Transition, is_over};
use crate::event::{ObjectId, ProcessId, StepId};
use crate::scenario::plan::Instruction;
use crate::schedule::Order;
use crate::value::Value;

/// An execution that is chosen step by step.
pub struct Stepper<'s, 'p> {
    space: &'s mut StateSpace<'p>,
    state: Vec<u32>,
    /// The states before, from the first on: one for each step.
    before: Vec<Vec<u32>>,
    path: Vec<Step>,
    /// The steps that can be taken now.
    moves: Vec<Transition>,
    /// What states can lead to, where that was looked at.
    prospects: Option<Prospects>,
}

/// A process that can take no step now.
#[derive(Clone, Debug)]
pub struct Standstill {
    pub process: ProcessId,
    pub why: Why,
}

impl<'s, 'p> Stepper<'s, 'p> {
    /// # Errors
    /// A process that the model cannot execute.
    pub fn new(space: &'s mut StateSpace<'p>) -> Result<Self, ModelError> {
        let state = space.initial()?;
        let mut stepper =
            Self { space, state, before: Vec::new(), path: Vec::new(), moves: Vec::new(), prospects: None };
        stepper.look()?;
        Ok(stepper)
    }

    /// Finds out what the choices can lead to, from here on; says whether that is within the bounds. `fails` says whether an
    /// execution that is over fails.
    ///
    /// # Errors
    /// A process that the model cannot execute.
    pub fn look_ahead(
        &mut self,
        bounds: Bounds,
        fails: &mut dyn FnMut(&StateSpace<'_>, &[Step]) -> bool,
    ) -> Result<bool, ModelError> {
        self.prospects = Prospects::new(self.space, bounds, fails)?;
        self.look()?;
        Ok(self.prospects.is_some())
    }

    /// What one of the choices can lead to, by its place; none where that is not known.
    ///
    /// # Errors
    /// A process that the model cannot execute.
    pub fn prospect(&mut self, choice: usize) -> Result<Option<Prospect>, ModelError> {
        if self.prospects.is_none() {
            return Ok(None);
        }
        let state = self.after(choice)?;
        Ok(self.prospects.as_ref().and_then(|prospects| prospects.of(&state)))
    }

    /// The present state, which is the same where the same can happen.
    pub fn state(&self) -> &[u32] {
        &self.state
    }

    fn look(&mut self) -> Result<(), ModelError> {
        self.space.moves(&self.state, &mut self.moves)
    }

    /// The steps that can be taken now.
    pub fn choices(&self) -> Vec<Step> {
        self.moves.iter().map(|step| self.space.step(*step)).collect()
    }

    /// The steps so far.
    pub fn path(&self) -> &[Step] {
        &self.path
    }

    /// Whether nothing can happen any more but from outside.
    pub fn is_over(&self) -> bool {
        is_over(&self.moves)
    }

    /// Takes one of the choices, by its place.
    ///
    /// # Errors
    /// A process that the model cannot execute.
    pub fn take(&mut self, choice: usize) -> Result<(), ModelError> {
        let step = self.moves[choice];
        self.path.push(self.space.step(step));
        self.before.push(self.state.clone());
        self.space.take(&mut self.state, step)?;
        self.look()
    }

    /// Takes back the last step; says whether there was one.
    ///
    /// # Errors
    /// A process that the model cannot execute.
    pub fn undo(&mut self) -> Result<bool, ModelError> {
        let Some(before) = self.before.pop() else { return Ok(false) };
        self.path.pop();
        self.state = before;
        self.look()?;
        Ok(true)
    }

    /// Takes the steps of these places, from the first state on.
    ///
    /// # Errors
    /// A process that the model cannot execute.
    pub fn go(&mut self, choices: &[usize]) -> Result<(), ModelError> {
        if let Some(first) = self.before.first().cloned() {
            self.state = first;
            self.before.clear();
            self.path.clear();
            self.look()?;
        }
        choices.iter().try_for_each(|choice| self.take(*choice))
    }

    /// The state behind one of the choices, by its place.
    ///
    /// # Errors
    /// A process that the model cannot execute.
    pub fn after(&mut self, choice: usize) -> Result<Vec<u32>, ModelError> {
        let mut state = self.state.clone();
        self.space.take(&mut state, self.moves[choice])?;
        Ok(state)
    }

    /// What the words for a choice depend on that leads to the state `after`: where its process stands, what it names and what it
    /// changes.
    pub fn depends_on(&self, choice: &Step, after: &[u32]) -> Vec<u32> {
        let plan = self.space.plan;
        let mut key = vec![choice.process, choice.kind as u32, choice.choices.len() as u32];
        key.extend(&choice.choices);
        let mut columns: Vec<usize> = (0..after.len()).filter(|at| after[*at] != self.state[*at]).collect();
        if choice.kind != Kind::Tick {
            columns.push(choice.process as usize);
            let segment = self.space.segment_of(self.state[choice.process as usize]);
            if let Instruction::Operate(operation) = segment.machine.instruction() {
                for (object, verb) in operation.accessed() {
                    let touched = plan.objects[object as usize].object.touches(verb);
                    let objects = touched.into_iter().map(|(other, _)| other).chain([object]);
                    columns.extend(objects.map(|object| plan.processes.len() + object as usize));
                }
                columns
                    .extend(operation.on_processes().into_iter().flat_map(|(_, all)| all).map(|other| other as usize));
            }
        }
        columns.sort_unstable();
        columns.dedup();
        key.extend(columns.iter().flat_map(|at| [*at as u32, self.state[*at], after[*at]]));
        key
    }

    /// The execution so far.
    ///
    /// # Errors
    /// A step that cannot be taken where it stands.
    pub fn told(&self) -> Result<Told, Lost> {
        tell(self.space, &self.path)
    }

    /// The execution so far and one of the choices.
    ///
    /// # Errors
    /// A step that cannot be taken where it stands.
    pub fn foretold(&self, choice: &Step) -> Result<Told, Lost> {
        let mut path = self.path.clone();
        path.push(choice.clone());
        tell(self.space, &path)
    }

    /// The schedule of the execution so far, which is `told`.
    pub fn orders(&self, told: &Told) -> Vec<Order> {
        orders(self.space, &self.path, told)
    }

    /// The schedule of the execution so far and one of the choices, both of which are `told`.
    pub fn orders_with(&self, choice: &Step, told: &Told) -> Vec<Order> {
        let mut path = self.path.clone();
        path.push(choice.clone());
        orders(self.space, &path, told)
    }

    /// The step that a running process stands at.
    pub fn step_of(&self, process: ProcessId) -> Option<StepId> {
        let segment = self.space.segment_of(self.state()[process as usize]);
        let step = step_of(segment.machine.instruction());
        (segment.stage == Stage::Running && step != StepId::MAX).then_some(step)
    }

    /// The processes that can take no step now, with the reason.
    pub fn standstills(&self, told: &Told) -> Vec<Standstill> {
        let own = |process| {
            let moves = self.moves.iter().filter(|step| !matches!(step.kind, Kind::Tick | Kind::Kill | Kind::Wake));
            moves.filter(move |step| step.process == process).count()
        };
        let processes = 0..self.space.plan.processes.len() as ProcessId;
        let waiting = told.trace.end.doing().unwrap_or(&told.trace.stuck);
        processes
            .filter(|process| own(*process) == 0)
            .filter_map(|process| {
                let why = match self.space.standing(self.state(), process) {
                    Standing::Ended => Why::Ended,
                    Standing::Stopped => Why::Stopped,
                    Standing::NotBegun => Why::NotBegun,
                    Standing::Timed if self.moves.iter().all(|step| step.kind == Kind::Tick) => return None,
                    Standing::Timed => Why::Sleeps { others: Vec::new() },
                    Standing::Waits => find(waiting, process)?,
                };
                Some(Standstill { process, why })
            })
            .collect()
    }

    /// The variables of a process that it can still read, with their values.
    pub fn variables(&self, process: ProcessId) -> Vec<(String, Value)> {
        let segment = self.space.segment_of(self.state()[process as usize]);
        if segment.stage != Stage::Running {
            return Vec::new();
        }
        let names = &self.space.plan.program(process).slots;
        let values = names.iter().zip(segment.machine.slots());
        let named = values.filter(|(name, value)| !name.starts_with('$') && **value != Value::Null);
        named.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The value of an object, and how much is in it, as state expressions have them.
    pub fn object(&self, object: ObjectId) -> (Value, Option<i64>) {
        let names = self.space.plan.process_names();
        let (model, shares) = self.space.object_in(self.state(), object);
        (model.value(&shares, &names), model.size(&shares))
    }
}
