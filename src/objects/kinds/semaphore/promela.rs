//! A semaphore in Promela: the number of free permits.

use super::{ACQUIRE, MOST, RELEASE, SIZE, Semaphore};
use crate::objects::contract::promela::{Around, Call, Given, LARGEST, Ladder, Promela, Refusal, Term, Way};
use crate::outcome::Outcome;
use crate::value::Types;

impl Promela for Semaphore {
    fn declare(&self, around: Around<'_>) -> Result<Vec<String>, Refusal> {
        Ok(vec![format!("int {} = {};", around.name, self.value)])
    }

    fn gives(&self, verb: u8) -> Types {
        if verb == SIZE { Types::INT } else { Types::NONE }
    }

    fn begin(&self, call: &Call<'_>) -> Result<Vec<Way>, Refusal> {
        let free = call.around.name;
        if call.verb == SIZE {
            return Ok(vec![Way::ok("true", Vec::new()).gives(Given::After(Term::int(free)))]);
        }
        let one = Term { constant: Some(1.into()), ..Term::int("1") };
        let n = call.arguments.first().filter(|n| !n.is_null()).unwrap_or(&one);
        if n.types != Types::INT {
            return Err("`n` is not known to be an int".to_owned());
        }
        let (n, known) = (&n.text, n.as_int());
        let mut ladder = Ladder::default();
        let outside = known.map(|n| !(0..=MOST).contains(&n));
        let inside = format!("({n} >= 0 && {n} <= {MOST})");
        ladder.ends(outside, &format!("!{inside}"), &inside, Outcome::OUT_OF_RANGE);
        if call.verb == ACQUIRE {
            let (most, outcome) = self.via.takes();
            let more = known.map(|n| n > most);
            ladder.ends(more, &format!("({n} > {most})"), &format!("({n} <= {most})"), outcome);
            ladder.add(Way::ok(format!("({free} >= {n})"), vec![format!("{free} = {free} - {n}")]));
            call.wait(format!("({free} < {n})")).into_iter().for_each(|way| ladder.add(way));
        } else if call.verb == RELEASE {
            let most = i64::from(self.most()).min(LARGEST);
            ladder.add(Way::ok(format!("({free} <= {most} - {n})"), vec![format!("{free} = {free} + {n}")]));
            ladder.add(Way::ends(format!("({free} > {most} - {n})"), Outcome::OVERFLOW));
        }
        Ok(ladder.ways())
    }
}
