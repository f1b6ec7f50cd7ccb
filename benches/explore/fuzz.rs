//! How many random programs in a second the reduced searches are compared with the full one on: a test does that, which is
//! built here.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use super::{Kit, Line, Said, goal, side, spin};

/// Kinds of programs that `IPCRUN_DRAWN` counts: one for each taste and way to look at it.
const KINDS: u32 = 13;

pub(super) fn row(kit: &Kit<'_>) -> Result<Vec<Line>, String> {
    let programs: u32 = if kit.options.quick { 500 } else { 4000 };
    let tests = tests()?;
    let run = |filter: &str| {
        let mut command = Command::new(&kit.this);
        command.args([side::MARK, "watch"]).arg(&tests).args([filter, "--test-threads=1"]);
        spin::run(command.env("IPCRUN_DRAWN", programs.to_string())).map(Said)
    };
    let said = run("explore::testing::random_programs::reductions")?;
    let seconds = said.number("cpu")? / 1e9;
    let all = f64::from(programs * KINDS);
    run("explore::testing::random_programs::faults")?;
    Ok(vec![Line {
        name: "explore-fuzz".to_owned(),
        about: "random programs, four searches of each".to_owned(),
        ours: format!("{all} programs"),
        result: format!("{:.0} programs/s", all / seconds),
        goal: goal("no difference, each mutant caught", true),
        ..Line::default()
    }])
}

/// The program of the unit tests.
fn tests() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args(["test", "--release", "--lib", "--no-run", "--message-format=json"]);
    let said = spin::run(command.current_dir(env!("CARGO_MANIFEST_DIR")))?;
    let built = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut programs = built.filter(|message| message["profile"]["test"] == true);
    let program = programs.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    program.ok_or_else(|| "cargo does not say where the unit tests are".to_owned())
}
