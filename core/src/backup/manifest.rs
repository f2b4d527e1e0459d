//! What a backup holds: a list of files in parts, and how far the ledger had come, signed by the key that
//! signs the ledger's checkpoints.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::hash::{Context, Hash32};
use crate::hex;
use crate::ids::{CommitSeq, LedgerId, Position};
use crate::merkle::Frontier;
use crate::note::{Note, NoteError, Signer, VerifierKey};
use crate::time::Timestamp;

const TITLE: &str = "planledger backup v1";
static BODY: Context = Context::new("planledger v1 2026-11-30 backup manifest");
static OBJECT: Context = Context::new("planledger v1 2026-11-30 backup object");

/// Greatest length of a part.
pub(super) const PART_BYTES: usize = 16 << 20;
/// Files that changed so shortly before they were read are read again: the clock of a file system may
/// not tell two changes apart.
const SETTLED: u64 = 2_000_000_000;

/// What a backup holds, and what it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The number of the backup, from 1.
    pub number: u64,
    /// The ledger.
    pub ledger: LedgerId,
    /// When the backup was begun.
    pub made_at: Timestamp,
    /// The last commit in it.
    pub commit: CommitSeq,
    /// The last event in it; 0 if there is none.
    pub position: Position,
    /// The latest instant in its journal.
    pub recorded_at: Timestamp,
    /// Root of the RFC 6962 tree over its events.
    #[serde(with = "crate::hex::digits")]
    pub root: Hash32,
    /// The key that signs the ledger's checkpoints, and this manifest.
    pub key: String,
    /// The files, in the order in which they were copied.
    pub files: Vec<FileCopy>,
    /// The files that lie in the place for keys.
    pub keys: Vec<FileCopy>,
}

/// The copy of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCopy {
    /// Its path in the ledger's directory.
    pub name: String,
    /// Its length, in bytes.
    pub len: u64,
    /// Its parts, in order.
    pub parts: Vec<PartCopy>,
    /// How the file looked when it was read, if it is one that no longer grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// Where the journal is after it, if it is one of its segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<SegmentEnd>,
}

/// A part of a file: the object with this hash.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartCopy {
    /// Hash of its bytes.
    #[serde(with = "crate::hex::digits")]
    pub hash: Hash32,
    /// Its length, in bytes.
    pub len: u64,
}

/// How a file looked when it was read. A file that still looks so has not been written to since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When its bytes were last changed, in nanoseconds since 1970.
    pub modified: i128,
    /// When anything of it was last changed, which nobody can set.
    pub changed: i128,
    /// Its number in the file system.
    pub file: u64,
    /// The instant just before it was read.
    pub at: Timestamp,
}

/// Where a journal is after a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentEnd {
    /// The last commit.
    pub commit: CommitSeq,
    /// The last event.
    pub position: Position,
    /// The peaks of the tree over all events so far, as hexadecimal digits.
    pub peaks: Vec<String>,
}

/// Why a manifest is not one that may be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The bytes are not a manifest.
    #[error("is damaged, or of another version")]
    Malformed,
    /// The key did not sign it.
    #[error("is not signed by the key: {0}")]
    Unsigned(NoteError),
    /// Its bytes are not those that were signed.
    #[error("was changed after it was signed")]
    Changed,
}

/// A manifest as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub manifest: Manifest,
    /// The key that signed it.
    pub key: VerifierKey,
}

impl Manifest {
    /// The bytes to be stored: a signed note, an empty line, and the manifest as JSON.
    ///
    /// # Errors
    /// [`ManifestError::Malformed`] never, unless the program is wrong.
    pub fn sign(&self, signer: &Signer) -> Result<Vec<u8>, ManifestError> {
        let body = serde_json::to_vec(self).map_err(|_| ManifestError::Malformed)?;
        let text = text(signer.verifier().name(), &body);
        let signature = signer.sign(&text, self.made_at);
        let note = Note::new(text, vec![signature]).to_string();
        Ok([note.as_bytes(), b"\n", &body].concat())
    }

    /// All parts of its files, or of those in the place for keys.
    pub fn parts(files: &[FileCopy]) -> impl Iterator<Item = &PartCopy> {
        files.iter().flat_map(|file| &file.parts)
    }

    /// The copy of the file with this name.
    pub fn file(&self, name: &str) -> Option<&FileCopy> {
        self.files.iter().find(|file| file.name == name)
    }
}

