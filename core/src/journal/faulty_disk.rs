//! A disk in memory that fails where a test says, for tests.
//!
//! It keeps apart what a program has written, which is what it reads back, and what is on stable
//! storage, which is what a power cut leaves. A sync that fails drops what was pending, as Linux
//! does: reading still shows it, syncing again succeeds, and it is gone.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::disk::{Disk, DiskFile};

/// What goes wrong at an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process dies before the operation: this and everything after it fails, until
    /// [`FaultyDisk::restart`] or [`FaultyDisk::reboot`].
    Kill,
    /// The operation fails; later ones do not. What a failed sync should have stored is lost.
    Fail,
    /// If it is a write, only half of it is done and reported.
    Short,
}

/// What a power cut leaves of the changes that had not been synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerCut {
    /// None.
    LosesAll,
    /// All.
    KeepsAll,
    /// The first so many bytes of each file's pending writes, in the order they were written.
    /// Names stay as they were last synced.
    KeepsBytes(usize),
    /// Any blocks of 512 bytes, chosen by this seed, the others zeros or missing; and any number
    /// of the changes of names, in order.
    KeepsBlocks(u64),
}

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct FaultyDisk {
    machine: Arc<Mutex<Machine>>,
    /// Handles from before a restart are dead.
    life: u64,
}

#[derive(Clone, Default)]
struct Machine {
    files: Vec<Inode>,
    names: Names,
    /// The names after each change since the last sync of the directory, beginning with those
    /// synced.
    synced_names: Names,
    unsynced_names: Vec<Names>,
    operations: u64,
    faults: BTreeMap<u64, Fault>,
    is_dead: bool,
    space: Option<u64>,
    life: u64,
}

type Names = BTreeMap<String, usize>;

#[derive(Clone, Default)]
struct Inode {
    cached: Vec<u8>,
    stored: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Len(usize),
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if to.len() < end {
                    to.resize(end, 0);
                }
                if let Some(part) = to.get_mut(*offset..end) {
                    part.copy_from_slice(bytes);
                }
            }
            Self::Len(len) => to.resize(*len, 0),
        }
    }
}

impl Inode {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.cached);
        self.pending.push(change);
    }

    fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            change.apply(&mut self.stored);
        }
    }

    fn cut_power(&mut self, how: PowerCut, random: &mut impl FnMut() -> u64) {
        let pending = std::mem::take(&mut self.pending);
        let mut left = match how {
            PowerCut::KeepsBytes(count) => count,
            _ => usize::MAX,
        };
        for change in pending {
            match (how, &change) {
                (PowerCut::LosesAll, _) => {}
                (PowerCut::KeepsAll, _) => change.apply(&mut self.stored),
                (PowerCut::KeepsBytes(_), Change::Write { offset, bytes }) => {
                    let kept = bytes.get(..left.min(bytes.len())).unwrap_or_default();
                    left -= kept.len();
                    if !kept.is_empty() {
                        Change::Write {
                            offset: *offset,
                            bytes: kept.to_vec(),
                        }
                        .apply(&mut self.stored);
                    }
                }
                (PowerCut::KeepsBytes(_), Change::Len(_)) if left > 0 => {
                    change.apply(&mut self.stored);
                }
                (PowerCut::KeepsBytes(_), Change::Len(_)) => {}
                (PowerCut::KeepsBlocks(_), Change::Write { offset, bytes }) => {
                    self.keep_blocks(*offset, bytes, random);
                }
                (PowerCut::KeepsBlocks(_), Change::Len(_)) => {
                    if random().is_multiple_of(2) {
                        change.apply(&mut self.stored);
                    }
                }
            }
        }
        self.cached = self.stored.clone();
    }

    fn keep_blocks(&mut self, offset: usize, bytes: &[u8], random: &mut impl FnMut() -> u64) {
        const BLOCK: usize = 512;
        let mut at = 0;
        while at < bytes.len() {
            let end = (((offset + at) / BLOCK + 1) * BLOCK - offset).min(bytes.len());
            if random().is_multiple_of(2) {
                let bytes = bytes.get(at..end).unwrap_or_default().to_vec();
                Change::Write {
                    offset: offset + at,
                    bytes,
                }
                .apply(&mut self.stored);
            }
            at = end;
        }
        if random().is_multiple_of(2) {
            let len = self.stored.len().max(offset + bytes.len());
            Change::Len(len).apply(&mut self.stored);
        }
    }
}

