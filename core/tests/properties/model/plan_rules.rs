//! The same for plans.

use planledger_core::domain::plan::{Assessment, Evaluator, Item, PlanCommand, UnitRef};
use planledger_core::domain::year_plan::{GoalKind, Scale};
use planledger_core::domain::{Actor, Reason};
use planledger_core::ids::{PersonId, PlanId, YearPlanId};

use super::Model;
use super::rules::which;

impl Model {
    pub(super) fn to_plan(&self, actor: Actor, id: PlanId, command: &PlanCommand) -> Vec<Reason> {
        if let PlanCommand::Open {
            student,
            year_plan,
            owner,
        } = command
        {
            return self.to_opening(id, *student, *year_plan, *owner);
        }
        let Some(student) = self.student(id) else {
            return vec![Reason::PlanNotFound];
        };
        let withdrawn = self.is_withdrawn(id);
        let mut found = match command {
            PlanCommand::Restore => return which(&[(Reason::NotWithdrawn, !withdrawn)]),
            PlanCommand::TransferOwnership { to, .. } => {
                let already = self.owner(id) == Some(*to);
                return [
                    which(&[(Reason::AlreadyOwner, already)]),
                    self.to_owner(*to),
                ]
                .concat();
            }
            _ => which(&[(Reason::PlanWithdrawn, withdrawn)]),
        };
        let side = match actor {
            Actor::Person(person) if person == student => Some(Evaluator::Student),
            Actor::Person(person) if self.is_staff(person) => Some(Evaluator::Staff),
            Actor::Person(_) | Actor::System(_) => None,
        };
        let holds_talks = matches!(actor, Actor::Person(person) if self.is_staff(person));
        let has_talk = |talk| self.talks(id).iter().any(|found| found.id == talk);
        found.extend(match command {
            PlanCommand::IncludeUnit(unit) if self.included(id).contains(unit) => vec![],
            PlanCommand::IncludeUnit(unit) => {
                let elsewhere = self.hangs_on(id) != Some(unit.year_plan);
                let mut found = self.to_unit(unit.year_plan, unit.unit);
                found.extend(which(&[(Reason::UnitOfAnotherYearPlan, elsewhere)]));
                found
            }
            PlanCommand::ExcludeUnit(unit) => {
                which(&[(Reason::UnitNotIncluded, !self.included(id).contains(unit))])
            }
            PlanCommand::ShowItem { item } | PlanCommand::HideItem { item } => {
                self.to_item(id, *item)
            }
            PlanCommand::RecordTalk { talk, details } => which(&[
                (Reason::TalkNotAllowed, !holds_talks),
                (Reason::AlreadyExists, has_talk(*talk)),
                (Reason::TalkWithoutStaff, !self.holds(&details.held_by)),
            ]),
            PlanCommand::CorrectTalk { talk, details, .. } => {
                let talks = self.talks(id);
                let found = talks.iter().find(|found| found.id == *talk);
                let others = found.is_some_and(|found| found.details.held_by != details.held_by);
                which(&[
                    (Reason::TalkNotAllowed, !holds_talks),
                    (Reason::TalkNotFound, found.is_none()),
                    (
                        Reason::TalkWithoutStaff,
                        others && !self.holds(&details.held_by),
                    ),
                ])
            }
            PlanCommand::MoveToYearPlan { to, .. } => self.to_move(id, student, *to),
            PlanCommand::RecordEvaluation { .. } | PlanCommand::CorrectEvaluation { .. } => {
                self.to_evaluation(side, id, command)
            }
            _ => vec![],
        });
        found
    }

    fn to_opening(
        &self,
        id: PlanId,
        student: PersonId,
        year_plan: YearPlanId,
        owner: Option<PersonId>,
    ) -> Vec<Reason> {
        if let Some(existing) = self.plan_of(student, year_plan) {
            return which(&[(Reason::PlanWithdrawn, self.is_withdrawn(existing))]);
        }
        let mut found = which(&[
            (Reason::NotAStudent, !self.is_student(student)),
            (
                Reason::YearPlanNotFound,
                self.year_plan(year_plan).is_none(),
            ),
            (
                Reason::YearPlanDeleted,
                self.year_plan_deletion(year_plan).is_some(),
            ),
            (Reason::AlreadyExists, self.opening(id).is_some()),
        ]);
        found.extend(owner.into_iter().flat_map(|owner| self.to_owner(owner)));
        found
    }

    fn to_item(&self, id: PlanId, item: Item) -> Vec<Reason> {
        match item {
            Item::Goal(goal) => {
                let has = |unit: &UnitRef| {
                    let found = self.goal(unit.year_plan, goal);
                    found.is_some_and(|goal| goal.unit == unit.unit)
                };
                which(&[(Reason::GoalNotFound, !self.included(id).iter().any(has))])
            }
            Item::Evaluation(evaluation) => {
                let has = self
                    .evaluations(id)
                    .iter()
                    .any(|made| made.id == evaluation);
                which(&[(Reason::EvaluationNotFound, !has)])
            }
            Item::Talk(talk) => {
                let has = self.talks(id).iter().any(|found| found.id == talk);
                which(&[(Reason::TalkNotFound, !has)])
            }
        }
    }

