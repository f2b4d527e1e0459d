//! How fast a monitor follows a large log, and how much memory that takes.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use planledger_fixtures::made_log::{MadeLog, plan};
use planledger_fixtures::publishing::Publishing;

use crate::support::*;

const STREAMS: u64 = 100_000;
const ENTRIES: u64 = 2_000_000;
/// One record of heads for so many entries, as a checkpoint a minute makes of a busy ledger.
const EACH: u64 = 10_000;

/// A figure of a process, in kB, as the system shows it.
fn figure(process: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Takes a minute in a release build, and is of no use in any other.
#[test]
#[ignore = "a measurement, for release builds"]
fn monitor_speed() {
    let mut log = MadeLog::new("log.example/large");
    let mut next = 1_u64;
    for n in 0..ENTRIES {
        // Every stream begins, and then they go on in no order.
        next = next
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let stream = if n < STREAMS {
            n
        } else {
            (next >> 33) % STREAMS
        };
        log.event(plan(stream));
        if n % EACH == EACH - 1 {
            log.checkpoint();
        }
    }
    let note = log.signed().note.to_string();
    let (key, size) = (log.verifier(), log.size());
    let publishing = Publishing::start(move |path| match path {
        "checkpoint" => Some(note.clone().into_bytes()).into(),
        path => log.file(path).into(),
    });
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy");
    fs::write(
        &policy,
        format!("log {key} {}\nquorum none\n", publishing.url()),
    )
    .unwrap();
    for round in 0..3 {
        let mut command = program();
        command.args(["monitor", "--once", "--name", "m.example", "--policy"]);
        command
            .arg(&policy)
            .arg("--dir")
            .arg(dir.path().join(round.to_string()));
        let begun = Instant::now();
        let mut child = start(command.stdout(Stdio::null()));
        let mut peak = 0;
        let status = loop {
            peak = figure(child.id(), "VmHWM").unwrap_or_default().max(peak);
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let took = begun.elapsed();
        assert!(status.success());
        let speed = size as f64 / took.as_secs_f64();
        println!(
            "{size} entries of {STREAMS} streams in {took:?}: {speed:.0} entries/s, {peak} kB at most"
        );
        assert!(peak < 100 << 10, "{peak} kB");
    }
}
