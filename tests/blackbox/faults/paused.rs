//! The process is stopped for a while (SIGSTOP), as by a debugger, a frozen container or a machine that moves.

use std::time::{Duration, Instant};

use planledger_proto::v1::*;
use rustix::process::{Pid, Signal, kill_process};
use tonic::Code;

use super::story::*;
use super::told::{Row, Told, complaints, wait_for};
use crate::support::*;

/// `PLANLEDGER_FAULT_STOPPED_SECONDS` says how long it is stopped.
fn seconds() -> u64 {
    match std::env::var("PLANLEDGER_FAULT_STOPPED_SECONDS") {
        Ok(given) => given.parse().unwrap(),
        Err(_) => 3,
    }
}

#[test]
fn a_server_that_is_stopped_for_a_while_goes_on_and_deadlines_of_clients_hold() {
    let story = Story::begin_on(90, "journal/");
    let server = story.start_watched();
    let seconds = seconds();
    let (lasts, patience) = ((seconds + 3).to_string(), (seconds + 60).to_string());
    let load = [
        "--seconds",
        &lasts,
        "--rate",
        "2000",
        "--patience",
        &patience,
    ];
    let load = story.outside.begin_load(&server.serving.url, &load);
    std::thread::sleep(Duration::from_millis(500));
    let pid = Pid::from_raw(server.serving.id() as i32).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let stopped = Instant::now();
    // The system still accepts connections for it, so it is the deadline that ends the wait.
    wait_for(async {
        let url = tonic::transport::Endpoint::from_shared(server.serving.url.clone()).unwrap();
        let channel = url.connect_lazy();
        let mut ledger = ledger_service_client::LedgerServiceClient::new(channel);
        let mut request = from_somebody(GetStatusRequest::default());
        request.set_timeout(Duration::from_millis(500));
        let asked = Instant::now();
        let refused = ledger.get_status(request).await.unwrap_err();
        let ended = [Code::DeadlineExceeded, Code::Cancelled, Code::Unavailable];
        assert!(ended.contains(&refused.code()), "{refused:?}");
        assert!(asked.elapsed() < Duration::from_secs(2), "{refused:?}");
    });
    std::thread::sleep(Duration::from_secs(seconds).saturating_sub(stopped.elapsed()));
    kill_process(pid, Signal::CONT).unwrap();
    let loaded = load.wait_with_output().unwrap();
    assert!(loaded.status.success(), "{loaded:?}");
    Told::well(&server);
    story.work(&server.serving);
    let (_, log) = server.serving.stop_within(STOP).unwrap();
    let said = match complaints(&log).as_str() {
        "" => "nothing".to_owned(),
        said => said.to_owned(),
    };
    let row = Row {
        number: 90,
        fault: "the process is stopped for a while (SIGSTOP)",
        says: format!("{said}; requests end at their clients' deadlines"),
        goes_on: "yes",
    };
    row.holds(&story.check().unwrap());
}
