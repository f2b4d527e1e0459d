//! The notary makes the checkpoints of a running ledger, and the proofs that belong to them.

mod disclosing;
mod error;
mod opening;
mod own;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use self::disclosing::Disclosing;
pub use self::error::NotaryError;
use self::error::is_wrong;
pub(crate) use self::error::not_published;
pub(crate) use self::opening::open_tiles;
use self::opening::{Heads, open_heads};
pub(crate) use self::own::{Own, lost_reads, noted_reads};
pub use self::own::{key_on_record, rotations};
use crate::domain::ledger::{
    LedgerCommand, NotedReads, forks_stream, heads_stream, origin_stream, reads_stream,
    restores_stream,
};
use crate::domain::{Actor, Command};
use crate::hash::Hash32;
use crate::heads::{BucketProof, HeadMap, HeadMapError, MOST_BEHIND, bucket_of};
use crate::ids::{KeyId, Position, StreamId, SystemId};
use crate::ledger::{Ledger, OwnCommand, OwnId};
use crate::note::{NoteSignature, Rotation, Signer, VerifierKey};
use crate::tlog::{Beside, Checkpoint, Kept, SignedCheckpoint, Tiles, TilesError, mend, publish};

/// How many events others may have recorded while heads were computed.
const FEW: u64 = MOST_BEHIND / 4;
/// How often heads are computed for one record. Each time there are fewer events to take in.
const MOST_ROUNDS: u32 = 8;
const COMMAND_CONTEXT: &str = "planledger v1 2026-11-25 notary command id";

/// Makes checkpoints and proofs for one ledger.
pub struct Notary {
    ledger: Ledger,
    signer: Signer,
    dir: PathBuf,
    state: Mutex<State>,
    /// How many events the newest checkpoint has; 0 if there is none.
    newest: AtomicU64,
}

struct State {
    tiles: Tiles,
    kept: Kept,
    heads: Heads,
    disclosing: Disclosing,
    /// Whether the newest checkpoint was kept and could not be published.
    unpublished: bool,
}

/// The proof that an event is in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The checkpoint.
    pub signed: SignedCheckpoint,
    /// The hashes from the event's sibling up to the child of the root.
    pub path: Vec<Hash32>,
}

impl Notary {
    /// Opens the checkpoints and tiles in a ledger's directory. Makes sure that they were made from
    /// this journal.
    ///
    /// # Errors
    /// [`NotaryError`]
    pub fn open(ledger: Ledger, dir: &Path, signer: Signer) -> Result<Self, NotaryError> {
        let kept = Kept::open(&dir.join("checkpoints"))?;
        let tlog = dir.join("tlog");
        let own = Own::read(&ledger)?;
        if let Some(recorded) = own.key
            && recorded != signer.verifier()
        {
            return Err(NotaryError::Key {
                given: Box::new(signer.verifier()),
                recorded: Box::new(recorded),
            });
        }
        let newest = kept.latest()?;
        let latest = newest.as_ref().map(|signed| &signed.checkpoint);
        let tiles = open_tiles(ledger.log(), (&tlog, Beside::Entries), latest)?;
        let heads = open_heads(&ledger, own.heads.as_ref())?;
        let disclosing = Disclosing::open(&ledger, &tlog)?;
        if let Some(newest) = &newest {
            mend(&tlog, newest).map_err(not_published(&tlog))?;
        }
        let newest = AtomicU64::new(latest.map_or(0, |checkpoint| checkpoint.size));
        let state = State {
            tiles,
            kept,
            heads,
            disclosing,
            unpublished: false,
        };
        Ok(Self {
            ledger,
            signer,
            dir: tlog,
            state: Mutex::new(state),
            newest,
        })
    }

    /// The public key of the key that signs.
    pub fn verifier(&self) -> VerifierKey {
        self.signer.verifier()
    }

    /// The changes of this key, in order, each signed by the key before.
    ///
    /// # Errors
    /// The ledger could not be read.
    pub fn rotations(&self) -> Result<Vec<Rotation>, NotaryError> {
        Ok(rotations(&self.ledger)?)
    }

    /// The newest checkpoint. `None` if there is none.
    ///
    /// # Errors
    /// The kept checkpoints could not be read.
    pub fn latest(&self) -> Result<Option<SignedCheckpoint>, NotaryError> {
        Ok(self.state.lock().kept.latest()?)
    }

