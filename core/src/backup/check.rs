//! Checks a backup where it lies, without putting it back, and without any key: every object has the bytes
//! that it was stored with, every frame follows the one before, every payload is the one that its entry
//! names, and the events lead to the roots that were signed. What texts say, nobody without keys can check.

use super::create::ACCESS_JOURNAL;
use super::error::BackupError;
use super::manifest::{FileCopy, Manifest, Signed};
use super::pace::Pace;
use super::place::Place;
use super::store::{choose, read_file, read_part};
use crate::hash::Hash32;
use crate::ids::Position;
use crate::journal::{Tail, WholeFrame, WholeSegment, segment_number};
use crate::merkle::Frontier;
use crate::note::VerifierKey;
use crate::tlog::{KeptNotes, SignedCheckpoint};

/// What was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The backup, and the key that signed it.
    pub signed: Signed,
    /// How many files it has, those with keys among them if they were checked.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many checkpoints lead to the same events.
    pub checkpoints: u64,
    /// Whether the copies of keys were looked at.
    pub with_keys: bool,
}

/// Checks the newest backup of a place, or the one with this number. Its manifest has to be signed by
/// `key`, if one is given. Copies of keys are looked at if their place is given; nothing opens them.
///
/// # Errors
/// [`BackupError`]; the first fault that is found.
pub fn check(
    place: &dyn Place,
    keys: Option<&dyn Place>,
    number: Option<u64>,
    key: Option<&VerifierKey>,
    mut pace: Pace,
    watch: &dyn Fn(u64),
) -> Result<Checked, BackupError> {
    let signed = choose(place, number, key)?;
    let manifest = &signed.manifest;
    let number = manifest.number;
    let (mut files, mut bytes) = (0, 0);
    let mut count = |file: &FileCopy| {
        files += 1;
        bytes += file.len;
        watch(bytes);
    };
    let checkpoints = checkpoints_of(place, manifest)?;
    let compared =
        Walk::new(place, manifest, &checkpoints, &mut pace).run(&mut |_| {}, &mut |_| Ok(()))?;
    check_access_journal(place, manifest, &mut pace)?;
    for file in &manifest.files {
        // The journals have been read by now.
        if segment_of(file).is_none() {
            for part in &file.parts {
                pace.wait(read_part(place, number, part)?.len() as u64);
            }
        }
        count(file);
    }
    if let Some(keys) = keys {
        for file in &manifest.keys {
            for part in &file.parts {
                read_part(keys, number, part)?;
            }
            count(file);
        }
    }
    Ok(Checked {
        files,
        bytes,
        checkpoints: compared,
        with_keys: keys.is_some(),
        signed,
    })
}

/// The checkpoints in a backup, by size.
pub(super) fn checkpoints_of(
    place: &dyn Place,
    manifest: &Manifest,
) -> Result<Vec<SignedCheckpoint>, BackupError> {
    let Some(file) = manifest.file("checkpoints/checkpoints.txt") else {
        return Ok(Vec::new());
    };
    let kept = KeptNotes::parse(&read_file(place, manifest.number, file)?);
    if kept.damaged {
        return Err(faulty(manifest, &file.name, "is damaged"));
    }
    let mut notes = kept.notes;
    notes.sort_by_key(|signed| signed.checkpoint.size);
    Ok(notes)
}

/// The number of the ledger's segment that a file holds.
fn segment_of(file: &FileCopy) -> Option<u64> {
    segment_number(file.name.rsplit('/').next().unwrap_or_default())
}

fn faulty(manifest: &Manifest, name: &str, what: &str) -> BackupError {
    BackupError::Faulty {
        number: manifest.number,
        name: name.to_owned(),
        what: what.to_owned(),
    }
}

/// A segment that was read: its file, and itself.
pub(super) struct Walked<'a> {
    pub(super) file: &'a FileCopy,
    pub(super) segment: &'a WholeSegment,
}

