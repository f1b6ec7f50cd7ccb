//! `ipcrun explore FILE..`: every interleaving of a scenario, in the model.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use clap::Args;

use crate::cli::explore_args::{KillChoice, Language, RandomChoice, Searching, allowing};
use crate::cli::export::{Format, Shown};
use crate::cli::inputs;
use crate::cli::inputs::Input;
use crate::cli::options::{Common, RecordChoice, ReportOptions, Scenario};
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::playing::{self, Playing};
use crate::cli::reports::Reports;
use crate::cli::run_scenario;
use crate::cli::run_scenario::Options;
use crate::cli::run_scenario::Report;
use crate::cli::sharding;
use crate::cli::sharding::Choosing;
use crate::cli::status::Status;
use crate::cli::timeline_choice::Picture;
use crate::cli::{batch, files, html_file};
use crate::diagnostic::{Code, Diagnostic};
use crate::explore::analysis::interleavings;
use crate::explore::analysis::interleavings::Counts;
use crate::explore::budget::Budget;
use crate::explore::counterexample;
use crate::explore::counterexample::Best;
use crate::explore::distributed;
use crate::explore::execution::guided;
use crate::explore::execution::verdicts::Fault;
use crate::explore::looks;
use crate::explore::run;
use crate::explore::run::Explored;
use crate::explore::semantics::transition::{Kind, Nondeterminism, Time};
use crate::explore::strategy::bfs::{Cut, Limits};
use crate::explore::strategy::fallback;
use crate::explore::strategy::fallback::Strategy;
use crate::judge::{self, Summary};
use crate::kernel;
use crate::os::signals::Blocked;
use crate::promela;
use crate::report::assumptions::Assumptions;
use crate::report::ci::annotations;
use crate::report::ci::test_suite::Suite;
use crate::report::export::json;
use crate::report::terminal::exploration_summary;
use crate::report::terminal::exploration_summary::{Exploration, Killed};
use crate::report::terminal::interleaving::Story;
use crate::report::terminal::progress::{Progress, Snapshot};
use crate::report::terminal::run_summary;
use crate::scenario::Loaded;
use crate::scenario::plan::Plan;
use crate::schedule;
use crate::trace::file::Meta;

/// The most states over which interleavings are counted, without reductions: that takes some milliseconds. A state
/// costs about three times as much there as in the search.
const COUNTED: usize = 4_096;

/// The number of an execution whose number the printed counterexample has taken over: the printed one is shorter.
const OTHER: u64 = 0;

/// What is explored and how.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct Arguments {
    /// Scenarios; directories are searched for *.toml; `-` is standard input
    #[arg(value_name = "FILE", required = true, value_hint = clap::ValueHint::AnyPath, help_heading = "Arguments")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) scenario: Scenario,
    #[command(flatten)]
    searching: Searching,
    #[command(flatten)]
    choosing: Choosing,
    #[command(flatten)]
    saving: Saving,
    #[command(flatten)]
    reports: ReportOptions,
}

/// Where the printed execution is saved.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Reports")]
#[group(skip)]
struct Saving {
    /// Print an execution that satisfies the N-th expectation of the file, such as one with `holds = "sometimes"`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    show: Option<u32>,
    /// Save the schedule of the printed execution, for `ipcrun replay`; in a directory, one for each scenario
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::AnyPath)]
    save: Option<PathBuf>,
    /// Save the trace of the printed execution, in the format of the file's extension, as `ipcrun run --trace`; may be
    /// repeated
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    trace: Vec<PathBuf>,
    /// Write a page on which the scenarios are played: whose turn it is, is chosen by hand
    #[arg(long, value_name = "PAGE.html", value_hint = clap::ValueHint::FilePath)]
    play: Option<PathBuf>,
}

