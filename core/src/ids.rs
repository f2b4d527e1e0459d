//! Identifiers and counters. Each is a type of its own, so that none can be taken for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::{Uuid, Variant, Version};

use crate::text::{self, CprContext};

/// Why a string is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The string is no UUID. Send the 36-character hyphenated form.
    #[error("is not a UUID")]
    Malformed,
    /// All bits are zero, which stands for no id at all.
    #[error("is the UUID with only zeros, which identifies nothing")]
    Nil,
    /// The string looks like a civil registration number, which is never stored.
    #[error("looks like a CPR number; CPR numbers are never accepted")]
    Cpr,
}

fn parse_uuid(value: &str) -> Result<Uuid, IdError> {
    match Uuid::parse_str(value) {
        Ok(uuid) if uuid.is_nil() => Err(IdError::Nil),
        Ok(uuid) if text::made_up_of_cpr(&uuid) => Err(IdError::Cpr),
        Ok(uuid) => Ok(uuid),
        Err(_) if text::contains_cpr(value, CprContext::PersonText) => Err(IdError::Cpr),
        Err(_) => Err(IdError::Malformed),
    }
}

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id with these sixteen bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The id with this UUID.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The sixteen bytes, in the order RFC 9562 prints them.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The UUID.
            pub const fn uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(value: &str) -> Result<Self, IdError> {
                parse_uuid(value).map(Self)
            }
        }
    )*};
}

uuid_ids! {
    /// A school or other place with pupils and staff.
    InstitutionId;
    /// One school year.
    SchoolYearId;
    /// A student, guardian, teacher, pedagogue or leader: a pseudonym, never a CPR number.
    PersonId;
    /// A teaching group (*hold*).
    TeamId;
    /// A year plan (*årsplan*).
    YearPlanId;
    /// A student's plan (*elevplan*).
    PlanId;
    /// A catalogue of goals.
    CatalogueId;
    /// A unit (*forløb*) of a year plan.
    UnitId;
    /// A goal in a unit.
    GoalId;
    /// One evaluation of a goal in a plan.
    EvaluationId;
    /// One talk (*elevsamtale*) recorded in a plan.
    TalkId;
    /// One discussion of the results of the national wellbeing survey (*trivselsmåling*).
    SurveyDiscussionId;
    /// One item of a catalogue.
    CatalogueItemId;
    /// A system that acts, such as a roster import.
    SystemId;
    /// A command. Clients choose the ids of theirs, so that sending one again is safe; those for
    /// which [`is_of_ledger`](CommandId::is_of_ledger) holds are the ledger's own.
    CommandId;
    /// A sealing key in the key store.
    KeyId;
    /// One ledger.
    LedgerId;
    /// A recovery: things handed over or brought back together. Chosen by who starts it.
    RecoveryId;
    /// A source: the system that a roster comes from. See
    /// [`RosterSource`](crate::domain::roster_source::RosterSource).
    RosterSourceId;
    /// Everything that is granted to one person or system. It is the id of that person or system.
    GrantsId;
    /// One grant. Chosen by who grants.
    GrantId;
    /// A redaction of one event or an erasure of one person. Chosen by who asks for it.
    ErasureId;
}

impl CommandId {
    /// What the ids of the ledger's own commands begin with.
    pub(crate) const OWN: [u8; 4] = *b"self";

    /// Whether only the ledger gives this id, to a command of its own: a UUID of version 8 that
    /// begins with the letters `self`, in hexadecimal `73656c66`. A client that sends such an id is
    /// refused.
    pub fn is_of_ledger(&self) -> bool {
        self.as_bytes().starts_with(&Self::OWN)
            && self.0.get_version() == Some(Version::Custom)
            && self.0.get_variant() == Variant::RFC4122
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// Before the first.
            pub const ZERO: Self = Self(0);

            /// The counter with this value.
            pub const fn new(value: u64) -> Self {
                Self(value)
            }

            /// Its value.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The one after this.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }

            /// The one `count` after this.
            #[must_use]
            pub const fn plus(self, count: u64) -> Self {
                Self(self.0.saturating_add(count))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

counters! {
    /// An event's place in the journal, from 1. Position *p* is also the size of the log up to and
    /// including it; 0 is before everything. The Merkle leaf index is `p - 1`.
    Position;
    /// An event's place in its stream, from 1; 0 is a stream without events.
    Revision;
    /// A frame's place in the journal, from 1. A frame is one commit.
    CommitSeq;
}

/// What a stream records: one byte in every entry, so the numbers never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum StreamKind {
    /// A school or other institution.
    Institution = 1,
    /// A school year.
    SchoolYear = 2,
    /// A person.
    Person = 3,
    /// A team.
    Team = 4,
    /// A year plan.
    YearPlan = 5,
    /// A student's plan.
    Plan = 6,
    /// A catalogue of goals.
    Catalogue = 7,
    /// The ledger itself.
    Ledger = 8,
    /// A recovery.
    Recovery = 9,
    /// A source: the system that a roster comes from.
    RosterSource = 10,
    /// A system that acts.
    System = 11,
    /// What is granted to one person or system.
    Grants = 12,
    /// A redaction of one event or an erasure of one person.
    Erasure = 13,
}

impl StreamKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Institution,
        Self::SchoolYear,
        Self::Person,
        Self::Team,
        Self::YearPlan,
        Self::Plan,
        Self::Catalogue,
        Self::Ledger,
        Self::Recovery,
        Self::RosterSource,
        Self::System,
        Self::Grants,
        Self::Erasure,
    ];

