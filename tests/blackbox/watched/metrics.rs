//! What Prometheus is answered.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use planledger::metrics::definitions::ALL;
use planledger_proto::v1::*;

use super::read::Measured;
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_metric_is_there_and_counts_what_happens() {
    let home = Home::new();
    let measured = Measured::start(home.path(), &["--checkpoint-seconds", "1"]);
    let before = measured.read();
    assert_eq!(before.value("planledger_events_total"), 0.0);
    let voice = measured.serving.voice().await;
    let command = register_institution(&new_id(), "Skolen");
    voice.execute(command.clone()).await;
    voice.execute(command.clone()).await;
    let mut reused = register_institution(&new_id(), "Skolen");
    reused.command_id = command.command_id;
    voice.try_execute(reused).await.unwrap_err();
    let request = FollowEventsRequest::default();
    let mut following = voice.client.events().follow_events(request).await.unwrap();
    following.get_mut().message().await.unwrap().unwrap();
    // A checkpoint is made a second after something was recorded.
    let until = Instant::now() + PATIENCE;
    let now = loop {
        let now = measured.read();
        if now.values.contains_key("planledger_checkpoint_age_seconds") {
            break now;
        }
        assert!(Instant::now() < until, "no checkpoint");
    };

    let kinds: Vec<_> = now
        .kinds
        .iter()
        .map(|(name, kind)| (name.as_str(), kind.as_str()))
        .collect();
    let mut all: Vec<_> = ALL.iter().map(|of| (of.name, of.kind.name())).collect();
    all.sort_unstable();
    assert_eq!(kinds, all);
    for of in ALL {
        // No witness is asked by this server.
        let absent = of.name.starts_with("planledger_cosign");
        let mut series = now.values.keys();
        let there = series.any(|series| series.starts_with(of.name));
        assert_eq!(there, !absent, "{}", of.name);
        for series in now
            .values
            .keys()
            .filter(|series| series.starts_with(of.name))
        {
            for label in of.labels {
                assert!(series.contains(&format!("{label}=\"")), "{series}");
            }
        }
    }

    for (series, value) in [
        ("planledger_takes_commands", 1.0),
        ("planledger_shows_plans", 1.0),
        ("planledger_receipts_total{kind=\"repeated\"}", 1.0),
        (
            "planledger_refused_total{reason=\"COMMAND_ID_REUSED\"}",
            1.0,
        ),
        ("planledger_refused_total{reason=\"PLAN_NOT_FOUND\"}", 0.0),
        (
            "planledger_requests_total{method=\"Execute\",code=\"Ok\"}",
            2.0,
        ),
        (
            "planledger_requests_total{method=\"Execute\",code=\"InvalidArgument\"}",
            1.0,
        ),
        ("planledger_request_seconds_count{method=\"Execute\"}", 3.0),
        ("planledger_requests_in_progress", 1.0),
        ("planledger_followers", 1.0),
        ("planledger_connections", 1.0),
        ("planledger_forks", 0.0),
    ] {
        assert_eq!(now.value(series), value, "{series}");
    }
    let syncs = now.value("planledger_journal_sync_seconds_count");
    assert_eq!(syncs, now.value("planledger_commits_total"));
    assert_eq!(syncs, now.value("planledger_commit_group_commands_count"));
    let events = now.value("planledger_events_total");
    assert!(now.value("planledger_checkpoint_lag_events") < events);
    assert!(now.value("planledger_checkpoint_age_seconds") < 60.0);
    let free = now.value("planledger_disk_free_bytes{folder=\"journal\"}");
    let size = now.value("planledger_disk_size_bytes{folder=\"journal\"}");
    assert!(0.0 < free && free < size);
    assert!(now.value("process_resident_memory_bytes") > 1e6);
    assert!(now.value("process_open_fds") > 5.0);
    // Steps are cumulative, and the last one has all.
    let last = now.value("planledger_journal_sync_seconds_bucket{le=\"+Inf\"}");
    assert_eq!(last, syncs);

    // Whoever leaves does not count any more.
    drop(following);
    drop(voice);
    let until = Instant::now() + PATIENCE;
    while measured.read().value("planledger_connections") > 0.0 {
        assert!(Instant::now() < until, "the connection is still counted");
    }
    let after = measured.read();
    assert_eq!(after.value("planledger_followers"), 0.0);
    assert_eq!(after.value("planledger_requests_in_progress"), 0.0);
    let left = "planledger_requests_total{method=\"FollowEvents\",code=\"Cancelled\"}";
    assert_eq!(after.value(left), 1.0);
    measured.serving.stop();
}

