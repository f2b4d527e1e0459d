//! `planledger monitor`: of a real ledger, and of logs whose owner lies and has the key.

use std::fs;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use planledger_core::ids::Position;
use planledger_core::time::Timestamp;
use planledger_core::tlog::{Algorithm, Signer, VerifierKey};
use planledger_fixtures::made_log::plan;
use planledger_fixtures::publishing::{Publishing, Served};
use sha2::{Digest, Sha256};

use super::made::{NAME, ORIGIN, Place, copy, more, of_kind, sound};
use super::place::{Files, key_of, written};
use crate::support::*;

/// Where a log answers for a monitor: the hash of its name.
fn page(origin: &str) -> String {
    let hash = Sha256::digest(origin.as_bytes());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hash}/checkpoint")
}

#[test]
fn a_sound_log_is_followed_from_any_place_and_cosigned() {
    let place = Place::new(sound(700));
    let ran = place.once("m").done();
    assert!(
        ran.stderr.contains("followed 701 entries of 18 streams"),
        "{}",
        ran.stderr
    );
    let key: VerifierKey = ran.stdout.trim().parse().unwrap();
    for events in [1, 40, 300, 2_000] {
        let signed = place.grow(|log| more(log, events));
        place.once("m").done();
        let cosigned = place.cosigned("m").unwrap();
        assert_eq!(cosigned.checkpoint, signed.checkpoint);
        cosigned.note.verify([&key]).unwrap();
    }
    // One that begins now comes to the same.
    place.once("other").done();
    assert_eq!(
        place.cosigned("other").unwrap().checkpoint,
        place.cosigned("m").unwrap().checkpoint
    );
    // So does one that has lost what it computed, or whose file somebody changed.
    let state = of_kind(&place.path("m"), ".state").unwrap();
    let mut bytes = fs::read(&state).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&state, bytes).unwrap();
    place.grow(|log| more(log, 3));
    let ran = place.once("m").done();
    assert!(
        ran.stderr.contains("from its first entry again"),
        "{}",
        ran.stderr
    );
}

/// Two second events of one plan. One record of heads has the first, the next one the second.
#[test]
fn a_fork_inside_the_log_is_found() {
    let mut log = sound(40);
    let head = log.end(plan(3)).unwrap();
    log.event(plan(3));
    log.checkpoint();
    let place = Place::new(log);
    place.once("early").done();
    let at = place.grow(|log| {
        // It goes on from where the other went on from.
        let honest = log.end(plan(3)).unwrap();
        log.end_at(head);
        log.event(plan(3));
        assert_eq!(log.end(plan(3)).unwrap().revision, honest.revision);
        log.checkpoint();
    });
    let position = at.checkpoint.size - 1;
    for name in ["early", "late"] {
        let evidence = place.assert_accused(name, "REVISION", position);
        assert!(
            evidence["entry"]["path"]
                .as_array()
                .is_some_and(|path| !path.is_empty())
        );
    }
}

/// A record of heads ends a plan one event early, or a later record mends it.
#[test]
fn heads_that_lie_are_found_at_once_and_when_they_were_healed_since() {
    let mut log = sound(40);
    let short = log.end(plan(5)).unwrap();
    log.event(plan(5));
    let honest = log.end(plan(5)).unwrap();
    log.end_at(short);
    let lie = log.heads_root();
    log.end_at(honest);
    log.record(Position::new(log.size()), lie);
    let position = log.size();
    let place = Place::new(log);
    place.assert_accused("once", "HEAD", position);
    place.grow(|log| more(log, 30));
    let evidence = place.assert_accused("healed", "HEAD", position);
    assert!(evidence["entry"]["opens"].is_object());
}

