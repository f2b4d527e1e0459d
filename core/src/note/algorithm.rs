//! The kinds of keys, and what each of them signs.

use super::KeyError;

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// The text of a note. This is the signature of a log.
    Ed25519,
    /// The text of a note together with a time. This is the cosignature of a witness, who says that
    /// the log has only grown.
    Cosignature,
    /// The text of a note together with a time and with what was computed again. This is the cosignature
    /// of a monitor, who says more than a witness: every entry was followed.
    Monitor,
}

/// The type of a monitor's key. C2SP `signed-note` has no number for it, so it is 255 and a name.
const MONITOR_TYPE: &[u8] = b"\xffplanledger monitor v1";
/// What a monitor says of a checkpoint, before the time and the text of the note.
const MONITOR_SAYS: &str = "planledger monitor v1\n\
    recomputed: entries, times, revisions, links, heads, root\n";

impl Algorithm {
    const ALL: [Self; 3] = [Self::Ed25519, Self::Cosignature, Self::Monitor];

    /// The bytes that stand before a public key of this kind.
    pub(super) const fn type_bytes(self) -> &'static [u8] {
        match self {
            Self::Ed25519 => &[1],
            Self::Cosignature => &[4],
            Self::Monitor => MONITOR_TYPE,
        }
    }

    /// Reads the type that stands before a public key. Gives it and the key.
    pub(super) fn split(bytes: &[u8]) -> Result<(Self, &[u8]), KeyError> {
        for algorithm in Self::ALL {
            if let Some(key) = bytes.strip_prefix(algorithm.type_bytes()) {
                return Ok((algorithm, key));
            }
        }
        let first = bytes.first().ok_or(KeyError::Malformed)?;
        Err(KeyError::Algorithm(*first))
    }

    /// The text that is signed: that of the note itself, or with a time in seconds since 1970.
    pub(super) fn signed(self, text: &str, time: u64) -> String {
        match self {
            Self::Ed25519 => text.to_owned(),
            Self::Cosignature => format!("cosignature/v1\ntime {time}\n{text}"),
            Self::Monitor => format!("{MONITOR_SAYS}time {time}\n{text}"),
        }
    }

    /// Whether a signature begins with a time.
    pub(super) const fn states_time(self) -> bool {
        match self {
            Self::Ed25519 => false,
            Self::Cosignature | Self::Monitor => true,
        }
    }
}
