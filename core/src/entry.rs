//! The entry: what is hashed, linked and proved about one event. 230 bytes, described in
//! `core/DESIGN.md`. It holds no plain text, so it can be shown to anyone who checks the log.

use crate::actor::Actor;
use crate::fields::{FieldWriter, Fields};
use crate::hash::Context;
pub use crate::hash::Hash32;
use crate::ids::{CommandId, KeyId, PersonId, Revision, StreamId, SystemId};
use crate::merkle;
use crate::time::Timestamp;

/// Length of an encoded entry.
pub const ENTRY_LEN: usize = 230;
/// Length of the part of an entry that its payload is sealed with.
pub const PREFIX_LEN: usize = 194;
/// Length of what the cipher adds to a payload.
pub const TAG_LEN: usize = 16;

const VERSION: u8 = 1;
static LINK: Context = Context::new("planledger v1 2026-11-23 entry link");
static SEALED: Context = Context::new("planledger v1 2026-11-23 sealed payload");

/// An encoded entry.
pub type EntryBytes = [u8; ENTRY_LEN];

/// An entry's fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its place in the stream, from 1.
    pub revision: Revision,
    /// [`link`] of the stream's previous entry; zeros at revision 1.
    pub previous_link: Hash32,
    /// Number of the event type.
    pub event_type: u16,
    /// Version of the payload's shape.
    pub schema: u16,
    /// The command that led to it.
    pub command: CommandId,
    /// Who acted.
    pub actor: Actor,
    /// For whom, if for somebody else.
    pub on_behalf_of: Option<Actor>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The key whose event key seals the payload.
    pub key: KeyId,
    /// Commitment to the event key.
    pub key_commitment: Hash32,
    /// The cipher's nonce.
    pub nonce: [u8; 24],
    /// Length of the sealed payload in bytes.
    pub sealed_len: u32,
    /// [`sealed_hash`] of the sealed payload.
    pub sealed_hash: Hash32,
}

/// Why bytes are not an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The length field is not that of this version.
    #[error("the entry has {0} bytes, not 228")]
    Length(u16),
    /// Written by a newer version of planledger.
    #[error("the entry has version {0}, which this version of planledger does not know")]
    Version(u8),
    /// A stream or actor kind that this version does not know.
    #[error("{field} has the value {value}, which is not known")]
    Kind {
        /// Which field.
        field: &'static str,
        /// The byte found.
        value: u8,
    },
    /// The revision is zero, or the payload is shorter than the cipher's tag.
    #[error("{0} is outside its range")]
    Range(&'static str),
    /// Nobody acts on behalf of nobody: the id beside the zero kind is not zero.
    #[error("on-behalf-of has an id but no kind")]
    Stray,
}

