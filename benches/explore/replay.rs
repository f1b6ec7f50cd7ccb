//! How many schedules in a second ten processes of the kernel are held to.

use super::{Kit, Line, goal};

/// Schedules in a second.
const SCHEDULES: f64 = 250.0;

pub(super) fn row(kit: &Kit<'_>) -> Result<Vec<Line>, String> {
    let runs = if kit.options.quick { "100" } else { "500" };
    let (mut fast, mut spent) = (0.0_f64, f64::INFINITY);
    for _ in 0..kit.runs() {
        let said = kit.ours(&["replay", runs])?;
        let (count, confirmed) = (said.number("runs")?, said.number("confirmed")?);
        if confirmed < count {
            return Err(format!("{confirmed} of {count} schedules end on the kernel as in the model"));
        }
        fast = fast.max(count / (said.number("took")? / 1e9));
        spent = spent.min(said.number("spent")? / count);
    }
    Ok(vec![Line {
        name: "explore-replay".to_owned(),
        about: "schedules of 10 processes, all confirmed".to_owned(),
        ours: format!("{} CPU each", crate::table::time(spent)),
        result: format!("{fast:.0}/s"),
        goal: goal(&format!("{SCHEDULES}/s"), fast >= SCHEDULES),
        ..Line::default()
    }])
}
