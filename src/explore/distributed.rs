//! An exploration in parts, on several machines: each writes what it has found, and all parts together say what one
//! exploration would have said.
//!
//! Several scenarios are divided whole, by what stands in them. One scenario is divided by the numbers of its single
//! executions, each of which depends on its number alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::analysis::starvation::Liveness;
use super::execution::verdicts::{Found, sign};
use super::run::{Cycles, Explored, Size};
use super::semantics::transition::Time;
use super::strategy::bfs::Cut;
use super::strategy::fallback::Coverage;
use crate::event::StepId;
use crate::scenario::plan::Plan;

/// The version of the form in which parts are written.
pub const FORMAT: u32 = 1;

/// The greatest depth of executions by priorities.
pub const DEEPEST: u32 = 16;

/// A part of an exploration.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Part {
    /// The version of its form.
    pub format: u32,
    /// Which part it is, from 0.
    pub shard: u64,
    pub shards: u64,
    /// What it has found.
    pub scenarios: Vec<Scenario>,
}

/// What was found in a scenario.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a way to explore of its own")]
pub struct Scenario {
    /// Its place among all scenarios of the exploration.
    pub place: u64,
    pub path: String,
    /// What stands in it, as [`crate::schedule::fingerprint`] has it.
    pub fingerprint: String,
    /// The parameters that were set.
    pub set: Vec<(String, String)>,
    /// The seed that was given.
    pub seed: Option<u64>,
    /// Whether a sleep or a timeout could end at any moment.
    pub any_time: bool,
    /// Whether every random number of its range could be drawn.
    #[serde(default)]
    pub any_random: bool,
    /// Whether a process could be killed from outside.
    #[serde(default)]
    pub kill: bool,
    /// How many waits could end although nothing had ended them.
    #[serde(default)]
    pub spurious: u32,
    /// Whether the end of each process is a step of its own.
    pub ends: bool,
    /// Why not every execution was explored.
    pub cut: Option<Cut>,
    /// How much there was.
    pub size: Size,
    /// The cycles of the state graph.
    pub circles: Cycles,
    /// The processes that can starve.
    #[serde(default)]
    pub liveness: Liveness,
    /// What was explored if not every state was.
    pub rungs: Vec<Coverage>,
    /// One execution of each kind.
    pub found: Vec<Found>,
    /// The look in which a sleep or a timeout may end at any moment, where what is said above is of one in which time
    /// is ideal.
    #[serde(default)]
    pub second: Option<Box<Self>>,
    /// The steps that no execution reaches, if every execution was explored.
    #[serde(default)]
    pub unreached: Option<Vec<StepId>>,
    /// The place of the file that it is from, or of the first of them.
    #[serde(skip)]
    pub part: usize,
}

impl Part {
    /// Notes the place of its file among all, and looks at its numbers.
    ///
    /// # Errors
    /// What cannot be so, as half a sentence.
    pub fn place(&mut self, part: usize) -> Result<(), String> {
        // The sum over all parts saturates; no search comes near it.
        const MOST: u64 = 1 << 44;
        let mut left: Vec<&mut Scenario> = self.scenarios.iter_mut().collect();
        while let Some(scenario) = left.pop() {
            scenario.part = part;
            for found in &mut scenario.found {
                found.part = part;
                if !(1..MOST).contains(&found.number) || !(1..MOST).contains(&found.times) {
                    return Err(format!("`{}` has an execution without a number that can be", scenario.path));
                }
            }
            let deep = |rung: &Coverage| matches!(rung, Coverage::Walks(walks) if walks.depth > DEEPEST);
            if scenario.rungs.iter().any(deep) {
                return Err(format!("`{}` was explored to a depth of more than {DEEPEST}", scenario.path));
            }
            left.extend(scenario.second.as_deref_mut());
        }
        Ok(())
    }
}

impl Scenario {
    /// Whether it can be of this plan, as far as that is seen without following its executions.
    pub fn fits(&self, plan: &Plan) -> bool {
        match &self.liveness {
            Liveness::Known(starved) => starved.iter().all(|one| (one.process as usize) < plan.processes.len()),
            Liveness::Ends | Liveness::Unknown => true,
        }
    }

