//! Puts the events of all processes into one order.
//!
//! Two things are kept strictly: each process's own order, and that an event ends only after every event has begun
//! that stands before it by an object's order or a cause. Among the orders that do so, the one is taken in which an
//! event stands where it took effect: at its end, or earlier where another event had its effect after it and was
//! recorded sooner (the process that was woken often finishes first). So an object's events stand in that object's
//! order, and its state can be replayed from them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::causality::{Causality, Causes};
use crate::event::{Event, EventId, ProcessId, Target};
use crate::objects::causality::happens_before::{Edge, Relation, Tie, is_end, pack, unpack};
use crate::outcome::Outcome;
use crate::scenario::plan::{Condition, Plan};
use crate::value::Value;

/// How many contradictions of a trace are told one by one.
const TOLD: usize = 8;
const NEVER: u32 = u32::MAX;

/// Which bit of a place says that its event was settled.
const SETTLED: u32 = 1 << 31;

/// The events of all processes, each process's behind one another in its own order.
#[derive(Debug, Default)]
pub struct Lanes {
    events: Vec<Event>,
    /// Where the events of each process begin.
    starts: Vec<u32>,
}

impl Lanes {
    /// Allocates room for `count` events.
    pub fn with_capacity(events: usize) -> Self {
        Self { events: Vec::with_capacity(events), starts: Vec::new() }
    }

    /// Adds the next process: `fill` appends its events. Where it fails, the process has none.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn lane<E>(&mut self, fill: impl FnOnce(&mut Vec<Event>) -> Result<(), E>) -> Result<(), E> {
        let start = self.events.len();
        self.starts.push(start as u32);
        fill(&mut self.events).inspect_err(|_| self.events.truncate(start))
    }

    fn of(&self, process: usize) -> &[Event] {
        let Some(start) = self.starts.get(process) else { return &[] };
        let end = self.starts.get(process + 1).map_or(self.events.len(), |end| *end as usize);
        &self.events[*start as usize..end]
    }
}

impl From<Vec<Vec<Event>>> for Lanes {
    fn from(lanes: Vec<Vec<Event>>) -> Self {
        let mut all = Self::with_capacity(lanes.iter().map(Vec::len).sum());
        for mut lane in lanes {
            all.starts.push(all.events.len() as u32);
            all.events.append(&mut lane);
        }
        all
    }
}

/// Puts the events of all processes into one order and says what happened before what.
///
/// `lanes` holds each process's events in its own order, by [`ProcessId`]. Edges that contradict one another, which
/// no sound trace has, are broken by time and told by [`Causality::problems`].
pub fn arrange(plan: &Plan, lanes: impl Into<Lanes>) -> (Vec<Event>, Causality) {
    arrange_by(plan, lanes.into(), None, true)
}

/// As [`arrange`], where it is known in which order the events were recorded: it decides instead of their times, among
/// which many may be the same. `order` says whose events they are; those of a process that it does not reach come last.
pub fn arrange_along(plan: &Plan, lanes: impl Into<Lanes>, order: &[ProcessId]) -> (Vec<Event>, Causality) {
    arrange_by(plan, lanes.into(), Some(order), false)
}

/// As [`arrange_along`], for events that have the times of a clock: kinds that go by times find the same causes as they did
/// when the order was found.
pub(super) fn arrange_again(plan: &Plan, lanes: impl Into<Lanes>, order: &[ProcessId]) -> (Vec<Event>, Causality) {
    arrange_by(plan, lanes.into(), Some(order), true)
}

