//! Tables that were cut or garbled.

use proptest::prelude::*;

use super::super::reader::layout::{ORGS, USERS};
use super::export::export;
use super::forms::{read, rows_of, spelling, utf16};

/// What is wrong with `orgs.csv`, and what must be said.
#[test]
fn a_row_with_more_cells_a_row_in_two_halves_and_a_cut_file_are_told() {
    let told = |text: &str| read(&ORGS, text.as_bytes().to_vec()).1;
    let header = "sourcedId,status,name,type,identifier\n";
    for (rows, expected) in [
        ("sk1,,Å,school,1,2\n", "FIELD_COUNT_WRONG orgs.csv:2"),
        ("sk1,,Å,school,1,,2\n", "FIELD_COUNT_WRONG orgs.csv:2"),
        // A line break without quotation marks, in the fourth field.
        (
            "a,,A,school,1\nsk1,,Åskolen,sch\nool,1\n",
            "FIELD_COUNT_WRONG orgs.csv:3",
        ),
        // Cut in a quoted field, in any field, and after a separator.
        (
            "a,,A,school,1\nsk1,,\"Å\nb,,B,school,1\n",
            "FILE_CUT_SHORT orgs.csv:3",
        ),
        ("sk1,,\"Åsko", "FILE_CUT_SHORT orgs.csv:2"),
        ("sk1,,\"Å\n\"\"", "FILE_CUT_SHORT orgs.csv:2"),
        ("sk1,,Åsko", "FILE_CUT_SHORT orgs.csv:2"),
        ("a,,A,school,1\nsk1,", "FILE_CUT_SHORT orgs.csv:3"),
        ("sk1", "FILE_CUT_SHORT orgs.csv:2"),
    ] {
        assert_eq!(told(&format!("{header}{rows}")), [expected], "{rows:?}");
        let cr = format!("{header}{rows}").replace('\n', "\r");
        let cr = read(&ORGS, cr.into_bytes()).1;
        let code = expected.split(' ').next().unwrap();
        assert!(cr[0].starts_with(code), "{rows:?}: {cr:?}");
    }
    for whole in [
        "sk1,,Å,school,1",
        "sk1,,\"Å\nskolen\",school,\"\"",
        "sk1,,\"Å\"\"\",school,1",
    ] {
        assert_eq!(told(&format!("{header}{whole}")), [""; 0], "{whole:?}");
    }
    // A character of which the end is missing.
    let mut half = format!("{header}a,,Å,school,1\nsk1,,Skole,school,Å").into_bytes();
    half.pop();
    assert_eq!(read(&ORGS, half).1, ["FILE_CUT_SHORT orgs.csv"]);
    let mut half = utf16(&format!("\u{feff}{header}a,,Å,school,1\n"), false);
    half.pop();
    assert_eq!(read(&ORGS, half).1, ["FILE_CUT_SHORT orgs.csv"]);
}

#[test]
fn bytes_that_are_text_in_no_encoding_that_is_read_are_refused() {
    let header = "sourcedId,status,name,type,identifier\n".as_bytes();
    let unknown = ["ENCODING_UNKNOWN orgs.csv"];
    // "Åse", "Øre", "Bø" and "Skågård" as DOS and old Macs write them, and a byte nobody writes.
    for name in [
        &b"\x8fse"[..],
        b"\x9dre",
        b"Sk\x86g\x86rd",
        b"\x81se",
        b"Sk\x8cg\x8crd B\xbfgeg\xbfrd",
        b"B\xf8\0",
    ] {
        let rows = [header, b"sk1,,", name, b",school,1\n"].concat();
        assert_eq!(read(&ORGS, rows).1, unknown, "{name:?}");
    }
    let mut wide = vec![0xff, 0xfe, 0, 0];
    wide.extend("sourcedId".chars().flat_map(|c| u32::from(c).to_le_bytes()));
    assert_eq!(read(&ORGS, wide).1, unknown);
    let mut half = utf16("\u{feff}sourcedId,status,name,type,identifier\n", false);
    half.extend([0x00, 0xd8, b'x', 0]);
    assert_eq!(read(&ORGS, half).1, unknown);
    // A single byte that is no UTF-8 makes one row faulty, not a whole file another encoding.
    let mixed = [
        header,
        "sk1,,Å,school,1\nsk2,,".as_bytes(),
        b"\xc5,school,1\n",
    ]
    .concat();
    assert_eq!(read(&ORGS, mixed).1, ["UTF8_INVALID orgs.csv:3 name"]);
}

proptest! {
    /// A file that is cut anywhere is never read as a whole one, unless it was cut between two rows
    /// or in the last field of a row.
    #[test]
    fn a_cut_file_is_told(at in any::<prop::sample::Index>(), spelling in spelling()) {
        let rows = rows_of(&String::from_utf8(export().0["users.csv"].clone()).unwrap());
        let bytes = spelling.write(&rows);
        let end = at.index(bytes.len());
        let (read, faults, _) = read(&USERS, bytes[..end].to_vec());
        let whole: Vec<&String> = rows.iter().skip(1).flat_map(|row| row.first()).collect();
        prop_assert!(read.iter().zip(whole).all(|(row, id)| row[0] == *id));
        let full = read.iter().zip(rows.iter().skip(1)).all(|(row, whole)| row[6] == whole[7]);
        prop_assert!(full || !faults.is_empty(), "{:?} {:?}", read, faults);
    }
}
