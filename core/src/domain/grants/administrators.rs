//! The rule that a ledger never loses its last administrator by a command that says so.

use super::Role;
use crate::actor::Actor;
use crate::domain::refusing::refuse;
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Reason, Refusal, Stop};
use crate::ids::{GrantId, GrantsId, PersonId, StreamKind};

/// An administrator who can act on the day of a command.
pub(super) struct Present {
    /// Who.
    pub(super) grantee: Actor,
    /// By which grant.
    grant: GrantId,
    /// Whether nothing that is known says that this will end.
    lasts: bool,
}

/// The administrators who can act on the day of the command.
pub(super) fn present(ask: &RuleContext<'_>) -> Result<Vec<Present>, Stop> {
    let mut found = Vec::new();
    for stream in ask.all(StreamKind::Grants)? {
        let Some(state) = ask.load(stream)? else {
            continue;
        };
        let Aggregate::Grants(of_one) = &*state else {
            continue;
        };
        let grants = of_one.grants.iter();
        let grants = grants.filter(|(_, grant)| {
            grant.details.role == Role::Administrator && grant.holds_on(ask.day)
        });
        let grantee = of_one.grantee;
        if let Some(stays) = stays(ask, grantee)? {
            found.extend(grants.map(|(id, grant)| Present {
                grantee,
                grant: *id,
                lasts: stays && grant.details.last_day.is_none(),
            }));
        }
    }
    Ok(found)
}

/// Whether somebody who can act will be able to: not a person whose coming departure is noted.
/// `None` if they cannot act: a person who has left or may not log in, or a revoked system.
fn stays(ask: &RuleContext<'_>, who: Actor) -> Result<Option<bool>, Stop> {
    Ok(match who {
        Actor::Person(id) => match ask.load(id)?.as_deref() {
            Some(Aggregate::Person(person))
                if !person.has_left_on(ask.day) && !person.is_curtailed() =>
            {
                Some(person.leaving_on(ask.day).is_none())
            }
            _ => None,
        },
        Actor::System(id) => match ask.load(id)?.as_deref() {
            Some(Aggregate::System(system)) if !system.revoked => Some(true),
            _ => None,
        },
    })
}

/// Refuses a command after which a person cannot act any more, if no administrator could act then: a
/// departure, or an erasure.
pub(in crate::domain) fn keep_one_without(
    ask: &RuleContext<'_>,
    person: PersonId,
) -> Result<(), Stop> {
    let gone = Actor::Person(person);
    // Nearly nobody is administrator, and an import brings many who leave.
    let is_administrator = match ask.load(GrantsId::of(gone))?.as_deref() {
        Some(Aggregate::Grants(of_one)) => of_one
            .grants
            .values()
            .any(|grant| grant.details.role == Role::Administrator && grant.holds_on(ask.day)),
        _ => false,
    };
    match is_administrator {
        true => keep_one(ask, |grantee, _| grantee != gone),
        false => Ok(()),
    }
}

/// Refuses a command after which no administrator could act, or none for longer than until a day that
/// is known. `stays` says which grants stay. A ledger that has no such administrator anyway cannot
/// lose one.
pub(in crate::domain) fn keep_one(
    ask: &RuleContext<'_>,
    stays: impl Fn(Actor, GrantId) -> bool,
) -> Result<(), Stop> {
    let present = present(ask)?;
    let some_last = present.iter().any(|one| one.lasts);
    let mut counted = present.iter().filter(|one| one.lasts == some_last);
    if present.is_empty() || counted.any(|one| stays(one.grantee, one.grant)) {
        return Ok(());
    }
    refuse(Refusal::new(
        Reason::LastAdministrator,
        "nobody would be left who may grant anything without an end; make somebody else administrator \
         first, without a last day",
    ))
}
