//! Year plans (*årsplaner*) with their units (*forløb*) and goals.

mod apply;
mod decide;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Deletion;
use crate::ids::{
    CatalogueId, CatalogueItemId, GoalId, InstitutionId, PersonId, SchoolYearId, TeamId, UnitId,
    YearPlanId,
};
use crate::text::{Name, ReasonText, Text, Title};

/// A unit as a plan names it. A plan that was moved may hold units of several year plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnitRef {
    /// The year plan that the unit belongs to.
    pub year_plan: YearPlanId,
    /// The id of the unit in that year plan.
    pub unit: UnitId,
}

/// Whether a year plan covers one subject or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YearPlanKind {
    /// One subject (*faglig*).
    Subject,
    /// Several subjects, shared by those who teach them (*samlet i én årsplan*).
    Combined,
}

/// The facts with which a year plan begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearPlanDetails {
    /// One subject or several.
    pub kind: YearPlanKind,
    /// The institution that the year plan belongs to.
    pub institution: InstitutionId,
    /// The team it is made for.
    pub team: TeamId,
    /// Its school year.
    pub school_year: SchoolYearId,
    /// The title that people see.
    pub title: Title,
    /// The subjects: exactly one in a subject year plan, at least one in a combined year plan.
    pub subjects: BTreeSet<Name>,
}

/// Where a year plan belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The institution.
    pub institution: InstitutionId,
    /// The team.
    pub team: TeamId,
}

impl YearPlanDetails {
    /// Where the year plan belongs, and with it the plans on it.
    pub fn place(&self) -> Place {
        Place {
            institution: self.institution,
            team: self.team,
        }
    }
}

/// The title, subject and description of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitDetails {
    /// The title that people see.
    pub title: Title,
    /// One of the year plan's subjects; `None` if the unit belongs to no single one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Name>,
    /// What the unit is about; `None` if nothing was written.
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
    /// The teacher's own words.
    Own {
        /// The words.
        text: Text,
    },
    /// The words of a catalogue's item. They are kept as they were when the item was chosen,
    /// whatever happens to the catalogue.
    Catalogue {
        /// The catalogue.
        catalogue: CatalogueId,
        /// The item.
        item: CatalogueItemId,
        /// The words of the item when it was chosen.
        text: Text,
    },
}

/// How a command says which words a goal gets. A catalogue's words are looked up when the command
/// is decided.
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
    /// The title that people see.
    pub title: Title,
    /// Two to ten levels, lowest first, all different. An evaluation names a level by its index
    /// from 0.
    pub levels: Vec<Title>,
}

/// How many levels a scale has.
const LEVELS: std::ops::RangeInclusive<usize> = 2..=10;

impl Scale {
    /// Whether a goal can have it: two to ten levels, all different.
    pub fn is_sound(&self) -> bool {
        let distinct: BTreeSet<_> = self.levels.iter().collect();
        LEVELS.contains(&self.levels.len()) && distinct.len() == self.levels.len()
    }
}

/// How a command says which scale a goal gets. A catalogue's levels are looked up when the command is
/// decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
// The JSON of the teacher's own scale is that of commands from before there was a choice.
#[serde(untagged)]
pub enum ScaleChoice {
    /// The teacher's own scale.
    Own(Scale),
    /// A scale of a catalogue: see [`Catalogue::scales`](super::catalogue::Catalogue::scales).
    Catalogue {
        /// The catalogue.
        catalogue: CatalogueId,
        /// The criterion, or the rubric whose criteria all have the same levels.
        item: CatalogueItemId,
    },
}

impl From<Scale> for ScaleChoice {
    fn from(scale: Scale) -> Self {
        Self::Own(scale)
    }
}

/// The facts with which a goal begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoalDetails<W = Wording, S = Scale> {
    /// Who may evaluate it, and where it is shown.
    pub kind: GoalKind,
    /// What it is about.
    pub area: GoalArea,
    /// Its words.
    pub wording: W,
    /// The levels it is evaluated on.
    pub scale: S,
}

