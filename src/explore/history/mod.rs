//! What is kept of the events on the way to a state, as a part of the state: a number for each [`Memory`] that all
//! processes share, and small numbers that belong to one process and stand in its segment.
//!
//! `update` is what an event does to each memory, `state_condition` evaluates state expressions in a state of the search.
//! `causal_past` is what each process knows of what happened before, `tracked_events` the events that must be known, and `waits`
//! what conditions say of blocked processes while it is not known yet.

mod causal_past;
mod state_condition;
mod tracked_events;
mod update;
mod waits;

use std::collections::HashMap;

use super::base::interner::Interner;
use super::semantics::next_operation::{Next, NextOperation};
use super::semantics::program_analysis::victims;
use super::semantics::transition::{Nondeterminism, Time};
use crate::event::{Event, EventId, ObjectId, ProcessId, StepId, Target};
use crate::judge::history::{Changes, Events, Memory};
use crate::objects::contract::operation::VerbId;
use crate::objects::kinds::process::ProcessVerb;
use crate::objects::kinds::timer::TimerVerb;
use crate::scenario::plan::{Condition, Fact, Plan, Program, Step, fixed_duration};
use crate::value::Value;

use causal_past::Knowledge;
use waits::Waits;

pub(super) use update::{Moment, StateView};
pub(super) use waits::{MAYBE, SURELY, WAITED};

/// A memory, and what it has been so far.
#[derive(Clone, Debug)]
struct Kept<'p> {
    memory: Memory<'p>,
    /// Whether the order of the events that it looks at matters to it, beyond the order of steps that do not commute.
    ordered: bool,
    /// For a course: whether the ends of processes belong to it.
    ends: bool,
    /// What all processes share of it, by number.
    shared: Interner<Vec<i64>>,
    /// For lost updates: the cells that were met.
    cells: Interner<crate::judge::history::Cell>,
}

/// Everything that is kept.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact")]
pub(super) struct History<'p> {
    plan: &'p Plan,
    list: Vec<Kept<'p>>,
    names: Vec<String>,
    /// By step: whether it is a step of its own although it is about no object.
    pub(super) visible: Vec<bool>,
    /// By process: whether its end is a step of its own.
    pub(super) ends: Vec<bool>,
    /// By process: whether its begin is a step of its own.
    pub(super) begins: Vec<bool>,
    /// Whether time is a part of what is kept.
    pub(super) timed: bool,
    /// Whether a process had something as it ended on which the number of holders at once depends: then it
    /// matters when it ends.
    pub(super) wants_ends: bool,
    /// By object: whether a condition that must be evaluated in every state reads it.
    watched: Vec<bool>,
    /// The place of the memory of each fact.
    facts: HashMap<u32, usize>,
    /// The waits that conditions ask about which must be evaluated in every state.
    waits: Waits,
    /// By object: whether a process of which they ask can wait for it.
    awaited: Vec<bool>,
    /// Whether the whole past is kept.
    pub(super) everything: bool,
    past: bool,
    /// What is known by each relation of causes, with the place of its number among the memories.
    knowledge: Vec<(usize, Box<Knowledge<'p>>)>,
    /// What came before an event, by what came before it in its process and on its object, and the event itself.
    nodes: Interner<(u32, u32, u32)>,
    signs: Interner<Vec<u8>>,
    values: Interner<Vec<u8>, Value>,
}

/// What is to be kept.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
pub(super) struct HistoryOptions {
    /// The end of every process is a step of its own.
    pub(super) ends: bool,
    /// Every step is one of its own.
    pub(super) fine: bool,
    /// Races are found without the past.
    pub(super) races: bool,
    /// What happened before what is found by all that happened.
    pub(super) past: bool,
}

impl HistoryOptions {
    /// Whether nothing need be kept for that.
    fn spares(self, memory: &Memory<'_>) -> bool {
        self.races && matches!(memory, Memory::Races { each: false, .. })
    }
}

