//! Proofs that a monitor makes from the tiles of a log. Entries and tiles come over a network, where
//! anybody may have changed them; what leads to the root of a signed checkpoint is the log's own word.

use crate::audit::{Fault, FaultKind};
use crate::entry::{EntryBytes, Hash32, leaf};
use crate::ids::Position;
use crate::merkle::{
    Frontier, Subtrees, check_consistency, check_inclusion, consistency, inclusion, root,
};
use crate::tlog::Checkpoint;

/// The beginning of a log, as a signed checkpoint has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// The root over the first entries.
    pub root: Hash32,
    /// The consistency proof from them to the checkpoint.
    pub proof: Vec<Hash32>,
}

/// The first `size` entries of a checkpoint's log, from its tiles. `None` if the tiles do not lead to the
/// checkpoint's root, so that they say nothing.
///
/// # Errors
/// The tiles could not be read.
pub fn beginning<S: Subtrees + ?Sized>(
    tiles: &S,
    size: u64,
    checkpoint: &Checkpoint,
) -> Result<Option<Beginning>, S::Error> {
    if size > checkpoint.size {
        return Ok(None);
    }
    if size == 0 {
        // Every log begins with the empty one.
        return Ok(Some(Beginning {
            root: Frontier::default().root(),
            proof: Vec::new(),
        }));
    }
    let found = Beginning {
        root: root(tiles, size)?,
        proof: consistency(tiles, size, checkpoint.size)?,
    };
    let Beginning { root, proof } = &found;
    let checked = check_consistency(size, checkpoint.size, proof, root, &checkpoint.root);
    Ok(checked.is_ok().then_some(found))
}

/// The proof that an entry is in a checkpoint, from the log's tiles. `None` if it is not, or the tiles do
/// not lead to the checkpoint's root.
///
/// # Errors
/// The tiles could not be read.
pub fn path<S: Subtrees + ?Sized>(
    tiles: &S,
    position: Position,
    entry: &EntryBytes,
    checkpoint: &Checkpoint,
) -> Result<Option<Vec<Hash32>>, S::Error> {
    let index = position.get().saturating_sub(1);
    if position > checkpoint.position() || position == Position::ZERO {
        return Ok(None);
    }
    let (size, root) = (checkpoint.size, &checkpoint.root);
    let path = inclusion(tiles, index, size)?;
    let checked = check_inclusion(index, size, &leaf(entry), &path, root);
    Ok(checked.is_ok().then_some(path))
}

/// The fault of a log whose checkpoint did not grow from an earlier one.
pub fn not_grown(earlier: &Checkpoint, later: &Checkpoint) -> Fault {
    let what = format!(
        "the checkpoint of {} entries did not grow from the checkpoint of {} entries that the log signed \
        before: it has two histories",
        later.size, earlier.size
    );
    Fault::new(earlier.position(), FaultKind::Growth, what)
}

/// The fault of a log that signed two checkpoints of one size.
pub fn two_roots(checkpoint: &Checkpoint) -> Fault {
    let what = format!(
        "the log signed two checkpoints of {} entries with different roots: it has two histories",
        checkpoint.size
    );
    Fault::new(checkpoint.position(), FaultKind::Checkpoint, what)
}
