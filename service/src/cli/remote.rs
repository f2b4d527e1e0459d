//! Which server to talk to, and how.

use clap::Args;

use super::failure::Failure;
use crate::settings::{self, DEFAULT_SERVER};

/// Which server to talk to, and as whom.
#[derive(Debug, Clone, Args)]
pub(super) struct Remote {
    /// Server to talk to [default: http://127.0.0.1:50051]
    #[arg(long, env = "PLANLEDGER_SERVER", value_name = "URL")]
    server: Option<String>,
    /// Who acts, in development mode: person/UUID or system/UUID
    #[arg(long = "as", env = "PLANLEDGER_ACTOR", value_name = "ACTOR")]
    #[arg(default_value = DEFAULT_ACTOR)]
    pub(super) actor: String,
}

/// The system that acts when nobody else is named: the command line itself.
pub(super) const DEFAULT_ACTOR: &str = "system/d5a1f8b2-6c1e-4f58-9a55-0c3b6f0d7a11";

impl Remote {
    pub(super) fn url(&self, file: &settings::File) -> String {
        let url = self.server.clone().or_else(|| file.server.clone());
        url.unwrap_or_else(|| DEFAULT_SERVER.to_owned())
    }
}

/// The runtime that network commands run on.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Runtime::new()?.block_on(work)
}
