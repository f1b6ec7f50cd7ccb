//! What one cell of a `value` or an `array` holds: the types, and how their values stand in a 64-bit word.
//!
//! Integers stand as an `i64`, floats as the bits of an `f64`, truth values as 0 or 1, a char as its code point. A
//! zeroed word is the zero of every type.

use crate::outcome::Outcome;
use crate::value::{Types, Value};

/// The type of a cell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scalar {
    /// An integer of that range, both ends included.
    Int(i64, i64),
    /// A float, rounded to 32 bits.
    F32,
    F64,
    Bool,
    /// One Unicode scalar value.
    Char,
}

impl Scalar {
    pub(crate) const I64: Self = Self::Int(i64::MIN, i64::MAX);
    pub(crate) const U8: Self = Self::Int(0, 255);

    /// The words after `type =`.
    pub(crate) const NAMES: &'static [&'static str] =
        &["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "bool", "char"];

    const TYPES: [Self; 12] = [
        Self::Int(i8::MIN as i64, i8::MAX as i64),
        Self::Int(i16::MIN as i64, i16::MAX as i64),
        Self::Int(i32::MIN as i64, i32::MAX as i64),
        Self::I64,
        Self::U8,
        Self::Int(0, u16::MAX as i64),
        Self::Int(0, u32::MAX as i64),
        Self::Int(0, i64::MAX),
        Self::F32,
        Self::F64,
        Self::Bool,
        Self::Char,
    ];

    /// The type of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|known| *known == name).map(|at| Self::TYPES[at])
    }

    pub(crate) fn name(self) -> &'static str {
        Self::TYPES.iter().position(|known| *known == self).map_or("", |at| Self::NAMES[at])
    }

    /// How many bytes a number of the type takes in memory.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::F32 | Self::Char => 4,
            Self::F64 => 8,
            Self::Bool => 1,
            Self::Int(low, high) => {
                let most = (low.unsigned_abs().saturating_sub(1)).max(high.unsigned_abs());
                match u64::BITS - most.leading_zeros() {
                    0..=8 => 1,
                    9..=16 => 2,
                    17..=32 => 4,
                    _ => 8,
                }
            }
        }
    }

    /// The bytes that a word has in memory.
    pub(crate) fn to_bytes(self, word: u64) -> Vec<u8> {
        match self {
            Self::F32 => (f64::from_bits(word) as f32).to_le_bytes().to_vec(),
            _ => word.to_le_bytes()[..self.width()].to_vec(),
        }
    }

    /// The word of as many bytes as a number of the type takes.
    ///
    /// # Errors
    /// `overflow` for a number that is more than the largest int.
    pub(crate) fn word_of(self, bytes: &[u8]) -> Result<u64, Outcome> {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        let word = u64::from_le_bytes(word);
        match self {
            Self::F32 => Ok(f64::from(f32::from_bits(word as u32)).to_bits()),
            Self::Int(low, high) if low < 0 => {
                let unused = high.leading_zeros() - 1;
                Ok(((word << unused) as i64 >> unused) as u64)
            }
            Self::Int(..) if word > i64::MAX as u64 => Err(Outcome::OVERFLOW),
            _ => Ok(word),
        }
    }

    /// The type that a value needs where none is declared.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(_) => Some(Self::I64),
            Value::Float(_) => Some(Self::F64),
            Value::Bool(_) => Some(Self::Bool),
            Value::String(_) => Some(Self::Char),
            _ => None,
        }
    }

    /// The types of the values it takes; it gives the float of the two.
    pub(crate) fn types(self) -> Types {
        match self {
            Self::Int(..) => Types::INT,
            Self::F32 | Self::F64 => Types::NUMBER,
            Self::Bool => Types::BOOL,
            Self::Char => Types::STRING,
        }
    }

    /// Whether `add` means something.
    pub(crate) fn is_number(self) -> bool {
        !matches!(self, Self::Bool | Self::Char)
    }

    /// The word of a value.
    ///
    /// # Errors
    /// `invalid` for another type, `out_of_range` for a value that does not fit.
    #[inline]
    pub(crate) fn encode(self, value: &Value) -> Result<u64, Outcome> {
        match (self, value) {
            (Self::Int(low, high), Value::Int(n)) => {
                if (low..=high).contains(n) {
                    Ok(*n as u64)
                } else {
                    Err(Outcome::OUT_OF_RANGE)
                }
            }
            (Self::F64, Value::Float(x)) => Ok(x.to_bits()),
            (Self::F64, Value::Int(n)) => Ok((*n as f64).to_bits()),
            (Self::F32, Value::Float(x)) => round(*x).map(f64::to_bits).ok_or(Outcome::OUT_OF_RANGE),
            (Self::F32, Value::Int(n)) => round(*n as f64).map(f64::to_bits).ok_or(Outcome::OUT_OF_RANGE),
            (Self::Bool, Value::Bool(b)) => Ok(u64::from(*b)),
            (Self::Char, Value::String(s)) => {
                let mut chars = s.chars();
                match (chars.next(), chars.next()) {
                    (Some(c), None) => Ok(u64::from(c)),
                    _ => Err(Outcome::OUT_OF_RANGE),
                }
            }
            _ => Err(Outcome::INVALID),
        }
    }

    /// The value of a word that [`Scalar::encode`] made.
    #[inline]
    pub(crate) fn decode(self, word: u64) -> Value {
        match self {
            Self::Int(..) => Value::Int(word as i64),
            Self::F32 | Self::F64 => Value::Float(f64::from_bits(word)),
            Self::Bool => Value::Bool(word != 0),
            Self::Char => character(word),
        }
    }

    /// The word of the sum.
    ///
    /// # Errors
    /// `invalid` for a type that has no sums, `overflow` where the sum does not fit.
    #[inline]
    pub(crate) fn add(self, word: u64, amount: &Value) -> Result<u64, Outcome> {
        let amount = match (self, amount) {
            (Self::Int(low, high), Value::Int(n)) => {
                let sum = (word as i64).checked_add(*n).filter(|sum| (low..=high).contains(sum));
                return sum.map(|sum| sum as u64).ok_or(Outcome::OVERFLOW);
            }
            (Self::F32 | Self::F64, Value::Float(x)) => *x,
            (Self::F32 | Self::F64, Value::Int(n)) => *n as f64,
            _ => return Err(Outcome::INVALID),
        };
        let sum = f64::from_bits(word) + amount;
        let sum = if self == Self::F32 { round(sum).ok_or(Outcome::OVERFLOW)? } else { sum };
        Ok(sum.to_bits())
    }

    /// Why a value is refused, in words. `None` where it fits.
    pub(crate) fn refusal(self, value: &Value) -> Option<(Outcome, String)> {
        let outcome = self.encode(value).err()?;
        let name = self.name();
        let reason = match (self, outcome == Outcome::INVALID) {
            (_, true) => format!("a cell of type {name} holds {}, not {}", self.types(), value.types()),
            (Self::Int(low, high), _) => format!("{name} holds {low} to {high}, not {value}"),
            (Self::Char, _) => format!("{name} holds exactly one character, not {value}"),
            _ => format!("{name} cannot hold {value}"),
        };
        Some((outcome, reason))
    }
}

