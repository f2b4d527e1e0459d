//! Compares derived state with what the journal gives.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use super::heads::heads_at;
use super::report::{Part, PartName};
use crate::audit::{Fault, FaultKind};
use crate::derived::{Cursor, DocKey, Docs, Generations, Store, StoreError};
use crate::domain::ledger::RecordedHeads;
use crate::guarded::SledError;
use crate::hash::Hash32;
use crate::heads::{HeadMap, MemoryHeads};
use crate::ids::Position;
use crate::journal::{CommitLog, Tail};
use crate::ledger::catching_up::catch_up;
use crate::ledger::deriving::{belongs, project, start};
use crate::ledger::fold::Fold;
use crate::ledger::opener::{Opener, Rests};
use crate::ledger::threads::spawn;
use crate::ledger::{OpenError, ReadError};
use crate::seal::{KeyStore, MasterKey};

/// Derived state, and what it must agree with.
pub(super) struct Derived<'a> {
    pub(super) dir: &'a Path,
    pub(super) log: &'a dyn CommitLog,
    pub(super) keys: &'a Arc<KeyStore>,
    /// The master key, which authenticates the register.
    pub(super) master: &'a MasterKey,
    /// The position up to which the journal is sound.
    pub(super) events: Position,
    /// Whether that position is the end of the journal.
    pub(super) whole: bool,
    /// The last record of heads that was checked and is right.
    pub(super) heads: Option<RecordedHeads>,
}

/// Why derived state was not compared to the end.
enum NotCompared {
    Fault(Fault),
    /// A reason that is no fault of derived state.
    Note(String),
    Failed(OpenError),
}

impl From<StoreError> for NotCompared {
    fn from(error: StoreError) -> Self {
        unusable(&error)
    }
}

impl From<OpenError> for NotCompared {
    fn from(error: OpenError) -> Self {
        Self::Failed(error)
    }
}

impl Derived<'_> {
    /// Folds the whole journal again and compares every document.
    pub(super) fn check(&self, progress: &dyn Fn(u64, u64)) -> Result<Part, OpenError> {
        let mut part = Part::new(PartName::Derived);
        match self.run(progress, &mut part.checked) {
            Ok(()) => {}
            Err(NotCompared::Fault(fault)) => part.fail(fault),
            Err(NotCompared::Note(note)) => part = part.noted(note),
            Err(NotCompared::Failed(error)) => return Err(error),
        }
        Ok(part)
    }

    fn run(&self, progress: &dyn Fn(u64, u64), checked: &mut u64) -> Result<(), NotCompared> {
        if !self.dir.is_dir() {
            return Err(NotCompared::Note(
                "there is none; the next start builds it".to_owned(),
            ));
        }
        let io = |source| OpenError::Io {
            path: self.dir.to_owned(),
            source,
        };
        // Opening derived state would change it, and evidence must stay as it is. So a copy is
        // opened.
        let scratch = tempfile::tempdir().map_err(io)?;
        let (given, fresh) = (scratch.path().join("given"), scratch.path().join("fresh"));
        copy(self.dir, &given).map_err(io)?;
        let given = Generations::new(given, self.master.clone());
        // sled may panic on broken files, also after it has opened them.
        let guarded = catch_unwind(AssertUnwindSafe(|| {
            let given = given.stored().and_then(|stored| {
                let given = stored.map(|stored| stored.open());
                given.transpose()
            });
            let given = given.map_err(|error| match error {
                // The first versions had no register, and sled's files right in the folder.
                StoreError::Layout if ["conf", "db"].iter().all(|name| self.dir.join(name).is_file()) => {
                    let what = "not compared: a version without a register made it, and the next start makes \
                                it again";
                    NotCompared::Note(what.to_owned())
                }
                error => refused(&error),
            });
            let (given, cursor) = match given? {
                Some((given, Some(cursor))) => (given, cursor),
                Some((_, None)) | None => {
                    let what = "there is none; the next start builds it";
                    return Err(NotCompared::Note(what.to_owned()));
                }
            };
            self.check_cursor(&cursor)?;
            let replayed = self.replay(&fresh, &cursor, progress)?;
            *checked = compare(&given, replayed.store())?;
            given.check_all().map_err(|error| unusable(&error))?;
            self.check_heads(&given)
        }));
        guarded.unwrap_or_else(|_| Err(unusable(&SledError::Panicked.into())))
    }

    /// Checks that this state was derived from this journal, and not from more events than the
    /// journal has.
    fn check_cursor(&self, cursor: &Cursor) -> Result<(), NotCompared> {
        let tail = self.log.tail();
        if cursor.ledger != self.log.ledger_id() {
            return Err(fault("it belongs to another ledger"));
        }
        if cursor.commit > tail.commit {
            let (position, commit) = (tail.position, cursor.commit);
            let what = format!(
                "it covers the journal up to commit {commit}, but the journal ends with commit {} \
                at position {position}",
                tail.commit
            );
            let fault = Fault::new(position.next(), FaultKind::Projection, what);
            return Err(NotCompared::Fault(fault));
        }
        if !self.whole && cursor.position > self.events {
            let what = "not compared, because the journal has a fault in the part that it covers";
            return Err(NotCompared::Note(what.to_owned()));
        }
        match belongs(cursor, self.log)? {
            true => Ok(()),
            false => Err(fault("it was built from another journal")),
        }
    }

    /// Derives the state again, up to `cursor`.
    fn replay(
        &self,
        dir: &Path,
        cursor: &Cursor,
        progress: &dyn Fn(u64, u64),
    ) -> Result<Docs, NotCompared> {
        let fresh = Generations::new(dir.to_owned(), self.master.clone());
        let store = fresh.begin(self.log.ledger_id());
        let store = store.map_err(OpenError::from)?;
        let begin = start(self.log);
        let docs = Docs::new(store, self.keys.clone(), begin.clone(), || {});
        let docs = Arc::new(docs);
        let projector = spawn("projector", {
            let docs = docs.clone();
            move || project(&docs)
        })?;
        let mut fold = Fold::new(docs.clone(), begin);
        let target = Tail {
            commit: cursor.commit,
            position: cursor.position,
            checksum: cursor.checksum,
            recorded_at: cursor.recorded_at,
        };
        let progress = |done, all| {
            progress(done, all);
            true
        };
        let opener = Opener {
            log: self.log,
            keys: self.keys,
            rests: &Rests::default(),
            up_to_damage: true,
        };
        let done = catch_up(&opener, &docs, &mut fold, &target, &progress);
        drop(fold);
        docs.stop();
        if projector.join().is_err() || docs.doubt().is_some() {
            return Err(NotCompared::Failed(StoreError::Stuck.into()));
        }
        match done {
            Ok(()) => {}
            Err(OpenError::Read(
                error @ (ReadError::Seal { .. }
                | ReadError::KeyMissing { .. }
                | ReadError::Erased { .. }
                | ReadError::Newer { .. }
                | ReadError::Malformed { .. }),
            )) => return Err(NotCompared::Note(format!("not compared: {error}"))),
            Err(error) => return Err(error.into()),
        }
        Arc::into_inner(docs).ok_or_else(|| NotCompared::Failed(StoreError::Stuck.into()))
    }

    /// Checks the heads that are kept for the next checkpoint.
    fn check_heads(&self, given: &Store) -> Result<(), NotCompared> {
        let heads: HeadMap = given
            .heads()
            .map_err(|error| fault(format!("the heads of streams cannot be read: {error}")))?;
        let through = heads.through();
        if through > self.log.tail().position {
            return Err(fault(
                "the heads of streams cover more than the journal has",
            ));
        }
        if through > self.events {
            let what = "the heads of streams are not compared, because the journal has a fault in \
                        the part that they cover";
            return Err(NotCompared::Note(what.to_owned()));
        }
        match self.root_at(through)? == heads.root() {
            true => Ok(()),
            false => Err(fault(format!(
                "the heads of streams at position {through} do not match the journal"
            ))),
        }
    }

    fn root_at(&self, through: Position) -> Result<Hash32, NotCompared> {
        match self.heads {
            Some(recorded) if recorded.through == through => Ok(recorded.root),
            _ if through == Position::ZERO => Ok(MemoryHeads::default().root()),
            _ => {
                let heads = heads_at(self.log, through).map_err(ReadError::from);
                Ok(heads.map_err(OpenError::from)?.root())
            }
        }
    }
}

