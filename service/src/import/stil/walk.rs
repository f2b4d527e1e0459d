//! Walks through the elements of a file, from its beginning to its end.

use std::borrow::Cow;
use std::io::{self, Read};

use quick_xml::XmlVersion;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::bytes::{Input, Stopped};
use super::element::{Element, Field};
use crate::import::fault::{FaultCode, ImportFault, Problem};

/// How deep elements may stand in each other. Real exports need a dozen levels.
const DEPTH: usize = 64;

/// What a file holds, in its order.
pub(super) trait Visitor {
    /// What comes next ends on this line.
    fn reach(&mut self, line: u64);
    /// An element begins. `attribute` gives its attributes by name.
    fn open(&mut self, element: Element, attributes: &[(String, String)]) -> Result<(), Problem>;
    /// A value was read.
    fn value(&mut self, field: Field, text: &str) -> Result<(), Problem>;
    /// An element ends.
    fn close(&mut self, element: Element) -> Result<(), Problem>;
}

/// Reads a file to its end. `name` is the file's name in faults.
///
/// A fault names the line on which what is wrong ends.
pub(super) fn walk(
    file: impl Read,
    name: &str,
    visitor: &mut impl Visitor,
) -> Result<(), ImportFault> {
    let fault = |problem: Problem| ImportFault::new(problem, Cow::Owned(name.to_owned()));
    let input = Input::new(file).map_err(|error| fault(io_problem(&error)))?;
    let mut reader = Reader::from_reader(input);
    reader.config_mut().check_comments = false;
    let mut buffer = Vec::new();
    let mut walk = Walk::default();
    loop {
        buffer.clear();
        reader.get_mut().begin_event();
        let done = match reader.read_event_into(&mut buffer) {
            Ok(event) => {
                visitor.reach(reader.get_ref().line());
                walk.take(&event, visitor)
            }
            Err(error) => Err(problem(&error)),
        };
        match done {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(problem) => return Err(fault(problem).row(reader.get_ref().line())),
        }
    }
}

/// Where a walk is.
#[derive(Default)]
struct Walk {
    open: Vec<Element>,
    /// The text of the value that is being read.
    text: String,
    /// Whether the root element has ended.
    is_over: bool,
    has_export: bool,
}

