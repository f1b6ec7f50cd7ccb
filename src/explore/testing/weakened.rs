//! Objects that say less than they should of what a search must not leave out, to see that tests find it.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::event::{Event, ObjectId, ProcessId};
use crate::objects::contract::model::Access;
use crate::objects::contract::promela::Promela;
use crate::objects::{Enablers, Handover, HostError, Live, Model, Object, Relation, Site, State, Usage, Verb};
use crate::outcome::Outcome;
use crate::scenario::plan::Plan;
use crate::value::{Types, Value};

/// What an object is asked that it can be silent about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Method {
    Commute,
    Touches,
    NoticesEnds,
    Enablers,
    TellsOrder,
    Reorders,
    HandsOver,
}

/// Which kind says what is unsound, and whether that has ever been another answer than its own.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: &'static str,
    pub(crate) method: Method,
    pub(crate) differs: Arc<AtomicBool>,
}

thread_local! {
    static FAULT: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// Does something with a fault in every plan that is read meanwhile.
pub(crate) fn with<T>(fault: &Fault, what: impl FnOnce() -> T) -> T {
    FAULT.set(Some(fault.clone()));
    let result = what();
    FAULT.set(None);
    result
}

/// Builds the fault into a plan, where there is one now.
pub(crate) fn weaken(plan: &mut Plan) {
    let Some(fault) = FAULT.take() else { return };
    FAULT.set(Some(fault.clone()));
    let kinds: Vec<&str> = (0..plan.objects.len() as ObjectId).map(|object| plan.kind(object).name).collect();
    for (object, _) in plan.objects.iter_mut().zip(kinds).filter(|(_, kind)| *kind == fault.kind) {
        let placeholder: Box<dyn Object> = Box::new(Weak { inner: None, fault: fault.clone() });
        let inner = std::mem::replace(&mut object.object, placeholder);
        object.object = Box::new(Weak { inner: Some(inner), fault: fault.clone() });
    }
}

struct Weak {
    inner: Option<Box<dyn Object>>,
    fault: Fault,
}

impl Weak {
    fn own(&self) -> &dyn Object {
        &**self.inner.as_ref().expect("it was put in")
    }

    /// The unsound answer where this is the question, else its own.
    fn answer<T>(&self, method: Method, own: T, unsound: T, same: impl Fn(&T, &T) -> bool) -> T {
        if self.fault.method != method {
            return own;
        }
        if !same(&own, &unsound) {
            self.fault.differs.store(true, Ordering::Relaxed);
        }
        unsound
    }
}

impl Object for Weak {
    fn ends(&self) -> &'static [&'static str] {
        self.own().ends()
    }

    fn length(&self) -> Option<u32> {
        self.own().length()
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

    fn create(&self, site: &mut Site<'_>) -> Result<Rc<dyn Live>, HostError> {
        self.own().create(site)
    }

    fn state(&self) -> Box<dyn State> {
        self.own().state()
    }

    fn model(&self, holders: &[u32]) -> Box<dyn Model> {
        self.own().model(holders)
    }

    fn promela(&self) -> Option<&dyn Promela> {
        self.own().promela()
    }

    fn commute(&self, first: Access, second: Access) -> bool {
        self.answer(Method::Commute, self.own().commute(first, second), true, bool::eq)
    }

    fn has_owner(&self) -> bool {
        self.own().has_owner()
    }

    fn notices_ends(&self) -> bool {
        self.answer(Method::NoticesEnds, self.own().notices_ends(), false, bool::eq)
    }

    fn reorders(&self) -> bool {
        self.answer(Method::Reorders, self.own().reorders(), false, bool::eq)
    }

    fn touches(&self, verb: u8) -> Vec<(ObjectId, u8)> {
        self.answer(Method::Touches, self.own().touches(verb), Vec::new(), Vec::eq)
    }

    fn enablers(&self, verb: &Verb, end: Option<&str>, owner: Option<ProcessId>) -> Enablers {
        let none = Enablers { verbs: &[], only: None, closing: &[] };
        let same = |one: &Enablers, other: &Enablers| (one.verbs, one.closing) == (other.verbs, other.closing);
        self.answer(Method::Enablers, self.own().enablers(verb, end, owner), none, same)
    }

    fn relate(&self, events: &[&Event], relation: &mut Relation) {
        self.own().relate(events, relation);
    }

    fn hands_over(&self, uses: &[Usage]) -> bool {
        self.answer(Method::HandsOver, self.own().hands_over(uses), true, bool::eq)
    }

    fn hand_over(&self, handover: &mut Handover<'_>) -> u32 {
        self.own().hand_over(handover)
    }

    fn tells_order(&self, first: Access, second: Access) -> bool {
        self.answer(Method::TellsOrder, self.own().tells_order(first, second), false, bool::eq)
    }

    fn limit(&self) -> Option<i64> {
        self.own().limit()
    }
}
