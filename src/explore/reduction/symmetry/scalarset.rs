//! Indices of strands as values: a client puts its own index into a queue, a server gets it from there into a variable and
//! answers the object of that index. Such values are a *scalarset*: they are only handed on, compared with one another, and
//! used to name what belongs to the strand of that index. Where strands change places, so do the values (Ip and Dill, "Better
//! verification through symmetry", 1996).
//!
//! The programs are read without regard to the order of their steps. Only variables of programs that are in no strand, and
//! objects that hold values whole, may hold an index; whatever else is done with one keeps the strands where they are.

use std::collections::{BTreeMap, HashMap};

use super::orbits::{Row, Strands};
use crate::event::{ObjectId, ProcessId, Target};
use crate::explore::base::injected_bugs::{Mutant, mutated};
use crate::explore::base::interner::lasting;
use crate::explore::budget::Pace;
use crate::explore::semantics::program_analysis::{own_element, own_index};
use crate::explore::state_space::StateSpace;
use crate::expression::node::Node;
use crate::expression::operators::Operator;
use crate::expression::{Builtin, Expression};
use crate::objects::Effect;
use crate::objects::contract::operation::VerbId;
use crate::objects::kinds::own::OwnVerb;
use crate::scenario::expectation::{Argument, Expectation, Pattern, PatternTarget};
use crate::scenario::plan::{Fact, Instruction, Operand, OperationPlan, Plan};
use crate::value::Value;

/// What a value can be. A value that is more than one of these is the last of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Class {
    /// Nothing but null.
    #[default]
    Unset,
    /// An index of the strands of that place among the candidates, or null.
    Index(usize),
    Other,
}

/// Where the indices of strands are held as values.
#[derive(Clone, Debug, Default)]
pub(super) struct Holders {
    /// By process, the variables.
    slots: Vec<(ProcessId, Vec<u32>)>,
    objects: Vec<ObjectId>,
}

/// The expressions that pass an index on, or by which a step names an object or process of that index. They are compared by
/// address.
pub(super) type Uses = Vec<*const Expression>;

/// For each of the candidates, where its indices are held and used; none where more is done with them. `output`: whether what
/// processes print counts.
pub(super) fn find(space: &StateSpace<'_>, candidates: &[Strands], output: bool) -> Vec<Option<(Holders, Uses)>> {
    let plan = space.plan;
    if mutated(Mutant::IndexIsNoValue) {
        return vec![Some(Default::default()); candidates.len()];
    }
    let mut analysis = Analysis::new(plan, candidates, output);
    let mut pace = Pace::new(&space.budget);
    loop {
        analysis.changed = false;
        analysis.uses.iter_mut().for_each(Vec::clear);
        for program in 0..plan.programs.len() {
            if pace.spent().is_some() {
                return vec![None; candidates.len()];
            }
            analysis.program(program);
        }
        if !analysis.changed {
            break;
        }
    }
    let holders = analysis.holders();
    let all = holders.into_iter().zip(analysis.uses).zip(candidates).zip(analysis.misused);
    all.map(|(((holders, uses), strands), misused)| {
        let kept = !misused && (holders.is_empty() || holders.are_exchangeable(plan, strands));
        kept.then_some((holders, uses))
    })
    .collect()
}

/// Follows values from step to step, without regard to the order of the steps, until nothing changes.
struct Analysis<'p> {
    plan: &'p Plan,
    candidates: &'p [Strands],
    output: bool,
    /// By program: of which candidate its processes are part.
    strands: Vec<Option<usize>>,
    /// By program and variable.
    slots: Vec<Vec<Class>>,
    /// By object, what messages it can have.
    objects: Vec<Class>,
    /// By candidate.
    uses: Vec<Uses>,
    misused: Vec<bool>,
    changed: bool,
}

impl<'p> Analysis<'p> {
    fn new(plan: &'p Plan, candidates: &'p [Strands], output: bool) -> Self {
        let by_row: HashMap<ProcessId, usize> = (candidates.iter().enumerate())
            .flat_map(|(at, strands)| strands.rows.iter().map(move |row| (at, row)))
            .filter_map(|(at, row)| if let Row::Processes(first) = row { Some((*first, at)) } else { None })
            .collect();
        Self {
            plan,
            candidates,
            output,
            strands: plan.programs.iter().map(|program| by_row.get(&program.first).copied()).collect(),
            slots: plan.programs.iter().map(|program| vec![Class::Unset; program.slots.len()]).collect(),
            objects: vec![Class::Unset; plan.objects.len()],
            uses: vec![Uses::new(); candidates.len()],
            misused: vec![false; candidates.len()],
            changed: false,
        }
    }

