//! The rule that a ledger never loses its last administrator by a command that says so.

use super::Role;
use crate::actor::Actor;
use crate::domain::refusing::refuse;
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Reason, Refusal, Stop};
use crate::ids::{GrantId, StreamKind};

/// The administrators who can act on the day of the command, each with the grant.
pub(super) fn present(ask: &RuleContext<'_>) -> Result<Vec<(Actor, GrantId)>, Stop> {
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
        if can_act(ask, of_one.grantee)? {
            found.extend(grants.map(|(id, _)| (of_one.grantee, *id)));
        }
    }
    Ok(found)
}

/// Whether a person has not left, or a system is not revoked.
fn can_act(ask: &RuleContext<'_>, who: Actor) -> Result<bool, Stop> {
    Ok(match who {
        Actor::Person(id) => match ask.load(id)?.as_deref() {
            Some(Aggregate::Person(person)) => !person.has_left_on(ask.day),
            _ => false,
        },
        Actor::System(id) => match ask.load(id)?.as_deref() {
            Some(Aggregate::System(system)) => !system.revoked,
            _ => false,
        },
    })
}

/// Refuses a command after which no administrator could act. `stays` says which grants stay. A
/// ledger that has no administrator anyway cannot lose one.
pub(in crate::domain) fn keep_one(
    ask: &RuleContext<'_>,
    stays: impl Fn(Actor, GrantId) -> bool,
) -> Result<(), Stop> {
    let now = present(ask)?;
    if now.is_empty() || now.iter().any(|(grantee, grant)| stays(*grantee, *grant)) {
        return Ok(());
    }
    refuse(Refusal::new(
        Reason::LastAdministrator,
        "nobody would be left who may grant anything; make somebody else administrator first",
    ))
}
