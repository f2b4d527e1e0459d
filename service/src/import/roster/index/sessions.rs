//! `academicSessions.csv`: school years, and the terms that are part of them.

use std::collections::{HashMap, HashSet};

use planledger_core::domain::school_year::SchoolYear;
use planledger_core::ids::SchoolYearId;
use planledger_core::text::Title;
use uuid::Uuid;

use super::super::reader::layout::{Column, SESSIONS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::cells::{date, is_gone, optional_reference, word};
use super::references::{dangling, each_row, hides_ids};
use crate::import::fault::{Collector, FaultCode, ImportFault};

/// One row.
struct Session {
    /// The school year, if the session is one.
    year: Option<SchoolYear>,
    /// The session that it is part of.
    parent: Option<Uuid>,
}

impl Session {
    fn read(row: &Row<'_>, faults: &mut Collector) -> Option<Self> {
        const TYPES: [(&str, bool); 4] = [
            ("schoolYear", true),
            ("semester", false),
            ("term", false),
            ("gradingPeriod", false),
        ];
        // The status is checked and not used: old plans still name a school year that is gone.
        faults.ok(is_gone(row))?;
        let is_year = faults.ok(row.required(Column::Type, |text| word(text, &TYPES)))?;
        let parent = optional_reference(row, Column::ParentSourcedId, &SESSIONS);
        if !is_year {
            return Some(Self { year: None, parent });
        }
        let title = faults.ok(row.required(Column::Title, Title::new));
        let first = faults.ok(row.required(Column::StartDate, date));
        let last = faults.ok(row.required(Column::EndDate, date));
        let year = SchoolYear {
            title: title?,
            first_day: first?,
            last_day: last?,
        };
        if year.last_day < year.first_day {
            faults.push(row.fault(FaultCode::DatesReversed, Column::EndDate));
            return None;
        }
        Some(Self {
            year: Some(year),
            parent: None,
        })
    }
}

/// All sessions.
#[derive(Default)]
pub(crate) struct Sessions {
    /// In the order of the file, each with its line.
    years: Vec<(SchoolYearId, SchoolYear, u64)>,
    /// The school year of each session.
    year_of: HashMap<Uuid, Option<SchoolYearId>>,
}

/// By session: its parent, and the fault of its row if that parent is not there.
type Parents = HashMap<Uuid, (Option<Uuid>, ImportFault)>;

impl Sessions {
    pub(super) fn read(source: &mut Source, faults: &mut Collector) -> Self {
        let mut sessions = Self::default();
        let mut parents = Parents::new();
        let mut order = Vec::new();
        each_row(source, &SESSIONS, faults, |row, faults| {
            let Some(id) = faults.ok(row.id(|id| id)) else {
                return;
            };
            // The id of a faulty row is kept too, so that references to it are no further faults.
            let session = Session::read(row, faults);
            let parent = session.as_ref().and_then(|session| session.parent);
            let if_dangling = row.fault(dangling(&SESSIONS), Column::ParentSourcedId);
            if parents.insert(id, (parent, if_dangling)).is_some() {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
            order.push(id);
            if let Some(year) = session.and_then(|session| session.year) {
                let id = SchoolYearId::from_uuid(id);
                sessions.years.push((id, year, row.line()));
            }
        });
        if hides_ids(faults, &SESSIONS) {
            return sessions;
        }
        let years = sessions.years.iter().map(|(id, _, _)| *id).collect();
        for id in order {
            let year = faults.ok(climb_to_year(id, &parents, &years)).flatten();
            sessions.year_of.insert(id, year);
        }
        sessions
    }

    /// The school years in the order of the file, each with its line.
    pub(crate) fn years(&self) -> &[(SchoolYearId, SchoolYear, u64)] {
        &self.years
    }

    /// The school year that a session is part of. The outer `None`: there is no such session.
    /// The inner `None`: the session is part of no school year.
    pub(super) fn year_of(&self, session: Uuid) -> Option<Option<SchoolYearId>> {
        self.year_of.get(&session).copied()
    }
}

/// Climbs from a session to the school year that it is part of.
fn climb_to_year(
    start: Uuid,
    parents: &Parents,
    years: &HashSet<SchoolYearId>,
) -> Result<Option<SchoolYearId>, ImportFault> {
    let mut at = start;
    // No chain of different sessions is longer than there are sessions.
    for _ in 0..=parents.len() {
        let year = SchoolYearId::from_uuid(at);
        if years.contains(&year) {
            return Ok(Some(year));
        }
        match parents.get(&at) {
            // The fault is said at the session that names the missing parent, and only there.
            Some((Some(parent), if_dangling)) if !parents.contains_key(parent) => {
                return if at == start {
                    Err(if_dangling.clone())
                } else {
                    Ok(None)
                };
            }
            Some((Some(parent), _)) => at = *parent,
            Some((None, _)) | None => return Ok(None),
        }
    }
    let fault = ImportFault::new(FaultCode::ReferenceCycle, SESSIONS.file)
        .field(Column::ParentSourcedId.header());
    let row = parents.get(&start).and_then(|(_, fault)| fault.row);
    Err(match row {
        Some(row) => fault.row(row),
        None => fault,
    })
}
