//! Why a team, year plan or plan has no owner who is still there. The rule looks at the owner, at the
//! institution that the thing belongs to, and at the staff of its team, and at nothing else.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{Evidence, Person};
use crate::ids::InstitutionId;

/// Why something has no owner who is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoOwner {
    /// Nobody owns it.
    Nobody,
    /// The owner has left.
    Departed,
    /// The owner is no longer staff anywhere: for example only a guardian or a student.
    NotStaff,
    /// The owner is staff, but neither at the institution that it belongs to nor of its team.
    Elsewhere,
    /// The owner is in no roster any more, and nobody has noted a departure. It is a sign and not
    /// certain.
    AbsentFromRoster {
        /// The day of the last roster that had the owner.
        last_seen: Date,
    },
    /// The owner is still there and will leave. The thing has an owner until the end of the last
    /// day; the reason says that it is time to hand over.
    Leaving {
        /// The owner's last day.
        last_day: Date,
    },
}

impl NoOwner {
    /// Whether there certainly is no owner. Only what is certain is counted in the overview.
    pub const fn is_certain(self) -> bool {
        match self {
            Self::Nobody | Self::Departed | Self::NotStaff | Self::Elsewhere => true,
            Self::AbsentFromRoster { .. } | Self::Leaving { .. } => false,
        }
    }
}

impl Person {
    /// Why this person is no present owner of what belongs to an institution; `None` if the person
    /// is one. `on_team` says whether the person is on the staff of the team that it belongs to:
    /// whoever may take something over for that reason also keeps it. `day` is the day in Copenhagen
    /// on which is asked: a departure counts once it has taken effect.
    pub fn no_owner_at(
        &self,
        institution: InstitutionId,
        on_team: bool,
        day: Date,
    ) -> Option<NoOwner> {
        if self.has_left_on(day) {
            Some(NoOwner::Departed)
        } else if !self.is_staff() {
            Some(NoOwner::NotStaff)
        } else if !on_team && !self.works_at(institution) && !self.owns_elsewhere(institution) {
            Some(NoOwner::Elsewhere)
        } else if let Some(last_day) = self.leaving_on(day) {
            Some(NoOwner::Leaving { last_day })
        } else {
            self.last_seen_in_roster()
                .filter(|_| self.is_doubtful())
                .map(|last_seen| NoOwner::AbsentFromRoster { last_seen })
        }
    }

    /// The day of the last roster that had the person, if no source has the person any more. `None`
    /// if a source still has the person, or if no source ever had.
    pub fn last_seen_in_roster(&self) -> Option<Date> {
        let in_a_roster = self
            .records
            .keys()
            .any(|source| !self.absent.contains_key(source));
        match in_a_roster {
            true => None,
            false => self.absent.values().max().copied(),
        }
    }

    /// Whether somebody said that the person owns what belongs to an institution, although they work
    /// elsewhere.
    fn owns_elsewhere(&self, institution: InstitutionId) -> bool {
        self.dismissed
            .contains(&Evidence::OwnerElsewhere { institution })
    }

    /// The institutions where somebody said that the person is an owner, although they work elsewhere.
    pub(crate) fn owned_from_elsewhere(&self) -> BTreeSet<InstitutionId> {
        let dismissed = self.dismissed.iter().filter_map(|evidence| match evidence {
            Evidence::OwnerElsewhere { institution } => Some(*institution),
            Evidence::AbsentFromRoster { .. }
            | Evidence::NoPlaceLeft { .. }
            | Evidence::NoEnrolmentLeft { .. } => None,
        });
        dismissed.collect()
    }

    /// The institutions where the person is staff.
    pub(crate) fn workplaces(&self) -> BTreeSet<InstitutionId> {
        let staff = self.affiliations.iter().filter(|at| at.role.is_staff());
        staff.map(|at| at.institution).collect()
    }
}
