//! The transparency log: it lets people check the journal without trusting the server (P5). All
//! formats are those of C2SP: signed notes, checkpoints, cosignatures, tiles and policies. So
//! software from anywhere can check them.

mod checkpoint;
mod kept;
mod policy;
mod tiles;
mod witness;

pub use self::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
pub use self::kept::{Kept, KeptError, KeptNotes};
pub use self::policy::{Policy, PolicyError, PolicyFault, Witness, Witnessed};
/// The name of the file with the published checkpoint. It lies beside the tiles.
pub(crate) const PUBLISHED: &str = "checkpoint";

pub use self::tiles::{Beside, Tiles, TilesError};
pub(crate) use self::tiles::{ENTRIES, RECORD_LEN, SIZE_FILE, TILES, bundle_entry, replace};
pub use self::witness::{AddCheckpoint, Genuine, Latest, WitnessError, add_checkpoint};
pub use crate::note::{
    Algorithm, KeyError, Note, NoteError, NoteSignature, Signer, Verified, VerifierKey,
};
