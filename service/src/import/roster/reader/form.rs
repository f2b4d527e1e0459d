//! How a table is written: its encoding, what separates its fields, and what ends its rows. All of
//! it is found in the file itself.

use std::io::{self, Read};

use super::encoding::{Decoded, Encoding, Scan, decode_start};
use super::header;
use super::layout::Layout;
use super::watch::{LineEnd, Watched};
use crate::import::fault::Problem;

/// How many bytes are looked at for the header. A real one has a few hundred.
const HEAD: usize = 64 << 10;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) encoding: Encoding,
    /// The length of the mark that says the encoding.
    mark: usize,
    pub(crate) separator: u8,
    pub(crate) line_end: LineEnd,
    /// Whether a line `sep=;` stands before the header, as Excel reads and writes it.
    pub(crate) names_separator: bool,
}

/// A CSV reader over a table, whatever its form is.
pub(crate) type Reader<R> = csv::Reader<Watched<Decoded<R>>>;

impl Form {
    /// Reads a file to its end, and finds out how it is written. The outer error: it cannot be read.
    /// The inner error: it is no text that could be a table.
    pub(super) fn find(mut file: impl Read, layout: &Layout) -> io::Result<Result<Self, Problem>> {
        let mut head = Vec::with_capacity(HEAD);
        file.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        let found = match Encoding::of_start(&head) {
            Ok(found) => found,
            Err(problem) => return Ok(Err(problem)),
        };
        let (encoding, mark) = match found {
            Some(found) => found,
            None => match scan(&head, file)? {
                Ok(encoding) => (encoding, 0),
                Err(problem) => return Ok(Err(problem)),
            },
        };
        let text = decode_start(encoding, head.get(mark..).unwrap_or_default());
        Ok(Ok(Self::of_text(encoding, mark, &text, layout)))
    }

    fn of_text(encoding: Encoding, mark: usize, text: &str, layout: &Layout) -> Self {
        let text = text.trim_start();
        let (row, end) = first_row(text);
        let named = named_separator(row);
        let below = text.get(row.len()..).unwrap_or_default().trim_start();
        let header = if named.is_some() {
            first_row(below).0
        } else {
            row
        };
        Self {
            encoding,
            mark,
            separator: named.unwrap_or_else(|| separator(header, layout)),
            line_end: end,
            names_separator: named.is_some(),
        }
    }

    /// The CSV reader for a file of this form.
    pub(super) fn reader<R: Read>(&self, file: R) -> Reader<R> {
        let text = Decoded::new(file, self.encoding, self.mark);
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.separator)
            // Fields are trimmed, which also removes the CR of CR LF. With the reader's default
            // the lines would be counted wrongly.
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(Watched::new(text, self.separator, self.line_end))
    }

    /// What people should know about it, if it is not as the standard says.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.encoding != Encoding::Utf8 {
            notes.push(format!("read as {}", self.encoding.name()));
        }
        let separator = match self.separator {
            b';' => Some("semicolons"),
            b'\t' => Some("tabs"),
            _ => None,
        };
        notes.extend(separator.map(|name| format!("fields separated by {name}")));
        if self.line_end == LineEnd::Cr {
            notes.push("rows ended by CR alone".to_owned());
        }
        notes
    }
}

fn scan(head: &[u8], mut file: impl Read) -> io::Result<Result<Encoding, Problem>> {
    let mut scan = Scan::default();
    scan.push(head);
    let mut buffer = vec![0; HEAD];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(scan.finish()),
            size => scan.push(buffer.get(..size).unwrap_or_default()),
        }
    }
}

/// The first row without its end, and how it ends. A line break in quotation marks does not end it.
fn first_row(text: &str) -> (&str, LineEnd) {
    let mut quoted = false;
    let end = text.find(|character| {
        quoted ^= character == '"';
        !quoted && matches!(character, '\r' | '\n')
    });
    let (row, rest) = text.split_at(end.unwrap_or(text.len()));
    // The last row of a file that was cut between CR and LF does not count.
    let is_cr = rest.len() > 1 && rest.starts_with('\r') && !rest.starts_with("\r\n");
    (row, if is_cr { LineEnd::Cr } else { LineEnd::Lf })
}

/// The separator that a line `sep=;` names.
fn named_separator(row: &str) -> Option<u8> {
    match row.trim_matches(header::is_wrapping).as_bytes() {
        [
            b's' | b'S',
            b'e' | b'E',
            b'p' | b'P',
            b'=',
            separator @ (b',' | b';'),
        ] => Some(*separator),
        // The tab was taken for white space.
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'='] if row.ends_with('\t') => Some(b'\t'),
        _ => None,
    }
}

/// What separates the fields of the header: what leaves the most names that are known.
fn separator(header: &str, layout: &Layout) -> u8 {
    let mut best = (b',', 0);
    for separator in [b',', b';', b'\t'] {
        let names = header.split(char::from(separator));
        let known = names.filter(|name| header::knows(layout, name)).count();
        if known > best.1 {
            best = (separator, known);
        }
    }
    best.0
}
