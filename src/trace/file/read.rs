//! Reading a trace file. Nothing in it is believed: every name, number and place is looked up before it is used.

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::sync::Arc;

use serde::Deserialize;

use super::lines;
use super::meta::Meta;
use super::saved::{Saved, SavedStep};
use super::{FORMAT, VERSION, hash};
use crate::diagnostic::{Code, Diagnostic, Source};
use crate::event::{Event, EventId, Target};
use crate::outcome::Outcome;
use crate::trace::{Beyond, KILLED, Limit, ProcessEnd, RunEnd, Waiting, unfinished_steps};

/// How much of a line at fault is shown.
const SHOWN: usize = 80;

/// A trace file of which the first line was read: what the scenario is, by which the events that follow are looked at.
pub struct Opened<'a, R: BufRead> {
    reader: Reader<'a>,
    input: R,
    body: Body<'a>,
}

/// Reads the first line of the trace file at `path` from `input`. `verbs` finds the verb of a name.
///
/// # Errors
/// One diagnostic that says what is wrong.
pub fn open<'a, R: BufRead>(
    path: &'a str,
    mut input: R,
    verbs: &'a dyn Fn(&str) -> Option<&'static str>,
) -> Result<Opened<'a, R>, Vec<Diagnostic>> {
    let mut reader = Reader { path, number: 0, line: Vec::new(), ahead: Vec::new(), empty: 0 };
    let mut first = || {
        if !reader.next(&mut input)? {
            return Err(Fault::new("the file is empty: a trace has at least its first line").unplaced());
        }
        Ok(Body::new(header(path, reader.text()?)?, verbs))
    };
    match first() {
        Ok(body) => Ok(Opened { reader, input, body }),
        Err(fault) => Err(reader.report(fault)),
    }
}

impl<R: BufRead> Opened<'_, R> {
    /// What the first line says.
    pub fn saved(&self) -> &Saved {
        &self.body.saved
    }

    /// Reads the rest. `each` is called for each event. Where the events take more than `most` bytes of memory none is kept:
    /// [`Saved::beyond`].
    ///
    /// A file that was cut is refused, unless all that is missing is its last line, or it is one that was written while the
    /// run was on: then the run counts as interrupted and [`Saved::lost`] says so.
    ///
    /// # Errors
    /// One diagnostic that says what is wrong, with its line.
    pub fn read(mut self, most: Option<u64>, each: &mut dyn FnMut(&Event)) -> Result<Saved, Vec<Diagnostic>> {
        self.body.most = most;
        match self.lines(each) {
            Ok(()) => {
                let Self { reader, body, .. } = self;
                body.finish().map_err(|fault| reader.report(fault))
            }
            Err(fault) => Err(self.reader.report(fault)),
        }
    }

    fn lines(&mut self, each: &mut dyn FnMut(&Event)) -> Result<(), Fault> {
        while self.reader.next(&mut self.input)? {
            let cut = !self.reader.line.ends_with(b"\n");
            match self.reader.text().and_then(|text| self.body.line(text, each)) {
                Ok(()) => {}
                // Half a last line: what it would have said is missing, as if the file ended before it.
                Err(_) if cut => break,
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }
}

/// What is wrong, before it is known where.
pub(super) struct Fault {
    message: String,
    help: Option<String>,
    code: Code,
    placed: bool,
    source: Option<(usize, String)>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, code: Code::BAD_TRACE, placed: true, source: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// It has no line.
    fn unplaced(mut self) -> Self {
        self.placed = false;
        self
    }

    fn at(mut self, number: usize, line: &str) -> Self {
        let mut text: String = line.trim_end().chars().take(SHOWN).collect();
        if text.len() < line.trim_end().len() {
            text.push('…');
        }
        self.source = Some((number, text));
        self
    }

    /// The diagnostic. Only the line at fault is kept as its source, under as many empty lines as stand before it,
    /// so that its number is right without the whole file in memory.
    pub(super) fn diagnostic(self, path: &str) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.code, self.message);
        let diagnostic = if let Some((number, text)) = self.source {
            let start = number.saturating_sub(1);
            let source = Arc::new(Source::new(path, "\n".repeat(start) + &text));
            let end = source.text.len();
            diagnostic.at(&source, start..end, "")
        } else {
            diagnostic.within(&Arc::new(Source::new(path, "")))
        };
        match self.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

struct Reader<'a> {
    path: &'a str,
    number: usize,
    line: Vec<u8>,
    ahead: Vec<u8>,
    /// How many empty lines stand before the next.
    empty: usize,
}

