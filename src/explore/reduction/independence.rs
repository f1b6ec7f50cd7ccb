//! What each process may still do, by its place in the program: which verbs on which objects, whose start and whose
//! end.
//!
//! All of it is found without running anything, and may be more than will ever happen, never less.

use std::collections::HashMap;
use std::sync::Arc;

use crate::event::{ObjectId, ProcessId, Target};
use crate::explore::base::injected_bugs::{Mutant, mutated};
use crate::explore::budget::{Budget, Pace};
use crate::explore::semantics::program_analysis::flow;
use crate::explore::state_space::segment;
use crate::expression::Expression;
use crate::interpreter::Machine;
use crate::objects::Effect;
use crate::objects::contract::operation::Access;
use crate::objects::kinds::process::ProcessVerb;
use crate::scenario::plan::{Instruction, OperationPlan, Plan};

/// Something that a process may do to an object or a process.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Use {
    pub(crate) target: Target,
    pub(crate) access: Access,
    /// Whether it may give up waiting.
    pub(crate) gives_up: bool,
}

/// The verb of a process that ends, having had to do with an object.
const DEPART: u8 = u8::MAX;

impl Use {
    /// An operation on an object.
    pub(crate) fn object(object: ObjectId, access: Access, gives_up: bool) -> Self {
        Self { target: Target::Object(object), access, gives_up }
    }

    /// A process ends, having had to do with the object.
    pub(crate) fn depart(object: ObjectId) -> Self {
        Self::object(object, Access::of(DEPART), false)
    }

    /// Something happens to a process.
    pub(crate) fn process(process: ProcessId, verb: ProcessVerb) -> Self {
        Self { target: Target::Process(process), access: Access::of(verb as u8), gives_up: false }
    }

    /// The object, where it is a verb of the object's kind.
    pub(crate) fn as_object(&self) -> Option<ObjectId> {
        match self.target {
            Target::Object(object) if self.access.verb != DEPART => Some(object),
            _ => None,
        }
    }
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
    /// By process: what its death of a signal does, where a step can kill it.
    deaths: Vec<Set>,
    /// By process: the signals that it can be sent.
    signals: Vec<Set>,
    words: usize,
}

