//! `ipcrun step FILE`: one execution in the model, its order chosen by hand.

use std::collections::HashSet;
use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::cli::explore_args::{KillChoice, Openness, RandomChoice, TimeChoice};
use crate::cli::inputs;
use crate::cli::options::{Common, Scenario};
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::run_scenario;
use crate::cli::status::Status;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::explore::analysis::prospects::{Bounds, Prospect};
use crate::explore::execution::concretise::{Lost, Told, tell};
use crate::explore::execution::guided;
use crate::explore::run;
use crate::explore::semantics::transition::{Kind, ModelError, Nondeterminism, Step};
use crate::explore::stepper::Stepper;
use crate::judge;
use crate::judge::Verdict;
use crate::report::export::json;
use crate::report::terminal::run_summary;
use crate::report::terminal::stepping;
use crate::report::terminal::style::{Pen, ascii};
use crate::report::view::position::{Position, is_bad};
use crate::scenario::plan::Plan;

/// The most steps that `end` takes.
const MOST: usize = 10_000;

/// The most that is looked at to find out what choices can lead to.
const AHEAD: Bounds = Bounds { states: 100_000, numbers: 20_000_000, time: Duration::from_secs(3) };

/// The arguments of `step`.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct Arguments {
    /// The scenario
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Arguments")]
    file: PathBuf,
    #[command(flatten)]
    pub(crate) scenario: Scenario,
    #[command(flatten)]
    open: Openness,
    /// Which processes can be killed from outside: `none`, or `any`, one of them, at any step
    #[arg(
        long,
        value_name = "PROCESSES",
        default_value = "none",
        hide_possible_values = true,
        help_heading = "Running"
    )]
    kill: KillChoice,
    /// Let up to N waits for a condition return without a notification
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Running")]
    spurious: u32,
    /// Print each place as JSON, one object on a line
    #[arg(long, help_heading = "Reports")]
    json: bool,
}

/// What can be asked for, beside a number.
const COMMANDS: [(&str, &str); 8] = [
    ("undo", "takes back the last step"),
    ("random", "takes any of the steps"),
    ("switch", "lets the same process continue until it cannot, or until it has chosen"),
    ("end", "lets the processes take turns until nothing can happen any more"),
    ("restart", "begins again"),
    ("schedule", "prints the steps so far as a schedule for `ipcrun replay`"),
    ("help", "prints this"),
    ("quit", "ends; so does the end of the input"),
];

pub(crate) fn main(arguments: &Arguments, common: &Common, output: Output) -> Status {
    let refuse = |diagnostics: &[Diagnostic]| {
        output.report(diagnostics);
        Status::refused(diagnostics)
    };
    let files = std::slice::from_ref(&arguments.file);
    let inputs = match inputs::given(files, &arguments.scenario, common, output) {
        Ok(inputs) => inputs,
        Err(status) => return status,
    };
    let input = match inputs.as_slice() {
        [input] => input,
        several => {
            let message = format!("there are {} scenarios: only one can be stepped through", several.len());
            let help = "name one file, and one combination of its matrix by `--matrix NAME=VALUE`";
            return refuse(&[Diagnostic::error(Code::USAGE, message).help(help)]);
        }
    };
    let plan = match run_scenario::load_input(input, &arguments.scenario) {
        Ok(loaded) => {
            output.report(&loaded.warnings);
            loaded.plan
        }
        Err(errors) => return refuse(&errors),
    };
    let leeway = Nondeterminism {
        time: arguments.open.time.into(),
        random: arguments.open.random == RandomChoice::All,
        kill: arguments.kill == KillChoice::Any,
        spurious: arguments.spurious,
    };
    let mut space = run::space(&plan, leeway, false);
    let session =
        Stepper::new(&mut space).map_err(|error| Box::new(error.diagnostic(&plan))).and_then(|mut stepper| {
            let ahead =
                stepper.look_ahead(AHEAD, &mut |space, path| tell(space, path).is_ok_and(|told| is_bad(&plan, &told)));
            let ahead = ahead.map_err(|error| Box::new(error.diagnostic(&plan)))?;
            let mut session =
                Session { plan: &plan, stepper, arguments, output, seed: plan.seed, process: None, ahead };
            session.run()
        });
    match session {
        Ok(status) => status,
        Err(diagnostic) => refuse(&[*diagnostic]),
    }
}

