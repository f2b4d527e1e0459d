//! The tree and its entries as files in the layout of C2SP `tlog-tiles`, so that any file server
//! can publish the log. The tiles are derived: if they do not give a known root, they are thrown
//! away and made again from the journal.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use crate::disk::{OsDisk, SmallFile};
use crate::entry::{ENTRY_LEN, EntryBytes};
use crate::hash::Hash32;
use crate::ids::Position;
use crate::journal::{CommitLog, ReadError};
use crate::merkle::{
    FromTiles, ProofError, TILE_WIDTH, Tile, TileSource, check_consistency, check_inclusion,
    consistency, inclusion, partial_tiles, peaks, root, subtree_root,
};

/// The name of the file that says how many entries the tiles hold.
pub(crate) const SIZE_FILE: &str = "size";
/// The folder of all tiles. It has one folder for each level, and [`ENTRIES`].
pub(crate) const TILES: &str = "tile";
/// The folder of entry bundles, beside the folders of the levels.
pub(crate) const ENTRIES: &str = "entries";
/// The name of a tile or bundle until it is whole, beside the folder of all tiles.
const TEMPORARY: &str = "tile.tmp";
/// The bytes of an entry in a bundle: two bytes of length, then the entry.
pub(crate) const RECORD_LEN: usize = 2 + ENTRY_LEN;

/// Why tiles cannot be made or used. Nothing is lost: the journal gives them again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TilesError {
    /// The operating system reported an error.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A tile is missing, or shorter than it should be.
    #[error("tile {index} of level {level} is missing or too short")]
    Short {
        /// The level of the tile.
        level: u8,
        /// The tile's index in its level.
        index: u64,
    },
    /// The tiles do not hold so many entries yet.
    #[error("the tiles cover {tiled} entries, not {asked}")]
    Beyond {
        /// How many entries the tiles hold.
        tiled: u64,
        /// How many entries were asked for.
        asked: u64,
    },
    /// The tiles do not give the root of the log: somebody or something changed them.
    #[error("the tiles do not belong to this log: {0}")]
    Wrong(#[from] ProofError),
    /// The journal could not be read.
    #[error("journal: {0}")]
    Journal(#[from] ReadError),
}

/// What tiles hold beside the hashes of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// The entries too, in bundles.
    Entries,
    /// Nothing. Bundles that are there are removed.
    Nothing,
}

/// The tiles in one directory.
pub struct Tiles {
    dir: PathBuf,
    beside: Beside,
    size: u64,
    /// For each level from 0 up: the last tile, which is not full yet. Together they are all hashes
    /// that are in no full tile.
    edge: BTreeMap<u8, Vec<Hash32>>,
    /// The entries that are in no full bundle.
    bundle: Vec<u8>,
}

impl Tiles {
    /// Opens the tiles in `dir`. Creates the directory if it does not exist.
    ///
    /// # Errors
    /// [`TilesError`]. After [`TilesError::Short`] start again with [`Tiles::clear`].
    pub fn open(dir: &Path, beside: Beside) -> Result<Self, TilesError> {
        let io = |source| TilesError::Io {
            path: dir.to_owned(),
            source,
        };
        fs::create_dir_all(dir).map_err(io)?;
        if beside == Beside::Nothing {
            remove(&dir.join(TILES).join(ENTRIES))?;
        }
        let size = match fs::read_to_string(dir.join(SIZE_FILE)) {
            Ok(text) => text.trim().parse().unwrap_or(0),
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(io(error)),
        };
        let mut tiles = Self {
            dir: dir.to_owned(),
            beside,
            size,
            edge: BTreeMap::new(),
            bundle: Vec::new(),
        };
        for tile in partial_tiles(size) {
            let hashes = tiles.tile(tile.level, tile.index, tile.width)?;
            tiles.edge.insert(tile.level, hashes);
            if tile.level == 0 && beside == Beside::Entries {
                let path = tiles.path(ENTRIES, &tile);
                let bytes = fs::read(&path).map_err(|source| TilesError::Io { path, source })?;
                tiles.bundle = bytes;
            }
        }
        let expected = match beside {
            Beside::Entries => (size % TILE_WIDTH) as usize * RECORD_LEN,
            Beside::Nothing => 0,
        };
        match tiles.bundle.len() == expected {
            true => Ok(tiles),
            false => Err(TilesError::Short {
                level: 0,
                index: size / TILE_WIDTH,
            }),
        }
    }

    /// Removes all tiles in `dir` and starts again with none.
    ///
    /// # Errors
    /// The operating system reported an error.
    pub fn clear(dir: &Path, beside: Beside) -> Result<Self, TilesError> {
        for path in [dir.join(SIZE_FILE), dir.join(TILES)] {
            remove(&path)?;
        }
        Self::open(dir, beside)
    }

