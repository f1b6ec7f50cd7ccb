//! The plan: all that an engine, a judge or a report ever sees of a scenario.
//!
//! Every name is an index here, every expression is compiled, every step is an instruction of a flat program.
//! A process's whole state is then its place in the program and its slots, which is small, explicit and hashable.

use std::ops::Range;
use std::sync::Arc;

use super::expectation::{Expectation, Pattern};
use super::matrix::Combination;
use crate::diagnostic::Source;
use crate::event::{Event, ObjectId, ProcessId, StepId, Target};
use crate::expression::Expression;
use crate::objects::contract::operation::{Given, Targets, VerbId};
use crate::objects::kinds::process::ProcessVerb;
use crate::objects::kinds::signals::SignalVerb;
use crate::objects::{Effect, Enablers, Form, Kind, Object, Verb};
use crate::outcome::{Outcome, Outcomes};
use crate::text::Untrusted;
use crate::value::Value;

#[derive(Debug)]
pub struct Plan {
    pub source: Arc<Source>,
    /// `name`, or the file's stem.
    pub name: Untrusted,
    /// `about`.
    pub about: Option<String>,
    /// The longest the run may take, in ns.
    pub timeout: u64,
    /// `time`: what an exploration assumes of sleeps and timeouts.
    pub time: Option<Time>,
    /// The seed of every `random`.
    pub seed: u64,
    /// `[params]` after `--set`, and the params of `combination`.
    pub params: Vec<(String, Value)>,
    /// Which values of `[matrix]` it has; empty where there is no matrix.
    pub combination: Combination,
    /// `[objects]` as declared: an object, or an array of them.
    pub groups: Vec<Group>,
    /// Every object, arrays expanded. [`ObjectId`] is the place here.
    pub objects: Vec<ObjectPlan>,
    /// `[processes]` as declared.
    pub programs: Vec<Program>,
    /// Every process, counts expanded. [`ProcessId`] is the place here.
    pub processes: Vec<ProcessPlan>,
    /// Every step of the file. [`StepId`] is the place here.
    pub steps: Vec<Step>,
    /// `[[expect]]`, and the `expect` of steps.
    pub expectations: Vec<Expectation>,
    /// What the state numbers of state expressions mean.
    pub facts: Vec<Fact>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Time {
    /// `ideal`: it passes only when nothing else can move, up to the next deadline.
    #[default]
    Virtual,
    /// `any`: a sleep, a `busy` or a timeout may end at any moment.
    Any,
}

impl Time {
    /// The words of the format.
    pub const WORDS: [&str; 2] = ["ideal", "any"];

    /// The word of the format.
    pub fn word(self) -> &'static str {
        match self {
            Self::Virtual => "ideal",
            Self::Any => "any",
        }
    }
}

/// One entry of `[objects]`.
#[derive(Debug)]
pub struct Group {
    pub name: String,
    pub kind: &'static Kind,
    pub first: ObjectId,
    /// How many: `None` for one object that is no array.
    pub count: Option<u32>,
    /// Whether they are declared alike, but for the objects that they name: no attribute says another thing of one.
    pub alike: bool,
    /// Where it is declared, in bytes: its name.
    pub span: Range<usize>,
}

#[derive(Debug)]
pub struct ObjectPlan {
    /// `forks[2]`.
    pub name: String,
    /// Its group, by place.
    pub group: usize,
    pub object: Box<dyn Object>,
}

/// One entry of `[processes]`.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Program {
    pub name: String,
    pub first: ProcessId,
    /// How many: `None` without `count`.
    pub count: Option<u32>,
    /// What each of them does.
    pub code: Vec<Instruction>,
    /// Whether it has to do with the signals that it gets: by a step, or since a PIPE ends it.
    pub signals: bool,
    /// Whether PIPE has its default action at first; otherwise it is ignored.
    pub ends_of_pipe: bool,
    /// The slots of what a handler knows of its signal: which it is, its value, its sender.
    pub handler: Option<[u32; 3]>,
    /// The names of its slots; those that the compiler made begin with `$`.
    pub slots: Vec<String>,
    /// The first values of its variables.
    pub vars: Vec<(u32, Expression)>,
    /// Whether a `start` step starts it.
    pub manual: bool,
    /// The signal that it is sent when the process that started it ends.
    pub parent_death: Option<i32>,
    /// Whether it may stay blocked.
    pub daemon: bool,
    /// What must have happened before it starts.
    pub depends_on: Vec<(ProcessId, u32, Condition)>,
    /// The CPUs it may run on; empty for all.
    pub cpus: Vec<u32>,
    pub nice: Option<i64>,
    /// Its scheduling policy: `other`, `batch`, `idle`, `fifo`, `rr`.
    pub policy: Option<String>,
    /// Its real-time priority, for `fifo` and `rr`.
    pub priority: Option<i64>,
    /// The priority that its processes have by a real-time policy.
    pub real_time: Option<i64>,
    /// Where it is declared: its name.
    pub span: Range<usize>,
}

