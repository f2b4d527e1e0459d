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

    /// A text or id holds a control character. It is named, because nobody sees it.
    pub(crate) fn control(character: char) -> Self {
        let number = format!("U+{:04X}", u32::from(character));
        let message = match character {
            '\n' | '\r' => format!("the text holds a line break ({number}); remove it"),
            '\t' => format!("the text holds a tab ({number}); remove it"),
            _ => format!("the text holds the control character {number}; remove it"),
        };
        Self::new(FaultCode::TextControlCharacter, message)
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
            TextError::Control { character } => Self::control(character),
            TextError::Unseen { character } => Self::new(
                FaultCode::TextControlCharacter,
                format!(
                    "the text holds the invisible character U+{:04X}; remove it",
                    u32::from(character)
                ),
            ),
            // `TextError` may grow. What it has left to say is that a text holds what it may not.
            _ => FaultCode::TextControlCharacter.into(),
        }
    }
}
