//! Records that cannot be used, and those that were changed.

use planledger_core::domain::Command;
use planledger_core::domain::team::TeamCommand;
use planledger_fixtures::http::{Answer, Asked, Server};
use serde_json::{Value, json};

use super::super::client::Client;
use super::super::tables::Changes;
use super::{TODAY, client, sample_records, token};
use crate::import::fault::{FaultCode, PassedOver, PassedOverKind};
use crate::import::{ImportFaults, Roster, Terms};

/// Serves the sample roster, with the records of each collection changed.
fn served(change: impl Fn(&str, &mut Vec<Value>) + Send + 'static) -> Server {
    Server::start(move |asked| match asked.path.as_str() {
        "/token" => token(),
        _ => answer(asked, &change),
    })
}

fn answer(asked: &Asked, change: &impl Fn(&str, &mut Vec<Value>)) -> Answer {
    let collection = asked.path.rsplit('/').next().unwrap();
    let mut records = sample_records(collection);
    change(collection, &mut records);
    if asked.query("filter").is_some() {
        records.retain(|record| record["dateLastModified"].as_str() > Some("2026-11"));
    }
    let total = records.len().to_string();
    Answer::json(json!({collection: records})).header("X-Total-Count", &total)
}

fn told(passed: &[PassedOver]) -> Vec<String> {
    passed
        .iter()
        .map(|passed| passed.fault.to_string())
        .collect()
}

fn commands(roster: &mut Roster) -> Vec<Command> {
    let commands = roster.commands();
    commands.map(|item| item.unwrap().command).collect()
}

#[test]
fn a_class_that_was_changed_finds_its_course_and_its_terms_which_were_not() {
    let server = served(|collection, records| {
        if collection == "classes" {
            records[1]["title"] = json!("0.A Dansk, hold 2");
            records[1]["subjects"] = json!([]);
            records[1]["dateLastModified"] = json!("2026-11-20T08:00:00Z");
        }
    });
    let since = Changes::since("2026-11-01").unwrap();
    let mut roster = Roster::fetch(&mut client(&server), Some(&since), TODAY).unwrap();
    assert!(roster.is_delta());
    assert_eq!(told(roster.passed_over()), Vec::<String>::new());
    assert_eq!((roster.summary().teams, roster.summary().persons()), (1, 0));
    let teams = commands(&mut roster)
        .into_iter()
        .filter_map(|command| match command {
            Command::Team(_, TeamCommand::PutPart { details, .. }) => details,
            _ => None,
        });
    let teams: Vec<_> = teams.collect();
    let [team] = teams.as_slice() else {
        panic!("{teams:?}")
    };
    assert_eq!(team.title.as_str(), "0.A Dansk, hold 2");
    assert_eq!(team.subject.as_ref().unwrap().as_str(), "Dansk");
    assert!(team.school_year.is_some());
}

/// How the commands differ from those of the sound roster: how many are missing.
fn without(collection: &'static str, number: usize, name: &'static str, value: &Value) -> Roster {
    let value = value.clone();
    let server = served(move |asked, records| {
        if asked == collection {
            records[number][name] = value.clone();
        }
    });
    Roster::fetch(&mut client(&server), None, TODAY).unwrap()
}

#[test]
fn a_record_of_the_wrong_type_is_passed_over_with_its_place_and_ends_nothing() {
    let server = served(|_, _| {});
    let sound = commands(&mut Roster::fetch(&mut client(&server), None, TODAY).unwrap());
    for (collection, name, value, code) in [
        ("users", "grades", json!("7"), FaultCode::TypeWrong),
        ("users", "agents", json!(["a"]), FaultCode::TypeWrong),
        (
            "users",
            "givenName",
            json!({"a": "010203-1234"}),
            FaultCode::TypeWrong,
        ),
        ("users", "sourcedId", Value::Null, FaultCode::ValueMissing),
        ("users", "sourcedId", json!(7), FaultCode::TypeWrong),
        ("classes", "school", json!("a"), FaultCode::TypeWrong),
        (
            "classes",
            "terms",
            json!([{"sourcedId": "a,b"}]),
            FaultCode::TypeWrong,
        ),
        ("enrollments", "user", json!("a"), FaultCode::TypeWrong),
        ("enrollments", "role", json!([]), FaultCode::TypeWrong),
    ] {
        let mut roster = without(collection, 0, name, &value);
        let case = format!("{collection} {name} {value}");
        let own = roster
            .passed_over()
            .iter()
            .find(|passed| passed.fault.code == code);
        let own = own.unwrap_or_else(|| panic!("{case}: {:?}", told(roster.passed_over())));
        assert_eq!(own.kind, PassedOverKind::Bad, "{case}");
        assert_eq!(own.fault.file, format!("{collection}.csv"), "{case}");
        assert_eq!(own.fault.row, Some(2), "{case}");
        assert_eq!(own.fault.field.as_deref(), Some(name), "{case}");
        assert!(
            own.fault.message.starts_with("record 1 of page 1"),
            "{}",
            own.fault
        );
        let names_it = own.fault.message.contains("(sourcedId ");
        assert_eq!(names_it, name != "sourcedId", "{}", own.fault);
        assert!(!own.fault.to_string().contains("010203"), "{}", own.fault);
        // The row is told of once.
        let of_row = |passed: &&PassedOver| {
            (passed.fault.file.as_ref(), passed.fault.row) == (&*own.fault.file, Some(2))
        };
        assert_eq!(
            roster.passed_over().iter().filter(of_row).count(),
            1,
            "{case}"
        );
        assert_eq!(
            roster.hides_persons(),
            (collection, name) == ("users", "sourcedId"),
            "{case}"
        );
        // What is said of others is the same, and of the subject nothing: no command is another than
        // before, except of teams, where a place is left open.
        let others = commands(&mut roster);
        let is_team = |command: &&Command| matches!(command, Command::Team(..));
        assert!(
            others
                .iter()
                .filter(|command| !is_team(command))
                .all(|command| sound.contains(command)),
            "{case}"
        );
        assert!(others.len() <= sound.len(), "{case}");
    }
}

