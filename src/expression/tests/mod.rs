//! What expressions mean, through the room's own interface.

mod faults;
mod noise;
mod templates;
mod values;

use super::*;

/// The variables of these tests: name, first value, types that are known.
pub(super) struct World {
    names: Vec<(&'static str, Types)>,
    values: Vec<Value>,
    params: Vec<(&'static str, Value)>,
    /// The state expressions met so far, as written.
    states: Vec<String>,
    draws: i64,
}

impl World {
    pub(super) fn new() -> Self {
        let user = [("name".to_owned(), Value::from("Dave")), ("age".to_owned(), Value::Int(42))];
        let variables = [
            ("x", Types::ANY, Value::Int(5)),
            ("y", Types::ANY, Value::Float(2.5)),
            ("s", Types::ANY, Value::from("héllo")),
            ("items", Types::ANY, Value::from(vec![Value::Int(10), Value::Int(20)])),
            ("user", Types::ANY, Value::Map(std::sync::Arc::new(user.into_iter().collect()))),
            ("yes", Types::ANY, Value::Bool(true)),
            ("no", Types::ANY, Value::Bool(false)),
            ("nothing", Types::ANY, Value::Null),
            ("b", Types::ANY, Value::from(vec![1_u8, 255])),
            ("int", Types::INT, Value::Int(7)),
            ("text", Types::STRING, Value::from("seven")),
            ("flag", Types::BOOL, Value::Bool(true)),
        ];
        Self {
            names: variables.iter().map(|(name, types, _)| (*name, *types)).collect(),
            values: variables.into_iter().map(|(_, _, value)| value).collect(),
            params: vec![("workers", Value::Int(10)), ("zero", Value::Int(0)), ("title", Value::from("bath"))],
            states: Vec::new(),
            draws: 0,
        }
    }

    pub(super) fn parse(&mut self, text: &str) -> Result<Expression, Vec<Fault>> {
        Expression::parse(text, self)
    }

    pub(super) fn value(&mut self, text: &str) -> Result<Value, Error> {
        let expression = self.parse(text).unwrap_or_else(|faults| panic!("{text}: {faults:#?}"));
        expression.evaluate(self)
    }
}

impl Scope for World {
    fn name(&mut self, name: &str) -> Result<(Name, Types), Vec<String>> {
        if let Some(slot) = self.names.iter().position(|(known, _)| *known == name) {
            return Ok((Name::Slot(slot as u32), self.names[slot].1));
        }
        if let Some((_, value)) = self.params.iter().find(|(known, _)| *known == name) {
            return Ok((Name::Constant(value.clone()), value.types()));
        }
        match name {
            "index" => Ok((Name::Builtin(Builtin::Index), Types::INT)),
            "now" => Ok((Name::Builtin(Builtin::Now), Types::FLOAT)),
            "money" => Ok((Name::State(1000), Types::INT)),
            _ => Err(self.names.iter().map(|(name, _)| (*name).to_owned()).chain(["index".into()]).collect()),
        }
    }

    fn call(&mut self, name: &str, arguments: &[(StateArgument, Range<usize>)]) -> Option<Result<(u32, Types), Fault>> {
        if name == "size" && !matches!(&arguments[0].0, StateArgument::Name(name, _) if name.starts_with('q')) {
            return None;
        }
        if let [(StateArgument::Text(text), span)] = arguments
            && text == "?"
        {
            return Some(Err(Fault::new(span.clone(), "no such process")));
        }
        let arguments: Vec<_> = arguments.iter().map(|(argument, _)| format!("{argument:?}")).collect();
        self.states.push(format!("{name} {}", arguments.join(" ")));
        Some(Ok((self.states.len() as u32 - 1, Types::INT)))
    }

    fn calls(&self) -> Vec<&'static str> {
        vec!["count", "inside", "exit"]
    }
}

impl Environment for World {
    fn slot(&self, slot: u32) -> &Value {
        &self.values[slot as usize]
    }

    fn builtin(&self, builtin: Builtin) -> Value {
        match builtin {
            Builtin::Index => Value::Int(3),
            Builtin::Now => Value::Float(0.5),
            _ => Value::Null,
        }
    }

    fn state(&mut self, state: u32) -> Result<Value, Error> {
        Ok(Value::Int(i64::from(state)))
    }

    fn random(&mut self, low: i64, high: i64) -> i64 {
        self.draws += 1;
        (low + self.draws).min(high)
    }
}
