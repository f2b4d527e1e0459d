//! The process may open no more files.

use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use super::story::*;
use crate::support::*;

/// Files that the server may have open.
const FILES: usize = 22;

/// The server with few files to open. What starts it is a shell, which then becomes the server.
fn start(story: &Story) -> Serving {
    let real = program();
    let mut command = Command::new("sh");
    command.arg("-c");
    command.arg(format!("ulimit -n {FILES}; exec \"$0\" \"$@\""));
    command.arg(real.get_program());
    for (name, value) in real.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--dir"]);
    Serving::launch(command.arg(story.home.path())).unwrap()
}

fn open_files(serving: &Serving) -> usize {
    let files = fs::read_dir(format!("/proc/{}/fd", serving.id()));
    files.unwrap().count()
}

/// Connects until the server has no file left to open; gives the connections.
fn exhaust(serving: &Serving) -> Vec<TcpStream> {
    let address = serving.url.strip_prefix("http://").unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    let mut connections = Vec::new();
    while open_files(serving) < FILES {
        assert!(Instant::now() < until, "{} open", open_files(serving));
        // What the server does not accept waits, up to a number.
        if connections.len() < 2 * FILES {
            connections.push(TcpStream::connect(address).unwrap());
        }
    }
    connections
}

#[test]
fn descriptors_that_run_out_change_no_answer_then_or_after_the_next_start() {
    go_through(1, 7, |dice| {
        let story = Story::begin(dice.below(1 << 40));
        let serving = start(&story);
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
        let connections = exhaust(&serving);
        let loaded = load.wait_with_output().unwrap();
        drop(connections);
        let how = String::from_utf8_lossy(&loaded.stdout).into_owned();
        let was = story.end(serving);
        Outcome { how, was }
    });
}
