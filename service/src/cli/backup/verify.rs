//! `backup verify`.

use clap::Args;
use planledger_core::backup;
use planledger_core::hex;
use planledger_core::tlog::VerifierKey;
use serde_json::json;

use super::super::error::CliError;
use super::super::output;
use super::{Existing, Rate, place};

#[derive(Debug, Args)]
pub(in super::super) struct Verify {
    #[command(flatten)]
    existing: Existing,
    /// The number of the backup [default: the newest]
    #[arg(long, value_name = "NUMBER")]
    backup: Option<u64>,
    /// Where the keys are, to check their copies too; nothing is opened with them
    #[arg(long, value_name = "PLACE")]
    keys_from: Option<String>,
    /// The key that has to have signed it, as `planledger audit key` prints it [default: the key that the
    /// backup names]
    #[arg(long, value_name = "VKEY")]
    key: Option<VerifierKey>,
    #[command(flatten)]
    rate: Rate,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) fn run(self) -> Result<(), CliError> {
        let from = self.existing.open()?;
        let keys = self.keys_from.as_deref().map(place).transpose()?;
        let bar = output::progress(0, "checking");
        let watch = |bytes| bar.set_position(bytes);
        let pace = self.rate.pace();
        let (keys, key) = (keys.as_deref(), self.key.as_ref());
        let checked = backup::check(&*from, keys, self.backup, key, pace, &watch);
        bar.finish_and_clear();
        let checked = checked.map_err(CliError::refused)?;
        let manifest = &checked.signed.manifest;
        if self.json {
            output::value(&json!({
                "number": manifest.number,
                "position": manifest.position.get(),
                "commit": manifest.commit.get(),
                "root": hex::encode(&manifest.root),
                "files": checked.files,
                "bytes": checked.bytes,
                "checkpoints": checked.checkpoints,
                "keysChecked": checked.with_keys,
                "key": checked.signed.key.to_string(),
                "keyGiven": self.key.is_some(),
            }));
            return Ok(());
        }
        output::line(format!(
            "backup {} is sound: {} events in {} commits, root {}, {} files, {} checkpoints",
            manifest.number,
            manifest.position,
            manifest.commit,
            hex::encode(&manifest.root),
            checked.files,
            checked.checkpoints
        ));
        output::line(format!("it is signed by {}", checked.signed.key));
        if self.key.is_none() {
            output::note("look that this is the log's key, or name it with --key");
        }
        Ok(())
    }
}
