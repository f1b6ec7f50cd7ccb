//! `[matrix]`: lists of values of params. The scenario is one for each combination of them.

use std::ops::Range;
use std::sync::Arc;

use super::document::{Checker, Fields, Item};
use super::{Options, override_param, scope};
use crate::diagnostic::{Code, Diagnostic, Source, nearest};
use crate::value::Value;

/// The keys of the table that are no params.
const EXCLUDE: &str = "exclude";
const INCLUDE: &str = "include";

/// The most combinations of a scenario.
const MOST: usize = 1_000;

/// The params of a combination with their values, in the order of the file.
pub type Combination = Vec<(String, Value)>;

/// One param of a matrix.
struct Axis {
    name: String,
    span: Range<usize>,
    values: Vec<Value>,
}

/// A matrix as it stands in the file, without what the command line fixes.
pub(super) struct Matrix {
    axes: Vec<Axis>,
    exclude: Vec<Combination>,
    include: Vec<Combination>,
}

/// A value as `--set` takes it.
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_text(), str::to_owned)
}

/// The combinations of a scenario, as what `--set` says; none where it has no matrix. What the options set of it is fixed.
/// A matrix that is wrong is reported when the scenario is checked.
pub fn combinations(source: &Arc<Source>, options: &Options) -> Vec<Vec<(String, String)>> {
    let Ok(document) = super::document::parse(source) else { return Vec::new() };
    let fields = Fields::new(document.get_ref(), 0..source.text.len());
    let mut checker = Checker { silent: true, ..Checker::new(Arc::clone(source), options.bounds) };
    let Some(matrix) = read(&mut checker, &fields) else { return Vec::new() };
    let fixed = |name: &str| options.params.iter().any(|(set, _)| set == name);
    let mut all: Vec<Vec<(String, String)>> = Vec::new();
    for combination in matrix.combinations(options) {
        let free = combination.iter().filter(|(name, _)| !fixed(name));
        let set: Vec<_> = free.map(|(name, value)| (name.clone(), text(value))).collect();
        if !all.contains(&set) {
            all.push(set);
        }
    }
    all
}

/// Reads the matrix. None where there is none, or where it is wrong as a whole.
pub(super) fn read(checker: &mut Checker, fields: &Fields<'_>) -> Option<Matrix> {
    let item = fields.take("matrix")?;
    let table = checker.table(item, "a table of params and their values")?;
    let mut axes: Vec<Axis> = Vec::new();
    for (name, span, item) in table.entries().filter(|(name, ..)| ![EXCLUDE, INCLUDE].contains(name)) {
        if scope::is_reserved(name) {
            let message = format!("`{name}` has a meaning of its own and cannot be a param");
            checker.error(Code::BAD_VALUE, span, message, "");
            continue;
        }
        let Some(value) = checker.known(item) else { continue };
        let values = match value.as_list() {
            Some([]) => {
                checker.error(Code::BAD_VALUE, item.span(), "a param of the matrix needs a value", "empty");
                continue;
            }
            Some(values) => values.to_vec(),
            None => {
                let message = format!("`{name}` takes a list of values in `[matrix]`");
                checker.error(Code::WRONG_TYPE, item.span(), message, "not a list");
                vec![value]
            }
        };
        axes.push(Axis { name: name.to_owned(), span, values });
    }
    if axes.is_empty() {
        checker.error(Code::BAD_VALUE, item.span(), "`[matrix]` has no param", "empty");
        return None;
    }
    let total = axes.iter().try_fold(1usize, |total, axis| total.checked_mul(axis.values.len()));
    if total.is_none_or(|total| total > MOST) {
        let message = format!("`[matrix]` has more than {MOST} combinations");
        checker.error(Code::BAD_VALUE, item.span(), message, "too many");
        return None;
    }
    let exclude = table.take(EXCLUDE).map(|item| rows(checker, item, &axes, false)).unwrap_or_default();
    let include = table.take(INCLUDE).map(|item| rows(checker, item, &axes, true)).unwrap_or_default();
    Some(Matrix { axes, exclude, include })
}

