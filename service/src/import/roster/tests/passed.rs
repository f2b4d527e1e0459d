//! One bad row is one bad row, and ends nothing.

use std::collections::BTreeSet;

use planledger_core::domain::Command;
use planledger_core::domain::person::PersonCommand;
use planledger_core::domain::team::TeamCommand;
use planledger_core::ids::PersonId;

use super::super::Terms;
use super::TODAY;
use super::export::{Export, all, describe, export, opened, person, team};

/// The command about the guardians of a student.
pub(super) fn guardians(export: &Export, child: &str) -> Option<PersonCommand> {
    export
        .bodies()
        .into_iter()
        .find_map(|command| match command {
            Command::Person(id, put @ PersonCommand::PutGuardians { .. })
            | Command::Person(id, put @ PersonCommand::PutSomeGuardians { .. })
                if id == person(child) =>
            {
                Some(put)
            }
            _ => None,
        })
}

/// Whether any command is about a person.
fn is_named(export: &Export, who: &str) -> bool {
    let mut bodies = export.bodies().into_iter();
    bodies.any(|command| matches!(command, Command::Person(id, _) if id == person(who)))
}

/// What the command about 7.b says: of whom it says nothing, and who is a member.
fn part(export: &Export) -> (Option<BTreeSet<PersonId>>, BTreeSet<PersonId>) {
    let parts = export
        .bodies()
        .into_iter()
        .filter_map(|command| match command {
            Command::Team(
                _,
                TeamCommand::PutPart {
                    unsaid, members, ..
                },
            ) => Some((unsaid, members)),
            _ => None,
        });
    let parts: Vec<_> = parts.collect();
    assert_eq!(parts.len(), 1);
    parts.into_iter().next().unwrap()
}

#[test]
fn rows_that_say_they_are_gone_and_dangle_or_are_blank_are_passed_over() {
    let dangling = export().replace(
        "enrollments.csv",
        "n2,tobedeleted,7b,e2,",
        "n2,tobedeleted,7b,gone,",
    );
    let blank = export()
        .replace(
            "users.csv",
            "x1,active,true,sk1,proctor,Noah,Dam",
            "x1,tobedeleted,,,,,",
        )
        .replace(
            "enrollments.csv",
            "n2,tobedeleted,7b,e2,student",
            "n2,tobedeleted,,,",
        );
    for (changed, expected) in [
        (
            &dangling,
            "gone REFERENCE_DANGLING enrollments.csv:3 userSourcedId",
        ),
        (&blank, "gone VALUE_MISSING users.csv:10 givenName"),
    ] {
        assert_eq!(changed.passed_over().first().unwrap(), expected);
        assert!(changed.strict().is_ok(), "what is gone is not bad");
    }
    assert_eq!(dangling.bodies(), export().bodies());
    assert_eq!(blank.bodies().len() + 1, export().bodies().len());
    assert_eq!(blank.open().unwrap().summary().gone_passed_over, 2);
}

/// Of whom an export says that they are gone, and nothing else.
fn gone(export: &Export) -> Vec<PersonId> {
    let mut roster = opened(export);
    let commands = all(&mut roster);
    assert_eq!(commands.len() as u64, roster.summary().commands);
    let gone = commands.iter().filter_map(|found| match &found.command {
        Command::Person(id, PersonCommand::PutGone { .. }) => Some(*id),
        _ => None,
    });
    gone.collect()
}

#[test]
fn a_blank_row_that_is_gone_says_so_and_one_of_two_rows_does_not() {
    let row = "l1,active,true,sk1,teacher,Nora,Bach,,";
    let blank = "l1,tobedeleted,,,,,,,";
    let changed = |to: &str| export().replace("users.csv", row, to);
    assert_eq!(gone(&changed(blank)), [person("l1")]);
    assert!(gone(&export()).is_empty());
    for twice in [format!("{row}\n{blank}"), format!("{blank}\n{row}")] {
        let twice = changed(&twice);
        assert!(gone(&twice).is_empty());
        // Nora guards Åse in either row, or nobody knows.
        let Some(PersonCommand::PutSomeGuardians { unsaid, .. }) = guardians(&twice, "e1") else {
            panic!("nothing is said of who guards e1");
        };
        assert!(unsaid.contains(&person("l1")));
    }
}

