//! Steps on objects, read by the verb's description of the object's kind.

use super::outcome::Foreseen;
use super::{Compiler, PossibleTarget};
use crate::diagnostic::{Code, Diagnostic};
use crate::expression::Expression;
use crate::objects::contract::operation::VerbId;
use crate::objects::{Argument, Effect, Element, Form, Kind, Verb};
use crate::outcome::Outcome;
use crate::scenario::document::{Fields, Item, list};
use crate::scenario::names::with_article;
use crate::scenario::plan::OperationPlan;
use crate::scenario::scope::ProcessScope;
use crate::scenario::steps;
use crate::value::{Types, Value};
use std::ops::Range;
use std::rc::Rc;
use toml::Spanned;
use toml::de::DeValue;

impl Compiler<'_> {
    pub(super) fn on_object(&mut self, word: &str, word_span: Range<usize>, item: Item<'_>, fields: &Fields<'_>) {
        let expected = format!("the name of an object to {word}");
        let Some(text) = self.checker.text(item, &expected) else { return };
        let mut scope = ProcessScope { params: Rc::clone(&self.params), variables: &self.variables, it: None };
        let found = self.declared.object_of_step(self.checker, &text, &mut scope);
        let Some(mut found) = found else {
            if let Some((name, kind, declared)) = self.declared.broken_kind(text.value) {
                match kind.verb(word) {
                    Some((_, verb)) => self.of_broken(word, verb, kind, fields),
                    None => self.not_of_kind(word, word_span, kind, name, declared),
                }
            }
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
        if verb.effect == Effect::Opens {
            for key in steps::OPEN_LATER {
                if fields.take(key).is_some() {
                    let message = format!("`{key}` of `{word}` is not supported yet");
                    self.checker.error(Code::LATER, fields.key_span(key), message, "not supported yet");
                }
            }
        }
        let value_types = object.value_types();
        let mut arguments = Vec::with_capacity(verb.arguments.len());
        let mut operation = OperationPlan::new(step, VerbId::Object);
        let beyond = |diagnostic| Foreseen { outcome: Outcome::OUT_OF_RANGE, diagnostic };
        let mut all_foreseen: Vec<Foreseen> = std::mem::take(&mut found.beyond).into_iter().map(beyond).collect();
        for argument in verb.arguments {
            let given = fields.take(argument.name);
            let mut value = Expression::constant(Value::Null);
            match (given, argument.form) {
                (None, _) if argument.required => self.needs(word, argument, fields),
                (Some(item), Form::Into) => {
                    let narrowed =
                        if (verb.result & value_types).is_empty() { verb.result } else { verb.result & value_types };
                    operation.into = self.variable_item(item, narrowed);
                    value = Expression::constant(Value::Bool(true));
                }
                (Some(item), Form::Second) => {
                    operation.second = self.variable_item(item, Types::ANY);
                    value = Expression::constant(Value::Bool(true));
                }
                (Some(item), Form::Update) => {
                    let mut scope = ProcessScope {
                        params: Rc::clone(&self.params),
                        variables: &self.variables,
                        it: Some(value_types),
                    };
                    operation.update = self.checker.value(item, &mut scope);
                }
                (None, Form::Place(_)) => found.element = Some(Expression::constant(Value::Int(0))),
                (Some(item), Form::Place(most)) => {
                    let Some(given) = self.typed(item, Types::INT) else { continue };
                    all_foreseen.extend(self.beyond(&given, item, 0, most.into()).map(beyond));
                    found.element = Some(given);
                }
                (None, _) => {}
                (Some(item), Form::Integer(low, high)) => {
                    let Some(given) = self.typed(item, Types::INT) else { continue };
                    let outcome = if verb.outcomes.contains(&Outcome::OUT_OF_RANGE) {
                        Outcome::OUT_OF_RANGE
                    } else {
                        Outcome::INVALID
                    };
                    all_foreseen.extend(
                        self.beyond(&given, item, low, high).map(|diagnostic| Foreseen { outcome, diagnostic }),
                    );
                    value = given;
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
                // A constant place is an argument here alone, so that the kind sees it.
                Form::Place(_) => found.element.as_ref().and_then(Expression::as_constant).cloned(),
                _ => value.as_constant().filter(|value| **value != Value::Null).cloned(),
            })
            .collect();
        let timed = verb.blocks && fields.peek("timeout").is_some();
        let foreseen =
            object.foresee(verb, end_name, &constants).or_else(|| object.foresee_timeout(verb).filter(|_| timed));
        let foreseen = foreseen.or_else(|| object.refuses(verb_at, self.real_time));
        // What is out of range is said once.
        if let (Some((outcome, reason)), true) = (foreseen, all_foreseen.is_empty()) {
            let mut given = verb.arguments.iter().filter_map(|argument| fields.peek(argument.name));
            let meant = given.find_map(|item| Some((item.span(), self.braceless(item)?)));
            let mut one =
                self.foreseen(outcome, &reason, meant.as_ref().map_or(text.span.clone(), |(span, _)| span.clone()));
            if let Some((span, meant)) = meant {
                one.diagnostic = one.diagnostic.suggest(span, meant);
            }
            all_foreseen.push(one);
        }
        let element_constant = found.element.as_ref().and_then(Expression::as_constant).and_then(Value::as_int);
        let range = match &found.index {
            None if found.all => found.first..found.first + group.count.unwrap_or(1),
            None => found.first..found.first + 1,
            Some((count, _)) => found.first..found.first + count,
        };
        let place = element_constant.and_then(|at| u32::try_from(at).ok());
        self.possible(verb.name, PossibleTarget::Objects(range, place));
        operation.operands.push(found.operand(verb_at));
        self.operate(fields, operation.with(verb, arguments), verb, all_foreseen);
        self.finish(fields, verb, &format!("`{word}` on {}", with_article(kind.name)));
    }

    /// Says what is wrong with a step on an object whose declaration is wrong too, as far as its kind tells.
    fn of_broken(&mut self, word: &str, verb: &Verb, kind: &Kind, fields: &Fields<'_>) {
        for argument in verb.arguments.iter().filter(|argument| argument.required) {
            if fields.peek(argument.name).is_none() {
                self.needs(word, argument, fields);
            }
        }
        for argument in verb.arguments.iter().chain(steps::COMMON) {
            if argument.name != "timeout" || verb.blocks {
                fields.take(argument.name);
            }
        }
        self.finish(fields, verb, &format!("`{word}` on {}", with_article(kind.name)));
    }

    fn needs(&mut self, word: &str, argument: &Argument, fields: &Fields<'_>) {
        let message = format!("`{word}` needs `{}`: {}", argument.name, argument.summary);
        let missing = format!("`{}` is missing", argument.name);
        self.checker.error(Code::MISSING_KEY, fields.span.clone(), message, missing);
    }

    pub(super) fn not_of_kind(
        &mut self,
        word: &str,
        span: Range<usize>,
        kind: &Kind,
        name: &str,
        declared: Range<usize>,
    ) {
        if steps::LATER.contains(&word) {
            let message = format!("`{word}` of {} is not supported yet", with_article(kind.name));
            self.checker.error(Code::LATER, span, message, "not supported yet");
            return;
        }
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
    pub(super) fn keep_variables(&mut self, fields: &Fields<'_>) {
        for key in ["into", "priority_into", "outcome", "as", "value_into"] {
            if let Some(DeValue::String(name)) = fields.peek(key).map(Spanned::get_ref) {
                self.variables.assign(name, Types::ANY);
            }
        }
    }
}
