//! The notary of a server: its key, how often it makes checkpoints, and the witnesses that it asks
//! to cosign them.

mod monitors;
mod witnesses;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use planledger_core::access_log::AccessNotary;
use planledger_core::domain::ledger::NotedReads;
use planledger_core::hex;
use planledger_core::ids::Position;
use planledger_core::ledger::Ledger;
use planledger_core::notary::{Notary, NotaryError, key_on_record};
use planledger_core::time::Timestamp;
use planledger_core::tlog::{Algorithm, KeyError, SignedCheckpoint, Signer, VerifierKey};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

pub use self::witnesses::{AskError, Cosigned, Witnesses};
use crate::secret::{Links, read_secret, replace_secret};

/// Name of the file with the signing key, in the folder of keys.
const KEY_FILE: &str = "checkpoint.key";
/// Name of the file with the next key, until the change of key is recorded.
const NEXT_KEY_FILE: &str = "checkpoint.key.next";
/// How long a witness may take to answer.
pub const WITNESS_TIMEOUT: Duration = Duration::from_secs(10);
/// How often it is noted in the ledger how far the access log has come.
const NOTED_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Why the notary cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotaryKeyError {
    /// The operating system refused a file operation.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file does not hold a key for checkpoints.
    #[error("{}: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with the key.
        source: KeyError,
    },
    /// The journal names a key that is missing here. Restore the key from its backup.
    #[error(
        "{} does not contain {recorded}, the key that signs the checkpoints of this ledger; \
        restore the file from its backup",
        path.display()
    )]
    Lost {
        /// The file.
        path: PathBuf,
        /// The key that the journal names.
        recorded: Box<VerifierKey>,
    },
    /// The notary could not be opened.
    #[error(transparent)]
    Notary(#[from] NotaryError),
    /// The ledger could not be read.
    #[error(transparent)]
    Read(#[from] planledger_core::ledger::ReadError),
}

/// The files with the keys of a ledger's notary.
pub struct KeyFiles {
    folder: PathBuf,
}

impl KeyFiles {
    /// The key files in a ledger's directory, beside its other keys.
    pub fn in_ledger(dir: &Path) -> Self {
        Self {
            folder: dir.join("keys"),
        }
    }

    fn read(&self, name: &str) -> Result<Option<Signer>, NotaryKeyError> {
        let path = self.folder.join(name);
        match read_secret(&path, Links::Refused) {
            Ok(text) => Signer::from_secret(&text)
                .map(Some)
                .map_err(|source| NotaryKeyError::Key { path, source }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(NotaryKeyError::Io { path, source }),
        }
    }

    fn write(&self, name: &str, signer: &Signer) -> Result<(), NotaryKeyError> {
        let written = replace_secret(&self.folder, name, &signer.secret());
        written.map_err(|source| NotaryKeyError::Io {
            path: self.folder.join(name),
            source,
        })
    }

    fn promote(&self) -> Result<(), NotaryKeyError> {
        let (from, to) = (self.folder.join(NEXT_KEY_FILE), self.folder.join(KEY_FILE));
        let renamed = fs::rename(&from, &to)
            .and_then(|()| fs::File::open(&self.folder))
            .and_then(|folder| folder.sync_all());
        renamed.map_err(|source| NotaryKeyError::Io { path: to, source })
    }

    /// The key that signs checkpoints, as its file has it now; `None` if there is none yet.
    ///
    /// # Errors
    /// [`NotaryKeyError`]
    pub fn present(&self) -> Result<Option<Signer>, NotaryKeyError> {
        self.read(KEY_FILE)
    }

    /// Reads the key that signs a ledger's checkpoints, or makes one if the ledger has none yet. A
    /// new key names the log `origin`; without `origin`, the log is named after the ledger.
    ///
    /// # Errors
    /// [`NotaryKeyError`]
    pub fn load(&self, ledger: &Ledger, origin: Option<&str>) -> Result<Signer, NotaryKeyError> {
        let recorded = key_on_record(ledger)?;
        let current = self.read(KEY_FILE)?;
        let Some(recorded) = recorded else {
            if let Some(current) = current {
                return Ok(current);
            }
            let named = format!("planledger/{}", ledger.status().ledger);
            let signer = self.generate(origin.unwrap_or(&named))?;
            self.write(KEY_FILE, &signer)?;
            return Ok(signer);
        };
        if let Some(current) = current.filter(|current| current.verifier() == recorded) {
            return Ok(current);
        }
        // A change of key was recorded, but the program stopped before it renamed the file.
        let next = self.read(NEXT_KEY_FILE)?;
        match next.filter(|next| next.verifier() == recorded) {
            Some(next) => {
                self.promote()?;
                Ok(next)
            }
            None => Err(NotaryKeyError::Lost {
                path: self.folder.join(KEY_FILE),
                recorded: Box::new(recorded),
            }),
        }
    }

    /// Changes the key. The new key is on disk before the change is recorded, and replaces the old
    /// key's file afterwards. Returns the new key.
    ///
    /// # Errors
    /// [`NotaryKeyError`]
    pub fn rotate(&self, notary: Notary) -> Result<VerifierKey, NotaryKeyError> {
        let next = self.generate(notary.verifier().name())?;
        self.write(NEXT_KEY_FILE, &next)?;
        notary.rotate(&next)?;
        self.promote()?;
        Ok(next.verifier())
    }

    fn generate(&self, origin: &str) -> Result<Signer, NotaryKeyError> {
        let path = self.folder.join(KEY_FILE);
        generate(origin, Algorithm::Ed25519).map_err(|error| match error {
            GenerateError::Key(source) => NotaryKeyError::Key { path, source },
            GenerateError::Entropy(source) => NotaryKeyError::Io { path, source },
        })
    }
}

/// Why a key could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The name is not valid for a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The source of randomness failed.
    #[error("the operating system gives no random bytes: {0}")]
    Entropy(std::io::Error),
}

/// Makes a new key from the operating system's randomness.
///
/// # Errors
/// [`GenerateError`]
pub fn generate(name: &str, algorithm: Algorithm) -> Result<Signer, GenerateError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| GenerateError::Entropy(error.into()))?;
    Ok(Signer::new(name, algorithm, seed)?)
}

