//! What an exploration assumes of the world, in one line and as JSON.

use serde_json::{Value as Json, json};

use crate::explore::semantics::transition::{Nondeterminism, Time};

/// What an exploration assumes.
#[derive(Clone, Debug)]
pub struct Assumptions {
    /// How time passes in each look.
    pub times: Vec<Time>,
    /// Whether time can pass at all.
    pub timed: bool,
    /// What was left open besides the order of steps.
    pub leeway: Nondeterminism,
}

impl Assumptions {
    /// By what they are about.
    fn all(&self) -> [(&'static str, String); 6] {
        let time = match self.times.as_slice() {
            _ if !self.timed => "none passes".to_owned(),
            [Time::Virtual] => "ideal, it passes only when nothing else can move".to_owned(),
            [Time::Any] => "any sleep and any timeout may end at any moment".to_owned(),
            _ => "ideal and any, both explored".to_owned(),
        };
        let wakes = match self.leeway.spurious {
            0 => "only by a notification".to_owned(),
            1 => "one wait may return for nothing".to_owned(),
            most => format!("up to {most} waits may return for nothing"),
        };
        let deaths = if self.leeway.kill { "one process killed at any point" } else { "only by steps" };
        [
            ("memory", "sequentially consistent".to_owned()),
            ("time", time),
            ("processors", "no CPUs, no priorities".to_owned()),
            ("wake-ups", wakes),
            ("deaths", deaths.to_owned()),
            ("failures", "calls succeed".to_owned()),
        ]
    }

    pub fn words(&self) -> String {
        let all = self.all().map(|(about, what)| format!("{about}: {what}"));
        format!("assumes {}", all.join("; "))
    }

    pub fn json(&self) -> Json {
        let times: Vec<&str> = self.times.iter().map(|time| time.word()).collect();
        let mut document: serde_json::Map<String, Json> =
            self.all().into_iter().map(|(about, what)| (about.replace('-', ""), Json::from(what))).collect();
        document.insert("time".to_owned(), json!(if self.timed { times } else { Vec::new() }));
        Json::Object(document)
    }
}
