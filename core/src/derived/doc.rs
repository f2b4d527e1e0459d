//! Documents: what derived state consists of.

use std::sync::Arc;

use super::term::Term;
use crate::domain::Aggregate;
use crate::hash::Hash32;
use crate::ids::{CommandId, PersonId, Position, Revision, StreamId};
use crate::overview::{Cell, CellKey, Day, Standing};
use crate::time::Timestamp;

/// A document's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DocKey {
    /// A stream's present state.
    Stream(StreamId),
    /// The streams that a term finds.
    Postings(Term),
    /// Recent commands, 128 to a document.
    Commands(u64),
    /// A stream's state at a revision that is a multiple of [`DocKey::SNAPSHOT_EVERY`].
    Snapshot(StreamId, Revision),
    /// What the overview knows of a student.
    Standing(PersonId),
    /// What the overview counts together, as it is now.
    Cell(CellKey),
    /// The same as it was at the end of a day on which it changed, when it has changed since.
    PastCell(CellKey, Day),
}

impl DocKey {
    /// Revisions from one snapshot to the next: what a read of the past has to fold at most.
    pub const SNAPSHOT_EVERY: u64 = 64;

    /// Whether it is an earlier state of a stream. There may be one or not: it only saves work.
    pub(super) fn is_snapshot(&self) -> bool {
        matches!(self, Self::Snapshot(..))
    }

    /// What the document is, for people.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Stream(_) => "the state of a stream",
            Self::Postings(_) => "a list of streams",
            Self::Commands(_) => "a list of recent commands",
            Self::Snapshot(..) => "an earlier state of a stream",
            Self::Standing(_) => "what the overview knows of a student",
            Self::Cell(_) => "a count of the overview",
            Self::PastCell(..) => "an earlier count of the overview",
        }
    }

    /// Its bytes in sled: a tag, then fixed-length fields, so snapshots of a stream are in order.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Stream(stream) => [&[1], stream.to_bytes().as_slice()].concat(),
            Self::Postings(term) => [vec![2], term.to_bytes()].concat(),
            Self::Commands(chunk) => [&[3], chunk.to_be_bytes().as_slice()].concat(),
            Self::Snapshot(stream, revision) => [
                &[4],
                stream.to_bytes().as_slice(),
                &revision.get().to_be_bytes(),
            ]
            .concat(),
            Self::Standing(student) => [&[6], student.as_bytes().as_slice()].concat(),
            Self::Cell(cell) => [vec![7], cell.to_bytes()].concat(),
            Self::PastCell(cell, day) => [
                vec![8],
                cell.to_bytes(),
                day.number().to_be_bytes().to_vec(),
            ]
            .concat(),
        }
    }
}

/// Where a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Head {
    /// Position of its last event.
    pub position: Position,
    /// Revision of its last event.
    pub revision: Revision,
    /// Link of its last entry.
    pub link: Hash32,
}

/// A stream's state and where it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamDoc {
    /// Where it ends.
    pub head: Head,
    /// Its state.
    pub state: Arc<Aggregate>,
}

/// A command that was carried out, with what its receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandEntry {
    /// The command.
    pub id: CommandId,
    /// Keyed digest of its content.
    pub digest: [u8; 16],
    /// The stream that the receipt names.
    pub stream: StreamId,
    /// Revision of that stream after the command.
    pub revision: Revision,
    /// The ledger's position after the command.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// How many events it led to.
    pub events: u32,
}

impl CommandEntry {
    /// Commands in one document.
    pub const PER_DOC: u64 = 128;
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doc {
    /// Of [`DocKey::Stream`] and [`DocKey::Snapshot`].
    Stream(Arc<StreamDoc>),
    /// Of [`DocKey::Postings`], in order.
    Postings(Arc<Vec<StreamId>>),
    /// Of [`DocKey::Commands`], in order.
    Commands(Arc<Vec<CommandEntry>>),
    /// Of [`DocKey::Standing`].
    Standing(Arc<Standing>),
    /// Of [`DocKey::Cell`] and [`DocKey::PastCell`].
    Cell(Arc<Cell>),
    /// There is none.
    Absent,
}

impl Doc {
    /// About how many bytes it takes in memory.
    pub(super) fn weight(&self) -> u64 {
        let own = match self {
            Self::Stream(doc) => weight_of(&doc.state),
            Self::Postings(streams) => streams.len() as u64 * 20,
            Self::Commands(entries) => entries.len() as u64 * 104,
            Self::Standing(standing) => 256 + standing.plans.len() as u64 * 320,
            Self::Cell(cell) => {
                let subjects = cell.grades.values().map(|counts| counts.subjects.len());
                256 + cell.teams.len() as u64 * 24
                    + cell.grades.len() as u64 * 512
                    + subjects.sum::<usize>() as u64 * 96
            }
            Self::Absent => 0,
        };
        own + 160
    }
}

fn weight_of(state: &Aggregate) -> u64 {
    let items = match state {
        Aggregate::Institution(_) | Aggregate::SchoolYear(_) | Aggregate::Ledger(_) => 1,
        Aggregate::Person(person) => 1 + person.affiliations.len() + person.guardians.len(),
        Aggregate::Team(team) => 2 + (team.members.len() + team.staff.len()) / 4,
        Aggregate::YearPlan(plan) => {
            2 + 2 * plan.units.len()
                + plan
                    .goals
                    .values()
                    .map(|goal| 4 * goal.revisions.len())
                    .sum::<usize>()
        }
        Aggregate::Plan(plan) => 4 + 3 * plan.evaluations.len() + 3 * plan.talks.len(),
        Aggregate::Recovery(recovery) => recovery.steps.len(),
        Aggregate::Catalogue(catalogue) => 3 * (catalogue.items.len() + catalogue.retired.len()),
    };
    256 + items as u64 * 128
}
