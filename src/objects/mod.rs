//! The catalogue of object kinds, and what a kind is.
//!
//! Each kind has a room of its own here that holds everything true of it: its attributes, ends, verbs and
//! outcomes, its kernel side over `os`, its pure state, its order and its happens-before edges. A kind joins
//! ipcrun by its room and one line of [`CATALOGUE`]; the parser, the reference, the schema, both engines, the
//! judge and the reports find it there. No other room matches on a kind; a few forms of expectations name verbs.

pub mod causality;
pub mod contract;
pub(crate) mod kinds;
pub(crate) mod support;

#[cfg(test)]
pub(crate) mod testing;

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use crate::event::{Event, ObjectId, ProcessId};
use crate::outcome::Outcome;
use crate::value::{Types, Value};
use contract::operation::{Access, Span};

pub use causality::happens_before::Relation;
pub use causality::sync_clock::{Handover, Held};
pub use contract::create_context::{CreateContext, HostError};
pub use contract::declaration::{Declaration, Problem};
pub use contract::model::Model;
pub use contract::verb_class::Effect;

/// Every kind, in the order of the reference.
pub static CATALOGUE: &[&Kind] = &[
    &kinds::pipe::KIND,
    &kinds::pipe::FIFO,
    &kinds::queue::KIND,
    &kinds::value::KIND,
    &kinds::array::KIND,
    &kinds::semaphore::KIND,
    &kinds::mutex::KIND,
    &kinds::rwlock::KIND,
    &kinds::condition::KIND,
    &kinds::barrier::KIND,
    &kinds::event::KIND,
    &kinds::memory::KIND,
    &kinds::eventfd::KIND,
];

/// The kinds that the format names and this version has not got.
pub static LATER: &[&str] = &["socket", "timer", "file_lock"];

/// Attributes that the format names and this version has not got, with their kinds: they may be `false`.
pub static LATER_ATTRIBUTES: &[(&str, &str)] = &[("memory", "private")];

/// The kind of that name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    CATALOGUE.iter().find(|kind| kind.name == name).copied()
}

/// Makes an object of a declaration, or says what is wrong with it.
pub type Declare = fn(&Declaration) -> Result<Box<dyn Object>, Vec<Problem>>;

/// What is true of every object of a kind.
pub struct Kind {
    /// The word after `kind =`.
    pub name: &'static str,
    /// One sentence on what it is.
    pub summary: &'static str,
    /// Which kernel primitive it is, by `via` where there are several; with the manual pages.
    pub primitive: &'static str,
    /// The attributes of its declaration besides `kind` and `count`.
    pub attributes: &'static [Attribute],
    /// What can be done with it.
    pub verbs: &'static [Verb],
    /// How a state expression reads such an object: what is written, and what that is.
    pub state: (&'static str, &'static str),
    /// A short scenario text for the reference: the object and a step for each verb.
    pub example: &'static str,
    /// Makes an object of a declaration whose attributes have the right form already.
    pub declare: Declare,
}

impl Kind {
    /// The verb of that name and its place among the kind's verbs.
    pub fn verb(&self, name: &str) -> Option<(u8, &'static Verb)> {
        let at = self.verbs.iter().position(|verb| verb.name == name)?;
        Some((at as u8, &self.verbs[at]))
    }

