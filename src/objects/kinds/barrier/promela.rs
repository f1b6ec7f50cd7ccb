//! A barrier in Promela: how many have come, whether it is broken; by process, how far its `wait` has come and as which
//! of them it has, where a step takes that.

use super::{ABORT, Barrier, RESET, SIZE, WAIT};
use crate::objects::contract::model::Willing;
use crate::objects::contract::promela::{Around, Call, Given, Promela, Refusal, Term, Way};
use crate::outcome::Outcome;
use crate::value::Types;

/// It has come, and waits for the others.
const WAITING: u8 = 1;
/// All have come, and it can continue.
const RELEASED: u8 = 2;
/// The round was broken, and it can continue.
const BROKEN: u8 = 3;

/// What the names of the variables end with.
const WAITS: &str = "_waits";
const NUMBER: &str = "_number";
const BROKE: &str = "_broken";

impl Barrier {
    /// Ends the round for all that wait in it.
    fn end(call: &Call<'_>, phase: u8) -> Vec<String> {
        let (come, waits, number) = (call.around.name, call.name(WAITS), call.name(NUMBER));
        let mut effects: Vec<String> = (0..call.around.processes)
            .map(|process| {
                let forget = if phase == BROKEN { format!("; {number}[{process}] = 0") } else { String::new() };
                format!("if :: ({waits}[{process}] == {WAITING}) -> {waits}[{process}] = {phase}{forget} :: else fi")
            })
            .collect();
        effects.push(format!("{come} = 0"));
        effects
    }
}

impl Promela for Barrier {
    fn declare(&self, around: Around<'_>) -> Result<Vec<String>, Refusal> {
        let (name, processes) = (around.name, around.processes);
        Ok(vec![
            format!("short {name};"),
            format!("bool {name}{BROKE};"),
            format!("byte {name}{WAITS}[{processes}];"),
            format!("short {name}{NUMBER}[{processes}];"),
        ])
    }

    fn gives(&self, verb: u8) -> Types {
        if matches!(verb, WAIT | SIZE) { Types::INT } else { Types::NONE }
    }

    fn begin(&self, call: &Call<'_>) -> Result<Vec<Way>, Refusal> {
        let (come, waits, number) = (call.around.name, call.name(WAITS), call.name(NUMBER));
        let (broken, me, last) = (call.name(BROKE), call.me, self.parties - 1);
        if self.posix && (call.verb != WAIT || call.willing != Willing::Forever) {
            return Ok(vec![Way::ends("true", Outcome::INVALID)]);
        }
        let break_all = |stays: u8| [Self::end(call, BROKEN), vec![format!("{broken} = {stays}")]].concat();
        Ok(match call.verb {
            ABORT => vec![Way::ok("true", break_all(1))],
            RESET => vec![Way::ok("true", break_all(0))],
            SIZE => vec![Way::ok("true", Vec::new()).gives(Given::After(Term::int(come)))],
            _ => {
                let arrival = Given::Before(Term::int(last.to_string()));
                let mut ways = vec![
                    Way::ends(&broken, Outcome::BROKEN),
                    Way::ok(format!("(!{broken} && {come} == {last})"), Self::end(call, RELEASED)).gives(arrival),
                ];
                let early = format!("(!{broken} && {come} < {last})");
                if call.willing == Willing::Never {
                    ways.push(Way::ends(early, Outcome::WOULD_BLOCK));
                    return Ok(ways);
                }
                let mut effects = vec![format!("{come}++"), format!("{waits}[{me}] = {WAITING}")];
                if call.into {
                    effects.push(format!("{number}[{me}] = {come}"));
                }
                ways.push(Way::parks(early, effects));
                ways
            }
        })
    }

    fn resume(&self, call: &Call<'_>) -> Vec<Way> {
        let (waits, number, me) = (call.name(WAITS), call.name(NUMBER), call.me);
        let leave = vec![format!("{waits}[{me}] = 0"), format!("{number}[{me}] = 0")];
        let arrival = Given::Before(Term::int(format!("({number}[{me}] - 1)")));
        let mut ways = vec![
            Way::ok(format!("({waits}[{me}] == {RELEASED})"), leave.clone()).gives(arrival),
            Way { effects: leave.clone(), ..Way::ends(format!("({waits}[{me}] == {BROKEN})"), Outcome::BROKEN) },
        ];
        if call.willing == Willing::Timed {
            let effects = [leave, Self::end(call, BROKEN), vec![format!("{} = 1", call.name(BROKE))]].concat();
            ways.push(Way { effects, ..Way::ends(format!("({waits}[{me}] == {WAITING})"), Outcome::TIMEOUT) });
        }
        ways
    }
}
