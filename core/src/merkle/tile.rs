//! Where hashes stand in the tiles of C2SP `tlog-tiles`: 256 hashes to a tile, a tile's root one
//! hash of the tile above.

use super::{Frontier, Subtrees};
use crate::hash::Hash32;

/// Hashes in a full tile, and entries in a full bundle.
pub const TILE_WIDTH: u64 = 256;
const TILE_HEIGHT: u32 = 8;

/// A tile or, beside level 0, a bundle of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// 0 holds leaf hashes.
    pub level: u8,
    /// Its place in the level.
    pub index: u64,
    /// How many hashes it holds, 1 to 256.
    pub width: u16,
}

impl Tile {
    /// Its path below `tile/<level>/` or `tile/entries/`: `x001/x234/067`, with `.p/<width>` unless
    /// it is full.
    pub fn path(&self) -> String {
        let mut path = format!("{:03}", self.index % 1_000);
        let mut rest = self.index / 1_000;
        while rest > 0 {
            path = format!("x{:03}/{path}", rest % 1_000);
            rest /= 1_000;
        }
        match self.is_full() {
            true => path,
            false => format!("{path}.p/{}", self.width),
        }
    }

    /// The tile or bundle with this path at a level; `None` if it is not one's.
    pub fn parse(level: u8, path: &str) -> Option<Self> {
        let (whole, width) = match path.split_once(".p/") {
            Some((whole, width)) => (whole, width.parse().ok()?),
            None => (path, TILE_WIDTH as u16),
        };
        let mut index = 0_u64;
        for part in whole.split('/') {
            let digits = part.strip_prefix('x').unwrap_or(part).parse::<u16>().ok()?;
            index = index.checked_mul(1_000)?.checked_add(digits.into())?;
        }
        let tile = Self {
            level,
            index,
            width,
        };
        // There is one way to write it, and no tile is empty or partial with all its hashes.
        let sound = (1..=TILE_WIDTH as u16).contains(&width) && tile.path() == path;
        sound.then_some(tile)
    }

    /// Whether it holds all 256 hashes.
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == TILE_WIDTH
    }
}

/// The last tile of each level of a tree, from level 0 up, where it is partial.
pub fn partial_tiles(size: u64) -> impl Iterator<Item = Tile> {
    (0..TILE_HEIGHT)
        .map_while(move |level| {
            let hashes = size >> (u32::from(level as u8) * TILE_HEIGHT);
            (hashes > 0).then_some(Tile {
                level: level as u8,
                index: hashes / TILE_WIDTH,
                width: (hashes % TILE_WIDTH) as u16,
            })
        })
        .filter(|tile| tile.width > 0)
}

/// Gives the hashes of tiles.
pub trait TileSource {
    /// Why a tile cannot be given.
    type Error;

    /// At least the first `width` hashes of a tile.
    ///
    /// # Errors
    /// When it cannot be read.
    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash32>, Self::Error>;

    /// What to answer when a tile holds fewer hashes than it should.
    fn short(&self, level: u8, index: u64) -> Self::Error;
}

/// Hashes of subtrees, from tiles.
pub struct FromTiles<T>(pub T);

impl<T: TileSource> Subtrees for FromTiles<T> {
    type Error = T::Error;

    fn subtree(&self, level: u32, index: u64) -> Result<Hash32, T::Error> {
        let (tile_level, within) = ((level / TILE_HEIGHT) as u8, level % TILE_HEIGHT);
        let first = index << within;
        let (tile, offset) = (first / TILE_WIDTH, (first % TILE_WIDTH) as usize);
        let end = offset + (1usize << within);
        let hashes = self.0.tile(tile_level, tile, end as u16)?;
        let hashes = hashes
            .get(offset..end)
            .ok_or_else(|| self.0.short(tile_level, tile))?;
        Ok(subtree_root(hashes))
    }
}

/// The root over hashes that are the nodes of one level.
pub fn subtree_root(hashes: &[Hash32]) -> Hash32 {
    let mut frontier = Frontier::default();
    for hash in hashes {
        frontier.push(*hash);
    }
    frontier.root()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the specification.
    #[test]
    fn paths_are_those_of_the_specification() {
        let full = |index| Tile {
            level: 0,
            index,
            width: 256,
        };
        assert_eq!(full(1_234_067).path(), "x001/x234/067");
        assert_eq!(full(5).path(), "005");
        for tile in [
            full(5),
            full(1_234_067),
            partial_tiles(70_000).next().unwrap(),
        ] {
            assert_eq!(Tile::parse(0, &tile.path()), Some(tile));
        }
        for path in [
            "",
            "5",
            "0005",
            "x000/005",
            "005.p/0",
            "005.p/256",
            "005.p/07",
            "005.p/1/2",
            "x001",
            "+05",
            "005/x001",
        ] {
            assert_eq!(Tile::parse(0, path), None, "{path}");
        }
        let tiles: Vec<_> = partial_tiles(70_000).collect();
        let expected = [(0, 273, 112), (1, 1, 17), (2, 0, 1)];
        let found: Vec<_> = tiles.iter().map(|t| (t.level, t.index, t.width)).collect();
        assert_eq!(found, expected);
        assert_eq!(tiles[0].path(), "273.p/112");
        let found: Vec<_> = partial_tiles(256).map(|t| (t.level, t.width)).collect();
        assert_eq!(found, [(1, 1)]);
    }
}
