//! Sets of types, for checking an expression before it runs.

use std::fmt;
use std::ops::{BitAnd, BitOr};

/// A set of value types. An expression has every type of the set as a possibility.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Types(u8);

impl Types {
    /// No type at all: the set of what cannot have a value.
    pub const NONE: Self = Self(0);
    /// `null`.
    pub const NULL: Self = Self(1);
    /// `bool`.
    pub const BOOL: Self = Self(2);
    /// `int`.
    pub const INT: Self = Self(4);
    /// `float`.
    pub const FLOAT: Self = Self(8);
    /// `string`.
    pub const STRING: Self = Self(16);
    /// `bytes`.
    pub const BYTES: Self = Self(32);
    /// `list`.
    pub const LIST: Self = Self(64);
    /// `map`.
    pub const MAP: Self = Self(128);
    pub const ANY: Self = Self(255);
    /// `int` and `float`.
    pub const NUMBER: Self = Self(12);

    const NAMES: [&'static str; 8] = ["null", "bool", "int", "float", "string", "bytes", "list", "map"];

    /// Whether some type is in both sets.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether every type of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together, where a constant is made; elsewhere `|` reads better.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Types {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Types {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// "an int", "an int or a float", "any value".
impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ANY {
            return f.write_str("any value");
        }
        let mut first = true;
        for (bit, name) in Self::NAMES.iter().enumerate() {
            if self.0 & (1 << bit) != 0 {
                if !first {
                    f.write_str(" or ")?;
                }
                first = false;
                match *name {
                    "null" | "bytes" => f.write_str(name)?,
                    "int" => f.write_str("an int")?,
                    _ => write!(f, "a {name}")?,
                }
            }
        }
        if first { f.write_str("nothing") } else { Ok(()) }
    }
}
