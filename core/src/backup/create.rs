//! Makes a backup of a ledger's directory, while a server runs or not.
//!
//! The order matters. Checkpoints first, then the journal: a checkpoint is signed after its events are
//! stored. Keys after the journal: a key is stored before the first event that it seals. The acts last,
//! so that every act that the journal or the keys show is among them.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;

use super::error::{BackupError, at};
use super::manifest::{
    FileCopy, Manifest, PART_BYTES, PartCopy, SegmentEnd, Signed, manifest_name,
};
use super::pace::Pace;
use super::place::Place;
use super::source::{
    ReadSegment, look, names, open, read, read_chunk, read_segment, segments, wait_while_there,
};
use super::store::{numbers, objects, of, read_manifest};
use crate::ids::{CommitSeq, LedgerId, Position};
use crate::journal::{leaves_number, segment_name};
use crate::merkle::Frontier;
use crate::note::Signer;
use crate::time::{Clock, Timestamp};
use crate::tlog::KeptNotes;

const CHECKPOINTS: &str = "checkpoints/checkpoints.txt";
const ACCESS_CHECKPOINTS: &str = "access/checkpoints/checkpoints.txt";
pub(super) const JOURNAL: &str = "journal";
pub(super) const ACCESS_JOURNAL: &str = "access/journal";
pub(super) const KEYS: &str = "keys/keys.log";
pub(super) const SIGNING_KEY: &str = "keys/checkpoint.key";
/// Is there while a key is destroyed.
const DESTROYING: &str = "keys/destroying";
/// Copied as they are, if they are there, after the journals.
const OTHERS: [&str; 6] = [
    "checkpoints/beyond.txt",
    "restored/commands",
    "erasures/acts.txt",
    "origin/entries",
    "origin/checkpoints.txt",
    "origin/report.json",
];

/// How to make a backup.
pub struct Create<'a> {
    /// The ledger's directory.
    pub dir: &'a Path,
    /// Where the backup goes.
    pub place: &'a dyn Place,
    /// Where the keys go.
    pub keys: &'a dyn Place,
    /// The key that signs the ledger's checkpoints.
    pub signer: &'a Signer,
    /// Whether this key goes to the place for keys too. Whoever has it can sign what they like.
    pub with_signing_key: bool,
    /// Whether to read closed segments that look as they did at the last backup.
    pub read_all: bool,
    /// Tells when the backup was made.
    pub clock: &'a dyn Clock,
    /// Called after each file.
    pub watch: &'a dyn Fn(&Step),
}

/// What has been done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// How many files the backup has.
    pub files: u64,
    /// How many bytes these files have.
    pub bytes: u64,
    /// How many bytes were read.
    pub read: u64,
    /// How many bytes were stored; the others were stored already.
    pub stored: u64,
}

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// What is in it.
    pub manifest: Manifest,
    /// What was done for it.
    pub step: Step,
}

