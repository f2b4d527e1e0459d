//! Puts a ledger back from a backup, into a new directory.
//!
//! The steps, each of which a crash may interrupt; then the whole is begun again:
//! 1. A note says that the directory is not finished. No ledger with that note opens.
//! 2. Journal, checkpoints, keys, access log and the newest acts are written, and synced. The journal is
//!    cut after a whole commit. Checkpoints that it does not lead to go to a file of their own: nothing
//!    contradicts them in the same file, and they stay as evidence.
//! 3. The ids of the commands that are known and not put back are written.
//! 4. The ledger is opened. Redactions and erasures that the older state has undone are carried out again.
//! 5. An event records all this.
//! 6. The note is removed.

mod known;
mod until;

use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use self::known::{Beyond, LostIds, merged_acts, notes_in};
pub use self::until::Until;
use super::check::{Walk, checkpoints_of};
use super::create::{ACCESS_JOURNAL, JOURNAL, KEYS, SIGNING_KEY};
use super::error::{BackupError, at};
use super::manifest::{FileCopy, Manifest};
use super::pace::Pace;
use super::place::Place;
use super::store::{choose, read_part};
use crate::disk::{Disk, OsDisk, SmallFile, write_full};
use crate::domain::ledger::{KnownCheckpoint, LedgerCommand, Restored, restores_stream};
use crate::domain::{Actor, Command};
use crate::hash::Hash32;
use crate::ids::{CommandId, Position};
use crate::journal::{DurableHint, Tail};
use crate::ledger::{Envelope, Ledger, Options, RESTORING, Status, Undone, lost, open_restored};
use crate::note::VerifierKey;
use crate::text::ReasonText;
use crate::tlog::SignedCheckpoint;

/// How to put a ledger back.
pub struct Restore<'a> {
    /// Where the backups are.
    pub place: &'a dyn Place,
    /// Where the keys are.
    pub keys: &'a dyn Place,
    /// The number of the backup; `None` for the newest.
    pub number: Option<u64>,
    /// The key that has to have signed it; `None` to believe the key that it names.
    pub key: Option<&'a VerifierKey>,
    /// Up to where.
    pub until: Until,
    /// What else is known of the time after it.
    pub lost: Lost<'a>,
    /// How to open the ledger, and the new directory.
    pub options: Options,
    /// The id of the command that records it, and who does it.
    pub sent: (CommandId, Actor),
    /// Why. No name of a person.
    pub reason: ReasonText,
    /// The key that signs checkpoints, as its file has it, if it does not lie with the keys.
    pub signing_key: Option<&'a str>,
    /// Called with how many bytes were read.
    pub watch: &'a dyn Fn(u64),
}

/// What is known of the time after the state that is put back, beside the backups.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lost<'a> {
    /// The directory that is given up, as far as it can be read.
    pub dir: Option<&'a Path>,
    /// The newest `acts.txt`, if it is elsewhere.
    pub acts: Option<&'a Path>,
    /// A file with checkpoints that somebody else kept.
    pub checkpoints: Option<&'a Path>,
}

/// What was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutBack {
    /// The number of the backup.
    pub number: u64,
    /// What is on record of it now.
    pub restored: Restored,
    /// The position of the event that records it.
    pub recorded: Position,
    /// The ledger as it is now.
    pub status: Status,
    /// Whether the journal of the directory that is given up could be read to its end; `None` if there
    /// was none.
    pub lost_was_whole: Option<bool>,
    /// Whether the key that signs checkpoints was put back.
    pub has_signing_key: bool,
}

/// A directory into which a ledger is being put back, imported or salvaged.
pub(crate) struct Unfinished {
    dir: PathBuf,
}