/// What `depends_on` waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Condition {
    Started,
    /// It has passed its first `ready` step.
    Ready,
    Exited,
    /// It has ended with exit status 0.
    Succeeded,
}

#[derive(Debug)]
pub struct ProcessPlan {
    /// `worker[3]`.
    pub name: String,
    /// Its program, by place.
    pub program: usize,
    /// 0 to count-1.
    pub index: u32,
    /// The ends it holds: object, and the end's place among the object's.
    pub holds: Vec<(ObjectId, u8)>,
}

/// One step as it stands in the file.
#[derive(Debug)]
pub struct Step {
    /// Its program, by place.
    pub program: usize,
    pub verb: &'static str,
    /// What the verb names, as written: `link.w`, `forks[index]`; empty where it names nothing.
    pub object: String,
    /// Where it stands, in bytes: the whole table.
    pub span: Range<usize>,
    /// Its line, from 1.
    pub line: usize,
}

impl Step {
    /// The verbs of the events that it is recorded as.
    pub fn verbs(&self) -> &[&'static str] {
        if self.verb == "section" { &["enter", "leave"] } else { std::slice::from_ref(&self.verb) }
    }
}

/// One instruction of a program. Places are indices of [`Program::code`].
#[derive(Debug)]
pub enum Instruction {
    /// A step that the world carries out.
    Operate(Box<OperationPlan>),
    /// `let`.
    Set {
        slot: u32,
        value: Expression,
        step: StepId,
        /// What takes a value that cannot be computed.
        failure: Failure,
    },
    Jump(usize),
    /// Goes on elsewhere where the condition does not hold: `if`, `while`.
    Unless {
        condition: Expression,
        to: usize,
        step: StepId,
    },
    /// Enters a `repeat`: sets the counter to -1 and the limit to the number of rounds.
    Repeat {
        /// The number of rounds.
        times: Expression,
        /// The slot that counts.
        counter: u32,
        /// The slot that holds the limit.
        limit: u32,
        step: StepId,
    },
    /// The next round of a `repeat`, or on behind it.
    Next {
        /// The slot that counts.
        counter: u32,
        /// The slot that holds the limit.
        limit: u32,
        /// The variable of `as`.
        variable: Option<u32>,
        /// Where to continue after the last round.
        exit: usize,
    },
    /// Enters a `for`: sets the counter to -1 and the items to the list.
    Each {
        list: Expression,
        /// The slot that counts.
        counter: u32,
        /// The slot that holds the list.
        items: u32,
        step: StepId,
    },
    /// The next item of a `for`, or on behind it.
    NextItem {
        /// The slot that counts.
        counter: u32,
        /// The slot that holds the list.
        items: u32,
        variable: u32,
        /// Where to continue after the last item.
        exit: usize,
    },
    /// The end of a signal's handler.
    Return,
    /// Ends the process with exit status 0.
    End,
}

/// What a step does where it does not end `ok`.
#[derive(Debug, Default)]
pub struct Failure {
    /// `outcome = "r"`.
    pub outcome: Option<u32>,
    /// `on`: the outcomes of each entry and where its steps begin, the more particular ones first.
    pub handlers: Vec<(Outcomes, usize)>,
    /// Every outcome besides `ok` that the step takes, by `on`, `outcome` or `expect`.
    pub taken: Outcomes,
}

/// A step that the world carries out.
#[derive(Debug)]
pub struct OperationPlan {
    /// The step.
    pub step: StepId,
    /// What it does.
    pub verb: VerbId,
    /// What it works on.
    pub operands: Vec<Operand>,
    /// The arguments, in the order of the verb's; null where absent, for names of variables and for what the operands say. A
    /// duration that is known is a number of ns.
    pub arguments: Vec<Expression>,
    /// The same as values, where none of them is computed.
    pub constants: Option<Vec<Value>>,
    /// What is known of the arguments without computing them.
    pub given: Given,
    /// The expression of an `update`, over `it`.
    pub update: Option<Expression>,
    /// How long it may wait: a duration, as among the arguments.
    pub timeout: Option<Expression>,
    /// Whether it can wait.
    pub blocks: bool,
    /// Whether its wait continues behind a signal's handler that asks for it; none where no signal interrupts it.
    pub restarts: Option<bool>,
    /// Where the handler begins that an `on_signal` sets.
    pub handler: Option<usize>,
    /// The variable that takes the result.
    pub into: Option<u32>,
    /// The variable that takes the second result.
    pub second: Option<u32>,
    /// What it does where it does not end `ok`.
    pub failure: Failure,
}

