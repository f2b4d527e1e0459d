//! `academicSessions.csv`: school years, and the terms that are part of them.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use planledger_core::domain::school_year::SchoolYear;
use planledger_core::ids::SchoolYearId;
use planledger_core::text::Title;
use uuid::Uuid;

use super::super::reader::layout::{Column, Layout, SESSIONS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::Scope;
use super::cells::{date, is_gone, optional_reference};
use super::references::{dangling, each_row, push_dangling, push_passed_over};
use crate::import::fault::{Collector, FaultCode, Findings, ImportFault, Problem};

/// Whether a session of this type is a school year. Every other word is that of a term.
fn is_school_year(word: &str) -> bool {
    word.eq_ignore_ascii_case("schoolYear")
}

/// Whether the standards name a type of sessions.
fn is_known(word: &str) -> bool {
    const TERMS: [&str; 3] = ["semester", "term", "gradingPeriod"];
    is_school_year(word) || TERMS.iter().any(|term| term.eq_ignore_ascii_case(word))
}

/// One row.
struct Session {
    /// The school year, if the session is one.
    year: Option<SchoolYear>,
    /// The session that it is part of.
    parent: Option<Uuid>,
}

impl Session {
    fn read(row: &Row<'_>, faults: &mut Collector) -> Option<Self> {
        // The status is checked and not used: old plans still name a school year that is gone.
        faults.ok(is_gone(row))?;
        let is_year =
            faults.ok(row.required(Column::Type, |text| Ok::<_, Problem>(is_school_year(text))))?;
        let parent = optional_reference(row, Column::ParentSourcedId, &SESSIONS);
        if !is_year {
            return Some(Self { year: None, parent });
        }
        let title = faults.ok(row.required(Column::Title, Title::new));
        let first = faults.ok(row.required(Column::StartDate, day_of_year));
        let last = faults.ok(row.required(Column::EndDate, day_of_year));
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

/// A day that a school year may have: the server takes no other.
fn day_of_year(text: &str) -> Result<Date, Problem> {
    let day = date(text)?;
    let (first, last) = (SchoolYear::EARLIEST, SchoolYear::LATEST);
    match (first..=last).contains(&day) {
        true => Ok(day),
        false => Err(Problem::new(
            FaultCode::DateInvalid,
            format!("a school year is from {first} to {last} at most; correct the year"),
        )),
    }
}

/// Which school year a session is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartOf {
    /// The school year; `None` if the session is part of none.
    Year(Option<SchoolYearId>),
    /// Unknown, because a row was passed over.
    Unknown,
}

/// All sessions.
#[derive(Default)]
pub(crate) struct Sessions {
    /// In the order of the file, each with its line.
    years: Vec<(SchoolYearId, SchoolYear, u64)>,
    part_of: HashMap<Uuid, PartOf>,
    /// Whether a session that is not here may be known all the same.
    elsewhere: bool,
    /// How many sessions are of a type that the standards do not name.
    other_types: u64,
}

/// What the first look at the table leaves of a session.
struct Seen {
    parent: Option<Uuid>,
    is_year: bool,
    usable: bool,
    line: u64,
}

impl Sessions {
    pub(super) fn read(
        source: &mut Source,
        layout: &'static Layout,
        scope: Scope,
        findings: &mut Findings,
    ) -> Self {
        let mut years = Vec::new();
        let mut seen: HashMap<Uuid, Seen> = HashMap::new();
        let mut order = Vec::new();
        let (mut rows, mut other_types) = (0_u64, 0_u64);
        each_row(source, layout, findings, |row, faults| {
            rows += 1;
            let word = row.text(Column::Type);
            other_types += u64::from(!word.is_empty() && !is_known(word));
            let id = faults.ok(row.id(|id| id));
            let session = Session::read(row, faults);
            let Some(id) = id else {
                return;
            };
            if seen.contains_key(&id) {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
            let session = session.filter(|_| faults.is_empty());
            let usable = session.is_some();
            let (year, parent) = session.map_or((None, None), |found| (found.year, found.parent));
            let found = Seen {
                parent,
                is_year: year.is_some(),
                usable,
                line: row.line(),
            };
            seen.insert(id, found);
            order.push(id);
            if let Some(year) = year {
                years.push((SchoolYearId::from_uuid(id), year, row.line()));
            }
        });
        let climb = Climb::all(&order, &seen);
        for fault in climb.faults {
            findings.bad(SESSIONS.file, vec![fault], true);
        }
        for fault in climb.parts {
            findings.part(fault);
        }
        let part_of = climb.part_of;
        years.retain(|(id, _, _)| part_of.get(&id.uuid()) != Some(&PartOf::Unknown));
        let is_empty = rows == 0 && !findings.has_unreadable(layout.file);
        Self {
            years,
            part_of,
            elsewhere: scope.is_delta || is_empty,
            other_types,
        }
    }

    /// How many sessions are of a type that the standards do not name. They count as terms.
    pub(super) fn other_types(&self) -> u64 {
        self.other_types
    }

    /// Those of an export without the table.
    pub(super) fn not_exported() -> Self {
        Self {
            elsewhere: true,
            ..Self::default()
        }
    }

    /// Whether a session that is not here may be known all the same: the export holds no session, or
    /// changes only. Then a row that names one is not bad.
    pub(super) fn may_be_elsewhere(&self) -> bool {
        self.elsewhere
    }

    /// The school years in the order of the file, each with its line.
    pub(crate) fn years(&self) -> &[(SchoolYearId, SchoolYear, u64)] {
        &self.years
    }

    /// The school year that a session is part of. `None`: there is no such session.
    pub(super) fn year_of(&self, session: Uuid) -> Option<PartOf> {
        self.part_of.get(&session).copied()
    }

    /// Checks that there is such a session, or may be one elsewhere.
    pub(super) fn check(
        &self,
        session: Uuid,
        row: &Row<'_>,
        column: Column,
        faults: &mut Collector,
    ) {
        match self.year_of(session) {
            Some(PartOf::Year(_)) => {}
            Some(PartOf::Unknown) => push_passed_over(row, column, faults),
            None if self.elsewhere => {}
            None => push_dangling(row, column, &SESSIONS, faults),
        }
    }
}

/// Climbs from each session to the school year that it is part of. Each session is climbed from
/// once, however long the chains are.
#[derive(Default)]
struct Climb {
    part_of: HashMap<Uuid, PartOf>,
    faults: Vec<ImportFault>,
    /// Parents that are not in the table.
    parts: Vec<ImportFault>,
    /// How many sessions were looked at.
    steps: u64,
}

impl Climb {
    fn all(order: &[Uuid], seen: &HashMap<Uuid, Seen>) -> Self {
        let mut climb = Self::default();
        let mut path = Vec::new();
        let mut on_path = HashSet::new();
        for start in order {
            path.clear();
            on_path.clear();
            let mut at = *start;
            let end: Result<_, Problem> = loop {
                climb.steps += 1;
                if let Some(known) = climb.part_of.get(&at) {
                    break Ok(*known);
                }
                let Some(session) = seen.get(&at) else {
                    // It belongs to something that is not exported. That spoils no session.
                    if let Some((_, line)) = path.last() {
                        let fault = ImportFault::new(dangling(&SESSIONS), SESSIONS.file).row(*line);
                        climb
                            .parts
                            .push(fault.field(Column::ParentSourcedId.header()));
                    }
                    break Ok(PartOf::Year(None));
                };
                if !on_path.insert(at) {
                    break Err(FaultCode::ReferenceCycle.into());
                }
                path.push((at, session.line));
                match session {
                    Seen { usable: false, .. } => {
                        climb.part_of.insert(at, PartOf::Unknown);
                        path.pop();
                        break Ok(PartOf::Unknown);
                    }
                    Seen { is_year: true, .. } => {
                        break Ok(PartOf::Year(Some(SchoolYearId::from_uuid(at))));
                    }
                    Seen { parent: None, .. } => break Ok(PartOf::Year(None)),
                    Seen {
                        parent: Some(up), ..
                    } => at = *up,
                }
            };
            // From the top down: a session under one that cannot be used cannot be used either.
            for (id, line) in path.iter().rev() {
                let part = match &end {
                    Ok(part) => *part,
                    Err(_) => PartOf::Unknown,
                };
                if let Some(problem) = match &end {
                    Ok(PartOf::Year(_)) => None,
                    Ok(PartOf::Unknown) => Some(FaultCode::RowPassedOver.into()),
                    Err(problem) => Some(problem.clone()),
                } {
                    let fault = ImportFault::new(problem, SESSIONS.file).row(*line);
                    climb
                        .faults
                        .push(fault.field(Column::ParentSourcedId.header()));
                }
                climb.part_of.insert(*id, part);
            }
        }
        climb
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain in which each session is part of the next, and the last is a school year.
    fn steps(length: u128) -> u64 {
        let id = Uuid::from_u128;
        let order: Vec<Uuid> = (0..length).map(id).collect();
        let seen = (0..length).map(|number| {
            let is_year = number + 1 == length;
            let session = Seen {
                parent: (!is_year).then(|| id(number + 1)),
                is_year,
                usable: true,
                line: 1,
            };
            (id(number), session)
        });
        let climb = Climb::all(&order, &seen.collect());
        assert!(climb.faults.is_empty());
        let year = PartOf::Year(Some(SchoolYearId::from_uuid(id(length - 1))));
        assert!(climb.part_of.values().all(|part| *part == year));
        climb.steps
    }

    #[test]
    fn chained_sessions_take_steps_in_proportion_to_their_number() {
        for length in [1, 10, 1_000, 8_000] {
            assert!(u128::from(steps(length)) <= 2 * length, "{length}");
        }
    }

    #[test]
    fn a_cycle_is_told_for_all_that_are_in_it_and_ends_the_climb() {
        let id = Uuid::from_u128;
        let order: Vec<Uuid> = (0..3).map(id).collect();
        let seen = [(0, 1), (1, 2), (2, 0)].map(|(from, to)| {
            let session = Seen {
                parent: Some(id(to)),
                is_year: false,
                usable: true,
                line: 1,
            };
            (id(from), session)
        });
        let climb = Climb::all(&order, &seen.into());
        assert_eq!(climb.faults.len(), 3);
        assert!(
            climb
                .faults
                .iter()
                .all(|f| f.code == FaultCode::ReferenceCycle)
        );
        assert!(climb.steps <= 6);
    }
}
