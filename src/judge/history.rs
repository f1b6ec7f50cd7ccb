//! What a verdict depends on besides the state in which a run ends: what must be kept of the events on the way there.
//!
//! Each form says it of its expectations. Two executions that end in the same state with the same memories are judged
//! alike, so one of them can stand for both; the less is kept, the more executions one can stand for.

use super::checks::accesses::{Access, overlap, wanted_cell};

pub(crate) use super::checks::accesses::Cell;
use super::one_of::alike;
use crate::event::{Event, ObjectId, ProcessId, StepId, Target};
use crate::expression::{Builtin, Expression};
use crate::objects::contract::verb_class::Effect;
use crate::outcome::Outcomes;
use crate::scenario::expectation::{ObjectRef, Pattern, PatternTarget};
use crate::scenario::plan::{Fact, OperationPlan, Plan, Step};
use crate::value::Value;

/// Something that is kept of the events so far.
#[derive(Clone, Debug)]
pub enum Memory<'p> {
    /// What a fact of state expressions counts: matching events, or the processes inside a section. By its number.
    Fact(u32),
    /// How many of these events there were; more than `most` are as many as one more.
    Count {
        of: Events<'p>,
        /// The number above which values are not distinguished.
        most: i64,
    },
    /// The values of the events that match, as far as they are the beginning of one of the lists.
    Values {
        of: &'p Pattern,
        /// The lists that are allowed.
        lists: Vec<&'p [Value]>,
        /// Whether their order counts.
        ordered: bool,
    },
    /// In which order the events came that the patterns stand for: the first match of each, or the next where a pattern
    /// is repeated.
    Firsts {
        patterns: &'p [Pattern],
        /// Whether it must be known which events they were and not only their order.
        which: bool,
    },
    /// Whether a match of a later pattern has come before, or is, a match of the one that stands before it.
    Late(&'p [Pattern]),
    /// How many matches of the first have no match of the second of their own after them, or before them.
    Pairs {
        /// Each of these needs one.
        each: &'p Pattern,
        /// Those that it needs.
        other: &'p Pattern,
        /// Whether it must come before.
        before: bool,
        /// Whether it must be of the same process.
        same: bool,
    },
    /// Whether the condition has ever been as looked for: true, or else anything but true.
    Ever {
        condition: &'p Expression,
        /// Whether it is looked for that it is true.
        holds: bool,
    },
    /// The largest number of holders at once, and the current holders.
    Most {
        /// What gives it and takes it away.
        of: Changes<'p>,
        /// The number above which values are not distinguished.
        most: i64,
        /// Whether taking away what a process has not got counts.
        strict: bool,
    },
    /// How many stores have overwritten what their process had not seen, and what each process knows of each cell.
    Lost {
        object: &'p ObjectRef,
        /// The number above which values are not distinguished.
        most: i64,
    },
    /// Whether each match of a pattern is a cause of each match of the next.
    Before(&'p [Pattern]),
    /// Whether the events that the patterns stand for are each a cause of the next: as in [`Memory::Firsts`].
    Causes(&'p [Pattern]),
    /// Whether any two accesses are without an order.
    Races {
        object: &'p ObjectRef,
        /// Whether it must be known of each execution, and not only whether there is any such.
        each: bool,
    },
    /// Everything that came before, by causes: of each process and each object the order of what happened on it.
    Past,
    /// When each of these processes began and ended; all where none are named.
    Spans(&'p [ProcessId]),
    /// The longest that a matching event took.
    Waits(&'p Pattern),
    /// These events with their processes and times, in their order.
    Course(Vec<Events<'p>>),
    /// Every step, in its order.
    Everything,
}

/// Some of the events of a run.
#[derive(Clone, Copy, Debug)]
pub enum Events<'p> {
    Pattern(&'p Pattern),
    /// Lines of output with that text, by one of these processes.
    Printed(&'p str, Option<&'p [ProcessId]>),
    /// Those of a step that ended as it should, or else.
    Step {
        step: StepId,
        /// The outcomes it should have.
        wanted: Option<Outcomes>,
        /// The value it should have.
        value: Option<&'p Value>,
        /// Whether those that ended so are meant.
        fits: bool,
    },
    /// Those that give or take one of these objects.
    Holding(&'p ObjectRef),
    /// Those that enter or leave a section.
    Section(&'p str),
}

/// What gives something to a process and takes it away.
#[derive(Clone, Copy, Debug)]
pub enum Changes<'p> {
    /// To hold one of these objects.
    Holding(&'p ObjectRef),
    /// To be inside a section.
    Section(&'p str),
    /// To have had a match of the first and none of the others since.
    Between(&'p [Pattern]),
}

impl Events<'_> {
    /// Whether the event is one of them.
    pub fn matches(&self, plan: &Plan, event: &Event) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.matches(event),
            Self::Printed(text, by) => {
                event.verb == "print"
                    && event.step.is_some()
                    && by.is_none_or(|by| by.contains(&event.id.process()))
                    && event.value.to_text().contains(text)
            }
            Self::Step { step, wanted, value, fits } => {
                event.step == Some(*step)
                    && !event.implicit
                    && *fits
                        == (wanted.is_none_or(|outcomes| outcomes.contains(event.outcome))
                            && value.is_none_or(|value| event.outcome.is_ok() && alike(value, &event.value)))
            }
            Self::Holding(object) => plan.holding(event).is_some() && is_on(object, event.target),
            Self::Section(section) => section_change(section, event) != 0,
        }
    }

    /// Whether a step of a process could be one of them. `process` may be any process of the step's program.
    pub fn may(&self, plan: &Plan, number: StepId) -> bool {
        let Some(step) = plan.steps.get(number as usize) else { return false };
        let program = &plan.programs[step.program];
        let range = program.first..program.first + program.count.unwrap_or(1);
        match self {
            Self::Pattern(pattern) => may_match(pattern, step, &range),
            Self::Printed(_, by) => step.verb == "print" && by.is_none_or(|by| by.iter().any(|id| range.contains(id))),
            Self::Step { step, .. } => *step == number,
            Self::Holding(_) => plan.operation(number).is_some_and(|operation| may_hold(plan, operation)),
            Self::Section(section) => {
                step.verbs().iter().any(|verb| matches!(*verb, "enter" | "leave"))
                    && (step.object == *section || step.object.contains('{'))
            }
        }
    }

    /// Whether the begin of that process could be one of them, or with `end` its end.
    pub fn may_bound(&self, process: ProcessId, end: bool) -> bool {
        match self {
            Self::Pattern(pattern) => {
                pattern.verb.as_deref() == Some(if end { "end" } else { "begin" })
                    && pattern.processes.as_ref().is_none_or(|range| range.contains(&process))
            }
            _ => false,
        }
    }

    /// Whether a verb on an object, carried out by that process, could be one of them.
    pub fn may_be(&self, process: ProcessId, verb: &str, object: ObjectId) -> bool {
        match self {
            Self::Pattern(pattern) => {
                pattern.processes.as_ref().is_none_or(|range| range.contains(&process))
                    && pattern.verb.as_ref().is_none_or(|wanted| wanted == verb)
                    && pattern.target.as_ref().is_none_or(
                        |target| matches!(target, PatternTarget::Objects(range, _) if range.contains(&object)),
                    )
            }
            Self::Printed(..) | Self::Section(_) => false,
            Self::Step { .. } => true,
            Self::Holding(named) => named.objects.contains(&object),
        }
    }
}

impl Changes<'_> {
    /// By how much the event changes what its process has: positive gives, negative takes away, [`i64::MIN`]
    /// everything.
    pub fn by(&self, plan: &Plan, event: &Event) -> i64 {
        match self {
            _ if event.step.is_none() && event.verb == "end" => i64::MIN,
            Self::Holding(object) => match (plan.holding(event), event.target) {
                (Some(sign), Target::Object(id)) if object.objects.contains(&id) => {
                    // As much as the object's own size changes by it.
                    let mut state = plan.objects[id as usize].object.state();
                    let before = state.size();
                    state.apply(event);
                    let size = before.zip(state.size()).map_or(0, |(before, after)| (after - before).abs()).max(1);
                    sign * size
                }
                _ => 0,
            },
            Self::Section(section) => section_change(section, event),
            Self::Between([begin, ends @ ..]) => {
                if ends.iter().any(|end| end.matches(event)) {
                    i64::MIN
                } else {
                    i64::from(begin.matches(event))
                }
            }
            Self::Between([]) => 0,
        }
    }

    /// The events that can change it.
    pub fn events(&self) -> Vec<Events<'_>> {
        match self {
            Self::Holding(object) => vec![Events::Holding(object)],
            Self::Section(section) => vec![Events::Section(section)],
            Self::Between(patterns) => patterns.iter().map(Events::Pattern).collect(),
        }
    }
}

impl<'p> Memory<'p> {
    /// What the facts need that a condition reads, and the condition itself where it counts whether it has ever been
    /// so.
    pub(crate) fn of_condition(condition: &'p Expression, plan: &'p Plan, ever: Option<bool>) -> Vec<Self> {
        let mut memories = Vec::new();
        condition.states(&mut |number| {
            if let Some(Fact::Count(_) | Fact::Inside(_)) = plan.facts.get(number as usize) {
                memories.push(Self::Fact(number));
            }
        });
        memories.extend(ever.map(|holds| Self::Ever { condition, holds }));
        memories
    }

    /// Whether it depends on the time.
    pub fn is_timed(&self) -> bool {
        match self {
            Self::Spans(_) | Self::Waits(_) | Self::Course(_) => true,
            Self::Ever { condition, .. } => {
                let mut now = false;
                condition.builtins(&mut |builtin| now |= builtin == Builtin::Now);
                now
            }
            _ => false,
        }
    }
}

/// What an access to a cell does to what is kept of lost updates.
pub(crate) fn access(plan: &Plan, object: &ObjectRef, event: &Event) -> Option<(Cell, CellUse)> {
    let cell = wanted_cell(plan, object, event)?;
    let touch = CellUse::by(plan.effect(event)).filter(|_| event.outcome.is_ok())?;
    Some((cell, touch))
}

/// What an access does to a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CellUse {
    pub(crate) writes: bool,
    /// It writes without having read.
    pub(crate) plain: bool,
    /// It reads and writes in one.
    pub(crate) atomic: bool,
}

impl CellUse {
    /// What a verb of that effect does to a cell.
    pub(crate) fn by(effect: Effect) -> Option<Self> {
        let access = Access::by(effect)?;
        Some(Self { writes: access.writes(), plain: access == Access::Write, atomic: access == Access::Atomic })
    }
}

/// Whether both touch a cell in common.
pub(crate) fn common(a: Cell, b: Cell) -> bool {
    overlap(a, b)
}

/// What `size` means of an object's value.
pub(crate) fn size(value: &Value) -> Value {
    super::state_replay::size(value)
}

/// Whether two values are equal, as `equals` and `in` have it.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    alike(a, b)
}

/// Whether a step does something to another object than its own.
fn may_hold(plan: &Plan, operation: &OperationPlan) -> bool {
    operation.accessed().any(|(object, verb)| {
        matches!(plan.kind(object).verbs[verb as usize].effect, Effect::Takes | Effect::Gives)
            || !plan.objects[object as usize].object.touches(verb).is_empty()
    })
}

fn is_on(object: &ObjectRef, target: Target) -> bool {
    matches!(target, Target::Object(id) if object.objects.contains(&id))
}

/// By how much an event changes how often its process is inside a section.
pub(crate) fn section_change(section: &str, event: &Event) -> i64 {
    if !event.outcome.is_ok() || event.second.as_str() != Some(section) {
        return 0;
    }
    match event.verb {
        "enter" => 1,
        "leave" => -1,
        _ => 0,
    }
}

/// Whether an event of the step could match.
fn may_match(pattern: &Pattern, step: &Step, processes: &std::ops::Range<ProcessId>) -> bool {
    let meets = |range: &std::ops::Range<u32>| range.start < processes.end && processes.start < range.end;
    pattern.processes.as_ref().is_none_or(meets)
        && pattern.verb.as_ref().is_none_or(|verb| step.verbs().contains(&verb.as_str()))
        && match &pattern.target {
            Some(PatternTarget::Label(label)) => {
                step.verbs().iter().any(|verb| matches!(*verb, "mark" | "enter" | "leave"))
                    && (step.object == *label || step.object.contains('{'))
            }
            _ => true,
        }
}