/// A trace can have very many events: what is held of each beside the event itself is 32 bits at a time, and given back as
/// soon as it has served.
fn arrange_by(plan: &Plan, lanes: Lanes, order: Option<&[ProcessId]>, clock: bool) -> (Vec<Event>, Causality) {
    let flat = Flat::new(&lanes, order);
    let edges = if clock {
        Edges::collect(plan, &flat, false)
    } else {
        // Kinds that go by times are given times that say what is known: many of the events' own may be the same.
        let timed = flat.timed();
        Edges::collect(plan, &Flat::new(&timed, order), true)
    };
    let effects = effects(&flat, &edges);
    let Sorted { order, begun, ranks, problems } = Sorter::new(plan, &flat, &edges, &effects).sort();
    drop(effects);
    let mut places = vec![0u32; order.len()];
    for (place, at) in (0..).zip(&order) {
        places[*at as usize] = place;
    }
    let mut passing = vec![false; order.len()];
    let mut causes = Causes::with_capacity(order.len());
    for (place, at) in (0..).zip(&order) {
        for (from, tie) in edges.before(*at).filter(|(_, tie)| *tie != Tie::Order) {
            passing[places[from as usize] as usize] = true;
            // An edge that had to be broken says nothing.
            if begun[from as usize] <= place {
                causes.add(places[from as usize], tie == Tie::Reads);
            }
        }
        causes.next();
    }
    for lasting in &edges.lasting {
        passing[places[*lasting as usize] as usize] = false;
    }
    drop((begun, edges));
    let Lanes { mut events, starts } = lanes;
    let lanes: Vec<(u32, u32)> = order
        .into_iter()
        .map(|at| {
            let process = events[at as usize].id.process();
            (process, at - starts[process as usize])
        })
        .collect();
    let ranks: Vec<u32> = if ranks.is_empty() {
        Vec::new()
    } else {
        lanes.iter().map(|(process, number)| ranks[(starts[*process as usize] + number) as usize]).collect()
    };
    // A step with implicit events in it lasts from before those until after.
    for (place, rank) in ranks.iter().enumerate() {
        passing[place] &= *rank >= lanes[place].1;
    }
    settle(&mut events, &mut places);
    (events, Causality::new(lanes, ranks, starts, places, causes, passing, problems))
}

/// Puts each event at its place, without a second copy of them. `places` is as it was afterwards.
fn settle(events: &mut [Event], places: &mut [u32]) {
    for first in 0..events.len() {
        let mut at = first;
        while places[at] & SETTLED == 0 {
            let to = places[at] as usize;
            places[at] |= SETTLED;
            // What belongs to `at` goes there by this exchange, and what was at its place waits at the first.
            events.swap(first, to);
            at = to;
        }
    }
    for place in places {
        *place &= !SETTLED;
    }
}

/// All lanes behind one another.
struct Flat<'a> {
    lanes: &'a Lanes,
    /// The place of each event in the order in which they were recorded, where that is known.
    places: Option<Vec<u32>>,
}

impl<'a> Flat<'a> {
    fn new(lanes: &'a Lanes, order: Option<&[ProcessId]>) -> Self {
        Self { lanes, places: order.map(|order| places(lanes, order)) }
    }

    /// The lanes with the measure that decides the order instead of times.
    fn timed(&self) -> Lanes {
        let events = (0..).zip(&self.lanes.events);
        let timed = |(at, event): (u32, &Event)| Event { begin: self.began(at), end: self.ended(at), ..event.clone() };
        Lanes { events: events.map(timed).collect(), starts: self.lanes.starts.clone() }
    }

    /// When the event began, in the measure that decides the order.
    fn began(&self, at: u32) -> u64 {
        match &self.places {
            None => self.event(at).begin,
            // Right behind the one before it in its lane.
            Some(places) => match self.lanes.starts.binary_search(&at) {
                Ok(_) => places[at as usize].into(),
                Err(_) => places[at as usize - 1].into(),
            },
        }
    }

    /// When the event ended, in the measure that decides the order.
    fn ended(&self, at: u32) -> u64 {
        match &self.places {
            None => self.event(at).end,
            Some(places) => places[at as usize].into(),
        }
    }

    fn len(&self) -> usize {
        self.lanes.events.len()
    }

    fn processes(&self) -> usize {
        self.lanes.starts.len()
    }

    /// All events with their places.
    fn events(&self) -> impl Iterator<Item = (u32, &'a Event)> {
        (0..).zip(&self.lanes.events)
    }

