//! Follows the state of a run along its events, and evaluates state expressions in it.
//!
//! An expression need only be evaluated again once something changed that it read the last time: what it did not
//! read then, it cannot have depended on.

use std::cell::Cell;
use std::collections::HashMap;

use super::context::Context;
use super::describe;
use crate::event::{Event, ObjectId, ProcessId, Target};
use crate::expression::{Builtin, Environment, Error, Expression};
use crate::objects::State;
use crate::outcome::Outcome;
use crate::scenario::plan::Fact;
use crate::trace::ProcessEnd;
use crate::value::Value;

/// The state of a run after some of its events.
pub(crate) struct Replay<'a> {
    context: &'a Context<'a>,
    names: Vec<String>,
    /// By object, where anything wants to know of it.
    states: Vec<Option<Box<dyn State>>>,
    /// Which facts an object's events can change.
    by_object: Vec<Vec<u32>>,
    counting: Vec<u32>,
    sections: Vec<u32>,
    blocking: Vec<u32>,
    ending: Vec<u32>,
    /// The values of the facts so far; none where it must be found out anew.
    known: Vec<Option<Value>>,
    counts: Vec<i64>,
    /// The processes inside each section, and how often.
    inside: HashMap<String, HashMap<ProcessId, u32>>,
    ended: Vec<Option<i64>>,
    /// For `blocked`: the places of each process's events, and how many of them are over.
    lanes: Vec<Vec<u32>>,
    over: Vec<usize>,
    now: u64,
    place: usize,
    /// Whether the objects' last values come from the engine.
    last: bool,
    changed: Vec<u32>,
}

/// One evaluation of a state expression.
pub(crate) struct Evaluation {
    /// The value, or why there is none.
    pub(crate) result: Result<bool, String>,
    /// The facts that were read.
    pub(crate) read: Vec<u32>,
    /// Whether it depends on the time.
    pub(crate) volatile: bool,
    /// Why what was read is not certain.
    pub(crate) uncertain: Option<String>,
}

impl<'a> Replay<'a> {
    /// The state before the first event, with what the plan's state expressions read.
    pub(crate) fn new(context: &'a Context<'a>) -> Self {
        let plan = context.plan;
        let mut by_object: Vec<Vec<u32>> = vec![Vec::new(); plan.objects.len()];
        let (mut counting, mut sections, mut blocking, mut ending) = (vec![], vec![], vec![], vec![]);
        for (number, fact) in plan.facts.iter().enumerate() {
            let number = number as u32;
            match fact {
                Fact::Value(group) => {
                    let group = &plan.groups[*group];
                    for object in group.first..group.first + group.count.unwrap_or(1) {
                        by_object[object as usize].push(number);
                    }
                }
                Fact::Size(object) => by_object[*object as usize].push(number),
                Fact::Count(_) => counting.push(number),
                Fact::Inside(_) => sections.push(number),
                Fact::Blocked(..) => blocking.push(number),
                Fact::Ended(_) | Fact::Exit(_) => ending.push(number),
            }
        }
        let mut replay = Self::bare(context);
        replay.states = (plan.objects.iter().zip(&by_object))
            .map(|(plan, facts)| (!facts.is_empty()).then(|| plan.object.state()))
            .collect();
        if !blocking.is_empty() {
            replay.lanes = vec![Vec::new(); plan.processes.len()];
            for (place, event) in context.trace.events.iter().enumerate() {
                if let Some(lane) = replay.lanes.get_mut(event.id.process() as usize).filter(|_| !event.implicit) {
                    lane.push(place as u32);
                }
            }
            replay.over = vec![0; replay.lanes.len()];
        }
        (replay.by_object, replay.counting, replay.sections) = (by_object, counting, sections);
        (replay.blocking, replay.ending) = (blocking, ending);
        replay
    }

    /// The same, for the states of these objects alone.
    pub(crate) fn of(context: &'a Context<'a>, objects: &[ObjectId]) -> Self {
        let mut replay = Self::bare(context);
        for object in objects {
            replay.states[*object as usize] = Some(context.plan.objects[*object as usize].object.state());
        }
        replay
    }