    /// How many entries the tiles hold.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over all entries of the tiles.
    ///
    /// # Errors
    /// [`TilesError`]
    pub fn root(&self) -> Result<Hash32, TilesError> {
        root(&self.reader(), self.size)
    }

    /// Proves that entry `index` is in the tree of `size` entries. It checks the proof against the
    /// root of that tree before it returns it.
    ///
    /// # Errors
    /// [`TilesError`]
    pub fn inclusion(
        &self,
        index: u64,
        size: u64,
        expected: &Hash32,
    ) -> Result<Vec<Hash32>, TilesError> {
        let reader = self.reader_of(size)?;
        let proof = inclusion(&reader, index, size)?;
        let leaf = crate::merkle::Subtrees::subtree(&reader, 0, index)?;
        check_inclusion(index, size, &leaf, &proof, expected)?;
        Ok(proof)
    }

    /// Proves that the tree of `old` entries is the beginning of the tree of `size` entries. It
    /// checks the proof against both roots before it returns it. If `old` is 0, there is nothing to
    /// prove.
    ///
    /// # Errors
    /// [`TilesError`]
    pub fn consistency(
        &self,
        (old, old_root): (u64, &Hash32),
        (size, expected): (u64, &Hash32),
    ) -> Result<Vec<Hash32>, TilesError> {
        let reader = self.reader_of(size)?;
        let proof = consistency(&reader, old, size)?;
        if old > 0 {
            check_consistency(old, size, &proof, old_root, expected)?;
        }
        Ok(proof)
    }

    /// A consistency proof from a size whose root the caller does not know, together with that
    /// root.
    ///
    /// # Errors
    /// [`TilesError`]
    pub fn consistency_from(
        &self,
        old: u64,
        (size, expected): (u64, &Hash32),
    ) -> Result<(Hash32, Vec<Hash32>), TilesError> {
        let old_root = root(&self.reader_of(size.max(old))?, old)?;
        let proof = self.consistency((old, &old_root), (size, expected))?;
        Ok((old_root, proof))
    }

    /// The peaks of the tree over the first `size` entries.
    ///
    /// # Errors
    /// [`TilesError`]
    pub fn peaks(&self, size: u64) -> Result<Vec<Hash32>, TilesError> {
        peaks(&self.reader_of(size)?, size)
    }

    fn reader(&self) -> FromTiles<Cached<'_>> {
        FromTiles(Cached::new(self))
    }

    fn reader_of(&self, size: u64) -> Result<FromTiles<Cached<'_>>, TilesError> {
        match size > self.size {
            true => Err(TilesError::Beyond {
                tiled: self.size,
                asked: size,
            }),
            false => Ok(self.reader()),
        }
    }

    /// Adds the journal's entries up to a position. The tiles are not synced. If they are wrong
    /// after a power cut, the next proof finds out.
    ///
    /// # Errors
    /// [`TilesError`]. The tiles hold what they held before, so it can be tried again.
    pub fn advance(&mut self, log: &dyn CommitLog, to: Position) -> Result<(), TilesError> {
        if self.size >= to.get() {
            return Ok(());
        }
        let before = (self.size, self.edge.clone(), self.bundle.clone());
        let advanced = self.advance_to(log, to);
        if advanced.is_err() {
            (self.size, self.edge, self.bundle) = before;
        }
        advanced
    }

    fn advance_to(&mut self, log: &dyn CommitLog, to: Position) -> Result<(), TilesError> {
        // Of entries that were removed the leaves are kept, and no bundles.
        while self.beside == Beside::Nothing && self.size < to.get() {
            let leaves = log.removed_leaves(Position::new(self.size + 1))?;
            if leaves.is_empty() {
                break;
            }
            let wanted = (to.get() - self.size).min(leaves.len() as u64) as usize;
            for leaf in leaves.iter().take(wanted) {
                self.push(leaf, None)?;
            }
        }
        for frame in log.read(Position::new(self.size + 1)) {
            for record in frame?.entries() {
                let position = record.position.get();
                if position == self.size + 1 && position <= to.get() {
                    self.push(record.leaf, Some(record.entry))?;
                }
            }
            if self.size >= to.get() {
                break;
            }
        }
        self.write_edge()
    }

    fn push(&mut self, leaf: &Hash32, entry: Option<&EntryBytes>) -> Result<(), TilesError> {
        let index = self.size / TILE_WIDTH;
        let entry = entry.filter(|_| self.beside == Beside::Entries);
        if let Some(entry) = entry {
            bundle_entry(&mut self.bundle, entry);
        }
        self.size += 1;
        if self.size.is_multiple_of(TILE_WIDTH) && self.beside == Beside::Entries {
            let full = Tile {
                level: 0,
                index,
                width: TILE_WIDTH as u16,
            };
            let bundle = std::mem::take(&mut self.bundle);
            self.write(ENTRIES, &full, &bundle)?;
        }
        self.push_hash(0, index, *leaf)
    }

    fn push_hash(&mut self, level: u8, index: u64, hash: Hash32) -> Result<(), TilesError> {
        let edge = self.edge.entry(level).or_default();
        edge.push(hash);
        if edge.len() < TILE_WIDTH as usize {
            return Ok(());
        }
        let hashes = std::mem::take(edge);
        let full = Tile {
            level,
            index,
            width: TILE_WIDTH as u16,
        };
        self.write(&level.to_string(), &full, hashes.as_flattened())?;
        self.push_hash(level + 1, index / TILE_WIDTH, subtree_root(&hashes))
    }

    /// Writes the tiles that are not full, and then the size. Only the size makes them count.
    fn write_edge(&mut self) -> Result<(), TilesError> {
        for tile in partial_tiles(self.size) {
            let Some(hashes) = self.edge.get(&tile.level) else {
                unreachable!("the edge has every tile that is not full");
            };
            assert_eq!(
                hashes.len(),
                usize::from(tile.width),
                "a tile has its hashes"
            );
            self.write(&tile.level.to_string(), &tile, hashes.as_flattened())?;
            if tile.level == 0 && self.beside == Beside::Entries {
                self.write(ENTRIES, &tile, &self.bundle)?;
            }
        }
        replace(&self.dir, SIZE_FILE, format!("{}\n", self.size).as_bytes()).map_err(|source| {
            let path = self.dir.join(SIZE_FILE);
            TilesError::Io { path, source }
        })
    }

    fn write(&self, level: &str, tile: &Tile, bytes: &[u8]) -> Result<(), TilesError> {
        let path = self.path(level, tile);
        let io = |source| TilesError::Io {
            path: path.clone(),
            source,
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io)?;
        }
        // Whoever serves the files never sees a part of one, and a kill leaves none.
        let temporary = self.dir.join(TEMPORARY);
        fs::write(&temporary, bytes)
            .and_then(|()| fs::rename(&temporary, &path))
            .map_err(io)?;
        if tile.is_full() {
            // The full tile holds everything that the partial ones held.
            let partial = path.with_extension("p");
            match fs::remove_dir_all(&partial) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(error)),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn path(&self, level: &str, tile: &Tile) -> PathBuf {
        self.dir.join(TILES).join(level).join(tile.path())
    }
}

