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
    // Not those in folders, which also say what not every run shows.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let files = files.filter(|path| path.is_file()).map(std::path::PathBuf::into_os_string);
    let arguments = ["--repeat", "10", "-j", "2"].into_iter().map(std::ffi::OsString::from).chain(files);
    Test::new().args(arguments).patient(Duration::from_secs(180)).run().status(0);
}
