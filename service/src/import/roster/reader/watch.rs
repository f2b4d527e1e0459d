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

    /// Watches what was read. Between two quotation marks only the number of lines and the last byte count.
    fn watch_all(&mut self, bytes: &mut [u8]) {
        if self.line_end == LineEnd::Cr {
            return bytes.iter_mut().for_each(|byte| self.watch(byte));
        }
        let mut rest = bytes;
        while let Some(mark) = memchr::memchr(b'"', rest) {
            let (before, from_mark) = std::mem::take(&mut rest).split_at_mut(mark);
            self.pass(before);
            let Some((mark, after)) = from_mark.split_first_mut() else {
                return;
            };
            self.watch(mark);
            rest = after;
        }
        self.pass(rest);
    }

    /// Takes bytes without any quotation mark, of a file whose rows end with LF.
    fn pass(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else {
            return;
        };
        self.line += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.state = match self.state {
            State::Quoted => State::Quoted,
            State::FieldStart | State::Field | State::Mark => {
                match *last == b'\n' || *last == self.separator {
                    true => State::FieldStart,
                    false => State::Field,
                }
            }
        };
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
        self.watch_all(read);
        self.last = read.last().copied().or(self.last);
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn looking_at_many_bytes_at_once_finds_what_looking_at_each_does(
            text in "[a\",;\r\n]{0,60}",
            cut in 1..20usize,
            is_cr in any::<bool>(),
        ) {
            let line_end = if is_cr { LineEnd::Cr } else { LineEnd::Lf };
            let mut at_once = Watched::new(io::empty(), b',', line_end);
            let mut each = Watched::new(io::empty(), b',', line_end);
            for part in text.as_bytes().chunks(cut) {
                let (mut one, mut other) = (part.to_vec(), part.to_vec());
                at_once.watch_all(&mut one);
                other.iter_mut().for_each(|byte| each.watch(byte));
                prop_assert_eq!(one, other);
                prop_assert!(at_once.state == each.state);
                prop_assert_eq!(at_once.line, each.line);
                prop_assert_eq!(at_once.quote_line, each.quote_line);
            }
        }
    }
}