#[test]
fn back_dated_events_broken_links_and_checkpoints_without_heads_are_found() {
    let mut log = sound(40);
    let mut entry = log.next(plan(2));
    entry.recorded_at = Timestamp::from_nanos(entry.recorded_at.nanos() - 1_000_000);
    log.push(&entry);
    let position = log.size();
    log.checkpoint();
    Place::new(log).assert_accused("m", "TIME", position);

    let mut log = sound(40);
    let mut entry = log.next(plan(2));
    entry.previous_link[0] ^= 1;
    log.push(&entry);
    let position = log.size();
    log.checkpoint();
    Place::new(log).assert_accused("m", "LINK", position);

    let mut log = sound(40);
    let position = log.event(plan(2));
    Place::new(log).assert_accused("m", "HEAD", position.get());
}

/// Each monitor is shown one view, and sees nothing wrong. Their checkpoints contradict each other, and so
/// does the other view to each of them.
#[test]
fn two_views_that_were_split_between_two_monitors_contradict_each_other() {
    let view = |odd: u64| {
        let mut log = sound(300);
        log.event(plan(odd));
        more(&mut log, 30);
        log
    };
    let (one, two) = (Place::new(view(1)), Place::new(view(2)));
    one.once("m").done();
    two.once("m").done();
    let [a, b] = [&one, &two].map(|place| place.cosigned("m").unwrap());
    assert_eq!(a.checkpoint.size, b.checkpoint.size);
    assert_ne!(a.checkpoint.root, b.checkpoint.root);
    let key = one.log.lock().unwrap().0.verifier();
    a.verify([&key]).unwrap();
    b.verify([&key]).unwrap();
    // The first monitor is shown the other view, of the same size and a longer one.
    let size = a.checkpoint.size;
    for (name, grows, kind) in [("same", 0, "CHECKPOINT"), ("longer", 50, "GROWTH")] {
        copy(&one.path("m"), &two.path(name));
        if grows > 0 {
            two.grow(|log| more(log, grows));
        }
        let evidence = two.assert_accused(name, kind, size);
        assert_eq!(evidence["earlier"], a.note.to_string());
    }
}

#[test]
fn a_monitor_that_was_put_back_is_noticed_by_its_copy_or_by_what_the_log_shows() {
    let place = Place::new(sound(100));
    let copied = place.path("copy");
    let with_copy = ["--copy", copied.to_str().unwrap()];
    place.once_with("m", &with_copy).done();
    copy(&place.path("m"), &place.path("older"));
    let first = place.cosigned("m").unwrap();
    place.grow(|log| more(log, 50));
    place.once_with("m", &with_copy).done();
    let newest = place.cosigned("m").unwrap();
    let says = format!(
        "size {}, and one of size {} was cosigned",
        first.checkpoint.size, newest.checkpoint.size
    );
    // By its copy.
    copy(&place.path("older"), &place.path("m"));
    let ran = place.once_with("m", &with_copy).done();
    assert!(ran.stderr.contains(&says), "{}", ran.stderr);
    assert_eq!(place.cosigned("m").unwrap(), newest);
    // By the checkpoint that the log publishes with the monitor's cosignature, and by no other.
    copy(&place.path("older"), &place.path("alone"));
    place.log.lock().unwrap().1 = newest.note.to_string();
    let ran = place.once("alone").done();
    assert!(ran.stderr.contains(&says), "{}", ran.stderr);
    // Put back, it is not taken in by another history either.
    let mut other = sound(100);
    other.event(plan(3));
    more(&mut other, 80);
    let elsewhere = Place::new(other);
    copy(&place.path("alone"), &elsewhere.path("m"));
    for name in [".state", ".checkpoint"] {
        let older = of_kind(&place.path("older"), name).unwrap();
        if name == ".state" {
            fs::copy(&older, elsewhere.path("m").join(older.file_name().unwrap())).unwrap();
        }
    }
    let size = newest.checkpoint.size;
    elsewhere.assert_accused("m", "GROWTH", size);
}

