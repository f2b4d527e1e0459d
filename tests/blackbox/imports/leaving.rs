//! Who has left: only whom the roster or a person says to have left.

use super::export::{Export, Seen};
use crate::support::*;

/// What a ledger holds after these exports, one after another.
async fn after(exports: &[&Export]) -> (Seen, Vec<Ran>) {
    let home = Home::new();
    let server = home.start();
    let ran = exports
        .iter()
        .map(|export| export.import(&server, "").done());
    let ran = ran.collect();
    (Seen::of(&server.voice().await).await, ran)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_teacher_whose_class_ended_with_its_term_is_still_there() {
    let export = Export::new()
        .with("users.csv", "tk,,,true,s,teacher,tk,,Karl,Pil,,,,,,,,")
        .with(
            "classes.csv",
            "c3,,,4.x sløjd,,dan,C3,scheduled,,s,kv,Sløjd,,",
        )
        .with(
            "enrollments.csv",
            "n9,,,c3,s,tk,teacher,true,2026-08-10,2026-10-09",
        );
    let (seen, _) = after(&[&export]).await;
    assert!(seen.is_there("Karl"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_teacher_whose_class_is_cancelled_is_still_there() {
    let before = Export::new();
    let cancelled = before.clone().but(
        "classes.csv",
        "c2,tobedeleted,,4.y dansk,,dan,C2,scheduled,,s,y,Dansk,,",
    );
    let both = before.clone().but(
        "classes.csv",
        "c2,tobedeleted,,4.y dansk,,dan,C2,scheduled,,s,y,Dansk,,",
    );
    let both = both.but(
        "enrollments.csv",
        "n4,tobedeleted,,c2,s,tb,teacher,true,2026-08-10,",
    );
    let (seen, _) = after(&[&before, &cancelled, &both]).await;
    assert!(seen.is_there("Troels") && seen.team("4.y").closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn somebody_who_may_not_log_in_has_not_left() {
    let export = Export::new()
        .but("users.csv", "ta,,,false,s,teacher,ta,,Tove,Ask,,,,,,,,")
        .but(
            "users.csv",
            "ea,,,false,s,student,ea,,Ebbe,Rønn,,,,,,\"ga,gb\",04,",
        );
    let (seen, _) = after(&[&export]).await;
    assert!(seen.is_there("Tove") && seen.is_there("Ebbe"));
    assert!(seen.has_member("4.x", "Ebbe") && seen.has_staff("4.x", "Tove"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_guardian_who_is_gone_guards_nobody() {
    let before = Export::new();
    let gone = before.clone().but(
        "users.csv",
        "gb,tobedeleted,,true,s,guardian,gb,,Gorm,Rønn,,,,,,,,",
    );
    let (seen, _) = after(&[&before, &gone]).await;
    assert_eq!(seen.guardians("Ebbe"), [seen.id("Gry")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_teacher_is_a_guardian_too() {
    let export = Export::new().but(
        "users.csv",
        "eb,,,true,s,student,eb,,Esther,Bøg,,,,,,tb,04,",
    );
    let (seen, _) = after(&[&export]).await;
    assert_eq!(seen.guardians("Esther"), [seen.id("Troels")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_blank_row_that_is_gone_is_a_departure_of_whom_the_source_has_brought() {
    let (server, voice) = Home::new().serve().await;
    let export = Export::new();
    export.import(&server, "").done();
    let blank = |id: &str| format!("{id},tobedeleted{}", ",".repeat(16));
    let gone = export
        .but("users.csv", &blank("tb"))
        .but("users.csv", &blank("gb"))
        .with("users.csv", &blank("never"));
    let done = gone.import_with(&server, &["--json"]).done().json();
    assert_eq!(
        (&done["refused"], &done["left"]["count"]),
        (&0.into(), &2.into())
    );
    let seen = Seen::of(&voice).await;
    assert!(!seen.is_there("Troels") && !seen.is_there("Gorm"));
    assert_eq!(seen.person("Troels").name, "Troels Bøg");
    assert_eq!(seen.person("Troels").affiliations.len(), 1);
    assert!(seen.person("Troels").absences.is_empty());
    assert!(!seen.has_staff("4.y", "Troels"));
    assert_eq!(seen.guardians("Ebbe"), [seen.id("Gry")]);
    // Once more, nothing changes.
    let position = voice.position().await;
    gone.import(&server, "").done();
    assert_eq!(voice.position().await, position);
}