    /// The event of that id. Numbers have gaps where not every event was recorded.
    fn find(&self, id: EventId) -> Option<u32> {
        let lane = self.lanes.of(id.process() as usize);
        let guess = usize::try_from(id.number()).ok()?;
        let at = match lane.get(guess) {
            Some(event) if event.id.number() == id.number() => guess,
            _ => lane.binary_search_by_key(&id.number(), |event| event.id.number()).ok()?,
        };
        Some(self.lanes.starts[id.process() as usize] + at as u32)
    }

    /// The event with which the process begins.
    fn begin(&self, process: ProcessId) -> Option<u32> {
        let first = self.lanes.of(process as usize).first()?;
        (first.step.is_none() && first.verb == "begin").then(|| self.lanes.starts[process as usize])
    }

    /// The event with which the process ends.
    fn end(&self, process: ProcessId) -> Option<u32> {
        let lane = self.lanes.of(process as usize);
        let last = lane.last()?;
        (last.step.is_none() && last.verb == "end").then(|| self.lanes.starts[process as usize] + lane.len() as u32 - 1)
    }

    fn event(&self, at: u32) -> &'a Event {
        &self.lanes.events[at as usize]
    }
}

/// The place of each event in an order that says whose they are.
fn places(lanes: &Lanes, order: &[ProcessId]) -> Vec<u32> {
    let starts = &lanes.starts;
    let mut places = vec![0; lanes.events.len()];
    let mut taken = vec![0u32; starts.len()];
    let mut place = 0;
    for process in order.iter().map(|process| *process as usize) {
        if taken.get(process).is_some_and(|taken| (*taken as usize) < lanes.of(process).len()) {
            places[(starts[process] + taken[process]) as usize] = place;
            taken[process] += 1;
            place += 1;
        }
    }
    let mut left: Vec<(u64, u32)> = (0..starts.len())
        .flat_map(|process| {
            let lane = lanes.of(process).iter().zip(starts[process]..);
            lane.skip(taken[process] as usize).map(|(event, at)| (event.end, at))
        })
        .collect();
    left.sort_unstable();
    for (_, at) in left {
        places[at as usize] = place;
        place += 1;
    }
    places
}

/// The edges between events, found from either side.
struct Edges {
    /// The events that take effect bit by bit.
    lasting: Vec<u32>,
    /// Where the edges from each event begin in `outgoing`.
    from: Vec<u32>,
    outgoing: Vec<u32>,
    /// Where the edges to each event begin in `incoming`.
    to: Vec<u32>,
    /// The other event, and below it what the edge says.
    incoming: Vec<u32>,
}

impl Edges {
    fn collect(plan: &Plan, flat: &Flat<'_>, settled: bool) -> Self {
        let killers = killers(plan, flat);
        let mut all = Vec::new();
        let lasting = objects(plan, flat, settled, &killers, &mut all);
        for (at, event) in flat.events() {
            if let Some(cause) = event.cause.and_then(|id| flat.find(id)) {
                all.push(Edge::new(cause, at, Tie::Sync));
            }
        }
        processes(plan, flat, &killers, &mut all);
        all.retain(|edge| edge.from != edge.to());
        let (to, mut incoming) = index(flat.len(), || all.iter().map(|edge| (edge.to(), pack(edge.from, edge.tie()))));
        drop(all);
        for bounds in to.windows(2) {
            incoming[bounds[0] as usize..bounds[1] as usize].sort_unstable();
        }
        let mut edges = Self { lasting, from: Vec::new(), outgoing: Vec::new(), to, incoming };
        let (side, events) = (&edges, flat.len() as u32);
        (edges.from, edges.outgoing) =
            index(flat.len(), || (0..events).flat_map(move |to| side.before(to).map(move |(from, _)| (from, to))));
        edges
    }

    fn after(&self, at: u32) -> &[u32] {
        &self.outgoing[self.from[at as usize] as usize..self.from[at as usize + 1] as usize]
    }

