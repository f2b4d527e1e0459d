//! Where in the files of an export the rows of its tables come from. Whoever exported them has no tables,
//! so everything that is said of a row names the file, the line and the element.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::import::fault::{FaultCode, ImportFault, ImportFaults, PassedOver};

/// A place in a file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spot {
    /// The number of the file, from 0.
    file: u32,
    line: u32,
}

/// Where a row comes from.
#[derive(Clone, Copy, Debug)]
struct Origin {
    /// The line of the table on which the row begins.
    row: u32,
    spot: Spot,
}

/// The rows of one table, as it is written.
#[derive(Default)]
pub(super) struct Rows {
    /// The lines that were written.
    lines: u64,
    origins: Vec<Origin>,
}

impl Rows {
    /// A row with these cells is written. `spot` is where it comes from, if it comes from anywhere.
    pub(super) fn write(&mut self, cells: &[&str], spot: Option<Spot>) {
        if let Some(spot) = spot {
            let row = number(self.lines + 1);
            self.origins.push(Origin { row, spot });
        }
        let inside: usize = cells.iter().map(|cell| cell.matches('\n').count()).sum();
        self.lines += 1 + inside as u64;
    }
}

/// No file that is read has more lines.
fn number(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Where the rows of all tables come from.
#[derive(Default)]
pub(in crate::import) struct Spots {
    files: Vec<String>,
    tables: BTreeMap<&'static str, Vec<Origin>>,
}

impl Spots {
    /// Another file begins.
    pub(super) fn begin(&mut self, file: &str) {
        self.files.push(file.to_owned());
    }

    /// A line of the file that began last.
    pub(super) fn at(&self, line: u64) -> Spot {
        Spot {
            file: number(self.files.len().saturating_sub(1) as u64),
            line: number(line),
        }
    }

    pub(super) fn add(&mut self, table: &'static str, rows: Rows) {
        self.tables.insert(table, rows.origins);
    }

    /// The file and the line that a row of a table comes from. `None` if it comes from no element.
    pub(in crate::import) fn of(&self, table: &str, row: u64) -> Option<(&str, u64)> {
        let origins = self.tables.get(table)?;
        let after = origins.partition_point(|origin| u64::from(origin.row) <= row);
        let spot = origins.get(after.checked_sub(1)?)?.spot;
        let file = self.files.get(usize::try_from(spot.file).ok()?)?;
        Some((file, spot.line.into()))
    }

    /// What the whole export is called.
    pub(in crate::import) fn whole(&self) -> &str {
        match self.files.as_slice() {
            [only] => only,
            _ => "the XML files",
        }
    }

    /// The same words, said of the files that the operator has.
    pub(in crate::import) fn said(&self, words: &str) -> String {
        let tables = self.tables.keys();
        tables.fold(words.to_owned(), |words, table| {
            words.replace(table, self.whole())
        })
    }

    /// The same fault, said of the file that the operator has.
    pub(in crate::import) fn fault(&self, fault: ImportFault) -> ImportFault {
        if !self.tables.contains_key(&*fault.file) {
            return fault;
        }
        let place = fault.row.and_then(|row| self.of(&fault.file, row));
        let (file, row) = match place {
            Some((file, line)) => (file, Some(line)),
            None => (self.whole(), None),
        };
        let field = fault.field.as_deref().unwrap_or_default();
        let element = match (field, fault.row) {
            ("", None) => Some(element(&fault.file).to_owned()),
            ("", Some(_)) => None,
            (column, _) => Some(value(&fault.file, column).to_owned()),
        };
        ImportFault {
            message: message(&fault),
            file: Cow::Owned(file.to_owned()),
            row,
            field: element,
            ..fault
        }
    }

    /// The same faults, said of the files that the operator has.
    pub(in crate::import) fn faults(&self, faults: ImportFaults) -> ImportFaults {
        faults.map(|fault| self.fault(fault))
    }

    /// The same of what is passed over.
    pub(in crate::import) fn passed(&self, passed: &PassedOver) -> PassedOver {
        PassedOver {
            fault: self.fault(passed.fault.clone()),
            ..passed.clone()
        }
    }
}

/// The element that the rows of a table come from.
fn element(table: &str) -> &'static str {
    match table {
        "academicSessions.csv" => "ImportSource",
        "orgs.csv" => "Institution",
        "classes.csv" => "Group",
        _ => "InstitutionPerson",
    }
}

/// The element or attribute that a cell of a table comes from. A column that comes from none is named as
/// it is.
fn value<'c>(table: &str, column: &'c str) -> &'c str {
    match (table, column) {
        ("orgs.csv", "sourcedId" | "identifier") => "InstitutionNumber",
        ("orgs.csv", "name") => "InstitutionName",
        ("academicSessions.csv", "sourcedId" | "title") => "schoolYear",
        ("classes.csv", "sourcedId") | ("enrollments.csv", "classSourcedId") => "GroupId",
        ("classes.csv", "title") => "GroupName",
        ("classes.csv", "schoolSourcedId") | ("roles.csv", "orgSourcedId") => "InstitutionNumber",
        ("users.csv", "sourcedId" | "userIds")
        | ("roles.csv" | "enrollments.csv", "userSourcedId") => "UserId",
        ("users.csv", "givenName") => "FirstName",
        ("users.csv", "familyName") => "FamilyName",
        ("users.csv", "grades") => "Level",
        ("roles.csv" | "enrollments.csv", "role") => "Role",
        ("enrollments.csv", "beginDate") => "FromDate",
        ("enrollments.csv", "endDate") => "ToDate",
        (_, column) => column,
    }
}

/// What is wrong and what to do, without the names of tables.
fn message(fault: &ImportFault) -> Cow<'static, str> {
    let column = fault.field.as_deref().unwrap_or_default();
    let said = match (fault.code, column) {
        (FaultCode::ReferenceDangling, "classSourcedId") => {
            "no Group of the institution has this GroupId; export it again, or correct it in the \
             system that the export comes from"
        }
        (FaultCode::ReferenceDangling, "sourcedId") => {
            "the person is neither Student, Employee nor Extern; say what the person is in the system \
             that the export comes from"
        }
        (FaultCode::ReferenceDangling, _) => {
            "nothing in the export has this id; export it again, or correct it in the system that the \
             export comes from"
        }
        (FaultCode::RoleMismatch, _) => {
            "this role in a group does not fit what the person is; correct one of the two in the \
             system that the export comes from"
        }
        _ => return fault.message.clone(),
    };
    Cow::Borrowed(said)
}
