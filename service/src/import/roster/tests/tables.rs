//! Ways to write the same tables that make no difference.

use planledger_core::domain::Command;
use planledger_core::domain::institution::InstitutionCommand;

use super::super::Roster;
use super::TODAY;
use super::export::{all, export};

#[test]
fn the_same_files_give_the_same_commands_as_often_as_they_are_asked_for() {
    let mut roster = export().open().unwrap();
    let first = all(&mut roster);
    assert_eq!(first, all(&mut roster));
    assert_eq!(first, export().commands());
}

#[test]
fn a_folder_and_an_archive_give_the_same_commands() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in &export().0 {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let archive = folder.path().join("export.zip");
    std::fs::write(&archive, export().zip("")).unwrap();
    let expected = export().commands();
    assert_eq!(
        all(&mut Roster::open(folder.path(), TODAY).unwrap()),
        expected
    );
    assert_eq!(all(&mut Roster::open(&archive, TODAY).unwrap()), expected);
    assert_eq!(
        all(&mut Roster::from_zip(export().zip(""), TODAY).unwrap()),
        expected
    );
}

#[test]
fn the_order_of_columns_and_columns_that_are_not_known_do_not_matter() {
    let turned = export().map(|text| {
        let mut rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes());
        let mut out = csv::Writer::from_writer(Vec::new());
        for row in rows.records().map(Result::unwrap) {
            out.write_record(
                row.iter()
                    .chain(["ukendt"])
                    .collect::<Vec<_>>()
                    .iter()
                    .rev(),
            )
            .unwrap();
        }
        out.into_inner().unwrap()
    });
    assert_eq!(turned.bodies(), export().bodies());
}

#[test]
fn a_byte_order_mark_crlf_and_empty_lines_do_not_matter_and_lines_are_counted_right() {
    let expected = export().commands();
    let marked = export().map(|text| format!("\u{feff}{text}").into_bytes());
    assert_eq!(marked.commands(), expected);
    let windows = export().map(|text| text.replace('\n', "\r\n").into_bytes());
    assert_eq!(windows.commands(), expected);
    let ended = export().map(|text| format!("{text}\r\n\r\n\n").into_bytes());
    assert_eq!(ended.commands(), expected);
    let cut = export().map(|text| text.trim_end().as_bytes().to_vec());
    assert_eq!(cut.commands(), expected);
    for gap in ["\n\n", "\r\n\r\n", "\r\n\r\n\r\n\n"] {
        let gaps = export().replace("users.csv", "\ne2,", &format!("{gap}e2,"));
        let lines = gap.matches('\n').count() as u64;
        let rows: Vec<u64> = gaps
            .commands()
            .iter()
            .filter(|c| c.file == "users.csv")
            .map(|c| c.row)
            .collect();
        let shift = |row: u64| if row < 3 { row } else { row + lines - 1 };
        let expected: Vec<u64> = (2..=10).chain(2..=4).map(shift).collect();
        assert_eq!(rows, expected, "{gap:?}");
    }
}

#[test]
fn a_quoted_line_break_is_part_of_its_field_and_counted_as_a_line() {
    let broken = export().replace("classes.csv", "\n7b,active", "\n\"7b\n\",\"active\r\n\"");
    let rows: Vec<u64> = broken
        .commands()
        .iter()
        .filter(|imported| imported.file == "classes.csv")
        .map(|imported| imported.row)
        .collect();
    assert_eq!(rows, [2, 5]);
    assert_eq!(broken.bodies(), export().bodies());
}

#[test]
fn names_that_are_broken_into_lines_are_names_of_one_line() {
    let expected = export().bodies();
    for end in ["\n", "\r\n", " \r\n\n  ", "\u{b}", "\u{2028}", "\u{85} "] {
        for (file, name, broken) in [
            ("orgs.csv", "Eksempel Kommune", "Eksempel|Kommune"),
            ("academicSessions.csv", "1. halvår", "1.|halvår"),
            ("classes.csv", "7.b dansk", "7.b|dansk"),
            ("users.csv", "Noah", "|Noah"),
            ("users.csv", "Kjær", "Kjær|"),
            ("courses.csv", "Dansk\n", "|Dansk|,|\n"),
            (
                "classes.csv",
                "\"Historie,Samfundsfag\"",
                "|Historie,|Samfundsfag",
            ),
        ] {
            let cell = broken.trim_end_matches('\n').replace('|', end);
            let line = if broken.ends_with('\n') { "\n" } else { "" };
            let changed = export().replace(file, name, &format!("\"{cell}\"{line}"));
            assert_eq!(changed.passed_over(), [""; 0], "{cell:?}");
            assert_eq!(changed.bodies(), expected, "{cell:?}");
        }
    }
    let year = export().replace("academicSessions.csv", "2026/27", "\"2026/27\nforår\"");
    assert_eq!(year.passed_over(), [""; 0]);
    // A number that is broken in two is still one.
    let cpr = export().replace("users.csv", "Noah", "\"010203\n1234\"");
    assert_eq!(cpr.faults()[0], "CPR_FOUND users.csv:10 givenName");
    // An id is another one with a line break in it, so it is none.
    let id = export().replace("classes.csv", "\n7b,", "\n\"7\nb\",");
    let told = "TEXT_CONTROL_CHARACTER classes.csv:2 sourcedId";
    assert!(id.faults().iter().any(|fault| fault == told));
}

#[test]
fn a_production_unit_number_of_an_institution_is_no_cpr_number() {
    for number in ["1003284125", "1003264125"] {
        let commands = export().replace("orgs.csv", "101001", number).bodies();
        assert!(commands.iter().any(|command| matches!(
            command,
            Command::Institution(_, InstitutionCommand::Put { details, .. })
                if details.code.as_ref().is_some_and(|code| code.as_str() == number)
        )));
    }
}
