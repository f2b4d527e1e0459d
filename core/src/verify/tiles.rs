//! Compares tiles and entry bundles, byte by byte, with what the journal gives.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::halt::Halt;
use super::parallel::in_order;
use super::report::{Part, PartName};
use crate::audit::{Fault, FaultKind};
use crate::hash::Hash32;
use crate::ids::Position;
use crate::journal::CommitLog;
use crate::ledger::{OpenError, ReadError};
use crate::merkle::{TILE_WIDTH, Tile, subtree_root};
use crate::tlog::{ENTRIES, RECORD_LEN, SIZE_FILE, TILES, bundle_entry};

/// How many tiles of level 0 one thread makes at a time.
const SPAN: u64 = 64;
const HASH_LEN: usize = 32;

/// Where the tiles are, and how many entries they should hold.
pub(super) struct Tiles<'a> {
    /// The folder `tlog`.
    pub(super) dir: &'a Path,
    /// The position up to which the journal is sound.
    pub(super) events: Position,
    /// Whether that position is the end of the journal.
    pub(super) whole: bool,
    /// The size of the newest checkpoint. The tiles must hold at least so many entries.
    pub(super) newest: u64,
    /// How many of the files that are published for monitors were compared, and their first fault;
    /// `None` if there are none.
    pub(super) disclosed: Option<(u64, Option<Fault>)>,
}

/// How many files of a tile were compared, and the root of the tile if it is full.
struct Compared {
    files: u64,
    root: Option<Hash32>,
}

