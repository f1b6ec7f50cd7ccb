//! Objects of one kind that answer one question of the search as if less depended on them than does, to see that a
//! check finds it.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{brute_force, causality, random_programs, step_soundness};
use crate::event::{Event, ObjectId, ProcessId};
use crate::explore::run::{Options, explore};
use crate::explore::tests::plan;
use crate::judge::Status;
use crate::objects::causality::happens_before::Tie;
use crate::objects::contract::model::{ModelCall, Progress, ShareAccess};
use crate::objects::contract::operation::{Access, Span};
use crate::objects::contract::promela::Promela;
use crate::objects::{
    CATALOGUE, CreateContext, Enablers, Handover, HostError, Live, Model, Object, Relation, State, Verb,
};
use crate::outcome::Outcome;
use crate::scenario::plan::Plan;
use crate::value::{Types, Value};

/// A method of [`Object`] or [`Model`] by which a kind says what a search may leave out, and the answer that leaves out more
/// than the kind's own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Method {
    /// All steps change places.
    Commute,
    /// No step does anything to another object.
    Touches,
    /// No end of a process is noticed.
    NoticesEnds,
    /// The other answer: it decides who is waited for, and whether the object's value names a process.
    HasOwner,
    /// Nothing enables a process that waits.
    Enablers,
    /// No step is a cause of another by its place.
    TellsOrder,
    /// A run has the events in the order of the steps.
    Reorders,
    /// No event takes what another gave.
    HandOver,
    /// No event is a cause of another.
    Relate,
    /// A verb reads and writes no other process's share.
    Reach,
    /// No step is ever parked.
    Turns,
    /// A parked process waits for its own verb.
    WaitsFor,
    /// The state names the same objects whatever object it belongs to.
    Exchanged,
    /// All elements are alike.
    Element,
    /// All states are alike.
    Key,
    /// The scenario has no verbs for it.
    Narrow,
    /// The end of a process changes nothing.
    Part,
}

impl Method {
    pub(crate) const ALL: [Self; 17] = [
        Self::Commute,
        Self::Touches,
        Self::NoticesEnds,
        Self::HasOwner,
        Self::Enablers,
        Self::TellsOrder,
        Self::Reorders,
        Self::HandOver,
        Self::Relate,
        Self::Reach,
        Self::Turns,
        Self::WaitsFor,
        Self::Exchanged,
        Self::Element,
        Self::Key,
        Self::Narrow,
        Self::Part,
    ];
}

/// Which kind is looked at, which of its answers is changed, if any, and which would be other answers if they were.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    kind: &'static str,
    method: Option<Method>,
    differs: Arc<AtomicU32>,
}

impl Fault {
    pub(crate) fn new(kind: &'static str, method: Option<Method>) -> Self {
        Self { kind, method, differs: Arc::default() }
    }

    /// The methods whose weaker answer was another than the kind's own.
    pub(crate) fn differing(&self) -> impl Iterator<Item = Method> {
        let bits = self.differs.load(Ordering::Relaxed);
        Method::ALL.into_iter().filter(move |method| bits & 1 << *method as u32 != 0)
    }

    /// Does something with the fault in every plan that is read meanwhile.
    pub(crate) fn within<T>(&self, what: impl FnOnce() -> T) -> T {
        FAULT.replace(Some(self.clone()));
        let result = what();
        FAULT.replace(None);
        result
    }

    fn is(&self, method: Method) -> bool {
        self.method == Some(method)
    }

    /// The weaker answer where this is the question, else its own.
    fn answer<T: PartialEq>(&self, method: Method, own: T, weaker: T) -> T {
        self.note(method, own != weaker);
        if self.is(method) { weaker } else { own }
    }

    fn note(&self, method: Method, differs: bool) {
        self.differs.fetch_or(u32::from(differs) << method as u32, Ordering::Relaxed);
    }
}

thread_local! {
    static FAULT: RefCell<Option<Fault>> = const { RefCell::new(None) };
}

