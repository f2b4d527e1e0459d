//! Rosters: what good ones become, and what is said about bad ones.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;

use planledger_core::domain::institution::InstitutionCommand;
use planledger_core::domain::person::PersonCommand;
use planledger_core::domain::team::{StaffRole, TeamCommand};
use planledger_core::ids::PersonId;

use super::*;
use crate::import::{names, sample};

const TODAY: Date = jiff::civil::date(2026, 11, 24);

/// A small export as text, for changing.
#[derive(Clone)]
struct Export(BTreeMap<&'static str, Vec<u8>>);

fn export() -> Export {
    let files = [
        (
            "manifest.csv",
            "propertyName,value\noneroster.version,1.1\nfile.users,bulk\n",
        ),
        (
            "orgs.csv",
            "sourcedId,status,name,type,identifier\n\
             kom,active,Eksempel Kommune,district,101\n\
             sk1,active,Åskolen,school,101001\n\
             sk2,tobedeleted,Lukket Skole,school,\n",
        ),
        (
            "academicSessions.csv",
            "sourcedId,status,title,type,startDate,endDate,parentSourcedId\n\
             t1,active,1. halvår,term,2026-08-10,2027-01-29,y1\n\
             y1,active,2026/27,schoolYear,2026-08-10,2027-06-25,\n",
        ),
        (
            "courses.csv",
            "sourcedId,status,schoolYearSourcedId,courseCode,subjects\n\
             dan,active,y1,DAN,Dansk\n\
             tom,active,y1,,\n",
        ),
        (
            "classes.csv",
            "sourcedId,status,title,courseSourcedId,classCode,schoolSourcedId,termSourcedIds,subjects\n\
             7b,active,7.b dansk,dan,,sk1,t1,\n\
             9x,tobedeleted,9.x,tom,9X,sk1,,\"Historie,Samfundsfag\"\n",
        ),
        (
            "users.csv",
            "sourcedId,status,enabledUser,orgSourcedIds,role,givenName,familyName,agentSourcedIds,grades\n\
             e1,active,true,sk1,student,Åse,Ærø,\"f1,l1\",07\n\
             e2,,true,sk1,student,Bo,,,07\n\
             e3,tobedeleted,true,sk1,student,Ida,Dam,,07\n\
             f1,active,true,\"sk1,sk2\",parent,Carl,Ærø,,\n\
             l1,active,true,sk1,teacher,Nora,Bach,,\n\
             l2,active,false,sk1,teacher,Emil,Gram,,\n\
             p1,active,true,sk1,aide,Rosa,Kjær,,\n\
             d1,active,true,kom,administrator,Ella,Dam,,\n\
             x1,active,true,sk1,proctor,Noah,Dam,,\n",
        ),
        (
            "enrollments.csv",
            "sourcedId,status,classSourcedId,userSourcedId,role,primary,endDate\n\
             n1,active,7b,e1,student,false,\n\
             n2,tobedeleted,7b,e2,student,false,\n\
             n3,active,7b,e3,student,,\n\
             n4,active,7b,l2,teacher,true,\n\
             n5,active,7b,l1,teacher,true,2026-11-24\n\
             n6,active,7b,p1,aide,true,\n\
             n7,active,7b,d1,administrator,false,\n\
             n8,active,9x,e1,student,false,2026-11-23\n\
             n9,active,9x,l1,aide,false,\n\
             n10,active,9x,l1,teacher,false,\n",
        ),
    ];
    Export(
        files
            .map(|(name, text)| (name, text.as_bytes().to_vec()))
            .into(),
    )
}

impl Export {
    /// With every `from` in a file replaced.
    fn replace(mut self, file: &'static str, from: &str, to: &str) -> Self {
        let text = String::from_utf8(self.0[file].clone()).unwrap();
        assert!(text.contains(from), "{file} does not hold {from}");
        self.0.insert(file, text.replace(from, to).into_bytes());
        self
    }

    /// With every file changed.
    fn map(mut self, change: impl Fn(&str) -> Vec<u8>) -> Self {
        for bytes in self.0.values_mut() {
            *bytes = change(std::str::from_utf8(bytes).unwrap());
        }
        self
    }

    fn open(&self) -> Result<Roster, ImportFaults> {
        let files = self
            .0
            .iter()
            .map(|(name, bytes)| (*name, Cow::Owned(bytes.clone())));
        Roster::from_files(files, TODAY)
    }

    fn commands(&self) -> Vec<ImportedCommand> {
        all(&mut self.open().unwrap())
    }

    fn bodies(&self) -> Vec<Command> {
        self.commands()
            .into_iter()
            .map(|imported| imported.command)
            .collect()
    }

    /// What is wrong, as `code file:row field`.
    fn faults(&self) -> Vec<String> {
        let faults = self.open().err().expect("the export has no faults");
        faults.faults().iter().map(describe).collect()
    }

    fn zip(&self, prefix: &str) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in &self.0 {
            let options = zip::write::SimpleFileOptions::default();
            zip.start_file(format!("{prefix}{name}"), options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }
}

fn describe(fault: &ImportFault) -> String {
    let row = fault.row.map(|row| format!(":{row}")).unwrap_or_default();
    let field = fault
        .field
        .as_deref()
        .map(|field| format!(" {field}"))
        .unwrap_or_default();
    format!("{} {}{row}{field}", fault.code, fault.file)
}

fn all(roster: &mut Roster) -> Vec<ImportedCommand> {
    roster.commands().map(Result::unwrap).collect()
}

fn person(id: &str) -> PersonId {
    PersonId::from_uuid(names::derive("oneroster", "user", id))
}

fn team<'c>(commands: &'c [ImportedCommand], title: &str) -> &'c TeamCommand {
    let mut found = commands
        .iter()
        .filter_map(|imported| match &imported.command {
            Command::Team(_, put @ TeamCommand::Put { details, .. }) => {
                (details.title.as_str() == title).then_some(put)
            }
            _ => None,
        });
    found.next().unwrap()
}

