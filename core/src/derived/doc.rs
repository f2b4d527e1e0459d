//! Documents, which derived state consists of.

use std::sync::Arc;

use super::term::Term;
use crate::domain::Aggregate;
use crate::hash::Hash32;
use crate::ids::{CommandId, PersonId, Position, Revision, StreamId};
use crate::overview::{Cell, CellKey, Day, Standing};
use crate::time::Timestamp;

/// The first byte of a document's key in derived state: what sort of document it is.
pub(super) mod tag {
    pub(in crate::derived) const CURSOR: u8 = 0;
    pub(in crate::derived) const STREAM: u8 = 1;
    pub(in crate::derived) const POSTINGS: u8 = 2;
    pub(in crate::derived) const COMMANDS: u8 = 3;
    pub(in crate::derived) const SNAPSHOT: u8 = 4;
    pub(in crate::derived) const STANDING: u8 = 6;
    pub(in crate::derived) const CELL: u8 = 7;
    pub(in crate::derived) const PAST_CELL: u8 = 8;
}

/// A document's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DocKey {
    /// The present state of a stream.
    Stream(StreamId),
    /// The streams that a term finds.
    Postings(Term),
    /// 128 of the recent commands.
    Commands(u64),
    /// The state of a stream at one of the revisions that `DocKey::is_snapshot_at` names.
    Snapshot(StreamId, Revision),
    /// What the overview knows about one student.
    Standing(PersonId),
    /// Counts of the overview that are kept together, as they are now.
    Cell(CellKey),
    /// The same counts as they were at the end of an earlier day. There is such a document for each
    /// day on which they changed, except the last.
    PastCell(CellKey, Day),
}

impl DocKey {
    /// The fewest revisions between two snapshots of a stream.
    pub const SNAPSHOT_EVERY: u64 = 64;
    /// The most revisions between two snapshots, except those of a large catalogue. A read of the past
    /// folds fewer events than this.
    pub const SNAPSHOT_AT_MOST_EVERY: u64 = 256;

    /// Whether a stream that has come to this revision, with this state, gets a snapshot.
    ///
    /// The longer a stream is, the further apart its snapshots lie: at revisions 64, 128, 192, 256, 384,
    /// 512 and then at every 256th. States grow with their streams, so at every 64th revision the
    /// snapshots of a long stream would be many times as large as the stream.
    ///
    /// A catalogue has an event for each item, and a state that is as large as all of them together. Its
    /// snapshots lie at least as far apart as the catalogue has items: all of them together are no more
    /// than a few times as large as the catalogue, and a read of the past folds at most about two events
    /// for each item.
    pub(crate) fn is_snapshot_at(revision: Revision, state: &Aggregate) -> bool {
        let wide = |count: u64| {
            Self::SNAPSHOT_EVERY * (count / Self::SNAPSHOT_EVERY).max(1).next_power_of_two()
        };
        let revision = revision.get();
        let by_length = Self::snapshots_apart(revision);
        let by_size = match state {
            Aggregate::Catalogue(catalogue) => {
                wide((catalogue.items.len() + catalogue.retired.len()) as u64)
            }
            Aggregate::Institution(_)
            | Aggregate::SchoolYear(_)
            | Aggregate::Person(_)
            | Aggregate::Team(_)
            | Aggregate::YearPlan(_)
            | Aggregate::Plan(_)
            | Aggregate::Ledger(_)
            | Aggregate::Recovery(_)
            | Aggregate::RosterSource(_)
            | Aggregate::System(_)
            | Aggregate::Grants(_)
            | Aggregate::Erasure(_) => Self::SNAPSHOT_EVERY,
        };
        revision > 0 && revision.is_multiple_of(by_length.max(by_size))
    }

    /// The revisions up to `last` at which a stream may have snapshots, in order.
    pub(super) fn snapshots_up_to(last: Revision) -> impl Iterator<Item = Revision> {
        let next = |revision: &u64| Some(revision + Self::snapshots_apart(*revision));
        let all = std::iter::successors(Some(Self::SNAPSHOT_EVERY), next);
        all.take_while(move |revision| *revision <= last.get())
            .map(Revision::new)
    }

    /// How far the snapshots of a stream lie apart, beyond this revision.
    fn snapshots_apart(revision: u64) -> u64 {
        match revision {
            0..256 => Self::SNAPSHOT_EVERY,
            256..512 => 2 * Self::SNAPSHOT_EVERY,
            512.. => Self::SNAPSHOT_AT_MOST_EVERY,
        }
    }