/// The text of a code point. Out of the way of the types that allocate nothing.
#[cold]
#[inline(never)]
fn character(word: u64) -> Value {
    let c = char::from_u32(word as u32).unwrap_or(char::REPLACEMENT_CHARACTER);
    Value::from(c.encode_utf8(&mut [0; 4]) as &str)
}

/// The nearest 32-bit float; none for a finite number that is too large for one.
fn round(x: f64) -> Option<f64> {
    let rounded = f64::from(x as f32);
    (rounded.is_finite() || !x.is_finite()).then_some(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_keeps_its_range() {
        for (name, low, high) in
            [("i8", -128, 127), ("u16", 0, 65535), ("u64", 0, i64::MAX), ("i64", i64::MIN, i64::MAX)]
        {
            let scalar = Scalar::parse(name).unwrap();
            assert_eq!(scalar.name(), name);
            for n in [low, high] {
                assert_eq!(scalar.encode(&Value::Int(n)).map(|word| scalar.decode(word)), Ok(Value::Int(n)));
            }
            let top = scalar.encode(&Value::Int(high)).unwrap();
            assert_eq!(scalar.add(top, &Value::Int(1)), Err(Outcome::OVERFLOW));
            assert_eq!(scalar.add(top, &Value::Int(-1)).map(|word| scalar.decode(word)), Ok(Value::Int(high - 1)));
            assert_eq!(scalar.encode(&Value::Bool(true)), Err(Outcome::INVALID));
        }
        assert_eq!(Scalar::U8.encode(&Value::Int(256)), Err(Outcome::OUT_OF_RANGE));
        assert_eq!(Scalar::U8.refusal(&Value::Int(300)).unwrap().1, "u8 holds 0 to 255, not 300");
    }

    #[test]
    fn numbers_stand_in_memory_with_their_low_bytes_first() {
        for (name, width, low) in [
            ("i8", 1, -128),
            ("i16", 2, -32768),
            ("i32", 4, i64::from(i32::MIN)),
            ("i64", 8, i64::MIN),
            ("u8", 1, 0),
            ("u16", 2, 0),
            ("u32", 4, 0),
            ("u64", 8, 0),
        ] {
            let scalar = Scalar::parse(name).unwrap();
            assert_eq!(scalar.width(), width, "{name}");
            for n in [low, 1, 100] {
                let bytes = scalar.to_bytes(scalar.encode(&Value::Int(n)).unwrap());
                assert_eq!(bytes.len(), width);
                assert_eq!(scalar.word_of(&bytes).map(|word| scalar.decode(word)), Ok(Value::Int(n)), "{name}");
            }
        }
        let u64 = Scalar::parse("u64").unwrap();
        assert_eq!(u64.word_of(&[255; 8]), Err(Outcome::OVERFLOW));
        assert_eq!(Scalar::I64.word_of(&[255; 8]).map(|word| Scalar::I64.decode(word)), Ok(Value::Int(-1)));
        assert_eq!(Scalar::F32.to_bytes(1.5f64.to_bits()), 1.5f32.to_le_bytes());
        assert_eq!(Scalar::F32.word_of(&1.5f32.to_le_bytes()), Ok(1.5f64.to_bits()));
    }

    #[test]
    fn floats_take_integers_and_round_to_their_width() {
        assert_eq!(Scalar::F64.encode(&Value::Int(2)), Ok(2f64.to_bits()));
        let rounded = Scalar::F32.encode(&Value::Float(0.1)).map(|word| Scalar::F32.decode(word));
        assert_eq!(rounded, Ok(Value::Float(f64::from(0.1f32))));
        assert_eq!(Scalar::F32.encode(&Value::Float(1e300)), Err(Outcome::OUT_OF_RANGE));
        assert_eq!(Scalar::F32.encode(&Value::Float(f64::INFINITY)), Ok(f64::INFINITY.to_bits()));
        let large = Scalar::F32.encode(&Value::Float(3e38)).unwrap();
        assert_eq!(Scalar::F32.add(large, &Value::Float(3e38)), Err(Outcome::OVERFLOW));
    }

    #[test]
    fn a_char_is_one_character() {
        let word = Scalar::Char.encode(&Value::from("执")).unwrap();
        assert_eq!(Scalar::Char.decode(word), Value::from("执"));
        assert_eq!(Scalar::Char.encode(&Value::from("ab")), Err(Outcome::OUT_OF_RANGE));
        assert_eq!(Scalar::Char.add(word, &Value::Int(1)), Err(Outcome::INVALID));
        assert_eq!(Scalar::Bool.decode(0), Value::Bool(false));
    }
}
