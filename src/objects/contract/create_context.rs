//! Where objects are made: what a kind may use to make its kernel side.

use std::rc::Rc;

use crate::event::ObjectId;
use crate::objects::Live;
use crate::os::arena::Arena;
use crate::os::sysv::Keeper;

/// What a run gives an object that is being made.
pub struct CreateContext<'a> {
    /// The id of the object being made.
    pub object: ObjectId,
    /// Its name, for messages.
    pub name: &'a str,
    /// Memory that every process of the run shares, zeroed.
    pub arena: &'a Arena,
    /// How many processes the run will have.
    pub processes: u32,
    /// How many processes hold each end, by its place in [`Object::ends`](crate::objects::Object::ends).
    pub holders: &'a [u32],
    /// Makes System V objects and removes them whatever becomes of ipcrun.
    pub sysv: &'a mut Keeper,
    /// The objects made so far, by id.
    pub made: &'a [Option<Rc<dyn Live>>],
}

/// What the host could not give. The run ends with exit status 3 before anything has started.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostError {
    /// What was asked and what the host said, one lower-case sentence.
    pub message: String,
    /// The limit's name and value, and how to raise it, in words.
    pub help: Option<String>,
}

impl HostError {
    /// An error of a call that should not fail, by the call's name.
    pub fn call(name: &str, error: &std::io::Error) -> Self {
        Self { message: format!("{name} failed: {error}"), help: None }
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
