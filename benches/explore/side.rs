//! ipcrun's side of a row, in a process of its own: what it used is then no other process's.
//!
//! Says what it found as lines of a name and a number.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Instant;

use ipcrun::diagnostic::Source;
use ipcrun::explore::counterexample;
use ipcrun::explore::execution::{concretise, guided};
use ipcrun::explore::run;
use ipcrun::explore::run::Explored;
use ipcrun::explore::semantics::transition::Time;
use ipcrun::explore::state_space::StateSpace;
use ipcrun::explore::strategy::bfs::{Limits, Reductions, Search};
use ipcrun::explore::strategy::fallback::{Coverage, FallbackOptions, Strategy};
use ipcrun::kernel::{self, Recording};
use ipcrun::scenario::{self, plan::Plan};
use nix::sys::resource::{Usage, UsageWho, getrusage};

use super::problems::Problem;

/// Marks the command line of a side.
pub(super) const MARK: &str = "--side";

/// Is this side, where the command line asks for one.
pub(crate) fn be(mut words: impl Iterator<Item = String>) -> Option<ExitCode> {
    if words.next()? != MARK {
        return None;
    }
    let words: Vec<String> = words.collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["watch", program, rest @ ..] => watch(program, rest),
        ["search", name, reduced] => search(name, *reduced == "reduced"),
        ["story", name] => tell_story(name),
        ["walk", name, runs] => walk(name, runs),
        ["cores", name, how, jobs] => cores(name, how, jobs),
        ["replay", runs] => replay(runs),
        _ => Err(format!("no such side: {words:?}")),
    };
    Some(match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    })
}

/// Runs another program, and says what CPU time it took in ns and how many bytes it had at most.
fn watch(program: &str, words: &[&str]) -> Result<(), String> {
    let mut command = Command::new(program);
    let status = command.args(words).stdin(Stdio::null()).status().map_err(|error| format!("{program}: {error}"))?;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    println!("\ncpu {}\nresident {}", spent(&usage), usage.max_rss() * 1024);
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}")) }
}

fn spent(usage: &Usage) -> i64 {
    let ns = |time: nix::sys::time::TimeVal| time.tv_sec() * 1_000_000_000 + time.tv_usec() * 1000;
    ns(usage.user_time()) + ns(usage.system_time())
}

/// The CPU time that this process has taken, in ns.
fn cpu(who: UsageWho) -> Result<i64, String> {
    getrusage(who).map(|usage| spent(&usage)).map_err(|error| error.to_string())
}

/// The plan of a problem, or of a file.
fn plan(name: &str) -> Result<Plan, String> {
    let text = match Problem::parse(name) {
        Some(problem) => problem.text(),
        None => std::fs::read_to_string(Path::new(name)).map_err(|error| format!("{name}: {error}"))?,
    };
    let source = Arc::new(Source::new(name.to_owned(), text));
    let forms: Vec<_> = ipcrun::judge::FORMS.iter().map(|form| &form.description).collect();
    match scenario::load(&source, &scenario::Options::default(), &forms) {
        Ok(loaded) => Ok(loaded.plan),
        Err(diagnostics) => Err(diagnostics.iter().map(|problem| format!("{name}: {}\n", problem.message)).collect()),
    }
}

/// Looks at every state, or at those that are left by the reductions.
fn search(name: &str, reduced: bool) -> Result<(), String> {
    let plan = plan(name)?;
    let reductions = if reduced { Reductions::ALL } else { Reductions::NONE };
    let begin = Instant::now();
    let mut space = StateSpace::new(&plan, Time::Virtual, vec![false; plan.steps.len()], false);
    let mut search = Search::new(&mut space, reductions);
    search.run(Limits::default(), &mut |_| true).map_err(|endless| format!("{endless:?}"))?;
    let took = begin.elapsed().as_nanos();
    if let Some(cut) = search.cut {
        return Err(format!("the search was cut: {cut:?}"));
    }
    println!("states {}\nbytes {}\ntook {took}", search.store.len(), search.store.bytes());
    Ok(())
}

fn explored(plan: &Plan, options: &run::Options) -> Result<Explored, String> {
    run::explore(plan, options, &mut |_| true).map_err(|fault| format!("{fault:?}"))
}