impl Signed {
    /// Reads a stored manifest. It has to be signed by `key`, or if none is given, by the key that it
    /// names itself: then it proves only that nobody changed it by accident.
    ///
    /// # Errors
    /// [`ManifestError`]
    pub fn read(bytes: &[u8], key: Option<&VerifierKey>) -> Result<Self, ManifestError> {
        let malformed = || ManifestError::Malformed;
        // The note's text and its signatures each end with an empty line.
        let blank = |from: usize| {
            let rest = bytes.get(from..)?;
            let at = rest.windows(2).position(|pair| pair == b"\n\n")?;
            Some(from + at + 2)
        };
        let end = blank(0).and_then(blank).ok_or_else(malformed)?;
        let (note, body) = bytes.split_at(end);
        let note = note.strip_suffix(b"\n").ok_or_else(malformed)?;
        let note = Note::parse(note).map_err(|_| malformed())?;
        let manifest: Manifest = serde_json::from_slice(body).map_err(|_| malformed())?;
        let named: VerifierKey = manifest.key.parse().map_err(|_| malformed())?;
        let key = key.unwrap_or(&named);
        note.verify([key]).map_err(ManifestError::Unsigned)?;
        if note.text() != text(key.name(), body) {
            return Err(ManifestError::Changed);
        }
        Ok(Self {
            key: key.clone(),
            manifest,
        })
    }
}

/// What is signed. Its third line is no number, so nobody can take it for a checkpoint.
fn text(origin: &str, body: &[u8]) -> String {
    let hash = BASE64.encode(BODY.hash(body));
    format!("{TITLE}\n{origin}\nmanifest {hash}\n")
}

impl PartCopy {
    /// The part with these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            hash: OBJECT.hash(bytes),
            len: bytes.len() as u64,
        }
    }

    /// The name of its object in a place.
    pub fn object(&self) -> String {
        format!("{OBJECTS}/{}", hex::encode(&self.hash))
    }
}

/// The folder of the objects.
pub(super) const OBJECTS: &str = "objects";
/// The folder of the manifests.
pub(super) const MANIFESTS: &str = "manifests";

/// The name of a manifest in its place.
pub(super) fn manifest_name(number: u64) -> String {
    format!("{MANIFESTS}/{number:08}")
}

impl FileCopy {
    /// Whether the file need not be read again: it looks as it did when this copy was made.
    pub fn is_of(&self, len: u64, now: &Seen) -> bool {
        self.seen.is_some_and(|then| {
            let settled = then.modified.max(then.changed) + i128::from(SETTLED);
            self.len == len
                && (then.modified, then.changed, then.file) == (now.modified, now.changed, now.file)
                && settled < i128::from(then.at.nanos())
        })
    }
}

impl SegmentEnd {
    pub(super) fn new(commit: CommitSeq, frontier: &Frontier) -> Self {
        Self {
            commit,
            position: Position::new(frontier.size()),
            peaks: frontier
                .peaks()
                .iter()
                .map(|peak| hex::encode(peak))
                .collect(),
        }
    }

    /// The tree over all events so far; `None` if the peaks are not those of a tree of this size.
    pub(super) fn frontier(&self) -> Option<Frontier> {
        let peaks = self.peaks.iter().map(|peak| hex::decode(peak));
        Frontier::from_parts(self.position.get(), peaks.collect::<Option<_>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Algorithm;

    fn signer(seed: u8) -> Signer {
        Signer::new("log.example", Algorithm::Ed25519, [seed; 32]).unwrap()
    }

    fn manifest() -> Manifest {
        Manifest {
            number: 3,
            ledger: LedgerId::from_bytes([1; 16]),
            made_at: Timestamp::from_nanos(5),
            commit: CommitSeq::new(2),
            position: Position::new(4),
            recorded_at: Timestamp::from_nanos(4),
            root: [7; 32],
            key: signer(1).verifier().to_string(),
            files: vec![FileCopy {
                name: "journal/segment-00000001.log".to_owned(),
                len: 3,
                parts: vec![PartCopy::of(b"abc")],
                seen: None,
                end: None,
            }],
            keys: Vec::new(),
        }
    }

    #[test]
    fn a_manifest_reads_back_and_every_changed_byte_is_noticed() {
        let bytes = manifest().sign(&signer(1)).unwrap();
        let read = Signed::read(&bytes, None).unwrap();
        assert_eq!(read.manifest, manifest());
        assert_eq!(Signed::read(&bytes, Some(&signer(1).verifier())), Ok(read));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Signed::read(&changed, None).is_err(), "byte {at}");
        }
        assert!(matches!(
            Signed::read(&bytes, Some(&signer(2).verifier())),
            Err(ManifestError::Unsigned(_))
        ));
    }

    #[test]
    fn a_file_is_read_again_unless_it_looks_the_same_and_had_settled_when_it_was_read() {
        let second = 1_000_000_000;
        let seen = |changed: i128, at: u64| Seen {
            modified: 10 * i128::from(second),
            changed,
            file: 7,
            at: Timestamp::from_nanos(at),
        };
        let copy = |at| FileCopy {
            seen: Some(seen(10 * i128::from(second), at)),
            ..manifest().files.remove(0)
        };
        let now = seen(10 * i128::from(second), 99 * second);
        assert!(copy(13 * second).is_of(3, &now));
        assert!(!copy(13 * second).is_of(4, &now));
        assert!(!copy(11 * second).is_of(3, &now), "it had just changed");
        let touched = seen(11 * i128::from(second), 99 * second);
        assert!(!copy(13 * second).is_of(3, &touched));
        assert!(!manifest().files.remove(0).is_of(3, &now));
    }
}
