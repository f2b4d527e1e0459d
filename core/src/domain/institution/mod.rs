//! Institutions: schools and other places with pupils and staff.

mod apply;
mod decide;

use serde::{Deserialize, Serialize};

use crate::text::{Code, Name, Reason};

/// What can be asked of an institution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstitutionCommand {
    /// Makes it known. Refused if it already is.
    Register(InstitutionDetails),
    /// Changes its name or code.
    Revise(InstitutionDetails),
    /// Says that it is no longer in use. Nothing that belongs to it is touched.
    Close {
        /// Why.
        reason: Option<Reason>,
    },
    /// Takes a closing back.
    Reopen,
    /// Makes it as given, from whatever it was; records differences only. For imports.
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
    /// What people call it.
    pub name: Name,
    /// Its number in other systems.
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
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// It is in use again.
    Reopened {},
}

/// An institution as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Institution {
    /// Name and code.
    pub details: InstitutionDetails,
    /// No longer in use.
    pub closed: bool,
}
