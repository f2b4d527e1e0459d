//! The rule of a witness (C2SP `tlog-witness`): it cosigns a log's checkpoint only if the log grew
//! from the checkpoint that it cosigned before. This module has neither network nor disk.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;

use super::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::hash::Hash32;
use crate::merkle::{Frontier, check_consistency};
use crate::note::{NoteSignature, Signer, VerifierKey};
use crate::time::Timestamp;

/// The most hashes that a consistency proof may have.
const MOST_HASHES: usize = 63;

/// A request to cosign a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness cosigned last, as far as the sender knows. 0 if it has cosigned
    /// none.
    pub old_size: u64,
    /// The consistency proof from that size.
    pub proof: Vec<Hash32>,
    /// The checkpoint to cosign.
    pub signed: SignedCheckpoint,
}

/// What a witness remembers about a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latest {
    /// The size of the checkpoint that it cosigned last.
    pub size: u64,
    /// The root of that checkpoint.
    pub root: Hash32,
}

/// Why a witness does not cosign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// The request does not have the right form.
    #[error("the request is malformed: {0}")]
    Malformed(String),
    /// The witness does not know the log.
    #[error("this witness does not know the log {0}")]
    UnknownLog(String),
    /// The log did not sign the checkpoint, or the signature is forged.
    #[error(transparent)]
    Signature(CheckpointError),
    /// The old size is larger than the size of the checkpoint.
    #[error("the old size {old} is larger than the checkpoint's {size}")]
    Backwards {
        /// The old size.
        old: u64,
        /// The size of the checkpoint.
        size: u64,
    },
    /// The witness did not cosign the old size last. Send the request again with the size that it
    /// names.
    #[error("the last checkpoint that this witness cosigned has size {latest}")]
    Conflict {
        /// The size that the witness cosigned last.
        latest: u64,
    },
    /// The witness cosigned another root at the same size: the log tells two histories.
    #[error(
        "this witness has cosigned another checkpoint of size {size} before: the log is forked"
    )]
    Forked {
        /// The size of both checkpoints.
        size: u64,
    },
    /// The log did not grow from the checkpoint that the witness cosigned: its history was
    /// rewritten.
    #[error("the checkpoint of size {size} does not continue the checkpoint of size {old}")]
    Inconsistent {
        /// The size that the witness cosigned last.
        old: u64,
        /// The size of the checkpoint.
        size: u64,
    },
}

impl WitnessError {
    /// The HTTP status that the protocol defines for this error.
    pub fn http_status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::Backwards { .. } => 400,
            Self::Signature(_) => 403,
            Self::UnknownLog(_) => 404,
            Self::Conflict { .. } | Self::Forked { .. } => 409,
            Self::Inconsistent { .. } => 422,
        }
    }
}

