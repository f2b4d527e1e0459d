//! `ledger settle`: settles forks. It records an event that says who has looked at the forks and
//! why they are accepted. Nothing else changes.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use planledger_core::domain::ledger::{LedgerCommand, forks_stream};
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{CommandId, Position, StreamId};
use planledger_core::ledger::{Envelope, Receipt};
use planledger_core::text::ReasonText;
use planledger_core::verify::{Depth, Verification};
use serde_json::json;
use uuid::Uuid;

use super::super::consent::{Consent, Mode, agreed};
use super::super::error::CliError;
use super::super::id::id;
use super::super::output;
use super::forks::{read, whole};
use super::json::{json_fork, json_stale};
use super::offline::Offline;
use crate::settings::File;

/// The positions of unsettled forks, by stream.
type Unsettled = BTreeMap<StreamId, BTreeSet<Position>>;

#[derive(Debug, Args)]
pub(in super::super) struct Settle {
    /// All forks of this stream, as `ledger forks` prints it; may be given more than once
    #[arg(long, value_name = "STREAM", value_parser = id::<StreamId>())]
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    stream: Vec<StreamId>,
    /// All forks of all streams
    #[arg(long)]
    all: bool,
    /// Why the forks are accepted, or what was done about them. Do not write any names
    #[arg(long, value_name = "TEXT")]
    reason: ReasonText,
    /// Who has looked at the forks: person/UUID or system/UUID
    #[arg(long, value_parser = id::<Actor>())]
    actor: Actor,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    offline: Offline,
}

impl Settle {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        let mode = self.consent.mode(self.offline.json)?;
        let found = read(&self.offline.options(file)?, Depth::Integrity)?;
        whole(&found)?;
        let chosen = self.chosen(&found)?;
        if !self.offline.json {
            show(&found, &chosen);
        }
        let go = match mode {
            Mode::DryRun => false,
            Mode::Go => true,
            Mode::Ask => !chosen.is_empty() && agreed("Settle these forks?")?,
        };
        let receipts = match go && !chosen.is_empty() {
            true => self.settle(&chosen, file)?,
            false => Vec::new(),
        };
        if self.offline.json {
            output::value(&json(&found, &chosen, &receipts));
        }
        for (stream, receipt) in &receipts {
            let position = receipt.position;
            output::note(format!("{stream}: settled at position {position}"));
        }
        Ok(())
    }

    fn chosen(&self, found: &Verification) -> Result<Unsettled, CliError> {
        let mut unsettled = Unsettled::new();
        for (stream, position) in found.forks.unsettled() {
            unsettled.entry(stream).or_default().insert(position);
        }
        if self.all {
            return Ok(unsettled);
        }
        let one = |stream: &StreamId| match unsettled.remove(stream) {
            Some(positions) => Ok((*stream, positions)),
            None => {
                let message = format!("{stream} has no unsettled fork");
                Err(CliError::Refused(message))
            }
        };
        let streams: BTreeSet<_> = self.stream.iter().copied().collect();
        streams.iter().map(one).collect()
    }

    /// Records that the forks are settled, with one event for each stream.
    fn settle(
        &self,
        chosen: &Unsettled,
        file: &File,
    ) -> Result<Vec<(StreamId, Receipt)>, CliError> {
        let ledger = self.offline.open(self.offline.options(file)?)?;
        let own = forks_stream(ledger.status().ledger);
        let settle = |(stream, forks): (&StreamId, &BTreeSet<Position>)| {
            let command = LedgerCommand::SettleFork {
                stream: *stream,
                forks: forks.clone(),
                reason: self.reason.clone(),
            };
            let id = CommandId::from_uuid(Uuid::new_v4());
            let envelope = Envelope::new(id, Command::Ledger(own, command));
            let receipt = ledger.execute(self.actor, envelope);
            Ok((*stream, receipt.map_err(CliError::refused)?))
        };
        chosen.iter().map(settle).collect()
    }
}

fn show(found: &Verification, chosen: &Unsettled) {
    if chosen.is_empty() {
        output::line("there is nothing to settle");
    }
    let is_chosen = |stream, position| {
        let positions = chosen.get(&stream);
        positions.is_some_and(|positions| positions.contains(&position))
    };
    for fork in &found.forks.forks {
        if is_chosen(fork.stream, fork.position()) {
            output::line(fork);
        }
    }
    for stale in &found.forks.stale {
        if is_chosen(stale.stream, stale.position) {
            output::line(stale);
        }
    }
}

fn json(
    found: &Verification,
    chosen: &Unsettled,
    receipts: &[(StreamId, Receipt)],
) -> serde_json::Value {
    let is_chosen = |stream, position| {
        let positions = chosen.get(&stream);
        positions.is_some_and(|positions| positions.contains(&position))
    };
    let forks = found.forks.forks.iter();
    let forks = forks.filter(|fork| is_chosen(fork.stream, fork.position()));
    let stale = found.forks.stale.iter();
    let stale = stale.filter(|stale| is_chosen(stale.stream, stale.position));
    let receipt = |(stream, receipt): &(StreamId, Receipt)| {
        json!({
            "stream": stream.to_string(),
            "position": receipt.position.get(),
            "commandId": receipt.command.to_string(),
        })
    };
    json!({
        "forks": forks.map(json_fork).collect::<Vec<_>>(),
        "staleAnswers": stale.map(json_stale).collect::<Vec<_>>(),
        "settled": receipts.iter().map(receipt).collect::<Vec<_>>(),
    })
}
