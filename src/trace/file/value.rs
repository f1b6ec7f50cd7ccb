//! A value as JSON that leads back to exactly the same value.
//!
//! Null, booleans, integers, text, lists and finite floats are JSON's own; a float always has a point or an
//! exponent. What JSON has not got is an object with one key that begins with `$`: `{"$bytes": "6869"}`,
//! `{"$float": "nan"}`. A map is an object, a key of it that begins with `$` has another one in front.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::value::Value;

const BYTES: &str = "$bytes";
const FLOAT: &str = "$float";
/// The JSON of a list or map that lies deeper than [`STEP`], as text: JSON readers limit how deep they go.
const NESTED: &str = "$nested";

/// How many levels of lists and maps stand as such before [`NESTED`].
const STEP: usize = 64;
/// No value of a scenario nests deeper than its own encoding does, which is less.
const DEEPEST: usize = 512;

/// For `#[serde(with)]` on a field: writes a value.
pub(super) fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    Json { value, depth: 0 }.serialize(serializer)
}

/// For `#[serde(with)]` on a field: reads a value.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Seed { depth: 0 }.deserialize(deserializer)
}

/// A value on its own, for lists and tables of them.
#[derive(Debug)]
pub(super) struct Plain(pub(super) Value);

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Self)
    }
}

struct Json<'a> {
    value: &'a Value,
    depth: usize,
}

impl Json<'_> {
    fn within<'b>(&self, value: &'b Value) -> Json<'b> {
        Json { value, depth: self.depth + 1 }
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let composed = matches!(self.value, Value::List(_) | Value::Map(_));
        if composed && self.depth >= STEP {
            let text = serde_json::to_string(&Json { value: self.value, depth: 0 }).map_err(S::Error::custom)?;
            return one(serializer, NESTED, &text);
        }
        match self.value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(b) => serializer.serialize_bool(*b),
            Value::Int(n) => serializer.serialize_i64(*n),
            Value::Float(x) if x.is_finite() => serializer.serialize_f64(*x),
            Value::Float(x) => one(serializer, FLOAT, &float_text(*x)),
            Value::String(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => one(serializer, BYTES, &base16(bytes)),
            Value::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    list.serialize_element(&self.within(item))?;
                }
                list.end()
            }
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, item) in entries.iter() {
                    if key.starts_with('$') {
                        map.serialize_entry(&format!("${key}"), &self.within(item))?;
                    } else {
                        map.serialize_entry(key, &self.within(item))?;
                    }
                }
                map.end()
            }
        }
    }
}

fn one<S: Serializer>(serializer: S, key: &str, text: &str) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, text)?;
    map.end()
}

/// `inf`, `-inf`, `nan`; a NaN with other bits than the usual one as `nan:` and its bits.
fn float_text(x: f64) -> Cow<'static, str> {
    if x == f64::INFINITY {
        "inf".into()
    } else if x == f64::NEG_INFINITY {
        "-inf".into()
    } else if x.to_bits() == f64::NAN.to_bits() {
        "nan".into()
    } else {
        format!("nan:{:016x}", x.to_bits()).into()
    }
}

fn float_of(text: &str) -> Option<f64> {
    match text {
        "inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        "nan" => Some(f64::NAN),
        _ => {
            let digits = text.strip_prefix("nan:")?;
            let plain = digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            let x = f64::from_bits(u64::from_str_radix(digits, 16).ok().filter(|_| plain)?);
            x.is_nan().then_some(x)
        }
    }
}

fn base16(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).map(|n| n as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[derive(Clone, Copy)]
struct Seed {
    depth: usize,
}

impl Seed {
    fn within<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= DEEPEST {
            return Err(E::custom("the value nests too deep"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::Int(n))
    }

    fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Value, E> {
        i64::try_from(n).map(Value::Int).map_err(|_| E::custom("the integer does not fit 64 bits with a sign"))
    }

    fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
        Ok(Value::Float(x))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let within = self.within()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(within)? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let within = self.within()?;
        let mut entries = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            let rest = key.strip_prefix('$');
            if rest.is_some_and(|rest| !rest.starts_with('$')) {
                let value = self.special(&key, &map.next_value::<String>()?)?;
                if !entries.is_empty() || map.next_key::<String>()?.is_some() {
                    return Err(A::Error::custom(format!("`{key}` must be the only key of its object")));
                }
                return Ok(value);
            }
            let key = rest.map(str::to_owned).unwrap_or(key);
            entries.insert(key, map.next_value_seed(within)?);
        }
        Ok(Value::Map(entries.into()))
    }
}

