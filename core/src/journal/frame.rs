//! A frame: one commit as it stands in the journal. `core/DESIGN.md` has every byte of it.

use std::ops::Range;
use std::sync::Arc;

use super::commit::{CommandRecord, Commit};
use super::layout::{
    CHECKSUM_LEN, COMMAND_LEN, Digest16, HEADER_LEN, MAX_COMMANDS, MAX_ENTRIES, MAX_FRAME_LEN,
    RECORD_LEN, is_zero, recorded_at, sealed_hash_of, sealed_len,
};
use crate::entry::{EntryBytes, TAG_LEN, sealed_hash};
use crate::fields::{FieldWriter, Fields};
use crate::hash::{Context, Hash32};
use crate::ids::{CommandId, CommitSeq, Position, Revision, StreamId};
use crate::time::Timestamp;

pub(super) const MAGIC: [u8; 4] = *b"PLF1";
static HEADER_HASH: Context = Context::new("planledger v1 2026-11-23 frame header");
static CHECKSUM: Context = Context::new("planledger v1 2026-11-23 frame");
const HASHED_HEADER_LEN: usize = HEADER_LEN - 4;

/// Why bytes are not a frame, or not the frame that belongs there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The bytes end before the frame does. At the end of the journal this is a write that a crash
    /// cut short and for which no receipt was given. Elsewhere the file is damaged.
    #[error("ends after {have} of {need} bytes")]
    Short {
        /// How many bytes there are.
        have: u64,
        /// How many bytes the frame needs, as far as can be told.
        need: u64,
    },
    /// The first four bytes are not a frame's.
    #[error("does not begin with the magic bytes of a frame")]
    Magic,
    /// The header's hash is not that of the header.
    #[error("has a header that does not match its hash")]
    Header,
    /// Lengths and counts in the header contradict each other or exceed a limit. The header's hash
    /// is right, so the program that wrote it does not follow this format.
    #[error("has lengths and counts that contradict each other")]
    Counts,
    /// The checksum is not that of header and records.
    #[error("has records that do not match its checksum")]
    Checksum,
    /// A command record cannot be read.
    #[error("has an unreadable command record, number {0} in the frame")]
    Command(u32),
    /// An entry record cannot be read.
    #[error("has an unreadable entry record, number {0} in the frame")]
    Entry(u32),
    /// A payload is neither what its entry's hash says nor redacted.
    #[error("has a payload that does not match its entry's hash, number {0} in the frame")]
    Payload(u32),
    /// The frame is whole but does not follow the frame before it: something was taken out, put in
    /// or moved.
    #[error("does not continue the frame before it")]
    Chain,
}

/// What a frame's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Length of command and entry records together.
    pub records_len: u32,
    /// Length of the payloads together.
    pub payloads_len: u32,
    /// Number of command records.
    pub commands: u32,
    /// Number of entries.
    pub entries: u32,
    /// The frame's place in the journal.
    pub commit: CommitSeq,
    /// Position of the frame's first entry. If the frame has no entries, the position that the next
    /// entry will get.
    pub first_position: Position,
    /// Commit sequence of the first frame that was written together with it.
    pub group_start: CommitSeq,
    /// When the commit was recorded.
    pub recorded_at: Timestamp,
    /// First half of the checksum of the frame before it; zeros in the first.
    pub previous: Digest16,
}

