//! `planledger serve`.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use planledger_core::ledger::Ledger;
use planledger_core::time::Timestamp;
use planledger_fixtures::place::StandingClock;

use crate::support::*;

fn serve(home: &Home, more: &[&str]) -> Ran {
    let dir = home.path().join("ledger");
    let dir = dir.to_str().unwrap();
    run([&["serve", "--dir", dir], more].concat())
}

fn is_untouched(home: &Home) -> bool {
    !home.path().join("ledger").exists()
}

#[test]
fn without_development_mode_it_does_not_serve_yet() {
    let home = Home::new();
    let ran = serve(&home, &["--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("--dev"), "{}", ran.stderr);
    assert!(is_untouched(&home));
}

#[test]
fn development_mode_is_refused_on_any_address_but_loopback() {
    let home = Home::new();
    for address in [
        "0.0.0.0:0",
        "[::]:0",
        "192.0.2.1:50051",
        "255.255.255.255:1",
    ] {
        let ran = serve(&home, &["--dev", "--listen", address]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(address), "{}", ran.stderr);
        assert!(is_untouched(&home), "{address}");
    }
}

#[test]
fn an_address_that_is_taken_is_exit_code_1() {
    let home = Home::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = serve(&home, &["--dev", "--listen", &address]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains(&address), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_second_process_on_the_directory_is_refused_and_the_first_goes_on() {
    let home = Home::new();
    let first = Serving::start(home.path());
    let dir = home.path().to_str().unwrap();
    for arguments in [
        &["serve", "--dev", "--listen", "127.0.0.1:0"][..],
        &["ledger", "verify"],
        &["ledger", "rebuild"],
    ] {
        let ran = run([arguments, &["--dir", dir]].concat());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(
            ran.stderr.contains("another planledger process"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains(dir));
        assert_eq!(ran.stdout, "");
    }
    let voice = first.voice().await;
    let receipt = voice
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    assert_eq!(receipt.position, 1);
    drop(voice);
    first.stop();
    let second = Serving::start(home.path());
    assert_eq!(second.voice().await.position().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn it_says_where_it_listens_whatever_the_log_level_and_stops_with_0_when_told() {
    for level in ["error", "info"] {
        let home = Home::new();
        let serving = Serving::start_with(home.path(), &["--log", level]);
        assert!(serving.url.starts_with("http://127.0.0.1:"));
        assert!(!serving.url.ends_with(":0"));
        let voice = serving.voice().await;
        voice
            .execute(register_institution(&new_id(), "Skolen"))
            .await;
        drop(voice);
        let log = serving.stop();
        let mut lines = log.lines();
        assert!(
            lines.any(|line| line.starts_with("listening on http://")),
            "{log}"
        );
        assert_eq!(log.contains("stopping"), level == "info", "{log}");
    }
}

#[test]
fn a_master_key_that_is_not_the_ledgers_opens_nothing() {
    let home = Home::new();
    let dir = home.path().to_str().unwrap();
    Serving::start(home.path()).stop();
    let other = "ab".repeat(32);
    let verify = || {
        let mut verify = program();
        verify.args(["ledger", "verify", "--dir", dir]);
        verify.stdout(Stdio::piped()).stderr(Stdio::piped());
        verify
    };
    let ran = output(verify().env("PLANLEDGER_MASTER_KEY", &other));
    assert_eq!(ran.status.code(), Some(1));
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert!(stderr.contains("master key"), "{stderr}");
    assert!(!stderr.contains(&other));
    // Not a key at all is wrong usage; neither is it repeated.
    let ran = output(verify().env("PLANLEDGER_MASTER_KEY", "hemmelig"));
    assert_eq!(ran.status.code(), Some(2));
    assert!(!String::from_utf8(ran.stderr).unwrap().contains("hemmelig"));
    // Without its key a ledger is not made anew beside the old one.
    let key = home.path().join("keys/master.key");
    let text = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let ran = run(["serve", "--dev", "--listen", "127.0.0.1:0", "--dir", dir]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("master.key"), "{}", ran.stderr);
    std::fs::write(&key, text).unwrap();
    // As it is written now, others may read it; so it is not used.
    std::fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let ran = run(["serve", "--dev", "--listen", "127.0.0.1:0", "--dir", dir]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let cure = format!("chmod 600 {}", key.display());
    assert!(ran.stderr.contains(&cure), "{}", ran.stderr);
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    Serving::start(home.path()).stop();
}

#[test]
fn a_clock_years_after_the_newest_event_is_refused_until_somebody_accepts_it() {
    let home = Home::new();
    // As if the clock had gone wrong: the ledger was made in 2025, and nothing was recorded since.
    let made = Timestamp::from_nanos(1_735_700_000_000_000_000);
    let mut options = home.options();
    options.clock = StandingClock::at(made);
    drop(Ledger::open(options).unwrap());
    let dir = home.path().to_str().unwrap();
    let ran = run(["serve", "--dev", "--listen", "127.0.0.1:0", "--dir", dir]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("--accept-clock"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("2025-01-01T02:53:20Z"),
        "{}",
        ran.stderr
    );
    // Looking is always allowed.
    assert_eq!(run(["ledger", "verify", "--dir", dir]).code, Some(0));
    drop(Serving::start_with(home.path(), &["--accept-clock"]));
}
