//! A run's events reported through `tracing`, after the run: any subscriber can take them.
//!
//! Each is an event of level `TRACE` and target [`TARGET`]. Its fields:
//!
//! | field | what it is |
//! | --- | --- |
//! | `t` | when the step ended, in ns since the run began; the subscriber's own time is that of the report |
//! | `took` | the duration in ns |
//! | `process` | the process, as `worker[3]` |
//! | `step` | the step's file and line; empty for a process's own begin and end |
//! | `verb` | the verb |
//! | `object` | what it was about: an object or a process; empty where it was about none |
//! | `outcome` | how it ended |
//! | `value` | what was moved, read or written, as written in CEL |
//! | `blocked` | whether the process had to wait |
//!
//! They are events and not spans, since spans of `tracing` cannot lie in the past. A process of a scenario never logs.

use crate::event::Target;
use crate::scenario::plan::Plan;
use crate::trace::Trace;

/// The target of the events.
pub const TARGET: &str = "ipcrun::event";

/// Tells every event of a run, in the order of the trace, where a subscriber wants them.
pub fn emit(plan: &Plan, trace: &Trace) {
    if !tracing::enabled!(target: TARGET, tracing::Level::TRACE) {
        return;
    }
    for event in &trace.events {
        let step = event.step.map_or_else(String::new, |step| plan.place(step));
        let mut object = plan.target_name(event.target).to_owned();
        if let Some(element) = event.element.get() {
            object = format!("{object}[{element}]");
        }
        tracing::event!(
            target: TARGET,
            tracing::Level::TRACE,
            t = event.end,
            took = event.duration(),
            process = plan.target_name(Target::Process(event.id.process())),
            step,
            verb = event.verb,
            object,
            outcome = %event.outcome,
            value = %event.value,
            blocked = event.blocked,
        );
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Write as _};
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;
    use crate::trace::file::fixture;

    /// Records what is reported to it.
    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<Vec<String>>>);

    struct Line(String);

    impl Visit for Line {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            let _ = write!(self.0, " {}={value:?}", field.name());
        }
    }

    impl Subscriber for Notes {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == TARGET
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &Event<'_>) {
            let mut line = Line(event.metadata().level().to_string());
            event.record(&mut line);
            self.0.lock().expect("no panic while it is locked").push(line.0);
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn a_subscriber_gets_every_event() {
        let plan = fixture::workers();
        let trace = fixture::work(&plan);
        let notes = Notes::default();
        tracing::subscriber::with_default(notes.clone(), || emit(&plan, &trace));
        let lines = notes.0.lock().expect("no panic while it is locked");
        assert_eq!(lines.len(), trace.events.len());
        assert_eq!(
            lines[1],
            "TRACE t=1110 took=10 process=\"worker[0]\" step=\"scenarios/test.toml:8\" verb=\"print\" object=\"\" \
             outcome=ok value=\"at work\" blocked=false"
        );
        assert!(lines[6].contains("object=\"permits\"") && lines[6].ends_with("blocked=true"), "{}", lines[6]);
    }
}
