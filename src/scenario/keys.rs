//! The keys of the file that belong to no kind, verb or form: the one list that `check`, the reference and the schema
//! read.

/// A key and what it means.
pub struct Key {
    pub name: &'static str,
    /// What may stand there.
    pub takes: Takes,
    /// Where nothing is given.
    pub default: &'static str,
    pub summary: &'static str,
}

/// What may stand at such a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Takes {
    Text,
    Duration,
    /// An integer, at least that.
    Integer(i64),
    /// A list of integers.
    Integers,
    /// `true` or `false`.
    Boolean,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A signal's name.
    Signal,
    /// A group's name.
    Group,
    /// A list of text.
    Texts,
    /// A table of names and any values.
    Values,
    /// A table of names and one of these words.
    Words(&'static [&'static str]),
    /// A table of `PIPE` and one of these words.
    Pipe(&'static [&'static str]),
    /// A list of steps.
    Steps,
    /// A table or list described by itself.
    Own(&'static str),
    Any,
}

impl Takes {
    pub fn words(self) -> String {
        let any_of = |words: &[&str]| words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ");
        match self {
            Self::Text | Self::Group => "text".to_owned(),
            Self::Duration => "a duration: `\"200ms\"`".to_owned(),
            Self::Integer(i64::MIN) => "an integer".to_owned(),
            Self::Integer(least) => format!("an integer, at least {least}"),
            Self::Integers => "a list of integers".to_owned(),
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::Choice(words) => any_of(words),
            Self::Signal => "a signal: `\"TERM\"`".to_owned(),
            Self::Texts => "a list of text".to_owned(),
            Self::Values => "a table of names and values".to_owned(),
            Self::Pipe(words) => format!("a table: `PIPE` and one of {}", any_of(words)),
            Self::Words(words) => format!("a table of names and one of {}", any_of(words)),
            Self::Steps => "a list of steps".to_owned(),
            Self::Own(what) => what.to_owned(),
            Self::Any => "any value".to_owned(),
        }
    }
}

/// What may stand in a state expression.
#[derive(Clone, Copy, Debug)]
pub struct StateTerm {
    /// The function's name, or the kind of object whose name is written.
    pub name: &'static str,
    /// As it is written.
    pub written: &'static str,
    pub summary: &'static str,
}

const fn term(name: &'static str, written: &'static str, summary: &'static str) -> StateTerm {
    StateTerm { name, written, summary }
}

/// The functions of state expressions: they read the state at one moment of the run. Objects are read by their names,
/// as their kinds say.
pub const STATE_TERMS: &[StateTerm] = &[
    term(
        "size",
        "size(q)",
        "the size of an object: messages or bytes in a queue or pipe, free permits, arrivals at a barrier, waiters of a \
         condition, elements of an array",
    ),
    term("count", "count('p put q')", "the number of events that have matched the pattern so far"),
    term("inside", "inside('bath')", "the number of processes inside the section"),
    term(
        "blocked",
        "blocked('p at q')",
        "whether the process waits, until it resumes. `blocked('p at q')`: at the object or process that its step \
         names; `blocked('p')`: at any. For several processes: whether each of them waits",
    ),
    term("ended", "ended('p')", "whether the process has ended; for several, whether all of them have"),
    term("exit", "exit('p[0]')", "its exit status, negative for a signal; null before its end"),
];

const fn key(name: &'static str, takes: Takes, default: &'static str, summary: &'static str) -> Key {
    Key { name, takes, default, summary }
}

