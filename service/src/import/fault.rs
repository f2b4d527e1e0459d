//! What is wrong with a file, where, and as a stable code.

use std::borrow::Cow;
use std::fmt;

use planledger_core::text::TextError;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $says:literal;)*) => {
        /// A stable code. Codes never change their meaning; new ones may be added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FaultCode {
            $($(#[$doc])* $name,)*
        }

        impl FaultCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code, as programs see it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What it says when there is nothing more to say.
            const fn says(self) -> &'static str {
                match self { $(Self::$name => $says,)* }
            }
        }
    };
}

codes! {
    /// A file that must be there is not.
    FileMissing = "FILE_MISSING", "the file is missing";
    /// The operating system or the archive does not let the file be read.
    FileUnreadable = "FILE_UNREADABLE", "the file cannot be read";
    /// The file, unpacked, is larger than any real one.
    FileTooLarge = "FILE_TOO_LARGE", "the file is too large";
    /// The file changed while it was imported. Import again: nothing is recorded twice.
    FileChanged = "FILE_CHANGED", "the file changed while it was read";
    /// A zip archive is damaged, encrypted or packed in an unknown way.
    ArchiveInvalid = "ARCHIVE_INVALID", "the zip archive cannot be unpacked";
    /// The export is of another OneRoster version.
    VersionUnsupported = "VERSION_UNSUPPORTED", "only OneRoster 1.1 is supported";
    /// The export holds changes only; a whole (bulk) export is needed.
    DeltaUnsupported = "DELTA_UNSUPPORTED", "holds changes only, a bulk export is needed";
    /// The first row names no column that is known.
    HeaderMissing = "HEADER_MISSING", "the first row is no header";
    /// A column that must be there is not.
    ColumnMissing = "COLUMN_MISSING", "the column is missing";
    /// A column that is read stands there twice.
    ColumnDuplicated = "COLUMN_DUPLICATED", "the column is there twice";
    /// A row has more or fewer fields than the header.
    FieldCountWrong = "FIELD_COUNT_WRONG", "has another number of fields than the header";
    /// A row is longer than any real one; a quotation mark may be missing.
    RowTooLong = "ROW_TOO_LONG", "the row is too long; is a quotation mark missing?";
    /// Bytes that are not UTF-8.
    Utf8Invalid = "UTF8_INVALID", "is not UTF-8";
    /// The file is not JSON.
    JsonInvalid = "JSON_INVALID", "is not valid JSON";
    /// A JSON value is of another type than the standard says.
    TypeWrong = "TYPE_WRONG", "is of the wrong type";
    /// A value that must be there is empty or absent.
    ValueMissing = "VALUE_MISSING", "must not be empty";
    /// A value that is not among those that the standard allows.
    ValueUnknown = "VALUE_UNKNOWN", "is not one of the values that the standard allows";
    /// A date that is not written as 2026-08-10.
    DateInvalid = "DATE_INVALID", "is not a date such as 2026-08-10";
    /// The last day is before the first.
    DatesReversed = "DATES_REVERSED", "is before the first day";
    /// A text or id is longer than its kind allows.
    TextTooLong = "TEXT_TOO_LONG", "is too long";
    /// A text or id holds a control character.
    TextControlCharacter = "TEXT_CONTROL_CHARACTER", "holds a control character";
    /// A text or id holds what looks like a CPR number, which is never stored.
    CprFound = "CPR_FOUND", "holds what looks like a CPR number, which is never accepted";
    /// Two rows or items have the same id.
    IdDuplicated = "ID_DUPLICATED", "is the id of an earlier one too";
    /// An id that nothing in the files has.
    ReferenceDangling = "REFERENCE_DANGLING", "refers to something that is not in the files";
    /// Something is, through others, part of itself.
    ReferenceCycle = "REFERENCE_CYCLE", "is part of itself";
    /// Somebody is enrolled as what they are not: a guardian as student, say.
    RoleMismatch = "ROLE_MISMATCH", "does not fit the role of the user";
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<TextError> for FaultCode {
    fn from(error: TextError) -> Self {
        match error {
            TextError::Empty => Self::ValueMissing,
            TextError::TooLong { .. } => Self::TextTooLong,
            TextError::Cpr => Self::CprFound,
            // The rest of a non-exhaustive enum is what a text holds and may not.
            _ => Self::TextControlCharacter,
        }
    }
}

/// One thing that is wrong with a file. Never repeats what the file holds, because that may be
/// somebody's name or CPR number: file, row and field say where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportFault {
    /// What is wrong.
    pub code: FaultCode,
    /// The file's name, without its folder.
    pub file: Cow<'static, str>,
    /// The line in the file, from 1, on which the row or value begins.
    pub row: Option<u64>,
    /// The column of a table ("users.csv": `role`), or the path of a JSON value
    /// (`CFItems[3].fullStatement`).
    pub field: Option<String>,
    /// What is wrong, for people.
    pub message: Cow<'static, str>,
}

