//! Rows of a CSV file (RFC 4180), by the names of their columns.

use std::io::Read;

use csv::{ByteRecord, ErrorKind, StringRecord};
use jiff::civil::Date;

use super::source::{Metered, Source, Stopped};
use crate::import::fault::{Collector, FaultCode, ImportFault};
use crate::import::names;

/// Most bytes of one row. A real one has a few hundred.
const ROW_LIMIT: u64 = 1 << 20;

macro_rules! columns {
    ($($name:ident = $header:literal,)*) => {
        /// A column that some table has and that is read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Column {
            $(#[doc = $header] $name,)*
        }

        impl Column {
            const COUNT: usize = [$(Self::$name),*].len();

            /// Its name in the header.
            pub(super) const fn header(self) -> &'static str {
                match self { $(Self::$name => $header,)* }
            }
        }
    };
}

columns! {
    SourcedId = "sourcedId",
    Status = "status",
    Name = "name",
    Title = "title",
    Type = "type",
    Identifier = "identifier",
    StartDate = "startDate",
    EndDate = "endDate",
    ParentSourcedId = "parentSourcedId",
    SchoolYearSourcedId = "schoolYearSourcedId",
    CourseCode = "courseCode",
    CourseSourcedId = "courseSourcedId",
    ClassCode = "classCode",
    SchoolSourcedId = "schoolSourcedId",
    TermSourcedIds = "termSourcedIds",
    Subjects = "subjects",
    EnabledUser = "enabledUser",
    OrgSourcedIds = "orgSourcedIds",
    Role = "role",
    GivenName = "givenName",
    FamilyName = "familyName",
    AgentSourcedIds = "agentSourcedIds",
    Grades = "grades",
    ClassSourcedId = "classSourcedId",
    UserSourcedId = "userSourcedId",
    Primary = "primary",
    PropertyName = "propertyName",
    Value = "value",
}

/// A file and the columns that are read of it. All of them must be in the header: a missing
/// column is not the same as an empty one, and reading it so would end every guardianship or
/// enrolment.
#[derive(Debug)]
pub(super) struct Layout {
    /// Its name.
    pub(super) file: &'static str,
    /// Its columns.
    pub(super) columns: &'static [Column],
    /// What the standard calls one row, for ids.
    pub(super) kind: &'static str,
}

/// A table that is being read.
pub(super) struct Table<'s> {
    reader: csv::Reader<Metered<Box<dyn Read + 's>>>,
    layout: &'static Layout,
    width: usize,
    places: [Option<usize>; Column::COUNT],
    record: ByteRecord,
}

impl<'s> Table<'s> {
    /// Opens the file and reads its header.
    ///
    /// # Errors
    /// The first thing that is wrong with either; missing columns other than the first one found
    /// go to `faults`.
    pub(super) fn open(
        source: &'s mut Source,
        layout: &'static Layout,
        faults: &mut Collector,
    ) -> Option<Self> {
        let bytes = faults.ok(source.read(layout.file))?;
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // CR LF is taken off below. The default would count the lines wrongly.
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(bytes);
        let mut table = Self {
            reader,
            layout,
            width: 0,
            places: [None; Column::COUNT],
            record: ByteRecord::new(),
        };
        table.read_header(faults).then_some(table)
    }

