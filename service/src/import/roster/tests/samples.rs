//! Shapes of exports that published rosters have and that the standards leave open or do not know.

use std::collections::BTreeSet;

use planledger_core::domain::Command;
use planledger_core::domain::person::{Guardianship, PersonCommand};
use planledger_core::domain::team::TeamCommand;
use planledger_core::ids::PersonId;

use super::export::{Export, all, describe, export, opened, person, team};
use super::formats::{one_two, sds};
use super::passed::guardians;
use crate::import::fault::FaultCode;

/// Whether any note says this.
fn notes(export: &Export, words: &str) -> bool {
    let notes = export.open().unwrap().notes();
    notes.iter().any(|note| note.contains(words))
}

fn without(mut export: Export, files: &[&'static str]) -> Export {
    for file in files {
        export.0.remove(file).unwrap();
    }
    export
}

/// What is said of the guardians of a child.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    guardians: BTreeSet<PersonId>,
    unsaid: BTreeSet<PersonId>,
    others_unsaid: bool,
}

fn said(export: &Export, child: &str) -> Option<Said> {
    let ids = |guardians: BTreeSet<Guardianship>| {
        let guardians = guardians.into_iter();
        guardians.map(|set| set.guardian).collect()
    };
    Some(match guardians(export, child)? {
        PersonCommand::PutGuardians { guardians, .. } => Said {
            guardians: ids(guardians),
            unsaid: BTreeSet::new(),
            others_unsaid: false,
        },
        PersonCommand::PutSomeGuardians {
            guardians,
            unsaid,
            others_unsaid,
            ..
        } => Said {
            guardians: ids(guardians),
            unsaid,
            others_unsaid,
        },
        other => panic!("{other:?}"),
    })
}

fn people(ids: &[&str]) -> BTreeSet<PersonId> {
    ids.iter().map(|id| person(id)).collect()
}

fn whole(guardians: &[&str]) -> Option<Said> {
    Some(Said {
        guardians: people(guardians),
        unsaid: BTreeSet::new(),
        others_unsaid: false,
    })
}

const FATHER: &str = "parent,Carl,Ærø,,";

/// The small export in which the row of the child names nobody, and the row of the father these.
fn parent_names(agents: &str) -> Export {
    let father = format!("parent,Carl,Ærø,\"{agents}\",");
    export()
        .replace("users.csv", "\"f1,l1\"", "")
        .replace("users.csv", FATHER, &father)
}

#[test]
fn a_session_of_any_other_type_is_a_term() {
    for word in ["quarter", "Kvartal", "trimester"] {
        let changed = export().replace("academicSessions.csv", ",term,", &format!(",{word},"));
        assert_eq!(changed.bodies(), export().bodies(), "{word}");
        assert!(notes(&changed, "1 sessions are of a type"), "{word}");
    }
    assert!(!notes(&export(), "sessions are of a type"));
    let unused = export().replace(
        "academicSessions.csv",
        "\nt1,",
        "\nq1,active,Q1,quarter,,,\nq2,active,Q2,quarter,,,\nq3,active,Q3,quarter,,,\nt1,",
    );
    assert_eq!(unused.bodies(), export().bodies());
}

#[test]
fn classes_without_a_school_year_are_counted() {
    let terms = export().replace("academicSessions.csv", "schoolYear", "term");
    assert!(notes(
        &terms,
        "1 classes have no school year, because no session"
    ));
    assert!(!notes(&export(), "have no school year"));
}

#[test]
fn a_parents_row_that_names_the_child_says_the_same() {
    let export_of = parent_names("e1");
    assert_eq!(said(&export_of, "e1"), whole(&["f1"]));
    assert_eq!(said(&export_of, "e2"), whole(&[]));
    assert_eq!(export_of.open().unwrap().summary().guardianships, 1);
    // Both directions say one guardianship.
    let both = export().replace("users.csv", FATHER, "parent,Carl,Ærø,e1,");
    let (one, two) = (export().open().unwrap(), both.open().unwrap());
    assert_eq!(said(&both, "e1"), whole(&["f1", "l1"]));
    assert_eq!(one.summary().guardianships, two.summary().guardianships);
    assert_eq!(one.summary().commands, two.summary().commands);
}

