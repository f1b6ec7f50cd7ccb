//! `cargo bench`: what ipcrun costs, as ratios to programs in C and in Python that do the same, measured side by side.
//!
//! ```text
//! cargo bench [-- [--quick] [--runs N] [--realtime] [--with IPCRUN] [NAME..]]
//! ```
//!
//! The rows of `explore` are of the explorer, beside SPIN.
//!
//! The sides of a row run in turn, one run each, so that whatever else the machine does falls on both. Speed is shown,
//! not tested: the exit status is 1 only where a program failed.

mod contest;
mod crowd;
mod explore;
mod machine;
mod options;
mod programs;
mod rows;
mod table;

use std::process::ExitCode;

use contest::Outcome;
use options::Options;
use programs::Kit;
use table::Table;

fn main() -> ExitCode {
    if let Some(status) = explore::be(std::env::args().skip(1)) {
        return status;
    }
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let kit = match Kit::prepare(options.realtime, options.with.clone()) {
        Ok(kit) => kit,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    println!("{}", machine::describe(&kit));
    let mut table = Table::default();
    let mut failures = Vec::new();
    for row in rows::all() {
        if !options.wants(row.name) {
            continue;
        }
        eprintln!("{}", row.name);
        match contest::run(&row, &kit, &options) {
            Outcome::Measured(results) => results.iter().for_each(|result| table.add(&row, result)),
            Outcome::Skipped(reason) => table.skip(&row, &reason),
            Outcome::Failed(reason) => {
                table.skip(&row, "failed, see below");
                failures.push(format!("{}: {reason}", row.name));
            }
        }
    }
    print!("{table}");
    if options.wants(crowd::NAME) {
        eprintln!("{}", crowd::NAME);
        match crowd::run(&kit, if options.quick { 2_000 } else { 10_000 }) {
            Ok(line) => println!("\n{line}"),
            Err(reason) => failures.push(format!("{}: {reason}", crowd::NAME)),
        }
    }
    if explore::wanted(&options) {
        let mut report = explore::run(&options, kit.ipcrun());
        println!("\n{report}");
        failures.append(&mut report.failures);
    }
    println!("\nload at the end: {}", machine::load());
    for failure in &failures {
        eprintln!("\nfailed: {failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
