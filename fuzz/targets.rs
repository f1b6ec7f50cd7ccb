//! What is done with an input: what each reader of ipcrun does with a file, and with what comes of it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use ipcrun::diagnostic::{Diagnostic, Format, Source, render};
use ipcrun::explore::distributed::{Part, Scenario, merge};
use ipcrun::explore::execution::concretise::tell;
use ipcrun::explore::execution::guided;
use ipcrun::explore::looks;
use ipcrun::explore::run;
use ipcrun::explore::semantics::transition::{Nondeterminism, Time};
use ipcrun::expression::{Builtin, Environment, Expression, Fault, Name, Scope, StateArgument};
use ipcrun::judge::{self, FORMS};
use ipcrun::report::ci::test_suite::Suite;
use ipcrun::report::ci::{annotations, golden, junit, tap};
use ipcrun::report::export::{chrome, json, mermaid, shiviz};
use ipcrun::report::html;
use ipcrun::report::terminal::{event_list, run_summary};
use ipcrun::scenario::plan::Plan;
use ipcrun::scenario::{self, Options};
use ipcrun::schedule;
use ipcrun::trace::file;
use ipcrun::value::{Types, Value};

/// What an input came to: an input that comes to something new is kept and changed further.
#[derive(Default)]
pub(crate) struct Features(Vec<u64>);

impl Features {
    fn add(&mut self, feature: impl Hash) {
        let mut hasher = DefaultHasher::new();
        feature.hash(&mut hasher);
        self.0.push(hasher.finish());
    }

    /// The errors without the names in them.
    fn wrong(&mut self, diagnostics: &[Diagnostic]) {
        for format in [Format::Full, Format::Concise, Format::Json, Format::Github] {
            std::hint::black_box(render(diagnostics, format, true));
        }
        for diagnostic in diagnostics {
            self.add(unnamed(&diagnostic.message));
        }
    }

    pub(crate) fn take(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.0)
    }
}

/// A message without what it quotes and without numbers.
fn unnamed(message: &str) -> String {
    let said = message.split(['`', '"', '\'']).step_by(2).collect::<String>();
    said.chars().filter(|letter| !letter.is_ascii_digit()).take(80).collect()
}

/// The state of a target, made once a process.
pub(crate) enum Target {
    Scenario,
    Expression(Box<World>),
    Schedule(Vec<(Plan, Vec<bool>)>),
    Trace,
    Part(HashMap<String, Plan>),
}

impl Target {
    pub(crate) const NAMES: [&str; 5] = ["scenario", "expression", "schedule", "trace", "part"];

    /// The target of that name. `scenarios` are the texts and paths of those that schedules and parts are about.
    pub(crate) fn new(name: &str, scenarios: &[(String, String)]) -> Option<Self> {
        let plans = || scenarios.iter().filter_map(|(path, text)| Some((path, load(path, text, &Options::default())?)));
        Some(match name {
            "scenario" => Self::Scenario,
            "expression" => Self::Expression(Box::new(World::new())),
            "schedule" => {
                let told_apart = |plan: Plan| (run::told_apart(&plan), plan);
                Self::Schedule(plans().map(|(_, plan)| told_apart(plan)).map(|(told, plan)| (plan, told)).collect())
            }
            "trace" => Self::Trace,
            "part" => Self::Part(plans().map(|(path, plan)| (path.clone(), plan)).collect()),
            _ => return None,
        })
    }

    /// Reads an input and does what follows from it.
    pub(crate) fn run(&mut self, input: &[u8], features: &mut Features) {
        match self {
            Self::Scenario => scenario(input, features),
            Self::Expression(world) => expression(input, world, features),
            Self::Schedule(plans) => of_schedule(input, plans, features),
            Self::Trace => trace(input, features),
            Self::Part(plans) => part(input, plans, features),
        }
    }
}

fn read(path: &str, text: &str, options: &Options) -> Result<(Plan, Vec<Diagnostic>), Vec<Diagnostic>> {
    let forms: Vec<_> = FORMS.iter().map(|form| &form.description).collect();
    let source = Arc::new(Source::new(path, text));
    scenario::load(&source, options, &forms).map(|loaded| (loaded.plan, loaded.warnings))
}

fn load(path: &str, text: &str, options: &Options) -> Option<Plan> {
    read(path, text, options).ok().map(|(plan, _)| plan)
}

/// The first line may be `#set NAME=VALUE`.
fn scenario(input: &[u8], features: &mut Features) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let set = text.lines().next().and_then(|line| line.strip_prefix("#set ")?.split_once('='));
    let params = set.map(|(name, value)| vec![(name.to_owned(), value.to_owned())]).unwrap_or_default();
    match read("a.toml", text, &Options { params, ..Options::default() }) {
        Err(wrong) => features.wrong(&wrong),
        Ok((plan, warnings)) => {
            features.wrong(&warnings);
            for step in &plan.steps {
                features.add(step.verb);
            }
            std::hint::black_box((judge::memories(&plan), schedule::fingerprint(&plan, &[])));
        }
    }
}

