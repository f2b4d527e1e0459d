//! Contact persons with custody are guardians, and what is not known ends nothing.

use std::collections::BTreeMap;

use planledger_core::domain::Command;
use planledger_core::domain::person::{Guardianship, PersonCommand};
use planledger_core::ids::PersonId;

use super::{FULL, NEWER, OLDER, TODAY, commands, convert, converted, roster, rows};
use crate::import::fault::{FaultCode, PassedOverKind};
use crate::import::roster::{Roster, person_id};

/// What is said of each child: who guards it, and of whom nothing is said. `OTHERS` stands for everybody
/// else, and who is no guardian all the same stands after `NOT`.
type Said = BTreeMap<&'static str, (Vec<&'static str>, Vec<&'static str>)>;

const OTHERS: &str = "others";
const NOT: &str = "not";

const PERSONS: [&str; 13] = [
    "asta1234", "bo123456", "cille123", "dan12345", "eli12345", "esther12", "gry12345", "troels12",
    "per12345", "jens1234", "ida12345", "mia12345", "ebbe1234",
];

fn name(id: PersonId) -> &'static str {
    PERSONS
        .into_iter()
        .find(|name| person_id(name) == id)
        .unwrap()
}

fn said(commands: Vec<Command>) -> Said {
    let mut said = Said::new();
    for command in commands {
        let (child, guardians, unsaid) = match command {
            Command::Person(child, PersonCommand::PutGuardians { guardians, .. }) => {
                (child, guardians, Vec::new())
            }
            Command::Person(
                child,
                PersonCommand::PutSomeGuardians {
                    guardians,
                    unsaid,
                    others_unsaid,
                    ended,
                    ..
                },
            ) => {
                let mut all: Vec<_> = unsaid.into_iter().map(name).collect();
                all.extend(others_unsaid.then_some(OTHERS));
                let mut ended: Vec<_> = ended.into_iter().map(name).collect();
                ended.sort_unstable();
                all.extend((!ended.is_empty()).then_some(NOT));
                all.extend(ended);
                (child, guardians, all)
            }
            _ => continue,
        };
        let mut guardians: Vec<_> = guardians
            .iter()
            .map(|Guardianship { guardian, .. }| name(*guardian))
            .collect();
        guardians.sort_unstable();
        said.insert(name(child), (guardians, unsaid));
    }
    said
}

#[test]
fn contact_persons_with_custody_are_guardians_and_others_are_not() {
    let expected = Said::from([
        // The teacher is also a father.
        ("asta1234", (vec!["gry12345", "troels12"], vec![])),
        ("bo123456", (vec!["gry12345"], vec![])),
        // Whether the mother has custody is not clear, so nothing is said of her.
        ("cille123", (vec!["jens1234"], vec!["ida12345"])),
        // Nobody can tell who the father is, so nothing is said of whoever else guards the child.
        ("dan12345", (vec!["mia12345"], vec![OTHERS])),
        ("eli12345", (vec![], vec![])),
    ]);
    assert_eq!(said(commands(FULL)), expected);
    let older = Said::from([("esther12", (vec!["gry12345", "troels12"], vec![]))]);
    assert_eq!(said(commands(OLDER)), older);
}

