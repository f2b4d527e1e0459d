//! `planledger serve`: runs the server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use planledger_core::access_log::{AccessLog, AccessNotary};
use planledger_core::ledger::Ledger;
use planledger_core::notary::{Notary, NotaryError};
use planledger_core::tlog::Signer;
use tokio::sync::watch;

use super::error::CliError;
use super::output;
use super::place::LedgerPlace;
use super::process::without_inspection;
use super::remote::block_on;
use super::watching::Watched;
use crate::metrics::{Metrics, Sources};
use crate::notary::{self, KeyFiles, Rhythm, Witnesses};
use crate::notifying::{self, News};
use crate::server::auth::{Authenticator, Authorizer, Development};
use crate::server::granted::Granted;
use crate::server::identity::{Identified, LedgerDirectory};
use crate::server::transport::{Tls, make_room};
use crate::server::{Limits, Server, stop_signal};
use crate::settings::identity::Identity;
use crate::settings::master::Keeping;
use crate::settings::{self, DEFAULT_CHECKPOINT_SECONDS, DEFAULT_LISTEN, File, SettingsError};
use crate::system::SystemEntropy;

/// Run the server
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    place: LedgerPlace,
    /// Address to listen on [default: 127.0.0.1:50051]
    #[arg(long, env = "PLANLEDGER_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Name of the log in its checkpoints, such as ledger.example/city; read only until the first
    /// checkpoint [default: planledger/LEDGER-ID]
    #[arg(long, env = "PLANLEDGER_ORIGIN", value_name = "NAME")]
    origin: Option<String>,
    /// Seconds between checkpoints; a checkpoint is made only if something was recorded [default:
    /// 60]
    #[arg(long, env = "PLANLEDGER_CHECKPOINT_SECONDS", value_name = "SECONDS")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    checkpoint_seconds: Option<u64>,
    /// C2SP policy file; the server asks its witnesses with addresses to cosign checkpoints
    #[arg(long, env = "PLANLEDGER_WITNESS_POLICY", value_name = "FILE")]
    witness_policy: Option<PathBuf>,
    /// Unix socket to listen on instead, for a proxy on this machine that protects connections with
    /// TLS; its owner and group may connect
    #[arg(long, env = "PLANLEDGER_BEHIND_PROXY", value_name = "PATH", conflicts_with_all = ["listen", "dev"])]
    behind_proxy: Option<PathBuf>,
    /// Development mode: the server believes every request about who acts; loopback addresses only
    #[arg(long)]
    dev: bool,
    #[command(flatten)]
    watched: Watched,
}

impl Serve {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        if !self.dev {
            without_inspection();
        }
        let mode = self.mode(file)?;
        let rhythm = self.rhythm(file)?;
        let dir = self.place.dir(file);
        let usual = match self.dev {
            true => Limits::default().without_rates(),
            false => Limits::default(),
        };
        let limits = usual.with(&file.limits).within(make_room());
        let options = self.place.options_with(file, self.keeping())?;
        let ledger = self.place.open(options)?;
        let (authenticator, authorizer) = mode.gatekeepers(&ledger)?;
        let signer = self.signer(file, &ledger, &dir)?;
        let reads = AccessLog::open(ledger.clone(), &dir, Arc::new(SystemEntropy));
        let reads = Arc::new(reads.map_err(CliError::refused)?);
        let strict = file.access_log.strict;
        let access = AccessNotary::open(reads.clone(), &dir, &signer).map_err(access_fault)?;
        let access = Arc::new(access);
        let notary = Notary::open(ledger.clone(), &dir, signer).map_err(CliError::refused)?;
        let notary = Arc::new(notary);
        let watched = self.watched;
        let file = file.clone();
        block_on(async move {
            let server = mode.bind().await?.with_limits(limits);
            let watching = watched.bind(&file).await?;
            // Listen for the stop signal before the server announces its address, so that no signal
            // is missed.
            let stop = stop_signal()?;
            // Print this at every log level: a program that asked for port 0 waits for this line.
            output::note(format!("listening on {}", server.url()));
            notifying::tell(News::Ready);
            tracing::info!(key = %notary.verifier(), "checkpoints are signed by this key");
            let (stop_notary, stopping) = watch::channel(false);
            let witnesses = rhythm.witnesses.clone();
            let metrics = Metrics::new(Sources {
                ledger: ledger.clone(),
                dir,
                counts: server.counts(),
                notary: (notary.clone(), witnesses.clone()),
                reads: reads.clone(),
                failures: rhythm.failures.clone(),
            });
            let watchers = watching.start(metrics, ledger.clone())?;
            let stop = async {
                stop.await;
                notifying::tell(News::Stopping);
            };
            let notarising = tokio::spawn(notary::run(notary.clone(), access, rhythm, stopping));
            let served = server
                .with_notary(notary, witnesses)
                .with_access_log(reads, strict)
                .serve(ledger, authenticator, authorizer, stop)
                .await;
            // Let the notary finish its present checkpoint, because the journal may already hold
            // it.
            let _ = stop_notary.send(true);
            notarising.await.map_err(CliError::refused)?;
            drop(watchers);
            served.map_err(CliError::refused)
        })
    }

    fn keeping(&self) -> Keeping {
        match self.dev {
            true => Keeping::Anywhere,
            false => Keeping::Apart,
        }
    }

    fn mode(&self, file: &File) -> Result<Mode, CliError> {
        if self.dev {
            return Mode::development(listen_address(self.listen, file)?);
        }
        let Some(identity) = file.identity.clone() else {
            return Err(CliError::Usage(
                "the settings do not say who vouches for callers: name a settings file with \
                 [identity] and [tls] (--config FILE), see \"Setting it up\" in \
                 service/OPERATING.md; or add --dev to try planledger out on a loopback address"
                    .to_owned(),
            ));
        };
        let way = match (self.behind_proxy.clone(), &file.tls) {
            (Some(path), _) => Way::BehindProxy(path),
            (None, Some(files)) => {
                let tls =
                    Tls::load(files.clone()).map_err(|error| CliError::Usage(error.to_string()))?;
                Way::Tls(listen_address(self.listen, file)?, Arc::new(tls))
            }
            (None, None) => {
                return Err(CliError::Usage(
                    "the settings name no certificate for TLS: add [tls] with certificate and key \
                     to the settings file, or listen on a Unix socket for a proxy that has one \
                     (--behind-proxy PATH)"
                        .to_owned(),
                ));
            }
        };
        Ok(Mode::Production { identity, way })
    }

    fn rhythm(&self, file: &File) -> Result<Rhythm, CliError> {
        let seconds = self.checkpoint_seconds.or(file.checkpoint_seconds);
        let policy = self
            .witness_policy
            .as_ref()
            .or(file.witness_policy.as_ref());
        let policy = policy.map(|path| settings::policy(path)).transpose()?;
        Ok(Rhythm {
            every: Duration::from_secs(seconds.unwrap_or(DEFAULT_CHECKPOINT_SECONDS).max(1)),
            witnesses: Arc::new(Witnesses::new(policy.unwrap_or_default())),
            failures: Arc::default(),
        })
    }

    fn signer(&self, file: &File, ledger: &Ledger, dir: &Path) -> Result<Signer, CliError> {
        let origin = self.origin.as_deref().or(file.origin.as_deref());
        let signer = KeyFiles::in_ledger(dir).load(ledger, origin);
        signer.map_err(CliError::refused)
    }
}

