//! Students' plans (*elevplaner*): the streams that matter most.
//!
//! Nothing here needs a team, year plan or unit to be there. A plan names its year plan and units.
//! It can be written, evaluated, shared and moved whether or not they are deleted (P1).

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
pub use super::year_plan::UnitRef;
use super::year_plan::YearPlanKind;
use crate::ids::{EvaluationId, GoalId, PersonId, Position, TalkId, YearPlanId};
use crate::text::{ReasonText, Text};
use crate::time::Timestamp;

/// A plan's three sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// *Status*: written in the plan.
    Status,
    /// *Mål*: the goals of the chosen units.
    Goals,
    /// *Opfølgning*: written in the plan.
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

/// Who, besides staff, a plan can be visible to.
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

/// The side on which an evaluation was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evaluator {
    /// The evaluation was made by a teacher, pedagogue or leader.
    Staff,
    /// The evaluation was made by the plan's student.
    Student,
}

/// What an evaluation says: a level, a comment, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// Index into the levels of the goal's scale, from 0, the lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// The comment; `None` if the evaluation gives only a level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Text>,
}

/// What kind of talk it was.
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
    /// What kind of talk it was.
    pub kind: TalkKind,
    /// The day it was held.
    pub held_on: Date,
    /// What was said and agreed.
    pub notes: Text,
    /// Everybody who held it, if that was not the one who recorded it alone: a teacher, a pedagogue,
    /// or both together. Empty means the person who recorded it. Talks that were recorded before
    /// talks named who held them are empty too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub held_by: BTreeSet<PersonId>,
}

