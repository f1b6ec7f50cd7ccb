//! The commands, one file for each.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod example;
pub(crate) mod explain;
pub(crate) mod explore;
pub(crate) mod help;
pub(crate) mod init;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod mutate;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod step;
pub(crate) mod trace;
pub(crate) mod watch;
