//! What a process does by itself between two steps that others notice: variables, loops, conditions, its own steps.

use super::super::expression::Variable;
use super::super::statement::Statement;
use super::Body;
use crate::event::StepId;
use crate::explore::semantics::next_operation::is_visible;
use crate::objects::contract::operation::VerbId;
use crate::objects::contract::promela::{Check, Refusal};
use crate::objects::kinds::own::OwnVerb;
use crate::objects::kinds::process::ProcessVerb;
use crate::outcome::Outcome;
use crate::scenario::plan::{Failure, Instruction, OperationPlan};
use crate::value::Value;

/// How many steps a process may do by itself between two that others notice.
const MOST_LOCAL: usize = 300;

impl<'p> Body<'_, 'p> {
    /// What the process does by itself from a place on.
    pub(super) fn local(&mut self, place: usize) -> Vec<Statement> {
        let program = self.program;
        let instruction = &program.code[place];
        if is_visible(instruction, &[]) {
            return self.arrive(place);
        }
        if let Instruction::Jump(to) = instruction {
            self.now.jumps += 1;
            if self.now.jumps > program.code.len() {
                self.endless(place);
                return Vec::new();
            }
            return self.local(*to);
        }
        self.now.jumps = 0;
        let label = format!("L{}_{place}", self.now.number);
        if !self.now.places.insert(place) {
            return vec![Statement::Goto(label)];
        }
        let mut statements = vec![Statement::Label(label)];
        self.now.depth += 1;
        if self.now.depth > MOST_LOCAL {
            let why = format!("a process does more than {MOST_LOCAL} steps by itself at once");
            self.world.refuse_at(self.program.span.clone(), &why);
            return statements;
        }
        match self.instruction(instruction, place) {
            Ok(more) => statements.extend(more),
            Err((step, why)) => self.world.refuse(step, &why),
        }
        self.now.depth -= 1;
        statements
    }

    fn endless(&self, place: usize) {
        let step = self.program.code[..=place].iter().rev().find_map(|instruction| match instruction {
            Instruction::Operate(operation) => Some(operation.step),
            Instruction::Set { step, .. } | Instruction::Unless { step, .. } => Some(*step),
            _ => None,
        });
        let span = step.map_or(self.program.span.clone(), |step| self.world.plan.steps[step as usize].span.clone());
        self.world.refuse_at(span, "the process loops for ever without an observable step");
    }

    /// Assigns a variable, where it is one.
    pub(super) fn assign(&mut self, slot: u32, value: &str) -> Vec<Statement> {
        match &self.variables[slot as usize] {
            Variable::Named(name) => {
                self.now.touched.insert(slot);
                vec![Statement::Line(format!("{name} = {value}"))]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn named(&self, slot: u32) -> String {
        match &self.variables[slot as usize] {
            Variable::Named(name) => name.clone(),
            Variable::Constant(Value::Int(n)) => n.to_string(),
            _ => "0".to_owned(),
        }
    }

    /// One local instruction, and all after it.
    fn instruction(&mut self, instruction: &'p Instruction, place: usize) -> Result<Vec<Statement>, (StepId, Refusal)> {
        let nobody = Failure::default();
        match instruction {
            Instruction::Operate(operation) => self.own_step(operation, place).map_err(|why| (operation.step, why)),
            Instruction::Set { slot, value, failure, step } => {
                let Variable::Named(name) = self.variables[*slot as usize].clone() else {
                    let checks = self.at(place).checks(value.node()).map_err(|why| (*step, why))?;
                    return Ok(self.checked(checks, failure, place, |body| body.local(place + 1)));
                };
                let computed = self.at(place).compute(value.node()).map_err(|why| (*step, why))?;
                if computed.term.text.is_empty() {
                    return Err((*step, format!("a variable cannot hold {}", computed.term.types)));
                }
                self.now.touched.insert(*slot);
                Ok(self.checked(computed.checks, failure, place, |body| {
                    let mut statements = vec![Statement::Line(format!("{name} = {}", computed.term.text))];
                    statements.extend(body.local(place + 1));
                    statements
                }))
            }
            Instruction::Unless { condition, to, step } => {
                let computed = self.at(place).truth(condition.node()).map_err(|why| (*step, why))?;
                let truth = computed.term.text;
                Ok(self.checked(computed.checks, &nobody, place, |body| match truth.as_str() {
                    "true" => body.local(place + 1),
                    "false" => body.local(*to),
                    _ => {
                        let then = body.local(place + 1);
                        let other = body.local(*to);
                        vec![Statement::Choice(vec![(truth, then), ("else".to_owned(), other)])]
                    }
                }))
            }
            Instruction::Repeat { times, counter, limit, step } => {
                let computed = self.at(place).int(times.node()).map_err(|why| (*step, why))?;
                Ok(self.checked(computed.checks, &nobody, place, |body| {
                    let mut statements = body.assign(*counter, "-1");
                    statements.extend(body.assign(*limit, &computed.term.text));
                    statements.extend(body.local(place + 1));
                    statements
                }))
            }
            Instruction::Next { counter, limit, variable, exit } => {
                let (counter, limit) = (*counter, *limit);
                let (name, last) = (self.named(counter), self.named(limit));
                let mut round = self.assign(counter, &format!("{name} + 1"));
                round.extend(variable.iter().flat_map(|variable| self.assign(*variable, &name)));
                round.extend(self.local(place + 1));
                let exit = self.local(*exit);
                Ok(vec![Statement::Choice(vec![(format!("({name} + 1 < {last})"), round), ("else".to_owned(), exit)])])
            }
            Instruction::Each { list, counter, items, step } => match &self.variables[*items as usize] {
                Variable::Constant(Value::List(_)) => {
                    let mut statements = self.assign(*counter, "-1");
                    statements.extend(self.local(place + 1));
                    Ok(statements)
                }
                _ => {
                    // A list that cannot be computed at all is nothing to go through.
                    let computed = self.at(place).compute(list.node()).map_err(|why| (*step, why))?;
                    if computed.checks.iter().any(|check| check.when == "true") {
                        return Ok(self.checked(computed.checks, &nobody, place, |_| Vec::new()));
                    }
                    Err((*step, "the list to go through is not a constant".to_owned()))
                }
            },
            Instruction::NextItem { counter, items, variable, exit } => {
                let Variable::Constant(Value::List(list)) = self.variables[*items as usize].clone() else {
                    return Ok(Vec::new());
                };
                let name = self.named(*counter);
                let item = self.at(place).one_of(&name, &list).map(|item| item.text);
                let mut round = self.assign(*counter, &format!("{name} + 1"));
                match (item, &self.variables[*variable as usize]) {
                    (Ok(item), _) => round.extend(self.assign(*variable, &item)),
                    (Err(_), Variable::Unread) => {}
                    (Err(why), _) => self.world.refuse_at(self.program.span.clone(), &why),
                }
                round.extend(self.local(place + 1));
                let exit = self.local(*exit);
                let guard = format!("({name} + 1 < {})", list.len());
                Ok(vec![Statement::Choice(vec![(guard, round), ("else".to_owned(), exit)])])
            }
            Instruction::Jump(to) => Ok(self.local(*to)),
            Instruction::Return | Instruction::End => Ok(self.leave(0)),
        }
    }

    /// A step that nobody else notices.
    fn own_step(&mut self, operation: &'p OperationPlan, place: usize) -> Result<Vec<Statement>, Refusal> {
        let failure = &operation.failure;
        let ok = |body: &mut Self| body.after(Outcome::OK, failure, place);
        let argument = operation.arguments.first();
        match (operation.verb, argument) {
            (VerbId::Own(OwnVerb::Print | OwnVerb::Mark | OwnVerb::Enter | OwnVerb::Leave), _) => {
                let checks = operation.arguments.iter().map(|argument| self.at(place).checks(argument.node()));
                let checks = checks.collect::<Result<Vec<_>, _>>()?.concat();
                Ok(self.checked(checks, failure, place, ok))
            }
            (VerbId::Process(ProcessVerb::Ready), _) => {
                let mut statements = vec![Statement::Line(format!("p_ready[{}] = 1", self.me))];
                statements.extend(ok(self));
                Ok(statements)
            }
            (VerbId::Own(OwnVerb::Exit), Some(status)) => {
                let computed = self.at(place).int(status.node())?;
                let code = computed.term.text;
                let mut checks = computed.checks;
                match computed.term.constant.as_ref().and_then(Value::as_int) {
                    Some(known) if (0..=255).contains(&known) => {}
                    _ => checks.push(Check {
                        when: format!("({code} < 0 || {code} > 255)"),
                        outcome: Some(Outcome::OUT_OF_RANGE),
                    }),
                }
                let kept = match code.parse::<i64>() {
                    Ok(code) => (code + 1).to_string(),
                    Err(_) => format!("{code} + 1"),
                };
                Ok(self.checked(checks, failure, place, |body| body.leaves(&kept)))
            }
            (VerbId::Own(OwnVerb::Abort), _) => Ok(self.leave(-i64::from(libc::SIGABRT))),
            (VerbId::Own(OwnVerb::Assert), Some(condition)) => {
                let computed = self.at(place).truth(condition.node())?;
                let truth = computed.term.text;
                Ok(self.checked(computed.checks, failure, place, |body| {
                    let good = ok(body);
                    let mut bad = Vec::new();
                    if failure.handler(Outcome::FAILED).is_none() && !failure.taken.contains(Outcome::FAILED) {
                        bad.push(Statement::Line("assert(false)".to_owned()));
                    }
                    bad.extend(body.after(Outcome::FAILED, failure, place));
                    vec![Statement::Choice(vec![(truth, good), ("else".to_owned(), bad)])]
                }))
            }
            _ => Err("the step has no translation".to_owned()),
        }
    }
}