impl Create<'_> {
    /// Makes the backup. It counts once its manifest is stored, which is the last step. What an
    /// interrupted one has stored is there for the next one.
    ///
    /// # Errors
    /// [`BackupError`]
    pub fn run(&self, mut pace: Pace) -> Result<Created, BackupError> {
        let made_at = self.clock.now();
        let ledger = self.ledger()?;
        let earlier = self.earlier(ledger)?;
        let mut work = Work {
            how: self,
            there: objects(self.place)?,
            keys_there: objects(self.keys)?,
            pace: &mut pace,
            step: Step::default(),
        };
        let mut files = Vec::new();
        let checkpoints = work.grown(CHECKPOINTS)?;
        let newest = match &checkpoints {
            Some(_) => self.newest_checkpoint()?,
            None => None,
        };
        files.extend(checkpoints);
        let end = work.journal(earlier.as_ref(), &mut files)?;
        if let Some(size) = newest.filter(|size| *size > end.frontier.size()) {
            return Err(BackupError::RolledBack {
                position: Position::new(end.frontier.size()),
                size,
            });
        }
        files.extend(work.grown(ACCESS_CHECKPOINTS)?);
        work.access_journal(earlier.as_ref(), &mut files)?;
        let keys = work.keys()?;
        for name in OTHERS {
            files.extend(work.small(name, false)?);
        }
        let manifest = Manifest {
            number: earlier.map_or(0, |earlier| earlier.manifest.number) + 1,
            ledger,
            made_at,
            commit: end.commit,
            position: Position::new(end.frontier.size()),
            recorded_at: end.recorded_at,
            root: end.frontier.root(),
            key: self.signer.verifier().to_string(),
            files,
            keys,
        };
        let step = work.step;
        let number = manifest.number;
        let bytes = manifest.sign(self.signer);
        let bytes = bytes.map_err(|source| BackupError::Manifest { number, source })?;
        let name = manifest_name(number);
        let stored = self.place.write_new(&name, &bytes);
        stored.map_err(of(self.place, &name))?;
        Ok(Created { manifest, step })
    }

    fn ledger(&self) -> Result<LedgerId, BackupError> {
        let folder = self.dir.join(JOURNAL);
        let Some(first) = segments(&folder)?.first().copied() else {
            return Err(BackupError::NoLedger(self.dir.to_owned()));
        };
        let path = folder.join(segment_name(first));
        let mut bytes = Vec::new();
        let read = open(&path)
            .and_then(|mut file| read_chunk(&mut file, HEADER, &mut bytes, &mut Pace::new(None)));
        read.map_err(at(&path))?;
        let segment = crate::journal::WholeSegment::new(first, bytes);
        let segment = segment.map_err(|damage| BackupError::Damaged {
            file: segment_name(first),
            damage,
        })?;
        Ok(segment.ledger())
    }

    /// The newest backup of the place, which has to be of the same ledger.
    fn earlier(&self, ledger: LedgerId) -> Result<Option<Signed>, BackupError> {
        let Some(newest) = numbers(self.place)?.last().copied() else {
            return Ok(None);
        };
        let earlier = read_manifest(self.place, newest, None)?;
        match earlier.manifest.ledger == ledger {
            true => Ok(Some(earlier)),
            false => Err(BackupError::OtherLedger {
                place: self.place.describe(),
                found: earlier.manifest.ledger,
                wanted: ledger,
            }),
        }
    }

    /// The size of the newest checkpoint, from the end of the file.
    fn newest_checkpoint(&self) -> Result<Option<u64>, BackupError> {
        use std::io::{Seek, SeekFrom};
        const END: u64 = 1 << 20;
        let path = self.dir.join(CHECKPOINTS);
        let read = open(&path).and_then(|mut file| {
            let from = file.metadata()?.len().saturating_sub(END);
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            read_chunk(
                &mut file,
                2 * END as usize,
                &mut bytes,
                &mut Pace::new(None),
            )?;
            Ok((from, bytes))
        });
        let (from, bytes) = read.map_err(at(&path))?;
        // The first note may be cut, and the last one unfinished.
        let begins: Vec<usize> = match from {
            0 => vec![0],
            _ => bytes
                .windows(2)
                .enumerate()
                .filter_map(|(at, pair)| (pair == b"\n\n").then_some(at + 2))
                .take(3)
                .collect(),
        };
        let found = begins
            .iter()
            .map(|begin| KeptNotes::parse(bytes.get(*begin..).unwrap_or_default()))
            .find(|found| !found.notes.is_empty());
        Ok(found.and_then(|found| {
            let sizes = found.notes.iter().map(|signed| signed.checkpoint.size);
            sizes.max()
        }))
    }
}

/// Length of a segment's header.
const HEADER: usize = crate::journal::SEGMENT_HEADER_LEN;

/// Where the journal ends in the backup.
struct End {
    commit: CommitSeq,
    recorded_at: Timestamp,
    frontier: Frontier,
}

/// A copy of a closed segment, with where the journal is after it. That the next segment begins there is
/// checked when that one is read.
fn with_end(copy: FileCopy) -> Option<(FileCopy, End)> {
    let there = copy.end.as_ref()?;
    let after = End {
        commit: there.commit,
        recorded_at: Timestamp::default(),
        frontier: there.frontier()?,
    };
    Some((copy, after))
}

struct Work<'a, 'b> {
    how: &'a Create<'b>,
    there: HashMap<String, u64>,
    keys_there: HashMap<String, u64>,
    pace: &'a mut Pace,
    step: Step,
}

impl Work<'_, '_> {
    /// Stores bytes as parts, those that are not there yet.
    fn store(&mut self, of_keys: bool, bytes: &[u8]) -> Result<Vec<PartCopy>, BackupError> {
        let chunks = bytes.chunks(PART_BYTES);
        chunks
            .map(|chunk| self.store_part(of_keys, chunk))
            .collect()
    }

    fn store_part(&mut self, of_keys: bool, bytes: &[u8]) -> Result<PartCopy, BackupError> {
        let part = PartCopy::of(bytes);
        let (place, there) = match of_keys {
            true => (self.how.keys, &mut self.keys_there),
            false => (self.how.place, &mut self.there),
        };
        self.step.read += part.len;
        let object = part.object();
        let name = object.rsplit('/').next().unwrap_or_default().to_owned();
        if there.get(&name) != Some(&part.len) {
            place.write(&object, bytes).map_err(of(place, &object))?;
            there.insert(name, part.len);
            self.step.stored += part.len;
        }
        Ok(part)
    }