impl ImportFault {
    /// A fault of a whole file.
    pub(crate) fn new(code: FaultCode, file: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            file: file.into(),
            row: None,
            field: None,
            message: code.says().into(),
        }
    }

    /// Says on which line.
    #[must_use]
    pub(crate) fn row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    /// Says in which column or value.
    #[must_use]
    pub(crate) fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Says it in other words, which must not come from the file.
    #[must_use]
    pub(crate) fn message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }
}

impl fmt::Display for ImportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(row) = self.row {
            write!(f, ":{row}")?;
        }
        if let Some(field) = &self.field {
            write!(f, ": {field}")?;
        }
        write!(f, ": {} ({})", self.message, self.code)
    }
}

impl std::error::Error for ImportFault {}

/// Everything that is wrong with the files, as far as it was looked for: after
/// [`ImportFaults::LIMIT`] faults the search ends. Nothing was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportFaults {
    faults: Vec<ImportFault>,
}

impl ImportFaults {
    /// Most faults that are collected.
    pub const LIMIT: usize = 100;

    /// The faults, at least one, in the order they were found.
    pub fn faults(&self) -> &[ImportFault] {
        &self.faults
    }

    /// Whether there may be more than are listed.
    pub fn is_cut_short(&self) -> bool {
        self.faults.len() >= Self::LIMIT
    }
}

impl From<ImportFault> for ImportFaults {
    fn from(fault: ImportFault) -> Self {
        Self {
            faults: vec![fault],
        }
    }
}

impl fmt::Display for ImportFaults {
    /// One fault a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{fault}")?;
        }
        if self.is_cut_short() {
            write!(f, "\nthe search ended after {} faults", Self::LIMIT)?;
        }
        Ok(())
    }
}

impl std::error::Error for ImportFaults {}

/// Collects faults while a file is read to its end.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    faults: Vec<ImportFault>,
}

impl Collector {
    /// Takes a fault, unless there are enough.
    pub(crate) fn push(&mut self, fault: ImportFault) {
        if !self.is_full() {
            self.faults.push(fault);
        }
    }

    /// Takes all of `other`, as far as there is room.
    pub(crate) fn append(&mut self, other: Self) {
        other.faults.into_iter().for_each(|fault| self.push(fault));
    }

    /// Takes the fault of a failed result.
    pub(crate) fn ok<T>(&mut self, result: Result<T, ImportFault>) -> Option<T> {
        result.map_err(|fault| self.push(fault)).ok()
    }

    /// Whether looking further is of no use.
    pub(crate) fn is_full(&self) -> bool {
        self.faults.len() >= ImportFaults::LIMIT
    }

    /// What was found.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &ImportFault> {
        self.faults.iter()
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// The first fault found.
    pub(crate) fn into_first(self) -> Option<ImportFault> {
        self.faults.into_iter().next()
    }

    /// Everything found.
    pub(crate) fn into_faults(self) -> ImportFaults {
        ImportFaults {
            faults: self.faults,
        }
    }

    /// `value`, if nothing was found.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, ImportFaults> {
        if self.faults.is_empty() {
            Ok(value)
        } else {
            Err(self.into_faults())
        }
    }
}