impl Walk {
    /// Takes what comes next. `true`: it was the end of the file.
    fn take(&mut self, event: &Event<'_>, visitor: &mut impl Visitor) -> Result<bool, Problem> {
        match event {
            Event::Start(start) => self.begin(start, visitor)?,
            Event::Empty(start) => {
                self.begin(start, visitor)?;
                self.end(visitor)?;
            }
            Event::End(_) => self.end(visitor)?,
            Event::Text(text) => self.add(&text.xml10_content())?,
            Event::CData(text) => self.add(&text.xml10_content())?,
            Event::GeneralRef(reference) => self.add(&resolved(reference)?)?,
            Event::DocType(_) => return Err(FaultCode::XmlDtdRefused.into()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return self.finish().map(|()| true),
        }
        Ok(false)
    }

    fn begin(&mut self, start: &BytesStart<'_>, visitor: &mut impl Visitor) -> Result<(), Problem> {
        if self.is_over {
            return Err(FaultCode::XmlInvalid.into());
        }
        if self.open.len() >= DEPTH {
            return Err(Problem::new(
                FaultCode::XmlInvalid,
                "elements stand in each other deeper than in any real export; check that it is the \
                 right file",
            ));
        }
        let parent = self.open.last().copied().unwrap_or(Element::Outside);
        let name = start.local_name();
        let element = parent.child(name.as_ref());
        // Only the attributes of what is read are looked at.
        let mut attributes = Vec::new();
        if !matches!(element, Element::Passed | Element::Outside) {
            for attribute in start.attributes() {
                let attribute = attribute.map_err(|_| FaultCode::XmlInvalid)?;
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                let value = value.map_err(|_| FaultCode::XmlInvalid)?;
                let name = attribute.key.local_name().as_ref().to_owned();
                attributes.push((name, value.into_owned()));
            }
        }
        self.has_export |= element == Element::Export;
        self.text.clear();
        self.open.push(element);
        visitor.open(element, &attributes)
    }

    fn end(&mut self, visitor: &mut impl Visitor) -> Result<(), Problem> {
        // The parser has refused an end without a beginning.
        let Some(element) = self.open.pop() else {
            return Err(FaultCode::XmlInvalid.into());
        };
        self.is_over = self.open.is_empty();
        if let Element::Value(field) = element {
            visitor.value(field, self.text.trim())?;
        }
        self.text.clear();
        visitor.close(element)
    }

    fn add(&mut self, text: &str) -> Result<(), Problem> {
        match self.open.last() {
            Some(Element::Value(_)) => self.text.push_str(text),
            Some(_) => {}
            None if text.trim_start_matches('\u{feff}').trim().is_empty() => {}
            None => return Err(FaultCode::XmlInvalid.into()),
        }
        match self.text.len() <= TEXT_LIMIT {
            true => Ok(()),
            false => Err(FaultCode::TextTooLong.into()),
        }
    }

    fn finish(&self) -> Result<(), Problem> {
        match (self.is_over, self.has_export) {
            (true, true) => Ok(()),
            (true, false) => Err(FaultCode::XmlNotStil.into()),
            (false, _) => Err(cut_short()),
        }
    }
}

/// The most bytes of one value.
const TEXT_LIMIT: usize = 1 << 16;

/// A character by its number, or one of the five that XML names. A file that names its own could make
/// a small text endless.
fn resolved(reference: &BytesRef<'_>) -> Result<String, Problem> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character.to_string()),
        Ok(None) => {
            let name = reference.xml10_content();
            let found = resolve_predefined_entity(&name);
            found
                .map(str::to_owned)
                .ok_or_else(|| FaultCode::XmlDtdRefused.into())
        }
        Err(_) => Err(FaultCode::XmlInvalid.into()),
    }
}

fn cut_short() -> Problem {
    Problem::new(
        FaultCode::FileCutShort,
        "the file ends before its last element does, so its end is missing; export it again, or copy \
         it again",
    )
}

fn problem(error: &Error) -> Problem {
    match error {
        Error::Io(error) => io_problem(error),
        Error::Syntax(SyntaxError::InvalidBangMarkup) => FaultCode::XmlInvalid.into(),
        // All others of these say that the file ends too early.
        Error::Syntax(_) | Error::IllFormed(IllFormedError::UnclosedReference) => cut_short(),
        Error::IllFormed(_)
        | Error::InvalidAttr(_)
        | Error::Encoding(_)
        | Error::Escape(_)
        | Error::Namespace(_) => FaultCode::XmlInvalid.into(),
    }
}

fn io_problem(error: &io::Error) -> Problem {
    let stopped = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Stopped>());
    match stopped {
        Some(Stopped(FaultCode::FileCutShort)) => cut_short(),
        Some(Stopped(FaultCode::EncodingUnknown)) => Problem::new(
            FaultCode::EncodingUnknown,
            "the file is not in the encoding that its first line says, or in one that is not read; \
             save it again as UTF-8",
        ),
        Some(Stopped(code)) => (*code).into(),
        None => FaultCode::FileUnreadable.into(),
    }
}

/// Whether a file begins as XML does.
pub(super) fn is_xml(file: impl Read) -> io::Result<bool> {
    let mut head = Vec::new();
    file.take(64).read_to_end(&mut head)?;
    let marks = [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"];
    let rest = marks.iter().find_map(|mark| head.strip_prefix(*mark));
    let rest = rest.unwrap_or(&head);
    let mut bytes = rest.iter().filter(|byte| **byte != 0);
    Ok(bytes.find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<'))
}
