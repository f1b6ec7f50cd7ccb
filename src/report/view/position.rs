//! A place in an execution that is chosen step by step: what can be done next, which processes cannot move, what the
//! objects and variables hold.

use crate::event::{ObjectId, ProcessId};
use crate::explore::analysis::prospects::Prospect;
use crate::explore::execution::concretise::{Lost, Told};
use crate::explore::execution::guided::obstacle;
use crate::explore::semantics::transition::{Kind, Step};
use crate::explore::stepper::Stepper;
use crate::judge;
use crate::report::terminal::interleaving::Story;
use crate::report::terminal::style::{value, visible};
use crate::scenario::plan::Plan;
use crate::schedule::compact;
use crate::trace::RunEnd;
use crate::value::Value;

/// The most columns of a value.
const VALUE: usize = 60;
/// The most choices of which it is found out what they do: each is carried out for that, over all processes and objects.
const DESCRIBED: usize = 100;
/// How much is done for that at most, in processes times processes and objects.
const WORK: usize = 2_000_000;

/// A place in an execution.
#[derive(Clone, Debug)]
pub struct Position {
    /// How many steps led to it.
    pub steps: usize,
    /// The last of them, where there is one.
    pub last: Option<Done>,
    /// What can be done next. Where it is empty, the execution is over.
    pub choices: Vec<Choice>,
    /// The processes that cannot move, each with the reason.
    pub waiting: Vec<(String, String)>,
    pub objects: Vec<(String, String)>,
    /// The variables of running processes that have a value: process, variable, value.
    pub variables: Vec<(String, String, String)>,
    /// The steps so far as a schedule, for `ipcrun replay`.
    pub schedule: String,
}

/// A step that was taken.
#[derive(Clone, Debug)]
pub struct Done {
    /// None where time passed.
    pub process: Option<String>,
    pub does: String,
    /// What it changed.
    pub changes: String,
}

/// A step that can be taken.
#[derive(Clone, Debug)]
pub struct Choice {
    /// None where time passes.
    pub process: Option<String>,
    pub does: String,
    /// Whether it comes from outside: a kill, a wake-up without a cause. It is never taken at random.
    pub outside: bool,
    /// What it can still lead to, where that is known.
    pub prospect: Option<Prospect>,
}

impl Position {
    /// # Errors
    /// A step of the model that cannot be followed.
    pub fn of(plan: &Plan, stepper: &mut Stepper<'_, '_>, told: &Told) -> Result<Self, Lost> {
        let steps = stepper.choices();
        let size = plan.processes.len() * (plan.processes.len() + plan.objects.len());
        let described = (WORK / size.max(1)).clamp(1, DESCRIBED);
        let mut choices = Vec::with_capacity(steps.len());
        for (place, step) in steps.iter().enumerate() {
            let mut does = if place < described {
                said(plan, step, &stepper.foretold(step)?).0
            } else {
                "takes its next step".to_owned()
            };
            does.push_str(&choice(&steps, place));
            let outside = matches!(step.kind, Kind::Kill | Kind::Wake);
            let prospect = stepper.prospect(place).map_err(|error| Lost::ModelError(error.process))?;
            choices.push(Choice { process: name(plan, step), does, outside, prospect });
        }
        let last = stepper.path().last().map(|step| {
            let (does, changes) = said(plan, step, told);
            Done { process: name(plan, step), does, changes }
        });
        let objects = (0..plan.objects.len() as ObjectId)
            .map(|one| (plan.objects[one as usize].name.clone(), object(plan, stepper, one)));
        let process = |process: ProcessId| plan.processes[process as usize].name.clone();
        let variables = (0..plan.processes.len() as ProcessId).flat_map(|one| {
            let own = variables(stepper, one).into_iter();
            own.map(move |(variable, held)| (process(one), variable, held))
        });
        let waiting = stepper.standstills(told).into_iter();
        Ok(Self {
            steps: stepper.path().len(),
            last,
            choices,
            waiting: waiting.map(|one| (process(one.process), obstacle(plan, &one.why))).collect(),
            objects: objects.collect(),
            variables: variables.collect(),
            schedule: compact(plan, &stepper.orders(told)),
        })
    }
}

/// What an object holds.
pub(super) fn object(plan: &Plan, stepper: &Stepper<'_, '_>, object: ObjectId) -> String {
    let shown = |held: &Value| value(held, VALUE);
    match stepper.object(object) {
        (Value::Null, Some(size)) => size.to_string(),
        (Value::Null, None) => "free".to_owned(),
        (held, Some(size)) if matches!(held, Value::List(_)) => format!("{}, {size} in it", shown(&held)),
        (Value::String(owner), _) if plan.processes.iter().any(|process| *process.name == *owner) => owner.to_string(),
        (held, _) => shown(&held),
    }
}

/// The variables of a process that have a value.
pub(super) fn variables(stepper: &Stepper<'_, '_>, process: ProcessId) -> Vec<(String, String)> {
    stepper.variables(process).into_iter().map(|(name, held)| (name, value(&held, VALUE))).collect()
}

/// What tells one of the steps that can be taken from others of the same process, which stand beside it.
pub(super) fn choice(steps: &[Step], place: usize) -> String {
    let step = &steps[place];
    let alike =
        |other: Option<&Step>| other.is_some_and(|other| (other.process, other.kind) == (step.process, step.kind));
    if !alike(place.checked_sub(1).and_then(|before| steps.get(before))) && !alike(steps.get(place + 1)) {
        return String::new();
    }
    let numbers: Vec<String> = step.choices.iter().map(u32::to_string).collect();
    format!(", choice {}", if numbers.is_empty() { "0".to_owned() } else { numbers.join(",") })
}

/// Whether an execution that is over is marked as a bad one: it fails, or it is a deadlock, expected or not.
pub fn is_bad(plan: &Plan, told: &Told) -> bool {
    told.trace.end == RunEnd::Deadlock || judge::judge(plan, &told.trace).status == judge::Status::Fail
}

fn name(plan: &Plan, step: &Step) -> Option<String> {
    (step.kind != Kind::Tick).then(|| plan.processes[step.process as usize].name.clone())
}

/// What a step does that is the last of an execution, and what it changes.
pub(super) fn said(plan: &Plan, step: &Step, told: &Told) -> (String, String) {
    if step.kind == Kind::Tick {
        return ("time passes, up to the next deadline".to_owned(), String::new());
    }
    let story = Story {
        trace: &told.trace,
        turns: &told.turns,
        events: &told.events,
        before: told.before,
        critical: None,
        round: None,
        switches: 0,
        fewest: false,
    };
    story.last(plan).map_or_else(Default::default, |(does, changes)| (visible(&does).into_owned(), changes))
}
