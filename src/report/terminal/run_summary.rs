//! The summary of a run that a person reads in five seconds: what holds, how the processes ended, how the objects were
//! used; of what does not hold, the events that decide it.

use std::fmt::Write as _;

use super::blocked;
use super::source_snippet;
use super::style::{
    BAD, DOUBT, FAINT, GOOD, Pen, STRONG, ascii, duration, names, placed, plural, shorten, value, visible, width, wrap,
};
use crate::judge::{Finding, Judged, Rule, Status, Subject, Verdict};
use crate::report::timeline;
use crate::report::view::statistics::{Usage, ending, endings, groups};
use crate::scenario::expectation::Holds;
use crate::scenario::plan::Plan;
use crate::text;
use crate::trace::{ProcessEnd, Trace};

/// No line is meant to be longer, however wide the terminal is.
const WIDEST: usize = 100;
/// The most columns of an expectation's label and of a name, where something stands beside them.
const LABEL: usize = 64;
const NAME: usize = 32;
/// The fewest columns of a label.
const LEAST: usize = 16;
/// How many lines a list has before the rest of it is folded.
pub(crate) const LINES: usize = 12;

/// How many failures are printed in full.
const FULL: usize = 4;

/// How a report is drawn.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// Whether styles are written.
    pub color: bool,
    /// Whether the events that decide what failed are drawn on lanes; where the whole run is drawn, they are there.
    pub picture: bool,
    /// Whether only ASCII is written, but for the command that repeats the run.
    pub ascii: bool,
    /// The terminal's width; at most 100 columns are used.
    pub columns: usize,
    /// The arguments that were given besides the file and the seed, for the command that repeats the run.
    pub arguments: &'a [String],
}

impl Options<'_> {
    pub(crate) fn pen(&self) -> Pen {
        Pen { color: self.color }
    }

    pub(crate) fn width(&self) -> usize {
        self.columns.clamp(40, WIDEST)
    }
}

/// The summary of one run.
pub fn run(plan: &Plan, trace: &Trace, verdict: &Verdict, options: &Options<'_>) -> String {
    let page = Page { plan, pen: options.pen(), columns: options.width() };
    let summary = Summary { page, trace, verdict, picture: options.picture, ascii: options.ascii };
    let page = &summary.page;
    let mut out = String::new();
    summary.headline(&mut out);
    summary.expectations(&mut out);
    let unexpected = |judged: &Judged| judged.status == Status::Fail && page.is_about_end(judged.subject);
    let expected = !verdict.findings.iter().any(unexpected);
    out.push_str(&blocked::tell(plan, trace, expected, page.pen, page.columns));
    summary.processes(&mut out);
    summary.objects(&mut out);
    summary.trace_line(&mut out);
    if options.ascii {
        out = ascii(&out);
    }
    if verdict.status == Status::Fail {
        page.again(&mut out, options.arguments);
    }
    out
}

/// The command that repeats a run: the file and the seed, with the other arguments that were given.
pub fn command(plan: &Plan, arguments: &[String]) -> String {
    let mut text = format!("ipcrun run {} --seed {}", quoted(plan.source.path.raw()), plan.seed);
    for argument in arguments {
        let _ = write!(text, " {}", quoted(argument));
    }
    text
}

/// An argument as a shell reads it. What a terminal would obey stands in it as an escape, for bash and its like.
pub(crate) fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./=:,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else if argument.contains(char::is_control) || text::printable(argument) != argument {
        let plain = |c: char| !c.is_control() && text::harmless(c) == c;
        let escaped = argument.chars().map(|c| match c {
            '\'' | '\\' => format!("\\{c}"),
            c if plain(c) => c.to_string(),
            c => format!("\\u{:04x}", u32::from(c)),
        });
        format!("$'{}'", escaped.collect::<String>())
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
}

/// `✓`, `✗` or `?` in its colour.
pub(crate) fn mark(status: Status, pen: Pen) -> String {
    let (style, mark) = match status {
        Status::Pass => (GOOD, "✓"),
        Status::Fail => (BAD, "✗"),
        Status::Unknown => (DOUBT, "?"),
    };
    pen.paint(style, mark).into_owned()
}

