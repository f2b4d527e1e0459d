//! `audit rotate-key`: replaces the key that signs checkpoints, offline.

use clap::Args;
use planledger_core::notary::Notary;

use super::super::error::CliError;
use super::super::output;
use super::super::place::LedgerPlace;
use crate::notary::KeyFiles;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in super::super) struct RotateKey {
    #[command(flatten)]
    place: LedgerPlace,
}

impl RotateKey {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        let dir = self.place.dir(file);
        let ledger = self.place.open(self.place.existing(file)?)?;
        let keys = KeyFiles::in_ledger(&dir);
        let signer = keys.load(&ledger, None).map_err(CliError::refused)?;
        let before = signer.verifier();
        let notary = Notary::open(ledger, &dir, signer).map_err(CliError::refused)?;
        let now = keys.rotate(notary).map_err(CliError::refused)?;
        output::note(format!(
            "{before} does not sign any more; this key signs from now on:"
        ));
        output::line(now);
        Ok(())
    }
}
