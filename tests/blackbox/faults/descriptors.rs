//! The process may open no more files.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::story::*;
use super::told::Row;
use crate::support::*;

/// Files that the server may open besides those that it has when nobody is connected.
const FREE: usize = 6;

/// The numbers of the files that are open.
fn open_files(serving: &Serving) -> BTreeSet<usize> {
    let files = fs::read_dir(format!("/proc/{}/fd", serving.id())).unwrap();
    files
        .map(|file| file.unwrap().file_name().to_str().unwrap().parse().unwrap())
        .collect()
}

/// Lets the server open [`FREE`] files more, whatever it has open and whatever it inherited from who starts the
/// test; gives the number that no file can have from now on.
fn bound(serving: &Serving) -> usize {
    let open = open_files(serving);
    let most = (0..).filter(|number| !open.contains(number)).nth(FREE);
    let most = most.unwrap();
    let limit = Rlimit {
        current: Some(most as u64),
        maximum: Some(most as u64),
    };
    let server = Pid::from_raw(serving.id() as i32);
    prlimit(server, Resource::Nofile, limit).unwrap();
    most
}

/// Connects until the server has no file left to open; gives the connections.
fn exhaust(serving: &Serving, most: usize) -> Vec<TcpStream> {
    let address = serving.url.strip_prefix("http://").unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    let mut connections = Vec::new();
    // What it inherited may have a number beyond.
    while open_files(serving).range(..most).count() < most {
        let open = open_files(serving);
        assert!(Instant::now() < until, "{open:?} of {most} are open");
        // What the server does not accept waits, up to a number.
        if connections.len() < 2 * FREE {
            connections.push(TcpStream::connect(address).unwrap());
        }
    }
    connections
}

#[test]
fn descriptors_that_run_out_change_no_answer_then_or_after_the_next_start() {
    let held = go_through(1, 7, |dice| {
        let story = Story::begin(dice.below(1 << 40));
        let serving = Serving::start(story.home.path());
        let most = bound(&serving);
        let arguments = ["--seconds", "4", "--rate", "3000", "--patience", "2"];
        let load = story.outside.begin_load(&serving.url, &arguments);
        let before = fs::metadata(story.outside.kept()).unwrap().len();
        let until = Instant::now() + Duration::from_secs(10);
        // The load is connected once it keeps something.
        while fs::metadata(story.outside.kept()).unwrap().len() < before + 100_000 {
            if Instant::now() > until {
                let said = load.wait_with_output().unwrap();
                let log = serving.stop_within(STOP);
                panic!("{said:?} {log:?}");
            }
            std::thread::yield_now();
        }
        let connections = exhaust(&serving, most);
        let loaded = load.wait_with_output().unwrap();
        drop(connections);
        let how = String::from_utf8_lossy(&loaded.stdout).into_owned();
        let was = story.end(serving);
        Outcome { how, was }
    });
    let row = Row {
        number: 51,
        fault: "no more descriptors (`RLIMIT_NOFILE`)",
        says: "metric: process_open_fds; log: `no connection can be accepted; the server goes on trying`".to_owned(),
        goes_on: "yes",
    };
    row.holds(&held);
}