impl<'p> History<'p> {
    /// Those that a plan's expectations need.
    pub(super) fn new(
        plan: &'p Plan,
        memories: Vec<Memory<'p>>,
        leeway: impl Into<Nondeterminism>,
        wish: HistoryOptions,
    ) -> Self {
        let Nondeterminism { time, kill, .. } = leeway.into();
        let victims = victims(plan, kill);
        let bounds = |end: bool| bounds(plan, &memories, end);
        let (begins, bounded) = (bounds(false), bounds(true));
        let killable = killable(plan, &memories, &victims);
        let mut list: Vec<Kept<'p>> = Vec::new();
        let mut memories = memories;
        if memories.iter().any(|memory| looks_at_reordered(plan, memory)) {
            memories.push(Memory::Everything);
        }
        let everything = memories.iter().any(|memory| matches!(memory, Memory::Everything));
        let waits = Waits::new(
            plan,
            memories.iter().filter_map(|memory| match memory {
                Memory::Ever { condition, .. } => Some(*condition),
                _ => None,
            }),
        );
        let passes = time_passes(plan);
        let mut facts = HashMap::new();
        let mut past = false;
        let memories: Vec<Memory<'p>> = memories.into_iter().filter(|memory| !wish.spares(memory)).collect();
        let knowledge = if everything || wish.past { Vec::new() } else { Knowledge::all(plan, &memories) };
        let mut places = vec![None; knowledge.len()];
        let memories = memories.into_iter().flat_map(|memory| match memory {
            _ if !knowledge.is_empty() => vec![memory],
            Memory::Before(_) | Memory::Races { .. } => vec![Memory::Past],
            Memory::Causes(patterns) => vec![Memory::Past, Memory::Firsts { patterns, which: true }],
            memory => vec![memory],
        });
        for memory in memories.collect::<Vec<_>>() {
            let mut ends = false;
            let memory = match memory {
                // Where any time may pass, how much did says nothing.
                Memory::Spans(_) | Memory::Waits(_) | Memory::Course(_) if time == Time::Any => continue,
                Memory::Fact(number) if facts.contains_key(&number) => continue,
                memory @ (Memory::Before(_) | Memory::Causes(_) | Memory::Races { .. }) => {
                    // One number is for all that is known by a relation.
                    let of = knowledge.iter().position(|knowledge| knowledge.has(&memory));
                    let Some(place) = of.and_then(|of| places.get_mut(of)).filter(|place| place.is_none()) else {
                        continue;
                    };
                    *place = Some(list.len());
                    memory
                }
                Memory::Past if std::mem::replace(&mut past, true) => continue,
                Memory::Most { of, .. } if passes && may_stand(plan, &of, time) => {
                    ends = true;
                    Memory::Course(match of {
                        Changes::Holding(object) => vec![Events::Holding(object)],
                        Changes::Section(section) => vec![Events::Section(section)],
                        Changes::Between(patterns) => patterns.iter().map(Events::Pattern).collect(),
                    })
                }
                memory => memory,
            };
            // The full history needs no other memory.
            if everything && (!matches!(memory, Memory::Everything) || !list.is_empty()) {
                continue;
            }
            if let Memory::Fact(number) = memory {
                facts.insert(number, list.len());
            }
            let ordered = is_ordered(&memory);
            let mut shared = Interner::default();
            let size = match &memory {
                Memory::Values { .. } => 0,
                Memory::Firsts { patterns, .. } => patterns.len() * 3,
                Memory::Late(patterns) => patterns.len() + 1,
                Memory::Most { .. } => 4,
                Memory::Past => plan.objects.len(),
                Memory::Pairs { .. } => 2,
                _ => 1,
            };
            shared.of(&vec![0; size]);
            list.push(Kept { memory, ordered, ends, shared, cells: Interner::default() });
        }
        let mut memories = Self {
            plan,
            waits,
            awaited: vec![false; plan.objects.len()],
            names: plan.process_names(),
            visible: killable.into_iter().map(|seen| seen || wish.fine || everything).collect(),
            ends: {
                // What is between two events of a process ends with the process.
                let between = |kept: &Kept<'_>| matches!(&kept.memory, Memory::Most { of: Changes::Between(_), .. });
                let all = wish.ends
                    || wish.fine
                    || everything
                    || list.iter().any(|kept| kept.ends || kept.ordered && between(kept));
                bounded.into_iter().zip(victims).map(|(named, victim)| all || named || victim).collect()
            },
            begins,
            timed: list.iter().any(|kept| kept.memory.is_timed()),
            wants_ends: false,
            watched: vec![false; plan.objects.len()],
            facts,
            everything,
            past,
            knowledge: places.into_iter().flatten().zip(knowledge.into_iter().map(Box::new)).collect(),
            nodes: Interner::default(),
            signs: Interner::default(),
            values: Interner::default(),
            list,
        };
        memories.nodes.of(&(0, 0, 0));
        memories.watch();
        memories
    }