    fn misuse(&mut self, class: Class) {
        if let Class::Index(candidate) = class {
            self.misused[candidate] = true;
        }
    }

    /// What is held in one place that takes values of both classes.
    fn join(&mut self, one: Class, other: Class) -> Class {
        match (one, other) {
            (one, other) if one == other => one,
            (Class::Unset, other) | (other, Class::Unset) => other,
            (one, other) => {
                self.misuse(one);
                self.misuse(other);
                Class::Other
            }
        }
    }

    fn give(&mut self, program: usize, slot: u32, class: Class) {
        let before = self.slots[program][slot as usize];
        let after = self.join(before, class);
        self.changed |= after != before;
        self.slots[program][slot as usize] = after;
    }

    fn class(&mut self, program: usize, node: &Node) -> Class {
        match node {
            Node::Constant(Value::Null) => Class::Unset,
            Node::Builtin(Builtin::Index) => self.strands[program].map_or(Class::Other, Class::Index),
            Node::Slot(slot) => self.slots[program][*slot as usize],
            Node::Binary(Operator::Equal | Operator::NotEqual, sides) => {
                let [one, other] = [&sides.0, &sides.1].map(|side| self.class(program, side));
                self.join(one, other);
                Class::Other
            }
            other => {
                other.any_child(&mut |child| {
                    let class = self.class(program, child);
                    self.misuse(class);
                    false
                });
                Class::Other
            }
        }
    }

    /// A value by which something is decided or computed.
    fn reads(&mut self, program: usize, expression: &Expression) {
        let class = self.class(program, expression.node());
        self.misuse(class);
    }

    fn program(&mut self, number: usize) {
        let plan = self.plan;
        let program = &plan.programs[number];
        for (slot, value) in &program.vars {
            let class = self.class(number, value.node());
            self.give(number, *slot, class);
        }
        for instruction in &program.code {
            let other: &[u32] = match instruction {
                Instruction::Set { slot, value, failure, .. } => {
                    let class = self.class(number, value.node());
                    self.give(number, *slot, class);
                    failure.outcome.as_slice()
                }
                Instruction::Unless { condition, .. } => {
                    if !mutated(Mutant::ComparedIndicesAreFree) {
                        self.reads(number, condition);
                    }
                    &[]
                }
                Instruction::Repeat { times, counter, limit, .. } => {
                    self.reads(number, times);
                    &[*counter, *limit]
                }
                Instruction::Next { variable, .. } => variable.as_slice(),
                Instruction::Each { list, counter, items, .. } => {
                    self.reads(number, list);
                    &[*counter, *items]
                }
                Instruction::NextItem { variable, .. } => &[*variable],
                Instruction::Operate(operation) => {
                    self.operation(number, operation);
                    &[]
                }
                Instruction::Jump(_) | Instruction::Return | Instruction::End => &[],
            };
            for slot in other {
                self.give(number, *slot, Class::Other);
            }
        }
    }

    fn operation(&mut self, program: usize, operation: &OperationPlan) {
        let plan = self.plan;
        let effect = |(object, verb): (ObjectId, u8)| plan.kind(object).verbs[verb as usize].effect;
        let on_objects = operation.accessed().next().is_some();
        let puts = on_objects && operation.accessed().all(|one| effect(one) == Effect::Puts);
        let gets = on_objects && operation.accessed().all(|one| effect(one) == Effect::Gets);
        let message = operation.arguments.first().filter(|_| puts);
        let own = own_index(operation).or_else(|| own_element(operation));
        let printed = operation.verb == VerbId::Own(OwnVerb::Print) && !self.output;
        for expression in operation.expressions().filter(|_| !printed) {
            let is = |other: Option<&Expression>| other.is_some_and(|other| std::ptr::eq(expression, other));
            if is(own) {
                continue;
            }
            match self.class(program, expression.node()) {
                Class::Unset | Class::Other => {}
                Class::Index(candidate) if is(message) || self.names(candidate, operation, expression) => {
                    self.uses[candidate].push(expression);
                }
                index @ Class::Index(_) => self.misuse(index),
            }
        }
        let mut result = if gets { Class::Unset } else { Class::Other };
        for (object, _) in operation.accessed() {
            if let Some(message) = message {
                let (before, message) = (self.objects[object as usize], self.class(program, message.node()));
                let after = self.join(before, message);
                self.changed |= after != before;
                self.objects[object as usize] = after;
            } else if gets {
                result = self.join(result, self.objects[object as usize]);
            }
        }
        operation.into.iter().for_each(|slot| self.give(program, *slot, result));
        let other = operation.second.iter().chain(&operation.failure.outcome);
        other.for_each(|slot| self.give(program, *slot, Class::Other));
    }

