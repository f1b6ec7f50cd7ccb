//! The kinds of objects, a room for each; and, beside them, what needs no declaration: the process itself (`own`), time
//! (`timer`), the processes (`process`) and the signals that a process gets (`signals`).

pub(crate) mod array;
pub(crate) mod barrier;
pub(crate) mod cells;
pub(crate) mod condition;
pub(crate) mod event;
pub(crate) mod eventfd;
pub(crate) mod memory;
pub(crate) mod mutex;
pub(crate) mod own;
pub(crate) mod pipe;
pub(crate) mod process;
pub(crate) mod queue;
pub(crate) mod rwlock;
pub(crate) mod semaphore;
pub(crate) mod signals;
pub(crate) mod timer;
pub(crate) mod value;
