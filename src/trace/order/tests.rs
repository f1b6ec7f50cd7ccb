use super::super::testing::{CELL, COUNTER, PERMITS, QUEUE, Scene};
use super::super::{Ties, Trace};
use super::*;

/// `p0 release` for each event but begins and ends.
fn told(plan: &Plan, trace: &Trace) -> Vec<String> {
    let steps = trace.events.iter().filter(|event| event.step.is_some());
    steps.map(|event| format!("{} {}", plan.processes[event.id.process() as usize].name, event.verb)).collect()
}

fn place(trace: &Trace, process: ProcessId, verb: &str) -> usize {
    trace.events.iter().position(|event| event.id.process() == process && event.verb == verb).expect("there is one")
}

#[test]
fn an_effect_stands_behind_its_cause_although_it_was_recorded_sooner() {
    let mut scene = Scene::new(&[("s", &PERMITS, 0)], &[("a", None), ("b", None)]);
    scene.on(0, "release", "s", (10, 50), 1);
    scene.act(0, "print", 50, 60);
    scene.on(1, "acquire", "s", (5, 20), 2);
    scene.act(1, "print", 20, 30);
    let (plan, trace) = scene.finish();
    assert_eq!(told(&plan, &trace), ["a release", "b acquire", "b print", "a print"]);
    let (release, acquire) = (place(&trace, 0, "release"), place(&trace, 1, "acquire"));
    assert!(trace.happens_before(release, acquire) && !trace.happens_before(acquire, release));
    assert!(trace.happens_before(place(&trace, 0, "begin"), place(&trace, 1, "print")));
    assert!(!trace.happens_before(place(&trace, 0, "print"), place(&trace, 1, "print")));
    assert_eq!(trace.causality.causes(acquire), [release as u32]);
    assert!(trace.causality.problems().is_empty());
}

#[test]
fn an_order_that_tells_nothing_is_no_cause() {
    let mut scene = Scene::new(&[("x", &CELL, 0)], &[("a", None), ("b", None)]);
    scene.on(0, "store", "x", (0, 40), 1);
    scene.on(1, "load", "x", (0, 30), 2);
    let (plan, trace) = scene.finish();
    assert_eq!(told(&plan, &trace), ["a store", "b load"]);
    assert!(!trace.happens_before(place(&trace, 0, "store"), place(&trace, 1, "load")));
}

#[test]
fn a_join_comes_after_all_that_the_other_did_and_a_start_before() {
    let mut scene = Scene::new(&[], &[("main", None), ("child", None)]);
    scene.act(0, "start", 0, 5).target = Target::Process(1);
    scene.act(0, "join", 5, 90).target = Target::Process(1);
    scene.act(1, "mark", 10, 80);
    let (_, trace) = scene.finish();
    let (start, join, mark) = (place(&trace, 0, "start"), place(&trace, 0, "join"), place(&trace, 1, "mark"));
    assert!(trace.happens_before(start, mark) && trace.happens_before(mark, join));
    assert!(trace.happens_before(start, join) && !trace.happens_before(join, mark));
    let past = trace.causality.past(join);
    assert!(past.contains(mark) && past.contains(start) && !past.contains(join));
}

#[test]
fn who_was_let_begin_first_and_came_to_it_last_tells_nothing_of_its_own() {
    for (begins, told) in [(10, true), (40, false)] {
        let mut scene = Scene::new(&[], &[("main", None), ("server", None), ("client", None)]);
        scene.plan.programs[2].depends_on.push((1, 1, Condition::Started));
        let start = scene.act(0, "start", 0, 5);
        (start.target, start.step) = (Target::Process(1), Some(0));
        let start = start.id;
        let server = &mut scene.lanes[1][0];
        (server.begin, server.end, server.cause) = (begins, begins, Some(start));
        let client = &mut scene.lanes[2][0];
        (client.begin, client.end) = (20, 20);
        scene.act(1, "mark", begins, 50);
        scene.act(2, "mark", 20, 30);
        let (_, trace) = scene.finish();
        assert_eq!(trace.happens_before(place(&trace, 1, "begin"), place(&trace, 2, "begin")), told);
        assert!(trace.happens_before(place(&trace, 0, "start"), place(&trace, 2, "mark")));
        assert!(trace.events.windows(2).all(|pair| pair[0].end <= pair[1].end), "{:?}", trace.events);
    }
}

#[test]
fn a_step_begins_before_the_implicit_events_within_it() {
    let mut scene = Scene::new(&[("m", &PERMITS, 1)], &[("a", None), ("b", None)]);
    let step = scene.step(0, "wait", "c");
    let unlock = scene.on(0, "unlock", "m", (12, 14), 1);
    (unlock.step, unlock.implicit) = (Some(step), true);
    let id = EventId::new(0, 2);
    scene.act(0, "wait", 10, 40).step = Some(step);
    // It saw that the other waits before that one had given the lock back.
    scene.act(1, "notify", 9, 13).cause = Some(id);
    let (_, trace) = scene.finish();
    let (wait, unlock, notify) = (place(&trace, 0, "wait"), place(&trace, 0, "unlock"), place(&trace, 1, "notify"));
    assert!(trace.happens_before(wait, notify) && !trace.happens_before(unlock, notify));
    assert!(trace.causality.problems().is_empty());
}