/// How often a notary makes checkpoints, and who cosigns them.
#[derive(Clone, Debug)]
pub struct Rhythm {
    /// The time from one checkpoint to the next, when the journal has grown.
    pub every: Duration,
    /// The witnesses that are asked to cosign.
    pub witnesses: Arc<Witnesses>,
    /// How often checkpoints could not be made.
    pub failures: Arc<Failures>,
}

/// How often checkpoints were due and could not be made.
#[derive(Debug, Default)]
pub struct Failures {
    of_ledger: AtomicU64,
    of_access_log: AtomicU64,
}

impl Failures {
    /// The numbers since the start, each with the log that the checkpoints are of.
    pub fn read(&self) -> [(&'static str, u64); 2] {
        [
            ("ledger", self.of_ledger.load(Ordering::Relaxed)),
            ("access", self.of_access_log.load(Ordering::Relaxed)),
        ]
    }
}

/// Makes a checkpoint whenever the interval has passed and the journal has grown, and asks the
/// witnesses to cosign it. Runs until told to stop. A failure is logged, and the next round tries
/// again.
pub async fn run(
    notary: Arc<Notary>,
    access: Arc<AccessNotary>,
    rhythm: Rhythm,
    mut stopping: watch::Receiver<bool>,
) {
    let mut last = 0;
    let mut noted: Option<(u64, Instant)> = None;
    loop {
        let stopped = stopping.wait_for(|stopping| *stopping);
        if tokio::time::timeout(rhythm.every, stopped).await.is_ok() {
            return;
        }
        let (working, witnesses) = (notary.clone(), rhythm.witnesses.clone());
        let access = access.clone();
        let failures = rhythm.failures.clone();
        let work = tokio::task::spawn_blocking(move || {
            let noted = match access.checkpoint() {
                Ok(signed) => note(&working, signed.as_ref(), noted),
                Err(error) => {
                    failures.of_access_log.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(%error, "no checkpoint of the access log was made");
                    noted
                }
            };
            notarise(&working, &witnesses, last).map(|size| (size, noted))
        });
        match work.await {
            Ok(Ok(done)) => {
                (last, noted) = done;
                continue;
            }
            Ok(Err(error)) => tracing::error!(%error, "no checkpoint was made"),
            Err(_) => tracing::error!("making a checkpoint was ended by a panic"),
        }
        rhythm.failures.of_ledger.fetch_add(1, Ordering::Relaxed);
    }
}

/// Notes in the ledger how far the access log has come: with the first new checkpoint after the start of the
/// server, and then once a day, if something was recorded. Gives what was noted last, and when.
fn note(
    notary: &Notary,
    signed: Option<&SignedCheckpoint>,
    noted: Option<(u64, Instant)>,
) -> Option<(u64, Instant)> {
    let checkpoint = &signed?.checkpoint;
    if noted.is_some_and(|(size, at)| size == checkpoint.size || at.elapsed() < NOTED_EVERY) {
        return noted;
    }
    // The first note after a start is made with a checkpoint that is made anyway.
    if noted.is_none() && !notary.is_behind().unwrap_or(true) {
        return noted;
    }
    let reads = NotedReads {
        records: Position::new(checkpoint.size),
        root: checkpoint.root,
    };
    match notary.note_access_log(reads) {
        Ok(()) => Some((checkpoint.size, Instant::now())),
        Err(error) => {
            tracing::error!(%error, "how far the access log has come was not noted in the ledger");
            noted
        }
    }
}

/// Makes a checkpoint and asks the witnesses to cosign it. Returns the checkpoint's size.
fn notarise(notary: &Notary, witnesses: &Witnesses, last: u64) -> Result<u64, NotaryError> {
    let signed = witnesses.cosigned(notary, || notary.checkpoint())?;
    let size = signed.checkpoint.size;
    if size != last {
        tracing::debug!(size, "a checkpoint was made");
    }
    Ok(size)
}

/// What stands for a log in addresses: the hash of its name, in hexadecimal digits.
pub fn origin_hash(origin: &str) -> String {
    hex::encode(&Sha256::digest(origin.as_bytes()))
}

/// The present instant, which a cosignature holds.
pub fn now() -> Timestamp {
    planledger_core::time::Clock::now(&crate::system::SystemClock)
}
