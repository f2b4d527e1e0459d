//! `ledger export`: writes every event that can be read to a file, offline.

use std::fs::File as OutFile;
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::Args;
use planledger_core::doctor;

use super::super::error::CliError;
use super::super::output;
use super::offline::Offline;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in super::super) struct Export {
    #[command(flatten)]
    offline: Offline,
    /// The file to write. It must not exist. It holds everything in the clear
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Export {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        let options = self.offline.options(file)?;
        let mut how = OutFile::options();
        let opened = how.write(true).create_new(true).mode(0o600).open(&self.out);
        let opened = opened
            .map_err(|error| CliError::Refused(format!("{}: {error}", self.out.display())))?;
        let mut out = BufWriter::new(opened);
        let done = doctor::export(&options, &mut out).map_err(CliError::refused)?;
        out.get_ref().sync_all()?;
        match self.offline.json {
            true => output::value(&serde_json::json!({
                "whole": done.is_whole(),
                "events": done.events,
                "payloads": done.opened,
                "gaps": done.journal.gaps.len(),
                "missingRevisions": done.missing.len(),
            })),
            false => output::line(format!(
                "{} events, {} of them with their payload",
                done.events, done.opened
            )),
        }
        if done.is_whole() {
            return Ok(());
        }
        let gaps = done.journal.gaps.iter();
        let gaps = gaps.map(|gap| {
            let last = gap
                .last
                .map_or("the end".to_owned(), |last| last.to_string());
            format!("missing: positions {} to {last}: {}", gap.first, gap.reason)
        });
        let streams = done.missing.iter().map(|it| {
            let of = it
                .person
                .map_or(String::new(), |person| format!(" of person {person}"));
            let (stream, first, last) = (it.stream, it.first, it.last);
            format!("missing: revisions {first} to {last} of {stream}{of}")
        });
        let said: Vec<_> = gaps.chain(streams).collect();
        Err(CliError::Refused(said.join("\n")))
    }
}
