//! Two systems may use the same ids for different people: they never meet.

use std::collections::BTreeSet;

use planledger::import::{Roster, sample};
use planledger::wire;
use planledger_core::derived::Term;
use planledger_core::text::ExternalId;
use planledger_proto::v1::*;

use super::export::Export;
use crate::support::*;

async fn lookup(voice: &Voice, source: &str, id: &str) -> Vec<Person> {
    let request = LookupPersonRequest {
        source: source.to_owned(),
        id: id.to_owned(),
        min_position: 0,
    };
    voice.ask(request).await.unwrap().persons
}

async fn institutions(voice: &Voice) -> Vec<Institution> {
    let found = voice.ask(ListInstitutionsRequest::default()).await;
    found.unwrap().institutions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_municipalities_with_the_same_numbers_have_two_schools_and_two_pupils() {
    let home = Home::new();
    let server = home.start();
    let here = Export::new();
    let there = Export::new().but(
        "users.csv",
        "ea,,,true,s,student,ea,,Oskar,Lund,,,,,,ga,04,",
    );
    here.import_of(&server, "Kommune A").done();
    there.import_of(&server, "Kommune B").done();
    let voice = server.voice().await;
    let (a, b) = (
        lookup(&voice, "Kommune A", "ea").await,
        lookup(&voice, "Kommune B", "ea").await,
    );
    assert_eq!((a[0].name.as_str(), a.len()), ("Ebbe Rønn", 1));
    assert_eq!((b[0].name.as_str(), b.len()), ("Oskar Lund", 1));
    assert_ne!(a[0].person_id, b[0].person_id);
    assert_ne!(
        a[0].affiliations[0].institution_id,
        b[0].affiliations[0].institution_id
    );
    assert_eq!((a[0].guardians.len(), b[0].guardians.len()), (2, 1));
    assert_eq!(lookup(&voice, "", "ea").await.len(), 2);
    assert_eq!(institutions(&voice).await.len(), 4);

    let shown = run([
        "person",
        "lookup",
        "ea",
        "--source",
        "Kommune B",
        "--server",
        &server.url,
    ]);
    let shown = shown.done();
    assert!(shown.stdout.contains("Oskar Lund") && !shown.stdout.contains("Ebbe"));
    // The same roster again changes nothing.
    let before = voice.position().await;
    there.import_of(&server, "Kommune B").done();
    assert_eq!(voice.position().await, before);

    let listed = voice.ask(ListRosterSourcesRequest::default()).await;
    let sources = listed.unwrap().sources;
    let names: BTreeSet<_> = sources
        .iter()
        .map(|it| (it.name.as_str(), it.first))
        .collect();
    assert_eq!(names, [("Kommune A", true), ("Kommune B", false)].into());
    let import = sources[0].last_bulk_import.clone();
    let counts = import.unwrap().counts.unwrap();
    assert_eq!((counts.persons, counts.teams, counts.enrolments), (7, 2, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_person_is_found_by_the_ids_of_their_account_and_one_who_may_not_log_in_is_there() {
    let home = Home::new();
    let server = home.start();
    let row =
        "ea,,,false,s,student,ebbe1,\"{UNI-Login:ebbe0042},{x:0102031234}\",Ebbe,Rønn,,,,,,,04,";
    let export = Export::new().but("users.csv", row);
    export.import_of(&server, "Kommune A").done();
    let voice = server.voice().await;
    for id in ["ea", "ebbe1", "ebbe0042"] {
        let found = lookup(&voice, "Kommune A", id).await;
        assert_eq!(found.len(), 1, "{id}");
        assert!(found[0].departure.is_none() && !found[0].records[0].enabled);
        let ids = found[0].records[0]
            .user_ids
            .iter()
            .map(|user| user.id.as_str());
        assert_eq!(
            ids.collect::<Vec<_>>(),
            ["ebbe0042", "ebbe1"],
            "no CPR number"
        );
    }
    assert!(lookup(&voice, "Kommune B", "ea").await.is_empty());

    let request = ListRosterMembersRequest {
        source: "Kommune A".to_owned(),
        min_position: 0,
    };
    let mut answer = voice
        .client
        .roster()
        .list_roster_members(request)
        .await
        .unwrap()
        .into_inner();
    let mut members = Vec::new();
    while let Some(part) = answer.message().await.unwrap() {
        members.extend(part.members);
    }
    assert_eq!(members.len(), 7 + 2);
    assert!(members.iter().all(|member| member.last_seen.is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_two_ids_in_one_list_each_finds_its_own_person() {
    let id = |number: u32| ExternalId::new(&format!("login{number}")).unwrap();
    let list = |number| Term::external_id(&id(number));
    let other = (1..).find(|number| list(*number) == list(0)).unwrap();
    let home = Home::new();
    let server = home.start();
    let row = |id: &str, login| format!("{id},,,true,s,student,{login},,Ebbe,Rønn,,,,,,,04,");
    let export = Export::new()
        .but("users.csv", &row("ea", id(0)))
        .but("users.csv", &row("eb", id(other)));
    export.import_of(&server, "Kommune A").done();
    let voice = server.voice().await;
    let mut found = BTreeSet::new();
    for number in [0, other] {
        let persons = lookup(&voice, "Kommune A", id(number).as_str()).await;
        assert_eq!(persons.len(), 1, "login{number}");
        found.insert(persons[0].person_id.clone());
    }
    assert_eq!(found.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_ledger_that_was_filled_before_sources_had_names_keeps_its_ids() {
    let home = Home::new();
    let server = home.start();
    let voice = server.voice().await;
    let today = planledger::system::today();
    let mut before = Roster::from_files(sample::roster(), today).unwrap();
    let commands = before.commands();
    let commands: Vec<_> = commands
        .map(|imported| wire::unless_unchanged(imported.unwrap().command))
        .collect();
    voice.all(commands).await;
    let people = everybody(&voice).await;
    assert!(people.iter().all(|person| person.records.is_empty()));

    let path = samples().join("roster");
    let path = path.to_str().unwrap();
    run(["import", "roster", path, "--server", &server.url]).done();
    let mut after = everybody(&voice).await;
    for (person, was) in after.iter_mut().zip(&people) {
        assert_eq!(person.records.len(), 1);
        person.records.clear();
        person.revision = was.revision;
    }
    assert_eq!(after, people);
}

async fn everybody(voice: &Voice) -> Vec<Person> {
    let mut people = Vec::new();
    for institution in institutions(voice).await {
        let request = ListPersonsRequest {
            institution_id: institution.institution_id,
            page_size: 1_000,
            ..ListPersonsRequest::default()
        };
        people.extend(voice.ask(request).await.unwrap().persons);
    }
    people
}
