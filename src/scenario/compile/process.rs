//! Steps on other processes: `start`, `join`, `status`, `kill`.

use super::outcome::Foreseen;
use super::{Compiler, PossibleTarget, signal_number};
use crate::diagnostic::{Code, Diagnostic};
use crate::event::StepId;
use crate::expression::Expression;
use crate::objects::Verb;
use crate::outcome::Outcome;
use crate::scenario::document::{Fields, Item};
use crate::scenario::plan::{Action, Processes};
use crate::scenario::scope::ProcessScope;
use crate::value::{Types, Value};
use std::rc::Rc;
use toml::de::DeValue;

impl Compiler<'_> {
    pub(super) fn on_process(&mut self, verb: &'static Verb, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let into = match fields.peek("into") {
            Some(_) if !verb.result.is_empty() => {
                let types = if verb.name == "join" { Types::INT } else { verb.result };
                fields.take("into").and_then(|item| self.variable_item(item, types))
            }
            _ => None,
        };
        let signal = match fields.peek("signal") {
            Some(_) if verb.name == "kill" => fields.take("signal").and_then(|item| self.signal(item)),
            _ => Some(libc::SIGKILL),
        };
        let found = self.checker.text(item, "a process's name").and_then(|text| {
            let mut scope = ProcessScope { params: Rc::clone(&self.params), variables: &self.variables, it: None };
            self.declared.process_of_step(self.checker, &text, &mut scope).map(|found| (text, found))
        });
        let (Some((text, (program, index, beyond))), Some(signal)) = (found, signal) else {
            self.keep_common(fields);
            return;
        };
        let named = &self.declared.programs[program];
        let count = named.count.unwrap_or(1);
        let mut processes = Processes { first: named.first, count, index: None };
        match index.as_ref().filter(|_| beyond.is_none()).and_then(Expression::as_constant).and_then(Value::as_int) {
            Some(at) => processes = Processes { first: named.first + at as u32, count: 1, index: None },
            None => processes.index = index,
        }
        if verb.name == "status" && count > 1 && processes.count > 1 && processes.index.is_none() {
            self.checker.error(
                Code::OUT_OF_RANGE,
                text.span.clone(),
                format!("name one of them, as `{}[0]`", named.name),
                "an index is missing",
            );
        }
        let itself = verb.name == "join" && program == self.program && named.count.is_none();
        let started = verb.name == "start" && !named.manual;
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
        self.possible(verb.name, PossibleTarget::Processes(processes.range()));
        let action = match verb.name {
            "start" => Action::Start(processes),
            "join" => Action::Join(processes),
            "status" => Action::Status(processes),
            _ => Action::Kill(processes, signal),
        };
        self.operate(fields, step, action, (into, None), verb, foreseen);
    }

    pub(super) fn signal(&mut self, item: Item<'_>) -> Option<i32> {
        if let DeValue::Integer(integer) = item.get_ref()
            && integer.as_str() == "0"
        {
            return Some(0);
        }
        let text = self.checker.text(item, "a signal's name, as \"TERM\", or 0")?;
        let found = signal_number(text.value);
        if found.is_none() {
            let names: Vec<_> =
                nix::sys::signal::Signal::iterator().map(|signal| signal.as_str().trim_start_matches("SIG")).collect();
            let diagnostic = Diagnostic::error(Code::UNKNOWN_NAME, format!("no signal is called `{}`", text.value)).at(
                &self.checker.source,
                text.span.clone(),
                "unknown signal",
            );
            let diagnostic = match crate::diagnostic::nearest(text.value, names) {
                Some(near) => diagnostic.suggest(text.span, format!("\"{near}\"")),
                None => diagnostic,
            };
            self.checker.report(diagnostic);
        }
        found
    }
}
