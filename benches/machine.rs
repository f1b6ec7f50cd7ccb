//! What the figures were measured on.

use std::fs;
use std::path::Path;

use crate::programs::Kit;

/// The lines above the table.
pub(crate) fn describe(kit: &Kit) -> String {
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let virtual_machine = fs::read_to_string("/proc/cpuinfo")
        .is_ok_and(|text| text.lines().any(|line| line.starts_with("flags") && line.contains(" hypervisor")));
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok())
        .map_or(String::new(), |kb| format!(", {:.0} GiB", kb as f64 / f64::from(1 << 20)));
    let kernel = line("/proc/sys/kernel/osrelease");
    let clock = line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    let mut lines = vec![
        format!("machine:  {model}, {cpus} CPUs{memory}{}", if virtual_machine { ", a virtual machine" } else { "" }),
        format!("kernel:   Linux {kernel}, clock {clock}, load {}", load()),
        format!("against:  {}", kit.versions()),
        format!("place:    the processes of both sides on CPU {}{}", kit.cpu, kit.policy()),
    ];
    lines.push(String::new());
    lines.join("\n")
}

/// The load of the last 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    line("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn line(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// The value of a `name: value` line.
pub(crate) fn field(path: impl AsRef<Path>, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