#[test]
fn a_person_whose_row_is_bad_is_left_alone_with_guardians_and_places() {
    let bad = export().replace("users.csv", "student,Åse,Ærø", "elev,Åse,Ærø");
    assert_eq!(
        bad.passed_over(),
        [
            "bad VALUE_UNKNOWN users.csv:2 role",
            "bad ROW_PASSED_OVER enrollments.csv:2 userSourcedId",
            "bad ROW_PASSED_OVER enrollments.csv:9 userSourcedId",
        ]
    );
    assert!(!is_named(&bad, "e1"), "nothing is said of the student");
    let teams = bad
        .bodies()
        .into_iter()
        .filter_map(|command| match command {
            Command::Team(_, TeamCommand::PutPart { unsaid, .. }) => Some(unsaid),
            _ => None,
        });
    let unsaid = Some(BTreeSet::from([person("e1")]));
    assert_eq!(teams.collect::<Vec<_>>(), [unsaid.clone(), unsaid]);
}

#[test]
fn a_guardian_whose_row_is_bad_or_missing_stays_a_guardian() {
    let bad = export().replace("users.csv", "parent,Carl,Ærø", "parent,,");
    let missing = export().replace("users.csv", "\"f1,l1\"", "\"f9,l1\"");
    for (changed, unsaid) in [(bad, "f1"), (missing, "f9")] {
        let Some(PersonCommand::PutSomeGuardians {
            guardians: named,
            unsaid: left,
            ..
        }) = guardians(&changed, "e1")
        else {
            panic!("the guardians are all said");
        };
        assert_eq!(left, BTreeSet::from([person(unsaid)]));
        let named: Vec<_> = named.into_iter().map(|set| set.guardian).collect();
        assert_eq!(named, [person("l1")]);
        let summary = changed.open().unwrap().summary();
        assert_eq!((summary.values_passed_over, summary.guardianships), (1, 1));
    }
    assert!(matches!(
        guardians(&export(), "e1"),
        Some(PersonCommand::PutGuardians { .. })
    ));
}

#[test]
fn a_class_leaves_the_place_of_whom_a_bad_enrolment_is_about() {
    for (from, to, whose) in [
        ("7b,e1,student,false,", "7b,e1,student,false,24-11-26", "e1"),
        ("7b,e1,student", "7b,f1,student", "f1"),
        ("7b,e1,student", "7b,e9,student", "e9"),
        ("7b,e1,student", "7b,e1,elev", "e1"),
    ] {
        let (unsaid, members) = part(&export().replace("enrollments.csv", from, to));
        assert_eq!(unsaid, Some(BTreeSet::from([person(whose)])), "{to}");
        assert!(members.is_empty(), "{to}");
    }
}

#[test]
fn no_place_ends_if_nobody_knows_whose_enrolment_was_passed_over() {
    for (from, to) in [
        ("n1,active,7b,e1,student", "n1,active,,e1,student"),
        ("n1,active,7b,e1,student", "n1,active,7b,,student"),
        (
            "n1,active,7b,e1,student,false,",
            "n1,active,7b,e1,student,false,,,x",
        ),
    ] {
        let changed = export().replace("enrollments.csv", from, to);
        let puts = changed
            .bodies()
            .into_iter()
            .filter_map(|command| match command {
                Command::Team(_, TeamCommand::PutPart { unsaid, .. }) => Some(unsaid),
                Command::Team(..) => Some(Some(BTreeSet::new())),
                _ => None,
            });
        assert_eq!(puts.collect::<Vec<_>>(), [None, None], "{to}");
        let notes = changed.open().unwrap().notes();
        assert!(
            notes
                .iter()
                .any(|note| note.contains("no place in a team ends"))
        );
    }
}

#[test]
fn of_two_rows_with_one_id_neither_is_used() {
    let twice = export().replace("users.csv", "\nx1,", "\nd1,");
    assert!(!is_named(&twice, "d1") && !is_named(&twice, "x1"));
    assert!(is_named(&twice, "e1"));
    let classes = export().replace("classes.csv", "\n9x,", "\n7b,");
    let terms = Terms {
        bad_rows: 50,
        ..TODAY.into()
    };
    assert_eq!(classes.open_on(terms).unwrap().summary().teams, 0);
}

#[test]
fn a_share_of_bad_rows_is_allowed_and_one_row_of_a_table_always_is() {
    let one = export().replace("users.csv", "sk1,proctor", "sk1,rektor");
    assert!(one.open().is_ok() && one.strict().is_err());
    let two = one.replace("users.csv", "kom,administrator", "kom,leder");
    let faults = two.open().err().unwrap();
    assert_eq!(
        faults.faults().iter().map(describe).collect::<Vec<_>>(),
        [
            "VALUE_UNKNOWN users.csv:9 role",
            "VALUE_UNKNOWN users.csv:10 role",
            "ROW_PASSED_OVER enrollments.csv:8 userSourcedId",
            "ROWS_BAD users.csv"
        ]
    );
    let text = faults.to_string();
    assert!(text.contains("2 of 9 rows are bad"), "{text}");
    let terms = Terms {
        bad_rows: 23,
        ..TODAY.into()
    };
    assert!(two.open_on(terms).is_ok());
}

