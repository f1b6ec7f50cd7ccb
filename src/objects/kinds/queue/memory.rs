//! A queue in shared memory: a ring of words under the engine's own guard.
//!
//! A record is a word with two lengths, a word for the event that put it, then the value's encoding. A put is
//! committed by the store of one word, the tail, and a get by that of another, the head; so a process can be killed
//! at any instruction and leaves the queue as it was before or after. Head and tail are each a place and a number:
//! places count words from the beginning, 40 bits of them, and numbers count messages, 24 bits, so that one load says
//! how many there are.

use std::sync::atomic::{AtomicU64, Ordering};

use zerocopy::FromZeros;

use super::waiters::Bell;
use super::{Give, Refusal, Taken, Transport};
use crate::event::ProcessId;
use crate::objects::{Caller, CreateContext, HostError, Patience};
use crate::os::arena::Shared;
use crate::os::guard::Guard;
use crate::os::{interrupts, pages};

/// The words before a record's content.
const HEADER: u64 = 2;
/// In place of the lengths: the ring continues at its beginning.
const SKIP: u64 = u64::MAX;
/// The words of the ring where nothing says how many are needed: 256 MiB. Untouched ones cost nothing.
const WORDS: u64 = 1 << 25;
/// The fewest and the most words of a ring.
const FEWEST: u64 = 1 << 12;
const MOST: u64 = 1 << 30;
/// An empty queue that is as far into the ring goes back to its beginning, which is in the caches.
const NEAR: u64 = 1 << 13;
/// How many words are used before an empty queue gives memory back.
const SPRAWL: u64 = 1 << 17;

/// The bits of a message's number, and of a place.
const NUMBER_BITS: u32 = 24;
const NUMBER_MASK: u64 = (1 << NUMBER_BITS) - 1;
const PLACE_MASK: u64 = (1 << 40) - 1;
/// The most messages that can be counted.
pub(super) const MOST_MESSAGES: u64 = NUMBER_MASK;

/// The kernel's side: none, but memory and futexes.
pub(super) struct Memory {
    control: Shared<Control>,
    words: Shared<[AtomicU64]>,
    capacity: u64,
}

#[derive(Debug, FromZeros)]
#[repr(C)]
struct Control {
    guard: Guard,
    message: Bell,
    room: Bell,
    /// Counts what was done to the queue.
    ticket: AtomicU64,
    head: AtomicU64,
    tail: AtomicU64,
    /// The place of the tail when the queue last went back to the ring's beginning.
    floor: AtomicU64,
}

/// A head or a tail.
#[derive(Clone, Copy)]
struct Mark {
    place: u64,
    number: u64,
}

impl Mark {
    fn load(word: &AtomicU64) -> Self {
        let word = word.load(Ordering::Acquire);
        Self { place: word >> NUMBER_BITS, number: word & NUMBER_MASK }
    }

    fn store(self, word: &AtomicU64) {
        word.store((self.place & PLACE_MASK) << NUMBER_BITS | self.number & NUMBER_MASK, Ordering::Release);
    }

    /// How many words lie from `earlier` to here.
    fn words_since(self, earlier: u64) -> u64 {
        self.place.wrapping_sub(earlier) & PLACE_MASK
    }

    fn messages_since(self, earlier: Self) -> u64 {
        self.number.wrapping_sub(earlier.number) & NUMBER_MASK
    }

    /// So many words further, and one message.
    fn after(self, words: u64) -> Self {
        Self { place: (self.place + words) & PLACE_MASK, number: (self.number + 1) & NUMBER_MASK }
    }
}

/// The words of a ring for that many messages of that many bytes.
pub(super) fn ring(capacity: Option<u64>, message_size: Option<u64>) -> u64 {
    let needed = match (capacity, message_size) {
        // One record more, for what is left at the end of the ring.
        (Some(capacity), Some(most)) => record(most + 16).saturating_mul(capacity + 1),
        _ => WORDS,
    };
    needed.clamp(FEWEST, MOST).next_power_of_two()
}

/// The words of a record whose content is of that many bytes.
pub(super) fn record(length: u64) -> u64 {
    HEADER + length.div_ceil(8)
}

