//! The tables of a roster mean the same in a zip archive as beside each other. A mutation of the archive's
//! own bytes seldom gets past its checksums; this reaches the rows.
//!
//! The input is the tables of an export with a line of `---` between them.

use std::borrow::Cow;
use std::io::{Cursor, Write};

use planledger::import::{ImportFaults, Roster, sample};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use tables::split;

#[path = "../tables.rs"]
mod tables;

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 24);

pub(crate) fn check(bytes: &[u8]) {
    let names = sample::ROSTER.iter().map(|(name, _)| *name);
    let tables: Vec<_> = names.zip(split(bytes)).collect();
    let zipped = Roster::from_zip(zip(&tables), TODAY);
    let tables = tables.into_iter();
    let beside = Roster::from_files(
        tables.map(|(name, table)| (name, Cow::Owned(table))),
        TODAY,
    );
    assert_eq!(told(zipped), told(beside));
}

fn zip(tables: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, table) in tables {
        let options = SimpleFileOptions::default();
        archive.start_file(*name, options).expect("room");
        archive.write_all(table).expect("room");
    }
    archive.finish().expect("room").into_inner()
}

/// Everything that a roster says.
fn told(opened: Result<Roster, ImportFaults>) -> Result<String, ImportFaults> {
    let mut roster = opened?;
    let commands = roster.commands().map(|item| item.expect("it passed the check"));
    let commands: Vec<_> = commands.collect();
    assert_eq!(commands.len() as u64, roster.summary().commands);
    let (summary, passed) = (roster.summary(), roster.passed_over());
    Ok(format!("{commands:?} {summary:?} {passed:?}"))
}
