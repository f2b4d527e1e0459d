//! The pages for operators quote messages as the program prints them.

use std::fs;

use crate::pages::{page, quoted, root, table};
use crate::promises::files;

/// Parts of quoted messages that the code puts together from pieces, or that the operating system
/// writes.
const ELSEWHERE: [&str; 3] = [
    "must be 64 hexadecimal digits",
    ": Address already in use",
    ": Permission denied",
];

/// All code of the program, with texts of several lines joined into one.
fn code() -> String {
    let mut all = String::new();
    for folder in ["core/src", "service/src"] {
        for file in files(&root().join(folder), &[".rs"]) {
            let text = fs::read_to_string(file).unwrap();
            let mut pieces = text.split("\\\n");
            all.push_str(pieces.next().unwrap());
            for piece in pieces {
                all.push_str(piece.trim_start());
            }
        }
    }
    all
}

/// The fixed parts of a quoted message. `…` stands for anything, and a lone `N` for a number.
fn parts(message: &str) -> impl Iterator<Item = &str> {
    let parts = message.split('…').flat_map(|part| part.split(" N"));
    let parts = parts.flat_map(|part| part.split("-N"));
    parts.map(str::trim).filter(|part| part.len() > 3)
}

#[test]
fn messages_that_operators_look_up_are_the_ones_that_the_program_prints() {
    let page = page("service/OPERATING.md");
    let code = code();
    let mut missing = Vec::new();
    for header in ["| Line | Means |", "| The program says | What to do |"] {
        let rows = table(&page, header);
        for message in rows.iter().flat_map(|row| quoted(&row[0])) {
            for part in parts(message) {
                if !ELSEWHERE.contains(&part) && !code.contains(part) {
                    missing.push(format!("{message}: {part}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "no message says {missing:#?}");
}
