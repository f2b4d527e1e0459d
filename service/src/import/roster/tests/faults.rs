//! What is said about bad rosters, and that no bytes bring the reader down.

use std::path::Path;

use proptest::prelude::*;

use super::super::{FILES, ImportFaults, Roster, reader};
use super::TODAY;
use super::export::{Export, all, describe, export};
use crate::import::fault::FaultCode;

/// The files of the small export.
const TABLES: &[&str] = &[
    "manifest.csv",
    "orgs.csv",
    "academicSessions.csv",
    "courses.csv",
    "classes.csv",
    "users.csv",
    "enrollments.csv",
];

/// What must be said first | what the file holds | what is put there instead.
const CASES: &str = r#"
HEADER_MISSING orgs.csv:1 | sourcedId,status,name,type,identifier\n |
COLUMN_MISSING users.csv:1 familyName | ,familyName, | ,efternavn,
COLUMN_DUPLICATED users.csv:1 role | ,grades\n | ,role\n
FIELD_COUNT_WRONG orgs.csv:3 | Åskolen,school | Åskolen,ny,school
VALUE_MISSING orgs.csv:3 name | sk1,active,Åskolen | sk1,active,
VALUE_UNKNOWN orgs.csv:3 status | sk1,active | sk1,aktiv
VALUE_UNKNOWN orgs.csv:3 type | Åskolen,school | Åskolen,skole
VALUE_UNKNOWN users.csv:10 role | sk1,proctor | sk1,rektor
VALUE_UNKNOWN users.csv:10 enabledUser | x1,active,true | x1,active,måske
VALUE_MISSING users.csv:10 enabledUser | x1,active,true | x1,active,
VALUE_MISSING users.csv:9 orgSourcedIds | true,kom, | true,,
VALUE_MISSING users.csv:10 givenName | Noah,Dam | ,
VALUE_UNKNOWN enrollments.csv:2 role | e1,student | e1,elev
VALUE_UNKNOWN enrollments.csv:7 primary | p1,aide,true | p1,aide,måske
DATE_INVALID enrollments.csv:6 endDate | 2026-11-24 | 24-11-26
DATE_INVALID academicSessions.csv:3 endDate | 2027-06-25 | 2027-02-29
DATE_INVALID academicSessions.csv:3 endDate | 2027-06-25 | 2101-01-01
DATE_INVALID academicSessions.csv:3 startDate | schoolYear,2026-08-10 | schoolYear,1989-12-31
DATES_REVERSED academicSessions.csv:3 endDate | 2027-06-25 | 2026-08-09
TEXT_TOO_LONG classes.csv:2 title | 7.b dansk | {long}
CPR_FOUND classes.csv:2 title | 7.b dansk | 7.b 010203-1234
CPR_FOUND users.csv:10 familyName | Noah,Dam | Noah,0102031234
CPR_FOUND users.csv:10 givenName | Noah,Dam | 010203,1234
CPR_FOUND users.csv:10 sourcedId | x1,active | 010203-1234,active
VALUE_MISSING users.csv:10 sourcedId | x1,active | ,active
TEXT_TOO_LONG users.csv:10 sourcedId | x1,active | {long},active
TEXT_CONTROL_CHARACTER users.csv:10 sourcedId | x1,active | x{bell}1,active
CPR_FOUND users.csv:2 grades | "f1,l1",07 | "f1,l1",0102031234
CPR_FOUND orgs.csv:3 identifier | 101001 | 010203-1234
ID_DUPLICATED orgs.csv:4 sourcedId | \nsk2, | \nsk1,
ID_DUPLICATED academicSessions.csv:3 sourcedId | \nt1, | \ny1,
ID_DUPLICATED courses.csv:3 sourcedId | \ntom, | \ndan,
ID_DUPLICATED classes.csv:3 sourcedId | \n9x, | \n7b,
ID_DUPLICATED users.csv:10 sourcedId | \nx1, | \nd1,
ID_DUPLICATED enrollments.csv:11 sourcedId | \nn10, | \nn1,
REFERENCE_CYCLE academicSessions.csv:2 parentSourcedId | ,y1\n | ,t1\n
REFERENCE_DANGLING courses.csv:3 schoolYearSourcedId | tom,active,y1 | tom,active,y9
REFERENCE_DANGLING classes.csv:2 schoolSourcedId | ,dan,,sk1 | ,dan,,sk9
REFERENCE_DANGLING classes.csv:2 termSourcedIds | ,sk1,t1 | ,sk1,t9
REFERENCE_DANGLING users.csv:5 orgSourcedIds | "sk1,sk2" | "sk1,sk9"
REFERENCE_DANGLING enrollments.csv:2 classSourcedId | 7b,e1 | 7z,e1
REFERENCE_DANGLING enrollments.csv:2 userSourcedId | 7b,e1 | 7b,e9
VERSION_UNSUPPORTED manifest.csv:2 value | version,1.1 | version,2.0
VALUE_UNKNOWN manifest.csv:3 value | users,bulk | users,alt
"#;

