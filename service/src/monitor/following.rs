//! Follows a log from checkpoint to checkpoint, and cosigns those that were computed again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use planledger_core::audit::{Fault, FaultKind};
use planledger_core::entry::EntryBytes;
use planledger_core::merkle::FromTiles;
use planledger_core::monitor::{
    Beginning, Follower, Refusal, beginning, not_grown, path, two_roots,
};
use planledger_core::tlog::{Checkpoint, SignedCheckpoint, VerifierKey};

use super::computed::{Computed, Refused, Stop};
use super::evidence::Evidence;
use super::shown::Shown;
use super::source::{Source, SourceError};
use super::store::Store;
use super::{ahead, plain};
use crate::notary::now;
use crate::witness::memory::{MemoryError, Older};

/// After how many entries what was computed is saved.
const SAVE_ENTRIES: u64 = 2_000_000;
/// After how long what was computed is saved, if anything was.
const SAVE_AFTER: Duration = Duration::from_secs(60);

/// Why a monitor did not get further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// It may be over at the next try, and says nothing of the log itself.
    #[error("{0}")]
    Passing(String),
    /// The log is wrong. The monitor has kept the evidence and cosigns nothing of the log any more.
    #[error("{0}")]
    Accused(Box<Evidence>),
    /// What must be stored was not stored.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The monitor was told to stop.
    #[error("stopped")]
    Stopped,
}

impl From<SourceError> for Trouble {
    fn from(error: SourceError) -> Self {
        Self::Passing(plain(&error.to_string()))
    }
}

fn passing(error: &dyn std::fmt::Display) -> Trouble {
    Trouble::Passing(plain(&error.to_string()))
}

/// How far a monitor has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Followed {
    /// How many entries it has followed.
    pub entries: u64,
    /// How many streams they belong to.
    pub streams: u64,
    /// Whether a checkpoint was cosigned now that was not before.
    pub is_new: bool,
}

/// A log that is followed.
pub(super) struct Following {
    source: Source,
    pub(super) store: Store,
    shown: Arc<Shown>,
    computed: Computed,
    /// The published checkpoint that was dealt with last.
    seen: Vec<u8>,
    saved: Saved,
    accused: Option<Box<Evidence>>,
    stopping: Arc<AtomicBool>,
}

/// Up to where what was computed is saved, and since when.
struct Saved {
    size: u64,
    at: Instant,
}

impl Following {
    pub(super) fn open(
        source: Source,
        store: Store,
        shown: Arc<Shown>,
        stopping: Arc<AtomicBool>,
    ) -> Result<(Self, Option<String>), MemoryError> {
        let accused = store.accused()?.map(Box::new);
        if let Some(latest) = store.latest() {
            shown.add(latest.clone());
        }
        let mut following = Self {
            source,
            store,
            shown,
            computed: Computed::default(),
            seen: Vec::new(),
            saved: Saved {
                size: 0,
                at: Instant::now(),
            },
            accused,
            stopping,
        };
        let unusable = following.reload();
        Ok((following, unusable))
    }

    /// Goes back to what is saved. Gives why that cannot be used, if it cannot.
    fn reload(&mut self) -> Option<String> {
        let (follower, unusable) = match self.store.saved() {
            Ok(found) => (found.unwrap_or_default(), None),
            Err(why) => (
                Follower::default(),
                Some(format!(
                    "{why}; this monitor follows the log from its first entry again"
                )),
            ),
        };
        self.saved.size = follower.size();
        self.computed = Computed::of(follower);
        unusable
    }

    /// Compares what is remembered with what the log shows: see [`Store::compare`].
    pub(super) fn compare(&mut self) -> Result<Option<Older>, Trouble> {
        let bytes = self.source.checkpoint()?;
        let signed = SignedCheckpoint::parse(&bytes);
        let signed = signed.map_err(|error| passing(&error))?;
        Ok(self.remembered(signed)?)
    }

    fn remembered(&mut self, shown: SignedCheckpoint) -> Result<Option<Older>, MemoryError> {
        let older = self.store.compare(shown)?;
        if let (Some(_), Some(latest)) = (&older, self.store.latest()) {
            self.shown.add(latest.clone());
        }
        Ok(older)
    }

    fn followed(&self, is_new: bool) -> Followed {
        Followed {
            entries: self.computed.follower.size(),
            streams: self.computed.follower.stream_count(),
            is_new,
        }
    }