    /// Whether every part of a copy is still there.
    fn has_all(&self, copy: &FileCopy) -> bool {
        copy.parts.iter().all(|part| {
            let object = part.object();
            let name = object.rsplit('/').next().unwrap_or_default();
            self.there.get(name) == Some(&part.len)
        })
    }

    fn done(&mut self, file: FileCopy) -> FileCopy {
        self.step.files += 1;
        self.step.bytes += file.len;
        (self.how.watch)(&self.step);
        file
    }

    /// A file that only grows, part by part. `None` if it is not there.
    fn grown(&mut self, name: &str) -> Result<Option<FileCopy>, BackupError> {
        let path = self.how.dir.join(name);
        let mut file = match open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(at(&path))?,
        };
        let (mut parts, mut len) = (Vec::new(), 0);
        loop {
            let mut bytes = Vec::new();
            while bytes.len() < PART_BYTES
                && read_chunk(&mut file, PART_BYTES - bytes.len(), &mut bytes, self.pace)
                    .map_err(at(&path))?
            {}
            if bytes.is_empty() {
                break;
            }
            len += bytes.len() as u64;
            parts.push(self.store_part(false, &bytes)?);
        }
        let name = name.to_owned();
        let file = FileCopy {
            name,
            len,
            parts,
            seen: None,
            end: None,
        };
        Ok(Some(self.done(file)))
    }

    /// A file that is replaced as a whole, or small. `None` if it is not there.
    fn small(&mut self, name: &str, of_keys: bool) -> Result<Option<FileCopy>, BackupError> {
        let path = self.how.dir.join(name);
        let bytes = match read(&path, self.pace) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(at(&path))?,
        };
        let parts = self.store(of_keys, &bytes)?;
        let file = FileCopy {
            name: name.to_owned(),
            len: bytes.len() as u64,
            parts,
            seen: None,
            end: None,
        };
        Ok(Some(self.done(file)))
    }

    /// The copy of a closed segment that need not be made again.
    fn known(
        &self,
        earlier: Option<&Signed>,
        name: &str,
        path: &Path,
    ) -> Result<Option<FileCopy>, BackupError> {
        if self.how.read_all {
            return Ok(None);
        }
        let Some(copy) = earlier.and_then(|earlier| earlier.manifest.file(name)) else {
            return Ok(None);
        };
        let (len, now) = look(path, self.how.clock.now()).map_err(at(path))?;
        let is_known = copy.is_of(len, &now) && self.has_all(copy);
        Ok(is_known.then(|| copy.clone()))
    }

    fn segment(
        &mut self,
        (folder, number): (&str, u64),
        is_last: bool,
    ) -> Result<(ReadSegment, FileCopy), BackupError> {
        let now = self.how.clock.now();
        let read = read_segment(&self.how.dir.join(folder), number, is_last, now, self.pace)?;
        let bytes = read.segment.bytes();
        let bytes = bytes.get(..read.end as usize).unwrap_or(bytes);
        let copy = FileCopy {
            name: format!("{folder}/{}", segment_name(number)),
            len: read.end,
            parts: self.store(false, bytes)?,
            seen: (!is_last).then_some(read.seen),
            end: None,
        };
        Ok((read, copy))
    }

    /// The journal, up to the last whole commit that is there when its last segment is read.
    fn journal(
        &mut self,
        earlier: Option<&Signed>,
        files: &mut Vec<FileCopy>,
    ) -> Result<End, BackupError> {
        let folder = self.how.dir.join(JOURNAL);
        let numbers = segments(&folder)?;
        let mut end: Option<End> = None;
        for (index, number) in numbers.iter().copied().enumerate() {
            let is_last = index + 1 == numbers.len();
            let name = format!("{JOURNAL}/{}", segment_name(number));
            let known = match is_last {
                true => None,
                false => self.known(earlier, &name, &self.how.dir.join(&name))?,
            };
            if let Some((copy, after)) = known.and_then(with_end) {
                end = Some(after);
                files.push(self.done(copy));
                continue;
            }
            let (read, mut copy) = match self.segment((JOURNAL, number), is_last) {
                Ok(read) => read,
                // A closed segment never changes but for redactions, so the copy of before is as good,
                // and better than no backup of what came after it.
                Err(BackupError::Damaged { file, damage }) if !is_last => {
                    let copy = earlier.and_then(|earlier| earlier.manifest.file(&name));
                    let copy = copy.filter(|copy| self.has_all(copy)).cloned();
                    let Some((copy, after)) = copy.and_then(with_end) else {
                        return Err(BackupError::Damaged { file, damage });
                    };
                    tracing::error!(%damage, "a segment is damaged; the backup keeps its copy of before");
                    end = Some(after);
                    files.push(self.done(copy));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let before = read.segment.before();
            let mut so_far = end.take().unwrap_or_else(|| End {
                commit: CommitSeq::ZERO,
                recorded_at: before.recorded_at,
                frontier: Frontier::default(),
            });
            let continues = number == index as u64 + 1
                && before.commit == so_far.commit
                && before.position.get() == so_far.frontier.size();
            if !continues {
                return Err(BackupError::Changing(folder));
            }
            so_far.recorded_at = before.recorded_at;
            for frame in read.segment.frames(read.end) {
                let frame = frame.map_err(|damage| BackupError::Damaged {
                    file: segment_name(number),
                    damage,
                })?;
                so_far.commit = frame.tail.commit;
                so_far.recorded_at = frame.tail.recorded_at;
                let leaves = frame.frame.entries().map(|entry| *entry.leaf);
                leaves.for_each(|leaf| so_far.frontier.push(leaf));
            }
            if !is_last {
                copy.end = Some(SegmentEnd::new(so_far.commit, &so_far.frontier));
            }
            end = Some(so_far);
            files.push(self.done(copy));
        }
        end.ok_or_else(|| BackupError::NoLedger(self.how.dir.to_owned()))
    }

    /// The access log. An act on it can remove its first segments meanwhile; then it is copied again.
    fn access_journal(
        &mut self,
        earlier: Option<&Signed>,
        files: &mut Vec<FileCopy>,
    ) -> Result<(), BackupError> {
        let folder = self.how.dir.join(ACCESS_JOURNAL);
        for _ in 0..AGAIN {
            match self.access_segments(&folder, earlier) {
                Ok(copies) => {
                    files.extend(copies);
                    return Ok(());
                }
                Err(BackupError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(BackupError::Changing(folder))
    }

    fn access_segments(
        &mut self,
        folder: &Path,
        earlier: Option<&Signed>,
    ) -> Result<Vec<FileCopy>, BackupError> {
        let mut copies = Vec::new();
        let leaves: Vec<_> = names(folder)?
            .into_iter()
            .filter(|name| leaves_number(name).is_some())
            .collect();
        for name in &leaves {
            copies.extend(self.small(&format!("{ACCESS_JOURNAL}/{name}"), false)?);
        }
        let gone = leaves.iter().filter_map(|name| leaves_number(name)).max();
        let mut numbers = segments(folder)?;
        numbers.retain(|number| gone.is_none_or(|gone| *number > gone));
        for (index, number) in numbers.iter().copied().enumerate() {
            let is_last = index + 1 == numbers.len();
            let name = format!("{ACCESS_JOURNAL}/{}", segment_name(number));
            let known = match is_last {
                true => None,
                false => self.known(earlier, &name, &self.how.dir.join(&name))?,
            };
            let copy = match known {
                Some(copy) => copy,
                None => self.segment((ACCESS_JOURNAL, number), is_last)?.1,
            };
            copies.push(self.done(copy));
        }
        Ok(copies)
    }

    /// The keys, as they are while none of them is being destroyed.
    fn keys(&mut self) -> Result<Vec<FileCopy>, BackupError> {
        let note = self.how.dir.join(DESTROYING);
        let path = self.how.dir.join(KEYS);
        let mut left = AGAIN;
        let mut found = loop {
            wait_while_there(&note)?;
            let before = look(&path, Timestamp::default()).map_err(at(&path))?;
            let bytes = read(&path, self.pace).map_err(at(&path))?;
            let after = look(&path, Timestamp::default()).map_err(at(&path))?;
            // A key that is added meanwhile does no harm; one that is destroyed is written in place.
            let same = before.1.file == after.1.file && !note.try_exists().map_err(at(&note))?;
            if same && (before == after || left == 0) {
                let parts = self.store(true, &bytes)?;
                let file = FileCopy {
                    name: KEYS.to_owned(),
                    len: bytes.len() as u64,
                    parts,
                    seen: None,
                    end: None,
                };
                break vec![self.done(file)];
            }
            if left == 0 {
                return Err(BackupError::Changing(path));
            }
            left -= 1;
        };
        if self.how.with_signing_key {
            found.extend(self.small(SIGNING_KEY, true)?);
        }
        Ok(found)
    }
}

/// How often files are read again that change while they are read.
const AGAIN: u32 = 10;
