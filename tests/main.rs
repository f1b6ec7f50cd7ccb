//! Tests over the real `ipcrun`, one file a subject.

mod arguments;
mod expectations;
mod explain;
mod exports;
mod reference;
mod reports;
mod schema;
mod several;
mod support;
mod verbs;
