//! Who has left: only whom the roster or a person says to have left.

use planledger_proto::v1::AccessRole;

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

/// A roster must not shut a municipality out of its own ledger. Its row is refused like any other, and
/// the rest is imported.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_roster_that_drops_the_last_administrator_is_refused_that_one_row() {
    let (server, voice) = Home::new().serve().await;
    let export = Export::new();
    export.import(&server, "").done();
    let seen = Seen::of(&voice).await;
    let administrator = |name: &str| {
        let everywhere = grant_details(AccessRole::Administrator, municipality());
        grant_role(&new_id(), actor_person(&seen.id(name)), everywhere)
    };
    voice.execute(administrator("Lone")).await;
    let gone = export
        .but(
            "users.csv",
            "l,tobedeleted,,true,s,administrator,l,,Lone,Elm,,,,,,,,",
        )
        .but(
            "users.csv",
            "tb,tobedeleted,,true,s,teacher,tb,,Troels,Bøg,,,,,,,,",
        );
    let dry = gone.import_with(&server, &["--json", "--dry-run"]).json();
    assert_eq!(dry["refused"]["count"], 1, "{dry}");
    let ran = gone.import_with(&server, &["--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let done = ran.json();
    assert_eq!(
        (&done["refused"], &done["whole"]),
        (&1.into(), &false.into())
    );
    let refused = &done["refused_commands"][0];
    assert_eq!(refused["source"], "users.csv:7");
    assert_eq!(refused["reason"], "LAST_ADMINISTRATOR", "{refused}");
    let now = Seen::of(&voice).await;
    assert!(now.is_there("Lone") && !now.is_there("Troels"));

    voice.execute(administrator("Tove")).await;
    gone.import(&server, "").done();
    assert!(!Seen::of(&voice).await.is_there("Lone"));
}
