//! A pipe in the model: the holders of its ends, and the messages in it.
//!
//! A process that waits for room, or for something to take, may continue first, and is taken for one that comes anew.
//! So these are left out of account:
//!
//! - A writer that waits on sockets is woken by the kernel only once three quarters of the buffer are free; here it
//!   continues as soon as there is any room.
//! - A writer of bytes that waits for a page does not look again whether another's page has room for it; here it does.
//! - A pipe has the room that is asked for, or the default of the kernel: 16 packets, 64 KiB,
//!   212992 bytes of net.core.wmem_default.
//! - `resize` to at most 1 MiB is never refused: fs.pipe-max-size is 1 MiB by default.
//! - A receiver that is killed in the middle of a message of several packets has taken either none of it or all.

mod bytes;
mod messages;
mod opening;
mod room;
#[cfg(test)]
mod tests;

use super::bytes::{data, most, sent as sent_bytes};
use super::message::{message_length, sent as sent_message};
use super::{
    CLOSE_AT, Framing, OPEN_AT, POLL_AT, Pipe, RECEIVE_AT, RESIZE_AT, SEND_AT, SIZE_AT, incoming, is_wrong, outgoing,
    resize, ticket,
};
use crate::event::ObjectId;
use crate::objects::Completion;
use crate::objects::contract::model::{Model, ModelCall, Progress, ShareAccess, Willing};
use crate::objects::contract::operation::Access;
use crate::outcome::Outcome;
use crate::value::{Value, encode};
use messages::{Begun, Found};
use opening::Opening;
use room::Room;
pub(super) use room::SLOTS;

/// In a process's share: it has closed both ends, or opened both of a fifo. The lower bit is the end at place 0.
const ENDS: u32 = 0b11;
/// In a process's share: the way in which it is parked, where messages go both ways.
const WAY: u32 = 1 << 2;
/// In a process's share, from this bit on: how many bytes of its send have gone in; or the tag of its message and one.
const PARKED: u32 = 3;

/// The longest send of bytes, as a share can count.
const LONGEST: usize = (u32::MAX >> PARKED) as usize;

/// The ends, and what is between them.
#[derive(Clone)]
pub(super) struct Ends {
    duplex: bool,
    /// How many processes hold each end.
    holders: [u32; 2],
    lines: Lines,
    /// How ends are opened, where no process holds one before it opens it.
    opening: Option<Opening>,
}

/// One way, or two: from `a` to `b`, from `b` to `a`.
#[derive(Clone)]
enum Lines {
    Messages(Vec<messages::Line>),
    Bytes(Vec<bytes::Line>),
}

impl Lines {
    fn new(framing: Framing, room: Room, ways: usize) -> Self {
        match framing {
            Framing::Message => Self::Messages(vec![messages::Line::new(room); ways]),
            Framing::Bytes => Self::Bytes(vec![bytes::Line::new(room); ways]),
        }
    }
}

impl Ends {
    pub(super) fn new(pipe: &Pipe, holders: &[u32]) -> Self {
        let lines = Lines::new(pipe.framing, Room::new(pipe), 1 + usize::from(pipe.duplex));
        let holders = [0, 1].map(|end: usize| holders.get(end).copied().unwrap_or(1));
        let opening = pipe.opened.then(|| Opening::new(pipe, lines.clone()));
        Self { duplex: pipe.duplex, holders: if pipe.opened { [0, 0] } else { holders }, lines, opening }
    }

    /// Whether a process of that share does not hold the end.
    fn lacks(&self, share: u32, end: u8) -> bool {
        (share & 1 << end == 0) == self.opening.is_some()
    }

    /// Whether no process holds the other end any more.
    fn deserted(&self, end: u8) -> bool {
        self.holders[1 - usize::from(end)] == 0
    }

