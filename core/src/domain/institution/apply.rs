use std::collections::BTreeSet;
use std::sync::Arc;

use super::{
    Institution, InstitutionDetail, InstitutionDetails, InstitutionEvent, InstitutionFact,
    SurveyDiscussion,
};
use crate::domain::EventMeta;
use crate::domain::roster::{Values, leave_values, note, note_values, values_by_hand};

impl Values for InstitutionDetails {
    type Part = InstitutionDetail;

    const PARTS: &'static [InstitutionDetail] = &[InstitutionDetail::Name, InstitutionDetail::Code];

    fn take(&mut self, part: InstitutionDetail, other: &Self) {
        match part {
            InstitutionDetail::Name => self.name = other.name.clone(),
            InstitutionDetail::Code => self.code = other.code.clone(),
        }
    }
}

impl InstitutionFact {
    /// The detail that the fact is about; `None` if it is about something else.
    fn detail(self) -> Option<InstitutionDetail> {
        match self {
            Self::Detail(detail) => Some(detail),
            Self::Closed => None,
        }
    }
}

impl InstitutionEvent {
    /// The fact that the event decides; `None` if it decides none, or details.
    fn decides(&self) -> Option<InstitutionFact> {
        match self {
            Self::Closed { .. } | Self::Reopened {} => Some(InstitutionFact::Closed),
            Self::Registered(_)
            | Self::Revised(_)
            | Self::LeftToRoster { .. }
            | Self::Succeeded { .. }
            | Self::SurveyDiscussed { .. }
            | Self::SurveyDiscussionCorrected { .. }
            | Self::SurveyDiscussionWithdrawn { .. } => None,
        }
    }
}

impl Institution {
    /// What a person decided and the roster has not said yet. An import leaves it alone.
    pub fn decided_by_hand(&self) -> BTreeSet<InstitutionFact> {
        let details = values_by_hand(&self.details, self.roster_details.as_deref());
        let details = details.map(InstitutionFact::Detail);
        self.by_hand.iter().copied().chain(details).collect()
    }

    pub(in crate::domain) fn created(event: &InstitutionEvent) -> Option<Self> {
        match event {
            InstitutionEvent::Registered(details) => Some(Self {
                details: details.clone(),
                closed: false,
                by_hand: Default::default(),
                roster_details: None,
                succeeded_by: None,
                survey_discussions: Default::default(),
            }),
            InstitutionEvent::Revised(_)
            | InstitutionEvent::Closed { .. }
            | InstitutionEvent::Reopened {}
            | InstitutionEvent::LeftToRoster { .. }
            | InstitutionEvent::Succeeded { .. }
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
            InstitutionEvent::Revised(details) => {
                let by_a_person = meta.is_by_a_person();
                note_values(
                    &mut self.details,
                    &mut self.roster_details,
                    details,
                    by_a_person,
                );
            }
            InstitutionEvent::Closed { .. } => self.closed = true,
            InstitutionEvent::Reopened {} => {
                self.closed = false;
                // It carries on itself.
                self.succeeded_by = None;
            }
            InstitutionEvent::Succeeded { by } => self.succeeded_by = *by,
            InstitutionEvent::LeftToRoster { facts } => {
                self.by_hand.retain(|fact| !facts.contains(fact));
                let parts = facts.iter().filter_map(|fact| fact.detail());
                leave_values(&self.details, &mut self.roster_details, parts);
            }
            InstitutionEvent::SurveyDiscussed {
                discussion,
                details,
            } => {
                let recorded = SurveyDiscussion {
                    details: details.clone(),
                    by: meta.author(),
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
