//! An export that was spoiled on its way: what the program says of it, and what it then does. The
//! roster's own tests try far more of them, and without the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use planledger_fixtures::spoiled::{Spoiling, users_and_roles};
use planledger_proto::v1::*;
use proptest::prelude::*;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::export::{Export, Seen, import_files};
use crate::support::*;

type Files = BTreeMap<&'static str, String>;

/// How many spoiled exports of each sort are imported.
const CASES: u32 = 12;

/// The next export: somebody joins a class, and a teacher and a father have left.
fn next_export() -> Export {
    Export::new()
        .with("enrollments.csv", "n6,,,c2,s,ea,student,false,2026-08-10,")
        .but(
            "users.csv",
            "tb,tobedeleted,,true,s,teacher,tb,,Troels,Bøg,,,,,,,,",
        )
        .but(
            "users.csv",
            "gb,tobedeleted,,true,s,guardian,gb,,Gorm,Rønn,,,,,,,,",
        )
}

/// The same as changes.
fn changes() -> Export {
    let users = ["ta", "l", "ga", "eb"];
    let changes = users
        .iter()
        .fold(next_export(), |export, id| export.without("users.csv", id));
    ["n1", "n2", "n3", "n4", "n5"]
        .iter()
        .fold(changes, |export, id| export.without("enrollments.csv", id))
        .with(
            "enrollments.csv",
            "n3,tobedeleted,,c1,s,eb,student,false,2026-08-10,",
        )
        .but("manifest.csv", "file.users,delta")
}

fn as_1_2(mut files: Files) -> Files {
    let (users, roles) = users_and_roles(&files["users.csv"]);
    files.insert("users.csv", users);
    files.insert("roles.csv", roles);
    let manifest = files["manifest.csv"].replace("version,1.1", "version,1.2");
    files.insert("manifest.csv", manifest);
    files
}

/// A school that has imported the first export, whose teacher Tove has a year plan with a plan.
struct School {
    home: Home,
    persons: Vec<String>,
    teams: Vec<String>,
}

impl School {
    async fn new(first: &Files) -> Self {
        let home = Home::new();
        let (server, voice) = home.serve().await;
        import_files(first, &server, &[]).done();
        let seen = Seen::of(&voice).await;
        let years = voice.ask(ListSchoolYearsRequest::default()).await.unwrap();
        let team = seen.team("4.x");
        let create = CreateYearPlan {
            details: Some(YearPlanDetails {
                kind: YearPlanKind::Subject.into(),
                institution_id: team.details.clone().unwrap().institution_id,
                team_id: team.team_id.clone(),
                school_year_id: years.school_years[0].school_year_id.clone(),
                title: "Dansk i 4.x".to_owned(),
                subjects: vec!["Dansk".to_owned()],
            }),
            owner_id: seen.id("Tove"),
        };
        let (id, tove) = (new_id(), voice.person(&seen.id("Tove")));
        tove.all([
            year_plan(&id, OnYearPlan::CreateYearPlan(create)),
            open_plan(&new_id(), &seen.id("Ebbe"), &id),
        ])
        .await;
        let persons = seen.persons.iter().map(|it| it.person_id.clone());
        let teams = seen.teams.iter().map(|it| it.team_id.clone());
        let school = Self {
            home: home.clone(),
            persons: persons.collect::<BTreeSet<_>>().into_iter().collect(),
            teams: teams.collect(),
        };
        let links = school.links(&voice).await;
        assert_eq!(links.iter().filter(|it| it.contains(" OWNS ")).count(), 4);
        school
    }

    /// Every link between those who were there from the beginning, and whether they are there.
    async fn links(&self, voice: &Voice) -> BTreeSet<String> {
        let mut links = BTreeSet::new();
        for id in &self.persons {
            let request = GetPersonRequest {
                person_id: id.clone(),
                ..GetPersonRequest::default()
            };
            let person = voice.ask(request).await.unwrap().person.unwrap();
            let open = person.guardians.iter().filter(|it| it.last_day.is_none());
            links.extend(open.map(|it| format!("person/{id} GUARDIAN {}", it.guardian_id)));
            let places = person.affiliations.iter();
            links.extend(places.map(|it| format!("person/{id} AFFILIATION {}", it.institution_id)));
            links.insert(match person.departure {
                None => format!("person/{id} is there"),
                Some(_) => format!("person/{id} has left"),
            });
            links.extend(
                person
                    .absences
                    .is_empty()
                    .then(|| format!("person/{id} seen")),
            );
            let owned = voice.owned(id).await.into_iter();
            links.extend(owned.map(|it| format!("person/{id} OWNS {}", it.stream)));
        }
        for id in &self.teams {
            let request = GetTeamRequest {
                team_id: id.clone(),
                ..GetTeamRequest::default()
            };
            let team = voice.ask(request).await.unwrap().team.unwrap();
            let members = team.member_ids.iter();
            links.extend(members.map(|it| format!("team/{id} MEMBER {it}")));
            let staff = team.staff.iter();
            links.extend(staff.map(|it| format!("team/{id} STAFF {}", it.person_id)));
            links.insert(match team.closed {
                false => format!("team/{id} is there"),
                true => format!("team/{id} has left"),
            });
            links.extend(team.absences.is_empty().then(|| format!("team/{id} seen")));
        }
        links
    }

