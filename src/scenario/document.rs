//! The TOML document with its places: tables whose keys are taken one by one, values that become expressions, and the
//! list of everything that is wrong.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::bounds::Bounds;
use super::mistakes;
use super::plan::fixed_duration;
use super::units::{meant, parse_duration, parse_size};
use crate::diagnostic::{Code, Diagnostic, Source};
use crate::expression::{Builtin, Environment, Expression, Fault, FaultKind, Name, Scope, StateArgument};
use crate::objects::Effect;
use crate::value::{Types, Value};

/// A value of the document with its place.
pub(super) type Item<'a> = &'a Spanned<DeValue<'a>>;

/// A table of the document whose keys are taken one by one.
pub(super) struct Fields<'a> {
    entries: Vec<Field<'a>>,
    pub(super) span: Range<usize>,
}

struct Field<'a> {
    key: &'a str,
    span: Range<usize>,
    value: Item<'a>,
    taken: Cell<bool>,
}

/// What keys that are not known stand for elsewhere.
const MEANT: &[(&str, &str)] = &[
    ("steps", "do"),
    ("body", "do"),
    ("max", "at_most"),
    ("most", "at_most"),
    ("min", "at_least"),
    ("least", "at_least"),
    ("eq", "equals"),
    ("initial", "value"),
    ("size", "capacity"),
    ("n", "count"),
    ("env", "vars"),
    ("variables", "vars"),
    ("after", "depends_on"),
];

impl<'a> Fields<'a> {
    /// Whether an unknown key is likely meant to be that one, which then is not missing.
    pub(super) fn has_instead(&self, key: &str) -> bool {
        self.entries
            .iter()
            .filter(|field| !field.taken.get())
            .any(|field| MEANT.contains(&(field.key, key)) || crate::diagnostic::nearest(field.key, [key]).is_some())
    }

    pub(super) fn new(table: &'a DeTable<'a>, span: Range<usize>) -> Self {
        let entries = table
            .iter()
            .map(|(key, value)| Field { key: key.get_ref(), span: key.span(), value, taken: Cell::new(false) })
            .collect();
        Self { entries, span }
    }

    /// The value of a key, which counts as known from now on.
    pub(super) fn take(&self, key: &str) -> Option<Item<'a>> {
        let field = self.entries.iter().find(|field| field.key == key)?;
        field.taken.set(true);
        Some(field.value)
    }

    /// The value of a key, left for others to take.
    pub(super) fn peek(&self, key: &str) -> Option<Item<'a>> {
        self.entries.iter().find(|field| field.key == key).map(|field| field.value)
    }

    /// Where the key stands; the table where there is none.
    pub(super) fn key_span(&self, key: &str) -> Range<usize> {
        self.entries.iter().find(|field| field.key == key).map_or(self.span.clone(), |field| field.span.clone())
    }

    /// The keys in the file's order, with their places.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&'a str, Range<usize>)> + '_ {
        self.entries.iter().map(|field| (field.key, field.span.clone()))
    }

    /// All entries in the file's order.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Range<usize>, Item<'a>)> + '_ {
        self.entries.iter().map(|field| (field.key, field.span.clone(), field.value))
    }

    /// Reports every unknown key. `what` is the owner, as "a semaphore".
    pub(super) fn finish(&self, checker: &mut Checker, what: &str, known: &[&str]) {
        for field in self.entries.iter().filter(|field| !field.taken.get()) {
            let diagnostic = Diagnostic::error(Code::UNKNOWN_KEY, format!("{what} has no key `{}`", field.key)).at(
                &checker.source,
                field.span.clone(),
                "unknown key",
            );
            let meant = MEANT.iter().find(|(key, meant)| *key == field.key && known.contains(meant));
            let diagnostic = match meant {
                Some((_, meant)) => diagnostic.suggest(field.span.clone(), *meant),
                None => diagnostic.suggest_nearest(field.span.clone(), field.key, known.iter().copied()),
            };
            let diagnostic = if diagnostic.suggestion.is_none() && !known.is_empty() {
                diagnostic.help(format!("its keys are {}", list(known.iter().copied())))
            } else {
                diagnostic
            };
            checker.report(diagnostic);
        }
    }
}

/// A string of the document and where its text lies in the file.
#[derive(Clone, Debug)]
pub(super) struct Text<'a> {
    pub(super) value: &'a str,
    pub(super) span: Range<usize>,
    /// Where the text begins in the file, where it stands there without escapes.
    pub(super) inner: Option<usize>,
}

