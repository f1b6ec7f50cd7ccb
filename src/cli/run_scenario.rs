//! One scenario from its text to its report: where the commands meet the other rooms.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::export::{Format, Shown};
use super::files::{self, Replacing};
use super::golden::Golden;
use super::growing::Growing;
use super::html_file;
use super::inputs::Input;
use super::options::{ProgressChoice, RecordChoice, Scenario};
use super::output::{self, Output};
use super::schedules::{self, Chosen};
use super::status::Status;
use super::timeline_choice::Picture;
use crate::diagnostic::{Code, Diagnostic, Source};
use crate::explore::execution::concretise::Told;
use crate::explore::semantics::transition::Nondeterminism;
use crate::judge::{self, FORMS, Tally, Verdict};
use crate::kernel::{self, Limits, Notice, Recording, Spool};
use crate::os::memory;
use crate::report::ci::annotations;
use crate::report::ci::test_suite::Suite;
use crate::report::export::{json, tracing_events};
use crate::report::terminal::process_output::Live;
use crate::report::terminal::progress::{Mode, Progress, Snapshot};
use crate::report::terminal::{repeat_summary, run_summary, trace_diff};
use crate::scenario::expectation::FormDescription;
use crate::scenario::plan::Plan;
use crate::scenario::{self, Loaded};
use crate::text;
use crate::trace::file::Meta;
use crate::trace::{RunEnd, Trace};

/// How scenarios are run and what is shown of it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(crate) struct Options {
    /// What is changed of each scenario.
    pub(crate) scenario: Scenario,
    /// The schedule that processes are held to.
    pub(crate) held: Option<Held>,
    /// How often each is run.
    pub(crate) repeat: u32,
    pub(crate) record: RecordChoice,
    /// How much of it at most.
    pub(crate) limits: Limits,
    /// The files that take the trace, each in its form.
    pub(crate) traces: Vec<(PathBuf, Format)>,
    /// Whether reports for a CI server are written, which need a suite of each scenario.
    pub(crate) suites: bool,
    /// Whether standard output takes something else than summaries.
    pub(crate) silent: bool,
    /// Which picture is drawn of the run.
    pub(crate) timeline: Option<Picture>,
    /// Whether all of it is to fit on one screen, without what processes print.
    pub(crate) watched: bool,
    /// The file that takes the page.
    pub(crate) html: Option<PathBuf>,
    /// Whether results are JSON.
    pub(crate) json: bool,
    /// How progress is shown.
    pub(crate) progress: Mode,
    /// Whether only failures are printed.
    pub(crate) quiet: bool,
    /// Where all of it goes.
    pub(crate) output: Output,
    /// The arguments that a command to repeat the run needs besides the file and the seed.
    pub(crate) arguments: Vec<String>,
}

/// A schedule that processes are held to.
impl Options {
    /// The same for one combination of a matrix.
    pub(crate) fn for_input(&self, input: &Input) -> Cow<'_, Self> {
        let mut options = Cow::Borrowed(self);
        if let Cow::Owned(changed) = input.changes(&self.scenario) {
            let set = input.set.iter().flat_map(|(name, value)| ["--set".to_owned(), format!("{name}={value}")]);
            let options = options.to_mut();
            options.arguments.extend(set);
            options.scenario = changed;
        }
        options
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) schedule: Chosen,
    /// What it leaves open.
    pub(crate) leeway: Nondeterminism,
    /// Whether what they do is held against what the model does.
    pub(crate) compared: bool,
    /// What is done with the trace that is kept.
    pub(crate) golden: Option<Golden>,
}

/// What became of one scenario, as it travels from a worker to the process that prints.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Report {
    pub(crate) path: String,
    /// What it means for the exit status.
    pub(crate) status: Status,
    /// What goes to standard output.
    pub(crate) out: String,
    /// What goes to standard error.
    pub(crate) err: String,
    /// What CI servers see of it, where reports for them are written.
    pub(crate) suite: Option<Suite>,
}

impl Report {
    /// Of a scenario of which nothing is known yet.
    pub(crate) fn new(path: &str) -> Self {
        let (out, err) = (String::new(), String::new());
        Self { path: path.to_owned(), status: Status::Passed, out, err, suite: None }
    }
}

