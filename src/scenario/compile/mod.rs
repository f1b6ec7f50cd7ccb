//! Steps to a flat program: each table is read by its verb's description, loops and handlers become jumps.

mod flow;
mod object;
mod outcome;
pub(super) mod process;
pub(super) mod signals;

use std::ops::Range;
use std::rc::Rc;

use toml::Spanned;
use toml::de::DeValue;

use super::document::{Checker, Fields, Item, Text, list};
use super::expectation::{Expectation, FormDescription};
use super::names::{Declared, ends_of};
use super::plan::{Instruction, Operand, OperationPlan, Step};
use super::scope::{BUILTINS, HANDLER, ProcessScope, Variables};
use super::steps::{self, STEPS};
use crate::diagnostic::{Code, Diagnostic};
use crate::event::{ObjectId, ProcessId, StepId};
use crate::expression::Expression;
use crate::objects::contract::operation::VerbId;
use crate::objects::kinds::own::OwnVerb;
use crate::objects::kinds::process::ProcessVerb;
use crate::objects::{self, CATALOGUE, Effect, Form, Kind, Verb};
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

/// The most steps of all processes together.
const MOST_STEPS: usize = 100_000;

/// What compiling adds to the plan.
#[derive(Default)]
pub(super) struct Output {
    pub(super) steps: Vec<Step>,
    pub(super) expectations: Vec<Expectation>,
    pub(super) possible: Vec<Possible>,
    /// Whether there were more steps than there may be.
    full: bool,
}

pub(super) struct Compiled {
    pub(super) code: Vec<Instruction>,
    pub(super) vars: Vec<(u32, Expression)>,
    pub(super) variables: Variables,
    /// Ends named by `uses`: the object's name taken apart as steps do.
    pub(super) uses: Vec<Operand>,
}

/// The parts of a process's table that are compiled.
pub(super) struct Body<'a> {
    pub(super) program: usize,
    pub(super) steps: Option<Item<'a>>,
    pub(super) vars: Option<Item<'a>>,
    pub(super) uses: Option<Item<'a>>,
    /// The priority of its processes, where they have a real-time policy.
    pub(super) real_time: Option<i64>,
}

