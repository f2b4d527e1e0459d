//! Commands that open the ledger's directory without a server, and `ledger rebuild`.

use std::sync::Arc;

use clap::Args;
use planledger_core::hex;
use planledger_core::ledger;

use super::super::error::CliError;
use super::super::output;
use super::super::place::LedgerPlace;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in super::super) struct Offline {
    #[command(flatten)]
    place: LedgerPlace,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Offline {
    /// The options to open an existing ledger. Fails if the directory holds no journal.
    pub(super) fn options(&self, file: &File) -> Result<ledger::Options, CliError> {
        self.place.existing(file)
    }

    /// Opens an existing ledger to record something in it.
    pub(super) fn open(&self, options: ledger::Options) -> Result<ledger::Ledger, CliError> {
        self.place.open(options)
    }

    /// Builds derived state again from the journal.
    pub(super) fn rebuild(self, file: &File) -> Result<(), CliError> {
        let mut options = self.options(file)?;
        let bar = output::progress(0, "rebuilding");
        options.progress = Some(Arc::new(move |done, all| {
            bar.set_length(all);
            bar.set_position(done);
            if done == all {
                bar.finish_and_clear();
            }
        }));
        let status = ledger::rebuild(options).map_err(CliError::refused)?;
        if self.json {
            output::value(&serde_json::json!({
                "events": status.position.get(),
                "commits": status.commit.get(),
                "root": hex::encode(&status.root),
            }));
        } else {
            output::line(format!(
                "derived state is rebuilt from {} events in {} commits",
                status.position, status.commit
            ));
        }
        Ok(())
    }
}
