//! The arguments of the command line.

use std::ffi::{OsStr, OsString};
use std::io;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use super::commands::{
    check, completions, example, explain, explore, help, init, list, man, mutate, replay, run, schema, step, trace,
    watch,
};
use super::options::{Common, Trust};
use super::output;
use super::status::Status;
use crate::text;

/// Runs scenarios of inter-process communication on real processes and judges what happened.
#[derive(Debug, Parser)]
#[command(
    name = "ipcrun",
    version = env!("IPCRUN_VERSION"),
    max_term_width = 100,
    override_usage = "ipcrun [OPTIONS] FILE...\n       ipcrun [OPTIONS] COMMAND ...",
    after_help = footer(),
    infer_subcommands = false,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    subcommand_required = true
)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// The commands. Each has a file of its own.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios and judge them (the default command)
    Run(run::Arguments),
    /// Explore every interleaving of scenarios in a model, and judge all of them
    Explore(explore::Arguments),
    /// Choose the order of the steps of a scenario by hand, in a model
    Step(step::Arguments),
    /// Change a scenario in every small way, and list the changes that no expectation notices
    Mutate(mutate::Arguments),
    /// Run a scenario under a schedule, and compare the run with the model
    Replay(replay::Arguments),
    /// Run a scenario again each time its file is saved, until Ctrl-C
    Watch(watch::Arguments),
    /// Check scenarios for errors, without running them
    Check(check::Arguments),
    /// Show, convert or judge a saved trace
    Trace(trace::Arguments),
    /// Write a first scenario
    Init(init::Arguments),
    /// Print one of the shipped scenarios
    Example(example::Arguments),
    /// Explain a command, a word of scenarios or the code of a diagnostic
    Help(help::Arguments),
    /// List the kinds, verbs, steps, expectations and functions
    List(list::Arguments),
    /// Print the JSON schema of scenarios, for editors
    Schema(schema::Arguments),
    /// Explain the code of a diagnostic
    Explain(explain::Arguments),
    /// Print the completions of a shell
    Completions(completions::Arguments),
    /// Print the manual page
    Man(man::Arguments),
}

impl Command {
    /// Whether the authors of the scenarios that it reads are trusted.
    pub(crate) fn trust(&self) -> Trust {
        match self {
            Self::Run(arguments) => arguments.scenario.trust,
            Self::Explore(arguments) => arguments.scenario.trust,
            Self::Replay(arguments) => arguments.scenario.trust,
            Self::Step(arguments) => arguments.scenario.trust,
            Self::Mutate(arguments) => arguments.scenario.trust,
            Self::Watch(arguments) => arguments.scenario.trust,
            Self::Check(arguments) => arguments.scenario.trust,
            Self::Trace(arguments) => arguments.trust,
            Self::Init(_)
            | Self::Example(_)
            | Self::Help(_)
            | Self::List(_)
            | Self::Schema(_)
            | Self::Explain(_)
            | Self::Completions(_)
            | Self::Man(_) => Trust::default(),
        }
    }
}

fn footer() -> String {
    format!("`ipcrun FILE...` is `ipcrun run FILE...`: see `ipcrun run --help`.\n\nExit status:\n{}", Status::help())
}

/// The names of the commands.
fn commands() -> Vec<String> {
    Arguments::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

/// The whole command line: all commands, and the arguments of `run`, which are those where no command is named.
pub(crate) fn whole() -> clap::Command {
    let command = Arguments::command();
    let about = command.get_about().cloned().unwrap_or_default();
    // Flattened arguments bring their own description.
    run::Arguments::augment_args(command).about(about)
}

/// Reads the command line.
///
/// # Errors
/// The exit status where it is wrong, which is then reported, or where it asks for help, which is then printed.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Arguments, ExitCode> {
    let arguments = with_command(arguments);
    match Arguments::try_parse_from(&arguments) {
        Ok(mut parsed) => {
            parsed.common.commands = commands();
            Ok(parsed)
        }
        Err(error) => Err(refuse(&arguments, error)),
    }
}

/// Prints why arguments are not taken, or the help that they ask for.
fn refuse(arguments: &[OsString], error: clap::Error) -> ExitCode {
    // What is wrong with an argument quotes it: it is looked for in arguments of which no terminal obeys anything.
    let shown = arguments.iter().map(|argument| text::line(&argument.to_string_lossy()).into_owned());
    let error = Arguments::try_parse_from(shown).err().unwrap_or(error);
    match error.print() {
        Err(lost) if !error.use_stderr() && lost.kind() != io::ErrorKind::BrokenPipe => {
            output::eprint(&format!("error: standard output cannot be written: {lost}\n"));
            Status::Host.into()
        }
        _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
    }
}

/// Puts `run` where the command is missing: before the first argument that is no option of every command.
fn with_command(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let commands = commands();
    let mut at = 1;
    while let Some(argument) = arguments.get(at).and_then(|argument| argument.to_str()) {
        match argument {
            "--color" | "--error-format" => at += 2,
            "-q" | "--quiet" | "--verbose" | "--ascii" => at += 1,
            _ if argument.starts_with("--color=") || argument.starts_with("--error-format=") => at += 1,
            _ if argument
                .strip_prefix('-')
                .is_some_and(|letters| !letters.is_empty() && letters.trim_matches(['q', 'v']).is_empty()) =>
            {
                at += 1;
            }
            _ => break,
        }
    }
    let first = arguments.get(at).map(OsString::as_os_str);
    let is_help = |argument: &OsStr| ["-h", "--help", "-V", "--version"].iter().any(|help| argument == *help);
    if first.is_some_and(|first| !is_help(first) && !commands.iter().any(|command| first == command.as_str())) {
        arguments.insert(at, "run".into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(line: &str) -> String {
        let arguments = with_command(line.split_whitespace().map(OsString::from).collect());
        arguments.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn run_is_the_command_where_none_is_named() {
        assert_eq!(completed("ipcrun a.toml"), "ipcrun run a.toml");
        assert_eq!(completed("ipcrun --seed 3 a.toml"), "ipcrun run --seed 3 a.toml");
        assert_eq!(completed("ipcrun --color never -qv a.toml"), "ipcrun --color never -qv run a.toml");
        assert_eq!(completed("ipcrun - "), "ipcrun run -");
        assert_eq!(completed("ipcrun --color=always check a.toml"), "ipcrun --color=always check a.toml");
        assert_eq!(completed("ipcrun --help"), "ipcrun --help");
        assert_eq!(completed("ipcrun"), "ipcrun");
        assert_eq!(completed("ipcrun chekc a.toml"), "ipcrun run chekc a.toml");
    }

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
