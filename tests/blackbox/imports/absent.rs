//! Who is not in a bulk export is named, and nothing of theirs is deleted.

use planledger_proto::v1::*;
use serde_json::Value;

use super::export::{Export, Seen};
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_is_absent_from_a_bulk_export_is_named_and_keeps_everything() {
    let (server, voice) = Home::new().serve().await;
    let export = Export::new();
    export.import(&server, "").done();
    let seen = Seen::of(&voice).await;

    let after = export
        .clone()
        .without("users.csv", "ta")
        .without("enrollments.csv", "n1")
        .without("classes.csv", "c2")
        .without("enrollments.csv", "n4")
        .without("enrollments.csv", "n5");
    let dry_run = after
        .import_with(&server, &["--dry-run", "--json"])
        .done()
        .json();
    assert_eq!(dry_run["suggested"]["persons"]["new"], 1);
    assert_eq!(
        dry_run["suggested"]["classes"]["first"][0]["id"],
        seen.team("4.y").team_id
    );

    let done = after.import(&server, "").done();
    for said in [
        "1 persons of earlier exports are not in this one",
        "Tove Ask",
        "1 classes of earlier exports are not in this one",
        "4.y dansk",
    ] {
        assert!(done.stderr.contains(said), "{said}: {}", done.stderr);
    }
    let seen = Seen::of(&voice).await;
    assert!(seen.is_there("Tove") && seen.has_staff("4.x", "Tove"));
    assert!(!seen.team("4.y").closed && seen.has_member("4.y", "Esther"));
    let noted = &seen.person("Tove").absences[0];
    assert_eq!(noted.source, "default");
    assert_eq!(seen.team("4.y").absences.len(), 1);

    let again = after.import(&server, "").done();
    let said = format!("last seen on {}", noted.last_seen);
    assert!(again.stderr.contains(&said), "{}", again.stderr);
    export.import(&server, "").done();
    assert!(Seen::of(&voice).await.person("Tove").absences.is_empty());
}

