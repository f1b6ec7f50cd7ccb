//! An exchange of processes and objects, and whether a plan is the same after it: whatever could happen before can
//! happen after, with each in the place of another, and is judged alike.

use std::ops::Range;

use super::orbits::{Row, Strands};
use super::scalarset::Uses;
use crate::event::{ObjectId, ProcessId, Target};
use crate::explore::base::injected_bugs::{Mutant, mutated};
use crate::explore::semantics::program_analysis::{own_element, own_index};
use crate::expression::Expression;
use crate::objects::contract::operation::VerbId;
use crate::objects::kinds::process::ProcessVerb;
use crate::scenario::expectation::{Argument, BlockedAt, Expectation, Pattern, PatternTarget, Shape};
use crate::scenario::plan::{Fact, OperationPlan, Plan, Program};

/// The permutation of the processes.
pub(super) struct Exchange<'u> {
    /// The expressions that name what belongs to the strand of an index that a variable holds.
    uses: &'u Uses,
    processes: Vec<ProcessId>,
    objects: Vec<ObjectId>,
    /// The objects whose elements do.
    elements: Vec<ObjectId>,
}

impl<'u> Exchange<'u> {
    /// Two exchanges of strands of which every other is made up: the first two change places, and all move up by one.
    pub(super) fn generators(plan: &Plan, strands: &Strands, uses: &'u Uses) -> [Self; 2] {
        let two = |place: u32| if place < 2 { 1 - place } else { place };
        let all = |place: u32| (place + 1) % strands.count;
        [Self::new(plan, strands, uses, &two), Self::new(plan, strands, uses, &all)]
    }

    fn new(plan: &Plan, strands: &Strands, uses: &'u Uses, to: &dyn Fn(u32) -> u32) -> Self {
        let mut exchange = Self {
            uses,
            processes: (0..plan.processes.len() as ProcessId).collect(),
            objects: (0..plan.objects.len() as ObjectId).collect(),
            elements: Vec::new(),
        };
        for row in &strands.rows {
            let (list, first) = match row {
                Row::Processes(first) => (&mut exchange.processes, *first),
                Row::Objects(first) => (&mut exchange.objects, *first),
                Row::Elements(object) => {
                    exchange.elements.push(*object);
                    continue;
                }
            };
            for place in 0..strands.count {
                list[(first + place) as usize] = first + to(place);
            }
        }
        exchange
    }

    /// Whether the plan is the same after it. What the programs read of their own identity is another matter.
    pub(super) fn keeps(&self, plan: &Plan) -> bool {
        self.keeps_objects(plan)
            && self.keeps_holds(plan)
            && plan.programs.iter().all(|program| {
                program.operations().all(|operation| self.keeps_step(program, operation))
                    && program.depends_on.iter().all(|(first, count, _)| self.keeps_processes(*first..first + count))
            })
            && plan.facts.iter().all(|fact| self.keeps_fact(plan, fact))
            && plan.expectations.iter().all(|expectation| self.keeps_expectation(expectation))
    }

    /// What a step does to other objects than its own.
    fn keeps_objects(&self, plan: &Plan) -> bool {
        plan.objects.iter().zip(&self.objects).all(|(object, to)| {
            let verbs = plan.groups[object.group].kind.verbs.len() as u8;
            (0..verbs).all(|verb| {
                let touched = object.object.touches(verb);
                let mut touched: Vec<_> =
                    touched.into_iter().map(|(other, verb)| (self.objects[other as usize], verb)).collect();
                let mut there = plan.objects[*to as usize].object.touches(verb);
                touched.sort_unstable();
                there.sort_unstable();
                touched == there
            })
        })
    }

    fn keeps_holds(&self, plan: &Plan) -> bool {
        plan.processes.iter().zip(&self.processes).all(|(process, to)| {
            let mut holds: Vec<_> =
                process.holds.iter().map(|(object, end)| (self.objects[*object as usize], *end)).collect();
            holds.sort_unstable();
            holds == plan.processes[*to as usize].holds
        })
    }

    /// What a step names.
    fn keeps_step(&self, program: &Program, operation: &OperationPlan) -> bool {
        if mutated(Mutant::OthersNameNothing) {
            return true;
        }
        let own = own_index(operation).is_some();
        // Which of several exit statuses is given depends on their order, and where it gives up, which was joined.
        let ordered = match operation.verb {
            VerbId::Process(ProcessVerb::Join) => operation.into.is_some() || operation.timeout.is_some(),
            verb => matches!(verb, VerbId::Process(ProcessVerb::Status | ProcessVerb::WaitAny)),
        };
        let used = |named: &Option<Expression>| {
            named.as_ref().is_some_and(|named| self.uses.contains(&std::ptr::from_ref(named)))
        };
        operation.operands.iter().all(|operand| match operand.first {
            _ if used(&operand.index) || used(&operand.element) => true,
            Target::Object(_) if self.has_elements_of(operand.objects()) => {
                // They change places in step with the processes of the program.
                own_element(operation).is_some() && self.processes[program.first as usize] != program.first
            }
            Target::Object(_) if own => self.keeps_own(program, &self.objects, operand.objects()),
            Target::Object(_) => is_fixed(&self.objects, operand.objects()),
            Target::Process(_) => match &operand.index {
                Some(_) if own => self.keeps_own(program, &self.processes, operand.processes()),
                None if !ordered => self.keeps_processes(operand.processes()),
                _ => is_fixed(&self.processes, operand.processes()),
            },
            Target::None => true,
        })
    }

