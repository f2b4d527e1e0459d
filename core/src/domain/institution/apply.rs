use std::sync::Arc;

use super::{Institution, InstitutionEvent, InstitutionFact, SurveyDiscussion};
use crate::domain::EventMeta;
use crate::domain::roster::note;

impl InstitutionEvent {
    /// The fact that the event decides; `None` if it decides none.
    fn decides(&self) -> Option<InstitutionFact> {
        match self {
            Self::Closed { .. } | Self::Reopened {} => Some(InstitutionFact::Closed),
            Self::Registered(_)
            | Self::Revised(_)
            | Self::LeftToRoster { .. }
            | Self::SurveyDiscussed { .. }
            | Self::SurveyDiscussionCorrected { .. }
            | Self::SurveyDiscussionWithdrawn { .. } => None,
        }
    }
}

impl Institution {
    pub(in crate::domain) fn created(event: &InstitutionEvent) -> Option<Self> {
        match event {
            InstitutionEvent::Registered(details) => Some(Self {
                details: details.clone(),
                closed: false,
                by_hand: Default::default(),
                survey_discussions: Default::default(),
            }),
            InstitutionEvent::Revised(_)
            | InstitutionEvent::Closed { .. }
            | InstitutionEvent::Reopened {}
            | InstitutionEvent::LeftToRoster { .. }
            | InstitutionEvent::SurveyDiscussed { .. }
            | InstitutionEvent::SurveyDiscussionCorrected { .. }
            | InstitutionEvent::SurveyDiscussionWithdrawn { .. } => None,
        }
    }

    pub(in crate::domain) fn apply(&mut self, meta: &EventMeta, event: &InstitutionEvent) {
        if let Some(fact) = event.decides() {
            note(&mut self.by_hand, fact, meta.is_by_a_person());
        }
        match event {
            InstitutionEvent::Registered(_) => {}
            InstitutionEvent::Revised(details) => self.details = details.clone(),
            InstitutionEvent::Closed { .. } => self.closed = true,
            InstitutionEvent::Reopened {} => self.closed = false,
            InstitutionEvent::LeftToRoster { facts } => {
                self.by_hand.retain(|fact| !facts.contains(fact));
            }
            InstitutionEvent::SurveyDiscussed {
                discussion,
                details,
            } => {
                let recorded = SurveyDiscussion {
                    details: details.clone(),
                    by: meta.actor,
                    at: meta.recorded_at,
                    corrected_at: None,
                    withdrawn_at: None,
                };
                self.survey_discussions
                    .insert(*discussion, Arc::new(recorded));
            }
            InstitutionEvent::SurveyDiscussionCorrected {
                discussion,
                details,
                ..
            } => {
                if let Some(found) = self.survey_discussions.get_mut(discussion) {
                    let found = Arc::make_mut(found);
                    found.details = details.clone();
                    found.corrected_at = Some(meta.recorded_at);
                }
            }
            InstitutionEvent::SurveyDiscussionWithdrawn { discussion, .. } => {
                if let Some(found) = self.survey_discussions.get_mut(discussion) {
                    Arc::make_mut(found).withdrawn_at = Some(meta.recorded_at);
                }
            }
        }
    }
}
