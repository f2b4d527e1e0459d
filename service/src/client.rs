//! A client of the server. The command line and the demo use it.

mod credentials;
mod patience;
mod reach;

use std::path::PathBuf;
use std::time::Duration;

use planledger_proto::v1::access_service_client::AccessServiceClient;
use planledger_proto::v1::audit_service_client::AuditServiceClient;
use planledger_proto::v1::catalogue_service_client::CatalogueServiceClient;
use planledger_proto::v1::command_service_client::CommandServiceClient;
use planledger_proto::v1::event_service_client::EventServiceClient;
use planledger_proto::v1::ledger_service_client::LedgerServiceClient;
use planledger_proto::v1::overview_service_client::OverviewServiceClient;
use planledger_proto::v1::ownership_service_client::OwnershipServiceClient;
use planledger_proto::v1::plan_service_client::PlanServiceClient;
use planledger_proto::v1::roster_service_client::RosterServiceClient;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};

pub use self::credentials::Credentials;
pub(crate) use self::patience::patiently;
use self::reach::{Scheme, cause, scheme, tls};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Most bytes of a message. It must be large in both directions: a catalogue is one command, and an
/// answer can hold views of many plans.
const MESSAGE_BYTES: usize = 64 << 20;

fn usage(what: &str) -> ConnectError {
    ConnectError::Usage(what.to_owned())
}

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

/// A connection to a server, together with what shows who sends its requests.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
    credentials: Credentials,
}

/// Where a server is, and what shows it who asks.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The server: `https://…`, `unix:PATH`, or `http://…` in development mode.
    pub url: String,
    /// Who acts in development mode: `person/UUID` or `system/UUID`.
    pub actor: Option<String>,
    /// The file with a token. It is read again from time to time, so that it can be renewed.
    pub token_file: Option<PathBuf>,
    /// The authorities that sign the server's certificate, as PEM; those that browsers know if there
    /// is no file.
    pub ca_file: Option<PathBuf>,
    /// The certificate to show the server and its key, as PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The person for whom a system acts: `person/UUID`.
    pub on_behalf_of: Option<String>,
    /// What the requests are for, such as `audit`.
    pub purpose: Option<String>,
}

type Intercepted = InterceptedService<Channel, Credentials>;

impl Client {
    /// Connects to a server in development mode; `actor` is `person/UUID` or `system/UUID`.
    ///
    /// # Errors
    /// [`ConnectError`]
    pub async fn connect(url: &str, actor: &str) -> Result<Self, ConnectError> {
        let target = Target {
            url: url.to_owned(),
            actor: Some(actor.to_owned()),
            ..Target::default()
        };
        Self::connect_to(&target).await
    }

    /// Connects to a server.
    ///
    /// # Errors
    /// [`ConnectError`]
    pub async fn connect_to(target: &Target) -> Result<Self, ConnectError> {
        let credentials = Credentials::of(target)?;
        let url = &target.url;
        let endpoint = Endpoint::from_shared(url.clone())
            .map_err(|_| usage("the server's URL is not valid"))?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE)
            .tcp_nodelay(true);
        let endpoint = match scheme(url) {
            Scheme::Tls => endpoint.tls_config(tls(target)?).map_err(|error| {
                ConnectError::Usage(format!("the TLS files: {}", cause(&error)))
            })?,
            Scheme::OnThisMachine => endpoint,
            Scheme::Plain if target.token_file.is_some() => {
                return Err(usage(
                    "a token is sent over https:// only; others could read it on the way",
                ));
            }
            Scheme::Plain => endpoint,
            Scheme::Other => {
                let what = "the server's URL must begin with https://, http:// or unix:";
                return Err(usage(what));
            }
        };
        let channel = endpoint.connect().await;
        let channel = channel.map_err(|error| ConnectError::Unreachable {
            url: url.clone(),
            reason: cause(&error),
        })?;
        Ok(Self {
            channel,
            credentials,
        })
    }

    /// The same connection with another actor of development mode; `None` if the actor cannot be
    /// sent.
    pub fn acting_as(&self, actor: &str) -> Option<Self> {
        Some(Self {
            channel: self.channel.clone(),
            credentials: Credentials {
                actor: Some(actor.parse().ok()?),
                ..self.credentials.clone()
            },
        })
    }

    /// A client of the command service.
    pub fn commands(&self) -> CommandServiceClient<Intercepted> {
        CommandServiceClient::with_interceptor(self.channel.clone(), self.credentials.clone())
            .max_encoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the plan service.
    pub fn plans(&self) -> PlanServiceClient<Intercepted> {
        PlanServiceClient::with_interceptor(self.channel.clone(), self.credentials.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the roster service: institutions, persons, teams and year plans.
    pub fn roster(&self) -> RosterServiceClient<Intercepted> {
        RosterServiceClient::with_interceptor(self.channel.clone(), self.credentials.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the catalogue service.
    pub fn catalogues(&self) -> CatalogueServiceClient<Intercepted> {
        CatalogueServiceClient::with_interceptor(self.channel.clone(), self.credentials.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the audit service.
    pub fn audit(&self) -> AuditServiceClient<Intercepted> {
        AuditServiceClient::with_interceptor(self.channel.clone(), self.credentials.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the overview service.
    pub fn overview(&self) -> OverviewServiceClient<Intercepted> {
        OverviewServiceClient::with_interceptor(self.channel.clone(), self.credentials.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the ownership service: who owns what, and recoveries.
    pub fn ownership(&self) -> OwnershipServiceClient<Intercepted> {
        OwnershipServiceClient::with_interceptor(self.channel.clone(), self.credentials.clone())
            .max_encoding_message_size(MESSAGE_BYTES)
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the event service.
    pub fn events(&self) -> EventServiceClient<Intercepted> {
        EventServiceClient::with_interceptor(self.channel.clone(), self.credentials.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the access service: grants, systems, and why somebody may do something.
    pub fn access(&self) -> AccessServiceClient<Intercepted> {
        AccessServiceClient::with_interceptor(self.channel.clone(), self.credentials.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
    }

    /// A client of the ledger service: the status of the ledger.
    pub fn ledger(&self) -> LedgerServiceClient<Intercepted> {
        LedgerServiceClient::with_interceptor(self.channel.clone(), self.credentials.clone())
    }
}
