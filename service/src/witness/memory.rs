//! What a witness or a monitor remembers: of each log the last checkpoint that it cosigned, and the keys that
//! the log has changed to. Nothing of it is believed without a signature: a checkpoint has the witness's
//! own, a change of key that of the key before.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use planledger_core::journal::{Disk, SmallFile};
use planledger_core::note::Rotation;
use planledger_core::tlog::{CheckpointError, NoteError, SignedCheckpoint, VerifierKey};

use crate::notary::origin_hash;

/// Most bytes of a file that is read.
const MOST_BYTES: u64 = 1 << 20;

/// Why a witness has no memory that it can use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// The operating system refused a file operation.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A stored checkpoint cannot be read, or is another log's. It must be restored: without it the
    /// witness would cosign a rewritten history.
    #[error("{}: {source}; restore the file from its newest copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with the checkpoint.
        source: CheckpointError,
    },
    /// A stored checkpoint does not have this witness's own signature, so somebody else wrote it.
    #[error(
        "{}: the key of this folder has not signed it ({source}); somebody changed the file, or it belongs \
         elsewhere: restore it from its newest copy",
        path.display()
    )]
    Unsigned {
        /// The file.
        path: PathBuf,
        /// What is wrong with the signature.
        source: NoteError,
    },
    /// A stored change of key cannot be read, or the key before has not signed it.
    #[error(
        "{}: it does not hold changes of keys, each signed by the key before; restore the file from its \
         newest copy",
        path.display()
    )]
    Rotations {
        /// The file.
        path: PathBuf,
    },
    /// The witness's key has cosigned two histories of a log.
    #[error(
        "the key has cosigned two checkpoints of size {size} of the log {origin} that differ: somebody else \
         has the key, or its memory was put back and used; keep both checkpoints as evidence, and start \
         anew with a new key under another name"
    )]
    Forked {
        /// The log.
        origin: String,
        /// The size of both checkpoints.
        size: u64,
    },
    /// Another witness uses the directory.
    #[error("{} is in use by another witness or monitor; give each its own directory", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
}

/// A state that was older than what the witness has cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Older {
    /// The folder; `None` if all were older than a checkpoint that the log showed.
    pub folder: Option<PathBuf>,
    /// The log.
    pub origin: String,
    /// The size of its checkpoint there; 0 if there was none.
    pub size: u64,
    /// The size of the newest checkpoint that this witness has cosigned.
    pub cosigned: u64,
}

impl std::fmt::Display for Older {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            origin,
            size,
            cosigned,
            ..
        } = self;
        match &self.folder {
            Some(folder) => write!(f, "{}", folder.display())?,
            None => write!(f, "what is remembered here")?,
        }
        write!(
            f,
            " was older than it should be: of the log {origin} it knew a checkpoint of size {size}, and one of \
             size {cosigned} was cosigned with this key; the newer one counts again. Unless a power cut or a \
             restored backup explains it, somebody put the folder back"
        )
    }
}

/// Everything that a witness or a monitor remembers.
pub(crate) struct Memory {
    /// Where it is written, in this order. The last is the witness's own folder.
    disks: Vec<(Box<dyn Disk>, PathBuf)>,
    /// The present keys of the logs.
    logs: Vec<VerifierKey>,
    /// The changes of keys of each log, in order.
    rotations: HashMap<String, Vec<Rotation>>,
    /// The last cosigned checkpoint of each log, by origin.
    latest: HashMap<String, SignedCheckpoint>,
    older: Vec<Older>,
    _locks: Vec<fs::File>,
}

impl Memory {
    /// Reads what is remembered. Of several folders, the newest state of each log counts.
    pub(crate) fn open(
        disks: Vec<(Box<dyn Disk>, PathBuf)>,
        own: &VerifierKey,
        logs: Vec<VerifierKey>,
    ) -> Result<Self, MemoryError> {
        let locks = disks.iter().map(|(_, dir)| lock(dir));
        let mut memory = Self {
            _locks: locks.collect::<Result<_, _>>()?,
            disks,
            logs: Vec::new(),
            rotations: HashMap::new(),
            latest: HashMap::new(),
            older: Vec::new(),
        };
        for log in logs {
            memory.read(log, own)?;
        }
        if memory.disks.len() > 1 {
            memory.store_all()?;
        }
        Ok(memory)
    }