/// The longest line: none of ipcrun's is longer, and a device has no end of one.
const LONGEST_LINE: u64 = 64 << 20;
/// The most empty lines on end.
const MOST_EMPTY: usize = 1 << 20;

impl Reader<'_> {
    /// What is wrong with the line that was read last.
    fn report(&self, fault: Fault) -> Vec<Diagnostic> {
        let fault = if fault.placed { fault.at(self.number, &String::from_utf8_lossy(&self.line)) } else { fault };
        vec![fault.diagnostic(self.path)]
    }

    /// The next line that is not empty. False at the end of the file.
    fn next(&mut self, input: &mut impl BufRead) -> Result<bool, Fault> {
        loop {
            self.ahead.clear();
            if self.empty > MOST_EMPTY {
                return Err(Fault::new("there is no end of empty lines").unplaced());
            }
            match io::Read::take(&mut *input, LONGEST_LINE + 1).read_until(b'\n', &mut self.ahead) {
                Ok(length) if length as u64 > LONGEST_LINE => {
                    let message = format!("line {} is longer than {} MiB", self.number + 1, LONGEST_LINE >> 20);
                    return Err(Fault::new(message).unplaced());
                }
                // The last line stays: what is missing is missing behind it.
                Ok(0) => return Ok(false),
                Ok(_) => self.number += 1,
                Err(error) => {
                    let message = format!("cannot read `{}`: {error}", self.path);
                    return Err(Fault { code: Code::UNREADABLE, ..Fault::new(message).unplaced() });
                }
            }
            if !self.ahead.trim_ascii().is_empty() {
                std::mem::swap(&mut self.line, &mut self.ahead);
                self.empty = 0;
                return Ok(true);
            }
            self.empty += 1;
        }
    }

    fn text(&self) -> Result<&str, Fault> {
        std::str::from_utf8(&self.line).map_err(|_| Fault::new("the line is not UTF-8"))
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        // Behind the message stands a place that counts this line as the first.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        Fault::new(message)
    })
}

fn header(path: &str, text: &str) -> Result<Saved, Fault> {
    #[derive(Deserialize)]
    struct First {
        format: String,
        version: u32,
    }
    let no_trace = || {
        Fault::new("the file is not a trace: the first line is not the first line of a trace")
            .help("`ipcrun run --trace FILE` writes one")
    };
    let first: First = serde_json::from_str(text).map_err(|_| no_trace())?;
    if first.format != FORMAT {
        return Err(no_trace());
    }
    if first.version == 0 || first.version > VERSION {
        let message = format!("the trace has version {}; this ipcrun reads version {VERSION}", first.version);
        return Err(Fault::new(message));
    }
    let header: lines::Header<'_> = parse(text)?;
    if hash(&header.scenario.text) != header.scenario.hash {
        return Err(Fault::new("the scenario's text does not match its hash"));
    }
    let engine = match header.engine.as_str() {
        "kernel" => "kernel",
        "model" => "model",
        other => return Err(Fault::new(format!("there is no engine `{other}`"))),
    };
    if header.processes.len() > EventId::PROCESSES {
        return Err(Fault::new(format!("no trace has more than {} processes", EventId::PROCESSES)));
    }
    let order = match header.order.as_deref() {
        None => Some(Vec::new()),
        Some(lines::RECORDED) => None,
        Some(other) => return Err(Fault::new(format!("no trace has its events in an order `{other}`"))),
    };
    Ok(Saved {
        file: path.to_owned(),
        ipcrun: header.ipcrun,
        engine,
        path: header.scenario.path.into_owned(),
        text: header.scenario.text.into_owned(),
        params: header.params.0.into_iter().map(|(name, value)| (name, value.0)).collect(),
        seed: header.seed,
        timeout: header.timeout,
        meta: Meta { set: header.set.0, started: header.started, machine: header.machine },
        lanes: header.processes.iter().map(|_| Vec::new()).collect(),
        order,
        beyond: None,
        ends: Vec::new(),
        stuck: Vec::new(),
        daemons: Vec::new(),
        end: RunEnd::Interrupted,
        finals: vec![None; header.objects.len()],
        objects: header
            .objects
            .into_iter()
            .map(|object| (object.name.into_owned(), object.kind.into_owned()))
            .collect(),
        processes: header.processes.into_iter().map(std::borrow::Cow::into_owned).collect(),
        steps: header
            .steps
            .into_iter()
            .map(|step| SavedStep {
                process: step.process.into_owned(),
                verb: step.verb.into_owned(),
                object: step.object.into_owned(),
                line: step.line,
            })
            .collect(),
        counted: Vec::new(),
        whole: true,
        lost: Vec::new(),
        unfinished: Vec::new(),
        unwatched: false,
        stalled: 0,
        duration: 0,
    })
}

