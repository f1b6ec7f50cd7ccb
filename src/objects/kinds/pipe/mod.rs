//! The kind `pipe`: one way over pipe(2), or both ways over a pair of sockets, as messages or as bytes. The kind `fifo`
//! is one whose ends are opened by steps.

mod bytes;
mod direction;
mod end;
mod fifo;
mod message;
mod model;
mod opening;
mod pipes;
mod promela;
mod replay;
mod resize;
mod sync_clock;
#[cfg(test)]
mod tests;
mod verbs;

use std::any::Any;
use std::io;
use std::os::fd::AsRawFd;
use std::rc::Rc;

use crate::event::{Event, ObjectId, ProcessId, look};
use crate::objects::causality::sync_clock::Handover;
use crate::objects::{
    Access, Attribute, Call, Completion, CreateContext, Declaration, Enablers, Form, HostError, Kind, Live, Model,
    Object, Patience, Problem, Relation, State, Verb,
};
use crate::os::arena::Shared;
use crate::os::limits::Limit;
use crate::os::pipe::PACKET;
use crate::os::{pipe, socket};
use crate::outcome::Outcome;
use crate::value::Value;
use direction::Flow;
use end::Port;
pub(crate) use fifo::FIFO;
pub(crate) use message::message_length;
use opening::Opening;
use replay::Content;
use verbs::{CLOSE_VERB, FRAMING, POLL_VERB, RECEIVE_VERB, RESIZE_VERB, SEND_VERB, SIZE_VERB};

const SEND: &str = "send";
const RECEIVE: &str = "recv";
const POLL: &str = "poll";
const CLOSE: &str = "close";
const RESIZE: &str = "resize";
const SIZE: &str = "size";
const OPEN: &str = "open";

/// The verbs, by their places in [`KIND`] and [`FIFO`].
const SEND_AT: u8 = 0;
const RECEIVE_AT: u8 = 1;
const POLL_AT: u8 = 2;
const CLOSE_AT: u8 = 3;
const RESIZE_AT: u8 = 4;
const SIZE_AT: u8 = 5;
const OPEN_AT: u8 = 6;

/// The largest packet that goes through a pair of sockets; less where its send buffer is small.
const SOCKET_PACKET: usize = 32 * 1024;

/// The largest pipe that Linux makes for anyone, in bytes.
const LARGEST: u64 = 1 << 31;

/// The reference entry and the maker of pipes.
pub(crate) static KIND: Kind = Kind {
    name: "pipe",
    summary: "a channel between the processes at its ends; a reader sees the end of file once no process \
              holds the writing end any more",
    primitive: "one way: pipe2(2) (see pipe(7)), with O_DIRECT where it carries messages, so that each packet of up to \
                4096 bytes is one write(2) and one read(2). Both ways: socketpair(2) of unix(7), SOCK_SEQPACKET where \
                it carries messages, SOCK_STREAM where it carries bytes: what multiprocessing.Pipe() makes",
    attributes: &[
        Attribute {
            name: "duplex",
            form: Form::Boolean,
            default: "false",
            required: false,
            summary: "`false`: one way, from `.w` to `.r`; `true`: both ways, between `.a` and `.b`",
        },
        FRAMING,
        Attribute {
            name: "capacity",
            form: Form::Size,
            default: "",
            required: false,
            summary: "one way with messages: how many packets fit, a power of two (a message of up to 4080 bytes is \
                      one packet); one way with bytes: bytes, rounded up to a power of two of pages; both ways: bytes \
                      of SO_SNDBUF. Without it what the kernel gives: 16 packets, 64 KiB, net.core.wmem_default",
        },
    ],
    verbs: &[SEND_VERB, RECEIVE_VERB, POLL_VERB, CLOSE_VERB, RESIZE_VERB, SIZE_VERB],
    state: ("link", "the list of the messages in the pipe; null where `framing = \"bytes\"`"),
    example: r#"[objects]
link = { kind = "pipe" }

[processes.writer]
steps = [
  { resize = "link.w", value = 5000, into = "bytes" },
  { send = "link.w", value = ["Dave", "123"] },
  { close = "link.w" },
]

[processes.reader]
steps = [
  { size = "link.r", into = "bytes" },
  { poll = "link.r", timeout = "2s" },
  { recv = "link.r", into = "message" },
  { recv = "link.r", expect = "closed" },
]
"#,
    declare,
};

/// What a pipe carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Framing {
    Message,
    Bytes,
}

/// A pipe of a scenario, or a fifo.
#[derive(Debug)]
struct Pipe {
    id: ObjectId,
    duplex: bool,
    /// Whether a process holds an end only once it has opened it.
    opened: bool,
    framing: Framing,
    /// As the kernel will have it: packets, bytes, or the send buffer asked for.
    capacity: Option<u64>,
}

