//! Persons: students, guardians, teachers, pedagogues and leaders.
//!
//! Guardianship stands in the child's stream, because that is where it is asked about.

mod apply;
mod decide;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Actor;
use crate::ids::{InstitutionId, PersonId};
use crate::text::{Code, Name, Reason};

/// What a person is at an institution. One person may be several things at several places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// *Elev*.
    Student,
    /// *Forælder* or other holder of custody.
    Guardian,
    /// *Lærer*.
    Teacher,
    /// *Pædagog*.
    Pedagogue,
    /// *Ledelse*.
    Leader,
    /// Anyone else who works there.
    Other,
}

impl Role {
    /// Whether teachers' and pedagogues' rules apply: evaluate, hold talks, own containers.
    pub const fn is_staff(self) -> bool {
        match self {
            Self::Teacher | Self::Pedagogue | Self::Leader => true,
            Self::Student | Self::Guardian | Self::Other => false,
        }
    }
}

/// Where a person belongs, and as what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Affiliation {
    /// Where.
    pub institution: InstitutionId,
    /// As what.
    pub role: Role,
    /// A student's grade, as the other system writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Code>,
}

/// Who a child's guardian is, and until when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Guardianship {
    /// The guardian.
    pub guardian: PersonId,
    /// The last day it holds; none is without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_day: Option<Date>,
}

/// What can be asked of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonCommand {
    /// Makes the person known. Refused if it already is.
    Register {
        /// The name.
        name: Name,
    },
    /// Changes the name.
    Rename {
        /// The new name.
        name: Name,
    },
    /// Adds a place and role, or changes the grade there.
    SetAffiliation(Affiliation),
    /// Ends a place and role.
    EndAffiliation {
        /// Where.
        institution: InstitutionId,
        /// As what.
        role: Role,
    },
    /// Gives a child a guardian, or changes the last day.
    SetGuardianship(Guardianship),
    /// Ends a guardianship on a day, which may be in the future.
    EndGuardianship {
        /// The guardian.
        guardian: PersonId,
        /// The last day it holds.
        last_day: Date,
    },
    /// Says that the person has left. Plans, ownership and everything recorded stay.
    Depart {
        /// The last day, if known.
        on: Option<Date>,
        /// Why.
        reason: Option<Reason>,
    },
    /// Takes a departure back.
    Return,
    /// Makes name, places and presence as given; records differences only. For imports.
    Put {
        /// The name.
        name: Name,
        /// Every place and role; one that is not named is ended.
        affiliations: BTreeSet<Affiliation>,
        /// Whether the person has left.
        departed: bool,
    },
    /// Makes the guardians of a child exactly these; one that is not named is removed. For imports.
    PutGuardians {
        /// The guardians.
        guardians: BTreeSet<Guardianship>,
        /// The last day of guardianships that are not named.
        last_day_of_others: Date,
    },
}

/// What happened to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonEvent {
    /// The person became known.
    Registered {
        /// The name.
        name: Name,
    },
    /// The name changed.
    Renamed {
        /// The new name.
        name: Name,
    },
    /// A place and role was added, or its grade changed.
    AffiliationSet(Affiliation),
    /// A place and role ended.
    AffiliationEnded {
        /// Where.
        institution: InstitutionId,
        /// As what.
        role: Role,
    },
    /// A guardian was given, or the last day changed.
    GuardianshipSet(Guardianship),
    /// A guardianship got its last day.
    GuardianshipEnded {
        /// The guardian.
        guardian: PersonId,
        /// The last day it holds.
        last_day: Date,
    },
    /// The person left.
    Departed {
        /// The last day, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_day: Option<Date>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The person is back.
    Returned {},
}

/// A person as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name.
    pub name: Name,
    /// Places and roles, with the grade of a student.
    pub affiliations: BTreeSet<Affiliation>,
    /// Guardians of a child, with the last day of each guardianship.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub guardians: BTreeMap<PersonId, Option<Date>>,
    /// Set when the person has left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departed: Option<Departure>,
}

/// When and why somebody left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// The last day, if known.
    pub on: Option<Date>,
    /// Why.
    pub reason: Option<Reason>,
    /// Who noted it.
    pub by: Actor,
}
