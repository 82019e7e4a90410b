//! What every source file owes its reader.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::shell::{root, say};

/// The folders that hold sources.
const SOURCES: [&str; 3] = ["crates", "tests", "xtask"];
/// What must not be left in a file. Split, so that this file does not hold it.
const UNDONE: [&str; 4] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("#[ig", "nore"),
];

/// Refuses files that do not say what they are for, or that leave something undone.
pub fn check() -> Result<()> {
    say("tidy");
    let mut faults = Vec::new();
    for file in
        SOURCES.iter().map(|it| sources(&root().join(it))).collect::<Result<Vec<_>>>()?.concat()
    {
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        faults.extend(faults_of(&text).into_iter().map(|it| format!("{}: {it}", file.display())));
    }
    if !faults.is_empty() {
        bail!("untidy:\n{}", faults.join("\n"));
    }
    Ok(())
}

fn faults_of(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !text.starts_with("//!") {
        faults.push("expected a first line `//! what this file is for`".to_owned());
    }
    for (number, line) in text.lines().enumerate() {
        let left = UNDONE.iter().filter(|it| line.contains(**it));
        faults.extend(left.map(|it| format!("line {}: `{it}` is left", number + 1)));
    }
    faults
}

/// Every `.rs` file in a folder and below it.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_faults(text: &str, expected: usize) {
        assert_eq!(faults_of(text).len(), expected, "{:?}", faults_of(text));
    }

    #[test]
    fn a_file_says_what_it_is_for() {
        check_faults("//! Codes.\n", 0);
        check_faults("use std::fs;\n", 1);
    }
    #[test]
    fn nothing_is_left_undone() {
        check_faults(&format!("//! Codes.\nfn f() {{ {} }}\n{}]\n", UNDONE[0], UNDONE[3]), 2);
    }
}
