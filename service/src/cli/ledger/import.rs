//! `ledger import`: makes a new ledger of an export, offline.

use std::path::PathBuf;

use clap::Args;
use planledger_core::carry::{self, NewLedger};
use planledger_core::domain::Actor;
use planledger_core::ids::CommandId;
use planledger_core::text::ReasonText;
use uuid::Uuid;

use super::super::error::CliError;
use super::super::id::id;
use super::super::output;
use super::super::place::LedgerPlace;
use super::carried;
use crate::settings::File;
use crate::settings::master::Keeping;

#[derive(Debug, Args)]
pub(in super::super) struct Import {
    /// The file that `ledger export` has written
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Why. Do not write any names
    #[arg(long, value_name = "TEXT")]
    reason: ReasonText,
    /// Who does it: person/UUID or system/UUID
    #[arg(long, value_parser = id::<Actor>())]
    actor: Actor,
    /// Go on without the events that the export lacks; their places are held
    #[arg(long)]
    accept_missing: bool,
    #[command(flatten)]
    place: LedgerPlace,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        let dir = self.place.dir(file);
        // The master key is never made here, and never found in a directory that does not exist yet.
        self.place.master_key_exists(file)?;
        let options = self.place.options_with(file, Keeping::Apart)?;
        let bar = output::progress(0, "importing");
        let watch = |position| bar.set_position(position);
        let import = carry::Import {
            file: &self.file,
            accept_missing: self.accept_missing,
            into: NewLedger {
                options,
                sent: (CommandId::from_uuid(Uuid::new_v4()), self.actor),
                reason: self.reason,
            },
            watch: &watch,
        };
        let done = import.run();
        bar.finish_and_clear();
        carried::show(&done.map_err(CliError::refused)?, &dir, self.json);
        Ok(())
    }
}
