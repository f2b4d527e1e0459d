//! The numbers and names of event types. Both stand in journals and APIs and never change.

use super::catalogue::CatalogueEvent;
use super::institution::InstitutionEvent;
use super::ledger::LedgerEvent;
use super::person::PersonEvent;
use super::plan::PlanEvent;
use super::recovery::RecoveryEvent;
use super::school_year::SchoolYearEvent;
use super::team::TeamEvent;
use super::year_plan::YearPlanEvent;
use super::{Aggregate, Event};
use crate::ids::StreamKind;

/// An event type: its number in entries, its name in APIs, and the version of its payload's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventType {
    /// Its number: the stream kind's byte, then the type's.
    pub code: u16,
    /// Its name: the stream kind's, a dot, what happened.
    pub name: &'static str,
    /// The version of the payload's shape that is written now.
    pub schema: u16,
}

macro_rules! event_types {
    ($($event:ident in $kind:ident { $($variant:ident = $code:literal $name:literal,)* })*) => {
        impl EventType {
            /// Every event type, by number.
            pub const ALL: &[EventType] = &[$($(
                EventType {
                    code: ((StreamKind::$kind.byte() as u16) << 8) | $code,
                    name: $name,
                    schema: 1,
                },
            )*)*];
        }

        impl Event {
            /// Its type.
            pub const fn event_type(&self) -> EventType {
                match self {
                    $(Self::$kind(event) => match event { $(
                        $event::$variant { .. } => EventType {
                            code: ((StreamKind::$kind.byte() as u16) << 8) | $code,
                            name: $name,
                            schema: 1,
                        },
                    )* },)*
                }
            }

            /// The kind of stream it belongs to.
            pub const fn kind(&self) -> StreamKind {
                match self { $(Self::$kind(_) => StreamKind::$kind,)* }
            }

            /// The payload: JSON of the event, the same bytes for the same event.
            ///
            /// # Errors
            /// Never for the events of this crate; the signature is serde's.
            pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
                match self { $(Self::$kind(event) => serde_json::to_vec(event),)* }
            }

            /// Reads a payload back.
            ///
            /// # Errors
            /// When the payload is not JSON of an event of that kind and type. Also when `schema`
            /// is newer than this version knows.
            pub fn from_json(code: u16, schema: u16, json: &[u8]) -> Result<Self, PayloadError> {
                let known = EventType::from_code(code).ok_or(PayloadError::UnknownType(code))?;
                if schema != known.schema {
                    return Err(PayloadError::UnknownSchema { event: known.name, schema });
                }
                let kind = StreamKind::from_byte(code.to_be_bytes()[0]);
                let event = match kind.ok_or(PayloadError::UnknownType(code))? {
                    $(StreamKind::$kind => Self::$kind(serde_json::from_slice(json)?),)*
                };
                if event.event_type().code == code {
                    Ok(event)
                } else {
                    Err(PayloadError::TypeMismatch { event: known.name })
                }
            }
        }

        impl Aggregate {
            /// The kind of its stream.
            pub const fn kind(&self) -> StreamKind {
                match self { $(Self::$kind(_) => StreamKind::$kind,)* }
            }
        }
    };
}

impl EventType {
    /// The event type with this number.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code == code)
    }

    /// The event type with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.name == name)
    }
}

/// Why a payload cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// Written by a newer version of planledger. Upgrade.
    #[error("event type {0:#06x} is not known to this version")]
    UnknownType(u16),
    /// Written by a newer version of planledger. Upgrade.
    #[error("{event} has schema version {schema}, which this version does not know")]
    UnknownSchema {
        /// The type's name.
        event: &'static str,
        /// The version found.
        schema: u16,
    },
    /// The payload is of another type than the entry says: the writer was at fault.
    #[error("the payload of {event} is of another type")]
    TypeMismatch {
        /// The type that the entry names.
        event: &'static str,
    },
    /// The payload is not JSON of such an event.
    #[error("payload is malformed: line {}, column {}", .0.line(), .0.column())]
    Malformed(#[from] serde_json::Error),
}