    /// The verb that does so, by its place.
    pub fn verb_that(&self, effect: Effect) -> Option<u8> {
        self.verbs.iter().position(|verb| verb.effect == effect).map(|at| at as u8)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The form of an attribute or an argument: what may stand there.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// `true` or `false`, known by `check`.
    Boolean,
    /// An integer within both bounds. In an attribute it is known by `check`, in a step it may be computed.
    Integer(i64, i64),
    /// The first cell that a step uses, from 0 up to that number: it becomes the step's element; 0 where it is absent.
    Place(u32),
    /// A size in bytes: an integer or `"64KiB"`, known by `check`.
    Size,
    /// One of these words, known by `check`.
    Choice(&'static [&'static str]),
    /// A value of these types; in a step it may be computed.
    Value(Types),
    /// An object of that kind.
    Object(&'static str),
    /// An expression over `it`, the value the object has; without braces it is a value as in [`Form::Value`].
    Update,
    /// The name of a variable that takes [`Completion::value`].
    Into,
    /// The name of a variable that takes [`Completion::second`].
    Second,
    /// A duration; in a step it may be computed.
    Duration,
    /// A condition.
    Condition,
    /// A list of steps.
    Steps,
    /// A process, or all of a `count`.
    Process,
    /// A signal's name, or 0.
    Signal,
    /// A list of signals' names.
    Signals,
    /// A table of variables and their values.
    Variables,
    /// The name of a variable that a loop sets.
    Variable,
    /// Nothing but `true`; as a bare string the verb stands alone.
    Nothing,
}

/// An attribute of a kind.
pub struct Attribute {
    /// Its key.
    pub name: &'static str,
    /// What may stand there. With `count`, a list with one entry for each object is allowed too.
    pub form: Form,
    /// The default as the reference prints it; empty where there is none and it may be left out.
    pub default: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// One line for the reference.
    pub summary: &'static str,
}

/// What a verb may say of an array's elements.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Element {
    /// No `[i]` behind the object's name.
    Never,
    /// With `[i]` one element, without it all.
    Optional,
    /// Always `[i]`.
    Required,
}

/// A verb of a kind, or one of the verbs without an object.
pub struct Verb {
    /// The key in a step.
    pub name: &'static str,
    /// What it does, as far as others than the kind have to know.
    pub effect: Effect,
    /// One line for the reference.
    pub summary: &'static str,
    /// Its further keys besides `timeout`, `on`, `outcome` and `expect`, which every step takes.
    pub arguments: &'static [Argument],
    /// The ends it takes, without the dot: `["w", "a", "b"]`. Empty where the object has no ends.
    pub ends: &'static [&'static str],
    /// Whether it takes an element.
    pub element: Element,
    /// Whether it can wait, and so takes `timeout`.
    pub blocks: bool,
    /// The types its result can have; [`Types::NONE`] where it has none and takes no `into`.
    pub result: Types,
    /// The outcomes it can have besides `ok`; `timeout` and `would_block` go without saying where it blocks.
    pub outcomes: &'static [Outcome],
}

/// A further key of a step.
pub struct Argument {
    /// The key.
    pub name: &'static str,
    /// What may stand there.
    pub form: Form,
    /// Whether it must be given.
    pub required: bool,
    /// One line for the reference.
    pub summary: &'static str,
}

/// Which processes could unblock a waiting process: for the deadlock detector and for the explorer.
#[derive(Clone, Debug)]
pub struct Enablers {
    /// Verbs on the same object, by any process, that could: `send`; or `open.w`, where only that end's could.
    pub verbs: &'static [&'static str],
    /// Only that process could: the owner of a mutex.
    pub only: Option<ProcessId>,
    /// A process that releases one of these ends could too: end of file, broken pipe.
    pub closing: &'static [&'static str],
}

impl Enablers {
    /// Whether that verb on that end is one of [`Enablers::verbs`].
    pub fn has(&self, verb: &str, end: Option<&str>) -> bool {
        self.verbs.iter().any(|one| match one.split_once('.') {
            Some((name, of)) => name == verb && end == Some(of),
            None => *one == verb,
        })
    }
}

