//! Text to checked [`plan::Plan`]: the spanned document, the typed steps, names to indices, the types of values.
//!
//! `document` reads tables and values with their places, `declare` the objects, `processes` the processes, `compile`
//! their steps, `expect` and `patterns` the expectations. All errors are reported, each at its place; there is a
//! plan only if there are none.

pub mod bounds;
mod compile;
mod declare;
mod document;
pub(crate) mod expect;
pub mod expectation;
pub mod keys;
pub mod matrix;
mod mistakes;
pub mod mutation;
mod names;
mod patterns;
pub mod plan;
mod processes;
mod scope;
pub mod steps;
pub mod units;

use std::sync::Arc;

use toml::Spanned;
use toml::de::DeValue;

use crate::diagnostic::{Code, Diagnostic, Severity, Source};
use crate::text::Untrusted;
use crate::value::Value;
use bounds::Bounds;
use document::{Checker, Fields, list};
use expectation::FormDescription;
use plan::Plan;

pub use compile::{signal_name, signal_number};

/// The timeout of a run whose scenario sets none: one minute.
pub const DEFAULT_TIMEOUT: u64 = 60_000_000_000;

/// What the command line changes of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--set NAME=VALUE`: the value is read as TOML, or taken as text where it is none.
    pub params: Vec<(String, String)>,
    /// `--seed`.
    pub seed: Option<u64>,
    /// `--timeout`, in ns.
    pub timeout: Option<u64>,
    /// The most that it may ask for; none for what the host gives.
    pub bounds: Option<Bounds>,
}

/// A scenario that can run.
#[derive(Debug)]
pub struct Loaded {
    pub plan: Plan,
    /// What is probably not meant so.
    pub warnings: Vec<Diagnostic>,
}

/// The most params, and the most bytes of all their values: a few short lines can double a text again and again.
const MOST_PARAMS: usize = 10_000;
const MOST_PARAM_BYTES: usize = 16 << 20;

/// Keys of the file that the format has and this version has not.
const LATER: [&str; 1] = ["fault"];

