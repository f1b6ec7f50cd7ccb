//! The shortest counterexample: of all paths to a goal the one with the fewest context switches, and of these the one
//! with the fewest steps. It is found by a search over states together with the process that moved last, in the order
//! of switches and then steps, so that the first goal met is a shortest one.

use crate::event::ProcessId;
use crate::explore::budget::Pace;
use crate::explore::execution::verdicts::Fault;
use crate::explore::semantics::transition::{Kind, ModelError, Step};
use crate::explore::state_space::{StateSpace, Transition, is_over};
use crate::explore::visited::{ROOT, VisitedSet};

/// No process has moved yet.
const NOBODY: ProcessId = ProcessId::MAX;

/// One way from a node to another.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    pub to: u32,
    /// Whose step it is; none where time passes, which is no step.
    pub process: Option<ProcessId>,
}

/// Nodes and the ways between them: states, or states together with what else decides the goal.
pub trait Graph {
    /// What goes wrong in the search.
    type Error;

    /// The node where every path begins.
    ///
    /// # Errors
    /// A node that cannot be computed.
    fn first(&mut self) -> Result<u32, Self::Error>;

    /// All ways on from a node, always in the same order.
    ///
    /// # Errors
    /// A node that cannot be computed.
    fn ways(&mut self, node: u32, ways: &mut Vec<Way>) -> Result<(), Self::Error>;

    /// Whether a path may end there.
    ///
    /// # Errors
    /// A node that cannot be computed.
    fn is_goal(&mut self, node: u32) -> Result<bool, Self::Error>;

    /// Whether there is no time or memory left to look at further nodes.
    fn is_spent(&mut self) -> bool {
        false
    }
}

/// Whether a path to a goal is one that is looked for.
pub type Accept<'a, G> = dyn FnMut(&mut G, &Shortest) -> Result<bool, <G as Graph>::Error> + 'a;

/// Whether a goal is a good end.
pub type IsGood<'a, G> = dyn FnMut(&mut G, u32) -> Result<bool, <G as Graph>::Error> + 'a;

/// A path of a graph.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Shortest {
    /// The nodes from the first to the goal.
    pub nodes: Vec<u32>,
    /// Between each two of them, which of the ways of the first it is.
    pub ways: Vec<usize>,
    /// How often another process than before takes a step.
    pub switches: u32,
    /// How many steps it has.
    pub steps: u32,
}

/// A node and the process that moved last, as met by the search.
#[derive(Clone, Copy, Debug)]
struct Stop {
    node: u32,
    last: ProcessId,
    before: u32,
    way: u32,
}

/// Where the search stands: stops by their numbers of steps, for one number of switches.
#[derive(Default)]
struct Level {
    by_steps: Vec<Vec<u32>>,
}

impl Level {
    fn push(&mut self, steps: u32, stop: u32) {
        if self.by_steps.len() <= steps as usize {
            self.by_steps.resize_with(steps as usize + 1, Vec::new);
        }
        self.by_steps[steps as usize].push(stop);
    }
}

/// The shortest path to a goal that `accept` takes; none where there is none, or not within `most` nodes and last
/// movers.
///
/// # Errors
/// A node that cannot be computed, or what `accept` says.
pub fn shortest<G: Graph>(
    graph: &mut G,
    most: usize,
    accept: &mut Accept<'_, G>,
) -> Result<Option<Shortest>, G::Error> {
    let mut stops: Vec<Stop> = vec![Stop { node: graph.first()?, last: NOBODY, before: ROOT, way: 0 }];
    // By node: the processes that moved last in the stops that are settled there.
    let mut settled: Vec<Vec<ProcessId>> = Vec::new();
    let mut level = Level::default();
    level.push(0, 0);
    let mut ways = Vec::new();
    let mut switches = 0;
    loop {
        let mut next = Level::default();
        let mut steps = 0;
        while steps < level.by_steps.len() {
            // What costs no step is taken into the same list while it is gone through.
            let mut at = 0;
            while let Some(stop) = level.by_steps[steps].get(at).copied() {
                at += 1;
                let Stop { node, last, .. } = stops[stop as usize];
                if settled.len() <= node as usize {
                    settled.resize_with(node as usize + 1, Vec::new);
                }
                if settled[node as usize].contains(&last) {
                    continue;
                }
                settled[node as usize].push(last);
                if graph.is_goal(node)? {
                    let found = trail(&stops, stop, switches, steps as u32);
                    if accept(graph, &found)? {
                        return Ok(Some(found));
                    }
                    continue;
                }
                if stops.len() > most || graph.is_spent() {
                    return Ok(None);
                }
                graph.ways(node, &mut ways)?;
                for (way, Way { to, process }) in ways.iter().enumerate() {
                    let mover = process.unwrap_or(last);
                    if settled.get(*to as usize).is_some_and(|movers| movers.contains(&mover)) {
                        continue;
                    }
                    let number = stops.len() as u32;
                    stops.push(Stop { node: *to, last: mover, before: stop, way: way as u32 });
                    let cost = steps as u32 + u32::from(process.is_some());
                    if mover == last || last == NOBODY {
                        level.push(cost, number);
                    } else {
                        next.push(cost, number);
                    }
                }
            }
            level.by_steps[steps] = Vec::new();
            steps += 1;
        }
        if next.by_steps.is_empty() {
            return Ok(None);
        }
        level = next;
        switches += 1;
    }
}

