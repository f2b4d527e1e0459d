//! The rules of student plans: pure, total, deterministic.
//!
//! [`decide`](decide()) turns a [`Command`] into [`Event`]s or a [`Refusal`];
//! [`Aggregate::apply`] folds events into an [`Aggregate`]; [`view`] shows what an audience sees.
//! None of them does I/O, reads a clock or draws randomness. A folder per aggregate holds its
//! commands, events, state and rules.

pub mod catalogue;
pub mod field;
pub mod institution;
pub mod ledger;
pub mod person;
pub mod plan;
pub mod recovery;
pub mod refusal;
pub mod school_year;
pub mod team;
pub mod view;
pub mod world;
pub mod year_plan;

mod apply;
mod decide;
mod event_type;
mod upcast;

use serde::{Deserialize, Serialize};

use self::catalogue::{Catalogue, CatalogueCommand, CatalogueEvent};
pub(crate) use self::decide::can_own;
pub use self::decide::decide;
pub use self::event_type::{EventType, PayloadError};
pub use self::field::{Field, RequestField};
use self::institution::{Institution, InstitutionCommand, InstitutionEvent};
use self::ledger::{LedgerCommand, LedgerEvent, LedgerState};
use self::person::{Person, PersonCommand, PersonEvent};
use self::plan::{Plan, PlanCommand, PlanEvent};
use self::recovery::{Recovery, RecoveryCommand, RecoveryEvent};
pub use self::refusal::{Reason, Refusal};
use self::school_year::{SchoolYear, SchoolYearCommand, SchoolYearEvent};
use self::team::{Team, TeamCommand, TeamEvent};
pub use self::world::{Decision, Stop, World};
use self::year_plan::{YearPlan, YearPlanCommand, YearPlanEvent};
pub use crate::actor::Actor;
use crate::ids::{
    CatalogueId, InstitutionId, LedgerId, PersonId, PlanId, RecoveryId, Revision, SchoolYearId,
    StreamId, TeamId, YearPlanId,
};
use crate::time::Timestamp;

/// When, by whom and why a container was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<crate::text::Reason>,
}

impl Deletion {
    fn of(meta: &EventMeta, reason: &Option<crate::text::Reason>) -> Self {
        Self {
            at: meta.recorded_at,
            by: meta.actor,
            reason: reason.clone(),
        }
    }
}

/// What can be asked, and of which stream. Every command targets exactly one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Of an institution.
    Institution(InstitutionId, InstitutionCommand),
    /// Of a school year.
    SchoolYear(SchoolYearId, SchoolYearCommand),
    /// Of a person.
    Person(PersonId, PersonCommand),
    /// Of a team.
    Team(TeamId, TeamCommand),
    /// Of a year plan.
    YearPlan(YearPlanId, YearPlanCommand),
    /// Of a plan.
    Plan(PlanId, PlanCommand),
    /// Of a catalogue.
    Catalogue(CatalogueId, CatalogueCommand),
    /// Of the ledger itself.
    Ledger(LedgerId, LedgerCommand),
    /// Of a recovery.
    Recovery(RecoveryId, RecoveryCommand),
}

impl Command {
    /// The stream it targets. Opening a plan may be answered from another: see
    /// [`PlanCommand::Open`].
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
        }
    }
}

/// What happened. Which stream it happened in stands in the entry, not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// To an institution.
    Institution(InstitutionEvent),
    /// To a school year.
    SchoolYear(SchoolYearEvent),
    /// To a person.
    Person(PersonEvent),
    /// To a team.
    Team(TeamEvent),
    /// To a year plan.
    YearPlan(YearPlanEvent),
    /// To a plan.
    Plan(PlanEvent),
    /// To a catalogue.
    Catalogue(CatalogueEvent),
    /// To the ledger itself.
    Ledger(LedgerEvent),
    /// To a recovery.
    Recovery(RecoveryEvent),
}

/// What an entry says about an event besides the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventMeta {
    /// Its stream.
    pub stream: StreamId,
    /// Its place in the stream.
    pub revision: Revision,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Who did it.
    pub actor: Actor,
}

/// The present state of one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// Of an institution.
    Institution(Institution),
    /// Of a school year.
    SchoolYear(SchoolYear),
    /// Of a person.
    Person(Person),
    /// Of a team.
    Team(Team),
    /// Of a year plan.
    YearPlan(YearPlan),
    /// Of a plan.
    Plan(Plan),
    /// Of a catalogue.
    Catalogue(Catalogue),
    /// Of the ledger itself.
    Ledger(LedgerState),
    /// Of a recovery.
    Recovery(Recovery),
}