    fn read_header(&mut self, faults: &mut Collector) -> bool {
        let file = self.layout.file;
        let mut record = StringRecord::new();
        let line = match self.advance(&mut record) {
            Some(Ok(line)) => line,
            Some(Err((fault, _))) => {
                faults.push(fault);
                return false;
            }
            None => {
                faults.push(ImportFault::new(FaultCode::HeaderMissing, file).row(1));
                return false;
            }
        };
        let names: Vec<&str> = record.iter().map(clean).collect();
        let mut problems = Collector::default();
        for column in self.layout.columns {
            let mut places = (0..)
                .zip(&names)
                .filter(|(_, name)| **name == column.header());
            let place = places.next().map(|(place, _)| place);
            let code = match (place, places.next()) {
                (Some(_), None) => None,
                (Some(_), Some(_)) => Some(FaultCode::ColumnDuplicated),
                (None, _) => Some(FaultCode::ColumnMissing),
            };
            if let Some(code) = code {
                problems.push(
                    ImportFault::new(code, file)
                        .row(line)
                        .field(column.header()),
                );
            }
            if let Some(slot) = self.places.get_mut(*column as usize) {
                *slot = place;
            }
        }
        if self.places.iter().all(Option::is_none) {
            faults.push(ImportFault::new(FaultCode::HeaderMissing, file).row(line));
            return false;
        }
        self.width = names.len();
        let complete = problems.is_empty();
        faults.append(problems);
        complete
    }

    /// The next row; `None` at the end. After an error that is not final, reading may go on.
    fn advance(&mut self, record: &mut StringRecord) -> Option<Result<u64, (ImportFault, Final)>> {
        loop {
            self.reader.get_mut().allow_row(ROW_LIMIT);
            let start = self.reader.position().line();
            match self.reader.read_byte_record(&mut self.record) {
                Ok(false) => return None,
                Ok(true) => {}
                Err(error) => return Some(Err((self.read_fault(&error, start), Final(true)))),
            }
            let line = self.line();
            let bytes = std::mem::take(&mut self.record);
            match StringRecord::from_byte_record(bytes) {
                Ok(text) if text.len() == 1 && text.iter().all(|field| clean(field).is_empty()) => {
                    self.record = text.into_byte_record();
                }
                Ok(text) => {
                    self.record = std::mem::replace(record, text).into_byte_record();
                    return Some(Ok(line));
                }
                Err(error) => {
                    let place = error.utf8_error().field();
                    self.record = error.into_byte_record();
                    let fault = ImportFault::new(FaultCode::Utf8Invalid, self.layout.file)
                        .row(line)
                        .field(self.field_name(place));
                    return Some(Err((fault, Final(false))));
                }
            }
        }
    }

    /// The line on which the record begins. The reader says where the record before ended; empty
    /// lines between count for neither.
    fn line(&self) -> u64 {
        let start = self.record.position().map_or(1, csv::Position::line);
        let lines = self.reader.position().line().saturating_sub(start);
        if lines <= 1 {
            return start;
        }
        let inside = self
            .record
            .as_slice()
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        start + lines.saturating_sub(1).saturating_sub(inside as u64)
    }

    fn field_name(&self, place: usize) -> String {
        let named = self
            .layout
            .columns
            .iter()
            .find(|column| self.place(**column) == Some(place));
        match named {
            Some(column) => column.header().to_owned(),
            None => format!("column {}", place + 1),
        }
    }

    fn place(&self, column: Column) -> Option<usize> {
        self.places.get(column as usize).copied().flatten()
    }

    fn read_fault(&self, error: &csv::Error, line: u64) -> ImportFault {
        let (code, row) = match error.kind() {
            ErrorKind::Io(error) => match error.get_ref().and_then(|e| e.downcast_ref()) {
                Some(Stopped::File) => (FaultCode::FileTooLarge, None),
                Some(Stopped::Row) => (FaultCode::RowTooLong, Some(line)),
                // Only archives fail without the operating system having a part in it.
                None if error.raw_os_error().is_none() => (FaultCode::ArchiveInvalid, None),
                None => (FaultCode::FileUnreadable, None),
            },
            _ => (FaultCode::FileUnreadable, Some(line)),
        };
        let fault = ImportFault::new(code, self.layout.file);
        match row {
            Some(row) => fault.row(row),
            None => fault,
        }
    }