    /// What the document is, in words for people.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Stream(_) => "the state of a stream",
            Self::Postings(_) => "a list of streams",
            Self::Commands(_) => "a list of recent commands",
            Self::Snapshot(..) => "an earlier state of a stream",
            Self::Standing(_) => "the overview's record of a student",
            Self::Cell(_) => "a count of the overview",
            Self::PastCell(..) => "an earlier count of the overview",
        }
    }

    /// Whether it is kept at hand once it is published. Earlier states, old commands, counts of past
    /// days and the lists of one person or thing are read seldom, and would only push other documents
    /// out.
    pub(super) fn is_kept_at_hand(&self) -> bool {
        match self {
            Self::Stream(_) | Self::Standing(_) | Self::Cell(_) => true,
            Self::Postings(term) => term.is_of_many(),
            Self::Commands(_) | Self::Snapshot(..) | Self::PastCell(..) => false,
        }
    }

    /// Whether it is cached once it has been read. Commands are read once, in long runs, and would only
    /// push other documents out. So would the note that a stream or list does not exist: the register
    /// knows that as fast, and every new person or thing makes some.
    pub(super) fn is_worth_caching(&self, doc: &Doc) -> bool {
        match (self, doc) {
            (Self::Commands(_), _) => false,
            (Self::Stream(_), Doc::Absent) => false,
            (Self::Postings(_), Doc::Absent) => self.is_kept_at_hand(),
            _ => true,
        }
    }

    /// What a document is, told for people from its key.
    pub(crate) fn describe(key: &[u8]) -> String {
        let stream = |bytes: &[u8]| {
            let stream = bytes.first_chunk().and_then(StreamId::from_bytes);
            stream.map_or("an unknown stream".to_owned(), |stream| stream.to_string())
        };
        match key.split_first() {
            Some((&tag::CURSOR, _)) => "the cursor, which says how far it has come".to_owned(),
            Some((&tag::STREAM, rest)) => format!("the state of {}", stream(rest)),
            Some((&tag::POSTINGS, _)) => "a list of streams".to_owned(),
            Some((&tag::COMMANDS, _)) => "a list of recent commands".to_owned(),
            Some((&tag::SNAPSHOT, rest)) => format!("an earlier state of {}", stream(rest)),
            Some((&tag::STANDING, _)) => "the overview's record of a student".to_owned(),
            Some((&tag::CELL, _)) => "a count of the overview".to_owned(),
            Some((&tag::PAST_CELL, _)) => "an earlier count of the overview".to_owned(),
            Some(_) | None => "a document of no known kind".to_owned(),
        }
    }

    /// The key: a tag, then fields of fixed length, so that snapshots of a stream are in
    /// order.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Stream(stream) => [&[tag::STREAM], stream.to_bytes().as_slice()].concat(),
            Self::Postings(term) => [vec![tag::POSTINGS], term.to_bytes()].concat(),
            Self::Commands(chunk) => [&[tag::COMMANDS], chunk.to_be_bytes().as_slice()].concat(),
            Self::Snapshot(stream, revision) => [
                &[tag::SNAPSHOT],
                stream.to_bytes().as_slice(),
                &revision.get().to_be_bytes(),
            ]
            .concat(),
            Self::Standing(student) => [&[tag::STANDING], student.as_bytes().as_slice()].concat(),
            Self::Cell(cell) => [vec![tag::CELL], cell.to_bytes()].concat(),
            Self::PastCell(cell, day) => [
                vec![tag::PAST_CELL],
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
    /// Position of the stream's last event.
    pub position: Position,
    /// Revision of the stream's last event.
    pub revision: Revision,
    /// Link of the stream's last entry.
    pub link: Hash32,
}

/// A stream's state and where it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamDoc {
    /// Where the stream ends.
    pub head: Head,
    /// The state of the stream there.
    pub state: Arc<Aggregate>,
}

/// A command that was carried out, with what its receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandEntry {
    /// The id of the command.
    pub id: CommandId,
    /// A keyed digest of the command's content.
    pub digest: [u8; 16],
    /// The stream that the receipt names.
    pub stream: StreamId,
    /// Revision of that stream after the command.
    pub revision: Revision,
    /// The ledger's position after the command.
    pub position: Position,
    /// The instant at which the command was recorded.
    pub recorded_at: Timestamp,
    /// How many events the command recorded.
    pub events: u32,
}

impl CommandEntry {
    /// How many commands one document holds.
    pub const PER_DOC: u64 = 128;
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doc {
    /// The document of a [`DocKey::Stream`] or [`DocKey::Snapshot`].
    Stream(Arc<StreamDoc>),
    /// The document of a [`DocKey::Postings`]: streams in order of their ids.
    Postings(Arc<Vec<StreamId>>),
    /// The document of a [`DocKey::Commands`]: commands in the order in which they were carried
    /// out.
    Commands(Arc<Vec<CommandEntry>>),
    /// The document of a [`DocKey::Standing`].
    Standing(Arc<Standing>),
    /// The document of a [`DocKey::Cell`] or [`DocKey::PastCell`].
    Cell(Arc<Cell>),
    /// There is no document under the key.
    Absent,
}

impl Doc {
    /// About how many bytes the document takes in memory.
    pub(super) fn weight(&self) -> u64 {
        let own = match self {
            Self::Stream(doc) => weight_of(&doc.state),
            Self::Postings(streams) => streams.len() as u64 * 20,
            Self::Commands(entries) => entries.len() as u64 * 104,
            Self::Standing(standing) => {
                256 + standing.teams.len() as u64 * 48 + standing.plans.len() as u64 * 320
            }
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
        Aggregate::Institution(_)
        | Aggregate::SchoolYear(_)
        | Aggregate::Ledger(_)
        | Aggregate::RosterSource(_)
        | Aggregate::System(_) => 1,
        Aggregate::Erasure(_) => 2,
        Aggregate::Grants(grants) => 1 + grants.grants.len(),
        Aggregate::Person(person) => {
            1 + person.affiliations.len() + person.guardians.len() + 2 * person.records.len()
        }
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
