//! Students' plans (*elevplaner*): the stream that matters.
//!
//! Nothing here depends on a container being there: a plan names its year plan and units, and is
//! written, evaluated, shared and moved whether or not they are deleted (P1).

mod apply;
mod decide;
mod evaluate;
mod revert;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::revert::{Revert, Reverted, Reverting, Stay, Stays, WrittenContent};
use super::Actor;
use super::year_plan::YearPlanKind;
use crate::ids::{EvaluationId, GoalId, PersonId, Position, TalkId, UnitId, YearPlanId};
use crate::text::{Reason, Text};
use crate::time::Timestamp;

/// A plan's three sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// *Status*: written.
    Status,
    /// *Mål*: from the chosen units.
    Goals,
    /// *Opfølgning*: written.
    FollowUp,
}

/// Something in a plan that can be shown or hidden by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A goal, with its evaluations.
    Goal(GoalId),
    /// One evaluation.
    Evaluation(EvaluationId),
    /// A talk.
    Talk(TalkId),
}

/// Who a plan can be visible to besides staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// *Elev*.
    Student,
    /// *Forældre*.
    Guardians,
    /// *Andre*.
    Others,
}

impl Audience {
    /// Every audience.
    pub const ALL: [Self; 3] = [Self::Student, Self::Guardians, Self::Others];
}

/// A unit as a plan names it. A plan that was moved may hold units of several year plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnitRef {
    /// The year plan.
    pub year_plan: YearPlanId,
    /// The unit in it.
    pub unit: UnitId,
}

/// On which side an evaluation was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evaluator {
    /// By a teacher, pedagogue or leader.
    Staff,
    /// By the plan's student.
    Student,
}

/// What an evaluation says: a level, a comment, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// Index into the levels of the goal's scale, from 0, the lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Text>,
}

/// What sort of talk it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TalkKind {
    /// *Elevsamtale*.
    StudentTalk,
    /// *Feedbacksamtale*.
    FeedbackTalk,
    /// *Læringssamtale*.
    LearningTalk,
    /// *Skole-hjem-samtale*.
    SchoolHomeTalk,
}

/// A talk as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TalkDetails {
    /// What sort.
    pub kind: TalkKind,
    /// The day it was held.
    pub held_on: Date,
    /// What was said and agreed.
    pub notes: Text,
}

