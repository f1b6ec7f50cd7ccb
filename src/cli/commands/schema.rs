//! `ipcrun schema`.

use clap::Args;

use crate::cli::full_catalogue;
use crate::cli::output;
use crate::cli::status::Status;
use crate::report::catalogue::json_schema;

/// The arguments of `schema`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {}

pub(crate) fn main(_arguments: &Arguments) -> Status {
    output::print(&text());
    Status::Passed
}

/// The schema's text.
pub(super) fn text() -> String {
    format!("{:#}\n", json_schema::schema(&full_catalogue::catalogue()))
}