    /// In ascending order, with what each edge says.
    fn before(&self, at: u32) -> impl Iterator<Item = (u32, Tie)> + '_ {
        self.packed(at).iter().map(|edge| unpack(*edge))
    }

    /// Whether there is an edge from one to the other.
    fn has(&self, from: u32, to: u32) -> bool {
        self.packed(to).binary_search_by_key(&from, |edge| unpack(*edge).0).is_ok()
    }

    fn packed(&self, at: u32) -> &[u32] {
        &self.incoming[self.to[at as usize] as usize..self.to[at as usize + 1] as usize]
    }
}

/// One list for each event, stored in one array; `bounds` has the begin of each list and the end of the last.
fn index<I: Iterator<Item = (u32, u32)>>(events: usize, given: impl Fn() -> I) -> (Vec<u32>, Vec<u32>) {
    // Counted two places on, each bound is where the event's next goes until all are there.
    let mut bounds = vec![0u32; events + 2];
    for (event, _) in given() {
        bounds[event as usize + 2] += 1;
    }
    for at in 2..bounds.len() {
        bounds[at] += bounds[at - 1];
    }
    let mut side = vec![0u32; bounds[events + 1] as usize];
    for (event, other) in given() {
        let next = &mut bounds[event as usize + 1];
        side[*next as usize] = other;
        *next += 1;
    }
    bounds.pop();
    (bounds, side)
}

/// Adds the edges that the objects' kinds draw. Gives the events of which they say that they take effect bit by bit. Beside its
/// own events a kind is given the ends of those processes whose end can tell others something: they hold an end of the
/// object, or may own it.
fn objects(plan: &Plan, flat: &Flat<'_>, settled: bool, killers: &[Option<u32>], edges: &mut Vec<Edge>) -> Vec<u32> {
    let mut lasting = Vec::new();
    let mut of_object: Vec<Vec<u32>> = vec![Vec::new(); plan.objects.len()];
    for (at, event) in flat.events() {
        if let Target::Object(id) = event.target
            && let Some(list) = of_object.get_mut(id as usize)
        {
            list.push(at);
        }
    }
    let mut holders: Vec<Vec<(ProcessId, u8)>> = vec![Vec::new(); plan.objects.len()];
    for (process, planned) in (0..).zip(&plan.processes) {
        for (object, end) in &planned.holds {
            holders[*object as usize].push((process, *end));
        }
    }
    let mut named = None;
    for ((object, mut list), holders) in plan.objects.iter().zip(of_object).zip(holders) {
        if list.is_empty() {
            continue;
        }
        let mut concerned: Vec<ProcessId> = holders.iter().map(|(process, _)| *process).collect();
        if object.object.notices_ends() {
            concerned.extend(list.iter().map(|at| flat.event(*at).id.process()));
        }
        concerned.sort_unstable();
        concerned.dedup();
        list.extend(concerned.iter().filter_map(|process| flat.end(*process)));
        let events: Vec<&Event> = list.iter().map(|at| flat.event(*at)).collect();
        let ends = if object.object.ends().is_empty() {
            Vec::new()
        } else {
            let named = named.get_or_insert_with(|| named_ends(plan));
            events.iter().map(|event| event.step.map_or(0, |step| named[step as usize])).collect()
        };
        let mut relation = Relation { settled, ends, holders, ..Relation::default() };
        object.object.relate(&events, &mut relation);
        drop(events);
        edges.reserve_exact(relation.edges.len());
        for edge in relation.edges {
            if let (Some(from), Some(to)) = (list.get(edge.from as usize), list.get(edge.to() as usize)) {
                push(flat, killers, Edge::new(*from, *to, edge.tie()), edges);
            }
        }
        lasting.extend(relation.lasting.iter().filter_map(|place| list.get(*place)));
    }
    lasting
}

/// By step, the place of the end that it names; 0 where there is none.
fn named_ends(plan: &Plan) -> Vec<u8> {
    let mut ends = vec![0; plan.steps.len()];
    for operation in plan.operations() {
        if let Some(operand) = operation.on_objects().next() {
            ends[operation.step as usize] = operand.end;
        }
    }
    ends
}

