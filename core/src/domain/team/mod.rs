//! Teams (*hold*): teaching groups with members and staff.

mod apply;
mod decide;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Deletion;
use crate::ids::{InstitutionId, PersonId, SchoolYearId};
use crate::text::{Code, Name, ReasonText, SourceName, Title};

/// What a member of staff does in a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffRole {
    /// *Lærer*.
    Teacher,
    /// *Pædagog*.
    Pedagogue,
}

/// The institution, school year, title, subject and code of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamDetails {
    /// The institution that the team belongs to.
    pub institution: InstitutionId,
    /// The school year of the team; `None` if it belongs to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub school_year: Option<SchoolYearId>,
    /// What people call it: "7.b dansk".
    pub title: Title,
    /// The subject that is taught; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Name>,
    /// The code of the team in other systems; `None` if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

/// What can be asked of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeamCommand {
    /// Creates the team. Refused if it exists.
    Create {
        /// The institution, school year, title, subject and code.
        details: TeamDetails,
        /// The person who owns it; `None` if nobody does.
        owner: Option<PersonId>,
    },
    /// Changes the institution, school year, title, subject or code.
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
        /// The member of staff.
        person: PersonId,
        /// The role of the member of staff.
        role: StaffRole,
    },
    /// Removes a member of staff.
    RemoveStaff {
        /// The member of staff.
        person: PersonId,
    },
    /// Closes the team, which means that it is no longer in use.
    Close {
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Takes the closing back.
    Reopen,
    /// Deletes the team. Its year plans and their plans are untouched (P1).
    Delete {
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Takes the deletion back.
    Undelete,
    /// Gives the team to another owner. This works for a deleted team too.
    TransferOwnership {
        /// The new owner.
        to: PersonId,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Gives the team to another owner, as a step of a recovery. Refused if the team has got
    /// another owner meanwhile.
    HandOver {
        /// The owner that it must still have; `None` for no owner. With another owner the command
        /// is refused.
        from: Option<PersonId>,
        /// The new owner.
        to: PersonId,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Takes [`TeamCommand::HandOver`] back, even if the earlier owner has left since.
    HandBack {
        /// The owner that it must still have. With another owner the command is refused.
        from: PersonId,
        /// The owner that it had earlier; `None` if it had none.
        to: Option<PersonId>,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Moves the team to another institution, as a step of a recovery. Refused if it has been moved
    /// meanwhile.
    Move {
        /// The institution that it must still belong to. With another one the command is refused.
        from: InstitutionId,
        /// The institution that it belongs to from then on.
        to: InstitutionId,
    },
    /// Takes [`TeamCommand::Move`] back, even if the earlier institution is closed.
    MoveBack {
        /// The institution that it must still belong to. With another one the command is refused.
        from: InstitutionId,
        /// The institution that it belonged to earlier.
        to: InstitutionId,
    },
    /// Makes details, members and staff as given, and records only the differences. An owner is set
    /// only if there is none, and a deleted team stays deleted. What a person decided stays (see
    /// [`TeamFact`]). For imports.
    Put {
        /// The institution, school year, title, subject and code. Without a school year the one that is
        /// known stays.
        details: TeamDetails,
        /// Every student; one that is not named is removed.
        members: BTreeSet<PersonId>,
        /// Every member of staff; one that is not named is removed.
        staff: BTreeMap<PersonId, StaffRole>,
        /// The owner, set only if there is none yet.
        owner: Option<PersonId>,
        /// Whether it is closed.
        closed: bool,
        /// The source whose roster has the team; `None` leaves what was said before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<SourceName>,
    },
    /// Says that the team is not in the newest bulk export of a source that had the team before. This
    /// is a sign and nothing more: students and staff stay, and the team is not closed. A `Put` with
    /// that source ends the absence. For imports.
    NoteAbsence {
        /// The source.
        source: SourceName,
        /// The day of the last roster of the source that had the team.
        last_seen: Date,
    },
    /// Says as much of a team as an import knows: some of its rows could not be used, or it holds
    /// changes only. Like [`TeamCommand::Put`], but what is not said stays.
    PutPart {
        /// The institution, school year, title, subject and code; `None` if nothing is said of them.
        /// A team that is not known is created if they are given, else the command is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        details: Option<TeamDetails>,
        /// Students of the team.
        members: BTreeSet<PersonId>,
        /// Members of staff.
        staff: BTreeMap<PersonId, StaffRole>,
        /// Persons who have no place in the team unless they are named above.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        gone: BTreeSet<PersonId>,
        /// Persons of whom nothing is said. Places of others who are not named above end. `None`:
        /// nothing is said of anybody who is not named above or among those gone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unsaid: Option<BTreeSet<PersonId>>,
        /// The owner, set only if there is none yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<PersonId>,
        /// Whether it is closed; `None` if nothing is said of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        closed: Option<bool>,
        /// The source whose roster has the team; `None` if it does not say so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<SourceName>,
    },
}

/// What happened to a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeamEvent {
    /// It was created.
    Created {
        /// The institution, school year, title, subject and code.
        details: TeamDetails,
        /// The person who owns it; `None` if nobody does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<PersonId>,
    },
    /// The institution, school year, title, subject or code changed.
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
        /// The member of staff.
        person: PersonId,
        /// The role of the member of staff.
        role: StaffRole,
    },
    /// A member of staff left.
    StaffRemoved {
        /// The member of staff.
        person: PersonId,
    },
    /// It is no longer in use.
    Closed {
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// It is in use again.
    Reopened {},
    /// It was deleted.
    Deleted {
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// The deletion was taken back.
    Undeleted {},
    /// The team got another owner.
    OwnershipTransferred {
        /// The owner until now. `None` if it had none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<PersonId>,
        /// The new owner.
        to: PersonId,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// The team has no owner any more.
    OwnershipGivenUp {
        /// The owner until now.
        from: PersonId,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// The roster now says what a person had decided about these facts, or an import that a person
    /// ran has changed them. From here on the roster decides them again.
    LeftToRoster {
        /// The facts.
        facts: BTreeSet<TeamFact>,
    },
    /// The roster of a source has the team for the first time, or again.
    RecordedInRoster {
        /// The source.
        source: SourceName,
    },
    /// The team was no longer in the roster of a source.
    AbsentFromRoster {
        /// The source.
        source: SourceName,
        /// The day of the last roster of the source that had the team.
        last_seen: Date,
    },
    /// A recovery moved it to another institution, or back. That is never the word of a roster,
    /// whoever began the recovery.
    Moved {
        /// The institution that it belonged to before.
        from: InstitutionId,
        /// The institution that it belongs to now.
        to: InstitutionId,
    },
}

/// Something that a roster says about a team, and that a person may decide otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeamFact {
    /// Whether this person is a student of the team.
    Member(PersonId),
    /// Whether this person is on the staff of the team, and in which role.
    Staff(PersonId),
    /// Whether the team is closed.
    Closed,
    /// One of its details.
    Detail(TeamDetail),
}

/// Names one of the details of a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeamDetail {
    /// The institution that it belongs to.
    Institution,
    /// The school year that it belongs to.
    SchoolYear,
    /// What people call it.
    Title,
    /// The subject that is taught.
    Subject,
    /// Its code in other systems.
    Code,
}

/// A team as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// The institution, school year, title, subject and code.
    pub details: TeamDetails,
    /// The person who owns it; `None` if nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// Every person who owned it earlier.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub former_owners: BTreeSet<PersonId>,
    /// Its students.
    pub members: BTreeSet<PersonId>,
    /// Its staff.
    pub staff: BTreeMap<PersonId, StaffRole>,
    /// Whether it is closed, which means no longer in use.
    pub closed: bool,
    /// Who deleted it, when and why; `None` unless it is deleted now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
    /// What a person decided and the roster has not said yet, apart from details. An import leaves it
    /// alone. [`Team::decided_by_hand`] gives everything.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub by_hand: BTreeSet<TeamFact>,
    /// The details that the roster gave last, if a person has changed some of them since. An import
    /// that says one of those again leaves the present one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster_details: Option<Box<TeamDetails>>,
    /// The sources whose rosters have had the team.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sources: BTreeSet<SourceName>,
    /// The sources whose newest roster does not have the team, each with the day of the last one
    /// that did.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub absent: BTreeMap<SourceName, Date>,
}
