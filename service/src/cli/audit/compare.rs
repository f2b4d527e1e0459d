//! `audit compare`: looks for contradictions between files of evidence, and writes a proof of what it
//! finds.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use planledger_core::audit::compare::{Compared, Piece, compare};

use super::super::error::CliError;
use super::super::output;
use super::misbehaviour::{finding, say};
use super::verify::Trust;

#[derive(Debug, Args)]
pub(in super::super) struct Compare {
    /// Files of evidence and checkpoints, two or more
    #[arg(required = true, num_args = 2.., value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    trust: Trust,
    /// Where to write a proof of the first contradiction, if there is one
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A file that is opened anew whenever it is read.
struct OnDisk<'a>(&'a Path);

impl Piece for OnDisk<'_> {
    fn open(&self) -> io::Result<Box<dyn BufRead + '_>> {
        let input = File::open(self.0)?;
        let bar = output::progress(input.metadata()?.len(), "reading");
        Ok(Box::new(BufReader::with_capacity(
            1 << 20,
            bar.wrap_read(input),
        )))
    }
}

impl Compare {
    pub(super) fn run(self) -> Result<(), CliError> {
        let policy = self.trust.policy()?;
        if let Some(out) = self.out.as_ref().filter(|out| out.exists()) {
            let out = out.display();
            return Err(CliError::Refused(format!(
                "{out} already exists; choose another file name"
            )));
        }
        let pieces: Vec<_> = self.files.iter().map(|path| OnDisk(path)).collect();
        let pieces: Vec<&dyn Piece> = pieces.iter().map(|piece| piece as &dyn Piece).collect();
        let compared = compare(&pieces, &policy).map_err(|error| {
            let file = error.piece().and_then(|piece| self.files.get(piece));
            match file {
                Some(file) => CliError::Refused(format!("{}: {error}", file.display())),
                None => CliError::refused(error),
            }
        })?;
        let written = match (&self.out, compared.found.first()) {
            (Some(out), Some((_, proof))) => {
                write(out, proof)
                    .map_err(|error| CliError::Refused(format!("{}: {error}", out.display())))?;
                Some(out)
            }
            (Some(_) | None, _) => None,
        };
        match self.json {
            true => print_json(&compared, written),
            false => print(&compared, written),
        }
        match compared.found.len() {
            0 => Ok(()),
            1 => Err(CliError::Refused(
                "the files contradict each other".to_owned(),
            )),
            count => Err(CliError::Refused(format!(
                "the files contradict each other in {count} ways"
            ))),
        }
    }
}

fn write(out: &Path, proof: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(out)?;
    file.write_all(proof.as_bytes())?;
    file.sync_all()
}

fn print_json(compared: &Compared, written: Option<&PathBuf>) {
    let found = compared.found.iter().map(|(found, _)| finding(found));
    let settled = compared.settled.iter().map(
        |(stream, at)| serde_json::json!({ "stream": stream.to_string(), "position": at.get() }),
    );
    output::value(&serde_json::json!({
        "origin": compared.origin,
        "checkpoints": compared.checkpoints,
        "unconnected": compared.unconnected,
        "events": compared.events,
        "streams": compared.streams,
        "heads": compared.heads,
        "settledForks": settled.collect::<Vec<_>>(),
        "contradictions": found.collect::<Vec<_>>(),
        "proof": written.map(|out| out.display().to_string()),
    }));
}

fn print(compared: &Compared, written: Option<&PathBuf>) {
    output::line(format!(
        "compared {} events of {} streams, {} checkpoints and {} records of heads of {}",
        compared.events, compared.streams, compared.checkpoints, compared.heads, compared.origin
    ));
    if compared.unconnected > 0 {
        output::line(format!(
            "{} of the checkpoints could not be compared with a larger one: no file has the hashes \
             for it; export again with --since, or a range from the first event on",
            compared.unconnected
        ));
    }
    for (stream, at) in &compared.settled {
        output::line(format!(
            "it is on record that the fork of {stream} at position {at} was settled"
        ));
    }
    if compared.found.is_empty() {
        output::line("no contradiction; that is no proof that there is none");
    }
    for (found, _) in &compared.found {
        say(found);
    }
    if let Some(out) = written {
        output::line(format!(
            "the proof of the first of them is in {}; anybody can check it with `audit misbehaviour` \
             and the log's key",
            out.display()
        ));
    }
}
