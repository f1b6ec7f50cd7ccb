//! The wait-for relation among the processes that are left where a run does not end.

use std::collections::{HashMap, HashSet, VecDeque};

use super::Waiting;
use crate::event::{ProcessId, Target};
use crate::scenario::plan::Plan;

/// From how many processes a cycle is looked for: with thousands stuck, all of them would take too long.
const LIMIT: usize = 256;

/// Parts what all processes wait for into the waits of those that count as stuck, and those of the daemons that these wait
/// for, directly or through one another. Processes that wait at one rendezvous have all arrived: none of them can end the
/// wait of another, so none is named as one that could.
pub fn part(plan: &Plan, mut all: Vec<Waiting>) -> (Vec<Waiting>, Vec<Waiting>) {
    let meets = |target| match target {
        Target::Object(id) => plan.objects[id as usize].object.parties().is_some(),
        Target::Process(_) | Target::None => false,
    };
    let met: HashMap<ProcessId, Target> =
        all.iter().filter(|one| meets(one.target)).map(|one| (one.process, one.target)).collect();
    for one in &mut all {
        let target = one.target;
        if meets(target) {
            one.on.retain(|other| met.get(other) != Some(&target));
        }
    }
    let (daemons, stuck): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| plan.program(one.process).daemon);
    let mut wanted: HashSet<ProcessId> = HashSet::new();
    let mut open: Vec<&Waiting> = stuck.iter().collect();
    while let Some(one) = open.pop() {
        let behind = daemons.iter().filter(|daemon| others(one).any(|other| other == daemon.process));
        open.extend(behind.filter(|daemon| wanted.insert(daemon.process)));
    }
    let daemons = daemons.iter().filter(|daemon| wanted.contains(&daemon.process)).cloned().collect();
    (stuck, daemons)
}

/// The shortest wait-for cycle that can be found through a process that is stuck: each waits for the next, and the last
/// for the first. Daemons are part of it where they wait in it.
pub fn cycle<'a>(stuck: &'a [Waiting], daemons: &'a [Waiting]) -> Option<Vec<&'a Waiting>> {
    let all: Vec<&Waiting> = stuck.iter().chain(daemons).collect();
    let places: HashMap<ProcessId, usize> = all.iter().map(|waiting| waiting.process).zip(0..).collect();
    let next = |at: usize| others(all[at]).filter_map(|process| places.get(&process).copied());
    let mut best: Option<Vec<usize>> = None;
    for start in 0..stuck.len().min(LIMIT) {
        let mut from = vec![usize::MAX; all.len()];
        let mut queue = VecDeque::from([start]);
        'search: while let Some(at) = queue.pop_front() {
            for to in next(at) {
                if to == start {
                    let mut ring = vec![at];
                    while ring[ring.len() - 1] != start {
                        ring.push(from[ring[ring.len() - 1]]);
                    }
                    ring.reverse();
                    if best.as_ref().is_none_or(|best| ring.len() < best.len()) {
                        best = Some(ring);
                    }
                    break 'search;
                }
                if from[to] == usize::MAX {
                    from[to] = at;
                    queue.push_back(to);
                }
            }
        }
    }
    best.map(|ring| ring.into_iter().map(|at| all[at]).collect())
}

/// The processes that one waits for: the owner of what it waits for, else those that could end its wait; itself only where
/// no other could.
fn others(one: &Waiting) -> impl Iterator<Item = ProcessId> {
    let on = one.on.iter().filter(|_| one.holder.is_none());
    let alone = one.on.iter().all(|other| *other == one.process);
    one.holder.iter().chain(on.filter(move |other| alone || **other != one.process)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(process: ProcessId, on: &[ProcessId], holder: Option<ProcessId>) -> Waiting {
        Waiting {
            process,
            step: None,
            verb: "lock".to_owned(),
            target: Target::Object(0),
            since: 1_000,
            on: on.to_vec(),
            holder,
        }
    }

    fn found(stuck: &[Waiting], daemons: &[Waiting]) -> Option<Vec<ProcessId>> {
        cycle(stuck, daemons).map(|ring| ring.iter().map(|one| one.process).collect())
    }

    #[test]
    fn the_shortest_cycle_is_found() {
        let ring = [waiting(0, &[1], Some(1)), waiting(1, &[2], Some(2)), waiting(2, &[0], Some(0))];
        assert_eq!(found(&ring, &[]), Some(vec![0, 1, 2]));
        assert_eq!(found(&ring[..2], &ring[2..]), Some(vec![0, 1, 2]));
        let both = [waiting(5, &[7, 6], None), waiting(6, &[7], None), waiting(7, &[5, 6], None)];
        assert_eq!(found(&both, &[]), Some(vec![5, 7]));
        assert_eq!(found(&[waiting(3, &[3], Some(3))], &[]), Some(vec![3]));
        assert_eq!(found(&[waiting(3, &[3], None)], &[]), Some(vec![3]));
        assert_eq!(found(&[waiting(0, &[1], None), waiting(1, &[], None)], &[]), None);
        assert_eq!(found(&[], &[]), None);
    }

    #[test]
    fn a_process_that_another_could_release_as_well_does_not_wait_for_itself() {
        let both = [waiting(0, &[0, 1], None), waiting(1, &[0, 1], None)];
        assert_eq!(found(&both, &[]), Some(vec![0, 1]));
        assert_eq!(found(&[waiting(0, &[0, 1], None), waiting(1, &[], None)], &[]), None);
    }

    #[test]
    fn a_cycle_among_daemons_alone_is_none_of_the_stuck() {
        let daemons = [waiting(1, &[2], None), waiting(2, &[1], None)];
        assert_eq!(found(&[waiting(0, &[1], None)], &daemons), None);
    }
}