    /// Whether a step names by a variable the object, element or process of the strand of that index.
    fn names(&self, candidate: usize, operation: &OperationPlan, expression: &Expression) -> bool {
        let strands = &self.candidates[candidate];
        let is = |other: Option<&Expression>| other.is_some_and(|other| std::ptr::eq(expression, other));
        let named = |operand: &Operand| {
            let row = match operand.first {
                Target::Object(first) => Row::Objects(first),
                Target::Process(first) => Row::Processes(first),
                Target::None => return false,
            };
            let by_index = is(operand.index.as_ref()) && operand.count == strands.count && strands.rows.contains(&row);
            let by_element = is(operand.element.as_ref())
                && operand.index.is_none()
                && operand.objects().all(|object| strands.rows.contains(&Row::Elements(object)));
            by_index || by_element
        };
        matches!(expression.node(), Node::Slot(_)) && operation.operands.iter().any(named)
    }

    /// By candidate, what holds its indices.
    fn holders(&mut self) -> Vec<Holders> {
        let mut holders = vec![Holders::default(); self.candidates.len()];
        for (object, class) in (0..).zip(&self.objects) {
            if let Class::Index(candidate) = class {
                holders[*candidate].objects.push(object);
            }
        }
        for (number, program) in self.plan.programs.iter().enumerate() {
            let mut own: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
            for (slot, class) in (0..).zip(&self.slots[number]) {
                if let Class::Index(candidate) = class {
                    own.entry(*candidate).or_default().push(slot);
                }
            }
            for (candidate, slots) in own {
                // In a strand it would be the index of another.
                self.misused[candidate] |= self.strands[number] == Some(candidate);
                holders[candidate].slots.extend(program.range().map(|process| (process, slots.clone())));
            }
        }
        holders
    }
}

impl Holders {
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.objects.is_empty()
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = ProcessId> + '_ {
        self.slots.iter().map(|(process, _)| *process)
    }

    pub(super) fn objects(&self) -> &[ObjectId] {
        &self.objects
    }

    /// Whether strands can change places with the indices that these hold: the objects hold them whole, and nothing that is
    /// expected tells one index from another.
    fn are_exchangeable(&self, plan: &Plan, strands: &Strands) -> bool {
        let whole = |object: &ObjectId| {
            let planned = &plan.objects[*object as usize].object;
            planned.model(&vec![0; planned.ends().len()]).messages().is_some()
                && !strands.rows.iter().any(|row| row.has(*object, strands.count))
        };
        let length = |index: u32| Value::Int(i64::from(index)).message_length();
        self.objects.iter().all(whole)
            && (0..strands.count).all(|index| length(index) == length(0))
            && !plan.facts.iter().any(|fact| self.are_seen_by_fact(plan, fact))
            && !plan.expectations.iter().any(|expectation| self.are_seen_by(plan, expectation))
    }

    /// Whether an expectation could tell one index from another by what these hold.
    fn are_seen_by(&self, plan: &Plan, expectation: &Expectation) -> bool {
        let of_step = expectation
            .step
            .and_then(|step| plan.operation(step))
            .is_some_and(|operation| operation.accessed().any(|(object, _)| self.objects.contains(&object)));
        of_step
            || expectation.arguments.iter().any(|(_, argument, _)| match argument {
                Argument::Patterns(patterns) => patterns.iter().any(|pattern| self.are_matched(plan, pattern)),
                Argument::Objects(named) => {
                    named.iter().flat_map(|named| &named.objects).any(|object| self.objects.contains(object))
                }
                _ => false,
            })
    }

    fn are_seen_by_fact(&self, plan: &Plan, fact: &Fact) -> bool {
        match fact {
            Fact::Count(pattern) => self.are_matched(plan, pattern),
            Fact::Value(group) => {
                let group = &plan.groups[*group];
                (group.first..group.first + group.count.unwrap_or(1)).any(|object| self.objects.contains(&object))
            }
            _ => false,
        }
    }

    /// Whether a pattern can match a step on one of the objects.
    fn are_matched(&self, plan: &Plan, pattern: &Pattern) -> bool {
        self.objects.iter().any(|object| {
            let verb = pattern.verb.as_deref();
            verb.is_none_or(|verb| plan.kind(*object).verb(verb).is_some())
                && match &pattern.target {
                    None => true,
                    Some(PatternTarget::Objects(range, _)) => range.contains(object),
                    Some(PatternTarget::Processes(_) | PatternTarget::Label(_)) => false,
                }
        })
    }
}

