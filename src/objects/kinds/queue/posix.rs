//! A queue over `mq_open(3)`. A message is 8 bytes for the event that put it, then the value's encoding.

use super::{Give, Refusal, Taken, Transport};
use crate::objects::{Caller, HostError, Patience};
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
}

impl Posix {
    pub(super) fn create(name: &str, capacity: u64, message_size: u64) -> Result<Self, HostError> {
        let bytes = message_size + OVERHEAD;
        let mut made = MessageQueue::new(capacity, bytes);
        if matches!(&made, Err(error) if error.raw_os_error() == Some(libc::EMFILE)) && limits::raise_queue_bytes() {
            made = MessageQueue::new(capacity, bytes);
        }
        let queue = made.map_err(|error| refuse(name, capacity, bytes, &error))?;
        Ok(Self { queue, message_size })
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
    fn put(&self, give: &mut Give<'_>, full: bool, patience: Patience, party: &mut dyn Caller) -> Result<u64, Refusal> {
        let priority = give.priority;
        let message = give.framed(&[&give.event.to_ne_bytes()]);
        patience.attempt(
            party,
            full,
            |wait| if wait { self.queue.send(message, priority) } else { self.queue.try_send(message, priority) },
            |until| self.queue.wait_room(until),
        )?;
        Ok(0)
    }

    fn get(
        &self,
        buffer: &mut Vec<u8>,
        max: Option<u64>,
        empty: bool,
        patience: Patience,
        party: &mut dyn Caller,
    ) -> Result<Taken, Refusal> {
        let size = (max.unwrap_or(u64::MAX).min(self.message_size) + OVERHEAD) as usize;
        let priority = patience.attempt(
            party,
            empty,
            |wait| if wait { self.queue.receive(buffer, size) } else { self.queue.try_receive(buffer, size) },
            |until| self.queue.wait_message(until),
        )?;
        taken(buffer, priority)
    }

    fn size(&self, _party: &mut dyn Caller) -> Result<(u64, u64), i32> {
        self.queue.len().map(|length| (length, 0))
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

fn taken(buffer: &[u8], priority: u32) -> Result<Taken, Refusal> {
    let event = buffer.first_chunk::<EVENT>().ok_or(libc::EBADMSG)?;
    Ok(Taken { event: u64::from_ne_bytes(*event), priority, ticket: 0, content: EVENT..buffer.len() })
}
