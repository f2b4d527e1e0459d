//! The newest checkpoint as a file beside the tiles.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::checkpoint::SignedCheckpoint;
use super::tiles::replace;

/// The name of the file.
pub(crate) const PUBLISHED: &str = "checkpoint";

/// Publishes a checkpoint in place of the one before.
pub(crate) fn publish(dir: &Path, signed: &SignedCheckpoint) -> io::Result<()> {
    replace(dir, PUBLISHED, signed.note.to_string().as_bytes())
}

/// Publishes the newest kept checkpoint again if a crash came before it was published, or has left
/// what is no checkpoint. One that is newer than the newest kept one stays: it shows that kept ones
/// were lost.
pub(crate) fn mend(dir: &Path, newest: &SignedCheckpoint) -> io::Result<()> {
    let found = match fs::read(dir.join(PUBLISHED)) {
        Ok(bytes) => SignedCheckpoint::parse(&bytes).ok(),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    match found.is_some_and(|found| found.checkpoint.size >= newest.checkpoint.size) {
        true => Ok(()),
        false => publish(dir, newest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::hash_leaf;
    use crate::note::{Algorithm, Signer};
    use crate::time::Timestamp;
    use crate::tlog::Checkpoint;

    fn of(size: u64) -> SignedCheckpoint {
        let signer = Signer::new("log.example/1", Algorithm::Ed25519, [1; 32]).unwrap();
        let checkpoint = Checkpoint {
            origin: "log.example/1".to_owned(),
            size,
            root: hash_leaf(b"leaf"),
        };
        SignedCheckpoint::sign(checkpoint, &signer, Timestamp::default())
    }

    #[test]
    fn what_a_crash_left_is_mended_and_what_is_newer_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(PUBLISHED);
        let text = |size| of(size).note.to_string().into_bytes();
        for (there, left) in [
            (None, text(7)),
            (Some(Vec::new()), text(7)),
            (Some(text(7).split_at(40).0.to_vec()), text(7)),
            (Some(text(6)), text(7)),
            (Some(text(7)), text(7)),
            (Some(text(8)), text(8)),
        ] {
            match there {
                Some(bytes) => fs::write(&path, bytes).unwrap(),
                None => assert!(!path.exists()),
            }
            mend(dir.path(), &of(7)).unwrap();
            assert_eq!(fs::read(&path).unwrap(), left);
        }
    }
}
