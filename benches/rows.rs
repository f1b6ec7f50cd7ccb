//! What is measured: one row for each claim.

use crate::programs::Side;

/// How a run is timed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Timing {
    /// Per round, by the program itself: its start and its end are not in it.
    Within,
    /// From start to end, as one who waits for it sees it.
    Whole,
    /// What one round more costs: the difference of two whole runs, of that many rounds and of a quarter of them.
    More,
}

/// What is to be reached.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// At most that many times the other side.
    Times(f64),
    /// At most that many ns more than the other side, for each operation of a round.
    Over(f64),
    /// At least that many times faster than the other side.
    Faster(f64),
    /// At most that many ns.
    Below(f64),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// The name of its scenario.
    pub(crate) scenario: &'static str,
    /// The name of the program of the other side.
    pub(crate) program: &'static str,
    /// What a figure is of.
    pub(crate) unit: &'static str,
    /// The other side; none where the goal stands alone.
    pub(crate) against: Option<Side>,
    /// ipcrun's sides, with their goals.
    pub(crate) sides: &'static [(Side, Option<Goal>)],
    /// Rounds of a run; none where the scenario does not count.
    pub(crate) rounds: Option<u64>,
    /// Operations of a round.
    pub(crate) operations: f64,
    pub(crate) timing: Timing,
}

const TRIP: Row = Row {
    name: "",
    scenario: "",
    program: "",
    unit: "round trip",
    against: Some(Side::C),
    sides: &[(Side::Full, Some(Goal::Times(1.10)))],
    rounds: Some(20_000),
    operations: 1.0,
    timing: Timing::Within,
};

const OPERATION: Row = Row {
    name: "",
    scenario: "",
    program: "",
    unit: "operation",
    against: Some(Side::C),
    sides: &[(Side::Full, Some(Goal::Over(60.0))), (Side::Blocking, Some(Goal::Over(10.0)))],
    rounds: Some(100_000),
    operations: 1.0,
    timing: Timing::Within,
};

const TUTORIAL: Row = Row {
    name: "",
    scenario: "",
    program: "",
    unit: "whole run",
    against: Some(Side::Python),
    sides: &[(Side::Full, Some(Goal::Faster(8.0))), (Side::Blocking, None)],
    rounds: None,
    operations: 1.0,
    timing: Timing::Whole,
};

const fn trip(name: &'static str) -> Row {
    Row { name, scenario: name, program: name, ..TRIP }
}

const fn operation(name: &'static str, operations: f64) -> Row {
    Row { name, scenario: name, program: name, operations, ..OPERATION }
}

const fn tutorial(name: &'static str, rounds: u64) -> Row {
    Row { name, scenario: name, program: name, rounds: Some(rounds), ..TUTORIAL }
}

/// Every row, in the order of the table.
pub(crate) fn all() -> Vec<Row> {
    vec![
        trip("pipe"),
        trip("pipe-duplex"),
        trip("queue-posix"),
        trip("queue-sysv"),
        trip("queue-memory"),
        trip("semaphore-posix"),
        trip("semaphore-sysv"),
        trip("condition"),
        trip("barrier"),
        Row { program: "barrier", ..trip("barrier-posix") },
        trip("event"),
        operation("semaphore-within", 2.0),
        operation("mutex-within", 2.0),
        operation("value-add", 1.0),
        operation("value-update", 1.0),
        operation("value-load", 1.0),
        operation("value-store", 1.0),
        operation("array-store", 1.0),
        operation("pipe-within", 2.0),
        operation("queue-within", 2.0),
        tutorial("tutorial-pipe", 10_000),
        tutorial("tutorial-queue", 10_000),
        tutorial("tutorial-value", 200_000),
        tutorial("tutorial-array", 50_000),
        Row {
            against: Some(Side::C),
            sides: &[(Side::Full, Some(Goal::Times(1.10)))],
            name: "tutorial-semaphore-turn",
            program: "workers",
            unit: "ten turns",
            timing: Timing::More,
            ..tutorial("tutorial-semaphore", 2_000)
        },
        Row { sides: &[(Side::Full, None), (Side::Blocking, None)], ..tutorial("tutorial-semaphore", 2_000) },
        Row { sides: &[(Side::Full, None)], ..tutorial("printing", 100_000) },
        Row {
            unit: "process",
            sides: &[(Side::Full, Some(Goal::Faster(8.0)))],
            timing: Timing::More,
            ..tutorial("start-join", 200)
        },
        Row {
            unit: "process",
            against: Some(Side::C),
            sides: &[(Side::Full, Some(Goal::Times(1.5)))],
            timing: Timing::More,
            ..tutorial("crowd", 400)
        },
        Row {
            name: "empty",
            scenario: "empty",
            against: None,
            sides: &[(Side::Full, Some(Goal::Below(5e6)))],
            rounds: None,
            ..TUTORIAL
        },
    ]
}
