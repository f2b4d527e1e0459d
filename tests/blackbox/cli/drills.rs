//! More drills of `planledger ledger doctor`: what is rarer, and what needs a server that has worked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use planledger_core::domain::ledger::heads_stream;
use planledger_core::ids::{Position, StreamId};
use planledger_core::journal::{CommitLog, OsDisk, SegmentLog, SegmentOptions};
use planledger_proto::v1::*;
use serde_json::Value as Json;

use super::damaged::*;
use crate::support::*;

const EACCES: i32 = 13;
const EIO: i32 = 5;

fn next_of(finding: &Json) -> &str {
    finding["next"].as_str().unwrap()
}

/// What the doctor says where calls on some files fail.
fn examined_where(home: &Home, part: &Path, call: Call, errno: i32) -> Json {
    let faults = Faults::on(part.to_str().unwrap());
    faults.begin_all(&[(call, Fault::Error(errno))]);
    let mut doctor = program();
    faults.meet(&mut doctor);
    doctor
        .args(["ledger", "doctor", "--json", "--dir"])
        .arg(home.path());
    let output = output(doctor.stdout(Stdio::piped()).stderr(Stdio::piped()));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(faults.end() > 0, "nothing failed: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The finding of this code.
fn of_code<'a>(json: &'a Json, code: &str) -> &'a Json {
    let mut findings = json["findings"].as_array().unwrap().iter();
    let found = findings.find(|finding| finding["code"] == code);
    found.unwrap_or_else(|| panic!("no {code}: {json:#}"))
}

fn log(home: &Home) -> SegmentLog {
    let disk = OsDisk::new(home.path().join("journal")).unwrap();
    SegmentLog::open(std::sync::Arc::new(disk), SegmentOptions::default()).unwrap()
}

/// A ledger on which a server has worked: there is a plan, and a read of it is on record.
struct Worked {
    home: Home,
    plan: String,
    school: School,
}

impl Worked {
    async fn new() -> Self {
        let home = Home::new();
        let serving = Serving::start_with(home.path(), &["--checkpoint-seconds", "1"]);
        let voice = serving.voice().await;
        let (school, _, plan) = School::with_plan(&voice).await;
        voice.plan(&plan, Viewer::Staff).await;
        let checkpoints = home.path().join("access/checkpoints/checkpoints.txt");
        let until = std::time::Instant::now() + PATIENCE;
        while fs::metadata(&checkpoints).map_or(0, |it| it.len()) == 0 {
            assert!(std::time::Instant::now() < until, "no checkpoint of reads");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        drop(voice);
        serving.stop();
        sound(&home);
        Self { home, plan, school }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

#[test]
fn drill_a_segment_is_another_ledgers() {
    let home = home();
    let whole = fs::read(segment(&home, 2)).unwrap();
    fs::copy(segment(&other_home(), 2), segment(&home, 2)).unwrap();
    private(home.path());
    let finding = only(&home, "SEGMENT_FOREIGN");
    assert_eq!(finding["lost"], "events");
    assert!(
        next_of(&finding).contains("put the right file"),
        "{finding}"
    );
    fs::write(segment(&home, 2), whole).unwrap();
    sound(&home);
}

#[test]
fn drill_the_key_store_is_an_older_copy() {
    let home = home();
    let path = home.path().join("keys/keys.log");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 512 * 256]).unwrap();
    let finding = only(&home, "KEYS_OLDER");
    assert_eq!(finding["lost"], "nothingCanBeRead");
    assert!(
        next_of(&finding).contains("put the newest keys/keys.log back"),
        "{finding}"
    );
    fs::write(&path, whole).unwrap();
    sound(&home);
}

/// Writes a recipient into the header of the key store, as whoever can write the file can, with the right checksum.
fn plant_recipient(home: &Home, recipient: [u8; 32]) {
    let path = home.path().join("keys/keys.log");
    let mut bytes = fs::read(&path).unwrap();
    bytes[56] = 1;
    bytes[57..89].copy_from_slice(&recipient);
    let checksum = blake3::derive_key("planledger v1 2026-11-23 key slot", &bytes[..224]);
    bytes[224..256].copy_from_slice(&checksum);
    fs::write(&path, bytes).unwrap();
}

#[test]
fn drill_the_master_key_does_not_vouch_for_the_rescue_recipient() {
    let home = home();
    let whole = fs::read(home.path().join("keys/keys.log")).unwrap();
    let mut planted = [0; 32];
    planted[0] = 9;
    plant_recipient(&home, planted);
    let finding = only(&home, "KEYS_RECIPIENT");
    assert!(
        next_of(&finding).contains("add-rescue-recipient"),
        "{finding}"
    );
    // The ledger had none: the file is put back.
    fs::write(home.path().join("keys/keys.log"), whole).unwrap();
    sound(&home);
}

#[test]
fn drill_the_disk_does_not_give_the_key_store() {
    let home = home();
    let json = examined_where(&home, &home.path().join("keys/keys.log"), Call::Read, EIO);
    let finding = of_code(&json, "KEYS_UNREADABLE");
    assert!(next_of(finding).contains("the disk"), "{finding}");
    sound(&home);
}

#[test]
fn drill_a_key_was_not_finished() {
    let home = home();
    let path = home.path().join("keys/keys.log");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [whole.clone(), vec![0; 256]].concat()).unwrap();
    let found = examine(&home, Some(0));
    assert_eq!(found["TORN_KEYS"]["lost"], "nothing");
    Serving::start(home.path()).stop();
    assert_eq!(fs::read(&path).unwrap(), whole);
    sound(&home);
}

