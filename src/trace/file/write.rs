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
    let mut file = TraceFile::begin(out, plan, trace.engine, meta, Ordering::Settled)?;
    for event in &trace.events {
        file.event(event)?;
    }
    file.finish(trace).map(|_| ())
}

/// In which order a file has its events.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ordering {
    /// In the trace's order.
    Settled,
    /// As they were collected while the run was on: only each process's own order is that of the lines.
    Recorded,
}

/// A trace file that is being written, event by event.
pub struct TraceFile<'p, W: Write> {
    out: W,
    names: Names<'p>,
    buffer: Vec<u8>,
    /// How many events are in it.
    events: u64,
    /// How many bytes of it were written.
    written: u64,
}

impl<'p, W: Write> TraceFile<'p, W> {
    /// Writes the first line.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn begin(out: W, plan: &'p Plan, engine: &'static str, meta: &Meta, ordering: Ordering) -> io::Result<Self> {
        let mut file = Self { out, names: Names::new(plan), buffer: Vec::new(), events: 0, written: 0 };
        let header = file.names.header(engine, meta, ordering);
        file.line(&header)?;
        Ok(file)
    }

    /// Writes the next event.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        self.events += 1;
        self.names.event(&mut self.buffer, self.events, event)?;
        self.pass_on()
    }

    /// How many events are in it.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Writes out what was gathered.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        self.out.flush()
    }

    /// Writes how the run ended, behind its last event.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(mut self, trace: &Trace) -> io::Result<W> {
        for waiting in &trace.stuck {
            let line = self.names.waiting(lines::STUCK, waiting);
            self.line(&line)?;
        }
        let mut cut = vec![false; trace.ends.len()];
        for process in &trace.unfinished {
            cut[*process as usize] = true;
        }
        for ((process, end), cut) in (0..).zip(&trace.ends).zip(cut) {
            let line = self.names.exit(process, *end, cut);
            self.line(&line)?;
        }
        let line = self.names.end(trace, self.events);
        self.line(&line)?;
        self.flush()?;
        Ok(self.out)
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        escaped(&mut self.buffer, line)?;
        self.buffer.push(b'\n');
        self.pass_on()
    }

    fn pass_on(&mut self) -> io::Result<()> {
        if self.buffer.len() >= CHUNK {
            self.out.write_all(&self.buffer)?;
            self.written += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }
}

/// Appends JSON in which nothing is left that a terminal would obey.
fn escaped(buffer: &mut Vec<u8>, value: &impl Serialize) -> io::Result<()> {
    let begin = buffer.len();
    serde_json::to_writer(&mut *buffer, value)?;
    if let Ok(written) = str::from_utf8(&buffer[begin..])
        && let Cow::Owned(escaped) = text::json(written)
    {
        buffer.truncate(begin);
        buffer.extend_from_slice(escaped.as_bytes());
    }
    Ok(())
}

/// An event as its line of a trace file has it, without `type`: for reports that show events to programs.
pub fn event_json(plan: &Plan, trace: &Trace, at: usize) -> Option<serde_json::Value> {
    let mut line = Vec::new();
    Names::bare(plan).event(&mut line, at as u64 + 1, trace.events.get(at)?).ok()?;
    untyped(&serde_json::from_slice::<serde_json::Value>(&line).ok()?)
}

/// A process that waits, as its line of a trace file has it, without `type`.
pub fn waiting_json(plan: &Plan, waiting: &Waiting) -> Option<serde_json::Value> {
    untyped(&Names::bare(plan).waiting("", waiting))
}

/// How a process ended, as its line of a trace file has it, without `type`.
pub fn exit_json(plan: &Plan, trace: &Trace, process: ProcessId) -> Option<serde_json::Value> {
    let end = trace.ends.get(process as usize)?;
    untyped(&Names::bare(plan).exit(process, *end, trace.unfinished.contains(&process)))
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

/// The names of a plan as they stand in lines.
struct Names<'a> {
    plan: &'a Plan,
    /// By process and by object, as JSON; empty where they are made each time.
    processes: Vec<String>,
    objects: Vec<String>,
}

impl<'a> Names<'a> {
    fn new(plan: &'a Plan) -> Self {
        let quoted = |target| quoted(plan.target_name(target));
        Self {
            plan,
            processes: (0..plan.processes.len() as u32).map(Target::Process).map(quoted).collect(),
            objects: (0..plan.objects.len() as u32).map(Target::Object).map(quoted).collect(),
        }
    }

