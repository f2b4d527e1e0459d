//! `manifest.csv`: which version the export follows and which tables it holds.

use std::io::Read;

use super::super::reader::layout::{
    CLASSES, CLASSES_SDS, COURSES, Column, ENROLLMENTS, Format, Layout, MANIFEST, ONEROSTER_1_1,
    ONEROSTER_1_2, ORGS, PROFILES_1_2, ROLES_1_2, SDS_2, SDS_2_1, SESSIONS, USERS, USERS_SDS_2,
};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::super::reader::table::Table;
use super::references::each_row;
use crate::import::fault::{Collector, FaultCode, Findings, ImportFault, Problem};

/// What is known of an export before its tables are read.
pub(crate) struct Manifest {
    pub(crate) format: &'static Format,
    /// Whether the export holds changes only. Then nothing follows from what it does not hold.
    pub(crate) is_delta: bool,
    /// Whether nothing says which version the export follows.
    pub(crate) is_guessed: bool,
    /// Whether the table of accounts in other systems holds all of them, if that is said. Nothing else
    /// depends on it, so changes of accounts alone do not make an export one of changes.
    are_profiles_whole: Option<bool>,
    /// Files that the manifest says are absent.
    absent: Vec<&'static str>,
}

/// The tables that a manifest can name and that are read.
const TABLES: [&str; 8] = [
    ORGS.file,
    SESSIONS.file,
    COURSES.file,
    CLASSES.file,
    USERS.file,
    ENROLLMENTS.file,
    ROLES_1_2.file,
    PROFILES_1_2.file,
];

impl Manifest {
    /// Reads the manifest. An export may have none, or an empty one.
    pub(super) fn read(source: &mut Source, findings: &mut Findings) -> Self {
        let mut manifest = Self {
            format: &ONEROSTER_1_1,
            is_delta: false,
            is_guessed: true,
            are_profiles_whole: None,
            absent: Vec::new(),
        };
        // Faults of the manifest are about the whole export.
        let mut of_rows = Findings::default();
        if source.has(MANIFEST.file) && !is_blank(source) {
            each_row(source, &MANIFEST, &mut of_rows, |row, faults| {
                manifest.take(row, faults);
            });
        }
        let faults = of_rows.into_faults();
        if faults.is_empty() && manifest.is_guessed {
            manifest.format = guess(source);
        }
        for fault in faults {
            findings.of_files.push(fault);
        }
        manifest
    }

    fn take(&mut self, row: &Row<'_>, faults: &mut Collector) {
        let (name, value) = (row.text(Column::PropertyName), row.text(Column::Value));
        if name.eq_ignore_ascii_case("oneroster.version") {
            match value {
                "1.1" => self.format = &ONEROSTER_1_1,
                "1.2" | "1.2.1" => self.format = &ONEROSTER_1_2,
                "" => return,
                _ => faults.push(row.fault(FaultCode::VersionUnsupported, Column::Value)),
            }
            self.is_guessed = false;
            return;
        }
        let Some(file) = table_of(name) else {
            return;
        };
        let is_of_profiles = file == PROFILES_1_2.file;
        match value.to_ascii_lowercase().as_str() {
            "bulk" if is_of_profiles => self.are_profiles_whole = Some(true),
            "delta" if is_of_profiles => self.are_profiles_whole = Some(false),
            "bulk" | "" => {}
            "delta" => self.is_delta = true,
            "absent" => self.absent.push(file),
            _ => {
                let problem = Problem::new(
                    FaultCode::ValueUnknown,
                    "the value is not allowed here; use bulk, delta or absent",
                );
                faults.push(row.fault(problem, Column::Value));
            }
        }
    }

    /// Whether the table of accounts in other systems holds all of them. If nothing else is said, it is
    /// as the whole export.
    pub(super) fn are_profiles_whole(&self) -> bool {
        self.are_profiles_whole.unwrap_or(!self.is_delta)
    }

    /// Whether the manifest says that the export does not hold a file.
    pub(super) fn is_absent(&self, file: &str) -> bool {
        self.absent.contains(&file)
    }
}

/// The table that a property `file.…` is about, in capital or small letters. `None` if it is about no
/// table that is read.
fn table_of(property: &str) -> Option<&'static str> {
    let (kind, table) = property.split_once('.')?;
    let is_it = |file: &&str| {
        let name = file.strip_suffix(".csv");
        name.is_some_and(|name| name.eq_ignore_ascii_case(table))
    };
    let mut tables = TABLES
        .into_iter()
        .filter(|_| kind.eq_ignore_ascii_case("file"));
    tables.find(is_it)
}

/// Whether there is no text in the manifest at all.
fn is_blank(source: &mut Source) -> bool {
    let Ok(mut file) = source.read(MANIFEST.file) else {
        return false;
    };
    let mut start = [0; 1024];
    let size = file.read(&mut start).unwrap_or(0);
    let start = start.get(..size).unwrap_or_default();
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    text.iter().all(u8::is_ascii_whitespace)
}

/// The format of an export without a manifest. Only OneRoster 1.2 and School Data Sync 2.1 have a table
/// of roles, and only in the first have roles ids. School Data Sync names the org of a class otherwise.
fn guess(source: &mut Source) -> &'static Format {
    if source.has(ROLES_1_2.file) {
        return match lacks(source, &ROLES_1_2, Column::SourcedId) {
            true => &SDS_2_1,
            false => &ONEROSTER_1_2,
        };
    }
    let is_sds = source.has(CLASSES.file)
        && lacks(source, &CLASSES, Column::SchoolSourcedId)
        && !lacks(source, &CLASSES_SDS, Column::OrgSourcedId);
    if is_sds {
        return &SDS_2;
    }
    // Without a table of classes, the orgs tell: in OneRoster they have a status.
    if source.has(CLASSES.file) || !source.has(ORGS.file) || !lacks(source, &ORGS, Column::Status) {
        return &ONEROSTER_1_1;
    }
    let has_roles = source.has(USERS.file) && !lacks(source, &USERS_SDS_2, Column::Role);
    if has_roles { &SDS_2 } else { &SDS_2_1 }
}

/// Whether the header of a table lacks a column.
fn lacks(source: &mut Source, layout: &'static Layout, column: Column) -> bool {
    let mut faults = Collector::default();
    let table = Table::open(source, layout, &mut faults);
    let is_missing = |fault: &ImportFault| {
        fault.code != FaultCode::ColumnMissing || fault.field.as_deref() == Some(column.header())
    };
    table.is_none() && faults.iter().any(is_missing)
}
