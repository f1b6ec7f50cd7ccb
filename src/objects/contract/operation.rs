//! An operation: a verb, what it works on, and what it is given. Every engine, and every analysis of what an engine may
//! leave out, has a step in this form.

use std::ops::Range;

use crate::event::{ObjectId, ProcessId, Target};
use crate::objects::Verb;
use crate::objects::kinds::own::OwnVerb;
use crate::objects::kinds::process::ProcessVerb;
use crate::objects::kinds::signals::SignalVerb;
use crate::objects::kinds::timer::TimerVerb;
use crate::value::Value;

/// The most arguments a verb has: an engine keeps them without allocating.
pub const MOST_ARGUMENTS: usize = 6;

/// What an operation does. The verb of an object's kind stands with the object: [`Targets::verb`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum VerbId {
    /// A verb of the object's kind.
    Object,
    /// On the process that carries it out.
    Own(OwnVerb),
    /// On the time.
    Timer(TimerVerb),
    /// On processes.
    Process(ProcessVerb),
    /// On the signals that the process gets.
    Signal(SignalVerb),
}

impl VerbId {
    /// The verbs without an object that a step can have.
    pub const STEPS: [Self; 23] = [
        Self::Own(OwnVerb::Print),
        Self::Own(OwnVerb::Mark),
        Self::Own(OwnVerb::Enter),
        Self::Own(OwnVerb::Leave),
        Self::Own(OwnVerb::Yield),
        Self::Own(OwnVerb::Assert),
        Self::Own(OwnVerb::Exit),
        Self::Own(OwnVerb::Abort),
        Self::Timer(TimerVerb::Sleep),
        Self::Timer(TimerVerb::Busy),
        Self::Process(ProcessVerb::Start),
        Self::Process(ProcessVerb::Join),
        Self::Process(ProcessVerb::WaitAny),
        Self::Process(ProcessVerb::Status),
        Self::Process(ProcessVerb::Kill),
        Self::Process(ProcessVerb::Ready),
        Self::Signal(SignalVerb::Action),
        Self::Signal(SignalVerb::Mask),
        Self::Signal(SignalVerb::Unmask),
        Self::Signal(SignalVerb::Pending),
        Self::Signal(SignalVerb::Await),
        Self::Signal(SignalVerb::Pause),
        Self::Signal(SignalVerb::Alarm),
    ];

    /// The verb of a step without an object.
    pub fn of_step(name: &str) -> Option<Self> {
        Self::STEPS.into_iter().find(|verb| verb.name() == name)
    }

    /// Its word; empty for the verbs of objects, which only their kinds know.
    pub fn name(self) -> &'static str {
        self.described().map_or("", |verb| verb.name)
    }

    /// Its description; none for the verbs of objects, which only their kinds have.
    pub fn described(self) -> Option<&'static Verb> {
        match self {
            Self::Object => None,
            Self::Own(verb) => Some(verb.described()),
            Self::Timer(verb) => Some(verb.described()),
            Self::Process(verb) => Some(verb.described()),
            Self::Signal(verb) => Some(verb.described()),
        }
    }
}

/// Consecutive objects or processes that an operation works on: one, or all of an array.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Targets {
    /// The first.
    pub first: Target,
    /// How many there are.
    pub count: u32,
    /// The verb's place among those of the objects' kind, or [`ProcessVerb`].
    pub verb: u8,
    /// The end's place in [`Object::ends`](crate::objects::Object::ends); 0 where there are none.
    pub end: u8,
    /// The index of an element, within the object's length.
    pub element: Option<u32>,
}

impl Targets {
    /// The objects; none where these are processes.
    pub fn objects(&self) -> Range<ObjectId> {
        match self.first {
            Target::Object(first) => first..first + self.count,
            _ => 0..0,
        }
    }

    /// The processes; none where these are objects.
    pub fn processes(&self) -> Range<ProcessId> {
        match self.first {
            Target::Process(first) => first..first + self.count,
            _ => 0..0,
        }
    }