/// The keys of the file.
pub const FILE_KEYS: &[Key] = &[
    key("name", Takes::Text, "the file's stem", "shown in reports"),
    key("about", Takes::Text, "", "one line about what the scenario shows"),
    key(
        "timeout",
        Takes::Duration,
        "\"60s\"",
        "the longest the run may take; then every process is killed, the run fails, and the report names the step of each process",
    ),
    key(
        "time",
        Takes::Choice(&["ideal", "any"]),
        "both are explored",
        "what `explore` assumes about sleeps and timeouts: that they order processes, or that each may end at any moment",
    ),
    key(
        "seed",
        Takes::Integer(0),
        "0",
        "the seed of every `random`; each process draws from its own stream, so the numbers do not depend on scheduling",
    ),
    key("params", Takes::Values, "", "named constants, usable in every expression; `--set NAME=VALUE` overrides one"),
    key(
        "matrix",
        Takes::Values,
        "",
        "lists of values of params: the scenario is one for each combination; `exclude` and `include` are lists of combinations, \
         `--matrix NAME=VALUE` chooses some",
    ),
    key("objects", Takes::Own("a table of objects"), "", "the IPC objects, by name"),
    key("processes", Takes::Own("a table of processes"), "at least one", "the processes, by name"),
    key("expect", Takes::Own("a list of expectations"), "", "what has to hold"),
];

/// The keys of every object.
pub const OBJECT_KEYS: &[Key] = &[
    key("kind", Takes::Text, "", "the kind of object"),
    key("count", Takes::Integer(1), "one object", "makes an array of objects: `forks[0]`, `forks[(index + 1) % 5]`"),
];

/// The keys of a process.
pub const PROCESS_KEYS: &[Key] = &[
    key("steps", Takes::Steps, "", "the steps that it runs"),
    key("count", Takes::Integer(1), "1", "the number of such processes; each has its `index` and is named `worker[3]`"),
    key("start", Takes::Choice(&["auto", "manual"]), "\"auto\"", "`\"manual\"`: a `start` step starts it"),
    key("uses", Takes::Texts, "", "objects and ends that it holds besides those that its steps name"),
    key(
        "depends_on",
        Takes::Words(&["started", "ready", "exited", "succeeded"]),
        "",
        "the state that other processes must have reached before it starts",
    ),
    key(
        "daemon",
        Takes::Boolean,
        "false",
        "a server that may stay blocked: ipcrun ends it once all other processes have ended and it cannot continue",
    ),
    key("group", Takes::Group, "none", "the group that it is in: `{ kill = \"group:jobs\" }` reaches all of them"),
    key(
        "parent_death",
        Takes::Signal,
        "none",
        "the signal that it is sent when the process that started it ends (PR_SET_PDEATHSIG); with `start = \"manual\"`",
    ),
    key("vars", Takes::Values, "", "its variables' first values"),
    key("cpus", Takes::Integers, "inherited", "the CPUs it may run on"),
    key("nice", Takes::Integer(i64::MIN), "inherited", "its nice value, -20 to 19"),
    key("policy", Takes::Choice(&["other", "batch", "idle", "fifo", "rr"]), "inherited", "its scheduling policy"),
    key("priority", Takes::Integer(0), "inherited", "its real-time priority, with `fifo` and `rr`"),
    key(
        "signals",
        Takes::Pipe(&["default", "ignore"]),
        "{ PIPE = \"ignore\" }",
        "`default`: a `send` that no process is left to receive is `broken`, and then SIGPIPE ends the process",
    ),
];

/// The keys of every expectation.
pub const EXPECTATION_KEYS: &[Key] = &[
    key(
        "holds",
        Takes::Choice(&["always", "sometimes", "never"]),
        "\"always\"",
        "in which executions it holds; with `--repeat N`, in which of the N runs",
    ),
    key("label", Takes::Text, "the expectation itself", "its name in reports"),
    key("allow_empty", Takes::Boolean, "false", "whether it holds if its pattern matches nothing"),
    key("each_seen", Takes::Boolean, "false", "with `in`: every one of them must be seen in some run"),
];

/// The keys of a pattern that is a table.
pub const PATTERN_KEYS: &[Key] = &[
    key("process", Takes::Text, "\"*\"", "the process; `worker` matches every `worker[i]`"),
    key("verb", Takes::Text, "\"*\"", "the verb"),
    key("object", Takes::Text, "\"*\"", "the object, process or label of the step"),
    key("outcome", Takes::Text, "\"ok\"", "the outcome; `failed` matches every outcome but `ok`"),
    key("value", Takes::Any, "any", "the value that was moved, read or written"),
];

/// The names of keys.
pub(super) fn names(keys: &[Key]) -> Vec<&'static str> {
    keys.iter().map(|key| key.name).collect()
}
