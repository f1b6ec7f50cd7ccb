//! Updates each history variable for an event.

use std::collections::HashMap;

use super::History;
use super::causal_past::Scene;
use super::waits::{TRUE, WAITED};
use crate::event::{Event, ObjectId, ProcessId, Target};
use crate::judge::history::{Changes, Memory, access, common, equal};
use crate::objects::Model;
use crate::scenario::expectation::Pattern;
use crate::scenario::plan::Fact;
use crate::trace::ProcessEnd;
use crate::value::Value;

/// When an event happened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moment<'a> {
    /// Virtual time, in ns.
    pub(crate) now: u64,
    /// What was chosen in its turn.
    pub(crate) script: &'a [u32],
    /// The process whose turn it is: it has not ended yet.
    pub(crate) acting: Option<ProcessId>,
}

/// A state, as memories see and change it.
pub(crate) trait StateView {
    /// The number of what all share of a memory.
    fn shared(&self, memory: usize) -> u32;
    fn set_shared(&mut self, memory: usize, number: u32);
    /// What a process keeps in that slot; 0 at first.
    fn note(&self, process: ProcessId, slot: u32) -> u32;
    /// All that a process keeps.
    fn notes(&self, process: ProcessId) -> Vec<(u32, u32)>;
    /// Changes what a process keeps.
    fn set_note(&mut self, process: ProcessId, slot: u32, note: u32);
    /// An object and every process's share of it.
    fn object(&self, object: ObjectId) -> (&dyn Model, Vec<u32>);
    /// How a process has ended.
    fn end(&self, process: ProcessId) -> Option<ProcessEnd>;
}

/// Slots of one memory.
const SLOTS: u32 = 1 << 12;
/// The slot of when a process's last event ended, which several memories need.
const SINCE: u32 = u32::MAX;

pub(super) fn slot(memory: usize, part: usize) -> u32 {
    memory as u32 * SLOTS + part as u32 % SLOTS
}

