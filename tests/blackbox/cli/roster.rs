//! `planledger import roster`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use planledger_proto::v1::*;

use crate::support::*;

const FILES: [&str; 7] = [
    "manifest.csv",
    "orgs.csv",
    "academicSessions.csv",
    "courses.csv",
    "classes.csv",
    "users.csv",
    "enrollments.csv",
];

fn sample() -> PathBuf {
    samples().join("roster")
}

fn import(url: &str, path: &Path, more: &[&str]) -> Ran {
    let path = path.to_str().unwrap();
    run([&["import", "roster", path], more, &["--server", url]].concat())
}

/// A copy of the sample, with files changed.
fn copy(home: &Home, name: &str, change: impl Fn(&str, String) -> Vec<u8>) -> PathBuf {
    let folder = home.path().join(name);
    fs::create_dir(&folder).unwrap();
    for file in FILES {
        let text = fs::read_to_string(sample().join(file)).unwrap();
        fs::write(folder.join(file), change(file, text)).unwrap();
    }
    folder
}

/// Everything that a roster makes, as it is now.
#[derive(Debug, PartialEq)]
struct People {
    institutions: Vec<Institution>,
    school_years: Vec<SchoolYear>,
    persons: Vec<Person>,
    teams: Vec<Team>,
}

impl People {
    async fn of(voice: &Voice) -> Self {
        let page_size = 1_000;
        let request = ListInstitutionsRequest {
            page_size,
            ..ListInstitutionsRequest::default()
        };
        let institutions = voice.ask(request).await.unwrap().institutions;
        let request = ListSchoolYearsRequest::default();
        let school_years = voice.ask(request).await.unwrap().school_years;
        let (mut persons, mut teams) = (Vec::new(), Vec::new());
        for institution in &institutions {
            let request = ListPersonsRequest {
                institution_id: institution.institution_id.clone(),
                page_size,
                ..ListPersonsRequest::default()
            };
            persons.extend(voice.ask(request).await.unwrap().persons);
            let id = institution.institution_id.clone();
            let request = ListTeamsRequest {
                filter: Some(list_teams_request::Filter::InstitutionId(id)),
                page_size,
                ..ListTeamsRequest::default()
            };
            teams.extend(voice.ask(request).await.unwrap().teams);
        }
        Self {
            institutions,
            school_years,
            persons,
            teams,
        }
    }

    /// The team that people call this.
    fn team(&self, title: &str) -> &Team {
        let mut teams = self.teams.iter();
        let found = teams.find(|team| team.details.as_ref().unwrap().title == title);
        found.unwrap()
    }

