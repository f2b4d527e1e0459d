//! Following up the national wellbeing survey (*national trivselsmåling*): how its results were
//! discussed, and what was agreed.
//!
//! There is no place for an answer of one student, and none for a name: a discussion is about the
//! results of a class or school.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Institution, InstitutionEvent};
use crate::domain::refusing::{exists, not_found, refuse};
use crate::domain::rule_context::RuleContext;
use crate::domain::year_plan::GoalArea;
use crate::domain::{Actor, Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::{GoalId, InstitutionId, SchoolYearId, SurveyDiscussionId, YearPlanId};
use crate::text::{ReasonText, Text};
use crate::time::Timestamp;

/// Where the results were discussed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurveyForum {
    /// *Skolebestyrelsen*.
    SchoolBoard,
    /// *Forældremøde*.
    ParentsMeeting,
    /// *Elevrådet*.
    StudentCouncil,
    /// *Klassen*.
    Class,
    /// *Personalet*.
    Staff,
}

impl SurveyForum {
    /// Every forum.
    pub const ALL: [Self; 5] = [
        Self::SchoolBoard,
        Self::ParentsMeeting,
        Self::StudentCouncil,
        Self::Class,
        Self::Staff,
    ];
}

/// Through whom students took part in a discussion. Names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudentsThrough {
    /// Through the student council.
    StudentCouncil,
    /// As a class.
    Class,
    /// Through students whom the class chose.
    ChosenStudents,
}

/// A goal of a year plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GoalRef {
    /// The year plan.
    pub year_plan: YearPlanId,
    /// The goal in it.
    pub goal: GoalId,
}

/// A discussion as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyDetails {
    /// The school year whose survey was discussed.
    pub school_year: SchoolYearId,
    /// Where it was discussed.
    pub forum: SurveyForum,
    /// The day on which it was discussed.
    pub held_on: Date,
    /// Through whom students took part; `None` if no students took part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub students_through: Option<StudentsThrough>,
    /// What was agreed.
    pub agreed: Text,
    /// The day on which to follow up; `None` if no day was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up_on: Option<Date>,
    /// The wellbeing goals of year plans that aims which were agreed have become.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub goals: BTreeSet<GoalRef>,
}

/// A discussion as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyDiscussion {
    /// What it was, corrections included.
    pub details: SurveyDetails,
    /// Who recorded it: the person for whom a system did, if there is one.
    pub by: Actor,
    /// When it was recorded.
    pub at: Timestamp,
    /// The instant of the last correction; `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_at: Option<Timestamp>,
    /// When it was withdrawn; `None` if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Timestamp>,
}

/// How often the results were discussed in one forum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SurveyCount {
    /// Discussions.
    pub discussions: u64,
    /// Of those, discussions in which students took part.
    pub with_students: u64,
    /// Of those, discussions after which at least one aim became a goal of a year plan.
    pub with_goals: u64,
}

impl SurveyCount {
    /// Adds every count of `more`.
    pub fn add(&mut self, more: Self) {
        self.discussions += more.discussions;
        self.with_students += more.with_students;
        self.with_goals += more.with_goals;
    }
}

impl Institution {
    /// Counts the discussions of a school year's survey, by forum. Withdrawn ones are not counted. Each
    /// source of rosters has school years of its own, so several may be one.
    pub fn survey_counts(
        &self,
        school_years: &BTreeSet<SchoolYearId>,
    ) -> BTreeMap<SurveyForum, SurveyCount> {
        let mut counts: BTreeMap<_, SurveyCount> = BTreeMap::new();
        for discussion in self.survey_discussions.values() {
            let details = &discussion.details;
            let is_of_year = school_years.contains(&details.school_year);
            if discussion.withdrawn_at.is_some() || !is_of_year {
                continue;
            }
            let count = counts.entry(details.forum).or_default();
            count.discussions += 1;
            count.with_students += u64::from(details.students_through.is_some());
            count.with_goals += u64::from(!details.goals.is_empty());
        }
        counts
    }
}

/// Decides what is recorded of the survey at one institution.
pub(super) struct SurveyRules<'a> {
    pub(super) ask: &'a RuleContext<'a>,
    pub(super) id: InstitutionId,
    pub(super) now: &'a Institution,
}

const KEY: &str = "survey_discussion_id";