impl Text<'_> {
    /// The place in the file of a range of the text; the whole string where escapes shift it.
    pub(super) fn place(&self, range: &Range<usize>) -> Range<usize> {
        match self.inner {
            Some(start) => {
                let end = start + self.value.len();
                (start + range.start).min(end)..(start + range.end).min(end)
            }
            None => self.span.clone(),
        }
    }
}

/// `a`, `b` and `c`.
pub(super) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Everything that goes along while a document is read: its text, its params, and what is wrong with it.
pub(super) struct Checker {
    pub(super) source: Arc<Source>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Shared with the scopes in which they stand.
    pub(super) params: Arc<Vec<(String, Value)>>,
    /// While set, nothing is reported: a first pass that only collects.
    pub(super) silent: bool,
    /// The most that the scenario may ask for.
    pub(super) bounds: Option<Bounds>,
    /// The names of objects and processes, each with its kind: `process` for a process.
    pub(super) names: Vec<(String, String)>,
}

impl Checker {
    /// Of a scenario that was not looked at.
    pub(super) fn new(source: Arc<Source>, bounds: Option<Bounds>) -> Self {
        Self { source, diagnostics: Vec::new(), params: Arc::default(), silent: false, bounds, names: Vec::new() }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if !self.silent {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(super) fn error(
        &mut self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) {
        let diagnostic = Diagnostic::error(code, message).at(&self.source, span, label);
        self.report(diagnostic);
    }

    /// "expected X, found Y" under the value.
    pub(super) fn wrong_type(&mut self, item: Item<'_>, expected: &str) {
        let found = describe(item.get_ref());
        self.error(
            Code::WRONG_TYPE,
            item.span(),
            format!("expected {expected}, found {found}"),
            format!("expected {expected}"),
        );
    }

    pub(super) fn table<'a>(&mut self, item: Item<'a>, expected: &str) -> Option<Fields<'a>> {
        if let DeValue::Table(table) = item.get_ref() {
            Some(Fields::new(table, item.span()))
        } else {
            self.wrong_type(item, expected);
            None
        }
    }

