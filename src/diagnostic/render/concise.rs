//! One line for each diagnostic, for editors and `grep`.

use std::fmt::Write;

use anstyle::{AnsiColor, Effects, Style};

use super::{Diagnostic, Severity, one_line, word};

/// `path:line:column: error[E0102]: message (did you mean ..)`.
pub(super) fn render(diagnostics: &[Diagnostic], color: bool) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        if let Some(source) = &diagnostic.source {
            out.push_str(&source.path.shown());
            if let Some(label) = &diagnostic.primary {
                let place = source.place(label.span.start);
                let _ = write!(out, ":{}:{}", place.line, place.column);
            }
            out.push_str(": ");
        }
        let style = if color { style(diagnostic.severity) } else { Style::new() };
        let (word, code) = (word(diagnostic.severity), diagnostic.code);
        let _ = write!(out, "{style}{word}[{code}]{style:#}: {}", one_line(&diagnostic.message));
        if let Some(suggestion) = &diagnostic.suggestion {
            let _ = write!(out, " ({})", one_line(&suggestion.message));
        }
        out.push('\n');
    }
    out
}

fn style(severity: Severity) -> Style {
    let color = match severity {
        Severity::Error => AnsiColor::BrightRed,
        Severity::Warning => AnsiColor::Yellow,
    };
    color.on_default().effects(Effects::BOLD)
}
