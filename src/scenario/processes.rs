//! `[processes]`: their keys, their programs, the ends that each of them holds, and their dependencies.

use super::compile::{self, Body, Output};
use super::document::{Checker, Fields, Item, Params};
use super::expectation::FormDescription;
use super::keys;
use super::names::{Declared, ProgramName};
use super::plan::{Condition, Instruction, Operand, OperationPlan, ProcessPlan, Program};
use super::scope::HANDLER;
use crate::diagnostic::{Code, Diagnostic};
use crate::event::{ObjectId, ProcessId};
use crate::expression::{Builtin, Environment};
use crate::objects::contract::operation::VerbId;
use crate::objects::kinds::process::ProcessVerb;
use crate::value::Value;
use toml::de::DeValue;

/// The most processes of a scenario; the host's own limit is asked before a run.
const MOST: u32 = 100_000;

/// Keys that the format has and this version has not.
const LATER: [&str; 4] = ["command", "env", "cwd", "stdin"];

/// What `[processes]` gives to the plan.
pub(super) struct Read {
    pub(super) programs: Vec<Program>,
    pub(super) processes: Vec<ProcessPlan>,
    pub(super) output: Output,
}

/// Reads every process. None where no process could be read.
pub(super) fn read(
    checker: &mut Checker,
    table: &Fields<'_>,
    declared: &mut Declared,
    step_form: Option<&'static FormDescription>,
) -> Option<Read> {
    let mut tables = Vec::new();
    let mut first = 0;
    for (name, span, item) in table.entries() {
        let word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if !word {
            let message = format!("`{name}` cannot be a process's name: letters, digits, `_` and `-`, no digit first");
            checker.error(Code::BAD_VALUE, span, message, "");
            declared.broken.push(name.to_owned());
            continue;
        }
        if let Some(group) = declared.groups.iter().find(|group| group.name == name) {
            let diagnostic = Diagnostic::error(Code::BAD_VALUE, format!("`{name}` is an object too"))
                .at(&checker.source, span, "a process of the same name")
                .also(group.span.clone(), "the object")
                .help("patterns name both: give one of them another name");
            checker.report(diagnostic);
            declared.broken.push(name.to_owned());
            continue;
        }
        let Some(fields) = checker.table(item, "a process: a table with `steps`") else {
            declared.broken.push(name.to_owned());
            continue;
        };
        let counted = fields.peek("count").map_or_else(|| span.clone(), toml::Spanned::span);
        let count = match fields.take("count") {
            None => None,
            Some(item) => match checker.integer(item, 1, MOST.into()) {
                Some(count) => Some(count as u32),
                // Its steps are checked all the same.
                None => {
                    declared.broken.push(name.to_owned());
                    Some(1)
                }
            },
        };
        let manual = fields
            .peek("start")
            .is_some_and(|item| matches!(item.get_ref(), DeValue::String(word) if word.as_ref() == "manual"));
        let group = fields.peek("group").and_then(|item| item.get_ref().as_str()).map(str::to_owned);
        declared.programs.push(ProgramName { name: name.to_owned(), first, count, manual, group, span: span.clone() });
        let before = u64::from(first);
        first += count.unwrap_or(1);
        if first > MOST {
            let message = format!("the scenario has more than {MOST} processes");
            checker.error(Code::BAD_VALUE, span, message, "with these");
            return None;
        }
        if let Some(bounds) = checker.bounds
            && (before..u64::from(first)).contains(&bounds.processes)
        {
            let most = format!("has at most {} of them", bounds.processes);
            checker.refuse(counted, &format!("{first} processes so far"), &most);
        }
        tables.push((fields, span));
    }
    if tables.is_empty() {
        if declared.broken.is_empty() {
            let diagnostic = Diagnostic::error(Code::NO_PROCESS, "the scenario has no process")
                .at(&checker.source, table.span.clone(), "")
                .help(
                    "a process is a table of its own: `[processes.worker]`, with `steps = [ { print = \"hello\" } ]`",
                );
            checker.report(diagnostic);
        }
        return None;
    }
    let mut read = Read { programs: Vec::new(), processes: Vec::new(), output: Output::default() };
    for (at, (fields, _)) in tables.iter().enumerate() {
        one(checker, declared, step_form, at, fields, &mut read);
    }
    depends(checker, declared, &tables.iter().map(|(fields, _)| fields).collect::<Vec<_>>(), &mut read.programs);
    Some(read)
}