event_types! {
    InstitutionEvent in Institution {
        Registered = 1 "institution.registered",
        Revised = 2 "institution.revised",
        Closed = 3 "institution.closed",
        Reopened = 4 "institution.reopened",
    }
    SchoolYearEvent in SchoolYear {
        Defined = 1 "school_year.defined",
    }
    PersonEvent in Person {
        Registered = 1 "person.registered",
        Renamed = 2 "person.renamed",
        AffiliationSet = 3 "person.affiliation_set",
        AffiliationEnded = 4 "person.affiliation_ended",
        GuardianshipSet = 5 "person.guardianship_set",
        GuardianshipEnded = 6 "person.guardianship_ended",
        Departed = 7 "person.departed",
        Returned = 8 "person.returned",
    }
    TeamEvent in Team {
        Created = 1 "team.created",
        Revised = 2 "team.revised",
        MemberAdded = 3 "team.member_added",
        MemberRemoved = 4 "team.member_removed",
        StaffAdded = 5 "team.staff_added",
        StaffRemoved = 6 "team.staff_removed",
        Closed = 7 "team.closed",
        Reopened = 8 "team.reopened",
        Deleted = 9 "team.deleted",
        Undeleted = 10 "team.undeleted",
        OwnershipTransferred = 11 "team.ownership_transferred",
        OwnershipGivenUp = 12 "team.ownership_given_up",
    }
    YearPlanEvent in YearPlan {
        Created = 1 "year_plan.created",
        Retitled = 2 "year_plan.retitled",
        SubjectAdded = 3 "year_plan.subject_added",
        SubjectRemoved = 4 "year_plan.subject_removed",
        UnitAdded = 5 "year_plan.unit_added",
        UnitRevised = 6 "year_plan.unit_revised",
        UnitDeleted = 7 "year_plan.unit_deleted",
        UnitUndeleted = 8 "year_plan.unit_undeleted",
        GoalAdded = 9 "year_plan.goal_added",
        GoalRevised = 10 "year_plan.goal_revised",
        GoalRetired = 11 "year_plan.goal_retired",
        Deleted = 12 "year_plan.deleted",
        Undeleted = 13 "year_plan.undeleted",
        OwnershipTransferred = 14 "year_plan.ownership_transferred",
    }
    PlanEvent in Plan {
        Opened = 1 "plan.opened",
        UnitIncluded = 2 "plan.unit_included",
        UnitExcluded = 3 "plan.unit_excluded",
        SectionShown = 4 "plan.section_shown",
        SectionHidden = 5 "plan.section_hidden",
        ItemShown = 6 "plan.item_shown",
        ItemHidden = 7 "plan.item_hidden",
        StatusWritten = 8 "plan.status_written",
        FollowUpWritten = 9 "plan.follow_up_written",
        EvaluationRecorded = 10 "plan.evaluation_recorded",
        EvaluationCorrected = 11 "plan.evaluation_corrected",
        TalkRecorded = 12 "plan.talk_recorded",
        TalkCorrected = 13 "plan.talk_corrected",
        Shared = 14 "plan.shared",
        Unshared = 15 "plan.unshared",
        VisibilitySet = 16 "plan.visibility_set",
        Withdrawn = 17 "plan.withdrawn",
        Restored = 18 "plan.restored",
        OwnershipTransferred = 19 "plan.ownership_transferred",
        MovedToYearPlan = 20 "plan.moved_to_year_plan",
        StatusCleared = 21 "plan.status_cleared",
        FollowUpCleared = 22 "plan.follow_up_cleared",
        Reverted = 23 "plan.reverted",
    }
    CatalogueEvent in Catalogue {
        Defined = 1 "catalogue.defined",
        ItemDefined = 2 "catalogue.item_defined",
        ItemRetired = 3 "catalogue.item_retired",
    }
    LedgerEvent in Ledger {
        KeyIntroduced = 1 "ledger.key_introduced",
        KeyRotated = 2 "ledger.key_rotated",
        HeadsRecorded = 3 "ledger.heads_recorded",
        ForkSettled = 4 "ledger.fork_settled",
    }
    RecoveryEvent in Recovery {
        Started = 1 "recovery.started",
        Finished = 2 "recovery.finished",
        UndoStarted = 3 "recovery.undo_started",
        Undone = 4 "recovery.undone",
    }
}
