//! Writing a trace file.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use super::lines::{self, Table};
use super::value::Plain;
use super::{FORMAT, Meta, VERSION, hash};
use crate::event::{Event, ObjectId, ProcessId, StepId, Target};
use crate::outcome::Outcome;
use crate::scenario::plan::Plan;
use crate::text;
use crate::trace::{Limit, ProcessEnd, RunEnd, Trace, Waiting};
use crate::value::Value;

/// Bytes that are gathered before they are written.
const CHUNK: usize = 64 << 10;

/// Writes a trace with the scenario it is of.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut dyn Write, plan: &Plan, trace: &Trace, meta: &Meta) -> io::Result<()> {
    let mut file = File { out, buffer: Vec::with_capacity(CHUNK + (4 << 10)) };
    let names = Names { plan };
    file.line(&names.header(trace, meta))?;
    for (at, event) in trace.events.iter().enumerate() {
        file.line(&names.event(at as u64 + 1, event))?;
    }
    for waiting in &trace.stuck {
        file.line(&names.waiting(lines::STUCK, waiting))?;
    }
    for (process, end) in (0..).zip(&trace.ends) {
        file.line(&names.exit(process, *end, trace.unfinished.contains(&process)))?;
    }
    file.line(&names.end(trace))?;
    file.flush()
}

/// An event as its line of a trace file has it, without `type`: for reports that show events to programs.
pub fn event_json(plan: &Plan, trace: &Trace, at: usize) -> Option<serde_json::Value> {
    let event = trace.events.get(at)?;
    untyped(&Names { plan }.event(at as u64 + 1, event))
}

/// A process that waits, as its line of a trace file has it, without `type`.
pub fn waiting_json(plan: &Plan, waiting: &Waiting) -> Option<serde_json::Value> {
    untyped(&Names { plan }.waiting("", waiting))
}

/// How a process ended, as its line of a trace file has it, without `type`.
pub fn exit_json(plan: &Plan, trace: &Trace, process: ProcessId) -> Option<serde_json::Value> {
    let end = trace.ends.get(process as usize)?;
    untyped(&Names { plan }.exit(process, *end, trace.unfinished.contains(&process)))
}

/// A value in the form that a trace file has it in.
pub fn value_json(value: &Value) -> serde_json::Value {
    // Only keys that are no text or numbers that are not finite could fail, and there are none.
    serde_json::to_value(Plain(value.clone())).unwrap_or_default()
}

fn untyped(line: &impl Serialize) -> Option<serde_json::Value> {
    let mut value = serde_json::to_value(line).ok()?;
    value.as_object_mut()?.shift_remove("type");
    Some(value)
}

struct File<'a> {
    out: &'a mut dyn Write,
    buffer: Vec<u8>,
}

impl File<'_> {
    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let begin = self.buffer.len();
        serde_json::to_writer(&mut self.buffer, line)?;
        if let Ok(written) = str::from_utf8(&self.buffer[begin..])
            && let Cow::Owned(escaped) = text::json(written)
        {
            self.buffer.truncate(begin);
            self.buffer.extend_from_slice(escaped.as_bytes());
        }
        self.buffer.push(b'\n');
        if self.buffer.len() >= CHUNK {
            self.out.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.out.flush()
    }
}

struct Names<'a> {
    plan: &'a Plan,
}