#[test]
fn without_the_setting_nobody_is_answered() {
    let home = Home::new();
    let serving = Serving::start(home.path());
    assert!(!serving.said.contains("metrics on"), "{}", serving.said);
    serving.stop();
}

#[test]
fn the_settings_file_can_name_the_address_too_and_one_that_is_taken_is_exit_code_1() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let file = home.path().join("planledger.toml");
    std::fs::write(&file, format!("metrics = \"{address}\"\n")).unwrap();
    let mut serve = program();
    serve.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--dir"]);
    serve
        .arg(home.path().join("ledger"))
        .arg("--config")
        .arg(&file);
    serve.stderr(std::process::Stdio::piped());
    let ran = output(&mut serve);
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!("cannot listen on {address} for metrics")),
        "{said}"
    );
}

#[test]
fn a_collector_needs_a_program_that_can_send() {
    let home = Home::new();
    let dir = home.path().join("ledger");
    let ran = run([
        "serve",
        "--dev",
        "--listen",
        "127.0.0.1:0",
        "--dir",
        dir.to_str().unwrap(),
        "--otlp",
        "http://127.0.0.1:4318",
    ]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("feature otlp"), "{}", ran.stderr);
}

#[test]
fn only_the_metrics_are_there_and_only_to_be_read() {
    let home = Home::new();
    let measured = Measured::start(home.path(), &[]);
    for (request, status) in [
        ("GET / HTTP/1.1", "404"),
        ("GET /metrics/ HTTP/1.1", "404"),
        ("GET /planledger.v1.LedgerService/GetStatus HTTP/1.1", "404"),
        ("POST /metrics HTTP/1.1", "405"),
        ("DELETE /metrics HTTP/1.1", "405"),
        ("GET /metrics?x=1 HTTP/1.1", "200"),
    ] {
        let answer = measured.ask(format!("{request}\r\nhost: x\r\n\r\n").as_bytes());
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{request}: {answer}"
        );
    }
    measured.serving.stop();
}

/// Strangers hold every connection, send headers without end, or nothing that is HTTP. Whoever asks in
/// earnest has to wait a few seconds at most, and the server itself does not notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn strangers_take_nothing_from_the_server() {
    let home = Home::new();
    let measured = Measured::start(home.path(), &[]);
    let large = format!(
        "GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n",
        "y".repeat(64 << 10)
    );
    assert!(!measured.ask(large.as_bytes()).starts_with("HTTP/1.1 200"));
    let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(33));
    assert!(!measured.ask(many.as_bytes()).starts_with("HTTP/1.1 200"));
    assert!(!measured.ask(&[0xff; 4_096]).starts_with("HTTP/1.1 200"));
    let holding: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(&measured.address).unwrap();
            stream.write_all(b"GET /metrics HTTP/1.1\r\nx: ").unwrap();
            stream
        })
        .collect();
    let voice = measured.serving.voice().await;
    voice
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    let metrics = measured.read();
    assert_eq!(
        metrics.value("planledger_receipts_total{kind=\"new\"}"),
        1.0
    );
    // Every one of them was closed, or will be.
    let mut first = holding.into_iter().next().unwrap();
    first
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut rest = Vec::new();
    let _ = first.read_to_end(&mut rest);
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
    drop(voice);
    measured.serving.stop();
}