impl Memory {
    pub(super) fn create(
        site: &mut CreateContext<'_>,
        capacity: Option<u64>,
        message_size: Option<u64>,
    ) -> Result<Self, HostError> {
        let mut length = ring(capacity, message_size);
        let words = loop {
            match site.arena.slice::<AtomicU64>(length as usize) {
                Ok(words) => break words,
                // Without overcommitment the host may not promise what is never used.
                Err(_) if (capacity.is_none() || message_size.is_none()) && length > FEWEST => length /= 2,
                Err(error) => {
                    let message =
                        format!("the queue `{}` needs {} bytes of shared memory: {error}", site.name, length * 8);
                    return Err(HostError { message, help: None }
                        .help("lower its `capacity` or `message_size`, or set vm.overcommit_memory to 0 or 1"));
                }
            }
        };
        let control = site.arena.alloc().map_err(|error| HostError::call("mmap", &error))?;
        Ok(Self { control, words, capacity: capacity.unwrap_or(MOST_MESSAGES) })
    }

    fn length(&self) -> u64 {
        self.words.len() as u64
    }

    /// Where in the ring a place is.
    fn offset(&self, place: u64) -> u64 {
        place & (self.length() - 1)
    }

    fn word(&self, place: u64) -> &AtomicU64 {
        &self.words[self.offset(place) as usize]
    }

    /// The next ticket. Called under the guard.
    fn ticket(&self) -> u64 {
        let ticket = self.control.ticket.load(Ordering::Relaxed) + 1;
        self.control.ticket.store(ticket, Ordering::Relaxed);
        ticket
    }

    /// Puts a record at the tail. Called under the guard.
    fn append(&self, event: u64, length: u64, content: &[u8]) -> Result<(), i32> {
        let needed = record(content.len() as u64);
        if needed > self.length() || content.len() as u64 >= u64::from(u32::MAX) || length >= u64::from(u32::MAX) {
            return Err(libc::EMSGSIZE);
        }
        let (mut head, mut tail) = (Mark::load(&self.control.head), Mark::load(&self.control.tail));
        match tail.messages_since(head) {
            0 => {
                tail = self.rewind(tail, needed);
                head = tail;
            }
            queued if queued >= self.capacity => return Err(libc::EAGAIN),
            _ => {}
        }
        let rest = self.length() - self.offset(tail.place);
        let skipped = if rest < needed { rest } else { 0 };
        if tail.words_since(head.place) + skipped + needed > self.length() {
            return Err(libc::ENOSPC);
        }
        if skipped > 0 {
            self.word(tail.place).store(SKIP, Ordering::Relaxed);
        }
        let place = tail.place + skipped;
        self.word(place).store(length << 32 | content.len() as u64, Ordering::Relaxed);
        self.word(place + 1).store(event, Ordering::Relaxed);
        for (at, part) in content.chunks(8).enumerate() {
            let mut bytes = [0; 8];
            bytes[..part.len()].copy_from_slice(part);
            self.word(place + HEADER + at as u64).store(u64::from_ne_bytes(bytes), Ordering::Relaxed);
        }
        tail.after(skipped + needed).store(&self.control.tail);
        Ok(())
    }

    /// Where an empty queue continues: at the ring's beginning where it has come far or the record would not fit. A
    /// queue is empty when the numbers are equal, whatever the places, so that each store leaves it empty.
    fn rewind(&self, mut tail: Mark, needed: u64) -> Mark {
        let into = self.offset(tail.place);
        if into > NEAR || into + needed > self.length() {
            if tail.words_since(self.control.floor.load(Ordering::Relaxed)) > SPRAWL {
                pages::release(&self.words[NEAR as usize / 2..]);
            }
            tail.place += self.length() - into;
            self.control.floor.store(tail.place & PLACE_MASK, Ordering::Relaxed);
            tail.store(&self.control.tail);
        }
        tail.store(&self.control.head);
        tail
    }

    /// The record at a place: its own place, the message's length, the event and the encoding's length.
    fn record(&self, mut place: u64) -> (u64, u64, u64, usize) {
        let mut lengths = self.word(place).load(Ordering::Relaxed);
        if lengths == SKIP {
            place += self.length() - self.offset(place);
            lengths = self.word(place).load(Ordering::Relaxed);
        }
        let event = self.word(place + 1).load(Ordering::Relaxed);
        (place, lengths >> 32, event, lengths as u32 as usize)
    }

