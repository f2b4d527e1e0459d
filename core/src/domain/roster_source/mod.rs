//! Sources: the systems that rosters come from.
//!
//! Two systems may use the same ids for different people. So the ids that an import makes depend on
//! the name of its source. The first source of a ledger is the exception: its ids are made without a
//! name, as they were before sources had names. It stands under [`RosterSourceId::FIRST`], every
//! other source under [`RosterSourceId::named`].

mod apply;
mod decide;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::RosterSourceId;
use crate::text::SourceName;

impl RosterSourceId {
    /// The first source of a ledger, whatever its name.
    pub const FIRST: Self =
        Self::from_uuid(Uuid::from_u128(0x726f_7374_6572_8000_8000_0000_0000_0001));

    /// The source with this name, unless it is the first source.
    pub fn named(name: &SourceName) -> Self {
        Self::from_uuid(Uuid::new_v5(&Self::FIRST.uuid(), name.as_str().as_bytes()))
    }
}

/// What can be asked of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RosterSourceCommand {
    /// Makes the source known. Refused if another source has the name.
    Register {
        /// The name.
        name: SourceName,
    },
    /// Says that a roster of the source was imported to its end.
    RecordImport(RosterImport),
}

/// What happened to a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RosterSourceEvent {
    /// The source became known.
    Registered {
        /// The name.
        name: SourceName,
    },
    /// A roster of the source was imported to its end.
    Imported(RosterImport),
}

/// An import of a roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterImport {
    /// The day of the import.
    pub day: Date,
    /// Whether the roster held everything, or what had changed.
    pub mode: ImportMode,
    /// How much the roster held.
    pub counts: RosterCounts,
}

/// Whether a roster holds everything, or what has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportMode {
    /// Everything. Who is not in it may be gone.
    Bulk,
    /// What has changed since the roster before. Who is not in it has not changed.
    Delta,
}

/// How much a roster holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterCounts {
    /// Persons.
    pub persons: u64,
    /// Teams.
    pub teams: u64,
    /// Places in teams, of students and of staff.
    pub enrolments: u64,
    /// Guardianships.
    pub guardianships: u64,
}

/// A source as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterSource {
    /// The name.
    pub name: SourceName,
    /// The last import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_import: Option<RosterImport>,
    /// The last import of a bulk export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_bulk: Option<RosterImport>,
}
