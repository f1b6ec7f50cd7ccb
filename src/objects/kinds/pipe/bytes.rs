//! Bytes without any framing: read(2) and write(2) as they are.

use super::{Channel, Completion, Outcome};
use crate::objects::Call;
use crate::value::Value;

/// How much one `recv` takes at most where it has no `max`.
const DEFAULT_MAX: i64 = 65_536;

/// What a send carries; none where it carries no bytes.
pub(super) fn data(value: &Value) -> Option<&[u8]> {
    match value {
        Value::String(text) => Some(text.as_bytes()),
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

/// How a send ends of which that many bytes went in: what the trace shows is those.
pub(super) fn sent(value: &Value, gone: usize, counted: bool, outcome: Outcome, ticket: u64) -> Completion {
    let data = data(value).unwrap_or_default();
    let written = if gone == data.len() { value.clone() } else { Value::Bytes(data[..gone].into()) };
    let (value, second) = if counted { (Value::Int(gone as i64), written) } else { (written, Value::Null) };
    Completion { outcome, value, second, ticket, cause: 0 }
}

/// How many bytes a receive takes at most.
pub(super) fn most(max: &Value) -> usize {
    max.as_int().unwrap_or(DEFAULT_MAX).max(0) as usize
}

impl Channel {
    /// Sends bytes: by one write where the count is taken, else by as many as it takes.
    pub(super) fn send_bytes(&self, call: &mut Call<'_>) -> Completion {
        let value = call.arguments[0].clone();
        let counted = call.arguments[1].as_bool() == Some(true);
        let Some(data) = data(&value) else { return Completion::of(Outcome::INVALID) };
        let port = &self.ports[usize::from(call.end)];
        let which = self.outgoing(call.end);
        let flow = &self.flows[which];
        let alone = self.sole[usize::from(call.end)];
        let mut gone = 0;
        let mut parts = false;
        let done = loop {
            let rest = &data[gone..];
            let full = flow.seems_full(rest.len() as u64, self.room);
            let write = |wait| port.write(rest, &[], wait);
            let patience = call.patience.in_parts(call.party, full);
            parts |= patience != call.patience;
            match patience.attempt(call.party, full, write, |until| port.wait_writable(until)) {
                Ok(written) => {
                    gone += written;
                    flow.count_sent(written as u64, alone);
                }
                // One write(2) that waits ends early where it cannot continue, with what it has written.
                Err(_) if counted && parts && gone > 0 => break Ok(()),
                Err(errno) => break Err(errno),
            }
            // One write(2) that waits writes all, held to a schedule or not.
            if counted && !parts || gone == data.len() {
                break Ok(());
            }
        };
        // Others count too, unless a schedule says whose turn it is.
        let exact = alone || call.party.is_held();
        let ticket = if exact && gone > 0 { self.ticket(which, flow.count_sent(0, true)) } else { 0 };
        let outcome = done.map_or_else(Outcome::from_errno, |()| Outcome::OK);
        sent(&value, gone, counted, outcome, ticket)
    }

    /// Receives what is there, by one read.
    pub(super) fn receive_bytes(&self, call: &mut Call<'_>) -> Completion {
        let max = most(&call.arguments[1]);
        let port = &self.ports[usize::from(call.end)];
        let which = self.incoming(call.end);
        let flow = &self.flows[which];
        let alone = self.sole[usize::from(call.end)];
        let mut buffer = call.party.buffer();
        buffer.clear();
        let read = |wait| port.read(&mut buffer, max, wait);
        let empty = flow.seems_empty(0);
        let completion = match call.patience.attempt(call.party, empty, read, |until| port.wait_readable(until)) {
            Ok(0) => Completion::of(Outcome::CLOSED),
            Ok(length) => {
                let sum = flow.count_received(length as u64, alone);
                let ticket = if alone || call.party.is_held() { self.ticket(which, sum) } else { 0 };
                Completion::value(Value::Bytes(buffer.as_slice().into())).ticket(ticket)
            }
            Err(errno) => Completion::of(Outcome::from_errno(errno)),
        };
        call.party.give_back(buffer);
        completion
    }
}
