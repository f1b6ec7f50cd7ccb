//! Steps on the signals that a process gets: what it does at one, masks, waits.

use super::{Compiler, PossibleTarget, signal_name};
use crate::diagnostic::{Code, Diagnostic};
use crate::event::StepId;
use crate::expression::Expression;
use crate::objects::contract::operation::VerbId;
use crate::objects::kinds::process::ProcessVerb;
use crate::objects::kinds::signals::{HANDLED, SignalVerb, is_fixed, moves_the_process};
use crate::objects::{Form, Verb};
use crate::outcome::Outcome;
use crate::scenario::document::{Fields, Item};
use crate::scenario::plan::{Instruction, OperationPlan, Program, fixed_duration};
use crate::scenario::scope::HANDLER;
use crate::value::{Types, Value};
use std::ops::Range;
use toml::de::DeValue;

impl Compiler<'_> {
    pub(super) fn on_signals(
        &mut self,
        verb: &'static Verb,
        does: SignalVerb,
        item: Item<'_>,
        fields: &Fields<'_>,
        step: StepId,
    ) {
        let mut operation = OperationPlan::new(step, VerbId::Signal(does));
        let mut arguments = Vec::with_capacity(verb.arguments.len());
        for (at, argument) in verb.arguments.iter().enumerate() {
            let given = match argument.form {
                _ if at == 0 => Some(item),
                Form::Steps => None,
                _ => fields.take(argument.name),
            };
            arguments.push(match (given, argument.form) {
                (None, _) => Some(Expression::constant(Value::Null)),
                (Some(item), Form::Nothing) => {
                    if !matches!(item.get_ref(), DeValue::Boolean(true)) {
                        self.checker.wrong_type(item, &format!("`true`: `{}` has no argument", verb.name));
                    }
                    Some(Expression::constant(Value::Null))
                }
                (Some(item), Form::Into) => {
                    operation.into = self.variable_item(item, verb.result);
                    Some(Expression::constant(Value::Bool(true)))
                }
                (Some(item), Form::Second) => {
                    operation.second = self.variable_item(item, Types::INT);
                    Some(Expression::constant(Value::Bool(true)))
                }
                (Some(item), form) => self.argument(item, form),
            });
        }
        self.possible(verb.name, PossibleTarget::None);
        let arguments: Option<Vec<_>> = arguments.into_iter().collect();
        let signals = arguments.as_ref().map(|arguments| named(arguments, does)).unwrap_or_default();
        self.can_be_handled(&signals, item.span());
        let mut foreseen = Vec::new();
        if does == SignalVerb::Action && signals.iter().any(|signal| is_fixed(*signal)) {
            foreseen.push(self.foreseen(Outcome::INVALID, "KILL and STOP have their effect in any case", item.span()));
        }
        let at = self.code.len();
        match arguments {
            Some(arguments) => self.operate(fields, operation.with(verb, arguments), verb, foreseen),
            None => self.keep_common(fields),
        }
        if does == SignalVerb::Action {
            self.handler(fields, at);
        }
    }

    /// Refuses what is not followed here: signals that move the process besides, and no signal at all.
    fn can_be_handled(&mut self, signals: &[i32], span: Range<usize>) {
        for signal in signals {
            if *signal == 0 {
                self.checker.error(Code::BAD_VALUE, span.clone(), "0 is no signal: it only asks", "a signal's name");
            } else if moves_the_process(*signal) {
                let name = signal_name(*signal);
                let message =
                    format!("a handler or a mask for `{name}`, which stops or continues, is not supported yet");
                self.checker.error(Code::LATER, span.clone(), message, "not supported yet");
            }
        }
    }

    /// The steps that run at a signal, behind the step at that place, jumped over.
    fn handler(&mut self, fields: &Fields<'_>, at: usize) {
        let (steps, action) = (fields.take("do"), fields.peek("action"));
        let Some(steps) = steps else {
            if action.is_none() {
                let message = "`on_signal` needs `do = [..]` or `action`";
                self.checker.error(Code::MISSING_KEY, fields.span.clone(), message, "what is to be done?");
            }
            return;
        };
        if action.is_some() {
            let message = "a signal has either steps (`do`) or an `action`";
            self.checker.error(Code::BAD_VALUE, fields.key_span("action"), message, "beside `do`");
        }
        for (name, types) in HANDLER {
            self.variables.assign(&format!("${name}"), types);
        }
        let own = &self.declared.programs[self.program];
        let range = own.first..own.first + own.count.unwrap_or(1);
        self.possible(HANDLED, PossibleTarget::Processes(range));
        let over = self.jump();
        let place = self.code.len();
        // No loop and no section of the steps around it reaches into it.
        let (loops, sections) = (std::mem::take(&mut self.loops), std::mem::take(&mut self.sections));
        let before = std::mem::replace(&mut self.variables.in_handler, true);
        self.step_list(Some(steps));
        self.variables.in_handler = before;
        (self.loops, self.sections) = (loops, sections);
        self.code.push(Instruction::Return);
        self.land(&[over]);
        if let Some(Instruction::Operate(operation)) = self.code.get_mut(at) {
            operation.handler = Some(place);
        }
    }

    /// A list of signals.
    pub(super) fn signals(&mut self, item: Item<'_>) -> Option<Value> {
        let items = self.checker.array(item, "a list of signals, as [\"TERM\"]")?;
        let signals: Option<Vec<Value>> =
            items.iter().map(|item| self.signal(item).map(|signal| Value::Int(signal.into()))).collect();
        Some(Value::from(signals?))
    }
}

