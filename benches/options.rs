//! The command line of the benchmarks.

use std::path::PathBuf;

/// What to measure, and how often.
#[derive(Debug)]
pub(crate) struct Options {
    /// A tenth of the rounds and few runs.
    pub(crate) quick: bool,
    /// Runs of each side.
    pub(crate) runs: usize,
    /// Whether processes on the one CPU run as `SCHED_FIFO`, which keeps other load away.
    pub(crate) realtime: bool,
    /// Another ipcrun than the one that was built for this.
    pub(crate) with: Option<PathBuf>,
    /// Parts of names; every row where there are none.
    names: Vec<String>,
}

const USAGE: &str = "usage: cargo bench [-- [--quick] [--runs N] [--realtime] [--with IPCRUN] [NAME..]]\n\
    NAME is a part of a row's name; --realtime runs the processes as SCHED_FIFO, which takes root;\n\
    --with measures another build of ipcrun";

impl Options {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { quick: false, runs: 0, realtime: false, with: None, names: Vec::new() };
        while let Some(word) = words.next() {
            match word.as_str() {
                // cargo says so itself.
                "--bench" => {}
                "--quick" => options.quick = true,
                "--realtime" => options.realtime = true,
                "--with" => options.with = Some(words.next().ok_or(USAGE)?.into()),
                "--runs" => {
                    let runs = words.next().and_then(|word| word.parse().ok()).filter(|runs| *runs > 0);
                    options.runs = runs.ok_or(USAGE)?;
                }
                option if option.starts_with('-') => return Err(USAGE.to_owned()),
                name => options.names.push(name.to_owned()),
            }
        }
        if options.runs == 0 {
            options.runs = if options.quick { 3 } else { 11 };
        }
        Ok(options)
    }

    /// Whether the row of that name is asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|part| name.contains(part.as_str()))
    }
}
