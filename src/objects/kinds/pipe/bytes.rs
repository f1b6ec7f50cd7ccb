//! Bytes without any framing: read(2) and write(2) as they are.

use std::cell::Cell;

use super::{Channel, Completion, Outcome, SEND_AT};
use crate::objects::support::turn::Refusal;
use crate::objects::{Call, Patience};
use crate::os::interrupts;
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
    ///
    /// Where several processes send, each write is a turn of its own, and none waits in the kernel: what one of them
    /// sends in several writes can come apart. Each of those but the last is an implicit event.
    pub(super) fn send_bytes(&self, call: &mut Call<'_>) -> Completion {
        let value = call.arguments[0].clone();
        let counted = call.arguments[1].as_bool() == Some(true);
        let Some(data) = data(&value) else { return Completion::of(Outcome::INVALID) };
        let port = &self.ports[usize::from(call.end)];
        let which = self.outgoing(call.end);
        let side = &self.flows[which].senders;
        let (alone, process) = (self.sole[usize::from(call.end)], call.party.process());
        let patience = call.patience.in_parts(call.party);
        let sum = Cell::new(0);
        let mut gone = 0;
        let done = loop {
            let rest = &data[gone..];
            let write = |wait| {
                let turn = side.brief(alone, process);
                // One that waits in the kernel can find that no reader is left when it has written a part.
                let written = if wait && (!alone || interrupts::minds_broken()) {
                    Err(libc::EAGAIN)
                } else {
                    port.write(rest, &[], wait)
                };
                sum.set(turn.count(*written.as_ref().unwrap_or(&0) as u64));
                written
            };
            match patience.attempt(call.party, None, write, |until| port.wait_writable(until)) {
                Ok(written) => gone += written,
                // One write(2) ends early where it cannot continue, with what it has written.
                Err(_) if counted && gone > 0 => break Ok(()),
                Err(errno) => break Err(errno),
            }
            // One write(2) that waits writes all, held to a schedule or not.
            if gone == data.len() || counted && call.patience != Patience::Forever {
                break Ok(());
            }
            if !alone && !call.party.is_held() {
                let part = Value::Bytes(data[data.len() - rest.len()..gone].into());
                let ticket = self.ticket(which, sum.get());
                call.party.implicit(self.id, SEND_AT, Completion::value(part).ticket(ticket));
            }
        };
        match done {
            Err(errno) if gone == 0 => {
                let refusal = Refusal { errno, count: sum.get() };
                let Completion { outcome, ticket, .. } = refusal.completion(|count| self.ticket(which, count));
                sent(&value, gone, counted, outcome, ticket)
            }
            done => {
                let outcome = done.map_or_else(Outcome::from_errno, |()| Outcome::OK);
                let ticket = if gone > 0 { self.ticket(which, sum.get()) } else { 0 };
                sent(&value, gone, counted, outcome, ticket)
            }
        }
    }

    /// Receives what is there, by one read.
    pub(super) fn receive_bytes(&self, call: &mut Call<'_>) -> Completion {
        let max = most(&call.arguments[1]);
        let port = &self.ports[usize::from(call.end)];
        // read(2) of 0 bytes returns 0, as it does at the end of file.
        if max == 0 && port.is_open() {
            return Completion::of(Outcome::OUT_OF_RANGE);
        }
        let which = self.incoming(call.end);
        let side = &self.flows[which].receivers;
        let (alone, process) = (self.sole[usize::from(call.end)], call.party.process());
        let mut buffer = call.party.buffer();
        buffer.clear();
        let sum = Cell::new(0);
        let read = |wait| {
            let turn = side.brief(alone, process);
            let read = if wait && !alone { Err(libc::EAGAIN) } else { port.read(&mut buffer, max, wait) };
            sum.set(turn.count(*read.as_ref().unwrap_or(&0) as u64));
            read
        };
        let completion = match call.patience.attempt(call.party, None, read, |until| port.wait_readable(until)) {
            Ok(0) => Completion::of(Outcome::CLOSED),
            Ok(_) => {
                let ticket = self.ticket(which, sum.get());
                Completion::value(Value::Bytes(buffer.as_slice().into())).ticket(ticket)
            }
            Err(errno) => Refusal { errno, count: sum.get() }.completion(|count| self.ticket(which, count)),
        };
        call.party.give_back(buffer);
        completion
    }
}
