//! Who is not in a bulk export is named, and nothing of theirs is deleted.

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
