//! `planledger witness`: watches logs and cosigns their checkpoints as long as the logs only grow.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use planledger_core::tlog::{Algorithm, VerifierKey};

use super::error::CliError;
use super::remote::block_on;
use super::{cosigner, output};
use crate::notary::WITNESS_TIMEOUT;
use crate::server::stop_signal;
use crate::settings;
use crate::witness::{WitnessServer, bind};

/// Most bytes of a checkpoint that a log shows.
const NOTE_BYTES: u64 = 64 << 10;

/// Watch logs: cosign their checkpoints as long as they only grow (C2SP tlog-witness)
#[derive(Debug, Args)]
pub(super) struct Witness {
    /// Directory of the witness: its key, and the last checkpoint of each log
    #[arg(
        long,
        env = "PLANLEDGER_WITNESS_DIR",
        value_name = "DIR",
        default_value = "planledger-witness"
    )]
    dir: PathBuf,
    /// Address to listen on; put a proxy with TLS in front to serve other machines
    #[arg(
        long,
        env = "PLANLEDGER_WITNESS_LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:50052"
    )]
    listen: SocketAddr,
    /// Name of the witness, such as witness.example/1; only a new key takes it
    #[arg(long, env = "PLANLEDGER_WITNESS_NAME", value_name = "NAME")]
    name: Option<String>,
    /// Keys of the logs to watch: NAME+HASH+KEY
    #[arg(
        long = "log-key",
        value_name = "VKEY",
        required_unless_present = "policy"
    )]
    logs: Vec<VerifierKey>,
    /// A second directory for what the witness remembers, on another disk or machine: if one of the two
    /// is put back to an older state, the newer one counts
    #[arg(long, env = "PLANLEDGER_WITNESS_COPY", value_name = "DIR")]
    copy: Option<PathBuf>,
    /// A C2SP policy file with the logs to watch. Where it says where a log publishes, the witness
    /// compares what it remembers with the log's newest checkpoint when it starts
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// The newest checkpoint that a log publishes.
fn shown(url: &str) -> Result<Vec<u8>, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(WITNESS_TIMEOUT))
        .build()
        .into();
    let url = format!("{}/checkpoint", url.trim_end_matches('/'));
    let mut answer = agent.get(url).call()?;
    let body = answer.body_mut().with_config().limit(NOTE_BYTES);
    body.read_to_vec()
}

impl Witness {
    pub(super) fn run(self) -> Result<(), CliError> {
        let path = self.dir.join("witness.key");
        let signer = cosigner::key(
            &path,
            self.name.as_deref(),
            Algorithm::Cosignature,
            "witness",
        )?;
        let mut logs = self.logs;
        let mut published = Vec::new();
        if let Some(path) = &self.policy {
            let policy = settings::policy(path)?;
            logs.extend(policy.logs().iter().cloned());
            published.extend(policy.log_urls().iter().map(|(_, url)| url.clone()));
        }
        // Others need this key to check the witness's cosignatures.
        output::line(signer.verifier());
        let copy = self.copy.as_deref();
        let mut witness =
            WitnessServer::open(&self.dir, copy, signer, logs).map_err(CliError::refused)?;
        witness.older().iter().for_each(output::note);
        for url in published {
            match shown(&url) {
                Ok(note) => {
                    let older = witness.compare(&note).map_err(CliError::refused)?;
                    older.iter().for_each(output::note);
                }
                Err(error) => output::note(format!(
                    "what this witness remembers was not compared with what {url} shows: {error}"
                )),
            }
        }
        let address = self.listen;
        block_on(async move {
            let listener = bind(address).await.map_err(|error| {
                CliError::Refused(format!("cannot listen on {address}: {error}"))
            })?;
            // Listen for the stop signal before the witness announces its address, so that no
            // signal is missed.
            let stop = stop_signal()?;
            output::note(format!("listening on http://{}", listener.local_addr()?));
            Ok(witness.serve(listener, stop).await?)
        })
    }
}