    /// Follows the log to its newest checkpoint, and cosigns that. `progress` gets how many entries were
    /// followed, and how many there are.
    pub(super) fn step(&mut self, progress: &dyn Fn(u64, u64)) -> Result<Followed, Trouble> {
        if let Some(evidence) = &self.accused {
            return Err(Trouble::Accused(evidence.clone()));
        }
        let bytes = self.source.checkpoint()?;
        if bytes == self.seen {
            return Ok(self.followed(false));
        }
        let signed = SignedCheckpoint::parse(&bytes).map_err(|error| passing(&error))?;
        let key = self.key_of(&signed)?;
        // The memory may have been put back at a time when the log could not be asked.
        if let Some(older) = self.remembered(signed.clone())? {
            tracing::warn!("{older}");
        }
        let size = signed.checkpoint.size;
        if let Some(before) = self.shown.cosigned(size)
            && before.checkpoint.root != signed.checkpoint.root
        {
            let evidence = self.evidence(&two_roots(&signed.checkpoint), &signed);
            return Err(self.accuse(evidence.against(&before, None)));
        }
        let cosigned = self.store.latest().map_or(0, |known| known.checkpoint.size);
        if size < cosigned {
            return Err(Trouble::Passing(format!(
                "the log shows a checkpoint of {size} entries, which is older than the one of {cosigned} \
                that this monitor has cosigned"
            )));
        }
        self.follow(&signed, progress)?;
        let is_new = size > cosigned;
        if is_new {
            let cosigned = self.store.cosign(&signed, &key)?;
            self.shown.add(cosigned);
        }
        self.seen = bytes;
        let entries = self.computed.follower.size() - self.saved.size;
        if entries >= SAVE_ENTRIES || (entries > 0 && self.saved.at.elapsed() >= SAVE_AFTER) {
            self.save()?;
        }
        Ok(self.followed(is_new))
    }

    /// Saves what was computed, if all of it belongs to a checkpoint that was cosigned.
    pub(super) fn save(&mut self) -> Result<(), MemoryError> {
        let size = self.computed.follower.size();
        let cosigned = self.store.latest().map_or(0, |known| known.checkpoint.size);
        if size != cosigned || size == self.saved.size {
            return Ok(());
        }
        let bytes = self.store.save(&self.computed.follower)?;
        tracing::debug!(size, bytes, "what was computed of the log is saved");
        self.saved = Saved {
            size,
            at: Instant::now(),
        };
        Ok(())
    }

    /// The key of the log that signed a checkpoint. If it is not known, the log may have changed its key.
    fn key_of(&mut self, signed: &SignedCheckpoint) -> Result<VerifierKey, Trouble> {
        if let Ok(key) = signed.verify(&self.store.keys()) {
            return Ok(key.clone());
        }
        for rotation in self.source.rotations()? {
            let (from, to) = (rotation.from().to_string(), rotation.to().to_string());
            let is_new = !self.store.keys().contains(rotation.to());
            if self.store.keys().contains(rotation.from())
                && self.store.memory.follow(rotation)?
                && is_new
            {
                tracing::info!(%from, %to, "the log has changed its key");
            }
        }
        match signed.verify(&self.store.keys()) {
            Ok(key) => Ok(key.clone()),
            Err(error) => Err(passing(&format!(
                "the published checkpoint cannot be believed: {error}"
            ))),
        }
    }

    /// Computes again everything up to a checkpoint.
    fn follow(
        &mut self,
        signed: &SignedCheckpoint,
        progress: &dyn Fn(u64, u64),
    ) -> Result<(), Trouble> {
        let whole = &signed.checkpoint;
        let latest = self.store.latest().map(|latest| latest.checkpoint.clone());
        // After a restart, what was cosigned before lies on the way.
        if let Some(latest) = latest.filter(|latest| latest.size < whole.size)
            && self.computed.follower.size() < latest.size
        {
            self.compute(latest.size, signed, progress)?;
            if self.computed.follower.fold().root() != latest.root {
                return Err(self.diagnose(signed));
            }
        }
        if self.computed.follower.size() > whole.size {
            return Err(self.diagnose(signed));
        }
        self.compute(whole.size, signed, progress)?;
        match self.computed.follower.agrees(whole) {
            Ok(()) => Ok(()),
            // The root is right, so the entries are those of the log.
            Err(fault) if fault.kind == FaultKind::Head => {
                let evidence = self.evidence(&fault, signed);
                Err(self.accuse(evidence))
            }
            Err(_) => Err(self.diagnose(signed)),
        }
    }

