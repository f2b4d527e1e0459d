//! The notary of a server: its key, how often it makes checkpoints, and the witnesses that it asks
//! to cosign them.

mod monitors;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use planledger_core::access_log::AccessNotary;
use planledger_core::domain::ledger::NotedReads;
use planledger_core::hex;
use planledger_core::ids::Position;
use planledger_core::ledger::Ledger;
use planledger_core::notary::{Notary, NotaryError, key_on_record};
use planledger_core::time::Timestamp;
use planledger_core::tlog::{
    AddCheckpoint, Algorithm, KeyError, NoteError, NoteSignature, Policy, SignedCheckpoint, Signer,
    VerifierKey, Witness,
};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::secret::{Links, read_secret, replace_secret};

/// Name of the file with the signing key, in the folder of keys.
const KEY_FILE: &str = "checkpoint.key";
/// Name of the file with the next key, until the change of key is recorded.
const NEXT_KEY_FILE: &str = "checkpoint.key.next";
/// How long a witness may take to answer.
pub const WITNESS_TIMEOUT: Duration = Duration::from_secs(10);
/// How often it is noted in the ledger how far the access log has come.
const NOTED_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// Most bytes that are read of a witness's answer.
const ANSWER_BYTES: u64 = 64 << 10;

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
}

/// The witnesses that a server asks.
#[derive(Debug, Default)]
pub struct Witnesses {
    policy: Policy,
    /// The size of the checkpoint that was cosigned last.
    turn: Mutex<u64>,
}

impl Witnesses {
    /// The witnesses of a policy. Only those with addresses are asked.
    pub fn new(policy: Policy) -> Self {
        let turn = Mutex::default();
        Self { policy, turn }
    }

    /// Whether there is anybody to ask.
    pub fn are_asked(&self) -> bool {
        let mut all = self.policy.witnesses().iter().chain(self.policy.monitors());
        all.any(|one| one.url.is_some())
    }

