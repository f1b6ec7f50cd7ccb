//! Output during a run: one line for each line that a process prints, under its name.

use std::fmt::Write as _;

use super::blocked;
use super::style::{Pen, process_style, width};
use crate::event::ProcessId;
use crate::scenario::plan::{Action, Instruction, Plan};
use crate::text;
use crate::trace::Waiting;

/// Names are padded to the longest that prints, but to no more than this.
const WIDEST: usize = 32;

/// Puts names before printed lines.
#[derive(Debug)]
pub struct Live {
    names: Vec<String>,
    columns: usize,
    pen: Pen,
    ascii: bool,
}

impl Live {
    /// For a run of that plan. With `ascii`, what a process prints is the only other text.
    pub fn new(plan: &Plan, color: bool, ascii: bool) -> Self {
        let prints: Vec<bool> = plan.programs.iter().map(|program| program.code.iter().any(is_print)).collect();
        let columns = plan
            .processes
            .iter()
            .filter(|process| prints[process.program])
            .map(|process| width(&process.name).min(WIDEST))
            .max()
            .unwrap_or(0);
        Self { names: plan.process_names(), columns, pen: Pen { color }, ascii }
    }

    /// What to write of processes that are blocked for ever while others continue: a line for each wait.
    pub fn stuck(&self, plan: &Plan, waiting: &[Waiting], daemons: &[Waiting], columns: usize) -> String {
        blocked::found(plan, waiting, daemons, self.pen, columns)
    }

    /// What to write for `text`, which a process printed: `worker[3] │ text`, with a line end, and each further line
    /// of it under the name again. What a terminal would obey is left out, tabs are kept.
    pub fn line(&self, process: ProcessId, text: &str) -> String {
        let name = self.names.get(process as usize).map_or("", String::as_str);
        let style = process_style(process);
        let lead = format!(
            "{} {}",
            self.pen.pad(style, name, self.columns),
            self.pen.paint(style, if self.ascii { "|" } else { "│" })
        );
        let mut out = String::new();
        // A line end at the end begins no further line.
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            let _ = writeln!(out, "{lead} {}", printable(line));
        }
        out
    }
}

fn is_print(instruction: &Instruction) -> bool {
    matches!(instruction, Instruction::Operate(operation) if matches!(operation.action, Action::Print(_)))
}

/// The line without control characters and without terminal sequences that begin with `ESC [`.
fn printable(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' && chars.peek() == Some(&'[') || c == '\u{9b}' {
            // Parameters and intermediates, then one final byte; a sequence that breaks off ends where it does.
            let mut rest = chars.clone();
            if c == '\u{1b}' {
                rest.next();
            }
            while rest.next_if(|c| (' '..='?').contains(c)).is_some() {}
            if rest.next_if(|c| ('@'..='~').contains(c)).is_some() {
                chars = rest;
            }
        } else if c == '\t' || !c.is_control() {
            out.push(text::harmless(c));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Expression;
    use crate::scenario::plan::{Failure, Operation};
    use crate::trace::file::fixture;
    use crate::value::Value;

    fn plan() -> Plan {
        let mut plan = fixture::plan("", &[], &[("a-process-that-says-nothing", None, 0), ("worker", Some(11), 0)]);
        plan.programs[1].code.push(Instruction::Operate(Box::new(Operation {
            step: 0,
            action: Action::Print(Expression::constant(Value::from("x"))),
            timeout: None,
            into: None,
            second: None,
            failure: Failure::default(),
        })));
        plan
    }

    #[test]
    fn every_line_stands_under_its_name() {
        let live = Live::new(&plan(), false, false);
        assert_eq!(live.line(4, "执行任务\tdone"), "worker[3]  │ 执行任务\tdone\n");
        assert_eq!(live.line(11, "one\ntwo\n"), "worker[10] │ one\nworker[10] │ two\n");
        assert_eq!(live.line(4, ""), "worker[3]  │ \n");
        assert_eq!(Live::new(&plan(), false, true).line(4, "x"), "worker[3]  | x\n");
    }

    #[test]
    fn what_a_terminal_would_obey_is_left_out() {
        let live = Live::new(&plan(), false, false);
        assert_eq!(
            live.line(4, "\u{1b}[2J\u{1b}[31;1mred\u{1b}[0m\r\u{7}\u{9b}5n \u{1b}]0;x"),
            "worker[3]  │ red ]0;x\n"
        );
        assert_eq!(live.line(4, "cut \u{1b}[12"), "worker[3]  │ cut [12\n");
    }

    #[test]
    fn processes_have_colours_of_their_own() {
        let live = Live::new(&plan(), true, false);
        let (one, two) = (live.line(1, "x"), live.line(2, "x"));
        assert_eq!(one, "\u{1b}[32mworker[0]\u{1b}[0m  \u{1b}[32m│\u{1b}[0m x\n");
        assert_ne!(one.replace("[0]", "[1]"), two);
    }
}
