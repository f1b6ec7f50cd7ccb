//! Work by several threads, with a result that does not depend on their number.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Does the work with each of these, in as many threads as there are of them; this one is the first. Where the host
/// starts no more threads, those that there are do it all.
pub(crate) fn together<W: Send>(workers: &mut [W], work: impl Fn(&mut W) + Sync) {
    let threads = workers.len();
    let left = Mutex::new(workers.iter_mut());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let all = || {
        while let Some(worker) = next() {
            work(worker);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            if std::thread::Builder::new().spawn_scoped(scope, all).is_err() {
                break;
            }
        }
        all();
    });
}

/// Does that many pieces of work: a free worker takes the next one. Returns the results in order.
pub(crate) fn in_order<W: Send, T: Send>(
    workers: &mut [W],
    total: usize,
    work: impl Fn(&mut W, usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let mut busy: Vec<(&mut W, Vec<(usize, T)>)> = workers.iter_mut().map(|worker| (worker, Vec::new())).collect();
    together(&mut busy, |(worker, done)| {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= total {
                break;
            }
            done.push((place, work(worker, place)));
        }
    });
    let mut done: Vec<(usize, T)> = busy.into_iter().flat_map(|(_, done)| done).collect();
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_their_order_whoever_has_done_them() {
        for threads in [1, 2, 7] {
            let mut workers = vec![0usize; threads];
            let squares = in_order(&mut workers, 1000, |done, place| {
                *done += 1;
                place * place
            });
            assert_eq!(squares, (0..1000).map(|place| place * place).collect::<Vec<_>>());
            assert_eq!(workers.iter().sum::<usize>(), 1000);
        }
    }
}
