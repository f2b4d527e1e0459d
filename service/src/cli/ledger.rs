//! `planledger ledger`: the ledger itself.

use std::sync::Arc;

use clap::{Args, Subcommand};
use planledger_core::ledger;
use planledger_proto::v1::GetStatusRequest;

use super::{Failure, Place, Remote, block_on, output};
use crate::client::Client;
use crate::settings::File;

/// Look after the ledger itself
#[derive(Debug, Subcommand)]
pub(super) enum Ledger {
    /// Show what a running server's ledger is and how far it has come
    Status(Status),
    /// Check the journal from its first byte to its last, offline
    Verify(Offline),
    /// Throw derived state away and make it again from the journal, offline
    Rebuild(Offline),
}

#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Offline {
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Ledger {
    pub(super) fn run(self, file: &File) -> Result<(), Failure> {
        match self {
            Self::Status(status) => block_on(status.run(file)),
            Self::Verify(offline) => offline.verify(file),
            Self::Rebuild(offline) => offline.rebuild(file),
        }
    }
}

impl Status {
    async fn run(self, file: &File) -> Result<(), Failure> {
        let client = Client::connect(&self.remote.url(file), &self.remote.actor).await?;
        let status = client
            .ledger()
            .get_status(GetStatusRequest::default())
            .await?
            .into_inner();
        if self.json {
            return output::json(&status);
        }
        let last = output::instant(status.last_recorded_at.as_ref());
        let rows = [
            ("ledger", status.ledger_id),
            ("events", status.position.to_string()),
            ("commits", status.commit_count.to_string()),
            ("last recorded", last),
            ("started", output::instant(status.started_at.as_ref())),
            ("version", status.version),
            (
                "takes commands",
                if status.writable { "yes" } else { "no" }.to_owned(),
            ),
        ];
        let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
        output::table(&rows);
        Ok(())
    }
}

impl Offline {
    fn options(&self, file: &File, what: &'static str) -> Result<ledger::Options, Failure> {
        let dir = self.place.dir(file);
        if !dir.join("journal").is_dir() {
            return Err(Failure::Refused(format!(
                "{} holds no ledger",
                dir.display()
            )));
        }
        let mut options = self.place.options(file)?;
        let bar = output::progress(0, what);
        options.progress = Some(Arc::new(move |done, all| {
            bar.set_length(all);
            bar.set_position(done);
            if done == all {
                bar.finish_and_clear();
            }
        }));
        Ok(options)
    }

    fn verify(self, file: &File) -> Result<(), Failure> {
        let options = self.options(file, "verifying")?;
        let found = ledger::verify_dir(&options).map_err(Failure::refused)?;
        let root = hex(&found.root);
        if self.json {
            let fault = found.fault.as_ref().map(
                |fault| serde_json::json!({ "position": fault.position.get(), "what": fault.what }),
            );
            output::line(serde_json::json!({
                "sound": found.fault.is_none(),
                "commits": found.commits.get(),
                "events": found.events.get(),
                "streams": found.streams,
                "redacted": found.redacted,
                "unfinishedBytes": found.unfinished,
                "root": root,
                "fault": fault,
            }));
        } else {
            output::line(format!(
                "{} events in {} commits and {} streams, root {root}",
                found.events, found.commits, found.streams
            ));
            if found.unfinished > 0 {
                output::line(format!(
                    "{} bytes at the end are of a write that was never receipted",
                    found.unfinished
                ));
            }
        }
        match found.fault {
            None => {
                output::note("the journal is sound");
                Ok(())
            }
            Some(fault) => Err(Failure::Refused(format!(
                "the journal is faulty from position {} on: {}",
                fault.position, fault.what
            ))),
        }
    }

    fn rebuild(self, file: &File) -> Result<(), Failure> {
        let options = self.options(file, "rebuilding")?;
        let status = ledger::rebuild(options).map_err(Failure::refused)?;
        if self.json {
            output::line(serde_json::json!({
                "events": status.position.get(),
                "commits": status.commit.get(),
                "root": hex(&status.root),
            }));
        } else {
            output::line(format!(
                "derived state is rebuilt from {} events in {} commits",
                status.position, status.commit
            ));
        }
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
