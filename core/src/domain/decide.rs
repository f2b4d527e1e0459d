//! From a command to events, or to the reason why not.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;

use super::field::Field;
use super::refusal::{Reason, Refusal};
use super::world::{Context, Decision, Stop, World};
use super::{Actor, Aggregate, Command, Event};
use crate::domain::person::Person;
use crate::ids::{InstitutionId, PersonId, PlanId, SchoolYearId, StreamId, YearPlanId};
use crate::read_error::ReadError;

/// Decides a command: total, deterministic, without I/O.
///
/// # Errors
/// [`Stop::Refused`] when the rules say no, [`Stop::Unread`] when the world does not read.
pub fn decide<W: World + ?Sized>(
    world: &W,
    context: &Context,
    command: &Command,
) -> Result<Decision, Stop> {
    asking(world, context, |ask| {
        ask.check_present(context)?;
        decide_asking(ask, command)
    })
}

/// Has `decide` look at a world.
pub(in crate::domain) fn asking<W: World + ?Sized, T>(
    world: &W,
    context: &Context,
    decide: impl FnOnce(&RuleContext<'_>) -> T,
) -> T {
    decide(&RuleContext {
        world: &AsWorld(world),
        actor: context.actor,
    })
}

/// Whether somebody can own a team, year plan or plan, of an institution or at all, and if not, why.
///
/// # Errors
/// As [`decide`].
pub(crate) fn can_own<W: World + ?Sized>(
    world: &W,
    person: PersonId,
    institution: Option<InstitutionId>,
    field: Field,
) -> Result<(), Stop> {
    // Who asks does not matter here.
    let context = Context::from(Actor::Person(person));
    asking(world, &context, |ask| match institution {
        Some(institution) => ask.successor(person, institution, field),
        None => ask.new_owner(person, field),
    })
}

fn decide_asking(ask: &RuleContext<'_>, command: &Command) -> Result<Decision, Stop> {
    let stream = command.stream();
    let events = match command {
        Command::Institution(id, command) => wrap(Event::Institution, command.decide(ask, *id)?),
        Command::SchoolYear(id, command) => wrap(Event::SchoolYear, command.decide(ask, *id)?),
        Command::Person(id, command) => wrap(Event::Person, command.decide(ask, *id)?),
        Command::Team(id, command) => wrap(Event::Team, command.decide(ask, *id)?),
        Command::YearPlan(id, command) => wrap(Event::YearPlan, command.decide(ask, *id)?),
        Command::Plan(id, command) => {
            let (plan, events) = command.decide(ask, *id)?;
            return Ok(Decision {
                stream: plan.into(),
                events: wrap(Event::Plan, events),
            });
        }
        Command::Catalogue(id, command) => wrap(Event::Catalogue, command.decide(ask, *id)?),
        Command::Ledger(id, command) => wrap(Event::Ledger, command.decide(ask, *id)?),
        Command::Recovery(id, command) => wrap(Event::Recovery, command.decide(ask, *id)?),
    };
    Ok(Decision { stream, events })
}

fn wrap<E>(kind: fn(E) -> Event, events: Vec<E>) -> Vec<Event> {
    events.into_iter().map(kind).collect()
}

/// Lets the rules below be compiled once, whatever the world is.
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
}

/// What a rule may look at.
pub(in crate::domain) struct RuleContext<'a> {
    world: &'a dyn World,
    pub(in crate::domain) actor: Actor,
}

