//! `[[expect]]` to expectations: the form by its key, its arguments by their shapes.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::compile::{signal_name, signal_number};
use super::document::{Checker, Fields, Item, Params, Text, list, param};
use super::expectation::{Argument, BlockedAt, Expectation, FormDescription, Holds, ObjectRef, Shape};
use super::keys;
use super::names::{Declared, with_article};
use super::patterns::Patterns;
use super::plan::Fact;
use crate::diagnostic::{Code, Diagnostic};
use crate::event::Target;
use crate::expression::{Fault, FaultKind, Name, Scope, StateArgument};
use crate::objects::{CATALOGUE, Kind};
use crate::value::{Types, Value};

/// Reads every expectation of the file.
pub(super) struct Expectations<'a> {
    pub(super) forms: &'a [&'static FormDescription],
    pub(super) patterns: Patterns<'a>,
    pub(super) process_names: &'a [String],
}

impl Expectations<'_> {
    pub(super) fn read(
        &self,
        checker: &mut Checker,
        item: Item<'_>,
        out: &mut Vec<Expectation>,
        facts: &mut Vec<Fact>,
    ) {
        let Some(items) = checker.array(item, "a list: each expectation begins with `[[expect]]`") else { return };
        for item in items {
            if let Some(fields) = checker.table(item, "an expectation") {
                out.extend(self.one(checker, &fields, facts));
            }
        }
    }

    fn one(&self, checker: &mut Checker, fields: &Fields<'_>, facts: &mut Vec<Fact>) -> Option<Expectation> {
        let forms: Vec<_> = self.forms.iter().filter(|form| fields.peek(form.name).is_some()).collect();
        // `at_most` stands with several forms, `inside` beside nothing else: the naming key decides.
        let [form] = forms.as_slice() else {
            self.no_form(checker, fields, &forms.iter().map(|form| form.name).collect::<Vec<_>>());
            return None;
        };
        let mut arguments = Vec::new();
        for argument in form.arguments {
            match fields.take(argument.name) {
                None if argument.required => {
                    let message = format!("`{}` needs `{}`: {}", form.name, argument.name, argument.summary);
                    checker.error(
                        Code::MISSING_KEY,
                        fields.span.clone(),
                        message,
                        format!("`{}` is missing", argument.name),
                    );
                }
                None => {}
                Some(item)
                    if matches!(argument.shape, Shape::Boolean)
                        && matches!(item.get_ref(), DeValue::Array(_))
                        && form.arguments.iter().any(|other| matches!(other.shape, Shape::Blocked)) =>
                {
                    checker.wrong_type(item, "true or false");
                    checker.propose(item, |list| format!("true\nblocked = {list}"));
                }
                Some(item) => {
                    if let Some(read) = self.argument(checker, item, argument.shape, facts) {
                        arguments.push((argument.name, read, item.span()));
                    }
                }
            }
        }
        let given = |name: &&str| fields.peek(name).is_some() || fields.has_instead(name);
        if !form.one_of.is_empty() && !form.one_of.iter().any(given) {
            let wanted = list(form.one_of.iter().copied()).replace(" and ", " or ");
            let message = format!("`{}` needs {wanted}", form.name);
            checker.error(Code::MISSING_KEY, fields.key_span(form.name), message, "the expectation has no condition");
        }
        lengths(checker, &arguments);
        let holds = match fields.take("holds").map(|item| checker.word(item, &["always", "sometimes", "never"])) {
            Some(Some("sometimes")) => Holds::Sometimes,
            Some(Some("never")) => Holds::Never,
            _ => Holds::Always,
        };
        let label = match fields.take("label").and_then(|item| checker.text(item, "text")) {
            Some(text) => text.value.to_owned(),
            None => Self::sentence(checker, fields, form),
        };
        for name in ["allow_empty", "each_seen"] {
            if let Some(item) = fields.take(name)
                && !form.arguments.iter().any(|argument| argument.name == name)
                && let Some(given) = checker.boolean(item)
            {
                arguments.push((name, Argument::Boolean(given), item.span()));
            }
        }
        let mut known: Vec<_> = form.arguments.iter().map(|argument| argument.name).collect();
        known.extend(keys::names(keys::EXPECTATION_KEYS));
        fields.finish(checker, &format!("the expectation `{}`", form.name), &known);
        let span = fields.key_span(form.name);
        let line = checker.source.line_number(span.start);
        Some(Expectation { form, arguments, label, holds, span, line, step: None })
    }

    fn no_form(&self, checker: &mut Checker, fields: &Fields<'_>, found: &[&str]) {
        let names = self.forms.iter().map(|form| form.name);
        if let [first, second, ..] = found {
            let message = format!("an expectation has one form, this one has `{first}` and `{second}`");
            checker.error(Code::BAD_STEP, fields.key_span(second), message, "a second form");
            return;
        }
        let unknown = fields.keys().find(|(key, _)| {
            !keys::EXPECTATION_KEYS.iter().any(|common| common.name == *key)
                && !self.forms.iter().any(|form| form.arguments.iter().any(|argument| argument.name == *key))
        });
        let (key, span) = unknown.unwrap_or(("", fields.span.clone()));
        let message = if key.is_empty() {
            "an expectation needs a form".to_owned()
        } else {
            format!("no form of expectation is called `{key}`")
        };
        let mut diagnostic = Diagnostic::error(Code::UNKNOWN_KEY, message)
            .at(&checker.source, span.clone(), "")
            .suggest_nearest(span, key, names.clone());
        if diagnostic.suggestion.is_none() {
            diagnostic = diagnostic.help(format!("the forms are {}", list(names)));
        }
        checker.report(diagnostic);
    }

    /// The expectation as one line of TOML.
    fn sentence(checker: &Checker, fields: &Fields<'_>, form: &FormDescription) -> String {
        let mut entries: Vec<_> = fields.entries().filter(|(key, ..)| *key != "label").collect();
        entries.sort_by_key(|(key, ..)| *key != form.name);
        let shown: Vec<_> = entries
            .iter()
            .map(|(key, _, item)| {
                let raw = checker.source.slice(&item.span()).split_whitespace().collect::<Vec<_>>().join(" ");
                format!("{key} = {raw}")
            })
            .collect();
        shown.join(", ")
    }

    fn argument(&self, checker: &mut Checker, item: Item<'_>, shape: Shape, facts: &mut Vec<Fact>) -> Option<Argument> {
        let declared = self.patterns.declared;
        Some(match shape {
            Shape::Pattern => Argument::Patterns(vec![self.patterns.read(checker, item)?]),
            Shape::Patterns(least) => {
                let items = checker.array(item, "a list of patterns")?;
                if items.len() < least {
                    let message = format!("expected at least {least} patterns, found {}", items.len());
                    checker.error(Code::BAD_VALUE, item.span(), message, "");
                }
                let patterns: Vec<_> = items.iter().map(|item| self.patterns.read(checker, item)).collect();
                Argument::Patterns(patterns.into_iter().collect::<Option<_>>()?)
            }
            Shape::Condition => {
                let params = checker.params.clone();
                let mut pending = Vec::new();
                let mut scope = StateScope {
                    params: &params,
                    declared,
                    facts,
                    pending: &mut pending,
                    names: self.process_names,
                    sections: self.patterns.sections(),
                };
                let condition = checker.condition(item, &mut scope);
                for (fact, pattern) in pending {
                    let text = Text { value: &pattern, span: item.span(), inner: None };
                    facts[fact as usize] = Fact::Count(self.patterns.string(checker, &text)?);
                }
                Argument::Condition(condition?)
            }
            Shape::Count => Argument::Integer(checker.integer(item, 0, i64::MAX)?),
            Shape::Integer => Argument::Integer(checker.integer(item, i64::MIN, i64::MAX)?),
            Shape::Duration => Argument::Duration(checker.duration(item)?),
            Shape::Boolean => Argument::Boolean(checker.boolean(item)?),
            Shape::Text => Argument::Text(words(checker, item)?),
            Shape::Section => {
                let label = words(checker, item)?;
                if let Some(sections) = self.patterns.sections().filter(|known| !known.contains(&label.as_str())) {
                    let message = format!("no step enters a section `{label}`");
                    let mut diagnostic = Diagnostic::error(Code::NEVER_MATCHES, message).at(
                        &checker.source,
                        item.span(),
                        "no such section",
                    );
                    if let Some(near) = crate::diagnostic::nearest(&label, sections) {
                        diagnostic = diagnostic.suggest(item.span(), format!("\"{near}\""));
                    }
                    checker.report(diagnostic);
                    return None;
                }
                Argument::Text(label)
            }
            Shape::Signal => Argument::Integer(match checker.known(item)? {
                Value::Int(n) if signal_number(&signal_name(n as i32)).is_some() => n,
                Value::String(text) if signal_number(&text).is_some() => i64::from(signal_number(&text).unwrap_or(0)),
                other => {
                    let shown = other.to_text();
                    checker.error(
                        Code::UNKNOWN_NAME,
                        item.span(),
                        format!("no signal is called `{shown}`"),
                        "unknown signal",
                    );
                    return None;
                }
            }),
            Shape::Choice(words) => Argument::Text(checker.word(item, words)?.to_owned()),
            Shape::Value => Argument::Value(checker.known(item)?),
            Shape::Values | Shape::Lists => {
                let items = checker.array(item, "a list")?;
                if matches!(shape, Shape::Lists) {
                    for item in items {
                        checker.array(item, "a list of values: `in` holds one list for each possibility")?;
                    }
                }
                Argument::Value(checker.known(item)?)
            }
            Shape::Object(verbs) => {
                let object = self.object(checker, item)?;
                self.has_verb(checker, item, &object, verbs)?;
                Argument::Objects(vec![object])
            }
            Shape::Objects => {
                let items = checker.array(item, "a list of objects")?;
                let objects: Vec<_> = items.iter().map(|item| self.object(checker, item)).collect();
                Argument::Objects(objects.into_iter().collect::<Option<_>>()?)
            }
            Shape::Processes | Shape::ProcessesOrRun => {
                let text = checker.text(item, "a process's name")?;
                if text.value == "*" && matches!(shape, Shape::ProcessesOrRun) {
                    Argument::Processes(None)
                } else if text.value == "*" {
                    Argument::Processes(Some((0..self.process_names.len() as u32).collect()))
                } else {
                    let params = checker.params.clone();
                    Argument::Processes(Some(declared.known_processes(checker, &text, &mut Params(&params))?.collect()))
                }
            }
            Shape::Blocked => Argument::Blocked(vec![self.blocked(checker, item)?]),
            Shape::BlockedLists => {
                let items = checker.array(item, "a list of lists of processes")?;
                let lists: Vec<_> = items.iter().map(|item| self.blocked(checker, item)).collect();
                Argument::Blocked(lists.into_iter().collect::<Option<_>>()?)
            }
        })
    }

    /// Whether the object is of a kind that has one of these verbs; says so where it is not.
    fn has_verb(&self, checker: &mut Checker, item: Item<'_>, object: &ObjectRef, verbs: &[&str]) -> Option<()> {
        let fits = |kind: &Kind| kind.verbs.iter().any(|verb| verbs.contains(&verb.name));
        let declared = self.patterns.declared;
        let kind = declared.groups[declared.objects[*object.objects.first()? as usize].group].kind;
        if fits(kind) {
            return Some(());
        }
        let kinds = CATALOGUE.iter().filter(|kind| fits(kind)).map(|kind| kind.name);
        let message =
            format!("`{}` is {}, which this expectation does not support", object.text, with_article(kind.name));
        let diagnostic = Diagnostic::error(Code::BAD_VALUE, message)
            .at(&checker.source, item.span(), "the wrong kind")
            .help(format!("it is for {}", list(kinds)));
        checker.report(diagnostic);
        None
    }

    fn object(&self, checker: &mut Checker, item: Item<'_>) -> Option<ObjectRef> {
        let text = checker.text(item, "an object's name")?;
        let declared = self.patterns.declared;
        let params = checker.params.clone();
        let found = declared.object(checker, &text, &mut Params(&params))?;
        let count = declared.groups[found.group].count.unwrap_or(1);
        let objects = if found.all { (found.first..found.first + count).collect() } else { vec![found.first] };
        let element = found.element.as_ref().and_then(|index| index.as_constant()).and_then(Value::as_int);
        Some(ObjectRef { text: text.value.to_owned(), objects, element: element.map(|at| at as u32) })
    }

    fn blocked(&self, checker: &mut Checker, item: Item<'_>) -> Option<Vec<BlockedAt>> {
        let items = checker.array(item, "a list of processes, as [\"p\", \"q[1] at m\"]")?;
        let read: Vec<_> = items.iter().map(|item| self.blocked_at(checker, item)).collect();
        read.into_iter().collect()
    }

    fn blocked_at(&self, checker: &mut Checker, item: &Spanned<DeValue<'_>>) -> Option<BlockedAt> {
        let text = checker.text(item, "a process, as \"p\" or \"q[1] at m\"")?;
        let declared = self.patterns.declared;
        let params = checker.params.clone();
        let (who, what) = match text.value.split_once(" at ") {
            Some((who, _)) => (who.trim_end(), Some(who.len() + 4)),
            None => (text.value, None),
        };
        let who_text = Text::within(&text, who, 0..who.len());
        let processes = declared.known_processes(checker, &who_text, &mut Params(&params))?.collect();
        let mut targets = Vec::new();
        if let Some(start) = what {
            let name = text.value[start..].trim();
            let target = Text::within(&text, name, start..text.value.len());
            let bare = name.split(['.', '[']).next().unwrap_or("");
            if declared.group(bare).is_none() && declared.program(bare).is_some() {
                targets.extend(declared.known_processes(checker, &target, &mut Params(&params))?.map(Target::Process));
            } else {
                let found = declared.object(checker, &target, &mut Params(&params))?;
                let count = if found.all { declared.groups[found.group].count.unwrap_or(1) } else { 1 };
                targets.extend((found.first..found.first + count).map(Target::Object));
            }
        }
        Some(BlockedAt { text: text.value.to_owned(), processes, targets })
    }
}

