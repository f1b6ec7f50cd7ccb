//! A trace as a file: one JSON object a line, in a form that stays as it is within a version.
//!
//! The first line holds the scenario itself, so that a trace can be judged again without any other file; then come
//! the events in the trace's order, the processes that were stuck, the end of each process, and a last line that
//! tells a whole file from one that was cut. `docs/trace-format.md` describes every field. This room parses no
//! scenario: the reader of a file makes the plan of [`Saved::text`] and gives it to [`Saved::into_trace`].

#[cfg(test)]
pub(crate) mod fixture;
mod lines;
mod meta;
mod read;
mod saved;
#[cfg(test)]
mod tests;
mod value;
mod write;

pub use meta::{Machine, Meta, since_epoch};
pub use read::{Opened, open};
pub use saved::{Saved, SavedStep};
pub use write::{Ordering, TraceFile, end_word, event_json, exit_json, value_json, waiting_json, write};

/// What the first line's `format` says.
pub const FORMAT: &str = "ipcrun-trace";

/// The version of the format that is written, and the newest that is read.
pub const VERSION: u32 = 1;

/// The 64-bit FNV-1a hash of a scenario's text, as the first line gives it: `fnv1a64:` and 16 digits.
pub fn hash(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("fnv1a64:{hash:016x}")
}
