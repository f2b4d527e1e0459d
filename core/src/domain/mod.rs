//! The rules of student plans: pure, total, deterministic.
//!
//! [`decide`](decide()) turns a [`Command`] into [`Event`]s or a [`Refusal`]. [`Aggregate::apply`]
//! folds events into an [`Aggregate`]. [`view`] shows what an audience sees. None of them does I/O,
//! reads a clock or draws random numbers. Each aggregate has a folder with its commands, events,
//! state and rules.

pub mod catalogue;
pub mod erasure;
pub mod field;
pub mod grants;
pub mod institution;
pub mod ledger;
pub mod person;
pub mod plan;
pub mod recovery;
pub mod refusal;
pub mod roster_source;
pub mod school_year;
pub mod system;
pub mod team;
pub mod view;
pub mod world;
pub mod year_plan;

mod apply;
mod days;
mod decide;
mod event_type;
pub(crate) mod owning;
mod refusing;
mod roster;
mod rule_context;
pub(crate) mod succeeding;
mod upcast;

use serde::{Deserialize, Serialize};

use self::catalogue::{Catalogue, CatalogueCommand, CatalogueEvent};
pub(crate) use self::decide::can_own;
pub use self::decide::decide;
use self::erasure::{Erasure, ErasureCommand, ErasureEvent};
pub use self::event_type::{EventType, PayloadError};
pub use self::field::{Field, RequestField};
use self::grants::{Grants, GrantsCommand, GrantsEvent};
use self::institution::{Institution, InstitutionCommand, InstitutionEvent};
use self::ledger::{LedgerCommand, LedgerEvent, LedgerState};
use self::person::{Person, PersonCommand, PersonEvent};
use self::plan::{Plan, PlanCommand, PlanEvent};
use self::recovery::{Recovery, RecoveryCommand, RecoveryEvent};
pub use self::refusal::{Reason, Refusal};
use self::roster_source::{RosterSource, RosterSourceCommand, RosterSourceEvent};
use self::school_year::{DefinedSchoolYear, SchoolYearCommand, SchoolYearEvent};
use self::system::{System, SystemCommand, SystemEvent};
use self::team::{Team, TeamCommand, TeamEvent};
pub use self::world::{Decision, RosterFact, Stop, Without, World};
use self::year_plan::{YearPlan, YearPlanCommand, YearPlanEvent};
pub use crate::actor::Actor;
use crate::ids::{
    CatalogueId, ErasureId, GrantsId, InstitutionId, LedgerId, PersonId, PlanId, RecoveryId,
    Revision, RosterSourceId, SchoolYearId, StreamId, SystemId, TeamId, YearPlanId,
};
use crate::time::Timestamp;

/// When, by whom and why a container was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// The instant of the deletion.
    pub at: Timestamp,
    /// The person or system that deleted it. If a system acted for a person, the person.
    pub by: Actor,
    /// The reason that was given; `None` if none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<crate::text::ReasonText>,
}

impl Deletion {
    fn of(meta: &EventMeta, reason: &Option<crate::text::ReasonText>) -> Self {
        Self {
            at: meta.recorded_at,
            by: meta.author(),
            reason: reason.clone(),
        }
    }
}

/// What can be asked, and of which stream. Every command is for exactly one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A command for an institution.
    Institution(InstitutionId, InstitutionCommand),
    /// A command for a school year.
    SchoolYear(SchoolYearId, SchoolYearCommand),
    /// A command for a person.
    Person(PersonId, PersonCommand),
    /// A command for a team.
    Team(TeamId, TeamCommand),
    /// A command for a year plan.
    YearPlan(YearPlanId, YearPlanCommand),
    /// A command for a plan.
    Plan(PlanId, PlanCommand),
    /// A command for a catalogue.
    Catalogue(CatalogueId, CatalogueCommand),
    /// A command for one of the ledger's own streams.
    Ledger(LedgerId, LedgerCommand),
    /// A command for a recovery.
    Recovery(RecoveryId, RecoveryCommand),
    /// A command for a source of rosters.
    RosterSource(RosterSourceId, RosterSourceCommand),
    /// A command for a system.
    System(SystemId, SystemCommand),
    /// A command for the grants of a person or system.
    Grants(GrantsId, GrantsCommand),
    /// A command for a redaction or an erasure.
    Erasure(ErasureId, ErasureCommand),
}

