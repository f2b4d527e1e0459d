//! The codecs in the open, so that tests can hand them any bytes.

use super::codec;
use super::doc::{Cursor, Doc, DocKey};
use super::store::StoreError;
use crate::seal::KeyStore;

/// Reads the document that has this key.
///
/// # Errors
/// When the bytes are none.
pub fn decode(key: &DocKey, bytes: &[u8], keys: &KeyStore) -> Result<Doc, StoreError> {
    codec::decode(key, bytes, keys)
}

/// A document's bytes; `None` for one that is not stored.
///
/// # Errors
/// When a state cannot be sealed.
pub fn encode(key: &DocKey, doc: &Doc, keys: &KeyStore) -> Result<Option<Vec<u8>>, StoreError> {
    codec::encode(key, doc, keys)
}

/// Reads a cursor; `None` when the bytes are none.
pub fn decode_cursor(bytes: &[u8]) -> Option<Cursor> {
    codec::decode_cursor(bytes)
}

/// A cursor's bytes.
pub fn encode_cursor(cursor: &Cursor) -> Vec<u8> {
    codec::encode_cursor(cursor)
}
