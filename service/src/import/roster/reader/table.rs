//! Reads a CSV file (RFC 4180) row by row.

use std::io::Read;

use csv::{ByteRecord, ErrorKind, StringRecord};

use super::header::Header;
use super::layout::Layout;
use super::row::Row;
use super::source::{FILE_LIMIT, Metered, Source, Stopped};
use crate::import::fault::{Collector, FaultCode, ImportFault, Problem};

/// The most bytes of one row. A real row has a few hundred.
const ROW_LIMIT: u64 = 1 << 20;

/// A table that is being read.
pub(crate) struct Table<'s> {
    reader: csv::Reader<Metered<Box<dyn Read + 's>>>,
    header: Header,
    /// The bytes of the row that was read last. Kept so that its memory is used again.
    record: ByteRecord,
}

/// Why a row was not read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// What is wrong.
    pub(crate) fault: ImportFault,
    /// Whether nothing more of the table can be read. If not, reading goes on with the next row.
    ends_table: bool,
}

impl<'s> Table<'s> {
    /// Opens the file and reads its header. `None`, with the reasons in `faults`, if either is
    /// wrong.
    pub(crate) fn open(
        source: &'s mut Source,
        layout: &'static Layout,
        faults: &mut Collector,
    ) -> Option<Self> {
        let bytes = faults.ok(source.read(layout.file))?;
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // Fields are trimmed, which also removes the CR of CR LF. With the reader's default
            // the lines would be counted wrongly.
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(bytes);
        let mut table = Self {
            reader,
            header: Header::unread(layout),
            record: ByteRecord::new(),
        };
        table.header = table.read_header(faults)?;
        Some(table)
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

    /// Reads the next row that is not empty into `record` and says on which line it begins.
    /// `None` at the end.
    fn advance(&mut self, record: &mut StringRecord) -> Option<Result<u64, Unreadable>> {
        loop {
            self.reader.get_mut().allow_row(ROW_LIMIT);
            let start = self.reader.position().line();
            match self.reader.read_byte_record(&mut self.record) {
                Ok(false) => return None,
                Ok(true) => {}
                Err(error) => {
                    return Some(Err(Unreadable {
                        fault: self.read_fault(&error, start),
                        ends_table: true,
                    }));
                }
            }
            let line = self.line();
            let bytes = std::mem::take(&mut self.record);
            match StringRecord::from_byte_record(bytes) {
                Ok(text) if text.len() == 1 && text.iter().all(|field| field.trim().is_empty()) => {
                    self.record = text.into_byte_record();
                }
                Ok(text) => {
                    self.record = std::mem::replace(record, text).into_byte_record();
                    return Some(Ok(line));
                }
                Err(error) => {
                    let place = error.utf8_error().field();
                    self.record = error.into_byte_record();
                    let fault = self.fault(FaultCode::Utf8Invalid).row(line);
                    return Some(Err(Unreadable {
                        fault: fault.field(self.header.name(place)),
                        ends_table: false,
                    }));
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
        match error.get_ref().and_then(|e| e.downcast_ref()) {
            Some(Stopped::File) => self.fault(Problem::new(
                FaultCode::FileTooLarge,
                format!(
                    "the file is larger than {} MiB, which no real table is; check that it is the \
                     right file",
                    FILE_LIMIT >> 20
                ),
            )),
            Some(Stopped::Row) => self.fault(FaultCode::RowTooLong).row(line),
            // The operating system had no part in this error, so the archive caused it.
            None if error.raw_os_error().is_none() => self.fault(FaultCode::ArchiveInvalid),
            None => self.fault(FaultCode::FileUnreadable),
        }
    }

    /// Reads to the end and gives each row to `take`. A row that cannot be read becomes a fault,
    /// and reading goes on with the next row, until there are enough faults.
    pub(crate) fn each(
        mut self,
        faults: &mut Collector,
        mut take: impl FnMut(&Row<'_>, &mut Collector),
    ) {
        let mut record = StringRecord::new();
        while !faults.is_full() {
            match self.next_row(&mut record) {
                None => return,
                Some(Ok(row)) => take(&row, faults),
                Some(Err(unreadable)) => {
                    faults.push(unreadable.fault);
                    if unreadable.ends_table {
                        return;
                    }
                }
            }
        }
    }

    /// The next row, whose fields are kept in `record`. `None` at the end.
    pub(crate) fn next_row<'r>(
        &'r mut self,
        record: &'r mut StringRecord,
    ) -> Option<Result<Row<'r>, Unreadable>> {
        let line = match self.advance(record)? {
            Ok(line) => line,
            Err(unreadable) => return Some(Err(unreadable)),
        };
        let (fields, width) = (record.len(), self.header.width());
        if fields != width {
            let problem = Problem::new(
                FaultCode::FieldCountWrong,
                format!(
                    "the row has {fields} fields, but the header has {width}; look for a comma or \
                     quotation mark too many or too few"
                ),
            );
            return Some(Err(Unreadable {
                fault: self.fault(problem).row(line),
                ends_table: false,
            }));
        }
        Some(Ok(Row::new(&self.header, record, line)))
    }
}
