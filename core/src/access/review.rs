//! The yearly review: who holds what, and what looks as if it should end.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use super::Scope;
use crate::actor::Actor;
use crate::domain::grants::{Granted, Grants};
use crate::domain::system::{hands, hands_of};
use crate::domain::{Aggregate, World};
use crate::ids::{GrantId, Revision};
use crate::read_error::ReadError;
use crate::text::Name;

/// Something that looks as if a grant should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// The person has left.
    PersonDeparted,
    /// The newest roster of a source does not have the person, although an earlier one had.
    PersonAbsent,
    /// The sources of rosters say that the person may not log in.
    AccountClosed,
    /// The system is revoked.
    SystemRevoked,
    /// The grant ends soon.
    Expiring,
    /// The grant has no end, although it is for one team or student.
    WithoutEnd,
    /// Whoever granted it also gave the system an identity, which may be their own.
    OneHand,
}

impl Finding {
    /// Every finding.
    pub const ALL: [Self; 7] = [
        Self::PersonDeparted,
        Self::PersonAbsent,
        Self::AccountClosed,
        Self::SystemRevoked,
        Self::Expiring,
        Self::WithoutEnd,
        Self::OneHand,
    ];
}

/// What one person or system holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed {
    /// The revision of the stream of grants.
    pub revision: Revision,
    /// Every grant.
    pub grants: Arc<Grants>,
    /// The name of the person or system; `None` if it is not known.
    pub name: Option<Name>,
    /// What looks as if it should end, each with the grant; `None` if it is about all of them.
    pub findings: Vec<(Finding, Option<GrantId>)>,
}

/// Reviews the grants of one person or system on a day. A grant that ends within `soon` days is named.
/// `None` if no grant is left.
///
/// # Errors
/// [`ReadError`] when the state cannot be read.
pub fn review<W: World + ?Sized>(
    world: &W,
    revision: Revision,
    grants: &Grants,
    today: Date,
    soon: i32,
) -> Result<Option<Reviewed>, ReadError> {
    let mut open = grants.grants.iter();
    let mut open = open.by_ref().filter(|(_, grant)| !grant.is_over_on(today));
    let mut findings = Vec::new();
    let Some(first) = open.next() else {
        return Ok(None);
    };
    let name = of_grantee(world, grants.grantee, today, &mut findings)?;
    let span: Span = soon.days();
    let limit = today.saturating_add(span);
    for (id, grant) in [first].into_iter().chain(open) {
        let narrow = match grant.details.scope {
            Scope::Municipality | Scope::Institution(_) => false,
            Scope::Team(_) | Scope::Student(_) => true,
        };
        match grant.details.last_day {
            Some(last) if last <= limit => findings.push((Finding::Expiring, Some(*id))),
            None if narrow => findings.push((Finding::WithoutEnd, Some(*id))),
            Some(_) | None => {}
        }
        if is_of_one_hand(world, grants.grantee, grant)? {
            findings.push((Finding::OneHand, Some(*id)));
        }
    }
    Ok(Some(Reviewed {
        revision,
        grants: Arc::new(grants.clone()),
        name,
        findings,
    }))
}

/// Whether a grant was given to a system by somebody who can be behind the system, because they gave it
/// an identity. The rules allow that only where nobody else can grant.
///
/// # Errors
/// [`ReadError`] when the state cannot be read.
pub fn is_of_one_hand<W: World + ?Sized>(
    world: &W,
    grantee: Actor,
    grant: &Granted,
) -> Result<bool, ReadError> {
    let Actor::System(system) = grantee else {
        return Ok(false);
    };
    let granters = [grant.by].into_iter().chain(grant.on_behalf_of);
    let granters = hands(world, granters)?;
    Ok(!hands_of(world, system)?.is_disjoint(&granters))
}

fn of_grantee<W: World + ?Sized>(
    world: &W,
    grantee: Actor,
    today: Date,
    findings: &mut Vec<(Finding, Option<GrantId>)>,
) -> Result<Option<Name>, ReadError> {
    let mut note = |finding, is_so| {
        if is_so {
            findings.push((finding, None));
        }
    };
    let state = match grantee {
        Actor::Person(id) => world.aggregate(id.into())?,
        Actor::System(id) => world.aggregate(id.into())?,
    };
    Ok(match (grantee, state.as_deref()) {
        (Actor::Person(_), Some(Aggregate::Person(person))) => {
            note(Finding::PersonDeparted, person.has_left_on(today));
            note(Finding::PersonAbsent, person.is_absent());
            note(Finding::AccountClosed, person.is_curtailed());
            Some(person.name.clone())
        }
        (Actor::System(_), Some(Aggregate::System(system))) => {
            note(Finding::SystemRevoked, system.revoked);
            Some(system.details.name.clone())
        }
        (Actor::Person(_) | Actor::System(_), Some(_) | None) => None,
    })
}