/// The first line: the verdict, the name, what is wrong with how many, the file.
pub(crate) fn headline(plan: &Plan, statuses: &[Status], overall: Status, pen: Pen, columns: usize) -> String {
    let of = |status| statuses.iter().filter(|other| **other == status).count() as u64;
    let (failed, unknown) = (of(Status::Fail), of(Status::Unknown));
    let words = match (failed, unknown) {
        (0, 0) => String::new(),
        (0, unknown) => format!(": {unknown} unknown"),
        (failed, 0) => format!(": {failed} failed"),
        (failed, unknown) => format!(": {failed} failed, {unknown} unknown"),
    };
    let name = pen.paint(STRONG, plan.name.to_string());
    let place = placed(&plan.source.path.shown(), 2 + width(&plan.name.shown()) + width(&words), columns, pen);
    format!("{} {name}{words}{place}", mark(overall, pen))
}

/// What the summaries of one run and of several are written with.
pub(crate) struct Page<'a> {
    pub plan: &'a Plan,
    pub pen: Pen,
    pub columns: usize,
}

impl Page<'_> {
    /// Whether it judges how the run ended: in a deadlock, by the timeout.
    pub(crate) fn is_about_end(&self, subject: Subject) -> bool {
        match subject {
            Subject::Rule(rule) => matches!(rule, Rule::Deadlock | Rule::Timeout | Rule::Livelock),
            Subject::Expectation(at) => {
                let form = self.plan.expectations.get(at).map(|expectation| expectation.form.name);
                matches!(form, Some("deadlock" | "ends"))
            }
        }
    }

    /// `file:line` of an expectation.
    pub(crate) fn place(&self, subject: Subject) -> String {
        let expectation = match subject {
            Subject::Expectation(at) => self.plan.expectations.get(at),
            Subject::Rule(_) => None,
        };
        expectation.map(|expectation| format!("{}:{}", self.plan.source.path, expectation.line)).unwrap_or_default()
    }

    /// How many columns labels have, `beside` of a line being taken by other things: those of the longest, if there are
    /// that many.
    pub(crate) fn labels(&self, labels: impl Iterator<Item = usize>, beside: usize) -> usize {
        labels.max().unwrap_or(0).min(LABEL).min(self.columns.saturating_sub(beside).max(LEAST))
    }

    /// What was expected and seen, why that decides, and at which events.
    pub(crate) fn found(&self, out: &mut String, finding: &Finding, reason: Option<&str>, trace: Option<&Trace>) {
        for (word, said) in [("expected", &finding.expected), ("seen", &finding.measured)] {
            if !said.is_empty() {
                self.wrapped(out, &format!("    {word:<9} "), said);
            }
        }
        if let Some(reason) = reason {
            self.wrapped(out, "    because   ", reason);
        }
        if let Some(trace) = trace {
            out.push_str(&source_snippet::draw(self.plan, trace, &finding.witnesses, self.pen, 4, self.columns));
        }
    }

    /// More facts, a line each.
    pub(crate) fn notes(&self, out: &mut String, notes: &[String]) {
        for note in notes.iter().take(LINES) {
            self.wrapped(out, "    = ", note);
        }
        if notes.len() > LINES {
            let _ = writeln!(out, "    {}", self.pen.paint(FAINT, format!("and {} more", notes.len() - LINES)));
        }
    }

    /// Text under its lead, broken between words where it is too long for a line.
    pub(crate) fn wrapped(&self, out: &mut String, lead: &str, text: &str) {
        let (indent, room) = (width(lead), self.columns.saturating_sub(width(lead)).max(20));
        let mut lead = self.pen.paint(FAINT, lead).into_owned();
        for line in wrap(text, room) {
            let _ = writeln!(out, "{lead}{}", visible(&line));
            lead = " ".repeat(indent);
        }
    }

    /// The command that repeats a run.
    pub(crate) fn again(&self, out: &mut String, arguments: &[String]) {
        let _ = writeln!(out, "  {} {}", self.pen.paint(FAINT, "again:"), command(self.plan, arguments));
    }
}