/// Compiles a process: twice in silence, to learn its variables and their types, then for good.
pub(super) fn compile(
    checker: &mut Checker,
    declared: &Declared,
    step_form: Option<&'static FormDescription>,
    body: &Body<'_>,
    output: &mut Output,
) -> Compiled {
    let params: Rc<[_]> = checker.params.as_slice().into();
    let mut variables = Variables::default();
    let silent = std::mem::replace(&mut checker.silent, true);
    for pass in 0..2 {
        let mut scratch = Output::default();
        let mut compiler = Compiler::new(checker, declared, step_form, body, &params, variables, &mut scratch);
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
    let mut compiler = Compiler::new(checker, declared, step_form, body, &params, variables, output);
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
    real_time: Option<i64>,
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
        body: &Body<'_>,
        params: &Rc<[(String, Value)]>,
        variables: Variables,
        output: &'c mut Output,
    ) -> Self {
        Self {
            checker,
            declared,
            step_form,
            program: body.program,
            real_time: body.real_time,
            params: Rc::clone(params),
            variables,
            code: Vec::new(),
            loops: Vec::new(),
            sections: Vec::new(),
            output,
        }
    }

    fn body(&mut self, body: &Body<'_>) -> (Vec<(u32, Expression)>, Vec<Operand>) {
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

    fn used(&mut self, text: &Text<'_>) -> Option<Operand> {
        let mut scope = ProcessScope { params: Rc::clone(&self.params), variables: &self.variables, it: None };
        let found = self.declared.object(self.checker, text, &mut scope)?;
        let group = &self.declared.groups[found.group];
        let ends = self.declared.objects[found.first as usize].object.ends();
        if !ends.is_empty() && found.end.is_none() {
            self.needs_end(text, &group.name, ends);
            return None;
        }
        if let Some(verb) = group.kind.verb_that(Effect::Opens) {
            let verb = group.kind.verbs[verb as usize].name;
            let message = format!("a process holds an end of `{}` once it has opened it", group.name);
            let diagnostic = Diagnostic::error(Code::BAD_VALUE, message)
                .at(&self.checker.source, text.span.clone(), "not held by `uses`")
                .help(format!("open it by a step: {{ {verb} = \"{}\" }}", text.value));
            self.checker.report(diagnostic);
            return None;
        }
        Some(found.operand(0))
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

    /// The value that a text is likely meant to be: an expression over variables, without its braces.
    fn braceless(&self, item: Item<'_>) -> Option<String> {
        let DeValue::String(text) = item.get_ref() else { return None };
        let mut scope = ProcessScope { params: Rc::clone(&self.params), variables: &self.variables, it: None };
        let expression = Expression::parse(text, &mut scope).ok()?;
        let mut reads = false;
        expression.slots(&mut |_| reads = true);
        let computed = text.contains(|c: char| !c.is_alphanumeric() && c != '_');
        (reads && computed).then(|| format!("\"{{{text}}}\""))
    }

    fn condition(&mut self, item: Item<'_>) -> Option<Expression> {
        let mut scope = ProcessScope { params: Rc::clone(&self.params), variables: &self.variables, it: None };
        self.checker.condition(item, &mut scope)
    }

    fn delay(&mut self, item: Item<'_>) -> Option<Expression> {
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
        } else if self.variables.in_handler && HANDLER.iter().any(|(known, _)| *known == name) {
            Some("a name of the handler")
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
            if self.output.steps.len() >= MOST_STEPS {
                if !std::mem::replace(&mut self.output.full, true) {
                    let message = format!("the scenario has more than {MOST_STEPS} steps");
                    self.checker.error(Code::BAD_VALUE, item.span(), message, "with this one");
                }
                return;
            }
            self.step(item);
        }
    }

    fn step_list(&mut self, item: Option<Item<'_>>) {
        if let Some(items) = item.and_then(|item| self.checker.array(item, "a list of steps")) {
            self.steps(items);
        }
    }

    fn new_step(&mut self, verb: &'static str, object: &str, span: Range<usize>) -> StepId {
        let line = self.checker.source.line_number(span.start);
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
                None => self.unknown_verb(word, item.span(), None),
            },
            DeValue::Table(table) => self.table(&Fields::new(table, item.span())),
            _ => self.checker.wrong_type(item, "a step: a table with one verb, or a verb alone as \"break\""),
        }
    }

    fn unknown_verb(&mut self, word: &str, span: Range<usize>, about: Option<Item<'_>>) {
        if steps::LATER.contains(&word) {
            let message = format!("`{word}` is not supported yet");
            self.checker.error(Code::LATER, span, message, "not supported yet");
            return;
        }
        let named = about.and_then(|item| match item.get_ref() {
            DeValue::String(named) => named.split(['.', '[']).next(),
            _ => None,
        });
        let known = named.and_then(|named| self.checker.names.iter().find(|(name, _)| name == named));
        let kind = known.and_then(|(_, kind)| crate::objects::kind(kind));
        let diagnostic = steps::unknown(word, &self.checker.source, span, kind);
        self.checker.report(diagnostic);
    }

    fn table(&mut self, fields: &Fields<'_>) {
        // A word may be a verb, and an argument of another: `mask` of a `pause`.
        let argument = |key: &str| {
            let mut others = fields.keys().filter(|(other, _)| *other != key);
            others.any(|(other, _)| {
                steps::step(other).is_some_and(|verb| verb.arguments.iter().any(|argument| argument.name == key))
            })
        };
        let verbs: Vec<_> = fields.keys().filter(|(key, _)| is_verb(key) && !argument(key)).collect();
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
                    Some((key, span)) => self.unknown_verb(key, span, fields.peek(key)),
                    None => {
                        let takes = |key: &str| {
                            let all = STEPS.iter().chain(CATALOGUE.iter().flat_map(|kind| kind.verbs));
                            let verbs: Vec<_> = all
                                .filter(|verb| verb.arguments.iter().any(|argument| argument.name == key))
                                .map(|verb| verb.name)
                                .collect();
                            (!verbs.is_empty() && verbs.len() < 4)
                                .then(|| format!("`{key}` is a key of {}", list(verbs)))
                        };
                        let mut diagnostic = Diagnostic::error(Code::BAD_STEP, "a step needs a verb").at(
                            &self.checker.source,
                            fields.span.clone(),
                            "no verb here",
                        );
                        if let Some(help) = fields.keys().find_map(|(key, _)| takes(key)) {
                            diagnostic = diagnostic.help(help);
                        }
                        self.checker.report(diagnostic);
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
                self.unknown_verb(word, span, None);
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
                match self.beyond(&value, item, low, high) {
                    Some(diagnostic) => {
                        self.checker.report(diagnostic);
                        None
                    }
                    None => Some(value),
                }
            }
            Form::Value(types) => self.typed(item, types),
            Form::Duration => self.delay(item),
            Form::Condition => self.condition(item),
            Form::Signal => Some(Expression::constant(Value::Int(self.signal(item)?.into()))),
            Form::Signals => Some(Expression::constant(self.signals(item)?)),
            _ => self.value(item),
        }
    }

    /// What is wrong with a constant that is not within these bounds.
    fn beyond(&self, value: &Expression, item: Item<'_>, low: i64, high: i64) -> Option<Diagnostic> {
        let n = value.as_constant().and_then(Value::as_int).filter(|n| !(low..=high).contains(n))?;
        let message = format!("{n} is out of range: expected an integer from {low} to {high}");
        Some(Diagnostic::error(Code::BAD_VALUE, message).at(&self.checker.source, item.span(), ""))
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

    fn alone(&mut self, verb: &'static Verb, span: Range<usize>) {
        let step = self.new_step(verb.name, "", span.clone());
        let nothing = toml::de::DeTable::new();
        let fields = Fields::new(&nothing, span.clone());
        self.simple(verb, step, &fields, span);
    }

    fn plain(&mut self, verb: &'static Verb, item: Item<'_>, fields: &Fields<'_>) {
        if let Some(VerbId::Signal(does)) = VerbId::of_step(verb.name) {
            let step = self.new_step(verb.name, "", fields.span.clone());
            self.on_signals(verb, does, item, fields, step);
            self.finish(fields, verb, &format!("`{}`", verb.name));
            return;
        }
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
        if let Some(does) = VerbId::of_step(verb.name) {
            match does {
                VerbId::Process(does) => self.on_process(verb, does, item, fields, step),
                _ => self.own(verb, does, item, fields, step),
            }
            self.finish(fields, verb, &format!("`{}`", verb.name));
            return;
        }
        match verb.name {
            "let" => self.set(item, fields, step),
            "repeat" => self.repeat(item, fields, step),
            "forever" => self.forever(item),
            "while" => self.during(item, fields, step),
            "for" => self.each(item, fields, step),
            "if" => self.choose(item, fields, step),
            _ => self.section(item, fields, step),
        }
        self.finish(fields, verb, &format!("`{}`", verb.name));
    }

    /// The verbs that have no argument.
    fn simple(&mut self, verb: &'static Verb, step: StepId, fields: &Fields<'_>, span: Range<usize>) {
        let Some(does) = VerbId::of_step(verb.name) else {
            self.leave_loop(verb.name == "break", span);
            return;
        };
        if does == VerbId::Process(ProcessVerb::WaitAny) {
            return self.wait_any(verb, fields, step, span);
        }
        self.possible(verb.name, PossibleTarget::None);
        self.operate(fields, OperationPlan::new(step, does), verb, Vec::new());
    }

    /// A verb of the process on itself, or on time.
    fn own(&mut self, verb: &'static Verb, does: VerbId, item: Item<'_>, fields: &Fields<'_>, step: StepId) {
        let mut arguments = Vec::with_capacity(verb.arguments.len());
        for (at, argument) in verb.arguments.iter().enumerate() {
            let given = if at == 0 { Some(item) } else { fields.take(argument.name) };
            let value =
                given.map_or(Some(Expression::constant(Value::Null)), |item| self.argument(item, argument.form));
            arguments.push(value);
        }
        let label = matches!(does, VerbId::Own(OwnVerb::Mark | OwnVerb::Enter | OwnVerb::Leave));
        let known = arguments[0].as_ref().and_then(Expression::as_constant).and_then(Value::as_str).map(str::to_owned);
        self.possible(verb.name, if label { PossibleTarget::Label(known) } else { PossibleTarget::None });
        match arguments.into_iter().collect() {
            Some(arguments) => {
                self.operate(fields, OperationPlan::new(step, does).with(verb, arguments), verb, Vec::new());
            }
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
}

/// The number of `TERM` or `SIGTERM`, of `RTMIN+1` or `RTMAX-2`. The highest is one that ipcrun uses itself.
pub fn signal_number(name: &str) -> Option<i32> {
    let name = name.strip_prefix("SIG").unwrap_or(name);
    let (low, high) = (libc::SIGRTMIN(), libc::SIGRTMAX());
    let real_time = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(""), _) => Some(low),
        (Some(more), _) => {
            more.strip_prefix('+').and_then(|more| more.parse::<u8>().ok()).map(|more| low + i32::from(more))
        }
        (_, Some(less)) => {
            less.strip_prefix('-').and_then(|less| less.parse::<u8>().ok()).map(|less| high - i32::from(less))
        }
        _ => None,
    };
    if let Some(number) = real_time {
        return (low..high).contains(&number).then_some(number);
    }
    nix::sys::signal::Signal::iterator()
        .find(|signal| signal.as_str().trim_start_matches("SIG") == name)
        .map(|signal| signal as i32)
}

/// `TERM` for 15.
pub fn signal_name(number: i32) -> String {
    match nix::sys::signal::Signal::try_from(number) {
        Ok(signal) => signal.as_str().trim_start_matches("SIG").to_owned(),
        Err(_) if number == libc::SIGRTMIN() => "RTMIN".to_owned(),
        Err(_) if number > libc::SIGRTMIN() => format!("RTMIN+{}", number - libc::SIGRTMIN()),
        Err(_) => number.to_string(),
    }
}

fn is_verb(key: &str) -> bool {
    steps::step(key).is_some()
        || steps::LATER.contains(&key)
        || CATALOGUE.iter().any(|kind: &&'static Kind| objects::Kind::verb(kind, key).is_some())
}
