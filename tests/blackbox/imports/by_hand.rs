//! What a person decided stays, and the import says so.

use planledger_proto::v1::*;

use super::export::{Export, Seen};
use crate::support::*;

fn of_person(person_id: String, operation: person_command::Operation) -> command::Command {
    command::Command::Person(PersonCommand {
        person_id,
        operation: Some(operation),
    })
}

fn of_team(team_id: String, operation: team_command::Operation) -> command::Command {
    command::Command::Team(TeamCommand {
        team_id,
        operation: Some(operation),
    })
}

/// A server that has imported the export, and what it holds then.
async fn imported() -> (Running, Voice, Export, Seen) {
    let (server, voice) = Home::new().serve().await;
    let export = Export::new();
    export.import(&server, "").done();
    let seen = Seen::of(&voice).await;
    (server, voice, export, seen)
}

async fn does(voice: &Voice, command: command::Command) {
    let command = Command {
        command_id: new_id(),
        command: Some(command),
        ..Command::default()
    };
    voice.execute(command).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_guardian_whose_guardianship_a_leader_ended_does_not_come_back() {
    let (server, voice, export, seen) = imported().await;
    let end = person_command::Operation::EndGuardianship(EndGuardianship {
        guardian_id: seen.id("Gorm"),
        last_day: "2026-09-01".to_owned(),
    });
    does(
        &voice.person(&seen.id("Lone")),
        of_person(seen.id("Ebbe"), end),
    )
    .await;

    let again = export.import(&server, "").done();
    let seen = Seen::of(&voice).await;
    assert_eq!(seen.guardians("Ebbe"), [seen.id("Gry")]);
    assert_eq!(seen.person("Ebbe").decided_by_hand.len(), 1);
    let said = format!("whether person {} is a guardian", seen.id("Gorm"));
    assert!(again.stderr.contains(&said), "{}", again.stderr);

    // The roster drops him, and names him anew.
    let dropped = export
        .clone()
        .but("users.csv", "ea,,,true,s,student,ea,,Ebbe,Rønn,,,,,,ga,04,");
    dropped.import(&server, "").done();
    export.import(&server, "").done();
    let seen = Seen::of(&voice).await;
    assert_eq!(seen.guardians("Ebbe").len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_substitute_and_a_closing_of_a_leader_stay() {
    let (server, voice, export, seen) = imported().await;
    let leader = voice.person(&seen.id("Lone"));
    let add = team_command::Operation::AddTeamStaff(AddTeamStaff {
        staff: Some(TeamStaff {
            person_id: seen.id("Troels"),
            role: StaffRole::Teacher.into(),
        }),
    });
    does(&leader, of_team(seen.team("4.x").team_id.clone(), add)).await;
    let close = team_command::Operation::CloseTeam(CloseTeam { reason: None });
    does(&leader, of_team(seen.team("4.y").team_id.clone(), close)).await;

    let again = export.import(&server, "").done();
    let seen = Seen::of(&voice).await;
    assert!(seen.has_staff("4.x", "Troels") && seen.has_staff("4.x", "Tove"));
    assert!(seen.team("4.y").closed);
    assert!(again.stderr.contains("2 things stay"), "{}", again.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_departure_that_a_person_noted_stays_and_one_that_an_import_brought_does_not() {
    let (server, voice, export, seen) = imported().await;
    let leader = format!("person/{}", seen.id("Lone"));

    // A leader runs the import that says that Tove has left.
    let gone = export.clone().but(
        "users.csv",
        "ta,tobedeleted,,true,s,teacher,ta,,Tove,Ask,,,,,,,,",
    );
    gone.import(&server, &leader).done();
    assert!(!Seen::of(&voice).await.is_there("Tove"));
    export.import(&server, &leader).done();
    assert!(Seen::of(&voice).await.is_there("Tove"));

    let depart = person_command::Operation::DepartPerson(DepartPerson::default());
    does(&voice.actor(&leader), of_person(seen.id("Troels"), depart)).await;
    export.import(&server, &leader).done();
    assert!(!Seen::of(&voice).await.is_there("Troels"));
}
