//! What is measured of the explorer: a function for each kind of row.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::problems::Problem;
use super::{Kit, Line, Report, cores, fuzz, goal, replay, shards, shuttle, spin};
use crate::table::time;

/// The names of the rows.
pub(super) const NAMES: [&str; 11] = [
    "explore-speed",
    "explore-memory",
    "explore-states",
    "explore-first-bug",
    "explore-shortest",
    "explore-walk",
    "explore-replay",
    "explore-fuzz",
    "explore-cores",
    "explore-shards",
    "explore-shuttle",
];

/// The problems by which speed is measured.
const SPEED_PROBLEMS: [Problem; 3] = [Problem::Semaphore(12), Problem::Ordered(10), Problem::LostUpdate(4, 3)];
/// At least that many times SPIN's states in a second of CPU time.
const SPEED: f64 = 3.0;
/// At most that many bytes of a state.
const MEMORY: f64 = 20.0;
/// A figure of memory is of at least that many states.
const MANY: f64 = 1e6;
/// Random steps in a second of CPU time.
const STEPS: f64 = 10e6;
/// From start to end of the command that finds a bug, in ns.
const COMMAND: f64 = 30e6;
/// The same without the process, its scenario and its report, in ns.
const INSIDE: f64 = 1e6;
/// The shortest schedule, in ns.
const SHORTEST: f64 = 100e6;
/// A hundred workers, in ns.
const HUNDRED: f64 = 50e6;

/// Measures those that are asked for.
pub(super) fn all(kit: &Kit<'_>, report: &mut Report) {
    let wants = |place: usize| kit.options.wants(NAMES[place]);
    let begin = |name: &str| eprintln!("{name}");
    if wants(0) || wants(1) {
        begin(NAMES[0]);
        for problem in SPEED_PROBLEMS {
            report.take(NAMES[0], speed(kit, problem));
        }
    }
    if wants(2) {
        begin(NAMES[2]);
        for (problem, most) in counts() {
            report.take(NAMES[2], states(kit, problem, most));
        }
    }
    if wants(3) {
        begin(NAMES[3]);
        report.take(NAMES[3], first_bugs(kit));
    }
    if wants(4) {
        begin(NAMES[4]);
        report.take(NAMES[4], shortest(kit));
    }
    if wants(5) {
        begin(NAMES[5]);
        for problem in [Problem::LostUpdate(3, 3), Problem::Naive(5)] {
            report.take(NAMES[5], walks(kit, problem));
        }
    }
    if wants(6) {
        begin(NAMES[6]);
        report.take(NAMES[6], replay::row(kit));
    }
    if wants(7) {
        begin(NAMES[7]);
        report.take(NAMES[7], fuzz::row(kit));
    }
    if wants(8) {
        begin(NAMES[8]);
        for problem in SPEED_PROBLEMS {
            report.take(NAMES[8], cores::row(kit, NAMES[8], problem, false));
        }
        report.take(NAMES[8], cores::row(kit, NAMES[8], Problem::LostUpdate(3, 3), true));
    }
    if wants(9) {
        begin(NAMES[9]);
        report.take(NAMES[9], shards::row(kit, NAMES[9], Problem::Ordered(5)));
    }
    if wants(10) {
        begin(NAMES[10]);
        report.take(NAMES[10], shuttle::row(kit, NAMES[10]));
    }
}

/// The problems whose number of states is known, with the most there may be after the reductions.
fn counts() -> Vec<(Problem, u32)> {
    let mut counts: Vec<_> = [10, 20, 100].map(|workers| (Problem::Semaphore(workers), 3 * workers + 1)).into();
    counts.extend([(Problem::Ordered(16), 19_100), (Problem::Forever(10), 250)]);
    counts.extend([6, 100].map(|items| (Problem::Queue(items), 2 * items + 1)));
    counts
}

