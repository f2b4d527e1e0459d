//! What an export of STIL becomes, and which files are refused. All names are invented.

mod guardians;

use std::fs;
use std::io::{Read, Seek};

use planledger_core::domain::Command;
use planledger_core::domain::person::{PersonCommand, Role};
use planledger_core::domain::team::TeamCommand;
use proptest::prelude::*;

use super::{Converted, convert};
use crate::import::fault::{FaultCode, ImportFault};
use crate::import::{ImportedCommand, Roster, Terms};

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 24);

/// The newer namespaces, inside of a SOAP envelope.
const NEWER: &str = include_str!("tests/small-7.xml");
/// The older namespaces: a full package with what must not be read.
const OLDER: &str = include_str!("tests/full-old.xml");
/// The newer namespaces: a full package with contact persons of every kind.
const FULL: &str = include_str!("tests/full-7.xml");

fn converted(bytes: &[u8]) -> Result<Converted, ImportFault> {
    convert([("skole.xml".to_owned(), bytes)], false)
}

fn refused(text: &str) -> ImportFault {
    converted(text.as_bytes()).err().unwrap()
}

/// The rows of each table, without the header.
fn table(export: Converted, name: &str) -> Vec<String> {
    let found = export.tables.into_iter().find(|(file, _)| *file == name);
    let (_, mut file) = found.unwrap();
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text.lines().skip(1).map(str::to_owned).collect()
}

fn rows(text: &str, name: &str) -> Vec<String> {
    table(converted(text.as_bytes()).unwrap(), name)
}

fn roster(text: &str) -> Roster {
    Roster::from_converted(converted(text.as_bytes()).unwrap(), TODAY).unwrap()
}

/// A roster of which this share of rows may be bad.
fn roster_allowing(text: &str, bad_rows: u8) -> Roster {
    let terms = Terms {
        today: TODAY,
        bad_rows,
    };
    Roster::from_converted(converted(text.as_bytes()).unwrap(), terms).unwrap()
}

fn commands(text: &str) -> Vec<Command> {
    let mut roster = roster(text);
    let commands = roster
        .commands()
        .collect::<Result<Vec<ImportedCommand>, _>>();
    commands.unwrap().into_iter().map(|it| it.command).collect()
}

#[test]
fn a_small_export_becomes_tables() {
    assert_eq!(rows(NEWER, "orgs.csv"), ["A01001,,Ærøskolen,school,A01001"]);
    assert_eq!(
        rows(NEWER, "academicSessions.csv"),
        ["2026-2027,,2026-2027,schoolYear,2026-08-01,2027-07-31,"]
    );
    assert_eq!(
        rows(NEWER, "classes.csv"),
        [
            "A01001:group:4x,,4. x,,,A01001,2026-2027,",
            "A01001:group:mat,,Matematik & natur,,,A01001,2026-2027,",
            "A01001:group:forbi,,Gammelt hold,,,A01001,2026-2027,",
        ]
    );
    assert_eq!(
        rows(NEWER, "users.csv"),
        [
            "ebbe1234,,true,{unilogin:ebbe1234},Ebbe,Rønn,,4",
            "tove1234,,true,{unilogin:tove1234},Tove,Ask,,",
            "palle123,,true,{unilogin:palle123},Pælle,Østergård,,",
            "lone1234,,true,{unilogin:lone1234},Lone,Elm,,",
            "karl1234,,true,{unilogin:karl1234},Karl,Bøg,,",
            "eva12345,,true,{unilogin:eva12345},Eva,Lund,,",
        ]
    );
    let roles = rows(NEWER, "roles.csv");
    let roles = roles.iter().map(|row| row.split(',').collect::<Vec<_>>());
    let roles: Vec<_> = roles
        .map(|row| (row[2].to_owned(), row[3].to_owned(), row[4].to_owned()))
        .collect();
    let role = |user: &str, kind: &str, role: &str| (user.into(), kind.into(), role.into());
    assert_eq!(
        roles,
        [
            role("ebbe1234", "primary", "student"),
            role("tove1234", "primary", "teacher"),
            role("tove1234", "secondary", "administrator"),
            role("palle123", "primary", "aide"),
            role("lone1234", "primary", "administrator"),
            role("karl1234", "primary", "other"),
            role("eva12345", "primary", "other"),
        ]
    );
    let places = rows(NEWER, "enrollments.csv");
    let places = places.iter().map(|row| row.split_once(",,").unwrap().1);
    assert_eq!(
        places.collect::<Vec<_>>(),
        [
            "A01001:group:4x,ebbe1234,student,,2026-08-01,",
            "A01001:group:mat,ebbe1234,student,,,",
            "A01001:group:forbi,ebbe1234,student,,,2026-09-30",
            "A01001:group:4x,tove1234,teacher,,2026-08-01,",
            "A01001:group:4x,palle123,aide,,2026-08-01,",
            "A01001:group:4x,eva12345,proctor,,2026-08-01,",
        ]
    );
}