fn one(
    checker: &mut Checker,
    declared: &Declared,
    step_form: Option<&'static FormDescription>,
    at: usize,
    fields: &Fields<'_>,
    read: &mut Read,
) {
    let ProgramName { name, first, count, manual, span, .. } = &declared.programs[at];
    for key in LATER {
        if fields.take(key).is_some() {
            let message = format!("`{key}` is not supported yet");
            checker.error(Code::LATER, fields.key_span(key), message, "not supported yet");
        }
    }
    let mut body = Body {
        program: at,
        steps: fields.take("steps"),
        vars: fields.take("vars"),
        uses: fields.take("uses"),
        real_time: None,
    };
    if body.steps.is_none() && fields.peek("command").is_none() && !fields.has_instead("steps") {
        let diagnostic = Diagnostic::error(Code::MISSING_KEY, format!("the process `{name}` needs `steps`")).at(
            &checker.source,
            span.clone(),
            "no steps",
        );
        let within = body.vars.and_then(|vars| match vars.get_ref() {
            DeValue::Table(vars) => vars.iter().find(|(key, _)| key.get_ref().as_ref() == "steps"),
            _ => None,
        });
        let help = match within {
            Some((key, _)) => format!(
                "line {} has `steps` in `[processes.{name}.vars]`: they stand in `[processes.{name}]`, before that table",
                checker.source.line_number(key.span().start)
            ),
            None => "`steps = []` is a process that ends at once".to_owned(),
        };
        checker.report(diagnostic.help(help));
    }
    if let Some(item) = fields.take("start") {
        checker.word(item, &["auto", "manual"]);
    }
    if let Some(item) = fields.take("group") {
        checker.text(item, "the name of a group");
    }
    let parent_death = fields.take("parent_death").and_then(|item| {
        let signal = compile::process::parent_death(checker, item)?;
        if !manual {
            let message = "`parent_death` goes with `start = \"manual\"`: only what a step starts has a parent";
            checker.error(Code::BAD_VALUE, fields.key_span("parent_death"), message, "no step starts it");
        }
        Some(signal)
    });
    let daemon = fields.take("daemon").and_then(|item| checker.boolean(item)).unwrap_or(false);
    let cpus = fields.take("cpus").map(|item| cpus(checker, item)).unwrap_or_default();
    let nice = fields.take("nice").and_then(|item| {
        let nice = checker.integer(item, -20, 19)?;
        if nice < 0 && checker.bounds.is_some() {
            checker.refuse(item.span(), &format!("`nice = {nice}`"), "gets no more of the processor than others");
        }
        Some(nice)
    });
    let policy = fields.take("policy").and_then(|item| {
        let policy = checker.word(item, &["other", "batch", "idle", "fifo", "rr"])?;
        if matches!(policy, "fifo" | "rr") && checker.bounds.is_some() {
            checker.refuse(item.span(), &format!("the policy `{policy}`"), "gets no real-time policy");
        }
        Some(policy)
    });
    let priority = fields.take("priority").and_then(|item| checker.integer(item, 1, 99));
    if priority.is_some() && !matches!(policy, Some("fifo" | "rr")) {
        let span = fields.key_span("priority");
        checker.error(
            Code::BAD_VALUE,
            span,
            "`priority` goes with `policy = \"fifo\"` or `\"rr\"`; for the others there is `nice`",
            "",
        );
    }
    body.real_time = policy.filter(|policy| matches!(*policy, "fifo" | "rr")).map(|_| priority.unwrap_or(1));
    fields.take("depends_on");
    let ends_of_pipe = fields.take("signals").is_some_and(|item| ends_of_pipe(checker, item));
    fields.finish(checker, &format!("the process `{name}`"), &keys::names(keys::PROCESS_KEYS));
    let compiled = compile::compile(checker, declared, step_form, &body, &mut read.output);
    let uses_signals = compiled
        .code
        .iter()
        .any(|one| matches!(one, Instruction::Operate(operation) if matches!(operation.verb, VerbId::Signal(_))));
    let slot = |name: &str| compiled.variables.names.iter().position(|known| known.strip_prefix('$') == Some(name));
    let slots: Option<Vec<u32>> = HANDLER.iter().map(|(name, _)| slot(name).map(|slot| slot as u32)).collect();
    let handler = slots.and_then(|slots| slots.try_into().ok());
    let program = Program {
        name: name.clone(),
        first: *first,
        count: *count,
        signals: uses_signals || ends_of_pipe,
        ends_of_pipe,
        handler,
        code: compiled.code,
        slots: compiled.variables.names,
        vars: compiled.vars,
        manual: *manual,
        parent_death,
        daemon,
        depends_on: Vec::new(),
        cpus,
        nice,
        policy: policy.map(str::to_owned),
        priority,
        real_time: body.real_time,
        span: span.clone(),
    };
    if uses_signals {
        compile::signals::check(checker, &program, &read.output.steps);
    }
    for index in 0..count.unwrap_or(1) {
        let name = if count.is_some() { format!("{name}[{index}]") } else { name.clone() };
        let mut ends = Ends { index, name: &name, declared, held: Vec::new() };
        for operand in compiled.uses.iter().chain(program.operations().flat_map(OperationPlan::on_objects)) {
            ends.add(operand);
        }
        let mut holds = ends.held;
        holds.sort_unstable();
        holds.dedup();
        read.processes.push(ProcessPlan { name, program: at, index, holds });
    }
    read.programs.push(program);
}

