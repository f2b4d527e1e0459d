//! Which encoding a file is in, and its text as UTF-8.
//!
//! A mark at the start decides. Without a mark, a file that begins with four ASCII characters of two
//! bytes each is UTF-16. Anything else is UTF-8 if its bytes are, and else Windows-1252 if its bytes
//! can be: see [`Scan`].

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::meter::{Stopped, stop};
use crate::import::fault::{FaultCode, Problem};

/// An encoding that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

impl Encoding {
    /// What people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le | Self::Utf16Be => "UTF-16",
            Self::Windows1252 => "Windows-1252",
        }
    }

    /// What the first bytes say: the encoding, and how long the mark is. `None` if they leave a
    /// doubt.
    pub(super) fn of_start(head: &[u8]) -> Result<Option<(Self, usize)>, Problem> {
        // The mark of UTF-32 begins like that of UTF-16.
        if head.starts_with(&[0xff, 0xfe, 0, 0]) || head.starts_with(&[0, 0, 0xfe, 0xff]) {
            return Err(FaultCode::EncodingUnknown.into());
        }
        let marks: [(&[u8], Self); 3] = [
            (&[0xef, 0xbb, 0xbf], Self::Utf8),
            (&[0xff, 0xfe], Self::Utf16Le),
            (&[0xfe, 0xff], Self::Utf16Be),
        ];
        let marked = marks.iter().find(|(mark, _)| head.starts_with(mark));
        if let Some((mark, encoding)) = marked {
            return Ok(Some((*encoding, mark.len())));
        }
        let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
        Ok(match head {
            [a, 0, b, 0, c, 0, d, 0, ..] if [a, b, c, d].into_iter().all(is_text) => {
                Some((Self::Utf16Le, 0))
            }
            [0, a, 0, b, 0, c, 0, d, ..] if [a, b, c, d].into_iter().all(is_text) => {
                Some((Self::Utf16Be, 0))
            }
            _ => None,
        })
    }

    fn decoder(self) -> Option<Decoder> {
        let encoding = match self {
            Self::Utf8 => return None,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Windows1252 => WINDOWS_1252,
        };
        Some(encoding.new_decoder_without_bom_handling())
    }
}

/// The start of a file as UTF-8. What is no text becomes a sign of its own.
pub(super) fn decode_start(encoding: Encoding, head: &[u8]) -> String {
    let Some(mut decoder) = encoding.decoder() else {
        return String::from_utf8_lossy(head).into_owned();
    };
    let mut text = String::with_capacity(head.len() * 3 + 16);
    let (result, _, _) = decoder.decode_to_string(head, &mut text, false);
    debug_assert_eq!(result, CoderResult::InputEmpty, "there is room for it");
    text
}

/// Looks at all bytes of a file without a mark and says whether they are UTF-8 or Windows-1252.
///
/// Almost any bytes are some text in Windows-1252. So that nobody's name is read wrongly, a file
/// counts as Windows-1252 only if hardly any of it is UTF-8, if it has no byte that Windows-1252
/// leaves open, and if what stands next to letters are mostly letters: in a file from DOS or an old
/// Mac they would be signs.
#[derive(Default)]
pub(super) struct Scan {
    /// The start of a character whose end is not there yet.
    rest: Vec<u8>,
    /// The byte before `rest`.
    before: u8,
    /// Characters of more than one byte.
    characters: u64,
    /// Bytes that are no UTF-8.
    strange: u64,
    /// Bytes that no text in Windows-1252 has.
    never: u64,
    /// Strange bytes next to a letter that are letters in Windows-1252.
    letters: u64,
    /// The same for bytes that are signs.
    signs: u64,
}

