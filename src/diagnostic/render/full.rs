//! Diagnostics as compilers show them: the lines, the places underlined, the change that would mend it.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};

use super::super::{Code, Label, Severity, Source};
use super::excerpt::Excerpt;
use super::{Diagnostic, one_line, printable};

/// Places further apart than this many lines are shown apart.
const APART: usize = 40;
/// The most places shown of one diagnostic.
const MOST: usize = 16;

/// The most diagnostics shown in full.
const SHOWN: usize = 100;

/// Every diagnostic, up to a hundred of them, a blank line behind each, and where more is said.
pub(super) fn render(diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    let mut codes: Vec<Code> = Vec::new();
    for diagnostic in diagnostics.iter().take(SHOWN) {
        out.push_str(&one(diagnostic, &renderer));
        out.push_str("\n\n");
        // A missing file or a wrong argument needs no further page.
        if diagnostic.source.is_some() && !codes.contains(&diagnostic.code) {
            codes.push(diagnostic.code);
        }
    }
    if diagnostics.len() > SHOWN {
        let rest = diagnostics.len() - SHOWN;
        let more = format!("{rest} more are not shown; `--error-format concise` shows one line of each");
        out.push_str(&renderer.render(&[Group::with_title(Level::NOTE.secondary_title(more))]));
        out.push('\n');
    }
    if let Some(code) = codes.first() {
        let others: Vec<String> = codes[1..].iter().map(Code::to_string).collect();
        let also = if others.is_empty() { String::new() } else { format!("; also {}", others.join(", ")) };
        let more = format!("see `ipcrun explain {code}`{also}");
        out.push_str(&renderer.render(&[Group::with_title(Level::NOTE.secondary_title(more))]));
        out.push('\n');
    }
    out
}

fn one(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(printable(&diagnostic.message)).id(diagnostic.code.to_string());
    let mut group = Group::with_title(title);
    let mut change = None;
    // The renderer counts columns in the excerpt, which is another column where a line was cut at its front.
    let mut columns: Vec<(String, String)> = Vec::new();
    if let Some(source) = &diagnostic.source {
        let path = source.path.to_string();
        let mut shown = false;
        for cluster in clusters(diagnostic, source) {
            let excerpt = cluster.excerpt(source);
            let first = &cluster.labels[0];
            let (place, seen) = (source.place(first.span.start), excerpt.column(&first.span));
            if place.column != seen {
                let at = format!("{path}:{}:", place.line);
                columns.push((format!("{at}{seen}"), format!("{at}{}", place.column)));
            }
            let annotations = cluster.labels.iter().map(|label| {
                let kind = if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
                kind.span(excerpt.span(&label.span)).label((!label.text.is_empty()).then(|| printable(label.text)))
            });
            let snippet = Snippet::source(excerpt.text.clone()).line_start(excerpt.first).path(path.clone());
            group = group.element(snippet.annotations(annotations));
            shown = true;
        }
        if !shown {
            group = group.element(Origin::path(path));
        }
        change = diagnostic.suggestion.as_ref().map(|suggestion| {
            let span = inside(source, &suggestion.span);
            let (first, last) = (source.line_number(span.start), source.line_number(span.end));
            let excerpt = Excerpt::new(source, first, last.min(first + APART), &[span.start]);
            let edit = Patch::new(excerpt.span(&span), printable(&suggestion.replacement));
            let snippet = Snippet::source(excerpt.text.clone()).line_start(first).patch(edit);
            Group::with_title(Level::HELP.secondary_title(one_line(&suggestion.message)))
                .element(snippet.path(source.path.to_string()))
        });
    }
    group = group.elements(diagnostic.notes.iter().map(|note| Level::NOTE.message(printable(note))));
    group = group.elements(diagnostic.help.iter().map(|help| Level::HELP.message(printable(help))));
    let groups: Vec<Group<'_>> = std::iter::once(group).chain(change).collect();
    columns.iter().fold(renderer.render(&groups), |text, (seen, right)| text.replacen(seen, right, 1))
}

/// A place to show.
struct Shown<'a> {
    span: Range<usize>,
    text: &'a str,
    primary: bool,
    lines: (usize, usize),
}

/// Places near enough to be shown together, the one that gives the group its line and column first.
struct Cluster<'a> {
    labels: Vec<Shown<'a>>,
    first: usize,
    last: usize,
}

impl Cluster<'_> {
    fn excerpt(&self, source: &Source) -> Excerpt {
        let places: Vec<usize> = self.labels.iter().map(|label| label.span.start).collect();
        Excerpt::new(source, self.first, self.last, &places)
    }
}

/// The places of a diagnostic, those near to each other together and the primary one's first.
fn clusters<'a>(diagnostic: &'a Diagnostic, source: &Source) -> Vec<Cluster<'a>> {
    let shown = |label: &'a Label, primary: bool| {
        let mut span = inside(source, &label.span);
        let first = source.line_number(span.start);
        let mut last = source.line_number(span.end);
        if last - first > APART {
            // So much is not shown: its first line stands for it.
            span.end = source.line(first).end.max(span.start);
            last = first;
        }
        Shown { span, text: &label.text, primary, lines: (first, last) }
    };
    let mut labels: Vec<Shown<'_>> = diagnostic.primary.iter().map(|label| shown(label, true)).collect();
    labels.extend(diagnostic.secondary.iter().take(MOST).map(|label| shown(label, false)));
    labels.sort_by_key(|label| (label.lines.0, label.span.start));
    let mut clusters: Vec<Cluster<'_>> = Vec::new();
    for label in labels {
        let (first, last) = label.lines;
        match clusters.last_mut() {
            Some(cluster) if first <= cluster.last + APART => {
                cluster.last = cluster.last.max(last);
                cluster.labels.push(label);
            }
            _ => clusters.push(Cluster { labels: vec![label], first, last }),
        }
    }
    for cluster in &mut clusters {
        cluster.labels.sort_by_key(|label| !label.primary);
    }
    clusters.sort_by_key(|cluster| !cluster.labels[0].primary);
    clusters
}

/// The span as far as it is one of the text, ending before the line feeds that it would end with.
fn inside(source: &Source, span: &Range<usize>) -> Range<usize> {
    let start = source.floor(span.start);
    let mut end = source.floor(span.end).max(start);
    let text = source.text.as_bytes();
    while end > start && matches!(text[end - 1], b'\n' | b'\r') {
        end -= 1;
    }
    start..end
}
