//! Random values, conditions and names, as texts.

use super::draw::Draw;
use super::taste::Taste;
use crate::scenario::steps::{self, Hint};
use crate::value::Types;

/// The labels of marks and sections.
pub(super) const LABELS: &[&str] = &["here", "bath"];

/// The variables of a process: numbers, anything, the names of outcomes.
pub(super) const VARS: &str = "vars = { x = 0, y = 0, o = \"\" }\n";

/// The texts of values, with their types and how often each is drawn.
const CONSTANTS: &[(&str, Types, u32)] = &[
    ("0", Types::INT, 12),
    ("1", Types::INT, 12),
    ("2", Types::INT, 6),
    ("-1", Types::INT, 2),
    ("100", Types::INT, 2),
    ("0.5", Types::FLOAT, 2),
    ("true", Types::BOOL, 4),
    ("false", Types::BOOL, 4),
    ("\"a\"", Types::STRING, 4),
    ("\"é\"", Types::STRING, 1),
    ("\"a text of many letters, more than most\"", Types::STRING, 2),
    ("{ bytes = [0, 255] }", Types::BYTES, 2),
    ("[0, 1]", Types::LIST, 6),
    ("[1, 2]", Types::LIST, 4),
    ("[1, { k = \"two\" }]", Types::LIST, 1),
    ("{ k = 1 }", Types::MAP, 1),
];

/// The texts of values that are computed.
const COMPUTED: &[&str] = &["\"{x}\"", "\"{x}\"", "\"{x + 1}\"", "\"{x + 1}\"", "\"{y}\"", "\"{y}\"", "\"{2 / x}\""];
const BY_INDEX: &[&str] = &["\"{index}\"", "\"{index}\"", "\"{x + index}\"", "\"{name}\""];
const RANDOM: &[&str] = &["\"{random(0, 1)}\"", "\"{x + random(0, 2)}\""];

/// A value of these types that is known beforehand.
pub(super) fn constant(draw: &mut Draw, types: Types) -> String {
    let fitting: Vec<_> = CONSTANTS.iter().filter(|(_, of, _)| types.contains(*of)).map(|one| (one.0, one.2)).collect();
    draw.weighted(&fitting).unwrap_or("0").to_owned()
}

/// A value in a step.
pub(super) fn value(draw: &mut Draw, types: Types, taste: Taste) -> String {
    if taste.random && draw.one_in(3) {
        return draw.of(RANDOM).to_owned();
    }
    // Longer than a packet or a page.
    if types.contains(Types::BYTES) && draw.one_in(10) {
        return "{ bytes = \"x\", repeat = 5000 }".to_owned();
    }
    match draw.below(if taste.own { 5 } else { 12 }) {
        0 => draw.of(BY_INDEX).to_owned(),
        1..4 => draw.of(COMPUTED).to_owned(),
        _ => constant(draw, types),
    }
}

/// What an `update` computes.
pub(super) fn update(draw: &mut Draw) -> String {
    draw.of(&["\"{it + 1}\"", "\"{it + x}\"", "\"{it * 2}\"", "\"{it}\"", "\"{!it}\"", "1"]).to_owned()
}

/// A condition of a process.
pub(super) fn condition(draw: &mut Draw) -> &'static str {
    draw.of(&[
        "x == 0",
        "x == 0",
        "x != 1",
        "x < 2",
        "o == 'ok'",
        "o != 'ok'",
        "index == 0",
        "y == x",
        "y.alive",
        "z == null",
        "z == null || z > 0",
    ])
}

pub(super) fn duration(draw: &mut Draw) -> &'static str {
    draw.of(&["0s", "1ms", "1ms", "2ms"])
}

pub(super) fn signal(draw: &mut Draw, taste: Taste) -> &'static str {
    if taste.stops && draw.one_in(3) {
        return draw.of(&["STOP", "CONT"]);
    }
    draw.of(&["KILL", "KILL", "TERM", "USR1", "USR1", "RTMIN+1", "WINCH"])
}

/// A signal that a process catches, ignores or asks for.
pub(super) fn caught(draw: &mut Draw) -> &'static str {
    draw.of(&["USR1", "USR1", "USR1", "RTMIN+1", "RTMIN+1", "CHLD", "TERM", "WINCH", "KILL"])
}

/// A list of signals.
pub(super) fn signals(draw: &mut Draw) -> &'static str {
    draw.of(&[
        "[\"USR1\"]",
        "[\"USR1\"]",
        "[\"RTMIN+1\"]",
        "[\"CHLD\"]",
        "[\"USR1\", \"RTMIN+1\", \"TERM\"]",
        "[\"STOP\"]",
        "[]",
    ])
}

/// A step that takes a moment, or nothing.
pub(super) fn delay(draw: &mut Draw) -> String {
    let idle: Vec<_> = steps::STEPS.iter().filter(|verb| Hint::of(verb.name).idle).collect();
    let verb = draw.of(&idle);
    match draw.below(4) {
        0 => match verb.arguments.first().map(|argument| argument.form) {
            Some(crate::objects::Form::Duration) => format!("{{ {} = \"{}us\" }}, ", verb.name, draw.below(200)),
            _ => format!("\"{}\", ", verb.name),
        },
        _ => String::new(),
    }
}
