//! Steps to a flat program: each table is read by its verb's description, loops and handlers become jumps.

use std::ops::Range;
use std::rc::Rc;

use toml::Spanned;
use toml::de::DeValue;

use super::document::{Checker, Fields, Item, Text, list};
use super::expectation::{Argument as ExpectArgument, Expectation, FormDescription, Holds};
use super::names::{Declared, ends_of, with_article};
use super::plan::{Action, Delay, Failure, Instruction, ObjectAction, Operation, Processes, Step};
use super::scope::{BUILTINS, ProcessScope, Variables};
use super::steps::{self, STEPS};
use crate::diagnostic::{Code, Diagnostic};
use crate::event::{ObjectId, ProcessId, StepId};
use crate::expression::Expression;
use crate::objects::{self, CATALOGUE, Element, Form, Kind, Verb};
use crate::outcome::{Outcome, Outcomes};
use crate::value::{Types, Value};

/// What a step of the file can do, for patterns: those that match none are errors.
#[derive(Clone, Debug)]
pub(super) struct Possible {
    pub(super) program: usize,
    pub(super) verb: &'static str,
    pub(super) target: PossibleTarget,
}

/// What a step's event can be about.
#[derive(Clone, Debug)]
pub(super) enum PossibleTarget {
    None,
    Objects(Range<ObjectId>, Option<u32>),
    Processes(Range<ProcessId>),
    /// A label; `None` where it is computed.
    Label(Option<String>),
}

/// What compiling adds to the plan.
#[derive(Default)]
pub(super) struct Output {
    pub(super) steps: Vec<Step>,
    pub(super) expectations: Vec<Expectation>,
    pub(super) possible: Vec<Possible>,
}

/// One program, compiled.
pub(super) struct Compiled {
    pub(super) code: Vec<Instruction>,
    pub(super) vars: Vec<(u32, Expression)>,
    pub(super) variables: Variables,
    /// Ends named by `uses`: the object's name taken apart as steps do.
    pub(super) uses: Vec<ObjectAction>,
}

/// The parts of a process's table that are compiled.
pub(super) struct Body<'a> {
    pub(super) program: usize,
    pub(super) steps: Option<Item<'a>>,
    pub(super) vars: Option<Item<'a>>,
    pub(super) uses: Option<Item<'a>>,
}

/// Compiles a process: twice in silence, to learn its variables and their types, then for good.
pub(super) fn compile(
    checker: &mut Checker,
    declared: &Declared,
    step_form: Option<&'static FormDescription>,
    body: &Body<'_>,
    output: &mut Output,
) -> Compiled {
    let params: Rc<[_]> = checker.params.clone().into();
    let mut variables = Variables::default();
    let silent = std::mem::replace(&mut checker.silent, true);
    for pass in 0..2 {
        let mut scratch = Output::default();
        let mut compiler = Compiler::new(checker, declared, step_form, body.program, &params, variables, &mut scratch);
        compiler.body(body);
        variables = compiler.variables;
        if pass == 0 {
            // Names were met before their first values: only now are all of them known.
            variables.assigned.fill(Types::NONE);
        } else {
            variables.settle();
        }
    }
    checker.silent = silent;
    let mut compiler = Compiler::new(checker, declared, step_form, body.program, &params, variables, output);
    let (vars, uses) = compiler.body(body);
    compiler.code.push(Instruction::End);
    Compiled { code: compiler.code, vars, uses, variables: compiler.variables }
}

struct Loop {
    /// Where `continue` goes.
    next: usize,
    /// Jumps to patch with the place behind the loop.
    breaks: Vec<usize>,
    /// How many sections were open outside it.
    sections: usize,
}

struct Compiler<'c> {
    checker: &'c mut Checker,
    declared: &'c Declared,
    step_form: Option<&'static FormDescription>,
    program: usize,
    params: Rc<[(String, Value)]>,
    variables: Variables,
    code: Vec<Instruction>,
    loops: Vec<Loop>,
    /// The labels of the sections that are open, and their steps.
    sections: Vec<(Expression, StepId)>,
    output: &'c mut Output,
}

impl<'c> Compiler<'c> {
    fn new(
        checker: &'c mut Checker,
        declared: &'c Declared,
        step_form: Option<&'static FormDescription>,
        program: usize,
        params: &Rc<[(String, Value)]>,
        variables: Variables,
        output: &'c mut Output,
    ) -> Self {
        Self {
            checker,
            declared,
            step_form,
            program,
            params: Rc::clone(params),
            variables,
            code: Vec::new(),
            loops: Vec::new(),
            sections: Vec::new(),
            output,
        }
    }