/// Adds an edge. The end of a process that was killed is recorded once it is noticed: where that came after its effect, the
/// last that the process did stands for it, and the step that killed it.
fn push(flat: &Flat<'_>, killers: &[Option<u32>], edge: Edge, edges: &mut Vec<Edge>) {
    let (from, to) = (flat.event(edge.from), flat.event(edge.to()));
    let killed = is_end(from) && from.value.as_int().is_some_and(|code| code < 0);
    if !killed || from.begin <= to.end {
        edges.push(edge);
        return;
    }
    let process = from.id.process() as usize;
    let before = (flat.lanes.starts[process]..edge.from).rev().find(|at| flat.event(*at).begin <= to.end);
    let killer = killers[process].filter(|at| flat.event(*at).begin <= to.end);
    edges.extend(before.into_iter().chain(killer).map(|from| Edge::new(from, edge.to(), edge.tie())));
}

/// By process, the `kill` that can have been what ended it: the first of them that was over.
fn killers(plan: &Plan, flat: &Flat<'_>) -> Vec<Option<u32>> {
    let mut killers: Vec<Option<u32>> = vec![None; flat.processes()];
    for (at, event) in flat.events() {
        let Target::Process(process) = event.target else { continue };
        if event.verb != "kill" || !event.outcome.is_ok() || event.step.is_none() {
            continue;
        }
        let Some(end) = flat.end(process).map(|end| flat.event(end)) else { continue };
        let signal = end.value.as_int().map_or(0, |code| -code);
        let sent = event.value.as_int().is_none_or(|sent| sent == signal);
        let over = |event: &Event| (event.end, event.begin);
        let earlier = killers[process as usize].is_none_or(|at| over(event) < over(flat.event(at)));
        if signal > 0 && sent && earlier && event.begin <= end.end {
            killers[process as usize] = Some(at);
        }
    }
    // The end of the process that started it can be what ended it.
    for (process, killer) in (0..flat.processes().min(plan.processes.len())).zip(&mut killers) {
        let Some(signal) = plan.program(process as ProcessId).parent_death else { continue };
        // Of two that were killed at once the one may have no begin, the other not have recorded its step.
        let begin = flat.begin(process as ProcessId).and_then(|begin| flat.event(begin).cause);
        let starts = |event: &Event| {
            event.verb == "start" && event.outcome.is_ok() && event.target == Target::Process(process as ProcessId)
        };
        let start = || flat.events().find(|(_, event)| event.step.is_some() && starts(event));
        let starter = begin.or_else(|| start().map(|(_, start)| start.id));
        let parent = starter.and_then(|starter| flat.end(starter.process()));
        let end = flat.end(process as ProcessId).map(|end| flat.event(end));
        if let (Some(parent), Some(end)) = (parent, end) {
            let over = |event: &Event| (event.end, event.begin);
            let told = flat.event(parent);
            let earlier = killer.is_none_or(|at| over(told) < over(flat.event(at)));
            if end.value.as_int() == Some(-i64::from(signal)) && earlier && told.begin <= end.end {
                *killer = Some(parent);
            }
        }
    }
    killers
}

