//! Checkpoints (C2SP `tlog-checkpoint`): a signed statement of how long the log is and what its
//! root is.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;

use crate::hash::Hash32;
use crate::ids::Position;
use crate::note::{Note, NoteError, Signer, VerifierKey};
use crate::time::Timestamp;

/// The state of a log: its name, the number of its entries, and the root of the tree over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// The number of entries. This is also the position of the last one.
    pub size: u64,
    /// The root of the RFC 6962 tree over the entries.
    pub root: Hash32,
}

/// Why a note is not a checkpoint that may be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The bytes are not a note, or no known key signed it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text does not consist of an origin, a size and a root, with no empty line after them.
    #[error("line {line} of the checkpoint is not {expected}")]
    Malformed {
        /// The number of the line, from 1.
        line: usize,
        /// What the line should hold.
        expected: &'static str,
    },
    /// The checkpoint belongs to another log.
    #[error("the checkpoint belongs to the log {found}, not to {expected}")]
    Origin {
        /// The log that the checkpoint names.
        found: String,
        /// The log that it should name.
        expected: String,
    },
}

impl Checkpoint {
    /// The position of the last entry.
    pub fn position(&self) -> Position {
        Position::new(self.size)
    }

    /// The text of the note, as it is signed.
    pub fn text(&self) -> String {
        let root = BASE64.encode(self.root);
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// Reads the text of a note. It ignores further lines: other software may add them, and no log
    /// can be held to what they say.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`]
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let malformed = |line, expected| CheckpointError::Malformed { line, expected };
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let origin = lines.next().unwrap_or_default();
        if origin.is_empty() {
            return Err(malformed(1, "the log's name"));
        }
        let digits = lines.next().unwrap_or_default();
        let canonical = |size: &u64| size.to_string() == digits;
        let size = digits.parse().ok().filter(canonical);
        let size = size.ok_or(malformed(2, "the log's size"))?;
        let root = BASE64.decode(lines.next().unwrap_or_default());
        let root = root.ok().and_then(|root| root.try_into().ok());
        let root = root.ok_or(malformed(3, "a root of 32 bytes in base64"))?;
        if let Some((line, _)) = (4..).zip(lines).find(|(_, line)| line.is_empty()) {
            return Err(malformed(line, "an extension"));
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }
}

/// A checkpoint with its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The checkpoint, read from the note's text.
    pub checkpoint: Checkpoint,
    /// The note, with all its signatures.
    pub note: Note,
}

impl SignedCheckpoint {
    /// Signs a checkpoint.
    pub fn sign(checkpoint: Checkpoint, signer: &Signer, now: Timestamp) -> Self {
        let text = checkpoint.text();
        let signature = signer.sign(&text, now);
        let note = Note::new(text, vec![signature]);
        Self { checkpoint, note }
    }

    /// Reads a checkpoint. It does not check who signed it.
    ///
    /// # Errors
    /// [`CheckpointError`]
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Self { checkpoint, note })
    }

    /// Checks that the checkpoint names the log of one of these keys, and that this key signed it.
    /// Returns the key.
    ///
    /// # Errors
    /// [`CheckpointError`]
    pub fn verify<'k>(
        &self,
        logs: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<&'k VerifierKey, CheckpointError> {
        let verified = self.note.verify(logs)?;
        let origin = &self.checkpoint.origin;
        match verified.iter().find(|by| by.key.name() == origin) {
            Some(by) => Ok(by.key),
            None => Err(CheckpointError::Origin {
                found: origin.clone(),
                expected: verified
                    .first()
                    .map(|by| by.key.name().to_owned())
                    .unwrap_or_default(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Algorithm;
    use super::*;

    #[test]
    fn a_checkpoint_reads_back_and_is_of_its_log_only() {
        let log = Signer::new("log.example/1", Algorithm::Ed25519, [1; 32]).unwrap();
        let checkpoint = Checkpoint {
            origin: "log.example/1".to_owned(),
            size: 20_852_163,
            root: [7; 32],
        };
        let signed = SignedCheckpoint::sign(checkpoint.clone(), &log, Timestamp::default());
        let read = SignedCheckpoint::parse(signed.note.to_string().as_bytes()).unwrap();
        assert_eq!(read, signed);
        let key = log.verifier();
        assert_eq!(read.verify([&key]), Ok(&key));
        let moved = Checkpoint {
            origin: "log.example/2".to_owned(),
            ..checkpoint
        };
        let moved = SignedCheckpoint::sign(moved, &log, Timestamp::default());
        assert!(matches!(
            moved.verify([&key]),
            Err(CheckpointError::Origin { .. })
        ));
    }

    #[test]
    fn every_line_has_one_form() {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        let line = |text: &str| match Checkpoint::parse(text) {
            Err(CheckpointError::Malformed { line, .. }) => line,
            other => panic!("{text:?}: {other:?}"),
        };
        assert!(Checkpoint::parse(&format!("a\n0\n{root}\n")).is_ok());
        assert!(Checkpoint::parse(&format!("a\n0\n{root}\nmore\n")).is_ok());
        assert_eq!(line(&format!("\n0\n{root}\n")), 1);
        for size in [
            "",
            "00",
            "01",
            "-1",
            "+1",
            " 1",
            "1 ",
            "18446744073709551616",
            "x",
        ] {
            assert_eq!(line(&format!("a\n{size}\n{root}\n")), 2);
        }
        assert_eq!(line("a\n0\n\n"), 3);
        assert_eq!(line("a\n0\nAAAA\n"), 3);
        assert_eq!(line("a\n0\n"), 3);
        assert_eq!(line(&format!("a\n0\n{root}\n\nb\n")), 4);
    }
}
