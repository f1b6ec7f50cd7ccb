//! Text that others have written, as it is printed. Names, values, paths and arguments come from scenarios, traces,
//! schedules and command lines of strangers: a terminal, a CI server and a reader of a report may obey nothing of it.

use std::borrow::Cow;
use std::fmt;

/// The character in the form in which a terminal shows it and does nothing else.
pub fn harmless(c: char) -> char {
    match c {
        '\t' | '\n' => c,
        // Control characters have pictures of their own in Unicode.
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        _ if obeyed(c) => '\u{fffd}',
        _ => c,
    }
}

/// The characters behind ASCII that control, end a line, or change the direction of what stands beside them: first and
/// last of each range. None is beyond the basic plane, where JSON would need two escapes.
pub(crate) const OBEYED: [(char, char); 6] = [
    ('\u{80}', '\u{9f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2066}', '\u{2069}'),
    ('\u{feff}', '\u{feff}'),
];

/// Further ones that are not seen. A terminal joins letters by some of them.
pub(crate) const UNSEEN: [(char, char); 3] =
    [('\u{200b}', '\u{200d}'), ('\u{2060}', '\u{2065}'), ('\u{206a}', '\u{206f}')];

/// Whether a character is in one of the ranges.
pub(crate) fn is_in(c: char, ranges: &[(char, char)]) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

fn obeyed(c: char) -> bool {
    c >= OBEYED[0].0 && is_in(c, &OBEYED)
}

/// Text of several lines that commands nothing. Line feeds and tabs stay, so each line needs something before it where
/// a line of its own could be taken for a command.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| harmless(c) == c) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(harmless).collect())
    }
}

/// Text on one line that commands nothing: line ends and tabs become spaces.
pub fn line(text: &str) -> Cow<'_, str> {
    let spaced = |c: char| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { harmless(c) };
    if text.chars().all(|c| spaced(c) == c) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.replace("\r\n", "\n").chars().map(spaced).collect())
    }
}

/// JSON with the same meaning in which nothing is left that a terminal would obey. What is escaped can only stand
/// within strings.
pub fn json(document: &str) -> Cow<'_, str> {
    if !document.chars().any(escaped) {
        return Cow::Borrowed(document);
    }
    let mut out = String::with_capacity(document.len() + 16);
    for c in document.chars() {
        if escaped(c) { out.push_str(&format!("\\u{:04x}", u32::from(c))) } else { out.push(c) }
    }
    Cow::Owned(out)
}

fn escaped(c: char) -> bool {
    c == '\x7f' || obeyed(c)
}

/// One line of text that others have written: it is printed as [`line`] makes it, and as it is only by
/// [`Untrusted::raw`].
#[derive(Clone, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Untrusted(String);

impl Untrusted {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it was written: to be compared, to open a file by it, or for a form that escapes by rules of its
    /// own.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The text as it is printed.
    pub fn shown(&self) -> Cow<'_, str> {
        line(&self.0)
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown())
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = "\u{1b}[31m\u{9b}2J\u{7}\u{7f}\u{202e}\u{2028}\u{61c}a\r\n::error::b\tc\u{feff}";

    #[test]
    fn nothing_is_left_to_be_obeyed() {
        let bad = |c: char| c.is_control() || obeyed(c);
        assert_eq!(line(EVIL), "␛[31m\u{fffd}2J␇␡\u{fffd}\u{fffd}\u{fffd}a ::error::b c\u{fffd}");
        assert!(!Untrusted::new(EVIL).to_string().contains(bad));
        assert!(!printable(EVIL).contains(|c| bad(c) && c != '\n' && c != '\t'));
        assert_eq!(Untrusted::new(EVIL).raw(), EVIL);
    }

    #[test]
    fn other_text_stays_as_it_is() {
        let text = "执行任务 é ✓ 👩\u{200d}💻 ::";
        assert!(matches!(line(text), Cow::Borrowed(same) if same == text));
        assert_eq!(format!("{:>4}|", Untrusted::new("é")), "   é|");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = serde_json::json!({ EVIL: [EVIL] });
        let text = value.to_string();
        let shown = json(&text);
        assert!(!shown.contains(|c: char| c.is_control() || obeyed(c)), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).ok(), Some(value));
    }
}
