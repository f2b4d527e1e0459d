//! Makes the entry that is appended from an event, and the event from an entry.

use zeroize::Zeroizing;

use super::ReadError;
use crate::domain::{Actor, Event, EventMeta, EventType, PayloadError};
use crate::entry::{self, Entry, EntryBytes};
use crate::hash::Hash32;
use crate::ids::{CommandId, Position, Revision, StreamId};
use crate::journal::NewEntry;
use crate::seal::{self, EventKey, KeyStore, ScopeKey, SealError};
use crate::time::Timestamp;

/// What an entry says about an event, apart from the event itself.
pub(crate) struct About {
    pub(crate) stream: StreamId,
    pub(crate) revision: Revision,
    pub(crate) previous_link: Hash32,
    pub(crate) back: Position,
    pub(crate) command: CommandId,
    pub(crate) actor: Actor,
    pub(crate) on_behalf_of: Option<Actor>,
    pub(crate) recorded_at: Timestamp,
    pub(crate) nonce: [u8; 24],
}

/// Why an event cannot be sealed. This never happens to events that the rules and size limits let
/// through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealingError {
    #[error("an event cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("an event {0}")]
    Seal(#[from] SealError),
}

/// An event that was decided and is not sealed yet. Its text is wiped from memory when it is dropped.
pub(super) struct Unsealed {
    about: About,
    event_type: (u16, u16),
    plain: Zeroizing<Vec<u8>>,
    key: ScopeKey,
}

impl Unsealed {
    /// An event that will be sealed under this key. If the entry before it in its stream is not sealed
    /// yet either, the previous link in `about` is of no account.
    ///
    /// # Errors
    /// [`SealingError`] when the event is too long, or cannot be written as JSON.
    pub(super) fn new(about: About, event: &Event, key: ScopeKey) -> Result<Self, SealingError> {
        let event_type = event.event_type();
        let plain = Zeroizing::new(event.to_json()?);
        sealed_len(plain.len())?;
        Ok(Self {
            about,
            event_type: (event_type.code, event_type.schema),
            plain,
            key,
        })
    }

    /// How many bytes its entry and its payload have.
    pub(super) fn len(&self) -> usize {
        entry::ENTRY_LEN + self.plain.len() + entry::TAG_LEN
    }

    /// The position of the entry before it in its stream; 0 if there is none.
    pub(super) fn back(&self) -> Position {
        self.about.back
    }

    /// Seals it. `previous` is the link of the entry before it, if that one was not known when it was
    /// decided.
    pub(super) fn seal(mut self, previous: Option<Hash32>) -> Result<NewEntry, SealError> {
        if let Some(link) = previous {
            self.about.previous_link = link;
        }
        let plain = std::mem::take(&mut *self.plain);
        seal_payload(self.about, self.event_type, plain, &self.key)
    }
}

/// The length of a sealed payload.
fn sealed_len(plain: usize) -> Result<u32, SealError> {
    u32::try_from(plain + entry::TAG_LEN).map_err(|_| SealError::TooLong)
}

/// Seals a payload of this type and schema.
pub(crate) fn seal_payload(
    about: About,
    (event_type, schema): (u16, u16),
    plain: Vec<u8>,
    key: &ScopeKey,
) -> Result<NewEntry, SealError> {
    let event_key = key.new_event_key(about.stream, about.revision, &about.nonce);
    let entry = Entry {
        stream: about.stream,
        revision: about.revision,
        previous_link: about.previous_link,
        event_type,
        schema,
        command: about.command,
        actor: about.actor,
        on_behalf_of: about.on_behalf_of,
        recorded_at: about.recorded_at,
        key: key.id,
        key_commitment: seal::commitment(&event_key),
        nonce: about.nonce,
        sealed_len: sealed_len(plain.len())?,
        sealed_hash: [0; 32],
    };
    let mut entry = entry.encode();
    let sealed = seal::seal_in_place(&event_key, &about.nonce, entry::prefix(&entry), plain)?;
    entry::put_sealed_hash(&mut entry, &entry::sealed_hash(&sealed));
    Ok(NewEntry::new(about.back, entry, sealed))
}

/// Decodes an entry of the journal.
pub(crate) fn read_entry(position: Position, bytes: &EntryBytes) -> Result<Entry, ReadError> {
    Entry::decode(bytes).map_err(|error| ReadError::Malformed {
        position,
        reason: error.to_string(),
    })
}

/// What an entry's payload holds.
pub(crate) enum Opened {
    /// The event's JSON.
    Json(Vec<u8>),
    /// This one payload was overwritten, and this JSON of the event is left, without its text.
    Left {
        /// The version of the shape of the JSON.
        schema: u16,
        /// The event's JSON.
        json: Vec<u8>,
    },
    /// Nothing: this one payload was overwritten.
    Redacted,
    /// Nothing that can be read: its person's key was destroyed.
    Erased,
}

impl Opened {
    /// The event's JSON and the version of its shape; `None` if nothing can be read.
    pub(crate) fn json(self, entry: &Entry) -> Option<(u16, Vec<u8>)> {
        match self {
            Self::Json(json) => Some((entry.schema, json)),
            Self::Left { schema, json } => Some((schema, json)),
            Self::Redacted | Self::Erased => None,
        }
    }
}

/// The key that opens an entry's payload and no other.
pub(crate) fn event_key(
    position: Position,
    entry: &Entry,
    keys: &KeyStore,
) -> Result<EventKey, ReadError> {
    let key = entry.key;
    match keys.by_id(key) {
        Some(key) => Ok(key.key_of(entry)),
        None if keys.is_destroyed(key) => Err(ReadError::Erased { position }),
        None => Err(ReadError::KeyMissing { position, key }),
    }
}

/// What an entry says about its event.
pub(crate) fn meta_of(entry: &Entry) -> EventMeta {
    EventMeta {
        stream: entry.stream,
        revision: entry.revision,
        recorded_at: entry.recorded_at,
        actor: entry.actor,
        on_behalf_of: entry.on_behalf_of,
    }
}

/// The error for a payload that cannot be decrypted.
pub(crate) fn sealed_wrong(position: Position, error: &SealError) -> ReadError {
    ReadError::Seal {
        position,
        reason: error.to_string(),
    }
}

/// Whether this version can read such an event. The entry alone says so, also for an event whose
/// payload was redacted: a newer version may fold such an event in another way than this version.
pub(crate) fn check_readable(position: Position, entry: &Entry) -> Result<(), ReadError> {
    let known = EventType::readable(entry.event_type, entry.schema);
    known.map_err(|error| unreadable(position, &error))?;
    Ok(())
}

/// Reads an event from its JSON, at any schema that this version knows.
pub(crate) fn read_event(
    position: Position,
    entry: &Entry,
    schema: u16,
    json: &[u8],
) -> Result<Event, ReadError> {
    let event = Event::from_json(entry.event_type, schema, json);
    let event = event.map_err(|error| unreadable(position, &error))?;
    if event.kind() == entry.stream.kind {
        Ok(event)
    } else {
        let reason = "the event does not fit the kind of its stream".to_owned();
        Err(ReadError::Malformed { position, reason })
    }
}

fn unreadable(position: Position, error: &PayloadError) -> ReadError {
    let reason = error.to_string();
    match error.needs_newer() {
        true => ReadError::Newer { position, reason },
        false => ReadError::Malformed { position, reason },
    }
}