/// What can be asked of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanCommand {
    /// Opens a plan. If the student already has a plan for that year plan, nothing is recorded and
    /// the receipt names the existing plan.
    Open {
        /// The student whose plan it is.
        student: PersonId,
        /// The year plan it starts from.
        year_plan: YearPlanId,
        /// The owner of the plan; `None` means the owner of the year plan.
        owner: Option<PersonId>,
    },
    /// Includes a unit in the plan.
    IncludeUnit(UnitRef),
    /// Excludes a unit from the plan. Its evaluations stay recorded.
    ExcludeUnit(UnitRef),
    /// Shows a section.
    ShowSection {
        /// The section.
        section: Section,
    },
    /// Hides a section.
    HideSection {
        /// The section.
        section: Section,
    },
    /// Shows one item, whatever is set for its section.
    ShowItem {
        /// The item.
        item: Item,
    },
    /// Hides one item, whatever is set for its section.
    HideItem {
        /// The item.
        item: Item,
    },
    /// Writes the status in place of the earlier one. The earlier text stays in the history.
    WriteStatus {
        /// The text.
        text: Text,
    },
    /// Writes the follow-up in place of the earlier one. The earlier text stays in the history.
    WriteFollowUp {
        /// The text.
        text: Text,
        /// The day on which to follow up; `None` if no day was set.
        follow_up_on: Option<Date>,
    },
    /// Removes the status. The text stays in the history.
    ClearStatus,
    /// Removes the follow-up and its day. The text stays in the history.
    ClearFollowUp,
    /// Evaluates a goal of an included unit. Who acts decides whether it is an evaluation by staff
    /// or by the student.
    RecordEvaluation {
        /// The id of the new evaluation, chosen by the sender.
        evaluation: EvaluationId,
        /// The unit that has the goal.
        unit: UnitRef,
        /// The goal in that unit.
        goal: GoalId,
        /// The level and comment of the evaluation.
        assessment: Assessment,
    },
    /// Corrects a mistake in an evaluation. The mistake and the correction both stay in the
    /// history. A new rating is a new evaluation.
    CorrectEvaluation {
        /// The id of the evaluation.
        evaluation: EvaluationId,
        /// What the evaluation should have said.
        assessment: Assessment,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Records a talk.
    RecordTalk {
        /// The id of the new talk, chosen by the sender.
        talk: TalkId,
        /// The kind and day of the talk, and its notes.
        details: TalkDetails,
    },
    /// Corrects the record of a talk. The mistake and the correction both stay in the history.
    CorrectTalk {
        /// The id of the talk.
        talk: TalkId,
        /// What the record should have said.
        details: TalkDetails,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Shares the plan, which opens the first gate.
    Share,
    /// Takes the sharing back, which closes the first gate.
    Unshare,
    /// Makes the plan visible to one audience or hides it, which opens or closes the last gate.
    SetVisibility {
        /// The audience.
        audience: Audience,
        /// Whether the audience may see the plan.
        visible: bool,
    },
    /// Withdraws a plan that was opened by mistake. Everything in it stays recorded.
    Withdraw {
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Takes the withdrawal back.
    Restore,
    /// Gives the plan to another owner.
    TransferOwnership {
        /// The new owner.
        to: PersonId,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Gives the plan to another owner, as a step of a recovery. Refused if the plan has got
    /// another owner meanwhile.
    HandOver {
        /// The owner that it must still have. With another owner the command is refused.
        from: PersonId,
        /// The new owner.
        to: PersonId,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Takes [`PlanCommand::HandOver`] back, even if the earlier owner has left since.
    HandBack {
        /// The owner that it must still have. With another owner the command is refused.
        from: PersonId,
        /// The owner that the plan had earlier.
        to: PersonId,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Moves the plan to another year plan. Units that the plan includes stay included.
    MoveToYearPlan {
        /// The new year plan.
        to: YearPlanId,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Moves the plan to another year plan, as a step of a recovery. Refused if the plan has been
    /// moved elsewhere meanwhile.
    Move {
        /// The year plan that the plan must still belong to.
        from: YearPlanId,
        /// The new year plan.
        to: YearPlanId,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Brings what is written in the plan back to how it was, with new events. The server makes
    /// this command after it has read the past state; a client never sends it.
    Revert(Box<Revert>),
}

/// What happened to a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanEvent {
    /// It was opened.
    Opened {
        /// The student whose plan it is.
        student: PersonId,
        /// The kind of its year plan.
        kind: YearPlanKind,
        /// The year plan it starts from.
        year_plan: YearPlanId,
        /// The person who owns it.
        owner: PersonId,
    },
    /// A unit was included.
    UnitIncluded(UnitRef),
    /// A unit was excluded.
    UnitExcluded(UnitRef),
    /// A section was shown.
    SectionShown {
        /// The section.
        section: Section,
    },
    /// A section was hidden.
    SectionHidden {
        /// The section.
        section: Section,
    },
    /// An item was shown.
    ItemShown {
        /// The item.
        item: Item,
    },
    /// An item was hidden.
    ItemHidden {
        /// The item.
        item: Item,
    },
    /// The status was written.
    StatusWritten {
        /// The text as it was written.
        text: Text,
    },
    /// The follow-up was written.
    FollowUpWritten {
        /// The text as it was written.
        text: Text,
        /// The day on which to follow up; `None` if no day was set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        follow_up_on: Option<Date>,
    },
    /// A goal was evaluated.
    EvaluationRecorded {
        /// The id of the evaluation.
        evaluation: EvaluationId,
        /// The unit that has the goal.
        unit: UnitRef,
        /// The goal in that unit.
        goal: GoalId,
        /// The revision of the goal on which it was made, from 1.
        goal_revision: u32,
        /// Whether staff or the student made it.
        by: Evaluator,
        /// The level and comment of the evaluation.
        assessment: Assessment,
    },
    /// An evaluation was corrected.
    EvaluationCorrected {
        /// The id of the evaluation.
        evaluation: EvaluationId,
        /// What the evaluation should have said.
        assessment: Assessment,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// A talk was recorded.
    TalkRecorded {
        /// The id of the talk.
        talk: TalkId,
        /// The kind and day of the talk, and its notes.
        details: TalkDetails,
    },
    /// A talk's record was corrected.
    TalkCorrected {
        /// The id of the talk.
        talk: TalkId,
        /// What the record should have said.
        details: TalkDetails,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// The first gate was opened.
    Shared {},
    /// The first gate was closed.
    Unshared {},
    /// The plan was made visible to one audience, or hidden from it (the last gate).
    VisibilitySet {
        /// The audience.
        audience: Audience,
        /// Whether the audience may see the plan.
        visible: bool,
    },
    /// The plan was withdrawn.
    Withdrawn {
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// The withdrawal was taken back.
    Restored {},
    /// The plan got another owner.
    OwnershipTransferred {
        /// The owner until now.
        from: PersonId,
        /// The new owner.
        to: PersonId,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// The plan was moved to another year plan.
    MovedToYearPlan {
        /// The year plan until now.
        from: YearPlanId,
        /// The new year plan.
        to: YearPlanId,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// The status was removed.
    StatusCleared {},
    /// The follow-up and its day were removed.
    FollowUpCleared {},
    /// What is written was brought back to how it was just after a position. This event says that
    /// and why. The events after it, of the same command, make the changes.
    Reverted {
        /// The position that the plan was brought back to.
        to: Position,
        /// The reason, which must be given.
        reason: ReasonText,
    },
}

/// A plan as it is now, according to its own stream. [`super::view`] shows what people see of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The student whose plan it is.
    pub student: PersonId,
    /// Whether it is a subject plan or a combined plan.
    pub kind: YearPlanKind,
    /// The year plan that it belongs to.
    pub year_plan: YearPlanId,
    /// The person who owns it.
    pub owner: PersonId,
    /// Every person who owned it earlier.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub former_owners: BTreeSet<PersonId>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When anything in it last changed.
    pub changed_at: Timestamp,
    /// The instant at which somebody last worked on it, if it has changed since in a way that is no
    /// work. A new owner or another year plan is no work on the plan. `None` if the last change was
    /// work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worked_on_before: Option<Timestamp>,
    /// The units that the plan includes, in the order in which they were included.
    pub units: Vec<UnitRef>,
    /// The sections that are shown.
    pub sections: BTreeSet<Section>,
    /// The items that were shown (`true`) or hidden (`false`) by themselves.
    pub items: Vec<(Item, bool)>,
    /// The status; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Written>,
    /// The follow-up; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<Written>,
    /// The day on which to follow up; `None` if no day was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up_on: Option<Date>,
    /// Evaluations in the order in which they were recorded. Evaluations in excluded units are
    /// among them.
    pub evaluations: Vec<Arc<Evaluation>>,
    /// The talks, by id.
    pub talks: BTreeMap<TalkId, Arc<Talk>>,
    /// Whether the plan is shared, which is the first gate.
    pub shared: bool,
    /// The audiences that the plan is visible to, which is the last gate.
    pub visible_to: BTreeSet<Audience>,
    /// Whether the plan is withdrawn, because it was opened by mistake.
    pub withdrawn: bool,
}

/// A text with its author and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The text.
    pub text: Text,
    /// Who wrote it: the person for whom a system did, if there is one.
    pub by: Actor,
    /// The instant at which it was written.
    pub at: Timestamp,
}

/// An evaluation as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The id of the evaluation.
    pub id: EvaluationId,
    /// The unit that has the goal.
    pub unit: UnitRef,
    /// The goal in that unit.
    pub goal: GoalId,
    /// The revision of the goal on which it was made, from 1.
    pub goal_revision: u32,
    /// Whether staff or the student made it.
    pub by: Evaluator,
    /// Who made it: the person for whom a system did, if there is one.
    pub actor: Actor,
    /// The instant at which it was made.
    pub at: Timestamp,
    /// What it says, corrections included.
    pub assessment: Assessment,
    /// The instant of the last correction; `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_at: Option<Timestamp>,
}

impl TalkDetails {
    /// Everybody who held the talk. `recorded_by` is who recorded it.
    pub fn holders(&self, recorded_by: Actor) -> BTreeSet<PersonId> {
        match recorded_by {
            Actor::Person(person) if self.held_by.is_empty() => BTreeSet::from([person]),
            Actor::Person(_) | Actor::System(_) => self.held_by.clone(),
        }
    }
}

/// A talk as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    /// What it was, corrections included.
    pub details: TalkDetails,
    /// Who recorded it: the person for whom a system did, if there is one.
    pub by: Actor,
    /// When it was recorded.
    pub at: Timestamp,
    /// The instant of the last correction; `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_at: Option<Timestamp>,
}
