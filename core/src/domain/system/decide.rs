use uuid::Uuid;

use super::{System, SystemCommand, SystemDetails, SystemEvent, SystemIdentity};
use crate::actor::Actor;
use crate::domain::grants::administrators::keep_one;
use crate::domain::refusing::{exists, not_found, refuse};
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::{GrantsId, StreamKind, SystemId};

const ID: &str = "system_id";

impl SystemCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: SystemId,
    ) -> Result<Vec<SystemEvent>, Stop> {
        let state = ask.load(id)?;
        let now = match state.as_deref() {
            Some(Aggregate::System(now)) => Some(now),
            _ => None,
        };
        match self {
            Self::Register(details) => match now {
                Some(_) => exists("system", ID, id, Field::Target),
                None => {
                    check(ask, id, details)?;
                    Ok(vec![SystemEvent::Registered(details.clone())])
                }
            },
            Self::Change(details) => match in_use(now, id)?.details == *details {
                true => Ok(Vec::new()),
                false => {
                    check(ask, id, details)?;
                    granted_as_it_is(ask, id, &in_use(now, id)?.details, details)?;
                    Ok(vec![SystemEvent::Changed(details.clone())])
                }
            },
            Self::Revoke { reason } => {
                in_use(now, id)?;
                keep_one(ask, |grantee, _| grantee != Actor::System(id))?;
                let reason = reason.clone();
                Ok(vec![SystemEvent::Revoked { reason }])
            }
        }
    }
}

fn in_use(now: Option<&System>, id: SystemId) -> Result<&System, Stop> {
    match now {
        Some(now) if !now.revoked => Ok(now),
        Some(_) => refuse(revoked(id, Field::Target)),
        None => Err(unknown(id, Field::Target)),
    }
}

/// The refusal of a command that names a system that may act no more.
pub(in crate::domain) fn revoked(id: SystemId, field: Field) -> Refusal {
    let message = format!("system {id} is revoked; register another one");
    let refusal = Refusal::new(Reason::SystemRevoked, message);
    refusal.field(field).with(ID, id)
}

/// The refusal of a command that names a system that is not registered.
pub(in crate::domain) fn unknown(id: SystemId, field: Field) -> Stop {
    not_found(Reason::SystemNotFound, "system", ID, id, field)
}

/// Refuses details with which the system cannot prove who it is, or could be taken for another.
fn check(ask: &RuleContext<'_>, id: SystemId, details: &SystemDetails) -> Result<(), Stop> {
    let invalid = |message: &str| {
        let refusal = Refusal::new(Reason::SystemIdentityInvalid, message);
        refuse(refusal.field(Field::DetailsIdentities))
    };
    if details.identities.is_empty() {
        return invalid("a system needs a certificate or a client by which it proves who it is");
    }
    if !details.identities.iter().all(SystemIdentity::is_valid) {
        return invalid(
            "a SPIFFE id begins with spiffe://, an issuer with https:// or http://, and a DNS name \
             is in small letters, without spaces and wildcard",
        );
    }
    for stream in ask.all(StreamKind::System)? {
        let other = SystemId::from_uuid(Uuid::from_bytes(*stream.id.as_bytes()));
        if other == id {
            continue;
        }
        if let Some(Aggregate::System(system)) = ask.load(other)?.as_deref()
            && !system.revoked
            && !system.details.identities.is_disjoint(&details.identities)
        {
            let message = format!("system {other} proves who it is in the same way");
            let refusal = Refusal::new(Reason::SystemIdentityTaken, message);
            return refuse(refusal.field(Field::DetailsIdentities).with(ID, other));
        }
    }
    Ok(())
}

/// Refuses to give a system that holds grants another way to prove who it is, or a right to act for
/// people in another way: whoever granted it a role did so for what it was then.
fn granted_as_it_is(
    ask: &RuleContext<'_>,
    id: SystemId,
    before: &SystemDetails,
    after: &SystemDetails,
) -> Result<(), Stop> {
    let field = if !after.identities.is_subset(&before.identities) {
        Field::DetailsIdentities
    } else if (after.may_act_for_people && !before.may_act_for_people)
        || (after.may_name_person_in_header && !before.may_name_person_in_header)
    {
        Field::Target
    } else {
        return Ok(());
    };
    let state = ask.load(GrantsId::of(Actor::System(id)))?;
    let holds = match state.as_deref() {
        Some(Aggregate::Grants(all)) => all.grants.values().any(|grant| !grant.is_over_on(ask.day)),
        _ => false,
    };
    if !holds {
        return Ok(());
    }
    let message = format!(
        "system {id} holds grants, which were given to it as it is; revoke them first, and let somebody \
         else grant them again, or register another system"
    );
    let refusal = Refusal::new(Reason::SystemHoldsGrants, message);
    refuse(refusal.field(field).with(ID, id))
}

impl SystemIdentity {
    fn is_valid(&self) -> bool {
        match self {
            Self::Spiffe(id) => id.as_str().starts_with("spiffe://"),
            Self::Dns(name) => {
                let name = name.as_str();
                let small = !name.contains(|letter: char| letter.is_ascii_uppercase());
                small && !name.contains(['*', ' ', '/', ':'])
            }
            Self::Fingerprint(_) => true,
            Self::Client { issuer, .. } => {
                let issuer = issuer.as_str();
                issuer.starts_with("https://") || issuer.starts_with("http://")
            }
        }
    }
}