impl SurveyRules<'_> {
    pub(super) fn record(
        &self,
        discussion: SurveyDiscussionId,
        details: &SurveyDetails,
    ) -> Result<Vec<InstitutionEvent>, Stop> {
        self.check_staff()?;
        if self.now.survey_discussions.contains_key(&discussion) {
            let what = "discussion of the survey";
            return exists(what, KEY, discussion, Field::SurveyDiscussion);
        }
        let details = details.clone();
        self.ask
            .school_year(details.school_year, Field::DetailsSchoolYear)?;
        self.check_goals(&details.goals)?;
        Ok(vec![InstitutionEvent::SurveyDiscussed {
            discussion,
            details,
        }])
    }

    pub(super) fn correct(
        &self,
        discussion: SurveyDiscussionId,
        details: &SurveyDetails,
        reason: Option<&ReasonText>,
    ) -> Result<Vec<InstitutionEvent>, Stop> {
        self.check_staff()?;
        let found = self.standing(discussion)?;
        if found.details == *details {
            return Ok(Vec::new());
        }
        let details = details.clone();
        self.ask
            .school_year(details.school_year, Field::DetailsSchoolYear)?;
        // Goals that are named already were there when they were named.
        let new = details.goals.difference(&found.details.goals);
        self.check_goals(new)?;
        Ok(vec![InstitutionEvent::SurveyDiscussionCorrected {
            discussion,
            details,
            reason: reason.cloned(),
        }])
    }

    pub(super) fn withdraw(
        &self,
        discussion: SurveyDiscussionId,
        reason: Option<&ReasonText>,
    ) -> Result<Vec<InstitutionEvent>, Stop> {
        self.check_staff()?;
        self.standing(discussion)?;
        Ok(vec![InstitutionEvent::SurveyDiscussionWithdrawn {
            discussion,
            reason: reason.cloned(),
        }])
    }

    /// Refuses everybody who does not work at the institution as a leader, teacher or pedagogue.
    fn check_staff(&self) -> Result<(), Stop> {
        if let Actor::Person(person) = self.ask.author()
            && let Some(Aggregate::Person(found)) = self.ask.load(person)?.as_deref()
            && found.works_at(self.id)
        {
            return Ok(());
        }
        let message = "only leaders, teachers and pedagogues of the institution can record how \
                       its wellbeing survey was discussed";
        let refusal = Refusal::new(Reason::SurveyNotAllowed, message);
        refuse(refusal.with("institution_id", self.id))
    }

    /// A discussion that is not withdrawn.
    fn standing(&self, id: SurveyDiscussionId) -> Result<&SurveyDiscussion, Stop> {
        const FIELD: Field = Field::SurveyDiscussion;
        let found = self.now.survey_discussions.get(&id).ok_or_else(|| {
            let what = "discussion of the survey at this institution with id";
            not_found(Reason::SurveyDiscussionNotFound, what, KEY, id, FIELD)
        })?;
        match found.withdrawn_at {
            None => Ok(found),
            Some(_) => {
                let message = format!("discussion {id} is withdrawn; record it anew");
                let refusal = Refusal::new(Reason::SurveyDiscussionWithdrawn, message);
                refuse(refusal.field(FIELD).with(KEY, id))
            }
        }
    }

    fn check_goals<'g>(&self, goals: impl IntoIterator<Item = &'g GoalRef>) -> Result<(), Stop> {
        goals
            .into_iter()
            .try_for_each(|goal| self.check_goal(*goal))
    }

    fn check_goal(&self, GoalRef { year_plan, goal }: GoalRef) -> Result<(), Stop> {
        const FIELD: Field = Field::DetailsGoalsGoal;
        let state = self.ask.load(year_plan)?;
        let found = match state.as_deref() {
            Some(Aggregate::YearPlan(found)) if found.details.institution == self.id => found,
            _ => {
                return Err(not_found(
                    Reason::YearPlanNotFound,
                    "year plan of this institution with id",
                    "year_plan_id",
                    year_plan,
                    Field::DetailsGoalsYearPlan,
                ));
            }
        };
        if found.deleted.is_some() {
            let message = format!("year plan {year_plan} is deleted; undelete it first");
            let refusal = Refusal::new(Reason::YearPlanDeleted, message);
            let refusal = refusal.field(Field::DetailsGoalsYearPlan);
            return refuse(refusal.with("year_plan_id", year_plan));
        }
        match found
            .goals
            .get(&goal)
            .map(|found| (found.area, found.retired))
        {
            Some((GoalArea::Wellbeing, false)) => Ok(()),
            Some((GoalArea::Wellbeing, true)) => {
                let message = format!("goal {goal} is retired; choose another goal");
                let refusal = Refusal::new(Reason::GoalRetired, message).field(FIELD);
                refuse(refusal.with("goal_id", goal))
            }
            Some((GoalArea::Academic | GoalArea::AllRoundDevelopment, _)) => {
                let message = format!("goal {goal} is not about wellbeing");
                let refusal = Refusal::new(Reason::GoalNotAboutWellbeing, message).field(FIELD);
                refuse(refusal.with("goal_id", goal))
            }
            None => {
                let what = "goal in this year plan with id";
                Err(not_found(
                    Reason::GoalNotFound,
                    what,
                    "goal_id",
                    goal,
                    FIELD,
                ))
            }
        }
    }
}