mod faults;

#[test]
fn every_kind_of_row_becomes_its_command_after_what_it_names() {
    let mut roster = export().open().unwrap();
    let kinds: Vec<(&str, u64)> = all(&mut roster)
        .iter()
        .map(|imported| (imported.file, imported.row))
        .collect();
    let mut expected = vec![("academicSessions.csv", 3)];
    expected.extend((2..=4).map(|row| ("orgs.csv", row)));
    expected.extend((2..=10).map(|row| ("users.csv", row)));
    expected.extend((2..=4).map(|row| ("users.csv", row)));
    expected.extend((2..=3).map(|row| ("classes.csv", row)));
    assert_eq!(kinds, expected);
    let summary = RosterSummary {
        school_years: 1,
        institutions: 3,
        students: 3,
        guardians: 1,
        teachers: 2,
        pedagogues: 1,
        leaders: 1,
        others: 1,
        departed: 2,
        guardianships: 1,
        teams: 2,
        memberships: 1,
        staff: 4,
        commands: 18,
    };
    assert_eq!(roster.summary(), summary);
}

#[test]
fn names_keep_their_danish_letters_and_places_their_roles() {
    let commands = export().commands();
    let put = |id: &str| {
        commands
            .iter()
            .find_map(|imported| match &imported.command {
                Command::Person(
                    found,
                    PersonCommand::Put {
                        name,
                        affiliations,
                        departed,
                    },
                ) if *found == person(id) => {
                    Some((name.as_str().to_owned(), affiliations.clone(), *departed))
                }
                _ => None,
            })
    };
    let (name, places, departed) = put("e1").unwrap();
    assert_eq!(name, "Åse Ærø");
    assert!(!departed);
    assert_eq!(
        places.first().unwrap().grade.as_ref().unwrap().as_str(),
        "07"
    );
    let (_, places, _) = put("f1").unwrap();
    assert_eq!(places.len(), 2);
    assert!(
        places
            .iter()
            .all(|place| place.role == Role::Guardian && place.grade.is_none())
    );
    assert_eq!(put("e2").unwrap().0, "Bo");
    assert!(put("e3").unwrap().2, "tobedeleted has left");
    assert!(put("l2").unwrap().2, "not enabled has left");
}

#[test]
fn only_guardians_become_guardians_and_every_student_is_told() {
    let puts: Vec<_> = export()
        .bodies()
        .into_iter()
        .filter_map(|command| match command {
            Command::Person(
                id,
                PersonCommand::PutGuardians {
                    guardians,
                    last_day_of_others,
                },
            ) => {
                assert_eq!(last_day_of_others, TODAY);
                Some((
                    id,
                    guardians
                        .into_iter()
                        .map(|g| g.guardian)
                        .collect::<Vec<_>>(),
                ))
            }
            _ => None,
        })
        .collect();
    let expected = [
        (person("e1"), vec![person("f1")]),
        (person("e2"), vec![]),
        (person("e3"), vec![]),
    ];
    assert_eq!(puts, expected);
}

