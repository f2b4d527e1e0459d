//! Following up the national wellbeing survey: discussions, and requests about them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use planledger_core::domain::institution::{
    GoalRef, SurveyCount, SurveyDetails, SurveyDiscussion, SurveyForum,
};
use planledger_core::ids::{InstitutionId, SchoolYearId, SurveyDiscussionId};

use super::actor::write_actor;
use super::choice::Choice;
use super::errors::Failure;
use super::fields::Fields;
use super::instant::{timestamp, write_date};
use super::page::{Page, Scope, read_size};
use super::proto;

/// The name of the field that holds the id of a discussion.
pub(super) const ID: &str = "survey_discussion_id";

pub(super) fn read(fields: &mut Fields, details: proto::SurveyDetails) -> Option<SurveyDetails> {
    let school_year = fields.id("school_year_id", &details.school_year_id);
    let forum = fields.choice("forum", details.forum);
    let held_on = fields.date("held_on", &details.held_on);
    // Nothing chosen means that no students took part.
    let students_through = match details.students_through {
        0 => Some(None),
        through => fields.choice("students_through", through).map(Some),
    };
    let agreed = fields.text("agreed", &details.agreed);
    let follow_up_on = fields.optional_date("follow_up_on", details.follow_up_on.as_deref());
    let goals = fields.set("goals", details.goals, |fields, goal: proto::GoalRef| {
        let year_plan = fields.id("year_plan_id", &goal.year_plan_id);
        let goal = fields.id("goal_id", &goal.goal_id);
        Some(GoalRef {
            year_plan: year_plan?,
            goal: goal?,
        })
    });
    Some(SurveyDetails {
        school_year: school_year?,
        forum: forum?,
        held_on: held_on?,
        students_through: students_through?,
        agreed: agreed?,
        follow_up_on: follow_up_on?,
        goals: goals?,
    })
}

pub(super) fn write(details: &SurveyDetails) -> proto::SurveyDetails {
    let goals = details.goals.iter().map(|goal| proto::GoalRef {
        year_plan_id: goal.year_plan.to_string(),
        goal_id: goal.goal.to_string(),
    });
    proto::SurveyDetails {
        school_year_id: details.school_year.to_string(),
        forum: details.forum.number(),
        held_on: write_date(details.held_on),
        students_through: details.students_through.map_or(0, Choice::number),
        agreed: details.agreed.to_string(),
        follow_up_on: details.follow_up_on.map(write_date),
        goals: goals.collect(),
    }
}

/// Writes the message of a discussion at an institution.
pub fn survey_discussion(
    institution: (InstitutionId, &str),
    id: SurveyDiscussionId,
    discussion: &SurveyDiscussion,
) -> proto::SurveyDiscussion {
    proto::SurveyDiscussion {
        survey_discussion_id: id.to_string(),
        institution_id: institution.0.to_string(),
        institution_name: institution.1.to_owned(),
        details: Some(write(&discussion.details)),
        recorded_by: Some(write_actor(discussion.by)),
        recorded_at: Some(timestamp(discussion.at)),
        corrected_at: discussion.corrected_at.map(timestamp),
        withdrawn_at: discussion.withdrawn_at.map(timestamp),
    }
}

/// Writes the message of a row of counts, without an institution.
pub fn survey_row(counts: &BTreeMap<SurveyForum, SurveyCount>) -> proto::SurveyRow {
    let of = |forum| counts.get(&forum).copied().unwrap_or_default();
    let counts = SurveyForum::ALL.map(|forum| (forum, of(forum)));
    proto::SurveyRow {
        discussions: counts.iter().map(|(_, count)| count.discussions).sum(),
        forums: counts
            .iter()
            .map(|(forum, count)| proto::SurveyForumCount {
                forum: forum.number(),
                discussions: count.discussions,
                with_students: count.with_students,
                with_goals: count.with_goals,
            })
            .collect(),
        ..proto::SurveyRow::default()
    }
}

/// A request about discussions of the survey, before anything is looked up.
#[derive(Clone, Debug)]
pub struct SurveyAsk {
    /// The institutions; all institutions if the list is empty.
    pub institutions: Vec<InstitutionId>,
    /// The school year of the survey; `None` if the request names none.
    pub school_year: Option<SchoolYearId>,
    /// What was recorded by the end of this day; `None` if the request names no day.
    pub as_of: Option<Date>,
    /// Only this discussion.
    pub discussion: Option<SurveyDiscussionId>,
    /// Also discussions that are withdrawn.
    pub include_withdrawn: bool,
    /// The requested page. The cursor is the number of rows before it.
    pub page: Page<u64>,
}

/// Reads the request of `GetSurveyOverview`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn get_survey_overview(
    request: &proto::GetSurveyOverviewRequest,
) -> Result<SurveyAsk, Failure> {
    use prost::Message as _;
    let question = proto::GetSurveyOverviewRequest {
        min_position: 0,
        page_size: 0,
        page_token: String::new(),
        ..request.clone()
    };
    ask(
        &proto::ListSurveyDiscussionsRequest {
            institution_ids: request.institution_ids.clone(),
            school_year_id: request.school_year_id.clone(),
            as_of: request.as_of.clone(),
            page_size: request.page_size,
            page_token: request.page_token.clone(),
            ..proto::ListSurveyDiscussionsRequest::default()
        },
        Scope::new("GetSurveyOverview", &[&question.encode_to_vec()]),
    )
}

/// Reads the request of `ListSurveyDiscussions`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_survey_discussions(
    request: &proto::ListSurveyDiscussionsRequest,
) -> Result<SurveyAsk, Failure> {
    use prost::Message as _;
    let question = proto::ListSurveyDiscussionsRequest {
        min_position: 0,
        page_size: 0,
        page_token: String::new(),
        ..request.clone()
    };
    let question = question.encode_to_vec();
    ask(request, Scope::new("ListSurveyDiscussions", &[&question]))
}

fn ask(request: &proto::ListSurveyDiscussionsRequest, scope: Scope) -> Result<SurveyAsk, Failure> {
    let (ask, size) = Fields::read(|fields| {
        let institutions = fields.ids("institution_ids", &request.institution_ids);
        let school_year = fields.optional_id("school_year_id", request.school_year_id.as_deref());
        let as_of = fields.optional_date("as_of", request.as_of.as_deref());
        let discussion = fields.optional_id(ID, request.survey_discussion_id.as_deref());
        let size = read_size(fields, request.page_size);
        let _: BTreeSet<InstitutionId> = institutions?;
        // Keep the order of the request, because errors name institutions by their place in it.
        // Every id was just read without an error.
        let named = request.institution_ids.iter();
        let institutions: Vec<InstitutionId> = named.filter_map(|id| id.parse().ok()).collect();
        let ask = (institutions, school_year?, as_of?, discussion?);
        Some((ask, size?))
    })?;
    let (institutions, school_year, as_of, discussion) = ask;
    Ok(SurveyAsk {
        institutions,
        school_year,
        as_of,
        discussion,
        include_withdrawn: request.include_withdrawn,
        page: Page::new(scope, size, &request.page_token)?,
    })
}
