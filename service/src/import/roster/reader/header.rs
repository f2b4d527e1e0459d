//! The first row of a table: which column stands where.

use csv::StringRecord;

use super::layout::{Column, Layout};
use crate::import::fault::{Collector, FaultCode, ImportFault};

/// Whether a character may stand around a column name without belonging to it.
pub(super) fn is_wrapping(character: char) -> bool {
    character.is_whitespace() || matches!(character, '"' | '\'' | '“' | '”' | '\u{feff}')
}

/// A column name without what stands around it.
fn bare(name: &str) -> &str {
    name.trim_matches(is_wrapping)
}

/// Whether a table has a column of this name. Capital and small letters count as the same.
pub(super) fn knows(layout: &Layout, name: &str) -> bool {
    let name = bare(name);
    let mut columns = layout.columns.iter();
    columns.any(|column| column.is_called(name))
}

/// Where the columns of a table stand.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    layout: &'static Layout,
    width: usize,
    places: [Option<usize>; Column::COUNT],
}

impl Header {
    /// The header of a table whose first row is not read yet. It has no columns.
    pub(crate) fn unread(layout: &'static Layout) -> Self {
        Self {
            layout,
            width: 0,
            places: [None; Column::COUNT],
        }
    }

    /// Finds the columns in the first row, which stands on `line`. `None`, with the reasons in
    /// `faults`, if a column is missing or there more than once.
    pub(crate) fn read(
        layout: &'static Layout,
        record: &StringRecord,
        line: u64,
        faults: &mut Collector,
    ) -> Option<Self> {
        let names: Vec<&str> = record.iter().map(bare).collect();
        let mut header = Self::unread(layout);
        // Empty names at the end are what a spreadsheet leaves of columns that somebody has cleared.
        let named = names.iter().rposition(|name| !name.is_empty());
        header.width = named.map_or(0, |last| last + 1);
        let mut problems = Collector::default();
        for column in layout.columns {
            let mut places = (0..).zip(&names).filter(|(_, name)| column.is_called(name));
            let place = places.next().map(|(place, _)| place);
            let code = match (place, places.next()) {
                (Some(_), None) => None,
                (Some(_), Some(_)) => Some(FaultCode::ColumnDuplicated),
                (None, _) if layout.optional.contains(column) => None,
                (None, _) => Some(FaultCode::ColumnMissing),
            };
            if let Some(code) = code {
                let fault = ImportFault::new(code, layout.file).row(line);
                problems.push(fault.field(column.header()));
            }
            if let Some(slot) = header.places.get_mut(*column as usize) {
                *slot = place;
            }
        }
        // A row without any column name is no header. One fault says more than one per column.
        if header.places.iter().all(Option::is_none) {
            faults.push(ImportFault::new(FaultCode::HeaderMissing, layout.file).row(line));
            return None;
        }
        let is_complete = problems.is_empty();
        faults.append(problems);
        is_complete.then_some(header)
    }

    /// The table that it is the header of.
    pub(crate) fn layout(&self) -> &'static Layout {
        self.layout
    }

    /// How many fields it has, the unknown ones too.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Where a column stands, from 0.
    pub(crate) fn place(&self, column: Column) -> Option<usize> {
        self.places.get(column as usize).copied().flatten()
    }

    /// What a fault calls the column at `place`: its name if it is read, else its number from 1.
    /// Other names are not repeated, because a file without a header has data in this place.
    pub(crate) fn name(&self, place: usize) -> String {
        let mut columns = self.layout.columns.iter();
        match columns.find(|column| self.place(**column) == Some(place)) {
            Some(column) => column.header().to_owned(),
            None => (place + 1).to_string(),
        }
    }
}
