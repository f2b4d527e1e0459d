//! What looks as if somebody had left. It is only a suggestion: a person confirms or dismisses it,
//! and what was decided is not suggested again for the same evidence.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Person, PersonEvent, RosterRecord};
use crate::domain::refusing::refuse;
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Reason, Refusal, Stop};
use crate::ids::{InstitutionId, PersonId};
use crate::text::{ReasonText, SourceName};

/// Why it looks as if somebody had left. Other evidence makes another suggestion.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// No source has the person in its newest roster any more.
    AbsentFromRoster {
        /// The source that had the person last.
        source: SourceName,
        /// The day of the last roster of the source that had the person.
        last_seen: Date,
    },
    /// The person owns something of an institution and works, but no longer there.
    OwnerElsewhere {
        /// The institution that it belongs to.
        institution: InstitutionId,
    },
    /// The person came with a roster, had a place at an institution, and has no place anywhere now.
    NoPlaceLeft {
        /// The institution of the place that ended last.
        institution: InstitutionId,
        /// The day on which the ledger recorded that it ended.
        since: Date,
    },
    /// The person is a student or works at an institution, and a roster still has the person. One had
    /// the person in a class, and none has any more.
    NoEnrolmentLeft {
        /// The day on which the ledger recorded that no class was left.
        since: Date,
    },
}

impl Evidence {
    /// Whether somebody who confirms it says that the person has left.
    pub(super) fn is_of_departure(&self) -> bool {
        match self {
            Self::AbsentFromRoster { .. }
            | Self::NoPlaceLeft { .. }
            | Self::NoEnrolmentLeft { .. } => true,
            Self::OwnerElsewhere { .. } => false,
        }
    }
}

/// The place of a person that ended last, when no other was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastPlace {
    /// The institution.
    pub institution: InstitutionId,
    /// The day in Copenhagen on which the end was recorded.
    pub ended: Date,
}

impl Person {
    /// The absence that suggests that the person has left. `None` if the person has left, if a
    /// source still has the person, or if somebody has decided about this absence.
    pub fn suggested_absence(&self) -> Option<Evidence> {
        let found = self.absence().filter(|_| self.departed.is_none())?;
        (!self.has_decided(&found)).then_some(found)
    }

    /// The last place that suggests that the person has left, because no other is left. `None` if the
    /// person has left, if no roster ever had the person, or if somebody has decided about it.
    pub fn suggested_without_place(&self) -> Option<Evidence> {
        let place = self.last_place.as_ref()?;
        let is_asked = self.departed.is_none() && !self.records.is_empty();
        let found = Evidence::NoPlaceLeft {
            institution: place.institution,
            since: place.ended,
        };
        (is_asked && !self.has_decided(&found)).then_some(found)
    }

    /// That the person is in no class any more, if it suggests that the person has left. `None` if the
    /// person has left, if no place as student or staff is left, if no source has the person any more,
    /// or if somebody has decided about it. Whoever never was in a class is not asked about.
    pub fn suggested_without_enrolment(&self) -> Option<Evidence> {
        let found = Evidence::NoEnrolmentLeft {
            since: self.unenrolled?,
        };
        // No place at all and an absence say more, and are asked about instead.
        let has_place = self.is_student() || self.is_staff();
        let is_asked = self.departed.is_none() && has_place && self.absence().is_none();
        (is_asked && !self.has_decided(&found)).then_some(found)
    }

    /// Whether a source that has the person in its newest roster has the person in a class.
    pub(super) fn is_enrolled(&self) -> bool {
        self.enrolled_by().next().is_some()
    }

    /// Whether the person has not left, and this source has them in a class and no other does.
    pub fn is_enrolled_only_by(&self, source: &SourceName) -> bool {
        self.departed.is_none() && self.enrolled_by().eq([source])
    }

    /// The sources that have the person in a class of their newest roster.
    fn enrolled_by(&self) -> impl Iterator<Item = &SourceName> {
        let there = self
            .records
            .values()
            .filter(|record| !self.absent.contains_key(&record.source));
        there
            .filter(|record| record.enrolled == Some(true))
            .map(|record| &record.source)
    }

    /// The institutions where it is to be asked whether the person has left: where the person has a
    /// place, or had the last one. That somebody owns something elsewhere is not looked at.
    pub(crate) fn asked_about_at(&self) -> BTreeSet<InstitutionId> {
        let last = self.last_place.iter().map(|place| place.institution);
        let is_asked = self.suggested_absence().is_some()
            || self.suggested_without_place().is_some()
            || self.suggested_without_enrolment().is_some();
        match is_asked {
            true => self.institutions().chain(last).collect(),
            false => BTreeSet::new(),
        }
    }

    fn institutions(&self) -> impl Iterator<Item = InstitutionId> {
        self.affiliations.iter().map(|at| at.institution)
    }