fn trail(stops: &[Stop], goal: u32, switches: u32, steps: u32) -> Shortest {
    let mut found = Shortest { switches, steps, ..Shortest::default() };
    let mut at = goal;
    loop {
        let stop = stops[at as usize];
        found.nodes.push(stop.node);
        if stop.before == ROOT {
            break;
        }
        found.ways.push(stop.way as usize);
        at = stop.before;
    }
    found.nodes.reverse();
    found.ways.reverse();
    found
}

/// The last node of a path from which some good end can be reached, by its place in the path: the step behind it is
/// the critical one, after which nothing can be saved. `ends` are the ends as far as they can be reached from the
/// path, each with whether it is good. None where even the first node has no good end, or where there are more than
/// `most` nodes.
///
/// # Errors
/// A node that cannot be computed.
pub fn critical<G: Graph>(
    graph: &mut G,
    path: &[u32],
    most: usize,
    is_good: &mut IsGood<'_, G>,
) -> Result<Option<usize>, G::Error> {
    // Everything behind the path's nodes, and the predecessors.
    let mut before: Vec<Vec<u32>> = Vec::new();
    let mut met: Vec<bool> = Vec::new();
    let mut queue: Vec<u32> = Vec::new();
    let mut good: Vec<u32> = Vec::new();
    let mut ways = Vec::new();
    let mut seen = 0;
    let mut meet = |node: u32, met: &mut Vec<bool>, before: &mut Vec<Vec<u32>>, queue: &mut Vec<u32>| {
        let at = node as usize;
        if met.len() <= at {
            met.resize(at + 1, false);
            before.resize_with(at + 1, Vec::new);
        }
        if !std::mem::replace(&mut met[at], true) {
            seen += 1;
            queue.push(node);
        }
        seen
    };
    // All nodes of a path are behind its first.
    let Some(first) = path.first() else { return Ok(None) };
    meet(*first, &mut met, &mut before, &mut queue);
    while let Some(node) = queue.pop() {
        if graph.is_spent() {
            return Ok(None);
        }
        if graph.is_goal(node)? {
            if is_good(graph, node)? {
                good.push(node);
            }
            continue;
        }
        graph.ways(node, &mut ways)?;
        for way in &ways {
            if meet(way.to, &mut met, &mut before, &mut queue) > most {
                return Ok(None);
            }
            before[way.to as usize].push(node);
        }
    }
    let mut saved = vec![false; met.len()];
    while let Some(node) = good.pop() {
        if !std::mem::replace(&mut saved[node as usize], true) {
            good.append(&mut before[node as usize]);
        }
    }
    Ok(path.iter().rposition(|node| saved.get(*node as usize).copied().unwrap_or(false)))
}

/// The states of a plan as a graph, nothing left out. Its goals are the states in which a run is over.
pub struct States<'s, 'p> {
    space: &'s mut StateSpace<'p>,
    store: VisitedSet,
    state: Vec<u32>,
    after: Vec<u32>,
    moves: Vec<Transition>,
    pace: Pace,
}

impl<'s, 'p> States<'s, 'p> {
    /// The graph of a plan's states.
    pub fn new(space: &'s mut StateSpace<'p>) -> Self {
        let width = space.width();
        let store = VisitedSet::new(width, space.plan.processes.len());
        let pace = Pace::new(&space.budget);
        Self { store, space, state: vec![0; width], after: vec![0; width], moves: Vec::new(), pace }
    }

