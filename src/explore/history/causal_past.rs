//! What each process knows: of the events that decide an expectation, which happened before its last one.
//!
//! What happened before what is decided by the edges that objects draw. Instead of all that has happened, a state keeps
//! for each process a set of marks, and for each object those that it can still hand over ([`Object::hand_over`]). A
//! mark stands for one event: within a process the last of a kind stands for those before it, so there are never many.
//! When a mark gets another event, all processes forget it except those that know the new one.
//!
//! That is so for each of the two relations by itself: for `race_free` by what synchronises, for `order` and
//! `all_before` by what is read too.
//!
//! `marks` says what marks there are, and what a verdict is by them.
//!
//! [`Object::hand_over`]: crate::objects::Object::hand_over

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::Interner;
use super::tracked_events::{Changes, Hit, Mark, Watch, Watched};
use crate::event::{Event, ObjectId, ProcessId, Target};
use crate::explore::base::interner::lasting;
use crate::judge::history::Memory;
use crate::objects::causality::sync_clock;
use crate::objects::causality::sync_clock::NOTHING;
use crate::objects::kinds::process::ProcessVerb;
use crate::objects::{Handover, Held};
use crate::scenario::plan::{Condition, Instruction, Plan};
use crate::value::Value;

/// Sets of marks, by number.
#[derive(Clone, Debug)]
pub(super) struct Sets {
    numbers: Interner<Vec<Mark>>,
    joined: HashMap<(u32, u32), u32>,
}

impl Sets {
    fn new() -> Self {
        let mut numbers = Interner::default();
        numbers.of(&Vec::new());
        Self { numbers, joined: HashMap::new() }
    }

    /// The marks of a set, in ascending order.
    pub(super) fn marks(&self, set: u32) -> &[Mark] {
        &self.numbers.things[set as usize]
    }

    /// Whether the mark is in the set.
    pub(super) fn has(&self, set: u32, mark: Mark) -> bool {
        self.marks(set).binary_search(&mark).is_ok()
    }

    /// Those marks of a set for which that holds.
    pub(super) fn filter(&mut self, set: u32, wanted: impl Fn(Mark) -> bool) -> u32 {
        let marks = self.marks(set);
        if marks.iter().all(|mark| wanted(*mark)) {
            return set;
        }
        let marks = marks.iter().copied().filter(|mark| wanted(*mark)).collect();
        self.numbers.of(&marks)
    }

    /// The set and these marks.
    pub(super) fn with(&mut self, set: u32, more: &[Mark]) -> u32 {
        if more.iter().all(|mark| self.has(set, *mark)) {
            return set;
        }
        let mut marks = self.marks(set).to_vec();
        marks.extend(more);
        marks.sort_unstable();
        marks.dedup();
        self.numbers.of(&marks)
    }
}

impl sync_clock::Sets for Sets {
    fn join(&mut self, one: u32, other: u32) -> u32 {
        if one == other || other == NOTHING {
            return one;
        }
        if one == NOTHING {
            return other;
        }
        let pair = (one.min(other), one.max(other));
        if let Some(known) = self.joined.get(&pair) {
            return *known;
        }
        let more = self.marks(other).to_vec();
        let (set, lasts) = lasting(|| self.with(one, &more));
        if lasts {
            self.joined.insert(pair, set);
        }
        set
    }
}

/// What is known in a state.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Known {
    /// By process, what it knew at the end of its last event: a set. Of a process that has not begun, what it begins
    /// with.
    knows: Vec<u32>,
    /// By process, what it knew when its step began, where events of that step have been recorded and the step itself
    /// has not: the set's number and one, or 0.
    open: Vec<u32>,
    /// By process, what its first `ready` gave, where a process can learn of that: the set's number and one, or 0.
    ready: Vec<u32>,
    /// By process, what its begin gave, likewise.
    begun: Vec<u32>,
    /// By object, what it holds.
    held: Vec<Held>,
    /// Every mark that a process may have to know and does not.
    live: u32,
    /// By expectation, how far it is decided.
    watched: Vec<Watched>,
}

