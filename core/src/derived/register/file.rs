//! The file of the register. Records are only ever appended, and each is authenticated together
//! with all records before it. If the end of the file is torn or changed, the records there count
//! as never written; the records before them stay valid.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::batch::Batch;
use super::key::{MAC, RegisterKey};
use crate::derived::cursor::Cursor;
use crate::disk::{Disk, DiskFile, ReplaceError, SmallFile, read_full, write_full};
use crate::domain::EventType;
use crate::fields::Fields;
use crate::ids::LedgerId;
use crate::seal::KeyCount;

const NAME: &str = "register";
const FILE: SmallFile<'_> = SmallFile {
    name: NAME,
    temporary: "register.tmp",
};
const MAGIC: [u8; 8] = *b"PLREGv1\n";
/// The version of everything that decides what derived state contains: the rules by which events
/// are folded into documents, and the layout of this file. Raise it whenever one of them changes,
/// so that derived state of an earlier version is never taken for that of this version. The event
/// types and schemas that the version knew are written beside this number, so for them it need not
/// be raised.
const VERSION: u8 = 13;
const HEADER: usize = 8 + 16 + 1 + 7 + MAC;
const RECORD_HEAD: usize = 4 + 1;
/// The file is not rewritten before it holds this many bytes that may have been replaced since.
const LEAST_COMPACTED: u64 = 4 << 20;

const BATCH: u8 = 1;
const OPENED: u8 = 2;
const CLOSED: u8 = 3;
const DISTRUSTED: u8 = 4;
const DISTRUSTED_SAID: &str = "it is not to be used again";

/// In which way the use of derived state ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::derived) enum Closed {
    /// Everything was on stable storage.
    Cleanly,
    /// The process ended, but the machine kept running. Everything that was written is there.
    Killed,
    /// The machine stopped. What was not on stable storage may be lost.
    PowerCut,
}

/// A register as it was found on disk, up to its last authentic record.
pub(crate) struct StoredRegister {
    disk: Arc<dyn Disk>,
    key: RegisterKey,
    ledger: LedgerId,
    /// The batches: for each, where its record ends in the file, the chain value there, and its
    /// content.
    batches: Vec<(u64, [u8; MAC], Batch)>,
    /// The chain value after the header.
    start: [u8; MAC],
    distrusted: bool,
    closed: Closed,
}

/// Why a register is not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum RegisterError {
    /// The operating system cannot read it.
    #[error("its register cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is missing, or belongs to another ledger, generation or master key.
    #[error("its register is missing or damaged, or belongs to another key")]
    Foreign,
    /// It is authentic, but another version of this program wrote it, with other rules or with
    /// other event types and schemas.
    #[error("its register was made by another version")]
    Version,
}

