//! What is likely meant where a document is no TOML: one message at the place of the mistake, not where the parser fell over it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Source};

/// The most messages of the parser that are printed.
const MOST: usize = 3;

/// What is wrong with a text that is no TOML, of which the parser says this.
pub(super) fn of_document(source: &Arc<Source>, errors: Vec<toml::de::Error>) -> Vec<Diagnostic> {
    let errors = by_line(source, errors);
    let text = source.text.as_str();
    let first = errors.first().and_then(|error| error.primary.as_ref()).map_or(0, |label| label.span.start);
    let one = other_language(text)
        .map(|(span, language)| {
            Diagnostic::error(Code::NOT_TOML, format!("this is {language}, and a scenario is TOML"))
                .at(source, span, format!("{language} from here on"))
                .help("`ipcrun init FILE.toml` writes a first scenario")
        })
        .or_else(|| unclosed(source))
        .or_else(|| curly_quote(source, first))
        .or_else(|| keyless(source, first));
    match one {
        Some(one) => vec![one],
        None => errors.into_iter().take(MOST).collect(),
    }
}

/// The parser's errors, the first of each line.
fn by_line(source: &Arc<Source>, errors: Vec<toml::de::Error>) -> Vec<Diagnostic> {
    let mut by_line = BTreeMap::new();
    let mut twice: Option<Range<usize>> = None;
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let message = error.message().replace('\n', ", ");
        let mut diagnostic = Diagnostic::error(Code::NOT_TOML, message.clone()).at(source, span.clone(), "");
        if message == "duplicate key" {
            // What stands in a table that is there twice is not wrong by itself.
            if twice.as_ref().is_some_and(|table| table.contains(&span.start)) {
                continue;
            }
            let line = source.line(source.line_number(span.start));
            let shown = source.slice(&line).trim();
            let table = shown.starts_with('[');
            if table {
                let rest = source.text[line.end..].find("\n[").map_or(source.text.len(), |at| line.end + at);
                twice = Some(line.end..rest);
            }
            let key = source.slice(&span);
            let name = if table { shown } else { key };
            diagnostic = Diagnostic::error(Code::NOT_TOML, format!("`{name}` stands here a second time")).at(
                source,
                span.clone(),
                "the second",
            );
            let mut lines = source.text[..line.start].lines().enumerate();
            if table && let Some((at, _)) = lines.find(|(_, line)| line.trim() == shown) {
                diagnostic =
                    diagnostic.help(format!("the first is line {}; several alike processes have `count`", at + 1));
            }
        }
        by_line.entry(source.line_number(span.start)).or_insert(diagnostic);
    }
    by_line.into_values().collect()
}

/// Where a text begins that is no TOML, and what it is.
fn other_language(text: &str) -> Option<(Range<usize>, &'static str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (begin, shown) = (at, line.trim());
        at += line.len();
        if shown.is_empty() || shown.starts_with('#') {
            continue;
        }
        let span = begin + (line.len() - line.trim_start().len())..begin + line.trim_end().len();
        let key = shown.strip_suffix(':').unwrap_or_default();
        let word = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
        let pair = shown.split_once(": ").is_some_and(|(key, _)| word(key));
        return match shown {
            "---" => Some((span, "YAML")),
            _ if word(key) || pair => Some((span, "YAML")),
            _ if shown.starts_with('{') => Some((span, "JSON")),
            _ => None,
        };
    }
    None
}

/// The bracket that is still open where a table or key of the file begins, or at the end.
fn unclosed(source: &Arc<Source>) -> Option<Diagnostic> {
    let text = source.text.as_str();
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let begins = line.trim_end();
        let header = begins.starts_with('[') && begins.ends_with(']') && begins.chars().nth(1).is_some_and(is_name);
        let key = begins.split_once('=').is_some_and(|(key, _)| {
            let key = key.trim_end();
            !key.is_empty() && key.chars().all(is_name)
        });
        if let (Some((place, bracket)), true) = (open.first().copied(), header || key) {
            let closing = if bracket == '[' { ']' } else { '}' };
            let what = text[..place].rsplit('\n').next().unwrap_or_default().trim();
            let shown = if what.is_empty() { bracket.to_string() } else { format!("{what} {bracket}") };
            let line = source.line_number(at);
            return Some(
                Diagnostic::error(Code::NOT_TOML, format!("`{shown}` is not closed"))
                    .at(source, place..place + 1, format!("no `{closing}` for this"))
                    .help(format!("line {line} begins something new: put the `{closing}` before it")),
            );
        }
        if !scan(line, at, &mut open) {
            return None;
        }
        at += line.len();
    }
    let (place, bracket) = *open.first()?;
    let closing = if bracket == '[' { ']' } else { '}' };
    Some(Diagnostic::error(Code::NOT_TOML, format!("`{bracket}` is not closed")).at(
        source,
        place..place + 1,
        format!("no `{closing}` for this"),
    ))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || "_-.\"'".contains(c)
}

/// Follows the brackets of a line, strings and comments aside. False where a string is still open at its end, so that nothing
/// is known of what follows.
fn scan(line: &str, at: usize, open: &mut Vec<(usize, char)>) -> bool {
    if line.contains("\"\"\"") || line.contains("'''") {
        return false;
    }
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (place, c) in line.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(end), c) if c == end => quote = None,
            (None, '#') => return true,
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => open.push((at + place, c)),
            (None, ']' | '}') => {
                open.pop();
            }
            _ => {}
        }
    }
    quote.is_none()
}

/// A quote of a typesetter in the line of the first error.
fn curly_quote(source: &Arc<Source>, first: usize) -> Option<Diagnostic> {
    let line = source.line(source.line_number(first));
    let shown = source.slice(&line);
    let (place, c) = shown.char_indices().find(|(_, c)| matches!(c, '“' | '”' | '‘' | '’' | '„' | '«' | '»'))?;
    let span = line.start + place..line.start + place + c.len_utf8();
    let message = format!("`{c}` is no quote of TOML");
    Some(Diagnostic::error(Code::NOT_TOML, message).at(source, span, "write the plain quote `\"`"))
}

/// A value without its key in a table of the first error's line: `{ put = "q", 5 }`.
fn keyless(source: &Arc<Source>, first: usize) -> Option<Diagnostic> {
    let line = source.line(source.line_number(first));
    let shown = source.slice(&line);
    let error = first - line.start;
    let before = &shown[..error.min(shown.len())];
    let value = before.rfind([',', '{'])? + 1;
    let end = shown[value..].find([',', '}']).map_or(shown.len(), |end| value + end);
    let text = shown[value..end].trim();
    let is_value = text.parse::<f64>().is_ok()
        || matches!(text, "true" | "false")
        || text.len() > 1 && text.starts_with('"') && text.ends_with('"');
    if !is_value || !before.contains('{') {
        return None;
    }
    let place = line.start + value + (shown[value..].len() - shown[value..].trim_start().len());
    Some(
        Diagnostic::error(Code::NOT_TOML, format!("a key is missing before `{text}`"))
            .at(source, place..place + text.len(), "a value alone")
            .help(format!("in a table every value has its key, as `value = {text}`")),
    )
}
