//! Ways to write the same tables, as programs and spreadsheets do: encodings, separators, line ends,
//! days, archives. All of them give the same rows, or the cause is named.

use std::borrow::Cow;

use csv::StringRecord;
use planledger_core::domain::Command;
use planledger_core::domain::person::PersonCommand;
use proptest::prelude::*;

use super::super::Roster;
use super::super::reader::layout::{Layout, ORGS, SESSIONS};
use super::super::reader::source::Source;
use super::super::reader::table::Table;
use super::TODAY;
use super::export::{describe, export};
use crate::import::fault::Collector;

pub(super) fn utf16(text: &str, big: bool) -> Vec<u8> {
    let bytes = |unit: u16| match big {
        true => unit.to_be_bytes(),
        false => unit.to_le_bytes(),
    };
    text.encode_utf16().flat_map(bytes).collect()
}

pub(super) fn windows(text: &str) -> Vec<u8> {
    let (bytes, _, lost) = encoding_rs::WINDOWS_1252.encode(text);
    assert!(!lost, "{text}");
    bytes.into_owned()
}

/// How a table can be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spelling {
    encoding: &'static str,
    separator: char,
    line_end: &'static str,
    quote_all: bool,
}

impl Spelling {
    const ENCODINGS: [&'static str; 7] = [
        "utf-8",
        "utf-8 marked",
        "utf-16le marked",
        "utf-16be marked",
        "utf-16le",
        "utf-16be",
        "windows-1252",
    ];
    const SEPARATORS: [char; 3] = [',', ';', '\t'];
    const LINE_ENDS: [&'static str; 3] = ["\n", "\r\n", "\r"];

    fn all() -> impl Iterator<Item = Self> {
        Self::ENCODINGS.into_iter().flat_map(|encoding| {
            Self::SEPARATORS.into_iter().flat_map(move |separator| {
                Self::LINE_ENDS.into_iter().flat_map(move |line_end| {
                    [false, true].map(|quote_all| Self {
                        encoding,
                        separator,
                        line_end,
                        quote_all,
                    })
                })
            })
        })
    }

    pub(super) fn write(self, rows: &[Vec<String>]) -> Vec<u8> {
        let mut text = String::new();
        for row in rows {
            let fields = row.iter().map(|field| {
                let needs = field.contains(['"', '\r', '\n', self.separator]);
                match needs || self.quote_all {
                    true => format!("\"{}\"", field.replace('"', "\"\"")),
                    false => field.clone(),
                }
            });
            let fields: Vec<String> = fields.collect();
            text.push_str(&fields.join(&self.separator.to_string()));
            text.push_str(self.line_end);
        }
        self.encode(&text)
    }

    fn encode(self, text: &str) -> Vec<u8> {
        let marked = format!("\u{feff}{text}");
        match self.encoding {
            "utf-8" => text.as_bytes().to_vec(),
            "utf-8 marked" => marked.into_bytes(),
            "utf-16le marked" => utf16(&marked, false),
            "utf-16be marked" => utf16(&marked, true),
            "utf-16le" => utf16(text, false),
            "utf-16be" => utf16(text, true),
            _ => windows(text),
        }
    }
}

pub(super) fn rows_of(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

/// What the reader gives of the columns of a table, row by row.
pub(super) fn read(
    layout: &'static Layout,
    bytes: Vec<u8>,
) -> (Vec<Vec<String>>, Vec<String>, Vec<String>) {
    let files = [(layout.file, Cow::Owned(bytes))];
    let mut source = Source::from_files(files, &[layout.file]);
    let mut faults = Collector::default();
    let mut rows = Vec::new();
    let mut record = StringRecord::new();
    if let Some(mut table) = Table::open(&mut source, layout, &mut faults) {
        while let Some(next) = table.next_row(&mut record) {
            match next {
                Ok(row) => {
                    let fields = layout.columns.iter().map(|column| row.text(*column));
                    rows.push(fields.map(str::to_owned).collect());
                }
                Err(unreadable) => {
                    faults.push(unreadable.fault);
                    if unreadable.ends_table {
                        break;
                    }
                }
            }
        }
    }
    let told = faults.iter().map(describe).collect();
    (rows, told, source.notes())
}

#[test]
fn every_encoding_separator_line_end_and_quoting_gives_the_same_commands() {
    let expected = export().bodies();
    for spelling in Spelling::all() {
        let spelt = export().map(|text| spelling.write(&rows_of(text)));
        let mut roster = spelt.open().unwrap_or_else(|e| panic!("{spelling:?}: {e}"));
        let commands = roster.commands().map(|item| item.unwrap().command);
        assert_eq!(commands.collect::<Vec<_>>(), expected, "{spelling:?}");
        let notes = roster.notes().join("\n");
        for (said, is_so) in [
            ("UTF-16", spelling.encoding.starts_with("utf-16")),
            ("Windows-1252", spelling.encoding == "windows-1252"),
            ("semicolons", spelling.separator == ';'),
            ("tabs", spelling.separator == '\t'),
            ("CR alone", spelling.line_end == "\r"),
        ] {
            assert_eq!(notes.contains(said), is_so, "{spelling:?}: {notes}");
        }
    }
}

#[test]
fn a_file_with_semicolons_in_windows_1252_keeps_its_danish_letters() {
    let orgs = "sourcedId;status;dateLastModified;name;type;identifier;parentSourcedId\r\n\
                d1;;;Prøve Kommune;district;900;\r\n\
                s1;;;Æblegård Skole;school;900001;d1\r\n";
    let (rows, faults, notes) = read(&ORGS, windows(orgs));
    assert_eq!(faults, [""; 0]);
    assert_eq!(rows[0], ["d1", "", "Prøve Kommune", "district", "900"]);
    assert_eq!(rows[1], ["s1", "", "Æblegård Skole", "school", "900001"]);
    assert_eq!(
        notes,
        [
            "orgs.csv: fields separated by semicolons",
            "orgs.csv: read as Windows-1252"
        ]
    );
}

/// What a Danish spreadsheet makes of an export: semicolons, Windows-1252, CR and LF.
#[test]
fn an_export_that_a_danish_spreadsheet_saved_comes_in_whole() {
    let saved = export().map(|text| {
        let spelling = Spelling {
            encoding: "windows-1252",
            separator: ';',
            line_end: "\r\n",
            quote_all: false,
        };
        spelling.write(&rows_of(text))
    });
    let text = String::from_utf8_lossy(&saved.0["users.csv"]).into_owned();
    assert!(
        text.contains("e1;active;true;sk1;student;\u{fffd}se"),
        "{text}"
    );
    let names: Vec<String> = saved
        .bodies()
        .into_iter()
        .filter_map(|command| match command {
            Command::Person(_, PersonCommand::Put { name, .. }) => Some(name.as_str().to_owned()),
            _ => None,
        })
        .collect();
    assert!(names.contains(&"Åse Ærø".to_owned()), "{names:?}");
    assert!(names.contains(&"Rosa Kjær".to_owned()), "{names:?}");
}

/// What is done to `orgs.csv`, and what is said then. Nothing said: it makes no difference.
#[test]
fn what_spreadsheets_do_to_a_table_makes_no_difference() {
    let header = "sourcedId,status,name,type,identifier\n";
    let expected = export().bodies();
    for (from, to) in [
        (header, "SOURCEDID,Status,NAME,type,Identifier\n"),
        (
            header,
            " sourcedId , status,\tname,\"type \",  identifier\n",
        ),
        (
            header,
            "\u{feff}\"sourcedId\",'status',“name”,type,identifier\n",
        ),
        (header, "sep=,\nsourcedId,status,name,type,identifier\n"),
        (header, "\n\n  \nsourcedId,status,name,type,identifier\n"),
        (header, "sourcedId,status,name,type,identifier,,\n"),
        (
            header,
            "sourcedId,status,name,type,identifier,metadata.note,x\n",
        ),
        // Empty cells beyond the header, and those that were left out at the end.
        ("101001\n", "101001,,,\n"),
        ("Skole,school,\n", "Skole,school\n"),
        // Blank rows, with and without separators.
        ("101001\n", "101001\n,,,,\n\n , , \n"),
    ] {
        let changed = export().replace("orgs.csv", from, to);
        let roster = changed.open();
        let mut roster = roster.unwrap_or_else(|e| panic!("{to:?}: {e}"));
        let commands = roster.commands().map(|item| item.unwrap().command);
        assert_eq!(commands.collect::<Vec<_>>(), expected, "{to:?}");
    }
}

#[test]
fn other_separators_can_be_named_by_a_first_line() {
    for (separator, line) in [(';', "sep=;\r\n"), ('\t', "SEP=\t\n"), (',', "\"sep=,\"\n")] {
        let text = format!("{line}sourcedId,status,name,type,identifier\nsk1,,Åskolen,school,1\n");
        let (rows, faults, _) = read(
            &ORGS,
            text.replace(',', &separator.to_string()).into_bytes(),
        );
        assert_eq!(faults, [""; 0], "{line}");
        assert_eq!(rows, [["sk1", "", "Åskolen", "school", "1"]], "{line}");
    }
}

#[test]
fn names_of_several_lines_stay_as_they_are() {
    let text = "sourcedId,status,name,type,identifier\nsk1,,\"Å\r\nskolen\",school,1\n";
    let (rows, ..) = read(&ORGS, text.as_bytes().to_vec());
    assert_eq!(rows[0][2], "Å\r\nskolen");
}

const SESSION: &str = "sourcedId,status,title,type,startDate,endDate,parentSourcedId\n";

#[test]
fn days_are_read_if_only_one_reading_is_possible() {
    let days = |cells: &[&str]| {
        let rows = cells.iter().map(|cell| format!("y,,2026,term,{cell},,\n"));
        let text = format!("{SESSION}{}", rows.collect::<String>());
        let (rows, faults, notes) = read(&SESSIONS, text.into_bytes());
        let days: Vec<String> = rows.into_iter().map(|row| row[4].clone()).collect();
        (days.join(" "), faults, notes)
    };
    for (cells, expected, note) in [
        (
            &["2026-08-10", "2027-06-25"][..],
            "2026-08-10 2027-06-25",
            "",
        ),
        (
            &["8/10/2026", "6/25/2027"],
            "2026-08-10 2027-06-25",
            "month/day/year",
        ),
        (
            &["10/8/2026", "25/6/2027"],
            "2026-08-10 2027-06-25",
            "day/month/year",
        ),
        (
            &["10-08-2026", "25-06-2027"],
            "2026-08-10 2027-06-25",
            "day/month/year",
        ),
        (
            &["8/10/2026", "2027-06-25", "12/24/2026"],
            "2026-08-10 2027-06-25 2026-12-24",
            "month",
        ),
        (
            &["2026-08-10T00:00:00.000Z"],
            "2026-08-10",
            "times of day, which are left out",
        ),
        (
            &["2026-08-09T22:00:00Z"],
            "2026-08-09",
            "some of them not midnight",
        ),
    ] {
        let (read, faults, notes) = days(cells);
        assert_eq!((read.as_str(), faults.len()), (expected, 0), "{cells:?}");
        assert_eq!(notes.is_empty(), note.is_empty(), "{notes:?}");
        assert!(notes.iter().all(|told| told.contains(note)), "{notes:?}");
    }
    let ambiguous = ["DATES_AMBIGUOUS academicSessions.csv:2 startDate"];
    assert_eq!(days(&["8/10/2026", "6/5/2027"]).1, ambiguous);
    assert_eq!(days(&["8/25/2026", "25/6/2027"]).1, ambiguous);
    // A day that does not exist, and a wrong day among right ones, stay as they are: a fault of the row.
    assert_eq!(days(&["6/31/2026", "6/25/2027"]).0, "6/31/2026 2027-06-25");
    assert_eq!(days(&["2026-08-10", "6/5/2027"]).0, "2026-08-10 6/5/2027");
}

#[test]
fn other_words_for_true_and_false_are_read_and_others_are_not() {
    for (yes, no) in [
        ("1", "0"),
        ("Y", "N"),
        ("yes", "NO"),
        ("TRUE", "FALSE"),
        ("ja", "nej"),
    ] {
        let users = export()
            .replace("users.csv", ",true,", &format!(",{yes},"))
            .replace("users.csv", ",false,", &format!(",{no},"));
        assert_eq!(users.bodies(), export().bodies());
    }
    for word in ["maybe", "2", "-1", "x"] {
        let users = export().replace("users.csv", "x1,active,true", &format!("x1,active,{word}"));
        assert_eq!(users.faults(), ["VALUE_UNKNOWN users.csv:10 enabledUser"]);
    }
}

/// Cells of letters, blanks and everything that needs quotation marks.
fn cell() -> impl Strategy<Value = String> {
    let letters = prop::sample::select("aZ0æøåÆØÅéü ,;\t\"'\n.-/".chars().collect::<Vec<_>>());
    prop::collection::vec(letters, 0..12).prop_map(|letters| letters.into_iter().collect())
}

pub(super) fn spelling() -> impl Strategy<Value = Spelling> {
    prop::sample::select(Spelling::all().collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn any_table_in_any_spelling_gives_its_rows(
        cells in prop::collection::vec(prop::collection::vec(cell(), 5), 0..8),
        order in Just(vec![0usize, 1, 2, 3, 4, 5]).prop_shuffle(),
        spelling in spelling(),
    ) {
        let names = ["sourcedId", "STATUS", "name", "Type", "identifier", "metadata.x"];
        let whole: Vec<Vec<String>> = (0..)
            .zip(&cells)
            .map(|(number, row): (u32, _)| {
                let mut row = row.clone();
                row[0] = format!("n{number}");
                row.push("x".to_owned());
                row
            })
            .collect();
        let header = names.map(str::to_owned).to_vec();
        let turned = |row: &Vec<String>| order.iter().map(|at| row[*at].clone()).collect();
        let rows: Vec<Vec<String>> = std::iter::once(&header).chain(&whole).map(turned).collect();
        let (read, faults, _) = read(&ORGS, spelling.write(&rows));
        prop_assert_eq!(faults, Vec::<String>::new());
        let expected: Vec<Vec<String>> = whole
            .iter()
            .map(|row| row[..5].iter().map(|cell| cell.trim().to_owned()).collect())
            .collect();
        prop_assert_eq!(read, expected);
    }

    /// Text of any script, in the encodings that can hold it.
    #[test]
    fn any_letters_are_kept(name in "\\PC{0,20}", spelling in spelling()) {
        prop_assume!(spelling.encoding != "windows-1252");
        let row = ["n1", "", &name, "school", ""].map(str::to_owned).to_vec();
        let header = ["sourcedId", "status", "name", "type", "identifier"].map(str::to_owned).to_vec();
        let (rows, faults, _) = read(&ORGS, spelling.write(&[header, row]));
        prop_assert_eq!(faults, Vec::<String>::new());
        prop_assert_eq!(&rows[0][2], name.trim());
    }

    #[test]
    fn no_bytes_after_a_mark_or_header_make_the_reader_panic(
        start in prop::sample::select(vec![
            &b""[..], b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"s\0o\0u\0r\0", b"\0s\0o\0u\0r",
            b"sourcedId;status;name;type;identifier\r", b"sep=;\n",
            b"sourcedId,status,title,type,startDate,endDate,parentSourcedId\nx,,,,8/10/2026,",
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let bytes = [start, &bytes].concat();
        for layout in [&ORGS, &SESSIONS] {
            read(layout, bytes.clone());
        }
        drop(Roster::from_zip(bytes, TODAY));
    }
}
