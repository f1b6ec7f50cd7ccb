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
use crate::explore::semantics::program_analysis::{own_element, own_index};
use crate::explore::state_space::StateSpace;
use crate::expression::node::Node;
use crate::expression::operators::Operator;
use crate::expression::{Builtin, Expression};
use crate::objects::Effect;
use crate::objects::contract::operation::VerbId;
use crate::objects::kinds::own::OwnVerb;
use crate::scenario::expectation::{Argument, Expectation, Pattern, PatternTarget};
use crate::scenario::plan::{Fact, Instruction, OperationPlan, Plan};
use crate::value::Value;

/// What a value can be.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Class {
    /// Nothing but null.
    #[default]
    Unset,
    /// Anything but an index of a strand.
    Plain,
    /// An index of a strand, or null.
    Index,
    /// It depends on an index, and is none.
    Mixed,
}

impl Class {
    fn join(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Unset, other) | (other, Self::Unset) => other,
            _ => Self::Mixed,
        }
    }
}

/// Where the indices of strands are held as values.
#[derive(Clone, Debug, Default)]
pub(super) struct Holders {
    /// By process, the variables.
    slots: Vec<(ProcessId, Vec<u32>)>,
    objects: Vec<ObjectId>,
}

/// The expressions by which steps hand an index on, or name what belongs to the strand of that index. They are told apart by
/// where they stand.
pub(super) type Uses = Vec<*const Expression>;

/// Where the indices of strands are held and used; none where more is done with them. `output`: whether what processes print
/// counts.
pub(super) fn find(space: &StateSpace<'_>, strands: &Strands, output: bool) -> Option<(Holders, Uses)> {
    let plan = space.plan;
    if mutated(Mutant::IndexIsNoValue) {
        return Some((Holders::default(), Uses::new()));
    }
    let mut analysis = Analysis { plan, strands, slots: BTreeMap::new(), objects: BTreeMap::new() };
    while analysis.flow() {}
    let index = |class: &Class| *class == Class::Index;
    if analysis.slots.values().chain(analysis.objects.values()).any(|class| *class == Class::Mixed) {
        return None;
    }
    let uses = analysis.uses(output)?;
    let mut holders = Holders::default();
    for (process, planned) in (0..).zip(&plan.processes) {
        let own = analysis.slots.iter().filter(|((program, _), class)| *program == planned.program && index(class));
        let own: Vec<u32> = own.map(|((_, slot), _)| *slot).collect();
        if !own.is_empty() && analysis.is_strand(planned.program) {
            return None;
        }
        if !own.is_empty() {
            holders.slots.push((process, own));
        }
    }
    holders.objects = analysis.objects.iter().filter(|(_, class)| index(class)).map(|(object, _)| *object).collect();
    let holds = |object: &ObjectId| {
        let planned = &plan.objects[*object as usize].object;
        let whole = planned.model(&vec![0; planned.ends().len()]).messages().is_some();
        whole && !strands.rows.iter().any(|row| row.has(*object, strands.count))
    };
    let length = |index: u32| Value::Int(i64::from(index)).message_length();
    let alike = || (0..strands.count).all(|index| length(index) == length(0));
    let told = || {
        let facts = plan.facts.iter().any(|fact| holders.are_told_by_fact(plan, fact));
        facts || plan.expectations.iter().any(|expectation| holders.are_told_by(plan, expectation))
    };
    (holders.is_empty() || holders.objects.iter().all(holds) && alike() && !told()).then_some((holders, uses))
}

/// What the values of variables and messages can be.
struct Analysis<'p> {
    plan: &'p Plan,
    strands: &'p Strands,
    /// By program and variable.
    slots: BTreeMap<(usize, u32), Class>,
    objects: BTreeMap<ObjectId, Class>,
}

