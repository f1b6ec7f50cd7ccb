//! How many turns an execution has at most, as far as that is known without running it: what a guarantee over single
//! executions is stated for.

use crate::explore::semantics::next_operation::is_visible;
use crate::explore::semantics::program_analysis::flow;
use crate::explore::state_space::{StateSpace, models};
use crate::objects::Model;
use crate::scenario::plan::{Instruction, Program};
use crate::value::Value;

/// The most turns of all processes together; none where a program has a loop without a known number of rounds, or a
/// step that can take any number of turns.
pub(crate) fn longest(space: &StateSpace<'_>) -> Option<u32> {
    let plan = space.plan;
    let models = models(plan);
    let mut all: u64 = 0;
    for program in &plan.programs {
        let first = program.first;
        // Its end may be a turn of its own, and so may be what it draws as it begins; a signal can end it once.
        let end = u64::from(space.ends[first as usize]);
        let begin = u64::from(space.begins[first as usize])
            + u64::from(space.leeway.random && space.knowledge[plan.processes[first as usize].program].draws(0));
        let own = of_program(program, &space.visible, &models)?;
        let own = own.checked_add(end + begin + u64::from(plan.kills()))?;
        all = all.checked_add(own.checked_mul(program.range().len() as u64)?)?;
    }
    u32::try_from(all).ok()
}

/// The most turns of a process of a program. Loops are left where they are gone back: what is inside counts as often as
/// there are rounds.
fn of_program(program: &Program, visible: &[bool], models: &[Box<dyn Model>]) -> Option<u64> {
    let code = &program.code;
    let rounds = rounds(program);
    let mut most = vec![0_u64; code.len() + 1];
    for place in (0..code.len()).rev() {
        let mut behind = 0;
        for next in flow(&code[place], place) {
            let next = if next > place { next } else { left(&code[next]).unwrap_or(code.len()) };
            behind = behind.max(most.get(next).copied().unwrap_or(0));
        }
        let own = turns(&code[place], visible, models)?;
        most[place] = if own == 0 { behind } else { own.checked_mul(rounds[place]?)?.checked_add(behind)? };
    }
    most.first().copied()
}

/// By place, how often it is reached at most, by the loops around it.
fn rounds(program: &Program) -> Vec<Option<u64>> {
    let code = &program.code;
    let mut rounds = vec![Some(1_u64); code.len()];
    // By head, the last jump back to it.
    let mut backs = vec![None; code.len()];
    for (place, instruction) in code.iter().enumerate() {
        if let Instruction::Jump(to) = instruction
            && *to <= place
        {
            backs[*to] = Some(place);
        }
    }
    for (head, last) in backs.into_iter().enumerate() {
        let Some(last) = last else { continue };
        let times = head.checked_sub(1).and_then(|before| times(&code[before], &code[head]));
        for inside in &mut rounds[head..=last] {
            *inside = inside.zip(times).and_then(|(rounds, times)| rounds.checked_mul(times));
        }
    }
    rounds
}

/// How many rounds a loop has whose head comes behind that instruction.
fn times(before: &Instruction, head: &Instruction) -> Option<u64> {
    match (before, head) {
        (Instruction::Repeat { times, .. }, Instruction::Next { .. }) => {
            times.as_constant()?.as_int().map(|times| times.max(0) as u64)
        }
        (Instruction::Each { list, .. }, Instruction::NextItem { .. }) => match list.as_constant()? {
            Value::List(items) => Some(items.len() as u64),
            _ => None,
        },
        _ => None,
    }
}

/// Where a loop is left whose head that is.
fn left(head: &Instruction) -> Option<usize> {
    match head {
        Instruction::Next { exit, .. } | Instruction::NextItem { exit, .. } | Instruction::Unless { to: exit, .. } => {
            Some(*exit)
        }
        _ => None,
    }
}

/// The most turns of an instruction.
fn turns(instruction: &Instruction, visible: &[bool], models: &[Box<dyn Model>]) -> Option<u64> {
    if !is_visible(instruction, visible) {
        return Some(0);
    }
    match instruction {
        Instruction::Operate(operation) => {
            let most = operation.accessed().try_fold(1, |most: u32, (object, verb)| {
                models[object as usize].turns(verb).map(|turns| most.max(turns))
            })?;
            Some(u64::from(most) + u64::from(most > 1 && operation.timeout.is_some()))
        }
        _ => Some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::semantics::transition::Time;
    use crate::explore::strategy::random_walk::{Manner, Walker, seed};
    use crate::explore::testing::random_programs::PLAIN;
    use crate::explore::tests::{lost_update, philosophers, plan, semaphore};
    use crate::generate::{Taste, scenario};

    fn of(text: &str) -> Option<u32> {
        let plan = plan(text);
        longest(&StateSpace::new(&plan, Time::Virtual, vec![false; plan.steps.len()], false))
    }

    #[test]
    fn what_has_one_length_has_it_exactly() {
        assert_eq!(of(&lost_update(3, 3)), Some(18));
        assert_eq!(of(&philosophers(5, false, false)), Some(20));
        assert_eq!(of(&philosophers(5, false, true)), None);
        assert_eq!(of(&semaphore(10, 3)), Some(30));
        let of_steps = |steps: &str| {
            of(&format!(
                "[objects]\nv = {{ kind = \"value\", value = 0 }}\nb = {{ kind = \"barrier\", parties = 2 }}\n\
                 [processes.p]\nvars = {{ x = 0 }}\nsteps = [{steps}]\n"
            ))
        };
        let load = "{ load = \"v\", into = \"x\" }";
        assert_eq!(
            of_steps(&format!("{{ repeat = 2, do = [{{ repeat = 3, do = [{load}] }}, {load}] }}, {load}")),
            Some(9)
        );
        assert_eq!(
            of_steps(&format!("{{ repeat = 4, do = [{{ if = \"x == 1\", then = [{load}, \"break\"] }}] }}, {load}")),
            Some(5)
        );
        assert_eq!(of_steps(&format!("{{ if = \"x == 1\", then = [{load}, {load}], else = [{load}] }}")), Some(2));
        assert_eq!(of_steps(&format!("{{ while = \"x == 1\", do = [{load}] }}")), None);
        assert_eq!(of_steps(&format!("{{ while = \"x == 1\", do = [{{ let = {{ x = 2 }} }}] }}, {load}")), Some(1));
        assert_eq!(of_steps("{ wait = \"b\" }"), Some(2));
    }

    #[test]
    fn no_execution_is_longer() {
        let mut reached = 0;
        for number in 0..60 {
            let plan = plan(&scenario(number, Taste { times: number % 2 == 1, ..PLAIN }).text());
            let time = if number % 3 == 0 { Time::Any } else { Time::Virtual };
            let mut space = StateSpace::new(&plan, time, vec![false; plan.steps.len()], false);
            let Some(most) = longest(&space) else { continue };
            let mut walker = Walker::new(&mut space).expect("it begins");
            for walk in 0..50 {
                let steps = walker.walk(seed(number, walk), Manner::Random, None).expect("it ends").steps;
                assert!(steps <= most, "{steps} of {most} steps, program {number}");
                reached += u32::from(steps == most);
            }
        }
        assert!(reached > 0, "no execution is as long as one can be");
    }
}
