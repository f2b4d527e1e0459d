//! What lets others watch a running server: metrics, and what the service manager is told.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use planledger_core::ledger::Ledger;
use tokio::task::JoinSet;

use super::error::CliError;
use super::output;
use crate::metrics::Metrics;
use crate::metrics::http::Endpoint;
use crate::notifying::{self, News};
use crate::settings::File;

/// Where metrics go.
#[derive(Debug, Args)]
pub(super) struct Watched {
    /// Address on which Prometheus gets metrics over HTTP, at /metrics; whoever reaches it can read
    /// them [default: none]
    #[arg(long, env = "PLANLEDGER_METRICS", value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,
    /// Collector of OpenTelemetry to send metrics to, such as http://127.0.0.1:4318; only if the
    /// program was built with the feature `otlp` [default: none]
    #[arg(long, env = "PLANLEDGER_OTLP", value_name = "URL")]
    otlp: Option<String>,
}

/// Where metrics go, with the address taken.
pub(super) struct Watching {
    endpoint: Option<Endpoint>,
    otlp: Option<String>,
}

/// Goes on until it is dropped.
pub(super) struct Watchers {
    /// What is sent looks whether they are still there.
    _metrics: Arc<Metrics>,
    _tasks: JoinSet<()>,
    #[cfg(feature = "otlp")]
    _sending: Option<crate::metrics::otlp::Sending>,
}

impl Watched {
    /// Takes the address for metrics, and says it.
    pub(super) async fn bind(self, file: &File) -> Result<Watching, CliError> {
        let otlp = self.otlp.or_else(|| file.otlp.clone());
        if otlp.is_some() && !cfg!(feature = "otlp") {
            return Err(CliError::Usage(
                "this program cannot send metrics to a collector: build it with the feature otlp, or \
                 leave the setting otlp out"
                    .to_owned(),
            ));
        }
        let endpoint = match self.metrics.or(file.metrics) {
            Some(address) => {
                let bound = Endpoint::bind(address).await;
                let cannot = |error| format!("cannot listen on {address} for metrics: {error}");
                Some(bound.map_err(|error| CliError::Refused(cannot(error)))?)
            }
            None => None,
        };
        if let Some(endpoint) = &endpoint {
            // Said at every log level, like the address of the server itself.
            output::note(format!("metrics on {}", endpoint.url()));
            if !endpoint.is_on_loopback() {
                tracing::warn!("others than this machine can read the metrics");
            }
        }
        Ok(Watching { endpoint, otlp })
    }
}

impl Watching {
    /// Begins. From now on the service manager hears that the server works, if it asks for that.
    pub(super) fn start(self, metrics: Metrics, ledger: Ledger) -> Result<Watchers, CliError> {
        let metrics = Arc::new(metrics);
        let mut tasks = JoinSet::new();
        #[cfg(feature = "otlp")]
        let sending = match &self.otlp {
            Some(collector) => {
                use crate::metrics::otlp;
                let started = otlp::start(&metrics, collector, otlp::EVERY);
                Some(started.map_err(CliError::refused)?)
            }
            None => None,
        };
        #[cfg(not(feature = "otlp"))]
        drop(self.otlp);
        if let Some(endpoint) = self.endpoint {
            tasks.spawn(endpoint.serve(metrics.clone()));
        }
        if let Some(within) = notifying::watchdog() {
            tasks.spawn(async move {
                loop {
                    tokio::time::sleep(within / 2).await;
                    let ledger = ledger.clone();
                    // A ledger that does not say how it is does not work.
                    let status = tokio::task::spawn_blocking(move || ledger.status());
                    if status.await.is_ok() {
                        notifying::tell(News::Alive);
                    }
                }
            });
        }
        Ok(Watchers {
            _metrics: metrics,
            _tasks: tasks,
            #[cfg(feature = "otlp")]
            _sending: sending,
        })
    }
}
