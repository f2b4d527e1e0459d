//! Reads the fields of a message, and collects every wrong field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::str::FromStr;

use jiff::civil::Date;
use planledger_core::ids::IdError;
use planledger_core::text::{
    Code, CprContext, ExternalId, IdentityText, Name, ReasonText, SourceName, Text, TextError,
    Title,
};

use super::choice::Choice;

/// What is wrong with a field: `FieldViolationReason` of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViolationReason {
    /// The field is required and not set.
    Missing,
    /// The text is not a UUID, or not a stream.
    MalformedId,
    /// The text holds something that looks like a CPR number.
    CprNumber,
    /// The text is longer than its kind allows.
    TooLong,
    /// The text is only white space.
    Empty,
    /// The text holds a control character, or one that nobody sees where it must not stand.
    ControlCharacter,
    /// The enum value is not known.
    UnknownEnum,
    /// The text is not a calendar day.
    MalformedDate,
    /// The number, instant or count is outside the allowed range.
    OutOfRange,
    /// The list holds the same item twice.
    Duplicate,
}

impl ViolationReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Missing,
        Self::MalformedId,
        Self::CprNumber,
        Self::TooLong,
        Self::Empty,
        Self::ControlCharacter,
        Self::UnknownEnum,
        Self::MalformedDate,
        Self::OutOfRange,
        Self::Duplicate,
    ];

    /// The code of this reason, as callers see it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "MISSING",
            Self::MalformedId => "MALFORMED_ID",
            Self::CprNumber => "CPR_NUMBER",
            Self::TooLong => "TOO_LONG",
            Self::Empty => "EMPTY",
            Self::ControlCharacter => "CONTROL_CHARACTER",
            Self::UnknownEnum => "UNKNOWN_ENUM",
            Self::MalformedDate => "MALFORMED_DATE",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Duplicate => "DUPLICATE",
        }
    }
}

/// One wrong field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, in the API's names: `plan.record_evaluation.assessment.level`.
    pub field: String,
    /// What is wrong: the code of a [`ViolationReason`], or the reason of the error itself.
    pub reason: &'static str,
    /// What is wrong, for people. It never repeats text from the request.
    pub description: String,
}

/// A message with wrong fields: all of them, and at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRequest {
    /// The first wrong fields, in the order in which they were read: at most 50.
    pub violations: Vec<Violation>,
    /// How many more were found.
    pub more: usize,
}

/// The most wrong fields that an answer names.
const MOST_SHOWN: usize = 50;
/// The most wrong fields that are looked for in lists. What comes after them is not read.
const MOST_FOUND: usize = 1_000;
/// The most wrong fields that the message for people names.
const MOST_TOLD: usize = 5;
/// The most items of any list. Many lists may have fewer.
const MOST_ITEMS: usize = 100_000;

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request is not valid")?;
        for (index, violation) in self.violations.iter().take(MOST_TOLD).enumerate() {
            let before = if index == 0 { ": " } else { "; " };
            write!(f, "{before}{} {}", violation.field, violation.description)?;
        }
        match (self.violations.len() + self.more).saturating_sub(MOST_TOLD) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl std::error::Error for BadRequest {}

/// A text with a limit, as the library defines it.
pub(super) trait WireText: Sized {
    fn read(value: &str, context: Option<CprContext>) -> Result<Self, TextError>;
}

macro_rules! wire_texts {
    ($($name:ident),*) => {$(
        impl WireText for $name {
            fn read(value: &str, context: Option<CprContext>) -> Result<Self, TextError> {
                Self::new_in(value, context.unwrap_or(Self::CONTEXT))
            }
        }
    )*};
}

wire_texts!(
    Name,
    Title,
    Text,
    Code,
    ReasonText,
    SourceName,
    ExternalId,
    IdentityText
);

/// The path that is being read, and the violations found so far. A method that returns `None` has
/// recorded a violation first.
#[derive(Debug, Default)]
pub(super) struct Fields {
    path: String,
    violations: Vec<Violation>,
    /// How many violations were found that are not among these.
    more: usize,
    /// Where the texts stand that are read now; `None` if that is where such texts usually stand.
    context: Option<CprContext>,
}

