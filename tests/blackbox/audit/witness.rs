//! `planledger witness`, asked as C2SP `tlog-witness` has it, by a log that tells two stories.

use std::fs;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use planledger_proto::v1::*;
use sha2::{Digest, Sha256};

use super::place::written;
use crate::support::*;

const NAME: &str = "witness.example/1";

/// A server's newest checkpoint after something was recorded.
async fn grown(voice: &Voice) -> Checkpoint {
    let name = new_id();
    voice.execute(register_institution(&new_id(), &name)).await;
    voice.new_checkpoint().await
}

/// That the newest checkpoint grew from one of `old` events.
async fn proof(voice: &Voice, old: u64) -> Vec<String> {
    let request = consistency(old, 0);
    let proof = voice.ask(request).await.unwrap();
    proof
        .hashes
        .iter()
        .map(|hash| BASE64.encode(hash))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_witness_cosigns_growth_and_refuses_the_other_story_even_after_a_restart() {
    let home = Home::new();
    let dir = tempfile::tempdir().unwrap();
    let (server, voice) = home.serve_notarised().await;
    written(&voice, 2).await;
    let key = voice.verifier_key().await;
    let first = voice.new_checkpoint().await;
    drop(voice);
    server.stop();
    let other = home.copied();
    let (server, liar) = (home.start_notarised(), other.start_notarised());
    let (voice, lies) = (server.voice().await, liar.voice().await);
    assert_eq!(lies.verifier_key().await, key, "one key, two stories");
    let second = grown(&voice).await;
    let forked = grown(&lies).await;
    assert_eq!(forked.size, second.size);
    assert_ne!(forked.root, second.root);

    let witness = Watching::start(dir.path(), NAME, &[&key]);
    assert!(witness.key.starts_with("witness.example/1+"));
    witness.assert_cosigned(&witness.ask(0, &[], &first.note), &first);
    let grows = proof(&voice, first.size).await;
    let said = witness.ask(first.size, &grows, &second.note);
    witness.assert_cosigned(&said, &second);
    // The same again is no growth, and nothing else either.
    let said = witness.ask(second.size, &[], &second.note);
    witness.assert_cosigned(&said, &second);

    // The other story, with a proof that it grew from what both have in common.
    let fork_grows = proof(&lies, first.size).await;
    let stands = |size: u64| Said {
        status: 409,
        kind: "text/x.tlog.size".to_owned(),
        body: format!("{size}\n"),
    };
    let said = witness.ask(first.size, &fork_grows, &forked.note);
    assert_eq!(said, stands(second.size));
    let said = witness.ask(second.size, &[], &forked.note);
    assert_eq!(said.status, 409, "{said:?}");
    let forked = grown(&lies).await;
    let fork_grows = proof(&lies, second.size).await;
    let said = witness.ask(second.size, &fork_grows, &forked.note);
    assert_eq!(said.status, 422, "{said:?}");
    assert!(said.body.contains("does not continue"), "{said:?}");
    // Growth without its proof.
    let third = grown(&voice).await;
    let said = witness.ask(second.size, &[], &third.note);
    assert_eq!(said.status, 422, "{said:?}");

    // A witness remembers, whether it was told to stop or not.
    let known = witness.key.clone();
    let log = witness.stop();
    assert!(log.contains("was not cosigned"), "{log}");
    let witness = Watching::start(dir.path(), "another.example", &[&key]);
    assert_eq!(witness.key, known, "the name counts only when it is new");
    assert_eq!(witness.ask(0, &[], &first.note), stands(second.size));
    assert_eq!(
        witness.ask(second.size, &fork_grows, &forked.note).status,
        422
    );
    let grows = proof(&voice, second.size).await;
    let said = witness.ask(second.size, &grows, &third.note);
    witness.assert_cosigned(&said, &third);
    witness.kill();
    let witness = Watching::start(dir.path(), NAME, &[&key]);
    assert_eq!(witness.ask(0, &[], &first.note), stands(third.size));

    // What it knows can be read by anybody, at the hash of the log's name.
    let origin = key.split('+').next().unwrap();
    let hash = Sha256::digest(origin.as_bytes());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let shown = witness.get(&format!("{hash}/checkpoint"));
    assert_eq!(shown.status, 200);
    assert!(shown.body.starts_with(&third.note), "{shown:?}");
    assert!(witness.has_cosigned(&shown.body));
    let unknown = "0".repeat(64);
    assert_eq!(witness.get(&format!("{unknown}/checkpoint")).status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_no_request_or_of_no_log_that_is_watched_is_refused_as_the_protocol_says() {
    let (home, unwatched) = (Home::new(), Home::new());
    let dir = tempfile::tempdir().unwrap();
    let (_server, voice) = home.serve_notarised().await;
    let key = voice.verifier_key().await;
    let checkpoint = grown(&voice).await;
    let witness = Watching::start(dir.path(), NAME, &[&key]);
    let note = &checkpoint.note;

    let other = unwatched.start_notarised();
    let other = grown(&other.voice().await).await;
    let said = witness.ask(0, &[], &other.note);
    assert_eq!(said.status, 404, "{said:?}");

    // Signed by nobody who is known, by another log in this one's name, and not at all.
    let (text, signature) = note.split_once("\n\n").unwrap();
    let by_other = other.note.split_once("\n\n").unwrap().1;
    let at = signature.len() - 10;
    let letter = if &signature[at..=at] == "A" { "B" } else { "A" };
    let forged = format!("{}{letter}{}", &signature[..at], &signature[at + 1..]);
    let size = checkpoint.size;
    let sized = |size: &str| note.replacen(&format!("\n{}\n", checkpoint.size), size, 1);
    let larger = sized(&format!("\n{}\n", size + 1));
    for forgery in [
        format!("{text}\n\n{forged}"),
        format!("{text}\n\n{by_other}"),
        larger,
    ] {
        assert_ne!(&forgery, note);
        let said = witness.ask(0, &[], &forgery);
        assert_eq!(said.status, 403, "{forgery} {said:?}");
    }

    let hash = BASE64.encode([7; 32]);
    let many = format!("{hash}\n").repeat(64);
    for malformed in [
        String::new(),
        note.clone(),
        format!("old 0\n{note}"),
        format!("old\n\n{note}"),
        format!("old 00\n\n{note}"),
        format!("old -1\n\n{note}"),
        format!("old 0\nAAAA\n\n{note}"),
        format!("old 0\n{many}\n{note}"),
        format!("old 0\n\n{text}\n"),
        format!("old 0\n\n{}", sized("\nmany\n")),
        format!("old {}\n\n{note}", size + 1),
    ] {
        let said = witness.post(&malformed);
        assert_eq!(said.status, 400, "{malformed} {said:?}");
    }
    // One byte more than it reads of anybody.
    let mut huge = format!("old 0\n\n{note}");
    huge.push_str(&"-".repeat((256 << 10) + 1 - huge.len()));
    assert_eq!(witness.post(&huge).status, 413);
    assert_eq!(witness.get("add-checkpoint").status, 405);
    assert_eq!(witness.get("").status, 404);
    // A proof from nothing proves nothing.
    let said = witness.ask(0, &[hash], note);
    assert_eq!(said.status, 422, "{said:?}");
    // None of it was taken for the log's.
    witness.assert_cosigned(&witness.ask(0, &[], note), &checkpoint);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_witness_goes_on_with_a_log_whose_key_was_changed_when_it_is_given_the_new_one() {
    let home = Home::new();
    let dir = tempfile::tempdir().unwrap();
    let (server, voice) = home.serve_notarised().await;
    let old = voice.verifier_key().await;
    let before = grown(&voice).await;
    drop(voice);
    server.stop();
    let witness = Watching::start(dir.path(), NAME, &[&old]);
    witness.assert_cosigned(&witness.ask(0, &[], &before.note), &before);
    let path = home.path().to_str().unwrap();
    let rotated = run(["audit", "rotate-key", "--dir", path]).done();
    let new = rotated.stdout.trim();
    let (_server, voice) = home.serve_notarised().await;
    let after = grown(&voice).await;
    let grows = proof(&voice, before.size).await;
    let said = witness.ask(before.size, &grows, &after.note);
    assert_eq!(said.status, 403, "{said:?}");
    witness.stop();
    let witness = Watching::start(dir.path(), NAME, &[&old, new]);
    let said = witness.ask(before.size, &grows, &after.note);
    witness.assert_cosigned(&said, &after);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_witness_starts_only_with_a_name_a_log_a_memory_that_reads_and_alone() {
    let home = Home::new();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("witness");
    let (_server, voice) = home.serve_notarised().await;
    let key = voice.verifier_key().await;
    let checkpoint = grown(&voice).await;
    let started = |more: &[&str]| {
        let path = path.to_str().unwrap();
        let given = ["witness", "--listen", "127.0.0.1:0", "--dir", path];
        run([&given, more].concat())
    };
    for (more, says) in [
        (&["--log-key", &key][..], "--name"),
        (&["--name", NAME], "--log-key"),
        (&["--name", "a+b", "--log-key", &key], "name"),
        (&["--name", NAME, "--log-key", "nonsense"], "--log-key"),
    ] {
        let ran = started(more);
        assert_ne!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
        assert!(!path.join("witness.key").exists(), "{more:?}");
    }

    let witness = Watching::start(&path, NAME, &[&key]);
    witness.assert_cosigned(&witness.ask(0, &[], &checkpoint.note), &checkpoint);
    let second = started(&["--log-key", &key]);
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains("in use by another witness"));
    let again = witness.ask(checkpoint.size, &[], &checkpoint.note);
    witness.assert_cosigned(&again, &checkpoint);
    witness.stop();

    // Without what it remembers it would cosign another history.
    let files = fs::read_dir(&path)
        .unwrap()
        .map(|file| file.unwrap().path());
    let kept = files.filter(|file| file.extension().is_some_and(|it| it == "checkpoint"));
    let [remembered] = &kept.collect::<Vec<_>>()[..] else {
        panic!("one log, one file")
    };
    let sound = fs::read(remembered).unwrap();
    fs::write(remembered, &sound[..sound.len() / 2]).unwrap();
    let damaged = started(&["--log-key", &key]);
    assert_eq!(damaged.code, Some(1), "{damaged:?}");
    let name = remembered.file_name().unwrap().to_str().unwrap();
    assert!(damaged.stderr.contains(name), "{}", damaged.stderr);
    fs::write(remembered, sound).unwrap();
    // The key of a log is none for a witness.
    let log_key = fs::read(home.path().join("keys/checkpoint.key")).unwrap();
    fs::write(path.join("witness.key"), log_key).unwrap();
    let wrong = started(&["--log-key", &key]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(
        wrong.stderr.contains("not of a witness"),
        "{}",
        wrong.stderr
    );
}