    fn body(&mut self, body: &Body<'_>) -> (Vec<(u32, Expression)>, Vec<ObjectAction>) {
        let mut vars = Vec::new();
        if let Some(table) = body.vars.and_then(|item| self.checker.table(item, "a table of variables")) {
            for (name, span, item) in table.entries() {
                let value = self.value(item);
                if let Some(slot) = self.variable(name, span, value.as_ref().map_or(Types::ANY, Expression::types)) {
                    vars.extend(value.map(|value| (slot, value)));
                }
            }
        }
        let mut uses = Vec::new();
        if let Some(items) = body.uses.and_then(|item| self.checker.array(item, "a list of objects and ends")) {
            for item in items {
                if let Some(text) = self.checker.text(item, "an object or an end, as \"link.w\"") {
                    uses.extend(self.used(&text));
                }
            }
        }
        if let Some(items) = body.steps.and_then(|item| self.checker.array(item, "a list of steps")) {
            self.steps(items);
        }
        (vars, uses)
    }

    fn used(&mut self, text: &Text<'_>) -> Option<ObjectAction> {
        let mut scope = ProcessScope { params: Rc::clone(&self.params), variables: &self.variables, it: None };
        let found = self.declared.object(self.checker, text, &mut scope)?;
        let group = &self.declared.groups[found.group];
        let ends = self.declared.objects[found.first as usize].object.ends();
        if !ends.is_empty() && found.end.is_none() {
            self.needs_end(text, &group.name, ends);
            return None;
        }
        Some(ObjectAction {
            first: found.first,
            index: found.index,
            verb: 0,
            end: found.end.unwrap_or(0),
            element: None,
            arguments: Vec::new(),
            update: None,
        })
    }

    fn needs_end(&mut self, text: &Text<'_>, name: &str, ends: &[&str]) {
        let diagnostic = Diagnostic::error(
            Code::UNKNOWN_END,
            format!("`{name}` has two ends: name {}", ends_of(name, ends)),
        )
        .at(&self.checker.source, text.span.clone(), "an end is missing");
        self.checker.report(diagnostic);
    }

    fn value(&mut self, item: Item<'_>) -> Option<Expression> {
        let mut scope = ProcessScope { params: Rc::clone(&self.params), variables: &self.variables, it: None };
        self.checker.value(item, &mut scope)
    }

    fn condition(&mut self, item: Item<'_>) -> Option<Expression> {
        let mut scope = ProcessScope { params: Rc::clone(&self.params), variables: &self.variables, it: None };
        self.checker.condition(item, &mut scope)
    }

    fn delay(&mut self, item: Item<'_>) -> Option<Delay> {
        let mut scope = ProcessScope { params: Rc::clone(&self.params), variables: &self.variables, it: None };
        self.checker.delay(item, &mut scope)
    }

    /// The slot of a variable that a step sets.
    fn variable(&mut self, name: &str, span: Range<usize>, types: Types) -> Option<u32> {
        let word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let taken = if self.params.iter().any(|(param, _)| param == name) {
            Some("a param")
        } else if name == "it" || BUILTINS.iter().any(|(builtin, ..)| *builtin == name) {
            Some("a name every process has")
        } else if matches!(name, "true" | "false" | "null" | "in") {
            Some("a word of the language")
        } else {
            None
        };
        if !word {
            self.checker.error(
                Code::BAD_VALUE,
                span,
                format!("`{name}` cannot be a variable: letters, digits and `_`, no digit first"),
                "",
            );
            None
        } else if let Some(taken) = taken {
            self.checker.error(Code::BAD_VALUE, span, format!("`{name}` is {taken} and cannot be set"), "");
            None
        } else {
            Some(self.variables.assign(name, types))
        }
    }

    fn variable_item(&mut self, item: Item<'_>, types: Types) -> Option<u32> {
        let text = self.checker.text(item, "a variable's name")?;
        self.variable(text.value, text.span.clone(), types)
    }

    /// A slot that no step can name.
    fn hidden(&mut self, what: &str) -> u32 {
        let name = format!("${what}{}", self.code.len());
        self.variables.assign(&name, Types::ANY)
    }