    /// How many events the newest checkpoint has; 0 if there is none. Never waits while one is made.
    pub fn newest_size(&self) -> u64 {
        self.newest.load(Ordering::Acquire)
    }

    /// Whether anything was recorded since the newest checkpoint.
    ///
    /// # Errors
    /// The kept checkpoints could not be read.
    pub fn is_behind(&self) -> Result<bool, NotaryError> {
        let latest = self.latest()?;
        Ok(latest.is_none_or(|latest| latest.checkpoint.position() < self.ledger.position()))
    }

    /// The smallest kept checkpoint that has at least `size` events. `None` if there is none.
    ///
    /// # Errors
    /// The kept checkpoints could not be read.
    pub fn at_least(&self, size: u64) -> Result<Option<SignedCheckpoint>, NotaryError> {
        Ok(self.state.lock().kept.at_least(size)?)
    }

    /// The sizes of kept checkpoints with more than `after` events, at most `limit` of them.
    pub fn sizes_after(&self, after: u64, limit: usize) -> Vec<u64> {
        self.state
            .lock()
            .kept
            .sizes_after(after)
            .take(limit)
            .collect()
    }

    /// Makes a checkpoint of everything that is durable now. If nothing has happened since the
    /// newest checkpoint, that one is returned.
    ///
    /// # Errors
    /// [`NotaryError`]
    pub fn checkpoint(&self) -> Result<SignedCheckpoint, NotaryError> {
        self.checkpoint_in(&mut self.state.lock())
    }

    /// Makes a checkpoint as [`Notary::checkpoint`] does. Also returns every head of the bucket
    /// that the stream is in, with the proof; the root of this proof is in the checkpoint's last
    /// event. One call does both, because the heads are kept only as they were at the newest
    /// checkpoint.
    ///
    /// # Errors
    /// [`NotaryError`]
    pub fn checkpoint_with_heads(
        &self,
        stream: StreamId,
        key: KeyId,
    ) -> Result<(SignedCheckpoint, BucketProof), NotaryError> {
        let mut state = self.state.lock();
        let signed = self.checkpoint_in(&mut state)?;
        let bucket = bucket_of(stream, key);
        let proof = self.with_heads(&mut state, |heads| heads.proof(bucket))?;
        Ok((signed, proof))
    }

    fn checkpoint_in(&self, state: &mut State) -> Result<SignedCheckpoint, NotaryError> {
        let through = self.ledger.position();
        if let Some(latest) = state.kept.latest()?
            && latest.checkpoint.position() == through
        {
            if state.unpublished {
                self.publish(&latest)?;
                state.unpublished = false;
            }
            return Ok(latest);
        }
        self.introduce_key()?;
        let (through, root) = self.heads_of_now(state)?;
        let State {
            tiles,
            kept,
            disclosing,
            ..
        } = state;
        let size = self.execute(
            "heads",
            through,
            LedgerCommand::RecordHeads { through, root },
        )?;
        tiles.advance(self.ledger.log(), size)?;
        // Whoever follows the log needs it as soon as the checkpoint is published.
        disclosing.add(&self.ledger, size)?;
        let checkpoint = Checkpoint {
            origin: self.signer.verifier().name().to_owned(),
            size: size.get(),
            root: tiles.root()?,
        };
        let signed = SignedCheckpoint::sign(checkpoint, &self.signer, self.ledger.now());
        kept.keep(&signed)?;
        self.newest.store(signed.checkpoint.size, Ordering::Release);
        state.unpublished = true;
        self.publish(&signed)?;
        state.unpublished = false;
        Ok(signed)
    }

    /// The root of the heads of all streams, and the position that it is as of. Others may record events
    /// meanwhile. Whoever follows the log remembers only so many of them, so after many it is done again.
    fn heads_of_now(&self, state: &mut State) -> Result<(Position, Hash32), NotaryError> {
        let mut rounds = 0;
        loop {
            let through = self.ledger.position();
            let root = self.with_heads(state, |heads| {
                heads.advance(self.ledger.log(), through)?;
                Ok(heads.root())
            })?;
            rounds += 1;
            let behind = self.ledger.position().get().saturating_sub(through.get());
            if behind <= FEW || rounds == MOST_ROUNDS {
                return Ok((through, root));
            }
        }
    }

