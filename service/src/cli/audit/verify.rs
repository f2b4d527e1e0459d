//! `audit verify`: checks a file of evidence. It needs only the file and the keys that the reader
//! trusts.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;
use planledger_core::audit::{Report, VerifyOptions, verify_bundle};
use planledger_core::ledger::RecordedEvent;
use planledger_core::tlog::{Policy, SignedCheckpoint, VerifierKey};

use super::super::error::CliError;
use super::super::names::Names;
use super::super::{output, shown, timeline};
use super::report::{json, limits, proofs};
use crate::settings;

/// The most characters of a cell of the table of events.
const MOST_CELL: usize = 200;
/// The most characters of what is said about a fault.
const MOST_FAULT: usize = 1_000;

#[derive(Debug, Args)]
pub(in super::super) struct Verify {
    /// The file of evidence
    file: PathBuf,
    #[command(flatten)]
    trust: Trust,
    /// A checkpoint that you kept earlier: check that the log has only grown since then
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// Also print the events that the file discloses
    #[arg(long, conflicts_with = "json")]
    events: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The key or policy that the reader trusts.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Trust {
    /// The log's published key: NAME+HASH+KEY
    #[arg(long, value_name = "VKEY")]
    key: Option<VerifierKey>,
    /// A C2SP policy: the logs, the witnesses, and how many witnesses must have cosigned
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

impl Trust {
    /// Whom the reader believes.
    pub(super) fn policy(&self) -> Result<Policy, CliError> {
        match (&self.key, &self.policy) {
            (Some(key), _) => Ok(Policy::of_logs(vec![key.clone()])),
            (None, Some(path)) => Ok(settings::policy(path)?),
            (None, None) => Err(CliError::Usage(
                "name what you trust: give --key or --policy".to_owned(),
            )),
        }
    }
}

impl Verify {
    pub(super) fn run(self) -> Result<(), CliError> {
        let policy = self.trust.policy()?;
        let since = self.since.as_deref().map(read_checkpoint).transpose()?;
        let options = VerifyOptions { policy, since };
        let refused =
            |error: std::io::Error| CliError::Refused(format!("{}: {error}", self.file.display()));
        let input = fs::File::open(&self.file).map_err(refused)?;
        let bar = output::progress(input.metadata().map_err(refused)?.len(), "checking");
        let mut input = BufReader::with_capacity(1 << 20, bar.wrap_read(input));
        let mut happened = Vec::new();
        let mut seen = |recorded: &RecordedEvent, _: &_| {
            if self.events {
                happened.push(crate::wire::event(recorded.clone()));
            }
        };
        let checked = verify_bundle(&mut input, &options, &mut seen);
        bar.finish_and_clear();
        match checked {
            Ok(report) => {
                self.print(&report, &options);
                if self.events {
                    output::table(&bounded(timeline::rows(&happened, &Names::default())));
                }
                Ok(())
            }
            Err(fault) => {
                let what = shown::foreign(&fault.fault.what, MOST_FAULT);
                if self.json {
                    output::value(&serde_json::json!({
                        "sound": false,
                        "line": fault.line,
                        "position": fault.fault.position.get(),
                        "kind": fault.fault.kind.code(),
                        "what": what,
                    }));
                }
                let file = self.file.display();
                let fault = shown::foreign(&fault.to_string(), MOST_FAULT);
                Err(CliError::Refused(format!("{file} has a fault: {fault}")))
            }
        }
    }

    fn print(&self, report: &Report, options: &VerifyOptions) {
        if self.json {
            output::value(&json(report, options));
            return;
        }
        output::line("Proved:");
        for proved in proofs(report, options) {
            output::line(format!("  ✓ {proved}"));
        }
        output::line("This file does not prove:");
        for limit in limits(report, options) {
            output::line(format!("  – {limit}"));
        }
    }
}

/// The events that the file discloses. Their texts are other people's.
fn bounded(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let rows = rows.into_iter();
    let shown = |cell: String| shown::foreign(&cell, MOST_CELL);
    rows.map(|row| row.into_iter().map(shown).collect())
        .collect()
}

fn read_checkpoint(path: &Path) -> Result<SignedCheckpoint, CliError> {
    let refused = |error: &dyn std::fmt::Display| {
        let error = shown::foreign(&error.to_string(), MOST_FAULT);
        CliError::Refused(format!("{}: {error}", path.display()))
    };
    let bytes = fs::read(path).map_err(|error| refused(&error))?;
    SignedCheckpoint::parse(&bytes).map_err(|error| refused(&error))
}
