//! A deadlock among some processes is told while the others go on.

use crate::support::Test;

#[test]
fn a_partial_deadlock_is_told_while_it_lasts() {
    let scenario = std::fs::read_to_string("tests/deadlocks/partial.toml").unwrap_or_else(|error| panic!("{error}"));
    let done = Test::scenario(&scenario).run().status(0);
    done.stderr_contains("deadlock: 2 processes blocked for ever, while others continue")
        .stderr_contains("p waits to lock n")
        .stdout_contains("still here");
}
