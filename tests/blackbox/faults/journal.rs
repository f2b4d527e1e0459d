//! The journal, or a file that it rests on, cannot be written or begun.

use std::fs;

use planledger_proto::v1::*;

use super::story::*;
use super::told::{Row, Told, complaints, wait_for};
use crate::support::*;
use crate::watched::Measured;

/// A call on these files fails once, and all is well with the disk after it. The server stops taking commands
/// for good, says so, and is read from; the next start has everything.
fn is_final(folder: &str, call: Call, fault: Fault, (number, name): (u32, &'static str)) {
    let story = Story::begin_on(u64::from(number), folder);
    let server = story.start_watched();
    story.work(&server.serving);
    Told::well(&server);
    story.faults.begin(call, fault, 0, 1);
    story.load(&server.serving);
    assert_eq!(story.faults.end(), 1, "{name}: nothing failed");
    let told = Told::until(&server, "refusing", |told| !told.takes);
    assert!(!told.status.writable, "{name}: {}", told.summary());
    assert_eq!(told.metric("takes_commands"), 0.0);
    assert_eq!(told.metric("waits_for_room"), 0.0);
    assert!(told.shows);
    let refused = wait_for(async {
        let voice = server.serving.voice().await;
        let command = register_institution(&new_id(), "Skolen");
        voice.try_execute(command).await.unwrap_err()
    });
    assert_eq!(refused.reason, "WRITER_STOPPED");
    let (_, log) = server.serving.stop_within(STOP).unwrap();
    let what_to_do = "commands are refused until the server is restarted";
    assert!(log.contains(what_to_do), "{name}: {log}");
    let row = Row {
        number,
        fault: name,
        says: format!("{}; {}", told.summary(), complaints(&log)),
        goes_on: "no: it is final; restart",
    };
    row.holds(&story.check().unwrap());
}

#[test]
fn a_write_of_the_journal_that_finds_the_disk_full_is_final() {
    let row = (10, "disk full: a write of the journal (`ENOSPC`)");
    is_final("journal/", Call::Write, Fault::Error(ENOSPC), row);
}

#[test]
fn half_a_write_of_the_journal_is_final() {
    let row = (11, "disk full: half a write of the journal");
    is_final("journal/", Call::Write, Fault::Torn(ENOSPC), row);
}

#[test]
fn a_sync_of_the_journal_that_fails_once_is_final() {
    let row = (12, "a sync of the journal fails (`EIO`)");
    is_final("journal/", Call::Sync, Fault::Error(EIO), row);
}

#[test]
fn a_sync_of_the_key_store_that_fails_once_is_final() {
    let row = (13, "a sync of `keys.log` fails (`EIO`)");
    is_final("keys/keys.log", Call::Sync, Fault::Error(EIO), row);
}

/// A file system that has become read-only under a server: nothing is written through files that are open, none
/// is opened to write, and no name is given.
#[test]
fn a_file_system_that_becomes_read_only_is_final_and_is_read_from() {
    let story = Story::begin_on(14, "");
    let server = story.start_watched();
    story.work(&server.serving);
    let error = Fault::Error(EROFS);
    let rules = [Call::Write, Call::OpenToWrite, Call::Name];
    story.faults.begin_all(&rules.map(|call| (call, error)));
    story.load(&server.serving);
    let told = Told::until(&server, "refusing", |told| !told.takes);
    assert!(story.faults.end() > 0);
    // Derived state may have met it before the journal did; then nothing is final.
    let is_final = told.why().contains("Read-only");
    let goes_on = match is_final {
        true => "no: it is final; remount, restart",
        false => "yes, if no write of the journal met it",
    };
    match is_final {
        true => assert!(!Told::by(&server).status.writable),
        false => drop(Told::well(&server)),
    }
    let (_, log) = server.serving.stop_within(STOP).unwrap();
    let row = Row {
        number: 14,
        fault: "the file system becomes read-only (`EROFS` on every write, name and open to write)",
        says: format!("{}; {}", told.summary(), complaints(&log)),
        goes_on,
    };
    row.holds(&story.check().unwrap());
}

/// Fills the first segment up to about 60 of its 64 MiB.
fn fill(story: &Story, server: &Measured) -> String {
    story.outside.expect_others();
    wait_for(async {
        let voice = server.serving.voice().await;
        let (_, _, plan) = School::with_plan(&voice).await;
        let large = large_texts(&plan, 200);
        while fs::metadata(story.home.first_segment()).unwrap().len() < 58 << 20 {
            voice.all(large.iter().cloned().map(renewed)).await;
        }
        plan
    })
}

fn large_texts(plan: &str, count: usize) -> Vec<Command> {
    let texts = (0..count).map(|n| write_status(plan, &format!("{n} {}", "ord ".repeat(4_500))));
    texts.collect()
}

fn renewed(mut command: Command) -> Command {
    command.command_id = new_id();
    command
}

/// The next segment cannot be begun: the disk is full, and then the folder may not be written any more. Nothing
/// was written, so nothing is in doubt: the server waits, and goes on by itself.
#[test]
fn a_segment_that_cannot_be_begun_is_waited_for() {
    let story = Story::begin_on(15, "journal/");
    let server = story.start_watched();
    let plan = fill(&story, &server);
    story.work(&server.serving);
    let full = Fault::Error(ENOSPC);
    story
        .faults
        .begin_all(&[(Call::OpenToWrite, full), (Call::Name, full)]);
    let sent = large_texts(&plan, 400);
    let actor = format!("system/{}", new_id());
    let refused = wait_for(async {
        let voice = server.serving.voice().await.actor(&actor);
        voice.try_all(sent.clone()).await.unwrap_err()
    });
    assert_eq!(refused.reason, "WRITER_STOPPED");
    let told = Told::until(&server, "waiting", |told| !told.takes);
    assert!(told.why().contains("cannot be begun"), "{}", told.why());
    assert_eq!(told.metric("waits_for_room"), 1.0);

    let denied = Fault::Error(EACCES);
    story
        .faults
        .begin_all(&[(Call::OpenToWrite, denied), (Call::Name, denied)]);
    let of_folder = Told::until(&server, "denied", |told| told.why().contains("denied"));
    assert_eq!(of_folder.metric("waits_for_room"), 1.0);

    story.faults.end();
    Told::well(&server);
    // What had been decided was written, once.
    wait_for(async {
        let voice = server.serving.voice().await.actor(&actor);
        for receipt in voice.all(sent).await {
            assert!(receipt.replayed);
        }
    });
    story.work(&server.serving);
    let (_, log) = server.serving.stop_within(STOP).unwrap();
    assert!(log.contains("there is room for the journal again"), "{log}");
    let held = story.check().unwrap();
    let rows = [
        (
            20,
            "disk full: the next segment of the journal, and its index",
            told,
        ),
        (
            21,
            "permission lost: the next segment of the journal",
            of_folder,
        ),
    ];
    for (number, fault, told) in rows {
        let row = Row {
            number,
            fault,
            says: format!("{}; {}", told.summary(), complaints(&log)),
            goes_on: "yes",
        };
        row.holds(&held);
    }
}
