//! Tests over the real `ipcrun`, one file a subject.

mod arguments;
mod cleanup;
mod deadlocks;
mod expectations;
mod explain;
mod exports;
mod page;
mod reference;
mod reports;
mod schema;
mod several;
mod support;
mod timeline;
mod verbs;
mod watch;