    /// The explorations, one for each look, of which only is missing what is said of them: see [`super::run::again`].
    pub fn explored(self) -> Vec<Explored> {
        let mut looks = Vec::new();
        let mut next = Some(self);
        while let Some(Self { any_time, ends, cut, size, circles, liveness, rungs, found, second, unreached, .. }) =
            next
        {
            let time = if any_time { Time::Any } else { Time::Virtual };
            looks.push(Explored {
                cut,
                size,
                circles,
                liveness,
                rungs,
                found,
                ends,
                time,
                unreached,
                ..Explored::default()
            });
            next = second.map(|second| *second);
        }
        looks
    }

    /// Adds another part of the same.
    fn join(&mut self, other: Self) {
        self.ends |= other.ends;
        if matches!(self.cut, Some(Cut::Chosen) | None) {
            self.cut = other.cut;
        }
        self.size.elapsed = self.size.elapsed.saturating_add(other.size.elapsed);
        for (rung, other) in self.rungs.iter_mut().zip(&other.rungs) {
            if let (Coverage::Walks(walks), Coverage::Walks(other)) = (rung, other) {
                walks.join(other);
            }
        }
        let mut kinds: BTreeMap<u64, Found> = BTreeMap::new();
        for found in self.found.drain(..).chain(other.found) {
            match kinds.get_mut(&found.kind) {
                None => {
                    kinds.insert(found.kind, found);
                }
                Some(known) => known.join(found),
            }
        }
        self.found = kinds.into_values().collect();
        self.found.sort_by_key(|found| found.number);
        if let (Some(own), Some(other)) = (&mut self.second, other.second) {
            own.join(*other);
        }
    }
}

/// Which part a scenario belongs to that is not divided itself.
pub fn owner(fingerprint: &str, shards: u64) -> u64 {
    sign(fingerprint) % shards.max(1)
}

/// What all parts have found together, in the order of the scenarios.
///
/// # Errors
/// What is wrong with the parts, as half a sentence: one is missing or there twice, or they are not of one exploration.
pub fn merge(parts: Vec<Part>) -> Result<Vec<Scenario>, String> {
    let shards = parts.first().map_or(0, |part| part.shards);
    let mut there = vec![false; shards.min(1 << 16) as usize];
    let mut all: BTreeMap<u64, Scenario> = BTreeMap::new();
    for part in parts {
        if part.format != FORMAT {
            return Err(format!("a part has the form {}, and this ipcrun reads {FORMAT}", part.format));
        }
        if part.shards != shards {
            return Err(format!("one is part of {shards} and another part of {}", part.shards));
        }
        match there.get_mut(part.shard as usize) {
            Some(there) if !*there => *there = true,
            _ => return Err(format!("part {} is there twice, or there is no such part of {shards}", part.shard + 1)),
        }
        for scenario in part.scenarios {
            match all.get_mut(&scenario.place) {
                None => {
                    all.insert(scenario.place, scenario);
                }
                Some(known) if known.fingerprint == scenario.fingerprint => known.join(scenario),
                Some(known) => return Err(format!("`{}` is not the same in all of them", known.path)),
            }
        }
    }
    if let Some(missing) = there.iter().position(|there| !there) {
        return Err(format!("part {} of {shards} is missing", missing + 1));
    }
    Ok(all.into_values().collect())
}

/// Steps as a text: `0 1:2 0d t` are a step of process 0, one of process 1 in which 2 is chosen, the death of process 0
/// (`0k`: from outside), and the passing of time.
pub(super) mod steps {
    use std::fmt::Write as _;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::explore::semantics::transition::Kind;
    use crate::explore::semantics::transition::Step;
    use crate::explore::state_space::NONE;

    pub(crate) fn serialize<S: Serializer>(path: &[Step], serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::new();
        for step in path {
            if !text.is_empty() {
                text.push(' ');
            }
            let _ = match step.kind {
                Kind::Tick => write!(text, "t"),
                Kind::Go => write!(text, "{}", step.process),
                Kind::GiveUp => write!(text, "{}g", step.process),
                Kind::Die => write!(text, "{}d", step.process),
                Kind::Kill => write!(text, "{}k", step.process),
                Kind::Wake => write!(text, "{}w", step.process),
                Kind::Arrive => write!(text, "{}a", step.process),
                Kind::Handle => write!(text, "{}h", step.process),
            };
            for choice in &step.choices {
                let _ = write!(text, ":{choice}");
            }
        }
        serializer.serialize_str(&text)
    }

