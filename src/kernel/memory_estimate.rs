//! How much a process will probably record, so that the memory for it is there before its first step.

use std::collections::HashMap;

use crate::scenario::plan::{Instruction, Program};

/// What a loop without a known number of rounds counts for.
const ROUNDS: u64 = 1 << 16;

/// About how many events the process will record. A guess: too low a one costs the process page faults, too high a
/// one memory.
pub(super) fn events(program: &Program) -> u64 {
    let code = &program.code;
    // Every loop is a jump back; its rounds stand before its head, where they are known.
    let mut ends: HashMap<usize, usize> = HashMap::new();
    for (at, instruction) in code.iter().enumerate() {
        if let Instruction::Jump(to) = instruction
            && *to <= at
        {
            ends.insert(*to, at);
        }
    }
    // The loops around an instruction: the last of each, and how often what is in it is carried out.
    let mut loops: Vec<(usize, u64)> = Vec::new();
    let mut events = 2u64;
    for (at, instruction) in code.iter().enumerate() {
        while loops.last().is_some_and(|(end, _)| *end < at) {
            loops.pop();
        }
        let factor = loops.last().map_or(1, |(_, factor)| *factor);
        let factor = match ends.get(&at) {
            Some(end) => {
                let rounds = at.checked_sub(1).and_then(|before| rounds(&code[before])).unwrap_or(ROUNDS);
                let factor = factor.saturating_mul(rounds);
                loops.push((*end, factor));
                factor
            }
            None => factor,
        };
        if matches!(instruction, Instruction::Operate(_)) {
            events = events.saturating_add(factor);
        }
    }
    events
}

/// The rounds of the loop that an instruction enters, where they are known.
fn rounds(instruction: &Instruction) -> Option<u64> {
    match instruction {
        Instruction::Repeat { times, .. } => times.as_constant()?.as_int().map(|n| n.max(0) as u64),
        Instruction::Each { list, .. } => Some(list.as_constant()?.as_list()?.len() as u64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::Source;
    use crate::scenario;

    fn of(steps: &str) -> u64 {
        let text =
            format!("[objects]\nm = {{ kind = \"mutex\" }}\n[processes.p]\nvars = {{ x = 0 }}\nsteps = [{steps}]\n");
        let source = Arc::new(Source::new("p.toml".to_owned(), text));
        let loaded = scenario::load(&source, &scenario::Options::default(), &[]).expect("a sound scenario");
        events(&loaded.plan.programs[0])
    }

    #[test]
    fn loops_multiply_what_is_in_them() {
        assert_eq!(of(r#"{ lock = "m" }, { unlock = "m" }"#), 4);
        assert_eq!(of(r#"{ repeat = 10, do = [{ lock = "m" }, { repeat = 3, do = ["yield"] }] }, "yield""#), 43);
        assert_eq!(of(r#"{ for = "x", in = [1, 2, 3, 4], do = ["yield"] }, "yield""#), 7);
    }

    #[test]
    fn a_loop_without_a_number_counts_for_many_rounds() {
        assert_eq!(of(r#""yield", { forever = ["yield", "break"] }"#), ROUNDS + 3);
        assert!(of(r#"{ while = "x < 3", do = ["yield"] }"#) > ROUNDS);
    }
}
