//! Turns documents into bytes and back. States are sealed under the key of their scope, so that
//! erasing the key also erases the copy in derived state (P6). Lists hold only ids and are not
//! sealed.

use std::sync::Arc;

use super::doc::{CommandEntry, Doc, DocKey, Head, StreamDoc, tag};
use super::error::StoreError;
use super::packed::{pack, unpack};
use super::telling::Telling;
use crate::fields::Fields;
use crate::ids::{CommandId, KeyId, Position, Revision, StreamId};
use crate::seal::{KeyScope, KeyStore, ScopeKey, document_key, open_document, seal_document};
use crate::time::Timestamp;

pub(super) const STREAM_HEAD: usize = 8 + 8 + 32 + 16;

/// A document's bytes; `None` for a document that is to be removed.
pub(super) fn encode(
    key: &DocKey,
    doc: &Doc,
    keys: &KeyStore,
) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(match doc {
        Doc::Absent => None,
        Doc::Stream(doc) => Some(encode_stream(key, doc, keys)?),
        Doc::Postings(streams) if streams.is_empty() => None,
        Doc::Postings(streams) => Some(
            streams
                .iter()
                .flat_map(|stream| stream.to_bytes())
                .collect(),
        ),
        Doc::Commands(entries) => Some(entries.iter().flat_map(command_bytes).collect()),
        Doc::Standing(standing) if standing.is_empty() => None,
        Doc::Standing(standing) => Some(encode_counted(key, &**standing, keys)?),
        Doc::Cell(cell) => Some(encode_counted(key, &**cell, keys)?),
    })
}

/// The bytes that tell a document from every other that was ever written under its key.
pub(super) fn telling<'a>(key: &[u8], bytes: &'a [u8]) -> Telling<'a> {
    match key.first() {
        Some(&(tag::STREAM | tag::SNAPSHOT)) => Telling::sealed(bytes, STREAM_HEAD),
        Some(&(tag::STANDING | tag::CELL | tag::PAST_CELL)) => Telling::sealed(bytes, 16),
        // Lists are not sealed.
        Some(_) | None => Telling::whole(bytes),
    }
}

/// Reads a document back.
pub(super) fn decode(key: &DocKey, bytes: &[u8], keys: &KeyStore) -> Result<Doc, StoreError> {
    match key {
        DocKey::Stream(stream) | DocKey::Snapshot(stream, _) => {
            decode_stream(key, *stream, bytes, keys).map(|doc| Doc::Stream(Arc::new(doc)))
        }
        DocKey::Postings(_) => {
            let (streams, rest) = bytes.as_chunks::<{ StreamId::LEN }>();
            let streams: Option<Vec<_>> = streams.iter().map(StreamId::from_bytes).collect();
            match streams {
                Some(streams) if rest.is_empty() => Ok(Doc::Postings(Arc::new(streams))),
                _ => Err(StoreError::Malformed("a list of streams")),
            }
        }
        DocKey::Commands(_) => {
            let (entries, rest) = bytes.as_chunks::<COMMAND_LEN>();
            let entries: Option<Vec<_>> = entries.iter().map(read_command).collect();
            match entries {
                Some(entries) if rest.is_empty() => Ok(Doc::Commands(Arc::new(entries))),
                _ => Err(StoreError::Malformed("a list of commands")),
            }
        }
        DocKey::Standing(_) => Ok(Doc::Standing(Arc::new(decode_counted(key, bytes, keys)?))),
        DocKey::Cell(_) | DocKey::PastCell(..) => {
            Ok(Doc::Cell(Arc::new(decode_counted(key, bytes, keys)?)))
        }
    }
}

fn encode_stream(key: &DocKey, doc: &StreamDoc, keys: &KeyStore) -> Result<Vec<u8>, StoreError> {
    let stream = match key {
        DocKey::Stream(stream) | DocKey::Snapshot(stream, _) => *stream,
        DocKey::Postings(_)
        | DocKey::Commands(_)
        | DocKey::Standing(_)
        | DocKey::Cell(_)
        | DocKey::PastCell(..) => return Err(StoreError::Malformed("a key")),
    };
    let scope = keys
        .active(KeyScope::of(stream, &doc.state))
        .ok_or(StoreError::KeyMissing)?;
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(&doc.head.position.get().to_be_bytes());
    bytes.extend_from_slice(&doc.head.revision.get().to_be_bytes());
    bytes.extend_from_slice(&doc.head.link);
    bytes.extend_from_slice(scope.id.as_bytes());
    let state = pack(&*doc.state).ok_or(StoreError::Malformed("a state"))?;
    let name = [key.to_bytes(), bytes.clone()].concat();
    bytes.extend(seal_document(&document_key(&scope), &name, &state)?);
    Ok(bytes)
}

