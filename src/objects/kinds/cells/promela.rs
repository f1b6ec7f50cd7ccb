//! The cells of a `value` or an `array` in Promela: a variable of their type, or an array of that.

use super::{ADD, COMPARE_SWAP, Cells, LOAD, STORE, SWAP, Shape, UPDATE};
use crate::objects::contract::promela::{
    Around, Call, Given, LARGEST, Ladder, NIL, Promela, Refusal, Term, Way, number,
};
use crate::objects::support::scalar::Scalar;
use crate::outcome::Outcome;
use crate::value::{Types, Value};

/// The least and the greatest number that a cell holds here.
#[derive(Clone, Copy)]
struct Range {
    low: i64,
    high: i64,
    /// Whether the cell itself holds more.
    less: bool,
}

impl Cells {
    /// What its integers can be; none for truth values.
    fn range(&self) -> Option<Range> {
        match self.layout.scalar {
            Scalar::Int(low, high) => {
                let less = low < -LARGEST || high > LARGEST;
                Some(Range { low: low.max(-LARGEST), high: high.min(LARGEST), less })
            }
            _ => None,
        }
    }

    fn types(&self) -> Types {
        self.layout.scalar.types()
    }

    fn term(&self, text: String) -> Term {
        Term { text, types: self.types(), constant: None }
    }

    fn step(&self, call: &Call<'_>, cell: &str) -> Result<Vec<Way>, Refusal> {
        let mut ladder = Ladder::default();
        let before = Given::Before(self.term(cell.to_owned()));
        let after = Given::After(self.term(cell.to_owned()));
        match call.verb {
            LOAD => ladder.add(Way::ok("true", Vec::new()).gives(after)),
            STORE | SWAP => {
                let value = self.fitting(&mut ladder, call.arguments.first())?;
                let way = Way::ok("true", vec![format!("{cell} = {value}")]);
                ladder.add(if call.verb == SWAP { way.gives(before) } else { way });
            }
            COMPARE_SWAP => {
                let old = self.fitting(&mut ladder, call.arguments.first())?;
                let value = self.fitting(&mut ladder, call.arguments.get(1))?;
                let swap = vec![format!("{cell} = {value}")];
                ladder.add(Way::ok(format!("({cell} == {old})"), swap).gives(before.clone()));
                ladder.add(Way::ok(format!("({cell} != {old})"), Vec::new()).gives(before));
            }
            ADD => {
                let (Some(range), Some(amount)) = (self.range(), call.arguments.first()) else {
                    return Ok(vec![Way::ends("true", Outcome::INVALID)]);
                };
                if amount.types != Types::INT {
                    return Err("what is added is not known to be an int".to_owned());
                }
                Self::add(&mut ladder, cell, amount, range, before);
            }
            UPDATE => {
                let Some(update) = call.update else { return Err("an update without an expression".to_owned()) };
                let computed = update(&self.term(cell.to_owned()))?;
                let mut asserts = Vec::new();
                for check in computed.checks {
                    match check.outcome {
                        Some(outcome) => {
                            ladder.ends(None, &format!("({})", check.when), &format!("!({})", check.when), outcome);
                        }
                        None => asserts.push(format!("assert(!({}))", check.when)),
                    }
                }
                let value = self.fitting(&mut ladder, Some(&computed.term))?;
                asserts.push(format!("{cell} = {value}"));
                ladder.add(Way::ok("true", asserts).gives(after));
            }
            _ => return Err("the verb has no translation".to_owned()),
        }
        Ok(ladder.ways())
    }

    /// The text of a value that is written; where it does not fit, the step ends before.
    fn fitting(&self, ladder: &mut Ladder, value: Option<&Term>) -> Result<String, Refusal> {
        let value = value.ok_or("there is no value")?;
        if !value.types.meets(self.types()) {
            ladder.ends(Some(true), "", "", Outcome::INVALID);
            return Ok(value.text.clone());
        }
        if value.types == self.types() | Types::NULL {
            let null = format!("({} == {NIL})", value.text);
            ladder.ends(None, &null, &format!("!{null}"), Outcome::INVALID);
        } else if value.types != self.types() {
            return Err(format!("the value is not known to be {}", self.types()));
        }
        if let Some(range) = self.range().filter(|range| !range.less || range.low == 0) {
            let known = value.as_int().map(|n| n < range.low || n > range.high);
            let mut parts = vec![format!("{} >= {}", value.text, range.low)];
            if range.high < LARGEST {
                parts.push(format!("{} <= {}", value.text, range.high));
            }
            let fits = format!("({})", parts.join(" && "));
            ladder.ends(known, &format!("!{fits}"), &fits, Outcome::OUT_OF_RANGE);
        }
        Ok(value.text.clone())
    }

