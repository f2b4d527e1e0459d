//! The numbers, names and schemas of event types. Numbers and names are written into journals and
//! used in APIs, so they never change. A schema is the version of the shape of a payload's JSON. It
//! is raised whenever that shape changes, and [`super::upcast`] turns payloads of earlier schemas
//! into the present shape.

use serde::Deserialize;

use super::catalogue::CatalogueEvent;
use super::erasure::ErasureEvent;
use super::grants::GrantsEvent;
use super::institution::InstitutionEvent;
use super::ledger::LedgerEvent;
use super::person::PersonEvent;
use super::plan::PlanEvent;
use super::recovery::RecoveryEvent;
use super::roster_source::RosterSourceEvent;
use super::school_year::SchoolYearEvent;
use super::system::SystemEvent;
use super::team::TeamEvent;
use super::upcast::bring_up;
use super::year_plan::YearPlanEvent;
use super::{Aggregate, Event};
use crate::ids::StreamKind;

const TABLE_CONTEXT: &str = "planledger v1 2026-11-28 event types";

/// An event type: its number in entries, its name in APIs, and the version of its payload's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventType {
    /// The number: first the byte of the stream kind, then the byte of the type.
    pub code: u16,
    /// The name: the stream kind, a dot, and what happened.
    pub name: &'static str,
    /// The schema that is written now, which is the greatest that this version of planledger knows.
    pub schema: u16,
}

