//! What each process may still do, by its place in the program: which verbs on which objects, whose start and whose
//! end.
//!
//! All of it is found without running anything, and may be more than will ever happen, never less.

use std::collections::HashMap;

use crate::event::{ObjectId, ProcessId};
use crate::explore::base::injected_bugs::{Mutant, mutated};
use crate::explore::semantics::program_analysis::flow;
use crate::explore::state_space::segment;
use crate::interpreter::Machine;
use crate::objects::Effect;
use crate::objects::contract::model::Access;
use crate::scenario::plan::{Action, Instruction, ObjectAction, Operation, Plan, Processes};
use crate::value::Value;

/// Something that a process may do.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Use {
    /// A step on an object; whether it may give up waiting.
    Object(ObjectId, Access, bool),
    /// It ends, having had to do with the object.
    Leave(ObjectId),
    /// It starts a process.
    Start(ProcessId),
    /// It waits for the end of a process; whether it may give up.
    Join(ProcessId, bool),
    /// It asks how a process is.
    Status(ProcessId),
    End(ProcessId),
}

/// A set of uses, by their numbers.
pub(crate) type Set = Vec<u64>;

/// What all processes may do.
#[derive(Debug)]
pub(crate) struct Footprints {
    pub(crate) uses: Vec<Use>,
    numbers: HashMap<Use, u32>,
    /// By process, by place.
    sets: Vec<Vec<Set>>,
    /// By use: those of other processes that it cannot change places with.
    conflicts: Vec<Set>,
    /// By use: those that could unblock it where it waits.
    enablers: Vec<Set>,
    /// By process: what its end does.
    last: Vec<Vec<u32>>,
    words: usize,
}

impl Footprints {
    /// `causes`: whether steps get in each other's way too by which of them is a cause of others.
    pub(crate) fn new(plan: &Plan, causes: bool) -> Self {
        let mut futures = Self {
            uses: Vec::new(),
            numbers: HashMap::new(),
            sets: Vec::new(),
            conflicts: Vec::new(),
            enablers: Vec::new(),
            last: Vec::new(),
            words: 0,
        };
        let own: Vec<Vec<Vec<u32>>> =
            (0..plan.processes.len() as ProcessId).map(|process| futures.places(plan, process)).collect();
        futures.words = futures.uses.len().div_ceil(64).max(1);
        for (process, places) in own.iter().enumerate() {
            let set = futures.flow(plan, process as ProcessId, places);
            futures.sets.push(set);
        }
        futures.relate(plan, causes);
        futures
    }

    /// What a process may do that stands at that place.
    pub(crate) fn of(&self, process: ProcessId, place: usize) -> &Set {
        &self.sets[process as usize][place]
    }

    /// The number of a use. Those that no process has have none.
    pub(crate) fn number(&self, uses: Use) -> Option<u32> {
        self.numbers.get(&uses).copied()
    }

    /// The numbers of the uses that stand for one that is known better now than it was beforehand: its element, which
    /// of its arguments are null.
    pub(crate) fn alike(&self, uses: Use) -> Vec<u32> {
        let Use::Object(object, access, fails) = uses else { return self.number(uses).into_iter().collect() };
        let same = |other: &Use| match other {
            Use::Object(id, known, may) => {
                *id == object
                    && *may == fails
                    && (known.verb, known.end) == (access.verb, access.end)
                    && (known.element.is_none() || access.element.is_none() || known.element == access.element)
            }
            _ => false,
        };
        (0..self.uses.len()).filter(|at| same(&self.uses[*at])).map(|at| at as u32).collect()
    }

    /// The uses that cannot change places with one.
    pub(crate) fn conflicts(&self, uses: u32) -> &Set {
        &self.conflicts[uses as usize]
    }

    /// The uses that could unblock one.
    pub(crate) fn enablers(&self, uses: u32) -> &Set {
        &self.enablers[uses as usize]
    }

    /// What the end of a process does.
    pub(crate) fn last(&self, process: ProcessId) -> &[u32] {
        &self.last[process as usize]
    }

    pub(crate) fn empty(&self) -> Set {
        vec![0; self.words]
    }

