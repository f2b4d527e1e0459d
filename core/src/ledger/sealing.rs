//! Seals what was decided, in order, before it is written: rules need no hash, so they do not wait for one.

use super::sealer::Unsealed;
use crate::derived::{Cursor, Doc, DocKey};
use crate::hash::Hash32;
use crate::ids::Position;
use crate::journal::{CommandRecord, Commit};
use crate::merkle::Frontier;
use crate::seal::SealError;
use crate::time::Timestamp;

/// A commit that was decided and is not sealed yet.
pub(super) struct Decided {
    pub(super) recorded_at: Timestamp,
    pub(super) commands: Vec<CommandRecord>,
    pub(super) events: Vec<Unsealed>,
}

/// The links of the entries from one position on, without a gap.
pub(super) struct Links {
    first: Position,
    links: Vec<Hash32>,
}

impl Links {
    /// No links, before the entry at this position.
    pub(super) fn from(first: Position) -> Self {
        Self {
            first,
            links: Vec::new(),
        }
    }

    fn of(&self, position: Position) -> Option<Hash32> {
        let at = position.get().checked_sub(self.first.get())?;
        self.links.get(usize::try_from(at).ok()?).copied()
    }
}

/// A group that is sealed.
pub(super) struct Sealed {
    pub(super) commits: Vec<Commit>,
    /// The links of its entries.
    pub(super) links: Links,
}

impl Sealed {
    /// Seals a group whose first entry gets the position `first`. `before` has the links of the group
    /// before it: what was decided while that one was not sealed yet does not know them.
    ///
    /// # Errors
    /// The position of an event that cannot be sealed, and why.
    pub(super) fn new(
        decided: Vec<Decided>,
        first: Position,
        before: &Links,
    ) -> Result<Self, (Position, SealError)> {
        let mut links = Links::from(first);
        let mut commits = Vec::with_capacity(decided.len());
        for Decided {
            recorded_at,
            commands,
            events,
        } in decided
        {
            let mut entries = Vec::with_capacity(events.len());
            for event in events {
                let back = event.back();
                let previous = links.of(back).or_else(|| before.of(back));
                let at = Position::new(first.get() + links.links.len() as u64);
                let entry = event.seal(previous).map_err(|error| (at, error))?;
                links.links.push(entry.link);
                entries.push(entry);
            }
            commits.push(Commit {
                recorded_at,
                commands,
                entries,
            });
        }
        Ok(Self { commits, links })
    }

    /// Puts what only sealing tells into the documents and the cursor of the group: links, and the leaves
    /// that follow those of `frontier`.
    pub(super) fn complete(
        &self,
        docs: &mut [(DocKey, Doc)],
        cursor: &mut Cursor,
        frontier: Frontier,
    ) {
        for (_, doc) in docs {
            if let Doc::Stream(doc) = doc
                && let Some(link) = self.links.of(doc.head.position)
            {
                std::sync::Arc::make_mut(doc).head.link = link;
            }
        }
        cursor.frontier = frontier;
        for entry in self.commits.iter().flat_map(|commit| &commit.entries) {
            cursor.frontier.push(entry.leaf);
        }
    }
}
