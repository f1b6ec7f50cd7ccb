//! `array`: a fixed number of cells of one type in shared memory.

use super::cells::{Cells, Layout, MOST, STORED, Shape, verbs};
use crate::objects::support::scalar::Scalar;
use crate::objects::{Attribute, Declaration, Element, Form, Kind, Object, Problem, Verb};
use crate::value::{Types, Value};

/// The types of elements, and `bytes`.
static NAMES: &[&str] = &["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "bool", "char", "bytes"];

static VERBS: [Verb; 6] = verbs(STORED, Element::Optional, Element::Required);

pub(crate) static KIND: Kind = Kind {
    name: "array",
    summary: "a fixed number of values of one type in shared memory",
    primitive: "anonymous shared memory, mmap(2) with MAP_SHARED; each step is atomic, also one on all \
                elements, and `update` locks the array with an internal lock that survives the death of its holder",
    attributes: &[
        Attribute {
            name: "type",
            form: Form::Choice(NAMES),
            default: "i64, or what `value` needs",
            required: false,
            summary: "the type of each element, as for `value`. With `bytes` the whole is bytes and an element 0 to 255, \
                      with `char` the whole is a string up to its first NUL; a longer one ends `too_big`",
        },
        Attribute {
            name: "value",
            form: Form::Value(Types::LIST.or(Types::BYTES).or(Types::STRING)),
            default: "zeros",
            required: false,
            summary: "the initial value: a list, `{ bytes = .. }` or a string",
        },
        Attribute {
            name: "len",
            form: Form::Integer(1, MOST),
            default: "",
            required: false,
            summary: "the number of elements, instead of `value`; with `char` besides it, where the string is shorter",
        },
    ],
    verbs: &VERBS,
    state: ("numbers[1]", "an element; `numbers` is the list of all"),
    example: r#"[objects]
numbers = { kind = "array", type = "i32", value = [1, 2, 3, 4, 5] }
zeros   = { kind = "array", type = "f64", len = 10 }
letters = { kind = "array", type = "bytes", value = { bytes = "hello" } }

[processes.p]
steps = [
  { load = "numbers", into = "all" },
  { load = "numbers[0]", into = "first" },
  { store = "numbers[1]", value = 1000 },
  { store = "numbers", value = [5, 4, 3, 2, 1] },
  { add = "numbers[2]", value = 1 },
  { swap = "letters[0]", value = 72, into = "before" },
  { compare_swap = "numbers[0]", old = 5, value = 6, into = "before" },
  { update = "zeros[9]", value = "{it + 0.5}" },
]
"#,
    declare,
};

fn declare(declaration: &Declaration) -> Result<Box<dyn Object>, Vec<Problem>> {
    let first = declaration.value("value");
    let word = declaration.word("type").or(match first {
        Some(Value::Bytes(_)) => Some("bytes"),
        Some(Value::String(_)) => Some("char"),
        _ => None,
    });
    let (scalar, shape) = match (word, first) {
        (Some("bytes"), _) => (Scalar::U8, Shape::Bytes),
        (Some("char"), _) => (Scalar::Char, Shape::Text),
        (Some(name), _) => (Scalar::parse(name).unwrap_or(Scalar::I64), Shape::List),
        (None, Some(Value::List(items))) => (of(items), Shape::List),
        (None, _) => (Scalar::I64, Shape::List),
    };
    let given = first.map(|value| match (shape, value) {
        (_, Value::List(items)) => Some(items.len()),
        (Shape::Bytes, Value::Bytes(bytes)) => Some(bytes.len()),
        (Shape::Text, Value::String(text)) => Some(text.chars().count()),
        _ => None,
    });
    let length = match (declaration.integer("len"), given) {
        (_, Some(None)) => {
            let message = format!("an array of type {} is not made of this", word.unwrap_or("i64"));
            return Err(vec![Problem::new("value", message).help(match shape {
                Shape::Bytes => "write `{ bytes = \"..\" }`",
                Shape::Text => "write a string",
                _ => "write a list",
            })]);
        }
        (Some(length), Some(Some(given))) if shape == Shape::Text && given as i64 <= length => {
            length.clamp(1, MOST) as u32
        }
        (Some(length), Some(Some(given))) if length != given as i64 => {
            let message = format!("`len` is {length}, but `value` has {given} elements");
            return Err(vec![Problem::new("len", message).help("leave `len` out")]);
        }
        (_, Some(Some(0))) => return Err(vec![Problem::new("value", "an array has at least one element")]),
        (_, Some(Some(given))) if given as i64 > MOST => {
            return Err(vec![Problem::new("value", format!("an array has at most {MOST} elements"))]);
        }
        (_, Some(Some(given))) => given as u32,
        (Some(length), None) => length.clamp(1, MOST) as u32,
        (None, None) => {
            let problem = Problem { attribute: None, ..Problem::new("len", "the array's length is missing") };
            return Err(vec![problem.help("give it `value = [..]` or `len`")]);
        }
    };
    let layout = Layout { scalar, shape, length };
    let first = first.map(|value| {
        layout.encode(value).map_err(|_| match value {
            Value::List(items) => {
                items.iter().filter_map(|item| scalar.refusal(item)).map(|(_, reason)| reason).collect()
            }
            _ => vec![format!("this does not fit {}", scalar.name())],
        })
    });
    match first.transpose() {
        Ok(first) => Ok(Box::new(Cells { id: declaration.id, layout, first: first.unwrap_or_default() })),
        Err(reasons) => Err(reasons.into_iter().map(|reason| Problem::new("value", reason)).collect()),
    }
}

/// The type that a list needs: that of its first element, and floats where an integer stands first but a float after.
fn of(items: &[Value]) -> Scalar {
    let numbers = items.iter().all(|item| Types::NUMBER.contains(item.types()));
    if numbers && items.iter().any(|item| item.types() == Types::FLOAT) {
        return Scalar::F64;
    }
    items.first().and_then(Scalar::of).unwrap_or(Scalar::I64)
}
