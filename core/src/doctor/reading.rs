//! Opens one event of a journal of which nothing is certain.

use crate::entry::{self, Entry};
use crate::journal::EntryRef;
use crate::ledger::sealer;
use crate::seal::{self, EventKey, KeyStore};

/// Why a payload is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It was overwritten with zeros.
    Redacted,
    /// The key was destroyed.
    Erased,
    /// The bytes are not those that the entry names.
    Damaged,
    /// The key store does not have the key.
    KeyMissing,
    /// The key store has another key under that id.
    WrongKey,
    /// What was sealed is no JSON.
    NoJson,
}

impl Why {
    pub(crate) const ALL: [Self; 6] = [
        Self::Redacted,
        Self::Erased,
        Self::Damaged,
        Self::KeyMissing,
        Self::WrongKey,
        Self::NoJson,
    ];

    /// As an export says it.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Redacted => "redacted",
            Self::Erased => "erased",
            Self::Damaged => "damaged",
            Self::KeyMissing => "key missing",
            Self::WrongKey => "wrong key",
            Self::NoJson => "no JSON",
        }
    }
}

/// An event as far as it can be opened.
pub(crate) struct Opened {
    /// The key of this one event; `None` if it is not there, or not the one that the entry names.
    pub(crate) key: Option<EventKey>,
    /// The JSON as it was sealed.
    pub(crate) payload: Result<Vec<u8>, Why>,
}

/// Opens an event whose entry is sound.
pub(crate) fn open(record: &EntryRef<'_>, entry: &Entry, keys: &KeyStore) -> Opened {
    let found = sealer::event_key(record.position, entry, keys);
    let named = |key: &EventKey| seal::commitment(key) == entry.key_commitment;
    let why_not = match &found {
        Ok(key) if named(key) => None,
        Ok(_) => Some(Why::WrongKey),
        Err(_) if keys.is_destroyed(entry.key) => Some(Why::Erased),
        Err(_) => Some(Why::KeyMissing),
    };
    let key = found.ok().filter(named);
    let payload = match (&key, why_not) {
        _ if record.is_redacted() => Err(Why::Redacted),
        (_, Some(Why::Erased)) => Err(Why::Erased),
        _ if !record.payload_is_sound() => Err(Why::Damaged),
        (Some(key), _) => {
            let prefix = entry::prefix(record.entry);
            let plain = seal::open(key, &entry.nonce, prefix, record.sealed);
            plain.map_err(|_| Why::WrongKey).and_then(checked)
        }
        (None, why) => Err(why.unwrap_or(Why::KeyMissing)),
    };
    Opened { key, payload }
}

fn checked(plain: Vec<u8>) -> Result<Vec<u8>, Why> {
    // Payloads have no white space. With a line feed it would be two lines.
    let json = serde_json::from_slice::<&serde_json::value::RawValue>(&plain);
    match json {
        Ok(_) if !plain.contains(&b'\n') => Ok(plain),
        Ok(_) | Err(_) => Err(Why::NoJson),
    }
}
