//! The parts of the page that are plain text and tables: they are there without a script.

use std::fmt::Write as _;

use super::Options;
use super::escape::Text;
use crate::judge::{Finding, Judged, Overall, Rule, Status, Subject, Summary, Verdict};
use crate::report::terminal::event_list::event_words;
use crate::report::terminal::repeat_summary::frequency;
use crate::report::terminal::run_summary::label;
use crate::report::terminal::style::{duration, file_name, names, plural, value};
use crate::report::view::statistics::{Usage, ending, endings, groups};
use crate::scenario::expectation::Holds;
use crate::scenario::plan::Plan;
use crate::trace::file::end_word;
use crate::trace::{ProcessEnd, Trace};

/// From this number of satisfied expectations on, they share one line.
const TOGETHER: usize = 6;
/// The most events that are named at an expectation, rows of a table, lines of the source.
const WITNESSES: usize = 20;
const ROWS: usize = 200;
const LINES: usize = 5_000;

/// The class and the word of a status.
pub(super) fn badge(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Pass => ("pass", "PASS"),
        Status::Fail => ("fail", "FAIL"),
        Status::Unknown => ("unknown", "UNKNOWN"),
    }
}

/// The verdict, what the run was, and the command that repeats it.
pub(super) fn header(
    out: &mut String,
    plan: &Plan,
    trace: &Trace,
    verdict: &Verdict,
    status: Status,
    options: &Options<'_>,
) {
    let (class, word) = badge(status);
    let mut facts = vec![
        end_word(&trace.end).to_owned(),
        duration(trace.duration),
        plural(trace.events.len() as u64, "event"),
        plural(trace.ends.iter().filter(|end| **end != ProcessEnd::NotStarted).count() as u64, "process"),
        if trace.lost.is_empty() { "0 lost".to_owned() } else { format!("{} lost", trace.lost.len()) },
        if trace.stalled == 0 {
            "the recorder delayed no process".to_owned()
        } else {
            format!("the recorder delayed processes for {}", duration(trace.stalled))
        },
    ];
    facts.extend(trace.unfinished_steps(plan));
    if !trace.whole {
        let counted: u64 = trace.counted.iter().map(|(_, count)| count).sum();
        facts.push(format!("{} only counted", plural(counted, "step")));
    }
    if trace.engine != "kernel" {
        facts.insert(0, trace.engine.to_owned());
    }
    if let Some(summary) = options.summary {
        facts.insert(0, format!("{} {} of {}", unit(trace), options.run, summary.runs));
        if verdict.status != status {
            facts.insert(1, format!("this {}: {}", unit(trace), badge(verdict.status).1));
        }
    }
    let _ = write!(
        out,
        "<header>\n<div class=\"strip\"><span class=\"badge {class}\">{word}</span><h1>{}</h1>\
         <span class=\"facts\">{}</span><span class=\"spring\"></span>\
         <span class=\"live\"><button type=\"button\" id=\"theme\" aria-label=\"dark colours\">◐</button> \
         <button type=\"button\" id=\"help-open\" aria-label=\"keys\">?</button></span></div>\n",
        Text(plan.name.raw()),
        Text(&facts.join(" · ")),
    );
    if let Some(about) = &plan.about {
        let _ = writeln!(out, "<p class=\"about\">{}</p>", Text(about));
    }
    if !options.command.is_empty() {
        let command = Text(options.command);
        let _ = writeln!(
            out,
            "<div class=\"again\"><span class=\"faint\">again:</span> <code>{command}</code>\
             <button type=\"button\" class=\"small live\" data-copy=\"{command}\">copy</button></div>"
        );
    }
    out.push_str("</header>\n");
}