/// Explores, and looks for the best story of what fails or can end in a deadlock.
fn tell_story(name: &str) -> Result<(), String> {
    let plan = plan(name)?;
    let begin = Instant::now();
    let explored = explored(&plan, &run::Options::default())?;
    println!("explored {}\nstates {}", begin.elapsed().as_nanos(), explored.size.states);
    if let Some((found, place, _)) = explored.counterexample() {
        let begin = Instant::now();
        let mut space = run::space(&plan, Time::Virtual, explored.ends);
        let one = &explored.summary.overall[place];
        let named = (one.subject, one.label.as_str());
        let best = counterexample::best(&plan, &mut space, found, named, ipcrun::judge::Status::Fail)
            .map_err(|fault| format!("{fault:?}"))?;
        println!("told {}\nswitches {}", begin.elapsed().as_nanos(), best.switches);
        println!("steps {}\nfewest {}", best.path.len(), u8::from(best.fewest));
    }
    Ok(())
}

fn walk(name: &str, runs: &str) -> Result<(), String> {
    let plan = plan(name)?;
    let runs = runs.parse().map_err(|error| format!("{runs}: {error}"))?;
    let beyond = FallbackOptions { runs, ..FallbackOptions::default() };
    let options = run::Options { strategy: Strategy::Random, beyond, ..run::Options::default() };
    let before = cpu(UsageWho::RUSAGE_SELF)?;
    let explored = explored(&plan, &options)?;
    let spent = cpu(UsageWho::RUSAGE_SELF)? - before;
    let [Coverage::Walks(walks)] = explored.rungs.as_slice() else {
        return Err(format!("no walks were taken: {:?}", explored.rungs));
    };
    println!("spent {spent}\nwalks {}\nsteps {}", walks.random, walks.steps);
    Ok(())
}

/// Explores every state without reductions, or that many random executions, by that many threads.
fn cores(name: &str, how: &str, jobs: &str) -> Result<(), String> {
    let plan = plan(name)?;
    let jobs = jobs.parse().map_err(|error| format!("{jobs}: {error}"))?;
    let mut options = run::Options { reductions: Reductions::NONE, jobs, ..run::Options::default() };
    if how != "full" {
        let runs = how.parse().map_err(|error| format!("{how}: {error}"))?;
        (options.strategy, options.beyond) = (Strategy::Random, FallbackOptions { runs, ..FallbackOptions::default() });
    }
    let (before, begin) = (cpu(UsageWho::RUSAGE_SELF)?, Instant::now());
    let explored = explored(&plan, &options)?;
    let (took, spent) = (begin.elapsed().as_nanos(), cpu(UsageWho::RUSAGE_SELF)? - before);
    println!("took {took}\nspent {spent}\nfound {}", explored.size.edges);
    Ok(())
}

/// Holds ten processes to random schedules on the kernel, and checks that each ends as the model says.
fn replay(runs: &str) -> Result<(), String> {
    let plan = plan(&Problem::Ordered(10).name())?;
    let runs: u64 = runs.parse().map_err(|error| format!("{runs}: {error}"))?;
    let mut space = run::scheduled(&plan, Time::Virtual, &[]);
    let mut told = Vec::new();
    for seed in 0..runs {
        let path = guided::walk(&mut space, seed).map_err(|endless| format!("{endless:?}"))?;
        told.push(concretise::tell(&space, &path).map_err(|lost| format!("{lost:?}"))?);
    }
    let both = || Ok::<_, String>(cpu(UsageWho::RUSAGE_SELF)? + cpu(UsageWho::RUSAGE_CHILDREN)?);
    let (before, begin) = (both()?, Instant::now());
    let mut confirmed = 0;
    for told in &told {
        let mut notice = |_: kernel::Notice<'_>| {};
        let mut options = kernel::Options {
            spool: None,
            recording: Recording::Full,
            limits: kernel::Limits::default(),
            schedule: Some(&told.turns),
            notice: &mut notice,
        };
        let trace = kernel::run(&plan, &mut options).map_err(|diagnostics| {
            diagnostics.iter().map(|problem| format!("{}\n", problem.message)).collect::<String>()
        })?;
        confirmed += u64::from(trace.end == told.trace.end && trace.finals == told.trace.finals);
    }
    println!("took {}\nspent {}", begin.elapsed().as_nanos(), both()? - before);
    println!("runs {runs}\nconfirmed {confirmed}");
    Ok(())
}
