//! What carrying out a command needs.

use std::collections::BTreeSet;

use planledger_core::access::{About, Action, Relation, Role, may, unseen};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::year_plan::YearPlanCommand;
use planledger_core::domain::{Actor, Command, World};
use planledger_core::ids::{PersonId, StreamId, YearPlanId};
use planledger_core::ledger::{Envelope, ReadError};

use super::thing::Thing;
use super::{Permitted, Rights};
use crate::server::auth::Caller;

impl Rights<'_> {
    pub(super) fn execute(&self, envelope: &Envelope, before: &[Envelope]) -> Permitted {
        match self.acting_for(envelope) {
            Some(rights) => rights.carry_out(&envelope.command, before),
            None => Ok(false),
        }
    }

    /// What a command names and its sender may not see. A sender who may not send it at all is
    /// told nothing, so then it does not matter.
    pub(super) fn unseen(&self, envelope: &Envelope) -> Result<BTreeSet<StreamId>, ReadError> {
        match self.acting_for(envelope) {
            Some(rights) => unseen(rights.now, rights.now.day(), &rights.who, &envelope.command),
            None => Ok(BTreeSet::new()),
        }
    }

    /// The rights of whoever sends a command, for whom it names. `None` if nobody may name those two
    /// together.
    fn acting_for(&self, envelope: &Envelope) -> Option<Self> {
        let caller = Caller {
            on_behalf_of: self.who.on_behalf_of,
            purpose: self.who.purpose,
            ..Caller::new(self.who.actor)
        };
        let caller = caller.acting_for(envelope.on_behalf_of)?;
        Some(Rights::of(self.now, &caller))
    }

    fn carry_out(&self, command: &Command, before: &[Envelope]) -> Permitted {
        let action = Action::of_command(command);
        let abouts = About::of_command(command);
        let stream = command.stream();
        let is_there = self.now.aggregate(stream)?.is_some();
        for about in &abouts {
            if !is_there && is_of(*about, stream) {
                // Whoever imports for one institution brings people and teams there.
                if action == Action::ImportRoster && abouts.len() > 1 {
                    continue;
                }
                if self.begun(action, stream, before)? {
                    continue;
                }
            }
            if !self.may(action, *about)? {
                return Ok(false);
            }
        }
        match taken_from(command) {
            Some(from) => self.may(Action::ReadYearPlanAsStaff, from),
            None => Ok(true),
        }
    }

    /// Whether the caller may do something to what an earlier command of the same batch creates:
    /// as whoever will own it, or because of where it will be.
    fn begun(&self, action: Action, stream: StreamId, before: &[Envelope]) -> Permitted {
        let mut begun = before.iter().map(|envelope| &envelope.command);
        let Some((owner, places)) = begun
            .find(|command| command.stream() == stream)
            .and_then(created)
        else {
            return Ok(false);
        };
        let who = self.who.on_behalf_of.map(Actor::Person);
        let who = who.unwrap_or(self.who.actor);
        let owns = owner.is_none_or(|owner| who == Actor::Person(owner));
        if owns && matches!(who, Actor::Person(_)) && may(Role::Teacher, Relation::Owner, action) {
            return Ok(true);
        }
        self.all(action, places)
    }
}

/// Whom a command that creates something makes its owner, and where it puts it. No owner is whoever
/// sends the command.
fn created(command: &Command) -> Option<(Option<PersonId>, Vec<About>)> {
    match command {
        Command::Team(_, TeamCommand::Create { details, owner }) => {
            Some((*owner, vec![About::Institution(details.institution)]))
        }
        Command::YearPlan(_, YearPlanCommand::Create { details, owner }) => {
            Some((Some(*owner), vec![About::Team(details.team)]))
        }
        Command::Plan(
            _,
            PlanCommand::Open {
                student,
                year_plan,
                owner,
            },
        ) => Some((
            *owner,
            vec![About::Student(*student), About::YearPlan(*year_plan)],
        )),
        _ => None,
    }
}

/// The year plan from which a command takes text into another thing.
fn taken_from(command: &Command) -> Option<YearPlanId> {
    match command {
        Command::YearPlan(to, YearPlanCommand::CopyUnit { from, .. }) => {
            Some(from.year_plan).filter(|from| from != to)
        }
        Command::Plan(_, PlanCommand::IncludeUnit(unit)) => Some(unit.year_plan),
        _ => None,
    }
}

fn is_of(about: About, stream: StreamId) -> bool {
    about == Thing::from(stream).0
}