/// What a line asks for.
enum Asked {
    Choice(usize),
    Command(&'static str),
    Nothing,
}

/// An execution that is being chosen.
struct Session<'s, 'p> {
    plan: &'p Plan,
    stepper: Stepper<'s, 'p>,
    arguments: &'s Arguments,
    output: Output,
    /// The state of the random numbers.
    seed: u64,
    /// The process that has taken the last step.
    process: Option<u32>,
    /// Whether it is known what the choices can lead to.
    ahead: bool,
}

impl Session<'_, '_> {
    /// Reads what to do until the input ends. Failed where the execution is over and does not pass.
    fn run(&mut self) -> Result<Status, Box<Diagnostic>> {
        let mut status = self.show()?;
        let interactive = io::stdin().is_terminal() && !self.arguments.json;
        if interactive {
            output::print("a number takes a step; undo, random, switch, end, schedule, help, quit\n");
            let marks = "marks: ✓ leads to good ends only, ~ some fail or are deadlocks, ✗ all do\n";
            let too_many = "no marks: there are too many states to find out what a step leads to\n";
            self.print(if self.ahead { marks } else { too_many });
        }
        for line in io::stdin().lock().lines() {
            let line = line
                .map_err(|error| Box::new(Diagnostic::error(Code::UNREADABLE, format!("standard input: {error}"))))?;
            match self.understand(&line) {
                Ok(Asked::Nothing) => {}
                Ok(Asked::Command("quit")) => break,
                Ok(Asked::Command("help")) => self.help(),
                Ok(Asked::Command("schedule")) => self.schedule()?,
                Ok(asked) => {
                    self.act(&asked)?;
                    status = self.show()?;
                }
                Err(message) => self.wrong(&message),
            }
        }
        Ok(status)
    }

    fn understand(&self, line: &str) -> Result<Asked, String> {
        let word = line.trim();
        if word.is_empty() {
            return Ok(Asked::Nothing);
        }
        let count = self.stepper.choices().len();
        if let Ok(number) = word.parse::<usize>() {
            return match number.checked_sub(1).filter(|place| *place < count) {
                Some(place) => Ok(Asked::Choice(place)),
                None if count == 0 => Err("nothing more can happen: `undo` takes back the last step".to_owned()),
                None => Err(format!("there is no step {number}: there are 1 to {count}")),
            };
        }
        let names = COMMANDS.map(|(name, _)| name);
        let beginning: Vec<&'static str> = names.into_iter().filter(|name| name.starts_with(word)).collect();
        match beginning[..] {
            [name] => Ok(Asked::Command(name)),
            [] => Err(match nearest(word, names) {
                Some(near) => format!("`{word}` is no command: did you mean `{near}`?"),
                None => format!("`{word}` is neither a number nor a command: `help` lists them"),
            }),
            _ => Err(format!("`{word}` could be {}", beginning.join(" or "))),
        }
    }

    fn act(&mut self, asked: &Asked) -> Result<(), Box<Diagnostic>> {
        match asked {
            Asked::Choice(place) => self.take(*place),
            Asked::Command("undo") => self.undo().map(drop),
            Asked::Command("restart") => {
                while self.undo()? {}
                Ok(())
            }
            Asked::Command("random") => {
                let inside = self.inside();
                if inside.is_empty() {
                    return Ok(());
                }
                let at = guided::below(&mut self.seed, inside.len() as u64) as usize;
                self.take(inside[at])
            }
            Asked::Command("switch") => self.switch(),
            Asked::Command("end") => self.end(),
            _ => Ok(()),
        }
    }

    /// The places of the choices that do not come from outside.
    fn inside(&self) -> Vec<usize> {
        let steps = self.stepper.choices();
        let inside = steps.iter().enumerate().filter(|(_, step)| !is_outside(step));
        inside.map(|(place, _)| place).collect()
    }

    fn take(&mut self, place: usize) -> Result<(), Box<Diagnostic>> {
        let step = &self.stepper.choices()[place];
        if step.kind != Kind::Tick {
            self.process = Some(step.process);
        }
        self.stepper.take(place).map_err(|error: ModelError| Box::new(error.diagnostic(self.plan)))
    }

    fn undo(&mut self) -> Result<bool, Box<Diagnostic>> {
        let done = self.stepper.undo().map_err(|error| Box::new(error.diagnostic(self.plan)))?;
        let turns = self.stepper.path().iter().rev();
        self.process = turns.clone().find(|step| step.kind != Kind::Tick).map(|step| step.process);
        Ok(done)
    }

    /// The process of the last step continues until it has no step, or more than one.
    fn switch(&mut self) -> Result<(), Box<Diagnostic>> {
        for _ in 0..MOST {
            let steps = self.stepper.choices();
            let own = |step: &Step| !is_outside(step) && step.kind != Kind::Tick;
            let first = steps.iter().find(|step| own(step)).map(|step| step.process);
            let Some(process) = self.process.or(first) else { return Ok(()) };
            let mine = steps.iter().enumerate().filter(|(_, step)| own(step) && step.process == process);
            let places: Vec<usize> = mine.map(|(place, _)| place).collect();
            let [place] = places[..] else { return Ok(()) };
            self.take(place)?;
        }
        Ok(())
    }

    /// The processes take turns until nothing can happen, or a state comes again.
    fn end(&mut self) -> Result<(), Box<Diagnostic>> {
        let mut seen = HashSet::new();
        for _ in 0..MOST {
            let inside = self.inside();
            if inside.is_empty() || !seen.insert((self.stepper.state().to_vec(), self.process)) {
                return Ok(());
            }
            let steps = self.stepper.choices();
            let after = |place: &&usize| {
                let process = steps[**place].process;
                (self.process.is_some_and(|last| process <= last), process)
            };
            let next = *inside.iter().min_by_key(after).expect("there is one");
            self.take(next)?;
        }
        Ok(())
    }

