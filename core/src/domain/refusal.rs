//! Why a command is refused: a stable reason for programs, and a sentence for people.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::field::Field;

/// What kind of refusal it is, for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// The command itself is wrong, whatever the state. Sending it again does not help.
    InvalidArgument,
    /// Something that the command names does not exist.
    NotFound,
    /// What the command would create exists already.
    AlreadyExists,
    /// The present state does not allow the command. Another command may change the state.
    FailedPrecondition,
    /// This actor may not do this.
    PermissionDenied,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $category:ident;)*) => {
        /// A stable reason. Codes never change their meaning; new ones may be added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code that callers see.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The reason with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.code() == code)
            }

            /// What kind of refusal this reason gives.
            pub const fn category(self) -> Category {
                match self { $(Self::$name => Category::$category,)* }
            }
        }
    };
}

reasons! {
    /// A command names an institution that is not known.
    InstitutionNotFound = "INSTITUTION_NOT_FOUND", NotFound;
    /// A command names a school year that is not known.
    SchoolYearNotFound = "SCHOOL_YEAR_NOT_FOUND", NotFound;
    /// A command names a person who is not known.
    PersonNotFound = "PERSON_NOT_FOUND", NotFound;
    /// A command names a team that is not known.
    TeamNotFound = "TEAM_NOT_FOUND", NotFound;
    /// A command names a year plan that is not known.
    YearPlanNotFound = "YEAR_PLAN_NOT_FOUND", NotFound;
    /// A command names a plan that is not known.
    PlanNotFound = "PLAN_NOT_FOUND", NotFound;
    /// A command names a catalogue that is not known.
    CatalogueNotFound = "CATALOGUE_NOT_FOUND", NotFound;
    /// The year plan has no such unit.
    UnitNotFound = "UNIT_NOT_FOUND", NotFound;
    /// The year plan or unit has no such goal.
    GoalNotFound = "GOAL_NOT_FOUND", NotFound;
    /// The plan has no such evaluation.
    EvaluationNotFound = "EVALUATION_NOT_FOUND", NotFound;
    /// The plan has no such talk.
    TalkNotFound = "TALK_NOT_FOUND", NotFound;
    /// The catalogue has no such item in use.
    CatalogueItemNotFound = "CATALOGUE_ITEM_NOT_FOUND", NotFound;
    /// The person is not a member of the team.
    MemberNotFound = "MEMBER_NOT_FOUND", NotFound;
    /// The person is not on the team's staff.
    StaffNotFound = "STAFF_NOT_FOUND", NotFound;
    /// The person does not have this role at this institution.
    AffiliationNotFound = "AFFILIATION_NOT_FOUND", NotFound;
    /// The child has no such guardian.
    GuardianshipNotFound = "GUARDIANSHIP_NOT_FOUND", NotFound;
    /// The institution has no such discussion of the wellbeing survey.
    SurveyDiscussionNotFound = "SURVEY_DISCUSSION_NOT_FOUND", NotFound;
    /// The year plan has no such subject.
    SubjectNotFound = "SUBJECT_NOT_FOUND", NotFound;
    /// No roster of this source has brought the person or team.
    RosterRecordNotFound = "ROSTER_RECORD_NOT_FOUND", NotFound;
    /// Nothing suggests now that the person has left for this reason.
    SuggestionNotFound = "SUGGESTION_NOT_FOUND", NotFound;
    /// There is no such source of rosters.
    RosterSourceNotFound = "ROSTER_SOURCE_NOT_FOUND", NotFound;
    /// There is no such recovery.
    RecoveryNotFound = "RECOVERY_NOT_FOUND", NotFound;
    /// There is no such system.
    SystemNotFound = "SYSTEM_NOT_FOUND", NotFound;
    /// The person or system has no such grant.
    GrantNotFound = "GRANT_NOT_FOUND", NotFound;
    /// The id is in use already.
    AlreadyExists = "ALREADY_EXISTS", AlreadyExists;
    /// The source has another name already, or another source has this name.
    SourceNameTaken = "SOURCE_NAME_TAKEN", AlreadyExists;
    /// The id of a source of rosters does not follow from its name.
    SourceIdInvalid = "SOURCE_ID_INVALID", InvalidArgument;
    /// Another system proves who it is in the same way.
    SystemIdentityTaken = "SYSTEM_IDENTITY_TAKEN", AlreadyExists;
    /// A system has nothing by which it proves who it is, or something that no certificate or token
    /// can show.
    SystemIdentityInvalid = "SYSTEM_IDENTITY_INVALID", InvalidArgument;
    /// The role cannot be granted to this person or system.
    RoleNotForGrantee = "ROLE_NOT_FOR_GRANTEE", InvalidArgument;
    /// The role cannot be granted in a scope of this kind.
    ScopeNotForRole = "SCOPE_NOT_FOR_ROLE", InvalidArgument;
    /// The last day is before the first.
    DatesReversed = "DATES_REVERSED", InvalidArgument;
    /// A day in a command cannot be meant: it is too far back or ahead.
    DateOutOfRange = "DATE_OUT_OF_RANGE", InvalidArgument;
    /// A subject year plan must have exactly one subject, a combined one at least one.
    SubjectCountInvalid = "SUBJECT_COUNT_INVALID", InvalidArgument;
    /// A scale needs two to ten levels, no two alike.
    ScaleInvalid = "SCALE_INVALID", InvalidArgument;
    /// An evaluation needs a level, a comment or both.
    AssessmentEmpty = "ASSESSMENT_EMPTY", InvalidArgument;
    /// The goal's scale has no such level.
    LevelOutOfRange = "LEVEL_OUT_OF_RANGE", InvalidArgument;
    /// A parent of a catalogue item is not among the items, or the item is its own ancestor.
    CatalogueParentInvalid = "CATALOGUE_PARENT_INVALID", InvalidArgument;
    /// A person cannot be their own guardian.
    SelfGuardianship = "SELF_GUARDIANSHIP", InvalidArgument;
    /// The institution is closed.
    InstitutionClosed = "INSTITUTION_CLOSED", FailedPrecondition;
    /// The institution or team is closed already.
    AlreadyClosed = "ALREADY_CLOSED", FailedPrecondition;
    /// The institution or team is not closed.
    NotClosed = "NOT_CLOSED", FailedPrecondition;
    /// The team is deleted. Undelete it first.
    TeamDeleted = "TEAM_DELETED", FailedPrecondition;
    /// The year plan is deleted. Undelete it first.
    YearPlanDeleted = "YEAR_PLAN_DELETED", FailedPrecondition;
    /// The unit is deleted. Undelete it first.
    UnitDeleted = "UNIT_DELETED", FailedPrecondition;
    /// The team, year plan or unit is not deleted.
    NotDeleted = "NOT_DELETED", FailedPrecondition;
    /// The person has left already.
    AlreadyDeparted = "ALREADY_DEPARTED", FailedPrecondition;
    /// The person has not left.
    NotDeparted = "NOT_DEPARTED", FailedPrecondition;
    /// The person has left and cannot become an owner.
    PersonDeparted = "PERSON_DEPARTED", FailedPrecondition;
    /// Members of a team must be students, and so must the person for whom a plan is opened.
    NotAStudent = "NOT_A_STUDENT", FailedPrecondition;
    /// Owners and team staff must be teachers, pedagogues or leaders.
    NotStaff = "NOT_STAFF", FailedPrecondition;
    /// Nobody among those who are said to have held a talk is a teacher, pedagogue or leader.
    TalkWithoutStaff = "TALK_WITHOUT_STAFF", FailedPrecondition;
    /// The discussion of the wellbeing survey is withdrawn.
    SurveyDiscussionWithdrawn = "SURVEY_DISCUSSION_WITHDRAWN", FailedPrecondition;
    /// The goal is not about wellbeing.
    GoalNotAboutWellbeing = "GOAL_NOT_ABOUT_WELLBEING", FailedPrecondition;
    /// The person who would become the owner is the owner already.
    AlreadyOwner = "ALREADY_OWNER", FailedPrecondition;
    /// The year plan covers one subject, so subjects cannot be added or removed.
    NotCombined = "NOT_COMBINED", FailedPrecondition;
    /// A unit still uses the subject.
    SubjectInUse = "SUBJECT_IN_USE", FailedPrecondition;
    /// The goal is out of use.
    GoalRetired = "GOAL_RETIRED", FailedPrecondition;
    /// The plan does not include the unit.
    UnitNotIncluded = "UNIT_NOT_INCLUDED", FailedPrecondition;
    /// The plan is withdrawn. Restore it first.
    PlanWithdrawn = "PLAN_WITHDRAWN", FailedPrecondition;
    /// The plan is not withdrawn.
    NotWithdrawn = "NOT_WITHDRAWN", FailedPrecondition;
    /// The plan belongs to that year plan already.
    AlreadyThere = "ALREADY_THERE", FailedPrecondition;
    /// The student has another plan for that year plan.
    PlanExistsForYearPlan = "PLAN_EXISTS_FOR_YEAR_PLAN", FailedPrecondition;
    /// A subject plan can move only to a subject year plan, a combined plan only to a combined year
    /// plan.
    PlanKindMismatch = "PLAN_KIND_MISMATCH", FailedPrecondition;
    /// The unit belongs to another year plan than the plan does.
    UnitOfAnotherYearPlan = "UNIT_OF_ANOTHER_YEAR_PLAN", FailedPrecondition;
    /// Somebody else has become the owner meanwhile.
    OwnerChanged = "OWNER_CHANGED", FailedPrecondition;
    /// The plan has been moved to another year plan meanwhile.
    MovedMeanwhile = "MOVED_MEANWHILE", FailedPrecondition;
    /// The new owner is not on the staff of the team, and does not work at the institution of the
    /// team, year plan or plan.
    SuccessorElsewhere = "SUCCESSOR_ELSEWHERE", FailedPrecondition;
    /// The team that a year plan would move to belongs to another institution.
    TeamElsewhere = "TEAM_ELSEWHERE", FailedPrecondition;
    /// No person fits the rule for the new owner, and no fallback is named.
    NoSuccessor = "NO_SUCCESSOR", FailedPrecondition;
    /// The recovery would have no steps, because nothing that was asked for can be done.
    NothingToDo = "NOTHING_TO_DO", FailedPrecondition;
    /// The recovery would have more steps than one recovery may have.
    TooManySteps = "TOO_MANY_STEPS", InvalidArgument;
    /// The recovery is still running.
    RecoveryRunning = "RECOVERY_RUNNING", FailedPrecondition;
    /// The recovery has been undone, or is being undone.
    AlreadyUndone = "ALREADY_UNDONE", FailedPrecondition;
    /// Something has changed since the dry run. Make a new dry run and look at it.
    DryRunStale = "DRY_RUN_STALE", FailedPrecondition;
    /// Whoever began the recovery may no longer have it carried out.
    RightEnded = "RIGHT_ENDED", PermissionDenied;
    /// The system is revoked.
    SystemRevoked = "SYSTEM_REVOKED", FailedPrecondition;
    /// The grant is revoked already.
    GrantRevoked = "GRANT_REVOKED", FailedPrecondition;
    /// No administrator would be left.
    LastAdministrator = "LAST_ADMINISTRATOR", FailedPrecondition;
    /// There is an administrator already.
    AdministratorExists = "ADMINISTRATOR_EXISTS", FailedPrecondition;
    /// Nobody can have both roles at once.
    RolesIncompatible = "ROLES_INCOMPATIBLE", FailedPrecondition;
    /// Nobody can grant anything to themselves.
    GrantToOneself = "GRANT_TO_ONESELF", PermissionDenied;
    /// Nobody has asked for the redaction or erasure.
    ErasureNotFound = "ERASURE_NOT_FOUND", NotFound;
    /// A person has to ask for a redaction or erasure, and another person to approve it.
    ErasureNeedsPerson = "ERASURE_NEEDS_PERSON", PermissionDenied;
    /// Whoever asks for a redaction or erasure cannot approve it.
    ErasureNeedsAnotherPerson = "ERASURE_NEEDS_ANOTHER_PERSON", PermissionDenied;
    /// The redaction or erasure has been asked for already, or is approved.
    ErasureUnderWay = "ERASURE_UNDER_WAY", FailedPrecondition;
    /// The request for the redaction or erasure was taken back.
    ErasureWithdrawn = "ERASURE_WITHDRAWN", FailedPrecondition;
    /// The student is not due for erasure by the retention class that the request names, or not any more.
    ErasureNotDue = "ERASURE_NOT_DUE", FailedPrecondition;
    /// The event cannot be redacted alone.
    EventNotRedactable = "EVENT_NOT_REDACTABLE", FailedPrecondition;
    /// The person is erased.
    PersonErased = "PERSON_ERASED", FailedPrecondition;
    /// Nobody can grant anything to a system to which they gave an identity, while somebody else can.
    GrantToOwnSystem = "GRANT_TO_OWN_SYSTEM", PermissionDenied;
    /// A system that holds grants cannot be given another identity.
    SystemHoldsGrants = "SYSTEM_HOLDS_GRANTS", FailedPrecondition;
    /// The actor has left, or the person for whom the actor acts has left.
    ActorDeparted = "ACTOR_DEPARTED", PermissionDenied;
    /// Only a teacher or pedagogue evaluates subject goals.
    GoalKindNotEvaluableByStudent = "GOAL_KIND_NOT_EVALUABLE_BY_STUDENT", PermissionDenied;
    /// Only staff and the plan's student evaluate.
    EvaluatorNotAllowed = "EVALUATOR_NOT_ALLOWED", PermissionDenied;
    /// Only the side that made an evaluation may correct it.
    EvaluationOfAnotherSide = "EVALUATION_OF_ANOTHER_SIDE", PermissionDenied;
    /// Only a teacher or pedagogue holds and records talks.
    TalkNotAllowed = "TALK_NOT_ALLOWED", PermissionDenied;
    /// Only staff of the institution record how the wellbeing survey was discussed.
    SurveyNotAllowed = "SURVEY_NOT_ALLOWED", PermissionDenied;
    /// The key that signs checkpoints is not the recorded key.
    CheckpointKeyMismatch = "CHECKPOINT_KEY_MISMATCH", FailedPrecondition;
    /// The recorded key has not signed the change to another key.
    KeyRotationInvalid = "KEY_ROTATION_INVALID", InvalidArgument;
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code)
            .ok_or_else(|| D::Error::custom("this reason code is not known to this version"))
    }
}

/// A command was refused. Nothing was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, for programs.
    pub reason: Reason,
    /// The reason in a sentence, for people. Contains ids and codes, never names or written text.
    pub message: String,
    /// The part of the command that is at fault; `None` if no single part is.
    pub field: Option<Field>,
    /// Ids and values that a program may need, each with its name.
    pub details: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal with this reason and this sentence.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            field: None,
            details: Vec::new(),
        }
    }

    /// Adds the part of the command that is at fault.
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.field = Some(field);
        self
    }

    /// Adds an id or a value for programs.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.details.push((name, value.to_string()));
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.code(), self.message)
    }
}

impl std::error::Error for Refusal {}
