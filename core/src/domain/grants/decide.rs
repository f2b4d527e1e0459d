use jiff::civil::Date;

use super::administrators::{keep_one, present};
use super::{GrantDetails, Grants, GrantsCommand, GrantsEvent, Role, Scope};
use crate::actor::Actor;
use crate::domain::refusing::{exists, not_found, refuse};
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Field, Reason, Refusal, Stop, system};
use crate::ids::{GrantId, GrantsId};

const ID: &str = "grant_id";

impl GrantsCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: GrantsId,
    ) -> Result<Vec<GrantsEvent>, Stop> {
        let state = ask.load(id)?;
        let now = match state.as_deref() {
            Some(Aggregate::Grants(now)) => Some(now),
            _ => None,
        };
        match self {
            Self::Bootstrap {
                grant,
                grantee,
                instead_of,
            } => {
                known(ask, id, now, *grantee)?;
                unused(now, *grant)?;
                let mut others = present(ask)?.into_iter().map(|one| one.grantee);
                if let Some(there) = others.find(|one| Some(*one) != *instead_of) {
                    let message =
                        format!("{there} is administrator; administrators grant the rest");
                    return refuse(Refusal::new(Reason::AdministratorExists, message));
                }
                apart(ask, now, Role::Administrator)?;
                Ok(vec![GrantsEvent::Bootstrapped {
                    grant: *grant,
                    grantee: *grantee,
                }])
            }
            Self::Grant {
                grant,
                grantee,
                details,
            } => {
                known(ask, id, now, *grantee)?;
                unused(now, *grant)?;
                not_oneself(ask, *grantee)?;
                fits(ask, *grantee, details)?;
                apart(ask, now, details.role)?;
                two_hands(ask, *grantee)?;
                Ok(vec![GrantsEvent::Granted {
                    grant: *grant,
                    grantee: *grantee,
                    details: details.clone(),
                }])
            }
            Self::Revoke {
                grant,
                grantee,
                reason,
            } => {
                let now = now.filter(|now| now.grantee == *grantee);
                revoke(ask, now, *grant, reason.clone())
            }
        }
    }
}

/// Refuses a grantee who is not known, cannot act any more, or has another kind of id than the
/// grants that stand here.
fn known(
    ask: &RuleContext<'_>,
    id: GrantsId,
    now: Option<&Grants>,
    grantee: Actor,
) -> Result<(), Stop> {
    let another = now.is_some_and(|now| now.grantee != grantee) || GrantsId::of(grantee) != id;
    match grantee {
        Actor::Person(person) => {
            if another {
                let reason = Reason::PersonNotFound;
                return Err(not_found(
                    reason,
                    "person",
                    "person_id",
                    person,
                    Field::Target,
                ));
            }
            ask.person(person, Field::Target, |found| {
                match found.has_left_on(ask.day) {
                    false => Ok(()),
                    true => {
                        let message = format!("person {person} has left; nothing can be granted");
                        let refusal = Refusal::new(Reason::PersonDeparted, message);
                        refuse(refusal.field(Field::Target).with("person_id", person))
                    }
                }
            })
        }
        Actor::System(found) => match ask.load(found)?.as_deref() {
            Some(Aggregate::System(now)) if !another => match now.revoked {
                false => Ok(()),
                true => refuse(system::revoked(found, Field::Target)),
            },
            _ => Err(system::unknown(found, Field::Target)),
        },
    }
}

fn unused(now: Option<&Grants>, grant: GrantId) -> Result<(), Stop> {
    match now.is_some_and(|now| now.grants.contains_key(&grant)) {
        true => exists("grant", ID, grant, Field::Grant),
        false => Ok(()),
    }
}

/// Refuses whoever would give a role to themselves, or to the person for whom they act.
fn not_oneself(ask: &RuleContext<'_>, grantee: Actor) -> Result<(), Stop> {
    if ask.sender() != grantee && ask.on_behalf_of() != Some(grantee) {
        return Ok(());
    }
    refuse(Refusal::new(
        Reason::GrantToOneself,
        "nobody can grant anything to themselves; another administrator can",
    ))
}

