//! References from one table to another, and how a whole table is read.

use csv::StringRecord;

use super::super::reader::layout::{Column, Layout};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::super::reader::table::Table;
use super::cells::is_gone;
use crate::import::fault::{Collector, FaultCode, Findings, Problem};

/// Gives every row of a table to `take`. A row for which `take` adds a fault is passed over.
pub(super) fn each_row(
    source: &mut Source,
    layout: &'static Layout,
    findings: &mut Findings,
    mut take: impl FnMut(&Row<'_>, &mut Collector),
) {
    if findings.of_files.is_full() {
        return;
    }
    let Some(mut table) = Table::open(source, layout, &mut findings.of_files) else {
        return;
    };
    let mut record = StringRecord::new();
    while let Some(next) = table.next_row(&mut record) {
        match next {
            Ok(row) => {
                findings.count_row(layout.file);
                let mut faults = Collector::default();
                take(&row, &mut faults);
                if !faults.is_empty() {
                    pass_over(layout, &row, faults, findings);
                }
            }
            Err(unreadable) if unreadable.ends_table => {
                findings.of_files.push(unreadable.fault);
                return;
            }
            Err(unreadable) => {
                findings.count_row(layout.file);
                findings.unreadable(layout.file, vec![unreadable.fault]);
            }
        }
    }
}

fn pass_over(layout: &Layout, row: &Row<'_>, mut faults: Collector, findings: &mut Findings) {
    // Of two rows with one id, nobody can tell whether the one that says so is right.
    let is_twice = faults
        .iter()
        .any(|fault| fault.code == FaultCode::IdDuplicated);
    let is_unused = faults.iter().any(|fault| fault.code == FaultCode::NotInUse);
    if (says_gone(row) || is_unused) && !is_twice {
        return findings.gone(faults.take());
    }
    if faults.is_about_anybody() {
        return findings.unreadable(layout.file, faults.take());
    }
    let counts = faults.iter().any(|fault| counts(layout, fault.code));
    findings.bad(layout.file, faults.take(), counts);
}

/// Whether a row with this fault counts as bad. An enrolment whose person or class was passed over is no
/// further bad row, and one whose role is not that of the person is a matter of that class alone.
/// Nothing depends on a profile that names nobody, or whose user name cannot be kept. A user may have no
/// role for want of a table that is not there. Elsewhere a row counts: if the row of a school is bad, nobody at that school can be imported.
fn counts(layout: &Layout, code: FaultCode) -> bool {
    match layout.kind {
        "user" => code != FaultCode::RoleUnsaid,
        "enrollment" => !matches!(code, FaultCode::RowPassedOver | FaultCode::RoleMismatch),
        "userProfile" => !matches!(
            code,
            FaultCode::RowPassedOver
                | FaultCode::ReferenceDangling
                | FaultCode::ValueMissing
                | FaultCode::CprFound
        ),
        _ => true,
    }
}

/// Whether the row can be read so far that it says that its subject is gone.
pub(super) fn says_gone(row: &Row<'_>) -> bool {
    is_gone(row).is_ok_and(|gone| gone)
}

/// What is wrong with a reference to a row of `to` that is not there.
pub(super) fn dangling(to: &Layout) -> Problem {
    Problem::new(
        FaultCode::ReferenceDangling,
        format!(
            "no row of {file} has this sourcedId; add the row to {file}, or correct the value here",
            file = to.file
        ),
    )
}

/// Adds the fault of a field that names a row of `to` that is not there.
pub(super) fn push_dangling(row: &Row<'_>, column: Column, to: &Layout, faults: &mut Collector) {
    faults.push(row.fault(dangling(to), column));
}

/// Adds the fault of a field that names a row that was passed over.
pub(super) fn push_passed_over(row: &Row<'_>, column: Column, faults: &mut Collector) {
    faults.push(row.fault(FaultCode::RowPassedOver, column));
}
