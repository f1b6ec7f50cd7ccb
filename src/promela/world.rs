//! What all processes of a text share: the objects and their names, the processes that have begun and ended.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::begin::Beginning;
use super::expression::Texts;
use crate::diagnostic::{Code, Diagnostic};
use crate::event::{ObjectId, ProcessId, StepId};
use crate::explore::semantics::transition::Time;
use crate::objects::contract::operation::VerbId;
use crate::objects::contract::promela::{Around, Promela, Refusal};
use crate::objects::kinds::process::ProcessVerb;
use crate::scenario::plan::{Condition, Plan};

pub(super) struct World<'p> {
    pub(super) plan: &'p Plan,
    pub(super) time: Time,
    pub(super) texts: Texts,
    pub(super) begins: Vec<Beginning>,
    names: Vec<String>,
    holders: Vec<Vec<u32>>,
    verbs: Vec<u64>,
    /// By place in the file.
    problems: RefCell<BTreeMap<usize, Diagnostic>>,
}

impl<'p> World<'p> {
    pub(super) fn new(plan: &'p Plan, time: Time, begins: Vec<Beginning>) -> Self {
        let mut taken = BTreeSet::new();
        let mut holders = plan.holders();
        let ended = |begin: &Beginning| begin.ended.is_some();
        for (process, _) in plan.processes.iter().zip(&begins).filter(|(_, begin)| ended(begin)) {
            for (object, end) in &process.holds {
                holders[*object as usize][*end as usize] -= 1;
            }
        }
        let world = Self {
            plan,
            time,
            texts: Texts::default(),
            begins,
            names: plan.objects.iter().map(|object| unique(&format!("o_{}", object.name), &mut taken)).collect(),
            holders,
            verbs: plan.verbs(),
            problems: RefCell::new(BTreeMap::new()),
        };
        for (process, planned) in plan.processes.iter().enumerate() {
            let process = process as ProcessId;
            let late = world.begins[process as usize].ended.is_some() && world.started(process).is_some();
            if late && !planned.holds.is_empty() {
                let why = "the process ends as it begins, not at first, and holds ends that others observe";
                world.refuse_at(plan.program(process).span.clone(), why);
            }
        }
        world
    }

    /// The object in Promela.
    ///
    /// # Errors
    /// Its kind has no translation.
    pub(super) fn object(&self, object: ObjectId) -> Result<&'p dyn Promela, Refusal> {
        let planned = &self.plan.objects[object as usize];
        planned.object.promela().ok_or_else(|| format!("a {} has no translation", self.plan.kind(object).name))
    }

    /// What stands around an object.
    pub(super) fn around(&self, object: ObjectId) -> Around<'_> {
        let planned = &self.plan.objects[object as usize].object;
        let depends = planned.depends().and_then(|other| self.plan.objects[other as usize].object.promela());
        Around {
            name: &self.names[object as usize],
            names: &self.names,
            processes: self.plan.processes.len(),
            holders: &self.holders[object as usize],
            verbs: self.verbs[object as usize],
            counted: depends.is_some_and(Promela::is_counted),
        }
    }

    /// Says that a step has no translation.
    pub(super) fn refuse(&self, step: StepId, why: &str) {
        let span = self.plan.steps[step as usize].span.clone();
        self.refuse_at(span, why);
    }

    /// Says that what stands there has no translation.
    pub(super) fn refuse_at(&self, span: Range<usize>, why: &str) {
        let start = span.start;
        let diagnostic = Diagnostic::error(Code::NOT_IN_PROMELA, format!("there is no Promela for this: {why}")).at(
            &self.plan.source,
            span,
            "",
        );
        self.problems.borrow_mut().entry(start).or_insert(diagnostic);
    }

    /// What was refused, in the order of the file.
    pub(super) fn problems(&self) -> Vec<Diagnostic> {
        self.problems.borrow().values().cloned().collect()
    }

    /// Whether some process says that it is ready later than as it begins.
    pub(super) fn says_ready(&self, process: ProcessId) -> bool {
        self.plan.program(process).operations().any(|step| step.verb == VerbId::Process(ProcessVerb::Ready))
    }

    /// Where the process has begun; none where it has from the start. What it depends on never becomes false again, so
    /// this needs no variable but for what a `start` step starts.
    pub(super) fn started(&self, process: ProcessId) -> Option<String> {
        let program = self.plan.program(process);
        if program.manual {
            return Some(format!("p_begun[{process}]"));
        }
        let mut parts: Vec<String> = Vec::new();
        for (first, count, condition) in &program.depends_on {
            for other in *first..first + count {
                match condition {
                    Condition::Started => parts.extend(self.started(other)),
                    Condition::Ready if self.begins[other as usize].ready => parts.extend(self.started(other)),
                    Condition::Ready => parts.push(format!("p_ready[{other}]")),
                    Condition::Exited => parts.extend(self.ended(other)),
                    Condition::Succeeded => match self.begins[other as usize].ended {
                        Some(0) => parts.extend(self.started(other)),
                        Some(_) => parts.push("false".to_owned()),
                        None => parts.push(format!("p_exit[{other}] == 1")),
                    },
                }
            }
        }
        if parts.is_empty() { None } else { Some(format!("({})", parts.join(" && "))) }
    }

    /// Where the process has ended; none where it has from the start.
    pub(super) fn ended(&self, process: ProcessId) -> Option<String> {
        match self.begins[process as usize].ended {
            Some(_) => self.started(process),
            None => Some(format!("p_exit[{process}] != 0")),
        }
    }

    /// Its exit status, where it has ended.
    pub(super) fn code(&self, process: ProcessId) -> String {
        match self.begins[process as usize].ended {
            Some(code) => code.to_string(),
            None => format!("(p_exit[{process}] > 0 -> p_exit[{process}] - 1 : p_exit[{process}])"),
        }
    }
}

/// A name that Promela takes and that is not taken.
pub(super) fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let mut made: String = name.chars().map(plain).collect();
    made.truncate(made.trim_end_matches('_').len().max(2));
    while !taken.insert(made.clone()) {
        made.push('x');
    }
    made
}
