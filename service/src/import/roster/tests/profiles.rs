//! Accounts of persons in other systems: `userProfiles.csv` of OneRoster 1.2.

use std::collections::BTreeMap;

use planledger_core::domain::Command;
use planledger_core::domain::person::{PersonCommand, UserProfile};

use super::export::{Export, all, export, opened, person};
use super::formats::one_two;

const HEADER: &str = "sourcedId,status,dateLastModified,userSourcedId,profileType,vendorId,applicationId,\
                      description,credentialType,username,password\n";

/// The small export of OneRoster 1.2 with these rows of profiles.
fn with(rows: &str) -> Export {
    let mut changed = one_two();
    let table = format!("{HEADER}{rows}");
    changed.0.insert("userProfiles.csv", table.into_bytes());
    changed
}

const TWO: &str = "p1,active,,e1,skole,Platform A,,,SSO,aase.1,hemmelig1\n\
                   p2,,,e1,skole,,,,,aase.2,hemmelig2\n";

/// Everything that an export brings.
fn written(export: &Export) -> String {
    let commands = all(&mut opened(export)).into_iter();
    let commands = commands.map(|imported| serde_json::to_string(&imported.command).unwrap());
    commands.collect()
}

/// What an export says of profiles, by person.
#[derive(Debug, Default, PartialEq)]
struct Said {
    /// Every profile, or nothing, of those whose own row is in the export.
    whole: BTreeMap<&'static str, Option<Vec<String>>>,
    /// New and changed profiles, and those that are gone.
    part: BTreeMap<&'static str, (Vec<String>, Vec<String>)>,
}

fn said(export: &Export) -> Said {
    let show = |profile: &UserProfile| {
        let kind = profile.kind.as_ref().map_or("-", |kind| kind.as_str());
        format!("{} {kind} {}", profile.sourced_id, profile.user_name)
    };
    let names = ["e1", "f1", "l1", "e9"];
    let name = |id| names.into_iter().find(|name| person(name) == id).unwrap();
    let mut roster = opened(export);
    let (commands, mut said) = (all(&mut roster), Said::default());
    assert_eq!(commands.len() as u64, roster.summary().commands);
    for imported in commands {
        match imported.command {
            Command::Person(id, PersonCommand::Put { record, .. }) => {
                let profiles = record.unwrap().profiles;
                let profiles = profiles.map(|all| all.iter().map(show).collect());
                said.whole.insert(name(id), profiles);
            }
            Command::Person(id, PersonCommand::PutSomeProfiles { profiles, gone, .. }) => {
                assert_eq!(imported.file, "userProfiles.csv");
                let gone = gone.iter().map(ToString::to_string).collect();
                let profiles = profiles.iter().map(show).collect();
                said.part.insert(name(id), (profiles, gone));
            }
            _ => {}
        }
    }
    said
}

