//! The health service: reports whether the server runs, whether it accepts commands, and whether it shows
//! plans.

use std::time::Duration;

use planledger_core::ledger::Ledger;
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use super::reads::ReadLog;

/// The services that have a health status: the server as a whole, the command service, and the plan
/// service.
const SERVICES: [&str; 3] = [
    "",
    "planledger.v1.CommandService",
    "planledger.v1.PlanService",
];
/// How often the health status is compared with the ledger.
const EVERY: Duration = Duration::from_secs(1);

/// Reports the health of the server.
pub(super) struct Health {
    reporter: HealthReporter,
    /// The last reported status of each of [`SERVICES`].
    told: [ServingStatus; 3],
    reads: Option<ReadLog>,
}

impl Health {
    /// Reports the present status. Also returns the gRPC service that answers health requests.
    pub(super) async fn new(
        ledger: &Ledger,
        reads: Option<ReadLog>,
    ) -> (Self, HealthServer<HealthService>) {
        let reporter = HealthReporter::new();
        let service = HealthServer::new(HealthService::from_health_reporter(reporter.clone()));
        let told = well(ledger, reads.as_ref());
        for (name, status) in SERVICES.into_iter().zip(told) {
            reporter.set_service_status(name, status).await;
        }
        let health = Self {
            reporter,
            told,
            reads,
        };
        (health, service)
    }

    /// Reports every change of status until the server stops.
    pub(super) async fn watch(mut self, ledger: Ledger, mut stopped: watch::Receiver<bool>) {
        while !*stopped.borrow_and_update() {
            let now = well(&ledger, self.reads.as_ref());
            for ((service, now), told) in SERVICES.into_iter().zip(now).zip(&mut self.told) {
                // Report only a change: any report wakes every client that watches.
                if now != *told {
                    self.reporter.set_service_status(service, now).await;
                    *told = now;
                }
            }
            let changed = tokio::time::timeout(EVERY, stopped.changed()).await;
            if matches!(changed, Ok(Err(_))) {
                return;
            }
        }
        for service in SERVICES {
            let stopping = ServingStatus::NotServing;
            self.reporter.set_service_status(service, stopping).await;
            // End the streams of watching clients, because they would delay the stop.
            self.reporter.clear_service_status(service).await;
        }
    }
}

/// The status of the server as a whole, of the command service, and of the plan service.
fn well(ledger: &Ledger, reads: Option<&ReadLog>) -> [ServingStatus; 3] {
    let serving = |is_well| match is_well {
        true => ServingStatus::Serving,
        false => ServingStatus::NotServing,
    };
    let commands = serving(ledger.status().writable);
    let plans = serving(reads.is_none_or(ReadLog::is_recording));
    [ServingStatus::Serving, commands, plans]
}