    fn send(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let (way, duplex, deserted) = (outgoing(self.duplex, call.end), self.duplex, self.deserted(call.end));
        match &mut self.lines {
            Lines::Messages(lines) => {
                let sending = Sending::new(call.arguments);
                let done = match sending.go_on(&mut lines[way], call, deserted, way) {
                    Ok(sum) => sending.ends(Outcome::OK, ticket(duplex, way, sum)),
                    Err(Stop::Ends(outcome)) => {
                        if outcome == Outcome::BROKEN && !duplex {
                            call.stage.raise(libc::SIGPIPE);
                        }
                        sending.ends(outcome, 0)
                    }
                    Err(Stop::Pauses(progress)) => return progress,
                };
                call.set_mine(call.mine() & ENDS);
                Progress::Done(done)
            }
            Lines::Bytes(lines) => {
                let Some(data) = data(&call.arguments[0]) else { return Progress::outcome(Outcome::INVALID) };
                if data.len() > LONGEST {
                    return Progress::outcome(Outcome::from_errno(libc::ENOMEM));
                }
                let before = (call.mine() >> PARKED) as usize;
                let (gone, outcome) = write(&mut lines[way], call, data, before, deserted);
                let Some(outcome) = outcome else {
                    call.set_mine(call.mine() & ENDS | (gone as u32) << PARKED);
                    return if gone > before { Progress::Parked } else { Progress::Waits };
                };
                self.ends_bytes(call, gone, outcome)
            }
        }
    }

    /// Ends a send of bytes of which that many have gone in.
    fn ends_bytes(&self, call: &mut ModelCall<'_>, gone: usize, outcome: Outcome) -> Progress {
        let way = outgoing(self.duplex, call.end);
        let sum = match &self.lines {
            Lines::Bytes(lines) if gone > 0 => ticket(self.duplex, way, lines[way].sent),
            _ => 0,
        };
        call.set_mine(call.mine() & ENDS);
        Progress::Done(sent_bytes(&call.arguments[0], gone, is_counted(call.arguments), outcome, sum))
    }

    fn receive(&mut self, call: &ModelCall<'_>) -> Progress {
        let (way, duplex, deserted) = (incoming(self.duplex, call.end), self.duplex, self.deserted(call.end));
        let nothing = |changed: bool| match call.wait() {
            _ if deserted => Progress::outcome(Outcome::CLOSED),
            Progress::Waits if changed => Progress::Parked,
            progress => progress,
        };
        match &mut self.lines {
            Lines::Messages(_) if call.arguments[1] != Value::Null => Progress::outcome(Outcome::INVALID),
            Lines::Messages(lines) => match lines[way].receive() {
                Found::Message { event, value, sum } => {
                    let done = Completion::value(value).ticket(ticket(duplex, way, sum));
                    Progress::Done(Completion { cause: event, ..done })
                }
                Found::Rest => nothing(true),
                Found::Nothing => nothing(false),
            },
            Lines::Bytes(lines) => match most(&call.arguments[1]) {
                0 => Progress::outcome(Outcome::OUT_OF_RANGE),
                _ if lines[way].is_empty() => nothing(false),
                max => {
                    let done = Completion::value(Value::Bytes(lines[way].read(max).into()));
                    Progress::Done(done.ticket(ticket(duplex, way, lines[way].received)))
                }
            },
        }
    }

    fn poll(&self, call: &ModelCall<'_>) -> Progress {
        let way = incoming(self.duplex, call.end);
        let (empty, received) = match &self.lines {
            Lines::Messages(lines) => (lines[way].is_empty(), lines[way].received()),
            Lines::Bytes(lines) => (lines[way].is_empty(), lines[way].received),
        };
        if empty && (!self.deserted(call.end) || opening::is_fresh(call.mine())) {
            return call.wait();
        }
        Progress::Done(Completion::of(Outcome::OK).ticket(ticket(self.duplex, way, received + 1)))
    }

    /// The room of either way.
    fn room(&self) -> Room {
        match &self.lines {
            Lines::Messages(lines) => lines[0].room,
            Lines::Bytes(lines) => lines[0].room,
        }
    }

