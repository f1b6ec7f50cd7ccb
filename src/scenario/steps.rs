//! The verbs without an object: what a process does by itself, with other processes, and how its steps are ordered.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Source, nearest};
use crate::objects::contract::verbs::{optional, required, verb};
use crate::objects::kinds::{own, process, signals, timer};
use crate::objects::{Argument, CATALOGUE, Effect, Form, Kind, Verb};
use crate::value::Types;

/// The keys that every step may have besides its verb's own.
pub static COMMON: &[Argument] = &[
    optional("timeout", Form::Duration, "how long it may wait; with `\"0s\"` it does not wait and ends `would_block`"),
    optional(
        "on",
        Form::Variables,
        "steps for each outcome that is handled: `on = { timeout = [\"break\"], any = [..] }`",
    ),
    optional("outcome", Form::Variable, "a variable for the outcome's name; every outcome is then handled"),
    optional("expect", Form::Value(Types::ANY), "the required outcome or value, judged like an expectation"),
];

/// What other libraries, languages and textbooks call a verb, and its name here.
static ELSEWHERE: &[(&str, &str)] = &[
    ("read", "load"),
    ("write", "store"),
    ("increment", "add"),
    ("fetch_add", "add"),
    ("exchange", "swap"),
    ("cas", "compare_swap"),
    ("compare_exchange", "compare_swap"),
    ("receive", "recv"),
    ("push", "put"),
    ("enqueue", "put"),
    ("pop", "get"),
    ("dequeue", "get"),
    ("qsize", "size"),
    ("task_done", "done"),
    ("p", "acquire"),
    ("down", "acquire"),
    ("v", "release"),
    ("up", "release"),
    ("post", "release"),
    ("broadcast", "notify_all"),
    ("arrive", "wait"),
    ("unset", "clear"),
    ("spawn", "start"),
    ("fork", "start"),
    ("waitpid", "wait_any"),
    ("terminate", "kill"),
    ("quit", "exit"),
    ("return", "exit"),
    ("echo", "print"),
    ("log", "print"),
    ("delay", "sleep"),
    ("loop", "forever"),
    ("foreach", "for"),
    ("var", "let"),
    ("assign", "let"),
];

/// Verbs that the format names and this version has not got.
pub static LATER: &[&str] = &["select", "listen", "accept", "connect", "shutdown", "on_message", "open", "unlink"];

/// The keys of an `open` step that the format names and this version has not got.
pub static OPEN_LATER: &[&str] = &["as", "create", "exclusive", "truncate", "access", "value"];

/// Every verb without an object. The first argument stands at the verb's own key.
pub static STEPS: &[Verb] = &[
    own::PRINT,
    own::MARK,
    own::ENTER,
    own::LEAVE,
    verb(
        "section",
        "enters a section, runs the steps and leaves it, also on `break`",
        &[
            required("section", Form::Value(Types::STRING), "the section's label"),
            required("do", Form::Steps, "the steps inside"),
        ],
    ),
    timer::SLEEP,
    timer::BUSY,
    own::YIELD,
    process::READY,
    verb("let", "sets variables, in order", &[required("let", Form::Variables, "their values")]),
    verb(
        "repeat",
        "runs the steps N times",
        &[
            required("repeat", Form::Integer(0, i64::MAX), "how many times"),
            optional("as", Form::Variable, "the round, from 0"),
            required("do", Form::Steps, "the steps"),
        ],
    ),
    verb("forever", "runs the steps until a `break`", &[required("forever", Form::Steps, "the steps")]),
    verb(
        "while",
        "runs the steps as long as the condition holds",
        &[required("while", Form::Condition, "evaluated before each round"), required("do", Form::Steps, "the steps")],
    ),
    verb(
        "for",
        "runs the steps for each item of a list",
        &[
            required("for", Form::Variable, "the item"),
            required("in", Form::Value(Types::LIST), "the list"),
            required("do", Form::Steps, "the steps"),
        ],
    ),
    verb("break", "leaves the innermost loop", &[required("break", Form::Nothing, "")]),
    verb("continue", "starts the next round of the innermost loop", &[required("continue", Form::Nothing, "")]),
    verb(
        "if",
        "runs the steps if the condition holds",
        &[
            required("if", Form::Condition, ""),
            optional("then", Form::Steps, "the steps if it holds"),
            optional("else", Form::Steps, "the steps if it does not hold"),
        ],
    ),
    process::START,
    process::JOIN,
    process::WAIT_ANY,
    process::STATUS,
    process::KILL,
    signals::ON_SIGNAL,
    signals::PAUSE,
    signals::ALARM,
    signals::MASK,
    signals::UNMASK,
    signals::PENDING,
    signals::SIGWAIT,
    own::EXIT,
    own::ABORT,
    own::ASSERT,
];

/// What else is known of a verb without an object, for the generator of random scenarios.
#[derive(Clone, Copy, Debug)]
pub struct Hint {
    /// How often it is drawn, beside the others.
    pub weight: u32,
    /// Whether it may have no end by itself.
    pub endless: bool,
    /// Whether it takes a moment and changes nothing.
    pub idle: bool,
    /// Which word at a process's key waits for it: a process with that word waits in vain if no process takes the step.
    pub awaited: &'static str,
    /// Whether it is about other processes although it names none.
    pub lives: bool,
}

