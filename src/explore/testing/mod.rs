//! Checks of the explorer: random programs, brute force, one thread against several.

#[cfg(test)]
pub(crate) mod brute_force;
#[cfg(test)]
pub(crate) mod causality;
#[cfg(test)]
#[path = "../../../tests/corpus.rs"]
mod corpus;
#[cfg(test)]
mod metamorphic;
#[cfg(test)]
pub(crate) mod random_programs;
#[cfg(test)]
pub(crate) mod step_soundness;
#[cfg(test)]
pub(crate) mod thread_count;
#[cfg(test)]
pub(crate) mod weakened;

#[cfg(test)]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// How many scenarios are drawn; more by the environment.
#[cfg(test)]
fn count(usual: u64) -> u64 {
    number("IPCRUN_DRAWN").unwrap_or(usual)
}

/// The first of them.
#[cfg(test)]
fn first() -> u64 {
    number("IPCRUN_DRAWN_SEED").unwrap_or(0)
}
