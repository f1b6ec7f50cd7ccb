//! SPIN's side: a model made into a program, and what that program says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// SPIN and a C compiler.
#[derive(Debug)]
pub(super) struct Spin {
    folder: PathBuf,
    pub(super) version: String,
}

impl Spin {
    /// Looks for it; says what is missing.
    pub(super) fn find(folder: &Path) -> Result<Self, String> {
        let ask = |program: &str, option: &str| {
            let output = Command::new(program).arg(option).output().ok()?;
            String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
        };
        let version = ask("spin", "-V").ok_or("there is no `spin` here")?;
        ask("cc", "--version").ok_or("there is no C compiler `cc` here")?;
        Ok(Self { folder: folder.join("spin"), version })
    }

    /// A folder of that name for a model.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.folder.join(name.replace(':', "-"));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }

    /// Makes a program of a model, with definitions for the model and options for the compiler.
    pub(super) fn build(
        &self,
        name: &str,
        model: &str,
        definitions: &[String],
        options: &[&str],
    ) -> Result<PathBuf, String> {
        let folder = self.folder(name)?;
        fs::write(folder.join("model.pml"), model).map_err(|error| error.to_string())?;
        run(Command::new("spin").arg("-a").args(definitions).arg("model.pml").current_dir(&folder))?;
        run(Command::new("cc").arg("-w").args(options).args(["-o", "pan", "pan.c"]).current_dir(&folder))?;
        Ok(folder.join("pan"))
    }
}

/// Runs a command, and gives what it says.
pub(super) fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("{command:?} ended with {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// How many states pan has stored.
pub(super) fn states(said: &str) -> Result<f64, String> {
    let number = said.lines().find_map(|line| line.trim().strip_suffix("states, stored")?.trim().parse().ok());
    number.ok_or_else(|| format!("pan does not say how many states:\n{said}"))
}

/// The steps of the shortest error that pan has found: with `-i` it looks for shorter ones, and says so.
pub(super) fn steps(said: &str) -> Option<u64> {
    let found = |line: &str| line.split_once("(at depth ")?.1.split_once(')')?.0.parse::<u64>().ok().map(|at| at + 1);
    let shorter = |line: &str| line.split_once("reducing search depth to ")?.1.trim().parse().ok();
    said.lines().filter_map(|line| found(line).or_else(|| shorter(line))).min()
}
