use std::sync::Arc;

use super::{Affiliation, Departure, LastPlace, Person, PersonEvent, PersonFact};
use crate::domain::EventMeta;
use crate::domain::roster::note;

impl PersonEvent {
    /// The fact that the event decides; `None` if it decides none.
    fn decides(&self) -> Option<PersonFact> {
        match self {
            Self::AffiliationSet(Affiliation {
                institution, role, ..
            })
            | Self::AffiliationEnded { institution, role } => Some(PersonFact::Affiliation {
                institution: *institution,
                role: *role,
            }),
            Self::GuardianshipSet(set) => Some(PersonFact::Guardian(set.guardian)),
            Self::GuardianshipEnded { guardian, .. } => Some(PersonFact::Guardian(*guardian)),
            Self::Departed { .. } | Self::Returned {} => Some(PersonFact::Departure),
            Self::Registered { .. }
            | Self::Renamed { .. }
            | Self::LeftToRoster { .. }
            | Self::RecordedInRoster(_)
            | Self::AbsentFromRoster { .. }
            | Self::SuggestionDecided { .. } => None,
        }
    }
}

impl Person {
    pub(in crate::domain) fn created(event: &PersonEvent) -> Option<Self> {
        match event {
            PersonEvent::Registered { name } => Some(Self {
                name: name.clone(),
                affiliations: Default::default(),
                guardians: Default::default(),
                departed: None,
                by_hand: Default::default(),
                records: Default::default(),
                absent: Default::default(),
                last_place: None,
                confirmed: Default::default(),
                dismissed: Default::default(),
            }),
            PersonEvent::Renamed { .. }
            | PersonEvent::AffiliationSet(_)
            | PersonEvent::AffiliationEnded { .. }
            | PersonEvent::GuardianshipSet(_)
            | PersonEvent::GuardianshipEnded { .. }
            | PersonEvent::Departed { .. }
            | PersonEvent::Returned {}
            | PersonEvent::LeftToRoster { .. }
            | PersonEvent::RecordedInRoster(_)
            | PersonEvent::AbsentFromRoster { .. }
            | PersonEvent::SuggestionDecided { .. } => None,
        }
    }

    pub(in crate::domain) fn apply(&mut self, meta: &EventMeta, event: &PersonEvent) {
        if let Some(fact) = event.decides() {
            note(&mut self.by_hand, fact, meta.is_by_a_person());
        }
        match event {
            PersonEvent::Registered { .. } => {}
            PersonEvent::Renamed { name } => self.name = name.clone(),
            PersonEvent::AffiliationSet(affiliation) => {
                let Affiliation {
                    institution, role, ..
                } = affiliation;
                self.affiliations
                    .retain(|at| (at.institution, at.role) != (*institution, *role));
                self.affiliations.insert(affiliation.clone());
                self.last_place = None;
            }
            PersonEvent::AffiliationEnded { institution, role } => {
                self.affiliations
                    .retain(|at| (at.institution, at.role) != (*institution, *role));
                if self.affiliations.is_empty() {
                    self.last_place = Some(LastPlace {
                        institution: *institution,
                        ended: meta.recorded_at.day_in_denmark(),
                    });
                }
            }
            PersonEvent::GuardianshipSet(set) => {
                self.guardians.insert(set.guardian, set.last_day);
            }
            PersonEvent::GuardianshipEnded { guardian, last_day } => {
                self.guardians.insert(*guardian, Some(*last_day));
            }
            PersonEvent::Departed { last_day, reason } => {
                self.departed = Some(Departure {
                    on: *last_day,
                    reason: reason.clone(),
                });
            }
            PersonEvent::Returned {} => {
                self.departed = None;
                self.forget_confirmed_departures();
            }
            PersonEvent::LeftToRoster { facts } => {
                self.by_hand.retain(|fact| !facts.contains(fact));
            }
            PersonEvent::RecordedInRoster(record) => {
                self.absent.remove(&record.source);
                let record = Arc::new(record.clone());
                self.records.insert(record.source.clone(), record);
            }
            PersonEvent::AbsentFromRoster { source, last_seen } => {
                self.absent.insert(source.clone(), *last_seen);
            }
            PersonEvent::SuggestionDecided {
                evidence,
                confirmed,
                reason: _,
            } => self.note_decision(evidence, *confirmed),
        }
    }
}
