use super::{Affiliation, Departure, Person, PersonEvent};
use crate::domain::EventMeta;

impl Person {
    pub(in crate::domain) fn created(event: &PersonEvent) -> Option<Self> {
        match event {
            PersonEvent::Registered { name } => Some(Self {
                name: name.clone(),
                affiliations: Default::default(),
                guardians: Default::default(),
                departed: None,
            }),
            PersonEvent::Renamed { .. }
            | PersonEvent::AffiliationSet(_)
            | PersonEvent::AffiliationEnded { .. }
            | PersonEvent::GuardianshipSet(_)
            | PersonEvent::GuardianshipEnded { .. }
            | PersonEvent::Departed { .. }
            | PersonEvent::Returned {} => None,
        }
    }

    pub(in crate::domain) fn apply(&mut self, meta: &EventMeta, event: &PersonEvent) {
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
            }
            PersonEvent::AffiliationEnded { institution, role } => {
                self.affiliations
                    .retain(|at| (at.institution, at.role) != (*institution, *role));
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
                    by: meta.actor,
                });
            }
            PersonEvent::Returned {} => self.departed = None,
        }
    }
}
