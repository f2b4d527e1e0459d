//! An import that would end or rename too much stops before anything is written.

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
    let ended = changes.import_with(&server, &["--accept-removals"]).done();
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
