//! Checks calls: the scope's functions first, then those of the table.

use std::ops::Range;

use super::check::Check;
use super::evaluate::no_range;
use super::functions::{self, Body, FUNCTIONS, Function, Style};
use super::node::Node;
use super::parser::{Call, Kind, Syntax};
use super::{Expression, Fault, FaultKind, StateArgument};
use crate::diagnostic::nearest;
use crate::value::{Types, Value};

/// What other languages call a function, and its name here.
const FOREIGN: [(&str, &str); 24] = [
    ("len", "size"),
    ("length", "size"),
    ("strlen", "size"),
    ("str", "string"),
    ("toString", "string"),
    ("to_string", "string"),
    ("parseInt", "int"),
    ("rand", "random"),
    ("randint", "random"),
    ("typeof", "type"),
    ("upper", "upperAscii"),
    ("toUpperCase", "upperAscii"),
    ("lower", "lowerAscii"),
    ("toLowerCase", "lowerAscii"),
    ("strip", "trim"),
    ("sorted", "sort"),
    ("reversed", "reverse"),
    ("startswith", "startsWith"),
    ("endswith", "endsWith"),
    ("includes", "contains"),
    ("substr", "substring"),
    ("floor", "math.floor"),
    ("ceil", "math.ceil"),
    ("sqrt", "math.sqrt"),
];

/// Checks and compiles a call.
pub(super) fn check(check: &mut Check, call: &Call, span: &Range<usize>) -> Expression {
    if let Some(Kind::Name(space)) = call.receiver.as_ref().map(|receiver| &receiver.kind) {
        let full = format!("{space}.{}", call.name);
        if let Some(function) = functions::find(&full) {
            return apply(check, function, &call.arguments.iter().map(AsRef::as_ref).collect::<Vec<_>>(), span);
        }
        if let Some(fault) = unknown_in_space(check, space, call) {
            return check.fault(fault);
        }
    }
    let operands: Vec<&Syntax> = call.receiver.iter().chain(&call.arguments).map(AsRef::as_ref).collect();
    if let Some(state) = of_scope(check, call, &operands) {
        return state;
    }
    match functions::find(call.name) {
        Some(function) if is_placed(function, call) => apply(check, function, &operands, span),
        function => {
            for operand in operands {
                check.expression(operand);
            }
            let fault = match function {
                Some(function) => misplaced(function, call),
                None => unknown(call, &check.scope.calls()),
            };
            check.fault(fault)
        }
    }
}

/// Whether the call is written as the function's are.
fn is_placed(function: &Function, call: &Call) -> bool {
    match function.style {
        Style::Function => call.receiver.is_none(),
        Style::Method => call.receiver.is_some(),
        Style::Both => true,
    }
}

fn misplaced(function: &Function, call: &Call) -> Fault {
    let message = match function.style {
        Style::Method => format!("`{}` is called behind a value, with a dot", call.name),
        _ => format!("`{}` is not called behind a value", call.name),
    };
    Fault::new(call.name_span.clone(), message).help(format!("write `{}`", function.signature))
}

/// The fault of `math.unknown()`, where `math` is no name of the scope.
fn unknown_in_space(check: &mut Check, space: &str, call: &Call) -> Option<Fault> {
    let names = || FUNCTIONS.iter().filter_map(|known| known.name.strip_prefix(space)?.strip_prefix('.'));
    if names().next().is_none() || check.scope.name(space).is_ok() {
        return None;
    }
    let fault =
        Fault::new(call.name_span.clone(), format!("no function `{space}.{}`", call.name)).kind(FaultKind::Name);
    Some(match nearest(call.name, names()) {
        Some(name) => fault.suggest(name),
        None => fault,
    })
}

/// The call of a function that the scope has: what it reads of the run's state.
fn of_scope(check: &mut Check, call: &Call, operands: &[&Syntax]) -> Option<Expression> {
    let listed = check.scope.calls().contains(&call.name);
    let size = call.name == "size";
    if !(listed || size && operands.len() == 1) {
        return None;
    }
    let mut arguments = Vec::new();
    for operand in operands {
        match argument(check, operand) {
            Some(StateArgument::Text(_)) | None if size => return None,
            Some(argument) => arguments.push((argument, operand.span.clone())),
            None => {
                let fault = match &operand.kind {
                    Kind::Index(_, index) => Fault::new(index.span.clone(), "an index here has to be a constant int"),
                    _ => {
                        Fault::new(operand.span.clone(), format!("`{}` takes a name or a string in quotes", call.name))
                    }
                };
                return Some(check.fault(fault));
            }
        }
    }
    match check.scope.call(call.name, &arguments)? {
        Ok((state, types)) => Some(Expression { node: Node::State(state), types }),
        Err(fault) => Some(check.fault(fault)),
    }
}

