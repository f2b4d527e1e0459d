//! The transparency log: what makes the journal checkable by people who do not trust the server
//! (P5). Formats are those of C2SP, so that software nobody here wrote can check them: signed
//! notes, checkpoints, cosignatures, tiles and policies.

mod checkpoint;
mod kept;
mod policy;
mod tiles;
mod witness;

pub use self::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
pub use self::kept::{Kept, KeptError, KeptNotes};
pub use self::policy::{Policy, PolicyError, PolicyFault, Witness, Witnessed};
/// The published checkpoint, beside the tiles.
pub(crate) const PUBLISHED: &str = "checkpoint";

pub(crate) use self::tiles::{ENTRIES, RECORD_LEN, SIZE_FILE, TILES, bundle_entry, replace};
pub use self::tiles::{Tiles, TilesError};
pub use self::witness::{AddCheckpoint, Latest, WitnessError, add_checkpoint};
pub use crate::note::{
    Algorithm, KeyError, Note, NoteError, NoteSignature, Signer, Verified, VerifierKey,
};
