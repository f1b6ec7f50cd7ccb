//! Whole messages over packets.
//!
//! A message is one packet or several, each with a header of 16 bytes: the packed id of the event that sends it, the
//! length of the whole message, and where in it the packet begins. One packet is one system call on each side, and is
//! whole whatever becomes of its sender. Several packets are kept together by turns: where more than one process
//! sends, one message is sent at a time, and likewise for receiving.
//!
//! A sender can be killed or give up in the middle. What it sent is dropped by the receiver that meets the first
//! packet of another message while it puts one together. What a killed receiver left is dropped by the next one, which
//! meets a packet that is no beginning.

use std::sync::atomic::Ordering;

use super::direction::Flow;
use super::end::Port;
use super::{Channel, Completion, Outcome};
use crate::objects::support::turn::Turn;
use crate::objects::{Call, Caller, Parked, Patience};
use crate::os::{clock, pipe};
use crate::value::{Value, decode, encode};

/// The bytes before a packet's content.
pub(super) const HEADER: usize = 16;

/// How often a receiver in the middle of a message looks whether its sender has given up, in ns.
const LOOK: u64 = 10_000_000;

/// What stands before a packet's content.
#[derive(Clone, Copy)]
struct Header {
    event: u64,
    total: u32,
    offset: u32,
}

impl Header {
    fn write(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&self.event.to_ne_bytes());
        bytes[8..12].copy_from_slice(&self.total.to_ne_bytes());
        bytes[12..].copy_from_slice(&self.offset.to_ne_bytes());
        bytes
    }

    fn read(packet: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER] = packet.first_chunk()?;
        let (event, rest) = header.split_first_chunk::<8>()?;
        let (total, offset) = rest.split_first_chunk::<4>()?;
        Some(Self {
            event: u64::from_ne_bytes(*event),
            total: u32::from_ne_bytes(*total),
            offset: u32::from_ne_bytes(*offset.first_chunk()?),
        })
    }
}

/// What a receive gave: the message, the event that sent it, and how much has come out of the pipe by then.
struct Received {
    value: Value,
    event: u64,
    sum: u64,
}

impl Channel {
    /// Sends one message.
    pub(super) fn send_message(&self, call: &mut Call<'_>) -> Completion {
        let value = &call.arguments[0];
        let counted = call.arguments[1].as_bool() == Some(true);
        let mut buffer = call.party.buffer();
        buffer.clear();
        buffer.resize(HEADER, 0);
        encode(value, &mut buffer);
        let which = self.outgoing(call.end);
        let (alone, port) = (self.sole[usize::from(call.end)], &self.ports[usize::from(call.end)]);
        let side = &self.flows[which].senders;
        let turn = side.take(alone, call.patience, call.party, |until| port.wait_writable(until));
        let went =
            turn.and_then(|turn| self.send_packets(call, &turn, &mut buffer).map_err(|errno| turn.refuse(errno)));
        let length = message_length(value, buffer.len() - HEADER);
        call.party.give_back(buffer);
        let Completion { outcome, ticket, .. } = match went {
            Ok(sum) => Completion::of(Outcome::OK).ticket(self.ticket(which, sum)),
            Err(refusal) => refusal.completion(|count| self.ticket(which, count)),
        };
        sent(value, length, counted, outcome, ticket)
    }

    /// Sends what stands behind the room for a header. Gives how much has gone into the pipe by then.
    fn send_packets(&self, call: &mut Call<'_>, turn: &Turn<'_>, buffer: &mut [u8]) -> Result<u64, i32> {
        let port = &self.ports[usize::from(call.end)];
        let flow = &self.flows[self.outgoing(call.end)];
        let total = u32::try_from(buffer.len() - HEADER).map_err(|_| libc::EMSGSIZE)?;
        let event = call.party.event();
        let content = self.packet - HEADER;
        let packets = (buffer.len() - HEADER).div_ceil(content) as u64;
        let first = Header { event, total, offset: 0 }.write();
        if packets == 1 {
            buffer[..HEADER].copy_from_slice(&first);
            let write = |wait| port.write(buffer, &[], wait);
            call.patience.attempt(call.party, Some(turn), write, |until| port.wait_writable(until))?;
            return Ok(turn.count(if self.duplex { buffer.len() as u64 } else { 1 }));
        }
        // A message that cannot be sent whole at once is not begun: the part would take room for nothing.
        if call.patience == Patience::Never && !self.duplex && flow.seems_full(packets, port.capacity()? / pipe::page())
        {
            return Err(libc::EAGAIN);
        }
        flow.unfinished.store(event, Ordering::Release);
        let mut gone = 0;
        let mut done = Ok(());
        for (at, part) in buffer[HEADER..].chunks(content).enumerate() {
            let header = Header { event, total, offset: (at * content) as u32 }.write();
            let write = |wait| port.write(&header, part, wait);
            done = call.patience.go_on(call.party, Some(turn), write, |until| port.wait_writable(until)).map(drop);
            if done.is_err() {
                break;
            }
            gone += self.cost(HEADER + part.len());
        }
        let sum = turn.count(gone);
        flow.unfinished.store(0, Ordering::Release);
        done.map(|()| sum)
    }

