//! The scenarios in a folder of the repository: `tests/corpus`, which every check of model and kernel goes through, or
//! another.

use std::fs;
use std::path::Path;

/// The scenarios below a folder, each as the name of its file and its text, by their names.
pub(crate) fn scenarios(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                let text = fs::read_to_string(&path).expect("a scenario can be read");
                found.push((path.display().to_string(), text));
            }
        }
    }
    found.sort();
    found
}
