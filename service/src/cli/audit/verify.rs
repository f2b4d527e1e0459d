//! `audit verify`: checks a file of evidence. It needs only the file and the keys that the reader
//! trusts.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;
use planledger_core::audit::{Disclosure, Report, Scope, VerifyOptions, verify_bundle};
use planledger_core::ledger::RecordedEvent;
use planledger_core::time::Timestamp;
use planledger_core::tlog::{Policy, SignedCheckpoint, VerifierKey};

use super::super::error::CliError;
use super::super::names::Names;
use super::super::{output, timeline};
use crate::settings;

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
struct Trust {
    /// The log's published key: NAME+HASH+KEY
    #[arg(long, value_name = "VKEY")]
    key: Option<VerifierKey>,
    /// A C2SP policy: the logs, the witnesses, and how many witnesses must have cosigned
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self) -> Result<(), CliError> {
        let policy = match (&self.trust.key, &self.trust.policy) {
            (Some(key), _) => Policy::of_logs(vec![key.clone()]),
            (None, Some(path)) => settings::policy(path)?,
            (None, None) => {
                return Err(CliError::Usage(
                    "name what you trust: give --key or --policy".to_owned(),
                ));
            }
        };
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
                    output::table(&timeline::rows(&happened, &Names::default()));
                }
                Ok(())
            }
            Err(fault) => {
                if self.json {
                    output::value(&serde_json::json!({
                        "sound": false,
                        "line": fault.line,
                        "position": fault.fault.position.get(),
                        "kind": fault.fault.kind.code(),
                        "what": fault.fault.what,
                    }));
                }
                let file = self.file.display();
                Err(CliError::Refused(format!("{file} has a fault: {fault}")))
            }
        }
    }

    fn print(&self, report: &Report, options: &VerifyOptions) {
        let limits = limits(report, options);
        if self.json {
            let streams = report.streams.iter().map(|found| {
                serde_json::json!({
                    "stream": found.stream.to_string(),
                    "events": found.events,
                    "revision": found.revision.get(),
                    "completeThrough": found.complete_through.map(|through| through.get()),
                })
            });
            output::value(&serde_json::json!({
                "sound": true,
                "ledger": report.ledger.to_string(),
                "origin": report.checkpoint.origin,
                "size": report.checkpoint.size,
                "key": report.witnessed.log.to_string(),
                "witnesses": report.witnessed.witnesses.iter().map(|(name, _)| name).collect::<Vec<_>>(),
                "asOf": report.as_of.to_string(),
                "since": report.since,
                "events": report.events,
                "opened": report.opened,
                "redacted": report.redacted,
                "erased": report.erased,
                "streams": streams.collect::<Vec<_>>(),
                "notProved": limits,
            }));
            return;
        }
        output::line("Proved:");
        for proved in proofs(report, options) {
            output::line(format!("  ✓ {proved}"));
        }
        output::line("This file does not prove:");
        for limit in limits {
            output::line(format!("  – {limit}"));
        }
    }
}

fn read_checkpoint(path: &Path) -> Result<SignedCheckpoint, CliError> {
    let refused =
        |error: &dyn std::fmt::Display| CliError::Refused(format!("{}: {error}", path.display()));
    let bytes = fs::read(path).map_err(|error| refused(&error))?;
    SignedCheckpoint::parse(&bytes).map_err(|error| refused(&error))
}

fn instant(at: Timestamp) -> String {
    output::instant(Some(&crate::wire::timestamp(at)))
}

/// The sentences that say what a report proves.
fn proofs(report: &Report, options: &VerifyOptions) -> Vec<String> {
    let checkpoint = &report.checkpoint;
    let mut proved = vec![format!(
        "{} signed a checkpoint of {} events of ledger {}",
        report.witnessed.log, checkpoint.size, report.ledger
    )];
    if !options.policy.logs().contains(&report.witnessed.log) {
        proved.push(
            "the key that you gave handed over to this key: compare it with the key that is \
            published now"
                .to_owned(),
        );
    }
    if let Some(since) = report.since {
        proved.push(format!(
            "the log grew from your checkpoint of {since} events: no event up to it was changed, \
            removed, added or moved since"
        ));
    }
    for (name, time) in &report.witnessed.witnesses {
        let at = instant(Timestamp::from_nanos(time.saturating_mul(1_000_000_000)));
        proved.push(format!("witness {name} saw the same log, {at}"));
    }
    let what = match report.scope {
        Scope::Plan(plan) => format!("of plan {plan}"),
        Scope::Student(student) => format!("of student {student}"),
        Scope::Range { from, to } => format!("at positions {from} to {to}"),
    };
    proved.push(format!(
        "that checkpoint covers {} events {what}: unchanged, in order, and each linked to the \
        event before it",
        report.events
    ));
    proved.push(format!(
        "the last event of the checkpoint was recorded {}, by the server's clock",
        instant(report.as_of)
    ));
    if let Some((first, last)) = report.recorded {
        let (first, last) = (instant(first), instant(last));
        proved.push(format!(
            "they were recorded from {first} to {last}, by the server's clock"
        ));
    }
    for stream in &report.streams {
        if let Some(through) = stream.complete_through {
            proved.push(format!(
                "{} is complete up to position {through}: {} events, and none is missing",
                stream.stream, stream.events
            ));
        }
    }
    if matches!(report.scope, Scope::Student(_)) {
        proved
            .push("up to that position, there is no other plan under the student's key".to_owned());
    }
    if report.disclosure == Disclosure::Events {
        proved.push(format!(
            "{} texts are the original ones, and nobody can show other texts in their place",
            report.opened
        ));
    }
    proved
}

/// The sentences that say what a report does not prove.
fn limits(report: &Report, options: &VerifyOptions) -> Vec<String> {
    let mut limits = Vec::new();
    if report.witnessed.witnesses.is_empty() {
        limits.push(
            "that everybody was shown the same log: without a witness, the server may have shown a \
            different log to others"
                .to_owned(),
        );
    }
    if options.since.is_none() {
        limits.push(
            "that the log was not rewritten before you first looked: keep this checkpoint, and \
            give it with --since next time"
                .to_owned(),
        );
    }
    limits.push(match report.witnessed.witnesses.is_empty() {
        true => {
            "that the times of the events are right: they come from the server's clock".to_owned()
        }
        false => "that the times of the events are right: they come from the server's clock; the \
                  witnesses only show that the events existed when they cosigned"
            .to_owned(),
    });
    if report.erased > 0 {
        limits.push(format!(
            "what {} events of an erased person said; that it was erased, and not left out, is shown by \
            ledger verify where the ledger is",
            report.erased
        ));
    }
    if report.redacted > 0 {
        limits.push(format!(
            "what {} events without a text said: their texts were redacted, or left out by the \
            person who made the file",
            report.redacted
        ));
    }
    if report.disclosure == Disclosure::Integrity {
        limits.push("what the texts say: this file has no keys".to_owned());
    }
    if matches!(report.scope, Scope::Range { .. }) {
        limits.push("that the streams ended with the range: they may have later events".to_owned());
    }
    if matches!(report.scope, Scope::Student(_)) {
        limits.push(
            "that nothing about the student was recorded under another key, or as another person: \
            only a check of the whole ledger shows that"
                .to_owned(),
        );
    }
    limits.push("that what people wrote is true".to_owned());
    limits
}
