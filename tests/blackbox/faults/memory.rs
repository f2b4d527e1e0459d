//! The process gets no more memory.

use std::fs;

use planledger_proto::v1::ExecuteBatchRequest;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::time::timeout;

use super::story::*;
use super::told::{Row, complaints, wait_for};
use crate::support::*;

/// How many bytes of memory of its own the server has.
fn data(serving: &Serving) -> u64 {
    let pages = fs::read_to_string(format!("/proc/{}/statm", serving.id())).unwrap();
    let pages: u64 = pages.split(' ').nth(5).unwrap().parse().unwrap();
    pages * rustix::param::page_size() as u64
}

/// The server ends; nothing that has a receipt ends with it.
#[test]
fn a_server_that_gets_no_more_memory_loses_nothing() {
    let story = Story::begin_on(50, "journal/");
    // The allocator reserves little ahead, so that it has to ask for more.
    let little = [("MIMALLOC_ARENA_RESERVE", "4MiB")];
    let server = story.start_watched_with(&little);
    story.work(&server.serving);
    let most = data(&server.serving);
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    let pid = Pid::from_raw(server.serving.id() as i32);
    prlimit(pid, Resource::Data, limit).unwrap();
    let load = ["--seconds", "4", "--rate", "3000", "--patience", "2"];
    let load = story.outside.begin_load(&server.serving.url, &load);
    // Large requests, until it ends or the load does.
    let url = server.serving.url.clone();
    wait_for(async {
        let actor = format!("system/{}", new_id());
        let Ok(client) = planledger::client::Client::connect(&url, &actor).await else {
            return;
        };
        let large = || write_status(&new_id(), &"ord ".repeat(4_500));
        let commands: Vec<_> = (0..700).map(|_| large()).collect();
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (client, commands) = (client.clone(), commands.clone());
            running.spawn(async move {
                let mut call = client.commands();
                let request = ExecuteBatchRequest { commands };
                // Nobody waits for ever: the process may be about to end.
                drop(timeout(PATIENCE, call.execute_batch(request)).await);
            });
        }
        while running.join_next().await.is_some() {}
    });
    // The load may find the server gone.
    load.wait_with_output().unwrap();
    let (ended, log) = match server.serving.stop_within(STOP) {
        Ok((status, log)) => (status.to_string(), log),
        Err(log) => panic!("it hangs: {log}"),
    };
    assert!(!ended.ends_with(": 0"), "it had enough memory: {log}");
    let row = Row {
        number: 50,
        fault: "no more memory (`RLIMIT_DATA`)",
        says: format!("at its end: {ended}; {}", complaints(&log)),
        goes_on: "no: the service manager starts it again",
    };
    row.holds(&story.check().unwrap());
}
