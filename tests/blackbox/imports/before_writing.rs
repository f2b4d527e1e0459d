//! An import that would end or rename too much stops before anything is written.

use planledger_proto::v1::*;
use serde_json::Value;

use super::export::{Export, Seen};
use crate::support::*;

/// A server that has imported the export.
async fn imported(export: &Export) -> (Running, Voice) {
    let (server, voice) = Home::new().serve().await;
    export.import(&server, "").done();
    (server, voice)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn enrolments_with_their_header_only_are_not_taken_for_the_truth() {
    let export = Export::new();
    let (server, voice) = imported(&export).await;
    let position = voice.position().await;

    let empty = export.clone().emptied("enrollments.csv");
    let stopped = empty.import(&server, "");
    assert_eq!(stopped.code, Some(1));
    assert!(stopped.stderr.contains("TABLE_EMPTY"), "{}", stopped.stderr);
    assert!(
        stopped.stderr.contains("5 of 5 enrolments"),
        "{}",
        stopped.stderr
    );
    assert!(stopped.stderr.contains("nothing was written"));
    assert_eq!(voice.position().await, position);
    let seen = Seen::of(&voice).await;
    assert!(seen.has_member("4.x", "Ebbe") && seen.has_staff("4.x", "Tove"));

    let stopped = empty.import_with(&server, &["--json"]).json();
    assert_eq!(stopped["written"], false);
    assert_eq!(stopped["stops"][0]["code"], "TABLE_EMPTY");
    assert_eq!(stopped["stops"][0]["kind"], "enrolments");
    assert_eq!(stopped["dropped"]["count"], 5);

    let done = empty.import_with(&server, &["--accept-removals"]).done();
    assert!(done.stderr.contains("5 links ended"), "{}", done.stderr);
    assert!(!Seen::of(&voice).await.has_member("4.x", "Ebbe"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn tables_with_their_headers_only_note_nobody_as_missing() {
    let export = Export::new();
    let (server, voice) = imported(&export).await;
    let position = voice.position().await;
    let tables = ["enrollments.csv", "users.csv", "classes.csv", "orgs.csv"];
    let empty = tables.into_iter().fold(export, Export::emptied);
    let stopped = empty.import(&server, "");
    assert_eq!(stopped.code, Some(1));
    assert!(stopped.stderr.contains("TABLE_EMPTY"), "{}", stopped.stderr);
    assert_eq!(voice.position().await, position);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_enrolment_that_ends_is_said_and_stops_nothing() {
    let export = Export::new();
    let (server, voice) = imported(&export).await;
    let fewer = export.without("enrollments.csv", "n5");
    let done = fewer.import(&server, "").done();
    let seen = Seen::of(&voice).await;
    let said = format!("person {} is no longer a member", seen.id("Esther"));
    assert!(done.stderr.contains(&said), "{}", done.stderr);
    assert!(!seen.has_member("4.y", "Esther"));
}

fn rows(number: usize, row: impl Fn(usize) -> (&'static str, String)) -> Export {
    (0..number)
        .map(row)
        .fold(Export::new(), |export, (file, row)| export.with(file, &row))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_share_of_enrolments_beyond_the_limit_stops_the_import() {
    let export = with_forty_students();
    let (server, voice) = imported(&export).await;
    let position = voice.position().await;
    let fewer = |left_out: usize| {
        let all = 0..left_out;
        all.fold(export.clone(), |export, n| {
            export.without("enrollments.csv", &format!("nx{n}"))
        })
    };
    let stopped = fewer(20).import(&server, "");
    assert_eq!(stopped.code, Some(1));
    assert!(
        stopped.stderr.contains("20 of 45 enrolments (44 %)"),
        "{}",
        stopped.stderr
    );
    assert_eq!(voice.position().await, position);
    fewer(20)
        .import_with(&server, &["--removal-limit", "50"])
        .done();
}

/// The rows of a report, by their kind.
fn reported(path: &std::path::Path) -> impl Fn(&str) -> Vec<String> {
    let rows = std::fs::read_to_string(path).unwrap();
    move |kind| {
        let rows = rows.lines().map(str::to_owned);
        rows.filter(|row| row.split(',').next() == Some(kind))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_import_that_stops_reports_all_that_it_knows() {
    let export = with_forty_students();
    let (server, voice) = imported(&export).await;
    let seen = Seen::of(&voice).await;
    let rename = OnPerson::RenamePerson(RenamePerson {
        name: "Ebbe Holm".to_owned(),
    });
    let leader = voice.person(&seen.id("Lone"));
    leader.execute(person(&seen.id("Ebbe"), rename)).await;
    let position = voice.position().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.csv");
    let flags = ["--report", path.to_str().unwrap()];

    let fewer = (0..20).fold(export.clone(), |export, n| {
        export.without("enrollments.csv", &format!("nx{n}"))
    });
    let fewer = fewer.without("users.csv", "gb");
    let stopped = fewer.import_with(&server, &flags);
    assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
    let rows = reported(&path);
    assert_eq!(rows("dropped").len(), 20);
    assert!(rows("dropped")[0].starts_with("dropped,classes.csv,"));
    assert_eq!(rows("kept").len(), 1);
    assert!(rows("absent").iter().any(|row| row.contains("PERSON")));
    let stops = rows("stop");
    assert_eq!(stops.len(), 1);
    assert!(stops[0].starts_with("stop,,,,REMOVALS_UNUSUAL,"));
    // What would stop a dry run stands in its report, too, and nothing stands there twice.
    let dry = [&["--dry-run"], &flags[..]].concat();
    fewer.import_with(&server, &dry);
    let again = reported(&path);
    for kind in ["dropped", "kept", "absent", "stop"] {
        assert_eq!(again(kind), rows(kind));
    }

    // Too many bad rows: the files are refused before any server is asked.
    let bad = (0..20).fold(export, |export, n| {
        export.but(
            "enrollments.csv",
            &format!("nx{n},,,c1,s,x{n},pilot,false,2026-08-10,"),
        )
    });
    let stopped = bad.import_with(&server, &flags);
    assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
    let rows = reported(&path);
    assert_eq!(rows("bad").len(), 20);
    let stops = rows("stop");
    assert_eq!(stops.len(), 1);
    assert!(stops[0].starts_with("stop,enrollments.csv,,,ROWS_BAD,"));

    assert_eq!(voice.position().await, position);
}

fn with_forty_students() -> Export {
    let student = |n: usize| {
        (
            "users.csv",
            format!("x{n},,,true,s,student,x{n},,Barn,Nr{n},,,,,,,04,"),
        )
    };
    let place = |export: Export, n| {
        let row = format!("nx{n},,,c1,s,x{n},student,false,2026-08-10,");
        export.with("enrollments.csv", &row)
    };
    (0..40).fold(rows(40, student), place)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn changes_that_end_most_enrolments_stop_although_they_name_no_institution() {
    let export = with_forty_students();
    let (server, voice) = imported(&export).await;
    let tables = ["orgs", "academicSessions", "courses", "classes", "users"];
    let changes = tables.into_iter().fold(export, |export, table| {
        let is_absent = format!("file.{table},absent");
        export
            .but("manifest.csv", &is_absent)
            .emptied(&format!("{table}.csv"))
    });
    let changes = changes.but("manifest.csv", "file.enrollments,delta");
    // One place that ends is an ordinary change.
    let ending = |changes: Export, n| {
        let row = format!("nx{n},tobedeleted,,c1,s,x{n},student,false,2026-08-10,");
        changes.but("enrollments.csv", &row)
    };
    let nothing = changes.clone().emptied("enrollments.csv");
    let last = "nx39,tobedeleted,,c1,s,x39,student,false,2026-08-10,";
    let one = nothing.with("enrollments.csv", last);
    let done = one.import(&server, "").done();
    assert!(done.stderr.contains("1 links ended"), "{}", done.stderr);

    let position = voice.position().await;
    let changes = (0..39).fold(changes, ending);
    let stopped = changes.import(&server, "");
    assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
    assert!(
        stopped.stderr.contains("REMOVALS_UNUSUAL"),
        "{}",
        stopped.stderr
    );
    assert_eq!(voice.position().await, position);

    // In a large school so many leave by an ordinary export of changes.
    let import = RecordRosterImport {
        day: "2026-09-01".to_owned(),
        mode: RosterImportMode::Bulk.into(),
        counts: Some(RosterCounts {
            enrolments: 1_000,
            ..RosterCounts::default()
        }),
    };
    let of = RosterSourceCommand {
        roster_source_id: "726f7374-6572-8000-8000-000000000001".to_owned(),
        operation: Some(roster_source_command::Operation::RecordRosterImport(import)),
    };
    voice
        .execute(Command {
            command_id: new_id(),
            command: Some(command::Command::RosterSource(of)),
            ..Command::default()
        })
        .await;
    let ended = changes.import(&server, "").done();
    assert!(ended.stderr.contains("39 links ended"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn other_names_for_most_of_a_small_school_may_be_another_source() {
    let export = Export::new();
    let (server, voice) = imported(&export).await;
    let position = voice.position().await;
    let others = [
        "ta,,,true,s,teacher,ta,,Thora,Nord,,,,,,,,",
        "tb,,,true,s,teacher,tb,,Tim,Syd,,,,,,,,",
        "l,,,true,s,administrator,l,,Liv,Vest,,,,,,,,",
        "eb,,,true,s,student,eb,,Eva,Øst,,,,,,,04,",
    ];
    let other = others
        .iter()
        .fold(export, |export, row| export.but("users.csv", row));
    let stopped = other.import(&server, "");
    assert_eq!(stopped.code, Some(1));
    for said in ["NAMES_UNUSUAL", "4 of 7 persons", "--source"] {
        assert!(stopped.stderr.contains(said), "{}", stopped.stderr);
    }
    assert_eq!(voice.position().await, position);
    other.import_with(&server, &["--accept-names"]).done();
    assert_eq!(Seen::of(&voice).await.person("Thora").name, "Thora Nord");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_table_with_its_header_only_stops_the_import() {
    let export = Export::new();
    let (server, voice) = imported(&export).await;
    let position = voice.position().await;
    for (table, first, kind, ending) in [
        ("users.csv", "ROWS_BAD", "persons", "7 of 7 persons"),
        ("classes.csv", "ROWS_BAD", "classes", "2 of 2 classes"),
        (
            "enrollments.csv",
            "TABLE_EMPTY",
            "enrolments",
            "5 of 5 enrolments",
        ),
    ] {
        let empty = export.clone().emptied(table);
        let stopped = empty.import(&server, "");
        assert_eq!(stopped.code, Some(1), "{table}");
        assert!(
            stopped.stderr.contains(first),
            "{table}: {}",
            stopped.stderr
        );
        // Rows that name what is not there do not hide that nothing is.
        let stopped = empty.import_with(&server, &["--bad-rows", "100"]);
        assert_eq!(stopped.code, Some(1), "{table}");
        for said in ["TABLE_EMPTY", ending, "nothing was written"] {
            assert!(stopped.stderr.contains(said), "{table}: {}", stopped.stderr);
        }
        let flags = ["--bad-rows", "100", "--dry-run", "--json"];
        let stops = empty.import_with(&server, &flags).json()["stops"].clone();
        let stops = stops.as_array().unwrap().clone();
        let is_it = |stop: &Value| stop["code"] == "TABLE_EMPTY" && stop["kind"] == kind;
        assert!(stops.iter().any(is_it), "{table}: {stops:?}");
    }
    assert_eq!(voice.position().await, position);
}

/// The export after every org got another id.
fn renumbered() -> Export {
    let export = ["k", "s"]
        .iter()
        .fold(Export::new(), |export, id| export.without("orgs.csv", id));
    export
        .with("orgs.csv", "k2,,,Øby Kommune,district,700,")
        .with("orgs.csv", "s2,,,Ærøskolen,school,700001,k2")
        .replaced("courses.csv", ",s,", ",s2,")
        .replaced("classes.csv", ",s,", ",s2,")
        .replaced("users.csv", ",s,", ",s2,")
        .replaced("enrollments.csv", ",s,", ",s2,")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn other_ids_for_all_institutions_stop_the_import() {
    let (server, voice) = imported(&Export::new()).await;
    let position = voice.position().await;
    let stopped = renumbered().import(&server, "");
    assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
    for said in [
        "REMOVALS_UNUSUAL",
        "7 of 7 roles (100 %) at institutions that are not in the export",
        "nothing was written",
    ] {
        assert!(stopped.stderr.contains(said), "{}", stopped.stderr);
    }
    for said in [
        "Ærøskolen",
        "7: links would end",
        "no longer teacher at institution",
    ] {
        assert!(stopped.stdout.contains(said), "{}", stopped.stdout);
    }
    let seen = renumbered()
        .import_with(&server, &["--dry-run", "--json"])
        .json();
    assert_eq!(seen["counts"]["institutions"]["added"], 2);
    assert_eq!(seen["counts"]["teams"]["changed"], 2);
    assert_eq!(seen["dropped"]["first"][0]["fact"], "AFFILIATION");
    let roles = &seen["ending"]["roles"];
    assert_eq!((&roles["ending"], &roles["of"]), (&7.into(), &7.into()));
    assert_eq!(voice.position().await, position);

    let done = renumbered()
        .import_with(&server, &["--accept-removals"])
        .done();
    assert!(done.stderr.contains("7 links ended"), "{}", done.stderr);
    let after = Seen::of(&voice).await;
    // The old school is empty, and everybody and every team is at the new one.
    assert_eq!((after.persons.len(), after.teams.len()), (7, 2));
    assert!(after.has_member("4.x", "Ebbe") && after.has_staff("4.x", "Tove"));
    assert_eq!(after.guardians("Ebbe").len(), 2);
    let school = &after.person("Tove").affiliations[0].institution_id;
    assert_eq!(
        *school,
        after.team("4.x").details.clone().unwrap().institution_id
    );
    renumbered().import(&server, "").done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn other_names_for_the_institutions_may_be_another_source() {
    let (server, voice) = imported(&Export::new()).await;
    let position = voice.position().await;
    let other = Export::new()
        .but("orgs.csv", "k,,,Vesterby Kommune,district,800,")
        .but("orgs.csv", "s,,,Heliosskolen,school,800001,k");
    let stopped = other.import(&server, "");
    assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
    for said in [
        "NAMES_UNUSUAL",
        "2 of 2 institutions",
        "--source",
        "nothing was written",
    ] {
        assert!(stopped.stderr.contains(said), "{}", stopped.stderr);
    }
    let stops = other.import_with(&server, &["--json"]).json()["stops"].clone();
    let stops = stops.as_array().unwrap().clone();
    let [stop] = &stops[..] else {
        panic!("{stops:?}")
    };
    assert_eq!(
        (&stop["code"], &stop["kind"]),
        (&"NAMES_UNUSUAL".into(), &"institutions".into())
    );
    assert_eq!(voice.position().await, position);
    let names = async || {
        let found = voice.ask(ListInstitutionsRequest::default()).await.unwrap();
        let found = found.institutions.into_iter();
        found.map(|it| it.details.unwrap().name).collect::<Vec<_>>()
    };
    assert!(names().await.contains(&"Ærøskolen".to_owned()));
    other.import_with(&server, &["--accept-names"]).done();
    assert!(names().await.contains(&"Heliosskolen".to_owned()));
    // A name of one of two is an ordinary change.
    let one = other.but("orgs.csv", "s,,,Heliosskolen Vest,school,800001,k");
    one.import(&server, "").done();
}
