//! `each`.

use std::fmt::Write;

use super::{ALLOW_EMPTY, Form, optional, required};
use std::collections::{HashMap, VecDeque};

use crate::event::ProcessId;
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::history::{Events, Memory};
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::Plan;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "each",
        summary: "every match has its own match of another pattern after it, or before it",
        arguments: &[
            required("each", Shape::Pattern, "the events that each need another one"),
            optional("followed_by", Shape::Pattern, "what must come after each"),
            optional("preceded_by", Shape::Pattern, "what must come before each"),
            optional("within", Shape::Duration, "the longest time between the ends of the two"),
            optional(
                "by",
                Shape::Choice(&["cause", "time"]),
                "`time` (the default): one is before the other; `cause`: one is a cause of the other",
            ),
            optional("same", Shape::Choice(&["process"]), "`process`: both belong to the same process"),
            ALLOW_EMPTY,
        ],
        one_of: &["followed_by", "preceded_by"],
        example: r#"[[expect]]
each = "client send link"
followed_by = "server recv link"
within = "100ms""#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    let [each, ..] = expectation.patterns("each") else { return Vec::new() };
    let others = ["followed_by", "preceded_by"].map(|key| (key, expectation.patterns(key).first()));
    let others = others.into_iter().filter_map(|(key, other)| Some((key, other?)));
    if expectation.duration("within").is_some() {
        let all = std::iter::once(each).chain(others.map(|(_, other)| other));
        return vec![Memory::Course(all.map(Events::Pattern).collect())];
    }
    if expectation.text("by") == Some("cause") {
        return vec![Memory::Count { of: Events::Pattern(each), most: 0 }, Memory::Past];
    }
    let same = expectation.text("same") == Some("process");
    let pairs = others.map(|(key, other)| Memory::Pairs { each, other, before: key == "preceded_by", same });
    std::iter::once(Memory::Count { of: Events::Pattern(each), most: 0 }).chain(pairs).collect()
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let within = expectation.duration("within");
    let same = expectation.text("same") == Some("process");
    let mut expected = "each has its own".to_owned();
    if same {
        expected.push_str(" of the same process");
    }
    if expectation.text("by") == Some("cause") {
        expected.push_str(" by cause");
    }
    if let Some(within) = within {
        let _ = write!(expected, " within {}", describe::duration(within));
    }
    for key in ["each", "followed_by", "preceded_by"] {
        if let Some(reason) = context.gap(expectation.patterns(key)) {
            return Finding::unknown(expected, "not all of the events", reason);
        }
    }
    let [pattern, ..] = expectation.patterns("each") else {
        return Finding::unknown(expected, "nothing", "there is no pattern");
    };
    let places = context.matches(pattern);
    if places.is_empty() {
        let measured = format!("nothing matches `{}`", pattern.text);
        return if expectation.boolean("allow_empty") {
            Finding::pass(expected, measured).because("vacuous: no event matches")
        } else {
            Finding::vacuous(expected, measured, "the pattern")
        };
    }
    let mut widest = 0;
    for (key, side) in [("followed_by", Side::After), ("preceded_by", Side::Before)] {
        let [other, ..] = expectation.patterns(key) else { continue };
        let others = context.matches(other);
        let by_cause = expectation.text("by") == Some("cause");
        let search = Search { context, side, within, same, by_cause };
        let pairs = match search.pair(&places, &others) {
            Ok(pairs) => pairs,
            Err(lonely) => return search.lonely(&places, &others, &lonely, &other.text, expected),
        };
        for (place, partner) in pairs {
            widest = widest.max(search.distance(place, partner));
        }
    }
    let number = describe::counted(places.len() as i64, "event");
    Finding::pass(expected, format!("{number}, the farthest {} from its own", describe::duration(widest)))
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    After,
    Before,
}

/// Looks for each event's own partner.
struct Search<'a> {
    context: &'a Context<'a>,
    side: Side,
    within: Option<u64>,
    same: bool,
    by_cause: bool,
}

