//! `ledger settle-access-log`: records that records of the access log are lost, so that it goes on without
//! them. What is left of them is set aside, and nothing is deleted.

use clap::Args;
use planledger_core::access_log::settle_loss;
use planledger_core::domain::Actor;
use planledger_core::ids::CommandId;
use planledger_core::text::ReasonText;
use planledger_core::verify::{Depth, FoundLoss, PartName, Verification, find_loss};
use serde_json::json;
use uuid::Uuid;

use super::super::consent::{Consent, Mode, agreed};
use super::super::error::CliError;
use super::super::id::id;
use super::super::output;
use super::forks::read;
use super::offline::Offline;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in super::super) struct SettleAccessLog {
    /// What happened, and what was tried to get the records back. Do not write any names
    #[arg(long, value_name = "TEXT")]
    reason: ReasonText,
    /// Who has looked at it: person/UUID or system/UUID
    #[arg(long, value_parser = id::<Actor>())]
    actor: Actor,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    offline: Offline,
}

impl SettleAccessLog {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        let mode = self.consent.mode(self.offline.json)?;
        let options = self.offline.options(file)?;
        let found = read(&options, Depth::Integrity)?;
        sound_otherwise(&found)?;
        let Some(loss) = find_loss(&found) else {
            let what = "nothing of the access log is lost, so there is nothing to record";
            return Err(CliError::Refused(what.to_owned()));
        };
        if !self.offline.json {
            show(&loss);
        }
        let go = match mode {
            Mode::DryRun => false,
            Mode::Go => true,
            Mode::Ask => agreed("Record that these records are lost?")?,
        };
        let position = match go {
            true => Some(self.settle(file, &loss)?),
            false => None,
        };
        if self.offline.json {
            output::value(&json!({
                "kept": loss.kept.get(),
                "faults": loss.faults,
                "position": position,
            }));
        }
        if let Some(position) = position {
            output::note(format!("the loss is on record at position {position}"));
        }
        Ok(())
    }

    /// Gives the position of the event.
    fn settle(&self, file: &File, loss: &FoundLoss) -> Result<u64, CliError> {
        let options = self.offline.options(file)?;
        let dir = options.dir.clone();
        let ledger = self.offline.open(options)?;
        let sent = (CommandId::from_uuid(Uuid::new_v4()), self.actor);
        let settled = settle_loss(&ledger, &dir, loss.kept, sent, self.reason.clone());
        Ok(settled.map_err(CliError::refused)?.position.get())
    }
}

/// Fails if anything else than the access log has a fault that cannot be made good from the journal.
fn sound_otherwise(found: &Verification) -> Result<(), CliError> {
    let mut others = found.faults().filter(|(part, _)| match part {
        PartName::AccessLog | PartName::AccessCheckpoints => false,
        PartName::Journal
        | PartName::Checkpoints
        | PartName::Heads
        | PartName::Indexes
        | PartName::Contents
        | PartName::Tiles
        | PartName::Derived
        | PartName::Origin => !part.is_derived(),
    });
    match others.next() {
        None => Ok(()),
        Some((part, fault)) => Err(CliError::Refused(format!(
            "put the ledger itself right first: {}: {fault}",
            part.name()
        ))),
    }
}

fn show(loss: &FoundLoss) {
    for fault in &loss.faults {
        output::line(fault);
    }
    output::line(match loss.kept.get() {
        0 => {
            "no record can be kept: what is left is moved to access/lost-N, and the log begins anew"
                .to_owned()
        }
        kept => format!(
            "the first {kept} records are sound and stay; checkpoints for more are moved to access/lost-N"
        ),
    });
}
