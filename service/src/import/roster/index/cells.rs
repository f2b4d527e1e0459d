//! How the standard writes values in the fields of a row.

use jiff::civil::Date;
use uuid::Uuid;

use super::super::reader::layout::{Column, Layout};
use super::super::reader::row::Row;
use super::super::words;
use crate::import::fault::{FaultCode, ImportFault};

/// Whether the row says that what it describes is gone. In a bulk export, an empty status means
/// active.
pub(crate) fn is_gone(row: &Row<'_>) -> Result<bool, ImportFault> {
    let status = row.optional(Column::Status, words::is_gone)?;
    Ok(status.unwrap_or(false))
}

/// Our id for the row of `to` that the field names, which must not be empty.
pub(crate) fn reference(row: &Row<'_>, column: Column, to: &Layout) -> Result<Uuid, ImportFault> {
    row.required(column, |id| Ok::<_, FaultCode>(to.id_of(id)))
}

/// The same for a field that may be empty.
pub(crate) fn optional_reference(row: &Row<'_>, column: Column, to: &Layout) -> Option<Uuid> {
    match row.text(column) {
        "" => None,
        id => Some(to.id_of(id)),
    }
}

/// A calendar day, written as in 2026-08-10. What else can mean only one day was written so by the
/// reader of the table.
pub(crate) fn date(text: &str) -> Result<Date, FaultCode> {
    let shape = text.len() == 10 && text.bytes().all(|b| b == b'-' || b.is_ascii_digit());
    match text.parse() {
        Ok(date) if shape => Ok(date),
        _ => Err(FaultCode::DateInvalid),
    }
}
