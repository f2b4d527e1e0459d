//! A server whose checkpoints two witnesses cosign, and auditors who ask for both.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use planledger_proto::v1::*;
use tempfile::TempDir;

use super::place::{Files, key_of, written};
use crate::support::*;

/// A ledger, its key, and two witnesses of it.
struct Watched {
    home: Home,
    files: TempDir,
    key: String,
    plan_id: String,
}

impl Watched {
    async fn new() -> Self {
        let home = Home::new();
        let server = Serving::start(home.path());
        let (_, plan_id) = written(&server.voice().await, 2).await;
        let key = key_of(&server.url);
        server.stop();
        Self {
            home,
            files: tempfile::tempdir().unwrap(),
            key,
            plan_id,
        }
    }

    fn witness(&self, name: &str) -> Watching {
        let dir = self.files.path().join(name);
        Watching::start(&dir, &format!("{name}.example"), &[&self.key])
    }

    /// A policy that asks for as many of the witnesses as it says.
    fn policy(&self, name: &str, threshold: &str, witnesses: [(&str, &str); 2]) -> PathBuf {
        let [one, two] = witnesses;
        let path = self.files.path().join(name);
        let text = format!(
            "log {}\n# whom we believe\nwitness one {} {}\nwitness two {} {}\n\
             group council {threshold} one two\nquorum council\n",
            self.key, one.0, one.1, two.0, two.1
        );
        fs::write(&path, text).unwrap();
        path
    }

    fn serve(&self, policy: &Path) -> Serving {
        let policy = policy.to_str().unwrap();
        let more = ["--witness-policy", policy, "--checkpoint-seconds", "1"];
        Serving::start_with(self.home.path(), &more)
    }
}