    /// Receives one message.
    pub(super) fn receive_message(&self, call: &mut Call<'_>) -> Completion {
        if call.arguments[1] != Value::Null {
            return Completion::of(Outcome::INVALID);
        }
        let which = self.incoming(call.end);
        let (alone, port) = (self.sole[usize::from(call.end)], &self.ports[usize::from(call.end)]);
        let side = &self.flows[which].receivers;
        let turn = side.take(alone, call.patience, call.party, |until| port.wait_readable(until));
        let mut buffer = call.party.buffer();
        let received =
            turn.and_then(|turn| self.receive_packets(call, &turn, &mut buffer).map_err(|errno| turn.refuse(errno)));
        call.party.give_back(buffer);
        match received {
            Ok(Some(Received { value, event, sum })) => {
                Completion { ticket: self.ticket(which, sum), cause: event, ..Completion::value(value) }
            }
            Ok(None) => Completion::of(Outcome::CLOSED),
            Err(refusal) => refusal.completion(|count| self.ticket(which, count)),
        }
    }

    /// Puts one message together; none at the end of file.
    fn receive_packets(
        &self,
        call: &mut Call<'_>,
        turn: &Turn<'_>,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<Received>, i32> {
        let port = &self.ports[usize::from(call.end)];
        let flow = &self.flows[self.incoming(call.end)];
        buffer.clear();
        let mut gone = 0;
        // The event and the length of the message of which `buffer` holds a part.
        let mut begun: Option<(u64, u32)> = None;
        let end = loop {
            let held = buffer.len();
            let event = begun.map(|(event, _)| event);
            match self.next(port, flow, turn, buffer, call.patience, call.party, event) {
                Ok(0) => break Ok(None),
                Ok(length) => gone += self.cost(length),
                Err(errno) => break Err(errno),
            }
            let Some(header) = Header::read(&buffer[held..]) else {
                buffer.truncate(held);
                continue;
            };
            let whole = header.offset == 0 && buffer.len() - held - HEADER == header.total as usize;
            if whole && held == 0 {
                break decode(&buffer[HEADER..]).map(|value| Some((value, header.event))).map_err(|_| libc::EBADMSG);
            }
            if header.offset == 0 {
                // A process that sent the part that is here has given up.
                buffer.drain(..held + HEADER);
                begun = Some((header.event, header.total));
            } else if begun == Some((header.event, header.total)) && header.offset as usize == held {
                buffer.drain(held..held + HEADER);
            } else {
                buffer.clear();
                begun = None;
            }
            if begun.is_some_and(|(_, total)| buffer.len() == total as usize) {
                break decode(buffer).map(|value| Some((value, header.event))).map_err(|_| libc::EBADMSG);
            }
        };
        let sum = turn.count(gone);
        end.map(|message| message.map(|(value, event)| Received { value, event, sum }))
    }

    /// Reads the next packet behind what `buffer` holds. `begun` is the event of the message it holds a part of.
    #[allow(clippy::too_many_arguments)]
    fn next(
        &self,
        port: &Port,
        flow: &Flow,
        turn: &Turn<'_>,
        buffer: &mut Vec<u8>,
        patience: Patience,
        party: &mut dyn Caller,
        begun: Option<u64>,
    ) -> Result<usize, i32> {
        let (deadline, event) = match (patience, begun) {
            (Patience::Forever, _) | (_, None) => {
                let read = |wait| port.read(buffer, self.packet, wait);
                return patience.attempt(party, Some(turn), read, |until| port.wait_readable(until));
            }
            (Patience::Never, Some(event)) => (0, event),
            (Patience::Until(deadline), Some(event)) => (deadline, event),
        };
        // A message that has begun to come is taken whole, past the deadline too, as long as its sender is at it.
        loop {
            let going = flow.unfinished.load(Ordering::Acquire) == event;
            match port.read(buffer, self.packet, false) {
                Err(libc::EINTR) => {}
                Err(libc::EAGAIN) => {
                    let now = clock::now();
                    if !going && now >= deadline {
                        return Err(if patience == Patience::Never { libc::EAGAIN } else { libc::ETIMEDOUT });
                    }
                    party.block();
                    turn.waits(true);
                    // Where the rest does not come any more, another message is waited for as any other.
                    let goes_on = match if going { Parked::Sleep } else { party.park() } {
                        Parked::Sleep if going => port.wait_readable(Some(now + LOOK)).map(|_| true),
                        Parked::Sleep => port.wait_readable(Some(deadline)).map(|_| true),
                        Parked::Again | Parked::Wake => Ok(true),
                        Parked::GiveUp => Ok(false),
                    };
                    turn.waits(false);
                    if !goes_on? {
                        return Err(libc::ETIMEDOUT);
                    }
                }
                done => return done,
            }
        }
    }

    /// What a packet of that length takes of the room.
    fn cost(&self, length: usize) -> u64 {
        if self.duplex { length as u64 } else { 1 }
    }
}

/// How a send ends of a message of that length.
pub(super) fn sent(value: &Value, length: usize, counted: bool, outcome: Outcome, ticket: u64) -> Completion {
    let (value, second) =
        if counted { (Value::Int(length as i64), value.clone()) } else { (value.clone(), Value::Null) };
    Completion { outcome, value, second, ticket, cause: 0 }
}

/// [`Value::message_length`], where the length of the encoding is known.
pub(crate) fn message_length(value: &Value, encoded: usize) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => encoded,
    }
}