impl StoredRegister {
    /// Reads the register in a folder.
    ///
    /// # Errors
    /// [`RegisterError`]
    pub(crate) fn read(disk: Arc<dyn Disk>, key: RegisterKey) -> Result<Self, RegisterError> {
        let bytes = match disk.open(NAME) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(RegisterError::Foreign);
            }
            file => read_all(file?.as_ref())?,
        };
        let (header, mut rest) = bytes
            .split_at_checked(HEADER)
            .ok_or(RegisterError::Foreign)?;
        let mut fields = Fields(header);
        let (magic, ledger) = (fields.take(), LedgerId::from_bytes(fields.take()));
        let Some((said, start)) = header.split_last_chunk::<MAC>() else {
            return Err(RegisterError::Foreign);
        };
        if magic != MAGIC || key.mac(&[said]) != *start {
            return Err(RegisterError::Foreign);
        }
        let start = *start;
        if header != encode_header(&key, ledger).0 {
            return Err(RegisterError::Version);
        }
        let mut found = Self {
            disk,
            key,
            ledger,
            batches: Vec::new(),
            start,
            distrusted: false,
            closed: Closed::PowerCut,
        };
        let (mut chain, mut at) = (start, HEADER as u64);
        while let Some(record) = next_record(&found.key, &chain, rest) {
            at += (rest.len() - record.rest.len()) as u64;
            (chain, rest) = (record.mac, record.rest);
            match record.kind {
                BATCH => match Batch::decode(record.body) {
                    Some(batch) => found.batches.push((at, chain, batch)),
                    None => return Err(RegisterError::Foreign),
                },
                OPENED => {
                    let here = boot_id().is_some_and(|boot| boot == record.body);
                    found.closed = match here {
                        true => Closed::Killed,
                        false => Closed::PowerCut,
                    };
                }
                CLOSED => found.closed = Closed::Cleanly,
                DISTRUSTED => found.distrusted = true,
                _ => return Err(RegisterError::Foreign),
            }
        }
        // A record that is not whole was being written when everything stopped.
        if !rest.is_empty() && found.closed == Closed::Cleanly {
            found.closed = Closed::PowerCut;
        }
        Ok(found)
    }

    /// The ledger that the register belongs to.
    pub(crate) fn ledger(&self) -> LedgerId {
        self.ledger
    }

    /// How far derived state had come at the last batch.
    pub(crate) fn newest(&self) -> Option<&Cursor> {
        self.batches.last().map(|(_, _, batch)| &batch.cursor)
    }

    /// The keys that the journal needs up to there.
    pub(crate) fn keys_needed(&self) -> KeyCount {
        let newest = self.batches.last();
        newest.map(|(_, _, batch)| batch.keys).unwrap_or_default()
    }

    /// Whether a note says that this derived state must not be used again.
    pub(crate) fn is_distrusted(&self) -> bool {
        self.distrusted
    }

    pub(super) fn key(&self) -> &RegisterKey {
        &self.key
    }

    /// Continues the register from the place that derived state has reached. Gives the file and all
    /// batches up to there; `None` if the register does not know that place.
    pub(super) fn resume(
        self,
        cursor: Option<&Cursor>,
    ) -> io::Result<Option<(RegisterFile, Vec<Batch>)>> {
        let count = match cursor {
            None => 0,
            Some(cursor) => {
                let found = self.batches.iter();
                match found
                    .rev()
                    .position(|(_, _, batch)| batch.cursor == *cursor)
                {
                    Some(beyond) => self.batches.len() - beyond,
                    None => return Ok(None),
                }
            }
        };
        let (kept, _) = self.batches.split_at(count);
        let (len, chain) = match kept.last() {
            Some((at, chain, _)) => (*at, *chain),
            None => (HEADER as u64, self.start),
        };
        // A file that was written anew begins with several batches as of one place.
        let first = kept.first().map(|(_, _, batch)| &batch.cursor);
        let anew = kept
            .iter()
            .take_while(|(_, _, batch)| Some(&batch.cursor) == first);
        let whole = anew.last().map_or(HEADER as u64, |(at, _, _)| *at);
        let file = self.disk.open(NAME)?;
        // Later records describe batches that never reached sled, or that sled has lost.
        file.set_len(len)?;
        let mut file = RegisterFile {
            disk: self.disk,
            key: self.key,
            ledger: self.ledger,
            file,
            len,
            whole,
            chain,
            closed: self.closed,
            distrusted: false,
        };
        file.note_opening()?;
        let batches = self.batches.into_iter().take(count);
        Ok(Some((file, batches.map(|(_, _, batch)| batch).collect())))
    }
}

/// A record that is whole and authentic.
struct Record<'a> {
    kind: u8,
    body: &'a [u8],
    mac: [u8; MAC],
    /// The bytes after the record.
    rest: &'a [u8],
}

/// Reads the next record; `None` if no whole and authentic record follows.
fn next_record<'a>(key: &RegisterKey, chain: &[u8; MAC], bytes: &'a [u8]) -> Option<Record<'a>> {
    let (head, rest) = bytes.split_first_chunk::<RECORD_HEAD>()?;
    let mut fields = Fields(head);
    let (len, [kind]) = (fields.u32(), fields.take());
    let (body, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
    let (mac, rest) = rest.split_first_chunk()?;
    (key.mac(&[chain, head, body]) == *mac).then_some(Record {
        kind,
        body,
        mac: *mac,
        rest,
    })
}

fn encode_header(key: &RegisterKey, ledger: LedgerId) -> (Vec<u8>, [u8; MAC]) {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(ledger.as_bytes());
    bytes.push(VERSION);
    bytes.extend_from_slice(&EventType::fingerprint());
    let mac = key.mac(&[&bytes]);
    bytes.extend_from_slice(&mac);
    (bytes, mac)
}

/// The register's file while derived state is in use.
pub(super) struct RegisterFile {
    disk: Arc<dyn Disk>,
    key: RegisterKey,
    ledger: LedgerId,
    file: Box<dyn DiskFile>,
    len: u64,
    /// How long the file was when it was written anew: about the length that it would have again.
    whole: u64,
    chain: [u8; MAC],
    /// In which way the earlier use of this derived state ended.
    closed: Closed,
    /// Set after the note that this derived state must not be used again. Nothing is written after
    /// that note.
    distrusted: bool,
}

impl RegisterFile {
    pub(super) fn create(
        disk: Arc<dyn Disk>,
        key: RegisterKey,
        ledger: LedgerId,
    ) -> io::Result<Self> {
        let (header, chain) = encode_header(&key, ledger);
        let file = disk.create(NAME)?;
        write_full(file.as_ref(), &header, 0)?;
        let len = header.len() as u64;
        let mut file = Self {
            disk,
            key,
            ledger,
            file,
            len,
            whole: len,
            chain,
            closed: Closed::Cleanly,
            distrusted: false,
        };
        file.note_opening()?;
        file.disk.sync_dir()?;
        Ok(file)
    }

