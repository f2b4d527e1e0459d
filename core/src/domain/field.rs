//! The part of a command or request that a refusal is about, in the domain's words. The domain does
//! not know how callers write that part: whoever translates commands translates fields too.

/// The part of a command that a refusal is about. For a list it does not say which item; the
/// details of the [`Refusal`](super::Refusal) do.
///
/// A field names a part of the command, but not the command: whoever is refused knows which command
/// they sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The id of what the command is for, such as the team that it closes or the plan that it
    /// opens.
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
    /// The institution that a year plan moves to.
    NewInstitution,
    /// The team that a year plan moves to.
    NewTeam,
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
    /// The goal that the command is about.
    Goal,
    /// The words of a goal that is revised.
    Wording,
    /// The levels of the scale of a goal that is revised.
    ScaleLevels,
    /// The scale of a catalogue for a goal that is revised.
    CatalogueScale,
    /// The subject that leaves a combined year plan.
    Subject,
    /// The evaluation that the command is about.
    Evaluation,
    /// What an evaluation says.
    Assessment,
    /// The level that an evaluation gives.
    AssessmentLevel,
    /// The talk that the command is about.
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
    /// The scale of a catalogue in the details of a new goal.
    DetailsCatalogueScale,
    /// The first day in the details of a school year or grant.
    DetailsFirstDay,
    /// The last day in the details of a school year or grant.
    DetailsLastDay,
    /// The day in the details of a talk on which it was held.
    DetailsHeldOn,
    /// The persons in the details of a talk who held it.
    DetailsHeldBy,
    /// The day in the details of a discussion of the wellbeing survey on which to follow up.
    DetailsFollowUpOn,
    /// The year plan of one of the goals in the details of a discussion of the wellbeing survey.
    DetailsGoalsYearPlan,
    /// The id of one of the goals in the details of a discussion of the wellbeing survey.
    DetailsGoalsGoal,
    /// The discussion of the wellbeing survey that the command is about.
    SurveyDiscussion,
    /// The day on which to follow up.
    FollowUpOn,
    /// The last day of a person at school, or of a guardianship that ends.
    LastDay,
    /// The last day of the guardianship that is set.
    GuardianshipLastDay,
    /// The last day of one of the guardianships that a roster says a child has.
    GuardiansLastDay,
    /// The last day of the guardianships that a roster does not name.
    LastDayOfOthers,
    /// The source in which a person or team is no longer found.
    Source,
    /// The day on which a person or team was last in a roster.
    LastSeen,
    /// The name of a source of rosters.
    Name,
    /// The day of an import.
    Day,
    /// The parents that an item of a catalogue names.
    ItemsParents,
    /// The numbers that an item of a catalogue has under its parents.
    ItemsOrders,
    /// How a system proves who it is, in its details.
    DetailsIdentities,
    /// The role in the details of a grant.
    DetailsRole,
    /// The scope in the details of a grant.
    DetailsScope,
    /// The grant that the command is about.
    Grant,
    /// A part of a request to bring plans back or hand them over. Such a request is not a command.
    Request(RequestField),
}

/// The part of a request to [`crate::recovery`] that a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestField {
    /// The person whose teams, year plans and plans are handed over.
    TransferFrom,
    /// The person who gets all of them.
    TransferTo,
    /// A person who is named as the new owner for a team.
    TransferSuccessorOfTeam,
    /// A person who is named as the new owner for a subject.
    TransferSuccessorOfSubject,
    /// The person who gets what the other rules give to nobody.
    TransferFallback,
    /// The person who becomes the owner of what is brought back.
    RestoreGiveTo,
    /// The closed institution of a merger.
    MergeFrom,
    /// The institution that carries on for a closed one.
    MergeTo,
    /// A team of a closed institution, for which another one is named.
    MergeTeam,
    /// The digest that tells one dry run from another.
    Digest,
}
