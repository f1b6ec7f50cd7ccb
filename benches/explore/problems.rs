//! The problems that explorers are measured on, as scenarios and as models for SPIN.

#[path = "../../tests/problems.rs"]
mod texts;

/// A problem of a certain size.
#[derive(Clone, Copy, Debug)]
pub(super) enum Problem {
    /// So many processes that each add 1 so often, by loading and storing.
    LostUpdate(u32, u32),
    /// So many workers on a semaphore of three permits.
    Semaphore(u32),
    /// So many philosophers, who take the lower fork first.
    Ordered(u32),
    /// The same, who never stop.
    Forever(u32),
    /// So many philosophers, who can deadlock.
    Naive(u32),
    /// So many values from one process to another through a queue of two places.
    Queue(u32),
    /// Two producers and two consumers of three items each, with one place and one condition for both.
    Condition,
}

impl Problem {
    /// The problem of that name: its word and its numbers between colons.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut words = name.split(':');
        let word = words.next()?;
        let numbers = words.map(str::parse).collect::<Result<Vec<u32>, _>>().ok()?;
        Some(match (word, numbers.as_slice()) {
            ("lost-update", [processes, rounds]) => Self::LostUpdate(*processes, *rounds),
            ("semaphore", [workers]) => Self::Semaphore(*workers),
            ("ordered", [count]) => Self::Ordered(*count),
            ("forever", [count]) => Self::Forever(*count),
            ("naive", [count]) => Self::Naive(*count),
            ("queue", [items]) => Self::Queue(*items),
            ("condition", []) => Self::Condition,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::LostUpdate(processes, rounds) => format!("lost-update:{processes}:{rounds}"),
            Self::Semaphore(workers) => format!("semaphore:{workers}"),
            Self::Ordered(count) => format!("ordered:{count}"),
            Self::Forever(count) => format!("forever:{count}"),
            Self::Naive(count) => format!("naive:{count}"),
            Self::Queue(items) => format!("queue:{items}"),
            Self::Condition => "condition".to_owned(),
        }
    }

    /// What it is, in words.
    pub(super) fn about(self) -> String {
        match self {
            Self::LostUpdate(processes, rounds) => format!("lost update, {processes} processes x {rounds}"),
            Self::Semaphore(workers) => format!("{workers} workers, semaphore of 3"),
            Self::Ordered(count) => format!("{count} ordered philosophers"),
            Self::Forever(count) => format!("{count} ordered philosophers, for ever"),
            Self::Naive(count) => format!("{count} philosophers"),
            Self::Queue(items) => format!("{items} items through a queue"),
            Self::Condition => "buffer with one condition".to_owned(),
        }
    }

    /// The model for SPIN that was written by hand, with its definitions; none where there is none.
    pub(super) fn model(self) -> Option<(&'static str, Vec<String>)> {
        Some(match self {
            Self::LostUpdate(processes, rounds) => {
                ("lost_update.pml", vec![format!("-DP={processes}"), format!("-DK={rounds}")])
            }
            Self::Semaphore(workers) => ("semaphore.pml", vec![format!("-DW={workers}")]),
            Self::Ordered(count) => ("philosophers.pml", vec![format!("-DN={count}"), "-DORDERED".to_owned()]),
            Self::Forever(count) => {
                ("philosophers.pml", vec![format!("-DN={count}"), "-DORDERED".to_owned(), "-DLOOP".to_owned()])
            }
            Self::Naive(count) => ("philosophers.pml", vec![format!("-DN={count}")]),
            Self::Queue(_) => return None,
            Self::Condition => ("condition.pml", Vec::new()),
        })
    }

    pub(super) fn text(self) -> String {
        match self {
            Self::LostUpdate(processes, rounds) => texts::lost_update(processes, rounds),
            Self::Semaphore(workers) => texts::semaphore(workers, 3),
            Self::Ordered(count) => texts::philosophers(count, true, false),
            Self::Forever(count) => texts::philosophers(count, true, true),
            Self::Naive(count) => texts::philosophers(count, false, false),
            Self::Queue(items) => texts::queue(items),
            Self::Condition => ["producer", "consumer"].into_iter().fold(
                r#"
[objects]
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
n = { kind = "value", value = 0 }
"#
                .to_owned(),
                |text, name| {
                    let (waits, then) = if name == "producer" { (1, 1) } else { (0, 0) };
                    text + &format!(
                        r#"
[processes.{name}]
count = 2
steps = [{{ repeat = 3, do = [
  {{ lock = "m" }},
  {{ load = "n", into = "x" }},
  {{ while = "x == {waits}", do = [{{ wait = "c" }}, {{ load = "n", into = "x" }}] }},
  {{ store = "n", value = {then} }},
  {{ notify = "c" }},
  {{ unlock = "m" }},
] }}]
"#
                    )
                },
            ),
        }
    }
}
