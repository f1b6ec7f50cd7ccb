//! What is left out in a circle. A part of a state's moves is enough only if what is left out comes some time; in a circle
//! of states it could be left out for ever. So the graph is searched for terminal components: sets of states that lead to
//! one another and nowhere else. A process that can move somewhere in one of them and never does was left out, and one
//! of its states is looked at whole (Valmari's condition, on terminal components only).

use super::bfs::Search;
use crate::explore::budget::Pace;
use crate::explore::semantics::transition::{Kind, ModelError};
use crate::explore::state_space::Transition;

const UNSEEN: u32 = u32::MAX;

/// The strongly connected components of the states met so far, by Tarjan's algorithm.
pub(crate) struct Components {
    /// By state: its component. Components are numbered so that each leads only to smaller ones.
    pub(crate) of: Vec<u32>,
    /// By component: whether it leads to another.
    pub(crate) leads_on: Vec<bool>,
    /// By component: whether it has a step within.
    pub(crate) circles: Vec<bool>,
}

/// Finds the components. None where the budget is spent, which cuts the search.
///
/// # Errors
/// A process that computes without end.
pub(crate) fn find(search: &mut Search<'_, '_>) -> Result<Option<Components>, ModelError> {
    let mut pace = Pace::new(&search.space.budget);
    let count = search.store.len();
    let mut found = Components { of: vec![UNSEEN; count], leads_on: Vec::new(), circles: Vec::new() };
    let mut low = vec![0u32; count];
    let mut index = vec![UNSEEN; count];
    let mut open: Vec<u32> = Vec::new();
    let mut seen = 0;
    // The states that the walk is in, each with those that come behind it and have not been walked to.
    let mut walk: Vec<(u32, Vec<u32>)> = Vec::new();
    for root in 0..count as u32 {
        if index[root as usize] != UNSEEN {
            continue;
        }
        let behind = successors(search, root)?;
        (index[root as usize], low[root as usize]) = (seen, seen);
        seen += 1;
        open.push(root);
        walk.push((root, behind));
        while let Some((state, behind)) = walk.last_mut() {
            search.cut = pace.spent();
            if search.cut.is_some() {
                return Ok(None);
            }
            let state = *state;
            if let Some(next) = behind.pop() {
                if index[next as usize] == UNSEEN {
                    (index[next as usize], low[next as usize]) = (seen, seen);
                    seen += 1;
                    open.push(next);
                    let behind = successors(search, next)?;
                    walk.push((next, behind));
                } else if found.of[next as usize] == UNSEEN {
                    low[state as usize] = low[state as usize].min(index[next as usize]);
                }
                continue;
            }
            walk.pop();
            if let Some((before, _)) = walk.last() {
                low[*before as usize] = low[*before as usize].min(low[state as usize]);
            }
            if low[state as usize] == index[state as usize] {
                let component = found.leads_on.len() as u32;
                found.leads_on.push(false);
                found.circles.push(false);
                while let Some(member) = open.pop() {
                    found.of[member as usize] = component;
                    if member == state {
                        break;
                    }
                }
            }
        }
    }
    for state in 0..count as u32 {
        search.cut = pace.spent();
        if search.cut.is_some() {
            return Ok(None);
        }
        let own = found.of[state as usize];
        for next in successors(search, state)? {
            if found.of[next as usize] == own {
                found.circles[own as usize] = true;
            } else {
                found.leads_on[own as usize] = true;
            }
        }
    }
    Ok(Some(found))
}

/// The visited successors of a state by the search's transitions, kills from outside left out.
pub(crate) fn successors(search: &mut Search<'_, '_>, number: u32) -> Result<Vec<u32>, ModelError> {
    let mut state = vec![0; search.space.width()];
    let mut moves: Vec<Transition> = Vec::new();
    search.store.get(number, &mut state);
    search.moves(number, &state, &mut moves)?;
    // No process has to be killed, or to wake without a cause, and from where one was no way leads back.
    moves.retain(|step| !matches!(step.kind, Kind::Kill | Kind::Wake));
    let mut after = state.clone();
    let mut behind = Vec::with_capacity(moves.len());
    for step in moves {
        after.copy_from_slice(&state);
        search.take(&mut after, step)?;
        behind.extend(search.store.find(&after));
    }
    Ok(behind)
}

/// Looks whole at a state of each terminal component in which a process was left out. Whether that led to a state that
/// had not been met.
///
/// # Errors
/// A process that computes without end.
pub(crate) fn complete(search: &mut Search<'_, '_>) -> Result<bool, ModelError> {
    let Some(components) = find(search)? else { return Ok(false) };
    let mut pace = Pace::new(&search.space.budget);
    search.cyclic = components.circles.contains(&true);
    let count = components.leads_on.len();
    let processes = search.space.plan.processes.len();
    // By terminal component: which processes can move in it, and which do. Processes that are alike change places from
    // state to state, so of those it is the segment that counts.
    let mut able: Vec<Vec<u32>> = vec![Vec::new(); count];
    let mut moving: Vec<Vec<u32>> = vec![Vec::new(); count];
    let mut some = vec![UNSEEN; count];
    let mut state = vec![0; search.space.width()];
    let (mut all, mut taken): (Vec<Transition>, Vec<Transition>) = (Vec::new(), Vec::new());
    for number in 0..search.store.len() as u32 {
        search.cut = pace.spent();
        if search.cut.is_some() {
            return Ok(false);
        }
        let component = components.of[number as usize] as usize;
        if components.leads_on[component] || !components.circles[component] {
            continue;
        }
        search.store.get(number, &mut state);
        search.all_moves(&state, &mut all)?;
        search.moves(number, &state, &mut taken)?;
        if all.len() != taken.len() {
            some[component] = number;
        }
        let class =
            |process: u32| if (process as usize) < processes { search.space.classes[process as usize] } else { UNSEEN };
        able[component].extend(all.iter().map(|step| class(step.process)));
        moving[component].extend(taken.iter().map(|step| class(step.process)));
    }
    let mut grown = false;
    for component in 0..count {
        let number = some[component];
        if number == UNSEEN {
            continue;
        }
        let moves = &moving[component];
        if able[component].iter().all(|process| moves.contains(process)) && !search.has_symmetry() {
            continue;
        }
        search.whole.push(number);
        search.whole.sort_unstable();
        search.store.get(number, &mut state);
        search.moves(number, &state, &mut all)?;
        for step in std::mem::take(&mut all) {
            let mut after = state.clone();
            search.take(&mut after, step)?;
            search.store.insert(&after, number);
        }
        grown = true;
    }
    Ok(grown)
}
