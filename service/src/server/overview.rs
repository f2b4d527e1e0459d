//! Queries for overviews.

use jiff::civil::Date;
use planledger_core::derived::Term;
use planledger_core::domain::school_year::{DefinedSchoolYear, SchoolYear};
use planledger_core::domain::{Aggregate, Reason};
use planledger_core::ids::{InstitutionId, SchoolYearId, StreamKind};
use planledger_core::ledger::{ReadError, Reading};
use planledger_core::overview::{Column, Day, OverviewQuery, Report, Row, RowKey, Shown, mask};
use planledger_core::time::Timestamp;

use super::auth::Access;
use super::gate::Gate;
use crate::wire::{Failure, OverviewAsk};

/// The day of an instant.
pub(super) fn day_of(instant: Timestamp) -> Date {
    // The text of a [`Day`] is always a date.
    Day::of(instant).to_string().parse().unwrap_or_default()
}

/// The answer to a request for an overview.
pub(super) struct Overview {
    pub(super) school_year: (SchoolYearId, SchoolYear),
    /// The plans were counted as they were at the end of this day.
    pub(super) day: Date,
    pub(super) columns: Vec<Column>,
    /// The rows of the requested page.
    pub(super) rows: Vec<NamedRow>,
    /// The row that counts everything.
    pub(super) total: Option<NamedRow>,
    /// For each rule of the request, the day from which it applies.
    pub(super) due_from: Vec<Date>,
    pub(super) next_page_token: String,
}

/// A row with what its counts may show, and with the names of what it counts.
pub(super) struct NamedRow {
    pub(super) row: Row,
    pub(super) shown: Vec<Shown>,
    pub(super) institution_name: Option<String>,
    pub(super) team_title: Option<String>,
}

/// Counts the plans of a school year.
pub(super) fn overview(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    asked: &OverviewAsk,
    today: Date,
) -> Result<Overview, Failure> {
    gate.require(&Access::ListOverview)?;
    let institutions = institutions(reading, gate, &asked.institutions, Access::ReadOverview)?;
    let day = asked.as_of.unwrap_or(today);
    let (id, school_year) = school_year(reading, asked.school_year, day)?;
    // A past school year is counted at its end, because students move to other grades afterwards.
    let day = asked.as_of.unwrap_or(today.min(school_year.last_day));
    let query = OverviewQuery {
        institutions,
        school_year: (id, school_year),
        by: asked.by,
        day,
        untouched_months: asked.untouched_months,
        rules: asked.rules.clone(),
    };
    let report = reading.overview(&query)?;
    let columns = report.columns.clone();
    let (rows, total, next_page_token) = rows(reading, asked, &query, report)?;
    let rules = query.rules.iter().flat_map(|rules| &rules.rules);
    let first_day = query.school_year.1.first_day;
    let due_from = rules.map(|rule| rule.due_from(first_day)).collect();
    Ok(Overview {
        school_year: query.school_year,
        day,
        columns,
        rows,
        total,
        due_from,
        next_page_token,
    })
}

type Page = (Vec<NamedRow>, Option<NamedRow>, String);

/// Masks the whole table first and then cuts out a page. So the pages together tell no more than
/// the table.
fn rows(
    reading: &Reading<'_>,
    asked: &OverviewAsk,
    query: &OverviewQuery,
    report: Report,
) -> Result<Page, ReadError> {
    let Report {
        columns: _,
        mut rows,
        total,
    } = report;
    rows.push(Row {
        key: RowKey::default(),
        counts: total,
    });
    let table: Vec<_> = rows.iter().map(|row| row.counts.clone()).collect();
    let ties = match asked.mask_below {
        0 => Vec::new(),
        _ => query.ties(),
    };
    let masked = mask(&table, &ties, asked.mask_below.into());
    let mut shown = rows.into_iter().zip(masked);
    let total = shown.next_back();
    let before = asked
        .page
        .after
        .and_then(|before| usize::try_from(before).ok());
    let before = before.unwrap_or(0);
    let page: Vec<_> = shown.by_ref().skip(before).take(asked.page.size).collect();
    let token = match shown.next() {
        Some(_) => asked.page.next_token((before + page.len()) as u64),
        None => String::new(),
    };
    let named = |(row, shown)| named(reading, row, shown);
    let page = page.into_iter().map(named).collect::<Result<_, _>>()?;
    Ok((page, total.map(named).transpose()?, token))
}

/// Looks up the names of what a row counts.
fn named(reading: &Reading<'_>, row: Row, shown: Vec<Shown>) -> Result<NamedRow, ReadError> {
    let mut institution_name = None;
    if let Some(id) = row.key.institution
        && let Some((state, _)) = reading.stream(id)?
        && let Aggregate::Institution(institution) = &*state
    {
        institution_name = Some(institution.details.name.to_string());
    }
    let mut team_title = None;
    if let Some(id) = row.key.team
        && let Some((state, _)) = reading.stream(id)?
        && let Aggregate::Team(team) = &*state
    {
        team_title = Some(team.details.title.to_string());
    }
    Ok(NamedRow {
        row,
        shown,
        institution_name,
        team_title,
    })
}

/// The institutions that a request names, each of which the caller must be allowed to see, or all
/// that the caller may see.
pub(super) fn institutions(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    asked: &[InstitutionId],
    access: impl Fn(InstitutionId) -> Access<'static>,
) -> Result<Vec<InstitutionId>, Failure> {
    if asked.is_empty() {
        let mut seen = Vec::new();
        for stream in reading.find(Term::All(StreamKind::Institution))?.iter() {
            let id = InstitutionId::from_uuid(stream.id);
            if gate.permits(&access(id))? {
                seen.push(id);
            }
        }
        return Ok(seen);
    }
    for id in asked {
        gate.require(&access(*id))?;
    }
    for (index, id) in asked.iter().enumerate() {
        if reading.stream(*id)?.is_none() {
            let field = format!("institution_ids[{index}]");
            return Err(Failure::no_stream(Reason::InstitutionNotFound, &field, *id));
        }
    }
    Ok(asked.to_vec())
}

/// The school year that the request names, or the one that contains the day.
pub(super) fn school_year(
    reading: &Reading<'_>,
    asked: Option<SchoolYearId>,
    day: Date,
) -> Result<(SchoolYearId, SchoolYear), Failure> {
    if let Some(id) = asked {
        let found = reading.stream(id)?;
        return match found.as_ref().map(|(state, _)| &**state) {
            Some(Aggregate::SchoolYear(year)) => Ok((id, year.year.clone())),
            _ => Err(Failure::no_stream(
                Reason::SchoolYearNotFound,
                "school_year_id",
                id,
            )),
        };
    }
    let mut begun: Option<(SchoolYearId, SchoolYear)> = None;
    for stream in reading.find(Term::All(StreamKind::SchoolYear))?.iter() {
        if let Some((state, _)) = reading.stream(*stream)?
            && let Aggregate::SchoolYear(DefinedSchoolYear { year, .. }) = &*state
            && (year.first_day..=year.last_day).contains(&day)
            && begun
                .as_ref()
                .is_none_or(|(_, other)| other.first_day < year.first_day)
        {
            begun = Some((SchoolYearId::from_uuid(stream.id), year.clone()));
        }
    }
    begun.ok_or_else(|| {
        let message = format!("no school year contains the day {day}; name the school year");
        Failure::not_found(Reason::SchoolYearNotFound, "school_year_id", message)
    })
}