impl History<'_> {
    /// Takes in an event, the state being what it is after it.
    pub(crate) fn observe(&mut self, sight: &mut dyn StateView, event: &Event, moment: Moment<'_>) {
        let mut changed = self.end_wait(sight, event);
        for (at, knowledge) in &mut self.knowledge {
            let scene = Scene {
                ended: &|process| moment.acting != Some(process) && sight.end(process).is_some(),
                shares: &|object| sight.object(object).1,
            };
            let after = knowledge.observe(sight.shared(*at), event, &scene);
            sight.set_shared(*at, after);
        }
        for at in 0..self.list.len() {
            let known = self.knowledge.iter().any(|(place, _)| *place == at);
            if !known && !matches!(self.list[at].memory, Memory::Ever { .. }) {
                changed |= self.one(at, sight, event, moment);
            }
        }
        if self.list.iter().any(|kept| matches!(kept.memory, Memory::Waits(_) | Memory::Course(_))) && !event.implicit {
            let ended = event.step.is_none() && event.verb == "end";
            let since = if ended { 0 } else { self.time(moment.now) };
            sight.set_note(event.id.process(), SINCE, since);
        }
        let on = matches!(event.target, Target::Object(object) if self.watched[object as usize]);
        let ended = event.step.is_none() && event.verb == "end" && self.ends[event.id.process() as usize];
        for at in 0..self.list.len() {
            if changed || on || ended || self.list[at].memory.is_timed() {
                self.ever(at, sight, moment);
            }
        }
    }

    /// Takes from what conditions have been the wait of a process whose step this event ends. Whether it is one of
    /// those that they ask about: then what they are can be another.
    fn end_wait(&mut self, sight: &mut dyn StateView, event: &Event) -> bool {
        let about = !event.implicit && self.waits.is_about(event.id.process());
        if about {
            let waited = sight.note(event.id.process(), WAITED) != 0;
            sight.set_note(event.id.process(), WAITED, 0);
            for at in 0..self.list.len() {
                if let Memory::Ever { .. } = self.list[at].memory {
                    let before = self.list[at].shared.things[sight.shared(at) as usize][0] as u32;
                    let after = self.waits.decide(before, event, waited);
                    let number = self.list[at].shared.of(&vec![i64::from(after)]);
                    sight.set_shared(at, number);
                }
            }
        }
        about
    }

    /// Takes in what a condition is in a state.
    fn ever(&mut self, at: usize, sight: &mut dyn StateView, moment: Moment<'_>) {
        let Memory::Ever { condition, holds } = self.list[at].memory else { return };
        let before = self.list[at].shared.things[sight.shared(at) as usize][0] as u32;
        if before == TRUE {
            return;
        }
        let now = self.diagram(condition, holds, sight, moment, &mut HashMap::new());
        let after = self.waits.choose(before, TRUE, now);
        let number = self.list[at].shared.of(&vec![i64::from(after)]);
        sight.set_shared(at, number);
    }

    /// Evaluates the conditions in the state before the first event.
    pub(crate) fn begin(&mut self, sight: &mut dyn StateView) {
        for at in 0..self.list.len() {
            self.ever(at, sight, Moment::default());
        }
    }

    /// Takes in a step, whatever events it has.
    pub(crate) fn step(&mut self, sight: &mut dyn StateView, what: &[u32], script: &[u32]) {
        if !self.everything {
            return;
        }
        let key: Vec<u8> = what.iter().chain(script).flat_map(|word| word.to_le_bytes()).collect();
        let sign = self.signs.of(&key);
        let before = self.list[0].shared.things[sight.shared(0) as usize][0] as u32;
        let after = self.nodes.of(&(before, 0, sign));
        let number = self.list[0].shared.of(&vec![i64::from(after)]);
        sight.set_shared(0, number);
    }

    /// A number for a time; never 0.
    fn time(&mut self, now: u64) -> u32 {
        self.signs.of(&now.to_le_bytes().to_vec()) + 1
    }

    fn time_of(&self, number: u32) -> u64 {
        let bytes = number.checked_sub(1).and_then(|at| self.signs.things.get(at as usize));
        bytes.and_then(|bytes| bytes.as_slice().try_into().ok()).map_or(0, u64::from_le_bytes)
    }

    /// Whether it was changed in a way that conditions can notice.
    fn one(&mut self, at: usize, sight: &mut dyn StateView, event: &Event, moment: Moment<'_>) -> bool {
        let process = event.id.process();
        let ended = event.step.is_none() && event.verb == "end";
        let before = sight.shared(at);
        let mut shared = self.list[at].shared.things[before as usize].clone();
        let mut noticed = false;
        match &self.list[at].memory {
            Memory::Fact(number) => match self.plan.facts.get(*number as usize) {
                Some(Fact::Count(pattern)) if pattern.matches(event) => shared[0] += 1,
                Some(Fact::Inside(section)) => {
                    let depth = sight.note(process, slot(at, 0));
                    let by = Changes::Section(section).by(self.plan, event);
                    let deep = match by {
                        i64::MIN => 0,
                        by => (i64::from(depth) + by).max(0) as u32,
                    };
                    if deep != depth {
                        noticed = true;
                        // A process that is inside at its end leaves then.
                        self.wants_ends |= ended && self.list[at].ordered && !self.ends[process as usize];
                        sight.set_note(process, slot(at, 0), deep);
                    }
                }
                _ => {}
            },
            Memory::Count { of, most } => {
                if shared[0] <= *most && of.matches(self.plan, event) {
                    shared[0] += 1;
                }
            }
            Memory::Values { of, lists, ordered } => {
                if of.matches(event) && !lists.is_empty() && shared != [-1] {
                    let (lists, ordered) = (lists.clone(), *ordered);
                    let number = self.value(&event.value);
                    shared.push(i64::from(number));
                    if !ordered {
                        shared.sort_unstable();
                    }
                    let values: Vec<&Value> =
                        shared.iter().map(|number| &self.values.things[*number as usize]).collect();
                    if !lists.iter().any(|list| begins(list, &values, ordered)) {
                        shared = vec![-1];
                    }
                }
            }
            Memory::Firsts { patterns, which } => {
                let (patterns, which) = (*patterns, *which);
                let node = if which && self.past { Some(self.node(sight, event)) } else { None };
                firsts(patterns, &mut shared, event, node);
            }
            Memory::Late(patterns) => late(patterns, &mut shared, event),
            Memory::Pairs { each, other, before, same } => {
                let (needs, gives) = (each.matches(event), other.matches(event));
                let mut open = if *same { i64::from(sight.note(process, slot(at, 0))) } else { shared[1] };
                if *before {
                    if needs && open == 0 {
                        shared[0] = 1;
                    }
                    open = (open - i64::from(needs)).max(0) + i64::from(gives);
                } else {
                    open = (open - i64::from(gives)).max(0) + i64::from(needs);
                }
                if *same {
                    if needs || gives {
                        sight.set_note(process, slot(at, 0), open as u32);
                    }
                } else {
                    shared[1] = open;
                }
            }
            Memory::Most { of, most, strict } => {
                let (by, most, strict) = (of.by(self.plan, event), *most, *strict);
                let between = matches!(of, Changes::Between(_));
                if by != 0 {
                    let slot = slot(at, 0);
                    let held = i64::from(sight.note(process, slot));
                    self.wants_ends |= ended && held > 0 && !self.ends[process as usize];
                    let has = if by == i64::MIN { 0 } else { held.saturating_add(by) };
                    if has < 0 && strict {
                        shared[1] = 1;
                    }
                    let has = if between { has.min(1) } else { has }.max(0);
                    if has != held {
                        sight.set_note(process, slot, has as u32);
                    }
                    if by > 0 {
                        let processes = self.plan.processes.len() as ProcessId;
                        let number = (0..processes).filter(|process| sight.note(*process, slot) > 0).count() as i64;
                        shared[0] = shared[0].max(number.min(most + 1));
                    }
                    if strict && by != i64::MIN {
                        shared[2] = (shared[2] + by).max(0);
                        shared[3] = shared[3].max(shared[2].min(most + 1));
                    }
                    // Then permits count and not processes.
                    if shared[1] == 1 {
                        shared[0] = 0;
                    }
                }
            }
            Memory::Lost { object, most } => {
                let (object, most) = (*object, *most);
                if ended {
                    for (slot, _) in sight.notes(process) {
                        if slot / SLOTS == at as u32 {
                            sight.set_note(process, slot, 0);
                        }
                    }
                } else if let Some((cell, uses)) = access(self.plan, object, event) {
                    let cells = &mut self.list[at].cells;
                    let own = cells.of(&cell) as usize;
                    let known = sight.note(process, slot(at, own));
                    if uses.plain && known == STALE && shared[0] <= most {
                        shared[0] += 1;
                    }
                    if uses.writes {
                        let touched: Vec<usize> =
                            (0..cells.things.len()).filter(|other| common(cells.things[*other], cell)).collect();
                        for other in (0..self.plan.processes.len() as ProcessId).filter(|other| *other != process) {
                            for cell in &touched {
                                if sight.note(other, slot(at, *cell)) == FRESH {
                                    sight.set_note(other, slot(at, *cell), STALE);
                                }
                            }
                        }
                    }
                    if !uses.plain || known != 0 {
                        sight.set_note(process, slot(at, own), FRESH);
                    }
                }
            }
            Memory::Past => self.past(at, sight, event, moment, &mut shared),
            Memory::Spans(processes) => {
                if processes.contains(&process) && event.step.is_none() {
                    let time = self.time(moment.now);
                    sight.set_note(process, slot(at, usize::from(ended)), time);
                }
            }
            Memory::Waits(pattern) => {
                if pattern.matches(event) && !matches!(event.verb, "sleep" | "busy") {
                    let since = self.time_of(sight.note(process, SINCE));
                    shared[0] = shared[0].max(moment.now.saturating_sub(since) as i64);
                }
            }
            Memory::Course(list) => {
                if list.iter().any(|events| events.matches(self.plan, event)) || ended && self.list[at].ends {
                    let since = self.time_of(sight.note(process, SINCE));
                    let sign = self.sign(event, &[u64::from(process), since, moment.now]);
                    shared[0] = i64::from(self.nodes.of(&(shared[0] as u32, u32::MAX, sign)));
                }
            }
            Memory::Ever { .. } | Memory::Everything | Memory::Before(_) | Memory::Causes(_) | Memory::Races { .. } => {
            }
        }
        let after = self.list[at].shared.of(&shared);
        if after != before {
            sight.set_shared(at, after);
        }
        noticed || after != before && matches!(self.list[at].memory, Memory::Fact(_))
    }

    /// The past of an event that is about no object.
    fn node(&mut self, sight: &dyn StateView, event: &Event) -> u32 {
        let at = self.list.iter().position(|kept| matches!(kept.memory, Memory::Past));
        let before = at.map_or(0, |at| sight.note(event.id.process(), slot(at, 0)));
        let sign = self.sign(event, &[]);
        self.nodes.of(&(before, u32::MAX - 1, sign))
    }

    /// Joins the past of a process with that of what its event is about.
    fn past(&mut self, at: usize, sight: &mut dyn StateView, event: &Event, moment: Moment<'_>, shared: &mut [i64]) {
        let process = event.id.process();
        let slot = slot(at, 0);
        let script: Vec<u64> = moment.script.iter().map(|choice| u64::from(*choice)).collect();
        let sign = self.sign(event, &script);
        let own = sight.note(process, slot);
        match event.target {
            Target::Object(object) => {
                let past = self.nodes.of(&(own, shared[object as usize] as u32, sign));
                shared[object as usize] = i64::from(past);
                sight.set_note(process, slot, past);
            }
            Target::Process(_) if event.step.is_none() && event.verb == "end" => {
                let past = self.nodes.of(&(own, 0, sign));
                sight.set_note(process, slot, past);
            }
            Target::Process(_) if event.step.is_none() => {
                let mut past = self.nodes.of(&(own, 0, sign));
                for (first, count, _) in &self.plan.program(process).depends_on {
                    for on in *first..first + count {
                        past = self.nodes.of(&(past, sight.note(on, slot), sign));
                    }
                }
                sight.set_note(process, slot, past);
            }
            Target::Process(other) => {
                let past = self.nodes.of(&(own, sight.note(other, slot), sign));
                sight.set_note(process, slot, past);
                if matches!(event.verb, "start" | "kill") {
                    sight.set_note(other, slot, past);
                }
            }
            Target::None => {}
        }
    }
}

