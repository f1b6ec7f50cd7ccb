//! `--play PAGE.html`: the page on which scenarios are played.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::files;
use crate::diagnostic::{Code, Diagnostic};
use crate::explore::budget::Budget;
use crate::explore::execution::guided;
use crate::explore::run;
use crate::explore::semantics::transition::Nondeterminism;
use crate::explore::stepper::Stepper;
use crate::report::html::play;
use crate::report::terminal::run_summary::quoted;
use crate::report::view::level::{Level, Trouble};
use crate::scenario::plan::Plan;

/// How long the states of one scenario are collected at most, where no other time was given.
pub(crate) const LONGEST: Duration = Duration::from_secs(20);

/// A page, level by level.
pub(crate) struct Playing {
    path: PathBuf,
    /// How many levels there will be.
    count: usize,
    levels: RefCell<Vec<String>>,
}

impl Playing {
    pub(crate) fn new(path: &Path, count: usize) -> Self {
        Self { path: path.to_owned(), count, levels: RefCell::default() }
    }

    /// Adds a scenario. `again` are the arguments of `replay` besides the file and the schedule. A warning where not all of its
    /// states are on the page. Nothing is added where a signal has come before its first state was ready.
    ///
    /// # Errors
    /// A scenario that the model cannot execute, or of which the budget does not suffice for one state.
    pub(crate) fn add(
        &self,
        plan: &Plan,
        leeway: Nondeterminism,
        budget: &Arc<Budget>,
        again: &[String],
    ) -> Result<Option<Diagnostic>, Vec<Diagnostic>> {
        let mut space = run::space(plan, leeway, false).within(budget);
        let again: String = again.iter().map(|argument| format!(" {}", quoted(argument))).collect();
        let replay = format!("ipcrun replay{again} {}", quoted(plan.source.path.raw()));
        let level = Stepper::new(&mut space).map_err(Trouble::from).and_then(|mut stepper| {
            let levels = self.levels.borrow();
            let share = play::share(&levels, self.count.saturating_sub(levels.len()));
            Level::new(plan, &mut stepper, share, budget, replay)
        });
        if matches!(level, Err(Trouble::Spent)) && budget.is_stopped() {
            return Ok(None);
        }
        let level = level.map_err(|trouble| {
            vec![match trouble {
                Trouble::ModelError(error) => error.diagnostic(plan),
                Trouble::Lost(lost) => Diagnostic::error(Code::BAD_SCHEDULE, guided::lost(plan, &lost)),
                Trouble::Spent => {
                    let message = format!("`{}` is too large to be played on a page", plan.name.shown());
                    let help = "`ipcrun step` shows one state at a time; `--max-time` gives more time";
                    Diagnostic::error(Code::HOST_LIMIT, message).help(help)
                }
            }]
        })?;
        let warning = match level.size() {
            (true, _) => None,
            (false, states) => {
                let message =
                    format!("the page has only the {states} states of `{}` nearest to the first", level.name());
                Some(Diagnostic::warning(Code::USAGE, message).help("`ipcrun step` has all of them"))
            }
        };
        self.levels.borrow_mut().push(play::level(&level));
        Ok(warning)
    }

    /// # Errors
    /// Where the file cannot be written.
    pub(crate) fn write(&self) -> Result<(), Box<Diagnostic>> {
        let levels = self.levels.borrow();
        if levels.is_empty() {
            return Ok(());
        }
        let title = self.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        files::replace(&self.path, play::page(&title, &levels).as_bytes())
            .map_err(|error| files::unwritable("the page", &self.path, &error))
    }
}
