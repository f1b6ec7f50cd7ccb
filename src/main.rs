//! The `ipcrun` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ipcrun::cli::main()
}
