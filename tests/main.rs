//! Tests over the real `ipcrun`, one file a subject.

mod arguments;
mod explain;
mod reference;
mod several;
mod support;
