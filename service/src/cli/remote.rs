//! Connects to a server.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use crate::client::{Client, Target};
use crate::settings::{self, DEFAULT_SERVER};

/// The server to connect to, and what shows it who asks.
#[derive(Debug, Clone, Args)]
pub(super) struct Remote {
    /// Server to connect to: https://…, unix:PATH, or http://… on this machine [default:
    /// http://127.0.0.1:50051]
    #[arg(long, env = "PLANLEDGER_SERVER", value_name = "URL")]
    server: Option<String>,
    /// Who acts, in development mode: person/UUID or system/UUID
    #[arg(long = "as", env = "PLANLEDGER_ACTOR", value_name = "ACTOR")]
    #[arg(default_value = DEFAULT_ACTOR)]
    pub(super) actor: String,
    /// File with the token that shows who acts; it may be renewed while the command runs
    #[arg(long, env = "PLANLEDGER_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Authorities that sign the server's certificate, as PEM [default: those that browsers know]
    #[arg(long, env = "PLANLEDGER_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Certificate of the system that acts, as PEM; needs --key
    #[arg(long, env = "PLANLEDGER_CERT", value_name = "FILE")]
    cert: Option<PathBuf>,
    /// Private key of --cert, as PEM
    #[arg(long, env = "PLANLEDGER_KEY", value_name = "FILE")]
    key: Option<PathBuf>,
    /// Person for whom the system acts: person/UUID
    #[arg(long, env = "PLANLEDGER_ON_BEHALF_OF", value_name = "PERSON")]
    on_behalf_of: Option<String>,
    /// What it is for, such as audit; a grant for a purpose counts only for that
    #[arg(long, env = "PLANLEDGER_PURPOSE", value_name = "PURPOSE")]
    for_purpose: Option<String>,
}

/// The actor when the user names none: the command line itself, as a system.
pub(super) const DEFAULT_ACTOR: &str = "system/d5a1f8b2-6c1e-4f58-9a55-0c3b6f0d7a11";

impl Remote {
    /// Connects to the server.
    pub(super) async fn connect(&self, file: &settings::File) -> Result<Client, CliError> {
        let or = |given: &Option<PathBuf>, set: &Option<PathBuf>| given.clone().or(set.clone());
        let certificate = or(&self.cert, &file.cert);
        let identity = match (certificate, or(&self.key, &file.key)) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                let what = "a certificate needs its key, and a key its certificate: --cert, --key";
                return Err(CliError::Usage(what.to_owned()));
            }
        };
        let target = Target {
            url: self.url(file),
            actor: Some(self.actor.clone()),
            token_file: or(&self.token_file, &file.token_file),
            ca_file: or(&self.ca_file, &file.ca_file),
            identity,
            on_behalf_of: self.on_behalf_of.clone(),
            purpose: self.for_purpose.clone(),
        };
        Ok(Client::connect_to(&target).await?)
    }

    fn url(&self, file: &settings::File) -> String {
        let url = self.server.clone().or_else(|| file.server.clone());
        url.unwrap_or_else(|| DEFAULT_SERVER.to_owned())
    }
}

/// Runs the work of a network command on a runtime, until it is done.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::runtime::Runtime::new()?.block_on(work)
}
