//! Where the records of each student end. Derived: it can be thrown away, and is made again from the
//! journal.

use std::collections::HashMap;

use super::record::EVENT_TYPE;
use crate::disk::{Disk, SmallFile, read_full};
use crate::entry;
use crate::fields::Fields;
use crate::hash::Hash32;
use crate::ids::{CommitSeq, LedgerId, PersonId, Position, Revision};
use crate::journal::{CommitLog, DurableHint, Tail};
use crate::ledger::ReadError;
use crate::ledger::sealer::read_entry;
use crate::seal::ScopeKey;
use crate::time::Timestamp;

pub(super) const FILE: SmallFile<'static> = SmallFile {
    name: "heads",
    temporary: "heads.tmp",
};
const MAGIC: [u8; 8] = *b"PLACCv1\n";
const HEADER: usize = 8 + 16 + 8 + 8 + 16 + 8;
const RECORD: usize = 16 + 8 + 8 + 32;
const CHECK: usize = 16;

/// The last record about a student.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) position: Position,
    pub(super) revision: Revision,
    pub(super) link: Hash32,
}

/// The last record about each student, up to a place in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heads {
    pub(super) by_student: HashMap<PersonId, Head>,
    pub(super) tail: Tail,
}

impl Heads {
    /// Of a journal without records.
    pub(super) fn empty() -> Self {
        Self {
            by_student: HashMap::new(),
            tail: Tail::empty(Timestamp::default()),
        }
    }

    /// Reads the kept heads. `None` if there are none, or none that the holder of the key wrote for
    /// this journal.
    pub(super) fn load(disk: &dyn Disk, ledger: LedgerId, key: &ScopeKey) -> Option<Self> {
        let file = disk.open(FILE.name).ok()?;
        let mut bytes = vec![0; usize::try_from(file.len().ok()?).ok()?];
        let read = read_full(file.as_ref(), &mut bytes, 0).ok()?;
        bytes.truncate(read);
        let (content, check) = bytes.split_last_chunk::<CHECK>()?;
        if key.keyed_digest(content) != *check {
            return None;
        }
        Self::decode(content, ledger)
    }

    fn decode(content: &[u8], ledger: LedgerId) -> Option<Self> {
        let (header, records) = content.split_first_chunk::<HEADER>()?;
        let mut fields = Fields(header);
        let magic: [u8; 8] = fields.take();
        if magic != MAGIC || LedgerId::from_bytes(fields.take()) != ledger {
            return None;
        }
        let tail = Tail {
            commit: CommitSeq::new(fields.u64()),
            position: Position::new(fields.u64()),
            checksum: fields.take(),
            recorded_at: Timestamp::from_nanos(fields.u64()),
        };
        fields.finish();
        let (records, rest) = records.as_chunks::<RECORD>();
        let by_student = records.iter().map(|record| {
            let mut fields = Fields(record);
            let student = PersonId::from_bytes(fields.take());
            let head = Head {
                position: Position::new(fields.u64()),
                revision: Revision::new(fields.u64()),
                link: fields.take(),
            };
            fields.finish();
            (student, head)
        });
        rest.is_empty().then(|| Self {
            by_student: by_student.collect(),
            tail,
        })
    }

    /// Keeps the heads, for the next start.
    pub(super) fn store(
        &self,
        disk: &dyn Disk,
        ledger: LedgerId,
        key: &ScopeKey,
    ) -> std::io::Result<()> {
        let mut bytes = Vec::with_capacity(HEADER + self.by_student.len() * RECORD + CHECK);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(ledger.as_bytes());
        bytes.extend_from_slice(&self.tail.commit.get().to_be_bytes());
        bytes.extend_from_slice(&self.tail.position.get().to_be_bytes());
        bytes.extend_from_slice(&self.tail.checksum);
        bytes.extend_from_slice(&self.tail.recorded_at.nanos().to_be_bytes());
        let mut sorted: Vec<_> = self.by_student.iter().collect();
        sorted.sort_unstable_by_key(|(student, _)| **student);
        for (student, head) in sorted {
            bytes.extend_from_slice(student.as_bytes());
            bytes.extend_from_slice(&head.position.get().to_be_bytes());
            bytes.extend_from_slice(&head.revision.get().to_be_bytes());
            bytes.extend_from_slice(&head.link);
        }
        let check = key.keyed_digest(&bytes);
        bytes.extend_from_slice(&check);
        FILE.replace(disk, &bytes)?;
        Ok(())
    }

    /// What they say was durable. They are written only after a sync.
    pub(super) fn hint(&self, ledger: LedgerId) -> DurableHint {
        DurableHint {
            ledger,
            commit: self.tail.commit,
            position: self.tail.position,
        }
    }

    /// Whether they are those of an earlier place of this journal.
    pub(super) fn are_of(&self, log: &dyn CommitLog) -> Result<bool, ReadError> {
        if self.tail.commit == CommitSeq::ZERO {
            return Ok(self.by_student.is_empty());
        }
        match log.read_commits(self.tail.commit).next().transpose()? {
            Some(frame) => Ok(Tail::at(&frame).is_same_place(&self.tail)),
            None => Ok(false),
        }
    }

    /// Takes in what the journal has after them.
    pub(super) fn catch_up(&mut self, log: &dyn CommitLog) -> Result<(), ReadError> {
        for frame in log.read_commits(self.tail.commit.next()) {
            let frame = frame?;
            for record in frame.entries() {
                let entry = read_entry(record.position, record.entry)?;
                if entry.event_type != EVENT_TYPE {
                    let reason = "it is no record of the access log".to_owned();
                    let position = record.position;
                    return Err(ReadError::Malformed { position, reason });
                }
                let head = Head {
                    position: record.position,
                    revision: entry.revision,
                    link: entry::link(record.entry),
                };
                let student = PersonId::from_uuid(entry.stream.id);
                self.by_student.insert(student, head);
            }
            self.tail = Tail::at(&frame);
        }
        Ok(())
    }
}