    /// The one at that place.
    pub fn nth(&self, at: u32) -> Target {
        match self.first {
            Target::Object(first) => Target::Object(first + at),
            Target::Process(first) => Target::Process(first + at),
            Target::None => Target::None,
        }
    }

    /// Each of them.
    pub fn each(self) -> impl Iterator<Item = Target> {
        (0..self.count).map(move |at| self.nth(at))
    }
}

/// One operation of a process, with everything computed.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// What it does.
    pub verb: VerbId,
    /// What it works on.
    pub targets: &'a [Targets],
    /// The arguments, in the order of the verb's; null where absent and for an `update`. `into` and its like are `true`
    /// where a variable is given: a `send` of bytes does another thing where its count is taken.
    pub arguments: &'a [Value],
    /// What is known of the arguments without computing them.
    pub given: Given,
}

impl Operation<'_> {
    /// The processes that it works on.
    pub fn processes(&self) -> Range<ProcessId> {
        self.targets.first().map_or(0..0, Targets::processes)
    }

    /// An argument that is a whole number: a time in ns, a signal, an exit status.
    pub fn int(&self, at: usize) -> i64 {
        self.arguments.get(at).and_then(Value::as_int).unwrap_or(0)
    }
}

/// What is known of an operation's arguments without computing them, by their places.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Given([u8; MOST_ARGUMENTS]);

impl Given {
    /// Nothing is known: any argument may be given, with any value.
    pub const UNKNOWN: Self = Self([Self::ANY; MOST_ARGUMENTS]);
    /// No argument is given.
    pub const NONE: Self = Self([Self::ABSENT; MOST_ARGUMENTS]);

    const ABSENT: u8 = 0;
    const ANY: u8 = 1;
    const WORD: u8 = 2;

    /// An argument is given, with any value.
    #[must_use]
    pub fn with(mut self, at: usize) -> Self {
        self.0[at] = Self::ANY;
        self
    }

    /// An argument is given: the word at that place of its choices.
    #[must_use]
    pub fn with_word(mut self, at: usize, word: u8) -> Self {
        self.0[at] = Self::WORD + word;
        self
    }

    /// The same where the arguments have been computed: those that are null are not given.
    #[must_use]
    pub fn computed(mut self, arguments: &[Value]) -> Self {
        for (code, _) in self.0.iter_mut().zip(arguments).filter(|(_, argument)| **argument == Value::Null) {
            *code = Self::ABSENT;
        }
        self
    }

    /// Whether the argument may be given.
    pub fn has(&self, at: usize) -> bool {
        self.0[at] != Self::ABSENT
    }

    /// The place of the argument's word among its choices; none where the argument is absent or its word is not known.
    pub fn word(&self, at: usize) -> Option<u8> {
        self.0[at].checked_sub(Self::WORD)
    }
}

/// Consecutive cells of an object, from `start` up to `end`: elements of an array, bytes of a memory.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// All cells, where it is not known how many there are.
    pub const ALL: Self = Self { start: 0, end: u32::MAX };

    /// One element, or all of them.
    pub fn of(element: Option<u32>) -> Self {
        element.map_or(Self::ALL, |at| Self { start: at, end: at.saturating_add(1) })
    }

    /// Whether both have a cell in common.
    pub fn meets(self, other: Self) -> bool {
        self.start.max(other.start) < self.end.min(other.end)
    }

    /// Whether every cell of the other is one of this.
    pub fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// An operation on one object or process, as far as it is known without running: what is asked of two operations that might
/// be exchanged.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Access {
    /// The verb's place among the kind's, or [`ProcessVerb`].
    pub verb: u8,
    /// The end's place.
    pub end: u8,
    /// The element; `None` for all of them, or where it is not known.
    pub element: Option<u32>,
    /// Which arguments it gives.
    pub given: Given,
}

impl Access {
    /// A verb without arguments, of which nothing else is known.
    pub fn of(verb: u8) -> Self {
        Self { verb, end: 0, element: None, given: Given::NONE }
    }

    /// A verb that another object's operation carries out.
    pub fn by_another(verb: u8) -> Self {
        Self { given: Given::UNKNOWN, ..Self::of(verb) }
    }
}