/// How progress is shown: `auto` is a bar on a terminal, unless a CI runs this.
pub(crate) fn mode(choice: ProgressChoice) -> Mode {
    match choice {
        ProgressChoice::Auto if io::stderr().is_terminal() && std::env::var_os("CI").is_none() => Mode::Bar,
        ProgressChoice::Auto | ProgressChoice::None => Mode::None,
        ProgressChoice::Bar => Mode::Bar,
        ProgressChoice::Plain => Mode::Plain,
    }
}

/// The default memory limit of a trace where `at_once` scenarios run in parallel: a part of the free memory that leaves
/// room for judging and reporting. None where the host does not report its free memory.
pub(crate) fn share(at_once: usize) -> Option<u64> {
    const PART: u64 = 4;
    memory::free().map(|free| free as u64 / PART / at_once.max(1) as u64)
}

/// Checks a scenario.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn load(source: &Arc<Source>, changes: &Scenario) -> Result<Loaded, Vec<Diagnostic>> {
    let options = load_options(changes);
    let forms: Vec<&'static FormDescription> = FORMS.iter().map(|form| &form.description).collect();
    scenario::load(source, &options, &forms)
}

/// What the command line changes of a scenario.
pub(crate) fn load_options(changes: &Scenario) -> scenario::Options {
    scenario::Options {
        params: changes.set.clone(),
        seed: changes.seed,
        timeout: changes.timeout,
        bounds: changes.trust.bounds(),
    }
}

/// Checks a scenario, where it could be read.
pub(crate) fn load_input(input: &Input, changes: &Scenario) -> Result<Loaded, Vec<Diagnostic>> {
    match &input.source {
        Ok(source) => load(source, &input.changes(changes)),
        Err(diagnostic) => Err(vec![(**diagnostic).clone()]),
    }
}

/// Runs one scenario. With `direct`, what its processes print is shown at once; otherwise it stands in the report.
pub(crate) fn one(input: &Input, options: &Options, direct: bool) -> Report {
    let options = &*options.for_input(input);
    let mut report = Report::new(&input.label());
    match load_input(input, &options.scenario) {
        Err(errors) => refuse(&mut report, Status::refused(&errors), &errors, options),
        Ok(Loaded { plan, warnings }) => {
            let warned = options.output.render(&warnings);
            if direct {
                output::eprint(&warned);
            } else {
                report.err.push_str(&warned);
            }
            if let Err(refused) = run(&plan, options, direct, &mut report) {
                let of = |code: Code| refused.iter().any(|one| one.code == code);
                let status = match () {
                    () if of(Code::BAD_SCHEDULE) || of(Code::UNREADABLE) => Status::Invalid,
                    () if of(Code::DIVERGED) => Status::Failed,
                    () => Status::Host,
                };
                refuse(&mut report, status, &refused, options);
            }
        }
    }
    report
}

/// Says why a scenario did not run.
pub(crate) fn refuse(report: &mut Report, status: Status, diagnostics: &[Diagnostic], options: &Options) {
    report.status = status;
    report.err.push_str(&options.output.render(diagnostics));
    report.suite = options.suites.then(|| Suite::refused(&report.path, diagnostics));
    if options.json {
        report.out.push_str(&line(&json::refused(&report.path, status.code(), diagnostics)));
    }
}

pub(crate) fn line(document: &serde_json::Value) -> String {
    text::json(&document.to_string()).into_owned() + "\n"
}

