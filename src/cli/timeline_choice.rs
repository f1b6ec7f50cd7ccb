//! Selects the timeline of a run.

use clap::{Args, ValueEnum};

use super::output::{self, Output};
use crate::judge::Verdict;
use crate::report::terminal::event_list;
use crate::report::timeline::{self, Axis, View};
use crate::scenario::plan::Plan;
use crate::trace::Trace;

/// How a run is drawn.
#[derive(Args, Clone, Copy, Debug)]
#[group(skip)]
pub(crate) struct Picture {
    /// How to draw it: auto, gantt (lanes over time), sequence (a dialogue) or log (a line for each event)
    #[arg(long, value_name = "VIEW", default_value = "auto", hide_possible_values = true)]
    pub(crate) view: ViewChoice,
    /// The horizontal axis of lanes: auto, time, folded (long pauses are shortened) or step (every event has one width)
    #[arg(long, value_name = "AXIS", default_value = "auto", hide_possible_values = true)]
    axis: AxisChoice,
}

/// Which picture is drawn.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ViewChoice {
    /// The view that suits the run
    Auto,
    /// Lanes over time
    Gantt,
    /// A dialogue
    Sequence,
    /// A line for each event
    Log,
}

/// The horizontal axis of lanes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum AxisChoice {
    /// Folded time if one pause is longer than all the rest, else time
    Auto,
    /// Time
    Time,
    /// Time with long pauses folded
    Folded,
    /// The same width for every event
    Step,
}

impl Picture {
    /// That view on the axis that suits it.
    pub(crate) fn of(view: ViewChoice) -> Self {
        Self { view, axis: AxisChoice::Auto }
    }

    /// Draws a run in at most that many lines, pointing at the events that decide what failed.
    pub(crate) fn draw(self, plan: &Plan, trace: &Trace, verdict: &Verdict, rows: usize, output: Output) -> String {
        let view = match self.view {
            ViewChoice::Auto => None,
            ViewChoice::Gantt => Some(View::Gantt),
            ViewChoice::Sequence => Some(View::Sequence),
            ViewChoice::Log => {
                let mut out = Vec::new();
                // A vector takes it all.
                let _ = event_list::write(&mut out, plan, trace, output.color, Some(output::columns()));
                return String::from_utf8_lossy(&out).into_owned();
            }
        };
        let axis = match self.axis {
            AxisChoice::Auto => Axis::Auto,
            AxisChoice::Time => Axis::Time,
            AxisChoice::Folded => Axis::Folded,
            AxisChoice::Step => Axis::Step,
        };
        let options = timeline::Options {
            color: output.color,
            ascii: output.ascii,
            columns: output::columns(),
            rows,
            axis,
            marks: timeline::deciding(verdict),
        };
        timeline::draw(plan, trace, view, &options)
    }
}
