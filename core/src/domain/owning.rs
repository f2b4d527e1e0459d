//! Who owns a team, year plan or plan, and where it belongs: asked of any world.

use jiff::civil::Date;

use super::person::NoOwner;
use super::year_plan::Place;
use super::{Aggregate, World};
use crate::ids::{InstitutionId, PersonId, StreamId, TeamId};
use crate::read_error::ReadError;

impl Aggregate {
    /// Who owns the team, year plan or plan. `None` if it has no owner, or if nobody can own it.
    pub fn owner(&self) -> Option<PersonId> {
        match self {
            Self::Team(team) => team.owner,
            Self::YearPlan(plan) => Some(plan.owner),
            Self::Plan(plan) => Some(plan.owner),
            Self::Institution(_)
            | Self::SchoolYear(_)
            | Self::Person(_)
            | Self::Catalogue(_)
            | Self::Ledger(_)
            | Self::Recovery(_)
            | Self::RosterSource(_)
            | Self::System(_)
            | Self::Grants(_)
            | Self::Erasure(_) => None,
        }
    }
}

/// The owner of something who is staff, but neither at the institution that it belongs to nor of its
/// team, and that institution. `None` if it has no such owner on this day.
pub(crate) fn owner_elsewhere<W: World + ?Sized>(
    world: &W,
    thing: StreamId,
    day: Date,
) -> Result<Option<(PersonId, InstitutionId)>, ReadError> {
    let Some((Some(owner), place)) = owner_and_place(world, thing)? else {
        return Ok(None);
    };
    let on_team = match world.aggregate(place.team.into())?.as_deref() {
        Some(Aggregate::Team(team)) => team.staff.contains_key(&owner),
        Some(_) | None => false,
    };
    let no_owner = match world.aggregate(owner.into())?.as_deref() {
        Some(Aggregate::Person(person)) => person.no_owner_at(place.institution, on_team, day),
        Some(_) | None => None,
    };
    let is_elsewhere = no_owner == Some(NoOwner::Elsewhere);
    Ok(is_elsewhere.then_some((owner, place.institution)))
}

/// A plan belongs where its year plan does. `None` for what nobody can own.
fn owner_and_place<W: World + ?Sized>(
    world: &W,
    thing: StreamId,
) -> Result<Option<(Option<PersonId>, Place)>, ReadError> {
    Ok(match world.aggregate(thing)?.as_deref() {
        Some(Aggregate::Team(team)) => {
            let place = Place {
                institution: team.details.institution,
                team: TeamId::from_uuid(thing.id),
            };
            Some((team.owner, place))
        }
        Some(Aggregate::YearPlan(plan)) => Some((Some(plan.owner), plan.details.place())),
        Some(Aggregate::Plan(plan)) => match world.aggregate(plan.year_plan.into())?.as_deref() {
            Some(Aggregate::YearPlan(on)) => Some((Some(plan.owner), on.details.place())),
            Some(_) | None => None,
        },
        Some(_) | None => None,
    })
}
