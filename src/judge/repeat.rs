//! The verdict over the runs of `--repeat`: for each expectation in how many of them it held, and how they ended.

use std::collections::HashMap;

use super::context::Context;
use super::deadlocks;
use super::describe;
use super::history::Memory;
use super::memories_of;
use super::state_replay::Replay;
use super::verdict::{Finding, Status, Subject, Verdict, worst};
use crate::event::{ObjectId, ProcessId};
use crate::objects::Effect;
use crate::scenario::expectation::{Argument, Expectation, Holds};
use crate::scenario::plan::{Fact, Plan};
use crate::trace::{ProcessEnd, RunEnd, Trace};
use crate::value::Value;

/// Adds up runs, one after the other.
#[derive(Debug, Default)]
pub struct Tally {
    runs: u64,
    expectations: Vec<Count>,
    /// Rules that were broken, by label, in the order of their first time.
    rules: Vec<Broken>,
    states: Vec<FinalState>,
    known: HashMap<String, usize>,
}

#[derive(Clone, Debug, Default)]
struct Count {
    held: u64,
    failed: u64,
    /// Those of the failed that fail only since a pattern matches nothing.
    vacuous: u64,
    unknown: u64,
    skipped: u64,
    seen: Vec<bool>,
    first_held: Option<(u64, Finding)>,
    first_failed: Option<(u64, Finding)>,
    /// The first that fails although its patterns match something.
    first_met: Option<(u64, Finding)>,
    /// What it counts in runs in which it holds, where that is not what its words say.
    reason: Option<String>,
    first_unknown: Option<(u64, Finding)>,
}

#[derive(Debug)]
struct Broken {
    subject: Subject,
    label: String,
    status: Status,
    runs: u64,
    first: (u64, Finding),
}

/// Runs that ended in the same state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FinalState {
    /// The state, as [`final_state`] writes it.
    pub state: String,
    /// How many runs ended in it.
    pub runs: u64,
    /// The first of them, from 1.
    pub first: u64,
}

/// In how many runs an expectation held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Frequency {
    /// In every run that could be judged.
    Always,
    /// In some of them.
    Sometimes,
    /// In none of them.
    Never,
    /// Not in all of them; in how many was not looked for.
    NotAlways,
    /// No run could be judged.
    Undecided,
}

/// What all runs say of one expectation or rule.
#[derive(Clone, Debug)]
pub struct Overall {
    pub subject: Subject,
    /// The expectation's label, or the rule in words.
    pub label: String,
    /// Over which executions it speaks.
    pub holds: Holds,
    /// The status, with `holds` and `each_seen` taken into account.
    pub status: Status,
    /// Why, where the status is unknown or needs a word.
    pub reason: Option<String>,
    /// In how many of the runs it held.
    pub frequency: Frequency,
    /// The runs in which it held.
    pub held: u64,
    /// The runs in which it did not.
    pub failed: u64,
    /// The runs in which it could not be decided, and those of which it does not speak.
    pub unknown: u64,
    /// The run that decides the status, from 1, and what was found in it.
    pub example: Option<(u64, Finding)>,
    /// The entries of `in` that no run showed, where `each_seen` asks for them all.
    pub unseen: Vec<usize>,
    /// Whether it depends on timing: it holds under one assumption of time and fails under the other.
    pub timing: bool,
}

impl Overall {
    /// The finding of an execution that decides the status: a failure, except for what has to be shown.
    pub fn shown(&self) -> Status {
        match (self.timing, self.holds) {
            (true, Holds::Sometimes) => Status::Pass,
            (true, _) => Status::Fail,
            _ => self.status,
        }
    }
}

/// What all runs say together.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many runs there were.
    pub runs: u64,
    /// Fails where anything fails; else unknown where anything is unknown.
    pub status: Status,
    /// Every expectation in the order of the file, then every rule that a run broke.
    pub overall: Vec<Overall>,
    /// The states in which runs ended, the most frequent first.
    pub states: Vec<FinalState>,
}

impl Tally {
    /// Takes in the next run: what was found in it, and how it ended, as [`final_state`] writes it.
    pub fn add(&mut self, verdict: &Verdict, state: String) {
        self.add_as(verdict, state, self.runs + 1, 1);
    }

