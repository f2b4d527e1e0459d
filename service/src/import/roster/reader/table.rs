//! Reads a CSV file (RFC 4180, in the forms that spreadsheets write) row by row.

use std::io::Read;

use csv::{ByteRecord, ErrorKind, StringRecord};

use super::days::{self, Days, Reading};
use super::form::Reader;
use super::halves;
use super::header::Header;
use super::layout::{Column, Layout};
use super::meter::{Metered, io_problem};
use super::nulls;
use super::row::Row;
use super::source::Source;
use crate::import::fault::{Collector, FaultCode, ImportFault, Problem};

/// The most bytes of one row. A real row has a few hundred.
pub(super) const ROW_LIMIT: u64 = 1 << 20;

/// A table that is being read.
pub(crate) struct Table<'s> {
    reader: Reader<Metered<Box<dyn Read + 's>>>,
    header: Header,
    /// The bytes of the row that was read last. Kept so that its memory is used again.
    record: ByteRecord,
    /// The memory of a row before, for the next one.
    spare: Option<ByteRecord>,
    /// The row after a short one, which was read to understand it.
    ahead: Option<Result<(StringRecord, u64), Unreadable>>,
    /// Where days stand, and how they are written if not all are written as the standard says.
    day_places: Vec<(Column, usize)>,
    days: Option<Days>,
    /// Where `NULL` counts as blank, and how many cells held it.
    null_places: Vec<usize>,
    nulls: u64,
    /// The same table, for what takes a pass of its own.
    again: Source,
    rows: u64,
}

/// Why a row was not read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// What is wrong.
    pub(crate) fault: ImportFault,
    /// Whether nothing more of the table can be read. If not, reading goes on with the next row.
    pub(crate) ends_table: bool,
}

impl Unreadable {
    /// One row cannot be read.
    fn row(fault: ImportFault) -> Self {
        Self {
            fault,
            ends_table: false,
        }
    }

    /// Nothing more can be read.
    fn end(fault: ImportFault) -> Self {
        Self {
            fault,
            ends_table: true,
        }
    }
}

impl<'s> Table<'s> {
    /// Opens the file and reads its header. `None`, with the reasons in `faults`, if either is
    /// wrong.
    pub(crate) fn open(
        source: &'s mut Source,
        layout: &'static Layout,
        faults: &mut Collector,
    ) -> Option<Self> {
        let form = faults.ok(source.form(layout))?;
        let again = source.clone();
        let bytes = faults.ok(source.read(layout.file))?;
        let mut table = Self {
            reader: form.reader(bytes),
            header: Header::unread(layout),
            record: ByteRecord::new(),
            spare: None,
            ahead: None,
            day_places: Vec::new(),
            days: None,
            null_places: Vec::new(),
            nulls: 0,
            again,
            rows: 0,
        };
        if form.names_separator {
            table.advance(&mut StringRecord::new());
        }
        table.header = table.read_header(faults)?;
        table.day_places = days::places(&table.header).collect();
        table.null_places = nulls::places(&table.header).collect();
        Some(table)
    }

    /// Whether the table has this column.
    pub(crate) fn has(&self, column: Column) -> bool {
        self.header.place(column).is_some()
    }

    fn read_header(&mut self, faults: &mut Collector) -> Option<Header> {
        let layout = self.header.layout();
        let mut record = StringRecord::new();
        match self.advance(&mut record) {
            Some(Ok(line)) => Header::read(layout, &record, line, faults),
            Some(Err(unreadable)) => {
                faults.push(unreadable.fault);
                None
            }
            None => {
                let problem = Problem::new(
                    FaultCode::HeaderMissing,
                    "the file is empty; export it again with the OneRoster column names in the \
                     first row",
                );
                faults.push(ImportFault::new(problem, layout.file).row(1));
                None
            }
        }
    }

    /// Reads the next row that is not blank into `record` and says on which line it begins.
    /// `None` at the end.
    fn advance(&mut self, record: &mut StringRecord) -> Option<Result<u64, Unreadable>> {
        loop {
            self.reader.get_mut().allow_row(ROW_LIMIT);
            let start = self.reader.position().line();
            match self.reader.read_byte_record(&mut self.record) {
                Ok(false) => return None,
                Ok(true) => {}
                Err(error) => {
                    return Some(Err(Unreadable::end(self.read_fault(&error, start))));
                }
            }
            if let Some(line) = self.reader.get_ref().open_quote() {
                let problem = Problem::new(
                    FaultCode::FileCutShort,
                    "a quotation mark is opened on this line and never closed, so the end of the \
                     file is missing; export it again, or copy it again",
                );
                return Some(Err(Unreadable::end(self.fault(problem).row(line))));
            }
            let line = self.line();
            let spare = self.spare.take().unwrap_or_default();
            let bytes = std::mem::replace(&mut self.record, spare);
            match StringRecord::from_byte_record(bytes) {
                // Spreadsheets write an empty row with its separators.
                Ok(text) if text.iter().all(|field| field.trim().is_empty()) => {
                    self.spare = Some(text.into_byte_record());
                }
                Ok(text) => {
                    self.spare = Some(std::mem::replace(record, text).into_byte_record());
                    return Some(Ok(line));
                }
                Err(error) => {
                    let place = error.utf8_error().field();
                    self.record = error.into_byte_record();
                    let fault = self.fault(FaultCode::Utf8Invalid).row(line);
                    return Some(Err(Unreadable::row(fault.field(self.header.name(place)))));
                }
            }
        }
    }