/// One object of a scenario, checked: what the plan holds of it.
///
/// All of it is immutable and pure but [`Object::create`], which makes the kernel's side.
pub trait Object: Send + Sync {
    /// The names of its ends, without the dot: `["r", "w"]`. Empty where it has none.
    fn ends(&self) -> &'static [&'static str] {
        &[]
    }

    /// The number of elements, for an array.
    fn length(&self) -> Option<u32> {
        None
    }

    /// How many processes have to arrive before its waiters continue, for a rendezvous: those that wait have all arrived.
    fn parties(&self) -> Option<u32> {
        None
    }

    /// The types of the value that this verb gives, or takes as `value`, narrower than the kind's where the
    /// object's own `type` says so.
    fn value_types(&self) -> Types {
        Types::ANY
    }

    /// The object that must be made before this one: a condition's mutex.
    fn depends(&self) -> Option<ObjectId> {
        None
    }

    /// What `check` can already say: the outcome that a step can only have, such as `wrong_end`, with the reason.
    /// `arguments` holds the constants, in the order of [`Verb::arguments`]; `None` where computed or absent.
    fn foresee(&self, _verb: &Verb, _end: Option<&str>, _arguments: &[Option<Value>]) -> Option<(Outcome, String)> {
        None
    }

    /// How `verb` can only end where it has a timeout, as in [`Object::foresee`].
    fn foresee_timeout(&self, _verb: &Verb) -> Option<(Outcome, String)> {
        None
    }

    /// Makes the kernel's object. Called once a run, by the supervisor, before any process exists.
    ///
    /// # Errors
    /// What the host could not give, with the limit's name and how to raise it.
    fn create(&self, site: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError>;

    /// The state before anything has happened.
    fn state(&self) -> Box<dyn State>;

    /// The model's object, before anything has happened. `holders` says how many processes hold each end, by its place
    /// in [`Object::ends`].
    fn model(&self, holders: &[u32]) -> Box<dyn Model>;

    /// The object in Promela; none where it cannot be said there.
    fn promela(&self) -> Option<&dyn contract::promela::Promela> {
        None
    }

    /// The cells that an event read or wrote.
    fn span(&self, event: &Event) -> Span {
        Span::of(event.element.get())
    }

    /// Whether two steps use no cell in common, whatever they do to it.
    fn apart(&self, first: Access, second: Access) -> bool {
        matches!((first.element, second.element), (Some(first), Some(second)) if first != second)
    }

    /// Whether an [`Access`] says exactly which cells a step uses.
    fn has_known_cells(&self) -> bool {
        true
    }

    /// Whether two steps of different processes can change places wherever neither of them has to wait: both orders
    /// end in the same state with the same outcomes and values, and neither makes the other wait. Steps that may give up
    /// (`timeout`) are not asked for: those do not commute with what could unblock them.
    fn commute(&self, _first: Access, _second: Access) -> bool {
        false
    }

    /// What a step of a process can only end in, whatever the state, and why: `real_time` is the priority of the process where it
    /// has a real-time policy.
    fn refuses(&self, _verb: u8, _real_time: Option<i64>) -> Option<(Outcome, String)> {
        None
    }

    /// The priority to which a process of that share is raised by it.
    fn ceiling(&self, _share: u32) -> Option<i64> {
        None
    }

    /// The attribute by which priorities of processes matter to it, where one does.
    fn priorities(&self) -> Option<&'static str> {
        None
    }

    /// Whether a wait in that verb continues behind a signal's handler that asks for it, as signal(7) says of the call; none
    /// where no signal interrupts such a wait here. `timed`: whether the step has a timeout.
    fn restarts(&self, _verb: &Verb, _timed: bool) -> Option<bool> {
        None
    }

    /// Whether only processes that have a share of it can release it, and its value names the one that owns it.
    fn has_owner(&self) -> bool;

    /// Whether the end of a process that has a share of the object can change what others may do with it: a robust mutex.
    /// Ends that it holds are another matter, and so are deaths by signals.
    fn notices_ends(&self) -> bool;

    /// Whether a run has its events in another order than that in which its steps end: those that leave a barrier stand in the
    /// order in which they came.
    fn reorders(&self) -> bool;

    /// What a step with that verb also does to other objects: a condition's `wait` unlocks and locks its mutex.
    fn touches(&self, verb: u8) -> Vec<(ObjectId, u8)>;

    /// Which processes could unblock one that waits in `verb` on `end`. `owner` is what [`Live::owner`] says.
    fn enablers(&self, verb: &Verb, end: Option<&str>, owner: Option<ProcessId>) -> Enablers;

    /// The order of the object's events and the happens-before edges between them, besides those from an event's `cause`.
    /// The events are all of this object's, in no particular order but each process's own.
    fn relate(&self, events: &[&Event], relation: &mut Relation);

    /// Takes in the next of the object's events. Gives what it takes of what earlier ones gave: every cause that
    /// [`Object::relate`] finds. An object that cannot say that sets [`Handover::lost`], and the search keeps the order of
    /// all steps instead.
    fn hand_over(&self, handover: &mut Handover<'_>) -> u32 {
        *handover.lost = true;
        causality::sync_clock::NOTHING
    }

    /// Whether two steps that can change places are causes of others by which of them comes first.
    fn tells_order(&self, first: Access, second: Access) -> bool;

    /// The limit of the value, which a timeline draws as a line: the permits of a semaphore, a queue's capacity.
    fn limit(&self) -> Option<i64> {
        None
    }
}