    pub(super) fn was_closed(&self) -> Closed {
        self.closed
    }

    /// Notes that derived state is in use. From now on it does not count as closed.
    fn note_opening(&mut self) -> io::Result<()> {
        self.put(OPENED, &opening())?;
        self.file.sync_data()
    }

    fn put(&mut self, kind: u8, body: &[u8]) -> io::Result<()> {
        if self.distrusted {
            return Err(io::Error::other(DISTRUSTED_SAID));
        }
        let mut record = Vec::new();
        let chain = put_record(&mut record, &self.key, &self.chain, kind, body)?;
        write_full(self.file.as_ref(), &record, self.len)?;
        self.len += record.len() as u64;
        self.chain = chain;
        Ok(())
    }

    /// Appends a batch and syncs it. So the register knows every place that sled may have reached
    /// after a power cut. sled gets a batch at most a few times a second.
    pub(super) fn append(&mut self, batch: &Batch) -> io::Result<()> {
        self.put(BATCH, &batch.encode())?;
        self.file.sync_data()
    }

    pub(super) fn distrust(&mut self) -> io::Result<()> {
        let noted = self.put(DISTRUSTED, &[]);
        self.distrusted = true;
        noted?;
        self.file.sync_data()
    }

    pub(super) fn close(&mut self) -> io::Result<()> {
        self.put(CLOSED, &[])?;
        self.file.sync_data()
    }

    pub(super) fn is_worth_compacting(&self) -> bool {
        self.len - self.whole.min(self.len) > self.whole.max(LEAST_COMPACTED)
    }

    /// Delays rewriting the file until it has grown as much again.
    pub(super) fn put_off_compacting(&mut self) {
        self.whole = self.len;
    }

    /// Rewrites the file with batches that together hold everything, all as of one place.
    pub(super) fn replace(&mut self, batches: impl Iterator<Item = Batch>) -> io::Result<()> {
        if self.distrusted {
            return Err(io::Error::other(DISTRUSTED_SAID));
        }
        let (mut len, mut whole, mut chain) = (0, 0, [0; MAC]);
        let (key, ledger) = (&self.key, self.ledger);
        // Part by part, so that not all of it is in memory once more.
        let replaced = FILE.replace_with(self.disk.as_ref(), |file| {
            let (mut bytes, start) = encode_header(key, ledger);
            chain = start;
            for batch in batches {
                chain = put_record(&mut bytes, key, &chain, BATCH, &batch.encode())?;
                write_full(file, &bytes, len)?;
                len += bytes.len() as u64;
                bytes.clear();
            }
            whole = len;
            chain = put_record(&mut bytes, key, &chain, OPENED, &opening())?;
            write_full(file, &bytes, len)?;
            len += bytes.len() as u64;
            Ok(())
        });
        let (file, done) = match replaced {
            Ok(file) => (file, Ok(())),
            Err(ReplaceError::Unchanged(error)) => return Err(error),
            // The name leads to the new file already, so what is noted from now on belongs there.
            Err(ReplaceError::NotDurable { source, file }) => (file, Err(source)),
        };
        self.file = file;
        self.len = len;
        self.whole = whole;
        self.chain = chain;
        done
    }
}

/// Appends a record to `bytes`. Returns the chain value after it.
fn put_record(
    bytes: &mut Vec<u8>,
    key: &RegisterKey,
    chain: &[u8; MAC],
    kind: u8,
    body: &[u8],
) -> io::Result<[u8; MAC]> {
    let len = u32::try_from(body.len()).map_err(io::Error::other)?;
    let head = [len.to_be_bytes().as_slice(), &[kind]].concat();
    let mac = key.mac(&[chain, &head, body]);
    bytes.reserve(RECORD_HEAD + body.len() + MAC);
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(body);
    bytes.extend_from_slice(&mac);
    Ok(mac)
}

/// The body of the record that says that derived state is in use.
fn opening() -> [u8; 16] {
    boot_id().unwrap_or_default()
}

fn read_all(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let len = usize::try_from(file.len()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; len];
    let count = read_full(file, &mut bytes, 0)?;
    bytes.truncate(count);
    Ok(bytes)
}

/// Names the present start of the machine; `None` where the operating system does not say. After
/// another start, what was not on stable storage is gone.
fn boot_id() -> Option<[u8; 16]> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let id = uuid::Uuid::try_parse(text.trim()).ok()?;
    Some(*id.as_bytes())
}

/// Brings everything in a folder and below it to stable storage. sled itself never syncs its files.
///
/// # Errors
/// When the operating system cannot.
pub(in crate::derived) fn sync_folder(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => sync_folder(&entry.path())?,
            false => File::open(entry.path())?.sync_all()?,
        }
    }
    File::open(dir)?.sync_all()
}
