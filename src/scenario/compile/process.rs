//! Steps on other processes: `start`, `join`, `status`, `kill`.

use super::outcome::Foreseen;
use super::{Compiler, PossibleTarget, signal_name, signal_number};
use crate::diagnostic::{Code, Diagnostic};
use crate::event::{ProcessId, StepId, Target};
use crate::expression::Expression;
use crate::objects::contract::operation::VerbId;
use crate::objects::kinds::process::ProcessVerb;
use crate::objects::kinds::signals::moves_the_process;
use crate::objects::{Form, Verb};
use crate::outcome::Outcome;
use crate::scenario::document::{Checker, Fields, Item};
use crate::scenario::plan::{Operand, OperationPlan};
use crate::scenario::scope::ProcessScope;
use crate::value::{Types, Value};
use std::ops::Range;
use std::rc::Rc;
use toml::de::DeValue;

impl Compiler<'_> {
    pub(super) fn on_process(
        &mut self,
        verb: &'static Verb,
        does: ProcessVerb,
        item: Item<'_>,
        fields: &Fields<'_>,
        step: StepId,
    ) {
        let mut operation = OperationPlan::new(step, VerbId::Process(does));
        let mut arguments = vec![Expression::constant(Value::Null)];
        let mut sound = true;
        for argument in &verb.arguments[1..] {
            let given = fields.take(argument.name);
            arguments.push(match (given, argument.form) {
                (Some(item), Form::Into) => {
                    operation.into = self.variable_item(item, verb.result);
                    Expression::constant(Value::Bool(true))
                }
                (Some(item), form) => self.argument(item, form).unwrap_or_else(|| {
                    sound = false;
                    Expression::constant(Value::Null)
                }),
                (None, Form::Signal) => Expression::constant(Value::Int(libc::SIGKILL.into())),
                (None, _) => Expression::constant(Value::Null),
            });
        }
        let grouped = item.get_ref().as_str().and_then(|name| name.strip_prefix("group:"));
        if let Some(group) = grouped.filter(|_| does == ProcessVerb::Kill) {
            arguments[0] = Expression::constant(Value::from(group));
            operation.operands = self.members(group, does, item);
            if operation.operands.is_empty() || !sound {
                self.keep_common(fields);
                return;
            }
            for operand in &operation.operands {
                self.possible(verb.name, PossibleTarget::Processes(operand.processes()));
            }
            self.operate(fields, operation.with(verb, arguments), verb, Vec::new());
            return;
        }
        let found = self.checker.text(item, "a process's name").and_then(|text| {
            let mut scope = ProcessScope { params: Rc::clone(&self.params), variables: &self.variables, it: None };
            self.declared.process_of_step(self.checker, &text, &mut scope).map(|found| (text, found))
        });
        let (Some((text, (program, index, beyond))), true) = (found, sound) else {
            self.keep_common(fields);
            return;
        };
        let named = &self.declared.programs[program];
        let count = named.count.unwrap_or(1);
        let mut operand = processes(does, named.first, Some(count));
        match index.as_ref().filter(|_| beyond.is_none()).and_then(Expression::as_constant).and_then(Value::as_int) {
            Some(at) => (operand.first, operand.count) = (Target::Process(named.first + at as u32), 1),
            None => operand.index = index,
        }
        if does == ProcessVerb::Status && operand.count > 1 && operand.index.is_none() {
            self.checker.error(
                Code::OUT_OF_RANGE,
                text.span.clone(),
                format!("name one of them, as `{}[0]`", named.name),
                "an index is missing",
            );
        }
        let itself = does == ProcessVerb::Join && program == self.program && named.count.is_none();
        let started = does == ProcessVerb::Start && !named.manual;
        let foreseen = if itself {
            Some((Outcome::WOULD_DEADLOCK, "a process cannot wait for its own end".to_owned()))
        } else if started {
            let reason = format!("`{}` starts by itself; with `start = \"manual\"` it waits for this step", named.name);
            Some((Outcome::IN_USE, reason))
        } else {
            None
        };
        let beyond = beyond.map(|diagnostic| Foreseen { outcome: Outcome::OUT_OF_RANGE, diagnostic });
        let foreseen = foreseen.map(|(outcome, reason)| self.foreseen(outcome, &reason, text.span.clone()));
        let foreseen = beyond.into_iter().chain(foreseen).collect();
        self.possible(verb.name, PossibleTarget::Processes(operand.processes()));
        operation.operands.push(operand);
        self.operate(fields, operation.with(verb, arguments), verb, foreseen);
    }

    /// The processes of a group, which has some.
    fn members(&mut self, group: &str, does: ProcessVerb, item: Item<'_>) -> Vec<Operand> {
        let programs = &self.declared.programs;
        let members = programs.iter().filter(|program| program.group.as_deref() == Some(group));
        let members: Vec<Operand> = members.map(|program| processes(does, program.first, program.count)).collect();
        if members.is_empty() {
            let names = programs.iter().filter_map(|program| program.group.as_deref());
            let diagnostic = Diagnostic::error(Code::UNKNOWN_NAME, format!("no process is in a group `{group}`"))
                .at(&self.checker.source, item.span(), "unknown group")
                .suggest_nearest(item.span(), group, names);
            self.checker.report(diagnostic);
        }
        members
    }

    /// A wait for any process that this one has started.
    pub(super) fn wait_any(&mut self, verb: &'static Verb, fields: &Fields<'_>, step: StepId, span: Range<usize>) {
        let does = ProcessVerb::WaitAny;
        let mut operation = OperationPlan::new(step, VerbId::Process(does));
        let null = || Expression::constant(Value::Null);
        let mut taken = |name: &str, types: Types| {
            let slot = fields.take(name).map(|item| self.variable_item(item, types));
            (slot.flatten(), slot.map_or_else(null, |_| Expression::constant(Value::Bool(true))))
        };
        let (into, given) = taken(verb.arguments[1].name, verb.result);
        let (second, code) = taken(verb.arguments[2].name, Types::INT);
        (operation.into, operation.second) = (into, second);
        // All that a `start` step could have started.
        let manual = || self.declared.programs.iter().filter(|program| program.manual);
        let first = manual().map(|program| program.first).min();
        let behind = manual().map(|program| program.first + program.count.unwrap_or(1)).max();
        let range = first.unwrap_or(0)..behind.unwrap_or(0);
        let mut foreseen = Vec::new();
        if range.is_empty() {
            let reason = "no process has `start = \"manual\"`, so this one starts none";
            foreseen.push(self.foreseen(Outcome::NO_PROCESS, reason, span));
        } else {
            operation.operands.push(processes(does, range.start, Some(range.end - range.start)));
        }
        self.possible(verb.name, PossibleTarget::Processes(range));
        self.operate(fields, operation.with(verb, vec![null(), given, code]), verb, foreseen);
    }

    pub(super) fn signal(&mut self, item: Item<'_>) -> Option<i32> {
        if let DeValue::Integer(integer) = item.get_ref()
            && integer.as_str() == "0"
        {
            return Some(0);
        }
        signal(self.checker, item, "a signal's name, as \"TERM\", or 0")
    }
}

