//! What strangers can do to the server: it costs bounded memory, and others are served.

mod bodies;
mod readers;
mod shares;
mod single;
mod sockets;
mod witnesses;

use std::fs;
use std::time::{Duration, Instant};

use planledger_proto::v1::*;
use tokio::sync::{Mutex, MutexGuard};

use crate::support::*;

/// One of these tests at a time: what they do to a server would starve the clients of the others.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// Waits until something holds, for as long as it takes a slow and busy machine.
async fn until(mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "it never holds");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A server, as a program, whose settings have this table of limits.
fn limited(home: &Home, limits: &str) -> Serving {
    let file = home.path().with_extension("toml");
    fs::write(&file, format!("[limits]\n{limits}\n")).unwrap();
    Serving::start_with(home.path(), &["--config", file.to_str().unwrap()])
}

/// MiB of memory that a server has now.
fn memory(serving: &Serving) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", serving.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    kib.unwrap().parse::<u64>().unwrap() >> 10
}

/// MiB of memory that a server has had at most.
fn peak(serving: &Serving) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", serving.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    kib.unwrap().parse::<u64>().unwrap() >> 10
}

/// A text as long as one may be.
fn long_text() -> String {
    "Læser godt. ".repeat(1_600)
}

/// A command that records an event of about 20 kB, whatever was recorded before.
fn large(number: usize) -> Command {
    let item = CatalogueItem {
        item_id: GOAL.to_owned(),
        text: format!("{number} {}", long_text()),
        ..CatalogueItem::default()
    };
    let put = PutCatalogue {
        details: Some(CatalogueDetails {
            title: "Fælles Mål".to_owned(),
            ..CatalogueDetails::default()
        }),
        items: vec![item],
    };
    catalogue(CATALOGUE, OnCatalogue::PutCatalogue(put))
}

/// A catalogue and its only goal.
const CATALOGUE: &str = "5d0f3c1e-2b4a-4c6d-8e9f-0a1b2c3d4e5f";
const GOAL: &str = "6d0f3c1e-2b4a-4c6d-8e9f-0a1b2c3d4e5f";

/// Records events of about so many MiB.
async fn fill(serving: &Serving, mib: usize) {
    let voice = serving.voice().await;
    for round in 0..mib {
        voice
            .all((0..50).map(|number| large(round * 50 + number)))
            .await;
    }
}
