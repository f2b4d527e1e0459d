//! Pages of the repository, and tables in them.

use std::fs;
use std::path::{Path, PathBuf};

/// The repository's top folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap().to_owned()
}

/// A page, by its path from the top.
pub(crate) fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The cells of the table whose header line is this, row by row.
pub(crate) fn table(page: &str, header: &str) -> Vec<Vec<String>> {
    let mut lines = page.lines().skip_while(|line| *line != header);
    assert!(lines.next().is_some(), "no table with the header {header}");
    lines
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(cells)
        .collect()
}

fn cells(line: &str) -> Vec<String> {
    // `\|` is a bar inside of a cell.
    let line = line.replace("\\|", "\u{0}");
    let line = line.trim_matches('|');
    let cells = line.split('|');
    cells
        .map(|cell| cell.trim().replace('\u{0}', "|"))
        .collect()
}

/// What stands between backticks.
pub(crate) fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The text with single spaces for line ends.
pub(crate) fn flowing(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_table_is_read_cell_by_cell() {
    let page = "text\n| A | B |\n|---|---|\n| `x\\|y` `z` | 1 |\n\n| `other` | 2 |\n";
    let rows = table(page, "| A | B |");
    assert_eq!(rows, [["`x|y` `z`", "1"]]);
    assert_eq!(quoted(&rows[0][0]), ["x|y", "z"]);
}
