//! What every verb does on the kernel: values, outcomes, and what may be said of them in a scenario.

mod cells;
mod channels;
mod ends;
mod flow;
mod locks;
mod memory;
mod processes;
mod signals;

use crate::support::{Done, Test};

/// Runs a scenario in which everything holds.
#[track_caller]
fn holds(text: &str) -> Done {
    Test::scenario(text).run().status(0).nothing_left()
}

/// Runs a scenario of one process, `p`, in which everything holds.
#[track_caller]
fn alone(objects: &str, steps: &str) -> Done {
    holds(&format!("[objects]\n{objects}\n[processes.p]\nsteps = [\n{steps}\n]\n"))
}

/// Checks a scenario in which something is wrong, and says what.
#[track_caller]
fn refused(objects: &str, steps: &str, says: &str) {
    let text = format!("[objects]\n{objects}\n[processes.p]\nsteps = [\n{steps}\n]\n");
    Test::new().file("a.toml", text).args(["check", "a.toml"]).run().status(2).stdout("").stderr_contains(says);
}
