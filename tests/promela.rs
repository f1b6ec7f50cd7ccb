//! `explore --emit promela`: SPIN, given a scenario, finds as many states and deadlocks as the model does.

mod corpus;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use ipcrun::diagnostic::{Diagnostic, Source};
use ipcrun::explore::execution::concretise::tell;
use ipcrun::explore::semantics::transition::Time;
use ipcrun::explore::state_space::StateSpace;
use ipcrun::explore::strategy::bfs::{Limits, Reductions, Search};
use ipcrun::judge::FORMS;
use ipcrun::outcome::Outcome;
use ipcrun::promela::promela;
use ipcrun::scenario::plan::Plan;
use ipcrun::scenario::{Options, load};
use ipcrun::trace::{ProcessEnd, RunEnd};

use corpus::Scenario;

/// What a search counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Counts {
    states: usize,
    /// States in which some process waits for ever, or for one that would have started it: SPIN makes no difference.
    stuck: usize,
    /// Whether an `assert` step fails somewhere.
    fails: bool,
}

fn plan(text: &str) -> Plan {
    let source = Arc::new(Source::new("p.toml".to_owned(), text.to_owned()));
    let forms: Vec<_> = FORMS.iter().map(|form| &form.description).collect();
    match load(&source, &Options::default(), &forms) {
        Ok(loaded) => loaded.plan,
        Err(diagnostics) => panic!("{diagnostics:?}\n{text}"),
    }
}

/// What the model counts.
fn modelled(plan: &Plan, time: Time) -> Counts {
    let mut space = StateSpace::new(plan, time, vec![false; plan.steps.len()], false);
    let mut search = Search::new(&mut space, Reductions::NONE);
    search.run(Limits::default(), &mut |_| true).expect("every process comes to a step");
    let mut counts = Counts { states: search.store.len(), stuck: 0, fails: false };
    for end in search.ends.clone() {
        let line = search.line(end);
        let path = search.path(&line).expect("every process comes to a step");
        let told = tell(search.space, &path).expect("the path can be followed");
        let unstarted = told.trace.ends.contains(&ProcessEnd::NotStarted);
        counts.stuck += usize::from(told.trace.end == RunEnd::Deadlock || unstarted);
        counts.fails |=
            told.trace.events.iter().any(|event| event.verb == "assert" && event.outcome == Outcome::FAILED);
    }
    counts
}

/// Runs a command in a directory and gives what it wrote to standard output.
fn run(directory: &Path, words: &[&str]) -> Result<String, String> {
    let output = Command::new(words[0]).args(&words[1..]).current_dir(directory).output();
    let output = output.map_err(|error| format!("{words:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("{words:?}: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// The number before or behind some words of pan's.
fn number(text: &str, find: impl Fn(&str) -> Option<&str>) -> Result<usize, String> {
    let number = text.lines().find_map(find).and_then(|word| word.trim().parse().ok());
    number.ok_or_else(|| format!("pan does not say how many:\n{text}"))
}

fn spun(directory: &Path, model: &str) -> Result<Counts, String> {
    fs::write(directory.join("model.pml"), model).map_err(|error| error.to_string())?;
    run(directory, &["spin", "-a", "-o1", "-o2", "-o3", "model.pml"])?;
    run(directory, &["cc", "-O0", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c"])?;
    // Once for deadlocks alone, once for assertions alone: each is found wherever it is.
    let deadlocks = run(directory, &["./pan", "-m200000", "-w16", "-n", "-c0", "-A"])?;
    let asserts = run(directory, &["./pan", "-m200000", "-w16", "-n", "-c0", "-E"])?;
    if [&deadlocks, &asserts].into_iter().any(|said| said.contains("max search depth too small")) {
        return Err("the search was cut".to_owned());
    }
    let errors = |said: &str| number(said, |line| line.split_once("errors:").map(|(_, count)| count));
    Ok(Counts {
        states: number(&deadlocks, |line| line.strip_suffix("states, stored"))?,
        stuck: errors(&deadlocks)?,
        fails: errors(&asserts)? > 0,
    })
}

/// Compares one scenario. What is wrong with it.
fn compare(scenario: &Scenario) -> Result<Counts, String> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let plan = plan(&scenario.text);
    let text = promela(&plan, scenario.time).map_err(|problems| said(&problems))?;
    let directory = std::env::temp_dir().join(format!("ipcrun-promela-{}-{number}", std::process::id()));
    fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
    let spun = spun(&directory, &text);
    let _ = fs::remove_dir_all(&directory);
    let (spun, modelled) = (spun?, modelled(&plan, scenario.time));
    if spun == modelled {
        return Ok(spun);
    }
    Err(format!("SPIN finds {spun:?}, the model {modelled:?}\n{}\n{text}", scenario.text))
}

fn said(problems: &[Diagnostic]) -> String {
    problems.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>().join("\n")
}

#[test]
fn spin_counts_what_the_model_counts() {
    for program in ["spin", "cc"] {
        assert!(Command::new(program).arg("-V").output().is_ok(), "`{program}` is not installed: see .ci/install");
    }
    let corpus = corpus::all();
    assert!(corpus.len() >= 90, "{} scenarios", corpus.len());
    let next = AtomicUsize::new(0);
    let report = Mutex::new((String::new(), String::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(scenario) = corpus.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = compare(scenario);
                    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                    let _ = match result {
                        Ok(counts) => writeln!(report.0, "{}: {counts:?}", scenario.name),
                        Err(wrong) => writeln!(report.1, "## {}: {wrong}", scenario.name),
                    };
                }
            });
        }
    });
    let (right, wrong) = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{right}");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_has_no_translation_is_refused_at_its_place() {
    for (name, text, place, reason) in corpus::refused() {
        let plan = plan(&text);
        let Err(problems) = promela(&plan, Time::Virtual) else { panic!("{name} is translated") };
        let problem = &problems[0];
        assert!(problem.message.contains(reason), "{name}: {}", problem.message);
        let span = problem.primary.as_ref().map(|label| label.span.clone()).unwrap_or_default();
        assert!(text[span.clone()].contains(place), "{name}: {}", &text[span]);
    }
}