    fn resize(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let asked = match resize::asked(call.arguments) {
            Ok(asked) => asked,
            Err(outcome) => return Progress::outcome(outcome),
        };
        let answers = resize::answers(asked, self.room().bytes());
        let answer = if answers.len() > 1 { call.stage.choose(answers.len() as u32) } else { 0 };
        let answer = answers[answer as usize];
        if !answer.is_ok() {
            return Progress::outcome(answer);
        }
        let slots = Room::slots(asked);
        match &mut self.lines {
            Lines::Messages(lines) if lines[0].used() <= slots => lines[0].resize(slots),
            Lines::Bytes(lines) if lines[0].used() <= slots => lines[0].room.limit = slots,
            _ => return Progress::outcome(Outcome::BUSY),
        }
        Progress::Done(Completion::value(Value::Int(asked as i64)))
    }

    fn close(&mut self, share: &mut u32, end: u8) {
        if !self.lacks(*share, end) {
            *share = (*share & ENDS) ^ 1 << end;
            let holders = &mut self.holders[usize::from(end)];
            *holders = holders.saturating_sub(1);
        }
    }
}

/// Whether a send says how many bytes it sent.
fn is_counted(arguments: &[Value]) -> bool {
    arguments[1].as_bool() == Some(true)
}

/// Why a send does not complete.
enum Stop {
    Ends(Outcome),
    Pauses(Progress),
}

/// A message on its way in.
struct Sending<'a> {
    value: &'a Value,
    length: usize,
    counted: bool,
}

impl<'a> Sending<'a> {
    fn new(arguments: &'a [Value]) -> Self {
        let mut encoding = Vec::new();
        encode(&arguments[0], &mut encoding);
        Self { value: &arguments[0], length: encoding.len(), counted: is_counted(arguments) }
    }

    /// Begins or continues: the count by the message's end.
    fn go_on(
        &self,
        line: &mut messages::Line,
        call: &mut ModelCall<'_>,
        deserted: bool,
        way: usize,
    ) -> Result<u64, Stop> {
        if let Some(tag) = tag(call.mine()) {
            if let Some(sum) = line.notice(tag) {
                return Ok(sum);
            }
            if deserted {
                line.abandon(tag, false);
                return Err(Stop::Ends(Outcome::BROKEN));
            }
            return Err(Stop::Pauses(Progress::Waits));
        }
        if u32::try_from(self.length).is_err() {
            return Err(Stop::Ends(Outcome::TOO_BIG));
        }
        let (never, packets) = (call.willing == Willing::Never, line.packets(self.length as u64));
        // A message that cannot be sent whole at once is not begun, which is seen before all else.
        if never && packets > 1 && !line.room.sockets && line.seems_full(packets) {
            return Err(Stop::Ends(Outcome::WOULD_BLOCK));
        }
        if deserted {
            return Err(Stop::Ends(Outcome::BROKEN));
        }
        if line.is_full() {
            return Err(if never { Stop::Ends(Outcome::WOULD_BLOCK) } else { Stop::Pauses(Progress::Waits) });
        }
        match line.begin(call.event, self.value.clone(), self.length as u64) {
            Begun::Whole(sum) => Ok(sum),
            Begun::Part(tag) if never => {
                line.abandon(tag, false);
                Err(Stop::Ends(Outcome::WOULD_BLOCK))
            }
            Begun::Part(tag) => {
                call.set_mine(call.mine() & ENDS | ((way as u32) * WAY) | (tag + 1) << PARKED);
                Err(Stop::Pauses(Progress::Parked))
            }
        }
    }

    fn ends(&self, outcome: Outcome, ticket: u64) -> Completion {
        sent_message(self.value, message_length(self.value, self.length), self.counted, outcome, ticket)
    }
}

/// The tag of the message with which a process is parked.
fn tag(share: u32) -> Option<u32> {
    (share >> PARKED).checked_sub(1)
}