#[test]
fn each_fault_is_told_with_its_code_file_row_and_field() {
    let long = "x".repeat(301);
    let unescape = |text: &str| {
        let text = text.strip_prefix(' ').unwrap_or(text).replace("\\n", "\n");
        text.replace("{long}", &long).replace("{bell}", "\u{7}")
    };
    for case in CASES.trim().lines() {
        let [expected, from, to] = case.split(" |").collect::<Vec<_>>().try_into().unwrap();
        let place = expected.split(' ').nth(1).unwrap();
        let file = FILES.iter().find(|file| place.starts_with(**file)).unwrap();
        let changed = export().replace(file, &unescape(from), &unescape(to));
        let faults = changed.faults();
        assert_eq!(faults.first().unwrap(), expected, "{case}: {faults:?}");
        for fault in changed.strict().err().unwrap().faults() {
            // What is wrong; what to do.
            assert!(fault.message.contains("; "), "{fault}");
        }
    }
}

#[test]
fn files_that_are_missing_or_empty_are_named_all_at_once() {
    let mut few = export();
    few.0.remove("users.csv");
    few.0.remove("orgs.csv");
    assert_eq!(
        few.faults(),
        ["FILE_MISSING orgs.csv", "FILE_MISSING users.csv"]
    );
    let empty = Export(
        [("orgs.csv", Vec::new())]
            .into_iter()
            .chain(export().0.into_iter().filter(|f| f.0 != "orgs.csv"))
            .collect(),
    );
    assert_eq!(empty.faults().first().unwrap(), "HEADER_MISSING orgs.csv:1");
    let nowhere = Roster::open(Path::new("no/such/export.zip"), TODAY)
        .err()
        .unwrap();
    assert_eq!(describe(&nowhere.faults()[0]), "FILE_MISSING export.zip");
    let mut no_manifest = export();
    no_manifest.0.remove("manifest.csv");
    assert_eq!(no_manifest.bodies(), export().bodies());
}

#[test]
fn bytes_that_are_not_utf8_are_refused_in_every_column() {
    let mut latin = export();
    let users = latin.0.get_mut("users.csv").unwrap();
    let place = users
        .windows(3)
        .position(|w| w == "Åse".as_bytes().get(..3).unwrap())
        .unwrap();
    users.splice(place..place + 2, [0xc5]);
    assert_eq!(
        latin.faults().first().unwrap(),
        "UTF8_INVALID users.csv:2 givenName"
    );
    let mut unused = export();
    let manifest = [
        "extra,propertyName,value\nÅ,a,b\n".as_bytes(),
        b"\xff,a,b\n",
    ]
    .concat();
    unused.0.insert("manifest.csv", manifest);
    assert_eq!(unused.faults(), ["UTF8_INVALID manifest.csv:3 1"]);
}

#[test]
fn all_faults_are_told_at_once_but_not_without_end() {
    let two =
        export()
            .replace("orgs.csv", "Åskolen", "")
            .replace("users.csv", "sk1,proctor", "sk1,x");
    let told = two.faults();
    for fault in [
        "VALUE_MISSING orgs.csv:3 name",
        "VALUE_UNKNOWN users.csv:10 role",
    ] {
        assert!(told.iter().any(|told| told == fault), "{told:?}");
    }
    let row = "n,active,7z,e9,student,false,\n";
    let mut many = export();
    many.0
        .get_mut("enrollments.csv")
        .unwrap()
        .extend(row.repeat(1_000).bytes());
    let faults = many.open().err().unwrap();
    assert_eq!(faults.faults().len(), ImportFaults::LIMIT);
    assert!(faults.is_cut_short());
}

#[test]
fn faults_never_repeat_what_the_files_hold() {
    let secret = "010203-1234 Hemmeligt-Navn";
    let bad = export()
        .replace(
            "users.csv",
            "x1,active,true,sk1,proctor,Noah,Dam",
            &[secret; 7].join(","),
        )
        .replace("orgs.csv", "Åskolen,school", &format!("{secret},{secret}"));
    let faults = bad.strict().err().unwrap();
    assert!(faults.faults().len() > 3);
    let headless = export()
        .replace("manifest.csv", "propertyName,value", secret)
        .open();
    let told = format!("{faults} {faults:?} {:?}", headless.err().unwrap());
    assert!(
        !told.contains("010203") && !told.contains("Hemmeligt"),
        "{told}"
    );
}

#[test]
fn numbers_of_columns_that_are_not_stored_are_not_looked_at() {
    let users = export().replace("users.csv", ",grades\n", ",grades,username\n");
    let users = users.replace("users.csv", ",07\n", ",07,010203-1234\n");
    let users = users.replace("users.csv", ",,\n", ",,,0102031234\n");
    assert_eq!(users.bodies(), export().bodies());
}

