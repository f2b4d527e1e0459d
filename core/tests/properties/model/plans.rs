//! Plans, as the facts tell them.

use planledger_core::domain::plan::{Audience, Evaluator, Item, PlanCommand, Section, UnitRef};
use planledger_core::domain::year_plan::YearPlanCommand;
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{GoalId, PersonId, PlanId, YearPlanId};
use planledger_core::time::Timestamp;

use super::{Evaluation, Fact, Model, Talk};
use crate::properties::acts::PLANS;

impl Model {
    pub(super) fn plan_facts(
        &self,
        id: PlanId,
    ) -> impl DoubleEndedIterator<Item = (&Fact, &PlanCommand)> {
        self.facts
            .iter()
            .filter_map(move |fact| match &fact.command {
                Command::Plan(plan, command) if *plan == id => Some((fact, command)),
                _ => None,
            })
    }

    /// Who opened it for whom, and when.
    pub(super) fn opening(
        &self,
        id: PlanId,
    ) -> Option<(Timestamp, PersonId, YearPlanId, Option<PersonId>)> {
        self.plan_facts(id)
            .find_map(|(fact, command)| match command {
                PlanCommand::Open {
                    student,
                    year_plan,
                    owner,
                } => Some((fact.at, *student, *year_plan, *owner)),
                _ => None,
            })
    }

    pub(super) fn student(&self, id: PlanId) -> Option<PersonId> {
        self.opening(id).map(|(_, student, ..)| student)
    }

    pub(super) fn hangs_on(&self, id: PlanId) -> Option<YearPlanId> {
        self.plan_facts(id)
            .rev()
            .find_map(|(_, command)| match command {
                PlanCommand::MoveToYearPlan { to, .. } => Some(*to),
                PlanCommand::Open { year_plan, .. } => Some(*year_plan),
                _ => None,
            })
    }

    pub(super) fn plan_of(&self, student: PersonId, year_plan: YearPlanId) -> Option<PlanId> {
        PLANS.into_iter().find(|plan| {
            (self.student(*plan), self.hangs_on(*plan)) == (Some(student), Some(year_plan))
        })
    }

    /// The owner named last; if none ever was, the year plan's when the plan was opened.
    pub(super) fn owner(&self, id: PlanId) -> Option<PersonId> {
        let named = self
            .plan_facts(id)
            .rev()
            .find_map(|(_, command)| match command {
                PlanCommand::TransferOwnership { to, .. } => Some(*to),
                PlanCommand::Open { owner, .. } => *owner,
                _ => None,
            });
        let (opened_at, _, year_plan, _) = self.opening(id)?;
        let before = Model {
            facts: self
                .facts
                .iter()
                .filter(|fact| fact.at < opened_at)
                .map(Fact::again)
                .collect(),
        };
        named.or_else(|| before.year_plan_owner(year_plan))
    }

    pub(super) fn is_withdrawn(&self, id: PlanId) -> bool {
        let mut facts = self.plan_facts(id).rev();
        facts.find_map(|(_, command)| match command {
            PlanCommand::Withdraw { .. } => Some(true),
            PlanCommand::Restore => Some(false),
            _ => None,
        }) == Some(true)
    }

    pub(super) fn included(&self, id: PlanId) -> Vec<UnitRef> {
        let mut units = Vec::new();
        for (_, command) in self.plan_facts(id) {
            match command {
                PlanCommand::IncludeUnit(unit) => units.push(*unit),
                PlanCommand::ExcludeUnit(unit) => units.retain(|included| included != unit),
                _ => {}
            }
        }
        units
    }

    pub(super) fn section_is_shown(&self, id: PlanId, which: Section) -> bool {
        let mut facts = self.plan_facts(id).rev();
        facts.find_map(|(_, command)| match command {
            PlanCommand::ShowSection { section } if *section == which => Some(true),
            PlanCommand::HideSection { section } if *section == which => Some(false),
            _ => None,
        }) == Some(true)
    }

    pub(super) fn item_is_shown(&self, id: PlanId, which: Item) -> Option<bool> {
        self.plan_facts(id)
            .rev()
            .find_map(|(_, command)| match command {
                PlanCommand::ShowItem { item } if *item == which => Some(true),
                PlanCommand::HideItem { item } if *item == which => Some(false),
                _ => None,
            })
    }

    pub(super) fn is_shared(&self, id: PlanId) -> bool {
        let mut facts = self.plan_facts(id).rev();
        facts.find_map(|(_, command)| match command {
            PlanCommand::Share => Some(true),
            PlanCommand::Unshare => Some(false),
            _ => None,
        }) == Some(true)
    }

    pub(super) fn is_visible_to(&self, id: PlanId, whom: Audience) -> bool {
        let mut facts = self.plan_facts(id).rev();
        facts.find_map(|(_, command)| match command {
            PlanCommand::SetVisibility { audience, visible } if *audience == whom => Some(*visible),
            _ => None,
        }) == Some(true)
    }

    pub(super) fn evaluations(&self, id: PlanId) -> Vec<Evaluation> {
        let made = self
            .plan_facts(id)
            .filter_map(|(fact, command)| match command {
                PlanCommand::RecordEvaluation {
                    evaluation,
                    unit,
                    goal,
                    assessment,
                } => Some(Evaluation {
                    id: *evaluation,
                    unit: *unit,
                    goal: *goal,
                    goal_revision: self.revision_at(*unit, *goal, fact.at),
                    by: match fact.by == Actor::Person(self.student(id)?) {
                        true => Evaluator::Student,
                        false => Evaluator::Staff,
                    },
                    actor: fact.by,
                    at: fact.at,
                    assessment: assessment.clone(),
                    corrected_at: None,
                }),
                _ => None,
            });
        let mut made: Vec<_> = made.collect();
        for (fact, command) in self.plan_facts(id) {
            if let PlanCommand::CorrectEvaluation {
                evaluation,
                assessment,
                ..
            } = command
            {
                let found = made.iter_mut().find(|made| made.id == *evaluation).unwrap();
                found.assessment = assessment.clone();
                found.corrected_at = Some(fact.at);
            }
        }
        made
    }

    /// How many times a goal had been worded by then.
    pub(super) fn revision_at(&self, unit: UnitRef, id: GoalId, then: Timestamp) -> usize {
        let facts = self.year_plan_facts(unit.year_plan);
        let until_then = facts.filter(|(fact, _)| fact.at < then);
        let wordings = until_then.filter(|(_, command)| match command {
            YearPlanCommand::AddGoal { goal, .. } | YearPlanCommand::ReviseGoal { goal, .. } => {
                *goal == id
            }
            _ => false,
        });
        wordings.count()
    }

    pub(super) fn talks(&self, id: PlanId) -> Vec<Talk> {
        let mut talks: Vec<Talk> = Vec::new();
        for (fact, command) in self.plan_facts(id) {
            match command {
                PlanCommand::RecordTalk { talk, details } => talks.push(Talk {
                    id: *talk,
                    details: details.clone(),
                    by: fact.by,
                    at: fact.at,
                    corrected_at: None,
                }),
                PlanCommand::CorrectTalk { talk, details, .. } => {
                    let found = talks.iter_mut().find(|found| found.id == *talk).unwrap();
                    found.details = details.clone();
                    found.corrected_at = Some(fact.at);
                }
                _ => {}
            }
        }
        talks
    }
}