    /// Makes every folder as new as the newest.
    fn store_all(&self) -> Result<(), MemoryError> {
        for signed in self.latest.values() {
            self.store(signed)?;
        }
        for origin in self.rotations.keys() {
            self.store_rotations(origin)?;
        }
        Ok(())
    }

    /// Reads what every folder has of one log.
    fn read(&mut self, log: VerifierKey, own: &VerifierKey) -> Result<(), MemoryError> {
        let origin = log.name().to_owned();
        let mut changes = self.rotations.remove(&origin).unwrap_or_default();
        for (_, dir) in &self.disks {
            for rotation in read_rotations(&dir.join(rotations_of(&origin)))? {
                if !changes.contains(&rotation) {
                    changes.push(rotation);
                }
            }
        }
        let mut current = log;
        for rotation in &changes {
            if rotation.from() == &current {
                current = rotation.to().clone();
            }
        }
        // The log may have been given with a key of before and with its present one.
        if !self.logs.contains(&current) {
            self.logs.push(current);
        }
        if !changes.is_empty() {
            self.rotations.insert(origin.clone(), changes);
        }
        let mut found = Vec::new();
        for (_, dir) in &self.disks {
            let signed = read_checkpoint(&dir.join(checkpoint_of(&origin)), &origin, own)?;
            found.push((dir.clone(), signed));
        }
        let known = self.latest.remove(&origin);
        let all = found.iter().filter_map(|(_, signed)| signed.as_ref());
        let newest = all.chain(&known).max_by_key(|it| it.checkpoint.size);
        let Some(newest) = newest.cloned() else {
            return Ok(());
        };
        let (size, root) = (newest.checkpoint.size, newest.checkpoint.root);
        for (folder, signed) in found {
            let here = signed.as_ref().map(|signed| &signed.checkpoint);
            if here.is_some_and(|here| here.size == size && here.root != root) {
                return Err(MemoryError::Forked { origin, size });
            }
            let here = here.map_or(0, |here| here.size);
            if here < size {
                self.older.push(Older {
                    folder: Some(folder),
                    origin: origin.clone(),
                    size: here,
                    cosigned: size,
                });
            }
        }
        self.latest.insert(origin, newest);
        Ok(())
    }

    /// Which folders had an older state than others.
    pub(crate) fn take_older(&mut self) -> Vec<Older> {
        std::mem::take(&mut self.older)
    }

    /// The keys that may sign for a log now.
    pub(crate) fn keys_of(&self, origin: &str) -> Vec<VerifierKey> {
        let keys = self.logs.iter().filter(|key| key.name() == origin);
        keys.cloned().collect()
    }

    /// The last checkpoint of a log that was cosigned.
    pub(crate) fn latest(&self, origin: &str) -> Option<&SignedCheckpoint> {
        self.latest.get(origin)
    }

    /// The last checkpoint of the log whose name has this hash.
    pub(crate) fn by_hash(&self, hash: &str) -> Option<&SignedCheckpoint> {
        let mut all = self.latest.iter();
        let found = all.find(|(origin, _)| origin_hash(origin) == hash);
        found.map(|(_, signed)| signed)
    }

    /// Stores a checkpoint that has the witness's own signature, everywhere.
    pub(crate) fn remember(&mut self, signed: SignedCheckpoint) -> Result<(), MemoryError> {
        self.store(&signed)?;
        self.latest.insert(signed.checkpoint.origin.clone(), signed);
        Ok(())
    }

    fn store(&self, signed: &SignedCheckpoint) -> Result<(), MemoryError> {
        let name = checkpoint_of(&signed.checkpoint.origin);
        self.replace(&name, signed.note.to_string().as_bytes())
    }

    /// Follows a log to its next key. Gives `false` if no log has the key before.
    pub(crate) fn follow(&mut self, rotation: Rotation) -> Result<bool, MemoryError> {
        if self.logs.contains(rotation.to()) {
            return Ok(true);
        }
        let Some(at) = self.logs.iter().position(|key| key == rotation.from()) else {
            return Ok(false);
        };
        let (origin, to) = (rotation.to().name().to_owned(), rotation.to().clone());
        let changes = self.rotations.entry(origin.clone()).or_default();
        changes.push(rotation);
        if let Err(error) = self.store_rotations(&origin) {
            self.rotations.entry(origin).or_default().pop();
            return Err(error);
        }
        if let Some(key) = self.logs.get_mut(at) {
            *key = to;
        }
        Ok(true)
    }