impl Seed {
    /// The value of an object whose one key is `key`.
    fn special<E: serde::de::Error>(self, key: &str, text: &str) -> Result<Value, E> {
        match key {
            BYTES => bytes_of(text).map(Value::from).ok_or_else(|| E::custom("`$bytes` takes base 16 digits")),
            FLOAT => float_of(text).map(Value::Float).ok_or_else(|| E::custom("`$float` takes inf, -inf or nan")),
            NESTED => {
                let mut inner = serde_json::Deserializer::from_str(text);
                let value = self.within()?.deserialize(&mut inner).map_err(E::custom)?;
                inner.end().map_err(E::custom)?;
                Ok(value)
            }
            _ => Err(E::custom(format!("`{key}` is no type of value"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &Value) -> String {
        serde_json::to_string(&Plain(value.clone())).expect("a value is written")
    }

    fn back(text: &str) -> Option<Value> {
        serde_json::from_str::<Plain>(text).ok().map(|plain| plain.0)
    }

    #[test]
    fn every_value_comes_back_as_it_went() {
        let odd_nan = f64::from_bits(0xfff8_0000_0000_0001);
        let map = |key: &str, value: Value| Value::Map(BTreeMap::from([(key.to_owned(), value)]).into());
        let mut values = vec![
            Value::Null,
            Value::Bool(false),
            Value::Int(i64::MIN),
            Value::Int(i64::MAX),
            Value::from("执行任务 \" \\ \u{0} \u{1b}[0m \n $bytes"),
            Value::from(Vec::<u8>::new()),
            Value::from(vec![0u8, 255, 16]),
            Value::from(Vec::<Value>::new()),
            map("$bytes", Value::from("00")),
            map("$", map("", Value::Null)),
            map("$$x", Value::from(vec![Value::Int(1), Value::Float(1.0), Value::from("1")])),
        ];
        for x in [0.0, -0.0, 1.0, -0.1, 0.1 + 0.2, 1e300, 5e-324, f64::MAX, f64::NAN, odd_nan, -f64::NAN] {
            values.push(Value::Float(x));
        }
        values.extend([Value::Float(f64::INFINITY), Value::Float(f64::NEG_INFINITY)]);
        for value in values {
            assert_eq!(back(&text(&value)), Some(value.clone()), "{}", text(&value));
        }
        assert_eq!(text(&Value::Float(2.0)), "2.0");
        assert_eq!(text(&Value::from(vec![104u8, 105])), r#"{"$bytes":"6869"}"#);
        assert_eq!(text(&Value::Float(f64::NAN)), r#"{"$float":"nan"}"#);
    }

    #[test]
    fn deep_values_come_back_too() {
        let mut value = Value::from("core");
        for n in 0..250 {
            value = if n % 2 == 0 {
                Value::from(vec![value])
            } else {
                Value::Map(BTreeMap::from([("k".to_owned(), value)]).into())
            };
        }
        assert_eq!(back(&text(&value)), Some(value));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for wrong in [
            "18446744073709551615",
            r#"{"$bytes":"6"}"#,
            r#"{"$bytes":"6x"}"#,
            r#"{"$bytes":7}"#,
            r#"{"$bytes":"61","a":1}"#,
            r#"{"a":1,"$bytes":"61"}"#,
            r#"{"$float":"nan:0"}"#,
            r#"{"$float":"nan:0000000000000000"}"#,
            r#"{"$float":"nan:+ff8000000000000"}"#,
            r#"{"$nested":"[1"}"#,
            r#"{"$nested":"[1] 2"}"#,
            r#"{"$other":"x"}"#,
        ] {
            assert_eq!(back(wrong), None, "{wrong}");
        }
    }
}
