//! References from one table to another, and how a whole table is read.

use super::super::reader::layout::{Column, Layout};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::super::reader::table::Table;
use crate::import::fault::{Collector, FaultCode, ImportFault, Problem};

/// Gives every row of a table to `take`.
pub(super) fn each_row(
    source: &mut Source,
    layout: &'static Layout,
    faults: &mut Collector,
    take: impl FnMut(&Row<'_>, &mut Collector),
) {
    if !faults.is_full()
        && let Some(table) = Table::open(source, layout, faults)
    {
        table.each(faults, take);
    }
}

/// Adds the fault of a field that names a row of `to` that is not there. Adds nothing if some ids
/// of `to` could not be read: that is a fault already, and every reference would repeat it.
pub(super) fn push_dangling(row: &Row<'_>, column: Column, to: &Layout, faults: &mut Collector) {
    if !hides_ids(faults, to) {
        faults.push(row.fault(dangling(to), column));
    }
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

/// Whether some ids of a table could not be read.
pub(super) fn hides_ids(faults: &Collector, table: &Layout) -> bool {
    faults
        .iter()
        .any(|fault| fault.file == table.file && hides_id(fault))
}

/// Whether a fault hides the id of its row, or of all rows of its table.
fn hides_id(fault: &ImportFault) -> bool {
    match fault.code {
        FaultCode::ValueMissing
        | FaultCode::TextTooLong
        | FaultCode::TextControlCharacter
        | FaultCode::CprFound => fault.field.as_deref() == Some(Column::SourcedId.header()),
        FaultCode::FileUnreadable
        | FaultCode::FileTooLarge
        | FaultCode::ArchiveInvalid
        | FaultCode::HeaderMissing
        | FaultCode::ColumnMissing
        | FaultCode::ColumnDuplicated
        | FaultCode::FieldCountWrong
        | FaultCode::RowTooLong
        | FaultCode::Utf8Invalid => true,
        _ => false,
    }
}
