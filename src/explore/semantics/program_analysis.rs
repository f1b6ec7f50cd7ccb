//! Static analysis of a program: live variables, and the steps that others can observe.

use std::ops::Range;

use super::process_events::has_late_gate;
use crate::event::{ObjectId, ProcessId};
use crate::expression::node::Node;
use crate::expression::{Builtin, Expression};
use crate::objects::Effect;
use crate::objects::contract::operation::{Access, VerbId};
use crate::objects::kinds::own::OwnVerb;
use crate::objects::kinds::process::ProcessVerb;
use crate::os::process::{is_deadly, is_stop};
use crate::outcome::Outcome;
use crate::scenario::plan::{Failure, Instruction, Operand, OperationPlan, Plan, Program};

/// A set of small numbers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Bits(Vec<u64>);

impl Bits {
    fn insert(&mut self, bit: u32) {
        let word = bit as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (bit % 64);
    }

    fn remove(&mut self, bit: u32) {
        if let Some(word) = self.0.get_mut(bit as usize / 64) {
            *word &= !(1 << (bit % 64));
        }
    }

    fn contains(&self, bit: u32) -> bool {
        self.0.get(bit as usize / 64).is_some_and(|word| word & 1 << (bit % 64) != 0)
    }

    /// Adds all of another set; whether there was anything new.
    fn join(&mut self, other: &Self) -> bool {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        let mut new = false;
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            new |= *more & !*word != 0;
            *word |= more;
        }
        new
    }
}

/// What is known of a program.
#[derive(Debug)]
pub(crate) struct Knowledge {
    /// By place: the variables that are read there or later before they are written.
    live: Vec<Bits>,
    /// By place: whether a random number is drawn there or later.
    draws: Vec<bool>,
}

impl Knowledge {
    /// Reads a program. `kept` are variables that are read when it has ended.
    pub(crate) fn new(program: &Program, kept: &[u32]) -> Self {
        let code = &program.code;
        let mut knowledge = Self { live: vec![Bits::default(); code.len() + 1], draws: vec![false; code.len() + 1] };
        let mut last = Bits::default();
        for slot in kept {
            last.insert(*slot);
        }
        // A handler may run anywhere, and what follows it anywhere too.
        if program.signals {
            (0..program.slots.len() as u32).for_each(|slot| last.insert(slot));
            knowledge.draws.fill(code.iter().any(all_draws));
        }
        // A variable is read only further on, but loops jump back: until nothing changes.
        let mut changed = true;
        while changed {
            changed = false;
            for place in (0..code.len()).rev() {
                let flow = Flow::of(&code[place], place);
                let mut live = Bits::default();
                let mut draws = flow.draws;
                for (next, written) in &flow.next {
                    let mut behind = knowledge.live.get(*next).cloned().unwrap_or_default();
                    for slot in written {
                        behind.remove(*slot);
                    }
                    live.join(&behind);
                    draws |= knowledge.draws.get(*next).copied().unwrap_or(false);
                }
                // Wherever it may end, what is kept is read.
                live.join(&last);
                flow.read.iter().for_each(|slot| live.insert(*slot));
                changed |= knowledge.live[place].join(&live) || draws && !knowledge.draws[place];
                knowledge.draws[place] |= draws;
            }
        }
        knowledge
    }

    /// Whether the variable is read at that place or later.
    pub(crate) fn is_live(&self, place: usize, slot: u32) -> bool {
        self.live[place].contains(slot)
    }

    /// Whether a random number is drawn at that place or later.
    pub(crate) fn draws(&self, place: usize) -> bool {
        self.draws[place]
    }
}

/// Where an instruction reads and where it continues.
struct Flow {
    read: Vec<u32>,
    draws: bool,
    /// Where it can continue, with the variables that are written for certain on the way.
    next: Vec<(usize, Vec<u32>)>,
}

impl Flow {
    fn of(instruction: &Instruction, place: usize) -> Self {
        let mut flow = Self { read: Vec::new(), draws: false, next: Vec::new() };
        match instruction {
            Instruction::Operate(operation) => flow.operation(operation, place),
            Instruction::Set { slot, value, failure, .. } => {
                flow.reads(value);
                flow.failing(failure, place, vec![*slot]);
            }
            Instruction::Jump(to) => flow.next.push((*to, Vec::new())),
            Instruction::Unless { condition, to, .. } => {
                flow.reads(condition);
                flow.next.extend([(place + 1, Vec::new()), (*to, Vec::new())]);
            }
            Instruction::Repeat { times, counter, limit, .. } => {
                flow.reads(times);
                flow.next.push((place + 1, vec![*counter, *limit]));
            }
            Instruction::Next { counter, limit, variable, exit } => {
                flow.read.extend([*counter, *limit]);
                flow.next.push((place + 1, variable.iter().copied().collect()));
                flow.next.push((*exit, Vec::new()));
            }
            Instruction::Each { list, counter, items, .. } => {
                flow.reads(list);
                flow.next.push((place + 1, vec![*counter, *items]));
            }
            Instruction::NextItem { counter, items, variable, exit } => {
                flow.read.extend([*counter, *items]);
                flow.next.push((place + 1, vec![*variable]));
                flow.next.push((*exit, Vec::new()));
            }
            Instruction::Return | Instruction::End => {}
        }
        flow
    }