    /// Where the states are.
    pub(crate) fn space(&self) -> &StateSpace<'p> {
        self.space
    }

    /// The steps of a path.
    ///
    /// # Errors
    /// A process that the model cannot execute: `ModelError`.
    pub fn path(&mut self, found: &Shortest) -> Result<Vec<Step>, ModelError> {
        let mut path = Vec::with_capacity(found.ways.len());
        for (node, way) in found.nodes.iter().zip(&found.ways) {
            self.look(*node)?;
            if let Some(step) = self.moves.get(*way).copied() {
                path.push(Step { process: step.process, kind: step.kind, choices: self.space.script(step) });
            }
        }
        Ok(path)
    }

    /// A path to a node: the one by which it was first met.
    ///
    /// # Errors
    /// A process that the model cannot execute: `ModelError`.
    pub(crate) fn path_to(&mut self, node: u32) -> Result<Vec<Step>, ModelError> {
        let mut found = Shortest { nodes: vec![node], ..Shortest::default() };
        while let Some(before) = found.nodes.last().map(|node| self.store.parent(*node)).filter(|node| *node != ROOT) {
            found.nodes.push(before);
        }
        found.nodes.reverse();
        let mut wanted = vec![0; self.space.width()];
        for pair in found.nodes.windows(2) {
            self.look(pair[0])?;
            self.store.get(pair[1], &mut wanted);
            for (way, step) in self.moves.iter().enumerate() {
                self.after.copy_from_slice(&self.state);
                self.space.take(&mut self.after, *step)?;
                if self.after == wanted {
                    found.ways.push(way);
                    break;
                }
            }
        }
        self.path(&found)
    }

    /// The node that a path leads through, one for each of its steps and the first.
    ///
    /// # Errors
    /// A process that the model cannot execute: `ModelError`.
    pub(crate) fn along(&mut self, path: &[Step]) -> Result<Vec<u32>, ModelError> {
        let mut state = self.space.initial()?;
        let mut nodes = vec![self.store.insert(&state, ROOT).0];
        for step in path {
            self.space.moves(&state, &mut self.moves)?;
            let space = &*self.space;
            let found =
                self.moves.iter().copied().find(|way| {
                    way.process == step.process && way.kind == step.kind && space.script(*way) == step.choices
                });
            let Some(found) = found else { break };
            self.space.take(&mut state, found)?;
            let before = nodes.last().copied().unwrap_or(ROOT);
            nodes.push(self.store.insert(&state, before).0);
        }
        Ok(nodes)
    }

    /// Reads a node, and what can happen next in it.
    fn look(&mut self, node: u32) -> Result<(), ModelError> {
        self.store.get(node, &mut self.state);
        self.space.moves(&self.state, &mut self.moves)
    }
}

impl Graph for States<'_, '_> {
    type Error = Fault;

    fn first(&mut self) -> Result<u32, Fault> {
        let first = self.space.initial()?;
        Ok(self.store.insert(&first, ROOT).0)
    }

    fn ways(&mut self, node: u32, ways: &mut Vec<Way>) -> Result<(), Fault> {
        ways.clear();
        self.look(node)?;
        for step in &self.moves {
            self.after.copy_from_slice(&self.state);
            self.space.take(&mut self.after, *step)?;
            let (to, _) = self.store.insert(&self.after, node);
            ways.push(Way { to, process: (step.kind != Kind::Tick).then_some(step.process) });
        }
        Ok(())
    }

    fn is_goal(&mut self, node: u32) -> Result<bool, Fault> {
        self.look(node)?;
        Ok(is_over(&self.moves))
    }

    fn is_spent(&mut self) -> bool {
        self.pace.spent().is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::explore::semantics::transition::Time;
    use crate::explore::tests::{lost_update, plan};

    /// Whether nothing can happen although a process has not ended.
    fn is_stuck(space: &StateSpace<'_>, state: &[u32], moves: &[Transition]) -> bool {
        let processes = space.plan.processes.len();
        moves.is_empty() && state[..processes].iter().any(|number| !space.info(*number).ended)
    }

    fn space(plan: &crate::scenario::plan::Plan) -> StateSpace<'_> {
        StateSpace::new(plan, Time::Virtual, vec![false; plan.steps.len()], false)
    }