/// The lines behind the first.
/// What a process was doing: a verb, or another word where it was in no step.
fn word(verb: String) -> Result<String, Fault> {
    if !verb.is_empty() && verb.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        Ok(verb)
    } else {
        Err(Fault::new(format!("`{verb}` is no verb")))
    }
}

struct Body<'a> {
    saved: Saved,
    verbs: &'a dyn Fn(&str) -> Option<&'static str>,
    objects: HashMap<String, u32>,
    processes: HashMap<String, u32>,
    ends: Vec<Option<ProcessEnd>>,
    /// How many events there were.
    events: u64,
    /// By process, the last of its events.
    last: Vec<Option<Last>>,
    /// How many bytes of values that are no scalars they have.
    payload: u64,
    most: Option<u64>,
    ended: bool,
}

/// What is known of a process by its last event.
#[derive(Clone, Copy)]
struct Last {
    number: u64,
    /// The exit status, where it is the process's end: a signal's number is negative.
    end: Option<i64>,
    /// Whether a number was left out before it.
    gap: bool,
}

impl<'a> Body<'a> {
    fn new(saved: Saved, verbs: &'a dyn Fn(&str) -> Option<&'static str>) -> Self {
        let objects = saved.objects.iter().map(|(name, _)| name.clone()).zip(0..).collect();
        let processes = saved.processes.iter().cloned().zip(0..).collect();
        let ends = vec![None; saved.processes.len()];
        let last = vec![None; saved.processes.len()];
        Self { saved, verbs, objects, processes, ends, events: 0, last, payload: 0, most: None, ended: false }
    }

    fn line(&mut self, text: &str, each: &mut dyn FnMut(&Event)) -> Result<(), Fault> {
        if self.ended {
            return Err(Fault::new("the trace has ended; no line may follow its last line"));
        }
        let tag: lines::Tag<'_> = parse(text)?;
        match tag.tag.as_ref() {
            lines::EVENT => self.event(parse(text)?, each),
            lines::STUCK => {
                let waiting = self.waiting(parse(text)?)?;
                self.saved.stuck.push(waiting);
                Ok(())
            }
            lines::EXIT => self.exit(&parse(text)?),
            lines::END => self.end(parse(text)?),
            other => Err(Fault::new(format!("there is no line of type `{other}`"))),
        }
    }

    fn process(&self, name: &str) -> Result<u32, Fault> {
        self.processes.get(name).copied().ok_or_else(|| Fault::new(format!("the trace has no process `{name}`")))
    }

    fn object(&self, name: &str) -> Result<u32, Fault> {
        self.objects.get(name).copied().ok_or_else(|| Fault::new(format!("the trace has no object `{name}`")))
    }

    fn target(&self, object: Option<&str>, peer: Option<&str>) -> Result<Target, Fault> {
        match (object, peer) {
            (None, None) => Ok(Target::None),
            (Some(name), None) => self.object(name).map(Target::Object),
            (None, Some(name)) => self.process(name).map(Target::Process),
            (Some(_), Some(_)) => Err(Fault::new("an event is about an object or about a peer, not both")),
        }
    }

    fn step(&self, step: Option<u32>) -> Result<Option<u32>, Fault> {
        match step {
            Some(step) if step as usize >= self.saved.steps.len() => {
                Err(Fault::new(format!("the trace has no step {step}")))
            }
            step => Ok(step),
        }
    }

