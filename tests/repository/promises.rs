//! Promises that are cited are defined, and what pages point to is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::pages::{page, quoted, root, table};

/// Every file below, by its ending; nothing hidden, and nothing that cargo made.
pub(crate) fn files(dir: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path, endings));
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn defined() -> Vec<Vec<String>> {
    let header = "| | Promise | Tests to begin with |";
    table(&page("core/DESIGN.md"), header)
}

/// `P1`, `P2`, …, wherever they stand as words of their own.
fn cited(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words
        .filter(|word| word.len() == 2 && word.starts_with('P'))
        .filter(|word| word.ends_with(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_promise_that_is_cited_is_defined_and_has_tests() {
    let defined = defined();
    let numbers: BTreeSet<String> = defined.iter().map(|row| row[0].clone()).collect();
    for file in files(&root(), &[".rs", ".md", ".proto", ".toml"]) {
        let text = fs::read_to_string(&file).unwrap();
        let undefined: Vec<_> = cited(&text).difference(&numbers).cloned().collect();
        assert!(undefined.is_empty(), "{}: {undefined:?}", file.display());
    }
    for row in &defined {
        assert!(!quoted(&row[2]).is_empty(), "{} has no tests", row[0]);
    }
}

/// A path of the repository: it begins with one of the top folders, and is no pattern.
fn is_path(text: &str) -> bool {
    let tops = ["core", "proto", "service", "tests", "benches", ".ci"];
    let top = text.split('/').next();
    text.contains('/')
        && top.is_some_and(|top| tops.contains(&top))
        && !text.contains(['*', ' ', '<', '…', '{', ':'])
}

#[test]
fn what_pages_point_to_is_there() {
    let mut missing = Vec::new();
    let root = root();
    for file in files(&root, &[".md"]) {
        let text = fs::read_to_string(&file).unwrap();
        let beside = file.parent().unwrap();
        // Blocks of code hold commands, and backticks of their own.
        let prose = text.split("```").step_by(2).collect::<String>();
        for path in quoted(&prose).into_iter().filter(|path| is_path(path)) {
            if !root.join(path).exists() && !beside.join(path).exists() {
                let page = file.strip_prefix(&root).unwrap().display();
                missing.push(format!("{page}: {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "not there: {missing:#?}");
}
