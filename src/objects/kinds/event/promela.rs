//! An event in Promela: the flag.

use super::{CLEAR, Event as Flag, SET, WAIT};
use crate::objects::contract::promela::{Around, Call, Promela, Refusal, Way};
use crate::value::Types;

impl Promela for Flag {
    fn declare(&self, around: Around<'_>) -> Result<Vec<String>, Refusal> {
        Ok(vec![format!("bool {} = {};", around.name, u8::from(self.set))])
    }

    fn gives(&self, _verb: u8) -> Types {
        Types::NONE
    }

    fn begin(&self, call: &Call<'_>) -> Result<Vec<Way>, Refusal> {
        let flag = call.around.name;
        Ok(match call.verb {
            SET => vec![Way::ok("true", vec![format!("{flag} = 1")])],
            CLEAR => vec![Way::ok("true", vec![format!("{flag} = 0")])],
            WAIT => [Way::ok(flag, Vec::new())].into_iter().chain(call.wait(format!("!{flag}"))).collect(),
            _ => return Err("the verb has no translation".to_owned()),
        })
    }
}