impl Arguments {
    /// The arguments that a command to replay an execution needs besides the file and the schedule.
    fn again(&self) -> Vec<String> {
        let mut again = self.scenario.params();
        if let Some(seed) = self.scenario.seed {
            again.extend(["--seed".to_owned(), seed.to_string()]);
        }
        again
    }
}

/// Where everything goes.
#[derive(Clone, Copy)]
struct Exploring<'a> {
    arguments: &'a Arguments,
    options: &'a Options,
    traces: &'a [(PathBuf, Format)],
    /// Whether there is no other scenario.
    alone: bool,
    /// How many scenarios are explored at once, and how many threads explore each.
    at_once: usize,
    threads: usize,
    /// The files of all scenarios, whatever part they belong to.
    places: &'a [String],
    /// What this part of an exploration has found.
    part: &'a RefCell<Vec<distributed::Scenario>>,
    /// What all parts have found.
    merged: &'a [distributed::Scenario],
    /// The page on which the scenarios are played, where one was asked for.
    playing: Option<&'a Playing>,
}

pub(crate) fn main(arguments: &Arguments, common: &Common, output: Output) -> Status {
    if let Some(Language::Promela) = arguments.searching.emit {
        return emit(arguments, common, output);
    }
    let walks = [Strategy::Random, Strategy::Pct].contains(&arguments.choosing.strategy());
    if walks && arguments.searching.kill == KillChoice::Any {
        let message = "`--strategy random` and `pct` do not kill processes: `--kill any` needs `full` or `bounded`";
        output.report(&[Diagnostic::error(Code::USAGE, message)]);
        return Status::Invalid;
    }
    if walks && arguments.searching.spurious > 0 {
        let message = "single executions (`--strategy random`, `pct`) let no wait return by itself: `--spurious` takes `full` or `bounded`";
        output.report(&[Diagnostic::error(Code::USAGE, message)]);
        return Status::Invalid;
    }
    let read = if arguments.choosing.merge { sharding::merge(&arguments.files) } else { Ok(Vec::new()) };
    let merged = match read {
        Ok(merged) => merged,
        Err(diagnostic) => {
            output.report(&[*diagnostic]);
            return Status::Invalid;
        }
    };
    // They are of one exploration, and so of one way to go about it.
    let mut changed = arguments.clone();
    if let Some(first) = merged.first() {
        changed.scenario.set.clone_from(&first.set);
        changed.scenario.seed = first.seed;
        changed.searching.random = if first.any_random { RandomChoice::All } else { RandomChoice::Seed };
        changed.searching.kill = if first.kill { KillChoice::Any } else { KillChoice::None };
        changed.searching.spurious = first.spurious;
    }
    let arguments = &changed;
    let paths: Vec<PathBuf> = merged.iter().map(|scenario| PathBuf::from(&scenario.path)).collect();
    match prepare(arguments, if arguments.choosing.merge { &paths } else { &arguments.files }, common, output) {
        Ok((mut inputs, traces, reports)) => {
            let options = Options {
                scenario: arguments.scenario.clone(),
                held: None,
                repeat: 1,
                record: RecordChoice::Full,
                limits: kernel::Limits::default(),
                traces: Vec::new(),
                suites: reports.any(),
                silent: reports.take_stdout(),
                timeline: arguments.reports.timeline.map(Picture::of),
                watched: false,
                html: arguments.reports.html.clone(),
                json: arguments.reports.json,
                progress: if common.quiet {
                    crate::report::terminal::progress::Mode::None
                } else {
                    run_scenario::mode(arguments.reports.progress)
                },
                quiet: common.quiet,
                output,
                arguments: arguments.again(),
            };
            let jobs = batch::jobs(arguments.searching.jobs);
            let alone = inputs.len() == 1;
            let places: Vec<String> = inputs.iter().map(|input| input.path.clone()).collect();
            inputs.retain(|input| {
                if !arguments.choosing.is_part() {
                    return true;
                }
                let loaded =
                    input.source.as_ref().ok().and_then(|source| run_scenario::load(source, &options.scenario).ok());
                let sign = loaded.map_or_else(
                    || input.path.clone(),
                    |loaded| schedule::fingerprint(&loaded.plan, &run::told_apart(&loaded.plan)),
                );
                arguments.choosing.takes(&sign, alone)
            });
            let part = RefCell::new(Vec::new());
            let playing = arguments.saving.play.as_ref().map(|path| Playing::new(path, inputs.len()));
            // What a part has found, and a page of several scenarios, is written by this process.
            let here = arguments.choosing.is_part() || playing.is_some();
            let at_once = if here { 1 } else { jobs.min(inputs.len()).max(1) };
            let threads = (jobs / at_once).max(1);
            let exploring = Exploring {
                arguments,
                options: &options,
                traces: &traces,
                alone,
                at_once,
                threads,
                places: &places,
                part: &part,
                merged: &merged,
                playing: playing.as_ref(),
            };
            let status = if inputs.is_empty() {
                Status::Passed
            } else {
                batch::all(&inputs, &options, reports, at_once, &|input, direct| {
                    let options = options.for_input(input);
                    Exploring { options: &options, ..exploring }.one(input, direct)
                })
            };
            let written = arguments.choosing.write(part.into_inner());
            match written.and_then(|()| playing.map_or(Ok(()), |page| page.write())) {
                Ok(()) => status,
                Err(diagnostic) => {
                    output.report(&[*diagnostic]);
                    status.max(Status::Host)
                }
            }
        }
        Err(status) => status,
    }
}