impl AddCheckpoint {
    /// The body of the request.
    pub fn body(&self) -> String {
        let mut body = format!("old {}\n", self.old_size);
        for hash in &self.proof {
            body += &BASE64.encode(hash);
            body.push('\n');
        }
        body.push('\n');
        body + &self.signed.note.to_string()
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`WitnessError::Malformed`]
    pub fn parse(body: &[u8]) -> Result<Self, WitnessError> {
        let malformed = |what: &str| WitnessError::Malformed(what.to_owned());
        let text = std::str::from_utf8(body).map_err(|_| malformed("the text is not UTF-8"))?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or_else(|| malformed("the empty line before the checkpoint is missing"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let size = |digits: &str| {
            let size: Option<u64> = digits.parse().ok();
            size.filter(|size| size.to_string() == digits)
        };
        let old_size = old
            .and_then(size)
            .ok_or_else(|| malformed("the first line is not `old SIZE`"))?;
        let hash = |line: &str| BASE64.decode(line).ok()?.try_into().ok();
        let proof: Option<Vec<Hash32>> = lines.map(hash).collect();
        let proof = proof.ok_or_else(|| malformed("a line of the proof is not a hash"))?;
        if proof.len() > MOST_HASHES {
            return Err(malformed("the proof has more than 63 hashes"));
        }
        let signed = SignedCheckpoint::parse(note.as_bytes())
            .map_err(|error| WitnessError::Malformed(error.to_string()))?;
        Ok(Self {
            old_size,
            proof,
            signed,
        })
    }
}

/// A request whose checkpoint is signed by a log that the witness knows.
#[derive(Clone, Copy, Debug)]
pub struct Genuine<'r>(&'r AddCheckpoint);

impl AddCheckpoint {
    /// Checks that the log signed the checkpoint. `logs` are the keys of the logs that the witness
    /// watches. This depends on nothing that a witness remembers.
    ///
    /// # Errors
    /// [`WitnessError::UnknownLog`], [`WitnessError::Signature`]
    pub fn genuine<'k>(
        &self,
        logs: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<Genuine<'_>, WitnessError> {
        let origin = &self.signed.checkpoint.origin;
        let keys: Vec<_> = logs
            .into_iter()
            .filter(|key| key.name() == origin)
            .collect();
        if keys.is_empty() {
            return Err(WitnessError::UnknownLog(origin.clone()));
        }
        let signed = self.signed.verify(keys);
        signed.map_err(WitnessError::Signature)?;
        Ok(Genuine(self))
    }
}

impl Genuine<'_> {
    /// Decides whether a witness cosigns. `latest` is what it remembers about this log. The witness must
    /// store the returned [`Latest`] durably before it sends the cosignature.
    ///
    /// # Errors
    /// [`WitnessError`]
    pub fn cosign(
        self,
        latest: Option<Latest>,
        signer: &Signer,
        now: Timestamp,
    ) -> Result<(Latest, NoteSignature), WitnessError> {
        let Self(request) = self;
        let checkpoint = &request.signed.checkpoint;
        let (old, size) = (request.old_size, checkpoint.size);
        if old > size {
            return Err(WitnessError::Backwards { old, size });
        }
        let empty = Frontier::default().root();
        // All logs share the same tree of no entries.
        let known = latest.filter(|latest| latest.size > 0).unwrap_or(Latest {
            size: 0,
            root: empty,
        });
        if old != known.size {
            let latest = known.size;
            return Err(WitnessError::Conflict { latest });
        }
        if old == size && checkpoint.root != known.root {
            return Err(WitnessError::Forked { size });
        }
        let inconsistent = WitnessError::Inconsistent { old, size };
        match (old, request.proof.is_empty()) {
            // Every tree begins with the empty tree, so there is nothing to prove.
            (0, true) => {}
            (0, false) => return Err(inconsistent),
            _ => check_consistency(old, size, &request.proof, &known.root, &checkpoint.root)
                .map_err(|_| inconsistent)?,
        }
        let root = checkpoint.root;
        let signature = signer.sign(request.signed.note.text(), now);
        Ok((Latest { size, root }, signature))
    }
}

/// Checks a request and decides on it: [`AddCheckpoint::genuine`] and [`Genuine::cosign`], one after the
/// other. `logs` are the keys of the logs that the witness watches.
///
/// # Errors
/// [`WitnessError`]
pub fn add_checkpoint(
    request: &AddCheckpoint,
    logs: &[VerifierKey],
    latest: Option<Latest>,
    signer: &Signer,
    now: Timestamp,
) -> Result<(Latest, NoteSignature), WitnessError> {
    request.genuine(logs)?.cosign(latest, signer, now)
}

#[cfg(test)]
mod tests {
    use super::super::{Algorithm, Checkpoint};
    use super::*;
    use crate::merkle::hash_leaf;

    fn frontier(leaves: u64, salt: u8) -> Frontier {
        let mut frontier = Frontier::default();
        for n in 0..leaves {
            frontier.push(hash_leaf(&[salt, n as u8]));
        }
        frontier
    }

