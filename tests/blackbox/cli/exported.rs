//! `planledger ledger export`, of a whole ledger and of a damaged one.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value as Json;

use super::damaged::*;
use crate::support::*;

/// The lines of an export, each held against the published schema; and what was printed.
fn exported(home: &Home, code: i32) -> (Vec<Json>, Ran) {
    let out = home.path().join("export.jsonl");
    let (dir, file) = (home.path().to_str().unwrap(), out.to_str().unwrap());
    let ran = run(["ledger", "export", "--dir", dir, "--out", file]);
    assert_eq!(ran.code, Some(code), "{ran:?}");
    let mode = fs::metadata(&out).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(&out).unwrap();
    fs::remove_file(out).unwrap();
    let lines: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let schema = include_str!("../../../service/schema/ledger-export-v2.schema.json");
    let schema: Json = serde_json::from_str(schema).unwrap();
    for (index, line) in lines.iter().enumerate() {
        let kind = match index {
            0 => "head",
            index if index + 1 == lines.len() => "end",
            _ => "event",
        };
        let mut of_kind = schema["$defs"][kind].clone();
        of_kind["$defs"] = schema["$defs"].clone();
        let faults = crate::access::schema::faults(&of_kind, line);
        assert!(faults.is_empty(), "{kind} {line}: {faults:#?}");
    }
    (lines, ran)
}

#[test]
fn a_whole_ledger_is_exported_with_every_payload() {
    let home = home();
    let (lines, _) = exported(&home, 0);
    let events = &lines[1..lines.len() - 1];
    assert_eq!(lines[0]["events"], events.len());
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["position"], index + 1);
        assert!(event["payload"].is_object(), "{event}");
    }
    assert!(
        events[0]["payload"].to_string().contains("Skolen"),
        "{}",
        events[0]
    );
    sound(&home);
}

#[test]
fn of_a_damaged_ledger_everything_is_exported_that_verifies_and_the_rest_is_named() {
    let home = home();
    let (whole, _) = exported(&home, 0);
    let bytes = fs::read(segment(&home, 2)).unwrap();
    let frames = frames(&bytes);
    flip(&segment(&home, 2), frames[3] + 80);
    flip(&segment(&home, 2), frames[6] - 1);
    let (lost, text) = (
        number_at(&bytes, frames[3] + 28),
        number_at(&bytes, frames[5] + 28),
    );
    let (lines, ran) = exported(&home, 1);
    assert_eq!(lines[0]["missing"][0]["first"], lost);
    assert_eq!(lines[0]["missing"][1]["first"], text);
    assert!(
        ran.stderr
            .contains(&format!("missing: positions {lost} to {lost}")),
        "{}",
        ran.stderr
    );
    // Everything else is as before, at its own position.
    let mut expected = whole[1..whole.len() - 1].to_vec();
    expected[text as usize - 1]["payload"] = Json::Null;
    expected[text as usize - 1]["why"] = "damaged".into();
    expected.remove(lost as usize - 1);
    assert_eq!(lines[1..lines.len() - 1], expected);
}
