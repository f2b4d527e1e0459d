//! How the standard writes values in the fields of a row.

use jiff::civil::Date;
use uuid::Uuid;

use super::super::reader::layout::{Column, Layout};
use super::super::reader::row::Row;
use crate::import::fault::{FaultCode, ImportFault, Problem};

/// Whether the row says that what it describes is gone. In a bulk export, an empty status means
/// active. What is `inactive` is not in use, but it is there: nobody has left because of it.
pub(crate) fn is_gone(row: &Row<'_>) -> Result<bool, ImportFault> {
    let status = row.optional(Column::Status, |text| {
        word(
            text,
            &[
                ("active", false),
                ("inactive", false),
                ("tobedeleted", true),
            ],
        )
    })?;
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

/// A word of a fixed vocabulary. Capital and small letters count as the same.
pub(crate) fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, Problem> {
    let found = words
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(text));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Problem::new(
            FaultCode::ValueUnknown,
            format!(
                "the value is not allowed here; use one of: {}",
                allowed.join(", ")
            ),
        )
    })
}

/// `true` or `false`, and other words that can mean nothing else: what databases write, and what Danish
/// spreadsheets make of it.
pub(crate) fn truth(text: &str) -> Result<bool, Problem> {
    const OTHERS: [(&str, bool); 12] = [
        ("1", true),
        ("0", false),
        ("y", true),
        ("n", false),
        ("yes", true),
        ("no", false),
        ("ja", true),
        ("nej", false),
        ("t", true),
        ("f", false),
        ("sand", true),
        ("falsk", false),
    ];
    let other = word(text, &OTHERS);
    other.or_else(|_| word(text, &[("true", true), ("false", false)]))
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