/// A text; an integer stands for its digits.
fn words(checker: &mut Checker, item: Item<'_>) -> Option<String> {
    match checker.known(item)? {
        Value::String(text) => Some(text.to_string()),
        Value::Int(n) => Some(n.to_string()),
        _ => {
            checker.wrong_type(item, "a string");
            None
        }
    }
}

/// Lists of the objects' last values have one for each object.
fn lengths(checker: &mut Checker, arguments: &[(&'static str, Argument, Range<usize>)]) {
    let objects = arguments.iter().find_map(|(name, argument, _)| match argument {
        Argument::Objects(objects) if *name == "final_values" => Some(objects.len()),
        _ => None,
    });
    let Some(objects) = objects else { return };
    for (name, argument, span) in arguments {
        let Argument::Value(value) = argument else { continue };
        let lists = if *name == "in" { value.as_list().unwrap_or_default() } else { std::slice::from_ref(value) };
        for list in lists.iter().filter_map(Value::as_list).filter(|list| list.len() != objects) {
            let message = format!("`final_values` names {objects}, and a list holds {}", list.len());
            checker.error(Code::BAD_VALUE, span.clone(), message, "one value for each is needed");
        }
    }
}

/// The scope of state expressions: params and the state of the run.
struct StateScope<'a> {
    params: &'a [(String, Value)],
    declared: &'a Declared,
    facts: &'a mut Vec<Fact>,
    /// Facts whose pattern is still to be read: their numbers and texts.
    pending: &'a mut Vec<(u32, String)>,
    names: &'a [String],
    /// The labels of all sections, where they are known.
    sections: Option<Vec<&'a str>>,
}

/// What a state expression can ask for besides the objects' values.
pub(crate) const CALLS: [&str; 6] = ["size", "count", "inside", "blocked", "ended", "exit"];

impl StateScope<'_> {
    fn fact(&mut self, fact: Fact) -> u32 {
        self.facts.push(fact);
        self.facts.len() as u32 - 1
    }

    /// The processes of a name or text such as `worker` or `worker[3]`.
    fn processes(&self, argument: &StateArgument) -> Result<Range<u32>, Vec<String>> {
        let (name, index) = match argument {
            StateArgument::Name(name, index) => (name.clone(), *index),
            StateArgument::Text(text) => match text.split_once('[') {
                Some((name, rest)) => (name.trim().to_owned(), rest.trim_end_matches(']').trim().parse().ok()),
                None => (text.trim().to_owned(), None),
            },
        };
        let Some(at) = self.declared.program(&name) else {
            return Err(self.declared.programs.iter().map(|program| program.name.clone()).collect());
        };
        let program = &self.declared.programs[at];
        let count = program.count.unwrap_or(1);
        match index {
            None => Ok(program.first..program.first + count),
            Some(index) if (0..i64::from(count)).contains(&index) => {
                Ok(program.first + index as u32..program.first + index as u32 + 1)
            }
            Some(_) => Err(self.names.to_vec()),
        }
    }

    /// `blocked("PROCESS at TARGET")`.
    fn blocked(&mut self, text: &str, span: &Range<usize>) -> Result<(u32, Types), Fault> {
        let (who, what) = text.split_once(" at ").unwrap_or((text, ""));
        let unknown = |kind: &str, name: &str, names: &[String]| {
            let near = crate::diagnostic::nearest(name, names.iter().map(String::as_str));
            let near = near.map(|near| format!("'{}'", text.replace(name, near)));
            fault(span.clone(), format!("no {kind} named `{name}`"), near)
        };
        let who = who.trim();
        let processes =
            self.processes(&StateArgument::Text(who.to_owned())).map_err(|names| unknown("process", who, &names))?;
        // The end of an object that is waited at says no more than the object.
        let what = what.trim().split('.').next().unwrap_or_default();
        let (name, index) = match what.split_once('[') {
            Some((name, rest)) => (name, rest.trim_end_matches(']').parse::<u32>().ok()),
            None => (what, None),
        };
        let targets: Vec<Target> = match self.declared.group(name).map(|at| &self.declared.groups[at]) {
            Some(group) => {
                let (first, count) = (group.first, group.count.unwrap_or(1));
                match (what.contains('['), index) {
                    (false, _) => (first..first + count).map(Target::Object).collect(),
                    (true, Some(index)) if group.count.is_some() && index < count => {
                        vec![Target::Object(first + index)]
                    }
                    (true, _) => {
                        let message = format!("no object named `{what}`: `{name}` has {count}");
                        return Err(fault(span.clone(), message, None));
                    }
                }
            }
            None => {
                let range = self.processes(&StateArgument::Text(what.to_owned())).map_err(|mut names| {
                    names.extend(self.declared.groups.iter().map(|group| group.name.clone()));
                    unknown("object or process", what, &names)
                })?;
                range.map(Target::Process).collect()
            }
        };
        Ok((self.fact(Fact::Blocked(processes.collect(), targets)), Types::BOOL))
    }
}

