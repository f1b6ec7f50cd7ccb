//! Collects the verdicts of executions: each is concretised and judged, those are kept that decide something, and,
//! where asked for, one for each kind of verdict and end, so that the same can be said again from those.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::concretise::{Lost, Told, tell};
use crate::explore::base::workers;
use crate::explore::looks::unprocessed;
use crate::explore::semantics::transition::{ModelError, ModelErrorKind, Step, Time};
use crate::explore::state_space::StateSpace;
use crate::explore::strategy::bfs::Cut;
use crate::judge::{self, Status, Subject, Summary, Tally, Verdict};
use crate::scenario::plan::Plan;
use crate::trace::{RunEnd, Trace};

/// Why there is no verdict.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A process computes without end.
    ModelError(ModelError),
    /// A path that was found could not be followed.
    Lost(Lost),
    /// An execution that was found before is not what it was then.
    Unlike,
    /// What this part of an exploration says is not so: see [`Found::part`].
    Part(usize),
}

impl Fault {
    /// What of its budget was spent, where it is that.
    pub(crate) fn spent(&self) -> Option<Cut> {
        match self {
            Self::Lost(Lost::Spent(cut)) | Self::ModelError(ModelError { trouble: ModelErrorKind::Spent(cut), .. }) => {
                Some(*cut)
            }
            _ => None,
        }
    }
}

impl From<ModelError> for Fault {
    fn from(endless: ModelError) -> Self {
        Self::ModelError(endless)
    }
}

#[derive(Debug)]
pub struct Story {
    /// Its number among those that were judged, from 1: that of [`judge::Overall::example`].
    pub run: u64,
    pub path: Vec<Step>,
    pub told: Told,
    /// What was found in it.
    pub verdict: Verdict,
    /// How many of its steps lead to where it goes round for ever; none where it ends.
    pub stem: Option<usize>,
}

/// An execution that was found, and how many there are that no expectation can tell from it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Found {
    /// Its number among those that were judged, from 1.
    pub number: u64,
    /// How many there are like it.
    pub times: u64,
    /// What verdict and end it has: the same number, the same verdict and end.
    pub kind: u64,
    #[serde(with = "crate::explore::distributed::steps")]
    pub path: Vec<Step>,
    /// How many of its steps lead to where it goes round for ever; none where it ends.
    pub stem: Option<usize>,
    /// Whether the run is over behind its last step. Where it is not, only what no end could change counts.
    pub ended: bool,
    /// The part of an exploration that says so, by its place among the files.
    #[serde(skip)]
    pub part: usize,
}

impl Found {
    /// Adds what another part of the same exploration has found of that kind.
    pub(crate) fn join(&mut self, other: Self) {
        let times = self.times.saturating_add(other.times);
        if other.number < self.number {
            *self = other;
        }
        self.times = times;
    }
}

/// Called with each verdict and end.
type Judged<'j> = dyn FnMut(&Verdict, &str) + 'j;

pub(crate) struct VerdictCollector<'p, 'j> {
    plan: &'p Plan,
    tally: Tally,
    /// How many were judged.
    numbers: u64,
    /// By kind: its place in `found`, where that is kept.
    kinds: HashMap<String, usize>,
    pub(crate) found: Vec<Found>,
    keep: bool,
    decided: HashSet<String>,
    stories: Vec<Story>,
    judged: &'j mut Judged<'j>,
}

/// An execution, concretised and judged.
pub(crate) struct Case {
    pub(crate) path: Vec<Step>,
    pub(crate) told: Told,
    pub(crate) verdict: Verdict,
    /// In what it ends, as tallies write it.
    pub(crate) state: String,
    /// What tallies can tell of it.
    pub(crate) kind: String,
}

/// Tells and judges an execution. Of one that has not ended counts only what no end could change.
///
/// # Errors
/// A path that cannot be followed.
pub(crate) fn case(space: &StateSpace<'_>, path: Vec<Step>, ended: bool) -> Result<Case, Fault> {
    let plan = space.plan;
    if let Some(cut) = space.budget.spent() {
        return Err(Fault::Lost(Lost::Spent(cut)));
    }
    let mut told = tell(space, &path).map_err(Fault::Lost)?;
    // A whole execution that has no end comes back to a state that it was in.
    if ended {
        told.round();
    }
    // What is judged is reported unchanged.
    let end = if ended { None } else { Some(std::mem::replace(&mut told.trace.end, RunEnd::Interrupted)) };
    let verdict = judged(plan, space.leeway.time, &mut told.trace);
    let state = judge::final_state(plan, &told.trace);
    if let Some(end) = end {
        told.trace.end = end;
    }
    let kind = format!("{ended}\n{}\n{state}", verdict.kind());
    Ok(Case { path, told, verdict, state, kind })
}

