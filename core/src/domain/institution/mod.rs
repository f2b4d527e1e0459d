//! Institutions: schools and other places with pupils and staff.

mod apply;
mod decide;

use serde::{Deserialize, Serialize};

use crate::text::{Code, Name, ReasonText};

/// What can be asked of an institution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstitutionCommand {
    /// Makes the institution known. Refused if it is known already.
    Register(InstitutionDetails),
    /// Changes its name or code.
    Revise(InstitutionDetails),
    /// Closes the institution, which means that it is no longer in use. Nothing that belongs to it
    /// is touched.
    Close {
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Takes the closing back.
    Reopen,
    /// Makes the institution as given, whatever it was before, and records only the differences.
    /// For imports.
    Put {
        /// Name and code.
        details: InstitutionDetails,
        /// Whether it is closed.
        closed: bool,
    },
}

/// Name and code of an institution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstitutionDetails {
    /// The name that people see.
    pub name: Name,
    /// The number of the institution in other systems; `None` if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

/// What happened to an institution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstitutionEvent {
    /// It became known.
    Registered(InstitutionDetails),
    /// Its name or code changed.
    Revised(InstitutionDetails),
    /// It is no longer in use.
    Closed {
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// It is in use again.
    Reopened {},
}

/// An institution as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Institution {
    /// Name and code.
    pub details: InstitutionDetails,
    /// Whether it is closed, which means no longer in use.
    pub closed: bool,
}