#[test]
fn edges_that_contradict_one_another_are_told_and_broken() {
    let mut scene = Scene::new(&[("q", &QUEUE, 0)], &[("a", None), ("b", None)]);
    let (first, second) = (EventId::new(0, 2), EventId::new(1, 2));
    scene.on(0, "get", "q", (0, 10), 0).cause = Some(second);
    scene.on(0, "put", "q", (10, 20), 0);
    scene.on(1, "get", "q", (0, 11), 0).cause = Some(first);
    scene.on(1, "put", "q", (11, 21), 0);
    let (plan, trace) = scene.finish();
    assert_eq!(told(&plan, &trace).len(), 4);
    assert_eq!(trace.causality.problems().len(), 1, "{:?}", trace.causality.problems());
    let (a, b) = (place(&trace, 0, "put"), place(&trace, 1, "get"));
    assert!(trace.happens_before(a, b), "the edge that was kept still says what it says");
}

#[test]
fn without_a_table_the_answers_are_the_same() {
    let mut scene = Scene::new(&[("q", &QUEUE, 0), ("n", &COUNTER, 0)], &[("p", Some(6))]);
    let mut random = 7u64;
    let mut numbers = [1u64; 6];
    let mut puts: Vec<EventId> = Vec::new();
    for at in 0..300u64 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let process = (random >> 33) as u32 % 6;
        let put = random >> 40 & 1 == 0 || puts.is_empty();
        let add = (random >> 41).is_multiple_of(4);
        let (verb, object, ticket) = if add { ("add", "n", at) } else { (if put { "put" } else { "get" }, "q", 0) };
        let event = scene.on(process, verb, object, (at, at + 3), ticket);
        if add {
            // Ordered by its ticket.
        } else if put {
            puts.push(event.id);
        } else {
            event.cause = Some(puts[(random >> 45) as usize % puts.len()]);
        }
        // A process's events follow one another.
        event.begin = event.begin.max(numbers[process as usize]);
        event.end = event.end.max(event.begin);
        numbers[process as usize] = event.end;
    }
    let (_, trace) = scene.finish();
    for first in 0..trace.events.len() {
        for second in 0..trace.events.len() {
            let other = trace.events[first].id.process() != trace.events[second].id.process();
            let told = trace.happens_before(first, second);
            assert_eq!(told, trace.causality.past(second).contains(first), "{first} {second}");
            assert!(!other || told == trace.causality.searched(first, second, Ties::All), "{first} {second}");
        }
    }
}

#[test]
fn a_large_trace_is_ordered_in_time() {
    let mut scene = Scene::new(&[("s", &PERMITS, 1), ("x", &CELL, 0)], &[("p", Some(10))]);
    let rounds = 20_000;
    for round in 0..rounds {
        let process = round % 10;
        let at = u64::from(round) * 4;
        scene.on(process, "acquire", "s", (at.saturating_sub(30).max(1), at + 1), at + 1);
        scene.on(process, "store", "x", (at + 1, at + 2), at + 1);
        scene.on(process, "release", "s", (at + 2, at + 6), at + 2);
    }
    for lane in &mut scene.lanes {
        for at in 1..lane.len() {
            lane[at].begin = lane[at].begin.max(lane[at - 1].end);
            lane[at].end = lane[at].end.max(lane[at].begin);
        }
    }
    let (_, trace) = scene.finish();
    assert!(trace.causality.problems().is_empty());
    let tickets: Vec<u64> = trace.on(0).map(|(_, event)| event.ticket).collect();
    assert!(tickets.is_sorted(), "an object's events stand in its order");
}

#[test]
fn a_known_order_decides_among_equal_times() {
    let order = [1, 0, 0, 1, 0, 1];
    let scene = || {
        let mut scene = Scene::new(&[("s", &PERMITS, 0)], &[("a", None), ("b", None)]);
        for process in [0, 1] {
            scene.act(process, "mark", 7, 7);
            scene.act(process, "print", 7, 7);
        }
        scene
    };
    let plan = scene().finish().0;
    let (events, causality) = arrange_along(&plan, scene().lanes, &order);
    assert_eq!(events.iter().map(|event| event.id.process()).collect::<Vec<_>>(), order);
    assert!(causality.problems().is_empty());
}

#[test]
fn an_object_has_its_own_order_whatever_the_known_one_is() {
    let mut scene = Scene::new(&[("s", &PERMITS, 0)], &[("a", None), ("b", None)]);
    scene.on(0, "release", "s", (7, 7), 1);
    scene.on(1, "acquire", "s", (7, 7), 2);
    let lanes = scene.lanes.clone();
    let plan = scene.finish().0;
    let (events, causality) = arrange_along(&plan, lanes, &[0, 1, 1, 0]);
    let verbs: Vec<&str> = events.iter().filter(|event| event.step.is_some()).map(|event| event.verb).collect();
    assert_eq!(verbs, ["release", "acquire"]);
    assert!(causality.problems().is_empty());
}
