//! The part of a source that is shown: a few whole lines, long ones cut, harmless to a terminal.

use std::ops::Range;

use super::super::Source;
use crate::text::harmless;

/// The longest line that is shown whole, in characters.
const LONGEST: usize = 200;
/// How much of a cut line stands before the place it is about, in characters.
const BEFORE: usize = 60;

/// Consecutive lines of a source with a map from its bytes to those of the text shown.
pub(super) struct Excerpt {
    /// The number of the first line, from 1.
    pub(super) first: usize,
    /// The text to show.
    pub(super) text: String,
    /// For each character the byte it begins at in the source and in the text; one more at the end of each line.
    map: Vec<(usize, usize)>,
}

impl Excerpt {
    /// The lines from `first` to `last`. Long ones are cut around the first of `places` that stands on them.
    pub(super) fn new(source: &Source, first: usize, last: usize, places: &[usize]) -> Self {
        let mut excerpt = Self { first, text: String::new(), map: Vec::new() };
        for line in first..=last {
            if line > first {
                excerpt.text.push('\n');
            }
            let range = source.line(line);
            let focus = places.iter().find(|place| (range.start..=range.end).contains(*place));
            excerpt.push(source, range, focus.copied());
        }
        // An empty last line would not count as one.
        if excerpt.text.is_empty() || excerpt.text.ends_with('\n') {
            excerpt.text.push(' ');
        }
        excerpt
    }

    fn push(&mut self, source: &Source, range: Range<usize>, focus: Option<usize>) {
        let line = source.slice(&range);
        let length = line.chars().count();
        let mut skip = 0;
        if length > LONGEST {
            let before = focus.and_then(|focus| line.get(..focus - range.start)).map_or(0, |text| text.chars().count());
            skip = before.saturating_sub(BEFORE).min(length - LONGEST);
        }
        if skip > 0 {
            self.text.push('…');
        }
        let mut end = range.start;
        for (at, c) in line.char_indices().skip(skip).take(LONGEST) {
            self.map.push((range.start + at, self.text.len()));
            self.text.push(harmless(c));
            end = range.start + at + c.len_utf8();
        }
        self.map.push((end, self.text.len()));
        if skip + LONGEST < length {
            self.text.push('…');
        }
    }

    /// The range of the text that shows a range of the source, as far as it is shown.
    pub(super) fn span(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.byte(span.start);
        start..self.byte(span.end).max(start)
    }

    /// The column at which the text shows the begin of a range of the source, from 1.
    pub(super) fn column(&self, span: &Range<usize>) -> usize {
        let before = &self.text[..self.byte(span.start)];
        before[before.rfind('\n').map_or(0, |at| at + 1)..].chars().count() + 1
    }

    fn byte(&self, byte: usize) -> usize {
        let at = self.map.partition_point(|(from, _)| *from < byte);
        self.map.get(at).or(self.map.last()).map_or(0, |(_, to)| *to)
    }
}
