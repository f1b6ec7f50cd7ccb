//! The functions of expressions, in one table: name, arguments, result, and what computes it.
//!
//! The check, the evaluation and the reference read this table; a function is added by a line in it. Names and
//! meaning are those of CEL and of its string, list and math extensions where they have such a function.

mod convert;
mod lists;
mod numbers;
mod text;

use super::Error;
use crate::outcome::Outcome;
use crate::value::{Types, Value};

/// A function of expressions.
#[derive(Debug)]
pub struct Function {
    /// Its name: `size`, `math.least`.
    pub name: &'static str,
    /// How it is called: `random(low, high)`, `text.contains(part)`.
    pub signature: &'static str,
    /// One line on what it gives.
    pub summary: &'static str,
    /// Where its first argument stands.
    pub(super) style: Style,
    /// The types of each argument; of a method, the value before the dot is the first.
    arguments: &'static [Types],
    /// How many arguments there have to be.
    pub(super) least: usize,
    /// Whether the last argument may stand any number of times.
    repeated: bool,
    /// The types of its value.
    result: Types,
    /// Whether its value has the types of its arguments, where those are among `result`.
    alike: bool,
    pub(super) body: Body,
}

/// How a function is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Style {
    /// `abs(x)`.
    Function,
    /// `x.trim()`.
    Method,
    /// `size(x)` and `x.size()`.
    Both,
}

/// What computes a function. The arguments have fitting types.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    Pure(fn(&[Value]) -> Result<Value, Error>),
    Random,
}

impl Function {
    const fn new(
        name: &'static str,
        signature: &'static str,
        summary: &'static str,
        arguments: &'static [Types],
        result: Types,
        compute: fn(&[Value]) -> Result<Value, Error>,
    ) -> Self {
        Self {
            name,
            signature,
            summary,
            style: Style::Function,
            arguments,
            least: arguments.len(),
            repeated: false,
            result,
            alike: false,
            body: Body::Pure(compute),
        }
    }

    const fn method(self) -> Self {
        Self { style: Style::Method, ..self }
    }

    const fn both(self) -> Self {
        Self { style: Style::Both, ..self }
    }

    /// The last argument may be left out.
    const fn optional(self) -> Self {
        Self { least: self.least - 1, ..self }
    }

    const fn repeated(self) -> Self {
        Self { repeated: true, ..self }
    }

    const fn alike(self) -> Self {
        Self { alike: true, ..self }
    }

    const fn random(self) -> Self {
        Self { body: Body::Random, ..self }
    }

    /// The types that the argument at that place can have.
    pub(super) fn argument(&self, place: usize) -> Types {
        self.arguments.get(place).or(self.arguments.last()).copied().unwrap_or(Types::ANY)
    }

    /// The most arguments it takes, where there is a bound.
    pub(super) fn most(&self) -> Option<usize> {
        (!self.repeated).then_some(self.arguments.len())
    }

    /// The types of its value for arguments of such types.
    pub(super) fn result(&self, arguments: impl IntoIterator<Item = Types>) -> Types {
        if self.alike {
            let types = arguments.into_iter().fold(Types::NONE, |all, types| all | types);
            if !types.is_empty() && self.result.contains(types) {
                return types;
            }
        }
        self.result
    }
}

/// The function of that name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// The arguments of a function whose types were not checked before.
fn unfit() -> Error {
    Error::new(Outcome::INVALID, "the function does not take values of these types")
}

const T: Types = Types::STRING;
const I: Types = Types::INT;
const N: Types = Types::NUMBER;
const L: Types = Types::LIST;
const B: Types = Types::BOOL;
const SIZED: Types = T.or(Types::BYTES).or(L).or(Types::MAP);
const NUMBERS: Types = N.or(L);
const TEXT_OR_LIST: Types = T.or(L);