    /// Calls `make` to make a checkpoint, and asks the witnesses to cosign it. No other checkpoint
    /// is made here until that is done, because a witness does not cosign a checkpoint older than
    /// its last one.
    ///
    /// # Errors
    /// The errors of `make`, and when the ledger or its checkpoints cannot be read or written.
    pub fn cosigned<T, E: From<NotaryError>>(
        &self,
        notary: &Notary,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        if !self.are_asked() {
            return make();
        }
        let mut before = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let made = make()?;
        if let Some(newest) = notary.latest()? {
            cosign(notary, &self.policy, &newest, *before)?;
            *before = newest.checkpoint.size;
        }
        Ok(made)
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
        let work = tokio::task::spawn_blocking(move || {
            let noted = match access.checkpoint() {
                Ok(signed) => note(&working, signed.as_ref(), noted),
                Err(error) => {
                    tracing::error!(%error, "no checkpoint of the access log was made");
                    noted
                }
            };
            notarise(&working, &witnesses, last).map(|size| (size, noted))
        });
        match work.await {
            Ok(Ok(done)) => (last, noted) = done,
            Ok(Err(error)) => tracing::error!(%error, "no checkpoint was made"),
            Err(_) => tracing::error!("making a checkpoint was ended by a panic"),
        }
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

/// Asks every witness and monitor that has an address and has not cosigned yet, and stores their
/// cosignatures. `before` is the size of the checkpoint that they were asked for before.
///
/// # Errors
/// When the ledger or its checkpoints cannot be read or written. A witness or monitor that does not answer
/// is only logged.
fn cosign(
    notary: &Notary,
    policy: &Policy,
    signed: &SignedCheckpoint,
    before: u64,
) -> Result<(), NotaryError> {
    let mut signatures = Vec::new();
    for witness in policy.witnesses() {
        let has = signed.note.verify([&witness.key]).is_ok();
        let Some(url) = witness.url.as_deref().filter(|_| !has) else {
            continue;
        };
        match ask(notary, witness, url, signed) {
            Ok(found) => signatures.extend(found),
            Err(AskError::Notary(error)) => return Err(error),
            Err(error) => {
                tracing::warn!(witness = %witness.name, %error, "a witness did not cosign");
            }
        }
    }
    if !signatures.is_empty() {
        notary.add_cosignatures(signed.checkpoint.size, signatures)?;
    }
    // Monitors see what witnesses have cosigned, and need the checkpoint published first.
    for monitor in policy.monitors() {
        let has = signed.note.verify([&monitor.key]).is_ok();
        let Some(url) = monitor.url.as_deref().filter(|_| !has) else {
            continue;
        };
        match monitors::ask(monitor, url, signed, before) {
            Ok(found) => {
                notary.add_cosignatures(signed.checkpoint.size, [found])?;
            }
            Err(error) => {
                tracing::warn!(monitor = %monitor.name, %error, "a monitor did not cosign");
            }
        }
    }
    Ok(())
}

/// Why a witness did not cosign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The witness does not answer, or its answer does not follow the protocol.
    #[error("{0}")]
    Http(#[from] ureq::Error),
    /// The witness refuses.
    #[error("the witness answered {status}: {reason}")]
    Refused {
        /// The HTTP status of the answer.
        status: u16,
        /// The witness's reason, in its own words.
        reason: String,
    },
    /// The answer is not a cosignature of this checkpoint by the witness's key.
    #[error("the cosignature of the witness is not valid: {0}")]
    Signature(NoteError),
    /// The proof that the witness needs cannot be made.
    #[error(transparent)]
    Notary(#[from] NotaryError),
}

/// Asks one witness to cosign, with a proof of growth from the size that the witness names.
fn ask(
    notary: &Notary,
    witness: &Witness,
    url: &str,
    signed: &SignedCheckpoint,
) -> Result<Vec<NoteSignature>, AskError> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(WITNESS_TIMEOUT))
        .http_status_as_error(false)
        .build()
        .into();
    let prefix = url.trim_end_matches('/');
    let url = format!("{prefix}/add-checkpoint");
    let mut old_size = 0;
    let mut told = false;
    // The first answer may only name the size of the witness's last checkpoint. The size may change
    // once more if another program asks the witness at the same time, and the witness may not know yet
    // that the key has changed.
    for _ in 0..4 {
        let proof = match old_size {
            0 => Vec::new(),
            old => notary.consistency(old, signed.checkpoint.size)?.2,
        };
        let request = AddCheckpoint {
            old_size,
            proof,
            signed: signed.clone(),
        };
        let mut answer = agent.post(&url).send(request.body())?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES);
        let body = body.read_to_string()?;
        match status {
            200 => return verified(witness, signed, &body),
            409 => match body.trim().parse() {
                Ok(size) if size <= signed.checkpoint.size && size != old_size => old_size = size,
                Ok(_) | Err(_) => return Err(refused(status, &body)),
            },
            403 if !told => {
                told = true;
                if !tell_rotations(notary, &agent, prefix)? {
                    return Err(refused(status, &body));
                }
            }
            _ => return Err(refused(status, &body)),
        }
    }
    Err(refused(409, "the witness names another size each time"))
}

/// Tells a witness every change of the key. Gives whether it followed one. Witnesses of others do not
/// know this request.
fn tell_rotations(notary: &Notary, agent: &ureq::Agent, prefix: &str) -> Result<bool, AskError> {
    let url = format!("{prefix}/add-rotation");
    let mut followed = false;
    for rotation in notary.rotations()? {
        let answer = agent.post(&url).send(rotation.statement())?;
        followed |= answer.status().is_success();
    }
    Ok(followed)
}

fn refused(status: u16, body: &str) -> AskError {
    AskError::Refused {
        status,
        reason: body.chars().take(200).collect(),
    }
}

/// The cosignatures in an answer that the witness's key made for this checkpoint.
fn verified(
    witness: &Witness,
    signed: &SignedCheckpoint,
    body: &str,
) -> Result<Vec<NoteSignature>, AskError> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(body.lines()) {
        let signature = NoteSignature::parse(line, number).map_err(AskError::Signature)?;
        if (signature.name.as_str(), signature.key_id) == (witness.key.name(), witness.key.id()) {
            found.push(signature);
        }
    }
    let mut note = signed.note.clone();
    found
        .iter()
        .for_each(|signature| note.add(signature.clone()));
    note.verify([&witness.key]).map_err(AskError::Signature)?;
    Ok(found)
}

/// What stands for a log in addresses: the hash of its name, in hexadecimal digits.
pub fn origin_hash(origin: &str) -> String {
    hex::encode(&Sha256::digest(origin.as_bytes()))
}

/// The present instant, which a cosignature holds.
pub fn now() -> Timestamp {
    planledger_core::time::Clock::now(&crate::system::SystemClock)
}