/// Reads `signals`: whether PIPE has its default action.
fn ends_of_pipe(checker: &mut Checker, item: Item<'_>) -> bool {
    let Some(table) = checker.table(item, "a table, as { PIPE = \"default\" }") else { return false };
    let mut ends = false;
    for (name, span, item) in table.entries() {
        if name == "PIPE" {
            ends = checker.word(item, &["default", "ignore"]) == Some("default");
        } else {
            let message = format!("`signals` says what `PIPE` does at first, not `{name}`");
            let diagnostic = Diagnostic::error(Code::UNKNOWN_NAME, message)
                .at(&checker.source, span, "not here")
                .help("every other signal has its default action until a step `on_signal` says otherwise");
            checker.report(diagnostic);
        }
    }
    ends
}

fn cpus(checker: &mut Checker, item: Item<'_>) -> Vec<u32> {
    let Some(items) = checker.array(item, "a list of CPUs, as [0]") else { return Vec::new() };
    if items.is_empty() {
        checker.error(Code::BAD_VALUE, item.span(), "a list of CPUs names one at least", "");
    }
    items.iter().filter_map(|item| checker.integer(item, 0, 1023)).map(|cpu| cpu as u32).collect()
}

/// The ends that one process holds: those that its steps name. An index that only the process's own `index` and
/// params decide names one object; one that varies could name any.
struct Ends<'a> {
    index: u32,
    name: &'a str,
    declared: &'a Declared,
    held: Vec<(ObjectId, u8)>,
}

impl Ends<'_> {
    fn add(&mut self, operand: &Operand) {
        let (objects, end) = (operand.objects(), operand.end);
        let object = &self.declared.objects[objects.start as usize].object;
        if object.ends().is_empty() {
            return;
        }
        match &operand.index {
            Some(index) if !index.varies() => {
                if let Ok(Value::Int(at)) = index.evaluate(&mut Own { index: self.index, name: self.name })
                    && (0..i64::from(operand.count)).contains(&at)
                {
                    self.held.push((objects.start + at as u32, end));
                }
            }
            _ => self.held.extend(objects.map(|object| (object, end))),
        }
    }
}