/// Whether nothing failed for how the run ended.
pub(super) fn end_is_expected(plan: &Plan, verdict: &Verdict) -> bool {
    !verdict.findings.iter().any(|judged| {
        judged.status == Status::Fail
            && match judged.subject {
                Subject::Rule(rule) => matches!(rule, Rule::Deadlock | Rule::Timeout | Rule::Livelock),
                Subject::Expectation(at) => plan
                    .expectations
                    .get(at)
                    .is_some_and(|expectation| matches!(expectation.form.name, "deadlock" | "ends")),
            }
    })
}

/// One expectation as the page shows it, of one run or of several.
struct Told<'a> {
    status: Status,
    label: &'a str,
    holds: Holds,
    subject: Subject,
    measured: String,
    reason: Option<&'a str>,
    finding: Option<&'a Finding>,
    /// Whether the finding is of the run that the page shows.
    here: bool,
}

/// What each expectation measured: those that failed in full, those that hold in a line.
pub(super) fn expectations(out: &mut String, plan: &Plan, trace: &Trace, verdict: &Verdict, options: &Options<'_>) {
    let all: Vec<Told<'_>> = match options.summary {
        Some(summary) => {
            let of = |overall| of_runs(overall, summary, verdict, (options.run, unit(trace)));
            summary.overall.iter().map(of).collect()
        }
        None => verdict.findings.iter().map(of_run).collect(),
    };
    if all.is_empty() {
        return;
    }
    let held = all.iter().filter(|told| told.status == Status::Pass).count();
    out.push_str(
        "<section aria-labelledby=\"expected\"><h2 id=\"expected\">Expectations</h2>\n<ul class=\"expectations\">\n",
    );
    for told in all.iter().filter(|told| told.status != Status::Pass) {
        item(out, plan, trace, told);
    }
    if held >= TOGETHER {
        let _ = writeln!(
            out,
            "<li class=\"pass\"><details><summary><span class=\"mark\">✓</span>{held} expectations hold</summary><ul class=\"expectations\">"
        );
    }
    for told in all.iter().filter(|told| told.status == Status::Pass) {
        item(out, plan, trace, told);
    }
    if held >= TOGETHER {
        out.push_str("</ul></details></li>\n");
    }
    out.push_str("</ul></section>\n");
}

fn of_run(judged: &Judged) -> Told<'_> {
    Told {
        status: judged.status,
        label: &judged.label,
        holds: judged.holds,
        subject: judged.subject,
        measured: judged.finding.measured.clone(),
        reason: judged.reason.as_deref(),
        finding: Some(&judged.finding),
        here: true,
    }
}

/// What a summary adds up: runs, or all executions of a model that end in one way.
pub(super) fn unit(trace: &Trace) -> &'static str {
    if trace.engine == "model" { "end" } else { "run" }
}

fn of_runs<'a>(overall: &'a Overall, summary: &Summary, verdict: &'a Verdict, (run, unit): (u64, &str)) -> Told<'a> {
    // What the shown run says, where it is the same as what all of them say; else what the run says that decides it.
    let shown =
        verdict.findings.iter().find(|judged| judged.subject == overall.subject && judged.label == overall.label);
    let example = overall.example.as_ref().filter(|(number, _)| *number != run);
    let finding = example.map(|(_, finding)| finding).or(shown.map(|judged| &judged.finding));
    let mut measured =
        format!("{}: {} of {}", frequency(overall.frequency).to_lowercase(), overall.held, plural(summary.runs, unit));
    if let Some((number, finding)) = example {
        let _ = write!(measured, "; {} in {unit} {number}", finding.measured);
    } else if let Some(finding) = finding {
        let _ = write!(measured, "; here {}", finding.measured);
    }
    Told {
        status: overall.status,
        label: &overall.label,
        holds: overall.holds,
        subject: overall.subject,
        measured,
        reason: overall.reason.as_deref(),
        finding,
        here: example.is_none(),
    }
}