/// Builds the fault into a plan, where there is one now.
pub(crate) fn weaken(plan: &mut Plan) {
    let Some(fault) = FAULT.with_borrow(Clone::clone) else { return };
    let kinds: Vec<_> = (0..plan.objects.len() as ObjectId).map(|object| plan.kind(object)).collect();
    for (object, kind) in plan.objects.iter_mut().zip(kinds).filter(|(_, kind)| kind.name == fault.kind) {
        let waits = kind.verbs.iter().any(|verb| verb.blocks);
        let weak = |inner| -> Box<dyn Object> { Box::new(Weak { inner, waits, fault: fault.clone() }) };
        object.object = weak(Some(std::mem::replace(&mut object.object, weak(None))));
    }
}

struct Weak {
    inner: Option<Box<dyn Object>>,
    /// Whether a process can wait for it.
    waits: bool,
    fault: Fault,
}

impl Weak {
    fn own(&self) -> &dyn Object {
        &**self.inner.as_ref().expect("it was put in")
    }
}

impl Object for Weak {
    fn ends(&self) -> &'static [&'static str] {
        self.own().ends()
    }

    fn length(&self) -> Option<u32> {
        self.own().length()
    }

    fn parties(&self) -> Option<u32> {
        self.own().parties()
    }

    fn value_types(&self) -> Types {
        self.own().value_types()
    }

    fn depends(&self) -> Option<ObjectId> {
        self.own().depends()
    }

    fn foresee(&self, verb: &Verb, end: Option<&str>, arguments: &[Option<Value>]) -> Option<(Outcome, String)> {
        self.own().foresee(verb, end, arguments)
    }

    fn foresee_timeout(&self, verb: &Verb) -> Option<(Outcome, String)> {
        self.own().foresee_timeout(verb)
    }

    fn create(&self, site: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError> {
        self.own().create(site)
    }

    fn state(&self) -> Box<dyn State> {
        self.own().state()
    }

    fn model(&self, holders: &[u32]) -> Box<dyn Model> {
        let names = self.own().depends().is_some();
        Box::new(WeakModel { inner: self.own().model(holders), names, fault: self.fault.clone() })
    }

    fn promela(&self) -> Option<&dyn Promela> {
        self.own().promela()
    }

    fn span(&self, event: &Event) -> Span {
        self.own().span(event)
    }

    fn apart(&self, first: Access, second: Access) -> bool {
        self.own().apart(first, second)
    }

    fn has_known_cells(&self) -> bool {
        self.own().has_known_cells()
    }

    fn commute(&self, first: Access, second: Access) -> bool {
        self.fault.answer(Method::Commute, self.own().commute(first, second), true)
    }

    fn refuses(&self, verb: u8, real_time: Option<i64>) -> Option<(Outcome, String)> {
        self.own().refuses(verb, real_time)
    }

    fn ceiling(&self, share: u32) -> Option<i64> {
        self.own().ceiling(share)
    }

    fn priorities(&self) -> Option<&'static str> {
        self.own().priorities()
    }

    fn has_owner(&self) -> bool {
        let own = self.own().has_owner();
        self.fault.answer(Method::HasOwner, own, !own && self.waits)
    }

    fn notices_ends(&self) -> bool {
        self.fault.answer(Method::NoticesEnds, self.own().notices_ends(), false)
    }

    fn reorders(&self) -> bool {
        self.fault.answer(Method::Reorders, self.own().reorders(), false)
    }

    fn touches(&self, verb: u8) -> Vec<(ObjectId, u8)> {
        self.fault.answer(Method::Touches, self.own().touches(verb), Vec::new())
    }

    fn enablers(&self, verb: &Verb, end: Option<&str>, owner: Option<ProcessId>) -> Enablers {
        let own = self.own().enablers(verb, end, owner);
        self.fault.note(Method::Enablers, !own.verbs.is_empty() || !own.closing.is_empty());
        if self.fault.is(Method::Enablers) { Enablers { verbs: &[], only: None, closing: &[] } } else { own }
    }

    fn relate(&self, events: &[&Event], relation: &mut Relation) {
        self.own().relate(events, relation);
        self.fault.note(Method::Relate, relation.edges.iter().any(|edge| edge.tie() != Tie::Order));
        if self.fault.is(Method::Relate) {
            relation.edges.retain(|edge| edge.tie() == Tie::Order);
        }
    }

    fn hand_over(&self, handover: &mut Handover<'_>) -> u32 {
        let takes = self.own().hand_over(handover);
        *handover.lost &= !self.fault.is(Method::HandOver);
        self.fault.answer(Method::HandOver, takes, 0)
    }

    fn tells_order(&self, first: Access, second: Access) -> bool {
        self.fault.answer(Method::TellsOrder, self.own().tells_order(first, second), false)
    }

    fn limit(&self) -> Option<i64> {
        self.own().limit()
    }
}

