//! Where documents lie: short ones in sled, all others in files of which sled tells the place.

use std::collections::BTreeMap;

use super::Store;
use crate::derived::doc::tag;
use crate::derived::error::StoreError;
use crate::derived::values::{Finished, Place, Usage, Writer};
use crate::guarded::guarded;

/// The first byte of a value in sled: the document follows, or the place where it lies.
const INLINE: u8 = 0;
const ELSEWHERE: u8 = 1;
/// A document that is no longer than this stands in sled itself.
const MOST_INLINE: usize = 64;

impl Store {
    pub(super) fn bytes(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut value = guarded(|| self.db.get(name))?;
        loop {
            let Some(found) = &value else {
                return Ok(None);
            };
            let bytes = self.document(name, found)?;
            if bytes.is_some() {
                return Ok(bytes);
            }
            // The file may have been emptied since sled was asked. Then the document lies elsewhere.
            let now = guarded(|| self.db.get(name))?;
            if now == value {
                return Err(StoreError::Malformed("a document"));
            }
            value = now;
        }
    }

    /// The document that a value of sled holds, or tells the place of; `None` if it is not there.
    fn document(&self, name: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match value.split_first() {
            Some((&INLINE, bytes)) => Ok(Some(bytes.to_vec())),
            Some((&ELSEWHERE, _)) => match place_of(value) {
                Some(place) => Ok(self.values.read(name, place)?),
                None => Err(StoreError::Malformed("a document")),
            },
            Some(_) | None => Err(StoreError::Malformed("a document")),
        }
    }

    /// Removes files of which much is out of date, after what is still in use in them was written again
    /// elsewhere.
    pub(super) fn empty_files(&self) -> Result<(), StoreError> {
        let numbers = self.values.worth_emptying();
        if numbers.is_empty() {
            return Ok(());
        }
        let mut batch = sled::Batch::default();
        let mut writer = self.values.writer();
        for number in &numbers {
            for (name, place) in self.values.records(*number)? {
                let is_here = guarded(|| self.db.get(&name))?
                    .is_some_and(|value| place_of(&value) == Some(place));
                if is_here && let Some(bytes) = self.values.read(&name, place)? {
                    batch.insert(name.as_slice(), elsewhere(writer.put(&name, &bytes)?));
                }
            }
            writer.emptied(*number);
        }
        let finished = writer.finish()?;
        note_usage(&mut batch, &finished);
        guarded(|| self.db.apply_batch(batch))?;
        self.values.done(finished);
        // If the process is killed, sled comes up with what it handed on last. That must not tell places in
        // files that are gone.
        self.hand_on()?;
        for number in numbers {
            self.values.remove(number)?;
        }
        Ok(())
    }

    /// Every key and document in order, to compare two derived states byte by byte (P3). A zero stands
    /// before each document, except the cursor.
    pub fn dump(&self) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StoreError>> {
        let mut items = self.db.iter();
        std::iter::from_fn(move || guarded(|| items.next().transpose()).transpose()).filter_map(
            move |item| {
                let (key, value) = match item {
                    Ok(item) => item,
                    Err(error) => return Some(Err(error.into())),
                };
                match key.first() {
                    Some(&tag::USAGE) => None,
                    Some(&tag::CURSOR) => Some(Ok((key.to_vec(), value.to_vec()))),
                    Some(_) | None => Some(self.dumped(&key, &value)),
                }
            },
        )
    }

    fn dumped(&self, key: &[u8], value: &[u8]) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
        let bytes = self.document(key, value)?;
        let bytes = bytes.ok_or(StoreError::Malformed("a document"))?;
        Ok((key.to_vec(), [&[INLINE], bytes.as_slice()].concat()))
    }
}

/// How much of each file is in use, as sled notes it.
///
/// # Errors
/// When sled cannot be read, or a note is malformed.
pub(super) fn usage_in(db: &sled::Db) -> Result<BTreeMap<u32, Usage>, StoreError> {
    let notes = guarded(|| {
        let notes = db.scan_prefix([tag::USAGE]).map(|item| {
            let (key, bytes) = item?;
            let number = key.get(1..).and_then(|number| number.try_into().ok());
            Ok((number.map(u32::from_be_bytes), Usage::from_bytes(&bytes)))
        });
        notes.collect::<Result<Vec<_>, sled::Error>>()
    })?;
    let notes = notes.into_iter();
    let usage: Option<_> = notes
        .map(|(number, usage)| Some((number?, usage?)))
        .collect();
    usage.ok_or(StoreError::Malformed("a note on a file"))
}

/// The value for sled of a document, which is appended to a file unless it is short.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn lay_down(
    writer: &mut Writer<'_>,
    name: &[u8],
    bytes: &[u8],
) -> Result<Vec<u8>, StoreError> {
    match bytes.len() {
        0..=MOST_INLINE => Ok([&[INLINE], bytes].concat()),
        _ => Ok(elsewhere(writer.put(name, bytes)?)),
    }
}

/// The place that a value of sled tells; `None` if it holds the document itself.
pub(super) fn place_of(value: &[u8]) -> Option<Place> {
    let place = value.strip_prefix(&[ELSEWHERE])?;
    Place::from_bytes(place)
}

fn elsewhere(place: Place) -> Vec<u8> {
    [&[ELSEWHERE], place.to_bytes().as_slice()].concat()
}

/// Notes of which files another part is in use than before.
pub(super) fn note_usage(batch: &mut sled::Batch, finished: &Finished) {
    for (number, usage) in finished.changed() {
        let key = [&[tag::USAGE], number.to_be_bytes().as_slice()].concat();
        match usage {
            Some(usage) => batch.insert(key, usage.to_bytes()),
            None => batch.remove(key),
        }
    }
}