    /// Takes in a run of that number, and `times - 1` others that came to the same.
    pub fn add_as(&mut self, verdict: &Verdict, state: String, number: u64, times: u64) {
        self.runs += times;
        for judged in &verdict.findings {
            match judged.subject {
                Subject::Expectation(place) => {
                    if self.expectations.len() <= place {
                        self.expectations.resize_with(place + 1, Count::default);
                    }
                    self.expectations[place].add(number, times, &judged.finding);
                }
                Subject::Rule(_) => match self.rules.iter_mut().find(|broken| broken.label == judged.label) {
                    Some(broken) => broken.runs += times,
                    None => self.rules.push(Broken {
                        subject: judged.subject,
                        label: judged.label.clone(),
                        status: judged.status,
                        runs: times,
                        first: (number, judged.finding.clone()),
                    }),
                },
            }
        }
        let place = *self.known.entry(state.clone()).or_insert(self.states.len());
        match self.states.get_mut(place) {
            Some(known) => known.runs += times,
            None => self.states.push(FinalState { state, runs: times, first: number }),
        }
    }

    /// What the runs so far say.
    pub fn summary(&self, plan: &Plan) -> Summary {
        self.summary_of(plan, &self.expectations)
    }

    fn summary_of(&self, plan: &Plan, expectations: &[Count]) -> Summary {
        let mut overall: Vec<Overall> = (plan.expectations.iter().enumerate().zip(expectations))
            .map(|((place, expectation), count)| count.overall(place, expectation, self.runs))
            .collect();
        overall.extend(self.rules.iter().map(|broken| Overall {
            subject: broken.subject,
            label: broken.label.clone(),
            holds: Holds::Always,
            status: broken.status,
            reason: broken.first.1.reason.clone(),
            frequency: if broken.runs == self.runs { Frequency::Never } else { Frequency::Sometimes },
            held: self.runs - broken.runs,
            failed: broken.runs,
            unknown: 0,
            example: Some(broken.first.clone()),
            unseen: Vec::new(),
            timing: false,
        }));
        let mut states = self.states.clone();
        states.sort_by(|a, b| b.runs.cmp(&a.runs).then(a.first.cmp(&b.first)));
        Summary { runs: self.runs, status: worst(overall.iter().map(|one| one.status)), overall, states }
    }
}

impl Tally {
    /// Takes in a part of a run of that number, of which only that counts which no continuation could change, and
    /// `times - 1` others that came to the same.
    pub fn glimpse_as(&mut self, verdict: &Verdict, number: u64, times: u64) {
        self.runs += times;
        for judged in &verdict.findings {
            if let Subject::Expectation(place) = judged.subject {
                if self.expectations.len() <= place {
                    self.expectations.resize_with(place + 1, Count::default);
                }
                if judged.is_firm() {
                    self.expectations[place].add(number, times, &judged.finding);
                }
            }
        }
    }

    /// What the runs so far say where they stand for every execution, or, if `whole` is false, for those that were
    /// looked at.
    pub fn over_all(&self, plan: &Plan, whole: bool) -> Summary {
        let expectations: Vec<Count> = self.expectations.iter().map(Count::met).collect();
        let mut summary = self.summary_of(plan, &expectations);
        let counts = expectations.iter().map(Some).chain(std::iter::repeat(None));
        for (one, count) in summary.overall.iter_mut().zip(counts) {
            let Subject::Expectation(place) = one.subject else { continue };
            let Some(count) = count else { continue };
            count.settle(plan, place, one, whole);
            if one.failed > 0 && looks_for_one_race(plan, place) {
                one.frequency = Frequency::NotAlways;
            }
        }
        summary.status = worst(summary.overall.iter().map(|one| one.status));
        summary
    }
}

/// Whether one race is enough for the verdict of an expectation, and in how many executions there is one is not known.
fn looks_for_one_race(plan: &Plan, place: usize) -> bool {
    memories_of(plan, place).iter().any(|memory| matches!(memory, Memory::Races { each: false, .. }))
}

/// Whether what all executions say of an expectation could be otherwise in one in which a process comes to its step
/// later than in the first moment in which it has to wait there. The model has no such executions: in it `blocked(..)` of a
/// process that waits is true from that moment on, and in one that it has not it is false for longer.
fn depends_on_arrivals(plan: &Plan, place: usize) -> bool {
    let is = |fact: u32| matches!(plan.facts.get(fact as usize), Some(Fact::Blocked(..)));
    memories_of(plan, place).iter().any(|memory| {
        let Memory::Ever { condition, holds: looked_for } = memory else { return false };
        let follows = condition.follows(&is);
        match (looked_for, plan.expectations[place].holds) {
            (false, Holds::Always) => follows.rises,
            // A process that waits at last makes true what is only about its wait.
            (true, Holds::Always) => follows.rises && !follows.any_of,
            (_, Holds::Sometimes | Holds::Never) => follows.falls,
        }
    })
}