fn item(out: &mut String, plan: &Plan, trace: &Trace, told: &Told<'_>) {
    let (class, _) = badge(told.status);
    let mark = match told.status {
        Status::Pass => "✓",
        Status::Fail => "✗",
        Status::Unknown => "?",
    };
    let open = if told.status == Status::Pass { "" } else { " open" };
    let line = match told.subject {
        Subject::Expectation(at) => plan.expectations.get(at).map(|expectation| expectation.line),
        Subject::Rule(_) => None,
    };
    let place = line.map_or_else(String::new, |line| {
        format!(" <a class=\"faint\" href=\"#L{line}\">{}:{line}</a>", Text(file_name(plan.source.path.raw())))
    });
    let _ = write!(
        out,
        "<li class=\"{class}\"><details{open}><summary><span class=\"mark\">{mark}</span><span class=\"label\">{}</span> \
         <span class=\"faint\">{}</span></summary><dl>",
        Text(&label(told.label, told.holds)),
        // What failed says it below.
        Text(if open.is_empty() || told.finding.is_none() { &told.measured } else { "" }),
    );
    let mut fact = |name: &str, html: &str| {
        let _ = write!(out, "<dt>{name}</dt><dd>{html}</dd>");
    };
    if let Some(finding) = told.finding {
        if !finding.expected.is_empty() {
            fact("expected", &Text(&finding.expected).to_string());
        }
        fact("measured", &Text(&told.measured).to_string());
        if let Some(reason) = told.reason {
            fact("because", &Text(reason).to_string());
        }
        if told.here && !finding.witnesses.is_empty() {
            fact("events", &witnesses(plan, trace, &finding.witnesses));
        }
        if !finding.notes.is_empty() {
            let mut notes = String::new();
            for note in finding.notes.iter().take(ROWS) {
                let _ = write!(notes, "<li>{}</li>", Text(note));
            }
            fact("notes", &format!("<ul class=\"notes\">{notes}</ul>"));
        }
    } else if let Some(reason) = told.reason {
        fact("because", &Text(reason).to_string());
    }
    if !place.is_empty() {
        fact("at", place.trim_start());
    }
    out.push_str("</dl></details></li>\n");
}

/// Events as links that select them.
fn witnesses(plan: &Plan, trace: &Trace, places: &[usize]) -> String {
    let mut html = String::from("<ul>");
    for at in places.iter().take(WITNESSES) {
        if let Some(words) = event_words(plan, trace, *at) {
            let _ = write!(html, "<li><a class=\"event\" href=\"#e{}\">{}</a></li>", at + 1, Text(&words));
        }
    }
    if places.len() > WITNESSES {
        let _ =
            write!(html, "<li class=\"faint\">and {}</li>", plural((places.len() - WITNESSES) as u64, "more event"));
    }
    html.push_str("</ul>");
    html
}

/// In which states they ended.
pub(super) fn histogram(out: &mut String, summary: &Summary, unit: &str) {
    let most = summary.states.iter().map(|state| state.runs).max().unwrap_or(0).max(1);
    let _ = write!(
        out,
        "<section aria-labelledby=\"runs\"><h2 id=\"runs\">{}{} in {}</h2>\n<div class=\"scroll\"><table><thead><tr>\
         <th scope=\"col\" class=\"number\">{unit}s</th><th scope=\"col\"></th><th scope=\"col\">final state</th><th scope=\"col\">first seen</th></tr></thead><tbody>\n",
        plural(summary.runs, unit),
        if unit == "run" { " ended" } else { "" },
        plural(summary.states.len() as u64, "state"),
    );
    for state in summary.states.iter().take(ROWS) {
        let _ = writeln!(
            out,
            "<tr><td class=\"number\">{}</td><td><span class=\"bar\" style=\"width:{}px\"></span></td><td><code>{}</code></td><td class=\"faint\">{unit} {}</td></tr>",
            state.runs,
            (state.runs * 220).div_ceil(most),
            Text(&state.state),
            state.first,
        );
    }
    out.push_str("</tbody></table></div>");
    if summary.states.len() > ROWS {
        let _ = write!(out, "<p class=\"faint\">and {} more states</p>", summary.states.len() - ROWS);
    }
    out.push_str("</section>\n");
}