    fn take(&mut self, uses: Use) -> u32 {
        let list = &mut self.uses;
        *self.numbers.entry(uses).or_insert_with(|| {
            list.push(uses);
            list.len() as u32 - 1
        })
    }

    /// What the instruction at each place may do.
    fn places(&mut self, plan: &Plan, process: ProcessId) -> Vec<Vec<u32>> {
        let program = plan.program(process);
        let mut machine = segment(plan, process).machine;
        let mut places: Vec<Vec<u32>> = Vec::with_capacity(program.code.len() + 1);
        let mut met: Vec<ObjectId> = Vec::new();
        for instruction in &program.code {
            let mut uses = Vec::new();
            if let Instruction::Operate(operation) = instruction {
                self.operation(plan, &mut machine, operation, &mut uses);
            }
            met.extend(uses.iter().filter_map(|number| match self.uses[*number as usize] {
                Use::Object(object, ..) => Some(object),
                _ => None,
            }));
            places.push(uses);
        }
        met.sort_unstable();
        met.dedup();
        let mut last = vec![self.take(Use::End(process))];
        // Its end releases the ends that it holds, as closing them does.
        for (object, end) in &plan.processes[process as usize].holds {
            last.push(self.take(match plan.kind(*object).verb_that(Effect::Closes) {
                Some(verb) => {
                    let access = Access { verb, end: *end, element: None, given: 0 };
                    Use::Object(*object, access, false)
                }
                None => Use::Leave(*object),
            }));
        }
        for object in met {
            if plan.objects[object as usize].object.notices_ends() {
                last.push(self.take(Use::Leave(object)));
            }
        }
        self.last.push(last);
        places
    }

    fn operation(&mut self, plan: &Plan, machine: &mut Machine<'_>, operation: &Operation, uses: &mut Vec<u32>) {
        let fails = operation.timeout.is_some();
        let mut each = |futures: &mut Self, processes: &Processes, make: &dyn Fn(ProcessId) -> Use| {
            for process in named(machine, processes) {
                uses.push(futures.take(make(process)));
            }
        };
        match &operation.action {
            Action::Object(action) => self.object(plan, machine, action, fails, uses),
            Action::Start(processes) => each(self, processes, &Use::Start),
            Action::Join(processes) => each(self, processes, &|process| Use::Join(process, fails)),
            Action::Status(processes) => each(self, processes, &Use::Status),
            _ => {}
        }
    }

    fn object(
        &mut self,
        plan: &Plan,
        machine: &mut Machine<'_>,
        action: &ObjectAction,
        fails: bool,
        uses: &mut Vec<u32>,
    ) {
        let objects = match &action.index {
            None => action.objects(),
            Some((count, index)) => match machine.constant(index).and_then(|index| index.as_int()) {
                Some(at) if (0..i64::from(*count)).contains(&at) => {
                    action.first + at as u32..action.first + at as u32 + 1
                }
                _ => action.objects(),
            },
        };
        let element =
            action.element.as_ref().and_then(|element| machine.constant(element)).and_then(|value| value.as_int());
        let element = element.map(|element| element as u32);
        let given = action.arguments.iter().enumerate().filter(|(_, given)| given.as_constant() != Some(&Value::Null));
        let given = given.fold(0, |bits, (at, _)| bits | 1 << at);
        let access = Access { verb: action.verb, end: action.end, element, given };
        for object in objects {
            uses.push(self.take(Use::Object(object, access, fails)));
            for (other, verb) in plan.objects[object as usize].object.touches(action.verb) {
                uses.push(self.take(Use::Object(other, Access::by_another(verb), fails)));
            }
        }
    }

    /// Adds up, for each place, what is done there and behind it.
    fn flow(&self, plan: &Plan, process: ProcessId, places: &[Vec<u32>]) -> Vec<Set> {
        let code = &plan.program(process).code;
        let mut sets = vec![self.empty(); code.len()];
        let last = &self.last[process as usize];
        for (place, set) in sets.iter_mut().enumerate() {
            for number in places[place].iter().chain(last) {
                insert(set, *number);
            }
        }
        let mut changed = true;
        while changed {
            changed = false;
            for place in (0..code.len()).rev() {
                for next in flow(&code[place], place) {
                    let Some(behind) = sets.get(next).cloned() else { continue };
                    for (word, more) in sets[place].iter_mut().zip(&behind) {
                        changed |= more & !*word != 0;
                        *word |= more;
                    }
                }
            }
        }
        sets
    }

