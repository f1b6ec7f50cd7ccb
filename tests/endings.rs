//! The end of a run is the end for all of it: nobody goes on because another was ended.

use std::time::Duration;

use crate::support::Test;

#[test]
fn ending_one_process_lets_no_other_go_on() {
    // The bystander's death closes the pipe's last writing end: the reader must not see the end of file by that.
    let scenario = std::fs::read_to_string("scenarios/pipe-leak.toml").unwrap_or_else(|error| panic!("{error}"));
    Test::scenario(&scenario).args(["--repeat", "400"]).patient(Duration::from_secs(180)).run().status(0);
}

#[test]
fn every_shipped_scenario_holds_again_and_again() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let arguments = ["--repeat".into(), "10".into(), "-j".into(), "2".into(), folder.into_os_string()];
    Test::new().args(arguments).patient(Duration::from_secs(180)).run().status(0);
}