/// Reads the journal of a backup from its first frame to its last.
pub(super) struct Walk<'a> {
    place: &'a dyn Place,
    manifest: &'a Manifest,
    /// Sizes and roots of checkpoints, by size.
    roots: Vec<(u64, Hash32)>,
    pace: &'a mut Pace,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        place: &'a dyn Place,
        manifest: &'a Manifest,
        checkpoints: &[SignedCheckpoint],
        pace: &'a mut Pace,
    ) -> Self {
        let roots = checkpoints.iter().map(|signed| {
            let checkpoint = &signed.checkpoint;
            (checkpoint.size, checkpoint.root)
        });
        Self {
            place,
            manifest,
            roots: roots.collect(),
            pace,
        }
    }

    /// Calls `on_frame` with each frame and `on_segment` after the last one of each segment. Gives how many
    /// checkpoints were compared.
    pub(super) fn run(
        self,
        on_frame: &mut dyn FnMut(&WholeFrame),
        on_segment: &mut dyn FnMut(Walked<'_>) -> Result<(), BackupError>,
    ) -> Result<u64, BackupError> {
        let manifest = self.manifest;
        let mut frontier = Frontier::default();
        let mut tail: Option<(Tail, u64)> = None;
        let mut roots = self.roots.iter().peekable();
        let mut compared = 0;
        let journal = manifest
            .files
            .iter()
            .filter(|file| file.name.starts_with("journal/"));
        for (file, expected) in journal.zip(1..) {
            let name = &file.name;
            let faulty = |what: &str| faulty(manifest, name, what);
            let damaged = |damage| BackupError::Damaged {
                file: name.clone(),
                damage,
            };
            if segment_of(file) != Some(expected) {
                return Err(faulty("is not the segment that comes next"));
            }
            let bytes = read_file(self.place, manifest.number, file)?;
            self.pace.wait(bytes.len() as u64);
            let segment = WholeSegment::new(expected, bytes).map_err(damaged)?;
            let follows = match tail {
                Some((tail, len)) => tail == segment.before() && len == segment.previous_len(),
                None => segment.before().position == Position::ZERO,
            };
            if !follows || segment.ledger() != manifest.ledger {
                return Err(faulty("does not follow the segment before it"));
            }
            let mut end = segment.before();
            for frame in segment.frames(file.len) {
                let frame = frame.map_err(damaged)?;
                for entry in frame.frame.entries() {
                    if !entry.leaf_is_sound() {
                        return Err(faulty("has an entry that is not what its leaf says"));
                    }
                    frontier.push(*entry.leaf);
                    while let Some((size, root)) = roots.peek()
                        && *size <= frontier.size()
                    {
                        if *root != frontier.root() {
                            let what = format!(
                                "does not hold the events for which the checkpoint of {size} was signed"
                            );
                            return Err(faulty(&what));
                        }
                        compared += 1;
                        roots.next();
                    }
                }
                end = frame.tail;
                on_frame(&frame);
            }
            on_segment(Walked {
                file,
                segment: &segment,
            })?;
            tail = Some((end, file.len));
        }
        let end = tail.map(|(tail, _)| (tail.commit, tail.position));
        let is_all = end == Some((manifest.commit, manifest.position));
        match is_all && frontier.root() == manifest.root && roots.next().is_none() {
            true => Ok(compared),
            false => Err(faulty(
                manifest,
                "the journal",
                "does not lead to the position and root that were signed",
            )),
        }
    }
}

fn check_access_journal(
    place: &dyn Place,
    manifest: &Manifest,
    pace: &mut Pace,
) -> Result<(), BackupError> {
    let mut tail: Option<Tail> = None;
    for file in &manifest.files {
        let Some(number) = segment_of(file).filter(|_| file.name.starts_with(ACCESS_JOURNAL))
        else {
            continue;
        };
        let damaged = |damage| BackupError::Damaged {
            file: file.name.clone(),
            damage,
        };
        let bytes = read_file(place, manifest.number, file)?;
        pace.wait(bytes.len() as u64);
        let segment = WholeSegment::new(number, bytes).map_err(damaged)?;
        if tail.is_some_and(|tail| tail != segment.before()) {
            let what = "does not follow the segment before it";
            return Err(faulty(manifest, &file.name, what));
        }
        let mut end = segment.before();
        for frame in segment.frames(file.len) {
            end = frame.map_err(damaged)?.tail;
        }
        tail = Some(end);
    }
    Ok(())
}
