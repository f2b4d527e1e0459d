//! Year plans (*årsplaner*) with their units (*forløb*) and goals.

mod apply;
mod decide;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Deletion;
use super::plan::UnitRef;
use crate::ids::{
    CatalogueId, CatalogueItemId, GoalId, InstitutionId, PersonId, SchoolYearId, TeamId, UnitId,
};
use crate::text::{Name, Reason, Text, Title};

/// Whether a year plan covers one subject or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YearPlanKind {
    /// One subject (*faglig*).
    Subject,
    /// Several subjects, shared by those who teach them (*samlet i én årsplan*).
    Combined,
}

/// What a year plan is from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearPlanDetails {
    /// One subject or several.
    pub kind: YearPlanKind,
    /// Where it belongs.
    pub institution: InstitutionId,
    /// The team it is made for.
    pub team: TeamId,
    /// Its school year.
    pub school_year: SchoolYearId,
    /// What people call it.
    pub title: Title,
    /// Its subjects: exactly one when it is a subject year plan.
    pub subjects: BTreeSet<Name>,
}

/// What a unit is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitDetails {
    /// What people call it.
    pub title: Title,
    /// One of the year plan's subjects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Name>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
}

/// Who may evaluate a goal, and where it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoalKind {
    /// *Faglige mål*: evaluated by teacher or pedagogue only; never shown in the unit.
    Subject,
    /// *Mål og refleksion*: evaluated by student and by staff; shown in the unit.
    Reflection,
}

/// What a goal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoalArea {
    /// *Faglig*.
    Academic,
    /// *Alsidig udvikling*.
    AllRoundDevelopment,
    /// *Trivsel*.
    Wellbeing,
}

/// The words of a goal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wording {
    /// The teacher's own.
    Own {
        /// The words.
        text: Text,
    },
    /// From a catalogue. The words as they were then are kept, whatever becomes of the catalogue.
    Catalogue {
        /// The catalogue.
        catalogue: CatalogueId,
        /// The item.
        item: CatalogueItemId,
        /// The words of the item when it was chosen.
        text: Text,
    },
}

/// How a command words a goal: a catalogue's text is looked up when it is decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordingChoice {
    /// The teacher's own words.
    Own {
        /// The words.
        text: Text,
    },
    /// An item of a catalogue.
    Catalogue {
        /// The catalogue.
        catalogue: CatalogueId,
        /// The item.
        item: CatalogueItemId,
    },
}

/// The levels a goal is evaluated on (*målestok*), lowest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scale {
    /// What people call it.
    pub title: Title,
    /// Two to ten levels, lowest first; no two alike. An evaluation names a level by its index.
    pub levels: Vec<Title>,
}

/// What a goal is from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoalDetails<W = Wording> {
    /// Who may evaluate it, and where it is shown.
    pub kind: GoalKind,
    /// What it is about.
    pub area: GoalArea,
    /// Its words.
    pub wording: W,
    /// The levels it is evaluated on.
    pub scale: Scale,
}

