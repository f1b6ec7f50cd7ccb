//! A run as a log for `ShiViz`, which draws it from vector clocks.
//!
//! The first line is the regular expression that reads the rest, the second one stands for several executions and is
//! empty. Then each event is two lines: its process and its clock; what it was.
//!
//! An event of a trace is an interval: what it caused follows from its begin, what it follows from reached its end. In
//! this log an event is a point. One that is both a cause and an effect is written as two, its begin and its end, so that
//! the log never says more than is known; but for one that gives on what it took.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use crate::event::{ProcessId, Target};
use crate::report::terminal::style::visible;
use crate::report::view::event_text;
use crate::scenario::plan::Plan;
use crate::trace::Trace;

/// What reads an event: its process, its clock, its text.
const EXPRESSION: &str = r"(?<host>\S*) (?<clock>\{.*\})\n(?<event>.*)";

/// For each process, how many of its points happened before.
type Clock = BTreeMap<ProcessId, u64>;

/// Writes the log.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut dyn Write, plan: &Plan, trace: &Trace) -> io::Result<()> {
    writeln!(out, "{EXPRESSION}\n")?;
    let mut log = Log {
        out,
        plan,
        trace,
        points: points(plan, trace),
        next: vec![0; plan.processes.len()],
        clocks: vec![Clock::new(); plan.processes.len()],
        left: HashMap::new(),
    };
    for place in 0..trace.events.len() {
        log.reach(place)?;
    }
    Ok(())
}

/// An event, or one end of it.
#[derive(Clone, Copy)]
struct Point {
    place: usize,
    side: Side,
}

/// Which side of an event a point is.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Side {
    /// The begin of an event that has another point for its end.
    Begin,
    /// The end of such an event.
    Effect,
    /// The whole of an event from which something follows: its begin.
    Cause,
    /// The whole of an event that gives on what it took: its end.
    Passing,
    /// The whole of any other event: its end.
    Whole,
}

/// The points of each process, in its own order.
fn points(plan: &Plan, trace: &Trace) -> Vec<Vec<Point>> {
    let foreign = |place: usize| {
        let process = trace.events[place].id.process();
        let causes = trace.causality.causes(place).iter().map(|cause| *cause as usize);
        causes.filter(move |cause| trace.events[*cause].id.process() != process)
    };
    let mut is_cause = vec![false; trace.events.len()];
    let mut whole: Vec<bool> = (0..trace.events.len()).map(|place| trace.causality.passes_on(place)).collect();
    for place in 0..trace.events.len() {
        for cause in foreign(place) {
            is_cause[cause] = true;
            whole[cause] &= cause < place;
        }
    }
    let mut points: Vec<Vec<Point>> = vec![Vec::new(); plan.processes.len()];
    // The parts of a step that has not ended yet are recorded before it, and its begin lies before them.
    let mut parts: Vec<usize> = vec![0; plan.processes.len()];
    for (place, event) in trace.events.iter().enumerate() {
        let lane = &mut points[event.id.process() as usize];
        let before = &mut parts[event.id.process() as usize];
        let at = if event.implicit { lane.len() } else { *before };
        match (is_cause[place], foreign(place).next().is_some()) {
            (true, _) if whole[place] => lane.push(Point { place, side: Side::Passing }),
            (true, true) => {
                lane.insert(at, Point { place, side: Side::Begin });
                lane.push(Point { place, side: Side::Effect });
            }
            (true, false) => lane.insert(at, Point { place, side: Side::Cause }),
            (false, _) => lane.push(Point { place, side: Side::Whole }),
        }
        if !event.implicit {
            *before = lane.len();
        }
    }
    points
}

struct Log<'a> {
    out: &'a mut dyn Write,
    plan: &'a Plan,
    trace: &'a Trace,
    points: Vec<Vec<Point>>,
    /// The first point of each process that is not written yet.
    next: Vec<usize>,
    clocks: Vec<Clock>,
    /// The clocks of causes, by place.
    left: HashMap<usize, Clock>,
}