impl Entry {
    /// The entry's 230 bytes.
    pub fn encode(&self) -> EntryBytes {
        let mut writer = FieldWriter::<ENTRY_LEN>::new();
        writer.put(&((ENTRY_LEN - 2) as u16).to_be_bytes());
        writer.put(&[VERSION]);
        writer.put(&self.stream.to_bytes());
        writer.put(&self.revision.get().to_be_bytes());
        writer.put(&self.previous_link);
        writer.put(&self.event_type.to_be_bytes());
        writer.put(&self.schema.to_be_bytes());
        writer.put(self.command.as_bytes());
        writer.put(&actor_bytes(Some(self.actor)));
        writer.put(&actor_bytes(self.on_behalf_of));
        writer.put(&self.recorded_at.nanos().to_be_bytes());
        writer.put(self.key.as_bytes());
        writer.put(&self.key_commitment);
        writer.put(&self.nonce);
        writer.put(&self.sealed_len.to_be_bytes());
        writer.put(&self.sealed_hash);
        writer.finish()
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// [`EntryError`] when the bytes are not an entry of this version. Every value that decodes
    /// encodes to the same bytes again.
    pub fn decode(bytes: &EntryBytes) -> Result<Self, EntryError> {
        let mut fields = Fields(bytes);
        let length = u16::from_be_bytes(fields.take());
        if usize::from(length) != ENTRY_LEN - 2 {
            return Err(EntryError::Length(length));
        }
        let [version] = fields.take();
        if version != VERSION {
            return Err(EntryError::Version(version));
        }
        let stream = fields.take::<{ StreamId::LEN }>();
        let [value, ..] = stream;
        let stream = StreamId::from_bytes(&stream).ok_or(EntryError::Kind {
            field: "stream kind",
            value,
        })?;
        let revision = Revision::new(fields.u64());
        if revision == Revision::ZERO {
            return Err(EntryError::Range("revision"));
        }
        let previous_link = fields.take();
        let event_type = u16::from_be_bytes(fields.take());
        let schema = u16::from_be_bytes(fields.take());
        let command = CommandId::from_bytes(fields.take());
        let actor = read_actor("actor kind", fields.take())?.ok_or(EntryError::Kind {
            field: "actor kind",
            value: 0,
        })?;
        let on_behalf_of = read_actor("on-behalf-of kind", fields.take())?;
        let entry = Self {
            stream,
            revision,
            previous_link,
            event_type,
            schema,
            command,
            actor,
            on_behalf_of,
            recorded_at: Timestamp::from_nanos(fields.u64()),
            key: KeyId::from_bytes(fields.take()),
            key_commitment: fields.take(),
            nonce: fields.take(),
            sealed_len: fields.u32(),
            sealed_hash: fields.take(),
        };
        fields.finish();
        if (entry.sealed_len as usize) < TAG_LEN {
            return Err(EntryError::Range("sealed payload length"));
        }
        Ok(entry)
    }
}

/// Puts the hash of the sealed payload into an encoded entry, where there is another value so far.
pub(crate) fn put_sealed_hash(entry: &mut EntryBytes, hash: &Hash32) {
    let (_, last) = entry.split_at_mut(ENTRY_LEN - hash.len());
    last.copy_from_slice(hash);
}

/// The part of an encoded entry that its payload is sealed with.
pub fn prefix(entry: &EntryBytes) -> &[u8] {
    let (prefix, _) = entry.split_at(PREFIX_LEN);
    prefix
}

/// The link that the stream's next entry names.
pub fn link(entry: &EntryBytes) -> Hash32 {
    LINK.hash(entry)
}

/// The RFC 6962 leaf hash of an entry.
pub fn leaf(entry: &EntryBytes) -> Hash32 {
    merkle::hash_leaf(entry)
}

/// The hash that an entry keeps of its sealed payload.
pub fn sealed_hash(sealed: &[u8]) -> Hash32 {
    SEALED.hash(sealed)
}

const NOBODY: u8 = 0;
const PERSON: u8 = 1;
const SYSTEM: u8 = 2;

fn actor_bytes(actor: Option<Actor>) -> [u8; 17] {
    let (kind, id) = match &actor {
        None => (NOBODY, &[0; 16]),
        Some(Actor::Person(id)) => (PERSON, id.as_bytes()),
        Some(Actor::System(id)) => (SYSTEM, id.as_bytes()),
    };
    let mut bytes = [kind; 17];
    let (_, to) = bytes.split_at_mut(1);
    to.copy_from_slice(id);
    bytes
}

fn read_actor(field: &'static str, bytes: [u8; 17]) -> Result<Option<Actor>, EntryError> {
    let mut fields = Fields(&bytes);
    let [kind] = fields.take();
    let id: [u8; 16] = fields.take();
    match kind {
        NOBODY if id == [0; 16] => Ok(None),
        NOBODY => Err(EntryError::Stray),
        PERSON => Ok(Some(Actor::Person(PersonId::from_bytes(id)))),
        SYSTEM => Ok(Some(Actor::System(SystemId::from_bytes(id)))),
        value => Err(EntryError::Kind { field, value }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn entries()(
            kind in 1u8..=7, ids in any::<[[u8; 16]; 4]>(), revision in 1u64.., links in any::<[[u8; 32]; 3]>(),
            types in any::<(u16, u16)>(), actors in (1u8..=2, 0u8..=2), time in any::<u64>(),
            nonce in any::<[u8; 24]>(), sealed_len in 16u32..,
        ) -> Entry {
            let actor = |kind| match kind {
                1 => Some(Actor::Person(PersonId::from_bytes(ids[2]))),
                2 => Some(Actor::System(SystemId::from_bytes(ids[2]))),
                _ => None,
            };
            let mut stream = [kind; 17];
            stream[1..].copy_from_slice(&ids[0]);
            Entry {
                stream: StreamId::from_bytes(&stream).unwrap(),
                revision: Revision::new(revision),
                previous_link: links[0],
                event_type: types.0,
                schema: types.1,
                command: CommandId::from_bytes(ids[1]),
                actor: actor(actors.0).unwrap(),
                on_behalf_of: actor(actors.1),
                recorded_at: Timestamp::from_nanos(time),
                key: KeyId::from_bytes(ids[3]),
                key_commitment: links[1],
                nonce,
                sealed_len,
                sealed_hash: links[2],
            }
        }
    }

    proptest! {
        #[test]
        fn an_entry_reads_back_as_it_was(entry in entries()) {
            prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
        }

        #[test]
        fn the_hash_of_the_payload_can_come_last(
            entry in entries(), hash in any::<[u8; 32]>(),
        ) {
            let mut bytes = entry.encode();
            put_sealed_hash(&mut bytes, &hash);
            let sealed_hash = hash;
            prop_assert_eq!(bytes, Entry { sealed_hash, ..entry }.encode());
        }

        #[test]
        fn what_decodes_encodes_to_the_same_bytes(
            entry in entries(), at in 0..ENTRY_LEN, byte in any::<u8>(),
        ) {
            let mut bytes = entry.encode();
            bytes[at] = byte;
            if let Ok(other) = Entry::decode(&bytes) {
                prop_assert_eq!(other.encode(), bytes);
            }
        }
    }
}
