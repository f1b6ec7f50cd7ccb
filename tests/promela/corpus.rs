//! The scenarios of `tests/corpus` and drawn ones that have a translation to Promela.

use ipcrun::explore::semantics::transition::Time;
use ipcrun::explore::state_space::StateSpace;
use ipcrun::explore::strategy::bfs::{Limits, Reductions, Search};
use ipcrun::generate::{TASTES, scenario};
use ipcrun::promela::promela;
use ipcrun::scenario::plan::Plan;

use crate::corpus::scenarios;

/// How many drawn scenarios there are of each taste, and how many are drawn until they are found.
const DRAWN: usize = 2;
const TRIES: u64 = 100;
/// The most states of a drawn scenario.
const MOST: usize = 3_000;

pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) time: Time,
}

pub(super) fn all() -> Vec<Scenario> {
    let corpus = scenarios("tests/corpus").into_iter().filter_map(|(name, text)| {
        let plan = super::plan(&text);
        let time = plan.time.unwrap_or(Time::Virtual);
        promela(&plan, time).is_ok().then_some(Scenario { name, text, time })
    });
    let drawn = TASTES.iter().flat_map(|taste| {
        let texts = (0..TRIES).map(|seed| (format!("{} {seed}", taste.name), scenario(seed, *taste).text()));
        let fits = |text: &str| {
            let plan = super::plan(text);
            promela(&plan, Time::Any).is_ok() && is_small(&plan)
        };
        let fitting = texts.filter(move |(_, text)| fits(text)).take(DRAWN);
        fitting.map(|(name, text)| Scenario { name, text, time: Time::Any })
    });
    corpus.chain(drawn).collect()
}

fn is_small(plan: &Plan) -> bool {
    let mut space = StateSpace::new(plan, Time::Any, vec![false; plan.steps.len()], false);
    let mut search = Search::new(&mut space, Reductions::NONE);
    let limits = Limits { states: MOST, ..Limits::default() };
    search.run(limits, &mut |_| true).is_ok() && search.cut.is_none()
}

/// What is refused: the text of the place and of the reason.
pub(super) fn refused() -> Vec<(&'static str, String, &'static str, &'static str)> {
    let steps = |objects: &str, steps: &str| format!("[objects]\n{objects}\n[processes.p]\nsteps = [{steps}]\n");
    let x = "x = { kind = \"value\", value = 0 }";
    vec![
        ("random", steps(x, "{ store = \"x\", value = \"{random(1, 2)}\" }"), "store", "random"),
        ("a float", steps("x = { kind = \"value\", value = 0.5 }", "{ load = \"x\" }"), "x", "ints"),
        ("sleep", steps(x, "\"yield\", { sleep = \"1s\" }"), "sleep", "time"),
        (
            "a timeout",
            steps("s = { kind = \"semaphore\" }", "{ acquire = \"s\", timeout = \"1s\" }"),
            "acquire",
            "time",
        ),
        (
            "a message that is text",
            steps("q = { kind = \"queue\", capacity = 1 }", "{ put = \"q\", value = \"a\" }"),
            "put",
            "int",
        ),
        ("an unbounded queue", steps("q = { kind = \"queue\" }", "{ put = \"q\", value = 1 }"), "q", "capacity"),
        ("a robust mutex", steps("m = { kind = \"mutex\", robust = true }", "{ lock = \"m\" }"), "m", "robust"),
        ("a large number", steps(x, "{ store = \"x\", value = 5000000000 }"), "store", "32 bits"),
        (
            "a pipe of bytes",
            steps("link = { kind = \"pipe\", framing = \"bytes\" }", "{ send = \"link.w\", value = \"a\" }"),
            "link",
            "bytes",
        ),
        ("a signal", steps(x, "\"yield\", { kill = \"p\", signal = \"TERM\" }"), "kill", "signals"),
        (
            "a list",
            steps(x, "{ load = \"x\", into = \"n\" }, { let = { l = \"{[n, n]}\" } }, { print = \"{l}\" }"),
            "let",
            "list",
        ),
    ]
}
