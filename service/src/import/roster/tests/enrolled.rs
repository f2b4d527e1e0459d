//! What an export says of whether somebody is in a class.

use planledger_core::domain::Command;
use planledger_core::domain::person::PersonCommand;

use super::export::{Export, all, export, opened, person};

/// What the export says of each of these people.
fn enrolled<const N: usize>(export: &Export, who: [&str; N]) -> [Option<bool>; N] {
    let commands = all(&mut opened(export));
    who.map(|who| {
        let mut records = commands
            .iter()
            .filter_map(|imported| match &imported.command {
                Command::Person(id, PersonCommand::Put { record, .. }) if *id == person(who) => {
                    record.as_ref()
                }
                _ => None,
            });
        records.next().unwrap().enrolled
    })
}

#[test]
fn students_and_staff_are_in_a_class_or_in_none_and_of_others_nothing_is_said() {
    let said = enrolled(
        &export(),
        ["e1", "l1", "p1", "e2", "e3", "l2", "f1", "d1", "x1"],
    );
    let (yes, no) = (Some(true), Some(false));
    assert_eq!(said, [yes, yes, yes, no, no, no, None, None, None]);
}

#[test]
fn an_export_of_changes_says_of_nobody_that_they_are_in_no_class() {
    let delta = export().replace("manifest.csv", "file.users,bulk", "file.users,delta");
    assert_eq!(enrolled(&delta, ["e1", "e2"]), [Some(true), None]);
}

#[test]
fn a_row_that_is_passed_over_says_of_nobody_that_they_are_in_no_class() {
    let enrollments = |from, to| export().replace("enrollments.csv", from, to);
    let no_class = enrollments("n1,active,7b,", "n1,active,gone,");
    assert_eq!(enrolled(&no_class, ["e1", "e2"]), [None, Some(false)]);
    let no_role = enrollments("n1,active,7b,e1,student", "n1,active,7b,e1,pupil");
    assert_eq!(enrolled(&no_role, ["e1", "e2"]), [None, Some(false)]);
    let nobody = enrollments("n1,active,7b,e1,", "n1,active,7b,,");
    assert_eq!(
        enrolled(&nobody, ["e1", "e2", "p1"]),
        [None, None, Some(true)]
    );
    // A row that says that the place is gone says so even if nobody knows the class.
    let gone = enrollments("n1,active,7b,e1", "n1,tobedeleted,gone,e1");
    assert_eq!(enrolled(&gone, ["e1"]), [Some(false)]);
}

#[test]
fn a_school_that_has_nobody_in_a_class_says_nothing_of_its_people() {
    let mut between_years = export();
    let text = "sourcedId,status,classSourcedId,userSourcedId,role,primary,endDate\n\
                n1,active,7b,e1,student,false,2026-11-23\n";
    between_years
        .0
        .insert("enrollments.csv", text.as_bytes().to_vec());
    assert_eq!(enrolled(&between_years, ["e1", "e2", "l1"]), [None; 3]);
}
