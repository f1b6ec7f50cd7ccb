//! Verdicts for tests of what shows them, with words of their own.

use crate::judge::{Status, Verdict, judge};
use crate::scenario::expectation::{Expectation, FormDescription, Holds};
use crate::scenario::plan::Plan;
use crate::trace::Trace;

/// A form that the judge does not know: what it finds is replaced.
static FORM: FormDescription = FormDescription { name: "test", summary: "", arguments: &[], one_of: &[], example: "" };

/// Gives the plan expectations of these labels, in lines 20, 21 .., each found to have that status.
pub(crate) fn verdict(plan: &mut Plan, trace: &Trace, found: &[(&str, Status)]) -> Verdict {
    plan.expectations = found
        .iter()
        .zip(20..)
        .map(|((label, _), line)| Expectation {
            form: &FORM,
            arguments: Vec::new(),
            label: (*label).to_owned(),
            holds: Holds::Always,
            span: 0..0,
            line,
            step: None,
        })
        .collect();
    let mut verdict = judge(plan, trace);
    // Rules that the judge found broken are not what these tests are about.
    verdict.findings.truncate(found.len());
    for (judged, (_, status)) in verdict.findings.iter_mut().zip(found) {
        judged.status = *status;
        judged.reason = None;
        judged.finding.status = *status;
        judged.finding.reason = None;
        judged.finding.measured = "3".to_owned();
    }
    let any = |status| found.iter().any(|(_, other)| *other == status);
    verdict.status = match (any(Status::Fail), any(Status::Unknown)) {
        (true, _) => Status::Fail,
        (false, true) => Status::Unknown,
        (false, false) => Status::Pass,
    };
    verdict
}