    fn event(&mut self, line: lines::Event<'_>, each: &mut dyn FnMut(&Event)) -> Result<(), Fault> {
        let due = self.events + 1;
        if line.n != due {
            return Err(Fault::new(format!("expected event {due}, found event {}", line.n)));
        }
        let process = self.process(&line.process)?;
        if line.seq > EventId::LARGEST {
            return Err(Fault::new(format!("no process has an event {}", line.seq)));
        }
        let id = EventId::new(process, line.seq);
        let before = self.last[process as usize].map(|last| last.number);
        match before {
            Some(before) if before == line.seq => {
                return Err(Fault::new(format!("`{}` has its event {} twice", line.process, line.seq)));
            }
            Some(before) if before > line.seq => {
                let message = format!("event {} of `{}` stands behind its event {before}", line.seq, line.process);
                return Err(Fault::new(message));
            }
            _ => {}
        }
        if line.begin > line.end {
            return Err(Fault::new("the event ends before it begins"));
        }
        let cause = match line.cause {
            Some(cause) if cause.seq > EventId::LARGEST => {
                return Err(Fault::new(format!("no process has an event {}", cause.seq)));
            }
            Some(cause) => Some(EventId::new(self.process(&cause.process)?, cause.seq)),
            None => None,
        };
        let event = Event {
            id,
            begin: line.begin,
            end: line.end,
            step: self.step(line.step)?,
            verb: (self.verbs)(&line.verb).ok_or_else(|| Fault::new(format!("there is no verb `{}`", line.verb)))?,
            target: self.target(line.object.as_deref(), line.peer.as_deref())?,
            element: line.element.into(),
            outcome: outcome(&line.outcome)?,
            value: line.value,
            second: line.second,
            ticket: line.ticket,
            cause,
            blocked: line.blocked,
            implicit: line.implicit,
        };
        each(&event);
        self.events = due;
        let end = (event.step.is_none() && event.verb == "end").then(|| event.value.as_int().unwrap_or(0));
        let gap = before.map_or(0, |before| before + 1) < event.id.number();
        self.last[process as usize] = Some(Last { number: event.id.number(), end, gap });
        self.saved.duration = self.saved.duration.max(event.end);
        for value in [&event.value, &event.second].into_iter().filter(|value| !value.is_scalar()) {
            self.payload += value.size(usize::MAX) as u64;
        }
        match self.most {
            Some(most) if self.saved.beyond.is_some() || crate::trace::memory(due, self.payload) > most => {
                if self.saved.beyond.is_none() {
                    self.saved.lanes = vec![Vec::new(); self.saved.processes.len()];
                    self.saved.order = self.saved.order.take().map(|_| Vec::new());
                }
                self.saved.beyond = Some(Beyond { events: due, most, matches: Vec::new() });
            }
            _ => {
                self.saved.lanes[process as usize].push(event);
                self.saved.order.iter_mut().for_each(|order| order.push(process));
            }
        }
        Ok(())
    }

    fn waiting(&self, line: lines::Waiting<'_>) -> Result<Waiting, Fault> {
        Ok(Waiting {
            process: self.process(&line.process)?,
            step: self.step(line.step)?,
            target: self.target(line.object.as_deref(), line.peer.as_deref())?,
            verb: word(line.verb.into_owned())?,
            since: line.since,
            on: line.on.iter().map(|name| self.process(name)).collect::<Result<_, _>>()?,
            holder: line.holder.map(|name| self.process(&name)).transpose()?,
        })
    }

    fn exit(&mut self, line: &lines::Exit<'_>) -> Result<(), Fault> {
        let end = match (line.how.as_ref(), line.code, line.signal) {
            ("not_started", None, None) => ProcessEnd::NotStarted,
            ("exited", Some(code), None) => ProcessEnd::Exited(code),
            ("killed", None, Some(signal)) => ProcessEnd::Killed(signal),
            ("crashed", None, Some(signal)) => ProcessEnd::Crashed(signal),
            ("stopped", None, None) => ProcessEnd::Stopped,
            (how, ..) => return Err(Fault::new(format!("no process ends `{how}` with this code and signal"))),
        };
        let process = self.process(&line.process)?;
        if line.cut {
            self.saved.unfinished.push(process);
        }
        match self.ends[process as usize].replace(end) {
            None => Ok(()),
            Some(_) => Err(Fault::new(format!("`{}` ends twice", line.process))),
        }
    }

