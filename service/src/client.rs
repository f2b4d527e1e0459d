//! A client of the server. The command line and the demo use it.

use std::time::Duration;

use planledger_proto::v1::audit_service_client::AuditServiceClient;
use planledger_proto::v1::catalogue_service_client::CatalogueServiceClient;
use planledger_proto::v1::command_service_client::CommandServiceClient;
use planledger_proto::v1::event_service_client::EventServiceClient;
use planledger_proto::v1::ledger_service_client::LedgerServiceClient;
use planledger_proto::v1::overview_service_client::OverviewServiceClient;
use planledger_proto::v1::ownership_service_client::OwnershipServiceClient;
use planledger_proto::v1::plan_service_client::PlanServiceClient;
use planledger_proto::v1::roster_service_client::RosterServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::server::auth::Development;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Most bytes of a message. It must be large in both directions: a catalogue is one command, and an
/// answer can hold views of many plans.
const MESSAGE_BYTES: usize = 64 << 20;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL or the actor cannot be sent.
    #[error("{0}")]
    Usage(String),
    /// No server answers at the URL.
    #[error("no server answers at {url}: {reason}")]
    Unreachable {
        /// The URL that was tried.
        url: String,
        /// The error of the transport.
        reason: String,
    },
}

/// A connection to a server, together with the actor of its requests.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
    actor: ActorMetadata,
}

/// The metadata on every request that says who acts.
#[derive(Clone, Debug)]
pub struct ActorMetadata(MetadataValue<Ascii>);

impl Interceptor for ActorMetadata {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert(Development::ACTOR_KEY, self.0.clone());
        Ok(request)
    }
}

type Intercepted = InterceptedService<Channel, ActorMetadata>;

impl Client {
    /// Connects to a server; `actor` is `person/UUID` or `system/UUID`.
    ///
    /// # Errors
    /// [`ConnectError`]
    pub async fn connect(url: &str, actor: &str) -> Result<Self, ConnectError> {
        let usage = |what: &str| ConnectError::Usage(format!("{what} is not valid"));
        let endpoint = Endpoint::from_shared(url.to_owned())
            .map_err(|_| usage("the server's URL"))?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE)
            .tcp_nodelay(true);
        if endpoint.uri().scheme_str() != Some("http") {
            let what = "the server's URL must begin with http://".to_owned();
            return Err(ConnectError::Usage(what));
        }
        let channel = endpoint.connect().await.map_err(|error| {
            let mut reason = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                reason = cause.to_string();
                source = cause.source();
            }
            ConnectError::Unreachable {
                url: url.to_owned(),
                reason,
            }
        })?;
        Self::on(channel, actor).ok_or_else(|| usage("the actor"))
    }

    /// The same connection with another actor; `None` if the actor cannot be sent.
    pub fn acting_as(&self, actor: &str) -> Option<Self> {
        Self::on(self.channel.clone(), actor)
    }

    fn on(channel: Channel, actor: &str) -> Option<Self> {
        Some(Self {
            channel,
            actor: ActorMetadata(actor.parse().ok()?),
        })
    }

    /// A client of the command service.
    pub fn commands(&self) -> CommandServiceClient<Intercepted> {
        CommandServiceClient::with_interceptor(self.channel.clone(), self.actor.clone())
            .max_encoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the plan service.
    pub fn plans(&self) -> PlanServiceClient<Intercepted> {
        PlanServiceClient::with_interceptor(self.channel.clone(), self.actor.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the roster service: institutions, persons, teams and year plans.
    pub fn roster(&self) -> RosterServiceClient<Intercepted> {
        RosterServiceClient::with_interceptor(self.channel.clone(), self.actor.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the catalogue service.
    pub fn catalogues(&self) -> CatalogueServiceClient<Intercepted> {
        CatalogueServiceClient::with_interceptor(self.channel.clone(), self.actor.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the audit service.
    pub fn audit(&self) -> AuditServiceClient<Intercepted> {
        AuditServiceClient::with_interceptor(self.channel.clone(), self.actor.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the overview service.
    pub fn overview(&self) -> OverviewServiceClient<Intercepted> {
        OverviewServiceClient::with_interceptor(self.channel.clone(), self.actor.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the ownership service: who owns what, and recoveries.
    pub fn ownership(&self) -> OwnershipServiceClient<Intercepted> {
        OwnershipServiceClient::with_interceptor(self.channel.clone(), self.actor.clone())
            .max_encoding_message_size(MESSAGE_BYTES)
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the event service.
    pub fn events(&self) -> EventServiceClient<Intercepted> {
        EventServiceClient::with_interceptor(self.channel.clone(), self.actor.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the ledger service: the status of the ledger.
    pub fn ledger(&self) -> LedgerServiceClient<Intercepted> {
        LedgerServiceClient::with_interceptor(self.channel.clone(), self.actor.clone())
    }
}