    /// The fewest switches and steps to a deadlock, found by trying every schedule.
    fn brute(
        space: &mut StateSpace<'_>,
        state: &[u32],
        last: ProcessId,
        cost: (u32, u32),
        best: &mut Option<(u32, u32)>,
    ) {
        if best.is_some_and(|best| best <= cost) {
            return;
        }
        let mut moves = Vec::new();
        space.moves(state, &mut moves).expect("it ends");
        if is_stuck(space, state, &moves) {
            *best = Some(cost);
            return;
        }
        for step in moves {
            let mut after = state.to_vec();
            space.take(&mut after, step).expect("it ends");
            let switch = u32::from(last != NOBODY && last != step.process);
            brute(space, &after, step.process, (cost.0 + switch, cost.1 + 1), best);
        }
    }

    /// A few processes that take and give back locks and permits, and look at cells.
    fn random_program(seed: u64) -> String {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |count: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % count
        };
        let mut text = String::from(
            "[objects]\na = { kind = \"mutex\" }\nb = { kind = \"mutex\" }\ns = { kind = \"semaphore\", value = 1 }\n\
             v = { kind = \"value\", value = 0 }\n",
        );
        let processes = 2 + below(2);
        for process in 0..processes {
            let _ = write!(text, "[processes.p{process}]\nsteps = [");
            let most = 12 / processes;
            for _ in 0..=below(most) {
                let step = match below(7) {
                    0 => "{ lock = \"a\" }",
                    1 => "{ lock = \"b\" }",
                    2 => "{ unlock = \"a\", outcome = \"r\" }",
                    3 => "{ acquire = \"s\" }",
                    4 => "{ release = \"s\" }",
                    5 => "{ load = \"v\", into = \"x\" }",
                    _ => "{ store = \"v\", value = 1 }",
                };
                let _ = write!(text, "{step}, ");
            }
            text.push_str("]\n");
        }
        text
    }

    #[test]
    fn the_story_is_as_short_as_the_shortest_of_all_schedules() {
        let mut found = 0;
        for seed in 0..300 {
            let plan = plan(&random_program(seed));
            let mut best = None;
            let mut space = space(&plan);
            let first = space.initial().expect("it begins");
            brute(&mut space, &first, NOBODY, (0, 0), &mut best);
            let mut states = States::new(&mut space);
            let mut stuck = |states: &mut States<'_, '_>, path: &Shortest| {
                states.look(*path.nodes.last().expect("a path has a node"))?;
                Ok(is_stuck(states.space, &states.state, &states.moves))
            };
            let shortest = shortest(&mut states, usize::MAX, &mut stuck).expect("it ends");
            assert_eq!(shortest.as_ref().map(|path| (path.switches, path.steps)), best, "seed {seed}");
            if let Some(shortest) = shortest {
                found += 1;
                let path = states.path(&shortest).expect("it is a path");
                assert_eq!(path.len() as u32, shortest.steps);
                let told = crate::explore::execution::concretise::tell(&space, &path).expect("it can be followed");
                assert_eq!(told.trace.end, crate::trace::RunEnd::Deadlock);
            }
        }
        assert!(found > 50, "{found} of the programs have a deadlock");
    }

    #[test]
    fn the_critical_step_is_the_last_that_could_have_been_another() {
        // Both have read 0 before either writes: from there on an update is lost.
        let plan = plan(&lost_update(2, 1));
        let mut space = space(&plan);
        let lost = |states: &States<'_, '_>| {
            states.space.object_of(0, states.state[2]).value(&[], &[]) == crate::value::Value::Int(1)
        };
        let mut states = States::new(&mut space);
        let mut goal = |states: &mut States<'_, '_>, path: &Shortest| {
            states.look(*path.nodes.last().expect("a path has a node"))?;
            Ok(states.moves.is_empty() && lost(states))
        };
        let path = shortest(&mut states, usize::MAX, &mut goal).expect("it ends").expect("an update can be lost");
        assert_eq!((path.switches, path.steps), (2, 4));
        let mut good = |states: &mut States<'_, '_>, node: u32| {
            states.look(node)?;
            Ok(!lost(states))
        };
        let last = critical(&mut states, &path.nodes, usize::MAX, &mut good).expect("it ends");
        assert_eq!(last, Some(1), "the second load is critical");
        assert_eq!(critical(&mut states, &path.nodes, 3, &mut good).expect("it ends"), None);
    }
}
