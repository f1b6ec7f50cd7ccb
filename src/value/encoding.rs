//! How a value stands in a message and in a trace: one tag byte, then its content.
//!
//! Integers are zigzag varints, floats eight bytes little-endian, everything longer is preceded by its
//! length. The encoding of a scalar allocates nothing beyond the caller's buffer.

use std::collections::BTreeMap;

use super::Value;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const FLOAT: u8 = 4;
const STRING: u8 = 5;
const BYTES: u8 = 6;
const LIST: u8 = 7;
const MAP: u8 = 8;

/// Lists and maps nest at most this deep; TOML's own parser stops earlier.
const DEPTH: usize = 256;

/// Bytes that are not the encoding of a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not the encoding of a value")
    }
}

impl std::error::Error for Malformed {}

/// Appends the encoding of `value` to `out`.
pub fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(b) => out.push(if *b { TRUE } else { FALSE }),
        Value::Int(n) => {
            out.push(INT);
            varint(((n << 1) ^ (n >> 63)) as u64, out);
        }
        Value::Float(x) => {
            out.push(FLOAT);
            out.extend_from_slice(&x.to_bits().to_le_bytes());
        }
        Value::String(s) => block(STRING, s.as_bytes(), out),
        Value::Bytes(b) => block(BYTES, b, out),
        Value::List(items) => {
            out.push(LIST);
            varint(items.len() as u64, out);
            for item in items.iter() {
                encode(item, out);
            }
        }
        Value::Map(map) => {
            out.push(MAP);
            varint(map.len() as u64, out);
            for (key, item) in map.iter() {
                varint(key.len() as u64, out);
                out.extend_from_slice(key.as_bytes());
                encode(item, out);
            }
        }
    }
}

fn block(tag: u8, content: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    varint(content.len() as u64, out);
    out.extend_from_slice(content);
}

fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Reads one value that fills `bytes` exactly.
///
/// # Errors
/// [`Malformed`] where the bytes are cut short, too long or no encoding at all.
pub fn decode(bytes: &[u8]) -> Result<Value, Malformed> {
    let mut cursor = Cursor { rest: bytes };
    let value = cursor.value(0)?;
    if cursor.rest.is_empty() { Ok(value) } else { Err(Malformed) }
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            n |= u64::from(byte & 0x7f).checked_shl(shift).ok_or(Malformed)?;
            if byte & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err(Malformed)
    }

    /// A length that the rest of the input can hold, so that no claim allocates more than was received.
    fn length(&mut self) -> Result<usize, Malformed> {
        let n = self.varint()?;
        if n <= self.rest.len() as u64 { Ok(n as usize) } else { Err(Malformed) }
    }

    fn text(&mut self) -> Result<&'a str, Malformed> {
        let length = self.length()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Malformed)
    }

    fn value(&mut self, depth: usize) -> Result<Value, Malformed> {
        if depth > DEPTH {
            return Err(Malformed);
        }
        Ok(match self.take(1)?[0] {
            NULL => Value::Null,
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            INT => {
                let n = self.varint()?;
                Value::Int((n >> 1) as i64 ^ -((n & 1) as i64))
            }
            FLOAT => {
                let bytes: [u8; 8] = self.take(8)?.try_into().map_err(|_| Malformed)?;
                Value::Float(f64::from_bits(u64::from_le_bytes(bytes)))
            }
            STRING => Value::from(self.text()?),
            BYTES => {
                let length = self.length()?;
                Value::Bytes(self.take(length)?.into())
            }
            LIST => {
                let length = self.length()?;
                Value::List((0..length).map(|_| self.value(depth + 1)).collect::<Result<Vec<_>, _>>()?.into())
            }
            MAP => {
                let length = self.length()?;
                let mut map = BTreeMap::new();
                for _ in 0..length {
                    let key = self.text()?.to_owned();
                    map.insert(key, self.value(depth + 1)?);
                }
                Value::Map(map.into())
            }
            _ => return Err(Malformed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back_as_it_went() {
        let map = Value::Map(BTreeMap::from([("a".to_owned(), Value::Int(1))]).into());
        let values = [
            Value::Null,
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::Int(i64::MAX),
            Value::Int(-1),
            Value::Float(-0.5),
            Value::from("执行任务"),
            Value::from(vec![0u8, 255]),
            Value::from(vec![Value::from("Dave"), Value::from("123"), map]),
        ];
        for value in values {
            let mut bytes = Vec::new();
            encode(&value, &mut bytes);
            assert_eq!(decode(&bytes), Ok(value.clone()));
            for cut in 0..bytes.len() {
                assert_eq!(decode(&bytes[..cut]), Err(Malformed), "{value} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_claimed_length_allocates_nothing() {
        assert_eq!(decode(&[LIST, 0xff, 0xff, 0xff, 0xff, 0x7f]), Err(Malformed));
        assert_eq!(decode(&[7; 4096].map(|b| if b == 7 { LIST } else { b })), Err(Malformed));
    }
}