/// What a step names: these processes.
fn processes(does: ProcessVerb, first: ProcessId, count: Option<u32>) -> Operand {
    let first = Target::Process(first);
    Operand { first, count: count.unwrap_or(1), index: None, verb: does as u8, end: 0, element: None }
}

/// The signal of a process's key `parent_death`.
pub(in crate::scenario) fn parent_death(checker: &mut Checker, item: Item<'_>) -> Option<i32> {
    let found = signal(checker, item, "a signal's name, as \"TERM\"")?;
    if moves_the_process(found) || found == libc::SIGSTOP {
        let message = format!("`{}`, which stops or continues, is not supported here yet", signal_name(found));
        checker.error(Code::LATER, item.span(), message, "not supported yet");
        return None;
    }
    Some(found)
}

fn signal(checker: &mut Checker, item: Item<'_>, what: &str) -> Option<i32> {
    let text = checker.text(item, what)?;
    let found = signal_number(text.value);
    if found.is_none() {
        let names: Vec<_> =
            nix::sys::signal::Signal::iterator().map(|signal| signal.as_str().trim_start_matches("SIG")).collect();
        let diagnostic = Diagnostic::error(Code::UNKNOWN_NAME, format!("no signal is called `{}`", text.value)).at(
            &checker.source,
            text.span.clone(),
            "unknown signal",
        );
        let diagnostic = match crate::diagnostic::nearest(text.value, names) {
            Some(near) => diagnostic.suggest(text.span, format!("\"{near}\"")),
            None => diagnostic,
        };
        checker.report(diagnostic);
    }
    found
}
