//! Random input: it never panics, and arithmetic agrees with a wider type.

use super::*;

/// A small generator of pseudo-random numbers, the same on every machine.
struct Noise(u64);

impl Noise {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

/// Compiles the text both ways and computes what compiles. Every fault's place is within the text.
fn swallow(text: &str) {
    for compiled in [Expression::parse(text, &mut World::new()), Expression::parse_template(text, &mut World::new())] {
        match compiled {
            Ok(expression) => {
                let varies = expression.varies();
                let value = expression.evaluate(&mut World::new());
                if let Ok(value) = value {
                    assert!(expression.types().meets(value.types()), "{text} is {value}");
                    assert!(varies || expression.evaluate(&mut World::new()).is_ok());
                }
            }
            Err(faults) => {
                assert!(!faults.is_empty(), "{text}");
                for fault in faults {
                    assert!(text.get(fault.span.clone()).is_some(), "{text}: {fault:?}");
                }
            }
        }
    }
}

#[test]
fn no_characters_panic() {
    let alphabet: Vec<char> = "abxé执\u{1f600}01 9.eE+-*/%<>=!&|?:,()[]{}\"'\\nux_r b\n\t\u{0}".chars().collect();
    let mut noise = Noise(0x1234_5678_9abc_def1);
    for _ in 0..5000 {
        let length = noise.below(24);
        let text: String = (0..length).map(|_| alphabet[noise.below(alphabet.len())]).collect();
        swallow(&text);
    }
}

#[test]
fn no_tokens_panic() {
    const TOKENS: [&str; 60] = [
        "x",
        "y",
        "s",
        "items",
        "user",
        "yes",
        "no",
        "nothing",
        "b",
        "int",
        "text",
        "flag",
        "workers",
        "zero",
        "unknown",
        "1",
        "0",
        "-",
        "+",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        ">=",
        "&&",
        "||",
        "!",
        "?",
        ":",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        "in",
        "'é'",
        "\"a\"",
        "b'\\xff'",
        "1.5",
        "9223372036854775807",
        "true",
        "null",
        "size(",
        "random(",
        "min(",
        ".contains(",
        ".split(",
        ".name",
        "string(",
        "range(",
        "count(",
        "and",
        "=",
        "[0]",
        "1)",
    ];
    let mut noise = Noise(0xfeed_f00d_dead_beef);
    for _ in 0..20_000 {
        let length = noise.below(12);
        let text: Vec<&str> = (0..length).map(|_| TOKENS[noise.below(TOKENS.len())]).collect();
        swallow(&text.join(" "));
    }
}

/// A random expression of ints, and its value; `None` where some part overflows or divides by zero.
fn arithmetic(noise: &mut Noise, depth: usize) -> (String, Option<i128>) {
    const INTS: [i64; 9] = [0, 1, 2, 3, -1, -7, 3_037_000_500, i64::MAX, i64::MIN];
    let fits = |value: i128| i64::try_from(value).is_ok().then_some(value);
    if depth == 0 || noise.below(6) == 0 {
        return match noise.below(3) {
            // Variables keep the whole from being computed at once.
            0 => ("x".to_owned(), Some(5)),
            1 => ("int".to_owned(), Some(7)),
            _ => {
                let n = INTS[noise.below(INTS.len())];
                (if n < 0 { format!("({n})") } else { n.to_string() }, Some(i128::from(n)))
            }
        };
    }
    let (left, a) = arithmetic(noise, depth - 1);
    if noise.below(8) == 0 {
        return (format!("-({left})"), a.and_then(|a| fits(-a)));
    }
    let (right, b) = arithmetic(noise, depth - 1);
    let sign = ["+", "-", "*", "/", "%"][noise.below(5)];
    let value = a.zip(b).and_then(|(a, b)| match sign {
        "+" => fits(a + b),
        "-" => fits(a - b),
        "*" => fits(a * b),
        // As in CEL, the remainder of the least int by -1 overflows with its quotient.
        _ if b == 0 || (a, b) == (i128::from(i64::MIN), -1) => None,
        "/" => fits(a / b),
        _ => fits(a % b),
    });
    (format!("({left}) {sign} ({right})"), value)
}

#[test]
fn arithmetic_agrees_with_a_wider_type() {
    let mut noise = Noise(0x0dd0_ba11_5eed_0001);
    let (mut computed, mut failed) = (0, 0);
    for _ in 0..20_000 {
        let (text, expected) = arithmetic(&mut noise, 4);
        let mut world = World::new();
        match (world.parse(&text), expected) {
            (Ok(expression), Some(expected)) => {
                assert_eq!(expression.evaluate(&mut world), Ok(Value::Int(expected as i64)), "{text}");
                computed += 1;
            }
            (Ok(expression), None) => {
                assert!(expression.evaluate(&mut world).is_err(), "{text}");
                failed += 1;
            }
            (Err(faults), expected) => assert_eq!(expected, None, "{text}: {faults:?}"),
        }
    }
    assert!(computed > 5000 && failed > 1000, "{computed} computed, {failed} failed");
}
