//! Ten thousand processes in one scenario: whether it runs, how long it takes and the memory it needs.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::machine::field;
use crate::programs::{Kit, Side};
use crate::table::time;

pub(crate) const NAME: &str = "crowd-10000";

/// Runs it once, watching.
pub(crate) fn run(kit: &Kit, processes: u64) -> Result<String, String> {
    let mut command = kit.scenario("crowd", Some(processes), Side::Full);
    let before = kilobytes("/proc/meminfo", "MemAvailable");
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let (mut own, mut available) = (0, before);
    let status = loop {
        match child.try_wait() {
            Ok(None) => {}
            Ok(Some(status)) => break status,
            Err(error) => return Err(error.to_string()),
        }
        own = own.max(kilobytes(&format!("/proc/{}/status", child.id()), "VmHWM"));
        available = available.min(kilobytes("/proc/meminfo", "MemAvailable"));
        std::thread::sleep(Duration::from_millis(10));
    };
    let took = began.elapsed().as_nanos() as f64;
    match status.code() {
        Some(0) => {}
        Some(3) => {
            let said = child.wait_with_output().map_err(|error| error.to_string())?;
            return Ok(format!("{processes} processes: this host refuses\n{}", String::from_utf8_lossy(&said.stderr)));
        }
        _ => {
            let said = child.wait_with_output().map_err(|error| error.to_string())?;
            return Err(format!("{command:?} ended with {status}\n{}", String::from_utf8_lossy(&said.stderr)));
        }
    }
    Ok(format!(
        "{processes} processes in one scenario: {} from start to exit, {} each; the supervisor had {} MiB at most, and \
         the machine {} MiB less at the worst moment ({} KiB a process)",
        time(took),
        time(took / processes as f64),
        own / 1024,
        before.saturating_sub(available) / 1024,
        before.saturating_sub(available) / processes,
    ))
}

fn kilobytes(path: &str, name: &str) -> u64 {
    field(path, name).and_then(|text| text.trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
