//! What a rule may look at: the world, and who acts. Looks at persons, institutions and school years
//! that a command names, or refuses it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;

use super::field::Field;
use super::owning::owner_elsewhere;
use super::refusal::{Reason, Refusal};
use super::refusing::{not_found, refuse};
use super::world::{Context, Stop, World};
use super::{Actor, Aggregate, author, is_by_a_person};
use crate::domain::person::Person;
use crate::domain::system::hands;
use crate::domain::team::Team;
use crate::domain::year_plan::Place;
use crate::ids::{
    InstitutionId, PersonId, PlanId, SchoolYearId, StreamId, StreamKind, TeamId, YearPlanId,
};
use crate::read_error::ReadError;

/// Runs `decide` with the rules' view of a world.
pub(in crate::domain) fn asking<W: World + ?Sized, T>(
    world: &W,
    context: &Context,
    decide: impl FnOnce(&RuleContext<'_>) -> T,
) -> T {
    decide(&RuleContext {
        world: &AsWorld(world),
        actor: context.actor,
        on_behalf_of: context.on_behalf_of,
        day: context.at.day_in_denmark(),
    })
}

/// Hides the type of the world, so that the rules below are compiled only once.
struct AsWorld<'a, W: ?Sized>(&'a W);

impl<W: World + ?Sized> World for AsWorld<'_, W> {
    fn aggregate(&self, stream: StreamId) -> Result<Option<Arc<Aggregate>>, ReadError> {
        self.0.aggregate(stream)
    }

    fn plan_of(
        &self,
        student: PersonId,
        year_plan: YearPlanId,
    ) -> Result<Option<PlanId>, ReadError> {
        self.0.plan_of(student, year_plan)
    }

    fn owned(&self, person: PersonId) -> Result<Vec<StreamId>, ReadError> {
        self.0.owned(person)
    }

    fn all(&self, kind: StreamKind) -> Result<Vec<StreamId>, ReadError> {
        self.0.all(kind)
    }

    fn day(&self) -> Date {
        self.0.day()
    }
}

/// What a rule may look at.
pub(in crate::domain) struct RuleContext<'a> {
    world: &'a dyn World,
    actor: Actor,
    on_behalf_of: Option<Actor>,
    /// The calendar day in Copenhagen on which the command is decided.
    pub(in crate::domain) day: Date,
}

