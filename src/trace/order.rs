//! Puts the events of all processes into one order.
//!
//! Two things are kept strictly: each process's own order, and that an event ends only after every event has begun
//! that stands before it by an object's order or a cause. Among the orders that do so, the one is taken in which an
//! event stands where it took effect: at its end, or earlier where another event had its effect after it and was
//! recorded sooner (the process that was woken often finishes first). So an object's events stand in that object's
//! order, and its state can be replayed from them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::causality::Causality;
use crate::event::{Event, EventId, ProcessId, Target};
use crate::objects::causality::happens_before::{Relation, Tie, is_end};
use crate::outcome::Outcome;
use crate::scenario::plan::{Action, Condition, Plan};
use crate::value::Value;

/// How many contradictions of a trace are listed one by one.
const TOLD: usize = 8;
const NEVER: u32 = u32::MAX;

/// Puts the events of all processes into one order and says what happened before what.
///
/// `lanes` holds each process's events in its own order, by [`ProcessId`]. Edges that contradict one another, which
/// no sound trace has, are broken by time and reported by [`Causality::problems`].
pub fn arrange(plan: &Plan, lanes: Vec<Vec<Event>>) -> (Vec<Event>, Causality) {
    arrange_by(plan, lanes, None, true)
}

/// As [`arrange`], where it is known in which order the events were recorded: it decides instead of their times, among
/// which many may be the same. `order` says whose events they are; those of a process that it does not reach come last.
pub fn arrange_along(plan: &Plan, lanes: Vec<Vec<Event>>, order: &[ProcessId]) -> (Vec<Event>, Causality) {
    arrange_by(plan, lanes, Some(order), false)
}

/// As [`arrange_along`], for events that have the times of a clock: kinds that go by times find the same causes as they
/// did when the order was found.
pub(super) fn arrange_again(plan: &Plan, lanes: Vec<Vec<Event>>, order: &[ProcessId]) -> (Vec<Event>, Causality) {
    arrange_by(plan, lanes, Some(order), true)
}

fn arrange_by(
    plan: &Plan,
    lanes: Vec<Vec<Event>>,
    order: Option<&[ProcessId]>,
    clock: bool,
) -> (Vec<Event>, Causality) {
    let flat = Flat::new(&lanes, order);
    let edges = if clock {
        Edges::collect(plan, &flat, false)
    } else {
        // Kinds that go by times are given times that say what is known: many of the events' own may be the same.
        let timed = flat.timed();
        Edges::collect(plan, &Flat::new(&timed, order), true)
    };
    let effects = effects(&flat, &edges);
    let sorted = Sorter::new(plan, &flat, &edges, &effects).sort();

    let mut places = vec![0u32; flat.len()];
    let mut ranks = vec![0u32; flat.len()];
    for (place, (process, number)) in sorted.order.iter().enumerate() {
        let at = flat.starts[*process as usize] + number;
        places[at as usize] = place as u32;
        ranks[place] = sorted.ranks[at as usize];
    }
    let causes = edges
        .all
        .iter()
        .filter(|edge| edge.tie != Tie::Order)
        // An edge that had to be broken says nothing.
        .filter(|edge| sorted.begun[edge.from as usize] <= places[edge.to as usize])
        .map(|edge| (places[edge.from as usize], places[edge.to as usize], edge.tie == Tie::Reads))
        .collect();
    let mut passing = vec![false; flat.len()];
    for edge in edges.all.iter().filter(|edge| edge.tie != Tie::Order) {
        passing[places[edge.from as usize] as usize] = true;
    }
    for lasting in &edges.lasting {
        passing[places[*lasting as usize] as usize] = false;
    }
    // A step with implicit events in it lasts from before those until after.
    for (place, (_, number)) in sorted.order.iter().enumerate() {
        passing[place] &= ranks[place] >= *number;
    }
    let starts = flat.starts;
    drop((edges, effects, flat.events));
    let causality = Causality::new(sorted.order, ranks, starts, (causes, passing), sorted.problems);
    (settle(lanes, places), causality)
}