struct Summary<'a> {
    page: Page<'a>,
    trace: &'a Trace,
    verdict: &'a Verdict,
    picture: bool,
    ascii: bool,
}

impl Summary<'_> {
    fn headline(&self, out: &mut String) {
        let statuses: Vec<Status> = self.verdict.findings.iter().map(|judged| judged.status).collect();
        out.push_str(&headline(self.page.plan, &statuses, self.verdict.status, self.page.pen, self.page.columns));
    }

    /// The first expectations that do not hold, in full; the others on a line each, and not too many of them.
    fn expectations(&self, out: &mut String) {
        let findings = &self.verdict.findings;
        let passed = findings.iter().filter(|judged| judged.status == Status::Pass).count();
        let folded = if passed > LINES { passed - LINES + 1 } else { 0 };
        let labels = findings.iter().map(|judged| width(&label(&judged.label, judged.holds)));
        // What was measured has at least a third of the rest.
        let labels = self.page.labels(labels, 6 + (self.page.columns - 6) * 3 / 10);
        let (mut shown, mut failed, mut pictured) = (0, 0, !self.picture);
        for judged in findings {
            if judged.status == Status::Pass {
                shown += 1;
                if shown > passed - folded {
                    continue;
                }
            }
            if judged.status == Status::Fail {
                failed += 1;
                if failed <= FULL {
                    self.failed(out, judged);
                    // One picture says how to read the others.
                    if !pictured {
                        pictured = self.picture(out, judged);
                    }
                } else if failed <= LINES {
                    self.line(out, judged, labels);
                }
            } else {
                self.line(out, judged, labels);
            }
        }
        if failed > LINES {
            let _ = writeln!(out, "  {} {} more failed", mark(Status::Fail, self.page.pen), failed - LINES);
        }
        if folded > 0 {
            let _ = writeln!(out, "  {} {folded} more hold", mark(Status::Pass, self.page.pen));
        }
    }

    fn line(&self, out: &mut String, judged: &Judged, columns: usize) {
        let label = shorten(&label(&judged.label, judged.holds), columns).into_owned();
        let spaces = " ".repeat(columns.saturating_sub(width(&label)));
        let room = self.page.columns.saturating_sub(columns + 6);
        let measured = shorten(&judged.finding.measured, room).into_owned();
        let line = format!(
            "  {} {label}{spaces}  {}",
            mark(judged.status, self.page.pen),
            self.page.pen.paint(FAINT, measured)
        );
        let _ = writeln!(out, "{}", line.trim_end());
        if let Some(reason) = judged.reason.as_ref().filter(|_| match judged.status {
            Status::Pass => judged.holds == Holds::Always,
            status => status == Status::Unknown,
        }) {
            self.page.wrapped(out, "    ", reason);
        }
    }

    fn failed(&self, out: &mut String, judged: &Judged) {
        let (page, subject) = (&self.page, judged.subject);
        let _ = write!(out, "  {} ", mark(Status::Fail, page.pen));
        let mut lines = wrap(&label(&judged.label, judged.holds), page.columns - 4);
        let last = lines.pop().unwrap_or_default();
        for line in lines {
            let _ = write!(out, "{}\n    ", page.pen.paint(STRONG, line));
        }
        let place = placed(&page.place(subject), 4 + width(&last), page.columns, page.pen);
        let _ = write!(out, "{}{place}", page.pen.paint(STRONG, last));
        page.found(out, &judged.finding, judged.reason.as_deref(), Some(self.trace));
        // The wait-for graph is printed below, in one place.
        if !page.is_about_end(subject) {
            page.notes(out, &judged.finding.notes);
        }
    }

    /// The events that decide an expectation, on the lanes of their processes. Gives whether there was anything to
    /// draw.
    fn picture(&self, out: &mut String, judged: &Judged) -> bool {
        const INDENT: &str = "    ";
        let options = timeline::Options {
            color: self.page.pen.color,
            ascii: self.ascii,
            columns: self.page.columns - INDENT.len(),
            rows: 12,
            axis: if self.trace.duration == 0 { timeline::Axis::Step } else { timeline::Axis::Auto },
            marks: &judged.finding.witnesses,
        };
        let text = if self.page.is_about_end(judged.subject) {
            timeline::stuck(self.page.plan, self.trace, &options)
        } else {
            timeline::around(self.page.plan, self.trace, &options)
        };
        for line in text.lines() {
            let _ = writeln!(out, "{INDENT}{line}");
        }
        !text.is_empty()
    }

    /// How the processes ended: `worker[0..9] ×10  exited 0`.
    fn processes(&self, out: &mut String) {
        let rows: Vec<(String, String, bool)> = endings(self.page.plan, self.trace)
            .into_iter()
            .map(|(processes, end)| {
                let mut name = shorten(&names(self.page.plan, &processes), NAME).into_owned();
                if processes.len() > 1 {
                    let _ = write!(name, " ×{}", processes.len());
                }
                let good = matches!(end, ProcessEnd::Exited(0) | ProcessEnd::Stopped | ProcessEnd::NotStarted);
                (name, ending(end), good)
            })
            .collect();
        let columns = rows.iter().map(|(name, ..)| width(name)).max().unwrap_or(0);
        for (name, end, good) in rows.iter().take(LINES) {
            let style = if *good { anstyle::Style::new() } else { DOUBT };
            let _ = writeln!(
                out,
                "  {}  {}",
                self.page.pen.pad(anstyle::Style::new(), name, columns),
                self.page.pen.paint(style, end.as_str())
            );
        }
        self.more(out, rows.len(), "ways processes ended");
    }

    /// How the objects were used: `permits  semaphore  20 operations, 7 waited, longest 0.41 s`.
    fn objects(&self, out: &mut String) {
        let used: Vec<(String, &str, String)> = self
            .page
            .plan
            .groups
            .iter()
            .zip(groups(self.page.plan, self.trace))
            .filter(|(_, usage)| *usage != Usage::default())
            .map(|(group, usage)| {
                let mut name = shorten(&group.name, NAME).into_owned();
                if let Some(count) = group.count {
                    let _ = write!(name, " ×{count}");
                }
                let mut words = use_of(&usage);
                if let (None, Some(Some(last))) = (group.count, self.trace.finals.get(group.first as usize)) {
                    let _ = write!(words, ", last {}", value(last, NAME));
                }
                (name, group.kind.name, words)
            })
            .collect();
        let columns = used.iter().map(|(name, ..)| width(name)).max().unwrap_or(0);
        let kinds = used.iter().map(|(_, kind, _)| width(kind)).max().unwrap_or(0);
        for (name, kind, words) in used.iter().take(LINES) {
            let plain = anstyle::Style::new();
            let words = shorten(words, self.page.columns.saturating_sub(columns + kinds + 6)).into_owned();
            let _ = writeln!(
                out,
                "  {}  {}  {words}",
                self.page.pen.pad(plain, name, columns),
                self.page.pen.pad(FAINT, kind, kinds),
            );
        }
        self.more(out, used.len(), "objects");
    }

    fn more(&self, out: &mut String, all: usize, what: &str) {
        if all > LINES {
            let _ = writeln!(out, "  {}", self.page.pen.paint(FAINT, format!("and {} more {what}", all - LINES)));
        }
    }

    /// The last line: `trace: 47 events, 10 processes, 0 lost, 0.41 s`.
    fn trace_line(&self, out: &mut String) {
        let trace = self.trace;
        let mut line = plural(trace.length(), "event");
        if !trace.whole {
            let counted: u64 = trace.counted.iter().map(|(_, count)| count).sum();
            let _ = write!(line, " and {counted} only counted");
        }
        let _ = write!(line, ", {}", plural(self.page.plan.processes.len() as u64, "process"));
        let lost = format!("{} lost", trace.lost.len());
        let lost = if trace.lost.is_empty() { lost.into() } else { self.page.pen.paint(BAD, lost) };
        let _ = write!(line, ", {lost}, {}", duration(trace.duration));
        if trace.stalled > 0 {
            let _ = write!(line, ", processes waited {} for the recorder", duration(trace.stalled));
        }
        let _ = writeln!(out, "  {} {line}", self.page.pen.paint(FAINT, "trace:"));
        self.page.notes(out, &trace.lost);
        self.page.notes(out, trace.unfinished_steps(self.page.plan).as_slice());
    }
}