impl Analysis<'_> {
    /// Whether a program's processes are part of the strands.
    fn is_strand(&self, program: usize) -> bool {
        self.strands.rows.contains(&Row::Processes(self.plan.programs[program].first))
    }

    fn class(&self, program: usize, expression: &Expression) -> Class {
        self.class_of(program, expression.node())
    }

    fn class_of(&self, program: usize, node: &Node) -> Class {
        match node {
            Node::Constant(Value::Null) => Class::Unset,
            Node::Builtin(Builtin::Index) if self.is_strand(program) => Class::Index,
            Node::Slot(slot) => self.slots.get(&(program, *slot)).copied().unwrap_or_default(),
            Node::Binary(Operator::Equal | Operator::NotEqual, sides)
                if [&sides.0, &sides.1]
                    .iter()
                    .all(|side| matches!(self.class_of(program, side), Class::Index | Class::Unset)) =>
            {
                Class::Plain
            }
            other => {
                let tells = |child: &Node| matches!(self.class_of(program, child), Class::Index | Class::Mixed);
                if other.any_child(&mut |child| tells(child)) { Class::Mixed } else { Class::Plain }
            }
        }
    }

    /// Follows each step once. Whether that has changed anything.
    fn flow(&mut self) -> bool {
        let mut changed = false;
        let plan = self.plan;
        for (number, program) in plan.programs.iter().enumerate() {
            for (slot, value) in &program.vars {
                changed |= self.give(number, *slot, self.class(number, value));
            }
            for instruction in &program.code {
                match instruction {
                    Instruction::Set { slot, value, failure, .. } => {
                        changed |= self.give(number, *slot, self.class(number, value));
                        changed |= failure.outcome.is_some_and(|slot| self.give(number, slot, Class::Plain));
                    }
                    Instruction::Repeat { counter, limit, .. } => {
                        changed |= self.give(number, *counter, Class::Plain) | self.give(number, *limit, Class::Plain);
                    }
                    Instruction::Next { variable, .. } => {
                        changed |= variable.is_some_and(|slot| self.give(number, slot, Class::Plain));
                    }
                    Instruction::Each { counter, items, .. } => {
                        changed |= self.give(number, *counter, Class::Plain) | self.give(number, *items, Class::Plain);
                    }
                    Instruction::NextItem { variable, .. } => changed |= self.give(number, *variable, Class::Plain),
                    Instruction::Operate(operation) => changed |= self.operate(number, operation),
                    Instruction::Jump(_) | Instruction::Unless { .. } | Instruction::Return | Instruction::End => {}
                }
            }
        }
        changed
    }

    fn operate(&mut self, program: usize, operation: &OperationPlan) -> bool {
        let mut result = Class::Unset;
        let mut changed = false;
        for (object, verb) in operation.accessed() {
            match self.plan.kind(object).verbs[verb as usize].effect {
                Effect::Puts => {
                    let message = self.class(program, &operation.arguments[0]);
                    let held = self.objects.entry(object).or_default();
                    changed |= held.join(message) != *held;
                    *held = held.join(message);
                    result = result.join(Class::Plain);
                }
                Effect::Gets => result = result.join(self.objects.get(&object).copied().unwrap_or_default()),
                _ => result = result.join(Class::Plain),
            }
        }
        if operation.operands.iter().all(|operand| operand.objects().is_empty()) {
            result = Class::Plain;
        }
        let other = operation.second.into_iter().chain(operation.failure.outcome);
        for slot in other.collect::<Vec<_>>() {
            changed |= self.give(program, slot, Class::Plain);
        }
        changed | operation.into.is_some_and(|slot| self.give(program, slot, result))
    }

    fn give(&mut self, program: usize, slot: u32, class: Class) -> bool {
        let before = self.slots.entry((program, slot)).or_default();
        let after = before.join(class);
        std::mem::replace(before, after) != after
    }

    /// The expressions that hand an index on or name by one; none where another depends on one.
    fn uses(&self, output: bool) -> Option<Uses> {
        let mut uses = Uses::new();
        for (number, program) in self.plan.programs.iter().enumerate() {
            let plain = |expression: &Expression| matches!(self.class(number, expression), Class::Plain | Class::Unset);
            for instruction in &program.code {
                match instruction {
                    Instruction::Operate(operation) => self.operation(number, operation, output, &mut uses)?,
                    Instruction::Unless { condition: read, .. }
                    | Instruction::Repeat { times: read, .. }
                    | Instruction::Each { list: read, .. }
                        if !plain(read) && !mutated(Mutant::ComparedIndicesAreFree) =>
                    {
                        return None;
                    }
                    // What a variable holds has been followed.
                    _ => {}
                }
            }
        }
        Some(uses)
    }

    fn operation(&self, program: usize, operation: &OperationPlan, output: bool, uses: &mut Uses) -> Option<()> {
        let own = [own_index(operation), own_element(operation)].map(|own| own.map(std::ptr::from_ref));
        let puts = operation
            .accessed()
            .all(|(object, verb)| self.plan.kind(object).verbs[verb as usize].effect == Effect::Puts);
        let carried = operation.arguments.first().filter(|_| puts && operation.accessed().next().is_some());
        let printed = operation.verb == VerbId::Own(OwnVerb::Print) && !output;
        for expression in operation.expressions().filter(|_| !printed) {
            let here = std::ptr::from_ref(expression);
            match self.class(program, expression) {
                _ if own.contains(&Some(here)) => {}
                Class::Plain | Class::Unset => {}
                Class::Mixed => return None,
                Class::Index => {
                    let is = |other: Option<&Expression>| other.is_some_and(|other| std::ptr::eq(here, other));
                    let names = operation.operands.iter().any(|operand| {
                        let rows = &self.strands.rows;
                        let variable = matches!(expression.node(), Node::Slot(_));
                        let of_row = match operand.first {
                            Target::Object(first) => Row::Objects(first),
                            Target::Process(first) => Row::Processes(first),
                            Target::None => return false,
                        };
                        let index = is(operand.index.as_ref()) && operand.count == self.strands.count;
                        let element = is(operand.element.as_ref()) && operand.index.is_none();
                        variable
                            && (index && rows.contains(&of_row)
                                || element && operand.objects().all(|object| rows.contains(&Row::Elements(object))))
                    });
                    if !names && !is(carried) {
                        return None;
                    }
                    uses.push(here);
                }
            }
        }
        Some(())
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

    /// Whether an expectation could tell one index from another by what these hold.
    fn are_told_by(&self, plan: &Plan, expectation: &Expectation) -> bool {
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

    fn are_told_by_fact(&self, plan: &Plan, fact: &Fact) -> bool {
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
    /// The words of a mask: a bit for each value that is held.
    words: usize,
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
        Self { columns, words: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// How many words [`Carried::mark`] writes for a strand, of the state that it has seen last.
    pub(super) fn words(&self) -> usize {
        self.words
    }

    /// Writes behind each strand's `width` words in which places its index is held: a bit for each. Places the keys of `count`
    /// strands anew.
    pub(super) fn mark(
        &mut self,
        space: &mut StateSpace<'_>,
        state: &[u32],
        count: usize,
        width: usize,
        keys: &mut Vec<u64>,
    ) {
        let mut all: Vec<u32> = Vec::new();
        for column in &mut self.columns {
            all.extend(column.held(space, state[column.place]));
        }
        self.words = all.len().div_ceil(64);
        let whole = width + self.words;
        keys.resize(count * whole, 0);
        for place in (0..count).rev() {
            keys.copy_within(place * width..(place + 1) * width, place * whole);
            keys[place * whole + width..(place + 1) * whole].fill(0);
        }
        for (bit, strand) in all.iter().enumerate().filter(|(_, strand)| (**strand as usize) < count) {
            keys[*strand as usize * whole + width + bit / 64] |= 1 << (63 - bit % 64);
        }
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