    fn to_move(&self, id: PlanId, student: PersonId, to: YearPlanId) -> Vec<Reason> {
        let kind = |plan| self.year_plan(plan).map(|details| details.kind);
        let (_, _, first, _) = self.opening(id).unwrap();
        let other = self.plan_of(student, to).filter(|other| *other != id);
        which(&[
            (Reason::AlreadyThere, self.hangs_on(id) == Some(to)),
            (Reason::YearPlanNotFound, kind(to).is_none()),
            (
                Reason::YearPlanDeleted,
                self.year_plan_deletion(to).is_some(),
            ),
            (Reason::PlanKindMismatch, kind(to) != kind(first)),
            (Reason::PlanExistsForYearPlan, other.is_some()),
        ])
    }

    fn to_evaluation(
        &self,
        side: Option<Evaluator>,
        id: PlanId,
        command: &PlanCommand,
    ) -> Vec<Reason> {
        let made = self.evaluations(id);
        let mut found = which(&[(Reason::EvaluatorNotAllowed, side.is_none())]);
        match command {
            PlanCommand::RecordEvaluation {
                evaluation,
                unit,
                goal,
                assessment,
            } => {
                let known = made.iter().any(|made| made.id == *evaluation);
                found.extend(which(&[
                    (Reason::UnitNotIncluded, !self.included(id).contains(unit)),
                    (Reason::AlreadyExists, known),
                ]));
                let goal = self.goal(unit.year_plan, *goal);
                let Some(goal) = goal.filter(|goal| goal.unit == unit.unit) else {
                    found.push(Reason::GoalNotFound);
                    return found;
                };
                let not_for_students =
                    goal.kind == GoalKind::Subject && side == Some(Evaluator::Student);
                found.extend(which(&[
                    (Reason::GoalRetired, goal.retired),
                    (Reason::GoalKindNotEvaluableByStudent, not_for_students),
                ]));
                let (_, scale) = goal.revisions.last().unwrap();
                found.extend(to_assessment(assessment, scale));
            }
            PlanCommand::CorrectEvaluation {
                evaluation,
                assessment,
                ..
            } => {
                let Some(made) = made.iter().find(|made| made.id == *evaluation) else {
                    found.push(Reason::EvaluationNotFound);
                    return found;
                };
                let other = side.is_some_and(|side| side != made.by);
                found.extend(which(&[(Reason::EvaluationOfAnotherSide, other)]));
                let goal = self.goal(made.unit.year_plan, made.goal).unwrap();
                let (_, scale) = &goal.revisions[made.goal_revision - 1];
                found.extend(to_assessment(assessment, scale));
            }
            _ => panic!("not about an evaluation"),
        }
        found
    }

    pub(super) fn changes_plan(&self, id: PlanId, command: &PlanCommand) -> bool {
        match command {
            PlanCommand::Open {
                student, year_plan, ..
            } => self.plan_of(*student, *year_plan).is_none(),
            PlanCommand::IncludeUnit(unit) => !self.included(id).contains(unit),
            PlanCommand::ShowSection { section } => !self.section_is_shown(id, *section),
            PlanCommand::HideSection { section } => self.section_is_shown(id, *section),
            PlanCommand::ShowItem { item } => self.item_is_shown(id, *item) != Some(true),
            PlanCommand::HideItem { item } => self.item_is_shown(id, *item) != Some(false),
            PlanCommand::WriteStatus { text } => {
                self.status(id).is_none_or(|(_, written)| written != *text)
            }
            PlanCommand::WriteFollowUp { text, follow_up_on } => {
                let written = self.follow_up(id);
                written.is_none_or(|(_, words, day)| (words, day) != (text.clone(), *follow_up_on))
            }
            PlanCommand::CorrectEvaluation {
                evaluation,
                assessment,
                ..
            } => {
                let made = self.evaluations(id);
                made.iter()
                    .any(|made| made.id == *evaluation && made.assessment != *assessment)
            }
            PlanCommand::CorrectTalk { talk, details, .. } => {
                let talks = self.talks(id);
                talks
                    .iter()
                    .any(|found| found.id == *talk && found.details != *details)
            }
            PlanCommand::Share => !self.is_shared(id),
            PlanCommand::Unshare => self.is_shared(id),
            PlanCommand::SetVisibility { audience, visible } => {
                self.is_visible_to(id, *audience) != *visible
            }
            _ => true,
        }
    }
}

fn to_assessment(assessment: &Assessment, scale: &Scale) -> Vec<Reason> {
    let levels = scale.levels.len();
    let too_high = assessment
        .level
        .is_some_and(|level| usize::from(level) >= levels);
    which(&[
        (
            Reason::AssessmentEmpty,
            assessment.level.is_none() && assessment.comment.is_none(),
        ),
        (Reason::LevelOutOfRange, too_high),
    ])
}