impl Known {
    /// About how many bytes it takes.
    fn weight(&self) -> usize {
        let words = |held: &Held| held.counts.len() + held.sets.len() + 4 * held.own.len();
        let held: usize = self.held.iter().map(words).sum();
        let watched: usize = self.watched.iter().map(Watched::words).sum();
        let lists = size_of_val(&*self.held) + size_of_val(&*self.watched);
        size_of::<Self>() + lists + 4 * (4 * self.knows.len() + held + watched) + 64
    }
}

/// All that is known in any state.
#[derive(Clone, Debug)]
pub(super) struct Knowledge<'p> {
    plan: &'p Plan,
    /// Whether what is read, and what makes a try fail, is a cause.
    reads: bool,
    watches: Vec<Watch<'p>>,
    /// By watch, the place of its expectation among all about causes.
    #[cfg(test)]
    numbers: Vec<usize>,
    sets: Sets,
    states: Interner<Arc<Known>>,
    /// About how many bytes they take.
    pub(super) weight: usize,
    /// By process, whether others can learn from its end, from its first `ready`, and from its begin.
    ends: Vec<bool>,
    readies: Vec<bool>,
    begins: Vec<bool>,
    /// By object, what the plan does with it.
    used: Vec<Used>,
    /// By step, the place of the end that it names.
    named: Vec<u8>,
    /// Whether events count that other events of the same step can come before.
    nests: bool,
    /// Whether an object could not say what it handed over.
    pub(super) lost: bool,
}

/// What a plan does with an object.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    /// A bit for each verb.
    verbs: u64,
    /// Whether a step may give up.
    tries: bool,
    /// How many steps there are at most in a run.
    most: Option<u64>,
    /// Whether one process alone has to do with it, which learns nothing there.
    alone: bool,
}

/// What an event does to those that know something.
pub(super) struct Scene<'s> {
    /// Whether a process has ended, as far as others can tell.
    pub(super) ended: &'s dyn Fn(ProcessId) -> bool,
    /// Every process's share of an object after the event's turn.
    pub(super) shares: &'s dyn Fn(ObjectId) -> Vec<u32>,
}