/// Prints a scenario in the language of SPIN.
fn emit(arguments: &Arguments, common: &Common, output: Output) -> Status {
    let inputs = match inputs::given(&arguments.files, &arguments.scenario, common, output) {
        Ok(inputs) => inputs,
        Err(status) => return status,
    };
    let promela = || {
        let [input] = inputs.as_slice() else {
            let message = format!("`--emit` takes one scenario, and these are {}", inputs.len());
            return Err(vec![Diagnostic::error(Code::USAGE, message)]);
        };
        let plan = run_scenario::load_input(input, &arguments.scenario)?.plan;
        let time = arguments.searching.time.map(Time::from).or(plan.time).unwrap_or_default();
        promela::promela(&plan, time)
    };
    match promela() {
        Ok(text) => {
            output::print(&text);
            Status::Passed
        }
        Err(diagnostics) => {
            output.report(&diagnostics);
            Status::refused(&diagnostics)
        }
    }
}

type Prepared = (Vec<Input>, Vec<(PathBuf, Format)>, Reports);

/// Finds the scenarios and opens what takes reports.
fn prepare(arguments: &Arguments, files: &[PathBuf], common: &Common, output: Output) -> Result<Prepared, Status> {
    let invalid = |diagnostic: Box<Diagnostic>| {
        let status = if diagnostic.code == Code::HOST_LIMIT { Status::Host } else { Status::Invalid };
        output.report(&[*diagnostic]);
        status
    };
    let inputs = inputs::given(files, &arguments.scenario, common, output)?;
    arguments.choosing.check(inputs.len()).map_err(invalid)?;
    if let Some(input) = inputs.iter().find(|input| !input.set.is_empty() && arguments.choosing.is_part()) {
        let message = format!("a part explores one combination of the matrix of `{}`", input.path);
        let help = "`--set NAME=VALUE` fixes a param of the matrix";
        return Err(invalid(Box::new(Diagnostic::error(Code::USAGE, message).help(help))));
    }
    let traces: Result<Vec<_>, _> =
        arguments.saving.trace.iter().map(|file| Format::of(file).map(|format| (file.clone(), format))).collect();
    let traces = traces.map_err(invalid)?;
    let one = [
        ("--trace", traces.first().map(|(file, _)| file)),
        ("--html", arguments.reports.html.as_ref()),
        ("--save", arguments.saving.save.as_ref().filter(|path| !path.is_dir())),
    ];
    for (option, file) in one {
        if let Some(file) = file.filter(|_| inputs.len() > 1) {
            let message = format!("`{option} {}` takes one scenario, and these are {}", file.display(), inputs.len());
            return Err(invalid(Box::new(Diagnostic::error(Code::USAGE, message))));
        }
    }
    let reports = Reports::new(&arguments.reports).map_err(invalid)?;
    Ok((inputs, traces, reports))
}