/// The edges between processes that no object makes: start, join, status, kill, `depends_on`.
fn processes(plan: &Plan, flat: &Flat<'_>, killers: &[Option<u32>], edges: &mut Vec<Edge>) {
    let mut tie = |from: Option<u32>, to: Option<u32>, tie: Tie| {
        if let (Some(from), Some(to)) = (from, to) {
            edges.push(Edge::new(from, to, tie));
        }
    };
    let mut starts: Vec<Option<u32>> = vec![None; flat.processes()];
    let mut joins: Vec<Option<u32>> = vec![None; flat.processes()];
    for (at, event) in flat.events() {
        let Target::Process(process) = event.target else { continue };
        if event.step.is_none() || !event.outcome.is_ok() {
            continue;
        }
        match event.verb {
            "start" => {
                starts[process as usize] = Some(at);
                tie(Some(at), flat.begin(process), Tie::Sync);
            }
            "join" | "wait_any" => {
                let first = &mut joins[process as usize];
                if first.is_none_or(|first| flat.ended(at) < flat.ended(first)) {
                    *first = Some(at);
                }
                tie(flat.end(process), Some(at), Tie::Sync);
            }
            _ => {}
        }
    }
    for (at, event) in flat.events() {
        if event.verb == "wait_any" && event.outcome == Outcome::NO_PROCESS && event.step.is_some() {
            // Those that it started have been joined.
            let own = |start: u32| flat.event(start).id.process() == event.id.process();
            for (start, join) in starts.iter().zip(&joins) {
                let join = join.filter(|join| start.is_some_and(own) && flat.began(*join) <= flat.ended(at));
                tie(join, Some(at), Tie::Reads);
            }
        }
        let Target::Process(process) = event.target else { continue };
        if event.step.is_none() {
            continue;
        }
        let begun = |from: &u32| flat.began(*from) <= flat.ended(at);
        match (event.verb, event.outcome) {
            ("status", outcome) if outcome.is_ok() => {
                let alive = matches!(&event.value, Value::Map(map) if map.get("alive") == Some(&Value::Bool(true)));
                if alive {
                    // Its gate was open; it may have come to its begin later.
                    let begin = flat.begin(process).filter(begun);
                    tie(begin.or(starts[process as usize].filter(begun)), Some(at), Tie::Sync);
                } else {
                    // Seen ended, where its end had begun by then.
                    tie(flat.end(process).filter(begun), Some(at), Tie::Sync);
                }
            }
            // Another process has joined it.
            ("kill", Outcome::NO_PROCESS) => tie(joins[process as usize].filter(begun), Some(at), Tie::Reads),
            _ => {}
        }
    }
    for (process, killer) in (0..).zip(killers) {
        tie(*killer, flat.end(process), Tie::Sync);
    }
    for process in 0..flat.processes().min(plan.processes.len()) as ProcessId {
        for (first, count, condition) in &plan.program(process).depends_on {
            for on in *first..first.saturating_add(*count).min(flat.processes() as u32) {
                let from = match condition {
                    Condition::Started => {
                        // What let it begin did so before; it may have come to begin later than who waited for that.
                        let (begin, own) = (flat.begin(on), flat.begin(process).map(|own| flat.event(own)));
                        let starter = begin.and_then(|begin| flat.find(flat.event(begin).cause?));
                        tie(starter, flat.begin(process), Tie::Sync);
                        begin.filter(|begin| own.is_some_and(|own| flat.event(*begin).begin <= own.end))
                    }
                    Condition::Exited | Condition::Succeeded => flat.end(on),
                    Condition::Ready => (flat.lanes.of(on as usize).iter())
                        .position(|event| event.verb == "ready" && event.step.is_some())
                        .map(|at| flat.lanes.starts[on as usize] + at as u32),
                };
                tie(from, flat.begin(process), Tie::Sync);
            }
        }
    }
}

/// When each event took effect at the latest: at its end, or before the effect of what stands after it, but not
/// before its begin.
struct Effects<'a> {
    flat: &'a Flat<'a>,
    /// By event; empty where each took effect at its end.
    times: Vec<u64>,
}

impl Effects<'_> {
    fn of(&self, at: u32) -> u64 {
        if self.times.is_empty() { self.flat.ended(at) } else { self.times[at as usize] }
    }
}

/// The smallest time is settled first and handed back along the edges, so each event is settled once.
fn effects<'a>(flat: &'a Flat<'a>, edges: &Edges) -> Effects<'a> {
    let mut queue = BinaryHeap::new();
    for at in 0..flat.len() as u32 {
        for (from, _) in edges.before(at) {
            let to = flat.ended(at);
            if flat.ended(from) > to {
                queue.push(Reverse((to.max(flat.began(from)), from)));
            }
        }
    }
    if queue.is_empty() {
        return Effects { flat, times: Vec::new() };
    }
    let mut times: Vec<u64> = (0..flat.len() as u32).map(|at| flat.ended(at)).collect();
    while let Some(Reverse((effect, at))) = queue.pop() {
        if effect >= times[at as usize] {
            continue;
        }
        times[at as usize] = effect;
        for (before, _) in edges.before(at) {
            let bound = effect.max(flat.began(before));
            if bound < times[before as usize] {
                queue.push(Reverse((bound, before)));
            }
        }
    }
    Effects { flat, times }
}

