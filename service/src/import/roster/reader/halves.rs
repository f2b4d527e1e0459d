//! Tells two rows whose last cells were left out from the two halves of one row.
//!
//! A program that trims each row makes rows of many lengths, and two of them may have as many cells as
//! a row that a line break cut in two. What such a cut puts into a column is what belongs to another one,
//! so the fixed words of the formats tell the two apart.

use csv::StringRecord;

use super::super::words;
use super::header::Header;
use super::layout::Column;

/// Whether a short row and the one after it are each a row of their own, and not two halves of one. If
/// nothing tells, they count as halves.
pub(super) fn are_rows(header: &Header, first: &StringRecord, next: &StringRecord) -> bool {
    let cells = |record| Cells { header, record };
    let (first, next) = (cells(first), cells(next));
    let is_first = first.has_status() || first.is_sound();
    let has_word = next.has_word(Column::Role) || next.has_word(Column::EnabledUser);
    let is_next = next.has_status() || (has_word && next.is_sound());
    is_first && is_next && next.is_filled(Column::SourcedId)
}

struct Cells<'r> {
    header: &'r Header,
    record: &'r StringRecord,
}

impl Cells<'_> {
    fn text(&self, column: Column) -> &str {
        let place = self.header.place(column);
        let cell = place.and_then(|place| self.record.get(place));
        cell.unwrap_or_default().trim()
    }

    /// Whether there is something in a cell. A column that the table need not have counts as filled.
    fn is_filled(&self, column: Column) -> bool {
        let layout = self.header.layout();
        let is_needed = layout.columns.contains(&column) && !layout.optional.contains(&column);
        !is_needed || !self.text(column).is_empty()
    }

    fn has_status(&self) -> bool {
        words::is_gone(self.text(Column::Status)).is_ok()
    }

    /// Whether a cell holds one of the fixed words of its column.
    fn has_word(&self, column: Column) -> bool {
        let text = self.text(column);
        match column {
            Column::Role => words::role(text).is_ok(),
            Column::EnabledUser => words::truth(text).is_ok(),
            _ => false,
        }
    }

    /// Whether nothing that the row needs is missing, and no word stands where another belongs.
    fn is_sound(&self) -> bool {
        let needed = [
            Column::SourcedId,
            Column::Name,
            Column::Title,
            Column::UserSourcedId,
            Column::OrgSourcedId,
            Column::ClassSourcedId,
            Column::SchoolSourcedId,
            Column::OrgSourcedIds,
        ];
        // Some people have only one name.
        let has_name =
            self.is_filled(Column::GivenName) || !self.text(Column::FamilyName).is_empty();
        let is_word = |column| {
            let is_there = self.header.place(column).is_some();
            !is_there || self.has_word(column)
        };
        needed.into_iter().all(|column| self.is_filled(column))
            && has_name
            && is_word(Column::Role)
            && is_word(Column::EnabledUser)
            && (self.text(Column::Status).is_empty() || self.has_status())
    }
}