/// Notes an import of the source on another day.
async fn imported_on(voice: &Voice, day: &str, mode: RosterImportMode) {
    let import = RecordRosterImport {
        day: day.to_owned(),
        mode: mode.into(),
        counts: Some(RosterCounts::default()),
    };
    voice
        .execute(Command {
            command_id: new_id(),
            command: Some(command::Command::RosterSource(RosterSourceCommand {
                roster_source_id: "726f7374-6572-8000-8000-000000000001".to_owned(),
                operation: Some(roster_source_command::Operation::RecordRosterImport(import)),
            })),
            ..Command::default()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_last_import_that_had_somebody_may_have_held_changes_only() {
    let (server, voice) = Home::new().serve().await;
    let export = Export::new();
    export.import(&server, "").done();
    imported_on(&voice, "2026-09-01", RosterImportMode::Bulk).await;
    imported_on(&voice, "2026-10-01", RosterImportMode::Delta).await;
    let after = export
        .without("users.csv", "ta")
        .without("enrollments.csv", "n1");
    after.import(&server, "").done();
    let seen = Seen::of(&voice).await;
    assert_eq!(seen.person("Tove").absences[0].last_seen, "2026-10-01");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_is_missing_while_a_row_cannot_be_read() {
    let (server, voice) = Home::new().serve().await;
    let export = Export::new();
    export.import(&server, "").done();
    let after = export
        .clone()
        .but(
            "users.csv",
            "ta,,,true,s,teacher,ta,,Tove,Ask,,,,,,,,,too,many",
        )
        .but("classes.csv", "c2,,,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x");
    let done = after.import_with(&server, &["--bad-rows", "100"]).done();
    for said in ["nobody is noted as missing", "no class is noted as missing"] {
        assert!(done.stderr.contains(said), "{said}: {}", done.stderr);
    }
    let seen = Seen::of(&voice).await;
    assert!(seen.person("Tove").absences.is_empty());
    assert!(seen.team("4.y").absences.is_empty());
}

/// The export of the first test here, with another pupil whose mother is Ebbe's too.
fn school() -> Export {
    Export::new()
        .with("users.csv", "ec,,,true,s,student,ec,,Emil,Lund,,,,,,ga,04,")
        .with("enrollments.csv", "n6,,,c1,s,ec,student,false,2026-08-10,")
}

/// The same without a pupil, a father and a class. Esther's place in the other class and Gry's
/// guardianship of Ebbe are missing although both ends of them are there.
fn later() -> Export {
    school()
        .without("users.csv", "ec")
        .without("enrollments.csv", "n6")
        .without("users.csv", "gb")
        .without("classes.csv", "c2")
        .without("enrollments.csv", "n4")
        .without("enrollments.csv", "n5")
        .without("enrollments.csv", "n3")
        .but("users.csv", "ea,,,true,s,student,ea,,Ebbe,Rønn,,,,,,,04,")
}

/// The links of a listing: the team or child, the fact, and the person, in order.
fn links(listing: &Value, name: &str) -> Vec<String> {
    let lines = listing["first"].as_array().or(listing.as_array()).unwrap();
    assert!(!listing["count"].is_u64() || listing["count"] == lines.len());
    let mut links: Vec<_> = lines
        .iter()
        .map(|line| {
            let part = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
            [part(name), part("fact"), part("person_name")].join(", ")
        })
        .collect();
    links.sort();
    links
}

const ENDING: [&str; 2] = [
    "4.x dansk, MEMBER, Esther Bøg",
    "Ebbe Rønn, GUARDIAN, Gry Rønn",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn enrolments_and_guardianships_that_are_missing_are_named_one_by_one() {
    let (server, voice) = Home::new().serve().await;
    school().import(&server, "").done();
    let seen = Seen::of(&voice).await;

    let report = tempfile::tempdir().unwrap();
    let report = report.path().join("report.csv");
    let flags = ["--dry-run", "--json", "--report", report.to_str().unwrap()];
    let dry_run = later().import_with(&server, &flags).done().json();
    let missing = &dry_run["suggested"];
    assert_eq!(
        links(&missing["enrolments"], "name"),
        [
            "4.x dansk, MEMBER, Emil Lund",
            "4.y dansk, MEMBER, Esther Bøg",
            "4.y dansk, STAFF, Troels Bøg",
        ]
    );
    assert_eq!(
        links(&missing["guardianships"], "name"),
        [
            "Ebbe Rønn, GUARDIAN, Gorm Rønn",
            "Emil Lund, GUARDIAN, Gry Rønn",
        ]
    );
    let class = &missing["classes"]["first"][0];
    assert_eq!(
        (&class["enrolments"], &class["guardianships"]),
        (&2.into(), &0.into())
    );
    let persons = missing["persons"]["first"].as_array().unwrap();
    let emil = persons.iter().find(|it| it["name"] == "Emil Lund").unwrap();
    assert_eq!(
        (&emil["enrolments"], &emil["guardianships"]),
        (&1.into(), &1.into())
    );
    let of_emil = &missing["guardianships"]["first"].as_array().unwrap();
    let emils = format!("person/{}", seen.id("Emil"));
    assert!(of_emil.iter().any(|link| link["stream"] == *emils
        && link["absent"] == *emils
        && link["person_id"] == *seen.id("Gry")));
    assert_eq!(links(&dry_run["dropped"], "name"), ENDING);

    let rows = std::fs::read_to_string(&report).unwrap();
    let troels = format!(
        "absent,enrollments.csv,,,STAFF,team/{}: person {} is on the staff; team/{0} is not in the export",
        seen.team("4.y").team_id,
        seen.id("Troels")
    );
    assert!(rows.contains(&troels), "{rows}");
    assert_eq!(rows.matches("\nabsent,").count(), 3 + 5, "{rows}");
    assert!(!rows.contains("Emil"), "{rows}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_import_names_links_that_end_and_links_that_stay_and_ends_no_other() {
    let (server, voice) = Home::new().serve().await;
    school().import(&server, "").done();
    let table = later().import_with(&server, &["--dry-run"]).done().stdout;
    let done = later().import_with(&server, &["--json"]).done();
    assert_eq!(links(&done.json()["dropped_links"], "name"), ENDING);
    let seen = Seen::of(&voice).await;
    let esther = seen.id("Esther");
    for said in [
        "3 enrolments are missing with them",
        "2 guardianships are missing with them",
        &format!("4.y dansk: Esther Bøg (person {esther}) is a member"),
        &format!(
            "Emil Lund: Gry Rønn (person {}) is a guardian",
            seen.id("Gry")
        ),
    ] {
        assert!(table.contains(said), "{said}: {table}");
        assert!(done.stderr.contains(said), "{said}: {}", done.stderr);
    }
    let ended = format!("person {esther} is no longer a member (4.x dansk, Esther Bøg)");
    assert!(done.stderr.contains(&ended), "{}", done.stderr);

    assert_eq!(seen.guardians("Ebbe"), [seen.id("Gorm")]);
    assert_eq!(seen.guardians("Emil"), [seen.id("Gry")]);
    assert!(seen.has_member("4.x", "Emil") && seen.has_member("4.y", "Esther"));
    assert!(seen.has_staff("4.y", "Troels") && !seen.has_member("4.x", "Esther"));

    // What an earlier import has noted is named again, and nothing more ends.
    let again = later().import_with(&server, &["--json"]).done().json();
    assert_eq!(again["suggested"]["persons"]["new"], 0);
    assert_eq!(again["suggested"]["enrolments"]["count"], 3);
    assert_eq!(again["dropped"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_a_leader_added_is_not_missing_in_a_roster() {
    let (server, voice) = Home::new().serve().await;
    let export = Export::new();
    export.import(&server, "").done();
    let seen = Seen::of(&voice).await;
    let add = team_command::Operation::AddTeamStaff(AddTeamStaff {
        staff: Some(TeamStaff {
            person_id: seen.id("Tove"),
            role: StaffRole::Teacher.into(),
        }),
    });
    let leader = voice.person(&seen.id("Lone"));
    leader
        .execute(Command {
            command_id: new_id(),
            command: Some(command::Command::Team(TeamCommand {
                team_id: seen.team("4.y").team_id.clone(),
                operation: Some(add),
            })),
            ..Command::default()
        })
        .await;
    let after = export
        .without("users.csv", "ta")
        .without("enrollments.csv", "n1");
    let seen = after
        .import_with(&server, &["--dry-run", "--json"])
        .done()
        .json();
    assert_eq!(
        links(&seen["suggested"]["enrolments"], "name"),
        ["4.x dansk, STAFF, Tove Ask"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn links_are_asked_for_of_persons_and_teams_only_and_of_a_bounded_number() {
    let (_server, voice) = Home::new().serve().await;
    let team = format!("team/{}", new_id());
    for (streams, field, why) in [
        (Vec::new(), "streams", "MISSING"),
        (
            vec![format!("plan/{}", new_id())],
            "streams[0]",
            "MALFORMED_ID",
        ),
        (vec![team.clone(); 1_001], "streams", "OUT_OF_RANGE"),
    ] {
        let request = ListRosterLinksRequest {
            source: "default".to_owned(),
            streams,
            min_position: 0,
        };
        let answer = voice.client.roster().list_roster_links(request).await;
        let root = "planledger.v1.ListRosterLinksRequest";
        let refused = Refused::new(&answer.unwrap_err(), root);
        assert_eq!(refused.reason, "REQUEST_INVALID");
        assert_eq!(refused.fields, [(field.to_owned(), why.to_owned())]);
    }
    let request = ListRosterLinksRequest {
        source: "default".to_owned(),
        streams: vec![team],
        min_position: 0,
    };
    let answer = voice.client.roster().list_roster_links(request).await;
    let mut answer = answer.unwrap().into_inner();
    assert_eq!(next(&mut answer).await.unwrap(), None);
}
