//! Strings with expressions in them.

use super::*;

fn template(text: &str) -> Result<Value, Error> {
    let mut world = World::new();
    let expression = Expression::parse_template(text, &mut world).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    expression.evaluate(&mut world)
}

#[test]
fn one_expression_alone_keeps_its_type() {
    assert_eq!(template("{x}"), Ok(Value::Int(5)));
    assert_eq!(template("{ x + 1 }"), Ok(Value::Int(6)));
    assert_eq!(template("{items}"), World::new().value("items"));
    assert_eq!(template("{ {'a': 1}['a'] }"), Ok(Value::Int(1)));
    assert_eq!(template("{ {'a': {'b': 2}}}"), World::new().value("{'a': {'b': 2}}"));
    assert_eq!(template("{'}' + \"{\"}"), Ok("}{".into()));
}

#[test]
fn pieces_are_joined_as_text() {
    for (text, expected) in [
        ("", ""),
        ("执行任务", "执行任务"),
        ("{x} 执行任务", "5 执行任务"),
        (" {x}", " 5"),
        ("{x}{y}", "52.5"),
        ("{s}, {user.name}: {items} {nothing}", "héllo, Dave: [10, 20] null"),
        ("{{x}}", "{x}"),
        ("{{{x}}}", "{5}"),
        ("a {{ b }} {workers}", "a { b } 10"),
        ("{title}/{workers + 1}", "bath/11"),
        ("{b}!", "b\"\\x01\\xff\"!"),
    ] {
        assert_eq!(template(text), Ok(expected.into()), "{text}");
    }
    let constant = Expression::parse_template("{title}/{workers + 1}", &mut World::new()).expect("a template");
    assert_eq!(constant.as_constant(), Some(&"bath/11".into()));
    let text = Expression::parse_template("{x}!", &mut World::new()).expect("a template");
    assert!(text.types() == Types::STRING && text.varies());
}

#[test]
fn an_error_of_a_piece_is_that_of_the_whole() {
    assert_eq!(template("é {items[9]}").map_err(|error| error.outcome), Err(Outcome::OUT_OF_RANGE));
}

#[test]
fn faults_stand_at_their_place() {
    let braces = "for a brace itself, write it twice: `{{` or `}}`";
    for (text, span, message, help) in [
        ("é {x", 3..4, "this `{` is not closed", braces),
        ("é {x + ", 3..4, "this `{` is not closed", braces),
        ("é {", 3..4, "this `{` is not closed", braces),
        ("é }", 3..4, "nothing is open that this `}` would close", braces),
        ("a}}}", 3..4, "nothing is open that this `}` would close", braces),
        ("é {} b", 3..5, "there is no expression between these braces", braces),
        ("é {x y}", 6..7, "expected `}`, found `y`", braces),
        ("é {x and y}", 6..9, "expected `}`, found `and`", "for `and`, write `&&`"),
        ("é {x = 1}", 6..7, "`=` does not compare", "to compare, write `==`"),
        ("{\"a\": 1}", 4..5, "expected `}`, found `:`", braces),
        ("{x + 'a}", 5..6, "this string is not closed", "end it with `'`"),
    ] {
        let faults = Expression::parse_template(text, &mut World::new()).expect_err(text);
        let fault = &faults[0];
        let seen = (fault.span.clone(), fault.message.as_str(), fault.help.as_deref().unwrap_or(""));
        assert_eq!(seen, (span, message, help), "{text}");
    }
    let faults = Expression::parse_template("é {xx} {1 / 0} {flag + 1}", &mut World::new()).expect_err("faults");
    let places: Vec<_> = faults.iter().map(|fault| fault.span.clone()).collect();
    assert_eq!(places, [4..6, 9..14, 17..21]);
}
