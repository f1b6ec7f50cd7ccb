//! What a step that others notice asks for, and what can come of it.

use std::ops::Range;

use super::expression::Scope;
use super::process::Body;
use crate::event::{ObjectId, ProcessId};
use crate::explore::semantics::transition::Time;
use crate::expression::Expression;
use crate::objects::contract::model::Willing;
use crate::objects::contract::operation::VerbId;
use crate::objects::contract::promela::{Call, Check, Given, Refusal, Term, Way};
use crate::objects::kinds::own::OwnVerb;
use crate::objects::kinds::process::ProcessVerb;
use crate::outcome::Outcome;
use crate::scenario::plan::{Operand, OperationPlan, fixed_duration};

/// One of what a step may be about: where this holds, it is.
type Candidate<T> = (Option<String>, T);

impl<'p> Body<'_, 'p> {
    /// What may go wrong before the step asks for anything: whoever finds that never stands at the step.
    pub(super) fn asks(&self, operation: &OperationPlan, place: usize) -> Result<Vec<Check>, Refusal> {
        let mut checks = Vec::new();
        if operation.timeout.as_ref().is_some_and(|timeout| fixed_duration(timeout).is_none()) {
            return Err("a timeout that is computed has no translation".to_owned());
        }
        if matches!(operation.verb, VerbId::Timer(_)) && operation.constants.is_none() {
            return Err("a time that is computed has no translation".to_owned());
        }
        let kills = operation.verb == VerbId::Process(ProcessVerb::Kill);
        for operand in operation.operands.iter().filter(|_| !kills) {
            if let Some(index) = &operand.index {
                self.within(index, place, operand.count, &mut checks)?;
            }
            if let Some(element) = &operand.element {
                let length = |id: ObjectId| self.world.plan.objects[id as usize].object.length().unwrap_or(0);
                let lengths: Vec<u32> = operand.objects().map(length).collect();
                if lengths.iter().any(|length| *length != lengths[0]) {
                    return Err("elements of arrays of several lengths have no translation".to_owned());
                }
                self.within(element, place, lengths[0], &mut checks)?;
            }
        }
        if operation.verb == VerbId::Object {
            for argument in &operation.arguments {
                checks.extend(self.at(place).compute(argument.node())?.checks);
            }
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
        all: &Range<u32>,
        index: Option<&Expression>,
        place: usize,
    ) -> Result<Vec<Candidate<u32>>, Refusal> {
        let (first, count) = (all.start, all.end - all.start);
        let Some(index) = index else { return Ok(vec![(None, first)]) };
        let index = self.at(place).int(index.node())?.term;
        Ok(match index.as_int() {
            Some(at) => vec![(None, first + at.clamp(0, i64::from(count) - 1) as u32)],
            None => (0..count).map(|at| (Some(format!("({} == {at})", index.text)), first + at)).collect(),
        })
    }

    /// What can come of the step of a process that stands there.
    pub(super) fn ways(&self, operation: &'p OperationPlan, place: usize, inside: bool) -> Result<Vec<Way>, Refusal> {
        let willing = match operation.timeout.as_ref().map(fixed_duration) {
            None => Willing::Forever,
            Some(Some(0)) => Willing::Never,
            Some(_) if self.world.time == Time::Any => Willing::Timed,
            Some(_) => return Err("a timeout, unless it may be over at any time".to_owned()),
        };
        let operand = operation.operands.first();
        let mut ways = match (operation.verb, operand) {
            (VerbId::Object, Some(operand)) => self.on_object(operation, operand, place, inside, willing)?,
            (VerbId::Own(OwnVerb::Yield) | VerbId::Process(ProcessVerb::Status), _) => {
                vec![Way::ok("true", Vec::new())]
            }
            (VerbId::Timer(_), _) if self.world.time == Time::Any => vec![Way::ok("true", Vec::new())],
            (VerbId::Timer(_), _) => {
                return Err("the time that a step takes, unless it may be over at any time".to_owned());
            }
            (VerbId::Process(ProcessVerb::Start), Some(operand)) => self.for_each(operand, place, Self::start)?,
            (VerbId::Process(ProcessVerb::Join), Some(operand)) => {
                self.for_each(operand, place, |body, range| body.join(&range, willing))?
            }
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
        operation: &'p OperationPlan,
        operand: &'p Operand,
        place: usize,
        inside: bool,
        willing: Willing,
    ) -> Result<Vec<Way>, Refusal> {
        let scope = self.at(place);
        let element = operand.element.as_ref().map(|element| scope.int(element.node())).transpose()?;
        let arguments = operation.arguments.iter().map(|argument| Ok(scope.compute(argument.node())?.term));
        let arguments = arguments.collect::<Result<Vec<Term>, Refusal>>()?;
        let update = |it: &Term| -> Result<_, Refusal> {
            let Some(update) = &operation.update else { return Err("there is no expression".to_owned()) };
            Scope { it: Some(it), ..self.at(place) }.compute(update.node())
        };
        let mut all = Vec::new();
        for (guard, object) in self.candidates(&operand.objects(), operand.index.as_ref(), place)? {
            let translated = self.world.object(object)?;
            let call = Call {
                around: self.world.around(object),
                verb: operand.verb,
                end: operand.end,
                element: element.as_ref().map(|element| &element.term),
                arguments: &arguments,
                willing,
                me: &self.me,
                into: operation.into.is_some(),
                update: operation.update.is_some().then_some(&update),
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
        operand: &Operand,
        place: usize,
        ways: impl Fn(&Self, Range<ProcessId>) -> Vec<Way>,
    ) -> Result<Vec<Way>, Refusal> {
        let processes = operand.processes();
        if operand.index.is_none() {
            return Ok(ways(self, processes));
        }
        let mut all = Vec::new();
        for (guard, process) in self.candidates(&processes, operand.index.as_ref(), place)? {
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
