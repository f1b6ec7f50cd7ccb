//! Everything works as a plain user too.
//!
//! Root runs these scenarios as `nobody`, by setpriv(1); any other user is unprivileged already.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::Test;

/// Runs ipcrun in a directory of its own as a plain user without any capability.
fn as_nobody(files: &[(&str, &str)], arguments: &[&str]) -> (Output, Test) {
    let setpriv = ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"];
    let mut test = Test::new();
    for (path, text) in files {
        test = test.file(path, text);
    }
    // The binary may lie where nobody else looks: a copy does not.
    let binary: PathBuf = test.directory().join("ipcrun");
    // By cp(1): a process that another test forks meanwhile would hold a descriptor of ours open for writing, and what
    // is open for writing cannot be executed.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_ipcrun")).arg(&binary).status();
    assert!(copied.is_ok_and(|status| status.success()), "a copy of ipcrun");
    for path in [test.directory(), &binary] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("everybody may use it");
    }
    let mut command = if nix::unistd::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(setpriv).arg(&binary);
        command
    } else {
        Command::new(&binary)
    };
    let output = command.args(arguments).current_dir(test.directory()).output();
    (output.expect("setpriv(1) is installed"), test)
}

/// Runs one scenario so and asserts its exit status.
#[track_caller]
fn ends(text: &str, status: i32) -> String {
    let (output, _test) = as_nobody(&[("a.toml", text)], &["a.toml"]);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{text}\n{out}\n{err}");
    err.into_owned()
}

#[test]
fn the_shipped_scenarios_pass() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            ends(&fs::read_to_string(&path).expect("a scenario"), 0);
        }
    }
}

#[test]
fn every_queue_works() {
    for via in ["posix", "sysv", "memory"] {
        ends(
            &format!(
                r#"
[objects]
q = {{ kind = "queue", via = "{via}", capacity = 4, count = 3 }}
[processes.p]
steps = [{{ repeat = 30, as = "i", do = [{{ put = "q[i % 3]", value = "{{i}}" }}] }}]
[processes.c]
steps = [{{ repeat = 30, as = "i", do = [{{ get = "q[i % 3]", into = "x" }}, {{ assert = "x == i" }}] }}]
[[expect]]
fifo = "q"
"#
            ),
            0,
        );
    }
    ends(
        "[objects]\nq = { kind = \"queue\" }\n[processes.p]\nsteps = [{ repeat = 5000, do = [{ put = \"q\", value = 1 }] }]\n",
        0,
    );
}

#[test]
fn every_other_kind_works() {
    ends(
        r#"
[objects]
s = { kind = "semaphore", via = "sysv", value = 2 }
t = { kind = "semaphore", value = 2 }
m = { kind = "mutex", robust = true, protocol = "inherit" }
c = { kind = "condition", mutex = "m" }
b = { kind = "barrier", parties = 3 }
d = { kind = "barrier", parties = 3, via = "posix" }
e = { kind = "event" }
l = { kind = "pipe", duplex = true, capacity = 4096 }
v = { kind = "value", type = "f64" }
[processes.p]
count = 3
nice = 5
cpus = [0]
steps = [
  { acquire = "s" }, { acquire = "t" }, { lock = "m" }, { update = "v", value = "{it + 0.5}" }, { unlock = "m" },
  { release = "t" }, { release = "s" }, { set = "e" }, { wait = "e" }, { wait = "b" }, { wait = "d" },
  { lock = "m" }, { wait = "c", timeout = "1ms", on = { timeout = [] } }, { notify_all = "c" }, { unlock = "m" },
  { if = "index == 0", then = [{ send = "l.a", value = "x" }] },
  { if = "index == 1", then = [{ recv = "l.b" }] },
]
[[expect]]
final = "v == 1.5"
"#,
        0,
    );
}

#[test]
fn a_limit_that_only_root_may_pass_is_named() {
    for (object, limit) in [
        ("{ kind = \"queue\", capacity = 1000 }", "fs.mqueue.msg_max"),
        ("{ kind = \"queue\", capacity = 2, message_size = 1000000 }", "fs.mqueue.msgsize_max"),
        ("{ kind = \"queue\", capacity = 4096, message_size = 1024, via = \"sysv\" }", "kernel.msgmnb"),
        ("{ kind = \"pipe\", framing = \"bytes\", capacity = \"512MiB\" }", "fs.pipe-max-size"),
    ] {
        let text = format!("[objects]\nx = {object}\n[processes.p]\nsteps = []\n");
        let err = ends(&text, 3);
        assert!(err.contains(limit) && err.contains("sysctl -w"), "{limit}\n{err}");
    }
    for key in ["nice = -5", "policy = \"fifo\"\npriority = 5"] {
        let text = format!("[processes.p]\n{key}\nsteps = []\n");
        let err = ends(&text, 3);
        assert!(err.contains("error["), "{err}");
    }
}

#[test]
fn deadlocks_are_found() {
    let text = "[objects]\nm = { kind = \"mutex\" }\n[processes.p]\nsteps = [{ lock = \"m\" }, { lock = \"m\" }]\n[[expect]]\ndeadlock = true\nblocked = [\"p at m\"]\n";
    ends(text, 0);
}

#[test]
fn traces_and_repeats() {
    let text = "[processes.p]\nsteps = [{ print = \"x\" }]\n";
    let files = [("a.toml", text)];
    let (output, test) = as_nobody(&files, &["--trace", "x.jsonl", "a.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(test.directory().join("x.jsonl").exists());
    let (output, _test) = as_nobody(&files, &["--repeat", "20", "-j", "3", "a.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
