//! The overview service.

use jiff::civil::Date;
use planledger_core::derived::Term;
use planledger_core::domain::school_year::SchoolYear;
use planledger_core::domain::{Aggregate, Reason};
use planledger_core::ids::{InstitutionId, SchoolYearId, StreamKind};
use planledger_core::ledger::{ReadError, Reading};
use planledger_core::overview::{Day, OverviewQuery, Report, Row, RowKey, mask};
use planledger_core::time::Timestamp;
use planledger_proto::v1 as proto;
use planledger_proto::v1::overview_service_server::OverviewService;
use tonic::{Request, Response};

use super::api::{Api, Rpc};
use super::auth::Access;
use crate::wire::{self, Failure, OverviewAsk};

#[tonic::async_trait]
impl OverviewService for Api {
    async fn get_overview(
        &self,
        request: Request<proto::GetOverviewRequest>,
    ) -> Rpc<proto::GetOverviewResponse> {
        let caller = self.caller(request.metadata())?;
        let request = request.into_inner();
        let min_position = request.min_position;
        let asked = wire::get_overview(request)?;
        self.permit(&caller, Access::ReadOverview(&asked.institutions))?;
        let today = day_of(self.ledger.now());
        if asked.as_of.is_some_and(|day| day > today) {
            return Err(Failure::instant_ahead("as_of").into());
        }
        let read = move |reading: &Reading<'_>| answer(reading, &asked, today);
        let (answer, position) = self.read(min_position, read).await?;
        Ok(Response::new(proto::GetOverviewResponse {
            position: position.get(),
            ..answer
        }))
    }
}

fn day_of(instant: Timestamp) -> Date {
    // The text of a [`Day`] is always a date.
    Day::of(instant).to_string().parse().unwrap_or_default()
}

fn answer(
    reading: &Reading<'_>,
    asked: &OverviewAsk,
    today: Date,
) -> Result<proto::GetOverviewResponse, Failure> {
    let institutions = institutions(reading, asked)?;
    let (id, school_year) = school_year(reading, asked, today)?;
    // A past school year is counted at its end, because students move to other grades afterwards.
    let day = asked.as_of.unwrap_or(today.min(school_year.last_day));
    let ask = OverviewQuery {
        institutions,
        school_year: (id, school_year),
        by: asked.by,
        day,
        untouched_months: asked.untouched_months,
        rules: asked.rules.clone(),
    };
    let report = reading.overview(&ask)?;
    let (rows, total, next_page_token) = rows(reading, asked, &ask, report)?;
    let rules = ask.rules.iter().flat_map(|rules| &rules.rules);
    let first_day = ask.school_year.1.first_day;
    Ok(proto::GetOverviewResponse {
        school_year_id: id.to_string(),
        school_year_title: ask.school_year.1.title.to_string(),
        as_of: day.to_string(),
        rows,
        total: Some(total),
        due_from: rules
            .map(|rule| rule.due_from(first_day).to_string())
            .collect(),
        next_page_token,
        position: 0,
    })
}

type Page = (Vec<proto::OverviewRow>, proto::OverviewRow, String);

/// Masks the whole table first and then cuts out a page. So the pages together tell no more than
/// the table.
fn rows(
    reading: &Reading<'_>,
    asked: &OverviewAsk,
    ask: &OverviewQuery,
    report: Report,
) -> Result<Page, ReadError> {
    let Report {
        columns,
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
        _ => ask.ties(),
    };
    let masked = mask(&table, &ties, asked.mask_below.into());
    let mut shown = rows
        .iter()
        .zip(&masked)
        .map(|(row, shown)| wire::overview_row(row, &columns, shown, asked.mask_below));
    let total = shown.next_back().unwrap_or_default();
    let before = asked
        .page
        .after
        .and_then(|before| usize::try_from(before).ok());
    let before = before.unwrap_or(0);
    let mut page: Vec<_> = shown.by_ref().skip(before).take(asked.page.size).collect();
    let token = match shown.next() {
        Some(_) => asked.page.next_token((before + page.len()) as u64),
        None => String::new(),
    };
    for row in &mut page {
        name(reading, row)?;
    }
    Ok((page, total, token))
}

fn name(reading: &Reading<'_>, row: &mut proto::OverviewRow) -> Result<(), ReadError> {
    if let Some(id) = row.institution_id.as_ref().and_then(|id| id.parse().ok()) {
        let id: InstitutionId = id;
        if let Some((state, _)) = reading.stream(id)?
            && let Aggregate::Institution(institution) = &*state
        {
            row.institution_name = Some(institution.details.name.to_string());
        }
    }
    if let Some(id) = row.team_id.as_ref().and_then(|id| id.parse().ok()) {
        let id: planledger_core::ids::TeamId = id;
        if let Some((state, _)) = reading.stream(id)?
            && let Aggregate::Team(team) = &*state
        {
            row.team_title = Some(team.details.title.to_string());
        }
    }
    Ok(())
}

fn institutions(reading: &Reading<'_>, asked: &OverviewAsk) -> Result<Vec<InstitutionId>, Failure> {
    if asked.institutions.is_empty() {
        let all = reading.find(Term::All(StreamKind::Institution))?;
        let all = all.iter().map(|stream| InstitutionId::from_uuid(stream.id));
        return Ok(all.collect());
    }
    for (index, id) in asked.institutions.iter().enumerate() {
        if reading.stream(*id)?.is_none() {
            let field = format!("institution_ids[{index}]");
            return Err(Failure::no_stream(Reason::InstitutionNotFound, &field, *id));
        }
    }
    Ok(asked.institutions.clone())
}

/// The school year that the request names, or the one that contains the day.
fn school_year(
    reading: &Reading<'_>,
    asked: &OverviewAsk,
    today: Date,
) -> Result<(SchoolYearId, SchoolYear), Failure> {
    if let Some(id) = asked.school_year {
        let found = reading.stream(id)?;
        return match found.as_ref().map(|(state, _)| &**state) {
            Some(Aggregate::SchoolYear(year)) => Ok((id, year.clone())),
            _ => Err(Failure::no_stream(
                Reason::SchoolYearNotFound,
                "school_year_id",
                id,
            )),
        };
    }
    let day = asked.as_of.unwrap_or(today);
    let mut begun: Option<(SchoolYearId, SchoolYear)> = None;
    for stream in reading.find(Term::All(StreamKind::SchoolYear))?.iter() {
        if let Some((state, _)) = reading.stream(*stream)?
            && let Aggregate::SchoolYear(year) = &*state
            && (year.first_day..=year.last_day).contains(&day)
            && begun
                .as_ref()
                .is_none_or(|(_, other)| other.first_day < year.first_day)
        {
            begun = Some((SchoolYearId::from_uuid(stream.id), year.clone()));
        }
    }
    begun.ok_or_else(|| {
        let message = format!("no school year has the day {day}; say which is meant");
        Failure::not_found(Reason::SchoolYearNotFound, "school_year_id", message)
    })
}