impl Header {
    /// Reads the header that `bytes` begin with.
    ///
    /// # Errors
    /// [`FrameError::Short`], [`FrameError::Magic`], [`FrameError::Header`] or
    /// [`FrameError::Counts`]. A header that is returned keeps all limits and adds up.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let Some(bytes) = bytes.first_chunk::<HEADER_LEN>() else {
            return Err(FrameError::Short {
                have: bytes.len() as u64,
                need: HEADER_LEN as u64,
            });
        };
        if !bytes.starts_with(&MAGIC) {
            return Err(FrameError::Magic);
        }
        let (hashed, stored) = bytes.split_at(HASHED_HEADER_LEN);
        if !HEADER_HASH.hash(hashed).starts_with(stored) {
            return Err(FrameError::Header);
        }
        let header = Self::fields(bytes);
        if header.lengths_add_up() && header.place_is_possible() {
            Ok(header)
        } else {
            Err(FrameError::Counts)
        }
    }

    fn fields(bytes: &[u8; HEADER_LEN]) -> Self {
        let mut fields = Fields(bytes);
        let _magic: [u8; 4] = fields.take();
        let header = Self {
            records_len: fields.u32(),
            payloads_len: fields.u32(),
            commands: fields.u32(),
            entries: fields.u32(),
            commit: CommitSeq::new(fields.u64()),
            first_position: Position::new(fields.u64()),
            group_start: CommitSeq::new(fields.u64()),
            recorded_at: Timestamp::from_nanos(fields.u64()),
            previous: fields.take(),
        };
        let _hash: [u8; 4] = fields.take();
        fields.finish();
        header
    }

    /// Whether lengths and counts agree and keep the limits. Asserted before writing, checked after
    /// reading.
    fn lengths_add_up(&self) -> bool {
        let (commands, entries) = (self.commands as usize, self.entries as usize);
        (1..=MAX_COMMANDS).contains(&commands)
            && entries <= MAX_ENTRIES
            && self.records_len as usize == commands * COMMAND_LEN + entries * RECORD_LEN
            && self.frame_len() <= MAX_FRAME_LEN as u64
    }

    /// Whether a journal can have this place. It is not asserted before writing, because the place
    /// follows from frames that were read.
    fn place_is_possible(&self) -> bool {
        self.group_start > CommitSeq::ZERO
            && self.group_start <= self.commit
            && self.commit.get() < u64::MAX
            && self.first_position > Position::ZERO
            && self
                .first_position
                .get()
                .checked_add(u64::from(self.entries))
                .is_some()
    }

    /// The header's 72 bytes.
    fn encode(&self) -> [u8; HEADER_LEN] {
        assert!(self.lengths_add_up(), "a frame's commit has been checked");
        let mut out = FieldWriter::<HEADER_LEN>::new();
        out.put(&MAGIC);
        for number in [
            self.records_len,
            self.payloads_len,
            self.commands,
            self.entries,
        ] {
            out.put(&number.to_be_bytes());
        }
        for number in [
            self.commit.get(),
            self.first_position.get(),
            self.group_start.get(),
            self.recorded_at.nanos(),
        ] {
            out.put(&number.to_be_bytes());
        }
        out.put(&self.previous);
        let hash = HEADER_HASH.hash(out.written());
        out.put(&crate::hash::first::<4>(&hash));
        out.finish()
    }

    /// Length of the whole frame in bytes.
    pub fn frame_len(&self) -> u64 {
        self.checked_len() + u64::from(self.payloads_len)
    }

    /// Length of what comes before the payloads.
    pub(super) fn checked_len(&self) -> u64 {
        (HEADER_LEN + CHECKSUM_LEN) as u64 + u64::from(self.records_len)
    }

    /// The position of the last entry; the one before the frame, if it has none.
    pub fn last_position(&self) -> Position {
        Position::new((self.first_position.get() - 1) + u64::from(self.entries))
    }

    /// Where in the frame the record of its entry `index` is.
    pub(super) fn record_at(&self, index: u32) -> u64 {
        (HEADER_LEN + self.commands as usize * COMMAND_LEN + index as usize * RECORD_LEN) as u64
    }
}

/// Where a commit goes in the journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct FramePlace {
    pub(super) commit: CommitSeq,
    pub(super) first_position: Position,
    pub(super) group_start: CommitSeq,
    pub(super) previous: Digest16,
}

/// Appends the frame of `commit`, which has been checked, to `out`; answers its checksum.
pub(super) fn encode(commit: &Commit, place: FramePlace, out: &mut Vec<u8>) -> Hash32 {
    let start = out.len();
    let payloads_len: usize = commit.entries.iter().map(|entry| entry.sealed.len()).sum();
    let header = Header {
        records_len: (commit.commands.len() * COMMAND_LEN + commit.entries.len() * RECORD_LEN)
            as u32,
        payloads_len: payloads_len as u32,
        commands: commit.commands.len() as u32,
        entries: commit.entries.len() as u32,
        commit: place.commit,
        first_position: place.first_position,
        group_start: place.group_start,
        recorded_at: commit.recorded_at,
        previous: place.previous,
    };
    out.extend_from_slice(&header.encode());
    for command in &commit.commands {
        out.extend_from_slice(&encode_command(command));
    }
    let mut offset = 0_u32;
    for entry in &commit.entries {
        out.extend_from_slice(&entry.back.get().to_be_bytes());
        out.extend_from_slice(&offset.to_be_bytes());
        out.extend_from_slice(&entry.leaf);
        out.extend_from_slice(&entry.entry);
        offset += entry.sealed.len() as u32;
    }
    let (_, checked) = out.split_at(start);
    let checksum = CHECKSUM.hash(checked);
    out.extend_from_slice(&checksum);
    for entry in &commit.entries {
        out.extend_from_slice(&entry.sealed);
    }
    let written = (out.len() - start) as u64;
    assert_eq!(written, header.frame_len(), "a frame is as long as it says");
    checksum
}

/// A frame whose header, records and checksum have been checked. It shares the bytes of the
/// buffer it was read into.
#[derive(Clone)]
pub struct Frame {
    buffer: Arc<Vec<u8>>,
    range: Range<usize>,
    header: Header,
}

