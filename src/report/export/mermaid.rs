//! A run as a Mermaid sequence diagram, which GitHub, GitLab and others draw where they show Markdown.
//!
//! A message is a solid arrow, a permit or a lock that was handed over a dashed one; what a process did by itself is a
//! note. Mermaid draws no text of more than 50,000 characters, so a longer run is cut, and says so.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use crate::event::{Event, ProcessId, Target};
use crate::judge::{Status, Verdict};
use crate::report::terminal::style::{duration, plural, visible};
use crate::report::view::timeline_model::{Arrow, ArrowKind, Spans};
use crate::report::view::{event_text, statistics};
use crate::scenario::plan::Plan;
use crate::trace::{ProcessEnd, Trace};

/// The longest text that Mermaid draws, in UTF-16 units.
pub const LONGEST: usize = 50_000;
/// How many steps of one process that follow each other stand in one note.
const NOTE: usize = 8;
/// What is kept free for how the run ended.
const ENDING: usize = 4_000;

pub fn diagram(plan: &Plan, trace: &Trace, verdict: &Verdict) -> String {
    let spans = Spans::new(plan, trace);
    let mut arrows: HashMap<usize, Vec<&Arrow>> = HashMap::new();
    let mut sources = HashSet::new();
    for arrow in &spans.arrows {
        arrows.entry(arrow.to).or_default().push(arrow);
        sources.insert((arrow.from, arrow.kind));
    }
    let mut diagram = Diagram { plan, trace, body: String::new(), used: 0, shown: BTreeSet::new(), note: None };
    let mut cut = 0;
    for (place, event) in trace.events.iter().enumerate() {
        if cut > 0 || diagram.used > LONGEST - ENDING {
            cut += 1;
            continue;
        }
        if let Some(arrows) = arrows.get(&place) {
            for arrow in arrows {
                diagram.arrow(arrow);
            }
        } else if !event.implicit && !is_arrow(&sources, place) {
            diagram.alone(event);
        }
    }
    diagram.flush();
    diagram.end(verdict, cut);
    diagram.text()
}

/// Whether all that the event did is an arrow that is drawn where it arrives.
fn is_arrow(sources: &HashSet<(usize, ArrowKind)>, place: usize) -> bool {
    [ArrowKind::Message, ArrowKind::Start, ArrowKind::Signal].iter().any(|kind| sources.contains(&(place, *kind)))
}

struct Diagram<'a> {
    plan: &'a Plan,
    trace: &'a Trace,
    body: String,
    /// The length of the text, including the names of the participants.
    used: usize,
    shown: BTreeSet<ProcessId>,
    /// The note that still grows.
    note: Option<(ProcessId, Vec<String>)>,
}