/// Runs a plan as often as asked and reports it.
fn run(plan: &Plan, options: &Options, direct: bool, report: &mut Report) -> Result<(), Vec<Diagnostic>> {
    let mut files = Vec::with_capacity(options.traces.len());
    for (path, format) in &options.traces {
        files.push((path, *format, create(path).map_err(|error| vec![unwritable(path, &error)])?));
    }
    let told = match &options.held {
        Some(held) => Some(schedules::follow(plan, &held.schedule, held.leeway)?),
        None => None,
    };
    let mut screen = Screen::new(plan, options, direct);
    // Under a schedule two runs leave the same trace, byte for byte.
    let started = if told.is_some() { SystemTime::UNIX_EPOCH } else { SystemTime::now() };
    let meta = Meta::gather(options.scenario.set.clone(), started);
    let mut growing = grow(plan, options, &mut files, &meta)?;
    let mut runs = Runs::default();
    for round in 0..options.repeat {
        screen.round = round;
        let trace = {
            let recording = match options.record {
                RecordChoice::Full => Recording::Full,
                RecordChoice::Blocking => Recording::Blocking,
            };
            let mut notice = |notice: Notice<'_>| screen.notice(notice);
            kernel::run(
                plan,
                &mut kernel::Options {
                    recording,
                    limits: options.limits,
                    schedule: told.as_ref().map(|told| &told.turns),
                    notice: &mut notice,
                    spool: growing.as_mut().map(|(_, growing)| growing as &mut dyn Spool),
                },
            )
        };
        screen.progress_off();
        let mut trace = trace?;
        // Before it is judged: only what has its place by then is safe from what may end ipcrun meanwhile.
        if let Some((path, growing)) = growing.take() {
            growing.keep(path, &mut trace, &meta).map_err(|error| vec![unwritable(path, &error)])?;
        }
        tracing_events::emit(plan, &trace);
        let verdict = judge::judge(plan, &trace);
        tracing::debug!(round, status = ?verdict.status, events = trace.events.len(), "judged");
        let interrupted = trace.end == RunEnd::Interrupted;
        runs.add(plan, trace, verdict);
        if interrupted {
            report.status = Status::Interrupted;
            break;
        }
    }
    report.out.push_str(&std::mem::take(&mut screen.held));
    let Some((trace, verdict)) = runs.shown() else { return Ok(()) };
    let columns = output::columns();
    let arguments = options.arguments.as_slice();
    let shown = Shown { plan, trace, verdict, meta: &meta, color: false, ascii: false, columns, arguments };
    for (path, format, mut file) in files {
        let written = format.write(&mut file, &shown).and_then(|()| keep(file));
        written.map_err(|error| vec![unwritable(path, &error)])?;
    }
    let drawing = run_summary::Options {
        color: options.output.color,
        picture: options.timeline.is_none(),
        ascii: options.output.ascii,
        columns,
        arguments: &options.arguments,
    };
    let plain = run_summary::Options { color: false, ..drawing.clone() };
    let (status, text, document) = if options.repeat == 1 {
        if options.suites {
            let summary = run_summary::run(plan, trace, verdict, &plain);
            report.suite = Some(Suite::run(plan, trace, verdict, &meta.started, summary));
        }
        annotate(report, options, || annotations::run(plan, trace, verdict));
        let text = run_summary::run(plan, trace, verdict, &drawing);
        (verdict.status, text, options.json.then(|| json::run(plan, trace, verdict)))
    } else {
        let (summary, kept) = (runs.tally.summary(plan), &runs.kept);
        if options.suites {
            let text = repeat_summary::runs(plan, &summary, kept, &plain);
            report.suite = Some(Suite::runs(plan, &summary, kept, runs.duration, &meta.started, text));
        }
        annotate(report, options, || annotations::runs(plan, &summary, kept));
        let text = repeat_summary::runs(plan, &summary, kept, &drawing);
        (summary.status, text, options.json.then(|| json::runs(plan, &summary, kept)))
    };
    report.status = report.status.max(status.into());
    let Beside { text: kept, fields } = beside(plan, trace, told.as_ref(), options, report)?;
    if let Some(path) = &options.html {
        let summary = (options.repeat > 1).then(|| runs.tally.summary(plan));
        let repeated = summary.as_ref().zip(runs.shown_number());
        html_file::write(path, plan, trace, verdict, &options.arguments, repeated)
            .map_err(|diagnostic| vec![*diagnostic])?;
    }
    if let Some(mut document) = document {
        if let serde_json::Value::Object(document) = &mut document {
            if report.status == Status::Failed {
                document.insert("status".to_owned(), "failed".into());
                document.insert("exit".to_owned(), report.status.code().into());
            }
            document.extend(fields);
        }
        report.out.push_str(&line(&document));
    } else if !options.silent && (!options.quiet || report.status != Status::Passed) {
        report.out.push_str(&text);
        report.out.push_str(&kept);
    }
    if let Some(picture) = options.timeline.filter(|_| !options.json && !options.silent) {
        let above = if options.watched { report.out.lines().count() } else { 0 };
        let rows = output::rows().saturating_sub(above + 1);
        report.out.push('\n');
        report.out.push_str(&picture.draw(plan, trace, verdict, rows, options.output));
    }
    Ok(())
}