    /// The kind with this number.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Institution),
            2 => Some(Self::SchoolYear),
            3 => Some(Self::Person),
            4 => Some(Self::Team),
            5 => Some(Self::YearPlan),
            6 => Some(Self::Plan),
            7 => Some(Self::Catalogue),
            8 => Some(Self::Ledger),
            9 => Some(Self::Recovery),
            10 => Some(Self::RosterSource),
            11 => Some(Self::System),
            12 => Some(Self::Grants),
            13 => Some(Self::Erasure),
            _ => None,
        }
    }

    /// Its number in entries.
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// Its name in event types, stream names and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Institution => "institution",
            Self::SchoolYear => "school_year",
            Self::Person => "person",
            Self::Team => "team",
            Self::YearPlan => "year_plan",
            Self::Plan => "plan",
            Self::Catalogue => "catalogue",
            Self::Ledger => "ledger",
            Self::Recovery => "recovery",
            Self::RosterSource => "roster_source",
            Self::System => "system",
            Self::Grants => "grants",
            Self::Erasure => "erasure",
        }
    }
}

/// A stream: one aggregate's events. Printed as `plan/7f9c…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// What it records.
    pub kind: StreamKind,
    /// The aggregate's id.
    pub id: Uuid,
}

impl StreamId {
    /// Length of [`StreamId::to_bytes`].
    pub const LEN: usize = 17;

    /// The kind's byte, then the id's sixteen.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [self.kind.byte(); Self::LEN];
        for (to, from) in bytes.iter_mut().skip(1).zip(self.id.as_bytes()) {
            *to = *from;
        }
        bytes
    }

    /// The stream with these bytes; `None` if the kind is unknown.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let (kind, id) = bytes.split_first()?;
        Some(Self {
            kind: StreamKind::from_byte(*kind)?,
            id: Uuid::from_slice(id).ok()?,
        })
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.name(), self.id)
    }
}

impl FromStr for StreamId {
    type Err = IdError;

    fn from_str(value: &str) -> Result<Self, IdError> {
        let (kind, id) = value.split_once('/').ok_or(IdError::Malformed)?;
        let kind = StreamKind::ALL
            .into_iter()
            .find(|candidate| candidate.name() == kind)
            .ok_or(IdError::Malformed)?;
        Ok(Self {
            kind,
            id: parse_uuid(id)?,
        })
    }
}

macro_rules! stream_ids {
    ($($name:ident => $kind:ident),* $(,)?) => {$(
        impl From<$name> for StreamId {
            fn from(id: $name) -> Self {
                StreamId { kind: StreamKind::$kind, id: id.uuid() }
            }
        }
    )*};
}

stream_ids! {
    InstitutionId => Institution,
    SchoolYearId => SchoolYear,
    PersonId => Person,
    TeamId => Team,
    YearPlanId => YearPlan,
    PlanId => Plan,
    CatalogueId => Catalogue,
    LedgerId => Ledger,
    RecoveryId => Recovery,
    RosterSourceId => RosterSource,
    SystemId => System,
    GrantsId => Grants,
    ErasureId => Erasure,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_looks_like_a_cpr_number_is_refused_as_such() {
        assert_eq!("010203-1234".parse::<PersonId>(), Err(IdError::Cpr));
        assert_eq!("0102031234".parse::<PlanId>(), Err(IdError::Cpr));
        let uuid = "00000000-0000-4000-8000-000102031234";
        assert_eq!(uuid.parse::<PersonId>(), Err(IdError::Cpr));
        assert_eq!("not-an-id".parse::<PlanId>(), Err(IdError::Malformed));
        assert_eq!(Uuid::nil().to_string().parse::<PlanId>(), Err(IdError::Nil));
    }

    /// Clients make millions of ids. In a text, one in 1,110,000 random ones is refused.
    #[test]
    fn a_random_id_is_taken_whatever_its_last_digits_are() {
        let uuid = "550e8400-e29b-41d4-a716-000102031234";
        assert!(text::contains_cpr(uuid, CprContext::PersonText));
        assert!(uuid.parse::<PersonId>().is_ok());
    }

    /// Whatever a program makes by the usual versions is its own, and so is most of version 8.
    #[test]
    fn the_ledger_keeps_one_small_range_of_ids_for_itself() {
        let of_ledger = |id: &str| id.parse::<CommandId>().unwrap().is_of_ledger();
        assert!(of_ledger("73656c66-a716-8655-9440-000000000000"));
        assert!(of_ledger("73656c66-ffff-8fff-bfff-ffffffffffff"));
        for version in ["1", "4", "5", "6", "7", "0", "f"] {
            assert!(!of_ledger(&format!(
                "73656c66-a716-{version}655-9440-000000000000"
            )));
        }
        for variant in ["0", "7", "c", "e", "f"] {
            assert!(!of_ledger(&format!(
                "73656c66-a716-8655-{variant}440-000000000000"
            )));
        }
        for other in ["73656c67", "72656c66", "00000000", "ffffffff"] {
            assert!(!of_ledger(&format!("{other}-a716-8655-9440-000000000000")));
        }
    }

    #[test]
    fn stream_bytes_and_names_round_trip() {
        for kind in StreamKind::ALL {
            let stream = StreamId {
                kind,
                id: Uuid::from_bytes([kind.byte(); 16]),
            };
            assert_eq!(StreamId::from_bytes(&stream.to_bytes()), Some(stream));
            assert_eq!(stream.to_string().parse::<StreamId>(), Ok(stream));
        }
    }
}