impl Footprints {
    /// `causes`: whether steps get in each other's way too by which of them is a cause of others.
    /// None where the budget is spent before.
    pub(crate) fn new(plan: &Plan, causes: bool, budget: &Arc<Budget>) -> Option<Self> {
        let mut pace = Pace::new(budget);
        let mut futures = Self {
            uses: Vec::new(),
            numbers: HashMap::new(),
            sets: Vec::new(),
            conflicts: Vec::new(),
            enablers: Vec::new(),
            last: Vec::new(),
            deaths: Vec::new(),
            signals: Vec::new(),
            words: 0,
        };
        let mut named = vec![false; plan.processes.len()];
        for (_, processes) in plan.operations().flat_map(OperationPlan::on_processes) {
            named[processes.start as usize..processes.end as usize].fill(true);
        }
        let own: Vec<Vec<Vec<u32>>> =
            (0..).zip(&named).map(|(process, named)| futures.places(plan, process, *named)).collect();
        futures.deaths(plan, &own);
        for (process, places) in own.iter().enumerate() {
            if pace.spent().is_some() {
                return None;
            }
            let set = futures.flow(plan, process as ProcessId, places);
            futures.sets.push(set);
        }
        futures.relate(plan, causes, &mut pace).then_some(futures)
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
        let access = uses.access;
        let same = |other: &Use| {
            let known = other.access;
            (other.target, other.gives_up) == (uses.target, uses.gives_up)
                && (known.verb, known.end) == (access.verb, access.end)
                && (known.element.is_none() || access.element.is_none() || known.element == access.element)
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

    /// What the death of a process of a signal does.
    pub(crate) fn death(&self, process: ProcessId) -> &Set {
        &self.deaths[process as usize]
    }

    /// The signals that a process can be sent.
    pub(crate) fn signals(&self, process: ProcessId) -> &Set {
        &self.signals[process as usize]
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

    /// Notes which signals each process can be sent, and what its death of one does to what it has had to do with: nothing
    /// where there is no such signal. There are no new uses behind it.
    fn deaths(&mut self, plan: &Plan, own: &[Vec<Vec<u32>>]) {
        let mut signals: Vec<Vec<u32>> = vec![Vec::new(); plan.processes.len()];
        for (number, uses) in (0..).zip(&self.uses) {
            if let (Target::Process(process), true) = (uses.target, uses.access.verb == ProcessVerb::Kill as u8) {
                signals[process as usize].push(number);
            }
        }
        let mut deaths: Vec<Vec<u32>> = vec![Vec::new(); plan.processes.len()];
        for (process, death) in deaths.iter_mut().enumerate().filter(|(process, _)| !signals[*process].is_empty()) {
            let used = own[process].iter().flatten();
            let mut met: Vec<ObjectId> = used.filter_map(|number| self.uses[*number as usize].as_object()).collect();
            met.sort_unstable();
            met.dedup();
            death.clone_from(&self.last[process]);
            death.extend(met.into_iter().map(|object| self.take(Use::depart(object))));
        }
        self.words = self.uses.len().div_ceil(64).max(1);
        let set = |numbers: Vec<u32>| {
            let mut set = if numbers.is_empty() { Set::new() } else { self.empty() };
            for number in numbers {
                insert(&mut set, number);
            }
            set
        };
        (self.deaths, self.signals) = (deaths.into_iter().map(set).collect(), signals.into_iter().map(set).collect());
    }

    /// What the instruction at each place may do. `named`: whether a step names the process.
    fn places(&mut self, plan: &Plan, process: ProcessId, named: bool) -> Vec<Vec<u32>> {
        let program = plan.program(process);
        let mut machine = segment(plan, process).machine;
        let mut places: Vec<Vec<u32>> = Vec::with_capacity(program.code.len() + 1);
        let mut met: Vec<ObjectId> = Vec::new();
        for instruction in &program.code {
            let mut uses = Vec::new();
            if let Instruction::Operate(operation) = instruction {
                self.operation(plan, &mut machine, operation, &mut uses);
            }
            met.extend(uses.iter().filter_map(|number| self.uses[*number as usize].as_object()));
            places.push(uses);
        }
        met.sort_unstable();
        met.dedup();
        let mut last = Vec::new();
        if named {
            last.push(self.take(Use::process(process, ProcessVerb::End)));
        }
        // Its end closes the ends that it holds.
        for (object, end) in &plan.processes[process as usize].holds {
            last.push(self.take(match plan.kind(*object).verb_that(Effect::Closes) {
                Some(verb) => Use::object(*object, Access { end: *end, ..Access::of(verb) }, false),
                None => Use::depart(*object),
            }));
        }
        for object in met {
            if plan.objects[object as usize].object.notices_ends() {
                last.push(self.take(Use::depart(object)));
            }
        }
        self.last.push(last);
        places
    }

    fn operation(&mut self, plan: &Plan, machine: &mut Machine<'_>, operation: &OperationPlan, uses: &mut Vec<u32>) {
        let gives_up = operation.timeout.is_some();
        for operand in &operation.operands {
            let mut named = operand.all();
            let constant = |machine: &mut Machine<'_>, index: &Expression| machine.constant(index)?.as_int();
            if let Some(at) = operand.index.as_ref().and_then(|index| constant(machine, index))
                && (0..i64::from(operand.count)).contains(&at)
            {
                (named.first, named.count) = (named.nth(at as u32), 1);
            }
            let element = operand.element.as_ref().and_then(|element| constant(machine, element));
            let element = element.map(|element| element as u32);
            let access = Access { verb: operand.verb, end: operand.end, element, given: operation.given };
            for target in named.each() {
                uses.push(self.take(Use { target, access, gives_up }));
                if let Target::Object(object) = target {
                    for (other, verb) in plan.objects[object as usize].object.touches(operand.verb) {
                        uses.push(self.take(Use::object(other, Access::by_another(verb), gives_up)));
                    }
                }
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

    /// Compares all uses. Whether the budget was enough for it.
    fn relate(&mut self, plan: &Plan, causes: bool, pace: &mut Pace) -> bool {
        let count = self.uses.len();
        // Only what is about the same has to do with one another.
        let mut by_target: HashMap<Target, Vec<usize>> = HashMap::new();
        for (number, uses) in self.uses.iter().enumerate() {
            by_target.entry(uses.target).or_default().push(number);
        }
        for first in 0..count {
            if pace.spent().is_some() {
                return false;
            }
            self.conflicts.push(self.empty());
            self.enablers.push(self.empty());
            for second in by_target[&self.uses[first].target].iter().copied() {
                let (one, other) = (self.uses[first], self.uses[second]);
                if conflict(plan, one, other) || causes && tells_order(plan, one, other) {
                    insert(&mut self.conflicts[first], second as u32);
                }
                if enables(plan, other, one) && !mutated(Mutant::NoEnablers) {
                    insert(&mut self.enablers[first], second as u32);
                }
            }
        }
        true
    }
}

/// Whether two uses of different processes cannot change places. What may give up changes places with nothing that could
/// let it go on.
pub(crate) fn conflict(plan: &Plan, first: Use, second: Use) -> bool {
    let gives_up = |uses: Use| uses.gives_up && !mutated(Mutant::GivingUpCommutes);
    if gives_up(first) && enables(plan, second, first) || gives_up(second) && enables(plan, first, second) {
        return true;
    }
    let (one, two) = (first.access, second.access);
    first.target == second.target
        && match first.target {
            Target::Object(_) if one.verb == DEPART || two.verb == DEPART => true,
            Target::Object(object) => !plan.objects[object as usize].object.commute(one, two),
            Target::Process(_) => !ProcessVerb::of(one.verb).commute(ProcessVerb::of(two.verb)),
            Target::None => false,
        }
}

/// Whether it makes a difference to what happened before what which of two uses comes first.
pub(crate) fn tells_order(plan: &Plan, first: Use, second: Use) -> bool {
    match (first.as_object(), second.as_object()) {
        (Some(object), Some(other)) => {
            object == other && plan.objects[object as usize].object.tells_order(first.access, second.access)
        }
        // The first signal that ends a process is the cause of its end.
        (None, None) => {
            let kills = |one: Use| one.access.verb == ProcessVerb::Kill as u8;
            let same = matches!(first.target, Target::Process(_)) && first.target == second.target;
            same && kills(first) && kills(second)
        }
        _ => false,
    }
}

/// Whether one use could unblock another that waits.
pub(crate) fn enables(plan: &Plan, able: Use, waiting: Use) -> bool {
    if able.target != waiting.target {
        return false;
    }
    let (with, access) = (able.access, waiting.access);
    match able.target {
        Target::Process(_) => ProcessVerb::of(with.verb).enables(ProcessVerb::of(access.verb)),
        Target::Object(_) if access.verb == DEPART => false,
        Target::Object(_) if with.verb == DEPART => true,
        Target::Object(object) => {
            let kind = plan.kind(object);
            let planned = &plan.objects[object as usize].object;
            let end = planned.ends().get(access.end as usize).copied();
            let able = &kind.verbs[with.verb as usize];
            let enablers = planned.enablers(&kind.verbs[access.verb as usize], end, None);
            let on = planned.ends().get(with.end as usize);
            let closes = on.filter(|_| able.effect == Effect::Closes);
            enablers.has(able.name, on.copied()) || closes.is_some_and(|end| enablers.closing.contains(end))
        }
        Target::None => false,
    }
}

/// The numbers of a set.
pub(crate) fn members(set: &Set) -> impl Iterator<Item = u32> + '_ {
    let bits = |word: u64| (0..64).filter(move |bit| word & 1 << bit != 0);
    (0..).zip(set).flat_map(move |(at, word)| bits(*word).map(move |bit| at * 64 + bit))
}

pub(crate) fn insert(set: &mut Set, number: u32) {
    set[number as usize / 64] |= 1 << (number % 64);
}

/// Whether two sets have something in common.
pub(crate) fn meet(one: &Set, other: &Set) -> bool {
    one.iter().zip(other).any(|(one, other)| one & other != 0)
}
