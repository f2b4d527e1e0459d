use std::sync::Arc;

use super::{Assessment, Audience, Evaluation, Item, Plan, PlanEvent, Talk, Written};
use crate::domain::EventMeta;
use crate::domain::year_plan::YearPlanKind;
use crate::ids::{EvaluationId, PersonId, YearPlanId};
use crate::time::Timestamp;

/// The facts with which a plan begins.
pub(crate) struct Opening {
    /// The student whose plan it is.
    pub(crate) student: PersonId,
    kind: YearPlanKind,
    year_plan: YearPlanId,
    owner: PersonId,
}

impl PlanEvent {
    /// The facts with which the plan begins, if this is the event that opens it. No later event
    /// changes the student, so this event decides whose key seals the whole stream.
    pub(crate) fn opened(&self) -> Option<Opening> {
        match self {
            Self::Opened {
                student,
                kind,
                year_plan,
                owner,
            } => Some(Opening {
                student: *student,
                kind: *kind,
                year_plan: *year_plan,
                owner: *owner,
            }),
            Self::UnitIncluded(_)
            | Self::UnitExcluded(_)
            | Self::SectionShown { .. }
            | Self::SectionHidden { .. }
            | Self::ItemShown { .. }
            | Self::ItemHidden { .. }
            | Self::StatusWritten { .. }
            | Self::FollowUpWritten { .. }
            | Self::EvaluationRecorded { .. }
            | Self::EvaluationCorrected { .. }
            | Self::TalkRecorded { .. }
            | Self::TalkCorrected { .. }
            | Self::Shared {}
            | Self::Unshared {}
            | Self::VisibilitySet { .. }
            | Self::Withdrawn { .. }
            | Self::Restored {}
            | Self::OwnershipTransferred { .. }
            | Self::MovedToYearPlan { .. }
            | Self::StatusCleared {}
            | Self::FollowUpCleared {}
            | Self::Reverted { .. } => None,
        }
    }
}

impl Plan {
    /// The instant at which somebody last worked on the plan.
    pub(crate) fn worked_on_at(&self) -> Timestamp {
        self.worked_on_before.unwrap_or(self.changed_at)
    }

    pub(in crate::domain) fn created(meta: &EventMeta, event: &PlanEvent) -> Option<Self> {
        let opening = event.opened()?;
        Some(Self {
            student: opening.student,
            kind: opening.kind,
            year_plan: opening.year_plan,
            owner: opening.owner,
            former_owners: Default::default(),
            opened_at: meta.recorded_at,
            changed_at: meta.recorded_at,
            worked_on_before: None,
            units: Vec::new(),
            sections: Default::default(),
            items: Vec::new(),
            status: None,
            follow_up: None,
            follow_up_on: None,
            evaluations: Vec::new(),
            talks: Default::default(),
            shared: false,
            visible_to: Default::default(),
            withdrawn: false,
        })
    }

