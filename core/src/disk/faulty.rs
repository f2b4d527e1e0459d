//! A disk in memory, for tests. It fails at the operation that a test chooses.
//!
//! The disk keeps two states of each file. The cached state is what the program has written, and
//! what it reads back. The stored state is what was synced, and what is left after a power cut. A
//! failed sync forgets the writes that it should have stored, as on Linux: the program still reads
//! them, the next sync succeeds without them, and a power cut loses them.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::operations::{Disk, DiskFile};

/// A fault that happens at one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process dies before the operation. This operation and all later ones fail, until the
    /// test calls [`FaultyDisk::restart`] or [`FaultyDisk::reboot`].
    Kill,
    /// Only this operation fails. If it is a sync, the writes that it should have stored are lost.
    Fail,
    /// A write stores only the first half of its bytes, and says so. Other operations succeed.
    Short,
}

/// What a disk stores whole or not at all.
const BLOCK: usize = 512;

/// Which changes survive a power cut, among those that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerCut {
    /// No change survives.
    LosesAll,
    /// Every change survives.
    KeepsAll,
    /// Of each file, this number of bytes survives, counted in the order in which they were
    /// written, and rounded down to a block within a file that was longer already. Changes of file
    /// names do not survive.
    KeepsBytes(usize),
    /// Some blocks of 512 bytes survive, chosen at random from this seed. The others keep what was
    /// stored there before, or are zeros or missing. Of the changes of file names, the first ones
    /// survive; the seed chooses how many.
    KeepsBlocks(u64),
}

/// The disk. A clone is another handle to the same disk.
#[derive(Clone, Default)]
pub struct FaultyDisk {
    machine: Arc<Mutex<Machine>>,
    /// Number of the process that this handle belongs to. After a restart, operations on handles
    /// of earlier processes fail.
    life: u64,
}

#[derive(Clone, Default)]
struct Machine {
    files: Vec<Inode>,
    names: Names,
    /// The file names at the last sync of the directory.
    synced_names: Names,
    /// All file names, once after each change since that sync.
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
                    let mut len = left.min(bytes.len());
                    left -= len;
                    // A block is stored whole or not at all. Where the file ends behind the last byte that
                    // survives, that cannot be told from a part of one; elsewhere it can.
                    let end = *offset + len;
                    if len < bytes.len() && end < self.stored.len() {
                        len -= len.min(end % BLOCK);
                    }
                    let kept = bytes.get(..len).unwrap_or_default();
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
    /// Counts one operation, and returns the fault that a test injected at it.
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

    /// Counts one operation, and fails if a test injected [`Fault::Fail`] at it.
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
    /// Makes an empty disk without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Injects `fault` at operation number `at`. The first operation of a process has number 0.
    pub fn inject(&self, at: u64, fault: Fault) {
        self.machine.lock().faults.insert(at, fault);
    }

    /// The number of operations of this process so far. Every call of a method of [`Disk`] or
    /// [`DiskFile`] is one operation.
    pub fn operations(&self) -> u64 {
        self.machine.lock().operations
    }

    /// Limits the free space: from now on, all files together can grow by `bytes`.
    pub fn limit_space(&self, bytes: u64) {
        self.machine.lock().space = Some(bytes);
    }

    /// Starts a new process after the old one died, and returns its disk. The operating system went
    /// on running, so everything that was written is still there. Injected faults are removed.
    #[must_use]
    pub fn restart(&self) -> Self {
        let life = self.machine.lock().begin_life();
        Self {
            machine: Arc::clone(&self.machine),
            life,
        }
    }

    /// Cuts the power, and returns the disk for the process after it. Injected faults are removed.
    #[must_use]
    pub fn reboot(&self, how: PowerCut) -> Self {
        let mut state = match how {
            PowerCut::KeepsBlocks(seed) => seed,
            _ => 0,
        };
        // The generator SplitMix64: small, and the same seed always gives the same power cut.
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

    /// Copies the whole disk, with both states of each file. What happens to one disk does not
    /// change the other. Files that are open belong to the old disk.
    #[must_use]
    pub fn fork(&self) -> Self {
        let machine = self.machine.lock().clone();
        Self {
            machine: Arc::new(Mutex::new(machine)),
            life: self.life,
        }
    }

    /// Makes a new disk from the files as they read now. On the new disk, all of it counts as
    /// synced.
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

    /// The names of all files.
    pub fn names(&self) -> Vec<String> {
        self.machine.lock().names.keys().cloned().collect()
    }

    /// The bytes that a program would read from a file. `None` if there is no such file.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let machine = self.machine.lock();
        Some(machine.files.get(*machine.names.get(name)?)?.cached.clone())
    }

    /// Flips one bit in byte `at` of a file, in both states. A program that has the file open sees
    /// the change too.
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

    /// Replaces a file by one with these bytes, already synced, as an attacker or a broken disk
    /// could.
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

    fn exists(&self, name: &str) -> io::Result<bool> {
        let mut machine = self.machine.lock();
        machine.plain_step(self.life)?;
        Ok(machine.names.contains_key(name))
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