#[test]
fn a_guardian_of_siblings_is_one_person_and_a_teacher_stays_a_teacher() {
    let users = rows(FULL, "users.csv");
    let count = |id: &str| users.iter().filter(|row| row.starts_with(id)).count();
    assert_eq!((count("gry12345"), count("troels12")), (1, 1));
    assert_eq!((count("per12345"), count("ida12345")), (0, 0));
    // The name is that of the employee, and not of the contact person.
    assert!(users.contains(&"troels12,,true,{unilogin:troels12},Troels,Bøg,,".to_owned()));
    let roles = rows(FULL, "roles.csv");
    let of = |id: &str| {
        let rows = roles.iter().filter(|row| row.contains(id));
        let rows = rows.map(|row| row.split(',').skip(3).take(2).collect::<Vec<_>>().join(" "));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(of("gry12345"), ["primary guardian"]);
    assert_eq!(of("troels12"), ["primary teacher"]);
}

#[test]
fn every_contact_person_that_is_passed_over_is_told_with_its_line() {
    let roster = roster(FULL);
    let told: Vec<_> = roster
        .passed_over()
        .iter()
        .map(|passed| {
            let fault = &passed.fault;
            let line = usize::try_from(fault.row.unwrap()).unwrap();
            let text = FULL.lines().nth(line - 1).unwrap();
            assert!(text.contains("ContactPerson"), "{text}");
            assert_eq!(passed.kind, PassedOverKind::Part);
            assert_eq!(fault.file, "skole.xml");
            (fault.code, fault.field.as_deref().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            (FaultCode::ValueUnknown, "childCustody"),
            (FaultCode::ValueMissing, "UserId"),
        ]
    );
    let summary = roster.summary();
    assert_eq!(summary.values_passed_over, 2);
    assert_eq!(summary.agents_passed_over, 1);
    assert_eq!((summary.guardianships, summary.guardians), (5, 3));
    assert_eq!(commands(FULL).len() as u64, summary.commands);
    let notes = roster.notes().join("\n");
    assert!(notes.contains("contact persons who have custody are read as guardians"));
    assert!(notes.contains("1 contact persons do not have custody"));
    for never in ["Per", "Ole", "Ida", "12345"] {
        assert!(!notes.contains(never), "{notes}");
    }
}

#[test]
fn a_contact_person_of_whom_nothing_is_said_leaves_the_guardians_alone() {
    // No word of custody and no login: it may be anybody.
    let silent = FULL.replace("childCustody=\"1\"", "").replace(
        "<c:FamilyName>B.</c:FamilyName><c:UserId>troels12</c:UserId>",
        "<c:FamilyName>B.</c:FamilyName>",
    );
    let found = said(commands(&silent));
    let expected = (vec!["gry12345"], vec![OTHERS, NOT, "per12345"]);
    assert_eq!(found["asta1234"], expected);
    assert_eq!(found["bo123456"], (vec!["gry12345"], vec![]));
    // If the other one does not have custody, that is said all the same.
    let denied = silent.replace("childCustody=\"true\"", "childCustody=\"false\"");
    let found = said(commands(&denied));
    assert_eq!(
        found["asta1234"],
        (vec![], vec![OTHERS, NOT, "gry12345", "per12345"])
    );
    assert_eq!(
        commands(&denied).len() as u64,
        roster(&denied).summary().commands
    );
    // If nobody can tell who any of them is, nothing at all is said.
    let login = "<c:UserId>gry12345</c:UserId>";
    let nobody = silent.replace(login, "");
    let found = said(commands(&nobody));
    assert_eq!(found["asta1234"], (vec![], vec![OTHERS, NOT, "per12345"]));
    assert!(!found.contains_key("bo123456"));
    assert_eq!(
        commands(&nobody).len() as u64,
        roster(&nobody).summary().commands
    );
    let passed = roster(&silent).passed_over()[0].clone();
    assert_eq!(passed.fault.code, FaultCode::ValueMissing);
    assert_eq!(passed.fault.field.as_deref(), Some("childCustody"));
}

#[test]
fn an_export_without_contact_persons_says_nothing_beside_one_that_names_some() {
    let folder = |files: &[(&str, &str)]| {
        let files = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes()));
        Roster::from_converted(convert(files, true).unwrap(), TODAY).unwrap()
    };
    let mut both = folder(&[("a.xml", NEWER), ("b.xml", OLDER)]);
    let found = both.commands().map(|item| item.unwrap().command);
    let said = said(found.collect());
    assert!(said.contains_key("esther12") && !said.contains_key("ebbe1234"));
    assert!(
        both.notes()
            .join("\n")
            .contains("1 exports name no contact persons")
    );
    assert_eq!(both.commands().count() as u64, both.summary().commands);
    assert!(converted(NEWER.as_bytes()).unwrap().relationships.is_none());
}

#[test]
fn who_has_custody_in_one_export_and_not_in_another_is_left_as_is() {
    let there = FULL
        .replace("700001", "700002")
        .replace("childCustody=\"true\"", "childCustody=\"false\"");
    let files = [("a.xml", FULL), ("b.xml", there.as_str())];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes()));
    let mut roster = Roster::from_converted(convert(files, true).unwrap(), TODAY).unwrap();
    let found = roster.commands().map(|item| item.unwrap().command);
    let said = said(found.collect());
    assert_eq!(said["asta1234"], (vec!["troels12"], vec!["gry12345"]));
    assert_eq!(said["bo123456"], (vec![], vec!["gry12345"]));
}