impl Hint {
    /// What is known of a verb that stands in no list.
    const NONE: Self = Self { weight: 4, endless: false, idle: false, awaited: "", lives: false };

    /// What is known of that verb.
    pub fn of(verb: &str) -> Self {
        HINTS.iter().find(|(name, _)| *name == verb).map_or(Self::NONE, |(_, hint)| *hint)
    }
}

static HINTS: &[(&str, Hint)] = &[
    ("forever", Hint { endless: true, ..Hint::NONE }),
    ("while", Hint { endless: true, ..Hint::NONE }),
    ("busy", Hint { idle: true, weight: 2, ..Hint::NONE }),
    ("yield", Hint { idle: true, ..Hint::NONE }),
    ("start", Hint { awaited: "manual", ..Hint::NONE }),
    ("ready", Hint { awaited: "ready", ..Hint::NONE }),
    ("alarm", Hint { lives: true, ..Hint::NONE }),
    ("wait_any", Hint { lives: true, ..Hint::NONE }),
    ("exit", Hint { weight: 1, ..Hint::NONE }),
    ("abort", Hint { weight: 1, ..Hint::NONE }),
];

/// The names of all verbs, those of objects too; some kinds have verbs of the same name.
pub fn verb_names() -> impl Iterator<Item = &'static str> {
    STEPS.iter().chain(CATALOGUE.iter().flat_map(|kind| kind.verbs)).map(|verb| verb.name)
}

/// Says that no verb has the name that stands at `span`, and which may be meant. `kind` is that of the object that the step
/// names, where it names one.
pub(super) fn unknown(word: &str, source: &Arc<Source>, span: Range<usize>, kind: Option<&Kind>) -> Diagnostic {
    let diagnostic = Diagnostic::error(Code::UNKNOWN_VERB, format!("no verb is called `{word}`"));
    let diagnostic = diagnostic.at(source, span.clone(), "unknown verb");
    if word.eq_ignore_ascii_case("elif") || word.eq_ignore_ascii_case("elseif") {
        return diagnostic.help("write `else = [{ if = \"..\", then = [..] }]` in the `if` before it");
    }
    if let Some(table) = sentence(word) {
        return diagnostic.suggest(span, table);
    }
    // A verb that stands alone is a string.
    let quoted = source.slice(&span).starts_with(['"', '\'']);
    let shown = |verb: &str| if quoted { format!("\"{verb}\"") } else { verb.to_owned() };
    let effects: &[Effect] = match word.to_ascii_lowercase().as_str() {
        "read" | "receive" | "load" | "get" | "recv" => &[Effect::Reads, Effect::Gets],
        "write" | "store" | "send" | "put" => &[Effect::Writes, Effect::Puts],
        _ => &[],
    };
    let own = kind.and_then(|kind| kind.verbs.iter().find(|verb| effects.contains(&verb.effect)));
    let elsewhere = ELSEWHERE.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, verb)| *verb);
    match own.map(|verb| verb.name).or(elsewhere).or_else(|| nearest(word, verb_names())) {
        Some(verb) => diagnostic.suggest(span, shown(verb)),
        None => diagnostic.help("`ipcrun list` shows every verb"),
    }
}

/// The step that is meant by words as "put q 1": a table.
fn sentence(words: &str) -> Option<String> {
    let mut words = words.split_whitespace();
    let (verb, about) = (words.next()?, words.next()?);
    let verb = STEPS.iter().chain(CATALOGUE.iter().flat_map(|kind| kind.verbs)).find(|known| known.name == verb)?;
    let mut step = format!("{{ {} = \"{about}\"", verb.name);
    let mut arguments = verb.arguments.iter().filter(|argument| !matches!(argument.form, Form::Second));
    for word in words {
        let argument = arguments.find(|argument| argument.name != verb.name)?;
        let plain = word.parse::<f64>().is_ok() || matches!(word, "true" | "false");
        step +=
            &if plain { format!(", {} = {word}", argument.name) } else { format!(", {} = \"{word}\"", argument.name) };
    }
    Some(step + " }")
}

/// The verb of that name without an object.
pub fn step(name: &str) -> Option<&'static Verb> {
    STEPS.iter().find(|verb| verb.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::contract::operation::VerbId;

    #[test]
    fn a_step_is_an_operation_or_the_flow_of_the_program() {
        let flow = ["section", "let", "repeat", "forever", "while", "for", "break", "continue", "if"];
        for verb in STEPS {
            assert_eq!(VerbId::of_step(verb.name).is_none(), flow.contains(&verb.name), "{}", verb.name);
        }
        assert_eq!(STEPS.len(), VerbId::STEPS.len() + flow.len());
    }

    #[test]
    fn a_hint_is_about_a_verb() {
        for (name, _) in HINTS {
            assert!(step(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_a_verb_is_called_elsewhere_leads_to_the_verb() {
        for (name, verb) in ELSEWHERE {
            assert!(verb_names().any(|known| known == *verb), "{verb}");
            assert!(!verb_names().chain(LATER.iter().copied()).any(|known| known == *name), "{name}");
        }
        let source = Arc::new(Source::new("a.toml", "loop"));
        let told = |word| unknown(word, &source, 0..4, None).suggestion.map(|suggestion| format!("{suggestion:?}"));
        assert!(told("loop").is_some_and(|told| told.contains("forever")));
        assert!(told("aquire").is_some_and(|told| told.contains("acquire")));
        assert_eq!(told("banana"), None);
    }
}
