//! Commands that had a receipt and are lost, because an older state of the ledger was put back. Whoever
//! sends one of them again is told so: it is not carried out a second time without a word (P2).
//!
//! Their ids stand in a file beside the journal, and an event on record names the file's hash. So the file
//! can neither be missing nor be changed unnoticed.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::OnceLock;

use foldhash::fast::RandomState;

use super::window::Window;
use super::{Ledger, OpenError};
use crate::domain::Aggregate;
use crate::domain::ledger::{RestoreOnRecord, restores_stream};
use crate::hash::{Context, Hash32};
use crate::ids::{CommandId, LedgerId};

/// The file, in the ledger's directory.
pub(crate) const FILE: &str = "restored/commands";
/// How many of the last lost commands are remembered: as many as are remembered of those that are there.
pub(crate) const MOST: u64 = Window::LENGTH;

const MAGIC: &[u8; 8] = b"PLLOSTv1";
static HASH: Context = Context::new("planledger v1 2026-11-30 lost commands");

/// The ids of lost commands, once they are read.
#[derive(Default)]
pub(crate) struct LostCommands(OnceLock<HashSet<CommandId, RandomState>>);

impl LostCommands {
    pub(super) fn has(&self, id: &CommandId) -> bool {
        self.0.get().is_some_and(|ids| ids.contains(id))
    }
}

/// The content of the file.
pub(crate) fn encode<'a>(
    ledger: LedgerId,
    ids: impl IntoIterator<Item = &'a CommandId>,
) -> Vec<u8> {
    let mut bytes = [MAGIC.as_slice(), ledger.as_bytes()].concat();
    for id in ids {
        bytes.extend_from_slice(id.as_bytes());
    }
    bytes
}

/// The ids in such a file; `None` if it is not one of this ledger.
pub(crate) fn decode(ledger: LedgerId, bytes: &[u8]) -> Option<Vec<CommandId>> {
    let rest = bytes.strip_prefix(MAGIC)?.strip_prefix(ledger.as_bytes())?;
    let (ids, rest) = rest.as_chunks::<16>();
    rest.is_empty()
        .then(|| ids.iter().map(|id| CommandId::from_bytes(*id)).collect())
}

/// What an event on record says of the file.
pub(crate) fn digest(bytes: &[u8]) -> Hash32 {
    HASH.hash(bytes)
}

impl Ledger {
    /// What is on record of older states that were put back, oldest first.
    ///
    /// # Errors
    /// [`ReadError`](super::ReadError)
    pub fn restores(&self) -> Result<Vec<RestoreOnRecord>, super::ReadError> {
        let stream = restores_stream(self.inner.log.ledger_id());
        let found = self.present(stream.into())?;
        Ok(match found.as_ref().map(|doc| &*doc.state) {
            Some(Aggregate::Ledger(state)) => state.restores.clone(),
            Some(_) | None => Vec::new(),
        })
    }

    /// Reads the ids of the commands that are on record as lost.
    pub(super) fn read_lost(&self, dir: &Path) -> Result<(), OpenError> {
        let restores = self.restores()?;
        let Some(recorded) = restores.last().filter(|last| last.commands > 0) else {
            return Ok(());
        };
        let path = dir.join(FILE);
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            other => other.map_err(|source| OpenError::Io { path, source })?,
        };
        let ids = decode(self.inner.log.ledger_id(), &bytes);
        let ids = ids.filter(|_| digest(&bytes) == recorded.ids);
        let ids = ids.ok_or(OpenError::LostCommands)?;
        // Nobody else sets it.
        let _ = self.inner.lost.0.set(ids.into_iter().collect());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_only_as_those_of_their_ledger() {
        let ledger = LedgerId::from_bytes([1; 16]);
        let ids = [2, 3, 4].map(|byte| CommandId::from_bytes([byte; 16]));
        let bytes = encode(ledger, &ids);
        assert_eq!(decode(ledger, &bytes).unwrap(), ids);
        assert_eq!(decode(LedgerId::from_bytes([9; 16]), &bytes), None);
        assert_eq!(decode(ledger, &bytes[..bytes.len() - 1]), None);
        assert_eq!(decode(ledger, &[]), None);
    }
}
