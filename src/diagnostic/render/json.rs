//! One JSON object a diagnostic, one a line.

use serde_json::{Value, json};

use super::{Diagnostic, word};

/// Lines and columns count from 1, columns in characters; the end is the place behind the last character.
pub(super) fn render(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|diagnostic| escape(&object(diagnostic).to_string()) + "\n").collect()
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
        "path": diagnostic.source.as_ref().map(|source| source.path.as_str()),
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

/// Escapes what JSON lets stand and a terminal would act upon. It can only stand within strings.
fn escape(json: &str) -> String {
    if json.chars().all(|c| super::harmless(c) == c) {
        return json.to_owned();
    }
    json.chars()
        .flat_map(|c| {
            let escaped = if super::harmless(c) == c { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) };
            escaped.chars().collect::<Vec<_>>()
        })
        .collect()
}
