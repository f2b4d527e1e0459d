//! The tree and its entries as files, laid out as C2SP `tlog-tiles` has them, so that a plain file
//! server can publish the log. Derived: thrown away and made again from the journal whenever it
//! does not lead to a root that is known.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use crate::entry::{ENTRY_LEN, EntryBytes};
use crate::hash::Hash32;
use crate::ids::Position;
use crate::journal::{CommitLog, ReadError};
use crate::merkle::{
    FromTiles, ProofError, TILE_WIDTH, Tile, TileSource, check_consistency, check_inclusion,
    consistency, inclusion, partial_tiles, peaks, root, subtree_root,
};

/// The file that says how many entries the tiles hold.
pub(crate) const SIZE_FILE: &str = "size";
/// The folder of all tiles, with one for each level, and [`ENTRIES`].
pub(crate) const TILES: &str = "tile";
/// The folder of entry bundles among the levels.
pub(crate) const ENTRIES: &str = "entries";
/// Bytes of an entry in a bundle: two of length before it.
pub(crate) const RECORD_LEN: usize = 2 + ENTRY_LEN;

/// Why tiles cannot be made or used. Made anew, nothing is lost.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TilesError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What it was about.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A tile is missing or shorter than it should be.
    #[error("tile {index} of level {level} is missing or short")]
    Short {
        /// The tile's level.
        level: u8,
        /// Its place in the level.
        index: u64,
    },
    /// The tiles do not reach so far yet.
    #[error("the tiles reach to {tiled} entries, not to {asked}")]
    Beyond {
        /// How far they reach.
        tiled: u64,
        /// What was asked for.
        asked: u64,
    },
    /// The tiles do not lead to the root: they were changed.
    #[error("the tiles are not those of the log: {0}")]
    Wrong(#[from] ProofError),
    /// The journal does not read.
    #[error("journal: {0}")]
    Journal(#[from] ReadError),
}

/// Tiles in a directory.
pub struct Tiles {
    dir: PathBuf,
    size: u64,
    /// The last, partial, tile of each level from 0 up; all hashes that are not in a full tile.
    edge: BTreeMap<u8, Vec<Hash32>>,
    /// Entries that are not in a full bundle.
    bundle: Vec<u8>,
}

impl Tiles {
    /// Opens the tiles in `dir`, which is made if it does not exist.
    ///
    /// # Errors
    /// [`TilesError`]; after [`TilesError::Short`] begin anew with [`Tiles::clear`].
    pub fn open(dir: &Path) -> Result<Self, TilesError> {
        let io = |source| TilesError::Io {
            path: dir.to_owned(),
            source,
        };
        fs::create_dir_all(dir).map_err(io)?;
        let size = match fs::read_to_string(dir.join(SIZE_FILE)) {
            Ok(text) => text.trim().parse().unwrap_or(0),
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(io(error)),
        };
        let mut tiles = Self {
            dir: dir.to_owned(),
            size,
            edge: BTreeMap::new(),
            bundle: Vec::new(),
        };
        for tile in partial_tiles(size) {
            let hashes = tiles.tile(tile.level, tile.index, tile.width)?;
            tiles.edge.insert(tile.level, hashes);
            if tile.level == 0 {
                let path = tiles.path(ENTRIES, &tile);
                let bytes = fs::read(&path).map_err(|source| TilesError::Io { path, source })?;
                tiles.bundle = bytes;
            }
        }
        let expected = usize::try_from(size % TILE_WIDTH).unwrap_or(0) * RECORD_LEN;
        match tiles.bundle.len() == expected {
            true => Ok(tiles),
            false => Err(TilesError::Short {
                level: 0,
                index: size / TILE_WIDTH,
            }),
        }
    }

    /// Removes all tiles in `dir` and begins anew.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn clear(dir: &Path) -> Result<Self, TilesError> {
        for path in [dir.join(SIZE_FILE), dir.join(TILES)] {
            let removed = match path.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            match removed {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(TilesError::Io {
                        path,
                        source: error,
                    });
                }
                Ok(()) | Err(_) => {}
            }
        }
        Self::open(dir)
    }

    /// How many entries they hold.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    ///
    /// # Errors
    /// [`TilesError`]
    pub fn root(&self) -> Result<Hash32, TilesError> {
        root(&self.reader(), self.size)
    }

    /// Proves that entry `index` is in the tree of `size` entries, and checks the proof against
    /// that tree's root before it is given out.
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

    /// Proves that the tree of `old` entries is a beginning of that of `size`, and checks the proof
    /// against both roots before it is given out. From an empty tree there is nothing to prove.
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

    /// Consistency proof from a size whose root nobody knows yet, and that root.
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

    /// The peaks of the tree of the first `size` entries.
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

    /// Takes in the journal's entries up to a position. Files are not synced: whatever is wrong
    /// with them shows when a proof is made.
    ///
    /// # Errors
    /// [`TilesError`]
    pub fn advance(&mut self, log: &dyn CommitLog, to: Position) -> Result<(), TilesError> {
        if self.size >= to.get() {
            return Ok(());
        }
        for frame in log.read(Position::new(self.size + 1)) {
            for record in frame?.entries() {
                let position = record.position.get();
                if position == self.size + 1 && position <= to.get() {
                    self.push(record.leaf, record.entry)?;
                }
            }
            if self.size >= to.get() {
                break;
            }
        }
        self.write_edge()
    }

    fn push(&mut self, leaf: &Hash32, entry: &EntryBytes) -> Result<(), TilesError> {
        let index = self.size / TILE_WIDTH;
        bundle_entry(&mut self.bundle, entry);
        self.size += 1;
        if self.size.is_multiple_of(TILE_WIDTH) {
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

    /// Writes the partial tiles, then the size, which makes them count.
    fn write_edge(&mut self) -> Result<(), TilesError> {
        for tile in partial_tiles(self.size) {
            let hashes = self.edge.get(&tile.level);
            let bytes = hashes.map(|hashes| hashes.as_flattened()).unwrap_or(&[]);
            self.write(&tile.level.to_string(), &tile, bytes)?;
            if tile.level == 0 {
                self.write(ENTRIES, &tile, &self.bundle)?;
            }
        }
        let path = self.dir.join(SIZE_FILE);
        replace(&path, format!("{}\n", self.size).as_bytes())
            .map_err(|source| TilesError::Io { path, source })
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
        fs::write(&path, bytes).map_err(io)?;
        if tile.is_full() {
            // What was partial is in the full one.
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

/// Adds an entry to a bundle.
pub(crate) fn bundle_entry(bundle: &mut Vec<u8>, entry: &EntryBytes) {
    bundle.extend_from_slice(&(ENTRY_LEN as u16).to_be_bytes());
    bundle.extend_from_slice(entry);
}

/// Writes a file so that it is either the old one or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    fs::write(&temporary, bytes)?;
    fs::rename(&temporary, path)
}

impl TileSource for Tiles {
    type Error = TilesError;

    /// The first `width` hashes of a tile, from the full tile if there is one.
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

/// Tiles that were read for one proof.
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