impl Frame {
    /// The frame that begins at `start` of `buffer`. Its payloads are not looked at; see
    /// [`Frame::check_payloads`].
    ///
    /// # Errors
    /// Any [`FrameError`] but `Payload` and `Chain`.
    pub fn decode(buffer: &Arc<Vec<u8>>, start: usize) -> Result<Self, FrameError> {
        // Where no byte is left, the frame is short.
        let bytes = buffer.get(start..).unwrap_or_default();
        let header = Header::decode(bytes)?;
        let short = FrameError::Short {
            have: bytes.len() as u64,
            need: header.frame_len(),
        };
        // Limits keep the lengths far below what a usize holds.
        let (checked_len, len) = (header.checked_len() as usize, header.frame_len() as usize);
        if bytes.len() < len {
            return Err(short);
        }
        let (hashed, stored) = bytes
            .get(..checked_len)
            .and_then(<[u8]>::split_last_chunk::<CHECKSUM_LEN>)
            .ok_or(short)?;
        if CHECKSUM.hash(hashed) != *stored {
            return Err(FrameError::Checksum);
        }
        let frame = Self {
            buffer: Arc::clone(buffer),
            range: start..start + len,
            header,
        };
        frame.check_records()?;
        Ok(frame)
    }

    fn check_records(&self) -> Result<(), FrameError> {
        let mut entries = 0_u64;
        for (index, chunk) in (0..).zip(self.command_records()) {
            let command = decode_command(chunk).ok_or(FrameError::Command(index))?;
            entries += u64::from(command.entries);
        }
        if entries != u64::from(self.header.entries) {
            return Err(FrameError::Counts);
        }
        let mut end = 0_u64;
        for (index, chunk) in (0..).zip(self.entry_records()) {
            let position = self.header.first_position.plus(u64::from(index));
            let record = Record::decode(chunk);
            if u64::from(record.offset) != end || record.back >= position {
                return Err(FrameError::Entry(index));
            }
            end += u64::from(record.sealed_len());
        }
        if end == u64::from(self.header.payloads_len) {
            Ok(())
        } else {
            Err(FrameError::Counts)
        }
    }

    /// Checks every payload against its entry's hash; a redacted one passes.
    ///
    /// # Errors
    /// [`FrameError::Payload`] with the number of the first that fails.
    pub fn check_payloads(&self) -> Result<(), FrameError> {
        for (index, entry) in (0..).zip(self.entries()) {
            if !entry.is_redacted() && !entry.payload_is_sound() {
                return Err(FrameError::Payload(index));
            }
        }
        Ok(())
    }

    /// What its header says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its place in the journal.
    pub fn commit(&self) -> CommitSeq {
        self.header.commit
    }

    /// All its bytes.
    pub fn bytes(&self) -> &[u8] {
        let Some(bytes) = self.buffer.get(self.range.clone()) else {
            unreachable!("a frame lies within its buffer");
        };
        bytes
    }

    /// Its header and records, its checksum, and its payloads.
    fn parts(&self) -> (&[u8], &Hash32, &[u8]) {
        let (checked, payloads) = self.bytes().split_at(self.header.checked_len() as usize);
        let Some((records, checksum)) = checked.split_last_chunk() else {
            unreachable!("a frame has a checksum");
        };
        (records, checksum, payloads)
    }

    /// The same frame with a buffer of its own, for keeping. A frame from a reader shares its
    /// buffer and so keeps up to some MiB of its neighbours in memory.
    #[must_use]
    pub fn detached(&self) -> Self {
        let bytes = self.bytes().to_vec();
        Self {
            range: 0..bytes.len(),
            buffer: Arc::new(bytes),
            header: self.header,
        }
    }

    /// Its checksum.
    pub fn checksum(&self) -> Hash32 {
        let (_, checksum, _) = self.parts();
        *checksum
    }

    /// The later of the commit's instant and its last entry's.
    pub(super) fn latest_instant(&self) -> Timestamp {
        let last = self.entry_records().last().map(Record::decode);
        last.map_or(Timestamp::default(), |record| recorded_at(record.entry))
            .max(self.header.recorded_at)
    }

    /// What was asked, in order.
    pub fn commands(&self) -> impl Iterator<Item = CommandRecord> {
        self.command_records().iter().map(|record| {
            let Some(command) = decode_command(record) else {
                unreachable!("a frame's command records have been read before");
            };
            command
        })
    }

