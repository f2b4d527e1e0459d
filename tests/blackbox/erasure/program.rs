//! `planledger erasure`, as two records officers use it, and what whoever restores a backup has to do.

use std::fs;

use planledger_fixtures::place::copy;
use planledger_proto::v1::*;

use super::{carried_out, unreadable};
use crate::support::*;

fn erasure(serving: &Serving, who: &str, arguments: &[&str]) -> Ran {
    let who = format!("person/{who}");
    let remote = ["--server", &serving.url, "--as", &who];
    run([&["erasure"], arguments, &remote].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_decide_with_the_program_and_an_older_backup_is_not_served_before_it_is_done_again()
 {
    let home = Home::new();
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    let (school, _, plan) = School::with_plan(&voice).await;
    let receipt = voice.execute(write_status(&plan, "Stod forkert")).await;
    let (student, one, other) = (&school.student, &school.teacher, &school.leader);
    drop(voice);
    serving.stop();
    let backup = tempfile::tempdir().unwrap();
    copy(home.path(), backup.path());

    let serving = Serving::start(home.path());
    let position = receipt.position.to_string();
    let targets = [["--event", &position], ["--person", student]];
    let request = ["--basis", "Artikel 17", "--reason", "Bedt om"];
    for target in &targets {
        erasure(
            &serving,
            one,
            &[&["request"], &target[..], &request].concat(),
        )
        .done();
    }
    let alone = erasure(&serving, one, &["approve", "--person", student]);
    assert_eq!(alone.code, Some(1), "{alone:?}");
    assert!(
        alone.stderr.contains("ERASURE_NEEDS_ANOTHER_PERSON"),
        "{alone:?}"
    );
    let shown = erasure(&serving, other, &["show", student]).done().stdout;
    let asker = format!("person/{one}");
    for said in [
        &asker,
        "would make unreadable",
        "Artikel 17",
        "Bedt om",
        ": requested",
    ] {
        assert!(shown.contains(said), "{said} in {shown}");
    }
    let nobody = erasure(&serving, other, &["show", other]);
    assert!(nobody.stderr.contains("nobody has asked for"), "{nobody:?}");
    let voice = serving.voice().await;
    for target in &targets {
        let approve = [&["approve", "--json"], &target[..]].concat();
        let approved = erasure(&serving, other, &approve).done().json();
        let at = approved["receipt"]["position"].as_str().unwrap();
        let stream = approved["receipt"]["stream"].as_str().unwrap();
        let approval = Receipt {
            position: at.parse().unwrap(),
            stream: stream.to_owned(),
            ..Receipt::default()
        };
        carried_out(&voice, &approval).await;
    }
    let shown = erasure(&serving, other, &["show", student]).done().stdout;
    assert!(shown.contains(": carried_out"), "{shown}");
    let listed = erasure(&serving, other, &["list"]).done().stdout;
    assert!(
        listed.contains(&format!("event {position} of plan/{plan}")),
        "{listed}"
    );
    drop(voice);
    serving.stop();

    // The disk is lost, and an older backup is put back, with the newest list of acts.
    let acts = fs::read(home.path().join("erasures/acts.txt")).unwrap();
    let restored = Home::new();
    copy(backup.path(), restored.path());
    fs::create_dir(restored.path().join("erasures")).unwrap();
    fs::write(restored.path().join("erasures/acts.txt"), acts).unwrap();
    let dir = restored.path().to_str().unwrap();
    let refused = run(["serve", "--dev", "--listen", "127.0.0.1:0", "--dir", dir]);
    assert_ne!(refused.code, Some(0));
    assert!(
        refused.stderr.contains("planledger erasure reapply"),
        "{refused:?}"
    );
    run(["erasure", "reapply", "--dir", dir]).done();
    run(["ledger", "verify", "--dir", dir]).done();
    let serving = Serving::start(restored.path());
    let voice = serving.voice().await;
    for event in voice.history(&plan).await {
        assert_eq!(event.content, unreadable(Unreadable::Erased));
    }
    let shown = erasure(&serving, other, &["show", student]).done().stdout;
    assert!(
        shown.contains(&asker) && shown.contains(": carried_out"),
        "{shown}"
    );
    copy_of_nobody(&serving, other, student);
}

/// Of an erased person a copy holds who has read, that the person was erased, and no text.
fn copy_of_nobody(serving: &Serving, officer: &str, student: &str) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("copy");
    let officer = format!("person/{officer}");
    let words = [
        "access",
        "subject",
        "--server",
        &serving.url,
        "--as",
        &officer,
    ];
    let out = out.to_str().unwrap();
    let of = ["--person", student, "--out", out, "--for", "records"];
    run([&words[..], &of].concat()).done();
    let json = fs::read_to_string(format!("{out}/subject-access.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let left_out = json["leftOut"].as_array().unwrap();
    for part in ["person", "plans"] {
        let erased = |entry: &&serde_json::Value| entry["part"] == part;
        let entry = left_out.iter().find(erased).unwrap();
        assert_eq!(entry["code"], "PERSON_ERASED", "{part}");
    }
    let sections = &json["sections"];
    let target = &sections["erasures"][0]["target"];
    assert!(target.is_object(), "{json}");
    let events = sections["events"].as_array().unwrap();
    assert!(!events.is_empty());
    assert!(events.iter().all(|event| event["payload"].is_null()));
}