impl Scan {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.rest.is_empty() && bytes.is_ascii() {
            self.never += bytes.iter().filter(|byte| **byte == 0).count() as u64;
            self.before = bytes.last().copied().unwrap_or(self.before);
            return;
        }
        let mut joined = std::mem::take(&mut self.rest);
        joined.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(left) = joined.get(at..).filter(|left| !left.is_empty()) {
            let (valid, wrong) = match std::str::from_utf8(left) {
                Ok(text) => (text.len(), Some(0)),
                Err(error) => (error.valid_up_to(), error.error_len()),
            };
            let good = left.get(..valid).unwrap_or_default();
            self.characters += good.iter().filter(|byte| **byte >= 0xc0).count() as u64;
            self.never += good.iter().filter(|byte| **byte == 0).count() as u64;
            self.before = good.last().copied().unwrap_or(self.before);
            at += valid;
            match wrong {
                Some(length) => {
                    (0..length).for_each(|step| self.strange_byte(&joined, at + step));
                    at += length;
                }
                None => {
                    self.rest = joined.split_off(at);
                    return;
                }
            }
        }
    }

    fn strange_byte(&mut self, bytes: &[u8], at: usize) {
        let byte = bytes.get(at).copied().unwrap_or_default();
        let after = bytes.get(at + 1).copied().unwrap_or_default();
        self.strange += 1;
        let next_to_letter = self.before.is_ascii_alphabetic() || after.is_ascii_alphabetic();
        match byte {
            0x81 | 0x8d | 0x8f | 0x90 | 0x9d => self.never += 1,
            // Apostrophes, dashes and the wide blank stand next to letters in any text.
            0x91 | 0x92 | 0x93 | 0x94 | 0x96 | 0x97 | 0xa0 | 0xb4 => {}
            0x8a | 0x8c | 0x8e | 0x9a | 0x9c | 0x9e | 0x9f => {}
            0xc0..=0xff if !matches!(byte, 0xd7 | 0xf7) => {
                self.letters += u64::from(next_to_letter);
            }
            _ => self.signs += u64::from(next_to_letter),
        }
        self.before = byte;
    }

    /// What the file is, now that all of it was seen.
    pub(super) fn finish(mut self) -> Result<Encoding, Problem> {
        let is_cut = !self.rest.is_empty();
        if self.strange == 0 && self.characters > 0 && is_cut {
            return Err(Problem::new(
                FaultCode::FileCutShort,
                "the file ends in the middle of a character, so its end is missing; export it \
                 again, or copy it again",
            ));
        }
        let rest = std::mem::take(&mut self.rest);
        (0..rest.len()).for_each(|at| self.strange_byte(&rest, at));
        // A few bytes that are no UTF-8 in a file that is: the rows with them are faulty.
        if self.strange == 0 || self.strange <= self.characters.saturating_mul(10) {
            return Ok(Encoding::Utf8);
        }
        if self.never > 0 || self.signs > self.letters {
            return Err(FaultCode::EncodingUnknown.into());
        }
        Ok(Encoding::Windows1252)
    }
}

/// The bytes of a file as UTF-8. What was UTF-8 already passes as it is, with what is wrong in it.
pub(crate) struct Decoded<R> {
    inner: R,
    /// How much of the mark is still to be skipped.
    mark: usize,
    coder: Option<Coder>,
}

struct Coder {
    decoder: Decoder,
    input: Vec<u8>,
    output: Vec<u8>,
    /// What of `input` and `output` was not used yet.
    unread: std::ops::Range<usize>,
    ready: std::ops::Range<usize>,
    input_ended: bool,
    done: bool,
}

const CHUNK: usize = 8 << 10;

impl<R: Read> Decoded<R> {
    /// Reads `inner`, which begins with a mark of `mark` bytes.
    pub(super) fn new(inner: R, encoding: Encoding, mark: usize) -> Self {
        let coder = encoding.decoder().map(|decoder| Coder {
            decoder,
            input: vec![0; CHUNK],
            output: vec![0; CHUNK * 3],
            unread: 0..0,
            ready: 0..0,
            input_ended: false,
            done: false,
        });
        Self { inner, mark, coder }
    }

    fn skip_mark(&mut self) -> io::Result<()> {
        let mut byte = [0];
        while self.mark > 0 && self.inner.read(&mut byte)? > 0 {
            self.mark -= 1;
        }
        Ok(())
    }
}

impl Coder {
    /// Makes `ready` hold something, unless everything was read.
    fn fill(&mut self, inner: &mut impl Read) -> io::Result<()> {
        while self.ready.is_empty() && !self.done {
            if self.unread.is_empty() && !self.input_ended {
                let read = inner.read(&mut self.input)?;
                self.unread = 0..read;
                self.input_ended = read == 0;
            }
            let source = self.input.get(self.unread.clone()).unwrap_or_default();
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
                source,
                &mut self.output,
                self.input_ended,
            );
            self.unread.start += read;
            self.ready = 0..written;
            match result {
                DecoderResult::InputEmpty => self.done = self.input_ended,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) if self.input_ended => {
                    return Err(stop(Stopped::Cut));
                }
                DecoderResult::Malformed(..) => return Err(stop(Stopped::NoText)),
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.skip_mark()?;
        let Some(coder) = &mut self.coder else {
            return self.inner.read(buffer);
        };
        coder.fill(&mut self.inner)?;
        let ready = coder.output.get(coder.ready.clone()).unwrap_or_default();
        let size = ready.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(ready) {
            *to = *from;
        }
        coder.ready.start += size;
        Ok(size)
    }
}