impl RuleContext<'_> {
    /// Whether a person decides: as the actor, or because a system acts for the person.
    pub(in crate::domain) fn is_by_a_person(&self) -> bool {
        is_by_a_person(self.actor, self.on_behalf_of)
    }

    /// Whose act it is: the person for whom the actor acts, and otherwise the actor. Rules about who may
    /// do something are about this one.
    pub(in crate::domain) fn author(&self) -> Actor {
        author(self.actor, self.on_behalf_of)
    }

    /// Who sent the command, whoever it is for. It is for records that name both, and for what neither of the two may do. No rule about who may
    /// do something looks at it; see [`RuleContext::author`].
    pub(in crate::domain) fn sender(&self) -> Actor {
        self.actor
    }

    /// Refuses the command if the actor has left, or the person for whom the actor acts has left.
    pub(in crate::domain) fn check_present(&self, context: &Context) -> Result<(), Stop> {
        for actor in [Some(context.actor), context.on_behalf_of] {
            let Some(Actor::Person(id)) = actor else {
                continue;
            };
            if let Some(Aggregate::Person(person)) = self.load(id)?.as_deref()
                && person.has_left_on(self.day)
            {
                let message = format!("person {id} has left and can no longer change anything");
                return refuse(Refusal::new(Reason::ActorDeparted, message).with("person_id", id));
            }
        }
        Ok(())
    }

    /// The state of a stream; `None` if the stream does not exist.
    pub(in crate::domain) fn load(
        &self,
        id: impl Into<StreamId>,
    ) -> Result<Option<Arc<Aggregate>>, Stop> {
        Ok(self.world.aggregate(id.into())?)
    }

    /// Everybody who can be behind what these do; see [`hands`].
    pub(in crate::domain) fn hands(
        &self,
        of: impl IntoIterator<Item = Actor>,
    ) -> Result<BTreeSet<Actor>, Stop> {
        Ok(hands(self.world, of)?)
    }

    /// For whom the actor acts; `None` if for nobody else.
    pub(in crate::domain) fn on_behalf_of(&self) -> Option<Actor> {
        self.on_behalf_of
    }

    /// All streams of a kind of which a ledger has few.
    pub(in crate::domain) fn all(&self, kind: StreamKind) -> Result<Vec<StreamId>, Stop> {
        Ok(self.world.all(kind)?)
    }

    /// Whether a person owns something of an institution and works elsewhere, and not on its team.
    pub(in crate::domain) fn owns_from_elsewhere(
        &self,
        person: PersonId,
        institution: InstitutionId,
    ) -> Result<bool, Stop> {
        for thing in self.world.owned(person)? {
            if owner_elsewhere(self.world, thing, self.day)? == Some((person, institution)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The plan that a student has for a year plan.
    pub(in crate::domain) fn plan_of(
        &self,
        student: PersonId,
        year_plan: YearPlanId,
    ) -> Result<Option<PlanId>, Stop> {
        Ok(self.world.plan_of(student, year_plan)?)
    }

    /// Gives a known person to `look`. Refused if the person is not known.
    pub(in crate::domain) fn person<T>(
        &self,
        id: PersonId,
        field: Field,
        look: impl FnOnce(&Person) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        match self.load(id)?.as_deref() {
            Some(Aggregate::Person(person)) => look(person),
            _ => Err(not_found(
                Reason::PersonNotFound,
                "person",
                "person_id",
                id,
                field,
            )),
        }
    }

    /// Whether the newest roster of some source does not have a person whom an earlier one had.
    pub(in crate::domain) fn is_absent(&self, id: PersonId) -> Result<bool, Stop> {
        Ok(match self.load(id)?.as_deref() {
            Some(Aggregate::Person(person)) => person.is_absent(),
            _ => false,
        })
    }

    /// Refuses anybody who is not a student.
    pub(in crate::domain) fn student(&self, id: PersonId, field: Field) -> Result<(), Stop> {
        self.person(id, field, |person| match person.is_student() {
            true => Ok(()),
            false => refuse(
                Refusal::new(Reason::NotAStudent, format!("person {id} is not a student"))
                    .field(field)
                    .with("person_id", id),
            ),
        })
    }

    /// Refuses anybody who is not a member of staff.
    pub(in crate::domain) fn staff(&self, id: PersonId, field: Field) -> Result<(), Stop> {
        self.person(id, field, |person| match person.is_staff() {
            true => Ok(()),
            false => refuse(
                Refusal::new(
                    Reason::NotStaff,
                    format!("person {id} is not a teacher, pedagogue or leader"),
                )
                .field(field)
                .with("person_id", id),
            ),
        })
    }

    /// Refuses anybody who cannot own a team, year plan or plan. An owner must be staff who has not
    /// left. Whoever will leave can own something until the end of the last day.
    pub(in crate::domain) fn new_owner(&self, id: PersonId, field: Field) -> Result<(), Stop> {
        self.staff(id, field)?;
        self.person(id, field, |person| match person.has_left_on(self.day) {
            false => Ok(()),
            true => refuse(
                Refusal::new(
                    Reason::PersonDeparted,
                    format!("person {id} has left and cannot become an owner"),
                )
                .field(field)
                .with("person_id", id),
            ),
        })
    }

    /// Refuses anybody who cannot take over a team, year plan or plan of this place. The new owner
    /// must be staff somewhere and must not have left. Whoever is on the staff of its team can take
    /// it over, whatever institution they work at: when schools are merged, the roster moves people
    /// before anybody moves year plans. Everybody else must work at its institution. It makes no
    /// difference whether the institution is closed.
    pub(in crate::domain) fn successor(
        &self,
        id: PersonId,
        place: Place,
        field: Field,
    ) -> Result<(), Stop> {
        let Place { institution, team } = place;
        self.new_owner(id, field)?;
        let shares_team = match self.load(team)?.as_deref() {
            Some(Aggregate::Team(team)) => team.staff.contains_key(&id),
            _ => false,
        };
        if shares_team || self.person(id, field, |person| Ok(person.works_at(institution)))? {
            return Ok(());
        }
        let message = format!(
            "person {id} is not on the staff of team {team} and does not work at institution \
            {institution}"
        );
        let refusal = Refusal::new(Reason::SuccessorElsewhere, message).field(field);
        let refusal = refusal.with("person_id", id).with("team_id", team);
        refuse(refusal.with("institution_id", institution))
    }

    /// Checks the person to whom something is transferred. The person must be able to own it and
    /// must not own it already.
    pub(in crate::domain) fn next_owner(
        &self,
        now: Option<PersonId>,
        to: PersonId,
        place: Place,
        field: Field,
    ) -> Result<(), Stop> {
        if now == Some(to) {
            let message = format!("person {to} is already the owner");
            return refuse(
                Refusal::new(Reason::AlreadyOwner, message)
                    .field(field)
                    .with("person_id", to),
            );
        }
        self.successor(to, place, field)
    }

    /// Whether the owner has to change. `from` is the owner that is expected now; the command is
    /// refused if somebody else has become the owner meanwhile.
    pub(in crate::domain) fn needs_transfer(
        &self,
        now: Option<PersonId>,
        from: Option<PersonId>,
        to: Option<PersonId>,
    ) -> Result<bool, Stop> {
        if now == to {
            return Ok(false);
        }
        if now == from {
            return Ok(true);
        }
        let message = match now {
            Some(now) => {
                format!("the owner has changed in the meantime; the owner is now person {now}")
            }
            None => "the owner has changed in the meantime; there is no owner now".to_owned(),
        };
        let refusal = Refusal::new(Reason::OwnerChanged, message);
        refuse(match now {
            Some(now) => refusal.with("person_id", now),
            None => refusal,
        })
    }

    /// Refuses the command if one of these persons is not known.
    pub(in crate::domain) fn known<'p>(
        &self,
        persons: impl IntoIterator<Item = &'p PersonId>,
        field: Field,
    ) -> Result<(), Stop> {
        let distinct: BTreeSet<_> = persons.into_iter().collect();
        distinct
            .into_iter()
            .try_for_each(|id| self.person(*id, field, |_| Ok(())))
    }

    /// Refuses the command if the institution is not known.
    pub(in crate::domain) fn institution(
        &self,
        id: InstitutionId,
        field: Field,
    ) -> Result<(), Stop> {
        match self.load(id)?.as_deref() {
            Some(Aggregate::Institution(_)) => Ok(()),
            _ => Err(not_found(
                Reason::InstitutionNotFound,
                "institution",
                "institution_id",
                id,
                field,
            )),
        }
    }

    /// Refuses the command if new teams, year plans and the like cannot belong to the institution,
    /// because it is not known or is closed.
    pub(in crate::domain) fn open_institution(
        &self,
        id: InstitutionId,
        field: Field,
    ) -> Result<(), Stop> {
        self.institution(id, field)?;
        match self.load(id)?.as_deref() {
            Some(Aggregate::Institution(found)) if found.closed => {
                let message = format!("institution {id} is closed; reopen it first");
                refuse(
                    Refusal::new(Reason::InstitutionClosed, message)
                        .field(field)
                        .with("institution_id", id),
                )
            }
            _ => Ok(()),
        }
    }

    /// Gives a known team that is not deleted to `look`. Refused if there is none.
    pub(in crate::domain) fn live_team<T>(
        &self,
        id: TeamId,
        field: Field,
        look: impl FnOnce(&Team) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        self.team(id, field, |found| match found.deleted {
            None => look(found),
            Some(_) => {
                let message = format!("team {id} is deleted; undelete it first");
                let refusal = Refusal::new(Reason::TeamDeleted, message).field(field);
                refuse(refusal.with("team_id", id))
            }
        })
    }

    /// Gives a known team, deleted or not, to `look`. Refused if there is none.
    pub(in crate::domain) fn team<T>(
        &self,
        id: TeamId,
        field: Field,
        look: impl FnOnce(&Team) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        match self.load(id)?.as_deref() {
            Some(Aggregate::Team(found)) => look(found),
            _ => Err(not_found(
                Reason::TeamNotFound,
                "team",
                "team_id",
                id,
                field,
            )),
        }
    }

    /// Refuses the command if the school year is not known.
    pub(in crate::domain) fn school_year(
        &self,
        id: SchoolYearId,
        field: Field,
    ) -> Result<(), Stop> {
        match self.load(id)?.as_deref() {
            Some(Aggregate::SchoolYear(_)) => Ok(()),
            _ => Err(not_found(
                Reason::SchoolYearNotFound,
                "school year",
                "school_year_id",
                id,
                field,
            )),
        }
    }
}
