//! The transparency log: it lets people check the journal without trusting the server (P5). All
//! formats are those of C2SP: signed notes, checkpoints, cosignatures, tiles and policies. So
//! software from anywhere can check them.

mod checkpoint;
mod disclosed;
mod kept;
mod monitors;
mod policy;
mod published;
mod tiles;
mod witness;

pub use self::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
pub use self::disclosed::{
    DisclosedHeads, HEADS_FOLDER, HEADS_PER_FILE, MOST_HEADS_BYTES, ROTATIONS_FILE, heads_file,
    read_rotations, rotations_text,
};
pub use self::kept::{Kept, KeptError, KeptNotes};
pub use self::policy::{Policy, PolicyError, PolicyFault, Witness, Witnessed};
pub(crate) use self::published::{PUBLISHED, mend, publish};
pub use self::tiles::{Beside, Tiles, TilesError};
pub(crate) use self::tiles::{ENTRIES, RECORD_LEN, SIZE_FILE, TILES, bundle_entry};
pub use self::witness::{AddCheckpoint, Genuine, Latest, WitnessError, add_checkpoint};
pub use crate::note::{
    Algorithm, KeyError, Note, NoteError, NoteSignature, Signer, Verified, VerifierKey,
};
