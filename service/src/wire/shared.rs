//! What messages of several aggregates share: enums, actors, deletions, times.

use jiff::civil::Date;
use planledger_core::audit::Disclosure;
use planledger_core::domain::person::Role;
use planledger_core::domain::plan::{Audience, Evaluator, Section, Stays, TalkKind};
use planledger_core::domain::team::StaffRole;
use planledger_core::domain::view::Viewer;
use planledger_core::domain::year_plan::{GoalArea, GoalKind, YearPlanKind};
use planledger_core::domain::{Actor, Deletion};
use planledger_core::ids::StreamKind;
use planledger_core::overview::{By, Requirement};
use planledger_core::time::Timestamp;

use super::fields::Fields;
use super::proto;

/// A type of the library that is an enum in the API.
pub(super) trait Choice: Sized {
    /// The value with this number; `None` if it is unknown or UNSPECIFIED.
    fn from_number(number: i32) -> Option<Self>;

    /// Its number.
    fn number(self) -> i32;
}

macro_rules! choices {
    ($($name:ident as $wire:ident { $($variant:ident),* $(,)? })*) => {$(
        impl Choice for $name {
            fn from_number(number: i32) -> Option<Self> {
                match proto::$wire::try_from(number).ok()? {
                    proto::$wire::Unspecified => None,
                    $(proto::$wire::$variant => Some(Self::$variant),)*
                }
            }

            fn number(self) -> i32 {
                let value = match self { $(Self::$variant => proto::$wire::$variant,)* };
                value.into()
            }
        }
    )*};
}

choices! {
    StreamKind as StreamKind {
        Institution, SchoolYear, Person, Team, YearPlan, Plan, Catalogue, Ledger, Recovery,
    }
    Role as Role { Student, Guardian, Teacher, Pedagogue, Leader, Other }
    StaffRole as StaffRole { Teacher, Pedagogue }
    YearPlanKind as YearPlanKind { Subject, Combined }
    GoalKind as GoalKind { Subject, Reflection }
    GoalArea as GoalArea { Academic, AllRoundDevelopment, Wellbeing }
    Section as Section { Status, Goals, FollowUp }
    Audience as Audience { Student, Guardians, Others }
    Evaluator as Evaluator { Staff, Student }
    Disclosure as BundleDisclosure { Events, Integrity }
    Stays as RevertStayReason { RecordedSince, OfAnotherSide, HeldByStaff }
    By as OverviewBy { Institution, Grade, Team }
    Requirement as DueRequirement { Plan, Visible, Evaluated, Talk }
    TalkKind as TalkKind { StudentTalk, FeedbackTalk, LearningTalk, SchoolHomeTalk }
}

impl Choice for Viewer {
    fn from_number(number: i32) -> Option<Self> {
        match proto::Viewer::try_from(number).ok()? {
            proto::Viewer::Unspecified => None,
            proto::Viewer::Staff => Some(Self::Staff),
            proto::Viewer::Student => Some(Self::Audience(Audience::Student)),
            proto::Viewer::Guardians => Some(Self::Audience(Audience::Guardians)),
            proto::Viewer::Others => Some(Self::Audience(Audience::Others)),
        }
    }

    fn number(self) -> i32 {
        let value = match self {
            Self::Staff => proto::Viewer::Staff,
            Self::Audience(Audience::Student) => proto::Viewer::Student,
            Self::Audience(Audience::Guardians) => proto::Viewer::Guardians,
            Self::Audience(Audience::Others) => proto::Viewer::Others,
        };
        value.into()
    }
}

/// The API's viewer for the library's.
pub fn viewer(viewer: Viewer) -> proto::Viewer {
    proto::Viewer::try_from(viewer.number()).unwrap_or_default()
}

/// An instant, to the nanosecond.
pub fn timestamp(instant: Timestamp) -> prost_types::Timestamp {
    const SECOND: u64 = 1_000_000_000;
    prost_types::Timestamp {
        // Both fit: 64 bits of nanoseconds are 35 bits of seconds, and the rest is below 10^9.
        seconds: i64::try_from(instant.nanos() / SECOND).unwrap_or(i64::MAX),
        nanos: i32::try_from(instant.nanos() % SECOND).unwrap_or(0),
    }
}

/// An instant of the API; `None` if there is none, or it is before 1970 or after 2554.
pub fn instant(instant: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    read_timestamp(*instant?)
}

/// An instant of the API; `None` before 1970, after 2554, or with nanoseconds out of range.
pub(super) fn read_timestamp(instant: prost_types::Timestamp) -> Option<Timestamp> {
    let nanos = u64::try_from(instant.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    u64::try_from(instant.seconds)
        .ok()?
        .checked_mul(1_000_000_000)?
        .checked_add(nanos)
        .map(Timestamp::from_nanos)
}

pub(super) fn read_actor(fields: &mut Fields, actor: proto::Actor) -> Option<Actor> {
    match actor.actor {
        Some(proto::actor::Actor::PersonId(id)) => fields.id("person_id", &id).map(Actor::Person),
        Some(proto::actor::Actor::SystemId(id)) => fields.id("system_id", &id).map(Actor::System),
        None => fields.missing("actor"),
    }
}

pub(super) fn write_actor(actor: Actor) -> proto::Actor {
    let actor = match actor {
        Actor::Person(id) => proto::actor::Actor::PersonId(id.to_string()),
        Actor::System(id) => proto::actor::Actor::SystemId(id.to_string()),
    };
    proto::Actor { actor: Some(actor) }
}

pub(super) fn write_deletion(deletion: &Deletion) -> proto::Deletion {
    proto::Deletion {
        deleted_at: Some(timestamp(deletion.at)),
        deleted_by: Some(write_actor(deletion.by)),
        reason: string(deletion.reason.as_ref()),
    }
}

/// A day, `YYYY-MM-DD`.
pub(super) fn write_date(date: Date) -> String {
    date.to_string()
}

/// Anything that may be left out, printed.
pub(super) fn string<T: ToString>(value: Option<&T>) -> Option<String> {
    value.map(ToString::to_string)
}

/// How many, as far as the API counts.
pub(super) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_keep_every_nanosecond_to_the_end_of_their_range() {
        for nanos in [0, 1, 999_999_999, 1_000_000_000, u64::MAX] {
            let instant = Timestamp::from_nanos(nanos);
            assert_eq!(read_timestamp(timestamp(instant)), Some(instant));
        }
        for (seconds, nanos) in [(-1, 0), (0, -1), (0, 1_000_000_000), (i64::MAX, 0)] {
            let instant = prost_types::Timestamp { seconds, nanos };
            assert_eq!(read_timestamp(instant), None);
        }
    }

    #[test]
    fn every_viewer_survives_the_way_there_and_back() {
        for number in 1..=4 {
            assert_eq!(
                Viewer::from_number(number).map(Choice::number),
                Some(number)
            );
        }
        assert_eq!(Viewer::from_number(0), None);
        assert_eq!(Viewer::from_number(5), None);
    }
}
