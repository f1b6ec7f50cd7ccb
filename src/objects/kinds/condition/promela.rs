//! A condition in Promela: by process, how far its `wait` has come, and how often it has to lock the mutex again.

use super::{Condition, MOST, NOTIFY, WAIT};
use crate::objects::contract::model::Willing;
use crate::objects::contract::promela::{Around, Call, Given, Promela, Refusal, Term, Way};
use crate::objects::kinds::mutex::promela::DEPTH;
use crate::outcome::Outcome;
use crate::value::Types;

/// It waits for a notification.
const WAITING: u8 = 1;
/// It was notified, and has to take the mutex.
const NOTIFIED: u8 = 2;
/// Its time was over first, and it has to take the mutex.
const GIVEN_UP: u8 = 3;
/// It was notified, its time is over, and it has to take the mutex.
const LATE: u8 = 4;

/// What the name of the variable ends with that counts.
const AGAIN: &str = "_again";

impl Condition {
    /// Wakes `most` of those that wait, whichever they are; all where there is no such number.
    fn notify(call: &Call<'_>, most: Option<i64>) -> Way {
        let (name, processes) = (call.around.name, call.around.processes);
        let wake = |process| format!(":: ({name}[{process}] == {WAITING}) -> {name}[{process}] = {NOTIFIED}");
        let waiting: Vec<String> = (0..processes).map(|process| format!("({name}[{process}] == {WAITING})")).collect();
        let waiting = format!("({})", waiting.join(" + "));
        match most.filter(|most| *most < processes as i64) {
            None => {
                let effects = (0..processes).map(|process| format!("if {} :: else fi", wake(process))).collect();
                Way::ok("true", effects).gives(Given::Before(Term::int(waiting)))
            }
            Some(most) => {
                let options = (0..processes).map(wake).collect::<Vec<_>>().join(" ");
                let effects = (0..most).map(|_| format!("if {options} :: else fi")).collect();
                let woken = format!("({waiting} < {most} -> {waiting} : {most})");
                Way::ok("true", effects).gives(Given::Before(Term::int(woken)))
            }
        }
    }

    fn mutex<'a>(&self, around: &Around<'a>) -> &'a str {
        around.names.get(self.mutex as usize).map_or("", String::as_str)
    }
}

impl Promela for Condition {
    fn declare(&self, around: Around<'_>) -> Result<Vec<String>, Refusal> {
        let (name, processes) = (around.name, around.processes);
        let mut declared = vec![format!("byte {name}[{processes}];")];
        if around.counted {
            declared.push(format!("short {name}{AGAIN}[{processes}];"));
        }
        Ok(declared)
    }

    fn gives(&self, verb: u8) -> Types {
        if verb == WAIT { Types::NONE } else { Types::INT }
    }

    fn begin(&self, call: &Call<'_>) -> Result<Vec<Way>, Refusal> {
        match (call.verb, call.arguments.first()) {
            (WAIT, _) => {
                let (name, mutex, me) = (call.around.name, self.mutex(&call.around), call.me);
                let mine = format!("({mutex} == {me} + 1)");
                let other = Way::ends(format!("!{mine}"), Outcome::NOT_OWNER);
                if call.willing == Willing::Never {
                    return Ok(vec![other, Way::ends(mine, Outcome::WOULD_BLOCK)]);
                }
                let mut effects = vec![format!("{name}[{me}] = {WAITING}")];
                if call.around.counted {
                    effects.push(format!("{}[{me}] = {mutex}{DEPTH}", call.name(AGAIN)));
                    effects.push(format!("{mutex}{DEPTH} = 0"));
                }
                effects.push(format!("{mutex} = 0"));
                Ok(vec![other, Way::parks(mine, effects)])
            }
            (NOTIFY, None) => Ok(vec![Self::notify(call, Some(1))]),
            (NOTIFY, Some(n)) if n.is_null() => Ok(vec![Self::notify(call, Some(1))]),
            (NOTIFY, Some(n)) => match n.as_int() {
                Some(n) if (1..=MOST).contains(&n) => Ok(vec![Self::notify(call, Some(n))]),
                Some(_) => Ok(vec![Way::ends("true", Outcome::OUT_OF_RANGE)]),
                None => Err("`n` has to be a constant".to_owned()),
            },
            _ => Ok(vec![Self::notify(call, None)]),
        }
    }

    fn resume(&self, call: &Call<'_>) -> Vec<Way> {
        let (name, mutex, me) = (call.around.name, self.mutex(&call.around), call.me);
        let mut effects = vec![format!("{name}[{me}] = 0"), format!("{mutex} = {me} + 1")];
        if call.around.counted {
            effects.push(format!("{mutex}{DEPTH} = {}[{me}]", call.name(AGAIN)));
            effects.push(format!("{}[{me}] = 0", call.name(AGAIN)));
        }
        if call.willing != Willing::Timed {
            return vec![Way::ok(format!("({name}[{me}] == {NOTIFIED} && {mutex} == 0)"), effects)];
        }
        let notified = format!("(({name}[{me}] == {NOTIFIED} || {name}[{me}] == {LATE}) && {mutex} == 0)");
        let late = format!("({name}[{me}] == {GIVEN_UP} && {mutex} == 0)");
        vec![
            Way::ok(notified, effects.clone()),
            Way { effects, ..Way::ends(late, Outcome::TIMEOUT) },
            Way::parks(format!("({name}[{me}] == {WAITING})"), vec![format!("{name}[{me}] = {GIVEN_UP}")]),
            Way::parks(format!("({name}[{me}] == {NOTIFIED} && {mutex} != 0)"), vec![format!("{name}[{me}] = {LATE}")]),
        ]
    }
}
