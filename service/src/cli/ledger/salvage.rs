//! `ledger doctor --salvage`: makes a new ledger of everything that still verifies.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use planledger_core::carry::{self, NewLedger};
use planledger_core::domain::Actor;
use planledger_core::ids::CommandId;
use planledger_core::ledger::Options;
use planledger_core::text::ReasonText;
use uuid::Uuid;

use super::super::error::CliError;
use super::super::id::id;
use super::super::output;
use super::super::place::LedgerPlace;
use super::carried;
use crate::settings::File;

#[derive(Debug, Args)]
pub(super) struct Salvage {
    /// Make a new ledger in this new directory of everything that still verifies, and say what is lost. The
    /// damaged directory is not changed
    #[arg(long, value_name = "NEW", requires_all = ["reason", "actor"], conflicts_with = "repair")]
    pub(super) salvage: Option<PathBuf>,
    /// Why the new ledger is made. Do not write any names
    #[arg(long, value_name = "TEXT", requires = "salvage")]
    reason: Option<ReasonText>,
    /// Who makes it: person/UUID or system/UUID
    #[arg(long, value_parser = id::<Actor>(), requires = "salvage")]
    actor: Option<Actor>,
}

impl Salvage {
    pub(super) fn run(
        &self,
        place: &LedgerPlace,
        file: &File,
        new: &Path,
        json: bool,
    ) -> Result<(), CliError> {
        let (Some(reason), Some(actor)) = (self.reason.clone(), self.actor) else {
            return Err(CliError::Usage(
                "--salvage needs --reason and --actor".to_owned(),
            ));
        };
        let damaged = place.existing(file)?;
        let options = Options {
            dir: new.to_owned(),
            master: damaged.master.clone(),
            rescue: damaged.rescue,
            clock: damaged.clock.clone(),
            entropy: damaged.entropy.clone(),
            progress: None,
            undone: damaged.undone,
        };
        let bar = output::progress(0, "salvaging");
        let watch = |position| bar.set_position(position);
        let salvage = carry::Salvage {
            damaged: &damaged,
            into: NewLedger {
                options,
                sent: (CommandId::from_uuid(Uuid::new_v4()), actor),
                reason,
            },
            master_key: kept_in(&damaged.dir)?,
            watch: &watch,
        };
        let done = salvage.run();
        bar.finish_and_clear();
        carried::show(&done.map_err(CliError::refused)?, new, json);
        Ok(())
    }
}

/// The file with the master key, if it lies in the directory, as in development mode.
fn kept_in(dir: &Path) -> Result<Option<Vec<u8>>, CliError> {
    match fs::read(dir.join("keys/master.key")) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