fn failed(what: &str) -> io::Error {
    io::Error::other(format!("injected: {what}"))
}

impl Machine {
    /// Counts an operation and answers the fault that is due at it.
    fn step(&mut self, life: u64) -> io::Result<Option<Fault>> {
        if self.is_dead || self.life != life {
            return Err(failed("the process is dead"));
        }
        let fault = self.faults.get(&self.operations).copied();
        self.operations += 1;
        if fault == Some(Fault::Kill) {
            self.is_dead = true;
            return Err(failed("the process is killed"));
        }
        Ok(fault)
    }

    /// A step of an operation that a fault makes fail.
    fn plain_step(&mut self, life: u64) -> io::Result<()> {
        match self.step(life)? {
            Some(Fault::Fail) => Err(failed("the operation fails")),
            _ => Ok(()),
        }
    }

    fn file(&mut self, inode: usize) -> io::Result<&mut Inode> {
        self.files
            .get_mut(inode)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn named(&mut self, name: &str) -> io::Result<usize> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn names_changed(&mut self) {
        self.unsynced_names.push(self.names.clone());
    }

    fn begin_life(&mut self) -> u64 {
        self.life += 1;
        self.is_dead = false;
        self.operations = 0;
        self.faults.clear();
        self.space = None;
        self.life
    }
}

impl FaultyDisk {
    /// An empty disk without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `fault` happen at operation `at`, counted from 0 since the process began.
    pub fn inject(&self, at: u64, fault: Fault) {
        self.machine.lock().faults.insert(at, fault);
    }

    /// Operations since the process began: every call of [`Disk`] and [`DiskFile`].
    pub fn operations(&self) -> u64 {
        self.machine.lock().operations
    }

    /// Lets files grow by so many more bytes together.
    pub fn limit_space(&self, bytes: u64) {
        self.machine.lock().space = Some(bytes);
    }

    /// The disk for a new process after the old one died; the system went on running, so all that
    /// was written is there. Faults are gone.
    #[must_use]
    pub fn restart(&self) -> Self {
        let life = self.machine.lock().begin_life();
        Self {
            machine: Arc::clone(&self.machine),
            life,
        }
    }

    /// The disk after a power cut. Faults are gone.
    #[must_use]
    pub fn reboot(&self, how: PowerCut) -> Self {
        let mut state = match how {
            PowerCut::KeepsBlocks(seed) => seed,
            _ => 0,
        };
        // SplitMix64.
        let mut random = move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut value = state;
            value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            value ^ (value >> 31)
        };
        let mut machine = self.machine.lock();
        for file in &mut machine.files {
            file.cut_power(how, &mut random);
        }
        let mut histories = std::mem::take(&mut machine.unsynced_names);
        histories.insert(0, machine.synced_names.clone());
        let kept = match how {
            PowerCut::LosesAll | PowerCut::KeepsBytes(_) => 0,
            PowerCut::KeepsAll => histories.len() - 1,
            PowerCut::KeepsBlocks(_) => (random() % histories.len() as u64) as usize,
        };
        machine.names = histories.swap_remove(kept);
        machine.synced_names = machine.names.clone();
        let life = machine.begin_life();
        Self {
            machine: Arc::clone(&self.machine),
            life,
        }
    }

    /// A disk of its own in the state of this one: what happens to either does not happen to the
    /// other. Open files stay with the other.
    #[must_use]
    pub fn fork(&self) -> Self {
        let machine = self.machine.lock().clone();
        Self {
            machine: Arc::new(Mutex::new(machine)),
            life: self.life,
        }
    }

    /// A disk of its own with the files as they read now, all of them stored.
    #[must_use]
    pub fn copy(&self) -> Self {
        let machine = self.machine.lock();
        let mut copy = Machine::default();
        for (name, inode) in &machine.names {
            let bytes = machine.files.get(*inode).map(|file| file.cached.clone());
            let bytes = bytes.unwrap_or_default();
            copy.names.insert(name.clone(), copy.files.len());
            copy.files.push(Inode {
                cached: bytes.clone(),
                stored: bytes,
                pending: Vec::new(),
            });
        }
        copy.synced_names = copy.names.clone();
        Self {
            machine: Arc::new(Mutex::new(copy)),
            life: 0,
        }
    }

