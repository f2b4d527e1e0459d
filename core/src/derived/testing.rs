//! Makes the encodings of derived state public, so that tests can give them any bytes.

use std::fs;
use std::path::{Path, PathBuf};

use super::codec;
use super::cursor::{self, Cursor};
use super::doc::{Doc, DocKey};
use super::error::StoreError;
use super::generations::Generations;
use super::packed;
use super::store::Store;
use crate::domain::Aggregate;
use crate::ids::LedgerId;
use crate::seal::{KeyStore, MasterKey};

/// Reads the document that has this key.
///
/// # Errors
/// When the bytes are not such a document.
pub fn decode(key: &DocKey, bytes: &[u8], keys: &KeyStore) -> Result<Doc, StoreError> {
    codec::decode(key, bytes, keys)
}

/// A document's bytes; `None` for a document that is not stored.
///
/// # Errors
/// When a state cannot be sealed.
pub fn encode(key: &DocKey, doc: &Doc, keys: &KeyStore) -> Result<Option<Vec<u8>>, StoreError> {
    codec::encode(key, doc, keys)
}

/// The bytes of a state before they are sealed; `None` if it cannot be written.
pub fn pack(state: &Aggregate) -> Option<Vec<u8>> {
    packed::pack(state)
}

/// Reads a state that was packed; `None` if it is none.
pub fn unpack(packed: &[u8]) -> Option<Aggregate> {
    packed::unpack(packed)
}

/// Packs what stands in MessagePack, whatever it says.
pub fn compress(plain: &[u8]) -> Vec<u8> {
    packed::compress(plain)
}

/// What the packer knows before it begins.
pub fn common() -> &'static [u8] {
    packed::common()
}

/// Reads a cursor; `None` when the bytes are not a cursor.
pub fn decode_cursor(bytes: &[u8]) -> Option<Cursor> {
    cursor::decode_cursor(bytes)
}

/// A cursor's bytes.
pub fn encode_cursor(cursor: &Cursor) -> Vec<u8> {
    cursor::encode_cursor(cursor)
}

/// Opens or makes derived state in a folder.
///
/// # Errors
/// When what is on disk cannot be used.
pub fn store(dir: &Path, master: &MasterKey, ledger: LedgerId) -> Result<Store, StoreError> {
    let generations = Generations::new(dir.to_owned(), master.clone());
    match generations.stored()? {
        Some(stored) => Ok(stored.open()?.0),
        None => generations.begin(ledger),
    }
}

/// The folder of sled's files in the newest generation of derived state in `dir`.
pub fn sled_folder(dir: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(dir).ok()?;
    let newest = folders
        .filter_map(|folder| Some(folder.ok()?.path()))
        .max()?;
    Some(newest.join("sled"))
}
