//! `backup create`.

use clap::Args;
use planledger_core::backup::{self, Created, Step};
use planledger_core::hex;
use planledger_core::time::Clock;
use serde_json::json;

use super::super::error::CliError;
use super::super::output;
use super::super::place::Directory;
use super::stream::Stream;
use super::{Kept, Rate, place};
use crate::clock::LedgerClock;
use crate::notary::KeyFiles;
use crate::settings::{File, SettingsError};

#[derive(Debug, Args)]
pub(in super::super) struct Create {
    /// Where the backup goes: a folder, s3://BUCKET/PATH or az://CONTAINER/PATH; - for standard output, as a
    /// tar file
    #[arg(value_name = "PLACE")]
    place: String,
    /// Where the keys go: another place, which nobody reaches who reaches the first
    #[arg(long, value_name = "PLACE")]
    keys_to: String,
    /// Also put the key that signs checkpoints there; without it, keep that key in a safe
    #[arg(long)]
    with_signing_key: bool,
    /// Read closed segments too that look as they did at the last backup
    #[arg(long)]
    read_all: bool,
    #[command(flatten)]
    rate: Rate,
    #[command(flatten)]
    kept: Kept,
    #[command(flatten)]
    directory: Directory,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Create {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        let dir = self.directory.existing(file)?;
        let signer = KeyFiles::in_ledger(&dir)
            .present()
            .map_err(CliError::refused)?;
        let signer = signer.ok_or_else(|| {
            CliError::Refused(format!(
                "{} has no keys/checkpoint.key, which signs the list of what is in a backup; the first \
                 start of the server makes it",
                dir.display()
            ))
        })?;
        if self.keys_to == self.place || self.keys_to == "-" {
            return Err(CliError::Usage(
                "keys belong in a place apart: whoever has both can read everything once they have the \
                 master key"
                    .to_owned(),
            ));
        }
        let clock = LedgerClock::start().map_err(SettingsError::from)?;
        let keys = place(&self.keys_to)?;
        let to_stream = self.place == "-";
        if to_stream && self.kept.keep().is_given() {
            let what = "a stream keeps nothing: leave --keep-… out";
            return Err(CliError::Usage(what.to_owned()));
        }
        let stream = Stream;
        let named = match to_stream {
            true => None,
            false => Some(place(&self.place)?),
        };
        let bar = output::progress(0, "backing up");
        let watch = |step: &Step| bar.set_position(step.bytes);
        let create = backup::Create {
            dir: &dir,
            place: named.as_deref().unwrap_or(&stream),
            keys: &*keys,
            signer: &signer,
            with_signing_key: self.with_signing_key,
            read_all: self.read_all,
            clock: &clock,
            watch: &watch,
        };
        let created = create.run(self.rate.pace()).map_err(CliError::refused)?;
        bar.finish_and_clear();
        if to_stream {
            stream.finish()?;
        }
        let mut forgotten = Vec::new();
        if let Some(place) = &named {
            let keep = self.kept.keep();
            let done = backup::forget(&**place, Some(&*keys), &keep, clock.now());
            forgotten = done.map_err(CliError::refused)?;
        }
        match (self.json, to_stream) {
            (true, false) => output::value(&json(&created, &forgotten)),
            (true, true) => output::note(json(&created, &forgotten)),
            (false, false) => output::line(said(&created)),
            (false, true) => output::note(said(&created)),
        }
        if !self.json && !forgotten.is_empty() {
            output::note(format!("{} older backups are forgotten", forgotten.len()));
        }
        Ok(())
    }
}

fn said(created: &Created) -> String {
    let Created { manifest, step } = created;
    format!(
        "backup {}: up to position {} (recorded {}), root {}; {} bytes, {} of them new",
        manifest.number,
        manifest.position,
        manifest.recorded_at,
        hex::encode(&manifest.root),
        step.bytes,
        step.stored
    )
}

fn json(created: &Created, forgotten: &[u64]) -> serde_json::Value {
    let Created { manifest, step } = created;
    json!({
        "number": manifest.number,
        "position": manifest.position.get(),
        "commit": manifest.commit.get(),
        "recordedAt": manifest.recorded_at.to_string(),
        "root": hex::encode(&manifest.root),
        "files": step.files,
        "bytes": step.bytes,
        "readBytes": step.read,
        "storedBytes": step.stored,
        "forgotten": forgotten,
    })
}
