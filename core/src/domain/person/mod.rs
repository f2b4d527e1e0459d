//! Persons: students, guardians, teachers, pedagogues and leaders.
//!
//! Guardianships are in the child's stream, because that is where they are asked for.

mod apply;
mod decide;
mod no_owner;
mod record;
mod suggestion;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use litemap::LiteMap;
use serde::{Deserialize, Serialize};

pub use self::no_owner::NoOwner;
pub use self::record::{RosterRecord, UserId, UserProfile};
pub use self::suggestion::{Evidence, LastPlace};
use crate::few::Few;
use crate::ids::{InstitutionId, PersonId};
use crate::text::{Code, ExternalId, Name, ReasonText, SourceName};

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
        /// What the source says of the person's account; `None` leaves what it said before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<RosterRecord>,
    },
    /// Makes the guardians of a child exactly these, and records only the differences. The
    /// guardianships of others end. What a person decided stays (see [`PersonFact`]). For imports.
    PutGuardians {
        /// The guardians.
        guardians: BTreeSet<Guardianship>,
        /// The last day of guardianships that are not named.
        last_day_of_others: Date,
    },
    /// Says that the person is not in the newest bulk export of a source that had the person
    /// before. This is a sign and nothing more: roles, places and guardianships stay. A `Put` with a
    /// record of that source ends the absence. For imports.
    NoteAbsence {
        /// The source.
        source: SourceName,
        /// The day of the last roster of the source that had the person.
        last_seen: Date,
    },
    /// Like [`PersonCommand::PutGuardians`], but nothing is said of some persons, and their
    /// guardianships stay. For imports some of whose rows could not be used.
    PutSomeGuardians {
        /// The guardians.
        guardians: BTreeSet<Guardianship>,
        /// Persons of whom nothing is said.
        unsaid: BTreeSet<PersonId>,
        /// Whether nothing is said of anybody who is not named as guardian. For imports that name a
        /// guardian of whom nobody can tell who it is, or whose guardians name a child that they do not
        /// hold: so if it says no more than who guards, and the person is something at an institution
        /// and no student, nothing happens.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        others_unsaid: bool,
        /// Persons who are no guardians, also if nothing is said of others.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        ended: BTreeSet<PersonId>,
        /// The last day of guardianships that are named nowhere here.
        last_day_of_others: Date,
    },
    /// Adds, changes and takes away profiles of the person, and leaves all others. Refused if no
    /// roster of the source has brought the person. For imports that do not hold every profile.
    ///
    /// A profile shows that the source has the person, so it ends an absence. Of an absent person,
    /// what is gone is not taken away: an absence deletes nothing.
    PutSomeProfiles {
        /// The source.
        source: SourceName,
        /// New and changed profiles.
        profiles: BTreeSet<UserProfile>,
        /// The ids of profiles that are gone.
        gone: BTreeSet<ExternalId>,
    },
    /// Says that the person has left, and nothing else: name, roles and guardians stay as they are.
    /// Changes nothing if no roster of the source has brought the person. What a person decided stays
    /// (see [`PersonFact`]). For imports whose row of somebody who is gone says no more.
    PutGone {
        /// The source.
        source: SourceName,
    },
    /// Confirms or dismisses what looks as if the person had left. Refused if nothing suggests it
    /// now. It is not suggested again for the same evidence.
    DecideSuggestion {
        /// The evidence that the suggestion named.
        evidence: Evidence,
        /// Whether it is so. A confirmed absence is recorded as a departure, and so is it if no place
        /// or no class is left. An owner elsewhere who is dismissed counts as an owner there.
        confirmed: bool,
        /// The last day of a person who has left, if known.
        last_day: Option<Date>,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
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
        /// What the source that brought the person says of the account; `None` if no source did, or
        /// it said nothing. It stands here and not in an event of its own, because a large roster
        /// brings so many people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<RosterRecord>,
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
    /// A source said something new of a known person's account, or the person is in its roster again.
    RecordedInRoster(RosterRecord),
    /// The person was no longer in the roster of a source.
    AbsentFromRoster {
        /// The source.
        source: SourceName,
        /// The day of the last roster of the source that had the person.
        last_seen: Date,
    },
    /// Somebody decided whether what looked like a departure is one.
    SuggestionDecided {
        /// The evidence.
        evidence: Evidence,
        /// Whether it is so.
        confirmed: bool,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
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
    /// The name of the person.
    Name,
}

/// A person as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name.
    pub name: Name,
    /// The institutions and roles of the person, with a student's grade.
    pub affiliations: Few<Affiliation>,
    /// Guardians of a child, with the last day of each guardianship.
    #[serde(default, skip_serializing_if = "LiteMap::is_empty")]
    pub guardians: LiteMap<PersonId, Option<Date>>,
    /// When and why the person left or will leave; `None` if no departure is noted. A noted departure
    /// may be coming: ask [`Person::has_left_on`] whether the person has left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departed: Option<Departure>,
    /// What a person decided and the roster has not said yet, apart from the name. An import leaves
    /// it alone. [`Person::decided_by_hand`] gives everything.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub by_hand: BTreeSet<PersonFact>,
    /// The name that the roster gave last, if a person has given another one since. An import that
    /// says it again leaves the present name alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster_name: Option<Box<Name>>,
    /// What each source says of the person's account.
    #[serde(default, skip_serializing_if = "LiteMap::is_empty")]
    pub records: LiteMap<SourceName, Arc<RosterRecord>>,
    /// The sources whose newest roster does not have the person, each with the day of the last one
    /// that did.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub absent: BTreeMap<SourceName, Date>,
    /// The place that ended last. `None` while the person has a place, or if there never was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_place: Option<LastPlace>,
    /// The day in Copenhagen on which the last source that had the person in a class no longer had.
    /// `None` while a source has the person in a class, or if none ever had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unenrolled: Option<Date>,
    /// What looked as if the person had left, and somebody confirmed it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub confirmed: BTreeSet<Evidence>,
    /// What looked as if the person had left, and somebody said that it is not so.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub dismissed: BTreeSet<Evidence>,
}

/// When and why somebody left, or will leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// The last day, if known.
    pub on: Option<Date>,
    /// The reason that was given; `None` if none was given.
    pub reason: Option<ReasonText>,
}

impl Departure {
    /// Whether the departure has taken effect on a day in Copenhagen. It takes effect at the end of
    /// its last day. A departure without a day takes effect at once.
    pub fn is_over_on(&self, day: Date) -> bool {
        self.on.is_none_or(|last| last < day)
    }
}

impl Person {
    /// Whether the person has left on a day in Copenhagen. On the last day itself the person is
    /// still there. Everything that asks whether somebody has left asks this.
    pub fn has_left_on(&self, day: Date) -> bool {
        let departed = self.departed.as_ref();
        departed.is_some_and(|departure| departure.is_over_on(day))
    }

    /// The last day of a departure that is noted and has not taken effect on this day; `None` if
    /// there is no such departure.
    pub fn leaving_on(&self, day: Date) -> Option<Date> {
        let coming = self
            .departed
            .as_ref()
            .filter(|departure| !departure.is_over_on(day));
        coming.and_then(|departure| departure.on)
    }
}