/// The picture with what stands beside it, and the source.
pub(super) fn bench(out: &mut String, plan: &Plan, still: &str) {
    let _ = write!(
        out,
        "<section aria-labelledby=\"timeline\"><h2 id=\"timeline\">Timeline</h2>\n\
         <div class=\"toolbar live\" role=\"toolbar\" aria-label=\"timeline\">\
         <span class=\"group\" role=\"group\" aria-label=\"axis\"><button type=\"button\" id=\"axis-time\" aria-pressed=\"false\">Time</button>\
         <button type=\"button\" id=\"axis-folded\" aria-pressed=\"false\">Idle folded</button>\
         <button type=\"button\" id=\"axis-step\" aria-pressed=\"false\">Step</button></span>\
         <span class=\"group\" role=\"group\" aria-label=\"zoom\"><button type=\"button\" id=\"zoom-out\" aria-label=\"zoom out\">−</button>\
         <button type=\"button\" id=\"zoom-fit\">Fit</button><button type=\"button\" id=\"zoom-in\" aria-label=\"zoom in\">+</button></span>\
         <span><label class=\"off\" for=\"search\">search events</label><input type=\"search\" id=\"search\" placeholder=\"search events  ( / )\" autocomplete=\"off\" spellcheck=\"false\"> \
         <span class=\"faint\" id=\"found\" role=\"status\"></span></span></div>\n\
         <div class=\"bench\"><div>\n\
         <div class=\"live\"><canvas id=\"map\" role=\"img\" aria-label=\"map of the whole run: where processes work and wait, what failed\"></canvas>\
         <div id=\"scroller\" tabindex=\"0\" role=\"group\" aria-label=\"timeline: arrow keys move between events\"><div id=\"spacer\"></div>\
         <canvas id=\"canvas\" role=\"img\" aria-label=\"lanes of the processes and tracks of the objects; the table of events below says the same\"></canvas></div></div>\n\
         <div class=\"still\">{still}</div>\n\
         <div class=\"legend\"><span><i class=\"operation\"></i>in a step</span><span><i class=\"blocked\"></i>blocked</span>\
         <span><i class=\"sleeping\"></i>asleep or busy</span><span><i class=\"holding\"></i>holding</span>\
         <span><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><path class=\"a\" d=\"M0 5H22\"/></svg>message</span>\
         <span><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><path class=\"h\" d=\"M0 5H22\"/></svg>handed over, woken</span>\
         <span class=\"bad\">▌not ok</span></div>\n\
         </div><div id=\"panel\"><div id=\"event\" class=\"live\"></div><div id=\"source\" tabindex=\"0\" role=\"region\" aria-label=\"source\"><ol class=\"source\">\n"
    );
    for (number, line) in (1..).zip(plan.source.text.lines().take(LINES)) {
        let _ = writeln!(out, "<li id=\"L{number}\">{}</li>", Text(line));
    }
    out.push_str(
        "</ol></div></div></div>\n<div id=\"tip\" hidden></div><p class=\"off\" id=\"said\" role=\"status\" aria-live=\"polite\"></p></section>\n",
    );
}

