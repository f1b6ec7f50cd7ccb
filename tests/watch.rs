//! `ipcrun watch`: a scenario that is saved again and again.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::support::Test;

const RIGHT: &str = "[processes.p]\nsteps = [ { sleep = \"1ms\" } ]\n";

/// A watch that goes on, and the lines it has written.
struct Watch {
    child: Child,
    lines: Receiver<String>,
    test: Test,
}

impl Watch {
    fn start() -> Self {
        let test = Test::new().file("a.toml", RIGHT);
        let mut command = Command::new(env!("CARGO_BIN_EXE_ipcrun"));
        command.args(["watch", "a.toml"]).current_dir(test.directory());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("ipcrun starts");
        let (sender, lines) = channel();
        let out: Box<dyn Read + Send> = Box::new(child.stdout.take().expect("a pipe"));
        let err: Box<dyn Read + Send> = Box::new(child.stderr.take().expect("a pipe"));
        for from in [out, err] {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(from).lines().map_while(Result::ok) {
                    // The test may be over.
                    let _ = sender.send(line);
                }
            });
        }
        Self { child, lines, test }
    }

    /// Reads on until a line contains that text.
    fn until(&self, text: &str) {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(30));
            if line.unwrap_or_else(|_| panic!("`{text}` never comes")).contains(text) {
                return;
            }
        }
    }

    fn save(&self, text: &str) {
        fs::write(self.test.directory().join("a.toml"), text).expect("a file of the test");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_scenario_runs_again_when_it_is_saved() {
    let mut watch = Watch::start();
    watch.until("✓ a  a.toml");
    watch.until(" p │");
    watch.save("[processes.p]\nsteps = [ { exti = 1 } ]\n");
    watch.until("exti");
    watch.save("name = \"b\"\n[processes.p]\nsteps = [ { exit = 3 } ]\n");
    watch.until("✗ b: 1 failed  a.toml");
    // As editors save that keep the old file until the new one is whole.
    let directory = watch.test.directory();
    fs::write(directory.join("a.toml.new"), format!("name = \"c\"\n{RIGHT}")).expect("a file of the test");
    fs::rename(directory.join("a.toml.new"), directory.join("a.toml")).expect("a file to rename");
    watch.until("✓ c  a.toml");
    fs::remove_file(directory.join("a.toml")).expect("a file to remove");
    watch.until("`a.toml` cannot be read");
    watch.save(&format!("name = \"d\"\n{RIGHT}"));
    watch.until("✓ d  a.toml");
    let kill = Command::new("kill").args(["-INT", &watch.child.id().to_string()]).status().expect("kill runs");
    assert!(kill.success());
    assert_eq!(watch.child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn only_a_file_can_be_watched() {
    for path in ["-", "."] {
        Test::new().args(["watch", path]).run().status(2).stderr_contains("takes one file");
    }
}
