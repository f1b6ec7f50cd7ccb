//! A mutex in Promela: its owner's number and one, or 0; and how often that has locked it, where it counts.

use super::{LOCK, Mutex, UNLOCK};
use crate::objects::contract::promela::{Around, Call, Promela, Refusal, Way};
use crate::os::mutex::MutexType;
use crate::outcome::Outcome;
use crate::value::Types;

/// What the name of the variable ends with that counts.
pub(crate) const DEPTH: &str = "_depth";
/// How often a mutex of Promela can be locked.
const DEEPEST: u32 = 1000;

impl Promela for Mutex {
    fn declare(&self, around: Around<'_>) -> Result<Vec<String>, Refusal> {
        if self.options.robust {
            return Err("a robust mutex has no translation".to_owned());
        }
        let owner = format!("byte {};", around.name);
        Ok(if self.is_counted() { vec![owner, format!("short {}{DEPTH};", around.name)] } else { vec![owner] })
    }

    fn gives(&self, _verb: u8) -> Types {
        Types::NONE
    }

    fn begin(&self, call: &Call<'_>) -> Result<Vec<Way>, Refusal> {
        let (owner, depth) = (call.around.name, call.name(DEPTH));
        let mine = format!("{owner} == {} + 1", call.me);
        let counted = self.is_counted();
        let take = || {
            let mut effects = vec![format!("{owner} = {} + 1", call.me)];
            effects.extend(counted.then(|| format!("{depth} = 1")));
            effects
        };
        let mut ways = Vec::new();
        match call.verb {
            LOCK => {
                ways.push(Way::ok(format!("({owner} == 0)"), take()));
                let others = format!("({owner} != 0 && !({mine}))");
                match self.options.kind {
                    MutexType::Normal => ways.extend(call.wait(format!("({owner} != 0)"))),
                    MutexType::ErrorCheck => {
                        ways.push(Way::ends(format!("({mine})"), Outcome::WOULD_DEADLOCK));
                        ways.extend(call.wait(others));
                    }
                    MutexType::Recursive => {
                        let effects = vec![format!("assert({depth} < {DEEPEST})"), format!("{depth}++")];
                        ways.push(Way::ok(format!("({mine})"), effects));
                        ways.extend(call.wait(others));
                    }
                }
            }
            UNLOCK => {
                ways.push(Way::ends(format!("!({mine})"), Outcome::NOT_OWNER));
                if counted {
                    ways.push(Way::ok(format!("({mine} && {depth} > 1)"), vec![format!("{depth}--")]));
                    let free = vec![format!("{owner} = 0"), format!("{depth} = 0")];
                    ways.push(Way::ok(format!("({mine} && {depth} == 1)"), free));
                } else {
                    ways.push(Way::ok(format!("({mine})"), vec![format!("{owner} = 0")]));
                }
            }
            // No process can have died owning it.
            _ => {
                ways.push(Way::ends(format!("!({mine})"), Outcome::NOT_OWNER));
                ways.push(Way::ends(format!("({mine})"), Outcome::INVALID));
            }
        }
        Ok(ways)
    }

    fn is_counted(&self) -> bool {
        self.options.kind == MutexType::Recursive
    }
}
