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

    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.csv");
    let flags = ["--report", report.to_str().unwrap()];
    for flags in [&["--dry-run", flags[0], flags[1]][..], &flags] {
        export.import_with(&server, flags).done();
        let rows = std::fs::read_to_string(&report).unwrap();
        let row = format!("kept,users.csv,7,,GUARDIAN,person/{}: ", seen.id("Ebbe"));
        assert!(rows.contains(&row), "{rows}");
    }
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
async fn a_name_that_a_leader_gave_stays_until_the_roster_gives_a_new_one() {
    let (server, voice, export, seen) = imported().await;
    let rename = person_command::Operation::RenamePerson(RenamePerson {
        name: "Ebbe Holm".to_owned(),
    });
    let leader = voice.person(&seen.id("Lone"));
    does(&leader, of_person(seen.id("Ebbe"), rename)).await;

    let said = format!("person/{}: the name", seen.id("Ebbe"));
    let dry = export.import_with(&server, &["--dry-run"]).done();
    assert!(dry.stdout.contains("the name"), "{}", dry.stdout);
    let again = export.import(&server, "").done();
    assert!(again.stderr.contains(&said), "{}", again.stderr);
    let seen = Seen::of(&voice).await;
    let ebbe = seen.person("Ebbe");
    assert_eq!(ebbe.name, "Ebbe Holm");
    assert_eq!(ebbe.decided_by_hand[0].kind(), RosterFactKind::Name);

    // The roster gives a new name.
    let new = export.but(
        "users.csv",
        "ea,,,true,s,student,ea,,Ebbe,Rønn Holm,,,,,,\"ga,gb\",04,",
    );
    let changed = new.import(&server, "").done();
    assert!(!changed.stderr.contains(&said), "{}", changed.stderr);
    let seen = Seen::of(&voice).await;
    assert_eq!(seen.person("Ebbe").name, "Ebbe Rønn Holm");
    assert_eq!(seen.person("Ebbe").decided_by_hand, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_team_that_a_leader_moved_and_renamed_stays_so_until_the_roster_says_something_new() {
    let (server, voice, _, seen) = imported().await;
    let export = Export::new().with("orgs.csv", "s2,,,Egeskolen,school,700002,k");
    export.import(&server, "").done();
    let found = voice.ask(ListInstitutionsRequest::default()).await.unwrap();
    let institution = |called: &str| {
        let mut all = found.institutions.iter();
        let named = |it: &&Institution| it.details.as_ref().unwrap().name == called;
        all.find(named).unwrap().institution_id.clone()
    };
    let (school, other) = (institution("Ærøskolen"), institution("Egeskolen"));
    let team = seen.team("4.x").clone();
    let details = TeamDetails {
        institution_id: other.clone(),
        title: "4.x dansk og drama".to_owned(),
        ..team.details.unwrap()
    };
    let revise = team_command::Operation::ReviseTeam(ReviseTeam {
        details: Some(details),
    });
    let leader = voice.person(&seen.id("Lone"));
    does(&leader, of_team(team.team_id.clone(), revise)).await;

    let at = |seen: &Seen| {
        let details = seen.team("4.x").details.clone().unwrap();
        (details.institution_id, details.title)
    };
    let again = export.import(&server, "").done();
    assert_eq!(
        at(&Seen::of(&voice).await),
        (other.clone(), "4.x dansk og drama".to_owned())
    );
    for words in ["the name", "which institution it belongs to"] {
        let said = format!("team/{}: {words}", team.team_id);
        assert!(again.stderr.contains(&said), "{}", again.stderr);
    }

    // The roster gives a new title, and has the team at the same school as before.
    let class = |school: &str| format!("c1,,,4.x drama,,dan,C1,scheduled,,{school},y,Dansk,,");
    let retitled = export.but("classes.csv", &class("s"));
    retitled.import(&server, "").done();
    let seen = Seen::of(&voice).await;
    assert_eq!(at(&seen), (other, "4.x drama".to_owned()));
    let by_hand = &seen.team("4.x").decided_by_hand;
    assert_eq!(by_hand.len(), 1);
    assert_eq!(by_hand[0].kind(), RosterFactKind::Institution);

    // The roster moves it, too, and then back.
    let moved = retitled.clone().but("classes.csv", &class("s2"));
    moved.import(&server, "").done();
    retitled.import(&server, "").done();
    assert_eq!(at(&Seen::of(&voice).await).0, school);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_school_year_that_a_leader_corrected_stays_so_until_the_roster_says_something_new() {
    let (server, voice, export, seen) = imported().await;
    let year = || async {
        let found = voice.ask(ListSchoolYearsRequest::default()).await.unwrap();
        found.school_years[0].clone()
    };
    let id = year().await.school_year_id;
    let leader = voice.person(&seen.id("Lone"));
    let details = |title: &str, first_day: &str, last_day: &str| SchoolYearDetails {
        title: title.to_owned(),
        first_day: first_day.to_owned(),
        last_day: last_day.to_owned(),
    };
    let by_hand = details("2026/27", "2026-08-12", "2099-06-25");
    let define = DefineSchoolYear {
        details: Some(by_hand.clone()),
    };
    leader
        .execute(school_year(&id, OnSchoolYear::DefineSchoolYear(define)))
        .await;

    let dry = export.import_with(&server, &["--dry-run"]).done();
    let again = export.import(&server, "").done();
    for words in ["the name", "the first day"] {
        assert!(dry.stdout.contains(words), "{}", dry.stdout);
        let said = format!("school_year/{id}: {words}");
        assert!(again.stderr.contains(&said), "{}", again.stderr);
    }
    let kept = year().await;
    assert_eq!(kept.details, Some(by_hand));
    let facts = kept.decided_by_hand.iter().map(RosterFact::kind);
    let both = [RosterFactKind::Name, RosterFactKind::FirstDay];
    assert_eq!(facts.collect::<Vec<_>>(), both);

    // The roster says a new title and a new last day, and the same first day as before.
    let row = "y,,,Året 26/27,schoolYear,2026-08-10,2099-06-26,,2099";
    let new = export.but("academicSessions.csv", row);
    new.import(&server, "").done();
    let now = year().await;
    let expected = details("Året 26/27", "2026-08-12", "2099-06-26");
    assert_eq!(now.details, Some(expected));
    assert_eq!(now.decided_by_hand[0].kind(), RosterFactKind::FirstDay);
    assert_eq!(now.decided_by_hand.len(), 1);
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
