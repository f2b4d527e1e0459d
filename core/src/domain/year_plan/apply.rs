use super::{Goal, GoalDetails, GoalRevision, Unit, YearPlan, YearPlanDetails, YearPlanEvent};
use crate::domain::{Deletion, EventMeta};
use crate::ids::{GoalId, InstitutionId, PersonId, UnitId};

impl YearPlanEvent {
    /// The institution that the year plan belongs to after this event; `None` if the event does not
    /// change it.
    pub(crate) fn institution(&self) -> Option<InstitutionId> {
        match self {
            Self::Created { details, .. } => Some(details.institution),
            Self::Moved { to, .. } => Some(to.institution),
            Self::Retitled { .. }
            | Self::SubjectAdded { .. }
            | Self::SubjectRemoved { .. }
            | Self::UnitAdded { .. }
            | Self::UnitRevised { .. }
            | Self::UnitDeleted { .. }
            | Self::UnitUndeleted { .. }
            | Self::GoalAdded { .. }
            | Self::GoalRevised { .. }
            | Self::GoalRetired { .. }
            | Self::Deleted { .. }
            | Self::Undeleted {}
            | Self::OwnershipTransferred { .. } => None,
        }
    }

    /// The details with which the year plan begins and its owner, if this is the event that creates
    /// it.
    fn created(&self) -> Option<(&YearPlanDetails, PersonId)> {
        match self {
            Self::Created { details, owner } => Some((details, *owner)),
            Self::Retitled { .. }
            | Self::SubjectAdded { .. }
            | Self::SubjectRemoved { .. }
            | Self::UnitAdded { .. }
            | Self::UnitRevised { .. }
            | Self::UnitDeleted { .. }
            | Self::UnitUndeleted { .. }
            | Self::GoalAdded { .. }
            | Self::GoalRevised { .. }
            | Self::GoalRetired { .. }
            | Self::Deleted { .. }
            | Self::Undeleted {}
            | Self::OwnershipTransferred { .. }
            | Self::Moved { .. } => None,
        }
    }
}

impl YearPlan {
    pub(in crate::domain) fn created(event: &YearPlanEvent) -> Option<Self> {
        let (details, owner) = event.created()?;
        Some(Self {
            details: details.clone(),
            owner,
            former_owners: Default::default(),
            units: Vec::new(),
            goals: Default::default(),
            deleted: None,
        })
    }

    pub(in crate::domain) fn apply(&mut self, meta: &EventMeta, event: &YearPlanEvent) {
        match event {
            YearPlanEvent::Created { .. } => {}
            YearPlanEvent::Retitled { title } => self.details.title = title.clone(),
            YearPlanEvent::SubjectAdded { subject } => {
                self.details.subjects.insert(subject.clone());
            }
            YearPlanEvent::SubjectRemoved { subject } => {
                self.details.subjects.remove(subject);
            }
            YearPlanEvent::UnitAdded { unit, details } => {
                let (goals, deleted) = (Vec::new(), None);
                self.units.push(Unit {
                    id: *unit,
                    details: details.clone(),
                    goals,
                    deleted,
                });
            }
            YearPlanEvent::UnitRevised { unit, details } => {
                self.change_unit(*unit, |unit| unit.details = details.clone());
            }
            YearPlanEvent::UnitDeleted { unit, reason } => {
                self.change_unit(*unit, |unit| {
                    unit.deleted = Some(Deletion::of(meta, reason))
                });
            }
            YearPlanEvent::UnitUndeleted { unit } => {
                self.change_unit(*unit, |unit| unit.deleted = None);
            }
            YearPlanEvent::GoalAdded {
                unit,
                goal,
                details,
            } => {
                self.add_goal(*unit, *goal, details);
            }
            YearPlanEvent::GoalRevised {
                goal,
                wording,
                scale,
            } => {
                if let Some(goal) = self.goals.get_mut(goal) {
                    let revision = GoalRevision {
                        wording: wording.clone(),
                        scale: scale.clone(),
                    };
                    goal.revisions.push(revision);
                }
            }
            YearPlanEvent::GoalRetired { goal, .. } => {
                if let Some(goal) = self.goals.get_mut(goal) {
                    goal.retired = true;
                }
            }
            YearPlanEvent::Deleted { reason } => self.deleted = Some(Deletion::of(meta, reason)),
            YearPlanEvent::Undeleted {} => self.deleted = None,
            YearPlanEvent::OwnershipTransferred { to, .. } => {
                self.former_owners
                    .insert(std::mem::replace(&mut self.owner, *to));
            }
            YearPlanEvent::Moved { to, .. } => {
                self.details.institution = to.institution;
                self.details.team = to.team;
            }
        }
    }

    fn change_unit(&mut self, id: UnitId, change: impl FnOnce(&mut Unit)) {
        if let Some(unit) = self.units.iter_mut().find(|unit| unit.id == id) {
            change(unit);
        }
    }

    fn add_goal(&mut self, unit: UnitId, goal: GoalId, details: &GoalDetails) {
        self.change_unit(unit, |unit| unit.goals.push(goal));
        let GoalDetails {
            kind,
            area,
            wording,
            scale,
        } = details.clone();
        let revisions = vec![GoalRevision { wording, scale }];
        self.goals.insert(
            goal,
            Goal {
                unit,
                kind,
                area,
                revisions,
                retired: false,
            },
        );
    }

    /// A unit, deleted or not.
    pub fn unit(&self, id: UnitId) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.id == id)
    }
}

impl Goal {
    /// The goal's present words and scale.
    pub fn present(&self) -> Option<&GoalRevision> {
        self.revisions.last()
    }

    /// The goal's present revision, from 1.
    pub fn revision(&self) -> u32 {
        u32::try_from(self.revisions.len()).unwrap_or(u32::MAX)
    }

    /// The goal's words and scale at a revision, from 1.
    pub fn at(&self, revision: u32) -> Option<&GoalRevision> {
        let index = usize::try_from(revision).ok()?.checked_sub(1)?;
        self.revisions.get(index)
    }
}