#[test]
fn nobody_but_a_guardian_says_it_and_only_of_a_student() {
    let teacher = parent_names("").replace("users.csv", "Nora,Bach,,", "Nora,Bach,e1,");
    assert_eq!(said(&teacher, "e1"), whole(&[]));
    let spouses = export()
        .replace("users.csv", FATHER, "parent,Carl,Ærø,f2,")
        .replace(
            "users.csv",
            "\nl1,",
            "\nf2,active,true,sk1,parent,Mia,Ærø,f1,\nl1,",
        );
    assert_eq!(said(&spouses, "f1"), None);
    assert_eq!(said(&spouses, "f2"), None);
    assert_eq!(said(&spouses, "e1"), whole(&["f1", "l1"]));
    let gone = parent_names("e1").replace("users.csv", "f1,active", "f1,tobedeleted");
    assert_eq!(said(&gone, "e1"), whole(&[]));
}

#[test]
fn a_bad_parents_row_leaves_the_guardianships_of_that_parent_alone() {
    let bad = parent_names("e1").replace("users.csv", "f1,active,true", "f1,active,maybe");
    let open = Said {
        guardians: people(&[]),
        unsaid: people(&["f1"]),
        others_unsaid: false,
    };
    assert_eq!(said(&bad, "e1"), Some(open));
    assert_eq!(said(&bad, "e2"), whole(&[]));
    // Nobody can tell whose the row is that names no user.
    let nobody = parent_names("e1").replace(
        "users.csv",
        "\nl1,",
        "\n,active,true,sk1,parent,Mia,Ærø,e2,\nl1,",
    );
    assert!(said(&nobody, "e2").unwrap().others_unsaid);
}

fn delta(export: Export) -> Export {
    export.replace("manifest.csv", "file.users,bulk", "file.users,delta")
}

#[test]
fn a_parents_row_in_an_export_of_changes_adds_and_ends_nothing() {
    let header = "sourcedId,status,enabledUser,orgSourcedIds,role,givenName,familyName,agentSourcedIds,\
                  grades\n";
    let mut only = delta(export());
    only.0
        .retain(|file, _| ["manifest.csv", "orgs.csv"].contains(file));
    let father = format!("{header}f1,active,true,sk1,parent,Carl,Ærø,e1,\n");
    only.0.insert("users.csv", father.into_bytes());
    let adds = Said {
        guardians: people(&["f1"]),
        unsaid: people(&[]),
        others_unsaid: true,
    };
    assert_eq!(said(&only, "e1"), Some(adds));
    let mut roster = only.open().unwrap();
    assert_eq!(roster.summary().commands, all(&mut roster).len() as u64);
    // The row of the child is there for another reason.
    let child = format!(
        "{header}f1,active,true,sk1,parent,Carl,Ærø,e1,\ne2,active,true,sk1,student,Bo,Dam,,08\n"
    );
    only.0.insert("users.csv", child.into_bytes());
    assert!(said(&only, "e2").unwrap().others_unsaid);
    // So it is if the father has left, and if another student's row names somebody.
    let left = format!(
        "{header}f1,tobedeleted,true,sk1,parent,Carl,Ærø,e1,\n\
         e1,active,true,sk1,student,Åse,Ærø,,08\ne2,active,true,sk1,student,Bo,Dam,f3,08\n"
    );
    only.0.insert("users.csv", left.into_bytes());
    assert!(said(&only, "e1").unwrap().others_unsaid);
    // The row of a student that names somebody says who guards the student.
    assert_eq!(said(&only, "e2"), whole(&["f3"]));
    // Nothing shows that guardians name the students.
    let blank = format!("{header}e1,active,true,sk1,student,Åse,Ærø,,08\n");
    only.0.insert("users.csv", blank.into_bytes());
    assert_eq!(said(&only, "e1"), whole(&[]));
}

#[test]
fn a_row_without_an_id_that_names_a_student_leaves_guardianships_alone() {
    let only = parent_names("e1").replace("users.csv", "f1,active", ",active");
    let open = said(&only, "e1").unwrap();
    assert!(open.others_unsaid && open.guardians.is_empty());
    // It may be the row of a student, which names its guardians.
    let child = export().replace(
        "users.csv",
        "\nl1,",
        "\n,active,true,sk1,student,Ib,Ærø,f1,\nl1,",
    );
    assert_eq!(said(&child, "e1"), said(&export(), "e1"));
    assert_eq!(said(&child, "e2"), whole(&[]));
}

#[test]
fn the_names_of_version_1_0_are_known_and_its_accounts_are_enabled() {
    let former = export()
        .replace("classes.csv", "termSourcedIds", "termSourcedId")
        .replace("users.csv", "enabledUser", "metadata.enabled");
    let mut roster = opened(&former);
    let enabled = all(&mut roster)
        .into_iter()
        .filter_map(|imported| match imported.command {
            Command::Person(_, PersonCommand::Put { record, .. }) => Some(record?.enabled),
            _ => None,
        });
    assert!(enabled.collect::<Vec<_>>().iter().all(|enabled| *enabled));
    assert!(notes(&former, "no column enabledUser"));
    assert!(!notes(&export(), "no column enabledUser"));
    let (old, new) = (former.commands(), export().commands());
    assert_eq!(team(&old, "7.b dansk"), team(&new, "7.b dansk"));
}

