//! The tree as files, read and verified by the crate `tlog_tiles`, which trusts nothing but the
//! root, and entry by entry.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use planledger_core::entry::{EntryBytes, Hash32};
use planledger_core::ids::{LedgerId, Position};
use planledger_core::journal::conformance::sample_commit;
use planledger_core::journal::{CommitLog, MemoryLog};
use planledger_core::merkle::{
    Frontier, Tile, check_consistency, check_inclusion, hash_leaf, partial_tiles,
};
use planledger_core::time::Timestamp;
use planledger_core::tlog::{Beside, Tiles};
use tlog_tiles::{
    Error, Hash, HashReader as _, Tile as TheirTile, TileHashReader, TileReader, check_record,
    check_tree, prove_record, prove_tree, record_hash, stored_hash_index, tree_hash,
};

use crate::interop::leaves::Leaves;

const SIZES: [u64; 16] = [
    1, 2, 255, 256, 257, 511, 512, 513, 767, 1_023, 4_096, 65_535, 65_536, 65_537, 65_791, 65_793,
];

/// A journal of so many entries.
fn log_of(size: u64) -> MemoryLog {
    let log = MemoryLog::new(LedgerId::from_bytes([1; 16]), Timestamp::from_nanos(1));
    while log.tail().position.get() < size {
        let tail = log.tail();
        let entries = (size - tail.position.get()).min(5_000) as usize;
        let commit = sample_commit(&tail, size, &[&vec![16; entries]]);
        log.append(&tail, &[commit]).unwrap();
    }
    log
}

fn entries_of(log: &MemoryLog) -> Vec<EntryBytes> {
    let frames = log.read(Position::new(1)).map(Result::unwrap);
    let entries = frames.flat_map(|frame| frame.entries().map(|e| *e.entry).collect::<Vec<_>>());
    entries.collect()
}

/// Reads tiles as a client of a static file server would: by the path that it computes itself.
struct Files<'a> {
    dir: &'a Path,
    read: Cell<usize>,
}

impl TileReader for Files<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[TheirTile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &TheirTile| {
            self.read.set(self.read.get() + 1);
            fs::read(self.dir.join(path(tile))).unwrap_or_else(|e| panic!("{}: {e}", path(tile)))
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[TheirTile], _: &[Vec<u8>]) {}
}

/// Theirs are the paths of Go's checksum database, with the tile's height behind `tile`, which
/// C2SP's paths leave out.
fn path(tile: &TheirTile) -> String {
    let path = tile.path();
    let rest = path.strip_prefix("tile/8/").unwrap();
    format!("tile/{}", rest.replacen("data/", "entries/", 1))
}

#[test]
fn every_tile_is_verified_by_tlog_tiles_whatever_the_size() {
    let largest = *SIZES.last().unwrap();
    let log = log_of(largest);
    let leaves = Leaves::of(entries_of(&log).into_iter().map(Vec::from));
    let roots = leaves.roots();
    let dir = tempfile::tempdir().unwrap();
    let mut tiles = Tiles::open(dir.path(), Beside::Entries).unwrap();
    for (before, size) in [0].into_iter().chain(SIZES).zip(SIZES) {
        tiles.advance(&log, Position::new(size)).unwrap();
        let root = roots[size as usize];
        assert_eq!(tiles.root().unwrap(), root);
        let files = Files {
            dir: dir.path(),
            read: Cell::new(0),
        };
        let reader = TileHashReader::new(size, Hash(root), &files);
        assert_eq!(tree_hash(size, &reader).unwrap(), Hash(root));
        assert!(files.read.get() > 0);
        let mut indexes = vec![0, size / 2, size - 1];
        indexes.extend(
            [254, 255, 256, 511, 65_535]
                .into_iter()
                .filter(|index| *index < size),
        );
        for index in indexes {
            let leaf = *leaves.leaf(index);
            let stored = reader.read_hashes(&[stored_hash_index(0, index)]).unwrap();
            assert_eq!(stored, [Hash(leaf)]);
            // Their proof from our files, ours from our files, each checked by the other.
            let theirs = prove_record(size, index, &reader).unwrap();
            let ours = tiles.inclusion(index, size, &root).unwrap();
            let hashes: Vec<Hash32> = theirs.iter().map(|hash| hash.0).collect();
            assert_eq!(hashes, ours);
            check_inclusion(index, size, &leaf, &hashes, &root).unwrap();
            let ours: Vec<_> = ours.into_iter().map(Hash).collect();
            check_record(&ours, size, Hash(root), index, Hash(leaf)).unwrap();
        }
        if before > 0 {
            let old = roots[before as usize];
            let theirs = prove_tree(size, before, &reader).unwrap();
            let hashes: Vec<Hash32> = theirs.iter().map(|hash| hash.0).collect();
            check_consistency(before, size, &hashes, &old, &root).unwrap();
            let ours = tiles.consistency((before, &old), (size, &root)).unwrap();
            assert_eq!(hashes, ours);
            let ours: Vec<_> = ours.into_iter().map(Hash).collect();
            check_tree(&ours, size, Hash(root), before, Hash(old)).unwrap();
        }
        // Everything that a client of that size may ask for is there, and has the length it has.
        for tile in TheirTile::new_tiles(8, 0, size) {
            let bytes = fs::read(dir.path().join(path(&tile))).unwrap();
            assert_eq!(bytes.len(), 32 * tile.width() as usize, "{}", path(&tile));
        }
    }
}

