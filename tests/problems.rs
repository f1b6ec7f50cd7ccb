//! The problems by which explorers are compared: for the tests of the model and for the benchmarks.

/// Processes that read a value and write it back, one more, so many times.
pub(crate) fn lost_update(processes: u32, rounds: u32) -> String {
    format!(
        r#"
[objects]
money = {{ kind = "value", value = 0 }}
[processes.p]
count = {processes}
steps = [{{ repeat = {rounds}, do = [{{ load = "money", into = "m" }}, {{ store = "money", value = "{{m + 1}}" }}] }}]
"#
    )
}

/// Workers that share permits.
pub(crate) fn semaphore(workers: u32, permits: u32) -> String {
    format!(
        r#"
[objects]
s = {{ kind = "semaphore", value = {permits} }}
[processes.w]
count = {workers}
steps = [{{ acquire = "s" }}, "yield", {{ release = "s" }}]
"#
    )
}

/// Philosophers who take a fork and another; `ordered`: the lower one first.
pub(crate) fn philosophers(count: u32, ordered: bool, forever: bool) -> String {
    let (low, high) = if ordered {
        (
            format!("index < (index + 1) % {count} ? index : (index + 1) % {count}"),
            format!("index < (index + 1) % {count} ? (index + 1) % {count} : index"),
        )
    } else {
        ("index".to_owned(), format!("(index + 1) % {count}"))
    };
    let meal = format!(
        r#"{{ acquire = "forks[{low}]" }}, {{ acquire = "forks[{high}]" }}, {{ release = "forks[{high}]" }}, {{ release = "forks[{low}]" }}"#
    );
    let steps = if forever { format!("{{ forever = [{meal}] }}") } else { meal };
    format!(
        r#"
[objects]
forks = {{ kind = "semaphore", value = 1, count = {count} }}
[processes.phil]
count = {count}
steps = [{steps}]
"#
    )
}

/// A process that puts messages into a queue of two, and one that gets them.
pub(crate) fn queue(items: u32) -> String {
    format!(
        r#"
[objects]
q = {{ kind = "queue", capacity = 2 }}
[processes.put]
steps = [{{ repeat = {items}, do = [{{ put = "q", value = 1 }}] }}]
[processes.get]
steps = [{{ repeat = {items}, do = [{{ get = "q" }}] }}]
"#
    )
}
