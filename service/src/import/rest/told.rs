//! Says why records of a service are passed over. The reader of the tables sees only the rows that they
//! became.

use std::collections::{HashMap, HashSet};

use super::pages::{Place, Record};
use super::records::{Wrong, id_of};
use crate::import::fault::{ImportFault, ImportFaults, PassedOver, PassedOverKind};
use crate::import::names;

/// The most records of which it is told why they cannot be used. Of others the reader of the tables says
/// that their rows are bad.
const MOST_TOLD: usize = 10_000;
/// The longest id that is named.
const LONGEST_ID: usize = 64;

/// Why records cannot be used.
#[derive(Default)]
pub(super) struct Told(Vec<ImportFault>);

impl Told {
    /// Tells what is wrong with the record that became the row on a line.
    pub(super) fn tell(
        &mut self,
        file: &'static str,
        line: u64,
        (record, place): (&Record, Place),
        wrong: Wrong,
    ) {
        if self.0.len() == MOST_TOLD {
            return;
        }
        let mut fault = ImportFault::new(wrong.problem, file);
        fault = fault.row(line).field(wrong.field);
        fault.message = match nameable(record) {
            Some(id) => format!("{place} (sourcedId {id}): {}", fault.message),
            None => format!("{place}: {}", fault.message),
        }
        .into();
        self.0.push(fault);
    }

    /// Puts what was told in the place of what the reader of the tables says of the same rows.
    pub(super) fn explain(&self, passed: Vec<PassedOver>) -> Vec<PassedOver> {
        let by_row = self.by_row();
        let mut explained = HashSet::new();
        let mut all = Vec::new();
        for one in passed {
            match by_row.get(&row(&one.fault)) {
                None => all.push(one),
                Some(fault) if explained.insert(row(fault)) => {
                    let (kind, fault) = (one.kind, (*fault).clone());
                    all.push(PassedOver { kind, fault });
                }
                Some(_) => {}
            }
        }
        // Of tables that are not read because no record of theirs could be.
        let others = self
            .0
            .iter()
            .filter(|fault| !explained.contains(&row(fault)));
        all.extend(others.map(|fault| PassedOver {
            kind: PassedOverKind::Bad,
            fault: fault.clone(),
        }));
        all
    }

    /// The same for a roster that is refused. One whose rows were not all read is refused for something
    /// else.
    pub(super) fn explain_refusal(&self, refused: ImportFaults) -> ImportFaults {
        if refused.passed_over().is_empty() {
            return refused;
        }
        let by_row = self.by_row();
        let mut explained = HashSet::new();
        let (faults, passed) = refused.into_parts();
        let faults = faults.into_iter().filter_map(|fault| {
            let Some(told) = by_row.get(&row(&fault)) else {
                return Some(fault);
            };
            explained.insert(row(told)).then(|| (*told).clone())
        });
        ImportFaults::new(faults.collect()).with_passed_over(self.explain(passed))
    }

    fn by_row(&self) -> HashMap<Row<'_>, &ImportFault> {
        self.0.iter().map(|fault| (row(fault), fault)).collect()
    }
}

/// A file and a line in it.
type Row<'f> = (&'f str, Option<u64>);

fn row(fault: &ImportFault) -> Row<'_> {
    (&fault.file, fault.row)
}

/// The id of a record, if it may be told: so that whoever runs the service finds the record.
fn nameable(record: &Record) -> Option<&str> {
    let id = id_of(record).trim();
    (id.len() <= LONGEST_ID && names::check(id).is_ok()).then_some(id)
}
