//! `ipcrun watch FILE`: runs a scenario, and again whenever its file is saved.
//!
//! The file's directory is watched, not the file: an editor that saves by renaming another file over it, and a file
//! that is gone for a while, are seen so. Where the kernel tells nothing (a network's file system, a link to a file
//! elsewhere), a look every second does.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::cli::inputs;
use crate::cli::options::{Common, RecordChoice, Scenario};
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::run_scenario;
use crate::cli::run_scenario::Options;
use crate::cli::status::Status;
use crate::cli::timeline_choice::Picture;
use crate::diagnostic::{Code, Diagnostic};
use crate::kernel::Limits;
use crate::os::descriptor::poll;
use crate::os::signals::Blocked;
use crate::report::terminal::progress::Mode;

/// How long the kernel is trusted to tell of every change, in ms.
const TRUST: u16 = 1000;
/// How long to wait after a change: the editor may not be done.
const SETTLE: Duration = Duration::from_millis(30);

/// The arguments of `watch`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The scenario; it may be missing or invalid for a while
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Arguments")]
    file: PathBuf,
    #[command(flatten)]
    pub(crate) scenario: Scenario,
    #[command(flatten)]
    picture: Picture,
}

/// Runs the scenario until a signal asks to end, which is `Interrupted`: 130.
pub(crate) fn main(arguments: &Arguments, common: &Common, output: Output) -> Status {
    let path = &arguments.file;
    if path == Path::new("-") || path.is_dir() {
        let message = format!("`ipcrun watch` takes one file, and `{}` is not a file", path.display());
        output.report(&[Diagnostic::error(Code::USAGE, message)]);
        return Status::Invalid;
    }
    let options = Options {
        scenario: arguments.scenario.clone(),
        held: None,
        repeat: 1,
        record: RecordChoice::Full,
        limits: Limits { events: None, bytes: run_scenario::share(1) },
        traces: Vec::new(),
        suites: false,
        silent: false,
        timeline: Some(arguments.picture),
        watched: true,
        html: None,
        json: false,
        progress: Mode::None,
        quiet: common.quiet,
        output,
        arguments: Vec::new(),
    };
    match watch(path, &options) {
        Ok(status) => status,
        Err(error) => {
            let message = format!("`{}` cannot be watched: {error}", path.display());
            output.report(&[Diagnostic::error(Code::HOST_LIMIT, message)]);
            Status::Host
        }
    }
}

fn watch(path: &Path, options: &Options) -> io::Result<Status> {
    // From the beginning: a signal between two runs is seen in the next wait.
    let signals = Blocked::new(false)?;
    let mut watcher = Watcher::new(path)?;
    loop {
        let seen = stamp(path);
        let opened = inputs::open(path);
        let (mut err, mut out, mut interrupted) = (String::new(), String::new(), false);
        for input in inputs::combinations(vec![opened], &options.scenario).unwrap_or_default() {
            let report = run_scenario::one(&input, options, false);
            err.push_str(&report.err);
            out.push_str(&report.out);
            interrupted |= report.status == Status::Interrupted;
            if interrupted {
                break;
            }
        }
        show(&err, &out, path);
        if interrupted || !watcher.wait(path, seen, &signals)? {
            return Ok(Status::Interrupted);
        }
    }
}

/// What is different once a file was saved; none where there is no file.
type Stamp = Option<(u64, u64, u64, i64, i64)>;

fn stamp(path: &Path) -> Stamp {
    let file = fs::metadata(path).ok()?;
    Some((file.dev(), file.ino(), file.size(), file.mtime(), file.mtime_nsec()))
}

/// Shows what became of a run on a screen of its own: errors first, or the verdict and the picture.
fn show(errors: &str, text: &str, path: &Path) {
    let waiting = format!("watching {}; Ctrl-C ends it\n", path.display());
    if !io::stdout().is_terminal() {
        output::eprint(errors);
        output::print(text);
        return;
    }
    let room = output::screen().saturating_sub(2).max(4);
    let lines: Vec<&str> = errors.lines().chain(text.lines()).collect();
    // Home, and all below it erased: what was there before stays in the scrollback.
    let mut screen = String::from("\x1b[H\x1b[2J");
    let shown = if lines.len() > room { room - 1 } else { lines.len() };
    for line in &lines[..shown] {
        screen.push_str(line);
        screen.push('\n');
    }
    if shown < lines.len() {
        let _ = writeln!(screen, "and {} more lines", lines.len() - shown);
    }
    screen.push_str(&waiting);
    output::print(&screen);
}

/// Waits for a file to change.
struct Watcher {
    inotify: Inotify,
}

impl Watcher {
    fn new(path: &Path) -> io::Result<Self> {
        let watcher = Self { inotify: Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)? };
        watcher.add(path);
        Ok(watcher)
    }

    /// Watches the file's directory; adding it again changes nothing. One that is gone may come back.
    fn add(&self, path: &Path) {
        let directory = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        let flags = AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_MOVED_FROM
            | AddWatchFlags::IN_DELETE;
        let _ = self.inotify.add_watch(directory, flags);
    }

    /// Waits until the file is another than the one that was `seen`. Gives false where a signal asks to end.
    fn wait(&mut self, path: &Path, seen: Stamp, signals: &Blocked) -> io::Result<bool> {
        loop {
            // The editor may write the file in pieces.
            let now = stamp(path);
            if now != seen {
                sleep(SETTLE);
                if stamp(path) == now {
                    self.forget();
                    return Ok(true);
                }
                continue;
            }
            let mut fds =
                [PollFd::new(signals.as_fd(), PollFlags::POLLIN), PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN)];
            if poll(&mut fds, PollTimeout::from(TRUST))? == 0 {
                self.add(path);
            }
            if signals.take().is_some() {
                return Ok(false);
            }
            if self.touched(path.file_name()) && stamp(path) == seen {
                // Saved without a change, within the clock's resolution: it should still run.
                sleep(SETTLE);
                return Ok(true);
            }
        }
    }

    /// Whether the kernel reported a change of the file since the last call.
    fn touched(&self, name: Option<&OsStr>) -> bool {
        let mut touched = false;
        while let Ok(events) = self.inotify.read_events() {
            touched |= events
                .iter()
                .any(|event| event.name.as_deref() == name && !event.mask.intersects(AddWatchFlags::IN_DELETE));
        }
        touched
    }

    /// Discards the changes reported so far.
    fn forget(&self) {
        while self.inotify.read_events().is_ok() {}
    }
}