/// The order that was found.
struct Sorted {
    /// The events.
    order: Vec<u32>,
    /// How many events had ended when each began.
    begun: Vec<u32>,
    /// The number of each event among the begins of its lane; empty where it is its number in the lane.
    ranks: Vec<u32>,
    problems: Vec<String>,
}

/// An event that is the next of its lane: by effect, process, place.
type Candidate = Reverse<(u64, u32, u32)>;

/// Takes, of the events that are next in their lanes, one whose edges allow it, the earliest first.
struct Sorter<'a> {
    plan: &'a Plan,
    flat: &'a Flat<'a>,
    edges: &'a Edges,
    effects: &'a Effects<'a>,
    /// How many events have yet to begin before each may end.
    hard: Vec<u32>,
    /// How many events have yet to end before each should, because they took effect at the same time: of the few of which
    /// there are any.
    soft: HashMap<u32, u32>,
    /// The next event of each lane.
    cursors: Vec<u32>,
    /// The step that encloses the implicit events which begin here.
    enclosing: Vec<(u32, u32)>,
    /// Those that nothing holds back.
    ready: BinaryHeap<Candidate>,
    /// Those that should wait, but need not.
    yielding: BinaryHeap<Candidate>,
    /// Those that must wait.
    waiting: BinaryHeap<Candidate>,
    sorted: Sorted,
}

impl<'a> Sorter<'a> {
    fn new(plan: &'a Plan, flat: &'a Flat<'a>, edges: &'a Edges, effects: &'a Effects<'a>) -> Self {
        let hard = edges.to.windows(2).map(|bounds| bounds[1] - bounds[0]).collect();
        let mut soft = HashMap::new();
        for to in 0..flat.len() as u32 {
            let ties = edges.before(to).filter(|(from, _)| tied(flat, edges, effects, *from, to)).count();
            if ties > 0 {
                soft.insert(to, ties as u32);
            }
        }
        let (enclosing, ranks) = nests(flat);
        let sorted = Sorted {
            order: Vec::with_capacity(flat.len()),
            begun: vec![NEVER; flat.len()],
            ranks,
            problems: Vec::new(),
        };
        Self {
            plan,
            flat,
            edges,
            effects,
            hard,
            soft,
            cursors: flat.lanes.starts.clone(),
            enclosing,
            ready: BinaryHeap::new(),
            yielding: BinaryHeap::new(),
            waiting: BinaryHeap::new(),
            sorted,
        }
    }

    fn sort(mut self) -> Sorted {
        for process in 0..self.cursors.len() as u32 {
            self.arrive(process);
        }
        let mut broken = 0;
        while let Some((process, at)) = self.next() {
            if self.hard[at as usize] > 0 {
                broken += 1;
                if broken <= TOLD {
                    let problem = self.contradiction(process, at);
                    self.sorted.problems.push(problem);
                }
            }
            self.take(process, at);
        }
        if broken > TOLD {
            self.sorted.problems.push(format!("and {} more such contradictions", broken - TOLD));
        }
        self.sorted
    }

    /// The event to take next. One that must wait is only taken where nothing else is left: then the edges
    /// contradict one another.
    fn next(&mut self) -> Option<(u32, u32)> {
        for heap in [&mut self.ready, &mut self.yielding, &mut self.waiting] {
            while let Some(Reverse((_, process, at))) = heap.pop() {
                if self.cursors[process as usize] == at {
                    return Some((process, at));
                }
            }
        }
        None
    }

    fn take(&mut self, process: u32, at: u32) {
        self.sorted.order.push(at);
        self.cursors[process as usize] = at + 1;
        let (flat, edges, effects) = (self.flat, self.edges, self.effects);
        for to in edges.after(at) {
            if tied(flat, edges, effects, at, *to) {
                if let Some(soft) = self.soft.get_mut(to) {
                    *soft = soft.saturating_sub(1);
                }
                self.offer(*to);
            }
        }
        self.arrive(process);
    }

