//! A declaration of `[objects]` as a kind reads it: attributes that have the right form already.

use crate::diagnostic::Code;
use crate::event::ObjectId;
use crate::value::Value;

/// One object's declaration. With `count`, one for each object of the array.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The object's name: `q`, `forks[2]`.
    pub name: String,
    /// The object's own id.
    pub id: ObjectId,
    /// The attributes that were given, each in its [`Form`](crate::objects::Form).
    pub attributes: Vec<(&'static str, Value)>,
    /// The objects that attributes name.
    pub objects: Vec<(&'static str, ObjectId)>,
}

impl Declaration {
    /// The attribute's value, where it was given.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The attribute as an integer (a size is one, in bytes).
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.value(name).and_then(Value::as_int)
    }

    /// The attribute as a truth value; `false` where it was not given.
    pub fn boolean(&self, name: &str) -> bool {
        self.value(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The attribute as a word.
    pub fn word(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    /// The object that an attribute names.
    pub fn object(&self, name: &str) -> Option<ObjectId> {
        self.objects.iter().find(|(key, _)| *key == name).map(|(_, id)| *id)
    }
}

/// Something that is wrong with a declaration although each attribute has the right form.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The attribute to underline; the whole declaration where there is none.
    pub attribute: Option<&'static str>,
    /// What kind of fault.
    pub code: Code,
    /// One lower-case sentence without a full stop.
    pub message: String,
    /// What would mend it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem with an attribute's value.
    pub fn new(attribute: &'static str, message: impl Into<String>) -> Self {
        Self { attribute: Some(attribute), code: Code::BAD_VALUE, message: message.into(), help: None }
    }

    /// Sets what would mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
