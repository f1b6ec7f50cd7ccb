//! `equals` and `in`: which of several lists of values it is.

use std::cmp::Ordering;

use super::describe;
use super::verdict::Finding;
use crate::scenario::expectation::{Argument, Expectation};
use crate::value::Value;

/// The lists of values that are allowed.
pub(crate) struct Choice {
    lists: Vec<Vec<Value>>,
    /// Whether they come from `in`.
    several: bool,
    unordered: bool,
}

impl Choice {
    pub(crate) fn of(expectation: &Expectation, unordered: bool) -> Self {
        let items = |key: &str| match expectation.argument(key) {
            Some(Argument::Value(Value::List(items))) => Some(items.to_vec()),
            _ => None,
        };
        let mut lists = Vec::new();
        lists.extend(items("equals"));
        let several = items("in");
        for list in several.iter().flatten() {
            lists.extend(list.as_list().map(<[Value]>::to_vec));
        }
        Self { several: several.is_some() && items("equals").is_none(), lists, unordered }
    }

    pub(crate) fn text(&self) -> String {
        let order = if self.unordered { ", in any order" } else { "" };
        match self.lists.as_slice() {
            [] => "any values".to_owned(),
            [list] => format!("{}{order}", show(list)),
            lists => format!("one of {}{order}", describe::listed(lists.iter().map(|list| show(list)), lists.len())),
        }
    }

    /// Judges values that stem from the events at `places`.
    pub(crate) fn judge(&self, mut values: Vec<Value>, places: &[usize]) -> Finding {
        let measured = show(&values);
        if self.lists.is_empty() {
            return Finding::pass(self.text(), measured).because("neither `equals` nor `in` is given");
        }
        let nearest = self.lists.first().map_or(0, |list| differs(list, &values));
        let seen = self.lists.iter().position(|list| {
            if !self.unordered {
                return same(list, &values);
            }
            let mut list = list.clone();
            list.sort();
            values.sort();
            same(&list, &values)
        });
        let finding = Finding::decide(seen.is_some(), self.text(), measured);
        let finding = finding.seen(seen.filter(|_| self.several));
        match seen {
            Some(_) => finding,
            // Of one list it can be said where the first difference is.
            None if self.lists.len() == 1 && !self.unordered && places.len() == values.len() && places.len() > 4 => {
                finding.witnesses(places.get(nearest).or(places.last()).copied())
            }
            None => finding.witnesses(places.iter().copied().take(8)),
        }
    }
}

fn show(values: &[Value]) -> String {
    describe::value(&values.to_vec().into())
}

fn same(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
}

fn differs(a: &[Value], b: &[Value]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| alike(a, b)).count()
}

/// Whether two values are equal, an int and a float by their number.
pub(crate) fn alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(n), Value::Float(x)) | (Value::Float(x), Value::Int(n)) => {
            (*n as f64).partial_cmp(x) == Some(Ordering::Equal)
        }
        (Value::Float(x), Value::Float(y)) => x.partial_cmp(y) == Some(Ordering::Equal),
        (Value::List(a), Value::List(b)) => same(a, b),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.0 == b.0 && alike(a.1, b.1))
        }
        _ => a == b,
    }
}
