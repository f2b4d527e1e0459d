//! Backups of a server that is at work, and what comes of them, by the program alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use planledger_proto::v1::*;
use tempfile::TempDir;

use crate::support::*;

/// Folders for the backups of a ledger: those with data, those with keys, and new directories.
struct Places {
    dir: TempDir,
}

impl Places {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    fn at(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn create(&self, home: &Home) -> serde_json::Value {
        let (data, keys) = (self.at("data"), self.at("keys"));
        let dir = home.path().to_str().unwrap();
        let words = ["backup", "create", &data, "--keys-to", &keys, "--dir", dir];
        let more = ["--with-signing-key", "--json"];
        run(words.iter().chain(&more)).done().json()
    }

    /// Puts the newest backup back into a new directory, in one command.
    fn restore(&self, home: &Home, name: &str, more: &[&str]) -> (PathBuf, serde_json::Value) {
        let (data, keys, new) = (self.at("data"), self.at("keys"), self.at(name));
        let master = master(home);
        let mut words = vec!["restore", &data, "--keys-from", &keys, "--dir", &new];
        words.extend([
            "--master-key-file",
            &master,
            "--reason",
            "Disken gik i stykker",
        ]);
        words.extend([
            "--actor",
            "person/35353535-3535-4535-8535-353535353535",
            "--json",
        ]);
        words.extend(more);
        let said = run(words).done().json();
        (PathBuf::from(new), said)
    }
}

fn master(home: &Home) -> String {
    let path = home.path().join("keys/master.key");
    path.to_str().unwrap().to_owned()
}

fn serve(dir: &Path, master: &str) -> Serving {
    Serving::start_with(dir, &["--master-key-file", master])
}

fn is_sound(dir: &Path, master: &str) {
    let dir = dir.to_str().unwrap();
    run([
        "ledger",
        "verify",
        "--dir",
        dir,
        "--master-key-file",
        master,
    ])
    .done();
}

/// Writes statuses of plans until it is told to stop; gives each command with its receipt.
async fn load(voice: Voice, plan: String, stop: Arc<AtomicBool>) -> Vec<(Command, Receipt)> {
    let mut done = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let commands: Vec<_> = (0..8)
            .map(|_| write_status(&plan, &format!("Læser {}", new_id())))
            .collect();
        let receipts = voice.all(commands.clone()).await;
        done.extend(commands.into_iter().zip(receipts));
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_put_back_and_gives_the_receipts_of_then() {
    let home = Home::new();
    let serving = Serving::start_with(home.path(), &["--checkpoint-seconds", "1"]);
    let actor = format!("system/{}", new_id());
    let voice = serving.voice().await.actor(&actor);
    let (school, course) = School::with_course(&voice).await;
    let plan = school.plan(&voice, &course).await;
    let first = voice.execute(write_status(&plan, "Før")).await;
    let places = Places::new();
    let stop = Arc::new(AtomicBool::new(false));
    let loads: Vec<_> = (0..3)
        .map(|_| tokio::spawn(load(voice.clone(), plan.clone(), stop.clone())))
        .collect();
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(places.create(&home));
    }
    stop.store(true, Ordering::Relaxed);
    let mut done = Vec::new();
    for load in loads {
        done.extend(load.await.unwrap());
    }
    let all = voice.all_events().await;
    drop(voice);
    serving.stop();

    let positions: Vec<_> = made
        .iter()
        .map(|it| it["position"].as_u64().unwrap())
        .collect();
    assert!(positions.is_sorted() && positions[0] >= first.position);
    let data = places.at("data");
    for number in ["1", "2", "3"] {
        let checked = run(["backup", "verify", &data, "--backup", number, "--json"])
            .done()
            .json();
        assert_eq!(
            checked["root"],
            made[number.parse::<usize>().unwrap() - 1]["root"]
        );
    }
    let listed = run(["backup", "list", &data, "--json"]).done().json();
    assert_eq!(listed["backups"].as_array().unwrap().len(), 3);

    let lost = home.path().to_str().unwrap();
    let (new, said) = places.restore(&home, "new", &["--lost", lost]);
    let end = positions[2];
    assert_eq!(said["position"], end);
    assert_eq!(said["lostWasWhole"], true);
    is_sound(&new, &master(&home));
    let serving = serve(&new, &master(&home));
    let voice = serving.voice().await.actor(&actor);
    let there = voice.all_events().await;
    assert_eq!(there[..end as usize], all[..end as usize]);
    assert_eq!(there[end as usize].r#type, "ledger.restored");
    let after: BTreeSet<_> = all[end as usize..]
        .iter()
        .filter(|event| event.r#type == "plan.status_written")
        .map(|event| &event.command_id)
        .collect();
    assert!(said["lostCommands"].as_u64().unwrap() as usize >= after.len());
    let (mut kept, mut refused) = (0, 0);
    for (command, receipt) in done.iter().rev().take(400).chain(done.iter().take(100)) {
        let again = voice.try_execute(command.clone()).await;
        match receipt.position <= end {
            true => {
                let mut receipt = receipt.clone();
                receipt.replayed = true;
                assert_eq!(again.unwrap(), receipt);
                kept += 1;
            }
            false => {
                let error = again.unwrap_err();
                assert_eq!(error.reason, "COMMAND_LOST_IN_RESTORE");
                refused += 1;
            }
        }
    }
    assert!(kept > 0, "no command was before the end of the backup");
    let status = voice.ask(GetStatusRequest::default()).await.unwrap();
    let [restore] = status.restores.as_slice() else {
        panic!("{:?}", status.restores);
    };
    assert_eq!(
        (restore.position, restore.lost_commands),
        (end, said["lostCommands"].as_u64().unwrap())
    );
    assert_eq!(restore.reached, said["reached"].as_u64().unwrap());
    assert!(restore.reached >= end && (refused == 0 || restore.reached > end));
    drop(voice);
    let log = serving.stop();
    assert!(
        log.contains("an older state of the ledger was put back"),
        "{log}"
    );
}

#[tokio::test]
async fn a_ledger_is_put_back_to_an_instant_in_one_command() {
    let home = Home::new();
    let serving = Serving::start_with(home.path(), &["--checkpoint-seconds", "1"]);
    let voice = serving.voice().await;
    let (school, course) = School::with_course(&voice).await;
    let plan = school.plan(&voice, &course).await;
    // From the first checkpoint on the key is on record that signs those of the access log too.
    let is_signed = |event: &Event| event.r#type == "ledger.heads_recorded";
    while !voice.all_events().await.iter().any(is_signed) {}
    let wanted = voice.execute(write_status(&plan, "Læser flydende")).await;
    let wrong = write_status(&plan, "En fejl");
    voice.execute(wrong.clone()).await;
    let event = voice
        .all_events()
        .await
        .swap_remove(wanted.position as usize - 1);
    let at = event.recorded_at.unwrap().to_string();
    drop(voice);
    serving.stop();
    let places = Places::new();
    places.create(&home);
    let (new, said) = places.restore(&home, "new", &["--to", &at]);
    assert_eq!(said["position"], wanted.position);
    is_sound(&new, &master(&home));
    let serving = serve(&new, &master(&home));
    let voice = serving.voice().await;
    let view = voice.plan(&plan, Viewer::Staff).await;
    assert_eq!(view.status.unwrap().text, "Læser flydende");
    let refused = voice.try_execute(wrong).await.unwrap_err();
    assert_eq!(refused.reason, "COMMAND_LOST_IN_RESTORE");
    drop(voice);
    serving.stop();
    // A second time into the same directory: it is another ledger's by now.
    let (data, keys, new) = (places.at("data"), places.at("keys"), places.at("new"));
    let master = master(&home);
    let again = run([
        "restore",
        &data,
        "--keys-from",
        &keys,
        "--dir",
        &new,
        "--master-key-file",
        &master,
        "--reason",
        "Igen",
        "--actor",
        "person/35353535-3535-4535-8535-353535353535",
    ]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("new directory"), "{}", again.stderr);
}

/// What a stream makes is a folder with the same backup, once it is unpacked.
#[tokio::test]
async fn a_backup_on_standard_output_is_unpacked_with_tar_and_checked() {
    let home = Home::new();
    let serving = Serving::start_with(home.path(), &["--checkpoint-seconds", "1"]);
    let voice = serving.voice().await;
    voice
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    let places = Places::new();
    let (data, keys) = (places.at("data"), places.at("keys"));
    let mut command = program();
    command
        .args(["backup", "create", "-", "--keys-to", &keys, "--dir"])
        .arg(home.path());
    let made = output(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    drop(voice);
    serving.stop();
    std::fs::create_dir(&data).unwrap();
    let tar = places.at("backup.tar");
    std::fs::write(&tar, &made.stdout).unwrap();
    let unpacked = output(std::process::Command::new("tar").args(["-xf", &tar, "-C", &data]));
    assert!(unpacked.status.success());
    let checked = run(["backup", "verify", &data, "--keys-from", &keys, "--json"]);
    assert_eq!(checked.done().json()["keysChecked"], true);
}