    /// Imports an export into a copy of the school. Gives what is there afterwards and what is said to
    /// end.
    async fn import(&self, files: &Files) -> (BTreeSet<String>, BTreeSet<String>) {
        let home = self.home.copied();
        let (server, voice) = home.serve().await;
        let position = voice.position().await;
        let report = home.path().join("report.csv");
        let report = report.to_str().unwrap();
        let accepting = ["--accept-removals", "--accept-names", "--bad-rows", "100"];
        let told = ["--json", "--report", report];
        let ran = import_files(files, &server, &[&accepting[..], &told].concat());
        if ran.stdout.is_empty() {
            assert_eq!(ran.code, Some(1), "{ran:?}");
            assert_eq!(voice.position().await, position, "{ran:?}");
        }
        let said = match ran.stdout.is_empty() {
            true => BTreeSet::new(),
            false => said(&ran.json(), &fs::read_to_string(report).unwrap()),
        };
        (self.links(&voice).await, said)
    }
}

/// The links that an import says it has ended, as text and as rows of its report.
fn said(json: &Value, report: &str) -> BTreeSet<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let listed = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let dropped = listed(&json["dropped_links"]);
    assert_eq!(
        report.matches("\ndropped,").count(),
        dropped.len(),
        "{report}"
    );
    let mut said: BTreeSet<_> = dropped
        .iter()
        .map(|link| {
            let whom = text(&link["person_id"]) + &text(&link["institution_id"]);
            format!("{} {} {whom}", text(&link["stream"]), text(&link["fact"]))
        })
        .collect();
    let left = listed(&json["left"]["first"]);
    assert_eq!(report.matches("\nleft,").count(), left.len(), "{report}");
    for line in left {
        let kind = match line["kind"] == "teams" {
            true => "team",
            false => "person",
        };
        let id = text(&line["id"]);
        said.insert(format!("{kind}/{id} is there"));
        said.insert(format!("{kind}/{id} has left"));
    }
    for (kind, part) in [("person", "persons"), ("team", "classes")] {
        for absent in listed(&json["suggested"][part]["first"]) {
            let stream = format!("{kind}/{}", text(&absent["id"]));
            assert!(
                report.contains(&format!("{stream}: not in the export")),
                "{report}"
            );
            said.insert(format!("{stream} seen"));
        }
    }
    said
}

/// Whether a link that ended is said, or that its guardian has left.
fn is_said(link: &str, said: &BTreeSet<String>) -> bool {
    let guardian = link.split_once(" GUARDIAN ");
    let has_left = |(_, id)| said.contains(&format!("person/{id} is there"));
    said.contains(link) || guardian.is_some_and(has_left)
}

fn ends_nothing_in_silence(first: &Files, export: &Files) {
    let runtime = Runtime::new().unwrap();
    let school = runtime.block_on(School::new(first));
    let before = runtime.block_on(async {
        let (_server, voice) = school.home.copied().serve().await;
        school.links(&voice).await
    });
    let (whole, ended) = runtime.block_on(school.import(export));
    assert!(ended.len() > 1, "{ended:?}");
    let how = prop::sample::select(Spoiling::ALL.to_vec());
    let change = (0..8usize, how, 0..10usize, 0..10usize, 0..100usize);
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(CASES)
    };
    proptest!(config, |(changes in prop::collection::vec(change, 1..5))| {
        let mut spoiled = export.clone();
        for (file, how, row, other, cell) in changes {
            let names: Vec<_> = spoiled.keys().copied().collect();
            let file = names[file % names.len()];
            let table = how.of(&spoiled[file], row, other, cell);
            spoiled.insert(file, table);
        }
        let (after, said) = runtime.block_on(school.import(&spoiled));
        for link in whole.intersection(&before).filter(|link| !after.contains(*link)) {
            prop_assert!(is_said(link, &said), "{link}: {said:#?}");
        }
    });
}

#[test]
fn a_spoiled_bulk_export_of_1_1_ends_nothing_in_silence() {
    ends_nothing_in_silence(&Export::new().files(), &next_export().files());
}

#[test]
fn spoiled_changes_of_1_1_end_nothing_in_silence() {
    ends_nothing_in_silence(&Export::new().files(), &changes().files());
}

#[test]
fn a_spoiled_bulk_export_of_1_2_ends_nothing_in_silence() {
    let (first, next) = (as_1_2(Export::new().files()), as_1_2(next_export().files()));
    ends_nothing_in_silence(&first, &next);
}

#[test]
fn spoiled_changes_of_1_2_end_nothing_in_silence() {
    let (first, changes) = (as_1_2(Export::new().files()), as_1_2(changes().files()));
    ends_nothing_in_silence(&first, &changes);
}
