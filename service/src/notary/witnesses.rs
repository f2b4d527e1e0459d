//! The witnesses and monitors that a server asks to cosign its checkpoints.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use planledger_core::notary::{Notary, NotaryError};
use planledger_core::tlog::{
    AddCheckpoint, NoteError, NoteSignature, Policy, SignedCheckpoint, Witness,
};

use super::{WITNESS_TIMEOUT, monitors};

/// Most bytes that are read of a witness's answer.
const ANSWER_BYTES: u64 = 64 << 10;

/// The witnesses that a server asks.
#[derive(Debug, Default)]
pub struct Witnesses {
    policy: Policy,
    /// The size of the checkpoint that was cosigned last.
    turn: Mutex<u64>,
    /// Of each witness and monitor with an address, in the order of the policy.
    asked: Vec<Asked>,
}

/// How often a witness or monitor was asked.
#[derive(Debug)]
struct Asked {
    name: String,
    cosigned: AtomicU64,
    failed: AtomicU64,
}

/// How often a witness or monitor has cosigned a checkpoint, and how often it has not, since the server
/// started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The name of the witness or monitor, as the policy has it.
    pub name: String,
    /// How often it has cosigned.
    pub cosigned: u64,
    /// How often it was asked and has not.
    pub failed: u64,
}

impl Witnesses {
    /// The witnesses of a policy. Only those with addresses are asked.
    pub fn new(policy: Policy) -> Self {
        let turn = Mutex::default();
        let witnesses = policy.witnesses().iter().chain(policy.monitors());
        let asked = witnesses.filter(|one| one.url.is_some()).map(|one| Asked {
            name: one.name.clone(),
            cosigned: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        });
        let asked = asked.collect();
        Self {
            policy,
            turn,
            asked,
        }
    }

    /// How often each witness and monitor that is asked has cosigned.
    pub fn cosignatures(&self) -> Vec<Cosigned> {
        let asked = self.asked.iter();
        let counts = asked.map(|asked| Cosigned {
            name: asked.name.clone(),
            cosigned: asked.cosigned.load(Ordering::Relaxed),
            failed: asked.failed.load(Ordering::Relaxed),
        });
        counts.collect()
    }

    /// Counts whether a witness or monitor has cosigned.
    fn count(&self, name: &str, cosigned: bool) {
        for asked in self.asked.iter().filter(|asked| asked.name == name) {
            let count = match cosigned {
                true => &asked.cosigned,
                false => &asked.failed,
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
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
            self.cosign(notary, &newest, *before)?;
            *before = newest.checkpoint.size;
        }
        Ok(made)
    }

    /// Asks every witness and monitor that has an address and has not cosigned yet, and stores their
    /// cosignatures. `before` is the size of the checkpoint that they were asked for before.
    ///
    /// # Errors
    /// When the ledger or its checkpoints cannot be read or written. A witness or monitor that does not answer
    /// is only logged.
    fn cosign(
        &self,
        notary: &Notary,
        signed: &SignedCheckpoint,
        before: u64,
    ) -> Result<(), NotaryError> {
        let mut signatures = Vec::new();
        for witness in self.policy.witnesses() {
            let has = signed.note.verify([&witness.key]).is_ok();
            let Some(url) = witness.url.as_deref().filter(|_| !has) else {
                continue;
            };
            match ask(notary, witness, url, signed) {
                Ok(found) => {
                    self.count(&witness.name, true);
                    signatures.extend(found);
                }
                Err(AskError::Notary(error)) => return Err(error),
                Err(error) => {
                    self.count(&witness.name, false);
                    tracing::warn!(witness = %witness.name, %error, "a witness did not cosign");
                }
            }
        }
        if !signatures.is_empty() {
            notary.add_cosignatures(signed.checkpoint.size, signatures)?;
        }
        // Monitors see what witnesses have cosigned, and need the checkpoint published first.
        for monitor in self.policy.monitors() {
            let has = signed.note.verify([&monitor.key]).is_ok();
            let Some(url) = monitor.url.as_deref().filter(|_| !has) else {
                continue;
            };
            match monitors::ask(monitor, url, signed, before) {
                Ok(found) => {
                    self.count(&monitor.name, true);
                    notary.add_cosignatures(signed.checkpoint.size, [found])?;
                }
                Err(error) => {
                    self.count(&monitor.name, false);
                    tracing::warn!(monitor = %monitor.name, %error, "a monitor did not cosign");
                }
            }
        }
        Ok(())
    }
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