/// All events, each at its place, without a second copy of them: there may be many millions.
fn settle(lanes: Vec<Vec<Event>>, mut places: Vec<u32>) -> Vec<Event> {
    let mut lanes = lanes.into_iter();
    let mut events = lanes.next().unwrap_or_default();
    for mut lane in lanes {
        events.append(&mut lane);
    }
    for at in 0..events.len() {
        // Each exchange brings one event to its place for good.
        while places[at] as usize != at {
            let to = places[at] as usize;
            events.swap(at, to);
            places.swap(at, to);
        }
    }
    events
}

/// All lanes behind one another.
struct Flat<'a> {
    lanes: &'a [Vec<Event>],
    /// Where each lane begins.
    starts: Vec<u32>,
    events: Vec<&'a Event>,
    /// The place of each event in the order in which they were recorded, where that is known.
    places: Option<Vec<u32>>,
}

impl<'a> Flat<'a> {
    fn new(lanes: &'a [Vec<Event>], order: Option<&[ProcessId]>) -> Self {
        let mut starts = Vec::with_capacity(lanes.len());
        let mut events = Vec::with_capacity(lanes.iter().map(Vec::len).sum());
        for lane in lanes {
            starts.push(events.len() as u32);
            events.extend(lane);
        }
        let places = order.map(|order| places(lanes, &starts, events.len(), order));
        Self { lanes, starts, events, places }
    }

    /// The lanes with the measure that decides the order instead of times.
    fn timed(&self) -> Vec<Vec<Event>> {
        (self.lanes.iter().zip(&self.starts))
            .map(|(lane, start)| {
                let timed =
                    |(at, event): (u32, &Event)| Event { begin: self.began(at), end: self.ended(at), ..event.clone() };
                (*start..).zip(lane).map(timed).collect()
            })
            .collect()
    }

    /// When the event began, in the measure that decides the order.
    fn began(&self, at: u32) -> u64 {
        match &self.places {
            None => self.event(at).begin,
            // Right behind the one before it in its lane.
            Some(places) => match self.starts.binary_search(&at) {
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
        self.events.len()
    }

    /// The event of that id. Numbers have gaps where not every event was recorded.
    fn find(&self, id: EventId) -> Option<u32> {
        let lane = self.lanes.get(id.process as usize)?;
        let guess = usize::try_from(id.number).ok()?;
        let at = match lane.get(guess) {
            Some(event) if event.id.number == id.number => guess,
            _ => lane.binary_search_by_key(&id.number, |event| event.id.number).ok()?,
        };
        Some(self.starts[id.process as usize] + at as u32)
    }

    /// The event with which the process begins.
    fn begin(&self, process: ProcessId) -> Option<u32> {
        let first = self.lanes.get(process as usize)?.first()?;
        (first.step.is_none() && first.verb == "begin").then(|| self.starts[process as usize])
    }

    /// The event with which the process ends.
    fn end(&self, process: ProcessId) -> Option<u32> {
        let lane = self.lanes.get(process as usize)?;
        let last = lane.last()?;
        (last.step.is_none() && last.verb == "end").then(|| self.starts[process as usize] + lane.len() as u32 - 1)
    }

    fn event(&self, at: u32) -> &'a Event {
        self.events[at as usize]
    }
}

/// The place of each event in an order that says whose they are.
fn places(lanes: &[Vec<Event>], starts: &[u32], events: usize, order: &[ProcessId]) -> Vec<u32> {
    let mut places = vec![0; events];
    let mut taken = vec![0u32; lanes.len()];
    let mut place = 0;
    for process in order.iter().map(|process| *process as usize) {
        if taken.get(process).is_some_and(|taken| (*taken as usize) < lanes[process].len()) {
            places[(starts[process] + taken[process]) as usize] = place;
            taken[process] += 1;
            place += 1;
        }
    }
    let left = lanes.iter().zip(starts).zip(&taken);
    let mut left: Vec<(u64, u32)> = left
        .flat_map(|((lane, start), taken)| {
            lane.iter().zip(*start..).skip(*taken as usize).map(|(event, at)| (event.end, at))
        })
        .collect();
    left.sort_unstable();
    for (_, at) in left {
        places[at as usize] = place;
        place += 1;
    }
    places
}

/// From the begin of one event to the end of another.
#[derive(Clone, Copy)]
struct Edge {
    from: u32,
    to: u32,
    tie: Tie,
}

/// The edges between events, found from either side.
struct Edges {
    all: Vec<Edge>,
    /// The events that take effect bit by bit.
    lasting: Vec<u32>,
    /// Where the edges from each event begin in `outgoing`.
    from: Vec<u32>,
    outgoing: Vec<u32>,
    /// Where the edges to each event begin in `incoming`.
    to: Vec<u32>,
    incoming: Vec<u32>,
}

impl Edges {
    fn collect(plan: &Plan, flat: &Flat<'_>, settled: bool) -> Self {
        let killers = killers(flat);
        let mut all = Vec::new();
        let lasting = objects(plan, flat, settled, &killers, &mut all);
        for (at, event) in flat.events.iter().enumerate() {
            if let Some(cause) = event.cause.and_then(|id| flat.find(id)) {
                all.push(Edge { from: cause, to: at as u32, tie: Tie::Sync });
            }
        }
        processes(plan, flat, &killers, &mut all);
        all.retain(|edge| edge.from != edge.to);
        let (from, outgoing) = index(&all, flat.len(), |edge| (edge.from, edge.to));
        let (to, mut incoming) = index(&all, flat.len(), |edge| (edge.to, edge.from));
        for bounds in to.windows(2) {
            incoming[bounds[0] as usize..bounds[1] as usize].sort_unstable();
        }
        Self { all, lasting, from, outgoing, to, incoming }
    }