/// Takes, of the files that take a trace, the one that grows while the run is on: the first trace file, of a single run
/// that no schedule holds.
fn grow<'a>(
    plan: &'a Plan,
    options: &'a Options,
    files: &mut Vec<(&'a PathBuf, Format, BufWriter<Replacing>)>,
    meta: &Meta,
) -> Result<Option<(&'a PathBuf, Growing<'a>)>, Vec<Diagnostic>> {
    let alone = options.traces.len() == 1 && options.html.is_none() && options.timeline.is_none();
    let suffices = alone && !options.json && !options.suites;
    let grows = |(_, format, file): &(&PathBuf, Format, BufWriter<Replacing>)| {
        *format == Format::Jsonl && file.get_ref().is_beside()
    };
    let single = options.repeat == 1 && options.held.is_none();
    let Some(place) = files.iter().position(grows).filter(|_| single) else { return Ok(None) };
    let (path, _, file) = files.remove(place);
    // Nothing was written to it yet.
    let (file, _) = file.into_parts();
    let growing = Growing::begin(file, plan, meta, suffices);
    Ok(Some((path, growing.map_err(|error| vec![unwritable(path, &error)])?)))
}

/// What a run under a schedule was held against, and what came of it.
#[derive(Default)]
struct Beside {
    text: String,
    /// The same as fields of the JSON document.
    fields: serde_json::Map<String, serde_json::Value>,
}

/// Holds a run under a schedule against what the model did and against what is kept.
fn beside(
    plan: &Plan,
    trace: &Trace,
    told: Option<&Told>,
    options: &Options,
    report: &mut Report,
) -> Result<Beside, Vec<Diagnostic>> {
    let mut beside = Beside::default();
    let (Some(held), Some(told)) = (&options.held, told) else { return Ok(beside) };
    beside.fields.insert("schedule".to_owned(), held.schedule.argument().into());
    if trace.end == RunEnd::Interrupted {
        return Ok(beside);
    }
    if held.compared {
        let difference = trace_diff::compare(plan, &told.trace, trace);
        if difference.is_some() {
            report.status = report.status.max(Status::Failed);
        }
        let color = options.output.color;
        beside.text = trace_diff::tell(trace.events.len(), difference.as_ref(), color, output::columns());
        beside.fields.insert("agrees".to_owned(), difference.is_none().into());
        beside.fields.insert("difference".to_owned(), json::difference(difference.as_ref()));
    }
    if let Some(golden) = &held.golden {
        let outcome = golden.take(plan, trace, &held.schedule.words(), options.output)?;
        if !outcome.same {
            report.status = report.status.max(Status::Failed);
        }
        beside.text.push_str(&outcome.text);
        beside.fields.insert("golden".to_owned(), outcome.same.into());
    }
    Ok(beside)
}

/// Says what does not hold where a CI server takes it up.
pub(crate) fn annotate(report: &mut Report, options: &Options, failures: impl FnOnce() -> Vec<Diagnostic>) {
    if options.output.annotates() {
        report.err.push_str(&options.output.render(&failures()));
    }
}

/// The runs of a scenario: added up, and the traces of those that decide something.
#[derive(Default)]
struct Runs {
    count: u64,
    /// How long all of them took, in ns.
    duration: u64,
    tally: Tally,
    /// The traces by the numbers of their runs, from 1: of the first run, and of each that was the first to find
    /// something.
    kept: Vec<(u64, Trace)>,
    found: Vec<(String, judge::Status)>,
    /// The run to look at, by its place among those kept: the first that failed, or the first of all.
    shown: Option<(usize, Verdict)>,
}

