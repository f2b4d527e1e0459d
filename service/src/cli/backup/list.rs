//! `backup list`.

use clap::Args;
use planledger_core::backup::{self, Listed};
use planledger_core::hex;
use planledger_core::tlog::VerifierKey;
use serde_json::json;

use super::super::error::CliError;
use super::super::output;
use super::Existing;

#[derive(Debug, Args)]
pub(in super::super) struct List {
    #[command(flatten)]
    existing: Existing,
    /// The key that has to have signed them, as `planledger audit key` prints it
    #[arg(long, value_name = "VKEY")]
    key: Option<VerifierKey>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(self) -> Result<(), CliError> {
        let place = self.existing.open()?;
        let found = backup::list(&*place, self.key.as_ref()).map_err(CliError::refused)?;
        let faulty = found.iter().filter(|backup| backup.signed.is_err()).count();
        if self.json {
            let backups: Vec<_> = found.iter().map(json).collect();
            output::value(&json!({ "backups": backups }));
        } else {
            let heading = ["BACKUP", "MADE", "POSITION", "RECORDED", "BYTES", "ROOT"];
            let rows = std::iter::once(heading.map(str::to_owned).to_vec());
            output::table(&rows.chain(found.iter().map(row)).collect::<Vec<_>>());
        }
        match faulty {
            0 => Ok(()),
            _ => Err(CliError::Refused(format!(
                "{faulty} backups cannot be believed"
            ))),
        }
    }
}

fn row(listed: &Listed) -> Vec<String> {
    let number = listed.number.to_string();
    match &listed.signed {
        Ok(signed) => {
            let manifest = &signed.manifest;
            let bytes: u64 = manifest.files.iter().map(|file| file.len).sum();
            vec![
                number,
                manifest.made_at.to_string(),
                manifest.position.to_string(),
                manifest.recorded_at.to_string(),
                bytes.to_string(),
                hex::encode(&manifest.root),
            ]
        }
        Err(error) => vec![number, format!("its manifest {error}")],
    }
}

fn json(listed: &Listed) -> serde_json::Value {
    match &listed.signed {
        Ok(signed) => {
            let manifest = &signed.manifest;
            json!({
                "number": listed.number,
                "ledger": manifest.ledger.to_string(),
                "madeAt": manifest.made_at.to_string(),
                "position": manifest.position.get(),
                "commit": manifest.commit.get(),
                "recordedAt": manifest.recorded_at.to_string(),
                "root": hex::encode(&manifest.root),
                "bytes": manifest.files.iter().map(|file| file.len).sum::<u64>(),
                "key": signed.key.to_string(),
            })
        }
        Err(error) => json!({ "number": listed.number, "fault": error.to_string() }),
    }
}
