//! What a monitor keeps on disk: what a witness keeps (the last checkpoint that it cosigned, and changes of
//! keys), what it has computed of the log, and the evidence if the log is wrong.
//!
//! The cosigned checkpoint is the promise, and is stored before anybody sees the cosignature. What was
//! computed can be computed again from the log, and must then lead to the stored checkpoint; so it is saved
//! only from time to time, and an older copy of it does no harm.

use std::path::{Path, PathBuf};

use planledger_core::journal::{Disk, OsDisk, SmallFile};
use planledger_core::monitor::{Follower, State};
use planledger_core::tlog::{SignedCheckpoint, Signer, VerifierKey};

use super::evidence::Evidence;
use crate::notary::{now, origin_hash};
use crate::witness::memory::{Memory, MemoryError, Older};

/// Most bytes of a saved state: that of fourteen million streams.
const STATE_BYTES: u64 = 1 << 30;

/// A monitor's folders.
pub(super) struct Store {
    pub(super) memory: Memory,
    dir: PathBuf,
    disk: OsDisk,
    origin: String,
    signer: Signer,
}

impl Store {
    pub(super) fn open(
        dir: &Path,
        copy: Option<&Path>,
        signer: Signer,
        log: VerifierKey,
    ) -> Result<Self, MemoryError> {
        let disk = |place: &Path| {
            OsDisk::new(place).map_err(|source| MemoryError::Io {
                path: place.to_owned(),
                source,
            })
        };
        let mut disks = Vec::new();
        for place in copy.into_iter().chain([dir]) {
            let disk: Box<dyn Disk> = Box::new(disk(place)?);
            disks.push((disk, place.to_owned()));
        }
        let origin = log.name().to_owned();
        let memory = Memory::open(disks, &signer.verifier(), vec![log])?;
        Ok(Self {
            memory,
            dir: dir.to_owned(),
            disk: disk(dir)?,
            origin,
            signer,
        })
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// The keys that may sign for the log now.
    pub(super) fn keys(&self) -> Vec<VerifierKey> {
        self.memory.keys_of(&self.origin)
    }

    /// The last checkpoint that was cosigned.
    pub(super) fn latest(&self) -> Option<&SignedCheckpoint> {
        self.memory.latest(&self.origin)
    }

    /// See [`Memory::compare`].
    pub(super) fn compare(
        &mut self,
        shown: SignedCheckpoint,
    ) -> Result<Option<Older>, MemoryError> {
        self.memory.compare(shown, &self.signer.verifier())
    }

    /// Cosigns a checkpoint that was computed again, and stores it. Only then is it shown to anybody.
    pub(super) fn cosign(
        &mut self,
        signed: &SignedCheckpoint,
        by: &VerifierKey,
    ) -> Result<SignedCheckpoint, MemoryError> {
        let text = signed.note.text();
        let of_log = signed.note.signatures().iter();
        let of_log =
            of_log.filter(|line| (line.name.as_str(), line.key_id) == (by.name(), by.id()));
        // Others' signatures are left out: there may be any number of them.
        let mut lines: Vec<_> = of_log.take(1).cloned().collect();
        lines.push(self.signer.sign(text, now()));
        let note = planledger_core::tlog::Note::new(text.to_owned(), lines);
        let cosigned = SignedCheckpoint {
            checkpoint: signed.checkpoint.clone(),
            note,
        };
        self.memory.remember(cosigned.clone())?;
        Ok(cosigned)
    }

    fn state_name(&self) -> String {
        format!("{}.state", origin_hash(&self.origin))
    }

    /// Saves what was computed. Gives how many bytes that took.
    pub(super) fn save(&self, follower: &Follower) -> Result<usize, MemoryError> {
        let state = State::sign(follower, &self.origin, &self.signer, now());
        let name = self.state_name();
        let file = SmallFile {
            name: &name,
            temporary: &format!("{name}.tmp"),
        };
        let replaced = file.replace(&self.disk, state.as_bytes());
        replaced.map_err(|error| MemoryError::Io {
            path: self.dir.join(&name),
            source: error.into(),
        })?;
        Ok(state.as_bytes().len())
    }

    /// What was computed of the log before. `Err` says why what is saved cannot be used.
    pub(super) fn saved(&self) -> Result<Option<Follower>, String> {
        let path = self.dir.join(self.state_name());
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        let opened = State::open(&bytes, &self.origin, &self.signer.verifier());
        opened
            .map(Some)
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    fn fault_name(&self) -> String {
        format!("{}.fault.json", origin_hash(&self.origin))
    }

    /// Where the evidence stands.
    pub(super) fn fault_path(&self) -> PathBuf {
        self.dir.join(self.fault_name())
    }

    /// Keeps the evidence that the log is wrong, in every folder.
    pub(super) fn accuse(&self, evidence: &Evidence) -> Result<(), MemoryError> {
        let json = serde_json::to_vec_pretty(evidence).map_err(|error| MemoryError::Io {
            path: self.fault_path(),
            source: error.into(),
        })?;
        self.memory.replace(&self.fault_name(), &json)
    }

    /// The evidence that was kept. What cannot be read is evidence too: somebody looks at it.
    pub(super) fn accused(&self) -> Result<Option<Evidence>, MemoryError> {
        let Some(json) = self.memory.find(&self.fault_name())? else {
            return Ok(None);
        };
        let read = serde_json::from_slice(&json);
        read.map(Some).map_err(|error| MemoryError::Io {
            path: self.fault_path(),
            source: error.into(),
        })
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let file = std::fs::File::open(path)?;
    let length = file.metadata()?.len().min(STATE_BYTES);
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(STATE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