    fn reads(&mut self, expression: &Expression) {
        let read = &mut self.read;
        expression.slots(&mut |slot| read.push(slot));
        self.draws |= expression.draws();
    }

    /// Goes on behind the instruction, or at a handler of what failed.
    fn failing(&mut self, failure: &Failure, place: usize, written: Vec<u32>) {
        let outcome: Vec<u32> = failure.outcome.into_iter().collect();
        let passes = Outcome::NAMED
            .iter()
            .map(|(outcome, ..)| *outcome)
            .any(|outcome| !outcome.is_ok() && failure.taken.contains(outcome) && failure.handler(outcome).is_none());
        let mut sure = outcome.clone();
        if !passes {
            sure.extend(written);
        }
        self.next.push((place + 1, sure));
        for (_, handler) in &failure.handlers {
            self.next.push((*handler, outcome.clone()));
        }
    }

    fn operation(&mut self, operation: &OperationPlan, place: usize) {
        operation.expressions().for_each(|expression| self.reads(expression));
        if !matches!(operation.verb, VerbId::Own(verb) if verb.ends()) {
            let written = operation.into.into_iter().chain(operation.second).collect();
            self.failing(&operation.failure, place, written);
        }
    }
}

/// The places where a process can continue behind an instruction.
pub(crate) fn flow(instruction: &Instruction, place: usize) -> Vec<usize> {
    Flow::of(instruction, place).next.into_iter().map(|(next, _)| next).collect()
}

/// Whether an instruction draws a random number.
pub(crate) fn all_draws(instruction: &Instruction) -> bool {
    Flow::of(instruction, 0).draws
}

/// Calls `visit` with each expression of a program, those of its output only with `output`.
fn all_expressions<'p>(program: &'p Program, output: bool, visit: &mut dyn FnMut(&'p Expression)) {
    for instruction in &program.code {
        match instruction {
            Instruction::Operate(operation) if !output && operation.verb == VerbId::Own(OwnVerb::Print) => {}
            Instruction::Operate(operation) => operation.expressions().for_each(&mut *visit),
            Instruction::Set { value, .. } => visit(value),
            Instruction::Unless { condition, .. } => visit(condition),
            Instruction::Repeat { times, .. } => visit(times),
            Instruction::Each { list, .. } => visit(list),
            _ => {}
        }
    }
    program.vars.iter().for_each(|(_, value)| visit(value));
}

/// Whether what a process of the program does can depend on which process it is: it reads its own name, number or
/// index, or draws random numbers from its own stream. `output`: whether what it prints counts.
pub(crate) fn has_identity(program: &Program, own_stream: bool, output: bool) -> bool {
    reads_identity(program, own_stream, output, &|_| false)
}

/// Whether it can depend on that otherwise than by which of several it names where it names the one of its own index, and by
/// the expressions of `uses`, which are compared by address.
pub(crate) fn has_more_than_its_index(
    program: &Program,
    own_stream: bool,
    output: bool,
    uses: &[*const Expression],
) -> bool {
    let names = program.operations().filter_map(|operation| own_index(operation).or_else(|| own_element(operation)));
    let names: Vec<*const Expression> = names.map(std::ptr::from_ref).chain(uses.iter().copied()).collect();
    reads_identity(program, own_stream, output, &|expression| names.contains(&std::ptr::from_ref(expression)))
}

fn reads_identity(
    program: &Program,
    own_stream: bool,
    output: bool,
    passed_over: &dyn Fn(&Expression) -> bool,
) -> bool {
    let mut identity = false;
    all_expressions(program, output, &mut |expression| {
        if passed_over(expression) {
            return;
        }
        identity |= own_stream && expression.draws();
        expression
            .builtins(&mut |builtin| identity |= matches!(builtin, Builtin::Pid | Builtin::Name | Builtin::Index));
    });
    identity
}

/// The index of what a step names, an object of an array or one of several processes, where that is the index of the
/// process itself and nothing else.
pub(crate) fn own_index(operation: &OperationPlan) -> Option<&Expression> {
    let [operand] = operation.operands.as_slice() else { return None };
    operand.index.as_ref().filter(|index| is_index(index))
}

/// The element of the one object that a step is about, where that is the index of the process itself and nothing else.
pub(crate) fn own_element(operation: &OperationPlan) -> Option<&Expression> {
    match operation.operands.as_slice() {
        [Operand { index: None, element, .. }] => element.as_ref().filter(|element| is_index(element)),
        _ => None,
    }
}

fn is_index(expression: &Expression) -> bool {
    matches!(expression.node(), Node::Builtin(Builtin::Index))
}

