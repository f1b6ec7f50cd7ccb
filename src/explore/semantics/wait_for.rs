//! The wait-for graph of a state, for reports.

use super::event_log::Log;
use super::execute::Parts;
use super::next_operation::next;
use super::process_state::{ProcessState, Stage};
use crate::event::{ProcessId, Target};
use crate::objects::contract::operation::VerbId;
use crate::objects::kinds::process::ProcessVerb;
use crate::scenario::plan::{Instruction, Plan};
use crate::trace::Waiting;

/// What each process that has begun and not ended waits for.
pub(crate) fn waiting(plan: &Plan, segments: &[ProcessState<'_>], parts: &Parts, log: &Log, now: u64) -> Vec<Waiting> {
    let alive: Vec<ProcessId> = (0..segments.len() as ProcessId)
        .filter(|process| segments[*process as usize].stage == Stage::Running)
        .collect();
    alive.iter().map(|process| of(plan, *process, segments, parts, log, &alive, now)).collect()
}

fn of(
    plan: &Plan,
    process: ProcessId,
    segments: &[ProcessState<'_>],
    parts: &Parts,
    log: &Log,
    alive: &[ProcessId],
    now: u64,
) -> Waiting {
    let segment = &segments[process as usize];
    if segment.stopped {
        return Waiting::stopped(process, log.last(process).min(now));
    }
    let step = match segment.machine.instruction() {
        Instruction::Operate(operation) => Some(operation.step),
        _ => None,
    };
    let mut waiting = Waiting {
        process,
        step,
        verb: step.map_or("running", |step| plan.steps[step as usize].verb).to_owned(),
        target: Target::None,
        since: log.since(process).min(now),
        on: Vec::new(),
        holder: None,
    };
    let next = next(segment, now);
    let Some(next) = next.operation() else { return waiting };
    match (next.verb, next.object()) {
        (VerbId::Process(ProcessVerb::Join), _) => {
            let lives = |other: &ProcessId| !matches!(segments[*other as usize].stage, Stage::Ended(_));
            let other = next.on_processes().find(lives).or_else(|| next.on_processes().next());
            waiting.target = other.map_or(Target::None, Target::Process);
            waiting.on.extend(other.filter(lives));
        }
        (VerbId::Process(ProcessVerb::WaitAny), _) => {
            let started = |other: &ProcessId| segments[*other as usize].starter == Some(process);
            waiting.on.extend(alive.iter().copied().filter(started));
        }
        (_, Some((own, access))) => {
            let model = parts.objects[own as usize].as_deref();
            let elsewhere =
                model.filter(|_| segment.parked).and_then(|model| model.waits_for(access.verb, segment.share(own)));
            let (object, verb) = elsewhere.unwrap_or((own, access.verb));
            waiting.target = Target::Object(object);
            let described = &plan.kind(object).verbs[verb as usize];
            described.name.clone_into(&mut waiting.verb);
            let planned = &plan.objects[object as usize].object;
            let ends = planned.ends();
            let end = if object == own { ends.get(access.end as usize).copied() } else { None };
            let owner =
                parts.objects[object as usize].as_deref().and_then(|model| model.owner(&parts.shares[object as usize]));
            let enablers = planned.enablers(described, end, owner);
            waiting.holder = enablers.only;
            match enablers.only {
                Some(owner) => waiting.on.push(owner),
                None => {
                    let able = |other: &ProcessId| plan.can_unblock(*other, process, object, &enablers);
                    waiting.on.extend(alive.iter().copied().filter(able));
                }
            }
        }
        _ => {}
    }
    waiting
}
