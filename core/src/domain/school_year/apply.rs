use std::collections::BTreeSet;

use super::{DefinedSchoolYear, SchoolYear, SchoolYearEvent, SchoolYearFact};
use crate::domain::EventMeta;
use crate::domain::roster::{Values, leave_values, note_values, values_by_hand};

impl Values for SchoolYear {
    type Part = SchoolYearFact;

    const PARTS: &'static [SchoolYearFact] = &[
        SchoolYearFact::Title,
        SchoolYearFact::FirstDay,
        SchoolYearFact::LastDay,
    ];

    fn take(&mut self, part: SchoolYearFact, other: &Self) {
        match part {
            SchoolYearFact::Title => self.title = other.title.clone(),
            SchoolYearFact::FirstDay => self.first_day = other.first_day,
            SchoolYearFact::LastDay => self.last_day = other.last_day,
        }
    }
}

impl DefinedSchoolYear {
    /// What a person decided and the roster has not said yet. An import leaves it alone.
    pub fn decided_by_hand(&self) -> BTreeSet<SchoolYearFact> {
        values_by_hand(&self.year, self.roster_year.as_deref()).collect()
    }

    pub(in crate::domain) fn created(event: &SchoolYearEvent) -> Option<Self> {
        match event {
            SchoolYearEvent::Defined(year) => Some(Self {
                year: year.clone(),
                roster_year: None,
            }),
            SchoolYearEvent::LeftToRoster { .. } => None,
        }
    }

    pub(in crate::domain) fn apply(&mut self, meta: &EventMeta, event: &SchoolYearEvent) {
        match event {
            SchoolYearEvent::Defined(year) => {
                let by_a_person = meta.is_by_a_person();
                note_values(&mut self.year, &mut self.roster_year, year, by_a_person);
            }
            SchoolYearEvent::LeftToRoster { facts } => {
                let facts = facts.iter().copied();
                leave_values(&self.year, &mut self.roster_year, facts);
            }
        }
    }
}
