//! `planledger witness`, asked as C2SP `tlog-witness` has it, by a log that tells two stories.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

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

/// The server tells a witness that does not know its key yet, and the witness remembers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_witness_follows_a_log_to_its_next_key_when_the_old_one_has_signed_that() {
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
    let policy = dir.path().join("policy");
    let text = format!(
        "log {new}\nwitness one {} {}\nquorum one\n",
        witness.key, witness.url
    );
    fs::write(&policy, text).unwrap();
    let more = ["--witness-policy", policy.to_str().unwrap()];
    let serving = Serving::start_with(home.path(), &more);
    let voice = serving.voice().await;
    let after = grown(&voice).await;
    assert!(witness.has_cosigned(&after.note), "{}", after.note);
    drop(voice);
    serving.stop();

    // It has not forgotten after a restart, though it is given the old key only.
    witness.kill();
    let witness = Watching::start(dir.path(), NAME, &[&old]);
    let again = witness.ask(after.size, &[], &after.note);
    witness.assert_cosigned(&again, &after);
    // The old key signs nothing any more.
    let said = witness.ask(after.size, &[], &before.note);
    assert_eq!(said.status, 403, "{said:?}");
    // Nobody else can change the key.
    for forged in [String::new(), after.note.clone()] {
        assert_eq!(witness.tell("add-rotation", &forged).status, 400);
    }
    witness.stop();
    // A change of key that the key before has not signed is not believed.
    let kept = of_kind(dir.path(), "rotations");
    let sound = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, sound.replace("from", "form")).unwrap();
    let refused = started(dir.path(), &["--log-key", &old]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("key before"), "{}", refused.stderr);
}

fn started(path: &Path, more: &[&str]) -> Ran {
    let path = path.to_str().unwrap();
    let given = ["witness", "--listen", "127.0.0.1:0", "--dir", path];
    run([&given, more].concat())
}

/// The one file in a folder whose name ends so.
fn of_kind(dir: &Path, extension: &str) -> PathBuf {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let kept = files.filter(|file| file.extension().is_some_and(|it| it == extension));
    match &kept.collect::<Vec<_>>()[..] {
        [file] => file.clone(),
        other => panic!("one log, one file: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_that_was_put_back_is_noticed_by_its_copy_or_by_what_the_log_shows() {
    let home = Home::new();
    let place = tempfile::tempdir().unwrap();
    let (dir, copy) = (place.path().join("own"), place.path().join("copy"));
    let (_server, voice) = home.serve_notarised().await;
    let key = voice.verifier_key().await;
    let first = grown(&voice).await;
    let both = ["--copy", copy.to_str().unwrap(), "--log-key", &key];
    let witness = Watching::start_with(&dir, NAME, &both);
    witness.assert_cosigned(&witness.ask(0, &[], &first.note), &first);
    let kept = of_kind(&dir, "checkpoint");
    let older = fs::read(&kept).unwrap();
    let second = grown(&voice).await;
    let grows = proof(&voice, first.size).await;
    let said = witness.ask(first.size, &grows, &second.note);
    witness.assert_cosigned(&said, &second);
    let shown = format!("{}{}", second.note, said.body);
    let stands = format!("{}\n", second.size);
    witness.kill();

    // The copy is newer.
    fs::write(&kept, &older).unwrap();
    let witness = Watching::start_with(&dir, NAME, &both);
    assert_eq!(witness.ask(0, &[], &first.note).body, stands);
    let log = witness.stop();
    let says = format!("size {}, and one of size", first.size);
    assert!(
        log.contains("older than it should be") && log.contains(&says),
        "{log}"
    );
    assert_eq!(fs::read(&kept).unwrap(), shown.as_bytes(), "healed");

    // The log shows a newer one. It cannot show one that this witness has not cosigned.
    let policy = place.path().join("policy");
    for (note, stands, noticed) in [
        (&second.note, first.size, false),
        (&shown, second.size, true),
    ] {
        fs::write(&kept, &older).unwrap();
        let url = publishing(note.clone());
        fs::write(&policy, format!("log {key} {url}\nquorum none\n")).unwrap();
        let given = ["--policy", policy.to_str().unwrap()];
        let witness = Watching::start_with(&dir, NAME, &given);
        let stands = format!("{stands}\n");
        assert_eq!(witness.ask(0, &[], &first.note).body, stands);
        let log = witness.stop();
        assert_eq!(log.contains("older than it should be"), noticed, "{log}");
    }

    // What this witness has not signed, somebody else wrote.
    fs::write(&kept, &second.note).unwrap();
    let refused = started(&dir, &["--log-key", &key]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("has not signed"),
        "{}",
        refused.stderr
    );
}

/// Serves a note to whoever asks, once.
fn publishing(note: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 1024];
        let count = stream.read(&mut asked).unwrap();
        assert!(asked[..count].starts_with(b"GET /checkpoint "));
        let length = note.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all((head + &note).as_bytes()).unwrap();
    });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_witness_starts_only_with_a_name_a_log_a_memory_that_reads_and_alone() {
    let home = Home::new();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("witness");
    let (_server, voice) = home.serve_notarised().await;
    let key = voice.verifier_key().await;
    let checkpoint = grown(&voice).await;
    let started = |more: &[&str]| started(&path, more);
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
    let remembered = of_kind(&path, "checkpoint");
    let sound = fs::read(&remembered).unwrap();
    fs::write(&remembered, &sound[..sound.len() / 2]).unwrap();
    let damaged = started(&["--log-key", &key]);
    assert_eq!(damaged.code, Some(1), "{damaged:?}");
    let name = remembered.file_name().unwrap().to_str().unwrap();
    assert!(damaged.stderr.contains(name), "{}", damaged.stderr);
    fs::write(&remembered, sound).unwrap();
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
