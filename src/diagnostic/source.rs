//! A text with a name, and where in it a byte stands.

use std::ops::Range;

use crate::text::Untrusted;

/// A file that was read, or a text that stands for one.
#[derive(Debug, Eq, PartialEq)]
pub struct Source {
    /// The path as the user gave it.
    pub path: Untrusted,
    pub text: String,
    starts: Vec<usize>,
}

/// A place for people: both counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Source {
    /// A source of that path and text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path: Untrusted::new(path), text, starts }
    }

    /// The line of a byte of the text, from 1; of its end for one behind it.
    pub fn line_number(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte).max(1)
    }

    /// The line and column of a byte of the text; of its end for one behind it.
    ///
    /// It takes time in proportion to the column, which a file with one long line makes large.
    pub fn place(&self, byte: usize) -> Place {
        let byte = self.floor(byte);
        let line = self.line_number(byte);
        let upto = self.text.get(self.starts[line - 1]..byte).unwrap_or("");
        Place { line, column: upto.chars().count() + 1 }
    }

    /// The bytes of a line, counted from 1, without its line feed; the empty end of the text for one behind it.
    pub fn line(&self, line: usize) -> Range<usize> {
        let Some(start) = self.starts.get(line.saturating_sub(1)).copied() else {
            return self.text.len()..self.text.len();
        };
        let end = self.starts.get(line.max(1)).map_or(self.text.len(), |next| next - 1);
        let text = &self.text[start..end];
        start..start + text.strip_suffix('\r').unwrap_or(text).len()
    }

    /// The nearest place at or before a byte where a character begins or the text ends.
    pub fn floor(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }

    /// The text of a range of bytes, empty where the range is not one of this text.
    pub fn slice(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or("")
    }

    /// `path:line` of a byte, as editors take it.
    pub fn line_of(&self, byte: usize) -> String {
        format!("{}:{}", self.path, self.line_number(byte))
    }
}
