//! Tests over the real `ipcrun`, one file a subject.

mod arguments;
mod check;
mod cleanup;
mod deadlocks;
mod expectations;
mod explain;
mod exports;
mod reference;
mod reports;
mod several;
mod support;
mod verbs;