impl Fields {
    /// Reads a whole message.
    pub(super) fn read<T>(read: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, BadRequest> {
        let mut fields = Self::default();
        let value = read(&mut fields);
        match value {
            Some(value) if fields.violations.is_empty() => Ok(value),
            Some(_) | None => Err(BadRequest {
                violations: fields.violations,
                more: fields.more,
            }),
        }
    }

    /// Records that the field `name` is wrong.
    pub(super) fn violate(
        &mut self,
        name: &str,
        reason: ViolationReason,
        description: impl Into<String>,
    ) {
        if self.violations.len() >= MOST_SHOWN {
            self.more += 1;
            return;
        }
        let description = description.into();
        self.within(name, |fields| {
            fields.violations.push(Violation {
                field: fields.path.clone(),
                reason: reason.code(),
                description,
            });
        });
    }

    /// Reads the content of the field `name`.
    pub(super) fn within<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let outside = self.path.len();
        // An empty name means the field itself. An index follows its list without a dot.
        if outside > 0 && !name.is_empty() && !name.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(name);
        let value = read(self);
        self.path.truncate(outside);
        value
    }

    /// Reads texts that stand elsewhere than such texts usually do.
    pub(super) fn in_context<T>(
        &mut self,
        context: CprContext,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let outside = self.context.replace(context);
        let value = read(self);
        self.context = outside;
        value
    }

    /// Reads a message that must be present.
    pub(super) fn message<M, T>(
        &mut self,
        name: &str,
        message: Option<M>,
        read: impl FnOnce(&mut Self, M) -> Option<T>,
    ) -> Option<T> {
        match message {
            Some(message) => self.within(name, |fields| read(fields, message)),
            None => self.missing(name),
        }
    }

    /// Reads a value that may be absent.
    pub(super) fn optional<M, T>(
        &mut self,
        message: Option<M>,
        read: impl FnOnce(&mut Self, M) -> Option<T>,
    ) -> Option<Option<T>> {
        match message {
            Some(message) => read(self, message).map(Some),
            None => Some(None),
        }
    }

    /// Records that a required field is not set.
    pub(super) fn missing<T>(&mut self, name: &str) -> Option<T> {
        self.violate(name, ViolationReason::Missing, "is required");
        None
    }

    /// Reads an id.
    pub(super) fn id<T: FromStr<Err = IdError>>(&mut self, name: &str, value: &str) -> Option<T> {
        if value.is_empty() {
            return self.missing(name);
        }
        value
            .parse()
            .map_err(|error: IdError| {
                let reason = match error {
                    IdError::Cpr => ViolationReason::CprNumber,
                    // A nil id, a malformed id, or any other text that is not an id.
                    _ => ViolationReason::MalformedId,
                };
                self.violate(name, reason, error.to_string());
            })
            .ok()
    }

    /// Reads an id that may be absent.
    pub(super) fn optional_id<T: FromStr<Err = IdError>>(
        &mut self,
        name: &str,
        value: Option<&str>,
    ) -> Option<Option<T>> {
        self.optional(value, |fields, value| fields.id(name, value))
    }

    /// Reads a text.
    pub(super) fn text<T: WireText>(&mut self, name: &str, value: &str) -> Option<T> {
        if value.is_empty() {
            return self.missing(name);
        }
        self.present_text(name, value)
    }

    /// Reads a text that may be absent.
    pub(super) fn optional_text<T: WireText>(
        &mut self,
        name: &str,
        value: Option<&str>,
    ) -> Option<Option<T>> {
        self.optional(value, |fields, value| fields.present_text(name, value))
    }

    fn present_text<T: WireText>(&mut self, name: &str, value: &str) -> Option<T> {
        T::read(value, self.context)
            .map_err(|error| {
                let reason = match error {
                    TextError::Empty => ViolationReason::Empty,
                    TextError::TooLong { .. } => ViolationReason::TooLong,
                    TextError::Cpr => ViolationReason::CprNumber,
                    // A control character, or another character that a text may not hold.
                    _ => ViolationReason::ControlCharacter,
                };
                self.violate(name, reason, error.to_string());
            })
            .ok()
    }

