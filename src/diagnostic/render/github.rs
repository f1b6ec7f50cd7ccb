//! Workflow commands of GitHub Actions.

use std::fmt::Write;

use super::{Diagnostic, printable, word};

/// `::error file=..,line=..,col=..,title=E0102::message`.
pub(super) fn render(diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let _ = write!(out, "::{} ", word(diagnostic.severity));
        if let Some(source) = &diagnostic.source {
            let _ = write!(out, "file={},", property(source.path.raw()));
            if let Some(label) = &diagnostic.primary {
                let start = source.place(label.span.start);
                let end = source.place(label.span.end.max(label.span.start));
                let _ = write!(out, "line={},col={},endLine={},", start.line, start.column, end.line);
                // The columns of several lines mean nothing there.
                if start.line == end.line {
                    let _ = write!(out, "endColumn={},", end.column);
                }
            }
        }
        let mut message = diagnostic.message.clone();
        let label = diagnostic.primary.as_ref().map(|label| label.text.as_str()).filter(|text| !text.is_empty());
        let suggestion = diagnostic.suggestion.as_ref().map(|suggestion| suggestion.message.as_str());
        for more in label.into_iter().chain(suggestion).chain(diagnostic.help.iter().map(String::as_str)) {
            message.push('\n');
            message.push_str(more);
        }
        let _ = writeln!(out, "title={}::{}", diagnostic.code, data(&message));
    }
    out
}

fn data(text: &str) -> String {
    printable(&text.replace("\r\n", "\n")).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
