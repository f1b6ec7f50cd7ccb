//! Text to tokens, one at a time, each with its bytes.
//!
//! The parser asks for tokens as it goes, so that a template can read on behind an expression's closing brace.
//! Signs of other languages (`=`, `&`, `//`) are faults here that name the right one.

use std::ops::Range;

use super::Fault;

/// A word, a literal or a sign.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'t> {
    /// An integer without its sign, at most 2^63.
    Int(u64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Name(&'t str),
    Sign(&'static str),
    End,
}

/// The longer ones first.
const SIGNS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ",", ".", "(", ")", "[", "]",
    "{", "}",
];

/// What other languages write, and what to write here; looked for before [`SIGNS`].
const FOREIGN: [(&str, &str); 30] = [
    ("===", "to compare, write `==`"),
    ("!==", "to compare, write `!=`"),
    ("=<", "write `<=`"),
    ("=>", "write `>=`"),
    ("=~", "for a part of a text, write `text.contains(part)`"),
    ("<>", "write `!=`"),
    ("<<", "to shift bits, write `math.bitShiftLeft(x, n)`"),
    (">>", "to shift bits, write `math.bitShiftRight(x, n)`"),
    ("**", "there is no power; multiply instead"),
    ("++", "to count, write `x + 1`"),
    ("+=", "an expression has no assignment; a step has: `let = { x = \"{x + 1}\" }`"),
    ("-=", "an expression has no assignment; a step has: `let = { x = \"{x - 1}\" }`"),
    ("//", "`/` of two ints leaves the remainder away; there are no comments here"),
    ("??", "write `x == null ? other : x`"),
    ("::", "write `.`"),
    ("≤", "write `<=`"),
    ("≥", "write `>=`"),
    ("≠", "write `!=`"),
    ("×", "write `*`"),
    ("÷", "write `/`"),
    ("−", "write `-`"),
    ("“", "write the plain quote `\"`"),
    ("”", "write the plain quote `\"`"),
    ("‘", "write the plain quote `'`"),
    ("’", "write the plain quote `'`"),
    ("$", "write the name without `$`"),
    ("^", "for the bits, write `math.bitXor(a, b)`"),
    ("~", "for the bits, write `math.bitNot(x)`"),
    (";", "an expression is one value; put other steps into steps of their own"),
    ("`", "write strings in quotes: `\"text\"` or `'text'`"),
];

/// Where the next token begins in a text.
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    /// Reads `text` from the byte `at`.
    pub(super) fn new(text: &'t str, at: usize) -> Self {
        Self { text, at }
    }

    /// The text as a whole.
    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// The next token and its bytes.
    pub(super) fn next(&mut self) -> Result<(Token<'t>, Range<usize>), Box<Fault>> {
        self.read().map_err(Box::new)
    }

    fn read(&mut self) -> Result<(Token<'t>, Range<usize>), Fault> {
        self.take_while(char::is_whitespace);
        let start = self.at;
        let Some(first) = self.peek() else {
            return Ok((Token::End, start..start));
        };
        let token = if first.is_ascii_digit() || self.begins_a_fraction(first) {
            self.number()?
        } else if let Some((prefix, raw, bytes)) = self.string_prefix() {
            self.at += prefix;
            self.string(start, raw, bytes)?
        } else if first.is_alphabetic() || first == '_' {
            Token::Name(self.take_while(|c| c.is_alphanumeric() || c == '_'))
        } else {
            self.sign(first)?
        };
        Ok((token, start..self.at))
    }

    fn begins_a_fraction(&self, first: char) -> bool {
        first == '.' && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit())
    }

    fn sign(&mut self, first: char) -> Result<Token<'t>, Fault> {
        let (start, rest) = (self.at, self.rest());
        if let Some((foreign, help)) = FOREIGN.iter().find(|(foreign, _)| rest.starts_with(foreign)) {
            let span = start..start + foreign.len();
            return Err(Fault::new(span, format!("there is no `{foreign}` in an expression")).help(*help));
        }
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            self.at += sign.len();
            return Ok(Token::Sign(sign));
        }
        let span = start..start + first.len_utf8();
        Err(match first {
            '=' => Fault::new(span, "`=` does not compare").help("to compare, write `==`"),
            '&' => Fault::new(span, "there is no `&` in an expression").help("for `and`, write `&&`"),
            '|' => Fault::new(span, "there is no `|` in an expression").help("for `or`, write `||`"),
            other => Fault::new(span, format!("there is no `{}` in an expression", other.escape_debug())),
        })
    }

    fn number(&mut self) -> Result<Token<'t>, Fault> {
        let start = self.at;
        let mut float = false;
        let hexadecimal = self.rest().starts_with("0x") || self.rest().starts_with("0X");
        if hexadecimal {
            self.at += 2;
            self.take_while(|c| c.is_ascii_hexdigit());
        } else {
            self.take_while(|c| c.is_ascii_digit());
            if self.peek().is_some_and(|c| self.begins_a_fraction(c)) {
                float = true;
                self.at += 1;
                self.take_while(|c| c.is_ascii_digit());
            }
            float |= self.exponent();
        }
        let text = &self.text[start..self.at];
        let tail = self.take_while(|c| c.is_alphanumeric() || c == '_');
        let span = start..self.at;
        if !tail.is_empty() || text.len() == 2 && hexadecimal {
            let help = match tail.chars().next() {
                Some('_') => "write digits without `_` between them",
                Some('u' | 'U') => "there are no unsigned numbers; write it without `u`",
                _ => "numbers are written `12`, `0x1f`, `1.5` or `1e3`; a name cannot begin with a digit",
            };
            return Err(Fault::new(span.clone(), format!("`{}` is not a number", &self.text[span])).help(help));
        }
        if float {
            return match text.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Token::Float(value)),
                _ => Err(Fault::new(span, "this number is too large for a float")),
            };
        }
        let value = if hexadecimal { u64::from_str_radix(&text[2..], 16) } else { text.parse() };
        match value {
            Ok(value) if value <= 1 << 63 => Ok(Token::Int(value)),
            _ => Err(Fault::new(span, "this number is too large for an int").help(format!(
                "an int is at most {}; `{}.0` is a float",
                i64::MAX,
                text
            ))),
        }
    }

    /// Takes `e3`, `E+3`, `e-3` where one stands here.
    fn exponent(&mut self) -> bool {
        let rest = self.rest();
        let Some(digits) = rest.strip_prefix(['e', 'E']) else { return false };
        let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return false;
        }
        self.at += rest.len() - digits.len();
        self.take_while(|c| c.is_ascii_digit());
        true
    }

    /// The length of a string's prefix, whether it is raw and whether it is bytes, where a string begins here.
    fn string_prefix(&self) -> Option<(usize, bool, bool)> {
        let (mut raw, mut bytes) = (false, false);
        for (length, c) in self.rest().char_indices() {
            match c {
                '"' | '\'' => return Some((length, raw, bytes)),
                'r' | 'R' if !raw => raw = true,
                'b' | 'B' if !bytes => bytes = true,
                _ => return None,
            }
        }
        None
    }

    /// Reads a string from its opening quote; `start` is where its prefix began.
    fn string(&mut self, start: usize, raw: bool, bytes: bool) -> Result<Token<'t>, Fault> {
        let rest = self.rest();
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| rest.starts_with(quote)).unwrap_or("\"");
        self.at += quote.len();
        let opening = start..self.at;
        // Bytes keep what an escape of one byte means; text is put together from whole characters alone.
        let mut content: Vec<u8> = Vec::new();
        loop {
            if self.rest().starts_with(quote) {
                self.at += quote.len();
                break;
            }
            match self.peek() {
                None => return Err(Self::unclosed(opening, quote)),
                Some('\n' | '\r') if quote.len() == 1 => return Err(Self::unclosed(opening, quote)),
                Some('\\') if !raw => self.escape(bytes, &mut content)?,
                Some(c) => {
                    self.at += c.len_utf8();
                    content.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
        if bytes {
            return Ok(Token::Bytes(content));
        }
        match String::from_utf8(content) {
            Ok(text) => Ok(Token::Text(text)),
            Err(_) => Err(Fault::new(start..self.at, "this string is not text")),
        }
    }

    fn unclosed(opening: Range<usize>, quote: &str) -> Fault {
        Fault::new(opening, "this string is not closed").help(format!("end it with `{quote}`"))
    }

    fn escape(&mut self, bytes: bool, content: &mut Vec<u8>) -> Result<(), Fault> {
        let start = self.at;
        let mut characters = self.rest().chars();
        characters.next();
        let Some(kind) = characters.next() else {
            self.at += 1;
            return Ok(());
        };
        self.at += 1 + kind.len_utf8();
        let (digits, radix) = match kind {
            '\\' | '?' | '"' | '\'' | '`' => {
                content.push(kind as u8);
                return Ok(());
            }
            'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' => {
                let code = match kind {
                    'a' => 7,
                    'b' => 8,
                    'f' => 12,
                    'n' => b'\n',
                    'r' => b'\r',
                    't' => b'\t',
                    _ => 11,
                };
                content.push(code);
                return Ok(());
            }
            'x' | 'X' => (2, 16),
            'u' if !bytes => (4, 16),
            'U' if !bytes => (8, 16),
            '0'..='3' => {
                self.at -= 1;
                (3, 8)
            }
            _ => {
                let span = start..self.at;
                let message = format!("`{}` is no escape", &self.text[span.clone()]);
                return Err(Fault::new(span, message)
                    .help("for a backslash, write `\\\\`, or put `r` before the string's quote"));
            }
        };
        let number = self.rest().get(..digits).filter(|text| text.chars().all(|c| c.is_digit(radix)));
        let Some(code) = number.and_then(|text| u32::from_str_radix(text, radix).ok()) else {
            let message = format!("`\\{kind}` is followed by {digits} digits of base {radix}");
            return Err(Fault::new(start..self.at, message));
        };
        self.at += digits;
        if bytes {
            content.push(code as u8);
            return Ok(());
        }
        match char::from_u32(code) {
            Some(c) => content.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None => return Err(Fault::new(start..self.at, format!("there is no character {code:#x}"))),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<Vec<Token<'_>>, Box<Fault>> {
        let mut lexer = Lexer::new(text, 0);
        let mut found = Vec::new();
        loop {
            match lexer.next()?.0 {
                Token::End => return Ok(found),
                token => found.push(token),
            }
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(tokens("12 0x1F 1.5 .5 2e3 1E-2"), {
            let floats = [1.5, 0.5, 2000.0, 0.01].map(Token::Float);
            Ok([Token::Int(12), Token::Int(31)].into_iter().chain(floats).collect())
        });
        assert_eq!(tokens("9223372036854775808"), Ok(vec![Token::Int(1 << 63)]));
        for wrong in ["9223372036854775809", "0x", "0xg", "1_000", "12abc", "1u", "1e999", "99999999999999999999"] {
            assert!(tokens(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn strings() {
        let text = |text: &str| Ok(vec![Token::Text(text.into())]);
        assert_eq!(tokens(r#""a\n\"\x41\u00e9\101""#), text("a\n\"AéA"));
        assert_eq!(tokens(r"'it' r'\d'"), Ok(vec![Token::Text("it".into()), Token::Text("\\d".into())]));
        assert_eq!(tokens("'''a\n'b'''"), text("a\n'b"));
        assert_eq!(tokens(r"b'\xff\x00é'"), Ok(vec![Token::Bytes(vec![255, 0, 0xc3, 0xa9])]));
        for wrong in ["'a", "\"", "'a\nb'", r"'\q'", r"'\x4'", r"'\ud800'", r"b'\u0041'", "'\\", "'''a''"] {
            assert!(tokens(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn foreign_signs_name_the_right_one() {
        for (wrong, span, help) in [
            ("é = 1", 3..4, "to compare, write `==`"),
            ("a & b", 2..3, "for `and`, write `&&`"),
            ("a | b", 2..3, "for `or`, write `||`"),
            ("a === b", 2..5, "to compare, write `==`"),
            ("7 // 2", 2..4, "`/` of two ints leaves the remainder away; there are no comments here"),
        ] {
            let fault = tokens(wrong).expect_err("a fault");
            assert_eq!((fault.span, fault.help.as_deref()), (span, Some(help)), "{wrong}");
        }
    }
}