/// Tells and judges several executions, each a path and whether it has ended, by that many threads at once; in their
/// order.
pub(crate) fn cases(space: &StateSpace<'_>, jobs: usize, paths: &[(Vec<Step>, bool)]) -> Vec<Result<Case, Fault>> {
    let mut workers = vec![(); jobs.clamp(1, paths.len().max(1))];
    workers::in_order(&mut workers, paths.len(), |(), place| {
        let (path, ended) = &paths[place];
        case(space, path.clone(), *ended)
    })
}

/// Judges an execution. Where any time may have passed, or times depend on CPUs and priorities, none of them says
/// anything.
pub(crate) fn judged(plan: &Plan, time: Time, trace: &mut Trace) -> Verdict {
    let reason = match time {
        _ if plan.processors().is_some() => unprocessed(plan, "how long it takes"),
        Time::Any => "any sleep and any timeout may end at any moment, so how long it takes is not known".to_owned(),
        Time::Virtual => return judge::judge(plan, trace),
    };
    let times: Vec<_> = trace.events.iter().map(|event| (event.begin, event.end)).collect();
    for event in &mut trace.events {
        (event.begin, event.end) = (0, 0);
    }
    let waits = (trace.end.clone(), trace.stuck.clone());
    trace.end.doing_mut().iter_mut().chain(&mut trace.stuck).for_each(|waiting| waiting.since = 0);
    let duration = std::mem::take(&mut trace.duration);
    let mut verdict = judge::judge(plan, trace);
    for (event, times) in trace.events.iter_mut().zip(times) {
        (event.begin, event.end) = times;
    }
    trace.duration = duration;
    (trace.end, trace.stuck) = waits;
    for judged in &mut verdict.findings {
        if matches!(judged.subject, Subject::Expectation(place) if judge::is_timed(plan, place)) {
            judged.status = Status::Unknown;
            judged.finding.status = Status::Unknown;
            (judged.reason, judged.finding.reason) = (Some(reason.clone()), Some(reason.clone()));
        }
    }
    verdict
}

/// A number for a kind: FNV-1a, the same everywhere.
pub(crate) fn sign(kind: &str) -> u64 {
    kind.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Case {
    /// Whether something is decided in it that no end could change.
    pub(crate) fn decides(&self) -> bool {
        self.verdict.findings.iter().any(|one| matches!(one.subject, Subject::Expectation(_)) && one.is_firm())
    }
}

impl<'p, 'j> VerdictCollector<'p, 'j> {
    pub(crate) fn new(plan: &'p Plan, keep: bool, judged: &'j mut Judged<'j>) -> Self {
        Self {
            plan,
            tally: Tally::default(),
            numbers: 0,
            kinds: HashMap::new(),
            found: Vec::new(),
            keep,
            decided: HashSet::new(),
            stories: Vec::new(),
            judged,
        }
    }

    /// The number that the next execution gets that has none.
    pub(crate) fn next(&self) -> u64 {
        self.numbers + 1
    }

    /// Whether such a verdict and such an end have been met.
    pub(crate) fn knows(&self, kind: &str) -> bool {
        self.kinds.contains_key(kind)
    }

    /// Takes in an execution, and `times - 1` others like it.
    pub(crate) fn add(&mut self, case: Case, number: u64, times: u64, stem: Option<usize>, ended: bool) {
        let Case { path, told, verdict, state, kind } = case;
        self.numbers = self.numbers.max(number);
        match self.kinds.get(&kind) {
            Some(place) => {
                if let Some(found) = self.found.get_mut(*place) {
                    found.times += times;
                }
            }
            None => {
                let sign = sign(&kind);
                self.kinds.insert(kind, self.found.len());
                if self.keep {
                    self.found.push(Found { number, times, kind: sign, path: path.clone(), stem, ended, part: 0 });
                }
            }
        }
        if ended {
            (self.judged)(&verdict, &state);
            self.tally.add_as(&verdict, state, number, times);
        } else {
            self.tally.glimpse_as(&verdict, number, times);
        }
        // What is the first of its kind for an expectation may decide it.
        let mut decides = false;
        for one in &verdict.findings {
            decides |= self
                .decided
                .insert(format!("{:?} {} {:?} {:?}", one.subject, one.label, one.finding.status, one.status));
        }
        if decides {
            self.stories.push(Story { run: number, path, told, verdict, stem });
        }
    }

    /// What all of them say; `whole` where they stand for every execution. With the executions that decide it.
    pub(crate) fn finish(mut self, whole: bool) -> (Summary, Vec<Story>, Vec<Found>) {
        let summary = self.tally.over_all(self.plan, whole);
        let deciding: HashSet<u64> =
            summary.overall.iter().filter_map(|one| one.example.as_ref().map(|(run, _)| *run)).collect();
        self.stories.retain(|story| deciding.contains(&story.run));
        self.stories.sort_by_key(|story| story.run);
        (summary, self.stories, self.found)
    }
}