    fn add(ladder: &mut Ladder, cell: &str, amount: &Term, range: Range, before: Given) {
        let n = &amount.text;
        let sum = vec![format!("{cell} = {cell} + {n}")];
        if range.less && range.low < 0 {
            // Only a sum beyond what Promela's numbers hold could be too large, and that ends the search.
            let effects = [vec![format!("assert(FITS_ADD({cell}, {n}))")], sum].concat();
            ladder.add(Way::ok("true", effects).gives(before));
            return;
        }
        let (low, high) = (range.low, range.high);
        let fits = format!("({n} >= 0 -> {cell} <= {high} - {n} : {cell} >= {low} - {n})");
        ladder.ends(None, &format!("!{fits}"), &fits, Outcome::OVERFLOW);
        ladder.add(Way::ok("true", sum).gives(before));
    }

    /// A step on all elements of an array.
    fn all(&self, call: &Call<'_>) -> Result<Vec<Way>, Refusal> {
        match (call.verb, call.arguments.first()) {
            (LOAD, _) if !call.into => Ok(vec![Way::ok("true", Vec::new())]),
            (LOAD, _) => Err("a variable cannot hold a whole array".to_owned()),
            (STORE, Some(Term { constant: Some(value), .. })) => {
                let words = match self.layout.encode(value) {
                    Ok(words) => words,
                    Err(outcome) => return Ok(vec![Way::ends("true", outcome)]),
                };
                let stores = words
                    .iter()
                    .enumerate()
                    .map(|(at, word)| Ok(format!("{}[{at}] = {}", call.around.name, self.literal(*word)?)));
                Ok(vec![Way::ok("true", stores.collect::<Result<_, Refusal>>()?)])
            }
            _ => Err("only a constant can be stored to a whole array".to_owned()),
        }
    }

    fn literal(&self, word: u64) -> Result<String, Refusal> {
        match self.layout.scalar.decode(word) {
            Value::Int(n) => number(n),
            Value::Bool(truth) => Ok(u8::from(truth).to_string()),
            _ => Err("it holds neither ints nor truth values".to_owned()),
        }
    }
}

impl Promela for Cells {
    fn declare(&self, around: Around<'_>) -> Result<Vec<String>, Refusal> {
        let word = match self.layout.scalar {
            Scalar::Int(..) => "int",
            Scalar::Bool => "bool",
            _ => return Err("it holds neither ints nor truth values".to_owned()),
        };
        let name = around.name;
        let words = self.words();
        if !self.is_array() {
            let first = words.first().copied().unwrap_or(0);
            return Ok(vec![format!("{word} {name} = {};", self.literal(first)?)]);
        }
        let length = self.layout.length;
        if words.iter().all(|word| *word == 0) {
            return Ok(vec![format!("{word} {name}[{length}];")]);
        }
        if words.iter().any(|word| (*word as i64) < 0) {
            return Err("an array of Promela has no first values below zero".to_owned());
        }
        let first = words.iter().map(|word| self.literal(*word)).collect::<Result<Vec<_>, _>>()?;
        Ok(vec![format!("{word} {name}[{length}] = {{ {} }};", first.join(", "))])
    }

    fn gives(&self, verb: u8) -> Types {
        match self.layout.scalar {
            Scalar::Int(..) | Scalar::Bool if verb != STORE => self.types(),
            _ => Types::NONE,
        }
    }

    fn begin(&self, call: &Call<'_>) -> Result<Vec<Way>, Refusal> {
        match call.element {
            None if self.layout.shape == Shape::One => self.step(call, call.around.name),
            None => self.all(call),
            Some(element) => self.step(call, &format!("{}[{}]", call.around.name, element.text)),
        }
    }
}
