//! The ring buffer: shared memory into which one process records, and from which the supervisor reads during the run
//! of the process and after its end, however it ended.
//!
//! One producer, one consumer, two rings: records, and the bytes of values that are no scalars. A record counts once
//! `head` says so; a process killed between the two leaves nothing half. A full ring makes the process wait, never
//! drops. The process also publishes here what it waits for, and counts what is not recorded one by one.

use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use zerocopy::FromZeros;

use super::record::{self, Record, Verbs};
use crate::event::{Event, ProcessId};
use crate::os::arena::{Arena, Shared};
use crate::os::{clock, futex};

/// The words that both sides share, each group on cache lines of its own.
#[derive(FromZeros)]
#[repr(C, align(64))]
struct Header {
    head: AtomicU64,
    payload_head: AtomicU64,
    _producer: [u64; 6],
    tail: AtomicU64,
    payload_tail: AtomicU64,
    _consumer: [u64; 6],
    /// 1 while the producer waits for room: a futex.
    full: AtomicU32,
    _pad: u32,
    /// ns that the producer has waited for room.
    stalled: AtomicU64,
    _full: [u64; 6],
    /// Counts the waits: odd while in one.
    waits: AtomicU64,
    /// The step (low half) and the target (high half) of the wait.
    place: AtomicU64,
    /// Verb, end, whether the target is a process and whether there is a deadline, a byte each.
    kind: AtomicU64,
    /// Since when, ns of CLOCK_MONOTONIC.
    since: AtomicU64,
    _wait: [u64; 4],
}

/// How many records ahead of the one that is written the processor is asked for their memory.
const AHEAD: u64 = 6;

/// A lane, as both sides have it.
#[derive(Clone)]
pub struct RingBuffer {
    header: Shared<Header>,
    records: Shared<[AtomicU64]>,
    payload: Shared<[AtomicU64]>,
    counts: Shared<[AtomicU64]>,
}

/// What a process waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wait {
    /// Which of its waits it is; no two are the same.
    pub number: u64,
    pub step: u32,
    /// The object or process, or [`record::NONE`].
    pub target: u32,
    pub verb: u8,
    pub end: u8,
    /// Whether the target is a process.
    pub process: bool,
    /// Whether it ends by itself: a timeout, a sleep.
    pub deadline: bool,
    /// Since when, ns of CLOCK_MONOTONIC.
    pub since: u64,
}

impl RingBuffer {
    /// A ring buffer for that number of records (a power of two), payload words (a power of two) and counted steps.
    ///
    /// # Errors
    /// Where the host has no memory left.
    pub fn new(arena: &Arena, records: usize, payload_words: usize, steps: usize) -> io::Result<Self> {
        Ok(Self {
            header: arena.alloc()?,
            records: arena.slice(records.next_power_of_two() * 8)?,
            payload: arena.slice(payload_words.next_power_of_two())?,
            counts: arena.slice(steps.max(1))?,
        })
    }

    /// About how much shared memory such a lane takes, in bytes.
    pub fn size(records: usize, payload_words: usize, steps: usize) -> usize {
        const LINE: usize = 64;
        let words = records.next_power_of_two() * 8 + payload_words.next_power_of_two() + steps.max(1);
        size_of::<Header>() + words * 8 + 3 * LINE
    }

    /// What the process waits for, if it does.
    pub fn waiting(&self) -> Option<Wait> {
        let header = &*self.header;
        let number = header.waits.load(Ordering::Acquire);
        if number & 1 == 0 {
            return None;
        }
        let place = header.place.load(Ordering::Relaxed);
        let kind = header.kind.load(Ordering::Relaxed);
        let since = header.since.load(Ordering::Relaxed);
        std::sync::atomic::fence(Ordering::Acquire);
        (header.waits.load(Ordering::Relaxed) == number).then_some(Wait {
            number,
            step: place as u32,
            target: (place >> 32) as u32,
            verb: kind as u8,
            end: (kind >> 8) as u8,
            process: kind >> 16 & 1 != 0,
            deadline: kind >> 24 & 1 != 0,
            since,
        })
    }