/// What a process knows of itself before it runs.
struct Own<'a> {
    index: u32,
    name: &'a str,
}

impl Environment for Own<'_> {
    fn slot(&self, _slot: u32) -> &Value {
        &Value::Null
    }

    fn builtin(&self, builtin: Builtin) -> Value {
        match builtin {
            Builtin::Index => Value::Int(i64::from(self.index)),
            Builtin::Name => Value::from(self.name),
            _ => Value::Null,
        }
    }

    fn random(&mut self, low: i64, _high: i64) -> i64 {
        low
    }
}

/// Reads `depends_on` and refuses circles.
fn depends(checker: &mut Checker, declared: &Declared, tables: &[&Fields<'_>], programs: &mut [Program]) {
    let mut edges: Vec<Vec<(usize, std::ops::Range<usize>)>> = vec![Vec::new(); programs.len()];
    for (at, fields) in tables.iter().enumerate() {
        let Some(item) = fields.peek("depends_on") else { continue };
        let Some(table) = checker.table(item, "a table, as { server = \"ready\" }") else { continue };
        for (name, span, item) in table.entries() {
            let params = checker.params.clone();
            let text = super::document::Text { value: name, span: span.clone(), inner: None };
            let Some((program, index)) = declared.process(checker, &text, &mut Params(&params)) else { continue };
            let Some(word) = checker.word(item, &["started", "ready", "exited", "succeeded"]) else { continue };
            let condition = match word {
                "started" => Condition::Started,
                "ready" => Condition::Ready,
                "exited" => Condition::Exited,
                _ => Condition::Succeeded,
            };
            if condition == Condition::Ready
                && !programs[program].operations().any(|step| step.verb == VerbId::Process(ProcessVerb::Ready))
            {
                let diagnostic = Diagnostic::error(Code::CAN_ONLY_FAIL, format!("`{name}` has no `ready` step"))
                    .at(&checker.source, item.span(), "never ready")
                    .also(programs[program].span.clone(), "declared here")
                    .help("add `{ ready = true }` to its steps, or wait for \"started\"");
                checker.report(diagnostic);
            }
            let named = &declared.programs[program];
            let range: std::ops::Range<ProcessId> =
                match index.as_ref().and_then(|index| index.as_constant()).and_then(Value::as_int) {
                    Some(at) => named.first + at as u32..named.first + at as u32 + 1,
                    None => named.first..named.first + named.count.unwrap_or(1),
                };
            programs[at].depends_on.push((range.start, range.end - range.start, condition));
            edges[at].push((program, span));
        }
    }
    circles(checker, programs, &edges);
}

fn circles(checker: &mut Checker, programs: &[Program], edges: &[Vec<(usize, std::ops::Range<usize>)>]) {
    // Each circle is reported once, at its first process of the file.
    let mut done = vec![false; programs.len()];
    for start in 0..programs.len() {
        let mut path = vec![(start, 0usize)];
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            let Some((to, _)) = edges[at].get(*next) else {
                if at != start {
                    done[at] = true;
                }
                path.pop();
                continue;
            };
            *next += 1;
            let to = *to;
            if to == start {
                let mut names: Vec<_> = path.iter().map(|(at, _)| format!("`{}`", programs[*at].name)).collect();
                names.push(format!("`{}`", programs[start].name));
                let span = edges[start].first().map_or(programs[start].span.clone(), |(_, span)| span.clone());
                let message = format!("processes wait for each other to start: {}", names.join(" waits for "));
                checker.error(Code::CYCLE, span, message, "a circle");
                for (at, _) in &path {
                    done[*at] = true;
                }
                break;
            }
            if !done[to] && !path.iter().any(|(at, _)| *at == to) && to > start {
                path.push((to, 0));
            }
        }
        done[start] = true;
    }
}
