//! A pipe one way in Promela: a channel of ints, each of which is one packet; how many processes hold each end; by
//! process, which it has closed.

use super::{CLOSE_AT, Framing, POLL_AT, Pipe, RECEIVE_AT, SEND_AT, is_wrong};
use crate::objects::contract::promela::{Around, Call, Given, Promela, Refusal, Way};
use crate::outcome::Outcome;
use crate::value::Types;

/// The packets that a pipe holds where nothing else is said.
const PACKETS: u64 = 16;
/// The most messages that a channel of Promela holds.
const MOST: u64 = 255;

/// What the names of the variables end with.
const HELD: &str = "_held";
const SHUT: &str = "_shut";

impl Pipe {
    fn packets(&self) -> u64 {
        self.capacity.unwrap_or(PACKETS)
    }
}

/// Whether some process closes an end by a step.
fn closes(around: &Around<'_>) -> bool {
    around.verbs & 1 << CLOSE_AT != 0
}

impl Promela for Pipe {
    fn declare(&self, around: Around<'_>) -> Result<Vec<String>, Refusal> {
        if self.duplex || self.framing == Framing::Bytes {
            return Err("a pipe of bytes, or one that goes both ways, has no translation".to_owned());
        }
        let (name, packets) = (around.name, self.packets());
        if packets > MOST {
            return Err(format!("a channel of Promela holds {MOST} messages at most"));
        }
        let mut declared = vec![format!("chan {name} = [{packets}] of {{ int }};")];
        for (end, letter) in self.letters() {
            let holders = around.holders.get(end).copied().unwrap_or(0);
            declared.push(format!("short {name}{HELD}_{letter} = {holders};"));
        }
        if closes(&around) {
            declared
                .extend(self.letters().map(|(_, letter)| format!("bool {name}{SHUT}_{letter}[{}];", around.processes)));
        }
        Ok(declared)
    }

    fn gives(&self, verb: u8) -> Types {
        if verb == RECEIVE_AT { Types::INT } else { Types::NONE }
    }

    fn begin(&self, call: &Call<'_>) -> Result<Vec<Way>, Refusal> {
        if is_wrong(self.duplex, call.verb, call.end) {
            return Ok(vec![Way::ends("true", Outcome::WRONG_END)]);
        }
        let (channel, me) = (call.around.name, call.me);
        let letter = if call.end == 0 { "r" } else { "w" };
        let held = |letter: &str| call.name(&format!("{HELD}_{letter}"));
        let shut = format!("{}[{me}]", call.name(&format!("{SHUT}_{letter}")));
        let (full, empty) = (format!("len({channel}) == {}", self.packets()), format!("len({channel}) == 0"));
        let (readers, writers) = (held("r"), held("w"));
        let mut ways = match call.verb {
            SEND_AT => {
                let Some(value) = call.arguments.first().filter(|value| value.types == Types::INT) else {
                    return Err("the message is not known to be an int".to_owned());
                };
                let send = vec![format!("{channel} ! {}", value.text)];
                let mut ways = vec![
                    Way::ends(format!("({readers} == 0)"), Outcome::BROKEN),
                    Way::ok(format!("({readers} > 0 && len({channel}) < {})", self.packets()), send),
                ];
                ways.extend(call.wait(format!("({readers} > 0 && {full})")));
                ways
            }
            RECEIVE_AT if call.arguments.get(1).is_some_and(|max| !max.is_null()) => {
                vec![Way::ends("true", Outcome::INVALID)]
            }
            RECEIVE_AT => {
                let receive = Way::ok(format!("(len({channel}) > 0)"), Vec::new());
                let mut ways = vec![
                    receive.gives(Given::Received(channel.to_owned())),
                    Way::ends(format!("({empty} && {writers} == 0)"), Outcome::CLOSED),
                ];
                ways.extend(call.wait(format!("({empty} && {writers} > 0)")));
                ways
            }
            POLL_AT => {
                let mut ways = vec![Way::ok(format!("(len({channel}) > 0 || {writers} == 0)"), Vec::new())];
                ways.extend(call.wait(format!("({empty} && {writers} > 0)")));
                ways
            }
            CLOSE_AT => vec![Way::ok("true", vec![format!("{shut} = 1"), format!("{}--", held(letter))])],
            _ => return Err("a channel of Promela keeps its room".to_owned()),
        };
        if closes(&call.around) {
            for way in &mut ways {
                way.guard = if way.guard == "true" { format!("!{shut}") } else { format!("!{shut} && {}", way.guard) };
            }
            ways.push(Way::ends(shut, Outcome::INVALID));
        }
        Ok(ways)
    }

    fn leave(&self, around: Around<'_>, me: &str, held: &[bool]) -> Vec<String> {
        let name = around.name;
        let mut effects = Vec::new();
        for (_, letter) in self.letters().filter(|(end, _)| held.get(*end) == Some(&true)) {
            let less = format!("{name}{HELD}_{letter}--");
            if closes(&around) {
                let shut = format!("{name}{SHUT}_{letter}[{me}]");
                effects.push(format!("if :: !{shut} -> {shut} = 1; {less} :: else fi"));
            } else {
                effects.push(less);
            }
        }
        effects
    }
}

impl Pipe {
    /// Its ends, by place.
    fn letters(&self) -> impl Iterator<Item = (usize, &'static str)> {
        use crate::objects::Object;
        self.ends().iter().copied().enumerate()
    }
}