    pub(super) fn array<'a>(&mut self, item: Item<'a>, expected: &str) -> Option<&'a [Spanned<DeValue<'a>>]> {
        if let DeValue::Array(array) = item.get_ref() {
            Some(array)
        } else {
            self.wrong_type(item, expected);
            self.propose(item, |raw| format!("[{raw}]"));
            None
        }
    }

    /// Proposes something for a value of which the last message was: made of the text as it stands.
    pub(super) fn propose(&mut self, item: Item<'_>, made: impl Fn(&str) -> String) {
        let raw = self.source.slice(&item.span());
        if self.silent || raw.contains('\n') {
            return;
        }
        let proposed = made(raw);
        if let Some(last) = self.diagnostics.pop() {
            self.diagnostics.push(last.suggest(item.span(), proposed));
        }
    }

    pub(super) fn text<'a>(&mut self, item: Item<'a>, expected: &str) -> Option<Text<'a>> {
        if let DeValue::String(value) = item.get_ref() {
            Some(self.located(value, item.span()))
        } else {
            self.wrong_type(item, expected);
            None
        }
    }

    fn located<'a>(&self, value: &'a str, span: Range<usize>) -> Text<'a> {
        let raw = self.source.slice(&span);
        let quotes = if raw.len() >= 6 && (raw.starts_with("\"\"\"") || raw.starts_with("'''")) { 3 } else { 1 };
        let mut start = span.start + quotes;
        let mut content = raw.get(quotes..raw.len().saturating_sub(quotes)).unwrap_or("");
        if quotes == 3 {
            let stripped = content.strip_prefix("\r\n").or_else(|| content.strip_prefix('\n')).unwrap_or(content);
            start += content.len() - stripped.len();
            content = stripped;
        }
        let inner = (content == value).then_some(start);
        Text { value, span, inner }
    }

    /// What is to be done where an expression names an object or a process that it cannot read.
    fn meant(&self, name: &str) -> Option<String> {
        let (_, kind) = self.names.iter().find(|(known, _)| known == name)?;
        if kind == "process" {
            return Some(format!(
                "`{name}` is a process, and its variables end with it: a shared value or a `mark` keeps what it knew"
            ));
        }
        let kind = crate::objects::kind(kind)?;
        let reads = |verb: &&crate::objects::Verb| matches!(verb.effect, Effect::Reads | Effect::Gets);
        let verb = kind.verbs.iter().find(reads).or_else(|| kind.verbs.iter().find(|verb| verb.name == "size"))?;
        let end = if verb.ends.is_empty() { String::new() } else { format!(".{}", verb.ends[0]) };
        Some(format!(
            "`{name}` is a shared object: read it by a step of its own, `{{ {} = \"{name}{end}\", into = \"x\" }}`",
            verb.name
        ))
    }

    /// Reports the faults of an expression that stands at `offset` in the text.
    pub(super) fn faults(&mut self, text: &Text<'_>, offset: usize, faults: Vec<Fault>) {
        for fault in faults {
            let code = match fault.kind {
                FaultKind::Syntax => Code::SYNTAX,
                FaultKind::Name => Code::UNKNOWN_NAME,
                FaultKind::Type => Code::TYPE_ERROR,
            };
            let named = text.value.get(fault.span.start + offset..fault.span.end + offset).unwrap_or_default();
            let known = (fault.kind == FaultKind::Name).then(|| self.meant(named)).flatten();
            let span = text.place(&(fault.span.start + offset..fault.span.end + offset));
            if let Some(help) = known {
                let diagnostic = Diagnostic::error(code, fault.message).at(&self.source, span, fault.label);
                self.report(diagnostic.help(help));
                continue;
            }
            let mut diagnostic = Diagnostic::error(code, fault.message).at(&self.source, span.clone(), fault.label);
            if let Some(suggestion) = fault.suggestion {
                diagnostic = match text.inner {
                    Some(_) => diagnostic.suggest(span, suggestion),
                    None => diagnostic.help(format!("did you mean `{suggestion}`?")),
                };
            }
            if let Some(help) = fault.help {
                diagnostic = diagnostic.help(help);
            } else if fault.kind == FaultKind::Name && diagnostic.suggestion.is_none() && diagnostic.help.is_empty() {
                diagnostic = diagnostic.help(format!("a param is declared: `[params]` with `{named} = ..`"));
            }
            self.report(diagnostic);
        }
    }

    /// A string that is an expression: a condition.
    pub(super) fn condition(&mut self, item: Item<'_>, scope: &mut dyn Scope) -> Option<Expression> {
        if let DeValue::Boolean(value) = item.get_ref() {
            return Some(Expression::constant(Value::Bool(*value)));
        }
        let text = self.text(item, "a condition, as \"x < 10\"")?;
        match Expression::parse(text.value, scope) {
            Ok(expression) if !expression.types().meets(Types::BOOL) => {
                let types = expression.types();
                self.error(
                    Code::TYPE_ERROR,
                    text.place(&(0..text.value.len())),
                    format!("a condition is true or false, this is {types}"),
                    format!("{types}"),
                );
                None
            }
            Ok(expression) => Some(expression),
            Err(faults) => {
                self.faults(&text, 0, faults);
                None
            }
        }
    }

    /// A part of a string that is an expression, such as an index.
    pub(super) fn part(&mut self, text: &Text<'_>, range: Range<usize>, scope: &mut dyn Scope) -> Option<Expression> {
        match Expression::parse(&text.value[range.clone()], scope) {
            Ok(expression) => Some(expression),
            Err(faults) => {
                self.faults(text, range.start, faults);
                None
            }
        }
    }

    /// A value: TOML's own, `{ bytes = .. }`, or a string in which `{expr}` is replaced.
    pub(super) fn value(&mut self, item: Item<'_>, scope: &mut dyn Scope) -> Option<Expression> {
        match item.get_ref() {
            DeValue::String(value) => {
                let text = self.located(value, item.span());
                match Expression::parse_template(text.value, scope) {
                    Ok(expression) => Some(expression),
                    Err(faults) => {
                        self.faults(&text, 0, faults);
                        None
                    }
                }
            }
            DeValue::Integer(integer) => {
                if let Ok(n) = i64::from_str_radix(integer.as_str(), integer.radix()) {
                    return Some(Expression::constant(Value::Int(n)));
                }
                self.error(Code::BAD_VALUE, item.span(), "the integer does not fit 64 bits", "out of range");
                None
            }
            DeValue::Float(float) => match float.as_str().parse() {
                Ok(x) => Some(Expression::constant(Value::Float(x))),
                Err(_) => {
                    self.error(Code::BAD_VALUE, item.span(), "the number cannot be read", "");
                    None
                }
            },
            DeValue::Boolean(b) => Some(Expression::constant(Value::Bool(*b))),
            DeValue::Datetime(_) => {
                self.wrong_type(item, "a bool, number, string, list or map");
                None
            }
            DeValue::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| self.value(item, scope)).collect();
                Some(Expression::list(items.into_iter().collect::<Option<_>>()?))
            }
            DeValue::Table(table) => {
                let fields = Fields::new(table, item.span());
                if fields.peek("bytes").is_some() {
                    return self.bytes(&fields, scope).map(Expression::constant);
                }
                let entries: Vec<_> =
                    fields.entries().map(|(key, _, item)| Some((key.to_owned(), self.value(item, scope)?))).collect();
                Some(Expression::map(entries.into_iter().collect::<Option<_>>()?))
            }
        }
    }

    /// `{ bytes = "hello" }`, `{ bytes = [104, 101] }`, `{ bytes = "x", repeat = 4096 }`.
    fn bytes(&mut self, fields: &Fields<'_>, scope: &mut dyn Scope) -> Option<Value> {
        const LARGEST: i64 = 1 << 30;
        let content = fields.take("bytes")?;
        let one = match content.get_ref() {
            DeValue::String(text) => text.as_bytes().to_vec(),
            DeValue::Array(items) => {
                let mut bytes = Vec::with_capacity(items.len());
                for item in items {
                    match self.constant(item, scope)?.as_int().and_then(|n| u8::try_from(n).ok()) {
                        Some(byte) => bytes.push(byte),
                        None => {
                            self.error(Code::BAD_VALUE, item.span(), "a byte is an integer from 0 to 255", "");
                            return None;
                        }
                    }
                }
                bytes
            }
            _ => {
                self.wrong_type(content, "a string or a list of integers from 0 to 255");
                return None;
            }
        };
        let times = match fields.take("repeat") {
            Some(item) => self.integer(item, 0, LARGEST)?,
            None => 1,
        };
        fields.finish(self, "a bytes value", &["bytes", "repeat"]);
        if one.len() as i64 * times > LARGEST {
            self.error(Code::BAD_VALUE, fields.span.clone(), "more than 1 GiB of bytes", "");
            return None;
        }
        Some(Value::from(one.repeat(times as usize)))
    }

    /// A value that is known now; params may stand in it.
    pub(super) fn constant(&mut self, item: Item<'_>, scope: &mut dyn Scope) -> Option<Value> {
        let expression = self.value(item, scope)?;
        if let Some(value) = expression.as_constant() {
            return Some(value.clone());
        }
        if expression.varies() {
            self.error(
                Code::BAD_VALUE,
                item.span(),
                "only params are allowed here: the value must be known before the run",
                "",
            );
            return None;
        }
        match expression.evaluate(&mut Before) {
            Ok(value) => Some(value),
            Err(error) => {
                self.error(Code::BAD_VALUE, item.span(), error.message, "");
                None
            }
        }
    }

    /// A value that is known now and computed from params alone.
    pub(super) fn known(&mut self, item: Item<'_>) -> Option<Value> {
        let params = self.params.clone();
        self.constant(item, &mut Params(&params))
    }

    /// An integer within bounds that is known now.
    pub(super) fn integer(&mut self, item: Item<'_>, low: i64, high: i64) -> Option<i64> {
        let value = self.known(item)?;
        match value {
            Value::Int(n) if (low..=high).contains(&n) => Some(n),
            Value::Int(n) => {
                let bounds = if high == i64::MAX { format!("at least {low}") } else { format!("from {low} to {high}") };
                self.error(
                    Code::BAD_VALUE,
                    item.span(),
                    format!("{n} is out of range: expected an integer {bounds}"),
                    "",
                );
                None
            }
            other => {
                let types = other.types();
                self.error(
                    Code::WRONG_TYPE,
                    item.span(),
                    format!("expected an integer, found {types}"),
                    "expected an integer",
                );
                if other.as_str().is_some_and(|text| text.parse::<i64>().is_ok()) {
                    self.propose(item, |raw| raw.trim_matches(['"', '\'']).to_owned());
                }
                None
            }
        }
    }

    pub(super) fn boolean(&mut self, item: Item<'_>) -> Option<bool> {
        match self.known(item)? {
            Value::Bool(b) => Some(b),
            other => {
                let types = other.types();
                self.error(
                    Code::WRONG_TYPE,
                    item.span(),
                    format!("expected true or false, found {types}"),
                    "expected true or false",
                );
                if matches!(other.as_str(), Some("true" | "false")) {
                    self.propose(item, |raw| raw.trim_matches(['"', '\'']).to_owned());
                }
                None
            }
        }
    }

    pub(super) fn word<'w>(&mut self, item: Item<'_>, words: &'w [&'w str]) -> Option<&'w str> {
        let value = self.known(item)?;
        let Some(text) = value.as_str() else {
            self.wrong_type(item, &format!("one of {}", list(words.iter().copied())));
            return None;
        };
        if let Some(word) = words.iter().find(|word| **word == text) {
            return Some(word);
        }
        let mut diagnostic = Diagnostic::error(
            Code::BAD_VALUE,
            format!("`{text}` is not one of {}", list(words.iter().copied())),
        )
        .at(&self.source, item.span(), "");
        if let Some(near) = crate::diagnostic::nearest(text, words.iter().copied()) {
            diagnostic = diagnostic.suggest(item.span(), format!("\"{near}\""));
        }
        self.report(diagnostic);
        None
    }

    /// A size in bytes.
    pub(super) fn size(&mut self, item: Item<'_>) -> Option<i64> {
        let parsed = match self.known(item)? {
            Value::Int(n) if n >= 0 => Ok(n),
            Value::String(text) => parse_size(&text),
            _ => Err("expected a size: an integer, or a string as \"64KiB\""),
        };
        parsed.map_err(|message| self.unit(item, message)).ok()
    }

    /// A duration or size that cannot be read.
    fn unit(&mut self, item: Item<'_>, message: &str) {
        self.error(Code::BAD_VALUE, item.span(), message, "");
        if let DeValue::String(text) = item.get_ref()
            && let Some(meant) = meant(text)
        {
            self.propose(item, |_| format!("\"{meant}\""));
        }
    }

    /// A duration that is known now, in ns.
    pub(super) fn duration(&mut self, item: Item<'_>) -> Option<u64> {
        let duration = self.delay(item, &mut Params(&self.params.clone()))?;
        let known = fixed_duration(&duration);
        if known.is_none() {
            self.error(Code::BAD_VALUE, item.span(), "only params are allowed here", "");
        }
        known
    }

    /// A duration that may be computed; one that is known is a number of ns.
    pub(super) fn delay(&mut self, item: Item<'_>, scope: &mut dyn Scope) -> Option<Expression> {
        if !matches!(item.get_ref(), DeValue::String(_)) {
            let number = matches!(item.get_ref(), DeValue::Integer(_) | DeValue::Float(_));
            self.wrong_type(item, "a duration, as \"200ms\"");
            if number && !self.silent {
                let raw = self.source.slice(&item.span()).to_owned();
                if let Some(last) = self.diagnostics.last_mut() {
                    last.help.push(format!("a duration has its unit: \"{raw}ms\" or \"{raw}s\""));
                }
            }
            return None;
        }
        let expression = self.value(item, scope)?;
        let value = match expression.as_constant() {
            Some(value) => value.clone(),
            None => return Some(expression),
        };
        let parsed = match &value {
            Value::String(text) => parse_duration(text),
            _ => Err("a duration is text with its unit, as \"200ms\""),
        };
        let known = parsed.map(|ns| Expression::constant(Value::Int(i64::try_from(ns).unwrap_or(i64::MAX))));
        known.map_err(|message| self.unit(item, message)).ok()
    }
}