/// Refuses whoever gave a system an identity to grant it something, as long as somebody else can: the
/// identity may be a key of their own. A ledger with one administrator has nobody else. Then it is
/// allowed, and the review names the grant.
fn two_hands(ask: &RuleContext<'_>, grantee: Actor) -> Result<(), Stop> {
    let Actor::System(id) = grantee else {
        return Ok(());
    };
    let holders = ask.hands([grantee])?;
    let senders = [ask.sender()].into_iter().chain(ask.on_behalf_of());
    if ask.hands(senders)?.is_disjoint(&holders) {
        return Ok(());
    }
    for other in present(ask)? {
        if ask.hands([other.grantee])?.is_disjoint(&holders) {
            let message = "whoever gave a system an identity cannot grant it anything; another \
                           administrator can";
            let refusal = Refusal::new(Reason::GrantToOwnSystem, message);
            return refuse(refusal.field(Field::Target).with("system_id", id));
        }
    }
    Ok(())
}

/// Refuses a role that this grantee cannot have, or not there, or not then.
fn fits(ask: &RuleContext<'_>, grantee: Actor, details: &GrantDetails) -> Result<(), Stop> {
    let GrantDetails {
        role,
        scope,
        first_day,
        last_day,
        ..
    } = details;
    if !role.is_for(grantee) || role.scopes().is_empty() {
        let message = format!("the role {} cannot be granted to {grantee}", role.name());
        let refusal = Refusal::new(Reason::RoleNotForGrantee, message);
        return refuse(refusal.field(Field::DetailsRole).with("role", role.name()));
    }
    if !role.scopes().contains(&scope.kind()) {
        let message = format!("the role {} cannot be granted in this scope", role.name());
        let refusal = Refusal::new(Reason::ScopeNotForRole, message);
        return refuse(refusal.field(Field::DetailsScope).with("role", role.name()));
    }
    match *scope {
        Scope::Municipality => {}
        Scope::Institution(id) => ask.institution(id, Field::DetailsScope)?,
        Scope::Team(id) => ask.team(id, Field::DetailsScope, |_| Ok(()))?,
        Scope::Student(id) => ask.student(id, Field::DetailsScope)?,
    }
    in_order(*first_day, *last_day, ask.day)
}

fn in_order(first: Option<Date>, last: Option<Date>, today: Date) -> Result<(), Stop> {
    let Some(last) = last else {
        return Ok(());
    };
    if last < first.unwrap_or(today) {
        let message = "the grant would end before it begins";
        let refusal = Refusal::new(Reason::DatesReversed, message);
        return refuse(refusal.field(Field::DetailsLastDay));
    }
    Ok(())
}

/// Refuses to make an administrator a records officer, or the other way round: who decides that a
/// text is destroyed must not also decide who may.
fn apart(ask: &RuleContext<'_>, now: Option<&Grants>, role: Role) -> Result<(), Stop> {
    let other = match role {
        Role::Administrator => Role::RecordsOfficer,
        Role::RecordsOfficer => Role::Administrator,
        Role::Student
        | Role::Guardian
        | Role::Teacher
        | Role::Pedagogue
        | Role::Leader
        | Role::Auditor
        | Role::IntegrityAuditor
        | Role::LearningPlatform
        | Role::Portal
        | Role::RosterSystem => return Ok(()),
    };
    let held = now.into_iter().flat_map(|now| now.grants.values());
    let mut held = held.filter(|grant| !grant.is_over_on(ask.day));
    if !held.any(|grant| grant.details.role == other) {
        return Ok(());
    }
    let message = format!("nobody can be {} and {} at once", role.name(), other.name());
    let refusal = Refusal::new(Reason::RolesIncompatible, message);
    refuse(refusal.field(Field::DetailsRole).with("role", role.name()))
}

fn revoke(
    ask: &RuleContext<'_>,
    now: Option<&Grants>,
    grant: GrantId,
    reason: Option<crate::text::ReasonText>,
) -> Result<Vec<GrantsEvent>, Stop> {
    let found = now.and_then(|now| Some((now.grantee, now.grants.get(&grant)?)));
    let Some((grantee, found)) = found else {
        return Err(not_found(
            Reason::GrantNotFound,
            "grant",
            ID,
            grant,
            Field::Grant,
        ));
    };
    if found.revoked.is_some() {
        let message = format!("grant {grant} is revoked already");
        let refusal = Refusal::new(Reason::GrantRevoked, message);
        return refuse(refusal.field(Field::Grant).with(ID, grant));
    }
    if found.details.role == Role::Administrator {
        keep_one(ask, |other, id| (other, id) != (grantee, grant))?;
    }
    Ok(vec![GrantsEvent::Revoked { grant, reason }])
}