/// What can be asked of a year plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YearPlanCommand {
    /// Creates it. Refused if it exists.
    Create {
        /// What it is.
        details: YearPlanDetails,
        /// Who owns it.
        owner: PersonId,
    },
    /// Changes its title.
    Retitle {
        /// The new title.
        title: Title,
    },
    /// Adds a subject to a combined year plan.
    AddSubject {
        /// The subject.
        subject: Name,
    },
    /// Removes a subject that no unit uses from a combined year plan.
    RemoveSubject {
        /// The subject.
        subject: Name,
    },
    /// Adds a unit.
    AddUnit {
        /// Its id, chosen by the sender.
        unit: UnitId,
        /// What it is.
        details: UnitDetails,
    },
    /// Adds a copy of a unit, with goals of it, as a step of a recovery. Does nothing if the unit is
    /// there already.
    CopyUnit {
        /// Its id.
        unit: UnitId,
        /// The unit that is copied, deleted or not.
        from: UnitRef,
        /// Goals that are copied if they are in use, each with the id of the copy.
        goals: Vec<(GoalId, GoalId)>,
    },
    /// Changes a unit.
    ReviseUnit {
        /// Which.
        unit: UnitId,
        /// What it is from now on.
        details: UnitDetails,
    },
    /// Deletes a unit. Plans that include it keep it, with its goals and evaluations (P1).
    DeleteUnit {
        /// Which.
        unit: UnitId,
        /// Why.
        reason: Option<Reason>,
    },
    /// Takes the deletion of a unit back.
    UndeleteUnit {
        /// Which.
        unit: UnitId,
    },
    /// Sets a goal in a unit.
    AddGoal {
        /// In which unit.
        unit: UnitId,
        /// Its id, chosen by the sender.
        goal: GoalId,
        /// What it is.
        details: GoalDetails<WordingChoice>,
    },
    /// Changes a goal's words or scale. Evaluations keep the revision that they were made on.
    ReviseGoal {
        /// Which.
        goal: GoalId,
        /// Its words from now on.
        wording: WordingChoice,
        /// Its scale from now on.
        scale: Scale,
    },
    /// Takes a goal out of use. It stays where it was evaluated.
    RetireGoal {
        /// Which.
        goal: GoalId,
        /// Why.
        reason: Option<Reason>,
    },
    /// Deletes the year plan. Plans that hang on it are untouched (P1).
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
        from: PersonId,
        /// The new owner.
        to: PersonId,
        /// Why.
        reason: Option<Reason>,
    },
    /// Takes [`YearPlanCommand::HandOver`] back, also when the owner before has left since.
    HandBack {
        /// The owner it is expected to have.
        from: PersonId,
        /// The owner before.
        to: PersonId,
        /// Why.
        reason: Option<Reason>,
    },
}

/// What happened to a year plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YearPlanEvent {
    /// It was created.
    Created {
        /// What it is.
        details: YearPlanDetails,
        /// Who owns it.
        owner: PersonId,
    },
    /// Its title changed.
    Retitled {
        /// The new title.
        title: Title,
    },
    /// A subject was added.
    SubjectAdded {
        /// The subject.
        subject: Name,
    },
    /// A subject was removed.
    SubjectRemoved {
        /// The subject.
        subject: Name,
    },
    /// A unit was added.
    UnitAdded {
        /// Its id.
        unit: UnitId,
        /// What it is.
        details: UnitDetails,
    },
    /// A unit changed.
    UnitRevised {
        /// Which.
        unit: UnitId,
        /// What it is from now on.
        details: UnitDetails,
    },
    /// A unit was deleted.
    UnitDeleted {
        /// Which.
        unit: UnitId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The deletion of a unit was taken back.
    UnitUndeleted {
        /// Which.
        unit: UnitId,
    },
    /// A goal was set.
    GoalAdded {
        /// In which unit.
        unit: UnitId,
        /// Its id.
        goal: GoalId,
        /// What it is.
        details: GoalDetails,
    },
    /// A goal's words or scale changed.
    GoalRevised {
        /// Which.
        goal: GoalId,
        /// Its words from now on.
        wording: Wording,
        /// Its scale from now on.
        scale: Scale,
    },
    /// A goal went out of use.
    GoalRetired {
        /// Which.
        goal: GoalId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The year plan was deleted.
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
        from: PersonId,
        /// The owner from now on.
        to: PersonId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
}

/// A year plan as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearPlan {
    /// What it is; title and subjects as they are now.
    pub details: YearPlanDetails,
    /// Who owns it.
    pub owner: PersonId,
    /// Who owned it before.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub former_owners: BTreeSet<PersonId>,
    /// Units in the order in which they were added, deleted ones among them.
    pub units: Vec<Unit>,
    /// Goals by id.
    pub goals: BTreeMap<GoalId, Goal>,
    /// Set while it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
}

/// A unit as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// What it is.
    pub details: UnitDetails,
    /// Its goals in the order in which they were set.
    pub goals: Vec<GoalId>,
    /// Set while it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
}

/// A goal as it is now, with what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// The unit it stands in.
    pub unit: UnitId,
    /// Who may evaluate it, and where it is shown.
    pub kind: GoalKind,
    /// What it is about.
    pub area: GoalArea,
    /// Words and scale of each revision, first to present; never empty.
    pub revisions: Vec<GoalRevision>,
    /// Out of use.
    pub retired: bool,
}

/// The words and scale of a goal at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoalRevision {
    /// The words.
    pub wording: Wording,
    /// The levels.
    pub scale: Scale,
}
