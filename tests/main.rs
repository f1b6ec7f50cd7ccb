//! Tests over the real `ipcrun`, one file a subject.

mod arguments;
mod explain;
mod exports;
mod several;
mod support;
