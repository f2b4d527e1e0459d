//! Old reads are removed from the access log, as two records officers do it with the program.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use planledger::system::SystemEntropy;
use planledger_core::access_log::{AccessLog, Read, Seen, Shown};
use planledger_core::domain::Actor;
use planledger_core::ids::{PersonId, Position};
use planledger_core::ledger::{Ledger, Options};
use planledger_core::time::Timestamp;
use planledger_fixtures::place::{StandingClock, copy, files};
use planledger_proto::v1::*;

use super::{carried_out, erasures};
use crate::support::*;

fn day(text: &str) -> Timestamp {
    Timestamp::start_of_day_in_denmark(text.parse().unwrap())
}

/// Puts an access log there with reads of long ago: three months of the student, the first one also of
/// a classmate. No server runs.
fn reads_of_long_ago(home: &Home, school: &School) {
    fs::remove_dir_all(home.path().join("access")).unwrap();
    let options = Options {
        clock: StandingClock::at(day("2024-01-01")),
        ..home.options()
    };
    let ledger = Ledger::open(options).unwrap();
    let log = AccessLog::open(ledger, home.path(), Arc::new(SystemEntropy)).unwrap();
    let read = |student: &str, at: &str| Read {
        student: student.parse().unwrap(),
        actor: Actor::Person(school.teacher.parse().unwrap()),
        on_behalf_of: None,
        at: day(at),
        seen: Seen {
            shown: Shown::Plan,
            method: "GetPlan".to_owned(),
            plan: None,
            viewer: None,
            position: Position::new(1),
            events: 0,
            purpose: None,
        },
    };
    let reads = vec![
        read(&school.classmate, "2024-01-10"),
        read(&school.student, "2024-01-20"),
        read(&school.student, "2024-02-20"),
        read(&school.student, "2024-03-20"),
    ];
    log.hand_in(reads, None).unwrap();
    log.settle().unwrap();
}

fn program(serving: &Serving, who: &str, arguments: &[&str]) -> Ran {
    let who = format!("person/{who}");
    let remote = ["--server", &serving.url, "--as", &who];
    run([arguments, &remote].concat())
}

/// The days of the reads of long ago that are there, newest first, and since when the log is complete.
async fn reads(voice: &Voice, student: &str) -> (Vec<i64>, i64) {
    let request = ListReadersRequest {
        student_id: student.to_owned(),
        until: Some(prost_types::Timestamp {
            seconds: 1_735_689_600,
            nanos: 0,
        }),
        ..ListReadersRequest::default()
    };
    let page = voice.ask(request).await.unwrap();
    let at = page.reads.iter().map(|read| read.read_at.unwrap().seconds);
    (at.collect(), page.complete_since.unwrap().seconds)
}

fn seconds(text: &str) -> i64 {
    (day(text).nanos() / 1_000_000_000) as i64
}

/// Whether somebody is named in any file of the access log.
fn is_named(home: &Home, person: &str) -> bool {
    let id: PersonId = person.parse().unwrap();
    let folder = files(&home.path().join("access"));
    let mut all = folder.values();
    all.any(|bytes| bytes.windows(16).any(|part| part == id.as_bytes()))
}

fn verified(home: &Home) -> Ran {
    let dir = home.path().to_str().unwrap();
    run(["ledger", "verify", "--dir", dir, "--json"])
}

fn put_back(from: &Path, to: &Path, name: &str) {
    fs::copy(from.join(name), to.join(name)).unwrap();
}

