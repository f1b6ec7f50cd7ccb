//! What a person reads is plain English: the help of every command, the page of every diagnostic, the reference, README and
//! docs do not use phrases that have a plain word.

use std::fs;
use std::path::Path;

use crate::support::Test;

/// Phrases in lower case, as whole words, and the plain words for them.
const BANNED: &[(&str, &str)] = &[
    ("who", "name the process"),
    ("whom", "name the process"),
    ("whoever", "any process that"),
    ("nobody", "no process"),
    ("somebody", "a process"),
    ("anybody", "any process"),
    ("everybody", "all processes"),
    ("so many", "the number of"),
    ("so long", "the duration of"),
    ("told", "printed, reported"),
    ("go on", "continue, resume"),
    ("goes on", "continues, resumes"),
    ("going on", "running"),
    ("let go", "release"),
    ("lets go", "releases"),
    ("looked at", "explored, checked"),
    ("for want of", "vacuous"),
    ("has not got", "does not have"),
    ("comes to", "reaches"),
    ("round for ever", "repeats for ever"),
];

/// The banned phrases of a text, each with its line.
fn faults(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let words: Vec<String> = line
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        let line = format!(" {} ", words.join(" "));
        for (phrase, plain) in BANNED {
            if line.contains(&format!(" {phrase} ")) {
                faults.push(format!("{name}:{}: `{phrase}`; plain words: {plain}", at + 1));
            }
        }
    }
    faults
}

fn pages(folder: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let pages = names.filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "md"));
    pages.map(|name| format!("{folder}/{name}")).collect()
}

#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "{} phrases:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_banned_phrase_is_found_with_its_line() {
    let found = faults("x", "fine\nIt lets  go of the end, whose owner\nWho waits");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("x:2: `lets go`") && found[1].starts_with("x:3: `who`"), "{found:?}");
}

#[test]
fn documents_are_plain_english() {
    let mut found = Vec::new();
    let pages = pages(".").into_iter().chain(pages("docs"));
    let pages: Vec<String> = pages.collect();
    assert!(pages.len() > 10, "{pages:?}");
    for page in pages {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&page);
        found.extend(faults(&page, &fs::read_to_string(path).expect("a page")));
    }
    none(&found);
}

#[test]
fn help_is_plain_english() {
    let whole = Test::new().args(["--help"]).run().status(0);
    let mut found = faults("ipcrun --help", &whole.out);
    let commands = whole.out.split("Commands:").nth(1).unwrap_or_default().lines().skip(1);
    let commands = commands.take_while(|line| !line.trim().is_empty());
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        let help = Test::new().args([command, "--help"]).run().status(0);
        found.extend(faults(&format!("ipcrun {command} --help"), &help.out));
    }
    none(&found);
}

#[test]
fn the_page_of_every_diagnostic_is_plain_english() {
    let list = Test::new().args(["explain"]).run().status(0);
    let mut found = faults("ipcrun explain", &list.out);
    let codes: Vec<&str> = list.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(codes.len() > 25, "{codes:?}");
    for code in codes {
        let page = Test::new().args(["explain", code]).run().status(0);
        found.extend(faults(&format!("ipcrun explain {code}"), &page.out));
    }
    none(&found);
}
