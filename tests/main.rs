//! Tests over the real `ipcrun`, one file a subject.

mod arguments;
mod check;
mod classics;
mod cleanup;
mod deadlocks;
mod endings;
mod expectations;
mod explain;
mod explore;
mod exports;
mod faults;
mod page;
mod partial;
mod parts;
mod promela;
mod reference;
mod reports;
mod schedules;
mod schema;
mod several;
mod support;
mod timeline;
mod trace;
mod user;
mod verbs;
mod watch;
