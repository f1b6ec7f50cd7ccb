//! Inputs that have no end or grow without bound, and a host that hides what is needed.

use std::time::Duration;

use crate::support::{Done, Test};

const GOOD: &str = "[processes.p]\nsteps = [{ print = \"x\" }]\n";

/// Runs with 300 MB of memory.
fn bounded(test: Test, arguments: &[&str]) -> Done {
    let done = test.behind("ulimit -v 307200").args(arguments).run();
    assert!(done.took < Duration::from_secs(20), "{arguments:?}: {:?}", done.took);
    done
}

#[test]
fn params_that_double_are_an_error_at_their_place() {
    let doubling = |seed: &str, last: usize, list: bool| {
        let mut text = format!("[params]\np0 = {seed}\n");
        for at in 1..=last {
            let before = at - 1;
            let value = if list {
                format!("['{{p{before}}}', '{{p{before}}}']")
            } else {
                format!("'{{p{before}}}{{p{before}}}'")
            };
            text.push_str(&format!("p{at} = {value}\n"));
        }
        text + GOOD
    };
    for (text, place) in [
        (doubling("'xxxxxxxxxx'", 40, false), "a.toml:22:"),
        (doubling(&format!("'{}'", "x".repeat(1000)), 40, false), "a.toml:16:"),
        (doubling("1", 40, true), "a.toml:"),
    ] {
        bounded(Test::new().file("a.toml", text), &["check", "a.toml"])
            .status(2)
            .stderr_contains("the params are too large")
            .stderr_contains(place);
    }
    let many = (0..20_000).fold("[params]\n".to_owned(), |text, at| text + &format!("p{at} = {at}\n"));
    bounded(Test::new().file("a.toml", many + GOOD), &["check", "a.toml"]).status(2).stderr_contains("a.toml:10002:");
}

#[test]
fn too_many_processes_or_steps_are_an_error_at_their_place() {
    let schedule = "format = \"ipcrun-schedule\"\nversion = 1\n";
    let many = "[processes.p]\ncount = 1000000\nsteps = []\n";
    let several = "[processes.p]\ncount = 60000\nsteps = []\n[processes.q]\ncount = 60000\nsteps = []\n";
    for (text, said) in [(many, "expected an integer from 1 to 100000"), (several, "more than 100000 processes")] {
        for command in [&["check", "a.toml"][..], &["a.toml"], &["explore", "a.toml"], &["replay", "a.toml", "s.toml"]]
        {
            let test = Test::new().file("a.toml", text).file("s.toml", schedule);
            bounded(test, command).status(2).stderr_contains(said).stderr_contains("a.toml:");
        }
    }
    let lines = |count| "\"yield\",\n".repeat(count);
    let most = format!("[processes.p]\nsteps = [\n{}]\n", lines(100_000));
    bounded(Test::new().file("a.toml", &most), &["check", "a.toml"]).status(0);
    let nested = format!("[processes.p]\nsteps = [{{ forever = [\n{}] }}, \"yield\"]\n", lines(440_000));
    let shared = format!("{most}[processes.q]\nsteps = [\"yield\"]\n");
    for (text, place) in [(nested, "a.toml:100002:1"), (shared, "a.toml:100005:10")] {
        for command in [&["check", "a.toml"][..], &["a.toml"], &["explore", "a.toml"]] {
            let done = bounded(Test::new().file("a.toml", &text), command).status(2).stderr_contains(place);
            assert_eq!(done.err.matches("more than 100000 steps").count(), 1, "{}", done.err);
        }
    }
    let steps = format!("[processes.p]\nsteps = [\n{}]\n", lines(1_000_000));
    for command in [&["check", "a.toml"][..], &["a.toml"], &["explore", "a.toml"]] {
        bounded(Test::new().file("a.toml", &steps), command).status(2).stderr_contains("larger than 4 MiB");
    }
}

#[test]
fn files_without_an_end_are_refused() {
    let test = || Test::new().file("a.toml", GOOD);
    bounded(test(), &["check", "/dev/zero"]).status(2).stderr_contains("larger than 4 MiB");
    bounded(test(), &["/dev/zero"]).status(2).stderr_contains("larger than 4 MiB");
    bounded(test(), &["trace", "/dev/zero"]).status(2).stderr_contains("line 1 is longer than 64 MiB");
    let schedule = test().shell("ln -s /dev/zero s.toml; exec ipcrun replay a.toml s.toml").run().status(2);
    schedule.stderr_contains("larger than 4 MiB");
    bounded(test(), &["explore", "--merge", "/dev/zero"]).status(2).stderr_contains("larger than 64 MiB");
    let lines = test().shell("yes '' | ipcrun trace -").run().status(2);
    lines.stderr_contains("no end of empty lines");
    let golden = test().behind("ln -s /dev/zero a.golden").args(["a.toml", "--golden"]).run();
    golden.status(2).stderr_contains("larger than 64 MiB");
}

#[test]
fn a_file_that_the_host_does_not_give_is_no_wrong_scenario() {
    // What stands in /proc/self/mem at 0 is no memory of the process: EIO.
    for command in [&["/proc/self/mem"][..], &["check", "/proc/self/mem"], &["explore", "/proc/self/mem"]] {
        Test::new().args(command).run().status(3).stderr_contains("cannot be read");
    }
    Test::new().args(["none.toml"]).run().status(2).stderr_contains("no such file");
}

#[test]
fn without_a_proc_no_deadlock_is_looked_for_and_it_is_said() {
    let never = "timeout = \"300ms\"\n[objects]\ne = { kind = \"event\" }\n[processes.p]\nsteps = [{ wait = \"e\" }]\n[[expect]]\n\
                 deadlock = true\n";
    let test = || Test::new().file("a.toml", never);
    test().args(["a.toml"]).run().status(0);
    // To take a /proc away needs root, of this host or of a user namespace.
    let root = nix::unistd::geteuid().is_root();
    let (mounts, pids) = if root { ("-m", "-p") } else { ("-rm", "-rp") };
    for hide in ["umount -l /proc; exec ipcrun a.toml", "mount -t tmpfs none /proc; exec ipcrun a.toml"] {
        let done = test().shell(&format!("exec unshare {mounts} sh -c '{hide}'")).run();
        done.status(5).stdout_contains("deadlocks were not looked for");
    }
    let done = test().shell(&format!("exec unshare {pids} -f ipcrun a.toml")).run();
    done.status(5).stdout_contains("deadlocks were not looked for");
}
