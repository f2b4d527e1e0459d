//! Where documents lie, and reading all of them.

use std::collections::BTreeMap;

use super::{CURSOR_KEY, Store};
use crate::derived::codec;
use crate::derived::cursor::Cursor;
use crate::derived::doc::tag;
use crate::derived::error::StoreError;
use crate::derived::register::{Known, Print};
use crate::derived::values::Contents;
use crate::guarded::guarded;
use crate::seal::KeyStore;

impl Store {
    /// What a document has to be and where it lies, from its key; `None` if there is none.
    pub(super) fn known(&self, name: &[u8]) -> Option<Known> {
        self.register.known(self.register.name(name))
    }

    /// The first so many bytes of a document, which are not compared with anything, or all of a shorter
    /// one; `None` if there is no such document.
    ///
    /// # Errors
    /// When it cannot be read, or is not where it should be.
    pub(super) fn start_of(&self, name: &[u8], most: usize) -> Result<Option<Vec<u8>>, StoreError> {
        self.found(name, "a document", |known, _| {
            Ok(self.values.read_start(name, known.place, most)?)
        })
    }

    /// A document, if it is the one that was written last; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is not where it should be, or is another.
    pub(super) fn bytes(
        &self,
        name: &[u8],
        what: &'static str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.found(name, what, |known, hashed| {
            let bytes = self.values.read(name, known.place)?;
            Ok(bytes.filter(|bytes| self.is_it(name, hashed, bytes, known)))
        })
    }

    /// What `read` finds where the register says that a document lies. It also gets the hash of the name.
    fn found(
        &self,
        name: &[u8],
        what: &'static str,
        read: impl Fn(Known, u64) -> Result<Option<Vec<u8>>, StoreError>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let hashed = self.register.name(name);
        let mut known = self.register.known(hashed);
        while let Some(now) = known {
            let found = read(now, hashed)?;
            if found.is_some() {
                return Ok(found);
            }
            // The file may have been emptied since the register was asked. Then the document lies elsewhere.
            known = self.register.known(hashed);
            if known == Some(now) {
                return Err(StoreError::Changed(what));
            }
        }
        Ok(None)
    }

    /// Whether these bytes are the document that the register knows.
    pub(super) fn is_it(&self, name: &[u8], hashed: u64, bytes: &[u8], known: Known) -> bool {
        let telling = codec::telling(name, bytes);
        self.register.fingerprint(hashed, telling) == known.fingerprint
    }

    /// Removes files of which much is out of date, after what is still in use in them was written again
    /// elsewhere.
    pub(super) fn empty_files(&self, cursor: &Cursor, keys: &KeyStore) -> Result<(), StoreError> {
        let numbers = self.values.worth_emptying();
        if numbers.is_empty() {
            return Ok(());
        }
        let mut prints = Vec::new();
        let mut writer = self.values.writer();
        for number in &numbers {
            for (name, hashed, known, bytes) in self.in_use(&self.values.contents(*number)?) {
                let place = writer.put(name, bytes)?;
                prints.push(Print {
                    name: hashed,
                    known: Some(Known { place, ..known }),
                });
            }
            writer.emptied(*number);
        }
        let finished = writer.finish()?;
        let files = finished.changed();
        let announced = self.register.announce(prints, files, cursor, keys)?;
        self.register.written(announced);
        self.values.done(finished);
        // If the process is killed, sled comes up with what it handed on last, and the register as of there.
        // That must not tell places in files that are gone.
        self.hand_on()?;
        for number in numbers {
            self.values.remove(number)?;
        }
        Ok(())
    }

    /// The documents of a file that are in use: the name of each, the hash of that, what the register knows
    /// of it, and the document.
    pub(super) fn in_use<'a>(
        &self,
        contents: &'a Contents,
    ) -> impl Iterator<Item = (&'a [u8], u64, Known, &'a [u8])> {
        contents.records().filter_map(|(name, place, bytes)| {
            let hashed = self.register.name(name);
            let known = self.register.known(hashed);
            let known = known.filter(|known| known.place == place)?;
            Some((name, hashed, known, bytes))
        })
    }

    /// Hands every document to `take`, with its key, in no order. One that cannot be read is left out.
    ///
    /// # Errors
    /// When a file cannot be read, and those of `take`.
    pub(crate) fn each<E: From<StoreError>>(
        &self,
        mut take: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        for number in self.values.usage().into_keys() {
            let contents = self.values.contents(number).map_err(StoreError::from)?;
            for (name, _, _, bytes) in self.in_use(&contents) {
                take(name, bytes)?;
            }
        }
        Ok(())
    }

    /// The bytes of a document as they lie there, from its key; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn as_it_lies(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.start_of(name, usize::MAX)
    }

    /// What sled holds itself, in order: the cursor, and the keys of the counts of past days.
    pub(crate) fn in_sled(&self) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StoreError>> {
        let mut items = self.db.iter();
        std::iter::from_fn(move || guarded(|| items.next().transpose()).transpose()).map(|item| {
            let (key, value) = item?;
            Ok((key.to_vec(), value.to_vec()))
        })
    }

    /// The cursor and every document by its key, to compare two derived states byte by byte (P3).
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn dump(&self) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, StoreError> {
        let mut all = BTreeMap::new();
        self.each::<StoreError>(|name, bytes| {
            all.insert(name.to_vec(), bytes.to_vec());
            Ok(())
        })?;
        for item in self.in_sled() {
            let (key, value) = item?;
            if key == CURSOR_KEY || key.first() != Some(&tag::PAST_CELL) {
                all.insert(key, value);
            }
        }
        Ok(all)
    }
}