/// The label with the executions it speaks of.
pub(crate) fn label(label: &str, holds: Holds) -> String {
    let executions = match holds {
        Holds::Always => "",
        Holds::Sometimes => " (sometimes)",
        Holds::Never => " (never)",
    };
    format!("{}{executions}", visible(label))
}

/// `20 operations, 7 waited, longest 0.41 s`.
fn use_of(usage: &Usage) -> String {
    let mut text = plural(usage.operations, "operation");
    if usage.failed > 0 {
        let _ = write!(text, ", {} not ok", usage.failed);
    }
    let _ = write!(text, ", {} waited", usage.waited);
    if usage.waited > 0 {
        let _ = write!(text, ", longest {}", duration(usage.longest));
    }
    if usage.forever > 0 {
        let _ = write!(text, ", {} never ended", usage.forever);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Target;
    use crate::report::testing::verdicts::verdict;
    use crate::trace::file::fixture;
    use crate::trace::{RunEnd, Waiting};
    use crate::value::Value;

    const PLAIN: Options<'_> = Options { color: false, picture: true, ascii: false, columns: 100, arguments: &[] };

    #[test]
    fn a_run_that_passes_is_told_in_a_few_lines() {
        let mut plan = fixture::workers();
        let mut trace = fixture::work(&plan);
        trace.finals = vec![Some(Value::Int(2))];
        let found = [("at_most = 2, holding = \"permits\"", Status::Pass), ("count", Status::Pass)];
        let verdict = verdict(&mut plan, &trace, &found);
        assert_eq!(
            run(&plan, &trace, &verdict, &PLAIN),
            "\
✓ test  scenarios/test.toml
  ✓ at_most = 2, holding = \"permits\"  3
  ✓ count                             3
  worker[0..2] ×3  exited 0
  permits  semaphore  6 operations, 1 waited, longest 500 µs, last 2
  trace: 9 events, 3 processes, 0 lost, 952 µs
"
        );
    }

    #[test]
    fn a_failure_shows_what_decides_it_and_how_to_repeat_it() {
        let mut plan = fixture::workers();
        let mut trace = fixture::work(&plan);
        trace.ends[1] = ProcessEnd::Crashed(11);
        trace.lost = vec!["the last event of worker[1]".to_owned()];
        let found = [("at_most = 1, holding = \"permits\"", Status::Fail), ("never", Status::Unknown)];
        let mut verdict = verdict(&mut plan, &trace, &found);
        verdict.findings[0].finding.expected = "at most 1 at once".to_owned();
        verdict.findings[0].finding.measured = "2 at once".to_owned();
        verdict.findings[0].finding.witnesses = vec![0, 2];
        verdict.findings[0].finding.notes = vec!["worker[0] and worker[1] held it".to_owned()];
        verdict.findings[1].holds = Holds::Sometimes;
        verdict.findings[1].reason = Some("one run cannot refute it".to_owned());
        let arguments = ["--set".to_owned(), "text=a b".to_owned()];
        assert_eq!(
            run(&plan, &trace, &verdict, &Options { arguments: &arguments, ..PLAIN }),
            "\
✗ test: 1 failed, 1 unknown  scenarios/test.toml
  ✗ at_most = 1, holding = \"permits\"  scenarios/test.toml:20
    expected  at most 1 at once
    seen      2 at once
     --> scenarios/test.toml:7
      |
    7 |   { acquire = \"permits\" },
      |   ^^^^^^^^^^^^^^^^^^^^^^^
      |   #1  0.001 ms  worker[0] acquire permits
      |   #3  0.002 ms  worker[1] acquire permits
    = worker[0] and worker[1] held it
                                        #1                              #3
     worker[0] │              ▬▬▬▬▬▬▬▬▬▬◆██████████████████████████████████████████████│ ok
     worker[1] │                                              ▬▬▬▬▬▬▬▬▬▬◆██████████████│ SIGSEGV
                862 ns    ╵967 ns    ╵1.07 µs⋯⋯⋯╵1.42 µs⋯⋯⋯╵1.91 µs             2.24 µs
  ? never (sometimes)                 3
    one run cannot refute it
  worker[0], worker[2] ×2  exited 0
  worker[1]                crashed: SIGSEGV
  permits  semaphore  6 operations, 1 waited, longest 500 µs
  trace: 9 events, 3 processes, 1 lost, 952 µs
    = the last event of worker[1]
  again: ipcrun run scenarios/test.toml --seed 7 --set 'text=a b'
"
        );
    }

    #[test]
    fn an_expected_deadlock_is_told_without_alarm() {
        let mut plan = fixture::workers();
        let mut trace = fixture::work(&plan);
        trace.end = RunEnd::Deadlock;
        trace.stuck = vec![Waiting {
            process: 2,
            step: Some(0),
            verb: "acquire".to_owned(),
            target: Target::Object(0),
            since: 2_000,
            on: vec![],
            holder: None,
        }];
        trace.ends[2] = ProcessEnd::Stopped;
        let verdict = verdict(&mut plan, &trace, &[("deadlock = true", Status::Pass)]);
        let text = run(&plan, &trace, &verdict, &PLAIN);
        assert!(text.contains("  deadlock: 1 process waits for ever, as expected\n"), "{text}");
        assert!(text.contains("  worker[2]        stopped with the run\n"), "{text}");
    }

    #[test]
    fn long_lists_are_folded_and_lines_keep_to_the_width() {
        let mut plan = fixture::workers();
        let trace = fixture::work(&plan);
        let labels: Vec<String> = (0..40).map(|n| format!("执行任务 {n} {}", "x".repeat(90))).collect();
        let found: Vec<(&str, Status)> = labels.iter().map(|label| (label.as_str(), Status::Pass)).collect();
        let mut verdict = verdict(&mut plan, &trace, &found);
        verdict.findings[0].finding.measured = "y ".repeat(200);
        verdict.findings[39].status = Status::Unknown;
        verdict.findings[39].reason = Some("because ".repeat(40));
        let text = run(&plan, &trace, &verdict, &Options { columns: 500, ..PLAIN });
        assert!(text.contains("  ✓ 28 more hold\n"), "{text}");
        assert!(text.contains("? 执行任务 39"), "{text}");
        assert!(text.lines().all(|line| width(line) <= 100), "{text}");
        let colored = run(&plan, &trace, &verdict, &Options { columns: 500, color: true, ..PLAIN });
        assert_eq!(anstream::adapter::strip_str(&colored).to_string(), text);
    }

    #[test]
    fn many_failures_are_folded_too() {
        let mut plan = fixture::workers();
        let trace = fixture::work(&plan);
        let mut verdict = verdict(&mut plan, &trace, &[("it fails", Status::Fail); 100]);
        for judged in &mut verdict.findings {
            judged.finding.witnesses = vec![0];
        }
        let text = run(&plan, &trace, &verdict, &PLAIN);
        assert_eq!(text.matches(" --> ").count(), 4, "{text}");
        assert_eq!(text.matches("✗ it fails").count(), 12, "{text}");
        assert!(text.starts_with("✗ test: 100 failed") && text.contains("  ✗ 88 more failed\n"), "{text}");
    }

    #[test]
    fn arguments_are_quoted_where_a_shell_needs_it() {
        let plan = fixture::workers();
        let arguments = ["it's", "", "ключ=1"].map(str::to_owned);
        assert_eq!(command(&plan, &arguments), "ipcrun run scenarios/test.toml --seed 7 'it'\\''s' '' ключ=1");
    }
}
