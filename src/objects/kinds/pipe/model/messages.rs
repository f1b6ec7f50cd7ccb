//! One way of a pipe that carries messages.
//!
//! A message goes in packet by packet. One that does not fit leaves its sender parked, with as much of it in the pipe
//! as there is room for; the pipe is full then, so that no other message begins. Whenever room is made, the next
//! packets go in at once: its sender has only to notice that all have. A receiver that finds such a message first
//! takes it whole, as on the kernel it does packet by packet while the sender is at it.
//!
//! What a sender left that gave up, or died, keeps its room until a receiver drops it.

use std::collections::VecDeque;

use super::room::Room;
use crate::objects::kinds::pipe::message::HEADER;
use crate::value::{Value, encode};

/// The messages under way.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) room: Room,
    messages: VecDeque<Message>,
    /// Messages that were taken before their senders noticed that they had gone in: the tags, and the tickets.
    taken: Vec<(u32, u64)>,
    /// Packets, or bytes, that senders and receivers have counted.
    sent: u64,
    received: u64,
}

#[derive(Clone)]
struct Message {
    event: u64,
    value: Value,
    length: u64,
    /// How many of its packets are in the pipe.
    gone: u64,
    /// The tag by which its sender, which is parked, finds it again.
    sender: Option<u32>,
    /// Whether its sender has ended the step: only then does it belong to the pipe's value.
    known: bool,
    ticket: u64,
}

/// How far a message went in.
pub(super) enum Begun {
    /// All of it: the count by then.
    Whole(u64),
    /// A part: the tag by which to find it again.
    Part(u32),
}

/// The result of a receive.
pub(super) enum Found {
    /// A message: the event that sent it, and the count by then.
    Message {
        event: u64,
        value: Value,
        sum: u64,
    },
    /// Nothing but a part that was left by its sender, and is dropped.
    Rest,
    Nothing,
}

impl Line {
    pub(super) fn new(room: Room) -> Self {
        Self { room, messages: VecDeque::new(), taken: Vec::new(), sent: 0, received: 0 }
    }

    /// How many packets a message of that length is.
    pub(super) fn packets(&self, length: u64) -> u64 {
        length.div_ceil(self.room.content())
    }

    /// What the first packets of a message take of the room.
    fn cost(&self, length: u64, gone: u64) -> u64 {
        let content = self.room.content();
        let full = self.room.packet(HEADER as u64 + content);
        match gone.checked_sub(1) {
            Some(before) if gone == self.packets(length) => {
                before * full + self.room.packet(HEADER as u64 + length - before * content)
            }
            _ => gone * full,
        }
    }

    /// What the first packets of a message count as: packets, or bytes of sockets.
    fn count(&self, length: u64, gone: u64) -> u64 {
        let bytes = length.min(gone * self.room.content()) + gone * HEADER as u64;
        if self.room.sockets { bytes } else { gone }
    }

    /// How much of the room is used.
    pub(super) fn used(&self) -> u64 {
        self.messages.iter().map(|message| self.cost(message.length, message.gone)).sum()
    }

    pub(super) fn is_full(&self) -> bool {
        self.used() >= self.room.limit
    }

    /// Changes the room to one that holds all that is there.
    pub(super) fn resize(&mut self, limit: u64) {
        self.room.limit = limit;
        self.flow();
    }

    /// Whether that many packets more are more than there is room for, as far as it was counted.
    pub(super) fn seems_full(&self, packets: u64) -> bool {
        self.sent.wrapping_add(packets).wrapping_sub(self.received) as i64 > self.room.limit as i64
    }

    /// What was received, as tickets count it.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Sends a message as far as there is room. The line is not full.
    pub(super) fn begin(&mut self, event: u64, value: Value, length: u64) -> Begun {
        let (messages, taken) = (&self.messages, &self.taken);
        let used = |tag: &u32| {
            taken.iter().any(|(other, _)| other == tag) || messages.iter().any(|message| message.sender == Some(*tag))
        };
        let tag = (0..=u32::MAX).find(|tag| !used(tag)).unwrap_or_default();
        self.messages.push_back(Message { event, value, length, gone: 0, sender: Some(tag), known: false, ticket: 0 });
        self.flow();
        match self.notice(tag) {
            Some(sum) => Begun::Whole(sum),
            None => Begun::Part(tag),
        }
    }