/// Every function of expressions.
pub static FUNCTIONS: &[Function] = &[
    Function::new("size", "size(x)", "the number of characters, bytes, items or keys", &[SIZED], I, lists::size).both(),
    Function::new("random", "random(low, high)", "a random int, both ends included", &[I, I], I, |_| Err(unfit()))
        .random(),
    Function::new("range", "range(n)", "the list of the ints 0 to n-1", &[I], L, lists::range),
    Function::new(
        "min",
        "min(a, b, ..)",
        "the least of the numbers, or of one list of numbers",
        &[NUMBERS],
        N,
        numbers::least,
    )
    .repeated()
    .alike(),
    Function::new(
        "max",
        "max(a, b, ..)",
        "the greatest of the numbers, or of one list of numbers",
        &[NUMBERS],
        N,
        numbers::greatest,
    )
    .repeated()
    .alike(),
    Function::new("abs", "abs(x)", "the number without its sign", &[N], N, numbers::abs).alike(),
    Function::new(
        "int",
        "int(x)",
        "the int: a float's without its fraction, a string's digits",
        &[N.or(T)],
        I,
        convert::int,
    ),
    Function::new(
        "float",
        "float(x)",
        "the float nearest to an int, or the float in a string",
        &[N.or(T)],
        Types::FLOAT,
        convert::float,
    ),
    Function::new(
        "double",
        "double(x)",
        "the same as `float`, by CEL's name",
        &[N.or(T)],
        Types::FLOAT,
        convert::float,
    ),
    Function::new(
        "string",
        "string(x)",
        "the value as text; bytes have to be UTF-8",
        &[Types::ANY],
        T,
        convert::string,
    ),
    Function::new(
        "bytes",
        "bytes(x)",
        "the bytes of a string, in UTF-8",
        &[T.or(Types::BYTES)],
        Types::BYTES,
        convert::bytes,
    ),
    Function::new("bool", "bool(x)", "the bool in a string: `true` or `false`", &[B.or(T)], B, convert::bool),
    Function::new("type", "type(x)", "the name of the type, as a string: `\"int\"`", &[Types::ANY], T, convert::kind),
    // Text.
    Function::new("contains", "text.contains(part)", "whether the part is in the text", &[T, T], B, text::contains)
        .method(),
    Function::new(
        "startsWith",
        "text.startsWith(part)",
        "whether the text begins with the part",
        &[T, T],
        B,
        text::starts_with,
    )
    .method(),
    Function::new(
        "endsWith",
        "text.endsWith(part)",
        "whether the text ends with the part",
        &[T, T],
        B,
        text::ends_with,
    )
    .method(),
    Function::new("charAt", "text.charAt(i)", "the character at that place, the first at 0", &[T, I], T, text::char_at)
        .method(),
    Function::new(
        "indexOf",
        "text.indexOf(part, from)",
        "the place of the part's first occurrence, -1 if there is none; `from` is optional",
        &[T, T, I],
        I,
        text::index_of,
    )
    .method()
    .optional(),
    Function::new(
        "lastIndexOf",
        "text.lastIndexOf(part)",
        "the place of the part's last occurrence, -1 where there is none",
        &[T, T],
        I,
        text::last_index_of,
    )
    .method(),
    Function::new(
        "substring",
        "text.substring(start, end)",
        "the characters from `start` to before `end`; to the end of the text without it",
        &[T, I, I],
        T,
        text::substring,
    )
    .method()
    .optional(),
    Function::new("lowerAscii", "text.lowerAscii()", "the text with A to Z as a to z", &[T], T, text::lower_ascii)
        .method(),
    Function::new("upperAscii", "text.upperAscii()", "the text with a to z as A to Z", &[T], T, text::upper_ascii)
        .method(),
    Function::new("trim", "text.trim()", "the text without white space at its ends", &[T], T, text::trim).method(),
    Function::new(
        "replace",
        "text.replace(old, new, n)",
        "the text with `new` for `old`, at most n times; everywhere without n",
        &[T, T, T, I],
        T,
        text::replace,
    )
    .method()
    .optional(),
    Function::new(
        "split",
        "text.split(separator, n)",
        "the list of the parts between separators, at most n parts; all without n",
        &[T, T, I],
        L,
        text::split,
    )
    .method()
    .optional(),
    Function::new(
        "join",
        "list.join(separator)",
        "the items as one text, with the separator between them",
        &[L, T],
        T,
        text::join,
    )
    .method()
    .optional(),
    // Lists.
    Function::new(
        "reverse",
        "x.reverse()",
        "the list or text from its end to its beginning",
        &[TEXT_OR_LIST],
        TEXT_OR_LIST,
        lists::reverse,
    )
    .both()
    .alike(),
    Function::new(
        "sort",
        "list.sort()",
        "the list in ascending order; all its items are numbers, strings, bytes or bools",
        &[L],
        L,
        lists::sort,
    )
    .both(),
    Function::new("sum", "list.sum()", "the sum of the list's numbers", &[L], N, lists::sum).both(),
    Function::new(
        "distinct",
        "list.distinct()",
        "the list with each value once, in the order of first occurrence",
        &[L],
        L,
        lists::distinct,
    )
    .both(),
    Function::new(
        "slice",
        "list.slice(start, end)",
        "the items from `start` to before `end`",
        &[L, I, I],
        L,
        lists::slice,
    )
    .method(),
    Function::new(
        "flatten",
        "list.flatten(depth)",
        "the list with the items of its lists in their place, `depth` levels deep; one without it",
        &[L, I],
        L,
        lists::flatten,
    )
    .method()
    .optional(),
    Function::new("lists.range", "lists.range(n)", "the same as `range`, by CEL's name", &[I], L, lists::range),
    // Numbers.
    Function::new(
        "math.least",
        "math.least(a, b, ..)",
        "the same as `min`, by CEL's name",
        &[NUMBERS],
        N,
        numbers::least,
    )
    .repeated()
    .alike(),
    Function::new(
        "math.greatest",
        "math.greatest(a, b, ..)",
        "the same as `max`, by CEL's name",
        &[NUMBERS],
        N,
        numbers::greatest,
    )
    .repeated()
    .alike(),
    Function::new("math.abs", "math.abs(x)", "the same as `abs`, by CEL's name", &[N], N, numbers::abs).alike(),
    Function::new(
        "math.sign",
        "math.sign(x)",
        "-1, 0 or 1, as the number is below, at or above 0",
        &[N],
        N,
        numbers::sign,
    )
    .alike(),
    Function::new("math.ceil", "math.ceil(x)", "the next whole number at or above", &[N], N, numbers::ceil).alike(),
    Function::new("math.floor", "math.floor(x)", "the next whole number at or below", &[N], N, numbers::floor).alike(),
    Function::new(
        "math.round",
        "math.round(x)",
        "the nearest whole number, halves away from 0",
        &[N],
        N,
        numbers::round,
    )
    .alike(),
    Function::new("math.trunc", "math.trunc(x)", "the number without its fraction", &[N], N, numbers::trunc).alike(),
    Function::new("math.sqrt", "math.sqrt(x)", "the square root, a float", &[N], Types::FLOAT, numbers::sqrt),
    Function::new("math.isNaN", "math.isNaN(x)", "whether it is not a number (NaN)", &[N], B, numbers::is_nan),
    Function::new("math.isInf", "math.isInf(x)", "whether it is an infinite float", &[N], B, numbers::is_inf),
    Function::new(
        "math.isFinite",
        "math.isFinite(x)",
        "whether it is neither infinite nor NaN",
        &[N],
        B,
        numbers::is_finite,
    ),
    Function::new("math.bitAnd", "math.bitAnd(a, b)", "the bits that both have", &[I, I], I, numbers::bit_and),
    Function::new("math.bitOr", "math.bitOr(a, b)", "the bits that either has", &[I, I], I, numbers::bit_or),
    Function::new(
        "math.bitXor",
        "math.bitXor(a, b)",
        "the bits that just one of them has",
        &[I, I],
        I,
        numbers::bit_xor,
    ),
    Function::new("math.bitNot", "math.bitNot(x)", "the bits that it has not", &[I], I, numbers::bit_not),
    Function::new(
        "math.bitShiftLeft",
        "math.bitShiftLeft(x, n)",
        "the bits moved n places up",
        &[I, I],
        I,
        numbers::shift_left,
    ),
    Function::new(
        "math.bitShiftRight",
        "math.bitShiftRight(x, n)",
        "the bits moved n places down, zeros moving in",
        &[I, I],
        I,
        numbers::shift_right,
    ),
];
