//! A schedule as a file: TOML, with the scenario that it belongs to and, beside each entry, what it does.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::orders::{Order, parse, suffix};
use crate::diagnostic::{Code, Diagnostic, Source};
use crate::scenario::plan::Plan;

/// The version of the format.
const VERSION: i64 = 1;
/// The keys of the file.
const KEYS: [&str; 6] = ["version", "scenario", "hash", "time", "random", "turns"];
/// The most columns of what is said beside an entry.
const COMMENT: usize = 72;

/// A schedule that was read.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub source: Arc<Source>,
    /// Whether a sleep or a timeout may end at any moment in it.
    pub any_time: bool,
    /// Whether the turns choose the random numbers; else they come from the processes' own streams.
    pub any_random: bool,
    pub orders: Vec<Order>,
}

/// What a schedule depends on, as one word: the scenario's `[objects]` and `[processes]`, its params with their values
/// and the seed, and which steps are turns of their own although they are about no object. Comments, layout, the
/// timeout and what else expectations say are no part of it.
pub fn fingerprint(plan: &Plan, told_apart: &[bool]) -> String {
    let mut text = String::new();
    if let Ok(document) = toml::from_str::<toml::Table>(&plan.source.text) {
        for key in ["objects", "processes"] {
            if let Some(value) = document.get(key) {
                canonical(value, &mut text);
            }
        }
    }
    for (name, value) in &plan.params {
        let _ = write!(text, "{name}={value};");
    }
    let _ = write!(text, "{}", plan.seed);
    for step in (0..told_apart.len()).filter(|step| told_apart[*step]) {
        let _ = write!(text, ",{step}");
    }
    format!("{:016x}", fnv(text.as_bytes()))
}

