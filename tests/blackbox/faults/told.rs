//! What a server tells those who operate it while something fails, and the row of the table that this makes.

use std::io::Write;
use std::time::{Duration, Instant};

use planledger_proto::v1::*;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::story::Held;
use crate::watched::{Measured, Metrics};

/// Longer than any server waits that goes on by itself.
pub(super) const GOES_ON: Duration = Duration::from_secs(45);

/// What status, health and metrics say at one moment.
pub(super) struct Told {
    pub(super) status: GetStatusResponse,
    /// Whether the health says that commands are accepted, and plans shown.
    pub(super) takes: bool,
    pub(super) shows: bool,
    pub(super) metrics: Metrics,
}

/// Does something that waits, in a test that does not.
pub(super) fn wait_for<T>(what: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(what)
}

impl Told {
    /// Asks. Reading works whatever fails, so a list is read as well.
    pub(super) fn by(server: &Measured) -> Self {
        let (status, [takes, shows]) = wait_for(async {
            let voice = server.serving.voice().await;
            let list = ListInstitutionsRequest::default();
            let listed = voice.ask(list).await.unwrap();
            assert!(!listed.institutions.is_empty());
            let status = voice.ask(GetStatusRequest::default()).await.unwrap();
            let says_why = status.not_writable_because.is_some();
            assert_eq!(status.writable, !says_why, "{status:?}");
            let endpoint = Endpoint::from_shared(server.serving.url.clone()).unwrap();
            let mut health = HealthClient::new(endpoint.connect().await.unwrap());
            let mut well = [false; 2];
            for (service, well) in ["CommandService", "PlanService"].iter().zip(&mut well) {
                let service = format!("planledger.v1.{service}");
                let answer = health.check(HealthCheckRequest { service }).await.unwrap();
                *well = answer.into_inner().status() == ServingStatus::Serving;
            }
            (status, well)
        });
        Self {
            status,
            takes,
            shows,
            metrics: server.read(),
        }
    }

    /// Asks until it is so.
    #[track_caller]
    pub(super) fn until(server: &Measured, what: &str, is_so: impl Fn(&Self) -> bool) -> Self {
        let until = Instant::now() + GOES_ON;
        loop {
            let told = Self::by(server);
            if is_so(&told) {
                return told;
            }
            assert!(Instant::now() < until, "not {what}: {}", told.summary());
        }
    }

    /// Asks until everything is well, also what health and metrics say a little later.
    #[track_caller]
    pub(super) fn well(server: &Measured) -> Self {
        Self::until(server, "well", |told| told.summary() == WELL)
    }

    pub(super) fn why(&self) -> &str {
        self.status.not_writable_because.as_deref().unwrap_or("")
    }

    pub(super) fn metric(&self, name: &str) -> f64 {
        self.metrics.value(&format!("planledger_{name}"))
    }

    /// What is not as usual.
    pub(super) fn summary(&self) -> String {
        let mut said = Vec::new();
        if !self.status.writable {
            said.push(format!("status: no commands, \"{}\"", self.why()));
        }
        match self.status.access_log() {
            AccessLogState::Recording => {}
            state => said.push(format!("status: access log {}", state.as_str_name())),
        }
        if self.status.deriving.is_some() {
            said.push("status: derived state is being rebuilt".to_owned());
        }
        for (well, service) in [(self.takes, "CommandService"), (self.shows, "PlanService")] {
            if !well {
                said.push(format!("health: {service} NOT_SERVING"));
            }
        }
        for (name, usual) in [
            ("takes_commands", 1.0),
            ("waits_for_room", 0.0),
            ("shows_plans", 1.0),
        ] {
            let value = self.metric(name);
            if value != usual {
                said.push(format!("metric: {name} {value}"));
            }
        }
        match said.as_slice() {
            [] => WELL.to_owned(),
            said => said.join("; "),
        }
    }
}

const WELL: &str = "all is well";

/// A row of the table of faults.
pub(super) struct Row {
    /// Its place in the table.
    pub(super) number: u32,
    pub(super) fault: &'static str,
    /// What the server said.
    pub(super) says: String,
    pub(super) goes_on: &'static str,
}

impl Row {
    /// Adds it to the file that `PLANLEDGER_FAULT_TABLE` names.
    pub(super) fn holds(&self, held: &Held) {
        let Ok(path) = std::env::var("PLANLEDGER_FAULT_TABLE") else {
            return;
        };
        let Self {
            number,
            fault,
            says,
            goes_on,
        } = self;
        let Held { receipted, missing } = held;
        let line =
            format!("{number}\t| {fault} | {says} | {goes_on} | {receipted} | {missing} |\n");
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(path);
        file.unwrap().write_all(line.as_bytes()).unwrap();
    }
}

/// The first warnings and errors of a log, without times, places and fields.
pub(super) fn complaints(log: &str) -> String {
    let mut found: Vec<&str> = Vec::new();
    for line in log.lines() {
        let Some((_, rest)) = [" ERROR ", " WARN "]
            .iter()
            .find_map(|it| line.split_once(it))
        else {
            continue;
        };
        // The spans and the place come first.
        let mut message = rest;
        while let Some((before, after)) = message.split_once(": ") {
            if !before.contains("::") && !before.contains('{') {
                break;
            }
            message = after;
        }
        let fields = message.find('=').map(|at| &message[..at]);
        let message = match fields.and_then(|before| before.rsplit_once(' ')) {
            Some((message, _)) => message,
            None => message,
        };
        if !found.contains(&message) && found.len() < 3 {
            found.push(message);
        }
    }
    let found = found.iter().map(|line| format!("log: `{line}`"));
    found.collect::<Vec<_>>().join("; ")
}
