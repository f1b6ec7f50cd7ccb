//! A queue in Promela: a channel of ints; and how many messages are not done yet, where the scenario asks.

use super::{DONE_AT, GET_AT, PUT_AT, Queue, SIZE_AT, WAIT_AT};
use crate::objects::contract::promela::{Around, Call, Given, Promela, Refusal, Term, Way};
use crate::outcome::Outcome;
use crate::value::Types;

/// The most messages that a channel of Promela holds.
const MOST: u64 = 255;
/// The length of an int as a message.
const INT: u64 = 9;

/// What the name of the variable ends with that counts messages that are not done.
const OPEN: &str = "_open";

impl Queue {
    /// Whether a message of that priority comes out in the order in which it was put.
    fn is_plain(&self, priority: Option<&Term>) -> bool {
        priority.is_none_or(|priority| priority.is_null() || self.has_priorities() && priority.as_int() == Some(0))
    }
}

/// Whether the scenario asks how many messages are done.
fn is_counted(around: &Around<'_>) -> bool {
    around.verbs & (1 << DONE_AT | 1 << WAIT_AT) != 0
}

impl Promela for Queue {
    fn declare(&self, around: Around<'_>) -> Result<Vec<String>, Refusal> {
        let capacity = self.capacity().ok_or("a queue without `capacity` has no translation")?;
        if capacity > MOST {
            return Err(format!("a channel of Promela holds {MOST} messages at most"));
        }
        if self.message_size().is_some_and(|size| size < INT) {
            return Err(format!("with a `message_size` under {INT} not even an int fits"));
        }
        let channel = format!("chan {} = [{capacity}] of {{ int }};", around.name);
        let open = format!("int {}{OPEN};", around.name);
        Ok(if is_counted(&around) { vec![channel, open] } else { vec![channel] })
    }

    fn gives(&self, verb: u8) -> Types {
        if matches!(verb, SIZE_AT | GET_AT) { Types::INT } else { Types::NONE }
    }

    fn begin(&self, call: &Call<'_>) -> Result<Vec<Way>, Refusal> {
        let (channel, open) = (call.around.name, call.name(OPEN));
        let capacity = self.capacity().unwrap_or(0);
        Ok(match call.verb {
            PUT_AT => {
                let Some(value) = call.arguments.first().filter(|value| value.types == Types::INT) else {
                    return Err("the message is not known to be an int".to_owned());
                };
                if !self.is_plain(call.arguments.get(1)) {
                    return Err("priorities have no translation".to_owned());
                }
                let mut effects = vec![format!("{channel} ! {}", value.text)];
                effects.extend(is_counted(&call.around).then(|| format!("{open}++")));
                let put = Way::ok(format!("(len({channel}) < {capacity})"), effects);
                [put].into_iter().chain(call.wait(format!("(len({channel}) == {capacity})"))).collect()
            }
            GET_AT => {
                if call.arguments.get(2).is_some_and(|max| !max.is_null()) {
                    return Err("`max` has no translation".to_owned());
                }
                let get =
                    Way::ok(format!("(len({channel}) > 0)"), Vec::new()).gives(Given::Received(channel.to_owned()));
                [get].into_iter().chain(call.wait(format!("(len({channel}) == 0)"))).collect()
            }
            SIZE_AT => {
                vec![Way::ok("true", Vec::new()).gives(Given::After(Term::int(format!("len({channel})"))))]
            }
            DONE_AT => vec![
                Way::ok(format!("({open} > 0)"), vec![format!("{open}--")]),
                Way::ends(format!("({open} == 0)"), Outcome::INVALID),
            ],
            WAIT_AT => {
                let all = Way::ok(format!("({open} == 0)"), Vec::new());
                [all].into_iter().chain(call.wait(format!("({open} > 0)"))).collect()
            }
            _ => return Err("`close` has no translation".to_owned()),
        })
    }
}
