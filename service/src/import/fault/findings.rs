//! What is found while the tables of an export are read: faults of whole files, and bad rows.

use super::code::FaultCode;
use super::collector::Collector;
use super::passed::{PassedOver, PassedOverKind};
use super::problem::Problem;
use super::report::{ImportFault, ImportFaults};

/// How many rows of a table were read, and how many of them are bad.
#[derive(Debug, Default)]
struct Tally {
    file: &'static str,
    rows: u64,
    bad: u64,
    /// Rows of which nobody knows what they are about: they could not be taken apart, or what would
    /// tell it is missing.
    unreadable: u64,
    /// What is wrong with the first of them.
    first_unreadable: Option<ImportFault>,
}

impl Tally {
    /// Whether more rows are bad than the share allows. One bad row is one bad row: it stops an
    /// import only if the share is 0.
    fn is_over(&self, percent: u8) -> bool {
        let allowed = self.rows.saturating_mul(u64::from(percent)) / 100;
        let least = u64::from(percent > 0);
        self.bad > allowed.max(least)
    }
}

/// Faults of files, and rows that are passed over.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// What is wrong with whole files. An import with such a fault does nothing.
    pub(crate) of_files: Collector,
    passed: Vec<PassedOver>,
    tables: Vec<Tally>,
}

impl Findings {
    /// Counts a row of a table.
    pub(crate) fn count_row(&mut self, file: &'static str) {
        self.tally(file, |table| table.rows += 1);
    }

    /// Passes over a row that says that its subject is gone.
    pub(crate) fn gone(&mut self, faults: Vec<ImportFault>) {
        self.keep(PassedOverKind::Gone, faults);
    }

    /// Passes over a bad row. If `counts` is false, the share of bad rows does not grow.
    pub(crate) fn bad(&mut self, file: &'static str, faults: Vec<ImportFault>, counts: bool) {
        self.tally(file, |table| table.bad += u64::from(counts));
        self.keep(PassedOverKind::Bad, faults);
    }

    /// Passes over a row of which nobody knows what it is about.
    pub(crate) fn unreadable(&mut self, file: &'static str, faults: Vec<ImportFault>) {
        let first = faults.first();
        self.tally(file, |table| {
            table.unreadable += 1;
            table.first_unreadable = table.first_unreadable.take().or_else(|| first.cloned());
        });
        self.bad(file, faults, true);
    }

    /// Passes over one value of a row that is used.
    pub(crate) fn part(&mut self, fault: ImportFault) {
        self.keep(PassedOverKind::Part, vec![fault]);
    }

    /// All faults of files and rows.
    pub(crate) fn into_faults(mut self) -> Vec<ImportFault> {
        let mut faults = self.of_files.take();
        faults.extend(self.passed.into_iter().map(|passed| passed.fault));
        faults
    }

    /// Whether a table has rows of which nobody knows what they are about.
    pub(crate) fn has_unreadable(&self, file: &str) -> bool {
        self.unreadable_in(file).is_some()
    }

    /// How many such rows a table has, and what is wrong with the first. `None` if it has none.
    pub(crate) fn unreadable_in(&self, file: &str) -> Option<(u64, &ImportFault)> {
        let table = self.tables.iter().find(|table| table.file == file)?;
        Some((table.unreadable, table.first_unreadable.as_ref()?))
    }

    fn keep(&mut self, kind: PassedOverKind, faults: Vec<ImportFault>) {
        // An import with a fault of a file does nothing, so nobody asks for its rows.
        if self.of_files.is_empty() {
            let faults = faults.into_iter();
            self.passed
                .extend(faults.map(|fault| PassedOver { kind, fault }));
        }
    }

    /// Changes the tally of a table. There are few tables.
    fn tally(&mut self, file: &'static str, change: impl FnOnce(&mut Tally)) {
        if let Some(tally) = self.tables.iter_mut().find(|table| table.file == file) {
            return change(tally);
        }
        let mut tally = Tally {
            file,
            ..Tally::default()
        };
        change(&mut tally);
        self.tables.push(tally);
    }

    /// What was passed over, unless a file is faulty or more than `percent` of a table's rows is bad.
    pub(crate) fn finish(mut self, percent: u8) -> Result<Vec<PassedOver>, ImportFaults> {
        if !self.of_files.is_empty() {
            return Err(self.of_files.into_faults());
        }
        let over: Vec<ImportFault> = self
            .tables
            .iter()
            .filter(|table| table.is_over(percent))
            .map(|table| too_many(table, percent))
            .collect();
        if over.is_empty() {
            return Ok(self.passed);
        }
        let bad = self.passed.iter();
        let bad = bad.filter(|passed| passed.kind == PassedOverKind::Bad);
        let room = ImportFaults::LIMIT.saturating_sub(over.len());
        let bad = bad.map(|passed| passed.fault.clone());
        for fault in bad.take(room).chain(over) {
            self.of_files.push(fault);
        }
        let faults = self.of_files.into_faults();
        Err(faults.with_passed_over(self.passed))
    }
}

fn too_many(table: &Tally, percent: u8) -> ImportFault {
    let problem = Problem::new(
        FaultCode::RowsBad,
        format!(
            "{bad} of {rows} rows are bad, and at most {percent} % may be; correct them, or allow a \
             larger share with --bad-rows",
            bad = table.bad,
            rows = table.rows,
        ),
    );
    ImportFault::new(problem, table.file)
}