/// A number with its thousands apart.
fn count(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn rate(number: f64) -> String {
    if number < 1e6 { format!("{:.0} k/s", number / 1e3) } else { format!("{:.2} M/s", number / 1e6) }
}

/// SPIN's program for a problem, with its states counted.
fn pan(kit: &Kit<'_>, problem: Problem, options: &[&str]) -> Result<PathBuf, String> {
    let spin = kit.spin.as_ref().map_err(Clone::clone)?;
    let (file, definitions) = problem.model().ok_or("there is no model for SPIN")?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/promela").join(file);
    let model = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    spin.build(&problem.name(), &model, &definitions, options)
}

/// Every state of a problem: how many in a second of CPU time, and the memory that they take.
fn speed(kit: &Kit<'_>, problem: Problem) -> Result<Vec<Line>, String> {
    let pan = pan(kit, problem, &["-O2", "-DSAFETY", "-DNOREDUCE"]);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut kept, mut resident) = (0.0, [0.0, 0.0]);
    let (mut states, mut counted) = (0.0, 0.0);
    for _ in 0..kit.runs() {
        let said = kit.ours(&["search", &problem.name(), "full"])?;
        states = said.number("states")?;
        kept = said.number("bytes")?;
        resident[0] = said.number("resident")?;
        ours.push(said.number("cpu")?);
        if let Ok(pan) = &pan {
            let said = kit.watched(&[&pan.to_string_lossy(), "-m100000", "-w22"])?;
            counted = spin::states(&said.0)?;
            resident[1] = said.number("resident")?;
            theirs.push(said.number("cpu")?);
        }
    }
    if pan.is_ok() && counted.total_cmp(&states).is_ne() {
        return Err(format!("{}: {states} states, but {counted} of SPIN", problem.about()));
    }
    let least = |runs: &[f64]| runs.iter().copied().min_by(f64::total_cmp);
    let speed = |runs: &[f64]| least(runs).map(|ns| states / (ns / 1e9));
    let (mine, other) = (speed(&ours), speed(&theirs));
    let ratio = mine.zip(other).map(|(mine, other)| mine / other);
    let missing = pan.err();
    let about = format!("{}: {} states", problem.about(), count(states));
    let mut lines = vec![Line {
        name: "explore-speed".to_owned(),
        about: about.clone(),
        ours: mine.map(rate).unwrap_or_default(),
        theirs: other.map(rate).or_else(|| missing.clone()).unwrap_or_default(),
        result: ratio.map(|ratio| format!("{ratio:.2} x SPIN's")).unwrap_or_default(),
        goal: ratio.map_or_else(|| format!("{SPEED} x"), |ratio| goal(&format!("{SPEED} x"), ratio >= SPEED)),
    }];
    if states >= MANY {
        let [mine, other] = resident.map(|bytes: f64| bytes / states);
        let theirs = missing.unwrap_or_else(|| format!("{other:.1} B"));
        lines.push(Line {
            name: "explore-memory".to_owned(),
            about: format!("{about}, reserved for them"),
            result: format!("{:.1} B a state", kept / states),
            ..Line::default()
        });
        lines.push(Line {
            name: "explore-memory".to_owned(),
            about: format!("{about}, peak of the process"),
            ours: format!("{mine:.1} B"),
            theirs,
            result: format!("{mine:.1} B a state"),
            goal: goal(&format!("{MEMORY} B"), mine <= MEMORY),
        });
    }
    Ok(lines)
}

/// How many states are left by the reductions, beside what SPIN's own reduction leaves.
fn states(kit: &Kit<'_>, problem: Problem, most: u32) -> Result<Vec<Line>, String> {
    let name = problem.name();
    let mut took = f64::INFINITY;
    let mut found = 0.0;
    for _ in 0..kit.runs() {
        let said = kit.ours(&["search", &name, "reduced"])?;
        found = said.number("states")?;
        took = took.min(said.number("took")?);
    }
    // What has too many states for SPIN is not tried.
    let small = matches!(problem, Problem::Semaphore(10) | Problem::Forever(_));
    let theirs = if small {
        match pan(kit, problem, &["-O2", "-DSAFETY"]) {
            Ok(pan) => count(spin::states(&kit.watched(&[&pan.to_string_lossy(), "-m100000", "-w22"])?.0)?),
            Err(missing) => missing,
        }
    } else {
        String::new()
    };
    let line = Line {
        name: NAMES[2].to_owned(),
        about: problem.about(),
        ours: count(found),
        theirs,
        result: format!("{} states in {}", count(found), time(took)),
        goal: goal(&count(f64::from(most)), found <= f64::from(most)),
    };
    let timed = matches!(problem, Problem::Semaphore(100)).then(|| Line {
        name: NAMES[2].to_owned(),
        about: format!("{}, time", problem.about()),
        result: time(took),
        goal: goal(&time(HUNDRED), took <= HUNDRED),
        ..Line::default()
    });
    Ok([line].into_iter().chain(timed).collect())
}

