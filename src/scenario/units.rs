//! Durations and sizes as scenarios write them.

/// The ns of `"200ms"`, `"2s"`, `"1m30s"`, `"1.5s"`: numbers, each with its unit of `ns`, `us`, `ms`, `s`, `m`, `h`.
///
/// # Errors
/// What is wrong with the text, as half a sentence.
pub fn parse_duration(text: &str) -> Result<u64, &'static str> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("a duration is a number with its unit, as `\"200ms\"` or `\"1m30s\"`");
    }
    let mut total = 0u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| "a duration begins with a number, as `\"200ms\"`")?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = match rest[..letters].trim() {
            "ns" => 1.0,
            "us" | "µs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" | "min" => 60e9,
            "h" => 3600e9,
            "" => return Err("a unit is missing: write `ms`, `s` or `m` behind the number"),
            _ => return Err("the units of a duration are `ns`, `us`, `ms`, `s`, `m` and `h`"),
        };
        rest = &rest[letters..];
        let part = number * unit;
        // Ten years in ns stay far below u64::MAX and below what the kernel takes as a time.
        if part > 3.2e17 {
            return Err("the duration is too long");
        }
        total = total.saturating_add(part.round() as u64);
    }
    if total > 320_000_000_000_000_000 { Err("the duration is too long") } else { Ok(total) }
}

/// What a duration or size that cannot be read is likely meant to be: another spelling of its units, a comma in place of a
/// point.
pub fn meant(text: &str) -> Option<String> {
    const UNITS: &[(&str, &str)] = &[
        ("K", "KiB"),
        ("KI", "KiB"),
        ("KIB", "KiB"),
        ("M", "MiB"),
        ("MI", "MiB"),
        ("MIB", "MiB"),
        ("G", "GiB"),
        ("GI", "GiB"),
        ("GIB", "GiB"),
        ("S", "s"),
        ("SEC", "s"),
        ("SECS", "s"),
        ("SECOND", "s"),
        ("SECONDS", "s"),
        ("MS", "ms"),
        ("MSEC", "ms"),
        ("US", "us"),
        ("USEC", "us"),
        ("NS", "ns"),
        ("MINUTE", "m"),
        ("MINUTES", "m"),
        ("MINS", "m"),
        ("H", "h"),
        ("HOUR", "h"),
        ("HOURS", "h"),
    ];
    let point = text.trim().replace(',', ".");
    let digits = point.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(point.len());
    let (number, unit) = point.split_at(digits);
    let unit = unit.trim().to_ascii_uppercase();
    let unit = UNITS.iter().find(|(known, _)| *known == unit).map(|(_, unit)| *unit)?;
    let meant = format!("{number}{unit}");
    (parse_duration(&meant).is_ok() || parse_size(&meant).is_ok()).then_some(meant)
}

/// The bytes of `"64KiB"`, `"1MB"`, `"4096"`.
///
/// # Errors
/// What is wrong with the text, as half a sentence.
pub fn parse_size(text: &str) -> Result<i64, &'static str> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: i64 = text[..digits].parse().map_err(|_| "a size begins with a number, as `\"64KiB\"`")?;
    let unit: i64 = match text[digits..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err("the units of a size are `B`, `KiB`, `MiB`, `GiB`, `kB`, `MB` and `GB`"),
    };
    number.checked_mul(unit).ok_or("the size is too large")
}

/// A duration for people: `380 ns`, `1.24 ms`, `2.5 s`, `1m30s`.
pub fn show_duration(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} µs", three(ns as f64 / 1e3)),
        1_000_000..1_000_000_000 => format!("{} ms", three(ns as f64 / 1e6)),
        1_000_000_000..60_000_000_000 => format!("{} s", three(ns as f64 / 1e9)),
        _ => format!("{}m{:02}s", ns / 60_000_000_000, ns / 1_000_000_000 % 60),
    }
}

fn three(x: f64) -> String {
    if x >= 100.0 {
        format!("{x:.0}")
    } else if x >= 10.0 {
        format!("{x:.1}")
    } else {
        format!("{x:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_read_as_written() {
        assert_eq!(parse_duration("200ms"), Ok(200_000_000));
        assert_eq!(parse_duration("1m30s"), Ok(90_000_000_000));
        assert_eq!(parse_duration("0s"), Ok(0));
        assert_eq!(parse_duration("1.5s"), Ok(1_500_000_000));
        for wrong in ["", "5", "fast", "5 parsecs", "9999999999999h", "-1s", "1.2.3s"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_size("64KiB"), Ok(65_536));
        assert_eq!(parse_size("12"), Ok(12));
        assert!(parse_size("9223372036854775807GiB").is_err());
        assert!(parse_size("lots").is_err());
        assert_eq!(show_duration(1_240_000), "1.24 ms");
        assert_eq!(show_duration(90_000_000_000), "1m30s");
    }
}
