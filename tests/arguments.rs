//! The command line: what it takes, what it refuses, and how it says so.

use std::process::{Command, Stdio};

use crate::support::Test;

#[test]
fn a_mistyped_command_is_not_a_missing_file() {
    Test::new()
        .file("a.toml", "")
        .args(["chekc", "a.toml"])
        .run()
        .status(2)
        .stdout("")
        .stderr_contains("there is no file and no command `chekc`")
        .stderr_contains("did you mean the command `check`?");
}

#[test]
fn a_command_behind_options_is_told_to_come_first() {
    Test::new()
        .args(["--seed", "3", "check", "a.toml"])
        .run()
        .status(2)
        .stderr_contains("the command comes first: `ipcrun check ...`");
}

#[test]
fn a_file_may_be_called_as_a_command_is() {
    let text = "[processes.p]\nsteps = [{ exti = 1 }]\n";
    Test::new().file("chekc", text).args(["chekc"]).run().status(2).stderr_contains("exti");
}

#[test]
fn a_missing_file_is_named() {
    Test::new()
        .args(["run", "scenarios/none.toml"])
        .run()
        .status(2)
        .stderr_contains("error[E0001]: `scenarios/none.toml` cannot be read: no such file or directory");
}

#[test]
fn a_directory_without_scenarios_is_no_success() {
    Test::new()
        .folder("empty/.hidden")
        .file("empty/.hidden/a.toml", "")
        .file("empty/notes.txt", "")
        .args(["empty"])
        .run()
        .status(4)
        .stderr_contains("no scenario found: there is no `*.toml` in `empty`");
}

#[test]
fn what_is_no_text_is_refused() {
    let done = Test::new().file("a.toml", b"a = 1\nb = \"\xff\xfe\"\n").args(["check", "a.toml"]).run();
    done.status(2).stderr_contains("byte 11, on line 2, is not UTF-8");
    Test::new().file("a.toml", b"\x7fELF\0\0").args(["check", "a.toml"]).run().status(2);
}

#[test]
fn broken_arguments_are_refused_before_anything_runs() {
    for arguments in [
        &["--seed", "x", "a.toml"][..],
        &["--seed", "-1", "a.toml"],
        &["--seed", "18446744073709551615", "a.toml"],
        &["--repeat", "0", "a.toml"],
        &["--timeout", "fast", "a.toml"],
        &["--set", "workers", "a.toml"],
        &["--set", "=3", "a.toml"],
        &["-j", "-1", "a.toml"],
        &["--error-format", "loud", "a.toml"],
        &["--color", "sometimes", "a.toml"],
        &["--no-such-option", "a.toml"],
        &["run"],
        &["check"],
        &["completions", "dos"],
        &["man", "nonsense"],
    ] {
        let done = Test::new().file("a.toml", "").args(arguments.iter().copied()).run();
        done.status(2).stdout("").stderr_contains("error");
    }
}

#[test]
fn without_arguments_it_says_what_it_takes() {
    Test::new().run().status(2).stdout("").stderr_contains("Usage: ipcrun [OPTIONS] FILE...");
    Test::new().args(["--help"]).run().status(0).stderr("").stdout_contains("130  interrupted");
    Test::new().args(["--version"]).run().status(0).stdout_contains("ipcrun ");
}

#[test]
fn every_format_of_diagnostics_can_be_asked_for() {
    let wrong = |format: &str| {
        Test::new().file("a.toml", "nmae = \"x\"\n").args(["check", "--error-format", format, "a.toml"]).run().status(2)
    };
    wrong("full").stderr_contains(" --> a.toml:1:1\n");
    wrong("concise").stderr_contains("a.toml:1:1: error[E0101]: ");
    wrong("json").stderr_contains("\"code\":\"E0101\"");
    wrong("github").stderr_contains("::error file=a.toml,line=1,col=1,");
}

#[test]
fn colours_are_for_terminals_or_by_request() {
    let check = || Test::new().file("a.toml", "nmae = \"x\"\n").args(["check", "a.toml"]);
    assert!(!check().run().status(2).err.contains('\x1b'));
    assert!(check().env("CLICOLOR_FORCE", "1").run().status(2).err.contains('\x1b'));
    assert!(check().args(["--color", "always"]).run().status(2).err.contains('\x1b'));
    assert!(!check().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").run().status(2).err.contains('\x1b'));
    assert!(!check().env("CLICOLOR_FORCE", "1").args(["--color", "never"]).run().status(2).err.contains('\x1b'));
}

#[test]
fn a_scenario_is_read_from_standard_input_too() {
    Test::new().args(["check", "-"]).input("nmae = 1\n").run().status(2).stderr_contains("standard input:1:1");
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ipcrun"))
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ipcrun starts");
    drop(child.stdout.take());
    let done = child.wait_with_output().expect("ipcrun ends");
    assert_eq!(String::from_utf8_lossy(&done.stderr), "");
    assert_eq!(done.status.code(), Some(0));
}

#[test]
fn completions_know_the_commands_and_the_options_of_run() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let done = Test::new().args(["completions", shell]).run().status(0).stderr("");
        for word in ["check", "explain", "repeat", "error-format"] {
            assert!(done.out.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    Test::new().args(["man"]).run().status(0).stderr("").stdout_contains(".TH ipcrun 1").stdout_contains("repeat");
    for command in ["run", "check", "trace", "list", "schema", "explain", "completions", "man"] {
        let done = Test::new().args(["man", command]).run().status(0);
        done.stdout_contains(&format!(".TH ipcrun-{command} 1"));
    }
}

#[test]
fn the_schema_is_json() {
    let done = Test::new().args(["schema"]).run().status(0);
    assert!(done.out.starts_with('{') && done.out.ends_with("}\n"));
}

#[test]
fn the_catalogue_can_be_read() {
    Test::new()
        .args(["list"])
        .run()
        .status(0)
        .stdout_contains("Steps without an object:")
        .stdout_contains("would_block");
    Test::new().args(["list", "repeat"]).run().status(0).stdout_contains("how many times");
    Test::new().args(["list", "repaet"]).run().status(2).stdout("").stderr_contains("did you mean `repeat`?");
    Test::new().args(["list", "socket"]).run().status(2).stderr_contains("`socket` is not supported yet");
}

#[test]
fn the_manual_page_describes_ipcrun_and_each_command() {
    Test::new().args(["man"]).run().status(0).stdout_contains("ipcrun \\- Runs scenarios of inter");
    Test::new().args(["man", "check"]).run().status(0).stdout_contains("Check scenarios for errors");
}
