//! Statements of Promela as a tree, and their text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

#[derive(Clone, Debug)]
pub(super) enum Statement {
    /// A statement as it stands.
    Line(String),
    /// `if` with its options: a guard and what follows.
    Choice(Vec<(String, Vec<Statement>)>),
    /// A name for the place of the next statement.
    Label(String),
    Goto(String),
    /// Clears the variables that are not read after that place of the program; all of them if there is none.
    Forget(Option<usize>),
}

/// Writes statements as lines, each with a `;` where one follows. `forget` gives what [`Statement::Forget`] means.
pub(super) fn write(
    statements: &[Statement],
    indent: usize,
    forget: &dyn Fn(Option<usize>) -> Vec<String>,
    text: &mut String,
) {
    let mut used = BTreeSet::new();
    targets(statements, &mut used);
    write_all(statements, indent, forget, &used, text);
    text.push('\n');
}

fn targets<'s>(statements: &'s [Statement], used: &mut BTreeSet<&'s str>) {
    for statement in statements {
        match statement {
            Statement::Goto(label) => {
                used.insert(label);
            }
            Statement::Choice(options) => options.iter().for_each(|(_, behind)| targets(behind, used)),
            _ => {}
        }
    }
}

fn write_all(
    statements: &[Statement],
    indent: usize,
    forget: &dyn Fn(Option<usize>) -> Vec<String>,
    used: &BTreeSet<&str>,
    text: &mut String,
) {
    let mut first = true;
    // A label stands before the statement that it names.
    let mut label = String::new();
    let mut begin = |text: &mut String, label: &mut String| {
        if !first {
            text.push_str(";\n");
        }
        first = false;
        // Writing to a string cannot fail.
        let _ = write!(text, "{:indent$}{label}", "");
        label.clear();
    };
    for statement in statements {
        match statement {
            Statement::Line(line) => {
                begin(text, &mut label);
                text.push_str(line);
            }
            Statement::Goto(to) => {
                begin(text, &mut label);
                let _ = write!(text, "goto {to}");
            }
            Statement::Label(name) => {
                if used.contains(name.as_str()) {
                    let _ = write!(label, "{name}: ");
                }
            }
            Statement::Forget(place) => {
                for line in forget(*place) {
                    begin(text, &mut label);
                    text.push_str(&line);
                }
            }
            Statement::Choice(options) => {
                begin(text, &mut label);
                text.push_str("if\n");
                for (guard, behind) in options {
                    let _ = write!(text, "{:indent$}:: {guard}", "");
                    if !behind.is_empty() {
                        text.push_str(" ->\n");
                        write_all(behind, indent + 4, forget, used, text);
                    }
                    text.push('\n');
                }
                let _ = write!(text, "{:indent$}fi", "");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labels_that_are_meant_are_written() {
        let statements = [
            Statement::Label("A".to_owned()),
            Statement::Label("B".to_owned()),
            Statement::Choice(vec![
                ("x > 1".to_owned(), vec![Statement::Forget(Some(3)), Statement::Goto("B".to_owned())]),
                ("else".to_owned(), Vec::new()),
            ]),
            Statement::Line("x = 1".to_owned()),
        ];
        let mut text = String::new();
        write(&statements, 2, &|_| vec!["y = 0".to_owned()], &mut text);
        assert_eq!(text, "  B: if\n  :: x > 1 ->\n      y = 0;\n      goto B\n  :: else\n  fi;\n  x = 1\n");
    }
}
