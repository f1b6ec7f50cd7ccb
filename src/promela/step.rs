//! What a step that others notice asks for, and what can come of it.

use std::ops::Range;

use super::expression::Scope;
use super::process::Body;
use crate::event::{ObjectId, ProcessId};
use crate::explore::semantics::transition::Time;
use crate::expression::Expression;
use crate::objects::contract::model::Willing;
use crate::objects::contract::promela::{Call, Check, Given, Refusal, Term, Way};
use crate::outcome::Outcome;
use crate::scenario::plan::{Action, Delay, ObjectAction, Operation, Processes};

/// One of what a step may be about: where this holds, it is.
type Candidate<T> = (Option<String>, T);

impl<'p> Body<'_, 'p> {
    /// What may go wrong before the step asks for anything: such a process never reaches the step.
    pub(super) fn asks(&self, operation: &Operation, place: usize) -> Result<Vec<Check>, Refusal> {
        let mut checks = Vec::new();
        if let Some(Delay::Computed(_)) = operation.timeout {
            return Err("a timeout that is computed has no translation".to_owned());
        }
        match &operation.action {
            Action::Object(action) => {
                if let Some((count, index)) = &action.index {
                    self.within(index, place, *count, &mut checks)?;
                }
                if let Some(element) = &action.element {
                    let lengths = objects(action);
                    let lengths = lengths.map(|id| self.world.plan.objects[id as usize].object.length().unwrap_or(0));
                    let lengths: Vec<u32> = lengths.collect();
                    if lengths.iter().any(|length| *length != lengths[0]) {
                        return Err("elements of arrays of several lengths have no translation".to_owned());
                    }
                    self.within(element, place, lengths[0], &mut checks)?;
                }
                for argument in &action.arguments {
                    checks.extend(self.at(place).compute(argument.node())?.checks);
                }
            }
            Action::Start(processes) | Action::Join(processes) | Action::Status(processes) => {
                if let Some(index) = &processes.index {
                    self.within(index, place, processes.count, &mut checks)?;
                }
            }
            Action::Sleep(delay) | Action::Busy(delay) => {
                if let Delay::Computed(_) = delay {
                    return Err("a time that is computed has no translation".to_owned());
                }
            }
            _ => {}
        }
        Ok(checks)
    }

    /// An index from 0 to less than `count`.
    fn within(&self, index: &Expression, place: usize, count: u32, checks: &mut Vec<Check>) -> Result<(), Refusal> {
        let computed = self.at(place).int(index.node())?;
        checks.extend(computed.checks);
        let at = &computed.term.text;
        match computed.term.as_int() {
            Some(known) if (0..i64::from(count)).contains(&known) => {}
            Some(_) => checks.push(Check { when: "true".to_owned(), outcome: Some(Outcome::OUT_OF_RANGE) }),
            None => {
                let when = format!("({at} < 0 || {at} >= {count})");
                checks.push(Check { when, outcome: Some(Outcome::OUT_OF_RANGE) });
            }
        }
        Ok(())
    }

    /// Which of several a step is about.
    fn candidates(
        &self,
        first: u32,
        count: u32,
        index: Option<&Expression>,
        place: usize,
    ) -> Result<Vec<Candidate<u32>>, Refusal> {
        let Some(index) = index else { return Ok(vec![(None, first)]) };
        let index = self.at(place).int(index.node())?.term;
        Ok(match index.as_int() {
            Some(at) => vec![(None, first + at.clamp(0, i64::from(count) - 1) as u32)],
            None => (0..count).map(|at| (Some(format!("({} == {at})", index.text)), first + at)).collect(),
        })
    }

    /// What can come of the step of a process that stands there.
    pub(super) fn ways(&self, operation: &'p Operation, place: usize, inside: bool) -> Result<Vec<Way>, Refusal> {
        let willing = match operation.timeout {
            None => Willing::Forever,
            Some(Delay::Fixed(0)) => Willing::Never,
            Some(_) if self.world.time == Time::Any => Willing::Timed,
            Some(_) => return Err("a timeout, unless it may be over at any time".to_owned()),
        };
        let mut ways = match &operation.action {
            Action::Object(action) => self.on_object(operation, action, place, inside, willing)?,
            Action::Yield | Action::Status(_) => vec![Way::ok("true", Vec::new())],
            Action::Sleep(_) | Action::Busy(_) if self.world.time == Time::Any => vec![Way::ok("true", Vec::new())],
            Action::Sleep(_) | Action::Busy(_) => {
                return Err("the time that a step takes, unless it may be over at any time".to_owned());
            }
            Action::Start(processes) => self.for_each(processes, place, Self::start)?,
            Action::Join(processes) => self.for_each(processes, place, |body, range| body.join(&range, willing))?,
            _ => return Err("signals have no translation".to_owned()),
        };
        if place == self.world.begins[self.process as usize].place
            && let Some(started) = self.world.started(self.process)
        {
            restrict(&mut ways, &started);
        }
        Ok(ways)
    }

    fn on_object(
        &self,
        operation: &Operation,
        action: &'p ObjectAction,
        place: usize,
        inside: bool,
        willing: Willing,
    ) -> Result<Vec<Way>, Refusal> {
        let index = action.index.as_ref().map(|(count, index)| (*count, index));
        let (count, index) = index.map_or((1, None), |(count, index)| (count, Some(index)));
        let scope = self.at(place);
        let element = action.element.as_ref().map(|element| scope.int(element.node())).transpose()?;
        let arguments = action.arguments.iter().map(|argument| Ok(scope.compute(argument.node())?.term));
        let arguments = arguments.collect::<Result<Vec<Term>, Refusal>>()?;
        let update = |it: &Term| -> Result<_, Refusal> {
            let Some(update) = &action.update else { return Err("there is no expression".to_owned()) };
            Scope { it: Some(it), ..self.at(place) }.compute(update.node())
        };
        let mut all = Vec::new();
        for (guard, object) in self.candidates(action.first, count, index, place)? {
            let translated = self.world.object(object)?;
            let call = Call {
                around: self.world.around(object),
                verb: action.verb,
                end: action.end,
                element: element.as_ref().map(|element| &element.term),
                arguments: &arguments,
                willing,
                me: &self.me,
                into: operation.into.is_some(),
                update: action.update.is_some().then_some(&update),
            };
            let mut ways = if inside { translated.resume(&call) } else { translated.begin(&call)? };
            if let Some(guard) = guard {
                restrict(&mut ways, &guard);
            }
            all.extend(ways);
        }
        Ok(all)
    }

    fn for_each(
        &self,
        processes: &Processes,
        place: usize,
        ways: impl Fn(&Self, Range<ProcessId>) -> Vec<Way>,
    ) -> Result<Vec<Way>, Refusal> {
        if processes.index.is_none() {
            return Ok(ways(self, processes.range()));
        }
        let mut all = Vec::new();
        for (guard, process) in self.candidates(processes.first, processes.count, processes.index.as_ref(), place)? {
            let mut these = ways(self, process..process + 1);
            if let Some(guard) = guard {
                restrict(&mut these, &guard);
            }
            all.extend(these);
        }
        Ok(all)
    }

    /// Starts processes: those that are not started yet.
    fn start(&self, processes: Range<ProcessId>) -> Vec<Way> {
        // They are all of one program.
        if !self.world.plan.program(processes.start).manual {
            return vec![Way::ends("true", Outcome::IN_USE)];
        }
        let effects: Vec<String> = processes.clone().map(|process| format!("p_begun[{process}] = 1")).collect();
        let new = processes.map(|process| format!("!p_begun[{process}]")).collect::<Vec<_>>();
        let new = format!("({})", new.join(" && "));
        let again = Way { effects: effects.clone(), ..Way::ends(format!("!{new}"), Outcome::IN_USE) };
        vec![Way::ok(new, effects), again]
    }

    /// Waits until processes have ended, and gives the first exit status that is not 0. What the processes before one
    /// have come to decides before it does; a process that would wait for itself does not wait.
    fn join(&self, processes: &Range<ProcessId>, willing: Willing) -> Vec<Way> {
        let at_once = willing == Willing::Never || processes.contains(&self.process);
        let mut ended: Vec<String> = Vec::new();
        let mut code = "0".to_owned();
        let mut ways = Vec::new();
        for process in processes.clone() {
            if process == self.process {
                ways.push(Way::ends(all(&ended), Outcome::WOULD_DEADLOCK));
                return ways;
            }
            if let Some(this) = self.world.ended(process) {
                if at_once {
                    let not = [ended.as_slice(), &[format!("!({this})")]].concat();
                    ways.push(Way::ends(all(&not), Outcome::WOULD_BLOCK));
                }
                ended.push(this);
            }
        }
        for process in processes.clone().rev() {
            let one = self.world.code(process);
            code = match (one.as_str(), code.as_str()) {
                ("0", _) => code,
                (_, "0") => one,
                _ => format!("({one} != 0 -> {one} : {code})"),
            };
        }
        let guard = all(&ended);
        if willing == Willing::Timed && guard != "true" {
            ways.push(Way::ends(format!("!{guard}"), Outcome::TIMEOUT));
        }
        ways.push(Way::ok(guard, Vec::new()).gives(Given::After(Term::int(code))));
        ways
    }
}

/// The objects that a step may be about.
fn objects(action: &ObjectAction) -> Range<ObjectId> {
    action.first..action.first + action.index.as_ref().map_or(1, |(count, _)| *count)
}

/// Where all of these hold.
fn all(parts: &[String]) -> String {
    if parts.is_empty() { "true".to_owned() } else { format!("({})", parts.join(" && ")) }
}

/// Adds to the conditions under which ways are some.
fn restrict(ways: &mut [Way], guard: &str) {
    for way in ways {
        way.guard = if way.guard == "true" { guard.to_owned() } else { format!("{guard} && {}", way.guard) };
    }
}
