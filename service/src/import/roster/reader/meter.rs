//! Bounds the work of reading a table, and says why reading stopped.

use std::io::{self, Read};

use crate::import::fault::{FaultCode, Problem};

/// The most bytes of one unpacked table. This is five times the largest table of a large city.
pub(crate) const FILE_LIMIT: u64 = 256 << 20;

/// Why a metered reader stopped. It is carried inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    /// The file is longer than [`FILE_LIMIT`].
    #[error("file too large")]
    File,
    /// The row is longer than allowed.
    #[error("row too long")]
    Row,
    /// The file ends in the middle of a character.
    #[error("file cut short")]
    Cut,
    /// The bytes are no text in the encoding that the file begins with.
    #[error("no text")]
    NoText,
}

/// Keeps the work of a reader bounded. It stops a file that does not end, because a zip archive
/// of a few kilobytes can unpack to terabytes.
pub(crate) struct Metered<R> {
    inner: R,
    left: u64,
}

impl<R> Metered<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            left: FILE_LIMIT,
        }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| stop(Stopped::File))?;
        Ok(read)
    }
}

/// The error of a reader that stops.
pub(super) fn stop(why: Stopped) -> io::Error {
    io::Error::other(why)
}

/// What is wrong with a table that could not be read to its end.
pub(super) fn io_problem(error: &io::Error) -> Problem {
    match error.get_ref().and_then(|e| e.downcast_ref()) {
        Some(Stopped::File) => Problem::new(
            FaultCode::FileTooLarge,
            format!(
                "the file is larger than {} MiB, which no real table is; check that it is the \
                 right file",
                FILE_LIMIT >> 20
            ),
        ),
        Some(Stopped::Row) => FaultCode::RowTooLong.into(),
        Some(Stopped::Cut) => FaultCode::FileCutShort.into(),
        Some(Stopped::NoText) => FaultCode::EncodingUnknown.into(),
        // The operating system had no part in this error, so the archive caused it.
        None if error.raw_os_error().is_none() => FaultCode::ArchiveInvalid.into(),
        None => FaultCode::FileUnreadable.into(),
    }
}
