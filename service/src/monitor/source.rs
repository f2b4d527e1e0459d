//! What a log publishes (C2SP `tlog-tiles`), read over HTTP. Every answer is bounded in bytes and in time:
//! the server may be hostile.

use std::time::Duration;

use planledger_core::entry::{ENTRY_LEN, EntryBytes, Hash32};
use planledger_core::merkle::{TILE_WIDTH, Tile, TileSource};
use planledger_core::note::Rotation;
use planledger_core::tlog::{
    DisclosedHeads, HEADS_FOLDER, MOST_HEADS_BYTES, ROTATIONS_FILE, heads_file, read_rotations,
};

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many connections are kept open.
const CONNECTIONS: usize = 8;
/// Bytes of an entry in a bundle: its length in two bytes, then the entry.
const RECORD_LEN: usize = 2 + ENTRY_LEN;
const CHECKPOINT_BYTES: usize = 64 << 10;
const ROTATIONS_BYTES: usize = 1 << 20;
const HASH_LEN: usize = 32;

/// Why something that a log should publish was not read. It may be there at the next try.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// There was no answer, or it was too long.
    #[error("{url}: {source}")]
    Http {
        /// What was asked for.
        url: String,
        /// What went wrong.
        source: Box<ureq::Error>,
    },
    /// The server does not have it, or refuses.
    #[error("{url}: the server answered {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status of the answer.
        status: u16,
    },
    /// The answer is not of the form that it should have.
    #[error("{url}: {what}")]
    Malformed {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Where a log publishes.
pub(super) struct Source {
    agent: ureq::Agent,
    base: String,
}

impl Source {
    pub(super) fn new(url: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            // The server must not lead the monitor elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(CONNECTIONS)
            .max_idle_connections_per_host(CONNECTIONS)
            .build();
        Self {
            agent: agent.into(),
            base: url.trim_end_matches('/').to_owned(),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }

    fn malformed(&self, path: &str, what: &'static str) -> SourceError {
        let url = self.url(path);
        SourceError::Malformed { url, what }
    }

    /// Reads a file; `None` if there is none.
    fn find(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        let url = self.url(path);
        let ask = || {
            let mut answer = self.agent.get(&url).call()?;
            let status = answer.status().as_u16();
            let body = answer.body_mut().with_config().limit(most as u64);
            // The body is read in any case, so that the connection can be used again.
            Ok((status, body.read_to_vec()?))
        };
        // The server may have closed a connection that was kept open. Then another one is made.
        let answer = match ask() {
            Err(ureq::Error::Io(_)) => ask(),
            answer => answer,
        };
        match answer {
            Ok((200, body)) => Ok(Some(body)),
            Ok((404 | 410, _)) => Ok(None),
            Ok((status, _)) => Err(SourceError::Status { url, status }),
            Err(source) => Err(SourceError::Http {
                url,
                source: Box::new(source),
            }),
        }
    }

    fn get(&self, path: &str, most: usize) -> Result<Vec<u8>, SourceError> {
        self.find(path, most)?.ok_or_else(|| SourceError::Status {
            url: self.url(path),
            status: 404,
        })
    }

    /// The newest checkpoint.
    pub(super) fn checkpoint(&self) -> Result<Vec<u8>, SourceError> {
        self.get("checkpoint", CHECKPOINT_BYTES)
    }

    /// The file of a tile or bundle. A partial one may be gone when the full one is there.
    fn tile_file(&self, folder: &str, tile: Tile, each: usize) -> Result<Vec<u8>, SourceError> {
        let most = TILE_WIDTH as usize * each;
        let path = |tile: Tile| format!("tile/{folder}/{}", tile.path());
        let full = Tile {
            width: TILE_WIDTH as u16,
            ..tile
        };
        let mut bytes = match self.find(&path(tile), most)? {
            Some(bytes) => bytes,
            None => self.get(&path(full), most)?,
        };
        let needed = usize::from(tile.width) * each;
        if bytes.len() < needed {
            return Err(self.malformed(&path(tile), "it is too short"));
        }
        bytes.truncate(needed);
        Ok(bytes)
    }

    /// The entries of a bundle.
    pub(super) fn entries(&self, index: u64, width: u16) -> Result<Vec<EntryBytes>, SourceError> {
        let tile = Tile {
            level: 0,
            index,
            width,
        };
        let bytes = self.tile_file("entries", tile, RECORD_LEN)?;
        let (records, _) = bytes.as_chunks::<RECORD_LEN>();
        let entry = |record: &[u8; RECORD_LEN]| {
            let (length, entry) = record.split_first_chunk()?;
            let whole = usize::from(u16::from_be_bytes(*length)) == ENTRY_LEN;
            entry.first_chunk().copied().filter(|_| whole)
        };
        let entries: Option<_> = records.iter().map(entry).collect();
        entries.ok_or_else(|| {
            let path = format!("tile/entries/{}", tile.path());
            self.malformed(&path, "an entry does not have 230 bytes")
        })
    }

    /// What opens the records of heads in one file.
    pub(super) fn heads(&self, file: u64) -> Result<Vec<DisclosedHeads>, SourceError> {
        let path = format!("{HEADS_FOLDER}/{}", heads_file(file));
        let bytes = self.get(&path, MOST_HEADS_BYTES)?;
        let lines = DisclosedHeads::read_file(&bytes);
        lines.ok_or_else(|| self.malformed(&path, "it does not hold what opens records of heads"))
    }

    /// The changes of the log's key. There may be none.
    pub(super) fn rotations(&self) -> Result<Vec<Rotation>, SourceError> {
        let bytes = self.find(ROTATIONS_FILE, ROTATIONS_BYTES)?;
        let rotations = read_rotations(&bytes.unwrap_or_default());
        rotations.ok_or_else(|| {
            let what = "it does not hold changes of keys, each signed by the key before";
            self.malformed(ROTATIONS_FILE, what)
        })
    }

    /// The tiles of the tree of so many entries.
    pub(super) fn tiles(&self, size: u64) -> HashTiles<'_> {
        HashTiles { source: self, size }
    }
}

/// The hashes of a log's tree of a size.
pub(super) struct HashTiles<'a> {
    source: &'a Source,
    size: u64,
}

impl TileSource for HashTiles<'_> {
    type Error = SourceError;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash32>, SourceError> {
        let hashes = self.size.checked_shr(8 * u32::from(level));
        let hashes = hashes.unwrap_or_default();
        let there = hashes.saturating_sub(index.saturating_mul(TILE_WIDTH));
        let there = there.min(TILE_WIDTH) as u16;
        if there < width {
            return Err(self.short(level, index));
        }
        let tile = Tile {
            level,
            index,
            width: there,
        };
        let bytes = self.source.tile_file(&level.to_string(), tile, HASH_LEN)?;
        let (hashes, _) = bytes.as_chunks::<HASH_LEN>();
        Ok(hashes.to_vec())
    }

    fn short(&self, level: u8, index: u64) -> SourceError {
        let path = format!("tile/{level} {index}");
        self.source.malformed(&path, "the tree has no such tile")
    }
}
