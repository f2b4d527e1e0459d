//! Opens the files of an export: in a folder, in a zip archive, or in memory.
//!
//! Only known names are opened: see [`place`]. No path in an archive is ever written to. Every file
//! is read through a meter: see [`Metered`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use zip::ZipArchive;
use zip::result::ZipError;

use super::days::Days;
use super::form::Form;
use super::header::Header;
use super::layout::Layout;
use super::meter::{Metered, io_problem};
use super::place;
use crate::import::fault::{FaultCode, ImportFault, Problem};

/// An open file that several readers share. Each reader has its own place in it.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    content: Arc<Content>,
    at: u64,
}

#[derive(Debug)]
enum Content {
    File(Mutex<File>),
    Memory(Cow<'static, [u8]>),
}

impl Shared {
    fn new(content: Content) -> Self {
        Self {
            content: Arc::new(content),
            at: 0,
        }
    }

    fn len(&self) -> io::Result<u64> {
        Ok(match &*self.content {
            Content::File(file) => lock(file).metadata()?.len(),
            Content::Memory(bytes) => bytes.len() as u64,
        })
    }
}

fn lock(file: &Mutex<File>) -> std::sync::MutexGuard<'_, File> {
    // Every read first sets its place in the file, so a panic elsewhere has spoiled nothing.
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &*self.content {
            Content::File(file) => {
                let mut file = lock(file);
                file.seek(SeekFrom::Start(self.at))?;
                file.read(buffer)?
            }
            Content::Memory(bytes) => {
                let start = usize::try_from(self.at).unwrap_or(usize::MAX);
                bytes.get(start..).unwrap_or_default().read(buffer)?
            }
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.len()?.checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// The tables of one export. A clone reads the same bytes, at its own place, and shares what was found
/// out about them.
#[derive(Clone)]
pub(crate) struct Source {
    files: Files,
    in_folder: bool,
    known: Arc<Mutex<Known>>,
}

#[derive(Clone)]
enum Files {
    /// Single files, by name.
    Single(Vec<(&'static str, Shared)>),
    /// A zip archive, and the place of each table in its list.
    Zip(Box<ZipArchive<Shared>>, Vec<(&'static str, usize)>),
}

/// What was found out about the tables, by file.
#[derive(Default)]
struct Known {
    forms: BTreeMap<&'static str, Form>,
    rows: BTreeMap<&'static str, u64>,
    days: BTreeMap<&'static str, Days>,
    nulls: BTreeMap<&'static str, u64>,
}

impl Source {
    fn new(files: Files, in_folder: bool) -> Self {
        Self {
            files,
            in_folder,
            known: Arc::default(),
        }
    }

    /// Opens the folder or archive at `path`. In a folder, all files in `names` are opened now.
    /// So replacing a file later cannot mix two exports.
    pub(crate) fn open(path: &Path, names: &[&'static str]) -> Result<Self, ImportFault> {
        let metadata = path.metadata().map_err(|error| io_fault(path, &error))?;
        if metadata.is_dir() {
            return Self::folder(path, names);
        }
        let file = File::open(path).map_err(|error| io_fault(path, &error))?;
        Self::zip(
            Shared::new(Content::File(file.into())),
            names,
            file_name(path),
        )
    }

    fn folder(folder: &Path, names: &[&'static str]) -> Result<Self, ImportFault> {
        let mut paths = list(folder)?;
        let is_table = |path: &&str| names.iter().any(|name| name.eq_ignore_ascii_case(path));
        // Only if no table stands in the folder itself, the folders in it are looked at.
        if !paths.iter().map(String::as_str).any(|path| is_table(&path)) {
            let inner = std::mem::take(&mut paths);
            for name in inner.iter().filter(|name| !name.starts_with('.')) {
                if folder.join(name).is_dir() {
                    let below = list(&folder.join(name))?;
                    paths.extend(below.iter().map(|file| format!("{name}/{file}")));
                }
            }
        }
        let places = place::find(paths.iter().map(String::as_str), names, &file_name(folder))?;
        let mut files = Vec::new();
        for (name, number) in places.tables {
            let path = folder.join(paths.get(number).map_or(name, String::as_str));
            let file = File::open(&path).map_err(|error| io_fault(&path, &error))?;
            files.push((name, Shared::new(Content::File(file.into()))));
        }
        Ok(Self::new(Files::Single(files), places.in_folder))
    }

    /// Takes open files.
    pub(crate) fn from_open(files: impl IntoIterator<Item = (&'static str, File)>) -> Self {
        let files = files.into_iter();
        let files = files.map(|(name, file)| (name, Shared::new(Content::File(file.into()))));
        Self::new(Files::Single(files.collect()), false)
    }

    /// Takes files in memory. Files that are not in `names` are ignored.
    pub(crate) fn from_files<'n>(
        files: impl IntoIterator<Item = (&'n str, Cow<'static, [u8]>)>,
        names: &[&'static str],
    ) -> Self {
        let files = files.into_iter().filter_map(|(name, bytes)| {
            let name = names
                .iter()
                .find(|known| known.eq_ignore_ascii_case(name))?;
            Some((*name, Shared::new(Content::Memory(bytes))))
        });
        Self::new(Files::Single(files.collect()), false)
    }

    /// Opens a zip archive in memory.
    pub(crate) fn from_zip(
        bytes: Cow<'static, [u8]>,
        names: &[&'static str],
    ) -> Result<Self, ImportFault> {
        let archive = Shared::new(Content::Memory(bytes));
        Self::zip(archive, names, "the zip file".into())
    }

    fn zip(mut archive: Shared, names: &[&'static str], name: String) -> Result<Self, ImportFault> {
        let mut start = [0; 4];
        let begins = archive.read_exact(&mut start).is_ok() && start == *b"PK\x03\x04";
        archive.at = 0;
        let archive = ZipArchive::new(archive).map_err(|error| match error {
            // What is missing is the end, where the list of the files stands.
            ZipError::InvalidArchive(_) if begins => ImportFault::new(cut_archive(), name.clone()),
            error => zip_fault(error, name.clone()),
        })?;
        // Of two files of one name, only the last could be read.
        if archive.has_duplicate_names() {
            return Err(ImportFault::new(FaultCode::FileDuplicated, name));
        }
        // A name that is no text is no table's.
        let paths: Vec<String> = archive
            .file_names()
            .map(|path| path.map(Cow::into_owned).unwrap_or_default())
            .collect();
        let places = place::find(paths.iter().map(String::as_str), names, &name)?;
        Ok(Self::new(
            Files::Zip(Box::new(archive), places.tables),
            places.in_folder,
        ))
    }

    /// Whether there is a file of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        match &self.files {
            Files::Single(files) => files.iter().any(|(known, _)| *known == name),
            Files::Zip(_, tables) => tables.iter().any(|(known, _)| *known == name),
        }
    }

    /// The unpacked bytes of a file, from its start.
    pub(crate) fn read<'s>(
        &'s mut self,
        name: &'static str,
    ) -> Result<Metered<Box<dyn Read + 's>>, ImportFault> {
        let missing = || ImportFault::new(FaultCode::FileMissing, name);
        match &mut self.files {
            Files::Single(files) => {
                let mut files = files.iter();
                let (_, file) = files
                    .find(|(known, _)| *known == name)
                    .ok_or_else(missing)?;
                let mut file = file.clone();
                file.at = 0;
                Ok(Metered::new(Box::new(file)))
            }
            Files::Zip(archive, tables) => {
                let mut tables = tables.iter();
                let (_, number) = tables
                    .find(|(known, _)| *known == name)
                    .ok_or_else(missing)?;
                let file = archive
                    .by_index(*number)
                    .map_err(|error| zip_fault(error, name))?;
                Ok(Metered::new(Box::new(file)))
            }
        }
    }

    /// How a table is written. The first call reads the table to its end.
    pub(super) fn form(&mut self, layout: &'static Layout) -> Result<Form, ImportFault> {
        if let Some(form) = self.known(|known| known.forms.get(layout.file).copied()) {
            return Ok(form);
        }
        let form = Form::find(self.read(layout.file)?, layout)
            .map_err(|error| io_problem(&error))
            .flatten()
            .map_err(|problem| ImportFault::new(problem, layout.file))?;
        self.known(|known| known.forms.insert(layout.file, form));
        Ok(form)
    }

    /// How the days of a table are written, where they are not written as the standard says. The
    /// first call reads the table to its end.
    pub(super) fn days(&mut self, header: &Header) -> Result<Days, ImportFault> {
        let file = header.layout().file;
        if let Some(days) = self.known(|known| known.days.get(file).cloned()) {
            return Ok(days);
        }
        let form = self.form(header.layout())?;
        let days = Days::find(form.reader(self.read(file)?), header)
            .map_err(|error| ImportFault::new(io_problem(&error), file))?;
        self.known(|known| known.days.insert(file, days.clone()));
        Ok(days)
    }

    /// Notes how many rows a table has.
    pub(super) fn set_rows(&mut self, layout: &'static Layout, rows: u64) {
        self.known(|known| known.rows.insert(layout.file, rows));
    }

    /// Notes how many cells of a table held `NULL` and count as blank.
    pub(super) fn set_nulls(&mut self, layout: &'static Layout, nulls: u64) {
        self.known(|known| known.nulls.insert(layout.file, nulls));
    }

    /// How many rows a table has, without its header. `None` if it was not read to its end.
    pub(crate) fn rows(&self, name: &str) -> Option<u64> {
        self.known(|known| known.rows.get(name).copied())
    }

    /// What people should know about how the files were read, without anything of what is in them.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut files_of: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        self.known(|known| {
            for (file, form) in &known.forms {
                for note in form.notes() {
                    files_of.entry(note).or_default().push(file);
                }
            }
            for (file, days) in &known.days {
                for note in days.notes() {
                    files_of.entry(note).or_default().push(file);
                }
            }
        });
        let nulls = self.known(|known| known.nulls.clone()).into_iter();
        let nulls = nulls.filter(|(_, count)| *count > 0);
        let nulls =
            nulls.map(|(file, count)| format!("{file}: NULL counts as blank in {count} cells"));
        let folder = "the tables stand in a folder of their own".to_owned();
        let of_files = files_of
            .into_iter()
            .map(|(note, files)| format!("{}: {note}", files.join(", ")));
        self.in_folder
            .then_some(folder)
            .into_iter()
            .chain(of_files)
            .chain(nulls)
            .collect()
    }

    fn known<T>(&self, use_it: impl FnOnce(&mut Known) -> T) -> T {
        // Each entry is whole as soon as it is there, so a panic elsewhere has spoiled nothing.
        use_it(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The names in a folder, sorted.
fn list(folder: &Path) -> Result<Vec<String>, ImportFault> {
    let entries = folder
        .read_dir()
        .map_err(|error| io_fault(folder, &error))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| io_fault(folder, &error))?;
        // A name that is no text is no table's.
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn io_fault(path: &Path, error: &io::Error) -> ImportFault {
    let code = match error.kind() {
        io::ErrorKind::NotFound => FaultCode::FileMissing,
        _ => FaultCode::FileUnreadable,
    };
    ImportFault::new(code, file_name(path))
}

fn cut_archive() -> Problem {
    Problem::new(
        FaultCode::FileCutShort,
        "the end of the zip file is missing, with the list of its files; copy or download it again",
    )
}

fn zip_fault(error: ZipError, name: impl Into<Cow<'static, str>>) -> ImportFault {
    let code = match error {
        ZipError::FileNotFound => FaultCode::FileMissing,
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            FaultCode::FileUnreadable
        }
        _ => FaultCode::ArchiveInvalid,
    };
    ImportFault::new(code, name)
}