fn access_fault(error: NotaryError) -> CliError {
    CliError::Refused(format!("access log: {error}"))
}

fn listen_address(
    given: Option<SocketAddr>,
    file: &settings::File,
) -> Result<SocketAddr, SettingsError> {
    let default = || {
        DEFAULT_LISTEN.parse().map_err(|_| SettingsError::Value {
            name: "listen",
            expected: "ADDRESS:PORT",
        })
    };
    given.or(file.listen).map_or_else(default, Ok)
}

/// Where the server listens, and how it finds out who asks.
enum Mode {
    Development(SocketAddr),
    Production { identity: Identity, way: Way },
}

/// How callers reach a server in production mode.
enum Way {
    Tls(SocketAddr, Arc<Tls>),
    BehindProxy(PathBuf),
}

type Gatekeepers = (Arc<dyn Authenticator>, Arc<dyn Authorizer>);

impl Mode {
    fn development(address: SocketAddr) -> Result<Self, CliError> {
        match Authenticator::permits(&Development, address) {
            true => Ok(Self::Development(address)),
            false => Err(CliError::Usage(format!(
                "development mode believes everybody who connects, so it listens on loopback \
                addresses only; {address} is not one"
            ))),
        }
    }

    /// What finds out who asks, and what decides whether they may.
    fn gatekeepers(&self, ledger: &Ledger) -> Result<Gatekeepers, CliError> {
        let usage = |error: String| CliError::Usage(error);
        let (identity, way) = match self {
            Self::Development(_) => {
                let development = Arc::new(Development);
                return Ok((development.clone(), development));
            }
            Self::Production { identity, way } => (identity, way),
        };
        let by_certificate = match way {
            Way::Tls(_, tls) => tls.asks_for_certificates(),
            Way::BehindProxy(_) => false,
        };
        let directory = Arc::new(LedgerDirectory::new(ledger.clone()));
        let identified = Identified::new(identity, by_certificate, directory);
        let identified = identified.map_err(|error| usage(error.to_string()))?;
        Ok((Arc::new(identified), Arc::new(Granted)))
    }

    async fn bind(self) -> Result<Server, CliError> {
        let (bound, place) = match self {
            Self::Development(address) => (Server::bind(address).await, address.to_string()),
            Self::Production { way, .. } => match way {
                Way::Tls(address, tls) => {
                    (Server::bind_tls(address, tls).await, address.to_string())
                }
                Way::BehindProxy(path) => {
                    (Server::bind_behind_proxy(&path), path.display().to_string())
                }
            },
        };
        bound.map_err(|error| CliError::Refused(format!("cannot listen on {place}: {error}")))
    }
}