/// What an operation names: an object or a process, one of an array of them, or the whole array.
#[derive(Debug)]
pub struct Operand {
    /// The first that could be meant.
    pub first: Target,
    /// How many could be.
    pub count: u32,
    /// Which one of them is meant; all where there is none.
    pub index: Option<Expression>,
    /// The verb's place among those of the objects' kind, or a [`ProcessVerb`].
    pub verb: u8,
    /// The end, by its place among the object's.
    pub end: u8,
    /// The index of an element.
    pub element: Option<Expression>,
}

/// What a state expression reads.
#[derive(Debug)]
pub enum Fact {
    /// What an object's bare name means; a list of them for an array.
    Value(usize),
    /// `size(OBJECT)`.
    Size(ObjectId),
    /// `count("PATTERN")`.
    Count(Pattern),
    /// `inside("SECTION")`: how many processes are.
    Inside(String),
    /// `blocked("PROCESS")`: whether all of them are, where it names several; with `"PROCESS at TARGET"`, in a wait for
    /// one of these.
    Blocked(Vec<ProcessId>, Vec<Target>),
    /// `ended("PROCESS")`: whether all of them have.
    Ended(Vec<ProcessId>),
    /// `exit("PROCESS")`: its exit status, a signal's number negative; null before its end.
    Exit(ProcessId),
}

impl Plan {
    /// The name of an event's target: `link`, `forks[2]`, `worker[3]`, or nothing.
    pub fn target_name(&self, target: crate::event::Target) -> &str {
        match target {
            crate::event::Target::None => "",
            crate::event::Target::Object(id) => &self.objects[id as usize].name,
            crate::event::Target::Process(id) => &self.processes[id as usize].name,
        }
    }