fn argument(check: &mut Check, syntax: &Syntax) -> Option<StateArgument> {
    match &syntax.kind {
        Kind::Name(name) => Some(StateArgument::Name((*name).to_owned(), None)),
        Kind::Constant(Value::String(text)) => Some(StateArgument::Text(text.to_string())),
        Kind::Index(container, index) => match &container.kind {
            Kind::Name(name) => Some(StateArgument::Name((*name).to_owned(), Some(check.constant_int(index)?))),
            _ => None,
        },
        _ => None,
    }
}

/// The call of a function of the table.
fn apply(check: &mut Check, function: &'static Function, operands: &[&Syntax], span: &Range<usize>) -> Expression {
    let arguments: Vec<Expression> = operands.iter().map(|operand| check.expression(operand)).collect();
    if arguments.len() < function.least || function.most().is_some_and(|most| arguments.len() > most) {
        let fault = wrong_count(function, arguments.len(), span.clone());
        return check.fault(fault);
    }
    let mut fits = true;
    for (place, (operand, argument)) in operands.iter().zip(&arguments).enumerate() {
        if !function.argument(place).meets(argument.types) {
            let fault = wrong_type(function, place, operand.span.clone(), argument.types);
            check.fault(fault);
            fits = false;
        }
    }
    if let (Body::Random, [low, high], true) = (function.body, arguments.as_slice(), check.is_reached())
        && let (Some(Value::Int(low)), Some(Value::Int(high))) = (low.as_constant(), high.as_constant())
        && low > high
    {
        let error = no_range(*low, *high);
        return check.fault(Fault::new(span.clone(), error.message).help("write the lower end first"));
    }
    let types = function.result(arguments.iter().map(Expression::types));
    let nodes = arguments.into_iter().map(|argument| argument.node).collect();
    // A wrong argument is reported already; computing with it would report it twice.
    if fits { check.computed(Node::Call(function, nodes), types, span) } else { check.any() }
}

fn wrong_count(function: &Function, count: usize, span: Range<usize>) -> Fault {
    // For the author the value before the dot is not an argument.
    let before = usize::from(function.style == Style::Method);
    let (least, count) = (function.least - before, count.saturating_sub(before));
    let takes = match function.most().map(|most| most - before) {
        None => format!("{least} or more arguments"),
        Some(0) => "no arguments".to_owned(),
        Some(1) if least == 1 => "1 argument".to_owned(),
        Some(most) if most == least => format!("{most} arguments"),
        Some(most) => format!("{least} or {most} arguments"),
    };
    let there = if count == 1 { "there is 1".to_owned() } else { format!("there are {count}") };
    Fault::new(span, format!("`{}` takes {takes}; {there} here", function.name))
        .help(format!("write `{}`", function.signature))
}

fn wrong_type(function: &Function, place: usize, span: Range<usize>, types: Types) -> Fault {
    let message = format!("`{}` takes {} here; this is {types}", function.name, function.argument(place));
    let help = match (function.name, place) {
        ("contains", 0) if types.meets(Types::LIST) => "to look in a list, write `x in list`".to_owned(),
        ("contains", 0) if types.meets(Types::MAP) => "to look for a key of a map, write `\"key\" in map`".to_owned(),
        _ => format!("write `{}`", function.signature),
    };
    Fault::new(span, message).help(help)
}

fn unknown(call: &Call, of_scope: &[&'static str]) -> Fault {
    let name = call.name;
    let fault = Fault::new(call.name_span.clone(), format!("no function `{name}`")).kind(FaultKind::Name);
    match name {
        "not" => return fault.help("for `not`, write `!`"),
        "and" => return fault.help("for `and`, write `&&`"),
        "or" => return fault.help("for `or`, write `||`"),
        "if" => return fault.help("for a choice, write `condition ? this : that`"),
        "matches" => {
            return fault.help("there are no patterns; `contains`, `startsWith` and `endsWith` take plain text");
        }
        "has" => return fault.help("to look for a key of a map, write `\"key\" in map`"),
        "all" | "exists" | "exists_one" | "map" | "filter" => {
            return fault.help("there are no loops in an expression; a step has them: `for`, `while`, `repeat`");
        }
        "append" | "push" => return fault.help("to add an item to a list, write `list + [item]`"),
        _ => {}
    }
    // A dotted name cannot follow another dot.
    let foreign = FOREIGN.iter().filter(|(_, right)| call.receiver.is_none() || !right.contains('.'));
    if let Some((_, right)) = foreign.into_iter().find(|(wrong, _)| *wrong == name) {
        return fault.suggest(*right);
    }
    let fitting = FUNCTIONS.iter().filter(|known| is_placed(known, call));
    match nearest(name, fitting.map(|known| known.name).chain(of_scope.iter().copied())) {
        Some(right) => fault.suggest(right),
        None => fault,
    }
}