    /// Reads a calendar day in the form `YYYY-MM-DD`, and in no other form.
    pub(super) fn date(&mut self, name: &str, value: &str) -> Option<Date> {
        if value.is_empty() {
            return self.missing(name);
        }
        // The library's parser accepts other forms of ISO 8601 too, but the API promises only this
        // one.
        let shaped = value.len() == 10
            && value.bytes().enumerate().all(|(index, byte)| match index {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let date = if shaped { value.parse().ok() } else { None };
        if date.is_none() {
            self.violate(
                name,
                ViolationReason::MalformedDate,
                "must be a calendar day in the form YYYY-MM-DD",
            );
        }
        date
    }

    /// Reads a calendar day that may be absent.
    pub(super) fn optional_date(
        &mut self,
        name: &str,
        value: Option<&str>,
    ) -> Option<Option<Date>> {
        self.optional(value, |fields, value| fields.date(name, value))
    }

    /// Reads an enum value, which must be known and not UNSPECIFIED.
    pub(super) fn choice<T: Choice>(&mut self, name: &str, value: i32) -> Option<T> {
        let choice = T::from_number(value);
        if choice.is_none() {
            let description = if value == 0 {
                "must be set to a value other than UNSPECIFIED"
            } else {
                "is a value that this server does not know"
            };
            self.violate(name, ViolationReason::UnknownEnum, description);
        }
        choice
    }

    /// Refuses a list with more items than it may have, before any of them is looked at.
    pub(super) fn at_most(&mut self, name: &str, count: usize, limit: usize) -> Option<()> {
        if count <= limit {
            return Some(());
        }
        let description = format!("has {count} items, but at most {limit} are allowed");
        self.violate(name, ViolationReason::OutOfRange, description);
        None
    }

    /// Reads every element of a list, unless so much is wrong already that nobody would be told of
    /// more.
    pub(super) fn list<M, T>(
        &mut self,
        name: &str,
        list: Vec<M>,
        mut read: impl FnMut(&mut Self, M) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.at_most(name, list.len(), MOST_ITEMS)?;
        self.within(name, |fields| {
            let mut values = Vec::with_capacity(list.len());
            let mut whole = true;
            for (index, message) in list.into_iter().enumerate() {
                if fields.more >= MOST_FOUND {
                    return None;
                }
                let value = fields.within(&place(index), |fields| read(fields, message));
                whole &= value.is_some();
                values.extend(value);
            }
            whole.then_some(values)
        })
    }

    /// Reads a list of texts.
    pub(super) fn texts<T: WireText>(&mut self, name: &str, list: &[String]) -> Option<Vec<T>> {
        self.list(name, list.iter().collect(), |fields, text: &String| {
            fields.text("", text)
        })
    }

    /// Reads a list of ids. The same id may not occur twice.
    pub(super) fn ids<T: FromStr<Err = IdError> + Ord>(
        &mut self,
        name: &str,
        list: &[String],
    ) -> Option<BTreeSet<T>> {
        self.set(name, list.iter().collect(), |fields, id: &String| {
            fields.id("", id)
        })
    }

    /// Reads a list whose elements must all differ.
    pub(super) fn set<M, T: Ord>(
        &mut self,
        name: &str,
        list: Vec<M>,
        mut read: impl FnMut(&mut Self, M) -> Option<T>,
    ) -> Option<BTreeSet<T>> {
        let pairs = self.map(name, list, |fields, message| {
            read(fields, message).map(|value| (value, ()))
        })?;
        Some(pairs.into_keys().collect())
    }

    /// Reads a list of keys and values. The same key may not occur twice.
    pub(super) fn map<M, K: Ord, V>(
        &mut self,
        name: &str,
        list: Vec<M>,
        mut read: impl FnMut(&mut Self, M) -> Option<(K, V)>,
    ) -> Option<BTreeMap<K, V>> {
        let mut values = BTreeMap::new();
        let mut unique = true;
        let read_all = self.list(name, list, |fields, message| {
            let (key, value) = read(fields, message)?;
            if values.insert(key, value).is_some() {
                unique = false;
                fields.violate(
                    "",
                    ViolationReason::Duplicate,
                    "is in the list twice; remove one of the two",
                );
            }
            Some(())
        });
        read_all.filter(|_| unique).map(|_| values)
    }
}

fn place(index: usize) -> String {
    let mut place = String::with_capacity(6);
    // Writing to a string cannot fail.
    let _ = write!(place, "[{index}]");
    place
}