    /// The kind of an object.
    pub fn kind(&self, object: ObjectId) -> &'static Kind {
        self.groups[self.objects[object as usize].group].kind
    }

    /// What an event did to its object, as far as others than the object's kind have to know.
    pub fn effect(&self, event: &Event) -> Effect {
        let Target::Object(object) = event.target else { return Effect::None };
        self.kind(object).verb(event.verb).map_or(Effect::None, |(_, verb)| verb.effect)
    }

    /// Whether an event gives its object to its process (1) or takes it away (-1).
    pub fn holding(&self, event: &Event) -> Option<i64> {
        self.effect(event).holding(event)
    }

    /// The program of a process.
    pub fn program(&self, process: ProcessId) -> &Program {
        &self.programs[self.processes[process as usize].program]
    }

    /// `file:line` of a step.
    pub fn place(&self, step: StepId) -> String {
        format!("{}:{}", self.source.path, self.steps[step as usize].line)
    }

    /// Every step of every program that the world carries out.
    pub fn operations(&self) -> impl Iterator<Item = &OperationPlan> {
        self.programs.iter().flat_map(Program::operations)
    }

    /// A step of the file, where the world carries it out.
    pub fn operation(&self, step: StepId) -> Option<&OperationPlan> {
        let program = self.programs.get(self.steps.get(step as usize)?.program)?;
        program.operations().find(|operation| operation.step == step)
    }

    /// Whether it matters which process started which: one waits for any of those that it started, their ends are signals to
    /// it, or its own end is one to them.
    pub fn observes_parents(&self) -> bool {
        self.programs.iter().any(|program| program.has_children() || program.parent_death.is_some())
    }

    /// Whether a step or an end sends signals, a step says what a process does at one, or asks which processes are not joined
    /// yet.
    pub fn kills(&self) -> bool {
        let dies_with_parent = self.programs.iter().any(|program| program.parent_death.is_some());
        dies_with_parent
            || self.operations().any(|operation| {
                matches!(operation.verb, VerbId::Process(ProcessVerb::Kill | ProcessVerb::WaitAny) | VerbId::Signal(_))
            })
    }

    /// Whether time can pass in it: a step sleeps, computes, sets an alarm or has a timeout.
    pub fn passes_time(&self) -> bool {
        let takes_time = |operation: &OperationPlan| {
            matches!(operation.verb, VerbId::Timer(_) | VerbId::Signal(SignalVerb::Alarm))
                && fixed_duration(&operation.arguments[0]) != Some(0)
        };
        self.waits_with_timeout() || self.operations().any(takes_time)
    }

    /// Whether a step can wait until its timeout.
    pub fn waits_with_timeout(&self) -> bool {
        let mut timeouts = self.operations().filter_map(|operation| operation.timeout.as_ref());
        timeouts.any(|timeout| fixed_duration(timeout) != Some(0))
    }

    /// What in it says on which CPU and with which priority something runs: the key, and whose it is.
    pub fn processors(&self) -> Option<(&'static str, &str)> {
        let of_program = self.programs.iter().find_map(|program| {
            let keys = [
                ("cpus", !program.cpus.is_empty()),
                ("nice", program.nice.is_some()),
                ("policy", program.policy.is_some()),
                ("priority", program.priority.is_some()),
            ];
            let (key, _) = keys.into_iter().find(|(_, given)| *given)?;
            Some((key, program.name.as_str()))
        });
        let of_object =
            || self.objects.iter().find_map(|object| Some((object.object.priorities()?, object.name.as_str())));
        of_program.or_else(of_object)
    }

    /// By object, the verbs that steps have for it, by themselves or for another object, a bit for each by its place.
    pub fn verbs(&self) -> Vec<u64> {
        let mut verbs = vec![0; self.objects.len()];
        for operation in self.operations() {
            for (id, verb) in operation.accessed() {
                let touched = self.objects[id as usize].object.touches(verb);
                for (object, verb) in std::iter::once((id, verb)).chain(touched) {
                    verbs[object as usize] |= 1 << verb;
                }
            }
        }
        verbs
    }

    /// By object, how many processes hold each of its ends.
    pub fn holders(&self) -> Vec<Vec<u32>> {
        let mut holders: Vec<Vec<u32>> =
            self.objects.iter().map(|object| vec![0; object.object.ends().len()]).collect();
        for (object, end) in self.processes.iter().flat_map(|process| &process.holds) {
            holders[*object as usize][*end as usize] += 1;
        }
        holders
    }

    /// Which of an object's ends a process holds.
    pub fn held(&self, process: ProcessId, object: ObjectId) -> Vec<bool> {
        let holds = &self.processes[process as usize].holds;
        let ends = self.objects[object as usize].object.ends().len();
        (0..ends).map(|end| holds.binary_search(&(object, end as u8)).is_ok()).collect()
    }

    /// The processes that hold an end of an object, or have a step on it.
    pub fn users(&self, object: ObjectId) -> impl Iterator<Item = ProcessId> {
        let names = move |operand: &Operand| operand.objects().contains(&object);
        let uses = move |process: &ProcessId| {
            self.processes[*process as usize].holds.iter().any(|(held, _)| *held == object)
                || self.program(*process).operations().any(|operation| operation.on_objects().any(names))
        };
        (0..self.processes.len() as ProcessId).filter(uses)
    }

    /// Whether a process could ever unblock `waiting`, which waits for these enablers of an object: by a step of its
    /// program, or by letting go of an end.
    pub fn can_unblock(&self, other: ProcessId, waiting: ProcessId, object: ObjectId, enablers: &Enablers) -> bool {
        if enablers.verbs.is_empty() && enablers.closing.is_empty() {
            return false;
        }
        let verbs = self.kind(object).verbs;
        let ends = self.objects[object as usize].object.ends();
        let enables = |operand: &Operand| {
            operand.objects().contains(&object)
                && enablers.has(verbs[operand.verb as usize].name, ends.get(operand.end as usize).copied())
        };
        let able = |operation: &OperationPlan| operation.on_objects().any(enables);
        let holds = &self.processes[other as usize].holds;
        other != waiting && self.program(other).operations().any(able)
            || holds.iter().any(|(held, end)| *held == object && enablers.closing.contains(&ends[*end as usize]))
    }

    /// The names of all processes, by id.
    pub fn process_names(&self) -> Vec<String> {
        self.processes.iter().map(|process| process.name.clone()).collect()
    }
}

impl Program {
    pub fn range(&self) -> Range<ProcessId> {
        self.first..self.first + self.count.unwrap_or(1)
    }

    /// Whether a step of it sets an alarm.
    pub fn sets_alarms(&self) -> bool {
        self.operations().any(|operation| operation.verb == VerbId::Signal(SignalVerb::Alarm))
    }