/// The signals that a step names.
fn named(arguments: &[Expression], does: SignalVerb) -> Vec<i32> {
    if does == SignalVerb::Alarm {
        return Vec::new();
    }
    let at = usize::from(does == SignalVerb::Pause);
    match arguments.get(at).and_then(Expression::as_constant) {
        Some(Value::Int(signal)) => vec![*signal as i32],
        Some(Value::List(list)) => list.iter().filter_map(Value::as_int).map(|signal| signal as i32).collect(),
        _ => Vec::new(),
    }
}

/// What a process that has to do with signals cannot have: waits that no handler interrupts here.
pub(in crate::scenario) fn check(
    checker: &mut crate::scenario::document::Checker,
    program: &Program,
    steps: &[crate::scenario::plan::Step],
) {
    let restarts = |operation: &&OperationPlan| {
        let restart = operation.arguments.get(3).and_then(Expression::as_constant);
        operation.handler.is_some() && restart == Some(&Value::Bool(true))
    };
    let restarting = program.operations().find(restarts).map(|operation| operation.step);
    let mut found: Vec<Diagnostic> = Vec::new();
    let ignores = |operation: &&OperationPlan| {
        let action = operation.arguments.get(2).and_then(Expression::as_constant).and_then(Value::as_str);
        operation.acts_at() == Some(libc::SIGCHLD) && action == Some("ignore")
    };
    let waits = |operation: &&OperationPlan| operation.verb == VerbId::Process(ProcessVerb::WaitAny);
    if let (Some(ignores), Some(waits)) = (program.operations().find(ignores), program.operations().find(waits)) {
        let [ignores, waits] = [ignores, waits].map(|operation| steps[operation.step as usize].span.clone());
        let message = "`wait_any` in a process that ignores CHLD, whose ended processes nothing has to join, is not supported yet";
        found.push(
            Diagnostic::error(Code::LATER, message)
                .at(&checker.source, waits, "not supported yet")
                .also(ignores, "ignored here"),
        );
    }
    for operation in program.operations().filter(|operation| operation.blocks) {
        let step = &steps[operation.step as usize];
        match (operation.restarts, restarting) {
            (None, _) => {
                let message = format!(
                    "`{}` on `{}` in a process that handles or masks signals is not supported yet",
                    step.verb, step.object
                );
                found.push(
                    Diagnostic::error(Code::LATER, message)
                        .at(&checker.source, step.span.clone(), "not supported yet")
                        .help("a semaphore, a queue, a pipe, an event or an eventfd can be waited for"),
                );
            }
            (Some(true), Some(on_signal))
                if operation.timeout.as_ref().map(fixed_duration).is_some_and(|time| time != Some(0)) =>
            {
                let message = format!(
                    "a `timeout` of `{}`, which a handler with `restart = true` would let continue, is not supported yet",
                    step.verb
                );
                let handler = steps[on_signal as usize].span.clone();
                found.push(
                    Diagnostic::error(Code::LATER, message)
                        .at(&checker.source, step.span.clone(), "not supported yet")
                        .also(handler, "the handler"),
                );
            }
            _ => {}
        }
    }
    for diagnostic in found {
        checker.report(diagnostic);
    }
}
