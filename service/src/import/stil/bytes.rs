//! The bytes of a file as UTF-8, bounded, with the number of the line.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use encoding_rs::{
    Decoder, DecoderResult, Encoding, ISO_8859_15, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
};

use crate::import::fault::FaultCode;
use crate::import::roster::FILE_LIMIT;

/// The most bytes of one tag or one text. The longest real ones are a few hundred.
const EVENT_LIMIT: usize = 1 << 16;

/// How much of a file is looked at to find its encoding.
const HEAD: u64 = 1024;

/// Why reading stopped. It is carried inside an [`io::Error`].
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Stopped(pub(super) FaultCode);

impl From<Stopped> for io::Error {
    fn from(stopped: Stopped) -> Self {
        Self::other(stopped)
    }
}

/// A file as UTF-8.
struct Decoded<R> {
    inner: R,
    decoder: Decoder,
    ready: String,
    at: usize,
    ended: bool,
    left: u64,
}

impl<R: Read> Decoded<R> {
    fn fill(&mut self) -> io::Result<()> {
        let mut raw = [0; 8192];
        let size = self.inner.read(&mut raw)?;
        let left = self.left.checked_sub(size as u64);
        self.left = left.ok_or(Stopped(FaultCode::FileTooLarge))?;
        self.ended = size == 0;
        self.at = 0;
        self.ready.clear();
        let room = self
            .decoder
            .max_utf8_buffer_length_without_replacement(size);
        self.ready.reserve(room.unwrap_or(raw.len() * 4));
        let raw = raw.get(..size).unwrap_or_default();
        let (result, _) =
            self.decoder
                .decode_to_string_without_replacement(raw, &mut self.ready, self.ended);
        match result {
            DecoderResult::InputEmpty => Ok(()),
            // The file ends in the middle of a character.
            _ if self.ended => Err(Stopped(FaultCode::FileCutShort).into()),
            DecoderResult::OutputFull | DecoderResult::Malformed(..) => {
                Err(Stopped(FaultCode::EncodingUnknown).into())
            }
        }
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut rest = self.ready.as_bytes().get(self.at..).unwrap_or_default();
            if !rest.is_empty() {
                let size = rest.read(buffer)?;
                self.at += size;
                return Ok(size);
            }
            if self.ended {
                return Ok(0);
            }
            self.fill()?;
        }
    }
}

/// What the parser reads.
pub(super) struct Input<R> {
    inner: BufReader<Decoded<R>>,
    line: u64,
    /// How many bytes the tag or text that is being read may still have.
    left: usize,
}

impl<R: Read> Input<io::Chain<Cursor<Vec<u8>>, R>> {
    /// Finds the encoding of a file and begins to read it.
    pub(super) fn new(mut file: R) -> io::Result<Self> {
        let mut head = Vec::new();
        file.by_ref().take(HEAD).read_to_end(&mut head)?;
        let decoder = encoding(&head)?.new_decoder_with_bom_removal();
        let decoded = Decoded {
            inner: Cursor::new(head).chain(file),
            decoder,
            ready: String::new(),
            at: 0,
            ended: false,
            left: FILE_LIMIT,
        };
        Ok(Self {
            inner: BufReader::new(decoded),
            line: 1,
            left: EVENT_LIMIT,
        })
    }
}

impl<R: Read> Input<R> {
    /// The line that was read to, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Says that the next tag or text begins.
    pub(super) fn begin_event(&mut self) {
        self.left = EVENT_LIMIT;
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.fill_buf()?.read(buffer)?;
        self.consume(size);
        Ok(size)
    }
}

impl<R: Read> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(Stopped(FaultCode::TextTooLong).into());
        }
        let ready = self.inner.fill_buf()?;
        Ok(ready.get(..self.left).unwrap_or(ready))
    }

    fn consume(&mut self, size: usize) {
        let passed = self.inner.buffer().get(..size).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.left = self.left.saturating_sub(size);
        self.inner.consume(size);
    }
}

/// The encoding that a file begins with or says that it has.
fn encoding(head: &[u8]) -> Result<&'static Encoding, Stopped> {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Ok(encoding);
    }
    match head {
        [b'<', 0, ..] => return Ok(UTF_16LE),
        [0, b'<', ..] => return Ok(UTF_16BE),
        _ => {}
    }
    let Some(label) = label(head) else {
        return Ok(UTF_8);
    };
    let found = Encoding::for_label(label);
    let found = found.filter(|found| [UTF_8, WINDOWS_1252, ISO_8859_15].contains(found));
    found.ok_or(Stopped(FaultCode::EncodingUnknown))
}

/// What stands in `<?xml … encoding="…"?>`.
fn label(head: &[u8]) -> Option<&[u8]> {
    let rest = head.strip_prefix(b"<?xml")?;
    let end = rest.windows(2).position(|two| two == b"?>");
    let rest = rest.get(..end.unwrap_or(rest.len()))?;
    let word = b"encoding";
    let at = rest.windows(word.len()).position(|some| some == word)?;
    let rest = rest.get(at + word.len()..)?.trim_ascii_start();
    let rest = rest.strip_prefix(b"=")?.trim_ascii_start();
    let (mark, rest) = rest.split_first()?;
    let end = rest.iter().position(|byte| byte == mark)?;
    rest.get(..end)
}