#[test]
fn every_entry_is_read_from_its_bundle_and_is_the_leaf_of_its_tile() {
    const SIZE: u64 = 1_300;
    let dir = tempfile::tempdir().unwrap();
    let mut tiles = Tiles::open(dir.path(), Beside::Entries).unwrap();
    let log = log_of(SIZE);
    tiles.advance(&log, Position::new(SIZE)).unwrap();
    let mut entries = entries_of(&log).into_iter();
    let mut frontier = Frontier::default();
    for tile in TheirTile::new_tiles(8, 0, SIZE) {
        if tile.level() > 0 {
            continue;
        }
        let hashes = fs::read(dir.path().join(path(&tile))).unwrap();
        let mut tile = tile;
        tile.set_is_data();
        let mut bundle = fs::read(dir.path().join(path(&tile))).unwrap();
        for hash in hashes.as_chunks::<32>().0 {
            // As the specification has it: a length of two bytes, then the entry.
            let length = usize::from(u16::from_be_bytes([bundle[0], bundle[1]]));
            let entry: Vec<u8> = bundle.drain(..2 + length).skip(2).collect();
            assert_eq!(record_hash(&entry).0, *hash);
            assert_eq!(entry, entries.next().unwrap());
            frontier.push(hash_leaf(&entry));
        }
        assert!(bundle.is_empty());
    }
    assert_eq!(
        (frontier.size(), frontier.root()),
        (SIZE, tiles.root().unwrap())
    );
}

#[test]
fn a_changed_tile_is_noticed_by_either_reader() {
    const SIZE: u64 = 700;
    let dir = tempfile::tempdir().unwrap();
    let mut tiles = Tiles::open(dir.path(), Beside::Entries).unwrap();
    tiles.advance(&log_of(SIZE), Position::new(SIZE)).unwrap();
    let root = tiles.root().unwrap();
    for tile in TheirTile::new_tiles(8, 0, SIZE) {
        let file = dir.path().join(path(&tile));
        let sound = fs::read(&file).unwrap();
        for at in [0, sound.len() / 2, sound.len() - 1] {
            let mut bytes = sound.clone();
            bytes[at] ^= 1;
            fs::write(&file, &bytes).unwrap();
            let files = Files {
                dir: dir.path(),
                read: Cell::new(0),
            };
            let reader = TileHashReader::new(SIZE, Hash(root), &files);
            let index = (tile.level_index() * 256 + at as u64 / 32) << (8 * tile.level());
            // Their reader takes some tiles on trust where few make up a root, so its proof counts
            // only when it leads from the leaf that it read to the root.
            let theirs = prove_record(SIZE, index, &reader).and_then(|proof| {
                let leaf = reader.read_hashes(&[stored_hash_index(0, index)])?[0];
                check_record(&proof, SIZE, Hash(root), index, leaf)
            });
            assert!(theirs.is_err(), "{} at {at}", path(&tile));
            // A hash that no proof needs is not looked at: its neighbour's needs it.
            let neighbour = index ^ (1 << (8 * tile.level()));
            assert!(
                tiles.inclusion(neighbour, SIZE, &root).is_err(),
                "{} at {at}",
                path(&tile)
            );
        }
        // Shorter than its name says, or gone.
        let index = (tile.level_index() * 256) << (8 * tile.level());
        fs::write(&file, &sound[1..]).unwrap();
        assert!(
            tiles.inclusion(index, SIZE, &root).is_err(),
            "{}",
            path(&tile)
        );
        fs::remove_file(&file).unwrap();
        assert!(
            tiles.inclusion(index, SIZE, &root).is_err(),
            "{}",
            path(&tile)
        );
        fs::write(&file, &sound).unwrap();
        tiles.inclusion(index, SIZE, &root).unwrap();
    }
}

#[test]
fn tiles_have_the_paths_that_tlog_tiles_gives_them() {
    for size in [
        1,
        256,
        257,
        70_000,
        1_234_067 * 256 + 5,
        123_456_789_012,
        (1 << 50) + 77,
    ] {
        let theirs: Vec<_> = (0..8)
            .filter_map(|level: u8| {
                let hashes: u64 = size >> (8 * u32::from(level));
                let (index, width) = (hashes / 256, (hashes % 256) as u32);
                (width > 0).then(|| path(&TheirTile::new(8, level, index, width, false)))
            })
            .collect();
        let ours: Vec<_> = partial_tiles(size)
            .map(|tile| format!("tile/{}/{}", tile.level, tile.path()))
            .collect();
        assert_eq!(ours, theirs, "{size}");
        let full = Tile {
            level: 1,
            index: size,
            width: 256,
        };
        let theirs = path(&TheirTile::new(8, 1, size, 256, false));
        assert_eq!(format!("tile/1/{}", full.path()), theirs);
    }
}

/// A disk that is full for a while: what was begun is begun again, and no entry is left out.
#[test]
fn tiles_that_could_not_be_written_are_written_later_and_are_right() {
    let log = log_of(1_100);
    for first in [1, 200, 255, 256, 700] {
        let dir = tempfile::tempdir().unwrap();
        let mut tiles = Tiles::open(dir.path(), Beside::Entries).unwrap();
        tiles.advance(&log, Position::new(first)).unwrap();
        // A folder stands where each file is written first.
        fs::create_dir(dir.path().join("tile.tmp")).unwrap();
        for to in [first + 1, 1_000] {
            tiles.advance(&log, Position::new(to)).unwrap_err();
            assert_eq!(tiles.size(), first);
        }
        fs::remove_dir(dir.path().join("tile.tmp")).unwrap();
        tiles.advance(&log, Position::new(1_100)).unwrap();
        let mut whole = Frontier::default();
        for entry in entries_of(&log) {
            whole.push(hash_leaf(&entry));
        }
        assert_eq!(tiles.root().unwrap(), whole.root());
    }
}