    /// Reads to the end, giving each row to `take`. A row that cannot be read becomes a fault and
    /// the next is tried, until there are enough faults.
    pub(super) fn each(
        mut self,
        faults: &mut Collector,
        mut take: impl FnMut(&Row<'_>, &mut Collector),
    ) {
        let mut record = StringRecord::new();
        while !faults.is_full() {
            match self.next_row(&mut record) {
                None => return,
                Some(Ok(row)) => take(&row, faults),
                Some(Err((fault, stop))) => {
                    faults.push(fault);
                    if stop.0 {
                        return;
                    }
                }
            }
        }
    }

    /// One row, in `record`.
    pub(super) fn next_row<'r>(
        &'r mut self,
        record: &'r mut StringRecord,
    ) -> Option<Result<Row<'r>, (ImportFault, Final)>> {
        let line = match self.advance(record)? {
            Ok(line) => line,
            Err(fault) => return Some(Err(fault)),
        };
        if record.len() != self.width {
            let fault = ImportFault::new(FaultCode::FieldCountWrong, self.layout.file)
                .row(line)
                .message(format!(
                    "has {} fields, the header {}",
                    record.len(),
                    self.width
                ));
            return Some(Err((fault, Final(false))));
        }
        Some(Ok(Row {
            table: self,
            record,
            line,
        }))
    }
}

/// Whether nothing more can be read after an error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Final(bool);

/// One row.
pub(super) struct Row<'r> {
    table: &'r Table<'r>,
    record: &'r StringRecord,
    line: u64,
}

impl<'r> Row<'r> {
    /// The line on which it begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// A fault in this row.
    pub(super) fn fault(&self, code: FaultCode, column: Column) -> ImportFault {
        ImportFault::new(code, self.table.layout.file)
            .row(self.line)
            .field(column.header())
    }

    /// The field, without white space at its ends; empty if there is nothing in it.
    pub(super) fn text(&self, column: Column) -> &'r str {
        let place = self.table.place(column);
        clean(
            place
                .and_then(|place| self.record.get(place))
                .unwrap_or_default(),
        )
    }

    /// The entries of a field that holds a list, without empty ones.
    pub(super) fn list(&self, column: Column) -> impl Iterator<Item = &'r str> {
        self.text(column)
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
    }

    /// The field as `parse` takes it; `None` if it is empty.
    pub(super) fn optional<T, E: Into<FaultCode>>(
        &self,
        column: Column,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ImportFault> {
        match self.text(column) {
            "" => Ok(None),
            text => self.parse(column, text, parse).map(Some),
        }
    }

    /// The field as `parse` takes it, which must not be empty.
    pub(super) fn required<T, E: Into<FaultCode>>(
        &self,
        column: Column,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ImportFault> {
        match self.text(column) {
            "" => Err(self.fault(FaultCode::ValueMissing, column)),
            text => self.parse(column, text, parse),
        }
    }

    fn parse<T, E: Into<FaultCode>>(
        &self,
        column: Column,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ImportFault> {
        parse(text).map_err(|error| self.fault(error.into(), column))
    }

    /// The row's own id: see [`names`].
    pub(super) fn id<T>(&self, from: impl FnOnce(uuid::Uuid) -> T) -> Result<T, ImportFault> {
        let id = self.text(Column::SourcedId);
        names::check(id).map_err(|code| self.fault(code, Column::SourcedId))?;
        Ok(from(names::derive("oneroster", self.table.layout.kind, id)))
    }
}

fn clean(field: &str) -> &str {
    field.trim()
}

/// A word of a fixed vocabulary; letters may be of either case.
pub(super) fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, FaultCode> {
    let found = words
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(text));
    found
        .map(|(_, value)| *value)
        .ok_or(FaultCode::ValueUnknown)
}

/// A calendar day, written 2026-08-10 and in no other way.
pub(super) fn date(text: &str) -> Result<Date, FaultCode> {
    let shape = text.len() == 10 && text.bytes().all(|b| b == b'-' || b.is_ascii_digit());
    match text.parse() {
        Ok(date) if shape => Ok(date),
        _ => Err(FaultCode::DateInvalid),
    }
}
