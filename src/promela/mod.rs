//! A plan in Promela, the language of the model checker SPIN: the same states, for another tool to count.
//!
//! One state of the model is one state of SPIN's: a turn of a process is one `atomic` (`process`, and `step` for the
//! guards and effects it begins with), what a process does before its first turn is done beforehand (`begin`), and a
//! process that has ended stays where it is. The kinds of objects say for themselves what they are
//! ([`objects::promela`](crate::objects::contract::promela)). `expression` and `types` translate what is computed,
//! `statement` is the text. What cannot be said is refused with its place; nothing is left out silently.

mod begin;
mod expression;
mod process;
mod statement;
mod step;
mod types;
mod world;

use std::fmt::Write as _;

use crate::diagnostic::{Code, Diagnostic};
use crate::event::{ObjectId, ProcessId};
use crate::explore::semantics::program_analysis::has_identity;
use crate::explore::semantics::transition::Time;
use crate::objects::contract::promela::NIL;
use crate::objects::kinds::process::ProcessVerb;
use crate::scenario::plan::Plan;
use begin::beginning;
use process::Body;
use world::World;

/// How many processes SPIN takes.
const MOST_PROCESSES: usize = 255;

/// The plan as a model for SPIN.
///
/// # Errors
/// What has no translation, each with its place.
pub fn promela(plan: &Plan, time: Time) -> Result<String, Vec<Diagnostic>> {
    let mut begins = Vec::with_capacity(plan.processes.len());
    let mut problems = Vec::new();
    for process in 0..plan.processes.len() as ProcessId {
        match beginning(plan, process) {
            Some(beginning) => begins.push(beginning),
            None => {
                let message = "there is no Promela for this: the process loops before its first step";
                let span = plan.program(process).span.clone();
                problems.push(Diagnostic::error(Code::NOT_IN_PROMELA, message).at(&plan.source, span, ""));
            }
        }
    }
    if plan.processes.len() > MOST_PROCESSES {
        let message = format!("SPIN takes {MOST_PROCESSES} processes, and these are {}", plan.processes.len());
        problems.push(Diagnostic::error(Code::NOT_IN_PROMELA, message).within(&plan.source));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let world = World::new(plan, time, begins);
    let mut processes = String::new();
    let mut process = 0;
    while (process as usize) < plan.processes.len() {
        let count = alike(&world, process);
        write_processes(&world, process, count, &mut processes);
        process += count;
    }
    let mut text = head(&world);
    objects(&world, &mut text);
    shared(&world, &mut text);
    text.push_str(&processes);
    let problems = world.problems();
    if problems.is_empty() { Ok(text) } else { Err(problems) }
}

/// How many processes from this one on have one text: those of its program, unless they do different things.
fn alike(world: &World<'_>, process: ProcessId) -> u32 {
    let plan = world.plan;
    let planned = &plan.processes[process as usize];
    let program = &plan.programs[planned.program];
    let itself = program.operations().any(|operation| {
        let mut joined = operation.on_processes().filter(|(verb, _)| *verb == ProcessVerb::Join);
        joined.any(|(_, processes)| processes.contains(&program.first))
    });
    if itself || program.manual || !program.depends_on.is_empty() || has_identity(program, true, false) {
        return 1;
    }
    let same = |other: &ProcessId| {
        let other = *other as usize;
        plan.processes[other].program == planned.program
            && plan.processes[other].holds == planned.holds
            && world.begins[other] == world.begins[process as usize]
    };
    (process..plan.processes.len() as ProcessId).take_while(same).count() as u32
}

/// One text for several processes.
fn write_processes(world: &World<'_>, process: ProcessId, count: u32, text: &mut String) {
    let name = |process: ProcessId| world.plan.processes[process as usize].name.as_str();
    let comment = match count {
        1 => name(process).to_owned(),
        _ => format!("{} to {}", name(process), name(process + count - 1)),
    };
    let (active, me) = match count {
        1 => ("active".to_owned(), process.to_string()),
        _ => (format!("active [{count}]"), "_pid".to_owned()),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n/* {} */\n{active} proctype P{process}() {{", plain(&comment));
    Body::new(world, process, me).write(text);
}

/// A text that ends no comment.
fn plain(text: &str) -> String {
    crate::text::line(&text.replace("*/", "* /")).into_owned()
}

/// What stands before everything.
fn head(world: &World<'_>) -> String {
    let plan = world.plan;
    let mut text = format!("/* {}", plain(plan.name.raw()));
    if let Some(about) = &plan.about {
        let _ = write!(text, ": {}", plain(about));
    }
    text.push_str(
        "\n *\n * spin -a -o1 -o2 -o3 FILE && cc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -m1000000 -n\n *\n * \
         Without -o1 -o2 -o3 and with partial order reduction SPIN leaves states out, and counts others than the model \
         does.\n * An invalid end state is a deadlock, or a process that nobody has started. p_exit: 0 while a process \
         runs, then its\n * exit status and 1, or a signal's number below 0.",
    );
    if world.time == Time::Any {
        text.push_str("\n * Sleeps and timeouts may be over at any time.");
    }
    if !plan.expectations.is_empty() {
        text.push_str("\n * The expectations of the scenario are not part of this model:");
        for expectation in &plan.expectations {
            let line = plan.source.text[..expectation.span.start.min(plan.source.text.len())].matches('\n').count() + 1;
            let _ = write!(text, "\n *   {}:{line}", plan.source.path);
        }
    }
    let texts = world.texts.all();
    if !texts.is_empty() {
        text.push_str("\n * Texts are numbers:");
        for (at, known) in texts.iter().enumerate() {
            let _ = write!(text, " {} {};", at + 1, plain(&format!("{known:?}")));
        }
    }
    text.push_str("\n */\n");
    let _ = write!(
        text,
        "#define {NIL} (-2147483647 - 1)\n\
         #define FITS_ADD(a, b) ((b) >= 0 -> (a) <= 2147483647 - (b) : (a) >= -2147483647 - (b))\n\
         #define FITS_SUB(a, b) ((b) <= 0 -> (a) <= 2147483647 + (b) : (a) >= -2147483647 + (b))\n\
         #define FITS_MUL(a, b) ((a) >= -46340 && (a) <= 46340 && (b) >= -46340 && (b) <= 46340)\n",
    );
    text
}

/// The variables of the objects.
fn objects(world: &World<'_>, text: &mut String) {
    if !world.plan.objects.is_empty() {
        text.push('\n');
    }
    for (id, planned) in world.plan.objects.iter().enumerate() {
        let id = id as ObjectId;
        let declared = world.object(id).and_then(|object| object.declare(world.around(id)));
        match declared {
            Ok(lines) => {
                for (at, line) in lines.iter().enumerate() {
                    let comment = if at == 0 { format!(" /* {} */", plain(&planned.name)) } else { String::new() };
                    let _ = writeln!(text, "{line}{comment}");
                }
            }
            Err(why) => world.refuse_at(world.plan.groups[planned.group].span.clone(), &why),
        }
    }
}

/// What is known of the processes to each other.
fn shared(world: &World<'_>, text: &mut String) {
    let plan = world.plan;
    let count = plan.processes.len();
    text.push('\n');
    if plan.programs.iter().any(|program| program.manual) {
        let _ = writeln!(text, "bool p_begun[{count}];");
    }
    if (0..count as ProcessId).any(|process| world.says_ready(process)) {
        let _ = writeln!(text, "bool p_ready[{count}];");
    }
    let _ = writeln!(text, "short p_exit[{count}];");
}