    /// How often each step was carried out without being recorded, by its place within the program.
    pub fn counts(&self) -> impl Iterator<Item = u64> + '_ {
        self.counts.iter().map(|count| count.load(Ordering::Relaxed))
    }

    /// ns that the process has waited for room.
    pub fn stalled(&self) -> u64 {
        self.header.stalled.load(Ordering::Relaxed)
    }
}

pub struct Producer {
    lane: RingBuffer,
    head: u64,
    payload_head: u64,
    tail: u64,
    payload_tail: u64,
    mask: u64,
    payload_mask: u64,
    stalled: bool,
}

impl Producer {
    /// The producer of a lane on which nothing was recorded yet.
    pub fn new(lane: RingBuffer) -> Self {
        let mask = lane.records.len() as u64 / 8 - 1;
        let payload_mask = lane.payload.len() as u64 - 1;
        Self { lane, head: 0, payload_head: 0, tail: 0, payload_tail: 0, mask, payload_mask, stalled: false }
    }

    /// Prepares the memory for that number of records, so that recording does not fault pages in.
    pub fn populate(&self, records: usize) {
        // Of the payload, which few records have, a little.
        const WORDS: usize = 4;
        self.lane.records.populate(records.saturating_mul(8));
        self.lane.payload.populate(records.saturating_mul(WORDS));
    }

    /// Publishes a record without payload, `bell` being rung whenever the supervisor had better come soon. Waits for
    /// room where there is none.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a record is made where it is published, field by field")]
    pub fn push(&mut self, record: &Record, bell: &dyn Fn()) {
        if self.head - self.tail > self.mask {
            self.await_record(bell);
        }
        // The supervisor has read the lines of the last lap: they are asked back before they are needed.
        self.lane.records.expect_write((((self.head + AHEAD) & self.mask) * 8) as usize);
        let at = ((self.head & self.mask) * 8) as usize;
        let slots = &self.lane.records[at..at + 8];
        for (slot, word) in slots.iter().zip(record) {
            slot.store(*word, Ordering::Relaxed);
        }
        if self.stalled {
            slots[7].store(record[7] | u64::from(record::STALLED) << 48, Ordering::Relaxed);
            self.stalled = false;
        }
        self.head += 1;
        self.lane.header.head.store(self.head, Ordering::Release);
        if self.head & (self.mask >> 1) == 0 {
            self.half(bell);
        }
    }

    /// Half full: the supervisor should come before it is all.
    #[cold]
    #[inline(never)]
    fn half(&mut self, bell: &dyn Fn()) {
        if self.head - self.tail > self.mask >> 1 {
            self.reload();
            if self.head - self.tail > self.mask >> 1 {
                bell();
            }
        }
    }

    /// As [`Producer::push`], with a payload, which may be empty.
    pub fn push_payload(&mut self, last: &Record, payload: &[u8], bell: &dyn Fn()) {
        // A quarter of the ring at a time, so that a value of any size goes through.
        let piece = (self.lane.payload.len() / 4 * 8).max(8);
        let mut rest = payload;
        while rest.len() > piece {
            let (first, behind) = rest.split_at(piece);
            self.write_payload(first, bell);
            self.push(&record::fragment(first.len()), bell);
            rest = behind;
        }
        self.write_payload(rest, bell);
        self.push(last, bell);
    }

    fn write_payload(&mut self, bytes: &[u8], bell: &dyn Fn()) {
        let words = bytes.len().div_ceil(8) as u64;
        while self.payload_head + words - self.payload_tail > self.payload_mask + 1 {
            self.stall(bell);
        }
        let (whole, rest) = bytes.as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let chunks = whole.iter().chain((!rest.is_empty()).then_some(&last));
        for chunk in chunks {
            let at = (self.payload_head & self.payload_mask) as usize;
            self.lane.payload[at].store(u64::from_le_bytes(*chunk), Ordering::Relaxed);
            self.payload_head += 1;
        }
        self.lane.header.payload_head.store(self.payload_head, Ordering::Release);
    }

    fn reload(&mut self) {
        self.tail = self.lane.header.tail.load(Ordering::Acquire);
        self.payload_tail = self.lane.header.payload_tail.load(Ordering::Acquire);
    }

    #[cold]
    #[inline(never)]
    fn await_record(&mut self, bell: &dyn Fn()) {
        self.reload();
        while self.head - self.tail > self.mask {
            self.stall(bell);
        }
    }

