//! The values of objects over time: numbers as a line of bars, owners and texts as bands.

use anstyle::Style;

use super::axis::Scale;
use super::glyphs::{Glyphs, Line};
use crate::report::terminal::style::{process_style, shorten, visible, width};
use crate::report::view::timeline_model::{Level, Shape, Track};

/// The most columns of a text in a band, and of a value beside the picture.
const TEXT: usize = 24;
const SIDE: usize = 14;

/// Draws a track's columns.
pub(super) fn draw(track: &Track, scale: &Scale, glyphs: &Glyphs, line: &mut Line) {
    match track.shape {
        Shape::Number => numbers(track, scale, glyphs, line),
        Shape::Owner | Shape::Text => bands(track, scale, glyphs, line),
    }
}

/// The levels within a column: for each, which part of the run's length it was there.
fn main_levels<'a>(track: &'a Track, scale: &Scale) -> Vec<Option<&'a Level>> {
    let mut best: Vec<(f64, Option<&Level>)> = vec![(-1.0, None); scale.columns];
    for (at, level) in track.levels.iter().enumerate() {
        let from = scale.x(level.at);
        let to = track.levels.get(at + 1).map_or(scale.columns as f64, |next| scale.x(next.at));
        let last = scale.columns.saturating_sub(1);
        for (column, best) in
            best.iter_mut().enumerate().take((to as usize).min(last) + 1).skip((from as usize).min(last))
        {
            let part = to.min(column as f64 + 1.0) - from.max(column as f64);
            // The last column shows what was there at the end.
            if part > best.0 || column == last && at + 1 == track.levels.len() && level.at <= scale.end() {
                *best = (part, Some(level));
            }
        }
    }
    best.into_iter().map(|(_, level)| level).collect()
}

fn numbers(track: &Track, scale: &Scale, glyphs: &Glyphs, line: &mut Line) {
    let (low, high) = track.range().unwrap_or((0.0, 1.0));
    let (low, high) = (low.min(0.0), high.max(track.limit.unwrap_or(0) as f64));
    let whole = if high > low { high - low } else { 1.0 };
    let style = Style::new();
    for level in main_levels(track, scale) {
        let number = level.and_then(|level| level.number).unwrap_or(low);
        let bar = ((number - low) / whole * 7.0).round() as usize;
        // What is little is not nothing.
        let bar = if number > low { bar.max(1) } else { bar };
        let bar = glyphs.levels[bar.min(7)];
        // Digits say more than bars do where there are no bars.
        let digit = (bar.is_ascii() && low == 0.0 && high <= 9.0 && number.fract() == 0.0)
            .then(|| char::from_digit(number as u32, 10))
            .flatten();
        line.char(style, digit.unwrap_or(bar));
    }
}

fn bands(track: &Track, scale: &Scale, glyphs: &Glyphs, line: &mut Line) {
    let levels = main_levels(track, scale);
    let mut at = 0;
    while at < levels.len() {
        let same = |other: Option<&Level>| match (levels[at], other) {
            (Some(level), Some(other)) => level.at == other.at && level.event == other.event,
            (level, other) => level.is_none() && other.is_none(),
        };
        let length = levels[at..].iter().take_while(|other| same(**other)).count();
        let text = levels[at].map_or_else(String::new, |level| text(track, level, TEXT));
        let style = levels[at].and_then(|level| level.owner).map_or(Style::new(), process_style);
        let text = glyphs.plain(&text);
        if text.is_empty() {
            line.put(Style::new(), &" ".repeat(length));
        } else if length < 3 {
            line.put(style, &glyphs.band.to_string().repeat(length));
        } else {
            let cut = if width(&text) + 2 > length { glyphs.plain(&shorten(&text, length - 1)) } else { text };
            line.char(style, glyphs.edge);
            line.put(style, &cut);
            line.put(style, &glyphs.band.to_string().repeat((length - 1).saturating_sub(width(&cut))));
        }
        at += length;
    }
}

/// A level's value; empty for no owner.
fn text(track: &Track, level: &Level, columns: usize) -> String {
    match (track.shape, level.value.as_str()) {
        (Shape::Owner, None) => String::new(),
        (_, Some(text)) => shorten(&visible(text), columns).into_owned(),
        _ => crate::report::terminal::style::value(&level.value, columns),
    }
}

/// What is said beside a track: `3→0→3`, the last owner, the last value.
pub(super) fn words(track: &Track, glyphs: &Glyphs) -> String {
    let (Some(first), Some(last)) = (track.levels.first(), track.levels.last()) else { return String::new() };
    if track.shape != Shape::Number {
        let text = text(track, last, SIDE);
        return if text.is_empty() { "free".to_owned() } else { text };
    }
    let (low, high) = track.range().unwrap_or((0.0, 0.0));
    let number = |level: &Level| level.number.unwrap_or(0.0);
    let (begin, end) = (number(first), number(last));
    let show =
        |n: f64| if n.fract() == 0.0 { format!("{n:.0}") } else { format!("{n:.4}").trim_end_matches('0').to_owned() };
    let mut stations = vec![show(begin)];
    let (below, above) = (low < begin.min(end), high > begin.max(end));
    match (below, above) {
        (true, true) => stations.push(format!("{}..{}", show(low), show(high))),
        (true, false) => stations.push(show(low)),
        (false, true) => stations.push(show(high)),
        (false, false) => {}
    }
    if track.levels.len() > 1 {
        stations.push(show(end));
    }
    let text = stations.join(glyphs.to);
    if width(&text) <= SIDE + 2 { text } else { format!("{}{}{}", show(begin), glyphs.to, show(end)) }
}
