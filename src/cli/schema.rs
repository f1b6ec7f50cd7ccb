//! `ipcrun schema`.

use clap::Args;

use super::catalogue;
use super::output::Output;
use super::status::Status;
use crate::report::schema;

/// The arguments of `schema`.
#[derive(Args, Debug)]
pub(super) struct Arguments {}

pub(super) fn main(_arguments: &Arguments, output: Output) -> Status {
    output.print(&format!("{:#}\n", schema::schema(&catalogue::catalogue())));
    Status::Passed
}