    /// Waits until the supervisor has taken something. It lives: when it dies, so does this process.
    fn stall(&mut self, bell: &dyn Fn()) {
        const NAP: u64 = 100_000_000;
        let begin = clock::now();
        let header = &*self.lane.header;
        header.full.store(1, Ordering::SeqCst);
        let tail = header.tail.load(Ordering::SeqCst);
        let payload_tail = header.payload_tail.load(Ordering::SeqCst);
        if tail == self.tail && payload_tail == self.payload_tail {
            bell();
            futex::wait(&header.full, 1, Some(begin + NAP));
        }
        header.full.store(0, Ordering::Relaxed);
        self.reload();
        self.stalled = true;
        let header = &*self.lane.header;
        header.stalled.store(header.stalled.load(Ordering::Relaxed) + clock::now() - begin, Ordering::Relaxed);
    }

    /// Says what the process waits for from now on.
    #[inline]
    pub fn wait(&self, wait: &Wait) {
        let header = &*self.lane.header;
        let number = header.waits.load(Ordering::Relaxed);
        header.place.store(u64::from(wait.step) | u64::from(wait.target) << 32, Ordering::Relaxed);
        let kind = u64::from(wait.verb)
            | u64::from(wait.end) << 8
            | u64::from(wait.process) << 16
            | u64::from(wait.deadline) << 24;
        header.kind.store(kind, Ordering::Relaxed);
        header.since.store(wait.since, Ordering::Relaxed);
        header.waits.store(number | 1, Ordering::Release);
    }

    /// Says since when it waits, where [`Producer::wait`] did not know.
    pub fn since(&self, since: u64) {
        self.lane.header.since.store(since, Ordering::Relaxed);
    }

    /// Says that it waits no more.
    #[inline]
    pub fn go_on(&self) {
        let number = self.lane.header.waits.load(Ordering::Relaxed);
        self.lane.header.waits.store((number | 1) + 1, Ordering::Release);
    }

