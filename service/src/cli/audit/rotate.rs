//! `audit rotate-key`: replaces the key that signs checkpoints, offline.

use clap::Args;
use planledger_core::ledger::Ledger;
use planledger_core::notary::Notary;

use super::super::failure::Failure;
use super::super::output;
use super::super::place::Place;
use crate::notary::KeyFiles;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in super::super) struct RotateKey {
    #[command(flatten)]
    place: Place,
}

impl RotateKey {
    pub(super) fn run(self, file: &File) -> Result<(), Failure> {
        let dir = self.place.dir(file);
        if !dir.join("journal").is_dir() {
            let dir = dir.display();
            return Err(Failure::Refused(format!("{dir} holds no ledger")));
        }
        let ledger = Ledger::open(self.place.options(file)?).map_err(Failure::refused)?;
        let keys = KeyFiles::in_ledger(&dir);
        let signer = keys.load(&ledger, None).map_err(Failure::refused)?;
        let before = signer.verifier();
        let notary = Notary::open(ledger, &dir, signer).map_err(Failure::refused)?;
        let now = keys.rotate(notary).map_err(Failure::refused)?;
        output::note(format!("{before} signs no more; from now on signs:"));
        output::line(now);
        Ok(())
    }
}