impl Unfinished {
    /// Begins in a new or empty directory, or begins again where it was interrupted.
    pub(crate) fn begin(dir: &Path) -> Result<Self, BackupError> {
        let note = dir.join(RESTORING);
        let disk = OsDisk::named(dir).map_err(at(dir))?;
        let names = disk.list().map_err(at(dir))?;
        if !names.is_empty() && !note.try_exists().map_err(at(&note))? {
            return Err(BackupError::NotEmpty(dir.to_owned()));
        }
        for name in names.iter().filter(|name| *name != RESTORING) {
            let path = dir.join(name);
            let kind = fs::symlink_metadata(&path).map_err(at(&path))?;
            let removed = match kind.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            removed.map_err(at(&path))?;
        }
        let noted = SmallFile {
            name: RESTORING,
            temporary: "restoring.tmp",
        };
        let text = b"a restore, import or salvage did not finish here; run it again\n";
        noted
            .replace(&disk, text)
            .map_err(|error| at(&note)(error.into()))?;
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    pub(crate) fn finish(self) -> Result<(), BackupError> {
        let disk = OsDisk::named(&self.dir).map_err(at(&self.dir))?;
        let removed = disk.remove(RESTORING).and_then(|()| disk.sync_dir());
        removed.map_err(at(&self.dir.join(RESTORING)))
    }

    /// Writes a file, which is on stable storage when this returns.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), BackupError> {
        let path = self.dir.join(name);
        let written = self.folder_of(name).and_then(|(disk, name)| {
            let file = disk.create(&name)?;
            write_full(file.as_ref(), bytes, 0)?;
            file.sync_data()?;
            disk.sync_dir()
        });
        written.map_err(at(&path))
    }

    /// Writes a file part by part.
    fn copy(&self, place: &dyn Place, number: u64, file: &FileCopy) -> Result<u64, BackupError> {
        let path = self.dir.join(&file.name);
        let (disk, name) = self.folder_of(&file.name).map_err(at(&path))?;
        let to = disk.create(&name).map_err(at(&path))?;
        let mut len = 0;
        for part in &file.parts {
            let bytes = read_part(place, number, part)?;
            write_full(to.as_ref(), &bytes, len).map_err(at(&path))?;
            len += bytes.len() as u64;
        }
        to.sync_data()
            .and_then(|()| disk.sync_dir())
            .map_err(at(&path))?;
        Ok(len)
    }

    /// A manifest says which folders there are; it may be somebody else's.
    fn folder_of(&self, name: &str) -> io::Result<(OsDisk, String)> {
        let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
        if !name.split('/').all(is_plain) {
            return Err(ErrorKind::InvalidInput.into());
        }
        let (folder, name) = name.rsplit_once('/').unwrap_or(("", name));
        Ok((OsDisk::new(self.dir.join(folder))?, name.to_owned()))
    }
}