#[test]
fn an_archive_that_unpacks_without_end_is_stopped() {
    let mut bomb = export().replace("users.csv", ",grades\n", ",grades,fill\n");
    bomb = bomb
        .replace("users.csv", ",07\n", ",07,\n")
        .replace("users.csv", ",,\n", ",,,\n");
    let users = bomb.0.get_mut("users.csv").unwrap();
    let fill = "x".repeat(1_000_000);
    for number in 0..=reader::meter::FILE_LIMIT / 1_000_000 {
        users.extend(format!("u{number},,true,sk1,proctor,A,B,,,{fill}\n").bytes());
    }
    let zip = bomb.zip("");
    assert!(zip.len() < 1 << 20);
    let faults = Roster::from_zip(zip, TODAY).err().unwrap();
    assert_eq!(describe(&faults.faults()[0]), "FILE_TOO_LARGE users.csv");
}

#[test]
fn a_quotation_mark_that_is_never_closed_is_stopped_and_told() {
    let mut open = export().replace("users.csv", "Noah", "\"Noah");
    open.0
        .get_mut("users.csv")
        .unwrap()
        .extend(vec![b'x'; 3 << 20]);
    assert_eq!(open.faults().first().unwrap(), "ROW_TOO_LONG users.csv:10");
}

#[test]
fn only_known_names_at_the_top_of_an_archive_are_read() {
    let faults = Roster::from_zip(export().zip("../"), TODAY).err().unwrap();
    assert!(
        faults
            .faults()
            .iter()
            .all(|fault| fault.code == FaultCode::FileMissing)
    );
}

#[test]
fn damaged_archives_are_told_apart_from_bad_tables() {
    let good = export().zip("");
    let faults = Roster::from_zip(b"PK not a zip".to_vec(), TODAY)
        .err()
        .unwrap();
    assert_eq!(faults.faults()[0].code, FaultCode::ArchiveInvalid);
    // One bit of packed data: the check sum finds it, if inflating does not.
    let name = b"orgs.csv";
    let start = good
        .windows(name.len())
        .position(|window| window == name)
        .unwrap();
    let mut flipped = good;
    flipped[start + name.len() + 20] ^= 0x10;
    let faults = Roster::from_zip(flipped, TODAY).err().unwrap();
    assert!(
        faults.faults().iter().any(|fault| fault.file == "orgs.csv"),
        "{faults}"
    );
}

#[test]
fn a_file_that_changes_between_check_and_import_stops_the_import() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in &export().0 {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let mut roster = Roster::open(folder.path(), TODAY).unwrap();
    let changed = export().replace("classes.csv", "\n7b,", "\n8b,");
    std::fs::write(folder.path().join("classes.csv"), &changed.0["classes.csv"]).unwrap();
    let items: Vec<_> = roster.commands().collect();
    let fault = items.last().unwrap().as_ref().unwrap_err();
    assert_eq!(describe(fault), "FILE_CHANGED classes.csv:2 sourcedId");
    assert!(items.iter().rev().skip(1).all(Result::is_ok));
    assert_eq!(items.len(), 17, "nothing comes after it");
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(
        file in prop::sample::select(TABLES),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        keep_header in any::<bool>(),
    ) {
        let mut changed = export();
        let slot = changed.0.get_mut(file).unwrap();
        let header = slot.iter().position(|b| *b == b'\n').unwrap();
        slot.truncate(if keep_header { header + 1 } else { 0 });
        slot.extend(&bytes);
        drop(changed.open().map(|mut roster| roster.commands().count()));
        drop(Roster::from_zip(bytes, TODAY).map(|mut roster| roster.commands().count()));
    }

    /// Whatever passes the check gives every command that the summary promises, and the reader
    /// of an archive says the same as the reader of the files.
    #[test]
    fn what_passes_the_check_imports_whole(
        file in prop::sample::select(TABLES),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, any::<u8>()), 1..4),
    ) {
        let mut changed = export();
        let bytes = changed.0.get_mut(file).unwrap();
        for (place, kind, byte) in edits {
            let place = place.index(bytes.len());
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ => drop(bytes.remove(place)),
            }
        }
        let zipped = Roster::from_zip(changed.zip(""), TODAY);
        match changed.open() {
            Ok(mut roster) => {
                let commands = all(&mut roster);
                prop_assert_eq!(commands.len() as u64, roster.summary().commands);
                prop_assert_eq!(all(&mut zipped.unwrap()), commands);
            }
            Err(faults) => prop_assert_eq!(zipped.err(), Some(faults)),
        }
    }

    #[test]
    fn no_bytes_in_an_archive_make_the_reader_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = export().zip("");
        for (place, byte) in edits {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        drop(Roster::from_zip(bytes, TODAY).map(|mut roster| roster.commands().count()));
    }
}