    fn end(&mut self, line: lines::End<'_>) -> Result<(), Fault> {
        if line.events != self.events {
            let message = format!("the trace had {} events, {} are here", line.events, self.events);
            return Err(Fault::new(message));
        }
        if let Some(name) = self.endless() {
            return Err(Fault::new(format!("how `{name}` ended is missing")));
        }
        let doing = line.doing.into_iter().map(|waiting| self.waiting(waiting)).collect::<Result<Vec<_>, _>>()?;
        self.saved.daemons =
            line.daemons.into_iter().map(|waiting| self.waiting(waiting)).collect::<Result<Vec<_>, _>>()?;
        self.saved.end = match (line.how.as_ref(), [line.max_events, line.max_trace, line.max_file]) {
            ("completed", ..) => RunEnd::Completed,
            ("deadlock", ..) => RunEnd::Deadlock,
            ("timeout", ..) => RunEnd::Timeout(doing),
            ("livelock", ..) => RunEnd::Livelock(doing),
            ("interrupted", ..) => RunEnd::Interrupted,
            ("limit", [Some(most), None, None]) => RunEnd::Limit(Limit::Events(most)),
            ("limit", [None, Some(most), None]) => RunEnd::Limit(Limit::Bytes(most)),
            ("limit", [None, None, Some(most)]) => RunEnd::Limit(Limit::File(most)),
            ("limit", ..) => {
                return Err(Fault::new("a run ends at one limit: `max_events`, `max_trace` or `max_file`"));
            }
            (other, ..) => return Err(Fault::new(format!("no run ends `{other}`"))),
        };
        for (name, value) in line.finals.0 {
            let object = self.object(&name)?;
            self.saved.finals[object as usize] = Some(value.0);
        }
        for counted in line.counted {
            self.step(Some(counted.step))?;
            self.saved.counted.push((counted.step, counted.count));
        }
        self.saved.duration = line.duration;
        self.saved.unwatched = line.unwatched;
        self.saved.stalled = line.stalled;
        self.saved.whole = line.whole;
        // What the exits say is no loss of what was recorded.
        let unfinished = unfinished_steps(&self.saved.unfinished, |process| &self.saved.processes[process as usize]);
        self.saved.lost = line.lost.into_iter().filter(|lost| Some(lost) != unfinished.as_ref()).collect();
        self.ended = true;
        Ok(())
    }

    /// The first process whose end is not known yet.
    fn endless(&self) -> Option<&str> {
        let at = self.ends.iter().position(Option::is_none)?;
        Some(&self.saved.processes[at])
    }

    fn finish(mut self) -> Result<Saved, Fault> {
        let partial = self.saved.order.is_none() && !self.ended;
        if partial {
            self.give_ends();
        }
        if let Some(name) = self.endless() {
            return Err(Fault::new(format!("the trace is cut off here: how `{name}` ended is missing")));
        }
        if !self.ended {
            let cut = "the trace file ends before its last line: how the run ended and the last values are missing";
            self.saved.lost.push(if partial { KILLED } else { cut }.to_owned());
        }
        self.saved.ends = self.ends.into_iter().flatten().collect();
        Ok(self.saved)
    }

    /// How the processes ended of a run whose ipcrun was ended before it could say so: as far as their events go.
    fn give_ends(&mut self) {
        for (process, (given, last)) in (0..).zip(self.ends.iter_mut().zip(&self.last)) {
            if given.is_some() {
                continue;
            }
            let end = match last {
                None => ProcessEnd::NotStarted,
                Some(Last { end: None, .. }) => ProcessEnd::Stopped,
                Some(Last { end: Some(code), .. }) if *code >= 0 => ProcessEnd::Exited(*code as i32),
                // Whether a step sent the signal may be missing.
                Some(Last { end: Some(code), .. }) => ProcessEnd::Killed(code.saturating_neg() as i32),
            };
            if end == ProcessEnd::Stopped || last.is_some_and(|last| last.gap) {
                self.saved.unfinished.push(process);
            }
            *given = Some(end);
        }
    }
}

/// The outcome of a name, or of `code` and its number where it has none.
fn outcome(text: &str) -> Result<Outcome, Fault> {
    let code = || text.strip_prefix("code ")?.parse().ok().map(Outcome::from_code);
    let named = Outcome::parse(text).filter(|outcome| *outcome != Outcome::FAILED);
    named.or_else(code).ok_or_else(|| Fault::new(format!("there is no outcome `{text}`")))
}