/// What can be asked of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanCommand {
    /// Opens a plan. If the student already has one for that year plan, nothing is recorded and
    /// the receipt names that one.
    Open {
        /// Whose plan it is.
        student: PersonId,
        /// The year plan it starts from.
        year_plan: YearPlanId,
        /// Who owns it; the year plan's owner if none is given.
        owner: Option<PersonId>,
    },
    /// Takes a unit in.
    IncludeUnit(UnitRef),
    /// Takes a unit out. Its evaluations stay recorded.
    ExcludeUnit(UnitRef),
    /// Shows a section.
    ShowSection {
        /// Which.
        section: Section,
    },
    /// Hides a section.
    HideSection {
        /// Which.
        section: Section,
    },
    /// Shows one item, whatever holds for its section.
    ShowItem {
        /// Which.
        item: Item,
    },
    /// Hides one item, whatever holds for its section.
    HideItem {
        /// Which.
        item: Item,
    },
    /// Writes the status, over what stood there; the former text stays in the history.
    WriteStatus {
        /// The text.
        text: Text,
    },
    /// Writes the follow-up, over what stood there; the former text stays in the history.
    WriteFollowUp {
        /// The text.
        text: Text,
        /// The day it is to be followed up.
        follow_up_on: Option<Date>,
    },
    /// Takes the status away; the text stays in the history.
    ClearStatus,
    /// Takes the follow-up and its day away; the text stays in the history.
    ClearFollowUp,
    /// Evaluates a goal of an included unit. Who acts decides whether as staff or as student.
    RecordEvaluation {
        /// Its id, chosen by the sender.
        evaluation: EvaluationId,
        /// The unit.
        unit: UnitRef,
        /// The goal in it.
        goal: GoalId,
        /// What it says.
        assessment: Assessment,
    },
    /// Corrects a mistake in an evaluation; both stay in the history. A new rating is a new
    /// evaluation.
    CorrectEvaluation {
        /// Which.
        evaluation: EvaluationId,
        /// What it should have said.
        assessment: Assessment,
        /// Why.
        reason: Option<Reason>,
    },
    /// Records a talk.
    RecordTalk {
        /// Its id, chosen by the sender.
        talk: TalkId,
        /// What it was.
        details: TalkDetails,
    },
    /// Corrects a talk's record; both stay in the history.
    CorrectTalk {
        /// Which.
        talk: TalkId,
        /// What it should have said.
        details: TalkDetails,
        /// Why.
        reason: Option<Reason>,
    },
    /// Opens the first gate.
    Share,
    /// Closes the first gate.
    Unshare,
    /// Opens or closes the last gate for one audience.
    SetVisibility {
        /// For whom.
        audience: Audience,
        /// Whether it is visible.
        visible: bool,
    },
    /// Withdraws a plan that was opened by mistake. Everything in it stays recorded.
    Withdraw {
        /// Why.
        reason: Option<Reason>,
    },
    /// Takes a withdrawal back.
    Restore,
    /// Gives it to another owner.
    TransferOwnership {
        /// The new owner.
        to: PersonId,
        /// Why.
        reason: Option<Reason>,
    },
    /// Gives it to another owner as a step of a recovery: unless it has got another one meanwhile.
    HandOver {
        /// The owner it is expected to have.
        from: PersonId,
        /// The new owner.
        to: PersonId,
        /// Why.
        reason: Option<Reason>,
    },
    /// Takes [`PlanCommand::HandOver`] back, also when the owner before has left since.
    HandBack {
        /// The owner it is expected to have.
        from: PersonId,
        /// The owner before.
        to: PersonId,
        /// Why.
        reason: Option<Reason>,
    },
    /// Hangs it on another year plan. Units already included stay.
    MoveToYearPlan {
        /// The year plan.
        to: YearPlanId,
        /// Why.
        reason: Option<Reason>,
    },
    /// Hangs it on another year plan as a step of a recovery: unless it hangs elsewhere meanwhile.
    Move {
        /// The year plan that it is expected to hang on.
        from: YearPlanId,
        /// The year plan.
        to: YearPlanId,
        /// Why.
        reason: Option<Reason>,
    },
    /// Brings what is written in it back to how it stood at a moment, as new events. Made by who has
    /// read the past state, never by a client.
    Revert(Box<Revert>),
}

