//! Small plans and traces made by hand, for the tests of this room and of those that read traces.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use super::{ProcessEnd, RunEnd, Trace, arrange};
use crate::diagnostic::Source;
use crate::event::{Event, ObjectId, ProcessId, StepId, Target};
use crate::objects::contract::operation::Access;
use crate::objects::{
    CreateContext, Declaration, Effect, Element, Enablers, HostError, Kind, Live, Object, Problem, Relation, State,
    Verb,
};
use crate::scenario::plan::{Group, ObjectPlan, Plan, ProcessPlan, Program, Step};
use crate::value::{Types, Value};

const fn verb(name: &'static str, effect: Effect) -> Verb {
    Verb {
        name,
        effect,
        summary: "",
        arguments: &[],
        ends: &[],
        element: Element::Optional,
        blocks: true,
        result: Types::ANY,
        outcomes: &[],
    }
}

const fn kind(name: &'static str, verbs: &'static [Verb]) -> Kind {
    Kind { name, summary: "", primitive: "", attributes: &[], verbs, state: ("", ""), example: "", declare }
}

fn declare(_: &Declaration) -> Result<Box<dyn Object>, Vec<Problem>> {
    Err(Vec::new())
}

/// A cell: ordered by tickets, synchronises no processes.
pub(crate) static CELL: Kind =
    kind("cell", &[verb("load", Effect::Reads), verb("store", Effect::Writes), verb("add", Effect::Updates)]);
/// A counter: each step took effect at one instant and gives on what it took.
pub(crate) static COUNTER: Kind = kind("counter", &[verb("add", Effect::Updates)]);
/// Permits, or with one of them a lock: what gives back is a cause of what takes next.
pub(crate) static PERMITS: Kind = kind(
    "permits",
    &[
        verb("acquire", Effect::Takes),
        verb("release", Effect::Gives),
        verb("lock", Effect::Takes),
        verb("unlock", Effect::Gives),
    ],
);
/// Messages: ordered by tickets, each put a cause of its get.
pub(crate) static QUEUE: Kind = kind("queue", &[verb("put", Effect::Puts), verb("get", Effect::Gets)]);

struct Test {
    kind: &'static str,
    value: i64,
}

impl Object for Test {
    fn create(&self, _: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError> {
        Err(HostError { message: "not on this host".to_owned(), help: None })
    }

    fn state(&self) -> Box<dyn State> {
        match self.kind {
            "queue" => Box::new(Queued(VecDeque::new())),
            "permits" => Box::new(Free(self.value)),
            _ => Box::new(Last(Value::Int(self.value))),
        }
    }

    fn model(&self, _: &[u32]) -> Box<dyn crate::objects::Model> {
        Box::new(crate::objects::contract::model::Still)
    }

    fn has_owner(&self) -> bool {
        false
    }

    fn notices_ends(&self) -> bool {
        false
    }

    fn reorders(&self) -> bool {
        false
    }

    fn touches(&self, _verb: u8) -> Vec<(ObjectId, u8)> {
        Vec::new()
    }

    fn tells_order(&self, _first: Access, _second: Access) -> bool {
        false
    }

    fn enablers(&self, _: &Verb, _: Option<&str>, _: Option<ProcessId>) -> Enablers {
        Enablers { verbs: &[], only: None, closing: &[] }
    }

    fn relate(&self, events: &[&Event], relation: &mut Relation) {
        let places = relation.by_ticket(events, |_| true);
        for pair in places.windows(2) {
            if self.kind == "counter" || matches!(events[pair[0]].verb, "release" | "unlock") {
                relation.sync(pair[0], pair[1]);
            }
        }
    }
}

struct Last(Value);

impl State for Last {
    fn apply(&mut self, event: &Event) {
        match (event.verb, &self.0, &event.value) {
            ("store", ..) => self.0 = event.value.clone(),
            ("add", Value::Int(now), Value::Int(more)) => self.0 = Value::Int(now + more),
            _ => {}
        }
    }

    fn value(&self, _: &[String]) -> Value {
        self.0.clone()
    }
}

struct Free(i64);

impl State for Free {
    fn apply(&mut self, event: &Event) {
        match event.verb {
            "acquire" | "lock" if event.outcome.is_ok() => self.0 -= 1,
            "release" | "unlock" => self.0 += 1,
            _ => {}
        }
    }

    fn value(&self, _: &[String]) -> Value {
        Value::Int(self.0)
    }

    fn size(&self) -> Option<i64> {
        Some(self.0)
    }
}

struct Queued(VecDeque<Value>);

impl State for Queued {
    fn apply(&mut self, event: &Event) {
        match event.verb {
            "put" if event.outcome.is_ok() => self.0.push_back(event.value.clone()),
            "get" if event.outcome.is_ok() => drop(self.0.pop_front()),
            _ => {}
        }
    }

    fn value(&self, _: &[String]) -> Value {
        self.0.iter().cloned().collect::<Vec<_>>().into()
    }