/// The rows of `exclude` or `include`. Those that are `whole` say the value of every param.
fn rows(checker: &mut Checker, item: Item<'_>, axes: &[Axis], whole: bool) -> Vec<Combination> {
    let mut rows = Vec::new();
    for item in checker.array(item, "a list of tables of params and values").unwrap_or_default() {
        let Some(table) = checker.table(item, "a table of params and values") else { continue };
        let mut row = Combination::new();
        for (name, span, item) in table.entries() {
            if !axes.iter().any(|axis| axis.name == name) {
                let message = format!("`[matrix]` has no param `{name}`");
                let mut diagnostic = Diagnostic::error(Code::UNKNOWN_NAME, message).at(&checker.source, span, "");
                if let Some(near) = nearest(name, axes.iter().map(|axis| axis.name.as_str())) {
                    diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
                }
                checker.report(diagnostic);
            } else if let Some(value) = checker.known(item) {
                row.push((name.to_owned(), value));
            }
        }
        let missing = axes.iter().find(|axis| whole && !row.iter().any(|(name, _)| *name == axis.name));
        if let Some(axis) = missing {
            let message = format!("`include` says nothing of `{}`", axis.name);
            checker.error(Code::BAD_VALUE, item.span(), message, "every param has a value here");
        }
        rows.push(row);
    }
    rows
}

/// Whether the combination has all of the values of a row.
fn has(combination: &Combination, row: &Combination) -> bool {
    row.iter().all(|entry| combination.contains(entry))
}

impl Matrix {
    /// All combinations, in the order of the lists, the last param changing first. What `options` set is fixed.
    fn combinations(&self, options: &Options) -> Vec<Combination> {
        let mut all: Vec<Combination> = vec![Vec::new()];
        for axis in &self.axes {
            let fixed = axis.fixed(options).map(|value| vec![value]);
            let values = fixed.as_ref().unwrap_or(&axis.values);
            all = all
                .into_iter()
                .flat_map(|row| {
                    values.iter().map(move |value| {
                        let mut row = row.clone();
                        row.push((axis.name.clone(), value.clone()));
                        row
                    })
                })
                .collect();
        }
        all.retain(|combination| !self.exclude.iter().any(|row| !row.is_empty() && has(combination, row)));
        for row in &self.include {
            let fits = self.axes.iter().all(|axis| {
                let fixed = axis.fixed(options);
                fixed.is_none_or(|fixed| row.contains(&(axis.name.clone(), fixed)))
            });
            let ordered = self.axes.iter().filter_map(|axis| row.iter().find(|(name, _)| *name == axis.name).cloned());
            let ordered: Combination = ordered.collect();
            if fits && ordered.len() == self.axes.len() && !all.contains(&ordered) {
                all.push(ordered);
            }
        }
        all
    }

    /// The combination that the options choose: the first that fits. What is wrong with them is reported.
    pub(super) fn chosen(&self, checker: &mut Checker, options: &Options) -> Combination {
        for axis in &self.axes {
            if let Some(given) = axis.given(options).filter(|_| axis.fixed(options).is_none()) {
                let types = axis.values[0].types();
                let message = format!("`--set {}={given}`: the param is {types}", axis.name);
                let diagnostic = Diagnostic::error(Code::USAGE, message).at(
                    &checker.source,
                    axis.span.clone(),
                    "the values of the param",
                );
                checker.report(diagnostic);
            }
        }
        let first = self.combinations(options).into_iter().next();
        first.unwrap_or_else(|| {
            let span = self.axes.first().map_or(0..0, |axis| axis.span.clone());
            checker.error(Code::BAD_VALUE, span, "no combination of `[matrix]` is left", "all are excluded");
            self.axes.iter().map(|axis| (axis.name.clone(), axis.values[0].clone())).collect()
        })
    }
}

impl Axis {
    /// What the options say of it.
    fn given<'a>(&self, options: &'a Options) -> Option<&'a str> {
        options.params.iter().rfind(|(name, _)| *name == self.name).map(|(_, given)| given.as_str())
    }

    /// The value that the options set; none too where it is not of the param's type.
    fn fixed(&self, options: &Options) -> Option<Value> {
        let given = self.given(options)?;
        let known = self.values.iter().find(|value| text(value) == given).cloned();
        known.or_else(|| override_param(&self.values[0], given))
    }
}
