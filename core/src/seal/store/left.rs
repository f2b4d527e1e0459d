//! What is left of a damaged key store. For a salvage only: such a store is never written to, and no ledger goes on
//! with it.
//!
//! Every slot stands for itself: its checksum finds damage, and its key is sealed under the master key together with
//! its scope and id. So what opens is what was written, wherever in the file it stands, and slots can be looked for
//! again after any damage, also if bytes were added or taken away. A slot of a destroyed key holds nothing that is
//! sealed; whoever reads it asks for the act that destroyed the key.

use std::sync::Arc;

use parking_lot::Mutex;

use super::destroying::Note;
use super::error::io_error;
use super::file::{NAME, read};
use super::keys::Keys;
use super::options::KeyStoreOptions;
use super::slot::{Header, SLOT, checked, decode_slot};
use super::{KeyStore, KeyStoreError, Writer, WriterState};

/// A part of the file that is no sound slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyGap {
    /// The first byte.
    pub from: u64,
    /// The byte after the last one.
    pub to: u64,
}

/// What is damaged of a key store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyDamage {
    /// The parts of the file that are no sound slots, in order. Nothing tells how many keys stood there.
    pub gaps: Vec<KeyGap>,
    /// Whether the header is among them: then nobody knows whether there was a rescue recipient.
    pub header: bool,
}

impl KeyStore {
    /// Opens what is left of a key store, for reading only. A store that is not damaged is opened as ever.
    ///
    /// # Errors
    /// [`KeyStoreError`], if it is not there, is another ledger's or under another master key, or if nothing in it
    /// opens.
    pub(crate) fn left_of(options: &KeyStoreOptions) -> Result<(Self, KeyDamage), KeyStoreError> {
        let damaged = match Self::open(options) {
            Ok(store) => {
                let damage = store.torn_end();
                return Ok((store, damage));
            }
            Err(error @ (KeyStoreError::Damaged { .. } | KeyStoreError::Foreign)) => error,
            Err(error) => return Err(error),
        };
        let disk = options.disk.as_ref();
        let names = disk.list().map_err(io_error("listing the directory"))?;
        let file = disk.open(NAME).map_err(io_error("opening keys.log"))?;
        let mut bytes = read(file.as_ref()).map_err(io_error("reading keys.log"))?;
        if let Some(note) = Note::left(disk, &names, &bytes)? {
            note.apply(&mut bytes);
        }
        let rescue = match header(&bytes, options) {
            Some(header) => Some(header?.rescue),
            None => None,
        };
        let (keys, mut gaps) = look(&bytes, options);
        if keys.order.is_empty() {
            return Err(damaged);
        }
        if rescue.is_none() {
            let to = gaps.first().filter(|gap| gap.from == SLOT as u64);
            let to = to.map_or(SLOT as u64, |gap| gap.to);
            gaps.retain(|gap| gap.to != to);
            gaps.insert(0, KeyGap { from: 0, to });
        }
        let damage = KeyDamage {
            gaps,
            header: rescue.is_none(),
        };
        let store = Self {
            master: options.master.clone(),
            rescue: rescue.flatten(),
            keys: parking_lot::RwLock::new(keys),
            torn: 0,
            drafts: Mutex::default(),
            disk: Some(Arc::clone(&options.disk)),
            writer: Mutex::new(Writer {
                slots: 0,
                pending: Vec::new(),
                state: WriterState::ReadOnly,
            }),
        };
        Ok((store, damage))
    }

    /// An end that is no whole slot. It is damage only if an event needs the key.
    fn torn_end(&self) -> KeyDamage {
        if self.torn == 0 {
            return KeyDamage::default();
        }
        let from = (self.writer.lock().slots + 1) * SLOT as u64;
        let to = from + self.torn;
        KeyDamage {
            gaps: vec![KeyGap { from, to }],
            header: false,
        }
    }
}

/// The header, if its checksum is right; or why it cannot be believed.
fn header<'a>(
    bytes: &'a [u8],
    options: &KeyStoreOptions,
) -> Option<Result<Header<'a>, KeyStoreError>> {
    let first = bytes.first_chunk::<SLOT>()?;
    checked(first)?;
    let header = Header::read(first, options.ledger);
    let vouched = header.and_then(|header| header.has_tag(options).map(|_| header));
    match vouched {
        Err(KeyStoreError::Damaged { .. }) => None,
        vouched => Some(vouched),
    }
}

/// Finds every sound slot after the header, and what lies between them.
fn look(bytes: &[u8], options: &KeyStoreOptions) -> (Keys, Vec<KeyGap>) {
    let mut keys = Keys::default();
    let mut gaps = Vec::new();
    let mut at = SLOT;
    let mut gap_from = None;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let decoded = rest.first_chunk::<SLOT>().and_then(|slot| {
            // Before anything is hashed: whatever begins otherwise is no slot.
            let fields = slot.starts_with(b"PLK1").then(|| checked(slot)).flatten()?;
            decode_slot(fields, &options.master)
        });
        let Some((scope, id, key)) = decoded else {
            gap_from.get_or_insert(at);
            at += 1;
            continue;
        };
        gaps.extend(gap_from.take().map(|from| gap(from, at)));
        if !keys.by_id.contains_key(&id) {
            keys.hold_or_not(scope, id, key);
        }
        at += SLOT;
    }
    gaps.extend(gap_from.map(|from| gap(from, bytes.len())));
    (keys, gaps)
}

const fn gap(from: usize, to: usize) -> KeyGap {
    KeyGap {
        from: from as u64,
        to: to as u64,
    }
}