    fn size(&self) -> Option<i64> {
        Some(self.0.len() as i64)
    }
}

/// A plan and what its processes did.
pub(crate) struct Scene {
    pub(crate) plan: Plan,
    pub(crate) lanes: Vec<Vec<Event>>,
    pub(crate) ends: Vec<ProcessEnd>,
    pub(crate) end: RunEnd,
}

impl Scene {
    /// A scene of objects with their first values and of programs with their counts. Each process has begun at 0.
    pub(crate) fn new(objects: &[(&str, &'static Kind, i64)], programs: &[(&str, Option<u32>)]) -> Self {
        let mut plan = empty(Source::new("test.toml", ""));
        for (name, kind, value) in objects {
            add_object(&mut plan, name, kind, Box::new(Test { kind: kind.name, value: *value }));
        }
        for (name, count) in programs {
            add_program(&mut plan, name, *count);
        }
        let mut scene = Self {
            lanes: plan.processes.iter().map(|_| Vec::new()).collect(),
            ends: vec![ProcessEnd::Exited(0); plan.processes.len()],
            end: RunEnd::Completed,
            plan,
        };
        scene.plan.steps.push(Step { program: 0, verb: "step", object: String::new(), span: 0..0, line: 1 });
        for process in 0..scene.lanes.len() as ProcessId {
            let event = scene.act(process, "begin", 0, 0);
            (event.step, event.target) = (None, Target::Process(process));
        }
        scene
    }

    /// A further step of the plan.
    pub(crate) fn step(&mut self, program: usize, verb: &'static str, object: &str) -> StepId {
        self.plan.steps.push(Step { program, verb, object: object.to_owned(), span: 0..0, line: 1 });
        self.plan.steps.len() as StepId - 1
    }

    /// The next event of a process, to be filled in further.
    pub(crate) fn act(&mut self, process: ProcessId, verb: &'static str, begin: u64, end: u64) -> &mut Event {
        let lane = &mut self.lanes[process as usize];
        let mut event = Event::plain(process, lane.len() as u64, verb, begin, end);
        event.step = Some(0);
        lane.push(event);
        let last = lane.len() - 1;
        &mut lane[last]
    }

    /// The next event of a process, on the object of that name.
    pub(crate) fn on(
        &mut self,
        process: ProcessId,
        verb: &'static str,
        object: &str,
        (begin, end): (u64, u64),
        ticket: u64,
    ) -> &mut Event {
        let object = self.plan.objects.iter().position(|plan| plan.name == object).unwrap_or(0);
        let event = self.act(process, verb, begin, end);
        (event.target, event.ticket) = (Target::Object(object as ObjectId), ticket);
        event
    }

    /// The trace, with an `end` for each process that ended.
    pub(crate) fn finish(mut self) -> (Plan, Trace) {
        for process in 0..self.lanes.len() as ProcessId {
            let Some(code) = self.ends[process as usize].code() else { continue };
            let at = self.lanes[process as usize].last().map_or(0, |event| event.end);
            let event = self.act(process, "end", at, at);
            (event.step, event.target, event.value) = (None, Target::Process(process), Value::Int(code));
        }
        let mut trace = completed(&self.plan, self.lanes);
        (trace.ends, trace.end) = (self.ends, self.end);
        (self.plan, trace)
    }
}

/// A plan without anything in it.
pub(crate) fn empty(source: Source) -> Plan {
    Plan {
        source: Arc::new(source),
        name: crate::text::Untrusted::new("test"),
        about: None,
        timeout: 60_000_000_000,
        time: None,
        seed: 0,
        combination: Vec::new(),
        params: Vec::new(),
        groups: Vec::new(),
        objects: Vec::new(),
        programs: Vec::new(),
        processes: Vec::new(),
        steps: Vec::new(),
        expectations: Vec::new(),
        facts: Vec::new(),
    }
}

/// Adds one object of its own name.
pub(crate) fn add_object(plan: &mut Plan, name: &str, kind: &'static Kind, object: Box<dyn Object>) {
    let (name, first, group) = (name.to_owned(), plan.objects.len() as ObjectId, plan.groups.len());
    plan.groups.push(Group { name: name.clone(), kind, first, count: None, alike: true, span: 0..0 });
    plan.objects.push(ObjectPlan { name, group, object });
}

/// Adds a program without code, and its processes.
pub(crate) fn add_program(plan: &mut Plan, name: &str, count: Option<u32>) {
    let (first, program) = (plan.processes.len() as ProcessId, plan.programs.len());
    for index in 0..count.unwrap_or(1) {
        let name = if count.is_some() { format!("{name}[{index}]") } else { name.to_owned() };
        plan.processes.push(ProcessPlan { name, program, index, holds: Vec::new() });
    }
    plan.programs.push(Program {
        name: name.to_owned(),
        first,
        count,
        signals: false,
        ends_of_pipe: false,
        handler: None,
        code: Vec::new(),
        slots: Vec::new(),
        vars: Vec::new(),
        manual: false,
        parent_death: None,
        daemon: false,
        depends_on: Vec::new(),
        cpus: Vec::new(),
        nice: None,
        policy: None,
        priority: None,
        real_time: None,
        span: 0..0,
    });
}

/// The trace of these lanes: a run that completed, each process with status 0.
pub(crate) fn completed(plan: &Plan, lanes: Vec<Vec<Event>>) -> Trace {
    let duration = lanes.iter().flatten().map(|event| event.end).max().unwrap_or(0);
    let (events, causality) = arrange(plan, lanes);
    Trace {
        engine: "model",
        events,
        beyond: None,
        causality,
        ends: vec![ProcessEnd::Exited(0); plan.processes.len()],
        stuck: Vec::new(),
        daemons: Vec::new(),
        end: RunEnd::Completed,
        finals: vec![None; plan.objects.len()],
        counted: Vec::new(),
        whole: true,
        lost: Vec::new(),
        unfinished: Vec::new(),
        unwatched: false,
        stalled: 0,
        duration,
    }
}
