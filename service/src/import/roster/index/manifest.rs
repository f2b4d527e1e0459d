//! `manifest.csv`: which version the export follows and which tables it holds.

use super::super::reader::layout::{Column, MANIFEST, REQUIRED};
use super::super::reader::source::Source;
use super::references::each_row;
use crate::import::fault::{Collector, FaultCode, Problem};

/// Refuses exports of another version, and exports that hold changes only. An export may have no
/// manifest.
pub(super) fn check(source: &mut Source, faults: &mut Collector) {
    if !source.has(MANIFEST.file) {
        return;
    }
    each_row(source, &MANIFEST, faults, |row, faults| {
        let (name, value) = (row.text(Column::PropertyName), row.text(Column::Value));
        if name == "oneroster.version" && value != "1.1" {
            faults.push(row.fault(FaultCode::VersionUnsupported, Column::Value));
        }
        if let Some(table) = name.strip_prefix("file.")
            && is_required(table)
            && let Some(problem) = problem(value)
        {
            faults.push(row.fault(problem, Column::Value));
        }
    });
}

fn is_required(table: &str) -> bool {
    REQUIRED
        .iter()
        .any(|layout| layout.file.strip_suffix(".csv") == Some(table))
}

/// What is wrong with how a required table is exported.
fn problem(value: &str) -> Option<Problem> {
    match value {
        "bulk" => None,
        "delta" => Some(FaultCode::DeltaUnsupported.into()),
        "absent" => Some(Problem::new(
            FaultCode::FileMissing,
            "the manifest says that the export does not hold this table; export all tables",
        )),
        _ => Some(Problem::new(
            FaultCode::ValueUnknown,
            "the value is not allowed here; export the table in full, which is the value bulk",
        )),
    }
}