impl RuleContext<'_> {
    /// Nobody who has left changes anything any more, themselves or through a system.
    fn check_present(&self, context: &Context) -> Result<(), Stop> {
        for actor in [Some(context.actor), context.on_behalf_of] {
            let Some(Actor::Person(id)) = actor else {
                continue;
            };
            if let Some(Aggregate::Person(person)) = self.load(id)?.as_deref()
                && person.departed.is_some()
            {
                let message = format!("person {id} has left and changes nothing any more");
                return refuse(Refusal::new(Reason::ActorDeparted, message).with("person_id", id));
            }
        }
        Ok(())
    }

    /// A stream's state, if it is there.
    pub(in crate::domain) fn load(
        &self,
        id: impl Into<StreamId>,
    ) -> Result<Option<Arc<Aggregate>>, Stop> {
        Ok(self.world.aggregate(id.into())?)
    }

    /// The plan that a student has for a year plan.
    pub(in crate::domain) fn plan_of(
        &self,
        student: PersonId,
        year_plan: YearPlanId,
    ) -> Result<Option<PlanId>, Stop> {
        Ok(self.world.plan_of(student, year_plan)?)
    }

    /// Looks at a person who has to be known.
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

    /// A student, or a refusal.
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

    /// A member of staff, or a refusal.
    pub(in crate::domain) fn staff(&self, id: PersonId, field: Field) -> Result<(), Stop> {
        self.person(id, field, |person| match person.is_staff() {
            true => Ok(()),
            false => refuse(
                Refusal::new(
                    Reason::NotStaff,
                    format!("person {id} is no teacher, pedagogue or leader"),
                )
                .field(field)
                .with("person_id", id),
            ),
        })
    }

    /// Somebody who can own a team, year plan or plan: staff who has not left.
    pub(in crate::domain) fn new_owner(&self, id: PersonId, field: Field) -> Result<(), Stop> {
        self.staff(id, field)?;
        self.person(id, field, |person| match person.departed {
            None => Ok(()),
            Some(_) => refuse(
                Refusal::new(Reason::PersonDeparted, format!("person {id} has left"))
                    .field(field)
                    .with("person_id", id),
            ),
        })
    }

    /// Somebody who can own a team, year plan or plan of an institution: staff there who has not left.
    pub(in crate::domain) fn successor(
        &self,
        id: PersonId,
        institution: InstitutionId,
        field: Field,
    ) -> Result<(), Stop> {
        self.new_owner(id, field)?;
        self.person(id, field, |person| match person.works_at(institution) {
            true => Ok(()),
            false => {
                let message = format!("person {id} does not work at institution {institution}");
                let refusal = Refusal::new(Reason::SuccessorElsewhere, message).field(field);
                let refusal = refusal.with("person_id", id);
                refuse(refusal.with("institution_id", institution))
            }
        })
    }

    /// An owner to transfer to, who is not the owner already.
    pub(in crate::domain) fn next_owner(
        &self,
        now: Option<PersonId>,
        to: PersonId,
        institution: InstitutionId,
        field: Field,
    ) -> Result<(), Stop> {
        if now == Some(to) {
            let message = format!("person {to} is the owner already");
            return refuse(
                Refusal::new(Reason::AlreadyOwner, message)
                    .field(field)
                    .with("person_id", to),
            );
        }
        self.successor(to, institution, field)
    }

    /// Whether something has to change to have this owner, given whom it is expected to have now.
    /// Refused if somebody else has got it meanwhile.
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
            Some(now) => format!("it belongs to person {now} meanwhile"),
            None => "it belongs to nobody meanwhile".to_owned(),
        };
        let refusal = Refusal::new(Reason::OwnerChanged, message);
        refuse(match now {
            Some(now) => refusal.with("person_id", now),
            None => refusal,
        })
    }

    /// Persons who have to be known.
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

    /// An institution that has to be known.
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

    /// An institution that new things can still belong to.
    pub(in crate::domain) fn open_institution(
        &self,
        id: InstitutionId,
        field: Field,
    ) -> Result<(), Stop> {
        self.institution(id, field)?;
        match self.load(id)?.as_deref() {
            Some(Aggregate::Institution(found)) if found.closed => {
                let message = format!("institution {id} is closed");
                refuse(
                    Refusal::new(Reason::InstitutionClosed, message)
                        .field(field)
                        .with("institution_id", id),
                )
            }
            _ => Ok(()),
        }
    }

    /// A school year that has to be known.
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

/// No, and nothing is recorded.
pub(in crate::domain) fn refuse<T>(refusal: Refusal) -> Result<T, Stop> {
    Err(Stop::Refused(refusal))
}

/// Something that a command names is not there.
pub(in crate::domain) fn not_found(
    reason: Reason,
    what: &str,
    key: &'static str,
    id: impl Display,
    field: Field,
) -> Stop {
    let message = format!("there is no {what} {id}");
    Refusal::new(reason, message)
        .field(field)
        .with(key, id)
        .into()
}

/// Something is there already that a command would make.
pub(in crate::domain) fn exists<T>(
    what: &str,
    key: &'static str,
    id: impl Display,
    field: Field,
) -> Result<T, Stop> {
    let message = format!("{what} {id} exists already");
    refuse(
        Refusal::new(Reason::AlreadyExists, message)
            .field(field)
            .with(key, id),
    )
}