    fn bare(context: &'a Context<'a>) -> Self {
        let plan = context.plan;
        Self {
            context,
            names: plan.process_names(),
            states: plan.objects.iter().map(|_| None).collect(),
            by_object: vec![Vec::new(); plan.objects.len()],
            counting: Vec::new(),
            sections: Vec::new(),
            blocking: Vec::new(),
            ending: Vec::new(),
            known: vec![None; plan.facts.len()],
            counts: vec![0; plan.facts.len()],
            inside: HashMap::new(),
            ended: vec![None; plan.processes.len()],
            lanes: Vec::new(),
            over: Vec::new(),
            now: 0,
            place: 0,
            last: false,
            changed: Vec::new(),
        }
    }

    /// Takes in the next event. Gives its place and the facts that it may have changed; none behind the last event.
    pub(crate) fn step(&mut self) -> Option<(usize, &[u32])> {
        let context = self.context;
        let place = self.place;
        let event = context.trace.events.get(place)?;
        self.place += 1;
        self.now = self.now.max(event.end);
        self.changed.clear();
        if let crate::event::Target::Object(object) = event.target
            && let Some(Some(state)) = self.states.get_mut(object as usize)
        {
            state.apply(event);
            self.changed.extend(&self.by_object[object as usize]);
        }
        for number in &self.counting {
            if let Fact::Count(pattern) = &context.plan.facts[*number as usize]
                && pattern.matches(event)
            {
                self.counts[*number as usize] += 1;
                self.changed.push(*number);
            }
        }
        self.pass(event);
        if !self.blocking.is_empty() {
            if let Some(over) = self.over.get_mut(event.id.process() as usize).filter(|_| !event.implicit) {
                *over += 1;
            }
            self.changed.extend(&self.blocking);
        }
        for number in &self.changed {
            self.known[*number as usize] = None;
        }
        Some((place, &self.changed))
    }

    fn pass(&mut self, event: &Event) {
        let process = event.id.process();
        if let ("enter" | "leave", Some(label)) = (event.verb, event.second.as_str())
            && event.outcome.is_ok()
            && !self.sections.is_empty()
        {
            let depth = self.inside.entry(label.to_owned()).or_default().entry(process).or_default();
            *depth = if event.verb == "enter" { *depth + 1 } else { depth.saturating_sub(1) };
            self.changed.extend(&self.sections);
        }
        if event.verb == "end" && event.step.is_none() {
            let stopped = self.context.trace.ends.get(process as usize) == Some(&ProcessEnd::Stopped);
            if let (Some(ended), false) = (self.ended.get_mut(process as usize), stopped) {
                *ended = Some(event.value.as_int().unwrap_or(0));
                self.changed.extend(&self.ending);
            }
            for section in self.inside.values_mut() {
                section.remove(&process);
            }
            self.changed.extend(&self.sections);
        }
    }

    /// Goes to the end of the run, where the engine itself may know the objects' last values.
    pub(crate) fn finish(mut self) -> Self {
        while self.step().is_some() {}
        self.last = true;
        self.known.fill(None);
        for (ended, end) in self.ended.iter_mut().zip(&self.context.trace.ends) {
            *ended = end.code();
        }
        self
    }

    /// The value of an object now.
    pub(crate) fn value(&self, object: ObjectId) -> Option<Value> {
        if self.last
            && let Some(Some(value)) = self.context.trace.finals.get(object as usize)
        {
            return Some(value.clone());
        }
        self.states.get(object as usize)?.as_ref().map(|state| state.value(&self.names))
    }

    /// Whether every event that had to do with the object was taken in, or the engine itself says what it is.
    pub(crate) fn doubt(&self, object: ObjectId) -> Option<String> {
        let given = self.last && matches!(self.context.trace.finals.get(object as usize), Some(Some(_)));
        if given { None } else { self.context.gap_on(&[object]) }
    }