    /// Takes entries of the log up to a position. Nothing says yet that they are those of the checkpoint.
    fn compute(
        &mut self,
        to: u64,
        signed: &SignedCheckpoint,
        progress: &dyn Fn(u64, u64),
    ) -> Result<(), Trouble> {
        let whole = &signed.checkpoint;
        let Self {
            source,
            store,
            computed,
            saved,
            stopping,
            ..
        } = self;
        let source = &*source;
        let from = computed.follower.size();
        let taken = ahead::entries(source, from, to, |_, entries| {
            if stopping.load(Ordering::Relaxed) {
                return Err(Stop::Stopped);
            }
            for entry in entries {
                computed.take(source, entry)?;
                let size = computed.follower.size();
                if size < saved.size + SAVE_ENTRIES || !computed.follower.is_record(entry) {
                    continue;
                }
                // What is saved must be the log's, although its checkpoint lies far ahead.
                if !computed.is_beginning_of(source, whole)? {
                    return Err(Stop::Others);
                }
                store.save(&computed.follower).map_err(Stop::Memory)?;
                saved.size = size;
                tracing::info!(entries = size, of = whole.size, "following the log");
            }
            progress(computed.follower.size(), whole.size);
            Ok(())
        });
        match taken {
            Ok(()) if self.computed.follower.size() == to => Ok(()),
            Ok(()) => Err(Trouble::Passing(
                "the log's entries end too early".to_owned(),
            )),
            Err(Stop::Source(error)) => Err(error.into()),
            Err(Stop::Memory(error)) => Err(error.into()),
            Err(Stop::Stopped) => Err(Trouble::Stopped),
            Err(Stop::Others) => Err(self.diagnose(signed)),
            Err(Stop::Refused(refused)) => Err(self.judge(*refused, signed)),
        }
    }

    /// An entry does not fit. If the checkpoint covers it and all before it, the log is wrong.
    fn judge(&mut self, refused: Refused, signed: &SignedCheckpoint) -> Trouble {
        let Refused {
            refusal,
            entry,
            opens,
        } = refused;
        let fault = match refusal {
            Refusal::Fault(fault) => fault,
            other => return passing(&other),
        };
        match self.path_of(&fault, &entry, &signed.checkpoint) {
            Ok(Some(path)) => {
                let heads_root = self.computed.follower.heads_root();
                let evidence = self.evidence(&fault, signed);
                self.accuse(evidence.with_entry(&entry, &path, opens, &heads_root))
            }
            Ok(None) => self.diagnose(signed),
            Err(error) => error.into(),
        }
    }

    /// The proof that a checkpoint covers an entry and exactly the entries before it that were followed.
    fn path_of(
        &self,
        fault: &Fault,
        entry: &EntryBytes,
        whole: &Checkpoint,
    ) -> Result<Option<Vec<[u8; 32]>>, SourceError> {
        if !self.computed.is_beginning_of(&self.source, whole)? {
            return Ok(None);
        }
        let tiles = FromTiles(self.source.tiles(whole.size));
        path(&tiles, fault.position, entry, whole)
    }

    /// The entries are not those of the checkpoint. Either the log has another history than the one that was
    /// cosigned before, or the server gave something else than the log's entries.
    fn diagnose(&mut self, signed: &SignedCheckpoint) -> Trouble {
        let whole = &signed.checkpoint;
        let latest = self.store.latest().cloned();
        if let Some(latest) = latest.filter(|latest| latest.checkpoint.size <= whole.size) {
            match self.beginning(latest.checkpoint.size, whole) {
                Ok(Some(beginning)) if beginning.root != latest.checkpoint.root => {
                    let fault = not_grown(&latest.checkpoint, whole);
                    let evidence = self.evidence(&fault, signed);
                    return self.accuse(evidence.against(&latest, Some(beginning)));
                }
                Ok(_) => {}
                Err(error) => return error.into(),
            }
        }
        let unusable = self.reload();
        if let Some(unusable) = unusable {
            tracing::warn!("{unusable}");
        }
        Trouble::Passing(format!(
            "what the server gave does not lead to the root of its checkpoint of {} entries; this monitor \
            goes on from entry {} again",
            whole.size,
            self.computed.follower.size()
        ))
    }

    fn beginning(&self, size: u64, whole: &Checkpoint) -> Result<Option<Beginning>, SourceError> {
        beginning(&FromTiles(self.source.tiles(whole.size)), size, whole)
    }

    fn evidence(&self, fault: &Fault, signed: &SignedCheckpoint) -> Evidence {
        Evidence::of(fault, signed, now().nanos() / 1_000_000_000)
    }

    /// Keeps the evidence. From then on nothing of the log is cosigned.
    fn accuse(&mut self, evidence: Evidence) -> Trouble {
        let path = self.store.fault_path();
        tracing::error!(evidence = %path.display(), "{evidence}");
        let stored = self.store.accuse(&evidence);
        let evidence = Box::new(evidence);
        self.accused = Some(evidence.clone());
        match stored {
            Ok(()) => Trouble::Accused(evidence),
            Err(error) => Trouble::Memory(error),
        }
    }
}
