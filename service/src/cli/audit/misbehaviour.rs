//! `audit misbehaviour`: checks a proof that a log contradicts itself. It needs only the file and the
//! keys that the reader trusts.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use planledger_core::audit::compare::{MOST_BYTES, Misbehaved, check_misbehaviour};

use super::super::error::CliError;
use super::super::output;
use super::verify::Trust;

#[derive(Debug, Args)]
pub(in super::super) struct Check {
    /// The proof
    file: PathBuf,
    #[command(flatten)]
    trust: Trust,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self) -> Result<(), CliError> {
        let policy = self.trust.policy()?;
        let at = |error: &dyn std::fmt::Display| {
            CliError::Refused(format!("{}: {error}", self.file.display()))
        };
        let input = File::open(&self.file).map_err(|error| at(&error))?;
        let mut proof = Vec::new();
        let mut input = input.take(MOST_BYTES as u64 + 1);
        input.read_to_end(&mut proof).map_err(|error| at(&error))?;
        let found = check_misbehaviour(&proof, &policy).map_err(|error| at(&error))?;
        match self.json {
            true => output::value(&finding(&found)),
            false => {
                output::line(format!(
                    "Proved: the log {} contradicts itself",
                    found.origin
                ));
                say(&found);
                output::line("This file does not prove:");
                output::line("  – which of the two is what happened, or why there are two");
                output::line(
                    "  – who did it: whoever holds the key can have signed, and so can a ledger that \
                     was put back to an older copy and went on",
                );
            }
        }
        Ok(())
    }
}

/// A contradiction as lines of text.
pub(super) fn say(found: &Misbehaved) {
    output::line(format!("  ✗ {}: {}", found.finding.code(), found.finding));
    for key in &found.signed_by {
        output::line(format!("    signed by {key}"));
    }
    output::line(format!("    it means: {}", found.finding.meaning()));
}

/// A contradiction as JSON.
pub(super) fn finding(found: &Misbehaved) -> serde_json::Value {
    let keys = found.signed_by.iter().map(ToString::to_string);
    serde_json::json!({
        "origin": found.origin,
        "kind": found.finding.code(),
        "what": found.finding.to_string(),
        "means": found.finding.meaning(),
        "signedBy": keys.collect::<Vec<_>>(),
    })
}
