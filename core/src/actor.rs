//! Who acts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{IdError, PersonId, SystemId};

/// Who acts: a pseudonym, never a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A person.
    Person(PersonId),
    /// A system, such as a roster import.
    System(SystemId),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person/{id}"),
            Self::System(id) => write!(f, "system/{id}"),
        }
    }
}

impl FromStr for Actor {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once('/') {
            Some(("person", id)) => id.parse().map(Self::Person),
            Some(("system", id)) => id.parse().map(Self::System),
            Some(_) | None => Err(IdError::Malformed),
        }
    }
}