/// Checks a scenario. `forms` are the forms that an expectation can have.
///
/// # Errors
/// Everything that is wrong with it, each at its place; at least one error.
pub fn load(
    source: &Arc<Source>,
    options: &Options,
    forms: &[&'static FormDescription],
) -> Result<Loaded, Vec<Diagnostic>> {
    let document = document::parse(source)?;
    let fields = Fields::new(document.get_ref(), 0..source.text.len());
    let mut checker = Checker::new(Arc::clone(source), options.bounds);
    let plan = read(&mut checker, &fields, options, forms);
    let (errors, warnings): (Vec<_>, Vec<_>) =
        checker.diagnostics.into_iter().partition(|diagnostic| diagnostic.severity == Severity::Error);
    match plan {
        Some(plan) if errors.is_empty() => Ok(Loaded { plan, warnings }),
        _ => {
            let mut all = errors;
            all.sort_by_key(|diagnostic| diagnostic.primary.as_ref().map_or(0, |label| label.span.start));
            all.extend(warnings);
            Err(all)
        }
    }
}

/// The names of objects with their kinds, and of processes, as far as they can be read.
fn named(fields: &Fields<'_>) -> Vec<(String, String)> {
    let table = |key: &str| match fields.peek(key).map(Spanned::get_ref) {
        Some(DeValue::Table(table)) => Some(table),
        _ => None,
    };
    let objects = table("objects").into_iter().flat_map(|table| table.iter()).filter_map(|(name, item)| {
        let DeValue::Table(object) = item.get_ref() else { return None };
        let kind = object.iter().find(|(key, _)| key.get_ref().as_ref() == "kind").map(|(_, kind)| kind.get_ref())?;
        let DeValue::String(kind) = kind else { return None };
        Some((name.get_ref().to_string(), kind.to_string()))
    });
    let processes = table("processes").into_iter().flat_map(|table| table.iter());
    objects.chain(processes.map(|(name, _)| (name.get_ref().to_string(), "process".to_owned()))).collect()
}

fn read(
    checker: &mut Checker,
    fields: &Fields<'_>,
    options: &Options,
    forms: &[&'static FormDescription],
) -> Option<Plan> {
    checker.names = named(fields);
    let combination = matrix::read(checker, fields).map(|matrix| matrix.chosen(checker, options)).unwrap_or_default();
    params(checker, fields, options, &combination);
    let name = fields.take("name").and_then(|item| checker.text(item, "text")).map(|text| text.value.to_owned());
    let about = fields.take("about").and_then(|item| checker.text(item, "text")).map(|text| text.value.to_owned());
    let timeout = fields.take("timeout").and_then(|item| {
        let timeout = checker.duration(item)?;
        if options.timeout.is_none()
            && let Some(bounds) = options.bounds.filter(|bounds| timeout > bounds.timeout)
        {
            let most = format!("takes at most {}", units::show_duration(bounds.timeout));
            checker.refuse(item.span(), &format!("a timeout of {}", units::show_duration(timeout)), &most);
        }
        Some(timeout)
    });
    let time = fields.take("time").and_then(|item| checker.word(item, &plan::Time::WORDS)).map(|word| match word {
        "any" => plan::Time::Any,
        _ => plan::Time::Virtual,
    });
    let seed = fields.take("seed").and_then(|item| checker.integer(item, 0, i64::MAX));
    for key in LATER {
        if fields.take(key).is_some() {
            let message = format!("`{key}` is not supported yet");
            checker.error(Code::LATER, fields.key_span(key), message, "not supported yet");
        }
    }
    let mut declared = names::Declared::default();
    if let Some(table) = fields.take("objects").and_then(|item| checker.table(item, "a table of objects")) {
        declare::read(checker, &table, &mut declared);
    }
    let processes = fields.take("processes").and_then(|item| checker.table(item, "a table of processes"));
    let expect = fields.take("expect");
    fields.finish(checker, "a scenario", &keys::names(keys::FILE_KEYS));
    let Some(processes) = processes else {
        if fields.has_instead("processes") {
            return None;
        }
        let diagnostic = Diagnostic::error(Code::NO_PROCESS, "the scenario has no process")
            .within(&checker.source)
            .help("a process is a table of its own: `[processes.worker]`, with `steps = [ { print = \"hello\" } ]`");
        checker.report(diagnostic);
        return None;
    };
    let step_form = forms.iter().copied().find(|form| form.name == "expect");
    let read = processes::read(checker, &processes, &mut declared, step_form)?;
    let mut expectations = read.output.expectations;
    let mut facts = Vec::new();
    let process_names: Vec<_> = read.processes.iter().map(|process| process.name.clone()).collect();
    let programs: Vec<_> = read.processes.iter().map(|process| process.program).collect();
    if let Some(item) = expect {
        let patterns = patterns::Patterns { declared: &declared, possible: &read.output.possible, programs: &programs };
        let forms: Vec<_> = forms.iter().copied().filter(|form| form.name != "expect").collect();
        expect::Expectations { forms: &forms, patterns, process_names: &process_names }.read(
            checker,
            item,
            &mut expectations,
            &mut facts,
        );
    }
    expectations.sort_by_key(|expectation| expectation.span.start);
    let stem = || {
        let path = checker.source.path.raw();
        std::path::Path::new(path).file_stem().map_or(path.into(), std::ffi::OsStr::to_string_lossy).into_owned()
    };
    let mut name = name.unwrap_or_else(stem);
    if !combination.is_empty() {
        let set = combination.iter().map(|(name, value)| format!("{name}={}", matrix::text(value)));
        name.push_str(&format!(" [{}]", set.collect::<Vec<_>>().join(", ")));
    }
    Some(Plan {
        name: Untrusted::new(name),
        combination,
        about,
        timeout: options.timeout.or(timeout).unwrap_or(DEFAULT_TIMEOUT),
        time,
        seed: options.seed.unwrap_or(seed.unwrap_or(0) as u64),
        params: checker.params.to_vec(),
        groups: declared.groups,
        objects: declared.objects,
        programs: read.programs,
        processes: read.processes,
        steps: read.output.steps,
        expectations,
        facts,
        source: Arc::clone(&checker.source),
    })
}

fn params(checker: &mut Checker, fields: &Fields<'_>, options: &Options, combination: &matrix::Combination) {
    let mut set: Vec<_> = options.params.clone();
    set.retain(|(name, _)| !combination.iter().any(|(chosen, _)| chosen == name));
    let mut size = 0;
    Arc::make_mut(&mut checker.params).extend_from_slice(combination);
    if let Some(table) = fields.take("params").and_then(|item| checker.table(item, "a table of constants")) {
        for (name, span, item) in table.entries() {
            if scope::is_reserved(name) {
                checker.error(
                    Code::BAD_VALUE,
                    span,
                    format!("`{name}` has a meaning of its own and cannot be a param"),
                    "",
                );
                continue;
            }
            let Some(mut value) = checker.known(item) else { continue };
            if combination.iter().any(|(chosen, _)| chosen == name) {
                continue;
            }
            if let Some(at) = set.iter().rposition(|(key, _)| key == name) {
                let given = set[at].1.clone();
                set.retain(|(key, _)| key != name);
                match override_param(&value, &given) {
                    Some(new) => value = new,
                    None => {
                        let types = value.types();
                        let diagnostic = Diagnostic::error(
                            Code::USAGE,
                            format!("`--set {name}={given}`: the param is {types}"),
                        )
                        .at(&checker.source, item.span(), "the param");
                        checker.report(diagnostic);
                    }
                }
            }
            size += name.len() + value.size(MOST_PARAM_BYTES);
            if size > MOST_PARAM_BYTES || checker.params.len() == MOST_PARAMS {
                let message = format!(
                    "the params are too large: at most {MOST_PARAMS} of them with {} MiB in all",
                    MOST_PARAM_BYTES >> 20
                );
                checker.error(Code::BAD_VALUE, item.span(), message, "too much from here on");
                return;
            }
            Arc::make_mut(&mut checker.params).push((name.to_owned(), value));
        }
    }
    for (name, given) in set {
        let names: Vec<_> = checker.params.iter().map(|(name, _)| name.clone()).collect();
        let mut diagnostic =
            Diagnostic::error(Code::USAGE, format!("`--set {name}={given}`: the scenario has no param `{name}`"))
                .within(&checker.source);
        diagnostic = match crate::diagnostic::nearest(&name, names.iter().map(String::as_str)) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help(format!("its params are {}", list(names.iter().map(String::as_str)))),
        };
        checker.report(diagnostic);
    }
}

/// The value of `--set` for a param of that value: of the same type, an integer for a float too.
fn override_param(old: &Value, text: &str) -> Option<Value> {
    if old.as_str().is_some() {
        return Some(Value::from(text));
    }
    let parsed = DeValue::parse(text).ok()?;
    let source = Arc::new(Source::new("--set", text));
    let mut checker = Checker { silent: true, ..Checker::new(source, None) };
    let item = toml::Spanned::new(0..text.len(), parsed.into_inner());
    let new = checker.known(&item)?;
    match (old, &new) {
        (Value::Float(_), Value::Int(n)) => Some(Value::Float(*n as f64)),
        _ if old.types() == new.types() => Some(new),
        _ => None,
    }
}
