//! Which part of a command or of a wish is at fault, in the domain's words. How callers write that
//! part is not known here: whoever translates commands translates fields too.

/// The part of a command that a refusal is about. Of a list it names no item; the details of the
/// [`Refusal`](super::Refusal) do.
///
/// A field says where it stands in its command, not in which command: the command is known to
/// whoever is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The id of what the command is about: of the team that it closes, of the plan that it opens.
    Target,
    /// The institution where a role ends.
    Institution,
    /// The institution of the role that a person gets.
    AffiliationInstitution,
    /// The institution of one of the roles that a roster says a person has.
    AffiliationsInstitution,
    /// The guardian whose guardianship ends.
    Guardian,
    /// The guardian of the guardianship that is set.
    GuardianshipGuardian,
    /// One of the guardians that a roster says a child has.
    GuardiansGuardian,
    /// The student whom a plan is opened for, or who joins or leaves a team.
    Student,
    /// The students that a roster says a team has.
    Members,
    /// The member of staff who leaves a team.
    Person,
    /// The person who joins a team's staff, or whom a roster says to be on it.
    StaffPerson,
    /// The owner of something new.
    Owner,
    /// The person to whom something is transferred.
    NewOwner,
    /// The year plan that a plan is opened for or moves to.
    YearPlan,
    /// The unit of the year plan that the command is about.
    Unit,
    /// The unit that a plan includes, excludes or is evaluated in, as a whole.
    UnitRef,
    /// The year plan of the unit that a plan includes.
    UnitRefYearPlan,
    /// The unit's own id of the unit that a plan includes.
    UnitRefUnit,
    /// The year plan of the unit that is copied.
    CopiedYearPlan,
    /// The unit that is copied.
    CopiedUnit,
    /// The goal.
    Goal,
    /// The words of a goal that is revised.
    Wording,
    /// The levels of the scale of a goal that is revised.
    ScaleLevels,
    /// The subject that leaves a combined year plan.
    Subject,
    /// The evaluation.
    Evaluation,
    /// What an evaluation says.
    Assessment,
    /// The level that an evaluation gives.
    AssessmentLevel,
    /// The talk.
    Talk,
    /// The goal, evaluation or talk that a plan shows or hides.
    Item,
    /// The institution in the details of a team or year plan.
    DetailsInstitution,
    /// The school year in the details of a team or year plan.
    DetailsSchoolYear,
    /// The team in the details of a year plan.
    DetailsTeam,
    /// The subjects in the details of a year plan.
    DetailsSubjects,
    /// The subject in the details of a unit.
    DetailsSubject,
    /// The words in the details of a new goal.
    DetailsWording,
    /// The levels of the scale in the details of a new goal.
    DetailsScaleLevels,
    /// The last day in the details of a school year.
    DetailsLastDay,
    /// What the items of a catalogue are part of.
    ItemsParents,
    /// A part of a wish to bring things back or hand them over, which is not a command.
    Request(RequestField),
}

/// The part of what is asked of [`crate::recovery`] that a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestField {
    /// The person who hands over everything.
    TransferFrom,
    /// The person to whom everything goes.
    TransferTo,
    /// A person who is named for a team.
    TransferHeirOfTeam,
    /// A person who is named for a subject.
    TransferHeirOfSubject,
    /// The person who gets what nobody else gets.
    TransferFallback,
    /// The person who gets what is brought back.
    RestoreGiveTo,
    /// What tells one dry run from another.
    Digest,
}
