//! `audit key` and `audit checkpoint`: shows the signing key and checkpoints.

use clap::Args;
use planledger_proto::v1::{GetCheckpointRequest, GetVerifierKeysRequest};

use super::super::error::CliError;
use super::super::output;
use super::super::remote::Remote;
use super::super::shown::Lines;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in super::super) struct Key {
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in super::super) struct Checkpoint {
    /// Make a new checkpoint of everything recorded so far
    #[arg(long)]
    new: bool,
    /// Show the smallest kept checkpoint that covers at least this many events
    #[arg(long, value_name = "EVENTS", default_value_t = 0)]
    min_size: u64,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Key {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let request = GetVerifierKeysRequest::default();
        let keys = client
            .audit()
            .get_verifier_keys(request)
            .await?
            .into_inner();
        match self.json {
            true => output::json(&keys),
            false => {
                output::line(keys.current);
                Ok(())
            }
        }
    }
}

impl Checkpoint {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let request = GetCheckpointRequest {
            min_size: self.min_size,
            create: self.new,
        };
        let found = client.audit().get_checkpoint(request).await?.into_inner();
        if self.json {
            return output::json(&found);
        }
        let mut lines = Lines::default();
        lines.quote("", &found.checkpoint.unwrap_or_default().note);
        output::lines(&lines);
        Ok(())
    }
}