#[test]
fn it_goes_in_and_says_nothing_of_guardians() {
    let mut roster = roster(NEWER);
    assert!(
        roster.passed_over().is_empty(),
        "{:?}",
        roster.passed_over()
    );
    assert_eq!(
        roster.system_code().unwrap().unwrap().as_str(),
        "UNI-Login A01001"
    );
    let notes = roster.notes().join("\n");
    for said in [
        "STIL",
        "no export names contact persons",
        "guardians stay",
        "1 groups of type SFO",
        "1 groups of type Årgang",
    ] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    let commands = commands(NEWER);
    assert_eq!(commands.len() as u64, roster.summary().commands);
    let persons = commands.iter().filter_map(|command| match command {
        Command::Person(
            _,
            PersonCommand::Put {
                name, affiliations, ..
            },
        ) => {
            let roles = affiliations.iter().map(|at| at.role);
            Some((name.as_str().to_owned(), roles.collect::<Vec<_>>()))
        }
        Command::Person(..) => panic!("only persons are put"),
        _ => None,
    });
    let persons: Vec<_> = persons.collect();
    assert_eq!(persons.len(), 6);
    assert_eq!(persons[0], ("Ebbe Rønn".to_owned(), vec![Role::Student]));
    assert_eq!(
        persons[2],
        ("Pælle Østergård".to_owned(), vec![Role::Pedagogue])
    );
    let teams = commands.iter().filter_map(|command| match command {
        Command::Team(
            _,
            TeamCommand::Put {
                details,
                members,
                staff,
                closed,
                ..
            },
        ) => {
            assert!(!closed && details.school_year.is_some());
            Some((details.title.as_str(), members.len(), staff.len()))
        }
        _ => None,
    });
    let teams: Vec<_> = teams.collect();
    // Places in a group whose last day is over have ended; the group itself is no departure.
    assert_eq!(
        teams,
        [
            ("4. x", 1, 2),
            ("Matematik & natur", 1, 0),
            ("Gammelt hold", 0, 0)
        ]
    );
}

#[test]
fn a_cpr_number_in_a_file_is_nowhere_in_the_tables() {
    assert!(OLDER.contains("0102031234") && OLDER.contains("010203-1234"));
    let export = converted(OLDER.as_bytes()).unwrap();
    let notes = export.notes.join("\n");
    assert!(notes.contains("1 contact persons do not have custody"));
    assert!(notes.contains("more than the small"));
    assert!(export.passed_over.is_empty());
    assert_eq!(export.tables.len(), 7);
    for (_, mut file) in export.tables {
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        for never in ["0102031234", "010203-1234", "12345678", "Skolevej", "Holm"] {
            assert!(!text.contains(never), "{never}");
        }
    }
    let mut users = rows(OLDER, "users.csv");
    users.sort();
    // Whose name is protected is called by the other name.
    assert_eq!(
        users,
        [
            "esther12,,true,{unilogin:esther12},Stella,Dahl,,0",
            "gry12345,,true,{unilogin:gry12345},Gry,,,",
            "troels12,,true,{unilogin:troels12},Troels Bøg,,,",
        ]
    );
    assert!(roster(OLDER).passed_over().is_empty());
}