/// What can be asked of a year plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YearPlanCommand {
    /// Creates the year plan. Refused if it exists.
    Create {
        /// The kind, institution, team, school year, title and subjects.
        details: YearPlanDetails,
        /// The person who owns it.
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
        /// The id of the new unit, chosen by the sender.
        unit: UnitId,
        /// The title, subject and description.
        details: UnitDetails,
    },
    /// Adds a copy of a unit and of some of its goals, as a step of a recovery. Does nothing if the
    /// unit exists already.
    CopyUnit {
        /// The id of the unit.
        unit: UnitId,
        /// The unit that is copied. It may be deleted.
        from: UnitRef,
        /// The goals to copy, each with the id of its copy. Goals that are out of use are not
        /// copied.
        goals: Vec<(GoalId, GoalId)>,
    },
    /// Changes a unit.
    ReviseUnit {
        /// The unit.
        unit: UnitId,
        /// The new title, subject and description.
        details: UnitDetails,
    },
    /// Deletes a unit. Plans that include it keep it, with its goals and evaluations (P1).
    DeleteUnit {
        /// The unit.
        unit: UnitId,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Takes the deletion of a unit back.
    UndeleteUnit {
        /// The unit.
        unit: UnitId,
    },
    /// Sets a goal in a unit.
    AddGoal {
        /// In which unit.
        unit: UnitId,
        /// The id of the new goal, chosen by the sender.
        goal: GoalId,
        /// The kind, area, words and scale of the goal.
        details: GoalDetails<WordingChoice, ScaleChoice>,
    },
    /// Changes a goal's words or scale. Evaluations keep the revision on which they were made.
    ReviseGoal {
        /// The id of the goal.
        goal: GoalId,
        /// The new words.
        wording: WordingChoice,
        /// The new scale.
        scale: ScaleChoice,
    },
    /// Takes a goal out of use. Where it was evaluated it stays.
    RetireGoal {
        /// The id of the goal.
        goal: GoalId,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Deletes the year plan. The plans that belong to it are untouched (P1).
    Delete {
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Takes the deletion back.
    Undelete,
    /// Gives the year plan to another owner. This works for a deleted year plan too.
    TransferOwnership {
        /// The new owner.
        to: PersonId,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Gives the year plan to another owner, as a step of a recovery. Refused if it has got another
    /// owner meanwhile.
    HandOver {
        /// The owner that it must still have. With another owner the command is refused.
        from: PersonId,
        /// The new owner.
        to: PersonId,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Takes [`YearPlanCommand::HandOver`] back, even if the earlier owner has left since.
    HandBack {
        /// The owner that it must still have. With another owner the command is refused.
        from: PersonId,
        /// The owner that the year plan had earlier.
        to: PersonId,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Moves the year plan to another institution, and to another team if one is given. The plans
    /// that belong to the year plan move with it. This works for a deleted year plan too.
    MoveToInstitution {
        /// The institution, which must be open.
        to: InstitutionId,
        /// A team of that institution; `None` keeps the team, wherever that team is.
        team: Option<TeamId>,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Moves the year plan, as a step of a recovery. Refused if it has been moved meanwhile.
    Move {
        /// Where it must still belong. Anywhere else the command is refused.
        from: Place,
        /// Where it belongs from then on.
        to: Place,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Takes [`YearPlanCommand::Move`] back, even if the earlier institution is closed.
    MoveBack {
        /// Where it must still belong. Anywhere else the command is refused.
        from: Place,
        /// Where it belonged earlier.
        to: Place,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
}

/// What happened to a year plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YearPlanEvent {
    /// It was created.
    Created {
        /// The kind, institution, team, school year, title and subjects.
        details: YearPlanDetails,
        /// The person who owns it.
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
        /// The id of the unit.
        unit: UnitId,
        /// The title, subject and description.
        details: UnitDetails,
    },
    /// A unit changed.
    UnitRevised {
        /// The unit.
        unit: UnitId,
        /// The new title, subject and description.
        details: UnitDetails,
    },
    /// A unit was deleted.
    UnitDeleted {
        /// The unit.
        unit: UnitId,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// The deletion of a unit was taken back.
    UnitUndeleted {
        /// The unit.
        unit: UnitId,
    },
    /// A goal was set.
    GoalAdded {
        /// In which unit.
        unit: UnitId,
        /// The id of the goal.
        goal: GoalId,
        /// The kind, area, words and scale of the goal.
        details: GoalDetails,
    },
    /// A goal's words or scale changed.
    GoalRevised {
        /// The id of the goal.
        goal: GoalId,
        /// The new words.
        wording: Wording,
        /// The new scale.
        scale: Scale,
    },
    /// A goal went out of use.
    GoalRetired {
        /// The id of the goal.
        goal: GoalId,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// The year plan was deleted.
    Deleted {
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// The deletion was taken back.
    Undeleted {},
    /// The year plan got another owner.
    OwnershipTransferred {
        /// The owner until now.
        from: PersonId,
        /// The new owner.
        to: PersonId,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// It moved to another institution or team, and the plans on it with it.
    Moved {
        /// Where it belonged before.
        from: Place,
        /// Where it belongs now.
        to: Place,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
}

/// A year plan as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearPlan {
    /// The details; title and subjects are the present ones.
    pub details: YearPlanDetails,
    /// The person who owns it.
    pub owner: PersonId,
    /// Every person who owned it earlier.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub former_owners: BTreeSet<PersonId>,
    /// The units in the order in which they were added. Deleted units are among them.
    pub units: Vec<Unit>,
    /// Goals by id.
    pub goals: BTreeMap<GoalId, Goal>,
    /// Who deleted it, when and why; `None` unless it is deleted now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
}

impl YearPlan {
    /// The goals in use whose present words come from this catalogue, each with the item and the words. A
    /// deleted year plan has none, nor has a deleted unit.
    pub fn goals_of_catalogue(
        &self,
        catalogue: CatalogueId,
    ) -> impl Iterator<Item = (GoalId, CatalogueItemId, &Text)> {
        let deleted = self.units.iter().filter(|unit| unit.deleted.is_some());
        let deleted: BTreeSet<UnitId> = deleted.map(|unit| unit.id).collect();
        let none = self.deleted.is_some();
        let goals = self.goals.iter();
        let goals =
            goals.filter(move |(_, goal)| !none && !goal.retired && !deleted.contains(&goal.unit));
        goals.filter_map(move |(id, goal)| match &goal.revisions.last()?.wording {
            Wording::Catalogue {
                catalogue: from,
                item,
                text,
            } if *from == catalogue => Some((*id, *item, text)),
            Wording::Catalogue { .. } | Wording::Own { .. } => None,
        })
    }
}

/// A unit as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// The id of the unit.
    pub id: UnitId,
    /// The title, subject and description.
    pub details: UnitDetails,
    /// Its goals in the order in which they were set.
    pub goals: Vec<GoalId>,
    /// Who deleted it, when and why; `None` unless it is deleted now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
}

/// A goal as it is now, with what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// The unit that the goal belongs to.
    pub unit: UnitId,
    /// Who may evaluate it, and where it is shown.
    pub kind: GoalKind,
    /// What it is about.
    pub area: GoalArea,
    /// The words and scale of each revision, from the first to the present one. Never empty.
    pub revisions: Vec<GoalRevision>,
    /// Whether the goal is out of use.
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
