use super::Doing::{Blocked, Computing, Operation, Sleeping};
use super::*;
use crate::report::testing::trace_dsl::sketch;

const SEMAPHORE: &str = r#"
[objects]
permits = { kind = "semaphore", value = 2 }
[processes.worker]
count = 3
steps = [ { acquire = "permits" }, { sleep = "400us" }, { release = "permits" } ]
"#;

const WORK: &str = "
worker[0] 10 11 acquire permits ticket=1
worker[0] 11 410 sleep
worker[0] 410 412 release permits ticket=3
worker[1] 10 12 acquire permits ticket=2
worker[1] 13 420 sleep
worker[1] 420 421 release permits ticket=5
worker[2] 10 411 acquire permits ticket=4 blocked
worker[2] 411 800 sleep
worker[2] 800 801 release permits ticket=6
";

fn place(trace: &Trace, process: ProcessId, verb: &str) -> usize {
    trace.events.iter().position(|event| event.id.process() == process && event.verb == verb).expect("an event")
}

#[test]
fn a_lane_says_what_its_process_did_and_held() {
    let (plan, trace) = sketch(SEMAPHORE, WORK);
    let spans = Spans::new(&plan, &trace);
    let told: Vec<_> =
        spans.lanes[1].spans.iter().map(|span| (span.begin / 1_000, span.end / 1_000, span.doing)).collect();
    assert_eq!(
        told,
        [(0, 10, Computing), (10, 12, Operation), (12, 13, Computing), (13, 420, Sleeping), (420, 421, Operation)]
    );
    assert_eq!(spans.lanes[2].spans[1].doing, Blocked);
    let holds: Vec<_> =
        spans.lanes.iter().flat_map(|lane| &lane.holds).map(|hold| (hold.begin / 1_000, hold.end / 1_000)).collect();
    assert_eq!(holds, [(11, 410), (12, 420), (411, 800)]);
    let acquire = place(&trace, 2, "acquire");
    assert_eq!(spans.span_of(&trace, acquire), Some(&spans.lanes[2].spans[1]));
}

#[test]
fn a_track_is_the_value_over_time() {
    let (plan, trace) = sketch(SEMAPHORE, WORK);
    let spans = Spans::new(&plan, &trace);
    let track = spans.track(0).expect("the semaphore was used");
    assert_eq!((track.shape, track.limit, track.range()), (Shape::Number, Some(2), Some((0.0, 2.0))));
    let levels: Vec<_> = track.levels.iter().map(|level| (level.at / 1_000, level.number.expect("a number"))).collect();
    // The release that ended after the acquire it unblocked took effect before that one's end.
    assert_eq!(levels, [(0, 2.0), (11, 1.0), (12, 0.0), (411, 1.0), (411, 0.0), (421, 1.0), (801, 2.0)]);
    assert_eq!(track.level(500_000).and_then(|level| level.number), Some(1.0));
}

#[test]
fn a_permit_is_handed_over_to_who_waited() {
    let (plan, trace) = sketch(SEMAPHORE, WORK);
    let spans = Spans::new(&plan, &trace);
    let (from, to) = (place(&trace, 0, "release"), place(&trace, 2, "acquire"));
    let arrows: Vec<_> = spans.arrows.iter().map(|arrow| (arrow.from, arrow.to, arrow.kind)).collect();
    assert_eq!(arrows, [(from, to, ArrowKind::HandOver)]);
    assert_eq!(spans.arrows[0].times(&trace), (411_000, 411_000));
}

#[test]
fn what_others_give_back_is_held_by_none() {
    let (plan, trace) = sketch(
        r#"
[objects]
full = { kind = "semaphore", value = 0 }
[processes.producer]
steps = [ { release = "full" } ]
[processes.consumer]
steps = [ { acquire = "full" } ]
"#,
        "producer 5 6 release full ticket=1
         consumer 1 7 acquire full ticket=2 blocked",
    );
    let spans = Spans::new(&plan, &trace);
    assert!(spans.lanes.iter().all(|lane| lane.holds.is_empty()));
    assert_eq!(spans.arrows.len(), 1);
}

#[test]
fn a_message_leads_from_its_sender_to_its_receiver() {
    let (plan, trace) = sketch(
        r#"
[objects]
link = { kind = "pipe", duplex = true }
[processes.a]
steps = [ { send = "link.a", value = 1 } ]
[processes.b]
steps = [ { recv = "link.b", into = "x" } ]
"#,
        "a 5 9 send link ticket=1 value=1
         b 1 8 recv link ticket=1 cause=a:1 value=1 blocked",
    );
    let spans = Spans::new(&plan, &trace);
    let [arrow] = spans.arrows[..] else { panic!("one arrow: {:?}", spans.arrows) };
    assert_eq!((arrow.kind, arrow.certain), (ArrowKind::Message, true));
    // The receiver ended first.
    assert_eq!(arrow.times(&trace), (8_000, 8_000));
}

#[test]
fn who_waits_for_ever_is_blocked_to_the_end_and_holds_on() {
    let (plan, trace) = sketch(
        r#"
[objects]
m = { kind = "mutex" }
[processes.p]
count = 2
steps = [ { lock = "m" }, { section = "bath", do = [ { lock = "m" } ] } ]
"#,
        "p[0] 1 2 lock m ticket=1
         p[0] 2 3 enter second=bath
         p[0] waits 3 lock m
         p[1] waits 2 lock m",
    );
    let spans = Spans::new(&plan, &trace);
    let last = spans.lanes[0].spans.last().expect("a span");
    assert_eq!((last.doing, last.begin, last.end, last.waiting), (Doing::Blocked, 3_000, trace.duration, Some(0)));
    let held: Vec<_> = spans.lanes[0].holds.iter().map(|hold| (hold.what.clone(), hold.end, hold.to)).collect();
    let end = trace.duration;
    assert_eq!(held, [(Held::Object(0), end, None), (Held::Section("bath".to_owned()), end, None)]);
    let owner = spans.track(0).expect("it was locked");
    assert_eq!(owner.shape, Shape::Owner);
    assert_eq!(owner.levels.iter().map(|level| level.owner).collect::<Vec<_>>(), [None, Some(0)]);
}

#[test]
fn a_process_that_never_was_has_no_time() {
    let (plan, mut trace) = sketch(SEMAPHORE, "");
    trace.events.clear();
    trace.ends.fill(ProcessEnd::NotStarted);
    let spans = Spans::new(&plan, &trace);
    assert!(spans.lanes.iter().all(|lane| lane.spans.is_empty() && lane.begin == lane.end));
    assert!(spans.tracks.is_empty() && spans.arrows.is_empty());
}
