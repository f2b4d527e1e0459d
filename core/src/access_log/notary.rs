//! Makes the checkpoints of the access log. They have the form of the ledger's, and an origin of their
//! own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{AccessLog, FOLDER};
use crate::notary::{NotaryError, lost_reads, not_published, open_tiles};
use crate::note::{KeyError, Signer, VerifierKey};
use crate::tlog::{Beside, Checkpoint, Kept, SignedCheckpoint, Tiles, mend, publish};

/// What stands behind the name of a ledger's log in the name of its access log.
const SUFFIX: &str = "/access";

/// The key of the access log's checkpoints, for the key of the ledger's: the same key under the name of
/// the access log. `losses` is how often it is on record that records were lost: what goes on without them
/// is another log, and has another name.
///
/// # Errors
/// [`KeyError`], never for a key that is one.
pub fn verifier_of(ledger: &VerifierKey, losses: usize) -> Result<VerifierKey, KeyError> {
    ledger.named(&name(ledger, losses))
}

/// The name of the access log of the ledger that this key is of.
fn name(ledger: &VerifierKey, losses: usize) -> String {
    let name = ledger.name();
    match losses {
        0 => format!("{name}{SUFFIX}"),
        losses => format!("{name}{SUFFIX}/{}", losses + 1),
    }
}

/// Makes checkpoints of one access log.
pub struct AccessNotary {
    log: Arc<AccessLog>,
    signer: Signer,
    dir: PathBuf,
    state: Mutex<(Tiles, Kept)>,
}

impl AccessNotary {
    /// Opens the checkpoints and tiles of the access log in a ledger's directory. `signer` is the key of
    /// the ledger's checkpoints. Makes sure that the checkpoints were made from this access log.
    ///
    /// # Errors
    /// [`NotaryError`], for example if an older copy of the access log was put back.
    pub fn open(log: Arc<AccessLog>, dir: &Path, signer: &Signer) -> Result<Self, NotaryError> {
        let folder = dir.join(FOLDER);
        let kept = Kept::open(&folder.join("checkpoints"))?;
        let dir = folder.join("tlog");
        let newest = kept.latest()?;
        let latest = newest.as_ref().map(|signed| &signed.checkpoint);
        let tiles = open_tiles(&*log.shared.log, (&dir, Beside::Nothing), latest)?;
        if let Some(newest) = &newest {
            mend(&dir, newest).map_err(not_published(&dir))?;
        }
        let losses = lost_reads(&log.ledger)?.len();
        let signer = signer
            .named(&name(&signer.verifier(), losses))
            .map_err(|_| NotaryError::OtherKey)?;
        Ok(Self {
            log,
            signer,
            dir,
            state: Mutex::new((tiles, kept)),
        })
    }

    /// The public key of the key that signs.
    pub fn verifier(&self) -> VerifierKey {
        self.signer.verifier()
    }

    /// The newest checkpoint. `None` if there is none.
    ///
    /// # Errors
    /// The kept checkpoints could not be read.
    pub fn latest(&self) -> Result<Option<SignedCheckpoint>, NotaryError> {
        Ok(self.state.lock().1.latest()?)
    }

    /// Makes a checkpoint of everything that is durable now, keeps it and publishes it. If nothing was
    /// recorded since the newest checkpoint, that one is returned; `None` if nothing was ever
    /// recorded.
    ///
    /// # Errors
    /// [`NotaryError`]
    pub fn checkpoint(&self) -> Result<Option<SignedCheckpoint>, NotaryError> {
        let mut state = self.state.lock();
        let (tiles, kept) = &mut *state;
        let through = self.log.position();
        let latest = kept.latest()?;
        if latest.as_ref().map_or(0, |latest| latest.checkpoint.size) == through.get() {
            return Ok(latest);
        }
        let _nothing_goes = self.log.shared.removing.read();
        tiles.advance(&*self.log.shared.log, through)?;
        let checkpoint = Checkpoint {
            origin: self.signer.verifier().name().to_owned(),
            size: through.get(),
            root: tiles.root()?,
        };
        let signed = SignedCheckpoint::sign(checkpoint, &self.signer, self.log.ledger.now());
        kept.keep(&signed)?;
        publish(&self.dir, &signed).map_err(not_published(&self.dir))?;
        Ok(Some(signed))
    }
}
