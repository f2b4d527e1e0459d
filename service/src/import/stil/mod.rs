//! Exports of STIL, the agency that runs UNI-Login: the XML of its web service wsiEKSPORT
//! (`UNILoginExportSmall` and its larger sisters), one file for each institution.
//!
//! An export becomes the tables that a OneRoster export would hold, so everything after is one way. The
//! tables are files without a name: they are gone when the program ends, however it ends.
//!
//! - [`bytes`] decodes a file, bounds it and counts its lines.
//! - [`element`] says which elements are read. All others are never looked at.
//! - [`walk`] goes through a file. It expands no entities and asks no network.
//! - [`member`] says who somebody is, [`contacts`] who of the contact persons of a student is a guardian.
//! - [`export`] says what the elements mean, [`tables`] writes it down, [`told`] says what was left out.
//! - [`spots`] says which element a row of a table comes from.

mod bytes;
mod contacts;
mod element;
mod export;
mod member;
mod spots;
mod tables;
#[cfg(test)]
mod tests;
mod told;
mod walk;

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use self::contacts::{Contacts, Guarding};
use self::export::Export;
pub(super) use self::spots::Spots;
use self::tables::Tables;
use self::told::Told;
use super::fault::{FaultCode, ImportFault, PassedOver};
use super::roster::Relationships;

/// The name of the source of several institutions. That of a single one has its number after it.
const SYSTEM: &str = "UNI-Login";

/// Tables, and what is told of the export that they were made from.
pub(super) struct Converted {
    pub(super) tables: Vec<(&'static str, File)>,
    /// Where the rows of the tables come from.
    pub(super) spots: Spots,
    pub(super) notes: Vec<String>,
    /// Who guards whom. `None` if nothing says it.
    pub(super) relationships: Option<Relationships>,
    /// Contact persons of whom nobody can tell whether they guard a student, or who they are.
    pub(super) passed_over: Vec<PassedOver>,
    /// How many contact persons do not have custody.
    pub(super) without_custody: u64,
}

/// Converts the export at `path`, or all exports in the folder at `path`. `None` if it is no XML.
pub(super) fn open(path: &Path) -> Result<Option<Converted>, ImportFault> {
    let is_folder = path.is_dir();
    let paths = match is_folder {
        true => exports_in(path),
        false => vec![path.to_owned()],
    };
    let mut files = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.into_owned();
        let unreadable = |_| ImportFault::new(FaultCode::FileUnreadable, Cow::Owned(name.clone()));
        // What is wrong with a path is told by the reader of tables.
        let Ok(file) = File::open(&path) else {
            return Ok(None);
        };
        if !walk::is_xml(&file).map_err(unreadable)? {
            return Ok(None);
        }
        let file = File::open(&path).map_err(unreadable)?;
        files.push((name, file));
    }
    match files.is_empty() {
        true => Ok(None),
        false => convert(files, is_folder).map(Some),
    }
}

/// The XML files of a folder that holds no tables, in the order of their names.
fn exports_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let ends_in = |path: &Path, end: &str| {
        let extension = path.extension().unwrap_or_default();
        extension.eq_ignore_ascii_case(end)
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    // Tables may also stand in a folder inside of this one.
    let may_be_tables = |path: &PathBuf| ends_in(path, "csv") || path.is_dir();
    if paths.iter().any(may_be_tables) {
        return Vec::new();
    }
    paths.retain(|path| ends_in(path, "xml") && path.is_file());
    paths.sort();
    paths
}

/// Converts exports by name.
pub(super) fn convert<R: Read>(
    files: impl IntoIterator<Item = (String, R)>,
    is_folder: bool,
) -> Result<Converted, ImportFault> {
    let (mut tables, mut told) = (Tables::new()?, Told::default());
    let mut contacts = Contacts::default();
    for (name, file) in files {
        tables.begin(&name);
        let mut export = Export::new(&name, &mut tables, &mut told, &mut contacts);
        if let Err(fault) = walk::walk(file, &name, &mut export) {
            return Err(export.failed.unwrap_or(fault));
        }
    }
    let system = match told.institutions.as_slice() {
        [number] if !is_folder => format!("{SYSTEM} {number}"),
        _ => SYSTEM.to_owned(),
    };
    let Guarding {
        relationships,
        passed_over,
        without_custody,
        notes,
    } = contacts.finish();
    let (tables, spots) = tables.finish(&system)?;
    Ok(Converted {
        tables,
        spots,
        notes: told.notes().into_iter().chain(notes).collect(),
        relationships,
        passed_over,
        without_custody,
    })
}