async fn with_old_reads() -> (Home, School) {
    let home = Home::new();
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    let (school, _, _) = School::with_plan(&voice).await;
    drop(voice);
    serving.stop();
    reads_of_long_ago(&home, &school);
    (home, school)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_remove_old_reads_with_the_program_and_the_rest_stays_and_is_checked() {
    let (home, school) = with_old_reads().await;
    let journal = home.path().join("access/journal");
    let before = tempfile::tempdir().unwrap();
    copy(&journal, before.path());
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    let (one, other) = (school.teacher.as_str(), school.leader.as_str());
    let march = ["--reads-before", "2024-03-01"];
    let said = ["--basis", "Sletteregler", "--reason", "Over et år gamle"];
    let request = [&["erasure", "request"], &march[..], &said].concat();
    program(&serving, one, &request).done();
    let ahead = ["--reads-before", "2099-01-01"];
    let ahead = [&["erasure", "request"], &ahead[..], &said].concat();
    let refused = program(&serving, one, &ahead);
    assert!(refused.stderr.contains("DATE_OUT_OF_RANGE"), "{refused:?}");
    let listed = program(&serving, other, &["erasure", "list"]).done().stdout;
    for said in ["reads before 2024-03-01", "3 reads", "requested"] {
        assert!(listed.contains(said), "{said} in {listed}");
    }
    let approve = [&["erasure", "approve", "--json"], &march[..]].concat();
    let alone = program(&serving, one, &approve);
    assert!(
        alone.stderr.contains("ERASURE_NEEDS_ANOTHER_PERSON"),
        "{alone:?}"
    );
    let march_read = seconds("2024-03-20");
    assert_eq!(reads(&voice, &school.student).await.0.len(), 3);
    let approved = program(&serving, other, &approve).done().json();
    let approval = Receipt {
        position: approved["receipt"]["position"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap(),
        stream: approved["receipt"]["stream"].as_str().unwrap().to_owned(),
        ..Receipt::default()
    };
    let act = carried_out(&voice, &approval).await;
    assert_eq!(act.read_count, Some(3));
    assert_eq!(act.removed_until.unwrap().seconds, seconds("2024-02-20"));
    let (left, since) = reads(&voice, &school.student).await;
    assert_eq!((left, since), (vec![march_read], seconds("2024-02-20")));
    assert!(reads(&voice, &school.classmate).await.0.is_empty());
    let shown = program(&serving, other, &["erasure", "show", &act.erasure_id]);
    assert!(shown.done().stdout.contains("removed: 3 reads"), "{act:?}");
    let log = program(
        &serving,
        other,
        &["access", "log", "--student", &school.student],
    );
    let log = log.done();
    assert!(log.stderr.contains("complete since 2024-02-20"), "{log:?}");
    drop(voice);
    serving.stop();
    // The classmate's list was asked for, and that is on record; so look at the student's months.
    for number in [1, 2] {
        assert!(!journal.join(format!("segment-{number:08}.log")).exists());
        assert!(journal.join(format!("segment-{number:08}.leaves")).exists());
    }
    verified(&home).done();

    // As if the process had been killed before anything was removed.
    for name in ["segment-00000001.log", "segment-00000002.log"] {
        put_back(before.path(), &journal, name);
    }
    let verified_before = verified(&home);
    assert_eq!(verified_before.code, Some(1), "{verified_before:?}");
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    assert_eq!(reads(&voice, &school.student).await.0, [march_read]);
    drop(voice);
    serving.stop();
    assert!(!journal.join("segment-00000001.log").exists());
    verified(&home).done();

    // More is gone than the act says.
    fs::remove_file(journal.join("segment-00000003.log")).unwrap();
    let missing = verified(&home);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    let dir = home.path().to_str().unwrap();
    let refused = run(["serve", "--dev", "--listen", "127.0.0.1:0", "--dir", dir]);
    assert_ne!(refused.code, Some(0));
    put_back(before.path(), &journal, "segment-00000003.log");
}

/// The process is killed as soon as the approval is answered, wherever the removal has come to.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_a_killed_server_had_begun_to_remove_the_next_one_removes() {
    let (home, school) = with_old_reads().await;
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    let (one, other) = (voice.person(&school.teacher), voice.person(&school.leader));
    one.execute(request_erasure(reads_before("2024-02-01")))
        .await;
    let receipt = other
        .execute(approve_erasure(reads_before("2024-02-01")))
        .await;
    serving.kill();
    drop((one, other, voice));
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    let act = carried_out(&voice, &receipt).await;
    assert_eq!(act.read_count, Some(2));
    let left = reads(&voice, &school.student).await.0;
    assert_eq!(left, [seconds("2024-03-20"), seconds("2024-02-20")]);
    drop(voice);
    serving.stop();
    assert!(!is_named(&home, &school.classmate));
    verified(&home).done();
}

/// The ledger notes how far the access log has come, so one that is deleted with its checkpoints is missed.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_access_log_that_was_deleted_is_told_of_at_the_start_and_found_by_a_check() {
    let (home, school) = with_old_reads().await;
    let serving = Serving::start_with(home.path(), &["--checkpoint-seconds", "1"]);
    let voice = serving.voice().await;
    let mut position = voice.position().await;
    loop {
        let events = voice.all_events().await;
        let noted = |event: &Event| event.r#type == "ledger.access_log_noted";
        if events.iter().any(noted) {
            break;
        }
        position += 1;
        erasures(&voice, position).await;
    }
    drop(voice);
    serving.stop();
    verified(&home).done();
    fs::remove_dir_all(home.path().join("access")).unwrap();
    let missing = verified(&home);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    let told = Serving::start(home.path()).stop();
    assert!(
        told.contains("records of the access log are lost"),
        "{told}"
    );
    let missing = verified(&home);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stdout.contains("its end is missing"), "{missing:?}");

    // Nothing but a word on record makes that good, with who gave it and why.
    let dir = home.path().to_str().unwrap();
    let teacher = format!("person/{}", school.teacher);
    let settle = |more: &[&str]| {
        let words = [
            "ledger",
            "settle-access-log",
            "--dir",
            dir,
            "--actor",
            &teacher,
        ];
        run([&words[..], &["--reason", "Disken gik i stykker"], more].concat())
    };
    let dry = settle(&["--dry-run"]);
    assert!(dry.done().stdout.contains("its end is missing"));
    assert_eq!(verified(&home).code, Some(1));
    let settled = settle(&["--yes"]);
    assert!(settled.done().stderr.contains("on record at position"));
    verified(&home).done();
    let again = settle(&["--yes"]);
    assert!(
        again.stderr.contains("nothing of the access log is lost"),
        "{again:?}"
    );
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    let events = voice.all_events().await;
    let lost = events
        .iter()
        .find(|event| event.r#type == "ledger.access_log_lost");
    assert_eq!(lost.unwrap().actor, teacher);
    let (left, since) = reads(&voice, &school.student).await;
    assert!(
        left.is_empty() && since > seconds("2025-01-01"),
        "{left:?} {since}"
    );
    drop(voice);
    let told = serving.stop();
    assert!(!told.contains("are lost"), "{told}");
    verified(&home).done();
}