/// Variables of every type, and state functions that all have a value.
pub(crate) struct World(Vec<(&'static str, Types, Value)>);

impl World {
    fn new() -> Self {
        let map = Value::Map(Arc::new([("name".to_owned(), Value::from("Dave"))].into_iter().collect()));
        let list = Value::from(vec![Value::Int(10), Value::Int(20)]);
        Self(vec![
            ("x", Types::ANY, Value::Int(5)),
            ("i", Types::INT, Value::Int(i64::MAX)),
            ("f", Types::FLOAT, Value::Float(f64::MIN_POSITIVE)),
            ("s", Types::STRING, Value::from("h\u{e9}llo")),
            ("items", Types::ANY, list),
            ("user", Types::ANY, map),
            ("yes", Types::BOOL, Value::Bool(true)),
            ("nothing", Types::ANY, Value::Null),
            ("b", Types::ANY, Value::from(vec![1_u8, 255])),
        ])
    }
}

impl Scope for World {
    fn name(&mut self, name: &str) -> Result<(Name, Types), Vec<String>> {
        if let Some(slot) = self.0.iter().position(|(known, ..)| *known == name) {
            return Ok((Name::Slot(slot as u32), self.0[slot].1));
        }
        match name {
            "index" => Ok((Name::Builtin(Builtin::Index), Types::INT)),
            "now" => Ok((Name::Builtin(Builtin::Now), Types::FLOAT)),
            "workers" => Ok((Name::Constant(Value::Int(10)), Types::INT)),
            _ => Err(self.0.iter().map(|(name, ..)| (*name).to_owned()).collect()),
        }
    }

    fn call(&mut self, name: &str, arguments: &[(StateArgument, Range<usize>)]) -> Option<Result<(u32, Types), Fault>> {
        let about_state = match arguments.first() {
            Some((StateArgument::Name(name, _), _)) => self.0.iter().all(|(known, ..)| known != name),
            Some((StateArgument::Text(_), _)) => name != "size",
            None => true,
        };
        about_state.then_some(Ok((name.len() as u32, Types::INT)))
    }
}

impl Environment for World {
    fn slot(&self, slot: u32) -> &Value {
        &self.0[slot as usize].2
    }

    fn builtin(&self, builtin: Builtin) -> Value {
        match builtin {
            Builtin::Now => Value::Float(0.5),
            _ => Value::Int(3),
        }
    }

    fn state(&mut self, state: u32) -> Result<Value, ipcrun::expression::Error> {
        Ok(Value::Int(i64::from(state)))
    }

    fn random(&mut self, low: i64, high: i64) -> i64 {
        assert!(low <= high, "a random number between {low} and {high}");
        high
    }
}

/// An expression, and the same text as a template.
fn expression(input: &[u8], world: &mut World, features: &mut Features) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for parsed in [Expression::parse(text, world), Expression::parse_template(text, world)] {
        match parsed {
            Err(faults) => faults.iter().for_each(|fault| features.add(unnamed(&fault.message))),
            Ok(expression) => {
                let types = expression.types();
                match expression.evaluate(world) {
                    Ok(value) => {
                        assert!(types.contains(value.types()), "{value:?} is none of {types:?}");
                        features.add((format!("{types:?}"), value.types() == types));
                    }
                    Err(error) => features.add(unnamed(&error.message)),
                }
            }
        }
    }
}

/// The first line is the place of a scenario and whether times end at any moment; the rest is a file, or words.
fn of_schedule(input: &[u8], plans: &[(Plan, Vec<bool>)], features: &mut Features) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (head, rest) = text.split_once('\n').unwrap_or((text, ""));
    let (place, any) = head.trim_start_matches('#').split_once(' ').unwrap_or((head, ""));
    let named = plans.iter().find(|(plan, _)| plan.source.path.raw() == place);
    let (plan, told_apart) = named.unwrap_or(&plans[text.len() % plans.len()]);
    let source = Arc::new(Source::new("the schedule", rest));
    let (orders, time, random) = if rest.contains('=') {
        match schedule::read(plan, told_apart, &source) {
            Ok(schedule) => (schedule.orders, schedule.any_time, schedule.any_random),
            Err(wrong) => return features.wrong(&wrong),
        }
    } else {
        let mut wrong = Vec::new();
        let orders = schedule::parse(plan, &source, 0..rest.len(), &mut wrong);
        if !wrong.is_empty() {
            return features.wrong(&wrong);
        }
        (orders, any == "any", false)
    };
    let time = if time { Time::Any } else { Time::Virtual };
    let mut space = run::scheduled(plan, Nondeterminism { time, random, ..Nondeterminism::default() }, &orders);
    let path = match guided::follow(&mut space, &orders) {
        Ok(path) => path,
        Err(refused) => return features.add(unnamed(&guided::because(plan, &refused.why))),
    };
    let Ok((path, round)) = guided::complete(&mut space, &path) else { return features.add("endless") };
    let told = tell(&space, &path);
    features.add((plan.source.path.clone(), round, told.is_ok(), path.len()));
}

