//! Random executions beside those of shuttle, which runs real code on coroutines: a program of its own, built where cargo
//! can get it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::problems::Problem;
use super::{Kit, Line, goal, spin};

/// At least so many times shuttle's executions in a second of CPU time.
const FASTER: f64 = 5.0;

pub(super) fn row(kit: &Kit<'_>, name: &str) -> Result<Vec<Line>, String> {
    let (processes, rounds) = (3, 3);
    let problem = Problem::LostUpdate(processes, rounds);
    let shuttle = build(&kit.folder);
    let runs = if kit.options.quick { 100_000 } else { 500_000 };
    let [mut mine, mut theirs] = [0.0_f64; 2];
    for _ in 0..kit.runs() {
        let said = kit.ours(&["walk", &problem.name(), &(runs * 10).to_string()])?;
        mine = mine.max(said.number("walks")? / (said.number("spent")? / 1e9));
        if let Ok(shuttle) = &shuttle {
            let words = [processes, rounds, runs].map(|number| number.to_string());
            let said = kit.watched(&[&shuttle.to_string_lossy(), &words[0], &words[1], &words[2]])?;
            theirs = theirs.max(said.number("walks")? / (said.number("cpu")? / 1e9));
        }
    }
    let ratio = mine / theirs;
    let rate = |number: f64| format!("{:.2} M/s", number / 1e6);
    let (result, reached) = match &shuttle {
        Ok(_) => (format!("{ratio:.1} x shuttle's"), goal(&format!("{FASTER} x"), ratio >= FASTER)),
        Err(missing) => (missing.clone(), format!("{FASTER} x")),
    };
    Ok(vec![Line {
        name: name.to_owned(),
        about: format!("{}, random", problem.about()),
        ours: rate(mine),
        theirs: if shuttle.is_ok() { format!("shuttle {}", rate(theirs)) } else { String::new() },
        result,
        goal: reached,
    }])
}

/// Builds shuttle's side; says so where cargo cannot.
fn build(folder: &Path) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let target = folder.join("shuttle");
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/shuttle");
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--locked", "--quiet", "--target-dir"]).arg(&target);
    // Where this program was built is not where that one is.
    command.env_remove("CARGO_TARGET_DIR").current_dir(package);
    spin::run(&mut command).map_err(|_| "cargo cannot build shuttle's side".to_owned())?;
    Ok(target.join("release/bench-shuttle"))
}