/// The indices that the states of the holders have, and the states with other indices: computed once, then looked up.
#[derive(Clone)]
pub(super) struct Carried {
    columns: Vec<Column>,
}

#[derive(Clone)]
struct Column {
    /// Where it stands in a state.
    place: usize,
    holder: Holder,
    /// By number, the strands whose indices it holds, in order.
    held: HashMap<u32, Box<[u32]>>,
    /// By number and order: the number with the strands in that order.
    renamed: HashMap<(u32, Box<[u32]>), u32>,
}

#[derive(Clone)]
enum Holder {
    Process(ProcessId, Vec<u32>),
    Object(ObjectId),
}

impl Carried {
    pub(super) fn new(space: &StateSpace<'_>, holders: &Holders) -> Self {
        let processes = space.plan.processes.len();
        let column = |place: usize, holder| Column { place, holder, held: HashMap::new(), renamed: HashMap::new() };
        let mut columns: Vec<Column> = (holders.slots.iter())
            .map(|(process, slots)| column(*process as usize, Holder::Process(*process, slots.clone())))
            .collect();
        columns
            .extend(holders.objects.iter().map(|object| column(processes + *object as usize, Holder::Object(*object))));
        Self { columns }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Writes behind each strand's `width` words in which places its index is held: a bit for each. How many words a strand has
    /// then, of `count`.
    pub(super) fn mark(
        &mut self,
        space: &mut StateSpace<'_>,
        state: &[u32],
        count: usize,
        width: usize,
        keys: &mut Vec<u64>,
    ) -> usize {
        let mut all: Vec<u32> = Vec::new();
        for column in &mut self.columns {
            all.extend(column.held(space, state[column.place]));
        }
        let whole = width + all.len().div_ceil(64);
        keys.resize(count * whole, 0);
        for place in (0..count).rev() {
            keys.copy_within(place * width..(place + 1) * width, place * whole);
            keys[place * whole + width..(place + 1) * whole].fill(0);
        }
        for (bit, strand) in all.iter().enumerate().filter(|(_, strand)| (**strand as usize) < count) {
            keys[*strand as usize * whole + width + bit / 64] |= 1 << (63 - bit % 64);
        }
        whole
    }

    /// Gives every value that is held the place of its strand in that order.
    pub(super) fn rename(&mut self, space: &mut StateSpace<'_>, state: &mut [u32], order: &[u32]) {
        if mutated(Mutant::HeldIndicesStay) {
            return;
        }
        for column in &mut self.columns {
            state[column.place] = column.rename(space, state[column.place], order);
        }
    }
}

impl Column {
    fn held(&mut self, space: &StateSpace<'_>, number: u32) -> Box<[u32]> {
        if let Some(held) = self.held.get(&number) {
            return held.clone();
        }
        let (held, lasts) = lasting(|| match &self.holder {
            Holder::Process(_, slots) => space.held_by_process(number, slots),
            Holder::Object(object) => space.held_by_object(*object, number),
        });
        let held: Box<[u32]> = held.iter().filter_map(Value::as_int).map(|index| index as u32).collect();
        if lasts {
            self.held.insert(number, held.clone());
        }
        held
    }

    fn rename(&mut self, space: &mut StateSpace<'_>, number: u32, order: &[u32]) -> u32 {
        if self.held(space, number).is_empty() {
            return number;
        }
        let key = (number, order.into());
        if let Some(known) = self.renamed.get(&key) {
            return *known;
        }
        let to = |value: &mut Value| {
            if let Some(place) =
                value.as_int().and_then(|index| order.iter().position(|from| i64::from(*from) == index))
            {
                *value = Value::Int(place as i64);
            }
        };
        let (there, lasts) = lasting(|| match &self.holder {
            Holder::Process(process, slots) => space.process_holding(*process, number, slots, &to),
            Holder::Object(object) => space.object_holding(*object, number, &to),
        });
        if lasts {
            self.renamed.insert(key, there);
        }
        there
    }
}