macro_rules! event_types {
    ($($event:ident in $kind:ident { $($variant:ident = $code:literal $name:literal $schema:literal,)* })*) => {
        impl EventType {
            /// Every event type, by number.
            pub const ALL: &[EventType] = &[$($(
                EventType {
                    code: ((StreamKind::$kind.byte() as u16) << 8) | $code,
                    name: $name,
                    schema: $schema,
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
                            schema: $schema,
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
                // Most events fit, with what the cipher adds to them.
                let mut json = Vec::with_capacity(256);
                match self {
                    $(Self::$kind(event) => serde_json::to_writer(&mut json, event),)*
                }?;
                Ok(json)
            }

            /// Reads a payload. A payload of an earlier schema is turned into the present shape
            /// first, so that no other code has to know earlier shapes. No other code reads
            /// payloads.
            ///
            /// # Errors
            /// When a newer version of planledger wrote the payload: see
            /// [`PayloadError::needs_newer`]. Also when the payload is not JSON of an event of that
            /// type and schema.
            pub fn from_json(code: u16, schema: u16, json: &[u8]) -> Result<Self, PayloadError> {
                let known = EventType::readable(code, schema)?;
                let kind = StreamKind::from_byte(code.to_be_bytes()[0]);
                let kind = kind.ok_or(PayloadError::UnknownType(code))?;
                let event = if schema == known.schema {
                    let mut reader = serde_json::Deserializer::from_slice(json);
                    let event = Self::read(kind, &mut reader)?;
                    reader.end()?;
                    event
                } else {
                    let failed = |reason| PayloadError::NotBroughtUp {
                        event: known.name,
                        schema,
                        reason,
                    };
                    let payload = serde_json::from_slice(json)?;
                    let payload = bring_up(known.name, schema, known.schema, payload);
                    Self::read(kind, payload.map_err(failed)?)
                        .map_err(|_| failed("the result of the conversion is not an event of this \
                            type"))?
                };
                if event.event_type().code == code {
                    Ok(event)
                } else {
                    Err(PayloadError::TypeMismatch { event: known.name })
                }
            }

            fn read<'de, D: serde::Deserializer<'de>>(
                kind: StreamKind,
                payload: D,
            ) -> Result<Self, D::Error> {
                match kind {
                    $(StreamKind::$kind => $event::deserialize(payload).map(Self::$kind),)*
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

    /// The event type with this number, if this version can read payloads of that schema. An entry
    /// says both without decryption. So this can be asked before the payload is opened, and also
    /// when it was redacted.
    ///
    /// # Errors
    /// [`PayloadError`], most often because a newer version of planledger wrote the event.
    pub fn readable(code: u16, schema: u16) -> Result<Self, PayloadError> {
        let known = Self::from_code(code).ok_or(PayloadError::UnknownType(code))?;
        let event = known.name;
        if schema > known.schema {
            let known = known.schema;
            return Err(PayloadError::NewerSchema {
                event,
                schema,
                known,
            });
        }
        if schema == 0 {
            return Err(PayloadError::NoSchema { event });
        }
        Ok(known)
    }

    /// A fingerprint of the event types and schemas that this version knows. Derived state carries
    /// it: see [`crate::derived`].
    pub(crate) fn fingerprint() -> [u8; 7] {
        fingerprint_of(Self::ALL)
    }
}

fn fingerprint_of(types: &[EventType]) -> [u8; 7] {
    let mut table = Vec::with_capacity(4 * types.len());
    for known in types {
        table.extend_from_slice(&known.code.to_be_bytes());
        table.extend_from_slice(&known.schema.to_be_bytes());
    }
    let hash = blake3::derive_key(TABLE_CONTEXT, &table);
    crate::hash::first(&hash)
}

/// Why a payload cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// A newer version of planledger wrote the event type. Upgrade to that version.
    #[error(
        "event type {0:#06x} is not known to this version; a newer version of planledger is needed"
    )]
    UnknownType(u16),
    /// A newer version of planledger wrote the schema. Upgrade to that version.
    #[error(
        "{event} has schema {schema}, but this version knows its schemas only up to {known}; a \
        newer version of planledger is needed"
    )]
    NewerSchema {
        /// The name of the event type.
        event: &'static str,
        /// The schema of the payload.
        schema: u16,
        /// The greatest schema of the type that this version knows.
        known: u16,
    },
    /// No version of planledger writes such a schema. The program that wrote it has a fault.
    #[error("{event} has schema 0, which no version of planledger writes")]
    NoSchema {
        /// The name of the event type.
        event: &'static str,
    },
    /// The payload is not JSON of its schema. The program that wrote it has a fault.
    #[error("{event} of schema {schema} cannot be converted to the current schema: {reason}")]
    NotBroughtUp {
        /// The name of the event type.
        event: &'static str,
        /// The schema of the payload.
        schema: u16,
        /// What is wrong with the payload. Never contains the payload's text.
        reason: &'static str,
    },
    /// The payload is of another type than the entry says. The program that wrote it has a fault.
    #[error("the payload of {event} is of another type")]
    TypeMismatch {
        /// The type that the entry names.
        event: &'static str,
    },
    /// The payload is not JSON of an event of its type.
    #[error("payload is malformed: line {}, column {}", .0.line(), .0.column())]
    Malformed(#[from] serde_json::Error),
}

impl PayloadError {
    /// Whether the event is sound but only a newer version of planledger can read it.
    pub fn needs_newer(&self) -> bool {
        match self {
            Self::UnknownType(_) | Self::NewerSchema { .. } => true,
            Self::NoSchema { .. }
            | Self::NotBroughtUp { .. }
            | Self::TypeMismatch { .. }
            | Self::Malformed(_) => false,
        }
    }
}

// Number, name and schema. Whoever raises a schema adds the step to `super::upcast` and an example to
// tests/format/events-v1.txt.
event_types! {
    InstitutionEvent in Institution {
        Registered = 1 "institution.registered" 1,
        Revised = 2 "institution.revised" 1,
        Closed = 3 "institution.closed" 1,
        Reopened = 4 "institution.reopened" 1,
        LeftToRoster = 5 "institution.left_to_roster" 2,
        SurveyDiscussed = 6 "institution.survey_discussed" 1,
        SurveyDiscussionCorrected = 7 "institution.survey_discussion_corrected" 1,
        SurveyDiscussionWithdrawn = 8 "institution.survey_discussion_withdrawn" 1,
        Succeeded = 9 "institution.succeeded" 1,
    }
    SchoolYearEvent in SchoolYear {
        Defined = 1 "school_year.defined" 1,
        LeftToRoster = 2 "school_year.left_to_roster" 1,
    }
    PersonEvent in Person {
        Registered = 1 "person.registered" 1,
        Renamed = 2 "person.renamed" 1,
        AffiliationSet = 3 "person.affiliation_set" 1,
        AffiliationEnded = 4 "person.affiliation_ended" 1,
        GuardianshipSet = 5 "person.guardianship_set" 1,
        GuardianshipEnded = 6 "person.guardianship_ended" 1,
        Departed = 7 "person.departed" 2,
        Returned = 8 "person.returned" 1,
        LeftToRoster = 9 "person.left_to_roster" 2,
        RecordedInRoster = 10 "person.recorded_in_roster" 1,
        AbsentFromRoster = 11 "person.absent_from_roster" 1,
        SuggestionDecided = 12 "person.suggestion_decided" 1,
    }
    TeamEvent in Team {
        Created = 1 "team.created" 1,
        Revised = 2 "team.revised" 1,
        MemberAdded = 3 "team.member_added" 1,
        MemberRemoved = 4 "team.member_removed" 1,
        StaffAdded = 5 "team.staff_added" 1,
        StaffRemoved = 6 "team.staff_removed" 1,
        Closed = 7 "team.closed" 1,
        Reopened = 8 "team.reopened" 1,
        Deleted = 9 "team.deleted" 1,
        Undeleted = 10 "team.undeleted" 1,
        OwnershipTransferred = 11 "team.ownership_transferred" 1,
        OwnershipGivenUp = 12 "team.ownership_given_up" 1,
        LeftToRoster = 13 "team.left_to_roster" 2,
        RecordedInRoster = 14 "team.recorded_in_roster" 1,
        AbsentFromRoster = 15 "team.absent_from_roster" 1,
        Moved = 16 "team.moved" 1,
    }
    YearPlanEvent in YearPlan {
        Created = 1 "year_plan.created" 1,
        Retitled = 2 "year_plan.retitled" 1,
        SubjectAdded = 3 "year_plan.subject_added" 1,
        SubjectRemoved = 4 "year_plan.subject_removed" 1,
        UnitAdded = 5 "year_plan.unit_added" 1,
        UnitRevised = 6 "year_plan.unit_revised" 1,
        UnitDeleted = 7 "year_plan.unit_deleted" 1,
        UnitUndeleted = 8 "year_plan.unit_undeleted" 1,
        GoalAdded = 9 "year_plan.goal_added" 1,
        GoalRevised = 10 "year_plan.goal_revised" 1,
        GoalRetired = 11 "year_plan.goal_retired" 1,
        Deleted = 12 "year_plan.deleted" 1,
        Undeleted = 13 "year_plan.undeleted" 1,
        OwnershipTransferred = 14 "year_plan.ownership_transferred" 1,
        Moved = 15 "year_plan.moved" 1,
    }
    PlanEvent in Plan {
        Opened = 1 "plan.opened" 1,
        UnitIncluded = 2 "plan.unit_included" 1,
        UnitExcluded = 3 "plan.unit_excluded" 1,
        SectionShown = 4 "plan.section_shown" 1,
        SectionHidden = 5 "plan.section_hidden" 1,
        ItemShown = 6 "plan.item_shown" 1,
        ItemHidden = 7 "plan.item_hidden" 1,
        StatusWritten = 8 "plan.status_written" 1,
        FollowUpWritten = 9 "plan.follow_up_written" 1,
        EvaluationRecorded = 10 "plan.evaluation_recorded" 1,
        EvaluationCorrected = 11 "plan.evaluation_corrected" 1,
        TalkRecorded = 12 "plan.talk_recorded" 2,
        TalkCorrected = 13 "plan.talk_corrected" 2,
        Shared = 14 "plan.shared" 1,
        Unshared = 15 "plan.unshared" 1,
        VisibilitySet = 16 "plan.visibility_set" 1,
        Withdrawn = 17 "plan.withdrawn" 1,
        Restored = 18 "plan.restored" 1,
        OwnershipTransferred = 19 "plan.ownership_transferred" 1,
        MovedToYearPlan = 20 "plan.moved_to_year_plan" 1,
        StatusCleared = 21 "plan.status_cleared" 1,
        FollowUpCleared = 22 "plan.follow_up_cleared" 1,
        Reverted = 23 "plan.reverted" 1,
    }
    CatalogueEvent in Catalogue {
        Defined = 1 "catalogue.defined" 2,
        ItemDefined = 2 "catalogue.item_defined" 4,
        ItemRetired = 3 "catalogue.item_retired" 1,
    }
    LedgerEvent in Ledger {
        KeyIntroduced = 1 "ledger.key_introduced" 1,
        KeyRotated = 2 "ledger.key_rotated" 1,
        HeadsRecorded = 3 "ledger.heads_recorded" 1,
        ForkSettled = 4 "ledger.fork_settled" 1,
        AccessLogNoted = 5 "ledger.access_log_noted" 1,
        AccessLogLost = 6 "ledger.access_log_lost" 1,
        Restored = 7 "ledger.restored" 1,
        CarriedOver = 8 "ledger.carried_over" 1,
        PlaceHeld = 9 "ledger.place_held" 1,
    }
    RecoveryEvent in Recovery {
        Started = 1 "recovery.started" 2,
        Finished = 2 "recovery.finished" 1,
        UndoStarted = 3 "recovery.undo_started" 1,
        Undone = 4 "recovery.undone" 1,
    }
    RosterSourceEvent in RosterSource {
        Registered = 1 "roster_source.registered" 1,
        Imported = 2 "roster_source.imported" 1,
    }
    SystemEvent in System {
        Registered = 1 "system.registered" 1,
        Changed = 2 "system.changed" 1,
        Revoked = 3 "system.revoked" 1,
    }
    GrantsEvent in Grants {
        Bootstrapped = 1 "grants.bootstrapped" 1,
        Granted = 2 "grants.granted" 1,
        Revoked = 3 "grants.revoked" 1,
    }
    ErasureEvent in Erasure {
        Requested = 1 "erasure.requested" 2,
        Approved = 2 "erasure.approved" 1,
        Withdrawn = 3 "erasure.withdrawn" 1,
        CarriedOut = 4 "erasure.carried_out" 1,
        AppliedAgain = 5 "erasure.applied_again" 2,
        ReadsSettled = 6 "erasure.reads_settled" 1,
        TextSettled = 7 "erasure.text_settled" 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_knows_other_types_or_schemas_has_another_fingerprint() {
        let ours = EventType::fingerprint();
        for at in 0..EventType::ALL.len() {
            let mut raised = EventType::ALL.to_vec();
            raised[at].schema += 1;
            assert_ne!(fingerprint_of(&raised), ours);
            let mut fewer = EventType::ALL.to_vec();
            fewer.remove(at);
            assert_ne!(fingerprint_of(&fewer), ours);
        }
    }

    #[test]
    fn an_event_of_a_newer_version_says_that_a_newer_version_is_needed() {
        let known = EventType::from_name("person.departed").unwrap();
        let newer = known.schema + 1;
        let error = Event::from_json(known.code, newer, b"{}").unwrap_err();
        assert!(error.needs_newer());
        assert_eq!(
            error.to_string(),
            format!(
                "person.departed has schema {newer}, but this version knows its schemas only up \
                 to {}; a newer version of planledger is needed",
                known.schema
            )
        );
        let error = Event::from_json(0x03FE, 1, b"{}").unwrap_err();
        assert!(error.needs_newer());
        let error = Event::from_json(known.code, 0, b"{}").unwrap_err();
        assert!(!error.needs_newer());
    }
}
