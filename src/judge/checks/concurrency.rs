//! How many processes have something at once.
//!
//! A process has it from the end of what gives it until the begin of what takes it away: only then does it have it
//! for certain, and two of which the second got it from the first never overlap.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write;

use crate::event::{Event, ProcessId};
use crate::judge::bounds::Bounds;
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::verdict::Finding;

/// A change: at which event, of which process, by how much. Positive gives, negative takes away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) place: usize,
    pub(crate) process: ProcessId,
    pub(crate) by: i64,
}

pub(crate) const EVERYTHING: i64 = i64::MIN;

/// What takes away more than its process has.
#[derive(Debug)]
pub(crate) struct Foreign;

/// The greatest number at once.
#[derive(Debug)]
pub(crate) struct Peak {
    pub(crate) most: i64,
    /// The events by which the holders got it at the peak, or when there were first too many.
    pub(crate) givers: Vec<usize>,
}

/// The greatest number of processes at once, by changes in the order of the trace.
///
/// # Errors
/// Where a process takes away what it does not have, if `strict`; such changes mean nothing otherwise.
pub(crate) fn processes(
    events: &[Event],
    changes: &[Change],
    limit: Option<i64>,
    strict: bool,
) -> Result<Peak, Foreign> {
    let mut count = Count::new(events, changes, strict);
    let (mut most, mut first, mut beyond) = (0, None, None);
    while let Some((at, holders)) = count.step()? {
        if holders > most {
            most = holders;
            first = Some(at);
            if beyond.is_none() && limit.is_some_and(|limit| holders > limit) {
                beyond = first;
            }
        }
    }
    let mut givers = Vec::new();
    if let Some(stop) = beyond.or(first) {
        let mut count = Count::new(events, changes, strict);
        while let Some((at, _)) = count.step()? {
            if at == stop {
                givers = count.held.iter().filter_map(|held| Some(held.first()?.0)).collect();
                break;
            }
        }
    }
    Ok(Peak { most, givers })
}

/// The greatest number of permits at once, for all processes together.
pub(crate) fn permits(changes: &[Change], limit: Option<i64>) -> Peak {
    let (mut most, mut now) = (0, 0i64);
    let mut peak = Vec::new();
    let mut out: Vec<(usize, i64)> = Vec::new();
    for change in changes.iter().filter(|change| change.by != EVERYTHING) {
        now = now.saturating_add(change.by).max(0);
        if change.by > 0 {
            out.push((change.place, change.by));
        } else {
            let mut left = change.by.saturating_neg();
            while left > 0
                && let Some(first) = out.first_mut()
            {
                let part = left.min(first.1);
                first.1 -= part;
                left -= part;
                if first.1 == 0 {
                    out.remove(0);
                }
            }
        }
        if now > most {
            let enough = limit.is_some_and(|limit| most > limit);
            most = now;
            if !enough {
                peak = out.iter().map(|(place, _)| *place).collect();
            }
        }
    }
    Peak { most, givers: peak }
}

struct Count<'a> {
    events: &'a [Event],
    changes: &'a [Change],
    strict: bool,
    /// For each change, the next one of its process.
    next: Vec<usize>,
    applied: Vec<bool>,
    at: usize,
    holders: i64,
    /// By process: the events that gave it, and how much.
    held: Vec<Vec<(usize, i64)>>,
    /// Changes that take away and are the next of their process, by when they begin.
    leaving: BinaryHeap<Reverse<(u64, usize)>>,
}

impl<'a> Count<'a> {
    fn new(events: &'a [Event], changes: &'a [Change], strict: bool) -> Self {
        let width = changes.iter().map(|change| change.process as usize + 1).max().unwrap_or(0);
        let mut next = vec![usize::MAX; changes.len()];
        let mut last: Vec<Option<usize>> = vec![None; width];
        for (at, change) in changes.iter().enumerate() {
            if let Some(before) = last[change.process as usize].replace(at) {
                next[before] = at;
            }
        }
        Self {
            events,
            changes,
            strict,
            next,
            applied: vec![false; changes.len()],
            at: 0,
            holders: 0,
            held: vec![Vec::new(); width],
            leaving: BinaryHeap::new(),
        }
    }

    /// Takes in the next change. Gives it and how many processes have it then.
    fn step(&mut self) -> Result<Option<(usize, i64)>, Foreign> {
        while self.applied.get(self.at) == Some(&true) {
            self.at += 1;
        }
        let Some(change) = self.changes.get(self.at) else { return Ok(None) };
        if change.by > 0 {
            let end = self.events[change.place].end;
            while let Some(Reverse((begin, leaving))) = self.leaving.peek().copied() {
                if begin >= end {
                    break;
                }
                self.leaving.pop();
                if !self.applied[leaving] {
                    self.apply(leaving)?;
                }
            }
        }
        let at = self.at;
        self.apply(at)?;
        Ok(Some((at, self.holders)))
    }

    fn apply(&mut self, at: usize) -> Result<(), Foreign> {
        self.applied[at] = true;
        let change = self.changes[at];
        let held = &mut self.held[change.process as usize];
        let had = !held.is_empty();
        if change.by > 0 {
            held.push((change.place, change.by));
        } else if change.by == EVERYTHING {
            held.clear();
        } else {
            let mut left = -change.by;
            while left > 0 {
                let Some(last) = held.last_mut() else {
                    if self.strict {
                        return Err(Foreign);
                    }
                    break;
                };
                let part = left.min(last.1);
                last.1 -= part;
                left -= part;
                if last.1 == 0 {
                    held.pop();
                }
            }
        }
        self.holders += i64::from(!held.is_empty()) - i64::from(had);
        if let Some(next) = self.changes.get(self.next[at])
            && next.by < 0
        {
            self.leaving.push(Reverse((self.events[next.place].begin, self.next[at])));
        }
        Ok(())
    }
}

/// The changes that `by` sees in the events, and the end of each process, which takes everything away.
pub(crate) fn changes(context: &Context<'_>, by: impl Fn(&Event) -> i64) -> Vec<Change> {
    let mut changes = Vec::new();
    for (place, event) in context.trace.events.iter().enumerate() {
        let by = if event.step.is_none() && event.verb == "end" { EVERYTHING } else { by(event) };
        if by != 0 {
            changes.push(Change { place, process: event.id.process(), by });
        }
    }
    changes
}

/// What a form reports of a peak: `measured 3`, with the holders.
pub(crate) fn judge(context: &Context<'_>, bounds: Bounds, peak: Peak, what: &str) -> Finding {
    let expected = format!("{} {what} at once", bounds.text());
    let mut measured = format!("measured {}", peak.most);
    if let Some(last) = peak.givers.iter().max() {
        let _ = write!(measured, ", reached at {}", context.describe(*last));
        if bounds.most().is_some_and(|most| peak.most > most + 1) {
            measured = format!("measured {}, first too many at {}", peak.most, context.describe(*last));
        }
    }
    let names = describe::listed(
        peak.givers.iter().map(|place| context.name(context.event(*place).id.process()).to_owned()),
        peak.givers.len(),
    );
    let finding = bounds.judge(peak.most, expected, measured).witnesses(peak.givers);
    if names.is_empty() { finding } else { finding.notes([format!("at once: {names}")]) }
}