    /// Counts a step that is not recorded.
    #[inline]
    pub fn count(&self, step: usize) {
        let count = &self.lane.counts[step];
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// Records in one piece of memory. A piece is large enough that the allocator returns it to the host when it is freed.
const PIECE: usize = (32 << 20) / size_of::<Record>();

/// The supervisor's side: takes records and keeps them as they came.
pub struct Consumer {
    lane: RingBuffer,
    tail: u64,
    payload_tail: u64,
    /// Bytes of the next event's payload that came with fragments.
    fragments: usize,
    /// The records that are kept, without fragments; every piece but the last is full.
    pieces: Vec<Vec<Record>>,
    /// Their payload, in order.
    payload: Vec<u8>,
    /// How many records and how much payload were taken and are kept no longer.
    given_up: (usize, usize),
    /// How many records were taken.
    taken: usize,
    /// The end of the last.
    last: u64,
    /// Whether the number before the last record's is that of an event which was never recorded.
    cut: bool,
}

impl Consumer {
    /// The consumer of a lane from which nothing was taken yet.
    pub fn new(lane: RingBuffer) -> Self {
        Self {
            lane,
            tail: 0,
            payload_tail: 0,
            fragments: 0,
            pieces: Vec::new(),
            payload: Vec::new(),
            given_up: (0, 0),
            taken: 0,
            last: 0,
            cut: false,
        }
    }

    pub fn lane(&self) -> &RingBuffer {
        &self.lane
    }

    /// Takes what was published since the last time; says whether there was anything.
    pub fn drain(&mut self) -> bool {
        let header = &*self.lane.header;
        let head = header.head.load(Ordering::Acquire);
        if head == self.tail {
            // A payload may be published whose record is not: a producer that waits for room continues.
            if header.full.load(Ordering::SeqCst) == 1 {
                futex::wake_all(&header.full);
            }
            return false;
        }
        let lane = self.lane.clone();
        let mask = lane.records.len() as u64 / 8 - 1;
        let payload_mask = lane.payload.len() as u64 - 1;
        while self.tail < head {
            let at = ((self.tail & mask) * 8) as usize;
            let mut record = [0; 8];
            for (word, slot) in record.iter_mut().zip(&lane.records[at..at + 8]) {
                *word = slot.load(Ordering::Relaxed);
            }
            let fragment = record::flags(&record) & record::FRAGMENT != 0;
            let mut length = record::payload_length(&record);
            if fragment {
                self.fragments += length;
            } else {
                length -= std::mem::take(&mut self.fragments).min(length);
            }
            while length > 0 {
                let word = lane.payload[(self.payload_tail & payload_mask) as usize].load(Ordering::Relaxed);
                let taken = length.min(8);
                self.payload.extend_from_slice(&word.to_le_bytes()[..taken]);
                self.payload_tail += 1;
                length -= taken;
            }
            if !fragment {
                self.keep(record);
            }
            self.tail += 1;
        }
        let header = &*self.lane.header;
        header.payload_tail.store(self.payload_tail, Ordering::SeqCst);
        header.tail.store(self.tail, Ordering::SeqCst);
        if header.full.swap(0, Ordering::SeqCst) == 1 {
            futex::wake_all(&header.full);
        }
        true
    }

    fn keep(&mut self, record: Record) {
        self.last = record::end(&record);
        self.taken += 1;
        match self.pieces.last_mut() {
            Some(piece) if piece.len() < PIECE => piece.push(record),
            last => {
                let mut piece = Vec::with_capacity(if last.is_some() { PIECE } else { 0 });
                piece.push(record);
                self.pieces.push(piece);
            }
        }
    }

    /// The records taken so far, each with its number and its payload, from the one of that place on.
    pub fn records(&self, (from, payload_from): (usize, usize)) -> impl Iterator<Item = (u64, &Record, &[u8])> {
        let mut at = payload_from - self.given_up.1;
        let records = self.pieces.iter().flatten().skip(from - self.given_up.0);
        (from..).zip(records).map(move |(place, record)| {
            let length = record::payload_length(record);
            let payload = self.payload.get(at..at + length).unwrap_or(&[]);
            at += length;
            (self.number(place), record, payload)
        })
    }

    /// The number of a record among the events of its process, by its place.
    pub fn number(&self, place: usize) -> u64 {
        place as u64 + u64::from(self.cut && place + 1 == self.taken)
    }

    /// Adds a record that the process itself could not make: its end. `cut` says that it may have died in the middle of
    /// a step. What that did stands under the number of an event that was never recorded, which others may name as
    /// their cause: the end gets the number after it.
    pub fn append(&mut self, record: Record, cut: bool) {
        self.keep(record);
        self.cut = cut;
    }

    /// Whether the process may have died in the middle of a step.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The end of the last event taken, ns of CLOCK_MONOTONIC; 0 where there is none.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// How many records and payload bytes were taken so far.
    pub fn taken(&self) -> (usize, usize) {
        (self.taken, self.given_up.1 + self.payload.len())
    }

    /// Keeps nothing of what was taken so far.
    pub fn give_up(&mut self) {
        self.given_up = self.taken();
        self.pieces.truncate(1);
        self.pieces.iter_mut().for_each(Vec::clear);
        self.payload.clear();
    }

    /// Appends everything that is kept, as events. It is given away with that: the records' memory is free again.
    ///
    /// # Errors
    /// What is wrong with a record, in words.
    pub fn events(
        &mut self,
        events: &mut Vec<Event>,
        process: ProcessId,
        origin: u64,
        verbs: &dyn Verbs,
    ) -> Result<(), String> {
        let (mut place, mut at) = (self.given_up.0, 0);
        let payload = std::mem::take(&mut self.payload);
        for piece in std::mem::take(&mut self.pieces) {
            for record in &piece {
                let length = record::payload_length(record);
                let bytes = payload.get(at..at + length).unwrap_or(&[]);
                events.push(record::decode(record, bytes, process, self.number(place), origin, verbs)?);
                at += length;
                place += 1;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;
    use crate::value::Value;
    use record::Head;

    struct Names;

    impl Verbs for Names {
        fn of_object(&self, _object: u32, _verb: u8) -> Option<&'static str> {
            Some("put")
        }
        fn of_step(&self, _verb: u8) -> Option<&'static str> {
            Some("print")
        }
    }

    fn head(step: u32) -> Head {
        Head {
            begin: 5,
            end: 9,
            ticket: 3,
            cause: 0,
            step,
            target: 1,
            element: Some(0),
            outcome: Outcome::TIMEOUT,
            verb: 0,
            flags: record::BLOCKED,
        }
    }

    #[test]
    fn what_goes_in_comes_out_whatever_its_size() {
        let arena = Arena::new();
        let lane = RingBuffer::new(&arena, 8, 64, 1).expect("memory");
        let mut consumer = Consumer::new(lane.clone());
        let mut producer = Producer::new(lane);
        let values = [
            Value::Int(-3),
            Value::from("text"),
            Value::from(vec![7u8; 400]),
            Value::Null,
            Value::Float(0.5),
            Value::Bool(true),
        ];
        let mut expected = Vec::new();
        for (step, value) in values.iter().enumerate() {
            let mut payload = Vec::new();
            let record = record::encode(&head(step as u32), value, &Value::from("second"), &mut payload);
            producer.push_payload(&record, &payload, &|| {});
            consumer.drain();
            expected.push(value.clone());
        }
        let mut events = Vec::new();
        consumer.events(&mut events, 7, 5, &Names).expect("sound records");
        assert_eq!(events.iter().map(|event| event.value.clone()).collect::<Vec<_>>(), expected);
        let first = &events[0];
        assert_eq!((first.begin, first.end, first.ticket, first.element.get()), (0, 4, 3, Some(0)));
        assert!(first.blocked && first.outcome == Outcome::TIMEOUT && first.second == Value::from("second"));
    }

    #[test]
    fn the_end_of_a_process_that_was_killed_has_no_number_that_it_gave_away() {
        for (cut, last) in [(false, 1), (true, 2)] {
            let arena = Arena::new();
            let lane = RingBuffer::new(&arena, 8, 8, 1).expect("memory");
            let mut consumer = Consumer::new(lane.clone());
            let record = |step| record::encode(&head(step), &Value::Null, &Value::Null, &mut Vec::new());
            Producer::new(lane).push(&record(0), &|| {});
            consumer.drain();
            consumer.append(record(record::NONE), cut);
            let mut events = Vec::new();
            consumer.events(&mut events, 7, 0, &Names).expect("sound records");
            assert_eq!(events.iter().map(|event| event.id.number()).collect::<Vec<_>>(), [0, last]);
        }
    }

    #[test]
    fn what_is_given_up_counts_on() {
        let arena = Arena::new();
        let lane = RingBuffer::new(&arena, 8, 64, 1).expect("memory");
        let mut consumer = Consumer::new(lane.clone());
        let mut producer = Producer::new(lane);
        for step in 0..20 {
            let mut payload = Vec::new();
            let record = record::encode(&head(step), &Value::from("text"), &Value::Null, &mut payload);
            producer.push_payload(&record, &payload, &|| {});
            consumer.drain();
            if step == 12 {
                consumer.give_up();
            }
        }
        let taken = consumer.taken();
        let payload = taken.1 / 20;
        let numbers: Vec<u64> = consumer.records((15, 15 * payload)).map(|(number, ..)| number).collect();
        assert_eq!((taken.0, numbers), (20, vec![15, 16, 17, 18, 19]));
        assert!(consumer.records((13, 13 * payload)).all(|(_, _, bytes)| bytes.len() == payload));
        let mut events = Vec::new();
        consumer.events(&mut events, 0, 0, &Names).expect("sound records");
        assert_eq!(events.iter().map(|event| event.id.number()).collect::<Vec<_>>(), (13..20).collect::<Vec<_>>());
    }

    #[test]
    fn a_wait_is_seen_while_it_lasts() {
        let arena = Arena::new();
        let lane = RingBuffer::new(&arena, 8, 8, 1).expect("memory");
        let producer = Producer::new(lane.clone());
        let wait = Wait { number: 1, step: 4, target: 2, verb: 3, end: 1, process: true, deadline: false, since: 99 };
        assert_eq!(lane.waiting(), None);
        producer.wait(&wait);
        assert_eq!(lane.waiting(), Some(wait));
        producer.go_on();
        assert_eq!(lane.waiting(), None);
        producer.wait(&wait);
        assert_eq!(lane.waiting().map(|wait| wait.number), Some(3));
    }
}