    /// Works with the heads of all streams. If the heads turn out to be wrong, they are made again
    /// from the journal, and the work is done with the new ones.
    fn with_heads<T>(
        &self,
        state: &mut State,
        work: impl Fn(&mut HeadMap) -> Result<T, HeadMapError>,
    ) -> Result<T, NotaryError> {
        let reopened = |state: &mut State| {
            let recorded = Own::read(&self.ledger)?.heads;
            state.heads = open_heads(&self.ledger, recorded.as_ref())?;
            Ok::<_, NotaryError>(())
        };
        // Derived state was made again in the meantime. These heads belong to the old one.
        if state.heads.part_of.generation() != self.ledger.generation() {
            reopened(state)?;
        }
        match work(&mut state.heads.map) {
            Err(error) if is_wrong(&error) => {
                tracing::warn!(
                    %error,
                    "the file with the heads of streams is rebuilt from the journal"
                );
                reopened(state)?;
                Ok(work(&mut state.heads.map)?)
            }
            done => Ok(done?),
        }
    }

    /// Adds witnesses' cosignatures to a kept checkpoint. The caller must have verified them.
    ///
    /// # Errors
    /// [`NotaryError`]
    pub fn add_cosignatures(
        &self,
        size: u64,
        signatures: impl IntoIterator<Item = NoteSignature>,
    ) -> Result<SignedCheckpoint, NotaryError> {
        let mut state = self.state.lock();
        let kept = state.kept.at_least(size)?;
        let found = kept.filter(|kept| kept.checkpoint.size == size);
        let mut signed = found.ok_or(NotaryError::NoCheckpoint { size })?;
        signatures
            .into_iter()
            .for_each(|signature| signed.note.add(signature));
        state.kept.keep(&signed)?;
        if state.kept.latest()?.is_some_and(|latest| latest == signed) {
            self.publish(&signed)?;
        }
        Ok(signed)
    }

    fn publish(&self, signed: &SignedCheckpoint) -> Result<(), NotaryError> {
        publish(&self.dir, signed).map_err(not_published(&self.dir))
    }

    fn introduce_key(&self) -> Result<(), NotaryError> {
        if Own::read(&self.ledger)?.key.is_some() {
            return Ok(());
        }
        let key = self.signer.verifier();
        let command = LedgerCommand::IntroduceKey { key };
        self.execute("key", Position::ZERO, command).map(drop)
    }

    /// Records that another key signs from now on. The old key signs the change. It must not sign
    /// anything after that, so this notary ends here: open a new one.
    ///
    /// # Errors
    /// [`NotaryError::OtherKey`] if the new key has another name or algorithm.
    pub fn rotate(self, to: &Signer) -> Result<Position, NotaryError> {
        self.introduce_key()?;
        let key = to.verifier();
        let rotation = Rotation::sign(&self.signer, &key, self.ledger.now());
        let rotation = rotation.ok_or(NotaryError::OtherKey)?;
        // A key may come back that signed before, by the same statement.
        let about = self.ledger.position();
        self.execute("rotate", about, LedgerCommand::RotateKey(rotation))
    }

    /// Records in the ledger how far its access log has come, so that the loss of the whole access log
    /// is noticed.
    ///
    /// # Errors
    /// [`NotaryError`] when it cannot be recorded.
    pub fn note_access_log(&self, noted: NotedReads) -> Result<(), NotaryError> {
        let command = LedgerCommand::NoteAccessLog(noted);
        // After a loss the same numbers come again.
        let what = match lost_reads(&self.ledger)?.len() {
            0 => "access log".to_owned(),
            lost => format!("access log {lost}"),
        };
        self.execute(&what, noted.records, command).map(drop)
    }

