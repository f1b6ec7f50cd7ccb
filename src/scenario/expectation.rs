//! Expectations as the plan holds them: a form, its arguments, and patterns that match events.
//!
//! A form's description says which arguments it takes and of which shape; reading them is the same for all forms.
//! What a form means is the judge's, one file a form.

use std::ops::Range;

use crate::event::{Event, ObjectId, ProcessId, StepId, Target};
use crate::expression::Expression;
use crate::objects::kinds::signals::HANDLED;
use crate::outcome::Outcomes;
use crate::value::Value;

/// What `check` needs to know of a form of `[[expect]]`.
#[derive(Debug)]
pub struct FormDescription {
    /// The key that names it; always its first argument.
    pub name: &'static str,
    /// One line for the reference: it holds when ..
    pub summary: &'static str,
    /// Its keys besides `holds` and `label`, the naming one first.
    pub arguments: &'static [FormArgument],
    /// Of these keys one at least must be given; none where it is empty.
    pub one_of: &'static [&'static str],
    /// A short example, one `[[expect]]`.
    pub example: &'static str,
}

/// A key of a form.
#[derive(Debug)]
pub struct FormArgument {
    pub name: &'static str,
    /// What may stand there.
    pub shape: Shape,
    /// Whether it must be given.
    pub required: bool,
    /// One line for the reference.
    pub summary: &'static str,
}

/// What may stand at a key of a form.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    Pattern,
    /// A list of patterns, with its minimum length.
    Patterns(usize),
    /// A state expression that is true or false.
    Condition,
    /// An integer, not negative.
    Count,
    Integer,
    Duration,
    /// `true` or `false`.
    Boolean,
    /// Text as it stands.
    Text,
    /// The label of a section. [`Argument::Text`].
    Section,
    /// A signal: its name, with or without `SIG`, or its number. [`Argument::Integer`].
    Signal,
    /// One of these words.
    Choice(&'static [&'static str]),
    Value,
    /// A list of any values.
    Values,
    /// A list of lists of any values.
    Lists,
    /// An object that has one of these verbs, or one element of an array object.
    Object(&'static [&'static str]),
    /// A list of objects or elements.
    Objects,
    /// A process, or several of one name.
    Processes,
    /// The same, or `"*"` for the whole run.
    ProcessesOrRun,
    /// A list of `"p"`, `"q[1] at m"`: processes and what they wait for.
    Blocked,
    /// A list of such lists.
    BlockedLists,
}

/// One expectation of a scenario.
#[derive(Debug)]
pub struct Expectation {
    pub form: &'static FormDescription,
    /// The arguments that were given, with their places in the file.
    pub arguments: Vec<(&'static str, Argument, Range<usize>)>,
    /// `label`, or the expectation as one line: `holding = "permits", at_most = 3`.
    pub label: String,
    /// Over which executions it speaks.
    pub holds: Holds,
    /// Where it stands, in bytes.
    pub span: Range<usize>,
    /// Its line, from 1.
    pub line: usize,
    /// The step, for the `expect` beside a step.
    pub step: Option<StepId>,
}

/// Over which executions an expectation speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Holds {
    /// It holds in all of them.
    Always,
    /// It holds in at least one.
    Sometimes,
    /// It holds in none.
    Never,
}

/// An argument of an expectation.
#[derive(Debug)]
pub enum Argument {
    /// [`Shape::Pattern`] (one) and [`Shape::Patterns`].
    Patterns(Vec<Pattern>),
    /// [`Shape::Condition`].
    Condition(Expression),
    /// [`Shape::Count`], [`Shape::Integer`], [`Shape::Signal`].
    Integer(i64),
    /// [`Shape::Duration`], in ns.
    Duration(u64),
    /// [`Shape::Boolean`].
    Boolean(bool),
    /// [`Shape::Text`], [`Shape::Section`], [`Shape::Choice`].
    Text(String),
    /// [`Shape::Value`]; [`Shape::Values`] and [`Shape::Lists`] as a list.
    Value(Value),
    /// [`Shape::Object`] (one) and [`Shape::Objects`].
    Objects(Vec<ObjectRef>),
    /// [`Shape::Processes`], [`Shape::ProcessesOrRun`]; `None` for the whole run.
    Processes(Option<Vec<ProcessId>>),
    /// [`Shape::Blocked`] (one list) and [`Shape::BlockedLists`].
    Blocked(Vec<Vec<BlockedAt>>),
}

/// An object, or one element of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectRef {
    pub text: String,
    /// The object; several where an array of objects is named without an index.
    pub objects: Vec<ObjectId>,
    /// The element, where one is named.
    pub element: Option<u32>,
}