/// Waits until witnesses have cosigned the newest checkpoint, of more than `after` events.
async fn cosigned(voice: &Voice, by: &[&Watching], after: u64) -> Checkpoint {
    let begun = Instant::now();
    loop {
        let newest = voice.ask(GetCheckpointRequest::default()).await;
        let newest = newest.map(|newest| newest.checkpoint.unwrap());
        match &newest {
            Ok(newest)
                if newest.size > after && by.iter().all(|one| one.has_cosigned(&newest.note)) =>
            {
                return newest.clone();
            }
            // The first is not made yet.
            Err(refused) => assert_eq!(refused.reason, "CHECKPOINT_NOT_FOUND"),
            Ok(_) => {}
        }
        assert!(begun.elapsed() < PATIENCE, "{newest:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn both_witnesses_cosign_and_whoever_asks_for_both_is_shown_that_they_did() {
    let watched = Watched::new().await;
    let (one, two) = (watched.witness("one"), watched.witness("two"));
    let keys = [(&one.key[..], &one.url[..]), (&two.key, &two.url)];
    let policy = watched.policy("policy", "all", keys);
    let server = watched.serve(&policy);
    let voice = server.voice().await;
    // One that is asked for is cosigned before it is given.
    let asked_for = voice.new_checkpoint().await;
    assert!(one.has_cosigned(&asked_for.note) && two.has_cosigned(&asked_for.note));
    // So is one that a bundle is made of, though it was made for it.
    let files = Files::new();
    for n in 0..3 {
        let written = write_status(&watched.plan_id, &format!("Gang {n}"));
        voice.execute(written).await;
        let name = format!("bundle{n}");
        files
            .export(&server.url, &name, &["--plan", &watched.plan_id])
            .done();
        let verified = files.verify(&name, &["--policy", policy.to_str().unwrap()]);
        let verified = verified.done();
        for name in ["one", "two"] {
            let says = format!("witness {name} saw the same log");
            assert!(verified.stdout.contains(&says), "{}", verified.stdout);
        }
        let fork = "a different log to others";
        assert!(!verified.stdout.contains(fork), "{}", verified.stdout);
    }
    let json = ["--policy", policy.to_str().unwrap(), "--json"];
    let json = files.verify("bundle2", &json).done().json();
    assert_eq!(json["witnesses"], serde_json::json!(["one", "two"]));
    // Other software finds the cosignatures in the published checkpoint too.
    let published = fs::read_to_string(watched.home.path().join("tlog/checkpoint")).unwrap();
    assert!(one.has_cosigned(&published) && two.has_cosigned(&published));
    let newest = voice.ask(GetCheckpointRequest::default()).await.unwrap();
    assert_eq!(newest.checkpoint.unwrap().note, published);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_witness_that_is_away_stops_nothing_and_is_asked_again_when_it_is_back() {
    let watched = Watched::new().await;
    let (one, two) = (watched.witness("one"), watched.witness("two"));
    let keys = [
        (one.key.clone(), one.url.clone()),
        (two.key.clone(), two.url.clone()),
    ];
    let keys = keys.each_ref().map(|(key, url)| (&key[..], &url[..]));
    let all = watched.policy("all", "all", keys);
    let any = watched.policy("any", "any", keys);
    two.stop();
    let server = watched.serve(&all);
    let voice = server.voice().await;
    let files = Files::new();
    let write = write_status(&watched.plan_id, "Uden den anden");
    voice.execute(write).await;
    files
        .export(&server.url, "half", &["--plan", &watched.plan_id])
        .done();
    let (all, any) = (all.to_str().unwrap(), any.to_str().unwrap());
    let refused = files.verify("half", &["--policy", all]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let says = "QUORUM: only one cosigned the checkpoint; the quorum of the policy requires more";
    assert!(refused.stderr.contains(says), "{}", refused.stderr);
    assert_eq!(refused.stdout, "");
    let json = files.verify("half", &["--policy", all, "--json"]);
    assert_eq!(json.code, Some(1), "{json:?}");
    assert_eq!(json.json()["kind"], "QUORUM");
    let enough = files.verify("half", &["--policy", any]).done();
    assert!(
        enough.stdout.contains("witness one saw"),
        "{}",
        enough.stdout
    );

    // It is back elsewhere, with what it knew: the server is told where, and has it cosign what is
    // there without anything new being recorded.
    let log = server.stop();
    assert!(log.contains("a witness did not cosign"), "{log}");
    let two = watched.witness("two");
    assert_eq!(two.key, keys[1].0);
    let policy = watched.policy("moved", "all", [keys[0], (&two.key, &two.url)]);
    let server = watched.serve(&policy);
    let voice = server.voice().await;
    let position = voice.position().await;
    let newest = cosigned(&voice, &[&one, &two], 0).await;
    assert_eq!(newest.size, position);
    files
        .export(&server.url, "whole", &["--plan", &watched.plan_id])
        .done();
    files.verify("whole", &["--policy", all]).done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn witnesses_cosign_by_the_clock_and_not_what_another_log_shows_in_the_same_name() {
    let watched = Watched::new().await;
    let (one, two) = (watched.witness("one"), watched.witness("two"));
    let keys = [(&one.key[..], &one.url[..]), (&two.key, &two.url)];
    let policy = watched.policy("policy", "all", keys);
    let server = watched.serve(&policy);
    let voice = server.voice().await;
    cosigned(&voice, &[&one, &two], 0).await;
    let receipt = voice.execute(write_status(&watched.plan_id, "Mere")).await;
    cosigned(&voice, &[&one, &two], receipt.position).await;
    server.stop();

    // The ledger is lost, and begun again under its old key and name: a second history.
    let lost = Home::new();
    fs::create_dir(lost.path().join("keys")).unwrap();
    let key = "keys/checkpoint.key";
    fs::copy(watched.home.path().join(key), lost.path().join(key)).unwrap();
    let more = ["--witness-policy", policy.to_str().unwrap()];
    let server = Serving::start_with(lost.path(), &more);
    assert_eq!(key_of(&server.url), watched.key);
    let voice = server.voice().await;
    let (_, plan_id) = written(&voice, 30).await;
    let files = Files::new();
    files
        .export(&server.url, "second", &["--plan", &plan_id])
        .done();
    let refused = files.verify("second", &more_policy(&policy));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let says = "QUORUM: no witness of the policy has cosigned";
    assert!(refused.stderr.contains(says), "{}", refused.stderr);
    // Who asks no witness cannot know.
    let believed = files.verify("second", &["--key", &watched.key]).done();
    assert!(believed.stdout.contains("a different log to others"));
    let log = server.stop();
    assert!(log.contains("a witness did not cosign"), "{log}");
}

fn more_policy(policy: &Path) -> [&str; 2] {
    ["--policy", policy.to_str().unwrap()]
}