#[test]
fn a_file_is_read_in_the_encoding_that_it_says() {
    let whole = rows(NEWER, "users.csv");
    for label in ["ISO-8859-1", "windows-1252"] {
        let text = NEWER.replace("UTF-8", label);
        let (bytes, _, lost) = encoding_rs::WINDOWS_1252.encode(&text);
        assert!(!lost);
        assert_eq!(
            table(converted(&bytes).unwrap(), "users.csv"),
            whole,
            "{label}"
        );
    }
    let wide: Vec<u8> = "\u{feff}"
        .encode_utf16()
        .chain(NEWER.replace("UTF-8", "UTF-16").encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(table(converted(&wide).unwrap(), "users.csv"), whole);
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(NEWER);
    assert_eq!(
        converted(&bytes).err().unwrap().code,
        FaultCode::EncodingUnknown
    );
    let text = NEWER.replace("UTF-8", "EBCDIC-DK");
    assert_eq!(refused(&text).code, FaultCode::EncodingUnknown);
}

#[test]
fn what_no_export_holds_is_refused_with_its_line() {
    let dtd = "<?xml version=\"1.0\"?>\n<!DOCTYPE x [<!ENTITY a \"b\">]>\n<UNILoginExportSmall/>";
    assert_eq!(
        (refused(dtd).code, refused(dtd).row),
        (FaultCode::XmlDtdRefused, Some(2))
    );
    let entity = NEWER.replace("Ærøskolen", "&navn;");
    assert_eq!(refused(&entity).code, FaultCode::XmlDtdRefused);
    let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
    for (text, code) in [
        ("<html><body/></html>", FaultCode::XmlNotStil),
        (
            "<UNILoginExport></UNILoginExportSmall>",
            FaultCode::XmlInvalid,
        ),
        ("<UNILoginExport/><UNILoginExport/>", FaultCode::XmlInvalid),
        ("<UNILoginExport/>x", FaultCode::XmlInvalid),
        ("<UNILoginExport a='1' a='2'/>", FaultCode::XmlInvalid),
        (deep.as_str(), FaultCode::XmlInvalid),
        ("", FaultCode::FileCutShort),
    ] {
        assert_eq!(refused(text).code, code, "{text}");
    }
    let year = refused(&NEWER.replace("2026-2027", "2026-2028"));
    assert_eq!(year.code, FaultCode::ValueUnknown);
    assert_eq!((year.file.as_ref(), year.row), ("skole.xml", Some(6)));
    let number = NEWER.replace("InstitutionNumber>", "InstitutionNr>");
    assert_eq!(refused(&number).code, FaultCode::ValueMissing);
    let long = NEWER.replace("Ærøskolen", &"æ".repeat(1 << 16));
    assert_eq!(refused(&long).code, FaultCode::TextTooLong);
}

/// The line of a text on which `wanted` stands.
fn line_of(text: &str, wanted: &str) -> u64 {
    let number = text.lines().position(|line| line.contains(wanted));
    number.unwrap() as u64 + 1
}

#[test]
fn each_command_names_the_file_and_the_line_of_its_element() {
    let files = [("a.xml", NEWER), ("b.xml", FULL)];
    let named = files.map(|(name, text)| (name.to_owned(), text.as_bytes()));
    let mut roster = Roster::from_converted(convert(named, true).unwrap(), TODAY).unwrap();
    let mut seen = 0;
    for imported in roster.commands() {
        let imported = imported.unwrap();
        let (_, text) = files
            .iter()
            .find(|(name, _)| *name == imported.file)
            .unwrap();
        let row = usize::try_from(imported.row).unwrap();
        let line = text.lines().nth(row - 1).unwrap();
        let elements: &[&str] = match imported.command {
            Command::SchoolYear(..) => &["ImportSource"],
            Command::Institution(..) => &["Institution>", "Institution "],
            Command::Person(..) => &["InstitutionPerson", "ContactPerson"],
            Command::Team(..) => &["Group"],
            ref other => panic!("{other:?}"),
        };
        assert!(
            elements.iter().any(|element| line.contains(element)),
            "{line}"
        );
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn what_is_passed_over_is_told_of_the_xml_and_counted_by_the_rows_of_its_tables() {
    // Somebody without a login, and a teacher of a group that there is not.
    let bad = NEWER.replace("<c:UserId>ebbe1234</c:UserId>", "").replace(
        "<c:ShortName>TA</c:ShortName>",
        "<c:GroupId>væk</c:GroupId>",
    );
    let lines = [line_of(&bad, "Ebbe") - 1, line_of(&bad, "Tove") - 1];
    let flat = bad.replace('\n', " ").replace("?> <", "?><");
    let of = |text: &str| {
        let found = roster_allowing(text, 100);
        // Nobody is missing while the row of a person has no id.
        assert!(found.hides_persons() && !found.hides_classes());
        let notes = found.notes().join("\n");
        assert!(!notes.contains(".csv"), "{notes}");
        let told = found.passed_over().iter().map(|passed| {
            let fault = &passed.fault;
            assert_eq!(fault.file, "skole.xml", "{fault}");
            assert!(!fault.to_string().contains(".csv"), "{fault}");
            (fault.row.unwrap(), fault.field.clone().unwrap())
        });
        (told.collect::<Vec<_>>(), found.summary().bad_passed_over)
    };
    let (told, count) = of(&bad);
    assert!(
        told.iter().all(|(line, _)| lines.contains(line)),
        "{told:?}"
    );
    assert!(told.contains(&(lines[0], "UserId".to_owned())), "{told:?}");
    assert!(told.contains(&(lines[1], "GroupId".to_owned())), "{told:?}");
    // On one line they are as many as on several.
    let (flatly, same) = of(&flat);
    assert!(flatly.iter().all(|(line, _)| *line == 1), "{flatly:?}");
    assert_eq!((flatly.len(), same), (told.len(), count));

    let nobody = NEWER.replace("c:UserId>", "c:Nobody>");
    let stopped = Roster::from_converted(converted(nobody.as_bytes()).unwrap(), TODAY);
    let said = stopped.err().unwrap().to_string();
    assert!(
        said.contains("skole.xml, at InstitutionPerson: 6 of 6 rows"),
        "{said}"
    );
    assert!(!said.contains(".csv"), "{said}");
}

#[test]
fn the_exports_in_a_folder_are_one_roster_and_who_works_at_two_schools_is_one_person() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.xml"), NEWER).unwrap();
    let there = NEWER
        .replace("A01001", "B02002")
        .replace("Ærøskolen", "Birkeskolen");
    let there = there
        .replace("ebbe1234", "oskar123")
        .replace("Ebbe", "Oskar");
    fs::write(folder.path().join("b.xml"), there).unwrap();
    let mut roster = Roster::open(folder.path(), TODAY).unwrap();
    let summary = roster.summary();
    assert_eq!(
        (summary.institutions, summary.persons(), summary.teams),
        (2, 7, 6)
    );
    assert_eq!(roster.system_code().unwrap().unwrap().as_str(), "UNI-Login");
    assert!(
        roster.passed_over().is_empty(),
        "{:?}",
        roster.passed_over()
    );
    fs::write(folder.path().join("c.xml"), "<UNILoginExport>").unwrap();
    let faults = Roster::open(folder.path(), TODAY).err().unwrap();
    let fault = &faults.faults()[0];
    assert_eq!(
        (fault.code, fault.file.as_ref()),
        (FaultCode::FileCutShort, "c.xml")
    );
}

proptest! {
    #[test]
    fn a_file_that_is_cut_anywhere_is_refused(
        text in prop::sample::select(vec![NEWER, OLDER, FULL]),
        at: prop::sample::Index,
    ) {
        let whole = text.trim_end().as_bytes();
        let fault = converted(&whole[..at.index(whole.len())]).err();
        // Cut inside of the closing tag of a tag that it begins with, it is no XML at all.
        let codes = [FaultCode::FileCutShort, FaultCode::XmlInvalid];
        prop_assert!(fault.is_some_and(|fault| codes.contains(&fault.code)));
    }

    #[test]
    fn no_bytes_make_it_panic(
        text in prop::sample::select(vec![NEWER, OLDER, FULL]),
        at: prop::sample::Index,
        byte: u8,
        bytes: Vec<u8>,
    ) {
        let mut text = text.as_bytes().to_vec();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(export) = converted(&text) {
            let _ = Roster::from_converted(export, TODAY);
        }
        let _ = converted(&bytes);
    }
}