    // This function is longer than a screen because it is a table. It has one arm for each event, and
    // each arm only sets what the event says.
    pub(in crate::domain) fn apply(&mut self, meta: &EventMeta, event: &PlanEvent) {
        let at = meta.recorded_at;
        let by = meta.author();
        let worked_on = self.worked_on_at();
        self.worked_on_before = None;
        match event {
            PlanEvent::Opened { .. } => return,
            PlanEvent::UnitIncluded(unit) => self.units.push(*unit),
            PlanEvent::UnitExcluded(unit) => self.units.retain(|included| included != unit),
            PlanEvent::SectionShown { section } => {
                self.sections.insert(*section);
            }
            PlanEvent::SectionHidden { section } => {
                self.sections.remove(section);
            }
            PlanEvent::ItemShown { item } => self.set_item(*item, true),
            PlanEvent::ItemHidden { item } => self.set_item(*item, false),
            PlanEvent::StatusWritten { text } => {
                self.status = Some(Written {
                    text: text.clone(),
                    by,
                    at,
                });
            }
            PlanEvent::FollowUpWritten { text, follow_up_on } => {
                self.follow_up = Some(Written {
                    text: text.clone(),
                    by,
                    at,
                });
                self.follow_up_on = *follow_up_on;
            }
            PlanEvent::EvaluationRecorded {
                evaluation,
                unit,
                goal,
                goal_revision,
                by,
                assessment,
            } => self.evaluations.push(Arc::new(Evaluation {
                id: *evaluation,
                unit: *unit,
                goal: *goal,
                goal_revision: *goal_revision,
                by: *by,
                actor: meta.author(),
                at,
                assessment: assessment.clone(),
                corrected_at: None,
            })),
            PlanEvent::EvaluationCorrected {
                evaluation,
                assessment,
                ..
            } => {
                self.correct(meta, *evaluation, assessment);
            }
            PlanEvent::TalkRecorded { talk, details } => {
                let recorded = Talk {
                    details: details.clone(),
                    by,
                    at,
                    corrected_at: None,
                };
                self.talks.insert(*talk, Arc::new(recorded));
            }
            PlanEvent::TalkCorrected { talk, details, .. } => {
                if let Some(talk) = self.talks.get_mut(talk) {
                    let talk = Arc::make_mut(talk);
                    talk.details = details.clone();
                    talk.corrected_at = Some(at);
                }
            }
            PlanEvent::Shared {} => self.shared = true,
            PlanEvent::Unshared {} => self.shared = false,
            PlanEvent::VisibilitySet {
                audience,
                visible: true,
            } => {
                self.visible_to.insert(*audience);
            }
            PlanEvent::VisibilitySet {
                audience,
                visible: false,
            } => {
                self.visible_to.remove(audience);
            }
            PlanEvent::Withdrawn { .. } => self.withdrawn = true,
            PlanEvent::Restored {} => self.withdrawn = false,
            PlanEvent::OwnershipTransferred { to, .. } => {
                self.worked_on_before = Some(worked_on);
                self.former_owners
                    .insert(std::mem::replace(&mut self.owner, *to));
            }
            PlanEvent::MovedToYearPlan { to, .. } => {
                self.worked_on_before = Some(worked_on);
                self.year_plan = *to;
            }
            PlanEvent::StatusCleared {} => self.status = None,
            PlanEvent::FollowUpCleared {} => {
                self.follow_up = None;
                self.follow_up_on = None;
            }
            // The events that follow it make the changes.
            PlanEvent::Reverted { .. } => {}
        }
        self.changed_at = at;
    }

    fn set_item(&mut self, item: Item, shown: bool) {
        match self.items.binary_search_by(|(other, _)| other.cmp(&item)) {
            Ok(index) => self
                .items
                .splice(index..=index, [(item, shown)])
                .for_each(drop),
            Err(index) => self.items.insert(index, (item, shown)),
        }
    }

    fn correct(&mut self, meta: &EventMeta, id: EvaluationId, assessment: &Assessment) {
        if let Some(evaluation) = self.evaluations.iter_mut().find(|found| found.id == id) {
            let evaluation = Arc::make_mut(evaluation);
            evaluation.assessment = assessment.clone();
            evaluation.corrected_at = Some(meta.recorded_at);
        }
    }

    /// Whether an audience may see anything of the plan. The plan must be shared, visible to the
    /// audience, and not withdrawn.
    pub fn is_visible_to(&self, audience: Audience) -> bool {
        self.shared && !self.withdrawn && self.visible_to.contains(&audience)
    }

    /// Whether the item was shown or hidden by itself; `None` if nobody did either.
    pub fn item_shown(&self, item: Item) -> Option<bool> {
        let index = self
            .items
            .binary_search_by(|(other, _)| other.cmp(&item))
            .ok()?;
        self.items.get(index).map(|(_, shown)| *shown)
    }
}
