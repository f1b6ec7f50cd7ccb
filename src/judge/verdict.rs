//! What judging found: of one expectation, of one run.

use crate::scenario::expectation::Holds;

/// Whether an expectation holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Status {
    Pass,
    Fail,
    /// It could not be decided.
    #[default]
    Unknown,
}

/// What judging an expectation over one run found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Whether it holds in this run, whatever `holds` says of other executions.
    pub status: Status,
    /// What was measured; never empty.
    pub measured: String,
    pub expected: String,
    /// The events that decide it, by their places in the trace.
    pub witnesses: Vec<usize>,
    /// Why it is unknown or vacuous, or what it counts where that is not what its words say.
    pub reason: Option<String>,
    /// Further facts, one line each: the wait-for graph, held objects.
    pub notes: Vec<String>,
    /// Which entry of `in` it was.
    pub seen: Option<usize>,
    /// Whether no continuation of the run could change it.
    pub(crate) firm: bool,
    /// Whether it does not speak of runs that end as this one did.
    pub(crate) skipped: bool,
    /// Whether it fails only since a pattern matches nothing.
    pub(crate) vacuous: bool,
}

impl Finding {
    fn new(status: Status, expected: impl Into<String>, measured: impl Into<String>) -> Self {
        Self {
            status,
            measured: measured.into(),
            expected: expected.into(),
            witnesses: Vec::new(),
            reason: None,
            notes: Vec::new(),
            seen: None,
            firm: false,
            skipped: false,
            vacuous: false,
        }
    }

    /// Fails since a pattern matches nothing.
    pub(crate) fn vacuous(expected: impl Into<String>, measured: impl Into<String>, pattern: &str) -> Self {
        let reason = format!("vacuous: {pattern} matches nothing, and `allow_empty` is not set");
        Self { vacuous: true, ..Self::fail(expected, measured).because(reason) }
    }

    pub(crate) fn pass(expected: impl Into<String>, measured: impl Into<String>) -> Self {
        Self::new(Status::Pass, expected, measured)
    }

    pub(crate) fn fail(expected: impl Into<String>, measured: impl Into<String>) -> Self {
        Self::new(Status::Fail, expected, measured)
    }

    pub(crate) fn decide(holds: bool, expected: impl Into<String>, measured: impl Into<String>) -> Self {
        Self::new(if holds { Status::Pass } else { Status::Fail }, expected, measured)
    }

    pub(crate) fn unknown(expected: impl Into<String>, measured: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::new(Status::Unknown, expected, measured) }
    }

    /// For the forms that speak only of runs that end by themselves.
    pub(crate) fn skipped(expected: impl Into<String>, end: &str) -> Self {
        let reason = "it is about runs that end by themselves only";
        Self { skipped: true, ..Self::unknown(expected, format!("nothing: {end}"), reason) }
    }

    #[must_use]
    pub(crate) fn witnesses(mut self, places: impl IntoIterator<Item = usize>) -> Self {
        self.witnesses.extend(places);
        self.witnesses.sort_unstable();
        self.witnesses.dedup();
        self
    }

    #[must_use]
    pub(crate) fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    #[must_use]
    pub(crate) fn notes(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
    }

    #[must_use]
    pub(crate) fn seen(mut self, entry: Option<usize>) -> Self {
        self.seen = entry;
        self
    }

    /// Says that no continuation of the run could change it, where that is so.
    #[must_use]
    pub(crate) fn firm(mut self, firm: bool) -> Self {
        self.firm = firm;
        self
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Subject {
    /// An expectation, by its place in [`Plan::expectations`](crate::scenario::plan::Plan::expectations).
    Expectation(usize),
    /// What no run may do unless an expectation says so.
    Rule(Rule),
}

/// What no run may do unless an expectation says so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rule {
    /// End in a deadlock.
    Deadlock,
    /// Last longer than the scenario's `timeout`.
    Timeout,
    /// Repeat the same states for ever.
    Livelock,
    /// Have a process that fails, crashes or never ends.
    Exit,
    /// Have a trace with gaps or contradictions.
    Trace,
    Interrupt,
    /// Record more than its trace may hold.
    Limit,
}

impl Rule {
    /// A word for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deadlock => "deadlock",
            Self::Timeout => "timeout",
            Self::Livelock => "livelock",
            Self::Exit => "exit",
            Self::Trace => "trace",
            Self::Interrupt => "interrupt",
            Self::Limit => "limit",
        }
    }
}

/// A finding, and what it says of the executions that the expectation speaks of.
#[derive(Clone, Debug)]
pub struct Judged {
    pub subject: Subject,
    /// The expectation's label, or the rule in words.
    pub label: String,
    /// Over which executions it speaks.
    pub holds: Holds,
    /// The status with `holds` taken into account, as far as this one run can tell.
    pub status: Status,
    /// Why, where the status is unknown, vacuous or not the finding's own.
    pub reason: Option<String>,
    /// What was found in this run.
    pub finding: Finding,
}

impl Judged {
    /// Whether it is decided and no continuation of the run could change it.
    pub fn is_firm(&self) -> bool {
        self.finding.firm && self.finding.status != Status::Unknown
    }
}

/// What judging a run found.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Fails where anything fails; else unknown where anything is unknown.
    pub status: Status,
    /// Every expectation in the order of the file, then every rule that was broken.
    pub findings: Vec<Judged>,
}

impl Verdict {
    /// What tells it from others where verdicts of several executions are added up.
    pub fn kind(&self) -> String {
        let mut kind = String::new();
        for one in &self.findings {
            let Finding { status, seen, skipped, firm, vacuous, .. } = one.finding;
            kind.push_str(&format!("{} {:?} {status:?} {seen:?} {skipped} {firm} {vacuous}\n", one.label, one.status));
        }
        kind
    }

    pub(crate) fn new(findings: Vec<Judged>) -> Self {
        Self { status: worst(findings.iter().map(|judged| judged.status)), findings }
    }
}

/// A failure before an unknown before a pass.
pub(crate) fn worst(statuses: impl IntoIterator<Item = Status>) -> Status {
    statuses.into_iter().fold(Status::Pass, |worst, status| match (worst, status) {
        (Status::Fail, _) | (_, Status::Fail) => Status::Fail,
        (Status::Unknown, _) | (_, Status::Unknown) => Status::Unknown,
        _ => Status::Pass,
    })
}
