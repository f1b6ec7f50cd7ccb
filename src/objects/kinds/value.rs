//! `value`: one number, truth value or character in shared memory.

use super::cells::{Cells, FUTEX_VERBS, Layout, ONE, Shape, verbs};
use crate::objects::support::scalar::Scalar;
use crate::objects::{Attribute, Declaration, Element, Form, Kind, Object, Problem, Verb};

static VERBS: [Verb; 8] = {
    let [load, store, add, swap, compare_swap, update] = verbs(ONE, Element::Never, Element::Never);
    let [wait, wake] = FUTEX_VERBS;
    [load, store, add, swap, compare_swap, update, wait, wake]
};

pub(crate) static KIND: Kind = Kind {
    name: "value",
    summary: "one number, truth value or character in shared memory",
    primitive: "a word of anonymous shared memory, mmap(2) with MAP_SHARED; each step is atomic, and `update` \
                locks the value with an internal lock that survives the death of its holder. A value of type u32 is a futex \
                too: what FUTEX_WAIT and FUTEX_WAKE of futex(2) do, in a form of ipcrun's own that records which process woke which; \
                as there, a `futex_wait` that ends `ok` says nothing about the value",
    attributes: &[
        Attribute {
            name: "type",
            form: Form::Choice(Scalar::NAMES),
            default: "i64, or what `value` needs",
            required: false,
            summary: "the type of the value; a value that does not fit ends `out_of_range`. `u64` goes to 2^63-1, `f32` rounds, `char` \
                      is a string of one character",
        },
        Attribute {
            name: "value",
            form: Form::Value(ONE),
            default: "zero",
            required: false,
            summary: "the initial value",
        },
    ],
    verbs: &VERBS,
    state: ("money", "the number, boolean or character that it holds"),
    example: r#"[objects]
money = { kind = "value", type = "i32", value = 5000 }
word = { kind = "value", type = "u32" }

[processes.p]
steps = [
  { load = "money", into = "m" },
  { store = "money", value = "{m + 1}" },
  { add = "money", value = -1, into = "before" },
  { swap = "money", value = 0, into = "before" },
  { compare_swap = "money", old = 0, value = 7, into = "before" },
  { update = "money", value = "{it * 2}", into = "after" },
  { futex_wait = "word", value = 1, on = { would_block = [] } },
  { futex_wake = "word", n = 2, into = "woken" },
]
"#,
    declare,
};

fn declare(declaration: &Declaration) -> Result<Box<dyn Object>, Vec<Problem>> {
    let first = declaration.value("value");
    let scalar = match declaration.word("type") {
        Some(name) => Scalar::parse(name),
        None => first.map_or(Some(Scalar::I64), Scalar::of),
    };
    let scalar = scalar.ok_or_else(|| vec![Problem::new("type", "no such type of a value")])?;
    let layout = Layout { scalar, shape: Shape::One, length: 1 };
    let first = match first {
        Some(value) => match scalar.refusal(value) {
            Some((_, reason)) => return Err(vec![Problem::new("value", reason)]),
            None => layout.encode(value).unwrap_or_default(),
        },
        None => Vec::new(),
    };
    Ok(Box::new(Cells { id: declaration.id, layout, first }))
}