    fn told(&mut self) -> Result<(Told, Position), Box<Diagnostic>> {
        let lost = |lost: Lost| Box::new(Diagnostic::error(Code::BAD_SCHEDULE, guided::lost(self.plan, &lost)));
        let told = self.stepper.told().map_err(lost)?;
        let position = Position::of(self.plan, &mut self.stepper, &told).map_err(lost)?;
        Ok((told, position))
    }

    /// Prints the present place; where the execution is over, what it comes to as well.
    fn show(&mut self) -> Result<Status, Box<Diagnostic>> {
        let (told, position) = self.told()?;
        let verdict = self.stepper.is_over().then(|| judge::judge(self.plan, &told.trace));
        if self.arguments.json {
            output::print(&format!("{}\n", object(&position, verdict.as_ref())));
        } else {
            let pen = Pen { color: self.output.color };
            let drawn = stepping::position(&position, pen, output::columns());
            self.print(&drawn);
            if let Some(verdict) = &verdict {
                let options = run_summary::Options {
                    color: self.output.color,
                    picture: false,
                    ascii: self.output.ascii,
                    columns: output::columns(),
                    arguments: &[],
                };
                output::print(&run_summary::run(self.plan, &told.trace, verdict, &options));
                self.schedule()?;
            }
        }
        Ok(verdict.map_or(Status::Passed, |verdict| verdict.status.into()))
    }

    fn schedule(&mut self) -> Result<(), Box<Diagnostic>> {
        let (_, position) = self.told()?;
        if self.arguments.json {
            output::print(&format!("{}\n", json!({ "schedule": position.schedule })));
            return Ok(());
        }
        let mut given = self.arguments.scenario.params();
        if self.arguments.open.time == TimeChoice::Any {
            given.push("--time".to_owned());
            given.push("any".to_owned());
        }
        if self.arguments.open.random == RandomChoice::All {
            given.push("--random".to_owned());
            given.push("all".to_owned());
        }
        let path = run_summary::quoted(self.plan.source.path.raw());
        let words = run_summary::quoted(&position.schedule);
        let given: String = given.iter().map(|argument| format!(" {}", run_summary::quoted(argument))).collect();
        output::print(&format!("  replay: ipcrun replay {path} {words}{given}\n"));
        Ok(())
    }

    fn print(&self, text: &str) {
        output::print(&if self.output.ascii { ascii(text) } else { text.to_owned() });
    }

    fn help(&self) {
        if self.arguments.json {
            let commands: Map<String, Value> =
                COMMANDS.iter().map(|(name, what)| ((*name).to_owned(), (*what).into())).collect();
            output::print(&format!("{}\n", json!({ "commands": commands })));
            return;
        }
        let mut text = "  NUMBER    takes that step\n".to_owned();
        for (name, what) in COMMANDS {
            text.push_str(&format!("  {name:8}  {what}\n"));
        }
        output::print(&text);
    }

    fn wrong(&self, message: &str) {
        let shown = crate::text::line(message);
        if self.arguments.json {
            output::print(&format!("{}\n", json!({ "error": shown })));
        } else {
            output::print(&format!("{shown}\n"));
        }
    }
}

/// Whether a step comes from outside: it is taken only where it is chosen.
fn is_outside(step: &Step) -> bool {
    matches!(step.kind, Kind::Kill | Kind::Wake)
}

/// A place as JSON.
fn object(position: &Position, verdict: Option<&Verdict>) -> Value {
    let choices = position.choices.iter().enumerate().map(|(place, choice)| {
        json!({ "choice": place + 1, "process": choice.process, "does": choice.does, "outside": choice.outside,
            "leads_to": choice.prospect.map(|prospect| match prospect {
                Prospect::Good => "good",
                Prospect::Mixed => "mixed",
                Prospect::Bad => "bad",
            }),
        })
    });
    let waiting = position.waiting.iter().map(|(process, why)| json!({ "process": process, "why": why }));
    let objects: Map<String, Value> =
        position.objects.iter().map(|(name, held)| (name.clone(), held.as_str().into())).collect();
    let mut variables: Map<String, Value> = Map::new();
    for (process, name, held) in &position.variables {
        variables.entry(process.clone()).or_insert_with(|| json!({}))[name] = held.as_str().into();
    }
    let last = position
        .last
        .as_ref()
        .map(|last| json!({ "process": last.process, "does": last.does, "changes": last.changes }));
    let findings = verdict.map(|verdict| {
        let findings = verdict.findings.iter();
        findings.map(|one| json!({ "label": one.label, "status": json::status_word(one.status) })).collect::<Vec<_>>()
    });
    json!({
        "steps": position.steps,
        "last": last,
        "choices": choices.collect::<Vec<_>>(),
        "waiting": waiting.collect::<Vec<_>>(),
        "objects": objects,
        "variables": variables,
        "schedule": position.schedule,
        "over": verdict.is_some(),
        "expectations": findings,
    })
}
