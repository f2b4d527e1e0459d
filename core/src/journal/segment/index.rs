//! The index says where in a segment the frame of each position begins. It is derived: whoever uses
//! it checks that the frame holds the position, so a wrong index costs only time.

use std::io;

use super::header::{INDEX_SUFFIX, file_name};
use crate::disk::{Disk, DiskFile, read_full, write_full};
use crate::fields::Fields;
use crate::ids::Position;

const MAGIC: [u8; 8] = *b"PLIDXv1\n";
const HEADER_LEN: usize = 24;
const OFFSET_LEN: u64 = 4;

/// What is stored of a closed segment's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredIndex {
    /// No index is stored. It is made again when it is needed.
    Missing,
    /// The stored index is right.
    Same,
    /// The stored index is wrong.
    Differs {
        /// The first of the segment's positions that is wrong, counted from 0.
        nth: u64,
    },
}

fn encode(first: Position, offsets: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_LEN + offsets.len() * OFFSET_LEN as usize);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&first.get().to_be_bytes());
    bytes.extend_from_slice(&(offsets.len() as u64).to_be_bytes());
    for offset in offsets {
        bytes.extend_from_slice(&offset.to_be_bytes());
    }
    let len = HEADER_LEN as u64 + offsets.len() as u64 * OFFSET_LEN;
    assert_eq!(
        bytes.len() as u64,
        len,
        "an index has one offset for each position"
    );
    bytes
}

/// The index of a closed segment.
pub(super) enum Index {
    /// The index is in its file.
    File(Box<dyn DiskFile>),
    /// The index has just been built in memory.
    Memory(Vec<u32>),
}

impl Index {
    /// The index in the file of segment `number`, if it is there and for these positions.
    pub(super) fn open(disk: &dyn Disk, number: u64, first: Position, count: u64) -> Option<Self> {
        let file = disk.open(&file_name(number, INDEX_SUFFIX)).ok()?;
        let mut header = [0; HEADER_LEN];
        let read = read_full(file.as_ref(), &mut header, 0).ok()?;
        let mut fields = Fields(&header);
        let said: ([u8; 8], u64, u64) = (fields.take(), fields.u64(), fields.u64());
        fields.finish();
        let sound = read == HEADER_LEN
            && said == (MAGIC, first.get(), count)
            && file.len().ok()? == HEADER_LEN as u64 + count * OFFSET_LEN;
        sound.then_some(Self::File(file))
    }

    /// Stores the index of segment `number`.
    pub(super) fn store(
        disk: &dyn Disk,
        number: u64,
        first: Position,
        offsets: &[u32],
    ) -> io::Result<()> {
        let name = file_name(number, INDEX_SUFFIX);
        match disk.remove(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        write_full(disk.create(&name)?.as_ref(), &encode(first, offsets), 0)
    }

    /// Compares the stored index of segment `number` with what it should be.
    pub(super) fn compare(
        disk: &dyn Disk,
        number: u64,
        first: Position,
        offsets: &[u32],
    ) -> io::Result<StoredIndex> {
        let file = match disk.open(&file_name(number, INDEX_SUFFIX)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(StoredIndex::Missing);
            }
            Err(error) => return Err(error),
        };
        let expected = encode(first, offsets);
        // One byte more than the index should have, to notice bytes after it.
        let mut bytes = vec![0; expected.len() + 1];
        let count = read_full(file.as_ref(), &mut bytes, 0)?;
        bytes.truncate(count);
        if bytes == expected {
            return Ok(StoredIndex::Same);
        }
        let same = bytes.iter().zip(&expected).take_while(|(a, b)| a == b);
        let nth = same.count().saturating_sub(HEADER_LEN) as u64 / OFFSET_LEN;
        Ok(StoredIndex::Differs { nth })
    }

    /// The offset of the frame of the segment's `nth` position, from 0.
    pub(super) fn offset(&self, nth: u64) -> Option<u64> {
        match self {
            Self::File(file) => {
                let mut bytes = [0; OFFSET_LEN as usize];
                let at = HEADER_LEN as u64 + nth * OFFSET_LEN;
                let count = read_full(file.as_ref(), &mut bytes, at).ok()?;
                (count == bytes.len()).then_some(())?;
                Some(u64::from(u32::from_be_bytes(bytes)))
            }
            Self::Memory(offsets) => offsets
                .get(usize::try_from(nth).ok()?)
                .copied()
                .map(u64::from),
        }
    }
}