    /// Whether it is to be asked if the person is still an owner at an institution where they own
    /// something. Whether they own something there is not looked at.
    pub fn suggests_elsewhere(&self, institution: InstitutionId) -> Option<Evidence> {
        let found = Evidence::OwnerElsewhere { institution };
        let elsewhere = self.departed.is_none() && self.is_staff() && !self.works_at(institution);
        (elsewhere && !self.has_decided(&found)).then_some(found)
    }

    /// The newest absence, if no source has the person any more. Of several sources with the same
    /// last day, the last one by name stands for all.
    pub(super) fn absence(&self) -> Option<Evidence> {
        let last_seen = self.last_seen_in_roster()?;
        let mut newest = self
            .absent
            .iter()
            .rev()
            .filter(|(_, day)| **day == last_seen);
        newest.next().map(|(source, _)| Evidence::AbsentFromRoster {
            source: source.clone(),
            last_seen,
        })
    }

    /// Whether an absence says that the person may have left, and nobody has dismissed it.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.absence()
            .is_some_and(|found| !self.dismissed.contains(&found))
    }

    /// Whether no other source has the person in its newest roster.
    pub(super) fn is_only_in(&self, source: &SourceName) -> bool {
        let mut others = self.records.keys().filter(|other| *other != source);
        others.all(|other| self.absent.contains_key(other))
    }

    /// Whether a roster that has the person ends what was confirmed as a departure: the very absence,
    /// or that no place or no class was left. `has_place` says whether it gives a place.
    pub(super) fn is_named_anew(&self, record: Option<&RosterRecord>, has_place: bool) -> bool {
        self.confirmed.iter().any(|evidence| match evidence {
            Evidence::AbsentFromRoster { source, last_seen } => {
                let is_there = record.is_some_and(|record| record.source == *source);
                is_there && self.absent.get(source) == Some(last_seen)
            }
            Evidence::NoPlaceLeft { institution, since } => {
                let last = self.last_place.as_ref();
                let is_that =
                    |last: &LastPlace| (last.institution, last.ended) == (*institution, *since);
                has_place && last.is_some_and(is_that)
            }
            Evidence::NoEnrolmentLeft { since } => {
                let is_enrolled = record.is_some_and(|record| record.enrolled == Some(true));
                is_enrolled && self.unenrolled == Some(*since)
            }
            Evidence::OwnerElsewhere { .. } => false,
        })
    }

    /// Whoever works at an institution anew is no owner from elsewhere. What was decided about that
    /// does not hold for the next time.
    pub(super) fn forget_elsewhere(&mut self, institution: InstitutionId) {
        let elsewhere = Evidence::OwnerElsewhere { institution };
        self.confirmed.remove(&elsewhere);
        self.dismissed.remove(&elsewhere);
    }

    fn has_decided(&self, evidence: &Evidence) -> bool {
        self.confirmed.contains(evidence) || self.dismissed.contains(evidence)
    }

    pub(super) fn note_decision(&mut self, evidence: &Evidence, confirmed: bool) {
        let decided = match confirmed {
            true => &mut self.confirmed,
            false => &mut self.dismissed,
        };
        decided.insert(evidence.clone());
    }

    /// Whoever is back may be asked about again: the departure that was confirmed is taken back.
    pub(super) fn forget_confirmed_departures(&mut self) {
        self.confirmed
            .retain(|evidence| !evidence.is_of_departure());
    }
}

/// Decides about a suggestion. If an absence is confirmed, or that no place or no class is left, it is
/// also a departure.
pub(super) fn decide(
    ask: &RuleContext<'_>,
    id: PersonId,
    now: &Person,
    evidence: &Evidence,
    confirmed: bool,
    last_day: Option<Date>,
    reason: Option<&ReasonText>,
) -> Result<Vec<PersonEvent>, Stop> {
    let suggested = match evidence {
        Evidence::AbsentFromRoster { .. } => now.suggested_absence(),
        Evidence::NoPlaceLeft { .. } => now.suggested_without_place(),
        Evidence::NoEnrolmentLeft { .. } => now.suggested_without_enrolment(),
        Evidence::OwnerElsewhere { institution } => match ask.load(*institution)?.as_deref() {
            Some(Aggregate::Institution(_)) if ask.owns_from_elsewhere(id, *institution)? => {
                now.suggests_elsewhere(*institution)
            }
            Some(_) | None => None,
        },
    };
    if suggested.as_ref() != Some(evidence) {
        let message = format!(
            "nothing suggests now that person {id} has left for this reason: it is no longer so, \
             or somebody has decided about it"
        );
        return refuse(Refusal::new(Reason::SuggestionNotFound, message).with("person_id", id));
    }
    let mut events = vec![PersonEvent::SuggestionDecided {
        evidence: evidence.clone(),
        confirmed,
        reason: reason.cloned(),
    }];
    if confirmed && evidence.is_of_departure() {
        events.push(PersonEvent::Departed {
            last_day,
            reason: reason.cloned(),
        });
    }
    Ok(events)
}
