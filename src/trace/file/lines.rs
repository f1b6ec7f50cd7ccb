//! The lines of a trace file, field by field. Fields that a reader does not know are skipped, so that fields can be
//! added within a version.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use super::meta::Machine;
use super::value::{self, Plain};
use crate::value::Value;

pub(super) const TRACE: &str = "trace";
pub(super) const EVENT: &str = "event";
pub(super) const STUCK: &str = "stuck";
pub(super) const EXIT: &str = "exit";
pub(super) const END: &str = "end";

/// The order of a file whose events stand in it as they were collected.
pub(super) const RECORDED: &str = "recorded";

/// Which line it is.
#[derive(Deserialize)]
pub(super) struct Tag<'a> {
    #[serde(rename = "type", borrow)]
    pub tag: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Header<'a> {
    #[serde(rename = "type", skip_deserializing)]
    pub tag: &'static str,
    #[serde(borrow)]
    pub format: Cow<'a, str>,
    pub version: u32,
    pub ipcrun: String,
    pub engine: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Cow<'a, str>>,
    pub scenario: Scenario<'a>,
    pub seed: u64,
    pub timeout: u64,
    #[serde(default)]
    pub set: Table<String>,
    pub params: Table<Plain>,
    pub objects: Vec<Object<'a>>,
    pub processes: Vec<Cow<'a, str>>,
    pub steps: Vec<Step<'a>>,
    pub machine: Machine,
    pub started: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Scenario<'a> {
    #[serde(borrow)]
    pub path: Cow<'a, str>,
    pub hash: Cow<'a, str>,
    pub text: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Object<'a> {
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    pub kind: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Step<'a> {
    #[serde(borrow)]
    pub process: Cow<'a, str>,
    pub verb: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub object: Cow<'a, str>,
    pub line: usize,
}

#[derive(Deserialize)]
pub(super) struct Event<'a> {
    pub n: u64,
    #[serde(borrow)]
    pub process: Cow<'a, str>,
    pub seq: u64,
    pub begin: u64,
    pub end: u64,
    #[serde(default)]
    pub step: Option<u32>,
    pub verb: Cow<'a, str>,
    #[serde(default)]
    pub object: Option<Cow<'a, str>>,
    #[serde(default)]
    pub peer: Option<Cow<'a, str>>,
    #[serde(default)]
    pub element: Option<u32>,
    pub outcome: Cow<'a, str>,
    #[serde(default, with = "value")]
    pub value: Value,
    #[serde(default, with = "value")]
    pub second: Value,
    #[serde(default)]
    pub ticket: u64,
    #[serde(default)]
    pub cause: Option<Cause<'a>>,
    #[serde(default)]
    pub blocked: bool,
    #[serde(default)]
    pub implicit: bool,
}

#[derive(Deserialize)]
pub(super) struct Cause<'a> {
    #[serde(borrow)]
    pub process: Cow<'a, str>,
    pub seq: u64,
}

/// A process that waits: a line of its own where it was stuck, an item of the last line where the time ran out.
#[derive(Serialize, Deserialize)]
pub(super) struct Waiting<'a> {
    #[serde(rename = "type", skip_deserializing, skip_serializing_if = "str::is_empty")]
    pub tag: &'static str,
    #[serde(borrow)]
    pub process: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    pub verb: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Cow<'a, str>>,
    pub since: u64,
    #[serde(default)]
    pub on: Vec<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Exit<'a> {
    #[serde(rename = "type", skip_deserializing)]
    pub tag: &'static str,
    #[serde(borrow)]
    pub process: Cow<'a, str>,
    pub how: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub cut: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct End<'a> {
    #[serde(rename = "type", skip_deserializing)]
    pub tag: &'static str,
    #[serde(rename = "end", borrow)]
    pub how: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doing: Vec<Waiting<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub daemons: Vec<Waiting<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_events: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_trace: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_file: Option<u64>,
    pub events: u64,
    pub duration: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unwatched: bool,
    pub stalled: u64,
    pub whole: bool,
    pub lost: Vec<String>,
    pub counted: Vec<Counted>,
    pub finals: Table<Plain>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Counted {
    pub step: u32,
    pub line: usize,
    pub count: u64,
}

/// Names and what they stand for, in their order: an object in JSON.
pub(super) struct Table<T>(pub Vec<(String, T)>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Table<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Table(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
