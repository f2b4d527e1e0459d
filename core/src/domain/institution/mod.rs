//! Institutions: schools and other places with pupils and staff.

mod apply;
mod decide;
mod survey;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::survey::{
    GoalRef, StudentsThrough, SurveyCount, SurveyDetails, SurveyDiscussion, SurveyForum,
};
use crate::ids::{InstitutionId, SurveyDiscussionId};
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
    /// Makes the institution as given, whatever it was before, and records only the differences. What
    /// a person decided stays. For imports.
    Put {
        /// Name and code.
        details: InstitutionDetails,
        /// Whether it is closed.
        closed: bool,
    },
    /// Says which institution carries on for this closed one, as a step of a recovery. Refused if
    /// another one has succeeded it meanwhile.
    Succeed {
        /// The successor that it must still have; `None` for none. With another one the command is
        /// refused.
        from: Option<InstitutionId>,
        /// The institution that carries on. It must be open.
        to: InstitutionId,
    },
    /// Takes [`InstitutionCommand::Succeed`] back, whatever became of the institutions.
    SucceedBack {
        /// The successor that it must still have. With another one the command is refused.
        from: InstitutionId,
        /// The successor that it had earlier; `None` if it had none.
        to: Option<InstitutionId>,
    },
    /// Records that the results of the national wellbeing survey were discussed.
    RecordSurveyDiscussion {
        /// The id of the new record, chosen by the sender.
        discussion: SurveyDiscussionId,
        /// What was discussed where, and what was agreed.
        details: SurveyDetails,
    },
    /// Corrects the record of a discussion. The mistake and the correction both stay in the
    /// history.
    CorrectSurveyDiscussion {
        /// The id of the record.
        discussion: SurveyDiscussionId,
        /// What the record should have said.
        details: SurveyDetails,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Withdraws a record that was made by mistake. It stays in the history and is counted no more.
    WithdrawSurveyDiscussion {
        /// The id of the record.
        discussion: SurveyDiscussionId,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
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
    /// An import says of these facts what a person decided. From now on the roster decides them.
    LeftToRoster {
        /// The facts.
        facts: BTreeSet<InstitutionFact>,
    },
    /// A merger said which institution carries on for it, or was undone.
    Succeeded {
        /// The institution that carries on; `None` if none does any more.
        by: Option<InstitutionId>,
    },
    /// It was recorded that the results of the national wellbeing survey were discussed.
    SurveyDiscussed {
        /// The id of the record.
        discussion: SurveyDiscussionId,
        /// What was discussed where, and what was agreed.
        details: SurveyDetails,
    },
    /// The record of a discussion was corrected.
    SurveyDiscussionCorrected {
        /// The id of the record.
        discussion: SurveyDiscussionId,
        /// What the record should have said.
        details: SurveyDetails,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// The record of a discussion was withdrawn.
    SurveyDiscussionWithdrawn {
        /// The id of the record.
        discussion: SurveyDiscussionId,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
}

/// Something that a roster says about an institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstitutionFact {
    /// Whether the institution is closed.
    Closed,
    /// One of its details.
    Detail(InstitutionDetail),
}

/// Names one of the details of an institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstitutionDetail {
    /// The name that people see.
    Name,
    /// Its number in other systems.
    Code,
}

/// An institution as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Institution {
    /// Name and code.
    pub details: InstitutionDetails,
    /// Whether it is closed, which means no longer in use.
    pub closed: bool,
    /// What a person decided and the roster has not said yet, apart from name and code. An import
    /// leaves it alone. [`Institution::decided_by_hand`] gives everything.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub by_hand: BTreeSet<InstitutionFact>,
    /// The name and code that the roster gave last, if a person has changed one of them since. An
    /// import that says that one again leaves the present one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster_details: Option<Box<InstitutionDetails>>,
    /// The institution that carries on for it; `None` if none does. It is closed as long as there is
    /// one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded_by: Option<InstitutionId>,
    /// The discussions of the national wellbeing survey, by id. Withdrawn ones are among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub survey_discussions: BTreeMap<SurveyDiscussionId, Arc<SurveyDiscussion>>,
}