    /// Finds out what conditions read and which steps must be steps of their own.
    fn watch(&mut self) {
        let plan = self.plan;
        let mut read: Vec<u32> = Vec::new();
        for kept in &self.list {
            if let Memory::Ever { condition, .. } = &kept.memory {
                condition.states(&mut |number| read.push(number));
            }
        }
        for number in read {
            match plan.facts.get(number as usize) {
                Some(Fact::Value(group)) => {
                    let group = &plan.groups[*group];
                    for object in group.first..group.first + group.count.unwrap_or(1) {
                        self.watched[object as usize] = true;
                    }
                }
                Some(Fact::Size(object)) => self.watched[*object as usize] = true,
                Some(Fact::Ended(processes)) => {
                    for process in processes {
                        self.ends[*process as usize] = true;
                    }
                }
                Some(Fact::Exit(process)) => self.ends[*process as usize] = true,
                _ => {
                    if let Some(at) = self.facts.get(&number) {
                        self.list[*at].ordered = true;
                    }
                }
            }
        }
        for step in 0..plan.steps.len() as u32 {
            let mut causes = self.knowledge.iter().flat_map(|(_, knowledge)| knowledge.ordered());
            self.visible[step as usize] |= causes.any(|pattern| Events::Pattern(pattern).may(plan, step));
            let looked = self.list.iter().filter(|kept| kept.ordered);
            let looked = looked.flat_map(|kept| events(plan, &kept.memory)).any(|events| events.may(plan, step));
            self.visible[step as usize] |= looked;
        }
        self.watch_waits();
    }

    /// Whether a process has to wait in a step depends on when it comes there and on what others do to the objects that
    /// it waits for, and on the processes that have ended.
    fn watch_waits(&mut self) {
        if self.waits.is_empty() {
            return;
        }
        let plan = self.plan;
        for program in &plan.programs {
            if !program.range().any(|process| self.waits.is_about(process)) {
                continue;
            }
            for (first, count, _) in &program.depends_on {
                self.ends[*first as usize..(first + count) as usize].fill(true);
            }
            for operation in program.operations() {
                for (verb, joined) in operation.on_processes() {
                    if matches!(verb, ProcessVerb::Join | ProcessVerb::WaitAny) {
                        self.ends[joined.start as usize..joined.end as usize].fill(true);
                    }
                }
                let blocks = |(object, verb): &(ObjectId, u8)| plan.kind(*object).verbs[*verb as usize].blocks;
                for (object, verb) in operation.accessed().filter(blocks) {
                    self.awaited[object as usize] = true;
                    for (touched, _) in plan.objects[object as usize].object.touches(verb) {
                        self.awaited[touched as usize] = true;
                    }
                }
            }
        }
        let awaited = |object: ObjectId| self.awaited[object as usize];
        let mut all = plan.objects.iter().zip(0..);
        let noticed = all.any(|(planned, object)| awaited(object) && planned.object.notices_ends());
        for (ends, process) in self.ends.iter_mut().zip(&plan.processes) {
            *ends |= noticed || process.holds.iter().any(|(object, _)| awaited(*object));
        }
        for (visible, step) in self.visible.iter_mut().zip(&plan.steps) {
            let asked = plan.programs[step.program].range().any(|process| self.waits.is_about(process));
            *visible |= asked || step.verb == "ready";
        }
    }