    /// The lane's next event begins, and with the first implicit event of a step that step.
    fn arrive(&mut self, process: u32) {
        let at = self.cursors[process as usize];
        if at >= self.flat.lanes.starts.get(process as usize + 1).copied().unwrap_or(self.flat.len() as u32) {
            return;
        }
        if let Ok(found) = self.enclosing.binary_search_by_key(&at, |(first, _)| *first) {
            self.begin(self.enclosing[found].1);
        }
        self.begin(at);
        self.offer(at);
    }

    fn begin(&mut self, at: u32) {
        if self.sorted.begun[at as usize] != NEVER {
            return;
        }
        self.sorted.begun[at as usize] = self.sorted.order.len() as u32;
        let edges = self.edges;
        for to in edges.after(at) {
            let hard = &mut self.hard[*to as usize];
            // An event that was taken in spite of its edges counts no further.
            *hard = hard.saturating_sub(1);
            if *hard == 0 {
                self.offer(*to);
            }
        }
    }

    /// Makes the event a candidate if it is the next of its lane.
    fn offer(&mut self, at: u32) {
        let process = self.flat.event(at).id.process();
        if self.cursors[process as usize] != at || self.sorted.begun[at as usize] == NEVER {
            return;
        }
        let soft = if self.soft.is_empty() { 0 } else { self.soft.get(&at).copied().unwrap_or(0) };
        let heap = match (self.hard[at as usize], soft) {
            (0, 0) => &mut self.ready,
            (0, _) => &mut self.yielding,
            _ => &mut self.waiting,
        };
        heap.push(Reverse((self.effects.of(at), process, at)));
    }

    fn contradiction(&self, process: u32, at: u32) -> String {
        let event = self.flat.event(at);
        let name = self.plan.processes.get(process as usize).map_or("a process", |plan| plan.name.as_str());
        format!(
            "{name}'s event {} ({}) would have to end before an event that it comes after",
            event.id.number(),
            event.verb
        )
    }
}

/// Whether `from` should end before `to` because both took effect at the same time. Not where each comes before the
/// other, as at a barrier.
fn tied(flat: &Flat<'_>, edges: &Edges, effects: &Effects<'_>, from: u32, to: u32) -> bool {
    effects.of(from) == effects.of(to)
        && flat.event(from).id.process() != flat.event(to).id.process()
        && !edges.has(to, from)
}

/// The steps that enclose implicit events: where those begin and where the step stands, in ascending order, and the
/// number of each event among the begins of its lane; none where that is its number in the lane.
fn nests(flat: &Flat<'_>) -> (Vec<(u32, u32)>, Vec<u32>) {
    let mut nests = Vec::new();
    for (process, start) in flat.lanes.starts.iter().enumerate() {
        let lane = flat.lanes.of(process);
        let mut at = 0;
        while at < lane.len() {
            let first = at;
            while at < lane.len() && lane[at].implicit {
                at += 1;
            }
            if let (Some(step), true) = (lane.get(at), at > first) {
                // Implicit events whose step was never completed stand for themselves.
                let inner =
                    (first..at).find(|inner| lane[*inner].step == step.step && lane[*inner].begin >= step.begin);
                if let Some(inner) = inner
                    && step.step.is_some()
                {
                    nests.push((start + inner as u32, start + at as u32));
                }
            }
            at += 1;
        }
    }
    if nests.is_empty() {
        return (nests, Vec::new());
    }
    let lanes = (0..flat.processes()).map(|process| flat.lanes.of(process).len() as u32);
    let mut ranks: Vec<u32> = lanes.flat_map(|length| 0..length).collect();
    for (inner, step) in &nests {
        ranks[*step as usize] = ranks[*inner as usize];
        for at in *inner..*step {
            ranks[at as usize] += 1;
        }
    }
    (nests, ranks)
}

#[cfg(test)]
mod tests;
