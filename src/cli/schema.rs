//! `ipcrun schema`.

use clap::Args;

use super::catalogue;
use super::output;
use super::status::Status;
use crate::report::schema;

/// The arguments of `schema`.
#[derive(Args, Debug)]
pub(super) struct Arguments {}

pub(super) fn main(_arguments: &Arguments) -> Status {
    output::print(&format!("{:#}\n", schema::schema(&catalogue::catalogue())));
    Status::Passed
}