/// What a value is, for "found ..".
pub(super) fn describe(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a bool",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// A scope with nothing but params.
pub(super) struct Params<'a>(pub(super) &'a [(String, Value)]);

impl Scope for Params<'_> {
    fn name(&mut self, name: &str) -> Result<(Name, Types), Vec<String>> {
        param(self.0, name).ok_or_else(|| self.0.iter().map(|(name, _)| name.clone()).collect())
    }

    fn call(
        &mut self,
        _name: &str,
        _arguments: &[(StateArgument, Range<usize>)],
    ) -> Option<Result<(u32, Types), Fault>> {
        None
    }
}

/// What a param's name means.
pub(super) fn param(params: &[(String, Value)], name: &str) -> Option<(Name, Types)> {
    params.iter().find(|(key, _)| key == name).map(|(_, value)| (Name::Constant(value.clone()), value.types()))
}

/// The environment before any process exists: nothing but constants.
pub(super) struct Before;

impl Environment for Before {
    fn slot(&self, _slot: u32) -> &Value {
        &Value::Null
    }

    fn builtin(&self, _builtin: Builtin) -> Value {
        Value::Null
    }

    fn random(&mut self, low: i64, _high: i64) -> i64 {
        low
    }
}

/// TOML's own errors, one a line at most: what follows a first fault on a line is its echo.
pub(super) fn parse(source: &Arc<Source>) -> Result<Spanned<DeTable<'_>>, Vec<Diagnostic>> {
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    if errors.is_empty() {
        return Ok(table);
    }
    Err(mistakes::of_document(source, errors))
}

impl<'a> Text<'a> {
    /// A part of another text, with its own place in the file.
    pub(super) fn within(whole: &Text<'a>, value: &'a str, range: Range<usize>) -> Self {
        Self { value, span: whole.place(&range), inner: whole.inner.map(|inner| inner + range.start) }
    }
}
