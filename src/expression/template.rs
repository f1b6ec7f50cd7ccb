//! Strings in which `{expr}` is replaced.
//!
//! The expression's own tokens say where it ends, so braces of maps and of strings inside it are no matter.

use super::check::Check;
use super::evaluate::append;
use super::lexer::Token;
use super::node::Node;
use super::parser::{Parser, Part};
use super::{Expression, Fault, Scope};
use crate::value::{Types, Value};

const BRACES: &str = "for a brace itself, write it twice: `{{` or `}}`";

enum Piece<'t> {
    Text(String),
    Expression(Part<'t>),
}

pub(super) fn parse(text: &str, scope: &mut dyn Scope) -> Result<Expression, Vec<Fault>> {
    let pieces = pieces(text).map_err(|fault| vec![*fault])?;
    let mut check = Check::new(scope);
    if let [Piece::Expression(syntax)] = pieces.as_slice() {
        let expression = check.expression(syntax);
        return check.finish(expression);
    }
    // Neighbouring constants grow together, so that a text without variables becomes one constant.
    let mut nodes: Vec<Node> = Vec::new();
    let mut known = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(piece) => known.push_str(&piece),
            Piece::Expression(syntax) => match check.expression(&syntax).node {
                Node::Constant(value) => append(&mut known, &value),
                node => {
                    if !known.is_empty() {
                        nodes.push(Node::Constant(std::mem::take(&mut known).into()));
                    }
                    nodes.push(node);
                }
            },
        }
    }
    let node = if nodes.is_empty() {
        Node::Constant(known.into())
    } else {
        if !known.is_empty() {
            nodes.push(Node::Constant(Value::from(known)));
        }
        Node::Text(nodes.into())
    };
    check.finish(Expression { node, types: Types::STRING })
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Box<Fault>> {
    let mut pieces = Vec::new();
    let mut known = String::new();
    let mut at = 0;
    while let Some(length) = text[at..].find(['{', '}']) {
        let brace = at + length;
        known.push_str(&text[at..brace]);
        let here = &text[brace..];
        if here.starts_with("{{") || here.starts_with("}}") {
            known.push_str(&here[..1]);
            at = brace + 2;
        } else if here.starts_with('}') {
            return Err(Fault::new(brace..brace + 1, "nothing is open that this `}` would close").help(BRACES).into());
        } else {
            let (syntax, end) = embedded(text, brace)?;
            if !known.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut known)));
            }
            pieces.push(Piece::Expression(syntax));
            at = end;
        }
    }
    known.push_str(&text[at..]);
    if !known.is_empty() {
        pieces.push(Piece::Text(known));
    }
    Ok(pieces)
}

/// The expression after the brace at `brace`, and where the text continues.
fn embedded(text: &str, brace: usize) -> Result<(Part<'_>, usize), Box<Fault>> {
    let helpful = |fault: Box<Fault>| if fault.help.is_none() { fault.help(BRACES).into() } else { fault };
    let mut parser = Parser::new(text, brace + 1).map_err(helpful)?;
    if parser.token == Token::Sign("}") {
        let span = brace..parser.span.end;
        return Err(Fault::new(span, "there is no expression between these braces").help(BRACES).into());
    }
    match parser.expression() {
        Ok(syntax) if parser.token == Token::Sign("}") => Ok((syntax, parser.span.end)),
        _ if parser.token == Token::End => {
            Err(Fault::new(brace..brace + 1, "this `{` is not closed").help(BRACES).into())
        }
        Ok(_) => parser.unexpected("`}`").map_err(helpful),
        Err(fault) => Err(helpful(fault)),
    }
}
