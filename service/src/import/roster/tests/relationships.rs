//! Who guards whom in School Data Sync, and rows of which nobody can tell whom they are about.

use std::collections::BTreeSet;

use planledger_core::domain::person::{PersonCommand, Role};
use planledger_core::ids::PersonId;

use super::export::{Export, all, describe, person};
use super::formats::{affiliations, one_two, sds};
use super::passed::guardians;

const DOCTOR: &str = "\nd1,,Dora,Dam,,,,,\n";

/// The small export of School Data Sync with a father and somebody else whom the table relates to the
/// child by this word.
fn related(word: &str) -> Export {
    let ends = "e1,f1,guardian\n";
    sds()
        .replace("users.csv", "\nl1,", &format!("{DOCTOR}l1,"))
        .replace("relationships.csv", ends, &format!("{ends}e1,d1,{word}\n"))
}

/// Who guards the child, and of whom nothing is said.
fn said(export: &Export) -> (BTreeSet<PersonId>, BTreeSet<PersonId>) {
    let ids = |guardians: BTreeSet<_>| {
        let guardians = guardians.into_iter();
        let ids = guardians.map(|set: planledger_core::domain::person::Guardianship| set.guardian);
        ids.collect()
    };
    match guardians(export, "e1").expect("something is said of the child's guardians") {
        PersonCommand::PutGuardians { guardians, .. } => (ids(guardians), BTreeSet::new()),
        PersonCommand::PutSomeGuardians {
            guardians, unsaid, ..
        } => (ids(guardians), unsaid),
        other => panic!("{other:?}"),
    }
}

fn people(ids: &[&str]) -> BTreeSet<PersonId> {
    ids.iter().map(|id| person(id)).collect()
}

/// What refuses the export, as `code file:row field`, and in words.
fn refusal(export: &Export) -> (String, String) {
    let faults = export.open().err().expect("the export is refused");
    let [fault] = faults.faults() else {
        panic!("{faults}");
    };
    (describe(fault), fault.message.to_string())
}

#[test]
fn only_parents_guardians_and_relatives_of_a_child_guard_it() {
    for word in ["parent", "Guardian", "relative"] {
        let export = related(word);
        assert_eq!(
            said(&export),
            (people(&["d1", "f1"]), people(&[])),
            "{word}"
        );
    }
    for word in ["aide", "doctor", "administrator", "child", "other"] {
        let export = related(word);
        assert_eq!(said(&export), (people(&["f1"]), people(&[])), "{word}");
        assert_eq!(export.passed_over(), [""; 0], "{word}");
        let summary = export.open().unwrap().summary();
        let counts = (summary.guardianships, summary.agents_passed_over);
        assert_eq!(counts, (1, 1), "{word}");
        assert_eq!((summary.guardians, summary.others), (1, 1), "{word}");
        assert_eq!(affiliations(&export, "d1"), [], "{word}");
    }
    // Whoever is both is a guardian, in whatever order the rows stand.
    for rows in [
        "e1,f1,doctor\ne1,f1,parent\n",
        "e1,f1,parent\ne1,f1,doctor\n",
    ] {
        let both = sds().replace("relationships.csv", "e1,f1,guardian\n", rows);
        assert_eq!(said(&both), (people(&["f1"]), people(&[])));
        assert_eq!(both.open().unwrap().summary().guardians, 1);
    }
}

#[test]
fn what_somebody_is_to_a_child_is_left_open_if_the_word_is_missing_or_not_known() {
    for (word, code) in [("", "VALUE_MISSING"), ("nabo", "VALUE_UNKNOWN")] {
        let export = related(word);
        assert_eq!(said(&export), (people(&["f1"]), people(&["d1"])), "{word}");
        let told = format!("part {code} relationships.csv:3 relationshipRole");
        assert_eq!(export.passed_over(), [told]);
        assert!(export.strict().is_ok(), "the row itself is used");
    }
}

#[test]
fn a_table_of_relationships_without_words_names_guardians_only() {
    let mut export = related("doctor");
    let rows = "userSourcedId,relationshipUserSourcedId\ne1,f1\ne1,d1\n";
    export.0.insert("relationships.csv", rows.into());
    assert_eq!(said(&export), (people(&["d1", "f1"]), people(&[])));
}

#[test]
fn an_export_without_the_table_of_relationships_says_nothing_of_guardians() {
    let mut export = sds();
    export.0.remove("relationships.csv");
    let mut roster = export.strict().unwrap();
    let commands = all(&mut roster);
    assert_eq!(commands.len() as u64, roster.summary().commands);
    assert!(guardians(&export, "e1").is_none());
    assert!(roster.hides_guardians());
    let notes = roster.notes().join("\n");
    assert!(notes.contains("no relationships.csv"), "{notes}");
    // Nothing says what the father is, which is no fault of his row.
    assert_eq!(
        export.passed_over(),
        ["bad ROLE_UNSAID users.csv:3 sourcedId"]
    );
    assert!(roster.members().contains(&person("f1").uuid()));
    // With its header only, the table says that nobody guards anybody.
    let header = "userSourcedId,relationshipUserSourcedId,relationshipRole\n";
    export.0.insert("relationships.csv", header.into());
    assert_eq!(said(&export), (people(&[]), people(&[])));
    assert_eq!(
        export.passed_over(),
        ["bad REFERENCE_DANGLING users.csv:3 sourcedId"]
    );
}

