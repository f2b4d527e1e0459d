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
    /// The end of a file is missing.
    FileCutShort = "FILE_CUT_SHORT",
        "the file ends in the middle of a row, so its end is missing; export it again, or copy it \
         again";
    /// The same table is there more than once.
    FileDuplicated = "FILE_DUPLICATED",
        "there is more than one file of this name; keep the right one and remove the others";
    /// The tables stand in more than one folder.
    FoldersSeveral = "FOLDERS_SEVERAL",
        "tables stand in more than one folder, and nobody can tell which are meant; keep one folder \
         with one file of each name";
    /// The address of a service is wrong.
    RestAddressInvalid = "REST_ADDRESS_INVALID",
        "this is no address of a service; write it as in https://host/path";
    /// A service does not answer, or its certificate is not trusted.
    RestUnreachable = "REST_UNREACHABLE",
        "the server cannot be reached; check the address and the network";
    /// A service knows the client or its secret not.
    RestSignInRefused = "REST_SIGN_IN_REFUSED",
        "the server does not accept this client; check --client-id, the secret, --token-url and \
         --scope";
    /// A service refuses an answer.
    RestRefused = "REST_REFUSED", "the server refuses the answer; ask its operator";
    /// A service does not have what was asked for.
    RestMissing = "REST_MISSING",
        "the server has nothing at this address; check --rest, which ends in the version, as in \
         https://host/ims/oneroster/v1p1";
    /// A service gave no answer, although it was asked again and again.
    RestBusy = "REST_BUSY",
        "the server is too busy, or the connection breaks off; import again later";
    /// An answer is not what the standard says.
    RestAnswerInvalid = "REST_ANSWER_INVALID",
        "the answer is not what the standard says; check --rest, and ask the operator of the server";
    /// An answer is longer than any real one.
    RestAnswerTooLarge = "REST_ANSWER_TOO_LARGE",
        "the answer is larger than any real one; check --rest, and ask the operator of the server";
    /// A service gives the same page again and again.
    RestPagesEndless = "REST_PAGES_ENDLESS",
        "the server gives the same records again instead of the next ones; ask its operator";
    /// A service gave fewer records than it says that it has.
    RestIncomplete = "REST_INCOMPLETE",
        "the server gave fewer records than it says it has; import again, and ask its operator if \
         it happens again";
    /// A page leads to another server, which must not get the token.
    RestElsewhere = "REST_ELSEWHERE",
        "the next page is at another server; ask the operator of this one to correct its links";
    /// A zip archive is damaged, encrypted or packed in an unknown way.
    ArchiveInvalid = "ARCHIVE_INVALID",
        "the zip file cannot be unpacked, it may be damaged or encrypted; make it again, or import \
         the unpacked folder";
    /// The export follows another OneRoster version.
    VersionUnsupported = "VERSION_UNSUPPORTED",
        "the export is neither OneRoster 1.1 nor 1.2; export again as OneRoster 1.1 or 1.2 CSV";
    /// The export holds changes only. Exports of rosters that do are read, so this is no longer told.
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
    /// Bytes that are text in no encoding that is read.
    EncodingUnknown = "ENCODING_UNKNOWN",
        "the file is neither UTF-8 nor UTF-16 nor Windows-1252; save it again as UTF-8";
    /// The file is not JSON.
    JsonInvalid = "JSON_INVALID",
        "the file is not valid JSON; check that it is the right file, and download it again";
    /// The file is not well-formed XML.
    XmlInvalid = "XML_INVALID",
        "the file is not well-formed XML; check that it is the right file, and export it again";
    /// The file has a document type or names entities of its own. Neither is read.
    XmlDtdRefused = "XML_DTD_REFUSED",
        "the file has a document type or entities of its own, which no export of STIL has; check \
         that it is the right file";
    /// The file is XML and no export of STIL.
    XmlNotStil = "XML_NOT_STIL",
        "the file holds no UNILoginExport, so it is no export of STIL (UNI-Login); check that it is \
         the right file, and that the service gave no fault";
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
    /// A column of days like 8/10/2026, of which nothing says whether the month comes first.
    DatesAmbiguous = "DATES_AMBIGUOUS",
        "nothing in this column says whether the month or the day comes first; write year, month \
         and day as in 2026-08-10";
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
    /// A user has no role, in an export without the table that would say whether they need one.
    RoleUnsaid = "ROLE_UNSAID",
        "no row of roles.csv names this user, and without relationships.csv nothing says whether the \
         user is a guardian, so the user stays as they are; add relationships.csv, or a row to roles.csv";
    /// The row of an id was passed over.
    RowPassedOver = "ROW_PASSED_OVER",
        "the row that this names was passed over; correct that row";
    /// A row says that what it describes is deleted or not in use.
    NotInUse = "NOT_IN_USE",
        "the row says that this is deleted or not in use; nothing has to be done";
    /// More rows of a table are bad than may be.
    RowsBad = "ROWS_BAD",
        "too many rows of the table are bad; correct them, or allow a larger share";
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
