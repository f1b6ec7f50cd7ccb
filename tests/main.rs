//! Tests over the real `ipcrun`, one file a subject.

mod arguments;
mod explain;
mod exports;
mod page;
mod reference;
mod reports;
mod several;
mod support;
mod verbs;
