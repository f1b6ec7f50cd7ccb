//! Single executions in four parts, each by a command of its own, and what they say together.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::problems::Problem;
use super::{Kit, Line, goal};
use crate::table::time;

const PARTS: u32 = 4;

pub(super) fn row(kit: &Kit<'_>, name: &str, problem: Problem) -> Result<Vec<Line>, String> {
    let folder = kit.folder.join("shards");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    fs::write(folder.join("problem.toml"), problem.text()).map_err(|error| error.to_string())?;
    let runs = if kit.options.quick { "100000" } else { "1000000" };
    let explore = ["explore", "problem.toml", "--strategy", "pct", "--runs", runs, "-j", "1"];
    let (whole, alone) = run(kit, &folder, &explore)?;
    let mut longest = 0.0_f64;
    let mut merge = vec!["explore".to_owned(), "--merge".to_owned()];
    for part in 1..=PARTS {
        let (shard, file) = (format!("{part}/{PARTS}"), format!("{part}.json"));
        let (_, took) = run(kit, &folder, &[&explore[..], &["--shard", &shard, "--part", &file]].concat())?;
        longest = longest.max(took);
        merge.push(file);
    }
    let merge: Vec<&str> = merge.iter().map(String::as_str).collect();
    let (merged, took) = run(kit, &folder, &merge)?;
    let same = merged == whole;
    Ok(vec![Line {
        name: name.to_owned(),
        about: format!("{}, {runs} executions by priorities, {PARTS} parts", problem.about()),
        ours: format!("one {}, longest part {}, merge {}", time(alone), time(longest), time(took)),
        result: format!("{:.1} x", alone / (longest + took)),
        goal: goal("the same report, byte for byte", same),
        ..Line::default()
    }])
}

/// What a command says, and how long it takes in ns.
fn run(kit: &Kit<'_>, folder: &Path, arguments: &[&str]) -> Result<(Vec<u8>, f64), String> {
    let begin = Instant::now();
    let mut command = Command::new(&kit.ipcrun);
    let output = command.args(arguments).current_dir(folder).output();
    let output = output.map_err(|error| format!("{}: {error}", kit.ipcrun.display()))?;
    // Single executions prove nothing: 5.
    match output.status.code() {
        Some(0 | 1 | 5) => Ok((output.stdout, begin.elapsed().as_nanos() as f64)),
        _ => Err(format!("{arguments:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr))),
    }
}