impl Command {
    /// The stream that the command is for. The receipt for opening a plan may name another stream:
    /// see [`PlanCommand::Open`].
    pub fn stream(&self) -> StreamId {
        match self {
            Self::Institution(id, _) => (*id).into(),
            Self::SchoolYear(id, _) => (*id).into(),
            Self::Person(id, _) => (*id).into(),
            Self::Team(id, _) => (*id).into(),
            Self::YearPlan(id, _) => (*id).into(),
            Self::Plan(id, _) => (*id).into(),
            Self::Catalogue(id, _) => (*id).into(),
            Self::Ledger(id, _) => (*id).into(),
            Self::Recovery(id, _) => (*id).into(),
            Self::RosterSource(id, _) => (*id).into(),
            Self::System(id, _) => (*id).into(),
            Self::Grants(id, _) => (*id).into(),
            Self::Erasure(id, _) => (*id).into(),
        }
    }
}

/// What happened. The entry, not the event, says in which stream it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Something happened to an institution.
    Institution(InstitutionEvent),
    /// Something happened to a school year.
    SchoolYear(SchoolYearEvent),
    /// Something happened to a person.
    Person(PersonEvent),
    /// Something happened to a team.
    Team(TeamEvent),
    /// Something happened to a year plan.
    YearPlan(YearPlanEvent),
    /// Something happened to a plan.
    Plan(PlanEvent),
    /// Something happened to a catalogue.
    Catalogue(CatalogueEvent),
    /// Something happened to the ledger itself.
    Ledger(LedgerEvent),
    /// Something happened to a recovery.
    Recovery(RecoveryEvent),
    /// Something happened to a source of rosters.
    RosterSource(RosterSourceEvent),
    /// Something happened to a system.
    System(SystemEvent),
    /// Something happened to the grants of a person or system.
    Grants(GrantsEvent),
    /// Something happened to a redaction or an erasure.
    Erasure(ErasureEvent),
}

/// What an entry says about an event, apart from the event itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventMeta {
    /// The stream that the event belongs to.
    pub stream: StreamId,
    /// The revision of the event in its stream.
    pub revision: Revision,
    /// The instant at which the event was recorded.
    pub recorded_at: Timestamp,
    /// The person or system that acted.
    pub actor: Actor,
    /// The person or system for whom the actor acted; `None` if the actor acted for itself.
    pub on_behalf_of: Option<Actor>,
}

impl EventMeta {
    /// Whether a person decided: as the actor, or because a system acted for the person.
    pub(in crate::domain) fn is_by_a_person(&self) -> bool {
        is_by_a_person(self.actor, self.on_behalf_of)
    }

    /// Whose act it is: the person for whom the actor acted, and otherwise the actor.
    pub fn author(&self) -> Actor {
        author(self.actor, self.on_behalf_of)
    }
}

/// Whose act it is. Whoever acts for a person has that person's rights and no others, so the rules
/// look at the person. What is done for a system, or for nobody else, is the act of the actor.
fn author(actor: Actor, on_behalf_of: Option<Actor>) -> Actor {
    match on_behalf_of {
        Some(Actor::Person(person)) => Actor::Person(person),
        Some(Actor::System(_)) | None => actor,
    }
}

/// Whether a person decides: as the actor, or because a system acts for the person.
fn is_by_a_person(actor: Actor, on_behalf_of: Option<Actor>) -> bool {
    let mut actors = [Some(actor), on_behalf_of].into_iter().flatten();
    actors.any(|actor| matches!(actor, Actor::Person(_)))
}

/// The present state of one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// The state of an institution.
    Institution(Institution),
    /// The state of a school year.
    SchoolYear(DefinedSchoolYear),
    /// The state of a person.
    Person(Person),
    /// The state of a team.
    Team(Team),
    /// The state of a year plan.
    YearPlan(YearPlan),
    /// The state of a plan.
    Plan(Plan),
    /// The state of a catalogue.
    Catalogue(Catalogue),
    /// The state of one of the ledger's own streams.
    Ledger(LedgerState),
    /// The state of a recovery.
    Recovery(Recovery),
    /// The state of a source of rosters.
    RosterSource(RosterSource),
    /// The state of a system.
    System(System),
    /// The state of the grants of a person or system.
    Grants(Grants),
    /// The state of a redaction or an erasure.
    Erasure(Erasure),
}