    fn bare(plan: &'a Plan) -> Self {
        Self { plan, processes: Vec::new(), objects: Vec::new() }
    }

    /// Appends the line of an event. There can be very many: it is written as it goes.
    fn event(&self, out: &mut Vec<u8>, n: u64, event: &Event) -> io::Result<()> {
        out.extend_from_slice(br#"{"type":"event","n":"#);
        number(out, n);
        out.extend_from_slice(br#","process":"#);
        self.quote(out, Target::Process(event.id.process()));
        out.extend_from_slice(br#","seq":"#);
        number(out, event.id.number());
        out.extend_from_slice(br#","begin":"#);
        number(out, event.begin);
        out.extend_from_slice(br#","end":"#);
        number(out, event.end);
        if let Some(step) = event.step {
            out.extend_from_slice(br#","step":"#);
            number(out, step.into());
            out.extend_from_slice(br#","line":"#);
            number(out, self.line_of(step) as u64);
        }
        out.extend_from_slice(br#","verb":""#);
        out.extend_from_slice(event.verb.as_bytes());
        out.push(b'"');
        if event.target != Target::None {
            let name: &[u8] = if matches!(event.target, Target::Object(_)) { br#","object":"# } else { br#","peer":"# };
            out.extend_from_slice(name);
            self.quote(out, event.target);
        }
        if let Some(element) = event.element.get() {
            out.extend_from_slice(br#","element":"#);
            number(out, element.into());
        }
        out.extend_from_slice(br#","outcome":""#);
        out.extend_from_slice(outcome_text(event.outcome).as_bytes());
        out.push(b'"');
        for (name, value) in [(&br#","value":"#[..], &event.value), (br#","second":"#, &event.second)] {
            match value {
                Value::Null => {}
                Value::Int(int) => {
                    out.extend_from_slice(name);
                    if *int < 0 {
                        out.push(b'-');
                    }
                    number(out, int.unsigned_abs());
                }
                other => {
                    out.extend_from_slice(name);
                    escaped(out, &Plain(other.clone()))?;
                }
            }
        }
        if event.ticket != 0 {
            out.extend_from_slice(br#","ticket":"#);
            number(out, event.ticket);
        }
        if let Some(cause) = event.cause {
            out.extend_from_slice(br#","cause":{"process":"#);
            self.quote(out, Target::Process(cause.process()));
            out.extend_from_slice(br#","seq":"#);
            number(out, cause.number());
            out.push(b'}');
        }
        if event.blocked {
            out.extend_from_slice(br#","blocked":true"#);
        }
        if event.implicit {
            out.extend_from_slice(br#","implicit":true"#);
        }
        out.extend_from_slice(b"}\n");
        Ok(())
    }

    fn quote(&self, out: &mut Vec<u8>, target: Target) {
        let known = match target {
            Target::None => None,
            Target::Object(id) => self.objects.get(id as usize),
            Target::Process(id) => self.processes.get(id as usize),
        };
        match known {
            Some(name) => out.extend_from_slice(name.as_bytes()),
            None => out.extend_from_slice(quoted(self.plan.target_name(target)).as_bytes()),
        }
    }

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

    fn header(&self, engine: &'static str, meta: &Meta, ordering: Ordering) -> lines::Header<'a> {
        let plan = self.plan;
        lines::Header {
            tag: lines::TRACE,
            format: FORMAT.into(),
            version: VERSION,
            ipcrun: env!("CARGO_PKG_VERSION").to_owned(),
            engine: engine.to_owned(),
            order: (ordering == Ordering::Recorded).then(|| lines::RECORDED.into()),
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

    fn end(&self, trace: &Trace, events: u64) -> lines::End<'a> {
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
            max_file: match trace.end {
                RunEnd::Limit(Limit::File(most)) => Some(most),
                _ => None,
            },
            doing: doing.iter().map(|waiting| self.waiting("", waiting)).collect(),
            daemons: trace.daemons.iter().map(|waiting| self.waiting("", waiting)).collect(),
            events,
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

/// A name as JSON.
fn quoted(name: &str) -> String {
    let mut text = Vec::new();
    // Text cannot fail to be written to memory.
    let _ = escaped(&mut text, &name);
    String::from_utf8(text).unwrap_or_default()
}

/// Appends a number in base 10.
fn number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
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
