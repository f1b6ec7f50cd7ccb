//! Diagnostics as text, one form a file. Each is a pure function of the diagnostics.
//!
//! Whatever stands in a scenario, control characters and escape sequences among it, reaches a terminal only in a
//! harmless form, and a line of any length only as the part that matters.

mod concise;
mod excerpt;
mod full;
mod github;
mod json;

use super::{Diagnostic, Severity};
use crate::text::{line as one_line, printable};

/// The forms in which diagnostics are rendered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Format {
    /// With the lines of the file and the places underlined, as compilers show them.
    #[default]
    Full,
    /// One line each: `path:line:column: error[E0102]: message`.
    Concise,
    /// One JSON object a line.
    Json,
    /// Workflow commands of GitHub Actions, which show them beside the lines of a pull request.
    Github,
}

/// The text of all diagnostics in a format, ending in a line feed; empty where there are none.
pub fn render(diagnostics: &[Diagnostic], format: Format, color: bool) -> String {
    match format {
        Format::Full => full::render(diagnostics, color),
        Format::Concise => concise::render(diagnostics, color),
        Format::Json => json::render(diagnostics),
        Format::Github => github::render(diagnostics),
    }
}

/// The word for a severity.
fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Code, Source};
    use super::*;
    use std::sync::Arc;

    const FORMATS: [Format; 4] = [Format::Full, Format::Concise, Format::Json, Format::Github];

    fn source(text: &str) -> Arc<Source> {
        Arc::new(Source::new("a.toml", text))
    }

    fn sample() -> Diagnostic {
        let source =
            source("[objects]\nempty = { kind = \"semaphore\" }\n\n[processes.p]\nsteps = [{ acquire = \"emtpy\" }]\n");
        let at = source.text.find("\"emtpy").unwrap();
        Diagnostic::error(Code::UNKNOWN_NAME, "no object named `emtpy`")
            .at(&source, at..at + 7, "not declared in `[objects]`")
            .also(10..15, "a similar name is declared here")
            .suggest(at + 1..at + 6, "empty")
    }

    #[test]
    fn full_shows_the_lines_the_places_and_the_patch() {
        let expected = "\
error[E0102]: no object named `emtpy`
 --> a.toml:5:22
  |
2 | empty = { kind = \"semaphore\" }
  | ----- a similar name is declared here
...
5 | steps = [{ acquire = \"emtpy\" }]
  |                      ^^^^^^^ not declared in `[objects]`
  |
help: did you mean `empty`?
  |
5 - steps = [{ acquire = \"emtpy\" }]
5 + steps = [{ acquire = \"empty\" }]
  |

note: see `ipcrun explain E0102`
";
        let text = render(&[sample()], Format::Full, false);
        assert_eq!(text, expected);
    }

    #[test]
    fn concise_is_one_line_as_editors_read_it() {
        assert_eq!(
            render(&[sample()], Format::Concise, false),
            "a.toml:5:22: error[E0102]: no object named `emtpy` (did you mean `empty`?)\n"
        );
        let nowhere = Diagnostic::warning(Code::UNREADABLE, "two\nlines");
        assert_eq!(render(&[nowhere], Format::Concise, false), "warning[E0001]: two lines\n");
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = render(&[sample(), sample()], Format::Json, false);
        assert_eq!(text.lines().count(), 2);
        let value: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(value["code"], "E0102");
        assert_eq!((&value["line"], &value["column"]), (&5.into(), &22.into()));
        assert_eq!((&value["end_line"], &value["end_column"]), (&5.into(), &29.into()));
        assert_eq!(value["suggestion"]["replacement"], "empty");
    }

    #[test]
    fn github_escapes_what_its_commands_give_a_meaning() {
        let diagnostic =
            Diagnostic::error(Code::NOT_TOML, "100%\nwrong").within(&Arc::new(Source::new("a,b:c.toml", "")));
        assert_eq!(
            render(&[diagnostic], Format::Github, false),
            "::error file=a%2Cb%3Ac.toml,title=E0002::100%25%0Awrong\n"
        );
    }

    #[test]
    fn nothing_of_the_source_commands_the_terminal() {
        let text = "a = \"\x1b]0;title\x07\x1b[31mred\u{9b}2J\u{202e}\"\r\nb = 1\r\n";
        let source = source(text);
        let diagnostic = Diagnostic::error(Code::WRONG_TYPE, "bad \x1b[2J \u{9b}text")
            .at(&source, 4..text.find('\r').unwrap(), "here \x1b[1m")
            .suggest(0..1, "\x1b[5m")
            .help("try \x1b[0m")
            .note("\x08\x08");
        for format in FORMATS {
            let text = render(std::slice::from_ref(&diagnostic), format, false);
            let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(bad), "{format:?}: {text:?}");
        }
    }

    #[test]
    fn a_megabyte_on_one_line_is_cut_around_the_place() {
        let long = format!("a = [{} wrong {}]", "1, ".repeat(200_000), "2, ".repeat(200_000));
        let at = long.find("wrong").unwrap();
        let source = source(&long);
        let diagnostic =
            Diagnostic::error(Code::WRONG_TYPE, "no value").at(&source, at..at + 5, "here").suggest(at..at + 5, "3");
        let whole = Diagnostic::error(Code::WRONG_TYPE, "all of it").at(&source, 0..long.len(), "this");
        for format in FORMATS {
            let text = render(&[diagnostic.clone(), whole.clone()], format, false);
            assert!(text.len() < 4000, "{format:?}: {}", text.len());
        }
        let text = render(&[diagnostic], Format::Full, false);
        assert!(text.contains(" wrong ") && text.contains(&format!("a.toml:1:{}", at + 1)), "{text}");
    }

    #[test]
    fn places_may_be_anywhere_even_where_there_is_nothing() {
        for text in ["", "\n", "a", "a\n", "a\r\n", "a\r\nb", "é\t执行", "\u{feff}a = 1\n", "\n\n\n", "a\n\n"] {
            let source = source(text);
            for start in 0..text.len() + 3 {
                for end in start..text.len() + 4 {
                    let diagnostic = Diagnostic::error(Code::NOT_TOML, "wrong")
                        .at(&source, start..end, "here")
                        .also(end..end + 1, "and here")
                        .suggest(start..end, "x");
                    for format in FORMATS {
                        assert!(render(std::slice::from_ref(&diagnostic), format, true).contains("wrong"));
                    }
                }
            }
        }
    }

    #[test]
    fn carets_stand_below_wide_characters() {
        let source = source("x = \"执行\" + y\n");
        let at = source.text.find('y').unwrap();
        let text =
            render(&[Diagnostic::error(Code::SYNTAX, "wrong").at(&source, at..at + 1, "here")], Format::Full, false);
        assert!(text.contains("a.toml:1:12\n"), "{text}");
        assert!(text.contains("\n  |              ^ here"), "{text}");
    }

    #[test]
    fn far_places_are_shown_apart() {
        let source = source(&"line = 1\n".repeat(3000));
        let diagnostic =
            Diagnostic::error(Code::UNKNOWN_KEY, "wrong").at(&source, 9000..9004, "here").also(0..4, "and here");
        let text = render(&[diagnostic], Format::Full, false);
        assert!(text.contains(" --> a.toml:1001:1") && text.contains("::: a.toml:1:1"), "{text}");
        assert!(text.lines().count() < 20, "{text}");
    }

    #[test]
    fn a_flood_is_cut_in_full_and_whole_elsewhere() {
        let many = vec![sample(); 250];
        let full = render(&many, Format::Full, false);
        assert_eq!(full.matches("error[E0102]").count(), 100);
        assert!(full.contains("note: 150 more are not shown; `--error-format concise` shows one line of each\n"));
        assert_eq!(render(&many, Format::Concise, false).lines().count(), 250);
    }
}
