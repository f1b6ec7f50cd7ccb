//! What a form may look at: the plan, the trace, and what several forms want to know of the two.

use std::ops::Range;

use super::describe;
use crate::event::{Event, ObjectId, ProcessId};
use crate::outcome::Outcome;
use crate::scenario::expectation::{Expectation, Pattern, PatternTarget};
use crate::scenario::plan::{Plan, Step};
use crate::trace::{RunEnd, Trace, Waiting};

/// The run that is judged.
pub(crate) struct Context<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) trace: &'a Trace,
}

/// How many events match a pattern of which no record was kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unrecorded {
    pub(crate) certain: u64,
    /// Possibly that many more.
    pub(crate) possible: u64,
}

impl<'a> Context<'a> {
    pub(crate) fn new(plan: &'a Plan, trace: &'a Trace) -> Self {
        Self { plan, trace }
    }

    pub(crate) fn event(&self, place: usize) -> &'a Event {
        &self.trace.events[place]
    }

    /// `#12 worker[3] get q ended timeout`.
    pub(crate) fn describe(&self, place: usize) -> String {
        describe::event(self.plan, place, self.event(place))
    }

    /// When the step of an event began. What was recorded of a step before its end, as an implicit event, has a begin
    /// of its own.
    pub(crate) fn step_begin(&self, place: usize) -> u64 {
        let event = self.event(place);
        let mut begin = event.begin;
        for at in self.trace.causality.before(place) {
            let part = self.event(at);
            if !part.implicit || part.step != event.step || event.step.is_none() {
                break;
            }
            begin = begin.min(part.begin);
        }
        begin
    }

    /// The places of the events that match.
    pub(crate) fn matches(&self, pattern: &Pattern) -> Vec<usize> {
        self.trace.events.iter().enumerate().filter(|(_, event)| pattern.matches(event)).map(|(at, _)| at).collect()
    }

    /// Whether the run ended by itself.
    pub(crate) fn ended_by_itself(&self) -> bool {
        self.trace.end == RunEnd::Completed
    }

    /// The name of a process.
    pub(crate) fn name(&self, process: ProcessId) -> &'a str {
        describe::target(self.plan, crate::event::Target::Process(process))
    }

    /// What is missing of the events that a pattern asks for.
    pub(crate) fn unrecorded(&self, pattern: &Pattern) -> Unrecorded {
        let mut sum = Unrecorded { certain: self.matches_beyond(pattern).unwrap_or(0), possible: 0 };
        for (step, times) in &self.trace.counted {
            let Some(step) = self.plan.steps.get(*step as usize) else { continue };
            match self.would_match(pattern, step) {
                Some(true) => sum.certain += times,
                Some(false) => {}
                None => sum.possible += times,
            }
        }
        sum
    }

    /// Whether every event of the step that ended `ok` matches; `None` where some may.
    fn would_match(&self, pattern: &Pattern, step: &Step) -> Option<bool> {
        let program = self.plan.programs.get(step.program)?;
        let processes = program.first..program.first + program.count.unwrap_or(1);
        let mut parts = vec![
            pattern.processes.as_ref().map_or(Some(true), |range| within(&processes, range)),
            Some(pattern.verb.as_ref().is_none_or(|verb| verb == step.verb)),
            Some(pattern.outcomes.contains(Outcome::OK)),
            pattern.value.as_ref().map_or(Some(true), |_| None),
        ];
        parts.push(match &pattern.target {
            None => Some(true),
            Some(PatternTarget::Objects(range, element)) => match self.objects_of(step) {
                Some(objects) if element.is_none() => within(&objects, range),
                Some(objects) if within(&objects, range) != Some(false) => None,
                _ => Some(false),
            },
            Some(PatternTarget::Processes(range)) => {
                let named = self.plan.programs.iter().find(|program| program.name == base(&step.object));
                named.map_or(Some(false), |named| within(&(named.first..named.first + named.count.unwrap_or(1)), range))
            }
            Some(PatternTarget::Label(label)) => match step.verb {
                "mark" | "enter" | "leave" if step.object.contains('{') => None,
                "mark" | "enter" | "leave" => Some(step.object == *label),
                _ => Some(false),
            },
        });
        if parts.contains(&Some(false)) {
            Some(false)
        } else if parts.contains(&None) {
            None
        } else {
            Some(true)
        }
    }

    /// The objects that a step can be about.
    fn objects_of(&self, step: &Step) -> Option<Range<ObjectId>> {
        let group = self.plan.groups.iter().find(|group| group.name == base(&step.object))?;
        let all = group.first..group.first + group.count.unwrap_or(1);
        // An index that is a number names one of them.
        let index = step.object.split_once('[').and_then(|(_, rest)| rest.split_once(']')?.0.parse::<u32>().ok());
        match index.filter(|index| group.count.is_some_and(|count| *index < count)) {
            Some(index) => Some(group.first + index..group.first + index + 1),
            None => Some(all),
        }
    }

    /// Why the events of these patterns are unknown, if some were not recorded.
    pub(crate) fn gap(&self, patterns: &[Pattern]) -> Option<String> {
        let counted = patterns.iter().all(|pattern| self.matches_beyond(pattern).is_some());
        self.lost().or_else(|| self.beyond().filter(|_| !counted)).or_else(|| {
            patterns.iter().find_map(|pattern| {
                let missing = self.unrecorded(pattern);
                (missing.certain + missing.possible > 0)
                    .then(|| format!("events of `{}` were counted, not recorded one by one", pattern.text))
            })
        })
    }

    /// Why the events of these objects are unknown, if some were not recorded.
    pub(crate) fn gap_on(&self, objects: &[ObjectId]) -> Option<String> {
        self.gap_of(|step| {
            self.objects_of(step).is_some_and(|range| objects.iter().any(|object| range.contains(object)))
        })
    }

    /// Why the events of some steps are unknown, if they were not recorded.
    pub(crate) fn gap_of(&self, wanted: impl Fn(&Step) -> bool) -> Option<String> {
        self.lost().or_else(|| self.beyond()).or_else(|| {
            self.trace.counted.iter().filter(|(_, times)| *times > 0).find_map(|(step, _)| {
                let step = self.plan.steps.get(*step as usize).filter(|step| wanted(step))?;
                Some(format!("events of `{} {}` were counted, not recorded one by one", step.verb, step.object))
            })
        })
    }

    /// The processes that still wait at the end of the run.
    pub(crate) fn waiting(&self) -> &'a [Waiting] {
        self.trace.end.doing().unwrap_or(&self.trace.stuck)
    }

    /// Why the state of the run cannot be followed, where some events were not recorded.
    pub(crate) fn gap_anywhere(&self) -> Option<String> {
        self.lost()
            .or_else(|| self.beyond())
            .or_else(|| (!self.trace.whole).then(|| "not every event was recorded one by one".to_owned()))
    }

    /// How many events match a pattern, where they did not fit in memory and were counted.
    fn matches_beyond(&self, pattern: &Pattern) -> Option<u64> {
        let matches = &self.trace.beyond.as_ref()?.matches;
        let of = |expectation| counted(expectation).is_some_and(|counted| std::ptr::eq(counted, pattern));
        let (_, count) = self.plan.expectations.iter().zip(matches).find(|(expectation, _)| of(expectation))?;
        Some(*count)
    }

    /// Why the events cannot be told, where they did not fit in memory.
    pub(crate) fn beyond(&self) -> Option<String> {
        let beyond = self.trace.beyond.as_ref()?;
        Some(format!("{}; `--max-trace` allows more", describe::beyond(beyond)))
    }

    fn lost(&self) -> Option<String> {
        self.trace.lost.first().map(|lost| format!("events were lost: {lost}"))
    }
}

/// The pattern whose matches are all that an expectation has to know of events.
pub(crate) fn counted(expectation: &Expectation) -> Option<&Pattern> {
    match expectation.form.name {
        form @ ("count" | "never") => expectation.patterns(form).first(),
        _ => None,
    }
}

/// `forks` of `forks[index]`, `link` of `link.w`.
fn base(object: &str) -> &str {
    object.split(['[', '.']).next().unwrap_or(object)
}

/// Whether all, none or (`None`) some of `inner` is in `outer`.
fn within(inner: &Range<u32>, outer: &Range<u32>) -> Option<bool> {
    if outer.start <= inner.start && inner.end <= outer.end {
        Some(true)
    } else if inner.end <= outer.start || outer.end <= inner.start {
        Some(false)
    } else {
        None
    }
}
