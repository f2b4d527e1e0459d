//! Persons, teams and year plans, as the facts tell them.

use std::collections::BTreeSet;

use planledger_core::domain::person::{PersonCommand, Role};
use planledger_core::domain::plan::UnitRef;
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::year_plan::{UnitDetails, YearPlanCommand, YearPlanDetails};
use planledger_core::domain::{Command, Deletion};
use planledger_core::ids::{GoalId, PersonId, TeamId, UnitId, YearPlanId};
use planledger_core::text::Name;

use super::{Fact, Goal, Model, scaled, worded};

impl Model {
    pub(super) fn person_facts(
        &self,
        id: PersonId,
    ) -> impl DoubleEndedIterator<Item = &PersonCommand> {
        self.facts
            .iter()
            .filter_map(move |fact| match &fact.command {
                Command::Person(person, command) if *person == id => Some(command),
                _ => None,
            })
    }

    pub(super) fn name(&self, id: PersonId) -> Option<Name> {
        self.person_facts(id)
            .rev()
            .find_map(|command| match command {
                PersonCommand::Put { name, .. } => Some(name.clone()),
                _ => None,
            })
    }

    pub(super) fn has_role(&self, id: PersonId, roles: &[Role]) -> bool {
        self.person_facts(id).any(|command| match command {
            PersonCommand::Put { affiliations, .. } => {
                affiliations.iter().any(|at| roles.contains(&at.role))
            }
            _ => false,
        })
    }

    pub(super) fn is_student(&self, id: PersonId) -> bool {
        self.has_role(id, &[Role::Student])
    }

    pub(super) fn is_staff(&self, id: PersonId) -> bool {
        self.has_role(id, &[Role::Teacher, Role::Pedagogue, Role::Leader])
    }

    /// Whether these persons can hold a talk. Nobody named means who records it.
    pub(super) fn holds(&self, held_by: &BTreeSet<PersonId>) -> bool {
        held_by.is_empty() || held_by.iter().any(|person| self.is_staff(*person))
    }

    pub(super) fn has_left(&self, id: PersonId) -> bool {
        matches!(
            self.person_facts(id).next_back(),
            Some(PersonCommand::Depart { .. })
        )
    }

    pub(super) fn team_facts(
        &self,
        id: TeamId,
    ) -> impl DoubleEndedIterator<Item = (&Fact, &TeamCommand)> {
        self.facts
            .iter()
            .filter_map(move |fact| match &fact.command {
                Command::Team(team, command) if *team == id => Some((fact, command)),
                _ => None,
            })
    }

    pub(super) fn team_deletion(&self, id: TeamId) -> Option<Deletion> {
        let (fact, command) = self.team_facts(id).next_back()?;
        match command {
            TeamCommand::Delete { reason } => Some(Deletion {
                at: fact.at,
                by: fact.by,
                reason: reason.clone(),
            }),
            _ => None,
        }
    }

    pub(super) fn year_plan_facts(
        &self,
        id: YearPlanId,
    ) -> impl DoubleEndedIterator<Item = (&Fact, &YearPlanCommand)> {
        self.facts
            .iter()
            .filter_map(move |fact| match &fact.command {
                Command::YearPlan(plan, command) if *plan == id => Some((fact, command)),
                _ => None,
            })
    }

    pub(super) fn year_plan(&self, id: YearPlanId) -> Option<YearPlanDetails> {
        let mut details = self
            .year_plan_facts(id)
            .find_map(|(_, command)| match command {
                YearPlanCommand::Create { details, .. } => Some(details.clone()),
                _ => None,
            })?;
        for (_, command) in self.year_plan_facts(id) {
            match command {
                YearPlanCommand::Retitle { title } => details.title = title.clone(),
                YearPlanCommand::AddSubject { subject } => {
                    details.subjects.insert(subject.clone());
                }
                YearPlanCommand::RemoveSubject { subject } => {
                    details.subjects.remove(subject);
                }
                _ => {}
            }
        }
        Some(details)
    }

    pub(super) fn year_plan_owner(&self, id: YearPlanId) -> Option<PersonId> {
        let mut facts = self.year_plan_facts(id).rev();
        facts.find_map(|(_, command)| match command {
            YearPlanCommand::Create { owner, .. } => Some(*owner),
            YearPlanCommand::TransferOwnership { to, .. } => Some(*to),
            _ => None,
        })
    }

    pub(super) fn year_plan_deletion(&self, id: YearPlanId) -> Option<Deletion> {
        let mut facts = self.year_plan_facts(id).rev();
        facts.find_map(|(fact, command)| match command {
            YearPlanCommand::Undelete => Some(None),
            YearPlanCommand::Delete { reason } => Some(Some(Deletion {
                at: fact.at,
                by: fact.by,
                reason: reason.clone(),
            })),
            _ => None,
        })?
    }

    pub(super) fn units(&self, id: YearPlanId) -> Vec<UnitId> {
        let facts = self.year_plan_facts(id);
        let units = facts.filter_map(|(_, command)| match command {
            YearPlanCommand::AddUnit { unit, .. } => Some(*unit),
            _ => None,
        });
        units.collect()
    }

    pub(super) fn unit(&self, id: UnitRef) -> Option<UnitDetails> {
        let mut facts = self.year_plan_facts(id.year_plan).rev();
        facts.find_map(|(_, command)| match command {
            YearPlanCommand::AddUnit { unit, details }
            | YearPlanCommand::ReviseUnit { unit, details }
                if *unit == id.unit =>
            {
                Some(details.clone())
            }
            _ => None,
        })
    }

    pub(super) fn unit_deletion(&self, id: UnitRef) -> Option<Deletion> {
        let mut facts = self.year_plan_facts(id.year_plan).rev();
        facts.find_map(|(fact, command)| match command {
            YearPlanCommand::UndeleteUnit { unit } if *unit == id.unit => Some(None),
            YearPlanCommand::DeleteUnit { unit, reason } if *unit == id.unit => {
                Some(Some(Deletion {
                    at: fact.at,
                    by: fact.by,
                    reason: reason.clone(),
                }))
            }
            _ => None,
        })?
    }

    /// Goals in the order in which they were set.
    pub(super) fn goals(&self, id: YearPlanId) -> Vec<(GoalId, Goal)> {
        let mut goals: Vec<(GoalId, Goal)> = Vec::new();
        for (_, command) in self.year_plan_facts(id) {
            match command {
                YearPlanCommand::AddGoal {
                    unit,
                    goal,
                    details,
                } => {
                    let made = Goal {
                        unit: *unit,
                        kind: details.kind,
                        area: details.area,
                        revisions: vec![(worded(&details.wording), scaled(&details.scale))],
                        retired: false,
                    };
                    goals.push((*goal, made));
                }
                YearPlanCommand::ReviseGoal {
                    goal,
                    wording,
                    scale,
                } => {
                    let (_, found) = goals.iter_mut().find(|(id, _)| id == goal).unwrap();
                    found.revisions.push((worded(wording), scaled(scale)));
                }
                YearPlanCommand::RetireGoal { goal, .. } => {
                    goals
                        .iter_mut()
                        .find(|(id, _)| id == goal)
                        .unwrap()
                        .1
                        .retired = true;
                }
                _ => {}
            }
        }
        goals
    }

    pub(super) fn goal(&self, year_plan: YearPlanId, id: GoalId) -> Option<Goal> {
        let goals = self.goals(year_plan).into_iter();
        goals
            .filter(|(goal, _)| *goal == id)
            .map(|(_, goal)| goal)
            .next()
    }
}