    fn store_rotations(&self, origin: &str) -> Result<(), MemoryError> {
        let changes = self.rotations.get(origin).into_iter().flatten();
        let changes: Vec<_> = changes.map(Rotation::statement).collect();
        let json = serde_json::json!(changes).to_string();
        self.replace(&rotations_of(origin), json.as_bytes())
    }

    /// Compares with a checkpoint that the log shows: see [`super::WitnessServer::compare`].
    pub(crate) fn compare(
        &mut self,
        shown: SignedCheckpoint,
        own: &VerifierKey,
    ) -> Result<Option<Older>, MemoryError> {
        let (origin, size) = (shown.checkpoint.origin.clone(), shown.checkpoint.size);
        // What this witness has cosigned, a key of the log had signed.
        if self.keys_of(&origin).is_empty() || shown.note.verify([own]).is_err() {
            return Ok(None);
        }
        let known = self.latest(&origin).map(|known| &known.checkpoint);
        if known.is_some_and(|it| it.size == size && it.root != shown.checkpoint.root) {
            return Err(MemoryError::Forked { origin, size });
        }
        let known = known.map_or(0, |known| known.size);
        if known >= size {
            return Ok(None);
        }
        self.remember(shown)?;
        Ok(Some(Older {
            folder: None,
            origin,
            size: known,
            cosigned: size,
        }))
    }

    /// Reads a file of this name from the first folder that has it.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Vec<u8>>, MemoryError> {
        for (_, dir) in &self.disks {
            if let Some(found) = read(&dir.join(name))? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Writes a file durably to every disk. After a crash each holds the old content or the new one.
    pub(crate) fn replace(&self, name: &str, content: &[u8]) -> Result<(), MemoryError> {
        for (disk, dir) in &self.disks {
            let file = SmallFile {
                name,
                temporary: &format!("{name}.tmp"),
            };
            let replaced = file.replace(disk.as_ref(), content);
            replaced.map_err(|error| MemoryError::Io {
                path: dir.join(name),
                source: error.into(),
            })?;
        }
        Ok(())
    }
}

fn lock(dir: &Path) -> Result<fs::File, MemoryError> {
    let path = dir.join("lock");
    let io = |source| MemoryError::Io {
        path: path.clone(),
        source,
    };
    let lock = fs::File::create(&path).map_err(io)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(MemoryError::Locked {
            dir: dir.to_owned(),
        }),
        Err(fs::TryLockError::Error(source)) => Err(io(source)),
    }
}

fn checkpoint_of(origin: &str) -> String {
    format!("{}.checkpoint", origin_hash(origin))
}

fn rotations_of(origin: &str) -> String {
    format!("{}.rotations", origin_hash(origin))
}

/// Reads a file; `None` if there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, MemoryError> {
    use std::io::Read;
    let read = fs::File::open(path).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(MemoryError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

fn read_checkpoint(
    path: &Path,
    origin: &str,
    own: &VerifierKey,
) -> Result<Option<SignedCheckpoint>, MemoryError> {
    let Some(bytes) = read(path)? else {
        return Ok(None);
    };
    let damaged = |source| MemoryError::Damaged {
        path: path.to_owned(),
        source,
    };
    let signed = SignedCheckpoint::parse(&bytes).map_err(damaged)?;
    if signed.checkpoint.origin != origin {
        return Err(damaged(CheckpointError::Origin {
            found: signed.checkpoint.origin,
            expected: origin.to_owned(),
        }));
    }
    let by_own = signed.note.verify([own]);
    by_own.map_err(|source| MemoryError::Unsigned {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(signed))
}

fn read_rotations(path: &Path) -> Result<Vec<Rotation>, MemoryError> {
    let Some(bytes) = read(path)? else {
        return Ok(Vec::new());
    };
    let statements: Option<Vec<String>> = serde_json::from_slice(&bytes).ok();
    let rotations = statements.into_iter().flatten();
    let rotations: Option<Vec<_>> = rotations.map(|text| Rotation::parse(&text)).collect();
    match rotations.filter(|all| !all.is_empty()) {
        Some(rotations) => Ok(rotations),
        None => Err(MemoryError::Rotations {
            path: path.to_owned(),
        }),
    }
}