#[test]
fn a_team_has_who_is_enrolled_today_and_the_primary_teacher_who_is_still_there() {
    let commands = export().commands();
    let TeamCommand::Put {
        details,
        members,
        staff,
        owner,
        closed,
    } = team(&commands, "7.b dansk")
    else {
        unreachable!()
    };
    assert_eq!(members.iter().collect::<Vec<_>>(), [&person("e1")]);
    let expected = [
        (person("l1"), StaffRole::Teacher),
        (person("p1"), StaffRole::Pedagogue),
    ]
    .into();
    assert_eq!(*staff, expected);
    assert_eq!(*owner, Some(person("l1")));
    assert!(!closed);
    assert_eq!(details.subject.as_ref().unwrap().as_str(), "Dansk");
    assert_eq!(details.code.as_ref().unwrap().as_str(), "DAN");
    assert!(details.school_year.is_some(), "of its term");
}

#[test]
fn a_class_that_is_gone_closes_and_never_deletes() {
    let commands = export().commands();
    let TeamCommand::Put {
        details,
        members,
        staff,
        owner,
        closed,
    } = team(&commands, "9.x")
    else {
        unreachable!()
    };
    assert!(closed);
    assert!(members.is_empty(), "the enrolment ended yesterday");
    assert_eq!(*staff, [(person("l1"), StaffRole::Teacher)].into());
    assert_eq!(*owner, None);
    assert_eq!(
        details.subject.as_ref().unwrap().as_str(),
        "Historie, Samfundsfag"
    );
    assert_eq!(details.code.as_ref().unwrap().as_str(), "9X");
    assert!(details.school_year.is_some(), "of its course");
    let closed_orgs = commands.iter().filter(|imported| {
        matches!(
            imported.command,
            Command::Institution(_, InstitutionCommand::Put { closed: true, .. })
        )
    });
    assert_eq!(closed_orgs.count(), 1);
}

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
    let title = export().replace("classes.csv", "7.b dansk", "\"7.b\ndansk\"");
    assert_eq!(
        title.faults(),
        ["TEXT_CONTROL_CHARACTER classes.csv:2 title"]
    );
}

#[test]
fn the_sample_holds_what_its_readme_says() {
    let mut roster = Roster::from_files(sample::roster(), TODAY).unwrap();
    let summary = roster.summary();
    assert_eq!(
        (summary.institutions, summary.school_years, summary.teams),
        (3, 1, 122)
    );
    assert_eq!(
        (summary.students, summary.leaders, summary.departed),
        (60, 2, 0)
    );
    assert_eq!(summary.persons(), 220);
    assert_eq!(summary.memberships + summary.staff, 528);
    assert_eq!(all(&mut roster).len() as u64, summary.commands);
}

#[test]
fn a_teacher_whose_enrolments_have_all_ended_before_the_year_has_left() {
    let departed = |export: &Export, id: &str| {
        export.bodies().iter().find_map(|command| match command {
            Command::Person(found, PersonCommand::Put { departed, .. }) if *found == person(id) => {
                Some(*departed)
            }
            _ => None,
        })
    };
    let enrolments = "enrollments.csv";
    assert_eq!(departed(&export(), "p1"), Some(false));
    let ended = export().replace(
        enrolments,
        "n6,active,7b,p1,aide,true,",
        "n6,active,7b,p1,aide,true,2026-11-23",
    );
    assert_eq!(departed(&ended, "p1"), Some(true));
    assert_eq!(ended.open().unwrap().summary().departed, 3);
    let deleted = export().replace(enrolments, "n6,active,7b,p1", "n6,tobedeleted,7b,p1");
    assert_eq!(departed(&deleted, "p1"), Some(true));
    // Not while another one holds, nor those who have none at all, nor who does not teach.
    let elsewhere = ended.clone().replace(
        enrolments,
        "n9,active,9x,l1,aide,false,",
        "n9,active,9x,p1,aide,false,",
    );
    assert_eq!(departed(&elsewhere, "p1"), Some(false));
    let none = export().replace(enrolments, "n6,active,7b,p1,aide,true,\n", "");
    assert_eq!(departed(&none, "p1"), Some(false));
    let leader = export().replace(
        enrolments,
        "n7,active,7b,d1,administrator,false,",
        "n7,tobedeleted,7b,d1,administrator,false,",
    );
    assert_eq!(departed(&leader, "d1"), Some(false));
    // When the school year is over, enrolments end and nobody leaves.
    let over = ended.replace(
        "academicSessions.csv",
        "schoolYear,2026-08-10,2027-06-25",
        "schoolYear,2026-08-10,2026-11-23",
    );
    assert_eq!(departed(&over, "p1"), Some(false));
}