/// The disk fails before it is noted that a text is overwritten, and the process ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn drill_a_redaction_was_interrupted() {
    let worked = Worked::new().await;
    let faults = Faults::on(worked.file("journal/redaction").to_str().unwrap());
    let mut serve = program();
    faults.meet(&mut serve);
    serve.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--dir"]);
    let serving = Serving::launch(serve.arg(worked.home.path())).unwrap();
    let voice = serving.voice().await;
    let receipt = voice
        .execute(write_status(&worked.plan, "Kanariefuglen"))
        .await;
    let target = || redaction_of(&receipt.stream, receipt.position, receipt.revision);
    let one = voice.person(&worked.school.teacher);
    one.execute(request_erasure(target())).await;
    // What an earlier one left is looked for, the note gets its name, and does not lose it.
    faults.begin(Call::Name, Fault::Error(EIO), 2, u64::MAX);
    let other = voice.person(&worked.school.leader);
    other.execute(approve_erasure(target())).await;
    let until = std::time::Instant::now() + PATIENCE;
    while !worked.file("journal/redaction").exists() {
        if std::time::Instant::now() > until {
            panic!(
                "no redaction has begun: {:?}",
                serving.stop_within(PATIENCE)
            );
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop((voice, one, other));
    serving.kill();
    let found = examine(&worked.home, Some(1));
    assert!(!found.contains_key("UNREADABLE"), "{found:?}");
    assert!(found.contains_key("NOT_CHECKED"), "{found:?}");
    assert_eq!(found["UNFINISHED"]["lost"], "nothing");
    assert!(
        next_of(&found["UNFINISHED"]).contains("never remove"),
        "{found:?}"
    );
    let serving = Serving::start(worked.home.path());
    let plan = serving
        .voice()
        .await
        .plan(&worked.plan, Viewer::Staff)
        .await;
    assert!(!format!("{plan:?}").contains("Kanariefuglen"), "{plan:?}");
    serving.stop();
    sound(&worked.home);
}

#[test]
fn drill_derived_state_was_set_aside() {
    let home = home();
    let file = largest(&home.path().join("derived"));
    let len = fs::metadata(&file).unwrap().len();
    fs::write(&file, vec![0xaa; len as usize]).unwrap();
    Serving::start(home.path()).stop();
    let found = examine(&home, Some(0));
    assert_eq!(found["SET_ASIDE"]["lost"], "nothing");
    fs::remove_dir_all(home.path().join("derived.set-aside")).unwrap();
    sound(&home);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn drill_the_access_log_or_its_checkpoints_are_damaged() {
    let worked = Worked::new().await;
    for (name, code, lost, last) in [
        (
            "access/journal/segment-00000001.log",
            "ACCESS_LOG_WRONG",
            "recordsOfReads",
            1,
        ),
        (
            "access/checkpoints/checkpoints.txt",
            "ACCESS_CHECKPOINTS_WRONG",
            "evidence",
            30,
        ),
    ] {
        let path = worked.file(name);
        let whole = fs::read(&path).unwrap();
        flip(&path, whole.len() - last);
        let finding = only(&worked.home, code);
        assert_eq!(finding["lost"], lost);
        assert!(next_of(&finding).contains("put access/ back"), "{finding}");
        fs::write(&path, whole).unwrap();
        sound(&worked.home);
    }
}

#[test]
fn drill_a_text_is_gone_without_an_act() {
    let home = home();
    let kept = home.copied();
    private(kept.path());
    let log = log(&home);
    log.redact(Position::new(5)).unwrap();
    drop(log);
    // Derived state had the text, and is wrong too.
    let found = examine(&home, Some(1));
    let finding = &found["CONTENTS_WRONG"];
    assert_eq!(finding["lost"], "unknown");
    assert!(next_of(finding).contains("restore both"), "{finding}");
    sound(&kept);
}

/// The position of the last event of the stream of an event that has this type.
fn last_of(home: &Home, stream: StreamId) -> u64 {
    *home.positions_of(stream).last().unwrap()
}

#[test]
fn drill_the_journal_is_not_the_history_that_was_recorded() {
    let home = home();
    let first = log(&home).entry(Position::new(10)).unwrap().unwrap();
    let stream = planledger_core::entry::Entry::decode(&first.entry)
        .unwrap()
        .stream;
    let last = last_of(&home, stream);
    home.forge(last, last, |entry, json| {
        // As if there had been events in between.
        entry.revision = entry.revision.next().next();
        json
    });
    let finding = only(&home, "JOURNAL_WRONG");
    assert_eq!(finding["lost"], "unknown");
    assert!(next_of(&finding).contains("restore it"), "{finding}");
}

#[test]
fn drill_the_ledger_has_recorded_other_heads_than_its_journal_has() {
    let home = home();
    let ledger = log(&home).ledger_id();
    let last = last_of(&home, heads_stream(ledger).into());
    home.forge(last, last, |_, json| {
        let mut said: Json = serde_json::from_slice(&json).unwrap();
        said["heads_recorded"]["root"] = "a7".repeat(32).into();
        serde_json::to_vec(&said).unwrap()
    });
    let finding = only(&home, "HEADS_WRONG");
    assert_eq!(finding["lost"], "evidence");
    assert!(next_of(&finding).contains("tell the auditors"), "{finding}");
}

#[test]
fn drill_the_checkpoints_are_another_ledgers() {
    let home = home();
    let path = home.path().join("checkpoints/checkpoints.txt");
    let whole = fs::read(&path).unwrap();
    fs::copy(
        other_home().path().join("checkpoints/checkpoints.txt"),
        &path,
    )
    .unwrap();
    private(home.path());
    let finding = only(&home, "CHECKPOINTS_WRONG");
    assert_eq!(finding["lost"], "evidence");
    assert!(next_of(&finding).contains("restore both"), "{finding}");
    fs::write(&path, whole).unwrap();
    sound(&home);
}

#[test]
fn drill_a_stream_is_forked() {
    let home = home();
    let first = log(&home).entry(Position::new(10)).unwrap().unwrap();
    let stream = planledger_core::entry::Entry::decode(&first.entry)
        .unwrap()
        .stream;
    let positions = home.positions_of(stream);
    home.fork(positions[0], positions[0]);
    home.fork(positions[0], positions[0]);
    let finding = only(&home, "FORKED");
    assert!(next_of(&finding).contains("ledger settle"), "{finding}");
    let dir = home.path().to_str().unwrap();
    let who = "person/0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d";
    let said = ["--reason", "set igennem", "--actor", who, "--all", "--yes"];
    run([&["ledger", "settle", "--dir", dir], &said[..]].concat()).done();
    Serving::start(home.path()).stop();
    doctor(&home, &[]).done();
}

#[test]
fn drill_a_folder_cannot_be_entered() {
    let home = home();
    let json = examined_where(&home, &home.path().join("checkpoints/"), Call::Open, EACCES);
    let finding = of_code(&json, "UNREADABLE");
    assert!(next_of(finding).contains("owner and mode"), "{finding}");
    sound(&home);
}

#[test]
fn drill_what_comes_after_damage_is_not_checked() {
    let home = home();
    let whole = fs::read(segment(&home, 2)).unwrap();
    flip(&segment(&home, 2), 200);
    let found = examine(&home, Some(1));
    let finding = &found["NOT_CHECKED"];
    assert!(next_of(finding).contains("run this again"), "{finding}");
    fs::write(segment(&home, 2), whole).unwrap();
    sound(&home);
}

/// A disk of 64 MiB, if this process may have one: in a namespace of mounts of its own, as root or as one who
/// is root in a namespace of users.
#[test]
#[allow(clippy::print_stderr, reason = "what was not done is said")]
fn drill_the_disk_is_nearly_full() {
    let home = home();
    let disk = Home::new();
    let script =
        r#"mount -t tmpfs -o size=64m none "$1" && cp -a "$2" "$1/ledger" && shift 2 && exec "$@""#;
    let of_users: [&[&str]; 2] = [&["-m"], &["-m", "-U", "-r"]];
    let may = |how: &&[&str]| {
        let mut unshare = Command::new("unshare");
        let mount = "mount -t tmpfs -o size=64m none \"$1\"";
        unshare
            .args(*how)
            .args(["sh", "-c", mount, "sh"])
            .arg(disk.path());
        unshare
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|it| it.success())
    };
    let Some(how) = of_users.into_iter().find(may) else {
        eprintln!("not done: no file system can be mounted here");
        return;
    };
    let mut doctor = Command::new("unshare");
    doctor.args(how).args(["sh", "-c", script, "sh"]);
    doctor
        .arg(disk.path())
        .arg(home.path())
        .arg(program().get_program());
    doctor
        .args(["ledger", "doctor", "--json", "--dir"])
        .arg(disk.path().join("ledger"));
    let output = output(doctor.stdout(Stdio::piped()).stderr(Stdio::piped()));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let json: Json = serde_json::from_slice(&output.stdout).unwrap();
    let finding = of_code(&json, "LITTLE_ROOM");
    assert_eq!(finding["lost"], "nothing");
    assert!(next_of(finding).contains("make room"), "{finding}");
    assert_eq!(json["findings"].as_array().unwrap().len(), 1, "{json:#}");
}
