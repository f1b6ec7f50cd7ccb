//! One JSON object for each diagnostic, one on each line.

use serde_json::{Value, json};

use super::{Diagnostic, word};
use crate::text;

/// Lines and columns count from 1, columns in characters; the end is the place behind the last character.
pub(super) fn render(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|diagnostic| text::json(&object(diagnostic).to_string()).into_owned() + "\n").collect()
}

fn object(diagnostic: &Diagnostic) -> Value {
    let places =
        diagnostic.source.as_ref().zip(diagnostic.primary.as_ref()).map(|(source, label)| {
            (source.place(label.span.start), source.place(label.span.end.max(label.span.start)))
        });
    let suggestion = diagnostic.source.as_ref().zip(diagnostic.suggestion.as_ref()).map(|(source, suggestion)| {
        let (start, end) = (source.place(suggestion.span.start), source.place(suggestion.span.end));
        json!({
            "message": suggestion.message,
            "replacement": suggestion.replacement,
            "line": start.line,
            "column": start.column,
            "end_line": end.line,
            "end_column": end.column,
        })
    });
    json!({
        "code": diagnostic.code.to_string(),
        "severity": word(diagnostic.severity),
        "message": diagnostic.message,
        "path": diagnostic.source.as_ref().map(|source| source.path.raw()),
        "line": places.map(|(start, _)| start.line),
        "column": places.map(|(start, _)| start.column),
        "end_line": places.map(|(_, end)| end.line),
        "end_column": places.map(|(_, end)| end.column),
        "label": diagnostic.primary.as_ref().map(|label| label.text.as_str()),
        "help": diagnostic.help,
        "notes": diagnostic.notes,
        "suggestion": suggestion,
    })
}
