//! `backup forget`.

use clap::Args;
use planledger_core::backup;
use planledger_core::time::Clock;
use serde_json::json;

use super::super::error::CliError;
use super::super::output;
use super::{Existing, Kept, place};
use crate::clock::LedgerClock;
use crate::settings::SettingsError;

#[derive(Debug, Args)]
pub(in super::super) struct Forget {
    #[command(flatten)]
    existing: Existing,
    /// Where the keys are
    #[arg(long, value_name = "PLACE")]
    keys_from: String,
    #[command(flatten)]
    kept: Kept,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Forget {
    pub(super) fn run(self) -> Result<(), CliError> {
        let keep = self.kept.keep();
        if !keep.is_given() {
            let what = "say what is kept: --keep-last, --keep-daily, --keep-monthly or --keep-days";
            return Err(CliError::Usage(what.to_owned()));
        }
        let now = LedgerClock::start().map_err(SettingsError::from)?.now();
        let (from, keys) = (self.existing.open()?, place(&self.keys_from)?);
        let forgotten = backup::forget(&*from, Some(&*keys), &keep, now);
        let forgotten = forgotten.map_err(CliError::refused)?;
        match self.json {
            true => output::value(&json!({ "forgotten": forgotten })),
            false => output::line(format!("{} backups are forgotten", forgotten.len())),
        }
        Ok(())
    }
}