#[test]
fn too_many_bad_records_refuse_the_roster_with_the_reasons_of_the_records() {
    let server = served(|collection, records| {
        if collection == "users" {
            records
                .iter_mut()
                .for_each(|record| record["grades"] = json!("7"));
        }
    });
    let terms = Terms::from(TODAY);
    let refused = Roster::fetch(&mut client(&server), None, terms)
        .err()
        .unwrap();
    let refused: &ImportFaults = &refused;
    let of_users = |code: FaultCode| {
        let faults = refused.faults().iter();
        faults
            .filter(|fault| fault.file == "users.csv" && fault.code == code)
            .count()
    };
    assert_eq!(of_users(FaultCode::ValueUnknown), 0, "{refused}");
    assert!(of_users(FaultCode::TypeWrong) > 10, "{refused}");
    assert_eq!(of_users(FaultCode::RowsBad), 1, "{refused}");
    let passed = refused.passed_over().iter();
    assert!(passed.clone().any(|one| {
        one.fault
            .message
            .starts_with("record 1 of page 1 (sourcedId")
    }));
    let column = passed.filter(|one| one.fault.file == "users.csv");
    assert!(column.clone().count() > 10);
    assert!(
        column
            .clone()
            .all(|one| one.fault.field.as_deref() == Some("grades"))
    );
}

/// A service of version 1.2 with two sound users and one that is changed.
fn users_1_2(change: fn(&mut Value)) -> Roster {
    let server = Server::start(move |asked| {
        let collection = asked.path.rsplit('/').next().unwrap();
        let user = |id: &str| {
            json!({
                "sourcedId": id, "status": "active", "enabledUser": true, "givenName": "Åse",
                "familyName": "Ærø", "username": id,
                "roles": [{"roleType": "primary", "role": "teacher", "org": {"sourcedId": "s1"}}],
                "userProfiles": [{"profileType": "skole", "credentials": [{"username": id}]}],
            })
        };
        let mut users = [user("u1"), user("u2"), user("u3")];
        change(&mut users[1]);
        let records = match collection {
            "orgs" => {
                json!([{"sourcedId": "s1", "status": "active", "name": "A", "type": "school"}])
            }
            "users" => json!(users),
            _ => json!([]),
        };
        let total = records.as_array().unwrap().len().to_string();
        Answer::json(json!({collection: records})).header("X-Total-Count", &total)
    });
    let mut client = Client::new(&server.url("/ims/oneroster/rostering/v1p2"), None).unwrap();
    Roster::fetch(&mut client, None, TODAY).unwrap()
}

/// Makes a user unreadable.
type Spoil = fn(&mut Value);

#[test]
fn a_user_whose_roles_cannot_be_read_is_passed_over_alone_and_bad_accounts_leave_the_user() {
    let changes: [(Spoil, u64, &str, &str); 5] = [
        (
            |user| user["roles"] = json!("teacher"),
            2,
            "users.csv",
            "roles",
        ),
        (|user| user["roles"][0] = json!(1), 2, "users.csv", "roles"),
        (
            |user| user["roles"][0]["org"] = json!("s1"),
            2,
            "users.csv",
            "org",
        ),
        (
            |user| user["userProfiles"] = json!({}),
            3,
            "userProfiles.csv",
            "userProfiles",
        ),
        (
            |user| user["userProfiles"][0]["credentials"][0]["username"] = json!([1]),
            3,
            "userProfiles.csv",
            "username",
        ),
    ];
    for (change, persons, file, field) in changes {
        let roster = users_1_2(change);
        assert_eq!(roster.summary().persons(), persons, "{file} {field}");
        let passed = roster.passed_over();
        assert_eq!(passed.len(), 1, "{:?}", told(passed));
        let fault = &passed[0].fault;
        assert_eq!(
            (fault.file.as_ref(), fault.field.as_deref()),
            (file, Some(field))
        );
        assert_eq!((fault.code, fault.row), (FaultCode::TypeWrong, Some(3)));
        assert!(
            fault
                .message
                .starts_with("record 2 of page 1 (sourcedId u2): "),
            "{fault}"
        );
        assert!(!roster.hides_persons());
    }
}

/// The usual form of a CPR number directly after a letter, as a column of ids.
#[test]
fn ids_of_persons_that_are_a_letter_and_a_cpr_number_are_refused_and_not_told() {
    let server = served(|collection, records| {
        if collection == "users" {
            records[0]["sourcedId"] = json!("E010203-1234");
            records[0]["grades"] = json!("7");
            records[1]["sourcedId"] = json!("E020304-1234");
        }
    });
    let roster = Roster::fetch(&mut client(&server), None, TODAY).unwrap();
    let passed = roster.passed_over();
    let of_line = |line| {
        let mut of = passed.iter().map(|passed| &passed.fault);
        of.find(|fault| fault.file == "users.csv" && fault.row == Some(line))
            .unwrap()
    };
    assert_eq!(of_line(2).code, FaultCode::TypeWrong);
    assert_eq!(of_line(3).code, FaultCode::CprFound);
    assert!(
        told(passed).iter().all(|told| !told.contains("1234")),
        "{:?}",
        told(passed)
    );
}