impl Tiles<'_> {
    /// Compares every file.
    pub(super) fn check(
        &self,
        log: &dyn CommitLog,
        progress: &dyn Fn(u64, u64),
    ) -> Result<Part, OpenError> {
        let mut part = Part::new(PartName::Tiles);
        if !self.dir.join(TILES).is_dir() {
            return Ok(part.noted("there are none"));
        }
        let mut checked = 0;
        match self.run(log, progress, &mut checked) {
            Ok(()) => {}
            Err(Halt::Fault(fault)) => part.fail(fault),
            Err(Halt::Failed(error)) => return Err(error),
        }
        part.checked = checked;
        match &self.disclosed {
            Some((files, fault)) => {
                part.checked += files;
                fault.iter().cloned().for_each(|fault| part.fail(fault));
            }
            None => {
                part = part.noted(
                    "nothing is published for monitors, as earlier versions left it; the next start of \
                    the server publishes it",
                );
            }
        }
        Ok(match self.whole {
            true => part,
            false => part.noted("the tiles after the fault in the journal are not checked"),
        })
    }

    fn run(
        &self,
        log: &dyn CommitLog,
        progress: &dyn Fn(u64, u64),
        checked: &mut u64,
    ) -> Result<(), Halt> {
        let size = self.size()?;
        let last = self.events.get();
        let spans = (0..last.div_ceil(TILE_WIDTH * SPAN)).map(|n| n * SPAN);
        let work = |first, give: &mut dyn FnMut(Result<Compared, Halt>) -> bool| {
            if let Err(stop) = self.compare_leaves(log, size, first, give) {
                give(Err(stop));
            }
        };
        let mut above: Vec<Level> = Vec::new();
        let mut done = 0;
        in_order(spans, work, |compared| {
            let compared = compared?;
            *checked += compared.files;
            done = (done + TILE_WIDTH).min(last);
            progress(done, last);
            match compared.root {
                Some(root) => self.push(&mut above, 1, root, size, checked),
                None => Ok(()),
            }
        })?;
        for (level, hashes) in (1..).zip(&above) {
            *checked += self.compare_hashes(level, hashes.tiles, &hashes.edge, size)?;
        }
        match self.whole {
            true => self.check_names(&self.dir.join(TILES), ""),
            false => Ok(()),
        }
    }

    /// How many entries the tiles hold, as their size file says.
    fn size(&self) -> Result<u64, Halt> {
        let fault = |position: u64, what: String| {
            Halt::Fault(Fault::new(Position::new(position), FaultKind::Tile, what))
        };
        // The size file is written last.
        let text = self.read(&self.dir.join(SIZE_FILE))?;
        let text = text.unwrap_or_else(|| b"0\n".to_vec());
        let text = String::from_utf8_lossy(&text);
        let size = text
            .strip_suffix('\n')
            .and_then(|digits| digits.parse().ok());
        let size: u64 = size
            .filter(|size| format!("{size}\n") == text)
            .ok_or_else(|| {
                fault(
                    0,
                    format!("the file {SIZE_FILE} beside the tiles does not contain a size"),
                )
            })?;
        let (events, newest) = (self.events.get(), self.newest);
        if size > events && self.whole {
            let what = format!("the tiles cover {size} events, but the journal has {events}");
            return Err(fault(events + 1, what));
        }
        match size < newest {
            true => {
                let what = format!(
                    "the tiles cover {size} events, but the newest checkpoint covers {newest}"
                );
                Err(fault(size + 1, what))
            }
            false => Ok(size),
        }
    }

    /// Makes the tiles and bundles of level 0 from the journal, and compares them with the files.
    fn compare_leaves(
        &self,
        log: &dyn CommitLog,
        size: u64,
        first: u64,
        give: &mut dyn FnMut(Result<Compared, Halt>) -> bool,
    ) -> Result<(), Halt> {
        let begin = first * TILE_WIDTH + 1;
        let last = (begin - 1 + SPAN * TILE_WIDTH).min(self.events.get());
        let mut index = first;
        let mut leaves: Vec<Hash32> = Vec::new();
        let mut bundle = Vec::new();
        for frame in log.read(Position::new(begin)) {
            let frame = frame.map_err(|error| Halt::Failed(ReadError::from(error).into()))?;
            for record in frame.entries() {
                let position = record.position.get();
                if position < begin || position > last {
                    continue;
                }
                leaves.push(*record.leaf);
                bundle_entry(&mut bundle, record.entry);
                let full = leaves.len() as u64 == TILE_WIDTH;
                if !full && position < last {
                    continue;
                }
                let files = self.compare_hashes(0, index, &leaves, size)?
                    + self.compare(ENTRIES, 0, index, (&bundle, RECORD_LEN), size)?;
                let root = full.then(|| subtree_root(&leaves));
                if !give(Ok(Compared { files, root })) {
                    return Ok(());
                }
                index += 1;
                leaves.clear();
                bundle.clear();
            }
            if frame.header().last_position().get() >= last {
                break;
            }
        }
        Ok(())
    }

    /// Adds the root of a full tile to the level above.
    fn push(
        &self,
        above: &mut Vec<Level>,
        level: u8,
        root: Hash32,
        size: u64,
        checked: &mut u64,
    ) -> Result<(), Halt> {
        let at = usize::from(level) - 1;
        if above.len() == at {
            above.push(Level::default());
        }
        let Some(now) = above.get_mut(at) else {
            return Ok(());
        };
        now.edge.push(root);
        if (now.edge.len() as u64) < TILE_WIDTH {
            return Ok(());
        }
        let (index, hashes) = (now.tiles, std::mem::take(&mut now.edge));
        now.tiles += 1;
        *checked += self.compare_hashes(level, index, &hashes, size)?;
        self.push(above, level + 1, subtree_root(&hashes), size, checked)
    }

    fn compare_hashes(
        &self,
        level: u8,
        index: u64,
        hashes: &[Hash32],
        size: u64,
    ) -> Result<u64, Halt> {
        let bytes = (hashes.as_flattened(), HASH_LEN);
        self.compare(&level.to_string(), level, index, bytes, size)
    }

    /// Compares the file of one tile or bundle, and the partial files beside it, with what the
    /// journal gives. Returns how many files there were.
    fn compare(
        &self,
        folder: &str,
        level: u8,
        index: u64,
        (bytes, record): (&[u8], usize),
        size: u64,
    ) -> Result<u64, Halt> {
        let there = (bytes.len() / record) as u64;
        let needed = (size >> (8 * u32::from(level))).saturating_sub(index * TILE_WIDTH);
        let needed = needed.min(TILE_WIDTH);
        let tile = |width| Tile {
            level,
            index,
            width,
        };
        let name = |width| format!("{TILES}/{folder}/{}", tile(width).path());
        let fault = |nth: u64, kind, what: String| {
            let first = (index * TILE_WIDTH + nth) << (8 * u32::from(level));
            Halt::Fault(Fault::new(Position::new(first + 1), kind, what))
        };
        let compare = |width: u64| {
            let name = name(width as u16);
            let Some(found) = self.read(&self.dir.join(&name))? else {
                return Ok(false);
            };
            let expected = bytes.get(..width as usize * record).unwrap_or_default();
            if found == expected {
                return Ok(true);
            }
            let same = found.iter().zip(expected).take_while(|(a, b)| a == b);
            let nth = (same.count() / record) as u64;
            let what = format!("{name} does not match the journal");
            Err(fault(nth, FaultKind::Tile, what))
        };
        let missing = |width: u64| {
            let what = format!("{} is missing", name(width as u16));
            fault(0, FaultKind::Missing, what)
        };
        let mut files = 0;
        if there == TILE_WIDTH && compare(TILE_WIDTH)? {
            files += 1;
        } else if there == TILE_WIDTH && needed == TILE_WIDTH {
            return Err(missing(TILE_WIDTH));
        }
        // Partial tiles of earlier sizes stay until the tile is full.
        let partial = self.dir.join(name(1));
        let partial = partial.parent().unwrap_or(self.dir);
        let mut widths: Vec<u64> = self
            .list(partial)?
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect();
        widths.retain(|width| (1..TILE_WIDTH).contains(width) && *width <= there);
        widths.sort_unstable();
        for width in &widths {
            files += u64::from(compare(*width)?);
        }
        match (1..TILE_WIDTH).contains(&needed) && needed <= there && !widths.contains(&needed) {
            true => Err(missing(needed)),
            false => Ok(files),
        }
    }

    /// Finds files that are not tiles or bundles of the journal.
    fn check_names(&self, folder: &Path, path: &str) -> Result<(), Halt> {
        for name in self.list(folder)? {
            let (below, path) = (folder.join(&name), format!("{path}/{name}"));
            if below.is_dir() {
                self.check_names(&below, &path)?;
            } else if !self.is_of_the_journal(path.trim_start_matches('/')) {
                let what = format!("{TILES}{path} does not belong to the log");
                return Err(Fault::new(Position::ZERO, FaultKind::Tile, what).into());
            }
        }
        Ok(())
    }

    fn is_of_the_journal(&self, path: &str) -> bool {
        let Some((folder, path)) = path.split_once('/') else {
            return false;
        };
        let level = match folder {
            ENTRIES => 0,
            level => match level.parse::<u8>() {
                Ok(number) if number.to_string() == level && number < 8 => number,
                Ok(_) | Err(_) => return false,
            },
        };
        let hashes = self.events.get() >> (8 * u32::from(level));
        Tile::parse(level, path)
            .is_some_and(|tile| tile.index * TILE_WIDTH + u64::from(tile.width) <= hashes)
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Halt> {
        found(fs::read(path), path)
    }

    /// The names in a folder, sorted. Empty if the folder does not exist.
    fn list(&self, folder: &Path) -> Result<Vec<String>, Halt> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let names = entries.map(|entries| {
            let names = entries.iter().map(fs::DirEntry::file_name);
            names
                .map(|name| name.to_string_lossy().into_owned())
                .collect()
        });
        let mut names: Vec<String> = found(names, folder)?.unwrap_or_default();
        names.sort_unstable();
        Ok(names)
    }
}

/// One level above the leaves: how many of its tiles are full, and the hashes that are in no full
/// tile yet.
#[derive(Default)]
struct Level {
    tiles: u64,
    edge: Vec<Hash32>,
}

fn found<T>(result: io::Result<T>, path: &Path) -> Result<Option<T>, Halt> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(source) => Err(Halt::Failed(OpenError::Io {
            path: PathBuf::from(path),
            source,
        })),
    }
}
