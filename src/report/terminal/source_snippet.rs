//! Events at the source lines of their steps, drawn like a diagnostic.
//!
//! ```text
//!     --> scenarios/semaphore.toml:12
//!      |
//!   12 |   { acquire = "permits" },
//!      |   ^^^^^^^^^^^^^^^^^^^^^^^
//!      |   #12  1.234 ms  worker[3] acquire permits
//! ```

use std::fmt::Write as _;

use super::event_list::event_words;
use super::style::{BAD, PLACE, Pen, plural, shorten, visible, width};
use crate::event::StepId;
use crate::scenario::plan::Plan;
use crate::trace::Trace;

/// How many events are drawn. The first ones decide; a list of hundreds says no more.
const EVENTS: usize = 8;

/// Draws the events at those places of the trace, each under its step, indented by `indent`.
pub(crate) fn draw(plan: &Plan, trace: &Trace, events: &[usize], pen: Pen, indent: usize, columns: usize) -> String {
    let shown = &events[..events.len().min(EVENTS)];
    let mut steps: Vec<(Option<StepId>, Vec<usize>)> = Vec::new();
    for &at in shown {
        let Some(event) = trace.events.get(at) else { continue };
        let step = event.step.filter(|step| (*step as usize) < plan.steps.len());
        match steps.iter_mut().find(|(other, _)| *other == step) {
            Some((_, here)) => here.push(at),
            None => steps.push((step, vec![at])),
        }
    }
    let lines = steps.iter().filter_map(|(step, _)| step.map(|step| plan.steps[step as usize].line));
    let gutter = lines.max().map_or(1, |line| line.to_string().len());
    let frame =
        Frame { plan, pen, lead: " ".repeat(indent), gutter, columns: columns.saturating_sub(indent + gutter + 3) };
    let mut out = String::new();
    let mut place = true;
    for (step, events) in &steps {
        match step {
            Some(step) => frame.step(&mut out, *step, std::mem::take(&mut place)),
            None => frame.bar(&mut out, ""),
        }
        for &at in events {
            let words = event_words(plan, trace, at).unwrap_or_default();
            frame.bar(&mut out, &format!("  {}", shorten(&words, frame.columns.saturating_sub(2))));
        }
    }
    if events.len() > EVENTS {
        frame.bar(&mut out, &format!("  and {}", plural((events.len() - EVENTS) as u64, "more event")));
    }
    out
}

struct Frame<'a> {
    plan: &'a Plan,
    pen: Pen,
    lead: String,
    gutter: usize,
    columns: usize,
}

impl Frame<'_> {
    /// A line without a number.
    fn bar(&self, out: &mut String, text: &str) {
        let bar = format!("{:1$} |", "", self.gutter);
        let line = format!("{}{} {text}", self.lead, self.pen.paint(PLACE, bar));
        let _ = writeln!(out, "{}", line.trim_end());
    }

    /// The step's first line, underlined; with `place`, the file above it.
    fn step(&self, out: &mut String, step: StepId, place: bool) {
        let (source, step) = (&self.plan.source, &self.plan.steps[step as usize]);
        if place {
            let arrow = format!("{:1$}-->", "", self.gutter);
            let _ = writeln!(out, "{}{} {}:{}", self.lead, self.pen.paint(PLACE, arrow), source.path, step.line);
            self.bar(out, "");
        }
        let start = source.text.get(..step.span.start).map_or(0, |text| text.rfind('\n').map_or(0, |at| at + 1));
        let line = source.text.get(start..).unwrap_or("").lines().next().unwrap_or("");
        // A long line is cut behind the step's begin, a tab takes one column: what is underlined has to stay below.
        let line = shorten(&visible(line), self.columns).into_owned();
        let number = format!("{:>1$} |", step.line, self.gutter);
        let _ = writeln!(out, "{}{} {line}", self.lead, self.pen.paint(PLACE, number));
        let before = width(&visible(source.slice(&(start..step.span.start)))).min(self.columns);
        let marked = source.slice(&step.span).lines().next().unwrap_or("");
        let marks = "^".repeat(width(&visible(marked)).min(self.columns - before).max(1));
        self.bar(out, &format!("{:before$}{}", "", self.pen.paint(BAD, marks)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::file::fixture;

    #[test]
    fn events_stand_under_their_steps() {
        let plan = fixture::workers();
        let trace = fixture::work(&plan);
        assert_eq!(
            draw(&plan, &trace, &[0, 6, 4], Pen { color: false }, 4, 100),
            "     --> scenarios/test.toml:7
      |
    7 |   { acquire = \"permits\" },
      |   ^^^^^^^^^^^^^^^^^^^^^^^
      |   #1  0.001 ms  worker[0] acquire permits
      |   #7  0.502 ms  worker[2] acquire permits  waited 500 µs, from #5
    9 |   { release = \"permits\" },
      |   ^^^^^^^^^^^^^^^^^^^^^^^
      |   #5  0.451 ms  worker[0] release permits
"
        );
    }

    #[test]
    fn a_long_list_and_a_long_line_are_cut() {
        let text = format!("steps = [ {}{{ print = \"执行任务执行任务执行任务\" }} ]", " ".repeat(10));
        let plan = fixture::plan(&text, &[], &[("worker", None, 1)]);
        let events = (0..20)
            .map(|n| fixture::event(&plan, (0, n), (n > 0).then_some(0), (n, n), crate::event::Target::None))
            .collect();
        let trace = fixture::trace(&plan, events);
        let all: Vec<usize> = (0..20).collect();
        let drawn = draw(&plan, &trace, &all, Pen { color: false }, 0, 40);
        assert!(drawn.starts_with("  |\n  |   #1  0.000 ms  worker end\n --> scenarios/test.toml:1\n  |\n"), "{drawn}");
        assert!(drawn.ends_with("  |   and 12 more events\n"), "{drawn}");
        assert!(drawn.lines().all(|line| width(line) <= 40), "{drawn}");
        assert_eq!(draw(&plan, &trace, &[99], Pen { color: true }, 0, 40), "");
    }
}