    fn copy(&self, place: u64, length: usize, buffer: &mut Vec<u8>) {
        buffer.reserve(length + 8);
        let end = buffer.len() + length;
        for at in 0..(length as u64).div_ceil(8) {
            let word = self.word(place + HEADER + at).load(Ordering::Relaxed);
            buffer.extend_from_slice(&word.to_ne_bytes());
        }
        buffer.truncate(end);
    }

    /// Takes the record at the head. Called under the guard.
    fn remove(&self, buffer: &mut Vec<u8>, max: Option<u64>) -> Result<u64, i32> {
        let (head, tail) = (Mark::load(&self.control.head), Mark::load(&self.control.tail));
        if tail.messages_since(head) == 0 {
            return Err(libc::EAGAIN);
        }
        let (place, message, event, length) = self.record(head.place);
        if max.is_some_and(|max| message > max) {
            return Err(libc::EMSGSIZE);
        }
        self.copy(place, length, buffer);
        let words = place - head.place + HEADER + (length as u64).div_ceil(8);
        head.after(words).store(&self.control.head);
        Ok(event)
    }

    /// Tries under the guard, with a ticket, until it can be done or patience ends.
    fn until_done<T>(
        &self,
        bell: &Bell,
        patience: Patience,
        party: &mut dyn Caller,
        mut attempt: impl FnMut() -> Result<T, i32>,
    ) -> Result<(T, u64), Refusal> {
        let mut patient = patience != Patience::Never;
        let deadline = match patience {
            Patience::Until(deadline) => Some(deadline),
            _ => None,
        };
        loop {
            let heard = bell.listen();
            let guard = self.control.guard.lock(party.process());
            let done = attempt();
            let over = !(matches!(done, Err(libc::EAGAIN)) && patient);
            let ticket = if over { self.ticket() } else { 0 };
            drop(guard);
            match done {
                Ok(result) => return Ok((result, ticket)),
                Err(libc::EAGAIN) if patient => {}
                Err(libc::EAGAIN) => {
                    let errno = if deadline.is_some() { libc::ETIMEDOUT } else { libc::EAGAIN };
                    return Err(Refusal { errno, ticket });
                }
                Err(errno) => {
                    // A ring that woke this step is passed on to one that can use it.
                    bell.ring(1);
                    return Err(Refusal { errno, ticket });
                }
            }
            if interrupts::is_noted() {
                bell.ring(1);
                return Err(Refusal { errno: libc::EINTR, ticket });
            }
            party.block();
            patient = bell.sleep(heard, deadline);
        }
    }
}

impl Transport for Memory {
    fn put(&self, give: &mut Give<'_>, patience: Patience, party: &mut dyn Caller) -> Result<u64, Refusal> {
        let (event, length) = (give.event, give.message_length as u64);
        let content = give.framed(&[]);
        let put = self.until_done(&self.control.room, patience, party, || self.append(event, length, content));
        let ((), ticket) = put?;
        self.control.message.ring(1);
        Ok(ticket)
    }

    fn get(
        &self,
        buffer: &mut Vec<u8>,
        max: Option<u64>,
        patience: Patience,
        party: &mut dyn Caller,
    ) -> Result<Taken, Refusal> {
        let message = &self.control.message;
        let (event, ticket) = self.until_done(message, patience, party, || self.remove(buffer, max))?;
        self.control.room.ring(1);
        Ok(Taken { event, priority: 0, ticket, content: 0..buffer.len() })
    }

    fn size(&self, party: &mut dyn Caller) -> Result<(u64, u64), i32> {
        let _guard = self.control.guard.lock(party.process());
        let queued = Mark::load(&self.control.tail).messages_since(Mark::load(&self.control.head));
        Ok((queued, self.ticket()))
    }

    fn reclaim(&self, process: ProcessId) {
        if self.control.guard.held_by(process) {
            self.control.guard.force_release();
        }
        // It may have been killed before it rang, or after it was woken.
        self.control.message.ring(u32::MAX);
        self.control.room.ring(u32::MAX);
    }

    fn drain(&self, each: &mut dyn FnMut(&[u8])) {
        let (head, tail) = (Mark::load(&self.control.head), Mark::load(&self.control.tail));
        let mut at = head.place;
        for _ in 0..tail.messages_since(head) {
            let (place, _, _, length) = self.record(at);
            let mut buffer = Vec::new();
            self.copy(place, length, &mut buffer);
            each(&buffer);
            at = place + HEADER + (length as u64).div_ceil(8);
        }
    }
}
