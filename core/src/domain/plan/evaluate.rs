//! Who evaluates which goal, and who holds talks.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::decide::{ExistingPlan, with_year_plan};
use super::{Assessment, Evaluator, PlanEvent, UnitRef};
use crate::domain::refusing::{exists, not_found, refuse};
use crate::domain::year_plan::{Goal, GoalKind};
use crate::domain::{Actor, Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::{EvaluationId, GoalId, PersonId};

impl ExistingPlan<'_> {
    pub(super) fn evaluation(
        &self,
        id: EvaluationId,
        field: Field,
    ) -> Result<&super::Evaluation, Stop> {
        let what = "evaluation in this plan with id";
        self.plan
            .evaluations
            .iter()
            .map(|found| &**found)
            .find(|found| found.id == id)
            .ok_or_else(|| not_found(Reason::EvaluationNotFound, what, "evaluation_id", id, field))
    }

    /// The side on which somebody acts. Whoever acts for a person is on that person's side. `None` if the
    /// person is neither staff nor the plan's student, and for a system that acts for nobody.
    pub(super) fn side(&self) -> Result<Option<Evaluator>, Stop> {
        Ok(match self.ask.author() {
            Actor::Person(person) if person == self.plan.student => Some(Evaluator::Student),
            Actor::Person(person) if self.is_staff(person)? => Some(Evaluator::Staff),
            Actor::Person(_) | Actor::System(_) => None,
        })
    }

    /// The side on which somebody evaluates. Refused if it is neither.
    fn evaluator(&self) -> Result<Evaluator, Stop> {
        match self.side()? {
            Some(side) => Ok(side),
            None => refuse(Refusal::new(
                Reason::EvaluatorNotAllowed,
                "only teachers, pedagogues, leaders and the student of this plan can evaluate its \
                goals",
            )),
        }
    }

    fn is_staff(&self, person: PersonId) -> Result<bool, Stop> {
        let state = self.ask.load(person)?;
        Ok(matches!(state.as_deref(), Some(Aggregate::Person(found)) if found.is_staff()))
    }

    pub(super) fn holds_talks(&self) -> Result<bool, Stop> {
        match self.ask.author() {
            Actor::Person(person) => self.is_staff(person),
            Actor::System(_) => Ok(false),
        }
    }

    pub(super) fn check_holds_talks(&self) -> Result<(), Stop> {
        match self.holds_talks()? {
            true => Ok(()),
            false => refuse(Refusal::new(
                Reason::TalkNotAllowed,
                "only teachers, pedagogues and leaders can hold and record talks",
            )),
        }
    }

    /// Refuses holders of a talk who are not known, and holders of whom none is staff. Nobody named
    /// means that whoever records it held it, and that has been checked.
    pub(super) fn check_holders(&self, held_by: &BTreeSet<PersonId>) -> Result<(), Stop> {
        const FIELD: Field = Field::DetailsHeldBy;
        self.ask.known(held_by, FIELD)?;
        for person in held_by {
            if self.is_staff(*person)? {
                return Ok(());
            }
        }
        match held_by.is_empty() {
            true => Ok(()),
            false => refuse(
                Refusal::new(
                    Reason::TalkWithoutStaff,
                    "a talk is held by a teacher, pedagogue or leader; name at least one of them",
                )
                .field(FIELD),
            ),
        }
    }

    pub(super) fn record_evaluation(
        &self,
        id: EvaluationId,
        unit: UnitRef,
        goal_id: GoalId,
        assessment: &Assessment,
    ) -> Result<Vec<PlanEvent>, Stop> {
        const GOAL: Field = Field::Goal;
        self.check_included(unit, Field::UnitRef)?;
        let by = self.evaluator()?;
        let goal = self.goal(unit, goal_id, GOAL)?;
        if goal.retired {
            let message = format!("goal {goal_id} is retired; choose another goal");
            let refusal = Refusal::new(Reason::GoalRetired, message).field(GOAL);
            return refuse(refusal.with("goal_id", goal_id));
        }
        if (goal.kind, by) == (GoalKind::Subject, Evaluator::Student) {
            let message = "students can evaluate reflection goals only; a teacher or pedagogue \
                           evaluates subject goals";
            let refusal = Refusal::new(Reason::GoalKindNotEvaluableByStudent, message).field(GOAL);
            return refuse(refusal.with("goal_id", goal_id));
        }
        if self.plan.evaluations.iter().any(|found| found.id == id) {
            let field = Field::Evaluation;
            return exists("evaluation", "evaluation_id", id, field);
        }
        let goal_revision = goal.revision();
        check_assessment(&goal, goal_revision, assessment)?;
        let assessment = assessment.clone();
        Ok(vec![PlanEvent::EvaluationRecorded {
            evaluation: id,
            unit,
            goal: goal_id,
            goal_revision,
            by,
            assessment,
        }])
    }

    /// Whether the evaluation would change.
    pub(super) fn correct_evaluation(
        &self,
        id: EvaluationId,
        assessment: &Assessment,
    ) -> Result<bool, Stop> {
        const FIELD: Field = Field::Evaluation;
        let evaluation = self.evaluation(id, FIELD)?;
        if self.evaluator()? != evaluation.by {
            let message = "only the side that made an evaluation, the student or the staff, can \
                           correct it";
            let refusal = Refusal::new(Reason::EvaluationOfAnotherSide, message).field(FIELD);
            return refuse(refusal.with("evaluation_id", id));
        }
        let goal = self.goal(evaluation.unit, evaluation.goal, FIELD)?;
        check_assessment(&goal, evaluation.goal_revision, assessment)?;
        Ok(evaluation.assessment != *assessment)
    }

    fn goal(&self, unit: UnitRef, id: GoalId, field: Field) -> Result<Arc<Goal>, Stop> {
        with_year_plan(self.ask, unit.year_plan, field, |year_plan| {
            let goal = year_plan
                .goals
                .get(&id)
                .filter(|goal| goal.unit == unit.unit);
            let what = "goal in this unit with id";
            goal.map(|goal| Arc::new(goal.clone()))
                .ok_or_else(|| not_found(Reason::GoalNotFound, what, "goal_id", id, field))
        })
    }
}

fn check_assessment(goal: &Goal, revision: u32, assessment: &Assessment) -> Result<(), Stop> {
    if assessment.level.is_none() && assessment.comment.is_none() {
        let message = "an evaluation needs a level, a comment or both";
        return refuse(Refusal::new(Reason::AssessmentEmpty, message).field(Field::Assessment));
    }
    let levels = goal.at(revision).map_or(0, |at| at.scale.levels.len());
    match assessment.level {
        Some(level) if usize::from(level) >= levels => {
            let message = format!(
                "the level is not on the goal's scale, which has levels 0 to {}",
                levels.saturating_sub(1)
            );
            let refusal =
                Refusal::new(Reason::LevelOutOfRange, message).field(Field::AssessmentLevel);
            refuse(refusal.with("levels", levels))
        }
        Some(_) | None => Ok(()),
    }
}