fn declare(declaration: &Declaration) -> Result<Box<dyn Object>, Vec<Problem>> {
    Ok(Box::new(declared(declaration, declaration.boolean("duplex"))?))
}

/// The pipe of a declaration whose ends no step opens.
fn declared(declaration: &Declaration, duplex: bool) -> Result<Pipe, Vec<Problem>> {
    let framing = if declaration.word("framing") == Some("bytes") { Framing::Bytes } else { Framing::Message };
    let capacity = match declaration.integer("capacity") {
        None => None,
        Some(asked) => Some(room(duplex, framing, asked).map_err(|problem| vec![problem])?),
    };
    Ok(Pipe { id: declaration.id, duplex, opened: false, framing, capacity })
}

/// The capacity as the kernel will have it.
fn room(duplex: bool, framing: Framing, asked: i64) -> Result<u64, Problem> {
    let wanted = u64::try_from(asked)
        .ok()
        .filter(|wanted| *wanted > 0)
        .ok_or_else(|| Problem::new("capacity", "a pipe holds at least one"))?;
    let packets = !duplex && framing == Framing::Message;
    let most = if packets { LARGEST / PACKET as u64 } else { LARGEST };
    if wanted > most {
        let unit = if packets { "packets" } else { "bytes" };
        return Err(Problem::new("capacity", format!("no pipe holds more than {most} {unit}")));
    }
    if packets && !wanted.is_power_of_two() {
        let (less, more) = (wanted.next_power_of_two() / 2, wanted.next_power_of_two());
        return Err(Problem::new("capacity", "the kernel makes room for a power of two of packets only")
            .help(format!("write {less} or {more}, or use a `queue`, which takes any capacity")));
    }
    Ok(if duplex || packets { wanted } else { wanted.max(PACKET as u64).next_power_of_two() })
}

impl Object for Pipe {
    fn ends(&self) -> &'static [&'static str] {
        if self.duplex { &["a", "b"] } else { &["r", "w"] }
    }

    fn foresee(&self, verb: &Verb, end: Option<&str>, arguments: &[Option<Value>]) -> Option<(Outcome, String)> {
        match (verb.name, end) {
            (SEND, Some("r")) => {
                return Some((Outcome::WRONG_END, "the end `r` only receives; `w` is the one that sends".to_owned()));
            }
            (RECEIVE | POLL, Some("w")) => {
                return Some((Outcome::WRONG_END, "the end `w` only sends; `r` is the one that receives".to_owned()));
            }
            (RESIZE | SIZE, Some("a" | "b")) => {
                let reason = "an end of a pair of sockets has no such size; only a pipe one way has one";
                return Some((Outcome::INVALID, reason.to_owned()));
            }
            _ => {}
        }
        let first = arguments.first().and_then(Option::as_ref);
        let second = arguments.get(1).and_then(Option::as_ref);
        match (verb.name, self.framing) {
            (SEND, Framing::Bytes) => {
                let types = first?.types();
                (!matches!(first, Some(Value::String(_) | Value::Bytes(_))))
                    .then(|| (Outcome::INVALID, format!("a pipe of bytes takes a string or bytes, not {types}")))
            }
            (RECEIVE, Framing::Message) => second.filter(|max| **max != Value::Null).map(|_| {
                (Outcome::INVALID, "a message is taken whole; `max` belongs to `framing = \"bytes\"`".to_owned())
            }),
            _ => None,
        }
    }

    fn create(&self, site: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError> {
        Channel::create(self, site).map(|channel| Rc::new(channel) as Rc<dyn Live>)
    }

    fn state(&self) -> Box<dyn State> {
        Box::new(Content::new(self))
    }

    fn model(&self, holders: &[u32]) -> Box<dyn Model> {
        Box::new(model::Ends::new(self, holders))
    }

    fn promela(&self) -> Option<&dyn crate::objects::contract::promela::Promela> {
        (!self.opened).then_some(self as _)
    }

    fn commute(&self, first: Access, second: Access) -> bool {
        model::commute(self, first, second)
    }

    fn has_owner(&self) -> bool {
        false
    }

    fn notices_ends(&self) -> bool {
        false
    }

    fn reorders(&self) -> bool {
        false
    }

    fn touches(&self, _verb: u8) -> Vec<(ObjectId, u8)> {
        Vec::new()
    }

    fn tells_order(&self, _first: Access, _second: Access) -> bool {
        false
    }

    fn restarts(&self, verb: &Verb, timed: bool) -> Option<bool> {
        (verb.name != OPEN).then_some(!timed && verb.name != POLL)
    }

    fn enablers(&self, verb: &Verb, end: Option<&str>, _owner: Option<ProcessId>) -> Enablers {
        let verbs: &[&str] = match verb.name {
            SEND => &[RECEIVE, RESIZE],
            RECEIVE | POLL => &[SEND],
            OPEN if end == Some("r") => &["open.w"],
            OPEN => &["open.r"],
            _ => &[],
        };
        let closing: &[&str] = match end {
            _ if verb.name == OPEN => &[],
            Some("r") => &["w"],
            Some("w") => &["r"],
            Some("a") => &["b"],
            Some("b") => &["a"],
            _ => &[],
        };
        Enablers { verbs, only: None, closing }
    }

    fn relate(&self, events: &[&Event], relation: &mut Relation) {
        self.draw(events, relation);
    }

    fn hand_over(&self, handover: &mut Handover<'_>) -> u32 {
        self.pass(handover)
    }

    /// Its capacity is one of bytes, and so is its size where there is no framing.
    fn limit(&self) -> Option<i64> {
        self.capacity.filter(|_| matches!(self.framing, Framing::Bytes)).map(|capacity| capacity as i64)
    }
}

