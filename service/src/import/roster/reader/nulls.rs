//! `NULL` where a database wrote its own word for nothing. In columns of days, of states and of ids it can
//! mean nothing else and counts as blank. A name may be `Null`, so names stay as they are.

use csv::StringRecord;

use super::header::Header;
use super::layout::Column;

const NULL: &str = "NULL";

impl Column {
    /// Whether `NULL` in it can only mean that there is nothing.
    fn may_be_null(self) -> bool {
        let is_reference = matches!(
            self,
            Self::OrgSourcedIds
                | Self::AgentSourcedIds
                | Self::TermSourcedIds
                | Self::SessionSourcedIds
                | Self::UserIds
                | Self::ParentSourcedId
                | Self::CourseSourcedId
                | Self::SchoolYearSourcedId
        );
        is_reference || self == Self::Status || self.holds_days()
    }
}

/// Where columns stand in which `NULL` counts as blank.
pub(super) fn places(header: &Header) -> impl Iterator<Item = usize> {
    let columns = header.layout().columns.iter();
    let columns = columns.filter(|column| column.may_be_null());
    columns.filter_map(|column| header.place(*column))
}

/// Makes the cells blank that hold the word and nothing else. Gives how many there were.
pub(super) fn blank(record: &mut StringRecord, places: &[usize]) -> u64 {
    let is_null = |place: usize| record.get(place).is_some_and(|cell| cell.trim() == NULL);
    let found: Vec<usize> = places.iter().copied().filter(|at| is_null(*at)).collect();
    if !found.is_empty() {
        let cells = record.iter().enumerate();
        *record = cells
            .map(|(at, cell)| if found.contains(&at) { "" } else { cell })
            .collect();
    }
    found.len() as u64
}