impl fmt::Debug for dyn Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Object")
    }
}

/// How long a step is willing to wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Patience {
    /// For ever.
    Forever,
    /// Not at all: what cannot be done at once ends `would_block`.
    Never,
    /// Until that time of `CLOCK_MONOTONIC`, in ns; then it ends `timeout`. What can be done at once is done,
    /// whatever the time.
    Until(u64),
}

impl Patience {
    /// The outcome of giving up.
    pub fn outcome(self) -> Outcome {
        if self == Self::Never { Outcome::WOULD_BLOCK } else { Outcome::TIMEOUT }
    }

    /// The deadline to wait until; none for ever.
    ///
    /// # Errors
    /// `would_block` where it may not wait at all.
    pub fn deadline(self) -> Result<Option<u64>, Outcome> {
        match self {
            Self::Forever => Ok(None),
            Self::Never => Err(Outcome::WOULD_BLOCK),
            Self::Until(deadline) => Ok(Some(deadline)),
        }
    }
}

/// What a process does that is to wait within a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Parked {
    /// It sleeps until the object unblocks it, or its time is over.
    Sleep,
    /// It looks again: a schedule gives it a turn.
    Again,
    /// Its time is over: a schedule says so.
    GiveUp,
    /// Its wait is over although nothing has ended it: a schedule says so.
    Wake,
}

/// The process that carries out a step, as an object sees it.
pub trait Caller {
    /// Which process it is.
    fn process(&self) -> ProcessId;
    /// The packed id of the event that this step will become: what travels in a message's header.
    fn event(&self) -> u64;
    /// Publishes that the process has to wait within this step, and may sleep: the event counts as one that waited. Called
    /// where the step could not be done at once, before the call that sleeps; calling it again is free.
    fn block(&mut self);
    /// Says that the process may sleep now in `verb` on another object than its step's: a condition's `wait` that
    /// takes the mutex again. That object then determines which processes could unblock it.
    fn block_on(&mut self, _object: ObjectId, _verb: u8) {
        self.block();
    }
    /// Says that the process waits, having changed something that others see, before it looks whether it still has to:
    /// as [`Caller::block`]. Where a schedule says whose turn it is, it comes back when the process may look again, and
    /// until then the process must touch nothing.
    fn park(&mut self) -> Parked {
        self.block();
        Parked::Sleep
    }
    /// Says that the process continues to something else of this step now, having waited. Where a schedule says whose turn
    /// it is, it may have to wait for that.
    fn pause(&mut self) {}
    /// Says that the step, though its outcome does not tell, may have seen what the end of another process does to the object.
    fn notice_end(&mut self) {}
    /// Whether a schedule says when the step continues that has to wait: it must not wait in the kernel then.
    fn is_held(&self) -> bool {
        false
    }
    /// Whether a schedule says now that the time of the step is over, which continues by itself in the kernel otherwise. Asked
    /// again and again while it waits there.
    fn is_overdue(&mut self) -> bool {
        false
    }
    /// Which of that many possibilities a schedule takes; none where there is no schedule.
    fn choose(&mut self, _count: u32) -> Option<u32> {
        None
    }
    /// The value of an `update`'s expression where the object holds `it`.
    ///
    /// # Errors
    /// The outcome of the step where the expression has no value.
    fn compute(&mut self, it: Value) -> Result<Value, Outcome>;
    /// Records what this step did to another object, or to this one before it completes, as an implicit event
    /// of the given verb.
    fn implicit(&mut self, object: ObjectId, verb: u8, completion: Completion);
    /// A buffer to encode messages in, kept from step to step.
    fn buffer(&mut self) -> Vec<u8>;
    /// Gives the buffer back.
    fn give_back(&mut self, buffer: Vec<u8>);
}