    /// Executes one of the notary's own commands. Returns the position of its event.
    fn execute(
        &self,
        what: &str,
        about: Position,
        command: LedgerCommand,
    ) -> Result<Position, NotaryError> {
        let mut hasher = blake3::Hasher::new_derive_key(COMMAND_CONTEXT);
        hasher.update(what.as_bytes());
        hasher.update(&about.get().to_be_bytes());
        let id = OwnId::of(hasher.finalize().as_bytes());
        let ledger = self.ledger.status().ledger;
        let actor = Actor::System(SystemId::from_uuid(ledger.uuid()));
        let stream = match command {
            LedgerCommand::RecordHeads { .. } => heads_stream(ledger),
            LedgerCommand::IntroduceKey { .. } | LedgerCommand::RotateKey { .. } => ledger,
            LedgerCommand::NoteAccessLog(_) | LedgerCommand::SettleAccessLog(_) => {
                reads_stream(ledger)
            }
            LedgerCommand::SettleFork { .. } => forks_stream(ledger),
            LedgerCommand::RecordRestore(_) => restores_stream(ledger),
            LedgerCommand::RecordOrigin(_) => origin_stream(ledger),
        };
        let command = Command::Ledger(stream, command);
        let receipt = self
            .ledger
            .execute_own(actor, OwnCommand::new(id, command))?;
        Ok(receipt.position)
    }

    /// Proves that an event is in the smallest checkpoint that has at least `size` events.
    ///
    /// # Errors
    /// [`NotaryError::NoCheckpoint`] if no checkpoint has the event.
    pub fn inclusion(&self, position: Position, size: u64) -> Result<Inclusion, NotaryError> {
        let size = size.max(position.get());
        let signed = self.at_least(size)?;
        let signed = signed.ok_or(NotaryError::NoCheckpoint { size })?;
        let path = self.prove(|tiles| path(tiles, position, &signed.checkpoint))?;
        Ok(Inclusion { signed, path })
    }

    /// Proves that a checkpoint grew from the first `old` events of the log. Also returns their
    /// root.
    ///
    /// # Errors
    /// [`NotaryError::NoCheckpoint`] if no checkpoint has at least `size` events.
    pub fn consistency(
        &self,
        old: u64,
        size: u64,
    ) -> Result<(SignedCheckpoint, Hash32, Vec<Hash32>), NotaryError> {
        let size = size.max(old);
        let signed = self.at_least(size)?;
        let signed = signed.ok_or(NotaryError::NoCheckpoint { size })?;
        let to = (signed.checkpoint.size, &signed.checkpoint.root);
        let (root, proof) = self.prove(|tiles| tiles.consistency_from(old, to))?;
        Ok((signed, root, proof))
    }

    /// Proves for each of the events that it is in a checkpoint.
    ///
    /// # Errors
    /// [`NotaryError`]
    pub fn paths(
        &self,
        positions: &[Position],
        checkpoint: &Checkpoint,
    ) -> Result<Vec<Vec<Hash32>>, NotaryError> {
        let all = |tiles: &Tiles| {
            let positions = positions.iter();
            let paths = positions.map(|position| path(tiles, *position, checkpoint));
            paths.collect()
        };
        self.prove(all)
    }

    /// The peaks of the tree over the first `size` events.
    ///
    /// # Errors
    /// [`NotaryError`]
    pub fn peaks(&self, size: u64) -> Result<Vec<Hash32>, NotaryError> {
        self.prove(|tiles| tiles.peaks(size))
    }

    /// Makes a proof. If the tiles turn out to be wrong, they are made again from the journal, and
    /// the proof is made from the new ones.
    fn prove<T>(&self, make: impl Fn(&Tiles) -> Result<T, TilesError>) -> Result<T, NotaryError> {
        let mut state = self.state.lock();
        match make(&state.tiles) {
            Err(
                error @ (TilesError::Wrong(_) | TilesError::Short { .. } | TilesError::Io { .. }),
            ) => {
                tracing::warn!(%error, "the tiles are wrong; they are rebuilt from the journal");
                let size = Position::new(state.tiles.size());
                state.tiles = Tiles::clear(&self.dir, Beside::Entries)?;
                state.tiles.advance(self.ledger.log(), size)?;
                Ok(make(&state.tiles)?)
            }
            made => Ok(made?),
        }
    }
}

/// The proof that an event is in a checkpoint.
fn path(
    tiles: &Tiles,
    position: Position,
    checkpoint: &Checkpoint,
) -> Result<Vec<Hash32>, TilesError> {
    let index = position.get().saturating_sub(1);
    tiles.inclusion(index, checkpoint.size, &checkpoint.root)
}
