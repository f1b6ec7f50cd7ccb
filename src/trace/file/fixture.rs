//! Small plans and traces for tests of what reads them.

use std::rc::Rc;

use crate::diagnostic::Source;
use crate::event::{Event, EventId, ObjectId, ProcessId, StepId, Target};
use crate::objects::contract::operation::Access;
use crate::objects::{CreateContext, Enablers, HostError, Kind, Live, Object, Relation, State, Verb};
use crate::scenario::plan::{Plan, Step};
use crate::trace::{Trace, testing};
use crate::value::Value;

/// A plan of that text. Steps are the inline tables of the text, in their order; each begins with its verb.
///
/// `objects` gives name and kind, `programs` name, `count` and number of steps.
pub(crate) fn plan(text: &str, objects: &[(&str, &'static Kind)], programs: &[(&str, Option<u32>, usize)]) -> Plan {
    let mut plan = testing::empty(Source::new("scenarios/test.toml", text));
    (plan.seed, plan.params) = (7, vec![("workers".to_owned(), Value::Int(3))]);
    for (name, kind) in objects {
        testing::add_object(&mut plan, name, kind, Box::new(Thing));
    }
    let mut at = text.find("steps").unwrap_or(0);
    for (program, (name, count, steps)) in programs.iter().enumerate() {
        testing::add_program(&mut plan, name, *count);
        for _ in 0..*steps {
            let start = at + text[at..].find('{').expect("another step");
            at = start + text[start..].find('}').expect("the step's end") + 1;
            let mut words = text[start + 1..at - 1].split(['=', '"', ',']).map(str::trim).filter(|w| !w.is_empty());
            let verb = words.next().expect("a verb");
            let object = words.next().filter(|name| objects.iter().any(|(object, _)| name.starts_with(object)));
            plan.steps.push(Step {
                program,
                verb: known(verb).expect("a known verb"),
                object: object.unwrap_or("").to_owned(),
                span: start..at,
                line: plan.source.place(start).line,
            });
        }
    }
    plan
}

/// Ten workers for three permits, cut down to three for two.
pub(crate) fn workers() -> Plan {
    let text = "[objects]\npermits = { kind = \"semaphore\", value = 2 }\n\n[processes.worker]\ncount = 3\nsteps = [\n  \
                { acquire = \"permits\" },\n  { print = \"at work\" },\n  { release = \"permits\" },\n]\n";
    plan(text, &[("permits", &SEMAPHORE)], &[("worker", Some(3), 3)])
}

/// The trace of [`workers`]: the third waits for the first.
pub(crate) fn work(plan: &Plan) -> Trace {
    let permits = Target::Object(0);
    let mut events = Vec::new();
    for (process, begin) in [(0, 1_000), (1, 2_000), (2, 2_000)] {
        let wait = if process == 2 { 500_000 } else { 100 };
        let mut acquire = event(plan, (process, 0), Some(0), (begin, begin + wait), permits);
        acquire.blocked = process == 2;
        acquire.cause = (process == 2).then_some(EventId::new(0, 2));
        let mut print = event(plan, (process, 1), Some(1), (begin + wait, begin + wait + 10), Target::None);
        print.value = Value::from("at work");
        let released = begin + wait + 450_000;
        let mut release = event(plan, (process, 2), Some(2), (released, released + 90), permits);
        release.ticket = u64::from(process) + 1;
        events.extend([acquire, print, release]);
    }
    trace(plan, events)
}

/// A plain event: `ok`, without a value. `at` is its process and number, `times` its begin and end.
pub(crate) fn event(
    plan: &Plan,
    at: (ProcessId, u64),
    step: Option<StepId>,
    times: (u64, u64),
    target: Target,
) -> Event {
    let verb = step.map_or("end", |step| plan.steps[step as usize].verb);
    let mut event = Event::plain(at.0, at.1, verb, times.0, times.1);
    (event.step, event.target) = (step, target);
    event
}

/// A run of those events that completed, each process with status 0.
pub(crate) fn trace(plan: &Plan, events: Vec<Event>) -> Trace {
    let mut lanes: Vec<Vec<Event>> = plan.processes.iter().map(|_| Vec::new()).collect();
    for event in events {
        lanes[event.id.process() as usize].push(event);
    }
    let mut trace = testing::completed(plan, lanes);
    trace.engine = "kernel";
    trace
}

/// The verbs that fixtures use.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    let verbs = [
        "acquire", "release", "lock", "unlock", "recv", "send", "load", "store", "print", "mark", "join", "end", "put",
    ];
    verbs.into_iter().find(|verb| *verb == name)
}

/// Kinds that can do nothing: what reads a trace asks only for their names and verbs.
pub(crate) static SEMAPHORE: Kind = kind("semaphore", crate::objects::kinds::semaphore::KIND.verbs);
pub(crate) static MUTEX: Kind = kind("mutex", crate::objects::kinds::mutex::KIND.verbs);
pub(crate) static ARRAY: Kind = kind("array", crate::objects::kinds::array::KIND.verbs);

const fn kind(name: &'static str, verbs: &'static [Verb]) -> Kind {
    Kind {
        name,
        summary: "",
        primitive: "",
        attributes: &[],
        verbs,
        state: ("", ""),
        example: "",
        declare: |_| Ok(Box::new(Thing)),
    }
}

#[derive(Debug)]
struct Thing;

impl Object for Thing {
    fn length(&self) -> Option<u32> {
        Some(4)
    }
    fn create(&self, _site: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError> {
        Err(HostError { message: "a test object lives nowhere".to_owned(), help: None })
    }
    fn state(&self) -> Box<dyn State> {
        Box::new(Nothing)
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

    fn enablers(&self, _verb: &Verb, _end: Option<&str>, owner: Option<ProcessId>) -> Enablers {
        Enablers { verbs: &[], only: owner, closing: &[] }
    }
    fn relate(&self, _events: &[&Event], _relation: &mut Relation) {}
}

struct Nothing;

impl State for Nothing {
    fn apply(&mut self, _event: &Event) {}
    fn value(&self, _names: &[String]) -> Value {
        Value::Null
    }
}