/// One step on an object, with everything it says.
pub struct Call<'a> {
    /// The verb's place among the kind's.
    pub verb: u8,
    /// The end's place in [`Object::ends`]; 0 where there are none.
    pub end: u8,
    /// The index of an element, checked against [`Object::length`].
    pub element: Option<u32>,
    /// The arguments, in the order of [`Verb::arguments`]; null where absent and for `Update`. `Into` and `Second` are
    /// `true` where a variable is given, else null: a `send` of bytes does another thing where its count is taken.
    pub arguments: &'a [Value],
    /// How long it may wait.
    pub patience: Patience,
    /// The process that runs it.
    pub party: &'a mut dyn Caller,
}

/// How a step on an object ended.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The outcome.
    pub outcome: Outcome,
    /// What `into` takes and the trace shows: the message, the value read, the value written where none is read.
    pub value: Value,
    /// What `Second` takes, and the other value for the trace.
    pub second: Value,
    /// The place in the object's order; 0 where the object does not count.
    pub ticket: u64,
    /// The packed id of the event whose message this took or whose notification woke it; 0 for none.
    pub cause: u64,
}

impl Completion {
    /// A completion with nothing but an outcome.
    pub fn of(outcome: Outcome) -> Self {
        Self { outcome, value: Value::Null, second: Value::Null, ticket: 0, cause: 0 }
    }

    /// `ok` with a value.
    pub fn value(value: Value) -> Self {
        Self { value, ..Self::of(Outcome::OK) }
    }

    /// Sets the ticket.
    #[must_use]
    pub fn ticket(mut self, ticket: u64) -> Self {
        self.ticket = ticket;
        self
    }
}

/// The kernel's side of an object. Made by the supervisor, inherited by every process over fork.
pub trait Live: Any {
    /// Carries out one step. Called in a scenario process only.
    fn perform(&self, call: &mut Call<'_>) -> Completion;

    /// Lets go of the ends that this process does not hold; `held` is by the place in [`Object::ends`]. Called in
    /// each process right after fork and, with nothing held, at its end; and so in the supervisor once every process exists.
    fn part(&self, _held: &[bool]) {}

    /// The process that owns it, for kinds that have an owner.
    fn owner(&self) -> Option<ProcessId> {
        None
    }

    /// Lets others go on that wait behind a process which a signal has stopped while it waits itself.
    fn stopped(&self, _process: ProcessId) {}

    /// Puts right what a process left half done that has died. Called in the supervisor, once it is reaped.
    fn reclaim(&self, _process: ProcessId) {}

    /// The value it has now, as a state expression would see it, where the supervisor can still tell. Called at
    /// the end of a run, when no process is left.
    fn value(&self) -> Option<Value> {
        None
    }

    /// For downcasts between kinds that are made for one another.
    fn as_any(&self) -> &dyn Any;
}

/// The pure state of an object: replayed over a trace by the judge, searched by the explorer.
pub trait State {
    /// Takes in one event of this object, in the object's order. `verb` is `event.verb`.
    fn apply(&mut self, event: &Event);

    /// What the object's bare name means in a state expression: a value, a list, the free permits, the owner's
    /// name or null. `names` holds the processes' names.
    fn value(&self, names: &[String]) -> Value;

    /// What `size(OBJECT)` means, where it is not the size of the value: messages queued, permits, parties waiting.
    fn size(&self) -> Option<i64> {
        None
    }
}
