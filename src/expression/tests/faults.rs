//! Faults: their places, their words, what they propose.

use super::*;

fn faults(text: &str) -> Vec<Fault> {
    match World::new().parse(text) {
        Ok(expression) => panic!("{text} is no fault: {expression:?}"),
        Err(faults) => faults,
    }
}

/// The text under the caret, the message and the help of the only fault.
fn check(cases: &[(&str, &str, &str, &str)]) {
    for (text, place, message, help) in cases {
        let found = faults(text);
        assert_eq!(found.len(), 1, "{text}: {found:#?}");
        let fault = &found[0];
        let seen = (&text[fault.span.clone()], fault.message.as_str(), fault.help.as_deref().unwrap_or(""));
        assert_eq!(seen, (*place, *message, *help), "{text}");
    }
}

#[test]
fn syntax() {
    check(&[
        ("", "", "there is no expression here", ""),
        ("x = 1", "=", "`=` does not compare", "to compare, write `==`"),
        ("x and yes", "and", "expected an operator, found `and`", "for `and`, write `&&`"),
        ("(x or yes)", "or", "expected `)`, found `or`", "for `or`, write `||`"),
        ("yes && not no", "no", "expected an operator, found `no`", "for `not`, write `!`"),
        ("not(yes)", "not", "no function `not`", "for `not`, write `!`"),
        ("x is 5", "is", "expected an operator, found `is`", "to compare, write `==`"),
        ("x not in items", "not", "expected an operator, found `not`", "for `not in`, write `!(x in list)`"),
        ("1 if yes else 2", "if", "expected an operator, found `if`", "for a choice, write `condition ? this : that`"),
        ("(x + 1", "(", "this `(` is not closed", ""),
        ("size(x", "(", "this `(` is not closed", ""),
        ("[1, 2", "[", "this `[` is not closed", ""),
        ("items[0", "[", "this `[` is not closed", ""),
        ("x)", ")", "nothing is open that this `)` would close", ""),
        ("x +", "+", "a value is missing behind `+`", ""),
        ("{x > 3}", "}", "braces make a map, and this is an expression already", {
            "leave the braces away: they are for expressions within text"
        }),
        ("x + * y", "*", "expected a value, found `*`", ""),
        ("yes ? 1", "?", "this `?` has no `:`", "write `condition ? this : that`"),
        ("user.", ".", "a name is missing behind `.`", ""),
        ("{'a' 1}", "1", "expected `:` and a value, found `1`", ""),
        ("'é", "'", "this string is not closed", "end it with `'`"),
        ("9223372036854775808", "9223372036854775808", "this number is too large for an int", {
            "an int is at most 9223372036854775807"
        }),
    ]);
}

#[test]
fn names() {
    let found = faults("'é' + sz + itms[0]");
    let seen: Vec<_> = found.iter().map(|fault| (fault.span.clone(), fault.suggestion.as_deref())).collect();
    assert_eq!(seen, [(7..9, Some("s")), (12..16, Some("items"))]);
    assert_eq!(found[1].message, "no variable or name `itms` here");
    for (text, right) in [
        ("x == None", "null"),
        ("True && yes", "true"),
        ("len(items)", "size"),
        ("randm(1, 2)", "random"),
        ("s.startswith('a')", "startsWith"),
        ("s.upper()", "upperAscii"),
        ("math.flor(1.5)", "floor"),
        ("cuont('a b c')", "count"),
    ] {
        assert_eq!(faults(text)[0].suggestion.as_deref(), Some(right), "{text}");
    }
    check(&[
        ("type(x) == list", "list", "no variable or name `list` here", {
            "the name of a type is a string here: `type(x) == \"list\"`"
        }),
        ("size > 3", "size", "no variable or name `size` here", "`size` is a function: `size(x)`"),
        ("{banana: 1}", "banana", "no variable or name `banana` here", {
            "for the key itself, write it in quotes: `\"banana\"`"
        }),
    ]);
}