#[test]
fn a_log_is_followed_to_the_next_key_when_the_one_before_has_signed_that() {
    let place = Place::new(sound(30));
    place.once("m").done();
    place.grow(|log| {
        log.rotate();
        more(log, 20);
    });
    place.once("m").done();
    place.grow(|log| {
        log.rotate();
        more(log, 20);
    });
    // Also who was not there for the first change.
    place.once("m").done();
    place.once("late").done();
    // The old key signs nothing any more, and nobody else can hand over.
    let stranger = Signer::new(ORIGIN, Algorithm::Ed25519, [0x77; 32]).unwrap();
    place.grow(|log| {
        more(log, 5);
        log.rotations.clear();
        log.signer = stranger;
    });
    let stderr = place.assert_waits("m");
    assert!(stderr.contains("cannot be believed"), "{stderr}");
}

/// A network that fails again and again, and a monitor that is started again each time it gave up.
#[test]
fn a_network_that_fails_and_restarts_in_the_middle_lose_nothing() {
    let asked = AtomicUsize::new(0);
    let place = Place::serving(sound(9_000), move |_, served| {
        let count = asked.fetch_add(1, Ordering::Relaxed);
        match (count % 5, served) {
            (2, Served::File(bytes)) => Served::Cut(bytes),
            (4, _) => Served::Missing,
            (_, served) => served,
        }
    });
    let mut tries = 0;
    while place.once("m").code != Some(0) {
        tries += 1;
        assert!(tries < 200);
        assert_eq!(place.evidence("m"), None);
    }
    let signed = place.log.lock().unwrap().0.signed();
    assert_eq!(place.cosigned("m").unwrap().checkpoint, signed.checkpoint);
}

/// Killed after any request, it goes on from what it has stored, and a checkpoint that it cosigned before
/// still binds the log.
#[test]
fn a_monitor_that_is_killed_in_the_middle_goes_on_and_forgets_no_promise() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let place = Place::serving(sound(1_000), move |_, served| {
        counted.fetch_add(1, Ordering::SeqCst);
        served
    });
    let mut published = Vec::new();
    let mut killed = 0;
    for requests in (0..40).step_by(3) {
        published.push(place.grow(|log| more(log, 2_000)).checkpoint);
        asked.store(0, Ordering::SeqCst);
        let mut following = start(program().args(place.following("m")).stderr(Stdio::null()));
        while asked.load(Ordering::SeqCst) <= requests && following.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        killed += usize::from(following.try_wait().unwrap().is_none());
        following.kill().unwrap();
        following.wait().unwrap();
        assert_eq!(place.evidence("m"), None);
        if let Some(cosigned) = place.cosigned("m") {
            assert!(published.contains(&cosigned.checkpoint), "{requests}");
        }
    }
    assert!(killed > 4, "{killed}");
    place.once("m").done();
    let cosigned = place.cosigned("m").unwrap().checkpoint;
    assert_eq!(Some(&cosigned), published.last());
    // The same folder is shown another history of the same length, after one more kill.
    let elsewhere = Place::new(sound(30_000));
    copy(&place.path("m"), &elsewhere.path("m"));
    let mut following = start(
        program()
            .args(elsewhere.following("m"))
            .stderr(Stdio::null()),
    );
    following.kill().unwrap();
    following.wait().unwrap();
    elsewhere.assert_accused("m", "GROWTH", cosigned.size);
}

/// Who stands between a log and a monitor can keep it from cosigning, and cannot make it accuse the log.
#[test]
fn what_was_changed_on_the_way_accuses_nobody() {
    let changing = Arc::new(Mutex::new(""));
    let what = Arc::clone(&changing);
    let place = Place::serving(sound(600), move |path, served| {
        let what = *what.lock().unwrap();
        match served {
            Served::File(mut bytes) if !what.is_empty() && path.starts_with(what) => {
                let at = bytes.len() / 2;
                bytes[at] ^= 1;
                Served::File(bytes)
            }
            served => served,
        }
    });
    for what in ["tile/entries/", "tile/entries/002", "heads/", "checkpoint"] {
        *changing.lock().unwrap() = what;
        place.assert_waits("m");
        assert!(place.cosigned("m").is_none());
    }
    *changing.lock().unwrap() = "";
    place.once("m").done();
    place.grow(|log| more(log, 600));
    *changing.lock().unwrap() = "tile/entries/";
    place.assert_waits("m");
    *changing.lock().unwrap() = "";
    place.once("m").done();
}