impl Diagram<'_> {
    /// A line of the body, in which these processes appear.
    fn line(&mut self, processes: &[ProcessId], line: &str) {
        for process in processes {
            if self.shown.insert(*process) {
                self.used += length(&self.participant(*process));
            }
        }
        self.used += length(line) + 5;
        let _ = writeln!(self.body, "    {line}");
    }

    fn participant(&self, process: ProcessId) -> String {
        let name = self.plan.target_name(Target::Process(process));
        format!("    participant p{process} as {}\n", escaped(name))
    }

    fn arrow(&mut self, arrow: &Arrow) {
        self.flush();
        let (from, to) = (&self.trace.events[arrow.from], &self.trace.events[arrow.to]);
        let object = self.plan.target_name(to.target);
        let line = match arrow.kind {
            ArrowKind::Message | ArrowKind::Start => "->>",
            ArrowKind::HandOver | ArrowKind::Wake | ArrowKind::End => "-->>",
            ArrowKind::Signal => "-x",
        };
        let mut label = match arrow.kind {
            ArrowKind::Message => match event_text::moved(to) {
                Some(value) => format!("{object}: {value}"),
                None => object.to_owned(),
            },
            ArrowKind::HandOver => format!("{} {object}", from.verb),
            ArrowKind::Wake => format!("{} {}", from.verb, self.plan.target_name(from.target)),
            ArrowKind::Start => "start".to_owned(),
            ArrowKind::End => event_text::event(self.plan, to),
            ArrowKind::Signal => "kill".to_owned(),
        };
        if to.blocked && arrow.kind != ArrowKind::End {
            let _ = write!(label, " (waited {})", duration(to.duration()));
        }
        let processes = [from.id.process(), to.id.process()];
        self.line(&processes, &format!("p{}{line}p{}: {}", processes[0], processes[1], escaped(&label)));
    }

    /// What a process did by itself.
    fn alone(&mut self, event: &Event) {
        let words = match (event.step, event.verb) {
            // Its own begin says nothing, its end only where it did not end well.
            (None, "end") => match self.trace.ends.get(event.id.process() as usize) {
                Some(end) if *end != ProcessEnd::Exited(0) => statistics::ending(*end),
                _ => return,
            },
            (None, _) => return,
            (Some(_), _) => event_text::event(self.plan, event),
        };
        self.note(event.id.process(), words);
    }

    fn note(&mut self, process: ProcessId, words: String) {
        match &mut self.note {
            Some((same, lines)) if *same == process && lines.len() < NOTE => lines.push(words),
            _ => {
                self.flush();
                self.note = Some((process, vec![words]));
            }
        }
    }

    fn flush(&mut self) {
        let Some((process, lines)) = self.note.take() else { return };
        let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
        self.line(&[process], &format!("Note over p{process}: {}", lines.join("<br/>")));
    }

    /// How the run ended: omitted events, blocked processes, failed expectations.
    fn end(&mut self, verdict: &Verdict, cut: usize) {
        let limit = LONGEST - ENDING / 4;
        if cut > 0 {
            let words = format!("… {}: a diagram holds no more", plural(cut as u64, "more event"));
            self.across(&words);
        }
        for waiting in statistics::unfinished(self.trace) {
            if self.used > limit {
                break;
            }
            let since = duration(self.trace.duration.saturating_sub(waiting.since));
            let words = format!("{}: it never ended, after {since}", event_text::waiting(self.plan, waiting));
            self.note(waiting.process, words);
            self.flush();
        }
        let failed = verdict.findings.iter().filter(|judged| judged.status == Status::Fail);
        for judged in failed {
            if self.used > limit {
                break;
            }
            let mut words = format!("✗ {}", crate::report::terminal::style::shorten(&judged.label, 200));
            if !judged.finding.measured.is_empty() {
                let _ = write!(words, ": {}", crate::report::terminal::style::shorten(&judged.finding.measured, 200));
            }
            self.across(&words);
        }
    }

    /// A note over all of them.
    fn across(&mut self, words: &str) {
        let (first, last) = (self.shown.first().copied().unwrap_or(0), self.shown.last().copied().unwrap_or(0));
        let over = if first == last { format!("p{first}") } else { format!("p{first},p{last}") };
        let processes = if self.plan.processes.is_empty() { &[][..] } else { &[first, last] };
        self.line(processes, &format!("Note over {over}: {}", escaped(words)));
    }

    fn text(self) -> String {
        let mut out = String::from("sequenceDiagram\n");
        let name = self.plan.name.shown();
        let title = crate::report::terminal::style::shorten(&name, 200);
        let _ = writeln!(out, "    title {}", escaped(&title));
        // Mermaid refuses a diagram without participants.
        let all = if self.shown.is_empty() { BTreeSet::from([0]) } else { self.shown.clone() };
        for process in all.into_iter().filter(|process| (*process as usize) < self.plan.processes.len()) {
            out.push_str(&self.participant(process));
        }
        out.push_str(&self.body);
        out
    }
}

/// The length of a text as Mermaid counts it.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Text with the characters as entities that Mermaid or the page around it would take for something else.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '#' | ';' | '<' | '>' | '&' | '%' | '$' | '\\' | '{' | '}' | '`' | '@' | '\u{85}' | '\u{2028}'
            | '\u{2029}' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out
}
