//! Scenarios with the one verdict that each has, however it is searched: every file of `verdicts/` is explored with every
//! reduction and with one and two threads, every schedule that is printed is replayed on the kernel, and what `explore`
//! passes must pass when it runs.
//!
//! The first lines of a file say what is right. Other lines of that comment are prose.
//!
//! ```text
//! # explore: exit 1             the exit status of `ipcrun explore`; the only line that must be there
//! # options: --kill any         more arguments for `ipcrun explore`
//! # says: ✗ Sometimes           a text that the report contains; may stand several times
//! # not: deadlock               a text that it does not contain
//! # states: at most 50          of the search with all reductions
//! # show: 1                     `--show 1` prints a schedule too, and it replays
//! # run: exit 0                 the exit status of `ipcrun --repeat 20`; else that is asked only where `explore` passes
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Done, Test};

const REDUCTIONS: [&str; 4] = ["none", "order", "symmetry", "all"];
const RUNS: &str = "20";
/// How long one command may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// One file and what is right for it.
#[derive(Default)]
struct Case {
    name: String,
    text: String,
    explore: Option<i32>,
    options: Vec<String>,
    says: Vec<String>,
    not: Vec<String>,
    states: Option<u64>,
    show: Vec<String>,
    run: Option<i32>,
}

impl Case {
    fn read(path: &Path) -> Result<Self, String> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let mut case = Self { name, ..Self::default() };
        for line in text.lines().map_while(|line| line.strip_prefix('#')) {
            let Some((key, value)) = line.trim().split_once(": ") else { continue };
            let value = value.trim();
            let number = |before: &str| value.strip_prefix(before).and_then(|number| number.trim().parse().ok());
            match key {
                "explore" => case.explore = Some(number("exit").ok_or("`explore:` takes `exit N`")? as i32),
                "run" => case.run = Some(number("exit").ok_or("`run:` takes `exit N`")? as i32),
                "states" => case.states = Some(number("at most").ok_or("`states:` takes `at most N`")?),
                "options" => case.options = value.split_whitespace().map(str::to_owned).collect(),
                "says" => case.says.push(value.to_owned()),
                "not" => case.not.push(value.to_owned()),
                "show" => case.show.push(value.to_owned()),
                _ if key.contains(' ') => {}
                _ => return Err(format!("no line of the head is called `{key}`")),
            }
        }
        case.explore.ok_or("the head says no `explore: exit N`")?;
        case.text = text;
        Ok(case)
    }

    fn file(&self) -> String {
        format!("{}.toml", self.name)
    }

    fn test(&self) -> Test {
        Test::new().patient(PATIENCE).file(&self.file(), &self.text)
    }

    fn explore(&self, more: &[&str]) -> Done {
        self.test().args(["explore", &self.file()]).args(&self.options).args(more).run()
    }

    /// Everything that is not as the head says.
    fn check(&self) -> Result<(), String> {
        let expected = self.explore.unwrap_or_default();
        let mut first: Option<(String, String)> = None;
        let mut schedules: Vec<(String, String)> = Vec::new();
        for reduce in REDUCTIONS {
            for jobs in ["1", "2"] {
                let how = ["--reduce", reduce, "-j", jobs];
                let label = how.join(" ");
                let done = self.explore(&[&how[..], &["--json"]].concat());
                let fault = |what: String| Err(format!("{label}: {what}\n{}{}", done.out, done.err));
                if done.status != expected {
                    return fault(format!("exit status {} and not {expected}", done.status));
                }
                let json = document(&done)?;
                let states = json["explored"]["states"].as_u64().unwrap_or(u64::MAX);
                if let Some(most) = self.states.filter(|most| reduce == "all" && states > *most) {
                    return fault(format!("{states} states, and not at most {most}"));
                }
                let verdicts = verdicts(&json);
                match &first {
                    None => first = Some((label, verdicts)),
                    Some((other, said)) if *said != verdicts => {
                        return fault(format!("it says\n{verdicts}and {other} says\n{said}"));
                    }
                    Some(_) => {}
                }
                schedules.extend(schedule(&json));
            }
        }
        self.report()?;
        for number in &self.show {
            let json = document(&self.explore(&["--show", number, "--json"]))?;
            schedules.push(schedule(&json).ok_or_else(|| format!("`--show {number}` prints no schedule"))?);
        }
        schedules.sort();
        schedules.dedup();
        for (label, command) in &schedules {
            self.replay(label, command, self.show.is_empty())?;
        }
        self.runs(expected)
    }

    /// The report has what the head says, and nothing that it denies.
    fn report(&self) -> Result<(), String> {
        let done = self.explore(&[]);
        let fault = |what: String| Err(format!("{what}\n{}{}", done.out, done.err));
        if let Some(missing) = self.says.iter().find(|part| !done.out.contains(*part)) {
            return fault(format!("`{missing}` is not in the report"));
        }
        if let Some(wrong) = self.not.iter().find(|part| done.out.contains(*part)) {
            return fault(format!("`{wrong}` is in the report"));
        }
        Ok(())
    }

    /// A printed command does what it promises: the kernel does the same, and says the same of that expectation.
    fn replay(&self, label: &str, command: &str, fails: bool) -> Result<(), String> {
        let done = self.test().shell(&format!("{command} --json")).run();
        let fault = |what: &str| Err(format!("{command}: {what}\n{}{}", done.out, done.err));
        if ![0, 1, 5].contains(&done.status) {
            return fault("the schedule is refused");
        }
        let json = document(&done)?;
        if !json["difference"].is_null() {
            return fault("the kernel did otherwise than the model");
        }
        let all = ["expectations", "broken"].map(|list| json[list].as_array().cloned().unwrap_or_default()).concat();
        let Some(same) = all.iter().find(|one| one["label"] == label) else {
            return if fails { fault(&format!("nothing is said of `{label}`")) } else { Ok(()) };
        };
        if fails && same["status"] == "passed" {
            return fault(&format!("`{label}` passes"));
        }
        Ok(())
    }

    /// Runs on the kernel say nothing that the exploration denies.
    fn runs(&self, explored: i32) -> Result<(), String> {
        if self.run.is_none() && explored != 0 {
            return Ok(());
        }
        let done = self.test().args([&self.file(), "--repeat", RUNS, "-j", "2"]).run();
        let right = match self.run {
            Some(status) => done.status == status,
            // What should be seen sometimes may not have been.
            None => [0, 5].contains(&done.status),
        };
        if right { Ok(()) } else { Err(format!("run: exit status {}\n{}{}", done.status, done.out, done.err)) }
    }
}