/// How long the command takes that finds a bug and tells its story, and SPIN from model to error.
fn first_bugs(kit: &Kit<'_>) -> Result<Vec<Line>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/classics");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with("-broken.toml"));
    files.sort();
    let mut lines = Vec::new();
    let mut worst = (0.0, String::new());
    let mut inside = (0.0, String::new());
    for path in files {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let file = path.to_string_lossy();
        let mut least = f64::INFINITY;
        let mut spent = f64::INFINITY;
        for _ in 0..kit.runs() * 3 {
            let begin = Instant::now();
            let output = Command::new(&kit.ipcrun)
                .args(["explore", &file])
                .output()
                .map_err(|error| format!("{}: {error}", kit.ipcrun.display()))?;
            least = least.min(begin.elapsed().as_nanos() as f64);
            if !matches!(output.status.code(), Some(0 | 1)) {
                return Err(format!("{file}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
            }
        }
        for _ in 0..kit.runs() {
            let said = kit.ours(&["story", &file])?;
            spent = spent.min(said.number("explored")? + said.number("told").unwrap_or(0.0));
        }
        if least > worst.0 {
            worst = (least, name.clone());
        }
        if spent > inside.0 {
            inside = (spent, name.clone());
        }
        lines.push(Line {
            name: NAMES[3].to_owned(),
            about: name.clone(),
            ours: format!("{} (inside {})", time(least), time(spent)),
            theirs: spun(kit, &name, &file).unwrap_or_else(|missing| missing),
            result: time(least),
            goal: goal(&time(COMMAND), least <= COMMAND),
        });
    }
    for (about, (took, name), most) in [("the worst of them", worst, COMMAND), ("the worst inside", inside, INSIDE)] {
        lines.push(Line {
            name: NAMES[3].to_owned(),
            about: about.to_owned(),
            ours: name,
            result: time(took),
            goal: goal(&time(most), took <= most),
            ..Line::default()
        });
    }
    Ok(lines)
}

/// What SPIN takes for the same, from the model that ipcrun writes: to translate, to compile and to search.
fn spun(kit: &Kit<'_>, name: &str, file: &str) -> Result<String, String> {
    let spin = kit.spin.as_ref().map_err(Clone::clone)?;
    let model = spin::run(Command::new(&kit.ipcrun).args(["explore", "--emit", "promela", file]));
    let Ok(model) = model else { return Ok("not in Promela".to_owned()) };
    let begin = Instant::now();
    let pan = spin.build(name, &model, &[], &["-O0", "-DSAFETY"])?;
    spin::run(Command::new(pan).args(["-m100000", "-w16"]).current_dir(spin.folder(name)?))?;
    Ok(time(begin.elapsed().as_nanos() as f64))
}

/// The execution with the fewest switches that deadlocks.
fn shortest(kit: &Kit<'_>) -> Result<Vec<Line>, String> {
    let problem = Problem::Condition;
    let mut took = f64::INFINITY;
    let mut said = kit.ours(&["story", &problem.name()])?;
    for _ in 0..kit.runs() {
        said = kit.ours(&["story", &problem.name()])?;
        took = took.min(said.number("told")?);
    }
    let (switches, steps) = (said.number("switches")?, said.number("steps")?);
    let proven = if said.number("fewest")? > 0.0 { "" } else { ", not proven" };
    let theirs = match pan(kit, problem, &["-O2", "-DSAFETY", "-DREACH"]) {
        Ok(pan) => {
            // pan leaves a trail where it runs.
            let folder = pan.parent().unwrap_or(&kit.folder);
            let first = spin::run(Command::new(&pan).args(["-m100000", "-w16"]).current_dir(folder))?;
            let short = spin::run(Command::new(&pan).args(["-m100000", "-w16", "-i"]).current_dir(folder))?;
            let step = |said: &str| spin::steps(said).map_or_else(|| "none".to_owned(), |steps| steps.to_string());
            format!("{} steps, with -i {}", step(&first), step(&short))
        }
        Err(missing) => missing,
    };
    Ok(vec![Line {
        name: NAMES[4].to_owned(),
        about: format!("{}: {} states", problem.about(), count(said.number("states")?)),
        ours: format!("{switches} switches, {steps} steps{proven}"),
        theirs,
        result: time(took),
        goal: goal(&time(SHORTEST), took <= SHORTEST),
    }])
}

fn walks(kit: &Kit<'_>, problem: Problem) -> Result<Vec<Line>, String> {
    let runs = if kit.options.quick { "200000" } else { "1000000" };
    let mut best = (0.0, 0.0);
    for _ in 0..kit.runs() {
        let said = kit.ours(&["walk", &problem.name(), runs])?;
        let seconds = said.number("spent")? / 1e9;
        let steps = said.number("steps")? / seconds;
        if steps > best.0 {
            best = (steps, said.number("walks")? / seconds);
        }
    }
    Ok(vec![Line {
        name: NAMES[5].to_owned(),
        about: problem.about(),
        ours: format!("{} executions", rate(best.1)),
        result: format!("{} steps", rate(best.0)),
        goal: goal(&rate(STEPS), best.0 >= STEPS),
        ..Line::default()
    }])
}