    /// Whether conditions ask it of any process whether it is blocked, in states that are passed.
    pub(super) fn asks_of_waits(&self) -> bool {
        !self.waits.is_empty()
    }

    /// Whether conditions ask it of a process whether it is blocked at that step.
    pub(super) fn asks_of_wait(&self, process: ProcessId, step: &NextOperation) -> bool {
        self.waits.ask(process, step.accesses().map(|(target, _)| target))
    }

    /// The processes of which conditions ask, in states that are passed, whether they are blocked.
    pub(super) fn waiters(&self) -> impl Iterator<Item = ProcessId> + '_ {
        self.waits.processes()
    }

    /// What was noticed on the way that asks for other memories: that it matters when processes end, and that an object
    /// could not say what it handed over.
    pub(super) fn noticed(&self) -> [bool; 2] {
        [self.wants_ends, self.knowledge.iter().any(|(_, knowledge)| knowledge.lost)]
    }

    /// Takes over what a copy has noticed.
    pub(super) fn notice(&mut self, [ends, lost]: [bool; 2]) {
        self.wants_ends |= ends;
        for (_, knowledge) in &mut self.knowledge {
            knowledge.lost |= lost;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether processes that are alike may change places in spite of what is kept.
    pub(super) fn symmetric(&self) -> bool {
        self.knowledge.is_empty()
            && !self
                .list
                .iter()
                .any(|kept| matches!(kept.memory, Memory::Past | Memory::Course(_) | Memory::Everything))
    }

    /// By expectation about causes, whether something was not as it should be in a state of which `number` gives what
    /// is kept in each place; none where that is not known.
    #[cfg(test)]
    pub(super) fn failed(&self, number: &dyn Fn(usize) -> u32) -> Option<Vec<bool>> {
        if self.knowledge.is_empty() || self.knowledge.iter().any(|(_, knowledge)| knowledge.lost) {
            return None;
        }
        let of = self.knowledge.iter().flat_map(|(place, knowledge)| knowledge.failed(number(*place)));
        let mut failed: Vec<(usize, bool)> = of.collect();
        failed.sort_unstable();
        Some(failed.into_iter().map(|(_, failed)| failed).collect())
    }

    /// About how many bytes it takes what is known of causes.
    pub(super) fn bytes(&self) -> usize {
        self.knowledge.iter().map(|(_, knowledge)| knowledge.weight).sum()
    }

    /// What must be kept, where it turns out that these do not keep enough.
    pub(super) fn wants(&self, wish: HistoryOptions) -> Option<HistoryOptions> {
        let lost = self.knowledge.iter().any(|(_, knowledge)| knowledge.lost);
        let more = HistoryOptions { ends: wish.ends || self.wants_ends, past: wish.past || lost, ..wish };
        (self.wants_ends || lost).then_some(more)
    }

    /// Whether what happened before what by causes matters, of each two steps.
    pub(super) fn tells_causes(&self) -> bool {
        !self.knowledge.is_empty()
    }

    /// Whether the history of their waits distinguishes these processes.
    pub(super) fn tells_waits(&self, mut processes: std::ops::Range<ProcessId>) -> bool {
        processes.any(|process| self.waits.is_about(process))
    }

    /// Whether objects that are alike may change places with their processes, of which `among` says which they are:
    /// what is kept tells none of them from another.
    pub(super) fn exchanges(&self, among: &dyn Fn(ObjectId) -> bool) -> bool {
        let tells = |kept: &Kept<'_>| match &kept.memory {
            Memory::Lost { object, .. } => object.objects.iter().any(|object| among(*object)),
            Memory::Past | Memory::Course(_) | Memory::Everything => true,
            _ => false,
        };
        !self.past && self.knowledge.is_empty() && !self.list.iter().any(tells)
    }

    /// Whether what a process prints counts, and not only that it prints.
    pub(super) fn reads_output(&self) -> bool {
        self.list.iter().any(|kept| {
            let values = matches!(kept.memory, Memory::Values { .. });
            events(self.plan, &kept.memory).iter().any(|events| match events {
                Events::Printed(..) => true,
                Events::Pattern(pattern) => {
                    (values || pattern.value.is_some()) && pattern.verb.as_ref().is_none_or(|verb| verb == "print")
                }
                Events::Step { step, value, .. } => value.is_some() && self.plan.steps[*step as usize].verb == "print",
                Events::Holding(_) | Events::Section(_) => false,
            })
        })
    }

    /// Whether an expectation observes the process's next step: its order among the steps of others matters although it
    /// may commute with them. Such a step is only left out with all others.
    pub(super) fn sees(&self, process: ProcessId, next: &Next) -> bool {
        let plan = self.plan;
        if self.everything {
            return true;
        }
        if self.list.is_empty() {
            return false;
        }
        if self.waits.is_about(process) {
            return true;
        }
        let next = match next {
            Next::Nothing => return false,
            Next::Border => return true,
            Next::Operation(next) => next,
        };
        let touched = |object: ObjectId, verb: u8| plan.objects[object as usize].object.touches(verb);
        let looks =
            |object: ObjectId, verb: u8| self.looks(process, plan.kind(object).verbs[verb as usize].name, object);
        match next.verb {
            VerbId::Own(_) | VerbId::Process(ProcessVerb::Ready) => true,
            VerbId::Timer(_) => {
                [TimerVerb::Sleep, TimerVerb::Busy].iter().any(|verb| self.hears(verb.described().name))
            }
            VerbId::Signal(verb) => self.past || self.hears(verb.described().name),
            VerbId::Process(verb) => {
                let begins = verb == ProcessVerb::Start && !self.waits.is_empty();
                self.past || begins || self.hears(verb.described().name)
            }
            VerbId::Object => {
                self.past
                    || next.on_objects().any(|(object, access)| {
                        looks(object, access.verb)
                            || touched(object, access.verb).into_iter().any(|(other, verb)| looks(other, verb))
                    })
            }
        }
    }

    fn looks(&self, process: ProcessId, verb: &str, object: ObjectId) -> bool {
        self.watched[object as usize]
            || self.awaited[object as usize]
            || self.ordered().any(|events| events.may_be(process, verb, object))
    }

    fn hears(&self, verb: &str) -> bool {
        self.ordered().any(|events| match events {
            Events::Pattern(pattern) => pattern.verb.as_ref().is_none_or(|wanted| wanted == verb),
            Events::Step { .. } => true,
            _ => false,
        })
    }

    /// The events whose order matters.
    fn ordered(&self) -> impl Iterator<Item = Events<'_>> {
        let causes = self.knowledge.iter().flat_map(|(_, knowledge)| knowledge.ordered()).map(Events::Pattern);
        let kept = self.list.iter().filter(|kept| kept.ordered);
        kept.flat_map(|kept| events(self.plan, &kept.memory)).chain(causes)
    }

    /// Whether an event, were it any of these processes', could change anything.
    pub(super) fn minds(&self, event: &Event, processes: std::ops::Range<ProcessId>) -> bool {
        let on = |wanted: &dyn Fn(ObjectId) -> bool| matches!(event.target, Target::Object(object) if wanted(object));
        self.everything
            || self.past && event.target != Target::None
            || self.knowledge.iter().any(|(_, knowledge)| knowledge.minds(event, processes.clone()))
            || on(&|object| self.watched[object as usize])
            || !event.implicit && processes.clone().any(|process| self.waits.is_about(process))
            || self.list.iter().any(|kept| {
                matches!(kept.memory, Memory::Waits(_))
                    || matches!(&kept.memory, Memory::Course(_)) && !event.implicit
                    || matches!(&kept.memory, Memory::Lost { object, .. } if on(&|id| object.objects.contains(&id)))
                    || matches!(&kept.memory, Memory::Ever { .. }) && kept.memory.is_timed()
                    || events(self.plan, &kept.memory).iter().any(|events| {
                        let mut event = event.clone();
                        processes.clone().any(|process| {
                            event.id = EventId::new(process, event.id.number());
                            events.matches(self.plan, &event)
                        })
                    })
            })
    }

    /// What tells the value from others, as a number.
    fn value(&mut self, value: &Value) -> u32 {
        let mut key = Vec::new();
        crate::value::encode(value, &mut key);
        match self.values.find(&key) {
            Some(number) => number,
            None => self.values.give(key, value.clone()).0,
        }
    }

    /// What tells the event from others of its process, as a number.
    fn sign(&mut self, event: &Event, more: &[u64]) -> u32 {
        let mut key = Vec::new();
        key.extend(event.verb.as_bytes());
        key.push(0);
        key.extend(event.step.map_or(u32::MAX, |step| step).to_le_bytes());
        key.extend(event.element.get().map_or(u32::MAX, |element| element).to_le_bytes());
        key.extend(format!("{}", event.outcome).into_bytes());
        key.push(u8::from(event.implicit));
        for value in [&event.value, &event.second] {
            let mut encoded = Vec::new();
            crate::value::encode(value, &mut encoded);
            key.extend((encoded.len() as u32).to_le_bytes());
            key.extend(encoded);
        }
        match event.target {
            Target::None => key.push(0),
            Target::Object(object) => key.extend(object.to_le_bytes()),
            Target::Process(_) => key.push(1),
        }
        for word in more {
            key.extend(word.to_le_bytes());
        }
        self.signs.of(&key)
    }
}

