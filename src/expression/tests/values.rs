//! Values and errors of expressions that compile.

use super::*;

/// Both sides, compiled and computed, are the same value.
fn same(pairs: &[(&str, &str)]) {
    for (text, expected) in pairs {
        let mut world = World::new();
        let value = world.value(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let expected = world.value(expected).expect(expected);
        assert_eq!(value, expected, "{text}");
        let types = world.parse(text).expect(text).types();
        assert!(types.meets(value.types()), "{text} is {value}, and was said to be {types}");
    }
}

fn fails(cases: &[(&str, Outcome)]) {
    for (text, outcome) in cases {
        let mut world = World::new();
        match world.value(text) {
            Ok(value) => panic!("{text} is {value}"),
            Err(error) => assert_eq!(error.outcome, *outcome, "{text}: {}", error.message),
        }
    }
}

#[test]
fn precedence_and_association() {
    same(&[
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("x - 1 - 1", "3"),
        ("100 / x / 2", "10"),
        ("7 % x * 2", "4"),
        ("-x + 1", "-4"),
        ("-x * -2", "10"),
        ("- - x", "5"),
        ("!yes || yes", "true"),
        ("!(yes || yes)", "false"),
        ("x + 1 < 10 && s != 'girl'", "true"),
        ("yes || no && no", "true"),
        ("(yes || no) && no", "false"),
        ("1 < x == yes", "true"),
        ("no ? 1 : no ? 2 : 3", "3"),
        ("yes ? no ? 1 : 2 : 3", "2"),
        ("x in [1, 5] && yes", "true"),
        ("1 + x in [6]", "true"),
        ("-user.age", "-42"),
        ("!user.name.contains('v')", "false"),
        ("-9223372036854775808", "-9223372036854775807 - 1"),
        ("x -1", "4"),
        ("[x, [x]][1][0]", "5"),
    ]);
}

#[test]
fn operators_by_type() {
    same(&[
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("-7 % 2", "-1"),
        ("x + y", "7.5"),
        ("y * 2", "5.0"),
        ("now + 1", "1.5"),
        ("s + '!'", "'héllo!'"),
        ("items + [x]", "[10, 20, 5]"),
        ("b + b'\\x00'", "b'\\x01\\xff\\x00'"),
        ("'a' < 'b' && b'a' < b'b' && false < true", "true"),
        ("x == 5.0 && 5.0 == x && x in [5.0]", "true"),
        ("x < 5.5 && 4.5 < x && x >= 5.0", "true"),
        ("9007199254740993 == 9007199254740992.0", "false"),
        ("9223372036854775807 < 9223372036854775808.0", "true"),
        ("float('nan') == float('nan')", "false"),
        ("float('nan') < 1.0 || x < float('nan')", "false"),
        ("0.0 == -0.0", "true"),
        ("x == s", "false"),
        ("x != nothing", "true"),
        ("nothing == null", "true"),
        ("[1, 2.0] == [1.0, 2]", "true"),
        ("{'a': 1} == {'a': 1.0}", "true"),
        ("'name' in user && !('x' in user)", "true"),
        ("user.age + user['age']", "84"),
        ("{s: x, 'b': [x]}", "{'héllo': 5, 'b': [5]}"),
        ("[1, 2, ][1]", "2"),
        ("index * 2", "6"),
        ("workers * 2", "20"),
        ("money + 1", "1001"),
    ]);
}

#[test]
fn every_error_has_its_outcome() {
    fails(&[
        ("x + 9223372036854775807", Outcome::OVERFLOW),
        ("-9223372036854775807 - x", Outcome::OVERFLOW),
        ("x * 9223372036854775807", Outcome::OVERFLOW),
        ("(x - 5 - 9223372036854775807 - 1) / -1", Outcome::OVERFLOW),
        ("(x - 5 - 9223372036854775807 - 1) % -1", Outcome::OVERFLOW),
        ("-(x - 5 - 9223372036854775807 - 1)", Outcome::OVERFLOW),
        ("y * 1e308", Outcome::OVERFLOW),
        ("int(y * 1e300)", Outcome::OVERFLOW),
        ("int(s + '')", Outcome::INVALID),
        ("range(x * 10000000)", Outcome::OVERFLOW),
        ("x / (x - 5)", Outcome::INVALID),
        ("x % (x - 5)", Outcome::INVALID),
        ("y / (y - 2.5)", Outcome::INVALID),
        ("x + s", Outcome::INVALID),
        ("x % y", Outcome::INVALID),
        ("x < s", Outcome::INVALID),
        ("items < items", Outcome::INVALID),
        ("nothing + 1", Outcome::INVALID),
        ("x && yes", Outcome::INVALID),
        ("!x", Outcome::INVALID),
        ("-s", Outcome::INVALID),
        ("x ? 1 : 2", Outcome::INVALID),
        ("x in x", Outcome::INVALID),
        ("1 in user", Outcome::INVALID),
        ("x[0]", Outcome::INVALID),
        ("items['a']", Outcome::INVALID),
        ("user[0]", Outcome::INVALID),
        ("x.name", Outcome::INVALID),
        ("size(x)", Outcome::INVALID),
        ("{s: 1, s: 2}", Outcome::INVALID),
        ("{x: 1}", Outcome::INVALID),
        ("random(x, 1)", Outcome::INVALID),
        ("min([] + [s])", Outcome::INVALID),
        ("items[2]", Outcome::OUT_OF_RANGE),
        ("items[-1]", Outcome::OUT_OF_RANGE),
        ("s.substring(x + 1)", Outcome::OUT_OF_RANGE),
        ("s.substring(3, 2)", Outcome::OUT_OF_RANGE),
        ("s.charAt(-1)", Outcome::OUT_OF_RANGE),
        ("items.slice(1, 3)", Outcome::OUT_OF_RANGE),
        ("user.email", Outcome::NOT_FOUND),
        ("user['email']", Outcome::NOT_FOUND),
    ]);
    let message = |text: &str| World::new().value(text).expect_err("an error").message;
    assert_eq!(message("items[2]"), "the index 2 is out of range: the list has the indices 0 to 1");
    assert_eq!(message("x + s"), "`+` takes numbers, strings, lists or bytes; these are an int and a string");
    assert_eq!(message("x / (x - 5)"), "a division by zero: 5 / 0");
    assert_eq!(message("user.email"), "the map has no key \"email\"; it has \"age\", \"name\"");
}

#[test]
fn what_is_not_needed_is_not_computed() {
    same(&[
        ("no && 1 / (x - 5) == 1", "false"),
        ("yes || 1 / (x - 5) == 1", "true"),
        ("yes ? 1 : 1 / (x - 5)", "1"),
        ("x != 5 && items[x] == 1", "false"),
        // A constant rules a branch out; what fails in it is no fault.
        ("zero != 0 && workers / zero > 1", "false"),
        ("zero == 0 ? 0 : workers / zero", "0"),
        ("true || 1 / 0 == 1", "true"),
    ]);
    fails(&[("1 / (x - 5) == 1 && no", Outcome::INVALID), ("1 / (x - 5) == 1 || yes", Outcome::INVALID)]);
    let mut world = World::new();
    world.value("no && random(1, 6) > 0").expect("a value");
    assert_eq!(world.draws, 0);
}

#[test]
fn functions() {
    same(&[
        ("size(s) + size(items) + size(user) + size(b) + s.size()", "5 + 2 + 2 + 2 + 5"),
        ("range(3)", "[0, 1, 2]"),
        ("range(-1)", "[]"),
        ("lists.range(2)", "[0, 1]"),
        ("min(3, x, 4.5)", "3"),
        ("max([1, x, 4.5])", "5"),
        ("math.greatest(x, 7.5)", "7.5"),
        ("abs(-x) + math.abs(-1)", "6"),
        ("int(y) + int('-3') + int(-2.9)", "-3"),
        ("float(x) / 2", "2.5"),
        ("double('1e3')", "1000.0"),
        ("string(x) + string(y) + string(true) + string(b'ok') + string([1])", "'52.5trueok[1]'"),
        ("bytes('é')", "b'\\xc3\\xa9'"),
        ("bool('true') && !bool('0') && bool(yes)", "true"),
        ("[type(x), type(y), type(s), type(null), type(b), type(items), type(user), type(yes)]", {
            "['int', 'float', 'string', 'null', 'bytes', 'list', 'map', 'bool']"
        }),
        ("s.contains('ll') && s.startsWith('hé') && s.endsWith('o')", "true"),
        ("'aBc'.lowerAscii() + 'aBc'.upperAscii() + ' x '.trim()", "'abcABCx'"),
        ("'a,b,c'.split(',') + 'a,b,c'.split(',', 2) + 'héy'.split('')", "['a','b','c','a','b,c','h','é','y']"),
        ("'héy'.split('', 2) + 'a'.split(',', 0)", "['h', 'éy']"),
        ("['a', 1, true].join('-') + [1, 2].join()", "'a-1-true12'"),
        ("'aaa'.replace('a', 'b', 2) + 'aaa'.replace('a', '')", "'bba'"),
        ("s.substring(1) + s.substring(1, 2) + s.charAt(4) + s.charAt(5)", "'élloéo'"),
        ("[s.indexOf('l'), s.indexOf('l', 3), s.lastIndexOf('l'), s.indexOf('z')]", "[2, 3, 3, -1]"),
        ("s.reverse() + string([1, 2].reverse())", "'olléh[2, 1]'"),
        ("[3, 1.5, 2].sort() + ['b', 'a'].sort()", "[1.5, 2, 3, 'a', 'b']"),
        ("[1, 2].sum() + [0.5].sum() + sum([])", "3.5"),
        ("[1, 2, 1.0, 'a', 'a'].distinct()", "[1, 2, 'a']"),
        ("[1, [2, [3]]].flatten()", "[1, 2, [3]]"),
        ("[1, [2, [3]]].flatten(2)", "[1, 2, 3]"),
        ("range(5).slice(1, 3)", "[1, 2]"),
        ("[math.ceil(1.2), math.floor(-1.2), math.round(-1.5), math.trunc(1.9), math.sign(-2.0)]", {
            "[2.0, -2.0, -2.0, 1.0, -1.0]"
        }),
        ("math.sqrt(16)", "4.0"),
        ("math.isNaN(float('nan')) && math.isInf(float('inf')) && math.isFinite(1)", "true"),
        ("[math.bitAnd(6, 3), math.bitOr(6, 3), math.bitXor(6, 3), math.bitNot(0)]", "[2, 7, 5, -1]"),
        ("[math.bitShiftLeft(1, 3), math.bitShiftLeft(1, 64), math.bitShiftRight(-1024, 3)]", {
            "[8, 0, 2305843009213693824]"
        }),
        ("random(3, 3)", "3"),
    ]);
    fails(&[
        ("int(s)", Outcome::INVALID),
        ("int('99999999999999999999' + s.substring(5))", Outcome::OVERFLOW),
        ("string(b)", Outcome::INVALID),
        ("bool(s)", Outcome::INVALID),
        ("sort([x, s])", Outcome::INVALID),
        ("sum([x, 9223372036854775807])", Outcome::OVERFLOW),
        ("abs(x - 5 - 9223372036854775807 - 1)", Outcome::OVERFLOW),
        ("math.sqrt(-x)", Outcome::INVALID),
    ]);
}

#[test]
fn every_function_is_described_and_called_as_it_says() {
    for function in FUNCTIONS {
        assert_eq!(FUNCTIONS.iter().filter(|other| other.name == function.name).count(), 1, "{}", function.name);
        assert!(function.signature.contains(function.name), "{}", function.name);
        assert!(!function.summary.is_empty() && !function.summary.ends_with('.'), "{}", function.name);
        // A call without arguments never gets past the check.
        let faults = World::new().parse(&format!("{}()", function.name)).expect_err(function.name);
        assert!(faults[0].help.as_deref().is_some_and(|help| help.contains(function.signature)), "{faults:?}");
    }
}

#[test]
fn constants_are_computed_at_once() {
    for text in ["1 + 2 * 3", "workers * 2 > 3", "size('abc')", "[1, workers]", "{'a': [1]}.a[0]", "title + '!'"] {
        let expression = World::new().parse(text).expect(text);
        assert!(expression.as_constant().is_some(), "{text}");
        assert!(!expression.varies(), "{text}");
    }
    let folded = World::new().parse("yes && 1 + 1 == 2").expect("an expression");
    assert!(folded.as_constant().is_none() && folded.varies());
    // As large as this, it is computed when it is needed.
    assert!(World::new().parse("range(1000000)").expect("an expression").as_constant().is_none());
}

#[test]
fn what_an_expression_reads() {
    let slots = |text: &str| {
        let mut slots = Vec::new();
        World::new().parse(text).expect(text).slots(&mut |slot| slots.push(slot));
        slots
    };
    assert_eq!(slots("x + y * x"), [0, 1, 0]);
    assert_eq!(slots("[s, {'a': items[x]}, user.name]"), [2, 3, 0, 4]);
    for text in ["x", "money", "now", "random(1, 2)", "[index, random(1, 2)]", "yes ? 1 : 2", "size(s)"] {
        assert!(World::new().parse(text).expect(text).varies(), "{text}");
    }
    assert!(!World::new().parse("index * 2").expect("an expression").varies());
    let constant = Expression::constant(Value::Int(1));
    let list = Expression::list(vec![constant.clone(), World::new().parse("x").expect("an expression")]);
    assert!(list.varies() && list.as_constant().is_none() && list.types() == Types::LIST);
    let map = Expression::map(vec![("a".into(), list), ("b".into(), constant.clone())]);
    assert_eq!(map.evaluate(&mut World::new()), World::new().value("{'a': [1, 5], 'b': 1}"));
    assert_eq!(Expression::list(vec![constant]).as_constant(), Some(&Value::from(vec![Value::Int(1)])));
}

#[test]
fn the_scope_is_asked_before_the_table() {
    for (text, asked) in [
        ("size(q) == 3", "size Name(\"q\", None)"),
        ("q.size() == 3", "size Name(\"q\", None)"),
        ("size(queues[workers - 8])", "size Name(\"queues\", Some(2))"),
        ("count('worker put q') > 1", "count Text(\"worker put q\")"),
        ("inside(bath)", "inside Name(\"bath\", None)"),
    ] {
        let mut world = World::new();
        world.parse(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
        assert_eq!(world.states, [asked], "{text}");
    }
    same(&[("size(items) + size('abc') + size([1] + items)", "8"), ("count('a') + count('b')", "0 + 1")]);
}

#[test]
fn values_do_not_grow_without_bound() {
    let mut world = World::new();
    let expression = world.parse("[items]").expect("an expression");
    let mut levels = 1;
    let error = loop {
        match expression.evaluate(&mut world) {
            Ok(value) => world.values[3] = value,
            Err(error) => break error,
        }
        levels += 1;
    };
    assert_eq!((error.outcome, levels), (Outcome::OVERFLOW, 256));
    let doubled = world.parse("s + s").expect("an expression");
    let error = loop {
        match doubled.evaluate(&mut world) {
            Ok(value) => world.values[2] = value,
            Err(error) => break error,
        }
    };
    assert_eq!(error.outcome, Outcome::OVERFLOW);
}
