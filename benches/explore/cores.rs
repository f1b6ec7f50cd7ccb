//! What a second CPU gives: the same exploration by one thread and by two.

use super::problems::Problem;
use super::{Kit, Line, goal};
use crate::machine;
use crate::table::time;

/// At least so many times faster.
const FASTER: f64 = 1.7;
/// At most so much more CPU time.
const DEARER: f64 = 1.15;

/// Every state of a problem, without reductions, or many of its single executions.
pub(super) fn row(kit: &Kit<'_>, name: &str, problem: Problem, walks: bool) -> Result<Vec<Line>, String> {
    let how = match (walks, kit.options.quick) {
        (false, _) => "full",
        (true, true) => "200000",
        (true, false) => "1000000",
    };
    let mut least = [[f64::INFINITY; 2]; 2];
    let mut found = [0.0; 2];
    for _ in 0..kit.runs() {
        for (place, jobs) in ["1", "2"].into_iter().enumerate() {
            let said = kit.ours(&["cores", &problem.name(), how, jobs])?;
            found[place] = said.number("found")?;
            for (least, word) in least[place].iter_mut().zip(["took", "spent"]) {
                *least = least.min(said.number(word)?);
            }
        }
    }
    if found[0].total_cmp(&found[1]).is_ne() {
        return Err(format!("{}: {} with one thread and {} with two", problem.about(), found[0], found[1]));
    }
    let [[one, alone], [two, both]] = least;
    let (faster, dearer) = (one / two, both / alone);
    let what = if walks { "single executions" } else { "every state" };
    Ok(vec![Line {
        name: name.to_owned(),
        about: format!("{}, {what}, load {}", problem.about(), machine::load()),
        ours: format!("-j 1 {}, -j 2 {}", time(one), time(two)),
        result: format!("{faster:.2} x, CPU {:+.0} %", (dearer - 1.0) * 100.0),
        goal: goal(&format!("{FASTER} x, {:+.0} %", (DEARER - 1.0) * 100.0), faster >= FASTER && dearer <= DEARER),
        ..Line::default()
    }])
}
