//! Lines that are not what an export has written. Each is named, and nothing is written.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::support::*;

/// Imports changed lines; gives what the program says. The directory stays empty.
fn said(lines: &[String]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("changed.jsonl");
    fs::write(&file, lines.join("\n") + "\n").unwrap();
    let to = tempfile::tempdir().unwrap();
    let error = import(&file, to.path(), false).unwrap_err().to_string();
    assert_eq!(to.path().read_dir().unwrap().count(), 0, "{error}");
    error
}

fn lines_of(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_bad_line_is_named_with_its_field_and_nothing_is_left() {
    let old = school(false).close();
    let (_folder, file) = export(old.path());
    let whole = lines_of(&file);
    let last = whole.len();
    let changed = |line: usize, change: &dyn Fn(&mut Value)| {
        let mut lines = whole.clone();
        let mut value: Value = serde_json::from_str(&lines[line - 1]).unwrap();
        change(&mut value);
        lines[line - 1] = value.to_string();
        said(&lines)
    };
    let with =
        |field: &'static str, value: Value| move |line: &mut Value| line[field] = value.clone();
    let cases: [(usize, &str, Value, &str); 15] = [
        (1, "format", json!("other"), "NOT_AN_EXPORT"),
        (
            1,
            "version",
            json!(1),
            "EXPORT_VERSION: the field version is 1",
        ),
        (1, "ledger", json!("none"), "the field ledger"),
        (1, "checkpoint", json!("none"), "the field checkpoint"),
        (5, "position", json!("5"), "the field position"),
        (5, "position", json!(2), "the field position"),
        (
            5,
            "revision",
            json!(99),
            "the field revision is not what the entry says",
        ),
        (5, "actor", json!("person/1"), "the field actor"),
        (
            5,
            "command",
            json!("11111111-1111-4111-8111-111111111111"),
            "the field command",
        ),
        (
            5,
            "recordedAtNanos",
            json!("1"),
            "the field recordedAtNanos",
        ),
        (5, "entry", json!("AAAA"), "the field entry"),
        (5, "leaf", json!("0".repeat(64)), "the field leaf"),
        (
            5,
            "key",
            json!("A".repeat(43) + "="),
            "the field key is not the key",
        ),
        (5, "why", json!("tired"), "the field why"),
        (5, "else", json!("Anna"), "LINE_UNKNOWN_FIELD"),
    ];
    for (line, field, value, expected) in cases {
        let said = changed(line, &with(field, value));
        assert!(said.contains(expected), "{field}: {said}");
        assert!(
            said.contains(&format!("changed.jsonl, line {line}: ")),
            "{said}"
        );
        assert!(
            !said.contains("Anna"),
            "it repeats what stands in the file: {said}"
        );
    }
    let text = |line: &mut Value| {
        let payload = line["payload"]
            .to_string()
            .replace("Ida", "Ada")
            .replace("skolen", "byen");
        line["payload"] = serde_json::from_str(&payload).unwrap();
        line["payload"]["more"] = json!(1);
    };
    let said_of_text = changed(5, &text);
    let expected =
        "line 5: LINE_FIELD: the field payload is not the one that the entry was made for";
    assert!(said_of_text.contains(expected), "{said_of_text}");
    let root = changed(last, &with("root", json!("0".repeat(64))));
    assert!(root.starts_with("PROOF_WRONG"), "{root}");
    let count = changed(last, &with("end", json!(3)));
    assert!(count.contains("the field end"), "{count}");
}

#[test]
fn lines_that_are_missing_too_many_or_no_json_are_found() {
    let old = school(false).close();
    let (_folder, file) = export(old.path());
    let whole = lines_of(&file);
    let cut = said(&whole[..whole.len() - 1]);
    assert!(
        cut.contains(&format!("line {}: EXPORT_CUT_OFF", whole.len())),
        "{cut}"
    );
    let mut more = whole.clone();
    more.push(whole[2].clone());
    let more = said(&more);
    assert!(more.contains("EXPORT_GOES_ON"), "{more}");
    let mut half = whole.clone();
    half[3].truncate(40);
    let half = said(&half);
    assert!(half.contains("line 4: LINE_NO_JSON"), "{half}");
    // Somebody takes an event out, and says so in the last line.
    let mut without = whole.clone();
    without.remove(5);
    let end = without.last_mut().unwrap();
    let count = whole.len() - 2;
    *end = end.replace(
        &format!("\"end\":{count}"),
        &format!("\"end\":{}", count - 1),
    );
    let without = said(&without);
    assert!(
        without.starts_with("PROOF_WRONG: positions 5 to 5 are neither"),
        "{without}"
    );
    // The checkpoint of another ledger.
    let mut other = whole.clone();
    let (_folder, file) = export(school(true).close().path());
    let head: Value = serde_json::from_str(&lines_of(&file)[0]).unwrap();
    let mut mine: Value = serde_json::from_str(&other[0]).unwrap();
    mine["checkpoint"] = head["checkpoint"].clone();
    other[0] = mine.to_string();
    let other = said(&other);
    assert!(other.starts_with("PROOF_WRONG"), "{other}");
}
