//! The stable codes of faults, each with the words that people read.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $message:literal;)*) => {
        /// A stable code. A code never changes its meaning; new codes may be added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FaultCode {
            $($(#[$doc])* $name,)*
        }

        impl FaultCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code as programs see it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What is wrong and what to do about it, for people. The place that finds the fault
            /// may know more and say more.
            pub(crate) const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

codes! {
    /// A file that is needed is not there.
    FileMissing = "FILE_MISSING", "the file was not found; check its name and folder";
    /// The operating system or the archive does not let the file be read.
    FileUnreadable = "FILE_UNREADABLE",
        "the file cannot be read; check that you may open it and that it is not damaged";
    /// The unpacked file is larger than any real one.
    FileTooLarge = "FILE_TOO_LARGE",
        "the file is larger than any real one; check that it is the right file";
    /// The file changed while it was imported. The import can run again: it records nothing twice.
    FileChanged = "FILE_CHANGED",
        "the file changed during the import; import again, and leave the files unchanged until the \
         import ends";
    /// A zip archive is damaged, encrypted or packed in an unknown way.
    ArchiveInvalid = "ARCHIVE_INVALID",
        "the zip file cannot be unpacked, it may be damaged or encrypted; make it again, or import \
         the unpacked folder";
    /// The export follows another OneRoster version.
    VersionUnsupported = "VERSION_UNSUPPORTED",
        "the export is not OneRoster 1.1; export again as OneRoster 1.1 CSV";
    /// The export holds changes only. A whole (bulk) export is needed.
    DeltaUnsupported = "DELTA_UNSUPPORTED",
        "the export holds only the changes since an earlier one; export everything (bulk)";
    /// The first row names no known column.
    HeaderMissing = "HEADER_MISSING",
        "the first row does not hold the OneRoster column names; export again with them";
    /// A needed column is not there.
    ColumnMissing = "COLUMN_MISSING",
        "the column is missing; add it to the export, even if it is empty in every row";
    /// A needed column is there more than once.
    ColumnDuplicated = "COLUMN_DUPLICATED",
        "there is more than one column of this name; keep one and remove the others";
    /// A row has more or fewer fields than the header.
    FieldCountWrong = "FIELD_COUNT_WRONG",
        "the row has more or fewer fields than the header; look for a comma or quotation mark too \
         many or too few";
    /// A row is longer than any real one. A quotation mark may be missing.
    RowTooLong = "ROW_TOO_LONG",
        "the row is longer than any real one; look for a missing quotation mark";
    /// Bytes that are not UTF-8.
    Utf8Invalid = "UTF8_INVALID",
        "the text is not in the UTF-8 encoding; export or save the file again as UTF-8";
    /// The file is not JSON.
    JsonInvalid = "JSON_INVALID",
        "the file is not valid JSON; check that it is the right file, and download it again";
    /// A JSON value is of another type than the standard says.
    TypeWrong = "TYPE_WRONG",
        "the value is of the wrong JSON type; correct it as the CASE standard says";
    /// A needed value is empty or absent.
    ValueMissing = "VALUE_MISSING", "the value is missing; fill it in";
    /// A value that is not among those that the standard allows.
    ValueUnknown = "VALUE_UNKNOWN",
        "the value is not allowed here; use one that the standard names";
    /// A date that is not written as 2026-08-10.
    DateInvalid = "DATE_INVALID",
        "this is not a date of the calendar; write year, month and day as in 2026-08-10";
    /// The last day is before the first.
    DatesReversed = "DATES_REVERSED",
        "the last day is before the first day; correct the dates";
    /// A text or id is longer than its kind allows.
    TextTooLong = "TEXT_TOO_LONG", "the text is too long; shorten it";
    /// A text or id holds a control character.
    TextControlCharacter = "TEXT_CONTROL_CHARACTER",
        "the text holds a line break or an invisible control character; remove it";
    /// A text or id holds what looks like a CPR number, which is never stored.
    CprFound = "CPR_FOUND",
        "this looks like a CPR number, and planledger never stores one; remove it";
    /// Two rows or items have the same id.
    IdDuplicated = "ID_DUPLICATED",
        "the same id stands at an earlier place; give each its own id, or remove one";
    /// An id that nothing in the files has.
    ReferenceDangling = "REFERENCE_DANGLING",
        "nothing in the files has this id; add what it names, or correct the id";
    /// Something is part of itself, directly or through others.
    ReferenceCycle = "REFERENCE_CYCLE",
        "this is part of itself, directly or through others; correct what it is part of";
    /// Somebody is enrolled as what they are not, for example a guardian as a student.
    RoleMismatch = "ROLE_MISMATCH",
        "this role does not fit the role that users.csv gives the person; correct one of the two";
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