    fn relate(&mut self, plan: &Plan, causes: bool) {
        let count = self.uses.len();
        self.conflicts = vec![self.empty(); count];
        self.enablers = vec![self.empty(); count];
        for first in 0..count {
            for second in 0..count {
                let (one, other) = (self.uses[first], self.uses[second]);
                if conflict(plan, one, other) || causes && tells_order(plan, one, other) {
                    insert(&mut self.conflicts[first], second as u32);
                }
                if enables(plan, other, one) && !mutated(Mutant::NoEnablers) {
                    insert(&mut self.enablers[first], second as u32);
                }
            }
        }
    }
}

/// The processes that a step names.
fn named(machine: &mut Machine<'_>, processes: &Processes) -> std::ops::Range<ProcessId> {
    let all = processes.range();
    let Some(index) = &processes.index else { return all };
    match machine.constant(index).and_then(|index| index.as_int()) {
        Some(at) if (0..i64::from(processes.count)).contains(&at) => all.start + at as u32..all.start + at as u32 + 1,
        _ => all,
    }
}

/// Whether two uses of different processes cannot change places. What may give up changes places with nothing that
/// could unblock it.
pub(crate) fn conflict(plan: &Plan, first: Use, second: Use) -> bool {
    let gives_up =
        |uses: Use| matches!(uses, Use::Object(_, _, true) | Use::Join(_, true)) && !mutated(Mutant::GivingUpCommutes);
    if gives_up(first) && enables(plan, second, first) || gives_up(second) && enables(plan, first, second) {
        return true;
    }
    match (first, second) {
        (Use::Object(object, one, _), Use::Object(other, two, _)) => {
            object == other && !plan.objects[object as usize].object.commute(one, two)
        }
        (Use::Object(object, ..) | Use::Leave(object), Use::Leave(other))
        | (Use::Leave(object), Use::Object(other, ..)) => object == other,
        (Use::Start(one), Use::Start(other) | Use::Status(other)) | (Use::Status(one), Use::Start(other)) => {
            one == other
        }
        (Use::Status(one), Use::End(other)) | (Use::End(one), Use::Status(other)) => one == other,
        _ => false,
    }
}

/// Whether it makes a difference to what happened before what which of two uses comes first.
pub(crate) fn tells_order(plan: &Plan, first: Use, second: Use) -> bool {
    match (first, second) {
        (Use::Object(object, one, _), Use::Object(other, two, _)) => {
            object == other && plan.objects[object as usize].object.tells_order(one, two)
        }
        _ => false,
    }
}

/// Whether one use could unblock another that waits.
pub(crate) fn enables(plan: &Plan, able: Use, waiting: Use) -> bool {
    match (able, waiting) {
        (Use::End(process), Use::Join(awaited, _)) => process == awaited,
        (Use::Leave(object), Use::Object(other, ..)) => object == other,
        (Use::Object(object, with, _), Use::Object(other, access, _)) if object == other => {
            let kind = plan.kind(object);
            let planned = &plan.objects[object as usize].object;
            let end = planned.ends().get(access.end as usize).copied();
            let able = &kind.verbs[with.verb as usize];
            let enablers = planned.enablers(&kind.verbs[access.verb as usize], end, None);
            let closes = planned.ends().get(with.end as usize).filter(|_| able.effect == Effect::Closes);
            enablers.verbs.contains(&able.name) || closes.is_some_and(|end| enablers.closing.contains(end))
        }
        _ => false,
    }
}

pub(crate) fn insert(set: &mut Set, number: u32) {
    set[number as usize / 64] |= 1 << (number % 64);
}

/// Whether two sets have something in common.
pub(crate) fn meet(one: &Set, other: &Set) -> bool {
    one.iter().zip(other).any(|(one, other)| one & other != 0)
}
