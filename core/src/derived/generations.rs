//! Where derived state is on disk. It begins in `derived/000001`; each time it is made again it
//! gets the next number, such as `derived/000002`. So new derived state never shares a folder with
//! one that could not be used.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::cursor::Cursor;
use super::error::StoreError;
use super::register::{RegisterKey, StoredRegister};
use super::store::Store;
use crate::disk::{Disk, OsDisk};
use crate::ids::LedgerId;
use crate::seal::MasterKey;

const ASIDE: &str = "set-aside";
const DIGITS: usize = 6;
const LAST: u64 = 999_999;

/// The folders of the present derived state and of earlier ones.
pub(crate) struct Generations {
    dir: PathBuf,
    master: MasterKey,
    /// The newest register as [`Self::furthest`] read it, until it is asked for: it can be large.
    read: Mutex<Option<(u64, StoredRegister)>>,
}

/// Derived state as it was found on disk.
pub(crate) struct StoredGeneration {
    dir: PathBuf,
    number: u64,
    register: StoredRegister,
}

impl StoredGeneration {
    /// What its register says.
    pub(crate) fn register(&self) -> &StoredRegister {
        &self.register
    }

    /// Opens this derived state.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be used.
    pub(crate) fn open(self) -> Result<(Store, Option<Cursor>), StoreError> {
        Store::open(&self.dir, self.number, self.register)
    }
}

impl Generations {
    /// The generations in this folder of a ledger's directory.
    pub(crate) fn new(dir: PathBuf, master: MasterKey) -> Self {
        Self {
            dir,
            master,
            read: Mutex::default(),
        }
    }

    /// The newest generation, if it can be trusted; `None` if there is no generation at all.
    ///
    /// # Errors
    /// [`StoreError`] when there is something on disk that cannot be used.
    pub(crate) fn stored(&self) -> Result<Option<StoredGeneration>, StoreError> {
        let (number, others) = self.look()?;
        let Some(number) = number else {
            return match others {
                true => Err(StoreError::Layout),
                false => Ok(None),
            };
        };
        let dir = self.path(number);
        let read = self.read.lock().take();
        let register = match read.filter(|(read, _)| *read == number) {
            Some((_, register)) => register,
            None => self.register(number)?,
        };
        if register.is_distrusted() {
            return Err(StoreError::Distrusted);
        }
        Ok(Some(StoredGeneration {
            dir,
            number,
            register,
        }))
    }

    /// Begins a new generation. Of the earlier ones only the newest is kept, so there are never
    /// more than two.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be made.
    pub(crate) fn begin(&self, ledger: LedgerId) -> Result<Store, StoreError> {
        let (newest, _) = self.look()?;
        for path in self.list()? {
            if number_of(&path).is_some_and(|number| Some(number) != newest) {
                fs::remove_dir_all(&path)?;
            }
        }
        // What was set aside earlier is about to be replaced, and its disk space may be needed.
        remove(&self.dir.with_extension(ASIDE))?;
        let number = match newest {
            Some(newest) if newest < LAST => newest + 1,
            Some(_) | None => 1,
        };
        let dir = self.path(number);
        remove(&dir)?;
        let key = RegisterKey::new(&self.master, number);
        Store::create(&dir, number, disk(&dir)?, key, ledger)
    }

    /// Moves everything except generation `kept` to a folder beside, so that somebody can look at
    /// it. Returns the path of that folder. Only what was moved last is kept there.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub(crate) fn set_aside(&self, kept: Option<u64>) -> io::Result<Option<PathBuf>> {
        let kept = kept.map(|number| self.path(number));
        let mut unwanted = Vec::new();
        for path in self.list()? {
            if Some(&path) != kept.as_ref() {
                unwanted.push(path);
            }
        }
        if unwanted.is_empty() {
            return Ok(None);
        }
        let aside = self.dir.with_extension(ASIDE);
        remove(&aside)?;
        fs::create_dir(&aside)?;
        for path in unwanted {
            if let Some(name) = path.file_name() {
                fs::rename(&path, aside.join(name))?;
            }
        }
        Ok(Some(aside))
    }

    /// Removes everything except generation `kept`, for ever: earlier generations, what was set
    /// aside, and whatever else somebody put there. They may hold text that was destroyed. When it
    /// returns, no power cut brings them back.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub(crate) fn purge(&self, kept: u64) -> io::Result<()> {
        let kept = self.path(kept);
        for path in self.list()? {
            if path == kept {
                continue;
            }
            match path.symlink_metadata()?.is_dir() {
                true => remove(&path)?,
                false => fs::remove_file(&path)?,
            }
        }
        remove(&self.dir.with_extension(ASIDE))?;
        for dir in [Some(self.dir.as_path()), self.dir.parent()] {
            dir.map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())?;
        }
        Ok(())
    }

    /// Removes a generation that could not be finished.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub(crate) fn remove(&self, number: u64) -> io::Result<()> {
        remove(&self.path(number))
    }

    /// The furthest place in the journal that any register names, whether its derived state can be
    /// used or not. A register names a place only after the journal was stored up to there.
    pub(crate) fn furthest(&self) -> Option<Cursor> {
        let numbers = self.list().ok()?;
        let mut numbers: Vec<_> = numbers.iter().filter_map(|path| number_of(path)).collect();
        numbers.sort_unstable();
        let mut furthest: Option<Cursor> = None;
        for number in numbers {
            // Not two of them in memory at once.
            *self.read.lock() = None;
            let Ok(register) = self.register(number) else {
                continue;
            };
            let found = register.newest().cloned();
            furthest = furthest
                .into_iter()
                .chain(found)
                .max_by_key(|cursor| cursor.commit);
            *self.read.lock() = Some((number, register));
        }
        furthest
    }

    fn register(&self, number: u64) -> Result<StoredRegister, StoreError> {
        let key = RegisterKey::new(&self.master, number);
        Ok(StoredRegister::read(disk(&self.path(number))?, key)?)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{number:0DIGITS$}"))
    }

    fn list(&self) -> io::Result<Vec<PathBuf>> {
        match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            entries => entries?.map(|entry| Ok(entry?.path())).collect(),
        }
    }

    /// The newest generation, and whether the folder holds anything else.
    fn look(&self) -> io::Result<(Option<u64>, bool)> {
        let paths = self.list()?;
        let newest = paths.iter().filter_map(|path| number_of(path)).max();
        Ok((newest, paths.len() > usize::from(newest.is_some())))
    }
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn number_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let digits = name.len() == DIGITS && name.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| name.parse().ok())?
}

fn disk(dir: &Path) -> io::Result<Arc<dyn Disk>> {
    Ok(Arc::new(OsDisk::new(dir)?))
}
