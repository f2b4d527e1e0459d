//! What a log publishes beside its tiles for those who follow it: what opens each record of heads, and
//! how its key changed. Both are needed to check every record, and open nothing else.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::ids::Position;
use crate::merkle::Tile;
use crate::note::Rotation;

/// The folder with what opens the records of heads, beside the tiles.
pub const HEADS_FOLDER: &str = "heads";
/// How many records stand in one file of that folder. A file that has so many never changes.
pub const HEADS_PER_FILE: u64 = 256;
/// The name of the file with the changes of the key, beside the tiles.
pub const ROTATIONS_FILE: &str = "rotations";
/// The most bytes that a file with records of heads may have.
pub const MOST_HEADS_BYTES: usize = 256 << 10;

/// What opens one record of heads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisclosedHeads {
    /// The position of the record.
    pub position: Position,
    /// The key of this one event, 32 bytes in base64. It opens no other event.
    key: String,
    /// The sealed payload, in base64.
    sealed: String,
}

impl DisclosedHeads {
    /// What opens the record at a position.
    pub fn new(position: Position, key: &[u8; 32], sealed: &[u8]) -> Self {
        Self {
            position,
            key: BASE64.encode(key),
            sealed: BASE64.encode(sealed),
        }
    }

    /// The line of the file: JSON, with its newline.
    ///
    /// # Errors
    /// Never happens for a line of this crate. The type comes from serde.
    pub fn to_line(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)? + "\n")
    }

    /// Reads the lines of a file. `None` if it is no such file, or too large.
    pub fn read_file(bytes: &[u8]) -> Option<Vec<Self>> {
        if bytes.len() > MOST_HEADS_BYTES {
            return None;
        }
        let lines = match bytes {
            [] => return Some(Vec::new()),
            bytes => bytes.strip_suffix(b"\n")?.split(|byte| *byte == b'\n'),
        };
        let mut read = Vec::new();
        for line in lines {
            if read.len() as u64 == HEADS_PER_FILE {
                return None;
            }
            read.push(serde_json::from_slice(line).ok()?);
        }
        Some(read)
    }

    /// The key of the event. `None` if it does not have 32 bytes.
    pub fn key(&self) -> Option<[u8; 32]> {
        BASE64.decode(&self.key).ok()?.try_into().ok()
    }

    /// The sealed payload. `None` if it is not base64.
    pub fn sealed(&self) -> Option<Vec<u8>> {
        BASE64.decode(&self.sealed).ok()
    }
}

/// The path of the file with the records of this number, below [`HEADS_FOLDER`]: file 0 has the first
/// [`HEADS_PER_FILE`] records. Numbers are written as those of tiles are.
pub fn heads_file(number: u64) -> String {
    let whole = Tile {
        level: 0,
        index: number,
        width: HEADS_PER_FILE as u16,
    };
    whole.path()
}

/// The text of the file with the changes of a key, in order: a JSON text to a line, each the statement
/// that the key before has signed.
///
/// # Errors
/// Never happens for a text. The type comes from serde.
pub fn rotations_text(rotations: &[Rotation]) -> Result<String, serde_json::Error> {
    let lines = rotations.iter().map(|rotation| {
        let line = serde_json::to_string(rotation.statement())?;
        Ok(line + "\n")
    });
    lines.collect()
}

/// Reads the file with the changes of a key. `None` if a line is not a change that the key before has
/// signed.
pub fn read_rotations(bytes: &[u8]) -> Option<Vec<Rotation>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let read = |line| Rotation::parse(&serde_json::from_str::<String>(line).ok()?);
    text.lines().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_back_and_nothing_else_is_one() {
        let of = |position| DisclosedHeads::new(Position::new(position), &[7; 32], &[1, 2, 3]);
        let lines: Vec<_> = (1..=3).map(of).collect();
        let text: String = lines.iter().map(|line| line.to_line().unwrap()).collect();
        assert_eq!(DisclosedHeads::read_file(text.as_bytes()), Some(lines));
        assert_eq!(DisclosedHeads::read_file(b""), Some(Vec::new()));
        for bad in [
            "\n".to_owned(),
            text.trim_end().to_owned(),
            text.clone() + "\n",
            text.replace("position", "place"),
            of(1).to_line().unwrap().repeat(257),
            " ".repeat(MOST_HEADS_BYTES) + "\n",
        ] {
            assert_eq!(DisclosedHeads::read_file(bad.as_bytes()), None);
        }
    }

    #[test]
    fn files_have_the_names_that_tiles_have() {
        assert_eq!(heads_file(0), "000");
        assert_eq!(heads_file(1_234_067), "x001/x234/067");
    }
}
