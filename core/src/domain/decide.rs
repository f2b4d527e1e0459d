//! Turns a command into events, or into the reason why it is refused.

use super::erasure::check_not_erased;
use super::field::Field;
use super::rule_context::{RuleContext, asking};
use super::world::{Context, Decision, RosterFact, Stop, World};
use super::year_plan::Place;
use super::{Actor, Command, Event, days};
use crate::ids::PersonId;
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
        check_not_erased(ask, command)?;
        decide_asking(ask, command)
    })
}

/// Whether a person can own a team, year plan or plan: of this place, or of any if no place is
/// given. If not, the answer says why. This is the one rule for commands, dry runs and suggestions.
///
/// # Errors
/// As for [`decide`].
pub(crate) fn can_own<W: World + ?Sized>(
    world: &W,
    person: PersonId,
    place: Option<Place>,
    field: Field,
) -> Result<(), Stop> {
    // The rules that are asked here do not look at who acts. Of the instant they look at the day.
    let at = Timestamp::last_of_day_in_denmark(world.day());
    let context = Context::new(Actor::Person(person), at);
    asking(world, &context, |ask| match place {
        Some(place) => ask.successor(person, place, field),
        None => ask.new_owner(person, field),
    })
}

fn decide_asking(ask: &RuleContext<'_>, command: &Command) -> Result<Decision, Stop> {
    let stream = command.stream();
    let (mut kept, mut dropped) = (Vec::new(), Vec::new());
    let events = match command {
        Command::Institution(id, command) => {
            let decided = command.decide(ask, *id)?;
            let facts = decided.kept.into_iter();
            kept = facts.map(RosterFact::Institution).collect();
            wrap(Event::Institution, decided.events)
        }
        Command::SchoolYear(id, command) => {
            let decided = command.decide(ask, *id)?;
            kept = facts(RosterFact::SchoolYear, decided.kept);
            wrap(Event::SchoolYear, decided.events)
        }
        Command::Person(id, command) => {
            let decided = command.decide(ask, *id)?;
            kept = facts(RosterFact::Person, decided.kept);
            dropped = facts(RosterFact::Person, decided.dropped);
            wrap(Event::Person, decided.events)
        }
        Command::Team(id, command) => {
            let decided = command.decide(ask, *id)?;
            kept = facts(RosterFact::Team, decided.kept);
            dropped = facts(RosterFact::Team, decided.dropped);
            wrap(Event::Team, decided.events)
        }
        Command::YearPlan(id, command) => wrap(Event::YearPlan, command.decide(ask, *id)?),
        Command::Plan(id, command) => {
            let (plan, events) = command.decide(ask, *id)?;
            return Ok(Decision {
                stream: plan.into(),
                events: wrap(Event::Plan, events),
                kept,
                dropped,
            });
        }
        Command::Catalogue(id, command) => wrap(Event::Catalogue, command.decide(ask, *id)?),
        Command::Ledger(id, command) => wrap(Event::Ledger, command.decide(ask, *id)?),
        Command::Recovery(id, command) => wrap(Event::Recovery, command.decide(ask, *id)?),
        Command::RosterSource(id, command) => wrap(Event::RosterSource, command.decide(ask, *id)?),
        Command::System(id, command) => wrap(Event::System, command.decide(ask, *id)?),
        Command::Grants(id, command) => wrap(Event::Grants, command.decide(ask, *id)?),
        Command::Erasure(id, command) => wrap(Event::Erasure, command.decide(ask, *id)?),
    };
    Ok(Decision {
        stream,
        events,
        kept,
        dropped,
    })
}

fn facts<F>(kind: fn(F) -> RosterFact, facts: Vec<F>) -> Vec<RosterFact> {
    facts.into_iter().map(kind).collect()
}

fn wrap<E>(kind: fn(E) -> Event, events: Vec<E>) -> Vec<Event> {
    events.into_iter().map(kind).collect()
}