#[test]
fn a_relationship_that_does_not_say_who_it_is_ends_no_guardianship_of_the_child() {
    let nobody = sds().replace("relationships.csv", "e1,f1,guardian", "e1,,guardian");
    assert_eq!(
        nobody.passed_over(),
        [
            "bad VALUE_MISSING relationships.csv:2 relationshipUserSourcedId",
            "bad REFERENCE_DANGLING users.csv:3 sourcedId",
        ]
    );
    assert!(guardians(&nobody, "e1").is_none(), "nothing is said");
    let roster = nobody.open().unwrap();
    assert!(roster.hides_guardians());
    let others = related("").replace("relationships.csv", "e1,d1,", "e1,,parent");
    let Some(PersonCommand::PutSomeGuardians {
        guardians: named,
        others_unsaid: true,
        ended,
        ..
    }) = guardians(&others, "e1")
    else {
        panic!("whoever else guards the child would end");
    };
    assert_eq!((named.len(), ended.len()), (1, 0));
}

#[test]
fn a_row_of_nobody_knows_whom_refuses_the_export_and_is_named() {
    let one_two = one_two();
    for (export, file, from, to, expected) in [
        (
            sds(),
            "relationships.csv",
            "e1,f1,guardian",
            ",f1,guardian",
            "ROWS_BAD relationships.csv:2 userSourcedId",
        ),
        (
            sds(),
            "relationships.csv",
            "e1,f1,guardian",
            "e1,f1,guardian,,x",
            "ROWS_BAD relationships.csv:2",
        ),
        (
            sds(),
            "roles.csv",
            "l1,sk1,professor",
            ",sk1,professor",
            "ROWS_BAD roles.csv:3 userSourcedId",
        ),
        (
            one_two.clone(),
            "roles.csv",
            "r4,active,l1",
            "r4,active,",
            "ROWS_BAD roles.csv:5 userSourcedId",
        ),
        (
            one_two.clone(),
            "roles.csv",
            "r4,active,l1,primary,principal",
            "r4,actíve,,primary,rektor",
            "ROWS_BAD roles.csv:5 userSourcedId",
        ),
    ] {
        let (told, words) = refusal(&export.replace(file, from, to));
        assert_eq!(told, expected);
        assert!(words.contains("whom this row is about, and"), "{words}");
        let reason = match expected.contains("userSourcedId") {
            true => "the value is missing; fill it in",
            false => "5 fields, but the header has 3",
        };
        assert!(words.contains(reason), "{words}");
    }
    let rows = "e1,f1,guardian\n,f1,parent\n,f1,aide\n";
    let two = sds().replace("relationships.csv", "e1,f1,guardian\n", rows);
    let (told, words) = refusal(&two);
    assert_eq!(told, "ROWS_BAD relationships.csv:3 userSourcedId");
    assert!(words.contains("the first of 2 such rows"), "{words}");
    // A row that says that it is gone takes nothing from anybody.
    let gone = one_two.replace("roles.csv", "r6,tobedeleted,l1", "r6,tobedeleted,");
    assert_eq!(
        gone.passed_over(),
        ["gone VALUE_MISSING roles.csv:7 userSourcedId"]
    );
    assert_eq!(
        affiliations(&gone, "l1"),
        affiliations(&super::formats::one_two(), "l1")
    );
    assert!(affiliations(&gone, "l1").contains(&(Role::Teacher, None)));
}

#[test]
fn a_row_about_somebody_who_is_not_among_the_users_is_told_with_its_line() {
    let stray = "r7,active,x9,primary,student,,,sk1,\n\
                 r8,tobedeleted,x9,primary,student,,,sk1,\n";
    let last = "r6,tobedeleted,l1";
    let roles = one_two().replace("roles.csv", last, &format!("{stray}{last}"));
    assert_eq!(
        roles.passed_over(),
        ["bad REFERENCE_DANGLING roles.csv:7 userSourcedId"]
    );
    assert_eq!(roles.bodies(), one_two().bodies());
    assert!(roles.strict().is_err(), "such a row is bad");
    let related = sds().replace(
        "relationships.csv",
        "e1,f1,guardian\n",
        "e1,f1,guardian\nx9,f1,guardian\n",
    );
    assert_eq!(
        related.passed_over(),
        ["bad REFERENCE_DANGLING relationships.csv:3 userSourcedId"]
    );
    assert_eq!(said(&related), said(&sds()));
    // The ledger may know whom an export of changes does not hold, but takes roles with the user only.
    let told_of = roles.passed_over();
    let delta = roles.replace("manifest.csv", "file.users,bulk", "file.users,delta");
    assert_eq!(delta.passed_over(), told_of);
    assert!(delta.strict().is_ok(), "it may hold a part of what changed");
    let told = delta.open().unwrap();
    let told = told.passed_over()[0].fault.message.to_string();
    assert!(told.contains("export the row of the user too"), "{told}");
    // What is wrong with a row is told once.
    let faulty = format!("r9,active,x9,primary,elev,,,sk1,\n{last}");
    let faulty = one_two().replace("roles.csv", last, &faulty);
    assert_eq!(faulty.passed_over(), ["bad VALUE_UNKNOWN roles.csv:7 role"]);
}
