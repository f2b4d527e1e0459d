//! Turns a command into events, or into the reason why it is refused.

use super::field::Field;
use super::rule_context::{RuleContext, asking};
use super::world::{Context, Decision, RosterFact, Stop, World};
use super::{Actor, Command, Event, days};
use crate::ids::{InstitutionId, PersonId};
use crate::time::Timestamp;

/// Decides a command. The answer depends on nothing but the arguments, always comes, and needs no
/// I/O.
///
/// # Errors
/// [`Stop::Refused`] when the rules refuse the command, [`Stop::Unread`] when something
/// that the rules ask for cannot be read.
pub fn decide<W: World + ?Sized>(
    world: &W,
    context: &Context,
    command: &Command,
) -> Result<Decision, Stop> {
    asking(world, context, |ask| {
        ask.check_present(context)?;
        days::check(command, context.at)?;
        decide_asking(ask, command)
    })
}

/// Whether a person can own a team, year plan or plan: of this institution, or of any if no
/// institution is given. If not, the answer says why.
///
/// # Errors
/// As for [`decide`].
pub(crate) fn can_own<W: World + ?Sized>(
    world: &W,
    person: PersonId,
    institution: Option<InstitutionId>,
    field: Field,
) -> Result<(), Stop> {
    // The rules that are asked here do not look at who acts, or when.
    let context = Context::new(Actor::Person(person), Timestamp::default());
    asking(world, &context, |ask| match institution {
        Some(institution) => ask.successor(person, institution, field),
        None => ask.new_owner(person, field),
    })
}

fn decide_asking(ask: &RuleContext<'_>, command: &Command) -> Result<Decision, Stop> {
    let stream = command.stream();
    let mut kept = Vec::new();
    let events = match command {
        Command::Institution(id, command) => wrap(Event::Institution, command.decide(ask, *id)?),
        Command::SchoolYear(id, command) => wrap(Event::SchoolYear, command.decide(ask, *id)?),
        Command::Person(id, command) => {
            let decided = command.decide(ask, *id)?;
            kept = decided.kept.into_iter().map(RosterFact::Person).collect();
            wrap(Event::Person, decided.events)
        }
        Command::Team(id, command) => {
            let decided = command.decide(ask, *id)?;
            kept = decided.kept.into_iter().map(RosterFact::Team).collect();
            wrap(Event::Team, decided.events)
        }
        Command::YearPlan(id, command) => wrap(Event::YearPlan, command.decide(ask, *id)?),
        Command::Plan(id, command) => {
            let (plan, events) = command.decide(ask, *id)?;
            return Ok(Decision {
                stream: plan.into(),
                events: wrap(Event::Plan, events),
                kept,
            });
        }
        Command::Catalogue(id, command) => wrap(Event::Catalogue, command.decide(ask, *id)?),
        Command::Ledger(id, command) => wrap(Event::Ledger, command.decide(ask, *id)?),
        Command::Recovery(id, command) => wrap(Event::Recovery, command.decide(ask, *id)?),
    };
    Ok(Decision {
        stream,
        events,
        kept,
    })
}

fn wrap<E>(kind: fn(E) -> Event, events: Vec<E>) -> Vec<Event> {
    events.into_iter().map(kind).collect()
}