struct WeakModel {
    inner: Box<dyn Model>,
    /// Whether the object names another.
    names: bool,
    fault: Fault,
}

impl WeakModel {
    fn of(&self, inner: Box<dyn Model>) -> Box<dyn Model> {
        Box::new(Self { inner, names: self.names, fault: self.fault.clone() })
    }
}

impl Model for WeakModel {
    fn copy(&self) -> Box<dyn Model> {
        self.of(self.inner.copy())
    }

    fn exchanged(&self, to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model> {
        self.fault.note(Method::Exchanged, self.names);
        self.of(if self.fault.is(Method::Exchanged) { self.inner.copy() } else { self.inner.exchanged(to) })
    }

    fn messages(&mut self) -> Option<Vec<&mut Value>> {
        self.inner.messages()
    }

    fn element(&self, at: u32) -> Option<u64> {
        let own = self.inner.element(at);
        self.fault.answer(Method::Element, own, own.map(|_| 0))
    }

    fn arranged(&self, order: &[u32]) -> Box<dyn Model> {
        self.of(self.inner.arranged(order))
    }

    fn key(&self, key: &mut Vec<u8>) {
        key.extend(self.fault.answer(Method::Key, step_soundness::key(&*self.inner), Vec::new()));
    }

    fn narrow(&mut self, verbs: u64) {
        let mut narrowed = [verbs, 0].map(|verbs| {
            let mut model = self.inner.copy();
            model.narrow(verbs);
            model
        });
        self.fault.note(Method::Narrow, step_soundness::key(&*narrowed[0]) != step_soundness::key(&*narrowed[1]));
        std::mem::swap(&mut self.inner, &mut narrowed[usize::from(self.fault.is(Method::Narrow))]);
    }

    fn step(&mut self, call: &mut ModelCall<'_>) -> Progress {
        self.inner.step(call)
    }

    fn give_up(&mut self, call: &mut ModelCall<'_>) -> Progress {
        self.inner.give_up(call)
    }

    fn reach(&self, verb: u8) -> ShareAccess {
        self.fault.answer(Method::Reach, self.inner.reach(verb), ShareAccess::Own)
    }

    fn turns(&self, verb: u8) -> Option<u32> {
        self.fault.answer(Method::Turns, self.inner.turns(verb), Some(1))
    }

    fn waits_for(&self, verb: u8, share: u32) -> Option<(ObjectId, u8)> {
        self.fault.answer(Method::WaitsFor, self.inner.waits_for(verb, share), None)
    }

    fn part(&mut self, share: &mut u32, held: &[bool], killed: bool) {
        let (mut model, mut left) = (self.inner.copy(), *share);
        model.part(&mut left, held, killed);
        self.fault
            .note(Method::Part, left != *share || step_soundness::key(&*self.inner) != step_soundness::key(&*model));
        if !self.fault.is(Method::Part) {
            (self.inner, *share) = (model, left);
        }
    }

    fn owner(&self, shares: &[u32]) -> Option<ProcessId> {
        self.inner.owner(shares)
    }

    fn value(&self, shares: &[u32], names: &[String]) -> Value {
        self.inner.value(shares, names)
    }

    fn size(&self, shares: &[u32]) -> Option<i64> {
        self.inner.size(shares)
    }

    fn last(&self, shares: &[u32]) -> Option<Value> {
        self.inner.last(shares)
    }
}

/// What some check finds wrong in scenarios of a kind drawn by a number.
fn found(kind: &'static str, seed: u64) -> Option<String> {
    caught(|| {
        step_soundness::fault(&step_soundness::text(kind, seed), seed % 3 == 2)
            .or_else(|| step_soundness::rare(kind).find_map(|text| step_soundness::fault(text, false)))
            .or_else(|| causality::fault(&causality::text(kind, seed), seed))
            .or_else(|| random_programs::fault(kind, seed))
    })
}

/// What is found wrong in the scenarios of the corpus that are named after a kind. They take longest; that nothing is without
/// a fault, another test shows.
fn misjudged(kind: &str) -> Option<String> {
    caught(|| {
        brute_force::compare_judged(kind);
        None
    })
}

/// A scenario in which everything holds by what one kind relates, where the search keeps every order of its steps and has
/// executions judged: there is no second opinion then.
const RELATED: &[(&str, &str)] = &[(
    "fifo",
    r#"
[objects]
f = { kind = "fifo" }
v = { kind = "value", value = 0 }
[processes.w]
steps = [{ store = "v", value = 1 }, { open = "f.w" }]
[processes.r]
steps = [{ open = "f.r" }, { load = "v" }]
[[expect]]
all_before = ["w store v", "r load v"]
[[expect]]
order = ["w store v", "w open f", "r open f", "r load v"]
[[expect]]
race_free = "v"
"#,
)];

/// What does not hold in that scenario of a kind.
fn unrelated(kind: &str) -> Option<String> {
    let (_, text) = RELATED.iter().find(|(name, _)| *name == kind)?;
    caught(|| {
        let plan = plan(text);
        let explored = explore(&plan, &Options::default(), &mut |_| true).expect("it can be explored");
        let fails = explored.summary.overall.iter().find(|one| one.status != Status::Pass);
        fails.map(|one| format!("{} does not hold", one.label))
    })
}

/// What the explorer itself does not expect is found as well.
fn caught(checks: impl FnOnce() -> Option<String>) -> Option<String> {
    catch_unwind(AssertUnwindSafe(checks)).unwrap_or_else(|_| Some("it panics".to_owned()))
}

/// A check that could not fail would be none: of every kind of the catalogue, each answer by which a search leaves something
/// out is changed, and some check finds it.
#[test]
fn a_kind_that_says_less_than_it_should_is_found() {
    let (mut caught, mut missed) = (0, Vec::new());
    for kind in CATALOGUE {
        let plain = Fault::new(kind.name, None);
        assert_eq!(plain.within(|| unrelated(kind.name)), None, "{}", kind.name);
        for seed in 0..LOOKED {
            let problem = plain.within(|| found(kind.name, seed));
            assert_eq!(problem, None, "{} {seed}", kind.name);
        }
        // What shows one fault often shows others.
        let mut seeds: Vec<u64> = (0..TRIED).collect();
        for method in plain.differing() {
            let weakened = Fault::new(kind.name, Some(method));
            let problem = seeds.iter().find_map(|seed| Some((*seed, weakened.within(|| found(kind.name, *seed))?)));
            let problem = problem.or_else(|| Some((TRIED, weakened.within(|| unrelated(kind.name))?)));
            let problem = problem.or_else(|| Some((TRIED, weakened.within(|| misjudged(kind.name))?)));
            match problem {
                Some((seed, problem)) => {
                    println!("{} {method:?}: {seed}, {}", kind.name, problem.lines().next().unwrap_or_default());
                    caught += 1;
                    seeds.retain(|other| *other != seed);
                    seeds.insert(0, seed);
                }
                None => missed.push(format!("{} {method:?}", kind.name)),
            }
        }
    }
    assert!(missed.is_empty(), "{caught} caught, not {missed:?}");
}

/// How many scenarios of a kind are looked at for what it says, and how many are tried to find one fault.
const LOOKED: u64 = 12;
const TRIED: u64 = 160;
