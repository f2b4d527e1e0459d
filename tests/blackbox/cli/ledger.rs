//! `planledger ledger`.

use std::fs;
use std::path::Path;

use planledger_proto::v1::*;

use crate::support::*;

/// Has a server work a little; gives the plan that was made, and where the ledger is.
async fn worked(home: &Home) -> (String, u64) {
    let (_server, voice) = home.serve().await;
    let (_, _, plan_id) = School::with_plan(&voice).await;
    for n in 0..10 {
        voice
            .execute(write_status(&plan_id, &format!("Gang {n}")))
            .await;
    }
    (plan_id, voice.position().await)
}

fn offline(what: &str, dir: &Path, more: &[&str]) -> Ran {
    let dir = dir.to_str().unwrap();
    run([&["ledger", what, "--dir", dir], more].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn status_says_what_a_running_ledger_is_and_how_far_it_has_come() {
    let home = Home::new();
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    voice
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    let status = voice.ask(GetStatusRequest::default()).await.unwrap();
    let json = run(["ledger", "status", "--json", "--server", &serving.url])
        .done()
        .json();
    assert_eq!(json["ledgerId"], status.ledger_id);
    assert_eq!(json["position"], "1");
    assert_eq!(json["writable"], true);
    let text = run(["ledger", "status", "--server", &serving.url]).done();
    assert!(text.stdout.contains(&status.ledger_id), "{}", text.stdout);
    assert_eq!(text.stderr, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_sound_journal_verifies_without_being_changed() {
    let home = Home::new();
    let (_, position) = worked(&home).await;
    let before = fs::read(home.first_segment()).unwrap();
    let ran = offline("verify", home.path(), &["--json"]).done();
    assert!(ran.stderr.contains("no fault was found"), "{}", ran.stderr);
    let json = ran.json();
    assert_eq!(json["sound"], true);
    assert_eq!(json["events"], position);
    assert_eq!(json["unfinishedBytes"], 0);
    assert_eq!(json["root"].as_str().unwrap().len(), 64);
    let text = offline("verify", home.path(), &[]).done();
    assert!(text.stdout.contains(json["root"].as_str().unwrap()));
    assert_eq!(fs::read(home.first_segment()).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_flipped_byte_is_found_wherever_it_is_and_the_server_does_not_start_on_it() {
    let home = Home::new();
    worked(&home).await;
    let sound = fs::read(home.first_segment()).unwrap();
    let frames: Vec<_> = (0..sound.len())
        .filter(|at| sound[*at..].starts_with(b"PLF1"))
        .collect();
    let middle = frames[frames.len() / 2];
    let last = *frames.last().unwrap();
    let places = [
        (10, "in the segment's header"),
        (frames[0] + 2, "in the first frame's magic"),
        (middle + 20, "in a frame's header"),
        (middle + 80, "in a command"),
        (middle + 72 + 64 + 50, "in an entry"),
        (frames[frames.len() / 2 + 1] - 1, "in a payload"),
        (last + 80, "in the last frame"),
        (sound.len() - 1, "in the last payload"),
    ];
    for (at, place) in places {
        let mut damaged = sound.clone();
        damaged[at] ^= 1;
        fs::write(home.first_segment(), &damaged).unwrap();
        let ran = offline("verify", home.path(), &["--json"]);
        assert_eq!(ran.code, Some(1), "{place}: {ran:?}");
        assert!(ran.stderr.contains("error: "), "{place}: {}", ran.stderr);
        assert!(
            ran.stdout.is_empty() || ran.json()["sound"] == false,
            "{place}"
        );
        assert!(!ran.stderr.contains("Gang"), "{place}: {}", ran.stderr);
        assert_eq!(fs::read(home.first_segment()).unwrap(), damaged, "{place}");
    }
    fs::write(home.first_segment(), &sound).unwrap();
    offline("verify", home.path(), &[]).done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn derived_state_that_was_thrown_away_is_made_again_and_everything_reads_as_before() {
    let home = Home::new();
    let (plan_id, position) = worked(&home).await;
    let (server, voice) = home.serve().await;
    let before = voice.plan(&plan_id, Viewer::Staff).await;
    drop(voice);
    server.stop();
    let json = offline("rebuild", home.path(), &["--json"]).done().json();
    assert_eq!(json["events"], position);
    let verified = offline("verify", home.path(), &["--json"]).done().json();
    assert_eq!(json["root"], verified["root"]);
    let (_server, voice) = home.serve().await;
    assert_eq!(voice.plan(&plan_id, Viewer::Staff).await, before);
    assert_eq!(voice.position().await, position);
}

#[test]
fn a_directory_without_a_ledger_is_refused_and_left_as_it_is() {
    let home = Home::new();
    for what in ["verify", "rebuild"] {
        let ran = offline(what, home.path(), &["--json"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
        assert!(ran.stderr.contains("contains no ledger"), "{}", ran.stderr);
        assert_eq!(home.path().read_dir().unwrap().count(), 0);
    }
}

/// `planledger ledger verify | head -0` panicked.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_stops_reading_still_gets_the_exit_code() {
    let home = Home::new();
    worked(&home).await;
    let verify = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut program = program();
        program.args(["ledger", "verify", "--dir"]).arg(home.path());
        program.stderr(std::process::Stdio::piped());
        output(program.stdout(writer))
    };
    let sound = verify();
    assert_eq!(sound.status.code(), Some(0), "{sound:?}");
    let mut bytes = fs::read(home.first_segment()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(home.first_segment(), bytes).unwrap();
    let faulty = verify();
    assert_eq!(faulty.status.code(), Some(1), "{faulty:?}");
}
