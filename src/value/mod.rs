//! The values a scenario computes with, and their encoding.
//!
//! Scalars are held inline; strings, bytes, lists and maps are shared, so that cloning any value costs
//! at most one reference count. This room knows nothing of expressions, objects or files.

mod encoding;
mod shared;
mod types;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

pub use encoding::{Malformed, decode, encode};
pub use shared::Shared;
pub use types::Types;

/// One value of a scenario.
///
/// Equality is by type and content; floats compare by their bits, so that a value can be a key.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// No value: what a variable is before its first.
    #[default]
    Null,
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// A 64-bit floating-point number.
    Float(f64),
    String(Shared<str>),
    /// Raw bytes.
    Bytes(Shared<[u8]>),
    /// A list of any values.
    List(Shared<[Value]>),
    /// A map from text to any values, ordered by key.
    Map(Arc<BTreeMap<String, Value>>),
}

impl Value {
    /// The type this value has, as a set of one.
    pub fn types(&self) -> Types {
        match self {
            Self::Null => Types::NULL,
            Self::Bool(_) => Types::BOOL,
            Self::Int(_) => Types::INT,
            Self::Float(_) => Types::FLOAT,
            Self::String(_) => Types::STRING,
            Self::Bytes(_) => Types::BYTES,
            Self::List(_) => Types::LIST,
            Self::Map(_) => Types::MAP,
        }
    }

    /// About how many bytes it is when written out, counted no further than just over `most`: what it shares with
    /// itself can be much more than it takes in memory.
    pub fn size(&self, most: usize) -> usize {
        let mut size = size_of::<Self>();
        let add = |more: &Self, size: &mut usize| {
            *size <= most && {
                *size += more.size(most - *size);
                *size <= most
            }
        };
        match self {
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) => {}
            Self::String(text) => size += text.len(),
            Self::Bytes(bytes) => size += bytes.len(),
            Self::List(items) => {
                let _ = items.iter().all(|item| add(item, &mut size));
            }
            Self::Map(map) => {
                let _ = map.iter().all(|(key, item)| {
                    size += key.len();
                    add(item, &mut size)
                });
            }
        }
        size
    }

    /// Whether it is held inline, without a count.
    #[inline]
    pub fn is_scalar(&self) -> bool {
        matches!(self, Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_))
    }

    /// The integer, where this is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The truth value, where this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The text, where this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(s) => Some(s),
            _ => None,
        }
    }

    /// The items, where this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The length of a message that carries this value, in bytes: what `message_size` and `max` count.
    ///
    /// Text and bytes count their own length, everything else the length of its encoding.
    pub fn message_length(&self) -> usize {
        match self {
            Self::String(s) => s.len(),
            Self::Bytes(b) => b.len(),
            other => {
                let mut buffer = Vec::new();
                encode(other, &mut buffer);
                buffer.len()
            }
        }
    }

    /// The value as a string of an expression would join it: text bare, everything else as written in CEL.
    pub fn to_text(&self) -> String {
        match self {
            Self::String(s) => s.to_string(),
            other => other.to_string(),
        }
    }

    /// The value as JSON. Bytes become text where they are UTF-8 and a list of numbers where not.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(b) => (*b).into(),
            Self::Int(n) => (*n).into(),
            Self::Float(x) => {
                serde_json::Number::from_f64(*x).map_or_else(|| serde_json::Value::String(x.to_string()), Into::into)
            }
            Self::String(s) => s.as_ref().into(),
            Self::Bytes(b) => match std::str::from_utf8(b) {
                Ok(text) => serde_json::json!({ "bytes": text }),
                Err(_) => serde_json::json!({ "bytes": b.as_ref() }),
            },
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(map) => {
                map.iter().map(|(k, v)| (k.clone(), v.to_json())).collect::<serde_json::Map<_, _>>().into()
            }
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) => 2,
            Self::Float(_) => 3,
            Self::String(_) => 4,
            Self::Bytes(_) => 5,
            Self::List(_) => 6,
            Self::Map(_) => 7,
        }
    }
}

/// A total order over all values: by type first, then by content. Used to sort multisets for display.
impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) => a.cmp(b),
            (Self::Map(a), Self::Map(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Self::Null => {}
            Self::Bool(b) => b.hash(state),
            Self::Int(n) => n.hash(state),
            Self::Float(x) => x.to_bits().hash(state),
            Self::String(s) => s.hash(state),
            Self::Bytes(b) => b.hash(state),
            Self::List(items) => items.hash(state),
            Self::Map(map) => map.hash(state),
        }
    }
}

/// The value as written in CEL: `"text"`, `b"bytes"`, `[1, 2]`, `{"a": 1}`, `1.0`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(n) => write!(f, "{n}"),
            Self::Float(x) => write!(f, "{x:?}"),
            Self::String(s) => write!(f, "{s:?}"),
            Self::Bytes(b) => write!(f, "b\"{}\"", b.escape_ascii()),
            Self::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
            Self::Map(map) => {
                f.write_str("{")?;
                for (i, (key, item)) in map.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{key:?}: {item}")?;
                }
                f.write_str("}")
            }
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<f64> for Value {
    fn from(x: f64) -> Self {
        Self::Float(x)
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Self::String(s.into())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Self::String(s.into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(b: Vec<u8>) -> Self {
        Self::Bytes(b.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::List(items.into())
    }
}