    /// The proof from a tree of 2 leaves to a tree of 3 is the third leaf.
    fn request(log: &Signer, old: u64, size: u64, salt: u8, proof: Vec<Hash32>) -> AddCheckpoint {
        let checkpoint = Checkpoint {
            origin: "log.example".to_owned(),
            size,
            root: frontier(size, salt).root(),
        };
        AddCheckpoint {
            old_size: old,
            proof,
            signed: SignedCheckpoint::sign(checkpoint, log, Timestamp::default()),
        }
    }

    #[test]
    fn a_witness_cosigns_growth_and_nothing_else() {
        let log = Signer::new("log.example", Algorithm::Ed25519, [1; 32]).unwrap();
        let witness = Signer::new("w.example", Algorithm::Cosignature, [2; 32]).unwrap();
        let logs = [log.verifier()];
        let now = Timestamp::from_nanos(1);
        let ask = |request: &AddCheckpoint, latest| {
            let parsed = AddCheckpoint::parse(request.body().as_bytes()).unwrap();
            assert_eq!(&parsed, request);
            add_checkpoint(&parsed, &logs, latest, &witness, now)
        };
        let first = request(&log, 0, 2, 0, Vec::new());
        let (latest, signature) = ask(&first, None).unwrap();
        let mut note = first.signed.note.clone();
        note.add(signature);
        assert_eq!(note.verify([&witness.verifier()]).unwrap().len(), 1);
        let third = hash_leaf(&[0, 2]);
        let grown = request(&log, 2, 3, 0, vec![third]);
        let (latest, _) = ask(&grown, Some(latest)).unwrap();
        assert_eq!(latest.size, 3);
        // The same request again, although the log has not grown.
        let same = request(&log, 3, 3, 0, Vec::new());
        assert!(ask(&same, Some(latest)).is_ok());
        let status =
            |request: &AddCheckpoint, latest| ask(request, latest).unwrap_err().http_status();
        assert_eq!(status(&grown, Some(latest)), 409);
        let forked = request(&log, 3, 3, 1, Vec::new());
        assert_eq!(status(&forked, Some(latest)), 409);
        let padded = request(&log, 3, 3, 0, vec![third]);
        assert_eq!(status(&padded, Some(latest)), 422);
        let mut empty = request(&log, 0, 0, 0, Vec::new()).signed.checkpoint;
        empty.root = third;
        let signed = SignedCheckpoint::sign(empty, &log, now);
        let (old_size, proof) = (0, Vec::new());
        let nothing = AddCheckpoint {
            old_size,
            proof,
            signed,
        };
        assert_eq!(status(&nothing, None), 409);
        let shrunk = request(&log, 3, 2, 0, Vec::new());
        assert_eq!(status(&shrunk, Some(latest)), 400);
        let unproved = request(&log, 3, 4, 0, Vec::new());
        assert_eq!(status(&unproved, Some(latest)), 422);
        let stranger = Signer::new("log.example", Algorithm::Ed25519, [9; 32]).unwrap();
        let strange = request(&stranger, 0, 2, 0, Vec::new());
        assert_eq!(status(&strange, None), 403);
        let other = Signer::new("other.example", Algorithm::Ed25519, [1; 32]).unwrap();
        let mut unknown = request(&other, 0, 2, 0, Vec::new());
        unknown.signed.checkpoint.origin = "other.example".to_owned();
        let signed = unknown.signed.checkpoint.clone();
        unknown.signed = SignedCheckpoint::sign(signed, &other, now);
        assert_eq!(status(&unknown, None), 404);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for body in [
            "",
            "old 1\n",
            "old 01\n\nx",
            "new 1\n\nx",
            "old 1\nAAAA\n\nx",
            "old 1\n\nx",
        ] {
            let error = AddCheckpoint::parse(body.as_bytes()).unwrap_err();
            assert_eq!(error.http_status(), 400, "{body:?}");
        }
    }
}