    /// The names of the files there are.
    pub fn names(&self) -> Vec<String> {
        self.machine.lock().names.keys().cloned().collect()
    }

    /// What a file reads as; `None` if there is none.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let machine = self.machine.lock();
        Some(machine.files.get(*machine.names.get(name)?)?.cached.clone())
    }

    /// Flips one bit of byte `at` of a file, on stable storage and under whoever has it open.
    pub fn flip_bit(&self, name: &str, at: usize, bit: u32) {
        let mut machine = self.machine.lock();
        let Some(inode) = machine.names.get(name).copied() else {
            return;
        };
        let Some(file) = machine.files.get_mut(inode) else {
            return;
        };
        for bytes in [&mut file.cached, &mut file.stored] {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << (bit % 8);
            }
        }
    }

    /// Makes a file be these bytes, on stable storage, as a failing medium or a vandal would.
    pub fn put_bytes(&self, name: &str, bytes: Vec<u8>) {
        let mut machine = self.machine.lock();
        let file = Inode {
            cached: bytes.clone(),
            stored: bytes,
            pending: Vec::new(),
        };
        machine.files.push(file);
        let inode = machine.files.len() - 1;
        machine.names.insert(name.to_owned(), inode);
        machine.synced_names.insert(name.to_owned(), inode);
    }
}

impl Disk for FaultyDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut machine = self.machine.lock();
        machine.plain_step(self.life)?;
        Ok(machine.names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut machine = self.machine.lock();
        machine.plain_step(self.life)?;
        let inode = machine.named(name)?;
        Ok(Box::new(FaultyFile {
            disk: self.clone(),
            inode,
        }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut machine = self.machine.lock();
        machine.plain_step(self.life)?;
        if machine.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        machine.files.push(Inode::default());
        let inode = machine.files.len() - 1;
        machine.names.insert(name.to_owned(), inode);
        machine.names_changed();
        Ok(Box::new(FaultyFile {
            disk: self.clone(),
            inode,
        }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut machine = self.machine.lock();
        machine.plain_step(self.life)?;
        let inode = machine.named(from)?;
        machine.names.remove(from);
        machine.names.insert(to.to_owned(), inode);
        machine.names_changed();
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut machine = self.machine.lock();
        machine.plain_step(self.life)?;
        machine.named(name)?;
        machine.names.remove(name);
        machine.names_changed();
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut machine = self.machine.lock();
        machine.plain_step(self.life)?;
        machine.unsynced_names.clear();
        machine.synced_names = machine.names.clone();
        Ok(())
    }
}

struct FaultyFile {
    disk: FaultyDisk,
    inode: usize,
}

impl DiskFile for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        let mut machine = self.disk.machine.lock();
        machine.plain_step(self.disk.life)?;
        Ok(machine.file(self.inode)?.cached.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut machine = self.disk.machine.lock();
        machine.plain_step(self.disk.life)?;
        let file = machine.file(self.inode)?;
        let found = file.cached.get(offset as usize..).unwrap_or_default();
        let count = found.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), found.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut machine = self.disk.machine.lock();
        let mut len = match machine.step(self.disk.life)? {
            Some(Fault::Fail) => return Err(failed("the write fails")),
            Some(Fault::Short) => bytes.len().div_ceil(2),
            _ => bytes.len(),
        };
        let size = machine.file(self.inode)?.cached.len() as u64;
        if let Some(space) = machine.space {
            let room = size.saturating_sub(offset) + space;
            len = len.min(usize::try_from(room).unwrap_or(usize::MAX));
            let growth = (offset + len as u64).saturating_sub(size);
            machine.space = Some(space - growth);
            if len == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        let bytes = bytes.get(..len).unwrap_or_default().to_vec();
        machine.file(self.inode)?.change(Change::Write {
            offset: offset as usize,
            bytes,
        });
        Ok(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut machine = self.disk.machine.lock();
        let fault = machine.step(self.disk.life)?;
        let file = machine.file(self.inode)?;
        if fault == Some(Fault::Fail) {
            file.pending.clear();
            return Err(failed("the sync fails"));
        }
        file.sync();
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut machine = self.disk.machine.lock();
        machine.plain_step(self.disk.life)?;
        machine.file(self.inode)?.change(Change::Len(len as usize));
        Ok(())
    }
}
