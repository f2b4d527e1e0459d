//! Queries about the national wellbeing survey: how its results were discussed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use planledger_core::derived::Term;
use planledger_core::domain::institution::{
    Institution, SurveyCount, SurveyDiscussion, SurveyForum,
};
use planledger_core::domain::school_year::SchoolYear;
use planledger_core::domain::{Aggregate, Reason};
use planledger_core::ids::{InstitutionId, SchoolYearId, StreamKind, SurveyDiscussionId};
use planledger_core::ledger::Reading;
use planledger_core::text::Name;

use super::auth::Access;
use super::gate::Gate;
use super::overview::{institutions, school_year};
use crate::wire::{Failure, SurveyAsk};

/// Discussions by forum. A forum without any may be missing.
pub(super) type Counts = BTreeMap<SurveyForum, SurveyCount>;

/// The answer to a request for counts.
pub(super) struct SurveyOverview {
    pub(super) school_year: (SchoolYearId, SchoolYear),
    /// The rows of the requested page.
    pub(super) rows: Vec<CountedInstitution>,
    /// Everything that was asked for, whatever the page.
    pub(super) total: Counts,
    /// The institutions that have not discussed the survey.
    pub(super) without: Vec<CountedInstitution>,
    pub(super) next_page_token: String,
}

/// An institution and its discussions.
#[derive(Clone)]
pub(super) struct CountedInstitution {
    pub(super) id: InstitutionId,
    pub(super) name: Name,
    pub(super) closed: bool,
    pub(super) counts: Counts,
}

/// A discussion, and where it belongs.
pub(super) struct FoundDiscussion {
    pub(super) institution: InstitutionId,
    pub(super) institution_name: Name,
    pub(super) id: SurveyDiscussionId,
    pub(super) discussion: Arc<SurveyDiscussion>,
}

/// Counts the discussions of a school year's survey. The reading sees what was recorded by the end
/// of `day`.
pub(super) fn overview(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    asked: &SurveyAsk,
    day: Date,
) -> Result<SurveyOverview, Failure> {
    gate.require(&Access::ListSurvey)?;
    for institution in &asked.institutions {
        gate.require(&Access::ReadSurvey(*institution))?;
    }
    let school_year = school_year(reading, asked.school_year, day)?;
    let years = same_years(reading, &school_year)?;
    let mut total = Counts::new();
    let mut rows = Vec::new();
    each_institution(reading, gate, asked, |id, institution| {
        let counts = institution.survey_counts(&years);
        for (forum, count) in &counts {
            total.entry(*forum).or_default().add(*count);
        }
        rows.push(CountedInstitution {
            id,
            name: institution.details.name.clone(),
            closed: institution.closed,
            counts,
        });
    })?;
    let without = rows
        .iter()
        .filter(|row| row.counts.is_empty() && !row.closed);
    let without = without.cloned().collect();
    let (rows, next_page_token) = page(asked, rows);
    Ok(SurveyOverview {
        school_year,
        rows,
        total,
        without,
        next_page_token,
    })
}

/// A school year and those with the same days: each source of rosters has school years of its own.
fn same_years(
    reading: &Reading<'_>,
    (id, year): &(SchoolYearId, SchoolYear),
) -> Result<BTreeSet<SchoolYearId>, Failure> {
    let mut same = BTreeSet::from([*id]);
    for stream in reading.find(Term::All(StreamKind::SchoolYear))?.iter() {
        if let Some((state, _)) = reading.stream(*stream)?
            && let Aggregate::SchoolYear(other) = &*state
            && (other.year.first_day, other.year.last_day) == (year.first_day, year.last_day)
        {
            same.insert(SchoolYearId::from_uuid(stream.id));
        }
    }
    Ok(same)
}

/// The discussions that were asked for, and the token of the next page.
pub(super) fn discussions(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    asked: &SurveyAsk,
) -> Result<(Vec<FoundDiscussion>, String), Failure> {
    gate.require(&Access::ListSurvey)?;
    for institution in &asked.institutions {
        gate.require(&Access::ReadSurvey(*institution))?;
    }
    if let Some(id) = asked.school_year
        && reading.stream(id)?.is_none()
    {
        let reason = Reason::SchoolYearNotFound;
        return Err(Failure::no_stream(reason, "school_year_id", id));
    }
    let mut found = Vec::new();
    each_institution(reading, gate, asked, |id, institution| {
        let all = institution.survey_discussions.iter();
        let mut chosen: Vec<_> = all
            .filter(|(key, discussion)| {
                let year = discussion.details.school_year;
                asked.discussion.is_none_or(|asked| asked == **key)
                    && asked.school_year.is_none_or(|asked| asked == year)
                    && (asked.include_withdrawn || discussion.withdrawn_at.is_none())
            })
            .collect();
        chosen.sort_by_key(|(key, discussion)| (discussion.details.held_on, **key));
        found.extend(chosen.into_iter().map(|(key, discussion)| FoundDiscussion {
            institution: id,
            institution_name: institution.details.name.clone(),
            id: *key,
            discussion: discussion.clone(),
        }));
    })?;
    Ok(page(asked, found))
}

/// Visits the institutions that were asked for, in order of their ids. An institution that was not
/// known yet is left out.
fn each_institution(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    asked: &SurveyAsk,
    mut visit: impl FnMut(InstitutionId, &Institution),
) -> Result<(), Failure> {
    let mut ids = institutions(reading, gate, &asked.institutions, Access::ReadSurvey)?;
    ids.sort_unstable();
    for id in ids {
        if let Some((state, _)) = reading.stream(id)?
            && let Aggregate::Institution(institution) = &*state
        {
            visit(id, institution);
        }
    }
    Ok(())
}

/// Cuts the requested page out of a list.
fn page<T>(asked: &SurveyAsk, list: Vec<T>) -> (Vec<T>, String) {
    let before = asked.page.after.unwrap_or_default();
    let before = usize::try_from(before).unwrap_or(usize::MAX);
    let mut rest = list.into_iter().skip(before);
    let page: Vec<_> = rest.by_ref().take(asked.page.size).collect();
    let token = match rest.next() {
        Some(_) => asked.page.next_token((before + page.len()) as u64),
        None => String::new(),
    };
    (page, token)
}
