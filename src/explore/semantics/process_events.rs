//! Effects of a transition on other processes: starts, deaths, joins, and objects that a process releases at its end.
//!
//! The same for states that are numbers in a table (`space`) and for the one state that is followed along a path
//! (`tell`), which are two kinds of [`WorldState`].

use super::execute::Effects;
use super::process_state::{ProcessState, Stage};
use crate::event::{ObjectId, ProcessId};
use crate::objects::kinds::signals::Sent;
use crate::os::process::is_stop;
use crate::scenario::plan::{Condition, Plan};
use crate::trace::ProcessEnd;

/// A state of everything.
pub(crate) trait WorldState<'p> {
    fn plan(&self) -> &'p Plan;
    /// Where a process stands.
    fn segment(&self, process: ProcessId) -> &ProcessState<'p>;
    /// Changes where a process stands.
    fn change(&mut self, process: ProcessId, change: &mut dyn FnMut(&mut ProcessState<'p>));
    /// Lets an object know that a process has ended.
    fn part(&mut self, process: ProcessId, object: ObjectId, held: &[bool], killed: bool);
    /// Whether the begin of a process is a step of its own.
    fn begins_apart(&self, process: ProcessId) -> bool;
    /// Lets a process begin. It may end at once.
    fn begin(&mut self, process: ProcessId);
    /// Runs a signal's handler in a process, before the step that it stands at or within that.
    fn handle(&mut self, process: ProcessId, within: bool);
    /// Says that a process has ended, before its objects know. The packed id of that event; 0 where it is not known.
    fn ended(&mut self, process: ProcessId, end: ProcessEnd) -> u64;
}

/// What a plan has that most plans have not: where it has none of it, most of the work can be left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    /// Something waits for another process to be ready, to start or to end before it starts.
    pub(crate) depends: bool,
    /// A step sends signals.
    pub(crate) kills: bool,
}

/// Does what follows from a turn of `process`: from its effects, and from its end where it has ended in it.
pub(crate) fn settle<'p>(whole: &mut impl WorldState<'p>, traits: Traits, process: ProcessId, effects: &Effects) {
    if traits.kills {
        for joined in &effects.joined {
            whole.change(*joined, &mut |segment| (segment.joined, segment.starter) = (true, None));
        }
    }
    for (target, signal) in &effects.signals {
        whole.change(*target, &mut |segment| match signal.signal {
            libc::SIGCONT => segment.stopped = false,
            number if is_stop(number) => segment.stopped = true,
            number => segment.sent(*signal, number != 0 && *target == process),
        });
    }
    if let Stage::Ended(end) = whole.segment(process).stage {
        leave(whole, process, end);
    }
    for started in &effects.started {
        let plan = whole.plan();
        if plan.program(process).has_children() || plan.program(*started).parent_death.is_some() {
            whole.change(*started, &mut |segment| segment.starter = Some(process));
        }
        begin(whole, *started);
    }
    if traits.depends {
        open(whole);
    }
}

/// Lets a process begin; what follows where it ends at once. Where its begin is a step of its own, that step can be
/// taken from now on.
pub(crate) fn begin<'p>(whole: &mut impl WorldState<'p>, process: ProcessId) {
    if whole.begins_apart(process) {
        let late = has_late_gate(whole.plan(), process);
        whole.change(process, &mut |segment| {
            segment.beginning = true;
            if !late {
                segment.stage = Stage::Running;
            }
        });
        return;
    }
    whole.begin(process);
    if let Stage::Ended(end) = whole.segment(process).stage {
        leave(whole, process, end);
    }
}

/// Lets all processes begin that wait for nothing more: the first of them, and then the first again.
pub(crate) fn open<'p>(whole: &mut impl WorldState<'p>) {
    let plan = whole.plan();
    let is_ready = |whole: &_, process: ProcessId| {
        let program = plan.program(process);
        let segment = WorldState::segment(whole, process);
        segment.stage == Stage::NotStarted
            && !segment.beginning
            && !program.manual
            && !program.depends_on.is_empty()
            && program.depends_on.iter().all(|(first, count, condition)| {
                (*first..first + count).all(|other| holds(WorldState::segment(whole, other), *condition))
            })
    };
    let mut process = 0;
    while (process as usize) < plan.processes.len() {
        if !is_ready(whole, process) {
            process += 1;
            continue;
        }
        begin(whole, process);
        // Its begin opens no gate before it unless one waits for it.
        let mut awaited = plan.programs.iter().flat_map(|program| &program.depends_on);
        let awaited = awaited.any(|(first, count, _)| (*first..first + count).contains(&process));
        process = if awaited { 0 } else { process + 1 };
    }
}

/// Whether a process is not alive yet when its conditions have come true: the supervisor has to notice that they have.
/// A process that waits for starts only is alive with those that it waits for.
pub(crate) fn has_late_gate(plan: &Plan, process: ProcessId) -> bool {
    plan.program(process).depends_on.iter().any(|(_, _, condition)| *condition != Condition::Started)
}

fn holds(segment: &ProcessState<'_>, condition: Condition) -> bool {
    match condition {
        Condition::Started => segment.stage != Stage::NotStarted,
        Condition::Ready => segment.ready,
        Condition::Exited => matches!(segment.stage, Stage::Ended(_)),
        Condition::Succeeded => segment.stage == Stage::Ended(ProcessEnd::Exited(0)),
    }
}

/// A process has ended: it releases what it held.
fn leave<'p>(whole: &mut impl WorldState<'p>, process: ProcessId, end: ProcessEnd) {
    let plan = whole.plan();
    let event = whole.ended(process, end);
    let killed = matches!(end, ProcessEnd::Killed(_) | ProcessEnd::Crashed(_));
    let holds = &plan.processes[process as usize].holds;
    let mut objects: Vec<ObjectId> = whole.segment(process).shares.iter().map(|(object, _)| *object).collect();
    objects.extend(holds.iter().map(|(object, _)| *object));
    objects.sort_unstable();
    objects.dedup();
    for object in objects {
        whole.part(process, object, &plan.held(process, object), killed);
    }
    if plan.programs.iter().any(|program| program.parent_death.is_some()) {
        for orphan in 0..plan.processes.len() as ProcessId {
            let Some(signal) = plan.program(orphan).parent_death else { continue };
            if whole.segment(orphan).starter == Some(process) && whole.segment(orphan).is_due() {
                let sent = Sent { signal, value: 0, sender: process, event, raised: false };
                whole.change(orphan, &mut |segment| segment.sent(sent, false));
            }
        }
    }
    whole.change(process, &mut |segment| {
        segment.parked = false;
        segment.given_up = false;
        segment.left = None;
        segment.alarm = None;
        segment.leaving = None;
        segment.beginning = false;
        segment.pending.clear();
        (segment.owed, segment.within) = (false, false);
        segment.machine.forget_signals();
        segment.machine.forget(|_| false);
        segment.machine.finish();
    });
    if let Some(starter) = whole.segment(process).starter {
        let value = end.code().unwrap_or(0) as i32;
        let sent = Sent { signal: libc::SIGCHLD, value, sender: process, event, raised: false };
        let program = plan.program(starter);
        let runs = whole.segment(starter).stage == Stage::Running;
        if !runs || !program.waits_for_any() {
            whole.change(process, &mut |segment| segment.starter = None);
        }
        if runs && program.signals {
            whole.change(starter, &mut |segment| segment.sent(sent, false));
        }
    }
}