/// Goes on with a send of bytes of which `gone` have gone in: how many have then, and how it ends, if it does.
fn write(
    line: &mut bytes::Line,
    call: &mut ModelCall<'_>,
    data: &[u8],
    mut gone: usize,
    deserted: bool,
) -> (usize, Option<Outcome>) {
    let (counted, forever) = (is_counted(call.arguments), call.willing == Willing::Forever);
    loop {
        // A write(2) of nothing into a pipe ends before it looks for readers.
        if deserted && (line.room.sockets || gone < data.len()) {
            let part = counted && gone > 0;
            if !line.room.sockets || !part {
                call.stage.raise(libc::SIGPIPE);
            }
            return (gone, Some(if part { Outcome::OK } else { Outcome::BROKEN }));
        }
        let written = line.write(&data[gone..], gone == 0 || !forever);
        gone += written;
        if gone == data.len() || counted && !forever && written > 0 {
            return (gone, Some(Outcome::OK));
        }
        if written == 0 {
            return (gone, (call.willing == Willing::Never).then_some(Outcome::WOULD_BLOCK));
        }
    }
}

/// How many bytes of a message go into one packet.
pub(super) fn content(pipe: &Pipe) -> u64 {
    Room::new(pipe).content()
}

/// Whether two steps can change places where neither has to wait.
///
/// What goes one way does not touch what goes the other way. A send of a message can with a receive, since what comes
/// out is the same either way; not so one of bytes, of which a receive takes what is there. A process that releases
/// an end touches those that send on the other: it may have been the last that would receive. A receiver on the other
/// has something to take, or would have to wait. Whether a `resize` is `busy` depends on what is in the pipe, and what a send
/// finds depends on the room. What `open` does depends on who holds the ends, and all other steps on what it has opened.
///
/// Where a send of several packets parks in one order and not in the other, both lead to the same with its next step;
/// and likewise where a receive drops what a sender left behind.
pub(super) fn commute(pipe: &Pipe, first: Access, second: Access) -> bool {
    if [first, second].iter().any(|access| is_wrong(pipe.duplex, access.verb, access.end)) {
        return true;
    }
    let way = |access: Access| match access.verb {
        SEND_AT => outgoing(pipe.duplex, access.end),
        _ => incoming(pipe.duplex, access.end),
    };
    let closes = |access: Access| access.verb == CLOSE_AT;
    if [first, second].iter().any(|access| access.verb == OPEN_AT) {
        return false;
    }
    if [first, second].iter().any(|access| matches!(access.verb, RESIZE_AT | SIZE_AT)) {
        return matches!(
            (first.verb.min(second.verb), first.verb.max(second.verb)),
            (POLL_AT | CLOSE_AT, RESIZE_AT) | (_, SIZE_AT)
        ) && first.verb.min(second.verb) != RESIZE_AT;
    }
    match (closes(first), closes(second)) {
        (true, true) => true,
        (true, false) => second.verb != SEND_AT || first.end == second.end,
        (false, true) => first.verb != SEND_AT || first.end == second.end,
        (false, false) => {
            way(first) != way(second)
                || match (first.verb.min(second.verb), first.verb.max(second.verb)) {
                    (SEND_AT, RECEIVE_AT) => pipe.framing == Framing::Message,
                    (SEND_AT | POLL_AT, POLL_AT) => true,
                    _ => false,
                }
        }
    }
}