fn document(done: &Done) -> Result<Value, String> {
    serde_json::from_str(&done.out).map_err(|error| format!("no document: {error}\n{}{}", done.out, done.err))
}

/// What is said of each expectation and rule, a line each. Of processes that are alike one stands for all.
fn verdicts(json: &Value) -> String {
    let mut lines: Vec<String> = Vec::new();
    for list in ["expectations", "broken"] {
        for one in json[list].as_array().into_iter().flatten() {
            let label = if one["rule"].is_null() { &one["label"] } else { &one["rule"] };
            let line = format!("{label} {} {}\n", one["status"], one["frequency"]);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines.concat()
}

/// The expectation whose execution is told, and the command that replays it.
fn schedule(json: &Value) -> Option<(String, String)> {
    let story = &json["story"];
    Some((story["label"].as_str()?.to_owned(), story["replay"].as_str()?.to_owned()))
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verdicts");
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    files
}

#[test]
fn every_scenario_has_the_one_verdict_however_it_is_searched() {
    let files = files();
    assert!(!files.is_empty(), "there are scenarios");
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(fault) = Case::read(file).and_then(|case| case.check()) {
                        let name = file.file_name().unwrap_or_default().display();
                        wrong.lock().unwrap_or_else(PoisonError::into_inner).push(format!("== {name}: {fault}"));
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {} are wrong\n{}", wrong.len(), files.len(), wrong.join("\n"));
}
