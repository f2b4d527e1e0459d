//! Whether the server is well: whether commands are taken, and whether it is stopping.

use std::time::Duration;

use planledger_core::ledger::Ledger;
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

/// What it tells of: the server as a whole, and the taking of commands.
const SERVICES: [&str; 2] = ["", "planledger.v1.CommandService"];
/// How often it is compared with the ledger.
const EVERY: Duration = Duration::from_secs(1);

/// Tells how the server is.
pub(super) struct Health {
    reporter: HealthReporter,
    /// What was told of each.
    told: [ServingStatus; 2],
}

impl Health {
    /// Tells how it is now; gives the service that answers who asks.
    pub(super) async fn new(ledger: &Ledger) -> (Self, HealthServer<HealthService>) {
        let reporter = HealthReporter::new();
        let service = HealthServer::new(HealthService::from_health_reporter(reporter.clone()));
        let told = well(ledger);
        for (name, status) in SERVICES.into_iter().zip(told) {
            reporter.set_service_status(name, status).await;
        }
        (Self { reporter, told }, service)
    }

    /// Tells of changes, until the server stops.
    pub(super) async fn watch(mut self, ledger: Ledger, mut stopped: watch::Receiver<bool>) {
        while !*stopped.borrow_and_update() {
            let now = well(&ledger);
            for ((service, now), told) in SERVICES.into_iter().zip(now).zip(&mut self.told) {
                // Telling the same again would wake everybody who watches.
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
            // Ends the streams of those who watch; they would hold up the stop.
            self.reporter.clear_service_status(service).await;
        }
    }
}

/// How the server is, and how the taking of commands is.
fn well(ledger: &Ledger) -> [ServingStatus; 2] {
    let commands = match ledger.status().writable {
        true => ServingStatus::Serving,
        false => ServingStatus::NotServing,
    };
    [ServingStatus::Serving, commands]
}
