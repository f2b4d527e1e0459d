//! How a record of the register describes a batch of documents.

use super::ends::{Break, End};
use super::print::{Known, Print};
use crate::derived::cursor::{Cursor, decode_cursor, encode_cursor};
use crate::derived::values::{Place, Usage};
use crate::fields::Fields;
use crate::ids::{Position, Revision, StreamId};
use crate::seal::KeyCount;

const PRINT: usize = 8 + 8 + Place::LEN;
const FILE: usize = 4 + Usage::LEN;
const END: usize = 8 + 8 + 8 + 8;
const BREAK: usize = StreamId::LEN + 4 * 8;

/// Documents that are written together, and the place in the journal that derived state reaches
/// with them.
pub(super) struct Batch {
    pub(super) cursor: Cursor,
    pub(super) keys: KeyCount,
    pub(super) prints: Vec<Print>,
    /// The files of which another part is in use than before.
    pub(super) files: Vec<(u32, Usage)>,
    pub(super) ends: Vec<(u64, End)>,
    pub(super) breaks: Vec<Break>,
}

impl Batch {
    pub(super) fn encode(&self) -> Vec<u8> {
        let cursor = encode_cursor(&self.cursor);
        let room = self.prints.len() * PRINT + self.files.len() * FILE + self.ends.len() * END;
        let mut bytes = Vec::with_capacity(room + self.breaks.len() * BREAK + 256);
        put(&mut bytes, &(cursor.len() as u32).to_be_bytes());
        put(&mut bytes, &cursor);
        put(&mut bytes, &self.keys.slots.to_be_bytes());
        put(&mut bytes, &self.keys.digest);
        put(&mut bytes, &(self.prints.len() as u32).to_be_bytes());
        for print in &self.prints {
            put(&mut bytes, &print.name.to_be_bytes());
            let (fingerprint, place) = match print.known {
                Some(known) => (known.fingerprint, known.place.to_bytes()),
                None => (0, [0; Place::LEN]),
            };
            put(&mut bytes, &fingerprint.to_be_bytes());
            put(&mut bytes, &place);
        }
        put(&mut bytes, &(self.files.len() as u32).to_be_bytes());
        for (number, usage) in &self.files {
            put(&mut bytes, &number.to_be_bytes());
            put(&mut bytes, &usage.to_bytes());
        }
        put(&mut bytes, &(self.ends.len() as u32).to_be_bytes());
        for (name, end) in &self.ends {
            let numbers = [*name, end.position.get(), end.revision.get(), end.link];
            numbers
                .iter()
                .for_each(|number| put(&mut bytes, &number.to_be_bytes()));
        }
        put(&mut bytes, &(self.breaks.len() as u32).to_be_bytes());
        for found in &self.breaks {
            put(&mut bytes, &found.stream.to_bytes());
            let numbers = [
                found.position.get(),
                found.revision.get(),
                found.before.get(),
                found.top.get(),
            ];
            numbers
                .iter()
                .for_each(|number| put(&mut bytes, &number.to_be_bytes()));
        }
        bytes
    }

    /// Reads a batch. Its record is authentic, so the batch should be whole. If it is not, another
    /// version of this program wrote it without saying so.
    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let mut rest = Remaining(body);
        let cursor = rest.list::<1>()?.as_flattened();
        let cursor = decode_cursor(cursor)?;
        let (slots, digest) = rest.0.split_first_chunk::<24>()?;
        rest.0 = digest;
        let mut fields = Fields(slots);
        let keys = KeyCount {
            slots: fields.u64(),
            digest: fields.take(),
        };
        let prints = rest.list::<PRINT>()?.iter().map(|print| {
            let mut fields = Fields(print);
            let (name, fingerprint) = (fields.u64(), fields.u64());
            let place = Place::from_bytes(fields.take());
            Print {
                name,
                known: (fingerprint != 0).then_some(Known { fingerprint, place }),
            }
        });
        let prints = prints.collect();
        let files = rest.list::<FILE>()?.iter().map(|file| {
            let mut fields = Fields(file);
            (fields.u32(), Usage::from_bytes(fields.take()))
        });
        let files = files.collect();
        let ends = rest.list::<END>()?.iter().map(|end| {
            let mut fields = Fields(end);
            let name = fields.u64();
            let end = End {
                position: Position::new(fields.u64()),
                revision: Revision::new(fields.u64()),
                link: fields.u64(),
            };
            (name, end)
        });
        let ends = ends.collect();
        let breaks: Option<_> = rest
            .list::<BREAK>()?
            .iter()
            .map(|found| {
                let mut fields = Fields(found);
                Some(Break {
                    stream: StreamId::from_bytes(&fields.take())?,
                    position: Position::new(fields.u64()),
                    revision: Revision::new(fields.u64()),
                    before: Position::new(fields.u64()),
                    top: Revision::new(fields.u64()),
                })
            })
            .collect();
        rest.0.is_empty().then_some(Self {
            cursor,
            keys,
            prints,
            files,
            ends,
            breaks: breaks?,
        })
    }
}

fn put(bytes: &mut Vec<u8>, field: &[u8]) {
    bytes.extend_from_slice(field);
}

/// The part of a batch that has not been read yet.
struct Remaining<'a>(&'a [u8]);

impl<'a> Remaining<'a> {
    /// Reads a count, then that many items.
    fn list<const N: usize>(&mut self) -> Option<&'a [[u8; N]]> {
        let (count, rest) = self.0.split_first_chunk::<4>()?;
        let len = usize::try_from(u32::from_be_bytes(*count)).ok()? * N;
        let (items, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some(items.as_chunks().0)
    }
}
