//! No bytes bring the roster reader down, and whatever passes its check imports whole.
//!
//! The input is taken as a zip archive, and as the tables of an export with a line of `---`
//! between them. Tables of OneRoster 1.2 and School Data Sync may follow those of OneRoster 1.1.

use std::borrow::Cow;

use planledger::import::{ImportFaults, Origin, Roster, sample};
use planledger_core::ids::RosterSourceId;
use planledger_core::text::SourceName;

const LATER: [&str; 3] = ["roles.csv", "userProfiles.csv", "relationships.csv"];

use tables::split;

#[path = "../tables.rs"]
mod tables;

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 24);

pub(crate) fn check(bytes: &[u8]) {
    imports_whole(Roster::from_zip(bytes.to_vec(), TODAY));
    let names = sample::ROSTER.iter().map(|(name, _)| *name);
    let names = names.chain(LATER);
    let tables = split(bytes).into_iter().map(Cow::Owned);
    imports_whole(Roster::from_files(names.zip(tables), TODAY));
}

fn imports_whole(opened: Result<Roster, ImportFaults>) {
    match opened {
        Ok(mut roster) => {
            // Nothing is said of accounts without a source.
            if let Ok(name) = SourceName::new("Kommune A") {
                let id = RosterSourceId::FIRST;
                roster.set_origin(Origin { name, id });
            }
            let commands = roster
                .commands()
                .map(|item| item.expect("it passed the check"));
            let count = commands.count() as u64;
            assert_eq!(count, roster.summary().commands);
        }
        Err(faults) => assert!(!faults.faults().is_empty()),
    }
}