/// The events, the processes and the objects as tables.
pub(super) fn tables(out: &mut String, plan: &Plan, trace: &Trace) {
    out.push_str(
        "<section class=\"live\" aria-labelledby=\"all\"><h2 id=\"all\">Events</h2>\n\
         <div class=\"pager\"><button type=\"button\" id=\"earlier\">earlier</button> <span id=\"page\"></span> \
         <button type=\"button\" id=\"later\">later</button> <label><input type=\"checkbox\" id=\"only-found\"> only those found</label></div>\n\
         <div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"events\"><table id=\"events\"><thead><tr><th scope=\"col\" class=\"number\">#</th><th scope=\"col\" class=\"number\">ended</th>\
         <th scope=\"col\">process</th><th scope=\"col\">what</th><th scope=\"col\">with</th><th scope=\"col\" class=\"number\">line</th></tr></thead><tbody id=\"rows\"></tbody></table></div></section>\n",
    );
    out.push_str("<div class=\"two\"><section aria-labelledby=\"processes\"><h2 id=\"processes\">Processes</h2>\n<table><tbody>\n");
    let all = endings(plan, trace);
    for (processes, end) in all.iter().take(ROWS) {
        let good = matches!(end, ProcessEnd::Exited(0) | ProcessEnd::Stopped | ProcessEnd::NotStarted);
        let count = if processes.len() > 1 { format!(" ×{}", processes.len()) } else { String::new() };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}{count}</th><td class=\"{}\">{}</td></tr>",
            Text(&names(plan, processes)),
            if good { "" } else { "bad" },
            Text(&ending(*end)),
        );
    }
    out.push_str("</tbody></table></section>\n");
    objects(out, plan, trace);
    out.push_str("</div>\n");
}

fn objects(out: &mut String, plan: &Plan, trace: &Trace) {
    if plan.groups.is_empty() {
        return;
    }
    out.push_str(
        "<section aria-labelledby=\"objects\"><h2 id=\"objects\">Objects</h2>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\">name</th><th scope=\"col\">kind</th>\
         <th scope=\"col\" class=\"number\">steps</th><th scope=\"col\" class=\"number\">failed</th><th scope=\"col\" class=\"number\">waited</th>\
         <th scope=\"col\" class=\"number\">longest</th><th scope=\"col\">last value</th></tr></thead><tbody>\n",
    );
    for (group, usage) in plan.groups.iter().zip(groups(plan, trace)).take(ROWS) {
        let Usage { operations, failed, waited, longest, .. } = usage;
        let count = group.count.map_or_else(String::new, |count| format!(" ×{count}"));
        let last = match (group.count, trace.finals.get(group.first as usize)) {
            (None, Some(Some(last))) => value(last, 60),
            _ => String::new(),
        };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}{count}</th><td>{}</td><td class=\"number\">{operations}</td><td class=\"number\">{failed}</td>\
             <td class=\"number\">{waited}</td><td class=\"number\">{}</td><td><code>{}</code></td></tr>",
            Text(&group.name),
            group.kind.name,
            if waited > 0 { duration(longest) } else { String::new() },
            Text(&last),
        );
    }
    out.push_str("</tbody></table></div></section>\n");
}

pub(super) fn help(out: &mut String) {
    const KEYS: [(&[&str], &str); 11] = [
        (&["←", "→"], "previous, next event of the process"),
        (&["↑", "↓"], "nearest event of the process above, below"),
        (&["[", "]"], "previous, next event"),
        (&["Home", "End"], "first, last event"),
        (&["/"], "search; Enter and Shift+Enter, or n and N, select the next and previous match"),
        (&["1", "2", "3"], "axis: time, time with idle periods folded, step"),
        (&["+", "−"], "zoom, also with Ctrl and the wheel"),
        (&["0"], "the whole run"),
        (&["t"], "light or dark"),
        (&["Esc"], "clear selection and search"),
        (&["?"], "this list"),
    ];
    out.push_str("<dialog id=\"help\" aria-labelledby=\"keys\"><h2 id=\"keys\">Keys</h2><table><tbody>\n");
    for (keys, what) in KEYS {
        let keys: Vec<String> = keys.iter().map(|key| format!("<kbd>{key}</kbd>")).collect();
        let _ = writeln!(out, "<tr><td>{}</td><td>{what}</td></tr>", keys.join(" "));
    }
    out.push_str(
        "</tbody></table><p class=\"faint\">Of the selected event, what happened before is green, what comes after is blue, and what is neither is dimmed.</p>\
         <button type=\"button\" id=\"help-close\">Close</button></dialog>\n",
    );
}