    fn person(&self, id: &str) -> &Person {
        let mut persons = self.persons.iter();
        persons.find(|person| person.person_id == id).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_roster_is_taken_in_once_and_a_second_time_nothing_is_recorded_and_it_says_so() {
    let (server, voice) = Home::new().serve().await;
    let first = import(&server.url, &sample(), &["--json"]).done().json();
    assert_eq!(first["refused"], 0);
    let people = People::of(&voice).await;
    assert_eq!(people.institutions.len(), 3);
    assert_eq!(people.persons.len(), 220);
    assert_eq!(people.teams.len(), 122);
    assert!(
        people
            .persons
            .iter()
            .any(|person| person.name.contains('ø'))
    );
    let guardians = people.persons.iter().filter(|it| !it.guardians.is_empty());
    assert_eq!(guardians.count(), 60, "every student has guardians");
    let team = people.team("7.A Dansk");
    assert!(team.owner_id.is_some() && !team.member_ids.is_empty());
    assert_eq!(
        team.details.as_ref().unwrap().subject.as_deref(),
        Some("Dansk")
    );

    let before = voice.ask(GetStatusRequest::default()).await.unwrap();
    let again = import(&server.url, &sample(), &["--json"]).done().json();
    assert_eq!(
        (&again["recorded"], &again["events"]),
        (&0.into(), &0.into())
    );
    assert_eq!(again["commands"], first["commands"]);
    let said = import(&server.url, &sample(), &[]).done();
    assert!(said.stdout.contains("nothing changed"), "{}", said.stdout);
    let after = voice.ask(GetStatusRequest::default()).await.unwrap();
    assert_eq!(
        (after.position, after.commit_count),
        (before.position, before.commit_count)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_same_roster_in_other_clothes_changes_nothing() {
    let home = Home::new();
    let server = home.start();
    import(&server.url, &sample(), &[]).done();
    let position = server.voice().await.position().await;
    let zip = home.path().join("roster.zip");
    zip_folder(&sample(), &zip);
    let dressed = copy(&home, "dressed", |_, text| dress(&text));
    for path in [&zip, &dressed] {
        let ran = import(&server.url, path, &["--json"]).done().json();
        assert_eq!(
            (&ran["recorded"], &ran["refused"]),
            (&0.into(), &0.into()),
            "{path:?}"
        );
    }
    assert_eq!(server.voice().await.position().await, position);
    // And a ledger that was made from the archive is the same.
    let other_home = Home::new();
    let other = other_home.start();
    import(&other.url, &zip, &[]).done();
    let (first, second) = (server.voice().await, other.voice().await);
    assert_eq!(People::of(&second).await, People::of(&first).await);
}

/// The same table with a byte-order mark, its columns the other way round, one more of them, and
/// lines that end as on other systems.
fn dress(text: &str) -> Vec<u8> {
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut out = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(b"\xef\xbb\xbf".to_vec());
    for (index, row) in rows.records().enumerate() {
        let row = row.unwrap();
        let more = if index == 0 {
            "metadata.ukendt"
        } else {
            "Æblegrød, \"lun\""
        };
        let mut fields: Vec<&str> = row.iter().rev().collect();
        fields.insert(1, more);
        out.write_record(fields).unwrap();
    }
    out.into_inner().unwrap()
}

fn zip_folder(folder: &Path, to: &Path) {
    let mut zip = zip::ZipWriter::new(fs::File::create(to).unwrap());
    for file in FILES {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(file, options).unwrap();
        zip.write_all(&fs::read(folder.join(file)).unwrap())
            .unwrap();
    }
    zip.finish().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_to_be_deleted_is_closed_and_no_plan_is_touched() {
    let home = Home::new();
    let (server, voice) = home.serve().await;
    import(&server.url, &sample(), &[]).done();
    let people = People::of(&voice).await;
    let team = people.team("7.A Dansk").clone();
    let owner = team.owner_id.clone().unwrap();
    let student = team.member_ids[0].clone();

    // A plan on that team, of that owner and student.
    let details = team.details.clone().unwrap();
    let school = School {
        institution: details.institution_id.clone(),
        school_year: details.school_year_id.clone().unwrap(),
        team: team.team_id.clone(),
        teacher: owner.clone(),
        student: student.clone(),
        ..School::nobody()
    };
    let course = school.course(&voice, YearPlanKind::Subject).await;
    let plan_id = school.plan(&voice, &course).await;
    voice
        .execute(write_status(&plan_id, "Læser med stigende lyst"))
        .await;
    let history = voice.history(&plan_id).await;
    let before = voice.plan(&plan_id, Viewer::Staff).await;

    let gone = copy(&home, "gone", |file, text| match file {
        "orgs.csv" | "classes.csv" | "users.csv" | "enrollments.csv" => {
            text.replace(",active,", ",tobedeleted,").into_bytes()
        }
        _ => text.into_bytes(),
    });
    let ran = import(&server.url, &gone, &["--json", "--accept-removals"])
        .done()
        .json();
    assert_eq!(ran["refused"], 0);
    let after = People::of(&voice).await;
    assert!(after.institutions.iter().all(|it| it.closed));
    assert!(after.persons.iter().all(|it| it.departure.is_some()));
    assert_eq!(after.persons.len(), people.persons.len());
    assert_eq!(after.teams.len(), people.teams.len());
    for team in &after.teams {
        assert!(team.closed && team.deletion.is_none());
        assert!(team.member_ids.is_empty() && team.staff.is_empty());
    }
    // Whose the team was stays said.
    assert_eq!(after.team("7.A Dansk").owner_id, Some(owner));
    assert_eq!(voice.history(&plan_id).await, history);
    let mut now = voice.plan(&plan_id, Viewer::Staff).await;
    assert!(now.owner_departed);
    now.owner_departed = false;
    assert_eq!(now, before);

    // What comes back is opened again.
    import(&server.url, &sample(), &[]).done();
    let back = People::of(&voice).await;
    assert!(back.person(&student).departure.is_none());
    assert_eq!(back.team("7.A Dansk").member_ids, team.member_ids);
    assert!(!back.team("7.A Dansk").closed);
}

/// Waits until the ledger has come this far; gives how far it is then.
async fn reached(voice: &Voice, min_position: u64) -> u64 {
    let status = voice.ask(GetStatusRequest { min_position }).await;
    status.unwrap().position
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_import_that_was_killed_half_way_is_run_again_to_the_same_end() {
    let clean_home = Home::new();
    let clean = clean_home.start();
    // How much is sent in all?
    let counting = Proxy::start(&clean.url, u64::MAX).await;
    import(&counting.url, &sample(), &[]).done();
    let all = counting.sent();
    let expected = clean.voice().await;

    let home = Home::new();
    let serving = Serving::start(home.path());
    // The importer is killed: it has sent a third, and waits for the rest to go out.
    let held = Proxy::start(&serving.url, all / 3).await;
    let mut importer = program();
    importer.args(["import", "roster"]).arg(sample());
    importer.args(["--server", &held.url]);
    let mut importer = start(importer.stdout(std::process::Stdio::null()));
    held.used_up().await;
    importer.kill().unwrap();
    importer.wait().unwrap();
    let voice = serving.voice().await;
    let third = reached(&voice, 1).await;
    assert!(third < expected.position().await);
    drop(voice);

    // The server is killed: the importer says that it can be run again. Before it sends anything to be
    // recorded, it compares; then it sends the two thirds that are not there yet.
    let held = Proxy::start(&serving.url, all + all / 3).await;
    let path = sample();
    let url = held.url.clone();
    let importer = std::thread::spawn(move || import(&url, &path, &[]));
    held.used_up().await;
    reached(&serving.voice().await, third + 1).await;
    serving.kill();
    drop(held);
    let ran = importer.join().unwrap();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stderr.contains("import the same files again"),
        "{}",
        ran.stderr
    );

    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    let some = voice.position().await;
    assert!(third < some && some < expected.position().await);
    let ran = import(&serving.url, &sample(), &["--json"]).done().json();
    assert!(ran["unchanged"].as_u64().unwrap() > 0 && ran["recorded"].as_u64().unwrap() > 0);
    assert_eq!(People::of(&voice).await, People::of(&expected).await);
    assert_eq!(voice.position().await, expected.position().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_that_is_wrong_is_named_with_row_and_field_and_nothing_is_sent() {
    let home = Home::new();
    let server = home.start();
    let at = |file: &'static str, change: fn(String) -> Vec<u8>| {
        move |name: &str, text: String| match name == file {
            true => change(text),
            false => text.into_bytes(),
        }
    };
    type Change = Box<dyn Fn(&str, String) -> Vec<u8>>;
    let cases: Vec<(&str, Change, &str)> = vec![
        (
            "ROWS_BAD",
            Box::new(at("users.csv", |text| {
                text.replace(",true,", ",måske,").into_bytes()
            })),
            "users.csv",
        ),
        (
            "HEADER_MISSING",
            Box::new(at("orgs.csv", |text| {
                text.lines()
                    .skip(1)
                    .collect::<Vec<_>>()
                    .join("\n")
                    .into_bytes()
            })),
            "orgs.csv, line 1",
        ),
        (
            "ROWS_BAD",
            Box::new(at("orgs.csv", |text| {
                text.lines()
                    .take(1)
                    .collect::<Vec<_>>()
                    .join("\n")
                    .into_bytes()
            })),
            "classes.csv",
        ),
    ];
    for (number, (code, change, place)) in cases.into_iter().enumerate() {
        let folder = copy(&home, &format!("wrong-{number}"), change);
        let ran = import(&server.url, &folder, &["--json"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
        assert!(
            ran.stderr.contains(code) && ran.stderr.contains(place),
            "{}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("010203"), "{}", ran.stderr);
    }
    let lacking = copy(&home, "lacking", |_, text| text.into_bytes());
    fs::remove_file(lacking.join("users.csv")).unwrap();
    let ran = import(&server.url, &lacking, &["--json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("FILE_MISSING") && ran.stderr.contains("users.csv"));
    let torn = home.path().join("torn.zip");
    zip_folder(&sample(), &torn);
    let bytes = fs::read(&torn).unwrap();
    fs::write(&torn, &bytes[..bytes.len() / 2]).unwrap();
    let ran = import(&server.url, &torn, &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("FILE_CUT_SHORT"), "{}", ran.stderr);
    let ran = import(&server.url, Path::new("/nowhere/roster"), &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("FILE_MISSING"), "{}", ran.stderr);
    assert_eq!(server.voice().await.position().await, 0);
}
