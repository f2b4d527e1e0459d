//! Two systems may use the same ids for different people: they never meet.

use std::collections::BTreeSet;

use planledger::import::{Roster, sample};
use planledger::wire;
use planledger_core::derived::Term;
use planledger_core::text::ExternalId;
use planledger_proto::v1::*;

use super::export::{Export, Seen};
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
    let there = Export::new()
        .but("orgs.csv", "k,,,Fjordby Kommune,district,800,")
        .but("orgs.csv", "s,,,Strandskolen,school,800001,k")
        .but(
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

/// An export as it was brought before sources had names.
async fn brought_before_sources(voice: &Voice, export: &Export) {
    let files = export.files().into_iter();
    let files = files.map(|(name, text)| (name, text.into_bytes().into()));
    let mut roster = Roster::from_files(files, planledger::system::today()).unwrap();
    let commands = roster.commands();
    let commands: Vec<_> = commands
        .map(|imported| wire::unless_unchanged(imported.unwrap().command))
        .collect();
    voice.all(commands).await;
}

/// The export of another school whose persons have the same numbers and other names.
fn another_school() -> Export {
    let ids = ["ta", "tb", "l", "ga", "gb", "ea", "eb"];
    let mut there = Export::new()
        .but("orgs.csv", "k,,,Fjordby Kommune,district,800,")
        .replaced("users.csv", ",true,s,", ",true,s2,")
        .without("orgs.csv", "s")
        .with("orgs.csv", "s2,,,Strandskolen,school,800001,k")
        .replaced("enrollments.csv", ",s,", ",s2,")
        .replaced("classes.csv", ",s,", ",s2,")
        .replaced("courses.csv", ",s,", ",s2,");
    for (id, name) in ids
        .iter()
        .zip(["Åse", "Bo", "Dan", "Eva", "Finn", "Hans", "Ida"])
    {
        let row = there.row("users.csv", id);
        let mut cells: Vec<_> = row.split(',').collect();
        cells[8] = name;
        there = there.but("users.csv", &cells.join(","));
    }
    there
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_first_named_import_into_an_older_ledger_does_not_rename_it_unasked() {
    let (server, voice) = Home::new().serve().await;
    brought_before_sources(&voice, &Export::new()).await;
    let people = everybody(&voice).await;
    let position = voice.position().await;
    let there = another_school();
    let stopped = there.import_of(&server, "Kommune B");
    assert_eq!(stopped.code, Some(1), "{stopped:?}");
    assert!(
        stopped.stderr.contains("NAMES_UNUSUAL"),
        "{}",
        stopped.stderr
    );
    assert_eq!(voice.position().await, position);

    // The system that filled the ledger gets its name first.
    Export::new().import_of(&server, "Kommune A").done();
    there.import_of(&server, "Kommune B").done();
    let now = everybody(&voice).await;
    assert_eq!(now.len(), 2 * people.len());
    for person in people {
        let same = now.iter().find(|it| it.person_id == person.person_id);
        assert_eq!(same.unwrap().name, person.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_new_source_does_not_bring_everybody_twice_unasked() {
    let (server, voice) = Home::new().serve().await;
    let export = Export::new();
    export.import(&server, "").done();
    let people = everybody(&voice).await.len();
    let position = voice.position().await;
    for named in [
        export.clone(),
        // Without numbers the names tell.
        export
            .clone()
            .but("orgs.csv", "k,,,Øby Kommune,district,,")
            .but("orgs.csv", "s,,,Ærøskolen,school,,k"),
    ] {
        let named = named.with("manifest.csv", "source.systemCode,aula");
        let stopped = named.import_with(&server, &["--json"]);
        assert_eq!(stopped.code, Some(1), "{stopped:?}");
        let stop = stopped.json()["stops"][0].clone();
        assert_eq!(
            (&stop["code"], &stop["ending"]),
            (&"SOURCE_NEW".into(), &2.into())
        );
        assert!(stopped.stderr.contains("--new-source"), "{stopped:?}");
        let dry_run = named.import_with(&server, &["--dry-run"]);
        assert_eq!(dry_run.code, Some(1), "{dry_run:?}");
    }
    assert_eq!(voice.position().await, position);
    // Schools with other numbers are others, even if they have the same name.
    let elsewhere = export
        .clone()
        .but("orgs.csv", "k,,,Øby Kommune,district,800,")
        .but("orgs.csv", "s,,,Ærøskolen,school,800001,k");
    elsewhere.import_of(&server, "another").done();
    let new = export
        .clone()
        .with("manifest.csv", "source.systemCode,aula");
    new.import_with(&server, &["--new-source"]).done();
    assert_eq!(everybody(&voice).await.len(), 3 * people);
    // Whoever names it means it.
    export.import_of(&server, "skoleintra").done();
    assert_eq!(everybody(&voice).await.len(), 4 * people);
    // It is known now.
    export.import_of(&server, "aula").done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_name_in_the_manifest_that_no_source_can_have_is_not_taken_for_none() {
    let (server, voice) = Home::new().serve().await;
    let position = voice.position().await;
    let row = format!("source.systemCode,{}", "x".repeat(65));
    let export = Export::new().with("manifest.csv", &row);
    let refused = export.import(&server, "");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    for said in ["manifest.csv", "name it with --source"] {
        assert!(refused.stderr.contains(said), "{refused:?}");
    }
    assert_eq!(voice.position().await, position);
    export.import_of(&server, "Kommune A").done();
    // An empty one is none.
    let empty = Export::new().with("manifest.csv", "source.systemCode,");
    let dry_run = empty.import_with(&server, &["--dry-run", "--json"]);
    assert_eq!(dry_run.json()["stops"][0]["code"], "SOURCE_NEW");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_came_before_sources_and_is_not_in_the_first_named_export_is_counted() {
    let (server, voice) = Home::new().serve().await;
    brought_before_sources(&voice, &Export::new()).await;
    let export = Export::new()
        .without("users.csv", "tb")
        .without("classes.csv", "c2")
        .without("enrollments.csv", "n4")
        .without("enrollments.csv", "n5");
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.csv");
    let report = report.to_str().unwrap();
    for flags in [
        &["--json", "--dry-run"][..],
        &["--json", "--report", report],
    ] {
        let done = export.import_with(&server, flags).done();
        let found = &done.json()["suggested"]["without_source"];
        assert_eq!(
            (&found["persons"], &found["classes"]),
            (&1.into(), &1.into())
        );
    }
    let rows = std::fs::read_to_string(report).unwrap();
    assert!(
        rows.contains("WITHOUT_SOURCE,1 persons and 1 classes"),
        "{rows}"
    );
    // Only the first import says so.
    let again = export.import_with(&server, &["--json"]).done().json();
    assert_eq!(again["suggested"]["without_source"]["persons"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_import_of_which_something_is_refused_does_not_count_and_says_so() {
    let (server, voice) = Home::new().serve().await;
    Export::new().import(&server, "").done();
    let sources = || async {
        let listed = voice.ask(ListRosterSourcesRequest::default()).await;
        listed.unwrap().sources
    };
    let before = sources().await;
    let tables = [
        "orgs",
        "academicSessions",
        "courses",
        "classes",
        "enrollments",
    ];
    let changes = tables.into_iter().fold(Export::new(), |export, table| {
        let is_absent = format!("file.{table},absent");
        let export = export.but("manifest.csv", &is_absent);
        export.emptied(&format!("{table}.csv"))
    });
    // The ledger does not know this guardian, and the server says so.
    let row = "ea,,,true,s,student,ea,,Ebbe,Holm,,,,,,nobody,04,";
    let changes = changes
        .but("manifest.csv", "file.users,delta")
        .emptied("users.csv")
        .with("users.csv", row)
        .with("orgs.csv", "s,,,Ærøskolen,school,700001,")
        .but("manifest.csv", "file.orgs,delta");
    let done = changes.import_with(&server, &["--json"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(
        (&done.json()["refused"], &done.json()["whole"]),
        (&1.into(), &false.into())
    );
    assert!(
        done.stderr.contains("does not count as imported"),
        "{done:?}"
    );
    assert_eq!(Seen::of(&voice).await.person("Ebbe").name, "Ebbe Holm");
    assert_eq!(sources().await, before);
    let whole = Export::new()
        .import_with(&server, &["--json"])
        .done()
        .json();
    assert_eq!(whole["whole"], true);
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
