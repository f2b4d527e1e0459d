//! The gRPC server. It does little itself: it finds out who asks, checks that they may, passes the
//! request to the ledger and translates the answer.
//!
//! The files in `rpc` implement the services of the API and name its messages. The files beside it
//! put the questions to the ledger and name the library's types. No file names both.

pub mod auth;
pub mod granted;
pub mod identity;
pub mod transport;

mod access;
mod answer;
mod api;
mod audit;
mod catalogue;
mod commands;
mod connections;
mod count;
mod counts;
mod deadline;
mod ending;
mod entrance;
mod erasing;
mod events;
mod evidence;
mod fair;
mod gate;
mod health;
mod in_request;
mod intake;
mod lapse;
mod limits;
mod links;
mod missing;
mod observing;
mod on_record;
mod outlet;
mod overview;
mod ownership;
mod pages;
mod plans;
mod previewing;
mod rate;
mod readers;
mod reads;
mod recoveries;
mod recovering;
mod request_id;
mod retention;
mod revert;
mod roster;
mod rpc;
mod shares;
mod shedding;
mod surveys;
mod together;
mod turns;
mod writing;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use planledger_core::access_log::AccessLog;
use planledger_core::ledger::Ledger;
use planledger_core::notary::Notary;
use tokio::sync::watch;
use tower::ServiceBuilder;

use self::api::Api;
use self::auth::{Authenticator, Authorizer};
pub use self::connections::{KEEPALIVE, KEEPALIVE_TIMEOUT};
pub use self::counts::{Answered, Counts};
use self::entrance::Entrance;
use self::evidence::Evidence;
use self::fair::Fair;
use self::health::Health;
pub use self::limits::Limits;
use self::observing::Observing;
use self::reads::ReadLog;
pub use self::rpc::COMMANDS_OF_A_STREAM;
use self::shedding::Shedding;
use self::transport::{Listening, Tls};
use crate::notary::Witnesses;

/// Why a server stopped serving.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The operating system refused something that the transport needs.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A server that has taken its address and does not serve yet.
pub struct Server {
    listening: Listening,
    evidence: Option<Evidence>,
    reads: Option<ReadLog>,
    limits: Limits,
    counts: Arc<Counts>,
}

impl Server {
    /// Takes an address. Port 0 means any free port. What is sent can be read and changed by whoever
    /// is on the way, so this is for development mode.
    ///
    /// # Errors
    /// When the address is in use or does not belong to this machine.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        Ok(Self::listening(Listening::on(address, None).await?))
    }

    /// Takes an address, and protects connections with TLS.
    ///
    /// # Errors
    /// When the address is in use or does not belong to this machine.
    pub async fn bind_tls(address: SocketAddr, tls: Arc<Tls>) -> std::io::Result<Self> {
        Ok(Self::listening(Listening::on(address, Some(tls)).await?))
    }

    /// Listens on a Unix socket, for a proxy that protects connections with TLS. Its owner and its
    /// group may connect.
    ///
    /// # Errors
    /// When somebody listens there already, something else has the path, or it cannot be made. Always
    /// on a system without Unix sockets.
    pub fn bind_behind_proxy(path: &Path) -> std::io::Result<Self> {
        Ok(Self::listening(Listening::behind_proxy(path)?))
    }

    fn listening(listening: Listening) -> Self {
        Self {
            listening,
            limits: Limits::default(),
            evidence: None,
            reads: None,
            counts: Arc::default(),
        }
    }

    /// Sets the limits of the server.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Also serves evidence: checkpoints, proofs and bundles. The server asks these witnesses to
    /// cosign its checkpoints.
    #[must_use]
    pub fn with_notary(mut self, notary: Arc<Notary>, witnesses: Arc<Witnesses>) -> Self {
        self.evidence = Some(Evidence::new(notary, witnesses));
        self
    }

    /// Records every read of plans in an access log. With `strict`, an answer waits until its record is
    /// on stable storage; otherwise it waits only until the record is handed in. A server without an
    /// access log, which only tests have, records no reads.
    #[must_use]
    pub fn with_access_log(mut self, log: Arc<AccessLog>, strict: bool) -> Self {
        self.reads = Some(ReadLog::new(log, strict));
        self
    }

    /// What the server counts while it runs.
    pub fn counts(&self) -> Arc<Counts> {
        self.counts.clone()
    }

    /// The address on which the server listens; 0.0.0.0 port 0 for a Unix socket.
    pub fn local_addr(&self) -> SocketAddr {
        self.listening.address()
    }

    /// How clients write where the server listens: `http://…`, `https://…` or `unix:…`.
    pub fn url(&self) -> String {
        self.listening.url()
    }

    /// Serves until `stop` is ready. Then it lets requests finish, and closes streams with a status
    /// that says that the server stops. The ledger closes when its last clone is dropped, at the
    /// latest together with the runtime.
    ///
    /// # Errors
    /// [`ServeError`] when the operating system refuses what the transport needs.
    pub async fn serve(
        self,
        ledger: Ledger,
        authenticator: Arc<dyn Authenticator>,
        authorizer: Arc<dyn Authorizer>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let limits = self.limits;
        let (stopping, stopped) = watch::channel(false);
        let api = Api::new(
            ledger.clone(),
            self.evidence,
            self.reads.clone(),
            authorizer,
            stopped.clone(),
            limits,
            self.counts.clone(),
        );
        let resuming = tokio::spawn(api.clone().resume_recoveries());
        let erasing = tokio::spawn(api.clone().carry_out_erasures());
        let (health, health_service) = Health::new(&ledger, self.reads).await;
        let watching = tokio::spawn(health.watch(ledger, stopped.clone()));
        let streaming = Arc::new(rpc::streaming());
        let services = rpc::services(&api, limits).add_service(health_service);
        let service = ServiceBuilder::new()
            .layer(Shedding::beyond(limits.requests, streaming.clone()))
            .layer(Entrance::guarded_by(authenticator, streaming.clone()))
            .layer(Fair::new(&limits, streaming.clone()))
            .service(services.prepare());
        drop(api);
        let told = async {
            stop.await;
            tracing::info!("stopping: running requests may finish, and no new ones are accepted");
            let _ = stopping.send(true);
        };
        // What goes on beside the connections ends when this function does.
        let (incoming, _kept) = self.listening.accept(&limits)?;
        let observing = Observing::new(self.counts, streaming);
        let serving = connections::serve(service, incoming, limits, observing, told);
        let mut late = stopped;
        let overdue = async {
            let _ = late.wait_for(|stopping| *stopping).await;
            tokio::time::sleep(limits.grace).await;
        };
        tokio::select! {
            () = serving => {}
            () = overdue => {
                tracing::warn!("requests that did not finish in time are cut off");
            }
        }
        watching.abort();
        resuming.abort();
        erasing.abort();
        Ok(())
    }
}

/// A future that is ready when the process is told to stop, by SIGTERM or Ctrl-C. The program
/// listens for these signals from this call on.
///
/// # Errors
/// When the operating system does not let the program listen for signals.
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        drop(tokio::signal::ctrl_c().await);
    })
}
