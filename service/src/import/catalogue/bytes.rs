//! Gives the bytes of a package piece by piece, so that a large file is never in memory as a whole. On the
//! way it checks that they are UTF-8 and not too many, and takes away the mark at their beginning.

use std::io::{self, Cursor, Read};

use super::FILE_LIMIT;
use super::values;
use crate::import::fault::{FaultCode, ImportFault};

/// The mark that some programs write at the beginning of UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Why the bytes cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// The bytes of this line are no UTF-8.
    NoUtf8(u64),
    /// There are more bytes than a package may have.
    TooLong,
    /// The file gives no more bytes.
    Unreadable,
}

/// The bytes of a package.
pub(super) struct Checked<R: Read> {
    source: io::Chain<Cursor<Vec<u8>>, R>,
    /// How many bytes came so far.
    length: u64,
    /// How many lines ended so far.
    lines: u64,
    /// The beginning of a character whose end has not come yet, before the bytes that came last.
    open: Vec<u8>,
    trouble: Option<Trouble>,
}

impl<R: Read> Checked<R> {
    pub(super) fn new(mut source: R) -> Self {
        let mut first = Vec::new();
        let begun = source
            .by_ref()
            .take(MARK.len() as u64)
            .read_to_end(&mut first);
        let length = first.len() as u64;
        if first == MARK {
            first.clear();
        }
        Self {
            // The bytes at the beginning are counted when they are given out.
            length: length - first.len() as u64,
            source: Cursor::new(first).chain(source),
            lines: 0,
            open: Vec::new(),
            trouble: begun.is_err().then_some(Trouble::Unreadable),
        }
    }

    /// Reads to the end; the fault of the bytes, if they have one. What makes no sense as JSON may be no
    /// text at all: that is the better answer.
    pub(super) fn fault(&mut self, name: &str) -> Option<ImportFault> {
        // An error is in `trouble`.
        let _ = io::copy(self, &mut io::sink());
        let file = name.to_owned();
        Some(match self.trouble? {
            Trouble::NoUtf8(line) => ImportFault::new(FaultCode::Utf8Invalid, file).row(line),
            Trouble::TooLong => values::too_long(name),
            Trouble::Unreadable => ImportFault::new(FaultCode::FileUnreadable, file),
        })
    }

    /// Looks at the bytes that came; none: the end.
    fn check(&mut self, came: &[u8]) -> Option<Trouble> {
        self.length += came.len() as u64;
        if self.length > FILE_LIMIT {
            return Some(Trouble::TooLong);
        }
        if came.is_empty() {
            let whole = self.open.is_empty();
            return (!whole).then_some(Trouble::NoUtf8(self.lines + 1));
        }
        self.open.extend_from_slice(came);
        let (valid, is_text) = match std::str::from_utf8(&self.open) {
            Ok(text) => (text.len(), true),
            // The character may go on in the next bytes.
            Err(error) => (error.valid_up_to(), error.error_len().is_none()),
        };
        let valid = self.open.drain(..valid);
        self.lines += valid.filter(|byte| *byte == b'\n').count() as u64;
        (!is_text).then_some(Trouble::NoUtf8(self.lines + 1))
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.trouble.is_none() && !buffer.is_empty() {
            match self.source.read(buffer) {
                Ok(number) => {
                    let came = buffer.get(..number).unwrap_or_default();
                    self.trouble = self.check(came);
                    if self.trouble.is_none() {
                        return Ok(number);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(_) => self.trouble = Some(Trouble::Unreadable),
            }
        }
        match self.trouble {
            None => Ok(0),
            // Nobody sees these words: `fault` says what is wrong.
            Some(_) => Err(io::Error::other("the package cannot be read on")),
        }
    }
}
