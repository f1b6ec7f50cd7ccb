//! What a queue holds as its events are replayed.

use super::{GET, PUT};
use crate::event::{Event, EventId};
use crate::objects::State;
use crate::value::Value;

/// The messages in the queue, in the order they will come out: each with the event that put it and its priority.
#[derive(Debug, Default)]
pub(super) struct Content {
    messages: Vec<(EventId, i64, Value)>,
}

impl State for Content {
    fn apply(&mut self, event: &Event) {
        if !event.outcome.is_ok() {
            return;
        }
        match event.verb {
            PUT => {
                let priority = event.second.as_int().unwrap_or(0);
                let at = self.messages.partition_point(|(_, before, _)| *before >= priority);
                self.messages.insert(at, (event.id, priority, event.value.clone()));
            }
            GET => {
                let at = self.messages.iter().position(|(id, ..)| Some(*id) == event.cause).unwrap_or(0);
                if at < self.messages.len() {
                    self.messages.remove(at);
                }
            }
            _ => {}
        }
    }

    fn value(&self, _names: &[String]) -> Value {
        self.messages.iter().map(|(.., value)| value.clone()).collect::<Vec<_>>().into()
    }

    fn size(&self) -> Option<i64> {
        Some(self.messages.len() as i64)
    }
}
