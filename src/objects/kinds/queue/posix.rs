//! A queue over `mq_open(3)`. A message is 8 bytes for the event that put it, then the value's encoding.

use super::waiters::Sides;
use super::{Give, Refusal, Taken, Transport};
use crate::event::ProcessId;
use crate::objects::{Caller, CreateContext, HostError, Patience};
use crate::os::arena::Shared;
use crate::os::limits::{self, Limit};
use crate::os::mqueue::MessageQueue;

/// What a message takes beyond `message_size`: the event, and the few bytes by which an encoding is longer than what
/// it encodes.
pub(super) const OVERHEAD: u64 = 16;

/// The bytes for the event.
const EVENT: usize = 8;

pub(super) struct Posix {
    queue: MessageQueue,
    message_size: u64,
    sides: Shared<Sides>,
}

impl Posix {
    pub(super) fn create(site: &CreateContext<'_>, capacity: u64, message_size: u64) -> Result<Self, HostError> {
        let name = site.name;
        let bytes = message_size + OVERHEAD;
        let mut made = MessageQueue::new(capacity, bytes);
        if matches!(&made, Err(error) if error.raw_os_error() == Some(libc::EMFILE)) && limits::raise_queue_bytes() {
            made = MessageQueue::new(capacity, bytes);
        }
        let queue = made.map_err(|error| refuse(name, capacity, bytes, &error))?;
        let sides = site.arena.alloc().map_err(|error| HostError::call("mmap", &error))?;
        Ok(Self { queue, message_size, sides })
    }
}

/// What the host would have to give.
fn refuse(name: &str, capacity: u64, bytes: u64, error: &std::io::Error) -> HostError {
    let (limit, wanted) = match error.raw_os_error() {
        Some(libc::EINVAL) if Limit::MqueueMessages.is_below(capacity) => (Limit::MqueueMessages, capacity),
        Some(libc::EINVAL) if Limit::MqueueMessageSize.is_below(bytes) => (Limit::MqueueMessageSize, bytes),
        Some(libc::EMFILE) if limits::descriptors_are_out() => {
            (Limit::OpenFiles, Limit::OpenFiles.value().unwrap_or(1024) * 2)
        }
        Some(libc::EMFILE) => (Limit::MqueueBytes, capacity * bytes),
        Some(libc::ENFILE) => (Limit::SystemFiles, Limit::SystemFiles.value().unwrap_or(1024) * 2),
        Some(libc::ENOSPC) => (Limit::MqueueQueues, Limit::MqueueQueues.value().unwrap_or(256) * 2),
        _ => {
            return HostError::call(&format!("mq_open for the queue `{name}`"), error)
                .help("`via = \"memory\"` needs no queue of the kernel");
        }
    };
    let asked = match limit {
        Limit::MqueueMessages => format!("asks for a capacity of {capacity} messages"),
        Limit::MqueueMessageSize => format!("asks for messages of {bytes} bytes, {OVERHEAD} of them ipcrun's own"),
        Limit::MqueueBytes => format!("asks for {capacity} messages of {bytes} bytes each"),
        _ => "cannot be made".to_owned(),
    };
    HostError { message: format!("the queue `{name}` {asked}: {limit}"), help: None }
        .help(format!("{}, or use `via = \"memory\"`, which needs no queue of the kernel", limit.help(wanted)))
}

impl Transport for Posix {
    fn put(&self, give: &mut Give<'_>, patience: Patience, party: &mut dyn Caller) -> Result<u64, Refusal> {
        let priority = give.priority;
        let message = give.framed(&[&give.event.to_ne_bytes()]);
        let put = self.sides.put(
            patience,
            party,
            |wait| if wait { self.queue.send(message, priority) } else { self.queue.try_send(message, priority) },
            |until| self.queue.wait_room(until),
        )?;
        Ok(put)
    }

    fn get(
        &self,
        buffer: &mut Vec<u8>,
        max: Option<u64>,
        patience: Patience,
        party: &mut dyn Caller,
    ) -> Result<Taken, Refusal> {
        // The kernel looks at the size of the buffer before it waits, so the step does not wait for its turn either.
        if max.is_some_and(|max| max < self.message_size) {
            return Err(Refusal::from(libc::EMSGSIZE));
        }
        let size = (self.message_size + OVERHEAD) as usize;
        let (priority, ticket) = self.sides.get(
            patience,
            party,
            |wait| if wait { self.queue.receive(buffer, size) } else { self.queue.try_receive(buffer, size) },
            |until| self.queue.wait_message(until),
        )?;
        let event = buffer.first_chunk::<EVENT>().ok_or(libc::EBADMSG)?;
        Ok(Taken { event: u64::from_ne_bytes(*event), priority, ticket, content: EVENT..buffer.len() })
    }

    fn size(&self, _party: &mut dyn Caller) -> Result<(u64, u64), i32> {
        self.sides.size(|| self.queue.len())
    }

    fn stopped(&self, process: ProcessId) {
        self.sides.stopped(process);
    }

    fn reclaim(&self, process: ProcessId) {
        self.sides.reclaim(process);
    }

    fn drain(&self, each: &mut dyn FnMut(&[u8])) {
        loop {
            let mut buffer = Vec::new();
            match self.queue.try_receive(&mut buffer, self.queue.message_size()) {
                Ok(_) => each(buffer.get(EVENT..).unwrap_or_default()),
                Err(_) => return,
            }
        }
    }
}