/// Where the stream of a document ends, without opening its state.
pub(super) fn decode_head(bytes: &[u8]) -> Result<Head, StoreError> {
    let head = bytes
        .get(..STREAM_HEAD)
        .ok_or(StoreError::Malformed("a stream"))?;
    let mut fields = Fields(head);
    Ok(Head {
        position: Position::new(fields.u64()),
        revision: Revision::new(fields.u64()),
        link: fields.take(),
    })
}

fn decode_stream(
    key: &DocKey,
    stream: StreamId,
    bytes: &[u8],
    keys: &KeyStore,
) -> Result<StreamDoc, StoreError> {
    let malformed = || StoreError::Malformed("a stream");
    let decoded = decode_head(bytes)?;
    let (head, sealed) = bytes.split_at_checked(STREAM_HEAD).ok_or_else(malformed)?;
    let id = head.last_chunk().copied().ok_or_else(malformed)?;
    let scope = keys
        .by_id(KeyId::from_bytes(id))
        .ok_or(StoreError::KeyMissing)?;
    let name = [key.to_bytes().as_slice(), head].concat();
    let state = open_document(&document_key(&scope), &name, sealed)?;
    let state: crate::domain::Aggregate = unpack(&state).ok_or_else(malformed)?;
    if state.kind() != stream.kind {
        return Err(malformed());
    }
    Ok(StreamDoc {
        head: decoded,
        state: Arc::new(state),
    })
}

/// The scope whose key seals a document of the overview: a student's for what is about one student,
/// an institution's for counts of its students.
fn counted_scope(key: &DocKey) -> Option<KeyScope> {
    match key {
        DocKey::Standing(student) => Some(KeyScope::Person(*student)),
        DocKey::Cell(cell) | DocKey::PastCell(cell, _) => {
            Some(KeyScope::Institution(cell.institution))
        }
        DocKey::Stream(_) | DocKey::Postings(_) | DocKey::Commands(_) | DocKey::Snapshot(..) => {
            None
        }
    }
}

/// The key for what is still known of a student who was erased: in which teams they were. Those teams
/// say it too, and it is no text.
fn of_erased(scope: KeyScope, keys: &KeyStore) -> Option<ScopeKey> {
    keys.id_of(scope).filter(|id| keys.is_destroyed(*id))?;
    keys.active(KeyScope::Ledger)
}

/// Gives key id ‖ nonce ‖ sealed document.
fn encode_counted(
    key: &DocKey,
    doc: &impl serde::Serialize,
    keys: &KeyStore,
) -> Result<Vec<u8>, StoreError> {
    let scope = counted_scope(key).ok_or(StoreError::Malformed("a key"))?;
    let scope = keys.active(scope).or_else(|| of_erased(scope, keys));
    let scope = scope.ok_or(StoreError::KeyMissing)?;
    let mut bytes = scope.id.as_bytes().to_vec();
    let packed = pack(doc).ok_or(StoreError::Malformed("an overview"))?;
    let name = [key.to_bytes(), bytes.clone()].concat();
    bytes.extend(seal_document(&document_key(&scope), &name, &packed)?);
    Ok(bytes)
}

fn decode_counted<T: serde::de::DeserializeOwned>(
    key: &DocKey,
    bytes: &[u8],
    keys: &KeyStore,
) -> Result<T, StoreError> {
    let malformed = || StoreError::Malformed("an overview");
    let (id, sealed) = bytes.split_first_chunk::<16>().ok_or_else(malformed)?;
    let scope = keys
        .by_id(KeyId::from_bytes(*id))
        .ok_or(StoreError::KeyMissing)?;
    let name = [key.to_bytes().as_slice(), id].concat();
    let packed = open_document(&document_key(&scope), &name, sealed)?;
    unpack(&packed).ok_or_else(malformed)
}

const COMMAND_LEN: usize = 16 + 16 + StreamId::LEN + 8 + 8 + 8 + 4;

fn command_bytes(entry: &CommandEntry) -> Vec<u8> {
    [
        entry.id.as_bytes().as_slice(),
        &entry.digest,
        &entry.stream.to_bytes(),
        &entry.revision.get().to_be_bytes(),
        &entry.position.get().to_be_bytes(),
        &entry.recorded_at.nanos().to_be_bytes(),
        &entry.events.to_be_bytes(),
    ]
    .concat()
}

fn read_command(bytes: &[u8; COMMAND_LEN]) -> Option<CommandEntry> {
    let mut fields = Fields(bytes);
    Some(CommandEntry {
        id: CommandId::from_bytes(fields.take()),
        digest: fields.take(),
        stream: StreamId::from_bytes(&fields.take())?,
        revision: Revision::new(fields.u64()),
        position: Position::new(fields.u64()),
        recorded_at: Timestamp::from_nanos(fields.u64()),
        events: fields.u32(),
    })
}
