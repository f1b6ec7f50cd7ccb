//! What the script makes of the data: past, future and concurrent events are those of the trace.

use serde_json::Value as Json;

use super::{PASSING, json};
use crate::judge::judge;
use crate::report::html::axis::{Folds, Kind};
use crate::report::testing::trace_dsl::sketch;
use crate::report::view::timeline_model::Spans;
use crate::scenario::plan::Plan;
use crate::trace::Trace;

/// What `page/data.js` knows of a run, decoded as it does.
struct Decoded {
    processes: Vec<usize>,
    numbers: Vec<usize>,
    ranks: Vec<usize>,
    lanes: Vec<Vec<usize>>,
    flags: Vec<u8>,
    edges: Vec<(usize, usize)>,
}

impl Decoded {
    fn of(plan: &Plan, trace: &Trace) -> Self {
        let verdict = judge(plan, trace);
        let spans = Spans::new(plan, trace);
        let text = json(plan, trace, &verdict, &spans, &Folds::new(trace), Kind::Time).expect("JSON");
        let data: Json = serde_json::from_str(&text).expect("JSON");
        let count = data["count"].as_u64().expect("a count") as usize;
        let column = |source: &Json, count: usize| -> Vec<i64> {
            (0..count).map(|at| source.get(at).unwrap_or(source).as_i64().expect("a number")).collect()
        };
        let processes: Vec<usize> =
            column(&data["events"]["process"], count).into_iter().map(|process| process as usize).collect();
        let mut lanes = vec![Vec::new(); data["processes"].as_array().expect("names").len()];
        let mut numbers = Vec::new();
        for (at, process) in processes.iter().enumerate() {
            numbers.push(lanes[*process].len());
            lanes[*process].push(at);
        }
        let mut ranks = numbers.clone();
        for pair in data["ranks"].as_array().expect("pairs") {
            ranks[pair[0].as_u64().expect("a place") as usize] = pair[1].as_u64().expect("a rank") as usize;
        }
        let edges = data["edges"]["count"].as_u64().expect("a count") as usize;
        let mut to = 0;
        let steps = column(&data["edges"]["to"], edges).into_iter().zip(column(&data["edges"]["back"], edges));
        let edges = steps.map(|(step, back)| {
            to += step;
            ((to - back) as usize, to as usize)
        });
        Self {
            edges: edges.collect(),
            flags: column(&data["events"]["flags"], count).into_iter().map(|flags| flags as u8).collect(),
            processes,
            numbers,
            ranks,
            lanes,
        }
    }

    /// For each event, how many begins of each process reach its end.
    fn clocks(&self) -> Vec<Vec<usize>> {
        let mut clocks: Vec<Vec<usize>> = Vec::new();
        let mut edges = self.edges.iter().peekable();
        for (at, process) in self.processes.iter().enumerate() {
            let number = self.numbers[at];
            let mut clock =
                if number == 0 { vec![0; self.lanes.len()] } else { clocks[self.lanes[*process][number - 1]].clone() };
            clock[*process] = clock[*process].max(self.ranks[at] + 1);
            while let Some((cause, _)) = edges.next_if(|(_, to)| *to == at) {
                let other = self.processes[*cause];
                let base = self.numbers[*cause].min(self.ranks[*cause]).checked_sub(1).map(|at| self.lanes[other][at]);
                let passing = self.flags[*cause] & PASSING != 0 && *cause < at;
                if let Some(known) = if passing { Some(*cause) } else { base } {
                    clock = clock.iter().zip(&clocks[known]).map(|(mine, other)| *mine.max(other)).collect();
                }
                clock[other] = clock[other].max(self.ranks[*cause] + 1);
            }
            clocks.push(clock);
        }
        clocks
    }

    /// Holds the data against the trace, and gives how many pairs of different processes are ordered.
    fn agree(&self, trace: &Trace) -> usize {
        let clocks = self.clocks();
        let mut ordered = 0;
        for (first, process) in self.processes.iter().enumerate() {
            for (second, clock) in clocks.iter().enumerate() {
                let same = *process == self.processes[second];
                let before = if same { first < second } else { self.ranks[first] < clock[*process] };
                assert_eq!(before, trace.happens_before(first, second), "#{} before #{}", first + 1, second + 1);
                ordered += usize::from(before && !same);
            }
        }
        ordered
    }
}

const SCENARIO: &str = "[objects]\nn = { kind = \"value\" }\nq = { kind = \"queue\" }\ns = { kind = \"semaphore\", value = 9 }\n\
                        [processes.p]\ncount = 4\nsteps = [{ add = \"n\", value = 1 }, { store = \"n\", value = 1 }, { put = \"q\", \
                        value = 1 }, { get = \"q\" }, { acquire = \"s\" }, { release = \"s\" }]\n";

#[test]
fn an_atomic_step_gives_on_what_it_took() {
    // The second began before the first ended, and the third before the second took effect.
    let (plan, trace) =
        sketch(SCENARIO, "p[0] 10 20 add n ticket=1\np[1] 12 30 add n ticket=2\np[2] 13 40 add n ticket=3");
    let place = |process| {
        trace.events.iter().position(|event| event.id.process() == process && event.verb == "add").expect("its step")
    };
    assert!(trace.happens_before(place(0), place(2)));
    Decoded::of(&plan, &trace).agree(&trace);
}

#[test]
fn the_page_knows_what_happened_before_what() {
    const VERBS: [(&str, &str); 8] = [
        ("add", "n"),
        ("add", "n"),
        ("add", "n"),
        ("store", "n"),
        ("put", "q"),
        ("get", "q"),
        ("acquire", "s"),
        ("release", "s"),
    ];
    for seed in 0..20u64 {
        let mut random = seed;
        let mut draw = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let mut lines = Vec::new();
        // When the last event of each process ended, and how many it has.
        let mut lanes = [(0, 0u64); 4];
        let mut puts = Vec::new();
        for effect in (20..).step_by(10).take(120) {
            let process = draw(4) as usize;
            let (mut verb, object) = VERBS[draw(8) as usize];
            let (ended, number) = lanes[process];
            if ended > effect {
                continue;
            }
            if verb == "get" && puts.is_empty() {
                verb = "put";
            }
            let (begin, end) = (effect - draw(40).min(effect - ended), effect + draw(40));
            let cause = if verb == "get" {
                format!(" cause={}", puts.remove(draw(puts.len() as u64) as usize))
            } else {
                String::new()
            };
            lines.push(format!("p[{process}] {begin} {end} {verb} {object} ticket={effect} value=1{cause}"));
            lanes[process] = (end, number + 1);
            if verb == "put" {
                puts.push(format!("p[{process}]:{}", number + 1));
            }
        }
        let (plan, trace) = sketch(SCENARIO, &lines.join("\n"));
        assert_eq!(trace.causality.problems(), [] as [String; 0]);
        let passing = (0..trace.events.len()).filter(|at| trace.causality.passes_on(*at)).count();
        let ordered = Decoded::of(&plan, &trace).agree(&trace);
        assert!(passing > 5 && ordered > 100, "{passing} {ordered}");
    }
}
