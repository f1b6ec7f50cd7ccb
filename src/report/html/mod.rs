//! A run as a page: one file that opens from disk and needs no network.
//!
//! The page shows the verdict, what each expectation measured, the wait-for graph, how often each end was seen, and the
//! run itself: lanes, tracks and arrows that can be moved through. Without a script its first screen still says all of
//! that, the run as a picture in SVG. `page/` holds what makes it move; the run is one JSON in a script element.

mod axis;
mod escape;
mod page_data;
pub(crate) mod play;
mod sections;
mod static_svg;
mod wait_graph;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use axis::{Folds, Kind};
use escape::Text;

use super::view::timeline_model::Spans;
use crate::judge::{Summary, Verdict};
use crate::scenario::plan::Plan;
use crate::trace::Trace;

const STYLE: &str = include_str!("page/page.css");
/// What makes the page move, in the order in which it runs.
const SCRIPTS: [&str; 7] = [
    include_str!("page/data.js"),
    include_str!("page/words.js"),
    include_str!("page/axis.js"),
    include_str!("page/draw.js"),
    include_str!("page/map.js"),
    include_str!("page/panel.js"),
    include_str!("page/main.js"),
];

/// What a page says besides the run itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// The command that repeats the run.
    pub command: &'a str,
    /// What all runs said together, where there were several.
    pub summary: Option<&'a Summary>,
    /// Which of them is shown, from 1.
    pub run: u64,
}

/// The page of one run.
pub fn page(plan: &Plan, trace: &Trace, verdict: &Verdict, options: &Options<'_>) -> String {
    let spans = Spans::new(plan, trace);
    let folds = Folds::new(trace);
    let kind = Kind::of(trace, &spans, &folds);
    let status = options.summary.map_or(verdict.status, |summary| summary.status);
    let mut out = String::new();
    head(&mut out, &format!("{} {}", sections::badge(status).1, plan.name.raw()), "");
    out.push_str("<body>\n");
    sections::header(&mut out, plan, trace, verdict, status, options);
    out.push_str("<main>\n");
    sections::expectations(&mut out, plan, trace, verdict, options);
    out.push_str(&wait_graph::section(plan, trace, sections::end_is_expected(plan, verdict)));
    if let Some(summary) = options.summary {
        sections::histogram(&mut out, summary, sections::unit(trace));
    }
    sections::bench(&mut out, plan, &static_svg::picture(plan, trace, verdict, &spans, &folds, kind));
    sections::tables(&mut out, plan, trace);
    out.push_str("</main>\n");
    sections::help(&mut out);
    // Nothing in the data can fail to be written; a page without it would still tell the verdict.
    let json = page_data::json(plan, trace, verdict, &spans, &folds, kind).unwrap_or_default();
    let _ = write!(
        out,
        "<script type=\"application/json\" id=\"data\">{}</script>\n<script>\n(() => {{\n\"use strict\";\n",
        escape::script(&json)
    );
    out.push_str(&escape::patterns());
    for script in SCRIPTS {
        out.push_str(script);
    }
    out.push_str("})();\n</script>\n</body>\n</html>\n");
    out
}

/// What stands before the body of a page. `style` is what this page has besides that of all.
fn head(out: &mut String, title: &str, style: &str) {
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"generator\" content=\"ipcrun {}\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{}</title>\n<style>\n{STYLE}{style}</style>\n\
         <script>document.documentElement.classList.add(\"js\")</script>\n</head>\n",
        env!("CARGO_PKG_VERSION"),
        Text(title),
    );
}
