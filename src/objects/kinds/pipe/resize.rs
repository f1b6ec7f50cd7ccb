//! The room of a pipe one way, as F_SETPIPE_SZ and F_GETPIPE_SZ of fcntl(2) have it.

use super::{Call, Channel, Completion, Outcome};
use crate::os::pipe::page;
use crate::value::Value;

/// The most that a step can ask for: fcntl(2) takes an int.
pub(super) const MOST: i64 = i32::MAX as i64;

/// What fs.pipe-max-size is by default. A process without privileges does not get more.
const UNPRIVILEGED: u64 = 1 << 20;
/// A table of slots for more than that is too large for some hosts.
const LARGE: u64 = 1 << 26;

/// The room that a pipe gets where that many bytes are asked for.
pub(super) fn rounded(bytes: u64) -> u64 {
    bytes.max(page()).next_power_of_two()
}

/// How a step that asks for `asked` bytes, rounded, can end where the pipe has room for `has`: which of these the host
/// decides. It may be `busy` besides.
pub(super) fn answers(asked: u64, has: u64) -> Vec<Outcome> {
    let refused = (asked > has && asked > UNPRIVILEGED).then_some(Outcome::REFUSED);
    let large = (asked > LARGE).then_some(Outcome::from_errno(libc::ENOMEM));
    [Outcome::OK].into_iter().chain(refused).chain(large).collect()
}

/// How many bytes a step asks for, rounded.
///
/// # Errors
/// The outcome where it asks for what no pipe can have.
pub(super) fn asked(arguments: &[Value]) -> Result<u64, Outcome> {
    let bytes = arguments[0].as_int().ok_or(Outcome::INVALID)?;
    if (0..=MOST).contains(&bytes) { Ok(rounded(bytes as u64)) } else { Err(Outcome::OUT_OF_RANGE) }
}

impl Channel {
    pub(super) fn resize(&self, call: &mut Call<'_>) -> Completion {
        let port = &self.ports[usize::from(call.end)];
        let answer = port.capacity().map_err(Outcome::from_errno).and_then(|has| {
            let asked = asked(call.arguments)?;
            let answers = answers(asked, has);
            let chosen = if answers.len() > 1 { call.party.choose(answers.len() as u32) } else { None };
            // A schedule says what the host answers.
            let answer = chosen.and_then(|chosen| answers.get(chosen as usize).copied());
            if let Some(answer) = answer.filter(|answer| !answer.is_ok()) {
                return Err(answer);
            }
            port.resize(asked).map_err(|errno| match errno {
                libc::EPERM => Outcome::REFUSED,
                errno => Outcome::from_errno(errno),
            })
        });
        answer.map_or_else(Completion::of, |room| Completion::value(Value::Int(room as i64)))
    }

    pub(super) fn size(&self, call: &Call<'_>) -> Completion {
        match self.ports[usize::from(call.end)].capacity() {
            Ok(room) => Completion::value(Value::Int(room as i64)),
            Err(errno) => Completion::of(Outcome::from_errno(errno)),
        }
    }
}