/// FNV-1a with 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Writes a value so that only its meaning counts.
fn canonical(value: &toml::Value, text: &mut String) {
    match value {
        toml::Value::Table(table) => {
            text.push('{');
            for (key, value) in table {
                let _ = write!(text, "{key:?}:");
                canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        toml::Value::Array(values) => {
            text.push('[');
            for value in values {
                canonical(value, text);
                text.push(',');
            }
            text.push(']');
        }
        toml::Value::String(value) => {
            let _ = write!(text, "{value:?}");
        }
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

/// Reads a schedule for a plan.
///
/// # Errors
/// Everything that is wrong with it, each at its place: it is no schedule, it names what the scenario does not have, or
/// the scenario has changed since.
pub fn read(plan: &Plan, told_apart: &[bool], source: &Arc<Source>) -> Result<Schedule, Vec<Diagnostic>> {
    let document = DeTable::parse(&source.text).map_err(|found| {
        let diagnostic =
            Diagnostic::error(Code::BAD_SCHEDULE, format!("the schedule is not TOML: {}", found.message()));
        vec![match found.span() {
            Some(span) => diagnostic.at(source, span, ""),
            None => diagnostic.within(source),
        }]
    })?;
    let mut reader = Reader { plan, told_apart, source, wrong: Vec::new() };
    let schedule = reader.schedule(document.get_ref());
    if reader.wrong.is_empty() { Ok(schedule) } else { Err(reader.wrong) }
}

struct Reader<'a> {
    plan: &'a Plan,
    told_apart: &'a [bool],
    source: &'a Arc<Source>,
    wrong: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn error(&mut self, span: Range<usize>, message: impl Into<String>, label: &str) {
        self.wrong.push(Diagnostic::error(Code::BAD_SCHEDULE, message).at(self.source, span, label));
    }

    fn schedule(&mut self, table: &DeTable<'_>) -> Schedule {
        for (key, _) in table.iter().filter(|(key, _)| !KEYS.contains(&key.get_ref().as_ref())) {
            let name: &str = key.get_ref();
            let diagnostic = Diagnostic::error(Code::BAD_SCHEDULE, format!("a schedule has no key `{name}`"))
                .at(self.source, key.span(), "unknown key")
                .suggest_nearest(key.span(), name, KEYS);
            self.wrong.push(diagnostic);
        }
        self.version(table.get("version"));
        self.hash(table.get("hash"));
        let any_time = match table.get("time").map(|item| (item.span(), item.get_ref().as_str())) {
            None | Some((_, Some("ideal" | "virtual"))) => false,
            Some((_, Some("any"))) => true,
            Some((span, _)) => {
                self.error(span, "`time` is \"ideal\" or \"any\"", "neither");
                false
            }
        };
        let any_random = match table.get("random").map(|item| (item.span(), item.get_ref().as_str())) {
            None | Some((_, Some("seed"))) => false,
            Some((_, Some("all"))) => true,
            Some((span, _)) => {
                self.error(span, "`random` is \"seed\" or \"all\"", "neither");
                false
            }
        };
        if let Some(item) = table.get("scenario").filter(|item| item.get_ref().as_str().is_none()) {
            self.error(item.span(), "`scenario` is the name of a file, as text", "not text");
        }
        let orders = match table.get("turns") {
            Some(item) => self.turns(item),
            None => {
                let missing = Diagnostic::error(Code::BAD_SCHEDULE, "the schedule has no `turns`")
                    .within(self.source)
                    .help("they are a list of texts: `turns = [\"worker[0] 3\", \"worker[1]\"]`");
                self.wrong.push(missing);
                Vec::new()
            }
        };
        Schedule { source: Arc::clone(self.source), any_time, any_random, orders }
    }

    fn version(&mut self, item: Option<&Spanned<DeValue<'_>>>) {
        let Some(item) = item else {
            let missing = Diagnostic::error(Code::BAD_SCHEDULE, "the schedule has no `version`")
                .within(self.source)
                .help(format!("this ipcrun reads `version = {VERSION}`"));
            self.wrong.push(missing);
            return;
        };
        let version = item.get_ref().as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        if version != Some(VERSION) {
            self.error(
                item.span(),
                format!("this version of ipcrun reads schedules of version {VERSION}"),
                "another version",
            );
        }
    }

    fn hash(&mut self, item: Option<&Spanned<DeValue<'_>>>) {
        let Some(item) = item else { return };
        let Some(hash) = item.get_ref().as_str() else {
            self.error(item.span(), "`hash` is text", "not text");
            return;
        };
        if hash != fingerprint(self.plan, self.told_apart) {
            let path = &self.plan.source.path;
            let diagnostic = Diagnostic::error(
                Code::BAD_SCHEDULE,
                format!("`{path}` is not the scenario of this schedule any more"),
            )
            .at(self.source, item.span(), "of its objects, processes, params and seed as they were")
            .help(format!("`ipcrun explore {path}` finds a schedule anew"))
            .help("without its `hash` the schedule is taken as it is");
            self.wrong.push(diagnostic);
        }
    }

    fn turns(&mut self, item: &Spanned<DeValue<'_>>) -> Vec<Order> {
        let Some(list) = item.get_ref().as_array() else {
            self.error(item.span(), "`turns` is a list of texts, as `[\"worker[0] 3\"]`", "not a list");
            return Vec::new();
        };
        let mut orders = Vec::new();
        for item in list {
            let span = item.span();
            let Some(text) = item.get_ref().as_str() else {
                self.error(span, "a turn is text, as `\"worker[0] 3\"`", "not text");
                continue;
            };
            // Between the quotes, unless escapes or several lines shift the places.
            let inner = span.start + 1..span.end.saturating_sub(1);
            if self.source.slice(&inner) == text {
                orders.extend(parse(self.plan, self.source, inner, &mut self.wrong));
            } else {
                let own = Arc::new(Source::new(self.source.path.raw(), text));
                let mut wrong = Vec::new();
                orders.extend(parse(self.plan, &own, 0..text.len(), &mut wrong).into_iter().map(|mut order| {
                    order.span = span.clone();
                    order
                }));
                for found in wrong {
                    self.error(span.clone(), found.message, "here");
                }
            }
        }
        orders
    }
}

/// The longest name of a scenario within a file's name, in bytes: a kernel's limit is 255 for all of it.
const LONGEST_NAME: usize = 200;

/// The name of the file in which a schedule of that scenario is kept: it leads to no other directory.
pub fn file_name(plan: &Plan) -> String {
    let plain = |c: char| if c == '/' || c.is_control() { '-' } else { crate::text::harmless(c) };
    let mut name: String = plan.name.raw().chars().map(plain).collect();
    let end = (0..=LONGEST_NAME.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    name.truncate(end.unwrap_or(0));
    format!("{name}.schedule.toml")
}

/// A schedule as a file. `told` has, by turn, what it does; turns of one process that do the same share a line.
pub fn write(
    plan: &Plan,
    told_apart: &[bool],
    any_time: bool,
    any_random: bool,
    about: &str,
    orders: &[Order],
    told: &[String],
) -> String {
    let scenario = plan.source.path.raw().rsplit('/').next().unwrap_or_default();
    let mut text = String::new();
    for line in about.lines() {
        let _ = writeln!(text, "# {}", crate::text::line(line));
    }
    let _ = write!(
        text,
        "version = {VERSION}\nscenario = {}\nhash = {} # of its objects, processes, params and seed\n",
        quoted(scenario),
        quoted(&fingerprint(plan, told_apart)),
    );
    let _ = writeln!(text, "time = {}", quoted(if any_time { "any" } else { "ideal" }));
    if any_random {
        text.push_str("random = \"all\"\n");
    }
    text.push_str("turns = [\n");
    let mut lines: Vec<(String, u32, String, String)> = Vec::new();
    let mut told = told.iter();
    for order in orders {
        for _ in 0..order.turns {
            let name = plan.processes[order.process as usize].name.clone();
            let (end, said) = (suffix(order), told.next().cloned().unwrap_or_default());
            match lines
                .last_mut()
                .filter(|line| end.is_empty() && line.0 == name && line.2.is_empty() && line.3 == said)
            {
                Some(line) => line.1 += 1,
                None => lines.push((name, 1, end, said)),
            }
        }
    }
    let lines: Vec<(String, String)> = lines
        .into_iter()
        .map(|(name, turns, end, said)| {
            let count = if turns > 1 { format!(" {turns}") } else { String::new() };
            (quoted(&format!("{name}{count}{end}")), said)
        })
        .collect();
    let columns = lines.iter().map(|(entry, _)| entry.chars().count()).max().unwrap_or(0);
    for (entry, said) in lines {
        let spaces = " ".repeat(columns - entry.chars().count());
        let said: String = said.chars().filter(|c| !c.is_control()).take(COMMENT).collect();
        let line = format!("  {entry},{spaces} {}", if said.is_empty() { said } else { format!("# {said}") });
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.push_str("]\n");
    text
}

/// Text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