impl<'p> Knowledge<'p> {
    /// For these memories, one for each relation that they go by; none where a plan has what is not known how to
    /// follow, or where none of them is about causes.
    pub(super) fn all(plan: &'p Plan, memories: &[Memory<'p>]) -> Vec<Self> {
        let of = |reads: bool| {
            let about = memories.iter().filter_map(Watch::of).enumerate();
            about.filter(|(_, watch)| watch.reads() == reads).collect::<Vec<_>>()
        };
        let wanted = [false, true].map(|reads| (reads, of(reads)));
        let wanted = wanted.into_iter().filter(|(_, watches)| !watches.is_empty());
        let all: Option<Vec<Self>> = wanted.map(|(reads, watches)| Self::new(plan, reads, watches)).collect();
        all.unwrap_or_default()
    }

    fn new(plan: &'p Plan, reads: bool, watches: Vec<(usize, Watch<'p>)>) -> Option<Self> {
        if plan.kills() {
            return None;
        }
        #[cfg(test)]
        let numbers = watches.iter().map(|(number, _)| *number).collect();
        let watches: Vec<Watch<'p>> = watches.into_iter().map(|(_, watch)| watch).collect();
        let mut used = vec![Used::default(); plan.objects.len()];
        for (object, used) in (0..).zip(&mut used) {
            let uses = uses(plan, object);
            used.most = uses.iter().try_fold(0, |sum: u64, (_, times)| Some(sum.saturating_add((*times)?)));
            let holds = |process: &ProcessId| plan.held(*process, object).contains(&true);
            let holding = (0..plan.processes.len() as ProcessId).filter(holds).map(|process| process..process + 1);
            let mut all = uses.into_iter().map(|(processes, _)| processes).chain(holding);
            let first = all.next();
            used.alone = first.as_ref().is_none_or(|first| first.len() == 1) && all.all(|one| Some(one) == first);
        }
        let processes = plan.processes.len();
        let [mut ends, mut readies, mut begins] = [const { Vec::new() }; 3].map(|mut list: Vec<bool>| {
            list.resize(processes, false);
            list
        });
        let mut named = vec![0; plan.steps.len()];
        for operation in plan.operations() {
            for (verb, asked) in operation.on_processes() {
                if !matches!(verb, ProcessVerb::Join | ProcessVerb::Status) {
                    continue;
                }
                asked.clone().for_each(|process| ends[process as usize] = true);
                if verb == ProcessVerb::Status {
                    asked.for_each(|process| begins[process as usize] = true);
                }
            }
            for operand in operation.on_objects() {
                named[operation.step as usize] = operand.end;
                for object in operand.objects() {
                    used[object as usize].verbs |= 1 << operand.verb;
                    used[object as usize].tries |= operation.timeout.is_some();
                }
            }
        }
        for (first, count, condition) in plan.programs.iter().flat_map(|program| &program.depends_on) {
            for process in *first..first + count {
                ends[process as usize] |= matches!(condition, Condition::Exited | Condition::Succeeded);
                readies[process as usize] |= *condition == Condition::Ready;
                begins[process as usize] |= *condition == Condition::Started;
            }
        }
        let first = Known {
            knows: vec![NOTHING; processes],
            open: vec![0; processes],
            ready: vec![0; processes],
            begun: vec![0; processes],
            held: vec![Held::default(); plan.objects.len()],
            live: NOTHING,
            watched: watches.iter().map(|watch| watch.first(plan)).collect(),
        };
        let mut states = Interner::default();
        states.of(&Arc::new(first));
        let nests = watches.iter().any(|watch| !matches!(watch, Watch::Races(_)));
        Some(Self {
            plan,
            reads,
            watches,
            #[cfg(test)]
            numbers,
            sets: Sets::new(),
            states,
            ends,
            readies,
            begins,
            used,
            named,
            nests,
            lost: false,
            weight: 0,
        })
    }

    /// Whether the memory is one that this decides.
    pub(super) fn has(&self, memory: &Memory<'p>) -> bool {
        Watch::of(memory).is_some_and(|watch| watch.reads() == self.reads)
    }

    /// The patterns of which it matters which match comes first.
    pub(super) fn ordered(&self) -> impl Iterator<Item = &'p crate::scenario::expectation::Pattern> + '_ {
        self.watches.iter().flat_map(|watch| match watch {
            Watch::Order(patterns) => *patterns,
            _ => &[],
        })
    }

    /// Whether an event of these processes could change what is known.
    pub(super) fn minds(&self, event: &Event, processes: Range<ProcessId>) -> bool {
        event.target != Target::None
            || event.verb == "ready"
            || self.watches.iter().any(|watch| watch.minds(self.plan, event, processes.clone()))
    }

    /// The state behind an event.
    pub(super) fn observe(&mut self, before: u32, event: &Event, scene: &Scene<'_>) -> u32 {
        let known = &self.states.things[before as usize];
        if known.watched.iter().all(|watched| watched.decided) {
            return before;
        }
        let mut known = Known::clone(known);
        let process = event.id.process() as usize;
        let bound = event.step.is_none();
        let hits = self.hits(&mut known, event);
        if event.implicit && known.open[process] == 0 {
            known.open[process] = 1 + known.knows[process];
            if self.nests {
                known.knows[process] = self.sets.with(known.knows[process], &[Mark::open(event.id.process())]);
            }
        }
        let closes = !event.implicit && known.open[process] != 0;
        let knew = known.knows[process];
        // What stands for the begin of this event as long as it is not known which marks are to stand for it.
        let sign = if closes { Mark::open(event.id.process()) } else { Mark::NOW };
        let begin: &[Mark] = if closes && self.nests || !closes && !hits.is_empty() { &[sign] } else { &[] };
        let base = if closes { known.open[process] - 1 } else { knew };
        let gives = self.sets.with(base, begin);
        let takes = self.takes(&mut known, event, gives, scene);
        let knows = sync_clock::Sets::join(&mut self.sets, knew, takes);
        known.knows[process] = self.sets.with(knows, begin);
        if closes || !hits.is_empty() {
            let mut changes = Changes { sign, closes, live: known.live, ..Changes::default() };
            for (at, watch) in self.watches.iter().enumerate() {
                let knows = known.knows[process];
                watch.meet(at, event.id.process(), &hits, knows, &mut known.watched[at], &mut self.sets, &mut changes);
            }
            self.change(&mut known, &changes);
            if closes {
                known.open[process] = 0;
                for set in known.watched.iter_mut().flat_map(|watched| &mut watched.sets) {
                    *set = self.sets.filter(*set, |mark| mark != sign);
                }
            }
        }
        if bound && event.verb == "begin" && self.begins[process] {
            known.begun[process] = 1 + known.knows[process];
        }
        if bound && event.verb == "end" {
            self.leave(&mut known, event, scene);
            if !self.ends[process] {
                known.knows[process] = NOTHING;
            }
            for held in &mut known.held {
                held.own.remove(&event.id.process());
            }
        }
        self.forget(&mut known, scene);
        if known.watched.iter().all(|watched| watched.decided) {
            known = Known { watched: known.watched, ..Known::default() };
        }
        let count = self.states.things.len();
        let weight = known.weight();
        let number = self.states.of(&Arc::new(known));
        if number as usize == count {
            self.weight += weight;
        }
        number
    }

    /// By expectation, its place among all about causes and whether it is decided that something was not as it should
    /// be.
    #[cfg(test)]
    pub(super) fn failed(&self, number: u32) -> Vec<(usize, bool)> {
        let watched = self.states.things[number as usize].watched.iter().map(Watched::is_failed);
        self.numbers.iter().copied().zip(watched).collect()
    }

    /// What of the event matters to which expectation.
    fn hits(&self, known: &mut Known, event: &Event) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (at, watch) in self.watches.iter().enumerate() {
            watch.hits(self.plan, at, event, &mut known.watched[at], &mut hits);
        }
        hits
    }

    /// A process has ended: it releases the ends that it holds and what it owns.
    fn leave(&mut self, known: &mut Known, event: &Event, scene: &Scene<'_>) {
        let process = event.id.process();
        let gives = known.knows[process as usize];
        let planned = &self.plan.processes[process as usize];
        let noticing = (0..).zip(&self.plan.objects).filter(|(_, object)| object.object.notices_ends());
        let all = planned.holds.iter().copied().chain(noticing.map(|(object, _)| (object, 0)));
        for (object, end) in all {
            self.hand_over(known, object, end, event, gives, scene);
        }
    }

    /// What the event takes of what the object holds.
    fn hand_over(
        &mut self,
        known: &mut Known,
        object: ObjectId,
        end: u8,
        event: &Event,
        gives: u32,
        scene: &Scene<'_>,
    ) -> u32 {
        let Used { verbs, tries, most, alone } = self.used[object as usize];
        if alone {
            return NOTHING;
        }
        let (shares, held) = ((scene.shares)(object), &mut known.held[object as usize]);
        let (reads, sets, lost) = (self.reads, &mut self.sets, &mut self.lost);
        let mut handover = Handover { event, shares: &shares, gives, reads, verbs, tries, most, end, held, sets, lost };
        self.plan.objects[object as usize].object.hand_over(&mut handover)
    }

    /// What the event takes of what others knew, and what it gives to others.
    fn takes(&mut self, known: &mut Known, event: &Event, gives: u32, scene: &Scene<'_>) -> u32 {
        let process = event.id.process();
        match event.target {
            Target::Object(object) => {
                let end = event.step.map_or(0, |step| self.named[step as usize]);
                self.hand_over(known, object, end, event, gives, scene)
            }
            Target::Process(_) if event.step.is_none() && event.verb == "begin" => {
                let mut takes = NOTHING;
                for (first, count, condition) in &self.plan.program(process).depends_on {
                    for on in (*first..first + count).map(|on| on as usize) {
                        let given = match condition {
                            // The event that allowed its begin came before; it may begin later.
                            Condition::Started => match known.begun[on] {
                                0 => known.knows[on],
                                begun => begun - 1,
                            },
                            Condition::Ready => known.ready[on].saturating_sub(1),
                            Condition::Exited | Condition::Succeeded => known.knows[on],
                        };
                        takes = sync_clock::Sets::join(&mut self.sets, takes, given);
                    }
                }
                takes
            }
            Target::Process(other) if event.step.is_some() && event.outcome.is_ok() => {
                let knows = &mut known.knows[other as usize];
                match event.verb {
                    "start" => {
                        *knows = sync_clock::Sets::join(&mut self.sets, *knows, gives);
                        NOTHING
                    }
                    "join" => *knows,
                    "status" => {
                        let alive =
                            matches!(&event.value, Value::Map(map) if map.get("alive") == Some(&Value::Bool(true)));
                        match known.begun[other as usize] {
                            _ if !alive => {
                                if (scene.ended)(other) {
                                    *knows
                                } else {
                                    NOTHING
                                }
                            }
                            0 => *knows,
                            begun => begun - 1,
                        }
                    }
                    _ => NOTHING,
                }
            }
            _ => {
                if event.verb == "ready" && self.readies[process as usize] && known.ready[process as usize] == 0 {
                    known.ready[process as usize] = 1 + gives;
                }
                NOTHING
            }
        }
    }

    /// Lets marks stand for other events, everywhere.
    fn change(&mut self, known: &mut Known, changes: &Changes) {
        let sets = &mut self.sets;
        let mut changed: HashMap<u32, u32> = HashMap::new();
        let mut change = |set: u32| {
            *changed.entry(set).or_insert_with(|| {
                let signed = sets.has(set, changes.sign);
                let left = sets.filter(set, |mark| mark != changes.sign && !changes.gone.contains(&mark));
                if signed { sets.with(left, &changes.new) } else { left }
            })
        };
        for set in &mut known.knows {
            *set = change(*set);
        }
        for set in known.open.iter_mut().chain(&mut known.ready).chain(&mut known.begun).filter(|set| **set != 0) {
            *set = 1 + change(*set - 1);
        }
        for held in &mut known.held {
            for set in held.sets.iter_mut().chain(held.own.values_mut()) {
                *set = change(*set);
            }
            held.tidy();
        }
        let live = self.sets.filter(known.live, |mark| !changes.gone.contains(&mark));
        known.live = self.sets.with(live, &changes.new);
    }

    /// Forgets what all processes know that may still move.
    fn forget(&mut self, known: &mut Known, scene: &Scene<'_>) {
        let mut common = self.sets.marks(known.live).to_vec();
        for (process, set) in (0..).zip(&known.knows) {
            if common.is_empty() {
                return;
            }
            if !(scene.ended)(process) {
                common.retain(|mark| self.sets.has(*set, *mark));
            }
        }
        if !common.is_empty() {
            let changes = Changes { sign: Mark::NOW, gone: common, ..Changes::default() };
            self.change(known, &changes);
        }
    }
}

/// The steps that a plan has for an object: whose they are, and how often each is carried out at most by all of those
/// together; none where it stands in a loop.
fn uses(plan: &Plan, object: ObjectId) -> Vec<(Range<ProcessId>, Option<u64>)> {
    let mut uses = Vec::new();
    for program in &plan.programs {
        let loops = program.code.iter().enumerate().any(|(place, instruction)| match instruction {
            Instruction::Jump(to) => *to <= place,
            _ => false,
        });
        let processes = program.range();
        let times = (!loops).then_some(processes.len() as u64);
        for operation in program.operations() {
            for (id, verb) in operation.accessed() {
                if id == object {
                    uses.push((processes.clone(), times));
                }
                let touched = plan.objects[id as usize].object.touches(verb);
                let touching = touched.into_iter().filter(|(other, _)| *other == object);
                uses.extend(touching.map(|_| (processes.clone(), None)));
            }
        }
    }
    uses
}
