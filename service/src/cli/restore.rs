//! `planledger restore`: puts a ledger back from a backup, into a new directory.

use std::path::PathBuf;

use clap::Args;
use planledger_core::backup::{self, Lost, PutBack, Until};
use planledger_core::domain::Actor;
use planledger_core::hex;
use planledger_core::ids::{CommandId, Position};
use planledger_core::text::ReasonText;
use planledger_core::time::Timestamp;
use planledger_core::tlog::VerifierKey;
use serde_json::json;
use uuid::Uuid;

use super::backup::{Existing, place};
use super::error::CliError;
use super::id::id;
use super::moment::{self, When};
use super::output;
use super::place::LedgerPlace;
use crate::secret::{Links, read_secret};
use crate::settings::File;
use crate::settings::master::Keeping;

/// Put a ledger back from a backup, into a new directory
#[derive(Debug, Args)]
pub(super) struct Restore {
    #[command(flatten)]
    existing: Existing,
    /// Where the keys are
    #[arg(long, value_name = "PLACE")]
    keys_from: String,
    /// The number of the backup [default: the newest]
    #[arg(long, value_name = "NUMBER")]
    backup: Option<u64>,
    /// Only up to a position (1234), the end of a day (2026-02-22) or an instant
    /// (2026-02-22T14:00:00+01:00)
    #[arg(long, value_name = "MOMENT", value_parser = moment::when)]
    to: Option<When>,
    /// The directory that is given up, as far as it can be read: its later checkpoints, acts and commands are
    /// taken into account
    #[arg(long, value_name = "DIR")]
    lost: Option<PathBuf>,
    /// The newest erasures/acts.txt, if it is neither there nor in a backup
    #[arg(long, value_name = "FILE")]
    acts: Option<PathBuf>,
    /// File with checkpoints that a witness or an auditor kept
    #[arg(long, value_name = "FILE")]
    checkpoints: Option<PathBuf>,
    /// File with the key that signs checkpoints, if it was not backed up with the keys
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
    /// The key that has to have signed the backup, as `planledger audit key` prints it
    #[arg(long, value_name = "VKEY")]
    key: Option<VerifierKey>,
    /// Why. Do not write any names
    #[arg(long, value_name = "TEXT")]
    reason: ReasonText,
    /// Who does it: person/UUID or system/UUID
    #[arg(long, value_parser = id::<Actor>())]
    actor: Actor,
    #[command(flatten)]
    place: LedgerPlace,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Restore {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        let (from, keys) = (self.existing.open()?, place(&self.keys_from)?);
        let dir = self.place.dir(file);
        // Read first: a mistake is better found before the work than after it.
        let signing_key = self.signing_key.as_ref().map(|path| {
            read_secret(path, Links::Followed)
                .map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))
        });
        let signing_key = signing_key.transpose()?;
        // The key is never made here, and never found in a directory that does not exist yet.
        self.place.master_key_exists(file)?;
        let options = self.place.options_with(file, Keeping::Apart)?;
        let bar = output::progress(0, "restoring");
        let watch = |bytes| bar.set_position(bytes);
        let restore = backup::Restore {
            place: &*from,
            keys: &*keys,
            number: self.backup,
            key: self.key.as_ref(),
            until: until(self.to),
            lost: Lost {
                dir: self.lost.as_deref(),
                acts: self.acts.as_deref(),
                checkpoints: self.checkpoints.as_deref(),
            },
            options,
            sent: (CommandId::from_uuid(Uuid::new_v4()), self.actor),
            reason: self.reason,
            signing_key: signing_key.as_deref().map(String::as_str),
            watch: &watch,
        };
        let done = restore.run();
        bar.finish_and_clear();
        let done = done.map_err(CliError::refused)?;
        match self.json {
            true => output::value(&json(&done)),
            false => show(&done, &dir.display().to_string()),
        }
        Ok(())
    }
}

fn until(to: Option<When>) -> Until {
    match to {
        None => Until::End,
        Some(When::Position(position)) => Until::Position(Position::new(position)),
        Some(When::Instant(nanos)) => Until::Instant(Timestamp::from_nanos(nanos)),
    }
}

fn show(done: &PutBack, dir: &str) {
    let restored = &done.restored;
    output::line(format!(
        "backup {} is put back in {dir}, up to position {}; it is on record at position {}",
        done.number, restored.position, done.recorded
    ));
    match restored.reached > restored.position {
        true => output::line(format!(
            "the ledger is known to have reached position {}: what lies between is not there any more",
            restored.reached
        )),
        false => output::line("nothing is known to have been recorded after it"),
    }
    if let Some(beyond) = &restored.beyond {
        output::line(format!(
            "a checkpoint of {} events was signed, root {}; tell auditors and witnesses",
            beyond.size,
            hex::encode(&beyond.root)
        ));
    }
    if restored.commands > 0 {
        output::line(format!(
            "{} commands with receipts are lost, and are refused if they come again",
            restored.commands
        ));
    }
    if done.lost_was_whole == Some(false) {
        output::note(
            "the journal that is given up could not be read to its end; see the log above",
        );
    }
    if !done.has_signing_key {
        output::note("put keys/checkpoint.key there from its safe before the server starts");
    }
}

fn json(done: &PutBack) -> serde_json::Value {
    let restored = &done.restored;
    json!({
        "number": done.number,
        "position": restored.position.get(),
        "reached": restored.reached.get(),
        "recordedAtPosition": done.recorded.get(),
        "events": done.status.position.get(),
        "root": hex::encode(&done.status.root),
        "beyond": restored.beyond.map(|beyond| json!({
            "size": beyond.size.get(),
            "root": hex::encode(&beyond.root),
        })),
        "lostCommands": restored.commands,
        "lostWasWhole": done.lost_was_whole,
        "hasSigningKey": done.has_signing_key,
    })
}
