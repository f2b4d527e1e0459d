//! Persons: students, guardians, teachers, pedagogues and leaders.
//!
//! Guardianships are in the child's stream, because that is where they are asked for.

mod apply;
mod decide;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ids::{InstitutionId, PersonId};
use crate::text::{Code, Name, ReasonText};

/// What a person is at an institution. One person may have several roles at several institutions.
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
    /// Whether the rules for teachers and pedagogues apply: they evaluate, hold talks and own
    /// teams, year plans and plans.
    pub const fn is_staff(self) -> bool {
        match self {
            Self::Teacher | Self::Pedagogue | Self::Leader => true,
            Self::Student | Self::Guardian | Self::Other => false,
        }
    }
}

/// An institution that a person belongs to, and the person's role there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Affiliation {
    /// The institution.
    pub institution: InstitutionId,
    /// The role of the person there.
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
    /// The last day of the guardianship; `None` if it has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_day: Option<Date>,
}

/// What can be asked of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonCommand {
    /// Makes the person known. Refused if the person is known already.
    Register {
        /// The name.
        name: Name,
    },
    /// Changes the name.
    Rename {
        /// The new name.
        name: Name,
    },
    /// Adds an institution and role, or changes the grade there.
    SetAffiliation(Affiliation),
    /// Ends a role at an institution.
    EndAffiliation {
        /// The institution.
        institution: InstitutionId,
        /// The role of the person there.
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
    /// Says that the person has left. The person's plans and ownerships and everything recorded
    /// stay.
    Depart {
        /// The last day, if known.
        on: Option<Date>,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Takes the departure back.
    Return,
    /// Makes name, institutions, roles and presence as given, and records only the differences. What
    /// a person decided stays (see [`PersonFact`]). For imports.
    Put {
        /// The name.
        name: Name,
        /// Every institution and role of the person. Those that are not named are ended.
        affiliations: BTreeSet<Affiliation>,
        /// Whether the person has left.
        departed: bool,
    },
    /// Makes the guardians of a child exactly these, and records only the differences. The
    /// guardianships of others end. What a person decided stays (see [`PersonFact`]). For imports.
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
    /// A role at an institution was added, or its grade changed.
    AffiliationSet(Affiliation),
    /// A role at an institution ended.
    AffiliationEnded {
        /// The institution.
        institution: InstitutionId,
        /// The role of the person there.
        role: Role,
    },
    /// The child got a guardian, or the last day of a guardianship changed.
    GuardianshipSet(Guardianship),
    /// A last day was set for a guardianship.
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
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// The person is back.
    Returned {},
    /// The roster now says what a person had decided about these facts, or an import that a person
    /// ran has changed them. From here on the roster decides them again.
    LeftToRoster {
        /// The facts.
        facts: BTreeSet<PersonFact>,
    },
}

/// Something that a roster says about a person, and that a person may decide otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonFact {
    /// Whether the person has this role at this institution, and in which grade.
    Affiliation {
        /// The institution.
        institution: InstitutionId,
        /// The role of the person there.
        role: Role,
    },
    /// Whether this person is a guardian of the child, and until when.
    Guardian(PersonId),
    /// Whether the person has left.
    Departure,
}

/// A person as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name.
    pub name: Name,
    /// The institutions and roles of the person, with a student's grade.
    pub affiliations: BTreeSet<Affiliation>,
    /// Guardians of a child, with the last day of each guardianship.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub guardians: BTreeMap<PersonId, Option<Date>>,
    /// When and why the person left; `None` while the person is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departed: Option<Departure>,
    /// What a person decided and the roster has not said yet. An import leaves it alone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub by_hand: BTreeSet<PersonFact>,
}

/// When and why somebody left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// The last day, if known.
    pub on: Option<Date>,
    /// The reason that was given; `None` if none was given.
    pub reason: Option<ReasonText>,
}
