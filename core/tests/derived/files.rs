//! A directory in memory.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files by their paths below a directory.
pub(crate) type Files = BTreeMap<PathBuf, Arc<Vec<u8>>>;

/// Every file below a directory. What is taken away meanwhile is not there.
pub(crate) fn read(dir: &Path) -> Files {
    let mut files = Files::new();
    collect(dir, Path::new(""), &mut files);
    files
}

fn collect(dir: &Path, below: &Path, files: &mut Files) {
    let Some(items) = there(std::fs::read_dir(dir)) else {
        return;
    };
    for item in items {
        let Some(item) = there(item) else { continue };
        let path = below.join(item.file_name());
        let Some(kind) = there(item.file_type()) else {
            continue;
        };
        if kind.is_dir() {
            collect(&item.path(), &path, files);
        } else if let Some(bytes) = there(std::fs::read(item.path())) {
            files.insert(path, Arc::new(bytes));
        }
    }
}

fn there<T>(result: std::io::Result<T>) -> Option<T> {
    match result {
        Ok(found) => Some(found),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn write(dir: &Path, files: &Files) {
    for (path, bytes) in files {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes.as_slice()).unwrap();
    }
}

/// The files of one folder, or all others.
pub(crate) fn split(files: &Files, folder: &str) -> (Files, Files) {
    let all = files.iter();
    all.map(|(path, bytes)| (path.clone(), bytes.clone()))
        .partition(|(path, _)| path.starts_with(folder))
}