#[test]
fn version_1_of_school_data_sync_is_refused_once_by_its_name() {
    let mut former = Export(std::collections::BTreeMap::new());
    for file in ["School.csv", "Section.csv", "Student.csv", "Teacher.csv"] {
        former.0.insert(file, b"SIS ID,Name\n1,x\n".to_vec());
    }
    let faults = former.open().err().unwrap();
    let [fault] = faults.faults() else {
        panic!("{faults}");
    };
    assert_eq!(describe(fault), "VERSION_UNSUPPORTED School.csv");
    assert!(fault.message.contains("School Data Sync 1 "), "{fault}");
    // Sessions need not be in School Data Sync, also if there are no classes to tell it by.
    let orgs = without(
        sds(),
        &[
            "academicSessions.csv",
            "courses.csv",
            "classes.csv",
            "roles.csv",
            "enrollments.csv",
            "relationships.csv",
        ],
    );
    let told = orgs.faults();
    let missing = told.iter().any(|fault| fault.contains("academicSessions"));
    assert!(!missing, "{told:?}");
}

#[test]
fn school_data_sync_without_classes_says_nothing_of_them() {
    let bare = without(sds(), &["classes.csv", "enrollments.csv"]);
    let roster = bare.open().unwrap();
    assert!(roster.hides_classes());
    assert_eq!(roster.summary().teams, 0);
    assert!(notes(&bare, "no classes.csv") && notes(&bare, "no enrollments.csv"));
    let mut roster = opened(&bare);
    for imported in all(&mut roster) {
        if let Command::Person(_, PersonCommand::Put { record, .. }) = imported.command {
            assert_eq!(record.unwrap().enrolled, None);
        }
    }
    // Classes without anybody in them are no end of places.
    let classes = without(sds(), &["enrollments.csv"]);
    let teams = classes
        .bodies()
        .into_iter()
        .filter_map(|command| match command {
            Command::Team(_, put) => Some(put),
            _ => None,
        });
    let teams: Vec<_> = teams.collect();
    let is_part = |put: &TeamCommand| matches!(put, TeamCommand::PutPart { unsaid: None, .. });
    assert!(!teams.is_empty() && teams.iter().all(is_part));
}

#[test]
fn user_profiles_without_user_names_are_told_in_one_line() {
    let mut profiles = one_two();
    let rows = "sourcedId,status,userSourcedId\np1,active,e1\np2,active,l1\n";
    profiles.0.insert("userProfiles.csv", rows.into());
    let told = ["part COLUMN_MISSING userProfiles.csv:1 username"];
    assert_eq!(profiles.passed_over(), told);
}

#[test]
fn null_counts_as_blank_where_it_can_mean_nothing_else() {
    let nulls = export()
        .replace("academicSessions.csv", "2027-06-25,\n", "2027-06-25,NULL\n")
        .replace("users.csv", "\ne2,,", "\ne2,NULL,")
        .replace("users.csv", "student,Bo,,,", "student,Bo,,NULL,")
        .replace("enrollments.csv", "p1,aide,true,\n", "p1,aide,true,NULL\n");
    assert_eq!(nulls.bodies(), export().bodies());
    assert_eq!(nulls.passed_over(), export().passed_over());
    assert!(notes(&nulls, "users.csv: NULL counts as blank in 2 cells"));
    // Somebody may be called so, and small letters are another word.
    let name = export().replace("users.csv", "Bo,,", "NULL,,");
    assert_ne!(name.bodies(), export().bodies());
    let other = export().replace("users.csv", "\ne2,,", "\ne2,null,");
    assert_eq!(other.faults(), ["VALUE_UNKNOWN users.csv:3 status"]);
}

#[test]
fn grades_are_optional_in_version_1_2_too() {
    let bare = one_two().replace("users.csv", "agentSourcedIds,grades,", "agentSourcedIds,x,");
    assert!(bare.open().is_ok());
}

#[test]
fn a_control_character_is_named() {
    let bell = export().replace("users.csv", "Åse", "Å\u{7}se");
    let faults = bell.strict().err().unwrap();
    let mut found = faults.faults().iter();
    let fault = found
        .find(|fault| fault.code == FaultCode::TextControlCharacter)
        .unwrap();
    assert!(fault.message.contains("U+0007"), "{fault}");
    assert!(!fault.message.contains("line break"), "{fault}");
}