#[test]
fn types() {
    check(&[
        ("flag + 1", "flag", "`+` takes numbers, strings, lists or bytes; this is a bool", ""),
        ("1 - text", "text", "`-` takes numbers; this is a string", ""),
        (
            "text + int",
            "text + int",
            { "`+` takes two numbers, strings, lists or bytes of one kind; these are a string and an int" },
            "to make text of a value, write `string(x)`",
        ),
        ("int % 2.0", "2.0", "`%` takes ints; this is a float", ""),
        ("int == text", "int == text", "`==` compares what can never be equal: an int and a string", ""),
        ("1 < int < 10", "1 < int < 10", "comparisons do not follow one another", "write `a < b && b < c`"),
        ("int && flag", "int", "`&&` takes bools; this is an int", {
            "to make a bool of a number, compare it: `x != 0`"
        }),
        ("!text", "text", "`!` takes bools; this is a string", ""),
        ("-text", "text", "`-` takes numbers; this is a string", ""),
        ("text ? 1 : 2", "text", "`?` takes bools; this is a string", ""),
        ("'a' in text", "text", "`in` looks in a list or a map; this is a string", {
            "for a part of a text, write `text.contains(part)`"
        }),
        ("1 in {'a': 1}", "1", "the keys of a map are strings; this is an int", ""),
        ("int[0]", "int", "only lists and maps have items; this is an int", ""),
        ("text[0]", "text", "only lists and maps have items; this is a string", {
            "for a character of a text, write `text.charAt(i)`"
        }),
        ("[1]['a']", "'a'", "the index of a list is an int; this is a string", ""),
        ("text.size", "text.size", "only a map has fields; this is a string", "`size` is a function: `size(x)`"),
        ("{1: 2}", "1", "the key of a map is a string; this is an int", ""),
        (
            "size(int)",
            "int",
            "`size` takes a string or bytes or a list or a map here; this is an int",
            "write `size(x)`",
        ),
        ("random(1)", "random(1)", "`random` takes 2 arguments; there is 1 here", "write `random(low, high)`"),
        ("text.contains()", "text.contains()", "`contains` takes 1 argument; there are 0 here", {
            "write `text.contains(part)`"
        }),
        ("contains(text, 'a')", "contains", "`contains` is called behind a value, with a dot", {
            "write `text.contains(part)`"
        }),
        ("int.abs()", "abs", "`abs` is not called behind a value", "write `abs(x)`"),
        ("exit(items[x])", "x", "an index here has to be a constant int", ""),
        ("exit(1 + 1)", "1 + 1", "`exit` takes a name or a string in quotes", ""),
        ("exit('?')", "'?'", "no such process", ""),
    ]);
}

#[test]
fn what_fails_for_certain_is_a_fault_at_its_place() {
    check(&[
        ("x + 1 / 0", "1 / 0", "a division by zero: 1 / 0", ""),
        (
            "'é' + string(9223372036854775807 + 1)",
            "9223372036854775807 + 1",
            { "9223372036854775807 + 1 does not fit an int" },
            "",
        ),
        ("x + [1, 2][2]", "[1, 2][2]", "the index 2 is out of range: the list has the indices 0 to 1", ""),
        ("int('a')", "int('a')", "\"a\" is not an int", ""),
        ("{'a': 1, 'a': 2}", "{'a': 1, 'a': 2}", "the map has the key \"a\" twice", ""),
        (
            "random(workers, 1)",
            "random(workers, 1)",
            { "random(10, 1) has nothing to choose from: its low end is above its high end" },
            "write the lower end first",
        ),
        ("yes && workers / zero > 1", "workers / zero", "a division by zero: 10 / 0", ""),
    ]);
}

#[test]
fn all_faults_at_once() {
    let found = faults("flag + 1 > 2 && unknown && text - 1 == nope(1 / 0)");
    let places: Vec<_> = found.iter().map(|fault| fault.span.clone()).collect();
    assert_eq!(places, [0..4, 16..23, 27..31, 44..49, 39..43]);
}

#[test]
fn what_fits_some_type_is_no_fault() {
    for text in ["x + 1", "x == 'a'", "x && yes", "x[0]", "x['a']", "x.a", "size(x)", "int == 1.5", "text == null"] {
        assert!(World::new().parse(text).is_ok(), "{text}");
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let parse = |text: String| World::new().parse(&text).map(drop);
    let nested = |n: usize| [&"(".repeat(n), "x", &")".repeat(n)].concat();
    assert_eq!(parse(nested(150)), Ok(()));
    for n in [250, 10_000, 200_000] {
        for text in [
            nested(n),
            "(".repeat(n),
            "!".repeat(n),
            "-".repeat(n) + "x",
            "[".repeat(n) + &"]".repeat(n),
            "{'a':".repeat(n),
            "size(".repeat(n),
            "yes ? 1 : ".repeat(n) + "2",
            "yes ? ".repeat(n),
            "x[".repeat(n),
        ] {
            let faults = parse(text.clone()).expect_err("too deep");
            assert_eq!(faults[0].message, "this expression nests deeper than 200 levels", "{}", &text[..20]);
        }
    }
    let chain = |link: &str, n: usize| ["x", &link.repeat(n)].concat();
    for link in ["+x", ".a", "[0]", ".trim()", "==x", "*1"] {
        assert_eq!(parse(chain(link, 200)), Ok(()), "{link}");
        let faults = parse(chain(link, 10_000)).expect_err("too long");
        assert!(faults[0].message.starts_with("this expression is too long"), "{link}");
    }
    assert_eq!(parse(chain("&&x", 10_000)), Ok(()));
    assert_eq!(parse(chain("||x", 10_000)), Ok(()));
    // The highest trees are computed, copied and dropped in a small thread's stack.
    let deepest = |mut world: World, text: &str| world.parse(text).expect("an expression").clone().evaluate(&mut world);
    assert_eq!(deepest(World::new(), &chain("+1", 249)), Ok(Value::Int(254)));
    assert_eq!(deepest(World::new(), &nested(199)), Ok(Value::Int(5)));
    assert!(deepest(World::new(), &("-(x+".repeat(60) + "x" + &")".repeat(60))).is_ok());
    assert!(deepest(World::new(), &("size([no||1<1+1*".repeat(30) + "x" + &"])".repeat(30))).is_ok());
}