/// A process that is expected to be blocked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BlockedAt {
    pub text: String,
    /// The processes it can be: one, or any of one name.
    pub processes: Vec<ProcessId>,
    /// What it waits for: objects or processes it can be; any where empty.
    pub targets: Vec<Target>,
}

/// A pattern of events.
#[derive(Debug)]
pub struct Pattern {
    /// As written, for messages.
    pub text: String,
    /// The processes; any where `None`.
    pub processes: Option<Range<ProcessId>>,
    /// The verb; any where `None`.
    pub verb: Option<String>,
    /// What the event is about; anything where `None`.
    pub target: Option<PatternTarget>,
    pub outcomes: Outcomes,
    /// The value, where the pattern asks for one.
    pub value: Option<Value>,
}

/// What an event must be about.
#[derive(Clone, Debug)]
pub enum PatternTarget {
    /// One of these objects, and that element of it where one is named.
    Objects(Range<ObjectId>, Option<u32>),
    /// One of these processes.
    Processes(Range<ProcessId>),
    /// The label of a `mark`, `enter` or `leave`.
    Label(String),
}

/// The verbs of what is no step: the begin and the end of a process.
pub const BOUNDS: [&str; 2] = ["begin", "end"];

impl Pattern {
    /// Whether it names the begin or the end of processes.
    pub fn is_bound(&self) -> bool {
        self.verb.as_deref().is_some_and(|verb| BOUNDS.contains(&verb))
    }

    /// Whether the event matches. Implicit events match no pattern; the begin and the end of a process match where the
    /// verb names them.
    pub fn matches(&self, event: &Event) -> bool {
        !event.implicit
            && (event.step.is_some() || self.is_bound() || self.verb.as_deref() == Some(HANDLED))
            && self.processes.as_ref().is_none_or(|range| range.contains(&event.id.process()))
            && self.verb.as_ref().is_none_or(|verb| verb == event.verb)
            && self.outcomes.contains(event.outcome)
            && self.value.as_ref().is_none_or(|value| *value == event.value)
            && self.target.as_ref().is_none_or(|target| match target {
                PatternTarget::Objects(range, element) => {
                    matches!(event.target, Target::Object(id) if range.contains(&id))
                        && element.is_none_or(|element| event.element.get() == Some(element))
                }
                PatternTarget::Processes(range) => {
                    matches!(event.target, Target::Process(id) if range.contains(&id))
                }
                PatternTarget::Label(label) => {
                    matches!(event.verb, "mark" | "enter" | "leave") && event.second.as_str() == Some(label)
                }
            })
    }
}

impl Expectation {
    /// The argument of that key.
    pub fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|(key, ..)| *key == name).map(|(_, argument, _)| argument)
    }

    /// The patterns of that key; empty where it was not given.
    pub fn patterns(&self, name: &str) -> &[Pattern] {
        match self.argument(name) {
            Some(Argument::Patterns(patterns)) => patterns,
            _ => &[],
        }
    }

    /// The integer of that key.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.argument(name) {
            Some(Argument::Integer(n)) => Some(*n),
            _ => None,
        }
    }

    /// The duration of that key, in ns.
    pub fn duration(&self, name: &str) -> Option<u64> {
        match self.argument(name) {
            Some(Argument::Duration(ns)) => Some(*ns),
            _ => None,
        }
    }

    /// The truth value of that key; `false` where it was not given.
    pub fn boolean(&self, name: &str) -> bool {
        matches!(self.argument(name), Some(Argument::Boolean(true)))
    }

    /// The text or word of that key.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.argument(name) {
            Some(Argument::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The value of that key.
    pub fn value(&self, name: &str) -> Option<&Value> {
        match self.argument(name) {
            Some(Argument::Value(value)) => Some(value),
            _ => None,
        }
    }

    /// The state expression of that key.
    pub fn condition(&self, name: &str) -> Option<&Expression> {
        match self.argument(name) {
            Some(Argument::Condition(expression)) => Some(expression),
            _ => None,
        }
    }

    /// The objects of that key; empty where it was not given.
    pub fn objects(&self, name: &str) -> &[ObjectRef] {
        match self.argument(name) {
            Some(Argument::Objects(objects)) => objects,
            _ => &[],
        }
    }

    /// The processes of that key; `None` where it was not given or means the whole run.
    pub fn processes(&self, name: &str) -> Option<&[ProcessId]> {
        match self.argument(name) {
            Some(Argument::Processes(processes)) => processes.as_deref(),
            _ => None,
        }
    }

    /// The lists of blocked processes of that key; `None` where it was not given.
    pub fn blocked(&self, name: &str) -> Option<&[Vec<BlockedAt>]> {
        match self.argument(name) {
            Some(Argument::Blocked(lists)) => Some(lists),
            _ => None,
        }
    }
}