impl<'a> Names<'a> {
    fn process(&self, process: ProcessId) -> Cow<'a, str> {
        self.plan.target_name(Target::Process(process)).into()
    }

    fn object(&self, object: ObjectId) -> Cow<'a, str> {
        self.plan.target_name(Target::Object(object)).into()
    }

    fn target(&self, target: Target) -> (Option<Cow<'a, str>>, Option<Cow<'a, str>>) {
        match target {
            Target::None => (None, None),
            Target::Object(id) => (Some(self.object(id)), None),
            Target::Process(id) => (None, Some(self.process(id))),
        }
    }

    fn line_of(&self, step: StepId) -> usize {
        self.plan.steps[step as usize].line
    }

    fn header(&self, trace: &Trace, meta: &Meta) -> lines::Header<'a> {
        let plan = self.plan;
        lines::Header {
            tag: lines::TRACE,
            format: FORMAT.into(),
            version: VERSION,
            ipcrun: env!("CARGO_PKG_VERSION").to_owned(),
            engine: trace.engine.to_owned(),
            scenario: lines::Scenario {
                path: plan.source.path.raw().into(),
                hash: hash(&plan.source.text).into(),
                text: plan.source.text.as_str().into(),
            },
            seed: plan.seed,
            timeout: plan.timeout,
            set: Table(meta.set.clone()),
            params: Table(plan.params.iter().map(|(name, value)| (name.clone(), Plain(value.clone()))).collect()),
            objects: (0..)
                .zip(&plan.objects)
                .map(|(id, object)| lines::Object {
                    name: object.name.as_str().into(),
                    kind: plan.kind(id).name.into(),
                })
                .collect(),
            processes: plan.processes.iter().map(|process| process.name.as_str().into()).collect(),
            steps: plan
                .steps
                .iter()
                .map(|step| lines::Step {
                    process: plan.programs[step.program].name.as_str().into(),
                    verb: step.verb.into(),
                    object: step.object.as_str().into(),
                    line: step.line,
                })
                .collect(),
            machine: meta.machine.clone(),
            started: meta.started.clone(),
        }
    }

    fn event(&self, n: u64, event: &Event) -> lines::Event<'a> {
        let (object, peer) = self.target(event.target);
        lines::Event {
            tag: lines::EVENT,
            n,
            process: self.process(event.id.process),
            seq: event.id.number,
            begin: event.begin,
            end: event.end,
            step: event.step,
            line: event.step.map(|step| self.line_of(step)),
            verb: event.verb.into(),
            object,
            peer,
            element: event.element,
            outcome: outcome_text(event.outcome),
            value: event.value.clone(),
            second: event.second.clone(),
            ticket: event.ticket,
            cause: event.cause.map(|cause| lines::Cause { process: self.process(cause.process), seq: cause.number }),
            blocked: event.blocked,
            implicit: event.implicit,
        }
    }

    fn waiting(&self, tag: &'static str, waiting: &Waiting) -> lines::Waiting<'a> {
        let (object, peer) = self.target(waiting.target);
        lines::Waiting {
            tag,
            process: self.process(waiting.process),
            step: waiting.step,
            line: waiting.step.map(|step| self.line_of(step)),
            verb: waiting.verb.clone().into(),
            object,
            peer,
            since: waiting.since,
            on: waiting.on.iter().map(|process| self.process(*process)).collect(),
            holder: waiting.holder.map(|process| self.process(process)),
        }
    }

    fn exit(&self, process: ProcessId, end: ProcessEnd, cut: bool) -> lines::Exit<'a> {
        let (how, code, signal) = match end {
            ProcessEnd::NotStarted => ("not_started", None, None),
            ProcessEnd::Exited(code) => ("exited", Some(code), None),
            ProcessEnd::Killed(signal) => ("killed", None, Some(signal)),
            ProcessEnd::Crashed(signal) => ("crashed", None, Some(signal)),
            ProcessEnd::Stopped => ("stopped", None, None),
        };
        lines::Exit { tag: lines::EXIT, process: self.process(process), how: how.into(), code, signal, cut }
    }

    fn end(&self, trace: &Trace) -> lines::End<'a> {
        let doing = trace.end.doing().unwrap_or(&[]);
        let finals = (0..).zip(&trace.finals);
        lines::End {
            tag: lines::END,
            how: end_word(&trace.end).into(),
            max_events: match trace.end {
                RunEnd::Limit(Limit::Events(most)) => Some(most),
                _ => None,
            },
            max_trace: match trace.end {
                RunEnd::Limit(Limit::Bytes(most)) => Some(most),
                _ => None,
            },
            doing: doing.iter().map(|waiting| self.waiting("", waiting)).collect(),
            daemons: trace.daemons.iter().map(|waiting| self.waiting("", waiting)).collect(),
            events: trace.events.len() as u64,
            duration: trace.duration,
            unwatched: trace.unwatched,
            stalled: trace.stalled,
            whole: trace.whole,
            lost: trace.lost.iter().cloned().chain(trace.unfinished_steps(self.plan)).collect(),
            counted: trace
                .counted
                .iter()
                .map(|&(step, count)| lines::Counted { step, line: self.line_of(step), count })
                .collect(),
            finals: Table(
                finals.filter_map(|(id, value)| Some((self.object(id).into_owned(), Plain(value.clone()?)))).collect(),
            ),
        }
    }
}

/// How a run ended, in a word.
pub fn end_word(end: &RunEnd) -> &'static str {
    match end {
        RunEnd::Completed => "completed",
        RunEnd::Deadlock => "deadlock",
        RunEnd::Timeout(_) => "timeout",
        RunEnd::Livelock(_) => "livelock",
        RunEnd::Interrupted => "interrupted",
        RunEnd::Limit(_) => "limit",
    }
}

/// The outcome's name; its code where the name would not lead back to it.
fn outcome_text(outcome: Outcome) -> Cow<'static, str> {
    if outcome.is_ok() {
        return "ok".into();
    }
    let name = outcome.name();
    if Outcome::parse(&name) == Some(outcome) { name.into() } else { format!("code {}", outcome.code()).into() }
}