    /// Whether it waits for any of the processes that it started.
    pub fn waits_for_any(&self) -> bool {
        self.operations().any(|operation| operation.verb == VerbId::Process(ProcessVerb::WaitAny))
    }

    /// Whether it matters which processes its steps have started: it waits for any of them, or their ends are signals to it.
    pub fn has_children(&self) -> bool {
        self.signals || self.waits_for_any()
    }

    /// Its steps that the world carries out.
    pub fn operations(&self) -> impl Iterator<Item = &OperationPlan> {
        self.code.iter().filter_map(|instruction| match instruction {
            Instruction::Operate(operation) => Some(&**operation),
            _ => None,
        })
    }
}

impl Operand {
    /// The objects that could be meant; none where it names processes.
    pub fn objects(&self) -> Range<ObjectId> {
        self.all().objects()
    }

    /// The processes that could be meant; none where it names objects.
    pub fn processes(&self) -> Range<ProcessId> {
        self.all().processes()
    }

    /// All that could be meant.
    pub fn all(&self) -> Targets {
        Targets { first: self.first, count: self.count, verb: self.verb, end: self.end, element: None }
    }
}

impl OperationPlan {
    /// An operation on nothing, without arguments, that waits for ever and takes no outcome but `ok`.
    pub fn new(step: StepId, verb: VerbId) -> Self {
        Self {
            step,
            verb,
            operands: Vec::new(),
            arguments: Vec::new(),
            constants: None,
            given: Given::NONE,
            update: None,
            timeout: None,
            blocks: false,
            restarts: None,
            handler: None,
            into: None,
            second: None,
            failure: Failure::default(),
        }
    }

    /// Sets the arguments, which are described by `verb`.
    #[must_use]
    pub fn with(mut self, verb: &Verb, arguments: Vec<Expression>) -> Self {
        for (at, (argument, value)) in verb.arguments.iter().zip(&arguments).enumerate() {
            let word = match (argument.form, value.as_constant()) {
                (_, Some(Value::Null)) => continue,
                (Form::Choice(words), Some(Value::String(word))) => words.iter().position(|choice| *choice == &**word),
                _ => None,
            };
            self.given = match word {
                Some(word) => self.given.with_word(at, word as u8),
                None => self.given.with(at),
            };
        }
        self.constants = arguments.iter().map(|argument| argument.as_constant().cloned()).collect();
        self.arguments = arguments;
        self
    }

    /// The operands that are objects.
    pub fn on_objects(&self) -> impl Iterator<Item = &Operand> {
        self.operands.iter().filter(|operand| matches!(operand.first, Target::Object(_)))
    }

    /// The objects that could be meant, each with the verb by its place among the kind's.
    pub fn accessed(&self) -> impl Iterator<Item = (ObjectId, u8)> {
        self.on_objects().flat_map(|operand| operand.objects().map(|object| (object, operand.verb)))
    }

    /// What it does to processes, and to which it could: the members of a group are several ranges.
    pub fn on_processes(&self) -> impl Iterator<Item = (ProcessVerb, Range<ProcessId>)> {
        let verb = if let VerbId::Process(verb) = self.verb { Some(verb) } else { None };
        verb.into_iter().flat_map(|verb| self.operands.iter().map(move |operand| (verb, operand.processes())))
    }

    /// The signal of an `on_signal` step.
    pub fn acts_at(&self) -> Option<i32> {
        let acts = self.verb == VerbId::Signal(SignalVerb::Action);
        self.arguments.first().filter(|_| acts)?.as_constant()?.as_int().map(|signal| signal as i32)
    }

    /// The signal of a `kill` step.
    pub fn signal(&self) -> Option<i32> {
        let kills = self.verb == VerbId::Process(ProcessVerb::Kill);
        self.arguments.get(1).filter(|_| kills)?.as_constant()?.as_int().map(|signal| signal as i32)
    }

    /// Every expression that is computed before the operation, or for it.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let named = self.operands.iter().flat_map(|operand| operand.index.iter().chain(&operand.element));
        self.timeout.iter().chain(named).chain(&self.arguments).chain(&self.update)
    }
}

/// The time that an expression of a duration has, in ns, where that is known beforehand.
pub fn fixed_duration(duration: &Expression) -> Option<u64> {
    duration.as_constant()?.as_int().map(|ns| ns as u64)
}

impl Failure {
    /// Where to continue after that outcome, if a handler takes it.
    pub fn handler(&self, outcome: Outcome) -> Option<usize> {
        self.handlers.iter().find(|(outcomes, _)| outcomes.contains(outcome)).map(|(_, place)| *place)
    }
}
