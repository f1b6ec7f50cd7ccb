//! What a trace file says of the machine and the moment it was made.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// What a file holds besides the plan and the trace.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Meta {
    /// `--set`, as given: name and text.
    pub set: Vec<(String, String)>,
    /// When the run began, in UTC: `2026-01-31T12:00:00.123456Z`.
    pub started: String,
    pub machine: Machine,
}

/// The machine of a run. What cannot be found out is empty or 0.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Machine {
    /// The kernel's name: `Linux`.
    pub system: String,
    /// Its release: `6.1.0-18-amd64`.
    pub release: String,
    /// The architecture: `x86_64`.
    pub architecture: String,
    /// How many CPUs the run could use.
    pub cpus: u32,
    /// The kernel's clock source. Any but `tsc` on `x86_64` makes a time stamp more than ten times slower.
    pub clocksource: String,
}

impl Meta {
    /// Of this machine, for a run that began at `started`.
    pub fn gather(set: Vec<(String, String)>, started: SystemTime) -> Self {
        let since = started.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self { set, started: rfc3339(since), machine: Machine::this() }
    }

    /// Whether the run's times are virtual: those of a run that is held to a schedule, which begins in 1970.
    pub fn is_virtual(&self) -> bool {
        self.started == rfc3339(Duration::ZERO)
    }
}

impl Machine {
    pub fn this() -> Self {
        let line = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default();
        Self {
            system: line("/proc/sys/kernel/ostype"),
            release: line("/proc/sys/kernel/osrelease"),
            architecture: std::env::consts::ARCH.to_owned(),
            cpus: std::thread::available_parallelism().map_or(0, |n| n.get() as u32),
            clocksource: line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        }
    }
}

/// A time since 1970 as a date and a time of day in UTC.
fn rfc3339(since: Duration) -> String {
    let seconds = since.as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z", since.subsec_micros())
}

/// The time since 1970 of a moment that a file says so, to the second; none for a text that is no moment.
pub fn since_epoch(started: &str) -> Option<Duration> {
    let number = |range: std::ops::Range<usize>| started.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    // By years from March on, as in `civil`.
    let (from_march, year) = if month > 2 { (month - 3, year) } else { (month + 9, year.checked_sub(1)?) };
    let day_of_year = (153 * from_march + 2) / 5 + day.checked_sub(1)?;
    let days = (365 * year + year / 4 - year / 100 + year / 400 + day_of_year).checked_sub(719_468)?;
    let seconds = number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?;
    Some(Duration::from_secs(days * 86_400 + seconds))
}

/// Year, month and day of a day since 1970. Years are counted from March, so that a leap day is the last of its year.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let date = |seconds| rfc3339(Duration::from_secs(seconds));
        assert_eq!(date(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(date(951_782_400), "2000-02-29T00:00:00.000000Z");
        assert_eq!(date(951_868_799), "2000-02-29T23:59:59.000000Z");
        assert_eq!(date(1_767_225_599), "2025-12-31T23:59:59.000000Z");
        assert_eq!(date(4_107_542_400), "2100-03-01T00:00:00.000000Z");
    }

    #[test]
    fn dates_are_read_as_they_are_written() {
        for seconds in (0..5_000_000_000).step_by(12_345_678) {
            assert_eq!(since_epoch(&rfc3339(Duration::from_secs(seconds))), Some(Duration::from_secs(seconds)));
        }
        assert_eq!([since_epoch(""), since_epoch("1969-12-31T23:59:59Z"), since_epoch("yesterday at noon")], [None; 3]);
    }

    #[test]
    fn this_machine_is_known() {
        let machine = Machine::this();
        assert_eq!(machine.system, "Linux");
        assert!(machine.cpus > 0 && !machine.release.is_empty());
    }
}