    pub(crate) fn evaluate(&mut self, condition: &Expression) -> Evaluation {
        let mut view = View { replay: self, read: Vec::new(), volatile: Cell::new(false), uncertain: None };
        let result = match condition.evaluate(&mut view) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(format!("the condition is {}, neither true nor false", describe::value(&other))),
            Err(error) => Err(error.message),
        };
        let View { mut read, volatile, uncertain, .. } = view;
        read.sort_unstable();
        read.dedup();
        Evaluation { result, read, volatile: volatile.get(), uncertain }
    }

    /// The value of a fact now.
    pub(crate) fn fact(&mut self, number: u32) -> Value {
        let at = number as usize;
        if let Some(Some(value)) = self.known.get(at) {
            return value.clone();
        }
        let value = self.compute(at);
        if let Some(known) = self.known.get_mut(at) {
            *known = Some(value.clone());
        }
        value
    }

    fn compute(&self, number: usize) -> Value {
        let plan = self.context.plan;
        match plan.facts.get(number) {
            None => Value::Null,
            Some(Fact::Value(group)) => {
                let group = &plan.groups[*group];
                match group.count {
                    None => self.value(group.first).unwrap_or_default(),
                    Some(count) => (group.first..group.first + count)
                        .map(|object| self.value(object).unwrap_or_default())
                        .collect::<Vec<_>>()
                        .into(),
                }
            }
            Some(Fact::Size(object)) => {
                let own = self.states[*object as usize].as_ref().and_then(|state| state.size());
                own.map_or_else(|| self.value(*object).map_or(Value::Null, |value| size(&value)), Value::Int)
            }
            Some(Fact::Count(_)) => Value::Int(self.counts[number]),
            Some(Fact::Inside(label)) => {
                let inside = self.inside.get(label);
                Value::Int(inside.map_or(0, |who| who.values().filter(|depth| **depth > 0).count() as i64))
            }
            Some(Fact::Blocked(processes, at)) => {
                Value::Bool(processes.iter().all(|process| self.is_blocked(*process, at)))
            }
            Some(Fact::Ended(processes)) => {
                Value::Bool(processes.iter().all(|process| matches!(self.ended.get(*process as usize), Some(Some(_)))))
            }
            Some(Fact::Exit(process)) => match self.ended.get(*process as usize) {
                Some(Some(code)) => Value::Int(*code),
                _ => Value::Null,
            },
        }
    }

    /// Whether the process waits, for one of these where there are any: within an event that had to wait, or for ever.
    fn is_blocked(&self, process: ProcessId, at: &[Target]) -> bool {
        let meant = |target: Target| at.is_empty() || at.contains(&target);
        let trace = self.context.trace;
        let next = self.lanes.get(process as usize).and_then(|lane| lane.get(self.over[process as usize]));
        match next.map(|place| (*place as usize, &trace.events[*place as usize])) {
            Some((place, event)) if event.step.is_some() => {
                event.blocked && meant(event.target) && self.context.step_begin(place) <= self.now
            }
            Some((_, event)) if event.verb == "begin" => false,
            _ => {
                let ended = matches!(self.ended.get(process as usize), Some(Some(_)));
                !ended
                    && self
                        .context
                        .waiting()
                        .iter()
                        .any(|waiting| waiting.process == process && meant(waiting.target) && waiting.since <= self.now)
            }
        }
    }

    /// What a fact is called: `size(q)`.
    pub(crate) fn fact_name(&self, number: u32) -> String {
        let plan = self.context.plan;
        let names = |processes: &[ProcessId]| {
            describe::listed(processes.iter().map(|process| self.context.name(*process).to_owned()), processes.len())
        };
        match plan.facts.get(number as usize) {
            None => "?".to_owned(),
            Some(Fact::Value(group)) => plan.groups[*group].name.clone(),
            Some(Fact::Size(object)) => format!("size({})", plan.objects[*object as usize].name),
            Some(Fact::Count(pattern)) => format!("count('{}')", pattern.text),
            Some(Fact::Inside(label)) => format!("inside('{label}')"),
            Some(Fact::Blocked(processes, at)) => {
                let at = at.iter().map(|target| plan.target_name(*target).to_owned());
                let at = describe::listed(at.clone(), at.count());
                let at = if at.is_empty() { at } else { format!(" at {at}") };
                format!("blocked('{}{at}')", names(processes))
            }
            Some(Fact::Ended(processes)) => format!("ended('{}')", names(processes)),
            Some(Fact::Exit(process)) => format!("exit('{}')", self.context.name(*process)),
        }
    }

    /// `money = 4800, size(q) = 3`; what the condition read.
    pub(crate) fn facts(&mut self, numbers: &[u32]) -> String {
        let facts: Vec<String> = numbers
            .iter()
            .map(|number| format!("{} = {}", self.fact_name(*number), describe::value(&self.fact(*number))))
            .collect();
        if facts.is_empty() { "nothing is read".to_owned() } else { facts.join(", ") }
    }

    /// The event that last had to do with a fact, among those taken in.
    pub(crate) fn last_touch(&self, number: u32) -> Option<usize> {
        let context = self.context;
        let on = |event: &Event, objects: std::ops::Range<ObjectId>| {
            matches!(event.target, crate::event::Target::Object(id) if objects.contains(&id))
                && event.outcome.is_ok()
                && !matches!(event.verb, "load" | "size" | "poll")
        };
        let plan = context.plan;
        let touches = |event: &Event| match plan.facts.get(number as usize) {
            Some(Fact::Value(group)) => {
                let group = &plan.groups[*group];
                on(event, group.first..group.first + group.count.unwrap_or(1))
            }
            Some(Fact::Size(object)) => on(event, *object..object + 1),
            Some(Fact::Count(pattern)) => pattern.matches(event),
            Some(Fact::Inside(label)) => {
                matches!(event.verb, "enter" | "leave") && event.second.as_str() == Some(label)
            }
            Some(Fact::Ended(processes)) => {
                event.step.is_none() && event.verb == "end" && processes.contains(&event.id.process())
            }
            Some(Fact::Exit(process)) => event.step.is_none() && event.verb == "end" && event.id.process() == *process,
            Some(Fact::Blocked(..)) | None => false,
        };
        context.trace.events[..self.place].iter().rposition(touches)
    }

    /// Why a fact is not certain: events that bear on it were not recorded.
    fn fact_doubt(&self, number: u32) -> Option<String> {
        let plan = self.context.plan;
        match plan.facts.get(number as usize)? {
            Fact::Value(group) => {
                let group = &plan.groups[*group];
                (group.first..group.first + group.count.unwrap_or(1)).find_map(|object| self.doubt(object))
            }
            Fact::Size(object) => self.doubt(*object),
            Fact::Count(pattern) => self.context.gap(std::slice::from_ref(pattern)),
            Fact::Inside(_) | Fact::Blocked(..) => self.context.gap_anywhere(),
            Fact::Ended(_) | Fact::Exit(_) => None,
        }
    }
}

