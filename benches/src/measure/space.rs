//! What files hold.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What a disk is written in.
const BLOCK: usize = 4_096;
/// Blocks that are looked at in one go.
const BLOCKS: usize = 256;

/// Bytes of the blocks with something in them, of the files under a path. Files that are made long before
/// they are filled count for what is in them. What vanishes meanwhile, or was never there, holds nothing.
///
/// # Errors
/// When a folder or a file cannot be read.
pub fn held(path: &Path) -> io::Result<u64> {
    match found(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        found => found,
    }
}

/// Bytes that the system has set aside for the files under a path. Cheaper than [`held`], and more where files
/// are made before they are filled. What vanishes meanwhile, or was never there, takes nothing.
///
/// # Errors
/// When a folder cannot be read.
pub fn allocated(path: &Path) -> io::Result<u64> {
    let taken = || -> io::Result<u64> {
        let about = fs::symlink_metadata(path)?;
        match about.is_dir() {
            true => fs::read_dir(path)?
                .map(|item| allocated(&item?.path()))
                .sum(),
            // In blocks of 512 bytes, whatever the disk's are.
            false => Ok(about.blocks() * 512),
        }
    };
    match taken() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        taken => taken,
    }
}

fn found(path: &Path) -> io::Result<u64> {
    let about = fs::symlink_metadata(path)?;
    if about.is_dir() {
        let items = fs::read_dir(path)?;
        return items.map(|item| held(&item?.path())).sum();
    }
    if !about.is_file() {
        return Ok(0);
    }
    let mut file = File::open(path)?;
    let mut piece = vec![0; BLOCKS * BLOCK];
    let mut bytes = 0;
    loop {
        let read = fill(&mut file, &mut piece)?;
        let (read, _) = piece.split_at(read);
        if read.is_empty() {
            return Ok(bytes);
        }
        let blocks = read.chunks(BLOCK);
        let full = blocks.filter(|block| block.iter().any(|byte| *byte != 0));
        bytes += full.count() as u64 * BLOCK as u64;
    }
}

/// Reads until the piece is full or the file ends.
fn fill(file: &mut File, piece: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = piece.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{BLOCK, allocated, held};

    #[test]
    fn blocks_with_something_in_them_count_and_nothing_else() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        fs::create_dir(dir.path().join("folder"))?;
        assert_eq!(held(dir.path())?, 0);
        let mut bytes = vec![0; 1_000 * BLOCK];
        fs::write(dir.path().join("folder/zeros"), &bytes)?;
        assert_eq!(held(dir.path())?, 0);
        bytes[BLOCK] = 1;
        bytes[700 * BLOCK - 1] = 1;
        bytes.push(1);
        fs::write(dir.path().join("folder/some"), &bytes)?;
        assert_eq!(held(dir.path())?, 3 * BLOCK as u64);
        assert_eq!(held(&dir.path().join("gone"))?, 0);
        Ok(())
    }

    #[test]
    fn what_is_set_aside_counts_if_it_holds_anything_or_not() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        fs::create_dir(dir.path().join("folder"))?;
        fs::write(dir.path().join("folder/zeros"), vec![0; 100 * BLOCK])?;
        let all = allocated(dir.path())?;
        assert!(all >= 100 * BLOCK as u64, "{all}");
        assert_eq!(allocated(&dir.path().join("gone"))?, 0);
        Ok(())
    }
}