    pub(crate) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Vec<Step>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let step = |word: &str| {
            let mut parts = word.split(':');
            let head = parts.next()?;
            let choices = parts.map(|choice| choice.parse().ok()).collect::<Option<Vec<u32>>>()?;
            let (number, kind) = match head.as_bytes().last()? {
                b't' if head == "t" && choices.is_empty() => {
                    return Some(Step { process: NONE, kind: Kind::Tick, choices });
                }
                b'g' => (&head[..head.len() - 1], Kind::GiveUp),
                b'd' => (&head[..head.len() - 1], Kind::Die),
                b'k' => (&head[..head.len() - 1], Kind::Kill),
                b'w' => (&head[..head.len() - 1], Kind::Wake),
                b'a' => (&head[..head.len() - 1], Kind::Arrive),
                b'h' => (&head[..head.len() - 1], Kind::Handle),
                _ => (head, Kind::Go),
            };
            Some(Step { process: number.parse().ok()?, kind, choices })
        };
        text.split_whitespace()
            .map(|word| step(word).ok_or_else(|| D::Error::custom(format!("`{word}` is no step"))))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::run::{Options, again, explore};
    use crate::explore::strategy::fallback::{FallbackOptions, Strategy};
    use crate::explore::tests::{lost_update, philosophers, plan};

    fn scenario(plan: &Plan, explored: Explored) -> Scenario {
        let Explored { cut, size, circles, liveness, rungs, found, ends, unreached, .. } = explored;
        Scenario {
            place: 0,
            path: "p.toml".to_owned(),
            fingerprint: crate::schedule::fingerprint(plan, &crate::explore::run::told_apart(plan)),
            set: Vec::new(),
            seed: None,
            any_time: false,
            any_random: false,
            kill: false,
            spurious: 0,
            ends,
            cut,
            size,
            circles,
            liveness,
            rungs,
            found,
            second: None,
            unreached,
            part: 0,
        }
    }

    fn explored(plan: &Plan, strategy: Strategy, shard: (u64, u64)) -> Explored {
        let beyond = FallbackOptions { runs: 1000, shard, keep: true, ..FallbackOptions::default() };
        explore(plan, &Options { strategy, beyond, ..Options::default() }, &mut |_| true).expect("it ends")
    }

    fn told(explored: &Explored) -> String {
        let words: Vec<String> = explored.rungs.iter().flat_map(Coverage::words).collect();
        let stories: Vec<_> = explored.stories.iter().map(|story| (story.run, &story.path)).collect();
        let Size { states, edges, ends, depth, .. } = explored.size;
        format!(
            "{:?} {:?} {words:?} {stories:?} {:?} {:?} {states} {edges} {ends} {depth}",
            explored.summary, explored.cut, explored.circles, explored.liveness
        )
    }

    /// Writes the parts, reads them and puts them together.
    fn merged(plan: &Plan, parts: Vec<Explored>) -> Explored {
        let shards = parts.len() as u64;
        let parts = parts.into_iter().zip(0..).map(|(explored, shard)| {
            let part = Part { format: FORMAT, shard, shards, scenarios: vec![scenario(plan, explored)] };
            let text = serde_json::to_string(&part).expect("it can be written");
            serde_json::from_str(&text).expect("it can be read")
        });
        let merged = merge(parts.collect()).expect("they belong together").remove(0);
        again(plan, Time::Virtual.into(), merged.explored().remove(0)).expect("it can be followed")
    }

    #[test]
    fn four_parts_say_what_one_exploration_says() {
        let expect = "[[expect]]\nfinal = \"money == 6\"\n[[expect]]\nfinal = \"money == 2\"\nholds = \"sometimes\"\n";
        for text in [lost_update(2, 3) + expect, philosophers(4, false, false), philosophers(3, false, true)] {
            let plan = plan(&text);
            for strategy in [Strategy::Random, Strategy::Pct] {
                let whole = explored(&plan, strategy, (0, 1));
                let parts = (0..4).map(|shard| explored(&plan, strategy, (shard, 4))).collect();
                assert_eq!(told(&merged(&plan, parts)), told(&whole));
                assert_eq!(told(&merged(&plan, vec![whole])), told(&explored(&plan, strategy, (0, 1))));
            }
        }
    }

    #[test]
    fn a_scenario_that_is_not_divided_says_the_same_from_its_part() {
        for text in [lost_update(2, 2), philosophers(3, true, true)] {
            let plan = plan(&text);
            let whole = explored(&plan, Strategy::Full, (0, 1));
            let again = merged(&plan, vec![explored(&plan, Strategy::Full, (0, 1))]);
            assert_eq!(told(&again), told(&whole));
        }
    }

