//! Data races without a history: two processes are about to access one cell, and the accesses conflict.
//!
//! Where no two ever stand so, on no cell, every execution has its accesses in order: follow an execution up to the
//! first access that is without an order to an earlier one. What it does not depend on can be left out of what came
//! before, and then both stand before their accesses. That holds only where what a step does depends on nothing but
//! what happened before it by causes; [`is_tame`] says so of a plan.

use crate::event::{ObjectId, ProcessId};
use crate::explore::budget::Pace;
use crate::explore::semantics::program_analysis::reads_clock;
use crate::explore::strategy::bfs::Search;
use crate::judge::history::{CellUse, Memory};
use crate::objects::Effect;
use crate::objects::contract::operation::{Access, Span, VerbId};
use crate::objects::kinds::own::OwnVerb;
use crate::objects::kinds::process::ProcessVerb;
use crate::scenario::expectation::ObjectRef;
use crate::scenario::plan::Plan;

/// Whether what a step does depends on nothing but what happened before it by causes.
pub(crate) fn is_tame(plan: &Plan) -> bool {
    let steps = plan.operations().all(|operation| {
        let causal = match operation.verb {
            VerbId::Object => operation.accessed().all(|(object, verb)| {
                let effect = plan.kind(object).verbs[verb as usize].effect;
                let cells = matches!(effect, Effect::Reads | Effect::Writes | Effect::Updates);
                cells || matches!(effect, Effect::Takes | Effect::Gives)
            }),
            VerbId::Timer(_) | VerbId::Own(OwnVerb::Abort) | VerbId::Signal(_) => false,
            VerbId::Process(verb) => !matches!(verb, ProcessVerb::Status | ProcessVerb::Kill | ProcessVerb::WaitAny),
            VerbId::Own(_) => true,
        };
        causal && operation.timeout.is_none()
    });
    let objects = plan.objects.iter().enumerate().all(|(id, object)| {
        // A release that may be one too many depends on those that take.
        let bound = plan.kind(id as ObjectId).verb_that(Effect::Gives).is_some_and(|verb| {
            let access = Access::of(verb);
            !object.object.commute(access, access)
        });
        !object.object.notices_ends() && !bound && object.object.has_known_cells()
    });
    steps
        && objects
        && !plan.observes_parents()
        && plan.programs.iter().all(|program| !program.daemon && !reads_clock(program))
}

/// The objects of which a plan asks whether they are free of races; none where the past is kept anyhow.
pub(crate) fn asked<'p>(memories: &[Memory<'p>]) -> Vec<&'p ObjectRef> {
    if memories.iter().any(|memory| matches!(memory, Memory::Past | Memory::Everything)) {
        return Vec::new();
    }
    let races = memories.iter().filter_map(|memory| match memory {
        Memory::Races { object, each: false } => Some(*object),
        _ => None,
    });
    races.collect()
}

/// Two processes that stand before accesses that must not meet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Race {
    pub(crate) state: u32,
    /// The processes in that state.
    pub(crate) processes: [ProcessId; 2],
}

/// The first race on each of the objects that are asked for, where they decide it: none where there is a race on
/// something else and one of these has none, since that could be a race by what the other race lets happen.
pub(crate) fn find(search: &mut Search<'_, '_>, asked: &[&ObjectRef]) -> Option<Vec<Race>> {
    let mut found: Vec<Option<Race>> = vec![None; asked.len()];
    let mut any = false;
    let mut state = vec![0; search.space.width()];
    let processes = search.space.plan.processes.len();
    let mut standing: Vec<(ProcessId, Standing)> = Vec::new();
    let mut pace = Pace::new(&search.space.budget);
    for number in 0..search.store.len() as u32 {
        if let Some(cut) = pace.spent() {
            search.cut = search.cut.or(Some(cut));
            return Some(Vec::new());
        }
        search.store.get(number, &mut state);
        standing.clear();
        for (process, segment) in (0..).zip(&state[..processes]) {
            if let Some(stands) = stands(search, *segment) {
                standing.push((process, stands));
            }
        }
        for (at, (first, one)) in standing.iter().enumerate() {
            for (second, other) in &standing[at + 1..] {
                if !one.races(*other) {
                    continue;
                }
                any = true;
                for (race, object) in found.iter_mut().zip(asked) {
                    let near = |stands: &Standing| stands.span.meets(Span::of(object.element));
                    if object.objects.contains(&one.object) && near(one) && near(other) {
                        race.get_or_insert(Race { state: number, processes: [*first, *second] });
                    }
                }
            }
        }
        if found.iter().all(Option::is_some) {
            break;
        }
    }
    let decided = !any || found.iter().all(Option::is_some);
    decided.then(|| found.into_iter().flatten().collect())
}

/// What a process is about to do to a cell.
#[derive(Clone, Copy, Debug)]
struct Standing {
    object: ObjectId,
    span: Span,
    writes: bool,
    plain: bool,
}

impl Standing {
    fn races(self, other: Self) -> bool {
        self.object == other.object
            && self.span.meets(other.span)
            && (self.writes || other.writes)
            && (self.plain || other.plain)
    }
}

fn stands(search: &Search<'_, '_>, segment: u32) -> Option<Standing> {
    let (object, access) = search.space.info(segment).next.object()?;
    let effect = search.space.plan.kind(object).verbs[access.verb as usize].effect;
    let touch = CellUse::by(effect)?;
    let (writes, plain) = (touch.writes, !touch.atomic);
    Some(Standing { object, span: Span::of(access.element), writes, plain })
}
