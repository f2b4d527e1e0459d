//! The real folder of derived state: copied, put back and removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use planledger_core::turns::sleep;

use crate::dice::Dice;

/// Removes a folder, if it is there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Copies a folder, in any order. It takes a while, and other threads may change its files meanwhile: so of what
/// was written one after the other any part may be there.
pub(super) fn copy(from: &Path, to: &Path, dice: &mut Dice) -> io::Result<()> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let entries: Result<Vec<_>, _> = entries.collect();
    let mut entries = entries?;
    // The system gives them in an order that does not follow from a seed.
    entries.sort_by_key(fs::DirEntry::file_name);
    fs::create_dir_all(to)?;
    while !entries.is_empty() {
        let entry = entries.remove(dice.below(entries.len() as u64) as usize);
        sleep(Duration::from_millis(dice.below(200)));
        let target = to.join(entry.file_name());
        let copied = match entry.file_type() {
            Ok(it) if it.is_dir() => copy(&entry.path(), &target, dice),
            Ok(_) => fs::copy(entry.path(), target).map(drop),
            Err(error) => Err(error),
        };
        match copied {
            // Taken away in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}

/// Changes some bytes of one of the files of documents below a folder, if there is one.
pub(super) fn spoil(derived: &Path, dice: &mut Dice) -> io::Result<()> {
    let mut files = Vec::new();
    documents(derived, &mut files)?;
    files.sort();
    let Some(file) = files.get(dice.below(files.len() as u64) as usize) else {
        return Ok(());
    };
    let mut bytes = fs::read(file)?;
    let from = dice.below(bytes.len() as u64) as usize;
    let changed = bytes.iter_mut().skip(from).take(1 << dice.below(14));
    changed.for_each(|byte| *byte ^= 0x55);
    // Into the same file, which the ledger may have open.
    fs::write(file, bytes)
}

fn documents(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let (path, it) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
        if it.is_dir() {
            documents(&path, files)?;
        } else if folder.ends_with("values") {
            files.push(path);
        }
    }
    Ok(())
}
