//! Causes between many releases and many acquires: permits, a flag that is set.
//!
//! What takes is caused by every giver before it. Drawing each such edge would be quadratic, so only the latest giver
//! of each process is joined, and none that a giver joined already knows of: the rest follows by each process's order.

use std::collections::{BTreeMap, HashMap};

use crate::event::ProcessId;

/// The givers so far, in the object's order.
#[derive(Debug, Default)]
pub(crate) struct Joins {
    /// The latest giver of each process, by its number in the order.
    givers: BTreeMap<u64, Giver>,
    latest: HashMap<ProcessId, u64>,
    /// Up to which number a process knows every giver.
    known: HashMap<ProcessId, u64>,
    count: u64,
}

#[derive(Debug)]
struct Giver {
    process: ProcessId,
    place: usize,
    known: u64,
}

impl Joins {
    /// The event at `place` gives.
    pub(crate) fn give(&mut self, process: ProcessId, place: usize) {
        self.count += 1;
        let known = self.known.get(&process).copied().unwrap_or(0);
        if let Some(before) = self.latest.insert(process, self.count) {
            self.givers.remove(&before);
        }
        self.givers.insert(self.count, Giver { process, place, known });
    }

    /// An event of the process takes: calls `cause` with the place of each giver to join.
    pub(crate) fn take(&mut self, process: ProcessId, mut cause: impl FnMut(usize)) {
        let mut known = self.known.get(&process).copied().unwrap_or(0);
        for (number, giver) in self.givers.iter().rev() {
            if *number <= known {
                break;
            }
            if giver.process != process {
                cause(giver.place);
                known = known.max(giver.known);
            }
        }
        self.known.insert(process, self.count);
    }

    /// Forgets the releases so far: they are no cause of later acquires.
    pub(crate) fn forget(&mut self) {
        self.givers.clear();
        self.latest.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(joins: &mut Joins, process: ProcessId) -> Vec<usize> {
        let mut places = Vec::new();
        joins.take(process, |place| places.push(place));
        places
    }

    #[test]
    fn the_latest_giver_of_each_process_is_joined_once() {
        let mut joins = Joins::default();
        joins.give(1, 10);
        joins.give(2, 20);
        joins.give(1, 11);
        assert_eq!(causes(&mut joins, 3), [11, 20]);
        assert_eq!(causes(&mut joins, 3), [0; 0]);
        joins.give(3, 30);
        assert_eq!(causes(&mut joins, 4), [30], "process 3 knew the others when it gave");
        joins.forget();
        assert_eq!(causes(&mut joins, 5), [0; 0]);
    }
}