/// Removes a file or folder with everything in it. Nothing happens if it is not there.
fn remove(path: &Path) -> Result<(), TilesError> {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            let path = path.to_owned();
            Err(TilesError::Io { path, source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Appends an entry to a bundle.
pub(crate) fn bundle_entry(bundle: &mut Vec<u8>, entry: &EntryBytes) {
    bundle.extend_from_slice(&(ENTRY_LEN as u16).to_be_bytes());
    bundle.extend_from_slice(entry);
}

/// Replaces a file in the directory of the tiles, as [`SmallFile::replace`] says.
pub(crate) fn replace(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let file = SmallFile {
        name,
        temporary: &format!("{name}.tmp"),
    };
    file.replace(&OsDisk::new(dir)?, bytes)?;
    Ok(())
}

impl TileSource for Tiles {
    type Error = TilesError;

    /// The first `width` hashes of a tile. If the tile is full, they are read from the full one.
    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash32>, TilesError> {
        let whole = |width| Tile {
            level,
            index,
            width,
        };
        let hashes = self.size >> (8 * u32::from(level));
        let there = hashes.saturating_sub(index * TILE_WIDTH).min(TILE_WIDTH) as u16;
        if there < width {
            return Err(self.short(level, index));
        }
        let path = self.path(&level.to_string(), &whole(there));
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(self.short(level, index));
            }
            Err(source) => return Err(TilesError::Io { path, source }),
        };
        let (hashes, rest) = bytes.as_chunks::<32>();
        match rest.is_empty() && hashes.len() == usize::from(there) {
            true => Ok(hashes.to_vec()),
            false => Err(self.short(level, index)),
        }
    }

    fn short(&self, level: u8, index: u64) -> TilesError {
        TilesError::Short { level, index }
    }
}

/// Remembers the tiles that one proof has read.
struct Cached<'a> {
    tiles: &'a Tiles,
    read: Mutex<HashMap<(u8, u64), Vec<Hash32>>>,
}

impl<'a> Cached<'a> {
    fn new(tiles: &'a Tiles) -> Self {
        Self {
            tiles,
            read: Mutex::default(),
        }
    }
}

impl TileSource for Cached<'_> {
    type Error = TilesError;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash32>, TilesError> {
        if let Some(hashes) = self.read.lock().get(&(level, index)) {
            return Ok(hashes.clone());
        }
        let hashes = self.tiles.tile(level, index, width)?;
        self.read.lock().insert((level, index), hashes.clone());
        Ok(hashes)
    }

    fn short(&self, level: u8, index: u64) -> TilesError {
        self.tiles.short(level, index)
    }
}