#[test]
fn what_opens_the_records_of_heads_must_be_published() {
    let mut log = sound(20);
    let disclosed = log.disclosed.clone();
    log.disclosed.clear();
    let place = Place::new(log);
    let stderr = place.assert_waits("m");
    assert!(stderr.contains("heads/000"), "{stderr}");
    place.grow(|log| log.disclosed = disclosed);
    place.once("m").done();
}

/// A monitor of a real server, which shows its cosignature in bundles.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_asks_its_monitors_and_bundles_say_who_computed_it_again() {
    let home = Home::new();
    let server = Serving::start(home.path());
    let (_, plan_id) = written(&server.voice().await, 2).await;
    let key = key_of(&server.url);
    server.stop();
    let tlog = home.path().join("tlog");
    let publishing = Publishing::start(move |path| fs::read(tlog.join(path)).ok().into());
    let files = Files::new();
    files.write(
        "follow",
        &format!("log {key} {}\nquorum none\n", publishing.url()),
    );
    let dir = tempfile::tempdir().unwrap();
    let policy = files.path("follow");
    let monitor = Watching::monitor(dir.path(), NAME, &["--policy", &policy]);
    let line = |count: &str| {
        format!(
            "log {key}\nmonitor m {} {}\nmonitors {count}\nquorum none\n",
            monitor.key, monitor.url
        )
    };
    files.write("policy", &line("any"));
    let policy = files.path("policy");
    let server = Serving::start_with(home.path(), &["--witness-policy", &policy]);
    let voice = server.voice().await;
    let mut slowest = Duration::ZERO;
    for n in 0..3 {
        voice
            .execute(write_status(&plan_id, &format!("Gang {n}")))
            .await;
        let begun = Instant::now();
        let made = voice.new_checkpoint().await;
        slowest = slowest.max(begun.elapsed());
        assert!(monitor.has_cosigned(&made.note), "{}", made.note);
        let origin = key.split('+').next().unwrap();
        let shown = monitor.get(&format!("{}/{}", page(origin), made.size));
        assert_eq!(shown.status, 200, "{shown:?}");
    }
    eprintln!("from asking for a checkpoint to having it cosigned: {slowest:?} at most");
    files
        .export(&server.url, "bundle", &["--plan", &plan_id])
        .done();
    let ran = files.verify("bundle", &["--policy", &policy]).done();
    let says = "as recomputed by monitor m on ";
    assert!(ran.stdout.contains(says), "{}", ran.stdout);
    // Who believes another monitor is told that it has not cosigned.
    let other = tempfile::tempdir().unwrap();
    let follow = files.path("follow");
    let other = Watching::monitor(other.path(), "other.example", &["--policy", &follow]);
    files.write("others", &line("any").replace(&monitor.key, &other.key));
    let ran = files.verify("bundle", &["--policy", &files.path("others")]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stdout.contains("QUORUM") || ran.stderr.contains("QUORUM"),
        "{ran:?}"
    );
    drop(voice);
    server.stop();
    monitor.stop();
    // The ledger knows every file that it publishes.
    let path = home.path().to_str().unwrap();
    run(["ledger", "verify", "--dir", path]).done();
    let heads = home.path().join("tlog/heads/000");
    let text = fs::read_to_string(&heads).unwrap();
    for changed in [
        text.replacen("\"key\":\"", "\"key\":\"A", 1),
        text.lines().next().unwrap().to_owned() + "\n",
    ] {
        fs::write(&heads, changed).unwrap();
        let ran = run(["ledger", "verify", "--dir", path]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stdout.contains("heads/000"), "{}", ran.stdout);
    }
    // A start mends them.
    Serving::start(home.path()).stop();
    assert_eq!(fs::read_to_string(&heads).unwrap(), text);
    run(["ledger", "verify", "--dir", path]).done();
}
