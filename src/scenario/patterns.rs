//! Patterns of events: `"worker acquire permits"`, or a table for more.

use std::ops::Range;

use super::compile::{Possible, PossibleTarget};
use super::document::{Checker, Item, Params, Text, list};
use super::expectation::{BOUNDS, Pattern, PatternTarget};
use super::keys;
use super::names::Declared;
use super::steps;
use crate::diagnostic::{Code, Diagnostic};
use crate::event::ProcessId;
use crate::objects::kinds::signals::HANDLED;
use crate::outcome::{Outcome, Outcomes};
use crate::value::Value;
use toml::de::DeValue;

/// The three parts of a pattern and where each stands.
struct Words<'a> {
    process: Option<Text<'a>>,
    verb: Option<Text<'a>>,
    object: Option<Text<'a>>,
}

/// Reads patterns and says which could never match.
pub(super) struct Patterns<'a> {
    pub(super) declared: &'a Declared,
    pub(super) possible: &'a [Possible],
    /// The program of each process.
    pub(super) programs: &'a [usize],
}

impl Patterns<'_> {
    /// Reads a pattern: a string of three words, or a table.
    pub(super) fn read(&self, checker: &mut Checker, item: Item<'_>) -> Option<Pattern> {
        if let DeValue::Table(_) = item.get_ref() {
            return self.table(checker, item);
        }
        let text = checker.text(item, "a pattern of events, as \"worker acquire permits\"")?;
        self.string(checker, &text)
    }

    /// Reads a pattern from a string.
    pub(super) fn string(&self, checker: &mut Checker, text: &Text<'_>) -> Option<Pattern> {
        let mut words = Vec::new();
        let mut rest = 0;
        let value = text.value;
        while let Some(start) = value[rest..].find(|c: char| !c.is_whitespace()).map(|at| rest + at) {
            // The third word is all that is left: labels may hold spaces, indices too.
            let end = if words.len() == 2 { value.trim_end().len() } else { word_end(value, start) };
            words.push(start..end);
            rest = end;
        }
        if words.len() < 2 {
            let diagnostic =
                Diagnostic::error(Code::SYNTAX, "a pattern has the form \"PROCESS VERB OBJECT\", each a name or `*`")
                    .at(&checker.source, text.span.clone(), "");
            checker.report(diagnostic);
            return None;
        }
        let part = |range: &Range<usize>| {
            let word = &value[range.clone()];
            (word != "*").then(|| Text::within(text, word, range.clone()))
        };
        let words = Words { process: part(&words[0]), verb: part(&words[1]), object: words.get(2).and_then(part) };
        self.build(checker, value, &text.span, &words, Outcomes::of(Outcome::OK), None)
    }

    fn table(&self, checker: &mut Checker, item: Item<'_>) -> Option<Pattern> {
        let fields = checker.table(item, "a pattern")?;
        let word = |checker: &mut Checker, key: &str| {
            let text = checker.text(fields.take(key)?, "a name or \"*\"")?;
            (text.value != "*").then_some(text)
        };
        let words =
            Words { process: word(checker, "process"), verb: word(checker, "verb"), object: word(checker, "object") };
        let outcomes =
            match fields.take("outcome") {
                None => Outcomes::of(Outcome::OK),
                Some(item) => {
                    let text = checker.text(item, "an outcome's name")?;
                    match Outcome::parse(text.value) {
                        Some(outcome) => Outcomes::of(outcome),
                        None if matches!(text.value, "*" | "any") => Outcomes::ALL,
                        None => {
                            let names = Outcome::NAMED.iter().map(|(_, name, _)| *name);
                            let mut diagnostic =
                                Diagnostic::error(Code::UNKNOWN_NAME, format!("no outcome is called `{}`", text.value))
                                    .at(&checker.source, text.span.clone(), "unknown outcome");
                            if let Some(near) = crate::diagnostic::nearest(text.value, names) {
                                diagnostic = diagnostic.suggest(text.span, format!("\"{near}\""));
                            }
                            checker.report(diagnostic);
                            return None;
                        }
                    }
                }
            };
        let value = fields.take("value").and_then(|item| checker.known(item));
        fields.finish(checker, "a pattern", &keys::names(keys::PATTERN_KEYS));
        let shown = checker.source.slice(&item.span()).to_owned();
        self.build(checker, &shown, &item.span(), &words, outcomes, value)
    }

    fn build(
        &self,
        checker: &mut Checker,
        shown: &str,
        span: &Range<usize>,
        words: &Words<'_>,
        outcomes: Outcomes,
        value: Option<Value>,
    ) -> Option<Pattern> {
        let params = checker.params.clone();
        let before = checker.diagnostics.len();
        let processes = match &words.process {
            None => None,
            Some(text) => Some(self.declared.known_processes(checker, text, &mut Params(&params))?),
        };
        let verb = match &words.verb {
            None => None,
            Some(text) => Some(Self::known_verb(checker, text)?),
        };
        let target = match &words.object {
            None => None,
            Some(text) => Some(self.target(checker, text, verb.as_deref())?),
        };
        let pattern = Pattern { text: shown.to_owned(), processes, verb, target, outcomes, value };
        let possible = if pattern.is_bound() {
            could_bound(&pattern)
        } else {
            self.possible.iter().any(|step| self.could_match(&pattern, step))
        };
        if checker.diagnostics.len() == before && !possible {
            self.never(checker, &pattern, span);
        }
        Some(pattern)
    }

    /// The labels of all sections; `None` where one is computed and may be any.
    pub(super) fn sections(&self) -> Option<Vec<&str>> {
        let entered = self.possible.iter().filter(|step| matches!(step.verb, "enter" | "section"));
        entered
            .map(|step| match &step.target {
                PossibleTarget::Label(Some(label)) => Some(label.as_str()),
                _ => None,
            })
            .collect()
    }

    fn known_verb(checker: &mut Checker, text: &Text<'_>) -> Option<String> {
        if BOUNDS.contains(&text.value) || text.value == HANDLED || steps::verb_names().any(|name| name == text.value) {
            return Some(text.value.to_owned());
        }
        let diagnostic = steps::unknown(text.value, &checker.source, text.span.clone(), None);
        checker.report(diagnostic);
        None
    }

    fn target(&self, checker: &mut Checker, text: &Text<'_>, verb: Option<&str>) -> Option<PatternTarget> {
        let labelled = matches!(verb, Some("mark" | "enter" | "leave"));
        let name = text.value.split(['.', '[']).next().unwrap_or("");
        let label = |label: &str| {
            self.possible.iter().any(|step| match &step.target {
                PossibleTarget::Label(Some(known)) => known == label,
                PossibleTarget::Label(None) => true,
                _ => false,
            })
        };
        if labelled
            || (self.declared.group(name).is_none() && self.declared.program(name).is_none() && label(text.value))
        {
            return Some(PatternTarget::Label(text.value.to_owned()));
        }
        let params = checker.params.clone();
        if self.declared.group(name).is_none() && self.declared.program(name).is_some() {
            return Some(PatternTarget::Processes(self.declared.known_processes(
                checker,
                text,
                &mut Params(&params),
            )?));
        }
        let found = self.declared.object(checker, text, &mut Params(&params))?;
        let group = &self.declared.groups[found.group];
        let range =
            if found.all { found.first..found.first + group.count.unwrap_or(1) } else { found.first..found.first + 1 };
        let element = found.element.as_ref().and_then(|index| index.as_constant()).and_then(Value::as_int);
        Some(PatternTarget::Objects(range, element.map(|at| at as u32)))
    }

    fn could_match(&self, pattern: &Pattern, step: &Possible) -> bool {
        let processes = pattern
            .processes
            .as_ref()
            .is_none_or(|range| range.clone().any(|process| self.programs[process as usize] == step.program));
        let verb = pattern.verb.as_ref().is_none_or(|verb| verb == step.verb);
        let target = match (&pattern.target, &step.target) {
            (None, _) => true,
            (Some(PatternTarget::Objects(range, element)), PossibleTarget::Objects(possible, at)) => {
                overlap(range, possible) && (element.is_none() || at.is_none() || element == at)
            }
            (Some(PatternTarget::Processes(range)), PossibleTarget::Processes(possible)) => overlap(range, possible),
            (Some(PatternTarget::Label(label)), PossibleTarget::Label(possible)) => {
                possible.as_ref().is_none_or(|possible| possible == label)
            }
            _ => false,
        };
        processes && verb && target
    }

    fn never(&self, checker: &mut Checker, pattern: &Pattern, span: &Range<usize>) {
        let mut diagnostic = Diagnostic::error(
            Code::NEVER_MATCHES,
            format!("no step could ever match `{}`", pattern.text),
        )
        .at(&checker.source, span.clone(), "matches nothing");
        // What the named processes do is what was probably meant.
        if let Some(range) = &pattern.processes {
            let mut verbs: Vec<_> = self
                .possible
                .iter()
                .filter(|step| range.clone().any(|process: ProcessId| self.programs[process as usize] == step.program))
                .map(|step| step.verb)
                .collect();
            verbs.sort_unstable();
            verbs.dedup();
            diagnostic = diagnostic.help(format!("the verbs of these processes are {}", list(verbs)));
        }
        checker.report(diagnostic);
    }
}

/// Whether the begin or the end of a process could match: its object is the process itself.
fn could_bound(pattern: &Pattern) -> bool {
    match (&pattern.processes, &pattern.target) {
        (_, None) | (None, Some(PatternTarget::Processes(_))) => true,
        (Some(range), Some(PatternTarget::Processes(target))) => overlap(range, target),
        _ => false,
    }
}

fn overlap(a: &Range<u32>, b: &Range<u32>) -> bool {
    a.start < b.end && b.start < a.end
}

/// The end of the word at `start`: the next space that stands in no brackets.
fn word_end(text: &str, start: usize) -> usize {
    let mut depth = 0usize;
    for (at, c) in text[start..].char_indices() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            c if c.is_whitespace() && depth == 0 => return start + at,
            _ => {}
        }
    }
    text.len()
}