/// Which flow a send on that end goes into, where both ways have one or there is but one way.
fn outgoing(duplex: bool, end: u8) -> usize {
    if duplex { usize::from(end) } else { 0 }
}

/// Which flow a receive on that end takes from.
fn incoming(duplex: bool, end: u8) -> usize {
    if duplex { 1 - usize::from(end) } else { 0 }
}

/// The ticket of what ends at that count of a flow. With two flows, the lowest bit says which.
fn ticket(duplex: bool, flow: usize, sum: u64) -> u64 {
    if duplex { sum << 1 | flow as u64 } else { sum }
}

/// Whether the end cannot do that verb.
fn is_wrong(duplex: bool, verb: u8, end: u8) -> bool {
    !duplex && matches!((verb, end), (SEND_AT, 0) | (RECEIVE_AT | POLL_AT, 1))
}

/// The kernel's side of a pipe.
struct Channel {
    id: ObjectId,
    duplex: bool,
    framing: Framing,
    /// By the places of the ends.
    ports: [Port; 2],
    /// One, or one for each direction: from `a` to `b`, from `b` to `a`.
    flows: Vec<Shared<Flow>>,
    /// Whether one process alone holds each end.
    sole: [bool; 2],
    /// The largest packet, header and all.
    packet: usize,
    /// How ends are opened, where no process holds one before it opens it.
    opening: Option<Opening>,
}

impl Channel {
    fn create(plan: &Pipe, site: &mut CreateContext<'_>) -> Result<Self, HostError> {
        let packets = plan.framing == Framing::Message;
        if plan.opened {
            let opening = Opening::create(packets, plan.room_in_bytes(), site)?;
            opening.check(site.name, |bytes, error| no_pipe_room(site.name, bytes, error))?;
            return Self::over(plan, site, [Port::unopened(), Port::unopened()], PACKET, Some(opening));
        }
        let made = if plan.duplex { socket::pair(packets) } else { pipe::pipe(packets) };
        let (first, second) = made.map_err(|error| no_descriptor(site.name, &error))?;
        let packet = if plan.duplex {
            let buffer = match plan.capacity {
                Some(bytes) => {
                    let given = [&first, &second].map(|end| socket::set_send_buffer(end, bytes));
                    let given = given.into_iter().collect::<io::Result<Vec<_>>>();
                    let given = given.map_err(|error| HostError::call("setsockopt", &error))?;
                    if given.iter().any(|given| *given < 2 * bytes) {
                        return Err(no_room(site.name, bytes, Limit::SocketBuffer));
                    }
                    given[0]
                }
                None => socket::send_buffer(&first).map_err(|error| HostError::call("getsockopt", &error))?,
            };
            // A packet has to fit the buffer together with the kernel's own overhead.
            SOCKET_PACKET.min(buffer as usize / 4)
        } else {
            if let Some(bytes) = plan.room_in_bytes() {
                pipe::set_capacity(second.as_raw_fd(), bytes)
                    .map_err(|error| no_pipe_room(site.name, bytes, &error))?;
            }
            PACKET
        };
        let port = if plan.duplex { Port::socket } else { Port::pipe };
        Self::over(plan, site, [port(first), port(second)], packet, None)
    }

