//! Takes values out of JSON one by one. A derived reader would not do: its messages repeat what
//! the file holds, and it stops at the first fault.

use std::borrow::Cow;

use planledger_core::text::TextError;
use serde_json::{Map, Value};

use super::FILE_LIMIT;
use super::published::{self, Damage};
use crate::import::fault::{Collector, FaultCode, ImportFault, ImportFaults, Problem};
use crate::import::json::MOST_VALUES;

/// What an element of a package is known by.
const IDENTIFIER: &str = "identifier";

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// The bytes of a file that must be UTF-8, without the mark at their beginning.
pub(super) fn text<'b>(name: &str, bytes: &'b [u8]) -> Result<&'b [u8], ImportFault> {
    if let Err(error) = std::str::from_utf8(bytes) {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        return Err(ImportFault::new(FaultCode::Utf8Invalid, name.to_owned()).row(line));
    }
    Ok(bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes))
}

/// The fault of a file that is longer than any package.
pub(super) fn too_long(name: &str) -> ImportFault {
    let problem = Problem::new(
        FaultCode::FileTooLarge,
        format!(
            "the file is larger than {} MiB, which no real package is; check that it is the right \
             file",
            FILE_LIMIT >> 20
        ),
    );
    ImportFault::new(problem, name.to_owned())
}

/// The fault of a file that is no JSON.
pub(super) fn no_json(name: &str, error: &serde_json::Error) -> ImportFault {
    let problem = Problem::new(
        FaultCode::JsonInvalid,
        format!(
            "the file is not valid JSON from character {} of this line on; check that it is the \
             right file, and download it again",
            error.column()
        ),
    );
    ImportFault::new(problem, name.to_owned()).row(error.line() as u64)
}

/// The fault of a file whose JSON is no object.
pub(super) fn no_object(name: &str) -> ImportFault {
    let problem = Problem::new(
        FaultCode::TypeWrong,
        "the file does not hold a CFPackage, which is a JSON object; check that it is the right file",
    );
    ImportFault::new(problem, name.to_owned())
}

/// The values of one file, and what is wrong with those that were taken.
pub(super) struct Values<'n> {
    name: &'n str,
    faults: Collector,
    /// What held control characters.
    damage: Damage,
}

impl<'n> Values<'n> {
    /// `name` stands for the file in faults.
    pub(super) fn new(name: &'n str) -> Self {
        Self {
            name,
            faults: Collector::default(),
            damage: Damage::default(),
        }
    }

    fn of_file(&self, problem: impl Into<Problem>) -> ImportFault {
        ImportFault::new(problem, self.name.to_owned())
    }

    /// The fault of the value at `path`.
    pub(super) fn fault_at(&self, problem: Problem, path: String) -> ImportFault {
        self.of_file(problem).field(path)
    }

    /// Adds a fault of the value at `path`.
    pub(super) fn fault(&mut self, problem: impl Into<Problem>, path: impl Into<String>) {
        let fault = self.of_file(problem).field(path);
        self.faults.push(fault);
    }

    /// Whether no fault was found so far.
    pub(super) fn are_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// `content` if no fault was found. Only a fault leaves no content.
    pub(super) fn finish<T>(self, content: Option<T>) -> Result<T, ImportFaults> {
        match content {
            Some(content) => self.faults.finish(content),
            None => Err(self.faults.into_faults()),
        }
    }

    /// An element of a list, which must be an object; `None` if it is too large.
    pub(super) fn element<'v>(
        &mut self,
        value: Option<&'v Value>,
        path: &str,
    ) -> Option<&'v Object> {
        if value.is_none() {
            self.fault(too_large(), path);
        }
        self.object(value?, path)
    }

    /// `value`, which must be an object.
    pub(super) fn object<'v>(&mut self, value: &'v Value, path: &str) -> Option<&'v Object> {
        let object = value.as_object();
        if object.is_none() {
            self.fault(wrong_type("a JSON object"), path);
        }
        object
    }

    /// An object that must be there. `path` says where `value` stands.
    pub(super) fn required_object<'v>(
        &mut self,
        value: Option<&'v Value>,
        path: &str,
    ) -> Option<&'v Object> {
        match value {
            Some(Value::Null) | None => {
                self.fault(FaultCode::ValueMissing, path);
                None
            }
            Some(value) => self.object(value, path),
        }
    }

    /// Adds the fault of what should be a list at `path`.
    pub(super) fn no_list(&mut self, path: &str) {
        self.fault(wrong_type("a JSON list"), path);
    }

    /// What held control characters, so far.
    pub(super) fn take_damage(&mut self) -> Damage {
        std::mem::take(&mut self.damage)
    }

    /// A text without control characters. An identifier stays as it is: without them it would be another
    /// one.
    fn cleaned<'t>(&mut self, object: &Object, name: &str, text: &'t str) -> Cow<'t, str> {
        if name == IDENTIFIER {
            return Cow::Borrowed(text);
        }
        let (text, found) = published::clean(text);
        if let Some(character) = found {
            let identifier = object.get(IDENTIFIER).and_then(Value::as_str);
            self.damage.note(identifier.unwrap_or_default(), character);
        }
        text
    }

    /// A text that must be there, as `parse` reads it.
    pub(super) fn required<T, P: Into<Problem>>(
        &mut self,
        object: &Object,
        path: &str,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, P>,
    ) -> Option<T> {
        let problem = match object.get(name) {
            Some(Value::String(text)) => match parse(self.cleaned(object, name, text).trim()) {
                Ok(value) => return Some(value),
                Err(problem) => problem.into(),
            },
            Some(Value::Null) | None => FaultCode::ValueMissing.into(),
            Some(_) => wrong_type("a text in quotation marks"),
        };
        self.fault(problem, format!("{path}.{name}"));
        None
    }

    /// A text of one line that may be absent or empty, as `parse` reads it.
    pub(super) fn optional<T>(
        &mut self,
        object: &Object,
        path: &str,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, TextError>,
    ) -> Option<T> {
        match object.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.trim().is_empty() => None,
            Some(_) => self.required(object, path, name, |text| parse(&published::one_line(text))),
        }
    }
}

/// What is wrong with a value of another type.
pub(super) fn wrong_type(needed: &str) -> Problem {
    Problem::new(
        FaultCode::TypeWrong,
        format!("the value is of the wrong JSON type; write {needed} here"),
    )
}

/// What is wrong with a value that holds more than any real one.
pub(super) fn too_large() -> Problem {
    Problem::new(
        FaultCode::FileTooLarge,
        format!(
            "this holds more than {MOST_VALUES} values, which no real one does; check that it is the \
             right file"
        ),
    )
}

/// A whole number, also one that is written with a fraction of 0.
pub(super) fn whole_number(value: &Value) -> Option<i64> {
    /// Up to here every whole number is one of its kind.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    let written = || {
        let number = value.as_f64()?;
        (number.fract() == 0.0 && number.abs() <= LARGEST)
            .then(|| format!("{number:.0}").parse().ok())?
    };
    value.as_i64().or_else(written)
}

/// What of a package is passed over.
#[derive(Debug, Default)]
pub(super) struct Passed {
    pub(super) count: u64,
    /// The first, each with its path.
    pub(super) first: Vec<(Problem, String)>,
}

impl Passed {
    /// How many are listed. More than these only a file has that is no package.
    const LISTED: usize = 100_000;

    pub(super) fn add(&mut self, problem: impl Into<Problem>, path: impl Into<String>) {
        self.count += 1;
        if self.first.len() < Self::LISTED {
            self.first.push((problem.into(), path.into()));
        }
    }
}
