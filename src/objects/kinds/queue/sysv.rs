//! A queue over msgget(2). A message is 8 bytes for the event that put it, 4 for the length of the value's encoding,
//! the encoding, and zeroes: all are of one length, so that the kernel's limit in bytes is one in messages.
//!
//! msgsnd(2) and msgrcv(2) know no timeout. Where there is one, a step tries without waiting, and sleeps until
//! another step of the run rings; a process that is killed between its operation and its ring would not be heard, so
//! no sleep is longer than [`NAP`].

use std::cell::Cell;

use zerocopy::FromZeros;

use super::waiters::{Bell, Sides};
use super::{Give, Refusal, Taken, Transport};
use crate::event::ProcessId;
use crate::objects::{Caller, CreateContext, HostError, Patience};
use crate::os::arena::Shared;
use crate::os::clock;
use crate::os::limits::Limit;
use crate::os::sysv::{HEAD, SysvQueue};

/// The bytes for the event and the length.
const HEADER: usize = 12;
/// What a message takes beyond `message_size`: the header, and the few bytes by which an encoding is longer than what
/// it encodes.
pub(super) const OVERHEAD: u64 = 20;
/// The longest sleep of a step with a timeout, in ns.
const NAP: u64 = 10_000_000;

pub(super) struct Sysv {
    queue: SysvQueue,
    capacity: u64,
    message_size: u64,
    bells: Shared<Bells>,
    sides: Shared<Sides>,
}

#[derive(Debug, FromZeros)]
#[repr(C)]
struct Bells {
    message: Bell,
    room: Bell,
}

impl Sysv {
    pub(super) fn create(site: &mut CreateContext<'_>, capacity: u64, message_size: u64) -> Result<Self, HostError> {
        let (name, length) = (site.name, message_size + OVERHEAD);
        let refuse = |asked: String, limit: Limit, wanted: u64| {
            HostError { message: format!("the queue `{name}` {asked}: {limit}"), help: None }
                .help(format!("{}, or use `via = \"memory\"`, which needs no queue of the kernel", limit.help(wanted)))
        };
        if Limit::MessageSize.is_below(length) {
            let asked = format!("asks for messages of {length} bytes, {OVERHEAD} of them ipcrun's own");
            return Err(refuse(asked, Limit::MessageSize, length));
        }
        let queue = site.sysv.message_queue().map_err(|error| match error.raw_os_error() {
            Some(libc::ENOSPC) => {
                refuse("cannot be made".to_owned(), Limit::Queues, Limit::Queues.value().unwrap_or(32_000) * 2)
            }
            _ => HostError::call(&format!("msgget for the queue `{name}`"), &error)
                .help("`via = \"memory\"` needs no queue of the kernel"),
        })?;
        let bytes = capacity.saturating_mul(length);
        queue.set_capacity(bytes).map_err(|errno| match errno {
            libc::EPERM => {
                let asked = format!("asks for {capacity} messages of {length} bytes, {bytes} bytes in all");
                refuse(asked, Limit::QueueBytes, bytes)
            }
            errno => HostError::call("msgctl", &std::io::Error::from_raw_os_error(errno)),
        })?;
        let error = |error| HostError::call("mmap", &error);
        let (bells, sides) = (site.arena.alloc().map_err(error)?, site.arena.alloc().map_err(error)?);
        Ok(Self { queue, capacity, message_size, bells, sides })
    }
}

/// Sleeps until the bell rings, but not for long; where the deadline has passed, says whether a try is worth while.
///
/// # Errors
/// Those of `is_ready`.
fn nap(bell: &Bell, heard: u32, deadline: Option<u64>, is_ready: impl Fn() -> Result<bool, i32>) -> Result<bool, i32> {
    let now = clock::now();
    if deadline.is_some_and(|deadline| now >= deadline) {
        return is_ready();
    }
    bell.sleep(heard, Some(deadline.unwrap_or(u64::MAX).min(now + NAP)));
    Ok(true)
}

impl Transport for Sysv {
    fn put(&self, give: &mut Give<'_>, patience: Patience, party: &mut dyn Caller) -> Result<u64, Refusal> {
        let (priority, length) = (give.priority, give.length() as u32);
        let whole = HEAD + (self.message_size + OVERHEAD) as usize;
        give.pad(whole - HEAD - HEADER);
        let message = give.framed(&[&[0; HEAD], &give.event.to_ne_bytes(), &length.to_ne_bytes()]);
        let heard = Cell::new(0);
        let put = self.sides.put(
            patience,
            party,
            |wait| {
                heard.set(self.bells.room.listen());
                self.queue.send(message, priority, wait)
            },
            |until| nap(&self.bells.room, heard.get(), until, || Ok(self.queue.len()? < self.capacity)),
        )?;
        self.bells.message.ring(u32::MAX);
        Ok(put)
    }

    fn get(
        &self,
        buffer: &mut Vec<u8>,
        max: Option<u64>,
        patience: Patience,
        party: &mut dyn Caller,
    ) -> Result<Taken, Refusal> {
        // Every message is as long as the longest, so a buffer for less takes none.
        let size = (max.unwrap_or(u64::MAX).min(self.message_size) + OVERHEAD) as usize;
        let heard = Cell::new(0);
        let (priority, ticket) = self.sides.get(
            patience,
            party,
            |wait| {
                heard.set(self.bells.message.listen());
                self.queue.receive(buffer, size, wait)
            },
            |until| nap(&self.bells.message, heard.get(), until, || Ok(self.queue.len()? > 0)),
        )?;
        self.bells.room.ring(u32::MAX);
        let (event, content) = parse(buffer).ok_or(libc::EBADMSG)?;
        Ok(Taken { event, priority, ticket, content })
    }

    fn size(&self, _party: &mut dyn Caller) -> Result<(u64, u64), i32> {
        self.sides.size(|| self.queue.len())
    }

    fn stopped(&self, process: ProcessId) {
        self.sides.stopped(process);
    }

    fn reclaim(&self, process: ProcessId) {
        self.sides.reclaim(process);
        self.bells.message.ring(u32::MAX);
        self.bells.room.ring(u32::MAX);
    }

    fn drain(&self, each: &mut dyn FnMut(&[u8])) {
        loop {
            let mut buffer = Vec::new();
            let size = (self.message_size + OVERHEAD) as usize;
            match self.queue.receive(&mut buffer, size, false) {
                Ok(_) => each(parse(&buffer).and_then(|(_, content)| buffer.get(content)).unwrap_or_default()),
                Err(_) => return,
            }
        }
    }
}

/// The event, and where the encoding stands.
fn parse(buffer: &[u8]) -> Option<(u64, std::ops::Range<usize>)> {
    let (event, rest) = buffer.get(HEAD..)?.split_first_chunk::<8>()?;
    let length = u32::from_ne_bytes(*rest.first_chunk()?) as usize;
    let start = HEAD + HEADER;
    (start + length <= buffer.len()).then(|| (u64::from_ne_bytes(*event), start..start + length))
}
