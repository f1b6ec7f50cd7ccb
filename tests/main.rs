//! Tests over the real `ipcrun`, one file a subject.

mod arguments;
mod expectations;
mod explain;
mod several;
mod support;
mod verbs;