/// A line of a trace file, with the hash that the text in it has.
fn mended(input: &[u8]) -> Option<Vec<u8>> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let mut first: serde_json::Value = serde_json::from_slice(&input[..end]).ok()?;
    let text = first.get("scenario")?.get("text")?.as_str()?.to_owned();
    *first.get_mut("scenario")?.get_mut("hash")? = file::hash(&text).into();
    let mut out = first.to_string().into_bytes();
    out.extend_from_slice(&input[end..]);
    Some(out)
}

fn verb(name: &str) -> Option<&'static str> {
    let kinds = ipcrun::objects::CATALOGUE.iter().flat_map(|kind| kind.verbs);
    scenario::steps::STEPS.iter().chain(kinds).map(|verb| verb.name).chain(["begin", "end"]).find(|verb| *verb == name)
}

/// A saved trace: read, judged and written in every form.
fn trace(input: &[u8], features: &mut Features) {
    let mended = mended(input);
    let opened = file::open("a.jsonl", mended.as_deref().unwrap_or(input), &verb);
    let saved = match opened.and_then(|opened| opened.read(None, &mut |_| {})) {
        Ok(saved) => saved,
        Err(wrong) => return features.wrong(&wrong),
    };
    let options = Options {
        params: saved.meta.set.clone(),
        seed: Some(saved.seed),
        timeout: Some(saved.timeout),
        ..Options::default()
    };
    let Some(plan) = load("a.toml", &saved.text, &options) else { return features.add("its scenario") };
    let meta = saved.meta.clone();
    let trace = match saved.into_trace(&plan) {
        Ok(trace) => trace,
        Err(wrong) => return features.wrong(&wrong),
    };
    let verdict = judge::judge(&plan, &trace);
    for found in &verdict.findings {
        features.add((unnamed(&found.finding.measured), format!("{:?}", found.finding.status)));
    }
    // To write it in every form takes longer than all the rest: some do, by their bytes, so that the same always do.
    if !input.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)).is_multiple_of(8) {
        return;
    }
    let mut out = Vec::new();
    event_list::write(&mut out, &plan, &trace, true, Some(80)).expect("memory can be written to");
    chrome::write(&mut out, &plan, &trace, &verdict).expect("memory can be written to");
    shiviz::write(&mut out, &plan, &trace).expect("memory can be written to");
    file::write(&mut out, &plan, &trace, &meta).expect("memory can be written to");
    std::hint::black_box(mermaid::diagram(&plan, &trace, &verdict));
    std::hint::black_box(json::run(&plan, &trace, &verdict));
    std::hint::black_box(html::page(&plan, &trace, &verdict, &html::Options { command: "x", summary: None, run: 1 }));
    features.wrong(&annotations::run(&plan, &trace, &verdict));
    std::hint::black_box(golden::text(&plan, &trace, "seed:0"));
    let drawing = run_summary::Options { color: true, picture: true, ascii: false, columns: 80, arguments: &[] };
    let summary = run_summary::run(&plan, &trace, &verdict, &drawing);
    let suite = [Suite::run(&plan, &trace, &verdict, &meta.started, summary)];
    std::hint::black_box((junit::report(&suite), tap::report(&suite)));
}

/// Parts of an exploration, one a line: merged, and what they found followed.
fn part(input: &[u8], plans: &HashMap<String, Plan>, features: &mut Features) {
    let mut parts = Vec::new();
    for (place, line) in input.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
        let mut part: Part = match serde_json::from_slice(line) {
            Ok(part) => part,
            Err(error) => return features.add(unnamed(&error.to_string())),
        };
        if let Err(why) = part.place(place) {
            return features.add(unnamed(&why));
        }
        parts.push(part);
    }
    let merged = match merge(parts) {
        Ok(merged) => merged,
        Err(why) => return features.add(unnamed(&why)),
    };
    for scenario in merged {
        if let Some(plan) = plans.get(&scenario.path) {
            again(plan, scenario, features);
        }
    }
}

fn again(plan: &Plan, scenario: Scenario, features: &mut Features) {
    if !scenario.fits(plan) {
        return features.add("of another scenario");
    }
    let (random, kill) = (scenario.any_random, scenario.kill);
    let mut found = Vec::new();
    for look in scenario.explored() {
        let leeway = Nondeterminism { time: look.time, random, kill, spurious: 0 };
        match run::again(plan, leeway, look) {
            Ok(look) => found.push(look),
            Err(fault) => return features.add(unnamed(&format!("{fault:?}"))),
        }
    }
    let explored = looks::together(plan, found, None);
    features.add((plan.source.path.clone(), format!("{:?}", explored.summary.status), explored.stories.len()));
    std::hint::black_box((explored.counterexample(), explored.words()));
}