    fn steps(&mut self, items: &[Spanned<DeValue<'_>>]) {
        for item in items {
            self.step(item);
        }
    }

    fn step_list(&mut self, item: Option<Item<'_>>) {
        if let Some(items) = item.and_then(|item| self.checker.array(item, "a list of steps")) {
            self.steps(items);
        }
    }

    fn new_step(&mut self, verb: &'static str, object: &str, span: Range<usize>) -> StepId {
        let line = self.checker.source.place(span.start).line;
        self.output.steps.push(Step { program: self.program, verb, object: object.to_owned(), span, line });
        self.output.steps.len() as StepId - 1
    }

    fn possible(&mut self, verb: &'static str, target: PossibleTarget) {
        self.output.possible.push(Possible { program: self.program, verb, target });
    }

    fn step(&mut self, item: Item<'_>) {
        match item.get_ref() {
            DeValue::String(word) => match steps::step(word) {
                Some(verb) if matches!(verb.arguments[0].form, Form::Nothing) => self.alone(verb, item.span()),
                Some(verb) => {
                    let message = format!("`{}` needs its argument: {{ {} = .. }}", verb.name, verb.name);
                    self.checker.error(Code::BAD_STEP, item.span(), message, "no argument here");
                }
                None => self.unknown_verb(word, item.span()),
            },
            DeValue::Table(table) => self.table(&Fields::new(table, item.span())),
            _ => self.checker.wrong_type(item, "a step: a table with one verb, or a verb alone as \"break\""),
        }
    }

    fn unknown_verb(&mut self, word: &str, span: Range<usize>) {
        if steps::LATER.contains(&word) {
            let message = format!("`{word}` is a verb of the format that this version has not got");
            self.checker.error(Code::LATER, span, message, "not in this version");
            return;
        }
        let mut diagnostic = Diagnostic::error(Code::UNKNOWN_VERB, format!("no verb is called `{word}`"))
            .at(&self.checker.source, span.clone(), "unknown verb")
            .suggest_nearest(span, word, verb_names());
        if diagnostic.suggestion.is_none() {
            diagnostic = diagnostic.help("`ipcrun list` shows every verb");
        }
        self.checker.report(diagnostic);
    }

    fn table(&mut self, fields: &Fields<'_>) {
        let verbs: Vec<_> = fields.keys().filter(|(key, _)| is_verb(key)).collect();
        match verbs.as_slice() {
            [] => {
                let argument = |key: &str| {
                    steps::COMMON.iter().any(|argument| argument.name == key)
                        || STEPS.iter().any(|verb| verb.arguments.iter().any(|argument| argument.name == key))
                        || CATALOGUE
                            .iter()
                            .flat_map(|kind| kind.verbs)
                            .any(|verb| verb.arguments.iter().any(|argument| argument.name == key))
                };
                self.keep_variables(fields);
                match fields.keys().find(|(key, _)| !argument(key)) {
                    Some((key, span)) => self.unknown_verb(key, span),
                    None => {
                        self.checker.error(Code::BAD_STEP, fields.span.clone(), "a step needs a verb", "no verb here");
                    }
                }
            }
            [(verb, span)] => self.verb(verb, span.clone(), fields),
            [(first, first_span), (second, second_span), ..] => {
                let diagnostic = Diagnostic::error(
                    Code::BAD_STEP,
                    format!("a step has one verb, this one has `{first}` and `{second}`"),
                )
                .at(&self.checker.source, second_span.clone(), "a second verb")
                .also(first_span.clone(), "the first")
                .help("write two steps, one after the other");
                self.checker.report(diagnostic);
            }
        }
    }

    fn verb(&mut self, word: &str, span: Range<usize>, fields: &Fields<'_>) {
        let plain = steps::step(word);
        let of_objects = CATALOGUE.iter().any(|kind| kind.verb(word).is_some());
        let Some(item) = fields.take(word) else { return };
        let names_object = matches!(item.get_ref(), DeValue::String(_));
        match plain {
            Some(verb) if !(of_objects && names_object) => self.plain(verb, item, fields),
            _ if of_objects => self.on_object(word, span, item, fields),
            _ => {
                self.keep_variables(fields);
                self.unknown_verb(word, span);
            }
        }
    }

    // --- steps on objects

    fn on_object(&mut self, word: &str, word_span: Range<usize>, item: Item<'_>, fields: &Fields<'_>) {
        let expected = format!("the name of an object to {word}");
        let Some(text) = self.checker.text(item, &expected) else { return };
        let mut scope = ProcessScope { params: Rc::clone(&self.params), variables: &self.variables, it: None };
        let found = self.declared.object(self.checker, &text, &mut scope);
        let Some(found) = found else {
            self.keep_variables(fields);
            return;
        };
        let group = &self.declared.groups[found.group];
        let kind = group.kind;
        let Some((verb_at, verb)) = kind.verb(word) else {
            self.not_of_kind(word, word_span, kind, &group.name, group.span.clone());
            self.keep_variables(fields);
            return;
        };
        let object = &self.declared.objects[found.first as usize].object;
        let step = self.new_step(verb.name, text.value, fields.span.clone());
        if found.all {
            let message = format!(
                "`{}` is an array of {}: name one, as `{}[0]`",
                group.name,
                group.count.unwrap_or(0),
                group.name
            );
            self.checker.error(Code::OUT_OF_RANGE, text.span.clone(), message, "an index is missing");
        }
        let ends = object.ends();
        if !ends.is_empty() && found.end.is_none() {
            self.needs_end(&text, text.value, ends);
        }
        match (verb.element, &found.element) {
            (Element::Never, Some(_)) => {
                let message = format!("`{word}` takes no element of {}", with_article(kind.name));
                self.checker.error(Code::OUT_OF_RANGE, text.span.clone(), message, "no index here");
            }
            (Element::Required, None) => {
                let message = format!("`{word}` takes one element: `{}[0]`", text.value);
                self.checker.error(Code::OUT_OF_RANGE, text.span.clone(), message, "an index is missing");
            }
            _ => {}
        }
        let value_types = object.value_types();
        let mut arguments = Vec::with_capacity(verb.arguments.len());
        let (mut into, mut second, mut update) = (None, None, None);
        for argument in verb.arguments {
            let given = fields.take(argument.name);
            let mut value = Expression::constant(Value::Null);
            match (given, argument.form) {
                (None, _) if argument.required => {
                    let message = format!("`{word}` needs `{}`: {}", argument.name, argument.summary);
                    self.checker.error(
                        Code::MISSING_KEY,
                        fields.span.clone(),
                        message,
                        format!("`{}` is missing", argument.name),
                    );
                }
                (None, _) => {}
                (Some(item), Form::Into) => {
                    let narrowed =
                        if (verb.result & value_types).is_empty() { verb.result } else { verb.result & value_types };
                    into = self.variable_item(item, narrowed);
                    value = Expression::constant(Value::Bool(true));
                }
                (Some(item), Form::Second) => {
                    second = self.variable_item(item, Types::ANY);
                    value = Expression::constant(Value::Bool(true));
                }
                (Some(item), Form::Update) => {
                    let mut scope = ProcessScope {
                        params: Rc::clone(&self.params),
                        variables: &self.variables,
                        it: Some(value_types),
                    };
                    update = self.checker.value(item, &mut scope);
                }
                (Some(item), form) => {
                    if let Some(given) = self.argument(item, form) {
                        value = given;
                    }
                }
            }
            arguments.push(value);
        }
        let end_name = found.end.map(|end| ends[end as usize]);
        let constants: Vec<_> = verb
            .arguments
            .iter()
            .zip(&arguments)
            .map(|(argument, value)| match argument.form {
                Form::Into | Form::Second | Form::Update => None,
                _ => value.as_constant().filter(|value| **value != Value::Null).cloned(),
            })
            .collect();
        let foreseen = object.foresee(verb, end_name, &constants);
        let element_constant = found.element.as_ref().and_then(Expression::as_constant).and_then(Value::as_int);
        let range = match &found.index {
            None if found.all => found.first..found.first + group.count.unwrap_or(1),
            None => found.first..found.first + 1,
            Some((count, _)) => found.first..found.first + count,
        };
        self.possible(verb.name, PossibleTarget::Objects(range, element_constant.map(|at| at as u32)));
        let action = Action::Object(ObjectAction {
            first: found.first,
            index: found.index,
            verb: verb_at,
            end: found.end.unwrap_or(0),
            element: found.element,
            arguments,
            update,
        });
        self.operate(
            fields,
            step,
            action,
            into,
            second,
            verb,
            foreseen.map(|(outcome, reason)| (outcome, reason, text.span.clone())),
        );
        let mut known: Vec<_> = vec![verb.name];
        known.extend(verb.arguments.iter().map(|argument| argument.name));
        self.finish(fields, verb, &format!("`{word}` on {}", with_article(kind.name)));
    }

    fn not_of_kind(&mut self, word: &str, span: Range<usize>, kind: &Kind, name: &str, declared: Range<usize>) {
        let verbs = kind.verbs.iter().map(|verb| verb.name);
        let diagnostic = Diagnostic::error(
            Code::UNKNOWN_VERB,
            format!("`{name}` is {}, which has no `{word}`; it has {}", with_article(kind.name), list(verbs.clone())),
        )
        .at(&self.checker.source, span.clone(), "not a verb of its kind")
        .also(declared, "declared here")
        .suggest_nearest(span, word, verbs);
        self.checker.report(diagnostic);
    }

    /// Keeps the variables of a step that is wrong otherwise, so that their uses are not reported as well.
    fn keep_variables(&mut self, fields: &Fields<'_>) {
        for key in ["into", "priority_into", "outcome", "as", "value_into"] {
            if let Some(DeValue::String(name)) = fields.peek(key).map(Spanned::get_ref) {
                self.variables.assign(name, Types::ANY);
            }
        }
    }

    /// An argument that may be computed.
    fn argument(&mut self, item: Item<'_>, form: Form) -> Option<Expression> {
        match form {
            Form::Boolean => Some(Expression::constant(Value::Bool(self.checker.boolean(item)?))),
            Form::Size => Some(Expression::constant(Value::Int(self.checker.size(item)?))),
            Form::Choice(words) => Some(Expression::constant(Value::from(self.checker.word(item, words)?))),
            Form::Integer(low, high) => {
                let value = self.typed(item, Types::INT)?;
                match value.as_constant().and_then(Value::as_int) {
                    Some(n) if !(low..=high).contains(&n) => {
                        let message = format!("{n} is out of range: expected an integer from {low} to {high}");
                        self.checker.error(Code::BAD_VALUE, item.span(), message, "");
                        None
                    }
                    _ => Some(value),
                }
            }
            Form::Value(types) => self.typed(item, types),
            _ => self.value(item),
        }
    }

    /// A value that must be able to have one of these types.
    fn typed(&mut self, item: Item<'_>, types: Types) -> Option<Expression> {
        let value = self.value(item)?;
        if value.types().meets(types) {
            return Some(value);
        }
        let found = value.types();
        self.checker.error(
            Code::WRONG_TYPE,
            item.span(),
            format!("expected {types}, found {found}"),
            format!("expected {types}"),
        );
        None
    }

    // --- what every step may say

    /// Reads `timeout`, `on`, `outcome` and `expect`, emits the operation and compiles its handlers.
    fn operate(
        &mut self,
        fields: &Fields<'_>,
        step: StepId,
        action: Action,
        into: Option<u32>,
        second: Option<u32>,
        verb: &Verb,
        foreseen: Option<(Outcome, String, Range<usize>)>,
    ) {
        let timeout = if verb.blocks { fields.take("timeout").and_then(|item| self.delay(item)) } else { None };
        let (mut failure, handlers) = self.failure(fields, step);
        if let Some((outcome, reason, span)) = foreseen
            && !failure.taken.contains(outcome)
        {
            let diagnostic = Diagnostic::error(Code::CAN_ONLY_FAIL, format!("this can only end `{outcome}`: {reason}"))
                .at(&self.checker.source, span, format!("always `{outcome}`"))
                .help(format!("where that is what the scenario is about, take it: `expect = \"{outcome}\"`, `outcome = \"r\"` or `on = {{ {outcome} = [..] }}`"));
            self.checker.report(diagnostic);
        }
        let at = self.code.len();
        failure.handlers.clear();
        self.code.push(Instruction::Operate(Box::new(Operation { step, action, timeout, into, second, failure })));
        let places = self.handlers(handlers);
        if let Instruction::Operate(operation) = &mut self.code[at] {
            operation.failure.handlers = places;
        }
    }

    /// What a step takes besides `ok`, and the steps of its handlers.
    fn failure<'a>(&mut self, fields: &Fields<'a>, step: StepId) -> (Failure, Vec<(Outcomes, Item<'a>)>) {
        let mut failure = Failure::default();
        let mut handlers = Vec::new();
        if let Some(item) = fields.take("outcome") {
            failure.outcome = self.variable_item(item, Types::STRING);
            failure.taken = Outcomes::ALL;
        }
        if let Some(table) =
            fields.take("on").and_then(|item| self.checker.table(item, "a table of outcomes and their steps"))
        {
            let mut rest = Vec::new();
            for (key, span, item) in table.entries() {
                let outcome = if key == "any" { Some(Outcome::FAILED) } else { Outcome::parse(key) };
                match outcome {
                    Some(Outcome::FAILED) => rest.push((Outcomes::of(Outcome::FAILED), item)),
                    Some(outcome) => handlers.push((Outcomes::of(outcome), item)),
                    None => {
                        let names = Outcome::NAMED.iter().map(|(_, name, _)| *name).chain(["any"]);
                        let diagnostic = Diagnostic::error(Code::UNKNOWN_NAME, format!("no outcome is called `{key}`"))
                            .at(&self.checker.source, span.clone(), "unknown outcome")
                            .suggest_nearest(span, key, names);
                        self.checker.report(diagnostic);
                    }
                }
            }
            handlers.extend(rest);
        }
        for (outcomes, _) in &handlers {
            failure.taken = failure.taken.with(*outcomes);
        }
        if let Some(item) = fields.take("expect") {
            failure.taken = failure.taken.with(self.expected(fields, item, step));
        }
        (failure, handlers)
    }

    /// The `expect` beside a step: an expectation of its own, and an outcome that is taken as well.
    fn expected(&mut self, fields: &Fields<'_>, item: Item<'_>, step: StepId) -> Outcomes {
        let Some(value) = self.checker.known(item) else { return Outcomes::NONE };
        let outcome = value.as_str().and_then(Outcome::parse);
        let (argument, shown) = match outcome {
            Some(outcome) => (("outcome", ExpectArgument::Text(outcome.name()), item.span()), outcome.name()),
            None => (("value", ExpectArgument::Value(value.clone()), item.span()), value.to_string()),
        };
        if let Some(form) = self.step_form {
            let at = &self.output.steps[step as usize];
            let label = format!("{} {} = {shown}", at.verb, at.object).replace("  ", " ");
            let line = self.checker.source.place(fields.span.start).line;
            self.output.expectations.push(Expectation {
                form,
                arguments: vec![argument],
                label,
                holds: Holds::Always,
                span: item.span(),
                line,
                step: Some(step),
            });
        }
        outcome.map_or(Outcomes::NONE, Outcomes::of)
    }

    /// Compiles handlers behind the step that they belong to, jumped over where none is needed.
    fn handlers(&mut self, handlers: Vec<(Outcomes, Item<'_>)>) -> Vec<(Outcomes, usize)> {
        if handlers.is_empty() {
            return Vec::new();
        }
        let mut jumps = vec![self.jump()];
        let mut places = Vec::new();
        for (outcomes, item) in handlers {
            places.push((outcomes, self.code.len()));
            self.step_list(Some(item));
            jumps.push(self.jump());
        }
        self.land(&jumps);
        places
    }

    fn jump(&mut self) -> usize {
        self.code.push(Instruction::Jump(0));
        self.code.len() - 1
    }

    /// Lets jumps and exits lead here.
    fn land(&mut self, jumps: &[usize]) {
        let here = self.code.len();
        for jump in jumps {
            match &mut self.code[*jump] {
                Instruction::Jump(to)
                | Instruction::Unless { to, .. }
                | Instruction::Next { exit: to, .. }
                | Instruction::NextItem { exit: to, .. } => *to = here,
                other => unreachable!("only jumps are patched, not {other:?}"),
            }
        }
    }

    fn finish(&mut self, fields: &Fields<'_>, verb: &Verb, what: &str) {
        let mut known = vec![verb.name];
        known.extend(verb.arguments.iter().map(|argument| argument.name));
        known.extend(
            steps::COMMON.iter().map(|argument| argument.name).filter(|name| verb.blocks || *name != "timeout"),
        );
        known.dedup();
        fields.finish(self.checker, what, &known);
    }

    // --- steps without an object

    fn alone(&mut self, verb: &'static Verb, span: Range<usize>) {
        let step = self.new_step(verb.name, "", span.clone());
        let nothing = toml::de::DeTable::new();
        let fields = Fields::new(&nothing, span.clone());
        self.simple(verb, step, &fields, span);
    }

    fn plain(&mut self, verb: &'static Verb, item: Item<'_>, fields: &Fields<'_>) {
        if matches!(verb.arguments[0].form, Form::Nothing) {
            if !matches!(item.get_ref(), DeValue::Boolean(true)) {
                self.checker.wrong_type(item, &format!("`true`: `{}` has no argument", verb.name));
                return;
            }
            let step = self.new_step(verb.name, "", fields.span.clone());
            self.simple(verb, step, fields, fields.key_span(verb.name));
            self.finish(fields, verb, &format!("`{}`", verb.name));
            return;
        }
        let named = match item.get_ref() {
            DeValue::String(text) if !matches!(verb.name, "print" | "if" | "while" | "assert" | "for") => {
                text.to_string()
            }
            _ => String::new(),
        };
        let step = self.new_step(verb.name, &named, fields.span.clone());
        match verb.name {
            "let" => self.set(item, fields, step),
            "repeat" => self.repeat(item, fields, step),
            "forever" => self.forever(item),
            "while" => self.during(item, fields, step),
            "for" => self.each(item, fields, step),
            "if" => self.choose(item, fields, step),
            "section" => self.section(item, fields, step),
            "start" | "join" | "status" | "kill" => self.on_process(verb, item, fields, step),
            _ => self.own(verb, item, fields, step),
        }
        self.finish(fields, verb, &format!("`{}`", verb.name));
    }

    /// The verbs that have no argument.
    fn simple(&mut self, verb: &'static Verb, step: StepId, fields: &Fields<'_>, span: Range<usize>) {
        let action = match verb.name {
            "break" | "continue" => {
                self.leave_loop(verb.name == "break", span);
                return;
            }
            "yield" => Action::Yield,
            "ready" => Action::Ready,
            _ => Action::Abort,
        };
        self.possible(verb.name, PossibleTarget::None);
        self.operate(fields, step, action, None, None, verb, None);
    }

    fn leave_loop(&mut self, ends: bool, span: Range<usize>) {
        let Some(innermost) = self.loops.last() else {
            let word = if ends { "break" } else { "continue" };
            self.checker.error(Code::BAD_LOOP, span, format!("`{word}` stands in no loop"), "no loop around it");
            return;
        };
        let next = innermost.next;
        for at in (innermost.sections..self.sections.len()).rev() {
            let (label, step) = self.sections[at].clone();
            self.leave(label, step);
        }
        let jump = self.jump();
        if ends {
            if let Some(innermost) = self.loops.last_mut() {
                innermost.breaks.push(jump);
            }
        } else {
            self.code[jump] = Instruction::Jump(next);
        }
    }

    fn leave(&mut self, label: Expression, step: StepId) {
        let operation = Operation {
            step,
            action: Action::Leave(label),
            timeout: None,
            into: None,
            second: None,
            failure: Failure::default(),
        };
        self.code.push(Instruction::Operate(Box::new(operation)));
    }

    /// `print`, `mark`, `enter`, `leave`, `sleep`, `busy`, `exit`, `assert`.
    fn own(&mut self, verb: &'static Verb, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let action = match verb.name {
            "sleep" => self.delay(item).map(Action::Sleep),
            "busy" => self.delay(item).map(Action::Busy),
            "assert" => self.condition(item).map(Action::Assert),
            "exit" => self.argument(item, Form::Integer(0, 255)).map(Action::Exit),
            "print" => self.value(item).map(Action::Print),
            _ => {
                let label = self.typed(item, Types::STRING);
                let known = label.as_ref().and_then(Expression::as_constant).and_then(Value::as_str).map(str::to_owned);
                let value = match fields.peek("value") {
                    Some(_) if verb.name == "mark" => fields.take("value").and_then(|item| self.value(item)),
                    _ => None,
                };
                self.possible(verb.name, PossibleTarget::Label(known));
                label.map(|label| match verb.name {
                    "mark" => Action::Mark(label, value),
                    "enter" => Action::Enter(label),
                    _ => Action::Leave(label),
                })
            }
        };
        if !matches!(verb.name, "mark" | "enter" | "leave") {
            self.possible(verb.name, PossibleTarget::None);
        }
        match action {
            Some(action) => self.operate(fields, step, action, None, None, verb, None),
            None => self.keep_common(fields),
        }
    }

    /// Takes the common keys of a step that is wrong otherwise.
    fn keep_common(&mut self, fields: &Fields<'_>) {
        for argument in steps::COMMON {
            fields.take(argument.name);
        }
        self.keep_variables(fields);
    }

    fn set(&mut self, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let Some(table) = self.checker.table(item, "a table of variables, as { x = 1 }") else { return };
        let mut places = Vec::new();
        for (name, span, item) in table.entries() {
            let value = self.value(item);
            let slot = self.variable(name, span, value.as_ref().map_or(Types::ANY, Expression::types));
            if let (Some(slot), Some(value)) = (slot, value) {
                places.push(self.code.len());
                self.code.push(Instruction::Set { slot, value, step, failure: Failure::default() });
            }
        }
        let (failure, handlers) = self.failure(fields, step);
        let handlers = self.handlers(handlers);
        for place in places {
            if let Instruction::Set { failure: empty, .. } = &mut self.code[place] {
                *empty = Failure { outcome: failure.outcome, handlers: handlers.clone(), taken: failure.taken };
            }
        }
    }

    fn in_loop(&mut self, next: usize, exits: &[usize], body: impl FnOnce(&mut Self)) {
        self.loops.push(Loop { next, breaks: Vec::new(), sections: self.sections.len() });
        body(self);
        self.code.push(Instruction::Jump(next));
        let breaks = self.loops.pop().map(|innermost| innermost.breaks).unwrap_or_default();
        self.land(&breaks);
        self.land(exits);
    }

    fn repeat(&mut self, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let times =
            self.argument(item, Form::Integer(0, i64::MAX)).unwrap_or_else(|| Expression::constant(Value::Int(0)));
        let variable = fields.take("as").and_then(|item| self.variable_item(item, Types::INT));
        let (counter, limit) = (self.hidden("counter"), self.hidden("limit"));
        self.code.push(Instruction::Repeat { times, counter, limit, step });
        let next = self.code.len();
        self.code.push(Instruction::Next { counter, limit, variable, exit: 0 });
        let body = self.body_of(fields, "do");
        self.in_loop(next, &[next], |compiler| compiler.step_list(body));
    }

    fn body_of<'a>(&mut self, fields: &Fields<'a>, key: &str) -> Option<Item<'a>> {
        let body = fields.take(key);
        if body.is_none() {
            self.checker.error(
                Code::MISSING_KEY,
                fields.span.clone(),
                format!("`{key}` is missing: the steps"),
                format!("`{key} = [..]` is missing"),
            );
        }
        body
    }

    fn forever(&mut self, item: Item<'_>) {
        let next = self.code.len();
        self.in_loop(next, &[], |compiler| compiler.step_list(Some(item)));
    }

    fn during(&mut self, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let condition = self.condition(item).unwrap_or_else(|| Expression::constant(Value::Bool(false)));
        let next = self.code.len();
        self.code.push(Instruction::Unless { condition, to: 0, step });
        let body = self.body_of(fields, "do");
        self.in_loop(next, &[next], |compiler| compiler.step_list(body));
    }

    fn each(&mut self, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let list = match fields.take("in") {
            Some(item) => self.typed(item, Types::LIST),
            None => {
                self.checker.error(
                    Code::MISSING_KEY,
                    fields.span.clone(),
                    "`in` is missing: the list",
                    "`in = ..` is missing",
                );
                None
            }
        };
        let items_types = match list.as_ref().and_then(Expression::as_constant) {
            Some(Value::List(items)) => items.iter().fold(Types::NONE, |types, item| types | item.types()),
            _ => Types::ANY,
        };
        let variable = self.variable_item(item, items_types).unwrap_or_else(|| self.hidden("item"));
        let list = list.unwrap_or_else(|| Expression::list(Vec::new()));
        let (counter, items) = (self.hidden("counter"), self.hidden("items"));
        self.code.push(Instruction::Each { list, counter, items, step });
        let next = self.code.len();
        self.code.push(Instruction::NextItem { counter, items, variable, exit: 0 });
        let body = self.body_of(fields, "do");
        self.in_loop(next, &[next], |compiler| compiler.step_list(body));
    }

    fn choose(&mut self, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let condition = self.condition(item).unwrap_or_else(|| Expression::constant(Value::Bool(true)));
        if fields.peek("then").is_none() && fields.peek("else").is_none() {
            self.checker.error(Code::MISSING_KEY, fields.span.clone(), "`if` needs `then` or `else`", "no steps here");
        }
        let unless = self.code.len();
        self.code.push(Instruction::Unless { condition, to: 0, step });
        self.step_list(fields.take("then"));
        match fields.take("else") {
            None => self.land(&[unless]),
            Some(otherwise) => {
                let over = self.jump();
                self.land(&[unless]);
                self.step_list(Some(otherwise));
                self.land(&[over]);
            }
        }
    }

    fn section(&mut self, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let label = self.typed(item, Types::STRING).unwrap_or_else(|| Expression::constant(Value::from("")));
        let known = label.as_constant().and_then(Value::as_str).map(str::to_owned);
        for verb in ["enter", "leave"] {
            if let Some(verb) = steps::step(verb) {
                self.possible(verb.name, PossibleTarget::Label(known.clone()));
            }
        }
        // A computed label is kept, so that the section that is left is the one that was entered.
        let label = if label.as_constant().is_some() {
            label
        } else {
            let slot = self.hidden("section");
            self.code.push(Instruction::Set { slot, value: label, step, failure: Failure::default() });
            Expression::variable(slot, Types::STRING)
        };
        let enter = Operation {
            step,
            action: Action::Enter(label.clone()),
            timeout: None,
            into: None,
            second: None,
            failure: Failure::default(),
        };
        self.code.push(Instruction::Operate(Box::new(enter)));
        self.sections.push((label.clone(), step));
        let body = self.body_of(fields, "do");
        self.step_list(body);
        self.sections.pop();
        self.leave(label, step);
    }

    fn on_process(&mut self, verb: &'static Verb, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let into = match fields.peek("into") {
            Some(_) if !verb.result.is_empty() => {
                let types = if verb.name == "join" { Types::INT } else { verb.result };
                fields.take("into").and_then(|item| self.variable_item(item, types))
            }
            _ => None,
        };
        let signal = match fields.peek("signal") {
            Some(_) if verb.name == "kill" => fields.take("signal").and_then(|item| self.signal(item)),
            _ => Some(libc::SIGKILL),
        };
        let found = self.checker.text(item, "a process's name").and_then(|text| {
            let mut scope = ProcessScope { params: Rc::clone(&self.params), variables: &self.variables, it: None };
            self.declared.process(self.checker, &text, &mut scope).map(|found| (text, found))
        });
        let (Some((text, (program, index))), Some(signal)) = (found, signal) else {
            self.keep_common(fields);
            return;
        };
        let named = &self.declared.programs[program];
        let count = named.count.unwrap_or(1);
        let mut processes = Processes { first: named.first, count, index: None };
        match index.as_ref().and_then(Expression::as_constant).and_then(Value::as_int) {
            Some(at) => processes = Processes { first: named.first + at as u32, count: 1, index: None },
            None => processes.index = index,
        }
        if verb.name == "status" && count > 1 && processes.count > 1 && processes.index.is_none() {
            self.checker.error(
                Code::OUT_OF_RANGE,
                text.span.clone(),
                format!("name one of them, as `{}[0]`", named.name),
                "an index is missing",
            );
        }
        let itself = verb.name == "join" && program == self.program && named.count.is_none();
        let foreseen = itself
            .then(|| (Outcome::WOULD_DEADLOCK, "a process cannot wait for its own end".to_owned(), text.span.clone()));
        self.possible(verb.name, PossibleTarget::Processes(processes.first..processes.first + processes.count));
        let action = match verb.name {
            "start" => Action::Start(processes),
            "join" => Action::Join(processes),
            "status" => Action::Status(processes),
            _ => Action::Kill(processes, signal),
        };
        self.operate(fields, step, action, into, None, verb, foreseen);
    }

    fn signal(&mut self, item: Item<'_>) -> Option<i32> {
        if let DeValue::Integer(integer) = item.get_ref()
            && integer.as_str() == "0"
        {
            return Some(0);
        }
        let text = self.checker.text(item, "a signal's name, as \"TERM\", or 0")?;
        let found = signal_number(text.value);
        if found.is_none() {
            let names: Vec<_> =
                nix::sys::signal::Signal::iterator().map(|signal| signal.as_str().trim_start_matches("SIG")).collect();
            let diagnostic = Diagnostic::error(Code::UNKNOWN_NAME, format!("no signal is called `{}`", text.value)).at(
                &self.checker.source,
                text.span.clone(),
                "unknown signal",
            );
            let diagnostic = match crate::diagnostic::nearest(text.value, names) {
                Some(near) => diagnostic.suggest(text.span, format!("\"{near}\"")),
                None => diagnostic,
            };
            self.checker.report(diagnostic);
        }
        found
    }
}

/// The number of `TERM` or `SIGTERM`.
pub fn signal_number(name: &str) -> Option<i32> {
    let name = name.strip_prefix("SIG").unwrap_or(name);
    nix::sys::signal::Signal::iterator()
        .find(|signal| signal.as_str().trim_start_matches("SIG") == name)
        .map(|signal| signal as i32)
}

/// `TERM` for 15.
pub fn signal_name(number: i32) -> String {
    match nix::sys::signal::Signal::try_from(number) {
        Ok(signal) => signal.as_str().trim_start_matches("SIG").to_owned(),
        Err(_) => number.to_string(),
    }
}

fn is_verb(key: &str) -> bool {
    steps::step(key).is_some()
        || steps::LATER.contains(&key)
        || CATALOGUE.iter().any(|kind: &&'static Kind| objects::Kind::verb(kind, key).is_some())
}

fn verb_names() -> impl Iterator<Item = &'static str> {
    STEPS.iter().chain(CATALOGUE.iter().flat_map(|kind| kind.verbs)).map(|verb| verb.name)
}
