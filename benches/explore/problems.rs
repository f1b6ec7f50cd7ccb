//! The problems that explorers are measured on, as scenarios and as models for SPIN.

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

    /// Its name.
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

    /// The scenario.
    pub(super) fn text(self) -> String {
        match self {
            Self::LostUpdate(processes, rounds) => format!(
                r#"
[objects]
money = {{ kind = "value", value = 0 }}
[processes.p]
count = {processes}
steps = [{{ repeat = {rounds}, do = [{{ load = "money", into = "m" }}, {{ store = "money", value = "{{m + 1}}" }}] }}]
"#
            ),
            Self::Semaphore(workers) => format!(
                r#"
[objects]
s = {{ kind = "semaphore", value = 3 }}
[processes.w]
count = {workers}
steps = [{{ acquire = "s" }}, "yield", {{ release = "s" }}]
"#
            ),
            Self::Ordered(count) => philosophers(count, true, false),
            Self::Forever(count) => philosophers(count, true, true),
            Self::Naive(count) => philosophers(count, false, false),
            Self::Queue(items) => format!(
                r#"
[objects]
q = {{ kind = "queue", capacity = 2 }}
[processes.put]
steps = [{{ repeat = {items}, do = [{{ put = "q", value = 1 }}] }}]
[processes.get]
steps = [{{ repeat = {items}, do = [{{ get = "q" }}] }}]
"#
            ),
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

fn philosophers(count: u32, ordered: bool, forever: bool) -> String {
    let next = format!("(index + 1) % {count}");
    let (first, second) = if ordered {
        (format!("index < {next} ? index : {next}"), format!("index < {next} ? {next} : index"))
    } else {
        ("index".to_owned(), next)
    };
    let meal = format!(
        r#"{{ acquire = "forks[{first}]" }}, {{ acquire = "forks[{second}]" }}, {{ release = "forks[{second}]" }}, {{ release = "forks[{first}]" }}"#
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
