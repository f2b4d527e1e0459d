//! Which top-level modules of a crate use which, read from its source text.
//!
//! Text is enough: rustfmt gives every file one form, and a path to another top-level module begins
//! with `crate::`, or with as many `super::` as the file is deep. Unit tests do not count: a test may
//! look at anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Where one module names another: file, line and the line's text.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// Which module uses which, and where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uses(BTreeMap<(String, String), Vec<Place>>);

impl Uses {
    /// Reads `CRATE/src`, where `CRATE` is a folder of the repository.
    pub(crate) fn of_crate(root: &Path, name: &str) -> Self {
        let source = root.join(name).join("src");
        let modules: BTreeSet<String> = fs::read_dir(&source)
            .unwrap()
            .map(|entry| module(&entry.unwrap().path()))
            .filter(|module| !["lib", "main"].contains(&module.as_str()))
            .collect();
        let mut uses = Self::default();
        for file in files(&source) {
            let inside = path_of_module(file.strip_prefix(&source).unwrap());
            let Some(from) = inside.first().filter(|first| modules.contains(*first)) else {
                continue;
            };
            let text = fs::read_to_string(&file).unwrap();
            let shown = file.strip_prefix(root).unwrap().display().to_string();
            for (to, line) in named(&text, inside.len()) {
                if to != *from && modules.contains(&to) {
                    let text = text.lines().nth(line - 1).unwrap().trim().to_owned();
                    let file = shown.clone();
                    uses.add(from, &to, Place { file, line, text });
                }
            }
        }
        uses
    }

    /// Notes that a module uses another.
    pub(crate) fn add(&mut self, from: &str, to: &str, place: Place) {
        let places = self.0.entry((from.to_owned(), to.to_owned())).or_default();
        places.push(place);
    }

    /// Where a module uses another; empty if it does not.
    pub(crate) fn places(&self, from: &str, to: &str) -> &[Place] {
        let found = self.0.get(&(from.to_owned(), to.to_owned()));
        found.map_or(&[], Vec::as_slice)
    }

    /// All pairs of a module and one that it uses.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.keys().map(|(from, to)| (from.as_str(), to.as_str()))
    }

    /// The shortest way along uses from one module to another, both included.
    pub(crate) fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut ways = vec![vec![from.to_owned()]];
        let mut seen = BTreeSet::from([from.to_owned()]);
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                let last = way.last().unwrap();
                for (_, next) in self.pairs().filter(|(user, _)| user == last) {
                    let mut way = way.clone();
                    way.push(next.to_owned());
                    if next == to {
                        return Some(way);
                    }
                    if seen.insert(next.to_owned()) {
                        longer.push(way);
                    }
                }
            }
            ways = longer;
        }
        None
    }
}

fn module(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// `ledger/verify/mod.rs` is `ledger`, `verify`.
fn path_of_module(file: &Path) -> Vec<String> {
    let mut path: Vec<String> = file.iter().map(|part| module(Path::new(part))).collect();
    if path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    path
}

/// Every file of source but those of unit tests.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if module(&path) == "tests" {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What a file names at the root of its crate, and in which line. `depth` is how many modules deep
/// the file is.
pub(crate) fn named(text: &str, depth: usize) -> Vec<(String, usize)> {
    let code = without_comments_and_tests(text);
    let root = format!("{}::", vec!["super"; depth].join("::"));
    let mut found = Vec::new();
    for begin in ["crate::", &root] {
        for (at, _) in code.match_indices(begin) {
            let before = &code[..at];
            // Part of a longer word, of another macro's crate, or of a longer row of `super::`.
            if before.ends_with(|c: char| c.is_alphanumeric() || "_$:".contains(c)) {
                continue;
            }
            let line = before.matches('\n').count() + 1;
            let names = first_words(&code[at + begin.len()..]);
            found.extend(names.into_iter().map(|name| (name, line)));
        }
    }
    found.retain(|(name, _)| name != "super");
    found
}

/// `a::b` gives `a`; `{a::b, c::{d, e}}` gives `a` and `c`.
fn first_words(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![word(path)];
    };
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for letter in group.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => parts.push(String::new()),
            _ if depth == 0 => parts.last_mut().unwrap().push(letter),
            _ => {}
        }
    }
    let words = parts.iter().map(|part| word(part.trim()));
    words.filter(|word| !word.is_empty()).collect()
}

fn word(text: &str) -> String {
    let letters = text.chars();
    letters
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// The same lines, those of comments and unit tests empty.
fn without_comments_and_tests(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" {
            code.push('\n');
            let begins = lines.next().unwrap_or_default();
            code.push('\n');
            // The item goes to the next closing brace without indentation.
            if begins.ends_with('{') {
                for skipped in lines.by_ref() {
                    code.push('\n');
                    if skipped == "}" {
                        break;
                    }
                }
            }
            continue;
        }
        code.push_str(line.split("//").next().unwrap());
        code.push('\n');
    }
    code
}

#[test]
fn paths_to_the_root_are_found_wherever_they_stand() {
    let text = "\
//! use crate::comment;
use crate::ids::{Position, StreamId};
use crate::{hash, time::Clock};
use super::super::journal::{self, Tail};
use super::sibling;

fn f() -> crate::text::Name {
    other_crate::no() // crate::comment
}

#[cfg(test)]
mod tests {
    use crate::only_for_tests;
}
";
    let mut found = named(text, 2);
    found.sort();
    let expected = [
        ("hash", 3),
        ("ids", 2),
        ("journal", 4),
        ("text", 7),
        ("time", 3),
    ];
    assert_eq!(found, expected.map(|(name, line)| (name.to_owned(), line)));
}
