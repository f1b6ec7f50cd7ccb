//! Names of objects and processes as steps and expectations write them: `q`, `forks[index]`, `links[0].w`.

use std::ops::Range;

use super::document::{Checker, Text, list};
use super::plan::{Group, ObjectPlan, Operand};
use crate::diagnostic::{Code, Diagnostic};
use crate::event::{ObjectId, ProcessId, Target};
use crate::expression::{Expression, Scope};
use crate::objects::Kind;
use crate::value::{Types, Value};

/// What is declared: all that names can mean.
#[derive(Default)]
pub(super) struct Declared {
    pub(super) groups: Vec<Group>,
    pub(super) objects: Vec<ObjectPlan>,
    pub(super) programs: Vec<ProgramName>,
    /// Objects and processes whose declaration is wrong: steps that name them are not reported as well.
    pub(super) broken: Vec<String>,
    /// Of what kind those of the objects are where that much is right, and where they are declared.
    pub(super) kinds: Vec<(String, &'static Kind, Range<usize>)>,
}

/// A process as declared, before its steps are read.
pub(super) struct ProgramName {
    pub(super) name: String,
    pub(super) first: ProcessId,
    pub(super) count: Option<u32>,
    /// Whether a `start` step starts it.
    pub(super) manual: bool,
    /// The group that its processes are in.
    pub(super) group: Option<String>,
    pub(super) span: Range<usize>,
}

/// A name taken apart: `links[i][3].w` is `links`, two indices and an end.
struct Parts<'a> {
    name: &'a str,
    indices: Vec<Range<usize>>,
    end: Option<(&'a str, Range<usize>)>,
}

/// An object that a step names.
pub(super) struct ObjectName {
    pub(super) group: usize,
    /// The first object that could be meant.
    pub(super) first: ObjectId,
    /// How many could be, and which; `None` where it is the first.
    pub(super) index: Option<(u32, Expression)>,
    /// Whether an array of objects is named without an index.
    pub(super) all: bool,
    pub(super) element: Option<Expression>,
    /// The end, by place among the object's.
    pub(super) end: Option<u8>,
    /// What is wrong with constant indices that are out of range.
    pub(super) beyond: Vec<Diagnostic>,
}

impl ObjectName {
    /// The operand of a step with that verb, by its place among the kind's.
    pub(super) fn operand(self, verb: u8) -> Operand {
        let (count, index) = self.index.map_or((1, None), |(count, index)| (count, Some(index)));
        let first = Target::Object(self.first);
        Operand { first, count, index, verb, end: self.end.unwrap_or(0), element: self.element }
    }
}

impl Declared {
    /// The processes of that name, all of a count.
    pub(super) fn program(&self, name: &str) -> Option<usize> {
        self.programs.iter().position(|program| program.name == name)
    }

    pub(super) fn group(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.name == name)
    }

    /// The object of that name whose declaration is wrong in more than its kind: its name, its kind, its place.
    pub(super) fn broken_kind(&self, text: &str) -> Option<(&str, &'static Kind, Range<usize>)> {
        let name = text.split(['[', '.']).next().unwrap_or(text);
        let (name, kind, span) = self.kinds.iter().find(|(other, ..)| other == name)?;
        Some((name, kind, span.clone()))
    }

    /// Reads the name of an object. Reports what is wrong.
    pub(super) fn object(&self, checker: &mut Checker, text: &Text<'_>, scope: &mut dyn Scope) -> Option<ObjectName> {
        let mut found = self.object_of_step(checker, text, scope)?;
        let wrong = std::mem::take(&mut found.beyond);
        let right = wrong.is_empty();
        for diagnostic in wrong {
            checker.report(diagnostic);
        }
        right.then_some(found)
    }

