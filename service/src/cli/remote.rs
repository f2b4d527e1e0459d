//! Connects to a server.

use clap::Args;

use super::error::CliError;
use crate::settings::{self, DEFAULT_SERVER};

/// The server to connect to, and the actor of the requests.
#[derive(Debug, Clone, Args)]
pub(super) struct Remote {
    /// Server to connect to [default: http://127.0.0.1:50051]
    #[arg(long, env = "PLANLEDGER_SERVER", value_name = "URL")]
    server: Option<String>,
    /// Who acts, in development mode: person/UUID or system/UUID
    #[arg(long = "as", env = "PLANLEDGER_ACTOR", value_name = "ACTOR")]
    #[arg(default_value = DEFAULT_ACTOR)]
    pub(super) actor: String,
}

/// The actor when the user names none: the command line itself, as a system.
pub(super) const DEFAULT_ACTOR: &str = "system/d5a1f8b2-6c1e-4f58-9a55-0c3b6f0d7a11";

impl Remote {
    pub(super) fn url(&self, file: &settings::File) -> String {
        let url = self.server.clone().or_else(|| file.server.clone());
        url.unwrap_or_else(|| DEFAULT_SERVER.to_owned())
    }
}

/// Runs the work of a network command on a runtime, until it is done.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::runtime::Runtime::new()?.block_on(work)
}