    /// Its entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = EntryRef<'_>> {
        let (_, _, payloads) = self.parts();
        let positions = self.header.first_position.get()..;
        // The records come first: after the last of them no position is made, which could be too large.
        let records = self.entry_records().iter();
        records.zip(positions).map(move |(record, position)| {
            Record::decode(record).with_payload(Position::new(position), payloads)
        })
    }

    /// Its entry `index`, from 0; `None` if it has fewer.
    pub(crate) fn entry(&self, index: u32) -> Option<EntryRef<'_>> {
        let record = self.entry_records().get(index as usize)?;
        let (_, _, payloads) = self.parts();
        let position = self.header.first_position.plus(u64::from(index));
        Some(Record::decode(record).with_payload(position, payloads))
    }

    fn command_records(&self) -> &[[u8; COMMAND_LEN]] {
        let (commands, _) = self.split_records();
        commands
    }

    fn entry_records(&self) -> &[[u8; RECORD_LEN]] {
        let (_, entries) = self.split_records();
        entries
    }

    fn split_records(&self) -> (&[[u8; COMMAND_LEN]], &[[u8; RECORD_LEN]]) {
        let (records, _, _) = self.parts();
        let (_, records) = records.split_at(HEADER_LEN);
        let (commands, entries) = records.split_at(self.header.commands as usize * COMMAND_LEN);
        let ((commands, []), (entries, [])) = (commands.as_chunks(), entries.as_chunks()) else {
            unreachable!("the lengths in a frame's header add up");
        };
        (commands, entries)
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Frame").field(&self.header).finish()
    }
}

fn encode_command(command: &CommandRecord) -> [u8; COMMAND_LEN] {
    let mut out = FieldWriter::<COMMAND_LEN>::new();
    out.put(command.id.as_bytes());
    out.put(&command.digest);
    out.put(&command.stream.to_bytes());
    out.put(&command.revision.get().to_be_bytes());
    out.put(&command.entries.to_be_bytes());
    out.zeros_to(COMMAND_LEN);
    out.finish()
}

/// Reads a command record; `None` if its stream is of an unknown kind, or if bytes that are zero in
/// this version are not.
fn decode_command(bytes: &[u8; COMMAND_LEN]) -> Option<CommandRecord> {
    let mut fields = Fields(bytes);
    let command = CommandRecord {
        id: CommandId::from_bytes(fields.take()),
        digest: fields.take(),
        stream: StreamId::from_bytes(&fields.take())?,
        revision: Revision::new(fields.u64()),
        entries: fields.u32(),
    };
    let zeros: [u8; 3] = fields.take();
    fields.finish();
    (zeros == [0; 3]).then_some(command)
}

/// An entry record without its payload.
pub(super) struct Record<'a> {
    pub(super) back: Position,
    pub(super) offset: u32,
    leaf: &'a Hash32,
    entry: &'a EntryBytes,
}

impl<'a> Record<'a> {
    pub(super) fn decode(bytes: &'a [u8; RECORD_LEN]) -> Self {
        let mut fields = Fields(bytes);
        let (back, offset) = (Position::new(fields.u64()), fields.u32());
        let Some((leaf, rest)) = fields.0.split_first_chunk() else {
            unreachable!("an entry record has a leaf");
        };
        let Ok(entry) = rest.try_into() else {
            unreachable!("an entry record ends with the entry");
        };
        Self {
            back,
            offset,
            leaf,
            entry,
        }
    }

    pub(super) fn sealed_len(&self) -> u32 {
        sealed_len(self.entry)
    }

    /// The entry with its payload from among those of the frame, whose records have been checked.
    fn with_payload(self, position: Position, payloads: &'a [u8]) -> EntryRef<'a> {
        let (_, rest) = payloads.split_at(self.offset as usize);
        let (sealed, _) = rest.split_at(self.sealed_len() as usize);
        self.with_sealed(position, sealed)
    }

    pub(super) fn with_sealed(self, position: Position, sealed: &'a [u8]) -> EntryRef<'a> {
        EntryRef {
            position,
            back: self.back,
            leaf: self.leaf,
            entry: self.entry,
            sealed,
        }
    }
}

/// An entry in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryRef<'a> {
    /// Its place in the journal.
    pub position: Position,
    /// Position of its stream's previous entry; 0 if it is the first.
    pub back: Position,
    /// Its Merkle leaf.
    pub leaf: &'a Hash32,
    /// Its bytes.
    pub entry: &'a EntryBytes,
    /// Its payload, sealed; all zeros once it is redacted.
    pub sealed: &'a [u8],
}

impl EntryRef<'_> {
    /// Whether the payload has been overwritten. A sealed payload is never all zeros: its 16-byte
    /// tag alone would be so with probability 2^-128.
    pub fn is_redacted(&self) -> bool {
        self.sealed.len() >= TAG_LEN && is_zero(self.sealed)
    }

    /// Whether the payload is what the entry's hash says.
    pub fn payload_is_sound(&self) -> bool {
        sealed_hash_of(self.entry) == sealed_hash(self.sealed)
    }

    /// Whether the leaf is that of the entry.
    pub fn leaf_is_sound(&self) -> bool {
        crate::entry::leaf(self.entry) == *self.leaf
    }
}