fn fault(what: impl Into<String>) -> NotCompared {
    NotCompared::Fault(Fault::new(Position::ZERO, FaultKind::Projection, what))
}

/// State that another version derived counts as missing. It is no sign of damage.
fn refused(error: &StoreError) -> NotCompared {
    match error {
        StoreError::Version => {
            let what = "not compared, because another version of planledger built it; the next \
                        start rebuilds it";
            NotCompared::Note(what.to_owned())
        }
        error => unusable(error),
    }
}

fn unusable(error: &StoreError) -> NotCompared {
    fault(format!(
        "it cannot be used, and the next start rebuilds it: {error}"
    ))
}

/// Compares every document. Returns how many there are.
fn compare(given: &Store, fresh: &Store) -> Result<u64, NotCompared> {
    let failed = |error: StoreError| NotCompared::Failed(error.into());
    let differs = |key: &[u8]| {
        fault(format!(
            "{} does not match the journal",
            DocKey::describe(key)
        ))
    };
    let mut in_fresh = fresh.in_sled();
    let mut in_given = given.in_sled();
    loop {
        let found = in_given
            .next()
            .transpose()
            .map_err(|error| unusable(&error))?;
        let expected = in_fresh.next().transpose().map_err(failed)?;
        match (&found, &expected) {
            (None, None) => break,
            _ if found == expected => {}
            (Some((found, _)), Some((expected, _))) => return Err(differs(found.min(expected))),
            (Some((key, _)), None) | (None, Some((key, _))) => return Err(differs(key)),
        }
    }
    let mut count = 0;
    fresh.each(|key, expected| {
        // Whatever keeps it from being read is a fault of this document.
        match given.as_it_lies(key) {
            Ok(Some(found)) if found == expected => {
                count += 1;
                Ok(())
            }
            Ok(_) | Err(_) => Err(differs(key)),
        }
    })?;
    let mut more = 0;
    given.each(|key, _| {
        more += 1;
        match fresh.as_it_lies(key).map_err(failed)? {
            Some(_) => Ok(()),
            None => Err(differs(key)),
        }
    })?;
    match more == count {
        true => Ok(count),
        false => Err(fault("a document lies there twice")),
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => fs::copy(entry.path(), target).map(drop)?,
        }
    }
    Ok(())
}
