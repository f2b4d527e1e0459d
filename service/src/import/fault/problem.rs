//! What is wrong with a value, before anybody says where the value stands.

use std::borrow::Cow;

use planledger_core::text::TextError;

use super::code::FaultCode;

/// A code and what people read about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(super) code: FaultCode,
    pub(super) message: Cow<'static, str>,
}

impl Problem {
    /// A problem in words that say more than the code's own. They must not repeat what the file
    /// holds.
    pub(crate) fn new(code: FaultCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The code.
    pub(crate) fn code(&self) -> FaultCode {
        self.code
    }
}

impl From<FaultCode> for Problem {
    fn from(code: FaultCode) -> Self {
        Self::new(code, code.message())
    }
}

impl From<TextError> for Problem {
    fn from(error: TextError) -> Self {
        match error {
            TextError::Empty => FaultCode::ValueMissing.into(),
            TextError::TooLong { length, limit } => Self::new(
                FaultCode::TextTooLong,
                format!(
                    "the text has {length} characters, but at most {limit} are allowed; shorten it"
                ),
            ),
            TextError::Cpr => FaultCode::CprFound.into(),
            // `TextError` may grow. What it has left to say is that a text holds what it may not.
            _ => FaultCode::TextControlCharacter.into(),
        }
    }
}
