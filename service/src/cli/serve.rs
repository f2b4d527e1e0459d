//! `planledger serve`: runs the server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use planledger_core::ledger::Ledger;
use planledger_core::notary::Notary;
use tokio::sync::watch;

use super::error::CliError;
use super::output;
use super::place::LedgerPlace;
use super::remote::block_on;
use crate::notary::{self, KeyFiles, Rhythm, Witnesses};
use crate::server::auth::{Authenticator, Development};
use crate::server::{Server, stop_signal};
use crate::settings::{self, DEFAULT_CHECKPOINT_SECONDS, DEFAULT_LISTEN, File, SettingsError};

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
    /// Development mode: the server believes every request about who acts; loopback addresses only
    #[arg(long)]
    dev: bool,
}

impl Serve {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        if !self.dev {
            return Err(CliError::Usage(
                "this version cannot authenticate callers; it runs in development mode only, so \
                add --dev and listen on a loopback address"
                    .to_owned(),
            ));
        }
        let address = listen_address(self.listen, file)?;
        if !Authenticator::permits(&Development, address) {
            return Err(CliError::Usage(format!(
                "development mode believes everybody who connects, so it listens on loopback \
                addresses only; {address} is not one"
            )));
        }
        let rhythm = self.rhythm(file)?;
        let dir = self.place.dir(file);
        let ledger = Ledger::open(self.place.options(file)?).map_err(CliError::refused)?;
        let notary = self.notary(file, &ledger, &dir)?;
        block_on(async move {
            let server = Server::bind(address).await.map_err(|error| {
                CliError::Refused(format!("cannot listen on {address}: {error}"))
            })?;
            // Listen for the stop signal before the server announces its address, so that no signal
            // is missed.
            let stop = stop_signal()?;
            // Print this at every log level: a program that asked for port 0 waits for this line.
            output::note(format!("listening on http://{}", server.local_addr()));
            tracing::info!(key = %notary.verifier(), "checkpoints are signed by this key");
            let (stop_notary, stopping) = watch::channel(false);
            let witnesses = rhythm.witnesses.clone();
            let notarising = tokio::spawn(notary::run(notary.clone(), rhythm, stopping));
            let development = Arc::new(Development);
            let served = server
                .with_notary(notary, witnesses)
                .serve(ledger, development.clone(), development, stop)
                .await;
            // Let the notary finish its present checkpoint, because the journal may already hold
            // it.
            let _ = stop_notary.send(true);
            notarising.await.map_err(CliError::refused)?;
            served.map_err(CliError::refused)
        })
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
        })
    }

    fn notary(&self, file: &File, ledger: &Ledger, dir: &Path) -> Result<Arc<Notary>, CliError> {
        let origin = self.origin.as_deref().or(file.origin.as_deref());
        let signer = KeyFiles::in_ledger(dir).load(ledger, origin);
        let signer = signer.map_err(CliError::refused)?;
        let notary = Notary::open(ledger.clone(), dir, signer).map_err(CliError::refused)?;
        Ok(Arc::new(notary))
    }
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