/// In a process's notes on a cell: it knows what the cell is; others have written since.
const FRESH: u32 = 1;
const STALE: u32 = 2;

/// Whether the values are the beginning of the list, or some of it where the order does not count.
fn begins(list: &[Value], values: &[&Value], ordered: bool) -> bool {
    if ordered {
        return values.len() <= list.len() && list.iter().zip(values).all(|(a, b)| equal(a, b));
    }
    let mut left: Vec<&Value> = list.iter().collect();
    values.iter().all(|value| match left.iter().position(|other| equal(other, value)) {
        Some(at) => {
            left.swap_remove(at);
            true
        }
        None => false,
    })
}

/// `shared`: for each pattern, how many matches there were up to the one it stands for; as the how-manieth of all it
/// came; which event it was.
fn firsts(patterns: &[Pattern], shared: &mut [i64], event: &Event, node: Option<u32>) {
    let count = patterns.len();
    let rank = shared[count..2 * count].iter().max().copied().unwrap_or(0) + 1;
    for (at, pattern) in patterns.iter().enumerate() {
        let wanted = patterns[..at].iter().filter(|other| other.text == pattern.text).count() as i64 + 1;
        if shared[at] < wanted && pattern.matches(event) {
            shared[at] += 1;
            if shared[at] == wanted {
                shared[count + at] = rank;
                shared[2 * count + at] = node.map_or(0, i64::from);
            }
        }
    }
}

/// `shared`: whether one came too late, and for each pattern whether it has come.
fn late(patterns: &[Pattern], shared: &mut [i64], event: &Event) {
    if shared[0] == 1 {
        return;
    }
    for (at, pattern) in patterns.iter().enumerate().skip(1) {
        if pattern.matches(event) {
            shared[at + 1] = 1;
        }
    }
    for (at, pattern) in patterns.iter().enumerate() {
        if shared.get(at + 2) == Some(&1) && pattern.matches(event) {
            shared.fill(0);
            shared[0] = 1;
            return;
        }
    }
}