/// Whether the order of the events that a memory looks at matters to it, beyond the order of steps that do not commute.
fn is_ordered(memory: &Memory<'_>) -> bool {
    matches!(
        memory,
        Memory::Values { ordered: true, .. }
            | Memory::Firsts { .. }
            | Memory::Late(_)
            | Memory::Pairs { .. }
            | Memory::Ever { .. }
            | Memory::Most { .. }
            | Memory::Past
            | Memory::Course(_)
            | Memory::Everything
    )
}

/// By process: whether an expectation names its begin, or with `end` its end.
fn bounds(plan: &Plan, memories: &[Memory<'_>], end: bool) -> Vec<bool> {
    let named = |process| memories.iter().any(|memory| all(plan, memory).iter().any(|one| one.may_bound(process, end)));
    (0..plan.processes.len() as ProcessId).map(named).collect()
}

/// By step: whether an expectation, or a process that waits for its process to be ready, can observe that a signal came
/// before it.
fn killable(plan: &Plan, memories: &[Memory<'_>], victims: &[bool]) -> Vec<bool> {
    let awaited = |program: &Program| {
        let mut depends = plan.programs.iter().flat_map(|other| &other.depends_on);
        depends.any(|(first, _, condition)| *condition == Condition::Ready && program.range().contains(first))
    };
    let tells = |(number, step): (usize, &Step)| {
        let program = &plan.programs[step.program];
        program.range().any(|process| victims[process as usize])
            && (step.verb == "ready" && awaited(program)
                || memories.iter().any(|memory| all(plan, memory).iter().any(|one| one.may(plan, number as StepId))))
    };
    plan.steps.iter().enumerate().map(tells).collect()
}

/// All events that a memory depends on, be it for their order or for there being any.
fn all<'m>(plan: &'m Plan, memory: &'m Memory<'_>) -> Vec<Events<'m>> {
    match memory {
        Memory::Before(patterns) | Memory::Causes(patterns) => patterns.iter().map(Events::Pattern).collect(),
        memory => events(plan, memory),
    }
}