impl Restore<'_> {
    /// Puts the ledger back.
    ///
    /// # Errors
    /// [`BackupError`]. Then the directory holds no ledger that opens; do it again.
    pub fn run(self) -> Result<PutBack, BackupError> {
        let chosen = choose(self.place, self.number, self.key)?;
        let manifest = &chosen.manifest;
        let newest = choose(self.place, None, self.key)?.manifest;
        if newest.ledger != manifest.ledger {
            return Err(BackupError::OtherLedger {
                place: self.place.describe(),
                found: newest.ledger,
                wanted: manifest.ledger,
            });
        }
        self.check_reach(manifest)?;
        let dir = self.options.dir.clone();
        let unfinished = Unfinished::begin(&dir)?;
        let mut lost = LostIds::default();
        self.lost_before(manifest, &mut lost)?;
        self.lost_before(&newest, &mut lost)?;
        let end = self.journal(&unfinished, manifest, &mut lost)?;
        let beyond = self.checkpoints(&unfinished, (manifest, &newest), &chosen.key, end)?;
        self.access_log(&unfinished, manifest)?;
        let has_signing_key = self.keys(&unfinished, &newest)?;
        self.acts(&unfinished, &newest)?;
        let lost_was_whole = self.lost_commands(manifest, &newest, end, &mut lost)?;
        let furthest = beyond.furthest().map(|signed| signed.checkpoint.clone());
        let reached = furthest
            .as_ref()
            .map_or(Position::ZERO, |checkpoint| checkpoint.position())
            .max(lost.reached)
            .max(end.position);
        let ids = lost::encode(manifest.ledger, lost.ids());
        let commands = lost.ids().len() as u64;
        if commands > 0 {
            unfinished.write(lost::FILE, &ids)?;
        }
        let restored = Restored {
            position: end.position,
            reached,
            restored_at: self.options.clock.now(),
            backed_up_at: manifest.made_at,
            beyond: furthest.map(|checkpoint| KnownCheckpoint {
                size: checkpoint.position(),
                root: checkpoint.root,
            }),
            commands,
            ids: lost::digest(&ids),
            reason: self.reason,
        };
        let hint = DurableHint {
            ledger: manifest.ledger,
            commit: end.commit,
            position: end.position,
        };
        let number = manifest.number;
        let (recorded, status) = record(self.options, hint, &restored, self.sent)?;
        unfinished.finish()?;
        Ok(PutBack {
            number,
            restored,
            recorded,
            status,
            lost_was_whole,
            has_signing_key,
        })
    }

    fn check_reach(&self, manifest: &Manifest) -> Result<(), BackupError> {
        let (position, at) = (manifest.position, manifest.recorded_at);
        match self.until.is_reached_by(position, at, manifest.made_at) {
            true => Ok(()),
            false => Err(BackupError::TooShort {
                number: manifest.number,
                reaches: position,
                at,
            }),
        }
    }

    /// Writes the journal up to where it is wanted, and takes the commands of what comes after.
    fn journal(
        &self,
        unfinished: &Unfinished,
        manifest: &Manifest,
        lost: &mut LostIds,
    ) -> Result<Tail, BackupError> {
        let checkpoints = checkpoints_of(self.place, manifest)?;
        let mut pace = Pace::new(None);
        // The end so far, its byte in the segment at hand, and whether it is the last one.
        let state = std::cell::RefCell::new((None::<Tail>, None::<u64>, false));
        let mut read = 0;
        Walk::new(self.place, manifest, &checkpoints, &mut pace).run(
            &mut |frame| {
                let mut state = state.borrow_mut();
                if !state.2 && self.until.includes(&frame.tail) {
                    state.0 = Some(frame.tail);
                    state.1 = Some(frame.end);
                } else {
                    state.2 = true;
                    lost.add_frame(frame);
                }
            },
            &mut |walked| {
                let mut state = state.borrow_mut();
                let before = walked.segment.before();
                read += walked.file.len;
                (self.watch)(read);
                let kept = state.1.take();
                let header = crate::journal::SEGMENT_HEADER_LEN as u64;
                // A segment that would be empty is left out, unless it is the first: the journal ends in
                // the one before it.
                if kept.is_none() && walked.file.name != FIRST {
                    return Ok(());
                }
                state.0.get_or_insert(before);
                let len = kept.unwrap_or(header) as usize;
                let bytes = walked.segment.bytes();
                let bytes = bytes.get(..len).unwrap_or(bytes);
                unfinished.write(&walked.file.name, bytes)
            },
        )?;
        state.into_inner().0.ok_or_else(|| BackupError::None {
            place: self.place.describe(),
            number: Some(manifest.number),
        })
    }

    /// Writes the checkpoints that the journal leads to, and those that it does not lead to beside them.
    fn checkpoints(
        &self,
        unfinished: &Unfinished,
        (manifest, newest): (&Manifest, &Manifest),
        key: &VerifierKey,
        end: Tail,
    ) -> Result<Beyond, BackupError> {
        let of_chosen = checkpoints_of(self.place, manifest)?;
        let (kept, mut others): (Vec<_>, Vec<_>) = of_chosen
            .into_iter()
            .partition(|signed| signed.checkpoint.position() <= end.position);
        let there: HashSet<(u64, Hash32)> = kept
            .iter()
            .map(|signed| (signed.checkpoint.size, signed.checkpoint.root))
            .collect();
        others.extend(checkpoints_of(self.place, newest)?);
        for manifest in [manifest, newest] {
            if let Some(file) = manifest.file(BEYOND) {
                let bytes = super::store::read_file(self.place, manifest.number, file)?;
                others.extend(crate::tlog::KeptNotes::parse(&bytes).notes);
            }
        }
        if let Some(dir) = self.lost.dir {
            others.extend(notes_in(&dir.join(CHECKPOINTS), key)?);
            others.extend(notes_in(&dir.join(BEYOND), key)?);
        }
        if let Some(path) = self.lost.checkpoints {
            others.extend(notes_in(path, key)?);
        }
        let mut beyond = Beyond::default();
        beyond.add(others, &there);
        let text = |notes: &[SignedCheckpoint]| -> String {
            notes
                .iter()
                .map(|signed| format!("{}\n", signed.note))
                .collect()
        };
        unfinished.write(CHECKPOINTS, text(&kept).as_bytes())?;
        if beyond.furthest().is_some() {
            unfinished.write(BEYOND, beyond.text().as_bytes())?;
        }
        Ok(beyond)
    }

    /// Writes the access log, which is always put back whole: what was read, was read. What is kept of an
    /// earlier ledger is put back whole too: nothing of it changes any more.
    fn access_log(&self, unfinished: &Unfinished, manifest: &Manifest) -> Result<(), BackupError> {
        let of_reads = |file: &&FileCopy| {
            file.name.starts_with(ACCESS_JOURNAL)
                || file.name == ACCESS_CHECKPOINTS
                || file.name.starts_with(ORIGIN)
        };
        for file in manifest.files.iter().filter(of_reads) {
            unfinished.copy(self.place, manifest.number, file)?;
        }
        Ok(())
    }

    /// Writes the newest keys. Gives whether the key that signs checkpoints is among them.
    fn keys(&self, unfinished: &Unfinished, newest: &Manifest) -> Result<bool, BackupError> {
        let named = |name: &str| newest.keys.iter().find(|file| file.name == name);
        let signing_key = named(SIGNING_KEY).filter(|_| self.signing_key.is_none());
        for file in named(KEYS).into_iter().chain(signing_key) {
            unfinished.copy(self.keys, newest.number, file)?;
        }
        if let Some(text) = self.signing_key {
            unfinished.write(SIGNING_KEY, text.as_bytes())?;
        }
        Ok(self.signing_key.is_some() || signing_key.is_some())
    }

    /// Writes the acts that destroyed text, from every copy that is known.
    fn acts(&self, unfinished: &Unfinished, newest: &Manifest) -> Result<(), BackupError> {
        let mut copies = Vec::new();
        if let Some(file) = newest.file(ACTS) {
            copies.push(super::store::read_file(self.place, newest.number, file)?);
        }
        let of_lost = self.lost.dir.map(|dir| dir.join(ACTS));
        for path in of_lost.iter().map(PathBuf::as_path).chain(self.lost.acts) {
            match fs::read(path) {
                Ok(bytes) => copies.push(bytes),
                // The directory that is given up need not have any; a file that was named has to be there.
                Err(error)
                    if error.kind() == ErrorKind::NotFound && Some(path) != self.lost.acts => {}
                Err(error) => return Err(at(path)(error)),
            }
        }
        match copies.is_empty() {
            true => Ok(()),
            false => unfinished.write(ACTS, &merged_acts(&copies)),
        }
    }

    /// Takes the commands that were lost when older states were put back before.
    fn lost_before(&self, manifest: &Manifest, lost: &mut LostIds) -> Result<(), BackupError> {
        if let Some(file) = manifest.file(lost::FILE) {
            let bytes = super::store::read_file(self.place, manifest.number, file)?;
            let ids = lost::decode(manifest.ledger, &bytes).unwrap_or_default();
            ids.into_iter().for_each(|id| lost.add(id));
        }
        Ok(())
    }

    /// Takes what is known of later commands from elsewhere than the backup that is put back.
    fn lost_commands(
        &self,
        manifest: &Manifest,
        newest: &Manifest,
        end: Tail,
        lost: &mut LostIds,
    ) -> Result<Option<bool>, BackupError> {
        if newest.number != manifest.number {
            let mut pace = Pace::new(None);
            Walk::new(self.place, newest, &[], &mut pace).run(
                &mut |frame| {
                    if frame.tail.commit > end.commit {
                        lost.add_frame(frame);
                    }
                },
                &mut |_| Ok(()),
            )?;
        }
        let journal = self.lost.dir.map(|dir| dir.join(JOURNAL));
        journal
            .map(|journal| lost.add_journal(&journal, end.commit))
            .transpose()
    }
}

const FIRST: &str = "journal/segment-00000001.log";
const CHECKPOINTS: &str = "checkpoints/checkpoints.txt";
const BEYOND: &str = "checkpoints/beyond.txt";
const ACCESS_CHECKPOINTS: &str = "access/checkpoints/checkpoints.txt";
const ACTS: &str = "erasures/acts.txt";
const ORIGIN: &str = "origin/";

/// Opens what was put back, carries out again what it has undone, and records it. Gives the position of
/// the event, and the ledger as it is then.
fn record(
    options: Options,
    hint: DurableHint,
    restored: &Restored,
    (id, actor): (CommandId, Actor),
) -> Result<(Position, Status), BackupError> {
    let options = Options {
        undone: Undone::CarryOutAgain,
        ..options
    };
    let ledger: Ledger = open_restored(options, hint)?;
    let pending = ledger.carry_out_erasures();
    pending.map_err(|error| crate::ledger::OpenError::Erasure(Box::new(error)))?;
    let stream = restores_stream(ledger.status().ledger);
    let command = Command::Ledger(stream, LedgerCommand::RecordRestore(restored.clone()));
    let receipt = ledger.execute(actor, Envelope::new(id, command))?;
    ledger.settle();
    Ok((receipt.position, ledger.status()))
}