/// A replay as an expression sees it.
struct View<'v, 'a> {
    replay: &'v mut Replay<'a>,
    read: Vec<u32>,
    volatile: Cell<bool>,
    uncertain: Option<String>,
}

impl Environment for View<'_, '_> {
    fn slot(&self, _slot: u32) -> &Value {
        &Value::Null
    }

    fn builtin(&self, builtin: Builtin) -> Value {
        match builtin {
            Builtin::Now => {
                self.volatile.set(true);
                Value::Float(self.replay.now as f64 / 1e9)
            }
            _ => Value::Null,
        }
    }

    fn state(&mut self, number: u32) -> Result<Value, Error> {
        if number as usize >= self.replay.known.len() {
            return Err(Error::new(Outcome::INVALID, "there is no such state"));
        }
        if self.uncertain.is_none() && !self.read.contains(&number) {
            self.uncertain = self.replay.fact_doubt(number);
        }
        self.read.push(number);
        Ok(self.replay.fact(number))
    }

    fn random(&mut self, low: i64, _high: i64) -> i64 {
        self.volatile.set(true);
        low
    }
}

/// What `size` means of a value.
pub(crate) fn size(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::Int(text.chars().count() as i64),
        Value::Bytes(bytes) => Value::Int(bytes.len() as i64),
        Value::List(items) => Value::Int(items.len() as i64),
        Value::Map(map) => Value::Int(map.len() as i64),
        _ => Value::Null,
    }
}