    #[test]
    fn a_part_that_knows_nothing_of_who_is_starved_can_be_read() {
        let plan = plan(&lost_update(2, 2));
        let mut written = serde_json::to_value(scenario(&plan, explored(&plan, Strategy::Full, (0, 1)))).expect("JSON");
        written.as_object_mut().expect("an object").remove("liveness").expect("it is there");
        let read: Scenario = serde_json::from_value(written).expect("it can be read");
        assert_eq!(read.explored()[0].liveness, Liveness::Ends);
    }

    #[test]
    fn a_word_is_a_step_only_as_it_is_written() {
        let found = |path: &str| {
            let found = Found { number: 1, times: 1, kind: 0, path: Vec::new(), stem: None, ended: true, part: 0 };
            let mut written = serde_json::to_value(found).expect("JSON");
            written["path"] = path.into();
            serde_json::from_value::<Found>(written).map(|found| found.path.len())
        };
        assert_eq!(found("0 1:2 0d:1 t 1k 1g").ok(), Some(6));
        for word in ["1addt", "1t", "t:1", "tt", "d", "-1", "1:", "1:a", "1x", "99999999999"] {
            let error = found(&format!("0 {word}")).expect_err(word).to_string();
            assert!(error.contains(&format!("`{word}` is no step")), "{error}");
        }
    }

    #[test]
    fn a_part_that_says_what_is_not_so_is_named() {
        let plan = plan(&(lost_update(2, 2) + "[[expect]]\nfinal = \"money == 4\"\n"));
        let whole = || {
            let mut explored = explored(&plan, Strategy::Random, (0, 1));
            explored.found.iter_mut().for_each(|found| found.part = 7);
            explored
        };
        assert!(again(&plan, Time::Virtual.into(), whole()).is_ok());
        let damages: [fn(&mut Found); 6] = [
            |found| found.path.truncate(found.path.len() - 1),
            |found| drop(found.path.remove(1)),
            |found| found.path.push(found.path[0].clone()),
            |found| found.kind ^= 1,
            |found| found.ended = false,
            |found| found.stem = Some(1000),
        ];
        for (at, damage) in damages.iter().enumerate() {
            let mut explored = whole();
            explored.found.iter_mut().for_each(damage);
            let end = again(&plan, Time::Virtual.into(), explored).map(|_| ());
            assert!(matches!(end, Err(crate::explore::execution::verdicts::Fault::Part(7))), "{at}: {end:?}");
        }
    }

    #[test]
    fn a_part_with_numbers_that_cannot_be_is_refused() {
        let plan = plan(&lost_update(2, 2));
        let part = || {
            let scenarios = vec![scenario(&plan, explored(&plan, Strategy::Pct, (0, 1)))];
            Part { format: FORMAT, shard: 0, shards: 1, scenarios }
        };
        assert_eq!(part().place(3), Ok(()));
        let damages: [fn(&mut Scenario); 4] = [
            |one| one.found[0].number = u64::MAX,
            |one| one.found[0].number = 0,
            |one| one.found[0].times = u64::MAX,
            |one| {
                one.rungs.iter_mut().for_each(|rung| {
                    if let Coverage::Walks(walks) = rung {
                        walks.depth = u32::MAX;
                    }
                });
            },
        ];
        for damage in damages {
            let mut part = part();
            damage(&mut part.scenarios[0]);
            assert!(part.place(3).is_err());
        }
        let starved =
            |process| Liveness::Known(vec![crate::explore::analysis::starvation::Starved { process, strongly: true }]);
        assert!(Scenario { liveness: starved(1), ..part().scenarios.remove(0) }.fits(&plan));
        assert!(!Scenario { liveness: starved(2), ..part().scenarios.remove(0) }.fits(&plan));
    }

    #[test]
    fn parts_that_do_not_belong_together_are_refused() {
        let part = |shard, shards| Part { format: FORMAT, shard, shards, scenarios: Vec::new() };
        assert_eq!(merge(vec![part(0, 2)]).err().as_deref(), Some("part 2 of 2 is missing"));
        assert!(merge(vec![part(0, 2), part(0, 2)]).is_err());
        assert!(merge(vec![part(0, 2), part(1, 3)]).is_err());
        assert!(merge(vec![part(1, 2), part(0, 2)]).is_ok());
    }
}
