//! For the unit tests of kinds: objects made of attributes, and steps on them by any process.

use std::rc::Rc;

use crate::event::{Event, EventId, ObjectId, ProcessId, Target};
use crate::objects::causality::happens_before;
use crate::objects::{
    Call, Caller, Completion, CreateContext, Declaration, Form, Kind, Live, Object, Patience, Problem, Relation, Verb,
    kind,
};
use crate::os::arena::Arena;
use crate::os::clock;
use crate::os::sysv::Keeper;
use crate::outcome::Outcome;
use crate::value::Value;

/// An event: its process and its number.
type Id = (u32, u64);

/// How many processes a stage has.
pub(crate) const PROCESSES: u32 = 16;

/// The declaration of an object without its name.
pub(crate) fn declare(
    id: ObjectId,
    kind: &'static Kind,
    attributes: &[(&'static str, Value)],
    objects: &[(&'static str, ObjectId)],
) -> Result<Box<dyn Object>, Vec<Problem>> {
    let declaration = Declaration {
        name: format!("{}{id}", kind.name),
        id,
        attributes: attributes.to_vec(),
        objects: objects.to_vec(),
    };
    (kind.declare)(&declaration)
}

/// The place that a step gives among its arguments, which is an operation's element.
pub(crate) fn place(verb: &Verb, arguments: &mut [Value]) -> Option<u32> {
    let at = verb.arguments.iter().position(|argument| matches!(argument.form, Form::Place(_)))?;
    let given = std::mem::replace(&mut arguments[at], Value::Null);
    Some(given.as_int().map_or(0, |at| at as u32))
}

/// Objects that were made, without a plan.
pub(crate) struct Stage {
    arena: Arena,
    sysv: Keeper,
    kinds: Vec<&'static Kind>,
    objects: Vec<Box<dyn Object>>,
    live: Vec<Option<Rc<dyn Live>>>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self { arena: Arena::new(), sysv: Keeper::new(), kinds: Vec::new(), objects: Vec::new(), live: Vec::new() }
    }

    /// A process of the stage, once all objects are made.
    pub(crate) fn actor(&self, process: ProcessId) -> Actor {
        let events = Vec::with_capacity(64);
        Actor { process, kinds: self.kinds.clone(), events, blocked: false, compute: Ok }
    }

    /// Declares and makes an object.
    pub(crate) fn add(
        &mut self,
        name: &str,
        attributes: &[(&'static str, Value)],
        objects: &[(&'static str, ObjectId)],
    ) -> ObjectId {
        let id = self.live.len() as ObjectId;
        let kind = kind(name).unwrap();
        let object = declare(id, kind, attributes, objects).unwrap();
        let mut site = CreateContext {
            object: id,
            name,
            arena: &self.arena,
            processes: PROCESSES,
            holders: &[],
            sysv: &mut self.sysv,
            made: &self.live,
        };
        let live = object.create(&mut site).unwrap();
        self.kinds.push(kind);
        self.objects.push(object);
        self.live.push(Some(live));
        id
    }

    pub(crate) fn object(&self, id: ObjectId) -> &dyn Object {
        &*self.objects[id as usize]
    }

    pub(crate) fn live(&self, id: ObjectId) -> &dyn Live {
        &**self.live[id as usize].as_ref().unwrap()
    }

    /// One step that waits for ever.
    pub(crate) fn step(&self, actor: &mut Actor, object: ObjectId, verb: &str, arguments: &[Value]) -> Completion {
        self.perform(actor, object, verb, None, arguments, Patience::Forever)
    }

    /// One step that does not wait.
    pub(crate) fn try_step(&self, actor: &mut Actor, object: ObjectId, verb: &str, arguments: &[Value]) -> Completion {
        self.perform(actor, object, verb, None, arguments, Patience::Never)
    }

    /// One step that waits for that many ms.
    pub(crate) fn step_within(&self, actor: &mut Actor, object: ObjectId, verb: &str, ms: u64) -> Completion {
        let deadline = clock::now() + ms * 1_000_000;
        self.perform(actor, object, verb, None, &[], Patience::Until(deadline))
    }

    pub(crate) fn perform(
        &self,
        actor: &mut Actor,
        object: ObjectId,
        verb: &str,
        element: Option<u32>,
        arguments: &[Value],
        patience: Patience,
    ) -> Completion {
        actor.blocked = false;
        let (verb, description) = self.kinds[object as usize].verb(verb).unwrap();
        let mut all = arguments.to_vec();
        all.resize(description.arguments.len(), Value::Null);
        let element = element.or(place(description, &mut all));
        let completion =
            self.live(object).perform(&mut Call { verb, end: 0, element, arguments: &all, patience, party: actor });
        actor.record(object, description.name, element, &completion, false);
        completion
    }

    /// The events of several processes on one object with the edges between them, as (process, number) pairs.
    pub(crate) fn relate(&self, object: ObjectId, actors: &[&Actor]) -> Vec<(Id, Id, happens_before::Tie)> {
        let events: Vec<&Event> = Self::events(object, actors);
        let mut relation = Relation::default();
        self.object(object).relate(&events, &mut relation);
        let name = |place: u32| (events[place as usize].id.process(), events[place as usize].id.number());
        relation.edges.iter().map(|edge| (name(edge.from), name(edge.to()), edge.tie())).collect()
    }

    /// What synchronises, among [`Stage::relate`].
    pub(crate) fn causes(&self, object: ObjectId, actors: &[&Actor]) -> Vec<(Id, Id)> {
        let edges = self.relate(object, actors).into_iter();
        edges.filter(|(.., tie)| *tie == happens_before::Tie::Sync).map(|(from, to, _)| (from, to)).collect()
    }

    /// The value that the trace of these processes leads to.
    pub(crate) fn replay(&self, object: ObjectId, actors: &[&Actor]) -> Value {
        let mut events = Self::events(object, actors);
        events.sort_by_key(|event| (event.last_place(), event.own_place().is_none(), event.end));
        let mut state = self.object(object).state();
        for event in events {
            state.apply(event);
        }
        state.value(&["zero".to_owned(), "one".to_owned(), "two".to_owned()])
    }

    fn events<'a>(object: ObjectId, actors: &[&'a Actor]) -> Vec<&'a Event> {
        let all = actors.iter().flat_map(|actor| &actor.events);
        all.filter(|event| event.target == Target::Object(object)).collect()
    }
}

/// A process of a stage.
pub(crate) struct Actor {
    process: ProcessId,
    kinds: Vec<&'static Kind>,
    /// What it did, on every object.
    pub(crate) events: Vec<Event>,
    /// Whether its last step said that it may sleep.
    pub(crate) blocked: bool,
    /// What `update` computes.
    pub(crate) compute: fn(Value) -> Result<Value, Outcome>,
}

impl Actor {
    fn record(
        &mut self,
        object: ObjectId,
        verb: &'static str,
        element: Option<u32>,
        completion: &Completion,
        implicit: bool,
    ) {
        let number = self.events.len() as u64;
        let time = clock::now();
        let mut event = Event::plain(self.process, number, verb, time, time);
        (event.step, event.target, event.element) = (Some(0), Target::Object(object), element.into());
        (event.outcome, event.ticket, event.implicit) = (completion.outcome, completion.ticket, implicit);
        (event.value, event.second) = (completion.value.clone(), completion.second.clone());
        event.cause = EventId::unpack(completion.cause);
        self.events.push(event);
    }
}

impl Caller for Actor {
    fn process(&self) -> ProcessId {
        self.process
    }

    fn event(&self) -> u64 {
        EventId::new(self.process, self.events.len() as u64).pack()
    }

    fn block(&mut self) {
        self.blocked = true;
    }

    fn compute(&mut self, it: Value) -> Result<Value, Outcome> {
        (self.compute)(it)
    }

    fn implicit(&mut self, object: ObjectId, verb: u8, completion: Completion) {
        let name = self.kinds[object as usize].verbs[verb as usize].name;
        self.record(object, name, None, &completion, true);
    }

    fn buffer(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn give_back(&mut self, _buffer: Vec<u8>) {}
}
