//! What a monitor has computed of a log, entry by entry.

use planledger_core::entry::EntryBytes;
use planledger_core::merkle::FromTiles;
use planledger_core::monitor::{Follower, Refusal, beginning};
use planledger_core::tlog::{Checkpoint, DisclosedHeads};

use super::source::{Source, SourceError};
use crate::witness::memory::MemoryError;

/// What stopped the computing at an entry.
pub(super) enum Stop {
    Source(SourceError),
    Memory(MemoryError),
    /// An entry does not fit those before it.
    Refused(Box<Refused>),
    /// The entries so far are not those of the checkpoint.
    Others,
    Stopped,
}

pub(super) struct Refused {
    pub(super) refusal: Refusal,
    pub(super) entry: EntryBytes,
    pub(super) opens: Option<DisclosedHeads>,
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

/// What was computed of the log, and what opens the records of heads that come next.
#[derive(Default)]
pub(super) struct Computed {
    pub(super) follower: Follower,
    /// The number of a file, and what stands in it.
    heads: Option<(u64, Vec<DisclosedHeads>)>,
}

impl Computed {
    pub(super) fn of(follower: Follower) -> Self {
        Self {
            follower,
            heads: None,
        }
    }

    /// Takes the next entry.
    pub(super) fn take(&mut self, source: &Source, entry: &EntryBytes) -> Result<(), Stop> {
        let opens = match self.follower.is_record(entry) {
            true => self.opens(source)?,
            false => None,
        };
        let taken = self.follower.take(entry, opens.as_ref());
        taken.map_err(|refusal| {
            Stop::Refused(Box::new(Refused {
                refusal,
                entry: *entry,
                opens,
            }))
        })
    }

    /// What opens the next record of heads; `None` if it is not published.
    fn opens(&mut self, source: &Source) -> Result<Option<DisclosedHeads>, SourceError> {
        let (file, line) = self.follower.next_record();
        if let Some((read, lines)) = &self.heads
            && *read == file
            && let Some(opens) = lines.get(line)
        {
            return Ok(Some(opens.clone()));
        }
        // A file that is not full yet has more lines than when it was read last.
        let lines = source.heads(file)?;
        let opens = lines.get(line).cloned();
        self.heads = Some((file, lines));
        Ok(opens)
    }

    /// Whether the entries so far are the beginning of a checkpoint's log.
    pub(super) fn is_beginning_of(
        &self,
        source: &Source,
        whole: &Checkpoint,
    ) -> Result<bool, SourceError> {
        let tiles = FromTiles(source.tiles(whole.size));
        let signed = beginning(&tiles, self.follower.size(), whole)?;
        Ok(signed.is_some_and(|signed| signed.root == self.follower.fold().root()))
    }
}