#[test]
fn a_bad_row_of_a_school_is_a_bad_row_of_everybody_there() {
    let bad = export().replace("orgs.csv", "Åskolen,school", "Åskolen,skole");
    let faults = bad.open().err().unwrap();
    let last = faults.faults().last().unwrap();
    assert_eq!(describe(last), "ROWS_BAD users.csv");
}

#[test]
fn the_report_says_where_and_why_and_repeats_nothing() {
    let bad = export().replace("users.csv", "sk1,proctor,Noah", "sk1,Hemmelig,Noah");
    let roster = bad.open().unwrap();
    let record = roster.passed_over().first().unwrap().record();
    let place: Vec<&str> = record.iter().take(5).map(String::as_str).collect();
    assert_eq!(place, ["bad", "users.csv", "10", "role", "VALUE_UNKNOWN"]);
    assert!(!record.concat().contains("Hemmelig") && !record.concat().contains("Noah"));
}

#[test]
fn classes_carry_subjects_and_terms_if_there_are_no_courses() {
    let mut none = export().replace(
        "classes.csv",
        "7.b dansk,dan,,sk1,t1,",
        "7.b dansk,,C,sk1,t1,Dansk",
    );
    none.0.remove("courses.csv");
    for manifest in ["", "file.courses,absent\n"] {
        let mut none = none.clone();
        none.0
            .get_mut("manifest.csv")
            .unwrap()
            .extend(manifest.bytes());
        let commands = none.commands();
        let TeamCommand::Put { details, .. } = team(&commands, "7.b dansk") else {
            unreachable!()
        };
        assert_eq!(details.subject.as_ref().unwrap().as_str(), "Dansk");
        assert_eq!(details.code.as_ref().unwrap().as_str(), "C");
        assert!(details.school_year.is_some());
        assert_eq!(none.passed_over(), [] as [&str; 0]);
    }
    let dangling = export().replace("classes.csv", ",dan,,sk1", ",mat,,sk1");
    assert_eq!(
        dangling.passed_over(),
        ["part REFERENCE_DANGLING classes.csv:2 courseSourcedId"]
    );
    assert_eq!(dangling.open().unwrap().summary().teams, 2);
}

#[test]
fn classes_go_in_without_a_term_that_no_table_holds() {
    let none = export().replace(
        "academicSessions.csv",
        "t1,active,1. halvår,term,2026-08-10,2027-01-29,y1\n\
         y1,active,2026/27,schoolYear,2026-08-10,2027-06-25,\n",
        "",
    );
    assert_eq!(
        none.passed_over(),
        [
            "part REFERENCE_DANGLING courses.csv:2 schoolYearSourcedId",
            "part REFERENCE_DANGLING courses.csv:3 schoolYearSourcedId",
            "part REFERENCE_DANGLING classes.csv:2 termSourcedIds",
        ]
    );
    let strict = none.strict().unwrap();
    assert!(
        strict
            .notes()
            .iter()
            .any(|note| note.contains("no session"))
    );
    let commands = none.commands();
    let TeamCommand::Put { details, .. } = team(&commands, "7.b dansk") else {
        unreachable!()
    };
    assert_eq!(details.school_year, None);
    // An export of changes need not hold the session of a class that it holds.
    let delta = export()
        .replace("manifest.csv", "file.users,bulk", "file.users,delta")
        .replace("classes.csv", ",sk1,t1", ",sk1,t9");
    // The course says the school year.
    assert_eq!(allowed(&delta), [] as [&str; 0]);
    let delta = delta.replace("courses.csv", "dan,active,y1", "dan,active,y9");
    assert_eq!(
        allowed(&delta),
        [
            "REFERENCE_DANGLING courses.csv:2 schoolYearSourcedId",
            "REFERENCE_DANGLING classes.csv:2 termSourcedIds",
        ]
    );
}