impl Log<'_> {
    /// Writes all points of a process up to the last one of an event; before them, what they follow from.
    fn reach(&mut self, place: usize) -> io::Result<()> {
        let process = self.trace.events[place].id.process() as usize;
        let last = |point: &Point| point.place == place && point.side != Side::Begin;
        if let Some(at) = self.points[process][self.next[process]..].iter().position(last) {
            for _ in 0..=at {
                self.point(process)?;
            }
        }
        Ok(())
    }

    /// Writes the points of a process up to the begin of an event. Nothing else can be left before it, as an event ends
    /// only after every one of its causes has begun.
    fn begin(&mut self, place: usize) -> io::Result<()> {
        let process = self.trace.events[place].id.process() as usize;
        while !self.left.contains_key(&place) && self.next[process] < self.points[process].len() {
            self.point(process)?;
        }
        Ok(())
    }

    /// Writes the next point of a process.
    fn point(&mut self, process: usize) -> io::Result<()> {
        let Point { place, side } = self.points[process][self.next[process]];
        self.next[process] += 1;
        if matches!(side, Side::Effect | Side::Passing | Side::Whole) {
            for cause in self.trace.causality.causes(place) {
                let cause = *cause as usize;
                if self.trace.events[cause].id.process() as usize == process {
                    continue;
                }
                self.begin(cause)?;
                for (other, time) in self.left.get(&cause).into_iter().flatten() {
                    let known = self.clocks[process].entry(*other).or_default();
                    *known = (*known).max(*time);
                }
            }
        }
        let clock = &mut self.clocks[process];
        *clock.entry(process as ProcessId).or_default() += 1;
        if matches!(side, Side::Begin | Side::Cause | Side::Passing) {
            self.left.insert(place, clock.clone());
        }
        let host = self.plan.target_name(Target::Process(process as ProcessId));
        let mut times = serde_json::Map::new();
        for (other, time) in &self.clocks[process] {
            let name = self.plan.target_name(Target::Process(*other));
            times.insert(host_name(name), (*time).into());
        }
        let event = &self.trace.events[place];
        let begins = if side == Side::Begin { " begins" } else { "" };
        let at = event_text::place(self.plan, event).map_or_else(String::new, |at| format!("  {at}"));
        let text = format!("#{}{begins}  {}{at}", place + 1, event_text::event(self.plan, event));
        writeln!(self.out, "{} {}\n{}", host_name(host), serde_json::Value::Object(times), visible(&text))
    }
}

/// A name without spaces, at which the log's expression would end it.
fn host_name(name: &str) -> String {
    name.chars().map(|c| if c.is_whitespace() || c.is_control() { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use crate::report::testing::trace_dsl::sketch;

    fn log(scenario: &str, lines: &str) -> Vec<String> {
        let (plan, trace) = sketch(scenario, lines);
        let mut out = Vec::new();
        super::write(&mut out, &plan, &trace).expect("a vector takes it all");
        let text = String::from_utf8(out).expect("text");
        let lines: Vec<&str> = text.lines().skip(2).collect();
        let events = lines.chunks(2).filter(|event| !event[1].contains("  begin ") && !event[1].contains("  end "));
        events.map(|event| event.join(" ")).collect()
    }

    #[test]
    fn a_step_passes_on_what_it_took() {
        let scenario = "[objects]\np = { kind = \"queue\" }\nq = { kind = \"queue\" }\n[processes.a]\nsteps = [{ put = \"p\", \
                        value = 1 }]\n[processes.b]\nsteps = [{ get = \"p\" }]\n[processes.c]\nsteps = [{ get = \"q\" }]\n";
        let lines = "a 30 40 put p ticket=1 value=1\nb 10 50 get p ticket=1 cause=a:1 value=1 blocked\n\
                     c 10 60 get q ticket=1 cause=b:1 value=1 blocked";
        assert_eq!(
            log(scenario, lines),
            [
                "a {\"a\":2} #4  put p: 1  test.toml:5",
                "b {\"a\":2,\"b\":2} #6  get p: 1, waited 40.0 µs  test.toml:7",
                "c {\"a\":2,\"b\":2,\"c\":2} #8  get q: 1, waited 50.0 µs  test.toml:9",
            ]
        );
    }

    #[test]
    fn what_gives_on_what_it_took_is_one_event() {
        let scenario =
            "[objects]\nn = { kind = \"value\" }\n[processes.p]\ncount = 3\nsteps = [{ add = \"n\", value = 1 }]\n";
        let lines = "p[0] 10 20 add n ticket=1\np[1] 12 30 add n ticket=2\np[2] 13 40 add n ticket=3";
        assert_eq!(
            log(scenario, lines),
            [
                "p[0] {\"p[0]\":2} #4  add n  test.toml:5",
                "p[1] {\"p[0]\":2,\"p[1]\":2} #6  add n  test.toml:5",
                "p[2] {\"p[0]\":2,\"p[1]\":2,\"p[2]\":2} #8  add n  test.toml:5",
            ]
        );
    }
}