/// Whether a memory looks at the order of events that stand in a run in another order than that of their steps. Then
/// only who knows every step knows what it finds.
fn looks_at_reordered(plan: &Plan, memory: &Memory<'_>) -> bool {
    let mut all = false;
    let looked = match memory {
        // Whether a process is blocked depends on the place of its events among all others.
        Memory::Ever { condition, .. } => {
            condition.states(&mut |number| all |= matches!(plan.facts.get(number as usize), Some(Fact::Blocked(..))));
            Vec::new()
        }
        Memory::Causes(patterns) => patterns.iter().map(Events::Pattern).collect(),
        Memory::Fact(_) => events(plan, memory),
        memory if is_ordered(memory) => events(plan, memory),
        _ => return false,
    };
    let reordered = |object: ObjectId| plan.objects[object as usize].object.reorders();
    (0..plan.steps.len() as StepId).any(|number| {
        let Some(operation) = plan.operation(number) else { return false };
        let step = &plan.steps[number as usize];
        plan.programs[step.program].range().any(|process| {
            let one = |object| all || looked.iter().any(|events| events.may_be(process, step.verb, object));
            operation.accessed().map(|(object, _)| object).filter(|object| reordered(*object)).any(one)
        })
    })
}

/// The events that a memory looks at.
fn events<'m>(plan: &'m Plan, memory: &'m Memory<'_>) -> Vec<Events<'m>> {
    match memory {
        Memory::Fact(number) => match plan.facts.get(*number as usize) {
            Some(Fact::Count(pattern)) => vec![Events::Pattern(pattern)],
            Some(Fact::Inside(section)) => vec![Events::Section(section)],
            _ => Vec::new(),
        },
        Memory::Count { of, .. } => vec![*of],
        Memory::Values { of, .. } => vec![Events::Pattern(of)],
        Memory::Firsts { patterns, .. } | Memory::Late(patterns) => patterns.iter().map(Events::Pattern).collect(),
        Memory::Pairs { each, other, .. } => vec![Events::Pattern(each), Events::Pattern(other)],
        Memory::Most { of, .. } => of.events(),
        Memory::Course(list) => list.clone(),
        Memory::Waits(pattern) => vec![Events::Pattern(pattern)],
        Memory::Ever { .. }
        | Memory::Lost { .. }
        | Memory::Past
        | Memory::Before(_)
        | Memory::Causes(_)
        | Memory::Races { .. }
        | Memory::Spans(_)
        | Memory::Everything => Vec::new(),
    }
}

/// Whether time can pass at all in a run.
fn time_passes(plan: &Plan) -> bool {
    plan.operations().any(|operation| {
        matches!(operation.verb, VerbId::Timer(_))
            || operation.timeout.as_ref().is_some_and(|timeout| fixed_duration(timeout) != Some(0))
    })
}

/// Whether time can pass while a process stands before what takes away from it what is counted: then it has it no
/// longer than until it began that step, and the holders at once depend on more than the order of events.
fn may_stand(plan: &Plan, of: &Changes<'_>, time: Time) -> bool {
    // There, events have no times.
    if time == Time::Any {
        return false;
    }
    let kills = plan.kills();
    let Changes::Between([_, ends @ ..]) = of else { return kills };
    kills
        || (0..plan.steps.len()).any(|step| {
            let waits = plan.operation(step as u32).is_some_and(|operation| {
                let blocks = |(object, verb): (ObjectId, u8)| plan.kind(object).verbs[verb as usize].blocks;
                matches!(operation.verb, VerbId::Timer(_) | VerbId::Process(ProcessVerb::Join))
                    || operation.accessed().any(blocks)
            });
            waits && ends.iter().any(|end| Events::Pattern(end).may(plan, step as u32))
        })
}