impl Scope for StateScope<'_> {
    fn name(&mut self, name: &str) -> Result<(Name, Types), Vec<String>> {
        if let Some(group) = self.declared.group(name) {
            let types = if self.declared.groups[group].count.is_some() {
                Types::LIST
            } else {
                let first = self.declared.groups[group].first as usize;
                match self.declared.objects[first].object.state().value(self.names).types() {
                    Types::NULL => Types::ANY,
                    types => types,
                }
            };
            return Ok((Name::State(self.fact(Fact::Value(group))), types));
        }
        param(self.params, name).ok_or_else(|| {
            let groups = self.declared.groups.iter().map(|group| group.name.clone());
            groups.chain(self.params.iter().map(|(name, _)| name.clone())).collect()
        })
    }

    fn length(&self, name: &str) -> Option<u64> {
        let group = &self.declared.groups[self.declared.group(name)?];
        match group.count {
            Some(count) => Some(u64::from(count)),
            None => self.declared.objects[group.first as usize].object.length().map(u64::from),
        }
    }

    fn call(&mut self, name: &str, arguments: &[(StateArgument, Range<usize>)]) -> Option<Result<(u32, Types), Fault>> {
        if !CALLS.contains(&name) {
            return None;
        }
        let [(argument, span)] = arguments else {
            if name == "size" {
                return None;
            }
            let span = arguments.first().map_or(0..0, |(_, span)| span.clone());
            return Some(Err(fault(span, format!("`{name}` takes one argument"), None)));
        };
        Some(match (name, argument) {
            ("size", StateArgument::Name(object, index)) => {
                let group = self.declared.group(object)?;
                let group = &self.declared.groups[group];
                let first = group.first;
                if group.count.is_some() && index.is_none() {
                    return None;
                }
                let at = index.unwrap_or(0);
                if !(0..i64::from(group.count.unwrap_or(1))).contains(&at) {
                    return None;
                }
                // An array's size is that of its value, which the ordinary function tells.
                self.declared.objects[first as usize].object.state().size()?;
                Ok((self.fact(Fact::Size(first + at as u32)), Types::INT))
            }
            ("size", _) => return None,
            ("count", StateArgument::Text(pattern)) => {
                let fact = self.fact(Fact::Inside(String::new()));
                self.pending.push((fact, pattern.clone()));
                Ok((fact, Types::INT))
            }
            ("inside", StateArgument::Text(label) | StateArgument::Name(label, None)) => {
                if let Some(sections) = self.sections.as_ref().filter(|known| !known.contains(&label.as_str())) {
                    let near = crate::diagnostic::nearest(label, sections.iter().copied()).map(|near| match argument {
                        StateArgument::Text(_) => format!("'{near}'"),
                        StateArgument::Name(..) => near.to_owned(),
                    });
                    return Some(Err(fault(span.clone(), format!("no step enters a section `{label}`"), near)));
                }
                Ok((self.fact(Fact::Inside(label.clone())), Types::INT))
            }
            ("blocked", StateArgument::Text(text)) if text.contains(" at ") => self.blocked(text, span),
            ("blocked" | "ended" | "exit", argument) => match self.processes(argument) {
                Ok(range) if name == "blocked" => {
                    Ok((self.fact(Fact::Blocked(range.collect(), Vec::new())), Types::BOOL))
                }
                Ok(range) if name == "ended" => Ok((self.fact(Fact::Ended(range.collect())), Types::BOOL)),
                Ok(range) if range.len() == 1 => Ok((self.fact(Fact::Exit(range.start)), Types::INT | Types::NULL)),
                Ok(range) => {
                    let example = &self.names[range.start as usize];
                    Err(fault(span.clone(), format!("`exit` takes one process, as \"{example}\""), None))
                }
                Err(names) => {
                    let shown = match argument {
                        StateArgument::Name(name, _) | StateArgument::Text(name) => name,
                    };
                    let near =
                        crate::diagnostic::nearest(shown, names.iter().map(String::as_str)).map(
                            |near| match argument {
                                StateArgument::Text(_) => format!("\"{near}\""),
                                StateArgument::Name(..) => near.to_owned(),
                            },
                        );
                    Err(fault(span.clone(), format!("no process named `{shown}`"), near))
                }
            },
            _ => Err(fault(span.clone(), format!("`{name}` takes a string"), None)),
        })
    }

    fn calls(&self) -> Vec<&'static str> {
        CALLS.to_vec()
    }
}

fn fault(span: Range<usize>, message: String, suggestion: Option<String>) -> Fault {
    let fault = Fault::new(span, message).kind(FaultKind::Name);
    match suggestion {
        Some(name) => fault.suggest(name),
        None => fault,
    }
}