fn whole<const N: usize>(of: [(&'static str, Option<&[&str]>); N]) -> Said {
    let owned = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect();
    let whole = of.map(|(name, profiles)| (name, profiles.map(owned)));
    Said {
        whole: whole.into(),
        part: BTreeMap::new(),
    }
}

impl Said {
    fn and_of(mut self, name: &'static str, profiles: &[&str], gone: &[&str]) -> Self {
        let owned = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect();
        self.part.insert(name, (owned(profiles), owned(gone)));
        self
    }
}

const NOTHING: [(&str, Option<&[&str]>); 3] = [("e1", None), ("f1", None), ("l1", None)];

#[test]
fn a_table_of_profiles_says_which_accounts_everybody_has_and_no_password() {
    let both: &[&str] = &["p1 Platform A aase.1", "p2 skole aase.2"];
    let none: &[&str] = &[];
    let expected = whole([("e1", Some(both)), ("f1", Some(none)), ("l1", Some(none))]);
    let export = with(TWO);
    assert_eq!(said(&export), expected);
    assert_eq!(export.passed_over(), [] as [&str; 0]);
    let commands = written(&export);
    assert!(commands.contains("aase.1") && !commands.contains("hemmelig"));
    // The smallest table that the standard allows to read, and one with its header only.
    let mut small = export;
    let rows = "userSourcedId,username\ne1,aase.1\n";
    small.0.insert("userProfiles.csv", rows.into());
    let one: &[&str] = &["aase.1 - aase.1"];
    let expected = whole([("e1", Some(one)), ("f1", Some(none)), ("l1", Some(none))]);
    assert_eq!(said(&small), expected);
    let expected = whole([("e1", Some(none)), ("f1", Some(none)), ("l1", Some(none))]);
    assert_eq!(said(&with("")), expected);
}

#[test]
fn an_export_without_the_table_says_nothing_of_accounts() {
    let mut without = one_two();
    without.0.remove("userProfiles.csv");
    assert_eq!(said(&without), whole(NOTHING));
    let absent = with(TWO).replace("manifest.csv", "bulk", "bulk\nfile.userProfiles,absent");
    assert_eq!(said(&absent), whole(NOTHING));
    let is_told = |export: &Export| {
        let notes = export.open().unwrap().notes();
        notes
            .iter()
            .any(|note| note.starts_with("userProfiles.csv is not read"))
    };
    assert!(is_told(&absent) && !is_told(&without));
    let stays = |export: &Export| {
        let notes = export.open().unwrap().notes().join("\n");
        notes.contains("accounts in other systems stay as they are")
    };
    assert!(stays(&without) && !stays(&with(TWO)) && !stays(&with("")));
    let mut older = export();
    assert!(!stays(&older));
    older
        .0
        .insert("userProfiles.csv", with(TWO).0["userProfiles.csv"].clone());
    assert!(is_told(&older));
    assert!(!written(&older).contains("aase.1"));
}

#[test]
fn rows_that_cannot_be_used_are_told_and_end_no_account_of_their_person() {
    let rows = "p1,active,,e1,,A,,,,aase.1,\n\
                p2,tobedeleted,,e1,,A,,,,aase.2,\n\
                p3,inactive,,f1,,A,,,,carl,\n\
                p4,active,,nobody,,A,,,,x,\n\
                p5,active,,e1,,A,,,,,\n\
                p7,active,,l1,,A,,,,nora2,\n\
                p7,active,,f1,,A,,,,carl2,\n\
                p7,active,,l1,,A,,,,nora3,\n\
                p8,active,,l1,,A,,,,010203-1234,\n";
    let export = with(rows);
    assert_eq!(
        export.passed_over(),
        [
            "gone NOT_IN_USE userProfiles.csv:3 status",
            "gone NOT_IN_USE userProfiles.csv:4 status",
            "bad REFERENCE_DANGLING userProfiles.csv:5 userSourcedId",
            "bad VALUE_MISSING userProfiles.csv:6 username",
            "bad ID_DUPLICATED userProfiles.csv:8 sourcedId",
            "bad CPR_FOUND userProfiles.csv:10 username",
        ]
    );
    let expected = whole(NOTHING)
        .and_of("e1", &["p1 A aase.1"], &["p2"])
        .and_of("f1", &[], &["p3"])
        .and_of("l1", &["p7 A nora2", "p7 A nora3"], &[]);
    assert_eq!(said(&export), expected);
}

#[test]
fn profiles_of_nobody_and_without_a_user_name_stop_no_import_and_others_that_are_bad_do() {
    let rows = |status: &str| {
        let row = |number| format!("p{number},{status},,nobody,,A,,,,,\n");
        with(&(0..20).map(row).collect::<String>())
    };
    assert_eq!(rows("active").passed_over().len(), 40);
    let stopped = rows("gammel").open().err().unwrap();
    assert!(
        stopped
            .faults()
            .iter()
            .any(|fault| fault.code.as_str() == "ROWS_BAD")
    );
}

#[test]
fn nobody_loses_an_account_while_a_row_does_not_say_whose_it_is() {
    for row in ["p9,active,,,,A,,,,x,\n", "p9,active,,e1,,A,,,,x,,y\n"] {
        let export = with(&(TWO.to_owned() + row));
        let expected = whole(NOTHING);
        let expected = expected.and_of("e1", &["p1 Platform A aase.1", "p2 skole aase.2"], &[]);
        assert_eq!(said(&export), expected, "{row}");
        let notes = export.open().unwrap().notes().join("\n");
        assert!(notes.contains("nobody loses an account"), "{notes}");
    }
}

#[test]
fn a_profile_of_a_person_whose_row_is_passed_over_is_left_alone_too() {
    let bad = with(TWO).replace("users.csv", "e1,active,true", "e1,active,måske");
    let passed = bad.passed_over();
    assert!(passed.contains(&"bad ROW_PASSED_OVER userProfiles.csv:2 userSourcedId".to_owned()));
    let none: &[&str] = &[];
    assert_eq!(said(&bad), whole([("f1", Some(none)), ("l1", Some(none))]));
}

#[test]
fn an_export_of_changes_adds_and_takes_away_what_it_names() {
    let delta = |profiles: &str, rows: &str| {
        let manifest = format!("delta\nfile.userProfiles,{profiles}");
        with(rows).replace("manifest.csv", "bulk", &manifest)
    };
    let rows = "p1,active,,e1,,A,,,,aase.1,\n\
                p2,tobedeleted,,e1,,,,,,,\n\
                p3,inactive,,f1,,A,,,,carl,\n\
                p4,active,,e9,,A,,,,ny,\n";
    let changes = delta("delta", rows);
    assert_eq!(changes.passed_over(), [] as [&str; 0]);
    let expected = whole(NOTHING)
        .and_of("e1", &["p1 A aase.1"], &["p2"])
        .and_of("f1", &[], &["p3"])
        .and_of("e9", &["p4 A ny"], &[]);
    assert_eq!(said(&changes), expected);
    // What the manifest does not say of the table is as with the others.
    let unsaid = changes.replace("manifest.csv", "\nfile.userProfiles,delta", "");
    assert_eq!(said(&unsaid), expected);
    // A user of whom it holds every profile, as a service gives changed users.
    let (one, none): (&[&str], &[&str]) = (&["p1 A aase.1"], &[]);
    let expected = whole([("e1", Some(one)), ("f1", Some(none)), ("l1", Some(none))]);
    let expected = expected.and_of("e9", &["p4 A ny"], &[]);
    assert_eq!(said(&delta("bulk", rows)), expected);
    // And changes of profiles alone do not make an export one of changes.
    let bulk = with("p1,active,,e1,,A,,,,aase.1,\n");
    let bulk = bulk.replace("manifest.csv", "bulk", "bulk\nfile.userProfiles,delta");
    assert!(!bulk.open().unwrap().is_delta());
    assert_eq!(
        said(&bulk),
        whole(NOTHING).and_of("e1", &["p1 A aase.1"], &[])
    );
}
