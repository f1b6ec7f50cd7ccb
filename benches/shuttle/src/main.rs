//! shuttle's side of `explore-walk`: threads that read a shared number and write it back, one more, scheduled at random.
//!
//! `bench-shuttle PROCESSES ROUNDS EXECUTIONS` says how many executions there were; whoever watches it knows the time.

use shuttle::scheduler::RandomScheduler;
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicUsize, Ordering};

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let [processes, rounds, executions] = numbers[..] else {
        eprintln!("usage: bench-shuttle PROCESSES ROUNDS EXECUTIONS");
        std::process::exit(2);
    };
    let scheduler = RandomScheduler::new_from_seed(1, executions);
    let done = shuttle::Runner::new(scheduler, shuttle::Config::default()).run(move || {
        let money = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..processes)
            .map(|_| {
                let money = Arc::clone(&money);
                shuttle::thread::spawn(move || {
                    for _ in 0..rounds {
                        let own = money.load(Ordering::SeqCst);
                        money.store(own + 1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no thread fails");
        }
    });
    println!("walks {done}");
}