    /// Lets in what there is room for of the message that is not all in.
    fn flow(&mut self) {
        let Some(Message { length, gone, sender: Some(_), .. }) = self.messages.back() else { return };
        let (length, packets) = (*length, self.packets(*length));
        let mut gone = *gone;
        if gone == packets {
            return;
        }
        while gone < packets && !self.is_full() {
            gone += 1;
            if let Some(message) = self.messages.back_mut() {
                message.gone = gone;
            }
        }
        if gone == packets {
            self.sent += self.count(length, gone);
            if let Some(message) = self.messages.back_mut() {
                message.ticket = self.sent;
            }
        }
    }

    /// The sender of that tag looks whether its message is all in: the count by then. It has ended the step then.
    pub(super) fn notice(&mut self, tag: u32) -> Option<u64> {
        if let Some(at) = self.taken.iter().position(|(other, _)| *other == tag) {
            return Some(self.taken.remove(at).1);
        }
        let at = self.messages.iter().position(|message| message.sender == Some(tag))?;
        let whole = self.messages[at].gone == self.packets(self.messages[at].length);
        let message = &mut self.messages[at];
        whole.then(|| {
            (message.sender, message.known) = (None, true);
            message.ticket
        })
    }

    /// The sender of that tag gives up, or has died: then it counts nothing any more.
    pub(super) fn abandon(&mut self, tag: u32, dead: bool) {
        self.taken.retain(|(other, _)| *other != tag);
        let Some(at) = self.messages.iter().position(|message| message.sender == Some(tag)) else { return };
        self.messages[at].sender = None;
        let Message { length, gone, .. } = self.messages[at];
        if !dead && gone < self.packets(length) {
            self.sent += self.count(length, gone);
        }
    }

    /// Takes the first message.
    pub(super) fn receive(&mut self) -> Found {
        let mut found = Found::Nothing;
        while let Some(Message { event, value, length, gone, sender, mut ticket, .. }) = self.messages.pop_front() {
            let packets = self.packets(length);
            if sender.is_none() && gone < packets {
                self.received += self.count(length, gone);
                found = Found::Rest;
                continue;
            }
            let all = self.count(length, packets);
            if gone < packets {
                self.sent += all;
                ticket = self.sent;
            }
            self.received += all;
            if let Some(tag) = sender {
                self.taken.push((tag, ticket));
                self.taken.sort_unstable();
            }
            found = Found::Message { event, value, sum: self.received };
            break;
        }
        self.flow();
        found
    }

    /// The messages whose senders know that they are in.
    pub(super) fn values(&self) -> impl Iterator<Item = &Value> {
        self.messages.iter().filter(|message| message.known).map(|message| &message.value)
    }

    pub(super) fn key(&self, key: &mut Vec<u8>) {
        key.extend(self.room.limit.to_le_bytes());
        if !self.room.sockets {
            key.extend(self.sent.wrapping_sub(self.received).to_le_bytes());
        }
        key.extend((self.taken.len() as u32).to_le_bytes());
        key.extend(self.taken.iter().flat_map(|(tag, _)| tag.to_le_bytes()));
        key.extend((self.messages.len() as u32).to_le_bytes());
        for message in &self.messages {
            key.push(u8::from(message.known));
            if message.known {
                encode(&message.value, key);
                continue;
            }
            key.extend(message.sender.map_or(0, |tag| tag + 1).to_le_bytes());
            key.extend(message.gone.to_le_bytes());
            key.extend(message.length.to_le_bytes());
            // No process gets the rest of a message that its sender left.
            let rest = message.sender.is_none() && message.gone < self.packets(message.length);
            encode(if rest { &Value::Null } else { &message.value }, key);
        }
    }
}
