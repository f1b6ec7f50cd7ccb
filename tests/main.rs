//! Tests over the real `ipcrun`, one file a subject.

mod arguments;
mod check;
mod cleanup;
mod deadlocks;
mod endings;
mod expectations;
mod explain;
mod exports;
mod page;
mod partial;
mod promela;
mod reference;
mod reports;
mod schema;
mod several;
mod support;
mod timeline;
mod trace;
mod user;
mod verbs;
mod watch;