impl Runs {
    fn add(&mut self, plan: &Plan, trace: Trace, verdict: Verdict) {
        self.count += 1;
        self.duration += trace.duration;
        self.tally.add(&verdict, judge::final_state(plan, &trace));
        let mut new = self.count == 1;
        for judged in &verdict.findings {
            let found = (judged.label.clone(), judged.finding.status);
            if !self.found.contains(&found) {
                self.found.push(found);
                new = true;
            }
        }
        if !new {
            return;
        }
        let failed = |verdict: &Verdict| verdict.status == judge::Status::Fail;
        if self.shown.as_ref().is_none_or(|(_, before)| failed(&verdict) && !failed(before)) {
            self.shown = Some((self.kept.len(), verdict));
        }
        self.kept.push((self.count, trace));
    }

    /// Which run [`Runs::shown`] is, from 1.
    fn shown_number(&self) -> Option<u64> {
        let (place, _) = self.shown.as_ref()?;
        self.kept.get(*place).map(|(number, _)| *number)
    }

    fn shown(&self) -> Option<(&Trace, &Verdict)> {
        let (place, verdict) = self.shown.as_ref()?;
        self.kept.get(*place).map(|(_, trace)| (trace, verdict))
    }
}

/// Begins a file that takes a trace.
pub(crate) fn create(path: &Path) -> io::Result<BufWriter<Replacing>> {
    Replacing::create(path).map(BufWriter::new)
}

/// Puts a file that took a trace in its place.
pub(crate) fn keep(file: BufWriter<Replacing>) -> io::Result<()> {
    file.into_inner().map_err(io::IntoInnerError::into_error)?.keep()
}

pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Diagnostic {
    *files::unwritable("the trace", path, error)
}

/// The output of a run while it lasts.
struct Screen<'a> {
    plan: &'a Plan,
    live: Live,
    progress: Progress,
    /// Whether lines go out at once.
    direct: bool,
    /// Whether lines are shown at all. Of many runs they would say the same again and again.
    lines: bool,
    /// The lines that did not go out.
    held: String,
    round: u32,
    rounds: u32,
    begin: std::time::Instant,
}

impl<'a> Screen<'a> {
    fn new(plan: &'a Plan, options: &Options, direct: bool) -> Self {
        let mode = if direct { options.progress } else { Mode::None };
        Self {
            plan,
            live: Live::new(plan, options.output.color, options.output.ascii),
            progress: Progress::new(mode, output::columns()),
            direct,
            lines: !options.json && !options.silent && !options.quiet && !options.watched && options.repeat == 1,
            held: String::new(),
            round: 0,
            rounds: options.repeat,
            begin: std::time::Instant::now(),
        }
    }

    fn notice(&mut self, notice: Notice<'_>) {
        match notice {
            Notice::Printed { process, text, .. } if self.lines => {
                let line = self.live.line(process, text);
                if self.direct {
                    self.progress_off();
                    output::print(&line);
                } else {
                    self.held.push_str(&line);
                }
            }
            Notice::Printed { .. } => {}
            Notice::Stuck { waiting, daemons } => {
                if self.direct && self.lines {
                    self.progress_off();
                    output::eprint(&self.live.stuck(self.plan, waiting, daemons, output::columns()));
                }
            }
            Notice::Tick { elapsed, ended, events } => {
                let one = self.rounds == 1;
                let (done, total, unit) = if one {
                    (ended as u64, self.plan.processes.len() as u64, "process ended")
                } else {
                    (u64::from(self.round), u64::from(self.rounds), "run")
                };
                let detail = format!("{events} event{}", if events == 1 { "" } else { "s" });
                let now = Snapshot { name: &self.plan.name.shown(), done, total, unit, detail: &detail };
                let elapsed = if one { Duration::from_nanos(elapsed) } else { self.begin.elapsed() };
                // The reader is gone, so there is nothing to report.
                let _ = self.progress.tick(&mut io::stderr().lock(), elapsed, &now);
            }
        }
    }

    fn progress_off(&mut self) {
        let _ = self.progress.erase(&mut io::stderr().lock());
    }
}