impl Exploring<'_> {
    /// Explores one scenario.
    fn one(&self, input: &Input, direct: bool) -> Report {
        let begin = Instant::now();
        let mut report = Report::new(&input.label());
        match run_scenario::load_input(input, &self.options.scenario) {
            Err(errors) => run_scenario::refuse(&mut report, Status::refused(&errors), &errors, self.options),
            Ok(Loaded { plan, warnings }) => {
                report.err.push_str(&self.options.output.render(&warnings));
                if let Some(why) = self.unlike(&plan, input) {
                    run_scenario::refuse(&mut report, Status::Invalid, &[why], self.options);
                    return report;
                }
                let searching = &self.arguments.searching;
                let longest = searching.max_time.or(self.longest()).map(Duration::from_nanos);
                let signals = Blocked::new(false).ok();
                let asked = signals.as_ref().map(Blocked::asked);
                let memory = searching.memory(self.at_once);
                // A page has its share of the time.
                let search = longest.map(|longest| if self.playing.is_some() { longest * 2 / 3 } else { longest });
                let budget = Arc::new(Budget::until(begin, search, memory, asked));
                match self.search(&plan, input, &budget, direct) {
                    Ok(looks) => {
                        self.keep(&plan, input, &looks);
                        let explored = looks::together(&plan, looks, self.given());
                        let reported = self.report(&plan, explored, &budget, &mut report);
                        let kept = reported.and_then(|()| {
                            let Some(playing) = self.playing.filter(|_| !budget.is_stopped()) else { return Ok(()) };
                            let longest = longest.unwrap_or_else(|| begin.elapsed() + playing::LONGEST);
                            let asked = signals.as_ref().map(Blocked::asked);
                            let budget = Arc::new(Budget::until(begin, Some(longest), memory, asked));
                            let time = self.given().or(plan.time).unwrap_or_default();
                            let warning = playing.add(&plan, searching.leeway(time), &budget, &self.again(time))?;
                            if budget.is_stopped() {
                                report.status = report.status.max(Status::Interrupted);
                            }
                            report.err.push_str(&self.options.output.render(warning.as_slice()));
                            Ok(())
                        });
                        if let Err(diagnostics) = kept {
                            run_scenario::refuse(&mut report, Status::Host, &diagnostics, self.options);
                        }
                    }
                    Err(fault) => {
                        let why = self.because(&plan, &fault);
                        run_scenario::refuse(&mut report, Status::Invalid, &[why], self.options);
                    }
                }
            }
        }
        report
    }

    /// The longest that a scenario is explored which is not trusted.
    fn longest(&self) -> Option<u64> {
        self.options.scenario.trust.bounds().map(|bounds| bounds.timeout)
    }

    /// What parts have found in a scenario.
    fn of_parts(&self, input: &Input) -> Option<&distributed::Scenario> {
        self.merged.iter().find(|scenario| scenario.path == input.path)
    }

    /// That the scenario is not the one that parts have explored.
    fn unlike(&self, plan: &Plan, input: &Input) -> Option<Diagnostic> {
        let scenario = self.of_parts(input)?;
        (scenario.fingerprint != schedule::fingerprint(plan, &run::told_apart(plan))).then(|| {
            let message = format!("`{}` has changed since its parts were explored", input.path);
            Diagnostic::error(Code::BAD_SCHEDULE, message).help("explore the parts again")
        })
    }

    /// Keeps what was found for the file of this part.
    fn keep(&self, plan: &Plan, input: &Input, looks: &[Explored]) {
        if !self.arguments.choosing.is_part() {
            return;
        }
        let place = self.places.iter().position(|path| *path == input.path).unwrap_or(0) as u64;
        let fingerprint = schedule::fingerprint(plan, &run::told_apart(plan));
        let mut kept: Option<distributed::Scenario> = None;
        for explored in looks.iter().rev() {
            let leeway = self.arguments.searching.leeway(explored.time);
            kept = Some(distributed::Scenario {
                place,
                path: input.path.clone(),
                fingerprint: fingerprint.clone(),
                set: self.arguments.scenario.set.clone(),
                seed: self.arguments.scenario.seed,
                any_time: leeway.time == Time::Any,
                any_random: leeway.random,
                kill: leeway.kill,
                spurious: leeway.spurious,
                ends: explored.ends,
                cut: explored.cut,
                size: explored.size,
                circles: explored.circles,
                liveness: explored.liveness.clone(),
                rungs: explored.rungs.clone(),
                found: explored.found.clone(),
                part: 0,
                second: kept.map(Box::new),
                unreached: explored.unreached.clone(),
            });
        }
        self.part.borrow_mut().extend(kept);
    }

    /// How time passes, where that was asked for.
    fn given(&self) -> Option<Time> {
        self.arguments.searching.time.map(Time::from)
    }

    fn search(&self, plan: &Plan, input: &Input, budget: &Arc<Budget>, direct: bool) -> Result<Vec<Explored>, Fault> {
        let searching = &self.arguments.searching;
        if let Some(scenario) = self.of_parts(input) {
            if !scenario.fits(plan) {
                return Err(Fault::Part(scenario.part));
            }
            let looks = scenario.clone().explored().into_iter();
            return looks.map(|look| run::again(plan, searching.leeway(look.time), look)).collect();
        }
        let leeway = searching.leeway(Time::default());
        let all = Limits::default();
        let options = run::Options {
            time: leeway.time,
            random: leeway.random,
            kill: leeway.kill,
            spurious: leeway.spurious,
            reductions: searching.reduce.into(),
            limits: Limits {
                states: searching.max_states.unwrap_or(all.states),
                bytes: searching.memory(self.at_once),
            },
            longest: None,
            strategy: self.arguments.choosing.strategy(),
            beyond: self.arguments.choosing.beyond(self.alone),
            jobs: self.threads,
            eager: false,
        };
        let mode = if direct { self.options.progress } else { crate::report::terminal::progress::Mode::None };
        let progress = RefCell::new(Progress::new(mode, output::columns()));
        let mut watch = |now: &fallback::Progress| {
            let states = now.reached.states as u64;
            // Random executions have no queue of states.
            let detail = if now.reached.depth > 0 {
                let rate = (states as f64 / now.elapsed.as_secs_f64().max(1e-9)) as u64;
                let queue = now.reached.states - now.reached.expanded;
                format!("{queue} waiting, {} deep, {rate} states/s", now.reached.depth)
            } else {
                String::new()
            };
            let shown = Snapshot {
                name: &plan.name.shown(),
                done: now.reached.expanded as u64,
                total: states,
                unit: now.unit,
                detail: &detail,
            };
            let _ = progress.borrow_mut().tick(&mut io::stderr().lock(), now.elapsed, &shown);
            !budget.is_stopped()
        };
        let explored = looks::look(plan, &options, &looks::times(plan, self.given()), budget, &mut watch);
        let _ = progress.borrow_mut().erase(&mut io::stderr().lock());
        explored
    }

    /// The arguments that a command which follows an execution needs besides the file and the schedule.
    fn again(&self, time: Time) -> Vec<String> {
        let mut again = self.options.arguments.clone();
        again.extend(allowing(time, self.arguments.searching.random));
        again
    }

    /// Reports what was found.
    fn report(
        &self,
        plan: &Plan,
        explored: Explored,
        budget: &Arc<Budget>,
        report: &mut Report,
    ) -> Result<(), Vec<Diagnostic>> {
        let (options, arguments) = (self.options, self.arguments);
        let mut told = self.best(plan, &explored, budget)?;
        let killed = told.as_ref().and_then(|(best, _)| self.killed(plan, best, &explored));
        let mut how = self.how(&explored);
        how.extend(explored.liveness.words(plan));
        let times: Vec<Time> = explored.looks.iter().map(|look| look.time).collect();
        let assumptions = Assumptions {
            timed: plan.passes_time(),
            leeway: arguments.searching.leeway(times.first().copied().unwrap_or_default()),
            times,
        };
        let look = told.as_ref().map(|(best, _)| explored.look(best.run)).unwrap_or_default();
        let counts = if explored.cut.is_none() { self.count(plan, &explored, budget) } else { None };
        let steps = explored.unreached.iter().flatten().filter_map(|step| plan.steps.get(*step as usize));
        let mut unreached: Vec<usize> = steps.map(|step| step.line).collect();
        unreached.sort_unstable();
        unreached.dedup();
        let Explored { mut summary, stories, cut, size, circles, liveness, .. } = explored;
        if let Some((best, place)) = &mut told {
            if let Some(killed) = &killed {
                let note = format!("the counterexample {}", killed.words(plan));
                let shown = summary.overall.get(*place).map(|one| (one.subject, one.label.clone()));
                let found =
                    best.verdict.findings.iter_mut().filter(|one| Some((one.subject, one.label.clone())) == shown);
                found.for_each(|one| one.finding.notes.push(note.clone()));
            }
            speak_of_one(&mut summary, best, *place);
        }
        // The printed counterexample takes over the number of the execution that was found.
        let told_number = told.as_ref().map(|(best, _)| best.run);
        let number = |run: u64| if Some(run) == told_number { OTHER } else { run };
        let mut kept: Vec<_> = stories.into_iter().map(|story| (number(story.run), story.told.trace)).collect();
        kept.extend(told.as_ref().map(|(best, _)| (best.run, best.told.trace.clone())));
        let mut replay = None;
        if let Some((best, _)) = &told {
            let orders = &best.orders;
            let leeway = arguments.searching.leeway(look.time);
            let again = self.again(leeway.time);
            let saved = match &arguments.saving.save {
                Some(path) => Some(Self::save(plan, path, best, leeway)?),
                None => None,
            };
            replay =
                Some(exploration_summary::replay(plan, &schedule::compact(plan, orders), saved.as_deref(), &again));
        }
        let story = told.as_ref().map(|(best, place)| (tale(best), *place));
        let seen = Exploration {
            summary: &summary,
            assumptions: &assumptions,
            unreached: &unreached,
            kept: &kept,
            cut,
            size,
            circles,
            liveness,
            counts,
            how: &how,
            story,
            killed,
            replay,
        };
        let drawing = run_summary::Options {
            color: options.output.color,
            picture: true,
            ascii: options.output.ascii,
            columns: output::columns(),
            arguments: &options.arguments,
        };
        let plain = run_summary::Options { color: false, ..drawing.clone() };
        let meta = Meta::gather(options.scenario.set.clone(), SystemTime::now());
        if options.suites {
            let text = exploration_summary::summary(plan, &seen, &plain);
            let elapsed = size.elapsed.as_nanos() as u64;
            let mut suite = Suite::runs(plan, &summary, &kept, elapsed, &meta.started, text);
            suite.properties.extend(
                exploration_summary::never_reached(&unreached).map(|lines| ("never reached".to_owned(), lines)),
            );
            report.suite = Some(suite);
        }
        run_scenario::annotate(report, options, || annotations::runs(plan, &summary, &kept));
        let mut status = Status::from(summary.status);
        if cut.is_some() {
            status = status.max(Status::Unknown);
        }
        if cut == Some(Cut::Stopped) {
            status = status.max(Status::Interrupted);
        }
        report.status = report.status.max(status);
        if let Some((best, _)) = &told {
            self.export(plan, best, (&summary, look.time), &meta)?;
        }
        if options.json {
            report.out.push_str(&run_scenario::line(&json::explored(plan, &seen, report.status.code())));
        } else if !options.silent && (!options.quiet || report.status != Status::Passed) {
            report.out.push_str(&exploration_summary::summary(plan, &seen, &drawing));
        }
        if let (Some(picture), Some((best, _))) = (options.timeline.filter(|_| !options.json && !options.silent), &told)
        {
            report.out.push('\n');
            let rows = output::rows();
            report.out.push_str(&picture.draw(plan, &best.told.trace, &best.verdict, rows, options.output));
        }
        Ok(())
    }

    /// The execution to tell: the one that is asked for, else the shortest that fails.
    fn best(
        &self,
        plan: &Plan,
        explored: &Explored,
        budget: &Arc<Budget>,
    ) -> Result<Option<(Best, usize)>, Vec<Diagnostic>> {
        let wanted = match self.arguments.saving.show {
            Some(number) => explored.witness(number as usize - 1),
            None => explored.counterexample(),
        };
        let Some((story, place, status)) = wanted else { return Ok(None) };
        let one = &explored.summary.overall[place];
        let look = explored.look(story.run);
        let mut space = run::space(plan, self.arguments.searching.leeway(look.time), look.ends).within(budget);
        // A counterexample without a kill is looked for without kills.
        if !story.path.iter().any(|step| step.kind == Kind::Kill) {
            space.spare();
        }
        match counterexample::best(plan, &mut space, story, (one.subject, &one.label), status) {
            Ok(best) => Ok(Some((best, place))),
            Err(fault) => Err(vec![self.because(plan, &fault)]),
        }
    }

    /// Why there is no verdict.
    fn because(&self, plan: &Plan, fault: &Fault) -> Diagnostic {
        let lost = |why: &str| {
            let message = format!("a found execution cannot be replayed in the model: {why}");
            Diagnostic::error(Code::BAD_SCHEDULE, message).within(&plan.source).help("this is a bug in ipcrun")
        };
        match fault {
            Fault::ModelError(endless) => endless.diagnostic(plan),
            Fault::Lost(why) => lost(&guided::lost(plan, why)),
            Fault::Unlike => lost("it leads to a different result"),
            Fault::Part(place) => {
                sharding::damaged(self.arguments.files.get(*place).map_or_else(|| Path::new("?"), PathBuf::as_path))
            }
        }
    }

    /// The process that is killed from outside in the printed execution, and where.
    fn killed(&self, plan: &Plan, best: &Best, explored: &Explored) -> Option<Killed> {
        let look = explored.look(best.run);
        let space = run::space(plan, self.arguments.searching.leeway(look.time), look.ends);
        let (process, step) = guided::struck(&space, &best.path)?;
        Some(Killed { process, step, only: explored.cut.is_none() })
    }

    /// How many orders of steps there are, where to find out takes no longer than the search did.
    fn count(&self, plan: &Plan, explored: &Explored, budget: &Arc<Budget>) -> Option<Counts> {
        let [look] = explored.looks.as_slice() else { return None };
        let leeway = self.arguments.searching.leeway(look.time);
        // What expectations look at besides how executions end would be counted together although they tell it apart.
        let looked_at = !judge::memories(plan).is_empty() || look.ends;
        // Without reductions there are at least as many states.
        let many = explored.size.states > COUNTED;
        if leeway.random || leeway.kill || leeway.spurious > 0 || looked_at || many || budget.spent().is_some() {
            return None;
        }
        interleavings::counts(plan, leeway.time, COUNTED, budget).ok().flatten()
    }

    /// What was left out, and which random numbers were drawn, where that is not the usual way.
    fn how(&self, explored: &Explored) -> Vec<String> {
        let mut how = explored.words();
        if self.arguments.searching.random == RandomChoice::All {
            how.push("every random number of its range was tried".to_owned());
        }
        if self.arguments.searching.kill == KillChoice::Any {
            how.push("any one process could be killed at any moment".to_owned());
        }
        match self.arguments.searching.spurious {
            0 => {}
            1 => how.push("one wait for a condition could return without a notification".to_owned()),
            most => how.push(format!("up to {most} waits for a condition could return without a notification")),
        }
        how
    }

    /// Saves the schedule of an execution. The path of its file.
    fn save(plan: &Plan, path: &Path, best: &Best, leeway: Nondeterminism) -> Result<String, Vec<Diagnostic>> {
        let file = if path.is_dir() { path.join(schedule::file_name(plan)) } else { path.to_owned() };
        let told = tale(best).comments(plan);
        let failed = best.verdict.findings.iter().find(|one| one.finding.status == judge::Status::Fail);
        let about = failed.map_or_else(String::new, |one| format!("{}: {}", one.label, one.finding.measured));
        let (name, any) = (file.display().to_string(), leeway.time == Time::Any);
        let about = format!("{}\nipcrun replay {} {name}", about.replace('\n', " "), plan.source.path);
        let text = schedule::write(plan, &run::told_apart(plan), any, leeway.random, about.trim(), &best.orders, &told);
        files::replace(&file, text.as_bytes())
            .map_err(|error| vec![*files::unwritable("the schedule", &file, &error)])?;
        Ok(name)
    }

    /// Writes the execution where it was asked for.
    fn export(
        &self,
        plan: &Plan,
        best: &Best,
        (summary, time): (&Summary, Time),
        meta: &Meta,
    ) -> Result<(), Vec<Diagnostic>> {
        let shown = Shown {
            plan,
            trace: &best.told.trace,
            verdict: &best.verdict,
            meta,
            color: false,
            ascii: self.options.output.ascii,
            columns: output::columns(),
            arguments: &self.options.arguments,
        };
        for (path, format) in self.traces {
            let written = run_scenario::create(path).and_then(|mut file| {
                format.write(&mut file, &shown)?;
                run_scenario::keep(file)
            });
            written.map_err(|error| vec![run_scenario::unwritable(path, &error)])?;
        }
        if let Some(path) = &self.options.html {
            let mut again = self.again(time);
            again.extend(["--schedule".to_owned(), schedule::compact(plan, &best.orders)]);
            html_file::write(path, plan, &best.told.trace, &best.verdict, &again, Some((summary, best.run)))
                .map_err(|diagnostic| vec![*diagnostic])?;
        }
        Ok(())
    }
}

/// Replaces the examples of the summary by what the printed counterexample shows, wherever it shows the same status.
fn speak_of_one(summary: &mut Summary, best: &Best, told: usize) {
    for (place, one) in summary.overall.iter_mut().enumerate() {
        let Some((run, example)) = &mut one.example else { continue };
        let found = best.verdict.findings.iter().find(|found| found.subject == one.subject && found.label == one.label);
        match found.filter(|found| found.finding.status == example.status) {
            Some(found) => (*run, *example) = (best.run, found.finding.clone()),
            None => {
                if *run == best.run {
                    *run = OTHER;
                }
                if place != told && one.status == judge::Status::Fail {
                    example.notes.push("seen in another execution, not in the printed one".to_owned());
                }
            }
        }
    }
}

/// An execution as reports tell it.
fn tale(best: &Best) -> Story<'_> {
    Story {
        trace: &best.told.trace,
        turns: &best.told.turns,
        events: &best.told.events,
        before: best.told.before,
        critical: best.critical,
        round: best.round,
        switches: best.switches,
        fewest: best.fewest,
    }
}