    /// The line on which the record begins. The reader says where the record before it ended, so
    /// the empty lines between the two are added here.
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

    /// A fault in this table.
    fn fault(&self, problem: impl Into<Problem>) -> ImportFault {
        ImportFault::new(problem, self.header.layout().file)
    }

    /// The fault for what the CSV reader could not read. `line` is where the row before ended.
    fn read_fault(&self, error: &csv::Error, line: u64) -> ImportFault {
        let ErrorKind::Io(error) = error.kind() else {
            return self.fault(FaultCode::FileUnreadable).row(line);
        };
        let problem = io_problem(error);
        let has_line = problem.code() == FaultCode::RowTooLong;
        let fault = self.fault(problem);
        if has_line { fault.row(line) } else { fault }
    }

    /// The next row, whose fields are kept in `record`. `None` at the end.
    ///
    /// Spreadsheets leave out empty cells at the end of a row, so a short row is read as if they were
    /// there. Empty cells beyond the header are left out too.
    pub(crate) fn next_row<'r>(
        &'r mut self,
        record: &'r mut StringRecord,
    ) -> Option<Result<Row<'r>, Unreadable>> {
        let next = match self.ahead.take() {
            Some(Ok((ahead, line))) => {
                *record = ahead;
                Some(Ok(line))
            }
            Some(Err(unreadable)) => Some(Err(unreadable)),
            None => self.advance(record),
        };
        let line = match next {
            Some(Ok(line)) => line,
            Some(Err(unreadable)) => return Some(Err(unreadable)),
            None => {
                self.again.set_rows(self.header.layout(), self.rows);
                self.again.set_nulls(self.header.layout(), self.nulls);
                return None;
            }
        };
        self.rows += 1;
        self.nulls += nulls::blank(record, &self.null_places);
        let checked = self
            .check_width(record, line)
            .and_then(|()| self.settle_days(record, line));
        Some(checked.map(|()| Row::new(&self.header, record, line)))
    }

    fn check_width(&mut self, record: &StringRecord, line: u64) -> Result<(), Unreadable> {
        let (fields, width) = (record.len(), self.header.width());
        if fields < width {
            return self.check_short(record, line);
        }
        let beyond = record.iter().skip(width);
        if beyond.into_iter().all(|field| field.trim().is_empty()) {
            return Ok(());
        }
        let problem = Problem::new(
            FaultCode::FieldCountWrong,
            format!(
                "the row has {fields} fields, but the header has {width}; look for a separator or \
                 quotation mark too many or too few"
            ),
        );
        Err(Unreadable::row(self.fault(problem).row(line)))
    }

    /// A short row is whole unless the file ends in it, or the next row is its other half: a line
    /// break in a field that is not in quotation marks makes two rows of one.
    fn check_short(&mut self, record: &StringRecord, line: u64) -> Result<(), Unreadable> {
        if self.reader.get_ref().lacks_line_end() {
            return Err(Unreadable::end(
                self.fault(FaultCode::FileCutShort).row(line),
            ));
        }
        let fields = record.len();
        let mut next = StringRecord::new();
        let ahead = self.advance(&mut next);
        let rest = match &ahead {
            Some(Ok(_)) => next.len(),
            Some(Err(_)) | None => 0,
        };
        // Rows of the same length were shortened by a spreadsheet, which does it to many at once.
        let is_half = rest != fields
            && rest + fields == self.header.width() + 1
            && !halves::are_rows(&self.header, record, &next);
        self.ahead = ahead.map(|found| found.map(|line| (next, line)));
        if !is_half {
            return Ok(());
        }
        self.ahead = None;
        let problem = Problem::new(
            FaultCode::FieldCountWrong,
            "this row and the next look like the two halves of one; put the field with the line \
             break in quotation marks, or remove the line break",
        );
        Err(Unreadable::row(self.fault(problem).row(line)))
    }

    /// Writes the days of a row as the standard says.
    fn settle_days(&mut self, record: &mut StringRecord, line: u64) -> Result<(), Unreadable> {
        let places = &self.day_places;
        let mut changed: Option<Vec<String>> = None;
        for (column, place) in places {
            let text = record.get(*place).unwrap_or_default().trim();
            if days::is_plain(text) {
                continue;
            }
            let days = match &mut self.days {
                Some(days) => days,
                empty => {
                    let found = self.again.days(&self.header).map_err(Unreadable::end)?;
                    empty.insert(found)
                }
            };
            let day = match days.read(*column, text) {
                Reading::Day(day) => day.to_string(),
                Reading::None => continue,
                Reading::Doubt => {
                    let fault = ImportFault::new(days::doubt(), self.header.layout().file);
                    let fault = fault.row(line).field(column.header());
                    return Err(Unreadable::end(fault));
                }
            };
            let all = changed.get_or_insert_with(|| record.iter().map(str::to_owned).collect());
            if let Some(cell) = all.get_mut(*place) {
                *cell = day;
            }
        }
        if let Some(fields) = changed {
            *record = fields.into();
        }
        Ok(())
    }
}