/// Whether a process of the program reads the clock.
pub(crate) fn reads_clock(program: &Program) -> bool {
    let mut reads = false;
    all_expressions(program, false, &mut |expression| {
        expression.builtins(&mut |builtin| reads |= builtin == Builtin::Now);
    });
    reads
}
/// By process: whether others can notice its end apart from its last step, so that it is a step of its own. A question,
/// a signal or a join that gives up may come between the two, or a step that ends otherwise while an end of a pipe is
/// still held, or one that gives up waiting for that, or for a robust mutex. A process that only waits for the end does
/// not notice.
pub(crate) fn noticed_ends(plan: &Plan) -> Vec<bool> {
    let mut noticed: Vec<bool> = plan
        .processes
        .iter()
        .map(|process| process.holds.iter().any(|(object, end)| closing_is_noticed(plan, *object, *end)))
        .collect();
    for program in plan.programs.iter().filter(|program| program.signals) {
        noticed[program.first as usize..program.range().end as usize].fill(true);
        // What it starts sends it a signal at its end.
        for (_, started) in program.operations().flat_map(OperationPlan::on_processes) {
            noticed[started.start as usize..started.end as usize].fill(true);
        }
    }
    // The end of one that starts others can be a signal to them.
    let dies = |process: ProcessId| plan.program(process).parent_death.is_some();
    for program in &plan.programs {
        let mut starts = program.operations().flat_map(OperationPlan::on_processes);
        if starts.any(|(verb, mut started)| verb == ProcessVerb::Start && started.any(dies)) {
            noticed[program.first as usize..program.range().end as usize].fill(true);
        }
    }
    for operation in plan.operations() {
        let timed = operation.timeout.is_some();
        for (verb, processes) in operation.on_processes() {
            let notices = match verb {
                ProcessVerb::Join => timed,
                ProcessVerb::Status | ProcessVerb::WaitAny => true,
                // A process that is stopped before its end never comes to it, unless it is continued.
                ProcessVerb::Kill => operation.signal().is_none_or(|signal| ends_or_stops(plan, &processes, signal)),
                ProcessVerb::Start | ProcessVerb::Ready | ProcessVerb::Begin | ProcessVerb::End => false,
            };
            if notices {
                noticed[processes.start as usize..processes.end as usize].fill(true);
            }
        }
        let robust = |(object, _): (ObjectId, u8)| plan.objects[object as usize].object.notices_ends();
        if timed && operation.accessed().any(robust) {
            noticed.fill(true);
            break;
        }
    }
    noticed
}

/// By process: whether others can notice when its gate opens: a question or a signal may come between that and what it
/// waited for. Those that wait for nothing, or for starts alone, are alive with those that start them.
pub(crate) fn noticed_begins(plan: &Plan) -> Vec<bool> {
    let mut noticed = vec![false; plan.processes.len()];
    for operation in plan.operations() {
        for (verb, processes) in operation.on_processes() {
            if matches!(verb, ProcessVerb::Status | ProcessVerb::Kill) {
                processes.for_each(|process| noticed[process as usize] = has_late_gate(plan, process));
            }
        }
    }
    noticed
}

/// By process: whether a signal of another process, or from outside, can end it or stop it between any two of its
/// steps.
pub(crate) fn victims(plan: &Plan, killed: bool) -> Vec<bool> {
    let mut victims = vec![killed; plan.processes.len()];
    for program in &plan.programs {
        if program.sets_alarms()
            || program.parent_death.is_some_and(|signal| ends_or_stops(plan, &program.range(), signal))
        {
            victims[program.first as usize..program.range().end as usize].fill(true);
        }
        for operation in program.operations() {
            for (_, range) in operation.on_processes().filter(|(verb, _)| *verb == ProcessVerb::Kill) {
                // A signal to itself comes at a place that it knows.
                let itself = program.range() == range && range.len() == 1;
                if !itself && operation.signal().is_none_or(|signal| ends_or_stops(plan, &range, signal)) {
                    victims[range.start as usize..range.end as usize].fill(true);
                }
            }
        }
    }
    victims
}

/// Whether a signal can end one of these processes, or stop it.
fn ends_or_stops(plan: &Plan, processes: &Range<ProcessId>, signal: i32) -> bool {
    let minds = || processes.clone().any(|process| plan.program(process).signals);
    is_deadly(signal) || is_stop(signal) || signal == libc::SIGPIPE && minds()
}

/// Whether a step of the plan could end otherwise while that end is still held.
fn closing_is_noticed(plan: &Plan, object: u32, end: u8) -> bool {
    let kind = plan.kind(object);
    let Some(close) = kind.verb_that(Effect::Closes) else { return true };
    let planned = &plan.objects[object as usize].object;
    let closing = Access { end, ..Access::of(close) };
    let notices = |operation: &OperationPlan, operand: &Operand| {
        let access = Access { end: operand.end, ..Access::by_another(operand.verb) };
        let waits = || {
            let ends = planned.ends();
            let verb = &kind.verbs[operand.verb as usize];
            let enablers = planned.enablers(verb, ends.get(operand.end as usize).copied(), None);
            ends.get(end as usize).is_some_and(|end| enablers.closing.contains(end))
        };
        !planned.commute(closing, access) || operation.timeout.is_some() && waits()
    };
    plan.operations().any(|operation| {
        let mut named = operation.on_objects().filter(|operand| operand.objects().contains(&object));
        named.any(|operand| notices(operation, operand))
    })
}