impl Count {
    /// Without the executions in which a pattern matches nothing, where there are others: over all executions only that
    /// is vacuous which none of them has.
    fn met(&self) -> Self {
        if self.held + self.failed == self.vacuous {
            return self.clone();
        }
        let (failed, skipped) = (self.failed - self.vacuous, self.skipped + self.vacuous);
        Self { failed, skipped, vacuous: 0, first_failed: self.first_met.clone(), ..self.clone() }
    }

    /// Decides what runs alone cannot.
    fn settle(&self, plan: &Plan, place: usize, one: &mut Overall, whole: bool) {
        let expectation = &plan.expectations[place];
        let cut = "not every execution was explored";
        let decided = match expectation.holds {
            // An unexplored execution may have a match of the pattern.
            Holds::Always if !whole => self.failed > self.vacuous,
            Holds::Always => self.failed > 0,
            Holds::Sometimes | Holds::Never => self.held > 0,
        };
        if !decided {
            let (status, reason) = match (whole, expectation.holds) {
                (false, _) => (Status::Unknown, Some(cut.to_owned())),
                (true, _) if self.unknown > 0 => (Status::Unknown, one.reason.clone()),
                (true, _) if depends_on_arrivals(plan, place) => {
                    let reason = "a process may arrive at its step later than in the first moment in which it has to wait, and \
                                  `blocked(..)` is false until then: such executions were not explored";
                    (Status::Unknown, Some(reason.to_owned()))
                }
                (true, Holds::Sometimes) => (Status::Fail, Some("no execution satisfies it".to_owned())),
                (true, Holds::Never) => (Status::Pass, Some("no execution satisfies it".to_owned())),
                // It speaks only of executions of which there are none.
                (true, Holds::Always) if self.held == 0 => (Status::Unknown, one.reason.clone()),
                (true, Holds::Always) => (Status::Pass, one.reason.clone()),
            };
            (one.status, one.reason) = (status, reason);
        } else if expectation.holds == Holds::Never {
            one.reason = Some("an execution satisfies it".to_owned());
        }
        if !one.unseen.is_empty() && one.status != Status::Fail {
            let number = describe::counted(one.unseen.len() as i64, "entry").replace("entrys", "entries");
            (one.status, one.reason) = if whole && self.unknown == 0 {
                (Status::Fail, Some(format!("no execution shows {number} of `in`")))
            } else {
                (Status::Unknown, Some(format!("{number} of `in` not shown, and {cut}")))
            };
        }
    }

    fn add(&mut self, run: u64, times: u64, finding: &Finding) {
        let (number, first) = match finding.status {
            Status::Pass => (&mut self.held, &mut self.first_held),
            Status::Fail => (&mut self.failed, &mut self.first_failed),
            Status::Unknown if finding.skipped => (&mut self.skipped, &mut self.first_unknown),
            Status::Unknown => (&mut self.unknown, &mut self.first_unknown),
        };
        *number += times;
        if finding.status == Status::Pass && self.reason.is_none() {
            self.reason.clone_from(&finding.reason);
        }
        if first.is_none() {
            *first = Some((run, finding.clone()));
        }
        if finding.status != Status::Fail {
        } else if finding.vacuous {
            self.vacuous += times;
        } else if self.first_met.is_none() {
            self.first_met = Some((run, finding.clone()));
        }
        if let Some(seen) = finding.seen {
            if self.seen.len() <= seen {
                self.seen.resize(seen + 1, false);
            }
            self.seen[seen] = true;
        }
    }

    fn overall(&self, place: usize, expectation: &Expectation, runs: u64) -> Overall {
        let (mut status, mut reason, example) = self.decide(expectation.holds, runs);
        let unseen = self.unseen(expectation);
        if status == Status::Pass && !unseen.is_empty() {
            status = Status::Unknown;
            let number = describe::counted(unseen.len() as i64, "entry").replace("entrys", "entries");
            reason = Some(format!("no run showed {number} of `in`, and runs cannot refute them"));
        }
        Overall {
            subject: Subject::Expectation(place),
            label: expectation.label.clone(),
            holds: expectation.holds,
            status,
            reason,
            frequency: match (self.held, self.failed) {
                (0, 0) => Frequency::Undecided,
                (_, 0) => Frequency::Always,
                (0, _) => Frequency::Never,
                _ => Frequency::Sometimes,
            },
            held: self.held,
            failed: self.failed,
            unknown: self.unknown + self.skipped,
            example: example.clone(),
            unseen,
            timing: false,
        }
    }

