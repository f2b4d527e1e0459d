//! Watches the text of a table on its way to the CSV reader: how long a row is, whether a quotation
//! mark is open, and how the text ends. The CSV reader itself takes a file that was cut as if it
//! were whole.

use std::io::{self, Read};

use super::meter::{Stopped, stop};

/// What ends a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LineEnd {
    /// LF, or CR and LF.
    Lf,
    /// CR alone, as programs for old Macs write it.
    Cr,
}

/// Where in a row the text is. These are the states of the CSV reader.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Field,
    Quoted,
    /// After a quotation mark in a quoted field: its end, or half of a doubled mark.
    Mark,
}

/// A text that is watched.
pub(crate) struct Watched<R> {
    inner: R,
    separator: u8,
    line_end: LineEnd,
    row_left: u64,
    state: State,
    line: u64,
    quote_line: u64,
    last: Option<u8>,
    ended: bool,
}

impl<R> Watched<R> {
    pub(super) fn new(inner: R, separator: u8, line_end: LineEnd) -> Self {
        Self {
            inner,
            separator,
            line_end,
            row_left: u64::MAX,
            state: State::FieldStart,
            line: 1,
            quote_line: 1,
            last: None,
            ended: false,
        }
    }

    /// Allows `bytes` more bytes to be read for the next row.
    pub(super) fn allow_row(&mut self, bytes: u64) {
        self.row_left = bytes;
    }

    /// The line on which a quoted field begins that the text ends in. `None` if it ends in none, or
    /// was not read to its end.
    pub(super) fn open_quote(&self) -> Option<u64> {
        (self.ended && self.state == State::Quoted).then_some(self.quote_line)
    }

    /// Whether the text was read to its end, and its last row has no line end.
    pub(super) fn lacks_line_end(&self) -> bool {
        self.ended && self.last.is_some_and(|last| last != b'\n')
    }

    fn watch(&mut self, byte: &mut u8) {
        // In a file whose rows end with CR alone, CR and LF change places outside of quotation
        // marks. So a stray LF is what a stray CR is in other files: part of its field.
        if self.line_end == LineEnd::Cr && self.state != State::Quoted {
            match *byte {
                b'\r' => *byte = b'\n',
                b'\n' => *byte = b'\r',
                _ => {}
            }
        }
        let byte = *byte;
        self.state = match (self.state, byte) {
            (State::Quoted, b'"') => State::Mark,
            (State::Mark, b'"') | (State::Quoted, _) => State::Quoted,
            (State::FieldStart, b'"') => {
                self.quote_line = self.line;
                State::Quoted
            }
            (_, b'\n') => State::FieldStart,
            (_, byte) if byte == self.separator => State::FieldStart,
            _ => State::Field,
        };
        self.line += u64::from(byte == b'\n');
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.inner.read(buffer)?;
        self.ended = size == 0 && !buffer.is_empty();
        self.row_left = self
            .row_left
            .checked_sub(size as u64)
            .ok_or_else(|| stop(Stopped::Row))?;
        let read = buffer.get_mut(..size).unwrap_or_default();
        read.iter_mut().for_each(|byte| self.watch(byte));
        self.last = read.last().copied().or(self.last);
        Ok(size)
    }
}