    /// Whether each process of a program still names what is its own.
    fn keeps_own(&self, program: &Program, list: &[u32], named: Range<u32>) -> bool {
        program.range().enumerate().all(|(place, process)| {
            let (place, to) = (place as u32, self.processes[process as usize] - program.first);
            let at = |place: u32| Some(named.start + place).filter(|at| named.contains(at));
            place == to && at(place).is_none_or(|at| list[at as usize] == at)
                || at(place).is_some_and(|own| Some(list[own as usize]) == at(to))
        })
    }

    /// Whether elements of one of these change places.
    fn has_elements_of(&self, mut objects: Range<ObjectId>) -> bool {
        objects.any(|object| self.elements.contains(&object))
    }

    fn keeps_processes(&self, range: Range<ProcessId>) -> bool {
        range.clone().all(|process| range.contains(&self.processes[process as usize]))
    }

    fn keeps_list(&self, processes: &[ProcessId]) -> bool {
        is_same(processes.to_vec(), &|process| self.processes[*process as usize])
    }

    fn keeps_pattern(&self, pattern: &Pattern) -> bool {
        pattern.processes.clone().is_none_or(|range| self.keeps_processes(range))
            && match &pattern.target {
                Some(PatternTarget::Objects(range, element)) => {
                    range.clone().all(|object| range.contains(&self.objects[object as usize]))
                        && (element.is_none() || !self.has_elements_of(range.clone()))
                }
                Some(PatternTarget::Processes(range)) => self.keeps_processes(range.clone()),
                Some(PatternTarget::Label(_)) | None => true,
            }
    }

    fn keeps_fact(&self, plan: &Plan, fact: &Fact) -> bool {
        match fact {
            Fact::Count(pattern) => self.keeps_pattern(pattern),
            Fact::Blocked(processes, targets) => self.keeps_list(processes) && self.keeps_targets(targets),
            Fact::Ended(processes) => self.keeps_list(processes),
            Fact::Exit(process) => self.processes[*process as usize] == *process,
            Fact::Value(at) => {
                let group = &plan.groups[*at];
                let objects = group.first..group.first + group.count.unwrap_or(1);
                // The value of what has an owner is the owner's name.
                !plan.objects[group.first as usize].object.has_owner()
                    && is_fixed(&self.objects, objects.clone())
                    && !self.has_elements_of(objects)
            }
            Fact::Size(object) => self.objects[*object as usize] == *object,
            Fact::Inside(_) => true,
        }
    }

    fn keeps_expectation(&self, expectation: &Expectation) -> bool {
        let shape = |name: &str| expectation.form.arguments.iter().find(|argument| argument.name == name);
        expectation.arguments.iter().all(|(name, argument, _)| match argument {
            Argument::Patterns(patterns) => patterns.iter().all(|pattern| self.keeps_pattern(pattern)),
            Argument::Processes(Some(processes)) => self.keeps_list(processes),
            Argument::Blocked(lists) => lists.iter().flatten().all(|at| self.keeps_blocked(at)),
            Argument::Objects(named) => named.iter().all(|named| {
                // Of several, the values are given in their order.
                let ordered = shape(name).is_none_or(|argument| !matches!(argument.shape, Shape::Object(_)));
                if ordered || named.element.is_some() {
                    let fixed = |object: &ObjectId| self.objects[*object as usize] == *object;
                    named.objects.iter().all(|object| fixed(object) && !self.elements.contains(object))
                } else {
                    is_same(named.objects.clone(), &|object| self.objects[*object as usize])
                }
            }),
            Argument::Processes(None)
            | Argument::Condition(_)
            | Argument::Integer(_)
            | Argument::Duration(_)
            | Argument::Boolean(_)
            | Argument::Text(_)
            | Argument::Value(_) => true,
        })
    }

    fn keeps_blocked(&self, at: &BlockedAt) -> bool {
        self.keeps_list(&at.processes) && self.keeps_targets(&at.targets)
    }

    fn keeps_targets(&self, targets: &[Target]) -> bool {
        let target = |target: &Target| match target {
            Target::None => Target::None,
            Target::Object(object) => Target::Object(self.objects[*object as usize]),
            Target::Process(process) => Target::Process(self.processes[*process as usize]),
        };
        targets.iter().all(|named| targets.contains(&target(named)))
    }
}

/// Whether each of them stays where it is.
fn is_fixed(list: &[u32], mut range: Range<u32>) -> bool {
    range.all(|at| list[at as usize] == at)
}

/// Whether they are the same after the exchange, in whatever order.
fn is_same(mut list: Vec<u32>, to: &dyn Fn(&u32) -> u32) -> bool {
    let mut there: Vec<u32> = list.iter().map(to).collect();
    list.sort_unstable();
    there.sort_unstable();
    list == there
}