#[test]
fn a_blank_manifest_is_as_good_as_none() {
    for blank in [
        "",
        "\n\n",
        "\u{feff}",
        "propertyName,value\n",
        "propertyName,value\noneroster.version,\n",
    ] {
        let mut changed = export();
        changed.0.insert("manifest.csv", blank.as_bytes().to_vec());
        assert_eq!(changed.bodies(), export().bodies(), "{blank:?}");
    }
}

#[test]
fn words_of_the_manifest_count_in_capital_letters_too() {
    let delta = export().replace("manifest.csv", "file.users,bulk", "File.Users,Delta");
    assert!(delta.open().unwrap().is_delta());
    let absent = export().replace(
        "manifest.csv",
        "file.users,bulk",
        "FILE.academicsessions,ABSENT",
    );
    let mut absent = absent;
    absent.0.remove("academicSessions.csv");
    let faults = absent.open().err().unwrap();
    assert!(faults.to_string().contains("the manifest says"), "{faults}");
    for other in ["file", "files.users", "file.user", "file.users.x"] {
        let name = format!("{other},delta");
        let other = export().replace("manifest.csv", "file.users,bulk", &name);
        assert!(!other.open().unwrap().is_delta(), "{name}");
    }
}

#[test]
fn an_id_of_an_account_that_may_not_be_stored_is_said() {
    let columns = ",grades,username,identifier,userIds\n";
    let export = export()
        .replace("users.csv", ",grades\n", columns)
        .replace("users.csv", "Bo,,,07", "Bo,,,07,0102031234,,")
        .replace(
            "users.csv",
            "Ida,Dam,,07",
            "Ida,Dam,,07,ida,,\"{a:1},{b:0102031234}\"",
        )
        .replace("users.csv", "Ella,Dam,,", "Ella,Dam,,,ella,010203-1234,");
    assert_eq!(
        export.passed_over(),
        [
            "part CPR_FOUND users.csv:3 username",
            "part CPR_FOUND users.csv:4 userIds",
            "part CPR_FOUND users.csv:9 identifier",
        ]
    );
    assert!(export.strict().is_ok(), "the rows themselves are used");
    let summary = export.open().unwrap().summary();
    assert_eq!(summary.values_passed_over, 3);
}

#[test]
fn ids_of_ten_digits_pass_unless_the_column_holds_cpr_numbers() {
    let numbers = ["4415882301", "9934120077", "8813239945", "7345610022"];
    let mut mixed = export().replace("users.csv", "\nx1,", "\n0102031234,");
    let row = |id: &str| format!("{id},active,true,sk1,proctor,A,B,,\n");
    for number in numbers {
        mixed
            .0
            .get_mut("users.csv")
            .unwrap()
            .extend(row(number).bytes());
    }
    assert_eq!(mixed.passed_over(), [] as [&str; 0]);
    let one = export().replace("users.csv", "\nx1,", "\n0102031234,");
    assert_eq!(one.passed_over(), ["bad CPR_FOUND users.csv:10 sourcedId"]);
    assert!(!is_named(&one, "0102031234"));
    let orgs = export()
        .replace("orgs.csv", "\nsk2,", "\n1003264125,")
        .replace("users.csv", "\"sk1,sk2\"", "\"sk1,1003264125\"");
    assert_eq!(orgs.passed_over(), [] as [&str; 0]);
}

/// What is passed over, as `code file:row field`, when no bad row at all is allowed.
fn allowed(export: &Export) -> Vec<String> {
    let roster = export.strict().unwrap();
    let passed = roster.passed_over().iter();
    passed.map(|passed| describe(&passed.fault)).collect()
}

#[test]
fn a_session_whose_parent_is_not_exported_is_used() {
    let export = export().replace("academicSessions.csv", ",y1\n", ",y9\n");
    assert_eq!(
        allowed(&export),
        ["REFERENCE_DANGLING academicSessions.csv:2 parentSourcedId"]
    );
}

#[test]
fn a_role_that_does_not_fit_one_class_spoils_no_other_row() {
    for (from, to, line) in [("7b,e1", "7b,f1", 2), ("7b,p1", "7b,e1", 7)] {
        let export = export().replace("enrollments.csv", from, to);
        let said = format!("ROLE_MISMATCH enrollments.csv:{line} role");
        assert_eq!(allowed(&export), [said], "{to}");
    }
}

#[test]
fn names_of_columns_from_oneroster_1_0_and_empty_names_at_the_end_are_read() {
    let plain = export().bodies();
    let export = export()
        .replace("users.csv", ",agentSourcedIds,", ",agents,")
        .replace("users.csv", ",grades\n", ",grade,,\n");
    assert_eq!(export.bodies(), plain);
}