    /// The same for a step, which may take the outcome of an index that is out of range: that is not reported.
    pub(super) fn object_of_step(
        &self,
        checker: &mut Checker,
        text: &Text<'_>,
        scope: &mut dyn Scope,
    ) -> Option<ObjectName> {
        let parts = take_apart(checker, text)?;
        let name_span = text.place(&(0..parts.name.len()));
        let Some(group_at) = self.group(parts.name) else {
            if self.broken.iter().any(|name| name == parts.name) {
                return None;
            }
            let names = self.groups.iter().map(|group| group.name.as_str());
            let mut diagnostic = Diagnostic::error(Code::UNKNOWN_NAME, format!("no object named `{}`", parts.name))
                .at(&checker.source, name_span.clone(), "not declared in `[objects]`")
                .suggest_nearest(name_span, parts.name, names.clone());
            if diagnostic.suggestion.is_none() && !self.groups.is_empty() {
                diagnostic = diagnostic.help(format!("the objects are {}", list(names)));
            }
            checker.report(diagnostic);
            return None;
        };
        let group = &self.groups[group_at];
        let object = &self.objects[group.first as usize].object;
        let mut indices = parts.indices.into_iter();
        let mut found = ObjectName {
            group: group_at,
            first: group.first,
            index: None,
            all: false,
            element: None,
            end: None,
            beyond: Vec::new(),
        };
        if let Some(count) = group.count {
            match indices.next() {
                None => found.all = true,
                Some(range) => match Self::index(checker, text, range, count, &group.name, scope)? {
                    Index::Constant(at) => found.first += at,
                    Index::Computed(expression) => found.index = Some((count, expression)),
                    Index::Beyond(expression, diagnostic) => {
                        found.index = Some((count, expression));
                        found.beyond.push(*diagnostic);
                    }
                },
            }
        }
        for range in indices {
            let (Some(length), None) = (object.length(), &found.element) else {
                checker.error(
                    Code::OUT_OF_RANGE,
                    text.place(&(range.start - 1..range.end + 1)),
                    format!("`{}` is {}, which has no elements", group.name, with_article(group.kind.name)),
                    "no index here",
                );
                return None;
            };
            found.element = Some(match Self::index(checker, text, range, length, &group.name, scope)? {
                Index::Constant(at) => Expression::constant(Value::Int(i64::from(at))),
                Index::Computed(expression) => expression,
                Index::Beyond(expression, diagnostic) => {
                    found.beyond.push(*diagnostic);
                    expression
                }
            });
        }
        if let Some((end, range)) = parts.end {
            let ends = object.ends();
            let place = text.place(&range);
            match ends.iter().position(|name| *name == end) {
                Some(at) => found.end = Some(at as u8),
                None if ends.is_empty() => {
                    let whole = text.place(&(range.start - 1..range.end));
                    checker.error(
                        Code::UNKNOWN_END,
                        whole,
                        format!("`{}` is {}, which has no ends", group.name, with_article(group.kind.name)),
                        "no end here",
                    );
                    return None;
                }
                None => {
                    let diagnostic = Diagnostic::error(
                        Code::UNKNOWN_END,
                        format!("`{}` has no end `.{end}`; it has {}", group.name, ends_of(&group.name, ends)),
                    )
                    .at(&checker.source, place.clone(), "unknown end")
                    .suggest_nearest(place, end, ends.iter().copied());
                    checker.report(diagnostic);
                    return None;
                }
            }
        }
        Some(found)
    }

    fn index(
        checker: &mut Checker,
        text: &Text<'_>,
        range: Range<usize>,
        count: u32,
        name: &str,
        scope: &mut dyn Scope,
    ) -> Option<Index> {
        let expression = checker.part(text, range.clone(), scope)?;
        if !expression.types().meets(Types::INT) {
            let types = expression.types();
            checker.error(Code::TYPE_ERROR, text.place(&range), format!("an index is an integer, this is {types}"), "");
            return None;
        }
        match expression.as_constant().map(Value::as_int) {
            None => Some(Index::Computed(expression)),
            Some(Some(at)) if (0..i64::from(count)).contains(&at) => Some(Index::Constant(at as u32)),
            Some(at) => {
                let (at, last) = (at.unwrap_or(0), i64::from(count) - 1);
                let message = format!("index {at} is out of range: `{name}` has {count}, from 0 to {last}");
                let diagnostic = Diagnostic::error(Code::OUT_OF_RANGE, message);
                let diagnostic = diagnostic.at(&checker.source, text.place(&range), "out of range");
                Some(Index::Beyond(expression, Box::new(diagnostic)))
            }
        }
    }

    /// Reads the name of a process: its program, and which of a count. Reports what is wrong.
    pub(super) fn process(
        &self,
        checker: &mut Checker,
        text: &Text<'_>,
        scope: &mut dyn Scope,
    ) -> Option<(usize, Option<Expression>)> {
        let (program, index, beyond) = self.process_of_step(checker, text, scope)?;
        match beyond {
            None => Some((program, index)),
            Some(diagnostic) => {
                checker.report(diagnostic);
                None
            }
        }
    }

