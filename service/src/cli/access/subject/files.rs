//! The two files of a copy. They hold personal data: only their owner may read them.

use std::fs::{self, DirBuilder};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::NamedTempFile;

use super::super::super::error::CliError;
use super::super::super::shown;

const JSON: &str = "subject-access.json";
const PAGE: &str = "subject-access.html";

/// Where the copy goes.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
}

impl Files {
    /// Makes the folder, if it is not there, and refuses one that holds a copy.
    pub(super) fn new(folder: &Path) -> Result<Self, CliError> {
        for name in [JSON, PAGE] {
            let path = folder.join(name);
            if path.symlink_metadata().is_ok() {
                return Err(taken(&path));
            }
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| at(folder, &error))?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Writes both, each whole or not at all, and gives their paths.
    pub(super) fn write(&self, json: &Value, page: &str) -> Result<(PathBuf, PathBuf), CliError> {
        let json = serde_json::to_string_pretty(json).map_err(CliError::refused)?;
        let page = self.beside(page)?;
        let json = self.beside(&shown::json(&json))?;
        let page = self.rename(page, PAGE)?;
        let json = self.rename(json, JSON).inspect_err(|_| {
            // It was made a moment ago, and is not complete without the other one.
            let _ = fs::remove_file(&page);
        })?;
        let folder = fs::File::open(&self.folder).and_then(|folder| folder.sync_all());
        folder.map_err(|error| at(&self.folder, &error))?;
        Ok((json, page))
    }

    /// Writes a file under a temporary name, for `rename` to give it its own. Only its owner may read it.
    fn beside(&self, text: &str) -> Result<NamedTempFile, CliError> {
        let write = || {
            let mut file = NamedTempFile::new_in(&self.folder)?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        write().map_err(|error: std::io::Error| at(&self.folder, &error))
    }

    fn rename(&self, file: NamedTempFile, name: &str) -> Result<PathBuf, CliError> {
        let path = self.folder.join(name);
        match file.persist_noclobber(&path) {
            Ok(_) => Ok(path),
            Err(_) if path.symlink_metadata().is_ok() => Err(taken(&path)),
            Err(error) => Err(at(&path, &error.error)),
        }
    }
}

fn taken(path: &Path) -> CliError {
    let path = path.display();
    CliError::Refused(format!("{path} already exists; choose another folder"))
}

fn at(path: &Path, error: &std::io::Error) -> CliError {
    CliError::Refused(format!("{}: {error}", path.display()))
}