    fn decide(&self, holds: Holds, runs: u64) -> (Status, Option<String>, &Option<(u64, Finding)>) {
        let own = |example: &Option<(u64, Finding)>| example.as_ref().and_then(|(_, finding)| finding.reason.clone());
        let none = describe::counted(runs as i64, "run");
        match holds {
            Holds::Always if self.failed > 0 => (Status::Fail, own(&self.first_failed), &self.first_failed),
            Holds::Never if self.held > 0 => (
                Status::Fail,
                Some(format!("{} satisfied it", describe::counted(self.held as i64, "run"))),
                &self.first_held,
            ),
            Holds::Sometimes if self.held > 0 => (Status::Pass, None, &self.first_held),
            Holds::Sometimes => (
                Status::Unknown,
                Some(format!("none of {none} satisfied it, and runs cannot refute it")),
                if self.failed > 0 { &self.first_failed } else { &self.first_unknown },
            ),
            _ if self.unknown > 0 || self.held + self.failed == 0 => {
                (Status::Unknown, own(&self.first_unknown), &self.first_unknown)
            }
            Holds::Always => (Status::Pass, self.reason.clone(), &self.first_held),
            Holds::Never => {
                let reason = format!("none of {none} satisfied it; other executions may");
                (Status::Pass, Some(reason), &self.first_failed)
            }
        }
    }

    /// The entries of `in` that were never seen, where every one is asked for.
    fn unseen(&self, expectation: &Expectation) -> Vec<usize> {
        if !expectation.boolean("each_seen") {
            return Vec::new();
        }
        let entries = match expectation.argument("in") {
            Some(Argument::Value(Value::List(lists))) => lists.len(),
            Some(Argument::Blocked(lists)) => lists.len(),
            _ => 0,
        };
        (0..entries).filter(|entry| self.seen.get(*entry) != Some(&true)).collect()
    }
}

/// How a run ended, in one line: the last values of objects, the failed and the blocked processes.
pub fn final_state(plan: &Plan, trace: &Trace) -> String {
    let context = Context::new(plan, trace);
    let objects: Vec<ObjectId> = (0..plan.objects.len() as ObjectId)
        .filter(|object| {
            let kind = plan.kind(*object);
            kind.verb_that(Effect::Reads).is_some() && kind.verb_that(Effect::Writes).is_some()
        })
        .collect();
    // What the engine itself says needs no events.
    let unsaid = |object: &ObjectId| !matches!(trace.finals.get(*object as usize), Some(Some(_)));
    let followed: Vec<ObjectId> = objects.iter().copied().filter(unsaid).collect();
    let replay = Replay::of(&context, &followed).finish();
    let mut parts: Vec<String> = objects
        .iter()
        .filter_map(|object| {
            let value = replay.value(*object)?;
            let unsure = if replay.doubt(*object).is_some() { "?" } else { "" };
            Some(format!("{}={}{unsure}", plan.objects[*object as usize].name, describe::value(&value)))
        })
        .collect();
    for (process, end) in trace.ends.iter().enumerate() {
        let told = match end {
            ProcessEnd::Exited(code) => *code != 0,
            ProcessEnd::Crashed(_) | ProcessEnd::Killed(_) => true,
            ProcessEnd::NotStarted | ProcessEnd::Stopped => false,
        };
        if told && process < plan.processes.len() {
            parts.push(format!("{} {}", context.name(process as ProcessId), describe::process_end(*end)));
        }
    }
    match &trace.end {
        RunEnd::Completed if parts.is_empty() => parts.push("ended".to_owned()),
        RunEnd::Completed => {}
        RunEnd::Deadlock => parts.push(format!("deadlock: {}", deadlocks::who(&context))),
        RunEnd::Timeout(_) => parts.push("cut off by the timeout".to_owned()),
        RunEnd::Livelock(_) => parts.push("livelock".to_owned()),
        RunEnd::Interrupted => parts.push("interrupted".to_owned()),
        RunEnd::Limit(_) => parts.push("cut off by the trace's limit".to_owned()),
    }
    parts.join(", ")
}
