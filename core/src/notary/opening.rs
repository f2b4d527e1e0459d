//! Opens tiles and heads. Both are derived: what does not lead to the newest checkpoint is made again
//! from the journal.

use std::path::Path;

use super::error::{NotaryError, is_wrong};
use crate::derived::Store;
use crate::domain::ledger::RecordedHeads;
use crate::heads::{HeadMap, HeadMapError};
use crate::journal::CommitLog;
use crate::ledger::{InUse, Ledger};
use crate::tlog::{Beside, Checkpoint, Tiles, TilesError};

/// The heads of all streams.
pub(super) struct Heads {
    pub(super) map: HeadMap,
    /// The derived state that the heads belong to. It must stay open longer than the heads.
    pub(super) part_of: InUse,
}

/// Opens the tiles. If they do not give the root of the newest checkpoint, they are made again.
pub(crate) fn open_tiles(
    log: &dyn CommitLog,
    (dir, beside): (&Path, Beside),
    latest: Option<&Checkpoint>,
) -> Result<Tiles, NotaryError> {
    let position = log.tail().position;
    let Some(latest) = latest else {
        return Ok(Tiles::clear(dir, beside)?);
    };
    if latest.position() > position {
        let size = latest.size;
        return Err(NotaryError::RolledBack { position, size });
    }
    let lead = |mut tiles: Tiles| {
        // Nothing proves the entries beyond the newest checkpoint. If the journal was put back to
        // an earlier state, it may have gone on with other events, and the next checkpoint signs
        // those.
        if tiles.size() > latest.size {
            return Ok(None);
        }
        tiles.advance(log, latest.position())?;
        let to = (latest.size, &latest.root);
        let (root, _) = tiles.consistency_from(latest.size, to)?;
        Ok::<_, TilesError>((root == latest.root).then_some(tiles))
    };
    match Tiles::open(dir, beside).and_then(lead) {
        Ok(Some(tiles)) => return Ok(tiles),
        Ok(None) => tracing::warn!("the tiles do not lead to the newest checkpoint"),
        Err(error) => tracing::warn!(%error, "the tiles cannot be used"),
    }
    tracing::warn!("the tiles are rebuilt from the journal");
    match lead(Tiles::clear(dir, beside)?) {
        Ok(Some(tiles)) => Ok(tiles),
        Ok(None) | Err(TilesError::Wrong(_)) => Err(NotaryError::Forked { size: latest.size }),
        Err(error) => Err(error.into()),
    }
}

/// Opens the heads. If they do not give the root that was recorded last, they are made again. If
/// sled is the cause, all derived state is made again.
pub(super) fn open_heads(
    ledger: &Ledger,
    recorded: Option<&RecordedHeads>,
) -> Result<Heads, NotaryError> {
    match heads_from(ledger, recorded) {
        Err(NotaryError::Heads(error)) if is_wrong(&error) => {
            ledger.derive_again(&error.to_string())?;
            heads_from(ledger, recorded)
        }
        heads => heads,
    }
}

fn heads_from(ledger: &Ledger, recorded: Option<&RecordedHeads>) -> Result<Heads, NotaryError> {
    let part_of = ledger.derived();
    let map = heads_in(&part_of, ledger, recorded)?;
    Ok(Heads { map, part_of })
}

fn heads_in(
    store: &Store,
    ledger: &Ledger,
    recorded: Option<&RecordedHeads>,
) -> Result<HeadMap, NotaryError> {
    let mut heads = store.heads()?;
    let Some(RecordedHeads { through, root }) = recorded.copied() else {
        // No record says whether these heads are right.
        heads.clear()?;
        return Ok(heads);
    };
    if heads.through() <= through {
        match heads.advance(ledger.log(), through) {
            Ok(()) if heads.root() == root => return Ok(heads),
            Ok(()) | Err(HeadMapError::Malformed(_) | HeadMapError::Changed(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    tracing::warn!("the file with the heads of streams is rebuilt from the journal");
    heads.clear()?;
    heads.advance(ledger.log(), through)?;
    match heads.root() == root {
        true => Ok(heads),
        false => Err(NotaryError::Forked {
            size: through.get(),
        }),
    }
}
