//! What processes wait for and which others could end the wait, in the same words for every report.

use std::fmt::Write as _;

use crate::event::{Event, ProcessId, Target};
use crate::objects::Enablers;
use crate::outcome::Outcome;
use crate::scenario::plan::Plan;
use crate::trace::{ProcessEnd, Trace, Waiting};

/// How many processes are named where a sentence names several.
const NAMED: usize = 3;
/// How many places of a cycle are shown.
const SHOWN: usize = 6;

/// A run, or a moment of one, in which processes wait.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) plan: &'a Plan,
    /// Every wait that is known: those that count, and those of daemons.
    pub(crate) waiting: [&'a [Waiting]; 2],
    /// The run, where it is over.
    pub(crate) trace: Option<&'a Trace>,
    /// Whether the processes may be in steps that only take long: the run was cut off.
    pub(crate) cut_off: bool,
}

impl Scene<'_> {
    /// Whether time has passed at all: where it has not, no moment says more than another.
    pub(crate) fn is_timed(&self) -> bool {
        self.waiting.iter().copied().flatten().any(|one| one.since > 0)
    }

    /// What stands behind a process's name: `waits to lock forks[1] since 120 ms; philosopher[1] holds it`. `several`:
    /// it stands behind the names of more than one.
    pub(crate) fn sentence(&self, waiting: &Waiting, several: bool, since: Option<&str>) -> String {
        let plan = self.plan;
        if waiting.verb == "start" && waiting.step.is_none() {
            return format!("{} never started", if several { "were" } else { "was" });
        }
        let since = since.filter(|_| self.is_timed()).map_or_else(String::new, |since| format!(" since {since}"));
        if waiting.is_stopped() {
            return format!("{} stopped by a signal{since}", if several { "are" } else { "is" });
        }
        if waiting.is_in_no_step() {
            let last = self.trace.and_then(|trace| {
                let own =
                    |event: &&Event| event.id.process() == waiting.process && event.step.is_some() && !event.implicit;
                trace.events.iter().rev().find(own)
            });
            let after = last.map_or_else(String::new, |event| {
                format!(", after {} {}", event.verb, plan.target_name(event.target)).trim_end().to_owned()
            });
            return format!("{} {}{after}", if several { "are" } else { "is" }, waiting.verb);
        }
        let target = plan.target_name(waiting.target);
        // "waits to wait" says nothing more than "waits for".
        let verb = if waiting.verb == "wait" && !self.cut_off { "" } else { waiting.verb.as_str() };
        let begin = match (self.cut_off, several) {
            (true, true) => "are in",
            (true, false) => "is in",
            (false, true) if verb.is_empty() => "wait for",
            (false, false) if verb.is_empty() => "waits for",
            (false, true) => "wait to",
            (false, false) => "waits to",
        };
        let mut text = begin.to_owned();
        for word in [verb, target].into_iter().filter(|word| !word.is_empty()) {
            let _ = write!(text, " {word}");
        }
        text.push_str(&since);
        match waiting.holder {
            Some(holder) if holder == waiting.process => text.push_str(", which it holds itself"),
            Some(holder) => {
                let _ = write!(text, "; {} holds it", plan.target_name(Target::Process(holder)));
            }
            None if self.cut_off => {}
            None => text.push_str(&self.enders(waiting, several)),
        }
        text
    }

    /// Which processes could end the wait, as the second half of a sentence.
    fn enders(&self, waiting: &Waiting, several: bool) -> String {
        let plan = self.plan;
        let object = match waiting.target {
            Target::Object(object) => object,
            Target::Process(_) => return String::new(),
            Target::None if waiting.on.is_empty() => {
                return format!("; no process can end {} wait", if several { "their" } else { "its" });
            }
            Target::None => return only(plan, &waiting.on, several),
        };
        let others: Vec<ProcessId> = waiting.on.iter().copied().filter(|other| *other != waiting.process).collect();
        let arrived = plan.objects[object as usize].object.parties().map(|parties| {
            let count = self.arrived(waiting.target);
            format!("; {count} of {parties} {} arrived", if count == 1 { "has" } else { "have" })
        });
        let mut text = arrived.clone().unwrap_or_default();
        if !others.is_empty() {
            text.push_str(&only(plan, &others, several));
        } else if arrived.is_some() {
            text.push_str("; ");
            let gone = self.gone(waiting);
            if !gone.is_empty() {
                let have = if gone.len() == 1 { "has" } else { "have" };
                let _ = write!(text, "{} {have} ended, ", few(plan, &gone));
            }
            text.push_str("no other process can arrive");
        } else if waiting.on.is_empty() {
            let _ = write!(text, "; no process can end {} wait", if several { "their" } else { "its" });
        } else {
            let enablers = self.enablers(waiting);
            let ends = plan.objects[object as usize].object.ends();
            let held = plan.processes[waiting.process as usize].holds.iter();
            let held = held.filter(|(held, _)| *held == object).map(|(_, end)| ends[*end as usize]);
            let own = held.into_iter().find(|end| enablers.closing.contains(end)).unwrap_or_default();
            let name = plan.target_name(waiting.target);
            let _ = write!(text, "; it waits for itself: no other process holds {name}.{own}");
            let verb = plan.kind(object).verbs.iter().find(|verb| verb.name == waiting.verb);
            if verb.is_some_and(|verb| verb.outcomes.contains(&Outcome::CLOSED)) {
                text.push_str(", so no end of file comes");
            }
        }
        text
    }

    fn enablers(&self, waiting: &Waiting) -> Enablers {
        let none = Enablers { verbs: &[], only: None, closing: &[] };
        let Target::Object(object) = waiting.target else { return none };
        let planned = &self.plan.objects[object as usize].object;
        let Some(verb) = self.plan.kind(object).verbs.iter().find(|verb| verb.name == waiting.verb) else {
            return none;
        };
        // The end that it waits at is the one that its step names.
        let step = waiting.step.and_then(|step| self.plan.steps.get(step as usize));
        let end =
            step.and_then(|step| planned.ends().iter().find(|end| step.object.ends_with(&format!(".{end}"))).copied());
        planned.enablers(verb, end, waiting.holder)
    }

    /// How many have arrived at a rendezvous and not left it: those that wait there, and those that died in it.
    fn arrived(&self, target: Target) -> u64 {
        let waiting = self.waiting.iter().copied().flatten().filter(|one| one.target == target).count() as u64;
        let Target::Object(object) = target else { return waiting };
        let recorded = self.trace.and_then(|trace| {
            let mut state = self.plan.objects[object as usize].object.state();
            trace.events.iter().filter(|event| event.target == target).for_each(|event| state.apply(event));
            state.size()
        });
        waiting.max(recorded.and_then(|size| u64::try_from(size).ok()).unwrap_or(0))
    }

    /// Those that have ended and could have arrived; where no such process has ended, all that have.
    fn gone(&self, waiting: &Waiting) -> Vec<ProcessId> {
        let (Some(trace), Target::Object(object)) = (self.trace, waiting.target) else { return Vec::new() };
        let ended: Vec<ProcessId> = (0..)
            .zip(&trace.ends)
            .filter(|(_, end)| !matches!(end, ProcessEnd::NotStarted | ProcessEnd::Stopped))
            .map(|(process, _)| process)
            .collect();
        let enablers = self.enablers(waiting);
        let able = |other: &ProcessId| self.plan.can_unblock(*other, waiting.process, object, &enablers);
        let able: Vec<ProcessId> = ended.iter().copied().filter(able).collect();
        if able.is_empty() { ended } else { able }
    }
}

fn only(plan: &Plan, others: &[ProcessId], several: bool) -> String {
    format!("; only {} can unblock {}", few(plan, others), if several { "them" } else { "it" })
}

/// The names of a few processes; of many, how many.
fn few(plan: &Plan, processes: &[ProcessId]) -> String {
    if processes.len() > NAMED {
        return format!("{} processes", processes.len());
    }
    let names: Vec<&str> = processes.iter().map(|other| plan.target_name(Target::Process(*other))).collect();
    names.join(", ")
}

/// `a → m2 → b → m1 → a`.
pub(crate) fn cycle(plan: &Plan, ring: &[&Waiting]) -> String {
    let mut text = String::new();
    for (at, one) in ring.iter().enumerate() {
        if at == SHOWN && ring.len() > SHOWN + 1 {
            let _ = write!(text, "… {} more → ", ring.len() - SHOWN);
            break;
        }
        let _ = write!(text, "{} → ", plan.target_name(Target::Process(one.process)));
        if let Target::Object(id) = one.target {
            let _ = write!(text, "{} → ", plan.target_name(Target::Object(id)));
        }
    }
    if let Some(first) = ring.first() {
        text.push_str(plan.target_name(Target::Process(first.process)));
    }
    text
}