/// What happened to a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanEvent {
    /// It was opened.
    Opened {
        /// Whose plan it is.
        student: PersonId,
        /// The kind of its year plan.
        kind: YearPlanKind,
        /// The year plan it starts from.
        year_plan: YearPlanId,
        /// Who owns it.
        owner: PersonId,
    },
    /// A unit was taken in.
    UnitIncluded(UnitRef),
    /// A unit was taken out.
    UnitExcluded(UnitRef),
    /// A section was shown.
    SectionShown {
        /// Which.
        section: Section,
    },
    /// A section was hidden.
    SectionHidden {
        /// Which.
        section: Section,
    },
    /// An item was shown.
    ItemShown {
        /// Which.
        item: Item,
    },
    /// An item was hidden.
    ItemHidden {
        /// Which.
        item: Item,
    },
    /// The status was written.
    StatusWritten {
        /// The text.
        text: Text,
    },
    /// The follow-up was written.
    FollowUpWritten {
        /// The text.
        text: Text,
        /// The day it is to be followed up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        follow_up_on: Option<Date>,
    },
    /// A goal was evaluated.
    EvaluationRecorded {
        /// Its id.
        evaluation: EvaluationId,
        /// The unit.
        unit: UnitRef,
        /// The goal in it.
        goal: GoalId,
        /// The goal's revision it was made on, from 1.
        goal_revision: u32,
        /// On which side.
        by: Evaluator,
        /// What it says.
        assessment: Assessment,
    },
    /// An evaluation was corrected.
    EvaluationCorrected {
        /// Which.
        evaluation: EvaluationId,
        /// What it should have said.
        assessment: Assessment,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// A talk was recorded.
    TalkRecorded {
        /// Its id.
        talk: TalkId,
        /// What it was.
        details: TalkDetails,
    },
    /// A talk's record was corrected.
    TalkCorrected {
        /// Which.
        talk: TalkId,
        /// What it should have said.
        details: TalkDetails,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The first gate was opened.
    Shared {},
    /// The first gate was closed.
    Unshared {},
    /// The last gate was opened or closed for one audience.
    VisibilitySet {
        /// For whom.
        audience: Audience,
        /// Whether it is visible.
        visible: bool,
    },
    /// It was withdrawn.
    Withdrawn {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The withdrawal was taken back.
    Restored {},
    /// It has another owner.
    OwnershipTransferred {
        /// The owner before.
        from: PersonId,
        /// The owner from now on.
        to: PersonId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// It hangs on another year plan.
    MovedToYearPlan {
        /// The year plan before.
        from: YearPlanId,
        /// The year plan from now on.
        to: YearPlanId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The status was taken away.
    StatusCleared {},
    /// The follow-up and its day were taken away.
    FollowUpCleared {},
    /// What is written was brought back to how it stood just after a position. Says why; the events
    /// of the same command that follow say what.
    Reverted {
        /// The position.
        to: Position,
        /// Why.
        reason: Reason,
    },
}

/// A plan as it is now: what its own stream says. See [`super::view`] for what people see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Whose plan it is.
    pub student: PersonId,
    /// Subject or combined.
    pub kind: YearPlanKind,
    /// The year plan it hangs on.
    pub year_plan: YearPlanId,
    /// Who owns it.
    pub owner: PersonId,
    /// Who owned it before.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub former_owners: BTreeSet<PersonId>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When anything in it last changed.
    pub changed_at: Timestamp,
    /// When it was last worked on, if it changed since: another owner or another year plan is no work
    /// on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worked_on_before: Option<Timestamp>,
    /// Units taken in, in that order.
    pub units: Vec<UnitRef>,
    /// Sections shown.
    pub sections: BTreeSet<Section>,
    /// Items shown or hidden by themselves.
    pub items: Vec<(Item, bool)>,
    /// The status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Written>,
    /// The follow-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<Written>,
    /// The day it is to be followed up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up_on: Option<Date>,
    /// Evaluations in the order in which they were recorded, units taken out among them.
    pub evaluations: Vec<Arc<Evaluation>>,
    /// Talks.
    pub talks: BTreeMap<TalkId, Arc<Talk>>,
    /// First gate.
    pub shared: bool,
    /// Last gate: audiences it is visible to.
    pub visible_to: BTreeSet<Audience>,
    /// Opened by mistake.
    pub withdrawn: bool,
}

/// A text with its author and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The text.
    pub text: Text,
    /// Who wrote it.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// An evaluation as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Its id.
    pub id: EvaluationId,
    /// The unit.
    pub unit: UnitRef,
    /// The goal in it.
    pub goal: GoalId,
    /// The goal's revision it was made on, from 1.
    pub goal_revision: u32,
    /// On which side.
    pub by: Evaluator,
    /// Who made it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// What it says, corrections included.
    pub assessment: Assessment,
    /// When it was last corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_at: Option<Timestamp>,
}

/// A talk as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    /// What it was, corrections included.
    pub details: TalkDetails,
    /// Who recorded it.
    pub by: Actor,
    /// When it was recorded.
    pub at: Timestamp,
    /// When it was last corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_at: Option<Timestamp>,
}