impl Model for Ends {
    fn copy(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn exchanged(&self, to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model> {
        let mut other = self.clone();
        if let Some(opening) = &mut other.opening {
            opening.exchange(to);
        }
        Box::new(other)
    }

    fn key(&self, key: &mut Vec<u8>) {
        key.extend(self.holders.iter().flat_map(|count| count.to_le_bytes()));
        match &self.lines {
            Lines::Messages(lines) => lines.iter().for_each(|line| line.key(key)),
            Lines::Bytes(lines) => lines.iter().for_each(|line| line.key(key)),
        }
    }

    /// An open lets those go on that wait for it.
    fn reach(&self, verb: u8) -> ShareAccess {
        if verb == OPEN_AT { ShareAccess::All } else { ShareAccess::Own }
    }

    fn step(&mut self, call: &mut ModelCall<'_>) -> Progress {
        if is_wrong(self.duplex, call.verb, call.end) {
            return Progress::outcome(Outcome::WRONG_END);
        }
        if call.verb == OPEN_AT {
            return self.open(call);
        }
        if self.lacks(call.mine(), call.end) {
            return Progress::outcome(Outcome::INVALID);
        }
        match call.verb {
            SEND_AT => self.send(call),
            RECEIVE_AT => self.receive(call),
            POLL_AT => self.poll(call),
            RESIZE_AT | SIZE_AT if self.room().sockets => Progress::outcome(Outcome::INVALID),
            RESIZE_AT => self.resize(call),
            SIZE_AT => Progress::Done(Completion::value(Value::Int(self.room().bytes() as i64))),
            _ => {
                let mut share = call.mine();
                self.close(&mut share, call.end);
                call.set_mine(share);
                let ticket = self.opening.as_mut().map_or(0, Opening::ticket);
                Progress::Done(Completion::of(Outcome::OK).ticket(ticket))
            }
        }
    }

    fn give_up(&mut self, call: &mut ModelCall<'_>) -> Progress {
        match call.verb {
            SEND_AT => {}
            OPEN_AT => return self.give_up_open(call),
            _ => return Progress::outcome(Outcome::TIMEOUT),
        }
        let way = outgoing(self.duplex, call.end);
        let Lines::Messages(lines) = &mut self.lines else {
            let gone = (call.mine() >> PARKED) as usize;
            return self.ends_bytes(call, gone, Outcome::TIMEOUT);
        };
        let sending = Sending::new(call.arguments);
        let parked = tag(call.mine());
        let done = match parked.and_then(|tag| lines[way].notice(tag)) {
            // All of it had gone in before the time limit was reached.
            Some(sum) => sending.ends(Outcome::OK, ticket(self.duplex, way, sum)),
            None => {
                if let Some(tag) = parked {
                    lines[way].abandon(tag, false);
                }
                sending.ends(Outcome::TIMEOUT, 0)
            }
        };
        call.set_mine(call.mine() & ENDS);
        Progress::Done(done)
    }

    /// What is sent goes in piece by piece, and what a sender left behind comes out so. An open that waits continues once the
    /// other side has been opened.
    fn turns(&self, verb: u8) -> Option<u32> {
        match verb {
            SEND_AT | RECEIVE_AT => None,
            OPEN_AT => Some(2),
            _ => Some(1),
        }
    }

    fn waits_for(&self, _verb: u8, _share: u32) -> Option<(ObjectId, u8)> {
        None
    }

    fn part(&mut self, share: &mut u32, held: &[bool], _killed: bool) {
        if let (Lines::Messages(lines), Some(tag), false) = (&mut self.lines, tag(*share), opening::is_one(*share)) {
            lines[usize::from(*share & WAY != 0)].abandon(tag, true);
        }
        for end in (0..2).filter(|end| held.get(usize::from(*end)) == Some(&true)) {
            self.close(share, end);
        }
        *share &= ENDS;
    }

    fn value(&self, _shares: &[u32], _names: &[String]) -> Value {
        match &self.lines {
            Lines::Messages(lines) => lines.iter().flat_map(messages::Line::values).cloned().collect::<Vec<_>>().into(),
            Lines::Bytes(lines) => lines.iter().flat_map(bytes::Line::bytes).collect::<Vec<u8>>().into(),
        }
    }

    fn size(&self, _shares: &[u32]) -> Option<i64> {
        Some(match &self.lines {
            Lines::Messages(lines) => lines.iter().flat_map(messages::Line::values).count() as i64,
            Lines::Bytes(lines) => lines.iter().map(bytes::Line::len).sum::<usize>() as i64,
        })
    }
}
