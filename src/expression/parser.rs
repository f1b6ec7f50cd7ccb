//! Tokens to a syntax tree: a Pratt parser that stops at the first fault.
//!
//! It knows neither names nor types. The tree's height is bounded, so that whatever walks it may recurse.

use std::ops::Range;

use super::Fault;
use super::lexer::{Lexer, Token};
use super::operators::Operator;
use crate::value::Value;

/// How deep parentheses, lists, maps, calls and choices may nest.
const NESTING: usize = 200;
/// How high the tree may grow: a chain such as `1 + 1 + 1` grows by one with each operator.
const HEIGHT: u16 = 250;

/// A part that was read, or the fault that ended the reading. Both are boxed: the parser recurses, and every result
/// has its place in the frames of all that pass it on.
type Parsed<'t> = Result<Part<'t>, Box<Fault>>;

/// A part within another.
pub(super) type Part<'t> = Box<Syntax<'t>>;

/// A part of an expression as written.
#[derive(Debug)]
pub(super) struct Syntax<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) span: Range<usize>,
    height: u16,
}

/// What a part of an expression is.
#[derive(Debug)]
pub(super) enum Kind<'t> {
    Constant(Value),
    Name(&'t str),
    Not(Part<'t>),
    Negate(Part<'t>),
    Binary(Operator, Part<'t>, Part<'t>),
    /// Operands joined by `&&`.
    All(Vec<Part<'t>>),
    /// Operands joined by `||`.
    Any(Vec<Part<'t>>),
    Choice(Part<'t>, Part<'t>, Part<'t>),
    Index(Part<'t>, Part<'t>),
    Field(Part<'t>, &'t str, Range<usize>),
    Call(Box<Call<'t>>),
    List(Vec<Part<'t>>),
    Map(Vec<(Part<'t>, Part<'t>)>),
}

/// A call of a function.
#[derive(Debug)]
pub(super) struct Call<'t> {
    /// What stands before the dot: `s` of `s.size()`.
    pub(super) receiver: Option<Part<'t>>,
    pub(super) name: &'t str,
    pub(super) name_span: Range<usize>,
    pub(super) arguments: Vec<Part<'t>>,
}

/// The syntax tree of a text that is one expression.
pub(super) fn parse(text: &str) -> Parsed<'_> {
    let mut parser = Parser::new(text, 0)?;
    if parser.token == Token::End {
        return Err(Fault::new(0..text.len(), "there is no expression here").into());
    }
    let syntax = parser.expression()?;
    match parser.token {
        Token::End => Ok(syntax),
        _ => parser.unexpected("an operator"),
    }
}

/// Reads an expression and the tokens behind it.
pub(super) struct Parser<'t> {
    lexer: Lexer<'t>,
    /// The token in view.
    pub(super) token: Token<'t>,
    /// Its bytes.
    pub(super) span: Range<usize>,
    /// The bytes of the token before it.
    previous: Range<usize>,
    depth: usize,
}

impl<'t> Parser<'t> {
    /// A parser of what stands in `text` from the byte `at`.
    pub(super) fn new(text: &'t str, at: usize) -> Result<Self, Box<Fault>> {
        let mut lexer = Lexer::new(text, at);
        let (token, span) = lexer.next()?;
        Ok(Self { lexer, token, span, previous: at..at, depth: 0 })
    }

    fn advance(&mut self) -> Result<Token<'t>, Box<Fault>> {
        let (token, span) = self.lexer.next()?;
        self.previous = std::mem::replace(&mut self.span, span);
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn take(&mut self, sign: &str) -> Result<bool, Box<Fault>> {
        let here = matches!(self.token, Token::Sign(found) if found == sign);
        if here {
            self.advance()?;
        }
        Ok(here)
    }

    /// A node from `start` to the end of the last token that was taken.
    fn node(&self, kind: Kind<'t>, start: usize) -> Parsed<'t> {
        let below = match &kind {
            Kind::Constant(_) | Kind::Name(_) => 0,
            Kind::Not(inner) | Kind::Negate(inner) | Kind::Field(inner, ..) => inner.height,
            Kind::Binary(_, left, right) | Kind::Index(left, right) => left.height.max(right.height),
            Kind::All(items) | Kind::Any(items) | Kind::List(items) => highest(items),
            Kind::Choice(condition, then, other) => condition.height.max(then.height).max(other.height),
            Kind::Call(call) => highest(call.receiver.iter().chain(&call.arguments)),
            Kind::Map(entries) => highest(entries.iter().flat_map(|(key, value)| [key, value])),
        };
        let span = start..self.previous.end;
        if below >= HEIGHT {
            let message = format!("this expression is too long: more than {HEIGHT} operations follow one another");
            return Err(Fault::new(span, message).help("compute a part of it in a step before, with `let`").into());
        }
        Ok(Box::new(Syntax { kind, span, height: below + 1 }))
    }

    /// One expression; what stands behind it is left in view.
    pub(super) fn expression(&mut self) -> Parsed<'t> {
        self.nested(|parser| {
            let start = parser.span.start;
            let condition = parser.binary(0)?;
            let question = parser.span.clone();
            if !parser.take("?")? {
                return Ok(condition);
            }
            let then = parser.expression()?;
            if !parser.take(":")? {
                if parser.token == Token::End {
                    return Err(Fault::new(question, "this `?` has no `:`")
                        .help("write `condition ? this : that`")
                        .into());
                }
                return parser.unexpected("`:`");
            }
            let other = parser.expression()?;
            parser.node(Kind::Choice(condition, then, other), start)
        })
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Box<Fault>>) -> Result<T, Box<Fault>> {
        if self.depth >= NESTING {
            let message = format!("this expression nests deeper than {NESTING} levels");
            return Err(Fault::new(self.span.clone(), message).into());
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Operands joined by operators that bind at least as tightly as `least`.
    fn binary(&mut self, least: u8) -> Parsed<'t> {
        let start = self.span.start;
        let mut left = self.unary()?;
        while let Some((power, operator)) = infix(&self.token).filter(|(power, _)| *power >= least) {
            self.advance()?;
            let right = self.nested(|parser| parser.binary(power + 1))?;
            left = match (operator, &mut left.kind) {
                // A chain of `&&` or of `||` stays flat, however long it is.
                (Infix::All, Kind::All(items)) | (Infix::Any, Kind::Any(items)) => {
                    left.height = left.height.max(right.height + 1);
                    left.span.end = self.previous.end;
                    items.push(right);
                    left
                }
                (Infix::All, _) => self.node(Kind::All(vec![left, right]), start)?,
                (Infix::Any, _) => self.node(Kind::Any(vec![left, right]), start)?,
                (Infix::Operator(operator), _) => self.node(Kind::Binary(operator, left, right), start)?,
            };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<'t> {
        let start = self.span.start;
        if self.take("!")? {
            let inner = self.nested(Self::unary)?;
            return self.node(Kind::Not(inner), start);
        }
        if self.take("-")? {
            // The least int has no positive counterpart that could be negated.
            if self.token == Token::Int(1 << 63) {
                self.advance()?;
                let least = self.node(Kind::Constant(Value::Int(i64::MIN)), start)?;
                return self.postfix(least);
            }
            let inner = self.nested(Self::unary)?;
            return self.node(Kind::Negate(inner), start);
        }
        let primary = self.primary()?;
        self.postfix(primary)
    }

    fn postfix(&mut self, mut left: Part<'t>) -> Parsed<'t> {
        let start = left.span.start;
        loop {
            let opening = self.span.clone();
            if self.take("[")? {
                let index = self.expression()?;
                self.close("]", &opening, "`]`")?;
                left = self.node(Kind::Index(left, index), start)?;
            } else if self.take(".")? {
                let Token::Name(name) = self.token else {
                    return self.unexpected("a name");
                };
                self.advance()?;
                let name_span = self.previous.clone();
                left = if self.token == Token::Sign("(") {
                    self.call(Some(left), name, name_span, start)?
                } else {
                    self.node(Kind::Field(left, name, name_span), start)?
                };
            } else {
                return Ok(left);
            }
        }
    }

    /// The arguments of a call, whose `(` is in view.
    fn call(&mut self, receiver: Option<Part<'t>>, name: &'t str, name_span: Range<usize>, start: usize) -> Parsed<'t> {
        let arguments = self.items("(", ")", Self::expression)?;
        self.node(Kind::Call(Box::new(Call { receiver, name, name_span, arguments })), start)
    }

    /// Items between brackets, separated by commas; the opening one is in view. A comma may follow the last.
    fn items<T>(
        &mut self,
        open: &str,
        close: &str,
        mut read: impl FnMut(&mut Self) -> Result<T, Box<Fault>>,
    ) -> Result<Vec<T>, Box<Fault>> {
        let opening = self.span.clone();
        self.take(open)?;
        let mut items: Vec<T> = Vec::new();
        while !self.take(close)? {
            if self.token == Token::End {
                return unclosed(&opening, open);
            }
            items.push(read(self)?);
            if !self.take(",")? {
                self.close(close, &opening, &format!("`,` or `{close}`"))?;
                break;
            }
        }
        Ok(items)
    }

    fn close(&mut self, sign: &str, opening: &Range<usize>, expected: &str) -> Result<(), Box<Fault>> {
        if self.take(sign)? {
            return Ok(());
        }
        if self.token == Token::End {
            return unclosed(opening, &self.lexer.text()[opening.clone()]);
        }
        self.unexpected(expected)
    }

    fn primary(&mut self) -> Parsed<'t> {
        let start = self.span.start;
        let kind = match &self.token {
            Token::Sign("(") => {
                let opening = self.span.clone();
                self.advance()?;
                let mut inner = self.expression()?;
                self.close(")", &opening, "`)`")?;
                inner.span = start..self.previous.end;
                return Ok(inner);
            }
            Token::Sign("[") => Kind::List(self.items("[", "]", Self::expression)?),
            Token::Sign("{") => Kind::Map(self.items("{", "}", Self::entry)?),
            Token::Name(name) => {
                let name = *name;
                self.advance()?;
                match name {
                    "true" => Kind::Constant(Value::Bool(true)),
                    "false" => Kind::Constant(Value::Bool(false)),
                    "null" => Kind::Constant(Value::Null),
                    "in" => return Err(Fault::new(self.previous.clone(), "a value is missing before `in`").into()),
                    name if self.token == Token::Sign("(") => {
                        return self.call(None, name, self.previous.clone(), start);
                    }
                    name => Kind::Name(name),
                }
            }
            Token::Int(value) => match i64::try_from(*value) {
                Ok(value) => {
                    self.advance()?;
                    Kind::Constant(Value::Int(value))
                }
                Err(_) => {
                    return Err(Fault::new(self.span.clone(), "this number is too large for an int")
                        .help(format!("an int is at most {}", i64::MAX))
                        .into());
                }
            },
            Token::Float(_) | Token::Text(_) | Token::Bytes(_) => match self.advance()? {
                Token::Float(value) => Kind::Constant(Value::Float(value)),
                Token::Text(text) => Kind::Constant(text.into()),
                Token::Bytes(bytes) => Kind::Constant(bytes.into()),
                _ => Kind::Constant(Value::Null),
            },
            Token::Sign(_) | Token::End => return self.no_value(),
        };
        self.node(kind, start)
    }

    /// `key: value` of a map.
    fn entry(&mut self) -> Result<(Part<'t>, Part<'t>), Box<Fault>> {
        let key = self.expression()?;
        if !self.take(":")? {
            if self.token == Token::Sign("}") {
                return Err(Fault::new(self.span.clone(), "braces make a map, and this is an expression already")
                    .help("leave the braces away: they are for expressions within text")
                    .into());
            }
            return self.unexpected("`:` and a value");
        }
        Ok((key, self.expression()?))
    }

    /// The fault of a place where a value should begin.
    fn no_value(&self) -> Parsed<'t> {
        let text = self.lexer.text();
        let before = &text[self.previous.clone()];
        let fault = match &self.token {
            Token::End if before.is_empty() => Fault::new(self.span.clone(), "a value is missing here"),
            Token::End => {
                let message = format!("a value is missing behind `{before}`");
                Fault::new(self.previous.clone(), message).label("the expression ends here")
            }
            _ => {
                let found = &text[self.span.clone()];
                let fault = Fault::new(self.span.clone(), format!("expected a value, found `{found}`"));
                if found == "+" { fault.help("a positive number has no sign") } else { fault }
            }
        };
        Err(fault.into())
    }

    /// The fault of a token that stands where `expected` should.
    pub(super) fn unexpected<T>(&self, expected: &str) -> Result<T, Box<Fault>> {
        let text = self.lexer.text();
        let (before, found) = (&text[self.previous.clone()], &text[self.span.clone()]);
        if self.token == Token::End {
            let fault = Fault::new(self.previous.clone(), format!("{expected} is missing behind `{before}`"));
            return Err(fault.label("the expression ends here").into());
        }
        let help = match (before, found) {
            ("not" | "NOT", _) => Some("for `not`, write `!`"),
            (_, "and" | "AND") => Some("for `and`, write `&&`"),
            (_, "or" | "OR") => Some("for `or`, write `||`"),
            (_, "not") => Some("for `not in`, write `!(x in list)`"),
            (_, "is") => Some("to compare, write `==`"),
            (_, "mod") => Some("for the remainder, write `%`"),
            (_, "div") => Some("to divide, write `/`"),
            (_, "if" | "then" | "else") => Some("for a choice, write `condition ? this : that`"),
            (_, "!") => Some("to compare, write `!=`"),
            _ => None,
        };
        let message = match found {
            ")" | "]" | "}" if expected == "an operator" => format!("nothing is open that this `{found}` would close"),
            _ => format!("expected {expected}, found `{found}`"),
        };
        let fault = Fault::new(self.span.clone(), message);
        Err(match help {
            Some(help) => fault.help(help).into(),
            None => fault.into(),
        })
    }
}

enum Infix {
    All,
    Any,
    Operator(Operator),
}

/// How tightly the operator binds, and which it is.
fn infix(token: &Token) -> Option<(u8, Infix)> {
    Some(match token {
        Token::Sign("||") => (1, Infix::Any),
        Token::Sign("&&") => (2, Infix::All),
        Token::Name("in") => (3, Infix::Operator(Operator::In)),
        Token::Sign(sign) => {
            let operator = Operator::of_sign(sign)?;
            let power = match operator {
                Operator::Add | Operator::Subtract => 4,
                Operator::Multiply | Operator::Divide | Operator::Remainder => 5,
                _ => 3,
            };
            (power, Infix::Operator(operator))
        }
        _ => return None,
    })
}

fn highest<'a, 't: 'a>(items: impl IntoIterator<Item = &'a Part<'t>>) -> u16 {
    items.into_iter().map(|item| item.height).max().unwrap_or(0)
}

fn unclosed<T>(opening: &Range<usize>, sign: &str) -> Result<T, Box<Fault>> {
    Err(Fault::new(opening.clone(), format!("this `{sign}` is not closed")).into())
}
