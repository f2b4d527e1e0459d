//! `erasure reapply`.

use clap::Args;
use planledger_core::ledger::{Options, Undone};

use super::super::error::CliError;
use super::super::output;
use super::super::place::LedgerPlace;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in crate::cli) struct Reapply {
    #[command(flatten)]
    place: LedgerPlace,
}

impl Reapply {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        let options = Options {
            undone: Undone::CarryOutAgain,
            ..self.place.options(file)?
        };
        let ledger = self.place.open(options)?;
        let pending = ledger.carry_out_erasures().map_err(CliError::refused)?;
        ledger.settle();
        output::line("every redaction and erasure on record is carried out");
        if !pending.is_empty() {
            output::line(format!(
                "{} of them were approved and not finished",
                pending.len()
            ));
        }
        Ok(())
    }
}