    /// The same for a step, which may take the outcome of an index that is out of range: that is given and not reported.
    pub(super) fn process_of_step(
        &self,
        checker: &mut Checker,
        text: &Text<'_>,
        scope: &mut dyn Scope,
    ) -> Option<(usize, Option<Expression>, Option<Diagnostic>)> {
        let parts = take_apart(checker, text)?;
        let span = text.place(&(0..parts.name.len()));
        if self.broken.iter().any(|name| name == parts.name) {
            return None;
        }
        let Some(at) = self.program(parts.name) else {
            let names = self.programs.iter().map(|program| program.name.as_str());
            let mut diagnostic = Diagnostic::error(Code::UNKNOWN_NAME, format!("no process named `{}`", parts.name))
                .at(&checker.source, span.clone(), "not declared in `[processes]`")
                .suggest_nearest(span, parts.name, names.clone());
            if diagnostic.suggestion.is_none() && !self.programs.is_empty() {
                diagnostic = diagnostic.help(format!("the processes are {}", list(names)));
            }
            checker.report(diagnostic);
            return None;
        };
        let program = &self.programs[at];
        if let Some((_, range)) = parts.end {
            checker.error(Code::UNKNOWN_END, text.place(&range), "a process has no ends", "");
            return None;
        }
        let mut indices = parts.indices.into_iter();
        let (index, beyond) = match indices.next() {
            None => (None, None),
            Some(range) => match Self::index(checker, text, range, program.count.unwrap_or(1), &program.name, scope)? {
                Index::Constant(index) => (Some(Expression::constant(Value::Int(i64::from(index)))), None),
                Index::Computed(expression) => (Some(expression), None),
                Index::Beyond(expression, diagnostic) => (Some(expression), Some(*diagnostic)),
            },
        };
        if let Some(range) = indices.next() {
            checker.error(Code::OUT_OF_RANGE, text.place(&range), "one index at most", "");
            return None;
        }
        Some((at, index, beyond))
    }

    /// The processes of a name whose index, if any, is known: all of them without one.
    pub(super) fn known_processes(
        &self,
        checker: &mut Checker,
        text: &Text<'_>,
        scope: &mut dyn Scope,
    ) -> Option<Range<ProcessId>> {
        let (at, index) = self.process(checker, text, scope)?;
        let program = &self.programs[at];
        match index {
            None => Some(program.first..program.first + program.count.unwrap_or(1)),
            Some(expression) => match expression.as_constant().and_then(Value::as_int) {
                Some(index) => Some(program.first + index as u32..program.first + index as u32 + 1),
                None => {
                    checker.error(Code::BAD_VALUE, text.span.clone(), "the index must be known before the run", "");
                    None
                }
            },
        }
    }
}

enum Index {
    Constant(u32),
    Computed(Expression),
    /// A constant that is out of range, and what is wrong with it.
    Beyond(Expression, Box<Diagnostic>),
}

/// `link.r` and `link.w`.
pub(super) fn ends_of(name: &str, ends: &[&str]) -> String {
    let names: Vec<_> = ends.iter().map(|end| format!("{name}.{end}")).collect();
    list(names.iter().map(String::as_str))
}

/// "a queue", "an event".
pub(super) fn with_article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}

fn take_apart<'a>(checker: &mut Checker, text: &Text<'a>) -> Option<Parts<'a>> {
    let value = text.value;
    let name_end = value.find(['.', '[']).unwrap_or(value.len());
    let name = value[..name_end].trim_end();
    let mut parts = Parts { name, indices: Vec::new(), end: None };
    let mut at = name_end;
    while at < value.len() {
        if value[at..].starts_with('[') {
            let Some(close) = matching(value, at) else {
                checker.error(
                    Code::SYNTAX,
                    text.place(&(at..value.len())),
                    "the index is not closed: `]` is missing",
                    "",
                );
                return None;
            };
            parts.indices.push(at + 1..close);
            at = close + 1;
        } else if value[at..].starts_with('.') {
            parts.end = Some((&value[at + 1..], at + 1..value.len()));
            at = value.len();
        } else {
            checker.error(
                Code::SYNTAX,
                text.place(&(at..value.len())),
                "a name is a word, with `[index]` and `.end` behind it where it has them",
                "not understood",
            );
            return None;
        }
    }
    if name.is_empty() {
        checker.error(Code::UNKNOWN_NAME, text.span.clone(), "a name is missing", "");
        return None;
    }
    Some(parts)
}

/// The bracket that closes the one at `open`, brackets and strings inside it skipped.
fn matching(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut quote = None;
    for (at, c) in text[open..].char_indices() {
        match (quote, c) {
            (Some(q), c) => quote = Some(q).filter(|q| *q != c),
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '(') => depth += 1,
            (None, ']' | ')') => {
                depth = depth.saturating_sub(1);
                if depth == 0 && c == ']' {
                    return Some(open + at);
                }
            }
            _ => {}
        }
    }
    None
}
