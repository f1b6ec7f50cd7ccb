//! Where output goes, and whether in colours.
//!
//! What was asked for goes to standard output, progress and diagnostics to standard error. A reader that has gone
//! away (`| head`) ends the output, not ipcrun: a run has to end cleanly, with or without a reader.

use std::env;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use clap::ValueEnum;

use crate::diagnostic::{Code, Diagnostic, Format, render};

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set; everywhere with `CLICOLOR_FORCE`
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum ErrorFormat {
    /// With source lines, the fault underlined
    #[default]
    Full,
    /// One line for each
    Concise,
    /// One JSON object on each line
    Json,
    /// Workflow commands of GitHub Actions
    Github,
}

impl From<ErrorFormat> for Format {
    fn from(format: ErrorFormat) -> Self {
        match format {
            ErrorFormat::Full => Self::Full,
            ErrorFormat::Concise => Self::Concise,
            ErrorFormat::Json => Self::Json,
            ErrorFormat::Github => Self::Github,
        }
    }
}

/// Both outputs of a command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// Whether standard output takes colours.
    pub(crate) color: bool,
    /// Whether standard error takes colours.
    pub(crate) error_color: bool,
    /// Whether pictures keep to ASCII.
    pub(crate) ascii: bool,
    format: Format,
}

impl Output {
    /// The outputs as the arguments and the environment want them. The environment is read here only.
    pub(crate) fn new(choice: ColorChoice, format: ErrorFormat, ascii: bool) -> Self {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let forced = is_set("CLICOLOR_FORCE") && env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let color = |terminal: bool| match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if is_set("NO_COLOR") => false,
            ColorChoice::Auto => forced || terminal && !dumb,
        };
        Self {
            color: color(io::stdout().is_terminal()),
            error_color: color(io::stderr().is_terminal()),
            ascii: ascii || !is_unicode(),
            format: format.into(),
        }
    }

    /// Whether diagnostics become annotations, as those of what does not hold then do.
    pub(crate) fn annotates(self) -> bool {
        self.format == Format::Github
    }

    /// Diagnostics as text, in the format asked for.
    pub(crate) fn render(self, diagnostics: &[Diagnostic]) -> String {
        render(diagnostics, self.format, self.error_color)
    }

    /// Writes diagnostics.
    pub(crate) fn report(self, diagnostics: &[Diagnostic]) {
        eprint(&self.render(diagnostics));
    }
}

/// How wide a report may be: as wide as the terminal, 100 columns elsewhere.
pub(crate) fn columns() -> usize {
    terminal_size::terminal_size().map_or_else(
        || env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(100),
        |(width, _)| usize::from(width.0),
    )
}

/// How many lines the terminal has.
pub(crate) fn screen() -> usize {
    terminal_size::terminal_size().map_or(40, |(_, height)| usize::from(height.0))
}

/// How high a picture may be: a screen less the prompt, but never only a few lines; 40 lines where there is no screen.
pub(crate) fn rows() -> usize {
    terminal_size::terminal_size().map_or(40, |(_, height)| usize::from(height.0).saturating_sub(2).clamp(20, 60))
}

/// Whether the locale's characters are Unicode. Where none is set, as in most containers, they are.
fn is_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| env::var(name).ok().filter(|it| !it.is_empty()));
    locale.is_none_or(|locale| {
        let locale = locale.to_uppercase();
        locale.contains("UTF-8") || locale.contains("UTF8")
    })
}

/// Why standard output did not take all that was printed: the first reason.
static LOST: Mutex<Option<io::Error>> = Mutex::new(None);

/// Writes text that was asked for.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Writes what was asked for piece by piece.
pub(crate) fn print_by(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    let mut out = BufWriter::new(io::stdout().lock());
    written(write(&mut out).and_then(|()| out.flush()));
}

/// Remembers why standard output did not take what was printed. A reader that has gone away wants no more of it.
fn written(result: io::Result<()>) {
    if let Err(error) = result
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        LOST.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// What to report of standard output that did not take all that was printed.
pub(crate) fn lost() -> Option<Diagnostic> {
    let error = LOST.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    Some(Diagnostic::error(Code::HOST_LIMIT, format!("standard output cannot be written: {error}")))
}

/// Writes text about what is being done.
pub(crate) fn eprint(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
