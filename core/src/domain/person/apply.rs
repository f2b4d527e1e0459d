use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Affiliation, Departure, Evidence, LastPlace, Person, PersonEvent, PersonFact};
use crate::domain::EventMeta;
use crate::domain::roster::{Values, leave_values, note, note_values, values_by_hand};
use crate::text::Name;

/// A person's name is one value.
impl Values for Name {
    type Part = ();

    const PARTS: &'static [()] = &[()];

    fn take(&mut self, (): (), other: &Self) {
        *self = other.clone();
    }
}

impl PersonEvent {
    /// The fact that the event decides; `None` if it decides none, or a value.
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
    /// What a person decided and the roster has not said yet. An import leaves it alone.
    pub fn decided_by_hand(&self) -> BTreeSet<PersonFact> {
        let name = values_by_hand(&self.name, self.roster_name.as_deref());
        let name = name.map(|()| PersonFact::Name);
        self.by_hand.iter().copied().chain(name).collect()
    }

    pub(in crate::domain) fn created(event: &PersonEvent) -> Option<Self> {
        match event {
            PersonEvent::Registered { name, record } => Some(Self {
                name: name.clone(),
                affiliations: Default::default(),
                guardians: Default::default(),
                departed: None,
                by_hand: Default::default(),
                roster_name: None,
                records: record
                    .iter()
                    .map(|record| (record.source.clone(), Arc::new(record.clone())))
                    .collect(),
                absent: Default::default(),
                last_place: None,
                unenrolled: None,
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
            let is_decided = meta.is_by_a_person() || self.has_just_been_confirmed(event);
            note(&mut self.by_hand, fact, is_decided);
        }
        match event {
            PersonEvent::Registered { .. } => {}
            PersonEvent::Renamed { name } => {
                let by_a_person = meta.is_by_a_person();
                note_values(&mut self.name, &mut self.roster_name, name, by_a_person);
            }
            PersonEvent::AffiliationSet(affiliation) => {
                let Affiliation {
                    institution, role, ..
                } = affiliation;
                let same = |at: &Affiliation| (at.institution, at.role) == (*institution, *role);
                self.affiliations.replace(same, affiliation.clone());
                self.last_place = None;
                if role.is_staff() {
                    self.forget_elsewhere(*institution);
                }
            }
            PersonEvent::AffiliationEnded { institution, role } => {
                let same = |at: &Affiliation| (at.institution, at.role) == (*institution, *role);
                self.affiliations.remove_all(same);
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
                let name = facts.contains(&PersonFact::Name).then_some(());
                leave_values(&self.name, &mut self.roster_name, name.into_iter());
            }
            PersonEvent::RecordedInRoster(record) => {
                let was_enrolled = self.is_enrolled();
                self.absent.remove(&record.source);
                let record = Arc::new(record.clone());
                self.records.insert(record.source.clone(), record);
                self.note_enrolment(was_enrolled, meta);
            }
            PersonEvent::AbsentFromRoster { source, last_seen } => {
                let was_enrolled = self.is_enrolled();
                self.absent.insert(source.clone(), *last_seen);
                self.note_enrolment(was_enrolled, meta);
            }
            PersonEvent::SuggestionDecided {
                evidence,
                confirmed,
                reason: _,
            } => self.note_decision(evidence, *confirmed),
        }
    }

    /// Whether the event is the departure of somebody of whom it was confirmed that they have left. To
    /// confirm it is to decide, whoever sent it: no roster says it.
    fn has_just_been_confirmed(&self, event: &PersonEvent) -> bool {
        matches!(event, PersonEvent::Departed { .. })
            && self.departed.is_none()
            && self.confirmed.iter().any(Evidence::is_of_departure)
    }

    /// Keeps the day on which no source has the person in a class any more.
    fn note_enrolment(&mut self, was_enrolled: bool, meta: &EventMeta) {
        if self.is_enrolled() {
            self.unenrolled = None;
        } else if was_enrolled {
            self.unenrolled = Some(meta.recorded_at.day_in_denmark());
        }
    }
}
