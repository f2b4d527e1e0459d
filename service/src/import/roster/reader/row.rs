//! One row of a table and its fields.

use std::borrow::Cow;

use csv::StringRecord;
use planledger_core::text::CprContext;
use uuid::Uuid;

use super::header::Header;
use super::layout::Column;
use crate::import::fault::{FaultCode, ImportFault, Problem};
use crate::import::names;

/// Whether a character ends a line of a text: what keyboards, spreadsheets and databases write.
fn is_line_break(character: char) -> bool {
    matches!(
        character,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// One row.
pub(crate) struct Row<'r> {
    header: &'r Header,
    record: &'r StringRecord,
    line: u64,
}

impl<'r> Row<'r> {
    /// The row that begins on `line`.
    pub(crate) fn new(header: &'r Header, record: &'r StringRecord, line: u64) -> Self {
        Self {
            header,
            record,
            line,
        }
    }

    /// The line on which it begins.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// A fault in one column of this row.
    pub(crate) fn fault(&self, problem: impl Into<Problem>, column: Column) -> ImportFault {
        ImportFault::new(problem, self.header.layout().file)
            .row(self.line)
            .field(column.header())
    }

    /// Whether the table has this column.
    pub(crate) fn has(&self, column: Column) -> bool {
        self.header.place(column).is_some()
    }

    /// The field without white space at its ends. Empty if there is nothing in it.
    pub(crate) fn text(&self, column: Column) -> &'r str {
        let place = self.header.place(column);
        let field = place.and_then(|place| self.record.get(place));
        field.unwrap_or_default().trim()
    }

    /// A field that holds a text of one line: what somebody broke into several is joined with a blank.
    pub(crate) fn one_line(&self, column: Column) -> Cow<'r, str> {
        let text = self.text(column);
        if !text.contains(is_line_break) {
            return Cow::Borrowed(text);
        }
        let lines = text.split(is_line_break).map(str::trim);
        let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        Cow::Owned(lines.join(" "))
    }

    /// The entries of a field that holds a list, without the empty ones.
    pub(crate) fn list(&self, column: Column) -> impl Iterator<Item = &'r str> {
        self.text(column)
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
    }

    /// The field as `parse` reads it. `None` if it is empty.
    pub(crate) fn optional<T, P: Into<Problem>>(
        &self,
        column: Column,
        parse: impl FnOnce(&str) -> Result<T, P>,
    ) -> Result<Option<T>, ImportFault> {
        match &*self.value(column) {
            "" => Ok(None),
            text => self.parse(column, text, parse).map(Some),
        }
    }

    /// The field as `parse` reads it. An empty field is a fault.
    pub(crate) fn required<T, P: Into<Problem>>(
        &self,
        column: Column,
        parse: impl FnOnce(&str) -> Result<T, P>,
    ) -> Result<T, ImportFault> {
        match &*self.value(column) {
            "" => Err(self.fault(FaultCode::ValueMissing, column)),
            text => self.parse(column, text, parse),
        }
    }

    /// The field, as one line if it is a name. An id stays as it is: a line break makes it another one.
    fn value(&self, column: Column) -> Cow<'r, str> {
        match column {
            Column::Name | Column::Title => self.one_line(column),
            _ => Cow::Borrowed(self.text(column)),
        }
    }

    fn parse<T, P: Into<Problem>>(
        &self,
        column: Column,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, P>,
    ) -> Result<T, ImportFault> {
        parse(text).map_err(|problem| self.fault(problem, column))
    }

    /// The id of what the row describes, made from its `sourcedId`: see [`names`]. Ids of ten digits
    /// are common, so only `DDMMYY-NNNN` is refused here.
    pub(crate) fn id<T>(&self, from: impl FnOnce(Uuid) -> T) -> Result<T, ImportFault> {
        let id = self.text(Column::SourcedId);
        names::check_in(id, CprContext::OrganisationId)
            .map_err(|problem| self.fault(problem, Column::SourcedId))?;
        Ok(from(self.header.layout().id_of(id)))
    }
}
