//! Expectations made by hand, over the scenes of `trace::testing`.

use std::ops::Range;

use super::{Finding, Status, form, judge};
use crate::expression::{Expression, Fault, Name, Scope, StateArgument};
use crate::outcome::{Outcome, Outcomes};
use crate::scenario::expectation::{Argument, Expectation, Holds, ObjectRef, Pattern, PatternTarget};
use crate::scenario::plan::{Fact, Plan};
use crate::trace::Trace;
use crate::value::{Types, Value};

pub(crate) use crate::trace::testing::{CELL, PERMITS, QUEUE, Scene};

/// Adds an expectation of that form.
pub(crate) fn expect(plan: &mut Plan, name: &str, arguments: Vec<(&'static str, Argument)>) {
    let form = &form(name).expect("it is a form").description;
    let arguments = arguments.into_iter().map(|(key, argument)| (key, argument, 0..0)).collect();
    let (label, holds) = (name.to_owned(), Holds::Always);
    plan.expectations.push(Expectation { form, arguments, label, holds, span: 0..0, line: 1, step: None });
}

/// What the only expectation of the plan gives.
pub(crate) fn finding(plan: &Plan, trace: &Trace) -> Finding {
    judge(plan, trace).findings.swap_remove(0).finding
}

/// Judges one expectation, and checks its status and that it says what it measured.
pub(crate) fn check(
    (plan, trace): &mut (Plan, Trace),
    name: &str,
    arguments: Vec<(&'static str, Argument)>,
    status: Status,
) -> Finding {
    plan.expectations.clear();
    expect(plan, name, arguments);
    let finding = finding(plan, trace);
    assert_eq!(finding.status, status, "{name}: {finding:?}");
    assert!(!finding.measured.is_empty() && !finding.expected.is_empty(), "{finding:?}");
    finding
}

pub(crate) fn patterns(plan: &Plan, texts: &[&str]) -> Argument {
    Argument::Patterns(texts.iter().map(|text| pattern(plan, text)).collect())
}

/// `"worker get q"`, with `timeout` or another outcome as a fourth word.
pub(crate) fn pattern(plan: &Plan, text: &str) -> Pattern {
    let mut words = text.split(' ');
    let mut word = || words.next().filter(|word| *word != "*");
    let (process, verb, object, outcome) = (word(), word(), word(), word());
    let processes = process.map(|name| processes(plan, name));
    let target = object.map(|name| match plan.objects.iter().position(|object| object.name == name) {
        Some(at) => PatternTarget::Objects(at as u32..at as u32 + 1, None),
        None => PatternTarget::Label(name.to_owned()),
    });
    let outcome = outcome.map_or(Outcome::OK, |name| Outcome::parse(name).expect("it is an outcome"));
    let outcomes = Outcomes::of(outcome);
    Pattern { text: text.to_owned(), processes, verb: verb.map(str::to_owned), target, outcomes, value: None }
}

pub(crate) fn processes(plan: &Plan, name: &str) -> Range<u32> {
    if let Some(program) = plan.programs.iter().find(|program| program.name == name) {
        return program.first..program.first + program.count.unwrap_or(1);
    }
    let at = plan.processes.iter().position(|process| process.name == name).expect("it is a process");
    at as u32..at as u32 + 1
}

pub(crate) fn objects(plan: &Plan, names: &[&str]) -> Argument {
    let find =
        |name: &&str| plan.objects.iter().position(|object| object.name == **name).expect("it is an object") as u32;
    let objects =
        names.iter().map(|name| ObjectRef { text: (*name).to_owned(), objects: vec![find(name)], element: None });
    Argument::Objects(objects.collect())
}

pub(crate) fn ints(numbers: &[i64]) -> Argument {
    Argument::Value(numbers.iter().map(|number| Value::Int(*number)).collect::<Vec<_>>().into())
}

pub(crate) fn lists(lists: &[&[i64]]) -> Argument {
    let list = |numbers: &&[i64]| Value::from(numbers.iter().map(|number| Value::Int(*number)).collect::<Vec<_>>());
    Argument::Value(lists.iter().map(list).collect::<Vec<_>>().into())
}

/// Compiles a state expression; what it reads becomes a fact of the plan.
pub(crate) fn condition(plan: &mut Plan, text: &str) -> Argument {
    let mut names = StateNames { plan };
    Argument::Condition(Expression::parse(text, &mut names).expect("it is an expression"))
}

struct StateNames<'a> {
    plan: &'a mut Plan,
}

impl StateNames<'_> {
    fn add(&mut self, fact: Fact) -> u32 {
        self.plan.facts.push(fact);
        self.plan.facts.len() as u32 - 1
    }
}

impl Scope for StateNames<'_> {
    fn name(&mut self, name: &str) -> Result<(Name, Types), Vec<String>> {
        let group = self.plan.groups.iter().position(|group| group.name == name).ok_or_else(Vec::new)?;
        Ok((Name::State(self.add(Fact::Value(group))), Types::ANY))
    }

    fn call(&mut self, name: &str, arguments: &[(StateArgument, Range<usize>)]) -> Option<Result<(u32, Types), Fault>> {
        let (StateArgument::Text(text) | StateArgument::Name(text, _)) = &arguments.first()?.0;
        let fact = match name {
            "size" => Fact::Size(self.plan.objects.iter().position(|object| object.name == *text)? as u32),
            "count" => Fact::Count(pattern(self.plan, text)),
            "inside" => Fact::Inside(text.clone()),
            "blocked" => Fact::Blocked(processes(self.plan, text).collect(), Vec::new()),
            "ended" => Fact::Ended(processes(self.plan, text).collect()),
            "exit" => Fact::Exit(processes(self.plan, text).start),
            _ => return None,
        };
        Some(Ok((self.add(fact), Types::ANY)))
    }

    fn calls(&self) -> Vec<&'static str> {
        vec!["size", "count", "inside", "blocked", "ended", "exit"]
    }
}
