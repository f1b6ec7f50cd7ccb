//! Lists the shipped scenarios for `ipcrun example`, and takes the commit for `ipcrun --version`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the package is"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where to write"));
    fs::write(out.join("examples.rs"), examples(&root)).expect("the list of scenarios can be written");
    println!("cargo::rustc-env=IPCRUN_VERSION={}", version(&root));
}

/// A Rust expression: the names and texts of the shipped scenarios.
fn examples(root: &Path) -> String {
    let mut list = "&[\n".to_owned();
    for folder in ["scenarios", "scenarios/classics"] {
        println!("cargo::rerun-if-changed={folder}");
        let entries = fs::read_dir(root.join(folder)).expect("the shipped scenarios are there");
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder can be read").path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
        files.sort();
        for path in files {
            let name = path.file_stem().expect("a file has a name").to_string_lossy();
            let path = path.to_string_lossy();
            let classic = folder.ends_with("classics");
            writeln!(list, "Example {{ name: {name:?}, classic: {classic}, text: include_str!({path:?}) }},")
                .expect("a string takes all");
        }
    }
    list + "]"
}

/// The version; of a release that is built in a repository, with the commit.
fn version(root: &Path) -> String {
    let version = env::var("CARGO_PKG_VERSION").expect("cargo says the version");
    if env::var("PROFILE").as_deref() != Ok("release") || !root.join(".git").exists() {
        return version;
    }
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-changed=.git/logs/HEAD");
    let commit = Command::new("git").args(["rev-parse", "--short=10", "HEAD"]).current_dir(root).output();
    match commit {
        Ok(done) if done.status.success() => format!("{version} ({})", String::from_utf8_lossy(&done.stdout).trim()),
        _ => version,
    }
}