    fn after(&self, at: u32) -> &[u32] {
        &self.outgoing[self.from[at as usize] as usize..self.from[at as usize + 1] as usize]
    }

    /// In ascending order.
    fn before(&self, at: u32) -> &[u32] {
        &self.incoming[self.to[at as usize] as usize..self.to[at as usize + 1] as usize]
    }
}

/// The other sides of the edges at each event, and where each event's begin in them.
fn index(edges: &[Edge], events: usize, sides: impl Fn(&Edge) -> (u32, u32)) -> (Vec<u32>, Vec<u32>) {
    let mut bounds = vec![0u32; events + 1];
    for edge in edges {
        bounds[sides(edge).0 as usize + 1] += 1;
    }
    for at in 0..events {
        bounds[at + 1] += bounds[at];
    }
    let mut next = bounds.clone();
    let mut others = vec![0u32; edges.len()];
    for edge in edges {
        let (side, other) = sides(edge);
        others[next[side as usize] as usize] = other;
        next[side as usize] += 1;
    }
    (bounds, others)
}

/// Adds the edges that the objects' kinds draw. Gives the events of which they say that they take effect bit by bit.
/// Beside its own events a kind is given the ends of those processes whose end can tell others something: they hold an
/// end of the object, or may own it.
fn objects(plan: &Plan, flat: &Flat<'_>, settled: bool, killers: &[Option<u32>], edges: &mut Vec<Edge>) -> Vec<u32> {
    let mut lasting = Vec::new();
    let mut of_object: Vec<Vec<u32>> = vec![Vec::new(); plan.objects.len()];
    for (at, event) in flat.events.iter().enumerate() {
        if let Target::Object(id) = event.target
            && let Some(list) = of_object.get_mut(id as usize)
        {
            list.push(at as u32);
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
            concerned.extend(list.iter().map(|at| flat.event(*at).id.process));
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
        edges.reserve(relation.edges.len());
        for (from, to, tie) in relation.edges {
            if let (Some(from), Some(to)) = (list.get(from), list.get(to)) {
                push(flat, killers, Edge { from: *from, to: *to, tie }, edges);
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
        if let Action::Object(action) = &operation.action {
            ends[operation.step as usize] = action.end;
        }
    }
    ends
}

/// Adds an edge. The end of a process that was killed is recorded once it is noticed: where that came after its effect,
/// the last that the process did stands for it, and the step that killed it.
fn push(flat: &Flat<'_>, killers: &[Option<u32>], edge: Edge, edges: &mut Vec<Edge>) {
    let (from, to) = (flat.event(edge.from), flat.event(edge.to));
    let killed = is_end(from) && from.value.as_int().is_some_and(|code| code < 0);
    if !killed || from.begin <= to.end {
        edges.push(edge);
        return;
    }
    let process = from.id.process as usize;
    let before = (flat.starts[process]..edge.from).rev().find(|at| flat.event(*at).begin <= to.end);
    let killer = killers[process].filter(|at| flat.event(*at).begin <= to.end);
    edges.extend(before.into_iter().chain(killer).map(|from| Edge { from, ..edge }));
}

/// By process, the first `kill` that can have been what ended it.
fn killers(flat: &Flat<'_>) -> Vec<Option<u32>> {
    let mut killers: Vec<Option<u32>> = vec![None; flat.lanes.len()];
    for (at, event) in (0..).zip(&flat.events) {
        let Target::Process(process) = event.target else { continue };
        if event.verb != "kill" || !event.outcome.is_ok() || event.step.is_none() {
            continue;
        }
        let Some(end) = flat.end(process).map(|end| flat.event(end)) else { continue };
        let signal = end.value.as_int().map_or(0, |code| -code);
        let sent = event.value.as_int().is_none_or(|sent| sent == signal);
        let earlier = killers[process as usize].is_none_or(|at| event.begin < flat.event(at).begin);
        if signal > 0 && sent && earlier && event.begin <= end.end {
            killers[process as usize] = Some(at);
        }
    }
    killers
}

/// The edges between processes that no object makes: start, join, status, kill, `depends_on`.
fn processes(plan: &Plan, flat: &Flat<'_>, killers: &[Option<u32>], edges: &mut Vec<Edge>) {
    let mut tie = |from: Option<u32>, to: Option<u32>, tie: Tie| {
        if let (Some(from), Some(to)) = (from, to) {
            edges.push(Edge { from, to, tie });
        }
    };
    let mut starts: Vec<Option<u32>> = vec![None; flat.lanes.len()];
    let mut joins: Vec<Option<u32>> = vec![None; flat.lanes.len()];
    for (at, event) in (0..).zip(&flat.events) {
        let Target::Process(process) = event.target else { continue };
        if event.step.is_none() || !event.outcome.is_ok() {
            continue;
        }
        match event.verb {
            "start" => {
                starts[process as usize] = Some(at);
                tie(Some(at), flat.begin(process), Tie::Sync);
            }
            "join" => {
                let first = &mut joins[process as usize];
                if first.is_none_or(|first| flat.ended(at) < flat.ended(first)) {
                    *first = Some(at);
                }
                tie(flat.end(process), Some(at), Tie::Sync);
            }
            _ => {}
        }
    }
    for (at, event) in (0..).zip(&flat.events) {
        let Target::Process(process) = event.target else { continue };
        if event.step.is_none() {
            continue;
        }
        let begun = |from: &u32| flat.began(*from) <= flat.ended(at);
        match (event.verb, event.outcome) {
            ("status", outcome) if outcome.is_ok() => {
                let alive = matches!(&event.value, Value::Map(map) if map.get("alive") == Some(&Value::Bool(true)));
                if alive {
                    // Its gate was open; it may have begun later.
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
    for process in 0..flat.lanes.len().min(plan.processes.len()) as ProcessId {
        for (first, count, condition) in &plan.program(process).depends_on {
            for on in *first..first.saturating_add(*count).min(flat.lanes.len() as u32) {
                let from = match condition {
                    Condition::Started => {
                        // The event that allowed its begin came before; it may begin later than another process that
                        // waited for that event.
                        let (begin, own) = (flat.begin(on), flat.begin(process).map(|own| flat.event(own)));
                        let starter = begin.and_then(|begin| flat.find(flat.event(begin).cause?));
                        tie(starter, flat.begin(process), Tie::Sync);
                        begin.filter(|begin| own.is_some_and(|own| flat.event(*begin).begin <= own.end))
                    }
                    Condition::Exited | Condition::Succeeded => flat.end(on),
                    Condition::Ready => flat.lanes[on as usize]
                        .iter()
                        .position(|event| event.verb == "ready" && event.step.is_some())
                        .map(|at| flat.starts[on as usize] + at as u32),
                };
                tie(from, flat.begin(process), Tie::Sync);
            }
        }
    }
}

/// When each event took effect at the latest: at its end, or before the effect of what stands after it, but not
/// before its begin.
///
/// The smallest time is settled first and handed back along the edges, so each event is settled once.
fn effects(flat: &Flat<'_>, edges: &Edges) -> Vec<u64> {
    let mut effects: Vec<u64> = (0..flat.len() as u32).map(|at| flat.ended(at)).collect();
    let mut queue = BinaryHeap::new();
    for edge in &edges.all {
        let (from, to) = (flat.ended(edge.from), flat.ended(edge.to));
        if from > to {
            queue.push(Reverse((to.max(flat.began(edge.from)), edge.from)));
        }
    }
    while let Some(Reverse((effect, at))) = queue.pop() {
        if effect >= effects[at as usize] {
            continue;
        }
        effects[at as usize] = effect;
        for before in edges.before(at) {
            let bound = effect.max(flat.began(*before));
            if bound < effects[*before as usize] {
                queue.push(Reverse((bound, *before)));
            }
        }
    }
    effects
}

/// The order that was found.
struct Sorted {
    /// The events, as (process, number in its lane).
    order: Vec<(u32, u32)>,
    /// How many events had ended when each began.
    begun: Vec<u32>,
    /// The number of each event among the begins of its lane.
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
    effects: &'a [u64],
    /// How many events have yet to begin before each may end.
    hard: Vec<u32>,
    /// How many events have yet to end before each should, because they took effect at the same time.
    soft: Vec<u32>,
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
    fn new(plan: &'a Plan, flat: &'a Flat<'a>, edges: &'a Edges, effects: &'a [u64]) -> Self {
        let mut hard = vec![0u32; flat.len()];
        let mut soft = vec![0u32; flat.len()];
        for to in 0..flat.len() as u32 {
            hard[to as usize] = edges.before(to).len() as u32;
            soft[to as usize] =
                edges.before(to).iter().filter(|from| tied(flat, edges, effects, **from, to)).count() as u32;
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
            cursors: flat.starts.clone(),
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
        self.sorted.order.push((process, at - self.flat.starts[process as usize]));
        self.cursors[process as usize] = at + 1;
        let (flat, edges, effects) = (self.flat, self.edges, self.effects);
        for to in edges.after(at) {
            if tied(flat, edges, effects, at, *to) {
                let soft = &mut self.soft[*to as usize];
                *soft = soft.saturating_sub(1);
                self.offer(*to);
            }
        }
        self.arrive(process);
    }

    /// The lane's next event begins, and with the first implicit event of a step that step.
    fn arrive(&mut self, process: u32) {
        let at = self.cursors[process as usize];
        if at >= self.flat.starts.get(process as usize + 1).copied().unwrap_or(self.flat.len() as u32) {
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
        let process = self.process(at);
        if self.cursors[process as usize] != at || self.sorted.begun[at as usize] == NEVER {
            return;
        }
        let heap = match (self.hard[at as usize], self.soft[at as usize]) {
            (0, 0) => &mut self.ready,
            (0, _) => &mut self.yielding,
            _ => &mut self.waiting,
        };
        heap.push(Reverse((self.effects[at as usize], process, at)));
    }

    fn process(&self, at: u32) -> u32 {
        self.flat.starts.partition_point(|start| *start <= at) as u32 - 1
    }

    fn contradiction(&self, process: u32, at: u32) -> String {
        let event = self.flat.event(at);
        let name = self.plan.processes.get(process as usize).map_or("a process", |plan| plan.name.as_str());
        format!(
            "{name}'s event {} ({}) would have to end before an event that it comes after",
            event.id.number, event.verb
        )
    }
}

/// Whether `from` should end before `to` because both took effect at the same time. Not where each comes before the
/// other, as at a barrier.
fn tied(flat: &Flat<'_>, edges: &Edges, effects: &[u64], from: u32, to: u32) -> bool {
    effects[from as usize] == effects[to as usize]
        && flat.event(from).id.process != flat.event(to).id.process
        && edges.before(from).binary_search(&to).is_err()
}

/// The steps that enclose implicit events: where those begin and where the step stands, in ascending order, and the
/// number of each event among the begins of its lane.
fn nests(flat: &Flat<'_>) -> (Vec<(u32, u32)>, Vec<u32>) {
    let mut nests = Vec::new();
    let mut ranks = Vec::with_capacity(flat.len());
    for (lane, start) in flat.lanes.iter().zip(&flat.starts) {
        ranks.extend(0..lane.len() as u32);
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
                    ranks[*start as usize + at] = inner as u32;
                    for number in inner..at {
                        ranks[*start as usize + number] = number as u32 + 1;
                    }
                }
            }
            at += 1;
        }
    }
    (nests, ranks)
}

#[cfg(test)]
mod tests;