impl Search<'_> {
    /// Gives each event the nearest partner that is left to it, or tells which have none.
    fn pair(&self, places: &[usize], others: &[usize]) -> Result<Vec<(usize, usize)>, Vec<usize>> {
        if self.by_cause {
            return self.pair_by_cause(places, others);
        }
        let mut partners: HashMap<Option<ProcessId>, VecDeque<usize>> = HashMap::new();
        let group = |place: usize| self.same.then(|| self.context.event(place).id.process());
        for other in others {
            let queue = partners.entry(group(*other)).or_default();
            // Each queue is gone through away from the first event that is asked about.
            if self.side == Side::After { queue.push_back(*other) } else { queue.push_front(*other) }
        }
        let mut pairs = Vec::new();
        let mut lonely = Vec::new();
        let mut find = |place: usize| {
            let partner = partners.get_mut(&group(place)).and_then(|queue| {
                while queue.front().is_some_and(|other| !self.beyond(place, *other)) {
                    queue.pop_front();
                }
                // One that is too far off for this event may still do for the next.
                let nearest = *queue.front()?;
                let near = self.within.is_none_or(|within| self.distance(place, nearest) <= within);
                if near { queue.pop_front() } else { None }
            });
            match partner {
                Some(partner) => pairs.push((place, partner)),
                None => lonely.push(place),
            }
        };
        match self.side {
            Side::After => places.iter().for_each(|place| find(*place)),
            Side::Before => places.iter().rev().for_each(|place| find(*place)),
        }
        lonely.sort_unstable();
        if lonely.is_empty() { Ok(pairs) } else { Err(lonely) }
    }

    /// The same where the nearest need not do: a partner is taken from another event that can have a further one.
    fn pair_by_cause(&self, places: &[usize], others: &[usize]) -> Result<Vec<(usize, usize)>, Vec<usize>> {
        let mut owners: Vec<Option<usize>> = vec![None; others.len()];
        let fitting: Vec<Vec<usize>> = (places.iter())
            .map(|place| (0..others.len()).filter(|at| self.fits(*place, others[*at])).collect())
            .collect();
        let mut lonely = Vec::new();
        for (number, place) in places.iter().enumerate() {
            // From each event met, over a partner that fits it, to the event that has it: until one is left.
            let mut from: Vec<Option<usize>> = vec![None; others.len()];
            let mut open = VecDeque::from([number]);
            let mut free = None;
            while let Some(event) = open.pop_front().filter(|_| free.is_none()) {
                for at in &fitting[event] {
                    if from[*at].is_some() {
                        continue;
                    }
                    from[*at] = Some(event);
                    match owners[*at] {
                        Some(owner) => open.push_back(owner),
                        None => {
                            free = Some(*at);
                            break;
                        }
                    }
                }
            }
            if free.is_none() {
                lonely.push(*place);
            }
            while let Some(at) = free {
                let Some(event) = from[at] else { break };
                free = owners.iter().position(|owner| *owner == Some(event));
                owners[at] = Some(event);
            }
        }
        if !lonely.is_empty() {
            return Err(lonely);
        }
        let pairs = owners.iter().zip(others).filter_map(|(owner, other)| Some((places[(*owner)?], *other)));
        Ok(pairs.collect())
    }

    fn fits(&self, place: usize, other: usize) -> bool {
        let context = self.context;
        let (first, second) = if self.side == Side::After { (place, other) } else { (other, place) };
        context.trace.happens_before(first, second)
            && (!self.same || context.event(place).id.process() == context.event(other).id.process())
            && self.within.is_none_or(|within| self.distance(place, other) <= within)
    }

    fn beyond(&self, place: usize, other: usize) -> bool {
        if self.side == Side::After { other > place } else { other < place }
    }

    fn distance(&self, place: usize, other: usize) -> u64 {
        self.context.event(place).end.abs_diff(self.context.event(other).end)
    }

    fn lonely(&self, places: &[usize], others: &[usize], lonely: &[usize], text: &str, expected: String) -> Finding {
        let first = lonely[0];
        let where_to = if self.side == Side::After { "after" } else { "before" };
        let number = format!("{} of {}", lonely.len(), describe::counted(places.len() as i64, "event"));
        let measured =
            format!("{number} without, first {}: no `{text}` of its own {where_to} it", self.context.describe(first));
        let finding = Finding::fail(expected, measured).witnesses(lonely.iter().copied().take(4));
        // The nearest there is, where it was only too late.
        let process = self.context.event(first).id.process();
        let near = others
            .iter()
            .filter(|other| self.beyond(first, **other))
            .filter(|other| !self.same || self.context.event(**other).id.process() == process)
            .min_by_key(|other| other.abs_diff(first));
        match near {
            Some(near) if self.within.is_some() => {
                let distance = describe::duration(self.distance(first, *near));
                finding.notes([format!("the nearest is {}, {distance} away", self.context.describe(*near))])
            }
            _ => finding,
        }
    }
}
