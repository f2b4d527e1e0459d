//! Teams (*hold*): teaching groups with members and staff.

mod apply;
mod decide;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Deletion;
use crate::ids::{InstitutionId, PersonId, SchoolYearId};
use crate::text::{Code, Name, Reason, Title};

/// What a member of staff does in a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffRole {
    /// *Lærer*.
    Teacher,
    /// *Pædagog*.
    Pedagogue,
}

/// What a team is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamDetails {
    /// Where it belongs.
    pub institution: InstitutionId,
    /// Its school year, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub school_year: Option<SchoolYearId>,
    /// What people call it: "7.b dansk".
    pub title: Title,
    /// The subject, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Name>,
    /// Its code in other systems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

/// What can be asked of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeamCommand {
    /// Creates it. Refused if it exists.
    Create {
        /// What it is.
        details: TeamDetails,
        /// Who owns it.
        owner: Option<PersonId>,
    },
    /// Changes what it is.
    Revise(TeamDetails),
    /// Adds a student.
    AddMember {
        /// The student.
        student: PersonId,
    },
    /// Removes a student; the student's plans are untouched.
    RemoveMember {
        /// The student.
        student: PersonId,
    },
    /// Adds a member of staff, or changes the role.
    AddStaff {
        /// Who.
        person: PersonId,
        /// As what.
        role: StaffRole,
    },
    /// Removes a member of staff.
    RemoveStaff {
        /// Who.
        person: PersonId,
    },
    /// Says that it is no longer in use.
    Close {
        /// Why.
        reason: Option<Reason>,
    },
    /// Takes a closing back.
    Reopen,
    /// Deletes it. Year plans and plans that hang on it are untouched (P1).
    Delete {
        /// Why.
        reason: Option<Reason>,
    },
    /// Takes a deletion back.
    Undelete,
    /// Gives it to another owner, also when it is deleted.
    TransferOwnership {
        /// The new owner.
        to: PersonId,
        /// Why.
        reason: Option<Reason>,
    },
    /// Gives it to another owner as a step of a recovery: unless it has got another one meanwhile.
    HandOver {
        /// The owner it is expected to have.
        from: Option<PersonId>,
        /// The new owner.
        to: PersonId,
        /// Why.
        reason: Option<Reason>,
    },
    /// Takes [`TeamCommand::HandOver`] back, also when the owner before has left since.
    HandBack {
        /// The owner it is expected to have.
        from: PersonId,
        /// The owner before, if there was one.
        to: Option<PersonId>,
        /// Why.
        reason: Option<Reason>,
    },
    /// Makes details, members and staff as given; records differences only. An owner is set only
    /// where there is none, and a deleted team stays deleted. For imports.
    Put {
        /// What it is.
        details: TeamDetails,
        /// Every student; one that is not named is removed.
        members: BTreeSet<PersonId>,
        /// Every member of staff; one that is not named is removed.
        staff: BTreeMap<PersonId, StaffRole>,
        /// First owner.
        owner: Option<PersonId>,
        /// Whether it is closed.
        closed: bool,
    },
}

/// What happened to a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeamEvent {
    /// It was created.
    Created {
        /// What it is.
        details: TeamDetails,
        /// Who owns it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<PersonId>,
    },
    /// What it is changed.
    Revised(TeamDetails),
    /// A student joined.
    MemberAdded {
        /// The student.
        student: PersonId,
    },
    /// A student left.
    MemberRemoved {
        /// The student.
        student: PersonId,
    },
    /// A member of staff joined, or changed role.
    StaffAdded {
        /// Who.
        person: PersonId,
        /// As what.
        role: StaffRole,
    },
    /// A member of staff left.
    StaffRemoved {
        /// Who.
        person: PersonId,
    },
    /// It is no longer in use.
    Closed {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// It is in use again.
    Reopened {},
    /// It was deleted.
    Deleted {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The deletion was taken back.
    Undeleted {},
    /// It has another owner.
    OwnershipTransferred {
        /// The owner before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<PersonId>,
        /// The owner from now on.
        to: PersonId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// It has no owner any more.
    OwnershipGivenUp {
        /// The owner before.
        from: PersonId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
}

/// A team as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// What it is.
    pub details: TeamDetails,
    /// Who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// Who owned it before.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub former_owners: BTreeSet<PersonId>,
    /// Its students.
    pub members: BTreeSet<PersonId>,
    /// Its staff.
    pub staff: BTreeMap<PersonId, StaffRole>,
    /// No longer in use.
    pub closed: bool,
    /// Set while it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
}