    fn over(
        plan: &Pipe,
        site: &CreateContext<'_>,
        ports: [Port; 2],
        packet: usize,
        opening: Option<Opening>,
    ) -> Result<Self, HostError> {
        let flows = (0..=usize::from(plan.duplex)).map(|_| site.arena.alloc::<Flow>()).collect::<io::Result<_>>();
        let alone = |end: usize| site.holders.get(end).is_none_or(|holders| *holders <= 1);
        Ok(Self {
            id: site.object,
            duplex: plan.duplex,
            framing: plan.framing,
            ports,
            flows: flows.map_err(|error| HostError::call("mmap", &error))?,
            sole: [alone(0), alone(1)],
            packet,
            opening,
        })
    }

    /// Which flow a send on that end goes into.
    fn outgoing(&self, end: u8) -> usize {
        outgoing(self.duplex, end)
    }

    /// Which flow a receive on that end takes from.
    fn incoming(&self, end: u8) -> usize {
        incoming(self.duplex, end)
    }

    fn ticket(&self, flow: usize, sum: u64) -> u64 {
        ticket(self.duplex, flow, sum)
    }

    fn poll(&self, call: &mut Call<'_>) -> Completion {
        let port = &self.ports[usize::from(call.end)];
        let which = self.incoming(call.end);
        let side = &self.flows[which].receivers;
        let (alone, process) = (self.sole[usize::from(call.end)], call.party.process());
        let mut over = call.patience == Patience::Never;
        loop {
            let received = match side.look(alone, process, || port.wait_readable(Some(0))) {
                // What comes next after all that was taken is there.
                Ok((true, received)) => {
                    // It may be the end of file.
                    call.party.notice_end();
                    return Completion::of(Outcome::OK).ticket(self.ticket(which, received + 1));
                }
                Ok((false, received)) => received,
                Err(errno) => return Completion::of(Outcome::from_errno(errno)),
            };
            if over {
                return Completion::of(call.patience.outcome()).ticket(look(self.ticket(which, received)));
            }
            call.party.block();
            let deadline = match call.patience {
                Patience::Until(deadline) => Some(deadline),
                _ => None,
            };
            match port.wait_readable(deadline) {
                Ok(ready) => over = !ready,
                Err(errno) => return Completion::of(Outcome::from_errno(errno)),
            }
        }
    }
}

impl Live for Channel {
    fn perform(&self, call: &mut Call<'_>) -> Completion {
        let port = &self.ports[usize::from(call.end)];
        if is_wrong(self.duplex, call.verb, call.end) {
            return Completion::of(Outcome::WRONG_END);
        }
        if let (Some(opening), OPEN_AT) = (&self.opening, call.verb) {
            return self.open(opening, call);
        }
        if !port.is_open() {
            return Completion::of(Outcome::INVALID);
        }
        match (call.verb, self.framing) {
            (SEND_AT, Framing::Message) => self.send_message(call),
            (SEND_AT, Framing::Bytes) => self.send_bytes(call),
            (RECEIVE_AT, Framing::Message) => self.receive_message(call),
            (RECEIVE_AT, Framing::Bytes) => self.receive_bytes(call),
            (POLL_AT, _) => self.poll(call),
            (RESIZE_AT, _) => self.resize(call),
            (SIZE_AT, _) => self.size(call),
            _ => Completion::of(Outcome::OK).ticket(self.close(call.end, true)),
        }
    }

    fn part(&self, held: &[bool]) {
        for (end, port) in (0..).zip(&self.ports) {
            if port.is_open() && !held.get(usize::from(end)).copied().unwrap_or(false) {
                self.close(end, false);
            }
        }
    }

    fn stopped(&self, process: ProcessId) {
        for flow in &self.flows {
            flow.stopped(process);
        }
    }

    fn reclaim(&self, process: ProcessId) {
        for flow in &self.flows {
            flow.reclaim(process);
        }
        if let Some(opening) = &self.opening {
            opening.reclaim(process);
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The host has no descriptor left for a pipe.
fn no_descriptor(name: &str, error: &io::Error) -> HostError {
    HostError { message: format!("the pipe `{name}` cannot be made: {error}"), help: Limit::help_for(error) }
}

/// The host does not give a pipe one way as much room as that.
fn no_pipe_room(name: &str, bytes: u64, error: &io::Error) -> HostError {
    let over = if Limit::PipeSize.is_below(bytes) { Limit::PipeSize } else { Limit::PipePages };
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EINVAL) => no_room(name, bytes, over),
        _ => HostError::call("fcntl(F_SETPIPE_SZ)", error),
    }
}

/// The host gives no pipe as much room as that.
fn no_room(name: &str, bytes: u64, limit: Limit) -> HostError {
    // The limit of all pipes of a user is counted in pages.
    let wanted = if limit == Limit::PipePages { limit.value().unwrap_or(0) + bytes / pipe::page() } else { bytes };
    HostError { message: format!("the pipe `{name}` asks for {bytes} bytes of room: {limit}"), help: None }
        .help(limit.help(wanted))
}
